// SPDX-License-Identifier: Apache-2.0
// What the Network Server refuses, and what it adds of its own.
#include "test_sandbox_tts_help.h"

#define TARGET WORLD_TTS_TARGET_APP_ID
#define KEY_A  "x'AA00000000000000000000000000AAAA'"
#define KEY_B  "x'BB00000000000000000000000000BBBB'"

// What a line names of end_device goes into the mask, unless it belongs to the IDs.
static struct world_reply set(struct world *world, const char *const *lines, const char *const *more) {
    const char *all[128] = {"end_device.ids.device_id=one",
                            "end_device.ids.application_ids.application_id=" TARGET};
    char masks[64][128];
    size_t count = 2;
    size_t mask_count = 0;
    const char *const *const parts[] = {lines, more};
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; parts[i] != NULL && parts[i][j] != NULL; j++) {
            const char *path = parts[i][j];
            all[count++] = path;
            if (strncmp(path, "end_device.ids", 14) == 0) continue;
            path += strlen("end_device.");
            size_t size = strcspn(path, "=+");
            const char *value = strstr(path, ".value=");
            if (value != NULL) size = (size_t)(value - path);
            const char *seconds = strstr(path, ".seconds=");
            if (seconds != NULL) size = (size_t)(seconds - path);
            snprintf(masks[mask_count], sizeof *masks, "field_mask.paths+%.*s", (int)size, path);
            all[count++] = masks[mask_count++];
        }
    }
    return tts_call_lines(world, NS_REGISTRY "Set", world_tts_key(world, WORLD_TTS_KEY_TARGET), all);
}

#define BASE(mac, phy)                                                                           \
    "end_device.ids.dev_eui=x'0004A30BFF000001'", "end_device.ids.join_eui=x'70B3D57ED0000001'", \
        "end_device.frequency_plan_id=EU_863_870_TTN", "end_device.lorawan_version=" mac,        \
        "end_device.lorawan_phy_version=" phy

static const char *const otaa[] = {BASE("3", "4"), "end_device.supports_join=1", NULL};
static const char *const abp[] = {BASE("3", "4"), "end_device.supports_join=0",
                                  "end_device.session.dev_addr=x'26010203'",
                                  "end_device.session.keys.f_nwk_s_int_key.key=" KEY_A, NULL};
static const char *const otaa_11[] = {BASE("4", "6"), "end_device.supports_join=1", NULL};
static const char *const abp_11[] = {BASE("4", "6"), "end_device.session.dev_addr=x'26010203'",
                                     "end_device.session.keys.f_nwk_s_int_key.key=" KEY_A, NULL};

static const char field_value[] = "pkg/networkserver:field_value";

static const struct {
    const char *const *base;
    const char *more[6];
    const char *field;  // NULL = taken
} cases[] = {
    {otaa, {NULL}, NULL},
    {otaa, {"end_device.ids.dev_addr=x'01020304'"}, "ids.dev_addr"},
    {otaa, {"end_device.version_ids.band_id=US_902_928"}, "version_ids.band_id"},
    {otaa, {"end_device.version_ids.band_id=EU_863_870"}, NULL},
    {otaa,
     {"end_device.session.dev_addr=x'26010203'", "end_device.session.keys.f_nwk_s_int_key.key=" KEY_A},
     "session.keys.session_key_id"},
    {otaa,
     {"end_device.session.dev_addr=x'26010203'", "end_device.session.keys.f_nwk_s_int_key.key=" KEY_A,
      "end_device.session.keys.session_key_id=x'01'"},
     NULL},
    {otaa,
     {"end_device.session.dev_addr=x'26010203'", "end_device.session.keys.session_key_id=x'01'"},
     "session.keys.f_nwk_s_int_key.key"},
    {otaa, {"end_device.mac_state.lorawan_version=3"}, "session"},
    {otaa,
     {"end_device.pending_session.dev_addr=x'26010203'",
      "end_device.pending_session.keys.f_nwk_s_int_key.key=" KEY_A},
     "pending_session.keys.s_nwk_s_int_key.key"},
    {otaa, {"end_device.lorawan_version=0"}, "lorawan_version"},
    {otaa, {"end_device.frequency_plan_id="}, "frequency_plan_id"},
    {otaa, {"end_device.mac_settings.rx2_data_rate_index.value=15"}, "mac_settings.rx2_data_rate_index"},
    {otaa, {"end_device.mac_settings.uplink_dwell_time.value=1"}, "mac_settings.uplink_dwell_time"},
    {otaa, {"end_device.mac_settings.factory_preset_frequencies+868100000"}, NULL},
    {otaa,
     {"end_device.mac_settings.factory_preset_frequencies+915000000"},
     "mac_settings.factory_preset_frequencies"},
    {abp, {NULL}, NULL},
    {abp, {"end_device.session.keys.session_key_id=x'01'"}, "session.keys.session_key_id"},
    {abp, {"end_device.session.keys.nwk_s_enc_key.key=" KEY_B}, "session.keys.nwk_s_enc_key.key"},
    {abp, {"end_device.session.keys.nwk_s_enc_key.key=" KEY_A}, NULL},
    {abp, {"end_device.session.dev_addr=x'00000000'"}, "session.dev_addr"},
    {abp, {"end_device.pending_session.dev_addr=x'26010203'"}, "pending_session"},
    {abp, {"end_device.supports_class_b=1"}, "mac_settings.ping_slot_periodicity"},
    {abp, {"end_device.ids.dev_addr=x'26010203'"}, NULL},
    {abp,
     {"end_device.mac_state.current_parameters.adr_data_rate_index=6"},
     "mac_state.current_parameters.adr_data_rate_index"},
    {abp,
     {"end_device.mac_state.current_parameters.rx2_data_rate_index=9"},
     "mac_state.current_parameters.rx2_data_rate_index"},
    {abp, {"end_device.mac_state.desired_parameters.adr_data_rate_index=5"}, NULL},
    {abp, {"end_device.multicast=1"}, "supports_class_b"},
    {abp, {"end_device.multicast=1", "end_device.supports_class_c=1"}, NULL},
    {abp,
     {"end_device.multicast=1", "end_device.supports_class_c=1", "end_device.session.last_f_cnt_up=4"},
     "session.last_f_cnt_up"},
    {otaa, {"end_device.multicast=1", "end_device.supports_class_c=1"}, "supports_join"},
    {otaa_11, {NULL}, NULL},
    {abp_11, {NULL}, "session.keys.s_nwk_s_int_key.key"},
    {abp_11,
     {"end_device.session.keys.s_nwk_s_int_key.key=" KEY_A,
      "end_device.session.keys.nwk_s_enc_key.key=" KEY_B},
     NULL},
};

