// SPDX-License-Identifier: Apache-2.0
// Target tts against servers in memory: what it asks, what it sends to whom, and what becomes of a device when answers
// are lost, refused, or show that somebody else was there.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/words.h"
#include "fake_tts.h"
#include "support/device_text.h"

#define IDS                                                                                   \
    "\"ids\":{\"device_id\":\"dev-1\",\"application_ids\":{\"application_id\":\"old-app\"},"  \
    "\"dev_eui\":\"0004A30B00100055\",\"join_eui\":\"70B3D57ED037123C\"},\"name\":\"Dev 1\"," \
    "\"lorawan_version\":\"MAC_V1_0_2\",\"lorawan_phy_version\":\"PHY_V1_0_2_REV_B\","        \
    "\"frequency_plan_id\":\"EU_863_870_TTN\""
#define JOIN \
    ",\"supports_join\":true,\"root_keys\":{\"app_key\":{\"key\":\"00112233445566778899AABBCCDDEEFF\"}}"
#define PARAMETERS                                                                            \
    "{\"max_eirp\":16,\"adr_nb_trans\":1,\"rx1_delay\":1,\"rx2_frequency\":\"869525000\","    \
    "\"channels\":[{\"uplink_frequency\":\"868100000\",\"downlink_frequency\":\"868100000\"," \
    "\"max_data_rate_index\":5,\"enable_uplink\":true}]}"
#define STATE                                                                                  \
    ",\"mac_state\":{\"current_parameters\":" PARAMETERS ",\"desired_parameters\":" PARAMETERS \
    ",\"lorawan_version\":\"MAC_V1_0_2\"}"
#define SESSION(id)                                                                       \
    ",\"session\":{\"dev_addr\":\"26017D54\",\"keys\":{" id                               \
    "\"f_nwk_s_int_key\":{\"key\":\"8CBC7EDED8BB28FD43CF3C8DC4E64A38\"},"                 \
    "\"app_s_key\":{\"key\":\"17A2239BCAF3A2B16A710F649BA64E6D\"}},\"last_f_cnt_up\":10," \
    "\"last_n_f_cnt_down\":5,\"started_at\":\"2026-11-22T18:42:22Z\"}"
#define OTAA_SESSION "{" IDS JOIN STATE SESSION("\"session_key_id\":\"AAECAwQF\",") "}"
#define OTAA         "{" IDS JOIN "}"
#define ABP          "{" IDS STATE SESSION("") "}"

struct world {
    struct fake_tts fake;
    struct device device;
    struct fake_tts_run run;
};

// ---- the jobs

static enum job_step run_prepare(struct fake_tts *fake, struct fake_tts_run *run, struct job *job,
                                 struct error *error) {
    (void)run;
    return target_tts.prepare(fake->target, job, "old-app", error);
}

static enum job_step run_look(struct fake_tts *fake, struct fake_tts_run *run, struct job *job,
                              struct error *error) {
    return target_tts.look(fake->target, job, run->device, &run->look, error);
}

static enum job_step run_reserve(struct fake_tts *fake, struct fake_tts_run *run, struct job *job,
                                 struct error *error) {
    return target_tts.reserve(fake->target, job, run->device, error);
}

static enum job_step run_import(struct fake_tts *fake, struct fake_tts_run *run, struct job *job,
                                struct error *error) {
    return target_tts.import(fake->target, job, run->device, error);
}

static enum job_step run_verify(struct fake_tts *fake, struct fake_tts_run *run, struct job *job,
                                struct error *error) {
    return target_tts.verify(fake->target, job, run->device, &run->verdict, error);
}

static enum job_step run_recall(struct fake_tts *fake, struct fake_tts_run *run, struct job *job,
                                struct error *error) {
    return target_tts.recall(fake->target, job, run->device, &run->progress, error);
}

static enum job_step run_remove(struct fake_tts *fake, struct fake_tts_run *run, struct job *job,
                                struct error *error) {
    const struct target_removal removal = {.before = run->before, .before_size = run->before_size};
    return target_tts.remove(fake->target, job, run->device, &removal, error);
}

static enum job_step run(struct world *world, __typeof__(run_look) *function) {
    world->run.function = function;
    world->run.device = &world->device;
    enum job_step step = fake_tts_run(&world->fake, &world->run);
    return step;
}

static enum job_step run_again(struct world *world, __typeof__(run_look) *function) {
    world->run.again = true;
    enum job_step step = run(world, function);
    world->run.again = false;
    return step;
}

