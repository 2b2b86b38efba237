// SPDX-License-Identifier: Apache-2.0
// Source firefly with a server that answers anything. The input's first byte chooses the operation and the options; then
// follow the replies: a byte of outcome and status, two bytes of size and that many of the body.
#include <string.h>

#include "source_drill.h"

enum input_flags {
    INPUT_LIST = 1,
    INPUT_INVALIDATE = 2,
    INPUT_AGAIN = 4,
    INPUT_V1_1 = 8,
    INPUT_DRY_RUN = 16
};

static void check_call(const struct call *call) {
    fuzz_check(call->changes == (strcmp(call->method, "PUT") == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct source_drill self = {
        .drill = {.input = {data, size}, .steps_max = 32, .check_call = check_call},
        .restoration.progress = {.known = true, .last_n_f_cnt_down = 7},
    };
    source_drill_begin(&self, "firefly");
    unsigned flags = input_byte(&self.drill.input);
    drill_set(self.options, "host", "firefly.example");
    drill_set(self.options, "api-key", "made up/key");
    drill_set(self.options, "app-id", "my-app");
    drill_set(self.options, "join-eui", "70B3D57ED0000000");
    drill_set(self.options, "mac-version", flags & INPUT_V1_1 ? "1.1.0b" : "1.0.3");
    drill_set(self.options, "invalidate-keys", flags & INPUT_INVALIDATE ? "true" : "false");
    drill_set(self.options, "all", "true");
    source_drill_open(&self, &(struct source_setup){.dry_run = flags & INPUT_DRY_RUN});
    self.drill.again = flags & INPUT_AGAIN;
    if (flags & INPUT_LIST) {
        source_drill_list(&self);
    } else {
        source_drill_device(&self, "0018B20000000001");
    }
    source_drill_close(&self);
    return 0;
}
