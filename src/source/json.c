// SPDX-License-Identifier: Apache-2.0
// Source json: a file of devices in the JSON of The Things Stack, as this program, the older one, the Console and the
// command-line tool of The Things Stack write them. A device goes on as it stands there; only its ID may be given another
// form, and what The Things Stack would refuse is mended as far as that costs nothing.
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/clean.h"
#include "device/json_read.h"
#include "device/message.h"
#include "source/file_list.h"
#include "source/sources.h"

// The application that stands for all of a file.
static const char ALL[] = "-";

static const struct option_spec options[] = {
    {.name = "file",
     .type = OPTION_STRING,
     .env = "JSON_FILE",
     .argument = "FILE",
     .help =
         "file of devices, one JSON object after the other or a list of them; - or none is standard input"},
    {.name = NULL},
};

struct json_source {
    struct source base;
    const struct device_naming *naming;  // borrowed
    struct file_list list;
    struct json_splitter splitter;
    char *application;  // owned; whose devices are wanted
    char *other;        // owned; another one that the file has devices of
    uint64_t taken;
    size_t line;  // of the device before
};

static struct json_source *json_of(struct source *source) {
    return (struct json_source *)source;
}

static int json_open(const struct source_setup *setup, struct source **ret_source, struct error *error) {
    (void)error;
    struct json_source *self = memory_new(struct json_source);
    self->base = (struct source){.driver = &source_json, .keeps = true};
    self->naming = setup->naming;
    file_list_init(&self->list, setup);
    json_splitter_init(&self->splitter);
    *ret_source = &self->base;
    return 0;
}

static void json_close(struct source *source) {
    if (source == NULL) return;
    struct json_source *self = json_of(source);
    file_list_release(&self->list);
    json_splitter_release(&self->splitter);
    free(self->application);
    free(self->other);
    free(self);
}

static const char *json_default_application(const struct source *source) {
    (void)source;
    return ALL;
}

static enum job_step json_prepare(struct source *source, struct job *job, const char *application,
                                  struct error *error) {
    (void)job;
    (void)error;
    struct json_source *self = json_of(source);
    free(self->application);
    self->application = memory_strdup(application);
    return JOB_DONE;
}

// ---- listing

static bool is_wanted(struct json_source *self, const Tts__EndDevice *device) {
    if (strcmp(self->application, ALL) == 0) return true;
    const Tts__EndDeviceIdentifiers *ids = device->ids;
    if (ids == NULL || ids->application_ids == NULL) return false;
    const char *application = ids->application_ids->application_id;
    if (strcmp(application, self->application) == 0) return true;
    if (self->other == NULL) self->other = memory_strdup(application);
    return false;
}

// One object of the file. What is written as the schema knows it is kept as a message, which is smaller; else the text is
// kept, so that converting it can say what is wrong with it.
static int json_entry(struct json_source *self, struct source_page *page, const char *text, size_t size,
                      size_t line, struct error *error) {
    ARENA_AUTO arena = {0};
    struct notes notes = {0};
    struct file_entry entry = {.line = line, .form = FILE_ENTRY_TEXT, .data = text, .size = size};
    self->list.entries++;
    // Mostly each has a line of its own.
    if (line == self->line) entry.number = self->list.entries;
    self->line = line;
    const Tts__EndDevice *device =
        message_json_read(&tts__end_device__descriptor, text, size, line, &arena, &notes, NULL);
    bool clean = device != NULL && notes.count == 0;
    notes_release(&notes);
    if (device != NULL && !is_wanted(self, device)) return 0;
    BUFFER_AUTO packed;
    buffer_init(&packed, BUFFER_UNLIMITED);
    if (device != NULL && device->ids != NULL) {
        if (device->ids->device_id[0] != '\0') entry.id = device->ids->device_id;
        // Zeros stand for "none", and may stand there often.
        static const uint8_t none[8] = {0};
        const ProtobufCBinaryData *eui = &device->ids->dev_eui;
        if (eui->len == sizeof none && memcmp(eui->data, none, sizeof none) != 0) entry.eui = eui->data;
    }
    if (clean) {
        message_pack(&device->base, &packed);
        entry.form = FILE_ENTRY_MESSAGE;
        entry.data = packed.data;
        entry.size = packed.size;
    }
    self->taken++;
    return file_list_add(&self->list, page, &entry, error);
}

