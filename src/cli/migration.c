// SPDX-License-Identifier: Apache-2.0
#include "cli/migration.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "cli/console.h"
#include "cli/progress.h"
#include "cli/signals.h"
#include "cli/summary.h"
#include "cli/terminal.h"
#include "migrate/output_resume.h"
#include "net/curl_transport.h"
#include "target/target.h"

static const char *environment(const char *name) {
    return getenv(name);
}

static const struct option_values *global_of(const struct migration *migration) {
    return migration->invocation.global;
}

static bool migration_changes(const struct migration *migration) {
    return !migration->dry_run && !migration->source->keeps &&
           (migration->invocation.source->features & SOURCE_CHANGES) != 0;
}

static const struct target_driver *target_of(const struct migration *migration) {
    return target_find(option_string(global_of(migration), "to"));
}

// ---- the output and the journal

static void warn_exposed(const struct migration *migration) {
    if (!migration->output->exposed) return;
    log_printf(
        &migration->session->console->log, LOG_WARN,
        "standard output is a file that other users of this machine can read, and it will hold keys: chmod "
        "600, or use --output FILE");
}

static int open_output(struct migration *migration, struct error *error) {
    const char *path = option_string(global_of(migration), "output");
    if (path != NULL) return file_create_output(path, &migration->output, error);
    int result = file_open_standard_output(&migration->output, error);
    if (result != 0) return result;
    if (migration_changes(migration) && file_shares_standard_error(migration->output)) {
        error_set(error, ERROR_USAGE, "standard output and standard error go to the same file");
        error_hint(error, "send the messages elsewhere (2> run.log), or use --output FILE");
        return -ERROR_USAGE;
    }
    warn_exposed(migration);
    return 0;
}

