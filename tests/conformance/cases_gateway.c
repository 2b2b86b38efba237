// SPDX-License-Identifier: Apache-2.0
// Gateways of sources that have some.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "conformance.h"
#include "device/gateway.h"

enum { CALLS_MAX = 60 };

static bool has_gateways(const struct fixture *fixture, const struct source_driver *driver) {
    return driver->list_gateways != NULL && fixture->text == NULL;
}

static void reads_gateways(const struct fixture *fixture) {
    struct stage stage;
    // A source with gateways is shown with some.
    assert_non_null(fixture->gateway_options);
    stage_open(&stage, fixture, &(struct stage_setup){.devices = 2, .gateways = true});
    size_t count = 0;
    for (; stage_take(&stage, count); count++) {
        struct gateway gateway;
        gateway_init(&gateway);
        assert_int_equal(stage.driver->convert_gateway(stage.source, &stage.record, &gateway, &stage.error),
                         0);
        assert_non_null(gateway.message->ids);
        gateway_release(&gateway);
    }
    assert_true(count > 0);
    assert_int_equal(stage.wire.changes, 0);
    stage_close(&stage);
}

static enum job_step read_first(struct stage *stage) {
    enum job_step step = stage_run(stage, OPERATION_PREPARE_GATEWAYS);
    if (step == JOB_DONE) step = stage_run(stage, OPERATION_LIST_GATEWAYS);
    if (step != JOB_DONE || stage->page.count == 0) return step;
    stage->record = stage->page.records[0];
    stage->page.records[0] = (struct source_record){0};
    return stage_run(stage, OPERATION_READ_GATEWAY);
}

// True if there was such a call.
static bool make_fault(const struct fixture *fixture, enum wire_fault fault, int place) {
    struct stage stage;
    stage_open(&stage, fixture, &(struct stage_setup){.devices = 2, .gateways = true});
    stage_fault(&stage, place, fault);
    enum job_step step = read_first(&stage);
    bool reached = stage.wire.calls >= place;
    if (step == JOB_FAILED && fault < WIRE_GARBAGE)
        assert_int_equal(call_may_pass(stage.error.code), fault < WIRE_TRANSIENT);
    if (fault == WIRE_GARBAGE && stage.wire.spoiled) assert_int_equal(step, JOB_FAILED);
    stage_close(&stage);
    return reached;
}

static void tells_faults(const struct fixture *fixture) {
    for (enum wire_fault fault = 0; fault < WIRE_FAULTS; fault++) {
        for (int place = 1; make_fault(fixture, fault, place); place++) assert_true(place < CALLS_MAX);
    }
}

static void takes_no_wrong_key(const struct fixture *fixture) {
    static const struct stage_setup setup = {
        .devices = 2, .gateways = true, .key = "Not/The+Right+Key+Of+This+Network+At+All0"};
    struct stage stage;
    stage_open(&stage, fixture, &setup);
    assert_int_equal(read_first(&stage), JOB_FAILED);
    assert_false(call_may_pass(stage.error.code));
    stage_close(&stage);
}

const struct source_case gateway_cases[] = {
    {"gateways: takes no wrong key", has_gateways, takes_no_wrong_key},
    {"gateways: tells what passes and what stays", has_gateways, tells_faults},
    {"lists, reads and converts gateways", has_gateways, reads_gateways},
    {NULL, NULL, NULL},
};
