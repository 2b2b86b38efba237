// SPDX-License-Identifier: Apache-2.0
// Base64 (RFC 4648).
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>

// The characters that `size` bytes need, with the NUL.
#define BASE64_TEXT_SIZE(size) (((size) + 2) / 3 * 4 + 1)

// At least the bytes that `size` characters hold.
#define BASE64_DATA_SIZE(size) ((size) / 4 * 3 + 3)

// Writes the standard alphabet with padding and a NUL; `text` holds BASE64_TEXT_SIZE(size) characters.
void base64_encode(char *text, const void *data, size_t size);

// Reads the standard or the URL alphabet, with or without padding. False if `text` is anything else or holds
// more than `capacity` bytes; `data` may be partly written then.
bool base64_decode(void *data, size_t capacity, size_t *ret_size, const char *text, size_t text_size);

#endif
