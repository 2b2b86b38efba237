// SPDX-License-Identifier: Apache-2.0
// Target chirpstack against the sandbox's ChirpStack: what becomes of a device when all goes well, when answers are lost
// at every place, and when somebody else was there; and how it goes back.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "chirpstack_stage.h"

// ---- the life of a device

static void test_joins(void **state) {
    (void)state;
    struct stage stage;
    stage_ready(&stage, OTAA_SESSION);
    assert_int_equal(play(&stage, run_look), JOB_DONE);
    assert_int_equal(stage.look.found, TARGET_FREE);
    assert_int_equal(play(&stage, run_reserve), JOB_DONE);
    const struct cs_device *device = there(&stage);
    assert_true(device->is_disabled && !device->has_keys && !device->has_activation);
    assert_int_equal(play(&stage, run_import), JOB_DONE);
    assert_false(device->is_disabled);
    assert_string_equal(device->name, "Pump 1");
    assert_string_equal(device->description, "in the cellar");
    assert_string_equal(device->join_eui, "70b3d57ed037123c");
    assert_int_equal(device->tags.count, 2);
    assert_string_equal(device->tags.items[1].value, "pump-1");
    // LoRaWAN 1.0.x: the AppKey stands as NwkKey, and the NwkSKey three times.
    assert_string_equal(device->keys.nwk_key, APP_KEY);
    assert_string_equal(device->keys.app_key, "00000000000000000000000000000000");
    assert_string_equal(device->activation.dev_addr, "26017d54");
    assert_string_equal(device->activation.f_nwk_s_int_key, F_KEY);
    assert_string_equal(device->activation.s_nwk_s_int_key, F_KEY);
    assert_string_equal(device->activation.nwk_s_enc_key, F_KEY);
    assert_string_equal(device->activation.app_s_key, APP_S_KEY);
    // The next ones; of the two counters of downlinks the one that is further.
    assert_int_equal(device->activation.f_cnt_up, 11);
    assert_int_equal(device->activation.n_f_cnt_down, 8);
    assert_int_equal(device->activation.a_f_cnt_down, 0);
    assert_int_equal(device->activation.rx1_delay, 5);
    assert_int_equal(device->activation.rx2_dr, 3);
    const struct cs_profile *profile = cs_find_profile(stage.world->chirpstack, device->profile_id);
    assert_true(profile->otaa);
    assert_string_equal(profile->name, "EU868 LoRaWAN 1.0.3 A OTAA class A");
    assert_int_equal(play(&stage, run_verify), JOB_DONE);
    assert_true(stage.verdict.equal);
    assert_int_equal(play(&stage, run_recall), JOB_DONE);
    assert_true(stage.progress.known && !stage.progress.rejoined);
    assert_int_equal(stage.progress.last_f_cnt_up, 10);
    assert_int_equal(stage.progress.last_n_f_cnt_down, 7);
    stage_close(&stage);
}

// The key of groups that are set up over the air, which a source's devices may have.
static void test_gen_app_key(void **state) {
    (void)state;
    struct stage stage;
    struct key128 key;
    memset(key.bytes, 0x77, sizeof key.bytes);
    stage_ready(&stage, OTAA_SESSION);
    device_set_gen_app_key(&stage.device, &key);
    bring(&stage);
    assert_string_equal(there(&stage)->keys.gen_app_key, "77777777777777777777777777777777");
    assert_int_equal(play(&stage, run_verify), JOB_DONE);
    assert_true(stage.verdict.equal);
    there(&stage)->keys.gen_app_key[0] = '8';
    assert_int_equal(play(&stage, run_verify), JOB_DONE);
    assert_string_equal(stage.verdict.what, "its keys differ");
    stage_close(&stage);
}

static void test_lorawan_1_1(void **state) {
    (void)state;
    struct stage stage;
    stage_ready(&stage, MAC_1_1);
    bring(&stage);
    const struct cs_device *device = there(&stage);
    assert_string_equal(device->keys.nwk_key, NWK_KEY);
    assert_string_equal(device->keys.app_key, APP_KEY);
    assert_string_equal(device->activation.s_nwk_s_int_key, S_KEY);
    assert_string_equal(device->activation.nwk_s_enc_key, E_KEY);
    assert_int_equal(device->activation.n_f_cnt_down, 6);
    assert_int_equal(device->activation.a_f_cnt_down, 8);
    assert_int_equal(play(&stage, run_verify), JOB_DONE);
    assert_true(stage.verdict.equal);
    stage_close(&stage);
}

