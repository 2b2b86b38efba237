// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/json_read.h"
#include "migrate/file_check_p.h"
#include "source/source.h"

struct file_check_json {
    struct file_check *check;  // borrowed
    struct json_splitter splitter;
    bool broken;  // what follows a fault outside of an object cannot be told apart
};

void *file_check_json_new(struct file_check *check) {
    struct file_check_json *self = memory_new(struct file_check_json);
    self->check = check;
    json_splitter_init(&self->splitter);
    return self;
}

void file_check_json_free(void *format) {
    struct file_check_json *self = format;
    if (self == NULL) return;
    json_splitter_release(&self->splitter);
    free(self);
}

struct object {
    const char *text;
    size_t size;
    size_t line;
};

static size_t line_of(void *context, const char *field) {
    const struct object *object = context;
    return message_json_line(object->text, object->size, object->line, field);
}

static int tell_notes(struct file_check *check, const struct notes *notes, struct error *error) {
    int result = 0;
    for (size_t i = 0; i < notes->count && result == 0; i++) {
        const struct note *note = &notes->items[i];
        bool harmless = note->kind == NOTE_DUPLICATE || (note->kind == NOTE_UNKNOWN && !check->setup->strict);
        const char *text = note->kind == NOTE_UNKNOWN ? "unknown member" : note->text;
        result = file_check_tell(check, note->line, note->path, harmless, text, error);
    }
    return result;
}

static int check_object(struct file_check *check, struct object *object, struct error *error) {
    DEVICE_AUTO device = {0};
    device_init(&device);
    Tts__EndDevice *message = message_json_read(&tts__end_device__descriptor, object->text, object->size,
                                                object->line, &device.arena, &device.notes, NULL);
    if (message != NULL) device.end_device = message;
    const char *id = device_id(&device);
    file_check_begin(check, *id == '\0' ? NULL : id);
    int result = tell_notes(check, &device.notes, error);
    if (result == 0 && message != NULL) {
        struct source_record record = {.id = memory_strdup(id)};
        const Tts__EndDeviceIdentifiers *ids = message->ids;
        record.has_dev_eui = ids != NULL && ids->dev_eui.len == sizeof record.dev_eui;
        if (record.has_dev_eui) memcpy(record.dev_eui, ids->dev_eui.data, sizeof record.dev_eui);
        result = file_check_device(check, &device, &record, object->line, line_of, object, error);
        source_record_release(&record);
    }
    file_check_end(check);
    return result;
}

static int json_pieces(struct file_check_json *self, const char *data, size_t size, struct error *error) {
    int result = 0;
    while (size > 0 && result == 0) {
        ERROR_AUTO fault = {0};
        struct object object = {0};
        size_t taken = 0;
        if (json_splitter_take(&self->splitter, data, size, &taken, &object.text, &object.size, &object.line,
                               &fault) != 0) {
            self->broken = true;
            return file_check_tell_error(self->check, &fault, error);
        }
        if (object.text != NULL) result = check_object(self->check, &object, error);
        data += taken;
        size -= taken;
    }
    return result;
}

int file_check_json_take(void *format, const char *data, size_t size, struct error *error) {
    struct file_check_json *self = format;
    if (self->broken) return 0;
    if (size > 0) return json_pieces(self, data, size, error);
    ERROR_AUTO fault = {0};
    return json_splitter_end(&self->splitter, &fault) == 0
               ? 0
               : file_check_tell_error(self->check, &fault, error);
}
