// SPDX-License-Identifier: Apache-2.0
// Source chirpstack with a server that answers anything. The input's first byte chooses the operation and the options;
// then follow a byte of size and the ID, and the replies: a byte of outcome and status, two bytes of size and that many
// of the body.
#include "source_drill.h"

enum input_flags {
    INPUT_OPERATION = 3,  // 0 = list by name, 1 = list of all, 2 and 3 = a device
    INPUT_NO_SESSION = 4,
    INPUT_NO_PLAN = 8,
    INPUT_DELETE = 16,
    INPUT_AGAIN = 32,
    INPUT_V3 = 64,
    INPUT_AUTO = 128,  // only with lists: the program always finds out first
};

static void set_options(struct option_values *values, unsigned flags) {
    drill_set(values, "api-url", "cs.example:8080");
    drill_set(values, "api-key", "made-up");
    drill_set(values, "export-session", flags & INPUT_NO_SESSION ? "false" : "true");
    drill_set(values, "export-vars", "true");
    drill_set(values, "release", flags & INPUT_DELETE ? "delete" : "disable");
    const char *version = flags & INPUT_V3 ? "3" : "4";
    drill_set(values, "api-version", flags & INPUT_AUTO && (flags & INPUT_OPERATION) < 2 ? "auto" : version);
    if (!(flags & INPUT_NO_PLAN)) drill_set(values, "frequency-plan-id", "EU_863_870,US_902_928_FSB_2");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct source_drill self = {.drill = {.input = {data, size}, .steps_max = 64}};
    source_drill_begin(&self, "chirpstack");
    unsigned flags = input_byte(&self.drill.input);
    char *id MEMORY_AUTO = input_text(&self.drill.input);
    self.drill.again = flags & INPUT_AGAIN;
    set_options(self.options, flags);
    source_drill_open(&self, &(struct source_setup){0});
    unsigned operation = flags & INPUT_OPERATION;
    self.application = operation == 1 ? "*" : id;
    if (operation >= 2) {
        source_drill_device(&self, id);
    } else if (source_drill_prepare(&self)) {
        source_drill_list(&self);
    }
    source_drill_close(&self);
    return 0;
}
