// SPDX-License-Identifier: Apache-2.0
#include "source/registry.h"

#include "base/words.h"
#include "source/sources.h"

// A new source is one file and one line here (and its declaration in sources.h).
static const struct source_driver *const all_drivers[] = {
    &source_ttnv2, &source_tts,       &source_chirpstack, &source_firefly, &source_json,
    &source_csv,   &source_thingpark, &source_helium,     &source_wanesy,  NULL,
};

const struct source_driver *const *source_drivers(void) {
    return all_drivers;
}

const struct source_driver *source_find(const struct source_driver *const *drivers, const char *name,
                                        size_t size) {
    for (; *drivers != NULL; drivers++) {
        if (word_equals((*drivers)->name, name, size)) return *drivers;
        if (words_contain((*drivers)->aliases, name, size)) return *drivers;
    }
    return NULL;
}
