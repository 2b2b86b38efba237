// SPDX-License-Identifier: Apache-2.0
// The pace of calls to one server: the rate, pauses, how many at once.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/dispatch_p.h"

#define START (1000 * NS_PER_SECOND)

// Starts and ends calls as soon as they may, each `late` ns too late. Returns the time of the last start.
static int64_t run(struct pacer *pacer, int64_t now, unsigned calls, int64_t late) {
    for (unsigned i = 0; i < calls; i++) {
        int64_t delay = pacer_delay(pacer, now);
        assert_true(delay >= 0);
        now += delay > 0 ? delay + late : 0;
        pacer_started(pacer, now);
        pacer->in_flight--;
    }
    return now;
}

static void test_rate(void **state) {
    (void)state;
    const double rates[] = {0.1, 1, 5, 33.3, 1000};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        for (int64_t late = 0; late <= NS_PER_MS; late += NS_PER_MS) {
            struct pacer pacer;
            pacer_init(&pacer, 16, rates[i]);
            int64_t time = run(&pacer, START, 501, late) - START;
            double wanted = 500 / rates[i] * 1e9;
            // Lateness does not add up.
            assert_true((double)time > wanted * 0.985 && (double)time < wanted * 1.005 + 1e6);
        }
    }
}

static void test_no_burst(void **state) {
    (void)state;
    struct pacer pacer;
    pacer_init(&pacer, 16, 5);
    int64_t now = run(&pacer, START, 10, 0) + 60 * NS_PER_SECOND;
    // After an idle minute no more than one call is made up for.
    int64_t end = run(&pacer, now, 11, 0);
    assert_true(end - now >= 9 * NS_PER_SECOND / 5);
}

static void test_no_rate(void **state) {
    (void)state;
    struct pacer pacer;
    pacer_init(&pacer, 3, 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pacer_delay(&pacer, START), 0);
        pacer_started(&pacer, START);
    }
    assert_true(pacer_delay(&pacer, START) < 0);
    pacer.in_flight--;
    assert_int_equal(pacer_delay(&pacer, START), 0);
}

static void test_pause(void **state) {
    (void)state;
    struct pacer pacer;
    pacer_init(&pacer, 3, 0);
    pacer_pause(&pacer, START + 10);
    pacer_pause(&pacer, START + 5);
    assert_int_equal(pacer_delay(&pacer, START), 10);
    assert_int_equal(pacer_delay(&pacer, START + 10), 0);
}

static void test_concurrency(void **state) {
    (void)state;
    struct pacer pacer;
    // With a known pace all are used from the start, without one it is searched for how many are good.
    pacer_init(&pacer, 16, 0);
    assert_true(pacer.limit == 4);
    pacer_init(&pacer, 16, 1000);
    assert_true(pacer.limit == 16);
    pacer_overloaded(&pacer, START, START + 1);
    assert_true(pacer.limit <= 8);
    // Those that were under way by then say the same again.
    for (int i = 0; i < 15; i++) pacer_overloaded(&pacer, START, START + 2 + i);
    assert_true(pacer.limit > 7);
    for (int i = 0; i < 20; i++) pacer_overloaded(&pacer, START + 100 + 10 * i, START + 105 + 10 * i);
    assert_true(pacer.limit >= 1 && pacer.limit < 2);
    assert_int_equal(pacer_delay(&pacer, START + 1000), 0);
    // A round of calls that go well gives one more, up to what the user allows.
    unsigned rounds = 0;
    for (; pacer.limit < 16; rounds++) {
        unsigned calls = (unsigned)pacer.limit;
        for (unsigned i = 0; i < calls; i++) pacer_succeeded(&pacer, START, START, false);
    }
    assert_in_range(rounds, 14, 20);
    for (int i = 0; i < 100; i++) pacer_succeeded(&pacer, START, START, false);
    assert_true(pacer.limit <= 16);
}

static void test_learned_rate(void **state) {
    (void)state;
    struct pacer pacer;
    pacer_init(&pacer, 16, 0);
    pacer_learn_rate(&pacer, 5, START);
    assert_true(pacer_delay(&pacer, START) >= NS_PER_SECOND);
    int64_t first = run(&pacer, START, 1, 0);
    assert_true(run(&pacer, first, 50, 0) - first >= 49 * NS_PER_SECOND / 5 - NS_PER_SECOND / 10);
    // The user's own rate stays if it is slower.
    pacer_init(&pacer, 16, 2);
    pacer_learn_rate(&pacer, 5, START);
    assert_true(pacer.rate <= 2);
}

int main(void) {
    alarm(20);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rate),  cmocka_unit_test(test_no_burst),    cmocka_unit_test(test_no_rate),
        cmocka_unit_test(test_pause), cmocka_unit_test(test_concurrency), cmocka_unit_test(test_learned_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
