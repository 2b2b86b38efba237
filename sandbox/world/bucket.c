// SPDX-License-Identifier: Apache-2.0
#include "world/bucket.h"

#include "base/clock.h"

#define LONGEST_WAIT (NS_PER_SECOND / 2)

struct bucket bucket_init(int64_t now, uint32_t rate) {
    return (struct bucket){.start = now, .tokens = rate};
}

static int64_t fill(struct bucket *bucket, int64_t now, uint32_t rate) {
    int64_t tick = (now - bucket->start) / NS_PER_SECOND;
    bucket->tokens += (tick - bucket->last_tick) * rate;
    if (bucket->tokens > rate) bucket->tokens = rate;
    bucket->last_tick = tick;
    return tick;
}

bool bucket_take_at_once(struct bucket *bucket, int64_t now, uint32_t rate) {
    fill(bucket, now, rate);
    if (bucket->tokens <= 0) return false;
    bucket->tokens--;
    return true;
}

bool bucket_take(struct bucket *bucket, int64_t now, uint32_t rate, int64_t *ret_wait) {
    int64_t tick = fill(bucket, now, rate);
    if (bucket->tokens > 0) {
        bucket->tokens--;
        *ret_wait = 0;
        return true;
    }
    int64_t missing = 1 - bucket->tokens;
    int64_t ready = bucket->start + (tick + (missing + rate - 1) / rate) * NS_PER_SECOND;
    if (ready - now > LONGEST_WAIT) return false;
    bucket->tokens--;
    *ret_wait = ready - now;
    return true;
}
