// SPDX-License-Identifier: Apache-2.0
// Source helium: the list of devices that Helium's Console gave as JSON. Its devices join; their sessions stay behind, since
// the list has no frame counters and their addresses are Helium's.
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/memory.h"
#include "device/cell.h"
#include "device/json_read.h"
#include "device/message.h"
#include "lorawan/region.h"
#include "source/file_device.h"
#include "source/sources.h"

static const struct option_spec options[] = {
    {.name = "file",
     .type = OPTION_STRING,
     .argument = "FILE",
     .help = "what Helium's Console answers to GET /api/v1/devices; - or none is standard input"},
    FILE_DEVICE_OPTIONS(" of the file, which tells only regions", " of the file, which tells none"),
    {.name = NULL},
};

struct helium {
    struct source base;
    struct file_rules rules;
    struct file_list list;
    struct json_splitter splitter;
};

static struct helium *helium_of(struct source *source) {
    return (struct helium *)source;
}

static void helium_close(struct source *source) {
    if (source == NULL) return;
    struct helium *self = helium_of(source);
    json_splitter_release(&self->splitter);
    file_list_release(&self->list);
    file_rules_release(&self->rules);
    free(self);
}

static int helium_open(const struct source_setup *setup, struct source **ret_source, struct error *error) {
    struct helium *self = memory_new(struct helium);
    self->base = (struct source){.driver = &source_helium, .keeps = true};
    file_list_init(&self->list, setup);
    json_splitter_init(&self->splitter);
    int result = file_rules_open(&self->rules, setup, error);
    if (result != 0) {
        helium_close(&self->base);
        return result;
    }
    *ret_source = &self->base;
    return 0;
}

static const char *helium_default_application(const struct source *source) {
    return file_rules_default_application(&((const struct helium *)source)->rules);
}

static enum job_step helium_prepare(struct source *source, struct job *job, const char *application,
                                    struct error *error) {
    (void)job;
    return file_rules_prepare(&helium_of(source)->rules, application, error);
}

// ---- listing

static void json_drop(json_t **json) {
    json_decref(*json);
}

#define JSON_AUTO __attribute__((cleanup(json_drop))) json_t

// A member's text; NULL if it has none.
static const char *text_of(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL || *text == '\0' ? NULL : text;
}

static int helium_entry(struct helium *self, struct source_page *page, const json_t *object, size_t line,
                        struct error *error) {
    uint8_t eui[EUI64_BYTES];
    const char *text = text_of(object, "dev_eui");
    bool known = text != NULL && cell_bytes(text, eui, EUI64_BYTES) == NULL;
    char id[sizeof "eui-" + 2 * (size_t)EUI64_BYTES] = "eui-";
    if (known) hex_encode_lower(id + strlen(id), eui, EUI64_BYTES);
    char *data = json_dumps(object, JSON_COMPACT);
    const struct file_entry entry = {
        .id = known ? id : NULL,
        .eui = known ? eui : NULL,
        .line = line,
        .number = ++self->list.entries,
        .name = text_of(object, "name"),
        .form = FILE_ENTRY_TEXT,
        .data = data,
        .size = data == NULL ? 0 : strlen(data),
    };
    int result = file_list_add(&self->list, page, &entry, error);
    memory_free_secret(data);
    return result;
}

// An object of the file: a device, or what holds a list of them.
static int helium_object(struct helium *self, struct source_page *page, const char *text, size_t size,
                         size_t line, struct error *error) {
    json_error_t where;
    JSON_AUTO *object = json_loadb(text, size, 0, &where);
    // The parser's own words quote the text, which may hold a key.
    if (object == NULL) {
        return error_set(error, ERROR_INPUT, "line %zu: not JSON",
                         line + (size_t)(where.line > 0 ? where.line - 1 : 0));
    }
    const json_t *list = json_object_get(object, "devices");
    if (!json_is_array(list)) return helium_entry(self, page, object, line, error);
    int result = 0;
    for (size_t i = 0; i < json_array_size(list) && result == 0; i++) {
        result = helium_entry(self, page, json_array_get(list, i), line, error);
    }
    return result;
}

static int helium_take(void *context, struct source_page *page, const char *data, size_t size,
                       struct error *error) {
    struct helium *self = context;
    if (size == 0) return json_splitter_end(&self->splitter, error);
    int result = 0;
    while (size > 0 && result == 0) {
        const char *object = NULL;
        size_t taken = 0, object_size = 0, line = 0;
        result = json_splitter_take(&self->splitter, data, size, &taken, &object, &object_size, &line, error);
        if (result == 0 && object != NULL)
            result = helium_object(self, page, object, object_size, line, error);
        data += taken;
        size -= taken;
    }
    return result;
}

static enum job_step helium_list(struct source *source, struct job *job, struct source_page *page,
                                 struct error *error) {
    (void)job;
    struct helium *self = helium_of(source);
    if (page->cursor == NULL) {
        json_splitter_release(&self->splitter);
        json_splitter_init(&self->splitter);
    }
    return file_list_fill(&self->list, page, helium_take, self, error) == 0 ? JOB_DONE : JOB_FAILED;
}

// ---- converting

static int member_error(size_t line, const char *name, const char *reason, struct error *error) {
    return error_set(error, ERROR_DEVICE, "line %zu: %s: %s", line, name, reason);
}

