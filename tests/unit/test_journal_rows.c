// SPDX-License-Identifier: Apache-2.0
// A row of a journal that something else has changed: it is refused before anything is done on the strength of it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/memory.h"
#include "journal/journal.h"
#include "support/journal_folder.h"

static char directory[] = "/tmp/ttn-lw-migrate-rows-XXXXXX";
static char path[sizeof directory + 16];
static const struct journal_place place = {.path = path};

static int setup(void **state) {
    (void)state;
    if (mkdtemp(directory) == NULL) return -1;
    snprintf(path, sizeof path, "%s/run.journal", directory);
    return 0;
}

static int forget(void **state) {
    (void)state;
    journal_files_remove(path);
    return 0;
}

static int teardown(void **state) {
    (void)forget(state);
    return rmdir(directory);
}

static void make(void) {
    ERROR_AUTO error = {0};
    struct journal *journal = NULL;
    bool known = false;
    (void)forget(NULL);
    assert_int_equal(journal_create(&place, &journal, &error), 0);
    assert_int_equal(journal_use_application(journal, "my-app", &known, &error), 0);
    char id[] = "dev-1";
    const struct source_record record = {.id = id};
    assert_int_equal(journal_add(journal, &record, "dev-1", &known, &error), 0);
    assert_int_equal(journal_set_reason(journal, 1, DEVICE_FAILED, "has no key", &error), 0);
    assert_int_equal(journal_commit(journal, &error), 0);
    journal_close(journal);
}

// The result of SQL by another program.
static int execute(const char *text) {
    sqlite3 *database = NULL;
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    int result = sqlite3_exec(database, text, NULL, NULL, NULL);
    assert_int_equal(sqlite3_close(database), SQLITE_OK);
    return result;
}

static void test_changed(void **state) {
    (void)state;
    static const char *const changes[] = {
        "state = 9",
        "complete = complete + 2",
        "session = 1 - session",
        "claim = claim + 1",
        "progress = progress + 1",
        "f_cnt_up = f_cnt_up + 1",
        "n_f_cnt_down = n_f_cnt_down + 1",
        "a_f_cnt_down = a_f_cnt_down + 1",
        "line = 100",
        "device_id = 'other'",
        "reason = 'other'",
        "attempts = attempts + 1",
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        make();
        char *text MEMORY_AUTO = memory_printf(
            "DROP TRIGGER device_added; DROP TRIGGER device_changed; UPDATE device SET %s", changes[i]);
        assert_int_equal(execute(text), SQLITE_OK);
        for (int writable = 0; writable < 2; writable++) {
            struct journal *journal = NULL;
            ERROR_AUTO error = {0};
            assert_int_equal(journal_open(&place, writable == 1, &journal, &error), -ERROR_INPUT);
            assert_non_null(strstr(error.message, "damaged"));
        }
    }
}

static void test_other_hands(void **state) {
    (void)state;
    make();
    assert_int_not_equal(execute("UPDATE device SET claim = 3"), SQLITE_OK);
    struct journal *journal = NULL;
    ERROR_AUTO error = {0};
    assert_int_equal(journal_open(&place, true, &journal, &error), 0);
    journal_close(journal);
}

// A device that was named by something else gets its ID, unless that is there or something is known of the device.
static void test_renamed(void **state) {
    (void)state;
    ERROR_AUTO error = {0};
    struct journal *journal = NULL;
    struct journal_device device = {0};
    bool known = false;
    char eui[] = "0004A30B001C0530", id[] = "roof", bytes[] = "bytes";
    make();
    assert_int_equal(journal_open(&place, true, &journal, &error), 0);
    assert_int_equal(journal_use_application(journal, "my-app", &known, &error), 0);
    const struct source_record named = {.id = eui};
    const struct source_record found = {.id = id, .data = (uint8_t *)bytes, .size = sizeof bytes};
    assert_int_equal(journal_add(journal, &named, eui, &known, &error), 0);
    assert_int_equal(journal_rename(journal, 2, "dev-1", &known, &error), 0);
    assert_true(known);
    assert_int_equal(journal_rename(journal, 2, id, &known, &error), 0);
    assert_false(known);
    assert_int_equal(journal_fill(journal, &found, NULL, &error), 0);
    assert_int_equal(journal_rename(journal, 2, "wall", &known, &error), 0);
    assert_true(known);
    assert_int_equal(journal_find(journal, eui, &device, &error), 0);
    assert_int_equal(journal_commit(journal, &error), 0);
    journal_close(journal);
    assert_int_equal(journal_open(&place, true, &journal, &error), 0);
    assert_int_equal(journal_use_application(journal, "my-app", &known, &error), 0);
    assert_int_equal(journal_find(journal, id, &device, &error), 1);
    assert_int_equal(device.sequence, 2);
    assert_memory_equal(device.record.data, bytes, sizeof bytes);
    journal_device_release(&device);
    journal_close(journal);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changed),
        cmocka_unit_test(test_other_hands),
        cmocka_unit_test(test_renamed),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
