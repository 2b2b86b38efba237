// SPDX-License-Identifier: Apache-2.0
// Signals: SIGINT, SIGTERM and SIGHUP halt a run (the first: finish what is in flight; the second: at once;
// the third ends the process where it stands), SIGUSR1 asks for its status. SIGPIPE is ignored: a closed
// pipe shows as an error where it is written to.
#ifndef CLI_SIGNALS_H
#define CLI_SIGNALS_H

#include <stdbool.h>

#include "base/error.h"

// Installs the handlers, once for the process. What was ignored at start (nohup) stays so.
int signals_install(struct error *error);

// Signals to halt so far: 0, 1 = finish what is in flight, 2 or more = at once.
unsigned signals_halts(void);

// Becomes readable with the first signal to halt and stays so; for poll. -1 before signals_install.
int signals_halt_fd(void);

// The exit code for the first signal to halt: 130 for SIGINT, 143 for SIGTERM, 129 for SIGHUP; 0 without one.
int signals_exit_code(void);

// True once after each SIGUSR1.
bool signals_take_status(void);

#endif
