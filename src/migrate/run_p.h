// SPDX-License-Identifier: Apache-2.0
// What the files of the engine share.
#ifndef MIGRATE_RUN_P_H
#define MIGRATE_RUN_P_H

#include "journal/journal.h"
#include "migrate/output.h"
#include "migrate/run.h"
#include "migrate/task.h"
#include "net/dispatch.h"

// Calls that end a device's time between two networks go first, then those that begin it.
enum call_priority { PRIORITY_LOGIN, PRIORITY_RELEASE, PRIORITY_LIST, PRIORITY_READ, PRIORITY_CONFIRM };

// A server that refuses the token which it has just given is asked for another one so often.
enum { LOGINS_MAX = 2 };

struct run {
    struct run_setup setup;
    struct dispatch *dispatch;  // owned
    struct journal *journal;    // the setup's, or `temporary`
    struct journal *temporary;  // owned; NULL = the setup has one
    uint64_t line;              // the last line that was given to a device
    bool uncommitted;           // something in the journal waits for the next commit
    struct output output;
    struct run_numbers numbers;
    char *application;      // owned; the present one
    int64_t last_progress;  // ns, monotonic
    struct task login;      // prepare, when credentials ran out
    bool login_wanted;
    bool login_running;
    bool whole;         // of an application: devices that are exported already are no reason to halt
    struct error halt;  // why no new device starts; none = go on
    unsigned interrupts;
};

// One turn of the loop: waits for something to happen (not if `busy`: there is work without calls), shows
// progress, looks for interrupts.
int run_turn(struct run *run, bool busy, struct error *error);

// Runs a single job to its end. ERROR_CANCELLED if the user interrupts.
int run_job(struct run *run, int priority, task_function *function, void *context, struct error *error);

// True if the run changes its source.
bool run_changes(const struct run *run);

// Makes what the journal holds durable; does nothing if nothing waits.
int run_commit(struct run *run, struct error *error);

// Finds the servers and logs in.
int run_prepare(struct run *run, struct error *error);

// The driver's job behind it, for those who go on meanwhile; `context` is the run.
enum job_step run_prepare_job(void *context, struct job *job, struct error *error);

// Reads the application's list, page after page.
// Takes a page of a list. RUN_LIST_ENOUGH ends the reading without an error.
enum { RUN_LIST_ENOUGH = 1 };
typedef int run_page(struct run *run, void *context, const struct source_page *page, struct error *error);
int run_list(struct run *run, run_page *receive, void *context, struct error *error);

// Fills the journal with the application's devices, or with those IDs; see run.h.
int run_plan_application(struct run *run, struct error *error);
int run_plan_devices(struct run *run, run_id_feed *feed, void *context, struct error *error);

// Takes every planned device through its life.
int run_flights(struct run *run, struct error *error);

// Looks at every released device once more.
int run_confirm(struct run *run, struct error *error);

// Puts every device that is marked RESTORING back at its source.
int run_restore(struct run *run, struct error *error);

// Tells a device's error to the log.
void run_tell(const struct run *run, enum log_level level, const char *id, const char *message,
              const struct error *error);

#endif
