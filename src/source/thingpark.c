// SPDX-License-Identifier: Apache-2.0
// Source thingpark: the list of devices that Actility ThingPark imports. It has no row of names; what a column means depends
// on the line's first field. ThingPark does not give keys out, so such a list is what an owner has kept of them.
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hex.h"
#include "base/memory.h"
#include "base/table.h"
#include "device/cell.h"
#include "device/message.h"
#include "source/file_device.h"
#include "source/sources.h"

enum { KEY_DIGITS = 32 };

static const struct option_spec options[] = {
    {.name = "csv-path",
     .type = OPTION_STRING,
     .env = "CSV_PATH",
     .argument = "FILE",
     .help = "list in the layout of ThingPark's import; - or none is standard input"},
    FILE_DEVICE_OPTIONS(" of the list, which tells none", " of the list, which tells none"),
    {.name = NULL},
};

// The columns, called as ThingPark's documentation calls them.
enum column {
    A_OPERATION,
    B_DEV_EUI,
    C_DEV_ADDR,
    D_PROFILE,
    E_JOIN_EUI,  // CREATE_ABP: NwkSKey, FNwkSIntKey
    F_APP_KEY,   // CREATE_ABP: AppSKeys
    K_NAME = 10,
    L_LATITUDE,
    M_LONGITUDE,
    N_INFO,
    S_APP_KEY_VERSION = 18,
    U_NWK_KEY = 20,     // CREATE_ABP: SNwkSIntKey
    V_NWK_KEY_VERSION,  // CREATE_ABP: NwkSEncKey
    X_EXCHANGE_KEY = 23,
    COLUMN_COUNT,
};

struct thingpark {
    struct source base;
    struct file_rules rules;
    struct file_list list;
    struct table_reader *table;  // owned
    struct source_page *page;    // that is being filled
};

static struct thingpark *thingpark_of(struct source *source) {
    return (struct thingpark *)source;
}

static void thingpark_close(struct source *source) {
    if (source == NULL) return;
    struct thingpark *self = thingpark_of(source);
    table_reader_free(self->table);
    file_list_release(&self->list);
    file_rules_release(&self->rules);
    free(self);
}

static int thingpark_open(const struct source_setup *setup, struct source **ret_source, struct error *error) {
    struct thingpark *self = memory_new(struct thingpark);
    self->base = (struct source){.driver = &source_thingpark, .keeps = true};
    file_list_init(&self->list, setup);
    int result = file_rules_open(&self->rules, setup, error);
    if (result != 0) {
        thingpark_close(&self->base);
        return result;
    }
    *ret_source = &self->base;
    return 0;
}

static const char *thingpark_default_application(const struct source *source) {
    return file_rules_default_application(&((const struct thingpark *)source)->rules);
}

static enum job_step thingpark_prepare(struct source *source, struct job *job, const char *application,
                                       struct error *error) {
    (void)job;
    return file_rules_prepare(&thingpark_of(source)->rules, application, error);
}

// ---- listing

static bool operation_is(const char *operation, const char *name) {
    return strcasecmp(operation, name) == 0;
}

// A line that takes a device away, or is no device of LoRaWAN, is none of ours.
static bool is_device(const char *operation) {
    return !operation_is(operation, "DELETE") && !operation_is(operation, "CREATE_CELLULAR");
}

// The label of a device in the form of TR005: "LW:D0:JoinEUI:DevEUI:ProfileID...". False if it is none.
static bool label_read(const char *text, uint8_t join_eui[static EUI64_BYTES],
                       uint8_t dev_eui[static EUI64_BYTES]) {
    enum { DIGITS = 2 * EUI64_BYTES };
    static const char prefix[] = "LW:D0:";
    if (strncasecmp(text, prefix, strlen(prefix)) != 0) return false;
    text += strlen(prefix);
    if (strcspn(text, ":") != DIGITS || text[DIGITS] == '\0') return false;
    if (strcspn(text + DIGITS + 1, ":") != DIGITS) return false;
    char first[DIGITS + 1] = "", second[DIGITS + 1] = "";
    memcpy(first, text, DIGITS);
    memcpy(second, text + DIGITS + 1, DIGITS);
    return cell_bytes(first, join_eui, EUI64_BYTES) == NULL &&
           cell_bytes(second, dev_eui, EUI64_BYTES) == NULL;
}

