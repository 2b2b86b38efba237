// SPDX-License-Identifier: Apache-2.0
#include "base/reader.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static size_t read_some(struct reader *reader, char *data, size_t size) {
    struct error error = {0};
    size_t got = 0;
    assert_int_equal(reader->operations->read(reader, data, size, &got, &error), 0);
    return got;
}

static void test_file(void **state) {
    (void)state;
    char path[] = "/tmp/test-reader-XXXXXX";
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, "abcdef", 6), 6);
    close(descriptor);
    struct reader *reader = NULL;
    struct error error = {0};
    char data[4];
    assert_int_equal(reader_open_file(path, -1, &reader, &error), 0);
    assert_string_equal(reader->name, path);
    for (int pass = 0; pass < 2; pass++) {
        assert_int_equal(read_some(reader, data, sizeof data), 4);
        assert_memory_equal(data, "abcd", 4);
        assert_int_equal(read_some(reader, data, sizeof data), 2);
        assert_int_equal(read_some(reader, data, sizeof data), 0);
        assert_int_equal(reader->operations->rewind(reader, &error), 0);
    }
    reader_close(reader);
    unlink(path);
    assert_int_equal(reader_open_file(path, -1, &reader, &error), -ERROR_INPUT);
    assert_int_equal(reader_open_file("/", -1, &reader, &error), -ERROR_INPUT);
    error_release(&error);
    reader_close(NULL);
}

// Standard input that is a file is not always at its beginning.
static void test_descriptor(void **state) {
    (void)state;
    int descriptor = memfd_create("reader", MFD_CLOEXEC);
    assert_int_equal(write(descriptor, "abcdef", 6), 6);
    assert_int_equal(lseek(descriptor, 2, SEEK_SET), 2);
    struct reader *reader = reader_of_descriptor(descriptor, "input", -1);
    char data[8];
    assert_int_equal(read_some(reader, data, sizeof data), 4);
    assert_int_equal(reader->operations->rewind(reader, NULL), 0);
    assert_int_equal(read_some(reader, data, sizeof data), 4);
    assert_memory_equal(data, "cdef", 4);
    reader_close(reader);
    assert_int_equal(close(descriptor), 0);
}

static void test_pipe(void **state) {
    (void)state;
    int input[2], halt[2];
    assert_int_equal(pipe2(input, O_CLOEXEC), 0);
    assert_int_equal(pipe2(halt, O_CLOEXEC), 0);
    struct reader *reader = reader_of_descriptor(input[0], "input", halt[0]);
    struct error error = {0};
    char data[8];
    size_t size = 0;
    assert_int_equal(write(input[1], "xy", 2), 2);
    assert_int_equal(read_some(reader, data, sizeof data), 2);
    assert_int_equal(reader->operations->rewind(reader, &error), -ERROR_INPUT);
    assert_int_equal(write(halt[1], "!", 1), 1);
    assert_int_equal(reader->operations->read(reader, data, sizeof data, &size, &error), -ERROR_CANCELLED);
    error_release(&error);
    reader_close(reader);
    for (size_t i = 0; i < 2; i++) {
        close(input[i]);
        close(halt[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_descriptor),
        cmocka_unit_test(test_pipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
