// SPDX-License-Identifier: Apache-2.0
// The program's exit codes. They are documented and stay as they are.
#ifndef CLI_EXIT_H
#define CLI_EXIT_H

#include "base/error.h"

enum exit_code {
    EXIT_DONE = 0,           // all done
    EXIT_HALTED = 1,         // halted by an error
    EXIT_USAGE = 2,          // wrong usage; nothing was contacted
    EXIT_INCOMPLETE = 3,     // finished, but some devices were set aside
    EXIT_INTERRUPTED = 130,  // SIGINT
    EXIT_TERMINATED = 143,   // SIGTERM
};

// The code for an error that ended a command.
static inline enum exit_code exit_code_of(const struct error *error) {
    return error->code == ERROR_USAGE ? EXIT_USAGE : EXIT_HALTED;
}

#endif
