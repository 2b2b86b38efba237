// SPDX-License-Identifier: Apache-2.0
// Source tts with servers that answer anything. The input's first byte chooses the operation and the options, then
// follows the device's ID, then the replies: a byte of outcome and status, a byte of size and that many of a text (a
// header's value, the message of an error), two bytes of size and that many of the body.
#include <string.h>

#include "source_drill.h"

enum input_flags {
    INPUT_OPERATION = 1,
    INPUT_RELEASE = 6,
    INPUT_NO_SESSION = 8,
    INPUT_AGAIN = 16,
    INPUT_EUI_AS_ID = 32,
    INPUT_PROGRESS = 64,
    INPUT_REJOINED = 128,
};

// The text is a header's value and the message in one.
static void take_reply(struct input *input, struct reply *reply) {
    input_status(input, reply);
    reply->http_status = 200;
    reply->message = input_text(input);
    const char *body = input_body(input, reply);
    reply_add_header(reply, "x-total-count", 13, reply->message, strlen(reply->message));
    // Details are longer than a text: where there is an error, the body has them.
    if (reply->grpc_status != GRPC_OK)
        reply_add_header(reply, "grpc-status-details-bin", 23, body, reply->body.size);
}

static void set_options(struct option_values *values, unsigned flags) {
    static const char *const releases[] = {"silence", "keys", "delete", "none"};
    drill_set(values, "app-id", "test-app");
    drill_set(values, "app-api-key", "NNSXS.MADEUP");
    drill_set(values, "default-grpc-address", "stack.example");
    drill_set(values, "no-session", flags & INPUT_NO_SESSION ? "true" : "false");
    drill_set(values, "release", releases[(flags & INPUT_RELEASE) / 2]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct source_drill self = {
        .drill = {.input = {data, size}, .steps_max = 64, .take_reply = take_reply},
        .application = "test-app",
    };
    source_drill_begin(&self, "tts");
    unsigned flags = input_byte(&self.drill.input);
    char *id MEMORY_AUTO = input_text(&self.drill.input);
    self.drill.again = flags & INPUT_AGAIN;
    self.restoration.progress = (struct device_progress){
        .known = flags & INPUT_PROGRESS, .rejoined = flags & INPUT_REJOINED, .last_n_f_cnt_down = 1000};
    set_options(self.options, flags);
    const struct device_naming naming = {.eui_as_id = flags & INPUT_EUI_AS_ID};
    source_drill_open(&self, &(struct source_setup){.naming = &naming, .dry_run = true});
    if (source_drill_prepare(&self)) {
        if (flags & INPUT_OPERATION) {
            source_drill_device(&self, id);
        } else {
            source_drill_list(&self);
        }
    }
    source_drill_close(&self);
    return 0;
}
