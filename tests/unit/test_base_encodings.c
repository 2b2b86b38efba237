// SPDX-License-Identifier: Apache-2.0
// Hex, base64, UTF-8, points in time and durations.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/duration.h"
#include "base/hex.h"
#include "base/rfc3339.h"
#include "base/utf8.h"

static void test_hex(void **state) {
    (void)state;
    static const uint8_t bytes[] = {0x00, 0x9f, 0xa5, 0xff};
    char text[HEX_TEXT_SIZE(sizeof bytes)];
    uint8_t back[sizeof bytes] = {1, 2, 3, 4};
    hex_encode_upper(text, bytes, sizeof bytes);
    assert_string_equal(text, "009FA5FF");
    hex_encode_lower(text, bytes, sizeof bytes);
    assert_string_equal(text, "009fa5ff");
    assert_true(hex_decode(back, sizeof back, "009fA5Ff", 8));
    assert_memory_equal(back, bytes, sizeof bytes);
    static const char *const wrong[] = {"",         "009FA5F",  "009FA5FF0", "009FA5FG",
                                        "009FA5F ", "0x9FA5FF", "009FA5FF00"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        memset(back, 7, sizeof back);
        assert_false(hex_decode(back, sizeof back, wrong[i], strlen(wrong[i])));
        assert_int_equal(back[0], 7);
    }
    assert_true(hex_decode(back, 0, "", 0));
}

static void test_base64(void **state) {
    (void)state;
    // RFC 4648, section 10.
    static const struct {
        const char *data;
        const char *text;
    } rows[] = {{"", ""},
                {"f", "Zg=="},
                {"fo", "Zm8="},
                {"foo", "Zm9v"},
                {"foob", "Zm9vYg=="},
                {"fooba", "Zm9vYmE="},
                {"foobar", "Zm9vYmFy"},
                {"\xfb\xff\xbf", "+/+/"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[BASE64_TEXT_SIZE(8)];
        uint8_t data[BASE64_DATA_SIZE(8)];
        size_t size;
        base64_encode(text, rows[i].data, strlen(rows[i].data));
        assert_string_equal(text, rows[i].text);
        size_t ends[] = {strlen(text), strcspn(text, "=")};  // with and without padding
        for (size_t j = 0; j < 2; j++) {
            assert_true(base64_decode(data, sizeof data, &size, text, ends[j]));
            assert_int_equal(size, strlen(rows[i].data));
            assert_memory_equal(data, rows[i].data, size);
        }
    }
}

static void test_base64_variants(void **state) {
    (void)state;
    uint8_t data[8];
    size_t size;
    static const char *const wrong[] = {"A",    "AAAAA",    "A===", "AA=",    "AAA==", "=",    "====",
                                        "AA=A", "AA==AA==", "A A=", "AA\n==", "AAAA=", "AA.A", "\xc3\xa9=="};
    assert_true(base64_decode(data, sizeof data, &size, "-_-_", 4));
    assert_memory_equal(data, "\xfb\xff\xbf", 3);
    assert_true(base64_decode(data, sizeof data, &size, "Zg", 2));
    assert_int_equal(size, 1);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        if (base64_decode(data, sizeof data, &size, wrong[i], strlen(wrong[i])))
            print_error("%s\n", wrong[i]);
        assert_false(base64_decode(data, sizeof data, &size, wrong[i], strlen(wrong[i])));
    }
    assert_false(base64_decode(data, 2, &size, "Zm9v", 4));
}

static void test_utf8(void **state) {
    (void)state;
    static const char *const good[] = {"",
                                       "abc",
                                       "\xc2\x80",
                                       "\xdf\xbf",
                                       "\xe0\xa0\x80",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xef\xbf\xbf",
                                       "\xf0\x90\x80\x80",
                                       "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {"\x80",
                                      "\xbf",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xc2",
                                      "\xe0\x9f\xbf",
                                      "\xe0\xa0",
                                      "\xed\xa0\x80",
                                      "\xed\xbf\xbf",
                                      "\xef\xbf",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xff",
                                      "\xc3(",
                                      "a\xe2\x82"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(utf8_valid(good[i], strlen(good[i])));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) assert_false(utf8_valid(bad[i], strlen(bad[i])));
    assert_int_equal(utf8_length("a\xc3\xa9\xf0\x9f\x93\xa1", 7), 3);
    assert_int_equal(utf8_length("\xff\xc3", 2), 2);
    assert_int_equal(utf8_prefix("a\xc3\xa9z", 4, 2), 3);
    assert_int_equal(utf8_prefix("a\xc3\xa9z", 4, 9), 4);
    assert_int_equal(utf8_prefix("abc", 3, 0), 0);
    struct buffer text;
    buffer_init(&text, 100);
    assert_true(utf8_repair("a\xff\xc3\xa9\xe2\x82", 6, &text));
    assert_string_equal(buffer_string(&text), "a\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd");
    buffer_clear(&text);
    assert_false(utf8_repair("abc", 3, &text));
    assert_string_equal(buffer_string(&text), "abc");
    buffer_release(&text);
}

