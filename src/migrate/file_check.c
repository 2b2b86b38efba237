// SPDX-License-Identifier: Apache-2.0
#include "migrate/file_check.h"

#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/memory.h"
#include "device/validate.h"
#include "migrate/file_check_p.h"

enum { PIECE_SIZE = 64 * 1024, EUI_SIZE = 8 };

void file_check_begin(struct file_check *check, const char *device) {
    check->device = device;
    check->faulty = false;
    check->numbers->devices++;
}

void file_check_end(struct file_check *check) {
    check->device = NULL;
    if (check->faulty) check->numbers->invalid++;
    check->faulty = false;
}

int file_check_tell(struct file_check *check, size_t line, const char *field, bool harmless, const char *text,
                    struct error *error) {
    const struct file_finding finding = {
        .line = line, .device = check->device, .field = field, .text = text, .harmless = harmless};
    if (!harmless) {
        check->numbers->findings++;
        check->faulty = true;
    }
    return check->setup->tell(check->setup->context, &finding, error);
}

int file_check_tell_error(struct file_check *check, struct error *fault, struct error *error) {
    static const char prefix[] = "line ";
    char *chain MEMORY_AUTO = error_chain(fault);
    const char *text = chain;
    size_t line = 1;
    if (strncmp(text, prefix, strlen(prefix)) == 0) {
        char *end = NULL;
        line = (size_t)strtoull(text + strlen(prefix), &end, 10);
        text = end + strspn(end, ":, ");
    }
    int result = file_check_tell(check, line, NULL, false, text, error);
    error_release(fault);
    return result;
}

// ---- what stands twice

static int see(struct file_check *check, const struct buffer *key, size_t line, uint64_t *ret_before,
               struct error *error) {
    struct key_set *seen = check->setup->seen;
    return seen->operations->add(seen, key->data, key->size, line, ret_before, error);
}

// An ID may stand once in an application. In two applications it is no fault, but they cannot be moved as one.
static int check_id_once(struct file_check *check, const Tts__EndDeviceIdentifiers *ids, size_t line,
                         size_t field_line, struct error *error) {
    BUFFER_AUTO key;
    buffer_init(&key, BUFFER_UNLIMITED);
    uint64_t same = 0, any = 0;
    buffer_printf(&key, "a%s", ids->application_ids == NULL ? "" : ids->application_ids->application_id);
    buffer_putc(&key, '\0');
    buffer_puts(&key, ids->device_id);
    int result = see(check, &key, line, &same, error);
    buffer_clear(&key);
    buffer_printf(&key, "i%s", ids->device_id);
    if (result == 0) result = see(check, &key, line, &any, error);
    if (result != 0 || any == 0) return result;
    char *text MEMORY_AUTO =
        same > 0
            ? memory_printf("the device stands in line %llu too", (unsigned long long)same)
            : memory_printf("stands in line %llu too, of another application: migrate one after the other",
                            (unsigned long long)any);
    return file_check_tell(check, field_line, "ids.device_id", same == 0, text, error);
}

int file_check_eui(struct file_check *check, const uint8_t *eui, size_t line, size_t field_line,
                   struct error *error) {
    BUFFER_AUTO key;
    buffer_init(&key, BUFFER_UNLIMITED);
    buffer_putc(&key, 'e');
    buffer_add(&key, eui, EUI_SIZE);
    uint64_t before = 0;
    int result = see(check, &key, line, &before, error);
    if (result != 0 || before == 0) return result;
    char *text MEMORY_AUTO = memory_printf("this DevEUI stands in line %llu too", (unsigned long long)before);
    return file_check_tell(check, field_line, "ids.dev_eui", false, text, error);
}

static int check_eui_once(struct file_check *check, const ProtobufCBinaryData *eui, size_t line,
                          size_t field_line, struct error *error) {
    static const uint8_t none[EUI_SIZE] = {0};
    if (eui->len != EUI_SIZE || memcmp(eui->data, none, EUI_SIZE) == 0) return 0;
    return file_check_eui(check, eui->data, line, field_line, error);
}

// ---- a device

int file_check_notes(struct file_check *check, const struct notes *notes, size_t line, struct error *error) {
    int result = 0;
    for (size_t i = 0; i < notes->count && result == 0; i++) {
        const struct note *note = &notes->items[i];
        result =
            file_check_tell(check, note->line > 0 ? note->line : line, note->path, true, note->text, error);
    }
    return result;
}