// A run that changes its source has a journal. Without one, its output must be a file: what is in a pipe is gone if
// the reader ends.
static int open_journal(struct migration *migration, struct error *error) {
    if (!migration_changes(migration)) return 0;
    if (!option_bool(global_of(migration), "no-journal")) {
        int result = run_journal_create(&migration->invocation, environment, &migration->journal, error);
        return result != 0 ? result : run_journal_set_output(&migration->journal, migration->output, error);
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

// The run's own output goes on, unless another one is named or standard output goes elsewhere.
static int reopen_output(struct migration *migration, struct error *error) {
    struct file_identity identity = {0};
    int result = run_journal_output(&migration->journal, &identity, error);
    const char *path = option_string(migration->session->invocation->global, "output");
    bool elsewhere = output_is_redirected() && !(identity.path != NULL && file_is_standard_output(&identity));
    bool own = path == NULL && identity.path != NULL && !elsewhere;
    if (result == 0 && own) {
        result = file_open_again(&identity, &migration->output, error);
    } else if (result == 0 && path != NULL) {
        result = file_create_output(path, &migration->output, error);
    } else if (result == 0) {
        result = file_open_standard_output(&migration->output, error);
        if (result == 0) warn_exposed(migration);
    }
    file_identity_release(&identity);
    // First: whoever goes on after an error here goes on with this file.
    if (result == 0 && !own) result = run_journal_set_output(&migration->journal, migration->output, error);
    if (result == 0) {
        result = output_resume(migration->output, own, target_of(migration), migration->journal.journal,
                               &migration->output_size, error);
    }
    return result;
}

// ---- source and run

static int open_source(struct migration *migration, struct error *error) {
    const struct source_setup setup = {
        .options = migration->invocation.source_options,
        .plans = migration->plans.plans,
        .naming = &migration->naming,
        .clock = &clock_system,
        .random = &random_system,
        .dry_run = migration->dry_run,
        .to_server = target_is_server(target_of(migration)),
    };
    int result = migration->invocation.source->open(&setup, &migration->source, error);
    if (result == 0 && migration->source->warning != NULL) {
        log_printf(&migration->session->console->log, LOG_WARN, "%s", migration->source->warning);
    }
    return result;
}

static void show_progress(void *context, const struct run_numbers *numbers) {
    struct migration *migration = context;
    struct progress_numbers shown = {
        .done = numbers->done,
        .total = numbers->total,
        .total_known = numbers->total_known,
        .failed = numbers->failed,
        .waiting_for = numbers->waiting_for,
        .activity = numbers->phase,
    };
    if (numbers->confirming) {
        shown.done = numbers->confirmed;
        shown.total = numbers->released;
    }
    progress_update(migration->progress, &shown);
    if (signals_take_status()) progress_status(migration->progress);
}

static unsigned count_interrupts(void *context) {
    (void)context;
    return signals_halts();
}

static enum progress_mode progress_mode_of(const struct option_values *global) {
    const char *text = option_string(global, "progress");
    if (strcmp(text, "always") == 0) return PROGRESS_ALWAYS;
    return strcmp(text, "never") == 0 ? PROGRESS_NEVER : PROGRESS_AUTO;
}

static void open_progress(struct migration *migration) {
    struct console *console = migration->session->console;
    migration->progress = progress_new(&(struct progress_setup){
        .mode = progress_mode_of(global_of(migration)),
        .fd = STDERR_FILENO,
        .terminal = terminal_redraws(STDERR_FILENO) && !console->json,
        .clock = &clock_system,
        .log = &console->log,
        .columns = terminal_columns,
        .foreground = terminal_foreground,
    });
    console->progress = migration->progress;
}

static int open_run(struct migration *migration, struct error *error) {
    const struct option_values *global = global_of(migration);
    const struct run_setup setup = {
        .driver = migration->invocation.source,
        .source = migration->source,
        .target = target_of(migration),
        .output = migration->output,
        .output_size = migration->output_size,
        .journal = migration->journal.journal,
        .transport = migration->transport,
        .clock = &clock_system,
        .random = &random_system,
        .log = &migration->session->console->log,
        .naming = &migration->naming,
        .plans = migration->plans.plans,
        .observer = {.context = migration, .progress = show_progress, .interrupts = count_interrupts},
        .concurrency = (unsigned)option_uint(global, "concurrency"),
        .rate = option_rate(global, "rate"),
        .timeout = option_duration(global, "timeout"),
        .dry_run = migration->dry_run,
        .keep_going = option_bool(global, "keep-going"),
    };
    migration->run = run_new(&setup, error);
    return migration->run == NULL ? -(int)error->code : 0;
}

// What depends on options alone; nothing is contacted.
static int open_parts(struct migration *migration, struct error *error) {
    const struct option_values *global = global_of(migration);
    migration->naming = (struct device_naming){
        .prefix = option_string(global, "dev-id-prefix"),
        .eui_as_id = option_bool(global, "set-eui-as-id"),
    };
    if (!device_prefix_valid(migration->naming.prefix)) {
        return error_set(
            error, ERROR_USAGE,
            "--dev-id-prefix %s: no ID can begin so; lower-case letters, digits and single hyphens",
            migration->naming.prefix);
    }
    const struct curl_transport_setup setup = {
        .log = &migration->session->console->log,
        .wake_fd = signals_halt_fd(),
    };
    migration->transport = curl_transport_new(&setup, error);
    if (migration->transport == NULL) return -(int)error->code;
    int result = plan_set_open(global, setup.log, setup.wake_fd, &migration->plans, error);
    return result != 0 ? result : open_source(migration, error);
}

int migration_open(struct migration *migration, const struct session *session, struct error *error) {
    *migration =
        (struct migration){.session = session, .invocation = *session->invocation, .kind = MIGRATION_NEW};
    migration->started = clock_monotonic(&clock_system);
    migration->dry_run = option_bool(global_of(migration), "dry-run");
    int result = open_parts(migration, error);
    if (result == 0) result = open_output(migration, error);
    if (result == 0) result = open_journal(migration, error);
    if (result != 0) return result;
    open_progress(migration);
    return open_run(migration, error);
}

// Devices that were set aside are tried again.
static int retry_failed(struct migration *migration, struct error *error) {
    if (!option_bool(migration->session->invocation->global, "failed")) return 0;
    uint64_t count = 0;
    int result =
        journal_change_states(migration->journal.journal, DEVICE_FAILED, DEVICE_PLANNED, &count, error);
    if (result == 0)
        log_printf(&migration->session->console->log, LOG_INFO, "%llu devices are tried again",
                   (unsigned long long)count);
    return result != 0 ? result : journal_commit(migration->journal.journal, error);
}

int migration_open_again(struct migration *migration, const struct session *session, const char *name,
                         enum migration_kind kind, struct error *error) {
    *migration = (struct migration){.session = session, .invocation = *session->invocation, .kind = kind};
    migration->started = clock_monotonic(&clock_system);
    migration->dry_run = option_bool(session->invocation->global, "dry-run");
    int result =
        run_journal_open(session->invocation->global, name, true, environment, &migration->journal, error);
    if (result == 0)
        result = run_journal_restore(&migration->journal, &migration->invocation, session->sources, error);
    if (result == 0) result = open_parts(migration, error);
    if (result == 0 && kind == MIGRATION_RESUMED) result = retry_failed(migration, error);
    if (result == 0 && kind == MIGRATION_RESUMED) result = reopen_output(migration, error);
    if (result != 0) return result;
    open_progress(migration);
    return open_run(migration, error);
}

// ---- the end

static uint64_t written_of(const struct migration *migration) {
    return migration->run == NULL ? 0 : run_numbers(migration->run)->written;
}

// A new run that has given no line leaves nothing behind, unless it has set devices aside.
static bool migration_left_nothing(const struct migration *migration) {
    if (migration->kind != MIGRATION_NEW || written_of(migration) > 0) return false;
    bool keep_going = option_bool(global_of(migration), "keep-going");
    return migration->run == NULL || !keep_going || run_numbers(migration->run)->failed == 0;
}

static int close_output(struct migration *migration, bool discard, struct error *error) {
    struct file *file = migration->output;
    if (file == NULL) return 0;
    migration->output = NULL;
    if (discard) file->operations->discard(file);
    ERROR_AUTO closing = {0};
    int result = file->operations->close(file, &closing);
    if (result != 0 && !error_is_set(error)) error_move(error, &closing);
    return result;
}

// Whoever finds a journal must find its output too: so the journal goes first.
static int close_files(struct migration *migration, struct error *error) {
    bool nothing = migration_left_nothing(migration);
    if (migration->output != NULL) migration->output_name = memory_strdup(migration->output->name);
    if (nothing) {
        run_journal_discard(&migration->journal);
    } else if (migration->journal.path != NULL) {
        migration->journal_name = memory_strdup(migration->journal.path);
    }
    return close_output(migration, nothing, error);
}

static void summarise(struct migration *migration, const struct error *error) {
    const struct source_driver *driver = migration->invocation.source;
    summary_write(&migration->session->console->log,
                  &(struct summary){
                      .numbers = run_numbers(migration->run),
                      .output = migration->output_name,
                      .journal = migration->journal_name,
                      .source = driver->title,
                      .rollback = migration->kind == MIGRATION_ROLLBACK,
                      .dry_run = migration->dry_run,
                      .changes = migration_changes(migration),
                      .halted = error_is_set(error),
                      .interrupted = error->code == ERROR_CANCELLED,
                      .elapsed = clock_monotonic(&clock_system) - migration->started,
                  });
}

static enum exit_code end_code(const struct migration *migration, const struct error *error) {
    if (error->code == ERROR_CANCELLED) return (enum exit_code)signals_exit_code();
    if (error_is_set(error)) return exit_code_of(error);
    const struct run_numbers *numbers = run_numbers(migration->run);
    bool unseen = migration->kind != MIGRATION_ROLLBACK && migration_changes(migration) &&
                  numbers->confirmed < numbers->released;
    return numbers->failed > 0 || numbers->imperfect > 0 || unseen ? EXIT_INCOMPLETE : EXIT_DONE;
}

static void migration_free(struct migration *migration) {
    run_free(migration->run);
    migration->run = NULL;
    migration->session->console->progress = NULL;
    progress_free(migration->progress);
    if (migration->source != NULL) migration->source->driver->close(migration->source);
    plan_set_release(&migration->plans);
    if (migration->transport != NULL) migration->transport->operations->free(migration->transport);
    free(migration->output_name);
    free(migration->journal_name);
    // The rest of the invocation belongs to the session.
    if (migration->kind != MIGRATION_NEW) option_values_free(migration->invocation.source_options);
}

enum exit_code migration_end(struct migration *migration, int result, struct error *error) {
    enum exit_code code = migration->run == NULL ? exit_code_of(error) : end_code(migration, error);
    if (migration->progress != NULL) progress_end(migration->progress);
    if (close_files(migration, error) != 0 && result == 0) code = EXIT_HALTED;
    if (error->code == ERROR_CANCELLED) {
        log_printf(&migration->session->console->log, LOG_WARN, "interrupted");
    } else if (error_is_set(error)) {
        console_error(migration->session->console, error);
    }
    if (migration->run != NULL) summarise(migration, error);
    run_journal_release(&migration->journal);
    migration_free(migration);
    return code;
}
