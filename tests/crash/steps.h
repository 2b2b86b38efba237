// SPDX-License-Identifier: Apache-2.0
// What the crash matrix and the library that it loads into the program have in common: the program's steps are numbered,
// and at one of them something happens. A step is a call that changes a file, writes to a pipe on standard output, or
// sends to or receives from a network. Each fault has a numbering of its own, of the steps at which it can happen.
//
// The environment of the program says what is to happen:
//   CRASH_FAULT   a name of below; none: the steps are only counted
//   CRASH_STEP    at which step, from 1 on
//   CRASH_FROM    if set, at all later ones too
//   CRASH_COUNTS  a file for struct step_counts, which is also right after a kill
//   CRASH_TRACE   a file to which a line is added for each step
#ifndef CRASH_STEPS_H
#define CRASH_STEPS_H

#include <stdint.h>

enum step_fault {
    FAULT_KILL,       // SIGKILL after the call; what comes before a call is behind the one before it
    FAULT_KILL_HALF,  // SIGKILL when half of the bytes are out
    FAULT_ENOSPC,     // calls that fail
    FAULT_EDQUOT,
    FAULT_EIO,
    FAULT_EPIPE,       // on standard output
    FAULT_EPIPE_SEND,  // to a network
    FAULT_COUNT,
};

static const char *const step_fault_names[FAULT_COUNT] = {
    "kill", "kill-half", "ENOSPC", "EDQUOT", "EIO", "EPIPE", "EPIPE-send",
};

struct step_counts {
    uint64_t steps[FAULT_COUNT];  // at which each fault could happen
    uint64_t struck;              // how often it did
};

#endif
