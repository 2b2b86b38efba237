// SPDX-License-Identifier: Apache-2.0
// V2's limiter, as recorded and read from its code: a bucket gets all its tokens of a second at once, and a
// call that would wait at most half a second for its token waits; one that would wait longer is refused and
// takes none.
#ifndef SANDBOX_WORLD_BUCKET_H
#define SANDBOX_WORLD_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct bucket {
    int64_t start;      // ns; when it was first used, full
    int64_t last_tick;  // seconds since start when it was last filled
    int64_t tokens;     // negative: so many calls wait
};

struct bucket bucket_init(int64_t now, uint32_t rate);

// Takes one token of `rate` a second. True: the call goes on after *ret_wait ns (0 = at once).
// False: it is refused.
bool bucket_take(struct bucket *bucket, int64_t now, uint32_t rate, int64_t *ret_wait);

// The same without waiting: false if there is no token at once.
bool bucket_take_at_once(struct bucket *bucket, int64_t now, uint32_t rate);

#endif
