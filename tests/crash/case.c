// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "crash.h"

static const char *const story_names[STORY_COUNT] = {"run", "resume", "undo", "rollback", "pipe", "reader"};

char *crash_case_text(const struct crash_case *played) {
    const char *fault = played->story == STORY_READER ? "end" : step_fault_names[played->fault];
    return memory_printf("%s:%s:%s%s:%" PRIu64, played->pair->name, story_names[played->story], fault,
                         played->from ? "+" : "", played->step);
}

static bool is_word(const char *text, size_t size, const char *word) {
    return strlen(word) == size && memcmp(text, word, size) == 0;
}

static bool parse_fault(const char *text, size_t size, struct crash_case *ret_case) {
    ret_case->from = size > 0 && text[size - 1] == '+';
    if (ret_case->from) size--;
    if (ret_case->story == STORY_READER) return is_word(text, size, "end");
    for (int i = 0; i < FAULT_COUNT; i++) {
        ret_case->fault = (enum step_fault)i;
        if (is_word(text, size, step_fault_names[i])) return true;
    }
    return false;
}

static bool parse_story(const char *text, size_t size, struct crash_case *ret_case) {
    for (int i = 0; i < STORY_COUNT; i++) {
        ret_case->story = (enum crash_story)i;
        if (is_word(text, size, story_names[i])) return true;
    }
    return false;
}

static bool parse_pair(const char *text, size_t size, struct crash_case *ret_case) {
    for (const struct crash_pair *pair = crash_pairs; pair->name != NULL; pair++) {
        ret_case->pair = pair;
        if (is_word(text, size, pair->name)) return true;
    }
    return false;
}

bool crash_case_parse(const char *text, struct crash_case *ret_case) {
    *ret_case = (struct crash_case){0};
    bool (*const parts[])(const char *, size_t, struct crash_case *) = {parse_pair, parse_story, parse_fault};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const char *colon = strchr(text, ':');
        if (colon == NULL || !parts[i](text, (size_t)(colon - text), ret_case)) return false;
        text = colon + 1;
    }
    char *end = NULL;
    ret_case->step = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0';
}
