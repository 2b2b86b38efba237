// SPDX-License-Identifier: Apache-2.0
// A device as its source describes it: the bytes from which it is converted, released and, if need be,
// restored. What the bytes are is the source's own affair; the journal keeps them as they are.
#ifndef DEVICE_RECORD_H
#define DEVICE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct source_record {
    char *id;            // the device's ID at the source; owned
    uint8_t dev_eui[8];  // big-endian
    bool has_dev_eui;
    bool complete;  // false: an entry of a list, which lacks what only reading the device gives
    uint8_t *data;  // owned, wiped on release; NULL while only the ID is known
    size_t size;    // bytes
};

// Frees (after wiping) what the record owns and leaves an empty one. Accepts a zeroed record.
void source_record_release(struct source_record *record);

// Replaces the bytes by a copy.
void source_record_set_data(struct source_record *record, const void *data, size_t size);

#endif
