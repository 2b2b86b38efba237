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
    output_init(&run->output, setup->target, setup->output, setup->output_size);
    run->journal = setup->journal;
    if (run->journal == NULL && journal_open_temporary(&run->temporary, error) != 0) {
        run_free(run);
        return NULL;
    }
    if (run->journal == NULL) run->journal = run->temporary;
    if (journal_last_line(run->journal, &run->line, error) != 0) {
        run_free(run);
        return NULL;
    }
    return run;
}

void run_free(struct run *run) {
    if (run == NULL) return;
    task_release(&run->login);
    dispatch_free(run->dispatch);
    journal_close(run->temporary);
    output_release(&run->output);
    error_release(&run->halt);
    free(run->application);
    free(run);
}

const struct run_numbers *run_numbers(const struct run *run) {
    return &run->numbers;
}

bool run_changes(const struct run *run) {
    return !run->setup.dry_run && !run->setup.source->keeps &&
           (run->setup.driver->features & SOURCE_CHANGES) != 0;
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
        result = run_prepare(run, error);
        if (result != 0) return result;
    }
}

int run_commit(struct run *run, struct error *error) {
    if (!run->uncommitted) return 0;
    run->uncommitted = false;
    return journal_commit(run->journal, error);
}

// The devices are in the journal: takes them through, then looks once more at those that were released, also
// after an error, but not when the user waits for the end.
static int run_all(struct run *run, struct error *error) {
    int result = run_flights(run, error);
    if (result == -ERROR_CANCELLED || !run_changes(run)) return result;
    // Nothing hangs on that look: a run whose devices are cleared is not halted by it.
    ERROR_AUTO late = {0};
    if (run_confirm(run, &late) != 0) {
        run_tell(run, LOG_WARN, NULL, "the devices that were cleared could not all be looked at once more",
                 &late);
        if (late.code == ERROR_CANCELLED && result == 0) {
            error_move(error, &late);
            result = -ERROR_CANCELLED;
        }
    }
    ERROR_AUTO commit = {0};
    if (run_commit(run, &commit) != 0 && result == 0) {
        error_move(error, &commit);
        result = -(int)error->code;
    }
    return result;
}

// Turns to an application. *ret_planned: its devices are known from an earlier run.
static int run_start(struct run *run, const char *application, bool *ret_planned, struct error *error) {
    free(run->application);
    run->application = memory_strdup(application);
    run->numbers.total_known = false;
    run->numbers.confirming = false;
    int result = journal_use_application(run->journal, application, ret_planned, error);
    return result != 0 ? result : run_prepare(run, error);
}

// The list of an application is complete: kept before anything is done with it.
static int run_planned(struct run *run, struct error *error) {
    int result = journal_set_planned(run->journal, error);
    run->uncommitted = true;
    return result != 0 ? result : run_commit(run, error);
}

static int run_known(struct run *run, struct error *error) {
    uint64_t total = 0;
    int result = journal_total(run->journal, &total, error);
    run->numbers.total += total;
    run->numbers.total_known = true;
    return result;
}

int run_register(struct run *run, const char *application, struct error *error) {
    bool planned = false;
    int result = journal_use_application(run->journal, application, &planned, error);
    run->uncommitted = true;
    return result != 0 ? result : run_commit(run, error);
}

int run_application(struct run *run, const char *application, struct error *error) {
    bool planned = false;
    run->whole = true;
    int result = run_start(run, application, &planned, error);
    if (result == 0 && planned) {
        result = run_known(run, error);
    } else if (result == 0) {
        result = run_plan_application(run, error);
        if (result == 0) result = run_planned(run, error);
    }
    if (result == 0) result = run_all(run, error);
    run_show(run);
    return result;
}

int run_devices(struct run *run, const char *application, run_id_feed *feed, void *context,
                struct error *error) {
    bool planned = false;
    run->whole = false;
    int result = run_start(run, application, &planned, error);
    if (result == 0) result = run_plan_devices(run, feed, context, error);
    if (result == 0) result = run_planned(run, error);
    if (result == 0) result = run_all(run, error);
    run_show(run);
    return result;
}

static bool several_applications(struct run *run) {
    ERROR_AUTO ignored = {0};
    char *second MEMORY_AUTO = NULL;
    return journal_application(run->journal, 1, &second, &ignored) == 0 && second != NULL;
}

// Calls `each` for every application of the journal.
static int run_each_application(struct run *run,
                                int (*each)(struct run *run, const char *application, struct error *error),
                                struct error *error) {
    int result = 0;
    for (size_t i = 0; result == 0; i++) {
        char *application = NULL;
        result = journal_application(run->journal, i, &application, error);
        if (application == NULL) break;
        if (result == 0) result = each(run, application, error);
        if (result != 0 && result != -ERROR_CANCELLED && several_applications(run)) {
            error_wrap(error, ERROR_NONE, "application %s", application);
        }
        free(application);
    }
    return result;
}

int run_resume(struct run *run, struct error *error) {
    return run_each_application(run, run_application, error);
}

static int rollback_application(struct run *run, const char *application, struct error *error) {
    bool planned = false;
    int result = run_start(run, application, &planned, error);
    if (result == 0) result = run_restore(run, error);
    run_show(run);
    return result;
}

// Those that are to be put back are marked first, and that is durable before anything is changed.
static int mark_one(void *context, const char *id, struct error *error) {
    struct run *run = context;
    size_t found = 0;
    for (size_t i = 0;; i++) {
        char *application MEMORY_AUTO = NULL;
        bool planned = false;
        int result = journal_application(run->journal, i, &application, error);
        if (result != 0) return result;
        if (application == NULL) break;
        result = journal_use_application(run->journal, application, &planned, error);
        struct journal_device device = {0};
        int known = result != 0 ? result : journal_find(run->journal, id, &device, error);
        bool released = known == 1 && device.state >= DEVICE_RELEASING && device.state <= DEVICE_CONFIRMED;
        if (released) result = journal_set_state(run->journal, device.sequence, DEVICE_RESTORING, error);
        if (known == 1) found++;
        journal_device_release(&device);
        if (known < 0) return known;
        if (result != 0) return result;
    }
    if (found == 0) return error_set(error, ERROR_INPUT, "device %s is not in this run", id);
    return 0;
}

static int mark_all(struct run *run, struct error *error) {
    static const enum device_state states[] = {DEVICE_RELEASING, DEVICE_RELEASED, DEVICE_CONFIRMED};
    int result = 0;
    for (size_t i = 0; i < sizeof states / sizeof *states && result == 0; i++) {
        uint64_t count = 0;
        result = journal_change_states(run->journal, states[i], DEVICE_RESTORING, &count, error);
    }
    return result;
}

int run_rollback(struct run *run, run_id_feed *feed, void *context, struct error *error) {
    if (run->setup.driver->restore == NULL) {
        return error_set(error, ERROR_USAGE, "devices cannot be put back at %s", run->setup.driver->title);
    }
    int result = feed == NULL ? mark_all(run, error) : feed(context, mark_one, run, error);
    if (result == 0) result = journal_count_all(run->journal, DEVICE_RESTORING, &run->numbers.total, error);
    run->uncommitted = !run->setup.dry_run;
    if (result == 0) result = run_commit(run, error);
    return result != 0 ? result : run_each_application(run, rollback_application, error);
}
