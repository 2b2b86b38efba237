// SPDX-License-Identifier: Apache-2.0
// Source tts: putting devices back, after each way of taking them away, and never over another device.
#include "support/tts_world.h"

static struct source_restoration restoration;

static enum job_step release(struct tts_world *world) {
    return world->source->driver->release(world->source, &world->job, &world->record, NULL, &world->error);
}

static enum job_step restore(struct tts_world *world) {
    restoration.remark = NULL;
    return world->source->driver->restore(world->source, &world->job, &world->record, &restoration,
                                          &world->error);
}

// What a server had and has again, without times that it makes itself.
static void check_equal(const Tts__EndDevice *before, const Tts__EndDevice *now) {
    assert_int_equal(before == NULL, now == NULL);
    if (before == NULL) return;
    size_t differences = message_diff(&before->base, &now->base, NULL, NULL);
    assert_int_equal(differences, 0);
}

struct copies {
    Tts__EndDevice *at[STACK_ROLES];
};

static struct copies copy_world(struct tts_world *world) {
    struct copies copies = {0};
    for (enum stack_role server = 0; server < STACK_ROLES; server++) {
        if (world->at[server] != NULL)
            copies.at[server] = message_copy(&world->at[server]->base, &world->arena);
    }
    return copies;
}

// A device with more of everything, released.
static struct copies begin_released(struct tts_world *world, const char *way, bool joins) {
    world_begin(world, way, joins);
    world->at[STACK_NETWORK]->mac_settings = message_new(&world->arena, &tts__macsettings__descriptor);
    world->at[STACK_NETWORK]->mac_settings->supports_32_bit_f_cnt =
        message_new(&world->arena, &tts__bool_value__descriptor);
    world->record.complete = false;
    assert_int_equal(world_run(world, world_read, false), JOB_DONE);
    struct copies copies = copy_world(world);
    assert_int_equal(world_run(world, release, false), JOB_DONE);
    restoration = (struct source_restoration){0};
    return copies;
}

static void test_silenced(void **state) {
    (void)state;
    struct tts_world world;
    struct copies before = begin_released(&world, "silence", true);
    assert_true(tts_source_is_silenced(world.at[STACK_NETWORK]));
    assert_int_equal(world_run(&world, restore, true), JOB_DONE);
    assert_string_equal(world.log, "IS.Get NS.Get AS.Get JS.Get NS.Set IS.Get NS.Get AS.Get JS.Get ");
    assert_null(restoration.remark);
    for (enum stack_role server = 0; server < STACK_ROLES; server++)
        check_equal(before.at[server], world.at[server]);
    // Once more there is nothing to do.
    assert_int_equal(world_run(&world, restore, true), JOB_DONE);
    assert_string_equal(world.log, "IS.Get NS.Get AS.Get JS.Get ");
    world_release(&world);
}

// A device that was silent before it was read stays so.
static void test_silent_before(void **state) {
    (void)state;
    struct tts_world world;
    world_init(&world, NULL);
    world_fill(&world, true);
    Tts__EndDevice *network = world.at[STACK_NETWORK];
    network->mac_settings = message_new(&world.arena, &tts__macsettings__descriptor);
    network->mac_settings->schedule_downlinks = message_new(&world.arena, &tts__bool_value__descriptor);
    assert_int_equal(world_open(&world, false), 0);
    assert_int_equal(world_run(&world, world_prepare, false), JOB_DONE);
    world.record.id = memory_strdup("my-device");
    assert_int_equal(world_run(&world, world_read, false), JOB_DONE);
    assert_int_equal(world_run(&world, release, false), JOB_DONE);
    restoration = (struct source_restoration){0};
    assert_int_equal(world_run(&world, restore, true), JOB_DONE);
    assert_true(tts_source_is_silenced(world.at[STACK_NETWORK]));
    world_release(&world);
}

