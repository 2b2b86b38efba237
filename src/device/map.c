// SPDX-License-Identifier: Apache-2.0
#include "device/map.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/table.h"
#include "device/cell.h"
#include "device/mac_state_message.h"
#include "device/naming.h"

enum { EUI_SIZE = 8, PIECE_SIZE = 64 * 1024, ROWS_MAX = 4000000, ATTRIBUTES_MAX = 10 };

struct row {
    struct device_map_entry entry;
    const char *id;  // NULL: the DevEUI is the key
    struct eui64 dev_eui;
    bool used;
};

struct device_map {
    struct arena arena;
    struct row *rows;  // owned; sorted once all are there
    size_t count;
    size_t capacity;
    const char *application_id;  // of the row before, in the arena: most rows have the same
    struct device_map_doubts doubts;
};

void device_map_free(struct device_map *map) {
    if (map == NULL) return;
    arena_release(&map->arena);
    free(map->rows);
    free(map);
}

// ---- reading

enum column {
    COLUMN_ID,
    COLUMN_DEV_EUI,
    COLUMN_DEVICE_ID,
    COLUMN_JOIN_EUI,
    COLUMN_PLAN,
    COLUMN_MAC,
    COLUMN_PHY,
    COLUMN_APPLICATION,
    COLUMN_COUNT,
};

static const char *const column_names[COLUMN_COUNT] = {
    [COLUMN_ID] = "id",
    [COLUMN_DEV_EUI] = "dev_eui",
    [COLUMN_DEVICE_ID] = "device_id",
    [COLUMN_JOIN_EUI] = "join_eui",
    [COLUMN_PLAN] = "frequency_plan_id",
    [COLUMN_MAC] = "lorawan_version",
    [COLUMN_PHY] = "lorawan_phy_version",
    [COLUMN_APPLICATION] = "application_id",
};

struct loading {
    struct device_map *map;
    const struct frequency_plans *plans;
    bool has_header;
    enum column *columns;  // owned; which one each field is
    size_t column_count;
};

static int header_error(const struct table_row *row, const char *name, const char *reason,
                        struct error *error) {
    return error_set(error, ERROR_INPUT, "line %zu: %.100s: %s", row->line, name, reason);
}

static int load_header(struct loading *loading, const struct table_row *row, struct error *error) {
    bool there[COLUMN_COUNT] = {false};
    loading->has_header = true;
    loading->columns = memory_new_array(enum column, row->count);
    loading->column_count = row->count;
    for (size_t i = 0; i < row->count; i++) {
        size_t column = 0;
        loading->columns[i] = COLUMN_COUNT;
        // A spreadsheet may have a separator too many in each line.
        if (row->fields[i][0] == '\0') continue;
        while (column < COLUMN_COUNT && !table_header_is(row->fields[i], column_names[column])) column++;
        if (column == COLUMN_COUNT) {
            header_error(row, row->fields[i], "there is no such column", error);
            error_hint(error,
                       "id or dev_eui, then any of device_id, join_eui, frequency_plan_id, lorawan_version, "
                       "lorawan_phy_version, application_id");
            return -ERROR_INPUT;
        }
        if (there[column]) return header_error(row, row->fields[i], "the column stands twice", error);
        there[column] = true;
        loading->columns[i] = (enum column)column;
    }
    if (there[COLUMN_ID] == there[COLUMN_DEV_EUI]) {
        return error_set(error, ERROR_INPUT,
                         "line %zu: the first row must name the column id or dev_eui, and not both",
                         row->line);
    }
    return 0;
}

// The text in the arena; the one of the row before, if it is the same.
static const char *intern(struct device_map *map, const char **last, const char *text) {
    if (*last == NULL || strcmp(*last, text) != 0) *last = arena_strdup(&map->arena, text);
    return *last;
}

static const char *load_id(struct device_map *map, const char *text, const char **ret_id) {
    if (!device_id_valid(text))
        return "is no ID: lower-case letters, digits and single inner hyphens, 3 to 36 of them";
    if (device_id_reserved(text)) return "the word is reserved";
    *ret_id = arena_strdup(&map->arena, text);
    return NULL;
}

static const char *load_plan(const struct loading *loading, const char *text,
                             struct device_map_entry *entry) {
    entry->plan = frequency_plans_meant(loading->plans, text);
    return entry->plan != NULL ? NULL : "there is no such frequency plan (ttn-lw-migrate frequency-plans)";
}

