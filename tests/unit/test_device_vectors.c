// SPDX-License-Identifier: Apache-2.0
// Devices as a running The Things Stack (3.32) prints and sends them, and as the first MAC states and exports
// of TTN V2 devices were recorded: each line is written again as it was read.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/memory.h"
#include "device/json_scan_p.h"
#include "device/validate.h"
#include "rpc.pb-c.h"
#include "support/device_text.h"
#include "support/xz.h"

#define DEVICE (&tts__end_device__descriptor)
#define KEY    "00112233445566778899AABBCCDDEEFF"

// Calls `check` with each line of a file of JSON objects; returns their number.
static size_t each_line(const char *name, void (*check)(const char *line, void *context), void *context) {
    FILE *file = xz_open(name);
    char *line = NULL;
    size_t capacity = 0, count = 0;
    while (getline(&line, &capacity, file) > 0) {
        line[strcspn(line, "\n")] = '\0';
        check(line, context);
        count++;
    }
    free(line);
    fclose(file);
    return count;
}

// The text of a member as it stands in the line; NULL if there is none. The caller frees it.
static char *member_text(const char *line, const char *name) {
    struct path path = {.name = name};
    struct json_place place;
    if (!json_scan_find(line, strlen(line), &path, &place)) return NULL;
    return memory_strndup(place.text, place.size);
}

// A member that is a text, without its quotes and escapes.
static char *member_string(const char *line, const char *name) {
    char *quoted = member_text(line, name);
    json_t *json = quoted == NULL ? NULL : json_loads(quoted, JSON_DECODE_ANY, NULL);
    char *text = json_is_string(json) ? memory_strdup(json_string_value(json)) : NULL;
    json_decref(json);
    free(quoted);
    return text;
}

static char *replaced(const char *text, const char *what, const char *with) {
    struct buffer result;
    buffer_init(&result, BUFFER_UNLIMITED);
    for (const char *at; what[0] != '\0' && (at = strstr(text, what)) != NULL; text = at + strlen(what)) {
        buffer_add(&result, text, (size_t)(at - text));
        buffer_puts(&result, with);
    }
    buffer_puts(&result, text);
    return buffer_take_string(&result);
}

// The only order that is free.
static char *with_sorted_attributes(const char *text) {
    char *attributes = member_text(text, "attributes");
    if (attributes == NULL) return memory_strdup(text);
    json_t *json = json_loads(attributes, 0, NULL);
    char *sorted = json_dumps(json, JSON_SORT_KEYS | JSON_COMPACT);
    char *result = replaced(text, attributes, sorted);
    json_decref(json);
    free(sorted);
    free(attributes);
    return result;
}

// The recorded text, with real values for the two that the recording left open.
static char *recorded_text(const char *text) {
    char *sorted = with_sorted_attributes(text);
    char *timed = replaced(sorted, "@NOW", "2026-11-22T19:17:46.662005Z");
    char *whole = replaced(timed, "@RANDOM16", "AAECAwQFBgcICQoLDA0ODw==");
    free(sorted);
    free(timed);
    return whole;
}

struct tally {
    size_t devices;
    size_t refused;
};

// JSON, protobuf and a copy say the same; the real servers take the device.
static void check_device(const char *recorded, struct tally *tally) {
    char *text = recorded_text(recorded);
    struct device device;
    struct findings findings = {0};
    struct buffer bytes;
    buffer_init(&bytes, BUFFER_UNLIMITED);
    device_init(&device);
    device.end_device = message_of(DEVICE, text, &device.arena);
    char *again = text_of(&device.end_device->base);
    assert_string_equal(again, text);
    message_pack(&device.end_device->base, &bytes);
    const ProtobufCMessage *read = message_unpack(DEVICE, bytes.data, bytes.size, &device.arena, NULL);
    assert_non_null(read);
    assert_true(message_equal(read, &device.end_device->base));
    device_validate_all(&device, frequency_plans_builtin(), &findings);
    tally->devices++;
    tally->refused += findings.count > 0;
    findings_release(&findings);
    buffer_release(&bytes);
    device_release(&device);
    free(again);
    free(text);
}

