// SPDX-License-Identifier: Apache-2.0
// Four servers of The Things Stack with one device, for tests of the source tts: what each has is a message, calls are
// answered in order, and a test may answer any of them itself.
#ifndef TESTS_TTS_WORLD_H
#define TESTS_TTS_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/message.h"
#include "source/registry.h"
#include "source/tts_p.h"

enum { WORLD_STEPS_MAX = 80 };

struct tts_world;

// Answers a call in place of the server: true if it did. Before the server has done it, or after.
typedef bool tts_world_fault(struct tts_world *world, const struct call *call, struct reply *reply);

struct tts_world {
    struct arena arena;
    Tts__EndDevice *at[STACK_ROLES];  // what the servers have; NULL = nothing
    tts_world_fault *before;          // NULL = none
    tts_world_fault *after;
    unsigned calls;
    char log[4096];  // "NS.Get AS.Get ": the calls in their order
    struct option_values *options;
    struct device_naming naming;
    struct source *source;
    struct source_record record;
    struct job job;
    struct arena job_arena;
    struct error error;
};

static const char *const world_services[STACK_ROLES] = {
    [STACK_IDENTITY] = "EndDeviceRegistry",
    [STACK_NETWORK] = "NsEndDeviceRegistry",
    [STACK_APPLICATION] = "AsEndDeviceRegistry",
    [STACK_JOIN] = "JsEndDeviceRegistry",
};
static const char *const world_names[STACK_ROLES] = {
    [STACK_IDENTITY] = "IS", [STACK_NETWORK] = "NS", [STACK_APPLICATION] = "AS", [STACK_JOIN] = "JS"};

static void world_status(struct reply *reply, enum grpc_status status, const char *message) {
    *reply = (struct reply){.outcome = REPLY_ANSWERED, .http_status = 200, .grpc_status = status};
    reply->message = memory_strdup(message);
    buffer_init(&reply->body, CALL_REPLY_LIMIT);
}

static void world_message(struct reply *reply, const ProtobufCMessage *message) {
    world_status(reply, GRPC_OK, NULL);
    message_pack(message, &reply->body);
}

static enum stack_role world_server(const struct call *call) {
    const char *service = call->method + strlen("/ttn.lorawan.v3.");
    size_t size = strcspn(service, "/");
    for (enum stack_role server = 0; server < STACK_ROLES; server++) {
        if (strlen(world_services[server]) == size && memcmp(service, world_services[server], size) == 0)
            return server;
    }
    return STACK_ROLES;
}

static bool world_is(const struct call *call, enum stack_role server, const char *method) {
    return world_server(call) == server && strcmp(strrchr(call->method, '/') + 1, method) == 0;
}

static bool world_mask_has(const Google__FieldMask *mask, const char *path) {
    for (size_t i = 0; i < mask->n_paths; i++) {
        if (strcmp(mask->paths[i], path) == 0) return true;
    }
    return false;
}

// A Set, as far as the source makes them: a new entry as a whole, or what it changes of an old one.
static void world_set(struct tts_world *world, enum stack_role server, const struct call *call,
                      struct reply *reply) {
    Tts__SetEndDeviceRequest *request = message_unpack(&tts__set_end_device_request__descriptor, call->body,
                                                       call->body_size, &world->arena, NULL);
    assert_non_null(request);
    Tts__EndDevice *given = request->end_device;
    Tts__EndDevice *now = world->at[server];
    assert_int_equal(given->ids->dev_addr.len, 0);
    const Google__FieldMask *mask = request->field_mask;
    assert_true(mask->n_paths > 0);
    if (now == NULL) {
        if (server == STACK_NETWORK && !world_mask_has(mask, "frequency_plan_id")) {
            world_status(reply, GRPC_INTERNAL, "error:pkg/errors:rpc_recovered (an internal error)");
            return;
        }
        world->at[server] = given;
        // The time of a Set is a new session's beginning, whatever it says.
        if (server == STACK_NETWORK && given->session != NULL) {
            given->session->started_at = message_new(&world->arena, &google__timestamp__descriptor);
            given->session->started_at->seconds = 1795000000;
        }
    } else {
        if (world_mask_has(mask, "mac_settings.schedule_downlinks.value") ||
            world_mask_has(mask, "mac_settings.schedule_downlinks")) {
            if (now->mac_settings == NULL)
                now->mac_settings = message_new(&world->arena, &tts__macsettings__descriptor);
            now->mac_settings->schedule_downlinks =
                given->mac_settings == NULL ? NULL : given->mac_settings->schedule_downlinks;
        }
        if (world_mask_has(mask, "session.last_n_f_cnt_down"))
            now->session->last_n_f_cnt_down = given->session->last_n_f_cnt_down;
        if (world_mask_has(mask, "session.last_f_cnt_up"))
            now->session->last_f_cnt_up = given->session->last_f_cnt_up;
        if (world_mask_has(mask, "session.last_a_f_cnt_down"))
            now->session->last_a_f_cnt_down = given->session->last_a_f_cnt_down;
        if (world_mask_has(mask, "session.started_at")) now->session->started_at = given->session->started_at;
    }
    world_message(reply, &world->at[server]->base);
}

