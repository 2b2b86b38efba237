// SPDX-License-Identifier: Apache-2.0
// The dispatcher on a virtual clock: pace, concurrency, retries, first connection, priorities, dry run.
#include <unistd.h>

#include "net/dispatch.h"
#include "support/fake_transport.h"

static const struct server server = {.name = "Handler test:1904", .address = "test:1904"};
static const struct server other_server = {.name = "Discovery test:1900", .address = "test:1900"};

static const struct call reading = {.kind = CALL_GRPC, .server = &server, .method = "/a.B/Get"};
static const struct call changing = {
    .kind = CALL_GRPC, .server = &server, .method = "/a.B/Set", .changes = true};
static const struct call elsewhere = {.kind = CALL_GRPC, .server = &other_server, .method = "/a.B/Find"};
static const struct call over_http = {
    .kind = CALL_HTTP, .server = &server, .method = "GET", .path = "/devices"};

struct bench {
    struct fake_transport fake;
    struct dispatch *dispatch;
    size_t done;
    size_t good;
    size_t bad;
    int64_t last_done;
    struct reply last;  // the last reply that was not OK
};

static void bench_done(void *context, struct reply *reply) {
    struct bench *bench = context;
    bench->done++;
    bench->last_done = bench->fake.now;
    if (reply_ok(reply, reply->http_status != 0 ? CALL_HTTP : CALL_GRPC)) {
        bench->good++;
        return;
    }
    bench->bad++;
    reply_release(&bench->last);
    bench->last = *reply;
    *reply = (struct reply){0};
}

static void bench_open(struct bench *bench, fake_answer *answer, void *context, struct dispatch_setup setup) {
    *bench = (struct bench){0};
    fake_init(&bench->fake, answer, context);
    setup.transport = &bench->fake.base;
    setup.clock = &bench->fake.clock;
    setup.random = &bench->fake.random;
    if (setup.concurrency == 0) setup.concurrency = 16;
    if (setup.timeout == 0) setup.timeout = 10 * NS_PER_SECOND;
    bench->dispatch = dispatch_new(&setup);
}

static void bench_close(struct bench *bench) {
    dispatch_free(bench->dispatch);
    fake_free(&bench->fake.base);
    reply_release(&bench->last);
}

static void bench_add(struct bench *bench, const struct call *call, size_t count) {
    for (size_t i = 0; i < count; i++) dispatch_add(bench->dispatch, call, 0, bench_done, bench);
}

static void bench_run(struct bench *bench, size_t count) {
    ERROR_AUTO error = {0};
    while (bench->done < count) assert_int_equal(dispatch_wait(bench->dispatch, -1, &error), 0);
}

static double seconds_since_start(const struct bench *bench) {
    return (double)(bench->last_done - bench->fake.starts[0]) / (double)NS_PER_SECOND;
}

// ---- answers

struct answers {
    int64_t latency;
    size_t failures;  // so many calls fail first
    enum reply_outcome outcome;
    int status;          // gRPC or HTTP, of those that fail
    const char *header;  // of those that fail: name, value
    const char *value;
    bool timed_out;
    size_t count;
};

static int64_t answer_plainly(struct fake_transport *fake, const struct call *call, int64_t timeout,
                              struct reply *reply) {
    (void)timeout;
    struct answers *answers = fake->context;
    bool fails = answers->count++ < answers->failures;
    reply->outcome = fails ? answers->outcome : REPLY_ANSWERED;
    if (call->kind == CALL_HTTP) reply->http_status = fails ? answers->status : 200;
    if (call->kind == CALL_GRPC && fails) reply->grpc_status = (enum grpc_status)answers->status;
    if (fails && answers->outcome != REPLY_ANSWERED) reply->message = memory_strdup("Connection refused");
    reply->timed_out = fails && answers->timed_out;
    if (fails && answers->header != NULL) {
        reply_add_header(reply, answers->header, strlen(answers->header), answers->value,
                         strlen(answers->value));
    }
    return answers->latency;
}

