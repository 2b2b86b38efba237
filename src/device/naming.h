// SPDX-License-Identifier: Apache-2.0
// How a device is called at its target.
#ifndef DEVICE_NAMING_H
#define DEVICE_NAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct device_naming {
    const char *prefix;  // put before the ID with a `-`; NULL or "" = none
    bool eui_as_id;      // eui-<DevEUI in lower case> instead of the source's ID
};

// The longest ID that The Things Stack takes, and room for it.
enum { DEVICE_ID_MAX = 36, DEVICE_ID_MIN = 3, DEVICE_ID_SIZE = DEVICE_ID_MAX + 1 };

// Makes the ID from that of the source (NULL or "" = it has none; then it is the DevEUI in lower-case hex)
// and the DevEUI (NULL = none). Each `_` becomes `-`. ERROR_DEVICE, with a hint, if The Things Stack would
// refuse the ID; ret_id is untouched then.
int device_id_make(const struct device_naming *naming, const char *source_id, const uint8_t dev_eui[8],
                   char ret_id[static DEVICE_ID_SIZE], struct error *error);

// True if a prefix (NULL, "" = none) can begin an ID that is acceptable.
bool device_prefix_valid(const char *prefix);

// True if the text has the form of an ID of a device, application or gateway: 3 to 36 of [a-z0-9] and single
// inner hyphens.
bool device_id_valid(const char *id);

// True if The Things Stack lets nobody have that ID (list of v3.32; an operator can add to it).
bool device_id_reserved(const char *id);

#endif
