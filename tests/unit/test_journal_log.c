// SPDX-License-Identifier: Apache-2.0
// The log beside a journal that a killed run has left: what becomes of it by damage is found, what a power cut makes of it is
// not taken for damage.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "journal/journal.h"

enum { DEVICES = 40, PAGE = 4096, HEADER = 32, FRAME = 24 };

static char directory[] = "/tmp/ttn-lw-migrate-journal-log-XXXXXX";
static const char *const endings[] = {"", "-wal", "-shm"};
enum { MAIN, LOG, INDEX, FILES };
static char paths[FILES][sizeof directory + 24];
static const struct journal_place place = {.path = paths[MAIN]};

// What the killed run left.
static char *kept[FILES];
static size_t sizes[FILES];

static void forget(void) {
    for (size_t i = 0; i < FILES; i++) (void)unlink(paths[i]);
}

static void write_file(size_t which, const char *data, size_t size) {
    FILE *file = fopen(paths[which], "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void put_back(void) {
    forget();
    for (size_t i = 0; i < FILES; i++) write_file(i, kept[i], sizes[i]);
}

// A transaction for each device. Dies in the end, without a word to SQLite.
static void run_and_die(void) {
    struct journal *journal = NULL;
    bool planned = false;
    ERROR_AUTO error = {0};
    int result = journal_create(&place, &journal, &error);
    if (result == 0) result = journal_use_application(journal, "app", &planned, &error);
    for (size_t i = 0; i < DEVICES && result == 0; i++) {
        char *id MEMORY_AUTO = memory_printf("dev-%zu", i);
        const struct source_record record = {.id = id};
        bool known = false;
        result = journal_add(journal, &record, NULL, &known, &error);
        if (result == 0) result = journal_commit(journal, &error);
    }
    _exit(result == 0 ? 0 : 1);
}

static int setup(void **state) {
    (void)state;
    if (mkdtemp(directory) == NULL) return -1;
    for (size_t i = 0; i < FILES; i++)
        snprintf(paths[i], sizeof paths[i], "%s/run.journal%s", directory, endings[i]);
    pid_t child = fork();
    if (child == 0) run_and_die();
    int status = 0;
    if (waitpid(child, &status, 0) != child || status != 0) return -1;
    for (size_t i = 0; i < FILES; i++) {
        ERROR_AUTO error = {0};
        if (file_read_all(paths[i], SIZE_MAX / 2, &kept[i], &sizes[i], &error) != 0) return -1;
    }
    return 0;
}

static int teardown(void **state) {
    (void)state;
    for (size_t i = 0; i < FILES; i++) free(kept[i]);
    forget();
    return rmdir(directory);
}

static void expect_files(const char *const *contents, const size_t *expected) {
    for (size_t i = 0; i < FILES; i++) {
        char *data MEMORY_AUTO = NULL;
        size_t size = 0;
        ERROR_AUTO error = {0};
        bool there = access(paths[i], F_OK) == 0;
        assert_int_equal(there, contents[i] != NULL);
        if (!there) continue;
        assert_int_equal(file_read_all(paths[i], SIZE_MAX / 2, &data, &size, &error), 0);
        assert_int_equal(size, expected[i]);
        assert_memory_equal(data, contents[i], size);
    }
}

// As it is now, it is refused, for reading too, and not touched.
static void expect_refused(const char *words) {
    char *before[FILES] = {NULL};
    size_t before_sizes[FILES] = {0};
    for (size_t i = 0; i < FILES; i++) {
        ERROR_AUTO error = {0};
        if (access(paths[i], F_OK) == 0)
            assert_int_equal(file_read_all(paths[i], SIZE_MAX / 2, &before[i], &before_sizes[i], &error), 0);
    }
    for (int writable = 0; writable < 2; writable++) {
        struct journal *journal = NULL;
        ERROR_AUTO error = {0};
        assert_int_equal(journal_open(&place, writable == 1, &journal, &error), -ERROR_INPUT);
        if (strstr(error.message, words) == NULL) fail_msg("%s", error.message);
        expect_files((const char *const *)before, before_sizes);
    }
    for (size_t i = 0; i < FILES; i++) free(before[i]);
}

// As it is now, it has that many devices.
static void expect_devices(uint64_t wanted) {
    struct journal *journal = NULL;
    uint64_t count = 0;
    ERROR_AUTO error = {0};
    if (journal_open(&place, true, &journal, &error) != 0) fail_msg("%s", error.message);
    assert_int_equal(journal_count_all(journal, DEVICE_PLANNED, &count, &error), 0);
    assert_int_equal(count, wanted);
    journal_close(journal);
    assert_int_equal(access(paths[LOG], F_OK), -1);
}

static void test_whole(void **state) {
    (void)state;
    put_back();
    struct journal *journal = NULL;
    ERROR_AUTO error = {0};
    assert_int_equal(journal_open(&place, false, &journal, &error), 0);
    journal_close(journal);
    // Looking changes nothing.
    assert_int_equal(access(paths[LOG], F_OK), 0);
    expect_devices(DEVICES);
    expect_devices(DEVICES);
}

static size_t frames(void) {
    return (sizes[LOG] - HEADER) / (FRAME + PAGE);
}

static size_t frame_at(size_t frame) {
    return HEADER + frame * (FRAME + PAGE);
}

// Whatever bit of the log is another one.
static void test_flipped(void **state) {
    (void)state;
    static const size_t places[] = {0, 7, FRAME - 1, FRAME, FRAME + PAGE / 2, FRAME + PAGE - 1};
    assert_true(frames() > DEVICES);
    for (size_t frame = 0; frame + 3 < frames(); frame += 7) {
        for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
            for (int index = 0; index < 2; index++) {
                put_back();
                kept[LOG][frame_at(frame) + places[i]] ^= (char)(1 << i);
                write_file(LOG, kept[LOG], sizes[LOG]);
                kept[LOG][frame_at(frame) + places[i]] ^= (char)(1 << i);
                if (index == 0) assert_int_equal(unlink(paths[INDEX]), 0);
                expect_refused("damaged");
            }
        }
    }
    for (size_t at = 0; at < HEADER; at++) {
        put_back();
        kept[LOG][at] ^= 1;
        write_file(LOG, kept[LOG], sizes[LOG]);
        kept[LOG][at] ^= 1;
        expect_refused("damaged at its start");
    }
}

