// SPDX-License-Identifier: Apache-2.0
#include "base/option.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct option_spec table[] = {
    {.name = "flag", .type = OPTION_BOOL, .env = "T_FLAG", .default_value = "false", .help = "h"},
    {.name = "text", .type = OPTION_STRING, .env = "T_TEXT T_TEXT_OLD", .help = "h"},
    {.name = "number",
     .type = OPTION_UINT,
     .env = "T_NUMBER",
     .default_value = "16",
     .help = "h",
     .least = 1,
     .most = 100},
    {.name = "least", .type = OPTION_UINT, .help = "h", .least = 5},
    {.name = "free", .type = OPTION_UINT, .help = "h"},
    {.name = "time", .type = OPTION_DURATION, .default_value = "10s", .help = "h", .least = 1},
    {.name = "rate", .type = OPTION_RATE, .help = "h"},
    {.name = "choice",
     .type = OPTION_CHOICE,
     .choices = "auto always never",
     .default_value = "auto",
     .help = "h"},
    {.name = "key", .type = OPTION_STRING, .flags = OPTION_SECRET, .env = "T_KEY", .help = "h"},
    {.name = "list", .type = OPTION_STRING, .flags = OPTION_LIST, .help = "h"},
    {.name = NULL},
};

static int set(struct option_values *values, const char *name, const char *text, struct error *error) {
    char shown[64];
    snprintf(shown, sizeof shown, "--%s", name);
    return option_set(values, option_find(table, name, strlen(name)), shown, text, error);
}

static void test_defaults(void **state) {
    (void)state;
    struct option_values *values = option_values_new(table);
    assert_false(option_bool(values, "flag"));
    assert_null(option_string(values, "text"));
    assert_int_equal(option_uint(values, "number"), 16);
    assert_int_equal(option_duration(values, "time"), INT64_C(10000000000));
    assert_true(option_rate(values, "rate") == 0);
    assert_string_equal(option_string(values, "choice"), "auto");
    for (size_t i = 0; table[i].name != NULL; i++) assert_false(option_given(values, table[i].name));
    assert_ptr_equal(option_table(values), table);
    option_values_free(values);
    option_values_free(NULL);
}

struct text_case {
    const char *name;
    const char *text;
    int64_t value;  // -1: refused
};

static const struct text_case cases[] = {
    {"flag", "true", 1},
    {"flag", "TRUE", 1},
    {"flag", "1", 1},
    {"flag", "false", 0},
    {"flag", "0", 0},
    {"flag", "False", 0},
    {"flag", "", -1},
    {"flag", "yes", -1},
    {"flag", "true ", -1},
    {"flag", "2", -1},
    {"number", "1", 1},
    {"number", "100", 100},
    {"number", "007", 7},
    {"number", "0", -1},
    {"number", "101", -1},
    {"number", "", -1},
    {"number", "-1", -1},
    {"number", "+1", -1},
    {"number", " 1", -1},
    {"number", "1 ", -1},
    {"number", "0x10", -1},
    {"number", "1.0", -1},
    {"least", "4", -1},
    {"least", "5", 5},
    {"free", "0", 0},
    {"free", "9223372036854775807", INT64_MAX},
    {"free", "18446744073709551616", -1},
    {"free", "99999999999999999999999999", -1},
    {"time", "30s", INT64_C(30000000000)},
    {"time", "1m30s", INT64_C(90000000000)},
    {"time", "200ms", 200000000},
    {"time", "1.5h", INT64_C(5400000000000)},
    {"time", "10", INT64_C(10000000000)},
    {"time", "0.5", 500000000},
    {"time", "1us", 1000},
    {"time", "1ns", 1},
    {"time", "0", -1},
    {"time", "0s", -1},
    {"time", "", -1},
    {"time", "s", -1},
    {"time", "-1s", -1},
    {"time", "+1s", -1},
    {"time", "1m30", -1},
    {"time", "1x", -1},
    {"time", "1 s", -1},
    {"time", ".", -1},
    {"time", "9999999999999h", -1},
    {"time", "99999999999s", -1},
};

static int64_t value_of(const struct option_values *values, const char *name) {
    switch (option_find(table, name, strlen(name))->type) {
        case OPTION_BOOL:
            return option_bool(values, name);
        case OPTION_UINT:
            return (int64_t)option_uint(values, name);
        default:
            return option_duration(values, name);
    }
}

