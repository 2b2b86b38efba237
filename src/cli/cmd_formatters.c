// SPDX-License-Identifier: Apache-2.0
// The command `formatters`: reads payload functions, and converts them or hands them on to be checked.
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/console.h"
#include "cli/formatter_files.h"
#include "cli/formatters_check.h"
#include "cli/output.h"
#include "formatter/input.h"

static int usage(const char *message, struct error *error) {
    error_set(error, ERROR_USAGE, "%s", message);
    error_hint(error, "ttn-lw-migrate formatters check FILE --payload HEX, or formatters convert FILE");
    return -ERROR_USAGE;
}

static int read_inputs(const struct invocation *invocation, struct formatter_input *input,
                       struct error *error) {
    if (invocation->argument_count == 0)
        return usage("formatters needs to know what to do: check or convert", error);
    const char *verb = invocation->arguments[0];
    if (strcmp(verb, "check") != 0 && strcmp(verb, "convert") != 0) {
        return usage("formatters can check or convert, nothing else", error);
    }
    if (invocation->argument_count == 1) return usage("no file with payload functions is named", error);
    int result = 0;
    for (size_t i = 1; i < invocation->argument_count && result == 0; i++) {
        result = formatter_input_add(input, invocation->arguments[i], error);
    }
    return result;
}

// ---- convert

static void add_json(json_t *object, const char *direction, const struct formatter *formatter) {
    char name[64];
    snprintf(name, sizeof name, "%s_formatter", direction);
    json_object_set_new(object, name, json_string(formatter_type_name(formatter->type)));
    snprintf(name, sizeof name, "%s_formatter_parameter", direction);
    if (formatter->script != NULL) json_object_set_new(object, name, json_string(formatter->script));
}

static enum exit_code write_json(const struct session *session, const struct formatters *formatters) {
    json_t *object = json_object();
    add_json(object, "up", &formatters->up);
    add_json(object, "down", &formatters->down);
    return output_json(session, object);
}

static int write_file(const struct session *session, const char *folder, const char *name,
                      const struct formatter *formatter, struct error *error) {
    const struct log *log = &session->console->log;
    const struct formatter_file file = {.name = name, .script = formatter->script};
    if (formatter->script == NULL) {
        log_printf(log, LOG_INFO, "%s: none is written: the formatter is %s", name,
                   formatter_type_name(formatter->type));
    }
    return formatter_file_write(log, folder, NULL, &file, error);
}

static int write_files(const struct session *session, const char *folder, const struct formatters *formatters,
                       struct error *error) {
    int result = write_file(session, folder, "uplink.js", &formatters->up, error);
    return result != 0 ? result : write_file(session, folder, "downlink.js", &formatters->down, error);
}

static enum exit_code convert(const struct session *session, const struct formatter_input *input) {
    const struct ttnv2_functions functions = formatter_input_functions(input);
    const char *folder = option_string(session->invocation->global, "formatters");
    struct formatters formatters = {0};
    ERROR_AUTO error = {0};
    int result = 0;
    if (input->up != NULL || input->down != NULL) {
        result = error_set(&error, ERROR_INPUT,
                           "this is a formatter of The Things Stack: there is nothing to convert");
    }
    if (result == 0) result = formatter_from_ttnv2(&functions, &formatters, &error);
    if (result == 0 && formatters.up.type == FORMATTER_CAYENNELPP) {
        log_printf(&session->console->log, LOG_WARN,
                   "the names of fields that The Things Stack makes of Cayenne LPP may differ from V2's");
    }
    enum exit_code code = EXIT_DONE;
    if (result == 0 && folder != NULL) result = write_files(session, folder, &formatters, &error);
    if (result == 0 && folder == NULL) code = write_json(session, &formatters);
    formatters_release(&formatters);
    return result != 0 ? output_error(session, &error) : code;
}

enum exit_code cmd_formatters(const struct session *session) {
    struct formatter_input input = {0};
    ERROR_AUTO error = {0};
    int result = read_inputs(session->invocation, &input, &error);
    enum exit_code code = EXIT_DONE;
    if (result != 0) {
        code = output_error(session, &error);
    } else if (strcmp(session->invocation->arguments[0], "check") == 0) {
        code = formatters_check(session, &input);
    } else {
        code = convert(session, &input);
    }
    formatter_input_release(&input);
    return code;
}
