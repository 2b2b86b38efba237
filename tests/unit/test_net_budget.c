// SPDX-License-Identifier: Apache-2.0
// Limits that a server tells in its answers, kept by the dispatcher on a virtual clock: never refused, and no slower than
// the limit allows.
#include <stdio.h>
#include <unistd.h>

#include "net/dispatch.h"
#include "support/fake_transport.h"

static const struct server server = {.name = "Server test:1", .address = "test:1"};
static const struct call first = {.kind = CALL_GRPC, .server = &server, .method = "/a.B/Get"};
static const struct call second = {.kind = CALL_GRPC, .server = &server, .method = "/a.B/Set"};

// A limiter of the first method. Either it fills steadily (a bucket), or all at once (a window).
struct limiter {
    double limit;   // calls
    double period;  // s in which so many are allowed
    bool window;
    bool whole_seconds;  // reset is told rounded up
    double used;         // calls that are gone
    int64_t counted;     // ns; when `used` was right
    bool lax;            // it refuses nothing
    size_t refused;
    const char *nonsense;  // told instead of every number; NULL = none
};

static void add_number(struct reply *reply, const char *name, const struct limiter *limiter, double number) {
    char text[32];
    snprintf(text, sizeof text, "%.3f", number);
    const char *value = limiter->nonsense != NULL ? limiter->nonsense : text;
    reply_add_header(reply, name, strlen(name), value, strlen(value));
}

static void refill(struct limiter *limiter, int64_t now) {
    double passed = (double)(now - limiter->counted) / (double)NS_PER_SECOND;
    if (!limiter->window) {
        limiter->used -= passed * limiter->limit / limiter->period;
        if (limiter->used < 0) limiter->used = 0;
        limiter->counted = now;
    } else if (passed >= limiter->period) {
        limiter->used = 0;
        limiter->counted =
            now - (now - limiter->counted) % (int64_t)(limiter->period * (double)NS_PER_SECOND);
    }
}

static int64_t answer(struct fake_transport *fake, const struct call *call, int64_t timeout,
                      struct reply *reply) {
    (void)timeout;
    struct limiter *limiter = fake->context;
    int64_t way = 5 * NS_PER_MS + (int64_t)random_below(&fake->random, 10 * NS_PER_MS);
    reply->outcome = REPLY_ANSWERED;
    if (call == &second) return 2 * way;
    int64_t now = fake->now + way;
    refill(limiter, now);
    if (limiter->used + 1 > limiter->limit && !limiter->lax) {
        limiter->refused++;
        reply->grpc_status = GRPC_RESOURCE_EXHAUSTED;
    } else {
        limiter->used++;
    }
    double passed = (double)(now - limiter->counted) / (double)NS_PER_SECOND;
    double reset =
        limiter->window ? limiter->period - passed : limiter->used * limiter->period / limiter->limit;
    if (limiter->whole_seconds) reset = (double)(int64_t)(reset + 0.999);
    add_number(reply, "x-rate-limit-limit", limiter, limiter->limit);
    add_number(reply, "x-rate-limit-available", limiter,
               (double)(int64_t)(limiter->used > limiter->limit ? 0 : limiter->limit - limiter->used));
    add_number(reply, "x-rate-limit-reset", limiter, reset);
    return 2 * way;
}

struct bench {
    struct fake_transport fake;
    struct dispatch *dispatch;
    size_t done, good;
    int64_t last_done;
};

static void call_done(void *context, struct reply *reply) {
    struct bench *bench = context;
    bench->done++;
    bench->good += reply_ok(reply, CALL_GRPC);
    bench->last_done = bench->fake.now;
}

static void open_wide(struct bench *bench, struct limiter *limiter, unsigned concurrency) {
    *bench = (struct bench){0};
    fake_init(&bench->fake, answer, limiter);
    limiter->counted = bench->fake.now;
    const struct dispatch_setup setup = {
        .transport = &bench->fake.base,
        .clock = &bench->fake.clock,
        .random = &bench->fake.random,
        .concurrency = concurrency,
        .timeout = 10 * NS_PER_SECOND,
    };
    bench->dispatch = dispatch_new(&setup);
}

static void open_bench(struct bench *bench, struct limiter *limiter) {
    open_wide(bench, limiter, 16);
}

static void close_bench(struct bench *bench) {
    dispatch_free(bench->dispatch);
    fake_free(&bench->fake.base);
}

static void run(struct bench *bench, const struct call *call, size_t count) {
    size_t end = bench->done + count;
    struct error error = {0};
    for (size_t i = 0; i < count; i++) dispatch_add(bench->dispatch, call, 0, call_done, bench);
    while (bench->done < end) assert_int_equal(dispatch_wait(bench->dispatch, -1, &error), 0);
}

// So many calls, none refused, and in nearly the time that the limit makes them take.
static void check(struct limiter limiter, size_t count) {
    struct bench bench;
    open_bench(&bench, &limiter);
    int64_t start = bench.fake.now;
    run(&bench, &first, count);
    double seconds = (double)(bench.last_done - start) / (double)NS_PER_SECOND;
    // What the limit gives in that time, less the half that may be left in the end.
    double needed = ((double)count - limiter.limit) / limiter.limit * limiter.period;
    double allowed = (double)count / limiter.limit * limiter.period * 1.05 + 0.5 * limiter.period + 0.5;
    if (seconds < needed * 0.99 || seconds > allowed)
        fail_msg("%zu calls of %g in %g s took %g s, at most %g", count, limiter.limit, limiter.period,
                 seconds, allowed);
    assert_int_equal(limiter.refused, 0);
    assert_int_equal(bench.good, count);
    close_bench(&bench);
}

