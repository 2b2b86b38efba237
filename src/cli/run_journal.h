// SPDX-License-Identifier: Apache-2.0
// The journals of runs as files: where they lie, what a run keeps of itself in one, how one is found again.
#ifndef CLI_RUN_JOURNAL_H
#define CLI_RUN_JOURNAL_H

#include "base/file.h"
#include "base/lock.h"
#include "base/option.h"
#include "cli/command_line.h"
#include "journal/journal.h"

struct run_journal {
    struct journal *journal;  // owned
    struct lock *lock;        // owned; NULL if it is only read
    char *path;               // owned
};

// Makes the journal of a new run, locked: at --journal, or below the state directory. Keeps what `resume` needs: source,
// command, all options that were given, and who runs it when.
int run_journal_create(const struct invocation *invocation, option_lookup *lookup,
                       struct run_journal *journal, struct error *error);

// Puts that into any journal: who runs what, from where, with which options.
int run_journal_describe(struct journal *journal, const struct invocation *invocation, option_lookup *lookup,
                         struct error *error);

// Opens the journal that a user names: a path, a run's ID, or NULL for the latest run. `writable` takes the lock. The key
// of an encrypted one comes from --journal-key-file or is asked for on the terminal.
int run_journal_open(const struct option_values *global, const char *name, bool writable,
                     option_lookup *lookup, struct run_journal *journal, struct error *error);

// Finds and locks a journal without reading it (it may be damaged), for run_journal_wipe. ERROR_INPUT if it is none.
int run_journal_open_locked(const char *name, option_lookup *lookup, struct run_journal *journal,
                            struct error *error);

// Overwrites the journal's files, takes them away, and releases. A file system that copies on write, or a disk that
// moves blocks, may still hold what was overwritten.
int run_journal_wipe(struct run_journal *journal, struct error *error);

// What a command line calls it: the run's ID if it lies below the state directory, else its path. NULL if there is none;
// the caller frees it.
char *run_journal_name(const struct run_journal *journal, option_lookup *lookup);

// Accepts a zeroed one.
void run_journal_release(struct run_journal *journal);

// Closes and takes the file away: the run has done nothing.
void run_journal_discard(struct run_journal *journal);

// Keeps which output the run writes to. A pipe has no identity: then every line is written again.
int run_journal_set_output(struct run_journal *journal, const struct file *output, struct error *error);

// The same for a file that was identified before.
int run_journal_keep_output(struct run_journal *journal, const struct file_identity *identity,
                            struct error *error);

// The run's own output; `ret_identity->path` is NULL if it was no regular file.
int run_journal_output(struct run_journal *journal, struct file_identity *ret_identity, struct error *error);

// What was kept of the command line, to run it again: source, target and options. Options of `invocation` that were given now win;
// those of a source or a target have to be of the run's (ERROR_USAGE), and are borrowed: the invocation owns those that it
// gets in their place.
int run_journal_restore(struct run_journal *journal, struct invocation *invocation,
                        const struct source_driver *const *sources, struct error *error);

// Keeps options of source and target that were given to go on with: they count from now on. `secrets`: only those that are
// secret, which are to have proved right before, else only the others.
int run_journal_keep_given(struct run_journal *journal, const struct invocation *given, bool secrets,
                           struct error *error);

// "application" or "device"; the caller frees it.
int run_journal_command(struct run_journal *journal, char **ret_command, struct error *error);

// Calls `each` with the path of every journal below the state directory, the oldest first.
typedef int run_journal_path(void *context, const char *path, struct error *error);
int run_journal_each(option_lookup *lookup, run_journal_path *each, void *context, struct error *error);

#endif
