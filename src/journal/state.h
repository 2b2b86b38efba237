// SPDX-License-Identifier: Apache-2.0
// The life of a device:
//
//   PLANNED -> READ -> CONVERTED -> RECORDED -> RELEASING -> RELEASED -> CONFIRMED
//      \________\__________\___ FAILED               \__________\__________\___ RESTORING -> RESTORED
//
// READ and CONVERTED are passed in memory. RECORDED: the journal holds the device as its source gave it and as it
// was converted. RELEASING: its line is out, and the source may have been changed: what became of that is
// looked up. RELEASED: the source is known to have given it up. A device that cannot be released stays RELEASING.
#ifndef JOURNAL_STATE_H
#define JOURNAL_STATE_H

#include <stdbool.h>
#include <stddef.h>

// The numbers are kept in journals: they never change their meaning.
enum device_state {
    DEVICE_PLANNED = 0,
    DEVICE_READ = 1,
    DEVICE_CONVERTED = 2,
    DEVICE_RECORDED = 3,
    DEVICE_RELEASING = 5,
    DEVICE_RELEASED = 6,
    DEVICE_CONFIRMED = 9,
    DEVICE_FAILED = 20,
    DEVICE_RESTORING = 30,
    DEVICE_RESTORED = 31,
};

// "recorded", ...; for people and for machines. "unknown" for a number that is none.
const char *device_state_name(enum device_state state);

// All states, in the order of a life; *ret_count is their number.
const enum device_state *device_states(size_t *ret_count);

#endif
