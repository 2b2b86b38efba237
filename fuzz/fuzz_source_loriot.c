// SPDX-License-Identifier: Apache-2.0
// Source loriot with a server that answers anything. The input's first byte chooses the operation and the options; then
// follow the replies: a byte of outcome and status, two bytes of size and that many of the body.
#include <string.h>

#include "source_drill.h"

enum input_flags {
    INPUT_LIST = 1,
    INPUT_DELETE = 2,
    INPUT_AGAIN = 4,
    INPUT_ALL = 8,
    INPUT_VERSION = 16,
    INPUT_GATEWAYS = 32,
};

// Nothing that an answer holds gets into a path but hexadecimal digits.
static void check_call(const struct call *call) {
    static const char plain[] = "0123456789ABCDEFabcdefghijklmnopqrstuvwxyzOT/?=&P";
    fuzz_check(call->changes == (strcmp(call->method, "GET") != 0));
    fuzz_check(call->path[strspn(call->path, plain)] == '\0');
}

static enum job_step prepare_gateways(void *context, struct job *job, struct error *error) {
    struct source_drill *self = context;
    return self->driver->prepare_gateways(self->source, job, error);
}

static enum job_step list_gateways(void *context, struct job *job, struct error *error) {
    struct source_drill *self = context;
    return self->driver->list_gateways(self->source, job, &self->page, error);
}

static enum job_step read_gateway(void *context, struct job *job, struct error *error) {
    struct source_drill *self = context;
    return self->driver->read_gateway(self->source, job, self->record, error);
}

static void drill_gateways(struct source_drill *self) {
    if (source_drill_run(self, prepare_gateways) != JOB_DONE) return;
    do {
        if (source_drill_run(self, list_gateways) != JOB_DONE) return;
    } while (self->page.cursor != NULL);
    for (size_t i = 0; i < self->page.count; i++)
        source_drill_convert_gateway(self->driver, self->source, &self->page.records[i]);
    self->record = source_page_add(&self->page);
    self->record->id = memory_strdup("AABBCCFFFF000001");
    if (source_drill_run(self, read_gateway) == JOB_DONE)
        source_drill_convert_gateway(self->driver, self->source, self->record);
}

static void drill_devices(struct source_drill *self, unsigned flags) {
    self->application = flags & INPUT_ALL ? "-all" : "Meters";
    bool prepared = source_drill_prepare(self);
    self->drill.again = flags & INPUT_AGAIN;
    if (prepared && flags & INPUT_LIST) {
        source_drill_list(self);
    } else if (prepared) {
        source_drill_device(self, "70B3D57ED0000001");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct source_drill self = {
        .drill = {.input = {data, size}, .steps_max = 40, .check_call = check_call},
        .restoration.progress = {.known = true, .last_n_f_cnt_down = 7},
    };
    source_drill_begin(&self, "loriot");
    unsigned flags = input_byte(&self.drill.input);
    drill_set(self.options, "api-url", "loriot.example");
    drill_set(self.options, "api-key", "made-up");
    drill_set(self.options, "frequency-plan-id", "EU_863_870");
    drill_set(self.options, "release", flags & INPUT_DELETE ? "delete" : "none");
    if (flags & INPUT_VERSION) drill_set(self.options, "mac-version", "1.0.3");
    source_drill_open(&self, &(struct source_setup){0});
    if (flags & INPUT_GATEWAYS) {
        drill_gateways(&self);
    } else {
        drill_devices(&self, flags);
    }
    source_drill_close(&self);
    return 0;
}
