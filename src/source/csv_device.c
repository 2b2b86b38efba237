// SPDX-License-Identifier: Apache-2.0
#include "source/csv_device.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hex.h"
#include "base/memory.h"
#include "device/cell.h"
#include "device/message.h"
#include "lorawan/versions.h"

enum { RX_DELAY_MAX = 15 };

// Puts a field into the device; NULL, or what is wrong with it.
typedef const char *set_field(struct device *device, enum csv_column column, const char *text);

static set_field set_id, set_eui, set_text, set_version, set_version_id, set_profile_id, set_root_key,
    set_rx1_delay, set_flag, set_dev_addr, set_session_key, set_counter;

static const struct {
    const char *name;
    set_field *set;
} columns[CSV_COLUMN_COUNT] = {
    [CSV_ID] = {"id", set_id},
    [CSV_DEV_EUI] = {"dev_eui", set_eui},
    [CSV_JOIN_EUI] = {"join_eui", set_eui},
    [CSV_NAME] = {"name", set_text},
    [CSV_DESCRIPTION] = {"description", set_text},
    [CSV_FREQUENCY_PLAN_ID] = {"frequency_plan_id", set_text},
    [CSV_LORAWAN_VERSION] = {"lorawan_version", set_version},
    [CSV_LORAWAN_PHY_VERSION] = {"lorawan_phy_version", set_version},
    [CSV_BRAND_ID] = {"brand_id", set_version_id},
    [CSV_MODEL_ID] = {"model_id", set_version_id},
    [CSV_HARDWARE_VERSION] = {"hardware_version", set_version_id},
    [CSV_FIRMWARE_VERSION] = {"firmware_version", set_version_id},
    [CSV_BAND_ID] = {"band_id", set_version_id},
    [CSV_VENDOR_ID] = {"vendor_id", set_profile_id},
    [CSV_VENDOR_PROFILE_ID] = {"vendor_profile_id", set_profile_id},
    [CSV_APP_KEY] = {"app_key", set_root_key},
    [CSV_NWK_KEY] = {"nwk_key", set_root_key},
    [CSV_RX1_DELAY] = {"rx1_delay", set_rx1_delay},
    [CSV_SUPPORTS_32_BIT_F_CNT] = {"supports_32_bit_f_cnt", set_flag},
    [CSV_SUPPORTS_CLASS_C] = {"supports_class_c", set_flag},
    [CSV_DEV_ADDR] = {"dev_addr", set_dev_addr},
    [CSV_APP_S_KEY] = {"app_s_key", set_session_key},
    [CSV_F_NWK_S_INT_KEY] = {"f_nwk_s_int_key", set_session_key},
    [CSV_LAST_F_CNT_UP] = {"last_f_cnt_up", set_counter},
    [CSV_LAST_N_F_CNT_DOWN] = {"last_n_f_cnt_down", set_counter},
    [CSV_LAST_A_F_CNT_DOWN] = {"last_a_f_cnt_down", set_counter},
};

// The older name of a column.
static const char app_eui[] = "app_eui";

const char *csv_column_name(enum csv_column column) {
    return columns[column].name;
}

static bool column_find(const char *name, enum csv_column *ret_column) {
    if (strcmp(name, app_eui) == 0) name = columns[CSV_JOIN_EUI].name;
    for (size_t i = 0; i < CSV_COLUMN_COUNT; i++) {
        if (strcmp(columns[i].name, name) != 0) continue;
        *ret_column = (enum csv_column)i;
        return true;
    }
    return false;
}

// ---- the user's names of columns

void csv_headers_release(struct csv_headers *headers) {
    for (size_t i = 0; i < CSV_COLUMN_COUNT; i++) free(headers->headers[i]);
    *headers = (struct csv_headers){0};
}

static int headers_error(struct error *error, const char *reason) {
    error_set(error, ERROR_USAGE, "the map of columns: %s", reason);
    error_hint(
        error,
        "it looks like dev_eui=DevEUI,app_key=\"App Key\": a column of The Things Stack's CSV, and how it is "
        "called in the file. A table of single devices is --map FILE in the form: ttn-lw-migrate "
        "application --source csv --map FILE");
    return -ERROR_USAGE;
}

