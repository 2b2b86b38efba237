// SPDX-License-Identifier: Apache-2.0
// libcsv takes rows apart. It does not tell lines, so it gets the text line by line.
#include "base/table.h"

#include <csv.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct table_reader {
    struct table_setup setup;
    struct text_decoder decoder;
    struct csv_parser parser;
    bool delimited;         // the delimiter is known
    struct buffer pending;  // decoded, without a line's end yet
    size_t line;            // of the first byte in `pending`
    struct buffer row;      // the fields so far, each with its NUL
    size_t offsets[TABLE_COLUMNS_MAX];
    size_t count;
    size_t row_line;
    bool row_open;
    int result;           // of the receiver
    struct error *error;  // where to put it; borrowed during a call
};

struct table_reader *table_reader_new(const struct table_setup *setup) {
    struct table_reader *reader = memory_new(struct table_reader);
    reader->setup = *setup;
    reader->line = 1;
    text_decoder_init(&reader->decoder, setup->encoding);
    buffer_init(&reader->pending, BUFFER_UNLIMITED);
    buffer_init(&reader->row, TABLE_ROW_MAX);
    // Fails never: it allocates nothing.
    csv_init(&reader->parser, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL);
    csv_set_blk_size(&reader->parser, TABLE_LINE_MAX);
    return reader;
}

void table_reader_free(struct table_reader *reader) {
    if (reader == NULL) return;
    if (reader->parser.entry_buf != NULL) memory_wipe(reader->parser.entry_buf, reader->parser.entry_size);
    csv_free(&reader->parser);
    buffer_release(&reader->pending);
    buffer_release(&reader->row);
    memory_wipe(&reader->decoder, sizeof reader->decoder);
    free(reader);
}

static int fail_at(struct table_reader *reader, size_t line, const char *reason) {
    if (reader->result != 0) return reader->result;
    reader->result = error_set(reader->error, ERROR_INPUT, "line %zu: %s", line, reason);
    return reader->result;
}

static void take_field(void *field, size_t size, void *context) {
    struct table_reader *reader = context;
    if (reader->result != 0) return;
    if (reader->count == TABLE_COLUMNS_MAX) {
        fail_at(reader, reader->row_line, "there are too many columns");
        return;
    }
    if (size > 0 && memchr(field, '\0', size) != NULL) {
        fail_at(reader, reader->row_line, "there is a zero byte");
        return;
    }
    reader->offsets[reader->count++] = reader->row.size;
    buffer_add(&reader->row, field, size);
    buffer_putc(&reader->row, '\0');
    if (reader->row.overflowed) fail_at(reader, reader->row_line, "the row is too long; is a quote missing?");
}

static void take_row(int end, void *context) {
    (void)end;
    struct table_reader *reader = context;
    if (reader->result == 0) {
        const char *fields[TABLE_COLUMNS_MAX];
        for (size_t i = 0; i < reader->count; i++) {
            fields[i] = (const char *)reader->row.data + reader->offsets[i];
        }
        const struct table_row row = {.fields = fields, .count = reader->count, .line = reader->row_line};
        reader->result = reader->setup.receiver(reader->setup.context, &row, reader->error);
    }
    buffer_clear(&reader->row);
    reader->count = 0;
    reader->row_open = false;
}

// The character between the columns, by the first line.
static char find_delimiter(const char *text, size_t size) {
    static const char candidates[] = ";,\t";
    char found = '\0';
    bool quoted = false;
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '"') quoted = !quoted;
        if (quoted || text[i] == '\0' || strchr(candidates, text[i]) == NULL) continue;
        if (found == '\0' || strchr(candidates, text[i]) < strchr(candidates, found)) found = text[i];
    }
    return found == '\0' ? ',' : found;
}

static bool is_blank(const char *text, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r' && text[i] != '\n') return false;
    }
    return true;
}

// A whole line, with its end.
static int take_line(struct table_reader *reader, const char *text, size_t size) {
    size_t line = reader->line++;
    if (size > TABLE_LINE_MAX) return fail_at(reader, line, "the line is longer than 64 KiB");
    bool comment = reader->setup.comment != '\0' && text[0] == reader->setup.comment;
    if (!reader->row_open && (comment || is_blank(text, size))) return 0;
    if (!reader->delimited) {
        char delimiter = reader->setup.delimiter;
        if (delimiter == '\0') delimiter = find_delimiter(text, size);
        csv_set_delim(&reader->parser, (unsigned char)delimiter);
        reader->delimited = true;
    }
    if (!reader->row_open) reader->row_line = line;
    reader->row_open = true;
    if (csv_parse(&reader->parser, text, size, take_field, take_row, reader) != size) {
        return fail_at(reader, line, "a quote stands where none can be");
    }
    return reader->result;
}

// The size of the first line in the text with its end; 0 = it is not whole.
static size_t line_size(const char *text, size_t size, bool end) {
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\n') return i + 1;
        if (text[i] != '\r') continue;
        if (i + 1 < size) return text[i + 1] == '\n' ? i + 2 : i + 1;
        return end ? i + 1 : 0;
    }
    return end ? size : 0;
}

static int take_lines(struct table_reader *reader, bool end) {
    size_t at = 0;
    int result = 0;
    while (result == 0 && at < reader->pending.size) {
        const char *text = (const char *)reader->pending.data + at;
        size_t left = reader->pending.size - at;
        size_t size = line_size(text, left, end);
        if (size == 0 && left > TABLE_LINE_MAX) size = left;
        if (size == 0) break;
        result = take_line(reader, text, size);
        at += size;
    }
    buffer_drop(&reader->pending, at);
    return result;
}

int table_reader_take(struct table_reader *reader, const void *data, size_t size, struct error *error) {
    reader->error = error;
    ERROR_AUTO fault = {0};
    int decoded = text_decoder_take(&reader->decoder, data, size, &reader->pending, &fault);
    int result = take_lines(reader, false);
    if (result != 0 || decoded == 0) return result;
    error_move(error, &fault);
    return error_wrap(error, ERROR_NONE, "line %zu", reader->line);
}

int table_reader_end(struct table_reader *reader, struct error *error) {
    reader->error = error;
    ERROR_AUTO fault = {0};
    int decoded = text_decoder_end(&reader->decoder, &reader->pending, &fault);
    int result = take_lines(reader, decoded == 0);
    if (result != 0) return result;
    if (decoded != 0) {
        error_move(error, &fault);
        return error_wrap(error, ERROR_NONE, "line %zu", reader->line);
    }
    if (csv_fini(&reader->parser, take_field, take_row, reader) != 0) {
        return fail_at(reader, reader->row_line, "the row that begins here has a quote without its end");
    }
    return reader->result;
}

bool table_row_is_empty(const struct table_row *row) {
    for (size_t i = 0; i < row->count; i++) {
        if (row->fields[i][0] != '\0') return false;
    }
    return true;
}

void table_write_field(struct buffer *text, const char *field, char delimiter) {
    const char special[] = {delimiter, '"', '\n', '\r', '\0'};
    size_t size = strlen(field);
    bool spaces = size > 0 &&
                  (field[0] == ' ' || field[0] == '\t' || field[size - 1] == ' ' || field[size - 1] == '\t');
    if (!spaces && field[strcspn(field, special)] == '\0') {
        buffer_puts(text, field);
        return;
    }
    buffer_putc(text, '"');
    for (; *field != '\0'; field++) {
        if (*field == '"') buffer_putc(text, '"');
        buffer_putc(text, *field);
    }
    buffer_putc(text, '"');
}
