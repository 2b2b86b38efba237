// SPDX-License-Identifier: Apache-2.0
// The jobs of source chirpstack against the sandbox's ChirpStack, with answers that are lost at every place.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "source/chirpstack_p.h"
#include "support/source_play.h"
#include "support/world_ask.h"
#include "world/chirpstack_p.h"

// The first profile is one of OTAA devices, the fourth of LoRaWAN 1.1, the fifth of ABP devices.
#define OTAA_DEVICE "a840410000000001"
#define MAC_1_1     "a840410000000004"
#define ABP_DEVICE  "a840410000000005"

enum loss { LOSS_BEFORE, LOSS_AFTER, LOSS_UNAVAILABLE, LOSSES };

struct stage {
    struct world *world;
    struct play play;
    int calls;       // so far
    int lose_at;     // the call whose answer is lost; 0 = none
    enum loss loss;  // the call was not made, was made, was refused
    bool only_v3;    // it does not know the services of v4
    bool offline;    // no call arrives
    bool changed;    // a call that changes something was made
};

static void answer_world(struct play *play, const struct call *call, struct reply *reply) {
    struct stage *stage = play->context;
    stage->calls++;
    bool lost = stage->calls == stage->lose_at;
    if (stage->offline || (lost && stage->loss == LOSS_BEFORE)) {
        reply->outcome = REPLY_LOST;
        return;
    }
    if (stage->only_v3 && call->kind == CALL_GRPC) {
        reply->grpc_status = GRPC_UNIMPLEMENTED;
        return;
    }
    if (lost && stage->loss == LOSS_UNAVAILABLE) {
        reply->grpc_status = GRPC_UNAVAILABLE;
        reply->http_status = 503;
        return;
    }
    if (call->changes) stage->changed = true;
    world_ask(stage->world, PLAY_NOW, world_chirpstack_of(call), call, lost ? NULL : reply);
    if (lost) reply->outcome = REPLY_LOST;
}

// What every stage is opened with from here on.
static const char *api_version = "auto";

static void stage_open_as(struct stage *stage, const char *release, enum world_chirpstack_key key) {
    char *version MEMORY_AUTO = memory_printf("api-version=%s", api_version);
    *stage = (struct stage){
        .world = world_new(&(struct world_setup){.seed = 3, .broken = true, .chirpstack_devices = 28})};
    char *how MEMORY_AUTO = memory_printf("release=%s", release);
    char *api_key MEMORY_AUTO = memory_printf("api-key=%s", world_chirpstack_key(stage->world, key));
    const char *const options[] = {"api-url=cs.example:8080",
                                   api_key,
                                   how,
                                   version,
                                   "export-session=true",
                                   "frequency-plan-id=EU_863_870,US_902_928_FSB_2,AS_923",
                                   NULL};
    play_init(&stage->play, "chirpstack", answer_world, options);
    stage->play.context = stage;
    assert_int_equal(play_open(&stage->play), 0);
}

static void stage_open(struct stage *stage, const char *release) {
    stage_open_as(stage, release, WORLD_CHIRPSTACK_KEY_ADMIN);
}

static void stage_close(struct stage *stage) {
    play_release(&stage->play);
    world_free(stage->world);
}

static struct cs_device *there(const struct stage *stage, const char *dev_eui) {
    return cs_find_device(stage->world->chirpstack, dev_eui);
}

static struct source_record read_device(struct stage *stage, const char *id) {
    struct source_record record = {.id = memory_strdup(id)};
    assert_int_equal(play_prepare(&stage->play, CHIRPSTACK_NONE), JOB_DONE);
    assert_int_equal(play_read(&stage->play, &record), JOB_DONE);
    assert_true(record.complete && record.has_dev_eui);
    return record;
}

// The driver takes no part of the converted device into account.
static enum job_step release(struct stage *stage, const struct source_record *record) {
    struct play *play = &stage->play;
    return play_run(play, play->driver->release(play->source, &play->job, record, NULL, &play->error));
}

static enum job_step confirm(struct stage *stage, const struct source_record *record,
                             struct source_confirmation *confirmation) {
    struct play *play = &stage->play;
    *confirmation = (struct source_confirmation){0};
    return play_run(
        play, play->driver->confirm(play->source, &play->job, record, NULL, confirmation, &play->error));
}

