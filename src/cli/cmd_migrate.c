// SPDX-License-Identifier: Apache-2.0
// The commands `application`, `device` and `gateway`: which devices a new run is about.
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "cli/command.h"
#include "cli/console.h"
#include "cli/ids.h"
#include "cli/input.h"
#include "cli/migration.h"
#include "cli/plan_table.h"
#include "cli/process.h"
#include "cli/signals.h"
#include "target/target.h"

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

// *ret_count may be NULL.
static int deliver_ids(const struct invocation *invocation, enum ids_origin origin, ids_receiver *receiver,
                       void *context, uint64_t *ret_count, struct error *error) {
    if (origin == IDS_ARGUMENTS)
        return ids_deliver_arguments(invocation, receiver, context, ret_count, error);
    const struct ids_input input = {.fd = STDIN_FILENO, .halt_fd = signals_halt_fd()};
    return ids_deliver_input(&input, receiver, context, ret_count, error);
}

// One application after the other, each once.
static int migrate_applications(struct migration *migration, enum ids_origin origin, struct error *error) {
    const struct invocation *invocation = &migration->invocation;
    struct id_list list = {0};
    int result = 0;
    if (origin != IDS_DEFAULT) result = deliver_ids(invocation, origin, id_list_add, &list, NULL, error);
    if (result == 0 && list.count == 0) {
        const char *application = migration->source->driver->default_application(migration->source);
        if (application != NULL) id_list_add(&list, application, error);
    }
    for (size_t i = 0; i < list.count && result == 0; i++) {
        result = run_register(migration->run, list.ids[i], error);
    }
    for (size_t i = 0; i < list.count && result == 0; i++) {
        bool again = false;
        for (size_t j = 0; j < i && !again; j++) again = strcmp(list.ids[i], list.ids[j]) == 0;
        if (again) {
            log_printf(&migration->session->console->log, LOG_WARN,
                       "application %s is named twice and counts once", list.ids[i]);
            continue;
        }
        result = run_application(migration->run, list.ids[i], error);
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
    uint64_t count;
};

static int feed_ids(void *context, run_id_receiver *receiver, void *receiver_context, struct error *error) {
    struct id_feed *feed = context;
    return deliver_ids(feed->invocation, feed->origin, receiver, receiver_context, &feed->count, error);
}

static int migrate_devices(struct migration *migration, enum ids_origin origin, struct error *error) {
    struct id_feed feed = {.invocation = &migration->invocation, .origin = origin};
    const char *application = migration->source->driver->default_application(migration->source);
    int result = run_devices(migration->run, application, feed_ids, &feed, error);
    // What makes the list may have nothing to tell.
    if (result == 0 && feed.count == 0)
        log_printf(&migration->session->console->log, LOG_WARN, "standard input held no ID of a device");
    return result;
}

static int feed_list(void *context, run_id_receiver *receiver, void *receiver_context, struct error *error) {
    const struct id_list *list = context;
    int result = 0;
    for (size_t i = 0; i < list->count && result == 0; i++)
        result = receiver(receiver_context, list->ids[i], error);
    return result;
}

// Gateways belong to a user, not to an application: the journal has one list of them.
static int migrate_gateways(struct migration *migration, enum ids_origin origin, struct error *error) {
    static const char list_name[] = "gateways";
    struct id_list list = {0};
    int result = 0;
    if (origin != IDS_DEFAULT) {
        result = deliver_ids(&migration->invocation, origin, id_list_add, &list, NULL, error);
    }
    if (result == 0 && list.count > 0) {
        result = run_devices(migration->run, list_name, feed_list, &list, error);
    } else if (result == 0) {
        result = run_register(migration->run, list_name, error);
        if (result == 0) result = run_application(migration->run, list_name, error);
    }
    for (size_t i = 0; i < list.count; i++) free(list.ids[i]);
    free(list.ids);
    return result;
}

static int show_plan(const struct migration *migration, struct error *error) {
    const struct plan_table table = {
        .journal = run_memory(migration->run),
        .numbers = run_numbers(migration->run),
        .run = migration->run,
        .source = migration->invocation.source->title,
        .target = migration->invocation.target->title,
        .gateways = migration->gateways,
        .json = option_bool(migration->invocation.global, "json"),
    };
    return plan_table_write(&table, error);
}

// The devices themselves are JSON anyway.
static int check_json(const struct invocation *invocation, struct error *error) {
    if (!option_bool(invocation->global, "json") || option_bool(invocation->global, "plan")) return 0;
    return error_set(error, ERROR_USAGE, "--json says how a plan is told: it goes with --plan alone");
}

static int check_formatters(const struct invocation *invocation, struct error *error) {
    if (!option_given(invocation->global, "formatters")) return 0;
    if (option_bool(invocation->global, "no-formatters"))
        return error_set(error, ERROR_USAGE, "--formatters and --no-formatters contradict each other");
    if (invocation->source->formatters != NULL) return 0;
    error_set(error, ERROR_USAGE, "the source %s has no payload formatters of applications",
              invocation->source->name);
    error_hint(error, "leave --formatters away; formatters of single devices go along with them");
    return -ERROR_USAGE;
}

// What would be left aside without a word.
static int check_target_flags(const struct invocation *invocation, struct error *error) {
    bool server = target_is_server(invocation->target);
    if (server && option_given(invocation->global, "output")) {
        error_set(error, ERROR_USAGE,
                  "--output means nothing with the target %s: devices go to a server then",
                  invocation->target->name);
        error_hint(error, "leave it away; a file of the devices is made with --to json and --dry-run");
        return -ERROR_USAGE;
    }
    static const char *const flags[] = {"on-conflict", "create-application"};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (server || !command_accepts(invocation->command, flags[i])) continue;
        if (!option_given(invocation->global, flags[i])) continue;
        error_set(error, ERROR_USAGE, "--%s means nothing with the target %s, which is no server", flags[i],
                  invocation->target->name);
        error_hint(error, "leave it away, or name a server: --to tts");
        return -ERROR_USAGE;
    }
    return 0;
}