// V2's limiter: 5 tokens at once each second, at most 5; a call waits at most 0.5 s for its token, else it
// is refused and takes none. Network latency with jitter.
struct limiter {
    int64_t filled;  // when it was filled last
    int64_t tokens;  // negative: so many calls wait
    int64_t jitter;  // of the way, ns
    size_t refused;
    int64_t last_refusal;
};

enum { LIMITER_RATE = 5 };

static int64_t answer_limited(struct fake_transport *fake, const struct call *call, int64_t timeout,
                              struct reply *reply) {
    (void)call;
    (void)timeout;
    struct limiter *limiter = fake->context;
    // Once the pace is kept, it must bear a way whose length changes much.
    bool burst = fake->now - fake->starts[0] <= NS_PER_SECOND;
    int64_t jitter = burst ? limiter->jitter : 250 * NS_PER_MS;
    int64_t way = 15 * NS_PER_MS + (int64_t)random_below(&fake->random, (uint64_t)jitter + 1);
    int64_t now = fake->now + way;
    while (now - limiter->filled >= NS_PER_SECOND) {
        limiter->filled += NS_PER_SECOND;
        limiter->tokens += LIMITER_RATE;
        if (limiter->tokens > LIMITER_RATE) limiter->tokens = LIMITER_RATE;
    }
    reply->outcome = REPLY_ANSWERED;
    int64_t wait = 0;
    if (limiter->tokens <= 0) {
        int64_t fills = (1 - limiter->tokens + LIMITER_RATE - 1) / LIMITER_RATE;
        wait = limiter->filled + fills * NS_PER_SECOND - now;
    }
    if (wait > NS_PER_SECOND / 2) {
        reply->grpc_status = GRPC_RESOURCE_EXHAUSTED;
        limiter->refused++;
        limiter->last_refusal = fake->now;
        return 2 * way;
    }
    limiter->tokens--;
    return 2 * way + wait;
}

static void judge_limited(void *context, const struct call *call, const struct reply *reply,
                          struct dispatch_verdict *verdict) {
    (void)context;
    (void)call;
    if (reply->grpc_status == GRPC_RESOURCE_EXHAUSTED) verdict->rate = LIMITER_RATE;
}

// ---- tests

// For any moment of the limiter's second in which the first call comes.
static void learns_the_rate_of_a_limiter(void **state) {
    (void)state;
    for (int64_t phase = 0; phase < 200; phase++) {
        for (unsigned concurrency = 8; concurrency <= 64; concurrency *= 8) {
            struct limiter limiter = {.tokens = LIMITER_RATE, .jitter = 10 * NS_PER_MS};
            struct bench bench;
            bench_open(&bench, answer_limited, &limiter,
                       (struct dispatch_setup){.concurrency = concurrency, .judge = judge_limited});
            limiter.filled = bench.fake.now - phase * 5 * NS_PER_MS;
            bench_add(&bench, &changing, 500);
            bench_run(&bench, 500);
            assert_int_equal(bench.good, 500);
            // Only calls of the first burst are refused, and each but once.
            assert_in_range(limiter.refused, 1, concurrency);
            assert_true(limiter.last_refusal - bench.fake.starts[0] <= NS_PER_SECOND);
            assert_true(500 / seconds_since_start(&bench) >= 0.98 * LIMITER_RATE);
            bench_close(&bench);
        }
    }
}

static void a_known_rate_is_never_refused(void **state) {
    (void)state;
    struct limiter limiter = {.tokens = LIMITER_RATE, .jitter = 10 * NS_PER_MS};
    struct bench bench;
    bench_open(&bench, answer_limited, &limiter,
               (struct dispatch_setup){.rate = LIMITER_RATE, .judge = judge_limited});
    limiter.filled = bench.fake.now;
    bench_add(&bench, &reading, 200);
    bench_run(&bench, 200);
    assert_int_equal(limiter.refused, 0);
    assert_true(200 / seconds_since_start(&bench) >= 0.98 * LIMITER_RATE);
    bench_close(&bench);
}

