// SPDX-License-Identifier: Apache-2.0
// Tables as text, a row a line, with a character between columns (CSV): read as a stream, whatever the encoding and the
// character; and written.
//
// Fields may be in quotes, with the quote doubled inside; spaces around fields that are not are dropped. Blank lines are
// skipped. Lines end in LF, CR LF or CR. What spreadsheets add is understood: ="0011" is the field 0011, and a first line
// "sep=;" says the delimiter.
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/text_decoder.h"

// Most bytes of one line, and of one row, which may have lines within its quotes.
enum { TABLE_LINE_MAX = 64 * 1024, TABLE_ROW_MAX = 256 * 1024, TABLE_COLUMNS_MAX = 1024 };

struct table_row {
    const char *const *fields;  // UTF-8; borrowed for the call
    size_t count;
    size_t line;  // where it begins, from 1 on
};

// Takes a row. Another value than 0 ends the reading, which returns it.
typedef int table_receiver(void *context, const struct table_row *row, struct error *error);

struct table_setup {
    enum text_encoding encoding;
    char comment;  // a line that begins so is skipped; 0 = none
    char
        delimiter;  // 0 = the first of `;`, `,`, tab (in this order) that is in the first line which has one outside
                    // of quotes
    table_receiver *receiver;
    void *context;
};

struct table_reader;

struct table_reader *table_reader_new(const struct table_setup *setup);

// Takes a piece of the file and hands on the rows that are whole. ERROR_INPUT with the line, or ERROR_TOO_LARGE.
int table_reader_take(struct table_reader *reader, const void *data, size_t size, struct error *error);

// To be called at the end of the file.
int table_reader_end(struct table_reader *reader, struct error *error);

// Wipes and frees; accepts NULL.
void table_reader_free(struct table_reader *reader);

// True if all fields of the row are empty, or spaces.
bool table_row_is_empty(const struct table_row *row);

// True if a header is that name (lower case, with underscores) as people write it: in any case, and with spaces, hyphens,
// points or nothing in place of the underscores.
bool table_header_is(const char *header, const char *name);

// Appends a field, in quotes where it needs them.
void table_write_field(struct buffer *text, const char *field, char delimiter);

#endif
