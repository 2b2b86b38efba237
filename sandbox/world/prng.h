// SPDX-License-Identifier: Apache-2.0
// Reproducible numbers: SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators",
// 2014). Integers only, so every compiler and machine makes the same world of a seed.
#ifndef SANDBOX_WORLD_PRNG_H
#define SANDBOX_WORLD_PRNG_H

#include <stddef.h>
#include <stdint.h>

struct prng {
    uint64_t state;
};

// A stream of its own for each pair, so that a device does not depend on those before it.
struct prng prng_init(uint64_t seed, uint64_t stream);

uint64_t prng_next(struct prng *prng);

// A number in [0, limit); limit is above 0.
uint32_t prng_below(struct prng *prng, uint32_t limit);

// Bytes, the same on any byte order.
void prng_fill(struct prng *prng, uint8_t *data, size_t size);

#endif
