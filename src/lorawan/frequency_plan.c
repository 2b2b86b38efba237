// SPDX-License-Identifier: Apache-2.0
#include "lorawan/frequency_plan.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lorawan/tables_p.h"

const struct frequency_plans *frequency_plans_builtin(void) {
    return &lorawan_builtin_plans;
}

const struct frequency_plan *frequency_plans_find(const struct frequency_plans *plans, const char *id) {
    for (size_t i = 0; i < plans->count; i++)
        if (strcmp(plans->plans[i].id, id) == 0) return &plans->plans[i];
    return NULL;
}

static bool same_letter(char a, char b) {
    if (a == '-') a = '_';
    if (b == '-') b = '_';
    return toupper((unsigned char)a) == toupper((unsigned char)b);
}

// How many letters must be put in, taken out or replaced to make one ID of the other (Levenshtein); case and
// kind of dash are not counted. Both have at most FREQUENCY_PLAN_ID_MAX letters.
static size_t distance(const char *a, const char *b) {
    size_t row[FREQUENCY_PLAN_ID_MAX + 1];
    size_t width = strlen(b);
    for (size_t j = 0; j <= width; j++) row[j] = j;
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < width; j++) {
            size_t replaced = diagonal + (same_letter(a[i], b[j]) ? 0 : 1);
            size_t shorter = row[j] < row[j + 1] ? row[j] : row[j + 1];
            diagonal = row[j + 1];
            row[j + 1] = replaced < shorter + 1 ? replaced : shorter + 1;
        }
    }
    return row[width];
}

// True if `id` goes on where `start` ends: "RU_864_870_TTN" for "RU_864_870".
static bool continues(const char *id, const char *start) {
    while (*start != '\0' && same_letter(*id, *start)) id++, start++;
    return *start == '\0';
}

const char *frequency_plans_suggest(const struct frequency_plans *plans, const char *id) {
    const char *nearest = NULL;
    size_t size = strlen(id);
    size_t least = size / 2 + 1;  // further away than that it is no slip
    if (size > FREQUENCY_PLAN_ID_MAX) return NULL;
    for (size_t i = 0; i < plans->count; i++) {
        const char *other = plans->plans[i].id;
        size_t found = size > 0 && continues(other, id) ? 1 : distance(id, other);
        if (found >= least) continue;
        least = found;
        nearest = other;
    }
    return nearest;
}

const struct frequency_plan *frequency_plans_meant(const struct frequency_plans *plans, const char *text) {
    const struct frequency_plan *found = frequency_plans_find(plans, text);
    if (found != NULL || *text == '\0') return found;
    for (size_t i = 0; i < plans->count; i++) {
        const struct frequency_plan *plan = &plans->plans[i];
        if (strcasecmp(plan->id, text) != 0 && strcasecmp(plan->name, text) != 0) continue;
        if (found != NULL) return NULL;
        found = plan;
    }
    return found;
}

void frequency_plans_free(struct frequency_plans *plans) {
    if (plans == NULL) return;
    arena_release(&plans->arena);
    free(plans);
}
