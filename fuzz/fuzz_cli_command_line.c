// SPDX-License-Identifier: Apache-2.0
// A command line: one argument a line.
#include <string.h>

#include "cli/command_line.h"
#include "fuzz.h"
#include "source/registry.h"

enum { ARGUMENTS_MAX = 32 };

static const char *no_environment(const char *name) {
    (void)name;
    return NULL;
}

// Files are named by arguments (--x-file): none may be opened here.
static bool names_a_file(const char *argument) {
    return strstr(argument, "-file") != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = fuzz_string(data, size);
    char *arguments[ARGUMENTS_MAX + 1] = {NULL};
    char program[] = "ttn-lw-migrate";
    arguments[0] = program;
    int count = 1;
    char *rest = text;
    for (char *line; count < ARGUMENTS_MAX && (line = strsep(&rest, "\n"));) {
        if (!names_a_file(line)) arguments[count++] = line;
    }
    struct invocation invocation = {0};
    ERROR_AUTO error = {0};
    int result = command_line_parse(count, arguments, source_drivers(), no_environment, &invocation, &error);
    fuzz_check(result == 0 ? invocation.help || invocation.command : error.code == ERROR_USAGE);
    fuzz_check(invocation.argument_count < (size_t)count);
    invocation_release(&invocation);
    free(text);
    return 0;
}
