// SPDX-License-Identifier: Apache-2.0
// What ChirpStack's words mean for a device, for its source and its target alike: regions, versions, keys, sessions and
// counters. Keys and EUIs are hex texts there, and all zeros mean "none"; for LoRaWAN 1.0.x the AppKey is kept as NwkKey
// and the NwkSKey three times.
#ifndef DEVICE_CHIRPSTACK_H
#define DEVICE_CHIRPSTACK_H

#include <stdbool.h>
#include <stdint.h>

#include "chirpstack_v4.pb-c.h"
#include "lorawan/identifiers.h"
#include "lorawan/versions.h"

struct chirpstack_region {
    Chirpstack__Region number;
    const char *name;  // as ChirpStack shows it, and lorawan/region.h knows it
    const char *band;  // the ID of its band at The Things Stack
    const char
        *config;  // how the IDs of its configurations begin where each is a sub-band; NULL = they are not
    const char *plans;  // how the plans of its sub-bands begin
};

// The region of that number, or of that band; NULL = unknown.
const struct chirpstack_region *chirpstack_region_of(Chirpstack__Region number);
const struct chirpstack_region *chirpstack_region_of_band(const char *band_id);

// MAC_UNKNOWN for a number that is none.
enum mac_version chirpstack_mac_version(Chirpstack__MacVersion version);

// The other way round. False if ChirpStack has no such version.
bool chirpstack_mac_number(enum mac_version version, Chirpstack__MacVersion *ret_number);

// The revision of the regional parameters that stands for a PHY version in ChirpStack, where the MAC version is known.
Chirpstack__RegParamsRevision chirpstack_revision_of(enum phy_version version);

// True for the form of IDs of tenants, applications and profiles: a UUID.
bool chirpstack_is_uuid(const char *text);

// True if a server's words say that its database did nothing since others write to it (SQLite lets one write at a time).
bool chirpstack_is_busy(const char *words);

// A key in hex; false if it is not there, all zeros, or no key.
bool chirpstack_key(const char *text, struct key128 *ret_key);

// True if both name the same key or keys; what is not there and what is zero are alike.
bool chirpstack_same_key(const char *a, const char *b);
bool chirpstack_same_keys(const Chirpstack__DeviceKeys *a, const Chirpstack__DeviceKeys *b);

// True if both are the same session: address and network session keys. None is the same as none.
bool chirpstack_same_session(const Chirpstack__DeviceActivation *a, const Chirpstack__DeviceActivation *b);

// Counters: the next one in ChirpStack, the last one used in The Things Stack. After a downlink with counter 0 the last
// one is 1, since 0 would mean "none yet": so a device skips 1.
uint32_t chirpstack_last_f_cnt_up(uint32_t next);
uint32_t chirpstack_last_f_cnt_down(uint32_t next);

// The other way round. A last counter of 0 may be none: then 0 is the next.
uint32_t chirpstack_next_f_cnt(uint32_t last);

#endif
