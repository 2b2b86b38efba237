// SPDX-License-Identifier: Apache-2.0
// A real journal, as a run that was killed leaves it (with its log) and as one that ended leaves it, damaged in many
// ways: each is refused with an error and not touched, or what is read is what was committed at some time. Never
// anything else, and never a crash.
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

#include "base/file.h"
#include "base/memory.h"
#include "journal/journal.h"
#include "journal/rows.h"

enum { DEVICES = 30, PAGE = 4096, FRAME = PAGE + 24, LOG_HEADER = 32, MOMENTS_MAX = 64 };

static char directory[] = "/tmp/ttn-lw-migrate-damage-XXXXXX";
static char path[sizeof directory + 16];
static char log_path[sizeof path + 8];
static char index_path[sizeof path + 8];
static const struct journal_place place = {.path = path};

// The files of a journal. A log of no bytes is not there.
struct files {
    char *file;
    size_t file_size;
    char *log;
    size_t log_size;
};

// What could be read after each commit.
struct story {
    char *moments[MOMENTS_MAX];
    size_t count;
};

static void forget(void) {
    (void)unlink(path);
    (void)unlink(log_path);
    (void)unlink(index_path);
}

static char *read_whole(const char *name, size_t *ret_size) {
    ERROR_AUTO error = {0};
    char *data = NULL;
    *ret_size = 0;
    if (access(name, F_OK) != 0) return NULL;
    assert_int_equal(file_read_all(name, SIZE_MAX / 2, &data, ret_size, &error), 0);
    return data;
}

static void write_whole(const char *name, const char *data, size_t size) {
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void take_files(struct files *files) {
    files->file = read_whole(path, &files->file_size);
    files->log = read_whole(log_path, &files->log_size);
}

static void put_files(const struct files *files) {
    forget();
    write_whole(path, files->file, files->file_size);
    if (files->log_size > 0) write_whole(log_path, files->log, files->log_size);
}

static void release_files(struct files *files) {
    free(files->file);
    free(files->log);
}

// ---- reading

static int add_property(void *context, const char *name, const char *value, struct error *error) {
    (void)error;
    // Whether it was closed, and the hash of all.
    if (strcmp(name, "open") == 0 || strcmp(name, "digest") == 0) return 0;
    buffer_printf(context, "%s=%s\n", name, value);
    return 0;
}

static int add_row(void *context, const struct journal_row *row, struct error *error) {
    (void)error;
    buffer_printf(context, "%s %s %s %d %llu %u %s\n", row->application, row->id,
                  row->device_id == NULL ? "-" : row->device_id, (int)row->state,
                  (unsigned long long)row->line, row->attempts, row->reason == NULL ? "-" : row->reason);
    return 0;
}

static int add_devices(struct journal *journal, struct buffer *text, struct error *error) {
    struct journal_device device = {0};
    int64_t after = 0;
    int result = 0;
    while ((result = journal_next(journal, after, DEVICE_PLANNED, DEVICE_RESTORED, JOURNAL_ANY, &device,
                                  error)) == 1) {
        after = device.sequence;
        buffer_printf(text, "%lld %d %d ", (long long)after, device.session, device.record.complete);
        buffer_add(text, device.record.data, device.record.size);
        buffer_add(text, device.record.dev_eui, sizeof device.record.dev_eui);
        buffer_add(text, device.converted, device.converted_size);
        buffer_putc(text, '\n');
        journal_device_release(&device);
    }
    return result;
}

// Everything that a journal tells, as one text; NULL if it cannot be read to the end.
static char *read_journal(struct journal *journal) {
    BUFFER_AUTO text;
    ERROR_AUTO error = {0};
    buffer_init(&text, BUFFER_UNLIMITED);
    int result = journal_each_property(journal, "", add_property, &text, &error);
    if (result == 0) result = journal_each_row(journal, JOURNAL_ROWS_ALL, add_row, &text, &error);
    char *application = NULL;
    bool planned = false;
    if (result == 0) result = journal_application(journal, 0, &application, &error);
    if (result == 0 && application != NULL)
        result = journal_find_application(journal, application, &planned, &error);
    buffer_printf(&text, "planned %d\n", planned);
    if (result == 0 && application != NULL) result = add_devices(journal, &text, &error);
    free(application);
    if (result != 0) assert_non_null(error.message);
    // Bytes of zero must not end it.
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == 0) text.data[i] = 1;
    }
    return result == 0 ? buffer_take_string(&text) : NULL;
}

// ---- a journal and its story

static void commit(struct journal *journal, struct story *story) {
    ERROR_AUTO error = {0};
    assert_int_equal(journal_commit(journal, &error), 0);
    assert_true(story->count < MOMENTS_MAX);
    story->moments[story->count++] = read_journal(journal);
}

