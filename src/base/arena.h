// SPDX-License-Identifier: Apache-2.0
// Memory that is given back all at once: one arena for each device in flight. Wiped on release, since
// it holds the device's keys.
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena_chunk;

struct arena {
    struct arena_chunk *chunks;  // owned; the newest first
};

// A zeroed `struct arena` is an empty one.
void arena_release(struct arena *arena);

// Zeroed memory, aligned for any type, that lives as long as the arena.
void *arena_alloc(struct arena *arena, size_t count, size_t size);
#define arena_new(arena, type)              ((type *)arena_alloc((arena), 1, sizeof(type)))
#define arena_new_array(arena, type, count) ((type *)arena_alloc((arena), (count), sizeof(type)))

char *arena_strdup(struct arena *arena, const char *text);
char *arena_strndup(struct arena *arena, const char *text, size_t size);
void *arena_dup(struct arena *arena, const void *data, size_t size);
char *arena_printf(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *arena, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

#define ARENA_AUTO __attribute__((cleanup(arena_release))) struct arena

#endif
