// SPDX-License-Identifier: Apache-2.0
#include "cli/suggest.h"

#include <string.h>

static unsigned least(unsigned a, unsigned b) {
    return a < b ? a : b;
}

// The optimal string alignment distance: insertions, deletions, replacements and swaps of neighbours.
static unsigned word_distance(const char *a, const char *b) {
    unsigned rows[3][SUGGESTION_WORD_MAX + 1];
    size_t size_a = strlen(a), size_b = strlen(b);
    for (size_t j = 0; j <= size_b; j++) rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= size_a; i++) {
        unsigned *now = rows[i % 3], *before = rows[(i + 2) % 3], *earlier = rows[(i + 1) % 3];
        now[0] = (unsigned)i;
        for (size_t j = 1; j <= size_b; j++) {
            unsigned cost = a[i - 1] == b[j - 1] ? 0 : 1;
            now[j] = least(least(before[j] + 1, now[j - 1] + 1), before[j - 1] + cost);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                now[j] = least(now[j], earlier[j - 2] + 1);
            }
        }
    }
    return rows[size_a % 3][size_b];
}

void suggestion_init(struct suggestion *suggestion, const char *wanted, size_t size) {
    *suggestion = (struct suggestion){0};
    if (size >= SUGGESTION_WORD_MAX) return;
    memcpy(suggestion->wanted, wanted, size);
    // A third of the letters may be wrong, but not every letter of a short word.
    suggestion->distance = size < 3 ? 1 : (unsigned)(size / 3) + 1;
}

void suggestion_offer(struct suggestion *suggestion, const char *word, size_t size) {
    if (suggestion->wanted[0] == '\0' || size >= SUGGESTION_WORD_MAX) return;
    char copy[SUGGESTION_WORD_MAX] = {0};
    memcpy(copy, word, size);
    unsigned distance = word_distance(suggestion->wanted, copy);
    if (distance >= suggestion->distance) return;
    suggestion->distance = distance;
    memcpy(suggestion->best, copy, sizeof copy);
}

const char *suggestion_best(const struct suggestion *suggestion) {
    return suggestion->best[0] == '\0' ? NULL : suggestion->best;
}
