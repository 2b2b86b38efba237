// SPDX-License-Identifier: Apache-2.0
// Frequency plans: which channels a network uses within a band. Built in are those of the public
// lorawan-frequency-plans repository (data/frequency-plans.txt); others can be loaded from files of the same
// layout, which this header's functions read:
//
//     frequency-plans.yml   a list of {id, band-id, name, base-id, file, ...}
//     EU_863_870.yml        the plan that an entry's `file` names
//
// A plan is the entry's file laid over the file of the entry that base-id names (one level): each key that
// is there replaces the base's as a whole.
#ifndef LORAWAN_FREQUENCY_PLAN_H
#define LORAWAN_FREQUENCY_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "lorawan/band.h"

// Most characters of a plan's ID (The Things Stack's limit).
enum { FREQUENCY_PLAN_ID_MAX = 64 };

// A channel with one data rate; frequency 0 = there is none.
struct frequency_plan_fixed_channel {
    uint32_t frequency;
    uint8_t data_rate;
};

struct frequency_plan {
    const char *id;       // "EU_863_870_TTN"
    const char *name;     // for people
    const char *band_id;  // always a known band
    const char *base_id;  // the plan it was laid over, or NULL
    bool end_devices;     // meant for devices
    bool gateways;        // meant for gateways

    uint8_t uplink_channel_count;
    uint8_t downlink_channel_count;  // as many as uplink channels, or 0
    uint8_t sub_band_count;
    const struct band_channel *uplink_channels;
    const struct band_channel *downlink_channels;
    const struct band_sub_band *sub_bands;
    struct frequency_plan_fixed_channel lora_standard_channel;
    struct frequency_plan_fixed_channel fsk_channel;

    uint32_t rx2_frequency;        // 0 = the band's
    uint32_t ping_slot_frequency;  // 0 = the band's
    int8_t rx2_data_rate;          // -1 = the band's
    int8_t ping_slot_data_rate;    // -1 = the band's
    uint8_t dwell_uplinks;         // enum band_tristate
    uint8_t dwell_downlinks;       // enum band_tristate
    float max_eirp;                // dBm; 0 = not limited by the plan
    int64_t dwell_duration;        // ns; 0 = not given
    bool listen_before_talk;       // the three below count
    float lbt_rssi_target;         // dBm
    float lbt_rssi_offset;         // dB
    int64_t lbt_scan_time;         // ns
};

// A set of plans in the order of their list. Read-only once it is made.
struct frequency_plans {
    const struct frequency_plan *plans;
    size_t count;
    struct arena arena;  // what a loaded set consists of; empty in the built-in one
};

// The plans that are part of the program; never freed.
const struct frequency_plans *frequency_plans_builtin(void);

// The plan with that ID, or NULL. IDs are compared exactly.
const struct frequency_plan *frequency_plans_find(const struct frequency_plans *plans, const char *id);

// The plan that a person means: its ID in any case, or its name, as the Console of The Things Stack shows it; NULL = none, or
// more than one.
const struct frequency_plan *frequency_plans_meant(const struct frequency_plans *plans, const char *text);

// The ID that comes nearest to `id`, for "did you mean", or NULL if none is near. Borrowed from the set.
const char *frequency_plans_suggest(const struct frequency_plans *plans, const char *id);

// Fills `content` with a file of the set; `name` is a plain relative path that has been checked
// ("EU_863_870.yml"). Returns 0, or a negative code with `error` saying why.
typedef int frequency_plans_fetch(void *context, const char *name, struct buffer *content,
                                  struct error *error);

// Most bytes of one file: `content` above comes with this limit.
#define FREQUENCY_PLANS_FILE_LIMIT (1024U * 1024)

// Reads a set: frequency-plans.yml first, then each file that it names, once. ERROR_INPUT names file and
// line of what is wrong; whatever `fetch` returns is handed on. The caller frees *ret_plans.
int frequency_plans_load(frequency_plans_fetch *fetch, void *context, struct frequency_plans **ret_plans,
                         struct error *error);

// The same from a directory.
int frequency_plans_load_directory(const char *path, struct frequency_plans **ret_plans, struct error *error);

// Frees a loaded set; accepts NULL.
void frequency_plans_free(struct frequency_plans *plans);

#endif
