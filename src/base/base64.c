// SPDX-License-Identifier: Apache-2.0
#include "base/base64.h"

#include <stdint.h>

void base64_encode(char *text, const void *data, size_t size) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *bytes = data;
    for (; size >= 3; size -= 3, bytes += 3) {
        uint32_t group = (uint32_t)bytes[0] << 16 | (uint32_t)bytes[1] << 8 | bytes[2];
        *text++ = digits[group >> 18];
        *text++ = digits[group >> 12 & 63];
        *text++ = digits[group >> 6 & 63];
        *text++ = digits[group & 63];
    }
    if (size > 0) {
        uint32_t group = (uint32_t)bytes[0] << 16 | (size == 2 ? (uint32_t)bytes[1] << 8 : 0);
        *text++ = digits[group >> 18];
        *text++ = digits[group >> 12 & 63];
        *text++ = size == 2 ? digits[group >> 6 & 63] : '=';
        *text++ = '=';
    }
    *text = '\0';
}

static int base64_digit(char digit) {
    if (digit >= 'A' && digit <= 'Z') return digit - 'A';
    if (digit >= 'a' && digit <= 'z') return digit - 'a' + 26;
    if (digit >= '0' && digit <= '9') return digit - '0' + 52;
    if (digit == '+' || digit == '-') return 62;
    if (digit == '/' || digit == '_') return 63;
    return -1;
}

// The characters without their padding; SIZE_MAX if the padding is wrong.
static size_t base64_trim(const char *text, size_t size) {
    size_t padding = 0;
    while (padding < size && padding < 3 && text[size - 1 - padding] == '=') padding++;
    if (padding == 0) return size % 4 == 1 ? SIZE_MAX : size;
    return padding > 2 || size % 4 != 0 ? SIZE_MAX : size - padding;
}

bool base64_decode(void *data, size_t capacity, size_t *ret_size, const char *text, size_t text_size) {
    size_t digits = base64_trim(text, text_size);
    if (digits == SIZE_MAX) return false;
    uint8_t *bytes = data;
    size_t size = 0;
    uint32_t bits = 0;
    unsigned held = 0;
    for (size_t i = 0; i < digits; i++) {
        int digit = base64_digit(text[i]);
        if (digit < 0) return false;
        bits = (bits << 6 | (uint32_t)digit) & 0xffff;
        held += 6;
        if (held < 8) continue;
        held -= 8;
        if (size == capacity) return false;
        bytes[size++] = (uint8_t)(bits >> held);
    }
    *ret_size = size;
    return true;
}
