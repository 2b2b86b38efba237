// SPDX-License-Identifier: Apache-2.0
// What target tts learns before the first device, and which devices it refuses then.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/words.h"
#include "fake_tts.h"
#include "support/device_text.h"

static enum job_step run_prepare(struct fake_tts *fake, struct fake_tts_run *run, struct job *job,
                                 struct error *error) {
    (void)run;
    return target_tts.prepare(fake->target, job, "old_app", error);
}

static enum job_step prepare(struct fake_tts *fake, struct fake_tts_run *run) {
    run->function = run_prepare;
    return fake_tts_run(fake, run);
}

static void assert_says(struct error *error, const char *text, const char *hint) {
    assert_true(error_is_set(error));
    char *chain = error_chain(error);
    if (strstr(chain, text) == NULL) fail_msg("\"%s\" is not in \"%s\"", text, chain);
    free(chain);
    if (hint != NULL && (error->hint == NULL || strstr(error->hint, hint) == NULL))
        fail_msg("the hint is \"%s\"", error->hint == NULL ? "" : error->hint);
    error_release(error);
}

// ---- prepare

static void test_all_well(void **state) {
    (void)state;
    struct fake_tts fake;
    struct fake_tts_run run = {0};
    fake_tts_init(&fake);
    fake_tts_open(&fake, false);
    assert_int_equal(prepare(&fake, &run), JOB_DONE);
    assert_int_equal(fake.steps, 1);
    assert_string_equal(tts_of(fake.target)->application, "my-app");
    assert_string_equal(tts_of(fake.target)->hosts[TTS_NETWORK], "ns.example");
    assert_int_equal(prepare(&fake, &run), JOB_DONE);  // and once more
    fake_tts_release(&fake);
}

static void test_missing_rights(void **state) {
    (void)state;
    struct fake_tts fake;
    struct fake_tts_run run = {0};
    fake_tts_init(&fake);
    fake_tts_open(&fake, false);
    fake.rights.n_rights = 3;
    assert_int_equal(prepare(&fake, &run), JOB_FAILED);
    assert_int_equal(run.error.code, ERROR_DENIED);
    assert_says(&run.error,
                "lacks rights to application my-app of the target: RIGHT_APPLICATION_DEVICES_READ_KEYS, "
                "RIGHT_APPLICATION_DEVICES_WRITE_KEYS",
                "--to.tts.app-api-key");
    Tts__Right all = TTS__RIGHT__RIGHT_ALL;
    fake.rights.rights = &all;
    fake.rights.n_rights = 1;
    assert_int_equal(prepare(&fake, &run), JOB_DONE);
    fake_tts_release(&fake);
}

static void test_unknown_key(void **state) {
    (void)state;
    struct fake_tts fake;
    struct fake_tts_run run = {0};
    fake_tts_init(&fake);
    fake_tts_open(&fake, false);
    fake.fault_status = GRPC_UNAUTHENTICATED;
    fake.fault_space = "pkg/identityserver";
    fake.fault_name = "api_key_not_found";
    fake_tts_fault(&fake, "/AuthInfo", FAKE_REFUSED, 1);
    assert_int_equal(prepare(&fake, &run), JOB_FAILED);
    assert_int_equal(run.error.code, ERROR_DENIED);
    assert_says(&run.error, "unauthenticated (16): api_key_not_found", "--to.tts.app-api-key");
    fake_tts_release(&fake);
}

// Servers that do not know a question, or do not answer it with this key, are no obstacle.
static void test_unanswered_questions(void **state) {
    (void)state;
    static const char *const methods[] = {"/AuthInfo", "/ListRights", "/GetDeviceAddressPrefixes",
                                          "/GetNetID", "/ListFrequencyPlans"};
    static const enum grpc_status statuses[] = {GRPC_UNIMPLEMENTED, GRPC_PERMISSION_DENIED};
    for (size_t i = 0; i < 10; i++) {
        struct fake_tts fake;
        struct fake_tts_run run = {0};
        fake_tts_init(&fake);
        fake_tts_open(&fake, false);
        fake.fault_status = statuses[i % 2];
        fake.fault_space = fake.fault_name = "no";
        fake_tts_fault(&fake, methods[i / 2], FAKE_REFUSED, 1);
        assert_int_equal(prepare(&fake, &run), JOB_DONE);
        fake_tts_release(&fake);
    }
}