static void must(struct world *world, __typeof__(run_look) *function) {
    if (run(world, function) != JOB_DONE) fail_msg("%s", world->run.error.message);
}

// ---- the stage

static void set_device(struct world *world, const char *text) {
    device_release(&world->device);
    device_init(&world->device);
    world->device.end_device = message_of(&tts__end_device__descriptor, text, &world->device.arena);
}

static void open_world(struct world *world, const char *text) {
    *world = (struct world){0};
    fake_tts_init(&world->fake);
    fake_tts_open(&world->fake, false);
    must(world, run_prepare);
    set_device(world, text);
    struct error error = {0};
    if (target_tts.adapt(world->fake.target, &world->device, &error) != 0) fail_msg("%s", error.message);
}

static void close_world(struct world *world) {
    assert_false(world->fake.leaked);
    device_release(&world->device);
    error_release(&world->run.error);
    fake_tts_release(&world->fake);
}

// The calls since `from`, as one text.
static const char *calls_since(struct world *world, size_t from) {
    struct fake_tts *fake = &world->fake;
    char *text = arena_strdup(&fake->arena, "");
    for (size_t i = from; i < fake->call_count; i++) {
        text = arena_printf(&fake->arena, "%s%s%s", text, i > from ? " " : "", fake->calls[i]);
    }
    return text;
}

static void bring(struct world *world) {
    must(world, run_look);
    assert_int_equal(world->run.look.found, TARGET_FREE);
    must(world, run_reserve);
    must(world, run_import);
}

static void assert_verified(struct world *world) {
    must(world, run_verify);
    if (!world->run.verdict.equal) fail_msg("%s", world->run.verdict.what);
    assert_null(world->run.verdict.what);
}

static void assert_message(const struct world *world, const char *text) {
    const struct error *error = &world->run.error;
    assert_true(error_is_set(error));
    char *chain = error_chain(error);
    if (strstr(chain, text) == NULL) fail_msg("\"%s\" is not in \"%s\"", text, chain);
    assert_null(strstr(chain, "NNSXS.MADE.UP"));
    assert_null(strstr(chain, "00112233445566778899AABBCCDDEEFF"));
    free(chain);
}

// ---- the ways of a device

static void test_joined_device(void **state) {
    (void)state;
    struct world world;
    open_world(&world, OTAA_SESSION);
    size_t before = world.fake.call_count;
    must(&world, run_look);
    assert_int_equal(world.fake.steps, 1);
    assert_string_equal(
        calls_since(&world, before),
        "EndDeviceRegistry/GetIdentifiersForEUIs EndDeviceRegistry/Get JsEndDeviceRegistry/Get "
        "NsEndDeviceRegistry/Get AsEndDeviceRegistry/Get");
    before = world.fake.call_count;
    must(&world, run_reserve);
    assert_string_equal(calls_since(&world, before),
                        "EndDeviceRegistry/Create JsEndDeviceRegistry/Set NsEndDeviceRegistry/Set");
    assert_null(world.fake.at[TTS_JOIN]->root_keys);
    assert_null(world.fake.at[TTS_NETWORK]->session);
    assert_null(world.fake.at[TTS_NETWORK]->mac_state);
    assert_null(world.fake.at[TTS_APPLICATION]);
    before = world.fake.call_count;
    must(&world, run_import);
    // The time without a network: one round trip; and one for the session's age and the keys for the next join, when it
    // works already.
    assert_int_equal(world.fake.steps, 2);
    assert_string_equal(calls_since(&world, before),
                        "NsEndDeviceRegistry/Set AsEndDeviceRegistry/Set "
                        "JsEndDeviceRegistry/Set NsEndDeviceRegistry/Set");
    assert_int_equal(world.fake.at[TTS_NETWORK]->session->started_at->seconds, 1795372942);
    assert_verified(&world);
    assert_true(world.run.verdict.progress.known);
    assert_false(world.run.verdict.progress.rejoined);
    assert_int_equal(world.run.verdict.progress.last_f_cnt_up, 10);
    assert_string_equal(world.fake.at[TTS_IDENTITY]->network_server_address, "ns.example");
    assert_string_equal(world.fake.at[TTS_IDENTITY]->join_server_address, "js.example");
    close_world(&world);
}

