// SPDX-License-Identifier: Apache-2.0
#include "world/fault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/duration.h"
#include "base/memory.h"

enum { LONGEST_DELAY = 24 * 3600, LARGEST_BODY = 1 << 30 };

enum value_type { VALUE_NONE, VALUE_DURATION, VALUE_BYTES };

// The name that is written; whether the call is left undone; what follows an equals sign.
static const struct kind_row {
    const char *name;
    enum fault_kind kind;
    bool before;
    enum value_type value_type;
    int64_t default_value;
} kinds[] = {
    {"unavailable", FAULT_UNAVAILABLE, true, VALUE_NONE, 0},
    {"resource-exhausted", FAULT_RESOURCE_EXHAUSTED, true, VALUE_NONE, 0},
    {"resource-exhausted-13", FAULT_RESOURCE_EXHAUSTED_13, true, VALUE_NONE, 0},
    {"internal", FAULT_INTERNAL, true, VALUE_NONE, 0},
    {"aborted", FAULT_ABORTED, true, VALUE_NONE, 0},
    {"locked", FAULT_LOCKED, true, VALUE_NONE, 0},
    {"rejected", FAULT_REJECTED, true, VALUE_NONE, 0},
    {"token-expired", FAULT_TOKEN_EXPIRED, true, VALUE_NONE, 0},
    {"unavailable-after", FAULT_UNAVAILABLE_AFTER, false, VALUE_NONE, 0},
    {"reset-before", FAULT_RESET_BEFORE, true, VALUE_NONE, 0},
    {"reset-after", FAULT_RESET_AFTER, false, VALUE_NONE, 0},
    {"after-commit", FAULT_RESET_AFTER, false, VALUE_NONE, 0},
    {"reset-middle", FAULT_RESET_MIDDLE, false, VALUE_NONE, 0},
    {"no-trailers", FAULT_NO_TRAILERS, false, VALUE_NONE, 0},
    {"deadline", FAULT_DEADLINE, true, VALUE_NONE, 0},
    {"deadline-after", FAULT_DEADLINE_AFTER, false, VALUE_NONE, 0},
    {"delay", FAULT_DELAY, false, VALUE_DURATION, NS_PER_SECOND},
    {"garbage", FAULT_GARBAGE, false, VALUE_NONE, 0},
    {"empty", FAULT_EMPTY, false, VALUE_NONE, 0},
    {"oversized", FAULT_OVERSIZED, false, VALUE_BYTES, 80 << 20},
    {"goaway", FAULT_GOAWAY, false, VALUE_NONE, 0},
    {"half", FAULT_HALF, false, VALUE_NONE, 0},
    {"refuse", FAULT_REFUSE, true, VALUE_DURATION, NS_PER_SECOND},
    {"garbage-http", FAULT_GARBAGE_HTTP, false, VALUE_NONE, 0},
};

enum { KINDS = sizeof kinds / sizeof *kinds };

static const struct kind_row *kind_find(const char *name, size_t size) {
    for (size_t i = 0; i < KINDS; i++) {
        if (strlen(kinds[i].name) == size && memcmp(kinds[i].name, name, size) == 0) return &kinds[i];
    }
    return NULL;
}

static const struct kind_row *kind_row(enum fault_kind kind) {
    for (size_t i = 0; i < KINDS; i++) {
        if (kinds[i].kind == kind) return &kinds[i];
    }
    return NULL;
}

const char *fault_kind_name(enum fault_kind kind) {
    const struct kind_row *row = kind_row(kind);
    return row != NULL ? row->name : "none";
}

bool fault_is_before(enum fault_kind kind) {
    const struct kind_row *row = kind_row(kind);
    return row != NULL && row->before;
}

static bool parse_number(const char *text, uint64_t *ret_number, const char **ret_end) {
    if (*text < '0' || *text > '9') return false;
    char *end = NULL;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (errno != 0) return false;
    *ret_number = number;
    *ret_end = end;
    return true;
}

// 250ms, 2s; a bare number is seconds.
static bool parse_duration(const char *text, int64_t *ret_ns) {
    int64_t seconds = 0;
    int32_t nanos = 0;
    uint64_t number = 0;
    const char *end = NULL;
    if (parse_number(text, &number, &end) && *end == '\0' && number <= LONGEST_DELAY) {
        seconds = (int64_t)number;
    } else if (!duration_parse(text, strlen(text), &seconds, &nanos)) {
        return false;
    }
    if (seconds < 0 || nanos < 0 || seconds > LONGEST_DELAY) return false;
    *ret_ns = seconds * NS_PER_SECOND + nanos;
    return true;
}

static bool parse_value(const char *text, enum value_type type, int64_t *ret_value) {
    if (type == VALUE_NONE) return false;
    if (type == VALUE_DURATION) return parse_duration(text, ret_value);
    uint64_t number = 0;
    const char *end = NULL;
    if (!parse_number(text, &number, &end) || *end != '\0' || number > LARGEST_BODY) return false;
    *ret_value = (int64_t)number;
    return true;
}

static bool parse_kind(char *text, struct fault *fault) {
    char *equals = strchr(text, '=');
    size_t size = equals != NULL ? (size_t)(equals - text) : strlen(text);
    const struct kind_row *row = kind_find(text, size);
    if (row == NULL) return false;
    fault->kind = row->kind;
    fault->value = row->default_value;
    return equals == NULL || parse_value(equals + 1, row->value_type, &fault->value);
}

static bool parse_count(const char *text, struct fault *fault) {
    const char *equals = strchr(text, '=');
    if (equals == NULL) return false;
    size_t size = (size_t)(equals - text);
    uint64_t number = 0;
    const char *end = NULL;
    if (!parse_number(equals + 1, &number, &end) || *end != '\0' || number == 0) return false;
    if (strncmp(text, "every", size) == 0 && size == 5) {
        fault->every = number;
    } else if (strncmp(text, "at", size) == 0 && size == 2) {
        fault->at = number;
    } else if (strncmp(text, "count", size) == 0 && size == 5) {
        fault->count = number;
    } else {
        return false;
    }
    return true;
}

int fault_parse(const char *spec, struct fault *ret_fault, struct error *error) {
    struct fault fault = {0};
    char *copy MEMORY_AUTO = memory_strdup(spec);
    char *rest = copy;
    const char *method = strsep(&rest, ":");
    char *kind = strsep(&rest, ":");
    bool good = kind != NULL && *method != '\0' && parse_kind(kind, &fault);
    while (good && rest != NULL) good = parse_count(strsep(&rest, ":"), &fault);
    if (!good) {
        return error_set(error, ERROR_USAGE,
                         "fault \"%s\" is not METHOD:KIND[=VALUE][:every=N|:at=N|:count=N]", spec);
    }
    fault.method = memory_strdup(method);
    *ret_fault = fault;
    return 0;
}

void fault_release(struct fault *fault) {
    free(fault->method);
    *fault = (struct fault){0};
}

// "Set" names every service's Set, "NsEndDeviceRegistry/Set" one.
static bool is_named(const struct fault *fault, const char *method) {
    const char *slash = strrchr(method, '/');
    return strcmp(fault->method, "*") == 0 || strcmp(fault->method, method) == 0 ||
           (slash != NULL && strcmp(fault->method, slash + 1) == 0);
}

bool fault_hits(struct fault *fault, const char *method) {
    if (!is_named(fault, method)) return false;
    fault->seen++;
    if (fault->count > 0 && fault->made >= fault->count) return false;
    if (fault->at > 0 && fault->seen != fault->at) return false;
    if (fault->every > 0 && fault->seen % fault->every != 0) return false;
    fault->made++;
    return true;
}
