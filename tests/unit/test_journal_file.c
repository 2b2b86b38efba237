// SPDX-License-Identifier: Apache-2.0
// The journal as a file: what is committed is there again, what is not is not; and whatever is wrong with the file, there
// is one error, and nothing is changed.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/file.h"
#include "base/memory.h"
#include "journal/journal.h"
#include "support/journal_folder.h"

static char directory[] = "/tmp/ttn-lw-migrate-journal-XXXXXX";
static char path[sizeof directory + 16];
static const struct journal_place place = {.path = path};

static int setup(void **state) {
    (void)state;
    if (mkdtemp(directory) == NULL) return -1;
    snprintf(path, sizeof path, "%s/run.journal", directory);
    return 0;
}

static int before_each(void **state) {
    (void)state;
    journal_files_remove(path);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    journal_files_remove(path);
    return rmdir(directory);
}

// ---- a journal with something in it

static const uint8_t some_eui[8] = {0x70, 0xb3, 0xd5, 0x7e, 0xd0, 0, 0, 1};
static const char some_data[] = "data with a\0zero";

static struct journal *create(void) {
    struct journal *journal = NULL;
    ERROR_AUTO error = {0};
    assert_int_equal(journal_create(&place, &journal, &error), 0);
    return journal;
}

static struct journal *open_again(bool writable) {
    struct journal *journal = NULL;
    ERROR_AUTO error = {0};
    int result = journal_open(&place, writable, &journal, &error);
    if (result != 0) print_error("%s\n", error.message);
    assert_int_equal(result, 0);
    return journal;
}

static void use(struct journal *journal, const char *application) {
    bool planned = false;
    ERROR_AUTO error = {0};
    assert_int_equal(journal_use_application(journal, application, &planned, &error), 0);
}

static void add(struct journal *journal, char *id, const char *device_id) {
    struct source_record record = {.id = id, .has_dev_eui = true};
    memcpy(record.dev_eui, some_eui, sizeof some_eui);
    bool known = true;
    ERROR_AUTO error = {0};
    assert_int_equal(journal_add(journal, &record, device_id, &known, &error), 0);
    assert_false(known);
}

static int store(struct journal *journal, int64_t sequence, char *id, const char *device_id, bool session,
                 char **ret_other) {
    struct source_record record = {.id = id, .has_dev_eui = true, .complete = true};
    memcpy(record.dev_eui, some_eui, sizeof some_eui);
    source_record_set_data(&record, some_data, sizeof some_data);
    const struct journal_entry entry = {
        .sequence = sequence,
        .record = &record,
        .device_id = device_id,
        .session = session,
        .converted = "converted",
        .converted_size = 9,
    };
    ERROR_AUTO error = {0};
    int result = journal_store(journal, &entry, ret_other, &error);
    memory_wipe(record.data, record.size);
    free(record.data);
    return result;
}

static void store_well(struct journal *journal, int64_t sequence, char *id, const char *device_id,
                       bool session) {
    char *other = NULL;
    assert_int_equal(store(journal, sequence, id, device_id, session, &other), 0);
    assert_null(other);
}

static void commit(struct journal *journal) {
    ERROR_AUTO error = {0};
    assert_int_equal(journal_commit(journal, &error), 0);
}

static uint64_t count_all(struct journal *journal, enum device_state state) {
    uint64_t count = 0;
    ERROR_AUTO error = {0};
    assert_int_equal(journal_count_all(journal, state, &count, &error), 0);
    return count;
}

static void expect_property(struct journal *journal, const char *name, const char *wanted) {
    char *value = NULL;
    ERROR_AUTO error = {0};
    assert_int_equal(journal_property(journal, name, &value, &error), 0);
    if (wanted == NULL) {
        assert_null(value);
    } else {
        assert_non_null(value);
        assert_string_equal(value, wanted);
    }
    free(value);
}