// The Things Stack is never sent what it has no place for.
static void test_gen_app_key(void **state) {
    (void)state;
    struct world world;
    struct key128 key = {{1}};
    struct error error = {0};
    open_world(&world, OTAA_SESSION);
    device_set_gen_app_key(&world.device, &key);
    assert_int_equal(target_tts.adapt(world.fake.target, &world.device, &error), 0);
    assert_false(device_gen_app_key(world.device.end_device, &key));
    assert_true(world.device.notes.count > 0);
    assert_string_equal(world.device.notes.items[world.device.notes.count - 1].path, "gen_app_key");
    close_world(&world);
}

static void test_device_without_session(void **state) {
    (void)state;
    struct world world;
    open_world(&world, OTAA);
    must(&world, run_look);
    must(&world, run_reserve);
    size_t before = world.fake.call_count;
    must(&world, run_import);
    assert_string_equal(calls_since(&world, before), "JsEndDeviceRegistry/Set");
    assert_verified(&world);
    assert_false(world.run.verdict.progress.known);
    close_world(&world);
}

static void test_fixed_device(void **state) {
    (void)state;
    struct world world;
    open_world(&world, ABP);
    must(&world, run_look);
    size_t before = world.fake.call_count;
    must(&world, run_reserve);
    // The Network Server would refuse it without its session.
    assert_string_equal(calls_since(&world, before), "EndDeviceRegistry/Create");
    before = world.fake.call_count;
    must(&world, run_import);
    assert_string_equal(calls_since(&world, before),
                        "NsEndDeviceRegistry/Set AsEndDeviceRegistry/Set NsEndDeviceRegistry/Set");
    assert_verified(&world);
    assert_null(world.fake.at[TTS_JOIN]);
    assert_string_equal(world.fake.at[TTS_IDENTITY]->join_server_address, "");
    close_world(&world);
}

// The Application Server alone has this one.
static void test_application_counter(void **state) {
    (void)state;
    struct world world;
    open_world(&world, ABP);
    world.device.end_device->session->last_a_f_cnt_down = 90;
    bring(&world);
    assert_int_equal(world.fake.at[TTS_APPLICATION]->session->last_a_f_cnt_down, 90);
    assert_verified(&world);
    assert_int_equal(world.run.verdict.progress.last_a_f_cnt_down, 90);
    world.fake.at[TTS_APPLICATION]->session->last_a_f_cnt_down = 3;
    must(&world, run_verify);
    assert_false(world.run.verdict.equal);
    assert_string_equal(world.run.verdict.what, "session.last_a_f_cnt_down is 3 instead of 90");
    close_world(&world);
}

// ---- what is there already

static void test_same(void **state) {
    (void)state;
    struct world world;
    open_world(&world, OTAA_SESSION);
    bring(&world);
    must(&world, run_look);
    assert_int_equal(world.run.look.found, TARGET_SAME);
    assert_string_equal(world.run.look.holder.device_id, "dev-1");
    assert_string_equal(world.run.look.holder.application_id, "my-app");
    assert_string_equal(world.run.look.holder.network, "tts.example:8884");
    // It has lived on: that is still the same device.
    world.fake.at[TTS_NETWORK]->session->last_f_cnt_up = 30;
    world.fake.at[TTS_NETWORK]->mac_state->current_parameters->adr_data_rate_index = 5;
    must(&world, run_look);
    assert_int_equal(world.run.look.found, TARGET_SAME);
    close_world(&world);
}

static void test_other_data(void **state) {
    (void)state;
    struct world world;
    open_world(&world, OTAA_SESSION);
    bring(&world);
    world.fake.at[TTS_IDENTITY]->name = arena_strdup(&world.fake.arena, "Another name");
    world.fake.at[TTS_JOIN]->root_keys->app_key->key.data[0] = 0x77;
    world.fake.at[TTS_NETWORK]->session->last_n_f_cnt_down = 2;
    must(&world, run_look);
    assert_int_equal(world.run.look.found, TARGET_OTHER);
    assert_string_equal(world.run.look.what,
                        "name is \"Another name\" instead of \"Dev 1\", root_keys.app_key.key differs, "
                        "session.last_n_f_cnt_down is 2 instead of 5");
    assert_true(world.run.look.before_size > 0);
    must(&world, run_verify);
    assert_false(world.run.verdict.equal);
    close_world(&world);
}