static void keeps_the_rate(void **state) {
    (void)state;
    const double rates[] = {0.5, 3, 10, 100, 777};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        struct answers answers = {.latency = 7 * NS_PER_MS};
        struct bench bench;
        bench_open(&bench, answer_plainly, &answers, (struct dispatch_setup){.rate = rates[i]});
        bench_add(&bench, &reading, 300);
        bench_run(&bench, 300);
        const int64_t *starts = bench.fake.starts;
        double interval = (double)NS_PER_SECOND / rates[i];
        // The lateness that may be made up for.
        double slack = interval / 2 > 5e6 ? interval / 2 : 5e6;
        for (size_t a = 0; a < 300; a += 7) {
            for (size_t b = a + 1; b < 300; b++) {
                assert_true((double)(starts[b] - starts[a]) >= (double)(b - a) * interval - slack - 1000);
            }
        }
        assert_true(299 / ((double)(starts[299] - starts[0]) / 1e9) >= 0.98 * rates[i]);
        bench_close(&bench);
    }
}

static void takes_the_least_of_all_rates(void **state) {
    (void)state;
    const struct server slow = {.name = "s", .address = "slow:1", .rate = 4};
    const struct call call = {.kind = CALL_GRPC, .server = &slow, .method = "/a.B/Get"};
    struct answers answers = {.latency = NS_PER_MS};
    struct bench bench;
    bench_open(&bench, answer_plainly, &answers, (struct dispatch_setup){.rate = 100});
    bench_add(&bench, &call, 41);
    bench_run(&bench, 41);
    assert_true(bench.fake.starts[40] - bench.fake.starts[0] >= 9 * NS_PER_SECOND);
    bench_close(&bench);
}

static double time_for(unsigned concurrency) {
    struct answers answers = {.latency = 30 * NS_PER_MS};
    struct bench bench;
    bench_open(&bench, answer_plainly, &answers, (struct dispatch_setup){.concurrency = concurrency});
    bench_add(&bench, &reading, 800);
    bench_run(&bench, 800);
    assert_int_equal(bench.fake.most_flying, concurrency);
    double seconds = seconds_since_start(&bench);
    bench_close(&bench);
    return seconds;
}

static void uses_the_concurrency(void **state) {
    (void)state;
    assert_true(time_for(1) / time_for(16) >= 14);
}

static void halves_and_recovers(void **state) {
    (void)state;
    struct answers answers = {
        .latency = 30 * NS_PER_MS, .outcome = REPLY_ANSWERED, .status = GRPC_UNAVAILABLE};
    struct bench bench;
    bench_open(&bench, answer_plainly, &answers, (struct dispatch_setup){0});
    // The first answer of a server says whether it has a limit, those after it how many at once it takes.
    bench_add(&bench, &reading, 100);
    bench_run(&bench, 100);
    answers.failures = answers.count + 16;
    bench_add(&bench, &reading, 399);
    ERROR_AUTO error = {0};
    struct dispatch_numbers numbers = {0};
    unsigned least = 16;
    bool recovered = false;
    while (bench.done < 499) {
        assert_int_equal(dispatch_wait(bench.dispatch, -1, &error), 0);
        dispatch_numbers(bench.dispatch, &numbers);
        if (numbers.concurrency < least) least = numbers.concurrency;
        recovered = recovered || (least == 8 && numbers.concurrency == 16);
        assert_true(numbers.in_flight <= 16);
    }
    // Sixteen refusals of one burst count once.
    assert_int_equal(least, 8);
    // Afterwards other numbers may be tried.
    assert_true(recovered);
    assert_int_equal(numbers.refused, 16);
    assert_int_equal(numbers.retries, 16);
    assert_int_equal(numbers.calls, 515);
    assert_int_equal(numbers.queued, 0);
    bench_close(&bench);
}

