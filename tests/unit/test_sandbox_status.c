// SPDX-License-Identifier: Apache-2.0
// Statuses and messages as recorded from a running TTN V2, one test a group of rows.
#include "test_sandbox_help.h"

static const uint8_t app_eui[EUI] = {0x70, 0xB3, 0xD5, 0x7E, 0xD0, 0, 0, 9};
static const uint8_t dev_eui[EUI] = {0, 4, 0xA3, 0x0B, 0xEE, 0, 0, 1};
static const uint8_t other_app_eui[EUI] = {0x70, 0xB3, 0xD5, 0x7E, 0xD0, 0xFF, 0xFF, 0x01};
static const uint8_t other_dev_eui[EUI] = {0x00, 0x04, 0xA3, 0x0B, 0xFF, 0xFF, 0xFF, 0x01};
static const uint8_t key[KEY] = {1, 2, 3};

#define WRONG_FORM                                                                                          \
    "has wrong format. IDs can contain lowercase letters, numbers, dashes and underscores and should have " \
    "a "                                                                                                    \
    "maximum length of 36"

static void test_identifiers(void **state) {
    (void)state;
    struct world *world = make_world(3);
    static const char get[] = HANDLER("GetDevice");
    expect(call_ids(world, get, APP, "nobody"), 5, "handler:device:" APP ":nobody not found");
    expect(call_ids(world, get, APP, ""), 3, "Invalid Device Identifier: DevID not valid: can not be empty");
    expect(call_ids(world, get, "", "mydevice"), 3,
           "Invalid Device Identifier: AppID not valid: can not be empty");
    static const char *const wrong[] = {
        "Upper", "x", "a--b", "-a", "a-", "a_", "a b", "a-_b", "abcdefghijklmnopqrstuvwxyz01234567890"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        expect(call_ids(world, get, APP, wrong[i]), 3,
               "Invalid Device Identifier: DevID not valid: " WRONG_FORM);
    }
    static const char *const right[] = {
        "ab", "0a", "abcdefghijklmnopqrstuvwxyz0123456789",
        "a-a_a-a_a-a_a-a_a-a_a-a_a-a_a-a_a-a_a-a_a-a_a-a_a-a_a-a_a-a_a-a_a-a_a-a"};
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        char *message = memory_printf("handler:device:" APP ":%s not found", right[i]);
        expect(call_ids(world, get, APP, right[i]), 5, message);
        free(message);
    }
    world_free(world);
}

static struct world_reply get_with(struct world *world, const char *header, const char *value,
                                   const char *app_id) {
    BUFFER_AUTO body;
    buffer_init(&body, BUFFER_UNLIMITED);
    put_text(&body, 1, app_id);
    put_text(&body, 2, "mydevice");
    return call_at(world, NOW, HANDLER("GetDevice"), header, value, &body);
}

static void test_keys(void **state) {
    (void)state;
    struct world *world = make_world(3);
    expect(get_with(world, NULL, NULL, APP), 3, "Metadata not valid: neither token nor key present");
    expect(get_with(world, "key", "ttn-account-v2.wrong", APP), 2, "Invalid access key");
    expect(get_with(world, "key", "no-dot", APP), 2, "Invalid access key");
    expect(get_with(world, "key", world_access_key(world), "no-such-app"), 2, "Application not found");
    expect(get_with(world, "key", "elsewhere.key", APP), 2, "Auth server \"elsewhere\" not registered");
    expect(get_with(world, "key", world_key_settings_only(world), APP), 7,
           "permission denied: No \"devices\" rights to Application \"" APP "\"");
    expect(get_with(world, "token", "", APP), 7,
           "permission denied: unable to parse token: token contains an invalid number of segments");
    expect(get_with(world, "token", "a.b.c", APP), 7,
           "permission denied: unable to parse token: signature is invalid");
    BUFFER_AUTO body;
    buffer_init(&body, BUFFER_UNLIMITED);
    put_text(&body, 1, APP);
    expect(call_at(world, NOW, HANDLER("GetApplication"), "key", world_key_devices_only(world), &body), 7,
           "permission denied: No \"settings\" rights to Application \"" APP "\"");
    struct world_reply reply = get_with(world, "key", world_key_devices_only(world), APP);
    assert_int_equal(reply.status, 0);
    world_reply_release(&reply);
    world_free(world);
}

