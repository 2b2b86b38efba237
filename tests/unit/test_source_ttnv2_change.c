// SPDX-License-Identifier: Apache-2.0
// What changes devices of V2, against the sandbox's: a SetDevice of which half is done, or in between which the device is
// heard. What counts is the session of the Network Server, which GetDevice does not show.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "source/ttnv2_p.h"
#include "support/source_play.h"
#include "support/world_ask.h"
#include "world/ttnv2_p.h"
#include "world/world_p.h"

struct stage {
    struct world *world;
    struct play play;
    struct v2_device *device;
    struct v2_network_device *network;
    struct v2_device before;  // as it was read
    struct v2_network_device network_before;
    struct source_record record;
    unsigned sets;             // calls of SetDevice so far
    unsigned heard_before;     // the SetDevice before which V2 hears the device and answers; 0 = none
    enum grpc_status refused;  // what SetDevice answers without doing anything; 0 = it does something
    bool entered;              // somebody enters other keys while it does
    bool joins;                // the device joins V2 right after it
    bool joins_before;         // right before it, once
};

static void hear(struct stage *stage) {
    stage->network->last_seen = PLAY_NOW + stage->sets;
    stage->network->f_cnt_up++;
    stage->network->f_cnt_down++;
}

static void join_anew(struct stage *stage) {
    memset(stage->device->session.dev_addr, 0x26, DEV_ADDR_SIZE);
    memset(stage->device->session.nwk_s_key, 0x5A, KEY_SIZE);
    memset(stage->device->app_s_key, 0xA5, KEY_SIZE);
    stage->network->session = stage->device->session;
    stage->network->f_cnt_up = stage->network->f_cnt_down = 0;
}

// Somebody else writes to the application. V2 works again after that.
static void enter_keys(struct stage *stage) {
    memset(v2_is_zero(stage->device->app_key, KEY_SIZE) ? stage->device->session.nwk_s_key
                                                        : stage->device->app_key,
           0x77, KEY_SIZE);
    stage->network->session = stage->device->session;
    stage->refused = GRPC_OK;
}

static void answer_world(struct play *play, const struct call *call, struct reply *reply) {
    struct stage *stage = play->context;
    bool set = strstr(call->method, "/SetDevice") != NULL;
    stage->sets += set;
    if (set && stage->sets == stage->heard_before) hear(stage);
    if (set && stage->joins_before) {
        join_anew(stage);
        hear(stage);
        stage->joins_before = false;
    }
    if (set && stage->refused != GRPC_OK) {
        reply->grpc_status = stage->refused;
        if (stage->entered) enter_keys(stage);
        return;
    }
    enum world_endpoint endpoint =
        strncmp(call->method, "/discovery", 10) == 0 ? WORLD_TTNV2_DISCOVERY : WORLD_TTNV2_HANDLER;
    if (!world_ask(stage->world, PLAY_NOW, endpoint, call, reply)) reply->outcome = REPLY_LOST;
    if (set && stage->joins && !v2_is_zero(stage->device->app_key, KEY_SIZE)) join_anew(stage);
}

enum what { ABP, JOINED, NEW };

// The first device with a session alone, with an AppKey too, or with that alone.
static struct v2_device *find_device(const struct stage *stage, enum what what) {
    const struct v2_application *application = stage->world->v2->main;
    for (size_t i = 0; i < application->device_count; i++) {
        struct v2_device *device = application->devices[i];
        bool session = !v2_is_zero(device->session.nwk_s_key, KEY_SIZE) &&
                       !v2_is_zero(device->session.dev_addr, DEV_ADDR_SIZE) &&
                       !v2_is_zero(device->app_s_key, KEY_SIZE);
        bool joins = !v2_is_zero(device->app_key, KEY_SIZE);
        if (session == (what != NEW) && joins == (what != ABP)) return device;
    }
    fail_msg("no such device");
    return NULL;
}

static void note(struct stage *stage) {
    stage->before = *stage->device;
    stage->network_before = *stage->network;
}

