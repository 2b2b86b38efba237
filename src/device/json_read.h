// SPDX-License-Identifier: Apache-2.0
// Messages of the schema from JSON, in every way of writing that The Things Stack accepts.
#ifndef DEVICE_JSON_READ_H
#define DEVICE_JSON_READ_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "device/notes.h"

// Most bytes of one object.
#define JSON_OBJECT_MAX ((size_t)1024 * 1024)

// How deep objects may lie in each other. A level of free-form JSON counts twice here and is three messages,
// so that whatever is read fits into MESSAGE_DEPTH_MAX.
enum { JSON_DEPTH_MAX = 64 };

// Reads one object. NULL if that is impossible: ERROR_INPUT with the line and the path in the message, or
// ERROR_TOO_LARGE. Members that the schema does not know and members that stand twice become notes (`notes`
// may be NULL), and so does the error, as the last of them (NOTE_FAULT). `line` is that of the first byte, from 1 on.
// Neither errors nor notes hold values of the text.
void *message_json_read(const ProtobufCMessageDescriptor *descriptor, const char *text, size_t size,
                        size_t line, struct arena *arena, struct notes *notes, struct error *error);

// The line of a value that a path leads to ("session.keys.app_s_key"), in a well-formed object as above; where it cannot
// be told, that of what is around it.
size_t message_json_line(const char *text, size_t size, size_t line, const char *path);

// Where in a list of objects the next byte stands.
enum json_list {
    JSON_LIST_NONE,
    JSON_LIST_BEGUN,  // behind the bracket
    JSON_LIST_NEXT,   // behind an object
    JSON_LIST_COMMA,
};

// Cuts a stream of bytes into the JSON objects that stand in it in a row, with or without white space between them: one
// object a line, or one over many lines; or as lists of objects. A byte order mark may stand at the beginning.
struct json_splitter {
    struct buffer pending;  // of the object that has begun
    size_t line;            // of the next byte, from 1 on
    size_t start_line;      // of the object's first byte
    size_t depth;           // of braces and brackets
    enum json_list list;    // around the objects
    size_t list_line;       // where it begins
    size_t mark;            // bytes of the byte order mark; 3 = it is there, or cannot come any more
    bool in_string;
    bool escaped;
    bool ended;  // `pending` is a whole object that has been handed out
};

void json_splitter_init(struct json_splitter *splitter);
void json_splitter_release(struct json_splitter *splitter);

// Takes bytes up to the end of the next object: *ret_taken is what was used of them; call again with the
// rest. With *ret_object set (borrowed until the next call) an object has ended, which begins in line
// *ret_line. ERROR_INPUT if something else than an object begins, ERROR_TOO_LARGE if one is over
// JSON_OBJECT_MAX.
int json_splitter_take(struct json_splitter *splitter, const char *data, size_t size, size_t *ret_taken,
                       const char **ret_object, size_t *ret_size, size_t *ret_line, struct error *error);

// To be called at the end of the stream: ERROR_INPUT if it ends within an object or a list.
int json_splitter_end(const struct json_splitter *splitter, struct error *error);

#endif
