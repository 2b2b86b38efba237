// SPDX-License-Identifier: Apache-2.0
// Which fields of a device each server keeps, and may be told to set: the field masks that The Things Stack 3.32 allows
// in EndDeviceRegistry/Update and in Js-, Ns- and AsEndDeviceRegistry/Set. tests/vectors/tts has the whole lists.
#include <fnmatch.h>
#include <string.h>

#include "base/words.h"
#include "device/field_mask.h"
#include "device/message.h"
#include "target/tts_p.h"

struct place_fields {
    const char *members;         // of EndDevice, that are sent and set; `ids` always goes along
    const char *const *without;  // patterns of paths within these that are not allowed; ends with NULL
};

static const char *const join_without[] = {
    "*_key.kek_label",
    "*_key.encrypted_key",
    // A key cannot be taken away.
    "root_keys",
    "root_keys.app_key",
    NULL,
};

static const char *const network_without[] = {
    "*_parameters.adr_ack_limit",
    "*_parameters.adr_ack_delay",
    "*_parameters.ping_slot_data_rate_index",
    "mac_state.pending_application_downlink.decoded_payload*",
    "mac_state.pending_application_downlink.confirmed_retry*",
    "mac_state.queued_join_accept*",
    "mac_state.pending_join_request*",
    "pending_mac_state.pending_application_downlink*",
    "pending_mac_state.queued_responses",
    "pending_mac_state.pending_requests",
    "pending_mac_state.pending_relay_downlink*",
    "pending_mac_state.queued_join_accept.keys.*nwk*.kek_label",
    "pending_mac_state.queued_join_accept.keys.*nwk*.encrypted_key",
    "*session.keys.*.kek_label",
    "*session.keys.*.encrypted_key",
    "*session.keys.app_s_key*",
    "*session.queued_application_downlinks",
    "session.last_a_f_cnt_down",
    "pending_session.last_*",
    "pending_session.started_at",
    NULL,
};

static const char *const application_without[] = {
    "session",
    "session.keys",
    "session.keys.*nwk*",
    "session.keys.app_s_key",
    "session.keys.*.kek_label",
    "session.keys.*.encrypted_key",
    "session.last_f_cnt_up",
    "session.last_n_f_cnt_down",
    "session.last_conf_f_cnt_down",
    "session.started_at",
    "session.queued_application_downlinks",
    NULL,
};

static const char *const identity_without[] = {"picture.*", NULL};

static const struct place_fields place_fields[TTS_PLACES] = {
    [TTS_IDENTITY] = {"name description attributes version_ids service_profile_id network_server_address "
                      "application_server_address join_server_address locations picture "
                      "claim_authentication_code activated_at last_seen_at serial_number "
                      "lora_alliance_profile_ids",
                      identity_without},
    [TTS_JOIN] = {"network_server_address network_server_kek_label application_server_address "
                  "application_server_kek_label application_server_id net_id root_keys last_dev_nonce "
                  "used_dev_nonces last_join_nonce last_rj_count_0 last_rj_count_1 resets_join_nonces "
                  "provisioner_id provisioning_data",
                  join_without},
    [TTS_NETWORK] = {"version_ids supports_class_b supports_class_c lorawan_version lorawan_phy_version "
                     "frequency_plan_id min_frequency max_frequency supports_join mac_settings mac_state "
                     "pending_mac_state session pending_session last_dev_status_received_at "
                     "battery_percentage downlink_margin multicast serial_number lora_alliance_profile_ids",
                     network_without},
    [TTS_APPLICATION] = {"version_ids session formatters skip_payload_crypto skip_payload_crypto_override "
                         "serial_number lora_alliance_profile_ids",
                         application_without},
};

bool tts_may_set(enum tts_place place, const char *path) {
    const struct place_fields *fields = &place_fields[place];
    if (!words_contain(fields->members, path, strcspn(path, "."))) return false;
    for (const char *const *pattern = fields->without; *pattern != NULL; pattern++) {
        if (fnmatch(*pattern, path, 0) == 0) return false;
    }
    return true;
}

struct mask_building {
    enum tts_place place;
    struct arena *arena;
    Google__FieldMask *mask;
};

