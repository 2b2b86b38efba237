// SPDX-License-Identifier: Apache-2.0
// What sources share that know a device's region and the parameters of its receive windows.
#ifndef SOURCE_RADIO_H
#define SOURCE_RADIO_H

#include "lorawan/region.h"
#include "source/file_device.h"

// Sets the device's frequency plan where the region has one that goes without saying, and neither the options nor the map
// name another. ERROR_DEVICE, with a hint at `option` ("--wanesy.frequency-plan-id"), if none is known, or if the one
// that is named is not of the region. `region` may be NULL or a name that nobody knows.
int radio_set_plan(const struct file_rules *rules, const struct source_record *record, const char *region,
                   const char *option, struct device *device, struct error *error);

// Parameters of the receive windows that are in force at the source; negative numbers and 0 Hz: not known.
struct radio_windows {
    int rx1_delay;  // s
    int rx1_data_rate_offset;
    int rx2_data_rate_index;
    uint64_t rx2_frequency;  // Hz
};

// Lays the windows down in the device's settings, before file_device_complete makes a MAC state of them. A device that
// joins gets them as what its new network wants.
void radio_set_windows(const struct radio_windows *windows, struct device *device);

// After file_device_complete: takes back what must not hold for later joins, and lets a session begin with the plan's
// channels, which its old network gave it. An uplink on a channel that is not in the state would be dropped.
void radio_finish(struct device *device);

// mac_settings, made if it is not there.
Tts__MACSettings *radio_settings(struct device *device);

#endif