static void test_does_not_join(void **state) {
    (void)state;
    struct stage stage;
    stage_ready(&stage, ABP);
    bring(&stage);
    const struct cs_device *device = there(&stage);
    assert_false(device->has_keys);
    const struct cs_profile *profile = cs_find_profile(stage.world->chirpstack, device->profile_id);
    assert_false(profile->otaa);
    assert_int_equal(profile->abp_rx1_delay, 1);
    assert_int_equal(profile->abp_rx2_dr, 3);
    assert_int_equal(profile->abp_rx2_freq, 869525000);
    assert_int_equal(play(&stage, run_verify), JOB_DONE);
    assert_true(stage.verdict.equal);
    stage_close(&stage);
}

static void test_read_back(void **state) {
    (void)state;
    static const struct {
        const char *what;
        const char *words;
    } cases[] = {
        {"name", "its name is \"other\" instead of \"Pump 1\""},
        {"disabled", "it is disabled"},
        {"keys", "its keys differ"},
        {"no keys", "it has no keys"},
        {"counter", "its next counters are 3 (uplink)"},
        {"session", "it has no session"},
        {"tags", "its tags differ"},
        {"profile", "is one of other devices"},
        {"gone", "does not know it"},
    };
    struct stage stage;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        stage_ready(&stage, OTAA_SESSION);
        bring(&stage);
        struct cs_device *device = there(&stage);
        if (i == 0) cs_set_text(&device->name, "other");
        if (i == 1) device->is_disabled = true;
        if (i == 2) device->keys.nwk_key[0] = '9';
        if (i == 3) device->has_keys = false;
        if (i == 4) device->activation.f_cnt_up = 3;
        if (i == 5) device->has_activation = false;
        if (i == 6) cs_pairs_add(&device->tags, "more", "of it");
        if (i == 7)
            snprintf(device->profile_id, CS_UUID_SIZE, "%s", stage.world->chirpstack->profiles[4]->id);
        if (i == 8) cs_remove_device(stage.world->chirpstack, device);
        assert_int_equal(play(&stage, run_verify), JOB_DONE);
        assert_false(stage.verdict.equal);
        if (strstr(stage.verdict.what, cases[i].words) == NULL)
            print_error("%s: %s\n", cases[i].what, stage.verdict.what);
        assert_non_null(strstr(stage.verdict.what, cases[i].words));
        stage_close(&stage);
    }
}

// A device that goes on, or joins anew, is as it is to be.
static void test_lives_on(void **state) {
    (void)state;
    struct stage stage;
    stage_ready(&stage, OTAA_SESSION);
    bring(&stage);
    struct cs_device *device = there(&stage);
    device->activation.f_cnt_up = 100;
    device->activation.n_f_cnt_down = 20;
    assert_int_equal(play(&stage, run_verify), JOB_DONE);
    assert_true(stage.verdict.equal);
    assert_int_equal(stage.verdict.progress.last_f_cnt_up, 99);
    // What an interrupted process does again leaves it alone.
    stage.again = true;
    uint32_t writes = device->writes;
    assert_int_equal(play(&stage, run_import), JOB_DONE);
    assert_int_equal(device->writes, writes);
    cs_join(stage.world->chirpstack, device, NOW);
    writes = device->writes;
    assert_int_equal(play(&stage, run_import), JOB_DONE);
    assert_int_equal(device->writes, writes);
    assert_int_equal(play(&stage, run_verify), JOB_DONE);
    assert_true(stage.verdict.equal);
    assert_true(stage.verdict.progress.rejoined);
    stage_close(&stage);
}

// ---- lost answers

static void assert_whole(struct stage *stage) {
    const struct cs_device *device = there(stage);
    assert_non_null(device);
    assert_false(device->is_disabled);
    assert_string_equal(device->keys.nwk_key, APP_KEY);
    assert_int_equal(device->activation.f_cnt_up, 11);
    assert_int_equal(device->activation.rx1_delay, 5);
    assert_int_equal(play(stage, run_verify), JOB_DONE);
    assert_true(stage->verdict.equal);
}

