// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/migration.h"

static int nothing_known(const char *command, struct error *error) {
    bool gateways = command != NULL && strcmp(command, "gateway") == 0;
    error_set(error, ERROR_INPUT, "the run ended before its %s were known: nothing was changed",
              gateways ? "gateways" : "devices");
    error_hint(error, "start it anew");
    return -ERROR_INPUT;
}

// A run whose devices or gateways were given one by one cannot go on before all of them were known; one of whole
// applications can.
static int check_known(struct migration *migration, struct error *error) {
    struct journal *journal = migration->journal.journal;
    char *command = NULL;
    char *application = NULL;
    bool planned = false;
    int result = run_journal_command(&migration->journal, &command, error);
    if (result == 0) result = journal_application(journal, 0, &application, error);
    if (result == 0 && application == NULL) result = nothing_known(command, error);
    if (result == 0) result = journal_find_application(journal, application, &planned, error);
    bool by_ids = command != NULL && (strcmp(command, "device") == 0 || strcmp(command, "gateway") == 0);
    if (result == 0 && !planned && by_ids) result = nothing_known(command, error);
    free(application);
    free(command);
    return result;
}

enum exit_code cmd_resume(const struct session *session) {
    const struct invocation *invocation = session->invocation;
    const char *name = invocation->argument_count > 0 ? invocation->arguments[0] : NULL;
    if (option_bool(invocation->global, "dry-run")) return cmd_status(session);
    struct migration migration = {.session = session, .kind = MIGRATION_RESUMED};
    ERROR_AUTO error = {0};
    int result = migration_open_again(&migration, session, name, MIGRATION_RESUMED, &error);
    if (result == 0) result = check_known(&migration, &error);
    if (result == 0) result = run_resume(migration.run, &error);
    return migration_end(&migration, result, &error);
}