static enum job_step restore(struct stage *stage, const struct source_record *record,
                             struct source_restoration *restoration) {
    struct play *play = &stage->play;
    return play_run(play, play->driver->restore(play->source, &play->job, record, restoration, &play->error));
}

static bool is_released(const struct stage *stage, const char *dev_eui) {
    const struct cs_device *device = there(stage, dev_eui);
    return device == NULL || device->is_disabled;
}

// ---- who is meant

static void test_ways_to_write_an_eui(void **state) {
    (void)state;
    static const char *const ids[] = {"a840410000000001",        "A840410000000001",
                                      "A8-40-41-00-00-00-00-01", "a8:40:41:00:00:00:00:01",
                                      "A84041 0000000001",       "eui-a840410000000001"};
    struct stage stage;
    stage_open(&stage, "none");
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        struct source_record record = read_device(&stage, ids[i]);
        assert_int_equal(record.dev_eui[0], 0xa8);
        source_record_release(&record);
    }
    static const char *const wrong[] = {"", "a84041", "a8404100000000011", "a84041000000000g", "meter-1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct source_record record = {.id = memory_strdup(wrong[i])};
        assert_int_equal(play_read(&stage.play, &record), JOB_FAILED);
        assert_int_equal(stage.play.error.code, ERROR_INPUT);
        source_record_release(&record);
    }
    struct source_record record = {.id = memory_strdup("ffffffffffffffff")};
    assert_int_equal(play_read(&stage.play, &record), JOB_FAILED);
    assert_int_equal(stage.play.error.code, ERROR_NOT_FOUND);
    source_record_release(&record);
    stage_close(&stage);
}

static size_t list_all(struct stage *stage) {
    struct source_page page = {0};
    size_t count = 0;
    do {
        assert_int_equal(play_list(&stage->play, &page), JOB_DONE);
        count += page.count;
        char *cursor = memory_take(page.cursor);
        source_page_release(&page);
        page.cursor = cursor;
    } while (page.cursor != NULL);
    return count;
}

static void test_applications(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, "none");
    assert_int_equal(play_prepare(&stage.play, "meters"), JOB_DONE);
    assert_int_equal(list_all(&stage), 28);
    assert_int_equal(play_prepare(&stage.play, world_chirpstack_application_id(stage.world)), JOB_DONE);
    assert_int_equal(list_all(&stage), 28);
    assert_int_equal(play_prepare(&stage.play, CHIRPSTACK_ALL), JOB_DONE);
    assert_int_equal(list_all(&stage), 28 + 3 + 11);
    assert_int_equal(play_prepare(&stage.play, "Meters"), JOB_FAILED);
    assert_int_equal(stage.play.error.code, ERROR_NOT_FOUND);
    assert_int_equal(play_prepare(&stage.play, "00000000-0000-4000-8000-000000000000"), JOB_FAILED);
    assert_int_equal(stage.play.error.code, ERROR_NOT_FOUND);
    assert_int_equal(play_prepare(&stage.play, "shared"), JOB_FAILED);
    assert_non_null(strstr(stage.play.error.message, "2 applications"));
    assert_non_null(strstr(stage.play.error.hint, "--chirpstack.tenant-id"));
    // The command `device` needs none; `application` without one says so.
    assert_int_equal(play_prepare(&stage.play, CHIRPSTACK_NONE), JOB_DONE);
    struct source_page page = {0};
    assert_int_equal(play_list(&stage.play, &page), JOB_FAILED);
    assert_int_equal(stage.play.error.code, ERROR_USAGE);
    stage_close(&stage);
}

