// SPDX-License-Identifier: Apache-2.0
// After a run that changed its source: every released device is looked at once more. Devices without session
// by one list of the application, the others one by one, since only reading tells whether they were heard in
// between.
#include "migrate/sweep.h"

enum { LIST_WORTH = 4 };

// What a device has before it is looked at once more.
static enum device_state state_before(const struct run *run) {
    return run->setup.target_instance != NULL ? DEVICE_VERIFIED : DEVICE_RELEASED;
}

// Fails only if the journal cannot be written.
static int confirm_result(struct run *run, const struct journal_device *device,
                          const struct source_confirmation *confirmation, struct error *error) {
    // A session that was not read is taken away after this look, or was before a device was made at a server.
    bool joined = confirmation->proof == SOURCE_JOINED;
    if (joined && run->setup.target_instance == NULL && !run->joined_done) {
        run->joined++;
        run->uncommitted = true;
        return journal_set_reason(run->journal, device->sequence, DEVICE_RELEASED, confirmation->remark,
                                  error);
    }
    // What the source still handles is to be released again by the next run.
    bool held = joined || confirmation->proof == SOURCE_HELD;
    enum device_state state = held ? DEVICE_RELEASING : DEVICE_CONFIRMED;
    int result = 0;
    // With a server as target, what was heard of a session has been dealt with before its import. A counter is of no use to
    // a device whose session does not go along.
    bool counter = confirmation->last_n_f_cnt_down > 0;
    bool moved_on =
        confirmation->proof == SOURCE_MOVED_ON &&
        (run->setup.target_instance == NULL ? device->session || !counter : !device->session && !counter);
    if (held || moved_on) {
        result = journal_set_reason(run->journal, device->sequence, state, confirmation->remark, error);
    } else {
        result = journal_set_state(run->journal, device->sequence, state, error);
    }
    run->uncommitted = true;
    run->numbers.confirmed++;
    if (held) {
        run->numbers.held++;
        run->numbers.failed++;
        run_tell(run, LOG_ERROR, device->record.id, confirmation->remark, NULL);
    } else if (moved_on) {
        run->numbers.moved_on++;
        run_tell(run, LOG_WARN, device->record.id, confirmation->remark, NULL);
    }
    return result;
}

static enum job_step confirm_job(void *context, struct job *job, struct error *error) {
    struct sweep_slot *slot = context;
    const struct run_setup *setup = &slot->sweep->run->setup;
    return setup->driver->confirm(setup->source, job, &slot->device.record, NULL, slot->own, error);
}

static void confirm_finished(struct sweep_slot *slot, bool done, struct error *error) {
    struct sweep *sweep = slot->sweep;
    if (done) {
        if (confirm_result(sweep->run, &slot->device, slot->own, error) == 0) return;
        sweep->stopping = true;
        error_release(&sweep->error);
        error_move(&sweep->error, error);
        return;
    }
    run_tell(sweep->run, LOG_WARN, slot->device.record.id, "is cleared, but could not be looked at once more",
             error);
    // Where nobody answers any more, each further look would only wait for that in vain.
    if (error->code == ERROR_UNAVAILABLE || error->code == ERROR_TIMEOUT) sweep->stopping = true;
    if (!error_is_set(&sweep->error)) error_move(&sweep->error, error);
}

static int confirm_each(struct run *run, enum journal_filter filter, struct error *error) {
    struct sweep sweep = {
        .run = run,
        .side = SIDE_SOURCE,
        .least = state_before(run),
        .most = state_before(run),
        .filter = filter,
        .slot_size = sizeof(struct source_confirmation),
        .job = confirm_job,
        .finished = confirm_finished,
    };
    return run_sweep(&sweep, error);
}

// Judges a device by its entry in a list that was made after the releases.
static int confirm_entry(struct run *run, const struct source_record *now, uint64_t *left,
                         struct error *error) {
    struct journal_device device = {0};
    int found = journal_find(run->journal, now->id, &device, error);
    int result = found < 0 ? found : 0;
    if (found == 1 && device.state == state_before(run)) {
        ARENA_AUTO arena = {0};
        struct job job = {.arena = &arena};
        struct source_confirmation confirmation = {0};
        const struct run_setup *setup = &run->setup;
        if (setup->driver->confirm(setup->source, &job, &device.record, now, &confirmation, error) ==
            JOB_DONE) {
            result = confirm_result(run, &device, &confirmation, error);
            *left -= 1;
        } else {
            result = -(int)error->code;
        }
    }
    journal_device_release(&device);
    return result;
}

static int confirm_page(struct run *run, void *context, const struct source_page *page, struct error *error) {
    uint64_t *left = context;
    // A list of the whole application is not worth it for a few of its devices.
    if (page->count > 0 && page->total / page->count > *left) return RUN_LIST_ENOUGH;
    for (size_t i = 0; i < page->count; i++) {
        int result = confirm_entry(run, &page->records[i], left, error);
        if (result != 0) return result;
    }
    return *left == 0 ? RUN_LIST_ENOUGH : 0;
}

static int confirm_all(struct run *run, struct error *error) {
    run->numbers.phase = "looking at the cleared devices once more";
    run->numbers.confirming = true;
    int result = confirm_each(run, JOURNAL_WITH_SESSION, error);
    uint64_t left = 0;
    if (result == 0) result = journal_count(run->journal, state_before(run), &left, error);
    if (result != 0) return result;
    if ((run->setup.driver->features & SOURCE_CHEAP_LIST) != 0 && left >= LIST_WORTH) {
        result = run_list(run, confirm_page, &left, error);
    }
    // Those that no list showed are asked for one by one.
    return result != 0 ? result : confirm_each(run, JOURNAL_WITHOUT_SESSION, error);
}

int run_confirm(struct run *run, struct error *error) {
    if (run->setup.driver->confirm == NULL) return 0;
    run->joined = 0;
    run->joined_done = false;
    int result = confirm_all(run, error);
    if (result != 0 || run->joined == 0) return result;
    run->joined_done = true;
    result = run_finish_joined(run, error);
    return result != 0 ? result : confirm_all(run, error);
}
