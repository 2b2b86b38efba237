// SPDX-License-Identifier: Apache-2.0
// What V2 does with devices that join, send and are answered. A device goes on counting whether or not a network
// knows it; only what the Network Server accepts moves its counters and last_seen.
#include <string.h>

#include "base/clock.h"
#include "world/field.h"
#include "world/ttnv2_p.h"

enum { DOWNLINK_EVERY = 8, JOIN_CHANCE = 4, FRAMES_KEPT = 20 };

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

enum v2_heard v2_hear(struct v2 *v2, struct v2_device *device, int64_t now, int64_t *ret_down) {
    struct v2_network_device *network = v2_network_find(&v2->network, device->app_eui, device->dev_eui);
    bool session = network != NULL && !v2_is_zero(network->session.nwk_s_key, KEY_SIZE);
    if (!session && network != NULL && !v2_is_zero(device->app_key, KEY_SIZE)) {
        if (prng_below(&v2->field, JOIN_CHANCE) != 0) return V2_JOINING;
        join(v2, device, network, now);
        return V2_JOINED;
    }
    device->device_f_cnt_up++;
    if (!session) return V2_LOST;
    v2->numbers.uplinks++;
    network->f_cnt_up = device->device_f_cnt_up;
    network->last_seen = now;
    if (network->frames < FRAMES_KEPT) network->frames++;
    if (prng_below(&v2->field, DOWNLINK_EVERY) == 0) *ret_down = network->f_cnt_down++;
    return V2_HEARD;
}

static struct v2_device *find(const struct v2 *v2, const uint8_t *euis,
                              const struct v2_network_device **ret_network) {
    const struct v2_network_device *network = v2_network_find(&v2->network, euis, euis + EUI_SIZE);
    *ret_network = network;
    return network != NULL ? v2_find_device(network->application, network->dev_id) : NULL;
}

bool v2_holds(const struct v2 *v2, const uint8_t *euis, bool *ret_known) {
    const struct v2_network_device *network = NULL;
    const struct v2_device *device = find(v2, euis, &network);
    *ret_known = device != NULL;
    if (device == NULL) return false;
    return !v2_is_zero(device->app_key, KEY_SIZE) || !v2_is_zero(network->session.nwk_s_key, KEY_SIZE);
}

void v2_read_device(const struct v2 *v2, struct field_device *own) {
    const struct v2_network_device *network = NULL;
    const struct v2_device *device = find(v2, own->euis, &network);
    if (device == NULL) return;
    memcpy(own->root_key, device->app_key, KEY_SIZE);
    own->has_session = !v2_is_zero(network->session.nwk_s_key, KEY_SIZE);
    if (!own->has_session) return;
    memcpy(own->dev_addr, network->session.dev_addr, DEV_ADDR_SIZE);
    memcpy(own->nwk_s_key, network->session.nwk_s_key, KEY_SIZE);
    own->f_cnt_up = device->device_f_cnt_up;
    own->next_down = network->f_cnt_down;
}
