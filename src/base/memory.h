// SPDX-License-Identifier: Apache-2.0
// Allocation that cannot fail, and wiping. Out of memory ends the process: what was promised is
// durable by then, so a run that is cut off here is like any other that is cut off.
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stdarg.h>
#include <stddef.h>

// Zeroed memory for one object, for `count` objects; the caller frees them with free().
#define memory_new(type)              ((type *)memory_alloc(1, sizeof(type)))
#define memory_new_array(type, count) ((type *)memory_alloc((count), sizeof(type)))

void *memory_alloc(size_t count, size_t size);

// Grows an array to `count` elements of `size` bytes; the new elements are not zeroed.
void *memory_resize(void *old, size_t count, size_t size);

// Copies; the caller frees them. memory_strdup(NULL) is NULL.
char *memory_strdup(const char *text);
char *memory_strndup(const char *text, size_t size);
void *memory_dup(const void *data, size_t size);

// A formatted string; the caller frees it.
char *memory_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *memory_vprintf(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

// Overwrites `size` bytes in a way that the compiler keeps.
void memory_wipe(void *data, size_t size);

// Overwrites a string and frees it; accepts NULL.
void memory_free_secret(char *text);

// free and realloc for libraries that take them: what is given back, or left behind by growing, is wiped as a whole.
// memory_realloc_wiping returns NULL if there is no memory; `old` is as it was then.
void memory_free_wiping(void *data);
void *memory_realloc_wiping(void *old, size_t size);

// For `char *text MEMORY_AUTO = ...`: freed when the scope ends.
void memory_free_pointer(void *pointer_to_pointer);
#define MEMORY_AUTO __attribute__((cleanup(memory_free_pointer)))

// Moves a pointer out of its variable.
#define memory_take(pointer)                   \
    __extension__({                            \
        __auto_type memory_taken_ = (pointer); \
        (pointer) = NULL;                      \
        memory_taken_;                         \
    })

#endif