// A key, even a right one, is not looked at beside a token.
static void test_token_first(void **state) {
    (void)state;
    struct world *world = make_world(3);
    struct world_header headers[] = {{"token", "x"}, {"key", world_access_key(world)}};
    struct world_request request = {.endpoint = WORLD_TTNV2_HANDLER,
                                    .method = HANDLER("GetDevice"),
                                    .headers = headers,
                                    .header_count = 2,
                                    .body = "\x0a\x0amy-ttn-app\x12\x08mydevice",
                                    .body_size = 22};
    struct world_reply reply;
    world_call(world, NOW, &request, &reply);
    expect(reply, 7,
           "permission denied: unable to parse token: token contains an invalid number of segments");
    world_free(world);
}

static struct world_reply account(struct world *world, const char *method, const char *header,
                                  const char *body) {
    struct world_header headers[] = {{"authorization", header}};
    struct world_request request = {.endpoint = WORLD_TTNV2_ACCOUNT,
                                    .method = method,
                                    .headers = headers,
                                    .header_count = header != NULL ? 1 : 0,
                                    .body = body,
                                    .body_size = strlen(body)};
    struct world_reply reply;
    world_call(world, NOW, &request, &reply);
    return reply;
}

static void test_exchange(void **state) {
    (void)state;
    struct world *world = make_world(3);
    static const char method[] = "POST /api/v2/applications/token";
    char *good = memory_printf("{\"username\":\"" APP "\",\"password\":\"%s\"}", world_access_key(world));
    struct world_reply reply = account(world, method, NULL, good);
    assert_int_equal(reply.status, 200);
    const char *text = buffer_string(&reply.body);
    static const char before[] = "{\"access_token\":\"";
    assert_memory_equal(text, before, sizeof before - 1);
    char *token = memory_strndup(text + sizeof before - 1, strcspn(text + sizeof before - 1, "\""));
    assert_non_null(strstr(text, "\"expires_in\":3600}"));
    world_reply_release(&reply);
    reply = get_with(world, "token", token, APP);
    assert_int_equal(reply.status, 0);
    world_reply_release(&reply);
    expect(get_with(world, "token", token, "other-app"), 7,
           "permission denied: No \"devices\" rights to Application \"other-app\"");
    BUFFER_AUTO body;
    buffer_init(&body, BUFFER_UNLIMITED);
    put_text(&body, 1, APP);
    put_text(&body, 2, "mydevice");
    expect(call_at(world, NOW + 3600 * NS_PER_SECOND, HANDLER("GetDevice"), "token", token, &body), 7,
           "permission denied: unable to parse token: token is expired");
    reply = account(world, method, NULL, "{\"username\":\"" APP "\",\"password\":\"wrong\"}");
    assert_int_equal(reply.status, 401);
    assert_string_equal(buffer_string(&reply.body), "{\"code\":401,\"error\":\"Invalid access key\"}");
    world_reply_release(&reply);
    reply = account(world, method, NULL, "no json");
    assert_int_equal(reply.status, 400);
    world_reply_release(&reply);
    free(good);
    free(token);
    world_free(world);
}

static void test_gateways(void **state) {
    (void)state;
    struct world *world = make_world(0);
    char *bearer = memory_printf("Bearer %s", world_user_token(world));
    struct world_reply reply = account(world, "GET /api/v2/gateways", bearer, "");
    assert_int_equal(reply.status, 200);
    assert_non_null(strstr(buffer_string(&reply.body), "\"id\":\"eui-b827ebfffe000001\""));
    world_reply_release(&reply);
    reply = account(world, "GET /api/v2/gateways/my-gateway-connector", bearer, "");
    assert_int_equal(reply.status, 200);
    world_reply_release(&reply);
    reply = account(world, "GET /api/v2/gateways/none", bearer, "");
    assert_int_equal(reply.status, 404);
    world_reply_release(&reply);
    reply = account(world, "GET /api/v2/gateways", "Bearer wrong", "");
    assert_int_equal(reply.status, 401);
    world_reply_release(&reply);
    free(bearer);
    world_free(world);
}

