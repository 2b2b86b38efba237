// SPDX-License-Identifier: Apache-2.0
// libcsv takes rows apart. It does not tell lines, so it gets the text line by line.
#include "base/table.h"

#include <csv.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"

struct table_reader {
    struct table_setup setup;
    struct text_decoder decoder;
    struct csv_parser parser;
    bool begun;             // a line was there
    bool delimited;         // the delimiter is known
    char delimiter;         // of the row at hand
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

// Without the ="..." that a spreadsheet puts around a text which is not to become a number.
static const char *bare_field(const char *field, size_t *size) {
    if (*size < 3 || field[0] != '=' || field[1] != '"' || field[*size - 1] != '"') return field;
    *size -= 3;
    return field + 2;
}

static void take_field(void *whole, size_t size, void *context) {
    struct table_reader *reader = context;
    if (reader->result != 0) return;
    const char *field = bare_field(whole, &size);
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

// The character between the columns, by the first line that has one; NUL = none.
static char find_delimiter(const char *text, size_t size) {
    static const char candidates[] = ";,\t";
    char found = '\0';
    bool quoted = false;
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '"') quoted = !quoted;
        if (quoted || text[i] == '\0' || strchr(candidates, text[i]) == NULL) continue;
        if (found == '\0' || strchr(candidates, text[i]) < strchr(candidates, found)) found = text[i];
    }
    return found;
}

// The delimiter that a spreadsheet tells in a line of its own, "sep=;"; NUL = it is no such line.
static char told_delimiter(const char *text, size_t size) {
    static const char word[] = "sep=";
    while (size > 0 && (text[size - 1] == '\r' || text[size - 1] == '\n')) size--;
    if (size > 2 && text[0] == '"' && text[size - 1] == '"') {
        text++;
        size -= 2;
    }
    bool told = size == strlen(word) + 1 && strncasecmp(text, word, strlen(word)) == 0;
    char delimiter = told ? text[size - 1] : '\0';
    return (ispunct((unsigned char)delimiter) && delimiter != '"') || delimiter == '\t' ? delimiter : '\0';
}

// A spreadsheet writes ="0011" for a text that is not to become a number. The equals sign before the quote is taken
// away; returns the new size. `quoted`: the line begins within quotes.
static size_t drop_formulas(char *text, size_t size, char delimiter, bool quoted) {
    bool begins = !quoted;
    size_t kept = 0;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (begins && c == '=' && i + 1 < size && text[i + 1] == '"') continue;
        if (c == '"') quoted = !quoted;
        begins = !quoted && (c == delimiter || (begins && c == ' '));
        text[kept++] = c;
    }
    return kept;
}

static bool is_blank(const char *text, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r' && text[i] != '\n') return false;
    }
    return true;
}

// The character between the columns of this line. True if the line says nothing else.
static bool learn_delimiter(struct table_reader *reader, const char *text, size_t size) {
    if (reader->delimited) return false;
    char told = reader->begun ? '\0' : told_delimiter(text, size);
    char delimiter = reader->setup.delimiter;
    if (delimiter == '\0') delimiter = told;
    if (delimiter == '\0') delimiter = find_delimiter(text, size);
    // A title may stand above the table, without any.
    reader->delimited = delimiter != '\0';
    reader->begun = true;
    reader->delimiter = delimiter != '\0' ? delimiter : ',';
    csv_set_delim(&reader->parser, (unsigned char)reader->delimiter);
    return told != '\0';
}

// A whole line, with its end.
static int take_line(struct table_reader *reader, char *text, size_t size) {
    size_t line = reader->line++;
    if (size > TABLE_LINE_MAX) return fail_at(reader, line, "the line is longer than 64 KiB");
    bool comment = reader->setup.comment != '\0' && text[0] == reader->setup.comment;
    if (!reader->row_open && (comment || is_blank(text, size))) return 0;
    if (!reader->row_open && learn_delimiter(reader, text, size)) return 0;
    size = drop_formulas(text, size, reader->delimiter, reader->row_open);
    if (!reader->row_open) reader->row_line = line;
    reader->row_open = true;
    if (csv_parse(&reader->parser, text, size, take_field, take_row, reader) != size) {
        bool json = line == 1 && (text[0] == '{' || text[0] == '[');
        return fail_at(reader, line, json ? "it is JSON, and no table" : "a quote stands where none can be");
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
        char *text = (char *)reader->pending.data + at;
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

// What people take for a table, and is none. By its first bytes.
static int check_kind(const struct table_reader *reader, const char *data, size_t size, struct error *error) {
    static const char zip[] = "PK\x03\x04", compound[] = "\xd0\xcf\x11\xe0";
    bool first = !reader->begun && reader->line == 1 && reader->pending.size == 0;
    if (!first || size < 4 || (memcmp(data, zip, 4) != 0 && memcmp(data, compound, 4) != 0)) return 0;
    error_set(error, ERROR_INPUT, "line 1: it is a file of a spreadsheet, and no text");
    error_hint(error, "save it as CSV (UTF-8) in the spreadsheet");
    return -ERROR_INPUT;
}

int table_reader_take(struct table_reader *reader, const void *data, size_t size, struct error *error) {
    reader->error = error;
    int kind = check_kind(reader, data, size, error);
    if (kind != 0) return kind;
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
    // The last two are a space that does not break.
    static const char spaces[] = " \t\r\n\xc2\xa0";
    for (size_t i = 0; i < row->count; i++) {
        if (row->fields[i][strspn(row->fields[i], spaces)] != '\0') return false;
    }
    return true;
}

bool table_header_is(const char *header, const char *name) {
    for (;;) {
        while (*header != '\0' && strchr(" _-.\t\n\r", *header) != NULL) header++;
        while (*name == '_') name++;
        if (tolower((unsigned char)*header) != *name) return false;
        if (*name == '\0') return true;
        header++;
        name++;
    }
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
