// SPDX-License-Identifier: Apache-2.0
#include "device/json_scan_p.h"

#include <string.h>

static const char *skip_space(const char *at, const char *end) {
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')) at++;
    return at;
}

// `at` stands on the opening quote; the result behind the closing one.
static const char *skip_string(const char *at, const char *end) {
    for (at++; at < end && *at != '"'; at++) {
        if (*at == '\\' && at + 1 < end) at++;
    }
    return at < end ? at + 1 : end;
}

static const char *skip_value(const char *at, const char *end) {
    size_t depth = 0;
    while (at < end) {
        if (*at == '"') {
            at = skip_string(at, end);
        } else if (*at == '{' || *at == '[') {
            depth++;
            at++;
        } else if (*at == '}' || *at == ']') {
            if (depth == 0) return at;
            depth--;
            at++;
        } else if (depth == 0 && (*at == ',' || *at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')) {
            return at;
        } else {
            at++;
            continue;
        }
        if (depth == 0) return at;
    }
    return end;
}

// Steps through the entries of an object or a list.
struct entries {
    const char *at;
    const char *end;
    bool object;
    const char *name;  // with its quotes; NULL in a list
    size_t name_size;
    const char *value;
    size_t value_size;
    size_t index;
};

static bool entries_begin(struct entries *entries, const char *text, const char *end) {
    *entries = (struct entries){.end = end};
    text = skip_space(text, end);
    if (text == end || (*text != '{' && *text != '[')) return false;
    entries->object = *text == '{';
    entries->at = text + 1;
    entries->index = (size_t)-1;
    return true;
}

static bool entries_next(struct entries *entries) {
    const char *at = skip_space(entries->at, entries->end);
    if (at < entries->end && *at == ',') at = skip_space(at + 1, entries->end);
    if (at == entries->end || *at == '}' || *at == ']') return false;
    entries->index++;
    if (entries->object) {
        entries->name = at;
        at = skip_string(at, entries->end);
        entries->name_size = (size_t)(at - entries->name);
        at = skip_space(at, entries->end);
        if (at < entries->end) at = skip_space(at + 1, entries->end);
    }
    entries->value = at;
    at = skip_value(at, entries->end);
    entries->value_size = (size_t)(at - entries->value);
    entries->at = at;
    return at > entries->value;
}

static bool entry_is(const struct entries *entries, const struct path *step) {
    if (!entries->object || step->name == NULL) return !entries->object && entries->index == step->index;
    size_t size = strlen(step->name);
    return entries->name_size == size + 2 && memcmp(entries->name + 1, step->name, size) == 0;
}

static bool find(const char **text, const char **end, const struct path *step) {
    if (step == NULL) return true;
    if (!find(text, end, step->parent)) return false;
    struct entries entries;
    bool found = false;
    if (!entries_begin(&entries, *text, *end)) return false;
    while (entries_next(&entries)) {
        if (!entry_is(&entries, step)) continue;
        found = true;
        *text = entries.value;
        *end = entries.value + entries.value_size;
        if (!entries.object) break;
    }
    return found;
}

bool json_scan_find(const char *text, size_t size, const struct path *path, struct json_place *ret_place) {
    const char *start = text;
    const char *end = text + size;
    if (!find(&start, &end, path)) return false;
    *ret_place = (struct json_place){.text = start, .size = (size_t)(end - start)};
    for (const char *at = text; at < start; at++) ret_place->line += *at == '\n';
    return true;
}

void json_scan_path(const char *text, size_t size, size_t offset, struct buffer *path) {
    const char *target = text + offset;
    struct entries entries;
    const char *end = text + size;
    while (entries_begin(&entries, text, end)) {
        bool inside = false;
        while (!inside && entries_next(&entries)) inside = target <= entries.value + entries.value_size;
        if (!inside) return;
        if (!entries.object) {
            buffer_printf(path, "[%zu]", entries.index);
        } else {
            if (path->size > 0) buffer_putc(path, '.');
            if (entries.name_size > 2) buffer_add(path, entries.name + 1, entries.name_size - 2);
        }
        if (target < entries.value) return;
        text = entries.value;
        end = entries.value + entries.value_size;
    }
}
