// SPDX-License-Identifier: Apache-2.0
// A process that was killed may have written what it did not sync. Whoever opens its journal to go on makes that safe
// before anything is done on the strength of it: a loss of power must not take it back afterwards.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/memory.h"
#include "journal/journal.h"
#include "support/journal_folder.h"

static char directory[] = "/tmp/ttn-lw-migrate-sync-XXXXXX";
static char path[sizeof directory + 16];

// SQLite's own file layer, which counts what is synced, or dies in its place.
static struct watched {
    sqlite3_io_methods methods;  // first: what a file points to
    const sqlite3_io_methods *real;
} watched[4];
static sqlite3_vfs *real_vfs;
static sqlite3_vfs vfs;
static unsigned syncs;
static unsigned dies_at;  // the n-th sync; 0 = never

static const sqlite3_io_methods *real_of(const sqlite3_file *file) {
    for (size_t i = 0; i < sizeof watched / sizeof *watched; i++) {
        if (file->pMethods == &watched[i].methods) return watched[i].real;
    }
    abort();
}

static int count_sync(sqlite3_file *file, int flags) {
    if (++syncs == dies_at) _exit(0);
    return real_of(file)->xSync(file, flags);
}

static int open_watched(sqlite3_vfs *self, const char *name, sqlite3_file *file, int flags, int *ret_flags) {
    (void)self;
    int result = real_vfs->xOpen(real_vfs, name, file, flags, ret_flags);
    if (result != SQLITE_OK || file->pMethods == NULL) return result;
    for (size_t i = 0; i < sizeof watched / sizeof *watched; i++) {
        struct watched *kind = &watched[i];
        if (kind->real != NULL && kind->real != file->pMethods) continue;
        kind->real = file->pMethods;
        kind->methods = *kind->real;
        kind->methods.xSync = count_sync;
        file->pMethods = &kind->methods;
        return result;
    }
    abort();
}

// Another process commits, and is killed between writing and syncing.
static void write_unsynced(void) {
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct journal *journal = NULL;
        const struct journal_place place = {.path = path, .vfs = "watched"};
        if (journal_open(&place, true, &journal, NULL) != 0) _exit(1);
        // The first sync is that of the log's header, before anything of the transaction is written.
        syncs = 0;
        dies_at = 2;
        (void)journal_set_property(journal, "name", "value", false, NULL);
        (void)journal_commit(journal, NULL);
        _exit(2);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void test_opening_syncs(void **state) {
    (void)state;
    ERROR_AUTO error = {0};
    struct journal *journal = NULL;
    const struct journal_place place = {.path = path, .vfs = "watched"};
    assert_int_equal(journal_create(&(struct journal_place){.path = path}, &journal, &error), 0);
    journal_close(journal);
    write_unsynced();
    syncs = 0;
    assert_int_equal(journal_open(&place, true, &journal, &error), 0);
    assert_true(syncs > 0);
    char *value MEMORY_AUTO = NULL;
    assert_int_equal(journal_property(journal, "name", &value, &error), 0);
    assert_string_equal(value, "value");
    journal_close(journal);
}

static int setup(void **state) {
    (void)state;
    if (mkdtemp(directory) == NULL) return -1;
    snprintf(path, sizeof path, "%s/journal", directory);
    real_vfs = sqlite3_vfs_find(NULL);
    vfs = *real_vfs;
    vfs.zName = "watched";
    vfs.pNext = NULL;
    vfs.xOpen = open_watched;
    return sqlite3_vfs_register(&vfs, 0);
}

static int teardown(void **state) {
    (void)state;
    journal_files_remove(path);
    return rmdir(directory);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_opening_syncs)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