static void obeys_retry_after(void **state) {
    (void)state;
    const struct {
        const char *name, *value;
        int64_t delay;
    } cases[] = {
        {"retry-after", "7", 7 * NS_PER_SECOND},
        {"retry-after", "3600", 60 * NS_PER_SECOND},
        {"retry-after", "Thu, 01 Jan 1970 00:16:52 GMT", 12 * NS_PER_SECOND},
        {"x-rate-limit-retry", "2", 2 * NS_PER_SECOND},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct answers answers = {.failures = 1,
                                  .outcome = REPLY_ANSWERED,
                                  .status = 429,
                                  .header = cases[i].name,
                                  .value = cases[i].value};
        struct bench bench;
        bench_open(&bench, answer_plainly, &answers, (struct dispatch_setup){0});
        bench_add(&bench, &over_http, 1);
        bench_run(&bench, 1);
        assert_int_equal(bench.fake.start_count, 2);
        assert_int_equal(bench.fake.starts[1] - bench.fake.starts[0], cases[i].delay);
        bench_close(&bench);
    }
}

static void ignores_a_senseless_retry_after(void **state) {
    (void)state;
    const char *const values[] = {"", "soon", "-5", "nan", "inf garbage", "0"};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct answers answers = {.failures = 1,
                                  .outcome = REPLY_ANSWERED,
                                  .status = 503,
                                  .header = "retry-after",
                                  .value = values[i]};
        struct bench bench;
        bench_open(&bench, answer_plainly, &answers, (struct dispatch_setup){0});
        bench_add(&bench, &over_http, 1);
        bench_run(&bench, 1);
        assert_true(bench.fake.starts[1] - bench.fake.starts[0] <= 100 * NS_PER_MS);
        bench_close(&bench);
    }
}

static void backs_off_and_gives_up(void **state) {
    (void)state;
    int64_t longest[9] = {0};
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct answers answers = {
            .failures = SIZE_MAX, .outcome = REPLY_ANSWERED, .status = GRPC_RESOURCE_EXHAUSTED};
        struct bench bench;
        bench_open(&bench, answer_plainly, &answers, (struct dispatch_setup){0});
        bench.fake.seed = seed * 0x9E3779B97F4A7C15U;
        bench_add(&bench, &reading, 1);
        bench_run(&bench, 1);
        assert_int_equal(bench.bad, 1);
        assert_int_equal(bench.fake.start_count, 10);
        for (size_t i = 0; i < 9; i++) {
            int64_t pause = bench.fake.starts[i + 1] - bench.fake.starts[i];
            if (pause > longest[i]) longest[i] = pause;
        }
        bench_close(&bench);
    }
    // Full jitter: the longest of 200 pauses is near its bound.
    int64_t bound = 100 * NS_PER_MS;
    for (size_t i = 0; i < 9; i++) {
        assert_true(longest[i] <= bound);
        assert_true(longest[i] > bound * 9 / 10);
        bound = bound * 2 < 10 * NS_PER_SECOND ? bound * 2 : 10 * NS_PER_SECOND;
    }
}

struct rule {
    const struct call *call;
    enum reply_outcome outcome;
    int status;
    size_t starts;  // if the first one fails so
};

static const struct call http_change = {
    .kind = CALL_HTTP, .server = &server, .method = "PUT", .path = "/devices", .changes = true};

