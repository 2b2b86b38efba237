// SPDX-License-Identifier: Apache-2.0
// The command `validate`: checks a file of devices without a network.
#include <inttypes.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/console.h"
#include "cli/input.h"
#include "cli/map_file.h"
#include "cli/output.h"
#include "cli/plans.h"
#include "cli/printable.h"
#include "cli/signals.h"
#include "journal/key_set.h"
#include "migrate/file_check.h"

// So much is gathered before it is written.
enum { WRITE_SIZE = 64 * 1024 };

struct validation {
    const struct session *session;
    struct reader *reader;   // owned
    struct key_set *seen;    // owned
    struct plan_set plans;   // owned
    struct device_map *map;  // owned; NULL = none
    struct file *output;     // owned
    struct buffer findings;  // that wait to be written
};

static int flush(struct validation *self, struct error *error) {
    struct buffer *text = &self->findings;
    int result =
        text->size == 0 ? 0 : self->output->operations->write(self->output, text->data, text->size, error);
    buffer_clear(text);
    return result;
}

static void add_part(struct buffer *text, const char *part) {
    printable_add(text, part == NULL ? "-" : part);
    buffer_puts(text, ": ");
}

// "devices.json:12: my-device: session.dev_addr: is missing or zero"; always four parts, so that programs can cut it.
static void add_text(const struct validation *self, const struct file_finding *finding, struct buffer *text) {
    printable_add(text, self->reader->name);
    buffer_printf(text, ":%zu: ", finding->line);
    add_part(text, finding->device);
    add_part(text, finding->field);
    printable_add(text, finding->text);
}

static json_t *optional_string(const char *text) {
    return text == NULL ? json_null() : json_string(text);
}

static void add_json(const struct validation *self, const struct file_finding *finding, struct buffer *text) {
    json_t *object = json_object();
    json_object_set_new(object, "file", json_string(self->reader->name));
    json_object_set_new(object, "line", json_integer((json_int_t)finding->line));
    json_object_set_new(object, "device_id", optional_string(finding->device));
    json_object_set_new(object, "field", optional_string(finding->field));
    json_object_set_new(object, "text", json_string(finding->text));
    char *line MEMORY_AUTO = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    buffer_puts(text, line);
}

static int tell(void *context, const struct file_finding *finding, struct error *error) {
    struct validation *self = context;
    if (finding->harmless) {
        BUFFER_AUTO text;
        buffer_init(&text, BUFFER_UNLIMITED);
        add_text(self, finding, &text);
        log_printf(&self->session->console->log, LOG_WARN, "%s", buffer_string(&text));
        return 0;
    }
    if (option_bool(self->session->invocation->global, "json")) {
        add_json(self, finding, &self->findings);
    } else {
        add_text(self, finding, &self->findings);
    }
    buffer_putc(&self->findings, '\n');
    return self->findings.size < WRITE_SIZE ? 0 : flush(self, error);
}

static int validation_open(struct validation *self, struct error *error) {
    const struct invocation *invocation = self->session->invocation;
    const struct source_driver *source = invocation->source;
    const char *named = source == NULL ? NULL : option_string(invocation->source_options, source->input);
    const char *path = invocation->argument_count > 0 ? invocation->arguments[0] : named;
    if (path == NULL) {
        error_set(error, ERROR_USAGE, "there is no file");
        error_hint(error, "ttn-lw-migrate validate FILE; - is standard input");
        return -ERROR_USAGE;
    }
    int result = input_open_path(path, &self->reader, error);
    if (result == 0) result = key_set_open_temporary(&self->seen, error);
    if (result == 0) result = file_open_standard_output(signals_halt_fd(), &self->output, error);
    if (result != 0) return result;
    result = plan_set_open(invocation->global, &self->session->console->log, signals_halt_fd(), &self->plans,
                           error);
    return result != 0 ? result
                       : map_file_open(invocation->global, &self->session->console->log, signals_halt_fd(),
                                       self->plans.plans, &self->map, error);
}

static int validation_run(struct validation *self, struct file_check_numbers *numbers, struct error *error) {
    const struct file_check_setup setup = {
        .reader = self->reader,
        .seen = self->seen,
        .plans = self->plans.plans,
        .strict = option_bool(self->session->invocation->global, "strict"),
        .driver = self->session->invocation->source,
        .options = self->session->invocation->source_options,
        .map = self->map,
        .tell = tell,
        .context = self,
    };
    int result = file_check(&setup, numbers, error);
    ERROR_AUTO late = {0};
    if (flush(self, &late) != 0 && result == 0) {
        error_move(error, &late);
        result = -(int)error->code;
    }
    return result;
}

static void validation_close(struct validation *self) {
    if (self->output != NULL) self->output->operations->close(self->output, NULL);
    device_map_free(self->map);
    plan_set_release(&self->plans);
    key_set_free(self->seen);
    reader_close(self->reader);
    buffer_release(&self->findings);
}

static enum exit_code summarise(const struct validation *self, const struct file_check_numbers *numbers) {
    const struct log *log = &self->session->console->log;
    if (numbers->findings == 0) {
        log_printf(log, LOG_INFO, "%s: %" PRIu64 " device%s, all valid", self->reader->name, numbers->devices,
                   numbers->devices == 1 ? "" : "s");
        return EXIT_DONE;
    }
    log_printf(log, LOG_INFO,
               "%s: %" PRIu64 " device%s, %" PRIu64 " of them not valid, %" PRIu64 " finding%s",
               self->reader->name, numbers->devices, numbers->devices == 1 ? "" : "s", numbers->invalid,
               numbers->findings, numbers->findings == 1 ? "" : "s");
    return EXIT_INCOMPLETE;
}

enum exit_code cmd_validate(const struct session *session) {
    struct validation validation = {.session = session};
    struct file_check_numbers numbers = {0};
    ERROR_AUTO error = {0};
    buffer_init(&validation.findings, BUFFER_UNLIMITED);
    int result = validation_open(&validation, &error);
    if (result == 0) result = validation_run(&validation, &numbers, &error);
    enum exit_code code = EXIT_HALTED;
    if (result == 0) {
        code = summarise(&validation, &numbers);
    } else if (error.code == ERROR_CANCELLED) {
        code = (enum exit_code)signals_exit_code();
        console_error(session->console, &error);
    } else {
        code = output_error(session, &error);
    }
    validation_close(&validation);
    return code;
}
