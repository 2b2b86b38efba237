// SPDX-License-Identifier: Apache-2.0
#include "cli/input.h"

#include <string.h>
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