static void test_missing_application(void **state) {
    (void)state;
    struct fake_tts fake;
    struct fake_tts_run run = {0};
    fake_tts_init(&fake);
    fake.has_application = false;
    fake_tts_open(&fake, false);
    assert_int_equal(prepare(&fake, &run), JOB_FAILED);
    assert_int_equal(run.error.code, ERROR_NOT_FOUND);
    assert_says(&run.error, "the target has no application my-app", "--create-application");
    // With the wish, but a key of an application.
    target_tts.close(fake.target);
    fake_tts_open(&fake, true);
    assert_int_equal(prepare(&fake, &run), JOB_FAILED);
    assert_says(&run.error, "only the key of a user or an organization can make one", "--to.tts.app-id");
    // With both; the answer is lost, but it was made.
    fake.has_user_key = true;
    fake_tts_fault(&fake, "ApplicationRegistry/Create", FAKE_LOST, 1);
    assert_int_equal(prepare(&fake, &run), JOB_DONE);
    assert_true(fake.has_application);
    // It was not made.
    fake.has_application = false;
    fake_tts_fault(&fake, "ApplicationRegistry/Create", FAKE_DROPPED, 1);
    assert_int_equal(prepare(&fake, &run), JOB_FAILED);
    assert_says(&run.error, "not found (5): application_not_found", NULL);
    fake.fault_status = GRPC_ALREADY_EXISTS;
    fake.fault_space = "pkg/util/store";
    fake.fault_name = "id_taken";
    fake_tts_fault(&fake, "ApplicationRegistry/Create", FAKE_REFUSED, 1);
    assert_int_equal(prepare(&fake, &run), JOB_FAILED);
    assert_says(&run.error, "application my-app cannot be made at the target: ", NULL);
    fake_tts_release(&fake);
}

// A dry run makes no application: then there is nothing that could be in the way.
static void test_planned_application(void **state) {
    (void)state;
    struct fake_tts fake;
    fake_tts_init(&fake);
    fake.has_application = false;
    fake.has_user_key = true;
    fake_tts_open(&fake, true);
    struct job job = {.arena = &fake.arena};
    struct error error = {0};
    enum job_step step;
    while ((step = target_tts.prepare(fake.target, &job, "my-app", &error)) == JOB_CALLS) {
        fake_tts_forget_replies(&job);
        for (size_t i = 0; i < job.call_count; i++) {
            if (job.calls[i].changes) {
                job.replies[i] = (struct reply){.outcome = REPLY_DRY};
            } else {
                fake_tts_call(&fake, &job.calls[i], &job.replies[i]);
            }
        }
        job.call_count = 0;
    }
    assert_int_equal(step, JOB_DONE);
    assert_true(tts_of(fake.target)->planned);
    assert_string_equal(tts_of(fake.target)->hosts[TTS_JOIN], "tts.example");
    fake_tts_forget_replies(&job);
    fake_tts_release(&fake);
}

// ---- options

static void assert_open_fails(const char *name, const char *value, const char *text) {
    struct fake_tts fake;
    fake_tts_init(&fake);
    fake_tts_option(&fake, name, value);
    struct target_setup setup = {.options = fake.options, .clock = &fake_tts_clock};
    struct error error = {0};
    assert_int_equal(target_tts.open(&setup, &fake.target, &error), -ERROR_USAGE);
    assert_says(&error, text, NULL);
    fake.target = NULL;
    fake_tts_release(&fake);
}

static void test_options(void **state) {
    (void)state;
    assert_open_fails("default-grpc-address", "tts.example:99999", "--to.tts.default-grpc-address: ");
    assert_open_fails("join-server-grpc-address", "a b", "--to.tts.join-server-grpc-address: ");
    assert_open_fails("default-grpc-address", "http://tts.example", "without TLS everybody");
    assert_open_fails("app-api-key", "a\nb", "--to.tts.app-api-key: ");
    assert_open_fails("ca-file", "/nonexistent", "--to.tts.ca-file");
    struct fake_tts fake;
    fake_tts_init(&fake);
    fake_tts_option(&fake, "insecure", "true");
    fake_tts_option(&fake, "join-server-grpc-address", "js.example:1234");
    fake_tts_option(&fake, "network-server-grpc-address", "https://ns.example");
    fake_tts_open(&fake, false);
    const struct tts *tts = tts_of(fake.target);
    assert_string_equal(tts->servers[TTS_IDENTITY].server.address, "tts.example:1884");
    assert_true(tts->servers[TTS_IDENTITY].server.plain);
    assert_string_equal(tts->servers[TTS_JOIN].server.address, "js.example:1234");
    assert_false(tts->servers[TTS_NETWORK].server.plain);
    assert_non_null(fake.target->warning);
    fake_tts_release(&fake);
}

// ---- adapt

#define DEVICE(more)                                                                                 \
    "{\"ids\":{\"device_id\":\"dev-1\",\"application_ids\":{\"application_id\":\"old-app\"},"        \
    "\"dev_eui\":\"0004A30B00100055\",\"join_eui\":\"70B3D57ED037123C\",\"dev_addr\":\"26017D54\"}," \
    "\"lorawan_version\":\"MAC_V1_0_2\",\"frequency_plan_id\":\"EU_863_870_TTN\"" more "}"
