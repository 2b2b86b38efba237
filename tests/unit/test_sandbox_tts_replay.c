// SPDX-License-Identifier: Apache-2.0
// The world answers recorded requests as a running The Things Stack 3.32 did: byte for byte, errors but for their
// correlation IDs and words.
#include "test_sandbox_tts_help.h"

#include <jansson.h>

#include "support/xz.h"

enum { RECORDED_CALLS = 37, FILE_MAX = 1 << 20 };

static json_t *read_calls(void) {
    json_t *calls = json_array();
    FILE *file = xz_open("vectors/tts/calls.jsonl.xz");
    char *line = NULL;
    size_t capacity = 0;
    while (getline(&line, &capacity, file) > 0) json_array_append_new(calls, json_loads(line, 0, NULL));
    free(line);
    fclose(file);
    assert_int_equal(json_array_size(calls), RECORDED_CALLS);
    return calls;
}

static const char *text_of(const json_t *call, const char *name) {
    const char *text = json_string_value(json_object_get(call, name));
    return text != NULL ? text : "";
}

static void read_hex(const char *text, struct buffer *bytes) {
    uint8_t *data = memory_alloc(strlen(text) / 2 + 1, 1);
    assert_true(hex_decode(data, strlen(text) / 2, text, strlen(text)));
    buffer_init(bytes, FILE_MAX);
    buffer_add(bytes, data, strlen(text) / 2);
    free(data);
}

// What a server answered to Get is what it holds.
static void load(struct world *world, const json_t *call) {
    static const struct {
        const char *method;
        const char *server;
    } servers[] = {{"EndDeviceRegistry/Get", "is"},
                   {"NsEndDeviceRegistry/Get", "ns"},
                   {"AsEndDeviceRegistry/Get", "as"},
                   {"JsEndDeviceRegistry/Get", "js"}};
    for (size_t i = 0; i < sizeof servers / sizeof *servers; i++) {
        if (strcmp(servers[i].method, text_of(call, "method")) != 0) continue;
        BUFFER_AUTO bytes;
        read_hex(text_of(call, "response_hex"), &bytes);
        if (bytes.size == 0) continue;
        ARENA_AUTO arena = {0};
        struct world_reply reply = {.body = bytes};
        const struct tts_node *device = tts_answer_tree(&arena, "EndDevice", &reply);
        char *line = arena_printf(&arena,
                                  "{\"application_id\":\"test-app\",\"device_id\":\"%s\",\"%s\":"
                                  "{\"end_device_hex\":\"%s\"}}",
                                  tts_text(&arena, device, "ids.device_id"), servers[i].server,
                                  text_of(call, "response_hex"));
        ERROR_AUTO error = {0};
        assert_int_equal(world_load_device(world, line, strlen(line), NULL, &error), 0);
    }
}

static void without_words(struct tts_node *details) {
    for (; details != NULL; details = tts_find(details, "cause")) tts_drop(details, "correlation_id");
}

static void expect_details(const json_t *call, const struct world_reply *reply) {
    ARENA_AUTO arena = {0};
    BUFFER_AUTO bytes;
    read_hex(json_string_value(json_array_get(json_object_get(call, "details_hex"), 0)), &bytes);
    struct tts_node *expected = tts_details_tree(&arena, bytes.data, bytes.size);
    struct tts_node *got = tts_details_tree(&arena, reply->details.data, reply->details.size);
    without_words(expected);
    without_words(got);
    BUFFER_AUTO one;
    BUFFER_AUTO other;
    buffer_init(&one, FILE_MAX);
    buffer_init(&other, FILE_MAX);
    tts_encode(expected, &one);
    tts_encode(got, &other);
    assert_int_equal(one.size, other.size);
    assert_memory_equal(one.data, other.data, one.size);
    assert_string_equal(reply->message, text_of(call, "message"));
}

