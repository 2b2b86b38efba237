// SPDX-License-Identifier: Apache-2.0
// Reads every device of a run back from its target, compares it, and waits until it is heard there.
#include <stdlib.h>

#include "base/memory.h"
#include "migrate/sweep.h"

// How long to wait before silent devices are asked for once more.
static const int64_t round_pause = 5 * NS_PER_SECOND;

struct verification {
    const struct run_verification *wanted;  // borrowed
    struct run *run;
    unsigned char *heard;  // owned; a bit for each sequence number
    int64_t capacity;      // sequence numbers that have one
    uint64_t silent;       // of the present round
    bool first;            // the first round: all devices are compared
};

static bool is_heard(const struct verification *all, int64_t sequence) {
    return sequence < all->capacity && (all->heard[sequence / 8] >> (sequence % 8) & 1) != 0;
}

static void set_heard(struct verification *all, int64_t sequence) {
    if (sequence >= all->capacity) {
        size_t before = (size_t)all->capacity / 8;
        size_t after = ((size_t)sequence / 8 + 1) * 2;
        all->heard = memory_resize(all->heard, after, 1);
        for (size_t i = before; i < after; i++) all->heard[i] = 0;
        all->capacity = (int64_t)after * 8;
    }
    all->heard[sequence / 8] |= (unsigned char)(1U << (sequence % 8));
}

static bool skips(struct sweep *sweep, const struct journal_device *device) {
    const struct verification *all = sweep->context;
    return !all->first && is_heard(all, device->sequence);
}

static enum job_step verify_job(void *context, struct job *job, struct error *error) {
    struct sweep_slot *slot = context;
    struct target *target = slot->sweep->run->setup.target_instance;
    return target->driver->verify(target, job, &slot->converted, slot->own, error);
}

// True if the target has heard the device since it was imported.
static bool was_heard(const struct device *converted, const struct target_verdict *verdict) {
    const Tts__Session *session = converted->end_device->session;
    const struct device_progress *progress = &verdict->progress;
    if (progress->rejoined) return true;
    if (session != NULL && progress->known && progress->last_f_cnt_up > session->last_f_cnt_up) return true;
    const Google__Timestamp *before = converted->end_device->last_seen_at;
    int64_t seen_before = before == NULL ? 0 : before->seconds * NS_PER_SECOND + before->nanos;
    return verdict->last_seen > seen_before;
}

static void tell(struct verification *all, const struct sweep_slot *slot,
                 const struct target_verdict *verdict, bool heard) {
    const struct run_verified told = {
        .id = slot->device.record.id,
        .device_id = device_id(&slot->converted),
        .equal = verdict->equal,
        .what = verdict->what,
        .heard = heard,
        .last_seen = verdict->last_seen,
        .progress = verdict->progress,
    };
    if (all->wanted->tell != NULL) all->wanted->tell(all->wanted->context, &told);
}

static void verify_finished(struct sweep_slot *slot, bool done, struct error *error) {
    struct verification *all = slot->sweep->context;
    struct run *run = all->run;
    const struct target_verdict *verdict = slot->own;
    if (!done) {
        run_tell(run, LOG_ERROR, slot->device.record.id, "could not be read back", error);
        run->numbers.failed++;
        set_heard(all, slot->device.sequence);
        return;
    }
    bool heard = was_heard(&slot->converted, verdict);
    if (heard) set_heard(all, slot->device.sequence);
    if (!heard) all->silent++;
    if (all->first) {
        run->numbers.done++;
        *(verdict->equal ? &run->numbers.verified : &run->numbers.failed) += 1;
    }
    if (all->first || heard) tell(all, slot, verdict, heard);
}

static int verify_round(struct verification *all, struct error *error) {
    all->silent = 0;
    struct sweep sweep = {
        .run = all->run,
        .side = SIDE_TARGET,
        .least = DEVICE_IMPORTED,
        .most = DEVICE_CONFIRMED,
        .filter = JOURNAL_ANY,
        .with_converted = true,
        .slot_size = sizeof(struct target_verdict),
        .skips = skips,
        .job = verify_job,
        .finished = verify_finished,
        .context = all,
    };
    return run_sweep(&sweep, error);
}

static int pause_round(struct run *run, int64_t until, struct error *error) {
    int64_t end = clock_monotonic(run->setup.clock) + round_pause;
    if (end > until) end = until;
    int result = 0;
    while (result == 0 && clock_monotonic(run->setup.clock) < end) {
        result = run_turn(run, false, error);
        if (result == 0 && run->interrupts > 0) result = error_set(error, ERROR_CANCELLED, "interrupted");
    }
    return result;
}

// Those that were not heard in all that time are told, and marked to be put back where that is wanted.
static int end_silent(struct verification *all, struct error *error) {
    const struct run_verification *wanted = all->wanted;
    struct run *run = all->run;
    struct journal_device device = {0};
    int64_t last = 0;
    int found = 0;
    while ((found = journal_next(run->journal, last, DEVICE_IMPORTED, DEVICE_CONFIRMED, JOURNAL_ANY, &device,
                                 error)) == 1) {
        last = device.sequence;
        int result = 0;
        bool silent = !is_heard(all, last);
        if (silent && (wanted->wait > 0 || wanted->restore_silent) && wanted->tell_silent != NULL)
            wanted->tell_silent(wanted->context, device.record.id);
        if (silent && wanted->restore_silent)
            result = journal_set_state(run->journal, last, DEVICE_RESTORING, error);
        journal_device_release(&device);
        if (result != 0) return result;
    }
    if (wanted->restore_silent) run->uncommitted = true;
    return found < 0 ? found : 0;
}

int run_verify_devices(struct run *run, const struct run_verification *wanted, struct error *error) {
    struct verification all = {.wanted = wanted, .run = run, .first = true};
    int64_t until = clock_monotonic(run->setup.clock) + wanted->wait;
    uint64_t others = run->numbers.silent;  // of applications before
    run->numbers.phase = NULL;
    int result = verify_round(&all, error);
    all.first = false;
    run->numbers.silent = others + all.silent;
    while (result == 0 && all.silent > 0 && clock_monotonic(run->setup.clock) < until) {
        run->numbers.phase = "waiting until devices are heard";
        run->numbers.waiting = true;
        result = pause_round(run, until, error);
        if (result == 0) result = verify_round(&all, error);
        if (result == 0) run->numbers.silent = others + all.silent;
    }
    run->numbers.waiting = false;
    if (result == 0) result = end_silent(&all, error);
    free(all.heard);
    return result;
}
