// SPDX-License-Identifier: Apache-2.0
// A device of AWS, with its device profile, as an end device of The Things Stack.
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "device/cell.h"
#include "device/message.h"
#include "lorawan/mac_state.h"
#include "source/awsiot_p.h"
#include "source/radio.h"

// ---- what AWS says of a device

static const char *const otaa_1_0[] = {"AppKey", "GenAppKey", NULL};
static const char *const otaa_1_1[] = {"AppKey", "NwkKey", NULL};
static const char *const abp_1_0[] = {"NwkSKey", "AppSKey", NULL};
static const char *const abp_1_1[] = {"FNwkSIntKey", "SNwkSIntKey", "NwkSEncKey", "AppSKey", NULL};

static const struct awsiot_kind kinds[] = {
    {"OtaaV1_1", true, true, otaa_1_1},
    {"OtaaV1_0_x", true, false, otaa_1_0},
    {"AbpV1_1", false, true, abp_1_1},
    {"AbpV1_0_x", false, false, abp_1_0},
};

const struct awsiot_kind *awsiot_kind(const json_t *device) {
    const json_t *lorawan = json_object_get(device, "LoRaWAN");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (json_object_size(json_object_get(lorawan, kinds[i].name)) > 0) return &kinds[i];
    }
    return NULL;
}

const json_t *awsiot_keys(const json_t *device, const struct awsiot_kind *kind) {
    const json_t *object = json_object_get(json_object_get(device, "LoRaWAN"), kind->name);
    return kind->joins ? object : json_object_get(object, "SessionKeys");
}

// ---- records

void awsiot_record_write(struct source_record *record, json_t *device, json_t *profile, json_t *tags) {
    REST_JSON_AUTO *whole = json_object();
    json_object_set(whole, "device", device);
    json_object_set(whole, "profile", profile);
    if (tags != NULL) json_object_set(whole, "tags", tags);
    ARENA_AUTO arena = {0};
    const char *text = rest_dump(&arena, whole);
    source_record_set_data(record, text, strlen(text));
}

int awsiot_record_read(const struct source_record *record, json_t **ret_device, json_t **ret_profile,
                       json_t **ret_tags, struct error *error) {
    REST_JSON_AUTO *whole = json_loadb((const char *)record->data, record->size, 0, NULL);
    json_t *device = json_object_get(whole, "device"), *profile = json_object_get(whole, "profile");
    if (!json_is_object(device) || !json_is_object(profile))
        return error_set(error, ERROR_INPUT, "its record in the journal is damaged");
    *ret_device = json_incref(device);
    *ret_profile = json_incref(profile);
    *ret_tags = json_incref(json_object_get(whole, "tags"));
    return 0;
}

// ---- versions

// Where the first "1.0" or "1.1" of a text begins; NULL if there is none.
static const char *find_version(const char *text) {
    for (; text != NULL && *text != '\0'; text++) {
        if (text[0] == '1' && text[1] == '.' && isdigit((unsigned char)text[2])) return text;
    }
    return NULL;
}

// "1.0.3", "LoRaWAN 1.0.3", "OTAA 1.1", "1.0.2rB".
static enum mac_version mac_version_of(const char *text) {
    enum mac_version version = MAC_UNKNOWN;
    const char *start = find_version(text);
    if (start == NULL) return MAC_UNKNOWN;
    char number[] = "1.0.0";
    number[2] = start[2];
    if (start[3] == '.' && isdigit((unsigned char)start[4])) number[4] = start[4];
    mac_version_parse(number, &version);
    return version;
}

// The revision that stands at the end: "B", "rev B", "1.0.2rB"; 0 = none.
static char revision_of(const char *text) {
    size_t size = strlen(text);
    char last = size == 0 ? '\0' : (char)toupper((unsigned char)text[size - 1]);
    return last == 'A' || last == 'B' ? last : '\0';
}

static enum phy_version rp002_of(const char *text) {
    enum phy_version version = PHY_UNKNOWN;
    const char *number = find_version(text + 5);
    char name[] = "RP002-1.0.0";
    if (number != NULL && number[3] == '.' && isdigit((unsigned char)number[4])) name[10] = number[4];
    if (number == NULL || !phy_version_parse(name, &version)) return PHY_UNKNOWN;
    return version;
}

