// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "crash.h"

enum { OUTPUT_MOST = 64 * 1024 * 1024, FIELDS_MAX = 16 };

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

// ---- members of a device

// Where "outer.inner" is: the object is returned, and *ret_name is its member. NULL if there is no such object.
static json_t *object_of(const json_t *device, const char *path, const char **ret_name) {
    const char *dot = strchr(path, '.');
    *ret_name = dot == NULL ? path : dot + 1;
    const json_t *object = dot == NULL ? device : json_object_getn(device, path, (size_t)(dot - path));
    return json_is_object(object) ? (json_t *)(uintptr_t)object : NULL;
}

static const char *text_of(const json_t *device, const char *path) {
    const char *name = NULL;
    const json_t *object = object_of(device, path, &name);
    return json_string_value(json_object_get(object, name));
}

// The names that a place has for a device; the caller frees them.
static char *name_of(const struct crash_place *place, const json_t *device) {
    BUFFER_AUTO name;
    buffer_init(&name, BUFFER_UNLIMITED);
    for (size_t i = 0; place->id[i] != NULL; i++) {
        const char *part = text_of(device, place->id[i]);
        buffer_printf(&name, "%s%s", i > 0 ? "/" : "", part != NULL ? part : "?");
    }
    return memory_strdup(buffer_string(&name));
}

// The devices of a place, in an array; the caller releases it.
static json_t *devices_of(const struct crash_place *place, const json_t *world) {
    json_t *devices = json_array();
    size_t index = 0;
    json_t *device = NULL;
    json_array_foreach(json_object_get(world, place->member), index, device) {
        const char *application = text_of(device, "application_id");
        bool elsewhere = place->application != NULL &&
                         (application == NULL || strcmp(application, place->application) != 0);
        if (!elsewhere) json_array_append(devices, device);
    }
    return devices;
}

// ---- worlds

struct comparison {
    const struct crash_place *place;
    const char *what;
    int64_t skips;
};

// Those that are forgotten in a member only, and those that are forgotten anywhere.
static void narrow(const char *const *forgotten, const char *member,
                   const char *ret_forgotten[static FIELDS_MAX]) {
    size_t count = 0;
    size_t size = strlen(member);
    for (size_t i = 0; forgotten[i] != NULL && count + 1 < FIELDS_MAX; i++) {
        bool own = strncmp(forgotten[i], member, size) == 0 && forgotten[i][size] == '/';
        if (own || strchr(forgotten[i], '/') == NULL)
            ret_forgotten[count++] = forgotten[i] + (own ? size + 1 : 0);
    }
    ret_forgotten[count] = NULL;
}

// What is packed becomes text, as it can be compared.
static void unpack(json_t *object, const char *const *forgotten) {
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(object, name, value) {
        const char *inner[FIELDS_MAX];
        size_t size = strlen(name);
        narrow(forgotten, name, inner);
        if (json_is_object(value)) unpack(value, inner);
        if (!json_is_string(value) || size < 4 || strcmp(name + size - 4, "_hex") != 0) continue;
        char *text MEMORY_AUTO = packed_text(json_string_value(value), forgotten);
        json_string_set(value, text);
    }
}

// A copy without what is forgotten.
static json_t *remembered(const struct crash_place *place, const json_t *device) {
    json_t *copy = json_deep_copy(device);
    for (size_t i = 0; place->forgotten[i] != NULL; i++) {
        const char *name = NULL;
        json_t *object = object_of(copy, place->forgotten[i], &name);
        json_object_del(object, name);
    }
    if (place->forgotten_fields != NULL) unpack(copy, place->forgotten_fields);
    return copy;
}

// The name of a member that differs.
static char *difference(json_t *one, json_t *other) {
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(one, name, value) {
        json_t *against = json_object_get(other, name);
        if (json_equal(value, against)) continue;
        if (json_is_string(value) && json_is_string(against)) {
            char *field MEMORY_AUTO = packed_difference(json_string_value(value), json_string_value(against));
            return memory_printf("%s%s", name, field);
        }
        if (!json_is_object(value) || !json_is_object(against)) return memory_strdup(name);
        char *inner MEMORY_AUTO = difference(value, against);
        return memory_printf("%s.%s", name, inner);
    }
    return memory_strdup("one of its members");
}

// The devices of a place by their names, without what is forgotten.
static json_t *by_name(const struct crash_place *place, const json_t *world) {
    json_t *named = json_object();
    json_t *devices = devices_of(place, world);
    size_t index = 0;
    const json_t *device = NULL;
    json_array_foreach(devices, index, device) {
        char *name MEMORY_AUTO = name_of(place, device);
        json_object_set_new(named, name, remembered(place, device));
    }
    json_decref(devices);
    return named;
}

// A counter that went back, or far ahead, is left to differ; else both have it as it is wanted.
static void level_counter(json_t *device, const json_t *wanted, const char *path, int64_t skips) {
    const char *name = NULL;
    json_t *object = object_of(device, path, &name);
    json_t *should = json_object_get(object_of(wanted, path, &name), name);
    // One that is 0 is not there.
    int64_t ahead = json_integer_value(json_object_get(object, name)) - json_integer_value(should);
    if (ahead <= 0 || ahead > skips) return;
    if (should != NULL) {
        json_object_set(object, name, should);
    } else {
        json_object_del(object, name);
    }
}

