// SPDX-License-Identifier: Apache-2.0
// Where a device is, and what became of it there.
#ifndef DEVICE_PLACE_H
#define DEVICE_PLACE_H

#include <stdbool.h>
#include <stdint.h>

// A device at a network, as the network itself names it. All texts are borrowed.
struct device_place {
    const char *network;  // "host:port" of the server that registers devices
    const char *application_id;
    const char *device_id;
};

// How far a device's session got at a network that handles it. Counters are the last ones used.
struct device_progress {
    bool known;     // false: nothing is known, and all else is zero
    bool rejoined;  // it has another session by now: the counters are not of the old one
    uint32_t last_f_cnt_up;
    uint32_t last_n_f_cnt_down;
    uint32_t last_a_f_cnt_down;  // LoRaWAN 1.1; else 0
};

#endif
