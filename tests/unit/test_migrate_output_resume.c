// SPDX-License-Identifier: Apache-2.0
// Continuing an output: whatever is in the file, the run's lines are there once afterwards, or nothing is changed.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/message.h"
#include "migrate/output_resume.h"

enum { DEVICES = 12 };

// ---- a file in memory

struct memory_file {
    struct file base;
    struct buffer content;
    unsigned changes;  // writes and cuts that did something
    bool synced;
    bool full;  // takes half of what is written
};

static int memory_file_write(struct file *file, const void *data, size_t size, struct error *error) {
    struct memory_file *self = (struct memory_file *)file;
    self->changes++;
    self->synced = false;
    buffer_add(&self->content, data, self->full ? size / 2 : size);
    return self->full ? error_set(error, ERROR_OUTPUT, "no space left") : 0;
}

static int memory_file_sync(struct file *file, struct error *error) {
    (void)error;
    ((struct memory_file *)file)->synced = true;
    return 0;
}

// A few bytes at a time, as a system may.
static int memory_file_read(struct file *file, uint64_t offset, void *data, size_t size, size_t *ret_size,
                            struct error *error) {
    (void)error;
    const struct memory_file *self = (struct memory_file *)file;
    size_t left = offset < self->content.size ? self->content.size - (size_t)offset : 0;
    *ret_size = size < left ? size : left;
    if (*ret_size > 5) *ret_size = 5;
    if (*ret_size > 0) memcpy(data, self->content.data + offset, *ret_size);
    return 0;
}

static int memory_file_truncate(struct file *file, uint64_t size, struct error *error) {
    (void)error;
    struct memory_file *self = (struct memory_file *)file;
    if (size < self->content.size) self->changes++;
    if (size < self->content.size) self->content.size = (size_t)size;
    return 0;
}

static const struct file_operations memory_operations = {
    .write = memory_file_write,
    .sync = memory_file_sync,
    .read = memory_file_read,
    .truncate = memory_file_truncate,
};

static void file_init(struct memory_file *file, const char *content) {
    *file = (struct memory_file){
        .base = {.operations = &memory_operations, .name = "devices.json", .regular = true}};
    buffer_init(&file->content, BUFFER_UNLIMITED);
    buffer_puts(&file->content, content);
}

// ---- a journal of devices device-1, device-2, ... with these states, and lines from 1 on

static int id_encode(const struct device *device, struct buffer *output, struct error *error) {
    (void)error;
    buffer_printf(output, "%s\n", device_id(device));
    return 0;
}

static const struct target_driver id_target = {.name = "id", .title = "IDs", .encode = id_encode};

static void name_of(char name[static 24], size_t number) {
    snprintf(name, 24, "device-%zu", number);
}

static void add_device(struct journal *journal, size_t number, enum device_state state) {
    char name[24];
    ERROR_AUTO error = {0};
    name_of(name, number);
    const struct source_record record = {.id = name};
    bool known = false;
    assert_int_equal(journal_add(journal, &record, name, &known, &error), 0);
    if (state == DEVICE_PLANNED) return;
    DEVICE_AUTO device = {0};
    device_init(&device);
    device_set_text(&device, &device_ids(&device)->device_id, name);
    BUFFER_AUTO packed;
    buffer_init(&packed, BUFFER_UNLIMITED);
    message_pack(&device.end_device->base, &packed);
    const struct journal_entry entry = {
        .sequence = (int64_t)number,
        .record = &record,
        .device_id = name,
        .converted = packed.data,
        .converted_size = packed.size,
    };
    char *other = NULL;
    assert_int_equal(journal_store(journal, &entry, &other, &error), 0);
    assert_null(other);
    assert_int_equal(journal_set_line(journal, entry.sequence, number, &error), 0);
    assert_int_equal(journal_set_state(journal, entry.sequence, state, &error), 0);
}

