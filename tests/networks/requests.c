// SPDX-License-Identifier: Apache-2.0
// Between calls of the engine and requests of the sandbox: what the transport and the sandbox's servers do in between.
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/memory.h"
#include "device/error_details.h"
#include "networks/networks.h"

static const struct {
    const char *name;
    enum world_endpoint endpoint;
} servers[] = {
    {"is.", WORLD_TTS_IS},
    {"ns.", WORLD_TTS_NS},
    {"as.", WORLD_TTS_AS},
    {"js.", WORLD_TTS_JS},
    {"discovery.", WORLD_TTNV2_DISCOVERY},
    {"handler.", WORLD_TTNV2_HANDLER},
    {"account.", WORLD_TTNV2_ACCOUNT},
    {"chirpstack.", WORLD_CHIRPSTACK},
    {"firefly.", WORLD_FIREFLY},
    {"loriot.", WORLD_LORIOT},
    {"aws.", WORLD_AWSIOT},
};

static enum world_endpoint endpoint_of(const struct call *call) {
    for (size_t i = 0; i < sizeof servers / sizeof *servers; i++) {
        if (strncmp(call->server->address, servers[i].name, strlen(servers[i].name)) != 0) continue;
        bool v3 = servers[i].endpoint == WORLD_CHIRPSTACK && call->kind == CALL_HTTP;
        return v3 ? WORLD_CHIRPSTACK_V3 : servers[i].endpoint;
    }
    return WORLD_ENDPOINTS;
}

static int digit(char c) {
    return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

// Without percent signs; in a query a plus is a space.
static char *decode(struct arena *arena, const char *text, size_t size, bool query) {
    char *plain = arena_alloc(arena, size + 1, 1);
    size_t used = 0;
    for (size_t i = 0; i < size; i++) {
        bool quoted = text[i] == '%' && i + 2 < size && isxdigit((unsigned char)text[i + 1]) &&
                      isxdigit((unsigned char)text[i + 2]);
        plain[used++] = quoted                    ? (char)(digit(text[i + 1]) * 16 + digit(text[i + 2]))
                        : query && text[i] == '+' ? ' '
                                                  : text[i];
        if (quoted) i += 2;
    }
    plain[used] = '\0';
    return plain;
}

static void add_header(struct network_request *made, const char *name, const char *value) {
    if (made->request.header_count == sizeof made->headers / sizeof *made->headers) return;
    made->headers[made->request.header_count++] = (struct world_header){name, value};
}

// The path in clear, with the arguments that servers read there, each of them a header too.
static void take_path(struct arena *arena, const struct call *call, struct network_request *made) {
    const char *query = strchr(call->path, '?');
    size_t size = query == NULL ? strlen(call->path) : (size_t)(query - call->path);
    BUFFER_AUTO method;
    buffer_init(&method, BUFFER_UNLIMITED);
    buffer_printf(&method, "%s %s", call->method, decode(arena, call->path, size, false));
    for (const char *at = query; at != NULL && *at != '\0';) {
        const char *name = at + 1;
        size_t length = strcspn(name, "&"), name_size = strcspn(name, "=&");
        const char *value = name_size < length ? name + name_size + 1 : name + length;
        char *plain = decode(arena, value, (size_t)(name + length - value), true);
        buffer_printf(&method, "%c%.*s=%s", at == query ? '?' : '&', (int)name_size, name, plain);
        char *header = arena_printf(arena, "?%.*s", (int)name_size, name);
        for (char *c = header; *c != '\0'; c++) *c = (char)tolower((unsigned char)*c);
        add_header(made, header, plain);
        at = name + length;
    }
    bool whole = made->request.endpoint == WORLD_CHIRPSTACK_V3 || made->request.endpoint == WORLD_LORIOT ||
                 made->request.endpoint == WORLD_AWSIOT;
    const char *text = arena_strdup(arena, buffer_string(&method));
    made->request.method = whole ? text : decode(arena, text, strcspn(text, "?"), false);
}

static const char *host_of(struct arena *arena, const struct server *server) {
    const char *colon = strrchr(server->address, ':');
    bool usual = colon != NULL && strcmp(colon, server->plain ? ":80" : ":443") == 0;
    return usual ? arena_printf(arena, "%.*s", (int)(colon - server->address), server->address)
                 : server->address;
}

void network_request(struct arena *arena, const struct call *call, struct network_request *ret_request) {
    *ret_request = (struct network_request){0};
    struct world_request *request = &ret_request->request;
    request->endpoint = endpoint_of(call);
    request->headers = ret_request->headers;
    for (size_t i = 0; i < call->header_count; i++)
        add_header(ret_request, call->headers[i].name, call->headers[i].value);
    request->body = call->body;
    request->body_size = call->body_size;
    request->method = call->method;
    if (call->kind == CALL_GRPC) return;
    if (world_request_header(request, "host") == NULL)
        add_header(ret_request, "host", host_of(arena, call->server));
    take_path(arena, call, ret_request);
}

// ---- replies

static void set_outcome(struct reply *reply, enum reply_outcome outcome, const char *message) {
    buffer_clear(&reply->body);
    free(reply->message);
    reply->message = memory_strdup(message);
    reply->outcome = outcome;
}

static void take_answer(const struct world_reply *answer, enum call_kind kind, struct reply *reply) {
    if (kind == CALL_GRPC) {
        reply->http_status = 200;
        reply->grpc_status = (enum grpc_status)answer->status;
        if (answer->message != NULL) reply->message = memory_strdup(answer->message);
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
}

void network_reply(const struct world_reply *answer, enum call_kind kind, struct reply *ret_reply) {
    *ret_reply = (struct reply){.outcome = REPLY_ANSWERED};
    buffer_init(&ret_reply->body, CALL_REPLY_LIMIT);
    switch (answer->delivery) {
        case WORLD_DELIVER:
        case WORLD_GOAWAY:
            take_answer(answer, kind, ret_reply);
            return;
        case WORLD_CUT:
            set_outcome(ret_reply, REPLY_LOST, "the answer ends without a status");
            return;
        case WORLD_HANG:
            set_outcome(ret_reply, REPLY_LOST, "no answer in time");
            ret_reply->timed_out = true;
            return;
        case WORLD_GARBAGE_TRANSPORT:
            set_outcome(ret_reply, REPLY_MALFORMED, "the answer is no valid HTTP");
            return;
        case WORLD_RESET:
        case WORLD_RESET_MIDDLE:
        case WORLD_REFUSE:
        default:
            set_outcome(ret_reply, REPLY_LOST, "the connection was lost: reset by peer");
    }
}
