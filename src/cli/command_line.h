// SPDX-License-Identifier: Apache-2.0
// From the arguments of the process to what is to be done. Everything that can be wrong with a command line
// is found here, before any server is contacted or file is opened (but for files that hold a secret).
//
//     <source> <command> [ID...]             the source's flags with or without the prefix `<source>.`
//     <command> --source <source> [ID...]    the same; a flag that is also a global one is the global one
//
// The flags of a target always have its prefix: --to tts --to.tts.app-id my-app.
//
// Flags may stand anywhere; `--flag value` and `--flag=value`; a bool's value only after `=`; `--` ends
// flags; the last of several counts.
#ifndef CLI_COMMAND_LINE_H
#define CLI_COMMAND_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/option.h"
#include "cli/command.h"

struct target_driver;

struct invocation {
    const struct command *command;       // NULL: only with `help`
    const struct source_driver *source;  // NULL if none was named
    const struct target_driver *target;  // of --to; NULL if there is no such target
    bool help;                           // show help on `command` and `source` instead of running
    bool source_first;                   // the form `<source> <command>`
    char **arguments;                    // what is neither flag, command nor source; the array is owned, the
                                         // texts belong to argv
    size_t argument_count;
    struct option_values *global;          // of global_options; owned
    struct option_values *source_options;  // of source->options; owned; NULL without a source
    struct option_values *target_options;  // of target->options; owned; NULL if the target has none
};

// Parses `argv` (argv[0] is the program, `argc` counts it). Values of secret flags are overwritten in argv,
// because every user of the machine can see them there. `lookup` reads the environment.
// On an error (always ERROR_USAGE) the invocation holds what was understood until then; in any case
// it is to be released. Required options are only checked if a command will run.
int command_line_parse(int argc, char **argv, const struct source_driver *const *sources,
                       option_lookup *lookup, struct invocation *invocation, struct error *error);

// Sets the target that --to names, with defaults in place of its options. NULL = the one that the global option says.
void invocation_set_target(struct invocation *invocation, const char *name);

// Accepts a zeroed invocation.
void invocation_release(struct invocation *invocation);

#endif
