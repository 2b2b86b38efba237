// SPDX-License-Identifier: Apache-2.0
// Gateways of the sources: the first byte chooses the source and whether the input is a list or one gateway, the rest is
// the server's answer. Whatever it holds, each gateway becomes one that can be written, or an error.
#include "source_drill.h"

#include <string.h>

enum input_flags { INPUT_TTS = 1, INPUT_ONE = 2, INPUT_NO_PLAN = 4, INPUT_CHIRPSTACK = 8, INPUT_V3 = 16 };

static const struct device_naming naming;

static struct option_values *make_options(const struct source_driver *driver, unsigned flags) {
    struct option_values *values = option_values_new(driver->options);
    if (flags & INPUT_CHIRPSTACK) {
        drill_set(values, "api-url", "cs.example:8080");
        drill_set(values, "api-key", "made-up");
        drill_set(values, "api-version", flags & INPUT_V3 ? "3" : "4");
        if ((flags & INPUT_NO_PLAN) == 0) drill_set(values, "frequency-plan-id", "EU_863_870");
    } else if (flags & INPUT_TTS) {
        drill_set(values, "app-api-key", "NNSXS.MADE.UP");
        drill_set(values, "default-grpc-address", "stack.example");
    } else {
        drill_set(values, "account-token", "made-up");
        if ((flags & INPUT_NO_PLAN) == 0) drill_set(values, "frequency-plan-id", "EU_863_870_TTN");
    }
    return values;
}

static enum job_step operate(const struct source_driver *driver, struct source *source, struct job *job,
                             struct source_page *page, struct source_record *one, struct error *error) {
    return one != NULL ? driver->read_gateway(source, job, one, error)
                       : driver->list_gateways(source, job, page, error);
}

static void drill(const struct source_driver *driver, struct source *source, unsigned flags,
                  const uint8_t *data, size_t size) {
    ERROR_AUTO error = {0};
    ARENA_AUTO arena = {0};
    struct job job = {.arena = &arena};
    struct source_page page = {0};
    struct source_record *one = flags & INPUT_ONE ? source_page_add(&page) : NULL;
    if (one != NULL) one->id = memory_strdup(flags & INPUT_CHIRPSTACK ? "00800000a0000101" : "my-gateway");
    fuzz_check(operate(driver, source, &job, &page, one, &error) == JOB_CALLS && job.call_count == 1);
    job.call_count = 0;
    job.replies[0] = (struct reply){.outcome = REPLY_ANSWERED, .http_status = 200, .grpc_status = GRPC_OK};
    buffer_init(&job.replies[0].body, CALL_REPLY_LIMIT);
    buffer_add(&job.replies[0].body, data, size);
    enum job_step step = operate(driver, source, &job, &page, one, &error);
    fuzz_check((step == JOB_FAILED) == error_is_set(&error));
    for (size_t i = 0; step == JOB_DONE && i < page.count; i++)
        source_drill_convert_gateway(driver, source, &page.records[i]);
    reply_release(&job.replies[0]);
    source_page_release(&page);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    const char *name = data[0] & INPUT_CHIRPSTACK ? "chirpstack" : data[0] & INPUT_TTS ? "tts" : "ttnv2";
    const struct source_driver *driver = source_find(source_drivers(), name, strlen(name));
    struct option_values *options = make_options(driver, data[0]);
    struct source *source = NULL;
    const struct source_setup setup = {
        .options = options, .plans = frequency_plans_builtin(), .naming = &naming, .gateways = true};
    fuzz_check(driver->open(&setup, &source, NULL) == 0);
    drill(driver, source, data[0], data + 1, size - 1);
    driver->close(source);
    option_values_free(options);
    return 0;
}
