// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/help.h"
#include "cli/output.h"
#include "cli/terminal.h"

// The topic is what --help stands beside, or what the words behind `help` name.
enum exit_code cmd_help(const struct session *session) {
    const struct invocation *invocation = session->invocation;
    struct help_topic topic = {.sources = session->sources};
    ERROR_AUTO error = {0};
    if (invocation->help) {
        topic.command = invocation->command;
        topic.source = invocation->source;
        topic.source_first = invocation->source_first;
        topic.target = invocation->target;
    } else if (help_find(&topic, invocation->arguments, invocation->argument_count, &error) != 0) {
        return output_error(session, &error);
    }
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    help_write(&topic, terminal_columns(STDOUT_FILENO), &text);
    return output_text(session, &text);
}
