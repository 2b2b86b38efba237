// SPDX-License-Identifier: Apache-2.0
// What targets share that put a target's driver before a server which answers anything. The input's first byte chooses the
// operation, the second says how many bytes of device JSON follow (times 16); then follow the replies.
#ifndef FUZZ_TARGET_DRILL_H
#define FUZZ_TARGET_DRILL_H

#include "device/device.h"
#include "drill.h"
#include "target/target.h"

struct target_drill {
    struct drill drill;
    const struct target_driver *driver;
    struct option_values *options;
    struct target *target;
    unsigned flags;
    struct device device;
    struct target_look look;
    struct target_verdict verdict;
    struct device_progress progress;
    struct target_formatters formatters;
};

// Takes what the input begins with, and has options ready to be set.
void target_drill_begin(struct target_drill *self, const char *driver, const uint8_t *data, size_t size);

// Opens the target, prepares it, and runs the operation with the device; then releases all.
void target_drill_run(struct target_drill *self);

#endif
