// SPDX-License-Identifier: Apache-2.0
// What is due when: a heap ordered by time, then by arrival.
#ifndef SANDBOX_SERVER_TIMERS_H
#define SANDBOX_SERVER_TIMERS_H

#include <stddef.h>
#include <stdint.h>

struct timer {
    int64_t due;  // ns
    uint64_t order;
    void *item;  // borrowed
};

// A zeroed one is empty.
struct timers {
    struct timer *heap;  // owned
    size_t count;
    size_t capacity;
    uint64_t added;
};

void timers_release(struct timers *timers);
void timers_add(struct timers *timers, int64_t due, void *item);

// When the next is due; INT64_MAX if there is none.
int64_t timers_next(const struct timers *timers);

// Takes the next out if it is due; else NULL.
void *timers_take(struct timers *timers, int64_t now);

#endif
