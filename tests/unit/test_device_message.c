// SPDX-License-Identifier: Apache-2.0
// Messages from hostile bytes; differences, equality, copies and redaction.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "device/device.h"
#include "google.pb-c.h"
#include "support/device_text.h"

#define DEVICE (&tts__end_device__descriptor)

static void assert_unpack_fails(const ProtobufCMessageDescriptor *descriptor, const void *data, size_t size,
                                enum error_code code) {
    struct arena arena = {0};
    struct error error = {0};
    assert_null(message_unpack(descriptor, data, size, &arena, &error));
    assert_int_equal(error.code, code);
    error_release(&error);
    arena_release(&arena);
}

static void test_malformed_bytes(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
    } rows[] = {
        {"\x0a", 1},                                           // no length
        {"\x0a\x05\x0a", 3},                                   // longer than the text
        {"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11},  // far longer
        {"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12},
        {"\x80", 1},                          // half a tag
        {"\x78\x80", 2},                      // half a number
        {"\x0b\x0c", 2},                      // groups
        {"\x0f", 1},                          // no such wire type
        {"\x0a\x02\x12\x7f", 4},              // an inner message that is too long
        {"\x00\x00", 2},                      // member 0
        {"\xfa\xff\xff\xff\xff\xff\x01", 7},  // a tag beyond 32 bits
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_unpack_fails(DEVICE, rows[i].bytes, rows[i].size, ERROR_PROTOCOL);
    }
}

// Messages in messages: from the inside to the outside, each with its length.
static size_t nest(uint8_t *bytes, size_t capacity, size_t levels) {
    size_t at = capacity;
    for (size_t i = 0; i < levels; i++) {
        uint8_t header[8];
        size_t size = 0, length = capacity - at;
        header[size++] = 0x32;  // ErrorDetails.cause
        for (; length > 127; length >>= 7) header[size++] = (uint8_t)(length | 128);
        header[size++] = (uint8_t)length;
        at -= size;
        memcpy(bytes + at, header, size);
    }
    return at;
}

static void test_depth(void **state) {
    (void)state;
    static uint8_t bytes[2000000];
    struct arena arena = {0};
    size_t at = nest(bytes, sizeof bytes, MESSAGE_DEPTH_MAX);
    assert_non_null(
        message_unpack(&tts__error_details__descriptor, bytes + at, sizeof bytes - at, &arena, NULL));
    arena_release(&arena);
    at = nest(bytes, sizeof bytes, MESSAGE_DEPTH_MAX + 1);
    assert_unpack_fails(&tts__error_details__descriptor, bytes + at, sizeof bytes - at, ERROR_TOO_LARGE);
    at = nest(bytes, sizeof bytes, 400000);
    assert_unpack_fails(&tts__error_details__descriptor, bytes + at, sizeof bytes - at, ERROR_TOO_LARGE);
}

// Two bytes that ask for a message of some hundred: a few megabytes would ask for gigabytes.
static void test_memory(void **state) {
    (void)state;
    size_t count = 1000000;
    uint8_t *bytes = malloc(2 * count);
    assert_non_null(bytes);
    for (size_t i = 0; i < count; i++) memcpy(bytes + 2 * i, "\x0a\x00", 2);
    assert_unpack_fails(&tts__end_devices__descriptor, bytes, 2 * count, ERROR_TOO_LARGE);
    free(bytes);
}

// Bytes that are cut anywhere are an error or a message.
static void test_cut_bytes(void **state) {
    (void)state;
    struct arena arena = {0};
    struct buffer bytes;
    buffer_init(&bytes, BUFFER_UNLIMITED);
    const ProtobufCMessage *device = message_of(
        DEVICE,
        "{\"ids\":{\"device_id\":\"abc\"},\"attributes\":{\"abc\":\"d\"},\"used_dev_nonces\":[1,2],"
        "\"mac_state\":{\"current_parameters\":{\"max_eirp\":16,\"channels\":[{},{}]}}}",
        &arena);
    message_pack(device, &bytes);
    for (size_t cut = 0; cut <= bytes.size; cut++) {
        struct arena part = {0};
        uint8_t *copy = malloc(cut + 1);
        assert_non_null(copy);
        if (cut > 0) memcpy(copy, bytes.data, cut);
        const ProtobufCMessage *message = message_unpack(DEVICE, copy, cut, &part, NULL);
        if (message != NULL) free(text_of(message));
        free(copy);
        arena_release(&part);
    }
    buffer_release(&bytes);
    arena_release(&arena);
}

// What a newer server adds is kept.
static void test_unknown_fields_are_kept(void **state) {
    (void)state;
    static const uint8_t bytes[] = {0x0a, 0x05, 0x0a, 0x03, 'a', 'b', 'c', 0xf8, 0x3f, 0x2a};
    struct arena arena = {0};
    struct buffer again;
    buffer_init(&again, BUFFER_UNLIMITED);
    const ProtobufCMessage *message = message_unpack(DEVICE, bytes, sizeof bytes, &arena, NULL);
    assert_non_null(message);
    message_pack(message_copy(message, &arena), &again);
    assert_int_equal(again.size, sizeof bytes);
    assert_memory_equal(again.data, bytes, sizeof bytes);
    buffer_release(&again);
    arena_release(&arena);
}

static void collect(void *context, const struct message_difference *difference) {
    buffer_printf(context, "%s: %s -> %s\n", difference->path,
                  difference->left == NULL ? "-" : difference->left,
                  difference->right == NULL ? "-" : difference->right);
}

static void assert_difference(const char *left, const char *right, const char *expected) {
    struct arena arena = {0};
    struct buffer text;
    buffer_init(&text, BUFFER_UNLIMITED);
    const ProtobufCMessage *a = message_of(DEVICE, left, &arena);
    const ProtobufCMessage *b = message_of(DEVICE, right, &arena);
    size_t count = message_diff(a, b, collect, &text);
    size_t lines = 0;
    for (const char *at = expected; *at != '\0'; at++) lines += *at == '\n';
    assert_string_equal(buffer_string(&text), expected);
    assert_int_equal(count, lines);
    assert_int_equal(message_equal(a, b), lines == 0);
    assert_int_equal(message_equal(b, a), lines == 0);
    buffer_release(&text);
    arena_release(&arena);
}

#define SESSION_A "{\"session\":{\"keys\":{\"app_s_key\":{\"key\":\"00000000000000000000000000005EC4\"}}}}"
#define SESSION_B "{\"session\":{\"keys\":{\"app_s_key\":{\"key\":\"00000000000000000000000000005EC5\"}}}}"

static const struct {
    const char *left;
    const char *right;
    const char *expected;
} differences[] = {
    {"{}", "{}", ""},
    {"{\"name\":\"a\"}", "{\"name\":\"b\"}", "name: \"a\" -> \"b\"\n"},
    {"{\"name\":\"a\"}", "{}", "name: \"a\" -> -\n"},
    {"{}", "{\"last_dev_nonce\":3,\"supports_join\":true}",
     "supports_join: - -> true\nlast_dev_nonce: - -> 3\n"},
    {"{\"lorawan_version\":1}", "{\"lorawan_version\":2}",
     "lorawan_version: \"MAC_V1_0\" -> \"MAC_V1_0_1\"\n"},
    {"{\"created_at\":\"2026-01-01T00:00:00Z\"}", "{\"created_at\":\"2026-01-01T00:00:00.5Z\"}",
     "created_at: \"2026-01-01T00:00:00Z\" -> \"2026-01-01T00:00:00.500Z\"\n"},
    {"{\"created_at\":\"2026-01-01T00:00:00Z\"}", "{\"created_at\":\"2026-01-01T00:00:00.000Z\"}", ""},
    {"{}", "{\"created_at\":\"1970-01-01T00:00:00Z\"}", "created_at: - -> \"1970-01-01T00:00:00Z\"\n"},
    {"{\"mac_settings\":{}}", "{}", "mac_settings: {} -> -\n"},
    {"{\"mac_settings\":{\"rx1_delay\":0}}", "{\"mac_settings\":{}}", "mac_settings.rx1_delay: 0 -> -\n"},
    {"{\"mac_settings\":{\"rx1_delay\":0}}", "{\"mac_settings\":{\"rx1_delay\":1}}",
     "mac_settings.rx1_delay: 0 -> 1\n"},
    {"{\"attributes\":{\"a\":\"1\",\"b\":\"2\",\"d\":\"4\"}}",
     "{\"attributes\":{\"c\":\"3\",\"b\":\"x\",\"d\":\"4\"}}",
     "attributes.a: \"1\" -> -\nattributes.b: \"2\" -> \"x\"\nattributes.c: - -> \"3\"\n"},
    {"{\"used_dev_nonces\":[1,2]}", "{\"used_dev_nonces\":[1,3,0]}",
     "used_dev_nonces[1]: 2 -> 3\nused_dev_nonces[2]: - -> 0\n"},
    {"{\"mac_state\":{\"current_parameters\":{\"channels\":[{\"uplink_frequency\":1}]}}}",
     "{\"mac_state\":{\"current_parameters\":{\"channels\":[{\"uplink_frequency\":2}]}}}",
     "mac_state.current_parameters.channels[0].uplink_frequency: \"1\" -> \"2\"\n"},
    {"{\"mac_state\":{\"rejected_data_rate_ranges\":{\"9\":{}}}}",
     "{\"mac_state\":{\"rejected_data_rate_ranges\":{\"10\":{}}}}",
     "mac_state.rejected_data_rate_ranges.9: {} -> -\nmac_state.rejected_data_rate_ranges.10: - -> {}\n"},
    {SESSION_A, SESSION_A, ""},
    {SESSION_A, SESSION_B, "session.keys.app_s_key.key: (secret) -> (secret)\n"},
    {SESSION_A, "{}", "session.keys.app_s_key.key: (secret) -> -\n"},
};

static void test_differences(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof differences / sizeof differences[0]; i++) {
        assert_difference(differences[i].left, differences[i].right, differences[i].expected);
    }
}

