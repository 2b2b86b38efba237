// SPDX-License-Identifier: Apache-2.0
// An encrypted journal: no secret is in its files, no other key opens it, and no value can be moved.
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

#include "base/file.h"
#include "base/memory.h"
#include "journal/journal.h"
#include "support/journal_folder.h"

static char directory[] = "/tmp/ttn-lw-migrate-seal-XXXXXX";
static char path[sizeof directory + 16];
static char key_path[sizeof directory + 16];
static const struct journal_place place = {.path = path};

static const char *const secrets[] = {"ttn-account-v2.secret-of-a-property", "secret-bytes-of-the-source",
                                      "secret-bytes-converted", "the key of the journal"};

static void forget(void) {
    journal_files_remove(path);
    (void)unlink(key_path);
}

static int setup(void **state) {
    (void)state;
    if (mkdtemp(directory) == NULL) return -1;
    snprintf(path, sizeof path, "%s/run.journal", directory);
    snprintf(key_path, sizeof key_path, "%s/key", directory);
    return 0;
}

static int before_each(void **state) {
    (void)state;
    forget();
    return 0;
}

static int teardown(void **state) {
    (void)state;
    forget();
    return rmdir(directory);
}

static void write_key(const char *data, size_t size) {
    FILE *file = fopen(key_path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static struct seal *seal_of(const char *text) {
    write_key(text, strlen(text));
    struct seal *seal = NULL;
    ERROR_AUTO error = {0};
    assert_int_equal(seal_from_file(key_path, &seal, &error), 0);
    return seal;
}

// ---- the seal alone

static int reopen(const struct seal *seal, const char *where, const struct buffer *sealed, size_t size,
                  struct buffer *plain) {
    ERROR_AUTO error = {0};
    buffer_clear(plain);
    return seal_open(seal, where, sealed->data, size, plain, &error);
}

static void test_seal(void **state) {
    (void)state;
    struct seal *seal = seal_of("the key of the journal");
    struct seal *other = seal_of("the key of the journaL");
    BUFFER_AUTO sealed;
    BUFFER_AUTO again;
    BUFFER_AUTO plain;
    buffer_init(&sealed, BUFFER_UNLIMITED);
    buffer_init(&again, BUFFER_UNLIMITED);
    buffer_init(&plain, BUFFER_UNLIMITED);
    seal_close(seal, "here", "something", 9, &sealed);
    seal_close(seal, "here", "something", 9, &again);
    assert_int_equal(sealed.size, again.size);
    assert_memory_not_equal(sealed.data, again.data, sealed.size);
    assert_int_equal(reopen(seal, "here", &sealed, sealed.size, &plain), 0);
    assert_string_equal(buffer_string(&plain), "something");
    assert_int_equal(reopen(seal, "there", &sealed, sealed.size, &plain), -ERROR_INPUT);
    assert_int_equal(reopen(seal, "", &sealed, sealed.size, &plain), -ERROR_INPUT);
    assert_int_equal(reopen(other, "here", &sealed, sealed.size, &plain), -ERROR_INPUT);
    for (size_t size = 0; size < sealed.size; size++) {
        assert_int_equal(reopen(seal, "here", &sealed, size, &plain), -ERROR_INPUT);
    }
    for (size_t i = 0; i < sealed.size; i++) {
        sealed.data[i] ^= 0x20;
        assert_int_equal(reopen(seal, "here", &sealed, sealed.size, &plain), -ERROR_INPUT);
        assert_int_equal(plain.size, 0);
        sealed.data[i] ^= 0x20;
    }
    // Nothing at all can be sealed too.
    buffer_clear(&sealed);
    seal_close(seal, "here", "", 0, &sealed);
    assert_int_equal(reopen(seal, "here", &sealed, sealed.size, &plain), 0);
    assert_int_equal(plain.size, 0);
    seal_free(seal);
    seal_free(other);
    seal_free(NULL);
}

static int try_key(const char *data, size_t size, struct error *error) {
    write_key(data, size);
    struct seal *seal = NULL;
    int result = seal_from_file(key_path, &seal, error);
    seal_free(seal);
    return result;
}

static void test_key_files(void **state) {
    (void)state;
    struct seal *seal = NULL;
    ERROR_AUTO error = {0};
    assert_int_equal(try_key("", 0, &error), -ERROR_USAGE);
    assert_int_equal(try_key("0123456789abcde", 15, &error), -ERROR_USAGE);
    assert_int_equal(try_key("0123456789abcde\n", 16, &error), -ERROR_USAGE);
    assert_null(strstr(error.message, "0123456789abcde"));
    assert_int_equal(try_key("0123456789abcdef", 16, &error), 0);
    assert_int_equal(try_key("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16, &error), 0);
    char *large = memory_alloc(1, 65 * 1024);
    assert_int_equal(try_key(large, 65 * 1024, &error), -ERROR_USAGE);
    free(large);
    assert_int_equal(seal_from_file("/nowhere/key", &seal, &error), -ERROR_USAGE);
    assert_int_equal(seal_from_file(directory, &seal, &error), -ERROR_USAGE);
    assert_null(seal);
    // A newline at the end, which editors add, does not count.
    struct seal *plain = seal_of("0123456789abcdef");
    struct seal *line = seal_of("0123456789abcdef\n");
    BUFFER_AUTO sealed;
    BUFFER_AUTO opened;
    buffer_init(&sealed, BUFFER_UNLIMITED);
    buffer_init(&opened, BUFFER_UNLIMITED);
    seal_close(plain, "here", "x", 1, &sealed);
    assert_int_equal(reopen(line, "here", &sealed, sealed.size, &opened), 0);
    seal_free(plain);
    seal_free(line);
}

static void test_passphrase(void **state) {
    (void)state;
    uint8_t salt[SEAL_SALT_SIZE] = {1};
    uint8_t other_salt[SEAL_SALT_SIZE] = {2};
    struct seal *seals[4] = {0};
    ERROR_AUTO error = {0};
    assert_int_equal(seal_from_passphrase("correct horse", salt, &seals[0], &error), 0);
    assert_int_equal(seal_from_passphrase("correct horse", salt, &seals[1], &error), 0);
    assert_int_equal(seal_from_passphrase("correct horse", other_salt, &seals[2], &error), 0);
    assert_int_equal(seal_from_passphrase("correct Horse", salt, &seals[3], &error), 0);
    BUFFER_AUTO sealed;
    BUFFER_AUTO opened;
    buffer_init(&sealed, BUFFER_UNLIMITED);
    buffer_init(&opened, BUFFER_UNLIMITED);
    seal_close(seals[0], "here", "x", 1, &sealed);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(reopen(seals[i], "here", &sealed, sealed.size, &opened), i < 2 ? 0 : -ERROR_INPUT);
        seal_free(seals[i]);
    }
}

// ---- an encrypted journal

static void add_device(struct journal *journal, char *id, int64_t sequence) {
    struct source_record record = {.id = id};
    ERROR_AUTO error = {0};
    bool known = false;
    char *other = NULL;
    source_record_set_data(&record, secrets[1], strlen(secrets[1]));
    assert_int_equal(journal_add(journal, &record, id, &known, &error), 0);
    const struct journal_entry entry = {
        .sequence = sequence,
        .record = &record,
        .device_id = id,
        .converted = secrets[2],
        .converted_size = strlen(secrets[2]),
    };
    assert_int_equal(journal_store(journal, &entry, &other, &error), 0);
    assert_int_equal(journal_set_line(journal, sequence, (uint64_t)sequence, &error), 0);
    free(record.data);
}

// Left open, so that its companions are there.
static struct journal *make(void) {
    struct journal *journal = NULL;
    ERROR_AUTO error = {0};
    bool planned = false;
    assert_int_equal(journal_create(&place, &journal, &error), 0);
    assert_false(journal_is_sealed(journal));
    assert_int_equal(journal_set_seal(journal, seal_of(secrets[3]), &error), 0);
    assert_true(journal_is_sealed(journal));
    assert_int_equal(journal_set_property(journal, "source.key", secrets[0], true, &error), 0);
    assert_int_equal(journal_set_property(journal, "source", "made", false, &error), 0);
    assert_int_equal(journal_use_application(journal, "app", &planned, &error), 0);
    add_device(journal, (char[]){"dev-1"}, 1);
    add_device(journal, (char[]){"dev-2"}, 2);
    assert_int_equal(journal_commit(journal, &error), 0);
    assert_int_equal(journal_set_reason(journal, 1, DEVICE_FAILED, "a reason", &error), 0);
    assert_int_equal(journal_commit(journal, &error), 0);
    return journal;
}

static void expect_no_secret(void) {
    bool any = false;
    for (size_t i = 0; i < JOURNAL_FILES; i++) {
        char *name MEMORY_AUTO = memory_printf("%s%s", path, journal_endings[i]);
        if (access(name, F_OK) != 0) continue;
        char *data MEMORY_AUTO = NULL;
        size_t size = 0;
        ERROR_AUTO error = {0};
        assert_int_equal(file_read_all(name, SIZE_MAX / 2, &data, &size, &error), 0);
        for (size_t j = 0; j < sizeof secrets / sizeof *secrets; j++) {
            assert_null(memmem(data, size, secrets[j], strlen(secrets[j])));
        }
        if (memmem(data, size, "a reason", 8) != NULL) any = true;
    }
    assert_true(any);
}

static void test_files_hold_no_secret(void **state) {
    (void)state;
    struct journal *journal = make();
    expect_no_secret();
    journal_close(journal);
    expect_no_secret();
}

static struct journal *open_with(const char *key, bool writable, int wanted) {
    struct journal *journal = NULL;
    ERROR_AUTO error = {0};
    assert_int_equal(journal_open(&place, writable, &journal, &error), 0);
    assert_true(journal_is_sealed(journal));
    if (key != NULL) {
        assert_int_equal(journal_set_seal(journal, seal_of(key), &error), wanted);
        if (wanted != 0) assert_null(strstr(error.message, key));
    }
    return journal;
}

static int find(struct journal *journal, const char *id, struct journal_device *ret_device,
                struct error *error) {
    bool planned = false;
    assert_int_equal(journal_find_application(journal, "app", &planned, error), 0);
    return journal_find(journal, id, ret_device, error);
}

static void test_opened_again(void **state) {
    (void)state;
    journal_close(make());
    struct journal *journal = open_with(secrets[3], true, 0);
    ERROR_AUTO error = {0};
    char *value = NULL;
    assert_int_equal(journal_property(journal, "source.key", &value, &error), 0);
    assert_string_equal(value, secrets[0]);
    memory_free_secret(value);
    struct journal_device device = {0};
    assert_int_equal(find(journal, "dev-1", &device, &error), 1);
    assert_int_equal(device.record.size, strlen(secrets[1]));
    assert_memory_equal(device.record.data, secrets[1], strlen(secrets[1]));
    assert_int_equal(device.converted_size, strlen(secrets[2]));
    assert_memory_equal(device.converted, secrets[2], strlen(secrets[2]));
    assert_string_equal(device.reason, "a reason");
    journal_device_release(&device);
    journal_close(journal);
}

static void test_wrong_key(void **state) {
    (void)state;
    journal_close(make());
    struct journal *journal = open_with("another key of a journal", true, -ERROR_USAGE);
    ERROR_AUTO error = {0};
    struct journal_device device = {0};
    assert_true(find(journal, "dev-1", &device, &error) < 0);
    assert_null(device.converted);
    journal_close(journal);
    // The right one still fits.
    journal_close(open_with(secrets[3], true, 0));
}

// Whoever only looks sees states and reasons, and no keys.
static void test_without_key(void **state) {
    (void)state;
    journal_close(make());
    struct journal *journal = open_with(NULL, false, 0);
    ERROR_AUTO error = {0};
    struct journal_device device = {0};
    assert_int_equal(find(journal, "dev-1", &device, &error), 1);
    assert_int_equal(device.state, DEVICE_FAILED);
    assert_string_equal(device.reason, "a reason");
    assert_null(device.record.data);
    assert_null(device.converted);
    journal_device_release(&device);
    char *value = NULL;
    assert_int_equal(journal_property(journal, "source", &value, &error), 0);
    assert_string_equal(value, "made");
    free(value);
    assert_int_equal(journal_property(journal, "source.key", &value, &error), -ERROR_USAGE);
    assert_null(value);
    journal_close(journal);
}

static void execute(const char *text) {
    sqlite3 *database = NULL;
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, text, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(database), SQLITE_OK);
}

// Somebody who can write to the file, but has no key, exchanges values.
static void test_moved_values(void **state) {
    (void)state;
    static const char *const moves[] = {
        "UPDATE device SET data = (SELECT data FROM device WHERE id = 'dev-1') WHERE id = 'dev-2'",
        "UPDATE device SET converted = (SELECT converted FROM device WHERE id = 'dev-1') WHERE id = 'dev-2'",
        "UPDATE device SET converted = data WHERE id = 'dev-2'",
        "UPDATE device SET converted = (SELECT value FROM property WHERE name = 'proof') WHERE id = 'dev-2'",
        "UPDATE device SET data = 'not encrypted' WHERE id = 'dev-2'",
        "UPDATE device SET data = x'' WHERE id = 'dev-2'",
    };
    for (size_t i = 0; i < sizeof moves / sizeof *moves; i++) {
        forget();
        journal_close(make());
        execute(moves[i]);
        struct journal *journal = open_with(secrets[3], true, 0);
        struct journal_device device = {0};
        ERROR_AUTO error = {0};
        assert_int_equal(find(journal, "dev-2", &device, &error), -ERROR_INPUT);
        assert_null(device.record.id);
        assert_int_equal(find(journal, "dev-1", &device, &error), 1);
        journal_device_release(&device);
        journal_close(journal);
    }
}

// A journal without encryption cannot be given any later: what is in it could not be read any more.
static void test_key_for_a_plain_journal(void **state) {
    (void)state;
    struct journal *journal = NULL;
    ERROR_AUTO error = {0};
    bool planned = false;
    assert_int_equal(journal_create(&place, &journal, &error), 0);
    assert_int_equal(journal_use_application(journal, "app", &planned, &error), 0);
    add_device(journal, (char[]){"dev-1"}, 1);
    assert_int_equal(journal_commit(journal, &error), 0);
    journal_close(journal);
    assert_int_equal(journal_open(&place, true, &journal, &error), 0);
    assert_int_equal(journal_set_seal(journal, seal_of(secrets[3]), &error), -ERROR_USAGE);
    assert_non_null(strstr(error.message, "not encrypted"));
    assert_int_equal(journal_commit(journal, &error), 0);
    journal_close(journal);
    assert_int_equal(journal_open(&place, true, &journal, &error), 0);
    assert_false(journal_is_sealed(journal));
    struct journal_device device = {0};
    assert_int_equal(find(journal, "dev-1", &device, &error), 1);
    assert_memory_equal(device.converted, secrets[2], strlen(secrets[2]));
    journal_device_release(&device);
    journal_close(journal);
}

static void test_salt(void **state) {
    (void)state;
    struct journal *journal = NULL;
    ERROR_AUTO error = {0};
    uint8_t first[SEAL_SALT_SIZE] = {0};
    uint8_t second[SEAL_SALT_SIZE] = {0};
    assert_int_equal(journal_create(&place, &journal, &error), 0);
    assert_int_equal(journal_salt(journal, first, &error), 0);
    assert_int_equal(journal_commit(journal, &error), 0);
    journal_close(journal);
    assert_int_equal(journal_open(&place, true, &journal, &error), 0);
    assert_int_equal(journal_salt(journal, second, &error), 0);
    assert_memory_equal(first, second, sizeof first);
    journal_close(journal);
    forget();
    assert_int_equal(journal_create(&place, &journal, &error), 0);
    assert_int_equal(journal_salt(journal, second, &error), 0);
    assert_memory_not_equal(first, second, sizeof first);
    journal_close(journal);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_seal, before_each),
        cmocka_unit_test_setup(test_key_files, before_each),
        cmocka_unit_test_setup(test_passphrase, before_each),
        cmocka_unit_test_setup(test_files_hold_no_secret, before_each),
        cmocka_unit_test_setup(test_opened_again, before_each),
        cmocka_unit_test_setup(test_wrong_key, before_each),
        cmocka_unit_test_setup(test_without_key, before_each),
        cmocka_unit_test_setup(test_moved_values, before_each),
        cmocka_unit_test_setup(test_key_for_a_plain_journal, before_each),
        cmocka_unit_test_setup(test_salt, before_each),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
