// SPDX-License-Identifier: Apache-2.0
// Makes a device fit ChirpStack: refuses one that ChirpStack could not handle, and notes what of it has no place there.
#include <stdlib.h>
#include <string.h>

#include "device/message.h"
#include "target/chirpstack_p.h"

// ---- what cannot go

static int check_identity(struct device *device, struct error *error) {
    static const uint8_t zero[8] = {0};
    ProtobufCBinaryData eui = device_ids(device)->dev_eui;
    if (device->end_device->multicast) {
        return error_set(error, ERROR_DEVICE,
                         "is a multicast group: ChirpStack keeps these apart from devices");
    }
    if (eui.len != sizeof zero || memcmp(eui.data, zero, sizeof zero) == 0) {
        error_set(error, ERROR_DEVICE,
                  "ids.dev_eui: ChirpStack knows devices by their DevEUI, and it has none");
        error_hint(error, "give it one that nobody else has, at its source or with --map");
        return -ERROR_DEVICE;
    }
    return 0;
}

static int check_versions(struct cst *self, const Tts__EndDevice *device, struct error *error) {
    Chirpstack__MacVersion version;
    const struct frequency_plan *plan = frequency_plans_find(self->plans, device->frequency_plan_id);
    if (plan == NULL) return 0;  // whoever validates it says more
    const struct chirpstack_region *region = chirpstack_region_of_band(plan->band_id);
    if (region == NULL) {
        return error_set(error, ERROR_DEVICE, "frequency_plan_id: ChirpStack has no region for the band %s",
                         plan->band_id);
    }
    if (self->regions != 0 && (self->regions >> region->number & 1) == 0) {
        error_set(error, ERROR_DEVICE, "frequency_plan_id: the target has no configuration of the region %s",
                  region->name);
        error_hint(error,
                   "have it enabled in the configuration of ChirpStack, or name another plan with --map");
        return -ERROR_DEVICE;
    }
    if (!chirpstack_mac_number((enum mac_version)device->lorawan_version, &version)) {
        return error_set(error, ERROR_DEVICE, "lorawan_version: ChirpStack has no such version");
    }
    return 0;
}

static bool has_key(const Tts__KeyEnvelope *key) {
    return key != NULL && key->key.len == 16;
}

static int refuse_key(const Tts__KeyEnvelope *key, const char *path, const char *why, struct error *error) {
    bool is_wrapped = key != NULL && key->key.len == 0 && key->encrypted_key.len > 0;
    error_set(
        error, ERROR_DEVICE,
        is_wrapped ? "%s: the key is wrapped, and ChirpStack takes only plain ones" : "%s: is missing: %s",
        path, why);
    error_hint(error, is_wrapped ? "export the device where its keys can be unwrapped"
                                 : "complete it at its source, or leave it out");
    return -ERROR_DEVICE;
}

static bool is_1_1(const Tts__EndDevice *device) {
    return device->lorawan_version == TTS__MACVERSION__MAC_V1_1;
}

static int check_root_keys(struct device *device, struct error *error) {
    const Tts__EndDevice *end_device = device->end_device;
    if (!end_device->supports_join) return 0;
    static const Tts__RootKeys none = TTS__ROOT_KEYS__INIT;
    const Tts__RootKeys *root = end_device->root_keys == NULL ? &none : end_device->root_keys;
    bool any = root->app_key != NULL || root->nwk_key != NULL;
    if (!any && end_device->session != NULL) {
        device_note(device, "root_keys", "there are none: the device cannot join again at ChirpStack");
        return 0;
    }
    if (!has_key(root->app_key))
        return refuse_key(root->app_key, "root_keys.app_key", "the device could not join", error);
    if (is_1_1(end_device) && !has_key(root->nwk_key))
        return refuse_key(root->nwk_key, "root_keys.nwk_key", "LoRaWAN 1.1 needs it", error);
    return 0;
}

static int check_session(const Tts__EndDevice *device, struct error *error) {
    const Tts__Session *session = device->session;
    if (session == NULL && device->supports_join) return 0;
    static const Tts__SessionKeys none = TTS__SESSION_KEYS__INIT;
    if (session == NULL || session->dev_addr.len != 4) {
        return error_set(error, ERROR_DEVICE, "session: is missing, and the device does not join");
    }
    const Tts__SessionKeys *keys = session->keys == NULL ? &none : session->keys;
    const struct {
        const Tts__KeyEnvelope *key;
        const char *path;
        bool needed;
    } all[] = {
        {keys->f_nwk_s_int_key, "session.keys.f_nwk_s_int_key", true},
        {keys->s_nwk_s_int_key, "session.keys.s_nwk_s_int_key", is_1_1(device)},
        {keys->nwk_s_enc_key, "session.keys.nwk_s_enc_key", is_1_1(device)},
        {keys->app_s_key, "session.keys.app_s_key", true},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (!all[i].needed || has_key(all[i].key)) continue;
        return refuse_key(all[i].key, all[i].path, "ChirpStack could not go on with the session", error);
    }
    return 0;
}

