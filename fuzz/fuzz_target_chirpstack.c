// SPDX-License-Identifier: Apache-2.0
// Target chirpstack with a server that answers anything; see target_drill.h. A reply: a byte of outcome and status, a byte of
// size and that many of a text (an error's message), two bytes of size and that many of the body.
#include <string.h>

#include "target_drill.h"

static void take_reply(struct input *input, struct reply *reply) {
    input_status(input, reply);
    reply->http_status = 200;
    reply->message = input_text(input);
    input_body(input, reply);
}

// No key goes to anyone but the server, and every call says who makes it.
static void check_call(const struct call *call) {
    fuzz_check(call->kind == CALL_GRPC && strncmp(call->method, "/api.", 5) == 0 && call->header_count == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct target_drill self;
    target_drill_begin(&self, "chirpstack", data, size);
    self.drill.take_reply = take_reply;
    self.drill.check_call = check_call;
    drill_set(self.options, "api-key", "made.up");
    drill_set(self.options, "api-url", "cs.example:8080");
    enum { INPUT_ANY_TENANT = 128 };
    if ((self.flags & INPUT_ANY_TENANT) == 0)
        drill_set(self.options, "tenant", "15e3bdae-0e30-40f2-8b66-1bc90306adbc");
    target_drill_run(&self);
    return 0;
}
