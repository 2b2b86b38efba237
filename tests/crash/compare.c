// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "crash.h"

enum { OUTPUT_MOST = 64 * 1024 * 1024 };

const char crash_output[] = "run.json";

void baseline_release(struct baseline *baseline) {
    json_decref(baseline->before);
    json_decref(baseline->moved);
    json_decref(baseline->lines);
    *baseline = (struct baseline){0};
}

// ---- lines

static void drop_own(json_t *value, const char *const *own) {
    const char *name = NULL;
    json_t *member = NULL;
    size_t index = 0;
    if (json_is_array(value)) json_array_foreach(value, index, member) drop_own(member, own);
    if (!json_is_object(value)) return;
    for (size_t i = 0; own[i] != NULL; i++) json_object_del(value, own[i]);
    json_object_foreach(value, name, member) drop_own(member, own);
}

int compare_read_lines(const struct crash_pair *pair, json_t **ret_lines, struct error *error) {
    char *text MEMORY_AUTO = NULL;
    size_t size = 0;
    int result = file_read_all(crash_output, OUTPUT_MOST, &text, &size, error);
    if (result != 0) return result;
    json_t *lines = json_array();
    for (const char *line = text; result == 0 && line < text + size;) {
        const char *end = memchr(line, '\n', (size_t)(text + size - line));
        json_t *value =
            end != NULL ? json_loadb(line, (size_t)(end - line), JSON_REJECT_DUPLICATES, NULL) : NULL;
        if (value == NULL) {
            result =
                error_set(error, ERROR_INPUT, "line %zu of the output is torn", json_array_size(lines) + 1);
            break;
        }
        drop_own(value, pair->own);
        json_array_append_new(lines, value);
        line = end + 1;
    }
    if (result == 0) {
        *ret_lines = lines;
    } else {
        json_decref(lines);
    }
    return result;
}

int compare_lines(const struct crash_pair *pair, const struct baseline *baseline, struct error *error) {
    if (!pair->lines) return 0;
    json_t *lines = NULL;
    int result = compare_read_lines(pair, &lines, error);
    if (result != 0) return result;
    size_t count = json_array_size(lines);
    size_t wanted = json_array_size(baseline->lines);
    if (count != wanted) result = error_set(error, ERROR_INPUT, "%zu lines, should be %zu", count, wanted);
    for (size_t i = 0; result == 0 && i < count; i++) {
        if (!json_equal(json_array_get(lines, i), json_array_get(baseline->lines, i)))
            result =
                error_set(error, ERROR_INPUT, "line %zu is another than that of an undisturbed run", i + 1);
    }
    json_decref(lines);
    return result;
}

// ---- worlds

// A copy without what is forgotten.
static json_t *remembered(const json_t *device, const char *const *forgotten) {
    json_t *copy = json_deep_copy(device);
    for (size_t i = 0; forgotten[i] != NULL; i++) {
        const char *dot = strchr(forgotten[i], '.');
        if (dot == NULL) {
            json_object_del(copy, forgotten[i]);
            continue;
        }
        char *outer MEMORY_AUTO = memory_strndup(forgotten[i], (size_t)(dot - forgotten[i]));
        json_t *inner = json_object_get(copy, outer);
        if (json_is_object(inner)) json_object_del(inner, dot + 1);
    }
    return copy;
}

// The name of a member that differs.
static const char *difference(json_t *one, json_t *other) {
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(one, name, value) {
        if (!json_equal(value, json_object_get(other, name))) return name;
    }
    return "one of its members";
}

// The devices of a place by their names, without what is forgotten.
static json_t *by_name(const struct crash_place *place, const json_t *world) {
    json_t *named = json_object();
    size_t index = 0;
    const json_t *device = NULL;
    json_array_foreach(json_object_get(world, place->member), index, device) {
        BUFFER_AUTO name;
        buffer_init(&name, BUFFER_UNLIMITED);
        for (size_t i = 0; place->id[i] != NULL; i++) {
            const char *part = json_string_value(json_object_get(device, place->id[i]));
            buffer_printf(&name, "%s%s", i > 0 ? "/" : "", part != NULL ? part : "?");
        }
        json_object_set_new(named, buffer_string(&name), remembered(device, place->forgotten));
    }
    return named;
}

