// SPDX-License-Identifier: Apache-2.0
// What is particular to a run about gateways: whether source and target can do that, and what a redirect means.
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/console.h"
#include "cli/migration_p.h"

enum { KEY_FILE_MAX = 4096 };

static int find_out(struct migration *migration, struct error *error) {
    const struct command *command = migration->session->invocation->command;
    if (migration->kind == MIGRATION_NEW) {
        migration->gateways = (command->flags & COMMAND_GATEWAYS) != 0;
        return 0;
    }
    char *name MEMORY_AUTO = NULL;
    int result = run_journal_command(&migration->journal, &name, error);
    migration->gateways = name != NULL && strcmp(name, "gateway") == 0;
    return result;
}

static int check_drivers(const struct migration *migration, struct error *error) {
    const struct source_driver *source = migration->invocation.source;
    const struct target_driver *target = migration->invocation.target;
    if (source->list_gateways == NULL)
        return error_set(error, ERROR_USAGE, "the source %s has no gateways", source->name);
    if (!target_takes_gateways(target))
        return error_set(error, ERROR_USAGE, "gateways cannot go to the target %s", target->name);
    if (!migration->redirect) return 0;
    if (source->redirect_gateway == NULL)
        return error_set(error, ERROR_USAGE, "--redirect: %s cannot tell its gateways to go elsewhere",
                         source->title);
    if (target->create_gateway == NULL)
        return error_set(error, ERROR_USAGE, "--redirect needs a target that is a network: --to tts");
    return 0;
}

static int read_key(struct migration *migration, struct error *error) {
    const char *path = option_string(migration_global(migration), "redirect-key-file");
    size_t size = 0;
    if (path == NULL || migration->kind == MIGRATION_ROLLBACK) return 0;
    if (!migration->redirect) return error_set(error, ERROR_USAGE, "--redirect-key-file needs --redirect");
    int result = file_read_all(path, KEY_FILE_MAX, &migration->redirect_key, &size, error);
    if (result != 0) return error_wrap(error, ERROR_USAGE, "--redirect-key-file");
    migration->redirect_key[strcspn(migration->redirect_key, "\r\n \t")] = '\0';
    if (migration->redirect_key[0] != '\0') return 0;
    return error_set(error, ERROR_USAGE, "--redirect-key-file: %s holds no key", path);
}

// Said before anything is done: what it needs, and what cannot be undone.
static void warn(const struct migration *migration) {
    if (!migration->redirect || migration->kind == MIGRATION_ROLLBACK) return;
    log_printf(
        &migration->session->console->log, LOG_WARN,
        "--redirect: gateways that ask the source's CUPS (Basics Station) are told to go to the target. That "
        "needs the right to change their settings and to read and write their secrets; the source's operator "
        "must have switched redirects on, and the target must be reached by HTTPS with a certificate that "
        "the "
        "source can get. They ask at their start and about once a day, so it takes a day to show. Until a "
        "gateway has asked, rollback undoes it; after that the gateway is at the target, and nothing here "
        "brings it back");
}

int migration_open_gateways(struct migration *migration, struct error *error) {
    int result = find_out(migration, error);
    if (result != 0 || !migration->gateways) return result;
    migration->session->console->gateways = true;
    migration->redirect = option_bool(migration_global(migration), "redirect");
    result = check_drivers(migration, error);
    if (result == 0) result = read_key(migration, error);
    if (result == 0) warn(migration);
    return result;
}