static struct world_reply discover(struct world *world, const char *method, uint32_t first, const char *a,
                                   const char *b) {
    BUFFER_AUTO body;
    buffer_init(&body, BUFFER_UNLIMITED);
    put_text(&body, first, a);
    put_text(&body, first + 1, b);
    struct world_request request = {
        .endpoint = WORLD_TTNV2_DISCOVERY, .method = method, .body = body.data, .body_size = body.size};
    struct world_reply reply;
    world_call(world, NOW, &request, &reply);
    return reply;
}

static void test_applications(void **state) {
    (void)state;
    struct world *world = make_world(1);
    expect(discover(world, "/discovery.Discovery/GetByAppID", 30, "nobody", NULL), 5,
           "discovery:app_id:nobody not found");
    expect(discover(world, "/discovery.Discovery/GetByAppID", 30, "unregistered-app", NULL), 5,
           "discovery:app_id:unregistered-app not found");
    struct world_reply reply = discover(world, "/discovery.Discovery/Get", 1, "dev", "handler");
    assert_int_equal(reply.status, 0);
    assert_true(reply.body.size > 0);
    world_reply_release(&reply);
    reply = discover(world, "/discovery.Discovery/GetAll", 1, "handler", NULL);
    assert_int_equal(reply.status, 0);
    assert_true(reply.body.size > 0);
    world_reply_release(&reply);
    reply = discover(world, "/discovery.Discovery/GetAll", 1, "router", NULL);
    assert_int_equal(reply.body.size, 0);
    world_reply_release(&reply);
    expect(discover(world, "/discovery.Discovery/Announce", 1, "x", NULL), 12,
           "unknown method Announce for service discovery.Discovery");
    expect(call_ids(world, HANDLER("Nothing"), APP, NULL), 12,
           "unknown method Nothing for service handler.ApplicationManager");
    expect(call_ids(world, "/no.Service/Nothing", APP, NULL), 12, "unknown service no.Service");
    world_free(world);
}

// Registering makes the Handler and Discovery know it; its key is that of an application of the same name and
// seed.
static void test_registration(void **state) {
    (void)state;
    struct world_setup setup = {.seed = 1, .app_id = "unregistered-app"};
    struct world *same_key = world_new(&setup);
    struct world *world = make_world(0);
    BUFFER_AUTO body;
    buffer_init(&body, BUFFER_UNLIMITED);
    put_text(&body, 1, "unregistered-app");
    const char *access = world_access_key(same_key);
    expect(call_at(world, NOW, HANDLER("GetApplication"), "key", access, &body), 5,
           "Application not registered to this Handler: handler:application:unregistered-app not found");
    expect(call_at(world, NOW, HANDLER("RegisterApplication"), "key", access, &body), 0, "");
    expect(call_at(world, NOW, HANDLER("GetApplication"), "key", access, &body), 0, "");
    struct world_reply reply =
        discover(world, "/discovery.Discovery/GetByAppID", 30, "unregistered-app", NULL);
    assert_int_equal(reply.status, 0);
    world_reply_release(&reply);
    world_free(same_key);
    world_free(world);
}

static struct world_reply list_with(struct world *world, const char *limit, const char *offset) {
    struct world_header headers[] = {{"key", world_access_key(world)}, {"limit", limit}, {"offset", offset}};
    struct world_request request = {.endpoint = WORLD_TTNV2_HANDLER,
                                    .method = HANDLER("GetDevicesForApplication"),
                                    .headers = headers,
                                    .header_count = 3,
                                    .body = "\x0a\x0amy-ttn-app",
                                    .body_size = 12};
    struct world_reply reply;
    world_call(world, NOW, &request, &reply);
    return reply;
}

static void expect_page(struct world *world, const char *limit, const char *offset, const char *total,
                        const char *selected) {
    struct world_reply reply = list_with(world, limit, offset);
    assert_int_equal(reply.status, 0);
    assert_string_equal(reply.headers[0].value, total);
    assert_string_equal(reply.headers[1].value, selected);
    unsigned long count = 0;
    struct wire_reader reader = {.data = reply.body.data, .size = reply.body.size};
    struct wire_field field;
    while (wire_next(&reader, &field)) count++;
    assert_int_equal(count, strtoul(selected, NULL, 10));
    world_reply_release(&reply);
}

