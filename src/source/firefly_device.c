// SPDX-License-Identifier: Apache-2.0
// A device of Firefly as an end device of The Things Stack.
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/memory.h"
#include "device/cell.h"
#include "device/message.h"
#include "source/firefly_p.h"
#include "source/radio.h"

enum { APPLICATION_KEY = 0, APPLICATION_SESSION_KEY, NETWORK_SESSION_KEY };

const char *const firefly_key_names[FIREFLY_KEYS] = {"application_key", "application_session_key",
                                                     "network_session_key"};

const char *firefly_key(const json_t *device, size_t index, uint8_t ret_key[static KEY128_BYTES],
                        bool *ret_there) {
    const char *text = rest_text(device, firefly_key_names[index]);
    *ret_there = text != NULL;
    return text == NULL ? NULL : cell_bytes(text, ret_key, KEY128_BYTES);
}

bool firefly_has_session(const json_t *device) {
    return rest_text(device, "address") != NULL &&
           rest_text(device, firefly_key_names[APPLICATION_SESSION_KEY]) != NULL &&
           rest_text(device, firefly_key_names[NETWORK_SESSION_KEY]) != NULL;
}

// ---- records

void firefly_record_write(struct source_record *record, json_t *device, json_t *fcnt) {
    REST_JSON_AUTO *whole = json_object();
    json_object_set(whole, "device", device);
    if (fcnt != NULL) json_object_set(whole, "fcnt", fcnt);
    char *text = json_dumps(whole, JSON_COMPACT | JSON_SORT_KEYS);
    source_record_set_data(record, text, text == NULL ? 0 : strlen(text));
    memory_free_secret(text);
}

int firefly_record_read(const struct source_record *record, json_t **ret_device, json_t **ret_fcnt,
                        struct error *error) {
    REST_JSON_AUTO *whole = json_loadb((const char *)record->data, record->size, 0, NULL);
    json_t *device = json_object_get(whole, "device");
    if (!json_is_object(device)) return error_set(error, ERROR_INPUT, "its record in the journal is damaged");
    *ret_device = json_incref(device);
    *ret_fcnt = json_incref(json_object_get(whole, "fcnt"));
    return 0;
}

// ---- converting

static int member_error(const char *name, const char *reason, struct error *error) {
    return error_set(error, ERROR_DEVICE, "%s: %s", name, reason);
}

static int read_key(const json_t *source, size_t index, struct device *device, Tts__KeyEnvelope **member,
                    struct error *error) {
    uint8_t key[KEY128_BYTES];
    bool there = false;
    const char *reason = firefly_key(source, index, key, &there);
    if (reason == NULL && !there) reason = "the key is missing";
    if (reason == NULL) device_set_key(device, member, key);
    memory_wipe(key, sizeof key);
    return reason == NULL ? 0 : member_error(firefly_key_names[index], reason, error);
}

static int set_versions(const struct firefly *self, const struct device_map_entry *entry,
                        struct device *device, struct error *error) {
    enum mac_version version = self->rules.mac_version;
    if (entry != NULL && entry->mac_version != MAC_UNKNOWN) version = entry->mac_version;
    if (version == MAC_UNKNOWN) {
        error_set(error, ERROR_DEVICE, "its version of LoRaWAN is not known: Firefly does not tell it");
        error_hint(error, "name it with --firefly.mac-version, or for single devices with --map");
        return -ERROR_DEVICE;
    }
    device->end_device->lorawan_version = (Tts__MACVersion)version;
    return 0;
}

static void set_texts(const json_t *source, struct device *device) {
    Tts__EndDevice *message = device->end_device;
    const char *name = rest_text(source, "name"), *description = rest_text(source, "description");
    if (name != NULL) device_set_text(device, &message->name, name);
    if (description != NULL) device_set_text(device, &message->description, description);
    const json_t *tags = json_object_get(source, "tags");
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    for (size_t i = 0; i < json_array_size(tags); i++) {
        const char *tag = json_string_value(json_array_get(tags, i));
        if (tag != NULL) buffer_printf(&text, "%s%s", text.size > 0 ? ", " : "", tag);
    }
    if (text.size > 0) device_set_attribute(device, "firefly-tags", buffer_string(&text));
}

static void set_location(const json_t *source, struct device *device) {
    double latitude = 0, longitude = 0;
    if (!rest_location(json_object_get(source, "location"), &latitude, &longitude)) return;
    device_set_location(device, latitude, longitude);
}

static int set_settings(const json_t *source, struct device *device, struct error *error) {
    enum { DATA_RATE_MAX = 15 };
    uint32_t data_rate = UINT32_MAX;
    if (rest_number(source, "rx2_data_rate", &data_rate) && data_rate > DATA_RATE_MAX)
        return member_error("rx2_data_rate", "is no data rate", error);
    radio_set_windows(
        &(struct radio_windows){
            .rx1_delay = -1,
            .rx1_data_rate_offset = -1,
            .rx2_data_rate_index = data_rate == UINT32_MAX ? -1 : (int)data_rate,
        },
        device);
    if (json_is_true(json_object_get(source, "skip_fcnt_check"))) {
        Tts__MACSettings *settings = radio_settings(device);
        settings->resets_f_cnt = message_new(&device->arena, &tts__bool_value__descriptor);
        settings->resets_f_cnt->value = true;
    }
    return 0;
}

