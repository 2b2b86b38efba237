// SPDX-License-Identifier: Apache-2.0
#include "migrate/run.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "migrate/run_p.h"

// The loop wakes this often to redraw and to look at signals.
static const int64_t turn_limit = 100 * NS_PER_MS;

static void run_judge(void *context, const struct call *call, const struct reply *reply,
                      struct dispatch_verdict *verdict) {
    const struct run *run = context;
    if (run->setup.driver->judge != NULL) run->setup.driver->judge(run->setup.source, call, reply, verdict);
}

struct run *run_new(const struct run_setup *setup, struct error *error) {
    struct run *run = memory_new(struct run);
    run->setup = *setup;
    run->dispatch = dispatch_new(&(struct dispatch_setup){
        .transport = setup->transport,
        .clock = setup->clock,
        .random = setup->random,
        .log = setup->log,
        .concurrency = setup->concurrency,
        .rate = setup->rate > 0 ? setup->rate : setup->driver->rate,
        .timeout = setup->timeout,
        .dry_run = setup->dry_run,
        .judge = run_judge,
        .judge_context = run,
    });
    output_init(&run->output, setup->target, setup->output, setup->copy);
    if (journal_open_temporary(&run->journal, error) != 0) {
        run_free(run);
        return NULL;
    }
    return run;
}

void run_free(struct run *run) {
    if (run == NULL) return;
    task_release(&run->login);
    dispatch_free(run->dispatch);
    journal_close(run->journal);
    output_release(&run->output);
    error_release(&run->halt);
    free(run->application);
    free(run);
}

const struct run_numbers *run_numbers(const struct run *run) {
    return &run->numbers;
}

bool run_changes(const struct run *run) {
    return !run->setup.dry_run && (run->setup.driver->features & SOURCE_CHANGES) != 0;
}

void run_tell(const struct run *run, enum log_level level, const char *id, const char *message,
              const struct error *error) {
    log_write(run->setup.log,
              &(struct log_record){.level = level, .message = message, .device_id = id, .error = error});
}

static void run_show(struct run *run) {
    struct dispatch_numbers numbers = {0};
    dispatch_numbers(run->dispatch, &numbers);
    run->numbers.waiting_for = numbers.waiting_for;
    if (run->setup.observer.progress != NULL) {
        run->setup.observer.progress(run->setup.observer.context, &run->numbers);
    }
}

int run_turn(struct run *run, bool busy, struct error *error) {
    int result = dispatch_wait(run->dispatch, busy ? 0 : turn_limit, error);
    int64_t now = clock_monotonic(run->setup.clock);
    if (now - run->last_progress >= turn_limit) {
        run->last_progress = now;
        run_show(run);
    }
    if (run->setup.observer.interrupts != NULL) {
        run->interrupts = run->setup.observer.interrupts(run->setup.observer.context);
    }
    return result;
}

struct single_job {
    enum job_step step;
    bool finished;
    struct error error;
};

struct single_context {
    task_function *function;
    void *context;
    struct single_job result;
};

static enum job_step single_run(void *context, struct job *job, struct error *error) {
    struct single_context *single = context;
    return single->function(single->context, job, error);
}

static void single_finished(void *context, struct task *task, enum job_step step, struct error *error) {
    (void)task;
    struct single_context *single = context;
    single->result.finished = true;
    single->result.step = step;
    error_move(&single->result.error, error);
}

static int run_job_once(struct run *run, int priority, task_function *function, void *context,
                        enum job_step *ret_step, struct error *error) {
    struct single_context single = {.function = function, .context = context};
    struct task task = {0};
    int result = 0;
    task_start(&task, run->dispatch, priority, single_run, single_finished, &single);
    while (result == 0 && !single.result.finished) {
        result = run_turn(run, false, error);
        if (result == 0 && run->interrupts > 0) result = error_set(error, ERROR_CANCELLED, "interrupted");
    }
    task_release(&task);
    if (result == 0 && single.result.step == JOB_FAILED) {
        error_move(error, &single.result.error);
        result = -(int)error->code;
    }
    *ret_step = single.result.step;
    error_release(&single.result.error);
    return result;
}

int run_job(struct run *run, int priority, task_function *function, void *context, struct error *error) {
    for (unsigned logins = 0;; logins++) {
        enum job_step step = JOB_DONE;
        int result = run_job_once(run, priority, function, context, &step, error);
        if (result != 0 || step != JOB_LOGIN) return result;
        if (priority == PRIORITY_LOGIN || logins == LOGINS_MAX) {
            return error_set(error, ERROR_DENIED, "the server does not accept the credentials that it gave");
        }
        result = run_prepare(run, run->application, error);
        if (result != 0) return result;
    }
}

// The devices are in the journal: takes them through, then looks once more at those that were released, also
// after an error, but not when the user waits for the end.
static int run_all(struct run *run, struct error *error) {
    int result = run_flights(run, error);
    if (result == -ERROR_CANCELLED || !run_changes(run)) return result;
    ERROR_AUTO late = {0};
    int confirmed = run_confirm(run, &late);
    if (confirmed != 0 && result == 0) {
        error_move(error, &late);
        return confirmed;
    }
    if (confirmed != 0)
        run_tell(run, LOG_WARN, NULL, "the devices that were cleared could not all be looked at", &late);
    return result;
}

static int run_start(struct run *run, const char *application, struct error *error) {
    free(run->application);
    run->application = memory_strdup(application);
    run->numbers.total_known = false;
    run->numbers.confirming = false;
    int result = journal_clear(run->journal, error);
    if (result != 0) return result;
    return run_prepare(run, application, error);
}

int run_application(struct run *run, const char *application, struct error *error) {
    int result = run_start(run, application, error);
    if (result == 0) result = run_plan_application(run, error);
    if (result == 0) result = run_all(run, error);
    run_show(run);
    return result;
}

int run_devices(struct run *run, const char *application, run_id_feed *feed, void *context,
                struct error *error) {
    int result = run_start(run, application, error);
    if (result == 0) result = run_plan_devices(run, feed, context, error);
    if (result == 0) result = run_all(run, error);
    run_show(run);
    return result;
}
