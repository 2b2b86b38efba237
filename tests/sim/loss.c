// SPDX-License-Identifier: Apache-2.0
// A target that answers well and stores something else than it was given: a server that loses a field or a key, or
// puts another value in its place. Who reads back has to notice.
#include <stdio.h>
#include <string.h>

#include "sim.h"
#include "world/tts_p.h"

// Where each loss happens, and to which field.
static const struct {
    enum tts_server server;
    const char *path;
} losses[] = {
    [LOSS_NONE] = {TTS_IS, NULL},
    [LOSS_NAME] = {TTS_IS, "name"},
    [LOSS_ROOT_KEY] = {TTS_JS, "root_keys.app_key.key"},
    [LOSS_SESSION] = {TTS_AS, "session"},
    [LOSS_COUNTER] = {TTS_NS, "session.last_n_f_cnt_down"},
    [LOSS_SETTINGS] = {TTS_NS, "mac_settings"},
    [LOSS_PLAN] = {TTS_NS, "frequency_plan_id"},
    [LOSS_RECORD] = {TTS_AS, NULL},
};

static struct tts_device *device_there(const struct sim *sim, const struct sim_device *device,
                                       enum tts_server server) {
    struct tts_device *there = tts_find_euis(sim->there->tts, server, device->euis);
    bool own = there != NULL && strcmp(there->application->application_id, WORLD_TTS_TARGET_APP_ID) == 0;
    return own ? there : NULL;
}

// Puts something else into the record. False if it has nothing that could be lost.
static bool spoil(struct arena *arena, struct tts_node *record, enum sim_loss loss) {
    const char *path = losses[loss].path;
    if (tts_find(record, path) == NULL) return false;
    switch (loss) {
        case LOSS_COUNTER:
            if (tts_number(record, path) < 2) return false;
            tts_set_number(arena, record, path, tts_number(record, path) / 2);
            return true;
        case LOSS_PLAN:
            tts_set_text(arena, record, path, "US_902_928_FSB_2");
            return true;
        default:
            tts_drop(record, path);
            return true;
    }
}

void sim_lose(struct sim *sim, struct sim_device *device, enum world_endpoint endpoint) {
    enum sim_loss loss = (enum sim_loss)(sim->c.losses % LOSSES);
    // Of what was there before, nobody but its owner knows how it is to be.
    if (loss == LOSS_NONE || sim->c.losses_every <= 0 || device->was_there) return;
    enum tts_server server = losses[loss].server;
    // An entry without keys that is otherwise than it was made is taken for somebody else's.
    if (loss == LOSS_PLAN && !device->cleared) return;
    if (endpoint != (enum world_endpoint)(WORLD_TTS_IS + server)) return;
    struct tts_device *there = device_there(sim, device, server);
    if (there == NULL || sim_is_lost(sim, device) || ++sim->stored % (uint64_t)sim->c.losses_every != 0)
        return;
    ARENA_AUTO arena = {0};
    struct tts_blob *kept = &there->records[server];
    buffer_clear(&device->given);
    buffer_add(&device->given, kept->data, kept->size);
    struct tts_node *record = tts_blob_tree(&arena, kept, "EndDevice");
    if (loss == LOSS_RECORD) {
        tts_drop_record(sim->there->tts, there, server);
    } else if (spoil(&arena, record, loss)) {
        tts_store_record(sim->there->tts, there, server, record);
    } else {
        return;
    }
    device->spoiled = true;
    device->differs = false;
    device->loss = loss;
    if (sim->verbose) printf("            the target stores %s otherwise\n", device->id);
}

bool sim_is_lost(const struct sim *sim, const struct sim_device *device) {
    if (!device->spoiled || device->was_there) return false;
    ARENA_AUTO arena = {0};
    const struct tts_device *there = device_there(sim, device, losses[device->loss].server);
    const struct tts_device *known = device_there(sim, device, TTS_IS);
    if (device->loss == LOSS_RECORD) return known != NULL && there == NULL;
    if (there == NULL) return false;
    struct tts_blob given = {.data = device->given.data, .size = device->given.size};
    const struct tts_node *before = tts_blob_tree(&arena, &given, "EndDevice");
    const struct tts_node *now =
        tts_blob_tree(&arena, &there->records[losses[device->loss].server], "EndDevice");
    const char *path = losses[device->loss].path;
    // Whoever has joined since has another session.
    if (device->loss == LOSS_SESSION) return tts_find(now, path) == NULL;
    if (device->loss == LOSS_COUNTER && !tts_same(before, now, "session.dev_addr")) return false;
    if (device->loss == LOSS_COUNTER) return tts_number(now, path) < tts_number(before, path);
    return !tts_same(before, now, path);
}
