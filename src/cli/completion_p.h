// SPDX-License-Identifier: Apache-2.0
// Private to the completion scripts: what the three shells have in common.
#ifndef CLI_COMPLETION_P_H
#define CLI_COMPLETION_P_H

#include <stdbool.h>

#include "cli/completion.h"

// What completes the value of a flag.
enum completion_value {
    COMPLETION_NONE,     // a bool: there is no value
    COMPLETION_FREE,     // nothing is known about it
    COMPLETION_FILE,     // names of files
    COMPLETION_CHOICES,  // spec->choices
    COMPLETION_SOURCES,
    COMPLETION_PLANS,
};

// Sets of the above.
#define COMPLETION_BIT(value) (1U << (value))
#define COMPLETION_WITH_VALUE                                                  \
    (COMPLETION_BIT(COMPLETION_FREE) | COMPLETION_BIT(COMPLETION_FILE) |       \
     COMPLETION_BIT(COMPLETION_CHOICES) | COMPLETION_BIT(COMPLETION_SOURCES) | \
     COMPLETION_BIT(COMPLETION_PLANS))

struct target_driver;

// One way to write one flag.
struct completion_flag {
    const char *text;  // without dashes: "ttnv2.app-access-key-file"
    const struct option_spec *spec;
    const struct source_driver *source;  // NULL: not of a source
    const struct target_driver *target;  // NULL: not of a target
    bool prefixed;                       // with the source's name
    enum completion_value value;
};

typedef void completion_visitor(void *context, const struct completion_flag *flag);

// Visits every flag in every spelling; hidden ones are left out.
void completion_each(const struct source_driver *const *sources, completion_visitor *visitor, void *context);

// True if the command takes the flag though its source or target is not chosen on the command line: the run that it is
// about has chosen them, or the source is one of those that are files.
bool completion_takes(const struct command *command, const struct completion_flag *flag);

// True if it takes any such flag of a source.
bool completion_takes_any(const struct command *command);

// Appends all flags with one of the `values` (a set), each with `before` in front,
// `separator` between them.
void completion_flags(struct buffer *script, const struct source_driver *const *sources, unsigned values,
                      const char *before, const char *separator);

// Appends a name and its aliases with `separator` between them.
void completion_names(struct buffer *script, const char *name, const char *aliases, const char *separator);

// Appends the words of each kind, separated by spaces.
void completion_sources(struct buffer *script, const struct source_driver *const *sources);
void completion_commands(struct buffer *script, bool only_with_source);
void completion_plans(struct buffer *script);

// Appends the words that may be a command's argument, or nothing.
void completion_arguments(struct buffer *script, const struct command *command,
                          const struct source_driver *const *sources);

// Appends the flags of one source with their dashes, with or without its prefix, separated by spaces.
void completion_source_flags(struct buffer *script, const struct source_driver *source, bool prefixed);

// Appends the flags of one target with their dashes and its prefix, separated by spaces.
void completion_target_flags(struct buffer *script, const struct target_driver *target);

// Appends the flags of all sources and targets that the command takes without having chosen one, each with a space in front.
void completion_open_flags(struct buffer *script, const struct source_driver *const *sources,
                           const struct command *command);

// Appends text in single quotes as zsh wants it.
void completion_quote(struct buffer *script, const char *text);

void completion_bash(struct buffer *script, const struct source_driver *const *sources);
void completion_zsh(struct buffer *script, const struct source_driver *const *sources);
void completion_fish(struct buffer *script, const struct source_driver *const *sources);

#endif
