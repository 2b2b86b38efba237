// SPDX-License-Identifier: Apache-2.0
// The commands `application` and `device`: from options to a run of the engine, and from its end to an exit
// code.
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/console.h"
#include "cli/ids.h"
#include "cli/plans.h"
#include "cli/process.h"
#include "cli/progress.h"
#include "cli/signals.h"
#include "cli/state_directory.h"
#include "cli/summary.h"
#include "cli/terminal.h"
#include "migrate/run.h"
#include "net/curl_transport.h"
#include "target/target.h"

// Everything a run needs, in the order in which it is made.
struct migration {
    const struct session *session;
    struct transport *transport;
    struct plan_set plans;
    struct device_naming naming;
    struct source *source;
    struct file *output;
    struct file *copy;
    char *output_name;  // owned; the files are closed before the summary
    char *copy_name;    // owned
    struct progress *progress;
    struct run *run;
    bool dry_run;
    int64_t started;
};

static const struct option_values *global_of(const struct migration *migration) {
    return migration->session->invocation->global;
}

static void migration_close(struct migration *migration) {
    run_free(migration->run);
    free(migration->output_name);
    free(migration->copy_name);
    migration->session->console->progress = NULL;
    progress_free(migration->progress);
    if (migration->source != NULL) migration->source->driver->close(migration->source);
    plan_set_release(&migration->plans);
    if (migration->transport != NULL) migration->transport->operations->free(migration->transport);
}

static int open_output(struct migration *migration, struct error *error) {
    const char *path = option_string(global_of(migration), "output");
    if (path != NULL) return file_create_output(path, &migration->output, error);
    int result = file_open_standard_output(&migration->output, error);
    if (result == 0 && migration->output->exposed) {
        log_printf(&migration->session->console->log, LOG_WARN,
                   "standard output is a file that other users of this machine can read, and it will hold "
                   "keys: chmod 600, "
                   "or use --output FILE");
    }
    return result;
}

static const char *environment(const char *name) {
    return getenv(name);
}

// What is in a pipe is gone if its reader ends: a run that clears keys keeps a copy of every line.
static int open_copy(struct migration *migration, struct error *error) {
    const struct source_driver *driver = migration->session->invocation->source;
    if (migration->dry_run || (driver->features & SOURCE_CHANGES) == 0 || migration->output->regular)
        return 0;
    char *directory = NULL;
    int result = state_directory(environment, &directory, error);
    if (result == 0) {
        time_t now = (time_t)(clock_wall(&clock_system) / NS_PER_SECOND);
        struct tm parts;
        char stamp[32] = "";
        if (gmtime_r(&now, &parts) != NULL) strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &parts);
        char *path MEMORY_AUTO = memory_printf("%s/devices-%s-%ld.json", directory, stamp, (long)getpid());
        result = file_create_output(path, &migration->copy, error);
    }
    free(directory);
    if (result == 0) return 0;
    error_wrap(error, ERROR_NONE, "%s is no file, and a copy of the devices cannot be kept",
               migration->output->name);
    error_hint(error, "write to a file: --output FILE");
    return result;
}