// The answer to each call is lost in turn. Whatever becomes of the job, another try ends well.
static bool lose(struct stage *stage, job_function *function, unsigned at, enum loss loss) {
    stage->calls = 0;
    stage->lose_at = at;
    stage->loss = loss;
    enum job_step step = play(stage, function);
    bool reached = stage->calls >= at;
    stage->lose_at = 0;
    if (step == JOB_DONE) return reached;
    // A question that is not answered fails the job: the engine asks it again.
    assert_int_equal(step, JOB_FAILED);
    assert_true(call_may_pass(stage->error.code));
    stage->again = true;
    assert_int_equal(play(stage, function), JOB_DONE);
    stage->again = false;
    return reached;
}

static void test_lost_answers(void **state) {
    (void)state;
    for (enum loss loss = LOSS_BEFORE; loss < LOSSES; loss++) {
        bool reached = true;
        for (unsigned at = 1; reached; at++) {
            struct stage stage;
            stage_ready(&stage, OTAA_SESSION);
            size_t profiles = stage.world->chirpstack->profile_count;
            reached = lose(&stage, run_reserve, at, loss);
            assert_true(there(&stage)->is_disabled);
            assert_false(there(&stage)->has_keys);
            // None is made twice.
            assert_int_equal(stage.world->chirpstack->profile_count, profiles + 2);
            if (lose(&stage, run_import, at, loss)) reached = true;
            assert_whole(&stage);
            if (lose(&stage, run_remove, at, loss)) reached = true;
            assert_null(there(&stage));
            stage_close(&stage);
        }
    }
}

// What an earlier process has left at any place is gone on with.
static void test_goes_on(void **state) {
    (void)state;
    for (int left = 0; left < 5; left++) {
        struct stage stage;
        stage_ready(&stage, OTAA_SESSION);
        bring(&stage);
        struct cs_device *device = there(&stage);
        if (left < 4) device->is_disabled = true;
        if (left < 3) device->has_activation = false;
        if (left < 2) device->has_keys = false;
        if (left < 1) cs_remove_device(stage.world->chirpstack, device);
        stage.again = true;
        assert_int_equal(play(&stage, run_import), JOB_DONE);
        assert_whole(&stage);
        stage_close(&stage);
    }
}

static void test_nonsense(void **state) {
    (void)state;
    struct stage stage;
    static job_function *const jobs[] = {run_look, run_verify, run_recall};
    stage_ready(&stage, OTAA_SESSION);
    bring(&stage);
    stage.garbage = true;
    for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++) {
        assert_int_equal(play(&stage, jobs[i]), JOB_FAILED);
        assert_int_equal(stage.error.code, ERROR_PROTOCOL);
    }
    assert_int_equal(play(&stage, run_remove), JOB_FAILED);
    assert_non_null(there(&stage));
    stage_open(&stage, false, false);
    assert_int_equal(play(&stage, run_prepare), JOB_FAILED);
    assert_int_equal(stage.error.code, ERROR_PROTOCOL);
    stage_close(&stage);
}

// ---- who is there already

static void test_looks(void **state) {
    (void)state;
    struct stage stage;
    stage_ready(&stage, OTAA_SESSION);
    bring(&stage);
    assert_int_equal(play(&stage, run_look), JOB_DONE);
    assert_int_equal(stage.look.found, TARGET_SAME);
    struct cs_device *device = there(&stage);
    // The same keys with an older session are no device that has come before.
    cs_join(stage.world->chirpstack, device, NOW);
    assert_int_equal(play(&stage, run_look), JOB_DONE);
    assert_int_equal(stage.look.found, TARGET_OTHER);
    assert_string_equal(stage.look.what, "it has another session");
    // One that is without keys and disabled was reserved, if this run was here before.
    device->has_keys = device->has_activation = false;
    device->is_disabled = true;
    assert_int_equal(play(&stage, run_look), JOB_DONE);
    assert_int_equal(stage.look.found, TARGET_OTHER);
    stage.again = true;
    assert_int_equal(play(&stage, run_look), JOB_DONE);
    assert_int_equal(stage.look.found, TARGET_FREE);
    snprintf(device->application_id, CS_UUID_SIZE, "%s", stage.world->chirpstack->applications[2]->id);
    assert_int_equal(play(&stage, run_look), JOB_DONE);
    assert_int_equal(stage.look.found, TARGET_TAKEN);
    assert_non_null(strstr(stage.look.what, "belongs to device \"Pump 1\" of application"));
    assert_string_equal(stage.look.holder.device_id, eui);
    assert_string_equal(stage.look.holder.network, "cs.example:8080");
    stage_close(&stage);
}