static int read_bytes(const json_t *object, size_t line, const char *name, uint8_t *bytes, size_t size,
                      struct error *error) {
    const char *text = text_of(object, name);
    const char *reason = text == NULL ? "is missing" : cell_bytes(text, bytes, size);
    return reason == NULL ? 0 : member_error(line, name, reason, error);
}

// "roof, second floor"
static void set_labels(const json_t *object, struct device *device) {
    const json_t *labels = json_object_get(object, "labels");
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    for (size_t i = 0; i < json_array_size(labels); i++) {
        const json_t *label = json_array_get(labels, i);
        const char *name = json_is_string(label) ? json_string_value(label) : text_of(label, "name");
        if (name != NULL) buffer_printf(&text, "%s%s", text.size > 0 ? ", " : "", name);
    }
    if (text.size > 0) device_set_attribute(device, "helium-labels", buffer_string(&text));
}

static int read_device(const json_t *object, size_t line, struct device *device, struct error *error) {
    Tts__EndDevice *message = device->end_device;
    Tts__EndDeviceIdentifiers *ids = device_ids(device);
    uint8_t dev_eui[EUI64_BYTES], join_eui[EUI64_BYTES], key[KEY128_BYTES];
    int result = read_bytes(object, line, "dev_eui", dev_eui, EUI64_BYTES, error);
    if (result == 0) result = read_bytes(object, line, "app_eui", join_eui, EUI64_BYTES, error);
    if (result == 0) result = read_bytes(object, line, "app_key", key, KEY128_BYTES, error);
    if (result != 0) return result;
    char id[sizeof "eui-" + 2 * (size_t)EUI64_BYTES] = "eui-";
    hex_encode_lower(id + strlen(id), dev_eui, EUI64_BYTES);
    device_set_text(device, &ids->device_id, id);
    device_set_bytes(device, &ids->dev_eui, dev_eui, EUI64_BYTES);
    device_set_bytes(device, &ids->join_eui, join_eui, EUI64_BYTES);
    message->supports_join = true;
    message->root_keys = message_new(&device->arena, &tts__root_keys__descriptor);
    device_set_key(device, &message->root_keys->app_key, key);
    memory_wipe(key, sizeof key);
    device_set_text(device, &message->name, text_of(object, "name"));
    if (text_of(object, "id") != NULL) device_set_attribute(device, "helium-id", text_of(object, "id"));
    set_labels(object, device);
    if (text_of(object, "devaddr") != NULL) {
        device_note(device, "session",
                    "its session stays at Helium, whose address it has: the device joins again");
    }
    if (json_is_false(json_object_get(object, "active"))) {
        device_note(device, "active", "is inactive at Helium; it will be active at its new network");
    }
    return 0;
}

// The file names a region, to which several plans belong. A plan in --map is the user's word for this very device.
static int check_plan(const struct helium *self, const struct source_record *record, const json_t *object,
                      const struct device *device, struct error *error) {
    const char *region_name = text_of(object, "region");
    const struct region *region = region_name == NULL ? NULL : region_find(region_name);
    const struct frequency_plan *plan =
        frequency_plans_find(self->rules.plans, device->end_device->frequency_plan_id);
    if (device->end_device->frequency_plan_id[0] == '\0') {
        error_set(error, ERROR_DEVICE, "its frequency plan is not known%s%.20s",
                  region_name == NULL ? "" : ": its region is ", region_name == NULL ? "" : region_name);
        error_hint(error, "name it with --helium.frequency-plan-id, or for single devices with --map");
        return -ERROR_DEVICE;
    }
    bool laid_down = device_map_plan(self->rules.map, record, NULL) != NULL;
    if (laid_down || region == NULL || plan == NULL || region_has_plan(region, plan)) return 0;
    error_set(error, ERROR_DEVICE, "its region is %s, of which frequency plan %s is none", region->name,
              plan->id);
    error_hint(error, "name a plan of its region with --map");
    return -ERROR_DEVICE;
}

static int helium_convert(struct source *source, const struct source_record *record, struct device *device,
                          struct error *error) {
    struct file_entry entry;
    int result = file_record_read(record, &entry, error);
    if (result != 0) return result;
    JSON_AUTO *object = json_loadb(entry.data, entry.size, 0, NULL);
    if (object == NULL) return error_set(error, ERROR_INPUT, "its record in the journal is damaged");
    result = read_device(object, entry.line, device, error);
    if (result != 0) return result;
    result = file_device_complete(&helium_of(source)->rules, record, device, error);
    if (result == 0) result = check_plan(helium_of(source), record, object, device, error);
    return file_error_at(entry.line, result, error);
}

const struct source_driver source_helium = {
    .name = "helium",
    .title = "list of devices that Helium's Console gave (JSON)",
    .features = SOURCE_LISTS | SOURCE_LIST_ONLY | SOURCE_ONE_APPLICATION,
    .about = SOURCE_FILE_ABOUT,
    .examples =
        "application my-app --file list.json --frequency-plan-id EU_863_870_TTN --mac-version 1.0.3 > "
        "devices.json\n"
        "application my-app --file list.json --frequency-plan-id EU_863_870_TTN --mac-version 1.0.3 --to "
        "tts\n"
        "device 0018B20000000001 --file list.json --app-id my-app --frequency-plan-id EU_863_870_TTN "
        "--mac-version 1.0.3 > device.json",
    .options = options,
    .input = "file",
    .open = helium_open,
    .close = helium_close,
    .default_application = helium_default_application,
    .prepare = helium_prepare,
    .list = helium_list,
    .read = file_read,
    .convert = helium_convert,
};
