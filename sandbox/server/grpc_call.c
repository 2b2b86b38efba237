// SPDX-License-Identifier: Apache-2.0
// One call: accepted → received → [delayed] → sent. It ends when nothing is under way any more.
#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/support/alloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/memory.h"
#include "server/connection.h"
#include "server/grpc_front_p.h"

enum { HEADERS_MOST = 64, OPS_MOST = 3 };

struct rpc {
    struct listener *listener;
    grpc_server *server;  // borrowed: the one it came through
    grpc_call *call;
    grpc_call_details details;
    grpc_metadata_array headers;
    grpc_byte_buffer *message;
    int cancelled;
    unsigned pending;  // completions and timers under way
    struct tag accepted;
    struct tag received;
    struct tag closed;
    struct tag due;
    struct tag sent;
    struct world_reply reply;
};

static void rpc_unref(struct rpc *rpc) {
    if (--rpc->pending > 0) return;
    if (rpc->reply.delivery == WORLD_GOAWAY && rpc->server == rpc->listener->server)
        listener_go_away(rpc->listener);
    rpc->listener->front->live--;
    grpc_byte_buffer_destroy(rpc->message);
    grpc_metadata_array_destroy(&rpc->headers);
    grpc_call_details_destroy(&rpc->details);
    if (rpc->call != NULL) grpc_call_unref(rpc->call);
    world_reply_release(&rpc->reply);
    free(rpc);
}

static void start(struct rpc *rpc, const grpc_op *ops, size_t count, struct tag *tag) {
    rpc->pending++;
    if (grpc_call_start_batch(rpc->call, ops, count, tag, NULL) != GRPC_CALL_OK) rpc_unref(rpc);
}

static char *slice_text(struct arena *arena, grpc_slice slice) {
    return arena_strndup(arena, (const char *)GRPC_SLICE_START_PTR(slice), GRPC_SLICE_LENGTH(slice));
}

static void ask_world(struct rpc *rpc) {
    ARENA_AUTO arena = {0};
    struct world_header headers[HEADERS_MOST];
    size_t count = 0;
    for (; count < rpc->headers.count && count < HEADERS_MOST; count++) {
        headers[count].name = slice_text(&arena, rpc->headers.metadata[count].key);
        headers[count].value = slice_text(&arena, rpc->headers.metadata[count].value);
    }
    grpc_byte_buffer_reader reader;
    grpc_slice body = grpc_empty_slice();
    if (grpc_byte_buffer_reader_init(&reader, rpc->message)) {
        body = grpc_byte_buffer_reader_readall(&reader);
        grpc_byte_buffer_reader_destroy(&reader);
    }
    struct world_request request = {
        .endpoint = rpc->listener->endpoint,
        .method = slice_text(&arena, rpc->details.method),
        .headers = headers,
        .header_count = count,
        .body = GRPC_SLICE_START_PTR(body),
        .body_size = GRPC_SLICE_LENGTH(body),
    };
    stage_call(rpc->listener->front->stage, &request, &rpc->reply);
    grpc_slice_unref(body);
}

// The real servers send no message with an error, and then all in one HEADERS frame; on success grpc-message
// is there and empty.
enum answer_parts { HEADERS_ONLY, HEADERS_AND_MESSAGE, WHOLE };

static void send_reply(struct rpc *rpc, enum answer_parts parts) {
    const struct world_reply *reply = &rpc->reply;
    grpc_metadata headers[WORLD_REPLY_HEADERS];
    memset(headers, 0, sizeof headers);
    for (size_t i = 0; i < reply->header_count; i++) {
        headers[i].key = grpc_slice_from_static_string(reply->headers[i].name);
        headers[i].value = grpc_slice_from_copied_string(reply->headers[i].value);
    }
    grpc_op ops[OPS_MOST];
    memset(ops, 0, sizeof ops);
    size_t count = 0;
    ops[count].op = GRPC_OP_SEND_INITIAL_METADATA;
    ops[count].data.send_initial_metadata.count = reply->header_count;
    ops[count++].data.send_initial_metadata.metadata = headers;
    grpc_byte_buffer *message = NULL;
    if (reply->status == 0 && parts != HEADERS_ONLY) {
        grpc_slice body = grpc_slice_from_copied_buffer((const char *)reply->body.data, reply->body.size);
        message = grpc_raw_byte_buffer_create(&body, 1);
        grpc_slice_unref(body);
        ops[count].op = GRPC_OP_SEND_MESSAGE;
        ops[count++].data.send_message.send_message = message;
    }
    grpc_slice details = grpc_slice_from_copied_string(reply->message != NULL ? reply->message : "");
    grpc_metadata trailer;
    memset(&trailer, 0, sizeof trailer);
    trailer.key = grpc_slice_from_static_string("grpc-status-details-bin");
    trailer.value = grpc_slice_from_copied_buffer((const char *)reply->details.data, reply->details.size);
    if (parts == WHOLE) {
        ops[count].op = GRPC_OP_SEND_STATUS_FROM_SERVER;
        ops[count].data.send_status_from_server.trailing_metadata_count = reply->details.size > 0 ? 1 : 0;
        ops[count].data.send_status_from_server.trailing_metadata = &trailer;
        ops[count].data.send_status_from_server.status = (grpc_status_code)reply->status;
        ops[count++].data.send_status_from_server.status_details = &details;
    }
    start(rpc, ops, count, &rpc->sent);
    grpc_slice_unref(details);
    grpc_slice_unref(trailer.value);
    grpc_byte_buffer_destroy(message);
    for (size_t i = 0; i < reply->header_count; i++) grpc_slice_unref(headers[i].value);
}

