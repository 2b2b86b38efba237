// SPDX-License-Identifier: Apache-2.0
// Messages of the schema as JSON, exactly as The Things Stack prints them, on one line without spaces and
// without a newline at the end. Two liberties where its own printer is random: maps are sorted by key, and
// plain messages get no spaces.
#ifndef DEVICE_JSON_WRITE_H
#define DEVICE_JSON_WRITE_H

#include <protobuf-c/protobuf-c.h>

#include "base/buffer.h"
#include "device/schema.h"

// Appends the message as a JSON object. Texts that are not UTF-8 get U+FFFD where they are not.
void message_json_write(const ProtobufCMessage *message, struct buffer *json);

// The parts, for those who print something else than a whole message.

// Appends one value of a member; `value` points at it (a char *, an uint32_t, a message pointer, ...).
void json_write_value(const struct schema_field *field, const void *value, struct buffer *json);

// Appends a text with its quotes, escaped.
void json_write_string(const char *text, size_t size, struct buffer *json);

// Appends the shortest decimal that reads back as the same number; "NaN", "Infinity" or "-Infinity" in
// quotes.
void json_write_double(double number, struct buffer *json);
void json_write_float(float number, struct buffer *json);

#endif