// `fcnt`: null if there is no packet; NULL if nobody has asked for it, as where devices are only looked at.
// Whether Firefly's downlink counter is the last one or the next is not settled: one is skipped, so that none is used twice.
static void set_counters(const json_t *source, const json_t *fcnt, struct device *device,
                         Tts__Session *session) {
    if (json_is_integer(fcnt)) {
        session->last_f_cnt_up = (uint32_t)json_integer_value(fcnt);
    } else if (fcnt != NULL) {
        device_note(device, "session.last_f_cnt_up",
                    "Firefly has no packet of it: its uplink counter is not known, and begins at 0");
    }
    uint32_t number = 0;
    if (!rest_number(source, "frame_counter", &number)) {
        device_note(device, "session.last_n_f_cnt_down", "Firefly tells no downlink counter: it begins at 1");
    }
    session->last_n_f_cnt_down = number == UINT32_MAX ? number : number + 1;
}

static int set_session(const json_t *source, const json_t *fcnt, struct device *device, struct error *error) {
    uint8_t address[DEV_ADDR_BYTES];
    const char *text = rest_text(source, "address");
    const char *reason = text == NULL ? "the DevAddr is missing" : cell_bytes(text, address, sizeof address);
    if (reason != NULL) return member_error("address", reason, error);
    Tts__Session *session = message_new(&device->arena, &tts__session__descriptor);
    session->keys = message_new(&device->arena, &tts__session_keys__descriptor);
    device->end_device->session = session;
    device_set_bytes(device, &session->dev_addr, address, sizeof address);
    int result = read_key(source, APPLICATION_SESSION_KEY, device, &session->keys->app_s_key, error);
    if (result == 0)
        result = read_key(source, NETWORK_SESSION_KEY, device, &session->keys->f_nwk_s_int_key, error);
    if (result == 0) set_counters(source, fcnt, device, session);
    return result;
}

static int set_join(const struct firefly *self, const struct device_map_entry *entry, const json_t *source,
                    const json_t *fcnt, struct device *device, struct error *error) {
    Tts__EndDevice *message = device->end_device;
    bool mapped = entry != NULL && entry->has_join_eui;
    if (!self->has_join_eui && !mapped) {
        error_set(error, ERROR_DEVICE, "its JoinEUI is not known: Firefly does not tell it");
        error_hint(error, "name it with --firefly.join-eui, or for single devices with --map");
        return -ERROR_DEVICE;
    }
    if (self->has_join_eui)
        device_set_bytes(device, &device_ids(device)->join_eui, self->join_eui, sizeof self->join_eui);
    message->supports_join = true;
    message->root_keys = message_new(&device->arena, &tts__root_keys__descriptor);
    int result = read_key(source, APPLICATION_KEY, device, &message->root_keys->app_key, error);
    if (result != 0) return result;
    bool session = firefly_has_session(source);
    if ((int)message->lorawan_version != MAC_V1_1)
        return session ? set_session(source, fcnt, device, error) : 0;
    if (self->invalidates) {
        error_set(
            error, ERROR_DEVICE,
            "LoRaWAN 1.1 joins with a NwkKey too, which Firefly does not tell: it could not join elsewhere");
        error_hint(error,
                   "move it without --firefly.invalidate-keys, and add its NwkKey before it is imported");
        return -ERROR_DEVICE;
    }
    device_note(
        device, "root_keys",
        "LoRaWAN 1.1 joins with a NwkKey too, which Firefly does not tell: add it before the device has "
        "to join");
    if (session)
        device_note(
            device, "session",
            "Firefly tells one network key of the three of LoRaWAN 1.1: the device has to join again");
    return 0;
}

static int set_activation(const struct firefly *self, const struct device_map_entry *entry,
                          const json_t *source, const json_t *fcnt, struct device *device,
                          struct error *error) {
    if (json_is_true(json_object_get(source, "otaa")))
        return set_join(self, entry, source, fcnt, device, error);
    if ((int)device->end_device->lorawan_version == MAC_V1_1) {
        return error_set(error, ERROR_DEVICE,
                         "is an ABP device in LoRaWAN 1.1, of whose three network keys Firefly tells one");
    }
    return set_session(source, fcnt, device, error);
}

int firefly_convert(struct source *source, const struct source_record *record, struct device *device,
                    struct error *error) {
    const struct firefly *self = firefly_of(source);
    REST_JSON_AUTO *object = NULL;
    REST_JSON_AUTO *fcnt = NULL;
    const struct device_map_entry *entry = device_map_find(self->rules.map, record);
    Tts__EndDeviceIdentifiers *ids = device_ids(device);
    uint8_t eui[EUI64_BYTES];
    int result = firefly_record_read(record, &object, &fcnt, error);
    if (result == 0) result = firefly_record_eui(record, eui, error);
    if (result != 0) return result;
    char id[HEX_TEXT_SIZE(EUI64_BYTES)];
    hex_encode_lower(id, eui, sizeof eui);
    device_set_text(device, &ids->device_id, id);
    device_set_bytes(device, &ids->dev_eui, eui, sizeof eui);
    set_texts(object, device);
    set_location(object, device);
    device->end_device->supports_class_c = json_is_true(json_object_get(object, "class_c"));
    result = set_versions(self, entry, device, error);
    if (result == 0)
        result = radio_set_plan(&self->rules, record, rest_text(object, "region"),
                                "--firefly.frequency-plan-id", device, error);
    if (result == 0) result = set_activation(self, entry, object, fcnt, device, error);
    if (result == 0) result = set_settings(object, device, error);
    if (result == 0) result = file_device_complete(&self->rules, record, device, error);
    if (result == 0) radio_finish(device);
    return result;
}
