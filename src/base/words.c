// SPDX-License-Identifier: Apache-2.0
#include "base/words.h"

#include <string.h>

bool words_next(const char **cursor, const char **ret_word, size_t *ret_size) {
    if (*cursor == NULL) return false;
    const char *word = *cursor + strspn(*cursor, " ");
    size_t size = strcspn(word, " ");
    *cursor = word + size;
    if (size == 0) return false;
    *ret_word = word;
    *ret_size = size;
    return true;
}

bool words_contain(const char *list, const char *word, size_t size) {
    const char *entry = NULL;
    size_t entry_size = 0;
    while (words_next(&list, &entry, &entry_size)) {
        if (entry_size == size && memcmp(entry, word, size) == 0) return true;
    }
    return false;
}

bool word_equals(const char *text, const char *word, size_t size) {
    return strlen(text) == size && memcmp(text, word, size) == 0;
}
