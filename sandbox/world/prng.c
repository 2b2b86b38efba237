// SPDX-License-Identifier: Apache-2.0
#include "world/prng.h"

uint64_t prng_next(struct prng *prng) {
    prng->state += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t z = prng->state;
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

struct prng prng_init(uint64_t seed, uint64_t stream) {
    struct prng prng = {.state = seed};
    prng.state = prng_next(&prng) ^ stream;
    prng.state = prng_next(&prng);
    return prng;
}

uint32_t prng_below(struct prng *prng, uint32_t limit) {
    return (uint32_t)(((prng_next(prng) >> 32) * limit) >> 32);
}

void prng_fill(struct prng *prng, uint8_t *data, size_t size) {
    uint64_t word = 0;
    for (size_t i = 0; i < size; i++) {
        if (i % 8 == 0) word = prng_next(prng);
        data[i] = (uint8_t)(word >> (8 * (i % 8)));
    }
}