static void test_paging(void **state) {
    (void)state;
    struct world *world = make_world(25);
    expect_page(world, "", "", "25", "25");
    expect_page(world, "0", "0", "25", "25");
    expect_page(world, "10", "0", "25", "10");
    expect_page(world, "10", "20", "25", "5");
    expect_page(world, "10", "25", "25", "0");
    expect_page(world, "10", "1000", "25", "0");
    expect(list_with(world, "x", ""), 2, "strconv.ParseUint: parsing \"x\": invalid syntax");
    expect(list_with(world, "", "-1"), 2, "strconv.ParseUint: parsing \"-1\": invalid syntax");
    expect(list_with(world, "99999999999999999999", ""), 2,
           "strconv.ParseUint: parsing \"99999999999999999999\": value out of range");
    world_free(world);
}

static void test_set_device_form(void **state) {
    (void)state;
    struct world *world = make_world(3);
    struct device device = {.app_id = APP, .dev_id = "new-device", .app_eui = app_eui, .dev_eui = dev_eui};
    struct device bad = device;
    bad.no_lorawan = true;
    expect(set_device(world, &bad), 3, "Invalid Device: Device not valid: can not be empty");
    bad = device;
    bad.inner_app_id = "";
    expect(set_device(world, &bad), 3,
           "Invalid Device: Invalid Device: Invalid LoRaWANDevice: AppID not valid: can not be empty");
    bad = device;
    bad.inner_dev_id = "";
    expect(set_device(world, &bad), 3,
           "Invalid Device: Invalid Device: Invalid LoRaWANDevice: DevID not valid: can not be empty");
    bad = device;
    bad.dev_id = "Bad";
    expect(set_device(world, &bad), 3, "Invalid Device: DevID not valid: " WRONG_FORM);
    bad = device;
    bad.app_key = key;
    bad.app_key_size = 15;
    expect(set_device(world, &bad), 13,
           "grpc: error unmarshalling request: ttn/core: Invalid length for AES128Key");
    expect(call_ids(world, HANDLER("GetDevice"), APP, "new-device"), 5,
           "handler:device:" APP ":new-device not found");
    expect(set_device(world, &device), 0, "");
    bad = device;
    bad.dev_id = "second-name";
    expect(set_device(world, &bad), 6, "Device with AppEUI and DevEUI already exists");
    bad.app_eui = other_app_eui;
    bad.dev_eui = other_dev_eui;
    expect(set_device(world, &bad), 7,
           "Broker did not set device: permission denied: NetworkServer did not set device: permission "
           "denied: No "
           "\"devices\" rights to Application \"other-app\"");
    world_free(world);
}

// A key of zero bytes is there and has the wrong length; other malformed messages.
static void test_malformed(void **state) {
    (void)state;
    struct world *world = make_world(1);
    static const struct {
        const char *bytes;
        size_t size;
        const char *message;
    } rows[] = {
        {"\x0a\x02"
         "ab\x1a\x02\x42\x00",
         8, "grpc: error unmarshalling request: ttn/core: Invalid length for AES128Key"},
        {"\x0a\x7f", 2, "grpc: error unmarshalling request: unexpected EOF"},
        {"\x0a", 1, "grpc: error unmarshalling request: unexpected EOF"},
        {"\x08\x01", 2, "grpc: error unmarshalling request: proto: wrong wireType"},
        {"\x0f", 1, "grpc: error unmarshalling request: proto: illegal wireType"},
        {"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12,
         "grpc: error unmarshalling request: proto: integer overflow"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        BUFFER_AUTO body;
        buffer_init(&body, BUFFER_UNLIMITED);
        buffer_add(&body, rows[i].bytes, rows[i].size);
        expect(call_at(world, NOW, HANDLER("SetDevice"), "key", world_access_key(world), &body), 13,
               rows[i].message);
    }
    world_free(world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_identifiers),     cmocka_unit_test(test_keys),
        cmocka_unit_test(test_token_first),     cmocka_unit_test(test_exchange),
        cmocka_unit_test(test_gateways),        cmocka_unit_test(test_applications),
        cmocka_unit_test(test_registration),    cmocka_unit_test(test_paging),
        cmocka_unit_test(test_set_device_form), cmocka_unit_test(test_malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
