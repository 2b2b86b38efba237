// SPDX-License-Identifier: Apache-2.0
// Tables: the first byte chooses the encoding, the rest is the file. However it is cut, the same rows come out; written
// again, they are read as they were.
#include <string.h>

#include "base/table.h"
#include "base/utf8.h"
#include "fuzz.h"

static int collect(void *context, const struct table_row *row, struct error *error) {
    (void)error;
    struct buffer *text = context;
    for (size_t i = 0; i < row->count; i++) {
        fuzz_check(utf8_valid(row->fields[i], strlen(row->fields[i])));
        if (i > 0) buffer_putc(text, ';');
        table_write_field(text, row->fields[i], ';');
    }
    buffer_putc(text, '\n');
    return 0;
}

static int run(enum text_encoding encoding, char delimiter, const uint8_t *data, size_t size, size_t piece,
               struct buffer *text) {
    struct table_setup setup = {
        .encoding = encoding, .delimiter = delimiter, .receiver = collect, .context = text};
    struct table_reader *reader = table_reader_new(&setup);
    ERROR_AUTO error = {0};
    int result = 0;
    for (size_t at = 0; at < size && result == 0; at += piece) {
        result = table_reader_take(reader, data + at, size - at < piece ? size - at : piece, &error);
    }
    if (result == 0) result = table_reader_end(reader, &error);
    fuzz_check((result != 0) == error_is_set(&error));
    table_reader_free(reader);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    enum text_encoding encoding = (enum text_encoding)(data[0] % 4);
    BUFFER_AUTO whole, cut, again;
    buffer_init(&whole, BUFFER_UNLIMITED);
    buffer_init(&cut, BUFFER_UNLIMITED);
    buffer_init(&again, BUFFER_UNLIMITED);
    int result = run(encoding, '\0', data + 1, size - 1, size, &whole);
    fuzz_check(run(encoding, '\0', data + 1, size - 1, 3, &cut) == result);
    fuzz_check(whole.size == cut.size && (whole.size == 0 || memcmp(whole.data, cut.data, cut.size) == 0));
    if (result != 0 || whole.size == 0) return 0;
    result = run(TEXT_UTF8, ';', whole.data, whole.size, whole.size, &again);
    // A row of one empty field is a blank line.
    fuzz_check(result == 0 && again.size <= whole.size);
    return 0;
}
