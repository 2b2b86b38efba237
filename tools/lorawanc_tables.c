// SPDX-License-Identifier: Apache-2.0
// Lists that become constant arrays. Equal lists become one array.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "lorawanc_text.h"

void tables_release(struct tables *tables) {
    for (size_t i = 0; i < tables->count; i++) free(tables->entries[i].content);
    free(tables->entries);
    buffer_release(&tables->text);
}

struct array tables_add(struct tables *tables, const char *type, const char *prefix, const char *content,
                        unsigned count) {
    if (count == 0) return (struct array){.name = "NULL"};
    size_t size = strlen(prefix);
    for (size_t i = 0; i < tables->count; i++) {
        const struct table *table = &tables->entries[i];
        if (strcmp(table->content, content) == 0 && strncmp(table->name, prefix, size) == 0 &&
            table->name[size] == '_')
            return (struct array){.name = table->name, .count = count};
    }
    if (tables->count == tables->capacity) {
        tables->capacity = tables->capacity * 2 + 64;
        tables->entries = memory_resize(tables->entries, tables->capacity, sizeof *tables->entries);
    }
    struct table *table = &tables->entries[tables->count++];
    table->content = memory_strdup(content);
    snprintf(table->name, sizeof table->name, "%s_%zu", prefix, tables->count);
    buffer_printf(&tables->text, "static const %s %s[%u] = {%s};\n", type, table->name, count, content);
    return (struct array){.name = table->name, .count = count};
}

// A run of frequencies: one, or first..last/step.
struct run {
    uint32_t first;
    uint32_t last;
    uint32_t step;
};

// Cuts `word` at the first `mark` and returns what follows it, or NULL.
static char *cut(char *word, const char *mark) {
    char *at = strstr(word, mark);
    if (at == NULL) return NULL;
    *at = '\0';
    return at + strlen(mark);
}

static struct run read_run(const struct text_line *line, char *word) {
    struct run run = {.step = 1};
    char *last = cut(word, "..");
    run.first = run.last = text_frequency(line, word);
    if (last == NULL) return run;
    char *step = cut(last, "/");
    if (step == NULL) text_fail(line, "a run of frequencies lacks its step");
    run.last = text_frequency(line, last);
    run.step = text_frequency(line, step);
    if (run.last <= run.first || (run.last - run.first) % run.step != 0)
        text_fail(line, "the run from %s to %s does not come out even", word, last);
    return run;
}

static bool is_empty(const struct text_line *line) {
    return strcmp(line->value, "none") == 0;
}

struct array tables_channels(struct tables *tables, const struct text_line *line) {
    BUFFER_AUTO content = {.limit = BUFFER_UNLIMITED};
    struct text_words words;
    unsigned count = 0;
    text_words_init(&words, line);
    while (!is_empty(line) && *text_next(&words) != '\0') {
        char *least = cut(words.word, "@");
        if (least == NULL) text_fail(line, "channel `%s` lacks its data rates", words.word);
        char *most = cut(least, "-");
        long low = text_number(line, least, 0, 15);
        long high = most == NULL ? low : text_number(line, most, low, 15);
        struct run run = read_run(line, words.word);
        for (uint64_t at = run.first; at <= run.last; at += run.step, count++)
            buffer_printf(&content, "{%uU, %ld, %ld}, ", (unsigned)at, low, high);
    }
    if (count > 255) text_fail(line, "too many channels");
    return tables_add(tables, "struct band_channel", "channels", count ? buffer_string(&content) : "", count);
}

struct array tables_frequencies(struct tables *tables, const struct text_line *line) {
    BUFFER_AUTO content = {.limit = BUFFER_UNLIMITED};
    struct text_words words;
    unsigned count = 0;
    text_words_init(&words, line);
    while (!is_empty(line) && *text_next(&words) != '\0') {
        struct run run = read_run(line, words.word);
        for (uint64_t at = run.first; at <= run.last; at += run.step, count++)
            buffer_printf(&content, "%uU, ", (unsigned)at);
    }
    if (count > 255) text_fail(line, "too many frequencies");
    return tables_add(tables, "uint32_t", "frequencies", count ? buffer_string(&content) : "", count);
}

static double stated(const struct text_line *line, const char *word) {
    return strcmp(word, "-") == 0 ? 0 : text_decimal(line, word);
}

struct array tables_sub_bands(struct tables *tables, const struct text_line *line) {
    BUFFER_AUTO content = {.limit = BUFFER_UNLIMITED};
    struct text_words words;
    unsigned count = 0;
    text_words_init(&words, line);
    for (; !is_empty(line) && *text_next(&words) != '\0'; count++) {
        char *duty = cut(words.word, ":");
        char *eirp = duty == NULL ? NULL : cut(duty, ":");
        char *last = cut(words.word, "..");
        if (eirp == NULL || last == NULL) text_fail(line, "`%s` is no sub-band", words.word);
        buffer_printf(&content, "{%uU, %uU, (float)%.9g, (float)%.9g}, ", text_frequency(line, words.word),
                      text_frequency(line, last), stated(line, duty), stated(line, eirp));
    }
    return tables_add(tables, "struct band_sub_band", "sub_bands", count ? buffer_string(&content) : "",
                      count);
}