static int json_end(struct json_source *self, struct error *error) {
    int result = json_splitter_end(&self->splitter, error);
    if (result != 0 || self->taken > 0 || self->list.entries == 0) return result;
    error_set(error, ERROR_INPUT, "it holds no device of application %s%s%s", self->application,
              self->other == NULL ? "" : ", but some of ", self->other == NULL ? "" : self->other);
    error_hint(error, "for all devices of the file: ttn-lw-migrate json application -");
    return -ERROR_INPUT;
}

static int json_take(void *context, struct source_page *page, const char *data, size_t size,
                     struct error *error) {
    struct json_source *self = context;
    if (size == 0) return json_end(self, error);
    int result = 0;
    while (size > 0 && result == 0) {
        const char *object = NULL;
        size_t taken = 0, object_size = 0, line = 0;
        result = json_splitter_take(&self->splitter, data, size, &taken, &object, &object_size, &line, error);
        if (result == 0 && object != NULL) result = json_entry(self, page, object, object_size, line, error);
        data += taken;
        size -= taken;
    }
    return result;
}

static enum job_step json_list(struct source *source, struct job *job, struct source_page *page,
                               struct error *error) {
    (void)job;
    struct json_source *self = json_of(source);
    if (page->cursor == NULL) {
        json_splitter_release(&self->splitter);
        json_splitter_init(&self->splitter);
        self->taken = 0;
        self->line = 0;
    }
    return file_list_fill(&self->list, page, json_take, self, error) == 0 ? JOB_DONE : JOB_FAILED;
}

// ---- converting

static Tts__EndDevice *json_device(const struct file_entry *entry, struct device *device,
                                   struct error *error) {
    if (entry->form == FILE_ENTRY_TEXT) {
        return message_json_read(&tts__end_device__descriptor, entry->data, entry->size, entry->line,
                                 &device->arena, &device->notes, error);
    }
    return message_unpack(&tts__end_device__descriptor, entry->data, entry->size, &device->arena, error);
}

static int json_name(const struct json_source *self, const struct file_entry *entry, struct device *device,
                     struct error *error) {
    char id[DEVICE_ID_SIZE];
    Tts__EndDeviceIdentifiers *ids = device_ids(device);
    char *before = ids->device_id;
    if (before[0] == '\0' && !self->naming->eui_as_id) {
        return error_set(error, ERROR_DEVICE, "line %zu: ids.device_id is missing", entry->line);
    }
    int result = device_id_make(self->naming, before, entry->eui, id, error);
    if (result != 0 || strcmp(id, before) == 0) return result;
    device_set_text(device, &ids->device_id, id);
    // The oldest one is worth most: whoever knows the device by another ID knows that one.
    bool known = device_attribute(device, "old-id") != NULL;
    if (before[0] != '\0' && !known) device_set_attribute(device, "old-id", before);
    return 0;
}

static int json_convert(struct source *source, const struct source_record *record, struct device *device,
                        struct error *error) {
    const struct json_source *self = json_of(source);
    struct file_entry entry;
    int result = file_record_read(record, &entry, error);
    if (result != 0) return result;
    Tts__EndDevice *message = json_device(&entry, device, error);
    if (message == NULL) return -(int)error->code;
    device->end_device = message;
    result = json_name(self, &entry, device, error);
    return result != 0 ? result : device_clean(device, error);
}

const struct source_driver source_json = {
    .name = "json",
    .title = "file of devices in the JSON of The Things Stack",
    .features = SOURCE_LISTS | SOURCE_LIST_ONLY,
    .about = SOURCE_FILE_ABOUT,
    .examples =
        "application my-app --file devices.json > my-app.json\n"
        "application my-app --file devices.json --to tts\n"
        "device mydevice --file devices.json > device.json",
    .options = options,
    .input = "file",
    .open = json_open,
    .close = json_close,
    .default_application = json_default_application,
    .prepare = json_prepare,
    .list = json_list,
    .read = file_read,
    .convert = json_convert,
};
