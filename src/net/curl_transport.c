// SPDX-License-Identifier: Apache-2.0
// The loop around libcurl's multi handle.
#include "net/curl_transport.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "net/curl_p.h"
#include "net/library_memory.h"

// Streams on one connection, unless the server allows fewer.
enum {
    STREAMS_MAX = 1024,
    // Connections that are kept for later calls. Left to itself libcurl keeps four for each call that is under way: with one
    // at a time, the fifth server would cost the first one its connection, and each new one a handshake.
    CONNECTIONS_KEPT = 1024,
};

struct curl_transport {
    struct transport base;
    const struct log *log;  // borrowed
    int wake_fd;            // -1 = none, or seen already
    CURLM *multi;           // owned
    CURLSH *share;          // owned; TLS sessions
    struct curl_sockets sockets;
    struct curl_server *servers;
    struct exchange_list idle;      // kept for the next call
    struct exchange_list running;   // libcurl has them
    struct exchange_list finished;  // concluded, not told yet
    bool global;                    // curl_global_init is to be undone
};

static struct curl_transport *transport_of(struct transport *transport) {
    return (struct curl_transport *)transport;
}

static void exchange_finish(struct curl_transport *self, struct exchange *exchange) {
    exchange_list_remove(exchange);
    exchange_list_add(&self->finished, exchange);
}

// Gives a prepared exchange to libcurl, or has it wait for the connection that another one makes.
static void exchange_run(struct curl_transport *self, struct exchange *exchange) {
    struct curl_server *server = exchange->server;
    exchange_list_remove(exchange);
    if (!exchange_set_version(exchange)) {
        exchange_refuse(exchange, REPLY_UNUSABLE, "libcurl does not take the HTTP version");
        exchange_finish(self, exchange);
        return;
    }
    if (exchange->opens && server->opening && !exchange_is_alone(exchange)) {
        exchange->opens = false;
        exchange_list_add(&server->held, exchange);
        return;
    }
    if (exchange->opens) server->opening = true;
    exchange_list_add(&self->running, exchange);
    CURLMcode code = curl_multi_add_handle(self->multi, exchange->easy);
    if (code == CURLM_OK) return;
    if (exchange->opens) server->opening = false;
    exchange_refuse(exchange, REPLY_NOT_SENT, curl_multi_strerror(code));
    exchange_finish(self, exchange);
}

static void *curl_start(struct transport *transport, const struct call *call, int64_t timeout,
                        transport_done *done, void *context) {
    struct curl_transport *self = transport_of(transport);
    struct exchange *exchange = self->idle.first;
    if (exchange != NULL) {
        exchange_list_remove(exchange);
    } else {
        exchange = exchange_new(self->share, &self->sockets);
        // libcurl says nothing but that there is no memory: see base/memory.h.
        if (exchange == NULL) abort();
    }
    exchange->call = call;
    exchange->timeout = timeout;
    exchange->done = done;
    exchange->context = context;
    exchange->server = curl_server_get(&self->servers, call->server);
    if (exchange_prepare(exchange)) {
        exchange_run(self, exchange);
    } else {
        exchange_finish(self, exchange);
    }
    return exchange;
}

static void exchange_rest(struct curl_transport *self, struct exchange *exchange) {
    exchange_list_remove(exchange);
    exchange_reset(exchange);
    exchange_list_add(&self->idle, exchange);
}

// Those that waited for a connection: it stands, and they join it; or it could not be made, and they fail
// likewise.
static void release_held(struct curl_transport *self, struct curl_server *server,
                         const struct exchange *opener) {
    bool failed = !server->open && opener->reply.outcome != REPLY_ANSWERED;
    while (server->held.first != NULL && !server->opening) {
        struct exchange *exchange = server->held.first;
        if (!failed) {
            exchange_run(self, exchange);
            continue;
        }
        exchange->reply.timed_out = opener->reply.timed_out;
        exchange_refuse(exchange,
                        opener->reply.outcome == REPLY_LOST ? REPLY_NOT_SENT : opener->reply.outcome,
                        opener->reply.message != NULL ? opener->reply.message : "no connection");
        exchange_finish(self, exchange);
    }
}

static void release_all_held(struct curl_transport *self) {
    for (struct curl_server *server = self->servers; server != NULL; server = server->next) {
        while (server->open && server->held.first != NULL) exchange_run(self, server->held.first);
    }
}

static void curl_cancel(struct transport *transport, void *handle) {
    struct curl_transport *self = transport_of(transport);
    struct exchange *exchange = handle;
    bool running = exchange->list == &self->running;
    if (running) curl_multi_remove_handle(self->multi, exchange->easy);
    struct curl_server *server = exchange->server;
    bool opened = running && exchange->opens && !exchange->sent;
    exchange_rest(self, exchange);
    if (!opened) return;
    // Another one of those that wait makes the connection.
    server->opening = false;
    if (server->held.first != NULL) exchange_run(self, server->held.first);
}

// Takes a transfer that libcurl has ended.
static void exchange_ended(struct curl_transport *self, struct exchange *exchange, CURLcode code) {
    curl_multi_remove_handle(self->multi, exchange->easy);
    struct curl_server *server = exchange->server;
    // The connection that it was to join has gone, or takes no more: it makes a new one, waits for one, or
    // joins the one that was made meanwhile.
    if (exchange->misplaced && exchange->connection == server->connections) server->open = false;
    if (exchange->misplaced) {
        exchange->misplacements++;
        exchange_list_remove(exchange);
        exchange->sent = false;
        exchange->errors[0] = '\0';
        exchange_run(self, exchange);
        return;
    }
    bool opened = exchange->opens && !exchange->sent;
    exchange_conclude(exchange, code);
    exchange_trace(exchange, self->log);
    exchange_finish(self, exchange);
    if (opened) {
        server->opening = false;
        release_held(self, server, exchange);
    }
}