// `version` is that of LoRaWAN, which a revision alone belongs to.
static enum phy_version phy_version_of(const char *text, enum mac_version version) {
    enum phy_version result = PHY_UNKNOWN;
    const char *family = text == NULL ? NULL : strcasestr(text, "RP002");
    if (family != NULL) return rp002_of(family);
    enum mac_version own = mac_version_of(text);
    char revision = text == NULL ? '\0' : revision_of(text);
    if (own == MAC_UNKNOWN && (text == NULL || strlen(text) > 5 || revision == '\0')) return PHY_UNKNOWN;
    char *name = memory_printf("%s%s%c", mac_version_text(own == MAC_UNKNOWN ? version : own),
                               revision == '\0' ? "" : " rev ", revision);
    if (!phy_version_parse(name, &result)) {
        // These have no revisions: "1.0.1", "A".
        name[strcspn(name, " ")] = '\0';
        phy_version_parse(name, &result);
    }
    free(name);
    return result;
}

static enum phy_version usual_phy_version(enum mac_version version) {
    static const struct {
        enum mac_version mac_version;
        enum phy_version phy_version;
    } usual[] = {
        {MAC_V1_0, PHY_V1_0},           {MAC_V1_0_1, PHY_V1_0_1},   {MAC_V1_0_2, PHY_V1_0_2_REV_B},
        {MAC_V1_0_3, PHY_V1_0_3_REV_A}, {MAC_V1_0_4, RP002_V1_0_3}, {MAC_V1_1, PHY_V1_1_REV_B},
    };
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
        if (usual[i].mac_version == version) return usual[i].phy_version;
    }
    return PHY_UNKNOWN;
}

static int set_versions(const struct awsiot *self, const struct device_map_entry *entry,
                        const json_t *profile, struct device *device, struct error *error) {
    enum mac_version version = mac_version_of(rest_text(profile, "MacVersion"));
    bool told = version != MAC_UNKNOWN;
    if (!told) version = self->rules.mac_version;
    if (entry != NULL && entry->mac_version != MAC_UNKNOWN) version = entry->mac_version;
    if (version == MAC_UNKNOWN) {
        error_set(error, ERROR_DEVICE,
                  "its version of LoRaWAN is not known: its device profile in AWS names none");
        error_hint(error, "name it with --awsiot.mac-version, or for single devices with --map");
        return -ERROR_DEVICE;
    }
    device->end_device->lorawan_version = (Tts__MACVersion)version;
    const char *text = rest_text(profile, "RegParamsRevision");
    enum phy_version phy_version = phy_version_of(text, version);
    if (phy_version == PHY_UNKNOWN && version == self->rules.mac_version)
        phy_version = self->rules.phy_version;
    if (entry != NULL && entry->phy_version != PHY_UNKNOWN) phy_version = entry->phy_version;
    if (phy_version == PHY_UNKNOWN) {
        phy_version = usual_phy_version(version);
        device_note(device, "lorawan_phy_version",
                    "its device profile in AWS names %s regional parameters: %s, the usual ones, are taken",
                    text == NULL ? "no" : "unknown", phy_version_text(phy_version));
    }
    device->end_device->lorawan_phy_version = (Tts__PHYVersion)phy_version;
    return 0;
}

// ---- keys and session

static int member_error(const char *name, const char *reason, struct error *error) {
    return error_set(error, ERROR_DEVICE, "%s: %s", name, reason);
}

static int read_key(const json_t *keys, const char *name, struct device *device, Tts__KeyEnvelope **member,
                    struct error *error) {
    struct key128 key = {0};
    const char *text = rest_text(keys, name);
    const char *reason = text == NULL ? "the key is missing" : cell_bytes(text, key.bytes, sizeof key.bytes);
    if (reason == NULL) device_set_key(device, member, key.bytes);
    key128_wipe(&key);
    return reason == NULL ? 0 : member_error(name, reason, error);
}

