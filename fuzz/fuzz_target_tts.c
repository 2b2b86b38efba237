// SPDX-License-Identifier: Apache-2.0
// Target tts with servers that answer anything. The input's first byte chooses the operation, the second says how many
// bytes of device JSON follow (times 16); then follow the replies: a byte of outcome and status, a byte of size and that
// many of a text (an error's message) and, times four, of ErrorDetails, two bytes of size and that many of the body.
#include <string.h>

#include "base/base64.h"
#include "device/clean.h"
#include "device/error_details.h"
#include "device/json_read.h"
#include "device/validate.h"
#include "fuzz.h"
#include "target/target.h"

enum { STEPS_MAX = 64 };

enum input_flags {
    INPUT_OPERATION = 7,
    INPUT_AGAIN = 8,
    INPUT_CREATE_APPLICATION = 16,
    INPUT_BEFORE = 32,
};

struct input {
    const uint8_t *data;
    size_t size;
};

static int64_t fixed_time(void *context) {
    (void)context;
    return 1800000000 * NS_PER_SECOND;
}

static const struct clock fixed_clock = {.monotonic = fixed_time, .wall = fixed_time};

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

static void take_details(struct input *input, struct reply *reply) {
    size_t size = take_byte(input) * 4;
    const void *data = take(input, &size);
    char *text = memory_alloc(BASE64_TEXT_SIZE(size), 1);
    base64_encode(text, data, size);
    reply_add_header(reply, ERROR_DETAILS_TRAILER, strlen(ERROR_DETAILS_TRAILER), text, strlen(text));
    free(text);
}

static void take_reply(struct input *input, struct reply *reply) {
    unsigned kind = take_byte(input);
    reply->outcome = kind < 128 ? REPLY_ANSWERED : (enum reply_outcome)(kind % (REPLY_DRY + 1));
    reply->http_status = 200;
    reply->grpc_status = (enum grpc_status)(kind % 17);
    size_t size = take_byte(input);
    const char *text = take(input, &size);
    reply->message = memory_strndup(text, size);
    take_details(input, reply);
    size = (size_t)take_byte(input) << 8;
    size |= take_byte(input);
    const void *body = take(input, &size);
    buffer_init(&reply->body, CALL_REPLY_LIMIT);
    buffer_add(&reply->body, body, size);
}

struct drill {
    const struct target_driver *driver;
    struct target *target;
    struct input input;
    unsigned flags;
    unsigned steps;
    struct arena arena;
    struct job job;
    struct device device;
    struct target_look look;
    struct target_verdict verdict;
    struct device_progress progress;
    struct error error;
};

typedef enum job_step drill_operation(struct drill *drill);

static void forget_replies(struct job *job) {
    for (size_t i = 0; i < JOB_CALLS_MAX; i++) reply_release(&job->replies[i]);
}

// Runs an operation as the engine does, to its end or that of the input.
static enum job_step run(struct drill *drill, drill_operation *operation) {
    forget_replies(&drill->job);
    error_release(&drill->error);
    drill->job = (struct job){.arena = &drill->arena, .again = drill->flags & INPUT_AGAIN};
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
    return drill->driver->prepare(drill->target, &drill->job, "test-app", &drill->error);
}

static enum job_step look(struct drill *drill) {
    return drill->driver->look(drill->target, &drill->job, &drill->device, &drill->look, &drill->error);
}

static enum job_step reserve(struct drill *drill) {
    return drill->driver->reserve(drill->target, &drill->job, &drill->device, &drill->error);
}

static enum job_step import(struct drill *drill) {
    return drill->driver->import(drill->target, &drill->job, &drill->device, &drill->error);
}

static enum job_step verify(struct drill *drill) {
    return drill->driver->verify(drill->target, &drill->job, &drill->device, &drill->verdict, &drill->error);
}

static enum job_step recall(struct drill *drill) {
    return drill->driver->recall(drill->target, &drill->job, &drill->device, &drill->progress, &drill->error);
}

static enum job_step remove_device(struct drill *drill) {
    bool with_before = drill->flags & INPUT_BEFORE;
    return drill->driver->remove(drill->target, &drill->job, &drill->device,
                                 with_before ? drill->look.before : NULL, drill->look.before_size,
                                 &drill->error);
}

// Reads and adapts the input's device; false if it is none that would come to the target.
static bool take_device(struct drill *drill, const char *text, size_t size) {
    device_init(&drill->device);
    struct error *error = &drill->error;
    Tts__EndDevice *end_device =
        message_json_read(&tts__end_device__descriptor, text, size, 1, &drill->device.arena, NULL, error);
    bool good = end_device != NULL;
    if (good) drill->device.end_device = end_device;
    good = good && device_clean(&drill->device, error) == 0;
    good = good && drill->driver->adapt(drill->target, &drill->device, error) == 0;
    good = good && device_validate(&drill->device, frequency_plans_builtin(), error) == 0;
    fuzz_check(good != error_is_set(error));
    error_release(error);
    return good;
}

static void drill_device(struct drill *drill) {
    static drill_operation *const operations[INPUT_OPERATION + 1] = {look,   reserve,       import, verify,
                                                                     recall, remove_device, look,   reserve};
    unsigned operation = drill->flags & INPUT_OPERATION;
    if (run(drill, operations[operation]) != JOB_DONE) return;
    if (operation == 6) run(drill, remove_device);
    if (operation == 7 && run(drill, import) == JOB_DONE) run(drill, verify);
}

static void set(struct option_values *values, const char *name, const char *value) {
    const struct option_spec *spec = option_find(option_table(values), name, strlen(name));
    fuzz_check(spec && option_set(values, spec, name, value, NULL) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct drill drill = {.input = {data, size}, .driver = target_find("tts")};
    drill.flags = take_byte(&drill.input);
    size_t json_size = take_byte(&drill.input) * 16;
    const char *json = take(&drill.input, &json_size);
    struct option_values *options = option_values_new(drill.driver->options);
    set(options, "app-api-key", "NNSXS.MADE.UP");
    set(options, "default-grpc-address", "tts.example");
    struct target_setup setup = {
        .options = options,
        .plans = frequency_plans_builtin(),
        .clock = &fixed_clock,
        .create_application = drill.flags & INPUT_CREATE_APPLICATION,
    };
    fuzz_check(drill.driver->open(&setup, &drill.target, NULL) == 0);
    if (run(&drill, prepare) == JOB_DONE && take_device(&drill, json, json_size)) drill_device(&drill);
    forget_replies(&drill.job);
    arena_release(&drill.arena);
    device_release(&drill.device);
    error_release(&drill.error);
    drill.driver->close(drill.target);
    option_values_free(options);
    return 0;
}
