// SPDX-License-Identifier: Apache-2.0
// The file that a run writes to: file systems without locks, and readers that do not read.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/memory.h"

// Stands before the C library's: what a file system without locks answers; 0 = the system's own answer.
static int refusal;

int flock(int descriptor, int operation) {
    if (refusal == 0) return (int)syscall(SYS_flock, descriptor, operation);
    errno = refusal;
    return -1;
}

static char directory[] = "/tmp/ttn-lw-migrate-file-XXXXXX";

static int setup(void **state) {
    (void)state;
    return mkdtemp(directory) == NULL ? -1 : 0;
}

static int teardown(void **state) {
    (void)state;
    return rmdir(directory);
}

static char *path_of(const char *name) {
    return memory_printf("%s/%s", directory, name);
}

static void test_locked(void **state) {
    (void)state;
    char *path MEMORY_AUTO = path_of("locked");
    struct file *first = NULL;
    struct file *second = NULL;
    ERROR_AUTO error = {0};
    assert_int_equal(file_create_output(path, -1, &first, &error), 0);
    assert_false(first->unlocked);
    assert_int_equal(file_create_output(path, -1, &second, &error), -ERROR_OUTPUT);
    assert_non_null(strstr(error.message, "another run writes to"));
    first->operations->discard(first);
    assert_int_equal(first->operations->close(first, &error), 0);
}

// An output is written to all the same; a journal is not.
static void test_no_locks(void **state) {
    (void)state;
    static const int refusals[] = {ENOLCK, EOPNOTSUPP, ENOSYS};
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        char *path MEMORY_AUTO = path_of("output");
        char *lock_path MEMORY_AUTO = path_of("journal.lock");
        struct file *file = NULL;
        struct lock *lock = NULL;
        ERROR_AUTO error = {0};
        refusal = refusals[i];
        assert_int_equal(file_create_output(path, -1, &file, &error), 0);
        assert_true(file->unlocked);
        assert_int_equal(file->operations->write(file, "line\n", 5, &error), 0);
        struct file_identity identity = {0};
        assert_true(file_identify(file, &identity));
        assert_int_equal(file->operations->close(file, &error), 0);
        assert_int_equal(file_open_again(&identity, &file, &error), 0);
        assert_true(file->unlocked);
        assert_int_equal(file->operations->close(file, &error), 0);
        file_identity_release(&identity);
        assert_int_equal(lock_take(lock_path, &lock, &error), -ERROR_OUTPUT);
        refusal = 0;
        assert_null(lock);
        assert_non_null(strstr(error.message, "knows no locks"));
        assert_int_equal(access(lock_path, F_OK), -1);
        assert_int_equal(unlink(path), 0);
    }
}

// The very file, by any of its names; not another one that has come to its name.
static void test_identity(void **state) {
    (void)state;
    char *path MEMORY_AUTO = path_of("output");
    char *moved MEMORY_AUTO = path_of("moved");
    struct file *file = NULL;
    struct file_identity identity = {0};
    ERROR_AUTO error = {0};
    assert_int_equal(file_create_output(path, -1, &file, &error), 0);
    assert_true(file_identify(file, &identity));
    assert_int_equal(file->operations->close(file, &error), 0);
    assert_true(file_is_at(&identity, path));
    assert_false(file_is_at(&identity, moved));
    assert_int_equal(rename(path, moved), 0);
    assert_false(file_is_at(&identity, path));
    assert_true(file_is_at(&identity, moved));
    assert_int_equal(file_create_output(path, -1, &file, &error), 0);
    assert_int_equal(file->operations->close(file, &error), 0);
    assert_false(file_is_at(&identity, path));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(unlink(moved), 0);
    file_identity_release(&identity);
}

struct stalled {
    struct file *file;
    int reader;
    int halt;
};

static void stalled_open(struct stalled *self, const char *path) {
    ERROR_AUTO error = {0};
    assert_int_equal(mkfifo(path, 0600), 0);
    self->reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(self->reader >= 0);
    self->halt = eventfd(0, EFD_CLOEXEC);
    assert_true(self->halt >= 0);
    assert_int_equal(file_create_output(path, self->halt, &self->file, &error), 0);
    assert_false(self->file->regular);
}

static void stalled_close(struct stalled *self, const char *path) {
    assert_int_equal(self->file->operations->close(self->file, NULL), 0);
    close(self->reader);
    close(self->halt);
    assert_int_equal(unlink(path), 0);
}

static void halt(const struct stalled *self) {
    const uint64_t one = 1;
    assert_int_equal(write(self->halt, &one, sizeof one), sizeof one);
}

// Nobody reads: whoever halts the program waits for a second, and not for each write anew.
static void test_reader_stalls(void **state) {
    (void)state;
    enum { MUCH = 1 << 20 };
    char *path MEMORY_AUTO = path_of("stalled");
    char *much MEMORY_AUTO = memory_new_array(char, MUCH);
    struct stalled stalled;
    stalled_open(&stalled, path);
    halt(&stalled);
    for (int i = 0; i < 5; i++) {
        ERROR_AUTO error = {0};
        int64_t begin = clock_monotonic(&clock_system);
        assert_int_equal(stalled.file->operations->write(stalled.file, much, MUCH, &error), -ERROR_CANCELLED);
        int64_t elapsed = clock_monotonic(&clock_system) - begin;
        if (i == 0) assert_true(elapsed >= NS_PER_SECOND / 2);
        if (i > 0) assert_true(elapsed < NS_PER_SECOND / 2);
        assert_non_null(strstr(error.message, path));
    }
    stalled_close(&stalled, path);
}

// A reader that reads gets all of it, halted or not.
static void test_reader_reads(void **state) {
    (void)state;
    enum { SOME = 10000 };
    char *path MEMORY_AUTO = path_of("read");
    struct stalled stalled;
    stalled_open(&stalled, path);
    char sent[SOME];
    char got[SOME];
    for (size_t i = 0; i < SOME; i++) sent[i] = (char)('a' + i % 26);
    for (int i = 0; i < 20; i++) {
        ERROR_AUTO error = {0};
        if (i == 10) halt(&stalled);
        assert_int_equal(stalled.file->operations->write(stalled.file, sent, SOME, &error), 0);
        assert_int_equal(read(stalled.reader, got, SOME), SOME);
        assert_memory_equal(got, sent, SOME);
    }
    stalled_close(&stalled, path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_locked),       cmocka_unit_test(test_no_locks),
        cmocka_unit_test(test_identity),     cmocka_unit_test(test_reader_stalls),
        cmocka_unit_test(test_reader_reads),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
