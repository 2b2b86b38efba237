// SPDX-License-Identifier: Apache-2.0
// What a plan tells: what would become of each device.
#ifndef CLI_PLAN_TABLE_H
#define CLI_PLAN_TABLE_H

#include "cli/command.h"
#include "journal/journal.h"
#include "migrate/run.h"

struct plan_table {
    struct journal *journal;  // borrowed; the memory of a run that was only planned
    const struct run_numbers *numbers;
    const struct run *run;        // borrowed; for what was found out of payload formatters
    const char *source, *target;  // titles
    bool gateways;                // it is about gateways, not devices
    bool json;
};

// Writes it to standard output: devices that cannot go with the reason, those of which something is to be known, and the
// rest as a number; as JSON every device.
int plan_table_write(const struct plan_table *table, struct error *error);

#endif
