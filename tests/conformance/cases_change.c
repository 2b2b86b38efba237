// SPDX-License-Identifier: Apache-2.0
// Taking devices away, and putting them back.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "conformance.h"

enum { SOME = 8, FEW = 2, CALLS_MAX = 60 };

static bool changes(const struct fixture *fixture, const struct source_driver *driver) {
    (void)fixture;
    return (driver->features & SOURCE_CHANGES) != 0;
}

static bool served(const struct stage *stage, const json_t *before) {
    json_t *now = look_world(stage->wire.world);
    bool result = stage->fixture->serves(look_find(now, stage->fixture, stage->record.dev_eui),
                                         look_find(before, stage->fixture, stage->record.dev_eui));
    json_decref(now);
    return result;
}

static void check_unchanged(const struct stage *stage, const json_t *before) {
    json_t *now = look_world(stage->wire.world);
    look_equal(now, before, NULL, NULL);
    json_decref(now);
}

static void check_put_back(const struct stage *stage, const json_t *before) {
    json_t *now = look_world(stage->wire.world);
    look_equal(now, before, stage->fixture->lost, stage->fixture->grow);
    json_decref(now);
    assert_true(served(stage, before));
}

static void check_confirmed(struct stage *stage) {
    stage_must(stage, OPERATION_CONFIRM);
    if (stage->confirmation.proof != SOURCE_RELEASED)
        fail_msg("%s: not confirmed: %s", stage->record.id, stage->confirmation.remark);
}

static bool take(struct stage *stage, const struct fixture *fixture, size_t devices, size_t place,
                 json_t **ret_before) {
    stage_open(stage, fixture, &(struct stage_setup){.devices = devices});
    assert_false(stage->source->keeps);
    *ret_before = look_world(stage->wire.world);
    if (stage_take(stage, place)) return true;
    json_decref(*ret_before);
    stage_close(stage);
    return false;
}

static void goes_and_comes_back(const struct fixture *fixture) {
    struct stage stage;
    json_t *before;
    for (size_t place = 0; take(&stage, fixture, SOME, place, &before); place++) {
        assert_true(served(&stage, before));
        stage.wire.watched = true;
        stage_must(&stage, OPERATION_RELEASE);
        assert_false(served(&stage, before));
        json_t *released = look_world(stage.wire.world);
        stage.again = true;
        stage_must(&stage, OPERATION_RELEASE);
        check_unchanged(&stage, released);
        stage.again = false;
        if (stage.driver->confirm != NULL) check_confirmed(&stage);
        check_unchanged(&stage, released);
        json_decref(released);
        stage_must(&stage, OPERATION_RESTORE);
        check_put_back(&stage, before);
        stage.again = true;
        stage_must(&stage, OPERATION_RESTORE);
        check_put_back(&stage, before);
        json_decref(before);
        stage_close(&stage);
    }
}

// A device that was never released stays as it is.
static void restore_looks_first(const struct fixture *fixture) {
    struct stage stage;
    json_t *before;
    for (size_t place = 0; take(&stage, fixture, SOME, place, &before); place++) {
        stage_must(&stage, OPERATION_RESTORE);
        check_put_back(&stage, before);
        json_decref(before);
        stage_close(&stage);
    }
}

static void check_released(struct stage *stage, const json_t *before, enum job_step step) {
    if (step == JOB_DONE) {
        assert_false(served(stage, before));
    } else if (stage->unchanged) {
        check_unchanged(stage, before);
    }
}

// True if the fault happened.
static bool lose(const struct fixture *fixture, size_t device, int place, enum wire_fault fault) {
    struct stage stage;
    json_t *before;
    assert_true(take(&stage, fixture, FEW, device, &before));
    stage_fault(&stage, place, fault);
    enum job_step step = stage_run(&stage, OPERATION_RELEASE);
    bool reached = stage.wire.calls >= place;
    check_released(&stage, before, step);
    if (step == JOB_FAILED && fault < WIRE_TRANSIENT) assert_true(call_may_pass(stage.error.code));
    stage_fault(&stage, 0, fault);
    stage.again = true;
    stage_must(&stage, OPERATION_RELEASE);
    assert_false(served(&stage, before));
    stage.again = false;
    if (stage.driver->confirm != NULL) check_confirmed(&stage);
    stage_must(&stage, OPERATION_RESTORE);
    check_put_back(&stage, before);
    json_decref(before);
    stage_close(&stage);
    return reached;
}

// Whatever becomes of an answer: it ends released, and never says so before.
static void release_looks_after_lost_answers(const struct fixture *fixture) {
    for (size_t device = 0; device < 2; device++) {
        for (enum wire_fault fault = 0; fault < WIRE_FAULTS; fault++) {
            for (int place = 1; lose(fixture, device, place, fault); place++) assert_true(place < CALLS_MAX);
        }
    }
}

static bool lose_restoring(const struct fixture *fixture, size_t device, int place, enum wire_fault fault) {
    struct stage stage;
    json_t *before;
    assert_true(take(&stage, fixture, FEW, device, &before));
    stage_must(&stage, OPERATION_RELEASE);
    stage_fault(&stage, place, fault);
    enum job_step step = stage_run(&stage, OPERATION_RESTORE);
    bool reached = stage.wire.calls >= place;
    if (step == JOB_DONE) check_put_back(&stage, before);
    if (step == JOB_FAILED && fault < WIRE_TRANSIENT) assert_true(call_may_pass(stage.error.code));
    stage_fault(&stage, 0, fault);
    stage.again = true;
    stage_must(&stage, OPERATION_RESTORE);
    check_put_back(&stage, before);
    json_decref(before);
    stage_close(&stage);
    return reached;
}

static void restore_looks_after_lost_answers(const struct fixture *fixture) {
    for (size_t device = 0; device < 2; device++) {
        for (enum wire_fault fault = 0; fault < WIRE_FAULTS; fault++) {
            for (int place = 1; lose_restoring(fixture, device, place, fault); place++)
                assert_true(place < CALLS_MAX);
        }
    }
}

const struct source_case change_cases[] = {
    {"a device goes and comes back", changes, goes_and_comes_back},
    {"restore looks first", changes, restore_looks_first},
    {"release looks after lost answers", changes, release_looks_after_lost_answers},
    {"restore looks after lost answers", changes, restore_looks_after_lost_answers},
    {NULL, NULL, NULL},
};
