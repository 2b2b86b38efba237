// SPDX-License-Identifier: Apache-2.0
// Cases that change nothing.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "conformance.h"
#include "device/validate.h"

// Most sources give more than one page of so many.
enum { MANY = 1010, FEW = 3, CALLS_MAX = 60 };

static bool any(const struct fixture *fixture, const struct source_driver *driver) {
    (void)fixture;
    return (driver->features & SOURCE_LISTS) != 0;
}

static bool network(const struct fixture *fixture, const struct source_driver *driver) {
    (void)driver;
    return fixture->text == NULL;
}

static size_t expected(const struct stage *stage) {
    if (stage->fixture->text != NULL) return stage->fixture->devices;
    json_t *state = look_world(stage->wire.world);
    size_t count = look_count(state, stage->fixture);
    json_decref(state);
    return count;
}

static int by_id(const void *a, const void *b) {
    return strcmp(((const struct source_record *)a)->id, ((const struct source_record *)b)->id);
}

static void list_of(const struct fixture *fixture, uint64_t devices) {
    struct stage stage;
    stage_open(&stage, fixture, &(struct stage_setup){.devices = devices});
    stage_must(&stage, OPERATION_PREPARE);
    stage_list_all(&stage);
    assert_int_equal(stage.page.count, expected(&stage));
    qsort(stage.page.records, stage.page.count, sizeof *stage.page.records, by_id);
    for (size_t i = 1; i < stage.page.count; i++)
        assert_string_not_equal(stage.page.records[i - 1].id, stage.page.records[i].id);
    stage_close(&stage);
}

static void lists_each_once(const struct fixture *fixture) {
    list_of(fixture, FEW);
    if (fixture->text == NULL) list_of(fixture, fixture->many > 0 ? fixture->many : MANY);
}

// An empty list is none, or an error that stays.
static void lists_nothing(const struct fixture *fixture) {
    struct stage stage;
    stage_open(&stage, fixture, &(struct stage_setup){.text = ""});
    stage_must(&stage, OPERATION_PREPARE);
    if (stage_run(&stage, OPERATION_LIST) == JOB_DONE) {
        stage_list_all(&stage);
        assert_int_equal(stage.page.count, expected(&stage));
    } else {
        assert_false(call_may_pass(stage.error.code));
    }
    stage_close(&stage);
}

static void check_device(struct stage *stage) {
    ERROR_AUTO error = {0};
    assert_true(stage->record.complete);
    assert_true(stage->record.has_dev_eui);
    const ProtobufCBinaryData *dev_eui = &device_ids(&stage->device)->dev_eui;
    assert_int_equal(dev_eui->len, 8);
    assert_memory_equal(dev_eui->data, stage->record.dev_eui, 8);
    if (device_validate(&stage->device, stage->setup.plans, &error) != 0)
        fail_msg("%s: %s", stage->record.id, error.message);
}

static void reads_and_converts(const struct fixture *fixture) {
    struct stage stage;
    stage_open(&stage, fixture, &(struct stage_setup){.devices = 20});
    size_t count = expected(&stage);
    assert_true(count > 1);
    for (size_t i = 0; i < count; i++) {
        assert_true(stage_take(&stage, i));
        check_device(&stage);
    }
    stage_close(&stage);
}

// Its ID is put in front by the engine, for all sources.
static void misses_a_device(const struct fixture *fixture) {
    struct stage stage;
    stage_open(&stage, fixture, &(struct stage_setup){.devices = FEW});
    stage_must(&stage, OPERATION_PREPARE);
    stage.record.id = memory_strdup(fixture->missing);
    assert_int_equal(stage_run(&stage, OPERATION_READ), JOB_FAILED);
    assert_int_equal(stage.error.code, ERROR_NOT_FOUND);
    stage_close(&stage);
}

static void takes_no_wrong_key(const struct fixture *fixture) {
    struct stage stage;
    stage_open(&stage, fixture,
               &(struct stage_setup){.devices = FEW, .key = "Not/The+Right+Key+Of+This+Network+At+All0"});
    enum job_step step = stage_run(&stage, OPERATION_PREPARE);
    if (step == JOB_DONE) step = stage_run(&stage, OPERATION_LIST);
    assert_int_equal(step, JOB_FAILED);
    assert_false(call_may_pass(stage.error.code));
    stage_close(&stage);
}

// ---- what goes wrong on the way

// Checks what became of the operation; `fault` happened in it.
typedef void fault_check(struct stage *stage, enum wire_fault fault, enum job_step step);

// Opens it, up to where the operation begins; the first device is the record.
static void begin(struct stage *stage, const struct fixture *fixture, enum operation operation) {
    stage_open(stage, fixture, &(struct stage_setup){.devices = FEW});
    if (operation == OPERATION_PREPARE) return;
    stage_must(stage, OPERATION_PREPARE);
    if (operation == OPERATION_LIST || operation == OPERATION_FORMATTERS) return;
    stage_list_all(stage);
    assert_true(stage->page.count > 0);
    stage->record = stage->page.records[0];
    stage->page.records[0] = (struct source_record){0};
}

// Once it has ended well, a fault made no difference.
static void check_same(struct stage *stage, enum operation operation) {
    struct stage other;
    begin(&other, stage->fixture, operation);
    if (operation == OPERATION_PREPARE) {
        stage_must(&other, operation);
        stage_fault(stage, 0, WIRE_EMPTY);
        operation = OPERATION_LIST;
        stage_must(stage, operation);
    }
    stage_must(&other, operation);
    if (operation == OPERATION_LIST) {
        assert_int_equal(stage->page.count, other.page.count);
    } else if (operation == OPERATION_FORMATTERS) {
        assert_int_equal(stage->formatters.formatters == NULL, other.formatters.formatters == NULL);
    } else {
        assert_int_equal(stage->record.size, other.record.size);
        assert_memory_equal(stage->record.data, other.record.data, other.record.size);
    }
    stage_close(&other);
}

