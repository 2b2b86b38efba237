// SPDX-License-Identifier: Apache-2.0
// Help, made from the tables of commands, sources and options and from nothing else.
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "base/buffer.h"
#include "cli/command.h"

// The width of lines where the terminal's is unknown, and bounds of it where it is known.
enum { HELP_COLUMNS = 80, HELP_COLUMNS_LEAST = 40, HELP_COLUMNS_MOST = 110 };

struct target_driver;

// What help is about.
struct help_topic {
    const struct source_driver *const *sources;  // all of them; ends with NULL
    const struct command *command;               // NULL: the program, or `source` alone
    const struct source_driver *source;          // NULL: all sources
    const struct target_driver *target;          // whose flags are shown too; NULL: none
    bool source_first;                           // show the source's flags without their prefix
};

// Appends the help with lines of at most `columns` (0 = unknown) where words allow it.
void help_write(const struct help_topic *topic, unsigned columns, struct buffer *text);

// Finds the topic that words name: none, a command, a source, or a source and a command. ERROR_USAGE if
// they name nothing. `topic->sources` must be set.
int help_find(struct help_topic *topic, char *const *words, size_t count, struct error *error);

#endif
