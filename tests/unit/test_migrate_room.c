// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/memory.h"
#include "migrate/room.h"

enum { MB = 1000 * 1000 };

static struct space disk(uint64_t file_system, uint64_t available) {
    return (struct space){
        .known = true, .file_system = file_system, .available = available, .file_most = UINT64_MAX};
}

// The verdict; `expected` has to be in its text (NULL = there is none).
static void check(uint64_t devices, const struct space *journal, const struct space *output,
                  enum room verdict, const char *expected) {
    char *text = NULL;
    assert_int_equal(room_judge(devices, "device", journal, output, &text), verdict);
    assert_int_equal(text == NULL, expected == NULL);
    if (expected != NULL && strstr(text, expected) == NULL) fail_msg("\"%s\" is not in: %s", expected, text);
    free(text);
}

static void test_disks(void **state) {
    (void)state;
    const struct space unknown = {0};
    struct space journal = disk(1, 1000 * (uint64_t)MB);
    struct space output = disk(2, 1000 * (uint64_t)MB);
    check(10000, &journal, &output, ROOM_ENOUGH, NULL);
    check(1000000, &unknown, &unknown, ROOM_ENOUGH, NULL);
    check(UINT64_MAX, &journal, &unknown, ROOM_SHORT, "1000 MB are free");
    // 25.6 MB of output, 10.2 MB of journal and 25.2 MB of its log.
    output = disk(2, 25 * MB);
    check(10000, &journal, &output, ROOM_SHORT,
          "the output of 10000 devices need about 25 MB, and 25 MB are free there");
    output = disk(2, 50 * MB);
    check(10000, &journal, &output, ROOM_TIGHT, "the output");
    output = disk(2, 52 * MB);
    check(10000, &journal, &output, ROOM_ENOUGH, NULL);
    journal = disk(1, 35 * MB);
    check(10000, &journal, &output, ROOM_SHORT, "the journal of 10000 devices");
    check(10000, &journal, &unknown, ROOM_SHORT, "the journal");
    journal = disk(1, 36 * MB);
    check(10000, &journal, &output, ROOM_TIGHT, "the journal");
}

// What lies on one disk counts together.
static void test_one_disk(void **state) {
    (void)state;
    struct space journal = disk(7, 60 * MB);
    struct space output = disk(7, 60 * MB);
    check(10000, &journal, &output, ROOM_SHORT, "the journal and the output");
    output.file_system = 8;
    check(10000, &journal, &output, ROOM_TIGHT, "the journal of");
}

static void test_limits(void **state) {
    (void)state;
    struct space journal = disk(1, UINT64_MAX);
    struct space output = disk(1, UINT64_MAX);
    output.file_most = 30 * MB;
    check(10000, &journal, &output, ROOM_TIGHT, "the limit on the size of a file leaves 30 MB");
    output.file_size = 10 * MB;
    check(10000, &journal, &output, ROOM_SHORT, "leaves 20 MB");
    output.file_size = 31 * MB;
    check(1, &journal, &output, ROOM_SHORT, "1 device may");
    output.file_most = UINT64_MAX;
    journal.file_most = MB / 2;
    check(60, &journal, &output, ROOM_SHORT, "the journal's log");
}

static void test_looking(void **state) {
    (void)state;
    struct space space;
    space_look("/nowhere/at/all", &space);
    assert_false(space.known);
    char path[] = "/tmp/ttn-lw-migrate-space-XXXXXX";
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, "12345", 5), 5);
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    const struct rlimit lower = {.rlim_cur = 4096, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &lower), 0);
    space_look(path, &space);
    assert_true(space.known);
    assert_int_equal(space.file_size, 5);
    assert_int_equal(space.file_most, 4096);
    assert_true(space.available > 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    space_look("/tmp", &space);
    assert_true(space.known);
    close(descriptor);
    (void)unlink(path);
}

int main(void) {
    alarm(60);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_disks),
        cmocka_unit_test(test_one_disk),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_looking),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
