// SPDX-License-Identifier: Apache-2.0
// `formatters check`: what V2's functions and a formatter of The Things Stack make of the same payloads.
#ifndef CLI_FORMATTERS_CHECK_H
#define CLI_FORMATTERS_CHECK_H

#include "cli/command.h"
#include "formatter/input.h"

// Runs them and writes the results to standard output. EXIT_INCOMPLETE if some are not the same, or cannot be checked.
enum exit_code formatters_check(const struct session *session, const struct formatter_input *input);

#endif
