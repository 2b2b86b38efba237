// SPDX-License-Identifier: Apache-2.0
// Walks two messages side by side.
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/json_write.h"
#include "device/message.h"
#include "device/path.h"
#include "device/value_p.h"

struct comparison {
    message_difference_fn *tell;
    void *context;
    size_t count;
};

static void diff_messages(struct comparison *comparison, const struct schema_message *table,
                          const ProtobufCMessage *left, const ProtobufCMessage *right,
                          const struct path *path);

// Messages that JSON shows as one value.
static bool form_is_leaf(enum schema_form form) {
    return form == FORM_TIMESTAMP || form == FORM_DURATION;
}

// The JSON of a value for people; NULL if there is none.
static char *value_shown(const struct schema_field *field, const void *value) {
    if (value == NULL) return NULL;
    if (field->secret) return memory_strdup("(secret)");
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    if (form_is_message(field->form) && !form_is_leaf(field->form)) {
        // Only whether it is there matters here; what is in it may be secret.
        buffer_puts(&text, "{}");
    } else {
        json_write_value(field, value, &text);
    }
    return buffer_take_string(&text);
}

static void diff_tell(struct comparison *comparison, const struct schema_field *field, const void *left,
                      const void *right, const struct path *path) {
    comparison->count++;
    if (comparison->tell == NULL) return;
    char *where MEMORY_AUTO = path_string(path);
    char *left_text MEMORY_AUTO = value_shown(field, left);
    char *right_text MEMORY_AUTO = value_shown(field, right);
    struct message_difference difference = {.path = where, .left = left_text, .right = right_text};
    comparison->tell(comparison->context, &difference);
}

static bool scalars_equal(enum schema_form form, const void *left, const void *right) {
    if (form == FORM_STRING) return strcmp(value_text(left), value_text(right)) == 0;
    if (form == FORM_HEX || form == FORM_BASE64) {
        ProtobufCBinaryData a = value_bytes(left), b = value_bytes(right);
        return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
    }
    return memcmp(left, right, value_size(form)) == 0;
}

static void diff_values(struct comparison *comparison, const struct schema_field *field, const void *left,
                        const void *right, const struct path *path);

// Two messages of which one may be missing (NULL).
static void diff_objects(struct comparison *comparison, const struct schema_field *field,
                         const ProtobufCMessage *left, const ProtobufCMessage *right,
                         const struct path *path) {
    const struct schema_message *table = field->message;
    if (field->form == FORM_BARE) {
        const struct schema_field *inner = &table->fields[0];
        const ProtobufCFieldDescriptor *place = schema_place(table, inner);
        diff_values(comparison, inner, left == NULL ? NULL : member_at(left, place),
                    right == NULL ? NULL : member_at(right, place), path);
        return;
    }
    struct comparison inner = form_is_leaf(field->form) ? (struct comparison){0} : *comparison;
    inner.count = 0;
    diff_messages(&inner, table, left, right, path);
    // One of them may be there with nothing in it.
    bool missing = (left == NULL || right == NULL) && inner.count == 0;
    if (missing || (form_is_leaf(field->form) && inner.count > 0)) {
        diff_tell(comparison, field, left == NULL ? NULL : &left, right == NULL ? NULL : &right, path);
    } else {
        comparison->count += inner.count;
    }
}

// Two values of which either may be missing (NULL).
static void diff_values(struct comparison *comparison, const struct schema_field *field, const void *left,
                        const void *right, const struct path *path) {
    if (form_is_message(field->form)) {
        const ProtobufCMessage *a = left == NULL ? NULL : value_message(left);
        const ProtobufCMessage *b = right == NULL ? NULL : value_message(right);
        if (a != NULL || b != NULL) diff_objects(comparison, field, a, b, path);
        return;
    }
    if (left != NULL && right != NULL && scalars_equal(field->form, left, right)) return;
    if (left != right) diff_tell(comparison, field, left, right, path);
}

