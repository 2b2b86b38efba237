// SPDX-License-Identifier: Apache-2.0
#include "cli/migration_p.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "cli/console.h"
#include "cli/formatter_files.h"
#include "cli/input.h"
#include "cli/map_file.h"
#include "cli/progress.h"
#include "cli/signals.h"
#include "cli/terminal.h"
#include "journal/key_set.h"
#include "net/curl_transport.h"
#include "target/target.h"

static const char *environment(const char *name) {
    return getenv(name);
}

const struct option_values *migration_global(const struct migration *migration) {
    return migration->invocation.global;
}

bool migration_releases(const struct migration *migration) {
    return !migration->dry_run && !migration->source->keeps &&
           (migration->invocation.source->features & SOURCE_CHANGES) != 0;
}

bool migration_changes(const struct migration *migration) {
    return migration_releases(migration) || (!migration->dry_run && migration->target != NULL);
}

// ---- source, target and run

static int open_source(struct migration *migration, struct error *error) {
    const struct source_setup setup = {
        .options = migration->invocation.source_options,
        .plans = migration->plans.plans,
        .naming = &migration->naming,
        .map = migration->map,
        .clock = &clock_system,
        .random = &random_system,
        .dry_run = migration->dry_run,
        .to_server = target_is_server(migration->invocation.target),
        .gateways = migration->gateways,
        .redirect = migration->redirect,
        .input = migration->input,
        .seen = migration->seen,
    };
    int result = migration->invocation.source->open(&setup, &migration->source, error);
    if (result == 0 && migration->source->warning != NULL) {
        log_printf(&migration->session->console->log, LOG_WARN, "%s", migration->source->warning);
    }
    return result;
}

static int open_target(struct migration *migration, struct error *error) {
    const struct target_driver *driver = migration->invocation.target;
    if (!target_is_server(driver)) return 0;
    const struct target_setup setup = {
        .options = migration->invocation.target_options,
        .plans = migration->plans.plans,
        .clock = &clock_system,
        .random = &random_system,
        .dry_run = migration->dry_run,
        .create_application = option_bool(migration_global(migration), "create-application"),
        .gateways = migration->gateways,
        .rollback = migration->kind == MIGRATION_ROLLBACK,
    };
    int result = driver->open(&setup, &migration->target, error);
    if (result == 0 && migration->target->warning != NULL) {
        log_printf(&migration->session->console->log, LOG_WARN, "%s", migration->target->warning);
    }
    return result;
}

static enum run_conflict conflict_of(const struct option_values *global) {
    const char *text = option_string(global, "on-conflict");
    if (strcmp(text, "skip") == 0) return CONFLICT_SKIP;
    return strcmp(text, "update") == 0 ? CONFLICT_UPDATE : CONFLICT_FAIL;
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
    if (numbers->checking) shown.done = numbers->checked + numbers->failed + numbers->skipped;
    if (numbers->waiting) shown.done = numbers->total - numbers->silent;
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
        .mode = progress_mode_of(migration_global(migration)),
        .fd = STDERR_FILENO,
        .gateways = migration->gateways,
        .terminal = terminal_redraws(STDERR_FILENO) && !console->json,
        .clock = &clock_system,
        .log = &console->log,
        .columns = terminal_columns,
        .foreground = terminal_foreground,
    });
    console->progress = migration->progress;
}

static void look_at_space(void *context, struct space *ret_journal, struct space *ret_output) {
    const struct migration *migration = context;
    struct file_identity identity = {0};
    if (migration->journal.path != NULL) space_look(migration->journal.path, ret_journal);
    bool regular = migration->output != NULL && file_identify(migration->output, &identity);
    if (regular) space_look(identity.path, ret_output);
    file_identity_release(&identity);
}

static int write_formatters(void *context, const char *application,
                            const Tts__MessagePayloadFormatters *formatters, struct error *error) {
    const struct migration *migration = context;
    const struct log *log = &migration->session->console->log;
    const char *folder = option_string(migration_global(migration), "formatters");
    const struct formatter_file files[] = {
        {.name = "uplink.js", .script = formatters->up_formatter_parameter, .again = true},
        {.name = "downlink.js", .script = formatters->down_formatter_parameter, .again = true},
    };
    int result = 0;
    for (size_t i = 0; i < sizeof files / sizeof *files && result == 0; i++) {
        result = formatter_file_write(log, folder, application, &files[i], error);
    }
    return result;
}

