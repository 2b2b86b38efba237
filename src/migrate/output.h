// SPDX-License-Identifier: Apache-2.0
// The output of a stream target: devices gathered, then written and synced together. After an error a regular
// file is cut back to the last whole line that was written, so that no torn line stays.
#ifndef MIGRATE_OUTPUT_H
#define MIGRATE_OUTPUT_H

#include "base/buffer.h"
#include "base/file.h"
#include "target/target.h"

struct output {
    const struct target_driver *target;  // borrowed
    struct file *file;                   // borrowed
    struct buffer pending;               // lines not written yet
    uint64_t written;                    // bytes of whole lines in the file
    bool begun;
};

// `written`: bytes of whole lines that the file holds already.
void output_init(struct output *output, const struct target_driver *target, struct file *file,
                 uint64_t written);
void output_release(struct output *output);

// Adds a device's line to what is pending.
int output_add(struct output *output, const struct device *device, struct error *error);

// Writes all that is pending; with `durable` it also returns only when that survives a loss of power. After
// an error nothing of it counts as written.
int output_flush(struct output *output, bool durable, struct error *error);

#endif
