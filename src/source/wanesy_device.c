// SPDX-License-Identifier: Apache-2.0
#include "source/wanesy_device.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hex.h"
#include "base/memory.h"
#include "device/cell.h"
#include "device/message.h"
#include "source/radio.h"

static const char *const headers[WANESY_COLUMN_COUNT] = {
#define X(name, header) [WANESY_##name] = header,
    WANESY_COLUMNS(X)
#undef X
};

// ---- the first row

void wanesy_header_release(struct wanesy_header *header) {
    free(header->columns);
    *header = (struct wanesy_header){0};
}

int wanesy_header_read(const struct table_row *row, enum wanesy_column needed,
                       struct wanesy_header *ret_header, struct error *error) {
    bool there[WANESY_COLUMN_COUNT] = {false};
    *ret_header = (struct wanesy_header){.columns = memory_new_array(enum wanesy_column, row->count),
                                         .count = row->count};
    for (size_t i = 0; i < row->count; i++) {
        size_t column = 0;
        while (column < WANESY_COLUMN_COUNT && strcasecmp(headers[column], row->fields[i]) != 0) column++;
        ret_header->columns[i] = (enum wanesy_column)column;
        if (column == WANESY_COLUMN_COUNT) continue;
        if (there[column])
            return error_set(error, ERROR_INPUT, "line %zu: the column %s stands twice", row->line,
                             headers[column]);
        there[column] = true;
    }
    if (there[needed]) return 0;
    error_set(error, ERROR_INPUT, "line %zu: the first row names no column %s", row->line, headers[needed]);
    error_hint(error, "the file has to be Wanesy's export of %s, with its row of column names",
               needed == WANESY_GATEWAY_EUI ? "gateways" : "devices");
    return -ERROR_INPUT;
}

static bool stands_for_nothing(const char *text) {
    return strcasecmp(text, "NULL") == 0 || strcasecmp(text, "None") == 0;
}

int wanesy_fields_read(const struct wanesy_header *header, const struct table_row *row,
                       struct wanesy_fields *ret_fields, struct error *error) {
    ret_fields->line = row->line;
    for (size_t i = 0; i < WANESY_COLUMN_COUNT; i++) ret_fields->texts[i] = "";
    for (size_t i = 0; i < row->count; i++) {
        if (row->fields[i][0] == '\0') continue;
        if (i >= header->count) {
            return error_set(error, ERROR_INPUT, "line %zu: there are more fields than columns", row->line);
        }
        if (header->columns[i] == WANESY_COLUMN_COUNT || stands_for_nothing(row->fields[i])) continue;
        ret_fields->texts[header->columns[i]] = row->fields[i];
    }
    return 0;
}

// Pairs of texts, each with its NUL: the column's name, and the field.
void wanesy_fields_pack(const struct wanesy_fields *fields, struct buffer *data) {
    for (size_t i = 0; i < WANESY_COLUMN_COUNT; i++) {
        if (fields->texts[i][0] == '\0') continue;
        buffer_add(data, headers[i], strlen(headers[i]) + 1);
        buffer_add(data, fields->texts[i], strlen(fields->texts[i]) + 1);
    }
}

int wanesy_fields_unpack(const struct file_entry *entry, struct wanesy_fields *ret_fields,
                         struct error *error) {
    const char *at = entry->data;
    size_t left = entry->size;
    ret_fields->line = entry->line;
    for (size_t i = 0; i < WANESY_COLUMN_COUNT; i++) ret_fields->texts[i] = "";
    while (left > 0) {
        size_t name_size = strnlen(at, left);
        size_t text_size = name_size == left ? left : strnlen(at + name_size + 1, left - name_size - 1);
        if (name_size + 1 + text_size >= left)
            return error_set(error, ERROR_INPUT, "its record in the journal is damaged");
        size_t column = 0;
        while (column < WANESY_COLUMN_COUNT && strcmp(headers[column], at) != 0) column++;
        if (column == WANESY_COLUMN_COUNT)
            return error_set(error, ERROR_INPUT, "its record in the journal is damaged");
        ret_fields->texts[column] = at + name_size + 1;
        at += name_size + text_size + 2;
        left -= name_size + text_size + 2;
    }
    return 0;
}

// ---- fields

static bool is_given(const struct wanesy_fields *fields, enum wanesy_column column) {
    return fields->texts[column][0] != '\0';
}

