// SPDX-License-Identifier: Apache-2.0
// Source tts: taking devices away, each way, with lost and refused answers at every step, and looking at them once more.
#include "support/tts_world.h"

static struct source_confirmation confirmation;

static enum job_step release(struct tts_world *world) {
    return world->source->driver->release(world->source, &world->job, &world->record, NULL, &world->error);
}

static enum job_step confirm(struct tts_world *world) {
    confirmation = (struct source_confirmation){0};
    return world->source->driver->confirm(world->source, &world->job, &world->record, NULL, &confirmation,
                                          &world->error);
}

static bool silenced(const struct tts_world *world) {
    return tts_source_is_silenced(world->at[STACK_NETWORK]);
}

static void set_schedule(struct tts_world *world, bool value) {
    Tts__EndDevice *network = world->at[STACK_NETWORK];
    network->mac_settings = message_new(&world->arena, &tts__macsettings__descriptor);
    network->mac_settings->schedule_downlinks = message_new(&world->arena, &tts__bool_value__descriptor);
    network->mac_settings->schedule_downlinks->value = value;
}

static void check_released(struct tts_world *world) {
    assert_int_equal(world_run(world, confirm, false), JOB_DONE);
    if (confirmation.proof != SOURCE_RELEASED) fail_msg("%s", confirmation.remark);
}

static void test_silence(void **state) {
    (void)state;
    for (int joins = 0; joins < 2; joins++) {
        struct tts_world world;
        world_begin(&world, NULL, joins);
        assert_int_equal(world_run(&world, release, false), JOB_DONE);
        assert_string_equal(world.log, joins ? "NS.Get JS.Get NS.Set " : "NS.Get NS.Set ");
        assert_true(silenced(&world));
        check_released(&world);
        // Once more is harmless.
        assert_int_equal(world_run(&world, release, true), JOB_DONE);
        assert_string_equal(world.log, joins ? "NS.Get JS.Get " : "NS.Get ");
        world_release(&world);
    }
}

static void test_keys(void **state) {
    (void)state;
    struct tts_world world;
    world_begin(&world, "keys", true);
    assert_int_equal(world_run(&world, release, false), JOB_DONE);
    assert_string_equal(world.log, "NS.Set NS.Get AS.Get JS.Get AS.Delete NS.Delete JS.Delete ");
    assert_non_null(world.at[STACK_IDENTITY]);
    assert_null(world.at[STACK_NETWORK]);
    assert_null(world.at[STACK_APPLICATION]);
    assert_null(world.at[STACK_JOIN]);
    check_released(&world);
    assert_int_equal(world_run(&world, release, true), JOB_DONE);
    assert_string_equal(world.log, "NS.Get AS.Get JS.Get ");
    world_release(&world);
}

static void test_delete(void **state) {
    (void)state;
    struct tts_world world;
    world_begin(&world, "delete", true);
    assert_int_equal(world_run(&world, release, false), JOB_DONE);
    assert_string_equal(world.log,
                        "NS.Set IS.Get NS.Get AS.Get JS.Get AS.Delete NS.Delete JS.Delete IS.Delete ");
    for (enum stack_role server = 0; server < STACK_ROLES; server++) assert_null(world.at[server]);
    check_released(&world);
    world_release(&world);
    // A device that does not join is not at the Join Server.
    world_begin(&world, "delete", false);
    assert_int_equal(world_run(&world, release, false), JOB_DONE);
    assert_string_equal(world.log, "NS.Set IS.Get NS.Get AS.Get JS.Get AS.Delete NS.Delete IS.Delete ");
    check_released(&world);
    world_release(&world);
}

static void test_none(void **state) {
    (void)state;
    struct tts_world world;
    world_begin(&world, "none", true);
    assert_true(world.source->keeps);
    assert_int_equal(world_run(&world, release, false), JOB_DONE);
    assert_string_equal(world.log, "");
    assert_false(silenced(&world));
    check_released(&world);
    assert_string_equal(world.log, "");
    world_release(&world);
}