static void test_times(void **state) {
    (void)state;
    static const struct {
        int64_t seconds;
        int32_t nanos;
        const char *text;
    } rows[] = {
        {0, 0, "1970-01-01T00:00:00Z"},
        {-1, 999999999, "1969-12-31T23:59:59.999999999Z"},
        {951782400, 0, "2000-02-29T00:00:00Z"},
        {1709251199, 120000000, "2024-02-29T23:59:59.120Z"},
        {4107542400, 1000, "2100-03-01T00:00:00.000001Z"},
        {RFC3339_SECONDS_MIN, 0, "0001-01-01T00:00:00Z"},
        {RFC3339_SECONDS_MAX, 999999999, "9999-12-31T23:59:59.999999999Z"},
        {-2203891200, 0, "1900-03-01T00:00:00Z"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[RFC3339_TEXT_SIZE];
        int64_t seconds;
        int32_t nanos;
        assert_int_equal(rfc3339_format(text, rows[i].seconds, rows[i].nanos), strlen(rows[i].text));
        assert_string_equal(text, rows[i].text);
        assert_true(rfc3339_parse(text, strlen(text), &seconds, &nanos));
        assert_true(seconds == rows[i].seconds);
        assert_int_equal(nanos, rows[i].nanos);
    }
    char text[RFC3339_TEXT_SIZE];
    assert_int_equal(rfc3339_format(text, RFC3339_SECONDS_MAX + 1, 0), 0);
    assert_int_equal(rfc3339_format(text, RFC3339_SECONDS_MIN - 1, 0), 0);
    assert_int_equal(rfc3339_format(text, 0, -1), 0);
    assert_int_equal(rfc3339_format(text, 0, 1000000000), 0);
    assert_true(rfc3339_format_ns(text, -1) > 0);
    assert_string_equal(text, "1969-12-31T23:59:59.999999999Z");
}

// Every day of 800 years, forth and back.
static void test_every_day(void **state) {
    (void)state;
    for (int64_t day = -146097; day < 146097; day++) {
        char text[RFC3339_TEXT_SIZE];
        int64_t seconds;
        int32_t nanos;
        size_t size = rfc3339_format(text, day * 86400 + 1, 0);
        assert_true(rfc3339_parse(text, size, &seconds, &nanos));
        assert_true(seconds == day * 86400 + 1);
    }
}

static void test_times_refused(void **state) {
    (void)state;
    static const char *const wrong[] = {
        "",
        "Z",
        "2024-01-01",
        "2024-01-01T00:00:00",
        "2024-01-01T00:00:00z",
        "2024-01-01t00:00:00Z",
        "2024-01-01 00:00:00Z",
        "2024-01-01T00:00:00+00:00",
        "2024-01-01T00:00:00.Z",
        "2024-01-01T00:00:00.1234567890Z",
        "2024-01-01T00:00:00,1Z",
        "2024-01-01T00:00:00.1xZ",
        "2024-00-01T00:00:00Z",
        "2024-13-01T00:00:00Z",
        "2024-01-00T00:00:00Z",
        "2024-04-31T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2024-01-01T24:00:00Z",
        "2024-01-01T00:60:00Z",
        "2024-01-01T00:00:60Z",
        "0000-01-01T00:00:00Z",
        "+024-01-01T00:00:00Z",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        int64_t seconds;
        int32_t nanos;
        assert_false(rfc3339_parse(wrong[i], strlen(wrong[i]), &seconds, &nanos));
    }
}

static void test_durations(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds;
        int32_t nanos;
        const char *written;
    } rows[] = {
        {"0", 0, 0, "0s"},
        {"0s", 0, 0, "0s"},
        {"1.5s", 1, 500000000, "1.500s"},
        {"-1.5s", -1, -500000000, "-1.500s"},
        {"+2s", 2, 0, "2s"},
        {"1m30s", 90, 0, "90s"},
        {"1h1m1s1ms1us1ns", 3661, 1001001, "3661.001001001s"},
        {"1.5h", 5400, 0, "5400s"},
        {"100us", 0, 100000, "0.000100s"},
        {"1\xc2\xb5s", 0, 1000, "0.000001s"},
        {"1\xce\xbcs", 0, 1000, "0.000001s"},
        {".5s", 0, 500000000, "0.500s"},
        {"1.s", 1, 0, "1s"},
        {"0.0000000019s", 0, 1, "0.000000001s"},
        {"315576000000s", 315576000000, 0, "315576000000s"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[DURATION_TEXT_SIZE];
        int64_t seconds;
        int32_t nanos;
        assert_true(duration_parse(rows[i].text, strlen(rows[i].text), &seconds, &nanos));
        assert_true(seconds == rows[i].seconds);
        assert_int_equal(nanos, rows[i].nanos);
        assert_int_equal(duration_format(text, seconds, nanos), strlen(rows[i].written));
        assert_string_equal(text, rows[i].written);
    }
}

static void test_durations_refused(void **state) {
    (void)state;
    static const char *const wrong[] = {"",
                                        "-",
                                        "1",
                                        "s",
                                        ".s",
                                        "1x",
                                        "1 s",
                                        "1s ",
                                        "--1s",
                                        "1s-1s",
                                        "1m30",
                                        "1e3s",
                                        "315576000001s",
                                        "99999999999999999999s",
                                        "1d"};
    char text[DURATION_TEXT_SIZE];
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        int64_t seconds;
        int32_t nanos;
        if (duration_parse(wrong[i], strlen(wrong[i]), &seconds, &nanos)) print_error("%s\n", wrong[i]);
        assert_false(duration_parse(wrong[i], strlen(wrong[i]), &seconds, &nanos));
    }
    assert_int_equal(duration_format(text, DURATION_SECONDS_MAX + 1, 0), 0);
    assert_int_equal(duration_format(text, 1, -1), 0);
    assert_int_equal(duration_format(text, 0, 1000000000), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hex),
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_base64_variants),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_every_day),
        cmocka_unit_test(test_times_refused),
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_durations_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
