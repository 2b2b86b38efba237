// SPDX-License-Identifier: Apache-2.0
// What the two kinds of text in data/ have in common: indented lines of a key and words, and the lists that
// become constant arrays. Anything wrong ends the program with file and line: it only runs in a build.
#ifndef TOOLS_LORAWANC_TEXT_H
#define TOOLS_LORAWANC_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"

struct text_line {
    const char *path;   // for messages
    unsigned number;    // from 1
    unsigned level;     // 0: not indented; 1: by 4 spaces; 2: by 8
    const char *key;    // the first word
    const char *value;  // the rest, with the lines that go on with `+`; "" if there is none
};

struct text_file {
    struct text_line *lines;  // owned by the arena
    size_t count;
    struct arena arena;
};

void text_read(const char *path, struct text_file *file);
void text_release(struct text_file *file);

_Noreturn void text_fail(const struct text_line *line, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// The words of a value, one by one; the last is followed by "".
enum { TEXT_WORD_SIZE = 96 };
struct text_words {
    const struct text_line *line;
    const char *rest;
    char word[TEXT_WORD_SIZE];
};
void text_words_init(struct text_words *words, const struct text_line *line);
const char *text_next(struct text_words *words);
// The next word, which must be there.
const char *text_need(struct text_words *words);
// Fails if there is another word.
void text_end(struct text_words *words);

// A word as a number within limits; `-` in text_tristate is BAND_UNSET.
long text_number(const struct text_line *line, const char *word, long least, long most);
double text_decimal(const struct text_line *line, const char *word);
uint32_t text_frequency(const struct text_line *line, const char *word);    // MHz to Hz
bool text_bool(const struct text_line *line, const char *word);             // yes, no
const char *text_tristate(const struct text_line *line, const char *word);  // on, off, - as a C constant

// The lines that hold for something, by the place of their key in a table of keys.
enum { TEXT_KEYS_MAX = 32 };
struct text_values {
    const char *const *keys;                       // ends with NULL
    const struct text_line *lines[TEXT_KEYS_MAX];  // NULL = not given
};
void text_set(struct text_values *values, const struct text_line *line);
const struct text_line *text_get(const struct text_values *values, const char *key);  // may be NULL
const struct text_line *text_must(const struct text_values *values, const char *key,
                                  const struct text_line *where);

// Constant arrays, each written once however often it is used.
struct table {
    char *content;
    char name[32];
};
struct tables {
    struct table *entries;  // owned
    size_t count;
    size_t capacity;
    struct buffer text;  // their definitions
};
void tables_release(struct tables *tables);

// An array as an expression ("channels_3", or "NULL" for an empty one) and its length.
struct array {
    const char *name;  // borrowed until the next one is made
    unsigned count;
};
struct array tables_add(struct tables *tables, const char *type, const char *prefix, const char *content,
                        unsigned count);
struct array tables_channels(struct tables *tables, const struct text_line *line);
struct array tables_frequencies(struct tables *tables, const struct text_line *line);
struct array tables_sub_bands(struct tables *tables, const struct text_line *line);

#endif
