// SPDX-License-Identifier: Apache-2.0
#include "base/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"

// Rows as text: "1[a|b]2[c]" are two rows, of lines 1 and 2.
static int collect(void *context, const struct table_row *row, struct error *error) {
    (void)error;
    struct buffer *text = context;
    buffer_printf(text, "%zu[", row->line);
    for (size_t i = 0; i < row->count; i++) buffer_printf(text, "%s%s", i > 0 ? "|" : "", row->fields[i]);
    buffer_putc(text, ']');
    return 0;
}

static int read_table(enum text_encoding encoding, char delimiter, const char *data, size_t size,
                      size_t piece, struct buffer *rows, struct error *error) {
    struct table_setup setup = {
        .encoding = encoding, .delimiter = delimiter, .receiver = collect, .context = rows};
    struct table_reader *reader = table_reader_new(&setup);
    int result = 0;
    for (size_t at = 0; at < size && result == 0; at += piece) {
        result = table_reader_take(reader, data + at, size - at < piece ? size - at : piece, error);
    }
    if (result == 0) result = table_reader_end(reader, error);
    table_reader_free(reader);
    return result;
}

struct table_case {
    enum text_encoding encoding;
    const char *data;
    size_t size;
    const char *rows;
};

#define CASE(encoding, data, rows) \
    { encoding, data, sizeof(data) - 1, rows }

static const struct table_case cases[] = {
    CASE(TEXT_AUTO, "", ""),
    CASE(TEXT_AUTO, "a", "1[a]"),
    CASE(TEXT_AUTO, "a,b\n1,2\n", "1[a|b]2[1|2]"),
    CASE(TEXT_AUTO, "a;b,c\r\n1;2\r\n", "1[a|b,c]2[1|2]"),
    CASE(TEXT_AUTO, "a\tb\r1\t2\r", "1[a|b]2[1|2]"),
    CASE(TEXT_AUTO, "a,\"b;c\"\n", "1[a|b;c]"),
    CASE(TEXT_AUTO, "a,b\n\n  \n1,2\n\r\n3,4", "1[a|b]4[1|2]6[3|4]"),
    CASE(TEXT_AUTO, "a, b ,\" c \"\n", "1[a|b| c ]"),
    CASE(TEXT_AUTO, "a,b\n\"x\ny\",\"say \"\"hi\"\"\"\n3,\n", "1[a|b]2[x\ny|say \"hi\"]4[3|]"),
    CASE(TEXT_AUTO, ",\n", "1[|]"),
    CASE(TEXT_AUTO,
         "\xef\xbb\xbf"
         "a,\xc3\xa4\n",
         "1[a|\xc3\xa4]"),
    CASE(TEXT_AUTO, "a,\xe4\n\xfc,\x80\n", "1[a|\xc3\xa4]2[\xc3\xbc|\xe2\x82\xac]"),
    CASE(TEXT_AUTO, "a,\xe4", "1[a|\xc3\xa4]"),
    CASE(TEXT_AUTO,
         "\xff\xfe"
         "a\0,\0\xe4\0\n\0",
         "1[a|\xc3\xa4]"),
    CASE(TEXT_AUTO,
         "\xfe\xff"
         "\0a\0,\0\xe4\0\n",
         "1[a|\xc3\xa4]"),
    CASE(TEXT_AUTO, "a\0;\0\x3d\xd8\x00\xde\n\0", "1[a|\xf0\x9f\x98\x80]"),
    CASE(TEXT_UTF16, "a\0;\0b\0", "1[a|b]"),
    CASE(TEXT_AUTO, "a;b\n=\"0011\";=\"\"\n", "1[a|b]2[0011|]"),
    CASE(TEXT_AUTO, "a;b\n =\"0;1\" ;\"=\"\"02\"\"\"\n", "1[a|b]2[0;1|02]"),
    CASE(TEXT_AUTO, "a;b\n\"x;=\"\"y\n;=\"\"z\";=1\n", "1[a|b]2[x;=\"y\n;=\"z|=1]"),
    CASE(TEXT_AUTO, "sep=,\r\na,b;c\r\n", "2[a|b;c]"),
    CASE(TEXT_AUTO, "\"Sep=|\"\na|b;c\n", "2[a|b;c]"),
    CASE(TEXT_AUTO, "sep=\t\na\tb;c\nsep=;\t1\n", "2[a|b;c]3[sep=;|1]"),
    CASE(TEXT_AUTO, "sep=x\na;b\n", "1[sep=x]2[a|b]"),
    CASE(TEXT_AUTO, "A title\n\na;b,c\n1;2\n", "1[A title]3[a|b,c]4[1|2]"),
    CASE(TEXT_LATIN1, "\xc3\xa4,b", "1[\xc3\x83\xc2\xa4|b]"),
    CASE(TEXT_UTF8, "\xc3\xa4,b", "1[\xc3\xa4|b]"),
};