// One of everything: 40 devices in two applications.
static void make(void) {
    journal_files_remove(path);
    struct journal *journal = create();
    ERROR_AUTO error = {0};
    assert_int_equal(journal_set_property(journal, "source", "made", false, &error), 0);
    assert_int_equal(journal_set_property(journal, "source.key", "secret", true, &error), 0);
    use(journal, "first");
    for (int i = 0; i < 30; i++) {
        char id[24];
        snprintf(id, sizeof id, "device-%d", i);
        add(journal, id, id);
        if (i < 20) store_well(journal, i + 1, id, id, i % 2 == 0);
        if (i < 10) assert_int_equal(journal_set_line(journal, i + 1, (uint64_t)i + 1, &error), 0);
        if (i < 10) assert_int_equal(journal_set_state(journal, i + 1, DEVICE_RELEASED, &error), 0);
    }
    assert_int_equal(journal_set_planned(journal, &error), 0);
    use(journal, "second");
    for (int i = 0; i < 10; i++) {
        char id[24];
        snprintf(id, sizeof id, "device-%d", i);
        add(journal, id, NULL);
    }
    commit(journal);
    journal_close(journal);
}

// ---- round trip

static void test_properties(void **state) {
    (void)state;
    struct journal *journal = create();
    ERROR_AUTO error = {0};
    assert_int_equal(journal_set_property(journal, "plain", "value", false, &error), 0);
    assert_int_equal(journal_set_property(journal, "secret", "hidden", true, &error), 0);
    assert_int_equal(journal_set_property(journal, "empty", "", false, &error), 0);
    assert_int_equal(
        journal_set_property(journal, "text", "\xc3\xa4 \"'; DROP TABLE device; --", false, &error), 0);
    assert_int_equal(journal_set_property(journal, "plain", "another value", false, &error), 0);
    commit(journal);
    journal_close(journal);
    journal = open_again(false);
    assert_false(journal_is_sealed(journal));
    expect_property(journal, "plain", "another value");
    expect_property(journal, "secret", "hidden");
    expect_property(journal, "empty", "");
    expect_property(journal, "text", "\xc3\xa4 \"'; DROP TABLE device; --");
    expect_property(journal, "none", NULL);
    assert_string_equal(journal_path(journal), path);
    journal_close(journal);
}

static int collect(void *context, const char *name, const char *value, struct error *error) {
    (void)error;
    buffer_printf(context, "%s=%s;", name, value);
    return strcmp(value, "stop") == 0 ? -ERROR_USAGE : 0;
}

static void test_each_property(void **state) {
    (void)state;
    struct journal *journal = create();
    ERROR_AUTO error = {0};
    static const char *const names[] = {"global.b", "global.a", "globalx", "source.a",
                                        "global",   "global%",  "GLOBAL.a"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_int_equal(journal_set_property(journal, names[i], names[i], false, &error), 0);
    }
    BUFFER_AUTO seen;
    buffer_init(&seen, BUFFER_UNLIMITED);
    assert_int_equal(journal_each_property(journal, "global.", collect, &seen, &error), 0);
    assert_string_equal(buffer_string(&seen), "a=global.a;b=global.b;");
    buffer_clear(&seen);
    assert_int_equal(journal_set_property(journal, "global.a", "stop", false, &error), 0);
    assert_int_equal(journal_each_property(journal, "global.", collect, &seen, &error), -ERROR_USAGE);
    assert_string_equal(buffer_string(&seen), "a=stop;");
    journal_close(journal);
}

static void test_applications(void **state) {
    (void)state;
    struct journal *journal = create();
    ERROR_AUTO error = {0};
    bool planned = true;
    assert_int_equal(journal_use_application(journal, "b-app", &planned, &error), 0);
    assert_false(planned);
    assert_int_equal(journal_set_planned(journal, &error), 0);
    assert_int_equal(journal_use_application(journal, "a-app", &planned, &error), 0);
    assert_false(planned);
    commit(journal);
    journal_close(journal);
    journal = open_again(true);
    static const char *const names[] = {"b-app", "a-app"};
    for (size_t i = 0; i < 3; i++) {
        char *name MEMORY_AUTO = NULL;
        assert_int_equal(journal_application(journal, i, &name, &error), 0);
        if (i == 2) assert_null(name);
        if (i < 2) assert_string_equal(name, names[i]);
    }
    assert_int_equal(journal_find_application(journal, "b-app", &planned, &error), 0);
    assert_true(planned);
    assert_int_equal(journal_use_application(journal, "a-app", &planned, &error), 0);
    assert_false(planned);
    assert_int_equal(journal_find_application(journal, "c-app", &planned, &error), -ERROR_INPUT);
    journal_close(journal);
}