static void add_path(void *context, const char *path) {
    const struct mask_building *building = context;
    Google__FieldMask *mask = building->mask;
    if (building->place == TTS_IDENTITY && strncmp(path, "picture.", 8) == 0) path = "picture";
    size_t count = mask->n_paths;
    bool twice = count > 0 && strcmp(mask->paths[count - 1], path) == 0;
    if (twice || !tts_may_set(building->place, path)) return;
    // Grows at every power of two.
    if ((count & (count - 1)) == 0) {
        char **paths = arena_new_array(building->arena, char *, count == 0 ? 1 : 2 * count);
        if (count > 0) memcpy(paths, mask->paths, count * sizeof *paths);
        mask->paths = paths;
    }
    mask->paths[mask->n_paths++] = arena_strdup(building->arena, path);
}

Google__FieldMask *tts_mask(const Tts__EndDevice *part, const Tts__EndDevice *before, enum tts_place place,
                            struct arena *arena) {
    struct mask_building building = {.place = place, .arena = arena};
    building.mask = message_new(arena, &google__field_mask__descriptor);
    field_mask_each(&part->base, before == NULL ? NULL : &before->base, add_path, &building);
    return building.mask;
}

// ---- parts

static Tts__SessionKeys *select_keys(const Tts__SessionKeys *keys, const char *members, struct arena *arena) {
    return keys == NULL ? NULL : message_select(&keys->base, members, arena);
}

static Tts__Session *network_session(const Tts__Session *session, struct arena *arena) {
    if (session == NULL) return NULL;
    Tts__Session *part = message_select(
        &session->base, "dev_addr keys last_f_cnt_up last_n_f_cnt_down last_conf_f_cnt_down started_at",
        arena);
    part->keys =
        select_keys(session->keys, "session_key_id f_nwk_s_int_key s_nwk_s_int_key nwk_s_enc_key", arena);
    return part;
}

// A session without its key is of no use to the Application Server, which refuses it.
static Tts__Session *application_session(const Tts__Session *session, struct arena *arena) {
    if (session == NULL || session->keys == NULL || session->keys->app_s_key == NULL) return NULL;
    Tts__Session *part = message_select(&session->base, "dev_addr keys last_a_f_cnt_down", arena);
    part->keys = select_keys(session->keys, "session_key_id app_s_key", arena);
    return part;
}

// The address is the session's; it is refused next to others.
static Tts__EndDeviceIdentifiers *plain_ids(const Tts__EndDevice *device, struct arena *arena) {
    if (device->ids == NULL) return NULL;
    return message_select(&device->ids->base, "device_id application_ids dev_eui join_eui", arena);
}

Tts__EndDevice *tts_part(const Tts__EndDevice *device, enum tts_place place, struct arena *arena) {
    Tts__EndDevice *part = message_select(&device->base, place_fields[place].members, arena);
    part->ids = plain_ids(device, arena);
    if (place == TTS_NETWORK) {
        part->session = network_session(device->session, arena);
        part->pending_session = network_session(device->pending_session, arena);
    } else if (place == TTS_APPLICATION) {
        part->session = application_session(device->session, arena);
    }
    return part;
}

Tts__EndDevice *tts_part_reserved(const Tts__EndDevice *device, enum tts_place place, struct arena *arena) {
    Tts__EndDevice *part = tts_part(device, place, arena);
    part->root_keys = NULL;
    part->session = part->pending_session = NULL;
    part->mac_state = part->pending_mac_state = NULL;
    return part;
}

// LoRaWAN 1.0 has one network session key, which the Network Server shows in all three places.
static void drop_copies(Tts__Session *session) {
    if (session == NULL || session->keys == NULL) return;
    session->keys->s_nwk_s_int_key = session->keys->nwk_s_enc_key = NULL;
}

Tts__EndDevice *tts_part_before(const Tts__EndDevice *there, enum tts_place place, struct arena *arena) {
    Tts__EndDevice *part = tts_part(there, place, arena);
    if (place == TTS_NETWORK && there->lorawan_version != TTS__MACVERSION__MAC_V1_1) {
        drop_copies(part->session);
        drop_copies(part->pending_session);
    }
    return part;
}