static void stage_open(struct stage *stage, enum what what, const char *with_session) {
    *stage = (struct stage){.world = world_new(&(struct world_setup){.seed = 5, .devices = 40})};
    world_announce_handler(stage->world, "handler.example:1904", "", "");
    char *key MEMORY_AUTO = memory_printf("app-access-key=%s", world_access_key(stage->world));
    char *session MEMORY_AUTO = memory_printf("with-session=%s", with_session);
    const char *const options[] = {"frequency-plan-id=EU_863_870_TTN",
                                   "app-id=" WORLD_DEFAULT_APP_ID,
                                   key,
                                   session,
                                   "discovery-server-address=discovery.example:1900",
                                   NULL};
    play_init(&stage->play, "ttnv2", answer_world, options);
    stage->play.context = stage;
    assert_int_equal(play_open(&stage->play), 0);
    assert_int_equal(play_prepare(&stage->play, WORLD_DEFAULT_APP_ID), JOB_DONE);
    stage->device = find_device(stage, what);
    stage->network =
        v2_network_find(&stage->world->v2->network, stage->device->app_eui, stage->device->dev_eui);
    stage->record.id = memory_strdup(stage->device->dev_id);
    assert_int_equal(play_read(&stage->play, &stage->record), JOB_DONE);
    note(stage);
}

static void stage_close(struct stage *stage) {
    source_record_release(&stage->record);
    play_release(&stage->play);
    world_free(stage->world);
}

static void fault(struct stage *stage, const char *spec) {
    world_clear_faults(stage->world);
    assert_int_equal(world_add_fault(stage->world, spec, NULL), 0);
}

static enum job_step release(struct stage *stage) {
    struct play *play = &stage->play;
    stage->sets = 0;
    return play_run(play,
                    play->driver->release(play->source, &play->job, &stage->record, NULL, &play->error));
}

static enum job_step restore(struct stage *stage, bool untouched, const char **ret_remark) {
    struct play *play = &stage->play;
    struct source_restoration restoration = {.untouched = untouched};
    stage->sets = 0;
    enum job_step step = play_run(
        play, play->driver->restore(play->source, &play->job, &stage->record, &restoration, &play->error));
    if (ret_remark != NULL) *ret_remark = NULL;
    if (ret_remark != NULL && restoration.remark != NULL) *ret_remark = "told";
    return step;
}

static void assert_session(const struct v2_session_keys *session, const struct v2_session_keys *wanted) {
    assert_memory_equal(session->dev_addr, wanted->dev_addr, DEV_ADDR_SIZE);
    assert_memory_equal(session->nwk_s_key, wanted->nwk_s_key, KEY_SIZE);
}

static bool network_has_session(const struct stage *stage) {
    return !v2_is_zero(stage->network->session.nwk_s_key, KEY_SIZE);
}

// Both servers have what they had when the device was read.
static void assert_back(const struct stage *stage) {
    assert_session(&stage->network->session, &stage->before.session);
    assert_session(&stage->device->session, &stage->before.session);
    assert_memory_equal(stage->device->app_key, stage->before.app_key, KEY_SIZE);
    assert_memory_equal(stage->device->app_s_key, stage->before.app_s_key, KEY_SIZE);
    assert_int_equal(stage->network->f_cnt_up, stage->network_before.f_cnt_up);
}

// ---- by halves

static void test_half_release(void **state) {
    (void)state;
    for (int joins = 0; joins < 2; joins++) {
        struct stage stage;
        stage_open(&stage, joins, "true");
        fault(&stage, "SetDevice:half");
        assert_int_equal(release(&stage), JOB_FAILED);
        assert_false(stage.play.job.unchanged);
        assert_false(network_has_session(&stage));
        assert_session(&stage.device->session, &stage.before.session);
        world_clear_faults(stage.world);
        const char *remark = NULL;
        assert_int_equal(restore(&stage, false, &remark), JOB_DONE);
        assert_int_equal(stage.sets, 1);
        assert_null(remark);
        assert_back(&stage);
        assert_int_equal(stage.network->f_cnt_down, stage.network_before.f_cnt_down);
        stage_close(&stage);
    }
}

static void test_half_release_again(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, true, "true");
    fault(&stage, "SetDevice:half:count=1");
    assert_int_equal(release(&stage), JOB_FAILED);
    stage.play.again = true;
    assert_int_equal(release(&stage), JOB_DONE);
    assert_false(network_has_session(&stage));
    assert_true(v2_is_zero(stage.device->app_key, KEY_SIZE));
    assert_true(v2_is_zero(stage.device->session.nwk_s_key, KEY_SIZE));
    stage_close(&stage);
}

static void test_half_restore(void **state) {
    (void)state;
    for (int joins = 0; joins < 2; joins++) {
        struct stage stage;
        stage_open(&stage, joins, "true");
        assert_int_equal(release(&stage), JOB_DONE);
        fault(&stage, "SetDevice:half");
        assert_int_equal(restore(&stage, false, NULL), JOB_FAILED);
        assert_true(network_has_session(&stage));
        assert_true(v2_is_zero(stage.device->session.nwk_s_key, KEY_SIZE));
        world_clear_faults(stage.world);
        assert_int_equal(restore(&stage, false, NULL), JOB_DONE);
        assert_back(&stage);
        stage_close(&stage);
    }
}