static void test_deleted(void **state) {
    (void)state;
    static const char *const ways[] = {"keys", "delete"};
    for (size_t i = 0; i < 2; i++) {
        for (int joins = 0; joins < 2; joins++) {
            struct tts_world world;
            struct copies before = begin_released(&world, ways[i], joins);
            assert_int_equal(world_run(&world, restore, true), JOB_DONE);
            assert_non_null(restoration.remark);
            assert_non_null(strstr(restoration.remark, "16 higher"));
            assert_int_equal(world.at[STACK_NETWORK]->session->last_n_f_cnt_down, 36);
            before.at[STACK_NETWORK]->session->last_n_f_cnt_down = 36;
            for (enum stack_role server = 0; server < STACK_ROLES; server++)
                check_equal(before.at[server], world.at[server]);
            assert_non_null(
                strstr(world.log, joins ? "JS.Set NS.Set NS.Set AS.Set " : "NS.Set NS.Set AS.Set "));
            assert_int_equal(strstr(world.log, "IS.Create") != NULL, i == 1);
            world_release(&world);
        }
    }
}

// What its source was heard to use after the reading counts: by the release's last look, or as the engine kept it.
static void test_heard(void **state) {
    (void)state;
    for (int kept = 0; kept < 2; kept++) {
        struct tts_world world;
        world_begin(&world, "delete", true);
        world.record.complete = false;
        assert_int_equal(world_run(&world, world_read, false), JOB_DONE);
        if (!kept) world.at[STACK_NETWORK]->session->last_n_f_cnt_down = 30;
        assert_int_equal(world_run(&world, release, false), JOB_DONE);
        assert_null(world.at[STACK_NETWORK]);
        restoration = (struct source_restoration){.heard_n_f_cnt_down = kept ? 30 : 0};
        assert_int_equal(world_run(&world, restore, true), JOB_DONE);
        assert_int_equal(world.at[STACK_NETWORK]->session->last_n_f_cnt_down, 46);
        world_release(&world);
    }
}

// What no Set can give back is named.
static void test_join_under_way(void **state) {
    (void)state;
    struct tts_world world;
    world_init(&world, "keys");
    world_fill(&world, true);
    world.at[STACK_APPLICATION]->pending_session = world_session(&world, true);
    assert_int_equal(world_open(&world, false), 0);
    assert_int_equal(world_run(&world, world_prepare, false), JOB_DONE);
    world.record.id = memory_strdup("my-device");
    assert_int_equal(world_run(&world, world_read, false), JOB_DONE);
    assert_int_equal(world_run(&world, release, false), JOB_DONE);
    restoration = (struct source_restoration){0};
    assert_int_equal(world_run(&world, restore, true), JOB_DONE);
    assert_non_null(
        strstr(restoration.remark, "AppSKey of a join that was under way is gone, so it has to join again"));
    world_release(&world);
}

// The counters of the target count, where the device went on with its session there.
static void test_progress(void **state) {
    (void)state;
    static const char *const ways[] = {"silence", "delete"};
    for (size_t i = 0; i < 2; i++) {
        struct tts_world world;
        begin_released(&world, ways[i], true);
        restoration.progress =
            (struct device_progress){.known = true, .last_f_cnt_up = 140, .last_n_f_cnt_down = 33};
        assert_int_equal(world_run(&world, restore, true), JOB_DONE);
        assert_int_equal(world.at[STACK_NETWORK]->session->last_n_f_cnt_down, 33);
        assert_int_equal(world.at[STACK_NETWORK]->session->last_f_cnt_up, 140);
        assert_false(tts_source_is_silenced(world.at[STACK_NETWORK]));
        world_release(&world);
        // Never backwards.
        begin_released(&world, ways[i], true);
        restoration.progress =
            (struct device_progress){.known = true, .last_f_cnt_up = 4, .last_n_f_cnt_down = 3};
        assert_int_equal(world_run(&world, restore, true), JOB_DONE);
        assert_int_equal(world.at[STACK_NETWORK]->session->last_n_f_cnt_down, 20);
        assert_int_equal(world.at[STACK_NETWORK]->session->last_f_cnt_up, 100);
        world_release(&world);
    }
}