// Takes a header, in quotes or up to the next comma; *text moves behind it. NULL if a quote has no end.
static char *take_header(const char **text) {
    BUFFER_AUTO header;
    buffer_init(&header, BUFFER_UNLIMITED);
    const char *at = *text;
    bool quoted = *at == '"';
    if (quoted) at++;
    for (; *at != '\0' && (quoted || *at != ','); at++) {
        if (quoted && *at == '"' && *++at != '"') break;
        buffer_putc(&header, *at);
    }
    bool ended = !quoted || (at > *text + 1 && at[-1] == '"');
    *text = at;
    return ended ? buffer_take_string(&header) : NULL;
}

int csv_headers_read(const char *text, struct csv_headers *ret_headers, struct error *error) {
    *ret_headers = (struct csv_headers){0};
    while (text != NULL && *text != '\0') {
        enum csv_column column = CSV_COLUMN_COUNT;
        size_t size = strcspn(text, "=,");
        char *name MEMORY_AUTO = memory_strndup(text, size);
        if (text[size] != '=') return headers_error(error, "there is no = behind a column");
        if (!column_find(name, &column)) {
            char *reason MEMORY_AUTO = memory_printf("there is no column %s", name);
            return headers_error(error, reason);
        }
        if (ret_headers->headers[column] != NULL) return headers_error(error, "a column stands twice");
        text += size + 1;
        ret_headers->headers[column] = take_header(&text);
        if (ret_headers->headers[column] == NULL) return headers_error(error, "a quote has no end");
        if (*text != '\0' && *text != ',') return headers_error(error, "a comma is expected behind a quote");
        if (*text == ',') text++;
    }
    return 0;
}

// ---- options