// NULL, or what is wrong.
static const char *load_field(struct loading *loading, struct row *row, enum column column,
                              const char *text) {
    struct device_map *map = loading->map;
    struct device_map_entry *entry = &row->entry;
    switch (column) {
        case COLUMN_ID:
            row->id = arena_strdup(&map->arena, text);
            return NULL;
        case COLUMN_DEV_EUI:
            return cell_bytes(text, row->dev_eui.bytes, EUI_SIZE);
        case COLUMN_DEVICE_ID:
            return load_id(map, text, &entry->device_id);
        case COLUMN_JOIN_EUI:
            entry->has_join_eui = true;
            return cell_bytes(text, entry->join_eui.bytes, EUI_SIZE);
        case COLUMN_PLAN:
            return load_plan(loading, text, entry);
        case COLUMN_MAC:
            return mac_version_parse(text, &entry->mac_version) ? NULL : "is no version of LoRaWAN";
        case COLUMN_PHY:
            return phy_version_parse(text, &entry->phy_version) ? NULL
                                                                : "is no version of the regional parameters";
        default:
            if (!device_id_valid(text)) return "is no ID of an application";
            entry->application_id = intern(map, &map->application_id, text);
            return NULL;
    }
}

// What is read may be other digits than were meant. At a source an ID may be a DevEUI.
static void doubt_field(struct device_map *map, enum column column, size_t line, const char *text) {
    bool digits = column == COLUMN_ID || column == COLUMN_DEV_EUI || column == COLUMN_JOIN_EUI;
    const char *reason = digits ? cell_doubt(text) : NULL;
    if (reason == NULL || map->doubts.count++ > 0) return;
    map->doubts.line = line;
    map->doubts.column = column_names[column];
    map->doubts.reason = reason;
}

static struct row *map_add(struct device_map *map) {
    if (map->count == map->capacity) {
        map->capacity = map->capacity > 0 ? map->capacity * 2 : 64;
        map->rows = memory_resize(map->rows, map->capacity, sizeof *map->rows);
    }
    struct row *row = &map->rows[map->count++];
    *row = (struct row){0};
    return row;
}

static int load_row(void *context, const struct table_row *table_row, struct error *error) {
    struct loading *loading = context;
    if (!loading->has_header) return load_header(loading, table_row, error);
    if (table_row_is_empty(table_row)) return 0;
    if (loading->map->count == ROWS_MAX)
        return error_set(error, ERROR_TOO_LARGE, "it has more than %d rows", ROWS_MAX);
    struct row *row = map_add(loading->map);
    row->entry.line = table_row->line;
    bool keyed = false;
    for (size_t i = 0; i < table_row->count; i++) {
        size_t size = 0;
        const char *whole = cell_trim(table_row->fields[i], &size);
        if (size == 0) continue;
        if (i >= loading->column_count || loading->columns[i] == COLUMN_COUNT) {
            return error_set(error, ERROR_INPUT, "line %zu: has more fields than there are columns",
                             table_row->line);
        }
        enum column column = loading->columns[i];
        keyed = keyed || column == COLUMN_ID || column == COLUMN_DEV_EUI;
        char *text MEMORY_AUTO = memory_strndup(whole, size);
        const char *reason = load_field(loading, row, column, text);
        if (reason == NULL) doubt_field(loading->map, column, table_row->line, text);
        if (reason == NULL) continue;
        return error_set(error, ERROR_INPUT, "line %zu: %s: %s", table_row->line, column_names[column],
                         reason);
    }
    if (keyed) return 0;
    return error_set(error, ERROR_INPUT, "line %zu: it does not say which device it is about",
                     table_row->line);
}

static int compare_rows(const void *left, const void *right) {
    const struct row *a = left, *b = right;
    if (a->id != NULL) return strcmp(a->id, b->id);
    return memcmp(a->dev_eui.bytes, b->dev_eui.bytes, EUI_SIZE);
}

static int sort_rows(struct device_map *map, struct error *error) {
    if (map->count == 0) return 0;
    qsort(map->rows, map->count, sizeof *map->rows, compare_rows);
    for (size_t i = 1; i < map->count; i++) {
        if (compare_rows(&map->rows[i - 1], &map->rows[i]) != 0) continue;
        size_t a = map->rows[i - 1].entry.line, b = map->rows[i].entry.line;
        return error_set(error, ERROR_INPUT, "lines %zu and %zu are about the same device", a < b ? a : b,
                         a < b ? b : a);
    }
    return 0;
}

static int load_pieces(struct reader *reader, struct table_reader *table, struct error *error) {
    char *piece MEMORY_AUTO = memory_alloc(PIECE_SIZE, 1);
    size_t size = 0;
    int result = 0;
    do {
        result = reader->operations->read(reader, piece, PIECE_SIZE, &size, error);
        if (result == 0 && size > 0) result = table_reader_take(table, piece, size, error);
    } while (result == 0 && size > 0);
    return result != 0 ? result : table_reader_end(table, error);
}

int device_map_load(struct reader *reader, const struct frequency_plans *plans, struct device_map **ret_map,
                    struct error *error) {
    struct loading loading = {.map = memory_new(struct device_map), .plans = plans};
    struct table_reader *table =
        table_reader_new(&(struct table_setup){.receiver = load_row, .context = &loading});
    int result = load_pieces(reader, table, error);
    table_reader_free(table);
    if (result == 0 && !loading.has_header) result = error_set(error, ERROR_INPUT, "it is empty");
    if (result == 0) result = sort_rows(loading.map, error);
    free(loading.columns);
    if (result != 0) {
        device_map_free(loading.map);
        return result == -ERROR_CANCELLED ? result : error_wrap(error, ERROR_NONE, "%s", reader->name);
    }
    *ret_map = loading.map;
    return 0;
}

