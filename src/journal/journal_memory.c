// SPDX-License-Identifier: Apache-2.0
#include "journal/journal_memory.h"

#include <malloc.h>
#include <sqlite3.h>
#include <stdlib.h>

#include "base/memory.h"

static void *take(int size) {
    return malloc((size_t)size);
}

static void *grow(void *old, int size) {
    return memory_realloc_wiping(old, (size_t)size);
}

static int size_of(void *data) {
    return data == NULL ? 0 : (int)malloc_usable_size(data);
}

static int round_up(int size) {
    return (size + 7) & ~7;
}

static int start(void *context) {
    (void)context;
    return SQLITE_OK;
}

static void end(void *context) {
    (void)context;
}

bool journal_memory_init(void) {
    static const struct sqlite3_mem_methods methods = {
        .xMalloc = take,
        .xFree = memory_free_wiping,
        .xRealloc = grow,
        .xSize = size_of,
        .xRoundup = round_up,
        .xInit = start,
        .xShutdown = end,
    };
    return sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) == SQLITE_OK;
}
