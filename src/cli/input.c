// SPDX-License-Identifier: Apache-2.0
#include "cli/input.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/process.h"
#include "cli/signals.h"

static const char STANDARD[] = "-";

// The path that the source's option gives.
static const char *path_of(const struct invocation *invocation) {
    const char *path = option_string(invocation->source_options, invocation->source->input);
    return path == NULL || *path == '\0' ? STANDARD : path;
}

bool input_is_standard(const struct invocation *invocation) {
    return invocation->source->input != NULL && strcmp(path_of(invocation), STANDARD) == 0;
}

// An argument that names a file while the source's file is to come from standard input; NULL = none does.
static const char *misplaced_file(const struct invocation *invocation) {
    if (!input_is_standard(invocation)) return NULL;
    for (size_t i = 0; i < invocation->argument_count; i++) {
        struct stat status;
        const char *argument = invocation->arguments[i];
        if (stat(argument, &status) == 0 && S_ISREG(status.st_mode)) return argument;
    }
    return NULL;
}

static void hint_option(const struct invocation *invocation, const char *path, struct error *error) {
    error_hint(error, "name the file with its option: ttn-lw-migrate %s %s --%s %s", invocation->source->name,
               invocation->command->name, invocation->source->input, path);
}

// False if reading standard input cannot give a file: a terminal, /dev/null, or nothing.
static bool has_file_at_input(void) {
    struct stat status;
    return process_has_input() && fstat(STDIN_FILENO, &status) == 0 && !S_ISCHR(status.st_mode);
}

int input_check_arguments(const struct invocation *invocation, struct error *error) {
    const char *path = misplaced_file(invocation);
    // What has a dot or a slash is no ID.
    if (path == NULL || (strpbrk(path, "./") == NULL && has_file_at_input())) return 0;
    error_set(error, ERROR_USAGE, "%s is a file, where an ID belongs", path);
    hint_option(invocation, path, error);
    return -ERROR_USAGE;
}

void input_hint(const struct invocation *invocation, struct error *error) {
    const char *path = misplaced_file(invocation);
    if (error->code == ERROR_INPUT && error->hint == NULL && path != NULL)
        hint_option(invocation, path, error);
}

int input_open_path(const char *path, struct reader **ret_reader, struct error *error) {
    if (strcmp(path, STANDARD) != 0) return reader_open_file(path, signals_halt_fd(), ret_reader, error);
    if (!process_has_input()) {
        return error_set(error, ERROR_USAGE,
                         "standard input is a terminal, or closed: there is no file to read");
    }
    *ret_reader = reader_of_descriptor(STDIN_FILENO, "standard input", signals_halt_fd());
    return 0;
}

int input_open(const struct invocation *invocation, struct reader **ret_reader, struct error *error) {
    *ret_reader = NULL;
    const struct source_driver *source = invocation->source;
    if (source->input == NULL) return 0;
    int result = input_open_path(path_of(invocation), ret_reader, error);
    if (result == -ERROR_USAGE)
        error_hint(error, "name the file: --%s.%s FILE, or send it: < FILE", source->name, source->input);
    return result;
}