static void test_texts(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct text_case *entry = &cases[i];
        ERROR_AUTO error = {0};
        struct option_values *values = option_values_new(table);
        int64_t before = value_of(values, entry->name);
        int result = set(values, entry->name, entry->text, &error);
        if (result != (entry->value < 0 ? -ERROR_USAGE : 0)) fail_msg("%s \"%s\"", entry->name, entry->text);
        assert_int_equal(value_of(values, entry->name), entry->value < 0 ? before : entry->value);
        assert_int_equal(option_given(values, entry->name), entry->value >= 0);
        if (result != 0) assert_non_null(strstr(error.message, entry->name));
        option_values_free(values);
    }
}

// The last one counts, but of a list all do.
static void test_repeated(void **state) {
    (void)state;
    struct option_values *values = option_values_new(table);
    static const char *const texts[] = {"one", "", "three"};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(set(values, "text", texts[i], NULL), 0);
        assert_int_equal(set(values, "list", texts[i], NULL), 0);
    }
    assert_string_equal(option_string(values, "text"), "three");
    assert_string_equal(option_string(values, "list"), "one\n\nthree");
    option_values_free(values);
}

static void test_rates(void **state) {
    (void)state;
    static const char *const good[] = {"5", "0.5", "5/s", "0.25/s", "1000000"};
    static const double rates[] = {5, 0.5, 5, 0.25, 1000000};
    static const char *const bad[] = {"",    "0",   "0.0", "-1",   "1e3", "nan",
                                      "inf", "5/m", "/s",  "5 /s", "1.",  ".5"};
    struct option_values *values = option_values_new(table);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(set(values, "rate", good[i], NULL), 0);
        assert_true(option_rate(values, "rate") == rates[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (set(values, "rate", bad[i], NULL) != -ERROR_USAGE) fail_msg("\"%s\"", bad[i]);
    }
    option_values_free(values);
}

static void test_choices(void **state) {
    (void)state;
    ERROR_AUTO error = {0};
    struct option_values *values = option_values_new(table);
    assert_int_equal(set(values, "choice", "never", &error), 0);
    assert_string_equal(option_string(values, "choice"), "never");
    assert_int_equal(set(values, "choice", "nev", &error), -ERROR_USAGE);
    assert_string_equal(error.message, "--choice is \"nev\", not one of: auto always never");
    assert_int_equal(set(values, "choice", "", &error), -ERROR_USAGE);
    assert_int_equal(set(values, "choice", "auto always", &error), -ERROR_USAGE);
    option_values_free(values);
}

static void test_messages(void **state) {
    (void)state;
    ERROR_AUTO error = {0};
    struct option_values *values = option_values_new(table);
    set(values, "number", "0", &error);
    assert_string_equal(error.message, "--number is 0, but must be 1 to 100");
    set(values, "least", "0", &error);
    assert_string_equal(error.message, "--least is 0, but must be at least 5");
    set(values, "time", "soon", &error);
    assert_string_equal(error.message, "--time is \"soon\", not a duration such as 30s, 1m30s or 200ms");
    set(values, "time", "0s", &error);
    assert_string_equal(error.message, "--time is \"0s\", which is too short");
    set(values, "flag", "maybe", &error);
    assert_string_equal(error.message, "--flag is \"maybe\", not true or false");
    option_values_free(values);
}

static const char *no_variables(const char *name) {
    (void)name;
    return NULL;
}

static const char *some_variables(const char *name) {
    if (strcmp(name, "T_FLAG") == 0) return "1";
    if (strcmp(name, "T_TEXT") == 0) return "";
    if (strcmp(name, "T_TEXT_OLD") == 0) return "old";
    if (strcmp(name, "T_NUMBER") == 0) return "7";
    return NULL;
}

static const char *bad_variables(const char *name) {
    return strcmp(name, "T_FLAG") == 0 ? "enabled" : NULL;
}

static bool is_not(const void *context, const struct option_spec *spec) {
    return strcmp(spec->name, context) != 0;
}

static void test_environment(void **state) {
    (void)state;
    ERROR_AUTO error = {0};
    struct option_values *values = option_values_new(table);
    set(values, "number", "9", NULL);
    assert_int_equal(option_values_environment(values, some_variables, NULL, NULL, &error), 0);
    assert_true(option_bool(values, "flag"));
    assert_true(option_given(values, "flag"));
    assert_string_equal(option_string(values, "text"), "old");
    assert_int_equal(option_uint(values, "number"), 9);
    assert_false(option_given(values, "choice"));
    option_values_free(values);

    values = option_values_new(table);
    assert_int_equal(option_values_environment(values, no_variables, NULL, NULL, &error), 0);
    assert_false(option_given(values, "flag"));
    assert_int_equal(option_values_environment(values, bad_variables, NULL, NULL, &error), -ERROR_USAGE);
    assert_string_equal(error.message, "environment variable T_FLAG is \"enabled\", not true or false");
    error_release(&error);
    assert_int_equal(option_values_environment(values, bad_variables, is_not, "flag", &error), 0);
    assert_false(option_given(values, "flag"));
    option_values_free(values);
}

struct secret_case {
    const char *content;
    size_t size;
    const char *secret;  // NULL: refused
};

#define SECRET(content, secret) \
    { content, sizeof(content) - 1, secret }

static const struct secret_case secret_cases[] = {
    SECRET("abc\n", "abc"),     SECRET("abc", "abc"),
    SECRET("abc\r\n", "abc"),   SECRET("abc\nsecond\n", "abc"),
    SECRET(" a b \n", " a b "), SECRET("", NULL),
    SECRET("\n", NULL),         SECRET("\r\nx", NULL),
    SECRET("a\0b\n", NULL),
};

static void write_file(const char *path, const char *content, size_t size) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, size), (ssize_t)size);
    close(fd);
}

