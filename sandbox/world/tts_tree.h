// SPDX-License-Identifier: Apache-2.0
// A message of The Things Stack as a tree of its fields, so that field masks can be applied to it by name. Trees
// live in an arena; texts and bytes in them are borrowed from what was parsed or set.
#ifndef SANDBOX_WORLD_TTS_TREE_H
#define SANDBOX_WORLD_TTS_TREE_H

#include "base/arena.h"
#include "world/tts_schema.h"
#include "world/wire.h"

// A message, or a field within one. Of a list each entry is a node.
struct tts_node {
    const struct tts_message *message;  // NULL = a scalar
    const struct tts_field *field;      // NULL = the outermost message
    uint64_t number;                    // of numbers; floats and doubles as their bits
    struct wire_bytes bytes;            // of texts and bytes
    struct tts_node *first, *last;      // of messages: by field number, lists in their order
    struct tts_node *next;
};

// A name or dotted path is made of `name`s of fields; the name of a choice (oneof) is a step of its own that may be
// written or left out.

// An empty message.
struct tts_node *tts_new(struct arena *arena, const char *message_name);

// Parses a message; it lives as long as `body`. Returns NULL, or what the servers' library says of one that does
// not parse. Fields that the tables do not know are left out, and counted in *unknown.
const char *tts_parse(struct arena *arena, const struct tts_message *message, struct wire_bytes body,
                      struct tts_node **ret_node, uint64_t *unknown);

// Appends the message as the servers write it: by number, without zeros, lists of numbers packed.
void tts_encode(const struct tts_node *message, struct buffer *buffer);

// The first node at a path, or NULL. `message` may be NULL.
struct tts_node *tts_find(const struct tts_node *message, const char *path);

// The next entry of the same list, or NULL.
struct tts_node *tts_next_entry(const struct tts_node *entry);

// The value at a path; 0, no bytes and "" if absent.
uint64_t tts_number(const struct tts_node *message, const char *path);
struct wire_bytes tts_bytes(const struct tts_node *message, const char *path);
char *tts_text(struct arena *arena, const struct tts_node *message, const char *path);

// True if there are bytes at the path that are not all zero.
bool tts_has_bytes(const struct tts_node *message, const char *path);

// Finds or makes the node at a path, with the messages on the way.
struct tts_node *tts_make(struct arena *arena, struct tts_node *message, const char *path);

// Puts a node into a message: by number, behind those of the same number. Returns it.
struct tts_node *tts_insert(struct tts_node *message, struct tts_node *child);

// One more entry of a list.
struct tts_node *tts_add(struct arena *arena, struct tts_node *message, const char *name);

void tts_set_number(struct arena *arena, struct tts_node *message, const char *path, uint64_t number);
void tts_set_float(struct arena *arena, struct tts_node *message, const char *path, float value);
// `data` is copied.
void tts_set_bytes(struct arena *arena, struct tts_node *message, const char *path, const void *data,
                   size_t size);
void tts_set_text(struct arena *arena, struct tts_node *message, const char *path, const char *text);

// Takes out what is at the path.
void tts_drop(struct tts_node *message, const char *path);

// Makes what is at the path in `to` what it is in `from` (NULL = nothing there), both of one kind of message.
void tts_copy_path(struct arena *arena, struct tts_node *to, const struct tts_node *from, const char *path);

// True if both hold the same at the path.
bool tts_same(const struct tts_node *a, const struct tts_node *b, const char *path);

#endif
