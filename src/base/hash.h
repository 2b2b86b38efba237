// SPDX-License-Identifier: Apache-2.0
// FNV-1a of 64 bits (Fowler, Noll, Vo): for tables in memory, not for secrets.
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_START UINT64_C(14695981039346656037)

// Goes on from `hash`: HASH_START, or what another call has returned.
static inline uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) hash = (hash ^ ((const uint8_t *)bytes)[i]) * UINT64_C(1099511628211);
    return hash;
}

#endif
