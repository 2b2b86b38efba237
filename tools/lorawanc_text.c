// SPDX-License-Identifier: Apache-2.0
#include "lorawanc_text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { LEVEL_INDENT = 4, LINES_MAX = 20000, LINE_SIZE = 1024 };

void text_fail(const struct text_line *line, const char *format, ...) {
    va_list args;
    fprintf(stderr, "%s:%u: ", line->path, line->number);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(EXIT_FAILURE);
}

static struct text_line *add_line(struct text_file *file, const char *path, unsigned number) {
    if (file->count == LINES_MAX) {
        fprintf(stderr, "%s: more than %d lines\n", path, LINES_MAX);
        exit(EXIT_FAILURE);
    }
    struct text_line *line = &file->lines[file->count++];
    line->path = path;
    line->number = number;
    return line;
}

// Takes one line of the file in; comments and empty lines leave nothing behind.
static void take_line(struct text_file *file, const char *path, unsigned number, char *text) {
    text[strcspn(text, "\n")] = '\0';
    size_t indent = strspn(text, " ");
    char *start = text + indent;
    if (*start == '\0' || *start == '#') return;
    size_t key = strcspn(start, " ");
    char *value = start + key + strspn(start + key, " ");
    if (key == 1 && *start == '+') {
        struct text_line here = {.path = path, .number = number};
        if (file->count == 0) text_fail(&here, "there is no line to go on with");
        struct text_line *last = &file->lines[file->count - 1];
        last->value = arena_printf(&file->arena, "%s %s", last->value, value);
        return;
    }
    struct text_line *line = add_line(file, path, number);
    line->level = (unsigned)(indent / LEVEL_INDENT);
    if (indent % LEVEL_INDENT != 0) text_fail(line, "indented by %zu spaces", indent);
    line->key = arena_strndup(&file->arena, start, key);
    line->value = arena_strdup(&file->arena, value);
}

void text_read(const char *path, struct text_file *file) {
    char text[LINE_SIZE];
    unsigned number = 0;
    FILE *input = fopen(path, "re");
    if (input == NULL) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        exit(EXIT_FAILURE);
    }
    *file = (struct text_file){0};
    file->lines = arena_new_array(&file->arena, struct text_line, LINES_MAX);
    while (fgets(text, sizeof text, input) != NULL) take_line(file, path, ++number, text);
    bool failed = ferror(input);
    fclose(input);
    if (failed || file->count == 0) {
        fprintf(stderr, "%s: cannot be read\n", path);
        exit(EXIT_FAILURE);
    }
}

void text_release(struct text_file *file) {
    arena_release(&file->arena);
}

void text_words_init(struct text_words *words, const struct text_line *line) {
    words->line = line;
    words->rest = line->value;
    words->word[0] = '\0';
}

const char *text_next(struct text_words *words) {
    words->rest += strspn(words->rest, " ");
    size_t size = strcspn(words->rest, " ");
    if (size >= TEXT_WORD_SIZE) text_fail(words->line, "a word is too long");
    memcpy(words->word, words->rest, size);
    words->word[size] = '\0';
    words->rest += size;
    return words->word;
}

const char *text_need(struct text_words *words) {
    if (*text_next(words) == '\0') text_fail(words->line, "`%s` lacks a value", words->line->key);
    return words->word;
}

void text_end(struct text_words *words) {
    if (*text_next(words) != '\0') text_fail(words->line, "`%s` is one too many", words->word);
}

long text_number(const struct text_line *line, const char *word, long least, long most) {
    char *end;
    errno = 0;
    long value = strtol(word, &end, 10);
    if (*word == '\0' || *end != '\0' || errno != 0 || value < least || value > most)
        text_fail(line, "`%s` is no number from %ld to %ld", word, least, most);
    return value;
}

double text_decimal(const struct text_line *line, const char *word) {
    char *end;
    double value = strtod(word, &end);
    if (*word == '\0' || *end != '\0') text_fail(line, "`%s` is no number", word);
    return value;
}

uint32_t text_frequency(const struct text_line *line, const char *word) {
    uint64_t hertz = 0;
    int decimals = -1;
    for (const char *at = word; *at != '\0'; at++) {
        if (*at == '.' && decimals < 0) {
            decimals = 0;
            continue;
        }
        if (*at < '0' || *at > '9' || decimals == 6 || hertz > UINT32_MAX)
            text_fail(line, "`%s` is no frequency", word);
        hertz = hertz * 10 + (uint64_t)(*at - '0');
        if (decimals >= 0) decimals++;
    }
    for (int i = decimals < 0 ? 0 : decimals; i < 6; i++) hertz *= 10;
    if (*word == '\0' || hertz == 0 || hertz > UINT32_MAX) text_fail(line, "`%s` is no frequency", word);
    return (uint32_t)hertz;
}

bool text_bool(const struct text_line *line, const char *word) {
    if (strcmp(word, "yes") == 0) return true;
    if (strcmp(word, "no") != 0) text_fail(line, "`%s` is neither yes nor no", word);
    return false;
}

const char *text_tristate(const struct text_line *line, const char *word) {
    if (strcmp(word, "on") == 0) return "BAND_TRUE";
    if (strcmp(word, "off") == 0) return "BAND_FALSE";
    if (strcmp(word, "-") != 0) text_fail(line, "`%s` is none of on, off, -", word);
    return "BAND_UNSET";
}

static size_t find_key(const struct text_values *values, const char *key) {
    size_t i = 0;
    while (i < TEXT_KEYS_MAX && values->keys[i] != NULL && strcmp(values->keys[i], key) != 0) i++;
    return i;
}

void text_set(struct text_values *values, const struct text_line *line) {
    size_t i = find_key(values, line->key);
    if (i == TEXT_KEYS_MAX || values->keys[i] == NULL) text_fail(line, "`%s` is no key here", line->key);
    values->lines[i] = line;
}

const struct text_line *text_get(const struct text_values *values, const char *key) {
    return values->lines[find_key(values, key)];
}

const struct text_line *text_must(const struct text_values *values, const char *key,
                                  const struct text_line *where) {
    const struct text_line *line = text_get(values, key);
    if (line == NULL) text_fail(where, "there is no `%s`", key);
    return line;
}