static void repeats_only_what_is_harmless(void **state) {
    (void)state;
    const struct rule rules[] = {
        {&reading, REPLY_LOST, 0, 2},
        {&changing, REPLY_LOST, 0, 1},
        {&reading, REPLY_NOT_SENT, 0, 2},
        {&changing, REPLY_NOT_SENT, 0, 2},
        {&reading, REPLY_MALFORMED, 0, 1},
        {&reading, REPLY_UNTRUSTED, 0, 1},
        {&reading, REPLY_UNUSABLE, 0, 1},
        {&reading, REPLY_ANSWERED, GRPC_UNAVAILABLE, 2},
        {&changing, REPLY_ANSWERED, GRPC_UNAVAILABLE, 1},
        {&reading, REPLY_ANSWERED, GRPC_ABORTED, 2},
        {&changing, REPLY_ANSWERED, GRPC_ABORTED, 1},
        {&reading, REPLY_ANSWERED, GRPC_DEADLINE_EXCEEDED, 2},
        {&changing, REPLY_ANSWERED, GRPC_DEADLINE_EXCEEDED, 1},
        {&reading, REPLY_ANSWERED, GRPC_RESOURCE_EXHAUSTED, 2},
        {&changing, REPLY_ANSWERED, GRPC_RESOURCE_EXHAUSTED, 2},
        {&reading, REPLY_ANSWERED, GRPC_NOT_FOUND, 1},
        {&reading, REPLY_ANSWERED, GRPC_INTERNAL, 1},
        {&reading, REPLY_ANSWERED, GRPC_UNKNOWN, 1},
        {&over_http, REPLY_ANSWERED, 429, 2},
        {&http_change, REPLY_ANSWERED, 429, 2},
        {&over_http, REPLY_ANSWERED, 502, 2},
        {&over_http, REPLY_ANSWERED, 503, 2},
        {&over_http, REPLY_ANSWERED, 504, 2},
        {&http_change, REPLY_ANSWERED, 503, 1},
        {&over_http, REPLY_ANSWERED, 500, 1},
        {&over_http, REPLY_ANSWERED, 404, 1},
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        struct answers answers = {.failures = 1, .outcome = rules[i].outcome, .status = rules[i].status};
        struct bench bench;
        bench_open(&bench, answer_plainly, &answers, (struct dispatch_setup){0});
        bench_add(&bench, rules[i].call, 1);
        bench_run(&bench, 1);
        assert_int_equal(bench.fake.start_count, rules[i].starts);
        assert_int_equal(bench.bad, rules[i].starts == 1 ? 1 : 0);
        bench_close(&bench);
    }
}

static void judge_internal(void *context, const struct call *call, const struct reply *reply,
                           struct dispatch_verdict *verdict) {
    (void)context;
    (void)call;
    verdict->retry = reply->grpc_status == GRPC_INTERNAL;
}

static void a_verdict_allows_a_change_again(void **state) {
    (void)state;
    struct answers answers = {.failures = 3, .outcome = REPLY_ANSWERED, .status = GRPC_INTERNAL};
    struct bench bench;
    bench_open(&bench, answer_plainly, &answers, (struct dispatch_setup){.judge = judge_internal});
    bench_add(&bench, &changing, 1);
    bench_run(&bench, 1);
    assert_int_equal(bench.good, 1);
    assert_int_equal(bench.fake.start_count, 4);
    bench_close(&bench);
}

static void assert_unreached(struct bench *bench, const char *part) {
    ERROR_AUTO error = {0};
    assert_true(bench->last.unreached);
    assert_int_equal(reply_error(&bench->last, &reading, &error), -ERROR_TIMEOUT);
    assert_non_null(strstr(error.message, "no answer from Handler test:1904 within 10 s"));
    assert_non_null(strstr(error.message, part));
    assert_non_null(error.hint);
}

static void gives_up_a_server_that_never_answers(void **state) {
    (void)state;
    struct answers answers = {.failures = SIZE_MAX, .outcome = REPLY_NOT_SENT, .latency = NS_PER_MS};
    struct bench bench;
    bench_open(&bench, answer_plainly, &answers, (struct dispatch_setup){0});
    bench_add(&bench, &reading, 20);
    bench_run(&bench, 20);
    assert_int_equal(bench.bad, 20);
    assert_true(seconds_since_start(&bench) <= 10.0);
    assert_true(seconds_since_start(&bench) >= 9.0);
    assert_unreached(&bench, "Connection refused");
    bench_close(&bench);
}

