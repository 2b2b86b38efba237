// SPDX-License-Identifier: Apache-2.0
// The MAC state that a Network Server of The Things Stack gives a device when it first hears of it: what
// the device has in force (current) and what the network will ask of it (desired). A device that is moved
// with its session needs one.
#ifndef LORAWAN_MAC_STATE_H
#define LORAWAN_MAC_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "lorawan/frequency_plan.h"
#include "lorawan/versions.h"

enum {
    MAC_CHANNELS_MAX = 96,             // most channels of any band
    MAC_FACTORY_FREQUENCIES_MAX = 96,  // most factory preset frequencies that The Things Stack takes
};

enum mac_class { MAC_CLASS_A = 0, MAC_CLASS_B = 1, MAC_CLASS_C = 2 };

// A number that may be left open: {true, 3}.
struct mac_optional {
    bool set;
    uint8_t value;
};

// What the owner of a device has laid down about it (The Things Stack: MACSettings), as far as the state
// depends on it. All zero = nothing laid down.
struct mac_settings {
    struct mac_optional rx1_delay;  // s
    struct mac_optional rx1_data_rate_offset;
    struct mac_optional rx2_data_rate_index;
    struct mac_optional max_duty_cycle;         // exponent: 1/2^n
    struct mac_optional ping_slot_periodicity;  // exponent: every 2^n s
    struct mac_optional ping_slot_data_rate_index;
    struct mac_optional uplink_dwell_time;    // 0 or 1
    struct mac_optional downlink_dwell_time;  // 0 or 1
    uint64_t rx2_frequency;                   // Hz; 0 = open
    uint64_t ping_slot_frequency;             // Hz; 0 = open
    uint64_t beacon_frequency;                // Hz; 0 = open

    struct mac_optional desired_rx1_delay;  // s
    struct mac_optional desired_rx1_data_rate_offset;
    struct mac_optional desired_rx2_data_rate_index;
    struct mac_optional desired_max_duty_cycle;
    struct mac_optional desired_adr_ack_limit_exponent;
    struct mac_optional desired_adr_ack_delay_exponent;
    struct mac_optional desired_ping_slot_data_rate_index;
    struct mac_optional desired_max_eirp;  // index of The Things Stack's DeviceEIRP, 0...15
    uint64_t desired_rx2_frequency;        // Hz; 0 = open
    uint64_t desired_ping_slot_frequency;  // Hz; 0 = open
    uint64_t desired_beacon_frequency;     // Hz; 0 = open

    const uint64_t *factory_preset_frequencies;  // Hz; borrowed; those that an ABP device starts with
    size_t factory_preset_frequency_count;       // at most MAC_FACTORY_FREQUENCIES_MAX
};

struct mac_channel {
    uint64_t uplink_frequency;    // Hz
    uint64_t downlink_frequency;  // Hz
    uint8_t min_data_rate_index;
    uint8_t max_data_rate_index;
    bool enable_uplink;
};

struct mac_parameters {
    float max_eirp;  // dBm
    uint8_t adr_data_rate_index;
    uint8_t adr_tx_power_index;
    uint8_t adr_nb_trans;
    uint8_t rx1_delay;  // s
    uint8_t rx1_data_rate_offset;
    uint8_t rx2_data_rate_index;
    uint8_t max_duty_cycle;        // exponent: 1/2^n
    uint64_t rx2_frequency;        // Hz
    uint64_t ping_slot_frequency;  // Hz; 0 = left out
    uint64_t beacon_frequency;     // Hz; 0 = left out
    struct mac_optional uplink_dwell_time;
    struct mac_optional downlink_dwell_time;
    uint8_t adr_ack_limit_exponent;     // always there
    uint8_t adr_ack_delay_exponent;     // always there
    uint8_t ping_slot_data_rate_index;  // always there
    size_t channel_count;
    struct mac_channel channels[MAC_CHANNELS_MAX];
};

struct mac_state {
    struct mac_parameters current;
    struct mac_parameters desired;
    enum mac_class device_class;
    enum mac_version mac_version;
    struct mac_optional ping_slot_periodicity;
};

// What the state depends on.
struct mac_device {
    const struct frequency_plan *plan;
    enum phy_version phy_version;
    enum mac_version mac_version;
    const struct mac_settings *settings;  // NULL = nothing laid down
    bool supports_class_b;
    bool supports_class_c;
    bool multicast;
};

// Computes the first state. Pure. ERROR_DEVICE if the MAC version is unknown, if the plan's band does not
// exist in that PHY version, if a multicast device has neither class B nor C, if a setting is out of its
// range, or if there are more channels than the band allows. *ret_state is untouched then.
int mac_state_first(const struct mac_device *device, struct mac_state *ret_state, struct error *error);

// The EIRP in dBm that an index of The Things Stack's DeviceEIRP stands for (index at most 15).
float mac_device_eirp(unsigned index);

#endif
