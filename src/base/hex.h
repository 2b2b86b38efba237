// SPDX-License-Identifier: Apache-2.0
// Bytes as hexadecimal digits.
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include <stdbool.h>
#include <stddef.h>

// The characters that `size` bytes need, with the NUL.
#define HEX_TEXT_SIZE(size) (2 * (size) + 1)

// Writes 2 * size digits and a NUL; `text` holds HEX_TEXT_SIZE(size) characters.
void hex_encode_upper(char *text, const void *data, size_t size);
void hex_encode_lower(char *text, const void *data, size_t size);

// Reads exactly 2 * size digits of any case. False, with `data` untouched, if `text` is anything else.
bool hex_decode(void *data, size_t size, const char *text, size_t text_size);

#endif
