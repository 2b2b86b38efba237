// SPDX-License-Identifier: Apache-2.0
#ifndef DEVICE_VALIDATE_P_H
#define DEVICE_VALIDATE_P_H

#include "device/path.h"
#include "device/validate.h"

// A device while it is checked.
struct check {
    const Tts__EndDevice *device;
    const struct frequency_plans *plans;
    const struct frequency_plan *plan;  // the device's, or NULL
    const struct band *band;            // of plan and PHY version, or NULL
    struct findings *findings;
};

void findings_add(struct findings *findings, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// The rules of the servers, of which device_validate_all is made.
void check_identity_server(const struct check *check);
void check_network_server(const struct check *check);
void check_sessions(const struct check *check);
void check_band(const struct check *check);  // needs check->band
void check_join_server(const struct check *check);
void check_application_server(const struct check *check);

#endif