static int set_join_eui(const struct device_map_entry *entry, const json_t *keys, struct device *device,
                        struct error *error) {
    struct eui64 eui = {0};
    const char *name = rest_text(keys, "JoinEui") != NULL ? "JoinEui" : "AppEui";
    const char *text = rest_text(keys, name);
    if (text == NULL && entry != NULL && entry->has_join_eui) return 0;
    if (text == NULL) {
        error_set(error, ERROR_DEVICE, "its JoinEUI is not known: AWS has none");
        error_hint(error, "name it with --map");
        return -ERROR_DEVICE;
    }
    const char *reason = cell_bytes(text, eui.bytes, sizeof eui.bytes);
    if (reason != NULL) return member_error(name, reason, error);
    device_set_bytes(device, &device_ids(device)->join_eui, eui.bytes, sizeof eui.bytes);
    return 0;
}

static int set_gen_app_key(const json_t *keys, struct device *device, struct error *error) {
    KEY128_AUTO key = {0};
    const char *text = rest_text(keys, "GenAppKey");
    if (text == NULL) return 0;
    const char *reason = cell_bytes(text, key.bytes, sizeof key.bytes);
    if (reason != NULL) return member_error("GenAppKey", reason, error);
    if (!key128_is_zero(&key)) device_set_gen_app_key(device, &key);
    return 0;
}

static int set_join(const struct awsiot_kind *kind, const struct device_map_entry *entry, const json_t *keys,
                    struct device *device, struct error *error) {
    Tts__EndDevice *message = device->end_device;
    message->supports_join = true;
    message->root_keys = message_new(&device->arena, &tts__root_keys__descriptor);
    int result = set_join_eui(entry, keys, device, error);
    if (result == 0) result = read_key(keys, "AppKey", device, &message->root_keys->app_key, error);
    if (result == 0 && kind->v1_1)
        result = read_key(keys, "NwkKey", device, &message->root_keys->nwk_key, error);
    if (result == 0) result = set_gen_app_key(keys, device, error);
    return result;
}

// AWS tells where the uplink counter began, not where it is, and nothing of downlinks.
static void set_counters(const json_t *object, struct device *device) {
    uint32_t start = 0;
    rest_number(object, "FCntStart", &start);
    device->end_device->session->last_f_cnt_up = start > 0 ? start - 1 : 0;
    device_note(
        device, "session",
        "AWS tells no counters of a session, only the one that uplinks began with: old uplinks could be "
        "replayed, and the device takes no downlink until as many have been sent as AWS has sent");
}

static int set_session(const struct awsiot_kind *kind, const json_t *object, const json_t *keys,
                       struct device *device, struct error *error) {
    uint8_t address[DEV_ADDR_BYTES];
    const char *text = rest_text(object, "DevAddr");
    const char *reason = text == NULL ? "the DevAddr is missing" : cell_bytes(text, address, sizeof address);
    if (reason != NULL) return member_error("DevAddr", reason, error);
    Tts__Session *session = message_new(&device->arena, &tts__session__descriptor);
    session->keys = message_new(&device->arena, &tts__session_keys__descriptor);
    device->end_device->session = session;
    device_set_bytes(device, &session->dev_addr, address, sizeof address);
    set_counters(object, device);
    int result = read_key(keys, "AppSKey", device, &session->keys->app_s_key, error);
    if (result == 0)
        result = read_key(keys, kind->v1_1 ? "FNwkSIntKey" : "NwkSKey", device,
                          &session->keys->f_nwk_s_int_key, error);
    if (result == 0 && kind->v1_1)
        result = read_key(keys, "SNwkSIntKey", device, &session->keys->s_nwk_s_int_key, error);
    if (result == 0 && kind->v1_1)
        result = read_key(keys, "NwkSEncKey", device, &session->keys->nwk_s_enc_key, error);
    return result;
}

static int set_activation(const struct device_map_entry *entry, const json_t *source, struct device *device,
                          struct error *error) {
    const struct awsiot_kind *kind = awsiot_kind(source);
    if (kind == NULL) {
        error_set(error, ERROR_DEVICE, "AWS tells no keys of it");
        return -ERROR_DEVICE;
    }
    bool v1_1 = (int)device->end_device->lorawan_version == MAC_V1_1;
    if (kind->v1_1 != v1_1) {
        error_set(error, ERROR_DEVICE, "has keys of LoRaWAN %s in AWS, but its version is %s",
                  kind->v1_1 ? "1.1" : "1.0",
                  mac_version_text((enum mac_version)device->end_device->lorawan_version));
        error_hint(error, "say with --map which version it has");
        return -ERROR_DEVICE;
    }
    const json_t *keys = awsiot_keys(source, kind);
    if (kind->joins) return set_join(kind, entry, keys, device, error);
    const json_t *object = json_object_get(json_object_get(source, "LoRaWAN"), kind->name);
    return set_session(kind, object, keys, device, error);
}

