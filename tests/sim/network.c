// SPDX-License-Identifier: Apache-2.0
// The network between the engine and the world: requests take their time, answers too, and on the way back the world
// may have something happen to them. A request that is on the wire arrives even if nobody waits any more.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/memory.h"
#include "device/error_details.h"
#include "sim.h"

enum { WAITS_MAX = 200000, REPLY_MAX = 256 * 1024 };

static struct sim *sim_of(struct transport *transport) {
    return (struct sim *)((char *)transport - offsetof(struct sim, transport));
}

static int64_t travel_time(struct sim *sim) {
    int64_t most = sim->c.jitter > 0 ? prng_below(&sim->weather, (uint32_t)sim->c.jitter * 1000) : 0;
    return sim->c.latency * NS_PER_MS / 2 + most * 1000;
}

static void flow_release(struct flow *flow) {
    for (size_t i = 0; i < flow->header_count; i++) {
        free((char *)(uintptr_t)flow->headers[i].name);
        free((char *)(uintptr_t)flow->headers[i].value);
    }
    free(flow->method);
    free(flow->body);
    reply_release(&flow->reply);
    *flow = (struct flow){0};
}

// ---- the request

static enum world_endpoint endpoint_of(const struct server *server) {
    static const char names[][4] = {"is.", "ns.", "as.", "js."};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strncmp(server->address, names[i], 3) == 0) return (enum world_endpoint)(WORLD_TTS_IS + i);
    }
    if (strncmp(server->address, "discovery", 9) == 0) return WORLD_TTNV2_DISCOVERY;
    return strncmp(server->address, "account", 7) == 0 ? WORLD_TTNV2_ACCOUNT : WORLD_TTNV2_HANDLER;
}

static bool method_is(const struct flow *flow, const char *name) {
    const char *slash = strrchr(flow->method, '/');
    return slash != NULL && strcmp(slash + 1, name) == 0;
}

static bool is_tts(const struct flow *flow) {
    return flow->endpoint >= WORLD_TTS_IS && flow->endpoint <= WORLD_TTS_JS;
}

static bool is_change(const struct flow *flow) {
    if (!is_tts(flow)) return method_is(flow, "SetDevice");
    return strstr(flow->method, "EndDevice") != NULL &&
           (method_is(flow, "Set") || method_is(flow, "Create") || method_is(flow, "Update") ||
            method_is(flow, "Delete"));
}

// GetDevice and SetDevice both have the application's and the device's ID in front.
static struct sim_device *device_of(struct sim *sim, const struct flow *flow) {
    struct v2_device_message message = {0};
    struct wire_bytes body = {.data = flow->body, .size = flow->body_size};
    if (is_tts(flow)) {
        bool known = flow->changes || method_is(flow, "Get");
        return known ? sim_device_in(sim, flow->body, flow->body_size, flow->at_target) : NULL;
    }
    if (method_is(flow, "SetDevice") && v2_decode_device(body, &message) == NULL) {
        return sim_find_device(sim, (const char *)message.dev_id.data, message.dev_id.size);
    }
    struct wire_bytes texts[2] = {0};
    if (!method_is(flow, "GetDevice") || v2_decode_texts(body, texts, 2) != NULL) return NULL;
    return sim_find_device(sim, (const char *)texts[1].data, texts[1].size);
}

static void copy_call(struct flow *flow, const struct call *call) {
    flow->kind = call->kind;
    flow->endpoint = endpoint_of(call->server);
    flow->at_target = strstr(call->server->address, "target") != NULL;
    flow->method = call->kind == CALL_HTTP ? memory_printf("%s %s", call->method, call->path)
                                           : memory_strdup(call->method);
    flow->body = memory_dup(call->body, call->body_size);
    flow->body_size = call->body_size;
    flow->header_count = call->header_count;
    for (size_t i = 0; i < call->header_count; i++) {
        flow->headers[i].name = memory_strdup(call->headers[i].name);
        flow->headers[i].value = memory_strdup(call->headers[i].value);
    }
}

