// SPDX-License-Identifier: Apache-2.0
#include "world/world.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "world/awsiot_p.h"
#include "world/chirpstack_p.h"
#include "world/firefly_p.h"
#include "world/loriot_p.h"
#include "world/ttnv2_p.h"
#include "world/tts_p.h"
#include "world/world_p.h"

// The gRPC servers answer in status codes, the HTTP servers in those of HTTP.
static bool is_http(enum world_endpoint endpoint) {
    return endpoint == WORLD_TTNV2_ACCOUNT || endpoint == WORLD_CHIRPSTACK_V3 || endpoint == WORLD_FIREFLY ||
           endpoint == WORLD_LORIOT || endpoint == WORLD_AWSIOT;
}

struct world *world_new(const struct world_setup *setup) {
    struct world *world = memory_new(struct world);
    world->v2 = v2_new(setup);
    world->chirpstack = cs_new(setup);
    world->tts = tts_make_cluster(setup);
    world->firefly = firefly_new(setup);
    world->loriot = lo_new(setup);
    world->awsiot = aws_new(setup);
    field_look(world, 0);
    return world;
}

void world_clear_faults(struct world *world) {
    for (size_t i = 0; i < world->fault_count; i++) fault_release(&world->faults[i]);
    world->fault_count = 0;
}

void world_free(struct world *world) {
    if (world == NULL) return;
    world_clear_faults(world);
    v2_free(world->v2);
    cs_free(world->chirpstack);
    tts_free(world->tts);
    firefly_free(world->firefly);
    lo_free(world->loriot);
    aws_free(world->awsiot);
    field_release(&world->field);
    free(world);
}

int world_add_fault(struct world *world, const char *spec, struct error *error) {
    if (world->fault_count == FAULTS_MAX) {
        return error_set(error, ERROR_TOO_LARGE, "more than %d faults", FAULTS_MAX);
    }
    int result = fault_parse(spec, &world->faults[world->fault_count], error);
    if (result == 0) world->fault_count++;
    return result;
}

int world_reply_status(struct world_reply *reply, int status, const char *format, ...) {
    va_list args;
    va_start(args, format);
    free(reply->message);
    reply->message = memory_vprintf(format, args);
    va_end(args);
    reply->status = status;
    buffer_clear(&reply->body);
    buffer_clear(&reply->details);
    return status;
}

void world_reply_add_header(struct world_reply *reply, const char *name, const char *format, ...) {
    if (reply->header_count == WORLD_REPLY_HEADERS) return;
    size_t i = reply->header_count++;
    reply->headers[i].name = name;
    va_list args;
    va_start(args, format);
    vsnprintf(reply->headers[i].value, sizeof reply->headers[i].value, format, args);
    va_end(args);
}

const char *world_request_header(const struct world_request *request, const char *name) {
    const char *value = NULL;
    for (size_t i = 0; i < request->header_count; i++) {
        if (strcmp(request->headers[i].name, name) == 0) value = request->headers[i].value;
    }
    return value;
}

void world_reply_release(struct world_reply *reply) {
    free(reply->message);
    buffer_release(&reply->body);
    buffer_release(&reply->details);
    *reply = (struct world_reply){0};
}

static bool is_tts(enum world_endpoint endpoint) {
    return endpoint >= WORLD_TTS_IS && endpoint <= WORLD_TTS_JS;
}

// The last part of the path, without the query; of The Things Stack and of ChirpStack, where several services have the
// same methods, "Service/Method". Nothing in it needs escaping in JSON.
static void short_name(const struct world_request *request, char *name, size_t size) {
    if (request->endpoint == WORLD_CHIRPSTACK_V3) {
        cs_v3_method_name(request->method, name, size);
        return;
    }
    const char *method = request->method;
    if (request->endpoint == WORLD_FIREFLY) method = firefly_method(request);
    if (request->endpoint == WORLD_LORIOT) method = lo_method(request);
    if (request->endpoint == WORLD_AWSIOT) method = aws_method(request);
    const char *slash = strrchr(method, '/');
    const char *start = slash != NULL ? slash + 1 : method;
    bool service = is_tts(request->endpoint) || request->endpoint == WORLD_CHIRPSTACK;
    if (service && slash != NULL) {
        start = slash;
        while (start > method && start[-1] != '.' && start[-1] != '/') start--;
    }
    size_t length = strcspn(start, "?");
    if (length >= size) length = size - 1;
    for (size_t i = 0; i < length; i++) {
        name[i] = isalnum((unsigned char)start[i]) || start + i == slash ? start[i] : '-';
    }
    name[length] = '\0';
}