// Keys that the Handler had before say nothing about a SetDevice that failed.
static void test_half_release_half_restore(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, false, "true");
    fault(&stage, "SetDevice:half");
    assert_int_equal(release(&stage), JOB_FAILED);
    fault(&stage, "SetDevice:internal");
    assert_int_equal(restore(&stage, false, NULL), JOB_FAILED);
    assert_false(network_has_session(&stage));
    fault(&stage, "SetDevice:reset-before:count=3");
    assert_int_equal(restore(&stage, false, NULL), JOB_DONE);
    assert_back(&stage);
    stage_close(&stage);
}

// The Handler refuses what it once took, after the Network Server was written.
static void test_too_many_attributes(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, true, "true");
    for (char name = 'a'; name < 'a' + 6; name++) {
        v2_device_add_attribute(stage.device, (struct wire_bytes){(const uint8_t *)&name, 1},
                                (struct wire_bytes){(const uint8_t *)"1", 1});
    }
    stage.record.complete = false;
    assert_int_equal(play_read(&stage.play, &stage.record), JOB_DONE);
    assert_int_equal(release(&stage), JOB_FAILED);
    assert_false(stage.play.job.unchanged);
    assert_false(network_has_session(&stage));
    assert_int_equal(restore(&stage, false, NULL), JOB_DONE);
    assert_back(&stage);
    stage_close(&stage);
}

static void test_untouched(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, true, "true");
    const char *remark = NULL;
    assert_int_equal(restore(&stage, true, &remark), JOB_DONE);
    assert_int_equal(stage.sets, 0);
    assert_null(remark);
    assert_int_equal(restore(&stage, false, &remark), JOB_DONE);
    assert_int_equal(stage.sets, 1);
    assert_null(remark);
    assert_back(&stage);
    stage_close(&stage);
}

static void test_unchanged(void **state) {
    (void)state;
    static const struct {
        enum grpc_status status;
        bool unchanged;
    } rows[] = {{GRPC_PERMISSION_DENIED, true},
                {GRPC_INVALID_ARGUMENT, true},
                {GRPC_UNIMPLEMENTED, true},
                {GRPC_INTERNAL, false},
                {GRPC_UNKNOWN, false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct stage stage;
        stage_open(&stage, true, "true");
        stage.refused = rows[i].status;
        assert_int_equal(release(&stage), JOB_FAILED);
        assert_int_equal(stage.play.job.unchanged, rows[i].unchanged);
        // An earlier attempt may have done what this one could not.
        stage.play.again = true;
        stage.refused = GRPC_PERMISSION_DENIED;
        assert_int_equal(release(&stage), JOB_FAILED);
        assert_false(stage.play.job.unchanged);
        stage_close(&stage);
    }
}

// ---- V2 goes on meanwhile

static void test_joined_anew(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, true, "true");
    fault(&stage, "SetDevice:half");
    assert_int_equal(release(&stage), JOB_FAILED);
    world_clear_faults(stage.world);
    join_anew(&stage);
    struct v2_session_keys session = stage.network->session;
    stage.play.again = true;
    assert_int_equal(release(&stage), JOB_FAILED);
    assert_int_equal(stage.sets, 0);
    assert_non_null(strstr(stage.play.error.message, "rolled back"));
    const char *remark = NULL;
    assert_int_equal(restore(&stage, false, &remark), JOB_DONE);
    assert_int_equal(stage.sets, 0);
    assert_non_null(remark);
    assert_session(&stage.network->session, &session);
    // With another AppKey it is somebody else's.
    stage.device->app_key[0] ^= 1;
    assert_int_equal(restore(&stage, false, &remark), JOB_FAILED);
    stage_close(&stage);
}

// A device that nobody answered joins V2 as soon as its AppKey is there again.
static void test_joined_once_restored(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, true, "true");
    assert_int_equal(release(&stage), JOB_DONE);
    stage.joins = true;
    const char *remark = NULL;
    assert_int_equal(restore(&stage, false, &remark), JOB_DONE);
    assert_int_equal(stage.sets, 1);
    assert_non_null(remark);
    assert_memory_equal(stage.device->app_key, stage.before.app_key, KEY_SIZE);
    assert_int_equal(stage.network->session.nwk_s_key[0], 0x5A);
    stage_close(&stage);
}

