// SPDX-License-Identifier: Apache-2.0
// The end of a run: files, report, summary, exit code.
#include <stdlib.h>

#include "base/memory.h"
#include "cli/console.h"
#include "cli/migration_p.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/signals.h"
#include "cli/summary.h"
#include "journal/key_set.h"

static const char *environment(const char *name) {
    return getenv(name);
}

// A new run that has given no line and changed no network leaves nothing behind, unless it has set devices aside.
static bool migration_left_nothing(const struct migration *migration) {
    if (migration->kind != MIGRATION_NEW) return false;
    if (migration->run == NULL) return true;
    const struct run_numbers *numbers = run_numbers(migration->run);
    bool keep_going = option_bool(migration_global(migration), "keep-going");
    return numbers->written == 0 && numbers->begun == 0 && numbers->formatters == 0 &&
           (!keep_going || numbers->failed == 0);
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

static int write_report(const struct migration *migration, struct file *file, const struct error *ending,
                        struct error *error) {
    char *words MEMORY_AUTO = ending->code == ERROR_CANCELLED ? memory_strdup("interrupted")
                              : error_is_set(ending)          ? error_chain(ending)
                                                              : memory_strdup("by itself");
    char *name MEMORY_AUTO = run_journal_name(&migration->journal, environment);
    bool kept = !migration_left_nothing(migration);
    const struct report report = {
        .journal = run_memory(migration->run),
        .path = kept ? migration->journal.path : NULL,
        .name = kept ? name : NULL,
        .sources = migration->session->sources,
        .dry_run = migration->dry_run && migration->kind == MIGRATION_NEW,
        .ending = words,
        .now = clock_wall(&clock_system),
    };
    return report_write(&report, file, error);
}

// False if there should be a report and is none.
static bool close_report(struct migration *migration, const struct error *ending) {
    struct file *file = migration->report;
    if (file == NULL) return true;
    migration->report = NULL;
    ERROR_AUTO error = {0};
    int result = migration->run == NULL ? 0 : write_report(migration, file, ending, &error);
    if (result != 0 || migration->run == NULL) file->operations->discard(file);
    if (file->operations->close(file, result == 0 ? &error : NULL) != 0) result = -1;
    if (result != 0) {
        error_wrap(&error, ERROR_NONE, "the report could not be written");
        error_hint(&error, "ttn-lw-migrate report writes it again from the journal");
        console_error(migration->session->console, &error);
    }
    return result == 0;
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

// True if the application may have payload formatters that the file of devices has no place for.
static bool formatters_stay(const struct migration *migration) {
    const struct option_values *global = migration_global(migration);
    return migration->target == NULL && migration->invocation.source->formatters != NULL &&
           !option_given(global, "formatters") && !option_bool(global, "no-formatters");
}

static void summarise(struct migration *migration, const struct error *error) {
    const struct source_driver *driver = migration->invocation.source;
    bool stayed = migration->target != NULL && (migration->source->keeps || driver->restore == NULL);
    summary_write(&migration->session->console->log,
                  &(struct summary){
                      .numbers = run_numbers(migration->run),
                      .output = migration->output_name,
                      .journal = migration->journal_name,
                      .source = driver->title,
                      .target = migration->target != NULL ? migration->invocation.target->title : NULL,
                      .gateways = migration->gateways,
                      .rollback = migration->kind == MIGRATION_ROLLBACK,
                      .verify = migration->kind == MIGRATION_VERIFY,
                      .plan = migration->plan_only || (migration->target != NULL && migration->dry_run),
                      .counted = migration->plan_only && !error_is_set(error) &&
                                 !option_bool(migration_global(migration), "json"),
                      .resumed = migration->kind == MIGRATION_RESUMED,
                      .dry_run = migration->dry_run,
                      .formatters_stay = formatters_stay(migration),
                      .changes = migration_releases(migration),
                      .keeps = !migration->dry_run && migration->source->keeps &&
                               (migration->invocation.source->features & SOURCE_CHANGES) != 0,
                      .stayed = stayed,
                      .halted = error_is_set(error),
                      .interrupted = error->code == ERROR_CANCELLED,
                      .elapsed = clock_monotonic(&clock_system) - migration->started,
                  });
}

static enum exit_code end_code(const struct migration *migration, const struct error *error) {
    if (error->code == ERROR_CANCELLED) return (enum exit_code)signals_exit_code();
    if (error_is_set(error)) return exit_code_of(error);
    const struct run_numbers *numbers = run_numbers(migration->run);
    bool migrates = migration->kind == MIGRATION_NEW || migration->kind == MIGRATION_RESUMED;
    bool confirms = migration->invocation.source->confirm != NULL;
    bool unseen =
        migrates && migration_releases(migration) && confirms && numbers->confirmed < numbers->released;
    bool silent = migration->waits && numbers->silent > 0;
    bool incomplete = numbers->failed > 0 || numbers->formatters_failed > 0 || numbers->imperfect > 0 ||
                      numbers->unseen > 0 || unseen || silent;
    return incomplete ? EXIT_INCOMPLETE : EXIT_DONE;
}

// A row that fits no device may be a slip of the pen.
static void warn_unused(const struct migration *migration) {
    size_t line = 0;
    size_t unused = migration->map == NULL ? 0 : device_map_unused(migration->map, &line);
    if (unused == 0) return;
    log_printf(&migration->session->console->log, LOG_WARN,
               "%zu row%s of --map %s about no device of this run, the first in line %zu", unused,
               unused == 1 ? "" : "s", unused == 1 ? "is" : "are", line);
}

static void migration_free(struct migration *migration) {
    run_free(migration->run);
    migration->run = NULL;
    migration->session->console->progress = NULL;
    progress_free(migration->progress);
    if (migration->source != NULL) migration->source->driver->close(migration->source);
    if (migration->target != NULL) migration->target->driver->close(migration->target);
    free(migration->mark);
    reader_close(migration->input);
    key_set_free(migration->seen);
    device_map_free(migration->map);
    plan_set_release(&migration->plans);
    if (migration->transport != NULL) migration->transport->operations->free(migration->transport);
    free(migration->output_name);
    free(migration->journal_name);
    memory_free_secret(migration->redirect_key);
    // The rest of the invocation belongs to the session.
    if (migration->kind != MIGRATION_NEW) {
        option_values_free(migration->invocation.source_options);
        option_values_free(migration->invocation.target_options);
    }
}

// What a rehearsed rollback has noted did not happen: neither the report nor the next run may read it.
static void forget_rehearsal(const struct migration *migration, struct error *error) {
    if (!migration->dry_run || migration->kind != MIGRATION_ROLLBACK || migration->run == NULL) return;
    ERROR_AUTO late = {0};
    if (journal_abandon(migration->journal.journal, &late) != 0 && !error_is_set(error))
        error_move(error, &late);
}

// Keys that were given anew count for later runs too, once all was done with them.
static void keep_secrets(struct migration *migration, const struct error *error) {
    bool changes = migration->kind == MIGRATION_RESUMED || migration->kind == MIGRATION_ROLLBACK;
    if (!changes || migration->dry_run || migration->run == NULL || error_is_set(error)) return;
    const struct run_numbers *numbers = run_numbers(migration->run);
    if (numbers->failed > 0 || numbers->formatters_failed > 0 || numbers->begun + numbers->restored == 0)
        return;
    ERROR_AUTO late = {0};
    if (run_journal_keep_given(&migration->journal, migration->session->invocation, true, &late) != 0)
        console_error(migration->session->console, &late);
}

enum exit_code migration_end(struct migration *migration, int result, struct error *error) {
    enum exit_code code = migration->run == NULL ? exit_code_of(error) : end_code(migration, error);
    if (migration->progress != NULL) progress_end(migration->progress);
    forget_rehearsal(migration, error);
    keep_secrets(migration, error);
    if (!close_report(migration, error) && code == EXIT_DONE) code = EXIT_HALTED;
    if (close_files(migration, error) != 0 && result == 0) code = EXIT_HALTED;
    if (error->code == ERROR_CANCELLED) {
        log_printf(&migration->session->console->log, LOG_WARN, "%s", error_root(error)->message);
    } else if (error_is_set(error)) {
        console_error(migration->session->console, error);
    }
    if (result == 0 && migration->kind == MIGRATION_NEW) warn_unused(migration);
    if (migration->run != NULL) summarise(migration, error);
    run_journal_release(&migration->journal);
    migration_free(migration);
    return code;
}
