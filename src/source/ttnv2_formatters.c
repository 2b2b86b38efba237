// SPDX-License-Identifier: Apache-2.0
// The payload functions of an application of V2, as formatters of The Things Stack.
#include "device/message.h"
#include "formatter/formatter.h"
#include "source/ttnv2_p.h"

static void take(const struct formatter *made, struct arena *arena, Tts__PayloadFormatter *ret_type,
                 char **ret_parameter) {
    switch (made->type) {
        case FORMATTER_NONE:
            return;
        case FORMATTER_CAYENNELPP:
            *ret_type = TTS__PAYLOAD_FORMATTER__FORMATTER_CAYENNELPP;
            return;
        case FORMATTER_JAVASCRIPT:
            *ret_type = TTS__PAYLOAD_FORMATTER__FORMATTER_JAVASCRIPT;
            *ret_parameter = arena_strdup(arena, made->script);
            return;
    }
}

static int convert(const Ttnv2__Application *application, struct source_formatters *ret_formatters,
                   struct error *error) {
    const struct ttnv2_functions functions = {
        .payload_format = application->payload_format,
        .decoder = application->decoder,
        .converter = application->converter,
        .validator = application->validator,
        .encoder = application->encoder,
    };
    struct formatters made = {0};
    int result = formatter_from_ttnv2(&functions, &made, error);
    if (result != 0) return result;
    struct arena *arena = ret_formatters->arena;
    Tts__MessagePayloadFormatters *formatters =
        message_new(arena, &tts__message_payload_formatters__descriptor);
    take(&made.up, arena, &formatters->up_formatter, &formatters->up_formatter_parameter);
    take(&made.down, arena, &formatters->down_formatter, &formatters->down_formatter_parameter);
    ret_formatters->formatters = formatters;
    if (made.up.type == FORMATTER_CAYENNELPP) {
        ret_formatters->remark =
            "the names of fields that The Things Stack makes of Cayenne LPP may differ from V2's";
    }
    formatters_release(&made);
    return 0;
}

enum job_step ttnv2_formatters(struct source *source, struct job *job,
                               struct source_formatters *ret_formatters, struct error *error) {
    struct ttnv2 *self = ttnv2_of(source);
    if (job->stage == 0) {
        if (ttnv2_token_due(self)) return JOB_LOGIN;
        Ttnv2__ApplicationIdentifier request = TTNV2__APPLICATION_IDENTIFIER__INIT;
        request.app_id = self->application;
        ttnv2_handler_call(self, job, "/handler.ApplicationManager/GetApplication", &request.base);
        job->stage = 1;
        return JOB_CALLS;
    }
    const struct reply *reply = &job->replies[0];
    if (!reply_ok(reply, CALL_GRPC)) {
        enum job_step step = ttnv2_handler_failed(self, &job->calls[0], reply, error);
        if (step == JOB_FAILED && error->code == ERROR_DENIED) {
            error_hint(error, "the access key needs the right \"settings\" to application %s",
                       self->application);
        }
        return step;
    }
    const Ttnv2__Application *application = message_unpack(&ttnv2__application__descriptor, reply->body.data,
                                                           reply->body.size, job->arena, error);
    if (application == NULL) {
        error_wrap(error, ERROR_NONE, "%s: asked for application %s", self->handler.name, self->application);
        return JOB_FAILED;
    }
    return convert(application, ret_formatters, error) == 0 ? JOB_DONE : JOB_FAILED;
}
