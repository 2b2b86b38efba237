// SPDX-License-Identifier: Apache-2.0
// Scripts that complete command lines in a shell, made from the tables of commands, sources and options.
#ifndef CLI_COMPLETION_H
#define CLI_COMPLETION_H

#include "base/buffer.h"
#include "cli/command.h"

// The shells, separated by spaces.
#define COMPLETION_SHELLS "bash zsh fish"

// Appends the script for a shell; ERROR_USAGE if there is none for it.
int completion_write(const char *shell, const struct source_driver *const *sources, struct buffer *script,
                     struct error *error);

#endif
