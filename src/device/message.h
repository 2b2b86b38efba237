// SPDX-License-Identifier: Apache-2.0
// protobuf-c messages that live in an arena: made, read, written, copied and compared.
//
// Strings and lists of a message may point anywhere that lives as long as the message. A message that was
// made here is never given to protobuf_c_message_free_unpacked: it goes with its arena, which wipes it.
#ifndef DEVICE_MESSAGE_H
#define DEVICE_MESSAGE_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"

// How deep messages may lie in each other, and how much memory one may take when it is read. The deepest
// message of a device has 8 levels without free-form JSON.
enum { MESSAGE_DEPTH_MAX = 128 };
#define MESSAGE_MEMORY_MAX ((size_t)64 * 1024 * 1024)

// A new message with nothing set.
void *message_new(struct arena *arena, const ProtobufCMessageDescriptor *descriptor);

// Reads a message from its protobuf bytes. NULL, with ERROR_PROTOCOL or ERROR_TOO_LARGE in `error`, if they
// are no such message. What is unknown is kept, and written again by message_pack. Works for any protobuf-c
// message, not only for those of the schema.
void *message_unpack(const ProtobufCMessageDescriptor *descriptor, const void *data, size_t size,
                     struct arena *arena, struct error *error);

// Appends the protobuf bytes of a message. Up to the buffer's limit, as always with buffers.
void message_pack(const ProtobufCMessage *message, struct buffer *buffer);

// A deep copy that shares nothing with the original. NULL (never for a message that was read or made in sane
// sizes) if message_unpack would refuse it.
void *message_copy(const ProtobufCMessage *message, struct arena *arena);

// Bytes for a member; copied.
ProtobufCBinaryData message_bytes(struct arena *arena, const void *data, size_t size);

// Appends to a list of pointers (messages or strings): message_append(arena, &m->n_channels, &m->channels,
// item).
#define message_append(arena, count, list, item)                             \
    do {                                                                     \
        *(list) = message_grow((arena), *(list), *(count), sizeof **(list)); \
        (*(list))[(*(count))++] = (item);                                    \
    } while (0)
void *message_grow(struct arena *arena, void *list, size_t count, size_t size);

// Empties every secret of a message of the schema: keys, codes, tokens, and all that is unknown. Their bytes are wiped where they are.
void message_redact(ProtobufCMessage *message);

// A place where two messages differ. The texts are JSON; NULL = not set; "(secret)" for what is secret. All
// of it is borrowed for the call.
struct message_difference {
    const char *path;
    const char *left;
    const char *right;
};

typedef void message_difference_fn(void *context, const struct message_difference *difference);

// Tells every leaf in which two messages of one type of the schema differ, in the order of JSON. Maps are
// compared by key, lists by place. Returns the number of differences; `tell` may be NULL.
size_t message_diff(const ProtobufCMessage *left, const ProtobufCMessage *right, message_difference_fn *tell,
                    void *context);

// True if both say the same (two messages of one type of the schema).
bool message_equal(const ProtobufCMessage *left, const ProtobufCMessage *right);

#endif
