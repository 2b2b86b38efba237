// SPDX-License-Identifier: Apache-2.0
#include "migrate/run.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "migrate/room.h"
#include "migrate/run_p.h"

// A device in flight may have calls at so many servers at once.
enum { SERVERS_AT_ONCE = 4 };

// A commit that need not be at once takes no more than one part in so many of the time.
enum { COMMITS_APART = 8 };

// The loop wakes this often to redraw and to look at signals.
static const int64_t turn_limit = 100 * NS_PER_MS;

static void run_judge(void *context, const struct call *call, const struct reply *reply,
                      struct dispatch_verdict *verdict) {
    const struct run *run = context;
    struct target *target = run->setup.target_instance;
    if (call->side == SIDE_TARGET) {
        if (target->driver->judge != NULL) target->driver->judge(target, call, reply, verdict);
    } else if (run->setup.driver->judge != NULL) {
        run->setup.driver->judge(run->setup.source, call, reply, verdict);
    }
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
        .most = setup->concurrency * (setup->target_instance != NULL ? SERVERS_AT_ONCE : 1),
        .rate = setup->rate > 0 ? setup->rate : setup->driver->rate,
        .timeout = setup->timeout,
        .dry_run = setup->dry_run,
        .judge = run_judge,
        .judge_context = run,
    });
    if (setup->output != NULL) output_init(&run->output, setup->target, setup->output, setup->output_size);
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
    run_login_release(run);
    dispatch_free(run->dispatch);
    journal_close(run->temporary);
    output_release(&run->output);
    run_formatters_release(run);
    vacancies_release(&run->vacancies);
    error_release(&run->halt);
    free(run->application);
    free(run->obstacle);
    free(run);
}

const struct run_numbers *run_numbers(const struct run *run) {
    return &run->numbers;
}

struct journal *run_memory(const struct run *run) {
    return run->journal;
}

bool run_releases(const struct run *run) {
    return !run->setup.dry_run && !run->setup.source->keeps &&
           (run->setup.driver->features & SOURCE_CHANGES) != 0;
}

bool run_changes(const struct run *run) {
    return run_releases(run) || (!run->setup.dry_run && run->setup.target_instance != NULL);
}

