// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "cli/command.h"
#include "cli/migration.h"

// A run whose devices were given one by one cannot go on before all of them were known; nothing was changed then.
static int check_known(struct migration *migration, struct error *error) {
    char *application = NULL;
    int result = journal_application(migration->journal.journal, 0, &application, error);
    if (result == 0 && application == NULL) {
        error_set(error, ERROR_INPUT, "the run ended before its devices were known: nothing was changed");
        error_hint(error, "start it anew");
        result = -ERROR_INPUT;
    }
    free(application);
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
