// SPDX-License-Identifier: Apache-2.0
// Somebody else who writes to the source while the run goes on: a device that was taken away gets its keys back, or other
// ones, or is made again. The run can only see that when it looks, so it happens right before it does, or right after a
// device was taken. Keys that are not the run's must stay; and whoever entered them takes them away once it is said
// that they are in the way.
#include <stdio.h>
#include <string.h>

#include "sim.h"
#include "world/tts_p.h"

static struct v2_device *v2_of(const struct sim *sim, const struct sim_device *device,
                               struct v2_network_device **ret_network) {
    struct v2_device *known = v2_find_device(sim->world->v2->main, device->id);
    *ret_network = v2_network_find(&sim->world->v2->network, known->app_eui, known->dev_eui);
    return known;
}

static void v2_read_raw(const struct sim *sim, const struct sim_device *device, struct sim_raw *raw) {
    struct v2_network_device *network = NULL;
    const struct v2_device *known = v2_of(sim, device, &network);
    *raw = (struct sim_raw){.session = known->session};
    if (network != NULL) raw->network = network->session;
    memcpy(raw->app_key, known->app_key, KEY_SIZE);
    memcpy(raw->app_s_key, known->app_s_key, KEY_SIZE);
}

static void v2_write_raw(struct sim *sim, const struct sim_device *device, const struct sim_raw *raw) {
    struct v2_network_device *network = NULL;
    struct v2_device *known = v2_of(sim, device, &network);
    memcpy(known->app_key, raw->app_key, KEY_SIZE);
    memcpy(known->app_s_key, raw->app_s_key, KEY_SIZE);
    known->session = raw->session;
    // It has to be known that something has changed.
    if (network == NULL) return;
    v2_network_add(&sim->world->v2->network, known->app_eui, known->dev_eui)->session = raw->network;
}

static struct tts_device *tts_of(const struct sim *sim, const struct sim_device *device) {
    return tts_find_device(sim->world->tts, WORLD_TTS_SOURCE_APP_ID, device->id);
}

static const char *root_key_path(const struct tts_node *record) {
    return tts_has_bytes(record, "root_keys.app_key.key") ? "root_keys.app_key.key" : "root_keys.nwk_key.key";
}

// Puts the root key into the other one of two states. False if there is none.
static bool tts_turn_root_key(struct sim *sim, struct sim_device *device) {
    ARENA_AUTO arena = {0};
    struct tts_device *there = tts_of(sim, device);
    struct tts_node *record =
        there == NULL ? NULL : tts_blob_tree(&arena, &there->records[TTS_JS], "EndDevice");
    if (record == NULL) return false;
    const char *path = root_key_path(record);
    struct wire_bytes key = tts_bytes(record, path);
    if (key.size != TTS_KEY_SIZE) return false;
    uint8_t other[TTS_KEY_SIZE];
    memcpy(other, key.data, sizeof other);
    other[0] ^= 0x55;
    tts_set_bytes(&arena, record, path, other, sizeof other);
    tts_store_record(sim->world->tts, there, TTS_JS, record);
    memcpy(device->foreign_key, other, sizeof other);
    return true;
}

void sim_meddle_note(struct sim *sim, struct sim_device *device) {
    if (sim->c.meddles <= 0 || device->cleared || device->foreign) return;
    if (sim->c.source == SIM_V2) {
        v2_read_raw(sim, device, &device->raw);
        return;
    }
    const struct tts_device *there = tts_of(sim, device);
    for (unsigned i = 0; i < TTS_SERVERS && there != NULL; i++) {
        buffer_clear(&device->records[i]);
        buffer_add(&device->records[i], there->records[i].data, there->records[i].size);
    }
}

// ---- the same keys again

static bool tts_put_back(struct sim *sim, struct sim_device *device) {
    // Within one cluster the target has its EUIs by then.
    if (sim->c.together || device->records[TTS_NS].size == 0) return false;
    ARENA_AUTO arena = {0};
    struct tts_device *there = tts_of(sim, device);
    if (there != NULL && there->records[TTS_NS].size > 0) {
        struct tts_node *record = tts_blob_tree(&arena, &there->records[TTS_NS], "EndDevice");
        if (tts_find(record, "mac_settings.schedule_downlinks") == NULL) return false;
        tts_set_number(&arena, record, "mac_settings.schedule_downlinks.value", 1);
        tts_store_record(sim->world->tts, there, TTS_NS, record);
        return true;
    }
    struct tts_application *application = tts_find_application(sim->world->tts, WORLD_TTS_SOURCE_APP_ID);
    there = tts_add_device(sim->world->tts, application, device->id);
    for (unsigned i = 0; i < TTS_SERVERS; i++) {
        if (there->records[i].size > 0 || device->records[i].size == 0) continue;
        struct tts_blob kept = {.data = device->records[i].data, .size = device->records[i].size};
        tts_store_record(sim->world->tts, there, i, tts_blob_tree(&arena, &kept, "EndDevice"));
    }
    return true;
}

static bool give_back(struct sim *sim, struct sim_device *device) {
    if (sim->c.source == SIM_TTS && !tts_put_back(sim, device)) return false;
    if (sim->c.source == SIM_V2) v2_write_raw(sim, device, &device->raw);
    device->cleared = false;
    sim_keys_read(sim, device, &device->taken);
    return true;
}

