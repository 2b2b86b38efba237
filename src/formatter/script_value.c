// SPDX-License-Identifier: Apache-2.0
#include "formatter/script_value.h"

#include <math.h>
#include <string.h>

#include "base/utf8.h"
#include "formatter/engine_p.h"
#include "formatter/formatter.h"

enum {
    DEPTH_MAX = 1000,     // objects within objects
    VALUES_MAX = 200000,  // in one result
    SURROGATE_SIZE = 3,   // bytes of a surrogate, which the engine encodes by itself
};

// Where a value that came in keeps which of its members were null; scripts do not see it.
#define WAS_NULL DUK_HIDDEN_SYMBOL("was null")

struct export {
    duk_context *engine;
    enum script_export how;
    struct arena *arena;
    size_t values;
};

// ---- strings: the engine's have surrogates of their own, others UTF-8

static bool surrogate_at(const char *at, size_t left, unsigned least, unsigned *ret) {
    if (left < SURROGATE_SIZE || (unsigned char)at[0] != 0xed) return false;
    unsigned code = 0xd000 | ((unsigned char)at[1] & 0x3fu) << 6 | ((unsigned char)at[2] & 0x3fu);
    if (code < least || code > least + 0x3ff) return false;
    *ret = code;
    return true;
}

static const char *export_string(struct export *export, duk_idx_t index, size_t *ret_size) {
    size_t size = 0;
    const char *text = duk_get_lstring(export->engine, index, &size);
    struct buffer joined;
    struct buffer valid;
    buffer_init(&joined, BUFFER_UNLIMITED);
    buffer_init(&valid, BUFFER_UNLIMITED);
    for (size_t i = 0; i < size;) {
        unsigned high = 0;
        unsigned low = 0;
        if (!surrogate_at(text + i, size - i, 0xd800, &high) ||
            !surrogate_at(text + i + SURROGATE_SIZE, size - i - SURROGATE_SIZE, 0xdc00, &low)) {
            // One that is alone stands for no character.
            bool alone = surrogate_at(text + i, size - i, 0xd800, &high) ||
                         surrogate_at(text + i, size - i, 0xdc00, &low);
            if (alone) buffer_puts(&joined, "\xef\xbf\xbd");
            if (!alone) buffer_putc(&joined, text[i]);
            i += alone ? SURROGATE_SIZE : 1;
            continue;
        }
        unsigned code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
        buffer_printf(&joined, "%c%c%c%c", (int)(0xf0 | code >> 18), (int)(0x80 | (code >> 12 & 0x3f)),
                      (int)(0x80 | (code >> 6 & 0x3f)), (int)(0x80 | (code & 0x3f)));
        i += 2 * (size_t)SURROGATE_SIZE;
    }
    (void)utf8_repair((const char *)joined.data, joined.size, &valid);
    char *copy = arena_alloc(export->arena, valid.size + 1, 1);
    if (valid.size > 0) memcpy(copy, valid.data, valid.size);
    *ret_size = valid.size;
    buffer_release(&joined);
    buffer_release(&valid);
    return copy;
}

// ---- out of an engine

static struct script_value *export_any(struct export *export, unsigned depth);

static struct script_value *new_value(struct export *export, enum script_value_kind kind) {
    if (++export->values > VALUES_MAX) engine_too_large(export->engine);
    struct script_value *value = arena_new(export->arena, struct script_value);
    value->kind = kind;
    return value;
}

// The items so far, in an array that doubles: the old ones stay in the arena.
struct items {
    struct script_value **items;
    const char **names;
    size_t count;
    size_t capacity;
};

static void items_add(struct export *export, struct items *items, const char *name,
                      struct script_value *item) {
    if (items->count == items->capacity) {
        size_t capacity = items->capacity == 0 ? 8 : items->capacity * 2;
        struct script_value **larger = arena_new_array(export->arena, struct script_value *, capacity);
        const char **names = arena_new_array(export->arena, const char *, capacity);
        for (size_t i = 0; i < items->count; i++) {
            larger[i] = items->items[i];
            names[i] = items->names[i];
        }
        *items = (struct items){larger, names, items->count, capacity};
    }
    items->items[items->count] = item;
    items->names[items->count++] = name;
}

static struct script_value *items_value(struct export *export, enum script_value_kind kind,
                                        const struct items *items) {
    struct script_value *value = new_value(export, kind);
    value->count = items->count;
    value->items = items->items;
    value->names = items->names;
    return value;
}

