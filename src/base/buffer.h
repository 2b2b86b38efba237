// SPDX-License-Identifier: Apache-2.0
// A growing run of bytes with a stated maximum. Its memory is wiped before it is given back, since
// most buffers of this program have held keys.
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// No maximum: for texts whose size the program itself determines.
#define BUFFER_UNLIMITED SIZE_MAX

struct buffer {
    uint8_t *data;    // owned; NULL while nothing was added
    size_t size;      // bytes in use
    size_t capacity;  // bytes allocated
    size_t limit;     // most bytes it may ever hold
    bool overflowed;  // something did not fit and was left out; stays set until buffer_clear
};

void buffer_init(struct buffer *buffer, size_t limit);

// Frees (after wiping) and leaves an empty buffer with the same limit. Accepts a zeroed buffer.
void buffer_release(struct buffer *buffer);

// Forgets the content (wiped) but keeps the memory.
void buffer_clear(struct buffer *buffer);

// Appends. What would exceed the limit is left out as a whole, and `overflowed` is set: callers that
// append foreign data check it once at the end.
void buffer_add(struct buffer *buffer, const void *data, size_t size);
void buffer_puts(struct buffer *buffer, const char *text);
void buffer_putc(struct buffer *buffer, char byte);
void buffer_printf(struct buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buffer_vprintf(struct buffer *buffer, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

// Removes the first `size` bytes (at most all).
void buffer_drop(struct buffer *buffer, size_t size);

// The content as a NUL-terminated string, owned by the caller; the buffer is empty afterwards.
char *buffer_take_string(struct buffer *buffer);

// The content as a NUL-terminated string that stays in the buffer (the NUL is not counted in size).
const char *buffer_string(struct buffer *buffer);

#define BUFFER_AUTO __attribute__((cleanup(buffer_release))) struct buffer

#endif
