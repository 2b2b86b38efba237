// SPDX-License-Identifier: Apache-2.0
// What servers tell of their rate limits in every answer, so that a limit is kept before it is met:
// x-rate-limit-limit (calls), -available (of these now), -reset (seconds until all are there again).
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "net/dispatch_p.h"

enum {
    BUDGETS_MAX = 64,  // methods of a server that are told apart
    FIRST_MAX =
        8,  // calls of a method at once until its first answer, where the server may tell a limit in it
};

static const double reset_most = 60;  // s

struct budget {
    struct budget *next;
    char *method;        // owned
    double limit;        // calls; 0 = nothing is known
    double left;         // calls that may start; below 0 when more were under way than the server knew of
    int64_t reset;       // ns until all are there again, when that was told
    int64_t told;        // when that was
    int64_t last_start;  // of a call
    unsigned flying;
    bool heard;  // it was answered once
};

void budgets_free(struct budget *budgets) {
    while (budgets != NULL) {
        struct budget *next = budgets->next;
        free(budgets->method);
        free(budgets);
        budgets = next;
    }
}

static struct budget *find(struct budget *budgets, const char *method) {
    while (budgets != NULL && strcmp(budgets->method, method) != 0) budgets = budgets->next;
    return budgets;
}

static struct budget *find_or_add(struct budget **budgets, const char *method) {
    struct budget *budget = find(*budgets, method);
    if (budget != NULL) return budget;
    size_t count = 0;
    for (const struct budget *at = *budgets; at != NULL; at = at->next) count++;
    if (count >= BUDGETS_MAX) return NULL;
    budget = memory_new(struct budget);
    budget->method = memory_strdup(method);
    budget->next = *budgets;
    *budgets = budget;
    return budget;
}

// With half of the limit used, the rest is spread over the time until all is there again. A bucket that fills steadily
// is then kept half full, at just the pace at which it fills; one that is filled all at once lasts until then.
static int64_t next_start(const struct budget *budget) {
    if (budget->limit <= 0 || budget->left >= budget->limit / 2) return 0;
    if (budget->left < 1) return budget->told + budget->reset;
    return budget->last_start + (int64_t)((double)budget->reset / budget->left);
}

// True if the server has answered, and told no limit of any method.
static bool tells_none(const struct budget *budgets) {
    bool heard = false;
    for (; budgets != NULL; budgets = budgets->next) {
        if (budgets->limit > 0) return false;
        heard |= budgets->heard;
    }
    return heard;
}

int64_t budget_delay(struct budget *budgets, const char *method, int64_t now) {
    const struct budget *budget = find(budgets, method);
    if (budget == NULL) return 0;
    if (!budget->heard && budget->flying >= FIRST_MAX && !tells_none(budgets)) return -1;
    int64_t start = next_start(budget);
    // What was told is over.
    if (start > budget->told + budget->reset) start = budget->told + budget->reset;
    return start > now ? start - now : 0;
}

void budget_started(struct budget **budgets, const char *method, int64_t now) {
    struct budget *budget = find_or_add(budgets, method);
    if (budget == NULL) return;
    if (budget->limit > 0 && now >= budget->told + budget->reset)
        budget->left = budget->limit - budget->flying;
    budget->flying++;
    budget->left--;
    budget->last_start = now;
}

static bool read_number(const struct reply *reply, const char *name, double *ret_number) {
    const char *text = reply_header(reply, name);
    if (text == NULL || *text == '\0') return false;
    char *end = NULL;
    *ret_number = strtod(text, &end);
    return *end == '\0' && isfinite(*ret_number) && *ret_number >= 0;
}

void budget_ended(struct budget *budgets, const char *method, const struct reply *reply, int64_t now) {
    struct budget *budget = find(budgets, method);
    if (budget == NULL) return;
    if (budget->flying > 0) budget->flying--;
    if (reply != NULL && reply->outcome == REPLY_ANSWERED) budget->heard = true;
    double limit = 0, available = 0, reset = 0;
    if (reply == NULL || !read_number(reply, "x-rate-limit-limit", &limit) ||
        !read_number(reply, "x-rate-limit-available", &available) ||
        !read_number(reply, "x-rate-limit-reset", &reset) || limit < 1) {
        return;
    }
    // Those under way may not have been counted yet.
    budget->limit = limit;
    budget->left = (available < limit ? available : limit) - budget->flying;
    budget->reset = (int64_t)((reset < reset_most ? reset : reset_most) * (double)NS_PER_SECOND);
    budget->told = now;
}