static void check_tts_line(const char *line, void *context) {
    static const char *const members[] = {"read", "sent"};
    for (size_t i = 0; i < 2; i++) {
        char *text = member_text(line, members[i]);
        if (text != NULL) check_device(text, context);
        free(text);
    }
}

static void test_things_stack_devices(void **state) {
    (void)state;
    struct tally tally = {0};
    assert_int_equal(each_line("vectors/tts/devices.jsonl.xz", check_tts_line, &tally), 36);
    assert_int_equal(tally.devices, 66);
    assert_int_equal(tally.refused, 0);
}

static void check_v2_line(const char *line, void *context) {
    static const char *const members[] = {"no_session", "with_session", "no_session_resets",
                                          "with_session_resets"};
    for (size_t i = 0; i < 4; i++) {
        char *text = member_string(line, members[i]);
        if (text != NULL) check_device(text, context);
        free(text);
    }
}

// One of the 140 is written as an ABP device with zero keys, in each of the four ways; a real server refuses
// it.
static void test_v2_devices(void **state) {
    (void)state;
    struct tally tally = {0};
    assert_int_equal(each_line("vectors/ttnv2/devices.jsonl.xz", check_v2_line, &tally), 140);
    assert_int_equal(tally.devices, 560);
    assert_int_equal(tally.refused, 4);
}

// Makes a joined device around the state.
static void check_state_line(const char *line, void *context) {
    char *state = member_text(line, "mac_state");
    char *mac = member_text(line, "lorawan_version");
    char *phy = member_text(line, "lorawan_phy_version");
    char *plan = member_text(line, "frequency_plan_id");
    if (state != NULL) {
        char *device = memory_printf(
            "{\"ids\":{\"device_id\":\"my-device\",\"application_ids\":{\"application_id\":\"app\"},"
            "\"dev_eui\":\"0102030405060708\",\"join_eui\":\"0000000000000000\"},\"lorawan_version\":%s,"
            "\"lorawan_phy_version\":%s,\"frequency_plan_id\":%s,\"supports_join\":true,\"mac_state\":%s,"
            "\"session\":{\"dev_addr\":\"26011234\",\"keys\":{\"session_key_id\":\"AAE=\","
            "\"f_nwk_s_int_key\":{\"key\":\"%s\"},\"s_nwk_s_int_key\":{\"key\":\"%s\"},"
            "\"nwk_s_enc_key\":{\"key\":\"%s\"}}}}",
            mac, phy, plan, state, KEY, KEY, KEY);
        check_device(device, context);
        free(device);
    }
    free(state);
    free(mac);
    free(phy);
    free(plan);
}

static void test_first_mac_states(void **state) {
    (void)state;
    struct tally tally = {0};
    assert_int_equal(each_line("vectors/mac-state.jsonl.xz", check_state_line, &tally), 5112);
    assert_int_equal(tally.devices, 4110);
    assert_int_equal(tally.refused, 0);
}

static void *unhex(const json_t *hex, size_t *ret_size) {
    *ret_size = json_string_length(hex) / 2;
    uint8_t *bytes = malloc(*ret_size + 1);
    assert_non_null(bytes);
    assert_true(hex_decode(bytes, *ret_size, json_string_value(hex), json_string_length(hex)));
    return bytes;
}

struct call_tally {
    size_t devices;
    size_t lists;
    size_t errors;
};

