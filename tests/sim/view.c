// SPDX-License-Identifier: Apache-2.0
// What the networks have of each device, whichever they are.
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/memory.h"
#include "sim.h"
#include "world/tts_p.h"

// ---- V2

static struct v2_device *v2_device_of(const struct sim *sim, const struct sim_device *device) {
    return v2_find_device(sim->world->v2->main, device->id);
}

static void read_v2(const struct sim *sim, const struct sim_device *known, struct sim_keys *keys) {
    const struct v2_device *device = v2_device_of(sim, known);
    const struct v2_network_device *network =
        v2_network_find(&sim->world->v2->network, device->app_eui, device->dev_eui);
    memcpy(keys->app_key, device->app_key, KEY_SIZE);
    memcpy(keys->app_s_key, device->app_s_key, KEY_SIZE);
    // A session is one as far as the Network Server has it.
    const struct v2_session_keys *session = network == NULL ? &device->session : &network->session;
    memcpy(keys->dev_addr, session->dev_addr, DEV_ADDR_SIZE);
    memcpy(keys->nwk_s_key, session->nwk_s_key, KEY_SIZE);
    keys->f_cnt_up = network == NULL ? 0 : network->f_cnt_up;
    keys->f_cnt_down = network == NULL ? 0 : network->f_cnt_down;
}

// Network Server and Handler have the same session.
static bool is_whole_v2(const struct sim *sim, const struct sim_device *known) {
    const struct v2_device *device = v2_device_of(sim, known);
    const struct v2_network_device *network =
        v2_network_find(&sim->world->v2->network, device->app_eui, device->dev_eui);
    return network == NULL || memcmp(&network->session, &device->session, sizeof device->session) == 0;
}

static void rest_v2(const struct sim *sim, const struct sim_device *device, struct buffer *rest) {
    struct v2_device copy = *v2_device_of(sim, device);
    memset(copy.app_key, 0, KEY_SIZE);
    memset(copy.app_s_key, 0, KEY_SIZE);
    memset(&copy.session, 0, sizeof copy.session);
    copy.dev_nonces = copy.app_nonces = 0;
    v2_encode_device(rest, world_app_id(sim->world), &copy, NULL);
}

// ---- The Things Stack

static void read_tts(const struct sim *sim, const struct sim_device *device, struct sim_keys *keys) {
    struct tts_view view;
    if (!tts_view(sim->world->tts, WORLD_TTS_SOURCE_APP_ID, device->id, &view) || view.silenced ||
        !view.known[TTS_NS])
        return;
    struct field_device own = {0};
    memcpy(own.euis, device->euis, sizeof own.euis);
    tts_read_device(sim->world->tts, &own);
    memcpy(keys->app_key, v2_is_zero(view.app_key, KEY_SIZE) ? view.nwk_key : view.app_key, KEY_SIZE);
    memcpy(keys->app_s_key, view.app_s_key, KEY_SIZE);
    memcpy(keys->dev_addr, view.dev_addr, DEV_ADDR_SIZE);
    memcpy(keys->nwk_s_key, view.f_nwk_s_int_key, KEY_SIZE);
    keys->session_alone = view.has_session && !own.has_session;
    keys->f_cnt_up = view.last_f_cnt_up;
    keys->f_cnt_down =
        keys->session_alone ? view.last_n_f_cnt_down + (view.last_n_f_cnt_down > 0) : own.next_down;
}

static void rest_tts(const struct sim *sim, const struct sim_device *device, struct buffer *rest) {
    const struct tts_device *there = tts_find_device(sim->world->tts, WORLD_TTS_SOURCE_APP_ID, device->id);
    if (there == NULL) return;
    ARENA_AUTO arena = {0};
    struct tts_node *record = tts_blob_tree(&arena, &there->records[TTS_IS], "EndDevice");
    static const char *const moving[] = {"created_at", "updated_at", "last_seen_at"};
    for (size_t i = 0; i < sizeof moving / sizeof *moving; i++) tts_drop(record, moving[i]);
    // An empty message says nothing.
    const struct tts_node *version = tts_find(record, "version_ids");
    if (version != NULL && version->first == NULL) tts_drop(record, "version_ids");
    tts_encode(record, rest);
    for (unsigned i = 0; i < TTS_SERVERS; i++) {
        // One that is silenced, or without keys, is not as it was, but that is looked at elsewhere.
        bool known = there->records[i].size > 0;
        buffer_putc(rest, known ? '1' : '0');
    }
}

// ---- either

