// SPDX-License-Identifier: Apache-2.0
// UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF.
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

bool utf8_valid(const char *text, size_t size);

// The number of code points; each byte that belongs to none counts as one.
size_t utf8_length(const char *text, size_t size);

// The bytes that the first `count` code points take.
size_t utf8_prefix(const char *text, size_t size, size_t count);

// Appends the text with U+FFFD in place of each byte that belongs to no code point.
// True if there was such a byte.
bool utf8_repair(const char *text, size_t size, struct buffer *repaired);

#endif