// The very bytes of the servers come out again, and their JSON comes back to the same message.
static void check_answer(const ProtobufCMessageDescriptor *descriptor, const json_t *hex, bool packed) {
    struct arena arena = {0};
    struct buffer bytes;
    size_t size;
    void *data = unhex(hex, &size);
    buffer_init(&bytes, BUFFER_UNLIMITED);
    const ProtobufCMessage *message = message_unpack(descriptor, data, size, &arena, NULL);
    assert_non_null(message);
    assert_int_equal(message->n_unknown_fields, 0);
    char *text = text_of(message);
    const ProtobufCMessage *again = message_of(descriptor, text, &arena);
    // What is packed within an Any may have its map in another order.
    if (!packed) assert_true(message_equal(message, again));
    char *text_again = text_of(again);
    assert_string_equal(text_again, text);
    message_pack(again, &bytes);
    assert_int_equal(bytes.size, size);
    free(text_again);
    free(text);
    free(data);
    buffer_release(&bytes);
    arena_release(&arena);
}

static void check_call(const char *text, void *context) {
    struct call_tally *tally = context;
    json_t *line = json_loads(text, 0, NULL);
    const char *method = json_string_value(json_object_get(line, "method"));
    const json_t *answer = json_object_get(line, "response_hex");
    if (strstr(method, "EndDeviceRegistry/Get") != NULL && answer != NULL) {
        check_answer(DEVICE, answer, false);
        tally->devices++;
    } else if (strcmp(method, "EndDeviceRegistry/List") == 0) {
        check_answer(&tts__end_devices__descriptor, answer, false);
        tally->lists++;
    } else if (json_object_get(line, "details_hex") != NULL) {
        check_answer(&rpc__status__descriptor, json_array_get(json_object_get(line, "details_hex"), 0), true);
        tally->errors++;
    }
    json_decref(line);
}

static void test_things_stack_calls(void **state) {
    (void)state;
    struct call_tally tally = {0};
    each_line("vectors/tts/calls.jsonl.xz", check_call, &tally);
    assert_true(tally.devices >= 20);
    assert_true(tally.lists >= 1);
    assert_true(tally.errors >= 7);
}

// A device as one of its servers sends it, read from protobuf and written as JSON.
static void test_answer_as_json(void **state) {
    (void)state;
    static const char hex[] =
        "0a2c0a0a6d69672d303030303030120a0a08746573742d6170702208700003013d0000002a087100000000000001120c0884"
        "f58cd8061080"
        "bccb81031a0c0884f58cd80610e8c3cb8103220a6d69672d3030303030302a0f6d616465206279206c6f616467656e32140a"
        "066f6c642d69"
        "64120a6d69675f3030303030303a004a093132372e302e302e3152093132372e302e302e315a093132372e302e302e31621e"
        "0a0475736572"
        "1216098fc2f5285c2f4a401185eb51b81e85134018022803";
    static const char expected[] =
        "{\"ids\":{\"device_id\":\"mig-000000\",\"application_ids\":{\"application_id\":\"test-app\"},"
        "\"dev_eui\":\"700003013D000000\",\"join_eui\":\"7100000000000001\"},"
        "\"created_at\":\"2026-11-22T18:55:00.808640Z\",\"updated_at\":\"2026-11-22T18:55:00.808641Z\","
        "\"name\":\"mig-000000\",\"description\":\"made by "
        "loadgen\",\"attributes\":{\"old-id\":\"mig_000000\"},"
        "\"version_ids\":{},\"network_server_address\":\"127.0.0.1\",\"application_server_address\":\"127.0."
        "0.1\","
        "\"join_server_address\":\"127.0.0.1\",\"locations\":{\"user\":{\"latitude\":52.37,\"longitude\":4."
        "88,"
        "\"altitude\":2,\"source\":\"SOURCE_REGISTRY\"}}}";
    struct arena arena = {0};
    uint8_t bytes[sizeof hex / 2];
    assert_true(hex_decode(bytes, sizeof bytes, hex, strlen(hex)));
    const ProtobufCMessage *message = message_unpack(DEVICE, bytes, sizeof bytes, &arena, NULL);
    assert_non_null(message);
    char *text = text_of(message);
    assert_string_equal(text, expected);
    free(text);
    arena_release(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_things_stack_devices), cmocka_unit_test(test_v2_devices),
        cmocka_unit_test(test_first_mac_states),     cmocka_unit_test(test_things_stack_calls),
        cmocka_unit_test(test_answer_as_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
