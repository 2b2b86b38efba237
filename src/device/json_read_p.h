// SPDX-License-Identifier: Apache-2.0
// Reading JSON values into the members of a message: shared by json_read.c and json_read_value.c.
#ifndef DEVICE_JSON_READ_P_H
#define DEVICE_JSON_READ_P_H

#include <jansson.h>

#include "device/json_read.h"
#include "device/path.h"
#include "device/schema.h"

struct json_reader {
    const char *text;  // of the whole object
    size_t size;
    size_t line;  // of its first byte
    struct arena *arena;
    struct notes *notes;
    struct error *error;
    size_t searches;  // of places in the text that are still allowed: each one walks it
};

// Sets the error to "line 3: session.keys: ..." and returns -ERROR_INPUT.
int reader_fail(struct json_reader *reader, const struct path *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// The line of a value, or of the whole object if that cannot be told.
size_t reader_line(struct json_reader *reader, const struct path *path);

// Reads the members of an object into a message.
int reader_object(struct json_reader *reader, const struct schema_message *table, const json_t *json,
                  ProtobufCMessage *message, const struct path *path, size_t depth);

// Reads one value (an entry of a list, a value of a map, a member) to where `to` points. Not for lists and
// maps.
int reader_value(struct json_reader *reader, const struct schema_field *field, const json_t *json, void *to,
                 const struct path *path, size_t depth);

// Reads a value that is no message.
int reader_scalar(struct json_reader *reader, const struct schema_field *field, const json_t *json, void *to,
                  const struct path *path);

// Reads a message that has a JSON form of its own (timestamps, free-form JSON, ...).
int reader_special(struct json_reader *reader, const struct schema_field *field, const json_t *json,
                   ProtobufCMessage **ret_message, const struct path *path, size_t depth);

#endif
