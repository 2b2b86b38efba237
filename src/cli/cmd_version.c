// SPDX-License-Identifier: Apache-2.0
#include "cli/command.h"
#include "cli/output.h"

enum exit_code cmd_version(const struct session *session) {
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    buffer_puts(&text, "ttn-lw-migrate " PROJECT_VERSION "\n");
    return output_text(session, &text);
}