int file_check_device(struct file_check *check, struct device *device, const struct source_record *record,
                      size_t line, file_check_line *line_of, void *context, struct error *error) {
    FINDINGS_AUTO findings = {0};
    ERROR_AUTO fault = {0};
    int result = 0;
    if (device_map_apply(check->setup->map, record, check->setup->plans, device, &fault) != 0)
        result = file_check_tell(check, line, NULL, false, fault.message, error);
    device_validate_all(device, check->setup->plans, &findings);
    for (size_t i = 0; i < findings.count && result == 0; i++) {
        const struct finding *finding = &findings.items[i];
        result = file_check_tell(check, line_of(context, finding->path), finding->path, false, finding->text,
                                 error);
    }
    const Tts__EndDeviceIdentifiers *ids = device->end_device->ids;
    if (result != 0 || ids == NULL) return result;
    if (ids->device_id[0] != '\0') {
        result = check_id_once(check, ids, line, line_of(context, "ids.device_id"), error);
    }
    if (result == 0)
        result = check_eui_once(check, &ids->dev_eui, line, line_of(context, "ids.dev_eui"), error);
    return result;
}

// ---- the file

// A format, once the first bytes have told which one it is.
struct format {
    void *json;  // owned
    void *csv;   // owned
};

static int format_take(struct format *format, const char *data, size_t size, struct error *error) {
    return format->json != NULL ? file_check_json_take(format->json, data, size, error)
                                : file_check_csv_take(format->csv, data, size, error);
}

// The beginning of the file once more, then the rest of it.
struct replay {
    struct reader base;
    struct reader *reader;      // borrowed
    const struct buffer *head;  // borrowed
    size_t at;
    bool ended;  // the head is all there is
};

static int replay_read(struct reader *reader, void *data, size_t size, size_t *ret_size,
                       struct error *error) {
    struct replay *self = (struct replay *)reader;
    size_t left = self->head->size - self->at;
    *ret_size = left < size ? left : size;
    if (left == 0 && self->ended) return 0;
    if (left == 0) return self->reader->operations->read(self->reader, data, size, ret_size, error);
    memcpy(data, self->head->data + self->at, *ret_size);
    self->at += *ret_size;
    return 0;
}

static int replay_rewind(struct reader *reader, struct error *error) {
    (void)reader;
    return error_set(error, ERROR_INPUT, "can be read only once");
}

static const struct reader_operations replay_operations = {.read = replay_read, .rewind = replay_rewind};

static int check_format(struct file_check *check, const struct source_driver *driver, struct reader *reader,
                        char *piece, struct error *error) {
    struct format format = {0};
    size_t size = 0;
    int result = 0;
    if (strcmp(driver->name, "json") == 0) {
        format.json = file_check_json_new(check);
    } else {
        result = file_check_csv_new(check, &format.csv, error);
    }
    while (result == 0) {
        result = reader->operations->read(reader, piece, PIECE_SIZE, &size, error);
        if (result == 0) result = format_take(&format, piece, size, error);
        if (size == 0) break;
    }
    file_check_json_free(format.json);
    file_check_csv_free(format.csv);
    return result;
}

// Reads until something tells what the file is: a whole piece, if it is that long.
static int read_head(struct reader *reader, struct buffer *head, char *piece, bool *ret_ended,
                     struct error *error) {
    size_t size = 0;
    *ret_ended = false;
    while (!head->overflowed && head->size < PIECE_SIZE) {
        int result = reader->operations->read(reader, piece, PIECE_SIZE - head->size, &size, error);
        if (result != 0) return result;
        *ret_ended = size == 0;
        if (size == 0) return 0;
        buffer_add(head, piece, size);
    }
    return 0;
}

static int check_file(struct file_check *check, struct buffer *head, char *piece, struct error *error) {
    struct reader *reader = check->setup->reader;
    struct replay replay = {
        .base = {.operations = &replay_operations, .name = reader->name}, .reader = reader, .head = head};
    const struct source_driver *driver = check->setup->driver;
    int result = driver != NULL ? 0 : read_head(reader, head, piece, &replay.ended, error);
    if (result != 0) return result;
    if (driver == NULL) driver = file_check_detect((const char *)head->data, head->size);
    bool own = strcmp(driver->name, "json") == 0 || strcmp(driver->name, "csv") == 0;
    return own ? check_format(check, driver, &replay.base, piece, error)
               : file_check_source(check, driver, &replay.base, error);
}

int file_check(const struct file_check_setup *setup, struct file_check_numbers *ret_numbers,
               struct error *error) {
    *ret_numbers = (struct file_check_numbers){0};
    struct file_check check = {.setup = setup, .numbers = ret_numbers};
    struct buffer head;
    buffer_init(&head, 2 * PIECE_SIZE);
    char *piece = memory_alloc(PIECE_SIZE, 1);
    int result = check_file(&check, &head, piece, error);
    if (result == 0 && ret_numbers->devices == 0 && ret_numbers->findings == 0) {
        result = file_check_tell(&check, 1, NULL, false, "there is no device in it", error);
    }
    buffer_release(&head);
    memory_wipe(piece, PIECE_SIZE);
    free(piece);
    return result;
}