// The key of a tenant may not list tenants.
static void test_tenant_key(void **state) {
    (void)state;
    struct stage stage;
    stage_open_as(&stage, "none", WORLD_CHIRPSTACK_KEY_TENANT);
    assert_int_equal(play_prepare(&stage.play, "meters"), JOB_FAILED);
    assert_int_equal(stage.play.error.code, ERROR_DENIED);
    assert_non_null(strstr(stage.play.error.hint, "--chirpstack.tenant-id"));
    assert_int_equal(play_prepare(&stage.play, world_chirpstack_application_id(stage.world)), JOB_DONE);
    assert_int_equal(list_all(&stage), 28);
    const struct option_spec *spec = option_find(stage.play.driver->options, "tenant-id", 9);
    option_set(stage.play.options, spec, "tenant-id", world_chirpstack_tenant_id(stage.world), NULL);
    assert_int_equal(play_prepare(&stage.play, "shared"), JOB_DONE);
    assert_int_equal(list_all(&stage), 1);
    assert_int_equal(play_prepare(&stage.play, CHIRPSTACK_ALL), JOB_DONE);
    assert_int_equal(list_all(&stage), 28 + 2 + 11);
    stage_close(&stage);
}

static void test_version(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, "none");
    struct chirpstack *self = (struct chirpstack *)stage.play.source;
    assert_null(self->api);
    stage.only_v3 = true;
    assert_int_equal(play_prepare(&stage.play, "meters"), JOB_DONE);
    assert_true(chirpstack_is_v3(self));
    assert_int_equal(list_all(&stage), 28);
    stage_close(&stage);
    stage_open(&stage, "none");
    self = (struct chirpstack *)stage.play.source;
    assert_int_equal(play_prepare(&stage.play, CHIRPSTACK_NONE), JOB_DONE);
    assert_int_equal(self->api->kind, CALL_GRPC);
    stage_close(&stage);
    // Nobody answers at all: the first error is told.
    stage_open(&stage, "none");
    stage.offline = true;
    assert_int_equal(play_prepare(&stage.play, "meters"), JOB_FAILED);
    assert_int_equal(stage.play.error.code, ERROR_UNAVAILABLE);
    assert_non_null(strstr(stage.play.error.message, "TenantService"));
    stage_close(&stage);
}

static void test_own_place(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, "delete");
    assert_true(stage.play.source->frees);
    struct source_record record = read_device(&stage, OTAA_DEVICE);
    struct device_place place = {"cs.example:8080", world_chirpstack_application_id(stage.world),
                                 "A840410000000001"};
    assert_true(stage.play.driver->owns(stage.play.source, &record, &place));
    place.network = "other.example:8080";
    assert_false(stage.play.driver->owns(stage.play.source, &record, &place));
    source_record_release(&record);
    stage_close(&stage);
}

// ---- releasing

static void test_keeping(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, "none");
    assert_true(stage.play.source->keeps);
    struct source_record record = read_device(&stage, OTAA_DEVICE);
    assert_int_equal(release(&stage, &record), JOB_DONE);
    assert_false(stage.changed);
    source_record_release(&record);
    stage_close(&stage);
    // Not said: none with a file as target, disable with a server.
    static const char *const options[] = {"api-url=cs.example:8080", "api-key=made-up", NULL};
    for (int to_server = 0; to_server < 2; to_server++) {
        struct play play;
        play_init(&play, "chirpstack", answer_world, options);
        play.setup.to_server = to_server;
        assert_int_equal(play_open(&play), 0);
        assert_int_equal(play.source->keeps, !to_server);
        assert_false(play.source->frees);
        play_release(&play);
    }
}

// Releases with one answer lost at each place, then again as a later run does: it always ends released.
static void release_with_losses(const char *how, const char *dev_eui) {
    for (int place = 0; place <= 4; place++) {
        for (int loss = 0; loss < LOSSES; loss++) {
            struct stage stage;
            stage_open(&stage, how);
            struct source_record record = read_device(&stage, dev_eui);
            stage.calls = 0;
            stage.lose_at = place;
            stage.loss = (enum loss)loss;
            enum job_step step = release(&stage, &record);
            // Only a look that fails too leaves it open.
            assert_true(step == JOB_DONE || place > 1);
            if (step == JOB_DONE) assert_true(is_released(&stage, dev_eui));
            stage.play.again = true;
            stage.lose_at = 0;
            assert_int_equal(release(&stage, &record), JOB_DONE);
            assert_true(is_released(&stage, dev_eui));
            struct source_confirmation confirmation;
            assert_int_equal(confirm(&stage, &record, &confirmation), JOB_DONE);
            assert_int_equal(confirmation.proof, SOURCE_RELEASED);
            source_record_release(&record);
            stage_close(&stage);
        }
    }
}

