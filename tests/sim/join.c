// SPDX-License-Identifier: Apache-2.0
// A device that joins its source at the worst time: when it was read, and is about to be cleared.
#include <stdio.h>

#include "sim.h"

// As often as it may take until it is let in, and as many frames as it may send then.
enum { TRIES_MOST = 64, FRAMES_MOST = 3 };

static bool is_due(struct sim *sim) {
    return ++sim->joiners % (uint64_t)sim->c.joins == 0;
}

void sim_join(struct sim *sim, struct sim_device *device) {
    if (sim->c.joins <= 0 || sim->c.source != SIM_V2 || device->cleared) return;
    struct v2_device *there = v2_find_device(sim->world->v2->main, device->id);
    struct sim_keys keys;
    sim_keys_read(sim, device, &keys);
    if (there == NULL || v2_is_zero(keys.app_key, KEY_SIZE) || !v2_is_zero(keys.nwk_s_key, KEY_SIZE) ||
        !is_due(sim))
        return;
    int64_t now = clock_wall(&sim->clock);
    for (unsigned i = 0; i < TRIES_MOST && v2_is_zero(keys.nwk_s_key, KEY_SIZE); i++) {
        field_send_to_v2(sim->world, there, now);
        sim_keys_read(sim, device, &keys);
    }
    for (uint32_t i = prng_below(&sim->meddling, FRAMES_MOST + 1); i > 0; i--)
        field_send_to_v2(sim->world, there, now);
    if (sim->verbose) printf("%8.3f s  %s joins its source\n", (double)sim->now / 1e9, device->id);
}