// True if there was such a call.
static bool make_fault(const struct fixture *fixture, enum operation operation, enum wire_fault fault,
                       int place, fault_check *check) {
    struct stage stage;
    begin(&stage, fixture, operation);
    stage_fault(&stage, place, fault);
    enum job_step step = stage_run(&stage, operation);
    bool reached = stage.wire.calls >= place;
    if (reached && step == JOB_DONE && fault != WIRE_DENIED && fault < WIRE_GARBAGE)
        check_same(&stage, operation);
    if (reached) check(&stage, fault, step);
    stage_close(&stage);
    return reached;
}

static void each_fault(const struct fixture *fixture, enum wire_fault first, enum wire_fault behind,
                       fault_check *check) {
    const struct source_driver *driver =
        source_find(source_drivers(), fixture->source, strlen(fixture->source));
    for (enum operation operation = OPERATION_PREPARE; operation <= OPERATION_READ; operation++) {
        if (operation == OPERATION_FORMATTERS && driver->formatters == NULL) continue;
        for (enum wire_fault fault = first; fault < behind; fault++) {
            for (int place = 1; make_fault(fixture, operation, fault, place, check); place++)
                assert_true(place < CALLS_MAX);
        }
    }
}

static void check_passes(struct stage *stage, enum wire_fault fault, enum job_step step) {
    if (step != JOB_FAILED || call_may_pass(stage->error.code)) return;
    char *chain MEMORY_AUTO = error_chain(&stage->error);
    fail_msg("fault %d counts as one that stays: %s", (int)fault, chain);
}

static void check_stays(struct stage *stage, enum wire_fault fault, enum job_step step) {
    if (step != JOB_FAILED || !call_may_pass(stage->error.code)) return;
    char *chain MEMORY_AUTO = error_chain(&stage->error);
    fail_msg("fault %d counts as one that passes: %s", (int)fault, chain);
}

// No crash; what the error says was looked at already.
static void check_survived(struct stage *stage, enum wire_fault fault, enum job_step step) {
    bool nonsense =
        (fault == WIRE_GARBAGE && stage->wire.spoiled) || (fault == WIRE_CUT && stage->wire.spoiled_text);
    if (nonsense && step != JOB_FAILED)
        fail_msg("call %d of an operation takes nonsense for an answer", stage->wire.fault_at);
}

static void tells_what_passes(const struct fixture *fixture) {
    each_fault(fixture, 0, WIRE_TRANSIENT, check_passes);
}

static void tells_what_stays(const struct fixture *fixture) {
    each_fault(fixture, WIRE_DENIED, WIRE_GARBAGE, check_stays);
}

static void survives_nonsense(const struct fixture *fixture) {
    each_fault(fixture, WIRE_GARBAGE, WIRE_FAULTS, check_survived);
}

// ---- more

static void changes_nothing_unasked(const struct fixture *fixture) {
    for (int dry_run = 0; dry_run < 2; dry_run++) {
        struct stage stage;
        stage_open(&stage, fixture, &(struct stage_setup){.devices = FEW, .dry_run = dry_run});
        stage.wire.watched = true;
        for (size_t i = 0; stage_take(&stage, i); i++) assert_int_equal(stage.wire.changes, 0);
        stage_close(&stage);
    }
}

static bool has_formatters(const struct fixture *fixture, const struct source_driver *driver) {
    return driver->formatters != NULL && fixture->text == NULL;
}

// The sandbox has some in each network that has any.
static void reads_formatters(const struct fixture *fixture) {
    struct stage stage;
    stage_open(&stage, fixture, &(struct stage_setup){.devices = FEW});
    stage.wire.watched = true;
    stage_must(&stage, OPERATION_PREPARE);
    stage_must(&stage, OPERATION_FORMATTERS);
    assert_non_null(stage.formatters.formatters);
    assert_int_equal(stage.wire.changes, 0);
    stage_close(&stage);
}

// A journal may be damaged: any part of a record, and any byte wrong, is a device or an error.
static void survives_damaged_records(const struct fixture *fixture) {
    struct stage stage;
    stage_open(&stage, fixture, &(struct stage_setup){.devices = FEW});
    assert_true(stage_take(&stage, 0));
    size_t size = stage.record.size;
    uint8_t *whole MEMORY_AUTO = memory_dup(stage.record.data, size);
    size_t step = size / 300 + 1;
    for (size_t i = 0; i < size; i += step) {
        source_record_set_data(&stage.record, whole, i);
        stage_convert(&stage);
        uint8_t *damaged MEMORY_AUTO = memory_dup(whole, size);
        damaged[i] ^= 0xff;
        source_record_set_data(&stage.record, damaged, size);
        stage_convert(&stage);
    }
    stage_close(&stage);
}

const struct source_case read_cases[] = {
    {"lists each device once", any, lists_each_once},
    {"lists nothing where nothing is", any, lists_nothing},
    {"reads and converts each device", any, reads_and_converts},
    {"misses a device that is not there", network, misses_a_device},
    {"takes no wrong key", network, takes_no_wrong_key},
    {"tells what may pass", network, tells_what_passes},
    {"tells what stays", network, tells_what_stays},
    {"survives nonsense", network, survives_nonsense},
    {"changes nothing unasked", network, changes_nothing_unasked},
    {"reads payload formatters", has_formatters, reads_formatters},
    {"survives damaged records", any, survives_damaged_records},
    {NULL, NULL, NULL},
};