// Methods beyond the table are counted together in its last row.
static struct method_calls *count_call(struct world *world, const char *name) {
    for (size_t i = 0; i < world->method_count; i++) {
        if (strcmp(world->methods[i].name, name) == 0) return &world->methods[i];
    }
    if (world->method_count == METHODS_MAX) return &world->methods[METHODS_MAX - 1];
    struct method_calls *calls = &world->methods[world->method_count++];
    snprintf(calls->name, sizeof calls->name, "%s", name);
    return calls;
}

uint64_t world_calls(const struct world *world, const char *method) {
    for (size_t i = 0; i < world->method_count; i++) {
        if (strcmp(world->methods[i].name, method) == 0) return world->methods[i].calls;
    }
    return 0;
}

static const struct fault *draw_fault(struct world *world, const char *name) {
    const struct fault *hit = NULL;
    for (size_t i = 0; i < world->fault_count; i++) {
        if (fault_hits(&world->faults[i], name) && hit == NULL) hit = &world->faults[i];
    }
    return hit;
}

static void fill(struct buffer *body, uint8_t byte, size_t size) {
    buffer_clear(body);
    uint8_t block[4096];
    memset(block, byte, sizeof block);
    for (size_t left = size; left > 0;) {
        size_t part = left < sizeof block ? left : sizeof block;
        buffer_add(body, block, part);
        left -= part;
    }
}

// Faults that are errors in the servers' own form.
static const struct refusal {
    enum fault_kind kind;
    int status;
    int http_status;
    const char *message;
} refusals[] = {
    {FAULT_UNAVAILABLE, STATUS_UNAVAILABLE, 503, "fault: unavailable"},
    {FAULT_UNAVAILABLE_AFTER, STATUS_UNAVAILABLE, 503, "fault: unavailable"},
    {FAULT_RESOURCE_EXHAUSTED, STATUS_RESOURCE_EXHAUSTED, 429, "Rate limit for client \"fault\" reached"},
    {FAULT_RESOURCE_EXHAUSTED_13, STATUS_INTERNAL, 429,
     "Broker did not return device: Internal error: [ResourceExhausted] Rate limit for client \"fault\" "
     "reached"},
    {FAULT_INTERNAL, STATUS_INTERNAL, 500, "fault: internal"},
    {FAULT_HALF, STATUS_INTERNAL, 500, "fault: half"},
    {FAULT_ABORTED, STATUS_ABORTED, 503, "fault: aborted"},
    {FAULT_LOCKED, STATUS_INTERNAL, 500, "database is locked"},
    {FAULT_REJECTED, STATUS_INVALID_ARGUMENT, 400, "fault: rejected"},
    {FAULT_TOKEN_EXPIRED, STATUS_PERMISSION_DENIED, 401,
     "permission denied: unable to parse token: token is expired"},
};

static void refuse(struct world_reply *reply, bool http, const struct refusal *refusal) {
    world_reply_status(reply, http ? refusal->http_status : refusal->status, "%s", refusal->message);
    if (http && refusal->http_status == 429) world_reply_add_header(reply, "retry-after", "1");
}

// Faults of the way back.
static const struct {
    enum fault_kind kind;
    enum world_delivery delivery;
} deliveries[] = {
    {FAULT_RESET_BEFORE, WORLD_RESET},
    {FAULT_RESET_MIDDLE, WORLD_RESET_MIDDLE},
    {FAULT_RESET_AFTER, WORLD_RESET},
    {FAULT_NO_TRAILERS, WORLD_CUT},
    {FAULT_DEADLINE, WORLD_HANG},
    {FAULT_DEADLINE_AFTER, WORLD_HANG},
    {FAULT_GOAWAY, WORLD_GOAWAY},
    {FAULT_REFUSE, WORLD_REFUSE},
    {FAULT_GARBAGE_HTTP, WORLD_GARBAGE_TRANSPORT},
};