static struct journal *make_journal(const enum device_state states[static DEVICES]) {
    struct journal *journal = NULL;
    ERROR_AUTO error = {0};
    bool planned = false;
    assert_int_equal(journal_open_temporary(&journal, &error), 0);
    assert_int_equal(journal_use_application(journal, "my-app", &planned, &error), 0);
    for (size_t i = 0; i < DEVICES; i++) add_device(journal, i + 1, states[i]);
    return journal;
}

static enum device_state state_of(struct journal *journal, size_t number) {
    char name[24];
    name_of(name, number);
    struct journal_device device = {0};
    ERROR_AUTO error = {0};
    assert_int_equal(journal_find(journal, name, &device, &error), 1);
    enum device_state state = device.state;
    journal_device_release(&device);
    return state;
}

// The lines of the devices first...last.
static char *lines_of(size_t first, size_t last) {
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    for (size_t i = first; i <= last; i++) buffer_printf(&text, "device-%zu\n", i);
    return buffer_take_string(&text);
}

static void fill_states(enum device_state states[static DEVICES], enum device_state state) {
    for (size_t i = 0; i < DEVICES; i++) states[i] = state;
}

static void expect_content(struct memory_file *file, const char *wanted) {
    assert_string_equal(buffer_string(&file->content), wanted);
}

static void resume_well(struct memory_file *file, bool continued, struct journal *journal) {
    ERROR_AUTO error = {0};
    uint64_t size = 0;
    assert_int_equal(output_resume(&file->base, continued, &id_target, journal, &size, &error), 0);
    assert_int_equal(size, file->content.size);
    if (file->changes > 0 && file->content.size > 0) assert_true(file->synced);
}

// ---- tests

static void test_whole(void **unused) {
    (void)unused;
    enum device_state states[DEVICES];
    fill_states(states, DEVICE_CONFIRMED);
    states[DEVICES - 2] = DEVICE_RELEASED;
    states[DEVICES - 1] = DEVICE_RELEASING;
    struct journal *journal = make_journal(states);
    char *all MEMORY_AUTO = lines_of(1, DEVICES);
    struct memory_file file;
    file_init(&file, all);
    resume_well(&file, true, journal);
    expect_content(&file, all);
    assert_int_equal(file.changes, 0);
    for (size_t i = 0; i < DEVICES; i++) assert_int_equal(state_of(journal, i + 1), states[i]);
    buffer_release(&file.content);
    journal_close(journal);
}

// The file ends at every byte, of lines that the journal knows to be out.
static void test_cut_anywhere(void **unused) {
    (void)unused;
    enum device_state states[DEVICES];
    fill_states(states, DEVICE_RELEASED);
    char *all MEMORY_AUTO = lines_of(1, DEVICES);
    for (size_t size = 0; size <= strlen(all); size++) {
        struct journal *journal = make_journal(states);
        char *part MEMORY_AUTO = memory_strndup(all, size);
        struct memory_file file;
        file_init(&file, part);
        resume_well(&file, true, journal);
        expect_content(&file, all);
        buffer_release(&file.content);
        journal_close(journal);
    }
}

// Lines that were begun when the run ended: the whole ones count, the torn one and those behind it do not.
static void test_recorded_torn_anywhere(void **unused) {
    (void)unused;
    enum device_state states[DEVICES];
    fill_states(states, DEVICE_RELEASED);
    for (size_t i = DEVICES - 4; i < DEVICES; i++) states[i] = DEVICE_RECORDED;
    char *all MEMORY_AUTO = lines_of(1, DEVICES);
    char *safe MEMORY_AUTO = lines_of(1, DEVICES - 4);
    for (size_t size = strlen(safe); size <= strlen(all); size++) {
        struct journal *journal = make_journal(states);
        char *part MEMORY_AUTO = memory_strndup(all, size);
        char *end = strrchr(part, '\n');
        struct memory_file file;
        file_init(&file, part);
        resume_well(&file, true, journal);
        end[1] = '\0';
        expect_content(&file, part);
        size_t whole = 0;
        for (const char *c = part; *c != '\0'; c++) whole += *c == '\n';
        uint64_t last = 0;
        ERROR_AUTO error = {0};
        assert_int_equal(journal_last_line(journal, &last, &error), 0);
        assert_int_equal(last, whole);
        for (size_t i = DEVICES - 4; i < DEVICES; i++) {
            assert_int_equal(state_of(journal, i + 1), i < whole ? DEVICE_RELEASING : DEVICE_PLANNED);
        }
        buffer_release(&file.content);
        journal_close(journal);
    }
}