static void disturb(struct rpc *rpc, void (*disturbance)(const char *peer)) {
    char *peer = grpc_call_get_peer(rpc->call);
    if (peer != NULL) disturbance(peer);
    gpr_free(peer);
}

static void deliver(struct rpc *rpc) {
    switch (rpc->reply.delivery) {
        case WORLD_DELIVER:
        case WORLD_GOAWAY:
            send_reply(rpc, WHOLE);
            break;
        case WORLD_CUT:
            send_reply(rpc, HEADERS_AND_MESSAGE);
            break;
        case WORLD_RESET_MIDDLE:
            send_reply(rpc, HEADERS_ONLY);
            break;
        case WORLD_RESET:
            disturb(rpc, connection_reset);
            grpc_call_cancel(rpc->call, NULL);
            break;
        case WORLD_GARBAGE_TRANSPORT:
            disturb(rpc, connection_garbage);
            grpc_call_cancel(rpc->call, NULL);
            break;
        case WORLD_REFUSE:
            disturb(rpc, connection_reset);
            listener_refuse(rpc->listener, rpc->reply.delay);
            break;
        case WORLD_HANG:
            break;
    }
}

static void on_due(void *owner, bool ok) {
    struct rpc *rpc = owner;
    if (ok) deliver(rpc);
    rpc_unref(rpc);
}

static void on_received(void *owner, bool ok) {
    struct rpc *rpc = owner;
    if (ok && rpc->message != NULL) {
        ask_world(rpc);
        if (rpc->reply.delay > 0 && rpc->reply.delivery != WORLD_REFUSE) {
            rpc->pending++;
            int64_t now = clock_monotonic(&clock_system);
            timers_add(&rpc->listener->front->timers, now + rpc->reply.delay, &rpc->due);
        } else {
            deliver(rpc);
        }
    } else {
        grpc_call_cancel(rpc->call, NULL);
    }
    rpc_unref(rpc);
}

static void on_sent(void *owner, bool ok) {
    struct rpc *rpc = owner;
    if (ok && rpc->reply.delivery == WORLD_CUT) disturb(rpc, connection_end);
    if (ok && rpc->reply.delivery == WORLD_RESET_MIDDLE) disturb(rpc, connection_reset);
    rpc_unref(rpc);
}

static void on_closed(void *owner, bool ok) {
    (void)ok;
    rpc_unref(owner);
}

static void on_accepted(void *owner, bool ok) {
    struct rpc *rpc = owner;
    if (ok) {
        if (rpc->server == rpc->listener->server) grpc_call_accept(rpc->listener);
        grpc_op close = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER};
        close.data.recv_close_on_server.cancelled = &rpc->cancelled;
        start(rpc, &close, 1, &rpc->closed);
        grpc_op receive = {.op = GRPC_OP_RECV_MESSAGE};
        receive.data.recv_message.recv_message = &rpc->message;
        start(rpc, &receive, 1, &rpc->received);
    }
    rpc_unref(rpc);
}

void grpc_call_accept(struct listener *listener) {
    struct rpc *rpc = memory_new(struct rpc);
    *rpc = (struct rpc){
        .listener = listener,
        .server = listener->server,
        .pending = 1,
        .accepted = {on_accepted, rpc},
        .received = {on_received, rpc},
        .closed = {on_closed, rpc},
        .due = {on_due, rpc},
        .sent = {on_sent, rpc},
    };
    grpc_call_details_init(&rpc->details);
    grpc_metadata_array_init(&rpc->headers);
    listener->front->live++;
    grpc_completion_queue *queue = listener->front->queue;
    grpc_call_error result = grpc_server_request_call(listener->server, &rpc->call, &rpc->details,
                                                      &rpc->headers, queue, queue, &rpc->accepted);
    if (result != GRPC_CALL_OK) rpc_unref(rpc);
}
