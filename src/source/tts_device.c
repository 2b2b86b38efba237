// SPDX-License-Identifier: Apache-2.0
// What the four servers have of a device as one device, without what belongs to the network that it leaves.
#include <string.h>

#include "base/memory.h"
#include "device/clean.h"
#include "device/message.h"
#include "source/tts_p.h"

// True if there is a key that another network can use: in the clear, and not zero.
static bool has_key(const Tts__KeyEnvelope *key) {
    if (key == NULL || key->key.len != KEY128_BYTES) return false;
    for (size_t i = 0; i < KEY128_BYTES; i++) {
        if (key->key.data[i] != 0) return true;
    }
    return false;
}

static bool same_bytes(ProtobufCBinaryData left, ProtobufCBinaryData right) {
    return left.len == right.len && (left.len == 0 || memcmp(left.data, right.data, left.len) == 0);
}

// ---- identifiers

static int check_euis(const struct tts_parts *parts, struct error *error) {
    const Tts__EndDeviceIdentifiers *ids = tts_source_parts_ids(parts);
    for (enum stack_role server = 0; server < STACK_ROLES; server++) {
        const Tts__EndDevice *part = parts->at[server];
        if (part == NULL || tts_source_same_euis(ids, part->ids)) continue;
        error_set(error, ERROR_DEVICE, "the %s has a device of that ID with other EUIs", stack_title(server));
        error_hint(error, "it is left over from an older device: delete that entry there");
        return -ERROR_DEVICE;
    }
    return 0;
}

static int set_ids(const struct tts_source *self, const struct tts_parts *parts, struct device *device,
                   struct error *error) {
    const Tts__EndDeviceIdentifiers *known = tts_source_parts_ids(parts);
    const uint8_t *dev_eui = known->dev_eui.len > 0 ? known->dev_eui.data : NULL;
    char id[DEVICE_ID_SIZE];
    int result = device_id_make(self->naming, known->device_id, dev_eui, id, error);
    if (result != 0) return result;
    Tts__EndDeviceIdentifiers *ids = message_new(&device->arena, &tts__end_device_identifiers__descriptor);
    ids->application_ids = known->application_ids;
    ids->dev_eui = known->dev_eui;
    for (enum stack_role server = 0; server < STACK_ROLES && ids->join_eui.len == 0; server++) {
        if (parts->at[server] != NULL) ids->join_eui = parts->at[server]->ids->join_eui;
    }
    device_set_text(device, &ids->device_id, id);
    device->end_device->ids = ids;
    return 0;
}

// ---- the servers' parts

static void add_network(const Tts__EndDevice *network, Tts__EndDevice *device) {
    device->frequency_plan_id = network->frequency_plan_id;
    device->lorawan_version = network->lorawan_version;
    device->lorawan_phy_version = network->lorawan_phy_version;
    device->min_frequency = network->min_frequency;
    device->max_frequency = network->max_frequency;
    device->supports_join = network->supports_join;
    device->supports_class_b = network->supports_class_b;
    device->supports_class_c = network->supports_class_c;
    device->multicast = network->multicast;
    device->mac_settings = network->mac_settings;
    device->mac_state = network->mac_state;
    device->session = network->session;
    device->pending_mac_state = network->pending_mac_state;
    device->pending_session = network->pending_session;
    device->last_dev_status_received_at = network->last_dev_status_received_at;
    device->power_state = network->power_state;
    device->battery_percentage = network->battery_percentage;
    device->downlink_margin = network->downlink_margin;
}

static void add_application(const Tts__EndDevice *application, Tts__EndDevice *device) {
    device->formatters = application->formatters;
    device->skip_payload_crypto = application->skip_payload_crypto;
    device->skip_payload_crypto_override = application->skip_payload_crypto_override;
}

