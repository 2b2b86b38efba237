// SPDX-License-Identifier: Apache-2.0
// Standard output of the commands that only show something.
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <jansson.h>

#include "base/buffer.h"
#include "cli/command.h"

// Writes the text to standard output. The command's exit code: an output that cannot be written is reported
// as an error.
enum exit_code output_text(const struct session *session, const struct buffer *text);

// Writes a JSON value on one line; takes the reference.
enum exit_code output_json(const struct session *session, json_t *value);

// Reports the error that ends the command and gives its exit code.
enum exit_code output_error(const struct session *session, const struct error *error);

#endif