static void test_foreign_content(void **unused) {
    (void)unused;
    enum device_state states[DEVICES];
    fill_states(states, DEVICE_RELEASED);
    char *all MEMORY_AUTO = lines_of(1, DEVICES);
    char *some MEMORY_AUTO = lines_of(1, 3);
    char *behind MEMORY_AUTO = memory_printf("%sdevice-13\n", all);
    char *newline MEMORY_AUTO = memory_printf("%s\n", all);
    char *within MEMORY_AUTO = memory_printf("%sdevice-X\n", some);
    char *twice MEMORY_AUTO = memory_printf("%sdevice-3\n", some);
    const char *const contents[] = {behind, newline, within, twice, "something\n", "\n", "x"};
    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
        struct journal *journal = make_journal(states);
        struct memory_file file;
        file_init(&file, contents[i]);
        ERROR_AUTO error = {0};
        assert_int_equal(output_resume(&file.base, true, &id_target, journal, &(uint64_t){0}, &error),
                         -ERROR_OUTPUT);
        assert_non_null(strstr(error.message, "devices.json"));
        assert_non_null(error.hint);
        assert_int_equal(file.changes, 0);
        expect_content(&file, contents[i]);
        for (size_t j = 0; j < DEVICES; j++) assert_int_equal(state_of(journal, j + 1), states[j]);
        buffer_release(&file.content);
        journal_close(journal);
    }
}

static void test_new_output(void **unused) {
    (void)unused;
    enum device_state states[DEVICES];
    fill_states(states, DEVICE_CONFIRMED);
    states[5] = DEVICE_RELEASING;
    states[DEVICES - 2] = DEVICE_RECORDED;
    states[DEVICES - 1] = DEVICE_PLANNED;
    struct journal *journal = make_journal(states);
    char *wanted MEMORY_AUTO = lines_of(1, DEVICES - 2);
    struct memory_file file;
    file_init(&file, "");
    resume_well(&file, false, journal);
    expect_content(&file, wanted);
    assert_int_equal(state_of(journal, DEVICES - 1), DEVICE_PLANNED);
    buffer_release(&file.content);
    journal_close(journal);
}

// Devices that are back at their source have no line in a new output; that output can be continued all the same.
static void test_restored_without_line(void **unused) {
    (void)unused;
    enum device_state states[DEVICES];
    for (size_t which = 0; which < 3; which++) {
        fill_states(states, DEVICE_RELEASED);
        const size_t first = which == 0 ? 1 : which == 1 ? 5 : DEVICES;
        const size_t last = which == 1 ? 7 : first;
        for (size_t i = first; i <= last; i++)
            states[i - 1] = i % 2 == 0 ? DEVICE_RESTORED : DEVICE_RESTORING;
        char *front MEMORY_AUTO = lines_of(1, first - 1);
        char *back MEMORY_AUTO = lines_of(last + 1, DEVICES);
        char *wanted MEMORY_AUTO = memory_printf("%s%s", front, back);
        for (size_t size = 0; size <= strlen(wanted); size++) {
            struct journal *journal = make_journal(states);
            char *part MEMORY_AUTO = memory_strndup(wanted, size);
            struct memory_file file;
            file_init(&file, "");
            resume_well(&file, false, journal);
            expect_content(&file, wanted);
            buffer_release(&file.content);
            file_init(&file, part);
            resume_well(&file, true, journal);
            expect_content(&file, wanted);
            buffer_release(&file.content);
            journal_close(journal);
        }
    }
}

