// SPDX-License-Identifier: Apache-2.0
// What the devices of the main application do meanwhile: they join, send and are answered. A device goes on counting
// whether or not ChirpStack takes its frames.
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "world/chirpstack_p.h"

enum { DOWNLINK_EVERY = 8, JOIN_CHANCE = 4 };

// More than that at once is a pause of the program, not something to catch up with.
#define MOST_DEBT 100000.0

void cs_boot(struct cs_activation *activation, const struct cs_profile *profile) {
    bool abp = profile != NULL && !profile->otaa;
    activation->rx1_delay = abp ? profile->abp_rx1_delay : 0;
    activation->rx1_dr_offset = abp ? profile->abp_rx1_dr_offset : 0;
    activation->rx2_dr = abp ? profile->abp_rx2_dr : 0;
    activation->rx2_freq = abp ? profile->abp_rx2_freq : 0;
}

void cs_join(struct cs *cs, struct cs_device *device, int64_t now) {
    struct cs_activation *activation = &device->activation;
    const struct cs_profile *profile = cs_find_profile(cs, device->profile_id);
    *activation = (struct cs_activation){0};
    cs_make_hex(&cs->field, activation->dev_addr, sizeof activation->dev_addr);
    activation->dev_addr[0] = activation->dev_addr[1] = '0';
    cs_make_hex(&cs->field, activation->app_s_key, CS_KEY_SIZE);
    cs_make_hex(&cs->field, activation->f_nwk_s_int_key, CS_KEY_SIZE);
    memcpy(activation->s_nwk_s_int_key, activation->f_nwk_s_int_key, CS_KEY_SIZE);
    memcpy(activation->nwk_s_enc_key, activation->f_nwk_s_int_key, CS_KEY_SIZE);
    enum { LORAWAN_1_1 = 5 };
    if (profile != NULL && profile->mac_version == LORAWAN_1_1) {
        cs_make_hex(&cs->field, activation->s_nwk_s_int_key, CS_KEY_SIZE);
        cs_make_hex(&cs->field, activation->nwk_s_enc_key, CS_KEY_SIZE);
    }
    device->has_activation = true;
    device->nonces++;
    device->last_seen = now;
    device->field_f_cnt_up = 0;
    memcpy(device->field_addr, activation->dev_addr, sizeof device->field_addr);
}

static void uplink(struct cs *cs, struct cs_device *device, int64_t now) {
    bool heard = !device->is_disabled && device->has_activation &&
                 strcmp(device->field_addr, device->activation.dev_addr) == 0;
    if (!heard) {
        const struct cs_profile *profile = cs_find_profile(cs, device->profile_id);
        bool can_join = !device->is_disabled && device->has_keys && profile != NULL && profile->otaa;
        if (can_join && device->field_addr[0] == '\0' && prng_below(&cs->field, JOIN_CHANCE) == 0)
            cs_join(cs, device, now);
        if (device->field_addr[0] != '\0') device->field_f_cnt_up++;
        return;
    }
    device->activation.f_cnt_up = ++device->field_f_cnt_up;
    device->last_seen = now;
    if (prng_below(&cs->field, DOWNLINK_EVERY) == 0) device->activation.n_f_cnt_down++;
}

void cs_advance(struct cs *cs, int64_t now) {
    if (cs->advanced_to != 0 && now > cs->advanced_to) {
        cs->uplink_debt += (double)(now - cs->advanced_to) / (double)NS_PER_SECOND * cs->uplinks;
        if (cs->uplink_debt > MOST_DEBT) cs->uplink_debt = MOST_DEBT;
    }
    cs->advanced_to = now;
    for (; cs->uplink_debt >= 1; cs->uplink_debt -= 1) {
        if (cs->device_count == 0) continue;
        struct cs_device *device = cs->devices[prng_below(&cs->field, (uint32_t)cs->device_count)];
        if (strcmp(device->application_id, cs->applications[0]->id) == 0) uplink(cs, device, now);
    }
}
