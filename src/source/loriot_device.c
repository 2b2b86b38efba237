// SPDX-License-Identifier: Apache-2.0
// A device of LORIOT as an end device of The Things Stack.
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "device/message.h"
#include "source/loriot_p.h"
#include "source/radio.h"

enum { US_PER_S = 1000000, RX1_DELAY_MOST = 15, DATA_RATE_OFFSET_MOST = 7 };

const char *const loriot_key_names[LORIOT_KEYS] = {"appkey", "nwkskey", "appskey"};

// ---- what LORIOT says of a device

const char *loriot_key(const json_t *device, enum loriot_key key, struct key128 *ret_key, bool *ret_there) {
    const char *text = rest_text(device, loriot_key_names[key]);
    *ret_there = text != NULL;
    return text == NULL || key128_parse(text, ret_key) ? NULL : "is not 32 hexadecimal digits";
}

bool loriot_has_session(const json_t *device) {
    return rest_text(device, "devaddr") != NULL &&
           rest_text(device, loriot_key_names[LORIOT_NWK_S_KEY]) != NULL &&
           rest_text(device, loriot_key_names[LORIOT_APP_S_KEY]) != NULL;
}

bool loriot_joins(const json_t *device) {
    const char *activation = rest_text(device, "devActivation");
    if (activation != NULL && strcasecmp(activation, "ABP") == 0) return false;
    if (activation != NULL && strcasecmp(activation, "OTAA") == 0) return true;
    return rest_text(device, loriot_key_names[LORIOT_APP_KEY]) != NULL;
}

static bool parse_eui(const char *text, struct eui64 *ret_eui) {
    return text != NULL && eui64_parse(text, ret_eui);
}

bool loriot_device_eui(const json_t *device, struct eui64 *ret_eui) {
    return parse_eui(rest_text(device, "deveui"), ret_eui) || parse_eui(rest_text(device, "_id"), ret_eui);
}

uint32_t loriot_rx1_delay(const json_t *device, bool *ret_odd) {
    // µs in what is read, s in what is sent.
    const json_t *told = json_object_get(json_object_get(device, "rx1"), "delay");
    if (told == NULL || json_is_null(told)) told = json_object_get(device, "rx1Delay");
    json_int_t delay = json_integer_value(told);
    if (delay >= US_PER_S) delay = delay % US_PER_S == 0 ? delay / US_PER_S : -1;
    bool right = json_is_integer(told) && delay >= 0 && delay <= RX1_DELAY_MOST;
    *ret_odd = told != NULL && !json_is_null(told) && !right;
    return right ? (uint32_t)delay : 0;
}

// -1 stands for a device that was not heard yet. Whether it is the last one or the next is not settled: one less costs no
// more than that the last uplink could be replayed.
uint32_t loriot_last_f_cnt_up(const json_t *device) {
    uint32_t number = 0;
    rest_number(device, "seqno", &number);
    return number > 0 ? number - 1 : 0;
}

// LORIOT has the next one. Of 1, which says that 0 was used, nothing is taken off: 0 would stand for none. Behind a device
// that is deleted nobody can look.
uint32_t loriot_last_f_cnt_down(const struct loriot *self, const json_t *device) {
    uint32_t next = 0;
    rest_number(device, "seqdn", &next);
    uint32_t last = next > 1 ? next - 1 : next;
    return self->release == LORIOT_DELETE ? source_skip_unseen(last) : last;
}

// ---- records

int loriot_record_eui(const struct source_record *record, struct eui64 *ret_eui, struct error *error) {
    if (record->has_dev_eui) {
        memcpy(ret_eui->bytes, record->dev_eui, sizeof ret_eui->bytes);
        return 0;
    }
    const char *text = strncasecmp(record->id, "eui-", 4) == 0 ? record->id + 4 : record->id;
    if (eui64_parse(text, ret_eui)) return 0;
    return error_set(error, ERROR_DEVICE,
                     "devices of LORIOT are named by their DevEUI, which has 16 hex digits");
}

void loriot_record_write(struct source_record *record, const char *application, json_t *device) {
    REST_JSON_AUTO *whole = json_object();
    json_object_set(whole, "device", device);
    json_object_set_new(whole, "app", json_string(application));
    ARENA_AUTO arena = {0};
    const char *text = rest_dump(&arena, whole);
    source_record_set_data(record, text, strlen(text));
}

