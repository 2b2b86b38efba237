// SPDX-License-Identifier: Apache-2.0
// Private to the parser of the command line: command_line.c (what is there) and command_line_check.c (what
// is wrong with it).
#ifndef CLI_COMMAND_LINE_P_H
#define CLI_COMMAND_LINE_P_H

#include "cli/command_line.h"

// One argument that starts with a dash.
struct flag {
    const char *arg;   // the whole
    const char *name;  // without dashes
    size_t size;       // of the name
    size_t dashes;     // 1 or 2
    char *value;       // behind `=`, or NULL
};

// What a flag stands for.
struct match {
    const struct option_spec *spec;
    bool of_source;  // of the source's table, not of the global one
    bool of_target;  // of the target's table
    bool from_file;  // `--<secret>-file`
};

struct parser {
    int argc;
    char **argv;
    const struct source_driver *const *sources;
    struct invocation *invocation;
    const char *words[2];                      // the first words that are no flags, or NULL
    const char *source_flag;                   // the value of --source, or NULL
    const char *target_flag;                   // the value of --to, or NULL
    const struct source_driver *named_source;  // of the first flag with a source's prefix, or NULL
    const struct target_driver *named_target;  // the same of a target
    bool version;                              // --version
    bool plan;                                 // the first word was `plan`
};

// Splits an argument; false if it is no flag.
bool flag_read(char *arg, struct flag *flag);

// Finds the row that a flag means; false if there is none.
bool match_find(const struct parser *parser, const struct flag *flag, struct match *match);

// Splits "to.tts.app-id" behind its second dot: the target's flag; NULL if the name has no such form or there is no such
// target.
const struct target_driver *flag_target(const struct flag *flag, const char **ret_name, size_t *ret_size);

// Checks that a flag of a source or a target may be given to a command about an earlier run.
int check_anew(const struct parser *parser, const struct flag *flag, const struct match *match,
               struct error *error);

// Says what is wrong with a flag that match_find did not find. Never shows its value.
int unknown_flag(const struct parser *parser, const struct flag *flag, struct error *error);

// Checks that the words name a command, and a source where one is needed.
int check_words(const struct parser *parser, struct error *error);

// Checks the number of arguments and that all required options have a value.
int check_complete(const struct invocation *invocation, struct error *error);

#endif
