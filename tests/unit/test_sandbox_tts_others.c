// SPDX-License-Identifier: Apache-2.0
// Applications, links, gateways, rights, and what the cluster tells about itself.
#include "test_sandbox_tts_help.h"

#define TARGET  "application_ids.application_id=" WORLD_TTS_TARGET_APP_ID
#define USER    "collaborator.user_ids.user_id=" WORLD_TTS_USER_ID
#define MASK(p) "field_mask.paths+" p
#define CALL(key, method, ...) \
    tts_call_lines(world, method, world_tts_key(world, WORLD_TTS_KEY_##key), LINES(__VA_ARGS__))
#define OK(reply) tts_expect(reply, 0, NULL, NULL)

static void test_applications(void **state) {
    (void)state;
    ARENA_AUTO arena = {0};
    struct world *world = make_world(0);
    static const char method[] = "ApplicationRegistry/Create";
    tts_expect(CALL(TARGET, method, "application.ids.application_id=fresh-app", USER), 7,
               "pkg/auth/rights:no_user_rights", "uid=" WORLD_TTS_USER_ID);
    tts_expect(CALL(USER, method, "application.ids.application_id=my-new-app", USER), 6,
               "pkg/util/store:id_taken", NULL);
    OK(CALL(USER, method, "application.ids.application_id=fresh-app", "application.name=Fresh", USER));
    struct world_reply reply =
        CALL(USER, "ApplicationRegistry/Get", "application_ids.application_id=fresh-app", MASK("name"));
    assert_string_equal(tts_text(&arena, tts_answer_tree(&arena, "Application", &reply), "name"), "Fresh");
    world_reply_release(&reply);
    reply = CALL(TARGET, "ApplicationRegistry/Get", TARGET, MASK("network_server_address"));
    assert_string_equal(
        tts_text(&arena, tts_answer_tree(&arena, "Application", &reply), "network_server_address"),
        "localhost");
    world_reply_release(&reply);
    reply = CALL(USER, "ApplicationRegistry/List", "limit=2");
    const struct tts_node *list = tts_find(tts_answer_tree(&arena, "Applications", &reply), "applications");
    assert_string_equal(tts_text(&arena, list, "ids.application_id"), "fresh-app");
    assert_string_equal(reply.headers[0].value, "3");
    world_reply_release(&reply);
    OK(CALL(USER, "EndDeviceRegistry/Create", "end_device.ids.device_id=one",
            "end_device.ids.application_ids.application_id=fresh-app"));
    world_free(world);
}

static void test_links(void **state) {
    (void)state;
    ARENA_AUTO arena = {0};
    struct world *world = make_world(0);
    char *script = memory_alloc(50000, 1);
    memset(script, 'x', 49000);
    static const char path[] = "link.default_formatters.up_formatter_parameter=";
    memcpy(script, path, sizeof path - 1);
    tts_expect(CALL(TARGET, "As/GetLink", TARGET, MASK("default_formatters")), 5, "pkg/redis:not_found",
               NULL);
    tts_expect(CALL(TARGET, "As/SetLink", TARGET, script, MASK("default_formatters")), 3,
               "pkg/errors:validation", NULL);
    script[sizeof path - 1 + 40000] = '\0';
    OK(CALL(TARGET, "As/SetLink", TARGET, script, MASK("default_formatters.up_formatter_parameter")));
    tts_expect(CALL(READ_ONLY, "As/SetLink", TARGET, "link", MASK("default_formatters")), 7,
               "pkg/auth/rights:insufficient_application_rights", "missing=RIGHT_APPLICATION_SETTINGS_BASIC");
    struct world_reply reply = CALL(TARGET, "As/GetLink", TARGET, MASK("default_formatters"));
    const struct tts_node *link = tts_answer_tree(&arena, "ApplicationLink", &reply);
    assert_int_equal(tts_bytes(link, "default_formatters.up_formatter_parameter").size, 40000);
    world_reply_release(&reply);
    free(script);
    world_free(world);
}

static void test_gateways(void **state) {
    (void)state;
    ARENA_AUTO arena = {0};
    struct world *world = make_world(0);
    static const char create[] = "GatewayRegistry/Create";
    const char *id = "gateway.ids.gateway_id=roof";
    const char *eui = "gateway.ids.eui=x'B827EBFFFE000001'";
    tts_expect(CALL(TARGET, create, id, eui, USER), 7, "pkg/auth/rights:no_user_rights", NULL);
    OK(CALL(USER, create, id, eui, USER, "gateway.frequency_plan_id=ANY"));
    tts_expect(CALL(USER, create, id, USER), 6, "pkg/util/store:id_taken", NULL);
    tts_expect(CALL(USER, create, "gateway.ids.gateway_id=cellar", eui, USER), 6,
               "pkg/identityserver:gateway_eui_taken", "gateway_id=roof");
    OK(CALL(USER, "GatewayRegistry/Update", id, "gateway.target_cups_uri=https://cups.example.com:443",
            "gateway.target_cups_key.value=x'0102'", MASK("target_cups_uri"), MASK("target_cups_key")));
    struct world_reply reply =
        CALL(USER, "GatewayRegistry/Get", "gateway_ids.gateway_id=roof", MASK("target_cups_uri"));
    assert_string_equal(tts_text(&arena, tts_answer_tree(&arena, "Gateway", &reply), "target_cups_uri"),
                        "https://cups.example.com:443");
    world_reply_release(&reply);
    reply = CALL(USER, "GatewayAccess/CreateAPIKey", "gateway_ids.gateway_id=roof", "name=link", "rights+30",
                 "rights+37");
    char *key = tts_text(&arena, tts_answer_tree(&arena, "APIKey", &reply), "key");
    world_reply_release(&reply);
    OK(tts_call_lines(world, "GatewayRegistry/Get", key, LINES("gateway_ids.gateway_id=roof", MASK("name"))));
    tts_expect(tts_call_lines(world, "GatewayRegistry/Get", key,
                              LINES("gateway_ids.gateway_id=roof", MASK("lbs_lns_secret"))),
               7, "pkg/auth/rights:insufficient_gateway_rights", "missing=RIGHT_GATEWAY_READ_SECRETS");
    OK(CALL(USER, "GatewayRegistry/Delete", "gateway_id=roof"));
    tts_expect(CALL(USER, "GatewayRegistry/Get", "gateway_ids.gateway_id=roof"), 5,
               "pkg/identityserver/store:gateway_not_found", NULL);
    tts_expect(CALL(USER, create, id, USER), 6, "pkg/util/store:id_taken", NULL);
    world_free(world);
}

static void test_rights(void **state) {
    (void)state;
    ARENA_AUTO arena = {0};
    struct world *world = make_world(0);
    struct world_reply reply =
        CALL(READ_ONLY, "ApplicationAccess/ListRights", "application_id=" WORLD_TTS_TARGET_APP_ID);
    const struct tts_node *right = tts_find(tts_answer_tree(&arena, "Rights", &reply), "rights");
    assert_int_equal(right->number, TTS_RIGHT_APPLICATION_INFO);
    right = tts_next_entry(right);
    assert_int_equal(right->number, TTS_RIGHT_APPLICATION_DEVICES_READ);
    assert_null(tts_next_entry(right));
    world_reply_release(&reply);
    tts_expect(CALL(SOURCE, "ApplicationAccess/ListRights", "application_id=" WORLD_TTS_TARGET_APP_ID), 7,
               "pkg/auth/rights:no_application_rights", NULL);
    reply = CALL(SOURCE, "EntityAccess/AuthInfo", "");
    const struct tts_node *info = tts_answer_tree(&arena, "AuthInfoResponse", &reply);
    assert_string_equal(tts_text(&arena, info, "api_key.entity_ids.application_ids.application_id"),
                        WORLD_TTS_SOURCE_APP_ID);
    world_reply_release(&reply);
    reply = CALL(USER, "EntityAccess/AuthInfo", "");
    info = tts_answer_tree(&arena, "AuthInfoResponse", &reply);
    assert_string_equal(tts_text(&arena, info, "api_key.entity_ids.user_ids.user_id"), WORLD_TTS_USER_ID);
    assert_null(tts_find(info, "api_key.api_key.key"));
    world_reply_release(&reply);
    world_free(world);
}

static void test_information(void **state) {
    (void)state;
    ARENA_AUTO arena = {0};
    struct world *world = make_world(0);
    struct world_reply reply = CALL(TARGET, "Configuration/GetPhyVersions", "band_id=EU_863_870");
    const struct tts_node *info =
        tts_find(tts_answer_tree(&arena, "GetPhyVersionsResponse", &reply), "version_info");
    assert_string_equal(tts_text(&arena, info, "band_id"), "EU_863_870");
    assert_null(tts_next_entry(info));
    world_reply_release(&reply);
    reply = CALL(TARGET, "Configuration/ListBands", "band_id=AS_923");
    info = tts_find(tts_answer_tree(&arena, "ListBandsResponse", &reply), "descriptions");
    assert_string_equal(tts_text(&arena, info, "key"), "AS_923");
    assert_int_equal(tts_number(info, "value.band.value.tx_param_setup_req_support"), 1);
    world_reply_release(&reply);
    reply =
        CALL(TARGET, "Ns/GetDefaultMACSettings", "frequency_plan_id=EU_863_870_TTN", "lorawan_phy_version=4");
    info = tts_answer_tree(&arena, "MACSettings", &reply);
    assert_int_equal(tts_number(info, "desired_rx2_data_rate_index.value"), 3);
    world_reply_release(&reply);
    tts_expect(CALL(TARGET, "Ns/GetDefaultMACSettings", "frequency_plan_id=NOPE"), 5,
               "pkg/frequencyplans:not_found", NULL);
    OK(CALL(TARGET, "Js/GetJoinEUIPrefixes", ""));
    OK(CALL(TARGET, "Js/GetDefaultJoinEUI", ""));
    world_free(world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_applications), cmocka_unit_test(test_links),
        cmocka_unit_test(test_gateways),     cmocka_unit_test(test_rights),
        cmocka_unit_test(test_information),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