int loriot_record_read(const struct source_record *record, struct arena *arena, const char **ret_application,
                       json_t **ret_device, struct error *error) {
    REST_JSON_AUTO *whole = json_loadb((const char *)record->data, record->size, 0, NULL);
    json_t *device = json_object_get(whole, "device");
    const char *application = rest_text(whole, "app");
    if (!json_is_object(device) || application == NULL)
        return error_set(error, ERROR_INPUT, "its record in the journal is damaged");
    *ret_device = json_incref(device);
    *ret_application = arena_strdup(arena, application);
    return 0;
}

// ---- converting

static int member_error(const char *name, const char *reason, struct error *error) {
    return error_set(error, ERROR_DEVICE, "%s: %s", name, reason);
}

static int read_key(const json_t *source, enum loriot_key index, struct device *device,
                    Tts__KeyEnvelope **member, struct error *error) {
    struct key128 key = {0};
    bool there = false;
    const char *reason = loriot_key(source, index, &key, &there);
    if (reason == NULL && !there) reason = "the key is missing";
    if (reason == NULL) device_set_key(device, member, key.bytes);
    key128_wipe(&key);
    return reason == NULL ? 0 : member_error(loriot_key_names[index], reason, error);
}

static void set_texts(const json_t *source, struct device *device) {
    Tts__EndDevice *message = device->end_device;
    const char *title = rest_text(source, "title"), *description = rest_text(source, "description");
    if (title != NULL) device_set_text(device, &message->name, title);
    if (description != NULL) device_set_text(device, &message->description, description);
}

static void set_location(const json_t *source, struct device *device) {
    double latitude = 0, longitude = 0;
    if (!rest_location(json_object_get(source, "location"), &latitude, &longitude)) return;
    device_set_location(device, latitude, longitude);
}

// The patch of 1.0.x is told as "revision" or "patch", as a number or as its text; "B" is of regional parameters.
static int patch_of(const json_t *version) {
    const json_t *patch = json_object_get(version, "revision");
    if (patch == NULL) patch = json_object_get(version, "patch");
    if (json_is_integer(patch)) return json_integer_value(patch) < 0 ? -1 : (int)json_integer_value(patch);
    const char *text = json_string_value(patch);
    bool digit = text != NULL && *text >= '0' && *text <= '9';
    // Several digits are a number of their own, and not their first.
    return digit && !(text[1] >= '0' && text[1] <= '9') ? *text - '0' : -1;
}

static enum mac_version version_of(const json_t *source) {
    static const enum mac_version patches[] = {MAC_V1_0, MAC_V1_0_1, MAC_V1_0_2, MAC_V1_0_3, MAC_V1_0_4};
    const json_t *version = json_object_get(source, "lorawan");
    if (!json_is_object(version)) version = json_object_get(source, "L2Version");
    uint32_t major = 0, minor = 0;
    if (!rest_number(version, "major", &major) || !rest_number(version, "minor", &minor) || major != 1)
        return MAC_UNKNOWN;
    if (minor == 1) return MAC_V1_1;
    int patch = patch_of(version);
    bool known = minor == 0 && patch >= 0 && patch < (int)(sizeof patches / sizeof patches[0]);
    return known ? patches[patch] : MAC_UNKNOWN;
}

// The regional parameters that go with a version of LoRaWAN where nobody says which.
static enum phy_version phy_version_of(enum mac_version version, bool *ret_certain) {
    *ret_certain = version != MAC_V1_0_4 && version != MAC_V1_1;
    switch (version) {
        case MAC_V1_0:
            return PHY_V1_0;
        case MAC_V1_0_1:
            return PHY_V1_0_1;
        case MAC_V1_0_2:
            return PHY_V1_0_2_REV_B;
        case MAC_V1_0_3:
            return PHY_V1_0_3_REV_A;
        case MAC_V1_0_4:
            return RP002_V1_0_3;
        case MAC_V1_1:
            return PHY_V1_1_REV_B;
        default:
            return PHY_UNKNOWN;
    }
}