int wanesy_field_error(const struct wanesy_fields *fields, enum wanesy_column column, const char *reason,
                       struct error *error) {
    return error_set(error, ERROR_DEVICE, "line %zu: %s: %s", fields->line, headers[column], reason);
}

// A spreadsheet takes the leading zeros away only from what looks like a number, of which it keeps 15 digits; it is certain
// that they are what is missing then. *ret_restored says that they were put back. Keys are never short for that reason alone.
static const char *read_number(const char *text, uint8_t *bytes, size_t size, bool *ret_restored) {
    enum { EXACT_DIGITS = 15, DIGITS_MAX = 16 };
    char whole[DIGITS_MAX + 1];
    size_t count = strspn(text, "0123456789"), digits = 2 * size;
    bool eaten = text[count] == '\0' && count > 0 && count < digits && count <= EXACT_DIGITS;
    if (eaten && text[0] == '0' && count > 1) eaten = false;
    if (!eaten) return cell_bytes(text, bytes, size);
    memset(whole, '0', digits - count);
    memcpy(whole + digits - count, text, count + 1);
    *ret_restored = true;
    return cell_bytes(whole, bytes, size);
}

const char *wanesy_eui(const struct wanesy_fields *fields, enum wanesy_column column,
                       uint8_t ret_eui[static EUI64_BYTES], bool *ret_restored) {
    if (is_given(fields, column))
        return read_number(fields->texts[column], ret_eui, EUI64_BYTES, ret_restored);
    return column == WANESY_DEV_EUI ? "the DevEUI is missing" : "the EUI is missing";
}

static int read_bytes(const struct wanesy_fields *fields, enum wanesy_column column, struct device *device,
                      ProtobufCBinaryData *member, size_t size, struct error *error) {
    uint8_t bytes[EUI64_BYTES];
    bool restored = false;
    const char *reason =
        is_given(fields, column) ? read_number(fields->texts[column], bytes, size, &restored) : "is missing";
    if (reason != NULL) return wanesy_field_error(fields, column, reason, error);
    device_set_bytes(device, member, bytes, size);
    const char *doubt = cell_doubt(fields->texts[column]);
    if (doubt != NULL) device_note(device, headers[column], "in line %zu %s", fields->line, doubt);
    if (restored) {
        char text[HEX_TEXT_SIZE(EUI64_BYTES)];
        hex_encode_upper(text, bytes, size);
        device_note(device, headers[column], "had lost its leading zeros to a spreadsheet: it is %s", text);
    }
    return 0;
}

static int read_key(const struct wanesy_fields *fields, enum wanesy_column column, struct device *device,
                    Tts__KeyEnvelope **member, struct error *error) {
    uint8_t key[KEY128_BYTES];
    const char *reason = is_given(fields, column) ? cell_bytes(fields->texts[column], key, KEY128_BYTES)
                                                  : "the key is missing";
    if (reason == NULL) device_set_key(device, member, key);
    memory_wipe(key, sizeof key);
    return reason == NULL ? 0 : wanesy_field_error(fields, column, reason, error);
}

// Leaves *ret_number alone if the field is empty. "1.0" is how some tables write 1.
static int read_uint(const struct wanesy_fields *fields, enum wanesy_column column, uint32_t most,
                     uint32_t *ret_number, struct error *error) {
    if (!is_given(fields, column)) return 0;
    char *text MEMORY_AUTO = memory_strdup(fields->texts[column]);
    size_t digits = strspn(text, "0123456789");
    if (digits > 0 && strcmp(text + digits, ".0") == 0) text[digits] = '\0';
    const char *reason = cell_uint32(text, most, ret_number);
    return reason == NULL ? 0 : wanesy_field_error(fields, column, reason, error);
}

// ---- the device