static void add_join(const Tts__EndDevice *join, Tts__EndDevice *device) {
    device->root_keys = join->root_keys;
    device->net_id = join->net_id;
    device->last_dev_nonce = join->last_dev_nonce;
    device->n_used_dev_nonces = join->n_used_dev_nonces;
    device->used_dev_nonces = join->used_dev_nonces;
    device->last_join_nonce = join->last_join_nonce;
    device->last_rj_count_0 = join->last_rj_count_0;
    device->last_rj_count_1 = join->last_rj_count_1;
    device->resets_join_nonces = join->resets_join_nonces;
    device->provisioner_id = join->provisioner_id;
    device->provisioning_data = join->provisioning_data;
    if (device->claim_authentication_code == NULL) {
        device->claim_authentication_code = join->claim_authentication_code;
    }
}

static bool is_empty(const void *message) {
    return message != NULL && protobuf_c_message_get_packed_size(message) == 0;
}

// Servers send some of their members even where these say nothing.
static void strip_empty(Tts__EndDevice *message) {
    if (is_empty(message->version_ids)) message->version_ids = NULL;
    if (is_empty(message->picture)) message->picture = NULL;
    if (is_empty(message->claim_authentication_code)) message->claim_authentication_code = NULL;
    if (is_empty(message->lora_alliance_profile_ids)) message->lora_alliance_profile_ids = NULL;
    if (is_empty(message->formatters)) message->formatters = NULL;
    if (is_empty(message->root_keys)) message->root_keys = NULL;
}

// What says where a device is, or is only true there.
static void strip(struct device *device) {
    Tts__EndDevice *message = device->end_device;
    strip_empty(message);
    message->created_at = message->updated_at = message->last_seen_at = NULL;
    device_set_text(device, &message->network_server_address, "");
    device_set_text(device, &message->application_server_address, "");
    device_set_text(device, &message->join_server_address, "");
    if (message->mac_settings == NULL || message->mac_settings->schedule_downlinks == NULL) return;
    if (!message->mac_settings->schedule_downlinks->value) {
        device_note(
            device, "mac_settings.schedule_downlinks",
            "is false at the source: silenced, perhaps because it was exported before; its new network will "
            "answer it");
    }
    message->mac_settings->schedule_downlinks = NULL;
}

// ---- sessions

// The Application Server's side of a session, or NULL.
static const Tts__Session *application_session(const struct tts_parts *parts, const Tts__Session *session) {
    const Tts__EndDevice *application = parts->at[STACK_APPLICATION];
    if (application == NULL || session->keys == NULL) return NULL;
    const Tts__Session *candidates[] = {application->session, application->pending_session};
    for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++) {
        const Tts__Session *candidate = candidates[i];
        if (candidate == NULL || candidate->keys == NULL) continue;
        if (!same_bytes(candidate->keys->session_key_id, session->keys->session_key_id)) continue;
        if (session->keys->session_key_id.len > 0 || same_bytes(candidate->dev_addr, session->dev_addr))
            return candidate;
    }
    return NULL;
}

static bool skips_crypto(const struct tts_parts *parts) {
    const Tts__EndDevice *application = parts->at[STACK_APPLICATION];
    if (application == NULL) return false;
    if (application->skip_payload_crypto_override != NULL)
        return application->skip_payload_crypto_override->value;
    return application->skip_payload_crypto;
}

// True if the session can live on elsewhere.
static bool session_is_whole(const struct tts_parts *parts, const Tts__Session *session) {
    if (session == NULL || session->keys == NULL || !has_key(session->keys->f_nwk_s_int_key)) return false;
    const Tts__Session *other = application_session(parts, session);
    return skips_crypto(parts) || (other != NULL && has_key(other->keys->app_s_key));
}

// True if it can live on without its session.
static bool can_join_again(const struct tts_parts *parts) {
    const Tts__EndDevice *join = parts->at[STACK_JOIN];
    const Tts__RootKeys *keys = join == NULL ? NULL : join->root_keys;
    return parts->at[STACK_NETWORK]->supports_join && keys != NULL &&
           (has_key(keys->app_key) || has_key(keys->nwk_key));
}

