// SPDX-License-Identifier: Apache-2.0
#include "cli/plan_table.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/memory.h"
#include "cli/printable.h"
#include "cli/signals.h"
#include "journal/rows.h"

enum { COLUMNS = 80, INDENT = 6, FLUSH_SIZE = 1 << 16 };

struct writing {
    const struct plan_table *table;
    struct file *file;  // standard output
    struct buffer text;
    const char *heading;  // of the section that comes next; NULL = it is there
    bool failed;          // the section of those that cannot go
    bool first;
};

static int flush(struct writing *writing, size_t least, struct error *error) {
    if (writing->text.size < least) return 0;
    int result =
        writing->file->operations->write(writing->file, writing->text.data, writing->text.size, error);
    buffer_clear(&writing->text);
    return result;
}

static const char *verdict_of(const struct journal_row *row) {
    if (row->state == DEVICE_FAILED) return "cannot go";
    return row->state == DEVICE_SKIPPED ? "left alone" : "ready";
}

// ---- for people

// Words in lines that fit, each indented; a word that is longer than a line has one of its own.
static void add_wrapped(struct buffer *text, const char *words) {
    size_t column = 0;
    while (*words != '\0') {
        size_t size = strcspn(words, " ");
        if (column > 0 && column + 1 + size >= COLUMNS) {
            buffer_putc(text, '\n');
            column = 0;
        }
        if (column == 0) {
            buffer_printf(text, "%*s", INDENT, "");
            column = INDENT;
        } else {
            buffer_putc(text, ' ');
            column++;
        }
        buffer_add(text, words, size);
        column += size;
        words += size;
        words += strspn(words, " ");
    }
    buffer_putc(text, '\n');
}

// The ID, and the one that it gets if that is another.
static void add_id(struct buffer *text, const struct journal_row *row) {
    buffer_puts(text, "  ");
    printable_add(text, row->id);
    if (row->device_id != NULL && strcmp(row->device_id, row->id) != 0) {
        buffer_puts(text, " -> ");
        printable_add(text, row->device_id);
    }
    buffer_putc(text, '\n');
}

static int write_row(void *context, const struct journal_row *row, struct error *error) {
    struct writing *writing = context;
    bool failed = row->state == DEVICE_FAILED || row->state == DEVICE_SKIPPED;
    if (row->reason == NULL || failed != writing->failed) return 0;
    if (writing->heading != NULL) buffer_printf(&writing->text, "\n%s\n", writing->heading);
    writing->heading = NULL;
    BUFFER_AUTO reason;
    buffer_init(&reason, BUFFER_UNLIMITED);
    printable_add(&reason, row->reason);
    add_id(&writing->text, row);
    add_wrapped(&writing->text, buffer_string(&reason));
    return flush(writing, FLUSH_SIZE, error);
}

static int write_section(struct writing *writing, bool failed, const char *heading, struct error *error) {
    writing->failed = failed;
    writing->heading = heading;
    return journal_each_row(writing->table->journal, JOURNAL_ROWS_TOLD, write_row, writing, error);
}

static void write_head(struct writing *writing) {
    const struct run_numbers *numbers = writing->table->numbers;
    struct buffer *text = &writing->text;
    buffer_printf(text, "%s %s to %s:\n", writing->table->gateways ? "Gateways from" : "From",
                  writing->table->source, writing->table->target);
    buffer_printf(text, "  %8" PRIu64 "  can go\n", numbers->checked);
    if (numbers->found > 0)
        buffer_printf(text, "  %8" PRIu64 "  of these are at the target already\n", numbers->found);
    if (numbers->skipped > 0) buffer_printf(text, "  %8" PRIu64 "  are left alone\n", numbers->skipped);
    buffer_printf(text, "  %8" PRIu64 "  cannot go\n", numbers->failed);
}

static const char *formatters_verdict(const struct run_formatters_finding *finding) {
    switch (finding->verdict) {
        case RUN_FORMATTERS_NONE:
            return "none";
        case RUN_FORMATTERS_UNKNOWN:
            return "not readable";
        case RUN_FORMATTERS_WRITTEN:
            return "would be written";
        case RUN_FORMATTERS_SET:
            return finding->replaces ? "would replace others" : "would be set";
        case RUN_FORMATTERS_FOUND:
            return "there already";
        case RUN_FORMATTERS_LEFT:
            return "left alone";
        case RUN_FORMATTERS_FAILED:
            break;
    }
    return "cannot go";
}

