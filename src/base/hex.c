// SPDX-License-Identifier: Apache-2.0
#include "base/hex.h"

#include <stdint.h>

static void hex_encode(char *text, const void *data, size_t size, const char digits[static 16]) {
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    text[2 * size] = '\0';
}

void hex_encode_upper(char *text, const void *data, size_t size) {
    hex_encode(text, data, size, "0123456789ABCDEF");
}

void hex_encode_lower(char *text, const void *data, size_t size) {
    hex_encode(text, data, size, "0123456789abcdef");
}

static int hex_digit(char digit) {
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
    return -1;
}

bool hex_decode(void *data, size_t size, const char *text, size_t text_size) {
    if (text_size % 2 != 0 || text_size / 2 != size) return false;
    for (size_t i = 0; i < text_size; i++) {
        if (hex_digit(text[i]) < 0) return false;
    }
    uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
    }
    return true;
}