static int compare_device(const struct comparison *comparison, const char *name, json_t *device,
                          json_t *wanted, struct error *error) {
    const struct crash_place *place = comparison->place;
    for (size_t i = 0; device != NULL && place->counters != NULL && place->counters[i] != NULL; i++)
        level_counter(device, wanted, place->counters[i], comparison->skips);
    if (json_equal(device, wanted)) return 0;
    char *which MEMORY_AUTO = device != NULL ? difference(wanted, device) : memory_strdup("not being there");
    return error_set(error, ERROR_INPUT, "%s: %s of \"%s\" differs in %s", comparison->what, name,
                     place->member, which);
}

static int compare_place(const struct comparison *comparison, const json_t *world, const json_t *wanted,
                         struct error *error) {
    json_t *devices = by_name(comparison->place, world);
    json_t *others = by_name(comparison->place, wanted);
    const char *name = NULL;
    json_t *other = NULL;
    size_t count = json_object_size(devices);
    size_t should = json_object_size(others);
    int result = 0;
    if (count != should)
        result = error_set(error, ERROR_INPUT, "%s: %zu of \"%s\", should be %zu", comparison->what, count,
                           comparison->place->member, should);
    json_object_foreach(others, name, other) {
        if (result == 0)
            result = compare_device(comparison, name, json_object_get(devices, name), other, error);
    }
    json_decref(devices);
    json_decref(others);
    return result;
}

// The payload formatters of the target's applications. A link that is there and says nothing is as good as none.
static json_t *formatters_of(const json_t *world) {
    json_t *links = json_deep_copy(json_object_get(world, "tts_links"));
    const char *application = NULL;
    json_t *link = NULL;
    void *next = NULL;
    json_object_foreach_safe(links, next, application, link) {
        bool none = json_integer_value(json_object_get(link, "up_formatter")) == 0 &&
                    json_integer_value(json_object_get(link, "down_formatter")) == 0;
        if (none) json_object_del(links, application);
    }
    return links;
}

static int compare_formatters(const char *what, const json_t *world, const json_t *wanted,
                              struct error *error) {
    json_t *is = formatters_of(world);
    json_t *should = formatters_of(wanted);
    int result = 0;
    if (!json_is_object(is) || !json_equal(is, should))
        result = error_set(error, ERROR_INPUT, "%s: payload formatters of applications differ", what);
    json_decref(is);
    json_decref(should);
    return result;
}

int compare_worlds(const struct crash_pair *pair, const char *what, unsigned skips, const json_t *world,
                   const json_t *wanted, struct error *error) {
    int result = 0;
    for (size_t i = 0; result == 0 && i < PLACES_MAX && pair->places[i].member != NULL; i++) {
        const struct comparison comparison = {&pair->places[i], what, skips};
        result = compare_place(&comparison, world, wanted, error);
    }
    return result == 0 && pair->formatters ? compare_formatters(what, world, wanted, error) : result;
}

// ---- keys

// A value of zeros is none.
static bool is_set(const json_t *device, const char *name) {
    const char *text = text_of(device, name);
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
        json_t *devices = devices_of(&pair->places[i], world);
        haystack->texts[haystack->count++] = json_dumps(devices, JSON_COMPACT);
        json_decref(devices);
    }
    size_t size = 0;
    return pair->lines
               ? file_read_all(crash_output, OUTPUT_MOST, &haystack->texts[haystack->count++], &size, error)
               : 0;
}

static int check_key(const struct haystack *haystack, const struct crash_place *place, const json_t *device,
                     const char *name, struct error *error) {
    const char *key = text_of(device, name);
    size_t found = 0;
    for (size_t i = 0; i < haystack->count; i++) found += strcasestr(haystack->texts[i], key) != NULL;
    if (found == 1) return 0;
    char *which MEMORY_AUTO = name_of(place, device);
    return error_set(error, ERROR_INPUT, "%s of %s is at %zu networks", name, which, found);
}

int compare_keys(const struct crash_pair *pair, const json_t *before, const json_t *world,
                 struct error *error) {
    const struct crash_place *source = &pair->places[0];
    struct haystack haystack = {0};
    int result = gather(pair, world, &haystack, error);
    json_t *devices = devices_of(source, before);
    size_t index = 0;
    const json_t *device = NULL;
    json_array_foreach(devices, index, device) {
        for (size_t i = 0; result == 0 && pair->keys[i] != NULL; i++) {
            if (is_set(device, pair->keys[i]))
                result = check_key(&haystack, source, device, pair->keys[i], error);
        }
    }
    json_decref(devices);
    for (size_t i = 0; i < haystack.count; i++) free(haystack.texts[i]);
    return result;
}

int compare_kinds(const struct crash_pair *pair, const json_t *before, struct error *error) {
    enum { KINDS = 8 };
    unsigned counts[KINDS] = {0};
    json_t *devices = devices_of(&pair->places[0], before);
    size_t index = 0;
    const json_t *device = NULL;
    json_array_foreach(devices, index, device) {
        unsigned kind = 0;
        for (size_t i = 0; pair->kinds[i] != NULL; i++) kind |= is_set(device, pair->kinds[i]) ? 1U << i : 0;
        counts[kind % KINDS]++;
    }
    json_decref(devices);
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