static int thingpark_row(void *context, const struct table_row *row, struct error *error) {
    struct thingpark *self = context;
    uint8_t dev_eui[EUI64_BYTES], join_eui[EUI64_BYTES];
    if (table_row_is_empty(row) || !is_device(row->fields[A_OPERATION])) return 0;
    self->list.entries++;
    const char *text = row->count > B_DEV_EUI ? row->fields[B_DEV_EUI] : "";
    bool known = label_read(text, join_eui, dev_eui) || cell_bytes(text, dev_eui, EUI64_BYTES) == NULL;
    char id[sizeof "eui-" + 2 * (size_t)EUI64_BYTES] = "eui-";
    if (known) hex_encode_lower(id + strlen(id), dev_eui, EUI64_BYTES);
    BUFFER_AUTO data;
    buffer_init(&data, BUFFER_UNLIMITED);
    for (size_t i = 0; i < row->count && i < COLUMN_COUNT; i++) {
        buffer_add(&data, row->fields[i], strlen(row->fields[i]) + 1);
    }
    const struct file_entry entry = {
        .id = known ? id : NULL,
        .eui = known ? dev_eui : NULL,
        .line = row->line,
        .form = FILE_ENTRY_TEXT,
        .data = data.data,
        .size = data.size,
    };
    return file_list_add(&self->list, self->page, &entry, error);
}

static int thingpark_take(void *context, struct source_page *page, const char *data, size_t size,
                          struct error *error) {
    struct thingpark *self = context;
    self->page = page;
    return size == 0 ? table_reader_end(self->table, error)
                     : table_reader_take(self->table, data, size, error);
}

static enum job_step thingpark_list(struct source *source, struct job *job, struct source_page *page,
                                    struct error *error) {
    (void)job;
    struct thingpark *self = thingpark_of(source);
    if (page->cursor == NULL) {
        table_reader_free(self->table);
        self->table = table_reader_new(
            &(struct table_setup){.comment = '#', .receiver = thingpark_row, .context = self});
    }
    return file_list_fill(&self->list, page, thingpark_take, self, error) == 0 ? JOB_DONE : JOB_FAILED;
}

// ---- converting

// A line's fields; "" = empty.
struct fields {
    const char *texts[COLUMN_COUNT];
    size_t line;
};

static int fields_read(const struct file_entry *entry, struct fields *fields, struct error *error) {
    const char *at = entry->data;
    size_t left = entry->size;
    fields->line = entry->line;
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        fields->texts[i] = "";
        if (left == 0) continue;
        size_t size = strnlen(at, left);
        if (size == left) return error_set(error, ERROR_INPUT, "its record in the journal is damaged");
        fields->texts[i] = at;
        at += size + 1;
        left -= size + 1;
    }
    return 0;
}

static int field_error(const struct fields *fields, enum column column, const char *reason,
                       struct error *error) {
    return error_set(error, ERROR_DEVICE, "line %zu: column %c: %s", fields->line, 'A' + (int)column, reason);
}

static int read_key(const struct fields *fields, enum column column, struct device *device,
                    Tts__KeyEnvelope **member, struct error *error) {
    uint8_t key[KEY128_BYTES];
    const char *reason = fields->texts[column][0] == '\0'
                             ? "the key is missing"
                             : cell_bytes(fields->texts[column], key, KEY128_BYTES);
    if (reason == NULL) device_set_key(device, member, key);
    memory_wipe(key, sizeof key);
    return reason == NULL ? 0 : field_error(fields, column, reason, error);
}

static bool is_given(const struct fields *fields, enum column column) {
    return fields->texts[column][0] != '\0';
}

// Digits that a spreadsheet may have rounded.
static void note_doubt(const struct fields *fields, enum column column, struct device *device) {
    const char *doubt = cell_doubt(fields->texts[column]);
    if (doubt == NULL) return;
    device_note(device, column == B_DEV_EUI ? "ids.dev_eui" : "ids.join_eui", "in line %zu, column %c, %s",
                fields->line, 'A' + (int)column, doubt);
}

