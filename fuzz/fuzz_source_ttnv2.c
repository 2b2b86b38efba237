// SPDX-License-Identifier: Apache-2.0
// Source ttnv2 with a server that answers anything. The input's first byte chooses the operation and the
// options; then follow the replies: a byte of outcome and status, a byte of size and that many of a text (a
// header, the message of an error), two bytes of size and that many of the body.
#include <string.h>

#include "device/clean.h"
#include "device/json_write.h"
#include "device/validate.h"
#include "fuzz.h"
#include "source/registry.h"

enum { STEPS_MAX = 32 };

enum input_flags {
    INPUT_OPERATION = 3,
    INPUT_NO_SESSION = 4,
    INPUT_RESETS_TO_PLAN = 8,
    INPUT_DRY_RUN = 16,
    INPUT_EUI_AS_ID = 32,
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

// A byte of size and a text; the caller frees it.
static char *take_text(struct input *input) {
    size_t size = take_byte(input);
    const char *text = take(input, &size);
    return memory_strndup(text, size);
}

// The next reply of the input. The text is a header's value and the message in one.
static void take_reply(struct input *input, struct reply *reply) {
    unsigned kind = take_byte(input);
    reply->outcome = kind < 128 ? REPLY_ANSWERED : (enum reply_outcome)(kind % (REPLY_DRY + 1));
    reply->http_status = kind == 0 ? 200 : 400 + (int)kind;
    reply->grpc_status = (enum grpc_status)(kind % 17);
    reply->message = take_text(input);
    reply->headers = memory_new_array(struct reply_header, 1);
    reply->headers[0].name = memory_printf("total%c%s", '\0', reply->message);
    reply->headers[0].value = reply->headers[0].name + sizeof("total");
    reply->header_count = 1;
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
    unsigned steps;
    struct arena arena;
    struct job job;
    struct source_page page;
    struct source_record *record;
    struct device device;
    struct source_confirmation confirmation;
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
    drill->job = (struct job){.arena = &drill->arena};
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
    return drill->driver->prepare(drill->source, &drill->job, "my-app", &drill->error);
}

static enum job_step list(struct drill *drill) {
    return drill->driver->list(drill->source, &drill->job, &drill->page, &drill->error);
}

static enum job_step formatters(struct drill *drill) {
    struct source_formatters found = {.arena = &drill->arena};
    enum job_step step = drill->driver->formatters(drill->source, &drill->job, &found, &drill->error);
    fuzz_check(step == JOB_DONE || found.formatters == NULL);
    return step;
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

// True if the record became a device that would be written.
static bool convert(struct drill *drill) {
    device_release(&drill->device);
    device_init(&drill->device);
    struct error *error = &drill->error;
    int result = drill->driver->convert(drill->source, drill->record, &drill->device, error);
    fuzz_check((result == 0) != error_is_set(error));
    if (result == 0) result = device_clean(&drill->device, error);
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
    for (size_t i = 0; i < drill->page.count; i++) {
        drill->record = &drill->page.records[i];
        convert(drill);
    }
}

static void drill_device(struct drill *drill) {
    drill->record = source_page_add(&drill->page);
    drill->record->id = memory_strdup(drill->id);
    if (run(drill, read_record) != JOB_DONE || !drill->record->complete || !convert(drill)) return;
    if (run(drill, release) == JOB_DONE) run(drill, confirm);
}

static void set(struct option_values *values, const char *name, const char *value) {
    const struct option_spec *spec = option_find(option_table(values), name, strlen(name));
    fuzz_check(spec && option_set(values, spec, name, value, NULL) == 0);
}

static struct option_values *make_options(const struct source_driver *driver, unsigned flags) {
    struct option_values *values = option_values_new(driver->options);
    set(values, "frequency-plan-id", "EU_863_870_TTN");
    set(values, "app-id", "my-app");
    set(values, "app-access-key", "ttn-account-v2.made-up");
    set(values, "with-session", flags & INPUT_NO_SESSION ? "false" : "true");
    set(values, "resets-to-frequency-plan", flags & INPUT_RESETS_TO_PLAN ? "true" : "false");
    if (flags & INPUT_OPERATION) set(values, "handler-address", "handler.example:1904");
    return values;
}

static void drill_source(struct drill *drill, unsigned flags) {
    if (run(drill, prepare) != JOB_DONE) return;
    switch (flags & INPUT_OPERATION) {
        case 0:
            run(drill, formatters);
            break;
        case 1:
            drill_list(drill);
            break;
        default:
            drill_device(drill);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct drill drill = {.input = {data, size}, .driver = source_find(source_drivers(), "ttnv2", 5)};
    unsigned flags = take_byte(&drill.input);
    drill.id = take_text(&drill.input);
    struct option_values *options = make_options(drill.driver, flags);
    struct device_naming naming = {.eui_as_id = flags & INPUT_EUI_AS_ID};
    struct source_setup setup = {
        .options = options,
        .plans = frequency_plans_builtin(),
        .naming = &naming,
        .clock = &fixed_clock,
        .random = &fixed_random,
        .dry_run = flags & INPUT_DRY_RUN,
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
