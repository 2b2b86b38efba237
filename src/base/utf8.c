// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.h"

#include <stdint.h>

// The bytes of the code point at `text` (size > 0), or 0 if there is none.
static size_t utf8_step(const uint8_t *text, size_t size) {
    uint8_t first = text[0];
    if (first < 0x80) return 1;
    if (first < 0xc2 || first > 0xf4) return 0;
    size_t length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (size < length) return 0;
    uint8_t least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    uint8_t most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (text[1] < least || text[1] > most) return 0;
    for (size_t i = 2; i < length; i++) {
        if (text[i] < 0x80 || text[i] > 0xbf) return 0;
    }
    return length;
}

bool utf8_valid(const char *text, size_t size) {
    const uint8_t *bytes = (const uint8_t *)text;
    for (size_t at = 0; at < size;) {
        size_t step = utf8_step(bytes + at, size - at);
        if (step == 0) return false;
        at += step;
    }
    return true;
}

size_t utf8_prefix(const char *text, size_t size, size_t count) {
    const uint8_t *bytes = (const uint8_t *)text;
    size_t at = 0;
    for (; at < size && count > 0; count--) {
        size_t step = utf8_step(bytes + at, size - at);
        at += step == 0 ? 1 : step;
    }
    return at;
}

size_t utf8_length(const char *text, size_t size) {
    const uint8_t *bytes = (const uint8_t *)text;
    size_t count = 0;
    for (size_t at = 0; at < size; count++) {
        size_t step = utf8_step(bytes + at, size - at);
        at += step == 0 ? 1 : step;
    }
    return count;
}

bool utf8_repair(const char *text, size_t size, struct buffer *repaired) {
    const uint8_t *bytes = (const uint8_t *)text;
    bool changed = false;
    for (size_t at = 0; at < size;) {
        size_t step = utf8_step(bytes + at, size - at);
        if (step == 0) {
            buffer_puts(repaired, "\xef\xbf\xbd");
            changed = true;
            at++;
        } else {
            buffer_add(repaired, bytes + at, step);
            at += step;
        }
    }
    return changed;
}
