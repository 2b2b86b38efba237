// SPDX-License-Identifier: Apache-2.0
// What every fuzz target shares.
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/memory.h"

// A decoder's target: takes any bytes, must neither crash, hang, leak nor break what it promises. Returns 0.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// A promise of the decoder, checked in every build.
#define fuzz_check(condition)      \
    do {                           \
        if (!(condition)) abort(); \
    } while (0)

// The input as a string (it ends at the first NUL); the caller frees it.
static inline char *fuzz_string(const uint8_t *data, size_t size) {
    return memory_strndup((const char *)data, size);
}

#endif