static void test_rules(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world *world = make_world(0);
        char field[128];
        snprintf(field, sizeof field, "field=%s", cases[i].field != NULL ? cases[i].field : "");
        tts_expect(set(world, cases[i].base, cases[i].more), cases[i].field != NULL ? 3 : 0, field_value,
                   field);
        world_free(world);
    }
}

static void test_plans(void **state) {
    (void)state;
    static const char *const no_version[] = {"end_device.lorawan_phy_version=1",
                                             "end_device.frequency_plan_id=AS_923", NULL};
    struct world *world = make_world(0);
    tts_expect(set(world, otaa, LINES("end_device.frequency_plan_id=NOPE")), 5,
               "pkg/frequencyplans:not_found", "id=NOPE");
    tts_expect(set(world, otaa, no_version), 3, "pkg/networkserver/internal:no_band_version", "id=AS_923");
    tts_expect(set(world, LINES("end_device.session.dev_addr=x'26010203'"), NULL), 13, NULL, NULL);
    world_free(world);
}

static const struct tts_node *read(struct world *world, struct arena *arena) {
    const struct tts_device *device = tts_find_device(world->tts, TARGET, "one");
    assert_non_null(device);
    return tts_blob_tree(arena, &device->records[TTS_NS], "EndDevice");
}

// Keys of 1.0.x, the start of the session, the MAC state with a delay of its own, and the address when it is read.
static void test_completed(void **state) {
    (void)state;
    ARENA_AUTO arena = {0};
    struct world *world = make_world(0);
    static const char *const started[] = {"end_device.session.started_at.seconds=1000000000", NULL};
    tts_expect(set(world, abp, started), 0, NULL, NULL);
    const struct tts_node *device = read(world, &arena);
    assert_true(tts_same(tts_find(device, "session.keys.f_nwk_s_int_key"),
                         tts_find(device, "session.keys.s_nwk_s_int_key"), "key"));
    assert_true(tts_has_bytes(device, "session.keys.nwk_s_enc_key.key"));
    assert_int_equal(tts_number(device, "session.started_at.seconds"), NOW / NS_PER_SECOND);
    assert_int_equal(tts_number(device, "mac_state.current_parameters.rx1_delay"), 5);
    assert_int_equal(tts_number(device, "mac_state.current_parameters.rx2_frequency"), 869525000);
    assert_int_equal(tts_number(device, "mac_state.lorawan_version"), 3);
    tts_expect(set(world, started, NULL), 0, NULL, NULL);
    assert_int_equal(tts_number(read(world, &arena), "session.started_at.seconds"), 1000000000);
    struct world_reply reply = tts_call_lines(
        world, NS_REGISTRY "Get", world_tts_key(world, WORLD_TTS_KEY_TARGET),
        LINES("end_device_ids.device_id=one", "end_device_ids.application_ids.application_id=" TARGET));
    assert_int_equal(tts_bytes(tts_answer_tree(&arena, "EndDevice", &reply), "ids.dev_addr").data[3], 3);
    world_reply_release(&reply);
    world_free(world);
}

// Of an OTAA device without a MAC state none is made; a part of one is completed.
static void test_partial_state(void **state) {
    (void)state;
    static const char *const session[] = {"end_device.session.dev_addr=x'26010203'",
                                          "end_device.session.keys.f_nwk_s_int_key.key=" KEY_A,
                                          "end_device.session.keys.session_key_id=x'01'", NULL};
    ARENA_AUTO arena = {0};
    struct world *world = make_world(0);
    tts_expect(set(world, otaa, session), 0, NULL, NULL);
    assert_null(tts_find(read(world, &arena), "mac_state"));
    tts_expect(set(world, LINES("end_device.mac_state.current_parameters.rx1_delay=1"), NULL), 0, NULL, NULL);
    const struct tts_node *device = read(world, &arena);
    assert_int_equal(tts_number(device, "mac_state.current_parameters.rx1_delay"), 1);
    assert_int_equal(tts_number(device, "mac_state.desired_parameters.rx1_delay"), 5);
    assert_non_null(tts_find(device, "mac_state.current_parameters.channels"));
    world_free(world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_plans),
        cmocka_unit_test(test_completed),
        cmocka_unit_test(test_partial_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
