// SPDX-License-Identifier: Apache-2.0
// What a running The Things Stack 3.32 answered, and how its official command-line tool reads the same devices
// (tests/vectors/tts): ours are the same, less what belongs to the network that they leave.
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
#include "device/error_details.h"
#include "device/field_mask.h"
#include "device/json_read.h"
#include "device/json_write.h"
#include "device/validate.h"
#include "support/tts_world.h"
#include "support/xz.h"

enum { DEVICES = 6 };

struct recording {
    json_t *calls[64];
    size_t count;
};

static void load(struct recording *recording, const char *name) {
    FILE *file = xz_open(name);
    char *line = NULL;
    size_t capacity = 0;
    *recording = (struct recording){0};
    while (getline(&line, &capacity, file) > 0) {
        assert_true(recording->count < 64);
        json_t *call = json_loads(line, 0, NULL);
        assert_non_null(call);
        recording->calls[recording->count++] = call;
    }
    free(line);
    fclose(file);
}

static void unload(struct recording *recording) {
    for (size_t i = 0; i < recording->count; i++) json_decref(recording->calls[i]);
}

static const char *text(const json_t *object, const char *name) {
    return json_string_value(json_object_get(object, name));
}

static uint8_t *bytes(const char *hex, size_t *size) {
    *size = strlen(hex) / 2;
    uint8_t *data = memory_alloc(*size + 1, 1);
    assert_true(hex_decode(data, *size, hex, strlen(hex)));
    return data;
}

// True if the request of a recorded Get asks for that device.
static bool asks_for(const json_t *call, const char *id) {
    size_t size = 0;
    uint8_t *data = bytes(text(call, "request_hex"), &size);
    ARENA_AUTO arena = {0};
    const Tts__GetEndDeviceRequest *request =
        message_unpack(&tts__get_end_device_request__descriptor, data, size, &arena, NULL);
    free(data);
    return request != NULL && request->end_device_ids != NULL &&
           strcmp(request->end_device_ids->device_id, id) == 0;
}

// The recorded answer to a call: of the first of those for `id`, or with that `note`.
static void answer(const json_t *call, struct reply *reply) {
    const char *details = json_string_value(json_array_get(json_object_get(call, "details_hex"), 0));
    size_t size = 0;
    if (json_object_get(call, "status") == NULL) {
        uint8_t *data = bytes(text(call, "response_hex"), &size);
        world_status(reply, GRPC_OK, NULL);
        buffer_add(&reply->body, data, size);
        free(data);
        return;
    }
    world_status(reply, (enum grpc_status)json_integer_value(json_object_get(call, "status")),
                 text(call, "message"));
    if (details == NULL) return;
    uint8_t *data = bytes(details, &size);
    char *encoded = memory_alloc(BASE64_TEXT_SIZE(size), 1);
    base64_encode(encoded, data, size);
    reply_add_header(reply, ERROR_DETAILS_TRAILER, strlen(ERROR_DETAILS_TRAILER), encoded, strlen(encoded));
    free(encoded);
    free(data);
}

static const json_t *find(const struct recording *recording, enum stack_role server, const char *id,
                          const char *note) {
    char *method MEMORY_AUTO = memory_printf("%s/Get", world_services[server]);
    for (size_t i = 0; i < recording->count; i++) {
        const json_t *call = recording->calls[i];
        if (strcmp(text(call, "method"), method) != 0) continue;
        const char *noted = text(call, "note");
        if (note != NULL ? noted != NULL && strcmp(noted, note) == 0 : noted == NULL && asks_for(call, id))
            return call;
    }
    fail_msg("no recorded %s of %s", method, id);
    return NULL;
}

static struct recording recorded;

static bool replay(struct tts_world *world, const struct call *call, struct reply *reply) {
    enum stack_role server = world_server(call);
    if (server == STACK_ROLES) return false;
    answer(find(&recorded, server, world->record.id, NULL), reply);
    return true;
}

// What the official tool shows and we leave out, since it is of the network that the device leaves.
static void strip_expected(json_t *device) {
    static const char *const left[] = {"created_at",
                                       "updated_at",
                                       "last_seen_at",
                                       "network_server_address",
                                       "application_server_address",
                                       "join_server_address"};
    for (size_t i = 0; i < sizeof left / sizeof *left; i++) json_object_del(device, left[i]);
    json_object_del(json_object_get(device, "ids"), "dev_addr");
}

