// SPDX-License-Identifier: Apache-2.0
// The file that the devices of a source are in, where the source is a file.
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include "base/reader.h"
#include "cli/command_line.h"

// True if the source is a file, and that is standard input: then no IDs can stand there.
bool input_is_standard(const struct invocation *invocation);

// Opens it; *ret_reader is NULL if the source is a network. ERROR_USAGE if there is nothing to read on standard input,
// ERROR_INPUT if the file cannot be opened.
int input_open(const struct invocation *invocation, struct reader **ret_reader, struct error *error);

// The same for a file that a command names itself; "-" is standard input.
int input_open_path(const char *path, struct reader **ret_reader, struct error *error);

#endif