static void store(struct journal *journal, unsigned number, struct error *error) {
    char data[300];
    char id[32];
    char *other = NULL;
    snprintf(id, sizeof id, "dev-%u", number);
    for (size_t i = 0; i < sizeof data; i++) data[i] = (char)('a' + (i * number) % 26);
    struct source_record record = {
        .id = id, .has_dev_eui = true, .dev_eui = {1, 2, 3, (uint8_t)number}, .complete = true};
    source_record_set_data(&record, data, sizeof data);
    const struct journal_entry entry = {.sequence = number,
                                        .record = &record,
                                        .device_id = id,
                                        .session = number % 2 == 0,
                                        .converted = data + 7,
                                        .converted_size = sizeof data - 7};
    assert_int_equal(journal_store(journal, &entry, &other, error), 0);
    assert_null(other);
    free(record.data);
}

// Each device in a life of its own, with a commit now and then.
static void live(struct journal *journal, struct story *story) {
    ERROR_AUTO error = {0};
    bool known = false;
    assert_int_equal(journal_set_property(journal, "source", "ttnv2", false, &error), 0);
    assert_int_equal(journal_set_property(journal, "source.app-access-key", "a-key", true, &error), 0);
    commit(journal, story);
    assert_int_equal(journal_use_application(journal, "my-app", &known, &error), 0);
    for (unsigned i = 1; i <= DEVICES; i++) {
        char id[32];
        snprintf(id, sizeof id, "dev-%u", i);
        const struct source_record record = {.id = id};
        assert_int_equal(journal_add(journal, &record, id, &known, &error), 0);
    }
    assert_int_equal(journal_set_planned(journal, &error), 0);
    commit(journal, story);
    for (unsigned i = 1; i <= DEVICES - 5; i++) {
        if (i % 7 == 0) {
            assert_int_equal(journal_set_reason(journal, i, DEVICE_FAILED, "has no key", &error), 0);
            continue;
        }
        store(journal, i, &error);
        assert_int_equal(journal_set_line(journal, i, i, &error), 0);
        if (i % 3 == 0) assert_int_equal(journal_set_state(journal, i, DEVICE_RELEASING, &error), 0);
        if (i % 3 == 1) assert_int_equal(journal_set_state(journal, i, DEVICE_CONFIRMED, &error), 0);
        if (i % 5 == 0) commit(journal, story);
    }
    commit(journal, story);
}

// `killed`: the files as they are while the run is alive.
static void make(bool killed, struct files *files, struct story *story) {
    ERROR_AUTO error = {0};
    struct journal *journal = NULL;
    forget();
    assert_int_equal(journal_create(&place, &journal, &error), 0);
    commit(journal, story);
    live(journal, story);
    if (killed) take_files(files);
    journal_close(journal);
    if (!killed) take_files(files);
    assert_int_equal(files->log_size > 0, killed);
}

static void release_story(struct story *story) {
    for (size_t i = 0; i < story->count; i++) free(story->moments[i]);
}

static bool is_told(const struct story *story, const char *seen) {
    for (size_t i = 0; i < story->count; i++) {
        if (strcmp(story->moments[i], seen) == 0) return true;
    }
    return false;
}

// ---- trying

struct tries {
    const struct story *story;
    unsigned read;
    unsigned refused;
};

static void assert_same(const char *name, const char *data, size_t size) {
    size_t seen_size = 0;
    char *seen MEMORY_AUTO = read_whole(name, &seen_size);
    assert_int_equal(seen_size, size);
    if (size > 0) assert_memory_equal(seen, data, size);
}

// Opens them and reads all. What is not in the story may only be missed by those who look without changing anything.
static void try_files(struct tries *tries, const struct files *files, bool writable, const char *what,
                      size_t at) {
    put_files(files);
    struct journal *journal = NULL;
    ERROR_AUTO error = {0};
    int result = journal_open(&place, writable, &journal, &error);
    if (result != 0) {
        assert_true(error.message != NULL && journal == NULL);
        assert_same(path, files->file, files->file_size);
        assert_same(log_path, files->log, files->log_size);
        tries->refused++;
        return;
    }
    char *seen MEMORY_AUTO = read_journal(journal);
    journal_close(journal);
    if (seen == NULL) {
        if (writable) fail_msg("%s at %zu: opened, but not readable", what, at);
        tries->refused++;
    } else {
        tries->read++;
        if (!is_told(tries->story, seen)) fail_msg("%s at %zu: read what was never written", what, at);
    }
}

static void try_both(struct tries *tries, const struct files *files, const char *what, size_t at) {
    try_files(tries, files, false, what, at);
    try_files(tries, files, true, what, at);
}

static void flip_bits(struct tries *tries, struct files *files, char *data, size_t size, size_t step,
                      const char *what) {
    for (size_t at = 0; at < size; at += at < 128 ? 1 : step) {
        data[at] = (char)(data[at] ^ 1 << at % 8);
        try_both(tries, files, what, at);
        data[at] = (char)(data[at] ^ 1 << at % 8);
    }
}

