// SPDX-License-Identifier: Apache-2.0
// What the recorded devices of ChirpStack do not show: every version and revision, regions and their plans, JoinEUIs,
// counters at their ends, RX parameters, and devices that cannot go.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "device/validate.h"
#include "source/chirpstack_p.h"
#include "support/source_play.h"

#define KEY(digit) digit digit digit digit digit digit digit digit
#define KEY_1      KEY("1111")
#define KEY_2      KEY("2222")
#define KEY_3      KEY("3333")
#define KEY_4      KEY("4444")
#define NO_KEY     KEY("0000")

// A device of LoRaWAN 1.0.3 in Europe that has joined; a test changes what it is about.
struct made {
    struct chirpstack_rules rules;
    struct device_naming naming;
    struct eui64 join_eui;
    Chirpstack__Device device;
    Chirpstack__DeviceKeys keys;
    Chirpstack__DeviceActivation activation;
    Chirpstack__JoinServerContext context;
    Chirpstack__KeyEnvelope envelope;
    Chirpstack__GetDeviceResponse response;
    Chirpstack__GetDeviceActivationResponse activation_response;
    Chirpstack__Record record;
    Chirpstack__DeviceProfile profile;
    struct device result;
    struct error error;
};

#define TEXT(literal) ((char[]){literal})

static void choose(struct made *made, const char *id) {
    const struct frequency_plan *plan = frequency_plans_find(frequency_plans_builtin(), id);
    assert_non_null(plan);
    made->rules.chosen[made->rules.chosen_count++] = plan;
}

static char device_eui[] = "a840410000000001", join_eui[] = "70b3d57ed0000001",
            application_id[] = "an-application", profile_id[] = "a-profile", address[] = "01000001",
            key_1[] = KEY_1, key_2[] = KEY_2, key_3[] = KEY_3, key_4[] = KEY_4, no_key[] = NO_KEY,
            no_eui[] = "0000000000000000", config_id[] = "us915_1", profile_name[] = "profile";

static void make(struct made *made, enum chirpstack_release release) {
    *made = (struct made){0};
    made->rules = (struct chirpstack_rules){
        .plans = frequency_plans_builtin(),
        .naming = &made->naming,
        .clock = &play_clock,
        .random = &play_random,
        .with_session = true,
        .release = release,
    };
    chirpstack__device__init(&made->device);
    chirpstack__device_keys__init(&made->keys);
    chirpstack__device_activation__init(&made->activation);
    chirpstack__join_server_context__init(&made->context);
    chirpstack__key_envelope__init(&made->envelope);
    chirpstack__get_device_response__init(&made->response);
    chirpstack__get_device_activation_response__init(&made->activation_response);
    chirpstack__record__init(&made->record);
    chirpstack__device_profile__init(&made->profile);
    made->device.dev_eui = device_eui;
    made->device.join_eui = join_eui;
    made->device.application_id = application_id;
    made->device.device_profile_id = profile_id;
    made->keys.nwk_key = key_1;
    made->keys.app_key = no_key;
    made->activation.dev_addr = address;
    made->activation.app_s_key = key_2;
    made->activation.f_nwk_s_int_key = made->activation.s_nwk_s_int_key = made->activation.nwk_s_enc_key =
        key_3;
    made->activation.f_cnt_up = 10;
    made->activation.n_f_cnt_down = 5;
    made->response.device = &made->device;
    made->activation_response.device_activation = &made->activation;
    made->record.device = &made->response;
    made->record.keys = &made->keys;
    made->record.activation = &made->activation_response;
    made->profile.name = profile_name;
    made->profile.mac_version = CHIRPSTACK__MAC_VERSION__LORAWAN_1_0_3;
    made->profile.supports_otaa = true;
}

static void forget(struct made *made) {
    device_release(&made->result);
    error_release(&made->error);
}