bool run_can_restore(const struct run *run) {
    return run->setup.driver->restore != NULL && !run->setup.source->keeps;
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

static int run_job_once(struct run *run, enum run_side side, int priority, task_function *function,
                        void *context, enum job_step *ret_step, struct error *error) {
    struct single_context single = {.function = function, .context = context};
    struct task task = {0};
    int result = 0;
    task_start(&task, run->dispatch, side, priority, single_run, single_finished, &single);
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

int run_job(struct run *run, enum run_side side, int priority, task_function *function, void *context,
            struct error *error) {
    for (unsigned logins = 0;; logins++) {
        enum job_step step = JOB_DONE;
        int result = run_job_once(run, side, priority, function, context, &step, error);
        if (result != 0 || step != JOB_LOGIN) return result;
        if (priority == PRIORITY_LOGIN || logins == LOGINS_MAX) {
            return error_set(error, ERROR_DENIED, "the server does not accept the credentials that it gave");
        }
        result = run_prepare(run, side, error);
        if (result != 0) return result;
    }
}

int run_commit(struct run *run, struct error *error) {
    if (!run->uncommitted) return 0;
    int64_t started = clock_monotonic(run->setup.clock);
    int result = journal_commit(run->journal, error);
    if (result == 0) run->uncommitted = false;
    run->last_commit = clock_monotonic(run->setup.clock);
    run->commit_cost = run->last_commit - started;
    return result;
}

bool run_commit_may_wait(const struct run *run) {
    struct dispatch_numbers numbers = {0};
    dispatch_numbers(run->dispatch, &numbers);
    int64_t since = clock_monotonic(run->setup.clock) - run->last_commit;
    return numbers.in_flight > 0 && numbers.queued > 0 && since < run->commit_cost * COMMITS_APART;
}

int run_commit_at_times(struct run *run, struct error *error) {
    bool due = clock_monotonic(run->setup.clock) - run->last_commit >= turn_limit;
    return due ? run_commit(run, error) : 0;
}

// Those that an earlier process left half way back are put back, and tried again: nobody has been told that they are set
// aside.
static int run_undo_rest(struct run *run, struct error *error) {
    uint64_t done = run->numbers.done;
    int result = run_restore(run, DEVICE_UNDOING, DEVICE_PLANNED, error);
    if (result != 0 || run->numbers.done == done) return result;
    run->numbers.done = done;
    run->uncommitted = true;
    return journal_forget_recorded(run->journal, error);
}

// Not kept as failed: the next run looks again.
static int forget_obstacles(struct run *run, struct error *error) {
    uint64_t again = 0;
    int result = journal_change_states(run->journal, DEVICE_FAILED, DEVICE_PLANNED, &again, error);
    run->uncommitted = true;
    return result != 0 ? result : run_commit(run, error);
}

bool run_looks_first(const struct run *run) {
    const struct run_setup *setup = &run->setup;
    if (setup->gateways || setup->no_plan) return false;
    // For a file as target only where one list tells enough of all devices, or where the file has no place for some of
    // them.
    bool cheap = run->whole && (setup->driver->features & SOURCE_CHEAP_LIST) != 0;
    return setup->target_instance != NULL || (run_releases(run) && (cheap || setup->target->refuses));
}

// What is left of an earlier process comes first; then all others are looked at before one of them is changed.
static int run_before_flights(struct run *run, struct error *error) {
    bool server = run->setup.target_instance != NULL;
    int result = server || run_looks_first(run) ? run_undo_rest(run, error) : 0;
    // Whatever stands in the way of others is no reason to leave them at neither network.
    if (result == 0 && server) result = run_finish_rest(run, error);
    if (result != 0 || !run_looks_first(run)) return result;
    result = run_check(run, error);
    ERROR_AUTO late = {0};
    if (run->obstacles > 0 && forget_obstacles(run, &late) != 0 && result == 0) {
        error_move(error, &late);
        result = -(int)error->code;
    }
    if (result != 0 || run->obstacles == 0) return result;
    char *more MEMORY_AUTO =
        run->obstacles > 1 ? memory_printf(" and %" PRIu64 " more", run->obstacles - 1) : memory_strdup("");
    error_set(error, ERROR_DEVICE, "device %s%s cannot be migrated: no device was changed", run->obstacle,
              more);
    error_hint(error, "mend what is said above, or set them aside with --keep-going");
    return -ERROR_DEVICE;
}

// The devices are in the journal: takes them through, then looks once more at those that were released, also
// after an error, but not when the user waits for the end.
static int run_all(struct run *run, struct error *error) {
    const struct run_setup *setup = &run->setup;
    bool server = setup->target_instance != NULL;
    if (setup->gateways) return run_gateways(run, error);
    int result = run_formatters_look(run, error);
    if (result != 0) return result;
    if (setup->plan_only || (setup->dry_run && server)) {
        result = run_check(run, error);
        return result != 0 || setup->plan_only ? result : run_formatters_apply(run, error);
    }
    result = run_before_flights(run, error);
    if (result == 0) result = run_formatters_apply(run, error);
    if (result == 0) result = run_flights(run, error);
    if (result == -ERROR_CANCELLED || !run_releases(run)) return result;
    // Nothing hangs on that look: a run whose devices are cleared is not halted by it.
    ERROR_AUTO late = {0};
    if (run_confirm(run, &late) != 0) {
        run_tell(run, LOG_WARN, NULL, "the devices that were cleared could not all be looked at once more",
                 &late);
        // But a journal that cannot be written does not know what was found out.
        bool counts = late.code == ERROR_CANCELLED || late.code == ERROR_OUTPUT;
        if (counts && result == 0) {
            error_move(error, &late);
            result = -(int)error->code;
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
    run->obstacles = 0;
    free(memory_take(run->obstacle));
    int result = journal_use_application(run->journal, application, ret_planned, error);
    if (result == 0) result = run_prepare(run, SIDE_SOURCE, error);
    return result != 0 ? result : run_prepare(run, SIDE_TARGET, error);
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

// A run that would fill the disk is not begun.
static int check_room(struct run *run, struct error *error) {
    if (!run_changes(run) || run->setup.space.look == NULL) return 0;
    uint64_t planned = 0;
    int result = journal_count(run->journal, DEVICE_PLANNED, &planned, error);
    if (result != 0 || planned == 0) return result;
    struct space journal = {0};
    struct space output = {0};
    run->setup.space.look(run->setup.space.context, &journal, &output);
    char *text MEMORY_AUTO = NULL;
    enum room room =
        room_judge(planned, run->setup.gateways ? "gateway" : "device", &journal, &output, &text);
    if (room == ROOM_TIGHT) {
        char *warning MEMORY_AUTO = memory_printf("there may be too little room: %s", text);
        run_tell(run, LOG_WARN, NULL, warning, NULL);
    }
    if (room != ROOM_SHORT) return 0;
    error_set(error, ERROR_OUTPUT, "there is too little room: %s; nothing was changed", text);
    error_hint(error, "free some space, or name other places: --output FILE, --journal FILE");
    return -ERROR_OUTPUT;
}

int run_register(struct run *run, const char *application, struct error *error) {
    bool planned = false;
    int result = journal_use_application(run->journal, application, &planned, error);
    run->uncommitted = true;
    return result != 0 ? result : run_commit(run, error);
}

// No error: an application may be empty. But some networks say so of one that they do not have, too.
static void tell_empty(const struct run *run, const char *application) {
    char *text MEMORY_AUTO =
        memory_printf("application %s has no %s at its source", application, run_things(run));
    run_tell(run, LOG_WARN, NULL, text, NULL);
}

int run_application(struct run *run, const char *application, struct error *error) {
    bool planned = false;
    run->whole = true;
    uint64_t before = run->numbers.total;
    int result = run_start(run, application, &planned, error);
    if (result == 0 && planned) {
        result = run_known(run, error);
    } else if (result == 0) {
        result = run_plan_application(run, error);
        if (result == 0 && run->numbers.total == before) tell_empty(run, application);
        if (result == 0) result = run_planned(run, error);
    }
    if (result == 0) result = check_room(run, error);
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
    if (result == 0) result = check_room(run, error);
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
    // What was read of a device before, but not gone on with, counts no longer.
    bool server = run->setup.target_instance != NULL;
    int result = server && !run->setup.gateways ? journal_forget_recorded(run->journal, error) : 0;
    run->uncommitted = true;
    if (result == 0) result = run_commit(run, error);
    return result != 0 ? result : run_each_application(run, run_application, error);
}

static int verify_application(struct run *run, const char *application, struct error *error) {
    bool planned = false;
    free(run->application);
    run->application = memory_strdup(application);
    int result = journal_use_application(run->journal, application, &planned, error);
    if (result == 0) result = run_prepare(run, SIDE_TARGET, error);
    if (result == 0) result = run_formatters_verify(run, run->verification, error);
    if (result == 0) result = run_verify_devices(run, run->verification, error);
    run_show(run);
    return result;
}

int run_verify(struct run *run, const struct run_verification *wanted, struct error *error) {
    if (run->setup.gateways) {
        return error_set(error, ERROR_USAGE, "the run was about gateways: verify reads devices back");
    }
    if (run->setup.target_instance == NULL) {
        error_set(error, ERROR_USAGE, "the run wrote its devices to a file: nothing can be read back");
        error_hint(error, "validate checks such a file");
        return -ERROR_USAGE;
    }
    static const enum device_state states[] = {DEVICE_IMPORTED, DEVICE_VERIFIED, DEVICE_CONFIRMED};
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        uint64_t count = 0;
        int result = journal_count_all(run->journal, states[i], &count, error);
        if (result != 0) return result;
        run->numbers.total += count;
    }
    run->numbers.total_known = true;
    run->verification = wanted;
    return run_each_application(run, verify_application, error);
}

static int rollback_application(struct run *run, const char *application, struct error *error) {
    bool planned = false;
    int result = run_start(run, application, &planned, error);
    if (result == 0) {
        result = run->setup.gateways ? run_restore_gateways(run, error)
                                     : run_restore(run, DEVICE_RESTORING, DEVICE_RESTORED, error);
    }
    run_show(run);
    return result;
}

// True if something of it may be at the target, or not at the source.
static bool is_on_its_way(const struct journal_device *device) {
    bool claimed =
        device->claim == CLAIM_MADE || device->claim == CLAIM_UPDATED || device->claim == CLAIM_LATE;
    bool waits =
        device->state <= DEVICE_RECORDED || device->state == DEVICE_FAILED || device->state == DEVICE_SKIPPED;
    return (device->state >= DEVICE_RESERVING && device->state <= DEVICE_CONFIRMED) ||
           device->state == DEVICE_UNDOING || (waits && claimed);
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
        if (known == 1 && is_on_its_way(&device))
            result = journal_set_state(run->journal, device.sequence, DEVICE_RESTORING, error);
        if (known == 1) found++;
        journal_device_release(&device);
        if (known < 0) return known;
        if (result != 0) return result;
    }
    if (found == 0)
        return error_set(error, ERROR_INPUT, "%s %s is not in this run",
                         run->setup.gateways ? "gateway" : "device", id);
    return 0;
}

int run_rollback(struct run *run, run_id_feed *feed, void *context, struct error *error) {
    if (run->setup.driver->restore == NULL && run->setup.target_instance == NULL) {
        return error_set(error, ERROR_USAGE, "%s cannot be put back at %s", run_things(run),
                         run->setup.driver->title);
    }
    uint64_t marked = 0;
    int result = feed == NULL ? journal_restore_all(run->journal, &marked, error)
                              : feed(context, mark_one, run, error);
    if (result == 0) result = run_rollback_marked(run, error);
    return result != 0 || feed != NULL ? result : run_formatters_restore(run, error);
}

int run_rollback_marked(struct run *run, struct error *error) {
    int result = journal_count_all(run->journal, DEVICE_RESTORING, &run->numbers.total, error);
    if (result == 0) result = journal_count_all(run->journal, DEVICE_RESTORED, &run->numbers.back, error);
    run->uncommitted = !run->setup.dry_run;
    if (result == 0) result = run_commit(run, error);
    return result != 0 ? result : run_each_application(run, rollback_application, error);
}