static void test_taken(void **state) {
    (void)state;
    struct world world;
    open_world(&world, OTAA);
    // The EUIs are another device's.
    Tts__EndDeviceIdentifiers owner = *world.device.end_device->ids;
    Tts__ApplicationIdentifiers application = TTS__APPLICATION_IDENTIFIERS__INIT;
    application.application_id = arena_strdup(&world.fake.arena, "other-app");
    owner.application_ids = &application;
    world.fake.owner = &owner;
    must(&world, run_look);
    assert_int_equal(world.run.look.found, TARGET_TAKEN);
    assert_string_equal(world.run.look.what,
                        "its JoinEUI and DevEUI belong to device dev-1 of application other-app");
    assert_string_equal(world.run.look.holder.application_id, "other-app");
    world.fake.owner = NULL;
    // The ID is another device's.
    bring(&world);
    world.fake.at[TTS_IDENTITY]->ids->dev_eui.data[7] = 0x99;
    Tts__EndDeviceIdentifiers *nobody = NULL;
    world.fake.owner = nobody;
    must(&world, run_look);
    assert_int_equal(world.run.look.found, TARGET_TAKEN);
    assert_string_equal(world.run.look.what,
                        "its ID belongs to a device with other EUIs (DevEUI "
                        "0004A30B00100099, JoinEUI 70B3D57ED037123C)");
    close_world(&world);
}

static void test_half_registered(void **state) {
    (void)state;
    struct world world;
    open_world(&world, OTAA);
    bring(&world);
    world.fake.at[TTS_IDENTITY] = world.fake.at[TTS_APPLICATION] = NULL;
    must(&world, run_look);
    assert_int_equal(world.run.look.found, TARGET_TAKEN);
    assert_string_equal(world.run.look.what,
                        "a device with its ID is known to the Join Server and Network Server, but not to the "
                        "Identity Server: delete it there");
    close_world(&world);
}

static void test_old_identity_server(void **state) {
    (void)state;
    struct world world;
    open_world(&world, OTAA_SESSION);
    world.fake.knows_later_fields = false;
    bring(&world);
    assert_verified(&world);
    close_world(&world);
}

// ---- reserve goes wrong

static void test_reserve_conflict(void **state) {
    (void)state;
    struct world world;
    open_world(&world, OTAA_SESSION);
    world.fake.fault_status = GRPC_ALREADY_EXISTS;
    world.fake.fault_space = "pkg/internal/registry";
    world.fake.fault_name = "end_device_euis_taken";
    fake_tts_fault(&world.fake, "NsEndDeviceRegistry/Set", FAKE_REFUSED, 1);
    assert_int_equal(run(&world, run_reserve), JOB_FAILED);
    assert_message(&world,
                   "Network Server tts.example:8884: /ttn.lorawan.v3.NsEndDeviceRegistry/Set: already "
                   "exists (6): end_device_euis_taken");
    // What was made goes away again; the record that is another one's stays.
    must(&world, run_remove);
    for (int place = 0; place < TTS_PLACES; place++) assert_null(world.fake.at[place]);
    close_world(&world);
}

static void test_reserve_taken_meanwhile(void **state) {
    (void)state;
    struct world world;
    open_world(&world, OTAA);
    // Somebody made a device of that ID after we looked.
    Tts__EndDevice *other = message_copy(&world.device.end_device->base, &world.fake.arena);
    other->ids->dev_eui.data[7] = 0x11;
    world.fake.at[TTS_IDENTITY] = other;
    assert_int_equal(run(&world, run_reserve), JOB_FAILED);
    assert_message(&world, "id_taken");
    must(&world, run_remove);
    assert_ptr_equal(world.fake.at[TTS_IDENTITY], other);
    assert_int_equal(run_again(&world, run_reserve), JOB_FAILED);
    assert_message(&world, "another device with that ID");
    close_world(&world);
}

static void test_reserve_lost(void **state) {
    (void)state;
    static const char *const methods[] = {".EndDeviceRegistry/Create", "JsEndDeviceRegistry/Set",
                                          "NsEndDeviceRegistry/Set", "AsEndDeviceRegistry/Set"};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        for (enum fake_fault fault = FAKE_LOST; fault <= FAKE_DROPPED; fault++) {
            struct world world;
            open_world(&world, OTAA_SESSION);
            fake_tts_fault(&world.fake, methods[i], fault, 2);
            bring(&world);
            assert_verified(&world);
            close_world(&world);
        }
    }
}