bool tts_source_takes_session(const struct tts_source *self, const struct tts_parts *parts) {
    const Tts__EndDevice *network = parts->at[STACK_NETWORK];
    if (network == NULL || (self->no_session && can_join_again(parts))) return false;
    return session_is_whole(parts, network->session);
}

static void join_session(struct device *device, const struct tts_parts *parts, Tts__Session *session) {
    const Tts__Session *other = application_session(parts, session);
    if (other != NULL) {
        session->keys->app_s_key = other->keys->app_s_key;
        session->last_a_f_cnt_down = other->last_a_f_cnt_down;
    }
    if (session->n_queued_application_downlinks > 0) {
        device_note(device, "session.queued_application_downlinks",
                    "%zu downlinks that were not sent yet are left behind",
                    session->n_queued_application_downlinks);
    }
    session->n_queued_application_downlinks = 0;
    session->queued_application_downlinks = NULL;
}

static void drop_session(Tts__EndDevice *message) {
    message->session = message->pending_session = NULL;
    message->mac_state = message->pending_mac_state = NULL;
}

static int set_session(const struct tts_source *self, const struct tts_parts *parts, struct device *device,
                       struct error *error) {
    Tts__EndDevice *message = device->end_device;
    if (tts_source_takes_session(self, parts)) {
        message->session->last_n_f_cnt_down = tts_source_last_n_f_cnt_down(parts->at[STACK_NETWORK]);
        join_session(device, parts, message->session);
        return 0;
    }
    bool had = message->session != NULL;
    message->session = NULL;
    message->mac_state = NULL;
    if (!message->supports_join) {
        error_set(
            error, ERROR_DEVICE, "does not join, and %s",
            parts->at[STACK_APPLICATION] == NULL
                ? "is not registered at the Application Server, which would have its AppSKey"
                : "its session is incomplete: DevAddr and NwkSKey at the Network Server and AppSKey at the "
                  "Application Server are needed");
        error_hint(error, "complete its registration, or leave it out");
        return -ERROR_DEVICE;
    }
    if (had && !self->no_session) {
        device_note(device, "session",
                    "a key of it is missing at the Network or Application Server: it is left there, and the "
                    "device has to "
                    "join again");
    }
    return 0;
}

// A join that the device has not answered yet.
static void set_pending(const struct tts_parts *parts, struct device *device) {
    Tts__EndDevice *message = device->end_device;
    Tts__Session *pending = message->pending_session;
    if (pending != NULL && message->pending_mac_state != NULL && session_is_whole(parts, pending) &&
        has_key(pending->keys->s_nwk_s_int_key) && has_key(pending->keys->nwk_s_enc_key)) {
        join_session(device, parts, pending);
        return;
    }
    if (pending != NULL) {
        device_note(device, "pending_session",
                    "is incomplete and is left there: a device that has just joined has to join again");
    }
    message->pending_session = NULL;
    message->pending_mac_state = NULL;
}

static int set_sessions(const struct tts_source *self, const struct tts_parts *parts, struct device *device,
                        struct error *error) {
    Tts__EndDevice *message = device->end_device;
    bool joins = can_join_again(parts);
    if (self->no_session && joins) drop_session(message);
    if (self->no_session && !joins) {
        device_note(device, "session", "%s, and has no life without its session: exported with it",
                    message->supports_join ? "has no root keys at the Join Server" : "does not join");
    }
    int result = set_session(self, parts, device, error);
    if (message->supports_join) {
        set_pending(parts, device);
    } else {
        message->pending_session = NULL;
        message->pending_mac_state = NULL;
    }
    // An answer to a join that was meant for a gateway of this network, at a time that is over.
    if (message->mac_state != NULL) message->mac_state->queued_join_accept = NULL;
    if (message->pending_mac_state != NULL) message->pending_mac_state->queued_join_accept = NULL;
    return result;
}

// ---- the whole

// True if the address is that of another host than the one that is asked.
static bool is_elsewhere(const struct tts_source *self, enum stack_role server, const char *address) {
    const char *asked = self->peers[server].address.host_port;
    size_t size = strcspn(address, ":");
    return size > 0 && (strncmp(address, asked, size) != 0 || asked[size] != ':');
}

