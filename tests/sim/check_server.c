// SPDX-License-Identifier: Apache-2.0
// What must never happen to a device on its way from one network into another: checked at each change and at the end.
#include <string.h>

#include "sim.h"
#include "world/tts_p.h"

static bool same(const uint8_t *one, const uint8_t *other, size_t size) {
    return memcmp(one, other, size) == 0;
}

// A downlink with a counter that the device has seen is thrown away by it, as are all up to that counter.
static void check_counter(struct sim *sim, struct sim_device *device, bool at_target) {
    uint32_t there = 0;
    uint32_t least = sim_next_down(sim, device, at_target, &there);
    if (there >= least || device->far || device->named) return;
    if (at_target && device->spoiled) return;
    // Whoever has to join again loses no more than that; but has to be told, at the end at the latest.
    if (!at_target) {
        device->rejoins = true;
        return;
    }
    sim_violated(
        sim, "%s: the next downlink of the target has the counter %lu, and the device takes none below %lu",
        device->id, (unsigned long)there, (unsigned long)least);
}

// V2 goes on with a session that does not go along, since the user wants that or a part of it is missing.
static bool session_stays(const struct sim *sim, const struct sim_device *device) {
    if (sim->c.source != SIM_V2 || v2_is_zero(device->taken.app_key, KEY_SIZE)) return false;
    // It joined there after it was read: that session is taken as well.
    if (device->late) return false;
    return !sim->c.with_session || !sim_is_session(&device->taken);
}

void sim_check_held(struct sim *sim, struct sim_device *device) {
    if (!sim_to_server(sim)) return;
    sim_field_join(sim, device);
    bool source = sim_is_held(sim, device, false);
    bool target = sim_is_held(sim, device, true);
    bool stays = session_stays(sim, device);
    if (source && target && !device->was_there && !stays && !device->meddled)
        sim_violated(sim, "%s is at both networks, and both handle it", device->id);
    // Two networks that handled it together before this run use up each other's counters.
    bool shared = device->was_there && target;
    // Clearing writes the counters that were read over those of a session that is not taken yet: that is V2's way.
    if (source && !stays && !shared && !device->late) check_counter(sim, device, false);
    if (target && !device->was_there && !stays) check_counter(sim, device, true);
}

static void check_keys(struct sim *sim, const struct sim_device *device) {
    const struct tts *tts = sim->there->tts;
    const struct tts_device *there = tts_find_euis(tts, TTS_NS, device->euis);
    if (there == NULL) {
        sim_violated(sim, "%s is migrated, but not at the target", device->id);
        return;
    }
    struct tts_view view;
    tts_view(tts, there->application->application_id, there->device_id, &view);
    const struct sim_keys *taken = &device->taken;
    const uint8_t *root = v2_is_zero(view.app_key, KEY_SIZE) ? view.nwk_key : view.app_key;
    if (!v2_is_zero(taken->app_key, KEY_SIZE) && !same(root, taken->app_key, KEY_SIZE))
        sim_violated(sim, "%s has another root key at the target", device->id);
    bool goes = sim_is_session(taken) && (sim->c.with_session || v2_is_zero(taken->app_key, KEY_SIZE));
    if (!goes || device->named || device->unlike) return;
    // It may have joined there since.
    const struct field_device *own = field_find(&sim->there->field, device->euis);
    if (own != NULL && own->has_session && same(own->nwk_s_key, view.f_nwk_s_int_key, KEY_SIZE)) return;
    if (same(view.f_nwk_s_int_key, device->session_key, KEY_SIZE) && view.last_f_cnt_up < device->least_up)
        sim_violated(sim, "%s: the uplink counter of its target is %lu, and was %lu", device->id,
                     (unsigned long)view.last_f_cnt_up, (unsigned long)device->least_up);
    if (!same(view.f_nwk_s_int_key, taken->nwk_s_key, KEY_SIZE) ||
        !same(view.app_s_key, taken->app_s_key, KEY_SIZE) ||
        !same(view.dev_addr, taken->dev_addr, DEV_ADDR_SIZE))
        sim_violated(sim, "%s has another session at the target", device->id);
}

void sim_check_at_target(struct sim *sim, const struct sim_device *device, enum device_state state,
                         bool back) {
    bool gone = state >= DEVICE_RELEASED && state <= DEVICE_CONFIRMED;
    // A rollback that was not finished waits for another one.
    if (state == DEVICE_RESTORING && !back) return;
    if (device->rejoins && !device->named)
        sim_violated(sim, "%s: its source would answer it with counters that were used, and nobody was told",
                     device->id);
    bool source = sim_is_held(sim, device, false);
    bool target = sim_is_held(sim, device, true);
    if (sim_is_lost(sim, device) && gone && state >= DEVICE_VERIFIED) {
        sim_violated(sim, "%s is %s, and its target has it otherwise than it was given", device->id,
                     device_state_name(state));
    }
    if (sim_is_lost(sim, device) && gone && !device->differs)
        sim_violated(sim, "%s is otherwise at its target than it was given, and nobody was told", device->id);
    if (gone && !back) {
        if (state < DEVICE_IMPORTED) sim_violated(sim, "%s is only released at the end", device->id);
        if (source && !session_stays(sim, device))
            sim_violated(sim, "%s is migrated, and still handled by its source", device->id);
        if (device->first_held && !target && !device->spoiled)
            sim_violated(sim, "%s is at neither network", device->id);
        if (!device->spoiled) check_keys(sim, device);
    } else {
        if (device->first_held && !source)
            sim_violated(sim, "%s is %s, but its source does not handle it", device->id,
                         device_state_name(state));
        if (target && !device->was_there)
            sim_violated(sim, "%s is %s, and at the target nevertheless", device->id,
                         device_state_name(state));
    }
}