void sim_keys_read(const struct sim *sim, const struct sim_device *device, struct sim_keys *keys) {
    *keys = (struct sim_keys){0};
    if (sim->c.source == SIM_V2) {
        read_v2(sim, device, keys);
    } else {
        read_tts(sim, device, keys);
    }
}

void sim_rest_read(const struct sim *sim, const struct sim_device *device, struct buffer *rest) {
    if (sim->c.source == SIM_V2) {
        rest_v2(sim, device, rest);
    } else {
        rest_tts(sim, device, rest);
    }
}

bool sim_is_whole(const struct sim *sim, const struct sim_device *device) {
    return sim->c.source != SIM_V2 || is_whole_v2(sim, device);
}

// A session of which a part is missing is no session: it stays where it is, and nobody misses it.
bool sim_is_session(const struct sim_keys *keys) {
    return !v2_is_zero(keys->dev_addr, DEV_ADDR_SIZE) && !v2_is_zero(keys->nwk_s_key, KEY_SIZE) &&
           !v2_is_zero(keys->app_s_key, KEY_SIZE);
}

bool sim_is_held(const struct sim *sim, const struct sim_device *device, bool at_target) {
    bool known = false;
    if (!at_target && sim->c.source == SIM_V2) return v2_holds(sim->world->v2, device->euis, &known);
    const struct tts *tts = (at_target ? sim->there : sim->world)->tts;
    const struct tts_device *there = tts_find_euis(tts, TTS_NS, device->euis);
    const char *application = at_target ? WORLD_TTS_TARGET_APP_ID : WORLD_TTS_SOURCE_APP_ID;
    return there != NULL && strcmp(there->application->application_id, application) == 0 &&
           tts_holds(tts, device->euis);
}

uint32_t sim_next_down(const struct sim *sim, const struct sim_device *device, bool at_target,
                       uint32_t *ret_there) {
    const struct world *world = at_target ? sim->there : sim->world;
    struct field_device copy = {0};
    memcpy(copy.euis, device->euis, sizeof copy.euis);
    *ret_there = UINT32_MAX;
    if (!at_target && sim->c.source == SIM_V2) {
        v2_read_device(world->v2, &copy);
    } else {
        tts_read_device(world->tts, &copy);
    }
    if (!copy.has_session) return 0;
    *ret_there = copy.next_down;
    uint32_t least = 0;
    const struct world *const worlds[] = {sim->world, sim->there};
    for (size_t i = 0; i < 2; i++) {
        const struct field_device *own = field_find(&worlds[i]->field, device->euis);
        bool same = own != NULL && own->has_session &&
                    memcmp(own->dev_addr, copy.dev_addr, DEV_ADDR_SIZE) == 0 &&
                    memcmp(own->nwk_s_key, copy.nwk_s_key, KEY_SIZE) == 0;
        if (same && own->next_down > least) least = own->next_down;
    }
    return least;
}

uint32_t sim_target_up(const struct sim *sim, const struct sim_device *device, const uint8_t *session_key) {
    const struct tts *tts = sim->there->tts;
    const struct tts_device *there = tts_find_euis(tts, TTS_NS, device->euis);
    struct tts_view view;
    if (there == NULL || !tts_view(tts, there->application->application_id, there->device_id, &view))
        return 0;
    return memcmp(view.f_nwk_s_int_key, session_key, KEY_SIZE) == 0 ? view.last_f_cnt_up : 0;
}

void sim_field_join(struct sim *sim, const struct sim_device *device) {
    if (sim->world == sim->there) return;
    struct field_device *one = field_find(&sim->world->field, device->euis);
    struct field_device *other = field_find(&sim->there->field, device->euis);
    if (one == NULL || other == NULL || !one->has_session || !other->has_session ||
        memcmp(one->dev_addr, other->dev_addr, DEV_ADDR_SIZE) != 0 ||
        memcmp(one->nwk_s_key, other->nwk_s_key, KEY_SIZE) != 0)
        return;
    if (one->next_down < other->next_down) one->next_down = other->next_down;
    if (other->next_down < one->next_down) other->next_down = one->next_down;
    if (one->f_cnt_up < other->f_cnt_up) one->f_cnt_up = other->f_cnt_up;
    if (other->f_cnt_up < one->f_cnt_up) other->f_cnt_up = one->f_cnt_up;
}

// ---- all of them

static struct sim_device *add_device(struct sim *sim, const char *id, const uint8_t *euis) {
    struct sim_device *device = &sim->devices[sim->device_count++];
    device->id = memory_strdup(id);
    memcpy(device->euis, euis, sizeof device->euis);
    return device;
}

