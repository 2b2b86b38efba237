// SPDX-License-Identifier: Apache-2.0
// What SetDevice and its relatives change, as recorded from a running TTN V2.
#include "test_sandbox_help.h"

#include "ttnv2.pb-c.h"

static const uint8_t app_eui[EUI] = {0x70, 0xB3, 0xD5, 0x7E, 0xD0, 0, 0, 9};
static const uint8_t dev_eui[EUI] = {0, 4, 0xA3, 0x0B, 0xEE, 0, 0, 1};
static const uint8_t new_eui[EUI] = {0, 4, 0xA3, 0x0B, 0xEE, 0, 0, 2};
static const uint8_t address[4] = {0x26, 1, 2, 3};
static const uint8_t key_a[KEY] = {0xAA};
static const uint8_t key_b[KEY] = {0xBB};
static const uint8_t key_c[KEY] = {0xCC};
static const uint8_t zero[KEY] = {0};

#define HEX_A    "aa000000000000000000000000000000"
#define HEX_B    "bb000000000000000000000000000000"
#define HEX_C    "cc000000000000000000000000000000"
#define HEX_ZERO "00000000000000000000000000000000"

enum {
    DEV_EUI = 2,
    DEV_ADDR = 5,
    NWK_S_KEY = 6,
    APP_S_KEY = 7,
    APP_KEY = 8,
    F_CNT_UP = 9,
    F_CNT_DOWN = 10,
    LAST_SEEN = 21
};

static const struct device full = {
    .app_id = APP,
    .dev_id = "one",
    .description = "text",
    .app_eui = app_eui,
    .dev_eui = dev_eui,
    .dev_addr = address,
    .nwk_s_key = key_a,
    .app_s_key = key_b,
    .app_key = key_c,
    .f_cnt_up = 100,
    .f_cnt_down = 7,
    .dev_nonces = 3,
    .latitude = 1.5F,
    .attributes = {"zz", "1", "aa", ""},
};

static const struct device bare = {.app_id = APP, .dev_id = "one", .app_eui = app_eui, .dev_eui = dev_eui};

static void expect_bytes(struct world *world, uint32_t number, const char *hex) {
    char text[40];
    lorawan_bytes(world, "one", number, text);
    assert_string_equal(text, hex);
}

static struct world *world_with(const struct device *device) {
    struct world *world = make_world(0);
    expect(set_device(world, device), 0, "");
    return world;
}

// Absent keys stay; everything else that is absent is gone.
static void test_absent(void **state) {
    (void)state;
    struct world *world = world_with(&full);
    assert_int_equal(lorawan_number(world, "one", F_CNT_UP), 100);
    assert_int_equal(lorawan_number(world, "one", F_CNT_DOWN), 7);
    expect(set_device(world, &bare), 0, "");
    expect_bytes(world, DEV_ADDR, "26010203");
    expect_bytes(world, NWK_S_KEY, HEX_A);
    expect_bytes(world, APP_S_KEY, HEX_B);
    expect_bytes(world, APP_KEY, HEX_C);
    assert_int_equal(lorawan_number(world, "one", F_CNT_UP), 0);
    assert_int_equal(lorawan_number(world, "one", F_CNT_DOWN), 0);
    char *hex = get_device_hex(world, APP, "one");
    char *fresh = NULL;
    struct device same = full;
    same.f_cnt_up = same.f_cnt_down = 0;
    same.latitude = 0;
    same.description = NULL;
    same.attributes[0] = NULL;
    struct world *other = world_with(&same);
    fresh = get_device_hex(other, APP, "one");
    assert_string_equal(hex, fresh);
    free(hex);
    free(fresh);
    world_free(other);
    world_free(world);
}

static void test_clear(void **state) {
    (void)state;
    struct world *world = world_with(&full);
    struct device device = full;
    device.dev_addr = device.nwk_s_key = device.app_s_key = device.app_key = zero;
    expect(set_device(world, &device), 0, "");
    expect_bytes(world, DEV_ADDR, "00000000");
    expect_bytes(world, NWK_S_KEY, HEX_ZERO);
    expect_bytes(world, APP_S_KEY, HEX_ZERO);
    expect_bytes(world, APP_KEY, HEX_ZERO);
    assert_int_equal(lorawan_number(world, "one", F_CNT_UP), 100);
    struct world_numbers numbers;
    world_count(world, &numbers);
    assert_int_equal(numbers.cleared, 1);
    assert_int_equal(numbers.with_keys, 1);  // that of the other application
    expect(set_device(world, &full), 0, "");
    world_count(world, &numbers);
    assert_int_equal(numbers.restored, 1);
    world_free(world);
}