// Without a Network Server there is nothing to silence, but keys can go.
static void test_half_registered(void **state) {
    (void)state;
    static const char *const ways[] = {"silence", "keys", "delete"};
    for (size_t i = 0; i < 3; i++) {
        struct tts_world world;
        world_init(&world, ways[i]);
        world_fill(&world, true);
        world.at[STACK_NETWORK] = NULL;
        assert_int_equal(world_open(&world, false), 0);
        assert_int_equal(world_run(&world, world_prepare, false), JOB_DONE);
        world.record.id = memory_strdup("my-device");
        assert_int_equal(world_run(&world, world_read, false), JOB_DONE);
        assert_int_equal(world_run(&world, release, false), JOB_DONE);
        assert_int_equal(world.at[STACK_JOIN] == NULL, i > 0);
        assert_int_equal(world.at[STACK_IDENTITY] == NULL, i == 2);
        check_released(&world);
        world_release(&world);
    }
}

// ---- answers that say nothing, or no

static unsigned fault_at;  // the call that fails, from 1 on
static unsigned fault_count;
static bool fault_done;  // it was done all the same
static enum { FAULT_LOST, FAULT_UNAVAILABLE, FAULT_MALFORMED, FAULT_DENIED, FAULT_INTERNAL } fault_kind;

static bool make_fault(struct tts_world *world, bool after, struct reply *reply) {
    if (world->calls < fault_at || world->calls >= fault_at + fault_count || after != fault_done)
        return false;
    switch (fault_kind) {
        case FAULT_LOST:
            *reply = (struct reply){.outcome = REPLY_LOST};
            break;
        case FAULT_UNAVAILABLE:
            world_status(reply, GRPC_UNAVAILABLE, "going away");
            break;
        case FAULT_MALFORMED:
            *reply = (struct reply){.outcome = REPLY_MALFORMED};
            break;
        case FAULT_DENIED:
            world_status(reply, GRPC_PERMISSION_DENIED, "no such right");
            break;
        case FAULT_INTERNAL:
            world_status(reply, GRPC_INTERNAL, "something broke");
            break;
    }
    return true;
}

static bool fault_before(struct tts_world *world, const struct call *call, struct reply *reply) {
    return call->changes && make_fault(world, false, reply);
}

static bool fault_after(struct tts_world *world, const struct call *call, struct reply *reply) {
    return call->changes && make_fault(world, true, reply);
}

static void begin_faulty(struct tts_world *world, const char *way) {
    world_begin(world, way, true);
    world->calls = 0;
    world->before = fault_before;
    world->after = fault_after;
}

// Whatever answer to whatever change is lost, once, done or not: the device is released in the end.
static void test_passing_faults(void **state) {
    (void)state;
    static const char *const ways[] = {"silence", "keys", "delete"};
    fault_count = 1;
    for (size_t i = 0; i < 3; i++) {
        for (fault_at = 1; fault_at <= 9; fault_at++) {
            for (int k = 0; k < 2 * (FAULT_MALFORMED + 1); k++) {
                fault_kind = k / 2;
                fault_done = k % 2 == 1;
                struct tts_world world;
                begin_faulty(&world, ways[i]);
                enum job_step step = world_run(&world, release, false);
                if (step != JOB_DONE) fail_msg("%s, call %u: %s", ways[i], fault_at, world.error.message);
                world.before = world.after = NULL;
                if (i == 0) assert_true(silenced(&world));
                assert_int_equal(world.at[STACK_JOIN] == NULL, i > 0);
                assert_int_equal(world.at[STACK_IDENTITY] == NULL, i == 2);
                check_released(&world);
                world_release(&world);
            }
        }
    }
}

