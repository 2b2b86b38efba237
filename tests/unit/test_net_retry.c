// SPDX-License-Identifier: Apache-2.0
// What a reply means for its call: whether it may be made again, and when.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/dispatch_p.h"

static enum retry_kind kind_of(struct call call, struct reply reply, bool verdict) {
    const struct dispatch_verdict given = {.retry = verdict};
    return retry_kind_of(&call, &reply, &given);
}

static const struct call grpc_read = {.kind = CALL_GRPC};
static const struct call grpc_change = {.kind = CALL_GRPC, .changes = true};
static const struct call http_read = {.kind = CALL_HTTP};
static const struct call http_change = {.kind = CALL_HTTP, .changes = true};

static void test_outcomes(void **state) {
    (void)state;
    const struct {
        enum reply_outcome outcome;
        enum retry_kind read, change;
    } rows[] = {
        {REPLY_NOT_SENT, RETRY_LATER, RETRY_LATER},  {REPLY_LOST, RETRY_LATER, RETRY_NEVER},
        {REPLY_MALFORMED, RETRY_NEVER, RETRY_NEVER}, {REPLY_UNTRUSTED, RETRY_NEVER, RETRY_NEVER},
        {REPLY_UNUSABLE, RETRY_NEVER, RETRY_NEVER},  {REPLY_DRY, RETRY_NEVER, RETRY_NEVER},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct reply reply = {.outcome = rows[i].outcome};
        assert_int_equal(kind_of(grpc_read, reply, false), rows[i].read);
        assert_int_equal(kind_of(http_read, reply, false), rows[i].read);
        assert_int_equal(kind_of(grpc_change, reply, false), rows[i].change);
        assert_int_equal(kind_of(http_change, reply, false), rows[i].change);
    }
}

static void test_grpc_statuses(void **state) {
    (void)state;
    for (int status = GRPC_OK; status <= GRPC_UNAUTHENTICATED; status++) {
        const struct reply reply = {
            .outcome = REPLY_ANSWERED, .http_status = 200, .grpc_status = (enum grpc_status)status};
        bool full = status == GRPC_RESOURCE_EXHAUSTED;
        bool passing = status == GRPC_UNAVAILABLE || status == GRPC_DEADLINE_EXCEEDED ||
                       status == GRPC_ABORTED || status == GRPC_CANCELLED;
        assert_int_equal(kind_of(grpc_read, reply, false) != RETRY_NEVER, full || passing);
        assert_int_equal(kind_of(grpc_change, reply, false) != RETRY_NEVER, full);
        if (status != GRPC_OK) assert_int_equal(kind_of(grpc_change, reply, true), RETRY_OVERLOAD);
    }
}

static void test_http_statuses(void **state) {
    (void)state;
    for (int status = 100; status < 600; status++) {
        const struct reply reply = {.outcome = REPLY_ANSWERED, .http_status = status};
        bool passing = status == 502 || status == 503 || status == 504;
        assert_int_equal(kind_of(http_read, reply, false) != RETRY_NEVER, status == 429 || passing);
        assert_int_equal(kind_of(http_change, reply, false) != RETRY_NEVER, status == 429);
    }
    // A proxy in front of a gRPC server says it in its own way.
    const struct reply refused = {
        .outcome = REPLY_ANSWERED, .http_status = 429, .grpc_status = GRPC_UNAVAILABLE};
    assert_int_equal(kind_of(grpc_change, refused, false), RETRY_OVERLOAD);
}

// 1994-11-06T08:49:37Z, the example of RFC 9110, a minute earlier.
static const int64_t wall = INT64_C(784111717) * NS_PER_SECOND;

static int64_t asked(const char *name, const char *value) {
    struct reply reply = {0};
    reply_add_header(&reply, name, strlen(name), value, strlen(value));
    int64_t delay = retry_asked_delay(&reply, wall);
    reply_release(&reply);
    return delay;
}

static void test_asked_delay(void **state) {
    (void)state;
    const struct reply silent = {0};
    assert_int_equal(retry_asked_delay(&silent, wall), 0);
    assert_int_equal(asked("Retry-After", "7"), 7 * NS_PER_SECOND);
    assert_int_equal(asked("x-rate-limit-retry", "3"), 3 * NS_PER_SECOND);
    assert_int_equal(asked("retry-after", "0.5"), NS_PER_SECOND / 2);
    assert_int_equal(asked("retry-after", "60"), 60 * NS_PER_SECOND);
    assert_int_equal(asked("retry-after", "61"), 60 * NS_PER_SECOND);
    assert_int_equal(asked("retry-after", "99999999999999999999"), 60 * NS_PER_SECOND);
    assert_int_equal(asked("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"), 60 * NS_PER_SECOND);
    assert_int_equal(asked("retry-after", "Sun, 06 Nov 1994 08:48:47 GMT"), 10 * NS_PER_SECOND);
    static const char *const nonsense[] = {"",    "0",   "-5",  "soon", "5 s",
                                           "nan", "1e-", "5,5", "-inf", "Sun, 06 Nov 1994 08:00:00 GMT"};
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
        assert_int_equal(asked("retry-after", nonsense[i]), 0);
    }
}

// ---- backoff

static void fill_zeros(void *context, void *data, size_t size) {
    (void)context;
    memset(data, 0, size);
}

// Counts up by a step that meets all parts of a range.
static void fill_steps(void *context, void *data, size_t size) {
    uint64_t *number = context;
    *number += UINT64_C(0x9E3779B97F4A7C15);
    memcpy(data, number, size < sizeof *number ? size : sizeof *number);
}

static void test_backoff(void **state) {
    (void)state;
    const struct random zeros = {.fill = fill_zeros};
    uint64_t number = 0;
    const struct random steps = {.context = &number, .fill = fill_steps};
    int64_t most = 100 * NS_PER_MS;
    for (unsigned tries = 1; tries <= 40; tries++) {
        assert_int_equal(retry_backoff(&zeros, tries), 0);
        int64_t least = INT64_MAX, highest = 0, sum = 0;
        for (int i = 0; i < 1000; i++) {
            int64_t delay = retry_backoff(&steps, tries);
            least = delay < least ? delay : least;
            highest = delay > highest ? delay : highest;
            sum += delay / 1000;
        }
        // Full jitter: from nothing to the most, half of it on average.
        assert_true(least < most / 50 && highest <= most && highest > most - most / 50);
        assert_true(sum > most / 2 - most / 20 && sum < most / 2 + most / 20);
        most = 2 * most < 10 * NS_PER_SECOND ? 2 * most : 10 * NS_PER_SECOND;
    }
}

int main(void) {
    alarm(20);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outcomes),      cmocka_unit_test(test_grpc_statuses),
        cmocka_unit_test(test_http_statuses), cmocka_unit_test(test_asked_delay),
        cmocka_unit_test(test_backoff),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
