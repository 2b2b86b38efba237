// SPDX-License-Identifier: Apache-2.0
// jansson reads the text; the tables of the schema say what it means.
#include "device/json_read.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/json_read_p.h"
#include "device/json_scan_p.h"
#include "device/message.h"
#include "device/value_p.h"

enum { SEARCHES_MAX = 200 };

static void json_drop(json_t **json) {
    json_decref(*json);
}

#define JSON_AUTO __attribute__((cleanup(json_drop))) json_t

size_t reader_line(struct json_reader *reader, const struct path *path) {
    struct json_place place;
    if (reader->searches == 0) return reader->line;
    reader->searches--;
    // A name that is written with escapes is not found: the line of what is around it will do.
    for (; path != NULL; path = path->parent) {
        if (json_scan_find(reader->text, reader->size, path, &place)) return reader->line + place.line;
    }
    return reader->line;
}

int reader_fail(struct json_reader *reader, const struct path *path, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *reason MEMORY_AUTO = memory_vprintf(format, args);
    va_end(args);
    char *where MEMORY_AUTO = path == NULL ? memory_strdup("(object)") : path_string(path);
    size_t line = reader_line(reader, path);
    notes_add(reader->notes, NOTE_FAULT, line, where, "%s", reason);
    if (path == NULL) return error_set(reader->error, ERROR_INPUT, "line %zu: %s", line, reason);
    return error_set(reader->error, ERROR_INPUT, "line %zu: %s: %s", line, where, reason);
}

// A step of a path in words: "[3]", "name", "name."; *text moves behind it.
static struct path step_of(char **text, const struct path *parent) {
    struct path step = {.parent = parent};
    if (**text == '[') {
        step.index = (size_t)strtoul(*text + 1, text, 10);
        if (**text == ']') ++*text;
    } else {
        step.name = *text;
        *text += strcspn(*text, ".[");
    }
    return step;
}

// The path is put together on the stack, one step a call, and looked up when it is whole.
static size_t line_of(struct json_reader *reader, char *text, const struct path *parent, size_t depth) {
    if (*text == '\0' || depth == JSON_DEPTH_MAX) return reader_line(reader, parent);
    struct path step = step_of(&text, parent);
    char end = *text;
    if (end == '.') *text++ = '\0';
    if (end != '[') return line_of(reader, text, &step, depth + 1);
    // The bracket belongs to the next step, but ends this one's name.
    char *name MEMORY_AUTO = step.name == NULL ? NULL : memory_strndup(step.name, (size_t)(text - step.name));
    step.name = name;
    return line_of(reader, text, &step, depth + 1);
}

size_t message_json_line(const char *text, size_t size, size_t line, const char *path) {
    struct json_reader reader = {.text = text, .size = size, .line = line, .searches = 1};
    char *copy MEMORY_AUTO = memory_strdup(path);
    return line_of(&reader, copy, NULL, 0);
}

static bool field_is_called(const struct schema_field *field, const char *name, size_t size) {
    return (field->name_size == size && memcmp(field->name, name, size) == 0) ||
           (field->camel_size == size && memcmp(field->camel, name, size) == 0);
}

// Most texts have the order of the schema: the search begins where the last one ended.
static const struct schema_field *field_find(const struct schema_message *table, const char *name,
                                             size_t *hint) {
    size_t size = strlen(name);
    for (size_t i = 0; i < table->field_count; i++) {
        size_t at = (*hint + i) % table->field_count;
        if (!field_is_called(&table->fields[at], name, size)) continue;
        *hint = at + 1;
        return &table->fields[at];
    }
    return NULL;
}

static int read_list(struct json_reader *reader, const struct schema_field *field,
                     const ProtobufCFieldDescriptor *place, const json_t *json, ProtobufCMessage *message,
                     const struct path *path, size_t depth) {
    if (!json_is_array(json)) return reader_fail(reader, path, "a list is expected");
    size_t count = json_array_size(json);
    size_t size = value_size(field->form);
    char *values = arena_alloc(reader->arena, count, size);
    for (size_t i = 0; i < count; i++) {
        struct path step = {.parent = path, .index = i};
        const json_t *entry = json_array_get(json, i);
        if (json_is_null(entry) && field->form != FORM_VALUE) {
            return reader_fail(reader, &step, "null cannot stand in a list");
        }
        int result = reader_value(reader, field, entry, values + i * size, &step, depth);
        if (result != 0) return result;
    }
    memcpy(member_of(message, place), &values, sizeof values);
    memcpy(quantifier_of(message, place), &count, sizeof count);
    return 0;
}