static void test_session_only_together(void **state) {
    (void)state;
    struct world *world = world_with(&full);
    struct device device = bare;
    device.dev_addr = zero;
    expect(set_device(world, &device), 0, "");
    expect_bytes(world, DEV_ADDR, "26010203");
    device = bare;
    device.nwk_s_key = zero;
    expect(set_device(world, &device), 0, "");
    expect_bytes(world, NWK_S_KEY, HEX_A);
    device.dev_addr = zero;
    expect(set_device(world, &device), 0, "");
    expect_bytes(world, DEV_ADDR, "00000000");
    expect_bytes(world, NWK_S_KEY, HEX_ZERO);
    expect_bytes(world, APP_KEY, HEX_C);
    world_free(world);
}

static unsigned long state_number(const struct world *world, const char *dev_id, const char *name) {
    BUFFER_AUTO state;
    buffer_init(&state, BUFFER_UNLIMITED);
    world_state_lines(world, &state);
    char *start = memory_printf("\"dev_id\":\"%s\",\"app_eui\"", dev_id);
    char *member = memory_printf("\"%s\":", name);
    const char *device = strstr(buffer_string(&state), start);
    assert_non_null(device);
    const char *value = strstr(device, member);
    assert_non_null(value);
    unsigned long number = strtoul(value + strlen(member), NULL, 10);
    free(start);
    free(member);
    return number;
}

static void test_nonces(void **state) {
    (void)state;
    struct world *world = world_with(&full);
    assert_int_equal(state_number(world, "one", "used_dev_nonces"), 3);
    struct device device = full;
    device.dev_nonces = 9;  // not taken for a known device
    expect(set_device(world, &device), 0, "");
    assert_int_equal(state_number(world, "one", "used_dev_nonces"), 3);
    device.app_key = zero;
    expect(set_device(world, &device), 0, "");
    assert_int_equal(state_number(world, "one", "used_dev_nonces"), 0);
    world_free(world);
}

// The Network Server is written first: what the Handler then refuses has set the counters and the session
// there.
static void test_partial_failure(void **state) {
    (void)state;
    struct world *world = world_with(&full);
    struct device device = full;
    device.f_cnt_up = 5;
    device.dev_addr = device.nwk_s_key = zero;
    const char *six[] = {"a1", "", "a2", "", "a3", "", "a4", "", "a5", "", "a6", "", "ttn-brand", "x"};
    memcpy(device.attributes, six, sizeof six);
    expect(set_device(world, &device), 2, "Maximum number of custom attributes (5) exceeded");
    assert_int_equal(lorawan_number(world, "one", F_CNT_UP), 5);
    expect_bytes(world, NWK_S_KEY, HEX_A);  // the Handler's own is untouched
    BUFFER_AUTO lines;
    buffer_init(&lines, BUFFER_UNLIMITED);
    world_state_lines(world, &lines);
    assert_non_null(
        strstr(buffer_string(&lines), "\"network_server\":{\"dev_id\":\"one\",\"dev_addr\":\"00000000\""));
    const char *five[] = {"a1", "", "a2",        "", "a3",        "",  "a4", "",
                          "a5", "", "ttn-model", "", "ttn-brand", "x", NULL};
    memcpy(device.attributes, five, sizeof five);
    expect(set_device(world, &device), 0, "");
    world_free(world);
}

static void test_attribute_lengths(void **state) {
    (void)state;
    struct world *world = make_world(0);
    char text[66];
    memset(text, 'v', 65);
    text[65] = '\0';
    struct device device = full;
    device.attributes[1] = text;
    expect(set_device(world, &device), 2, "Attribute value for key \"zz\" exceeds maximum length (64)");
    expect(call_ids(world, HANDLER("GetDevice"), APP, "one"), 5, "handler:device:" APP ":one not found");
    text[64] = '\0';
    expect(set_device(world, &device), 0, "");
    world_free(world);
}

static void test_empty_constraints(void **state) {
    (void)state;
    struct world *world = world_with(&bare);
    char *hex = get_device_hex(world, APP, "one");
    assert_non_null(strstr(hex, "6a056c6f63616c"));
    free(hex);
    world_free(world);
}

// Other EUIs move the device: known there afresh, gone here.
static void test_move(void **state) {
    (void)state;
    struct world *world = world_with(&full);
    struct device device = full;
    device.dev_eui = new_eui;
    expect(set_device(world, &device), 0, "");
    expect_bytes(world, DEV_EUI, "0004a30bee000002");
    device = bare;
    device.dev_id = "two";
    expect(set_device(world, &device), 0, "");
    device = bare;
    device.app_eui = NULL;  // absent means zero
    device.dev_eui = NULL;
    expect(set_device(world, &device), 0, "");
    expect_bytes(world, DEV_EUI, "0000000000000000");
    world_free(world);
}