// ---- settings

// AWS counts frequencies in 100 Hz. 0 = not known.
static uint64_t frequency_of(const json_t *number) {
    enum { LEAST = 1000000, MOST = 16700000, UNIT = 100 };
    json_int_t value = json_integer_value(number);
    return value < LEAST || value > MOST ? 0 : (uint64_t)value * UNIT;
}

// -1 = not there, or more than `most`.
static int small(const json_t *profile, const char *name, uint32_t most) {
    uint32_t number = 0;
    return rest_number(profile, name, &number) && number <= most ? (int)number : -1;
}

static Google__Duration *duration(struct arena *arena, int seconds) {
    Google__Duration *message = message_new(arena, &google__duration__descriptor);
    message->seconds = seconds;
    return message;
}

static void set_class_b(const json_t *profile, struct device *device) {
    enum { SLOTS_LEAST = 32, SLOTS_MOST = 4096, TIMEOUT_MOST = 1000 };
    struct arena *arena = &device->arena;
    Tts__MACSettings *settings = radio_settings(device);
    int timeout = small(profile, "ClassBTimeout", TIMEOUT_MOST);
    int slots = small(profile, "PingSlotPeriod", SLOTS_MOST), data_rate = small(profile, "PingSlotDr", 15);
    uint64_t frequency = frequency_of(json_object_get(profile, "PingSlotFreq"));
    device->end_device->supports_class_b = true;
    if (timeout > 0) settings->class_b_timeout = duration(arena, timeout);
    if (slots >= SLOTS_LEAST) {
        int exponent = 0;
        while ((SLOTS_LEAST << (exponent + 1)) <= slots) exponent++;
        settings->ping_slot_periodicity = message_new(arena, &tts__ping_slot_period_value__descriptor);
        settings->ping_slot_periodicity->value = (Tts__PingSlotPeriod)exponent;
    }
    if (frequency == 0) return;
    settings->ping_slot_frequency = message_new(arena, &tts__zeroable_frequency_value__descriptor);
    settings->ping_slot_frequency->value = frequency;
    if (data_rate < 0) return;
    settings->ping_slot_data_rate_index = message_new(arena, &tts__data_rate_index_value__descriptor);
    settings->ping_slot_data_rate_index->value = (Tts__DataRateIndex)data_rate;
}

static void set_class_c(const json_t *profile, struct device *device) {
    int timeout = small(profile, "ClassCTimeout", 1000);
    device->end_device->supports_class_c = true;
    if (timeout > 0) radio_settings(device)->class_c_timeout = duration(&device->arena, timeout);
}

static void set_factory_frequencies(const json_t *profile, struct device *device) {
    const json_t *list = json_object_get(profile, "FactoryPresetFreqsList");
    Tts__MACSettings *settings = radio_settings(device);
    size_t count = json_array_size(list);
    if (count == 0 || count > MAC_FACTORY_FREQUENCIES_MAX) return;
    settings->factory_preset_frequencies = arena_new_array(&device->arena, uint64_t, count);
    for (size_t i = 0; i < count; i++) {
        uint64_t frequency = frequency_of(json_array_get(list, i));
        if (frequency > 0)
            settings->factory_preset_frequencies[settings->n_factory_preset_frequencies++] = frequency;
    }
}

