// SPDX-License-Identifier: Apache-2.0
#include "lorawan/region.h"

#include <ctype.h>
#include <string.h>

static const struct region regions[] = {
    {"EU868", "EU_863_870", "EU_863_870"},
    {"EU433", "EU_433", "EU_433"},
    {"IN865", "IN_865_867", "IN_865_867"},
    {"KR920", "KR_920_923", "KR_920_923_TTN"},
    {"RU864", "RU_864_870", "RU_864_870_TTN"},
    {"US915", "US_902_928", NULL},
    {"US902", "US_902_928", NULL},
    {"AU915", "AU_915_928", NULL},
    {"AS923-2", "AS_923_2", NULL},  // before the one that its name begins with
    {"AS923-3", "AS_923_3", NULL},
    {"AS923-4", "AS_923_4", NULL},
    {"AS923", "AS_923", NULL},
    {"AS920", "AS_923", NULL},
    {"CN470", "CN_470_510", NULL},
    {"CN779", "CN_779_787", NULL},
    {"EU863", "EU_863_870", "EU_863_870"},
    {"IN866", "IN_865_867", "IN_865_867"},
    {"ISM2400", "ISM_2400", NULL},
};

static bool separates(char c) {
    return c == '-' || c == '_' || c == ' ';
}

// True if `name` is `wanted`, or begins with it.
static bool begins_with(const char *name, const char *wanted) {
    while (*wanted != '\0') {
        if (separates(*wanted)) {
            wanted++;
        } else if (separates(*name)) {
            name++;
        } else if (toupper((unsigned char)*name++) != *wanted++) {
            return false;
        }
    }
    return true;
}

const struct region *region_find(const char *name) {
    for (size_t i = 0; i < sizeof regions / sizeof regions[0]; i++) {
        if (begins_with(name, regions[i].name)) return &regions[i];
    }
    return NULL;
}

bool region_has_plan(const struct region *region, const struct frequency_plan *plan) {
    return strncmp(plan->band_id, region->band_id, strlen(region->band_id)) == 0;
}
