// SPDX-License-Identifier: Apache-2.0
// What the target has before the run, or gets from somebody else while it goes on: of some devices the same, something
// else, or what stands in their way. None of it may be lost.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "sim.h"
#include "world/tts_p.h"

enum obstacle { SAME, OTHER_DATA, EUIS_TAKEN, ID_TAKEN, OBSTACLES };

static struct tts_application *application_of(const struct sim *sim) {
    return tts_find_application(sim->there->tts, WORLD_TTS_TARGET_APP_ID);
}

static void put(struct sim *sim, const char *id, const uint8_t *euis, struct tts_node *records[TTS_SERVERS],
                struct arena *arena) {
    struct tts_device *device = tts_add_device(sim->there->tts, application_of(sim), id);
    for (unsigned server = 0; server < TTS_SERVERS; server++) {
        struct tts_node *record = records[server];
        if (record == NULL) continue;
        tts_set_text(arena, record, "ids.device_id", id);
        tts_set_text(arena, record, "ids.application_ids.application_id", WORLD_TTS_TARGET_APP_ID);
        tts_set_bytes(arena, record, "ids.join_eui", euis, TTS_EUI_SIZE);
        tts_set_bytes(arena, record, "ids.dev_eui", euis + TTS_EUI_SIZE, TTS_EUI_SIZE);
        tts_store_record(sim->there->tts, device, server, record);
    }
}

// As the source has it, which has to be The Things Stack.
static void copy_records(struct sim *sim, const struct sim_device *device, struct arena *arena,
                         struct tts_node *records[TTS_SERVERS]) {
    const struct tts_device *from = tts_find_device(sim->world->tts, WORLD_TTS_SOURCE_APP_ID, device->id);
    for (unsigned server = 0; server < TTS_SERVERS; server++) {
        if (from->records[server].size > 0)
            records[server] = tts_blob_tree(arena, &from->records[server], "EndDevice");
    }
}

// Made by hand: a device that joins, and has not yet.
static void make_records(struct sim *sim, struct arena *arena, struct tts_node *records[TTS_SERVERS]) {
    for (unsigned server = 0; server < TTS_SERVERS; server++) records[server] = tts_new(arena, "EndDevice");
    static const char *const addresses[] = {"network_server_address", "application_server_address",
                                            "join_server_address"};
    for (size_t i = 0; i < 3; i++) tts_set_text(arena, records[TTS_IS], addresses[i], sim->there->tts->host);
    tts_set_text(arena, records[TTS_NS], "frequency_plan_id", "EU_863_870_TTN");
    tts_set_number(arena, records[TTS_NS], "lorawan_version", 3);
    tts_set_number(arena, records[TTS_NS], "lorawan_phy_version", 3);
    tts_set_number(arena, records[TTS_NS], "supports_join", 1);
    uint8_t key[TTS_KEY_SIZE];
    prng_fill(&sim->weather, key, sizeof key);
    tts_set_bytes(arena, records[TTS_JS], "root_keys.app_key.key", key, sizeof key);
}

// True if the target can have the device's EUIs while its source has them.
static bool apart(const struct sim *sim) {
    return !sim->c.together;
}

static void make_obstacle(struct sim *sim, struct sim_device *device, enum obstacle obstacle) {
    ARENA_AUTO arena = {0};
    struct tts_node *records[TTS_SERVERS] = {NULL};
    uint8_t euis[FIELD_EUIS_SIZE];
    memcpy(euis, device->euis, sizeof euis);
    bool copied = sim->c.source == SIM_TTS && apart(sim) && obstacle <= OTHER_DATA;
    if (copied) {
        copy_records(sim, device, &arena, records);
    } else {
        make_records(sim, &arena, records);
    }
    if (!apart(sim) || obstacle == ID_TAKEN) euis[0] ^= 0x55;
    if (obstacle == SAME && !copied) return;
    tts_set_text(&arena, records[TTS_IS], "name", obstacle == SAME ? device->id : "was here before");
    char *id MEMORY_AUTO = memory_strdup(obstacle == EUIS_TAKEN && apart(sim) ? "another-one" : device->id);
    for (char *c = id; *c != '\0'; c++) {
        if (*c == '_') *c = '-';
    }
    if (tts_find_device(sim->there->tts, WORLD_TTS_TARGET_APP_ID, id) != NULL) return;
    put(sim, id, euis, records, &arena);
    device->was_there = true;
}

void sim_conflicts_make(struct sim *sim) {
    if (sim->c.conflicts <= 0) return;
    uint32_t every = (uint32_t)sim->c.conflicts;
    for (size_t i = 0; i < sim->device_count; i++) {
        if (i % every != every / 2) continue;
        make_obstacle(sim, &sim->devices[i], (enum obstacle)prng_below(&sim->weather, OBSTACLES));
    }
}