static struct run_formatters formatters_of(struct migration *migration) {
    const struct option_values *global = migration_global(migration);
    return (struct run_formatters){
        .off = option_bool(global, "no-formatters"),
        .context = migration,
        .write = option_string(global, "formatters") != NULL ? write_formatters : NULL,
    };
}

// The journal's name without its folder, which is nobody's business at the target.
static void name_run(struct migration *migration) {
    if (migration->target == NULL || migration->journal.path == NULL) return;
    const char *slash = strrchr(migration->journal.path, '/');
    const char *name = slash == NULL ? migration->journal.path : slash + 1;
    const char *dot = strrchr(name, '.');
    migration->mark = dot == NULL ? memory_strdup(name) : memory_strndup(name, (size_t)(dot - name));
    migration->target->run = migration->mark;
}

static int open_run(struct migration *migration, struct error *error) {
    const struct option_values *global = migration_global(migration);
    name_run(migration);
    const struct run_setup setup = {
        .driver = migration->invocation.source,
        .source = migration->source,
        .target = migration->invocation.target,
        .target_instance = migration->target,
        .on_conflict = conflict_of(global),
        .plan_only = migration->plan_only,
        .no_plan = option_bool(global, "no-plan"),
        .output = migration->output,
        .output_size = migration->output_size,
        .journal = migration->journal.journal,
        .transport = migration->transport,
        .clock = &clock_system,
        .random = &random_system,
        .space = {.context = migration, .look = look_at_space},
        .formatters = formatters_of(migration),
        .log = &migration->session->console->log,
        .naming = &migration->naming,
        .map = migration->map,
        .plans = migration->plans.plans,
        .observer = {.context = migration, .progress = show_progress, .interrupts = count_interrupts},
        .concurrency = (unsigned)option_uint(global, "concurrency"),
        .rate = option_rate(global, "rate"),
        .timeout = option_duration(global, "timeout"),
        .dry_run = migration->dry_run,
        .keep_going = migration->plan_only || option_bool(global, "keep-going"),
        .gateways = migration->gateways,
        .redirect = migration->redirect,
        .redirect_key = migration->redirect_key,
    };
    migration->run = run_new(&setup, error);
    if (migration->run == NULL) return -(int)error->code;
    // A run that keeps nothing can still be reported.
    if (migration->journal.journal != NULL || migration->report == NULL) return 0;
    return run_journal_describe(run_memory(migration->run), &migration->invocation, environment, error);
}

// Before anything is done: who asked for a report must not learn at the end that it cannot be written.
static int open_report(struct migration *migration, struct error *error) {
    const char *path = option_string(migration->session->invocation->global, "report");
    return path == NULL ? 0 : file_create_output(path, signals_halt_fd(), &migration->report, error);
}

// The source's file, for a run that does not know its devices yet.
static int open_input(struct migration *migration, struct error *error) {
    int result = input_open(&migration->invocation, &migration->input, error);
    if (result != 0 || migration->input == NULL) return result;
    return key_set_open_temporary(&migration->seen, error);
}

static int open_map(struct migration *migration, struct error *error) {
    if (migration->kind == MIGRATION_ROLLBACK) return 0;
    return map_file_open(migration_global(migration), &migration->session->console->log, signals_halt_fd(),
                         migration->plans.plans, &migration->map, error);
}

// What depends on options alone; nothing is contacted.
static int open_parts(struct migration *migration, struct error *error) {
    const struct option_values *global = migration_global(migration);
    int result = migration_open_gateways(migration, error);
    if (result != 0) return result;
    // Gateways keep their IDs.
    if (!migration->gateways)
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
    result = plan_set_open(global, setup.log, setup.wake_fd, &migration->plans, error);
    if (result == 0) result = open_map(migration, error);
    if (result == 0) result = open_source(migration, error);
    return result != 0 ? result : open_target(migration, error);
}

