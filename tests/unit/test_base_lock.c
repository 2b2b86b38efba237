// SPDX-License-Identifier: Apache-2.0
// The lock of a journal: one process at a time, gone with its process.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/lock.h"
#include "base/memory.h"

static char directory[] = "/tmp/ttn-lw-migrate-lock-XXXXXX";

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

static void test_one_at_a_time(void **state) {
    (void)state;
    char *path MEMORY_AUTO = path_of("one.lock");
    struct lock *first = NULL;
    struct lock *second = NULL;
    ERROR_AUTO error = {0};
    umask(0);
    assert_int_equal(lock_take(path, &first, &error), 0);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(lock_take(path, &second, &error), -ERROR_OUTPUT);
    assert_null(second);
    char *process MEMORY_AUTO = memory_printf("process %ld", (long)getpid());
    assert_non_null(strstr(error.message, process));
    assert_non_null(strstr(error.message, path));
    assert_non_null(error.hint);
    lock_release(first);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(lock_take(path, &second, &error), 0);
    lock_release(second);
    lock_release(NULL);
}

// Takes the lock in another process, which lives until it is killed.
static pid_t hold(const char *path) {
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct lock *lock = NULL;
        char byte = lock_take(path, &lock, NULL) == 0 ? 'y' : 'n';
        (void)!write(ready[1], &byte, 1);
        for (;;) pause();
    }
    char byte = 0;
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    assert_int_equal(byte, 'y');
    return child;
}

static void test_freed_by_death(void **state) {
    (void)state;
    char *path MEMORY_AUTO = path_of("death.lock");
    for (int i = 0; i < 3; i++) {
        pid_t child = hold(path);
        struct lock *lock = NULL;
        ERROR_AUTO error = {0};
        char *process MEMORY_AUTO = memory_printf("process %ld on ", (long)child);
        assert_int_equal(lock_take(path, &lock, &error), -ERROR_OUTPUT);
        assert_non_null(strstr(error.message, process));
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
        assert_int_equal(access(path, F_OK), 0);
        assert_int_equal(lock_take(path, &lock, &error), 0);
        lock_release(lock);
    }
}

// The text in the file is only for people; whatever it is, the lock holds.
static void test_any_content(void **state) {
    (void)state;
    char *path MEMORY_AUTO = path_of("content.lock");
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < 1000; i++) fputs("nonsense", file);
    fclose(file);
    struct lock *lock = NULL;
    struct lock *other = NULL;
    ERROR_AUTO error = {0};
    assert_int_equal(lock_take(path, &lock, &error), 0);
    assert_int_equal(lock_take(path, &other, &error), -ERROR_OUTPUT);
    assert_null(strstr(error.message, "nonsense"));
    assert_int_equal(truncate(path, 0), 0);
    assert_int_equal(lock_take(path, &other, &error), -ERROR_OUTPUT);
    lock_release(lock);
}

// A lock whose file was taken away belongs to nobody else.
static void test_file_taken_away(void **state) {
    (void)state;
    char *path MEMORY_AUTO = path_of("away.lock");
    pid_t child = hold(path);
    assert_int_equal(unlink(path), 0);
    struct lock *lock = NULL;
    struct lock *other = NULL;
    ERROR_AUTO error = {0};
    assert_int_equal(lock_take(path, &lock, &error), 0);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_int_equal(lock_take(path, &other, &error), -ERROR_OUTPUT);
    lock_release(lock);
}

static void test_no_place(void **state) {
    (void)state;
    char *missing MEMORY_AUTO = path_of("missing/file.lock");
    char *link MEMORY_AUTO = path_of("link.lock");
    char *target MEMORY_AUTO = path_of("target");
    struct lock *lock = NULL;
    ERROR_AUTO error = {0};
    assert_int_equal(lock_take(missing, &lock, &error), -ERROR_OUTPUT);
    // A link that somebody put there is not followed.
    assert_int_equal(symlink(target, link), 0);
    assert_int_equal(lock_take(link, &lock, &error), -ERROR_OUTPUT);
    assert_int_equal(access(target, F_OK), -1);
    assert_int_equal(unlink(link), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_at_a_time), cmocka_unit_test(test_freed_by_death),
        cmocka_unit_test(test_any_content),   cmocka_unit_test(test_file_taken_away),
        cmocka_unit_test(test_no_place),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