static void test_device(void **state) {
    (void)state;
    struct journal *journal = create();
    ERROR_AUTO error = {0};
    use(journal, "app");
    add(journal, (char[]){"dev-1"}, "new-1");
    add(journal, (char[]){"dev-2"}, NULL);
    store_well(journal, 1, (char[]){"dev-1"}, "new-1", true);
    assert_int_equal(journal_set_line(journal, 1, 7, &error), 0);
    assert_int_equal(journal_set_reason(journal, 1, DEVICE_RELEASING, "first", &error), 0);
    assert_int_equal(journal_set_reason(journal, 1, DEVICE_RELEASING, "second", &error), 0);
    commit(journal);
    journal_close(journal);
    journal = open_again(false);
    bool planned = false;
    assert_int_equal(journal_find_application(journal, "app", &planned, &error), 0);
    struct journal_device device = {0};
    assert_int_equal(journal_find(journal, "dev-1", &device, &error), 1);
    assert_int_equal(device.sequence, 1);
    assert_int_equal(device.state, DEVICE_RELEASING);
    assert_string_equal(device.record.id, "dev-1");
    assert_true(device.record.has_dev_eui && device.record.complete && device.session);
    assert_memory_equal(device.record.dev_eui, some_eui, sizeof some_eui);
    assert_int_equal(device.record.size, sizeof some_data);
    assert_memory_equal(device.record.data, some_data, sizeof some_data);
    assert_int_equal(device.converted_size, 9);
    assert_memory_equal(device.converted, "converted", 9);
    assert_string_equal(device.reason, "second");
    assert_int_equal(device.attempts, 2);
    assert_int_equal(device.line, 7);
    journal_device_release(&device);
    assert_int_equal(journal_find(journal, "dev-2", &device, &error), 1);
    assert_int_equal(device.state, DEVICE_PLANNED);
    assert_null(device.converted);
    assert_null(device.record.data);
    assert_null(device.reason);
    assert_int_equal(device.line, 0);
    journal_device_release(&device);
    assert_int_equal(journal_find(journal, "dev-3", &device, &error), 0);
    journal_close(journal);
}