// ---- what stays behind

static bool in_prefix(const char *prefix, uint32_t address) {
    char *rest = NULL;
    unsigned long long base = strtoull(prefix, &rest, 16);
    if (*rest != '/') return false;
    unsigned long length = strtoul(rest + 1, NULL, 10);
    if (length > 32) return false;
    return length == 0 || ((uint32_t)base ^ address) >> (32 - length) == 0;
}

static void note_dev_addr(const struct cst *self, struct device *device) {
    const Tts__Session *session = device->end_device->session;
    if (session == NULL || session->dev_addr.len != 4 || self->prefix_count == 0) return;
    const uint8_t *bytes = session->dev_addr.data;
    uint32_t address =
        (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
    for (size_t i = 0; i < self->prefix_count; i++) {
        if (in_prefix(self->prefixes[i], address)) return;
    }
    device_note(device, "session.dev_addr",
                "%08X is not of the tenant's addresses (%s%s): only its own gateways hear the device",
                (unsigned)address, self->prefixes[0], self->prefix_count > 1 ? ", ..." : "");
}

static void note_session(struct device *device) {
    const Tts__EndDevice *end_device = device->end_device;
    const Tts__Session *session = end_device->session;
    if (session != NULL && session->n_queued_application_downlinks > 0)
        device_note(device, "session.queued_application_downlinks",
                    "%zu downlinks that wait at the source do not go along",
                    session->n_queued_application_downlinks);
    if (end_device->pending_session != NULL)
        device_note(device, "pending_session",
                    "the device is about to join at the source: it may have to join once more at ChirpStack");
    if (session != NULL && end_device->supports_join)
        device_note(
            device, "mac_state",
            "its receive windows go along, but ChirpStack begins the session with the channels of its "
            "region");
}

static void note_joins(struct device *device) {
    const Tts__EndDevice *end_device = device->end_device;
    bool counts = end_device->lorawan_version == TTS__MACVERSION__MAC_V1_1 ||
                  end_device->lorawan_version == TTS__MACVERSION__MAC_V1_0_4;
    if (end_device->last_join_nonce > 0 && counts && end_device->supports_join)
        device_note(
            device, "last_join_nonce",
            "ChirpStack counts join-accepts from 1: the device refuses them until %u is exceeded, unless "
            "it is reset",
            (unsigned)end_device->last_join_nonce);
}

static void note_settings(struct device *device) {
    const Tts__MACSettings *settings = device->end_device->mac_settings;
    if (settings == NULL) return;
    const struct {
        const char *name;
        bool set;
    } members[] = {
        {"factory_preset_frequencies", settings->n_factory_preset_frequencies > 0},
        {"max_duty_cycle", settings->max_duty_cycle != NULL},
        {"supports_32_bit_f_cnt",
         settings->supports_32_bit_f_cnt != NULL && !settings->supports_32_bit_f_cnt->value},
        {"use_adr", settings->use_adr != NULL && !settings->use_adr->value},
        {"adr", settings->adr != NULL},
        {"beacon_frequency", settings->beacon_frequency != NULL},
        {"uplink_dwell_time", settings->uplink_dwell_time != NULL},
        {"downlink_dwell_time", settings->downlink_dwell_time != NULL},
        {"schedule_downlinks", settings->schedule_downlinks != NULL},
        {"relay", settings->relay != NULL},
    };
    const char *text = NULL;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        if (!members[i].set) continue;
        text = text == NULL ? members[i].name : arena_printf(&device->arena, "%s, %s", text, members[i].name);
    }
    if (text != NULL) device_note(device, "mac_settings", "ChirpStack has no place for %s: left out", text);
}

static void note_rest(struct device *device) {
    const Tts__EndDevice *end_device = device->end_device;
    if (end_device->n_locations > 0)
        device_note(device, "locations", "ChirpStack has no place for a device's location: left out");
    if (end_device->version_ids != NULL)
        device_note(device, "version_ids", "ChirpStack has no place for brand and model: left out");
    if (end_device->claim_authentication_code != NULL)
        device_note(device, "claim_authentication_code", "ChirpStack has no place for it: left out");
    Chirpstack__DeviceProfile profile = CHIRPSTACK__DEVICE_PROFILE__INIT;
    const char *remark = NULL;
    cst_codec(end_device->formatters, &device->arena, &profile, &remark);
    if (remark != NULL) device_note(device, "formatters", "%s", remark);
}

int cst_adapt(struct target *target, struct device *device, struct error *error) {
    struct cst *self = cst_of(target);
    int result = check_identity(device, error);
    if (result == 0) result = check_versions(self, device->end_device, error);
    if (result == 0) result = check_root_keys(device, error);
    if (result == 0) result = check_session(device->end_device, error);
    if (result != 0) return result;
    if (self->application != NULL) device_set_application(device, self->application);
    device_ids(device)->dev_addr = (ProtobufCBinaryData){0};
    note_dev_addr(self, device);
    note_session(device);
    note_joins(device);
    note_settings(device);
    note_rest(device);
    return 0;
}
