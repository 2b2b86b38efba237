// SPDX-License-Identifier: Apache-2.0
// Target tts against recordings of a running The Things Stack 3.32: what its servers answered, what an import by its own
// command-line tool made of devices (`sent`, `read`), and which fields each of its servers lets be set.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/hex.h"
#include "base/memory.h"
#include "device/field_mask.h"
#include "device/schema.h"
#include "support/device_text.h"
#include "support/xz.h"
#include "target/targets.h"
#include "target/tts_p.h"

// Calls `check` with each line of a file of JSON objects; returns their number.
static size_t each_line(const char *name, void (*check)(json_t *line, void *context), void *context) {
    FILE *file = xz_open(name);
    char *line = NULL;
    size_t capacity = 0, count = 0;
    while (getline(&line, &capacity, file) > 0) {
        json_t *json = json_loads(line, 0, NULL);
        assert_non_null(json);
        check(json, context);
        json_decref(json);
        count++;
    }
    free(line);
    fclose(file);
    return count;
}

// ---- what may be set

struct rules {
    enum tts_place place;
    const json_t *allowed;
    size_t leaves, taken;
};

static bool list_has(const json_t *list, const char *text) {
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item) {
        if (strcmp(json_string_value(item), text) == 0) return true;
    }
    return false;
}

