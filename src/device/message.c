// SPDX-License-Identifier: Apache-2.0
#include "device/message.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static void *allocator_alloc(void *context, size_t size) {
    return arena_alloc(context, 1, size);
}

// What lies in an arena goes with it.
static void allocator_free(void *context, void *pointer) {
    (void)context;
    (void)pointer;
}

void *message_new(struct arena *arena, const ProtobufCMessageDescriptor *descriptor) {
    ProtobufCMessage *message = arena_alloc(arena, 1, descriptor->sizeof_message);
    protobuf_c_message_init(descriptor, message);
    return message;
}

// protobuf-c reads messages within messages without a limit and takes memory for each of them, however short
// it is. So the bytes are walked once before: how deep do they go, and how much would they take?
struct survey {
    size_t memory;
    bool too_deep;
};

static bool survey_varint(const uint8_t **at, const uint8_t *end, uint64_t *ret_value) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (*at == end) return false;
        uint8_t byte = *(*at)++;
        value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

static bool survey_skip(const uint8_t **at, const uint8_t *end, size_t size) {
    if ((size_t)(end - *at) < size) return false;
    *at += size;
    return true;
}

// What protobuf-c takes for a field besides the value: its note of where the field lies, and a pointer.
enum { FIELD_OVERHEAD = 64 };

static bool survey_message(struct survey *survey, const ProtobufCMessageDescriptor *descriptor,
                           const uint8_t *data, size_t size, int depth) {
    const uint8_t *at = data;
    const uint8_t *end = data + size;
    if (depth > MESSAGE_DEPTH_MAX) {
        survey->too_deep = true;
        return false;
    }
    survey->memory += descriptor->sizeof_message;
    while (at < end) {
        uint64_t tag, length;
        if (!survey_varint(&at, end, &tag) || tag > UINT32_MAX || tag >> 3 == 0) return false;
        survey->memory += FIELD_OVERHEAD;
        unsigned wire_type = tag & 7;
        if (wire_type == PROTOBUF_C_WIRE_TYPE_VARINT) {
            if (!survey_varint(&at, end, &length)) return false;
        } else if (wire_type == PROTOBUF_C_WIRE_TYPE_64BIT || wire_type == PROTOBUF_C_WIRE_TYPE_32BIT) {
            if (!survey_skip(&at, end, wire_type == PROTOBUF_C_WIRE_TYPE_64BIT ? 8 : 4)) return false;
        } else if (wire_type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED) {
            const uint8_t *inner;
            if (!survey_varint(&at, end, &length) || length > (size_t)(end - at)) return false;
            inner = at;
            at += length;
            const ProtobufCFieldDescriptor *field =
                protobuf_c_message_descriptor_get_field(descriptor, (unsigned)(tag >> 3));
            if (field == NULL || field->type != PROTOBUF_C_TYPE_MESSAGE) {
                survey->memory += length * 8;  // a packed list of small numbers
            } else if (!survey_message(survey, field->descriptor, inner, length, depth + 1)) {
                return false;
            }
        } else {
            return false;
        }
    }
    return true;
}

void *message_unpack(const ProtobufCMessageDescriptor *descriptor, const void *data, size_t size,
                     struct arena *arena, struct error *error) {
    struct survey survey = {0};
    if (size == 0) data = "";  // an empty body may come as NULL
    bool sound = survey_message(&survey, descriptor, data, size, 0);
    if (survey.too_deep || survey.memory > MESSAGE_MEMORY_MAX) {
        error_set(error, ERROR_TOO_LARGE, "the message %s is %s", descriptor->name,
                  survey.too_deep ? "nested too deep" : "too large");
        return NULL;
    }
    ProtobufCAllocator allocator = {allocator_alloc, allocator_free, arena};
    ProtobufCMessage *message = NULL;
    if (sound) message = protobuf_c_message_unpack(descriptor, &allocator, size, data);
    if (message == NULL) error_set(error, ERROR_PROTOCOL, "malformed message %s", descriptor->name);
    return message;
}

void message_pack(const ProtobufCMessage *message, struct buffer *buffer) {
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *data = memory_alloc(size + 1, 1);
    protobuf_c_message_pack(message, data);
    buffer_add(buffer, data, size);
    memory_wipe(data, size);
    free(data);
}

void *message_copy(const ProtobufCMessage *message, struct arena *arena) {
    BUFFER_AUTO bytes;
    buffer_init(&bytes, BUFFER_UNLIMITED);
    message_pack(message, &bytes);
    return message_unpack(message->descriptor, bytes.data, bytes.size, arena, NULL);
}

ProtobufCBinaryData message_bytes(struct arena *arena, const void *data, size_t size) {
    return (ProtobufCBinaryData){.len = size, .data = size == 0 ? NULL : arena_dup(arena, data, size)};
}

void *message_grow(struct arena *arena, void *list, size_t count, size_t size) {
    void *grown = arena_alloc(arena, count + 1, size);
    if (count > 0) memcpy(grown, list, count * size);
    return grown;
}