static void *network_start(struct transport *transport, const struct call *call, int64_t timeout,
                           transport_done *done, void *context) {
    struct sim *sim = sim_of(transport);
    sim_event(sim);
    struct flow *flow = sim->flows;
    while (flow < sim->flows + FLOWS_MAX && flow->used) flow++;
    if (flow == sim->flows + FLOWS_MAX) {
        sim_violated(sim, "more than %d calls at once", FLOWS_MAX);
        sim_die(sim);
    }
    *flow = (struct flow){.used = true, .done = done, .context = context};
    copy_call(flow, call);
    flow->changes = is_change(flow);
    // Two applications of one cluster have the same servers.
    static const char application[] = WORLD_TTS_SOURCE_APP_ID;
    if (sim->c.together && flow->body_size > 0)
        flow->at_target = memmem(flow->body, flow->body_size, application, sizeof application - 1) == NULL;
    flow->device = device_of(sim, flow);
    if (flow->device != NULL && method_is(flow, "GetDevice")) flow->device->in_doubt = false;
    flow->due = sim->now + travel_time(sim);
    flow->deadline = sim->now + timeout;
    if (sim->refused_until[flow->at_target][flow->endpoint] > sim->now) {
        flow->arrived = flow->answering = true;
        flow->reply =
            (struct reply){.outcome = REPLY_NOT_SENT, .message = memory_strdup("connection refused")};
    }
    return flow;
}

static void network_cancel(struct transport *transport, void *handle) {
    (void)transport;
    struct flow *flow = handle;
    flow->done = NULL;
    if (flow->arrived) flow_release(flow);
}

// ---- the answer

static void set_outcome(struct flow *flow, enum reply_outcome outcome, const char *words) {
    reply_release(&flow->reply);
    flow->reply = (struct reply){.outcome = outcome, .message = memory_strdup(words)};
    flow->answering = true;
}

// The connection behind a server ends: what is on its way there or back is gone with it.
static void lose_connection(struct sim *sim, const struct flow *but) {
    for (size_t i = 0; i < FLOWS_MAX; i++) {
        struct flow *flow = &sim->flows[i];
        if (!flow->used || flow == but || flow->endpoint != but->endpoint ||
            flow->at_target != but->at_target || flow->deadline <= sim->now)
            continue;
        if (!flow->arrived && prng_below(&sim->weather, 2) == 0) continue;
        flow->arrived = true;
        flow->due = sim->now;
        set_outcome(flow, REPLY_LOST, "the connection was lost: reset by peer");
    }
}

static void take_answer(struct flow *flow, const struct world_reply *answer) {
    struct reply *reply = &flow->reply;
    *reply = (struct reply){.outcome = REPLY_ANSWERED, .message = memory_strdup(answer->message)};
    buffer_init(&reply->body, BUFFER_UNLIMITED);
    if (flow->kind == CALL_GRPC) {
        reply->http_status = 200;
        reply->grpc_status = (enum grpc_status)answer->status;
    } else {
        reply->http_status = answer->status;
    }
    for (size_t i = 0; i < answer->header_count; i++) {
        const char *name = answer->headers[i].name;
        const char *value = answer->headers[i].value;
        reply_add_header(reply, name, strlen(name), value, strlen(value));
    }
    if (answer->details.size > 0) {
        char *text MEMORY_AUTO = memory_alloc(BASE64_TEXT_SIZE(answer->details.size), 1);
        base64_encode(text, answer->details.data, answer->details.size);
        reply_add_header(reply, ERROR_DETAILS_TRAILER, strlen(ERROR_DETAILS_TRAILER), text, strlen(text));
    }
    buffer_add(&reply->body, answer->body.data, answer->body.size);
    flow->answering = true;
    if (answer->body.size > REPLY_MAX) set_outcome(flow, REPLY_MALFORMED, "the message is too large");
}

