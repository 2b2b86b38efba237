// SPDX-License-Identifier: Apache-2.0
// The options that do not belong to a source.
#ifndef CLI_GLOBAL_OPTIONS_H
#define CLI_GLOBAL_OPTIONS_H

#include "base/option.h"

// All of them; which command takes which is in its row (cli/command.h).
extern const struct option_spec global_options[];

#endif