static void test_secret_files(void **state) {
    (void)state;
    char path[] = "/tmp/test_base_option_XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    const struct option_spec *key = option_find(table, "key", 3);
    for (size_t i = 0; i < sizeof secret_cases / sizeof *secret_cases; i++) {
        ERROR_AUTO error = {0};
        struct option_values *values = option_values_new(table);
        write_file(path, secret_cases[i].content, secret_cases[i].size);
        int result = option_set_from_file(values, key, "--key-file", path, &error);
        assert_int_equal(result, secret_cases[i].secret == NULL ? -ERROR_USAGE : 0);
        if (result == 0) assert_string_equal(option_string(values, "key"), secret_cases[i].secret);
        if (result != 0) assert_non_null(strstr(error.message, "--key-file"));
        option_values_free(values);
    }
    unlink(path);
}

static void test_secret_file_limits(void **state) {
    (void)state;
    char path[] = "/tmp/test_base_option_XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    ERROR_AUTO error = {0};
    const struct option_spec *key = option_find(table, "key", 3);
    struct option_values *values = option_values_new(table);
    char line[5000];
    memset(line, 'k', sizeof line);
    write_file(path, line, 4096);
    assert_int_equal(option_set_from_file(values, key, "--key-file", path, &error), 0);
    assert_int_equal(strlen(option_string(values, "key")), 4096);
    memcpy(line + 4096, "\r\n", 2);
    write_file(path, line, sizeof line);
    assert_int_equal(option_set_from_file(values, key, "--key-file", path, &error), -ERROR_USAGE);
    write_file(path, line, 4095);
    assert_int_equal(option_set_from_file(values, key, "--key-file", path, &error), 0);
    assert_int_equal(strlen(option_string(values, "key")), 4095);
    assert_int_equal(option_set_from_file(values, key, "--key-file", "/nonexistent/x", &error), -ERROR_USAGE);
    assert_string_equal(error.message, "--key-file: cannot read /nonexistent/x: No such file or directory");
    // The secret itself in place of a file's name.
    assert_int_equal(option_set_from_file(values, key, "--key-file", "made-up-secret", &error), -ERROR_USAGE);
    assert_string_equal(error.message, "--key-file: there is no such file");
    assert_int_equal(option_set_from_file(values, key, "--key-file", "/", &error), -ERROR_USAGE);
    option_values_free(values);
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_repeated),
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_choices),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_environment),
        cmocka_unit_test(test_secret_files),
        cmocka_unit_test(test_secret_file_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
