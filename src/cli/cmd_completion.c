// SPDX-License-Identifier: Apache-2.0
#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/completion.h"
#include "cli/output.h"

enum exit_code cmd_completion(const struct session *session) {
    const struct invocation *invocation = session->invocation;
    ERROR_AUTO error = {0};
    BUFFER_AUTO script;
    buffer_init(&script, BUFFER_UNLIMITED);
    if (invocation->argument_count == 0) {
        error_set(&error, ERROR_USAGE, "no shell is named");
        error_hint(&error, "ttn-lw-migrate completion bash");
        return output_error(session, &error);
    }
    if (completion_write(invocation->arguments[0], session->sources, &script, &error) != 0) {
        return output_error(session, &error);
    }
    return output_text(session, &script);
}
