// SPDX-License-Identifier: Apache-2.0
// What the cluster does with devices that send: it hears those whose session its Network Server has, and lets those
// join whose root key its Join Server has.
#include <string.h>

#include "lorawan/versions.h"
#include "world/field.h"
#include "world/tts_p.h"

enum { DOWNLINK_EVERY = 8, FCNT_GAP_MOST = 16384, SESSION_KEY_ID_SIZE = 16 };

#define NETWORK_KEY "keys.f_nwk_s_int_key.key"

static struct tts_node *record_at(struct arena *arena, const struct tts *tts, enum tts_server server,
                                  const uint8_t *euis, struct tts_device **ret_device) {
    struct tts_device *device = tts_find_euis(tts, server, euis);
    if (ret_device != NULL) *ret_device = device;
    return device != NULL ? tts_blob_tree(arena, &device->records[server], "EndDevice") : NULL;
}

static bool is_silenced(const struct tts_node *network) {
    const struct tts_node *setting = tts_find(network, "mac_settings.schedule_downlinks");
    return setting != NULL && tts_number(setting, "value") == 0;
}

static const char *root_key_path(const struct tts_node *network) {
    bool newer = tts_number(network, "lorawan_version") == MAC_V1_1;
    return newer ? "root_keys.nwk_key.key" : "root_keys.app_key.key";
}

bool tts_holds(const struct tts *tts, const uint8_t *euis) {
    ARENA_AUTO arena = {0};
    const struct tts_node *network = record_at(&arena, tts, TTS_NS, euis, NULL);
    if (network == NULL || is_silenced(network)) return false;
    if (tts_has_bytes(network, "session." NETWORK_KEY)) return true;
    if (tts_has_bytes(network, "pending_session." NETWORK_KEY)) return true;
    const struct tts_node *join = record_at(&arena, tts, TTS_JS, euis, NULL);
    bool joins = tts_number(network, "supports_join") != 0;
    return joins && join != NULL && tts_has_bytes(join, root_key_path(network));
}

static uint32_t next_downlink(const struct tts_node *network) {
    uint64_t last = tts_number(network, "session.last_n_f_cnt_down");
    bool sent = last > 0 || tts_find(network, "mac_state.last_downlink_at") != NULL;
    return sent ? (uint32_t)last + 1 : 0;
}

void tts_read_device(const struct tts *tts, struct field_device *device) {
    ARENA_AUTO arena = {0};
    const struct tts_node *network = record_at(&arena, tts, TTS_NS, device->euis, NULL);
    const struct tts_node *join = record_at(&arena, tts, TTS_JS, device->euis, NULL);
    bool pending = tts_find(network, "session") == NULL;
    const struct tts_node *session = tts_find(network, pending ? "pending_session" : "session");
    struct wire_bytes root_key =
        join != NULL ? tts_bytes(join, root_key_path(network)) : (struct wire_bytes){0};
    if (root_key.size == TTS_KEY_SIZE) memcpy(device->root_key, root_key.data, TTS_KEY_SIZE);
    struct wire_bytes dev_addr = tts_bytes(session, "dev_addr");
    struct wire_bytes key = tts_bytes(session, NETWORK_KEY);
    // A group of devices listens only.
    if (tts_number(network, "multicast") != 0) return;
    if (dev_addr.size != TTS_DEV_ADDR_SIZE || key.size != TTS_KEY_SIZE) return;
    device->has_session = true;
    memcpy(device->dev_addr, dev_addr.data, TTS_DEV_ADDR_SIZE);
    memcpy(device->nwk_s_key, key.data, TTS_KEY_SIZE);
    device->f_cnt_up = (uint32_t)tts_number(session, "last_f_cnt_up");
    device->next_down = pending ? 0 : next_downlink(network);
}

