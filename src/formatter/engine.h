// SPDX-License-Identifier: Apache-2.0
// An ECMAScript 5.1 engine for scripts that nobody vouches for. They run in a process of their own, which has neither
// time, memory nor files beyond what is given here: an endless loop or a full heap ends there, and is told.
#ifndef FORMATTER_ENGINE_H
#define FORMATTER_ENGINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"

// Calls within calls, the first included: as both networks set it.
enum { ENGINE_DEPTH = 32 };

struct engine_limits {
    unsigned milliseconds;  // processor time for each start of an engine
    size_t memory;          // bytes of an engine's heap
};

// What both networks give a function, and memory that no sensible one needs.
#define ENGINE_LIMITS ((struct engine_limits){.milliseconds = 100, .memory = (size_t)32 << 20})

enum engine_outcome {
    ENGINE_DONE,    // the job's reply is there
    ENGINE_TIME,    // it ran too long
    ENGINE_MEMORY,  // it wanted too much memory
    ENGINE_SIZE,    // its result is too large
    ENGINE_BROKEN,  // the engine itself ended
};

enum { ENGINE_REPLY_MAX = 1 << 20 };  // bytes of a reply

struct engine_run;

// What is done in the other process: starts engines (formatter/engine_p.h) and adds its answer to `reply`.
typedef void engine_job(struct engine_run *run, const void *context, struct buffer *reply);

// Runs the job and waits for it. *ret_outcome says how it ended; the reply is only added with ENGINE_DONE. ERROR_SYSTEM
// if there is no process to be had.
int engine_run(engine_job *job, const void *context, const struct engine_limits *limits, struct buffer *reply,
               enum engine_outcome *ret_outcome, struct error *error);

#endif