// What is refused for good is told, and the next attempt goes on where this one ended.
static void test_final_faults(void **state) {
    (void)state;
    static const char *const ways[] = {"silence", "keys", "delete"};
    static const unsigned changes[][4] = {{1, 0, 0, 0}, {1, 5, 6, 7}, {1, 6, 7, 8}};
    fault_done = false;
    for (size_t i = 0; i < 3; i++) {
        for (size_t k = 0; k < 4 && changes[i][k] > 0; k++) {
            for (fault_kind = FAULT_DENIED; fault_kind <= FAULT_INTERNAL; fault_kind++) {
                struct tts_world world;
                fault_at = changes[i][k];
                fault_count = 1000;
                begin_faulty(&world, ways[i]);
                assert_int_equal(world_run(&world, release, false), JOB_FAILED);
                assert_int_equal(world.error.code, fault_kind == FAULT_DENIED ? ERROR_DENIED : ERROR_REFUSED);
                if (fault_kind == FAULT_DENIED) assert_non_null(strstr(world.error.hint, "my-app"));
                assert_non_null(world.at[STACK_JOIN]);
                world.before = world.after = NULL;
                assert_int_equal(world_run(&world, release, true), JOB_DONE);
                check_released(&world);
                world_release(&world);
            }
        }
    }
}

// A server that never comes back ends the attempts.
static void test_endless_faults(void **state) {
    (void)state;
    fault_at = 1;
    fault_count = 1000;
    fault_done = false;
    fault_kind = FAULT_UNAVAILABLE;
    struct tts_world world;
    begin_faulty(&world, "delete");
    assert_int_equal(world_run(&world, release, false), JOB_FAILED);
    assert_int_equal(world.error.code, ERROR_UNAVAILABLE);
    for (enum stack_role server = 0; server < STACK_ROLES; server++) assert_non_null(world.at[server]);
    world_release(&world);
}

static bool deaf_network(struct tts_world *world, const struct call *call, struct reply *reply) {
    if (!world_is(call, STACK_NETWORK, "Set")) return false;
    world_message(reply, &world->at[STACK_NETWORK]->base);
    return true;
}

// A Network Server that says yes and does not do it: nothing is deleted.
static void test_deaf_network(void **state) {
    (void)state;
    struct tts_world world;
    world_begin(&world, "delete", true);
    world.before = deaf_network;
    assert_int_equal(world_run(&world, release, false), JOB_FAILED);
    assert_int_equal(world.error.code, ERROR_REFUSED);
    assert_non_null(world.at[STACK_APPLICATION]);
    world_release(&world);
    // With silence alone, the second look tells.
    world_begin(&world, "silence", true);
    world.before = deaf_network;
    assert_int_equal(world_run(&world, release, false), JOB_DONE);
    assert_int_equal(world_run(&world, confirm, false), JOB_DONE);
    assert_int_equal(confirmation.proof, SOURCE_HELD);
    world_release(&world);
}

// ---- what changed meanwhile

static void test_other_device(void **state) {
    (void)state;
    static const char *const ways[] = {"keys", "delete", "silence"};
    for (size_t i = 0; i < 3; i++) {
        for (int change = 0; change < 3; change++) {
            struct tts_world world;
            world_begin(&world, ways[i], true);
            if (change == 0) world.at[STACK_JOIN]->root_keys->app_key = world_key(&world, 0x99);
            if (change == 1) world.at[STACK_JOIN]->ids->dev_eui = world_bytes(&world, 8, 0x99);
            if (change == 2) world.at[STACK_NETWORK]->ids->join_eui = world_bytes(&world, 8, 0x99);
            assert_int_equal(world_run(&world, release, false), JOB_FAILED);
            assert_int_equal(world.error.code, ERROR_DEVICE);
            for (enum stack_role server = 0; server < STACK_ROLES; server++)
                assert_non_null(world.at[server]);
            // Whoever has it by now is not made silent.
            assert_int_equal(silenced(&world), i < 2);
            assert_int_equal(world.job.unchanged, i == 2);
            world_release(&world);
        }
    }
}