static void devices_of_v2(struct sim *sim) {
    const struct v2_application *application = sim->world->v2->main;
    sim->devices = memory_new_array(struct sim_device, application->device_count + 1);
    for (size_t i = 0; i < application->device_count; i++) {
        uint8_t euis[FIELD_EUIS_SIZE];
        memcpy(euis, application->devices[i]->app_eui, EUI_SIZE);
        memcpy(euis + EUI_SIZE, application->devices[i]->dev_eui, EUI_SIZE);
        add_device(sim, application->devices[i]->dev_id, euis);
    }
}

static bool is_whole(const struct tts_device *device) {
    ARENA_AUTO arena = {0};
    const struct tts_node *network = tts_blob_tree(&arena, &device->records[TTS_NS], "EndDevice");
    bool joins =
        tts_number(network, "supports_join") != 0 ||
        tts_find(tts_blob_tree(&arena, &device->records[TTS_IS], "EndDevice"), "join_server_address") != NULL;
    return device->records[TTS_NS].size > 0 && device->records[TTS_AS].size > 0 &&
           (!joins || device->records[TTS_JS].size > 0);
}

// Those that a server has lost cannot go as they are.
static void drop_halves(struct tts *tts, struct tts_application *application) {
    for (size_t i = 0; i < application->device_count; i++) {
        struct tts_device *device = application->devices[i];
        if (device == NULL || is_whole(device)) continue;
        for (unsigned server = 0; server < TTS_SERVERS && application->devices[i] == device; server++) {
            if (device->records[server].size > 0) tts_drop_record(tts, device, server);
        }
    }
}

static void devices_of_tts(struct sim *sim) {
    struct tts *tts = sim->world->tts;
    struct tts_application *application = tts_find_application(tts, WORLD_TTS_SOURCE_APP_ID);
    if (!sim->c.broken) drop_halves(tts, application);
    tts_sort_devices(application);
    sim->devices = memory_new_array(struct sim_device, application->device_count + 1);
    for (size_t i = 0; i < application->device_count; i++) {
        const struct tts_device *device = application->devices[i];
        if (device != NULL) add_device(sim, device->device_id, device->euis[TTS_IS]);
    }
}

void sim_devices_read(struct sim *sim) {
    if (sim->c.source == SIM_V2) {
        devices_of_v2(sim);
    } else {
        devices_of_tts(sim);
    }
}

// An ID as the first member of a message.
static bool names(const void *body, size_t size, const char *id, bool as_target) {
    char member[2 + 64];
    size_t length = strlen(id);
    if (length > 64) return false;
    member[0] = 0x0A;
    member[1] = (char)length;
    for (size_t i = 0; i < length; i++) {
        char c = id[i];
        member[2 + i] = !as_target ? c : c == '_' ? '-' : (char)tolower((unsigned char)c);
    }
    return memmem(body, size, member, length + 2) != NULL;
}

// The ID that the device gets at the target where it is named by its DevEUI.
static bool names_eui(const void *body, size_t size, const struct sim_device *device) {
    char id[4 + HEX_TEXT_SIZE(EUI_SIZE)] = "eui-";
    hex_encode_lower(id + 4, device->euis + EUI_SIZE, EUI_SIZE);
    return names(body, size, id, false);
}

// True if the message names the device as the target knows it.
static bool names_there(const struct sim *sim, const void *body, size_t size,
                        const struct sim_device *device) {
    const struct tts_device *there = tts_find_euis(sim->there->tts, TTS_IS, device->euis);
    return there != NULL && strcmp(there->application->application_id, WORLD_TTS_TARGET_APP_ID) == 0 &&
           names(body, size, there->device_id, false);
}

struct sim_device *sim_device_in(struct sim *sim, const void *body, size_t size, bool at_target) {
    if (size == 0) return NULL;
    for (size_t i = 0; i < sim->device_count; i++) {
        struct sim_device *device = &sim->devices[i];
        if (memmem(body, size, device->euis + EUI_SIZE, EUI_SIZE) != NULL) return device;
    }
    for (size_t i = 0; at_target && i < sim->device_count; i++) {
        if (names_there(sim, body, size, &sim->devices[i])) return &sim->devices[i];
    }
    for (size_t i = 0; i < sim->device_count; i++) {
        struct sim_device *device = &sim->devices[i];
        if (names(body, size, device->id, false) || names(body, size, device->id, true) ||
            (sim->c.eui_as_id && names_eui(body, size, device)))
            return device;
    }
    return NULL;
}