// A look that shows other keys is believed, also if the device was not cleared before.
static void test_other_keys(void **state) {
    (void)state;
    for (int joins = 0; joins < 2; joins++) {
        struct stage stage;
        stage_open(&stage, joins, "true");
        stage.refused = GRPC_UNAVAILABLE;
        stage.entered = true;
        assert_int_equal(release(&stage), JOB_FAILED);
        assert_int_equal(stage.sets, 1);
        assert_non_null(strstr(stage.play.error.message, "other keys"));
        assert_true(network_has_session(&stage));
        assert_int_equal(stage.play.error.code, ERROR_DEVICE);
        stage_close(&stage);
    }
}

// The counter that V2 used while SetDevice was on its way is written back by it: it has to be skipped then.
static void test_session_that_stays(void **state) {
    (void)state;
    for (unsigned heard = 0; heard < 2; heard++) {
        struct stage stage;
        stage_open(&stage, true, "false");
        stage.heard_before = heard;
        uint32_t next = stage.network->f_cnt_down + heard;
        assert_int_equal(release(&stage), JOB_DONE);
        assert_int_equal(stage.sets, 1 + heard);
        assert_true(v2_is_zero(stage.device->app_key, KEY_SIZE));
        assert_session(&stage.network->session, &stage.before.session);
        assert_session(&stage.device->session, &stage.before.session);
        assert_int_equal(stage.network->f_cnt_down, next);
        stage_close(&stage);
    }
}

static void test_session_that_stays_half(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, true, "false");
    stage.heard_before = 1;
    fault(&stage, "SetDevice:half");
    uint32_t used = stage.network->f_cnt_down;
    assert_int_equal(release(&stage), JOB_FAILED);
    assert_int_equal(stage.network->f_cnt_down, used);
    world_clear_faults(stage.world);
    stage.heard_before = 0;
    const char *remark = NULL;
    assert_int_equal(restore(&stage, false, &remark), JOB_DONE);
    assert_int_equal(stage.network->f_cnt_down, used + 1);
    assert_non_null(remark);
    assert_memory_equal(stage.device->app_key, stage.before.app_key, KEY_SIZE);
    assert_session(&stage.network->session, &stage.before.session);
    // And not once more.
    assert_int_equal(restore(&stage, false, &remark), JOB_DONE);
    assert_int_equal(stage.sets, 0);
    stage_close(&stage);
}

// A device that V2 still handles is heard while its keys are written once more.
static void test_heard_while_restored(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, false, "true");
    stage.heard_before = 1;
    uint32_t used = stage.network->f_cnt_down;
    const char *remark = NULL;
    assert_int_equal(restore(&stage, false, &remark), JOB_DONE);
    assert_int_equal(stage.sets, 2);
    assert_true(stage.network->f_cnt_down > used);
    assert_non_null(remark);
    assert_session(&stage.network->session, &stage.before.session);
    stage_close(&stage);
}

// ---- a device that joins V2 after it was read

static struct source_confirmation confirm(struct stage *stage, const struct source_record *now) {
    struct play *play = &stage->play;
    struct source_confirmation confirmation = {0};
    assert_int_equal(play_run(play, play->driver->confirm(play->source, &play->job, &stage->record, now,
                                                          &confirmation, &play->error)),
                     JOB_DONE);
    return confirmation;
}

// It is cleared but for the session that it got meanwhile, which is in the record from then on.
static void open_joined(struct stage *stage, struct v2_session_keys *ret_session) {
    stage_open(stage, NEW, "true");
    stage->joins_before = true;
    assert_int_equal(release(stage), JOB_DONE);
    *ret_session = stage->network->session;
    assert_true(network_has_session(stage));
    struct source_confirmation confirmation = confirm(stage, NULL);
    assert_int_equal(confirmation.proof, SOURCE_JOINED);
    assert_non_null(confirmation.joined);
    source_record_set_data(&stage->record, confirmation.joined, confirmation.joined_size);
    stage->play.again = true;
}

static void assert_joined(const struct stage *stage, const struct v2_session_keys *session) {
    assert_session(&stage->network->session, session);
    assert_session(&stage->device->session, session);
    assert_memory_equal(stage->device->app_key, stage->before.app_key, KEY_SIZE);
    assert_int_equal(stage->device->app_s_key[0], 0xA5);
    // What V2 may have sent before the counters were written back is not sent again.
    assert_true(stage->network->f_cnt_down >= SOURCE_UNSEEN_DOWNLINKS);
}

