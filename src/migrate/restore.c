// SPDX-License-Identifier: Apache-2.0
// The way back of all devices in one state: those of a rollback, and those that an interrupted run left half way back.
#include <stdlib.h>

#include "base/memory.h"
#include "device/message.h"
#include "migrate/run_p.h"
#include "migrate/undo.h"

struct restoration {
    struct journal_device device;  // owned
    struct device converted;
    struct undo undo;
    bool used;
};

struct restorations {
    struct run *run;
    struct restoration *slots;  // owned; `limit` of them
    size_t limit;
    enum device_state from, to;
    int64_t last;
    bool exhausted;
    bool stopping;
    bool asked;          // the source has answered
    bool proved;         // one of them is back: so its source takes devices back
    struct error error;  // the first one; halts unless the run keeps going
};

static void journal_failed(struct restorations *all, struct error *error) {
    all->stopping = true;
    error_release(&all->error);
    error_move(&all->error, error);
}

static void slot_release(struct restoration *slot) {
    undo_release(&slot->undo);
    device_release(&slot->converted);
    journal_device_release(&slot->device);
    *slot = (struct restoration){0};
}

// What somebody has changed at the source meanwhile is that person's to judge.
static void hint_at_source(const struct undo *undo, struct error *error) {
    if (!undo->at_source || error->code != ERROR_DEVICE || error->hint != NULL) return;
    error_hint(error,
               "if it is in order there as it is, nothing is left to do for it, and the rollback goes on "
               "with the others by "
               "--keep-going; else give it there what it had before, and roll back again");
}

static void restore_failed(struct restorations *all, struct restoration *slot) {
    struct run *run = all->run;
    struct error *error = &slot->undo.error;
    hint_at_source(&slot->undo, error);
    run->numbers.failed++;
    char *reason MEMORY_AUTO = error_chain(error);
    // Whoever is refused for one device is refused for all, and each would be at neither network.
    bool denied = error->code == ERROR_DENIED && !run->setup.dry_run;
    ERROR_AUTO journal_error = {0};
    if (journal_set_reason(run->journal, slot->device.sequence, all->from, reason, &journal_error) != 0) {
        journal_failed(all, &journal_error);
    }
    // A rehearsal tells of all of them.
    if ((run->setup.keep_going && !denied) || run->setup.dry_run) {
        const char *message = run->setup.dry_run ? "could not be put back" : "is not put back";
        run_tell(run, LOG_ERROR, slot->device.record.id, message, error);
        return;
    }
    all->stopping = true;
    if (error_is_set(&all->error)) return;
    error_move(&all->error, error);
    error_wrap(&all->error, ERROR_NONE, "device %s", slot->device.record.id);
}

// What a driver remarks is about a device that is back.
static void tell_remark(const struct run *run, const struct restoration *slot) {
    const char *remark = slot->undo.remark;
    char *would MEMORY_AUTO =
        run->setup.dry_run ? memory_printf("a rollback would say of it: %s", remark) : NULL;
    run_tell(run, LOG_WARN, slot->device.record.id, would != NULL ? would : remark, NULL);
}

// A remark replaces the reason; without one, why a device came to fail stays known.
static int keep_restored(struct restorations *all, const struct restoration *slot, struct error *error) {
    struct journal *journal = all->run->journal;
    int64_t sequence = slot->device.sequence;
    const char *remark = slot->undo.remark;
    int result = remark == NULL ? journal_set_state(journal, sequence, all->to, error)
                                : journal_set_reason(journal, sequence, all->to, remark, error);
    if (result != 0 || slot->device.claim == CLAIM_NONE) return result;
    return journal_set_claim(journal, sequence, slot->device.record.id, CLAIM_NONE, NULL, 0, error);
}

static void restore_ended(struct restorations *all, struct restoration *slot) {
    struct run *run = all->run;
    run->numbers.done++;
    run->uncommitted = true;
    if (error_is_set(&slot->undo.error)) {
        restore_failed(all, slot);
        return;
    }
    run->numbers.restored++;
    // One that was never taken away proves nothing.
    if (!slot->device.untouched) all->proved = true;
    if (slot->undo.remark != NULL) {
        run->numbers.imperfect++;
        tell_remark(run, slot);
    }
    ERROR_AUTO journal_error = {0};
    if (keep_restored(all, slot, &journal_error) != 0) journal_failed(all, &journal_error);
}

static int read_converted(struct restoration *slot, struct error *error) {
    if (slot->device.converted == NULL) return 0;
    device_init(&slot->converted);
    slot->converted.end_device = message_unpack(&tts__end_device__descriptor, slot->device.converted,
                                                slot->device.converted_size, &slot->converted.arena, error);
    if (slot->converted.end_device != NULL) return 0;
    return error_wrap(error, ERROR_INPUT, "the journal's device %s", slot->device.record.id);
}

struct probe {
    struct run *run;
    struct source_record record;             // owned
    const struct source_record *to_restore;  // borrowed
};

static enum job_step probe_job(void *context, struct job *job, struct error *error) {
    struct probe *probe = context;
    const struct run_setup *setup = &probe->run->setup;
    return setup->driver->read(setup->source, job, &probe->record, error);
}

static enum job_step prove_job(void *context, struct job *job, struct error *error) {
    const struct probe *probe = context;
    const struct run_setup *setup = &probe->run->setup;
    return setup->driver->prove(setup->source, job, probe->to_restore, error);
}

