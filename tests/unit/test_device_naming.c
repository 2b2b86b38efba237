// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "device/naming.h"
#include "device/naming_p.h"
#include "device/pattern.h"

static const uint8_t eui[8] = {0x70, 0xb3, 0xd5, 0x7e, 0xd0, 0x00, 0xab, 0xcd};

static void test_ids(void **state) {
    (void)state;
    static const struct {
        struct device_naming naming;
        const char *source;
        const uint8_t *eui;
        const char *expected;
    } rows[] = {
        {{NULL, false}, "my-device", eui, "my-device"},
        {{NULL, false}, "my_device_1", NULL, "my-device-1"},
        {{"", false}, "abc", NULL, "abc"},
        {{"v2", false}, "my_device", NULL, "v2-my-device"},
        {{NULL, false}, "", eui, "70b3d57ed000abcd"},
        {{NULL, false}, NULL, eui, "70b3d57ed000abcd"},
        {{NULL, true}, "my-device", eui, "eui-70b3d57ed000abcd"},
        {{"v2", true}, "my-device", eui, "v2-eui-70b3d57ed000abcd"},
        {{"v2", false}, "a", NULL, "v2-a"},
        {{NULL, false}, "a23456789012345678901234567890123456", NULL, "a23456789012345678901234567890123456"},
        {{"v2", false}, "admin", NULL, "v2-admin"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char id[DEVICE_ID_SIZE];
        struct error error = {0};
        assert_int_equal(device_id_make(&rows[i].naming, rows[i].source, rows[i].eui, id, &error), 0);
        assert_string_equal(id, rows[i].expected);
    }
}

static void test_ids_refused(void **state) {
    (void)state;
    static const struct {
        struct device_naming naming;
        const char *source;
        const char *reason;
    } rows[] = {
        {{NULL, false}, "a234567890123456789012345678901234567", "longer than 36"},
        {{"v2", false}, "a2345678901234567890123456789012345", "longer than 36"},
        {{NULL, false}, "ab", "shorter than 3"},
        {{NULL, false}, "a-b", "shorter than 3"},
        {{NULL, false}, "Abc", "may only hold"},
        {{NULL, false}, "a__b_c", "may only hold"},
        {{NULL, false}, "_abc", "may only hold"},
        {{NULL, false}, "abc-", "may only hold"},
        {{NULL, false}, "a.bc", "may only hold"},
        {{NULL, false}, "admin", "reserved"},
        {{NULL, false}, "api_key", "reserved"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char id[DEVICE_ID_SIZE] = "untouched";
        struct error error = {0};
        assert_int_equal(device_id_make(&rows[i].naming, rows[i].source, eui, id, &error), -ERROR_DEVICE);
        assert_non_null(strstr(error.message, rows[i].reason));
        assert_non_null(strstr(error.hint, "--dev-id-prefix"));
        assert_non_null(strstr(error.hint, "--set-eui-as-id"));
        assert_string_equal(id, "untouched");
        error_release(&error);
    }
}

static void test_no_eui(void **state) {
    (void)state;
    char id[DEVICE_ID_SIZE];
    struct error error = {0};
    struct device_naming by_eui = {.eui_as_id = true}, plain = {0};
    assert_int_equal(device_id_make(&by_eui, "abc", NULL, id, &error), -ERROR_DEVICE);
    assert_int_equal(device_id_make(&plain, "", NULL, id, &error), -ERROR_DEVICE);
    error_release(&error);
}

static void test_reserved_words(void **state) {
    (void)state;
    static const char *const reserved[] = {"about", "admin", "api", "console", "default", "new", "dev"};
    static const char *const free_words[] = {"", "device-1", "abou", "aboutx", "zzz"};
    assert_int_equal(device_reserved_ids_count, 731);
    for (size_t i = 1; i < device_reserved_ids_count; i++) {
        assert_true(strcmp(device_reserved_ids[i - 1], device_reserved_ids[i]) < 0);
    }
    for (size_t i = 0; i < device_reserved_ids_count; i++) {
        assert_true(device_id_valid(device_reserved_ids[i]));
        assert_true(device_id_reserved(device_reserved_ids[i]));
    }
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++) {
        assert_true(device_id_reserved(reserved[i]));
    }
    for (size_t i = 0; i < sizeof free_words / sizeof free_words[0]; i++) {
        assert_false(device_id_reserved(free_words[i]));
    }
}

static const struct {
    enum schema_pattern pattern;
    const char *text;
    bool matches;
} patterns[] = {
    {PATTERN_ID, "abc", true},
    {PATTERN_ID, "", false},
    {PATTERN_ID_OR_EMPTY, "", true},
    {PATTERN_ID_OR_EMPTY, "ab", false},
    {PATTERN_USER_ID, "ab", true},
    {PATTERN_USER_ID, "a", false},
    {PATTERN_HOST, "", true},
    {PATTERN_HOST, "localhost", true},
    {PATTERN_HOST, "127.0.0.1", true},
    {PATTERN_HOST, "eu1.cloud.thethings.network:8884", true},
    {PATTERN_HOST, "a--b.C", true},
    {PATTERN_HOST, "a:1", true},
    {PATTERN_HOST, "a:123456", false},
    {PATTERN_HOST, "a:", false},
    {PATTERN_HOST, "a:1x", false},
    {PATTERN_HOST, "a.", false},
    {PATTERN_HOST, ".a", false},
    {PATTERN_HOST, "a..b", false},
    {PATTERN_HOST, "-a", false},
    {PATTERN_HOST, "a-.b", false},
    {PATTERN_HOST, "a-", false},
    {PATTERN_HOST, "http://a", false},
    {PATTERN_HOST, "[::1]", false},
    {PATTERN_HOST, "a b", false},
    {PATTERN_HOST, ":80", false},
    {PATTERN_ADDRESS, "mqtts://a:8883", true},
    {PATTERN_ADDRESS, "a", true},
    {PATTERN_ADDRESS, "h://a", false},
    {PATTERN_ADDRESS, "abcdef://a", false},
    {PATTERN_CODE, "aB3", true},
    {PATTERN_CODE, "", false},
    {PATTERN_CODE, "12345678901234567890123456789012", true},
    {PATTERN_CODE, "123456789012345678901234567890123", false},
    {PATTERN_CODE, "a-b", false},
};

static void test_patterns(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        if (pattern_matches(patterns[i].pattern, patterns[i].text) != patterns[i].matches)
            print_error("%s\n", patterns[i].text);
        assert_int_equal(pattern_matches(patterns[i].pattern, patterns[i].text), patterns[i].matches);
    }
    assert_true(pattern_is_uri("https://a/b?c=%20#d"));
    assert_false(pattern_is_uri("a/b"));
    assert_false(pattern_is_uri("https:"));
    assert_false(pattern_is_uri("https://a b"));
    assert_true(pattern_is_uri_ref("a/b"));
    assert_false(pattern_is_uri_ref("%2"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ids),      cmocka_unit_test(test_ids_refused),
        cmocka_unit_test(test_no_eui),   cmocka_unit_test(test_reserved_words),
        cmocka_unit_test(test_patterns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
