// SPDX-License-Identifier: Apache-2.0
// Source tts with servers that answer anything. The input's first byte chooses the operation and the options, then
// follows the device's ID, then the replies: a byte of outcome and status, a byte of size and that many of a text (a
// header's value, the message of an error), two bytes of size and that many of the body.
#include <string.h>

#include "device/clean.h"
#include "device/json_write.h"
#include "device/validate.h"
#include "fuzz.h"
#include "source/registry.h"

enum { STEPS_MAX = 64 };

enum input_flags {
    INPUT_OPERATION = 1,
    INPUT_RELEASE = 6,
    INPUT_NO_SESSION = 8,
    INPUT_AGAIN = 16,
    INPUT_EUI_AS_ID = 32,
    INPUT_PROGRESS = 64,
    INPUT_REJOINED = 128,
};

struct input {
    const uint8_t *data;
    size_t size;
};

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
    reply->http_status = 200;
    reply->grpc_status = (enum grpc_status)(kind % 17);
    reply->message = take_text(input);
    size_t size = (size_t)take_byte(input) << 8;
    size |= take_byte(input);
    const char *body = take(input, &size);
    buffer_init(&reply->body, CALL_REPLY_LIMIT);
    buffer_add(&reply->body, body, size);
    reply_add_header(reply, "x-total-count", 13, reply->message, strlen(reply->message));
    // Details are longer than a text: where there is an error, the body has them.
    if (reply->grpc_status != GRPC_OK) reply_add_header(reply, "grpc-status-details-bin", 23, body, size);
}

struct drill {
    const struct source_driver *driver;
    struct source *source;
    struct input input;
    char *id;
    unsigned steps;
    bool again;
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
    return drill->driver->prepare(drill->source, &drill->job, "test-app", &drill->error);
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
    if (run(drill, read_record) != JOB_DONE) return;
    fuzz_check(drill->record->complete);
    convert(drill);
    if (run(drill, release) == JOB_DONE && run(drill, confirm) == JOB_DONE) run(drill, restore);
}

static void set(struct option_values *values, const char *name, const char *value) {
    const struct option_spec *spec = option_find(option_table(values), name, strlen(name));
    fuzz_check(spec && option_set(values, spec, name, value, NULL) == 0);
}

static struct option_values *make_options(const struct source_driver *driver, unsigned flags) {
    static const char *const releases[] = {"silence", "keys", "delete", "none"};
    struct option_values *values = option_values_new(driver->options);
    set(values, "app-id", "test-app");
    set(values, "app-api-key", "NNSXS.MADEUP");
    set(values, "default-grpc-address", "stack.example");
    set(values, "no-session", flags & INPUT_NO_SESSION ? "true" : "false");
    set(values, "release", releases[(flags & INPUT_RELEASE) / 2]);
    return values;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct drill drill = {.input = {data, size}, .driver = source_find(source_drivers(), "tts", 3)};
    unsigned flags = take_byte(&drill.input);
    drill.id = take_text(&drill.input);
    drill.again = flags & INPUT_AGAIN;
    drill.restoration.progress = (struct device_progress){
        .known = flags & INPUT_PROGRESS, .rejoined = flags & INPUT_REJOINED, .last_n_f_cnt_down = 1000};
    struct option_values *options = make_options(drill.driver, flags);
    struct device_naming naming = {.eui_as_id = flags & INPUT_EUI_AS_ID};
    struct source_setup setup = {
        .options = options, .plans = frequency_plans_builtin(), .naming = &naming, .dry_run = true};
    fuzz_check(drill.driver->open(&setup, &drill.source, NULL) == 0);
    if (run(&drill, prepare) == JOB_DONE) {
        if (flags & INPUT_OPERATION) {
            drill_device(&drill);
        } else {
            drill_list(&drill);
        }
    }
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