static void test_tables(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t piece = 1; piece <= cases[i].size + 1; piece++) {
            struct buffer rows;
            struct error error = {0};
            buffer_init(&rows, BUFFER_UNLIMITED);
            int result =
                read_table(cases[i].encoding, '\0', cases[i].data, cases[i].size, piece, &rows, &error);
            if (result != 0) fail_msg("case %zu, pieces of %zu: %s", i, piece, error.message);
            if (strcmp(buffer_string(&rows), cases[i].rows) != 0)
                fail_msg("case %zu, pieces of %zu: %s", i, piece, buffer_string(&rows));
            buffer_release(&rows);
        }
    }
}

static void test_comments(void **state) {
    (void)state;
    static const char text[] = "# a;b\n1,2\n\"\n#3\",4\n#5\n";
    struct buffer rows;
    buffer_init(&rows, BUFFER_UNLIMITED);
    struct table_reader *reader =
        table_reader_new(&(struct table_setup){.comment = '#', .receiver = collect, .context = &rows});
    assert_int_equal(table_reader_take(reader, text, strlen(text), NULL), 0);
    assert_int_equal(table_reader_end(reader, NULL), 0);
    table_reader_free(reader);
    assert_string_equal(buffer_string(&rows), "2[1|2]3[\n#3|4]");
    buffer_release(&rows);
}

static void test_delimiter_is_given(void **state) {
    (void)state;
    struct buffer rows;
    buffer_init(&rows, BUFFER_UNLIMITED);
    assert_int_equal(read_table(TEXT_AUTO, '|', "a;b|c,d\n", 8, 8, &rows, NULL), 0);
    assert_string_equal(buffer_string(&rows), "1[a;b|c,d]");
    buffer_release(&rows);
}

static void assert_refused(enum text_encoding encoding, const char *data, size_t size, const char *reason) {
    for (size_t piece = 1 + size / 50; piece <= size; piece = piece * 3 + 1) {
        struct buffer rows;
        struct error error = {0};
        buffer_init(&rows, BUFFER_UNLIMITED);
        assert_int_not_equal(read_table(encoding, '\0', data, size, piece, &rows, &error), 0);
        char *chain = error_chain(&error);
        if (strstr(chain, reason) == NULL) fail_msg("pieces of %zu: %s instead of %s", piece, chain, reason);
        free(chain);
        error_release(&error);
        buffer_release(&rows);
    }
}

