// SPDX-License-Identifier: Apache-2.0
// What the commands that run the engine share: everything between options and a run, and the end of it.
#ifndef CLI_MIGRATION_H
#define CLI_MIGRATION_H

#include "base/file.h"
#include "cli/command_line.h"
#include "cli/plans.h"
#include "cli/run_journal.h"
#include "migrate/run.h"

struct progress;

enum migration_kind {
    MIGRATION_NEW,
    MIGRATION_RESUMED,
    MIGRATION_ROLLBACK,
    MIGRATION_VERIFY,
};

// Everything a run needs, in the order in which it is made.
struct migration {
    const struct session *session;  // borrowed
    struct invocation invocation;   // whose options count: those of the journal for a run that goes on
    enum migration_kind kind;
    struct run_journal journal;  // path NULL = none
    struct transport *transport;
    struct plan_set plans;
    struct device_naming naming;
    struct device_map *map;  // of --map; NULL = none
    struct reader *input;    // the source's file; NULL = it is a network, or the devices are known
    struct key_set *seen;    // of its devices; NULL without it
    struct source *source;
    struct target *target;  // NULL: a stream target
    struct file *output;    // NULL for a rollback
    char *output_name;      // owned
    char *journal_name;     // owned; NULL = none is left
    char *mark;             // owned; what the run is called at its target; NULL = it keeps nothing of itself
    struct file *report;    // NULL = none is wanted
    uint64_t output_size;   // bytes of lines that were there before
    struct progress *progress;
    struct run *run;
    bool dry_run;
    bool plan_only;
    bool gateways;       // not devices
    bool redirect;       // of gateways
    char *redirect_key;  // owned, secret; NULL = none is given
    bool waits;          // verify: devices that stay silent count
    int64_t started;
};

// Makes what a new run needs.
int migration_open(struct migration *migration, const struct session *session, struct error *error);

// Makes what a run needs that goes on, or is rolled back. `name` as in run_journal_open.
int migration_open_again(struct migration *migration, const struct session *session, const char *name,
                         enum migration_kind kind, struct error *error);

// Closes the files, tells how the run ended, frees everything, and gives the exit code. `result` and `error` are the
// run's, or those of opening it.
enum exit_code migration_end(struct migration *migration, int result, struct error *error);

#endif
