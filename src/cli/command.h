// SPDX-License-Identifier: Apache-2.0
// The commands as a table: parser, help and completions come from it. A new command is a row in
// commands.c and a file with its function.
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/exit.h"
#include "source/source.h"

struct console;
struct invocation;

// What a command's function works with. All pointers are borrowed.
struct session {
    const struct invocation *invocation;
    const struct source_driver *const *sources;  // ends with NULL
    struct console *console;
};

enum command_flags {
    COMMAND_SOURCE = 1 << 0,    // works on a source: `<source> <command>` or `<command> --source <source>`
    COMMAND_GATEWAYS = 1 << 1,  // on its gateways, not on its devices
    // Works on an earlier run, whose journal has the options. Secrets of its source and target may be given anew, always with
    // their prefix; with the second also options that convert devices.
    COMMAND_RUN = 1 << 2,
    COMMAND_CONVERTS = 1 << 3,
    COMMAND_LENIENT = 1 << 4,  // takes flags of sources and ignores them, as in the older tool
    COMMAND_FILE =
        1 << 5,  // works on a file of devices; a source says how it is read: --source, or flags of it
    COMMAND_ANY_SOURCE =
        COMMAND_SOURCE | COMMAND_RUN | COMMAND_LENIENT | COMMAND_FILE,  // takes flags with a source's prefix
};

// What a command's first argument is, for checks and completions.
enum command_words {
    COMMAND_WORDS_FREE,        // IDs
    COMMAND_WORDS_TOPICS,      // commands and sources
    COMMAND_WORDS_SHELLS,      // COMPLETION_SHELLS
    COMMAND_WORDS_PLANS,       // IDs of frequency plans
    COMMAND_WORDS_FORMATTERS,  // FORMATTERS_WORDS
};

// What `formatters` can do.
#define FORMATTERS_WORDS "check convert"

struct command {
    const char *name;
    const char *aliases;    // separated by spaces, or NULL
    const char *arguments;  // as the help shows them, or NULL
    const char *summary;    // one line, no full stop
    const char *details;    // more for the command's own help, in sentences; or NULL
    const char *examples;   // command lines without the program's name, one a line; or NULL
    const char *options;    // global options of this command beside those of all, separated by spaces
    unsigned flags;         // of enum command_flags
    enum command_words words;
    size_t most_arguments;  // SIZE_MAX = any number
    enum exit_code (*run)(const struct session *session);
};

// All commands, in the order of the help; the list ends with a row whose name is NULL.
extern const struct command commands[];

// The command whose name or alias is the first `size` bytes of `name`, or NULL.
const struct command *command_find(const char *name, size_t size);

// True if the global option means something to the command: what help and completions show.
bool command_shows(const struct command *command, const char *option);

// True if the command accepts the global option: some are accepted everywhere without a meaning.
bool command_accepts(const struct command *command, const char *option);

// The commands' functions.
enum exit_code cmd_application(const struct session *session);
enum exit_code cmd_completion(const struct session *session);
enum exit_code cmd_device(const struct session *session);
enum exit_code cmd_formatters(const struct session *session);
enum exit_code cmd_frequency_plans(const struct session *session);
enum exit_code cmd_gateway(const struct session *session);
enum exit_code cmd_help(const struct session *session);
enum exit_code cmd_report(const struct session *session);
enum exit_code cmd_plan(const struct session *session);
enum exit_code cmd_resume(const struct session *session);
enum exit_code cmd_rollback(const struct session *session);
enum exit_code cmd_sources(const struct session *session);
enum exit_code cmd_status(const struct session *session);
enum exit_code cmd_targets(const struct session *session);
enum exit_code cmd_validate(const struct session *session);
enum exit_code cmd_verify(const struct session *session);
enum exit_code cmd_version(const struct session *session);

#endif
