// SPDX-License-Identifier: Apache-2.0
// What the files of the engine share.
#ifndef MIGRATE_RUN_P_H
#define MIGRATE_RUN_P_H

#include "journal/journal.h"
#include "migrate/output.h"
#include "migrate/run.h"
#include "migrate/task.h"
#include "migrate/vacancy.h"
#include "net/dispatch.h"

// Calls that end a device's time between two networks go first, then those that begin it.
enum call_priority {
    PRIORITY_LOGIN,
    PRIORITY_IMPORT,
    PRIORITY_RELEASE,
    PRIORITY_RESERVE,
    PRIORITY_LIST,
    PRIORITY_READ,
    PRIORITY_CONFIRM
};

// Whose calls and credentials: struct call's `side`.
enum run_side { SIDE_SOURCE, SIDE_TARGET, RUN_SIDES };

// Credentials that are renewed while a run goes on.
struct login {
    struct run *run;  // borrowed
    enum run_side side;
    bool wanted;
    struct task task;
    struct error error;  // of the last time; none = it went well
};

// A server that refuses the token which it has just given is asked for another one so often.
enum { LOGINS_MAX = 2 };

// For two devices that would get one ID. A run that goes on keeps how it names its devices, but for --map.
#define HINT_SAME_ID                                                                                     \
    "rename one of them at the source, or lay down an ID for it: --map FILE; a run of its own may also " \
    "give "                                                                                              \
    "all their DevEUI: --set-eui-as-id"

// The payload formatters of the present application, and what was found out of all of them.
struct run_formatters_state {
    struct arena arena;                           // of the next two
    const Tts__MessagePayloadFormatters *wanted;  // NULL = nothing is to be done
    const Tts__MessagePayloadFormatters *before;  // what the target has; NULL = none
    struct run_formatters_finding *findings;      // owned; the last one is of the present application
    size_t finding_count;
};

struct run {
    struct run_setup setup;
    struct dispatch *dispatch;  // owned
    struct journal *journal;    // the setup's, or `temporary`
    struct journal *temporary;  // owned; NULL = the setup has one
    uint64_t line;              // the last line that was given to a device
    bool uncommitted;           // something in the journal waits for the next commit
    int64_t last_commit;        // ns, monotonic: its end
    int64_t commit_cost;        // ns: what it took
    struct output output;
    struct run_numbers numbers;
    char *application;      // owned; the present one
    int64_t last_progress;  // ns, monotonic
    struct login logins[RUN_SIDES];
    const struct run_verification *verification;  // borrowed; of run_verify
    char *obstacle;                               // owned; the first of them
    uint64_t obstacles;                           // devices that cannot go and may not stay behind
    struct run_formatters_state formatters;
    struct vacancies vacancies;  // of the look before the run
    uint64_t joined;             // whose source turned out to have a session of them behind their release
    bool joined_done;            // these have been gone on with
    bool whole;                  // of an application: devices that are exported already are no reason to halt
    struct error halt;           // why no new device starts; none = go on
    unsigned interrupts;
};

// One turn of the loop: waits for something to happen (not if `busy`: there is work without calls), shows
// progress, looks for interrupts.
int run_turn(struct run *run, bool busy, struct error *error);

// Runs a single job to its end. ERROR_CANCELLED if the user interrupts.
int run_job(struct run *run, enum run_side side, int priority, task_function *function, void *context,
            struct error *error);

// True if the run changes its source.
bool run_releases(const struct run *run);

// True if it changes its source or its target.
bool run_changes(const struct run *run);

// True if all devices are looked at before the first one is changed.
bool run_looks_first(const struct run *run);

// True if devices can be put back at the source.
bool run_can_restore(const struct run *run);

// Makes what the journal holds durable; does nothing if nothing waits.
int run_commit(struct run *run, struct error *error);