static void start(struct tts_world *world) {
    world_init(world, NULL);
    world->before = replay;
    assert_int_equal(world_open(world, false), 0);
    assert_int_equal(world->source->driver->prepare(world->source, &(struct job){.arena = &world->job_arena},
                                                    "test-app", &world->error),
                     JOB_CALLS);
}

static void test_devices(void **state) {
    (void)state;
    struct recording devices;
    load(&recorded, "vectors/tts/calls.jsonl.xz");
    load(&devices, "vectors/tts/devices.jsonl.xz");
    size_t checked = 0;
    for (size_t i = 0; i < devices.count && i < DEVICES; i++) {
        struct tts_world world;
        start(&world);
        world.record.id = memory_strdup(text(devices.calls[i], "device_id"));
        if (world_run(&world, world_read, false) != JOB_DONE) fail_msg("%s", world.error.message);
        assert_true(world.record.has_dev_eui);
        DEVICE_AUTO device;
        device_init(&device);
        if (world.source->driver->convert(world.source, &world.record, &device, &world.error) != 0 ||
            device_validate(&device, frequency_plans_builtin(), &world.error) != 0)
            fail_msg("%s: %s", world.record.id, world.error.message);
        BUFFER_AUTO line;
        buffer_init(&line, BUFFER_UNLIMITED);
        message_json_write(&device.end_device->base, &line);
        json_t *actual = json_loads(buffer_string(&line), 0, NULL);
        json_t *expected = json_object_get(devices.calls[i], "read");
        strip_expected(expected);
        if (!json_equal(actual, expected)) {
            char *shown = json_dumps(expected, JSON_COMPACT);
            fail_msg("%s: %s\ninstead of\n%s", world.record.id, buffer_string(&line), shown);
        }
        json_decref(actual);
        world_release(&world);
        checked++;
    }
    assert_int_equal(checked, DEVICES);
    unload(&devices);
    unload(&recorded);
}

// ---- recorded errors

static const char *error_note;

static bool replay_error(struct tts_world *world, const struct call *call, struct reply *reply) {
    (void)world;
    if (world_server(call) != STACK_IDENTITY) return false;
    answer(find(&recorded, STACK_IDENTITY, NULL, error_note), reply);
    return true;
}

static void check_error(const char *note, const char *message, const char *hint) {
    struct tts_world world;
    world_begin(&world, NULL, true);
    world.before = replay_error;
    error_note = note;
    world.record.complete = false;
    assert_int_equal(world_run(&world, world_read, false), JOB_FAILED);
    if (strstr(world.error.message, message) == NULL) fail_msg("%s: %s", note, world.error.message);
    if (strstr(world.error.hint, hint) == NULL) fail_msg("%s: %s", note, world.error.hint);
    world_release(&world);
}

static void test_errors(void **state) {
    (void)state;
    load(&recorded, "vectors/tts/calls.jsonl.xz");
    check_error("no key", "no rights for application `test-app`", "--tts.app-api-key");
    check_error("bad key", "API key not found", "--tts.app-api-key");
    unload(&recorded);
}

static bool replay_forbidden(struct tts_world *world, const struct call *call, struct reply *reply) {
    (void)world;
    if (!world_is(call, STACK_JOIN, "Get")) return false;
    ARENA_AUTO arena = {0};
    const Tts__GetEndDeviceRequest *request =
        message_unpack(&tts__get_end_device_request__descriptor, call->body, call->body_size, &arena, NULL);
    if (!world_mask_has(request->field_mask, "root_keys")) return false;
    answer(find(&recorded, STACK_NETWORK, NULL, "forbidden path"), reply);
    return true;
}

// A server that does not know a path of the mask is asked again without it, and from then on.
static void test_forbidden_path(void **state) {
    (void)state;
    load(&recorded, "vectors/tts/calls.jsonl.xz");
    struct tts_world world;
    world_begin(&world, NULL, true);
    world.before = replay_forbidden;
    world.record.complete = false;
    assert_int_equal(world_run(&world, world_read, false), JOB_DONE);
    assert_string_equal(world.log, "IS.Get NS.Get AS.Get JS.Get JS.Get ");
    world.record.complete = false;
    assert_int_equal(world_run(&world, world_read, false), JOB_DONE);
    assert_string_equal(world.log, "IS.Get NS.Get AS.Get JS.Get ");
    world_release(&world);
    unload(&recorded);
}

// ---- masks

static struct recording masks;

