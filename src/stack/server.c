// SPDX-License-Identifier: Apache-2.0
#include "stack/server.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "device/error_details.h"
#include "device/message.h"

enum { PORT_TLS = 8884, PORT_PLAIN = 1884, CA_FILE_MAX = 4 * 1024 * 1024, KEY_MAX = 4096 };

static const struct {
    const char *title;
    const char *registry;
    const char *option;  // of its address
} roles[STACK_ROLES] = {
    [STACK_IDENTITY] = {"Identity Server", "EndDeviceRegistry", "identity-server-grpc-address"},
    [STACK_NETWORK] = {"Network Server", "NsEndDeviceRegistry", "network-server-grpc-address"},
    [STACK_APPLICATION] = {"Application Server", "AsEndDeviceRegistry", "application-server-grpc-address"},
    [STACK_JOIN] = {"Join Server", "JsEndDeviceRegistry", "join-server-grpc-address"},
};

const char *stack_title(enum stack_role role) {
    return roles[role].title;
}

const char *stack_registry(enum stack_role role) {
    return roles[role].registry;
}

// ---- opening

static int open_ca(struct stack_access *access, const struct stack_options *options, struct error *error) {
    const char *path = option_string(options->values, "ca-file");
    if (path == NULL) return 0;
    char *shown MEMORY_AUTO = memory_printf("%sca-file", options->prefix);
    size_t size = 0;
    int result = file_read_all(path, CA_FILE_MAX, &access->ca_pem, &size, error);
    if (result != 0) return error_wrap(error, ERROR_USAGE, "%s", shown);
    if (strstr(access->ca_pem, "-----BEGIN CERTIFICATE-----") != NULL) return 0;
    return error_set(error, ERROR_USAGE, "%s: %s holds no certificate in PEM form", shown, path);
}

static int open_key(struct stack_access *access, const struct stack_options *options, struct error *error) {
    const char *key = option_string(options->values, "app-api-key");
    size_t size = 0;
    while (key[size] > ' ' && key[size] < 0x7f) size++;
    if (size == 0 || key[size] != '\0' || size > KEY_MAX) {
        return error_set(error, ERROR_USAGE, "%sapp-api-key: is no API key (of the form NNSXS....)",
                         options->prefix);
    }
    access->authorization = memory_printf("Bearer %s", key);
    return 0;
}

int stack_access_open(struct stack_access *access, const struct stack_options *options, struct error *error) {
    int result = open_ca(access, options, error);
    return result != 0 ? result : open_key(access, options, error);
}

void stack_access_release(struct stack_access *access) {
    memory_free_secret(access->authorization);
    free(access->ca_pem);
    *access = (struct stack_access){0};
}

static int no_address(enum stack_role role, const struct stack_options *options, struct error *error) {
    error_set(error, ERROR_USAGE, "%s%s: the address of the %s is missing", options->prefix,
              roles[role].option, roles[role].title);
    error_hint(error,
               "%sdefault-grpc-address gives that of all servers, such as eu1.cloud.thethings.network:8884",
               options->prefix);
    return -ERROR_USAGE;
}

int stack_server_open(struct stack_server *server, enum stack_role role, const struct stack_access *access,
                      const struct stack_options *options, struct error *error) {
    const char *option = roles[role].option;
    const char *text = option_string(options->values, option);
    if (text == NULL) {
        option = "default-grpc-address";
        text = option_string(options->values, option);
    }
    if (text == NULL) return no_address(role, options, error);
    char *shown MEMORY_AUTO = memory_printf("%s%s", options->prefix, option);
    bool insecure = option_bool(options->values, "insecure");
    bool plain = insecure || strncmp(text, "http://", strlen("http://")) == 0;
    int result = address_parse(text, shown, plain ? PORT_PLAIN : PORT_TLS, true, &server->address, error);
    if (result != 0) return result;
    if (server->address.plain && !insecure) {
        error_set(error, ERROR_USAGE, "%s: without TLS everybody on the way can read the API key", shown);
        error_hint(error, "if you want that, give %sinsecure", options->prefix);
        return -ERROR_USAGE;
    }
    server->name = memory_printf("%s %s", roles[role].title, server->address.host_port);
    server->server = (struct server){
        .name = server->name,
        .address = server->address.host_port,
        .plain = insecure && !(server->address.has_scheme && !server->address.plain),
        .ca_pem = access->ca_pem,
    };
    return 0;
}

void stack_server_release(struct stack_server *server) {
    free(server->name);
    address_release(&server->address);
    *server = (struct stack_server){0};
}

// ---- calls

struct call *stack_call(const struct stack_server *server, const struct stack_access *access, struct job *job,
                        const char *service, const char *method, const ProtobufCMessage *message) {
    struct call *call = job_call(job);
    call->kind = CALL_GRPC;
    call->server = &server->server;
    call->method = arena_printf(job->arena, "/ttn.lorawan.v3.%s/%s", service, method);
    call->body_size = protobuf_c_message_get_packed_size(message);
    uint8_t *body = arena_alloc(job->arena, 1, call->body_size + 1);
    protobuf_c_message_pack(message, body);
    call->body = body;
    call_add_header(call, "authorization", access->authorization);
    return call;
}

struct call *stack_link_call(const struct stack_server *server, const struct stack_access *access,
                             struct job *job, char *application_id) {
    Tts__ApplicationIdentifiers ids = TTS__APPLICATION_IDENTIFIERS__INIT;
    Tts__GetApplicationLinkRequest request = TTS__GET_APPLICATION_LINK_REQUEST__INIT;
    ids.application_id = application_id;
    request.application_ids = &ids;
    request.field_mask = stack_mask(job->arena, "default_formatters");
    return stack_call(server, access, job, "As", "GetLink", &request.base);
}

Google__FieldMask *stack_mask(struct arena *arena, const char *members) {
    Google__FieldMask *mask = message_new(arena, &google__field_mask__descriptor);
    char *save = NULL;
    for (char *name = strtok_r(arena_strdup(arena, members), " ", &save); name != NULL;
         name = strtok_r(NULL, " ", &save)) {
        message_append(arena, &mask->n_paths, &mask->paths, name);
    }
    return mask;
}

// ---- answers

bool stack_is_absent(const struct reply *reply) {
    return reply->outcome == REPLY_ANSWERED && reply->grpc_status == GRPC_NOT_FOUND;
}

const Tts__ErrorDetails *stack_details(const struct reply *reply, struct arena *arena) {
    if (reply->outcome != REPLY_ANSWERED) return NULL;
    return error_details_read(reply_header(reply, ERROR_DETAILS_TRAILER), arena);
}

int stack_error(const struct reply *reply, const struct call *call, const Tts__ErrorDetails *details,
                struct error *error) {
    if (details == NULL) return reply_error(reply, call, error);
    BUFFER_AUTO words;
    buffer_init(&words, BUFFER_UNLIMITED);
    error_details_write(details, &words);
    struct reply told = *reply;
    char *message MEMORY_AUTO = memory_strdup(buffer_string(&words));
    told.message = message;
    return reply_error(&told, call, error);
}
