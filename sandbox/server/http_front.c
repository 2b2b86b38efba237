// SPDX-License-Identifier: Apache-2.0
#include "server/http_front.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/memory.h"

enum { BODY_MOST = 4 << 20, HEADERS_MOST = 64, HTTP_OK = 200, HTTP_BAD_REQUEST = 400, HTTP_TOO_LARGE = 413 };

struct http_front {
    struct stage *stage;
    struct MHD_Daemon *daemon;
};

// A request while its body arrives.
struct exchange {
    struct arena arena;
    struct buffer body;
    struct world_header headers[HEADERS_MOST];
    size_t header_count;
};

static enum MHD_Result take_header(void *context, enum MHD_ValueKind kind, const char *name,
                                   const char *value) {
    struct exchange *exchange = context;
    if (exchange->header_count == HEADERS_MOST) return MHD_NO;
    bool query = kind == MHD_GET_ARGUMENT_KIND;
    char *lower = arena_printf(&exchange->arena, "%s%s", query ? "?" : "", name);
    for (char *c = lower; *c != '\0'; c++) *c = (char)tolower((unsigned char)*c);
    exchange->headers[exchange->header_count++] =
        (struct world_header){lower, arena_strdup(&exchange->arena, value != NULL ? value : "")};
    return MHD_YES;
}

static struct exchange *exchange_new(struct MHD_Connection *connection) {
    struct exchange *exchange = memory_new(struct exchange);
    buffer_init(&exchange->body, BODY_MOST);
    MHD_get_connection_values(connection, MHD_HEADER_KIND, take_header, exchange);
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, take_header, exchange);
    return exchange;
}

static void exchange_free(void *context, struct MHD_Connection *connection, void **state,
                          enum MHD_RequestTerminationCode code) {
    (void)context;
    (void)connection;
    (void)code;
    struct exchange *exchange = *state;
    if (exchange == NULL) return;
    buffer_release(&exchange->body);
    arena_release(&exchange->arena);
    free(exchange);
    *state = NULL;
}

// Takes the body, which the response then owns.
static enum MHD_Result respond(struct MHD_Connection *connection, int status, struct buffer *body,
                               const struct world_reply *reply) {
    size_t size = body->size;
    char *text = buffer_take_string(body);
    struct MHD_Response *response = MHD_create_response_from_buffer(size, text, MHD_RESPMEM_MUST_FREE);
    if (response == NULL) {
        free(text);
        return MHD_NO;
    }
    for (size_t i = 0; reply != NULL && i < reply->header_count; i++) {
        MHD_add_response_header(response, reply->headers[i].name, reply->headers[i].value);
    }
    if (reply == NULL) MHD_add_response_header(response, "content-type", "application/json");
    enum MHD_Result result = MHD_queue_response(connection, (unsigned)status, response);
    MHD_destroy_response(response);
    return result;
}

static void pause_for(int64_t duration) {
    struct timespec left = {.tv_sec = duration / NS_PER_SECOND, .tv_nsec = duration % NS_PER_SECOND};
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

// Those that are spoken to by HTTP share a port: their paths differ.
static enum world_endpoint endpoint_of(const char *path) {
    if (strncmp(path, "/api/v1/", 8) == 0) return WORLD_FIREFLY;
    bool v3 = strncmp(path, "/api/", 5) == 0 && strncmp(path, "/api/v2/", 8) != 0;
    return v3 ? WORLD_CHIRPSTACK_V3 : WORLD_TTNV2_ACCOUNT;
}

static enum MHD_Result add_argument(void *context, enum MHD_ValueKind kind, const char *name,
                                    const char *value) {
    struct buffer *method = context;
    (void)kind;
    bool first = strchr(buffer_string(method), '?') == NULL;
    buffer_printf(method, "%c%s=%s", first ? '?' : '&', name, value == NULL ? "" : value);
    return MHD_YES;
}

// Each connection has its thread, so that waiting holds up no other.
static enum MHD_Result ask_world(struct http_front *front, struct MHD_Connection *connection,
                                 struct exchange *exchange, const char *verb, const char *path) {
    enum world_endpoint endpoint = endpoint_of(path);
    BUFFER_AUTO method;
    buffer_init(&method, BUFFER_UNLIMITED);
    buffer_printf(&method, "%s %s", verb, path);
    if (endpoint == WORLD_CHIRPSTACK_V3)
        MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, add_argument, &method);
    struct world_request request = {
        .endpoint = endpoint,
        .method = buffer_string(&method),
        .headers = exchange->headers,
        .header_count = exchange->header_count,
        .body = exchange->body.data,
        .body_size = exchange->body.size,
    };
    struct world_reply reply;
    stage_call(front->stage, &request, &reply);
    pause_for(reply.delay);
    enum MHD_Result result = MHD_NO;
    if (reply.delivery == WORLD_DELIVER || reply.delivery == WORLD_GOAWAY) {
        result = respond(connection, reply.status, &reply.body, &reply);
    }
    world_reply_release(&reply);
    return result;
}

