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

static int expected(const struct json_splitter *splitter, struct error *error) {
    return error_set(error, ERROR_INPUT, "line %zu: %s is expected", splitter->line,
                     splitter->list == JSON_LIST_NEXT ? "a comma or the end of the list" : "a JSON object");
}

// Takes what may stand around a list's objects. False if the byte is none of that.
static bool splitter_punctuation(struct json_splitter *splitter, char byte) {
    enum json_list list = splitter->list;
    if (byte == '[' && list == JSON_LIST_NONE) {
        splitter->list = JSON_LIST_BEGUN;
        splitter->list_line = splitter->line;
    } else if (byte == ',' && list == JSON_LIST_NEXT) {
        splitter->list = JSON_LIST_COMMA;
    } else if (byte == ']' && (list == JSON_LIST_BEGUN || list == JSON_LIST_NEXT)) {
        splitter->list = JSON_LIST_NONE;
    } else {
        return false;
    }
    return true;
}

// Skips what stands before an object; *ret_at is where it begins, or `size`.
static int splitter_skip(struct json_splitter *splitter, const char *data, size_t size, size_t *ret_at,
                         struct error *error) {
    static const char mark[] = "\xef\xbb\xbf";
    size_t at = 0;
    for (; at < size; at++) {
        char byte = data[at];
        if (splitter->mark < 3 && byte == mark[splitter->mark]) {
            splitter->mark++;
            continue;
        }
        if (splitter->mark > 0 && splitter->mark < 3) return expected(splitter, error);
        splitter->mark = 3;
        splitter->line += byte == '\n';
        if (byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n') continue;
        if (byte == '{' && splitter->list != JSON_LIST_NEXT) break;
        if (!splitter_punctuation(splitter, byte)) return expected(splitter, error);
    }
    *ret_at = at;
    return 0;
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
        int result = splitter_skip(splitter, data, size, &at, error);
        if (result != 0) return result;
        splitter->start_line = splitter->line;
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
        if (splitter->list != JSON_LIST_NONE) splitter->list = JSON_LIST_NEXT;
        *ret_object = (const char *)splitter->pending.data;
        *ret_size = splitter->pending.size;
        *ret_line = splitter->start_line;
    }
    return 0;
}

int json_splitter_end(const struct json_splitter *splitter, struct error *error) {
    if (splitter->depth > 0) {
        return error_set(error, ERROR_INPUT, "line %zu: the object that begins here has no end",
                         splitter->start_line);
    }
    if (splitter->list == JSON_LIST_NONE) return 0;
    return error_set(error, ERROR_INPUT, "line %zu: the list that begins here has no end",
                     splitter->list_line);
}