// True if what waits for a commit may wait a little longer: there are more calls to make anyway than servers take at once,
// and the last commit was costly and not long ago. Those that get ready meanwhile share the next one.
bool run_commit_may_wait(const struct run *run);

// The same for what no step waits for: often enough that little has to be found out again after a kill, and that others
// see the run go on.
int run_commit_at_times(struct run *run, struct error *error);

// Finds the servers of one side and logs in; does nothing if that side has none.
int run_prepare(struct run *run, enum run_side side, struct error *error);

// The driver's job behind it, for those who go on meanwhile.
enum job_step run_prepare_job(struct run *run, enum run_side side, struct job *job, struct error *error);

// ---- login.c: new credentials while the run goes on

void run_login_want(struct run *run, enum run_side side);

// True until those that were wanted are there, or cannot be had.
bool run_login_pending(const struct run *run, enum run_side side);

// True, with a copy of the error, if they could not be had.
bool run_login_failed(const struct run *run, enum run_side side, struct error *error);

// Starts what is wanted; to be called in each turn of a loop.
void run_login_turn(struct run *run);
void run_login_stop(struct run *run);
void run_login_release(struct run *run);

// Reads the application's list, page after page.
// Takes a page of a list. RUN_LIST_ENOUGH ends the reading without an error.
enum { RUN_LIST_ENOUGH = 1 };
typedef int run_page(struct run *run, void *context, const struct source_page *page, struct error *error);
int run_list(struct run *run, run_page *receive, void *context, struct error *error);

// Fills the journal with the application's devices, or with those IDs; see run.h.
int run_plan_application(struct run *run, struct error *error);
int run_plan_devices(struct run *run, run_id_feed *feed, void *context, struct error *error);

// Finds out what would become of every planned device at a target that is a server; changes nothing. Those that cannot
// go become FAILED.
int run_check(struct run *run, struct error *error);

// ---- formatters.c: the payload formatters of the present application

// Finds out what is to become of them; changes nothing. What stands in their way ends the run, unless it only looks or
// keeps going.
int run_formatters_look(struct run *run, struct error *error);

// Sets them at the target, or writes them to files, whichever is wanted.
int run_formatters_apply(struct run *run, struct error *error);

// Compares those that the run has set with what the target has.
int run_formatters_verify(struct run *run, const struct run_verification *wanted, struct error *error);

// Puts back what was there before, for all applications, the last one first.
int run_formatters_restore(struct run *run, struct error *error);

void run_formatters_release(struct run *run);

// ---- flight.c

// Takes every planned device through its life.
int run_flights(struct run *run, struct error *error);

// The same for those alone that an earlier process left half way, where the target is a server.
int run_finish_rest(struct run *run, struct error *error);

// The same for those released ones without session that may have joined their source between reading and releasing, where
// lines are written.
int run_finish_joined(struct run *run, struct error *error);

// Reads every imported device of the application back from its target.
int run_verify_devices(struct run *run, const struct run_verification *wanted, struct error *error);

// Looks at every released device once more.
int run_confirm(struct run *run, struct error *error);

// Takes every device of the application that is in state `from` away from its target and puts it back at its source;
// then it is in state `to`.
int run_restore(struct run *run, enum device_state from, enum device_state to, struct error *error);

// ---- gateway.c, gateway_restore.c: runs about gateways

// Takes every planned gateway of the journal to its target.
int run_gateways(struct run *run, struct error *error);

// Takes every gateway that is RESTORING away from its target, and has its source forget where it was sent to.
int run_restore_gateways(struct run *run, struct error *error);

// The target's gateway as the journal keeps it. ERROR_INPUT.
int gateway_read(const struct journal_device *kept, struct gateway *gateway, struct error *error);

// Tells a device's error to the log.
void run_tell(const struct run *run, enum log_level level, const char *id, const char *message,
              const struct error *error);

// "devices", or what else the run is about.
static inline const char *run_things(const struct run *run) {
    return run->setup.gateways ? "gateways" : "devices";
}

#endif