static enum MHD_Result show_state(struct http_front *front, struct MHD_Connection *connection) {
    const char *devices = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "devices");
    unsigned parts = WORLD_STATE_CALLS | WORLD_STATE_DEVICES;
    if (devices != NULL && strcmp(devices, "0") == 0) parts = WORLD_STATE_CALLS;
    BUFFER_AUTO state;
    buffer_init(&state, BUFFER_UNLIMITED);
    pthread_mutex_lock(&front->stage->lock);
    world_advance(front->stage->world, clock_wall(&clock_system));
    world_state_json(front->stage->world, parts, &state);
    pthread_mutex_unlock(&front->stage->lock);
    return respond(connection, HTTP_OK, &state, NULL);
}

static enum MHD_Result change_faults(struct http_front *front, struct MHD_Connection *connection,
                                     struct exchange *exchange, const char *verb) {
    ERROR_AUTO error = {0};
    char *rest = arena_strdup(&exchange->arena, buffer_string(&exchange->body));
    pthread_mutex_lock(&front->stage->lock);
    if (strcmp(verb, "DELETE") == 0) world_clear_faults(front->stage->world);
    const char *line = NULL;
    while (!error_is_set(&error) && (line = strsep(&rest, "\r\n")) != NULL) {
        if (*line != '\0') world_add_fault(front->stage->world, line, &error);
    }
    pthread_mutex_unlock(&front->stage->lock);
    BUFFER_AUTO body;
    buffer_init(&body, BUFFER_UNLIMITED);
    bool failed = error_is_set(&error);
    buffer_printf(&body, "{\"ok\":%s}\n", failed ? "false" : "true");
    return respond(connection, failed ? HTTP_BAD_REQUEST : HTTP_OK, &body, NULL);
}

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *path,
                              const char *verb, const char *version, const char *data, size_t *size,
                              void **state) {
    struct http_front *front = context;
    (void)version;
    if (*state == NULL) {
        *state = exchange_new(connection);
        return MHD_YES;
    }
    struct exchange *exchange = *state;
    if (*size > 0) {
        buffer_add(&exchange->body, data, *size);
        *size = 0;
        return MHD_YES;
    }
    if (exchange->body.overflowed) {
        BUFFER_AUTO empty;
        buffer_init(&empty, BUFFER_UNLIMITED);
        return respond(connection, HTTP_TOO_LARGE, &empty, NULL);
    }
    if (strcmp(path, "/state") == 0) return show_state(front, connection);
    if (strcmp(path, "/fault") == 0) return change_faults(front, connection, exchange, verb);
    return ask_world(front, connection, exchange, verb, path);
}

static bool make_address(const char *address, unsigned port, struct sockaddr_storage *ret_address) {
    struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    *ret_address = (struct sockaddr_storage){0};
    if (inet_pton(AF_INET, address, &ipv4.sin_addr) == 1) {
        memcpy(ret_address, &ipv4, sizeof ipv4);
        return true;
    }
    if (inet_pton(AF_INET6, address, &ipv6.sin6_addr) == 1) {
        memcpy(ret_address, &ipv6, sizeof ipv6);
        return true;
    }
    return false;
}

static struct MHD_Daemon *start_daemon(struct http_front *front, const struct sockaddr_storage *address,
                                       const struct certificate *certificate) {
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL;
    if (address->ss_family == AF_INET6) flags |= MHD_USE_IPv6;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_END, 0, NULL}, {MHD_OPTION_END, 0, NULL}, {MHD_OPTION_END, 0, NULL}};
    if (certificate != NULL) {
        flags |= MHD_USE_TLS;
        tls[0] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, certificate->key_pem};
        tls[1] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, certificate->certificate_pem};
    }
    return MHD_start_daemon(flags, 0, NULL, NULL, answer, front, MHD_OPTION_SOCK_ADDR, address,
                            MHD_OPTION_NOTIFY_COMPLETED, exchange_free, NULL, MHD_OPTION_ARRAY, tls,
                            MHD_OPTION_END);
}

int http_front_start(struct stage *stage, const char *address, unsigned port,
                     const struct certificate *certificate, struct http_front **ret_front, unsigned *ret_port,
                     struct error *error) {
    struct sockaddr_storage socket_address;
    if (!make_address(address, port, &socket_address)) {
        return error_set(error, ERROR_USAGE, "%s is not an IP address", address);
    }
    struct http_front *front = memory_new(struct http_front);
    front->stage = stage;
    front->daemon = start_daemon(front, &socket_address, certificate);
    const union MHD_DaemonInfo *info =
        front->daemon != NULL ? MHD_get_daemon_info(front->daemon, MHD_DAEMON_INFO_BIND_PORT) : NULL;
    if (info == NULL) {
        http_front_free(front);
        return error_set(error, ERROR_SYSTEM, "cannot serve HTTP at %s port %u", address, port);
    }
    *ret_port = info->port;
    *ret_front = front;
    return 0;
}

void http_front_free(struct http_front *front) {
    if (front == NULL) return;
    if (front->daemon != NULL) MHD_stop_daemon(front->daemon);
    free(front);
}
