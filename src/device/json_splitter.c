// SPDX-License-Identifier: Apache-2.0
#include "device/json_read.h"

void json_splitter_init(struct json_splitter *splitter) {
    *splitter = (struct json_splitter){.line = 1};
    buffer_init(&splitter->pending, JSON_OBJECT_MAX);
}

void json_splitter_release(struct json_splitter *splitter) {
    buffer_release(&splitter->pending);
}

// Follows one byte of an object. True if it is the object's last one.
static bool splitter_follow(struct json_splitter *splitter, char byte) {
    if (splitter->in_string) {
        if (splitter->escaped) {
            splitter->escaped = false;
        } else if (byte == '\\') {
            splitter->escaped = true;
        } else if (byte == '"') {
            splitter->in_string = false;
        }
        return false;
    }
    if (byte == '"') {
        splitter->in_string = true;
    } else if (byte == '{' || byte == '[') {
        splitter->depth++;
    } else if (byte == '}' || byte == ']') {
        splitter->depth--;
    }
    return splitter->depth == 0;
}

// Skips white space before an object. Returns the bytes skipped.
static size_t splitter_skip(struct json_splitter *splitter, const char *data, size_t size) {
    size_t at = 0;
    for (; at < size && (data[at] == ' ' || data[at] == '\t' || data[at] == '\r' || data[at] == '\n'); at++) {
        splitter->line += data[at] == '\n';
    }
    return at;
}

int json_splitter_take(struct json_splitter *splitter, const char *data, size_t size, size_t *ret_taken,
                       const char **ret_object, size_t *ret_size, size_t *ret_line, struct error *error) {
    size_t at = 0;
    *ret_object = NULL;
    if (splitter->ended) {
        buffer_clear(&splitter->pending);
        splitter->ended = false;
    }
    if (splitter->depth == 0) {
        at = splitter_skip(splitter, data, size);
        splitter->start_line = splitter->line;
        if (at < size && data[at] != '{') {
            return error_set(error, ERROR_INPUT, "line %zu: a JSON object is expected", splitter->line);
        }
    }
    size_t start = at;
    while (at < size && !splitter->ended) {
        splitter->line += data[at] == '\n';
        splitter->ended = splitter_follow(splitter, data[at++]);
    }
    buffer_add(&splitter->pending, data + start, at - start);
    if (splitter->pending.overflowed) {
        return error_set(error, ERROR_TOO_LARGE, "line %zu: the object is larger than 1 MiB",
                         splitter->start_line);
    }
    *ret_taken = at;
    if (splitter->ended) {
        *ret_object = (const char *)splitter->pending.data;
        *ret_size = splitter->pending.size;
        *ret_line = splitter->start_line;
    }
    return 0;
}

int json_splitter_end(const struct json_splitter *splitter, struct error *error) {
    if (splitter->depth == 0) return 0;
    return error_set(error, ERROR_INPUT, "line %zu: the object that begins here has no end",
                     splitter->start_line);
}