// The array at the top.
static struct script_value *export_array(struct export *export, unsigned depth) {
    struct items items = {0};
    duk_size_t length = duk_get_length(export->engine, -1);
    for (duk_size_t i = 0; i < length; i++) {
        bool there = duk_get_prop_index(export->engine, -1, (duk_uarridx_t)i) != 0;
        if (there || export->how == EXPORT_TTS) {
            items_add(export, &items, NULL,
                      duk_is_undefined(export->engine, -1) ? new_value(export, SCRIPT_NULL)
                                                           : export_any(export, depth));
        }
        duk_pop(export->engine);
    }
    return items_value(export, SCRIPT_ARRAY, &items);
}

// Whether a member of a V2 object is left out, or is null because it was when it came in; the value is at the top, its
// name below, the object at `object`.
static bool member_left_out(duk_context *engine, duk_idx_t object, bool *ret_null) {
    bool was_null = false;
    bool came_in = duk_get_prop_string(engine, object, WAS_NULL) != 0;
    if (came_in) {
        duk_dup(engine, -3);
        was_null = duk_get_prop(engine, -2) != 0;
        duk_pop(engine);
    }
    duk_pop(engine);
    *ret_null = was_null && duk_is_undefined(engine, -1);
    if (came_in && duk_is_null(engine, -1)) return true;
    return duk_is_undefined(engine, -1) && !*ret_null;
}

// The object at the top.
static struct script_value *export_object(struct export *export, unsigned depth) {
    duk_context *engine = export->engine;
    struct items items = {0};
    duk_idx_t object = duk_get_top_index(engine);
    duk_enum(engine, object, DUK_ENUM_OWN_PROPERTIES_ONLY | DUK_ENUM_NO_PROXY_BEHAVIOR);
    while (duk_next(engine, -1, 0)) {
        bool null = false;
        duk_dup(engine, -1);
        duk_get_prop(engine, object);
        bool left_out = export->how == EXPORT_TTNV2 && member_left_out(engine, object, &null);
        if (!left_out) {
            struct script_value *item = null || duk_is_undefined(engine, -1) ? new_value(export, SCRIPT_NULL)
                                                                             : export_any(export, depth);
            size_t size = 0;
            items_add(export, &items, export_string(export, -2, &size), item);
        }
        duk_pop_2(engine);
    }
    duk_pop(engine);
    return items_value(export, SCRIPT_OBJECT, &items);
}

static struct script_value *export_any(struct export *export, unsigned depth) {
    duk_context *engine = export->engine;
    if (depth > DEPTH_MAX) (void)duk_error(engine, DUK_ERR_ERROR, "%s", FORMATTER_CYCLE);
    duk_require_stack(engine, 16);
    if (duk_is_null(engine, -1) || duk_is_undefined(engine, -1)) return new_value(export, SCRIPT_NULL);
    if (duk_is_boolean(engine, -1)) {
        struct script_value *value = new_value(export, SCRIPT_BOOLEAN);
        value->boolean = duk_get_boolean(engine, -1) != 0;
        return value;
    }
    if (duk_is_number(engine, -1)) {
        struct script_value *value = new_value(export, SCRIPT_NUMBER);
        value->number = duk_get_number(engine, -1);
        duk_dup(engine, -1);
        value->text = arena_strdup(export->arena, duk_to_string(engine, -1));
        duk_pop(engine);
        return value;
    }
    if (duk_is_string(engine, -1)) {
        struct script_value *value = new_value(export, SCRIPT_STRING);
        value->text = export_string(export, -1, &value->size);
        return value;
    }
    if (duk_is_array(engine, -1)) return export_array(export, depth + 1);
    if (!duk_is_object(engine, -1) || (export->how == EXPORT_TTS && duk_is_function(engine, -1))) {
        (void)duk_error(engine, DUK_ERR_TYPE_ERROR, "the result has a member that is no data");
    }
    return export_object(export, depth + 1);
}

struct script_value *script_value_export(duk_context *engine, enum script_export how, struct arena *arena) {
    struct export export = {.engine = engine, .how = how, .arena = arena};
    return export_any(&export, 0);
}

// ---- into an engine