// Before the first device is taken away from its target, its source has to answer. What it says of the device is not
// the question: it may have been deleted there.
static int probe_source(struct restorations *all, const struct source_record *record, struct error *error) {
    struct run *run = all->run;
    struct probe probe = {.run = run, .record = {.id = memory_strdup(record->id)}, .to_restore = record};
    int result = run_job(run, SIDE_SOURCE, PRIORITY_READ, probe_job, &probe, error);
    source_record_release(&probe.record);
    all->asked = true;
    bool about_device = result == -ERROR_EMPTY || result == -ERROR_DEVICE || result == -ERROR_NOT_FOUND;
    if (about_device) error_release(error);
    if (about_device) result = 0;
    if (result == 0 && run->setup.driver->prove != NULL)
        result = run_job(run, SIDE_SOURCE, PRIORITY_READ, prove_job, &probe, error);
    if (result == 0) return 0;
    return error_wrap(error, ERROR_NONE,
                      "the source was asked before anything is taken away from the target");
}

static bool is_to_be_probed(const struct restorations *all, const struct restoration *slot) {
    const struct run_setup *setup = &all->run->setup;
    return !all->asked && all->from == DEVICE_RESTORING && setup->target_instance != NULL &&
           !setup->dry_run && run_can_restore(all->run) && slot->device.claim != CLAIM_NONE;
}

// Starts the next one in a free slot. Returns 1, 0 if none is left, or an error.
static int restore_start(struct restorations *all, struct restoration *slot, struct error *error) {
    struct run *run = all->run;
    slot_release(slot);
    int found =
        journal_next(run->journal, all->last, all->from, all->from, JOURNAL_ANY, &slot->device, error);
    all->exhausted = found != 1;
    if (found != 1) return found;
    int result = read_converted(slot, error);
    if (result == 0 && is_to_be_probed(all, slot)) result = probe_source(all, &slot->device.record, error);
    if (result != 0) return result;
    all->last = slot->device.sequence;
    slot->used = true;
    slot->undo = (struct undo){
        .run = run,
        .record = &slot->device.record,
        .device = slot->converted.end_device != NULL ? &slot->converted : NULL,
        .sequence = slot->device.sequence,
        .claim = slot->device.claim,
        .before = slot->device.before,
        .before_size = slot->device.before_size,
        .source = run_can_restore(run),
        .untouched = slot->device.untouched,
        .stage = UNDO_RECALL,
        .progress = slot->device.progress,
    };
    undo_begin(&slot->undo);
    return 1;
}

static int restore_fill(struct restorations *all, size_t *ret_used, struct error *error) {
    *ret_used = 0;
    // Until one is back, the others stay where they are.
    size_t limit = all->proved || all->run->setup.dry_run ? all->limit : 1;
    for (size_t i = 0; i < all->limit; i++) {
        struct restoration *slot = &all->slots[i];
        while (!slot->used && i < limit && !all->exhausted && !all->stopping) {
            int result = restore_start(all, slot, error);
            if (result < 0) return result;
            if (result == 0) break;
        }
        if (slot->used) *ret_used += 1;
    }
    return 0;
}

// What waits for a commit gets it; what has come to its end is kept. *ret_busy: something happened without a call.
static int restore_commit(struct restorations *all, bool *ret_busy, struct error *error) {
    struct run *run = all->run;
    int result = run->setup.dry_run ? 0 : run_commit(run, error);
    for (size_t i = 0; i < all->limit && result == 0; i++) {
        struct restoration *slot = &all->slots[i];
        if (!slot->used) continue;
        if (undo_unpark(&slot->undo)) *ret_busy = true;
        if (undo_waits(&slot->undo)) {
            undo_go_on(&slot->undo);
            *ret_busy = true;
        }
        if (!undo_ended(&slot->undo)) continue;
        restore_ended(all, slot);
        slot_release(slot);
        *ret_busy = true;
    }
    return result;
}

static int restore_loop(struct restorations *all, struct error *error) {
    struct run *run = all->run;
    int result = 0;
    size_t used = 0;
    do {
        bool busy = false;
        result = restore_fill(all, &used, error);
        if (result == 0) result = restore_commit(all, &busy, error);
        run_login_turn(run);
        if (result == 0 && used > 0) result = run_turn(run, busy, error);
        // What is under way comes to its end, unless the user cannot wait.
        if (run->interrupts > 0) all->stopping = true;
    } while (result == 0 && used > 0 && run->interrupts < 2);
    return result;
}

int run_restore(struct run *run, enum device_state from, enum device_state to, struct error *error) {
    struct restorations all = {.run = run, .limit = run->setup.concurrency, .from = from, .to = to};
    all.slots = memory_new_array(struct restoration, all.limit);
    run->numbers.phase = NULL;
    run->numbers.total_known = true;
    int result = restore_loop(&all, error);
    for (size_t i = 0; i < all.limit; i++) slot_release(&all.slots[i]);
    free(all.slots);
    run_login_stop(run);
    if (result == 0 && !run->setup.dry_run) result = run_commit(run, error);
    if (result == 0 && error_is_set(&all.error)) {
        error_move(error, &all.error);
        result = -(int)error->code;
    }
    if (result == 0 && run->interrupts > 0) result = error_set(error, ERROR_CANCELLED, "interrupted");
    error_release(&all.error);
    return result;
}
