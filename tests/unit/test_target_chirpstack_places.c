// SPDX-License-Identifier: Apache-2.0
// Target chirpstack against the sandbox's ChirpStack: tenants, applications, device profiles and codecs, and what does not
// fit in there.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "chirpstack_stage.h"

// ---- where devices go

static void test_tenant_and_application(void **state) {
    (void)state;
    struct stage stage;
    stage_begin(&stage);
    stage_open(&stage, false, false);
    assert_int_equal(play(&stage, run_prepare), JOB_DONE);
    assert_string_equal(cst_of(stage.target)->application, stage.world->chirpstack->applications[3]->id);
    set_option(&stage, "tenant", stage.world->chirpstack->tenants[1].id);
    stage_open(&stage, false, false);
    assert_int_equal(play(&stage, run_prepare), JOB_DONE);
    assert_string_equal(cst_of(stage.target)->application, stage.world->chirpstack->applications[2]->id);
    set_option(&stage, "tenant", "nobody");
    stage_open(&stage, false, false);
    fails(&stage, run_prepare, ERROR_NOT_FOUND, "no tenant nobody");
    // The key of a tenant may not list tenants, but sees its application by its ID.
    set_option(&stage, "tenant", "umbrella");
    set_option(&stage, "api-key", world_chirpstack_key(stage.world, WORLD_CHIRPSTACK_KEY_OTHER_TENANT));
    stage_open(&stage, false, false);
    fails(&stage, run_prepare, ERROR_DENIED, "--to.chirpstack.application");
    set_option(&stage, "application", stage.world->chirpstack->applications[3]->id);
    stage_open(&stage, false, false);
    assert_int_equal(play(&stage, run_prepare), JOB_DONE);
    set_option(&stage, "tenant", "acme");
    stage_open(&stage, false, false);
    fails(&stage, run_prepare, ERROR_USAGE, "is one of tenant umbrella");
    set_option(&stage, "application", stage.world->chirpstack->applications[2]->id);
    stage_open(&stage, false, false);
    fails(&stage, run_prepare, ERROR_DENIED, "does not see it");
    set_option(&stage, "api-key", "wrong");
    stage_open(&stage, false, false);
    fails(&stage, run_prepare, ERROR_DENIED, "InvalidToken");
    stage_close(&stage);
}

static void test_several_tenants(void **state) {
    (void)state;
    struct stage stage;
    stage_begin(&stage);
    option_values_free(stage.options);
    stage.options = option_values_new(target_chirpstack.options);
    set_option(&stage, "api-url", "cs.example:8080");
    set_option(&stage, "api-key", world_chirpstack_key(stage.world, WORLD_CHIRPSTACK_KEY_ADMIN));
    stage_open(&stage, false, false);
    fails(&stage, run_prepare, ERROR_USAGE, "there are 3 tenants");
    stage_close(&stage);
}

static void test_application_that_is_made(void **state) {
    (void)state;
    struct stage stage;
    stage_begin(&stage);
    set_option(&stage, "application", "pumps");
    stage_open(&stage, false, false);
    fails(&stage, run_prepare, ERROR_NOT_FOUND, "--create-application");
    size_t count = stage.world->chirpstack->application_count;
    for (enum loss loss = LOSS_BEFORE; loss < LOSSES; loss++) {
        stage_open(&stage, true, false);
        stage.calls = 0;
        stage.lose_at = 3;  // tenants, applications, the creation
        stage.loss = loss;
        enum job_step step = play(&stage, run_prepare);
        // Where it was not made, the list shows that; whoever runs it again makes it.
        if (loss == LOSS_AFTER) {
            assert_int_equal(step, JOB_DONE);
            assert_true(cst_of(stage.target)->made);
            assert_int_equal(stage.world->chirpstack->application_count, count + 1);
            cs_remove_application(stage.world->chirpstack, stage.world->chirpstack->applications[count]);
        } else {
            assert_int_equal(step, JOB_FAILED);
            assert_int_equal(stage.world->chirpstack->application_count, count);
        }
    }
    stage.lose_at = 0;
    stage.dry = true;
    stage_open(&stage, true, false);
    assert_int_equal(play(&stage, run_prepare), JOB_DONE);
    assert_null(cst_of(stage.target)->application);
    stage_device(&stage, OTAA);
    assert_int_equal(target_chirpstack.adapt(stage.target, &stage.device, &stage.error), 0);
    assert_int_equal(play(&stage, run_look), JOB_DONE);
    assert_int_equal(stage.look.found, TARGET_FREE);
    stage_close(&stage);
}

