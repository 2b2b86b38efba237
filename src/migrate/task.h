// SPDX-License-Identifier: Apache-2.0
// Runs a driver's job: makes the calls that it asks for, all of a step at once, and hands the replies back,
// until it is done.
#ifndef MIGRATE_TASK_H
#define MIGRATE_TASK_H

#include "net/dispatch.h"
#include "net/job.h"

// The driver's function with its own arguments bound: see source.h.
typedef enum job_step task_function(void *context, struct job *job, struct error *error);

struct task;

// Told once, when the job is done or has failed, or wants new credentials (JOB_LOGIN). `error` holds an error
// only with JOB_FAILED; the receiver may take it. The task may be started again from within.
typedef void task_finished(void *context, struct task *task, enum job_step step, struct error *error);

struct task {
    struct job job;
    struct arena arena;  // of the job
    task_function *function;
    task_finished *finished;
    void *context;  // of both
    struct dispatch *dispatch;
    struct dispatch_call *calls[JOB_CALLS_MAX];
    struct task_slot {
        struct task *task;
        size_t index;
    } slots[JOB_CALLS_MAX];
    size_t pending;  // calls under way
    unsigned side;   // of its calls: see struct call
    int priority;    // of its calls: see dispatch_add
    bool running;
    bool again;  // see struct job
};

// Starts a job (stage 0). `task` must stay where it is until it has finished; `finished` may run before
// this returns. What an earlier job left in the task is released.
void task_start(struct task *task, struct dispatch *dispatch, unsigned side, int priority,
                task_function *function, task_finished *finished, void *context);

// Has the next job of the task start with job->again set.
void task_set_again(struct task *task, bool again);

// Forgets the job and its calls; `finished` is not called.
void task_cancel(struct task *task);

// Cancels if it is running, and frees what it holds. Accepts a zeroed task.
void task_release(struct task *task);

#endif
