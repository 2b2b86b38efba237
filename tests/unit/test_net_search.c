// SPDX-License-Identifier: Apache-2.0
// The search for the best number of calls at once, with servers of many kinds in virtual time: what it reaches in all, with
// everything it tries, against the best fixed number.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/dispatch_p.h"

enum { CALLS_MAX = 256 };

// What a server does a second with so many calls at once; how each call's share of it scatters.
struct model {
    const char *name;
    double (*rate)(double in_flight);
    double noise;  // 0 = all calls take the same time, 1 = as much as half to one and a half of it
    size_t calls;
};

// 30 ms a call, however many.
static double linear(double n) {
    return n / 0.030;
}

// Two processors, 10 ms a call, and 5 ms of way.
static double saturating(double n) {
    double alone = n / 0.015;
    return alone < 200 ? alone : 200;
}

// Eight at once, then it gets slower the more wait.
static double declining(double n) {
    return n <= 8 ? n / 0.020 : 400 / (1 + (n - 8) / 24);
}

// The Things Stack as measured: devices a second at 1, 2 to 8, 16 and 64 at once, times eight calls.
static double stack(double n) {
    static const double at[] = {1, 2, 4, 8, 16, 64, 1024}, does[] = {35, 52, 55, 56, 42, 38, 20};
    for (size_t i = 1; i < sizeof at / sizeof *at; i++) {
        if (n > at[i]) continue;
        return 8 * (does[i - 1] + (does[i] - does[i - 1]) * (n - at[i - 1]) / (at[i] - at[i - 1]));
    }
    return 8 * 20;
}

// Like a database behind a pool: n / (n + 8).
static double diminishing(double n) {
    return 1000 * n / (n + 8);
}

struct world {
    uint64_t seed;
    double now;  // s
    struct {
        double started, left;  // s; work that is left, in shares of the server
    } calls[CALLS_MAX];
    size_t count;
};

static double random_share(struct world *world) {
    world->seed ^= world->seed << 13;
    world->seed ^= world->seed >> 7;
    world->seed ^= world->seed << 17;
    return (double)(world->seed >> 11) / (double)(UINT64_C(1) << 53);
}

static void start(struct world *world, const struct model *model) {
    assert_true(world->count < CALLS_MAX);
    double work = 1 + model->noise * (random_share(world) - 0.5) * 2;
    world->calls[world->count].started = world->now;
    world->calls[world->count++].left = work < 0.01 ? 0.01 : work;
}

// All calls share the server evenly; the next one ends. Returns when it started.
static double end_next(struct world *world, const struct model *model) {
    size_t next = 0;
    for (size_t i = 1; i < world->count; i++) {
        if (world->calls[i].left < world->calls[next].left) next = i;
    }
    double share = model->rate((double)world->count) / (double)world->count;
    double work = world->calls[next].left, started = world->calls[next].started;
    for (size_t i = 0; i < world->count; i++) world->calls[i].left -= work;
    world->now += work / share;
    world->calls[next] = world->calls[--world->count];
    return started;
}

static int64_t ns(double seconds) {
    return (int64_t)(seconds * 1e9);
}

// The time that all calls take with a search, or with a fixed number at once (most = 0).
static double run_all(const struct model *model, unsigned fixed, unsigned most, uint64_t seed,
                      double *ret_level) {
    struct world world = {.seed = seed, .now = 1000};
    struct search search;
    search_init(&search, most);
    size_t started = 0, ended = 0;
    while (ended < model->calls) {
        double level = most == 0 ? fixed : search.level;
        while (world.count < (size_t)level && started < model->calls) {
            start(&world, model);
            started++;
        }
        unsigned in_flight = (unsigned)world.count;
        double from = end_next(&world, model);
        ended++;
        if (most > 0) search_note(&search, ns(from), ns(world.now), in_flight, started < model->calls);
    }
    if (ret_level != NULL) *ret_level = search.kept;
    return world.now - 1000;
}

static double best_fixed(const struct model *model, unsigned most) {
    double best = 0;
    for (unsigned fixed = 1; fixed <= most; fixed++) {
        double time = run_all(model, fixed, 0, 12345, NULL);
        if (best <= 0 || time < best) best = time;
    }
    return best;
}

static const unsigned concurrencies[] = {4, 5, 8, 12, 16, 24, 32, 64};