static void test_release_by_disabling(void **state) {
    (void)state;
    release_with_losses("disable", OTAA_DEVICE);
    release_with_losses("disable", ABP_DEVICE);
}

static void test_release_by_deleting(void **state) {
    (void)state;
    release_with_losses("delete", OTAA_DEVICE);
    release_with_losses("delete", MAC_1_1);
}

// Disabling changes nothing else.
static void test_disabling_keeps_the_rest(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, "disable");
    BUFFER_AUTO before;
    BUFFER_AUTO after;
    buffer_init(&before, BUFFER_UNLIMITED);
    buffer_init(&after, BUFFER_UNLIMITED);
    cs_put_device(&before, 1, there(&stage, OTAA_DEVICE));
    cs_put_keys(&before, 2, there(&stage, OTAA_DEVICE));
    struct source_record record = read_device(&stage, OTAA_DEVICE);
    assert_int_equal(release(&stage, &record), JOB_DONE);
    assert_true(there(&stage, OTAA_DEVICE)->is_disabled);
    there(&stage, OTAA_DEVICE)->is_disabled = false;
    cs_put_device(&after, 1, there(&stage, OTAA_DEVICE));
    cs_put_keys(&after, 2, there(&stage, OTAA_DEVICE));
    assert_int_equal(before.size, after.size);
    assert_memory_equal(before.data, after.data, before.size);
    source_record_release(&record);
    stage_close(&stage);
}

static void test_release_refused(void **state) {
    (void)state;
    struct stage stage;
    stage_open_as(&stage, "disable", WORLD_CHIRPSTACK_KEY_READ_ONLY);
    struct source_record record = read_device(&stage, OTAA_DEVICE);
    assert_int_equal(release(&stage, &record), JOB_FAILED);
    assert_int_equal(stage.play.error.code, ERROR_DENIED);
    assert_non_null(strstr(stage.play.error.message, "read-only"));
    source_record_release(&record);
    stage_close(&stage);
    // Somebody gave it other keys since it was exported: a later run leaves it alone.
    stage_open(&stage, "delete");
    record = read_device(&stage, OTAA_DEVICE);
    memcpy(there(&stage, OTAA_DEVICE)->keys.nwk_key, "00112233445566778899aabbccddeeff", CS_KEY_SIZE);
    stage.play.again = true;
    assert_int_equal(release(&stage, &record), JOB_FAILED);
    assert_int_equal(stage.play.error.code, ERROR_DEVICE);
    assert_non_null(there(&stage, OTAA_DEVICE));
    // Nobody answers: given up after a while, and said.
    stage.play.again = false;
    stage.offline = true;
    assert_int_equal(release(&stage, &record), JOB_FAILED);
    assert_int_equal(stage.play.error.code, ERROR_UNAVAILABLE);
    source_record_release(&record);
    stage_close(&stage);
}

// ---- confirming

static void test_confirm(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, "disable");
    struct source_record record = read_device(&stage, ABP_DEVICE);
    assert_int_equal(release(&stage, &record), JOB_DONE);
    struct cs_device *device = there(&stage, ABP_DEVICE);
    struct source_confirmation confirmation;
    // Enabled again by somebody.
    device->is_disabled = false;
    assert_int_equal(confirm(&stage, &record, &confirmation), JOB_DONE);
    assert_int_equal(confirmation.proof, SOURCE_HELD);
    assert_non_null(confirmation.remark);
    // Heard in between.
    device->is_disabled = true;
    device->activation.f_cnt_up++;
    device->activation.n_f_cnt_down = 41;
    assert_int_equal(confirm(&stage, &record, &confirmation), JOB_DONE);
    assert_int_equal(confirmation.proof, SOURCE_MOVED_ON);
    assert_int_equal(confirmation.last_n_f_cnt_down, 41);
    // Joined in between.
    memcpy(device->activation.f_nwk_s_int_key, "00112233445566778899aabbccddeeff", CS_KEY_SIZE);
    assert_int_equal(confirm(&stage, &record, &confirmation), JOB_DONE);
    assert_int_equal(confirmation.proof, SOURCE_MOVED_ON);
    assert_int_equal(confirmation.last_n_f_cnt_down, 0);
    source_record_release(&record);
    stage_close(&stage);
}

