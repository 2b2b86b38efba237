// SPDX-License-Identifier: Apache-2.0
#include "cli/printable.h"

#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

// True for code points (as UTF-8) that move the cursor, change colours or reorder what stands around them:
// C0, DEL, C1, line and paragraph separators, and the marks and overrides of direction.
static bool is_control(const uint8_t *point, size_t size) {
    if (size == 1) return point[0] < 0x20 || point[0] == 0x7f;
    if (size == 2) return point[0] == 0xc2 && point[1] < 0xa0;
    if (size != 3 || point[0] != 0xe2) return false;
    if (point[1] == 0x80)
        return (point[2] >= 0x8e && point[2] <= 0x8f) || (point[2] >= 0xa8 && point[2] <= 0xae);
    return point[1] == 0x81 && point[2] >= 0xa6 && point[2] <= 0xa9;
}

void printable_add(struct buffer *line, const char *text) {
    if (text == NULL) return;
    size_t size = strnlen(text, PRINTABLE_MAX + 1);
    bool cut = size > PRINTABLE_MAX;
    if (cut) size = PRINTABLE_MAX;
    for (size_t at = 0; at < size;) {
        size_t step = utf8_prefix(text + at, size - at, 1);
        const uint8_t *point = (const uint8_t *)text + at;
        if (utf8_valid(text + at, step) && !is_control(point, step)) {
            buffer_add(line, point, step);
        } else {
            for (size_t i = 0; i < step; i++) buffer_printf(line, "\\x%02x", point[i]);
        }
        at += step;
    }
    if (cut) buffer_puts(line, "...");
}
