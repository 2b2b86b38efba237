// SPDX-License-Identifier: Apache-2.0
#include "world/wire.h"

#include <string.h>

enum { VARINT_MAX = 10 };

static bool fail(struct wire_reader *reader, const char *failure) {
    reader->failure = failure;
    return false;
}

static bool read_varint(struct wire_reader *reader, uint64_t *ret_value) {
    uint64_t value = 0;
    for (unsigned i = 0; i < VARINT_MAX; i++) {
        if (i >= reader->size) return fail(reader, "unexpected EOF");
        uint8_t byte = reader->data[i];
        value |= (uint64_t)(byte & 0x7F) << (7 * i);
        if (byte < 0x80) {
            reader->data += i + 1;
            reader->size -= i + 1;
            *ret_value = value;
            return true;
        }
    }
    return fail(reader, "proto: integer overflow");
}

static bool read_fixed(struct wire_reader *reader, size_t size, uint64_t *ret_value) {
    if (reader->size < size) return fail(reader, "unexpected EOF");
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) value |= (uint64_t)reader->data[i] << (8 * i);
    reader->data += size;
    reader->size -= size;
    *ret_value = value;
    return true;
}

static bool read_bytes(struct wire_reader *reader, struct wire_bytes *ret_bytes) {
    uint64_t size = 0;
    if (!read_varint(reader, &size)) return false;
    if (size > reader->size) return fail(reader, "unexpected EOF");
    *ret_bytes = (struct wire_bytes){.data = reader->data, .size = (size_t)size};
    reader->data += size;
    reader->size -= (size_t)size;
    return true;
}

bool wire_next(struct wire_reader *reader, struct wire_field *field) {
    if (reader->failure != NULL || reader->size == 0) return false;
    uint64_t tag = 0;
    if (!read_varint(reader, &tag)) return false;
    *field = (struct wire_field){.number = (uint32_t)(tag >> 3), .type = (enum wire_type)(tag & 7)};
    if (tag >> 32 != 0 || field->number == 0) return fail(reader, "proto: illegal tag");
    switch (field->type) {
        case WIRE_VARINT:
            return read_varint(reader, &field->value);
        case WIRE_FIXED64:
            return read_fixed(reader, 8, &field->value);
        case WIRE_FIXED32:
            return read_fixed(reader, 4, &field->value);
        case WIRE_BYTES:
            return read_bytes(reader, &field->bytes);
    }
    return fail(reader, "proto: illegal wireType");
}

bool wire_next_value(struct wire_reader *reader, enum wire_type type, uint64_t *ret_value) {
    if (reader->failure != NULL || reader->size == 0) return false;
    if (type == WIRE_VARINT) return read_varint(reader, ret_value);
    return read_fixed(reader, type == WIRE_FIXED32 ? 4 : 8, ret_value);
}

void wire_put_raw_varint(struct buffer *buffer, uint64_t value) {
    uint8_t bytes[VARINT_MAX];
    size_t size = 0;
    while (value >= 0x80) {
        bytes[size++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    bytes[size++] = (uint8_t)value;
    buffer_add(buffer, bytes, size);
}

void wire_put_tag(struct buffer *buffer, uint32_t number, enum wire_type type) {
    wire_put_raw_varint(buffer, (uint64_t)number << 3 | type);
}

void wire_put_raw_fixed(struct buffer *buffer, uint64_t value, size_t size) {
    for (size_t i = 0; i < size; i++) buffer_putc(buffer, (char)(uint8_t)(value >> (8 * i)));
}

void wire_put_varint(struct buffer *buffer, uint32_t number, uint64_t value) {
    wire_put_tag(buffer, number, WIRE_VARINT);
    wire_put_raw_varint(buffer, value);
}

void wire_put_bytes(struct buffer *buffer, uint32_t number, const void *data, size_t size) {
    wire_put_tag(buffer, number, WIRE_BYTES);
    wire_put_raw_varint(buffer, size);
    buffer_add(buffer, data, size);
}

void wire_put_text(struct buffer *buffer, uint32_t number, const char *text) {
    wire_put_bytes(buffer, number, text, strlen(text));
}

void wire_put_float(struct buffer *buffer, uint32_t number, float value) {
    uint32_t bits = 0;
    memcpy(&bits, &value, sizeof bits);
    wire_put_tag(buffer, number, WIRE_FIXED32);
    wire_put_raw_fixed(buffer, bits, 4);
}

size_t wire_begin(struct buffer *buffer, uint32_t number) {
    wire_put_tag(buffer, number, WIRE_BYTES);
    return buffer->size;
}

// The length stands before the content, which is only now known: the content moves up by its size.
void wire_end(struct buffer *buffer, size_t mark) {
    size_t content = buffer->size - mark;
    wire_put_raw_varint(buffer, content);
    size_t prefix = buffer->size - mark - content;
    uint8_t length[VARINT_MAX];
    memcpy(length, buffer->data + mark + content, prefix);
    memmove(buffer->data + mark + prefix, buffer->data + mark, content);
    memcpy(buffer->data + mark, length, prefix);
}

float wire_float(uint64_t value) {
    uint32_t bits = (uint32_t)value;
    float result = 0;
    memcpy(&result, &bits, sizeof result);
    return result;
}
