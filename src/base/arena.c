// SPDX-License-Identifier: Apache-2.0
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct arena_chunk {
    struct arena_chunk *next;
    size_t capacity;
    size_t used;
    alignas(max_align_t) unsigned char data[];
};

// A converted device with its first MAC state needs about 8 KiB.
enum { FIRST_CHUNK = 4096, LARGEST_CHUNK = 65536 };

void arena_release(struct arena *arena) {
    struct arena_chunk *chunk = arena->chunks;
    while (chunk != NULL) {
        struct arena_chunk *next = chunk->next;
        memory_wipe(chunk->data, chunk->used);
        free(chunk);
        chunk = next;
    }
    arena->chunks = NULL;
}

static struct arena_chunk *arena_grow(struct arena *arena, size_t size) {
    size_t capacity = arena->chunks == NULL ? FIRST_CHUNK : arena->chunks->capacity * 2;
    if (capacity > LARGEST_CHUNK) capacity = LARGEST_CHUNK;
    if (capacity < size) capacity = size;
    struct arena_chunk *chunk = memory_alloc(1, sizeof *chunk + capacity);
    chunk->capacity = capacity;
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    return chunk;
}

void *arena_alloc(struct arena *arena, size_t count, size_t size) {
    size_t bytes = 0;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX / 2) bytes = SIZE_MAX / 2;
    bytes = (bytes + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    struct arena_chunk *chunk = arena->chunks;
    if (chunk == NULL || chunk->capacity - chunk->used < bytes) chunk = arena_grow(arena, bytes);
    void *pointer = chunk->data + chunk->used;
    chunk->used += bytes;
    return pointer;
}

char *arena_strdup(struct arena *arena, const char *text) {
    return text == NULL ? NULL : arena_dup(arena, text, strlen(text) + 1);
}

char *arena_strndup(struct arena *arena, const char *text, size_t size) {
    size_t length = strnlen(text, size);
    char *copy = arena_alloc(arena, length + 1, 1);
    memcpy(copy, text, length);
    return copy;
}

void *arena_dup(struct arena *arena, const void *data, size_t size) {
    void *copy = arena_alloc(arena, 1, size);
    if (size > 0) memcpy(copy, data, size);
    return copy;
}

char *arena_printf(struct arena *arena, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *text = arena_vprintf(arena, format, args);
    va_end(args);
    return text;
}

char *arena_vprintf(struct arena *arena, const char *format, va_list args) {
    va_list again;
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    char *text = arena_alloc(arena, (size_t)(size < 0 ? 0 : size) + 1, 1);
    vsnprintf(text, (size_t)(size < 0 ? 0 : size) + 1, format, again);
    va_end(again);
    return text;
}
