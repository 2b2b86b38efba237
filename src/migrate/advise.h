// SPDX-License-Identifier: Apache-2.0
// What a user can do about a device that cannot go, where the options of its source have a way.
#ifndef MIGRATE_ADVISE_H
#define MIGRATE_ADVISE_H

#include "device/device.h"
#include "lorawan/frequency_plan.h"
#include "source/source.h"

// Puts a hint to the error of a device, if something is missing in it that an option of the source, or --map, can give.
// Leaves a hint alone that is there.
void advise(const struct source_driver *driver, const struct frequency_plans *plans,
            const struct device *device, struct error *error);

#endif