static int convert(struct made *made) {
    forget(made);
    device_init(&made->result);
    return chirpstack_device_convert(&made->rules, &made->record, &made->profile, &made->result,
                                     &made->error);
}

static const Tts__EndDevice *converted(struct made *made) {
    if (convert(made) != 0 || device_validate(&made->result, frequency_plans_builtin(), &made->error) != 0) {
        char *chain = error_chain(&made->error);
        fail_msg("%s", chain);
    }
    return made->result.end_device;
}

static void refused(struct made *made, enum error_code code, const char *words) {
    assert_int_equal(convert(made), -(int)code);
    if (strstr(made->error.message, words) == NULL) fail_msg("%s", made->error.message);
}

static bool noted(const struct made *made, const char *path) {
    for (size_t i = 0; i < made->result.notes.count; i++) {
        if (strcmp(made->result.notes.items[i].path, path) == 0) return true;
    }
    return false;
}

// ---- versions

static void test_versions(void **state) {
    (void)state;
    static const struct {
        Chirpstack__MacVersion mac_version;
        Chirpstack__RegParamsRevision revision;
        enum mac_version mac;
        enum phy_version phy;
        bool remark;
    } cases[] = {
        {0, 0, MAC_V1_0, PHY_V1_0, false},           {0, 3, MAC_V1_0, PHY_V1_0, false},
        {1, 1, MAC_V1_0_1, PHY_V1_0_1, false},       {2, 0, MAC_V1_0_2, PHY_V1_0_2_REV_A, false},
        {2, 1, MAC_V1_0_2, PHY_V1_0_2_REV_B, false}, {2, 3, MAC_V1_0_2, RP002_V1_0_1, false},
        {3, 0, MAC_V1_0_3, PHY_V1_0_3_REV_A, false}, {3, 4, MAC_V1_0_3, PHY_V1_0_3_REV_A, false},
        {4, 0, MAC_V1_0_4, RP002_V1_0_0, true},      {4, 2, MAC_V1_0_4, RP002_V1_0_0, false},
        {4, 3, MAC_V1_0_4, RP002_V1_0_1, false},     {4, 4, MAC_V1_0_4, RP002_V1_0_2, false},
        {4, 5, MAC_V1_0_4, RP002_V1_0_3, false},     {4, 6, MAC_V1_0_4, RP002_V1_0_4, false},
        {4, 7, MAC_V1_0_4, RP002_V1_0_4, true},      {5, 0, MAC_V1_1, PHY_V1_1_REV_A, false},
        {5, 1, MAC_V1_1, PHY_V1_1_REV_B, false},     {5, 7, MAC_V1_1, RP002_V1_0_4, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct made made;
        make(&made, CHIRPSTACK_KEEP);
        choose(&made, "EU_863_870");
        made.keys.app_key = key_4;
        made.profile.mac_version = cases[i].mac_version;
        made.profile.reg_params_revision = cases[i].revision;
        const Tts__EndDevice *device = converted(&made);
        assert_int_equal(device->lorawan_version, cases[i].mac);
        assert_int_equal(device->lorawan_phy_version, cases[i].phy);
        assert_int_equal(noted(&made, "lorawan_phy_version"), cases[i].remark);
        forget(&made);
    }
    struct made made;
    make(&made, CHIRPSTACK_KEEP);
    choose(&made, "EU_863_870");
    // A band that lacks the version: the next newer one.
    made.profile.region = CHIRPSTACK__REGION__IN865;
    made.profile.mac_version = CHIRPSTACK__MAC_VERSION__LORAWAN_1_0_2;
    assert_int_equal(converted(&made)->lorawan_phy_version, PHY_V1_0_2_REV_B);
    assert_true(noted(&made, "lorawan_phy_version"));
    choose(&made, "AS_923_4");
    made.profile.region = CHIRPSTACK__REGION__AS923_4;
    made.profile.mac_version = CHIRPSTACK__MAC_VERSION__LORAWAN_1_0_3;
    assert_true(converted(&made)->lorawan_phy_version >= (int)RP002_V1_0_0);
    made.profile.region = CHIRPSTACK__REGION__EU868;
    made.profile.mac_version = 6;
    refused(&made, ERROR_DEVICE, "version that is not known");
    made.profile.mac_version = 4;
    made.profile.reg_params_revision = 8;
    refused(&made, ERROR_DEVICE, "version that is not known");
    forget(&made);
}

// ---- frequency plans

static void test_plans(void **state) {
    (void)state;
    struct made made;
    make(&made, CHIRPSTACK_DISABLE);
    // Several fit: asked for, with all of them.
    refused(&made, ERROR_DEVICE, "EU868");
    assert_non_null(strstr(made.error.hint, "EU_863_870, EU_863_870_TTN"));
    // One alone fits.
    made.profile.region = CHIRPSTACK__REGION__IN865;
    assert_string_equal(converted(&made)->frequency_plan_id, "IN_865_867");
    // The configuration names the sub-band; ChirpStack counts from 0.
    made.profile.region = CHIRPSTACK__REGION__US915;
    made.profile.region_config_id = config_id;
    assert_string_equal(converted(&made)->frequency_plan_id, "US_902_928_FSB_2");
    assert_true(noted(&made, "frequency_plan_id"));
    made.profile.region_config_id = TEXT("us915_8");
    refused(&made, ERROR_DEVICE, "US915");
    made.profile.region_config_id = TEXT("us915_1x");
    refused(&made, ERROR_DEVICE, "US915");
    // The user's word comes first.
    made.profile.region_config_id = config_id;
    choose(&made, "US_902_928_FSB_1");
    assert_string_equal(converted(&made)->frequency_plan_id, "US_902_928_FSB_1");
    assert_false(noted(&made, "frequency_plan_id"));
    // One for each region.
    choose(&made, "EU_863_870_TTN");
    made.profile.region = CHIRPSTACK__REGION__EU868;
    assert_string_equal(converted(&made)->frequency_plan_id, "EU_863_870_TTN");
    // A region of which none was named.
    made.profile.region = CHIRPSTACK__REGION__AS923_2;
    refused(&made, ERROR_DEVICE, "AS923-2");
    assert_non_null(strstr(made.error.hint, "AS_923_2_NDT"));
    made.rules.release = CHIRPSTACK_KEEP;
    assert_string_equal(converted(&made)->frequency_plan_id, "US_902_928_FSB_1");
    assert_true(noted(&made, "frequency_plan_id"));
    made.profile.region = CHIRPSTACK__REGION__CN779;
    made.rules.chosen_count = 0;
    refused(&made, ERROR_DEVICE, "no frequency plan");
    made.profile.region = 99;
    refused(&made, ERROR_DEVICE, "region that is not known");
    forget(&made);
}

// ---- who it is

static void test_join_eui(void **state) {
    (void)state;
    static const uint8_t own[] = {0x70, 0xb3, 0xd5, 0x7e, 0xd0, 0, 0, 1};
    static const uint8_t given[] = {1, 2, 3, 4, 5, 6, 7, 8};
    struct made made;
    make(&made, CHIRPSTACK_DISABLE);
    choose(&made, "EU_863_870");
    memcpy(made.join_eui.bytes, given, 8);
    made.rules.join_eui = &made.join_eui;
    assert_memory_equal(converted(&made)->ids->join_eui.data, own, 8);
    made.device.join_eui = no_eui;
    assert_memory_equal(converted(&made)->ids->join_eui.data, given, 8);
    // Not known, and it has to join: refused where it is taken away from ChirpStack.
    made.rules.join_eui = NULL;
    assert_int_equal(converted(&made)->ids->join_eui.len, 8);
    assert_true(noted(&made, "ids.join_eui"));
    made.rules.with_session = false;
    refused(&made, ERROR_DEVICE, "JoinEUI");
    assert_non_null(strstr(made.error.hint, "--chirpstack.join-eui"));
    made.rules.release = CHIRPSTACK_KEEP;
    assert_int_equal(converted(&made)->ids->join_eui.len, 8);
    // Zeros that the user names are an answer.
    made.rules.release = CHIRPSTACK_DISABLE;
    memset(made.join_eui.bytes, 0, 8);
    made.rules.join_eui = &made.join_eui;
    assert_int_equal(converted(&made)->ids->join_eui.len, 8);
    assert_false(noted(&made, "ids.join_eui"));
    // An ABP device needs none.
    made.rules.join_eui = NULL;
    made.profile.supports_otaa = false;
    assert_int_equal(converted(&made)->ids->join_eui.len, 0);
    forget(&made);
}

static void test_attributes(void **state) {
    (void)state;
    struct made made;
    make(&made, CHIRPSTACK_KEEP);
    choose(&made, "EU_863_870");
    Chirpstack__Pair pairs[4];
    Chirpstack__Pair *tags[] = {&pairs[0], &pairs[1]};
    Chirpstack__Pair *profile_tags[] = {&pairs[2]};
    Chirpstack__Pair *variables[] = {&pairs[3]};
    char keys[][8] = {"room", "floor", "room", "offset"};
    char values[][16] = {"1", "2", "of the profile", "3"};
    for (size_t i = 0; i < 4; i++) {
        chirpstack__pair__init(&pairs[i]);
        pairs[i].key = keys[i];
        pairs[i].value = values[i];
    }
    made.device.tags = tags;
    made.device.n_tags = 2;
    made.device.variables = variables;
    made.device.n_variables = 1;
    made.profile.tags = profile_tags;
    made.profile.n_tags = 1;
    assert_int_equal(converted(&made)->n_attributes, 3);
    assert_string_equal(made.result.end_device->attributes[0]->key, "floor");
    assert_string_equal(device_attribute(&made.result, "room"), "1");
    assert_null(device_attribute(&made.result, "var-offset"));
    made.rules.with_variables = true;
    assert_int_equal(converted(&made)->n_attributes, 4);
    assert_string_equal(device_attribute(&made.result, "var-offset"), "3");
    assert_string_equal(device_attribute(&made.result, "chirpstack-device-profile"), "a-profile");
    forget(&made);
}

// ---- keys and sessions

static void test_root_keys(void **state) {
    (void)state;
    struct made made;
    make(&made, CHIRPSTACK_KEEP);
    choose(&made, "EU_863_870");
    const Tts__EndDevice *device = converted(&made);
    assert_int_equal(device->root_keys->app_key->key.data[0], 0x11);
    assert_null(device->root_keys->nwk_key);
    made.keys.gen_app_key = key_4;
    struct key128 key;
    assert_true(device_gen_app_key(converted(&made), &key));
    assert_int_equal(key.bytes[0], 0x44);
    // LoRaWAN 1.1 needs both.
    made.profile.mac_version = CHIRPSTACK__MAC_VERSION__LORAWAN_1_1_0;
    refused(&made, ERROR_DEVICE, "AppKey");
    made.keys.app_key = key_2;
    device = converted(&made);
    assert_int_equal(device->root_keys->nwk_key->key.data[0], 0x11);
    assert_int_equal(device->root_keys->app_key->key.data[0], 0x22);
    assert_int_equal(device->session->keys->nwk_s_enc_key->key.data[0], 0x33);
    made.keys.nwk_key = no_key;
    refused(&made, ERROR_DEVICE, "NwkKey");
    // None at all.
    made.record.keys = NULL;
    refused(&made, ERROR_DEVICE, "no root keys");
    made.activation_response.device_activation = NULL;
    refused(&made, ERROR_EMPTY, "no keys");
    forget(&made);
}

static void test_sessions(void **state) {
    (void)state;
    struct made made;
    make(&made, CHIRPSTACK_KEEP);
    choose(&made, "EU_863_870");
    made.activation.a_f_cnt_down = 7;
    const Tts__EndDevice *device = converted(&made);
    assert_int_equal(device->session->last_f_cnt_up, 9);
    assert_int_equal(device->session->last_n_f_cnt_down, 4);
    // Only LoRaWAN 1.1 has it.
    assert_int_equal(device->session->last_a_f_cnt_down, 0);
    assert_int_equal(device->session->keys->session_key_id.len, 16);
    assert_null(device->session->keys->nwk_s_enc_key);
    // Who deletes cannot look afterwards: some downlink counters are skipped.
    made.rules.release = CHIRPSTACK_DELETE;
    assert_int_equal(converted(&made)->session->last_n_f_cnt_down, 20);
    made.rules.release = CHIRPSTACK_KEEP;
    made.activation.f_cnt_up = made.activation.n_f_cnt_down = 0;
    assert_int_equal(converted(&made)->session->last_f_cnt_up, 0);
    assert_int_equal(chirpstack_last_f_cnt_down(1), 1);
    assert_int_equal(chirpstack_last_f_cnt_down(UINT32_MAX), UINT32_MAX - 1);
    // Wrapped, or elsewhere: the device has to join again, and an ABP device cannot.
    made.activation_response.join_server_context = &made.context;
    made.context.app_s_key = &made.envelope;
    made.envelope.kek_label = TEXT("kek");
    assert_null(converted(&made)->session);
    assert_true(noted(&made, "session"));
    made.activation_response.join_server_context = NULL;
    made.activation.app_s_key = no_key;
    assert_null(converted(&made)->session);
    made.profile.supports_otaa = false;
    refused(&made, ERROR_DEVICE, "AppSKey");
    made.activation.app_s_key = key_2;
    made.record.keys = NULL;
    made.rules.with_session = false;
    device = converted(&made);
    assert_non_null(device->session);
    assert_int_equal(device->session->keys->session_key_id.len, 0);
    assert_true(noted(&made, "session"));
    made.activation_response.device_activation = NULL;
    refused(&made, ERROR_EMPTY, "without a session");
    forget(&made);
}

static void test_disabled(void **state) {
    (void)state;
    struct made made;
    make(&made, CHIRPSTACK_KEEP);
    choose(&made, "EU_863_870");
    made.device.is_disabled = true;
    converted(&made);
    assert_true(noted(&made, "is_disabled"));
    made.rules.release = CHIRPSTACK_DISABLE;
    refused(&made, ERROR_EMPTY, "disabled");
    forget(&made);
}

// ---- MAC settings and state

static void test_parameters(void **state) {
    (void)state;
    struct made made;
    make(&made, CHIRPSTACK_KEEP);
    choose(&made, "EU_863_870");
    const Tts__EndDevice *device = converted(&made);
    assert_int_equal(device->mac_state->current_parameters->rx1_delay, 1);
    assert_null(device->mac_settings->rx1_delay);
    made.profile.rx1_delay = 3;
    assert_int_equal(converted(&made)->mac_state->current_parameters->rx1_delay, 3);
    made.rules.rx1_delay = (struct mac_optional){true, 5};
    made.rules.rx2_data_rate = (struct mac_optional){true, 3};
    made.rules.rx2_frequency = 868525000;
    device = converted(&made);
    assert_int_equal(device->mac_state->current_parameters->rx1_delay, 5);
    assert_int_equal(device->mac_state->current_parameters->rx2_data_rate_index, 3);
    assert_int_equal(device->mac_state->current_parameters->rx2_frequency, 868525000);
    // They are about OTAA: an ABP device starts with what its profile says.
    made.profile.supports_otaa = false;
    made.profile.abp_rx1_delay = 2;
    made.profile.abp_rx1_dr_offset = 1;
    made.profile.abp_rx2_dr = 4;
    made.profile.abp_rx2_freq = 869525000;
    device = converted(&made);
    assert_int_equal(device->mac_settings->rx1_delay->value, 2);
    assert_int_equal(device->mac_settings->rx1_data_rate_offset->value, 1);
    assert_int_equal(device->mac_settings->rx2_data_rate_index->value, 4);
    assert_int_equal(device->mac_state->current_parameters->rx1_delay, 2);
    assert_int_equal(device->mac_state->current_parameters->rx2_data_rate_index, 4);
    forget(&made);
}

static void test_settings(void **state) {
    (void)state;
    static const struct {
        uint32_t requests, seconds;
    } cases[] = {{0, 0}, {1, 86400}, {24, 3600}, {7, 12342}, {86400, 1}, {100000, 1}};
    struct made made;
    make(&made, CHIRPSTACK_KEEP);
    choose(&made, "EU_863_870");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        made.profile.device_status_req_interval = cases[i].requests;
        assert_int_equal(converted(&made)->mac_settings->status_time_periodicity->seconds, cases[i].seconds);
    }
    made.profile.supports_class_c = true;
    made.profile.class_c_timeout = 5;
    made.profile.supports_class_b = true;
    made.profile.class_b_timeout = 10;
    made.profile.class_b_ping_slot_periodicity = 7;
    made.profile.class_b_ping_slot_freq = 869525000;
    const Tts__EndDevice *device = converted(&made);
    assert_int_equal(device->mac_settings->class_c_timeout->seconds, 5);
    assert_int_equal(device->mac_settings->class_b_timeout->seconds, 10);
    assert_int_equal(device->mac_settings->ping_slot_periodicity->value, 7);
    assert_int_equal(device->mac_settings->ping_slot_frequency->value, 869525000);
    assert_int_equal(device->mac_settings->ping_slot_data_rate_index->value, 0);
    assert_int_equal(device->mac_state->device_class, TTS__CLASS__CLASS_C);
    // A device of LoRaWAN 1.1 tells when it is in class C.
    made.profile.mac_version = CHIRPSTACK__MAC_VERSION__LORAWAN_1_1_0;
    made.keys.app_key = key_4;
    assert_int_equal(converted(&made)->mac_state->device_class, TTS__CLASS__CLASS_A);
    made.response.class_enabled = 2;
    assert_int_equal(converted(&made)->mac_state->device_class, TTS__CLASS__CLASS_C);
    forget(&made);
}

