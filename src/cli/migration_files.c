// SPDX-License-Identifier: Apache-2.0
// Where a run writes to: its output and its journal.
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/console.h"
#include "cli/migration_p.h"
#include "cli/signals.h"
#include "migrate/output_resume.h"

static const char *environment(const char *name) {
    return getenv(name);
}

static void warn_exposed(const struct migration *migration) {
    if (!migration->output->exposed) return;
    log_printf(
        &migration->session->console->log, LOG_WARN,
        "standard output is a file that other users of this machine can read, and it will hold keys: chmod "
        "600, or use --output FILE");
}

// Two runs that write to one file would spoil it.
static void warn_unlocked(const struct migration *migration) {
    if (migration->output == NULL || !migration->output->unlocked) return;
    log_printf(&migration->session->console->log, LOG_WARN,
               "%s cannot be locked, its file system knows no locks: let no other run write to it",
               migration->output->name);
}

// A target that is a server needs no output; nor does whoever only wants to know what would become of the devices.
static bool has_output(const struct migration *migration) {
    return migration->target == NULL && !migration->plan_only;
}

static int open_standard_output(struct migration *migration, struct error *error) {
    int result = file_open_standard_output_alone(signals_halt_fd(), &migration->output, error);
    if (result != 0) return result;
    if (migration_changes(migration) && file_shares_standard_error(migration->output)) {
        error_set(error, ERROR_USAGE, "standard output and standard error go to the same file");
        error_hint(error, "send the messages elsewhere (2> run.log), or use --output FILE");
        return -ERROR_USAGE;
    }
    warn_exposed(migration);
    return 0;
}

static int open_output(struct migration *migration, struct error *error) {
    if (!has_output(migration)) return 0;
    const char *path = option_string(migration_global(migration), "output");
    return path == NULL ? open_standard_output(migration, error)
                        : file_create_output(path, signals_halt_fd(), &migration->output, error);
}

// A run that changes its source has a journal. Without one, its output must be a file: what is in a pipe is gone if
// the reader ends.
static int open_journal(struct migration *migration, struct error *error) {
    if (!migration_changes(migration)) return 0;
    if (!option_bool(migration_global(migration), "no-journal")) {
        int result = run_journal_create(&migration->invocation, environment, &migration->journal, error);
        if (result != 0 || migration->output == NULL) return result;
        return run_journal_set_output(&migration->journal, migration->output, error);
    }
    if (migration->output == NULL) {
        error_set(error, ERROR_USAGE, "a run into a network needs its journal");
        error_hint(error,
                   "leave --no-journal away: only the journal knows a device while it is at neither network");
        return -ERROR_USAGE;
    }
    if (!migration->output->regular) {
        error_set(error, ERROR_USAGE, "without a journal, %s has to be a file", migration->output->name);
        error_hint(error, "leave --no-journal away, or write to a file: --output FILE");
        return -ERROR_USAGE;
    }
    log_printf(&migration->session->console->log, LOG_WARN,
               "without a journal this run can neither be resumed nor rolled back");
    return 0;
}

// True if standard output is a pipe or a file: a terminal, or /dev/null, is no place that somebody chose for devices.
static bool output_is_redirected(void) {
    struct stat status;
    return fstat(STDOUT_FILENO, &status) == 0 && !S_ISCHR(status.st_mode);
}

// The run's own output goes on, wherever standard output goes: that is a pipe or a file too where a machine has started
// the program and keeps what it says. Another file has to be named, or the own one be gone.
static bool goes_on(const char *path, const struct file_identity *own) {
    if (own->path == NULL) return false;
    if (path != NULL) return file_is_at(own, path);
    return file_is_at(own, own->path) || file_is_standard_output(own) || !output_is_redirected();
}

static void tell_unused(const struct migration *migration, const char *path,
                        const struct file_identity *own) {
    if (path != NULL || !output_is_redirected() || file_is_standard_output(own)) return;
    log_printf(&migration->session->console->log, LOG_INFO,
               "goes on in %s, not on standard output; to have every line of the run written again: --output "
               "NEWFILE",
               own->path);
}

// Writes every line of the run to another output. First the journal names it: whoever goes on after an interruption goes on
// with this file. If it cannot be written, the former one counts again, if there is one.
static int change_output(struct migration *migration, const struct file_identity *former,
                         struct error *error) {
    struct run_journal *journal = &migration->journal;
    int result = run_journal_set_output(journal, migration->output, error);
    if (result != 0) return result;
    result = output_resume(migration->output, false, migration->invocation.target, journal->journal,
                           &migration->output_size, error);
    bool back =
        result != 0 && result != -ERROR_CANCELLED && former->path != NULL && file_is_at(former, former->path);
    // What went wrong before is what the user has to know.
    if (back) (void)run_journal_keep_output(journal, former, NULL);
    return result;
}

int migration_reopen_output(struct migration *migration, struct error *error) {
    if (!has_output(migration)) return 0;
    struct file_identity former = {0};
    const char *path = option_string(migration->session->invocation->global, "output");
    int result = run_journal_output(&migration->journal, &former, error);
    bool own = result == 0 && goes_on(path, &former);
    if (own) {
        result = file_open_again(&former, &migration->output, error);
    } else if (result == 0 && path != NULL) {
        result = file_create_output(path, signals_halt_fd(), &migration->output, error);
    } else if (result == 0) {
        result = open_standard_output(migration, error);
    }
    if (result == 0) warn_unlocked(migration);
    if (result == 0 && own) {
        tell_unused(migration, path, &former);
        result = output_resume(migration->output, true, migration->invocation.target,
                               migration->journal.journal, &migration->output_size, error);
    } else if (result == 0) {
        result = change_output(migration, &former, error);
    }
    file_identity_release(&former);
    return result;
}

int migration_open_files(struct migration *migration, struct error *error) {
    int result = open_output(migration, error);
    if (result == 0) warn_unlocked(migration);
    return result != 0 ? result : open_journal(migration, error);
}