static void assert_redacted(const ProtobufCMessageDescriptor *descriptor, const char *text,
                            const char *expected) {
    struct arena arena = {0};
    ProtobufCMessage *message = message_of(descriptor, text, &arena);
    message_redact(message);
    char *redacted = text_of(message);
    assert_string_equal(redacted, expected);
    free(redacted);
    arena_release(&arena);
}

static void test_redaction(void **state) {
    (void)state;
    assert_redacted(DEVICE, SESSION_A, "{\"session\":{\"keys\":{\"app_s_key\":{}}}}");
    assert_redacted(DEVICE,
                    "{\"name\":\"a\",\"root_keys\":{\"root_key_id\":\"r\",\"app_key\":{\"kek_label\":\"l\","
                    "\"encrypted_key\":\"AAE=\"}},\"claim_authentication_code\":{\"value\":\"CODE\"}}",
                    "{\"name\":\"a\",\"root_keys\":{\"root_key_id\":\"r\",\"app_key\":{\"kek_label\":\"l\"}},"
                    "\"claim_authentication_code\":{}}");
    assert_redacted(&tts__end_devices__descriptor, "{\"end_devices\":[" SESSION_A "," SESSION_B "]}",
                    "{\"end_devices\":[{\"session\":{\"keys\":{\"app_s_key\":{}}}},"
                    "{\"session\":{\"keys\":{\"app_s_key\":{}}}}]}");
    assert_redacted(&tts__gateway__descriptor, "{\"lbs_lns_secret\":{\"key_id\":\"k\",\"value\":\"AAE=\"}}",
                    "{\"lbs_lns_secret\":{\"key_id\":\"k\"}}");
}

