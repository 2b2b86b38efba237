// SPDX-License-Identifier: Apache-2.0
// What the checks of the formats share.
#ifndef MIGRATE_FILE_CHECK_P_H
#define MIGRATE_FILE_CHECK_P_H

#include "device/device.h"
#include "migrate/file_check.h"

struct file_check {
    const struct file_check_setup *setup;
    struct file_check_numbers *numbers;
    const char *device;  // the present one's ID, or NULL; borrowed
    bool faulty;         // it has a finding that is not harmless
};

// A device begins, ends.
void file_check_begin(struct file_check *check, const char *device);
void file_check_end(struct file_check *check);

// Tells something. `field` may be NULL.
int file_check_tell(struct file_check *check, size_t line, const char *field, bool harmless, const char *text,
                    struct error *error);

// The error of a reader, which begins with "line 3: ", as a finding; it is released.
int file_check_tell_error(struct file_check *check, struct error *fault, struct error *error);

// The line of a field of the present device.
typedef size_t file_check_line(void *context, const char *field);

// Lays down what the user's map says of a device, and tells what The Things Stack would refuse of it, and what of it stood
// in the file before. `record` is what the map knows it by.
int file_check_device(struct file_check *check, struct device *device, const struct source_record *record,
                      size_t line, file_check_line *line_of, void *context, struct error *error);

// Tells where a DevEUI stood in the file before. `line` is where its device begins.
int file_check_eui(struct file_check *check, const uint8_t *eui, size_t line, size_t field_line,
                   struct error *error);

// Tells notes, which are harmless.
int file_check_notes(struct file_check *check, const struct notes *notes, size_t line, struct error *error);

// Where the first byte is that tells something; `size` = nowhere.
size_t file_check_first(const char *data, size_t size);

// The source that reads a file which begins so.
const struct source_driver *file_check_detect(const char *data, size_t size);

// Checks the whole file as the driver reads it.
int file_check_source(struct file_check *check, const struct source_driver *driver, struct reader *reader,
                      struct error *error);

// A format. `size` 0 is the end of the file.
typedef int file_check_take(void *format, const char *data, size_t size, struct error *error);

void *file_check_json_new(struct file_check *check);
void file_check_json_free(void *format);
file_check_take file_check_json_take;

// ERROR_USAGE if the options are wrong.
int file_check_csv_new(struct file_check *check, void **ret_format, struct error *error);
void file_check_csv_free(void *format);
file_check_take file_check_csv_take;

#endif
