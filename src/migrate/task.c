// SPDX-License-Identifier: Apache-2.0
#include "migrate/task.h"

static void task_advance(struct task *task);

static void task_forget_replies(struct task *task) {
    for (size_t i = 0; i < JOB_CALLS_MAX; i++) reply_release(&task->job.replies[i]);
    task->job.call_count = 0;
}

static void task_clear(struct task *task) {
    task_forget_replies(task);
    arena_release(&task->arena);
    task->job = (struct job){.arena = &task->arena, .again = task->again};
}

static void task_reply(void *context, struct reply *reply) {
    struct task_slot *slot = context;
    struct task *task = slot->task;
    task->calls[slot->index] = NULL;
    task->job.replies[slot->index] = *reply;
    *reply = (struct reply){0};
    task->pending--;
    if (task->pending == 0) task_advance(task);
}

static void task_make_calls(struct task *task) {
    task->pending = task->job.call_count;
    for (size_t i = 0; i < task->job.call_count; i++) {
        task->job.calls[i].side = task->side;
        task->slots[i] = (struct task_slot){.task = task, .index = i};
        task->calls[i] =
            dispatch_add(task->dispatch, &task->job.calls[i], task->priority, task_reply, &task->slots[i]);
    }
}

static void task_advance(struct task *task) {
    struct job *job = &task->job;
    job->call_count = 0;
    ERROR_AUTO error = {0};
    enum job_step step = task->function(task->context, job, &error);
    // The replies of the step before have been read; those of this step come to the same places.
    size_t calls = job->call_count;
    task_forget_replies(task);
    job->call_count = calls;
    if (step == JOB_CALLS) {
        task_make_calls(task);
        return;
    }
    task->running = false;
    task->finished(task->context, task, step, &error);
}

void task_start(struct task *task, struct dispatch *dispatch, unsigned side, int priority,
                task_function *function, task_finished *finished, void *context) {
    task_clear(task);
    task->dispatch = dispatch;
    task->side = side;
    task->priority = priority;
    task->function = function;
    task->finished = finished;
    task->context = context;
    task->running = true;
    task_advance(task);
}

void task_set_again(struct task *task, bool again) {
    task->again = again;
}

void task_cancel(struct task *task) {
    if (!task->running) return;
    for (size_t i = 0; i < JOB_CALLS_MAX; i++) {
        if (task->calls[i] != NULL) dispatch_cancel(task->dispatch, task->calls[i]);
        task->calls[i] = NULL;
    }
    task->pending = 0;
    task->running = false;
}

void task_release(struct task *task) {
    task_cancel(task);
    task_clear(task);
}
