// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/words.h"
#include "target/target.h"
#include "target/targets.h"

// A new target is one file and one line here (and its declaration in targets.h).
static const struct target_driver *const drivers[] = {
    &target_json, &target_csv, &target_tts, &target_chirpstack, NULL,
};

const struct target_driver *const *target_drivers(void) {
    return drivers;
}

const struct target_driver *target_find(const char *name) {
    for (size_t i = 0; drivers[i] != NULL; i++) {
        if (strcmp(drivers[i]->name, name) == 0 || words_contain(drivers[i]->aliases, name, strlen(name)))
            return drivers[i];
    }
    return NULL;
}
