// SPDX-License-Identifier: Apache-2.0
// What the process does to itself before anything else.
#ifndef CLI_PROCESS_H
#define CLI_PROCESS_H

#include <stdbool.h>

#include "base/error.h"

// Opens descriptors 0 to 2 if they are closed, so that no file or connection gets their numbers: on
// /dev/null, but standard input only for writing and the others only for reading, so that using them
// still is an error. Must come before anything is opened. -1 if that is impossible.
int process_open_descriptors(void);

// True if something can be read from standard input: it was open at start, and is no terminal.
bool process_has_input(void);

// Keeps keys from others: no core dump, no tracing by other processes, new files only for their owner, and libraries
// wipe what they give back. Must come before any of these libraries is used.
int process_protect(struct error *error);

#endif
