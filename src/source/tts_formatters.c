// SPDX-License-Identifier: Apache-2.0
// The payload formatters of an application, which the Application Server keeps in the application's link.
#include "device/message.h"
#include "source/tts_p.h"

enum job_step tts_source_formatters(struct source *source, struct job *job,
                                    struct source_formatters *ret_formatters, struct error *error) {
    struct tts_source *self = tts_source_of(source);
    if (job->stage == 0) {
        stack_link_call(&self->peers[STACK_APPLICATION], &self->access, job, self->application);
        job->stage = 1;
        return JOB_CALLS;
    }
    const struct reply *reply = &job->replies[0];
    if (stack_is_absent(reply)) return JOB_DONE;  // nothing was ever set
    if (!reply_ok(reply, CALL_GRPC)) {
        tts_source_failed(self, STACK_APPLICATION, &job->calls[0], reply, job->arena, error);
        if (error->code == ERROR_DENIED && reply->grpc_status == GRPC_PERMISSION_DENIED) {
            error_hint(error, "give the API key of application %s the right RIGHT_APPLICATION_SETTINGS_BASIC",
                       self->application);
        }
        return JOB_FAILED;
    }
    const Tts__ApplicationLink *link = message_unpack(&tts__application_link__descriptor, reply->body.data,
                                                      reply->body.size, ret_formatters->arena, error);
    if (link == NULL) {
        error_wrap(error, ERROR_NONE, "%s: the link of application %s", self->peers[STACK_APPLICATION].name,
                   self->application);
        return JOB_FAILED;
    }
    ret_formatters->formatters = link->default_formatters;
    return JOB_DONE;
}