static int read_ids(const struct fields *fields, bool abp, struct device *device, struct error *error) {
    uint8_t dev_eui[EUI64_BYTES], join_eui[EUI64_BYTES];
    Tts__EndDeviceIdentifiers *ids = device_ids(device);
    bool label = label_read(fields->texts[B_DEV_EUI], join_eui, dev_eui);
    const char *reason = label ? NULL
                         : is_given(fields, B_DEV_EUI)
                             ? cell_bytes(fields->texts[B_DEV_EUI], dev_eui, EUI64_BYTES)
                             : "the DevEUI is missing";
    if (reason != NULL) return field_error(fields, B_DEV_EUI, reason, error);
    device_set_bytes(device, &ids->dev_eui, dev_eui, EUI64_BYTES);
    note_doubt(fields, B_DEV_EUI, device);
    char id[sizeof "eui-" + 2 * (size_t)EUI64_BYTES] = "eui-";
    hex_encode_lower(id + strlen(id), dev_eui, EUI64_BYTES);
    device_set_text(device, &ids->device_id, id);
    if (abp) return 0;
    if (is_given(fields, E_JOIN_EUI)) {
        reason = cell_bytes(fields->texts[E_JOIN_EUI], join_eui, EUI64_BYTES);
        if (reason != NULL) return field_error(fields, E_JOIN_EUI, reason, error);
        note_doubt(fields, E_JOIN_EUI, device);
    } else if (!label) {
        return field_error(fields, E_JOIN_EUI, "the JoinEUI is missing", error);
    }
    device_set_bytes(device, &ids->join_eui, join_eui, EUI64_BYTES);
    return 0;
}

// A key that ThingPark's security module has wrapped is of no use elsewhere.
static int check_clear(const struct fields *fields, struct error *error) {
    static const enum column versions[] = {S_APP_KEY_VERSION, X_EXCHANGE_KEY};
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        if (!is_given(fields, versions[i])) continue;
        field_error(fields, versions[i], "its key is encrypted for ThingPark, and cannot be used elsewhere",
                    error);
        error_hint(error, "put the key in the clear into column F, and empty this one");
        return -ERROR_DEVICE;
    }
    return 0;
}

static int read_otaa(const struct fields *fields, struct device *device, struct error *error) {
    Tts__EndDevice *message = device->end_device;
    int result = check_clear(fields, error);
    if (result != 0) return result;
    if (is_given(fields, V_NWK_KEY_VERSION)) {
        return field_error(fields, V_NWK_KEY_VERSION,
                           "its NwkKey is encrypted for ThingPark, and cannot be used elsewhere", error);
    }
    message->supports_join = true;
    message->root_keys = message_new(&device->arena, &tts__root_keys__descriptor);
    if (is_given(fields, C_DEV_ADDR)) {
        device_note(device, "session",
                    "column C: its DevAddr is left out, since its keys are not there: it joins again");
    }
    result = read_key(fields, F_APP_KEY, device, &message->root_keys->app_key, error);
    if (result == 0 && is_given(fields, U_NWK_KEY)) {
        result = read_key(fields, U_NWK_KEY, device, &message->root_keys->nwk_key, error);
    }
    return result;
}

// The key of one <AppSKey Port="...">, if `text` has exactly one; NULL else.
static const char *find_app_s_key(const char *text, char ret_key[static KEY_DIGITS + 1]) {
    static const char tag[] = "<AppSKey ";
    const char *found = strstr(text, tag);
    if (found == NULL) return "neither 32 hexadecimal digits nor <AppSKeys>";
    if (strstr(found + strlen(tag), tag) != NULL) {
        return "there is an AppSKey for each port; The Things Stack has one for all";
    }
    const char *key = strchr(found, '>');
    if (key == NULL || strcspn(++key, "<") != KEY_DIGITS)
        return "its AppSKey does not have 32 hexadecimal digits";
    memcpy(ret_key, key, KEY_DIGITS);
    ret_key[KEY_DIGITS] = '\0';
    return NULL;
}

static int read_app_s_key(const struct fields *fields, struct device *device, Tts__SessionKeys *keys,
                          struct error *error) {
    struct fields copy = *fields;
    char key[KEY_DIGITS + 1];
    if (strchr(fields->texts[F_APP_KEY], '<') != NULL) {
        const char *reason = find_app_s_key(fields->texts[F_APP_KEY], key);
        if (reason != NULL) return field_error(fields, F_APP_KEY, reason, error);
        copy.texts[F_APP_KEY] = key;
    }
    int result = read_key(&copy, F_APP_KEY, device, &keys->app_s_key, error);
    memory_wipe(key, sizeof key);
    return result;
}