// Where they have one, it stays.
static void test_restored_with_line(void **unused) {
    (void)unused;
    enum device_state states[DEVICES];
    fill_states(states, DEVICE_CONFIRMED);
    states[0] = states[4] = states[DEVICES - 1] = DEVICE_RESTORED;
    states[5] = DEVICE_RESTORING;
    char *all MEMORY_AUTO = lines_of(1, DEVICES);
    struct journal *journal = make_journal(states);
    struct memory_file file;
    file_init(&file, all);
    resume_well(&file, true, journal);
    expect_content(&file, all);
    assert_int_equal(file.changes, 0);
    buffer_release(&file.content);
    journal_close(journal);
}

static void test_disk_full(void **unused) {
    (void)unused;
    enum device_state states[DEVICES];
    fill_states(states, DEVICE_RELEASED);
    char *all MEMORY_AUTO = lines_of(1, DEVICES);
    char *some MEMORY_AUTO = lines_of(1, 4);
    struct journal *journal = make_journal(states);
    struct memory_file file;
    file_init(&file, some);
    file.full = true;
    ERROR_AUTO error = {0};
    assert_int_equal(output_resume(&file.base, true, &id_target, journal, &(uint64_t){0}, &error),
                     -ERROR_OUTPUT);
    file.full = false;
    resume_well(&file, true, journal);
    expect_content(&file, all);
    buffer_release(&file.content);
    journal_close(journal);
}

static void begin_ids(struct buffer *output) {
    buffer_puts(output, "the IDs:\n");
}

static const struct target_driver titled_target = {
    .name = "titled", .title = "IDs", .begin = begin_ids, .encode = id_encode};

// What stands before the first line is there once, wherever the file ended.
static void test_beginning(void **unused) {
    (void)unused;
    enum device_state states[DEVICES];
    fill_states(states, DEVICE_RELEASED);
    char *lines MEMORY_AUTO = lines_of(1, DEVICES);
    char *all MEMORY_AUTO = memory_printf("the IDs:\n%s", lines);
    for (size_t size = 0; size <= strlen(all); size++) {
        struct journal *journal = make_journal(states);
        char *part MEMORY_AUTO = memory_strndup(all, size);
        struct memory_file file;
        ERROR_AUTO error = {0};
        uint64_t written = 0;
        file_init(&file, part);
        assert_int_equal(output_resume(&file.base, true, &titled_target, journal, &written, &error), 0);
        expect_content(&file, all);
        assert_int_equal(written, strlen(all));
        buffer_release(&file.content);
        file_init(&file, lines);
        assert_int_equal(output_resume(&file.base, true, &titled_target, journal, &written, &error),
                         -ERROR_OUTPUT);
        expect_content(&file, lines);
        buffer_release(&file.content);
        journal_close(journal);
    }
}

// Nothing was out: then nothing is written, and the first device brings the beginning with it.
static void test_beginning_without_lines(void **unused) {
    (void)unused;
    enum device_state states[DEVICES];
    fill_states(states, DEVICE_RECORDED);
    for (size_t size = 0; size <= 9; size++) {
        struct journal *journal = make_journal(states);
        char *part MEMORY_AUTO = memory_strndup("the IDs:\n", size);
        struct memory_file file;
        ERROR_AUTO error = {0};
        uint64_t written = 0;
        file_init(&file, part);
        assert_int_equal(output_resume(&file.base, true, &titled_target, journal, &written, &error), 0);
        expect_content(&file, size == 9 ? part : "");
        assert_int_equal(written, size == 9 ? 9 : 0);
        buffer_release(&file.content);
        journal_close(journal);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_recorded_torn_anywhere),
        cmocka_unit_test(test_foreign_content),
        cmocka_unit_test(test_new_output),
        cmocka_unit_test(test_restored_without_line),
        cmocka_unit_test(test_restored_with_line),
        cmocka_unit_test(test_disk_full),
        cmocka_unit_test(test_beginning),
        cmocka_unit_test(test_beginning_without_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