// Bytes that are no answer, sent as one.
static void spoil_body(const struct fault *fault, bool http, struct world_reply *reply) {
    enum { GARBAGE_SIZE = 64, GARBAGE = 0xFF, FIELD_ONE = 0x0A };
    if (fault->kind == FAULT_GARBAGE) fill(&reply->body, GARBAGE, GARBAGE_SIZE);
    if (fault->kind == FAULT_EMPTY) buffer_clear(&reply->body);
    if (fault->kind == FAULT_OVERSIZED) fill(&reply->body, FIELD_ONE, (size_t)fault->value);
    reply->status = http ? 200 : STATUS_OK;
    free(memory_take(reply->message));
}

// What the fault makes of the answer; the call itself was made or left out before.
static void apply_fault(const struct fault *fault, bool http, struct world_reply *reply) {
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        if (refusals[i].kind == fault->kind) refuse(reply, http, &refusals[i]);
    }
    for (size_t i = 0; i < sizeof deliveries / sizeof *deliveries; i++) {
        if (deliveries[i].kind == fault->kind) reply->delivery = deliveries[i].delivery;
    }
    if (fault->kind == FAULT_GARBAGE || fault->kind == FAULT_EMPTY || fault->kind == FAULT_OVERSIZED) {
        spoil_body(fault, http, reply);
    }
    if (fault->kind == FAULT_DELAY) reply->delay += fault->value;
    if (fault->kind == FAULT_REFUSE) reply->delay = fault->value;
}

static void count_result(struct method_calls *calls, const struct world_reply *reply, bool http) {
    bool broker = !http && reply->status == STATUS_INTERNAL && reply->message != NULL &&
                  strstr(reply->message, "[ResourceExhausted]") != NULL;
    bool ok = http ? reply->status / 100 == 2 : reply->status == STATUS_OK;
    if (ok) {
        calls->ok++;
    } else if (broker || reply->status == (http ? 429 : STATUS_RESOURCE_EXHAUSTED)) {
        calls->refused++;
    } else {
        calls->failed++;
    }
}

// The form of the Account Server's errors.
static void write_http_error(struct world_reply *reply) {
    buffer_clear(&reply->body);
    buffer_printf(&reply->body, "{\"code\":%d,\"error\":\"", reply->status);
    for (const char *c = reply->message; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\') buffer_putc(&reply->body, '\\');
        if ((unsigned char)*c >= ' ') buffer_putc(&reply->body, *c);
    }
    buffer_puts(&reply->body, "\"}");
}

static void call_network(struct world *world, int64_t now, const struct world_request *request,
                         struct world_reply *reply) {
    if (request->endpoint == WORLD_CHIRPSTACK) {
        cs_call(world->chirpstack, now, request, reply);
    } else if (request->endpoint == WORLD_CHIRPSTACK_V3) {
        cs_v3_call(world->chirpstack, now, request, reply);
    } else if (request->endpoint == WORLD_FIREFLY) {
        world_firefly_call(world->firefly, request, reply);
    } else if (request->endpoint == WORLD_LORIOT) {
        lo_call(world->loriot, now, request, reply);
    } else if (request->endpoint == WORLD_AWSIOT) {
        aws_call(world->awsiot, now, request, reply);
    } else if (is_tts(request->endpoint)) {
        tts_cluster_call(world->tts, now, request, reply);
    } else {
        v2_call(world->v2, now, request, reply);
    }
}

// Of V2's calls, SetDevice alone writes in two places, so that half of it can be done.
static bool is_left_undone(const struct fault *fault, const char *name) {
    return fault_is_before(fault->kind) || (fault->kind == FAULT_HALF && strcmp(name, "SetDevice") != 0);
}

void world_call(struct world *world, int64_t now, const struct world_request *request,
                struct world_reply *reply) {
    *reply = (struct world_reply){0};
    buffer_init(&reply->body, BUFFER_UNLIMITED);
    buffer_init(&reply->details, BUFFER_UNLIMITED);
    bool http = is_http(request->endpoint);
    if (http) reply->status = 200;
    char name[64];
    short_name(request, name, sizeof name);
    struct method_calls *calls = count_call(world, name);
    calls->calls++;
    const struct fault *fault = draw_fault(world, name);
    world->v2->half = fault != NULL && fault->kind == FAULT_HALF;
    if (fault == NULL || !is_left_undone(fault, name)) call_network(world, now, request, reply);
    field_look(world, now);
    if (fault != NULL) {
        calls->faults++;
        apply_fault(fault, http, reply);
    }
    count_result(calls, reply, http);
    if (http && reply->message != NULL) write_http_error(reply);
}