static int64_t answer_never(struct fake_transport *fake, const struct call *call, int64_t timeout,
                            struct reply *reply) {
    (void)fake;
    (void)call;
    reply->outcome = REPLY_LOST;
    reply->timed_out = true;
    return timeout;
}

static void gives_up_a_silent_server(void **state) {
    (void)state;
    struct bench bench;
    bench_open(&bench, answer_never, NULL, (struct dispatch_setup){0});
    bench_add(&bench, &reading, 3);
    bench_run(&bench, 3);
    assert_int_equal(bench.bad, 3);
    assert_true(seconds_since_start(&bench) <= 10.001);
    assert_unreached(&bench, "10 s");
    bench_close(&bench);
}

static void reaches_a_server_that_comes_late(void **state) {
    (void)state;
    // More failures than tries: a first connection is bounded by time, not by tries.
    struct answers answers = {.failures = 12, .outcome = REPLY_NOT_SENT};
    struct bench bench;
    bench_open(&bench, answer_plainly, &answers, (struct dispatch_setup){.timeout = 3600 * NS_PER_SECOND});
    bench_add(&bench, &changing, 1);
    bench_run(&bench, 1);
    assert_int_equal(bench.good, 1);
    bench_close(&bench);
}

static int64_t answer_one_slowly(struct fake_transport *fake, const struct call *call, int64_t timeout,
                                 struct reply *reply) {
    (void)call;
    (void)timeout;
    reply->outcome = REPLY_ANSWERED;
    return fake->start_count == 1 ? 9 * NS_PER_SECOND : 30 * NS_PER_MS;
}

static void one_slow_call_blocks_no_other(void **state) {
    (void)state;
    struct bench bench;
    bench_open(&bench, answer_one_slowly, NULL, (struct dispatch_setup){.concurrency = 4});
    bench_add(&bench, &reading, 91);
    bench_run(&bench, 90);
    assert_true(seconds_since_start(&bench) < 1.0);
    bench_run(&bench, 91);
    assert_true(seconds_since_start(&bench) >= 9.0);
    bench_close(&bench);
}

struct order {
    char text[32];
    size_t size;
};

static int64_t answer_and_note(struct fake_transport *fake, const struct call *call, int64_t timeout,
                               struct reply *reply) {
    (void)timeout;
    struct order *order = fake->context;
    order->text[order->size++] = call->method[1];
    reply->outcome = REPLY_ANSWERED;
    return NS_PER_MS;
}

static void keeps_priorities_and_order(void **state) {
    (void)state;
    const struct call calls[] = {
        {.server = &server, .method = "/e"},       {.server = &server, .method = "/c"},
        {.server = &other_server, .method = "/a"}, {.server = &server, .method = "/f"},
        {.server = &other_server, .method = "/d"}, {.server = &server, .method = "/b"},
    };
    const int priorities[] = {9, 5, -1, 9, 5, -1};
    struct order order = {0};
    struct bench bench;
    bench_open(&bench, answer_and_note, &order, (struct dispatch_setup){.concurrency = 1});
    for (size_t i = 0; i < 6; i++) {
        dispatch_add(bench.dispatch, &calls[i], priorities[i], bench_done, &bench);
    }
    bench_run(&bench, 6);
    assert_string_equal(order.text, "abcdef");
    bench_close(&bench);
}

static void a_paused_server_does_not_stop_another(void **state) {
    (void)state;
    struct answers answers = {.failures = 1,
                              .outcome = REPLY_ANSWERED,
                              .status = GRPC_RESOURCE_EXHAUSTED,
                              .latency = NS_PER_MS,
                              .header = "retry-after",
                              .value = "30"};
    struct bench bench;
    bench_open(&bench, answer_plainly, &answers, (struct dispatch_setup){.concurrency = 1});
    bench_add(&bench, &reading, 2);
    bench_add(&bench, &elsewhere, 50);
    bench_run(&bench, 50);
    assert_true(seconds_since_start(&bench) < 1.0);
    struct dispatch_numbers numbers = {0};
    dispatch_numbers(bench.dispatch, &numbers);
    assert_int_equal(numbers.queued, 2);
    bench_run(&bench, 52);
    assert_true(seconds_since_start(&bench) >= 30.0);
    bench_close(&bench);
}

