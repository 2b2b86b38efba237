// SPDX-License-Identifier: Apache-2.0
// The servers of The Things Stack as a target: calls to them, and what they say when they refuse.
#include "target/tts_p.h"

static const enum stack_role roles[TTS_PLACES] = {
    [TTS_IDENTITY] = STACK_IDENTITY,
    [TTS_JOIN] = STACK_JOIN,
    [TTS_NETWORK] = STACK_NETWORK,
    [TTS_APPLICATION] = STACK_APPLICATION,
};

const char *tts_place_title(enum tts_place place) {
    return stack_title(roles[place]);
}

int tts_servers_open(struct tts *self, struct error *error) {
    const struct stack_options options = {self->options, "--to.tts."};
    int result = stack_access_open(&self->access, &options, error);
    for (int place = 0; place < TTS_PLACES && result == 0; place++) {
        result = stack_server_open(&self->servers[place], roles[place], &self->access, &options, error);
    }
    if (result == 0 && option_bool(self->options, "insecure")) {
        self->base.warning = "the target is spoken to without TLS: everybody on the way can read the keys";
    }
    return result;
}

void tts_servers_release(struct tts *self) {
    stack_access_release(&self->access);
    for (int place = 0; place < TTS_PLACES; place++) stack_server_release(&self->servers[place]);
}

// ---- calls

struct call *tts_call(struct tts *self, struct job *job, enum tts_place place, const char *service,
                      const char *method, const ProtobufCMessage *message) {
    return stack_call(&self->servers[place], &self->access, job, service, method, message);
}

struct call *tts_registry_call(struct tts *self, struct job *job, enum tts_place place, const char *method,
                               const ProtobufCMessage *message) {
    return tts_call(self, job, place, stack_registry(roles[place]), method, message);
}

// ---- refusals

static void add_hint(const struct tts *self, const struct reply *reply, const Tts__ErrorDetails *details,
                     struct error *error) {
    if (reply_hint_tls(reply, "--to.tts.ca-file", "--to.tts.insecure", error) ||
        reply->outcome != REPLY_ANSWERED)
        return;
    if (reply->grpc_status == GRPC_UNAUTHENTICATED || error_details_is(details, "pkg/auth", "token")) {
        error_hint(
            error,
            "check --to.tts.app-api-key: the target does not know this key. Its Console makes one, at API "
            "keys of the "
            "application (for gateways: of your user), with rights to read and write devices and their keys");
    } else if (reply->grpc_status == GRPC_PERMISSION_DENIED) {
        error_hint(error, "check --to.tts.app-api-key and its rights to application %s",
                   self->application == NULL ? "" : self->application);
    }
}

enum job_step tts_failed(struct tts *self, const struct call *call, const struct reply *reply,
                         struct error *error) {
    ARENA_AUTO arena = {0};
    const Tts__ErrorDetails *details = stack_details(reply, &arena);
    stack_error(reply, call, details, error);
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
