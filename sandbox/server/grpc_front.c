// SPDX-License-Identifier: Apache-2.0
#include "server/grpc_front.h"

#include <grpc/support/time.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "server/grpc_front_p.h"

// Of the real servers, as recorded.
enum {
    MESSAGE_MOST = 4 << 20,
    STREAMS_MOST = 65535,
    PING_INTERVAL_MS = 30000,
    PING_TIMEOUT_MS = 10000,
    IDLE_MS = 300000,
};

// How many calls may arrive between two looks, and how often the thread looks whether it shall end.
enum { ACCEPTS = 32, LOOK_MS = 50 };

struct grpc_front *grpc_front_new(struct stage *stage) {
    grpc_init();
    struct grpc_front *front = memory_new(struct grpc_front);
    front->stage = stage;
    front->queue = grpc_completion_queue_create_for_next(NULL);
    return front;
}

static grpc_arg integer(const char *key, int value) {
    // The C core's arguments are not const, but it only reads them.
    union {
        const char *read_only;
        char *plain;
    } name = {.read_only = key};
    return (grpc_arg){.type = GRPC_ARG_INTEGER, .key = name.plain, .value.integer = value};
}

static int open_server(struct listener *listener) {
    grpc_arg args[] = {
        integer(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, MESSAGE_MOST),
        integer(GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, -1),
        integer(GRPC_ARG_MAX_CONCURRENT_STREAMS, STREAMS_MOST),
        integer(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, PING_INTERVAL_MS),
        integer(GRPC_ARG_KEEPALIVE_TIME_MS, PING_INTERVAL_MS),
        integer(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, PING_TIMEOUT_MS),
        integer(GRPC_ARG_MAX_CONNECTION_IDLE_MS, IDLE_MS),
    };
    grpc_channel_args channel = {.num_args = sizeof args / sizeof *args, .args = args};
    listener->server = grpc_server_create(&channel, NULL);
    grpc_server_register_completion_queue(listener->server, listener->front->queue, NULL);
    return grpc_server_add_http2_port(listener->server, listener->address, listener->credentials);
}

static void serve(struct listener *listener) {
    grpc_server_start(listener->server);
    for (unsigned i = 0; i < ACCEPTS; i++) grpc_call_accept(listener);
}

static void reopen(void *owner, bool ok) {
    struct listener *listener = owner;
    if (!ok || atomic_load(&listener->front->stopping)) return;
    open_server(listener);
    serve(listener);
}

static grpc_server_credentials *credentials_of(const struct certificate *certificate) {
    if (certificate == NULL) return grpc_insecure_server_credentials_create();
    grpc_ssl_pem_key_cert_pair pair = {.private_key = certificate->key_pem,
                                       .cert_chain = certificate->certificate_pem};
    return grpc_ssl_server_credentials_create_ex(NULL, &pair, 1, GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE,
                                                 NULL);
}

int grpc_front_listen(struct grpc_front *front, enum world_endpoint endpoint, const char *address,
                      unsigned port, const struct certificate *certificate, unsigned *ret_port,
                      struct error *error) {
    if (front->listener_count == LISTENERS_MAX) return error_set(error, ERROR_SYSTEM, "too many listeners");
    const char *form = strchr(address, ':') != NULL ? "[%s]:%u" : "%s:%u";
    struct listener *listener = &front->listeners[front->listener_count];
    *listener = (struct listener){.front = front, .endpoint = endpoint, .reopen = {reopen, listener}};
    listener->address =
        form[0] == '[' ? memory_printf("[%s]:%u", address, port) : memory_printf("%s:%u", address, port);
    listener->credentials = credentials_of(certificate);
    front->listener_count++;
    int bound = open_server(listener);
    if (bound <= 0) return error_set(error, ERROR_SYSTEM, "cannot listen at %s", listener->address);
    free(listener->address);
    listener->address =
        form[0] == '[' ? memory_printf("[%s]:%d", address, bound) : memory_printf("%s:%d", address, bound);
    *ret_port = (unsigned)bound;
    return 0;
}

// A server that is on its way out.
struct closing {
    struct tag tag;
    struct grpc_front *front;
    grpc_server *server;
};

static void closed(void *owner, bool ok) {
    struct closing *closing = owner;
    (void)ok;
    grpc_server_destroy(closing->server);
    closing->front->live--;
    free(closing);
}

static void close_server(struct listener *listener, bool at_once) {
    if (listener->server == NULL) return;
    struct closing *closing = memory_new(struct closing);
    *closing = (struct closing){{closed, closing}, listener->front, listener->server};
    listener->server = NULL;
    listener->front->live++;
    grpc_server_shutdown_and_notify(closing->server, listener->front->queue, &closing->tag);
    if (at_once) grpc_server_cancel_all_calls(closing->server);
}

void listener_go_away(struct listener *listener) {
    if (listener->server == NULL) return;
    close_server(listener, false);
    reopen(listener, true);
}

void listener_refuse(struct listener *listener, int64_t duration) {
    if (listener->server == NULL) return;
    close_server(listener, true);
    timers_add(&listener->front->timers, clock_monotonic(&clock_system) + duration, &listener->reopen);
}

static void run_timers(struct grpc_front *front, int64_t now) {
    struct tag *tag = NULL;
    while ((tag = timers_take(&front->timers, now)) != NULL) tag->run(tag->owner, true);
}

static void step(struct grpc_front *front) {
    int64_t wait = LOOK_MS * NS_PER_MS;
    int64_t due = timers_next(&front->timers);
    int64_t now = clock_monotonic(&clock_system);
    if (due < now + wait) wait = due > now ? due - now : 0;
    gpr_timespec deadline =
        gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_nanos(wait, GPR_TIMESPAN));
    grpc_event event = grpc_completion_queue_next(front->queue, deadline, NULL);
    if (event.type == GRPC_OP_COMPLETE) {
        struct tag *tag = event.tag;
        tag->run(tag->owner, event.success != 0);
    }
    run_timers(front, clock_monotonic(&clock_system));
}

static void *run(void *context) {
    struct grpc_front *front = context;
    for (size_t i = 0; i < front->listener_count; i++) serve(&front->listeners[i]);
    while (!atomic_load(&front->stopping)) step(front);
    for (size_t i = 0; i < front->listener_count; i++) close_server(&front->listeners[i], true);
    run_timers(front, INT64_MAX - 1);
    while (front->live > 0) step(front);
    return NULL;
}

int grpc_front_start(struct grpc_front *front, struct error *error) {
    int result = pthread_create(&front->thread, NULL, run, front);
    if (result != 0) return error_set(error, ERROR_SYSTEM, "cannot start a thread: %s", strerror(result));
    front->started = true;
    return 0;
}

// Servers that never served have to be shut down all the same.
static void close_unstarted(struct grpc_front *front) {
    for (size_t i = 0; i < front->listener_count; i++) close_server(&front->listeners[i], true);
    while (front->live > 0) step(front);
}

void grpc_front_free(struct grpc_front *front) {
    if (front == NULL) return;
    atomic_store(&front->stopping, true);
    if (front->started) {
        pthread_join(front->thread, NULL);
    } else {
        close_unstarted(front);
    }
    grpc_completion_queue_shutdown(front->queue);
    while (grpc_completion_queue_next(front->queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL).type !=
           GRPC_QUEUE_SHUTDOWN) {
    }
    grpc_completion_queue_destroy(front->queue);
    for (size_t i = 0; i < front->listener_count; i++) {
        grpc_server_credentials_release(front->listeners[i].credentials);
        free(front->listeners[i].address);
    }
    timers_release(&front->timers);
    free(front);
    grpc_shutdown();
}