static void a_dry_run_changes_nothing(void **state) {
    (void)state;
    struct answers answers = {.latency = NS_PER_MS};
    struct bench bench;
    bench_open(&bench, answer_plainly, &answers, (struct dispatch_setup){.dry_run = true});
    bench_add(&bench, &changing, 3);
    dispatch_cancel(bench.dispatch, dispatch_add(bench.dispatch, &changing, 0, bench_done, &bench));
    bench_add(&bench, &reading, 2);
    bench_run(&bench, 5);
    assert_int_equal(bench.bad, 3);
    assert_int_equal(bench.good, 2);
    assert_int_equal(bench.last.outcome, REPLY_DRY);
    assert_int_equal(bench.fake.start_count, 2);
    bench_close(&bench);
}

static void forgets_cancelled_calls(void **state) {
    (void)state;
    struct answers answers = {.latency = NS_PER_MS};
    struct bench bench;
    bench_open(&bench, answer_plainly, &answers, (struct dispatch_setup){.concurrency = 2});
    struct dispatch_call *calls[5];
    for (size_t i = 0; i < 5; i++) {
        calls[i] = dispatch_add(bench.dispatch, &reading, 0, bench_done, &bench);
    }
    ERROR_AUTO error = {0};
    assert_int_equal(dispatch_wait(bench.dispatch, 0, &error), 0);
    dispatch_cancel(bench.dispatch, calls[0]);
    dispatch_cancel(bench.dispatch, calls[3]);
    bench_run(&bench, 3);
    struct dispatch_numbers numbers = {0};
    dispatch_numbers(bench.dispatch, &numbers);
    assert_int_equal(numbers.in_flight + numbers.queued, 0);
    assert_int_equal(bench.fake.start_count, 4);
    bench_close(&bench);
}

static void frees_with_calls_under_way(void **state) {
    (void)state;
    struct answers answers = {.latency = NS_PER_SECOND};
    struct bench bench;
    bench_open(&bench, answer_plainly, &answers, (struct dispatch_setup){.concurrency = 2});
    bench_add(&bench, &reading, 5);
    ERROR_AUTO error = {0};
    assert_int_equal(dispatch_wait(bench.dispatch, 0, &error), 0);
    dispatch_free(bench.dispatch);
    bench.dispatch = NULL;
    assert_int_equal(bench.fake.flying, 0);
    assert_int_equal(bench.done, 0);
    bench_close(&bench);
}

int main(void) {
    alarm(120);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learns_the_rate_of_a_limiter),
        cmocka_unit_test(a_known_rate_is_never_refused),
        cmocka_unit_test(keeps_the_rate),
        cmocka_unit_test(takes_the_least_of_all_rates),
        cmocka_unit_test(uses_the_concurrency),
        cmocka_unit_test(halves_and_recovers),
        cmocka_unit_test(obeys_retry_after),
        cmocka_unit_test(ignores_a_senseless_retry_after),
        cmocka_unit_test(backs_off_and_gives_up),
        cmocka_unit_test(repeats_only_what_is_harmless),
        cmocka_unit_test(a_verdict_allows_a_change_again),
        cmocka_unit_test(gives_up_a_server_that_never_answers),
        cmocka_unit_test(gives_up_a_silent_server),
        cmocka_unit_test(reaches_a_server_that_comes_late),
        cmocka_unit_test(one_slow_call_blocks_no_other),
        cmocka_unit_test(keeps_priorities_and_order),
        cmocka_unit_test(a_paused_server_does_not_stop_another),
        cmocka_unit_test(a_dry_run_changes_nothing),
        cmocka_unit_test(forgets_cancelled_calls),
        cmocka_unit_test(frees_with_calls_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
