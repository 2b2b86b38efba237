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
    {"AS923", "AS_923", NULL},
    {"AS920", "AS_923", NULL},
    {"CN470", "CN_470_510", NULL},
    {"CN779", "CN_779_787", NULL},
    {"EU863", "EU_863_870", "EU_863_870"},
    {"IN866", "IN_865_867", "IN_865_867"},
    {"ISM2400", "ISM_2400", NULL},
};

const struct region *region_find(const char *name) {
    for (size_t i = 0; i < sizeof regions / sizeof regions[0]; i++) {
        const char *wanted = regions[i].name;
        for (const char *at = name; *at != '\0' && *wanted != '\0'; at++) {
            if (*at == '-' || *at == '_' || *at == ' ') continue;
            if (toupper((unsigned char)*at) != *wanted) break;
            wanted++;
        }
        if (*wanted == '\0') return &regions[i];
    }
    return NULL;
}

bool region_has_plan(const struct region *region, const struct frequency_plan *plan) {
    return strncmp(plan->band_id, region->band_id, strlen(region->band_id)) == 0;
}
