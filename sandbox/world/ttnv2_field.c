// SPDX-License-Identifier: Apache-2.0
// What the devices do meanwhile: they join, send and are answered. A device goes on counting whether or not a
// network knows it; only what the Network Server accepts moves its counters and last_seen.
#include <string.h>

#include "base/clock.h"
#include "world/ttnv2_p.h"

enum { DOWNLINK_EVERY = 8, JOIN_CHANCE = 4, FRAMES_KEPT = 20 };

// More than that at once is a pause of the program, not something to catch up with.
#define MOST_DEBT 100000.0

static void join(struct v2 *v2, struct v2_device *device, struct v2_network_device *network, int64_t now) {
    uint8_t *address = device->session.dev_addr;
    prng_fill(&v2->field, address, DEV_ADDR_SIZE);
    address[0] = 0x26;
    address[1] = 0x01;
    prng_fill(&v2->field, device->session.nwk_s_key, KEY_SIZE);
    prng_fill(&v2->field, device->app_s_key, KEY_SIZE);
    device->dev_nonces++;
    device->app_nonces++;
    device->device_join_count++;
    device->device_f_cnt_up = 0;
    network->session = device->session;
    network->f_cnt_up = 0;
    network->f_cnt_down = 0;
    network->frames = 0;
    network->last_seen = now;
}

static void uplink(struct v2 *v2, struct v2_device *device, int64_t now) {
    struct v2_network_device *network = v2_network_find(&v2->network, device->app_eui, device->dev_eui);
    bool session = network != NULL && !v2_is_zero(network->session.nwk_s_key, KEY_SIZE);
    if (!session && network != NULL && !v2_is_zero(device->app_key, KEY_SIZE)) {
        if (prng_below(&v2->field, JOIN_CHANCE) == 0) join(v2, device, network, now);
        return;
    }
    device->device_f_cnt_up++;
    if (!session) {
        v2->numbers.lost++;
        return;
    }
    v2->numbers.uplinks++;
    network->f_cnt_up = device->device_f_cnt_up;
    network->last_seen = now;
    if (network->frames < FRAMES_KEPT) network->frames++;
    if (prng_below(&v2->field, DOWNLINK_EVERY) == 0) network->f_cnt_down++;
}

void v2_advance(struct v2 *v2, int64_t now) {
    if (v2->advanced_to != 0 && now > v2->advanced_to) {
        double seconds = (double)(now - v2->advanced_to) / (double)NS_PER_SECOND;
        v2->uplink_debt += seconds * v2->uplinks;
        if (v2->uplink_debt > MOST_DEBT) v2->uplink_debt = MOST_DEBT;
    }
    v2->advanced_to = now;
    struct v2_application *application = v2->main;
    for (; v2->uplink_debt >= 1; v2->uplink_debt -= 1) {
        if (application->device_count == 0) continue;
        uint32_t index = prng_below(&v2->field, (uint32_t)application->device_count);
        uplink(v2, application->devices[index], now);
    }
}
