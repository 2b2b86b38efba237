// SPDX-License-Identifier: Apache-2.0
// What targets share that put a driver before a server which answers anything: the input as a row of values and replies,
// and a job that is run as the engine does it.
#ifndef FUZZ_DRILL_H
#define FUZZ_DRILL_H

#include <stdbool.h>

#include "base/clock.h"
#include "base/option.h"
#include "fuzz.h"
#include "net/job.h"

// What is left of the input; borrowed.
struct input {
    const uint8_t *data;
    size_t size;
};

// The next byte; 0 at the end.
unsigned input_byte(struct input *input);

// The next `*size` bytes, or as many as there are; borrowed.
const void *input_take(struct input *input, size_t *size);

// A byte of size and a text; the caller frees it.
char *input_text(struct input *input);

// A byte of outcome and status (0 = a good answer), for HTTP and gRPC.
void input_status(struct input *input, struct reply *reply);

// Two bytes of size and that many of the body; borrowed, as they stand in the input.
const void *input_body(struct input *input, struct reply *reply);

// A time, and bytes, that are the same in each run.
extern const struct clock drill_clock;
extern const struct random drill_random;

// A job, and where its replies come from.
struct drill {
    struct input input;
    unsigned steps_max;  // of all operations together
    bool again;
    void (*take_reply)(struct input *input, struct reply *reply);  // NULL: status and body
    void (*check_call)(const struct call *call);                   // a promise of each call; NULL = none
    unsigned steps;
    struct arena arena;
    struct job job;
    struct error error;
};

// A step of what is drilled, as the driver's own operations: reads context, describes calls.
typedef enum job_step drill_operation(void *context, struct job *job, struct error *error);

// Runs an operation to its end or that of the input; then its replies stay until the next one. JOB_CALLS: it has not ended.
enum job_step drill_run(struct drill *drill, drill_operation *operation, void *context);

// Releases all but the input.
void drill_release(struct drill *drill);

// Sets an option that has to be there.
void drill_set(struct option_values *values, const char *name, const char *value);

#endif