int migration_open(struct migration *migration, const struct session *session, struct error *error) {
    *migration =
        (struct migration){.session = session, .invocation = *session->invocation, .kind = MIGRATION_NEW};
    migration->started = clock_monotonic(&clock_system);
    migration->plan_only = option_bool(migration_global(migration), "plan");
    migration->dry_run = migration->plan_only || option_bool(migration_global(migration), "dry-run");
    int result = open_input(migration, error);
    if (result == 0) result = open_parts(migration, error);
    if (result == 0) result = open_report(migration, error);
    if (result == 0) result = migration_open_files(migration, error);
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
        log_printf(&migration->session->console->log, LOG_INFO, "%llu %s%s tried again",
                   (unsigned long long)count, migration->gateways ? "gateway" : "device",
                   count == 1 ? " is" : "s are");
    return result != 0 ? result : journal_commit(migration->journal.journal, error);
}

static int check_output(const struct migration *migration, struct error *error) {
    const struct target_driver *target = migration->invocation.target;
    if (!target_is_server(target) || !option_given(migration->session->invocation->global, "output"))
        return 0;
    error_set(error, ERROR_USAGE, "--output means nothing: the run's target is the server %s", target->name);
    error_hint(error, "leave it away");
    return -ERROR_USAGE;
}

// Devices that an earlier process left reserved at the target are there as they were converted then.
static int check_reserved(const struct migration *migration, struct error *error) {
    const struct option_values *given = migration->session->invocation->source_options;
    uint64_t reserved = 0;
    bool converts = false;
    for (const struct option_spec *spec = given == NULL ? NULL : option_table(given);
         spec != NULL && spec->name != NULL; spec++)
        converts = converts || ((spec->flags & OPTION_CONVERTS) && option_given(given, spec->name));
    if (!converts) return 0;
    int result = journal_count_all(migration->journal.journal, DEVICE_RESERVING, &reserved, error);
    if (result != 0 || reserved == 0) return result;
    error_set(error, ERROR_USAGE,
              "%llu device%s still reserved at the target as the run's former flags had %s",
              (unsigned long long)reserved, reserved == 1 ? " is" : "s are", reserved == 1 ? "it" : "them");
    error_hint(error, "first go on without new flags: ttn-lw-migrate resume --keep-going");
    return -ERROR_USAGE;
}

struct telling {
    struct migration *migration;
    const char *source;
};

// A flag that is given anew stays, so whoever has made a mistake has to correct it: said before anything is done with it.
static int tell_given(void *context, const struct option_spec *spec, const char *text, struct error *error) {
    const struct telling *telling = context;
    if ((spec->flags & OPTION_CONVERTS) == 0) return 0;
    char *name MEMORY_AUTO = memory_printf("source.%s", spec->name);
    char *before MEMORY_AUTO = NULL;
    int result = journal_property(telling->migration->journal.journal, name, &before, error);
    if (result != 0 || (before != NULL && strcmp(before, text) == 0)) return result;
    log_printf(&telling->migration->session->console->log, LOG_INFO,
               "--%s.%s %s (before: %s) holds for devices that are not begun, and is kept for later "
               "resumes; to correct it, give the flag once more",
               telling->source, spec->name, text, before != NULL ? before : "none");
    return 0;
}

static int keep_given(struct migration *migration, struct error *error) {
    const struct invocation *given = migration->session->invocation;
    struct telling telling = {.migration = migration, .source = migration->invocation.source->name};
    int result = 0;
    if (given->source_options != NULL)
        result = option_each_given(given->source_options, tell_given, &telling, error);
    return result != 0 ? result : run_journal_keep_given(&migration->journal, given, false, error);
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
    if (result == 0 && kind == MIGRATION_RESUMED) result = check_output(migration, error);
    if (result == 0) result = open_parts(migration, error);
    if (result == 0 && kind == MIGRATION_RESUMED) result = check_reserved(migration, error);
    if (result == 0) result = open_report(migration, error);
    if (result == 0) result = keep_given(migration, error);
    if (result == 0 && kind == MIGRATION_RESUMED) result = retry_failed(migration, error);
    if (result == 0 && kind == MIGRATION_RESUMED) result = migration_reopen_output(migration, error);
    if (result != 0) return result;
    open_progress(migration);
    return open_run(migration, error);
}
