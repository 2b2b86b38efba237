// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <jansson.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/rfc3339.h"
#include "cli/command.h"
#include "cli/console.h"
#include "cli/migration.h"
#include "cli/printable.h"
#include "cli/signals.h"

struct telling {
    struct file *file;  // standard output
    bool json;
    struct error error;  // the first one
};

static void add_json(struct buffer *line, const struct run_verified *verified) {
    json_t *object = json_object();
    json_object_set_new(object, "id", json_string(verified->id));
    json_object_set_new(object, "device_id", json_string(verified->device_id));
    json_object_set_new(object, "equal", json_boolean(verified->equal));
    if (verified->what != NULL && !verified->equal)
        json_object_set_new(object, "difference", json_string(verified->what));
    json_object_set_new(object, "heard", json_boolean(verified->heard));
    if (verified->last_seen > 0) {
        char seen[RFC3339_TEXT_SIZE];
        rfc3339_format_ns(seen, verified->last_seen);
        json_object_set_new(object, "last_seen", json_string(seen));
    }
    if (verified->progress.known) {
        json_object_set_new(object, "last_f_cnt_up", json_integer(verified->progress.last_f_cnt_up));
        json_object_set_new(object, "last_n_f_cnt_down", json_integer(verified->progress.last_n_f_cnt_down));
        json_object_set_new(object, "rejoined", json_boolean(verified->progress.rejoined));
    }
    char *text MEMORY_AUTO = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    if (text != NULL) buffer_printf(line, "%s\n", text);
}

static void add_text(struct buffer *line, const struct run_verified *verified) {
    printable_add(line, verified->device_id);
    if (!verified->equal) {
        buffer_puts(line, ": differs: ");
        printable_add(line, verified->what);
    } else {
        buffer_puts(line, ": as it should be");
    }
    if (verified->heard) {
        buffer_puts(line, verified->progress.rejoined ? ", has joined" : ", heard");
    }
    buffer_putc(line, '\n');
}

static void tell(void *context, const struct run_verified *verified) {
    struct telling *telling = context;
    if (error_is_set(&telling->error)) return;
    BUFFER_AUTO line;
    buffer_init(&line, BUFFER_UNLIMITED);
    if (telling->json) {
        add_json(&line, verified);
    } else {
        add_text(&line, verified);
    }
    (void)telling->file->operations->write(telling->file, line.data, line.size, &telling->error);
}

static void tell_formatters(void *context, const char *application, const char *target, bool equal) {
    struct telling *telling = context;
    if (error_is_set(&telling->error)) return;
    BUFFER_AUTO line;
    buffer_init(&line, BUFFER_UNLIMITED);
    if (telling->json) {
        json_t *object =
            json_pack("{s:s, s:s, s:b}", "formatters_of", application, "target", target, "equal", equal);
        char *text MEMORY_AUTO = json_dumps(object, JSON_COMPACT);
        json_decref(object);
        if (text != NULL) buffer_printf(&line, "%s\n", text);
    } else {
        buffer_puts(&line, "payload formatters of application ");
        printable_add(&line, application);
        buffer_puts(&line, equal ? ": as they should be in " : ": others are set by now in ");
        printable_add(&line, target);
        buffer_putc(&line, '\n');
    }
    (void)telling->file->operations->write(telling->file, line.data, line.size, &telling->error);
}

// The time is up. JSON has told of it already that it was not heard.
static void tell_silent(void *context, const char *id) {
    struct telling *telling = context;
    if (error_is_set(&telling->error) || telling->json) return;
    BUFFER_AUTO line;
    buffer_init(&line, BUFFER_UNLIMITED);
    printable_add(&line, id);
    buffer_puts(&line, ": silent: not heard since it was imported\n");
    (void)telling->file->operations->write(telling->file, line.data, line.size, &telling->error);
}

enum exit_code cmd_verify(const struct session *session) {
    const struct invocation *invocation = session->invocation;
    const char *name = invocation->argument_count > 0 ? invocation->arguments[0] : NULL;
    struct telling telling = {.json = option_bool(invocation->global, "json")};
    struct migration migration = {.session = session, .kind = MIGRATION_VERIFY};
    ERROR_AUTO error = {0};
    const struct run_verification wanted = {
        .wait = option_duration(invocation->global, "wait-uplink"),
        .context = &telling,
        .tell = tell,
        .tell_formatters = tell_formatters,
        .tell_silent = tell_silent,
    };
    int result = file_open_standard_output(signals_halt_fd(), &telling.file, &error);
    if (result == 0) result = migration_open_again(&migration, session, name, MIGRATION_VERIFY, &error);
    migration.waits = wanted.wait > 0;
    if (result == 0) result = run_verify(migration.run, &wanted, &error);
    if (telling.file != NULL)
        (void)telling.file->operations->close(telling.file, result == 0 ? &error : NULL);
    if (result == 0 && error_is_set(&telling.error)) {
        error_move(&error, &telling.error);
        result = -(int)error.code;
    }
    error_release(&telling.error);
    return migration_end(&migration, result, &error);
}