static void test_other_session_of_abp(void **state) {
    (void)state;
    static const char *const ways[] = {"delete", "silence"};
    for (size_t i = 0; i < 2; i++) {
        struct tts_world world;
        world_begin(&world, ways[i], false);
        world.at[STACK_NETWORK]->session->keys->f_nwk_s_int_key = world_key(&world, 0x99);
        assert_int_equal(world_run(&world, release, false), JOB_FAILED);
        assert_int_equal(world.error.code, ERROR_DEVICE);
        assert_non_null(world.at[STACK_NETWORK]);
        assert_int_equal(silenced(&world), i == 0);
        world_release(&world);
    }
}

static void test_registered_meanwhile(void **state) {
    (void)state;
    struct tts_world world;
    world_begin(&world, "delete", false);
    world.at[STACK_JOIN] = world_part(&world);
    assert_int_equal(world_run(&world, release, false), JOB_FAILED);
    assert_int_equal(world.error.code, ERROR_DEVICE);
    assert_non_null(world.at[STACK_JOIN]);
    assert_non_null(world.at[STACK_IDENTITY]);
    world_release(&world);
}

// The counter that the device must go on with, however it was released.
static void test_answered_in_between(void **state) {
    (void)state;
    static const char *const ways[] = {"silence", "keys", "delete"};
    for (size_t i = 0; i < 3; i++) {
        for (int joins = 0; joins < 2; joins++) {
            struct tts_world world;
            world_begin(&world, ways[i], joins);
            world.at[STACK_NETWORK]->session->last_f_cnt_up = 105;
            world.at[STACK_NETWORK]->session->last_n_f_cnt_down = 23;
            assert_int_equal(world_run(&world, release, false), JOB_DONE);
            assert_int_equal(world_run(&world, confirm, false), JOB_DONE);
            assert_int_equal(confirmation.proof, SOURCE_MOVED_ON);
            assert_int_equal(confirmation.last_n_f_cnt_down, 23);
            assert_non_null(strstr(confirmation.remark, "last_n_f_cnt_down to 23"));
            world_release(&world);
        }
    }
}

// Heard, but not answered: the old uplink counter does no harm.
static void test_heard_in_between(void **state) {
    (void)state;
    struct tts_world world;
    world_begin(&world, "delete", true);
    world.at[STACK_NETWORK]->session->last_f_cnt_up = 105;
    assert_int_equal(world_run(&world, release, false), JOB_DONE);
    check_released(&world);
    world_release(&world);
}

static void test_joined_in_between(void **state) {
    (void)state;
    static const char *const ways[] = {"silence", "keys", "delete"};
    for (size_t i = 0; i < 3; i++) {
        struct tts_world world;
        world_begin(&world, ways[i], true);
        world.at[STACK_NETWORK]->session = world_session(&world, true);
        world.at[STACK_NETWORK]->session->keys->session_key_id = world_bytes(&world, 16, 0x99);
        assert_int_equal(world_run(&world, release, false), JOB_DONE);
        assert_int_equal(world_run(&world, confirm, false), JOB_DONE);
        assert_int_equal(confirmation.proof, SOURCE_MOVED_ON);
        assert_int_equal(confirmation.last_n_f_cnt_down, 0);
        assert_non_null(strstr(confirmation.remark, "join"));
        world_release(&world);
    }
}

static void make_1_1(struct tts_world *world) {
    world->at[STACK_NETWORK]->lorawan_version = TTS__MACVERSION__MAC_V1_1;
    world->at[STACK_APPLICATION]->session->last_a_f_cnt_down = 30;
}

// In LoRaWAN 1.1 the Application Server counts for itself.
static void test_application_counter(void **state) {
    (void)state;
    static const char *const ways[] = {"silence", "delete"};
    for (size_t i = 0; i < 2; i++) {
        struct tts_world world;
        world_init(&world, ways[i]);
        world_fill(&world, true);
        make_1_1(&world);
        assert_int_equal(world_open(&world, false), 0);
        assert_int_equal(world_run(&world, world_prepare, false), JOB_DONE);
        world.record.id = memory_strdup("my-device");
        assert_int_equal(world_run(&world, world_read, false), JOB_DONE);
        world.at[STACK_APPLICATION]->session->last_a_f_cnt_down = 34;
        assert_int_equal(world_run(&world, release, false), JOB_DONE);
        assert_int_equal(world_run(&world, confirm, false), JOB_DONE);
        assert_int_equal(confirmation.proof, SOURCE_MOVED_ON);
        assert_non_null(strstr(confirmation.remark, "last_a_f_cnt_down to 34"));
        world_release(&world);
    }
}

