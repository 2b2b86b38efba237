// SPDX-License-Identifier: Apache-2.0
#include "cli/console.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "cli/global_options.h"
#include "cli/printable.h"

enum { OUTPUT_MAX = 200000 };

// 2024-02-29T12:34:56.789Z
static int64_t fixed_time(void *context) {
    (void)context;
    return INT64_C(1709210096789000000);
}

static const struct clock clock_fixed = {.monotonic = fixed_time, .wall = fixed_time};

struct screen {
    struct console console;
    char output[OUTPUT_MAX];
};

static void screen_open(struct screen *screen) {
    int fd = memfd_create("console", MFD_CLOEXEC);
    assert_true(fd >= 0);
    console_init(&screen->console, fd, &clock_fixed);
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

static void write_record(struct screen *screen, struct log_record record) {
    log_write(&screen->console.log, &record);
}

static void make_error(struct error *error) {
    error_set(error, ERROR_DENIED, "PERMISSION_DENIED");
    error_hint(error, "check the access key");
    error_wrap(error, ERROR_NONE, "handler.example:1904 refuses");
    error_wrap(error, ERROR_NONE, "cannot read it");
}

static void test_text(void **state) {
    (void)state;
    static struct screen screen;
    screen_open(&screen);
    write_record(&screen, (struct log_record){.level = LOG_DEBUG, .message = "unseen"});
    assert_string_equal(screen_take(&screen), "");
    write_record(&screen, (struct log_record){.level = LOG_INFO, .message = "hello"});
    assert_string_equal(screen_take(&screen), "ttn-lw-migrate: hello\n");
    write_record(&screen,
                 (struct log_record){
                     .level = LOG_WARN, .message = "odd", .device_id = "x", .server = "h:1", .method = "/M"});
    assert_string_equal(screen_take(&screen), "ttn-lw-migrate: warning: device x: odd\n");
    ERROR_AUTO error = {0};
    make_error(&error);
    write_record(&screen, (struct log_record){
                              .level = LOG_ERROR, .message = "set aside", .device_id = "x", .error = &error});
    assert_string_equal(screen_take(&screen),
                        "ttn-lw-migrate: error: device x: set aside: cannot read it: handler.example:1904 "
                        "refuses: PERMISSION_DENIED\n"
                        "  try: check the access key\n");
    console_error(&screen.console, &error);
    assert_string_equal(screen_take(&screen),
                        "ttn-lw-migrate: error: cannot read it: PERMISSION_DENIED\n"
                        "  try: check the access key\n");
    close(screen.console.fd);
}

static void test_gateways(void **state) {
    (void)state;
    static struct screen screen;
    screen_open(&screen);
    screen.console.gateways = true;
    const struct log_record record = {.level = LOG_WARN, .message = "odd", .device_id = "x"};
    write_record(&screen, record);
    assert_string_equal(screen_take(&screen), "ttn-lw-migrate: warning: gateway x: odd\n");
    screen.console.json = true;
    write_record(&screen, record);
    const char *line = screen_take(&screen);
    assert_non_null(strstr(line, "\"gateway_id\":\"x\""));
    assert_null(strstr(line, "device"));
    close(screen.console.fd);
}

static void test_verbose(void **state) {
    (void)state;
    static struct screen screen;
    screen_open(&screen);
    screen.console.log.least = LOG_DEBUG;
    assert_true(console_verbose(&screen.console));
    ERROR_AUTO error = {0};
    make_error(&error);
    write_record(&screen,
                 (struct log_record){.level = LOG_DEBUG, .message = "call", .server = "h:1", .method = "/M"});
    assert_string_equal(screen_take(&screen), "ttn-lw-migrate: debug: call (h:1, /M)\n");
    console_error(&screen.console, &error);
    assert_string_equal(
        screen_take(&screen),
        "ttn-lw-migrate: error: cannot read it: handler.example:1904 refuses: PERMISSION_DENIED\n"
        "  try: check the access key\n");
    close(screen.console.fd);
}

static void test_json(void **state) {
    (void)state;
    static struct screen screen;
    screen_open(&screen);
    screen.console.json = true;
    write_record(&screen, (struct log_record){.level = LOG_INFO, .message = "a \"b\"\n\x1b"});
    assert_string_equal(
        screen_take(&screen),
        "{\"time\":\"2024-02-29T12:34:56.789Z\",\"level\":\"info\",\"msg\":\"a \\\"b\\\"\\n\\u001B\"}\n");
    ERROR_AUTO error = {0};
    make_error(&error);
    write_record(&screen, (struct log_record){.level = LOG_WARN,
                                              .message = "m",
                                              .device_id = "d",
                                              .server = "s",
                                              .method = "/M",
                                              .error = &error});
    assert_string_equal(
        screen_take(&screen),
        "{\"time\":\"2024-02-29T12:34:56.789Z\",\"level\":\"warn\",\"msg\":\"m\",\"device_id\":\"d\","
        "\"server\":\"s\",\"method\":\"/M\",\"error\":\"cannot read it: handler.example:1904 refuses: "
        "PERMISSION_DENIED; try: check the access key\"}\n");
    error_set(&error, ERROR_USAGE, "alone");
    console_error(&screen.console, &error);
    assert_string_equal(screen_take(&screen),
                        "{\"time\":\"2024-02-29T12:34:56.789Z\",\"level\":\"error\",\"msg\":\"alone\"}\n");
    write_record(&screen, (struct log_record){.level = LOG_INFO, .message = "\xff\xc3("});
    json_t *record = json_loads(screen_take(&screen), 0, NULL);
    assert_string_equal(json_string_value(json_object_get(record, "msg")), "\xef\xbf\xbd\xef\xbf\xbd(");
    json_decref(record);
    close(screen.console.fd);
}

static void test_long_texts(void **state) {
    (void)state;
    static struct screen screen;
    static char text[100000];
    memset(text, 'x', sizeof text - 1);
    screen_open(&screen);
    write_record(&screen, (struct log_record){.level = LOG_INFO, .message = text});
    const char *output = screen_take(&screen);
    assert_int_equal(strlen(output), strlen("ttn-lw-migrate: ...\n") + PRINTABLE_MAX);
    screen.console.json = true;
    // Each byte takes six in JSON.
    memset(text, '\x01', sizeof text - 1);
    write_record(&screen, (struct log_record){.level = LOG_INFO, .message = text, .device_id = text});
    json_t *record = json_loads(screen_take(&screen), 0, NULL);
    assert_non_null(record);
    json_decref(record);
    close(screen.console.fd);
}

static const char *environment_text;  // NO_COLOR or TERM of the test at hand
static const char *environment_name;

static const char *lookup(const char *name) {
    if (environment_name != NULL && strcmp(name, environment_name) == 0) return environment_text;
    return strcmp(name, "TERM") == 0 ? "xterm" : NULL;
}

static void test_colours(void **state) {
    (void)state;
    static const struct {
        const char *color, *format;
        bool terminal;
        const char *name, *text;
        bool colour;
    } cases[] = {
        {"auto", "text", true, NULL, NULL, true},       {"auto", "text", false, NULL, NULL, false},
        {"auto", "text", true, "NO_COLOR", "1", false}, {"auto", "text", true, "NO_COLOR", "", true},
        {"auto", "text", true, "TERM", "dumb", false},  {"auto", "text", true, "TERM", NULL, false},
        {"always", "text", false, NULL, NULL, true},    {"always", "text", true, "NO_COLOR", "1", true},
        {"never", "text", true, NULL, NULL, false},     {"always", "json", true, NULL, NULL, false},
    };
    static struct screen screen;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct option_values *values = option_values_new(global_options);
        option_set(values, option_find(global_options, "color", 5), "", cases[i].color, NULL);
        option_set(values, option_find(global_options, "log-format", 10), "", cases[i].format, NULL);
        environment_name = cases[i].name;
        environment_text = cases[i].text;
        screen_open(&screen);
        console_configure(&screen.console, values, cases[i].terminal, lookup);
        assert_int_equal(screen.console.colour, cases[i].colour);
        write_record(&screen, (struct log_record){.level = LOG_ERROR, .message = "m"});
        assert_int_equal(strchr(screen_take(&screen), '\033') != NULL, cases[i].colour);
        close(screen.console.fd);
        option_values_free(values);
    }
}