// With what the killed process has left beside it, nothing can be missing from its end; without, the last transaction can.
static void test_cut(void **state) {
    (void)state;
    put_back();
    write_file(LOG, kept[LOG], sizes[LOG] - 1);
    expect_refused("lacks its end");
    write_file(LOG, kept[LOG], HEADER);
    expect_refused("lacks its end");
    write_file(LOG, kept[LOG], 0);
    expect_refused("is gone");
    put_back();
    assert_int_equal(unlink(paths[INDEX]), 0);
    write_file(LOG, kept[LOG], sizes[LOG] - 1);
    expect_devices(DEVICES - 1);
}

static void test_gone(void **state) {
    (void)state;
    put_back();
    assert_int_equal(unlink(paths[LOG]), 0);
    expect_refused("is gone");
    // SQLite makes empty ones for whoever looks into the file.
    assert_int_equal(unlink(paths[INDEX]), 0);
    for (int i = 0; i < 2; i++) {
        struct journal *journal = NULL;
        ERROR_AUTO error = {0};
        assert_int_equal(journal_open(&place, true, &journal, &error), -ERROR_INPUT);
        assert_non_null(strstr(error.message, "is gone"));
    }
    put_back();
    write_file(MAIN, "", 0);
    expect_refused("was cut off");
}

// A log whose new header came to nothing: what is in it is in the file already.
static void test_torn_header(void **state) {
    (void)state;
    put_back();
    struct journal *journal = NULL;
    ERROR_AUTO error = {0};
    assert_int_equal(journal_open(&place, true, &journal, &error), 0);
    char *log MEMORY_AUTO = NULL;
    size_t size = 0;
    char *file MEMORY_AUTO = NULL;
    size_t file_size = 0;
    assert_int_equal(file_read_all(paths[LOG], SIZE_MAX / 2, &log, &size, &error), 0);
    assert_int_equal(file_read_all(paths[MAIN], SIZE_MAX / 2, &file, &file_size, &error), 0);
    journal_close(journal);
    forget();
    write_file(MAIN, file, file_size);
    log[20] ^= 1;
    write_file(LOG, log, size);
    expect_devices(DEVICES);
}

// Somebody takes it away, or puts another one there, while a run works with it.
static void test_taken_away(void **state) {
    (void)state;
    for (size_t which = MAIN; which <= LOG; which++) {
        for (int replaced = 0; replaced < 2; replaced++) {
            put_back();
            struct journal *journal = NULL;
            bool planned = false;
            ERROR_AUTO error = {0};
            assert_int_equal(journal_open(&place, true, &journal, &error), 0);
            assert_int_equal(journal_use_application(journal, "another", &planned, &error), 0);
            assert_int_equal(journal_commit(journal, &error), 0);
            // Its name on the disk keeps its number from being given to the next one.
            char *moved MEMORY_AUTO = memory_printf("%s/moved", directory);
            assert_int_equal(rename(paths[which], moved), 0);
            if (replaced) write_file(which, kept[which], sizes[which]);
            assert_int_equal(journal_use_application(journal, "third", &planned, &error), 0);
            assert_int_equal(journal_commit(journal, &error), -ERROR_OUTPUT);
            assert_non_null(strstr(error.message, "taken away"));
            journal_close(journal);
            assert_int_equal(unlink(moved), 0);
        }
    }
}

int main(void) {
    alarm(280);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole), cmocka_unit_test(test_flipped),     cmocka_unit_test(test_cut),
        cmocka_unit_test(test_gone),  cmocka_unit_test(test_torn_header), cmocka_unit_test(test_taken_away),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
