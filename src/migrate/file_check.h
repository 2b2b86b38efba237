// SPDX-License-Identifier: Apache-2.0
// Checks a file of devices without a network: what cannot be read, what The Things Stack would refuse, what stands twice.
// The file is read as a stream; what has been seen is kept outside of memory.
#ifndef MIGRATE_FILE_CHECK_H
#define MIGRATE_FILE_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/key_set.h"
#include "base/reader.h"
#include "device/map.h"
#include "lorawan/frequency_plan.h"
#include "source/source.h"

// Something that is wrong; all borrowed for the call.
struct file_finding {
    size_t line;         // from 1 on
    const char *device;  // its ID, or NULL
    const char *field;   // where in the device; NULL = nowhere in particular
    const char *text;    // one line, no full stop; never holds a secret
    bool harmless;       // worth knowing, but the file is valid all the same
};

// Another value than 0 ends the check, which returns it.
typedef int file_finding_receiver(void *context, const struct file_finding *finding, struct error *error);

// All borrowed.
struct file_check_setup {
    struct reader *reader;
    struct key_set *seen;  // empty
    const struct frequency_plans *plans;
    bool strict;  // members that nobody knows are not harmless
    // How the file is read; NULL = as it looks. One with `input`, and options of its table; NULL = the defaults.
    const struct source_driver *driver;
    const struct option_values *options;
    struct device_map *map;  // what the user lays down about single devices; NULL = nothing
    file_finding_receiver *tell;
    void *context;
};

struct file_check_numbers {
    uint64_t devices;
    uint64_t invalid;   // devices with findings that are not harmless
    uint64_t findings;  // that are not harmless, also those of no device
};

// Tells everything that is found. An error only if the file cannot be read at all, or the receiver ended it.
int file_check(const struct file_check_setup *setup, struct file_check_numbers *ret_numbers,
               struct error *error);

#endif