// A file that does not say where its devices belong has them go into one application.
static int check_one_application(const struct invocation *invocation, bool applications,
                                 struct error *error) {
    if (!applications || (invocation->source->features & SOURCE_ONE_APPLICATION) == 0) return 0;
    for (size_t i = 1; i < invocation->argument_count; i++) {
        const char *first = invocation->arguments[0], *other = invocation->arguments[i];
        if (strcmp(first, other) == 0) continue;
        error_set(error, ERROR_USAGE,
                  "the devices of a file of the source %s can go into one application only: "
                  "%s or %s",
                  invocation->source->name, first, other);
        error_hint(error, "name one; --map FILE with a column application_id may give devices another one");
        return -ERROR_USAGE;
    }
    return 0;
}

// The source's option that asks for all there is, which needs no IDs.
static bool wants_all(const struct invocation *invocation) {
    const struct option_spec *spec = option_find(invocation->source->options, "all", 3);
    return spec != NULL && spec->type == OPTION_BOOL && option_bool(invocation->source_options, "all");
}

// A file is one list: without an ID, `application` is about all of it. Where standard input is that file, it holds no IDs.
static int find_origin(const struct invocation *invocation, bool applications, enum ids_origin *ret_origin,
                       struct error *error) {
    bool is_file = invocation->source->input != NULL;
    if (is_file && !applications && invocation->argument_count == 0 && input_is_standard(invocation)) {
        error_set(error, ERROR_USAGE, "there is no device ID, and standard input is the file of devices");
        error_hint(error, "ttn-lw-migrate %s application takes all of it; or name the file: --%s.%s FILE",
                   invocation->source->name, invocation->source->name, invocation->source->input);
        return -ERROR_USAGE;
    }
    bool no_ids = !process_has_input() || (applications && (is_file || wants_all(invocation)));
    return ids_find_origin(invocation, no_ids, applications, ret_origin, error);
}

typedef int migrate_kind(struct migration *migration, enum ids_origin origin, struct error *error);

// `lists`: without an ID, the command is about all that there is.
static enum exit_code migrate(const struct session *session, bool lists, migrate_kind *kind) {
    struct migration migration = {.session = session, .invocation = *session->invocation};
    enum ids_origin origin = IDS_ARGUMENTS;
    ERROR_AUTO error = {0};
    int result = check_json(session->invocation, &error);
    if (result == 0) result = check_formatters(session->invocation, &error);
    if (result == 0) result = check_target_flags(session->invocation, &error);
    if (result == 0) result = check_one_application(session->invocation, lists, &error);
    if (result == 0) result = input_check_arguments(session->invocation, &error);
    if (result == 0) result = find_origin(session->invocation, lists, &origin, &error);
    if (result == 0) result = migration_open(&migration, session, &error);
    if (result == 0) result = kind(&migration, origin, &error);
    if (result == 0 && migration.plan_only) result = show_plan(&migration, &error);
    if (result != 0) input_hint(session->invocation, &error);
    return migration_end(&migration, result, &error);
}

enum exit_code cmd_application(const struct session *session) {
    return migrate(session, true, migrate_applications);
}

enum exit_code cmd_device(const struct session *session) {
    return migrate(session, false, migrate_devices);
}

enum exit_code cmd_gateway(const struct session *session) {
    return migrate(session, true, migrate_gateways);
}
