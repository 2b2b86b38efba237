// SPDX-License-Identifier: Apache-2.0
#include "wire.h"
#include "networks/networks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { STEPS_MAX = 200, KEY_DIGITS = 32 };

static void refuse(struct reply *reply, enum call_kind kind, enum grpc_status grpc, int http) {
    reply->http_status = kind == CALL_GRPC ? 200 : http;
    reply->grpc_status = kind == CALL_GRPC ? grpc : GRPC_OK;
    reply->message = memory_strdup("made up");
}

// What happens before a call arrives. True: it does not.
static bool keep_back(enum wire_fault fault, const struct call *call, struct reply *reply) {
    switch (fault) {
        case WIRE_LOST_BEFORE:
            reply->outcome = REPLY_LOST;
            reply->message = memory_strdup("the connection was lost");
            return true;
        case WIRE_UNAVAILABLE:
            refuse(reply, call->kind, GRPC_UNAVAILABLE, 503);
            return true;
        case WIRE_TOO_MANY:
            refuse(reply, call->kind, GRPC_RESOURCE_EXHAUSTED, 429);
            return true;
        case WIRE_DENIED:
            refuse(reply, call->kind, GRPC_PERMISSION_DENIED, 403);
            return true;
        case WIRE_UNTRUSTED:
            reply->outcome = REPLY_UNTRUSTED;
            reply->message = memory_strdup("the certificate is not trusted");
            return true;
        default:
            return false;
    }
}

// What happens to an answer on its way back.
static void spoil(enum wire_fault fault, const struct call *call, struct reply *reply) {
    static const char garbage[] = "\xff\xff\xff\xff{\"a\":";
    bool grpc = call->kind == CALL_GRPC;
    size_t size = reply->body.size;
    char *text MEMORY_AUTO = memory_dup(reply->body.data, size);
    buffer_clear(&reply->body);
    switch (fault) {
        case WIRE_LOST_AFTER:
            reply->outcome = REPLY_LOST;
            break;
        case WIRE_GARBAGE:
            buffer_add(&reply->body, garbage, sizeof garbage - 1);
            break;
        case WIRE_CUT:
            buffer_add(&reply->body, text, size / 2);
            break;
        case WIRE_OTHER:
            // A member 1 of another type; JSON of all types but those that are wanted.
            buffer_puts(&reply->body, grpc ? "\x08\x01" : "[[7,null,{\"eui\":5,\"devices\":{}}]]");
            break;
        default:
            break;
    }
}

static void answer(struct wire *wire, struct arena *arena, const struct call *call, struct reply *reply) {
    *reply = (struct reply){.outcome = REPLY_ANSWERED};
    buffer_init(&reply->body, CALL_REPLY_LIMIT);
    assert_non_null(wire->world);
    bool faulty = ++wire->calls == wire->fault_at;
    wire->changes += call->changes;
    if (faulty && keep_back(wire->fault, call, reply)) return;
    struct network_request made;
    struct world_reply answered = {0};
    network_request(arena, call, &made);
    assert_true(made.request.endpoint < WORLD_ENDPOINTS);
    BUFFER_AUTO before;
    BUFFER_AUTO after;
    buffer_init(&before, BUFFER_UNLIMITED);
    buffer_init(&after, BUFFER_UNLIMITED);
    if (wire->watched && !call->changes) world_state_json(wire->world, WORLD_STATE_DEVICES, &before);
    world_call(wire->world, WIRE_NOW, &made.request, &answered);
    // A dry run leaves out the calls that say that they change something: the others must not.
    if (wire->watched && !call->changes) {
        world_state_json(wire->world, WORLD_STATE_DEVICES, &after);
        assert_string_equal(buffer_string(&after), buffer_string(&before));
    }
    buffer_release(&reply->body);
    network_reply(&answered, call->kind, reply);
    world_reply_release(&answered);
    if (!faulty) return;
    wire->spoiled = reply_ok(reply, call->kind);
    wire->spoiled_text = wire->spoiled && call->kind == CALL_HTTP && reply->body.size > 1;
    spoil(wire->fault, call, reply);
}

static void forget_replies(struct job *job) {
    for (size_t i = 0; i < JOB_CALLS_MAX; i++) reply_release(&job->replies[i]);
}

enum job_step wire_run(struct wire *wire, struct job *job, wire_step *step, void *context,
                       struct error *error) {
    for (int steps = 0; steps < STEPS_MAX; steps++) {
        enum job_step next = step(context, job, error);
        forget_replies(job);
        assert_int_equal(next == JOB_FAILED, error_is_set(error));
        if (next != JOB_CALLS) return next;
        assert_in_range(job->call_count, 1, JOB_CALLS_MAX);
        for (size_t i = 0; i < job->call_count; i++)
            answer(wire, job->arena, &job->calls[i], &job->replies[i]);
        job->call_count = 0;
    }
    fail_msg("the job does not end");
    return JOB_FAILED;
}

static void check_text(const char *text, const char *key) {
    if (text == NULL) return;
    if (key != NULL && strstr(text, key) != NULL) fail_msg("the key stands in: %s", text);
    size_t digits = 0;
    for (const char *c = text; *c != '\0'; c++) {
        digits = isxdigit((unsigned char)*c) ? digits + 1 : 0;
        if (digits >= KEY_DIGITS) fail_msg("a key stands in: %s", text);
    }
}

void wire_check_error(const struct error *error, const char *key) {
    char *chain MEMORY_AUTO = error_chain(error);
    check_text(chain, key);
    for (; error != NULL; error = error->cause) check_text(error->hint, key);
}