// ---- restoring

// The device as it is, without what a restoration may change.
static void describe(const struct stage *stage, const char *dev_eui, struct buffer *text) {
    struct cs_device *device = there(stage, dev_eui);
    assert_non_null(device);
    struct cs_activation activation = device->activation;
    cs_put_device(text, 1, device);
    if (device->has_keys) cs_put_keys(text, 2, device);
    if (device->has_activation) cs_put_activation(text, 3, device);
    assert_memory_equal(&activation, &device->activation, sizeof activation);
}

// The device as it has to be after a release and a restoration: where it was deleted, some counters are skipped.
static void describe_back(const struct stage *stage, const char *how, const char *dev_eui,
                          struct buffer *text) {
    struct cs_activation *activation = &there(stage, dev_eui)->activation;
    struct cs_activation kept = *activation;
    if (strcmp(how, "delete") == 0) {
        activation->n_f_cnt_down += SOURCE_UNSEEN_DOWNLINKS;
        if (activation->a_f_cnt_down > 0) activation->a_f_cnt_down += SOURCE_UNSEEN_DOWNLINKS;
    }
    describe(stage, dev_eui, text);
    *activation = kept;
}

// Releases, then restores with one answer lost at each place; what is left open goes on with the next attempt.
static void restore_with_losses(const char *how, const char *dev_eui, bool imperfect) {
    for (int place = 0; place <= 16; place++) {
        for (int loss = 0; loss < LOSSES; loss++) {
            struct stage stage;
            stage_open(&stage, how);
            struct source_record record = read_device(&stage, dev_eui);
            BUFFER_AUTO before;
            BUFFER_AUTO after;
            buffer_init(&before, BUFFER_UNLIMITED);
            buffer_init(&after, BUFFER_UNLIMITED);
            describe_back(&stage, how, dev_eui, &before);
            assert_int_equal(release(&stage, &record), JOB_DONE);
            stage.calls = 0;
            stage.lose_at = place;
            stage.loss = (enum loss)loss;
            struct source_restoration restoration = {0};
            enum job_step step = restore(&stage, &record, &restoration);
            if (place == 0) assert_int_equal(restoration.remark != NULL, imperfect);
            stage.lose_at = 0;
            if (step != JOB_DONE) assert_int_equal(restore(&stage, &record, &restoration), JOB_DONE);
            describe(&stage, dev_eui, &after);
            assert_int_equal(before.size, after.size);
            assert_memory_equal(before.data, after.data, before.size);
            // Once more: there is nothing left to do.
            uint32_t writes = there(&stage, dev_eui)->writes;
            assert_int_equal(restore(&stage, &record, &restoration), JOB_DONE);
            assert_int_equal(there(&stage, dev_eui)->writes, writes);
            source_record_release(&record);
            stage_close(&stage);
        }
    }
}

static void test_restore_disabled(void **state) {
    (void)state;
    restore_with_losses("disable", OTAA_DEVICE, false);
    restore_with_losses("disable", ABP_DEVICE, false);
}

static void test_restore_deleted(void **state) {
    (void)state;
    restore_with_losses("delete", OTAA_DEVICE, true);
    restore_with_losses("delete", MAC_1_1, true);
    restore_with_losses("delete", ABP_DEVICE, true);
}

static void test_restore_counters(void **state) {
    (void)state;
    static const char *const hows[] = {"disable", "delete"};
    for (size_t i = 0; i < 2; i++) {
        struct stage stage;
        stage_open(&stage, hows[i]);
        struct source_record record = read_device(&stage, ABP_DEVICE);
        struct cs_activation before = there(&stage, ABP_DEVICE)->activation;
        assert_int_equal(release(&stage, &record), JOB_DONE);
        struct source_restoration restoration = {.progress = {.known = true,
                                                              .last_f_cnt_up = before.f_cnt_up + 9,
                                                              .last_n_f_cnt_down = before.n_f_cnt_down + 4}};
        assert_int_equal(restore(&stage, &record, &restoration), JOB_DONE);
        const struct cs_device *device = there(&stage, ABP_DEVICE);
        assert_false(device->is_disabled);
        assert_int_equal(device->activation.f_cnt_up, before.f_cnt_up + 10);
        // What was deleted skips some counters anyway.
        assert_int_equal(device->activation.n_f_cnt_down,
                         before.n_f_cnt_down + (i == 0 ? 5 : SOURCE_UNSEEN_DOWNLINKS));
        assert_non_null(restoration.remark);
        // What the target says is never a reason to go back.
        restoration.progress.last_f_cnt_up = restoration.progress.last_n_f_cnt_down = 0;
        assert_int_equal(restore(&stage, &record, &restoration), JOB_DONE);
        assert_int_equal(device->activation.f_cnt_up, before.f_cnt_up + 10);
        source_record_release(&record);
        stage_close(&stage);
    }
}