// ---- scripts

static void test_scripts(void **state) {
    (void)state;
    static const char script[] =
        "function decodeUplink(input) { return {data: {x: input.variables.offset}}; }";
    struct made made;
    make(&made, CHIRPSTACK_KEEP);
    choose(&made, "EU_863_870");
    Chirpstack__Pair pair = CHIRPSTACK__PAIR__INIT;
    pair.key = TEXT("offset");
    pair.value = TEXT("17.5");
    Chirpstack__Pair *pairs[] = {&pair};
    made.device.variables = pairs;
    made.device.n_variables = 1;
    assert_null(converted(&made)->formatters);
    made.profile.payload_codec_runtime = CHIRPSTACK__CODEC_RUNTIME__CAYENNE_LPP;
    assert_int_equal(converted(&made)->formatters->up_formatter,
                     TTS__PAYLOAD_FORMATTER__FORMATTER_CAYENNELPP);
    made.profile.payload_codec_runtime = CHIRPSTACK__CODEC_RUNTIME__JS;
    char copy[sizeof script];
    memcpy(copy, script, sizeof script);
    made.profile.payload_codec_script = copy;
    const Tts__MessagePayloadFormatters *formatters = converted(&made)->formatters;
    assert_int_equal(formatters->up_formatter, TTS__PAYLOAD_FORMATTER__FORMATTER_JAVASCRIPT);
    assert_non_null(strstr(formatters->up_formatter_parameter, script));
    assert_non_null(strstr(formatters->up_formatter_parameter, "17.5"));
    assert_int_equal(formatters->down_formatter, TTS__PAYLOAD_FORMATTER__FORMATTER_NONE);
    // A script that does not use them gets none: they are secrets often enough.
    made.profile.payload_codec_script = TEXT(
        "function decodeUplink(input) { return {data: {}}; }\nfunction encodeDownlink(input) { return "
        "{bytes: []}; }");
    formatters = converted(&made)->formatters;
    assert_null(strstr(formatters->up_formatter_parameter, "17.5"));
    assert_int_equal(formatters->down_formatter, TTS__PAYLOAD_FORMATTER__FORMATTER_JAVASCRIPT);
    // Nothing to call, too long: left out, and said.
    made.profile.payload_codec_script = TEXT("var nothing;");
    assert_null(converted(&made)->formatters);
    assert_true(noted(&made, "formatters"));
    char *lengthy MEMORY_AUTO = memory_printf("%s // %50000d", script, 0);
    made.profile.payload_codec_script = lengthy;
    assert_null(converted(&made)->formatters);
    assert_true(noted(&made, "formatters"));
    // v3: two scripts.
    made.profile.is_v3 = true;
    made.profile.payload_codec_script =
        TEXT("function Decode(fPort, bytes, variables) { return {port: fPort}; }");
    made.profile.encoder_script = TEXT("function Encode(fPort, obj, variables) { return [1]; }");
    formatters = converted(&made)->formatters;
    assert_non_null(strstr(formatters->up_formatter_parameter, "Decode"));
    assert_non_null(strstr(formatters->down_formatter_parameter, "Encode"));
    assert_null(strstr(formatters->down_formatter_parameter, "function Decode"));
    forget(&made);
}

