// SPDX-License-Identifier: Apache-2.0
// Putting devices back at their source: each that is marked RESTORING.
#include <stdlib.h>

#include "base/memory.h"
#include "migrate/run_p.h"

struct restoration {
    struct restorations *all;      // borrowed
    struct journal_device device;  // owned
    struct source_restoration restoration;
    struct task task;
};

struct restorations {
    struct run *run;
    struct restoration *slots;  // owned; `limit` of them
    size_t limit;
    int64_t last;
    bool exhausted;
    bool stopping;
    struct error error;  // the first one; halts unless the run keeps going
};

static enum job_step restore_job(void *context, struct job *job, struct error *error) {
    struct restoration *restoration = context;
    const struct run_setup *setup = &restoration->all->run->setup;
    return setup->driver->restore(setup->source, job, &restoration->device.record, &restoration->restoration,
                                  error);
}

static void restore_failed(struct restoration *restoration, struct error *error) {
    struct restorations *all = restoration->all;
    struct run *run = all->run;
    run->numbers.failed++;
    char *reason MEMORY_AUTO = error_chain(error);
    ERROR_AUTO journal_error = {0};
    if (journal_set_reason(run->journal, restoration->device.sequence, DEVICE_RESTORING, reason,
                           &journal_error) != 0) {
        error_move(&all->error, &journal_error);
        all->stopping = true;
    }
    if (run->setup.keep_going) {
        run_tell(run, LOG_ERROR, restoration->device.record.id, "is not put back", error);
        return;
    }
    all->stopping = true;
    if (error_is_set(&all->error)) return;
    error_move(&all->error, error);
    error_wrap(&all->error, ERROR_NONE, "device %s", restoration->device.record.id);
}

static void restore_finished(void *context, struct task *task, enum job_step step, struct error *error) {
    (void)task;
    struct restoration *restoration = context;
    struct run *run = restoration->all->run;
    run->numbers.done++;
    run->uncommitted = true;
    if (step == JOB_LOGIN) error_set(error, ERROR_DENIED, "the credentials have run out");
    if (step != JOB_DONE) {
        restore_failed(restoration, error);
        return;
    }
    run->numbers.restored++;
    const char *remark = restoration->restoration.remark;
    if (remark != NULL) {
        run->numbers.imperfect++;
        run_tell(run, LOG_WARN, restoration->device.record.id, remark, NULL);
    }
    ERROR_AUTO journal_error = {0};
    int64_t sequence = restoration->device.sequence;
    int kept = remark == NULL
                   ? journal_set_state(run->journal, sequence, DEVICE_RESTORED, &journal_error)
                   : journal_set_reason(run->journal, sequence, DEVICE_RESTORED, remark, &journal_error);
    if (kept != 0) {
        error_move(&restoration->all->error, &journal_error);
        restoration->all->stopping = true;
    }
}

// Starts the next one in a free slot. Returns 1, 0 if none is left, or an error.
static int restore_start(struct restorations *all, struct restoration *slot, struct error *error) {
    task_release(&slot->task);
    journal_device_release(&slot->device);
    *slot = (struct restoration){.all = all};
    int found = journal_next(all->run->journal, all->last, DEVICE_RESTORING, DEVICE_RESTORING, JOURNAL_ANY,
                             &slot->device, error);
    all->exhausted = found != 1;
    if (found != 1) return found;
    all->last = slot->device.sequence;
    task_set_again(&slot->task, true);
    task_start(&slot->task, all->run->dispatch, PRIORITY_RELEASE, restore_job, restore_finished, slot);
    return 1;
}

static int restore_fill(struct restorations *all, size_t *ret_running, struct error *error) {
    *ret_running = 0;
    for (size_t i = 0; i < all->limit; i++) {
        struct restoration *slot = &all->slots[i];
        while (!slot->task.running && !all->exhausted && !all->stopping) {
            int result = restore_start(all, slot, error);
            if (result < 0) return result;
        }
        if (slot->task.running) *ret_running += 1;
    }
    return 0;
}

int run_restore(struct run *run, struct error *error) {
    struct restorations all = {.run = run, .limit = run->setup.concurrency};
    all.slots = memory_new_array(struct restoration, all.limit);
    run->numbers.phase = NULL;
    run->numbers.total_known = true;
    int result = 0;
    size_t running = 0;
    do {
        result = restore_fill(&all, &running, error);
        if (result == 0 && running > 0) result = run_turn(run, false, error);
        if (result == 0 && !run->setup.dry_run) result = run_commit(run, error);
        // What is under way comes to its end, unless the user cannot wait.
        if (run->interrupts > 0) all.stopping = true;
    } while (result == 0 && running > 0 && run->interrupts < 2);
    for (size_t i = 0; i < all.limit; i++) {
        task_release(&all.slots[i].task);
        journal_device_release(&all.slots[i].device);
    }
    free(all.slots);
    if (result == 0 && !run->setup.dry_run) result = run_commit(run, error);
    if (result == 0 && error_is_set(&all.error)) {
        error_move(error, &all.error);
        result = -(int)error->code;
    }
    if (result == 0 && run->interrupts > 0) result = error_set(error, ERROR_CANCELLED, "interrupted");
    error_release(&all.error);
    return result;
}