// After a restart nobody knows what the release saw: some counters are skipped.
static void test_unknown_after_restart(void **state) {
    (void)state;
    struct tts_world world;
    world_begin(&world, "delete", true);
    assert_int_equal(world_run(&world, release, false), JOB_DONE);
    world.source->driver->close(world.source);
    world.source = NULL;
    assert_int_equal(world_open(&world, false), 0);
    assert_int_equal(world_run(&world, world_prepare, false), JOB_DONE);
    assert_int_equal(world_run(&world, confirm, false), JOB_DONE);
    assert_int_equal(confirmation.proof, SOURCE_MOVED_ON);
    assert_int_equal(confirmation.last_n_f_cnt_down, 36);
    world_release(&world);
}

static void test_there_again(void **state) {
    (void)state;
    static const char *const ways[] = {"silence", "keys", "delete"};
    for (size_t i = 0; i < 3; i++) {
        struct tts_world world;
        world_begin(&world, ways[i], true);
        assert_int_equal(world_run(&world, release, false), JOB_DONE);
        if (i == 0) set_schedule(&world, true);
        if (i == 1) world.at[STACK_JOIN] = world_part(&world);
        if (i == 2) world.at[STACK_IDENTITY] = world_part(&world);
        assert_int_equal(world_run(&world, confirm, false), JOB_DONE);
        assert_int_equal(confirmation.proof, SOURCE_HELD);
        assert_non_null(strstr(confirmation.remark, "somebody else"));
        world_release(&world);
    }
}

// Deleted by somebody else: the source does not handle it any more.
static void test_gone(void **state) {
    (void)state;
    struct tts_world world;
    world_begin(&world, "silence", true);
    for (enum stack_role server = 0; server < STACK_ROLES; server++) world.at[server] = NULL;
    assert_int_equal(world_run(&world, release, false), JOB_DONE);
    check_released(&world);
    world_release(&world);
}

static void test_sightings(void **state) {
    (void)state;
    enum { MANY = 5000 };
    struct tts_sightings sightings = {0};
    assert_null(tts_source_sightings_find(&sightings, "device-1"));
    for (uint32_t i = 0; i < MANY; i++) {
        char id[24];
        snprintf(id, sizeof id, "device-%u", i);
        tts_source_sightings_add(&sightings, id, &(struct tts_sighting){.last_n_f_cnt_down = i});
        tts_source_sightings_add(&sightings, id, &(struct tts_sighting){.last_n_f_cnt_down = i + 1});
    }
    assert_int_equal(sightings.count, MANY);
    for (uint32_t i = 0; i < MANY; i++) {
        char id[24];
        snprintf(id, sizeof id, "device-%u", i);
        assert_int_equal(tts_source_sightings_find(&sightings, id)->last_n_f_cnt_down, i + 1);
    }
    assert_null(tts_source_sightings_find(&sightings, "device"));
    tts_source_sightings_release(&sightings);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_delete),
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_half_registered),
        cmocka_unit_test(test_passing_faults),
        cmocka_unit_test(test_final_faults),
        cmocka_unit_test(test_endless_faults),
        cmocka_unit_test(test_deaf_network),
        cmocka_unit_test(test_other_device),
        cmocka_unit_test(test_other_session_of_abp),
        cmocka_unit_test(test_registered_meanwhile),
        cmocka_unit_test(test_answered_in_between),
        cmocka_unit_test(test_heard_in_between),
        cmocka_unit_test(test_joined_in_between),
        cmocka_unit_test(test_application_counter),
        cmocka_unit_test(test_unknown_after_restart),
        cmocka_unit_test(test_there_again),
        cmocka_unit_test(test_gone),
        cmocka_unit_test(test_sightings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
