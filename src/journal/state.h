// SPDX-License-Identifier: Apache-2.0
// The life of a device:
//
//   PLANNED -> READ -> CONVERTED -> RECORDED -> RELEASED -> CONFIRMED
//      \________\__________\___ FAILED
//
// RECORDED: its line is out and durable; nothing is changed at the source before. RELEASED: the source is
// known to have given it up. A device that fails after RECORDED stays there: its line is out, its keys are
// still at the source.
#ifndef JOURNAL_STATE_H
#define JOURNAL_STATE_H

// The numbers are kept in journals: they never change their meaning.
enum device_state {
    DEVICE_PLANNED = 0,
    DEVICE_READ = 1,
    DEVICE_CONVERTED = 2,
    DEVICE_RECORDED = 3,
    DEVICE_RELEASED = 6,
    DEVICE_CONFIRMED = 9,
    DEVICE_FAILED = 20,
};

// "recorded", ...; for people and for machines.
const char *device_state_name(enum device_state state);

#endif
