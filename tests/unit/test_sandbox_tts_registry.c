// SPDX-License-Identifier: Apache-2.0
// The device registries: what they take, what they answer, and the errors of all cases that are known.
#include "test_sandbox_tts_help.h"

#define TARGET WORLD_TTS_TARGET_APP_ID
#define IDS(prefix, id, eui)                                                                              \
    prefix "device_id=" id, prefix "application_ids.application_id=" TARGET, prefix "dev_eui=x'" eui "'", \
        prefix "join_eui=x'70B3D57ED0000001'"
#define DEVICE(id, eui) IDS("end_device.ids.", id, eui)
#define ONE             DEVICE("one", "0004A30BFF000001")
#define KEY_A           "x'AA00000000000000000000000000AAAA'"
#define KEY_B           "x'BB00000000000000000000000000BBBB'"
#define GET(id)         "end_device_ids.device_id=" id, "end_device_ids.application_ids.application_id=" TARGET
#define SELF(id)        "device_id=" id, "application_ids.application_id=" TARGET
#define MASK(p)         "field_mask.paths+" p

static const char *key_of(const struct world *world, enum world_tts_key key) {
    return world_tts_key(world, key);
}

#define CALL(key, method, ...) \
    tts_call_lines(world, method, key_of(world, WORLD_TTS_KEY_##key), LINES(__VA_ARGS__))
#define OK(reply) tts_expect(reply, 0, NULL, NULL)

static struct world *world_with_one(void) {
    struct world *world = make_world(0);
    OK(CALL(TARGET, IS_REGISTRY "Create", ONE, "end_device.name=First"));
    OK(CALL(TARGET, JS_REGISTRY "Set", ONE, "end_device.root_keys.app_key.key=" KEY_A,
            MASK("root_keys.app_key.key")));
    OK(CALL(TARGET, NS_REGISTRY "Set", ONE, "end_device.frequency_plan_id=EU_863_870",
            "end_device.supports_join=1", "end_device.lorawan_version=3", "end_device.lorawan_phy_version=4",
            MASK("frequency_plan_id"), MASK("supports_join"), MASK("lorawan_version"),
            MASK("lorawan_phy_version")));
    OK(CALL(TARGET, AS_REGISTRY "Set", ONE, "end_device.formatters.up_formatter=4",
            MASK("formatters.up_formatter")));
    return world;
}

static void test_create_get_delete(void **state) {
    (void)state;
    struct world *world = world_with_one();
    ARENA_AUTO arena = {0};
    struct world_reply reply = CALL(TARGET, IS_REGISTRY "Get", GET("one"), MASK("name"), MASK("attributes"),
                                    MASK("version_ids.band_id"));
    const struct tts_node *device = tts_answer_tree(&arena, "EndDevice", &reply);
    assert_string_equal(tts_text(&arena, device, "name"), "First");
    assert_non_null(tts_find(device, "version_ids"));
    assert_int_equal(tts_number(device, "created_at.seconds"), NOW / NS_PER_SECOND);
    world_reply_release(&reply);
    reply = CALL(TARGET, JS_REGISTRY "Get", GET("one"), MASK("root_keys"));
    device = tts_answer_tree(&arena, "EndDevice", &reply);
    assert_int_equal(tts_bytes(device, "root_keys.app_key.key").data[0], 0xAA);
    world_reply_release(&reply);
    OK(CALL(TARGET, AS_REGISTRY "Delete", SELF("one")));
    OK(CALL(TARGET, NS_REGISTRY "Delete", SELF("one")));
    OK(CALL(TARGET, JS_REGISTRY "Delete", SELF("one")));
    OK(CALL(TARGET, IS_REGISTRY "Delete", SELF("one")));
    tts_expect(CALL(TARGET, IS_REGISTRY "Delete", SELF("one")), 5,
               "pkg/identityserver/store:end_device_not_found", "device_id=one");
    tts_expect(CALL(TARGET, NS_REGISTRY "Delete", SELF("one")), 5, "pkg/networkserver:device_not_found",
               NULL);
    tts_expect(CALL(TARGET, AS_REGISTRY "Get", GET("one")), 5, "pkg/applicationserver:device_not_found",
               NULL);
    tts_expect(CALL(TARGET, JS_REGISTRY "Get", GET("one")), 5, "pkg/joinserver:device_not_found", NULL);
    struct world_numbers numbers;
    world_count(world, &numbers);
    assert_int_equal(numbers.tts_devices, 0);
    world_free(world);
}

static void test_taken(void **state) {
    (void)state;
    struct world *world = world_with_one();
    tts_expect(CALL(TARGET, IS_REGISTRY "Create", ONE), 6, "pkg/util/store:id_taken", NULL);
    tts_expect(CALL(TARGET, IS_REGISTRY "Create", DEVICE("two", "0004A30BFF000001")), 6,
               "pkg/identityserver:end_device_euis_taken", "device_id=one");
    tts_expect(CALL(TARGET, JS_REGISTRY "Set", DEVICE("two", "0004A30BFF000001"), MASK("net_id")), 6,
               "pkg/internal/registry:end_device_euis_taken", NULL);
    tts_expect(CALL(TARGET, AS_REGISTRY "Set", DEVICE("two", "0004A30BFF000001"), MASK("formatters")), 6,
               "pkg/internal/registry:end_device_euis_taken", NULL);
    tts_expect(
        CALL(TARGET, NS_REGISTRY "Set", DEVICE("two", "0004A30BFF000001"), "end_device.supports_join=1",
             "end_device.frequency_plan_id=EU_863_870", "end_device.lorawan_version=3",
             "end_device.lorawan_phy_version=4", MASK("frequency_plan_id"), MASK("lorawan_version"),
             MASK("lorawan_phy_version"), MASK("supports_join")),
        6, "pkg/internal/registry:end_device_euis_taken", NULL);
    tts_expect(CALL(TARGET, IS_REGISTRY "Create", DEVICE("console", "0004A30BFF000002")), 3,
               "pkg/identityserver:forbidden_id", "id=console");
    tts_expect(CALL(TARGET, IS_REGISTRY "Create", DEVICE("two", "0004A30BFF000002"),
                    "end_device.network_server_address=elsewhere.example.com"),
               3, "pkg/identityserver:network_server_address_mismatch", NULL);
    OK(CALL(TARGET, IS_REGISTRY "Create", DEVICE("two", "0004A30BFF000002"),
            "end_device.network_server_address=localhost:8884"));
    world_free(world);
}

// The same ID with other EUIs: silently at the Application and Join Server, not at the Network Server.
static void test_upserts(void **state) {
    (void)state;
    struct world *world = world_with_one();
    struct tts_view view;
    OK(CALL(TARGET, JS_REGISTRY "Set", DEVICE("one", "0004A30BFF000009"), MASK("net_id")));
    OK(CALL(TARGET, AS_REGISTRY "Set", DEVICE("one", "0004A30BFF000009"), MASK("skip_payload_crypto")));
    assert_true(tts_view(world->tts, TARGET, "one", &view));
    assert_int_equal(view.app_key[0], 0);
    assert_int_equal(view.euis[TTS_JS][15], 9);
    assert_int_equal(view.euis[TTS_AS][15], 9);
    assert_int_equal(view.euis[TTS_IS][15], 1);
    tts_expect(CALL(TARGET, NS_REGISTRY "Set", DEVICE("one", "0004A30BFF000009"),
                    "end_device.supports_class_c=1", MASK("supports_class_c")),
               3, "pkg/networkserver/redis:read_only_field", NULL);
    tts_expect(CALL(TARGET, NS_REGISTRY "Set", ONE, MASK("supports_join")), 3,
               "pkg/networkserver:field_value", "field=supports_join");
    world_free(world);
}

// The Identity Server sees a device only with the EUIs that a reader names; the others go by the ID.
static void test_named_euis(void **state) {
    (void)state;
    struct world *world = world_with_one();
    OK(CALL(TARGET, IS_REGISTRY "Get", GET("one"), "end_device_ids.dev_eui=x'0004A30BFF000001'"));
    tts_expect(CALL(TARGET, IS_REGISTRY "Get", GET("one"), "end_device_ids.dev_eui=x'0004A30BFF000009'"), 5,
               "pkg/identityserver/store:end_device_not_found", "device_id=one");
    OK(CALL(TARGET, NS_REGISTRY "Get", GET("one"), "end_device_ids.dev_eui=x'0004A30BFF000009'",
            MASK("lorawan_version")));
    world_free(world);
}

// Queued downlinks need a right of their own, also where they are part of what is named.
static void test_queue_rights(void **state) {
    (void)state;
    struct world *world = world_with_one();
    OK(CALL(NO_SETTINGS, NS_REGISTRY "Get", GET("one"), MASK("session.keys"), MASK("mac_state")));
    static const char *const whole[] = {"session", "pending_session"};
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        char mask[64];
        snprintf(mask, sizeof mask, "field_mask.paths+%s", whole[i]);
        tts_expect(CALL(NO_SETTINGS, NS_REGISTRY "Get", GET("one"), mask), 7,
                   "pkg/auth/rights:insufficient_application_rights",
                   "missing=RIGHT_APPLICATION_TRAFFIC_READ");
        OK(CALL(TARGET, NS_REGISTRY "Get", GET("one"), mask));
        OK(CALL(NO_SETTINGS, AS_REGISTRY "Get", GET("one"), MASK("session")));
    }
    world_free(world);
}

static void test_rights(void **state) {
    (void)state;
    struct world *world = world_with_one();
    tts_expect(CALL(SOURCE, IS_REGISTRY "Get", GET("one")), 7, "pkg/auth/rights:no_application_rights",
               "uid=" TARGET);
    tts_expect(CALL(READ_ONLY, IS_REGISTRY "Create", DEVICE("two", "0004A30BFF000002")), 7,
               "pkg/auth/rights:insufficient_application_rights", "missing=RIGHT_APPLICATION_DEVICES_WRITE");
    tts_expect(CALL(READ_ONLY, JS_REGISTRY "Get", GET("one"), MASK("root_keys.app_key.key")), 7,
               "pkg/auth/rights:insufficient_application_rights",
               "missing=RIGHT_APPLICATION_DEVICES_READ_KEYS");
    OK(CALL(READ_ONLY, JS_REGISTRY "Get", GET("one"), MASK("net_id")));
    tts_expect(CALL(NO_WRITE_KEYS, JS_REGISTRY "Set", ONE, "end_device.root_keys.app_key.key=" KEY_B,
                    MASK("root_keys")),
               7, "pkg/auth/rights:insufficient_application_rights",
               "missing=RIGHT_APPLICATION_DEVICES_WRITE_KEYS");
    OK(CALL(NO_WRITE_KEYS, JS_REGISTRY "Set", ONE, MASK("resets_join_nonces")));
    tts_expect(CALL(NO_INFO, "ApplicationRegistry/Get", "application_ids.application_id=" TARGET), 7,
               "pkg/auth/rights:insufficient_application_rights", "missing=RIGHT_APPLICATION_INFO");
    tts_expect(CALL(USER, IS_REGISTRY "Get", "end_device_ids.device_id=one",
                    "end_device_ids.application_ids.application_id=nowhere"),
               5, "pkg/identityserver/store:application_not_found", "application_id=nowhere");
    tts_expect(CALL(TARGET, IS_REGISTRY "Get", "end_device_ids.device_id=one",
                    "end_device_ids.application_ids.application_id=nowhere"),
               7, "pkg/auth/rights:no_application_rights", "uid=nowhere");
    const char *const *lines = LINES(GET("one"));
    tts_expect(tts_call_lines(world, IS_REGISTRY "Get", "", lines), 7,
               "pkg/auth/rights:no_application_rights", NULL);
    tts_expect(tts_call_lines(world, IS_REGISTRY "Get", "nonsense", lines), 3, "pkg/auth:token", NULL);
    tts_expect(tts_call_lines(world, IS_REGISTRY "Get", "NNSXS.ABC.DEF", lines), 16,
               "pkg/identityserver:api_key_not_found", NULL);
    world_free(world);
}

static void test_masks(void **state) {
    (void)state;
    static const char forbidden[] = "pkg/rpcmiddleware/validator:field_mask_paths";
    struct world *world = world_with_one();
    tts_expect(CALL(TARGET, IS_REGISTRY "Get", GET("one"), MASK("name"), MASK("session")), 3, forbidden,
               "forbidden_paths=session");
    tts_expect(CALL(TARGET, NS_REGISTRY "Get", GET("one"),
                    MASK("mac_state.pending_application_downlink.attributes")),
               3, forbidden, "forbidden_paths=mac_state.pending_application_downlink.attributes");
    tts_expect(CALL(TARGET, AS_REGISTRY "Set", ONE, MASK("root_keys")), 3, forbidden,
               "forbidden_paths=root_keys");
    tts_expect(CALL(TARGET, NS_REGISTRY "Set", ONE, MASK("created_at")), 3, forbidden,
               "forbidden_paths=created_at");
    OK(CALL(TARGET, NS_REGISTRY "Get", GET("one"), MASK("session"), MASK("mac_state"), MASK("mac_settings"),
            MASK("mac_state.current_parameters.channels")));
    OK(CALL(TARGET, IS_REGISTRY "Update", ONE, "end_device.name=Second", "end_device.description=not named",
            MASK("name")));
    ARENA_AUTO arena = {0};
    struct world_reply reply = CALL(TARGET, IS_REGISTRY "Get", GET("one"), MASK("name"), MASK("description"));
    const struct tts_node *device = tts_answer_tree(&arena, "EndDevice", &reply);
    assert_string_equal(tts_text(&arena, device, "name"), "Second");
    assert_null(tts_find(device, "description"));
    world_reply_release(&reply);
    world_free(world);
}

static void test_form(void **state) {
    (void)state;
    static const char validation[] = "pkg/errors:validation";
    char name[64];
    memset(name, 'n', sizeof name);
    memcpy(name, "end_device.name=", 16);
    name[sizeof name - 1] = '\0';
    struct world *world = make_world(0);
    tts_expect(CALL(TARGET, IS_REGISTRY "Create", DEVICE("a", "0004A30BFF000001")), 3, validation,
               "field=end_device");
    tts_expect(CALL(TARGET, IS_REGISTRY "Create", DEVICE("Under_score", "0004A30BFF000001")), 3, validation,
               NULL);
    tts_expect(CALL(TARGET, IS_REGISTRY "Create", DEVICE("one", "0004A30B")), 3, validation, NULL);
    tts_expect(CALL(TARGET, IS_REGISTRY "Create", "end_device.name=x"), 3, validation, NULL);
    OK(CALL(TARGET, IS_REGISTRY "Create", ONE, name));
    char longer[96];
    snprintf(longer, sizeof longer, "%s%s", name, "more than 50");
    tts_expect(CALL(TARGET, IS_REGISTRY "Update", ONE, longer, MASK("name")), 3, validation, NULL);
    OK(CALL(TARGET, IS_REGISTRY "Update", ONE, longer, MASK("description")));
    tts_expect(
        CALL(TARGET, JS_REGISTRY "Set", ONE, "end_device.root_keys.app_key.key=x'AA'", MASK("root_keys")), 3,
        validation, NULL);
    tts_expect(CALL(TARGET, JS_REGISTRY "Set", ONE, MASK("root_keys.app_key.key")), 3, validation, NULL);
    tts_expect(CALL(TARGET, JS_REGISTRY "Set", ONE, "end_device.ids.dev_addr=x'01020304'", MASK("net_id")), 3,
               "pkg/joinserver:field_value", "field=ids.dev_addr");
    tts_expect(CALL(TARGET, AS_REGISTRY "Set", ONE, "end_device.session.dev_addr=x'01020304'",
                    MASK("session.dev_addr")),
               3, validation, NULL);
    struct world_reply reply = tts_call_bytes(world, NOW, WORLD_TTS_IS, IS_REGISTRY "Get", "", "\x0a\x7f", 2);
    assert_int_equal(reply.status, 13);
    world_reply_release(&reply);
    world_free(world);
}

// A violation within a message within a message names them all.
static void test_causes(void **state) {
    (void)state;
    struct world *world = make_world(0);
    ARENA_AUTO arena = {0};
    struct world_reply reply = CALL(TARGET, IS_REGISTRY "Create", ONE,
                                    "end_device.version_ids.band_id="
                                    "0123456789012345678901234567890123456789");
    const struct tts_node *details = tts_details_tree(&arena, reply.details.data, reply.details.size);
    static const char *const messages[] = {"CreateEndDeviceRequestValidationError",
                                           "EndDeviceValidationError",
                                           "EndDeviceVersionIdentifiersValidationError"};
    for (size_t i = 0; i < 3; i++) {
        assert_non_null(details);
        assert_string_equal(tts_text(&arena, tts_find(details, "attributes.fields"), "value.string_value"),
                            messages[i]);
        details = tts_find(details, "cause");
    }
    assert_null(details);
    world_reply_release(&reply);
    world_free(world);
}

static void test_lists(void **state) {
    (void)state;
    struct world_setup setup = {.seed = 1, .tts_devices = 250};
    struct world *world = world_new(&setup);
    ARENA_AUTO arena = {0};
    const char *application = "application_ids.application_id=" WORLD_TTS_SOURCE_APP_ID;
    const char *last = "";
    size_t count = 0;
    for (unsigned page = 1; page <= 3; page++) {
        const char *number = arena_printf(&arena, "page=%u", page);
        struct world_reply reply =
            CALL(SOURCE, IS_REGISTRY "List", application, "limit=100", number, "order=device_id");
        const struct tts_node *list = tts_answer_tree(&arena, "EndDevices", &reply);
        const struct tts_node *device = tts_find(list, "end_devices");
        for (; device != NULL; device = tts_next_entry(device)) {
            const char *id = tts_text(&arena, device, "ids.device_id");
            assert_true(strcmp(last, id) < 0);
            last = id;
            count++;
        }
        assert_string_equal(reply.headers[0].name, "x-total-count");
        assert_string_equal(reply.headers[0].value, "250");
        world_reply_release(&reply);
    }
    assert_int_equal(count, 250);
    tts_expect(CALL(SOURCE, IS_REGISTRY "List", application, "limit=1001"), 3, "pkg/errors:validation", NULL);
    tts_expect(CALL(SOURCE, IS_REGISTRY "List", application, "order=size"), 3, "pkg/errors:validation", NULL);
    OK(CALL(SOURCE, IS_REGISTRY "List", application, "order=-created_at", "limit=1000"));
    world_free(world);
}

static void test_batches(void **state) {
    (void)state;
    struct world *world = world_with_one();
    const char *application = "application_ids.application_id=" TARGET;
    ARENA_AUTO arena = {0};
    struct world_reply reply = CALL(TARGET, "EndDeviceBatchRegistry/Get", application, "device_ids+one",
                                    "device_ids+gone", MASK("name"));
    const struct tts_node *list = tts_answer_tree(&arena, "EndDevices", &reply);
    assert_string_equal(tts_text(&arena, list, "end_devices.name"), "First");
    assert_null(tts_next_entry(tts_find(list, "end_devices")));
    world_reply_release(&reply);
    const char *many[32] = {application};
    for (size_t i = 1; i <= 21; i++) many[i] = "device_ids+one";
    tts_expect(
        tts_call_lines(world, "EndDeviceBatchRegistry/Delete", key_of(world, WORLD_TTS_KEY_TARGET), many), 3,
        "pkg/errors:validation", NULL);
    tts_expect(CALL(TARGET, "NsEndDeviceBatchRegistry/Delete", application), 3, "pkg/errors:validation",
               NULL);
    OK(CALL(TARGET, "NsEndDeviceBatchRegistry/Delete", application, "device_ids+one", "device_ids+gone"));
    tts_expect(CALL(TARGET, NS_REGISTRY "Get", GET("one")), 5, "pkg/networkserver:device_not_found", NULL);
    OK(CALL(TARGET, IS_REGISTRY "Get", GET("one")));
    reply = CALL(TARGET, IS_REGISTRY "GetIdentifiersForEUIs", "join_eui=x'70B3D57ED0000001'",
                 "dev_eui=x'0004A30BFF000001'");
    assert_string_equal(
        tts_text(&arena, tts_answer_tree(&arena, "EndDeviceIdentifiers", &reply), "device_id"), "one");
    world_reply_release(&reply);
    world_free(world);
}

static void test_places(void **state) {
    (void)state;
    struct world *world = make_world(0);
    struct world_reply reply = tts_call_bytes(world, NOW, WORLD_TTS_NS, IS_REGISTRY "Get", "", NULL, 0);
    expect(reply, 12, "unknown service ttn.lorawan.v3.EndDeviceRegistry");
    reply = tts_call_bytes(world, NOW, WORLD_TTS_IS, IS_REGISTRY "Put", "", NULL, 0);
    expect(reply, 12, "unknown method Put for service ttn.lorawan.v3.EndDeviceRegistry");
    assert_int_equal(world_calls(world, "EndDeviceRegistry/Put"), 1);
    world_free(world);
}

static void test_rate_limit(void **state) {
    (void)state;
    struct world_setup setup = {.seed = 1, .rate_limit = 2};
    struct world *world = world_new(&setup);
    for (unsigned i = 0; i < 3; i++) {
        struct world_reply reply = CALL(TARGET, "Ns/GetNetID", "");
        assert_string_equal(reply.headers[0].name, "x-rate-limit-limit");
        assert_string_equal(reply.headers[0].value, "2");
        assert_string_equal(reply.headers[1].name, "x-rate-limit-available");
        assert_string_equal(reply.headers[1].value, i == 0 ? "1" : "0");
        if (i == 2) assert_string_equal(reply.headers[3].name, "x-rate-limit-retry");
        tts_expect(reply, i < 2 ? 0 : 8, "pkg/ratelimit:rate_limit_exceeded", NULL);
    }
    OK(CALL(USER, "Ns/GetNetID", ""));
    OK(CALL(TARGET, "Ns/GetDeviceAddressPrefixes", ""));
    world_free(world);
}

static void test_faults(void **state) {
    (void)state;
    struct world *world = world_with_one();
    ERROR_AUTO error = {0};
    assert_int_equal(world_add_fault(world, "NsEndDeviceRegistry/Get:unavailable", &error), 0);
    tts_expect(CALL(TARGET, NS_REGISTRY "Get", GET("one")), 14, NULL, NULL);
    OK(CALL(TARGET, AS_REGISTRY "Get", GET("one")));
    assert_int_equal(world_add_fault(world, "Delete:unavailable-after", &error), 0);
    tts_expect(CALL(TARGET, AS_REGISTRY "Delete", SELF("one")), 14, NULL, NULL);
    tts_expect(CALL(TARGET, AS_REGISTRY "Get", GET("one")), 5, "pkg/applicationserver:device_not_found",
               NULL);
    world_free(world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create_get_delete),
        cmocka_unit_test(test_taken),
        cmocka_unit_test(test_upserts),
        cmocka_unit_test(test_named_euis),
        cmocka_unit_test(test_queue_rights),
        cmocka_unit_test(test_rights),
        cmocka_unit_test(test_masks),
        cmocka_unit_test(test_form),
        cmocka_unit_test(test_causes),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_rate_limit),
        cmocka_unit_test(test_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
