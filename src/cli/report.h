// SPDX-License-Identifier: Apache-2.0
// The report of a run: an HTML page made from its journal, device by device, so that a fleet of any size needs little
// memory. Nothing secret is looked at: an encrypted journal needs no key.
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include "base/file.h"
#include "journal/journal.h"
#include "source/source.h"

// All borrowed.
struct report {
    struct journal *journal;
    const char *path;                            // of the journal; NULL = it is not kept
    const char *name;                            // what commands call it; NULL = it is not kept
    const struct source_driver *const *sources;  // ends with NULL
    bool dry_run;
    const char *ending;  // how the run ended, in words; NULL = not told
    int64_t now;         // ns since 1970-01-01 UTC
};

// Writes the page; a regular file is left as it was if that fails.
int report_write(const struct report *report, struct file *file, struct error *error);

#endif
