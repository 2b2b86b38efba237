// SPDX-License-Identifier: Apache-2.0
// The world answers for recorded devices what a running TTN V2 answered, byte for byte.
#include "test_sandbox_help.h"

#include <jansson.h>

#include "support/xz.h"

enum { RECORDED_DEVICES = 140, FILE_MAX = 16 << 20 };

#define VECTORS TEST_DATA "/vectors/ttnv2/"

static void read_file(const char *path, struct buffer *content) {
    buffer_init(content, FILE_MAX);
    FILE *file = fopen(path, "rb");
    if (file == NULL) fail_msg("cannot read %s", path);
    uint8_t block[4096];
    for (size_t size = 0; (size = fread(block, 1, sizeof block, file)) > 0;) buffer_add(content, block, size);
    fclose(file);
    assert_false(content->overflowed);
}

static void read_xz(const char *name, struct buffer *content) {
    buffer_init(content, FILE_MAX);
    FILE *file = xz_open(name);
    uint8_t block[4096];
    for (size_t size = 0; (size = fread(block, 1, sizeof block, file)) > 0;) buffer_add(content, block, size);
    fclose(file);
    assert_false(content->overflowed);
}

static struct world *empty_world(void) {
    struct world_setup setup = {.seed = 1, .app_id = "my-app"};
    return world_new(&setup);
}

static void test_devices(void **state) {
    (void)state;
    BUFFER_AUTO lines;
    read_xz("vectors/ttnv2/devices.jsonl.xz", &lines);
    struct world *world = empty_world();
    char *copy = memory_strdup(buffer_string(&lines));
    char *rest = copy;
    for (const char *line = NULL; (line = strsep(&rest, "\n")) != NULL;) {
        ERROR_AUTO error = {0};
        const char *app_id = NULL;
        if (*line == '\0') continue;
        assert_int_equal(world_load_device(world, line, strlen(line), &app_id, &error), 0);
        assert_string_equal(app_id, "my-app");
    }
    free(copy);
    unsigned count = 0;
    rest = (char *)lines.data;
    for (const char *line = NULL; (line = strsep(&rest, "\n")) != NULL;) {
        if (*line == '\0') continue;
        json_t *object = json_loads(line, 0, NULL);
        char *hex = get_device_hex(world, "my-app", json_string_value(json_object_get(object, "dev_id")));
        assert_string_equal(hex, json_string_value(json_object_get(object, "get_device_hex")));
        free(hex);
        json_decref(object);
        count++;
    }
    assert_int_equal(count, RECORDED_DEVICES);
    world_free(world);
}

static void load_bytes(struct world *world, const void *data, size_t size) {
    const uint8_t *bytes = data;
    BUFFER_AUTO line;
    buffer_init(&line, BUFFER_UNLIMITED);
    buffer_puts(&line, "{\"dev_id\":\"any\",\"get_device_hex\":\"");
    for (size_t i = 0; i < size; i++) buffer_printf(&line, "%02x", bytes[i]);
    buffer_puts(&line, "\"}");
    ERROR_AUTO error = {0};
    assert_int_equal(world_load_device(world, (const char *)line.data, line.size, NULL, &error), 0);
}

static void expect_bytes(const struct world_reply *reply, const struct buffer *expected) {
    assert_int_equal(reply->status, 0);
    assert_int_equal(reply->body.size, expected->size);
    assert_memory_equal(reply->body.data, expected->data, expected->size);
}

static void test_wire_devices(void **state) {
    (void)state;
    static const char *const ids[] = {
        "abp-attributes", "abp-max-counters", "abp-plain",   "otaa-description-unicode",
        "otaa-location",  "otaa-plain",       "otaa-session"};
    struct world *world = empty_world();
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        char *path = memory_printf(VECTORS "wire/GetDevice.%s.response.bin", ids[i]);
        BUFFER_AUTO expected;
        read_file(path, &expected);
        load_bytes(world, expected.data, expected.size);
        struct world_reply reply = call_ids(world, HANDLER("GetDevice"), "my-app", ids[i]);
        expect_bytes(&reply, &expected);
        world_reply_release(&reply);
        free(path);
    }
    world_free(world);
}

// A recorded request frame, without its prefix.
static struct world_reply call_frame(struct world *world, enum world_endpoint endpoint, const char *method,
                                     const char *path) {
    BUFFER_AUTO frame;
    read_file(path, &frame);
    buffer_drop(&frame, 5);
    struct world_header headers[] = {{"key", world_access_key(world)}};
    struct world_request request = {
        .endpoint = endpoint,
        .method = method,
        .headers = headers,
        .header_count = 1,
        .body = frame.data,
        .body_size = frame.size,
    };
    struct world_reply reply;
    world_call(world, NOW, &request, &reply);
    return reply;
}