static bool is_of(const struct tts_node *session, const struct field_device *device) {
    struct wire_bytes dev_addr = tts_bytes(session, "dev_addr");
    struct wire_bytes key = tts_bytes(session, NETWORK_KEY);
    return device->has_session && dev_addr.size == TTS_DEV_ADDR_SIZE && key.size == TTS_KEY_SIZE &&
           memcmp(dev_addr.data, device->dev_addr, TTS_DEV_ADDR_SIZE) == 0 &&
           memcmp(key.data, device->nwk_s_key, TTS_KEY_SIZE) == 0;
}

// The first uplink of a pending session makes it the session.
static void promote(struct arena *arena, struct tts_node *record, const char *of, const char *pending) {
    const struct tts_node *from = tts_find(record, pending);
    if (from == NULL) return;
    tts_drop(record, of);
    struct tts_node *to = tts_make(arena, record, of);
    to->first = from->first;
    to->last = from->last;
    tts_drop(record, pending);
}

static void promote_at(struct tts_device *device, struct tts_node *network, struct arena *arena) {
    promote(arena, network, "session", "pending_session");
    promote(arena, network, "mac_state", "pending_mac_state");
    if (device->records[TTS_AS].size == 0) return;
    struct tts_node *application = tts_blob_tree(arena, &device->records[TTS_AS], "EndDevice");
    promote(arena, application, "session", "pending_session");
    tts_update_record(device, TTS_AS, application);
}

static bool takes_counter(const struct tts_node *network, uint32_t f_cnt) {
    uint32_t last = (uint32_t)tts_number(network, "session.last_f_cnt_up");
    bool newer = tts_number(network, "lorawan_version") == MAC_V1_1;
    if (f_cnt <= last) return last == 0 && f_cnt == 0;
    return newer || last == 0 || f_cnt - last <= FCNT_GAP_MOST;
}

static void see(struct tts_device *device, int64_t now, struct arena *arena) {
    if (device->records[TTS_IS].size == 0) return;
    struct tts_node *record = tts_blob_tree(arena, &device->records[TTS_IS], "EndDevice");
    tts_set_time(arena, record, "last_seen_at", now / 1000 * 1000);
    tts_update_record(device, TTS_IS, record);
}

enum tts_heard tts_hear(struct tts *tts, int64_t now, const struct field_device *sender, struct prng *draws,
                        int64_t *ret_down) {
    ARENA_AUTO arena = {0};
    struct tts_device *device = NULL;
    struct tts_node *network = record_at(&arena, tts, TTS_NS, sender->euis, &device);
    if (network == NULL) return TTS_DEAF;
    if (is_of(tts_find(network, "pending_session"), sender)) promote_at(device, network, &arena);
    if (!is_of(tts_find(network, "session"), sender)) {
        const struct tts_node *join = record_at(&arena, tts, TTS_JS, sender->euis, NULL);
        struct wire_bytes key =
            join != NULL ? tts_bytes(join, root_key_path(network)) : (struct wire_bytes){0};
        bool same = key.size == TTS_KEY_SIZE && memcmp(key.data, sender->root_key, TTS_KEY_SIZE) == 0;
        bool free_to = tts_number(network, "supports_join") != 0 && tts_find(network, "session") == NULL;
        return same && free_to && !is_silenced(network) ? TTS_MAY_JOIN : TTS_DEAF;
    }
    // Without a MAC state the server has nothing to answer from.
    if (tts_find(network, "mac_state") == NULL || !takes_counter(network, sender->f_cnt_up)) return TTS_DEAF;
    tts_set_number(&arena, network, "session.last_f_cnt_up", sender->f_cnt_up);
    if (!is_silenced(network) && prng_below(draws, DOWNLINK_EVERY) == 0) {
        *ret_down = next_downlink(network);
        tts_set_number(&arena, network, "session.last_n_f_cnt_down", (uint64_t)*ret_down);
        tts_set_time(&arena, network, "mac_state.last_downlink_at", now);
    }
    tts_update_record(device, TTS_NS, network);
    see(device, now, &arena);
    tts->uplinks++;
    return TTS_HEARD;
}