// A target that was never used leaves the session as it is.
static void test_restore_unused(void **state) {
    (void)state;
    static const uint32_t downlinks[] = {0, 1, 2, 77};
    for (size_t i = 0; i < sizeof downlinks / sizeof *downlinks; i++) {
        struct stage stage;
        stage_open(&stage, "disable");
        struct cs_activation *activation = &there(&stage, ABP_DEVICE)->activation;
        activation->n_f_cnt_down = downlinks[i];
        if (i == 0) activation->f_cnt_up = 0;
        struct source_record record = read_device(&stage, ABP_DEVICE);
        assert_int_equal(release(&stage, &record), JOB_DONE);
        struct cs_activation before = *activation;
        struct source_restoration restoration = {
            .progress = {.known = true,
                         .last_f_cnt_up = chirpstack_last_f_cnt_up(before.f_cnt_up),
                         .last_n_f_cnt_down = chirpstack_last_f_cnt_down(downlinks[i])}};
        assert_int_equal(restore(&stage, &record, &restoration), JOB_DONE);
        assert_memory_equal(&before, activation, sizeof before);
        assert_null(restoration.remark);
        // One that heard the device may have used the counter 0, which looks like none.
        restoration.progress.last_f_cnt_up = before.f_cnt_up + 1;
        assert_int_equal(restore(&stage, &record, &restoration), JOB_DONE);
        assert_int_equal(activation->n_f_cnt_down, i == 0 ? 1 : downlinks[i]);
        source_record_release(&record);
        stage_close(&stage);
    }
}

static void test_restore_after_a_join(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, "delete");
    cs_join(stage.world->chirpstack, there(&stage, OTAA_DEVICE), PLAY_NOW);
    struct source_record record = read_device(&stage, OTAA_DEVICE);
    assert_int_equal(release(&stage, &record), JOB_DONE);
    struct source_restoration restoration = {.progress = {.known = true, .rejoined = true}};
    assert_int_equal(restore(&stage, &record, &restoration), JOB_DONE);
    assert_true(there(&stage, OTAA_DEVICE)->has_keys);
    assert_false(there(&stage, OTAA_DEVICE)->has_activation);
    assert_non_null(strstr(restoration.remark, "join again"));
    // A session that it got in ChirpStack since then is the one that counts.
    cs_join(stage.world->chirpstack, there(&stage, OTAA_DEVICE), PLAY_NOW);
    char address[CS_ADDRESS_SIZE];
    memcpy(address, there(&stage, OTAA_DEVICE)->activation.dev_addr, sizeof address);
    restoration = (struct source_restoration){0};
    assert_int_equal(restore(&stage, &record, &restoration), JOB_DONE);
    assert_string_equal(there(&stage, OTAA_DEVICE)->activation.dev_addr, address);
    source_record_release(&record);
    stage_close(&stage);
}

static void test_restore_refused(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, "disable");
    struct source_record record = read_device(&stage, OTAA_DEVICE);
    assert_int_equal(release(&stage, &record), JOB_DONE);
    memcpy(there(&stage, OTAA_DEVICE)->keys.nwk_key, "00112233445566778899aabbccddeeff", CS_KEY_SIZE);
    struct source_restoration restoration = {0};
    assert_int_equal(restore(&stage, &record, &restoration), JOB_FAILED);
    assert_int_equal(stage.play.error.code, ERROR_DEVICE);
    assert_true(there(&stage, OTAA_DEVICE)->is_disabled);
    source_record_release(&record);
    stage_close(&stage);
}

// ---- v3: the same jobs over JSON