static void expect_answer(const json_t *call, const struct world_reply *reply) {
    BUFFER_AUTO expected;
    read_hex(text_of(call, "response_hex"), &expected);
    const char *method = text_of(call, "method");
    if (strcmp(method, "Ns/GetDeviceAddressPrefixes") == 0) {
        // The sandbox has V2's addresses as well.
        assert_true(reply->body.size > expected.size);
        assert_memory_equal(reply->body.data, expected.data, expected.size);
        return;
    }
    assert_int_equal(reply->body.size, expected.size);
    if (strcmp(method, "ApplicationAccess/ListRights") == 0) {
        // Rights come in any order.
        for (size_t i = 0; i < expected.size; i++) {
            assert_non_null(memchr(reply->body.data, expected.data[i], reply->body.size));
        }
        return;
    }
    assert_memory_equal(reply->body.data, expected.data, expected.size);
    const char *total = json_string_value(json_object_get(json_object_get(call, "headers"), "x-total-count"));
    for (size_t i = 0; i < reply->header_count && total != NULL; i++) {
        if (strcmp(reply->headers[i].name, "x-total-count") != 0) continue;
        assert_string_equal(reply->headers[i].value, total);
        total = NULL;
    }
    assert_null(total);
}

static const char *key_for(const struct world *world, const json_t *call) {
    const char *note = text_of(call, "note");
    if (strcmp(note, "no key") == 0) return "";
    return strcmp(note, "bad key") == 0 ? "NNSXS.X.Y" : world_tts_key(world, WORLD_TTS_KEY_USER);
}

static void test_calls(void **state) {
    (void)state;
    struct world *world = make_world(0);
    json_t *calls = read_calls();
    size_t index = 0;
    const json_t *call = NULL;
    json_array_foreach(calls, index, call) load(world, call);
    json_array_foreach(calls, index, call) {
        BUFFER_AUTO request;
        read_hex(text_of(call, "request_hex"), &request);
        const char *method = text_of(call, "method");
        struct world_reply reply = tts_call_bytes(world, NOW, tts_endpoint(method), method,
                                                  key_for(world, call), request.data, request.size);
        int status = (int)json_integer_value(json_object_get(call, "status"));
        if (reply.status != status) fail_msg("%s: %d %s", method, reply.status, reply.message);
        if (status != 0) {
            expect_details(call, &reply);
        } else {
            expect_answer(call, &reply);
        }
        world_reply_release(&reply);
    }
    json_decref(calls);
    world_free(world);
}

// Damaged requests get an answer, whatever it is.
static void test_damaged(void **state) {
    (void)state;
    enum { ROUNDS = 200 };
    struct world_setup setup = {.seed = 1, .tts_devices = 20, .devices = 1};
    struct world *world = world_new(&setup);
    json_t *calls = read_calls();
    size_t index = 0;
    const json_t *call = NULL;
    struct prng prng = prng_init(1, 1);
    json_array_foreach(calls, index, call) load(world, call);
    json_array_foreach(calls, index, call) {
        const char *method = text_of(call, "method");
        for (unsigned i = 0; i < ROUNDS; i++) {
            BUFFER_AUTO request;
            read_hex(text_of(call, i % 2 == 0 ? "request_hex" : "response_hex"), &request);
            if (request.size == 0) continue;
            for (unsigned j = 0; j < 1 + i % 4; j++) {
                request.data[prng_below(&prng, (uint32_t)request.size)] = (uint8_t)prng_next(&prng);
            }
            const struct tts_method *other = &tts_methods[prng_below(&prng, (uint32_t)tts_method_count)];
            char name[96];
            snprintf(name, sizeof name, "%s/%s", other->service, other->name);
            if (i % 8 == 0) method = name;
            size_t size = i % 3 == 0 ? prng_below(&prng, (uint32_t)request.size) : request.size;
            struct world_reply reply =
                tts_call_bytes(world, NOW, tts_endpoint(method), method,
                               world_tts_key(world, WORLD_TTS_KEY_USER), request.data, size);
            assert_in_range(reply.status, 0, 16);
            world_reply_release(&reply);
            method = text_of(call, "method");
        }
    }
    BUFFER_AUTO lines;
    buffer_init(&lines, BUFFER_UNLIMITED);
    world_state_json(world, WORLD_STATE_CALLS | WORLD_STATE_DEVICES, &lines);
    json_t *parsed = json_loadb((const char *)lines.data, lines.size, 0, NULL);
    assert_non_null(parsed);
    json_decref(parsed);
    json_decref(calls);
    world_free(world);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_calls), cmocka_unit_test(test_damaged)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
