// SPDX-License-Identifier: Apache-2.0
// An application of a running ChirpStack (4.20), call by call as it was recorded, and what must become of its 42
// devices. vectors/chirpstack-v4/expected.jsonl.xz was computed from the recorded bytes by other means than this
// program's; the MAC state, which follows from plan and version, and the scripts have tests of their own.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/hex.h"
#include "base/rfc3339.h"
#include "device/json_write.h"
#include "device/validate.h"
#include "support/source_play.h"
#include "support/xz.h"

enum { DEVICES = 42 };

static json_t *read_lines(const char *name) {
    FILE *file = xz_open(name);
    char *line = NULL;
    size_t capacity = 0;
    json_t *lines = json_array();
    while (getline(&line, &capacity, file) > 0) {
        json_t *parsed = json_loads(line, 0, NULL);
        assert_non_null(parsed);
        json_array_append_new(lines, parsed);
    }
    free(line);
    fclose(file);
    return lines;
}

// The recorded answer. Lists were recorded with another size of their pages: what follows it counts. NULL for the
// applications of a tenant that has none.
static const json_t *find_call(const json_t *calls, const struct call *call) {
    char *hex MEMORY_AUTO = memory_alloc(HEX_TEXT_SIZE(call->body_size), 1);
    hex_encode_lower(hex, call->body, call->body_size);
    bool list = strstr(call->method, "/List") != NULL;
    size_t index = 0;
    const json_t *recorded = NULL;
    json_array_foreach(calls, index, recorded) {
        const char *method = json_string_value(json_object_get(recorded, "method"));
        const char *request = json_string_value(json_object_get(recorded, "request_hex"));
        if (strcmp(method, call->method + strlen("/api.")) != 0) continue;
        if (list ? strstr(hex, request + strlen("0864")) != NULL : strcmp(request, hex) == 0) return recorded;
    }
    if (list) return NULL;
    fail_msg("%s was not recorded with %s", call->method, hex);
    return NULL;
}

static void answer_recorded(struct play *play, const struct call *call, struct reply *reply) {
    const json_t *recorded = find_call(play->context, call);
    assert_false(call->changes);
    reply->outcome = REPLY_ANSWERED;
    if (recorded == NULL) return;
    reply->grpc_status = (enum grpc_status)json_integer_value(json_object_get(recorded, "status"));
    const char *message = json_string_value(json_object_get(recorded, "message"));
    if (message != NULL) reply->message = memory_strdup(message);
    const char *hex = json_string_value(json_object_get(recorded, "response_hex"));
    if (hex == NULL) return;
    size_t size = strlen(hex) / 2;
    uint8_t *data = memory_alloc(size + 1, 1);
    assert_true(hex_decode(data, size, hex, 2 * size));
    buffer_add(&reply->body, data, size);
    free(data);
}

// Stands in for what no recording can hold.
static void fill_in(json_t *expected) {
    json_t *session = json_object_get(expected, "session");
    if (session == NULL) return;
    char now[64];
    rfc3339_format_ns(now, PLAY_NOW);
    json_object_set_new(session, "started_at", json_string(now));
    json_t *keys = json_object_get(session, "keys");
    if (json_object_get(keys, "session_key_id") == NULL) return;
    uint8_t random[16];
    play_fill(NULL, random, sizeof random);
    char encoded[BASE64_TEXT_SIZE(sizeof random)];
    base64_encode(encoded, random, sizeof random);
    json_object_set_new(keys, "session_key_id", json_string(encoded));
}

static json_t *json_of(const struct device *device) {
    BUFFER_AUTO line;
    buffer_init(&line, BUFFER_UNLIMITED);
    message_json_write(&device->end_device->base, &line);
    json_t *json = json_loadb((const char *)line.data, line.size, 0, NULL);
    assert_non_null(json);
    return json;
}

static void check_same(json_t *actual, json_t *expected) {
    if (json_equal(actual, expected)) return;
    char *left = json_dumps(actual, JSON_SORT_KEYS | JSON_INDENT(1));
    char *right = json_dumps(expected, JSON_SORT_KEYS | JSON_INDENT(1));
    fail_msg("%s\ninstead of\n%s", left, right);
}

// An OTAA device in a band with a list of frequencies was told the additional channels of the plan when it joined.
static void check_mac_state(const Tts__EndDevice *device) {
    const Tts__MACParameters *current = device->mac_state->current_parameters;
    const Tts__MACParameters *desired = device->mac_state->desired_parameters;
    bool us = strncmp(device->frequency_plan_id, "US_", 3) == 0;
    assert_int_equal(current->rx1_delay, 1);
    assert_int_equal(current->n_channels, us ? 72 : device->supports_join ? 8 : 3);
    assert_int_equal(desired->n_channels, us ? 72 : 8);
    if (!us) assert_int_equal(current->rx2_frequency, 869525000);
    assert_int_equal(device->mac_state->lorawan_version, device->lorawan_version);
    bool class_c = device->supports_class_c && device->lorawan_version != TTS__MACVERSION__MAC_V1_1;
    assert_int_equal(device->mac_state->device_class, class_c ? TTS__CLASS__CLASS_C : TTS__CLASS__CLASS_A);
}

// One of the recorded profiles has a script, for both directions.
static void check_formatters(const struct device *device) {
    const char *profile = device_attribute(device, "chirpstack-device-profile");
    const Tts__MessagePayloadFormatters *formatters = device->end_device->formatters;
    bool script = strcmp(profile, "f0a9988f-4d6c-4963-add5-cab3f15621ed") == 0;
    assert_int_equal(formatters != NULL, script);
    if (!script) return;
    assert_int_equal(formatters->up_formatter, TTS__PAYLOAD_FORMATTER__FORMATTER_JAVASCRIPT);
    assert_int_equal(formatters->down_formatter, TTS__PAYLOAD_FORMATTER__FORMATTER_JAVASCRIPT);
    assert_non_null(strstr(formatters->up_formatter_parameter, "first: input.bytes[0]"));
}