static void test_joined_meanwhile(void **state) {
    (void)state;
    struct stage stage;
    struct v2_session_keys session;
    open_joined(&stage, &session);
    struct device device;
    device_init(&device);
    assert_int_equal(stage.play.driver->convert(stage.play.source, &stage.record, &device, NULL), 0);
    const Tts__EndDevice *converted = device.end_device;
    assert_non_null(converted->session);
    assert_memory_equal(converted->session->keys->f_nwk_s_int_key->key.data, session.nwk_s_key, KEY_SIZE);
    assert_memory_equal(converted->root_keys->app_key->key.data, stage.before.app_key, KEY_SIZE);
    assert_true(converted->session->last_n_f_cnt_down + 1 >= SOURCE_UNSEEN_DOWNLINKS);
    device_release(&device);
    assert_int_equal(release(&stage), JOB_DONE);
    assert_int_equal(stage.sets, 1);
    assert_false(network_has_session(&stage));
    assert_true(v2_is_zero(stage.device->session.nwk_s_key, KEY_SIZE));
    assert_true(v2_is_zero(stage.device->app_s_key, KEY_SIZE));
    assert_int_not_equal(confirm(&stage, NULL).proof, SOURCE_JOINED);
    assert_int_equal(restore(&stage, false, NULL), JOB_DONE);
    assert_joined(&stage, &session);
    stage_close(&stage);
}

// The way back begins before V2 was told to let go of that session.
static void test_joined_meanwhile_restored(void **state) {
    (void)state;
    struct stage stage;
    struct v2_session_keys session;
    open_joined(&stage, &session);
    fault(&stage, "SetDevice:reset-before:count=1");
    const char *remark = NULL;
    assert_int_equal(restore(&stage, false, &remark), JOB_DONE);
    assert_non_null(remark);
    assert_joined(&stage, &session);
    stage_close(&stage);
}

// A session that nobody has recorded yet stays, and goes on behind the counter that clearing wrote back.
static void test_joined_meanwhile_unrecorded(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, NEW, "true");
    stage.joins_before = true;
    assert_int_equal(release(&stage), JOB_DONE);
    struct v2_session_keys session = stage.network->session;
    assert_int_equal(restore(&stage, false, NULL), JOB_DONE);
    assert_session(&stage.network->session, &session);
    assert_int_equal(stage.network->f_cnt_down, 1);
    assert_memory_equal(stage.device->app_key, stage.before.app_key, KEY_SIZE);
    stage_close(&stage);
}

// With other keys than the recorded session it is somebody else's.
static void test_joined_meanwhile_other_keys(void **state) {
    (void)state;
    struct stage stage;
    struct v2_session_keys session;
    open_joined(&stage, &session);
    stage.device->session.nwk_s_key[0] ^= 1;
    assert_int_equal(release(&stage), JOB_FAILED);
    assert_int_equal(stage.sets, 0);
    assert_int_equal(restore(&stage, false, NULL), JOB_FAILED);
    assert_int_equal(stage.sets, 0);
    stage_close(&stage);
}

// A list shows that there is a session, but not its counters; and one that is to stay is none to ask for.
static void test_joined_meanwhile_listed(void **state) {
    (void)state;
    static const char *const sessions[] = {"true", "false"};
    for (size_t i = 0; i < 2; i++) {
        struct stage stage;
        stage_open(&stage, NEW, sessions[i]);
        stage.joins_before = true;
        assert_int_equal(release(&stage), JOB_DONE);
        struct source_record now = {.id = memory_strdup(stage.record.id)};
        assert_int_equal(play_read(&stage.play, &now), JOB_DONE);
        assert_int_equal(confirm(&stage, &now).proof, i == 0 ? SOURCE_JOINED : SOURCE_RELEASED);
        assert_null(confirm(&stage, &now).joined);
        assert_int_equal(stage.play.source->joins, i == 0);
        source_record_release(&now);
        stage_close(&stage);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_half_release),
        cmocka_unit_test(test_half_release_again),
        cmocka_unit_test(test_half_restore),
        cmocka_unit_test(test_half_release_half_restore),
        cmocka_unit_test(test_too_many_attributes),
        cmocka_unit_test(test_untouched),
        cmocka_unit_test(test_unchanged),
        cmocka_unit_test(test_joined_anew),
        cmocka_unit_test(test_joined_once_restored),
        cmocka_unit_test(test_other_keys),
        cmocka_unit_test(test_session_that_stays),
        cmocka_unit_test(test_session_that_stays_half),
        cmocka_unit_test(test_heard_while_restored),
        cmocka_unit_test(test_joined_meanwhile),
        cmocka_unit_test(test_joined_meanwhile_restored),
        cmocka_unit_test(test_joined_meanwhile_unrecorded),
        cmocka_unit_test(test_joined_meanwhile_other_keys),
        cmocka_unit_test(test_joined_meanwhile_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
