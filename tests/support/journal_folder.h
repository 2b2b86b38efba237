// SPDX-License-Identifier: Apache-2.0
// The files of a journal that a test leaves behind.
#ifndef TESTS_JOURNAL_FOLDER_H
#define TESTS_JOURNAL_FOLDER_H

#include <unistd.h>

#include "base/memory.h"

// What stands behind the path in the names of its files, of which SQLite makes all but the first.
enum { JOURNAL_FILES = 4 };
static const char *const journal_endings[JOURNAL_FILES] = {"", "-wal", "-shm", "-journal"};

static inline void journal_files_remove(const char *path) {
    for (size_t i = 0; i < JOURNAL_FILES; i++) {
        char *name MEMORY_AUTO = memory_printf("%s%s", path, journal_endings[i]);
        (void)unlink(name);
    }
}

#endif
