// SPDX-License-Identifier: Apache-2.0
#include "world/tts_schema.h"

#include <stdlib.h>
#include <string.h>

static int compare_message(const void *name, const void *message) {
    return strcmp(name, ((const struct tts_message *)message)->name);
}

const struct tts_message *tts_message(const char *name) {
    const struct tts_message *message =
        bsearch(name, tts_messages, tts_message_count, sizeof *tts_messages, compare_message);
    if (message == NULL) abort();
    return message;
}

const struct tts_field *tts_field_numbered(const struct tts_message *message, uint32_t number) {
    size_t low = 0;
    for (size_t high = message->count; low < high;) {
        size_t middle = (low + high) / 2;
        if (message->fields[middle].number < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool found = low < message->count && message->fields[low].number == number;
    return found ? &message->fields[low] : NULL;
}

const struct tts_field *tts_field_named(const struct tts_message *message, const char *name, size_t size) {
    for (size_t i = 0; i < message->count; i++) {
        const char *known = message->fields[i].name;
        if (strncmp(known, name, size) == 0 && known[size] == '\0') return &message->fields[i];
    }
    return NULL;
}

bool tts_mask_takes(enum tts_mask call, const char *path, size_t size) {
    size_t low = 0;
    for (size_t high = tts_mask_path_count; low < high;) {
        size_t middle = (low + high) / 2;
        const char *known = tts_mask_paths[middle].path;
        int order = strncmp(known, path, size);
        if (order == 0 && known[size] == '\0') return (tts_mask_paths[middle].calls & call) != 0;
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return false;
}
