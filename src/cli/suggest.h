// SPDX-License-Identifier: Apache-2.0
// "Did you mean": the nearest of several words to one that is unknown.
#ifndef CLI_SUGGEST_H
#define CLI_SUGGEST_H

#include <stddef.h>

enum { SUGGESTION_WORD_MAX = 64 };  // longer words are never near anything

struct suggestion {
    char wanted[SUGGESTION_WORD_MAX];  // empty: nothing will be near
    char best[SUGGESTION_WORD_MAX];
    unsigned distance;  // of `best`
};

void suggestion_init(struct suggestion *suggestion, const char *wanted, size_t size);

// Compares with one word of `size` bytes.
void suggestion_offer(struct suggestion *suggestion, const char *word, size_t size);

// The nearest word, or NULL if none is near enough to be a slip of the keyboard; borrowed.
const char *suggestion_best(const struct suggestion *suggestion);

#endif