// The key of a tenant does not see another tenant's device: it shows when the device is reserved.
static void test_another_tenant_has_it(void **state) {
    (void)state;
    struct stage stage;
    stage_ready(&stage, OTAA);
    bring(&stage);
    struct cs_device *device = there(&stage);
    snprintf(device->application_id, CS_UUID_SIZE, "%s", stage.world->chirpstack->applications[2]->id);
    set_option(&stage, "api-key", world_chirpstack_key(stage.world, WORLD_CHIRPSTACK_KEY_OTHER_TENANT));
    set_option(&stage, "tenant", stage.world->chirpstack->tenants[2].id);
    stage_open(&stage, false, false);
    assert_int_equal(play(&stage, run_prepare), JOB_DONE);
    assert_int_equal(play(&stage, run_look), JOB_DONE);
    assert_int_equal(stage.look.found, TARGET_FREE);
    fails(&stage, run_reserve, ERROR_DEVICE, "another tenant");
    assert_int_equal(play(&stage, run_remove), JOB_DONE);
    assert_non_null(there(&stage));
    stage_close(&stage);
}

static void test_limits(void **state) {
    (void)state;
    struct stage stage;
    stage_ready(&stage, OTAA);
    assert_int_equal(cst_of(stage.target)->room, 19);
    cst_of(stage.target)->room = 1;
    assert_int_equal(play(&stage, run_look), JOB_DONE);
    assert_int_equal(play(&stage, run_look), JOB_DONE);
    stage.device.end_device->ids->dev_eui.data[7] = 1;
    fails(&stage, run_look, ERROR_DEVICE, "may have 20 devices");
    stage_close(&stage);
}

// A key that only reads is found out before the source is touched.
static void test_read_only(void **state) {
    (void)state;
    struct stage stage;
    stage_ready(&stage, OTAA);
    set_option(&stage, "api-key", world_chirpstack_key(stage.world, WORLD_CHIRPSTACK_KEY_READ_ONLY));
    stage_open(&stage, false, false);
    assert_int_equal(play(&stage, run_prepare), JOB_DONE);
    assert_int_equal(play_once(&stage, run_reserve), JOB_LOGIN);
    fails(&stage, run_prepare, ERROR_DENIED, "read-only");
    assert_null(there(&stage));
    stage_close(&stage);
}

// ---- going back

// An update is taken back: what was there is there again.
static void test_update_and_back(void **state) {
    (void)state;
    for (enum loss loss = LOSS_BEFORE; loss < LOSSES; loss++) {
        bool reached = true;
        for (unsigned at = 1; reached; at++) {
            struct stage stage;
            stage_ready(&stage, OTAA_SESSION);
            bring(&stage);
            struct cs_device *device = there(&stage);
            cs_set_text(&device->name, "mine");
            device->keys.nwk_key[0] = '9';
            cs_join(stage.world->chirpstack, device, NOW);
            const struct cs_keys keys = device->keys;
            const struct cs_activation activation = device->activation;
            assert_int_equal(play(&stage, run_look), JOB_DONE);
            assert_int_equal(stage.look.found, TARGET_OTHER);
            assert_true(stage.look.before_size <= sizeof stage.before);
            memcpy(stage.before, stage.look.before, stage.look.before_size);
            size_t size = stage.look.before_size;
            reached = lose(&stage, run_import, at, loss);
            assert_whole(&stage);
            stage.before_size = size;
            if (lose(&stage, run_remove, at, loss)) reached = true;
            assert_string_equal(device->name, "mine");
            assert_memory_equal(&device->keys, &keys, sizeof keys);
            assert_string_equal(device->activation.dev_addr, activation.dev_addr);
            assert_int_equal(device->activation.f_cnt_up, activation.f_cnt_up);
            assert_false(device->is_disabled);
            stage_close(&stage);
        }
    }
}

