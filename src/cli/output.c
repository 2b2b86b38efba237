// SPDX-License-Identifier: Apache-2.0
#include "cli/output.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/console.h"
#include "cli/signals.h"

static int write_all(const struct buffer *text, struct error *error) {
    struct file *file = NULL;
    int result = file_open_standard_output(signals_halt_fd(), &file, error);
    if (result != 0) return result;
    result = file->operations->write(file, text->data, text->size, error);
    int closed = file->operations->close(file, result == 0 ? error : NULL);
    return result != 0 ? result : closed;
}

enum exit_code output_text(const struct session *session, const struct buffer *text) {
    ERROR_AUTO error = {0};
    if (write_all(text, &error) != 0) return output_error(session, &error);
    return EXIT_DONE;
}

enum exit_code output_json(const struct session *session, json_t *value) {
    char *dump MEMORY_AUTO = json_dumps(value, JSON_COMPACT);
    json_decref(value);
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    if (dump == NULL) abort();  // the value is made of the program's own tables
    buffer_printf(&text, "%s\n", dump);
    return output_text(session, &text);
}

enum exit_code output_error(const struct session *session, const struct error *error) {
    console_error(session->console, error);
    return error->code == ERROR_CANCELLED ? (enum exit_code)signals_exit_code() : exit_code_of(error);
}