static void check_allowed(const char *method, const Google__FieldMask *mask) {
    for (size_t i = 0; i < masks.count; i++) {
        if (strcmp(text(masks.calls[i], "method"), method) != 0) continue;
        json_t *allowed = json_object_get(masks.calls[i], "allowed");
        for (size_t k = 0; k < mask->n_paths; k++) {
            bool found = false;
            for (size_t m = 0; m < json_array_size(allowed) && !found; m++)
                found = strcmp(json_string_value(json_array_get(allowed, m)), mask->paths[k]) == 0;
            if (!found) fail_msg("%s does not allow %s", method, mask->paths[k]);
        }
        return;
    }
    fail_msg("no mask of %s", method);
}

static bool check_get_mask(struct tts_world *world, const struct call *call, struct reply *reply) {
    (void)world;
    (void)reply;
    enum stack_role server = world_server(call);
    ARENA_AUTO arena = {0};
    const Tts__GetEndDeviceRequest *request =
        message_unpack(&tts__get_end_device_request__descriptor, call->body, call->body_size, &arena, NULL);
    assert_non_null(request);
    assert_true(request->field_mask->n_paths > 3);
    char *method MEMORY_AUTO = memory_printf("%s/Get", world_services[server]);
    check_allowed(method, request->field_mask);
    return false;
}

// What is read of a device, as a server's part of it.
static const char *const members_of[STACK_ROLES] = {
    [STACK_NETWORK] =
        "frequency_plan_id lorawan_version lorawan_phy_version min_frequency max_frequency "
        "supports_join supports_class_b supports_class_c multicast mac_settings mac_state session "
        "pending_mac_state pending_session battery_percentage downlink_margin "
        "last_dev_status_received_at power_state",
    [STACK_APPLICATION] =
        "session pending_session formatters skip_payload_crypto skip_payload_crypto_override",
    [STACK_JOIN] = "root_keys net_id last_dev_nonce used_dev_nonces last_join_nonce resets_join_nonces",
};

static void check_set_masks(const json_t *device) {
    ARENA_AUTO arena = {0};
    char *line = json_dumps(device, JSON_COMPACT);
    Tts__EndDevice *whole =
        message_json_read(&tts__end_device__descriptor, line, strlen(line), 1, &arena, NULL, NULL);
    free(line);
    assert_non_null(whole);
    for (enum stack_role server = STACK_NETWORK; server < STACK_ROLES; server++) {
        Tts__EndDevice *part = message_select(&whole->base, members_of[server], &arena);
        char *method MEMORY_AUTO = memory_printf("%s/Set", world_services[server]);
        check_allowed(method, tts_source_mask(part, server, &arena));
    }
}

// 3.32 accepts the masks with which devices are read and put back.
static void test_masks(void **state) {
    (void)state;
    load(&masks, "vectors/tts/field-masks.jsonl.xz");
    struct tts_world world;
    world_begin(&world, NULL, true);
    world.record.complete = false;
    world.before = check_get_mask;
    assert_int_equal(world_run(&world, world_read, false), JOB_DONE);
    world_release(&world);
    struct recording devices;
    load(&devices, "vectors/tts/devices.jsonl.xz");
    assert_int_equal(devices.count, 36);
    for (size_t i = 0; i < devices.count; i++) check_set_masks(json_object_get(devices.calls[i], "read"));
    unload(&devices);
    unload(&masks);
}

static void test_list(void **state) {
    (void)state;
    load(&recorded, "vectors/tts/calls.jsonl.xz");
    struct tts_world world;
    start(&world);
    struct source_page page = {0};
    struct job job = {.arena = &world.job_arena};
    const struct source_driver *driver = world.source->driver;
    assert_int_equal(driver->list(world.source, &job, &page, &world.error), JOB_CALLS);
    answer(recorded.calls[0], &job.replies[0]);
    reply_add_header(&job.replies[0], "x-total-count", 13, "3", 1);
    job.call_count = 0;
    assert_int_equal(driver->list(world.source, &job, &page, &world.error), JOB_DONE);
    assert_int_equal(page.count, 3);
    assert_int_equal(page.total, 3);
    assert_null(page.cursor);
    assert_string_equal(page.records[1].id, "mig-000001");
    assert_true(page.records[1].has_dev_eui);
    assert_false(page.records[1].complete);
    reply_release(&job.replies[0]);
    source_page_release(&page);
    world_release(&world);
    unload(&recorded);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_devices), cmocka_unit_test(test_errors), cmocka_unit_test(test_forbidden_path),
        cmocka_unit_test(test_masks),   cmocka_unit_test(test_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
