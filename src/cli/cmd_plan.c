// SPDX-License-Identifier: Apache-2.0
// `plan` alone. With a source and a command behind it, it is that command with --plan.
#include "cli/command.h"
#include "cli/output.h"

enum exit_code cmd_plan(const struct session *session) {
    ERROR_AUTO error = {0};
    error_set(&error, ERROR_USAGE, "plan needs the source and the command that it is to plan");
    error_hint(&error, "ttn-lw-migrate plan ttnv2 application my-ttn-app --to tts");
    return output_error(session, &error);
}
