// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/console.h"

enum { OUTPUT_MAX = 8192 };

static int64_t now;
static unsigned width;
static bool in_foreground;

static int64_t fake_time(void *context) {
    (void)context;
    return now;
}

static const struct clock clock_fake = {.monotonic = fake_time, .wall = fake_time};

static unsigned fake_columns(int fd) {
    (void)fd;
    return width;
}

static bool fake_foreground(int fd) {
    (void)fd;
    return in_foreground;
}

struct screen {
    struct console console;
    struct progress *progress;
    char output[OUTPUT_MAX];
};

static void screen_open(struct screen *screen, enum progress_mode mode, bool terminal) {
    now = 1000 * NS_PER_SECOND;
    width = 80;
    in_foreground = true;
    int fd = memfd_create("progress", MFD_CLOEXEC);
    assert_true(fd >= 0);
    console_init(&screen->console, fd, &clock_fake);
    screen->progress = progress_new(&(struct progress_setup){
        .mode = mode,
        .fd = fd,
        .terminal = terminal,
        .clock = &clock_fake,
        .log = &screen->console.log,
        .columns = fake_columns,
        .foreground = fake_foreground,
    });
    screen->console.progress = screen->progress;
}

static void screen_close(struct screen *screen) {
    progress_free(screen->progress);
    close(screen->console.fd);
}

// What was written since the last time.
static const char *screen_take(struct screen *screen) {
    int fd = screen->console.fd;
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    ssize_t size = read(fd, screen->output, sizeof screen->output - 1);
    assert_true(size >= 0);
    screen->output[size] = '\0';
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return screen->output;
}

// Lets `ms` pass, gives the numbers, and compares what is written.
static void expect(struct screen *screen, int64_t ms, struct progress_numbers numbers, const char *output) {
    now += ms * NS_PER_MS;
    progress_update(screen->progress, &numbers);
    assert_string_equal(screen_take(screen), output);
}

static void test_in_place(void **state) {
    (void)state;
    struct screen screen;
    screen_open(&screen, PROGRESS_AUTO, true);
    struct progress_numbers numbers = {.total = 1000};
    expect(&screen, 0, numbers, "");
    assert_int_equal(progress_wait(screen.progress), NS_PER_SECOND);
    numbers.done = 4;
    expect(&screen, 999, numbers, "");
    numbers.done = 5;
    expect(&screen, 1, numbers, "\r5 of at least 1000 devices, 5.0 devices/s\033[K");
    assert_int_equal(progress_wait(screen.progress), 200 * NS_PER_MS);
    expect(&screen, 199, numbers, "");
    numbers.total_known = true;
    numbers.done = 50;
    numbers.failed = 3;
    expect(&screen, 801, numbers, "\r50 of 1000 devices, 25 devices/s, 39s left, 3 failed\033[K");
    numbers.waiting_for = "Handler localhost:1904";
    expect(&screen, 500, numbers,
           "\r50 of 1000 devices, 20 devices/s, 48s left, 3 failed, waiting for Handler local\033[K");
    progress_end(screen.progress);
    assert_string_equal(screen_take(&screen), "\r\033[K");
    expect(&screen, 5000, numbers, "");
    assert_int_equal(progress_wait(screen.progress), -1);
    screen_close(&screen);
}

static void test_gateways(void **state) {
    (void)state;
    struct screen screen;
    screen_open(&screen, PROGRESS_AUTO, true);
    progress_free(screen.progress);
    screen.progress = progress_new(&(struct progress_setup){
        .fd = screen.console.fd,
        .gateways = true,
        .terminal = true,
        .clock = &clock_fake,
        .log = &screen.console.log,
        .columns = fake_columns,
        .foreground = fake_foreground,
    });
    screen.console.progress = screen.progress;
    struct progress_numbers numbers = {.total = 20};
    expect(&screen, 0, numbers, "");
    numbers.done = 5;
    expect(&screen, 1000, numbers, "\r5 of at least 20 gateways, 5.0 gateways/s\033[K");
    numbers.total = 0;
    expect(&screen, 1000, numbers, "\r5 gateways, 2.5 gateways/s\033[K");
    screen_close(&screen);
}