static void test_leaves_others_alone(void **state) {
    (void)state;
    struct stage stage;
    stage_ready(&stage, OTAA_SESSION);
    bring(&stage);
    struct cs_device *device = there(&stage);
    cs_set_text(&device->name, "mine");
    device->keys.nwk_key[0] = '9';
    fails(&stage, run_remove, ERROR_DEVICE, "is left alone");
    assert_non_null(there(&stage));
    snprintf(device->application_id, CS_UUID_SIZE, "%s", stage.world->chirpstack->applications[2]->id);
    assert_int_equal(play(&stage, run_remove), JOB_DONE);
    assert_non_null(there(&stage));
    stage_close(&stage);
}

// A rollback takes away the profiles and the application that its run has made, unless somebody uses them.
static void test_cleans_up(void **state) {
    (void)state;
    for (int used = 0; used < 3; used++) {
        struct stage stage;
        stage_begin(&stage);
        struct cs *cs = stage.world->chirpstack;
        size_t profiles = cs->profile_count, applications = cs->application_count;
        set_option(&stage, "application", "pumps");
        stage_open(&stage, true, false);
        assert_int_equal(play(&stage, run_prepare), JOB_DONE);
        stage_device(&stage, OTAA_SESSION);
        assert_int_equal(target_chirpstack.adapt(stage.target, &stage.device, &stage.error), 0);
        bring(&stage);
        assert_int_equal(cs->profile_count, profiles + 2);
        // Somebody's device in another application, or in this one.
        struct cs_device *other = cs_device_new("ffffffffffffff01");
        snprintf(other->profile_id, CS_UUID_SIZE, "%s", there(&stage)->profile_id);
        snprintf(other->application_id, CS_UUID_SIZE, "%s",
                 used == 2 ? there(&stage)->application_id : cs->applications[3]->id);
        if (used > 0) {
            cs_insert_device(cs, other);
        } else {
            cs_device_free(other);
        }
        stage_open(&stage, true, true);
        assert_int_equal(play(&stage, run_prepare), JOB_DONE);
        stage.again = true;
        assert_int_equal(play(&stage, run_remove), JOB_DONE);
        assert_null(there(&stage));
        assert_int_equal(cs->profile_count, profiles + (used > 0 ? 1 : 0));
        assert_int_equal(cs->application_count, applications + (used == 2 ? 1 : 0));
        // Once more: there is nothing left to do.
        stage_open(&stage, true, true);
        assert_int_equal(play(&stage, run_prepare), JOB_DONE);
        assert_int_equal(play(&stage, run_remove), JOB_DONE);
        assert_int_equal(cs->application_count, applications + (used == 2 ? 1 : 0));
        stage_close(&stage);
    }
}

// What another run has made stays.
static void test_leaves_other_runs_alone(void **state) {
    (void)state;
    struct stage stage;
    stage_ready(&stage, OTAA);
    size_t profiles = stage.world->chirpstack->profile_count;
    bring(&stage);
    stage_open(&stage, false, true);
    stage.target->run = "another";
    assert_int_equal(play(&stage, run_prepare), JOB_DONE);
    assert_int_equal(play(&stage, run_remove), JOB_DONE);
    assert_null(there(&stage));
    assert_int_equal(stage.world->chirpstack->profile_count, profiles + 1);
    stage_close(&stage);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_joins),
        cmocka_unit_test(test_gen_app_key),
        cmocka_unit_test(test_lorawan_1_1),
        cmocka_unit_test(test_does_not_join),
        cmocka_unit_test(test_read_back),
        cmocka_unit_test(test_lives_on),
        cmocka_unit_test(test_lost_answers),
        cmocka_unit_test(test_goes_on),
        cmocka_unit_test(test_nonsense),
        cmocka_unit_test(test_looks),
        cmocka_unit_test(test_another_tenant_has_it),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_read_only),
        cmocka_unit_test(test_update_and_back),
        cmocka_unit_test(test_leaves_others_alone),
        cmocka_unit_test(test_cleans_up),
        cmocka_unit_test(test_leaves_other_runs_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
