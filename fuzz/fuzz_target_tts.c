// SPDX-License-Identifier: Apache-2.0
// Target tts with servers that answer anything; see target_drill.h. A reply: a byte of outcome and status, a byte of size and
// that many of a text (an error's message) and, times four, of ErrorDetails, two bytes of size and that many of the body.
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/memory.h"
#include "device/error_details.h"
#include "target_drill.h"

static void take_details(struct input *input, struct reply *reply) {
    size_t size = input_byte(input) * 4;
    const void *data = input_take(input, &size);
    char *text = memory_alloc(BASE64_TEXT_SIZE(size), 1);
    base64_encode(text, data, size);
    reply_add_header(reply, ERROR_DETAILS_TRAILER, strlen(ERROR_DETAILS_TRAILER), text, strlen(text));
    free(text);
}

static void take_reply(struct input *input, struct reply *reply) {
    input_status(input, reply);
    reply->http_status = 200;
    reply->message = input_text(input);
    take_details(input, reply);
    input_body(input, reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct target_drill self;
    target_drill_begin(&self, "tts", data, size);
    self.drill.take_reply = take_reply;
    drill_set(self.options, "app-api-key", "NNSXS.MADE.UP");
    drill_set(self.options, "default-grpc-address", "tts.example");
    target_drill_run(&self);
    return 0;
}