// ---- what was there

static void read_other(const struct sim *sim, const char *id, struct buffer *whole) {
    const struct tts_device *device = tts_find_device(sim->there->tts, WORLD_TTS_TARGET_APP_ID, id);
    if (device == NULL) return;
    static const char *const moving[] = {
        "created_at",
        "updated_at",
        "last_seen_at",
        "session",
        "pending_session",
        "mac_state",
        "last_join_nonce",
        "last_dev_nonce",
        "used_dev_nonces",
        "pending_mac_state",
        "last_dev_status_received_at",
    };
    ARENA_AUTO arena = {0};
    bool joins =
        tts_number(tts_blob_tree(&arena, &device->records[TTS_NS], "EndDevice"), "supports_join") != 0;
    for (unsigned server = 0; server < TTS_SERVERS; server++) {
        struct tts_node *record = tts_blob_tree(&arena, &device->records[server], "EndDevice");
        buffer_putc(whole, device->records[server].size > 0 ? '1' : '0');
        if (record == NULL) continue;
        // One that joins may do so at any time.
        struct wire_bytes key = {0};
        if (!joins)
            key = tts_bytes(
                record, server == TTS_NS ? "session.keys.f_nwk_s_int_key.key" : "session.keys.app_s_key.key");
        if (key.size > 0) buffer_add(whole, key.data, key.size);
        for (size_t i = 0; i < sizeof moving / sizeof *moving; i++) tts_drop(record, moving[i]);
        // The Network Server holds a copy of the Identity Server's, or none.
        if (server == TTS_NS) tts_drop(record, "version_ids");
        // Where the Join Server has none, the cluster's own count.
        if (server == TTS_JS) tts_drop(record, "network_server_address");
        if (server == TTS_JS) tts_drop(record, "application_server_address");
        tts_encode(record, whole);
    }
}

static void add_other(struct sim *sim, const char *id) {
    struct sim_other *other = &sim->others[sim->other_count++];
    other->id = memory_strdup(id);
    buffer_init(&other->whole, BUFFER_UNLIMITED);
    read_other(sim, id, &other->whole);
}

void sim_others_read(struct sim *sim) {
    struct tts_application *application = application_of(sim);
    tts_sort_devices(application);
    // Each of the run's own may get a rival.
    sim->others = memory_new_array(struct sim_other, application->device_count + sim->device_count + 1);
    for (size_t i = 0; i < application->device_count; i++) add_other(sim, application->devices[i]->device_id);
}

void sim_rival(struct sim *sim, struct sim_device *device) {
    if (sim->c.rivals <= 0 || ++sim->creations % (uint64_t)sim->c.rivals != 0 || device->was_there) return;
    size_t before = application_of(sim)->device_count;
    make_obstacle(sim, device, OTHER_DATA);
    const struct tts_application *application = application_of(sim);
    if (application->device_count == before) return;
    const char *id = application->devices[before]->device_id;
    if (sim->verbose) printf("%8.3f s  somebody else makes %s\n", (double)sim->now / 1e9, id);
    add_other(sim, id);
}

void sim_others_release(struct sim *sim) {
    for (size_t i = 0; i < sim->other_count; i++) {
        buffer_release(&sim->others[i].whole);
        free(sim->others[i].id);
    }
    free(sim->others);
}

static bool is_other(const struct sim *sim, const char *id) {
    for (size_t i = 0; i < sim->other_count; i++) {
        if (strcmp(sim->others[i].id, id) == 0) return true;
    }
    return false;
}

void sim_check_others(struct sim *sim, bool updated) {
    for (size_t i = 0; i < sim->other_count; i++) {
        const struct sim_other *other = &sim->others[i];
        BUFFER_AUTO now;
        buffer_init(&now, BUFFER_UNLIMITED);
        read_other(sim, other->id, &now);
        if (now.size == 0) {
            sim_violated(sim, "%s was at the target before, and is gone", other->id);
        } else if (!updated &&
                   (now.size != other->whole.size || memcmp(now.data, other->whole.data, now.size) != 0)) {
            sim_violated(sim, "%s was at the target before, and is not what it was", other->id);
        }
    }
    // Nothing else is left behind.
    struct tts_application *application = application_of(sim);
    for (size_t i = 0; !updated && i < application->device_count; i++) {
        const struct tts_device *device = application->devices[i];
        if (device == NULL || is_other(sim, device->device_id)) continue;
        bool wanted = false;
        for (size_t k = 0; k < sim->device_count; k++) {
            wanted |= (sim->devices[k].cleared || sim->devices[k].expected) &&
                      memcmp(sim->devices[k].euis, device->euis[TTS_IS], FIELD_EUIS_SIZE) == 0;
        }
        if (!wanted) sim_violated(sim, "%s is left behind at the target", device->device_id);
    }
}
