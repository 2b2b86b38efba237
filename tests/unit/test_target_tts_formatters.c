// SPDX-License-Identifier: Apache-2.0
// Target tts: the payload formatters of the application.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/words.h"
#include "device/payload_formatters.h"
#include "fake_tts.h"

struct wanted {
    struct target_formatters found;
    Tts__MessagePayloadFormatters formatters;
    unsigned directions;
};

static struct wanted wanted;
static char script[] = "function decodeUplink(input) {}";
static char other[] = "function encodeDownlink(input) {}";

static enum job_step run_prepare(struct fake_tts *fake, struct fake_tts_run *run, struct job *job,
                                 struct error *error) {
    (void)run;
    return target_tts.prepare(fake->target, job, "old_app", error);
}

static enum job_step run_get(struct fake_tts *fake, struct fake_tts_run *run, struct job *job,
                             struct error *error) {
    (void)run;
    wanted.found.arena = &fake->arena;
    return target_tts.get_formatters(fake->target, job, &wanted.found, error);
}

static enum job_step run_set(struct fake_tts *fake, struct fake_tts_run *run, struct job *job,
                             struct error *error) {
    (void)run;
    return target_tts.set_formatters(fake->target, job, &wanted.formatters, wanted.directions, error);
}

static void begin(struct fake_tts *fake, struct fake_tts_run *run, bool create) {
    wanted =
        (struct wanted){.formatters = TTS__MESSAGE_PAYLOAD_FORMATTERS__INIT, .directions = FORMATTERS_BOTH};
    wanted.formatters.up_formatter = TTS__PAYLOAD_FORMATTER__FORMATTER_JAVASCRIPT;
    wanted.formatters.up_formatter_parameter = script;
    wanted.formatters.down_formatter = TTS__PAYLOAD_FORMATTER__FORMATTER_JAVASCRIPT;
    wanted.formatters.down_formatter_parameter = other;
    fake_tts_init(fake);
    fake_tts_open(fake, create);
    run->function = run_prepare;
    assert_int_equal(fake_tts_run(fake, run), JOB_DONE);
}

static void end(struct fake_tts *fake, struct fake_tts_run *run) {
    error_release(&run->error);
    fake_tts_release(fake);
}

static void test_set(void **state) {
    (void)state;
    struct fake_tts fake;
    struct fake_tts_run run = {0};
    begin(&fake, &run, false);
    run.function = run_get;
    assert_int_equal(fake_tts_run(&fake, &run), JOB_DONE);
    assert_null(wanted.found.formatters);
    assert_string_equal(wanted.found.application, "my-app");
    wanted.directions = FORMATTERS_UP;
    run.function = run_set;
    assert_int_equal(fake_tts_run(&fake, &run), JOB_DONE);
    assert_int_equal(payload_formatters_directions(fake.link->default_formatters), FORMATTERS_UP);
    assert_string_equal(fake.link->default_formatters->down_formatter_parameter, "");
    wanted.directions = FORMATTERS_DOWN;
    assert_int_equal(fake_tts_run(&fake, &run), JOB_DONE);
    run.function = run_get;
    assert_int_equal(fake_tts_run(&fake, &run), JOB_DONE);
    assert_true(payload_formatters_equal(wanted.found.formatters, &wanted.formatters, FORMATTERS_BOTH));
    // One direction goes, the other stays.
    wanted.formatters = (Tts__MessagePayloadFormatters)TTS__MESSAGE_PAYLOAD_FORMATTERS__INIT;
    wanted.directions = FORMATTERS_UP;
    run.function = run_set;
    assert_int_equal(fake_tts_run(&fake, &run), JOB_DONE);
    assert_int_equal(payload_formatters_directions(fake.link->default_formatters), FORMATTERS_DOWN);
    end(&fake, &run);
}

static void test_lost(void **state) {
    (void)state;
    for (int fault = FAKE_LOST; fault <= FAKE_DROPPED; fault++) {
        struct fake_tts fake;
        struct fake_tts_run run = {0};
        begin(&fake, &run, false);
        run.function = run_set;
        fake_tts_fault(&fake, "As/SetLink", (enum fake_fault)fault, 3);
        assert_int_equal(fake_tts_run(&fake, &run), JOB_DONE);
        assert_int_equal(fake.steps, 4);
        assert_true(
            payload_formatters_equal(fake.link->default_formatters, &wanted.formatters, FORMATTERS_BOTH));
        fake_tts_fault(&fake, "As/SetLink", (enum fake_fault)fault, 100);
        assert_int_equal(fake_tts_run(&fake, &run), JOB_FAILED);
        assert_int_equal(fake.steps, TTS_TRIES);
        end(&fake, &run);
    }
}

static void test_refused(void **state) {
    (void)state;
    struct fake_tts fake;
    struct fake_tts_run run = {0};
    begin(&fake, &run, false);
    fake.fault_status = GRPC_PERMISSION_DENIED;
    fake.fault_space = "pkg/auth/rights";
    fake.fault_name = "insufficient_application_rights";
    for (int set = 0; set < 2; set++) {
        fake_tts_fault(&fake, set ? "/SetLink" : "/GetLink", FAKE_REFUSED, 1);
        run.function = set ? run_set : run_get;
        assert_int_equal(fake_tts_run(&fake, &run), JOB_FAILED);
        assert_int_equal(run.error.code, ERROR_DENIED);
        assert_non_null(strstr(run.error.hint, "RIGHT_APPLICATION_SETTINGS_BASIC"));
        assert_int_equal(fake.steps, 1);
    }
    assert_null(fake.link);
    end(&fake, &run);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set),
        cmocka_unit_test(test_lost),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