// Without the Network Server's part nobody can take the device: it says plan and versions.
static int check_network(const struct tts_source *self, const struct tts_parts *parts, struct error *error) {
    if (parts->at[STACK_NETWORK] != NULL) return 0;
    if (parts->at[STACK_JOIN] == NULL && parts->at[STACK_APPLICATION] == NULL) {
        error_set(error, ERROR_EMPTY,
                  "is known to the Identity Server alone: it was exported before (--tts.release keys), or "
                  "was never "
                  "complete");
        error_hint(error, "its keys are in the output of the run that exported it; leave it out");
        return -ERROR_EMPTY;
    }
    const Tts__EndDevice *identity = parts->at[STACK_IDENTITY];
    error_set(error, ERROR_DEVICE,
              "is not registered at %s, which would know its frequency plan and LoRaWAN version",
              self->peers[STACK_NETWORK].name);
    if (identity != NULL && is_elsewhere(self, STACK_NETWORK, identity->network_server_address)) {
        error_hint(error, "its Network Server is %s: --tts.network-server-grpc-address",
                   identity->network_server_address);
    } else {
        error_hint(error, "register it there, or leave it out");
    }
    return -ERROR_DEVICE;
}

static void note_root_keys(const struct tts_source *self, const struct tts_parts *parts,
                           struct device *device) {
    const Tts__EndDevice *message = device->end_device;
    const Tts__EndDevice *identity = parts->at[STACK_IDENTITY];
    if (!message->supports_join) return;
    const Tts__RootKeys *keys = message->root_keys;
    if (keys != NULL && (has_key(keys->app_key) || has_key(keys->nwk_key))) return;
    bool elsewhere = identity != NULL && is_elsewhere(self, STACK_JOIN, identity->join_server_address);
    device_note(
        device, "root_keys", "%s%s%s: without root keys the device can join only if they are entered",
        parts->at[STACK_JOIN] == NULL ? "is not registered at the Join Server" : "the Join Server has none",
        elsewhere ? "; its Join Server is " : "", elsewhere ? identity->join_server_address : "");
}

static void note_missing(const struct tts_source *self, const struct tts_parts *parts,
                         struct device *device) {
    if (parts->at[STACK_IDENTITY] == NULL) {
        device_note(
            device, "ids",
            "is not registered at the Identity Server: exported without name, description, attributes and "
            "locations");
    }
    if (parts->at[STACK_APPLICATION] == NULL) {
        device_note(device, "formatters",
                    "is not registered at the Application Server: exported without formatters and AppSKey");
    }
    const Tts__EndDevice *join = parts->at[STACK_JOIN];
    if (join != NULL &&
        (join->network_server_kek_label[0] != '\0' || join->application_server_kek_label[0] != '\0')) {
        device_note(device, "network_server_kek_label",
                    "names of keys in the old network's vault are left out");
    }
    note_root_keys(self, parts, device);
}

int tts_source_device_convert(const struct tts_source *self, const struct source_record *record,
                              struct device *device, struct error *error) {
    struct tts_parts parts;
    int result = tts_source_record_read(record, &device->arena, &parts, error);
    if (result == 0) result = check_euis(&parts, error);
    if (result == 0) result = check_network(self, &parts, error);
    if (result != 0) return result;
    if (parts.at[STACK_IDENTITY] != NULL) device->end_device = parts.at[STACK_IDENTITY];
    result = set_ids(self, &parts, device, error);
    if (result != 0) return result;
    Tts__EndDevice *message = device->end_device;
    add_network(parts.at[STACK_NETWORK], message);
    if (parts.at[STACK_APPLICATION] != NULL) add_application(parts.at[STACK_APPLICATION], message);
    if (parts.at[STACK_JOIN] != NULL && message->supports_join) add_join(parts.at[STACK_JOIN], message);
    note_missing(self, &parts, device);
    result = set_sessions(self, &parts, device, error);
    if (result != 0) return result;
    strip(device);
    return device_clean(device, error);
}
