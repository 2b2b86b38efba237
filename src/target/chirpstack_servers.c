// SPDX-License-Identifier: Apache-2.0
// The server of ChirpStack: its address, calls with the credentials, and what it says when it refuses.
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "target/chirpstack_p.h"

enum { API_PORT = 8080, CA_FILE_MAX = 4 * 1024 * 1024 };

// Most bytes of one answer: a page of a list, or a profile with its script.
enum { REPLY_MAX = 4 * 1024 * 1024 };

static int open_ca(struct cst *self, struct error *error) {
    const char *path = option_string(self->options, "ca-cert-path");
    if (path == NULL) return 0;
    size_t size = 0;
    int result = file_read_all(path, CA_FILE_MAX, &self->ca_pem, &size, error);
    if (result != 0) return error_wrap(error, ERROR_USAGE, "--to.chirpstack.ca-cert-path");
    if (strstr(self->ca_pem, "-----BEGIN CERTIFICATE-----") == NULL) {
        return error_set(error, ERROR_USAGE,
                         "--to.chirpstack.ca-cert-path: %s holds no certificate in PEM form", path);
    }
    return 0;
}

static int open_key(struct cst *self, struct error *error) {
    const char *key = option_string(self->options, "api-key");
    for (const char *c = key; *c != '\0'; c++) {
        if (*c > ' ' && *c < 0x7F) continue;
        return error_set(error, ERROR_USAGE,
                         "--to.chirpstack.api-key: a key has no blanks and only ASCII characters");
    }
    self->authorization = memory_printf("Bearer %s", key);
    return 0;
}

int cst_server_open(struct cst *self, struct error *error) {
    int result = open_ca(self, error);
    if (result == 0) result = open_key(self, error);
    if (result == 0)
        result = address_parse(option_string(self->options, "api-url"), "--to.chirpstack.api-url", API_PORT,
                               false, &self->address, error);
    if (result != 0) return result;
    self->server_name = memory_printf("ChirpStack %s", self->address.host_port);
    self->server = (struct server){
        .name = self->server_name,
        .address = self->address.host_port,
        .plain = self->address.plain || (!self->address.has_scheme && option_bool(self->options, "insecure")),
        .ca_pem = self->ca_pem,
    };
    if (self->server.plain)
        self->base.warning = "the target is spoken to without TLS: everybody on the way can read the keys";
    return 0;
}

void cst_server_release(struct cst *self) {
    memory_free_secret(self->authorization);
    free(self->ca_pem);
    free(self->server_name);
    address_release(&self->address);
}

// ---- calls

struct call *cst_call(struct cst *self, struct job *job, const char *method,
                      const ProtobufCMessage *message) {
    struct call *call = job_call(job);
    call->kind = CALL_GRPC;
    call->server = &self->server;
    call->method = arena_printf(job->arena, "/api.%s", method);
    call->body_size = protobuf_c_message_get_packed_size(message);
    uint8_t *body = arena_alloc(job->arena, 1, call->body_size);
    protobuf_c_message_pack(message, body);
    call->body = body;
    call->reply_limit = REPLY_MAX;
    call_add_header(call, "authorization", self->authorization);
    return call;
}

struct call *cst_change(struct cst *self, struct job *job, const char *method,
                        const ProtobufCMessage *message, unsigned tries) {
    struct call *call = cst_call(self, job, method, message);
    call->changes = true;
    call->attempt = tries;
    return call;
}

struct call *cst_get(struct cst *self, struct job *job, const char *method, const char *id) {
    Chirpstack__IDMessage request = CHIRPSTACK__IDMESSAGE__INIT;
    request.id = arena_strdup(job->arena, id);
    return cst_call(self, job, method, &request.base);
}

struct call *cst_delete(struct cst *self, struct job *job, const char *method, const char *id,
                        unsigned tries) {
    struct call *call = cst_get(self, job, method, id);
    call->changes = true;
    call->attempt = tries;
    return call;
}

void *cst_read(const struct cst *self, struct job *job, size_t index,
               const ProtobufCMessageDescriptor *descriptor, struct error *error) {
    const struct buffer *body = &job->replies[index].body;
    void *message = message_unpack(descriptor, body->data, body->size, job->arena, error);
    if (message == NULL) error_wrap(error, ERROR_NONE, "%s: %s", self->server.name, job->calls[index].method);
    return message;
}

// ---- refusals

enum job_step cst_failed(const struct cst *self, const struct call *call, const struct reply *reply,
                         struct error *error) {
    reply_error(reply, call, error);
    bool denied = reply->outcome == REPLY_ANSWERED && error->code == ERROR_DENIED;
    if (reply_hint_tls(reply, "--to.chirpstack.ca-cert-path", "--to.chirpstack.insecure", error))
        return JOB_FAILED;
    if (denied && call->changes) {
        error_hint(error,
                   "check --to.chirpstack.api-key: it must not be read-only, and be of the tenant that gets "
                   "the devices, or of an admin");
    } else if (denied) {
        error_hint(error,
                   "check --to.chirpstack.api-key: a key of the tenant that gets the devices, or of "
                   "an admin");
    } else if (reply->outcome == REPLY_LOST && !self->server.plain && !self->address.has_scheme) {
        error_hint(error, "without TLS: --to.chirpstack.insecure");
    }
    return JOB_FAILED;
}

bool cst_is_passing(const struct reply *reply) {
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

// A key that is not valid is told why; one that does not reach so far is told nothing.
bool cst_is_absent(const struct reply *reply) {
    if (reply->outcome != REPLY_ANSWERED) return false;
    if (reply->grpc_status == GRPC_NOT_FOUND || reply->grpc_status == GRPC_PERMISSION_DENIED) return true;
    return reply->grpc_status == GRPC_UNAUTHENTICATED &&
           (reply->message == NULL || reply->message[0] == '\0');
}

// The database's own words reach us: of PostgreSQL, and of SQLite.
bool cst_is_duplicate(const struct reply *reply) {
    if (reply->outcome != REPLY_ANSWERED || reply->grpc_status == GRPC_OK) return false;
    const char *words = reply->message == NULL ? "" : reply->message;
    return reply->grpc_status == GRPC_ALREADY_EXISTS || strstr(words, "duplicate key") != NULL ||
           strstr(words, "UNIQUE constraint") != NULL;
}
