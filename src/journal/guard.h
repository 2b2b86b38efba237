// SPDX-License-Identifier: Apache-2.0
// Damage that SQLite itself does not see: a flipped bit in a value is still a value. So the values of devices that are not
// encrypted carry a hash of themselves and of the place where they stand, and all properties together have one. The write-
// ahead log of another journal is told by the journal's ID.
#ifndef JOURNAL_GUARD_H
#define JOURNAL_GUARD_H

#include "journal/journal_p.h"

enum { GUARD_SIZE = 8 };

// Appends `data` and its hash.
void guard_close(const char *place, const void *data, size_t size, struct buffer *guarded);

// Appends what was guarded, without the hash. ERROR_INPUT if it is damaged or stood elsewhere.
int guard_open(const char *place, const void *guarded, size_t size, struct buffer *data, struct error *error);

// The plain columns of a device that are acted upon or told, and SQL's expression for the mark that vouches for them. The
// function it calls belongs to this program: nothing else writes such a journal.
#define GUARD_ROW_COLUMNS                                                                             \
    "sequence, application, id, device_id, state, session, complete, reason, attempts, line, claim, " \
    "progress, f_cnt_up, n_f_cnt_down, a_f_cnt_down"
#define GUARD_ROW_MARK "guard_row(" GUARD_ROW_COLUMNS ")"

// Makes that function known to a new connection. ERROR_OUTPUT.
int guard_connect(struct journal *journal, struct error *error);

// Marks a new journal: from now on its values are guarded.
int guard_begin(struct journal *journal, struct error *error);

// Puts the hash of all properties into the journal, if they have changed; belongs before each commit.
int guard_properties(struct journal *journal, struct error *error);

// Finds out whether the values are guarded, and checks what has to be right before anything is done on the strength of the
// journal: properties, states, the log's journal; of the present version (`marked`) the marks of all rows too, and with
// `values` all values of devices. ERROR_INPUT.
int guard_check(struct journal *journal, const struct journal_place *place, bool marked, bool values,
                struct error *error);

// Checks that tables and columns are there for everything that a run does. ERROR_INPUT.
int guard_check_statements(struct journal *journal, struct error *error);

#endif
