// SPDX-License-Identifier: Apache-2.0
// One device at all four servers, for those who compare worlds.
#include <string.h>

#include "world/tts_p.h"

static void read_bytes(const struct tts_node *record, const char *path, uint8_t *data, size_t size) {
    struct wire_bytes bytes = record != NULL ? tts_bytes(record, path) : (struct wire_bytes){0};
    memset(data, 0, size);
    if (bytes.size == size) memcpy(data, bytes.data, size);
}

static void read_network(const struct tts_node *record, struct tts_view *view) {
    const struct tts_node *setting = tts_find(record, "mac_settings.schedule_downlinks");
    view->supports_join = tts_number(record, "supports_join") != 0;
    view->silenced = setting != NULL && tts_number(setting, "value") == 0;
    view->has_session = tts_find(record, "session") != NULL;
    view->has_pending_session = tts_find(record, "pending_session") != NULL;
    view->has_mac_state = tts_find(record, "mac_state") != NULL;
    read_bytes(record, "session.dev_addr", view->dev_addr, sizeof view->dev_addr);
    read_bytes(record, "session.keys.f_nwk_s_int_key.key", view->f_nwk_s_int_key, TTS_KEY_SIZE);
    read_bytes(record, "session.keys.s_nwk_s_int_key.key", view->s_nwk_s_int_key, TTS_KEY_SIZE);
    read_bytes(record, "session.keys.nwk_s_enc_key.key", view->nwk_s_enc_key, TTS_KEY_SIZE);
    view->last_f_cnt_up = (uint32_t)tts_number(record, "session.last_f_cnt_up");
    view->last_n_f_cnt_down = (uint32_t)tts_number(record, "session.last_n_f_cnt_down");
    view->last_conf_f_cnt_down = (uint32_t)tts_number(record, "session.last_conf_f_cnt_down");
}

bool tts_view(const struct tts *tts, const char *application_id, const char *device_id,
              struct tts_view *ret_view) {
    struct tts_view view = {0};
    const struct tts_device *device = tts_find_device(tts, application_id, device_id);
    *ret_view = view;
    if (device == NULL) return false;
    ARENA_AUTO arena = {0};
    const struct tts_node *records[TTS_SERVERS];
    for (unsigned i = 0; i < TTS_SERVERS; i++) {
        view.known[i] = device->records[i].size > 0;
        records[i] = tts_blob_tree(&arena, &device->records[i], "EndDevice");
        read_bytes(records[i], "ids.join_eui", view.euis[i], TTS_EUI_SIZE);
        read_bytes(records[i], "ids.dev_eui", view.euis[i] + TTS_EUI_SIZE, TTS_EUI_SIZE);
    }
    read_network(records[TTS_NS], &view);
    read_bytes(records[TTS_AS], "session.dev_addr", view.as_dev_addr, sizeof view.as_dev_addr);
    read_bytes(records[TTS_AS], "session.keys.app_s_key.key", view.app_s_key, TTS_KEY_SIZE);
    view.last_a_f_cnt_down = (uint32_t)tts_number(records[TTS_AS], "session.last_a_f_cnt_down");
    read_bytes(records[TTS_JS], "root_keys.app_key.key", view.app_key, TTS_KEY_SIZE);
    read_bytes(records[TTS_JS], "root_keys.nwk_key.key", view.nwk_key, TTS_KEY_SIZE);
    view.last_dev_nonce = (uint32_t)tts_number(records[TTS_JS], "last_dev_nonce");
    view.last_join_nonce = (uint32_t)tts_number(records[TTS_JS], "last_join_nonce");
    *ret_view = view;
    return true;
}