static void test_reserve_again(void **state) {
    (void)state;
    struct world world;
    open_world(&world, OTAA_SESSION);
    must(&world, run_reserve);
    // The run was killed here: what it finds is its own.
    run_again(&world, run_look);
    assert_int_equal(world.run.look.found, TARGET_FREE);
    must(&world, run_look);
    assert_int_equal(world.run.look.found, TARGET_OTHER);
    assert_int_equal(run_again(&world, run_reserve), JOB_DONE);
    must(&world, run_import);
    assert_verified(&world);
    close_world(&world);
}

// ---- import goes wrong

static void test_import_lost(void **state) {
    (void)state;
    static const char *const methods[] = {"JsEndDeviceRegistry/Set", "NsEndDeviceRegistry/Set",
                                          "AsEndDeviceRegistry/Set"};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        for (enum fake_fault fault = FAKE_LOST; fault <= FAKE_DROPPED; fault++) {
            struct world world;
            open_world(&world, OTAA_SESSION);
            must(&world, run_reserve);
            fake_tts_fault(&world.fake, methods[i], fault, 3);
            must(&world, run_import);
            assert_verified(&world);
            assert_non_null(world.fake.at[TTS_APPLICATION]->session);
            assert_non_null(world.fake.at[TTS_JOIN]->root_keys);
            close_world(&world);
        }
    }
}

// When the session began is told in a call of its own.
static void test_start_lost(void **state) {
    (void)state;
    for (enum fake_fault fault = FAKE_LOST; fault <= FAKE_DROPPED; fault++) {
        struct world world;
        open_world(&world, OTAA_SESSION);
        must(&world, run_reserve);
        fake_tts_fault(&world.fake, "NsEndDeviceRegistry/Set", fault, 2);
        world.fake.fault_after = 1;
        must(&world, run_import);
        assert_int_equal(world.fake.at[TTS_NETWORK]->session->started_at->seconds, 1795372942);
        close_world(&world);
    }
}

static void test_import_never_answered(void **state) {
    (void)state;
    struct world world;
    open_world(&world, OTAA_SESSION);
    must(&world, run_reserve);
    fake_tts_fault(&world.fake, "NsEndDeviceRegistry/Set", FAKE_DROPPED, 1000);
    assert_int_equal(run(&world, run_import), JOB_FAILED);
    assert_message(&world, "Network Server tts.example:8884");
    assert_in_range(world.fake.steps, TTS_TRIES, 4 * TTS_TRIES);
    close_world(&world);
}

static void test_import_refused(void **state) {
    (void)state;
    struct world world;
    open_world(&world, ABP);
    must(&world, run_reserve);
    world.fake.fault_status = GRPC_INVALID_ARGUMENT;
    world.fake.fault_space = "pkg/networkserver";
    world.fake.fault_name = "field_value";
    fake_tts_fault(&world.fake, "NsEndDeviceRegistry/Set", FAKE_REFUSED, 1);
    assert_int_equal(run(&world, run_import), JOB_FAILED);
    assert_message(&world, "invalid argument (3): field_value");
    must(&world, run_remove);
    for (int place = 0; place < TTS_PLACES; place++) assert_null(world.fake.at[place]);
    close_world(&world);
}

// A run that was killed after the import: the device has lived on, and keeps its counters.
static void test_import_again(void **state) {
    (void)state;
    struct world world;
    open_world(&world, OTAA_SESSION);
    bring(&world);
    Tts__Session *session = world.fake.at[TTS_NETWORK]->session;
    session->last_f_cnt_up = 50;
    session->last_n_f_cnt_down = 20;
    size_t before = world.fake.call_count;
    assert_int_equal(run_again(&world, run_import), JOB_DONE);
    assert_null(strstr(calls_since(&world, before), "Set"));
    assert_int_equal(world.fake.at[TTS_NETWORK]->session->last_n_f_cnt_down, 20);
    // It joined anew: its new session stays.
    world.fake.at[TTS_NETWORK]->session->dev_addr.data[3] = 0x55;
    world.fake.at[TTS_JOIN]->last_join_nonce = 1;
    before = world.fake.call_count;
    assert_int_equal(run_again(&world, run_import), JOB_DONE);
    assert_null(strstr(calls_since(&world, before), "Set"));
    assert_verified(&world);
    assert_true(world.run.verdict.progress.rejoined);
    close_world(&world);
}