static void test_printable(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"plain", "plain"},
        {"ger\xc3\xa4t \xf0\x9f\x99\x82", "ger\xc3\xa4t \xf0\x9f\x99\x82"},
        {"a\nb\tc\r", "a\\x0ab\\x09c\\x0d"},
        {"\x1b[31m\x7f", "\\x1b[31m\\x7f"},
        {"\xc2\x9b"
         "1m\xc2\xa0",
         "\\xc2\\x9b1m\xc2\xa0"},
        {"\xe2\x80\xae"
         "abc\xe2\x81\xa9",
         "\\xe2\\x80\\xaeabc\\xe2\\x81\\xa9"},
        {"\xe2\x80\xa8\xe2\x80\x94", "\\xe2\\x80\\xa8\xe2\x80\x94"},
        {"\xff\xc3(", "\\xff\\xc3("},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        BUFFER_AUTO line;
        buffer_init(&line, BUFFER_UNLIMITED);
        printable_add(&line, cases[i][0]);
        assert_string_equal(buffer_string(&line), cases[i][1]);
    }
}

// A reader that went away must not hurt.
static void test_closed(void **state) {
    (void)state;
    struct console console;
    console_init(&console, -1, &clock_fixed);
    log_printf(&console.log, LOG_ERROR, "nobody hears");
    console_init(&console, open("/dev/full", O_WRONLY | O_CLOEXEC), &clock_fixed);
    log_printf(&console.log, LOG_ERROR, "nobody hears");
    close(console.fd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),      cmocka_unit_test(test_gateways), cmocka_unit_test(test_verbose),
        cmocka_unit_test(test_json),      cmocka_unit_test(test_colours),  cmocka_unit_test(test_long_texts),
        cmocka_unit_test(test_printable), cmocka_unit_test(test_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