static int read_versions(const struct wanesy_fields *fields, struct device *device, struct error *error) {
    Tts__EndDevice *message = device->end_device;
    enum mac_version mac_version = MAC_UNKNOWN;
    enum phy_version phy_version = PHY_UNKNOWN;
    const char *version = fields->texts[WANESY_MAC_VERSION], *revision = fields->texts[WANESY_REVISION];
    if (*version == '\0') return 0;
    if (!mac_version_parse(version, &mac_version))
        return wanesy_field_error(fields, WANESY_MAC_VERSION, "is no version of LoRaWAN, such as 1.0.3",
                                  error);
    message->lorawan_version = (Tts__MACVersion)mac_version;
    char *both MEMORY_AUTO = memory_printf("%s%s", mac_version_text(mac_version), revision);
    bool revised = mac_version == MAC_V1_0_2 || mac_version == MAC_V1_0_3 || mac_version == MAC_V1_1;
    if (phy_version_parse(revised ? both : revision, &phy_version) ||
        phy_version_parse(revision, &phy_version) ||
        phy_version_parse(mac_version_text(mac_version), &phy_version)) {
        message->lorawan_phy_version = (Tts__PHYVersion)phy_version;
        if (mac_version == MAC_V1_0_2 && *revision == '\0')
            device_note(device, "lorawan_phy_version", "the file has no revision of 1.0.2: taken as A");
    } else if (mac_version == MAC_V1_0_4) {
        message->lorawan_phy_version = (Tts__PHYVersion)RP002_V1_0_3;
        device_note(device, "lorawan_phy_version", "1.0.4 comes with RP002-1.0.3 where nothing else is said");
    }
    return 0;
}

static int read_class(const struct wanesy_fields *fields, struct device *device, struct error *error) {
    const char *text = fields->texts[WANESY_CLASS];
    if (strcasecmp(text, "B") == 0) {
        device->end_device->supports_class_b = true;
    } else if (strcasecmp(text, "C") == 0) {
        device->end_device->supports_class_c = true;
    } else if (*text != '\0' && strcasecmp(text, "A") != 0) {
        return wanesy_field_error(fields, WANESY_CLASS, "A, B or C is expected", error);
    }
    return 0;
}

int wanesy_location(const struct wanesy_fields *fields, struct arena *arena, Tts__Location **ret_location,
                    struct error *error) {
    static const enum wanesy_column columns[] = {WANESY_LATITUDE, WANESY_LONGITUDE, WANESY_ALTITUDE};
    double place[3] = {0};
    *ret_location = NULL;
    if (!is_given(fields, WANESY_LATITUDE) || !is_given(fields, WANESY_LONGITUDE)) return 0;
    for (size_t i = 0; i < 3; i++) {
        if (!is_given(fields, columns[i])) continue;
        const char *reason = cell_double(fields->texts[columns[i]], &place[i]);
        if (reason != NULL) return wanesy_field_error(fields, columns[i], reason, error);
    }
    if (place[2] < INT32_MIN || place[2] > INT32_MAX)
        return wanesy_field_error(fields, WANESY_ALTITUDE, "the number is too large", error);
    Tts__Location *location = message_new(arena, &tts__location__descriptor);
    location->latitude = place[0];
    location->longitude = place[1];
    location->altitude = (int32_t)place[2];
    location->source = TTS__LOCATION_SOURCE__SOURCE_REGISTRY;
    *ret_location = location;
    return 0;
}

static int read_location(const struct wanesy_fields *fields, struct device *device, struct error *error) {
    Tts__Location *location = NULL;
    int result = wanesy_location(fields, &device->arena, &location, error);
    if (result != 0 || location == NULL) return result;
    device_set_location(device, location->latitude, location->longitude)->altitude = location->altitude;
    return 0;
}

static int read_adr(const struct wanesy_fields *fields, struct device *device, struct error *error) {
    bool adr = true;
    if (!is_given(fields, WANESY_ADR)) return 0;
    const char *reason = cell_bool(fields->texts[WANESY_ADR], &adr);
    if (reason != NULL) return wanesy_field_error(fields, WANESY_ADR, reason, error);
    if (adr) return 0;
    Tts__MACSettings *settings = radio_settings(device);
    settings->adr = message_new(&device->arena, &tts__adrsettings__descriptor);
    settings->adr->mode_case = TTS__ADRSETTINGS__MODE_DISABLED;
    settings->adr->disabled = message_new(&device->arena, &tts__adrsettings__disabled_mode__descriptor);
    return 0;
}

