// SPDX-License-Identifier: Apache-2.0
// Set at the Network Server.
#include <string.h>

#include "lorawan/versions.h"
#include "world/tts_p.h"

static bool begins_with(const char *path, const char *prefix) {
    return strncmp(path, prefix, strlen(prefix)) == 0;
}

static bool names_only_session(const struct tts_call *call) {
    for (size_t i = 0; i < call->path_count; i++) {
        bool session = begins_with(call->paths[i], "session") || begins_with(call->paths[i], "ids");
        if (!session) return false;
    }
    return call->path_count > 0;
}

// Lays over what the mask names: of MAC states (`states`), or of all else.
static void lay_over(struct tts_call *call, struct tts_node *record, bool states) {
    for (size_t i = 0; i < call->path_count; i++) {
        const char *path = call->paths[i];
        bool state = begins_with(path, "mac_state") || begins_with(path, "pending_mac_state");
        if (begins_with(path, "ids") || state != states) continue;
        tts_copy_path(&call->arena, record, tts_find(call->in, "end_device"), path);
    }
}

static bool names_part_of_state(const struct tts_call *call) {
    for (size_t i = 0; i < call->path_count; i++) {
        if (begins_with(call->paths[i], "mac_state.")) return true;
    }
    return false;
}

// Before 1.1 there is one network session key.
static void fill_keys(struct arena *arena, struct tts_node *record, const char *keys_path) {
    static const char *const others[] = {"s_nwk_s_int_key", "nwk_s_enc_key"};
    if (tts_number(record, "lorawan_version") == MAC_V1_1) return;
    struct tts_node *keys = tts_find(record, keys_path);
    struct wire_bytes key = tts_bytes(keys, "f_nwk_s_int_key.key");
    for (size_t i = 0; keys != NULL && key.size > 0 && i < 2; i++) {
        const char *path = arena_printf(arena, "%s.key", others[i]);
        if (tts_bytes(keys, path).size == 0) tts_set_bytes(arena, keys, path, key.data, key.size);
    }
}

// What the server adds of its own.
static void complete(struct tts_call *call, struct tts_node *record, bool created) {
    struct arena *arena = &call->arena;
    fill_keys(arena, record, "session.keys");
    fill_keys(arena, record, "pending_session.keys");
    if (tts_find(record, "session") == NULL) return;
    if (created || tts_find(record, "session.started_at") == NULL) {
        tts_set_time(arena, record, "session.started_at", call->now);
    }
    bool join = tts_number(record, "supports_join") != 0;
    if (!join && tts_find(record, "mac_state") == NULL) tts_put_mac_state(arena, record, "mac_state");
}

static bool may_write(struct tts_call *call, const char *application_id) {
    static const char *const keys[] = {
        "session.keys.f_nwk_s_int_key.key",         "session.keys.s_nwk_s_int_key.key",
        "session.keys.nwk_s_enc_key.key",           "pending_session.keys.f_nwk_s_int_key.key",
        "pending_session.keys.s_nwk_s_int_key.key", "pending_session.keys.nwk_s_enc_key.key",
        "mac_state.queued_join_accept.keys",        "pending_mac_state.queued_join_accept.keys"};
    if (!tts_require_application(call, application_id, TTS_RIGHT_APPLICATION_DEVICES_WRITE)) return false;
    bool named = false;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) named = named || tts_mask_touches(call, keys[i]);
    return !named || tts_require_application(call, application_id, TTS_RIGHT_APPLICATION_DEVICES_WRITE_KEYS);
}

static bool check_kept_euis(struct tts_call *call, const struct tts_node *old) {
    static const char *const euis[][2] = {{"ids.join_eui", "end_device.ids.join_eui"},
                                          {"ids.dev_eui", "end_device.ids.dev_eui"}};
    for (size_t i = 0; old != NULL && i < 2; i++) {
        struct wire_bytes own = tts_bytes(old, euis[i][0]);
        struct wire_bytes said = tts_bytes(call->in, euis[i][1]);
        if (said.size == 0 || own.size == 0 || memcmp(said.data, own.data, said.size) == 0) continue;
        return tts_refuse(call, tts_problem(call, TTS_READ_ONLY_FIELD, "field", euis[i][0], NULL));
    }
    return true;
}

void tts_ns_set(struct tts_call *call) {
    struct arena *arena = &call->arena;
    struct tts_device_ids ids = tts_ids(call, "end_device.ids");
    if (!may_write(call, ids.application_id)) return;
    const struct tts_device *known = tts_find_device(call->tts, ids.application_id, ids.device_id);
    bool created = known == NULL || known->records[TTS_NS].size == 0;
    if (created && names_only_session(call)) {
        tts_refuse(call, tts_problem(call, TTS_RPC_RECOVERED, NULL));
        return;
    }
    const struct tts_node *old = created ? NULL : tts_blob_tree(arena, &known->records[TTS_NS], "EndDevice");
    struct tts_node *record =
        created ? tts_new(arena, "EndDevice") : tts_blob_tree(arena, &known->records[TTS_NS], "EndDevice");
    lay_over(call, record, false);
    bool partial = names_part_of_state(call) && tts_find(record, "mac_state") == NULL;
    if (partial) tts_put_mac_state(arena, record, "mac_state");
    lay_over(call, record, true);
    tts_stamp(call, record, &ids);
    // The database's own objections come last.
    if (!tts_check_network_device(call, record, old) || !check_kept_euis(call, old)) return;
    if (!tts_check_euis(call, &ids, TTS_REGISTRY_EUIS_TAKEN)) return;
    complete(call, record, created);
    struct tts_application *application = tts_find_application(call->tts, ids.application_id);
    struct tts_device *device = tts_add_device(call->tts, application, ids.device_id);
    tts_store_record(call->tts, device, TTS_NS, record);
    struct tts_node *out = tts_select(call, record);
    tts_copy_path(arena, out, record, "ids");
    struct wire_bytes dev_addr = tts_bytes(record, "session.dev_addr");
    if (dev_addr.size > 0) tts_set_bytes(arena, out, "ids.dev_addr", dev_addr.data, dev_addr.size);
    tts_answer(call, out);
}