void world_advance(struct world *world, int64_t now) {
    field_advance(world, now);
    cs_advance(world->chirpstack, now);
}

void world_state_json(const struct world *world, unsigned parts, struct buffer *state) {
    buffer_puts(state, "{");
    if (parts & WORLD_STATE_CALLS) {
        buffer_puts(state, "\"calls\":{");
        for (size_t i = 0; i < world->method_count; i++) {
            const struct method_calls *calls = &world->methods[i];
            buffer_printf(
                state,
                "%s\"%s\":{\"calls\":%llu,\"ok\":%llu,\"refused\":%llu,\"failed\":%llu,\"faults\":%llu}",
                i > 0 ? "," : "", calls->name, (unsigned long long)calls->calls,
                (unsigned long long)calls->ok, (unsigned long long)calls->refused,
                (unsigned long long)calls->failed, (unsigned long long)calls->faults);
        }
        struct world_numbers n = {0};
        world_count(world, &n);
        buffer_printf(state,
                      "},\n\"ttnv2\":{\"devices\":%llu,\"with_keys\":%llu,\"cleared\":%llu,\"restored\":%llu,"
                      "\"uplinks\":%llu,\"lost\":%llu}",
                      (unsigned long long)n.devices, (unsigned long long)n.with_keys,
                      (unsigned long long)n.cleared, (unsigned long long)n.restored,
                      (unsigned long long)n.uplinks, (unsigned long long)n.lost);
        buffer_printf(state, ",\n\"tts\":{\"devices\":%llu,\"with_keys\":%llu,\"uplinks\":%llu}",
                      (unsigned long long)n.tts_devices, (unsigned long long)n.tts_with_keys,
                      (unsigned long long)n.tts_uplinks);
        buffer_puts(state, ",\n\"field\":");
        field_state_json(&world->field, state);
    }
    if (parts & WORLD_STATE_DEVICES) {
        buffer_puts(state, parts & WORLD_STATE_CALLS ? ",\n\"devices\":[\n" : "\"devices\":[\n");
        v2_state_json(world->v2, ",\n", state);
        buffer_puts(state, "],\n\"tts_devices\":[\n");
        tts_state_json(world->tts, ",\n", state);
        buffer_puts(state, "],\n\"tts_links\":");
        tts_links_json(world->tts, state);
        buffer_puts(state, ",\n\"tts_gateways\":[\n");
        tts_gateways_json(world->tts, state);
        buffer_puts(state, "],\n\"chirpstack\":[\n");
        cs_state_json(world->chirpstack, ",\n", state);
        buffer_puts(state, "],\n");
        cs_places_json(world->chirpstack, state);
        buffer_puts(state, ",\n\"firefly_devices\":[\n");
        firefly_state_json(world->firefly, ",\n", state);
        buffer_puts(state, "],\n\"loriot_devices\":[\n");
        lo_state_json(world->loriot, ",\n", state);
        buffer_puts(state, "],\n\"awsiot_devices\":[\n");
        aws_state_json(world->awsiot, ",\n", state);
        buffer_puts(state, "]");
    }
    buffer_puts(state, "}\n");
}

void world_state_lines(const struct world *world, struct buffer *state) {
    size_t before = state->size;
    v2_state_json(world->v2, "\n", state);
    if (state->size > before) buffer_putc(state, '\n');
    before = state->size;
    tts_state_json(world->tts, "\n", state);
    if (state->size > before) buffer_putc(state, '\n');
}

int world_load_device(struct world *world, const char *json, size_t size, const char **ret_app_id,
                      struct error *error) {
    static const char v2_member[] = "\"get_device_hex\"";
    static const char tts_member[] = "\"device_id\"";
    bool tts = memmem(json, size, v2_member, sizeof v2_member - 1) == NULL &&
               memmem(json, size, tts_member, sizeof tts_member - 1) != NULL;
    int result = tts ? tts_load_device(world->tts, json, size, ret_app_id, error)
                     : v2_load_device(world->v2, json, size, ret_app_id, error);
    field_look(world, world->field.now);
    return result;
}