// It joined at the target: its nonces went on there.
static void test_rejoined(void **state) {
    (void)state;
    struct tts_world world;
    begin_released(&world, "delete", true);
    restoration.progress =
        (struct device_progress){.known = true, .rejoined = true, .last_n_f_cnt_down = 1000};
    assert_int_equal(world_run(&world, restore, true), JOB_DONE);
    assert_non_null(strstr(restoration.remark, "join again"));
    assert_true(world.at[STACK_JOIN]->last_join_nonce > 7);
    assert_int_equal(world.at[STACK_NETWORK]->session->last_n_f_cnt_down, 20);
    world_release(&world);
}

// What was registered meanwhile stays as it is, and nothing else is changed.
static void test_other_device(void **state) {
    (void)state;
    for (enum stack_role server = 0; server < STACK_ROLES; server++) {
        struct tts_world world;
        begin_released(&world, "delete", true);
        world.at[server] = world_part(&world);
        world.at[server]->ids->dev_eui = world_bytes(&world, 8, 0x99);
        assert_int_equal(world_run(&world, restore, true), JOB_FAILED);
        assert_int_equal(world.error.code, ERROR_DEVICE);
        assert_string_equal(world.log, "IS.Get NS.Get AS.Get JS.Get ");
        world_release(&world);
    }
    struct tts_world world;
    begin_released(&world, "keys", true);
    world.at[STACK_JOIN] = world_part(&world);
    world.at[STACK_JOIN]->root_keys = message_new(&world.arena, &tts__root_keys__descriptor);
    world.at[STACK_JOIN]->root_keys->app_key = world_key(&world, 0x99);
    assert_int_equal(world_run(&world, restore, true), JOB_FAILED);
    assert_int_equal(world.error.code, ERROR_DEVICE);
    assert_null(world.at[STACK_NETWORK]);
    world_release(&world);
    begin_released(&world, "silence", false);
    world.at[STACK_NETWORK]->session->keys->f_nwk_s_int_key = world_key(&world, 0x99);
    assert_int_equal(world_run(&world, restore, true), JOB_FAILED);
    assert_true(tts_source_is_silenced(world.at[STACK_NETWORK]));
    world_release(&world);
}

static bool euis_taken(struct tts_world *world, const struct call *call, struct reply *reply) {
    (void)world;
    if (!world_is(call, STACK_IDENTITY, "Create")) return false;
    world_status(reply, GRPC_ALREADY_EXISTS, "error:pkg/identityserver:end_device_euis_taken (taken)");
    return true;
}

// The EUIs belong to another device by now: the Identity Server says so before any other server is changed.
static void test_euis_taken(void **state) {
    (void)state;
    struct tts_world world;
    begin_released(&world, "delete", true);
    world.before = euis_taken;
    assert_int_equal(world_run(&world, restore, true), JOB_FAILED);
    assert_non_null(strstr(world.error.message, "end_device_euis_taken"));
    assert_null(world.at[STACK_JOIN]);
    assert_null(world.at[STACK_NETWORK]);
    world_release(&world);
}

// ---- lost answers

static unsigned lost_at, changes;
static bool lost_done;

static bool lose(struct reply *reply) {
    *reply = (struct reply){.outcome = REPLY_LOST};
    return true;
}

static bool lose_before(struct tts_world *world, const struct call *call, struct reply *reply) {
    (void)world;
    if (!call->changes) return false;
    changes++;
    return !lost_done && changes == lost_at && lose(reply);
}

static bool lose_after(struct tts_world *world, const struct call *call, struct reply *reply) {
    (void)world;
    return call->changes && lost_done && changes == lost_at && lose(reply);
}

static void test_lost_answers(void **state) {
    (void)state;
    static const char *const ways[] = {"silence", "keys", "delete"};
    for (size_t i = 0; i < 3; i++) {
        for (lost_at = 1; lost_at <= 5; lost_at++) {
            for (int done = 0; done < 2; done++) {
                struct tts_world world;
                struct copies before = begin_released(&world, ways[i], true);
                lost_done = done;
                changes = 0;
                world.before = lose_before;
                world.after = lose_after;
                if (world_run(&world, restore, true) != JOB_DONE) fail_msg("%s", world.error.message);
                for (enum stack_role server = 0; server < STACK_ROLES; server++)
                    assert_non_null(world.at[server]);
                check_equal(before.at[STACK_JOIN], world.at[STACK_JOIN]);
                assert_int_equal(world.at[STACK_NETWORK]->session->started_at->seconds,
                                 before.at[STACK_NETWORK]->session->started_at->seconds);
                assert_false(tts_source_is_silenced(world.at[STACK_NETWORK]));
                world_release(&world);
            }
        }
    }
}