static int read_abp(const struct fields *fields, struct device *device, struct error *error) {
    uint8_t address[DEV_ADDR_BYTES];
    const char *reason = is_given(fields, C_DEV_ADDR)
                             ? cell_bytes(fields->texts[C_DEV_ADDR], address, sizeof address)
                             : "the DevAddr is missing";
    if (reason != NULL) return field_error(fields, C_DEV_ADDR, reason, error);
    Tts__Session *session = message_new(&device->arena, &tts__session__descriptor);
    Tts__SessionKeys *keys = message_new(&device->arena, &tts__session_keys__descriptor);
    device->end_device->session = session;
    session->keys = keys;
    device_set_bytes(device, &session->dev_addr, address, sizeof address);
    device_note(device, "session",
                "the list has no frame counters, so they begin at 0: the device takes no downlink until it "
                "is reset, or as many have been sent as before");
    int result = check_clear(fields, error);
    if (result == 0) result = read_key(fields, E_JOIN_EUI, device, &keys->f_nwk_s_int_key, error);
    if (result == 0) result = read_app_s_key(fields, device, keys, error);
    if (result == 0 && is_given(fields, U_NWK_KEY))
        result = read_key(fields, U_NWK_KEY, device, &keys->s_nwk_s_int_key, error);
    if (result == 0 && is_given(fields, V_NWK_KEY_VERSION))
        result = read_key(fields, V_NWK_KEY_VERSION, device, &keys->nwk_s_enc_key, error);
    return result;
}

static int read_location(const struct fields *fields, struct device *device, struct error *error) {
    double place[2] = {0};
    if (!is_given(fields, L_LATITUDE) && !is_given(fields, M_LONGITUDE)) return 0;
    for (size_t i = 0; i < 2; i++) {
        enum column column = i == 0 ? L_LATITUDE : M_LONGITUDE;
        const char *reason = cell_double(fields->texts[column], &place[i]);
        if (reason != NULL) return field_error(fields, column, reason, error);
    }
    device_set_location(device, place[0], place[1]);
    return 0;
}

static int read_device(const struct fields *fields, struct device *device, struct error *error) {
    const char *operation = fields->texts[A_OPERATION];
    bool otaa = operation_is(operation, "CREATE_OTAA") || operation_is(operation, "UPDATE_OTAA");
    bool abp =
        operation_is(operation, "CREATE_ABP") || operation_is(operation, "CREATE") || *operation == '\0';
    if (!otaa && !abp) {
        return field_error(fields, A_OPERATION,
                           "is neither CREATE_OTAA nor CREATE_ABP, nor one of their kind", error);
    }
    Tts__EndDevice *message = device->end_device;
    device_set_text(device, &message->name, fields->texts[K_NAME]);
    device_set_text(device, &message->description, fields->texts[N_INFO]);
    if (is_given(fields, D_PROFILE))
        device_set_attribute(device, "thingpark-profile", fields->texts[D_PROFILE]);
    int result = read_ids(fields, abp, device, error);
    if (result == 0) result = read_location(fields, device, error);
    if (result != 0) return result;
    return otaa ? read_otaa(fields, device, error) : read_abp(fields, device, error);
}

static int thingpark_convert(struct source *source, const struct source_record *record, struct device *device,
                             struct error *error) {
    struct file_entry entry;
    struct fields fields;
    int result = file_record_read(record, &entry, error);
    if (result == 0) result = fields_read(&entry, &fields, error);
    if (result == 0) result = read_device(&fields, device, error);
    if (result != 0) return result;
    result = file_device_complete(&thingpark_of(source)->rules, record, device, error);
    return file_error_at(entry.line, result, error);
}

const struct source_driver source_thingpark = {
    .name = "thingpark",
    .title = "list of devices in the layout of Actility ThingPark's import (CSV)",
    .features = SOURCE_LISTS | SOURCE_LIST_ONLY | SOURCE_ONE_APPLICATION,
    .about = SOURCE_FILE_ABOUT,
    .examples =
        "application my-app --csv-path list.csv --frequency-plan-id EU_863_870_TTN --mac-version 1.0.3 > "
        "devices.json\n"
        "application my-app --csv-path list.csv --frequency-plan-id EU_863_870_TTN --mac-version 1.0.3 --to "
        "tts\n"
        "device 0018B20000000001 --csv-path list.csv --frequency-plan-id EU_863_870_TTN --mac-version 1.0.3 "
        "--to tts",
    .options = options,
    .input = "csv-path",
    .open = thingpark_open,
    .close = thingpark_close,
    .default_application = thingpark_default_application,
    .prepare = thingpark_prepare,
    .list = thingpark_list,
    .read = file_read,
    .convert = thingpark_convert,
};