// ---- other keys

static void v2_enter_others(struct sim *sim, struct sim_device *device) {
    struct sim_raw raw = {0};
    v2_read_raw(sim, device, &raw);
    device->mine = raw;
    bool joins = !v2_is_zero(device->raw.app_key, KEY_SIZE);
    if (joins) memcpy(raw.app_key, device->raw.app_key, KEY_SIZE);
    if (joins) raw.app_key[0] ^= 0x55;
    if (!joins || v2_is_zero(raw.session.nwk_s_key, KEY_SIZE)) {
        prng_fill(&sim->meddling, raw.session.dev_addr, DEV_ADDR_SIZE);
        prng_fill(&sim->meddling, raw.session.nwk_s_key, KEY_SIZE);
        prng_fill(&sim->meddling, raw.app_s_key, KEY_SIZE);
    }
    raw.network = raw.session;
    v2_write_raw(sim, device, &raw);
    memcpy(device->foreign_key, joins ? raw.app_key : raw.session.nwk_s_key, KEY_SIZE);
}

static bool enter_others(struct sim *sim, struct sim_device *device) {
    if (sim->c.source == SIM_TTS && (sim->c.release == 0 || !tts_turn_root_key(sim, device))) return false;
    device->was_cleared = device->cleared;
    device->had = device->taken;
    device->foreign = true;
    device->foreign_told = false;
    if (sim->c.source == SIM_TTS) return true;
    v2_enter_others(sim, device);
    device->cleared = false;
    sim_keys_read(sim, device, &device->taken);
    return true;
}

// A change that is on its way arrives whatever is there.
static bool is_changing(const struct sim *sim, const struct sim_device *device) {
    for (size_t i = 0; i < FLOWS_MAX; i++) {
        const struct flow *flow = &sim->flows[i];
        if (flow->used && !flow->arrived && flow->changes && !flow->at_target && flow->device == device)
            return true;
    }
    return false;
}

static bool is_due(struct sim *sim) {
    return ++sim->chances % (uint64_t)sim->c.meddles == 0;
}

// What a look at one server is told of.
static bool others_are_seen(struct sim *sim, enum world_endpoint looks, bool tried) {
    if (looks == WORLD_TTNV2_HANDLER) return tried || prng_below(&sim->meddling, 2) == 0;
    return looks == WORLD_TTS_JS;
}

void sim_meddle(struct sim *sim, struct sim_device *device, enum world_endpoint looks) {
    if (sim->c.meddles <= 0 || device->meddled || device->late || is_changing(sim, device)) return;
    bool v2 = sim->c.source == SIM_V2;
    // V2 cannot be asked to change only the device that was read: but a look has to be believed.
    bool tried = looks != WORLD_ENDPOINTS && v2 && device->tried && !device->cleared;
    if ((!device->cleared && !tried) || !is_due(sim)) return;
    if (looks == WORLD_TTS_IS || looks == WORLD_TTS_AS) return;
    bool others = others_are_seen(sim, looks, tried);
    if (!(others ? enter_others(sim, device) : give_back(sim, device))) return;
    // Two networks that handle it, or somebody who does, use up its counters.
    device->meddled = device->named = device->far = true;
    if (sim->verbose)
        printf("%8.3f s  somebody else writes to the source: %s has %s keys\n", (double)sim->now / 1e9,
               device->id, others ? "other" : "its");
}

void sim_check_foreign(struct sim *sim, struct sim_device *device) {
    if (!device->foreign) return;
    bool there = false;
    if (sim->c.source == SIM_V2) {
        struct sim_raw raw = {0};
        v2_read_raw(sim, device, &raw);
        there = memcmp(raw.app_key, device->foreign_key, KEY_SIZE) == 0 ||
                memcmp(raw.session.nwk_s_key, device->foreign_key, KEY_SIZE) == 0;
    } else {
        ARENA_AUTO arena = {0};
        const struct tts_device *known = tts_of(sim, device);
        const struct tts_node *record =
            known == NULL ? NULL : tts_blob_tree(&arena, &known->records[TTS_JS], "EndDevice");
        struct wire_bytes key = tts_bytes(record, root_key_path(record));
        there = key.size == KEY_SIZE && memcmp(key.data, device->foreign_key, KEY_SIZE) == 0;
    }
    if (!there)
        sim_violated(sim, "%s had other keys than those that were read, and they are gone", device->id);
}

bool sim_meddle_tidy(struct sim *sim) {
    bool any = false;
    for (size_t i = 0; i < sim->device_count; i++) {
        struct sim_device *device = &sim->devices[i];
        if (!device->foreign_told) continue;
        any = true;
        device->foreign_told = false;
        if (!device->foreign) continue;
        if (sim->c.source == SIM_TTS) tts_turn_root_key(sim, device);
        if (sim->c.source == SIM_V2) {
            v2_write_raw(sim, device, &device->mine);
            device->cleared = device->was_cleared;
            device->taken = device->had;
        }
        device->foreign = false;
        if (sim->verbose) printf("%8.3f s  %s has its own keys again\n", (double)sim->now / 1e9, device->id);
    }
    return any;
}