// The bytes of a key are wiped where they are.
static void test_redaction_wipes(void **state) {
    (void)state;
    uint8_t key[16];
    memset(key, 0xaa, sizeof key);
    DEVICE_AUTO device = {0};
    device_init(&device);
    device.end_device->root_keys = message_new(&device.arena, &tts__root_keys__descriptor);
    device_set_key(&device, &device.end_device->root_keys->app_key, key);
    const uint8_t *bytes = device.end_device->root_keys->app_key->key.data;
    message_redact(&device.end_device->base);
    for (size_t i = 0; i < sizeof key; i++) assert_int_equal(bytes[i], 0);
}

// It goes wherever the message goes, but not into JSON.
static void test_gen_app_key(void **state) {
    (void)state;
    DEVICE_AUTO device = {0};
    device_init(&device);
    struct key128 key;
    assert_false(device_gen_app_key(device.end_device, &key));
    device_drop_gen_app_key(&device);
    assert_int_equal(device.notes.count, 0);
    for (uint8_t first = 0xaa; first < 0xac; first++) {
        memset(key.bytes, first, sizeof key.bytes);
        device_set_gen_app_key(&device, &key);
    }
    char *text = text_of(&device.end_device->base);
    assert_string_equal(text, "{}");
    free(text);
    Tts__EndDevice *copy = message_copy(&device.end_device->base, &device.arena);
    memset(key.bytes, 0, sizeof key.bytes);
    assert_true(device_gen_app_key(copy, &key));
    assert_int_equal(key.bytes[0], 0xab);
    assert_int_equal(key.bytes[15], 0xab);
    const uint8_t *bytes = copy->base.unknown_fields[0].data;
    message_redact(&copy->base);
    assert_false(device_gen_app_key(copy, &key));
    for (size_t i = 0; i < 1 + sizeof key.bytes; i++) assert_int_equal(bytes[i], 0);
    bytes = device.end_device->base.unknown_fields[0].data;
    device_drop_gen_app_key(&device);
    assert_false(device_gen_app_key(device.end_device, &key));
    for (size_t i = 0; i < 1 + sizeof key.bytes; i++) assert_int_equal(bytes[i], 0);
    assert_int_equal(device.notes.count, 1);
    assert_string_equal(device.notes.items[0].path, "gen_app_key");
}

