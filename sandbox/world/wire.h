// SPDX-License-Identifier: Apache-2.0
// The protobuf wire format (https://protobuf.dev/programming-guides/encoding/), field by field. The world
// does not use the client's generated messages: it has to tell an absent field from an empty one, to write
// entries of maps as the real servers do, and a wrong field number in the client's definitions has to show.
#ifndef SANDBOX_WORLD_WIRE_H
#define SANDBOX_WORLD_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

// A run of bytes that belongs to someone else.
struct wire_bytes {
    const uint8_t *data;
    size_t size;
};

struct wire_field {
    uint32_t number;
    enum wire_type type;
    uint64_t value;           // of the number types
    struct wire_bytes bytes;  // WIRE_BYTES; borrowed from the message
};

struct wire_reader {
    const uint8_t *data;
    size_t size;
    const char *failure;  // static text as the servers' library words it; NULL while all is well
};

// The next field. False at the end, and if the message is malformed (then `failure` is set).
bool wire_next(struct wire_reader *reader, struct wire_field *field);

// The next number of a packed list, whose entries are of that type. False as above.
bool wire_next_value(struct wire_reader *reader, enum wire_type type, uint64_t *ret_value);

// As failure of a field whose type is not the one of its number.
#define WIRE_WRONG_TYPE "proto: wrong wireType"

// Writers leave out nothing: whether a default is written is the caller's choice.
void wire_put_varint(struct buffer *buffer, uint32_t number, uint64_t value);
void wire_put_bytes(struct buffer *buffer, uint32_t number, const void *data, size_t size);
void wire_put_text(struct buffer *buffer, uint32_t number, const char *text);
void wire_put_float(struct buffer *buffer, uint32_t number, float value);

// The parts of a field; `size` is 4 or 8.
void wire_put_tag(struct buffer *buffer, uint32_t number, enum wire_type type);
void wire_put_raw_varint(struct buffer *buffer, uint64_t value);
void wire_put_raw_fixed(struct buffer *buffer, uint64_t value, size_t size);

// A message within a message: the returned mark goes to wire_end.
size_t wire_begin(struct buffer *buffer, uint32_t number);
void wire_end(struct buffer *buffer, size_t mark);

// A float from its 4 bytes.
float wire_float(uint64_t value);

#endif
