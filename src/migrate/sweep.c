// SPDX-License-Identifier: Apache-2.0
#include "migrate/sweep.h"

#include <stdlib.h>

#include "base/memory.h"
#include "device/message.h"

struct sweeping {
    struct sweep *sweep;
    struct sweep_slot *slots;  // owned; `limit` of them
    size_t limit;
    int64_t last;
    bool exhausted;
};

static void slot_release(struct sweep_slot *slot) {
    task_release(&slot->task);
    device_release(&slot->converted);
    journal_device_release(&slot->device);
    free(slot->own);
    *slot = (struct sweep_slot){0};
}

static void slot_finished(void *context, struct task *task, enum job_step step, struct error *error) {
    (void)task;
    struct sweep_slot *slot = context;
    struct sweep *sweep = slot->sweep;
    if (step == JOB_LOGIN && slot->logins++ < LOGINS_MAX) {
        slot->parked = true;
        run_login_want(sweep->run, sweep->side);
        return;
    }
    if (step == JOB_LOGIN)
        error_set(error, ERROR_DENIED, "the server does not accept the credentials that it gave");
    slot->used = false;
    sweep->finished(slot, step == JOB_DONE, error);
}

static void slot_run(struct sweep_slot *slot) {
    const struct sweep *sweep = slot->sweep;
    task_start(&slot->task, sweep->run->dispatch, sweep->side, PRIORITY_CONFIRM, sweep->job, slot_finished,
               slot);
}

static int read_converted(struct sweep_slot *slot, struct error *error) {
    if (!slot->sweep->with_converted || slot->device.converted == NULL) return 0;
    device_init(&slot->converted);
    slot->converted.end_device = message_unpack(&tts__end_device__descriptor, slot->device.converted,
                                                slot->device.converted_size, &slot->converted.arena, error);
    if (slot->converted.end_device != NULL) return 0;
    return error_wrap(error, ERROR_INPUT, "the journal's device %s", slot->device.record.id);
}

// Starts the next one in a free slot. Returns 1, 0 if none is left, or an error.
static int slot_start(struct sweeping *sweeping, struct sweep_slot *slot, struct error *error) {
    struct sweep *sweep = sweeping->sweep;
    do {
        slot_release(slot);
        int found = journal_next(sweep->run->journal, sweeping->last, sweep->least, sweep->most,
                                 sweep->filter, &slot->device, error);
        sweeping->exhausted = found != 1;
        if (found != 1) return found;
        sweeping->last = slot->device.sequence;
    } while (sweep->skips != NULL && sweep->skips(sweep, &slot->device));
    slot->sweep = sweep;
    slot->own = memory_alloc(1, sweep->slot_size);
    int result = read_converted(slot, error);
    if (result != 0) return result;
    slot->used = true;
    slot_run(slot);
    return 1;
}

static int sweep_fill(struct sweeping *sweeping, size_t *ret_used, struct error *error) {
    *ret_used = 0;
    for (size_t i = 0; i < sweeping->limit; i++) {
        struct sweep_slot *slot = &sweeping->slots[i];
        while (!slot->used && !sweeping->exhausted && !sweeping->sweep->stopping) {
            int result = slot_start(sweeping, slot, error);
            if (result < 0) return result;
            if (result == 0) break;
        }
        if (slot->used) *ret_used += 1;
    }
    return 0;
}

// Those go on that waited for credentials.
static void sweep_unpark(struct sweeping *sweeping) {
    struct sweep *sweep = sweeping->sweep;
    if (run_login_pending(sweep->run, sweep->side)) return;
    ERROR_AUTO error = {0};
    bool failed = run_login_failed(sweep->run, sweep->side, &error);
    for (size_t i = 0; i < sweeping->limit; i++) {
        struct sweep_slot *slot = &sweeping->slots[i];
        if (!slot->parked) continue;
        slot->parked = false;
        if (!failed) {
            slot_run(slot);
            continue;
        }
        ERROR_AUTO copy = {0};
        error_copy(&copy, &error);
        slot_finished(slot, &slot->task, JOB_FAILED, &copy);
    }
}

static int sweep_loop(struct sweeping *sweeping, struct error *error) {
    struct run *run = sweeping->sweep->run;
    size_t used = 0;
    int result = 0;
    do {
        result = sweep_fill(sweeping, &used, error);
        run_login_turn(run);
        if (result == 0 && used > 0) result = run_turn(run, false, error);
        sweep_unpark(sweeping);
        if (result == 0 && run->interrupts > 0) result = error_set(error, ERROR_CANCELLED, "interrupted");
    } while (result == 0 && used > 0);
    return result;
}

int run_sweep(struct sweep *sweep, struct error *error) {
    struct sweeping sweeping = {.sweep = sweep, .limit = sweep->run->setup.concurrency};
    sweeping.slots = memory_new_array(struct sweep_slot, sweeping.limit);
    int result = sweep_loop(&sweeping, error);
    for (size_t i = 0; i < sweeping.limit; i++) slot_release(&sweeping.slots[i]);
    free(sweeping.slots);
    run_login_stop(sweep->run);
    if (result == 0) result = run_commit(sweep->run, error);
    if (result == 0 && error_is_set(&sweep->error)) {
        error_move(error, &sweep->error);
        result = -(int)error->code;
    }
    error_release(&sweep->error);
    return result;
}