// Within `allowed` of the best, whatever the user allows, with many seeds.
static void check(const struct model *model, double allowed) {
    for (size_t i = 0; i < sizeof concurrencies / sizeof *concurrencies; i++) {
        unsigned most = concurrencies[i];
        double best = best_fixed(model, most), sum = 0, worst = 0, level = 0;
        enum { SEEDS = 8 };
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            double time = run_all(model, 0, most, seed * 7919, &level) / best;
            sum += time;
            if (time > worst) worst = time;
        }
        if (getenv("SHOW") != NULL)
            printf("%s, %u: mean %.3f, worst %.3f, level %g\n", model->name, most, sum / SEEDS, worst, level);
        if (sum / SEEDS > allowed || worst > allowed + 0.06)
            fail_msg("%s with up to %u at once takes %.2f times as long as the best, at worst %.2f",
                     model->name, most, sum / SEEDS, worst);
    }
}

static void test_linear(void **state) {
    (void)state;
    check(&(struct model){"linear", linear, 0, 8000}, 1.04);
    check(&(struct model){"linear, noisy", linear, 0.9, 8000}, 1.10);
    // What finding the way up costs is a few round trips.
    const struct model few = {"linear, few calls", linear, 0.1, 500};
    for (size_t i = 0; i < sizeof concurrencies / sizeof *concurrencies; i++) {
        double best = best_fixed(&few, concurrencies[i]);
        double time = run_all(&few, 0, concurrencies[i], 77, NULL);
        if (time > best * 1.12 + 6 * 0.030)
            fail_msg("with up to %u: %g s, at best %g", concurrencies[i], time, best);
    }
}

static void test_saturating(void **state) {
    (void)state;
    check(&(struct model){"saturating", saturating, 0.2, 8000}, 1.06);
    check(&(struct model){"saturating, noisy", saturating, 0.9, 8000}, 1.06);
    check(&(struct model){"diminishing", diminishing, 0.5, 8000}, 1.10);
}

static void test_declining(void **state) {
    (void)state;
    check(&(struct model){"declining", declining, 0.2, 24000}, 1.10);
    check(&(struct model){"declining, noisy", declining, 0.9, 24000}, 1.10);
    check(&(struct model){"declining, few calls", declining, 0.5, 3000}, 1.15);
    check(&(struct model){"stack, few calls", stack, 0.5, 3000}, 1.15);
    check(&(struct model){"stack", stack, 0.2, 16000}, 1.10);
    check(&(struct model){"stack, noisy", stack, 0.9, 16000}, 1.10);
}

// A server that turns from one kind into the other: the search notices.
static void test_change(void **state) {
    (void)state;
    struct search search;
    struct world world = {.seed = 99, .now = 1000};
    search_init(&search, 64);
    const struct model models[] = {{"declining", declining, 0.3, 0}, {"linear", linear, 0.3, 0}};
    for (size_t phase = 0; phase < 4; phase++) {
        const struct model *model = &models[phase % 2];
        for (size_t i = 0; i < 60000; i++) {
            while (world.count < (size_t)search.level) start(&world, model);
            unsigned in_flight = (unsigned)world.count;
            double from = end_next(&world, model);
            search_note(&search, ns(from), ns(world.now), in_flight, true);
        }
        if (model->rate == linear) assert_true(search.kept >= 32);
        if (model->rate == declining) assert_in_range((unsigned)search.kept, 4, 16);
    }
}

// When nothing waits, the server's speed is not seen: nothing is tried.
static void test_idle(void **state) {
    (void)state;
    struct search search;
    search_init(&search, 64);
    for (int64_t i = 1; i < 10000; i++) search_note(&search, i * 1000, i * 1000 + 500, 3, false);
    assert_true(search.level == 4);
    search_init(&search, 1);
    for (int64_t i = 1; i < 10000; i++) search_note(&search, i * 1000, i * 1000 + 500, 1, true);
    assert_true(search.level == 1);
}

// Answers in no time at all, or in an age.
static void test_extremes(void **state) {
    (void)state;
    struct search search;
    search_init(&search, 64);
    for (int64_t i = 1; i < 10000; i++) {
        int64_t latency = i % 3 == 0 ? 0 : i % 3 == 1 ? 1 : INT64_C(1) << 50;
        search_note(&search, i, i + latency, 64, true);
        assert_true(search.level >= 1 && search.level <= 64);
    }
}

int main(void) {
    alarm(300);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_linear), cmocka_unit_test(test_saturating), cmocka_unit_test(test_declining),
        cmocka_unit_test(test_change), cmocka_unit_test(test_idle),       cmocka_unit_test(test_extremes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