static void world_serve(struct tts_world *world, const struct call *call, struct reply *reply) {
    enum stack_role server = world_server(call);
    if (strstr(call->method, "ApplicationAccess/ListRights") != NULL) {
        Tts__Right all[] = {TTS__RIGHT__RIGHT_APPLICATION_ALL};
        Tts__Rights rights = TTS__RIGHTS__INIT;
        rights.n_rights = 1;
        rights.rights = all;
        world_message(reply, &rights.base);
        return;
    }
    assert_true(server < STACK_ROLES);
    const char *method = strrchr(call->method, '/') + 1;
    bool writes = strcmp(method, "Get") != 0 && strcmp(method, "List") != 0;
    assert_int_equal(call->changes, writes);
    if (strcmp(method, "Create") == 0) {
        Tts__CreateEndDeviceRequest *request = message_unpack(
            &tts__create_end_device_request__descriptor, call->body, call->body_size, &world->arena, NULL);
        if (world->at[server] != NULL) {
            world_status(reply, GRPC_ALREADY_EXISTS, "error:pkg/util/store:id_taken (ID already taken)");
            return;
        }
        world->at[server] = request->end_device;
        world_message(reply, &request->end_device->base);
    } else if (strcmp(method, "Set") == 0) {
        world_set(world, server, call, reply);
    } else if (world->at[server] == NULL) {
        world_status(reply, GRPC_NOT_FOUND, "error:pkg/networkserver:device_not_found (device not found)");
    } else if (strcmp(method, "Delete") == 0) {
        world->at[server] = NULL;
        world_status(reply, GRPC_OK, NULL);
    } else {
        assert_string_equal(method, "Get");
        world_message(reply, &world->at[server]->base);
    }
}

static void world_answer(struct tts_world *world, const struct call *call, struct reply *reply) {
    enum stack_role server = world_server(call);
    size_t used = strlen(world->log);
    world->calls++;
    snprintf(world->log + used, sizeof world->log - used, "%s.%s ",
             server < STACK_ROLES ? world_names[server] : "IS", strrchr(call->method, '/') + 1);
    // The key goes along with each call, and with nothing else.
    assert_int_equal(call->header_count, 1);
    assert_string_equal(call->headers[0].name, "authorization");
    assert_string_equal(call->headers[0].value, "Bearer NNSXS.MADEUP");
    if (world->before != NULL && world->before(world, call, reply)) return;
    world_serve(world, call, reply);
    if (world->after == NULL) return;
    struct reply other = {0};
    if (!world->after(world, call, &other)) return;
    reply_release(reply);
    *reply = other;
}

typedef enum job_step world_operation(struct tts_world *world);

static void world_forget(struct tts_world *world) {
    for (size_t i = 0; i < JOB_CALLS_MAX; i++) reply_release(&world->job.replies[i]);
}

// Runs an operation to its end, as the engine does.
static enum job_step world_run(struct tts_world *world, world_operation *operation, bool again) {
    world_forget(world);
    arena_release(&world->job_arena);
    error_release(&world->error);
    world->job = (struct job){.arena = &world->job_arena, .again = again};
    world->log[0] = '\0';
    for (int i = 0; i < WORLD_STEPS_MAX; i++) {
        world->job.call_count = 0;
        enum job_step step = operation(world);
        world_forget(world);
        assert_int_equal(step == JOB_FAILED, error_is_set(&world->error));
        if (step != JOB_CALLS) return step;
        assert_in_range(world->job.call_count, 1, JOB_CALLS_MAX);
        for (size_t k = 0; k < world->job.call_count; k++) {
            world_answer(world, &world->job.calls[k], &world->job.replies[k]);
        }
    }
    fail_msg("does not end: %s", world->log);
    return JOB_FAILED;
}

static enum job_step world_prepare(struct tts_world *world) {
    return world->source->driver->prepare(world->source, &world->job, "my-app", &world->error);
}

static enum job_step world_read(struct tts_world *world) {
    return world->source->driver->read(world->source, &world->job, &world->record, &world->error);
}

static void world_option(struct tts_world *world, const char *name, const char *value) {
    const struct option_spec *spec = option_find(option_table(world->options), name, strlen(name));
    assert_non_null(spec);
    assert_int_equal(option_set(world->options, spec, name, value, NULL), 0);
}

