// SPDX-License-Identifier: Apache-2.0
#include "base/buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { FIRST_CAPACITY = 256 };

void buffer_init(struct buffer *buffer, size_t limit) {
    *buffer = (struct buffer){.limit = limit};
}

void buffer_release(struct buffer *buffer) {
    if (buffer->data != NULL) {
        memory_wipe(buffer->data, buffer->capacity);
        free(buffer->data);
    }
    *buffer = (struct buffer){.limit = buffer->limit};
}

void buffer_clear(struct buffer *buffer) {
    if (buffer->data != NULL) memory_wipe(buffer->data, buffer->size);
    buffer->size = 0;
    buffer->overflowed = false;
}

// Room for `size` more bytes and a NUL. Not realloc: the old place has to be wiped.
static bool buffer_reserve(struct buffer *buffer, size_t size) {
    if (size > buffer->limit || buffer->size > buffer->limit - size) {
        buffer->overflowed = true;
        return false;
    }
    size_t needed = buffer->size + size + 1;
    if (needed <= buffer->capacity) return true;
    size_t capacity = buffer->capacity > 0 ? buffer->capacity : FIRST_CAPACITY;
    while (capacity < needed) capacity *= 2;
    uint8_t *data = memory_alloc(capacity, 1);
    if (buffer->data != NULL) {
        memcpy(data, buffer->data, buffer->size);
        memory_wipe(buffer->data, buffer->size);
        free(buffer->data);
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

void buffer_add(struct buffer *buffer, const void *data, size_t size) {
    if (!buffer_reserve(buffer, size)) return;
    if (size > 0) memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
}

void buffer_puts(struct buffer *buffer, const char *text) {
    buffer_add(buffer, text, strlen(text));
}

void buffer_putc(struct buffer *buffer, char byte) {
    buffer_add(buffer, &byte, 1);
}

void buffer_printf(struct buffer *buffer, const char *format, ...) {
    va_list args;
    va_start(args, format);
    buffer_vprintf(buffer, format, args);
    va_end(args);
}

void buffer_vprintf(struct buffer *buffer, const char *format, va_list args) {
    va_list again;
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    if (size > 0 && buffer_reserve(buffer, (size_t)size)) {
        vsnprintf((char *)buffer->data + buffer->size, (size_t)size + 1, format, again);
        buffer->size += (size_t)size;
    }
    va_end(again);
}

void buffer_drop(struct buffer *buffer, size_t size) {
    if (size > buffer->size) size = buffer->size;
    if (size == 0) return;
    size_t rest = buffer->size - size;
    memmove(buffer->data, buffer->data + size, rest);
    memory_wipe(buffer->data + rest, size);
    buffer->size = rest;
}

char *buffer_take_string(struct buffer *buffer) {
    buffer_string(buffer);
    char *text = (char *)buffer->data;
    *buffer = (struct buffer){.limit = buffer->limit};
    return text;
}

const char *buffer_string(struct buffer *buffer) {
    if (buffer->data == NULL) {
        buffer->data = memory_alloc(FIRST_CAPACITY, 1);
        buffer->capacity = FIRST_CAPACITY;
    }
    buffer->data[buffer->size] = '\0';
    return (const char *)buffer->data;
}
