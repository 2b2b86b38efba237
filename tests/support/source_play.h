// SPDX-License-Identifier: Apache-2.0
// Plays a source's jobs against a function that answers calls, without an engine: each call once, in order.
#ifndef TESTS_SOURCE_PLAY_H
#define TESTS_SOURCE_PLAY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "source/registry.h"

#define PLAY_NOW INT64_C(1767225600123456789)

enum { PLAY_STEPS_MAX = 100 };

struct play;

// Fills a zeroed reply, whose body has its limit.
typedef void play_answer(struct play *play, const struct call *call, struct reply *reply);

struct play {
    const struct source_driver *driver;
    struct option_values *options;
    struct source_setup setup;
    struct device_naming naming;
    struct source *source;
    play_answer *answer;
    void *context;  // the test's own
    struct arena arena;
    struct job job;
    struct error error;
    bool again;
};

static int64_t play_now(void *context) {
    (void)context;
    return PLAY_NOW;
}

static void play_fill(void *context, void *data, size_t size) {
    (void)context;
    for (size_t i = 0; i < size; i++) ((uint8_t *)data)[i] = (uint8_t)(i * 7 + 1);
}

static const struct clock play_clock = {.wall = play_now, .monotonic = play_now};
static const struct random play_random = {.fill = play_fill};

// Sets options from "name=value" texts; NULL ends.
static void play_init(struct play *play, const char *driver, play_answer *answer,
                      const char *const *options) {
    *play = (struct play){.driver = source_find(source_drivers(), driver, strlen(driver)), .answer = answer};
    assert_non_null(play->driver);
    play->options = option_values_new(play->driver->options);
    for (; *options != NULL; options++) {
        const char *value = strchr(*options, '=') + 1;
        const struct option_spec *spec =
            option_find(play->driver->options, *options, (size_t)(value - *options - 1));
        assert_non_null(spec);
        assert_int_equal(option_set(play->options, spec, spec->name, value, NULL), 0);
    }
    play->setup = (struct source_setup){
        .options = play->options,
        .plans = frequency_plans_builtin(),
        .naming = &play->naming,
        .clock = &play_clock,
        .random = &play_random,
    };
}

static int play_open(struct play *play) {
    error_release(&play->error);
    return play->driver->open(&play->setup, &play->source, &play->error);
}

static void play_forget_replies(struct play *play) {
    for (size_t i = 0; i < JOB_CALLS_MAX; i++) reply_release(&play->job.replies[i]);
}

static void play_release(struct play *play) {
    play_forget_replies(play);
    arena_release(&play->arena);
    error_release(&play->error);
    if (play->source != NULL) play->driver->close(play->source);
    option_values_free(play->options);
}

// Begins a job.
static void play_begin(struct play *play) {
    play_forget_replies(play);
    arena_release(&play->arena);
    error_release(&play->error);
    play->job = (struct job){.arena = &play->arena, .again = play->again};
}

// Runs `operation`, a call of the driver with &play->job and &play->error, until it is done.
#define play_run(play, operation)                                               \
    __extension__({                                                             \
        enum job_step step_ = JOB_CALLS;                                        \
        play_begin(play);                                                       \
        for (int steps_ = 0; step_ == JOB_CALLS; steps_++) {                    \
            assert_true(steps_ < PLAY_STEPS_MAX);                               \
            step_ = (operation);                                                \
            play_forget_replies(play);                                          \
            assert_true((step_ == JOB_FAILED) == error_is_set(&(play)->error)); \
            if (step_ == JOB_CALLS) play_calls(play);                           \
        }                                                                       \
        step_;                                                                  \
    })

static void play_calls(struct play *play) {
    struct job *job = &play->job;
    assert_true(job->call_count > 0);
    for (size_t i = 0; i < job->call_count; i++) {
        buffer_init(&job->replies[i].body, CALL_REPLY_LIMIT);
        play->answer(play, &job->calls[i], &job->replies[i]);
    }
    job->call_count = 0;
}

static inline enum job_step play_prepare(struct play *play, const char *application) {
    return play_run(play, play->driver->prepare(play->source, &play->job, application, &play->error));
}

static inline enum job_step play_list(struct play *play, struct source_page *page) {
    return play_run(play, play->driver->list(play->source, &play->job, page, &play->error));
}

static inline enum job_step play_read(struct play *play, struct source_record *record) {
    return play_run(play, play->driver->read(play->source, &play->job, record, &play->error));
}

#endif