static void test_time_left(void **state) {
    (void)state;
    static const struct {
        uint64_t total;
        const char *output;
    } cases[] = {
        {10, "\r10 of 10 devices, 10 devices/s\033[K"},
        {11, "\r10 of 11 devices, 10 devices/s, 1s left\033[K"},
        {600, "\r10 of 600 devices, 10 devices/s, 1m 00s left\033[K"},
        {2000, "\r10 of 2000 devices, 10 devices/s, 3m 20s left\033[K"},
        {80000, "\r10 of 80000 devices, 10 devices/s, 2h 13m left\033[K"},
        {3000000, "\r10 of 3000000 devices, 10 devices/s, 3d 11h left\033[K"},
        {UINT64_MAX, "\r10 of 18446744073709551615 devices, 10 devices/s\033[K"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct screen screen;
        screen_open(&screen, PROGRESS_AUTO, true);
        struct progress_numbers numbers = {.total = cases[i].total, .total_known = true};
        expect(&screen, 0, numbers, "");
        numbers.done = 10;
        expect(&screen, 1000, numbers, cases[i].output);
        screen_close(&screen);
    }
}

// The rate is that of the last seconds, and a stalled run has no time left to show.
static void test_rate_window(void **state) {
    (void)state;
    struct screen screen;
    screen_open(&screen, PROGRESS_NEVER, false);
    struct progress_numbers numbers = {.total = 100000, .total_known = true};
    for (unsigned i = 0; i < 60; i++) {
        expect(&screen, 1000, numbers, "");
        numbers.done += 100;
    }
    progress_status(screen.progress);
    assert_string_equal(screen_take(&screen),
                        "ttn-lw-migrate: 5900 of 100000 devices, 100 devices/s, 15m 42s left\n");
    for (unsigned i = 0; i < 20; i++) expect(&screen, 1000, numbers, "");
    progress_status(screen.progress);
    assert_string_equal(screen_take(&screen), "ttn-lw-migrate: 6000 of 100000 devices, 0.0 devices/s\n");
    screen_close(&screen);
}

static void test_columns(void **state) {
    (void)state;
    struct screen screen;
    screen_open(&screen, PROGRESS_ALWAYS, true);
    const struct progress_numbers numbers = {.done = 1, .total = 2, .waiting_for = "\xc3\xa4\x1b[2J"};
    expect(&screen, 0, numbers, "\r1 of at least 2 devices, 0.0 devices/s, waiting for ?\\x1b[2J\033[K");
    width = 10;
    expect(&screen, 200, numbers, "\r1 of at l\033[K");
    width = 1;
    expect(&screen, 200, numbers, "\r1 of at least 2 devices, 0.0 devices/s, waiting for ?\\x1b[2J\033[K");
    width = 0;
    expect(&screen, 200, numbers, "\r1 of at least 2 devices, 0.0 devices/s, waiting for ?\\x1b[2J\033[K");
    screen_close(&screen);
}

static void test_messages_between(void **state) {
    (void)state;
    struct screen screen;
    screen_open(&screen, PROGRESS_ALWAYS, true);
    log_printf(&screen.console.log, LOG_WARN, "early");
    assert_string_equal(screen_take(&screen), "ttn-lw-migrate: warning: early\n");
    const struct progress_numbers numbers = {.done = 1};
    expect(&screen, 0, numbers, "\r1 devices, 0.0 devices/s\033[K");
    log_printf(&screen.console.log, LOG_WARN, "late");
    assert_string_equal(screen_take(&screen),
                        "\r\033[Kttn-lw-migrate: warning: late\n\r1 devices, 0.0 devices/s\033[K");
    screen_close(&screen);
}

static void test_background(void **state) {
    (void)state;
    struct screen screen;
    screen_open(&screen, PROGRESS_AUTO, true);
    in_foreground = false;
    const struct progress_numbers numbers = {.done = 1};
    expect(&screen, 2000, numbers, "");
    in_foreground = true;
    expect(&screen, 200, numbers, "\r1 devices, 0.0 devices/s\033[K");
    screen_close(&screen);
}

static void test_without_terminal(void **state) {
    (void)state;
    struct screen screen;
    const struct progress_numbers numbers = {.done = 7, .total = 9, .total_known = true};
    screen_open(&screen, PROGRESS_AUTO, false);
    expect(&screen, 60000, numbers, "");
    assert_int_equal(progress_wait(screen.progress), -1);
    screen_close(&screen);

    screen_open(&screen, PROGRESS_ALWAYS, false);
    expect(&screen, 0, numbers, "");
    expect(&screen, 4999, numbers, "");
    expect(&screen, 1, numbers, "ttn-lw-migrate: 7 of 9 devices, 0.0 devices/s\n");
    expect(&screen, 4999, numbers, "");
    expect(&screen, 1, numbers, "ttn-lw-migrate: 7 of 9 devices, 0.0 devices/s\n");
    progress_end(screen.progress);
    assert_string_equal(screen_take(&screen), "");
    screen_close(&screen);
}

static void test_never(void **state) {
    (void)state;
    struct screen screen;
    const struct progress_numbers numbers = {.done = 7};
    screen_open(&screen, PROGRESS_NEVER, true);
    expect(&screen, 60000, numbers, "");
    progress_status(screen.progress);
    assert_string_equal(screen_take(&screen), "ttn-lw-migrate: 7 devices, 0.0 devices/s\n");
    screen_close(&screen);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_place),   cmocka_unit_test(test_gateways),
        cmocka_unit_test(test_time_left),  cmocka_unit_test(test_rate_window),
        cmocka_unit_test(test_columns),    cmocka_unit_test(test_messages_between),
        cmocka_unit_test(test_background), cmocka_unit_test(test_without_terminal),
        cmocka_unit_test(test_never),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