// Receive windows and frequencies of the profile are those that an ABP device was made with. A device that joins is told its
// own by its new network.
static void set_settings(const json_t *profile, struct device *device) {
    Tts__EndDevice *message = device->end_device;
    if (json_is_true(json_object_get(profile, "SupportsClassB"))) set_class_b(profile, device);
    if (json_is_true(json_object_get(profile, "SupportsClassC"))) set_class_c(profile, device);
    if (message->supports_join) return;
    int delay = small(profile, "RxDelay1", 15);
    radio_set_windows(
        &(struct radio_windows){
            .rx1_delay = delay == 0 ? 1 : delay,
            .rx1_data_rate_offset = small(profile, "RxDrOffset1", 7),
            .rx2_data_rate_index = small(profile, "RxDataRate2", 15),
            .rx2_frequency = frequency_of(json_object_get(profile, "RxFreq2")),
        },
        device);
    set_factory_frequencies(profile, device);
    bool short_counters = json_is_false(json_object_get(profile, "Supports32BitFCnt"));
    if (!short_counters || (int)message->lorawan_version == MAC_V1_1) return;
    Tts__MACSettings *settings = radio_settings(device);
    settings->supports_32_bit_f_cnt = message_new(&device->arena, &tts__bool_value__descriptor);
}

// ---- names

static void set_texts(const json_t *source, struct device *device) {
    Tts__EndDevice *message = device->end_device;
    const char *name = rest_text(source, "Name"), *description = rest_text(source, "Description");
    const char *destination = rest_text(source, "DestinationName"), *id = rest_text(source, "Id");
    if (name != NULL) device_set_text(device, &message->name, name);
    if (description != NULL) device_set_text(device, &message->description, description);
    if (destination != NULL) device_set_attribute(device, "aws-destination", destination);
    if (id != NULL) device_set_attribute(device, "aws-id", id);
}

static void set_ids(const struct eui64 *eui, struct device *device) {
    char text[EUI64_TEXT_SIZE];
    char *id = arena_printf(&device->arena, "eui-%s", eui64_format(eui, text));
    for (char *at = id; *at != '\0'; at++) *at = (char)tolower((unsigned char)*at);
    device_set_text(device, &device_ids(device)->device_id, id);
    device_set_bytes(device, &device_ids(device)->dev_eui, eui->bytes, sizeof eui->bytes);
}

// An application of The Things Stack for a destination: "aws-" and its name in the letters that such an ID may have.
static char *application_of(struct arena *arena, const json_t *source) {
    enum { ID_MOST = 36 };
    const char *destination = rest_text(source, "DestinationName");
    char *id = arena_printf(arena, "aws-%s", destination == NULL ? "iot" : destination);
    size_t size = 0;
    for (const char *at = id; *at != '\0' && size < ID_MOST; at++) {
        bool fits = isalnum((unsigned char)*at);
        if (!fits && id[size - 1] == '-') continue;
        id[size++] = fits ? (char)tolower((unsigned char)*at) : '-';
    }
    while (id[size - 1] == '-') size--;
    id[size] = '\0';
    return id;
}

int awsiot_convert(struct source *source, const struct source_record *record, struct device *device,
                   struct error *error) {
    const struct awsiot *self = awsiot_of(source);
    REST_JSON_AUTO *object = NULL;
    REST_JSON_AUTO *whole = NULL;
    REST_JSON_AUTO *tags = NULL;
    struct eui64 eui;
    int result = awsiot_record_read(record, &object, &whole, &tags, error);
    if (result != 0) return result;
    if (!awsiot_device_eui(object, &eui))
        return error_set(error, ERROR_INPUT, "its record in the journal is damaged");
    const json_t *profile = json_object_get(whole, "LoRaWAN");
    const struct device_map_entry *entry = device_map_find(self->rules.map, record);
    struct file_rules rules = self->rules;
    const char *application = option_string(self->options, "app-id");
    rules.application = application != NULL && *application != '\0'
                            ? arena_strdup(&device->arena, application)
                            : application_of(&device->arena, object);
    set_ids(&eui, device);
    set_texts(object, device);
    result = set_versions(self, entry, profile, device, error);
    if (result == 0)
        result = radio_set_plan(&rules, record, rest_text(profile, "RfRegion"), "--awsiot.frequency-plan-id",
                                device, error);
    if (result == 0) result = set_activation(entry, object, device, error);
    if (result != 0) return result;
    set_settings(profile, device);
    result = file_device_complete(&rules, record, device, error);
    // With frequencies of its own it begins with these.
    if (result == 0 && radio_settings(device)->n_factory_preset_frequencies == 0) radio_finish(device);
    return result;
}
