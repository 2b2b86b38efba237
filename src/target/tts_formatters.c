// SPDX-License-Identifier: Apache-2.0
// The payload formatters of the application, which the Application Server keeps in the application's link.
#include "device/message.h"
#include "device/payload_formatters.h"
#include "target/tts_p.h"

// What a direction of the link consists of.
static const struct {
    unsigned direction;
    const char *paths[2];
} parts[] = {
    {FORMATTERS_UP, {"default_formatters.up_formatter", "default_formatters.up_formatter_parameter"}},
    {FORMATTERS_DOWN, {"default_formatters.down_formatter", "default_formatters.down_formatter_parameter"}},
};

static enum job_step failed(struct tts *self, struct job *job, struct error *error) {
    const struct reply *reply = &job->replies[0];
    tts_failed(self, &job->calls[0], reply, error);
    if (reply->outcome == REPLY_ANSWERED && reply->grpc_status == GRPC_PERMISSION_DENIED) {
        error_hint(error,
                   "give the key of --to.tts.app-api-key the right RIGHT_APPLICATION_SETTINGS_BASIC to "
                   "application %s; or --formatters DIR to get them as files, --no-formatters to go without",
                   self->application);
    }
    return JOB_FAILED;
}

enum job_step tts_get_formatters(struct target *target, struct job *job,
                                 struct target_formatters *ret_formatters, struct error *error) {
    struct tts *self = tts_of(target);
    struct arena *arena = ret_formatters->arena;
    ret_formatters->application = arena_strdup(arena, self->application);
    if (self->planned) return JOB_DONE;
    if (job->stage == 0) {
        stack_link_call(&self->servers[TTS_APPLICATION], &self->access, job, self->application);
        job->stage = 1;
        return JOB_CALLS;
    }
    const struct reply *reply = &job->replies[0];
    if (stack_is_absent(reply)) return JOB_DONE;  // nothing was ever set
    if (!reply_ok(reply, CALL_GRPC)) return failed(self, job, error);
    const Tts__ApplicationLink *link =
        message_unpack(&tts__application_link__descriptor, reply->body.data, reply->body.size, arena, error);
    if (link == NULL) {
        error_wrap(error, ERROR_NONE, "%s: the link of application %s", job->calls[0].server->name,
                   self->application);
        return JOB_FAILED;
    }
    ret_formatters->formatters = link->default_formatters;
    return JOB_DONE;
}

static void set_call(struct tts *self, struct job *job, const Tts__MessagePayloadFormatters *formatters,
                     unsigned directions, unsigned tries) {
    Tts__ApplicationIdentifiers ids = TTS__APPLICATION_IDENTIFIERS__INIT;
    Tts__MessagePayloadFormatters sent = TTS__MESSAGE_PAYLOAD_FORMATTERS__INIT;
    Tts__ApplicationLink link = TTS__APPLICATION_LINK__INIT;
    Google__FieldMask mask = GOOGLE__FIELD_MASK__INIT;
    Tts__SetApplicationLinkRequest request = TTS__SET_APPLICATION_LINK_REQUEST__INIT;
    ids.application_id = self->application;
    if ((directions & FORMATTERS_UP) != 0) {
        sent.up_formatter = formatters->up_formatter;
        sent.up_formatter_parameter = formatters->up_formatter_parameter;
    }
    if ((directions & FORMATTERS_DOWN) != 0) {
        sent.down_formatter = formatters->down_formatter;
        sent.down_formatter_parameter = formatters->down_formatter_parameter;
    }
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if ((directions & parts[i].direction) == 0) continue;
        for (size_t j = 0; j < 2; j++) {
            message_append(job->arena, &mask.n_paths, &mask.paths,
                           arena_strdup(job->arena, parts[i].paths[j]));
        }
    }
    link.default_formatters = &sent;
    request.application_ids = &ids;
    request.link = &link;
    request.field_mask = &mask;
    struct call *call = tts_call(self, job, TTS_APPLICATION, "As", "SetLink", &request.base);
    call->changes = true;
    call->attempt = tries;
}

enum job_step tts_set_formatters(struct target *target, struct job *job,
                                 const Tts__MessagePayloadFormatters *formatters, unsigned directions,
                                 struct error *error) {
    struct tts *self = tts_of(target);
    const struct reply *reply = &job->replies[0];
    // A stage is a try: whoever sets the same twice has set it once.
    if (job->stage > 0) {
        if (reply_ok(reply, CALL_GRPC) || reply->outcome == REPLY_DRY) return JOB_DONE;
        if (!tts_is_passing(reply) || job->stage >= TTS_TRIES) return failed(self, job, error);
    }
    set_call(self, job, formatters, directions, (unsigned)job->stage);
    job->stage++;
    return JOB_CALLS;
}