static int compare_devices(const struct crash_place *place, const char *what, json_t *devices, json_t *wanted,
                           struct error *error) {
    const char *name = NULL;
    json_t *device = NULL;
    json_object_foreach(wanted, name, device) {
        json_t *other = json_object_get(devices, name);
        if (json_equal(device, other)) continue;
        return error_set(error, ERROR_INPUT, "%s: %s of \"%s\" differs in %s", what, name, place->member,
                         other != NULL ? difference(device, other) : "not being there");
    }
    return 0;
}

static int compare_place(const struct crash_place *place, const char *what, const json_t *world,
                         const json_t *wanted, struct error *error) {
    size_t count = json_array_size(json_object_get(world, place->member));
    size_t should = json_array_size(json_object_get(wanted, place->member));
    if (count != should) {
        return error_set(error, ERROR_INPUT, "%s: %zu of \"%s\", should be %zu", what, count, place->member,
                         should);
    }
    json_t *devices = by_name(place, world);
    json_t *others = by_name(place, wanted);
    int result = compare_devices(place, what, devices, others, error);
    json_decref(devices);
    json_decref(others);
    return result;
}

int compare_worlds(const struct crash_pair *pair, const char *what, const json_t *world, const json_t *wanted,
                   struct error *error) {
    int result = 0;
    for (size_t i = 0; result == 0 && i < PLACES_MAX && pair->places[i].member != NULL; i++) {
        result = compare_place(&pair->places[i], what, world, wanted, error);
    }
    return result;
}

// ---- keys

// A value of zeros is none.
static bool is_set(const json_t *device, const char *name) {
    const char *text = json_string_value(json_object_get(device, name));
    return text != NULL && text[strspn(text, "0")] != '\0';
}

// The places as texts, in which a key is looked for whatever its member is called.
struct haystack {
    char *texts[PLACES_MAX + 1];
    size_t count;
};

static int gather(const struct crash_pair *pair, const json_t *world, struct haystack *haystack,
                  struct error *error) {
    for (size_t i = 0; i < PLACES_MAX && pair->places[i].member != NULL; i++) {
        haystack->texts[haystack->count++] =
            json_dumps(json_object_get(world, pair->places[i].member), JSON_COMPACT);
    }
    size_t size = 0;
    return pair->lines
               ? file_read_all(crash_output, OUTPUT_MOST, &haystack->texts[haystack->count++], &size, error)
               : 0;
}

static int check_key(const struct haystack *haystack, const json_t *device, const char *name,
                     struct error *error) {
    const char *key = json_string_value(json_object_get(device, name));
    size_t found = 0;
    for (size_t i = 0; i < haystack->count; i++) found += strcasestr(haystack->texts[i], key) != NULL;
    if (found == 1) return 0;
    return error_set(error, ERROR_INPUT, "%s of %s is at %zu networks", name,
                     json_string_value(json_object_get(device, "dev_id")), found);
}

int compare_keys(const struct crash_pair *pair, const json_t *before, const json_t *world,
                 struct error *error) {
    struct haystack haystack = {0};
    int result = gather(pair, world, &haystack, error);
    size_t index = 0;
    const json_t *device = NULL;
    json_array_foreach(json_object_get(before, pair->places[0].member), index, device) {
        for (size_t i = 0; result == 0 && pair->keys[i] != NULL; i++) {
            if (is_set(device, pair->keys[i])) result = check_key(&haystack, device, pair->keys[i], error);
        }
    }
    for (size_t i = 0; i < haystack.count; i++) free(haystack.texts[i]);
    return result;
}

int compare_kinds(const struct crash_pair *pair, const json_t *before, struct error *error) {
    enum { KINDS = 8 };
    unsigned counts[KINDS] = {0};
    size_t index = 0;
    const json_t *device = NULL;
    json_array_foreach(json_object_get(before, pair->places[0].member), index, device) {
        unsigned kind = 0;
        for (size_t i = 0; pair->kinds[i] != NULL; i++) kind |= is_set(device, pair->kinds[i]) ? 1U << i : 0;
        counts[kind % KINDS]++;
    }
    for (unsigned kind = 1; kind < KINDS && pair->kinds[0] != NULL; kind++) {
        size_t members = 0;
        while (pair->kinds[members] != NULL) members++;
        if (kind >= 1U << members) break;
        if (counts[kind] < pair->kinds_least)
            return error_set(error, ERROR_INPUT, "only %u devices of kind %u in the world", counts[kind],
                             kind);
    }
    return 0;
}