static int read_key(struct json_reader *reader, const struct schema_field *field, const char *name, void *to,
                    const struct path *path) {
    JSON_AUTO *key = json_string(name);
    return reader_scalar(reader, field, key, to, path);
}

static int read_map(struct json_reader *reader, const struct schema_field *field,
                    const ProtobufCFieldDescriptor *place, json_t *json, ProtobufCMessage *message,
                    const struct path *path, size_t depth) {
    const struct schema_message *entry_table = field->message;
    if (!json_is_object(json)) return reader_fail(reader, path, "an object is expected");
    size_t count = 0;
    // Never NULL, so that a map which is there but empty stays there.
    ProtobufCMessage **entries = arena_alloc(reader->arena, json_object_size(json) + 1, sizeof entries[0]);
    const char *name;
    json_t *value;
    json_object_foreach(json, name, value) {
        struct path step = {.parent = path, .name = name};
        ProtobufCMessage *entry = message_new(reader->arena, entry_table->descriptor);
        const struct schema_field *key = &entry_table->fields[0];
        const struct schema_field *content = &entry_table->fields[1];
        if (json_is_null(value) && content->form != FORM_VALUE) {
            return reader_fail(reader, &step, "null cannot stand in a map");
        }
        int result = read_key(reader, key, name, member_of(entry, schema_place(entry_table, key)), &step);
        if (result != 0) return result;
        result = reader_value(reader, content, value, member_of(entry, schema_place(entry_table, content)),
                              &step, depth);
        if (result != 0) return result;
        entries[count++] = entry;
    }
    memcpy(member_of(message, place), &entries, sizeof entries);
    memcpy(quantifier_of(message, place), &count, sizeof count);
    return 0;
}

static int read_member(struct json_reader *reader, const struct schema_message *table,
                       const struct schema_field *field, json_t *json, ProtobufCMessage *message,
                       const struct path *path, size_t depth) {
    const ProtobufCFieldDescriptor *place = schema_place(table, field);
    if (json_is_null(json) && field->form != FORM_VALUE) return 0;
    if (field->map) return read_map(reader, field, place, json, message, path, depth);
    if (field->list) return read_list(reader, field, place, json, message, path, depth);
    int result = reader_value(reader, field, json, member_of(message, place), path, depth);
    if (result == 0 && place_in_oneof(place)) {
        uint32_t number = place->id;
        memcpy(quantifier_of(message, place), &number, sizeof number);
    }
    return result;
}

int reader_object(struct json_reader *reader, const struct schema_message *table, const json_t *json,
                  ProtobufCMessage *message, const struct path *path, size_t depth) {
    if (!json_is_object(json)) return reader_fail(reader, path, "an object is expected");
    if (depth > JSON_DEPTH_MAX) return reader_fail(reader, path, "nested too deep");
    size_t hint = 0;
    const char *name;
    json_t *value;
    // Only read; the library has no such loop for constant objects.
    json_t *object = json_incref((json_t *)(uintptr_t)json);
    int result = 0;
    json_object_foreach(object, name, value) {
        struct path step = {.parent = path, .name = name};
        const struct schema_field *field = field_find(table, name, &hint);
        if (field != NULL) {
            step.name = field->name;
            result = read_member(reader, table, field, value, message, &step, depth);
            if (result != 0) break;
        } else if (reader->notes != NULL && reader->notes->count < NOTES_MAX) {
            char *where MEMORY_AUTO = path_string(&step);
            notes_add(reader->notes, NOTE_UNKNOWN, reader_line(reader, &step), where,
                      "unknown member, left out");
        }
    }
    json_decref(object);
    return result;
}

