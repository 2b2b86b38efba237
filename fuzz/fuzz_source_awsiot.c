// SPDX-License-Identifier: Apache-2.0
// Source awsiot with a server that answers anything. The input's first byte chooses the operation and the options; then
// follow the replies: a byte of outcome and status, two bytes of size and that many of the body.
#include <string.h>

#include "source_drill.h"

enum input_flags { INPUT_LIST = 1, INPUT_DELETE = 2, INPUT_AGAIN = 4, INPUT_ALL = 8, INPUT_VERSION = 16 };

// Whatever an answer holds is encoded in a path.
static void check_call(const struct call *call) {
    static const char plain[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-._~%/?=&";
    fuzz_check(call->changes == (strcmp(call->method, "GET") != 0));
    fuzz_check(call->path[strspn(call->path, plain)] == '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct source_drill self = {
        .drill = {.input = {data, size}, .steps_max = 40, .check_call = check_call},
        .restoration.progress = {.known = true, .last_n_f_cnt_down = 7},
    };
    source_drill_begin(&self, "awsiot");
    unsigned flags = input_byte(&self.drill.input);
    drill_set(self.options, "region", "eu-west-1");
    drill_set(self.options, "access-key-id", "AKIAMADEUP");
    drill_set(self.options, "secret-access-key", "made+up/key");
    drill_set(self.options, "frequency-plan-id", "EU_863_870");
    drill_set(self.options, "release", flags & INPUT_DELETE ? "delete" : "none");
    if (flags & INPUT_VERSION) drill_set(self.options, "mac-version", "1.0.3");
    source_drill_open(&self, &(struct source_setup){0});
    self.application = flags & INPUT_ALL ? "-all" : "Meters";
    bool prepared = source_drill_prepare(&self);
    self.drill.again = flags & INPUT_AGAIN;
    if (prepared && flags & INPUT_LIST) {
        source_drill_list(&self);
    } else if (prepared) {
        source_drill_device(&self, "0025CA0A00000001");
    }
    source_drill_close(&self);
    return 0;
}
