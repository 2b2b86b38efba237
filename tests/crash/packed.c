// SPDX-License-Identifier: Apache-2.0
// The wire format of protobuf, as far as two messages are to be compared without some of their fields.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/memory.h"
#include "crash.h"

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5, PATH_MAX_SIZE = 64 };

struct bytes {
    const uint8_t *at;
    const uint8_t *end;
};

struct field {
    char path[PATH_MAX_SIZE];
    unsigned wire;
    struct bytes value;
};

static bool take_varint(struct bytes *bytes, uint64_t *ret_value) {
    *ret_value = 0;
    for (unsigned shift = 0; bytes->at < bytes->end && shift < 64; shift += 7) {
        uint8_t byte = *bytes->at++;
        *ret_value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) return true;
    }
    return false;
}

static bool take(struct bytes *bytes, uint64_t size, struct bytes *ret_value) {
    if (size > (uint64_t)(bytes->end - bytes->at)) return false;
    *ret_value = (struct bytes){bytes->at, bytes->at + size};
    bytes->at += size;
    return true;
}

static bool take_field(struct bytes *bytes, const char *outer, struct field *ret_field) {
    uint64_t tag = 0;
    uint64_t size = 0;
    if (!take_varint(bytes, &tag)) return false;
    ret_field->wire = (unsigned)(tag & 7);
    snprintf(ret_field->path, sizeof ret_field->path, "%s%s%" PRIu64, outer, *outer != '\0' ? "." : "",
             tag >> 3);
    const uint8_t *begin = bytes->at;
    switch (ret_field->wire) {
        case WIRE_VARINT:
            if (!take_varint(bytes, &size)) return false;
            ret_field->value = (struct bytes){begin, bytes->at};
            return true;
        case WIRE_64:
            return take(bytes, 8, &ret_field->value);
        case WIRE_32:
            return take(bytes, 4, &ret_field->value);
        case WIRE_BYTES:
            return take_varint(bytes, &size) && take(bytes, size, &ret_field->value);
        default:
            return false;
    }
}

// "7?" is forgotten where nothing is in it.
static bool is_forgotten(const struct field *field, const char *const *forgotten) {
    bool empty = field->value.at == field->value.end;
    size_t size = strlen(field->path);
    for (size_t i = 0; forgotten[i] != NULL; i++) {
        if (strncmp(forgotten[i], field->path, size) != 0) continue;
        if (forgotten[i][size] == '\0' || (empty && strcmp(forgotten[i] + size, "?") == 0)) return true;
    }
    return false;
}

// True if something in it is forgotten: it is a message then.
static bool is_opened(const char *path, const char *const *forgotten) {
    size_t size = strlen(path);
    for (size_t i = 0; forgotten[i] != NULL; i++) {
        if (strncmp(forgotten[i], path, size) == 0 && forgotten[i][size] == '.') return true;
    }
    return false;
}

// Messages nest as deep as the paths that are forgotten.
static bool put_message(struct buffer *text, struct bytes bytes, const char *outer,
                        const char *const *forgotten) {
    while (bytes.at < bytes.end) {
        struct field field;
        if (!take_field(&bytes, outer, &field)) return false;
        if (is_forgotten(&field, forgotten)) continue;
        bool opened = field.wire == WIRE_BYTES && is_opened(field.path, forgotten);
        buffer_printf(text, "%s%c", field.path, opened ? '{' : '=');
        if (opened && !put_message(text, field.value, field.path, forgotten)) return false;
        for (const uint8_t *at = field.value.at; !opened && at < field.value.end; at++)
            buffer_printf(text, "%02x", *at);
        buffer_putc(text, opened ? '}' : ';');
    }
    return true;
}

char *packed_text(const char *hex, const char *const *forgotten) {
    size_t size = strlen(hex) / 2;
    uint8_t *data MEMORY_AUTO = memory_alloc(size + 1, 1);
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    bool readable = hex_decode(data, size, hex, size * 2) &&
                    put_message(&text, (struct bytes){data, data + size}, "", forgotten);
    return memory_strdup(readable ? buffer_string(&text) : hex);
}

char *packed_difference(const char *one, const char *other) {
    size_t same = 0;
    while (one[same] != '\0' && one[same] == other[same]) same++;
    // Back to where the field's number begins, which is the only thing that is told.
    size_t begin = same;
    while (begin > 0 && strchr(";{}", one[begin - 1]) == NULL) begin--;
    size_t size = strspn(one + begin, "0123456789.");
    if (one[begin + size] != '=' && one[begin + size] != '{') return memory_strdup("");
    char *path MEMORY_AUTO = memory_strndup(one + begin, size);
    return memory_printf(", field %s", path);
}