#define SESSION(address, key) \
    ",\"session\":{\"dev_addr\":\"" address "\",\"keys\":{\"f_nwk_s_int_key\":" key "}}"
#define KEY "{\"key\":\"8CBC7EDED8BB28FD43CF3C8DC4E64A38\"}"

// Adapts a device; `prefix` as in fake_tts, `text` NULL = it is taken.
static void check_adapt(const char *prefix, const char *json, const char *text, const char *hint) {
    struct fake_tts fake;
    struct fake_tts_run run = {0};
    fake_tts_init(&fake);
    fake.prefix = prefix;
    fake_tts_open(&fake, false);
    assert_int_equal(prepare(&fake, &run), JOB_DONE);
    DEVICE_AUTO device;
    device_init(&device);
    device.end_device = message_of(&tts__end_device__descriptor, json, &device.arena);
    struct error error = {0};
    int result = target_tts.adapt(fake.target, &device, &error);
    if (text != NULL) {
        assert_int_equal(result, -ERROR_DEVICE);
        assert_says(&error, text, hint);
    } else {
        if (result != 0) fail_msg("%s", error.message);
        assert_string_equal(device.end_device->ids->application_ids->application_id, "my-app");
        assert_int_equal(device.end_device->ids->dev_addr.len, 0);
        assert_string_equal(device.end_device->network_server_address, "ns.example");
    }
    fake_tts_release(&fake);
}

static void test_dev_addr(void **state) {
    (void)state;
    static const char ttn[] = "\x26\0\0\0\7", other[] = "\x48\0\0\0\7", experimental[] = "\0\0\0\0\7";
    check_adapt(ttn, DEVICE(SESSION("26017D54", KEY)), NULL, NULL);
    check_adapt(ttn, DEVICE(SESSION("28017D54", KEY)),
                "session.dev_addr: 28017D54 is not of the target's network "
                "(26000000/7)",
                "a device that does not join must be given an address");
    check_adapt(other, DEVICE(",\"supports_join\":true" SESSION("26017D54", KEY)), "(48000000/7)",
                "migrate the device without its session");
    check_adapt(other, DEVICE(",\"supports_join\":true"), NULL, NULL);
    check_adapt(experimental, DEVICE(SESSION("26017D54", KEY)), NULL, NULL);
    // Only the NetID is known: 000013 has 26000000/7.
    check_adapt(NULL, DEVICE(SESSION("27017D54", KEY)), NULL, NULL);
    check_adapt(NULL, DEVICE(SESSION("28017D54", KEY)), "(26000000/7)", NULL);
}

static void test_plan_and_keys(void **state) {
    (void)state;
    check_adapt(NULL, "{\"ids\":{\"device_id\":\"dev-1\"},\"frequency_plan_id\":\"US_902_928_FSB_2\"}",
                "frequency_plan_id: the target has no plan US_902_928_FSB_2", NULL);
    check_adapt(NULL, DEVICE(SESSION("26017D54", "{\"kek_label\":\"a\",\"encrypted_key\":\"AAEC\"}")),
                "session.keys.f_nwk_s_int_key: the key is wrapped", "unwrapped");
}

// The address blocks of NetIDs of each type (LoRaWAN Backend Interfaces).
static void check_net_id(const char *net_id, uint32_t address, unsigned length) {
    struct fake_tts fake;
    struct fake_tts_run run = {0};
    fake_tts_init(&fake);
    fake.prefix = NULL;
    fake.net_id = net_id;
    fake_tts_open(&fake, false);
    assert_int_equal(prepare(&fake, &run), JOB_DONE);
    const struct tts *tts = tts_of(fake.target);
    assert_int_equal(tts->prefix_count, 1);
    assert_int_equal(tts->prefixes[0].address, address);
    assert_int_equal(tts->prefixes[0].length, length);
    fake_tts_release(&fake);
}

static void test_net_ids(void **state) {
    (void)state;
    check_net_id("\x00\x00\x13", 0x26000000, 7);
    check_net_id("\x20\x00\x3F", 0xBF000000, 8);
    check_net_id("\x40\x01\xFF", 0xDFF00000, 12);
    check_net_id("\x60\x07\xFF", 0xEFFE0000, 15);
    check_net_id("\x80\x0F\xFF", 0xF7FF8000, 17);
    check_net_id("\xA0\x1F\xFF", 0xFBFFE000, 19);
    check_net_id("\xC0\x7F\xFF", 0xFDFFFC00, 22);
    check_net_id("\xE1\xFF\xFF", 0xFEFFFF80, 25);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_well),
        cmocka_unit_test(test_missing_rights),
        cmocka_unit_test(test_unknown_key),
        cmocka_unit_test(test_unanswered_questions),
        cmocka_unit_test(test_missing_application),
        cmocka_unit_test(test_planned_application),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_dev_addr),
        cmocka_unit_test(test_plan_and_keys),
        cmocka_unit_test(test_net_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
