// SPDX-License-Identifier: Apache-2.0
// The devices of a journal for those who only want to show them: all applications in one go, one device at a time in
// memory, nothing of what is secret. An encrypted journal needs no key for this.
#ifndef JOURNAL_ROWS_H
#define JOURNAL_ROWS_H

#include "journal/journal.h"

// Everything is borrowed during the call.
struct journal_row {
    const char *application;
    const char *id;          // at the source
    const char *device_id;   // at the target; NULL = not known yet
    const uint8_t *dev_eui;  // 8 bytes, or NULL
    enum device_state state;
    uint64_t line;  // in the output; 0 = none
    unsigned attempts;
    const char *reason;  // NULL = none
};

enum journal_rows {
    JOURNAL_ROWS_ALL,
    JOURNAL_ROWS_TOLD,  // with a reason, or in a state that somebody has to look at
};

// Tells the devices in the order of the input; ends with what the receiver returns if it is not 0.
typedef int journal_row_receiver(void *context, const struct journal_row *row, struct error *error);
int journal_each_row(struct journal *journal, enum journal_rows which, journal_row_receiver *receiver,
                     void *context, struct error *error);

// Tells how many devices of all applications are in each state that there is.
typedef void journal_count_receiver(void *context, enum device_state state, uint64_t count);
int journal_each_count(struct journal *journal, journal_count_receiver *receiver, void *context,
                       struct error *error);

// From here on a journal that is open for reading shows one and the same moment, whatever is written meanwhile.
int journal_hold(struct journal *journal, struct error *error);

#endif