static void diff_lists(struct comparison *comparison, const struct schema_field *field,
                       const ProtobufCFieldDescriptor *place, const ProtobufCMessage *left,
                       const ProtobufCMessage *right, const struct path *path) {
    size_t left_count = left == NULL ? 0 : list_count(left, place);
    size_t right_count = right == NULL ? 0 : list_count(right, place);
    const char *a = left_count == 0 ? NULL : value_pointer(member_at(left, place));
    const char *b = right_count == 0 ? NULL : value_pointer(member_at(right, place));
    size_t size = value_size(field->form);
    for (size_t i = 0; i < left_count || i < right_count; i++) {
        struct path step = {.parent = path, .index = i};
        diff_values(comparison, field, i < left_count ? a + i * size : NULL,
                    i < right_count ? b + i * size : NULL, &step);
    }
}

static char *key_text(const struct schema_message *table, const ProtobufCMessage *entry) {
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    const struct schema_field *key = &table->fields[0];
    const void *at = member_at(entry, schema_place(table, key));
    if (key->form == FORM_STRING) return memory_strdup(value_text(at));
    json_write_value(key, at, &text);
    char *shown = buffer_take_string(&text);
    // Numbers of 64 bits are written with quotes.
    size_t size = strlen(shown);
    if (shown[0] == '"') {
        memmove(shown, shown + 1, size - 2);
        shown[size - 2] = '\0';
    }
    return shown;
}

// Which of two entries comes first; a missing one comes last.
static int entries_compare(const ProtobufCMessage *left, const ProtobufCMessage *right) {
    if (left == NULL) return 1;
    if (right == NULL) return -1;
    return map_key_compare(left, right);
}

static void diff_maps(struct comparison *comparison, const struct schema_field *field,
                      const ProtobufCFieldDescriptor *place, const ProtobufCMessage *left,
                      const ProtobufCMessage *right, const struct path *path) {
    const struct schema_message *table = field->message;
    const struct schema_field *value = &table->fields[1];
    const ProtobufCFieldDescriptor *value_place = schema_place(table, value);
    const ProtobufCMessage **a = NULL, **b = NULL;
    size_t a_count = left == NULL ? 0 : map_sorted(left, place, &a);
    size_t b_count = right == NULL ? 0 : map_sorted(right, place, &b);
    for (size_t i = 0, j = 0; i < a_count || j < b_count;) {
        const ProtobufCMessage *x = i < a_count ? a[i] : NULL;
        const ProtobufCMessage *y = j < b_count ? b[j] : NULL;
        int order = entries_compare(x, y);
        if (order > 0) x = NULL;
        if (order < 0) y = NULL;
        i += x != NULL;
        j += y != NULL;
        char *key MEMORY_AUTO = key_text(table, x != NULL ? x : y);
        struct path step = {.parent = path, .name = key};
        diff_values(comparison, value, x == NULL ? NULL : member_at(x, value_place),
                    y == NULL ? NULL : member_at(y, value_place), &step);
    }
    free(a);
    free(b);
}

static void diff_messages(struct comparison *comparison, const struct schema_message *table,
                          const ProtobufCMessage *left, const ProtobufCMessage *right,
                          const struct path *path) {
    for (size_t i = 0; i < table->field_count; i++) {
        const struct schema_field *field = &table->fields[i];
        const ProtobufCFieldDescriptor *place = schema_place(table, field);
        struct path step = {.parent = path, .name = field->name};
        bool has_left = left != NULL && member_is_set(left, field, place);
        bool has_right = right != NULL && member_is_set(right, field, place);
        if (!has_left && !has_right) continue;
        if (field->map) {
            diff_maps(comparison, field, place, left, right, &step);
        } else if (field->list) {
            diff_lists(comparison, field, place, left, right, &step);
        } else {
            diff_values(comparison, field, has_left ? member_at(left, place) : NULL,
                        has_right ? member_at(right, place) : NULL, &step);
        }
    }
}

size_t message_diff(const ProtobufCMessage *left, const ProtobufCMessage *right, message_difference_fn *tell,
                    void *context) {
    struct comparison comparison = {.tell = tell, .context = context};
    diff_messages(&comparison, schema_of(left), left, right, NULL);
    return comparison.count;
}

bool message_equal(const ProtobufCMessage *left, const ProtobufCMessage *right) {
    return message_diff(left, right, NULL, NULL) == 0;
}
