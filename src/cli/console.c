// SPDX-License-Identifier: Apache-2.0
#include "cli/console.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/rfc3339.h"
#include "base/utf8.h"
#include "cli/printable.h"
#include "cli/progress.h"
#include "cli/signals.h"

enum {
    RECORD_MAX = 64 * 1024,    // bytes of one message
    WRITE_PATIENCE_MS = 1000,  // how long a message waits for a terminal that does not take it
    HALT_PATIENCE_MS = 100,    // the same when the user has asked to halt
};

struct level_style {
    const char *json;
    const char *text;  // with a colon, or nothing
    const char *colour;
};

static const struct level_style level_styles[] = {
    [LOG_DEBUG] = {"debug", "debug: ", "\033[2m"},
    [LOG_INFO] = {"info", "", ""},
    [LOG_WARN] = {"warn", "warning: ", "\033[33m"},
    [LOG_ERROR] = {"error", "error: ", "\033[31m"},
};

static bool is_writable(int fd, int patience) {
    struct pollfd ready = {.fd = fd, .events = POLLOUT};
    return poll(&ready, 1, patience) > 0;
}

// Writes it all, also if the descriptor is in non-blocking mode. What cannot be written is dropped: there is
// no other place to say so.
static void write_fully(int fd, const uint8_t *data, size_t size) {
    while (size > 0) {
        // Whoever halts the program does not wait for a reader that does not read.
        if (signals_halts() > 0 && !is_writable(fd, HALT_PATIENCE_MS)) return;
        ssize_t written = write(fd, data, size);
        if (written > 0) {
            data += written;
            size -= (size_t)written;
        } else if (written < 0 && errno == EAGAIN) {
            if (!is_writable(fd, WRITE_PATIENCE_MS)) return;
        } else if (written == 0 || errno != EINTR) {
            return;
        }
    }
}

// The part of the error that the message does not say yet.
static const struct error *error_behind(const struct log_record *record) {
    const struct error *error = record->error;
    if (error == NULL || error->message != record->message) return error;
    return error->cause;
}

// Causes below the third are for those who want everything.
enum { CAUSES_SHOWN = 3 };

// ": what failed: why"; of a long chain the first ones and the root.
static void add_causes(struct buffer *line, const struct error *error, bool verbose) {
    for (unsigned depth = 1; error != NULL && error->message != NULL; error = error->cause, depth++) {
        if (depth >= CAUSES_SHOWN && !verbose && error->cause != NULL) continue;
        buffer_puts(line, ": ");
        printable_add(line, error->message);
    }
}

static void add_peer(struct buffer *line, const struct log_record *record) {
    if (record->server == NULL && record->method == NULL) return;
    buffer_puts(line, " (");
    printable_add(line, record->server);
    if (record->server != NULL && record->method != NULL) buffer_puts(line, ", ");
    printable_add(line, record->method);
    buffer_putc(line, ')');
}

static void build_text(const struct console *console, const struct log_record *record, struct buffer *line) {
    const struct level_style *style = &level_styles[record->level];
    bool coloured = console->colour && *style->colour != '\0';
    bool verbose = console_verbose(console);
    buffer_puts(line, "ttn-lw-migrate: ");
    if (coloured) buffer_puts(line, style->colour);
    buffer_puts(line, style->text);
    if (coloured) buffer_puts(line, "\033[0m");
    if (record->device_id != NULL) {
        buffer_puts(line, console->gateways ? "gateway " : "device ");
        printable_add(line, record->device_id);
        buffer_puts(line, ": ");
    }
    printable_add(line, record->message);
    const struct error *behind = error_behind(record);
    // A message that names the error has its first cause right behind it, whatever comes in between.
    if (behind != NULL && behind != record->error && !verbose) behind = error_root(behind);
    add_causes(line, behind, verbose);
    if (verbose) add_peer(line, record);
    buffer_putc(line, '\n');
    if (record->error != NULL && record->error->hint != NULL) {
        buffer_puts(line, "  try: ");
        printable_add(line, record->error->hint);
        buffer_putc(line, '\n');
    }
}

static void set_text(json_t *object, const char *key, const char *text) {
    if (text == NULL) return;
    BUFFER_AUTO repaired;
    buffer_init(&repaired, RECORD_MAX);
    utf8_repair(text, strnlen(text, PRINTABLE_MAX), &repaired);
    json_object_set_new(object, key, json_stringn(buffer_string(&repaired), repaired.size));
}

static void build_json(const struct console *console, const struct log_record *record, struct buffer *line) {
    char time[RFC3339_TEXT_SIZE];
    rfc3339_format_ns(time, clock_wall(console->clock) / NS_PER_MS * NS_PER_MS);
    json_t *object = json_object();
    set_text(object, "time", time);
    set_text(object, "level", level_styles[record->level].json);
    set_text(object, "msg", record->message);
    set_text(object, console->gateways ? "gateway_id" : "device_id", record->device_id);
    set_text(object, "server", record->server);
    set_text(object, "method", record->method);
    const struct error *behind = error_behind(record);
    const char *hint = record->error != NULL ? record->error->hint : NULL;
    char *chain MEMORY_AUTO = behind != NULL ? error_chain(behind) : NULL;
    char *text MEMORY_AUTO = NULL;
    if (chain != NULL || hint != NULL) {
        text =
            memory_printf("%s%s%s%s", chain != NULL ? chain : "", chain != NULL && hint != NULL ? "; " : "",
                          hint != NULL ? "try: " : "", hint != NULL ? hint : "");
    }
    set_text(object, "error", text);
    char *dump = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    if (dump != NULL) buffer_printf(line, "%s\n", dump);
    free(dump);
}

static void console_write(void *context, const struct log_record *record) {
    struct console *console = context;
    BUFFER_AUTO line;
    buffer_init(&line, RECORD_MAX);
    if (console->progress != NULL) progress_erase(console->progress, &line);
    if (console->json) {
        build_json(console, record, &line);
    } else {
        build_text(console, record, &line);
    }
    if (console->progress != NULL) progress_restore(console->progress, &line);
    write_fully(console->fd, line.data, line.size);
}

void console_init(struct console *console, int fd, const struct clock *clock) {
    *console = (struct console){
        .log = {.least = LOG_INFO, .context = console, .write = console_write},
        .fd = fd,
        .clock = clock,
    };
}

static bool colour_wanted(const char *when, bool terminal, option_lookup *lookup) {
    if (strcmp(when, "always") == 0) return true;
    if (strcmp(when, "never") == 0 || !terminal) return false;
    const char *no_color = lookup("NO_COLOR");
    if (no_color != NULL && *no_color != '\0') return false;
    const char *term = lookup("TERM");
    return term != NULL && *term != '\0' && strcmp(term, "dumb") != 0;
}

void console_configure(struct console *console, const struct option_values *global, bool terminal,
                       option_lookup *lookup) {
    console->log.least = option_bool(global, "verbose") ? LOG_DEBUG : LOG_INFO;
    console->json = strcmp(option_string(global, "log-format"), "json") == 0;
    console->colour = !console->json && colour_wanted(option_string(global, "color"), terminal, lookup);
}

bool console_verbose(const struct console *console) {
    return console->log.least == LOG_DEBUG;
}

void console_error(const struct console *console, const struct error *error) {
    log_write(&console->log, &(struct log_record){
                                 .level = LOG_ERROR,
                                 .message = error->message,
                                 .error = error,
                             });
}