static int read_windows(const struct wanesy_fields *fields, struct device *device, struct error *error) {
    enum { DELAY_MAX = 15, OFFSET_MAX = 7, DATA_RATE_MAX = 15 };
    uint32_t delay = UINT32_MAX, offset = UINT32_MAX, data_rate = UINT32_MAX, frequency = 0;
    int result = read_uint(fields, WANESY_RX1_DELAY, DELAY_MAX, &delay, error);
    if (result == 0) result = read_uint(fields, WANESY_RX1_OFFSET, OFFSET_MAX, &offset, error);
    if (result == 0) result = read_uint(fields, WANESY_RX2_DATA_RATE, DATA_RATE_MAX, &data_rate, error);
    if (result == 0) result = read_uint(fields, WANESY_RX2_FREQUENCY, UINT32_MAX, &frequency, error);
    if (result != 0) return result;
    // 0 s is 1 s in LoRaWAN.
    if (delay == 0) delay = 1;
    radio_set_windows(
        &(struct radio_windows){
            .rx1_delay = delay == UINT32_MAX ? -1 : (int)delay,
            .rx1_data_rate_offset = offset == UINT32_MAX ? -1 : (int)offset,
            .rx2_data_rate_index = data_rate == UINT32_MAX ? -1 : (int)data_rate,
            .rx2_frequency = frequency,
        },
        device);
    return 0;
}

static int read_ping_slots(const struct wanesy_fields *fields, struct device *device, struct error *error) {
    enum { DATA_RATE_MAX = 15 };
    uint32_t data_rate = UINT32_MAX, frequency = 0;
    if (!device->end_device->supports_class_b) return 0;
    int result = read_uint(fields, WANESY_PING_SLOT_DATA_RATE, DATA_RATE_MAX, &data_rate, error);
    if (result == 0) result = read_uint(fields, WANESY_PING_SLOT_FREQUENCY, UINT32_MAX, &frequency, error);
    if (result != 0) return result;
    Tts__MACSettings *settings = radio_settings(device);
    if (data_rate != UINT32_MAX) {
        settings->ping_slot_data_rate_index =
            message_new(&device->arena, &tts__data_rate_index_value__descriptor);
        settings->ping_slot_data_rate_index->value = (Tts__DataRateIndex)data_rate;
    }
    if (frequency > 0) {
        settings->ping_slot_frequency =
            message_new(&device->arena, &tts__zeroable_frequency_value__descriptor);
        settings->ping_slot_frequency->value = frequency;
    }
    return 0;
}

static int read_counters(const struct wanesy_fields *fields, Tts__Session *session, bool separate,
                         struct error *error) {
    int result = read_uint(fields, WANESY_F_CNT_UP, UINT32_MAX, &session->last_f_cnt_up, error);
    if (result == 0)
        result = read_uint(fields, WANESY_F_CNT_DOWN, UINT32_MAX, &session->last_n_f_cnt_down, error);
    // 0 would say that there was none.
    if (session->last_n_f_cnt_down == 0 && is_given(fields, WANESY_LAST_DOWNLINK))
        session->last_n_f_cnt_down = 1;
    // The file has one counter for what LoRaWAN 1.1 counts apart: each is at most that.
    if (separate) session->last_a_f_cnt_down = session->last_n_f_cnt_down;
    return result;
}

static int read_session(const struct wanesy_fields *fields, struct device *device, struct error *error) {
    Tts__EndDevice *message = device->end_device;
    bool separate = (int)message->lorawan_version == MAC_V1_1;
    Tts__Session *session = message_new(&device->arena, &tts__session__descriptor);
    Tts__SessionKeys *keys = message_new(&device->arena, &tts__session_keys__descriptor);
    session->keys = keys;
    int result = read_bytes(fields, WANESY_DEV_ADDR, device, &session->dev_addr, DEV_ADDR_BYTES, error);
    if (result == 0) result = read_key(fields, WANESY_APP_S_KEY, device, &keys->app_s_key, error);
    if (result == 0 && separate) {
        result = read_key(fields, WANESY_F_NWK_S_INT_KEY, device, &keys->f_nwk_s_int_key, error);
        if (result == 0)
            result = read_key(fields, WANESY_S_NWK_S_INT_KEY, device, &keys->s_nwk_s_int_key, error);
        if (result == 0) result = read_key(fields, WANESY_NWK_S_KEY, device, &keys->nwk_s_enc_key, error);
    } else if (result == 0) {
        // Before 1.1 they are two names of one key.
        enum wanesy_column column =
            is_given(fields, WANESY_NWK_S_KEY) ? WANESY_NWK_S_KEY : WANESY_F_NWK_S_INT_KEY;
        result = read_key(fields, column, device, &keys->f_nwk_s_int_key, error);
    }
    if (result == 0) result = read_counters(fields, session, separate, error);
    if (result == 0) message->session = session;
    return result;
}