static int open_source(struct migration *migration, struct error *error) {
    const struct invocation *invocation = migration->session->invocation;
    const struct source_setup setup = {
        .options = invocation->source_options,
        .plans = migration->plans.plans,
        .naming = &migration->naming,
        .clock = &clock_system,
        .random = &random_system,
        .dry_run = migration->dry_run,
    };
    int result = invocation->source->open(&setup, &migration->source, error);
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
        .driver = migration->session->invocation->source,
        .source = migration->source,
        .target = target_find(option_string(global, "to")),
        .output = migration->output,
        .copy = migration->copy,
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

static int migration_open(struct migration *migration, struct error *error) {
    const struct option_values *global = global_of(migration);
    migration->dry_run = option_bool(global, "dry-run");
    migration->naming = (struct device_naming){
        .prefix = option_string(global, "dev-id-prefix"),
        .eui_as_id = option_bool(global, "set-eui-as-id"),
    };
    migration->started = clock_monotonic(&clock_system);
    const struct curl_transport_setup setup = {
        .log = &migration->session->console->log,
        .wake_fd = signals_halt_fd(),
    };
    migration->transport = curl_transport_new(&setup, error);
    if (migration->transport == NULL) return -(int)error->code;
    int result = plan_set_open(global, setup.log, setup.wake_fd, &migration->plans, error);
    if (result == 0) result = open_source(migration, error);
    if (result == 0) result = open_output(migration, error);
    if (result == 0) result = open_copy(migration, error);
    if (result != 0) return result;
    open_progress(migration);
    return open_run(migration, error);
}

// ---- what is migrated

struct id_list {
    char **ids;  // owned
    size_t count;
};

static int id_list_add(void *context, const char *id, struct error *error) {
    (void)error;
    struct id_list *list = context;
    list->ids = memory_resize(list->ids, list->count + 1, sizeof *list->ids);
    list->ids[list->count++] = memory_strdup(id);
    return 0;
}

static int find_origin(struct migration *migration, bool has_default, enum ids_origin *ret_origin,
                       struct error *error) {
    return ids_find_origin(migration->session->invocation, !process_has_input(), has_default, ret_origin,
                           error);
}

static int deliver_ids(const struct invocation *invocation, enum ids_origin origin, ids_receiver *receiver,
                       void *context, struct error *error) {
    if (origin == IDS_ARGUMENTS) return ids_deliver_arguments(invocation, receiver, context, NULL, error);
    const struct ids_input input = {.fd = STDIN_FILENO, .halt_fd = signals_halt_fd()};
    return ids_deliver_input(&input, receiver, context, NULL, error);
}

// One application after the other, each once.
static int migrate_applications(struct migration *migration, enum ids_origin origin, struct error *error) {
    const struct invocation *invocation = migration->session->invocation;
    struct id_list list = {0};
    int result = 0;
    if (origin != IDS_DEFAULT) result = deliver_ids(invocation, origin, id_list_add, &list, error);
    if (result == 0 && list.count == 0) {
        const char *application = migration->source->driver->default_application(migration->source);
        if (application != NULL) id_list_add(&list, application, error);
    }
    for (size_t i = 0; i < list.count && result == 0; i++) {
        bool again = false;
        for (size_t j = 0; j < i && !again; j++) again = strcmp(list.ids[i], list.ids[j]) == 0;
        if (!again) result = run_application(migration->run, list.ids[i], error);
        if (result != 0 && result != -ERROR_CANCELLED && list.count > 1) {
            error_wrap(error, ERROR_NONE, "application %s", list.ids[i]);
        }
    }
    for (size_t i = 0; i < list.count; i++) free(list.ids[i]);
    free(list.ids);
    return result;
}

struct id_feed {
    const struct invocation *invocation;
    enum ids_origin origin;
};

static int feed_ids(void *context, run_id_receiver *receiver, void *receiver_context, struct error *error) {
    const struct id_feed *feed = context;
    return deliver_ids(feed->invocation, feed->origin, receiver, receiver_context, error);
}

static int migrate_devices(struct migration *migration, enum ids_origin origin, struct error *error) {
    struct id_feed feed = {.invocation = migration->session->invocation, .origin = origin};
    const char *application = migration->source->driver->default_application(migration->source);
    return run_devices(migration->run, application, feed_ids, &feed, error);
}

// ---- the end

static void summarise(struct migration *migration, const struct error *error) {
    const struct source_driver *driver = migration->session->invocation->source;
    const struct run_numbers *numbers = run_numbers(migration->run);
    if (numbers->total == 0 && numbers->done == 0 && error_is_set(error)) return;
    summary_write(&migration->session->console->log,
                  &(struct summary){
                      .numbers = numbers,
                      .output = migration->output_name,
                      .copy = migration->copy_name,
                      .source = driver->title,
                      .dry_run = migration->dry_run,
                      .changes = !migration->dry_run && (driver->features & SOURCE_CHANGES) != 0,
                      .halted = error_is_set(error),
                      .interrupted = error->code == ERROR_CANCELLED,
                      .elapsed = clock_monotonic(&clock_system) - migration->started,
                  });
}

static enum exit_code end_code(const struct migration *migration, const struct error *error) {
    if (error->code == ERROR_CANCELLED) return (enum exit_code)signals_exit_code();
    if (error_is_set(error)) return exit_code_of(error);
    return run_numbers(migration->run)->failed > 0 ? EXIT_INCOMPLETE : EXIT_DONE;
}

// A file that nothing was written to is taken away again: it would only be in the way next time.
static int close_files(struct migration *migration, struct error *error) {
    struct file *files[] = {migration->copy, migration->output};
    if (migration->copy != NULL) migration->copy_name = memory_strdup(migration->copy->name);
    if (migration->output != NULL) migration->output_name = memory_strdup(migration->output->name);
    uint64_t written = migration->run == NULL ? 0 : run_numbers(migration->run)->written;
    int result = 0;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        if (files[i] == NULL) continue;
        if (written == 0) files[i]->operations->discard(files[i]);
        ERROR_AUTO closing = {0};
        int closed = files[i]->operations->close(files[i], &closing);
        if (closed == 0) continue;
        result = closed;
        if (!error_is_set(error)) error_move(error, &closing);
    }
    return result;
}

static enum exit_code migrate(const struct session *session, bool applications) {
    struct migration migration = {.session = session};
    enum ids_origin origin = IDS_ARGUMENTS;
    ERROR_AUTO error = {0};
    int result = find_origin(&migration, applications, &origin, &error);
    if (result == 0) result = migration_open(&migration, &error);
    if (result == 0) {
        result = applications ? migrate_applications(&migration, origin, &error)
                              : migrate_devices(&migration, origin, &error);
    }
    enum exit_code code = migration.run == NULL ? exit_code_of(&error) : end_code(&migration, &error);
    if (migration.progress != NULL) progress_end(migration.progress);
    if (close_files(&migration, &error) != 0 && result == 0) code = EXIT_HALTED;
    if (error.code == ERROR_CANCELLED) {
        log_printf(&session->console->log, LOG_WARN, "interrupted");
    } else if (error_is_set(&error)) {
        console_error(session->console, &error);
    }
    if (migration.run != NULL) summarise(&migration, &error);
    migration_close(&migration);
    return code;
}

enum exit_code cmd_application(const struct session *session) {
    return migrate(session, true);
}

enum exit_code cmd_device(const struct session *session) {
    return migrate(session, false);
}
