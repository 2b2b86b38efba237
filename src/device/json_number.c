// SPDX-License-Identifier: Apache-2.0
// The shortest decimal of a binary number, laid out as The Things Stack does: no exponent from 1e-6 up to
// below 1e21, else one of at least two digits.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/json_write.h"

enum { DIGITS_MAX = 17 };

// 0.d1d2d3... times 10^point
struct decimal {
    char digits[DIGITS_MAX + 7];
    int count;
    int point;
};

static void decimal_of_integer(uint64_t number, int decimals, struct decimal *decimal) {
    char reversed[20] = "";
    int size = 0;
    for (; number > 0; number /= 10) reversed[size++] = (char)('0' + number % 10);
    decimal->point = size - decimals;
    int zeros = 0;
    while (zeros < size && reversed[zeros] == '0') zeros++;
    decimal->count = size - zeros;
    for (int i = 0; i < decimal->count; i++) decimal->digits[i] = reversed[size - 1 - i];
}

// True if rounding this double to a float might go either way, so that having been rounded to a double before
// might matter.
static bool is_between_floats(double number) {
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    return (bits & 0x1fffffff) == 0x10000000;
}

static bool reads_back(double candidate, double number, bool is_float) {
    if (!is_float) return candidate == number;
    return !is_between_floats(candidate) && (double)(float)candidate == number;
}

// Numbers of people have few decimals. n / 10^k is exact up to its one rounding (n < 2^53, k < 23), so the
// first k that gives the number back is the shortest.
static bool decimal_try_short(double number, bool is_float, struct decimal *decimal) {
    static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
    for (int k = 0; k < (int)(sizeof powers / sizeof powers[0]); k++) {
        double scaled = nearbyint(number * powers[k]);
        // Above 2^24 a float may be shorter than its integer.
        if (scaled >= (is_float ? 16777216.0 : 1e15)) return false;
        if (scaled < 1 || !reads_back(scaled / powers[k], number, is_float)) continue;
        decimal_of_integer((uint64_t)scaled, k, decimal);
        return true;
    }
    return false;
}

static void decimal_search(double number, bool is_float, struct decimal *decimal) {
    char text[DIGITS_MAX + 16];
    for (int count = 1; count <= DIGITS_MAX; count++) {
        snprintf(text, sizeof text, "%.*e", count - 1, number);
        double back = is_float ? (double)strtof(text, NULL) : strtod(text, NULL);
        if (back == number) break;
    }
    decimal->count = 0;
    for (const char *at = text; *at != 'e'; at++) {
        if (*at >= '0' && *at <= '9') decimal->digits[decimal->count++] = *at;
    }
    decimal->point = (int)strtol(strchr(text, 'e') + 1, NULL, 10) + 1;
    while (decimal->count > 1 && decimal->digits[decimal->count - 1] == '0') decimal->count--;
}

static char *put(char *to, const char *from, int size) {
    memcpy(to, from, (size_t)size);
    return to + size;
}

static char *put_zeros(char *to, int count) {
    memset(to, '0', (size_t)count);
    return to + count;
}

static char *put_exponent(char *to, const struct decimal *decimal) {
    int exponent = decimal->point - 1;
    *to++ = decimal->digits[0];
    if (decimal->count > 1) {
        *to++ = '.';
        to = put(to, decimal->digits + 1, decimal->count - 1);
    }
    *to++ = 'e';
    *to++ = exponent < 0 ? '-' : '+';
    if (exponent < 0) exponent = -exponent;
    if (exponent >= 100) *to++ = (char)('0' + exponent / 100);
    *to++ = (char)('0' + exponent / 10 % 10);
    *to++ = (char)('0' + exponent % 10);
    return to;
}

static char *put_decimal(char *to, const struct decimal *decimal) {
    if (decimal->point < -5 || decimal->point > 21) return put_exponent(to, decimal);
    if (decimal->point <= 0) {
        to = put(to, "0.", 2);
        to = put_zeros(to, -decimal->point);
        return put(to, decimal->digits, decimal->count);
    }
    if (decimal->count <= decimal->point) {
        to = put(to, decimal->digits, decimal->count);
        return put_zeros(to, decimal->point - decimal->count);
    }
    to = put(to, decimal->digits, decimal->point);
    *to++ = '.';
    return put(to, decimal->digits + decimal->point, decimal->count - decimal->point);
}

static void write_number(double number, bool is_float, struct buffer *json) {
    char text[64];
    char *end = text;
    struct decimal decimal = {0};
    if (isnan(number)) {
        buffer_add(json, "\"NaN\"", 5);
        return;
    }
    if (isinf(number)) {
        buffer_puts(json, number < 0 ? "\"-Infinity\"" : "\"Infinity\"");
        return;
    }
    if (signbit(number)) *end++ = '-';
    number = fabs(number);
    if (number == 0) {
        *end++ = '0';
    } else {
        if (!decimal_try_short(number, is_float, &decimal)) decimal_search(number, is_float, &decimal);
        end = put_decimal(end, &decimal);
    }
    buffer_add(json, text, (size_t)(end - text));
}

void json_write_double(double number, struct buffer *json) {
    write_number(number, false, json);
}

void json_write_float(float number, struct buffer *json) {
    write_number((double)number, true, json);
}