static int read_delimiter(const struct option_values *values, char *ret_delimiter, struct error *error) {
    const char *text = option_string(values, "delimiter");
    if (text == NULL || *text == '\0') return 0;
    if (strcmp(text, "tab") == 0 || strcmp(text, "\\t") == 0) text = "\t";
    bool good = text[1] == '\0' && *text > 0 && strchr("\"\r\n .-+", *text) == NULL &&
                strspn(text, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == 0;
    if (!good)
        return error_set(error, ERROR_USAGE, "the delimiter must be one character, such as ; or |, or tab");
    *ret_delimiter = *text;
    return 0;
}

static enum text_encoding encoding_of(const struct option_values *values) {
    const char *text = option_string(values, "encoding");
    if (strcmp(text, "utf-8") == 0) return TEXT_UTF8;
    if (strcmp(text, "utf-16") == 0) return TEXT_UTF16;
    return strcmp(text, "latin-1") == 0 ? TEXT_LATIN1 : TEXT_AUTO;
}

int csv_options_read(const struct option_values *values, struct table_setup *setup,
                     struct csv_headers *ret_headers, struct error *error) {
    setup->encoding = encoding_of(values);
    int result = read_delimiter(values, &setup->delimiter, error);
    return result != 0 ? result : csv_headers_read(option_string(values, "map"), ret_headers, error);
}

// ---- the first row

void csv_columns_release(struct csv_columns *self) {
    free(self->fields);
    free(self->unknown);
    error_release(&self->fault);
    *self = (struct csv_columns){0};
}

// As it is written, or (`loosely`) as people write it.
static bool is_header(const char *header, const char *name, bool loosely) {
    return loosely ? table_header_is(header, name) : strcmp(header, name) == 0;
}

static enum csv_column column_of(const struct csv_headers *headers, const char *header, bool loosely) {
    for (size_t i = 0; i < CSV_COLUMN_COUNT; i++) {
        const char *own = headers->headers[i];
        // A column that the user calls otherwise is not found by its own name.
        if (own != NULL ? (loosely ? strcasecmp(own, header) == 0 : strcmp(own, header) == 0)
                        : is_header(header, columns[i].name, loosely) ||
                              (i == CSV_JOIN_EUI && is_header(header, app_eui, loosely)))
            return (enum csv_column)i;
    }
    return CSV_COLUMN_COUNT;
}

static bool holds_device(const struct table_row *row) {
    for (size_t i = 0; i < row->count; i++) {
        uint8_t eui[EUI64_BYTES];
        if (cell_bytes(row->fields[i], eui, sizeof eui) == NULL) return true;
    }
    return false;
}

static int check_columns(const struct csv_headers *headers, const struct table_row *row,
                         const char *const *there, struct error *error) {
    bool any = false;
    for (size_t i = 0; i < CSV_COLUMN_COUNT; i++) {
        any = any || there[i] != NULL;
        if (headers->headers[i] == NULL || there[i] != NULL) continue;
        error_set(error, ERROR_INPUT, "line %zu: there is no column %.100s, which is to be %s", row->line,
                  headers->headers[i], columns[i].name);
        error_hint(error, "write it in --csv.map as it stands in that line");
        return -ERROR_INPUT;
    }
    if (any) return 0;
    error_set(error, ERROR_INPUT, "line %zu: the first row names none of the columns that are known",
              row->line);
    if (holds_device(row)) {
        error_hint(error,
                   "it is a device already: put a row with the columns' names above it, such as "
                   "dev_eui;join_eui;app_key");
    } else {
        error_hint(error,
                   "dev_eui, join_eui, app_key and so on; other names are told with "
                   "--csv.map dev_eui=EUI,app_key=\"Key of the device\"");
    }
    return -ERROR_INPUT;
}

static int column_twice(const struct table_row *row, enum csv_column column, const char *first,
                        const char *second, struct error *error) {
    error_set(error, ERROR_INPUT, "line %zu: the column %s stands twice: %.100s and %.100s", row->line,
              columns[column].name, first, second);
    error_hint(error, "say which one it is: --csv.map '%s=\"%.100s\"'", columns[column].name, first);
    return -ERROR_INPUT;
}

// Finds the columns that are called as they should be, or (`loosely`) those that are missing then.
static int find_columns(const struct csv_headers *headers, const struct table_row *row, bool loosely,
                        struct csv_columns *found, const char **there, struct error *error) {
    const char *before[CSV_COLUMN_COUNT];
    memcpy(before, there, sizeof before);
    for (size_t i = 0; i < row->count; i++) {
        if (found->fields[i] != CSV_COLUMN_COUNT) continue;
        size_t size = 0;
        const char *text = cell_trim(row->fields[i], &size);
        char *header MEMORY_AUTO = memory_strndup(text, size);
        enum csv_column column = column_of(headers, header, loosely);
        if (column == CSV_COLUMN_COUNT || before[column] != NULL) continue;
        if (there[column] != NULL) return column_twice(row, column, there[column], row->fields[i], error);
        there[column] = row->fields[i];
        found->fields[i] = column;
    }
    return 0;
}

static int read_columns(const struct csv_headers *headers, const struct table_row *row,
                        struct csv_columns *self, struct error *error) {
    const char *there[CSV_COLUMN_COUNT] = {NULL};
    free(self->fields);
    self->fields = memory_new_array(enum csv_column, row->count);
    self->count = row->count;
    for (size_t i = 0; i < row->count; i++) self->fields[i] = CSV_COLUMN_COUNT;
    int result = find_columns(headers, row, false, self, there, error);
    if (result == 0) result = find_columns(headers, row, true, self, there, error);
    if (result == 0) result = check_columns(headers, row, there, error);
    if (result != 0) return result;
    BUFFER_AUTO unknown;
    buffer_init(&unknown, BUFFER_UNLIMITED);
    for (size_t i = 0; i < row->count; i++) {
        if (self->fields[i] != CSV_COLUMN_COUNT || row->fields[i][0] == '\0') continue;
        buffer_printf(&unknown, "%s%.100s", unknown.size > 0 ? ", " : "", row->fields[i]);
    }
    if (unknown.size > 0) self->unknown = memory_strdup(buffer_string(&unknown));
    self->known = true;
    return 0;
}

static bool is_title(const struct csv_headers *headers, const struct table_row *row) {
    for (size_t i = 0; i < row->count; i++) {
        if (column_of(headers, row->fields[i], true) != CSV_COLUMN_COUNT) return false;
    }
    return true;
}

int csv_columns_read(struct csv_columns *self, const struct csv_headers *headers, const struct table_row *row,
                     struct error *error) {
    enum { TITLES_MAX = 10 };
    if (!is_title(headers, row)) return read_columns(headers, row, self, error);
    // If no row names the columns, it is the first one that should have.
    if (self->titles++ == 0) (void)read_columns(headers, row, self, &self->fault);
    return self->titles <= TITLES_MAX ? 0 : csv_columns_end(self, error);
}

int csv_columns_end(struct csv_columns *self, struct error *error) {
    if (self->known || !error_is_set(&self->fault)) return 0;
    error_move(error, &self->fault);
    return -ERROR_INPUT;
}

int csv_values_read(const struct csv_columns *self, const struct table_row *row,
                    struct csv_values *ret_values, struct error *error) {
    *ret_values = (struct csv_values){.line = row->line};
    for (size_t i = 0; i < row->count; i++) {
        size_t size = 0;
        (void)cell_trim(row->fields[i], &size);
        if (size == 0) continue;
        if (i >= self->count) {
            error_set(error, ERROR_INPUT, "line %zu: there are more fields (%zu) than columns (%zu)",
                      row->line, i + 1, self->count);
            error_hint(error,
                       "a field that holds the delimiter has to be in quotes; --csv.delimiter says another "
                       "one");
            return -ERROR_INPUT;
        }
        if (self->fields[i] != CSV_COLUMN_COUNT) ret_values->texts[self->fields[i]] = row->fields[i];
    }
    return 0;
}

// Pairs of texts, each with its NUL: the column's name, and the field.
static void pack_pair(struct buffer *data, const char *name, const char *text) {
    if (text == NULL) return;
    buffer_add(data, name, strlen(name) + 1);
    buffer_add(data, text, strlen(text) + 1);
}

static const char unknown_name[] = "?";

void csv_values_pack(const struct csv_values *values, struct buffer *data) {
    for (size_t i = 0; i < CSV_COLUMN_COUNT; i++) pack_pair(data, columns[i].name, values->texts[i]);
    pack_pair(data, unknown_name, values->unknown);
}

int csv_values_unpack(const void *data, size_t size, struct csv_values *ret_values, struct error *error) {
    const char *at = data;
    *ret_values = (struct csv_values){0};
    while (size > 0) {
        size_t name_size = strnlen(at, size);
        size_t text_size = name_size == size ? size : strnlen(at + name_size + 1, size - name_size - 1);
        enum csv_column column = CSV_COLUMN_COUNT;
        bool whole = name_size + 1 + text_size < size;
        bool unknown = whole && strcmp(at, unknown_name) == 0;
        if (!whole || (!unknown && !column_find(at, &column)))
            return error_set(error, ERROR_INPUT, "its record in the journal is damaged");
        *(unknown ? &ret_values->unknown : &ret_values->texts[column]) = at + name_size + 1;
        at += name_size + text_size + 2;
        size -= name_size + text_size + 2;
    }
    return 0;
}

// ---- fields

static const char *set_id(struct device *device, enum csv_column column, const char *text) {
    (void)column;
    device_set_text(device, &device_ids(device)->device_id, text);
    return NULL;
}

static const char *set_eui(struct device *device, enum csv_column column, const char *text) {
    uint8_t eui[EUI64_BYTES];
    const char *reason = cell_bytes(text, eui, sizeof eui);
    Tts__EndDeviceIdentifiers *ids = device_ids(device);
    if (reason == NULL)
        device_set_bytes(device, column == CSV_DEV_EUI ? &ids->dev_eui : &ids->join_eui, eui, sizeof eui);
    return reason;
}

static const char *set_text(struct device *device, enum csv_column column, const char *text) {
    Tts__EndDevice *message = device->end_device;
    char **member = column == CSV_NAME          ? &message->name
                    : column == CSV_DESCRIPTION ? &message->description
                                                : &message->frequency_plan_id;
    device_set_text(device, member, text);
    return NULL;
}

static const char *set_version(struct device *device, enum csv_column column, const char *text) {
    Tts__EndDevice *message = device->end_device;
    enum mac_version mac_version = MAC_UNKNOWN;
    enum phy_version phy_version = PHY_UNKNOWN;
    if (column == CSV_LORAWAN_VERSION) {
        if (!mac_version_parse(text, &mac_version))
            return "is no version of LoRaWAN, such as 1.0.3; a spreadsheet may have made a date of it";
        message->lorawan_version = (Tts__MACVersion)mac_version;
    } else {
        if (!phy_version_parse(text, &phy_version))
            return "is no version of the regional parameters, such as RP001_V1_0_3_REV_A";
        message->lorawan_phy_version = (Tts__PHYVersion)phy_version;
    }
    return NULL;
}

static const char *set_version_id(struct device *device, enum csv_column column, const char *text) {
    Tts__EndDeviceVersionIdentifiers *ids = device->end_device->version_ids;
    if (ids == NULL) ids = message_new(&device->arena, &tts__end_device_version_identifiers__descriptor);
    device->end_device->version_ids = ids;
    char **member = column == CSV_BRAND_ID           ? &ids->brand_id
                    : column == CSV_MODEL_ID         ? &ids->model_id
                    : column == CSV_HARDWARE_VERSION ? &ids->hardware_version
                    : column == CSV_FIRMWARE_VERSION ? &ids->firmware_version
                                                     : &ids->band_id;
    device_set_text(device, member, text);
    return NULL;
}

static const char *set_profile_id(struct device *device, enum csv_column column, const char *text) {
    Tts__LoRaAllianceProfileIdentifiers *ids = device->end_device->lora_alliance_profile_ids;
    if (ids == NULL) ids = message_new(&device->arena, &tts__lo_ra_alliance_profile_identifiers__descriptor);
    device->end_device->lora_alliance_profile_ids = ids;
    return cell_hex_uint32(text, UINT32_MAX,
                           column == CSV_VENDOR_ID ? &ids->vendor_id : &ids->vendor_profile_id);
}

static const char *set_key(struct device *device, Tts__KeyEnvelope **member, const char *text) {
    uint8_t key[KEY128_BYTES];
    const char *reason = cell_bytes(text, key, sizeof key);
    if (reason == NULL) device_set_key(device, member, key);
    memory_wipe(key, sizeof key);
    return reason;
}

static const char *set_root_key(struct device *device, enum csv_column column, const char *text) {
    Tts__EndDevice *message = device->end_device;
    if (message->root_keys == NULL)
        message->root_keys = message_new(&device->arena, &tts__root_keys__descriptor);
    message->supports_join = true;
    return set_key(device,
                   column == CSV_APP_KEY ? &message->root_keys->app_key : &message->root_keys->nwk_key, text);
}

static Tts__MACSettings *settings_of(struct device *device) {
    Tts__EndDevice *message = device->end_device;
    if (message->mac_settings == NULL)
        message->mac_settings = message_new(&device->arena, &tts__macsettings__descriptor);
    return message->mac_settings;
}

static const char *set_rx1_delay(struct device *device, enum csv_column column, const char *text) {
    static const char prefix[] = "RX_DELAY_";
    (void)column;
    uint32_t delay = 0;
    if (strncmp(text, prefix, strlen(prefix)) == 0) text += strlen(prefix);
    if (cell_uint32(text, RX_DELAY_MAX, &delay) != NULL)
        return "RX_DELAY_1 to RX_DELAY_15, or 1 to 15, is expected";
    Tts__MACSettings *settings = settings_of(device);
    settings->rx1_delay = message_new(&device->arena, &tts__rx_delay_value__descriptor);
    settings->rx1_delay->value = (Tts__RxDelay)delay;
    return NULL;
}

static const char *set_flag(struct device *device, enum csv_column column, const char *text) {
    bool truth = false;
    const char *reason = cell_bool(text, &truth);
    if (reason != NULL) return reason;
    if (column == CSV_SUPPORTS_CLASS_C) {
        device->end_device->supports_class_c = truth;
        return NULL;
    }
    Tts__MACSettings *settings = settings_of(device);
    settings->supports_32_bit_f_cnt = message_new(&device->arena, &tts__bool_value__descriptor);
    settings->supports_32_bit_f_cnt->value = truth;
    return NULL;
}

static Tts__Session *session_of(struct device *device) {
    Tts__EndDevice *message = device->end_device;
    if (message->session != NULL) return message->session;
    message->session = message_new(&device->arena, &tts__session__descriptor);
    message->session->keys = message_new(&device->arena, &tts__session_keys__descriptor);
    return message->session;
}

static const char *set_dev_addr(struct device *device, enum csv_column column, const char *text) {
    (void)column;
    uint8_t address[DEV_ADDR_BYTES];
    const char *reason = cell_bytes(text, address, sizeof address);
    if (reason == NULL) device_set_bytes(device, &session_of(device)->dev_addr, address, sizeof address);
    return reason;
}

static const char *set_session_key(struct device *device, enum csv_column column, const char *text) {
    Tts__SessionKeys *keys = session_of(device)->keys;
    return set_key(device, column == CSV_APP_S_KEY ? &keys->app_s_key : &keys->f_nwk_s_int_key, text);
}

static const char *set_counter(struct device *device, enum csv_column column, const char *text) {
    Tts__Session *session = session_of(device);
    uint32_t *counter = column == CSV_LAST_F_CNT_UP       ? &session->last_f_cnt_up
                        : column == CSV_LAST_N_F_CNT_DOWN ? &session->last_n_f_cnt_down
                                                          : &session->last_a_f_cnt_down;
    return cell_uint32(text, UINT32_MAX, counter);
}

// What people wrote for people stays as it is; of all else, spaces at the ends are nobody's.
static const char *set_column(struct device *device, enum csv_column column, const char *text) {
    size_t size = strlen(text);
    if (column != CSV_NAME && column != CSV_DESCRIPTION) text = cell_trim(text, &size);
    char *copy = memory_strndup(text, size);
    const char *reason = columns[column].set(device, column, copy);
    memory_free_secret(copy);
    return reason;
}

// Digits that a spreadsheet may have rounded.
static void note_doubt(struct device *device, enum csv_column column, const struct csv_values *values) {
    bool digits = columns[column].set == set_eui || columns[column].set == set_root_key ||
                  columns[column].set == set_session_key;
    const char *doubt = digits ? cell_doubt(values->texts[column]) : NULL;
    if (doubt == NULL) return;
    if (values->line > 0) {
        device_note(device, columns[column].name, "in line %zu %s", values->line, doubt);
    } else {
        device_note(device, columns[column].name, "%s", doubt);
    }
}

// Counters alone, which people keep for devices that join, are no session.
static void drop_bare_session(struct device *device) {
    const Tts__Session *session = device->end_device->session;
    if (session == NULL || session->dev_addr.len > 0) return;
    if (session->keys->app_s_key != NULL || session->keys->f_nwk_s_int_key != NULL) return;
    device->end_device->session = NULL;
    device_note(device, "session", "its frame counters are left out: the table has no session for them");
}

bool csv_device_read(const struct csv_values *values, struct device *device, struct notes *faults) {
    bool good = true;
    for (size_t i = 0; i < CSV_COLUMN_COUNT; i++) {
        if (values->texts[i] == NULL) continue;
        const char *reason = set_column(device, (enum csv_column)i, values->texts[i]);
        if (reason == NULL) {
            note_doubt(device, (enum csv_column)i, values);
            continue;
        }
        notes_add(faults, NOTE_FAULT, values->line, columns[i].name, "%s", reason);
        good = false;
    }
    // Without a column for it, and where the field is empty.
    if (values->texts[CSV_ID] == NULL && device_ids(device)->dev_eui.len == EUI64_BYTES) {
        const uint8_t *eui = device_ids(device)->dev_eui.data;
        char id[sizeof "eui-" + 2 * (size_t)EUI64_BYTES] = "eui-";
        hex_encode_lower(id + strlen(id), eui, EUI64_BYTES);
        device_set_text(device, &device_ids(device)->device_id, id);
    }
    drop_bare_session(device);
    if (device->end_device->session != NULL && values->texts[CSV_LAST_N_F_CNT_DOWN] == NULL) {
        device_note(
            device, "session.last_n_f_cnt_down",
            "is not in the table, so it begins at 0: the device takes no downlink until it is reset, or "
            "as many have been sent as before");
    }
    return good;
}
