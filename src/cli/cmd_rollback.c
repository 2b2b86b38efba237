// SPDX-License-Identifier: Apache-2.0
#include "cli/command.h"
#include "cli/console.h"
#include "cli/migration.h"

struct id_arguments {
    const struct invocation *invocation;
};

static int feed_arguments(void *context, run_id_receiver *receiver, void *receiver_context,
                          struct error *error) {
    const struct id_arguments *ids = context;
    int result = 0;
    for (size_t i = 1; i < ids->invocation->argument_count && result == 0; i++) {
        result = receiver(receiver_context, ids->invocation->arguments[i], error);
    }
    return result;
}

static void tell_silent(void *context, const char *id) {
    const struct migration *migration = context;
    log_write(&migration->session->console->log, &(struct log_record){
                                                     .level = LOG_INFO,
                                                     .message = "was not heard: goes back",
                                                     .device_id = id,
                                                 });
}

// Only those go back that the target does not hear.
static int rollback_silent(struct migration *migration, struct error *error) {
    const struct option_values *global = migration->session->invocation->global;
    const struct run_verification wanted = {
        .wait = option_duration(global, "wait-uplink"),
        .restore_silent = true,
        .context = migration,
        .tell_silent = tell_silent,
    };
    int result = run_verify(migration->run, &wanted, error);
    return result != 0 ? result : run_rollback_marked(migration->run, error);
}

enum exit_code cmd_rollback(const struct session *session) {
    const struct invocation *invocation = session->invocation;
    const char *name = invocation->argument_count > 0 ? invocation->arguments[0] : NULL;
    struct id_arguments ids = {.invocation = invocation};
    struct migration migration = {.session = session, .kind = MIGRATION_ROLLBACK};
    ERROR_AUTO error = {0};
    int result = migration_open_again(&migration, session, name, MIGRATION_ROLLBACK, &error);
    if (result == 0 && option_bool(invocation->global, "silent")) {
        result = rollback_silent(&migration, &error);
    } else if (result == 0) {
        run_id_feed *feed = invocation->argument_count > 1 ? feed_arguments : NULL;
        result = run_rollback(migration.run, feed, &ids, &error);
    }
    return migration_end(&migration, result, &error);
}
