// SPDX-License-Identifier: Apache-2.0
// Source firefly with a server that answers anything. The input's first byte chooses the operation and the options; then
// follow the replies: a byte of outcome and status, two bytes of size and that many of the body.
#include <string.h>

#include "device/json_write.h"
#include "device/validate.h"
#include "fuzz.h"
#include "source/registry.h"

enum { STEPS_MAX = 32 };

enum input_flags {
    INPUT_LIST = 1,
    INPUT_INVALIDATE = 2,
    INPUT_AGAIN = 4,
    INPUT_V1_1 = 8,
    INPUT_DRY_RUN = 16
};

static int64_t fixed_time(void *context) {
    (void)context;
    return 1700000000 * NS_PER_SECOND;
}

static void fixed_bytes(void *context, void *data, size_t size) {
    (void)context;
    memset(data, 7, size);
}

static const struct clock fixed_clock = {.monotonic = fixed_time, .wall = fixed_time};
static const struct random fixed_random = {.fill = fixed_bytes};
static const struct device_naming naming;

struct drill {
    const struct source_driver *driver;
    struct source *source;
    const uint8_t *data;
    size_t size;
    unsigned steps;
    bool again;
    struct arena arena;
    struct job job;
    struct source_page page;
    struct source_record *record;
    struct source_confirmation confirmation;
    struct source_restoration restoration;
    struct error error;
};

typedef enum job_step drill_operation(struct drill *drill);

static unsigned take_byte(struct drill *drill) {
    if (drill->size == 0) return 0;
    drill->size--;
    return *drill->data++;
}

static void take_reply(struct drill *drill, struct reply *reply) {
    unsigned kind = take_byte(drill);
    reply->outcome = kind < 128 ? REPLY_ANSWERED : (enum reply_outcome)(kind % (REPLY_DRY + 1));
    reply->http_status = kind == 0 ? 200 : 400 + (int)kind;
    size_t size = (size_t)take_byte(drill) << 8;
    size |= take_byte(drill);
    if (size > drill->size) size = drill->size;
    buffer_init(&reply->body, CALL_REPLY_LIMIT);
    buffer_add(&reply->body, drill->data, size);
    drill->data += size;
    drill->size -= size;
}

static void forget_replies(struct job *job) {
    for (size_t i = 0; i < JOB_CALLS_MAX; i++) reply_release(&job->replies[i]);
}

// Runs an operation as the engine does, to its end or that of the input.
static enum job_step run(struct drill *drill, drill_operation *operation) {
    forget_replies(&drill->job);
    arena_release(&drill->arena);
    error_release(&drill->error);
    drill->job = (struct job){.arena = &drill->arena, .again = drill->again};
    while (drill->steps++ < STEPS_MAX) {
        struct job *job = &drill->job;
        job->call_count = 0;
        enum job_step step = operation(drill);
        forget_replies(job);
        fuzz_check((step == JOB_FAILED) == error_is_set(&drill->error));
        if (step != JOB_CALLS) return step;
        fuzz_check(job->call_count > 0 && job->call_count <= JOB_CALLS_MAX);
        for (size_t i = 0; i < job->call_count; i++) {
            fuzz_check(job->calls[i].changes == (strcmp(job->calls[i].method, "PUT") == 0));
            if (drill->size > 0) take_reply(drill, &job->replies[i]);
        }
        if (drill->size == 0 && job->replies[0].body.size == 0) break;
    }
    error_release(&drill->error);
    return JOB_CALLS;
}

static enum job_step list(struct drill *drill) {
    return drill->driver->list(drill->source, &drill->job, &drill->page, &drill->error);
}

static enum job_step read_record(struct drill *drill) {
    return drill->driver->read(drill->source, &drill->job, drill->record, &drill->error);
}

static enum job_step release(struct drill *drill) {
    return drill->driver->release(drill->source, &drill->job, drill->record, NULL, &drill->error);
}

static enum job_step confirm(struct drill *drill) {
    return drill->driver->confirm(drill->source, &drill->job, drill->record, NULL, &drill->confirmation,
                                  &drill->error);
}

static enum job_step restore(struct drill *drill) {
    return drill->driver->restore(drill->source, &drill->job, drill->record, &drill->restoration,
                                  &drill->error);
}

// True if the record became a device that would be written.
static bool convert(struct drill *drill) {
    DEVICE_AUTO device = {0};
    device_init(&device);
    int result = drill->driver->convert(drill->source, drill->record, &device, &drill->error);
    fuzz_check((result != 0) == error_is_set(&drill->error));
    if (result == 0) result = device_validate(&device, frequency_plans_builtin(), &drill->error);
    BUFFER_AUTO json;
    buffer_init(&json, BUFFER_UNLIMITED);
    if (result == 0) message_json_write(&device.end_device->base, &json);
    error_release(&drill->error);
    return result == 0;
}

static void drill_list(struct drill *drill) {
    if (run(drill, list) != JOB_DONE) return;
    for (size_t i = 0; i < drill->page.count; i++) {
        drill->record = &drill->page.records[i];
        convert(drill);
    }
}

static void drill_device(struct drill *drill) {
    drill->record = source_page_add(&drill->page);
    drill->record->id = memory_strdup("0018B20000000001");
    if (run(drill, read_record) != JOB_DONE || !drill->record->complete || !convert(drill)) return;
    if (run(drill, release) == JOB_DONE) run(drill, confirm);
    drill->restoration.progress = (struct device_progress){.known = true, .last_n_f_cnt_down = 7};
    run(drill, restore);
}

static void set(struct option_values *values, const char *name, const char *value) {
    const struct option_spec *spec = option_find(option_table(values), name, strlen(name));
    fuzz_check(spec && option_set(values, spec, name, value, NULL) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct drill drill = {.data = data, .size = size, .driver = source_find(source_drivers(), "firefly", 7)};
    unsigned flags = take_byte(&drill);
    struct option_values *options = option_values_new(drill.driver->options);
    set(options, "host", "firefly.example");
    set(options, "api-key", "made up/key");
    set(options, "app-id", "my-app");
    set(options, "join-eui", "70B3D57ED0000000");
    set(options, "mac-version", flags & INPUT_V1_1 ? "1.1.0b" : "1.0.3");
    set(options, "invalidate-keys", flags & INPUT_INVALIDATE ? "true" : "false");
    set(options, "all", "true");
    const struct source_setup setup = {
        .options = options,
        .plans = frequency_plans_builtin(),
        .naming = &naming,
        .clock = &fixed_clock,
        .random = &fixed_random,
        .dry_run = flags & INPUT_DRY_RUN,
    };
    fuzz_check(drill.driver->open(&setup, &drill.source, NULL) == 0);
    drill.again = flags & INPUT_AGAIN;
    if (flags & INPUT_LIST) {
        drill_list(&drill);
    } else {
        drill_device(&drill);
    }
    forget_replies(&drill.job);
    arena_release(&drill.arena);
    source_page_release(&drill.page);
    error_release(&drill.error);
    drill.driver->close(drill.source);
    option_values_free(options);
    return 0;
}