static void test_refused(void **state) {
    (void)state;
    assert_refused(TEXT_AUTO, "a,b\n1,\"2\n3,4\n", 13,
                   "line 2: the row that begins here has a quote without its end");
    assert_refused(TEXT_AUTO, "a,b\n1,2\"3\n", 10, "line 2: a quote stands where none can be");
    assert_refused(TEXT_AUTO, "a,\xc3\xa4\nb,\xe4\n", 9, "line 2: a character is not UTF-8");
    assert_refused(TEXT_UTF8, "a\nb,\xe4", 5, "line 2: a character is not UTF-8");
    assert_refused(TEXT_AUTO, "a,b\n\n1,\0\n", 9, "line 3: there is a zero byte");
    assert_refused(TEXT_UTF16, "a\0\n\0\0\xdc", 6, "line 2: a character is not UTF-16");
    assert_refused(TEXT_UTF16, "a\0b", 3, "line 1: a character is not UTF-16");
    assert_refused(TEXT_AUTO, "{\"ids\":{}}\n", 11, "line 1: it is JSON, and no table");
    struct error error = {0};
    assert_int_not_equal(read_table(TEXT_AUTO, '\0', "PK\x03\x04\x14\0\6\0", 8, 8, NULL, &error), 0);
    assert_string_equal(error.message, "line 1: it is a file of a spreadsheet, and no text");
    error_release(&error);
    size_t size = TABLE_LINE_MAX + 10;
    char *text = memory_alloc(size + 1, 1);
    memset(text, 'x', size);
    text[1] = '\n';
    assert_refused(TEXT_AUTO, text, size, "line 2: the line is longer than 64 KiB");
    memset(text, ',', size);
    for (size_t i = 2000; i < size; i += 2000) text[i] = '\n';
    assert_refused(TEXT_AUTO, text, size, "line 1: there are too many columns");
    free(text);
    // A quote that is never closed does not take the whole file into memory.
    size = TABLE_ROW_MAX + 1000;
    text = memory_alloc(size + 1, 1);
    memset(text, 'x', size);
    text[0] = '"';
    for (size_t i = 100; i < size; i += 100) text[i] = '\n';
    assert_refused(TEXT_AUTO, text, size, "line 1: the row");
    free(text);
}

static int stop(void *context, const struct table_row *row, struct error *error) {
    ++*(size_t *)context;
    return row->line == 2 ? error_set(error, ERROR_DEVICE, "enough") : 0;
}

static void test_receiver_ends_it(void **state) {
    (void)state;
    size_t rows = 0;
    struct error error = {0};
    struct table_reader *reader = table_reader_new(&(struct table_setup){.receiver = stop, .context = &rows});
    assert_int_equal(table_reader_take(reader, "a\nb\nc\n", 6, &error), -ERROR_DEVICE);
    assert_int_equal(rows, 2);
    assert_string_equal(error.message, "enough");
    error_release(&error);
    table_reader_free(reader);
}

static void test_written(void **state) {
    (void)state;
    static const char *const fields[] = {"plain",      "",      "a;b",    "say \"hi\"",
                                         "two\nlines", " lead", "trail ", "a,b"};
    struct buffer text, rows;
    buffer_init(&text, BUFFER_UNLIMITED);
    buffer_init(&rows, BUFFER_UNLIMITED);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (i > 0) buffer_putc(&text, ';');
        table_write_field(&text, fields[i], ';');
    }
    assert_int_equal(read_table(TEXT_AUTO, ';', (const char *)text.data, text.size, text.size, &rows, NULL),
                     0);
    assert_string_equal(buffer_string(&rows), "1[plain||a;b|say \"hi\"|two\nlines| lead|trail |a,b]");
    buffer_release(&text);
    buffer_release(&rows);
}

static void test_headers(void **state) {
    (void)state;
    static const char *const same[] = {"dev_eui", "DEV_EUI", "Dev EUI", "DevEUI", "dev-eui", " dev.eui "};
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
        assert_true(table_header_is(same[i], "dev_eui"));
    assert_false(table_header_is("dev_eui2", "dev_eui"));
    assert_false(table_header_is("dev", "dev_eui"));
    assert_false(table_header_is("", "dev_eui"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables),           cmocka_unit_test(test_delimiter_is_given),
        cmocka_unit_test(test_comments),         cmocka_unit_test(test_refused),
        cmocka_unit_test(test_receiver_ends_it), cmocka_unit_test(test_written),
        cmocka_unit_test(test_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
