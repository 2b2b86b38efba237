// SPDX-License-Identifier: Apache-2.0
// Numbers as the shortest decimals that read back.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <stdio.h>

#include "support/device_text.h"

static void assert_double(double number, const char *expected) {
    struct buffer text;
    buffer_init(&text, 100);
    json_write_double(number, &text);
    assert_string_equal(buffer_string(&text), expected);
    buffer_release(&text);
}

static void assert_float(float number, const char *expected) {
    struct buffer text;
    buffer_init(&text, 100);
    json_write_float(number, &text);
    assert_string_equal(buffer_string(&text), expected);
    buffer_release(&text);
}

static void test_doubles(void **state) {
    (void)state;
    static const struct {
        double number;
        const char *text;
    } rows[] = {
        {0, "0"},
        {-0.0, "-0"},
        {1, "1"},
        {-1, "-1"},
        {52.37, "52.37"},
        {4.88, "4.88"},
        {0.1, "0.1"},
        {0.3, "0.3"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1.0 / 3, "0.3333333333333333"},
        {100, "100"},
        {123456789012345678.0, "123456789012345680"},
        {1e15, "1000000000000000"},
        {9007199254740993.0, "9007199254740992"},
        {1e20, "100000000000000000000"},
        {999999999999999900000.0, "999999999999999900000"},
        {1e21, "1e+21"},
        {1.5e300, "1.5e+300"},
        {1e-6, "0.000001"},
        {1.25e-6, "0.00000125"},
        {9.9e-7, "9.9e-07"},
        {1e-7, "1e-07"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {DBL_MIN, "2.2250738585072014e-308"},
        {5e-324, "5e-324"},
        {-180, "-180"},
        {179.99999999999997, "179.99999999999997"},
        {NAN, "\"NaN\""},
        {INFINITY, "\"Infinity\""},
        {-INFINITY, "\"-Infinity\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) assert_double(rows[i].number, rows[i].text);
}

static void test_floats(void **state) {
    (void)state;
    static const struct {
        float number;
        const char *text;
    } rows[] = {
        {16, "16"},
        {14.0F, "14"},
        {12.15F, "12.15"},
        {0.1F, "0.1"},
        {0.3F, "0.3"},
        {1.0F / 3, "0.33333334"},
        {16777216.0F, "16777216"},
        {3.4028235e38F, "3.4028235e+38"},
        {1e-45F, "1e-45"},
        {1e21F, "1e+21"},
        {1e-6F, "0.000001"},
        {1e-7F, "1e-07"},
        {52.373F, "52.373"},
        {4.8834343F, "4.8834343"},
        {-0.5F, "-0.5"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) assert_float(rows[i].number, rows[i].text);
}

static uint64_t next_random(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

// The fewest digits with which printf comes back to the number.
static size_t fewest_digits(double number) {
    char text[40];
    for (int digits = 1; digits < 17; digits++) {
        snprintf(text, sizeof text, "%.*e", digits - 1, number);
        if (strtod(text, NULL) == number) return (size_t)digits;
    }
    return 17;
}

static size_t count_digits(const char *text) {
    size_t digits = 0, zeros = 0;
    for (; *text != '\0' && *text != 'e'; text++) {
        if (*text < '0' || *text > '9' || (*text == '0' && digits + zeros == 0)) continue;
        if (*text == '0') {
            zeros++;
        } else {
            digits += zeros + 1;
            zeros = 0;
        }
    }
    return digits;
}

static void assert_shortest(double number) {
    struct buffer text;
    buffer_init(&text, 100);
    json_write_double(number, &text);
    assert_true(strtod(buffer_string(&text), NULL) == number);
    assert_int_equal(count_digits(buffer_string(&text)), fewest_digits(number));
    buffer_release(&text);
}

static void test_random_doubles_are_shortest(void **state) {
    (void)state;
    uint64_t seed = 88172645463325252U;
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = next_random(&seed);
        double number;
        memcpy(&number, &bits, sizeof number);
        if (isfinite(number)) assert_shortest(number);
        // Coordinates with a few decimals.
        assert_shortest((double)(int64_t)(bits % 360000001) / 1e6);
    }
}

static void test_random_floats_read_back(void **state) {
    (void)state;
    uint64_t seed = 1234567891011U;
    for (int i = 0; i < 20000; i++) {
        uint32_t bits = (uint32_t)next_random(&seed);
        float number;
        memcpy(&number, &bits, sizeof number);
        if (!isfinite(number)) continue;
        struct buffer text;
        buffer_init(&text, 100);
        json_write_float(number, &text);
        assert_true(strtof(buffer_string(&text), NULL) == number);
        assert_true(count_digits(buffer_string(&text)) <= 9);
        buffer_release(&text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_doubles),
        cmocka_unit_test(test_floats),
        cmocka_unit_test(test_random_doubles_are_shortest),
        cmocka_unit_test(test_random_floats_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