// ---- profiles

static void test_profile_is_reused(void **state) {
    (void)state;
    struct stage stage;
    stage_begin(&stage);
    set_option(&stage, "tenant", "acme");
    set_option(&stage, "application", "second");
    stage_open(&stage, false, false);
    assert_int_equal(play(&stage, run_prepare), JOB_DONE);
    stage_device(&stage, OTAA);
    assert_int_equal(target_chirpstack.adapt(stage.target, &stage.device, &stage.error), 0);
    size_t count = stage.world->chirpstack->profile_count;
    bring(&stage);
    assert_int_equal(stage.world->chirpstack->profile_count, count);
    assert_string_equal(there(&stage)->profile_id, stage.world->chirpstack->profiles[0]->id);
    // One that is restricted to other gateways does not serve; nor does one of a relay.
    for (int i = 0; i < 2; i++) {
        assert_int_equal(play(&stage, run_remove), JOB_DONE);
        stage.world->chirpstack->profiles[0]->region_config = i == 0 ? "eu868_other" : "eu868";
        stage.world->chirpstack->profiles[0]->is_relay = i == 1;
        stage_open(&stage, false, false);
        assert_int_equal(play(&stage, run_prepare), JOB_DONE);
        bring(&stage);
        assert_string_not_equal(there(&stage)->profile_id, stage.world->chirpstack->profiles[0]->id);
    }
    assert_int_equal(stage.world->chirpstack->profile_count, count + 1);
    stage_close(&stage);
}

static Chirpstack__DeviceProfile codec_of(struct arena *arena, Tts__PayloadFormatter up, char *up_script,
                                          Tts__PayloadFormatter down, char *down_script,
                                          const char **ret_remark) {
    Tts__MessagePayloadFormatters formatters = TTS__MESSAGE_PAYLOAD_FORMATTERS__INIT;
    Chirpstack__DeviceProfile profile = CHIRPSTACK__DEVICE_PROFILE__INIT;
    formatters.up_formatter = up;
    formatters.up_formatter_parameter = up_script;
    formatters.down_formatter = down;
    formatters.down_formatter_parameter = down_script;
    *ret_remark = NULL;
    cst_codec(&formatters, arena, &profile, ret_remark);
    return profile;
}

static void test_codecs(void **state) {
    (void)state;
    const Tts__PayloadFormatter NONE = TTS__PAYLOAD_FORMATTER__FORMATTER_NONE,
                                JS = TTS__PAYLOAD_FORMATTER__FORMATTER_JAVASCRIPT,
                                LPP = TTS__PAYLOAD_FORMATTER__FORMATTER_CAYENNELPP,
                                REPOSITORY = TTS__PAYLOAD_FORMATTER__FORMATTER_REPOSITORY;
    ARENA_AUTO arena = {0};
    const char *remark = NULL;
    char none[] = "", up[] = "function decodeUplink(input) { return {data: {}}; }";
    char old[] = "function Decoder(bytes, port) { return {}; }";
    char down[] = "function encodeDownlink(input) { return {bytes: []}; }";
    Chirpstack__DeviceProfile profile = codec_of(&arena, JS, up, NONE, none, &remark);
    assert_int_equal(profile.payload_codec_runtime, CHIRPSTACK__CODEC_RUNTIME__JS);
    assert_string_equal(profile.payload_codec_script, up);
    profile = codec_of(&arena, JS, up, JS, up, &remark);
    assert_string_equal(profile.payload_codec_script, up);
    profile = codec_of(&arena, JS, up, JS, down, &remark);
    assert_non_null(strstr(profile.payload_codec_script, "var decodeUplink = (function () {"));
    assert_non_null(strstr(profile.payload_codec_script, "var encodeDownlink = (function () {"));
    assert_null(remark);
    profile = codec_of(&arena, JS, old, NONE, none, &remark);
    assert_non_null(strstr(profile.payload_codec_script, "Decoder(input.bytes, input.fPort)"));
    profile = codec_of(&arena, LPP, none, LPP, none, &remark);
    assert_int_equal(profile.payload_codec_runtime, CHIRPSTACK__CODEC_RUNTIME__CAYENNE_LPP);
    assert_null(remark);
    profile = codec_of(&arena, JS, up, LPP, none, &remark);
    assert_non_null(strstr(remark, "downlink formatter"));
    profile = codec_of(&arena, REPOSITORY, none, NONE, none, &remark);
    assert_int_equal(profile.payload_codec_runtime, CHIRPSTACK__CODEC_RUNTIME__NONE);
    assert_non_null(strstr(remark, "uplink formatter"));
}