static void deliver(struct sim *sim, struct flow *flow, const struct world_reply *answer) {
    flow->due = sim->now + answer->delay + travel_time(sim);
    switch (answer->delivery) {
        case WORLD_DELIVER:
            take_answer(flow, answer);
            break;
        case WORLD_RESET:
        case WORLD_RESET_MIDDLE:
            set_outcome(flow, REPLY_LOST, "the connection was lost: reset by peer");
            if (prng_below(&sim->weather, 2) == 0) lose_connection(sim, flow);
            break;
        case WORLD_CUT:
            set_outcome(flow, REPLY_LOST, "the answer ends without a status");
            break;
        case WORLD_HANG:
            flow->due = INT64_MAX;
            break;
        case WORLD_GOAWAY:
            take_answer(flow, answer);
            if (prng_below(&sim->weather, 2) == 0) lose_connection(sim, flow);
            break;
        case WORLD_REFUSE:
            sim->refused_until[flow->at_target][flow->endpoint] = sim->now + answer->delay;
            flow->due = sim->now + travel_time(sim);
            set_outcome(flow, REPLY_LOST, "the connection was lost: reset by peer");
            lose_connection(sim, flow);
            break;
        default:
            set_outcome(flow, REPLY_MALFORMED, "the answer is no valid HTTP");
            break;
    }
}

// Around a change of one device, or of who knows which.
static void change(struct sim *sim, const struct flow *flow,
                   void (*check)(struct sim *sim, struct sim_device *device)) {
    if (!flow->changes) return;
    if (flow->device != NULL) {
        check(sim, flow->device);
        return;
    }
    for (size_t i = 0; i < sim->device_count; i++) check(sim, &sim->devices[i]);
}

static void arrive(struct sim *sim, struct flow *flow) {
    flow->arrived = true;
    struct world_header headers[CALL_HEADERS_MAX];
    for (size_t i = 0; i < flow->header_count; i++) {
        headers[i] = (struct world_header){.name = flow->headers[i].name, .value = flow->headers[i].value};
    }
    const struct world_request request = {
        .endpoint = flow->endpoint,
        .method = flow->method,
        .headers = headers,
        .header_count = flow->header_count,
        .body = flow->body,
        .body_size = flow->body_size,
    };
    struct world_reply answer = {0};
    if (sim->verbose && (flow->device != NULL || is_tts(flow)))
        printf("%8.3f s  %s %s %s\n", (double)sim->now / 1e9, flow->at_target ? "target" : "source",
               is_tts(flow) ? strrchr(flow->method, '.') + 1 : strrchr(flow->method, '/') + 1,
               flow->device == NULL ? "" : flow->device->id);
    if (flow->at_target && flow->device != NULL && flow->changes && method_is(flow, "Create"))
        sim_rival(sim, flow->device);
    bool at_source = !flow->at_target && flow->device != NULL;
    if (at_source && flow->changes) sim_join(sim, flow->device);
    if (at_source && flow->changes) sim_meddle_note(sim, flow->device);
    if (at_source && (method_is(flow, "GetDevice") || method_is(flow, "Get")))
        sim_meddle(sim, flow->device, flow->endpoint);
    change(sim, flow, sim_check_before_change);
    world_call(flow->at_target ? sim->there : sim->world, clock_wall(&sim->clock), &request, &answer);
    if (at_source && flow->changes) {
        flow->device->tried = true;
        sim_check_foreign(sim, flow->device);
        sim_meddle(sim, flow->device, WORLD_ENDPOINTS);
    }
    bool given = flow->at_target && flow->changes && (method_is(flow, "Set") || method_is(flow, "Create"));
    if (given && answer.status == 0 && flow->device != NULL && flow->done != NULL)
        sim_lose(sim, flow->device, flow->endpoint);
    change(sim, flow, sim_check_after_change);
    if (flow->changes && flow->at_target && flow->device != NULL && !method_is(flow, "Delete"))
        flow->device->seen_there = false;
    if (flow->device != NULL && !flow->changes) sim_check_read(sim, flow->device, flow->at_target);
    if (sim->verbose && answer.status != 0)
        printf("            -> %d %s\n", answer.status, answer.message == NULL ? "" : answer.message);
    deliver(sim, flow, &answer);
    world_reply_release(&answer);
    if (flow->done == NULL) flow_release(flow);
}

