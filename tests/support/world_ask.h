// SPDX-License-Identifier: Apache-2.0
// Asks the sandbox's world what a source or a target asks.
#ifndef TESTS_WORLD_ASK_H
#define TESTS_WORLD_ASK_H

#include "base/memory.h"
#include "net/call.h"
#include "world/world.h"

// `reply`, whose body has its limit, gets the answer; NULL = it is lost. False if the world does not let it through.
static inline bool world_ask(struct world *world, int64_t now, enum world_endpoint endpoint,
                             const struct call *call, struct reply *reply) {
    struct world_header headers[CALL_HEADERS_MAX];
    for (size_t i = 0; i < call->header_count; i++)
        headers[i] = (struct world_header){call->headers[i].name, call->headers[i].value};
    bool http = call->kind == CALL_HTTP;
    char *method MEMORY_AUTO =
        http ? memory_printf("%s %s", call->method, call->path) : memory_strdup(call->method);
    const struct world_request request = {
        .endpoint = endpoint,
        .method = method,
        .headers = headers,
        .header_count = call->header_count,
        .body = call->body,
        .body_size = call->body_size,
    };
    struct world_reply answer = {0};
    world_call(world, now, &request, &answer);
    bool delivered = answer.delivery == WORLD_DELIVER;
    if (reply != NULL && http) {
        reply->http_status = answer.status;
    } else if (reply != NULL) {
        reply->grpc_status = (enum grpc_status)answer.status;
    }
    if (reply != NULL) {
        reply->message = memory_strdup(answer.message);
        buffer_add(&reply->body, answer.body.data, answer.body.size);
    }
    world_reply_release(&answer);
    return delivered;
}

// The server of ChirpStack that speaks what the call speaks.
static inline enum world_endpoint world_chirpstack_of(const struct call *call) {
    return call->kind == CALL_HTTP ? WORLD_CHIRPSTACK_V3 : WORLD_CHIRPSTACK;
}

#endif