// ---- options

static void no_answer(struct play *play, const struct call *call, struct reply *reply) {
    (void)play;
    (void)call;
    (void)reply;
    fail();
}

static void test_options(void **state) {
    (void)state;
    static const struct {
        const char *option;
        const char *words;
    } cases[] = {
        {"frequency-plan-id=EU_863_870,EU_863_870_TTN", "same region"},
        {"frequency-plan-id=EU_863_871", "no frequency plan"},
        {"join-eui=70B3", "join-eui"},
        {"api-url=not an address", "no address"},
        {"ca-cert-path=/no/such/file", "ca-cert-path"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *const options[] = {"api-url=cs.example", "api-key=made-up", cases[i].option, NULL};
        struct play play;
        play_init(&play, "chirpstack", no_answer, options);
        assert_int_equal(play_open(&play), -ERROR_USAGE);
        char *chain MEMORY_AUTO = error_chain(&play.error);
        assert_non_null(strstr(chain, cases[i].words));
        play_release(&play);
    }
    static const char *const good[] = {"api-url=https://cs.example", "api-key=made-up", "insecure=true",
                                       "frequency-plan-id=EU_863_870, US_902_928_FSB_2", NULL};
    struct play play;
    play_init(&play, "chirpstack", no_answer, good);
    assert_int_equal(play_open(&play), 0);
    const struct chirpstack *self = (const struct chirpstack *)play.source;
    assert_int_equal(self->rules.chosen_count, 2);
    assert_false(self->server.plain);
    assert_string_equal(self->server.address, "cs.example:443");
    play_release(&play);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_versions),   cmocka_unit_test(test_plans),      cmocka_unit_test(test_join_eui),
        cmocka_unit_test(test_attributes), cmocka_unit_test(test_root_keys),  cmocka_unit_test(test_sessions),
        cmocka_unit_test(test_disabled),   cmocka_unit_test(test_parameters), cmocka_unit_test(test_settings),
        cmocka_unit_test(test_options),    cmocka_unit_test(test_scripts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
