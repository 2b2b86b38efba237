// SPDX-License-Identifier: Apache-2.0
#include "base/memory.h"

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *memory_check(void *pointer) {
    if (pointer == NULL) {
        static const char text[] = "ttn-lw-migrate: out of memory\n";
        fwrite(text, 1, sizeof text - 1, stderr);
        abort();
    }
    return pointer;
}

void *memory_alloc(size_t count, size_t size) {
    return memory_check(calloc(count > 0 ? count : 1, size > 0 ? size : 1));
}

void *memory_resize(void *old, size_t count, size_t size) {
    size_t bytes = 0;
    if (__builtin_mul_overflow(count, size, &bytes)) bytes = SIZE_MAX;
    return memory_check(realloc(old, bytes > 0 ? bytes : 1));
}

char *memory_strdup(const char *text) {
    return text == NULL ? NULL : memory_dup(text, strlen(text) + 1);
}

char *memory_strndup(const char *text, size_t size) {
    size_t length = strnlen(text, size);
    char *copy = memory_alloc(length + 1, 1);
    memcpy(copy, text, length);
    return copy;
}

void *memory_dup(const void *data, size_t size) {
    void *copy = memory_alloc(1, size);
    if (size > 0) memcpy(copy, data, size);
    return copy;
}

char *memory_printf(const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *text = memory_vprintf(format, args);
    va_end(args);
    return text;
}

char *memory_vprintf(const char *format, va_list args) {
    char *text = NULL;
    if (vasprintf(&text, format, args) < 0) text = NULL;
    return memory_check(text);
}

void memory_wipe(void *data, size_t size) {
    if (size > 0) explicit_bzero(data, size);
}

void memory_free_secret(char *text) {
    if (text == NULL) return;
    memory_wipe(text, strlen(text));
    free(text);
}

void memory_free_wiping(void *data) {
    if (data == NULL) return;
    memory_wipe(data, malloc_usable_size(data));
    free(data);
}

// Not realloc, which leaves the old content where it was.
void *memory_realloc_wiping(void *old, size_t size) {
    size_t old_size = old != NULL ? malloc_usable_size(old) : 0;
    if (old != NULL && size > 0 && size <= old_size) return old;
    void *data = malloc(size);
    if (data == NULL) return NULL;
    if (old_size > 0) memcpy(data, old, old_size < size ? old_size : size);
    memory_free_wiping(old);
    return data;
}

void memory_free_pointer(void *pointer_to_pointer) {
    void *pointer = NULL;
    memcpy(&pointer, pointer_to_pointer, sizeof pointer);
    free(pointer);
}
