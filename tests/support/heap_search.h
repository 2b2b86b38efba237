// SPDX-License-Identifier: Apache-2.0
// For tests of what memory holds that was given back: the process looks for a secret in its own heap.
#ifndef SUPPORT_HEAP_SEARCH_H
#define SUPPORT_HEAP_SEARCH_H

#include <stdbool.h>
#include <stddef.h>

enum { SECRET_SIZE = 200, MARK_AT = 100, MARK_SIZE = 60 };

// Writes the secret, SECRET_SIZE letters and a NUL. It is nowhere else.
void write_secret(char *text);

// Whether the middle of the secret is here. An allocator may write over its beginning.
bool is_mark(const char *bytes);

// Looks through what the process can write to, but for its stack and static data.
bool heap_holds_secret(void);

#endif
