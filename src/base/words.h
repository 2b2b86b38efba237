// SPDX-License-Identifier: Apache-2.0
// Lists of words in one string, separated by spaces, as tables hold them: aliases, choices, variables.
#ifndef BASE_WORDS_H
#define BASE_WORDS_H

#include <stdbool.h>
#include <stddef.h>

// Steps through a list: sets *ret_word and *ret_size (the word is not terminated) and moves *cursor behind
// it. False at the end, or if *cursor is NULL.
bool words_next(const char **cursor, const char **ret_word, size_t *ret_size);

// True if `word` (of `size` bytes) is in `list`; a NULL list is empty.
bool words_contain(const char *list, const char *word, size_t size);

// True if the terminated `text` is the word of `size` bytes.
bool word_equals(const char *text, const char *word, size_t size);

#endif
