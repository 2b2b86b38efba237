// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/console.h"
#include "cli/process.h"
#include "cli/signals.h"
#include "cli/terminal.h"
#include "source/registry.h"

static const char *environment(const char *name) {
    return getenv(name);
}

static enum exit_code run(int argc, char **argv, struct console *console, struct invocation *invocation) {
    ERROR_AUTO error = {0};
    int result = process_protect(&error);
    if (result == 0) result = signals_install(&error);
    if (result != 0) {
        console_error(console, &error);
        return exit_code_of(&error);
    }
    result = command_line_parse(argc, argv, source_drivers(), environment, invocation, &error);
    console_configure(console, invocation->global, terminal_is(STDERR_FILENO), environment);
    if (result != 0) {
        console_error(console, &error);
        return exit_code_of(&error);
    }
    const struct session session = {
        .invocation = invocation,
        .sources = source_drivers(),
        .console = console,
    };
    return invocation->help ? cmd_help(&session) : invocation->command->run(&session);
}

int main(int argc, char **argv) {
    if (process_open_descriptors() != 0) return EXIT_HALTED;
    struct console console;
    struct invocation invocation = {0};
    console_init(&console, STDERR_FILENO, &clock_system);
    enum exit_code code = run(argc, argv, &console, &invocation);
    invocation_release(&invocation);
    return (int)code;
}
