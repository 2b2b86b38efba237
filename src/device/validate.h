// SPDX-License-Identifier: Apache-2.0
// What makes The Things Stack refuse a device, checked before anything is changed.
#ifndef DEVICE_VALIDATE_H
#define DEVICE_VALIDATE_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

#include "base/error.h"
#include "device/device.h"
#include "lorawan/frequency_plan.h"

// Something that would be refused.
struct finding {
    char *path;  // owned; never empty
    char *text;  // owned; one line, no full stop; never holds a secret
};

// No more than this are kept.
enum { FINDINGS_MAX = 100 };

// A zeroed list is an empty one.
struct findings {
    struct finding *items;  // owned
    size_t count;
};

void findings_release(struct findings *findings);

#define FINDINGS_AUTO __attribute__((cleanup(findings_release))) struct findings

// Collects everything. The rules of the form (any message of the schema) ...
void message_validate(const ProtobufCMessage *message, struct findings *findings);

// ... and these with the rules of the Identity, Network, Join and Application Server about a device as a
// whole. `plans` are the target's frequency plans.
void device_validate_all(const struct device *device, const struct frequency_plans *plans,
                         struct findings *findings);

// The same as an error: ERROR_DEVICE with the first findings, path and text. 0 if there are none.
int device_validate(const struct device *device, const struct frequency_plans *plans, struct error *error);

// Notes channels of a session that are outside the band of the device's frequency plan: The Things Stack takes them, but
// the device is most likely of another region than its plan.
void device_note_band(struct device *device, const struct frequency_plans *plans);

#endif