static void test_bits_of_the_file(void **state) {
    (void)state;
    struct files files = {0};
    struct story story = {0};
    make(false, &files, &story);
    struct tries tries = {.story = &story};
    try_both(&tries, &files, "nothing", 0);
    assert_int_equal(tries.read, 2);
    flip_bits(&tries, &files, files.file, files.file_size, 53, "a bit");
    assert_true(tries.refused > 500);
    release_files(&files);
    release_story(&story);
}

static void test_pages(void **state) {
    (void)state;
    struct files files = {0};
    struct story story = {0};
    make(false, &files, &story);
    struct tries tries = {.story = &story};
    for (size_t page = 0; page < files.file_size / PAGE; page++) {
        char saved[PAGE];
        memcpy(saved, files.file + page * PAGE, PAGE);
        memset(files.file + page * PAGE, 0, PAGE);
        try_both(&tries, &files, "a page of zeros", page);
        memset(files.file + page * PAGE, 0x5a, PAGE);
        try_both(&tries, &files, "a page of something", page);
        memcpy(files.file + page * PAGE, files.file + (page + 1) * PAGE % files.file_size, PAGE);
        try_both(&tries, &files, "a page of another place", page);
        memcpy(files.file + page * PAGE, saved, PAGE);
        memset(files.file + page * PAGE + PAGE / 2, 0, PAGE / 2);
        try_both(&tries, &files, "half a page of zeros", page);
        memcpy(files.file + page * PAGE, saved, PAGE);
    }
    size_t size = files.file_size;
    for (files.file_size = 0; files.file_size < size; files.file_size += 1021) {
        try_both(&tries, &files, "cut off", files.file_size);
    }
    // Half a page may be empty anyway.
    assert_true(tries.read < tries.refused / 10);
    release_files(&files);
    release_story(&story);
}

static void test_log(void **state) {
    (void)state;
    struct files files = {0};
    struct story story = {0};
    make(true, &files, &story);
    struct tries tries = {.story = &story};
    try_both(&tries, &files, "nothing", 0);
    assert_int_equal(tries.read, 2);
    size_t size = files.log_size;
    for (files.log_size = 0; files.log_size < size;
         files.log_size += files.log_size < 100 ? 1 : FRAME / 2 + 1) {
        try_both(&tries, &files, "a log that is cut off", files.log_size);
    }
    files.log_size = size;
    flip_bits(&tries, &files, files.log, size, 1511, "a bit of the log");
    flip_bits(&tries, &files, files.file, files.file_size, 211, "a bit of the file below a log");
    for (size_t at = LOG_HEADER; at + FRAME <= size; at += FRAME) {
        char saved[FRAME];
        memcpy(saved, files.log + at, FRAME);
        memset(files.log + at, 0, FRAME);
        try_both(&tries, &files, "a frame of zeros", at);
        memcpy(files.log + at, saved, FRAME);
    }
    release_files(&files);
    release_story(&story);
}

// The log of another journal would be taken for this one's, and copied into it.
static void test_log_of_another(void **state) {
    (void)state;
    struct files first = {0};
    struct files second = {0};
    struct story story = {0};
    struct story other = {0};
    make(true, &first, &story);
    make(true, &second, &other);
    struct files mixed = {first.file, first.file_size, second.log, second.log_size};
    put_files(&mixed);
    for (int writable = 0; writable < 2; writable++) {
        ERROR_AUTO error = {0};
        struct journal *journal = NULL;
        assert_int_equal(journal_open(&place, writable == 1, &journal, &error), -ERROR_INPUT);
        assert_non_null(strstr(error.message, "belongs to another journal"));
    }
    struct tries tries = {.story = &story};
    try_both(&tries, &mixed, "the log of another journal", 0);
    assert_int_equal(tries.refused, 2);
    // Behind a journal that has ended as well.
    struct files ended = {0};
    struct story third = {0};
    make(false, &ended, &third);
    mixed = (struct files){ended.file, ended.file_size, second.log, second.log_size};
    tries.story = &third;
    try_both(&tries, &mixed, "the log of another journal", 1);
    release_files(&first);
    release_files(&second);
    release_files(&ended);
    release_story(&story);
    release_story(&other);
    release_story(&third);
}

static int setup(void **state) {
    (void)state;
    if (mkdtemp(directory) == NULL) return -1;
    snprintf(path, sizeof path, "%s/run %%?.j", directory);
    snprintf(log_path, sizeof log_path, "%s-wal", path);
    snprintf(index_path, sizeof index_path, "%s-shm", path);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    forget();
    return rmdir(directory);
}

int main(void) {
    alarm(280);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bits_of_the_file),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_log),
        cmocka_unit_test(test_log_of_another),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