// ---- what cannot go

static void test_refused(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *words;
    } cases[] = {
        {"{" IDS("0000000000000000", V103) JOIN "}", "has none"},
        {"{" IDS(EUI, V103) ",\"multicast\":true}", "multicast"},
        {"{" IDS(EUI, V103) ",\"supports_join\":true}", "root_keys.app_key"},
        {"{" IDS(EUI, V11) JOIN "}", "root_keys.nwk_key"},
        {"{" IDS(EUI, V103) "}", "does not join"},
        {"{\"ids\":{\"device_id\":\"x\",\"dev_eui\":\"" EUI
         "\"},\"frequency_plan_id\":\"RU_864_870_TTN\"" JOIN "}",
         "no configuration of the region RU864"},
        {"{" IDS(EUI, V11) JOIN_11 SESSION("") "}", "s_nwk_s_int_key"},
        {"{" IDS(EUI, V103) ",\"session\":{\"dev_addr\":\"26017D54\",\"keys\":{" KEY("f_nwk_s_int_key",
                                                                                     F_KEY) "}}}",
         "app_s_key"},
        {"{" IDS(EUI, V103) ",\"supports_join\":true,\"root_keys\":{\"app_key\":{\"encrypted_key\":\"AAEC\","
                            "\"kek_label\":\"x\"}}}",
         "wrapped"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct stage stage;
        stage_ready(&stage, OTAA);
        if (i == 0) assert_true(cst_of(stage.target)->regions == (0x7fff & ~(1U << 1 | 1U << 10)));
        stage_device(&stage, cases[i].text);
        assert_int_equal(target_chirpstack.adapt(stage.target, &stage.device, &stage.error), -ERROR_DEVICE);
        if (strstr(stage.error.message, cases[i].words) == NULL)
            print_error("%s: %s\n", cases[i].text, stage.error.message);
        assert_non_null(strstr(stage.error.message, cases[i].words));
        stage_close(&stage);
    }
}

static void test_remarks(void **state) {
    (void)state;
    struct stage stage;
    stage_ready(&stage, "{" IDS(EUI, V11) JOIN_11
                ",\"last_join_nonce\":7,\"locations\":{\"user\":{\"latitude\":1}},"
                "\"mac_settings\":{\"use_adr\":false,\"resets_f_cnt\":true}"
                "}");
    static const char *const paths[] = {"last_join_nonce", "mac_settings", "locations"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        bool found = false;
        for (size_t j = 0; j < stage.device.notes.count; j++) {
            found = found || strcmp(stage.device.notes.items[j].path, paths[i]) == 0;
        }
        if (!found) print_error("no note on %s\n", paths[i]);
        assert_true(found);
    }
    bring(&stage);
    assert_true(there(&stage)->skip_fcnt_check);
    stage_close(&stage);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tenant_and_application),
        cmocka_unit_test(test_several_tenants),
        cmocka_unit_test(test_application_that_is_made),
        cmocka_unit_test(test_profile_is_reused),
        cmocka_unit_test(test_codecs),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_remarks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