static void check_device(struct play *play, const struct source_record *record, json_t *expected,
                         bool with_session) {
    DEVICE_AUTO device;
    device_init(&device);
    struct error *error = &play->error;
    int result = play->driver->convert(play->source, record, &device, error);
    if (result == 0) result = device_validate(&device, frequency_plans_builtin(), error);
    if (result != 0) {
        char *chain = error_chain(error);
        fail_msg("%s: %s", record->id, chain);
    }
    json_t *actual = json_of(&device);
    bool session = json_object_get(expected, "session") != NULL;
    bool joins = json_object_get(expected, "supports_join") != NULL;
    if (!with_session && joins) json_object_del(expected, "session");
    assert_int_equal(device.end_device->mac_state != NULL, session && (with_session || !joins));
    if (device.end_device->mac_state != NULL) check_mac_state(device.end_device);
    check_formatters(&device);
    json_object_del(actual, "mac_state");
    json_object_del(actual, "formatters");
    fill_in(expected);
    check_same(actual, expected);
    json_decref(actual);
}

static void run_application(const char *application, bool with_session) {
    const char *const options[] = {"api-url=cs.example:8080",
                                   "api-key=made-up",
                                   "frequency-plan-id=EU_863_870,US_902_928_FSB_2",
                                   "join-eui=70B3D57ED00000FF",
                                   with_session ? "export-session=true" : "export-session=false",
                                   "export-vars=true",
                                   NULL};
    json_t *calls = read_lines("vectors/chirpstack-v4/calls.jsonl.xz");
    json_t *expected = read_lines("vectors/chirpstack-v4/expected.jsonl.xz");
    struct play play;
    play_init(&play, "chirpstack", answer_recorded, options);
    play.context = calls;
    assert_int_equal(play_open(&play), 0);
    assert_true(play.source->keeps);
    assert_int_equal(play_prepare(&play, application), JOB_DONE);
    struct source_page page = {0};
    assert_int_equal(play_list(&play, &page), JOB_DONE);
    assert_null(page.cursor);
    assert_int_equal(page.total, DEVICES);
    assert_int_equal(page.count, DEVICES);
    size_t found = 0;
    for (size_t i = 0; i < page.count; i++) {
        assert_int_equal(play_read(&play, &page.records[i]), JOB_DONE);
        char *id MEMORY_AUTO = memory_printf("eui-%s", page.records[i].id);
        size_t index = 0;
        json_t *device = NULL;
        json_array_foreach(expected, index, device) {
            json_t *ids = json_object_get(device, "ids");
            if (strcmp(json_string_value(json_object_get(ids, "device_id")), id) != 0) continue;
            check_device(&play, &page.records[i], device, with_session);
            found++;
        }
    }
    assert_int_equal(found, DEVICES);
    source_page_release(&page);
    play_release(&play);
    json_decref(expected);
    json_decref(calls);
}

static void test_by_name(void **state) {
    (void)state;
    run_application("meters", true);
}

static void test_by_id(void **state) {
    (void)state;
    run_application("978e0bd0-c1b2-4533-bfa2-e8dc276aa419", false);
}

// One plan for all of them, as a run that changes nothing lets the user say; and no JoinEUI at hand.
static void test_all_with_one_plan(void **state) {
    (void)state;
    static const char *const options[] = {"api-url=cs.example:8080",
                                          "api-key=made-up",
                                          "all=true",
                                          "tenant-id=ab512833-c3b7-4395-bb67-832d0f3f8d28",
                                          "frequency-plan-id=EU_863_870_TTN",
                                          NULL};
    json_t *calls = read_lines("vectors/chirpstack-v4/calls.jsonl.xz");
    struct play play;
    play_init(&play, "chirpstack", answer_recorded, options);
    play.context = calls;
    assert_int_equal(play_open(&play), 0);
    assert_int_equal(play_prepare(&play, play.driver->default_application(play.source)), JOB_DONE);
    struct source_page page = {0};
    assert_int_equal(play_list(&play, &page), JOB_DONE);
    assert_int_equal(page.count, DEVICES);
    size_t other_region = 0;
    for (size_t i = 0; i < page.count; i++) {
        assert_int_equal(play_read(&play, &page.records[i]), JOB_DONE);
        DEVICE_AUTO device;
        device_init(&device);
        assert_int_equal(play.driver->convert(play.source, &page.records[i], &device, &play.error), 0);
        assert_int_equal(device_validate(&device, frequency_plans_builtin(), NULL), 0);
        for (size_t j = 0; j < device.notes.count; j++) {
            other_region += strstr(device.notes.items[j].text, "US915") != NULL;
        }
    }
    assert_int_equal(other_region, 6);
    source_page_release(&page);
    play_release(&play);
    json_decref(calls);
}

static void test_refusals(void **state) {
    (void)state;
    static const char *const options[] = {"api-url=cs.example:8080", "api-key=made-up",
                                          "frequency-plan-id=EU_863_870", NULL};
    json_t *calls = read_lines("vectors/chirpstack-v4/calls.jsonl.xz");
    struct play play;
    play_init(&play, "chirpstack", answer_recorded, options);
    play.context = calls;
    assert_int_equal(play_open(&play), 0);
    assert_int_equal(play_prepare(&play, "no-such-name"), JOB_FAILED);
    assert_int_equal(play.error.code, ERROR_NOT_FOUND);
    play_release(&play);
    json_decref(calls);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_name),
        cmocka_unit_test(test_by_id),
        cmocka_unit_test(test_all_with_one_plan),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
