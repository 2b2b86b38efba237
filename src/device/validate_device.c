// SPDX-License-Identifier: Apache-2.0
// What the servers of The Things Stack demand of a device as a whole (its public documentation and code,
// v3.32).
#include <stdio.h>
#include <string.h>

#include "device/naming.h"
#include "device/validate_p.h"
#include "lorawan/versions.h"

static bool bytes_are_zero(const ProtobufCBinaryData *bytes) {
    for (size_t i = 0; i < bytes->len; i++) {
        if (bytes->data[i] != 0) return false;
    }
    return true;
}

// True if there is a key, in the clear or wrapped.
static bool key_is_there(const Tts__KeyEnvelope *key) {
    return key != NULL && (key->encrypted_key.len > 0 || !bytes_are_zero(&key->key));
}

static bool key_is_given(const Tts__KeyEnvelope *key) {
    return key != NULL && (key->encrypted_key.len > 0 || key->key.len > 0);
}

static bool bytes_equal(const ProtobufCBinaryData *a, const ProtobufCBinaryData *b) {
    return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

static bool is_mac_version(const Tts__EndDevice *device, enum mac_version version) {
    return (int)device->lorawan_version == (int)version;
}

static bool mac_version_at_least(const Tts__EndDevice *device, enum mac_version version) {
    return mac_version_compare((enum mac_version)device->lorawan_version, version) >= 0;
}

void check_identity_server(const struct check *check) {
    const Tts__EndDeviceIdentifiers *ids = check->device->ids;
    if (ids != NULL && device_id_reserved(ids->device_id)) {
        findings_add(check->findings, "ids.device_id", "the word is reserved");
    }
}

static void check_versions(const struct check *check) {
    const Tts__EndDevice *device = check->device;
    const char *plan = device->frequency_plan_id;
    if (plan[0] == '\0') {
        findings_add(check->findings, "frequency_plan_id", "is missing");
    } else if (check->plan == NULL) {
        const char *near = frequency_plans_suggest(check->plans, plan);
        findings_add(check->findings, "frequency_plan_id", "the plan is unknown%s%s%s",
                     near == NULL ? "" : "; did you mean '", near == NULL ? "" : near,
                     near == NULL ? "" : "'?");
    }
    if (is_mac_version(device, MAC_UNKNOWN)) {
        findings_add(check->findings, "lorawan_version", "is missing");
    }
    if ((int)device->lorawan_phy_version == (int)PHY_UNKNOWN) {
        findings_add(check->findings, "lorawan_phy_version", "is missing");
    } else if (check->plan != NULL && check->band == NULL) {
        findings_add(check->findings, "lorawan_phy_version", "the band %s does not exist in that version",
                     check->plan->band_id);
    }
    const Tts__EndDeviceVersionIdentifiers *version = device->version_ids;
    if (version != NULL && version->band_id[0] != '\0' && check->plan != NULL &&
        strcmp(version->band_id, check->plan->band_id) != 0) {
        findings_add(check->findings, "version_ids.band_id", "is not that of the frequency plan, %s",
                     check->plan->band_id);
    }
}

static void check_join_device(const struct check *check) {
    const Tts__EndDevice *device = check->device;
    const Tts__EndDeviceIdentifiers *ids = device->ids;
    if (ids == NULL || ids->dev_eui.len == 0) {
        findings_add(check->findings, "ids.dev_eui", "is missing: the device joins");
    }
    if (ids == NULL || ids->join_eui.len == 0) {
        findings_add(check->findings, "ids.join_eui", "is missing: the device joins");
    }
    if (device->multicast) findings_add(check->findings, "multicast", "such a device cannot join");
    const Tts__Session *session = device->session;
    if (session != NULL && session->keys != NULL && session->keys->session_key_id.len == 0) {
        findings_add(check->findings, "session.keys.session_key_id", "is missing: the device joins");
    }
}

// A device that never joins: activated by personalization, or a multicast group.
static void check_fixed_device(const struct check *check) {
    const Tts__EndDevice *device = check->device;
    if (device->session == NULL) {
        findings_add(check->findings, "session", "is missing: the device does not join");
    } else if (device->session->keys != NULL && device->session->keys->session_key_id.len > 0) {
        findings_add(check->findings, "session.keys.session_key_id",
                     "must not be there: the device does not join");
    }
    if (device->pending_session != NULL) {
        findings_add(check->findings, "pending_session", "must not be there: the device does not join");
    }
    if (device->pending_mac_state != NULL) {
        findings_add(check->findings, "pending_mac_state", "must not be there: the device does not join");
    }
    bool has_eui = device->ids != NULL && device->ids->dev_eui.len > 0;
    if (!device->multicast && !has_eui && mac_version_at_least(device, MAC_V1_0_4)) {
        findings_add(check->findings, "ids.dev_eui", "is missing: LoRaWAN 1.0.4 and later need it");
    }
    bool has_period = device->mac_settings != NULL && device->mac_settings->ping_slot_periodicity != NULL;
    if (device->supports_class_b && !has_period) {
        findings_add(check->findings, "mac_settings.ping_slot_periodicity",
                     "is missing: a class B device that does not join needs it");
    }
}

static void check_multicast(const struct check *check) {
    const Tts__EndDevice *device = check->device;
    if (!device->supports_class_b && !device->supports_class_c) {
        findings_add(check->findings, "multicast", "needs class B or C");
    }
    if (device->mac_state != NULL && device->mac_state->device_class == TTS__CLASS__CLASS_A) {
        findings_add(check->findings, "mac_state.device_class", "a multicast device cannot be of class A");
    }
}

void check_network_server(const struct check *check) {
    const Tts__EndDevice *device = check->device;
    check_versions(check);
    if (device->supports_join) {
        check_join_device(check);
    } else {
        check_fixed_device(check);
    }
    if (device->multicast) check_multicast(check);
    if (device->mac_state != NULL && device->session == NULL) {
        findings_add(check->findings, "session", "is missing: there is a mac_state");
    }
    if (device->mac_state != NULL && device->mac_state->lorawan_version == TTS__MACVERSION__MAC_UNKNOWN) {
        findings_add(check->findings, "mac_state.lorawan_version", "is missing");
    }
    const Tts__EndDeviceIdentifiers *ids = device->ids;
    if (ids != NULL && ids->dev_addr.len > 0 &&
        (device->session == NULL || !bytes_equal(&ids->dev_addr, &device->session->dev_addr))) {
        findings_add(check->findings, "ids.dev_addr", "is not that of the session");
    }
}

static void find_key(const struct check *check, const char *session, const char *key, const char *text) {
    char path[80];
    snprintf(path, sizeof path, "%s.keys.%s.key", session, key);
    findings_add(check->findings, path, "%s", text);
}

// LoRaWAN 1.1 has three network session keys, 1.0 one that may stand in all three places.
static void check_network_keys(const struct check *check, const Tts__SessionKeys *keys, const char *path,
                               bool all) {
    const struct {
        const Tts__KeyEnvelope *key;
        const char *name;
    } others[] = {{keys->s_nwk_s_int_key, "s_nwk_s_int_key"}, {keys->nwk_s_enc_key, "nwk_s_enc_key"}};
    if (!key_is_there(keys->f_nwk_s_int_key)) {
        find_key(check, path, "f_nwk_s_int_key", "is missing or zero");
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (all || is_mac_version(check->device, MAC_V1_1)) {
            if (!key_is_there(others[i].key)) find_key(check, path, others[i].name, "is missing or zero");
        } else if (key_is_given(others[i].key) && keys->f_nwk_s_int_key != NULL &&
                   !bytes_equal(&others[i].key->key, &keys->f_nwk_s_int_key->key)) {
            find_key(check, path, others[i].name, "LoRaWAN 1.0 has one network session key, this is another");
        }
    }
}

static void check_session(const struct check *check, const Tts__Session *session, const char *path,
                          bool pending) {
    char where[40];
    if (session == NULL) return;
    if (session->dev_addr.len == 0 || bytes_are_zero(&session->dev_addr)) {
        snprintf(where, sizeof where, "%s.dev_addr", path);
        findings_add(check->findings, where, "is missing or zero");
    }
    if (session->keys == NULL) return;
    check_network_keys(check, session->keys, path, pending);
    if (pending && session->keys->session_key_id.len == 0) {
        findings_add(check->findings, "pending_session.keys.session_key_id", "is missing");
    }
}

void check_sessions(const struct check *check) {
    check_session(check, check->device->session, "session", false);
    check_session(check, check->device->pending_session, "pending_session", true);
}

void check_join_server(const struct check *check) {
    const Tts__EndDevice *device = check->device;
    const Tts__EndDeviceIdentifiers *ids = device->ids;
    if (!device->supports_join || device->root_keys == NULL) return;
    if (ids != NULL && ids->dev_eui.len > 0 && bytes_are_zero(&ids->dev_eui)) {
        findings_add(check->findings, "ids.dev_eui", "is zero");
    }
    if (key_is_given(device->root_keys->app_key) && !key_is_there(device->root_keys->app_key)) {
        findings_add(check->findings, "root_keys.app_key.key", "is zero");
    }
}

static void check_formatter(const struct check *check, const char *parameter, const char *path) {
    enum { FORMATTER_BYTES_MAX = 40960 };
    size_t size = strlen(parameter);
    if (size <= FORMATTER_BYTES_MAX) return;
    findings_add(check->findings, path, "%zu bytes long, the Application Server takes at most %d", size,
                 FORMATTER_BYTES_MAX);
}

void check_application_server(const struct check *check) {
    const Tts__EndDevice *device = check->device;
    const Tts__Session *session = device->session;
    if (session != NULL && session->keys != NULL && key_is_given(session->keys->app_s_key) &&
        !key_is_there(session->keys->app_s_key)) {
        findings_add(check->findings, "session.keys.app_s_key.key", "is zero");
    }
    if (device->formatters == NULL) return;
    check_formatter(check, device->formatters->up_formatter_parameter, "formatters.up_formatter_parameter");
    check_formatter(check, device->formatters->down_formatter_parameter,
                    "formatters.down_formatter_parameter");
}
