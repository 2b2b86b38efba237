// SPDX-License-Identifier: Apache-2.0
// Time and randomness as interfaces, so that a whole run can be replayed with others.
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define NS_PER_SECOND INT64_C(1000000000)
#define NS_PER_MS     INT64_C(1000000)

struct clock {
    void *context;
    int64_t (*monotonic)(void *context);  // ns, never goes back
    int64_t (*wall)(void *context);       // ns since 1970-01-01 UTC
};

struct random {
    void *context;
    void (*fill)(void *context, void *data, size_t size);  // unpredictable bytes
};

int64_t clock_monotonic(const struct clock *clock);
int64_t clock_wall(const struct clock *clock);

// A number in [0, limit); 0 if limit is 0.
uint64_t random_below(const struct random *random, uint64_t limit);

// The machine's own.
extern const struct clock clock_system;
extern const struct random random_system;

#endif
