// SPDX-License-Identifier: Apache-2.0
// A transport without a network: each call is answered by a function of the test after a latency on a virtual
// clock, which moves only while the dispatcher waits.
#ifndef TESTS_FAKE_TRANSPORT_H
#define TESTS_FAKE_TRANSPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/memory.h"
#include "net/transport.h"

enum { FAKE_STARTS_MAX = 4096, FAKE_FLYING_MAX = 64 };

struct fake_transport;

// Fills `reply` and returns the latency in ns. `timeout` is the call's deadline.
typedef int64_t fake_answer(struct fake_transport *fake, const struct call *call, int64_t timeout,
                            struct reply *reply);

struct fake_flight {
    bool used;
    int64_t due;
    struct reply reply;
    transport_done *done;
    void *context;
};

struct fake_transport {
    struct transport base;
    int64_t now;
    fake_answer *answer;
    void *context;  // the test's own
    uint64_t seed;
    struct clock clock;
    struct random random;
    struct fake_flight flights[FAKE_FLYING_MAX];
    int64_t starts[FAKE_STARTS_MAX];  // when each call was started
    size_t start_count;
    unsigned flying;
    unsigned most_flying;
};

static int64_t fake_now(void *context) {
    return ((const struct fake_transport *)context)->now;
}

// xorshift64 (Marsaglia).
static void fake_fill(void *context, void *data, size_t size) {
    struct fake_transport *fake = context;
    for (size_t i = 0; i < size; i++) {
        fake->seed ^= fake->seed << 13;
        fake->seed ^= fake->seed >> 7;
        fake->seed ^= fake->seed << 17;
        ((uint8_t *)data)[i] = (uint8_t)(fake->seed >> 24);
    }
}

static void *fake_start(struct transport *transport, const struct call *call, int64_t timeout,
                        transport_done *done, void *context) {
    struct fake_transport *fake = (struct fake_transport *)transport;
    size_t i = 0;
    while (i < FAKE_FLYING_MAX && fake->flights[i].used) i++;
    assert_true(i < FAKE_FLYING_MAX);
    assert_true(fake->start_count < FAKE_STARTS_MAX);
    fake->starts[fake->start_count++] = fake->now;
    struct fake_flight *flight = &fake->flights[i];
    *flight = (struct fake_flight){.used = true, .done = done, .context = context};
    flight->due = fake->now + fake->answer(fake, call, timeout, &flight->reply);
    fake->flying++;
    if (fake->flying > fake->most_flying) fake->most_flying = fake->flying;
    return flight;
}

static void fake_cancel(struct transport *transport, void *handle) {
    struct fake_transport *fake = (struct fake_transport *)transport;
    struct fake_flight *flight = handle;
    assert_true(flight->used);
    flight->used = false;
    fake->flying--;
    reply_release(&flight->reply);
}

static struct fake_flight *fake_next(struct fake_transport *fake) {
    struct fake_flight *next = NULL;
    for (size_t i = 0; i < FAKE_FLYING_MAX; i++) {
        struct fake_flight *flight = &fake->flights[i];
        if (flight->used && (next == NULL || flight->due < next->due)) next = flight;
    }
    return next;
}

static int fake_wait(struct transport *transport, int64_t timeout, struct error *error) {
    (void)error;
    struct fake_transport *fake = (struct fake_transport *)transport;
    struct fake_flight *flight = fake_next(fake);
    // Nothing is under way and nothing will be: a real run would hang here.
    assert_true(flight != NULL || timeout >= 0);
    if (flight == NULL || (timeout >= 0 && flight->due > fake->now + timeout)) {
        fake->now += timeout;
        return 0;
    }
    if (flight->due > fake->now) fake->now = flight->due;
    flight->used = false;
    fake->flying--;
    struct reply reply = flight->reply;
    flight->reply = (struct reply){0};
    flight->done(flight->context, &reply);
    reply_release(&reply);
    return 0;
}

static void fake_free(struct transport *transport) {
    struct fake_transport *fake = (struct fake_transport *)transport;
    for (size_t i = 0; i < FAKE_FLYING_MAX; i++) reply_release(&fake->flights[i].reply);
}

static const struct transport_operations fake_operations = {
    .start = fake_start, .cancel = fake_cancel, .wait = fake_wait, .free = fake_free};

static void fake_init(struct fake_transport *fake, fake_answer *answer, void *context) {
    *fake = (struct fake_transport){.base.operations = &fake_operations,
                                    .answer = answer,
                                    .context = context,
                                    .seed = 88172645463325252U};
    // Not 0: a clock that just starts is nothing special.
    fake->now = 1000 * NS_PER_SECOND;
    fake->clock = (struct clock){.context = fake, .monotonic = fake_now, .wall = fake_now};
    fake->random = (struct random){.context = fake, .fill = fake_fill};
}

#endif
