// SPDX-License-Identifier: Apache-2.0
// Source chirpstack with a server that answers anything. The input's first byte chooses the operation and the options;
// then follow a byte of size and the ID, and the replies: a byte of outcome and status, two bytes of size and that many
// of the body.
#include <string.h>

#include "device/json_write.h"
#include "device/validate.h"
#include "fuzz.h"
#include "source/registry.h"

enum { STEPS_MAX = 64 };

enum input_flags {
    INPUT_OPERATION = 3,  // 0 = list by name, 1 = list of all, 2 and 3 = a device
    INPUT_NO_SESSION = 4,
    INPUT_NO_PLAN = 8,
    INPUT_DELETE = 16,
    INPUT_AGAIN = 32,
    INPUT_V3 = 64,
    INPUT_AUTO = 128,  // only with lists: the program always finds out first
};

struct input {
    const uint8_t *data;
    size_t size;
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

static unsigned take_byte(struct input *input) {
    if (input->size == 0) return 0;
    input->size--;
    return *input->data++;
}

static const void *take(struct input *input, size_t *size) {
    if (*size > input->size) *size = input->size;
    const void *data = input->data;
    input->data += *size;
    input->size -= *size;
    return data;
}

static char *take_text(struct input *input) {
    size_t size = take_byte(input);
    const char *text = take(input, &size);
    return memory_strndup(text, size);
}

static void take_reply(struct input *input, struct reply *reply) {
    unsigned kind = take_byte(input);
    reply->outcome = kind < 128 ? REPLY_ANSWERED : (enum reply_outcome)(kind % (REPLY_DRY + 1));
    reply->http_status = kind == 0 ? 200 : 400 + (int)kind;
    reply->grpc_status = (enum grpc_status)(kind % 17);
    size_t size = (size_t)take_byte(input) << 8;
    size |= take_byte(input);
    const void *body = take(input, &size);
    buffer_init(&reply->body, CALL_REPLY_LIMIT);
    buffer_add(&reply->body, body, size);
}

struct drill {
    const struct source_driver *driver;
    struct source *source;
    struct input input;
    char *id;
    bool again;
    unsigned steps;
    struct arena arena;
    struct job job;
    struct source_page page;
    struct source_record *record;
    struct device device;
    struct source_confirmation confirmation;
    struct source_restoration restoration;
    struct error error;
};

typedef enum job_step drill_operation(struct drill *drill);

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
        if (drill->input.size == 0) break;
        for (size_t i = 0; i < job->call_count; i++) take_reply(&drill->input, &job->replies[i]);
    }
    error_release(&drill->error);
    return JOB_CALLS;
}

static enum job_step prepare(struct drill *drill) {
    return drill->driver->prepare(drill->source, &drill->job, drill->id, &drill->error);
}

static enum job_step list(struct drill *drill) {
    return drill->driver->list(drill->source, &drill->job, &drill->page, &drill->error);
}

static enum job_step read_record(struct drill *drill) {
    return drill->driver->read(drill->source, &drill->job, drill->record, &drill->error);
}

static enum job_step release(struct drill *drill) {
    return drill->driver->release(drill->source, &drill->job, drill->record, &drill->device, &drill->error);
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
    device_release(&drill->device);
    device_init(&drill->device);
    struct error *error = &drill->error;
    int result = drill->driver->convert(drill->source, drill->record, &drill->device, error);
    fuzz_check((result == 0) != error_is_set(error));
    if (result == 0) result = device_validate(&drill->device, frequency_plans_builtin(), error);
    error_release(error);
    if (result != 0) return false;
    BUFFER_AUTO json;
    buffer_init(&json, BUFFER_UNLIMITED);
    message_json_write(&drill->device.end_device->base, &json);
    return true;
}

static void drill_list(struct drill *drill) {
    do {
        if (run(drill, list) != JOB_DONE) return;
    } while (drill->page.cursor && drill->input.size > 0);
}

static void drill_device(struct drill *drill) {
    drill->record = source_page_add(&drill->page);
    drill->record->id = memory_strdup(drill->id);
    if (run(drill, read_record) != JOB_DONE || !drill->record->complete) return;
    convert(drill);
    if (run(drill, release) == JOB_DONE) run(drill, confirm);
    run(drill, restore);
}

static void set(struct option_values *values, const char *name, const char *value) {
    const struct option_spec *spec = option_find(option_table(values), name, strlen(name));
    fuzz_check(spec && option_set(values, spec, name, value, NULL) == 0);
}

static struct option_values *make_options(const struct source_driver *driver, unsigned flags) {
    struct option_values *values = option_values_new(driver->options);
    set(values, "api-url", "cs.example:8080");
    set(values, "api-key", "made-up");
    set(values, "export-session", flags & INPUT_NO_SESSION ? "false" : "true");
    set(values, "export-vars", "true");
    set(values, "release", flags & INPUT_DELETE ? "delete" : "disable");
    const char *version = flags & INPUT_V3 ? "3" : "4";
    set(values, "api-version", flags & INPUT_AUTO && (flags & INPUT_OPERATION) < 2 ? "auto" : version);
    if (!(flags & INPUT_NO_PLAN)) set(values, "frequency-plan-id", "EU_863_870,US_902_928_FSB_2");
    return values;
}

static void drill_source(struct drill *drill, unsigned flags) {
    switch (flags & INPUT_OPERATION) {
        case 0:
            if (run(drill, prepare) == JOB_DONE) drill_list(drill);
            break;
        case 1:
            free(drill->id);
            drill->id = memory_strdup("*");
            if (run(drill, prepare) == JOB_DONE) drill_list(drill);
            break;
        default:
            drill_device(drill);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct drill drill = {.input = {data, size}, .driver = source_find(source_drivers(), "chirpstack", 10)};
    unsigned flags = take_byte(&drill.input);
    drill.id = take_text(&drill.input);
    drill.again = flags & INPUT_AGAIN;
    struct option_values *options = make_options(drill.driver, flags);
    struct device_naming naming = {0};
    struct source_setup setup = {
        .options = options,
        .plans = frequency_plans_builtin(),
        .naming = &naming,
        .clock = &fixed_clock,
        .random = &fixed_random,
    };
    fuzz_check(drill.driver->open(&setup, &drill.source, NULL) == 0);
    drill_source(&drill, flags);
    forget_replies(&drill.job);
    arena_release(&drill.arena);
    device_release(&drill.device);
    source_page_release(&drill.page);
    error_release(&drill.error);
    free(drill.id);
    drill.driver->close(drill.source);
    option_values_free(options);
    return 0;
}
