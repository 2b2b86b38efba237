// SPDX-License-Identifier: Apache-2.0
// Source ttnv2 with a server that answers anything. The input's first byte chooses the operation and the
// options; then follow the replies: a byte of outcome and status, a byte of size and that many of a text (a
// header, the message of an error), two bytes of size and that many of the body.
#include <string.h>

#include "source_drill.h"

enum input_flags {
    INPUT_OPERATION = 3,
    INPUT_NO_SESSION = 4,
    INPUT_RESETS_TO_PLAN = 8,
    INPUT_DRY_RUN = 16,
    INPUT_EUI_AS_ID = 32,
};

// The text is a header's value and the message in one.
static void take_reply(struct input *input, struct reply *reply) {
    input_status(input, reply);
    reply->message = input_text(input);
    reply_add_header(reply, "total", 5, reply->message, strlen(reply->message));
    input_body(input, reply);
}

static enum job_step formatters(void *context, struct job *job, struct error *error) {
    struct source_drill *self = context;
    struct source_formatters found = {.arena = &self->drill.arena};
    enum job_step step = self->driver->formatters(self->source, job, &found, error);
    fuzz_check(step == JOB_DONE || found.formatters == NULL);
    return step;
}

static void set_options(struct option_values *values, unsigned flags) {
    drill_set(values, "frequency-plan-id", "EU_863_870_TTN");
    drill_set(values, "app-id", "my-app");
    drill_set(values, "app-access-key", "ttn-account-v2.made-up");
    drill_set(values, "with-session", flags & INPUT_NO_SESSION ? "false" : "true");
    drill_set(values, "resets-to-frequency-plan", flags & INPUT_RESETS_TO_PLAN ? "true" : "false");
    if (flags & INPUT_OPERATION) drill_set(values, "handler-address", "handler.example:1904");
}

static void drill_source(struct source_drill *self, unsigned flags, const char *id) {
    if (!source_drill_prepare(self)) return;
    switch (flags & INPUT_OPERATION) {
        case 0:
            source_drill_run(self, formatters);
            break;
        case 1:
            source_drill_list(self);
            break;
        default:
            source_drill_device(self, id);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct source_drill self = {
        .drill = {.input = {data, size}, .steps_max = 32, .take_reply = take_reply},
        .application = "my-app",
    };
    source_drill_begin(&self, "ttnv2");
    unsigned flags = input_byte(&self.drill.input);
    char *id MEMORY_AUTO = input_text(&self.drill.input);
    set_options(self.options, flags);
    const struct device_naming naming = {.eui_as_id = flags & INPUT_EUI_AS_ID};
    source_drill_open(&self, &(struct source_setup){.naming = &naming, .dry_run = flags & INPUT_DRY_RUN});
    drill_source(&self, flags, id);
    source_drill_close(&self);
    return 0;
}
