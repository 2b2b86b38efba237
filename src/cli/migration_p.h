// SPDX-License-Identifier: Apache-2.0
// What the files of a migration share: making it (migration.c), its files (migration_files.c), its end (migration_end.c).
#ifndef CLI_MIGRATION_P_H
#define CLI_MIGRATION_P_H

#include "cli/migration.h"

const struct option_values *migration_global(const struct migration *migration);

// True if the run changes its source, or anything at all.
bool migration_releases(const struct migration *migration);
bool migration_changes(const struct migration *migration);

// ---- migration_gateways.c

// Finds out whether the run is about gateways, and whether source and target can do that. ERROR_USAGE.
int migration_open_gateways(struct migration *migration, struct error *error);

// Opens output and journal of a new run, of a run that goes on.
int migration_open_files(struct migration *migration, struct error *error);
int migration_reopen_output(struct migration *migration, struct error *error);

#endif
