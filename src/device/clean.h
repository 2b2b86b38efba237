// SPDX-License-Identifier: Apache-2.0
// Makes a device acceptable for The Things Stack where that costs nothing that matters, with a note for each
// change. Called before device_validate.
#ifndef DEVICE_CLEAN_H
#define DEVICE_CLEAN_H

#include "base/error.h"
#include "device/device.h"

// - bytes that are no UTF-8 become U+FFFD in texts (name, description, formatters); in IDs and attributes
//   they are an error, since programs may depend on those
// - name over 50, description over 2,000, attribute values over 200 code points: cut
// - attribute keys that the target refuses: lower case, other characters become `-`; dropped where that leaves
//   nothing, or an attribute that is already there, or more than 10 in all
// - locations that are out of range or not finite: dropped
// ERROR_DEVICE if something cannot be mended; the device may be partly changed then.
int device_clean(struct device *device, struct error *error);

#endif