const struct device_map_doubts *device_map_doubts(const struct device_map *map) {
    return &map->doubts;
}

// ---- applying

const struct device_map_entry *device_map_find(struct device_map *map, const struct source_record *record) {
    if (map == NULL || map->count == 0) return NULL;
    struct row key = {0};
    if (map->rows[0].id != NULL) {
        key.id = record->id;
    } else if (record->has_dev_eui) {
        memcpy(key.dev_eui.bytes, record->dev_eui, EUI_SIZE);
    } else {
        return NULL;
    }
    struct row *row = bsearch(&key, map->rows, map->count, sizeof key, compare_rows);
    if (row == NULL) return NULL;
    row->used = true;
    return &row->entry;
}

const struct frequency_plan *device_map_plan(struct device_map *map, const struct source_record *record,
                                             const struct frequency_plan *plan) {
    const struct device_map_entry *entry = device_map_find(map, record);
    return entry == NULL || entry->plan == NULL ? plan : entry->plan;
}

size_t device_map_unused(const struct device_map *map, size_t *ret_line) {
    size_t unused = 0;
    for (size_t i = 0; i < map->count; i++) {
        if (map->rows[i].used) continue;
        size_t line = map->rows[i].entry.line;
        if (unused++ == 0 || line < *ret_line) *ret_line = line;
    }
    return unused;
}

static void apply_ids(const struct device_map_entry *entry, struct device *device) {
    Tts__EndDeviceIdentifiers *ids = device_ids(device);
    if (entry->device_id != NULL && strcmp(entry->device_id, ids->device_id) != 0) {
        bool known = device_attribute(device, "old-id") != NULL;
        bool room = device->end_device->n_attributes < ATTRIBUTES_MAX;
        if (ids->device_id[0] != '\0' && !known && room)
            device_set_attribute(device, "old-id", ids->device_id);
        device_set_text(device, &ids->device_id, entry->device_id);
    }
    if (entry->application_id != NULL) device_set_application(device, entry->application_id);
    if (entry->has_join_eui) device_set_bytes(device, &ids->join_eui, entry->join_eui.bytes, EUI_SIZE);
}

// True if plan or versions are not what they were.
static bool apply_radio(const struct device_map_entry *entry, struct device *device) {
    Tts__EndDevice *message = device->end_device;
    bool changed = false;
    if (entry->plan != NULL && strcmp(entry->plan->id, message->frequency_plan_id) != 0) {
        device_set_text(device, &message->frequency_plan_id, entry->plan->id);
        changed = true;
    }
    if (entry->mac_version != MAC_UNKNOWN && (int)entry->mac_version != (int)message->lorawan_version) {
        message->lorawan_version = (Tts__MACVersion)entry->mac_version;
        changed = true;
    }
    if (entry->phy_version != PHY_UNKNOWN && (int)entry->phy_version != (int)message->lorawan_phy_version) {
        message->lorawan_phy_version = (Tts__PHYVersion)entry->phy_version;
        changed = true;
    }
    return changed;
}

static void renew_state(const Tts__EndDevice *message, const Tts__MACState *first, Tts__MACState *state) {
    if (state == NULL) return;
    state->desired_parameters = first->desired_parameters;
    state->lorawan_version = message->lorawan_version;
}

static int renew_states(const struct frequency_plan *before, const struct frequency_plans *plans,
                        struct device *device, struct error *error) {
    Tts__EndDevice *message = device->end_device;
    if (message->mac_state == NULL && message->pending_mac_state == NULL) return 0;
    const struct frequency_plan *plan = frequency_plans_find(plans, message->frequency_plan_id);
    if (before != NULL && plan != NULL && strcmp(before->band_id, plan->band_id) != 0) {
        error_set(error, ERROR_DEVICE,
                  "its session belongs to band %s, but the map's frequency plan %s is of band %s",
                  before->band_id, plan->id, plan->band_id);
        error_hint(error,
                   "move it without its session, so that it joins again, or take the plan out of the map");
        return -ERROR_DEVICE;
    }
    Tts__MACState *first = NULL;
    int result = device_first_mac_state(message, plans, &device->arena, &first, error);
    if (result != 0) return error_wrap(error, ERROR_NONE, "with what the map lays down");
    renew_state(message, first, message->mac_state);
    renew_state(message, first, message->pending_mac_state);
    return 0;
}

int device_map_apply(struct device_map *map, const struct source_record *record,
                     const struct frequency_plans *plans, struct device *device, struct error *error) {
    const struct device_map_entry *entry = device_map_find(map, record);
    if (entry == NULL) return 0;
    const struct frequency_plan *before = frequency_plans_find(plans, device->end_device->frequency_plan_id);
    apply_ids(entry, device);
    if (!apply_radio(entry, device)) return 0;
    return renew_states(before, plans, device, error);
}