// The earlier attempt came only to the Network Server.
static void test_import_again_in_part(void **state) {
    (void)state;
    struct world world;
    open_world(&world, OTAA_SESSION);
    must(&world, run_reserve);
    Tts__EndDevice *join = message_copy(&world.fake.at[TTS_JOIN]->base, &world.fake.arena);
    // It gets its session with all else.
    assert_null(world.fake.at[TTS_APPLICATION]);
    must(&world, run_import);
    world.fake.at[TTS_JOIN] = join;
    world.fake.at[TTS_APPLICATION] = NULL;
    Tts__Session *session = world.fake.at[TTS_NETWORK]->session;
    session->last_f_cnt_up = 50;
    Google__Timestamp started = {PROTOBUF_C_MESSAGE_INIT(&google__timestamp__descriptor),
                                 .seconds = fake_tts_now(NULL) / NS_PER_SECOND};
    session->started_at = &started;
    assert_int_equal(run_again(&world, run_import), JOB_DONE);
    assert_int_equal(world.fake.at[TTS_NETWORK]->session->last_f_cnt_up, 50);
    assert_int_equal(world.fake.at[TTS_NETWORK]->session->started_at->seconds, 1795372942);
    assert_verified(&world);
    close_world(&world);
}

// ---- updates and their undoing

static void test_update(void **state) {
    (void)state;
    struct world world;
    open_world(&world, OTAA_SESSION);
    bring(&world);
    Tts__EndDevice *network = world.fake.at[TTS_NETWORK];
    world.fake.at[TTS_IDENTITY]->description = arena_strdup(&world.fake.arena, "of somebody else");
    world.fake.at[TTS_JOIN]->root_keys->app_key->key.data[0] = 0x77;
    network->session->last_n_f_cnt_down = 90;
    network->session->last_f_cnt_up = 2;
    must(&world, run_look);
    assert_int_equal(world.run.look.found, TARGET_OTHER);
    const void *before = world.run.look.before;
    size_t size = world.run.look.before_size;
    must(&world, run_import);
    assert_string_equal(world.fake.at[TTS_IDENTITY]->description, "");
    // The same session: neither counter goes back.
    assert_int_equal(world.fake.at[TTS_NETWORK]->session->last_n_f_cnt_down, 90);
    assert_int_equal(world.fake.at[TTS_NETWORK]->session->last_f_cnt_up, 10);
    assert_verified(&world);
    world.run.before = before;
    world.run.before_size = size;
    must(&world, run_remove);
    assert_string_equal(world.fake.at[TTS_IDENTITY]->description, "of somebody else");
    assert_int_equal(world.fake.at[TTS_JOIN]->root_keys->app_key->key.data[0], 0x77);
    assert_int_equal(world.fake.at[TTS_NETWORK]->session->last_f_cnt_up, 10);
    close_world(&world);
}

// A device that joined is to be one that does not: the Network Server takes that only anew.
static void test_update_of_kind(void **state) {
    (void)state;
    struct world world;
    open_world(&world, OTAA);
    bring(&world);
    set_device(&world, ABP);
    assert_int_equal(target_tts.adapt(world.fake.target, &world.device, NULL), 0);
    must(&world, run_look);
    assert_int_equal(world.run.look.found, TARGET_OTHER);
    const void *before = world.run.look.before;
    size_t size = world.run.look.before_size, from = world.fake.call_count;
    must(&world, run_import);
    assert_non_null(strstr(calls_since(&world, from), "NsEndDeviceRegistry/Delete"));
    assert_false(world.fake.at[TTS_NETWORK]->supports_join);
    assert_null(world.fake.at[TTS_JOIN]);
    assert_verified(&world);
    world.run.before = before;
    world.run.before_size = size;
    must(&world, run_remove);
    assert_true(world.fake.at[TTS_NETWORK]->supports_join);
    assert_non_null(world.fake.at[TTS_JOIN]->root_keys);
    close_world(&world);
}

