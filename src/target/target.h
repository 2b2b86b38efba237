// SPDX-License-Identifier: Apache-2.0
// A target: where devices go. Like a source, a target is a constant table of operations without input or
// output of its own. A stream target encodes each device into bytes that the engine writes and makes durable.
#ifndef TARGET_TARGET_H
#define TARGET_TARGET_H

#include "base/buffer.h"
#include "base/option.h"
#include "device/device.h"

struct target_driver {
    const char *name;                   // "json", as in --to
    const char *title;                  // "The Things Stack device JSON"
    const struct option_spec *options;  // NULL = none

    // Appends what stands before the first device. NULL = nothing.
    void (*begin)(struct buffer *output);

    // Appends one device, ended so that the next can follow. Fails only if the target cannot express it.
    int (*encode)(const struct device *device, struct buffer *output, struct error *error);
};

// All targets; the list ends with NULL.
const struct target_driver *const *target_drivers(void);

// The target of that name, or NULL.
const struct target_driver *target_find(const char *name);

#endif
