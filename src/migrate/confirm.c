// SPDX-License-Identifier: Apache-2.0
// After a run that changed its source: every released device is looked at once more. Devices without session
// by one list of the application, the others one by one, since only reading tells whether they were heard in
// between.
#include <stdlib.h>

#include "base/memory.h"
#include "migrate/run_p.h"

enum { LIST_WORTH = 4 };

struct confirmation {
    struct confirmations *all;     // borrowed
    struct journal_device device;  // owned
    struct source_confirmation result;
    struct task task;
    unsigned logins;  // how often its job waited for new credentials
    bool parked;      // waits for them now
    bool finished;
};

struct confirmations {
    struct run *run;
    struct confirmation *slots;  // owned; `limit` of them
    size_t limit;
    int64_t last;
    bool exhausted;
    bool login_wanted;
    struct error error;  // the first one
};

// What a device has before it is looked at once more.
static enum device_state state_before(const struct run *run) {
    return run->setup.target_instance != NULL ? DEVICE_VERIFIED : DEVICE_RELEASED;
}

static void confirm_result(struct run *run, int64_t sequence, const char *id,
                           const struct source_confirmation *confirmation) {
    // What the source still handles is to be released again by the next run.
    bool held = confirmation->proof == SOURCE_HELD;
    enum device_state state = held ? DEVICE_RELEASING : DEVICE_CONFIRMED;
    ERROR_AUTO ignored = {0};
    // With a server as target, what was heard has been dealt with before its import.
    bool remarkable = confirmation->proof == SOURCE_HELD || run->setup.target_instance == NULL;
    if (confirmation->proof == SOURCE_RELEASED || !remarkable) {
        (void)journal_set_state(run->journal, sequence, state, &ignored);
    } else {
        (void)journal_set_reason(run->journal, sequence, state, confirmation->remark, &ignored);
    }
    run->uncommitted = true;
    run->numbers.confirmed++;
    if (held) {
        run->numbers.held++;
        run->numbers.failed++;
        run_tell(run, LOG_ERROR, id, confirmation->remark, NULL);
    } else if (confirmation->proof == SOURCE_MOVED_ON && run->setup.target_instance == NULL) {
        run->numbers.moved_on++;
        run_tell(run, LOG_WARN, id, confirmation->remark, NULL);
    }
}

static enum job_step confirm_job(void *context, struct job *job, struct error *error) {
    struct confirmation *confirmation = context;
    const struct run_setup *setup = &confirmation->all->run->setup;
    return setup->driver->confirm(setup->source, job, &confirmation->device.record, NULL,
                                  &confirmation->result, error);
}

static void confirm_finished(void *context, struct task *task, enum job_step step, struct error *error) {
    (void)task;
    struct confirmation *confirmation = context;
    struct run *run = confirmation->all->run;
    if (step == JOB_LOGIN && confirmation->logins++ < LOGINS_MAX) {
        confirmation->parked = confirmation->all->login_wanted = true;
        return;
    }
    confirmation->finished = true;
    if (step == JOB_DONE) {
        confirm_result(run, confirmation->device.sequence, confirmation->device.record.id,
                       &confirmation->result);
        return;
    }
    if (step == JOB_LOGIN) {
        error_set(error, ERROR_DENIED, "the server does not accept the credentials that it gave");
    }
    run_tell(run, LOG_WARN, confirmation->device.record.id,
             "is cleared, but could not be looked at once more", error);
    // Where nobody answers any more, each further look would only wait for that in vain.
    bool gone = error->code == ERROR_UNAVAILABLE || error->code == ERROR_TIMEOUT;
    if (gone) confirmation->all->exhausted = true;
    if (!error_is_set(&confirmation->all->error)) error_move(&confirmation->all->error, error);
}

// Starts the next one in a free slot. Returns 1, 0 if none is left, or an error.
static int confirm_start(struct confirmations *all, struct confirmation *slot, enum journal_filter filter,
                         struct error *error) {
    task_release(&slot->task);
    journal_device_release(&slot->device);
    *slot = (struct confirmation){.all = all};
    enum device_state state = state_before(all->run);
    int found = journal_next(all->run->journal, all->last, state, state, filter, &slot->device, error);
    all->exhausted = found != 1;
    if (found != 1) return found;
    all->last = slot->device.sequence;
    task_start(&slot->task, all->run->dispatch, SIDE_SOURCE, PRIORITY_CONFIRM, confirm_job, confirm_finished,
               slot);
    return 1;
}

// Fills free slots; *ret_running counts those that wait for a reply.
static int confirm_fill(struct confirmations *all, enum journal_filter filter, size_t *ret_running,
                        struct error *error) {
    *ret_running = 0;
    for (size_t i = 0; i < all->limit; i++) {
        struct confirmation *slot = &all->slots[i];
        while (!slot->task.running && !slot->parked && !all->exhausted) {
            int result = confirm_start(all, slot, filter, error);
            if (result < 0) return result;
        }
        if (slot->task.running) *ret_running += 1;
    }
    return 0;
}

// New credentials, and those go on that waited for them.
static int confirm_login(struct confirmations *all, struct error *error) {
    all->login_wanted = false;
    int result = run_prepare(all->run, SIDE_SOURCE, error);
    for (size_t i = 0; i < all->limit && result == 0; i++) {
        struct confirmation *slot = &all->slots[i];
        if (!slot->parked) continue;
        slot->parked = false;
        task_start(&slot->task, all->run->dispatch, SIDE_SOURCE, PRIORITY_CONFIRM, confirm_job,
                   confirm_finished, slot);
    }
    return result;
}

static int confirm_each(struct run *run, enum journal_filter filter, struct error *error) {
    struct confirmations all = {.run = run, .limit = run->setup.concurrency};
    all.slots = memory_new_array(struct confirmation, all.limit);
    int result = 0;
    size_t running = 0;
    do {
        result = all.login_wanted ? confirm_login(&all, error) : 0;
        if (result == 0) result = confirm_fill(&all, filter, &running, error);
        if (result == 0 && running > 0) result = run_turn(run, false, error);
        if (result == 0 && run->interrupts > 0) result = error_set(error, ERROR_CANCELLED, "interrupted");
    } while (result == 0 && (running > 0 || all.login_wanted));
    for (size_t i = 0; i < all.limit; i++) {
        task_release(&all.slots[i].task);
        journal_device_release(&all.slots[i].device);
    }
    free(all.slots);
    if (result == 0 && error_is_set(&all.error)) {
        error_move(error, &all.error);
        result = -(int)error->code;
    }
    error_release(&all.error);
    return result;
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
            confirm_result(run, device.sequence, device.record.id, &confirmation);
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

int run_confirm(struct run *run, struct error *error) {
    if (run->setup.driver->confirm == NULL) return 0;
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
