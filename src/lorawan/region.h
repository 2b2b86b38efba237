// SPDX-License-Identifier: Apache-2.0
// Regions as networks name them ("EU868"), and the frequency plan that goes without saying there.
#ifndef LORAWAN_REGION_H
#define LORAWAN_REGION_H

#include <stdbool.h>

#include "lorawan/frequency_plan.h"

struct region {
    const char *name;     // "EU868"
    const char *band_id;  // what the IDs of its bands begin with: "AS_923" is "AS_923_2" too
    const char *plan_id;  // NULL = several plans are in use there
};

// The region of that name, whatever the case, with or without `-`, `_`, blanks and what follows the number; NULL = unknown.
const struct region *region_find(const char *name);

// True if the plan is one of the region.
bool region_has_plan(const struct region *region, const struct frequency_plan *plan);

#endif
