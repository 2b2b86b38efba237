// SPDX-License-Identifier: Apache-2.0
// The world as it is, and what changed there.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hex.h"
#include "base/memory.h"
#include "conformance.h"

json_t *look_world(const struct world *world) {
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    world_state_json(world, WORLD_STATE_DEVICES, &text);
    json_error_t error;
    json_t *state = json_loadb((const char *)text.data, text.size, 0, &error);
    if (state == NULL) fail_msg("the state of the world: %s", error.text);
    return state;
}

// "a.b" is member b of member a.
static const char *text_at(const json_t *object, const char *path) {
    char *copy MEMORY_AUTO = memory_strdup(path);
    char *rest = NULL;
    for (const char *name = strtok_r(copy, ".", &rest); name != NULL; name = strtok_r(NULL, ".", &rest))
        object = json_object_get(object, name);
    return json_string_value(object);
}

static bool belongs(const json_t *device, const struct fixture *fixture) {
    if (text_at(device, fixture->eui) == NULL) return false;
    if (fixture->only == NULL) return true;
    size_t size = strcspn(fixture->only, "=");
    char *member MEMORY_AUTO = memory_strndup(fixture->only, size);
    const char *value = text_at(device, member);
    return value != NULL && strcmp(value, fixture->only + size + 1) == 0;
}

const json_t *look_find(const json_t *state, const struct fixture *fixture, const uint8_t dev_eui[8]) {
    size_t i;
    json_t *device;
    json_array_foreach(json_object_get(state, fixture->list), i, device) {
        uint8_t bytes[8];
        const char *text = text_at(device, fixture->eui);
        if (text == NULL || !belongs(device, fixture)) continue;
        if (hex_decode(bytes, sizeof bytes, text, strlen(text)) && memcmp(bytes, dev_eui, 8) == 0)
            return device;
    }
    return NULL;
}

size_t look_count(const json_t *state, const struct fixture *fixture) {
    size_t i, count = 0;
    json_t *device;
    json_array_foreach(json_object_get(state, fixture->list), i, device) count += belongs(device, fixture);
    return count;
}

// ---- differences

struct comparison {
    const char *const *lost, *const *grow;
    char *difference;  // owned
};

static bool has(const char *const *names, const char *name) {
    for (; names != NULL && *names != NULL; names++) {
        if (strcmp(*names, name) == 0) return true;
    }
    return false;
}

static void differ(struct comparison *self, const char *path, const json_t *before, const json_t *now) {
    if (self->difference != NULL) return;
    char *was = before == NULL ? NULL : json_dumps(before, JSON_COMPACT | JSON_ENCODE_ANY);
    char *is = now == NULL ? NULL : json_dumps(now, JSON_COMPACT | JSON_ENCODE_ANY);
    self->difference = memory_printf("%s was %.200s, is %.200s", path, was == NULL ? "not there" : was,
                                     is == NULL ? "not there" : is);
    free(was);
    free(is);
}

static void compare(struct comparison *self, const char *path, const json_t *before, const json_t *now);

// A counter that is not lower, or a value where there was none.
static bool has_grown(const json_t *before, const json_t *now) {
    if (json_is_null(before)) return true;
    return json_is_integer(before) && json_is_integer(now) &&
           json_integer_value(now) >= json_integer_value(before);
}

static void compare_members(struct comparison *self, const char *path, const json_t *before,
                            const json_t *now) {
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)before, name, value) {
        if (strcmp(name, "writes") == 0 || has(self->lost, name)) continue;
        char *inner MEMORY_AUTO = memory_printf("%s.%s", path, name);
        const json_t *other = json_object_get(now, name);
        if (has(self->grow, name) && has_grown(value, other)) continue;
        compare(self, inner, value, other);
    }
    json_object_foreach((json_t *)(uintptr_t)now, name, value) {
        if (strcmp(name, "writes") == 0 || has(self->lost, name) || has(self->grow, name)) continue;
        if (json_object_get(before, name) == NULL) differ(self, name, NULL, value);
    }
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

// A list's order is that of the texts in it: what was deleted and made again may be in another place.
static json_t *sorted(const json_t *list, const struct comparison *self) {
    size_t count = json_array_size(list);
    char **texts = memory_new_array(char *, count + 1);
    for (size_t i = 0; i < count; i++) {
        json_t *item = json_deep_copy(json_array_get(list, i));
        for (const char *const *name = self->lost; name != NULL && *name != NULL; name++)
            json_object_del(item, *name);
        texts[i] = json_dumps(item, JSON_SORT_KEYS | JSON_ENCODE_ANY);
        json_decref(item);
    }
    qsort(texts, count, sizeof *texts, by_text);
    json_t *result = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(result, json_loads(texts[i], JSON_DECODE_ANY, NULL));
        free(texts[i]);
    }
    free(texts);
    return result;
}

static void compare(struct comparison *self, const char *path, const json_t *before, const json_t *now) {
    if (json_is_object(before) && json_is_object(now)) {
        compare_members(self, path, before, now);
    } else if (json_is_array(before) && json_is_array(now) &&
               json_array_size(before) == json_array_size(now)) {
        json_t *was = sorted(before, self), *is = sorted(now, self);
        for (size_t i = 0; i < json_array_size(was); i++)
            compare(self, path, json_array_get(was, i), json_array_get(is, i));
        json_decref(was);
        json_decref(is);
    } else if (!json_equal(before, now)) {
        differ(self, path, before, now);
    }
}

void look_equal(const json_t *now, const json_t *before, const char *const *lost, const char *const *grow) {
    struct comparison self = {.lost = lost, .grow = grow};
    compare(&self, "", before, now);
    if (self.difference == NULL) return;
    char *text = self.difference;
    print_error("%s\n", text);
    free(text);
    fail_msg("the world is another one than before");
}