static void import_object(duk_context *engine, const struct script_value *value) {
    duk_idx_t object = duk_push_object(engine);
    duk_push_object(engine);
    for (size_t i = 0; i < value->count; i++) {
        if (value->items[i]->kind == SCRIPT_NULL) {
            duk_push_true(engine);
            duk_put_prop_string(engine, -2, value->names[i]);
        }
        script_value_import(engine, value->items[i]);
        duk_put_prop_string(engine, object, value->names[i]);
    }
    duk_put_prop_string(engine, object, WAS_NULL);
}

void script_value_import(duk_context *engine, const struct script_value *value) {
    duk_require_stack(engine, 16);
    switch (value->kind) {
        case SCRIPT_NULL:
            duk_push_undefined(engine);
            return;
        case SCRIPT_BOOLEAN:
            duk_push_boolean(engine, value->boolean);
            return;
        case SCRIPT_NUMBER:
            duk_push_number(engine, value->number);
            return;
        case SCRIPT_STRING:
            duk_push_lstring(engine, value->text, value->size);
            return;
        case SCRIPT_ARRAY:
            duk_push_array(engine);
            for (size_t i = 0; i < value->count; i++) {
                script_value_import(engine, value->items[i]);
                duk_put_prop_index(engine, -2, (duk_uarridx_t)i);
            }
            return;
        case SCRIPT_OBJECT:
            import_object(engine, value);
            return;
    }
}

// ---- JSON

struct script_value *script_value_from_json(const json_t *json, struct arena *arena) {
    struct script_value *value = arena_new(arena, struct script_value);
    size_t count = json_is_object(json) ? json_object_size(json) : json_array_size(json);
    struct script_value **items = arena_new_array(arena, struct script_value *, count);
    const char **names = arena_new_array(arena, const char *, count);
    if (json_is_object(json)) {
        value->kind = SCRIPT_OBJECT;
        void *at = json_object_iter((json_t *)(uintptr_t)json);
        for (size_t i = 0; i < count; i++) {
            names[i] = arena_strdup(arena, json_object_iter_key(at));
            items[i] = script_value_from_json(json_object_iter_value(at), arena);
            at = json_object_iter_next((json_t *)(uintptr_t)json, at);
        }
    } else if (json_is_array(json)) {
        value->kind = SCRIPT_ARRAY;
        for (size_t i = 0; i < count; i++) items[i] = script_value_from_json(json_array_get(json, i), arena);
    } else if (json_is_string(json)) {
        value->kind = SCRIPT_STRING;
        value->size = json_string_length(json);
        value->text = arena_dup(arena, json_string_value(json), value->size + 1);
    } else if (json_is_number(json)) {
        value->kind = SCRIPT_NUMBER;
        value->number = json_number_value(json);
    } else if (json_is_boolean(json)) {
        value->kind = SCRIPT_BOOLEAN;
        value->boolean = json_is_true(json);
    }
    value->count = count;
    value->items = items;
    value->names = names;
    return value;
}

static void add_string(struct buffer *text, const char *string, size_t size) {
    buffer_putc(text, '"');
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)string[i];
        if (byte == '"' || byte == '\\') {
            buffer_printf(text, "\\%c", byte);
        } else if (byte < 0x20 || byte == 0x7f) {
            buffer_printf(text, "\\u%04x", byte);
        } else {
            buffer_putc(text, (char)byte);
        }
    }
    buffer_putc(text, '"');
}

static bool add_items(const struct script_value *value, struct buffer *text) {
    bool object = value->kind == SCRIPT_OBJECT;
    bool finite = true;
    buffer_putc(text, object ? '{' : '[');
    for (size_t i = 0; i < value->count; i++) {
        if (i > 0) buffer_putc(text, ',');
        if (object) {
            add_string(text, value->names[i], strlen(value->names[i]));
            buffer_putc(text, ':');
        }
        finite = script_value_to_json(value->items[i], text) && finite;
    }
    buffer_putc(text, object ? '}' : ']');
    return finite;
}

bool script_value_to_json(const struct script_value *value, struct buffer *text) {
    switch (value->kind) {
        case SCRIPT_NULL:
            buffer_puts(text, "null");
            return true;
        case SCRIPT_BOOLEAN:
            buffer_puts(text, value->boolean ? "true" : "false");
            return true;
        case SCRIPT_NUMBER:
            buffer_puts(text, value->text);
            return isfinite(value->number);
        case SCRIPT_STRING:
            add_string(text, value->text, value->size);
            return true;
        case SCRIPT_ARRAY:
        case SCRIPT_OBJECT:
            break;
    }
    return add_items(value, text);
}