// A session without all its parts is none; a device that joins can do without.
static bool has_session(const struct wanesy_fields *fields, const struct device *device) {
    bool network = is_given(fields, WANESY_NWK_S_KEY) || is_given(fields, WANESY_F_NWK_S_INT_KEY);
    if ((int)device->end_device->lorawan_version == MAC_V1_1) {
        network = is_given(fields, WANESY_NWK_S_KEY) && is_given(fields, WANESY_F_NWK_S_INT_KEY) &&
                  is_given(fields, WANESY_S_NWK_S_INT_KEY);
    }
    return network && is_given(fields, WANESY_DEV_ADDR) && is_given(fields, WANESY_APP_S_KEY);
}

static int read_join(const struct wanesy_fields *fields, struct device *device, struct error *error) {
    Tts__EndDevice *message = device->end_device;
    message->supports_join = true;
    message->root_keys = message_new(&device->arena, &tts__root_keys__descriptor);
    int result =
        read_bytes(fields, WANESY_JOIN_EUI, device, &device_ids(device)->join_eui, EUI64_BYTES, error);
    if (result == 0) result = read_key(fields, WANESY_APP_KEY, device, &message->root_keys->app_key, error);
    if (result != 0) return result;
    if ((int)message->lorawan_version == MAC_V1_1) {
        device_note(device, "root_keys",
                    "LoRaWAN 1.1 joins with a NwkKey too, which the file does not have: add it before the "
                    "device has to join");
    }
    if (has_session(fields, device)) return read_session(fields, device, error);
    if (is_given(fields, WANESY_DEV_ADDR) || is_given(fields, WANESY_NWK_S_KEY) ||
        is_given(fields, WANESY_APP_S_KEY)) {
        device_note(device, "session", "is not complete in the file and is left out: the device joins again");
    } else {
        device_note(
            device, "session",
            "is not in the file: the device joins again (Kerlink adds dev_addr, NwkSKey and AppSKey on "
            "request)");
    }
    return 0;
}

static int read_activation(const struct wanesy_fields *fields, struct device *device, struct error *error) {
    const char *text = fields->texts[WANESY_ACTIVATION];
    bool joins = strcasecmp(text, "OTAA") == 0 || (*text == '\0' && is_given(fields, WANESY_APP_KEY));
    if (joins) return read_join(fields, device, error);
    if (*text != '\0' && strcasecmp(text, "ABP") != 0)
        return wanesy_field_error(fields, WANESY_ACTIVATION, "OTAA or ABP is expected", error);
    return read_session(fields, device, error);
}

int wanesy_device_read(const struct wanesy_fields *fields, const struct file_rules *rules,
                       const struct source_record *record, struct device *device, struct error *error) {
    Tts__EndDeviceIdentifiers *ids = device_ids(device);
    const char *region = is_given(fields, WANESY_REGION) ? fields->texts[WANESY_REGION] : NULL;
    const char *cluster = fields->texts[WANESY_CLUSTER_NAME];
    int result = read_bytes(fields, WANESY_DEV_EUI, device, &ids->dev_eui, EUI64_BYTES, error);
    if (result != 0) return result;
    char id[HEX_TEXT_SIZE(EUI64_BYTES)];
    hex_encode_lower(id, ids->dev_eui.data, EUI64_BYTES);
    device_set_text(device, &ids->device_id, id);
    device_set_text(device, &device->end_device->name, fields->texts[WANESY_NAME]);
    if (*cluster == '\0') cluster = fields->texts[WANESY_CLUSTER_ID];
    if (*cluster != '\0') device_set_attribute(device, "wanesy-cluster", cluster);
    result = read_versions(fields, device, error);
    if (result == 0)
        result = radio_set_plan(rules, record, region, "--wanesy.frequency-plan-id", device, error);
    // What a session consists of depends on the version, so what the map says of it has to be known here.
    const struct device_map_entry *entry = device_map_find(rules->map, record);
    if (entry != NULL && entry->mac_version != MAC_UNKNOWN)
        device->end_device->lorawan_version = (Tts__MACVersion)entry->mac_version;
    if (result == 0) result = read_class(fields, device, error);
    if (result == 0) result = read_location(fields, device, error);
    if (result == 0) result = read_adr(fields, device, error);
    if (result == 0) result = read_activation(fields, device, error);
    if (result == 0) result = read_windows(fields, device, error);
    if (result == 0) result = read_ping_slots(fields, device, error);
    if (result == 0)
        result = file_error_at(fields->line, file_device_complete(rules, record, device, error), error);
    if (result == 0) radio_finish(device);
    return result;
}