// ---- joining

static void put_key(struct arena *arena, struct tts_node *session, const char *path, struct prng *draws,
                    uint8_t *ret_key) {
    uint8_t key[TTS_KEY_SIZE];
    prng_fill(draws, key, sizeof key);
    tts_set_bytes(arena, session, path, key, sizeof key);
    if (ret_key != NULL) memcpy(ret_key, key, sizeof key);
}

static void join_network(struct arena *arena, struct tts_node *network, int64_t now,
                         struct field_device *device, const uint8_t *session_key_id, struct prng *draws) {
    struct tts_node *session = tts_make(arena, network, "session");
    tts_set_bytes(arena, session, "dev_addr", device->dev_addr, TTS_DEV_ADDR_SIZE);
    tts_set_bytes(arena, session, "keys.session_key_id", session_key_id, SESSION_KEY_ID_SIZE);
    put_key(arena, session, NETWORK_KEY, draws, device->nwk_s_key);
    bool newer = tts_number(network, "lorawan_version") == MAC_V1_1;
    if (newer) {
        put_key(arena, session, "keys.s_nwk_s_int_key.key", draws, NULL);
        put_key(arena, session, "keys.nwk_s_enc_key.key", draws, NULL);
    } else {
        tts_set_bytes(arena, session, "keys.s_nwk_s_int_key.key", device->nwk_s_key, TTS_KEY_SIZE);
        tts_set_bytes(arena, session, "keys.nwk_s_enc_key.key", device->nwk_s_key, TTS_KEY_SIZE);
    }
    tts_set_time(arena, session, "started_at", now);
    tts_put_mac_state(arena, network, "mac_state");
}

static void join_others(struct tts *tts, struct arena *arena, struct tts_device *device,
                        const struct field_device *sender, const uint8_t *session_key_id,
                        struct prng *draws) {
    struct tts_device *joined = NULL;
    struct tts_node *join = record_at(arena, tts, TTS_JS, sender->euis, &joined);
    tts_set_number(arena, join, "last_join_nonce", tts_number(join, "last_join_nonce") + 1);
    tts_set_number(arena, join, "last_dev_nonce", tts_number(join, "last_dev_nonce") + 1);
    tts_store_record(tts, joined, TTS_JS, join);
    if (device->records[TTS_AS].size == 0) return;
    struct tts_node *application = tts_blob_tree(arena, &device->records[TTS_AS], "EndDevice");
    tts_drop(application, "session");
    struct tts_node *session = tts_make(arena, application, "session");
    tts_set_bytes(arena, session, "dev_addr", sender->dev_addr, TTS_DEV_ADDR_SIZE);
    tts_set_bytes(arena, session, "keys.session_key_id", session_key_id, SESSION_KEY_ID_SIZE);
    put_key(arena, session, "keys.app_s_key.key", draws, NULL);
    tts_store_record(tts, device, TTS_AS, application);
}

void tts_join(struct tts *tts, int64_t now, struct field_device *sender, struct prng *draws) {
    static const uint8_t prefix[2] = {0x26, 0x0B};
    ARENA_AUTO arena = {0};
    struct tts_device *device = NULL;
    struct tts_node *network = record_at(&arena, tts, TTS_NS, sender->euis, &device);
    uint8_t session_key_id[SESSION_KEY_ID_SIZE];
    prng_fill(draws, session_key_id, sizeof session_key_id);
    prng_fill(draws, sender->dev_addr, TTS_DEV_ADDR_SIZE);
    memcpy(sender->dev_addr, prefix, sizeof prefix);
    join_network(&arena, network, now, sender, session_key_id, draws);
    sender->has_session = true;
    sender->f_cnt_up = 0;
    sender->next_down = 0;
    tts_store_record(tts, device, TTS_NS, network);
    join_others(tts, &arena, device, sender, session_key_id, draws);
}
