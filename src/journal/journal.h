// SPDX-License-Identifier: Apache-2.0
// The run's memory: every device of the run in the order of the input, with its state and its record. It
// lives in SQLite, so that a fleet of any size needs little memory.
#ifndef JOURNAL_JOURNAL_H
#define JOURNAL_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "device/record.h"
#include "journal/state.h"

struct journal;

// A journal that lasts as long as the process: a temporary database that spills to an unlinked file only
// when it outgrows its cache.
int journal_open_temporary(struct journal **ret_journal, struct error *error);

// Accepts NULL.
void journal_close(struct journal *journal);

// Adds a device in state PLANNED behind those that are there; `device_id` is the ID that it will have, or
// NULL if that is not known yet. *ret_known is set, and nothing is changed, if its ID at the source is there
// already.
int journal_add(struct journal *journal, const struct source_record *record, const char *device_id,
                bool *ret_known, struct error *error);

// Gives a device that is there the bytes of a list's entry, unless it has some; others are ignored.
int journal_fill(struct journal *journal, const struct source_record *record, const char *device_id,
                 struct error *error);

// Which devices journal_next looks at.
enum journal_filter { JOURNAL_ANY, JOURNAL_WITH_SESSION, JOURNAL_WITHOUT_SESSION };

// The first device behind `after` (0: the first of all) that is in `state`. Returns 1 and fills the outputs
// (the record's members are owned by the caller), 0 if there is none, or an error.
int journal_next(struct journal *journal, int64_t after, enum device_state state, enum journal_filter filter,
                 int64_t *ret_sequence, struct source_record *ret_record, struct error *error);

// The same for the device with that ID at the source, whatever its state.
int journal_find(struct journal *journal, const char *id, int64_t *ret_sequence, enum device_state *ret_state,
                 struct source_record *ret_record, struct error *error);

// Keeps what reading completed, the ID that the device will have, and whether a session goes with it. If
// another device of the run has that ID, its ID at the source is put into *ret_other (the caller frees it)
// and nothing is changed.
int journal_store(struct journal *journal, int64_t sequence, const struct source_record *record,
                  const char *device_id, bool session, char **ret_other, struct error *error);

int journal_set_state(struct journal *journal, int64_t sequence, enum device_state state,
                      struct error *error);

// How many devices there are, and how many in one state.
int journal_total(struct journal *journal, uint64_t *ret_count, struct error *error);
int journal_count(struct journal *journal, enum device_state state, uint64_t *ret_count, struct error *error);

// Sets all devices that would get an ID which another device gets too to FAILED, and tells each.
typedef void journal_duplicate(void *context, const char *id, const char *device_id, const char *other);
int journal_fail_duplicates(struct journal *journal, journal_duplicate *tell, void *context,
                            uint64_t *ret_count, struct error *error);

// Forgets all devices: the next application of a run starts.
int journal_clear(struct journal *journal, struct error *error);

#endif