static int set_versions(const struct loriot *self, const struct device_map_entry *entry, const json_t *source,
                        struct device *device, struct error *error) {
    enum mac_version version = version_of(source);
    if (version == MAC_UNKNOWN) version = self->rules.mac_version;
    if (entry != NULL && entry->mac_version != MAC_UNKNOWN) version = entry->mac_version;
    if (version == MAC_UNKNOWN) {
        error_set(error, ERROR_DEVICE, "its version of LoRaWAN is not known: LORIOT does not tell it");
        error_hint(error, "name it with --loriot.mac-version, or for single devices with --map");
        return -ERROR_DEVICE;
    }
    device->end_device->lorawan_version = (Tts__MACVersion)version;
    // The option's regional parameters and the map's come later, where they fit.
    bool said = (entry != NULL && entry->phy_version != PHY_UNKNOWN) || version == self->rules.mac_version;
    if (said) return 0;
    bool certain = false;
    enum phy_version phy_version = phy_version_of(version, &certain);
    device->end_device->lorawan_phy_version = (Tts__PHYVersion)phy_version;
    if (!certain)
        device_note(device, "lorawan_phy_version",
                    "LORIOT does not tell the regional parameters: the usual ones are taken "
                    "(--loriot.mac-version says it otherwise)");
    return 0;
}

static void set_windows(const json_t *source, struct device *device) {
    bool odd = false;
    uint32_t delay = loriot_rx1_delay(source, &odd), offset = UINT32_MAX;
    if (odd)
        device_note(device, "mac_settings.rx1_delay",
                    "LORIOT's delay of the first receive window is no whole number of seconds from 1 to 15: "
                    "left out");
    rest_number(json_object_get(source, "rx1"), "offset", &offset);
    radio_set_windows(
        &(struct radio_windows){
            .rx1_delay = delay > 0 ? (int)delay : -1,
            .rx1_data_rate_offset = offset <= DATA_RATE_OFFSET_MOST ? (int)offset : -1,
            .rx2_data_rate_index = -1,
        },
        device);
}

static void set_settings(const json_t *source, struct device *device) {
    const char *class = rest_text(source, "devclass");
    device->end_device->supports_class_b = class != NULL && strcasecmp(class, "B") == 0;
    device->end_device->supports_class_c = class != NULL && strcasecmp(class, "C") == 0;
    set_windows(source, device);
    Tts__MACSettings *settings = radio_settings(device);
    // Of a device that joins, counters begin anew with each session.
    if (!device->end_device->supports_join && json_is_true(json_object_get(source, "seqrelax"))) {
        settings->resets_f_cnt = message_new(&device->arena, &tts__bool_value__descriptor);
        settings->resets_f_cnt->value = true;
    }
    if (!json_is_false(json_object_get(source, "adr"))) return;
    settings->adr = message_new(&device->arena, &tts__adrsettings__descriptor);
    settings->adr->mode_case = TTS__ADRSETTINGS__MODE_DISABLED;
    settings->adr->disabled = message_new(&device->arena, &tts__adrsettings__disabled_mode__descriptor);
}

static int set_session(const struct loriot *self, const json_t *source, struct device *device,
                       struct error *error) {
    struct dev_addr address;
    const char *text = rest_text(source, "devaddr");
    if (text == NULL) return member_error("devaddr", "the DevAddr is missing", error);
    if (!dev_addr_parse(text, &address)) return member_error("devaddr", "is not 8 hexadecimal digits", error);
    Tts__Session *session = message_new(&device->arena, &tts__session__descriptor);
    session->keys = message_new(&device->arena, &tts__session_keys__descriptor);
    device->end_device->session = session;
    device_set_bytes(device, &session->dev_addr, address.bytes, sizeof address.bytes);
    session->last_f_cnt_up = loriot_last_f_cnt_up(source);
    session->last_n_f_cnt_down = loriot_last_f_cnt_down(self, source);
    int result = read_key(source, LORIOT_APP_S_KEY, device, &session->keys->app_s_key, error);
    if (result == 0)
        result = read_key(source, LORIOT_NWK_S_KEY, device, &session->keys->f_nwk_s_int_key, error);
    return result;
}

static int set_join_eui(const struct loriot *self, const struct device_map_entry *entry, const json_t *source,
                        struct device *device, struct error *error) {
    struct eui64 eui = self->join_eui;
    bool known = self->has_join_eui;
    const char *name = rest_text(source, "joineui") != NULL ? "joineui" : "appeui";
    const char *text = rest_text(source, name);
    if (text != NULL) {
        if (!eui64_parse(text, &eui)) return member_error(name, "is not 16 hexadecimal digits", error);
        known = true;
    }
    if (!known && (entry == NULL || !entry->has_join_eui)) {
        error_set(error, ERROR_DEVICE, "its JoinEUI is not known: LORIOT does not tell it");
        error_hint(error, "name it with --loriot.join-eui, or for single devices with --map");
        return -ERROR_DEVICE;
    }
    if (known) device_set_bytes(device, &device_ids(device)->join_eui, eui.bytes, sizeof eui.bytes);
    return 0;
}

