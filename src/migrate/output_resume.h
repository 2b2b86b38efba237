// SPDX-License-Identifier: Apache-2.0
// Continues the output of a run: every line of the journal once, none torn. Lines that are there are compared, a torn
// last one is cut off, those that are missing are written.
#ifndef MIGRATE_OUTPUT_RESUME_H
#define MIGRATE_OUTPUT_RESUME_H

#include "base/file.h"
#include "journal/journal.h"
#include "target/target.h"

// `continued`: the file is the run's own, with what was written before; otherwise it is a new one that gets every line.
// Devices whose line was not out are planned again, since they are to be read anew. ERROR_OUTPUT if the run's own
// file holds something else than the run's lines: nothing is changed then. Commits. *ret_size: the bytes of whole lines
// that the file holds then, for run_setup.
int output_resume(struct file *file, bool continued, const struct target_driver *target,
                  struct journal *journal, uint64_t *ret_size, struct error *error);

#endif