static void test_v3(void **state) {
    api_version = "3";
    test_ways_to_write_an_eui(state);
    test_release_by_disabling(state);
    test_release_by_deleting(state);
    test_release_refused(state);
    test_confirm(state);
    test_restore_counters(state);
    test_restore_disabled(state);
    struct stage stage;
    stage_open(&stage, "none");
    assert_int_equal(play_prepare(&stage.play, "meters"), JOB_DONE);
    assert_int_equal(list_all(&stage), 28);
    assert_int_equal(play_prepare(&stage.play, "1"), JOB_DONE);
    assert_int_equal(list_all(&stage), 28);
    assert_int_equal(play_prepare(&stage.play, CHIRPSTACK_ALL), JOB_DONE);
    assert_int_equal(list_all(&stage), 28 + 3 + 11);
    stage_close(&stage);
    api_version = "auto";
}

// Deleted and created again, v3 has all but the JoinEUI, which it never knew.
static void test_v3_restore_deleted(void **state) {
    (void)state;
    api_version = "3";
    for (int place = 0; place <= 16; place++) {
        struct stage stage;
        stage_open(&stage, "delete");
        struct source_record record = read_device(&stage, MAC_1_1);
        struct cs_keys keys = there(&stage, MAC_1_1)->keys;
        assert_int_equal(release(&stage, &record), JOB_DONE);
        assert_null(there(&stage, MAC_1_1));
        stage.calls = 0;
        stage.lose_at = place;
        stage.loss = LOSS_AFTER;
        struct source_restoration restoration = {0};
        enum job_step step = restore(&stage, &record, &restoration);
        stage.lose_at = 0;
        if (step != JOB_DONE) assert_int_equal(restore(&stage, &record, &restoration), JOB_DONE);
        assert_memory_equal(&keys, &there(&stage, MAC_1_1)->keys, sizeof keys);
        source_record_release(&record);
        stage_close(&stage);
    }
    api_version = "auto";
}

// What v3 has elsewhere, or in other units.
static void test_v3_devices(void **state) {
    (void)state;
    api_version = "3";
    struct stage stage;
    stage_open(&stage, "none");
    struct source_record record = read_device(&stage, "a840410000000006");
    DEVICE_AUTO class_b;
    device_init(&class_b);
    assert_int_equal(stage.play.driver->convert(stage.play.source, &record, &class_b, NULL), 0);
    assert_string_equal(class_b.end_device->ids->application_ids->application_id, "chirpstack-1");
    assert_int_equal(class_b.end_device->mac_settings->ping_slot_periodicity->value, 4);
    assert_int_equal(class_b.end_device->mac_settings->status_time_periodicity->seconds, 3600);
    source_record_release(&record);
    record = read_device(&stage, OTAA_DEVICE);
    DEVICE_AUTO scripted;
    device_init(&scripted);
    assert_int_equal(stage.play.driver->convert(stage.play.source, &record, &scripted, NULL), 0);
    const Tts__MessagePayloadFormatters *formatters = scripted.end_device->formatters;
    assert_non_null(strstr(formatters->up_formatter_parameter, "function Decode("));
    assert_non_null(strstr(formatters->down_formatter_parameter, "function Encode("));
    source_record_release(&record);
    stage_close(&stage);
    api_version = "auto";
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ways_to_write_an_eui),
        cmocka_unit_test(test_applications),
        cmocka_unit_test(test_tenant_key),
        cmocka_unit_test(test_version),
        cmocka_unit_test(test_own_place),
        cmocka_unit_test(test_keeping),
        cmocka_unit_test(test_release_by_disabling),
        cmocka_unit_test(test_release_by_deleting),
        cmocka_unit_test(test_disabling_keeps_the_rest),
        cmocka_unit_test(test_release_refused),
        cmocka_unit_test(test_confirm),
        cmocka_unit_test(test_restore_disabled),
        cmocka_unit_test(test_restore_deleted),
        cmocka_unit_test(test_restore_counters),
        cmocka_unit_test(test_restore_unused),
        cmocka_unit_test(test_restore_after_a_join),
        cmocka_unit_test(test_restore_refused),
        cmocka_unit_test(test_v3),
        cmocka_unit_test(test_v3_restore_deleted),
        cmocka_unit_test(test_v3_devices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
