// SPDX-License-Identifier: Apache-2.0
// The file that the devices of a source are in, where the source is a file.
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include "base/reader.h"
#include "cli/command_line.h"

// True if the source is a file, and that is standard input: then no IDs can stand there.
bool input_is_standard(const struct invocation *invocation);

// Checks that no argument is the path of a file where standard input is meant to be that file: devices.json for --file
// devices.json. ERROR_USAGE. An argument that may be an ID as well is taken as one if standard input may be a file.
int input_check_arguments(const struct invocation *invocation, struct error *error);

// Gives an error about what standard input held a hint, if an argument is the path of a file as well.
void input_hint(const struct invocation *invocation, struct error *error);

// Opens it; *ret_reader is NULL if the source is a network. ERROR_USAGE if there is nothing to read on standard input,
// ERROR_INPUT if the file cannot be opened.
int input_open(const struct invocation *invocation, struct reader **ret_reader, struct error *error);

// The same for a file that a command names itself; "-" is standard input.
int input_open_path(const char *path, struct reader **ret_reader, struct error *error);

#endif