static int world_open(struct tts_world *world, bool dry_run) {
    const struct source_driver *driver = source_find(source_drivers(), "ttnv3", 5);
    assert_non_null(driver);
    assert_string_equal(driver->name, "tts");
    struct source_setup setup = {.options = world->options,
                                 .plans = frequency_plans_builtin(),
                                 .naming = &world->naming,
                                 .dry_run = dry_run};
    return driver->open(&setup, &world->source, &world->error);
}

// A world with options for one address. `release` may be NULL.
static void world_init(struct tts_world *world, const char *release) {
    *world = (struct tts_world){0};
    world->options = option_values_new(source_find(source_drivers(), "tts", 3)->options);
    world_option(world, "app-id", "my-app");
    world_option(world, "app-api-key", "NNSXS.MADEUP");
    world_option(world, "default-grpc-address", "stack.example");
    if (release != NULL) world_option(world, "release", release);
}

static void world_release(struct tts_world *world) {
    world_forget(world);
    arena_release(&world->job_arena);
    arena_release(&world->arena);
    error_release(&world->error);
    source_record_release(&world->record);
    if (world->source != NULL) world->source->driver->close(world->source);
    option_values_free(world->options);
}

// ---- a device

static ProtobufCBinaryData world_bytes(struct tts_world *world, size_t size, uint8_t first) {
    uint8_t bytes[16];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(first + i);
    return message_bytes(&world->arena, bytes, size);
}

static Tts__KeyEnvelope *world_key(struct tts_world *world, uint8_t first) {
    Tts__KeyEnvelope *key = message_new(&world->arena, &tts__key_envelope__descriptor);
    key->key = world_bytes(world, 16, first);
    return key;
}

static Tts__EndDevice *world_part(struct tts_world *world) {
    struct arena *arena = &world->arena;
    Tts__EndDevice *part = message_new(arena, &tts__end_device__descriptor);
    part->ids = message_new(arena, &tts__end_device_identifiers__descriptor);
    part->ids->application_ids = message_new(arena, &tts__application_identifiers__descriptor);
    part->ids->application_ids->application_id = arena_strdup(arena, "my-app");
    part->ids->device_id = arena_strdup(arena, "my-device");
    part->ids->dev_eui = world_bytes(world, 8, 0x70);
    part->ids->join_eui = world_bytes(world, 8, 0x20);
    return part;
}

static Tts__Session *world_session(struct tts_world *world, bool joined) {
    Tts__Session *session = message_new(&world->arena, &tts__session__descriptor);
    session->dev_addr = world_bytes(world, 4, 0x26);
    session->keys = message_new(&world->arena, &tts__session_keys__descriptor);
    if (joined) session->keys->session_key_id = world_bytes(world, 16, 0xE0);
    return session;
}

// A device that every server knows: EU868, LoRaWAN 1.0.3, with a session; it joins or is activated by personalization.
static void world_fill(struct tts_world *world, bool joins) {
    struct arena *arena = &world->arena;
    for (enum stack_role server = 0; server < STACK_ROLES; server++) {
        bool here = joins || server != STACK_JOIN;
        world->at[server] = here ? world_part(world) : NULL;
    }
    world->at[STACK_IDENTITY]->name = arena_strdup(arena, "My device");
    world->at[STACK_IDENTITY]->network_server_address = arena_strdup(arena, "stack.example");
    Tts__EndDevice *network = world->at[STACK_NETWORK];
    network->supports_join = joins;
    network->lorawan_version = TTS__MACVERSION__MAC_V1_0_3;
    network->lorawan_phy_version = TTS__PHYVERSION__PHY_V1_0_3_REV_A;
    network->frequency_plan_id = arena_strdup(arena, "EU_863_870_TTN");
    network->session = world_session(world, joins);
    network->session->keys->f_nwk_s_int_key = world_key(world, 0x10);
    network->session->last_f_cnt_up = 100;
    network->session->last_n_f_cnt_down = 20;
    network->session->started_at = message_new(arena, &google__timestamp__descriptor);
    network->session->started_at->seconds = 1700000000;
    Tts__EndDevice *application = world->at[STACK_APPLICATION];
    application->session = world_session(world, joins);
    application->session->keys->app_s_key = world_key(world, 0x30);
    if (!joins) return;
    Tts__EndDevice *join = world->at[STACK_JOIN];
    join->root_keys = message_new(arena, &tts__root_keys__descriptor);
    join->root_keys->app_key = world_key(world, 0x50);
    join->last_join_nonce = 7;
}

// Reads the device, so that `record` is complete.
static void world_begin(struct tts_world *world, const char *release, bool joins) {
    world_init(world, release);
    world_fill(world, joins);
    assert_int_equal(world_open(world, false), 0);
    assert_int_equal(world_run(world, world_prepare, false), JOB_DONE);
    world->record.id = memory_strdup("my-device");
    assert_int_equal(world_run(world, world_read, false), JOB_DONE);
}

#endif