static void test_device_setters(void **state) {
    (void)state;
    DEVICE_AUTO device = {0};
    device_init(&device);
    assert_string_equal(device_id(&device), "");
    device_set_application(&device, "my-app");
    device_set_text(&device, &device_ids(&device)->device_id, "my-device");
    device_set_bytes(&device, &device_ids(&device)->dev_eui, "\x01\x02\x03\x04\x05\x06\x07\x08", 8);
    device_set_attribute(&device, "old-id", "a");
    device_set_attribute(&device, "old-id", "my_device");
    device_set_attribute(&device, "b", "c");
    device_set_time(&device, &device.end_device->created_at, -1);
    device_note(&device, "name", "became %d", 5);
    assert_string_equal(device_id(&device), "my-device");
    assert_string_equal(device_attribute(&device, "old-id"), "my_device");
    assert_null(device_attribute(&device, "none"));
    assert_int_equal(device.notes.count, 1);
    assert_string_equal(device.notes.items[0].text, "became 5");
    char *text = text_of(&device.end_device->base);
    assert_string_equal(
        text,
        "{\"ids\":{\"device_id\":\"my-device\",\"application_ids\":{\"application_id\":\"my-app\"},"
        "\"dev_eui\":\"0102030405060708\"},\"created_at\":\"1969-12-31T23:59:59.999999999Z\","
        "\"attributes\":{\"b\":\"c\",\"old-id\":\"my_device\"}}");
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_malformed_bytes),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_cut_bytes),
        cmocka_unit_test(test_unknown_fields_are_kept),
        cmocka_unit_test(test_differences),
        cmocka_unit_test(test_redaction),
        cmocka_unit_test(test_redaction_wipes),
        cmocka_unit_test(test_gen_app_key),
        cmocka_unit_test(test_device_setters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