static void test_reregister(void **state) {
    (void)state;
    struct world *world = make_world(0);
    static const char line[] =
        "{\"dev_id\":\"one\",\"network_server\":null,\"get_device_hex\":"
        "\"0a0a6d792d74746e2d61707012036f6e651a3c0a0870b3d5"
        "7ed000000912080004a30bee0000011a0a6d792d74746e2d61707022036f6e652a0426010203480550066a056c6f63616c\""
        "}";
    ERROR_AUTO error = {0};
    assert_int_equal(world_load_device(world, line, sizeof line - 1, NULL, &error), -ERROR_INPUT);
    expect(set_device(world, &full), 0, "");
    BUFFER_AUTO state_text;
    buffer_init(&state_text, BUFFER_UNLIMITED);
    world_state_lines(world, &state_text);
    char *text = buffer_take_string(&state_text);
    char *device = strstr(text, "{\"app_id\":\"" APP "\"");
    assert_non_null(device);
    device[strcspn(device, "\n")] = '\0';
    char *server = strstr(device, "\"network_server\":");
    char *rest = strchr(server, '}') + 1;
    char *unknown = memory_printf("%.*s\"network_server\":null%s", (int)(server - device), device, rest);
    error_release(&error);
    assert_int_equal(world_load_device(world, unknown, strlen(unknown), NULL, &error), 0);
    assert_int_equal(lorawan_number(world, "one", F_CNT_UP), 0);
    expect_bytes(world, NWK_S_KEY, HEX_A);
    BUFFER_AUTO again;
    buffer_init(&again, BUFFER_UNLIMITED);
    world_state_lines(world, &again);
    assert_null(strstr(buffer_string(&again), "\"network_server\":null"));
    free(unknown);
    free(text);
    world_free(world);
}

static void test_delete(void **state) {
    (void)state;
    struct world *world = world_with(&full);
    expect(call_ids(world, HANDLER("DeleteDevice"), APP, "one"), 0, "");
    expect(call_ids(world, HANDLER("DeleteDevice"), APP, "one"), 5, "handler:device:" APP ":one not found");
    struct device device = bare;
    device.dev_id = "two";
    expect(set_device(world, &device), 0, "");
    world_free(world);
}

static void test_last_seen(void **state) {
    (void)state;
    struct world_setup setup = {.seed = 1, .devices = 1, .uplinks = 10};
    struct world *world = world_new(&setup);
    world_advance(world, NOW);
    world_advance(world, NOW + 10 * NS_PER_SECOND);
    uint64_t seen = lorawan_number(world, "mydevice", LAST_SEEN);
    assert_int_equal(seen, NOW + 10 * NS_PER_SECOND);
    struct world_numbers numbers;
    world_count(world, &numbers);
    assert_int_equal(numbers.uplinks, 100);
    struct world_reply reply = call_ids(world, HANDLER("GetDevice"), APP, "mydevice");
    reply.body.data[reply.body.size] = 0;
    expect(call_at(world, NOW, HANDLER("SetDevice"), "key", world_access_key(world), &reply.body), 0, "");
    world_reply_release(&reply);
    assert_int_equal(lorawan_number(world, "mydevice", LAST_SEEN), seen);
    world_free(world);
}

// What the client's own message definitions make of an answer and send back leaves the device as it was.
static void test_round_trip(void **state) {
    (void)state;
    struct world_setup setup = {.seed = 3, .devices = 300, .broken = true};
    struct world *world = world_new(&setup);
    BUFFER_AUTO before;
    buffer_init(&before, BUFFER_UNLIMITED);
    struct world_reply list = call_ids(world, HANDLER("GetDevicesForApplication"), APP, NULL);
    Ttnv2__DeviceList *devices = ttnv2__device_list__unpack(NULL, list.body.size, list.body.data);
    assert_non_null(devices);
    assert_true(devices->n_devices > 300);
    for (size_t i = 0; i < devices->n_devices; i++) {
        const char *id = devices->devices[i]->dev_id;
        struct world_reply reply = call_ids(world, HANDLER("GetDevice"), APP, id);
        Ttnv2__Device *device = ttnv2__device__unpack(NULL, reply.body.size, reply.body.data);
        assert_non_null(device);
        BUFFER_AUTO body;
        buffer_init(&body, BUFFER_UNLIMITED);
        uint8_t *packed = memory_alloc(ttnv2__device__get_packed_size(device), 1);
        buffer_add(&body, packed, ttnv2__device__pack(device, packed));
        char *hex = get_device_hex(world, APP, id);
        expect(call_at(world, NOW, HANDLER("SetDevice"), "key", world_access_key(world), &body), 0, "");
        char *after = get_device_hex(world, APP, id);
        assert_string_equal(hex, after);
        free(hex);
        free(after);
        free(packed);
        ttnv2__device__free_unpacked(device, NULL);
        world_reply_release(&reply);
    }
    ttnv2__device_list__free_unpacked(devices, NULL);
    world_reply_release(&list);
    world_free(world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_absent),
        cmocka_unit_test(test_clear),
        cmocka_unit_test(test_session_only_together),
        cmocka_unit_test(test_nonces),
        cmocka_unit_test(test_partial_failure),
        cmocka_unit_test(test_attribute_lengths),
        cmocka_unit_test(test_empty_constraints),
        cmocka_unit_test(test_move),
        cmocka_unit_test(test_reregister),
        cmocka_unit_test(test_delete),
        cmocka_unit_test(test_last_seen),
        cmocka_unit_test(test_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