static void write_formatters(struct writing *writing) {
    size_t count = 0;
    const struct run_formatters_finding *findings = run_formatters_findings(writing->table->run, &count);
    BUFFER_AUTO words;
    buffer_init(&words, BUFFER_UNLIMITED);
    for (size_t i = 0; i < count; i++) {
        const struct run_formatters_finding *finding = &findings[i];
        if (i == 0) buffer_puts(&writing->text, "\nPayload formatters:\n");
        buffer_puts(&writing->text, "  ");
        printable_add(&writing->text, finding->application);
        if (finding->target != NULL) buffer_printf(&writing->text, " -> %s", finding->target);
        buffer_putc(&writing->text, '\n');
        buffer_clear(&words);
        buffer_puts(&words, formatters_verdict(finding));
        if (finding->what != NULL && finding->verdict != RUN_FORMATTERS_NONE)
            buffer_printf(&words, ": %s", finding->what);
        if (finding->reason != NULL) {
            buffer_puts(&words, ": ");
            printable_add(&words, finding->reason);
        }
        add_wrapped(&writing->text, buffer_string(&words));
    }
}

static int write_text(struct writing *writing, struct error *error) {
    write_head(writing);
    write_formatters(writing);
    int result = write_section(writing, true, "These stay where they are:", error);
    if (result == 0) result = write_section(writing, false, "These can go, but you should know:", error);
    return result;
}

// ---- for machines

static void add_text(json_t *object, const char *name, const char *text) {
    if (text != NULL) json_object_set_new(object, name, json_string(text));
}

static int write_object(void *context, const struct journal_row *row, struct error *error) {
    struct writing *writing = context;
    json_t *object = json_object();
    bool gateways = writing->table->gateways;
    if (!gateways) add_text(object, "application_id", row->application);
    add_text(object, "id", row->id);
    add_text(object, gateways ? "gateway_id" : "device_id", row->device_id);
    if (row->dev_eui != NULL) {
        char eui[HEX_TEXT_SIZE(8)];
        hex_encode_upper(eui, row->dev_eui, 8);
        add_text(object, "dev_eui", eui);
    }
    add_text(object, "verdict", verdict_of(row));
    add_text(object, "reason", row->reason);
    char *text MEMORY_AUTO = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    buffer_puts(&writing->text, writing->first ? "" : ",");
    buffer_puts(&writing->text, text != NULL ? text : "{}");
    writing->first = false;
    return flush(writing, FLUSH_SIZE, error);
}

static void write_formatters_json(struct writing *writing) {
    size_t count = 0;
    const struct run_formatters_finding *findings = run_formatters_findings(writing->table->run, &count);
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *object = json_object();
        add_text(object, "application_id", findings[i].application);
        add_text(object, "target_application_id", findings[i].target);
        add_text(object, "verdict", formatters_verdict(&findings[i]));
        add_text(object, "formatters", findings[i].what);
        add_text(object, "reason", findings[i].reason);
        json_array_append_new(array, object);
    }
    char *text MEMORY_AUTO = json_dumps(array, JSON_COMPACT);
    json_decref(array);
    buffer_printf(&writing->text, "\"formatters\":%s,", text != NULL ? text : "[]");
}

static int write_json(struct writing *writing, struct error *error) {
    const struct run_numbers *numbers = writing->table->numbers;
    buffer_printf(&writing->text,
                  "{\"ready\":%" PRIu64 ",\"found\":%" PRIu64 ",\"skipped\":%" PRIu64 ",\"failed\":%" PRIu64
                  ",",
                  numbers->checked, numbers->found, numbers->skipped, numbers->failed);
    if (!writing->table->gateways) write_formatters_json(writing);
    buffer_puts(&writing->text, writing->table->gateways ? "\"gateways\":[" : "\"devices\":[");
    writing->first = true;
    int result = journal_each_row(writing->table->journal, JOURNAL_ROWS_ALL, write_object, writing, error);
    buffer_puts(&writing->text, "]}\n");
    return result;
}

int plan_table_write(const struct plan_table *table, struct error *error) {
    struct writing writing = {.table = table};
    int result = file_open_standard_output(signals_halt_fd(), &writing.file, error);
    if (result != 0) return result;
    buffer_init(&writing.text, BUFFER_UNLIMITED);
    result = table->json ? write_json(&writing, error) : write_text(&writing, error);
    if (result == 0) result = flush(&writing, 0, error);
    buffer_release(&writing.text);
    int closed = writing.file->operations->close(writing.file, result == 0 ? error : NULL);
    return result != 0 ? result : closed;
}
