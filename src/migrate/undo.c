// SPDX-License-Identifier: Apache-2.0
#include "migrate/undo.h"

#include <stdlib.h>

#include "base/memory.h"
#include "migrate/run_p.h"

static void undo_step(struct undo *undo, enum undo_stage stage);

static struct target *target_of(const struct undo *undo) {
    return undo->run->setup.target_instance;
}

static bool is_at_target(const struct undo *undo) {
    return undo->device != NULL && target_of(undo) != NULL && undo->claim != CLAIM_NONE;
}

// What was found at the target, and not made or changed by the run, stays there.
static bool is_to_be_removed(const struct undo *undo) {
    return is_at_target(undo) && undo->claim != CLAIM_FOUND;
}

// ---- jobs

static enum job_step recall_job(void *context, struct job *job, struct error *error) {
    struct undo *undo = context;
    return target_of(undo)->driver->recall(target_of(undo), job, undo->device, &undo->seen, error);
}

static enum job_step remove_job(void *context, struct job *job, struct error *error) {
    struct undo *undo = context;
    const struct target_removal removal = {
        .before = undo->before, .before_size = undo->before_size, .reserved = undo->untouched};
    return target_of(undo)->driver->remove(target_of(undo), job, undo->device, &removal, error);
}

// The device was converted with the counter that was read, or with a later one if its source was heard to use that.
static uint32_t heard_n_f_cnt_down(const struct undo *undo) {
    const Tts__Session *session = undo->device == NULL ? NULL : undo->device->end_device->session;
    return session == NULL ? 0 : session->last_n_f_cnt_down;
}

static enum job_step restore_job(void *context, struct job *job, struct error *error) {
    struct undo *undo = context;
    const struct run_setup *setup = &undo->run->setup;
    undo->restoration = (struct source_restoration){
        .progress = undo->progress,
        .untouched = undo->untouched,
        .heard_n_f_cnt_down = heard_n_f_cnt_down(undo),
    };
    // Until it was removed there, the target may have answered it once more.
    if (undo->progress.known && !undo->progress.rejoined && is_to_be_removed(undo))
        undo->restoration.progress.last_n_f_cnt_down++;
    return setup->driver->restore(setup->source, job, undo->record, &undo->restoration, error);
}

static enum run_side side_of(const struct undo *undo) {
    return undo->stage == UNDO_RESTORE ? SIDE_SOURCE : SIDE_TARGET;
}

// ---- steps

static void undo_fail(struct undo *undo, struct error *error) {
    error_move(&undo->error, error);
    undo->at_source = undo->stage == UNDO_RESTORE;
    undo->stage = UNDO_END;
}

static uint32_t later(uint32_t one, uint32_t other) {
    return one > other ? one : other;
}

// What an earlier process has seen of it counts too: it may be gone from there, or have been heard since.
static void take_progress(struct undo *undo) {
    struct device_progress *progress = &undo->progress;
    const struct device_progress *seen = &undo->seen;
    if (!seen->known) return;
    if (!progress->known) {
        *progress = *seen;
        return;
    }
    if (progress->rejoined != seen->rejoined) {
        // Another session may also be that of the device that was there before.
        if (seen->rejoined && undo->claim != CLAIM_UPDATED) *progress = *seen;
        return;
    }
    progress->last_f_cnt_up = later(progress->last_f_cnt_up, seen->last_f_cnt_up);
    progress->last_n_f_cnt_down = later(progress->last_n_f_cnt_down, seen->last_n_f_cnt_down);
    progress->last_a_f_cnt_down = later(progress->last_a_f_cnt_down, seen->last_a_f_cnt_down);
}

static void recalled(struct undo *undo) {
    take_progress(undo);
    ERROR_AUTO error = {0};
    if (journal_set_progress(undo->run->journal, undo->sequence, &undo->progress, &error) != 0) {
        undo_fail(undo, &error);
        return;
    }
    undo->run->uncommitted = true;
    undo->stage = UNDO_KEEP;
}

static void undo_finished(void *context, struct task *task, enum job_step step, struct error *error) {
    (void)task;
    struct undo *undo = context;
    if (step == JOB_LOGIN && undo->logins++ < LOGINS_MAX) {
        undo->parked = true;
        run_login_want(undo->run, side_of(undo));
        return;
    }
    if (step == JOB_LOGIN)
        error_set(error, ERROR_DENIED, "the server does not accept the credentials that it gave");
    if (step != JOB_DONE) {
        undo_fail(undo, error);
    } else if (undo->stage == UNDO_RECALL) {
        recalled(undo);
    } else if (undo->stage == UNDO_REMOVE) {
        undo_step(undo, UNDO_RESTORE);
    } else {
        undo->remark = memory_strdup(undo->restoration.remark);
        undo->stage = UNDO_END;
    }
}

// Starts a stage, or the next one that there is something to do in.
static void undo_step(struct undo *undo, enum undo_stage stage) {
    if (stage == UNDO_RECALL && !is_at_target(undo)) stage = UNDO_REMOVE;
    if (stage == UNDO_REMOVE && (!is_to_be_removed(undo) || undo->run->setup.dry_run)) stage = UNDO_RESTORE;
    if (stage == UNDO_RESTORE && !undo->source) stage = UNDO_END;
    undo->stage = stage;
    task_function *const job = stage == UNDO_RECALL   ? recall_job
                               : stage == UNDO_REMOVE ? remove_job
                                                      : restore_job;
    if (stage == UNDO_END) return;
    task_set_again(&undo->task, true);
    task_start(&undo->task, undo->run->dispatch, side_of(undo), PRIORITY_IMPORT, job, undo_finished, undo);
}

void undo_begin(struct undo *undo) {
    if (undo->stage != UNDO_INTENT) undo_step(undo, UNDO_RECALL);
}

bool undo_waits(const struct undo *undo) {
    return undo->stage == UNDO_INTENT || undo->stage == UNDO_KEEP;
}

void undo_go_on(struct undo *undo) {
    undo_step(undo, undo->stage == UNDO_INTENT ? UNDO_RECALL : UNDO_REMOVE);
}

bool undo_unpark(struct undo *undo) {
    if (!undo->parked || run_login_pending(undo->run, side_of(undo))) return false;
    undo->parked = false;
    ERROR_AUTO error = {0};
    if (run_login_failed(undo->run, side_of(undo), &error)) {
        undo_fail(undo, &error);
    } else {
        undo_step(undo, undo->stage);
    }
    return true;
}

bool undo_ended(const struct undo *undo) {
    return undo->stage == UNDO_END;
}

void undo_release(struct undo *undo) {
    task_release(&undo->task);
    free(undo->remark);
    error_release(&undo->error);
    *undo = (struct undo){0};
}