int reader_value(struct json_reader *reader, const struct schema_field *field, const json_t *json, void *to,
                 const struct path *path, size_t depth) {
    ProtobufCMessage *message = NULL;
    int result;
    if (!form_is_message(field->form)) return reader_scalar(reader, field, json, to, path);
    if (field->form == FORM_OBJECT) {
        message = message_new(reader->arena, field->message->descriptor);
        result = reader_object(reader, field->message, json, message, path, depth + 1);
    } else if (field->form == FORM_BARE) {
        const struct schema_field *inner = &field->message->fields[0];
        message = message_new(reader->arena, field->message->descriptor);
        result =
            reader_scalar(reader, inner, json, member_of(message, schema_place(field->message, inner)), path);
    } else {
        result = reader_special(reader, field, json, &message, path, depth + 1);
    }
    if (result == 0) memcpy(to, &message, sizeof message);
    return result;
}

// The parser's own messages quote the text, which may hold a key.
static const char *syntax_reason(enum json_error_code code) {
    switch (code) {
        case json_error_stack_overflow:
            return "nested too deep";
        case json_error_premature_end_of_input:
            return "the object ends too early";
        case json_error_end_of_input_expected:
            return "something follows the object";
        case json_error_invalid_utf8:
            return "not UTF-8";
        case json_error_null_character:
        case json_error_null_byte_in_key:
            return "a NUL character cannot be kept";
        case json_error_numeric_overflow:
            return "a number is too large";
        default:
            return "not JSON";
    }
}

static void note_duplicate(struct json_reader *reader, const json_error_t *where) {
    BUFFER_AUTO path;
    buffer_init(&path, 1024);
    // The parser stands behind the name that it has met before.
    size_t offset = where->position > 0 ? (size_t)where->position - 1 : 0;
    json_scan_path(reader->text, reader->size, offset, &path);
    notes_add(reader->notes, NOTE_DUPLICATE, reader->line + (size_t)where->line - 1,
              path.size == 0 ? "(object)" : buffer_string(&path),
              "stands more than once; the last one counts");
}

// Reads strictly, and again with more patience where it fails for a reason that is no error here.
static json_t *reader_parse(struct json_reader *reader) {
    json_error_t where;
    size_t flags = JSON_REJECT_DUPLICATES;
    bool duplicate = false;
    json_error_t first = {0};
    for (;;) {
        json_t *json = json_loadb(reader->text, reader->size, flags, &where);
        enum json_error_code code = json == NULL ? json_error_code(&where) : json_error_unknown;
        if (code == json_error_duplicate_key && (flags & JSON_REJECT_DUPLICATES) != 0) {
            flags &= ~(size_t)JSON_REJECT_DUPLICATES;
            duplicate = true;
            first = where;
        } else if (code == json_error_numeric_overflow && (flags & JSON_DECODE_INT_AS_REAL) == 0) {
            flags |= JSON_DECODE_INT_AS_REAL;
        } else if (json == NULL) {
            size_t line = reader->line + (size_t)(where.line > 0 ? where.line - 1 : 0);
            error_set(reader->error, ERROR_INPUT, "line %zu, column %d: %s", line, where.column,
                      syntax_reason(code));
            char *place MEMORY_AUTO = memory_printf("(column %d)", where.column);
            notes_add(reader->notes, NOTE_FAULT, line, place, "%s", syntax_reason(code));
            return NULL;
        } else {
            if (duplicate) note_duplicate(reader, &first);
            return json;
        }
    }
}

void *message_json_read(const ProtobufCMessageDescriptor *descriptor, const char *text, size_t size,
                        size_t line, struct arena *arena, struct notes *notes, struct error *error) {
    struct json_reader reader = {.text = text,
                                 .size = size,
                                 .line = line,
                                 .arena = arena,
                                 .notes = notes,
                                 .error = error,
                                 .searches = SEARCHES_MAX};
    if (size > JSON_OBJECT_MAX) {
        error_set(error, ERROR_TOO_LARGE, "line %zu: the object is larger than 1 MiB", line);
        return NULL;
    }
    JSON_AUTO *json = reader_parse(&reader);
    if (json == NULL) return NULL;
    ProtobufCMessage *message = message_new(arena, descriptor);
    if (reader_object(&reader, schema_of(message), json, message, NULL, 0) != 0) return NULL;
    return message;
}
