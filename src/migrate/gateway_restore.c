// SPDX-License-Identifier: Apache-2.0
// The way back of gateways: their source sends them nowhere any more, the target loses what the run made.
#include "base/memory.h"
#include "device/message.h"
#include "migrate/run_p.h"

struct way_back {
    struct run *run;
    const struct journal_device *kept;
    struct gateway gateway;
    struct gateway_home home;
};

static struct target *target_of(const struct way_back *back) {
    return back->run->setup.target_instance;
}

static enum job_step redirect_job(void *context, struct job *job, struct error *error) {
    const struct way_back *back = context;
    const struct run_setup *setup = &back->run->setup;
    return setup->driver->redirect_gateway(setup->source, job, &back->kept->record, &back->home, NULL, error);
}

static enum job_step remove_job(void *context, struct job *job, struct error *error) {
    const struct way_back *back = context;
    return target_of(back)->driver->remove_gateway(target_of(back), job, back->gateway.message, error);
}

static enum job_step update_job(void *context, struct job *job, struct error *error) {
    const struct way_back *back = context;
    const Tts__Gateway *before = message_unpack(&tts__gateway__descriptor, back->kept->before,
                                                back->kept->before_size, job->arena, error);
    if (before == NULL) return JOB_FAILED;
    return target_of(back)->driver->update_gateway(target_of(back), job, before, error);
}

static int bring_back(struct way_back *back, struct error *error) {
    struct run *run = back->run;
    enum device_claim claim = back->kept->claim;
    int result = back->kept->converted == NULL ? 0 : gateway_read(back->kept, &back->gateway, error);
    if (result != 0 || run->setup.dry_run) return result;
    if (run->setup.redirect) result = run_job(run, SIDE_SOURCE, PRIORITY_RELEASE, redirect_job, back, error);
    if (result == 0 && claim == CLAIM_MADE)
        result = run_job(run, SIDE_TARGET, PRIORITY_IMPORT, remove_job, back, error);
    if (result == 0 && claim == CLAIM_UPDATED)
        result = run_job(run, SIDE_TARGET, PRIORITY_IMPORT, update_job, back, error);
    return result;
}

static int keep_restored(struct way_back *back, struct error *error) {
    struct journal *journal = back->run->journal;
    int result =
        journal_set_claim(journal, back->kept->sequence, back->kept->record.id, CLAIM_NONE, NULL, 0, error);
    if (result == 0) result = journal_set_state(journal, back->kept->sequence, DEVICE_RESTORED, error);
    back->run->uncommitted = true;
    return result != 0 ? result : run_commit(back->run, error);
}

static int restore_one(struct run *run, const struct journal_device *kept, struct error *error) {
    struct way_back back = {.run = run, .kept = kept};
    target_of(&back)->driver->home(target_of(&back), &back.home);
    int result = bring_back(&back, error);
    if (result == 0 && !run->setup.dry_run) result = keep_restored(&back, error);
    run->numbers.done++;
    if (result == 0) {
        run->numbers.restored++;
    } else if (result != -ERROR_CANCELLED) {
        run->numbers.failed++;
        error_wrap(error, ERROR_NONE, "gateway %s", kept->record.id);
    }
    gateway_release(&back.gateway);
    return result;
}

int run_restore_gateways(struct run *run, struct error *error) {
    int64_t last = 0;
    for (;;) {
        struct journal_device kept = {0};
        int found =
            journal_next(run->journal, last, DEVICE_RESTORING, DEVICE_RESTORING, JOURNAL_ANY, &kept, error);
        if (found <= 0) return found;
        last = kept.sequence;
        int result = restore_one(run, &kept, error);
        bool goes_on = run->setup.keep_going || run->setup.dry_run;
        if (result != 0 && result != -ERROR_CANCELLED && goes_on) {
            const char *message = run->setup.dry_run ? "could not be put back" : "is not put back";
            run_tell(run, LOG_ERROR, kept.record.id, message, error);
            error_release(error);
            result = 0;
        }
        journal_device_release(&kept);
        if (result != 0) return result;
    }
}