static void read_ended(struct curl_transport *self) {
    int left = 0;
    for (CURLMsg *message = curl_multi_info_read(self->multi, &left); message != NULL;
         message = curl_multi_info_read(self->multi, &left)) {
        if (message->msg != CURLMSG_DONE) continue;
        CURLcode code = message->data.result;
        char *private_data = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private_data);
        struct exchange *exchange = (struct exchange *)(void *)private_data;
        exchange_ended(self, exchange, code);
    }
}

// Tells what is finished; calls that are started meanwhile and fail at once wait for the next time.
static bool tell_finished(struct curl_transport *self) {
    struct exchange *last = self->finished.last;
    if (last == NULL) return false;
    for (bool more = true; more && self->finished.first != NULL;) {
        struct exchange *exchange = self->finished.first;
        more = exchange != last;
        struct reply reply = exchange->reply;
        exchange->reply = (struct reply){0};
        transport_done *done = exchange->done;
        void *context = exchange->context;
        exchange_rest(self, exchange);
        done(context, &reply);
        reply_release(&reply);
    }
    return true;
}

static int multi_error(CURLMcode code, struct error *error) {
    return error_set(error, ERROR_SYSTEM, "libcurl: %s", curl_multi_strerror(code));
}

static int perform(struct curl_transport *self, struct error *error) {
    int running = 0;
    CURLMcode code = curl_multi_perform(self->multi, &running);
    if (code != CURLM_OK) return multi_error(code, error);
    read_ended(self);
    release_all_held(self);
    return 0;
}

static int wait_for_traffic(struct curl_transport *self, int64_t timeout, struct error *error) {
    struct curl_waitfd wake = {.fd = self->wake_fd, .events = CURL_WAIT_POLLIN};
    int64_t milliseconds = timeout < 0 ? INT32_MAX : (timeout + NS_PER_MS - 1) / NS_PER_MS;
    if (milliseconds > INT32_MAX) milliseconds = INT32_MAX;
    CURLMcode code = curl_multi_poll(self->multi, &wake, self->wake_fd >= 0 ? 1 : 0, (int)milliseconds, NULL);
    // It stays readable: once is enough to end a wait.
    if (wake.revents != 0) self->wake_fd = -1;
    return code == CURLM_OK ? 0 : multi_error(code, error);
}

static int curl_wait(struct transport *transport, int64_t timeout, struct error *error) {
    struct curl_transport *self = transport_of(transport);
    if (tell_finished(self)) return 0;
    int result = perform(self, error);
    if (result != 0 || tell_finished(self) || timeout == 0) return result;
    result = wait_for_traffic(self, timeout, error);
    if (result == 0) result = perform(self, error);
    if (result == 0) tell_finished(self);
    return result;
}

static void free_list(struct curl_transport *self, struct exchange_list *list) {
    while (list->first != NULL) {
        struct exchange *exchange = list->first;
        if (list == &self->running) curl_multi_remove_handle(self->multi, exchange->easy);
        exchange_list_remove(exchange);
        exchange_free(exchange);
    }
}

static void curl_transport_free(struct transport *transport) {
    struct curl_transport *self = transport_of(transport);
    free_list(self, &self->running);
    free_list(self, &self->finished);
    free_list(self, &self->idle);
    for (struct curl_server *server = self->servers; server != NULL; server = server->next) {
        free_list(self, &server->held);
    }
    curl_server_free_all(&self->servers);
    if (self->multi != NULL) curl_multi_cleanup(self->multi);
    if (self->share != NULL) curl_share_cleanup(self->share);
    curl_sockets_release(&self->sockets);
    if (self->global) curl_global_cleanup();
    free(self);
}

static const struct transport_operations curl_operations = {
    .start = curl_start,
    .cancel = curl_cancel,
    .wait = curl_wait,
    .free = curl_transport_free,
};

static int check_libcurl(struct error *error) {
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    if ((info->features & CURL_VERSION_HTTP2) == 0 || (info->features & CURL_VERSION_SSL) == 0) {
        return error_set(error, ERROR_SYSTEM, "libcurl %s on this machine lacks HTTP/2 or TLS",
                         info->version);
    }
    return 0;
}

struct transport *curl_transport_new(const struct curl_transport_setup *setup, struct error *error) {
    struct curl_transport *self = memory_new(struct curl_transport);
    self->base.operations = &curl_operations;
    self->log = setup->log;
    self->wake_fd = setup->wake_fd;
    self->global = library_memory_init();
    if (self->global && check_libcurl(error) != 0) {
        curl_transport_free(&self->base);
        return NULL;
    }
    if (self->global) {
        self->multi = curl_multi_init();
        self->share = curl_share_init();
    }
    if (self->multi == NULL || self->share == NULL ||
        curl_multi_setopt(self->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX) != CURLM_OK ||
        curl_multi_setopt(self->multi, CURLMOPT_MAX_CONCURRENT_STREAMS, (long)STREAMS_MAX) != CURLM_OK ||
        curl_multi_setopt(self->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT) != CURLM_OK ||
        curl_share_setopt(self->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) != CURLSHE_OK) {
        error_set(error, ERROR_SYSTEM, "libcurl cannot be used");
        curl_transport_free(&self->base);
        return NULL;
    }
    return &self->base;
}
