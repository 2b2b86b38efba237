// SPDX-License-Identifier: Apache-2.0
// The servers of The Things Stack: their addresses, calls with the credentials, and what they say when they refuse.
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "device/message.h"
#include "target/tts_p.h"

enum {
    TLS_PORT = 8884,
    PLAIN_PORT = 1884,
    CA_FILE_MAX = 4 * 1024 * 1024,
};

struct place_names {
    const char *title;
    const char *option;    // of its address
    const char *registry;  // service
};

static const struct place_names place_names[TTS_PLACES] = {
    [TTS_IDENTITY] = {"Identity Server", "identity-server-grpc-address", "EndDeviceRegistry"},
    [TTS_JOIN] = {"Join Server", "join-server-grpc-address", "JsEndDeviceRegistry"},
    [TTS_NETWORK] = {"Network Server", "network-server-grpc-address", "NsEndDeviceRegistry"},
    [TTS_APPLICATION] = {"Application Server", "application-server-grpc-address", "AsEndDeviceRegistry"},
};

const char *tts_place_title(enum tts_place place) {
    return place_names[place].title;
}

static int open_ca(struct tts *self, struct error *error) {
    const char *path = option_string(self->options, "ca-file");
    if (path == NULL) return 0;
    size_t size = 0;
    int result = file_read_all(path, CA_FILE_MAX, &self->ca_pem, &size, error);
    if (result != 0) return error_wrap(error, ERROR_USAGE, "--to.tts.ca-file");
    if (strstr(self->ca_pem, "-----BEGIN CERTIFICATE-----") == NULL) {
        return error_set(error, ERROR_USAGE, "--to.tts.ca-file: %s holds no certificate in PEM form", path);
    }
    return 0;
}

static int open_server(struct tts *self, enum tts_place place, struct error *error) {
    const struct place_names *names = &place_names[place];
    struct tts_server *server = &self->servers[place];
    const char *option = names->option;
    const char *text = option_string(self->options, option);
    if (text == NULL) {
        option = "default-grpc-address";
        text = option_string(self->options, option);
    }
    char *shown MEMORY_AUTO = memory_printf("--to.tts.%s", option);
    if (text == NULL) {
        error_set(error, ERROR_USAGE, "the address of the %s is missing", names->title);
        error_hint(error, "give --to.tts.default-grpc-address, or --to.tts.%s", names->option);
        return -ERROR_USAGE;
    }
    bool insecure = option_bool(self->options, "insecure");
    bool plain = insecure || strncmp(text, "http://", strlen("http://")) == 0;
    int result = address_parse(text, shown, plain ? PLAIN_PORT : TLS_PORT, true, &server->address, error);
    if (result != 0) return result;
    if (server->address.plain && !insecure) {
        error_set(error, ERROR_USAGE, "%s: without TLS everybody on the way can read the API key", shown);
        error_hint(error, "if you want that, give --to.tts.insecure");
        return -ERROR_USAGE;
    }
    server->name = memory_printf("%s %s", names->title, server->address.host_port);
    server->server = (struct server){
        .name = server->name,
        .address = server->address.host_port,
        .plain = insecure && !(server->address.has_scheme && !server->address.plain),
        .ca_pem = self->ca_pem,
    };
    return 0;
}

static int open_key(struct tts *self, struct error *error) {
    const char *key = option_string(self->options, "app-api-key");
    for (const char *c = key; *c != '\0'; c++) {
        if (*c > ' ' && *c < 0x7F) continue;
        return error_set(error, ERROR_USAGE,
                         "--to.tts.app-api-key: a key has no blanks and only ASCII characters");
    }
    self->authorization = memory_printf("Bearer %s", key);
    return 0;
}

int tts_servers_open(struct tts *self, struct error *error) {
    int result = open_ca(self, error);
    if (result == 0) result = open_key(self, error);
    for (int place = 0; place < TTS_PLACES && result == 0; place++) {
        result = open_server(self, (enum tts_place)place, error);
    }
    if (result == 0 && option_bool(self->options, "insecure")) {
        self->base.warning = "the target is spoken to without TLS: everybody on the way can read the keys";
    }
    return result;
}

void tts_servers_release(struct tts *self) {
    memory_free_secret(self->authorization);
    free(self->ca_pem);
    for (int place = 0; place < TTS_PLACES; place++) {
        free(self->servers[place].name);
        address_release(&self->servers[place].address);
    }
}

// ---- calls

struct call *tts_call(struct tts *self, struct job *job, enum tts_place place, const char *service,
                      const char *method, const ProtobufCMessage *message) {
    struct call *call = job_call(job);
    call->kind = CALL_GRPC;
    call->server = &self->servers[place].server;
    call->method = arena_printf(job->arena, "/ttn.lorawan.v3.%s/%s", service, method);
    call->body_size = protobuf_c_message_get_packed_size(message);
    uint8_t *body = arena_alloc(job->arena, 1, call->body_size);
    protobuf_c_message_pack(message, body);
    call->body = body;
    call_add_header(call, "authorization", self->authorization);
    return call;
}

struct call *tts_registry_call(struct tts *self, struct job *job, enum tts_place place, const char *method,
                               const ProtobufCMessage *message) {
    return tts_call(self, job, place, place_names[place].registry, method, message);
}

// ---- refusals

const Tts__ErrorDetails *tts_details(const struct reply *reply, struct arena *arena) {
    if (reply->outcome != REPLY_ANSWERED) return NULL;
    return error_details_read(reply_header(reply, ERROR_DETAILS_TRAILER), arena);
}

static void add_hint(const struct tts *self, const struct reply *reply, const Tts__ErrorDetails *details,
                     struct error *error) {
    if (reply->outcome == REPLY_UNTRUSTED) {
        error_hint(error, "name the certificate to trust with --to.tts.ca-file FILE");
    } else if (reply->outcome != REPLY_ANSWERED) {
        return;
    } else if (reply->grpc_status == GRPC_UNAUTHENTICATED || error_details_is(details, "pkg/auth", "token")) {
        error_hint(error, "check --to.tts.app-api-key: the target does not know this key");
    } else if (reply->grpc_status == GRPC_PERMISSION_DENIED) {
        error_hint(error, "check --to.tts.app-api-key and its rights to application %s",
                   self->application == NULL ? "" : self->application);
    }
}

enum job_step tts_failed(struct tts *self, const struct call *call, const struct reply *reply,
                         struct error *error) {
    ARENA_AUTO arena = {0};
    BUFFER_AUTO words;
    buffer_init(&words, BUFFER_UNLIMITED);
    const Tts__ErrorDetails *details = tts_details(reply, &arena);
    struct reply told = *reply;
    if (details != NULL) {
        error_details_write(details, &words);
        told.message = arena_strdup(&arena, buffer_string(&words));
    }
    reply_error(&told, call, error);
    add_hint(self, reply, details, error);
    return JOB_FAILED;
}

bool tts_is_passing(const struct reply *reply) {
    switch (reply->outcome) {
        case REPLY_ANSWERED:
            return reply->grpc_status == GRPC_UNAVAILABLE || reply->grpc_status == GRPC_ABORTED ||
                   reply->grpc_status == GRPC_DEADLINE_EXCEEDED || reply->grpc_status == GRPC_CANCELLED;
        case REPLY_NOT_SENT:
        case REPLY_LOST:
        case REPLY_MALFORMED:
            return !reply->unreached;
        default:
            return false;
    }
}

bool tts_is_absent(const struct reply *reply) {
    return reply->outcome == REPLY_ANSWERED && reply->grpc_status == GRPC_NOT_FOUND;
}
