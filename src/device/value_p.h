// SPDX-License-Identifier: Apache-2.0
// Members of protobuf-c messages as memory.
#ifndef DEVICE_VALUE_P_H
#define DEVICE_VALUE_P_H

#include <string.h>

#include "device/schema.h"

// Where a member lies.
static inline const void *member_at(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *place) {
    return (const char *)message + place->offset;
}

static inline void *member_of(ProtobufCMessage *message, const ProtobufCFieldDescriptor *place) {
    return (char *)message + place->offset;
}

// The number behind a list, or the case of a oneof.
static inline void *quantifier_of(ProtobufCMessage *message, const ProtobufCFieldDescriptor *place) {
    return (char *)message + place->quantifier_offset;
}

static inline size_t list_count(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *place) {
    size_t count;
    memcpy(&count, (const char *)message + place->quantifier_offset, sizeof count);
    return count;
}

static inline bool place_in_oneof(const ProtobufCFieldDescriptor *place) {
    return (place->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
}

static inline bool oneof_is_set(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *place) {
    uint32_t number;
    memcpy(&number, (const char *)message + place->quantifier_offset, sizeof number);
    return number == place->id;
}

// Values, from where they lie.
static inline const ProtobufCMessage *value_message(const void *value) {
    const ProtobufCMessage *message;
    memcpy(&message, value, sizeof message);
    return message;
}

static inline const char *value_text(const void *value) {
    const char *text;
    memcpy(&text, value, sizeof text);
    return text == NULL ? "" : text;
}

static inline ProtobufCBinaryData value_bytes(const void *value) {
    ProtobufCBinaryData bytes;
    memcpy(&bytes, value, sizeof bytes);
    return bytes;
}

static inline const void *value_pointer(const void *value) {
    const void *pointer;
    memcpy(&pointer, value, sizeof pointer);
    return pointer;
}

static inline int32_t value_int32(const void *value) {
    int32_t number;
    memcpy(&number, value, sizeof number);
    return number;
}

static inline uint32_t value_uint32(const void *value) {
    uint32_t number;
    memcpy(&number, value, sizeof number);
    return number;
}

static inline uint64_t value_uint64(const void *value) {
    uint64_t number;
    memcpy(&number, value, sizeof number);
    return number;
}

static inline float value_float(const void *value) {
    float number;
    memcpy(&number, value, sizeof number);
    return number;
}

static inline double value_double(const void *value) {
    double number;
    memcpy(&number, value, sizeof number);
    return number;
}

// The bytes that one value takes in a struct or a list.
static inline size_t value_size(enum schema_form form) {
    switch (form) {
        case FORM_BOOL:
            return sizeof(protobuf_c_boolean);
        case FORM_INT32:
        case FORM_UINT32:
        case FORM_FLOAT:
        case FORM_ENUM_NAME:
        case FORM_ENUM_NUMBER:
            return 4;
        case FORM_INT64:
        case FORM_UINT64:
        case FORM_DOUBLE:
            return 8;
        case FORM_HEX:
        case FORM_BASE64:
            return sizeof(ProtobufCBinaryData);
        default:
            return sizeof(void *);
    }
}

// True if the form is that of a message.
static inline bool form_is_message(enum schema_form form) {
    return form >= FORM_OBJECT;
}

// True if a value outside of lists and oneofs is what JSON leaves out.
bool value_is_zero(enum schema_form form, const void *value);

// True if a member is there: in JSON, and for rules that ask for it.
bool member_is_set(const ProtobufCMessage *message, const struct schema_field *field,
                   const ProtobufCFieldDescriptor *place);

// Which of two entries of a map comes first by its key.
int map_key_compare(const ProtobufCMessage *a, const ProtobufCMessage *b);

// The entries of a map in the order of their keys, without those that another one with the same key follows.
// The caller frees the list; its count is returned.
size_t map_sorted(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *place,
                  const ProtobufCMessage ***ret_entries);

#endif