// LORIOT's interface has one network key of the three of LoRaWAN 1.1, and no NwkKey.
static int leave_behind(const struct loriot *self, const json_t *source, struct device *device,
                        struct error *error) {
    if (self->release != LORIOT_KEEP) {
        error_set(error, ERROR_DEVICE,
                  "LoRaWAN 1.1 joins with a NwkKey too, which LORIOT does not tell: it could not join "
                  "elsewhere");
        error_hint(error, "move it with --loriot.release none, and add its NwkKey before it is imported");
        return -ERROR_DEVICE;
    }
    device_note(device, "root_keys",
                "LoRaWAN 1.1 joins with a NwkKey too, which LORIOT does not tell: add it before the device "
                "has to join");
    if (loriot_has_session(source))
        device_note(device, "session",
                    "LORIOT tells one network key of the three of LoRaWAN 1.1: the device has to join again");
    return 0;
}

static int set_join(const struct loriot *self, const struct device_map_entry *entry, const json_t *source,
                    struct device *device, struct error *error) {
    Tts__EndDevice *message = device->end_device;
    int result = set_join_eui(self, entry, source, device, error);
    if (result != 0) return result;
    message->supports_join = true;
    message->root_keys = message_new(&device->arena, &tts__root_keys__descriptor);
    result = read_key(source, LORIOT_APP_KEY, device, &message->root_keys->app_key, error);
    if (result != 0) return result;
    if ((int)message->lorawan_version == MAC_V1_1) return leave_behind(self, source, device, error);
    return loriot_has_session(source) ? set_session(self, source, device, error) : 0;
}

static int set_activation(const struct loriot *self, const struct device_map_entry *entry,
                          const json_t *source, struct device *device, struct error *error) {
    if (loriot_joins(source)) return set_join(self, entry, source, device, error);
    if ((int)device->end_device->lorawan_version == MAC_V1_1) {
        return error_set(error, ERROR_DEVICE,
                         "is an ABP device in LoRaWAN 1.1, of whose three network keys LORIOT tells one");
    }
    bool none = rest_text(source, loriot_key_names[LORIOT_NWK_S_KEY]) == NULL &&
                rest_text(source, loriot_key_names[LORIOT_APP_S_KEY]) == NULL;
    if (none) {
        error_set(error, ERROR_DEVICE, "LORIOT tells no key of it");
        error_hint(error, "check that the API key may read the keys of devices");
        return -ERROR_DEVICE;
    }
    return set_session(self, source, device, error);
}

static void set_ids(const struct eui64 *eui, struct device *device) {
    char text[EUI64_TEXT_SIZE];
    char *id = arena_printf(&device->arena, "eui-%s", eui64_format(eui, text));
    for (char *at = id; *at != '\0'; at++) {
        if (*at >= 'A' && *at <= 'F') *at = (char)(*at - 'A' + 'a');
    }
    device_set_text(device, &device_ids(device)->device_id, id);
    device_set_bytes(device, &device_ids(device)->dev_eui, eui->bytes, sizeof eui->bytes);
}

// An application of The Things Stack has a name of its own: "loriot-be7a0000".
static char *application_of(struct arena *arena, const char *application) {
    char *id = arena_printf(arena, "loriot-%s", application);
    for (char *at = id; *at != '\0'; at++) {
        if (*at >= 'A' && *at <= 'Z') *at = (char)(*at - 'A' + 'a');
    }
    return id;
}

int loriot_convert(struct source *source, const struct source_record *record, struct device *device,
                   struct error *error) {
    const struct loriot *self = loriot_of(source);
    REST_JSON_AUTO *object = NULL;
    const char *application = NULL;
    struct eui64 eui;
    int result = loriot_record_read(record, &device->arena, &application, &object, error);
    if (result == 0) result = loriot_record_eui(record, &eui, error);
    if (result != 0) return result;
    const struct device_map_entry *entry = device_map_find(self->rules.map, record);
    struct file_rules rules = self->rules;
    rules.application = application_of(&device->arena, application);
    set_ids(&eui, device);
    set_texts(object, device);
    set_location(object, device);
    result = set_versions(self, entry, object, device, error);
    if (result == 0)
        result = radio_set_plan(&rules, record, NULL, "--loriot.frequency-plan-id", device, error);
    if (result == 0) result = set_activation(self, entry, object, device, error);
    if (result != 0) return result;
    set_settings(object, device);
    result = file_device_complete(&rules, record, device, error);
    if (result == 0) radio_finish(device);
    return result;
}