// The members of a message that stand in field masks as paths of their own.
static void check_paths(struct rules *rules, const struct schema_message *table, const char *prefix) {
    for (size_t i = 0; i < table->field_count; i++) {
        const struct schema_field *field = &table->fields[i];
        const ProtobufCFieldDescriptor *place = schema_place(table, field);
        bool in_oneof = (place->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
        char *path = memory_printf("%s%s%s", prefix, in_oneof ? "mode." : "", field->name);
        bool object = (field->form == FORM_OBJECT || field->form == FORM_BARE) && !field->list &&
                      strncmp(field->message->type, "ttn.lorawan.v3.", 15) == 0;
        rules->leaves++;
        if (tts_may_set(rules->place, path)) {
            rules->taken++;
            if (!list_has(rules->allowed, path)) fail_msg("place %d: %s is not allowed", rules->place, path);
        }
        char *inner = memory_printf("%s.", path);
        if (object) check_paths(rules, field->message, inner);
        free(inner);
        free(path);
    }
}

// Whatever we set is allowed, and of what is allowed nothing is left out but what is meant to be.
static void check_masks(json_t *line, void *context) {
    size_t *count = context;
    static const char *const methods[TTS_PLACES] = {
        [TTS_IDENTITY] = "EndDeviceRegistry/Update",
        [TTS_JOIN] = "JsEndDeviceRegistry/Set",
        [TTS_NETWORK] = "NsEndDeviceRegistry/Set",
        [TTS_APPLICATION] = "AsEndDeviceRegistry/Set",
    };
    for (int place = 0; place < TTS_PLACES; place++) {
        if (strcmp(json_string_value(json_object_get(line, "method")), methods[place]) != 0) continue;
        struct rules rules = {.place = (enum tts_place)place, .allowed = json_object_get(line, "allowed")};
        check_paths(&rules, schema_find_type("ttn.lorawan.v3.EndDevice"), "");
        assert_true(rules.leaves > 500);
        assert_true(rules.taken > 10);
        size_t i;
        json_t *path;
        json_array_foreach(json_object_get(line, "bottom_level"), i, path) {
            const char *text = json_string_value(path);
            bool meant = strncmp(text, "ids.", 4) == 0 ||
                         (place == TTS_JOIN && strncmp(text, "claim_authentication_code.", 26) == 0);
            if (tts_may_set((enum tts_place)place, text) == meant) fail_msg("%s: %s", methods[place], text);
        }
        ++*count;
    }
}

static void test_masks(void **state) {
    (void)state;
    size_t count = 0;
    each_line("vectors/tts/field-masks.jsonl.xz", check_masks, &count);
    assert_int_equal(count, TTS_PLACES);
}

// ---- devices as they were sent and read

static Tts__EndDevice *device_of(const json_t *json, struct arena *arena) {
    char *text = json_dumps(json, JSON_COMPACT);
    Tts__EndDevice *device = message_of(&tts__end_device__descriptor, text, arena);
    free(text);
    return device;
}

// What the servers have of a device that was read as a whole.
static void spread(const Tts__EndDevice *read, struct arena *arena, struct tts_found *found) {
    *found = (struct tts_found){.device = message_copy(&read->base, arena)};
    for (int place = 0; place < TTS_PLACES; place++) {
        found->asked[place] = true;
        if (place == TTS_JOIN && !read->supports_join) continue;
        found->at[place] = tts_part(read, (enum tts_place)place, arena);
    }
}

static void check_import(json_t *line, void *context) {
    size_t *count = context;
    const json_t *sent = json_object_get(line, "sent"), *read = json_object_get(line, "read");
    if (sent == NULL) return;
    struct arena arena = {0};
    Tts__EndDevice *device = device_of(sent, &arena), *there = device_of(read, &arena);
    // What tts_adapt does.
    device->ids->application_ids = there->ids->application_ids;
    device->network_server_address = there->network_server_address;
    device->application_server_address = there->application_server_address;
    device->join_server_address = there->join_server_address;
    struct tts_found found;
    struct tts_comparison comparison;
    spread(there, &arena, &found);
    tts_compare(device, &found, false, &arena, &comparison);
    if (comparison.relation != TTS_EQUAL) fail_msg("%s: %s", device->ids->device_id, comparison.what);
    assert_int_equal(comparison.progress.known, device->session != NULL);
    assert_false(comparison.progress.rejoined);
    // One difference is found.
    device->frequency_plan_id = arena_strdup(&arena, "US_902_928_FSB_2");
    tts_compare(device, &found, false, &arena, &comparison);
    assert_int_equal(comparison.relation, TTS_DIFFERENT);
    assert_string_equal(comparison.what,
                        "frequency_plan_id is \"EU_863_870_TTN\" instead of \"US_902_928_FSB_2\"");
    arena_release(&arena);
    ++*count;
}

static void test_import_as_recorded(void **state) {
    (void)state;
    size_t count = 0;
    each_line("vectors/tts/devices.jsonl.xz", check_import, &count);
    assert_int_equal(count, 30);
}

// ---- answers of the servers, and the device that is read from them

struct recorded {
    struct arena arena;
    struct option_values *options;
    struct target *target;
    struct device device;  // as it is to be
    struct job job;
    size_t verified;
    json_t *devices;  // as they were read
    bool has_keys;
};

static void collect(json_t *line, void *context) {
    struct recorded *recorded = context;
    if (strcmp(json_string_value(json_object_get(line, "application_id")), "test-app") != 0) return;
    json_object_set(recorded->devices, json_string_value(json_object_get(line, "device_id")),
                    json_object_get(line, "read"));
}

static void *bytes_of(const json_t *hex, size_t *ret_size) {
    *ret_size = json_string_length(hex) / 2;
    uint8_t *bytes = memory_alloc(*ret_size + 1, 1);
    assert_true(hex_decode(bytes, *ret_size, json_string_value(hex), json_string_length(hex)));
    return bytes;
}

static void set_reply(const json_t *line, struct reply *reply) {
    const json_t *answer = json_object_get(line, "response_hex");
    const json_t *details = json_array_get(json_object_get(line, "details_hex"), 0);
    *reply = (struct reply){.outcome = REPLY_ANSWERED, .http_status = 200};
    reply->grpc_status = (enum grpc_status)json_integer_value(json_object_get(line, "status"));
    reply->message = memory_strdup(json_string_value(json_object_get(line, "message")));
    size_t size = 0;
    if (answer != NULL) {
        uint8_t *bytes = bytes_of(answer, &size);
        buffer_init(&reply->body, CALL_REPLY_LIMIT);
        buffer_add(&reply->body, bytes, size);
        free(bytes);
    }
    if (details != NULL) {
        uint8_t *bytes = bytes_of(details, &size);
        char *text = memory_alloc(BASE64_TEXT_SIZE(size), 1);
        base64_encode(text, bytes, size);
        reply_add_header(reply, ERROR_DETAILS_TRAILER, strlen(ERROR_DETAILS_TRAILER), text, strlen(text));
        free(text);
        free(bytes);
    }
}

static const char *recorded_id(const json_t *line, struct arena *arena) {
    size_t size = 0;
    uint8_t *bytes = bytes_of(json_object_get(line, "request_hex"), &size);
    const Tts__GetEndDeviceRequest *request =
        message_unpack(&tts__get_end_device_request__descriptor, bytes, size, arena, NULL);
    free(bytes);
    assert_non_null(request);
    return request->end_device_ids->device_id;
}

static void verify_recorded(struct recorded *recorded) {
    struct target_verdict verdict = {0};
    struct error error = {0};
    enum job_step step =
        target_tts.verify(recorded->target, &recorded->job, &recorded->device, &verdict, &error);
    if (step != JOB_DONE) fail_msg("%s", error.message);
    if (!verdict.equal) fail_msg("%s", verdict.what);
    assert_int_equal(verdict.progress.known, recorded->device.end_device->session != NULL);
    recorded->verified++;
}

// Our calls stand in the order Identity, Join, Network, Application Server.
static void check_get(json_t *line, void *context) {
    static const char *const methods[] = {"EndDeviceRegistry/Get", "JsEndDeviceRegistry/Get",
                                          "NsEndDeviceRegistry/Get", "AsEndDeviceRegistry/Get"};
    struct recorded *recorded = context;
    const char *method = json_string_value(json_object_get(line, "method"));
    if (json_object_get(line, "note") != NULL || strstr(method, "EndDeviceRegistry/Get") == NULL) return;
    struct job *job = &recorded->job;
    if (strcmp(method, methods[0]) == 0) {
        const json_t *read = json_object_get(recorded->devices, recorded_id(line, &recorded->arena));
        device_release(&recorded->device);
        device_init(&recorded->device);
        recorded->device.end_device = device_of(read, &recorded->device.arena);
        *job = (struct job){.arena = &recorded->arena};
        enum job_step step = target_tts.verify(recorded->target, job, &recorded->device, NULL, NULL);
        assert_int_equal(step, JOB_CALLS);
        assert_int_equal(job->call_count, 4);
        job->call_count = 0;
    }
    for (size_t i = 0; i < 4; i++) {
        if (strcmp(method, methods[i]) == 0) set_reply(line, &job->replies[i]);
    }
    // The Join Server was asked last.
    if (strcmp(method, methods[1]) != 0) return;
    verify_recorded(recorded);
    for (size_t i = 0; i < 4; i++) reply_release(&job->replies[i]);
}

static void set(struct option_values *values, const char *name, const char *value) {
    const struct option_spec *spec = option_find(target_tts.options, name, strlen(name));
    assert_int_equal(option_set(values, spec, name, value, NULL), 0);
}

static void test_recorded_answers(void **state) {
    (void)state;
    struct recorded recorded = {.devices = json_object()};
    recorded.options = option_values_new(target_tts.options);
    set(recorded.options, "app-api-key", "NNSXS.MADE.UP");
    set(recorded.options, "default-grpc-address", "127.0.0.1");
    struct target_setup setup = {.options = recorded.options, .clock = &clock_system};
    assert_int_equal(target_tts.open(&setup, &recorded.target, NULL), 0);
    each_line("vectors/tts/devices.jsonl.xz", collect, &recorded);
    each_line("vectors/tts/calls.jsonl.xz", check_get, &recorded);
    assert_int_equal(recorded.verified, 6);
    target_tts.close(recorded.target);
    option_values_free(recorded.options);
    device_release(&recorded.device);
    arena_release(&recorded.arena);
    json_decref(recorded.devices);
}

// ---- refusals

static void check_refusal(json_t *line, void *context) {
    size_t *count = context;
    const char *note = json_string_value(json_object_get(line, "note"));
    if (note == NULL) return;
    static const struct {
        const char *note, *text;
    } expected[] = {
        {"same id",
         "already exists (6): id_taken: ID already taken, choose a different one and try again: "
         "already_exists: already exists"},
        {"same EUIs",
         "already exists (6): end_device_euis_taken: an end device with JoinEUI `7100000000000001` and "
         "DevEUI "
         "`700003013D000000` is already registered as `mig-000000` in application `test-app`"},
        {"no such device",
         "not found (5): end_device_not_found: end device with id `nope` not found in "
         "application with id `test-app`"},
        {"no key", "permission denied (7): no_application_rights: no rights for application `test-app`"},
        {"bad key",
         "unauthenticated (16): api_key_not_found: API key not found: api_key_not_found: api key "
         "with id `X` not found"},
        {"forbidden path",
         "invalid argument (3): field_mask_paths: forbidden path(s) in field mask "
         "(forbidden_paths=root_keys)"},
        {"unknown plan", "not found (5): not_found: frequency plan `NOPE` not found"},
    };
    struct server server = {.name = "Server"};
    struct call call = {.kind = CALL_GRPC, .server = &server, .method = "/Method"};
    struct tts tts = {0};
    struct reply reply;
    struct error error = {0};
    set_reply(line, &reply);
    assert_int_equal(tts_failed(&tts, &call, &reply, &error), JOB_FAILED);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        if (strcmp(expected[i].note, note) != 0) continue;
        assert_string_equal(error.message + strlen("Server: /Method: "), expected[i].text);
        ++*count;
    }
    reply_release(&reply);
    error_release(&error);
}

static void test_refusals(void **state) {
    (void)state;
    size_t count = 0;
    each_line("vectors/tts/calls.jsonl.xz", check_refusal, &count);
    assert_int_equal(count, 7);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_masks),
        cmocka_unit_test(test_import_as_recorded),
        cmocka_unit_test(test_recorded_answers),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
