// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

static int64_t system_read(clockid_t id) {
    struct timespec now = {0};
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

static int64_t system_monotonic(void *context) {
    (void)context;
    return system_read(CLOCK_MONOTONIC);
}

static int64_t system_wall(void *context) {
    (void)context;
    return system_read(CLOCK_REALTIME);
}

// getrandom fails only where the kernel lacks it; a predictable key would be worse than an end.
static void system_fill(void *context, void *data, size_t size) {
    (void)context;
    unsigned char *bytes = data;
    while (size > 0) {
        ssize_t got = getrandom(bytes, size, 0);
        if (got <= 0) abort();
        bytes += got;
        size -= (size_t)got;
    }
}

const struct clock clock_system = {.monotonic = system_monotonic, .wall = system_wall};
const struct random random_system = {.fill = system_fill};

int64_t clock_monotonic(const struct clock *clock) {
    return clock->monotonic(clock->context);
}

int64_t clock_wall(const struct clock *clock) {
    return clock->wall(clock->context);
}

uint64_t random_below(const struct random *random, uint64_t limit) {
    if (limit == 0) return 0;
    uint64_t number = 0;
    random->fill(random->context, &number, sizeof number);
    return number % limit;
}
