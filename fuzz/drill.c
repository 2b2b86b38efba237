// SPDX-License-Identifier: Apache-2.0
#include "drill.h"

#include <string.h>

// ---- the input

unsigned input_byte(struct input *input) {
    if (input->size == 0) return 0;
    input->size--;
    return *input->data++;
}

const void *input_take(struct input *input, size_t *size) {
    if (*size > input->size) *size = input->size;
    const void *data = input->data;
    input->data += *size;
    input->size -= *size;
    return data;
}

char *input_text(struct input *input) {
    size_t size = input_byte(input);
    const char *text = input_take(input, &size);
    return memory_strndup(text, size);
}

void input_status(struct input *input, struct reply *reply) {
    unsigned kind = input_byte(input);
    reply->outcome = kind < 128 ? REPLY_ANSWERED : (enum reply_outcome)(kind % (REPLY_DRY + 1));
    reply->http_status = kind == 0 ? 200 : 400 + (int)kind;
    reply->grpc_status = (enum grpc_status)(kind % 17);
}

const void *input_body(struct input *input, struct reply *reply) {
    size_t size = (size_t)input_byte(input) << 8;
    size |= input_byte(input);
    const void *body = input_take(input, &size);
    buffer_init(&reply->body, CALL_REPLY_LIMIT);
    buffer_add(&reply->body, body, size);
    return body;
}

static void take_plain_reply(struct input *input, struct reply *reply) {
    input_status(input, reply);
    input_body(input, reply);
}

// ---- what is the same in each run

static int64_t fixed_time(void *context) {
    (void)context;
    return 1800000000 * NS_PER_SECOND;
}

static void fixed_bytes(void *context, void *data, size_t size) {
    (void)context;
    memset(data, 7, size);
}

const struct clock drill_clock = {.monotonic = fixed_time, .wall = fixed_time};
const struct random drill_random = {.fill = fixed_bytes};

// ---- jobs

static void forget_replies(struct job *job) {
    for (size_t i = 0; i < JOB_CALLS_MAX; i++) reply_release(&job->replies[i]);
}

static void answer(struct drill *drill) {
    struct job *job = &drill->job;
    for (size_t i = 0; i < job->call_count; i++) {
        if (drill->check_call != NULL) drill->check_call(&job->calls[i]);
        (drill->take_reply != NULL ? drill->take_reply : take_plain_reply)(&drill->input, &job->replies[i]);
    }
}

enum job_step drill_run(struct drill *drill, drill_operation *operation, void *context) {
    struct job *job = &drill->job;
    forget_replies(job);
    error_release(&drill->error);
    *job = (struct job){.arena = &drill->arena, .again = drill->again};
    while (drill->steps++ < drill->steps_max) {
        job->call_count = 0;
        enum job_step step = operation(context, job, &drill->error);
        forget_replies(job);
        fuzz_check((step == JOB_FAILED) == error_is_set(&drill->error));
        if (step != JOB_CALLS) return step;
        fuzz_check(job->call_count > 0 && job->call_count <= JOB_CALLS_MAX);
        if (drill->input.size == 0) break;
        answer(drill);
    }
    error_release(&drill->error);
    return JOB_CALLS;
}

void drill_release(struct drill *drill) {
    forget_replies(&drill->job);
    arena_release(&drill->arena);
    error_release(&drill->error);
}

void drill_set(struct option_values *values, const char *name, const char *value) {
    const struct option_spec *spec = option_find(option_table(values), name, strlen(name));
    fuzz_check(spec && option_set(values, spec, name, value, NULL) == 0);
}