static void test_wire_requests(void **state) {
    (void)state;
    struct world *world = empty_world();
    BUFFER_AUTO expected;
    read_file(VECTORS "wire/GetDevice.otaa-session.response.bin", &expected);
    load_bytes(world, expected.data, expected.size);
    struct world_reply reply = call_frame(world, WORLD_TTNV2_HANDLER, HANDLER("GetDevice"),
                                          VECTORS "wire/GetDevice.otaa-session.request.frame");
    expect_bytes(&reply, &expected);
    world_reply_release(&reply);
    expect(call_frame(world, WORLD_TTNV2_HANDLER, HANDLER("GetDevice"),
                      VECTORS "wire/GetDevice.no-such-device.request.frame"),
           5, "handler:device:my-app:no-such-device not found");
    world_free(world);
}

static void test_list(void **state) {
    (void)state;
    struct world *world = empty_world();
    BUFFER_AUTO expected;
    read_file(VECTORS "wire/GetDevicesForApplication.limit5.response.bin", &expected);
    struct wire_reader reader = {.data = expected.data, .size = expected.size};
    struct wire_field field;
    while (wire_next(&reader, &field)) load_bytes(world, field.bytes.data, field.bytes.size);
    BUFFER_AUTO other;
    read_file(VECTORS "wire/GetDevice.otaa-session.response.bin", &other);
    load_bytes(world, other.data, other.size);
    struct world_header headers[] = {{"key", world_access_key(world)}, {"limit", "5"}};
    struct world_request request = {
        .endpoint = WORLD_TTNV2_HANDLER,
        .method = HANDLER("GetDevicesForApplication"),
        .headers = headers,
        .header_count = 2,
        .body = "\x0a\x06my-app",
        .body_size = 8,
    };
    struct world_reply reply;
    world_call(world, NOW, &request, &reply);
    expect_bytes(&reply, &expected);
    assert_int_equal(reply.header_count, 2);
    assert_string_equal(reply.headers[0].name, "total");
    assert_string_equal(reply.headers[0].value, "6");
    assert_string_equal(reply.headers[1].name, "selected");
    assert_string_equal(reply.headers[1].value, "5");
    world_reply_release(&reply);
    world_free(world);
}

static void test_application(void **state) {
    (void)state;
    struct world *world = empty_world();
    BUFFER_AUTO expected;
    read_file(VECTORS "wire/GetApplication.response.bin", &expected);
    expect(call_at(world, NOW, HANDLER("SetApplication"), "key", world_access_key(world), &expected), 0, "");
    struct world_reply reply = call_ids(world, HANDLER("GetApplication"), "my-app", NULL);
    expect_bytes(&reply, &expected);
    world_reply_release(&reply);
    world_free(world);
}

static void test_discovery(void **state) {
    (void)state;
    struct world *world = empty_world();
    BUFFER_AUTO recorded;
    read_file(VECTORS "wire/GetByAppID.response.bin", &recorded);
    struct wire_bytes texts[17] = {0};
    struct wire_reader reader = {.data = recorded.data, .size = recorded.size};
    struct wire_field field;
    while (wire_next(&reader, &field)) texts[field.number] = field.bytes;
    char *address = memory_strndup((const char *)texts[11].data, texts[11].size);
    char *certificate = memory_strndup((const char *)texts[13].data, texts[13].size);
    char *api = memory_strndup((const char *)texts[14].data, texts[14].size);
    world_announce_handler(world, address, certificate, api);
    struct world_reply reply = call_frame(world, WORLD_TTNV2_DISCOVERY, "/discovery.Discovery/GetByAppID",
                                          VECTORS "wire/GetByAppID.request.frame");
    assert_int_equal(reply.status, 0);
    struct wire_reader own = {.data = reply.body.data, .size = reply.body.size};
    unsigned same = 0;
    while (wire_next(&own, &field)) {
        if (field.number == 3) continue;  // the version is our own
        assert_int_equal(field.bytes.size, texts[field.number].size);
        assert_memory_equal(field.bytes.data, texts[field.number].data, field.bytes.size);
        same++;
    }
    assert_int_equal(same, 5);
    world_reply_release(&reply);
    free(address);
    free(certificate);
    free(api);
    world_free(world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_devices),       cmocka_unit_test(test_wire_devices),
        cmocka_unit_test(test_wire_requests), cmocka_unit_test(test_list),
        cmocka_unit_test(test_application),   cmocka_unit_test(test_discovery),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