static void bucket_is_never_empty(void **state) {
    (void)state;
    check((struct limiter){.limit = 100, .period = 60}, 500);
    check((struct limiter){.limit = 50, .period = 1}, 1000);
    check((struct limiter){.limit = 1000, .period = 1}, 3000);
    check((struct limiter){.limit = 50, .period = 1, .whole_seconds = true}, 1000);
    check((struct limiter){.limit = 300, .period = 60, .whole_seconds = true}, 1500);
}

static void window_is_never_empty(void **state) {
    (void)state;
    check((struct limiter){.limit = 100, .period = 60, .window = true}, 500);
    check((struct limiter){.limit = 60, .period = 1, .window = true}, 1000);
}

// A limit that is used up by others before we begin.
static void waits_for_a_limit_that_is_used_up(void **state) {
    (void)state;
    struct limiter limiter = {.limit = 40, .period = 20, .used = 20};
    struct bench bench;
    open_bench(&bench, &limiter);
    run(&bench, &first, 100);
    assert_int_equal(limiter.refused, 0);
    close_bench(&bench);
}

// Another method of the same server goes on.
static void other_methods_do_not_wait(void **state) {
    (void)state;
    struct limiter limiter = {.limit = 20, .period = 60};
    struct bench bench;
    open_bench(&bench, &limiter);
    run(&bench, &first, 14);
    int64_t start = bench.fake.now;
    for (size_t i = 0; i < 6; i++) dispatch_add(bench.dispatch, &first, 0, call_done, &bench);
    size_t limited = bench.done;
    struct error error = {0};
    for (size_t i = 0; i < 100; i++) dispatch_add(bench.dispatch, &second, 0, call_done, &bench);
    while (bench.done < limited + 100) assert_int_equal(dispatch_wait(bench.dispatch, -1, &error), 0);
    assert_true(bench.fake.now - start < 2 * NS_PER_SECOND);
    close_bench(&bench);
}

// A method that never answered is asked no more than a few times at once, also where far more calls may be in flight: so a
// limit is known before it is met. A method that tells none is not held back afterwards.
static void a_limit_is_known_before_it_is_met(void **state) {
    (void)state;
    struct limiter limiter = {.limit = 20, .period = 10};
    struct bench bench;
    open_wide(&bench, &limiter, 64);
    run(&bench, &first, 60);
    assert_int_equal(limiter.refused, 0);
    close_bench(&bench);
    open_wide(&bench, &limiter, 64);
    run(&bench, &second, 400);
    assert_int_equal(bench.fake.most_flying, 64);
    close_bench(&bench);
}

static void nonsense_changes_nothing(void **state) {
    (void)state;
    static const char *const texts[] = {"", "-1", "nan", "inf", "1e999", "many", "5 calls", "0"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct limiter limiter = {.limit = 1e9, .period = 1, .nonsense = texts[i]};
        struct bench bench;
        open_bench(&bench, &limiter);
        int64_t start = bench.fake.now;
        run(&bench, &first, 1000);
        assert_true(bench.fake.now - start < 3 * NS_PER_SECOND);
        assert_int_equal(bench.good, 1000);
        close_bench(&bench);
    }
    // A server that tells of an age to wait does not get it.
    struct limiter limiter = {.limit = 4, .period = 1e9, .lax = true};
    struct bench bench;
    open_bench(&bench, &limiter);
    int64_t start = bench.fake.now;
    run(&bench, &first, 30);
    assert_true(bench.fake.now - start < 3600 * NS_PER_SECOND);
    close_bench(&bench);
}

static void a_forgotten_call_counts_no_longer(void **state) {
    (void)state;
    struct limiter limiter = {.limit = 100, .period = 60};
    struct bench bench;
    open_bench(&bench, &limiter);
    struct error error = {0};
    struct dispatch_call *calls[10];
    for (size_t i = 0; i < 10; i++) calls[i] = dispatch_add(bench.dispatch, &first, 0, call_done, &bench);
    assert_int_equal(dispatch_wait(bench.dispatch, 0, &error), 0);
    for (size_t i = 0; i < 10; i++) dispatch_cancel(bench.dispatch, calls[i]);
    int64_t start = bench.fake.now;
    run(&bench, &first, 30);
    assert_true(bench.fake.now - start < 2 * NS_PER_SECOND);
    close_bench(&bench);
}

int main(void) {
    alarm(60);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bucket_is_never_empty),
        cmocka_unit_test(window_is_never_empty),
        cmocka_unit_test(waits_for_a_limit_that_is_used_up),
        cmocka_unit_test(other_methods_do_not_wait),
        cmocka_unit_test(a_limit_is_known_before_it_is_met),
        cmocka_unit_test(nonsense_changes_nothing),
        cmocka_unit_test(a_forgotten_call_counts_no_longer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
