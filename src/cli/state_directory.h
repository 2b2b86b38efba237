// SPDX-License-Identifier: Apache-2.0
// Where the program keeps what it must not forget: $XDG_STATE_HOME/ttn-lw-migrate, by default
// ~/.local/state/ttn-lw-migrate, readable for its owner alone.
#ifndef CLI_STATE_DIRECTORY_H
#define CLI_STATE_DIRECTORY_H

#include "base/error.h"
#include "base/option.h"

// Makes the directory if it is not there; the caller frees *ret_path. ERROR_OUTPUT if there is no place for
// it.
int state_directory(option_lookup *lookup, char **ret_path, struct error *error);

#endif