static void tell(struct flow *flow) {
    bool late = !flow->answering || flow->due > flow->deadline;
    struct reply reply = flow->reply;
    flow->reply = (struct reply){0};
    if (late) {
        reply_release(&reply);
        reply = (struct reply){
            .outcome = REPLY_LOST, .timed_out = true, .message = memory_strdup("no answer in time")};
    }
    transport_done *done = flow->done;
    void *context = flow->context;
    if (flow->device != NULL && method_is(flow, "SetDevice") && reply.outcome == REPLY_LOST)
        flow->device->in_doubt = true;
    // A request that is still on its way goes on without a caller.
    flow->done = NULL;
    if (flow->arrived) flow_release(flow);
    done(context, &reply);
    reply_release(&reply);
}

// ---- the loop

// When something happens to the call: it arrives, its answer does, or nobody waits any longer.
static int64_t flow_next(const struct flow *flow) {
    return flow->done == NULL || flow->due < flow->deadline ? flow->due : flow->deadline;
}

static struct flow *first_flow(struct sim *sim) {
    struct flow *first = NULL;
    for (size_t i = 0; i < FLOWS_MAX; i++) {
        struct flow *flow = &sim->flows[i];
        if (flow->used && (first == NULL || flow_next(flow) < flow_next(first))) first = flow;
    }
    return first;
}

static void live(struct sim *sim) {
    world_advance(sim->world, clock_wall(&sim->clock));
    if (sim->there == sim->world) return;
    world_advance(sim->there, clock_wall(&sim->clock));
    for (size_t i = 0; i < sim->device_count; i++) sim_field_join(sim, &sim->devices[i]);
}

// Returns true if somebody was told something.
static bool step(struct sim *sim, struct flow *flow) {
    if (flow_next(flow) > sim->now) sim->now = flow_next(flow);
    live(sim);
    if (!flow->arrived && flow->due <= sim->now) {
        bool waited = flow->done != NULL;
        arrive(sim, flow);
        if (waited) sim_event(sim);
        return false;
    }
    if (flow->done == NULL) {
        flow_release(flow);
        return false;
    }
    sim_event(sim);
    tell(flow);
    return true;
}

static int network_wait(struct transport *transport, int64_t timeout, struct error *error) {
    (void)error;
    struct sim *sim = sim_of(transport);
    if (++sim->waits > WAITS_MAX) {
        sim_violated(sim, "a process does not come to its end");
        sim_die(sim);
    }
    int64_t end = timeout < 0 ? INT64_MAX : sim->now + timeout;
    for (struct flow *flow = first_flow(sim); flow != NULL && flow_next(flow) <= end;
         flow = first_flow(sim)) {
        if (step(sim, flow)) return 0;
    }
    if (timeout < 0) {
        sim_violated(sim, "a process waits for ever");
        sim_die(sim);
    }
    sim->now = end;
    live(sim);
    return 0;
}

void sim_network_abandon(struct sim *sim) {
    for (size_t i = 0; i < FLOWS_MAX; i++) sim->flows[i].done = NULL;
    for (size_t i = 0; i < FLOWS_MAX; i++) {
        struct flow *flow = &sim->flows[i];
        if (!flow->used) continue;
        if (!flow->arrived && prng_below(&sim->weather, 2) == 0) arrive(sim, flow);
        if (flow->used) flow_release(flow);
    }
    for (size_t i = 0; i < sim->device_count; i++) sim->devices[i].in_doubt = false;
}

static const struct transport_operations operations = {
    .start = network_start, .cancel = network_cancel, .wait = network_wait};

void sim_network_open(struct sim *sim) {
    sim->transport.operations = &operations;
}

void sim_network_close(struct sim *sim) {
    for (size_t i = 0; i < FLOWS_MAX; i++) {
        if (sim->flows[i].used) flow_release(&sim->flows[i]);
    }
}
