// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "base/memory.h"
#include "device/value_p.h"

bool value_is_zero(enum schema_form form, const void *value) {
    switch (form) {
        case FORM_FLOAT:
            return value_float(value) == 0;
        case FORM_DOUBLE:
            return value_double(value) == 0;
        case FORM_INT64:
        case FORM_UINT64:
            return value_uint64(value) == 0;
        case FORM_BOOL:
        case FORM_INT32:
        case FORM_UINT32:
        case FORM_ENUM_NAME:
        case FORM_ENUM_NUMBER:
            return value_uint32(value) == 0;
        case FORM_STRING:
            return value_text(value)[0] == '\0';
        case FORM_HEX:
        case FORM_BASE64:
            return value_bytes(value).len == 0;
        default:
            return value_pointer(value) == NULL;
    }
}

bool member_is_set(const ProtobufCMessage *message, const struct schema_field *field,
                   const ProtobufCFieldDescriptor *place) {
    if (field->map) return value_pointer(member_at(message, place)) != NULL;
    if (field->list) return list_count(message, place) > 0;
    if (place_in_oneof(place)) return oneof_is_set(message, place);
    return !value_is_zero(field->form, member_at(message, place));
}

int map_key_compare(const ProtobufCMessage *a, const ProtobufCMessage *b) {
    const ProtobufCFieldDescriptor *key = &a->descriptor->fields[0];
    const void *left = member_at(a, key);
    const void *right = member_at(b, key);
    if (key->type == PROTOBUF_C_TYPE_STRING) return strcmp(value_text(left), value_text(right));
    uint64_t x, y;
    if (key->type == PROTOBUF_C_TYPE_UINT64) {
        x = value_uint64(left);
        y = value_uint64(right);
    } else {
        x = value_uint32(left);
        y = value_uint32(right);
    }
    return (x > y) - (x < y);
}

struct ordered {
    const ProtobufCMessage *entry;
    size_t place;
};

static int ordered_compare(const void *a, const void *b) {
    const struct ordered *left = a, *right = b;
    int order = map_key_compare(left->entry, right->entry);
    return order != 0 ? order : (left->place > right->place) - (left->place < right->place);
}

static void map_sort(const ProtobufCMessage **entries, size_t count) {
    struct ordered *order = memory_new_array(struct ordered, count);
    for (size_t i = 0; i < count; i++) order[i] = (struct ordered){entries[i], i};
    qsort(order, count, sizeof order[0], ordered_compare);
    for (size_t i = 0; i < count; i++) entries[i] = order[i].entry;
    free(order);
}

size_t map_sorted(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *place,
                  const ProtobufCMessage ***ret_entries) {
    size_t count = list_count(message, place);
    const void *list = value_pointer(member_at(message, place));
    const ProtobufCMessage **entries = memory_new_array(const ProtobufCMessage *, count + 1);
    if (count > 0) memcpy(entries, list, count * sizeof entries[0]);
    bool sorted = true;
    for (size_t i = 1; i < count && sorted; i++) sorted = map_key_compare(entries[i - 1], entries[i]) < 0;
    if (!sorted) map_sort(entries, count);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (i + 1 < count && !sorted && map_key_compare(entries[i], entries[i + 1]) == 0) continue;
        entries[kept++] = entries[i];
    }
    *ret_entries = entries;
    return kept;
}