static bool answer_dry(struct tts_world *world, const struct call *call, struct reply *reply) {
    (void)world;
    if (!call->changes) return false;
    *reply = (struct reply){.outcome = REPLY_DRY};
    return true;
}

static void test_dry_run(void **state) {
    (void)state;
    struct tts_world world;
    begin_released(&world, "delete", true);
    world.before = answer_dry;
    assert_int_equal(world_run(&world, restore, true), JOB_DONE);
    for (enum stack_role server = 0; server < STACK_ROLES; server++) assert_null(world.at[server]);
    assert_non_null(restoration.remark);
    assert_non_null(strstr(restoration.remark, "its dates and queued downlinks are gone"));
    world_release(&world);
}

static bool forgetful(struct tts_world *world, const struct call *call, struct reply *reply) {
    (void)world;
    if (!call->changes) return false;
    world_status(reply, GRPC_OK, NULL);
    return true;
}

// Servers that say yes and do nothing.
static void test_forgetful_servers(void **state) {
    (void)state;
    static const char *const ways[] = {"silence", "delete"};
    for (size_t i = 0; i < 2; i++) {
        struct tts_world world;
        begin_released(&world, ways[i], true);
        world.before = forgetful;
        assert_int_equal(world_run(&world, restore, true), JOB_FAILED);
        assert_int_equal(world.error.code, ERROR_REFUSED);
        world_release(&world);
    }
}

// ---- masks

static bool mask_names(const Tts__EndDevice *part, enum stack_role server, const char *path) {
    ARENA_AUTO arena = {0};
    return world_mask_has(tts_source_mask(part, server, &arena), path);
}

static void test_masks(void **state) {
    (void)state;
    struct tts_world world;
    world_begin(&world, NULL, true);
    Tts__EndDevice *network = world.at[STACK_NETWORK];
    network->power_state = TTS__POWER_STATE__POWER_BATTERY;
    network->session->keys->app_s_key = world_key(&world, 0x30);
    assert_true(mask_names(network, STACK_NETWORK, "session.keys.f_nwk_s_int_key.key"));
    assert_true(mask_names(network, STACK_NETWORK, "session.last_n_f_cnt_down"));
    assert_true(mask_names(network, STACK_NETWORK, "frequency_plan_id"));
    assert_false(mask_names(network, STACK_NETWORK, "power_state"));
    assert_false(mask_names(network, STACK_NETWORK, "ids.dev_eui"));
    assert_false(mask_names(network, STACK_NETWORK, "session.keys.app_s_key.key"));
    assert_true(mask_names(world.at[STACK_APPLICATION], STACK_APPLICATION, "session.keys.app_s_key.key"));
    assert_true(mask_names(world.at[STACK_APPLICATION], STACK_APPLICATION, "session.dev_addr"));
    world.at[STACK_APPLICATION]->session->keys->app_s_key = NULL;
    assert_false(mask_names(world.at[STACK_APPLICATION], STACK_APPLICATION, "session.dev_addr"));
    assert_true(mask_names(world.at[STACK_JOIN], STACK_JOIN, "root_keys.app_key.key"));
    world_release(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_silenced),       cmocka_unit_test(test_silent_before),
        cmocka_unit_test(test_deleted),        cmocka_unit_test(test_heard),
        cmocka_unit_test(test_join_under_way), cmocka_unit_test(test_progress),
        cmocka_unit_test(test_rejoined),       cmocka_unit_test(test_other_device),
        cmocka_unit_test(test_euis_taken),     cmocka_unit_test(test_lost_answers),
        cmocka_unit_test(test_dry_run),        cmocka_unit_test(test_forgetful_servers),
        cmocka_unit_test(test_masks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