// Whether a device that goes back was left alone until then: in one step, or in two, or with all others.
static void test_untouched(void **state) {
    (void)state;
    static const struct {
        enum device_state states[3];  // one after the other
        bool all;                     // and then all go back
        bool untouched;
    } rows[] = {
        {{DEVICE_RESERVING, DEVICE_UNDOING}, false, true},
        {{DEVICE_RESERVING, DEVICE_RESTORING}, false, true},
        {{DEVICE_RESERVING}, true, true},
        {{DEVICE_RESERVING, DEVICE_UNDOING}, true, true},
        {{DEVICE_RESERVING, DEVICE_UNDOING, DEVICE_RESTORED}, false, true},
        {{DEVICE_RESERVING, DEVICE_FAILED, DEVICE_RESTORING}, false, true},
        {{DEVICE_RELEASING, DEVICE_UNDOING}, false, false},
        {{DEVICE_RELEASING, DEVICE_UNDOING, DEVICE_UNDOING}, false, false},
        {{DEVICE_RELEASING, DEVICE_UNDOING}, true, false},
        {{DEVICE_RELEASING}, true, false},
        {{DEVICE_RELEASING, DEVICE_RESTORING}, false, false},
        {{DEVICE_CONFIRMED, DEVICE_RESTORING}, false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        journal_files_remove(path);
        struct journal *journal = create();
        ERROR_AUTO error = {0};
        use(journal, "app");
        add(journal, (char[]){"dev-1"}, "new-1");
        store_well(journal, 1, (char[]){"dev-1"}, "new-1", true);
        for (size_t j = 0; j < 3 && rows[i].states[j] != DEVICE_PLANNED; j++) {
            int result = j == 1 ? journal_set_reason(journal, 1, rows[i].states[j], "why", &error)
                                : journal_set_state(journal, 1, rows[i].states[j], &error);
            assert_int_equal(result, 0);
        }
        uint64_t count = 0;
        if (rows[i].all) assert_int_equal(journal_restore_all(journal, &count, &error), 0);
        commit(journal);
        journal_close(journal);
        journal = open_again(true);
        use(journal, "app");
        struct journal_device device = {0};
        assert_int_equal(journal_find(journal, "dev-1", &device, &error), 1);
        assert_true(device.record.complete);
        if (device.untouched != rows[i].untouched) fail_msg("row %zu: %d", i, device.untouched);
        journal_device_release(&device);
        // It is read anew before it is migrated once more.
        store_well(journal, 1, (char[]){"dev-1"}, "new-1", true);
        assert_int_equal(journal_find(journal, "dev-1", &device, &error), 1);
        assert_false(device.untouched);
        journal_device_release(&device);
        journal_close(journal);
    }
}

static void test_twice_and_collisions(void **state) {
    (void)state;
    struct journal *journal = create();
    ERROR_AUTO error = {0};
    use(journal, "app");
    add(journal, (char[]){"dev-1"}, "same");
    add(journal, (char[]){"dev_1"}, "other");
    struct source_record again = {.id = (char[]){"dev-1"}};
    bool known = false;
    assert_int_equal(journal_add(journal, &again, "x", &known, &error), 0);
    assert_true(known);
    store_well(journal, 1, (char[]){"dev-1"}, "same", false);
    char *other MEMORY_AUTO = NULL;
    assert_int_equal(store(journal, 2, (char[]){"dev_1"}, "same", false, &other), 0);
    assert_string_equal(other, "dev-1");
    struct journal_device device = {0};
    assert_int_equal(journal_find(journal, "dev_1", &device, &error), 1);
    assert_int_equal(device.state, DEVICE_PLANNED);
    assert_null(device.converted);
    journal_device_release(&device);
    // The same ID in another application is another device.
    use(journal, "second");
    add(journal, (char[]){"dev-1"}, "same");
    store_well(journal, 3, (char[]){"dev-1"}, "same", false);
    journal_close(journal);
}

static void test_filters_and_lines(void **state) {
    (void)state;
    make();
    struct journal *journal = open_again(true);
    ERROR_AUTO error = {0};
    use(journal, "first");
    struct journal_device device = {0};
    int64_t after = 0;
    unsigned seen = 0;
    while (journal_next(journal, after, DEVICE_RECORDED, DEVICE_RELEASED, JOURNAL_WITH_SESSION, &device,
                        &error) == 1) {
        assert_true(device.session && device.sequence > after);
        after = device.sequence;
        seen++;
        journal_device_release(&device);
    }
    assert_int_equal(seen, 10);
    assert_int_equal(
        journal_next(journal, 0, DEVICE_RELEASED, DEVICE_RELEASED, JOURNAL_WITHOUT_SESSION, &device, &error),
        1);
    assert_int_equal(device.sequence, 2);
    journal_device_release(&device);
    assert_int_equal(journal_next(journal, 30, DEVICE_PLANNED, DEVICE_RESTORED, JOURNAL_ANY, &device, &error),
                     0);
    uint64_t number = 0;
    assert_int_equal(journal_last_line(journal, &number, &error), 0);
    assert_int_equal(number, 10);
    assert_int_equal(journal_next_line(journal, 4, &device, &error), 1);
    assert_int_equal(device.line, 5);
    journal_device_release(&device);
    assert_int_equal(journal_next_line(journal, 10, &device, &error), 0);
    assert_int_equal(journal_total(journal, &number, &error), 0);
    assert_int_equal(number, 30);
    assert_int_equal(journal_count(journal, DEVICE_PLANNED, &number, &error), 0);
    assert_int_equal(number, 10);
    assert_int_equal(count_all(journal, DEVICE_PLANNED), 20);
    assert_int_equal(journal_forget_recorded(journal, &error), 0);
    assert_int_equal(count_all(journal, DEVICE_PLANNED), 30);
    assert_int_equal(journal_change_states(journal, DEVICE_RELEASED, DEVICE_RESTORING, &number, &error), 0);
    assert_int_equal(number, 10);
    // A line belongs to one device.
    assert_int_equal(journal_set_line(journal, 11, 5, &error), -ERROR_OUTPUT);
    journal_close(journal);
}

// What was not committed has never been.
static void test_without_commit(void **state) {
    (void)state;
    make();
    struct journal *journal = open_again(true);
    ERROR_AUTO error = {0};
    use(journal, "first");
    add(journal, (char[]){"late"}, "late");
    assert_int_equal(journal_set_state(journal, 1, DEVICE_CONFIRMED, &error), 0);
    assert_int_equal(journal_set_property(journal, "source", "changed", false, &error), 0);
    journal_close(journal);
    journal = open_again(false);
    assert_int_equal(count_all(journal, DEVICE_CONFIRMED), 0);
    assert_int_equal(count_all(journal, DEVICE_RELEASED), 10);
    expect_property(journal, "source", "made");
    journal_close(journal);
    journal_files_remove(path);
    journal = create();
    use(journal, "app");
    journal_close(journal);
    journal = open_again(false);
    char *name = NULL;
    assert_int_equal(journal_application(journal, 0, &name, &error), 0);
    assert_null(name);
    journal_close(journal);
}

static void test_read_only(void **state) {
    (void)state;
    make();
    struct journal *writer = open_again(true);
    struct journal *reader = open_again(false);
    ERROR_AUTO error = {0};
    assert_int_equal(count_all(reader, DEVICE_RELEASED), 10);
    assert_int_not_equal(journal_set_state(reader, 1, DEVICE_FAILED, &error), 0);
    assert_int_not_equal(journal_set_property(reader, "a", "b", false, &error), 0);
    // It sees what the run commits meanwhile.
    assert_int_equal(journal_set_state(writer, 1, DEVICE_CONFIRMED, &error), 0);
    assert_int_equal(count_all(reader, DEVICE_RELEASED), 10);
    commit(writer);
    assert_int_equal(count_all(reader, DEVICE_RELEASED), 9);
    journal_close(reader);
    journal_close(writer);
}

static void test_private(void **state) {
    (void)state;
    mode_t mask = umask(0);
    struct journal *journal = create();
    use(journal, "app");
    commit(journal);
    for (size_t i = 0; i < 3; i++) {
        char *name MEMORY_AUTO = memory_printf("%s%s", path, journal_endings[i]);
        struct stat status;
        assert_int_equal(stat(name, &status), 0);
        assert_int_equal(status.st_mode & 0777, 0600);
    }
    umask(mask);
    journal_close(journal);
    // Nothing that is there is overwritten.
    ERROR_AUTO error = {0};
    assert_int_equal(journal_create(&place, &journal, &error), -ERROR_OUTPUT);
    assert_non_null(strstr(error.message, path));
    const struct journal_place nowhere = {.path = "/nowhere/run.journal"};
    assert_int_equal(journal_create(&nowhere, &journal, &error), -ERROR_OUTPUT);
    assert_int_equal(journal_open(&nowhere, true, &journal, &error), -ERROR_INPUT);
}

// ---- other files

static void write_file(const void *data, size_t size) {
    journal_files_remove(path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static char *read_file(size_t *ret_size) {
    char *data = NULL;
    ERROR_AUTO error = {0};
    assert_int_equal(file_read_all(path, SIZE_MAX / 2, &data, ret_size, &error), 0);
    return data;
}

// It is refused, in words, and not touched.
static void expect_refused(const char *words) {
    size_t before_size = 0;
    size_t after_size = 0;
    char *before MEMORY_AUTO = read_file(&before_size);
    for (int writable = 0; writable < 2; writable++) {
        struct journal *journal = NULL;
        ERROR_AUTO error = {0};
        assert_int_equal(journal_open(&place, writable == 1, &journal, &error), -ERROR_INPUT);
        assert_null(journal);
        assert_non_null(strstr(error.message, path));
        if (words != NULL && strstr(error.message, words) == NULL) fail_msg("%s", error.message);
        char *after MEMORY_AUTO = read_file(&after_size);
        assert_int_equal(after_size, before_size);
        assert_memory_equal(after, before, before_size);
    }
}

static void execute(const char *text) {
    sqlite3 *database = NULL;
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, text, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(database), SQLITE_OK);
}

static void test_other_files(void **state) {
    (void)state;
    write_file("", 0);
    expect_refused("not complete");
    const char text[] = "{\"ids\":{\"device_id\":\"dev-1\"}}\n{\"ids\":{}}\n";
    write_file(text, strlen(text));
    expect_refused("cannot be read as a journal");
    static const char zeros[8192];
    write_file(zeros, sizeof zeros);
    expect_refused(NULL);
    journal_files_remove(path);
    execute("CREATE TABLE device (sequence INTEGER); PRAGMA user_version = 1");
    expect_refused("is no journal");
    make();
    struct journal *journal = NULL;
    ERROR_AUTO error = {0};
    const struct journal_place folder = {.path = directory};
    assert_int_equal(journal_open(&folder, true, &journal, &error), -ERROR_INPUT);
}

static void test_versions(void **state) {
    (void)state;
    make();
    execute("PRAGMA user_version = 3");
    expect_refused("newer version");
    execute("PRAGMA user_version = 2000000000");
    expect_refused("newer version");
    execute("PRAGMA user_version = 0");
    expect_refused("not complete");
    execute("PRAGMA user_version = -1");
    expect_refused(NULL);
    execute("PRAGMA user_version = 2");
    journal_close(open_again(true));
}

// What version 2 added is taken away again.
#define NO_TRIGGERS "DROP TRIGGER device_added; DROP TRIGGER device_changed;"
static void make_version_1(void) {
    make();
    execute(NO_TRIGGERS
            "ALTER TABLE device DROP COLUMN mark;"
            "ALTER TABLE device DROP COLUMN changed; ALTER TABLE device DROP COLUMN claim;"
            "ALTER TABLE device DROP COLUMN before; ALTER TABLE device DROP COLUMN progress;"
            "ALTER TABLE device DROP COLUMN f_cnt_up; ALTER TABLE device DROP COLUMN n_f_cnt_down;"
            "ALTER TABLE device DROP COLUMN a_f_cnt_down; PRAGMA user_version = 1");
}

static void expect_upgraded(bool writable) {
    struct journal *journal = open_again(writable);
    ERROR_AUTO error = {0};
    bool planned = false;
    assert_int_equal(journal_find_application(journal, "first", &planned, &error), 0);
    struct journal_device device = {0};
    assert_int_equal(journal_next(journal, 0, DEVICE_PLANNED, DEVICE_RESTORED, JOURNAL_ANY, &device, &error),
                     1);
    assert_int_equal(device.claim, CLAIM_NONE);
    assert_int_equal(device.changed, 0);
    assert_null(device.before);
    int64_t sequence = device.sequence;
    journal_device_release(&device);
    if (writable) {
        const struct device_progress progress = {.known = true, .last_f_cnt_up = UINT32_MAX};
        assert_int_equal(journal_set_claim(journal, sequence, "x", CLAIM_MADE, NULL, 0, &error), 0);
        assert_int_equal(journal_set_progress(journal, sequence, &progress, &error), 0);
        assert_int_equal(journal_commit(journal, &error), 0);
    }
    journal_close(journal);
}

static void test_upgrade(void **state) {
    (void)state;
    // A damaged one is refused as it is.
    make_version_1();
    execute("UPDATE property SET value = 'other' WHERE name = 'source'");
    expect_refused("damaged");
    make_version_1();
    // Who only looks changes nothing.
    expect_upgraded(false);
    expect_upgraded(false);
    expect_upgraded(true);
    struct journal *journal = open_again(true);
    ERROR_AUTO error = {0};
    bool planned = false;
    struct journal_device device = {0};
    assert_int_equal(journal_find_application(journal, "first", &planned, &error), 0);
    assert_int_equal(journal_next(journal, 0, DEVICE_PLANNED, DEVICE_RESTORED, JOURNAL_ANY, &device, &error),
                     1);
    assert_int_equal(device.claim, CLAIM_MADE);
    assert_true(device.progress.known && !device.progress.rejoined);
    assert_int_equal(device.progress.last_f_cnt_up, UINT32_MAX);
    // A new attempt has got nowhere yet.
    store_well(journal, device.sequence, device.record.id, device.record.id, true);
    char *id MEMORY_AUTO = memory_strdup(device.record.id);
    journal_device_release(&device);
    assert_int_equal(journal_find(journal, id, &device, &error), 1);
    assert_false(device.progress.known);
    journal_device_release(&device);
    journal_close(journal);
}

// ---- damage: an error, or an honest reading; never a crash

// Reads all that there is, as `status` and a rollback do.
static void read_everything(struct journal *journal) {
    ERROR_AUTO error = {0};
    BUFFER_AUTO seen;
    buffer_init(&seen, BUFFER_UNLIMITED);
    (void)journal_each_property(journal, "", collect, &seen, &error);
    for (size_t i = 0; i < 100; i++) {
        char *application MEMORY_AUTO = NULL;
        bool planned = false;
        if (journal_application(journal, i, &application, &error) != 0 || application == NULL) break;
        if (journal_find_application(journal, application, &planned, &error) != 0) break;
        struct journal_device device = {0};
        int64_t after = 0;
        while (journal_next(journal, after, DEVICE_PLANNED, DEVICE_RESTORED, JOURNAL_ANY, &device, &error) ==
               1) {
            after = device.sequence;
            assert_non_null(device.record.id);
            assert_non_null(device_state_name(device.state));
            journal_device_release(&device);
        }
    }
    uint64_t line = 0;
    struct journal_device device = {0};
    while (journal_next_line(journal, line, &device, &error) == 1) {
        line = device.line;
        journal_device_release(&device);
    }
}

// Returns true if it was read.
static bool try_file(const void *data, size_t size, bool writable) {
    write_file(data, size);
    struct journal *journal = NULL;
    ERROR_AUTO error = {0};
    int result = journal_open(&place, writable, &journal, &error);
    if (result != 0) {
        assert_non_null(error.message);
        assert_null(journal);
        size_t after_size = 0;
        char *after MEMORY_AUTO = read_file(&after_size);
        assert_int_equal(after_size, size);
        assert_memory_equal(after, data, size);
        return false;
    }
    read_everything(journal);
    journal_close(journal);
    return true;
}

static void test_cut_off(void **state) {
    (void)state;
    make();
    size_t size = 0;
    char *data MEMORY_AUTO = read_file(&size);
    assert_true(try_file(data, size, true));
    for (size_t length = 0; length < size; length += length < 200 ? 1 : 509) {
        assert_false(try_file(data, length, length % 2 == 0));
    }
    for (size_t pages = 1; pages < size / 4096; pages++) assert_false(try_file(data, pages * 4096, true));
}

static void test_damaged(void **state) {
    (void)state;
    make();
    size_t size = 0;
    char *data MEMORY_AUTO = read_file(&size);
    unsigned read = 0;
    unsigned refused = 0;
    for (size_t at = 0; at < size; at += at < 120 ? 1 : 61) {
        for (unsigned bit = 0; bit < 8; bit += 5) {
            data[at] = (char)(data[at] ^ 1 << bit);
            if (try_file(data, size, bit == 0)) {
                read++;
            } else {
                refused++;
            }
            data[at] = (char)(data[at] ^ 1 << bit);
        }
    }
    assert_true(read > 10);
    assert_true(refused > 10);
    // A page of something else.
    for (size_t page = 0; page < size / 4096; page++) {
        char *copy MEMORY_AUTO = memory_dup(data, size);
        memset(copy + page * 4096, 0x5a, 4096);
        (void)try_file(copy, size, true);
    }
}

// A table that is not there, or not as it should be.
static void test_other_schema(void **state) {
    (void)state;
    static const char *const changes[] = {
        "DROP TABLE property",
        "DROP TABLE application",
        "DROP TABLE device",
        NO_TRIGGERS "ALTER TABLE device DROP COLUMN reason",
        "ALTER TABLE device RENAME COLUMN data TO bytes",
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        make();
        execute(changes[i]);
        struct journal *journal = NULL;
        ERROR_AUTO error = {0};
        if (journal_open(&place, true, &journal, &error) == 0) {
            read_everything(journal);
            struct journal_device device = {0};
            int result = journal_next_line(journal, 0, &device, &error);
            journal_device_release(&device);
            if (i >= 2) assert_true(result < 0);
            journal_close(journal);
        } else {
            assert_non_null(error.message);
        }
    }
}

// What is overwritten does not stay in free parts of the file.
static void test_secure_delete(void **state) {
    (void)state;
    struct journal *journal = create();
    ERROR_AUTO error = {0};
    assert_int_equal(journal_set_property(journal, "long", "0123456789abcdef-old-secret", true, &error), 0);
    commit(journal);
    assert_int_equal(journal_set_property(journal, "long", "new", true, &error), 0);
    commit(journal);
    journal_close(journal);
    size_t size = 0;
    char *data MEMORY_AUTO = read_file(&size);
    assert_null(memmem(data, size, "old-secret", 10));
    assert_int_equal(access(path, F_OK), 0);
    char *wal MEMORY_AUTO = memory_printf("%s-wal", path);
    assert_int_equal(access(wal, F_OK), -1);
}

static void test_temporary(void **state) {
    (void)state;
    struct journal *journal = NULL;
    ERROR_AUTO error = {0};
    assert_int_equal(journal_open_temporary(&journal, &error), 0);
    assert_null(journal_path(journal));
    use(journal, "first");
    add(journal, (char[]){"dev-1"}, "dev-1");
    commit(journal);
    store_well(journal, 1, (char[]){"dev-1"}, "dev-1", false);
    assert_int_equal(count_all(journal, DEVICE_RECORDED), 1);
    journal_close(journal);
    journal_close(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_properties, before_each),
        cmocka_unit_test_setup(test_each_property, before_each),
        cmocka_unit_test_setup(test_applications, before_each),
        cmocka_unit_test_setup(test_device, before_each),
        cmocka_unit_test_setup(test_untouched, before_each),
        cmocka_unit_test_setup(test_twice_and_collisions, before_each),
        cmocka_unit_test_setup(test_filters_and_lines, before_each),
        cmocka_unit_test_setup(test_without_commit, before_each),
        cmocka_unit_test_setup(test_read_only, before_each),
        cmocka_unit_test_setup(test_private, before_each),
        cmocka_unit_test_setup(test_other_files, before_each),
        cmocka_unit_test_setup(test_versions, before_each),
        cmocka_unit_test_setup(test_upgrade, before_each),
        cmocka_unit_test_setup(test_cut_off, before_each),
        cmocka_unit_test_setup(test_damaged, before_each),
        cmocka_unit_test_setup(test_other_schema, before_each),
        cmocka_unit_test_setup(test_secure_delete, before_each),
        cmocka_unit_test_setup(test_temporary, before_each),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