// A device that had no session gets rid of the one that an update brought.
static void test_update_of_session(void **state) {
    (void)state;
    struct world world;
    open_world(&world, OTAA);
    bring(&world);
    set_device(&world, OTAA_SESSION);
    assert_int_equal(target_tts.adapt(world.fake.target, &world.device, NULL), 0);
    must(&world, run_look);
    assert_int_equal(world.run.look.found, TARGET_OTHER);
    world.run.before = world.run.look.before;
    world.run.before_size = world.run.look.before_size;
    must(&world, run_import);
    assert_non_null(world.fake.at[TTS_APPLICATION]->session);
    size_t from = world.fake.call_count;
    must(&world, run_remove);
    assert_non_null(strstr(calls_since(&world, from), "AsEndDeviceRegistry/Delete"));
    assert_null(strstr(calls_since(&world, from), "NsEndDeviceRegistry/Delete"));
    assert_non_null(world.fake.at[TTS_APPLICATION]);
    assert_null(world.fake.at[TTS_APPLICATION]->session);
    assert_null(world.fake.at[TTS_NETWORK]->session);
    close_world(&world);
}

static void test_remove(void **state) {
    (void)state;
    struct world world;
    open_world(&world, OTAA_SESSION);
    bring(&world);
    size_t before = world.fake.call_count;
    must(&world, run_remove);
    assert_string_equal(calls_since(&world, before),
                        "EndDeviceRegistry/Get JsEndDeviceRegistry/Get NsEndDeviceRegistry/Get "
                        "AsEndDeviceRegistry/Get AsEndDeviceRegistry/Delete NsEndDeviceRegistry/Delete "
                        "JsEndDeviceRegistry/Delete EndDeviceRegistry/Delete");
    for (int place = 0; place < TTS_PLACES; place++) assert_null(world.fake.at[place]);
    must(&world, run_remove);  // nothing is left to do
    close_world(&world);
}

static void test_remove_lost(void **state) {
    (void)state;
    static const char *const methods[] = {".EndDeviceRegistry/Delete", "JsEndDeviceRegistry/Delete",
                                          "NsEndDeviceRegistry/Delete", "AsEndDeviceRegistry/Delete"};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        struct world world;
        open_world(&world, OTAA_SESSION);
        bring(&world);
        fake_tts_fault(&world.fake, methods[i], i % 2 == 0 ? FAKE_DROPPED : FAKE_LOST, 2);
        must(&world, run_remove);
        for (int place = 0; place < TTS_PLACES; place++) assert_null(world.fake.at[place]);
        bring(&world);
        world.fake.fault_status = GRPC_PERMISSION_DENIED;
        world.fake.fault_space = "pkg/auth/rights";
        world.fake.fault_name = "insufficient_application_rights";
        fake_tts_fault(&world.fake, methods[i], FAKE_REFUSED, 1);
        assert_int_equal(run(&world, run_remove), JOB_FAILED);
        assert_message(&world, "insufficient_application_rights");
        close_world(&world);
    }
}

static void test_recall(void **state) {
    (void)state;
    struct world world;
    open_world(&world, OTAA_SESSION);
    must(&world, run_recall);
    assert_false(world.run.progress.known);
    bring(&world);
    world.fake.at[TTS_NETWORK]->session->last_n_f_cnt_down = 77;
    must(&world, run_recall);
    assert_true(world.run.progress.known);
    assert_false(world.run.progress.rejoined);
    assert_int_equal(world.run.progress.last_n_f_cnt_down, 77);
    world.fake.at[TTS_NETWORK]->session->dev_addr.data[0] = 0x27;
    must(&world, run_recall);
    assert_true(world.run.progress.rejoined);
    close_world(&world);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_joined_device),
        cmocka_unit_test(test_gen_app_key),
        cmocka_unit_test(test_device_without_session),
        cmocka_unit_test(test_fixed_device),
        cmocka_unit_test(test_application_counter),
        cmocka_unit_test(test_same),
        cmocka_unit_test(test_other_data),
        cmocka_unit_test(test_taken),
        cmocka_unit_test(test_half_registered),
        cmocka_unit_test(test_old_identity_server),
        cmocka_unit_test(test_reserve_conflict),
        cmocka_unit_test(test_reserve_taken_meanwhile),
        cmocka_unit_test(test_reserve_lost),
        cmocka_unit_test(test_reserve_again),
        cmocka_unit_test(test_import_lost),
        cmocka_unit_test(test_start_lost),
        cmocka_unit_test(test_import_never_answered),
        cmocka_unit_test(test_import_refused),
        cmocka_unit_test(test_import_again),
        cmocka_unit_test(test_import_again_in_part),
        cmocka_unit_test(test_update),
        cmocka_unit_test(test_update_of_kind),
        cmocka_unit_test(test_update_of_session),
        cmocka_unit_test(test_remove),
        cmocka_unit_test(test_remove_lost),
        cmocka_unit_test(test_recall),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
