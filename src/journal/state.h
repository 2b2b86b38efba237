// SPDX-License-Identifier: Apache-2.0
// The life of a device:
//
//   PLANNED -> READ -> CONVERTED -> RECORDED [-> RESERVING] -> RELEASING -> RELEASED [-> IMPORTED -> VERIFIED] -> CONFIRMED
//      \________\__________\___ FAILED, SKIPPED  \_____________\_____________\__ UNDOING -> FAILED, PLANNED
//                                                               \_____________\__ RESTORING -> RESTORED
//
// READ and CONVERTED are passed in memory; what stands in brackets only with a target that is a server. RECORDED: the
// journal holds the device as its source gave it and as it was converted. RESERVING: the target may know the device,
// without keys. RELEASING: its line is out, or it is reserved; the source may have been changed: what became of that is
// looked up. RELEASED: the source is known to have given it up, and the target may have its keys; RELEASING once more, with
// another record, if it turns out to have joined its source right before. IMPORTED: the target has all of it. VERIFIED: it
// was read back. CONFIRMED: the source was looked at once more. A device that cannot be
// released stays RELEASING. UNDOING: a step failed, and the device goes back: away from the target, then to its source.
// It is FAILED then, or PLANNED where the run halts or an earlier process left it UNDOING.
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
    DEVICE_RESERVING = 4,
    DEVICE_RELEASING = 5,
    DEVICE_RELEASED = 6,
    DEVICE_IMPORTED = 7,
    DEVICE_VERIFIED = 8,
    DEVICE_CONFIRMED = 9,
    DEVICE_FAILED = 20,
    DEVICE_UNDOING = 21,
    DEVICE_SKIPPED = 22,
    DEVICE_RESTORING = 30,
    DEVICE_RESTORED = 31,
};

// Whose the device at the target is.
enum device_claim {
    CLAIM_NONE = 0,     // nobody's: the run has made nothing there
    CLAIM_MADE = 1,     // the run's: it made it, or was about to
    CLAIM_UPDATED = 2,  // it was there, and the run changes it
    CLAIM_FOUND = 3,    // it was there, as it is to be
    CLAIM_LATE = 4,     // the run's; made after the source gave it up, which has its EUIs until then
};

// "recorded", ...; for people and for machines. "unknown" for a number that is none.
const char *device_state_name(enum device_state state);

// All states, in the order of a life; *ret_count is their number.
const enum device_state *device_states(size_t *ret_count);

#endif
