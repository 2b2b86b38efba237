// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "migrate/file_check_p.h"
#include "source/csv_device.h"
#include "source/file_device.h"
#include "source/registry.h"

struct file_check_csv {
    struct file_check *check;    // borrowed
    struct table_reader *table;  // owned
    struct csv_headers headers;  // the user's
    struct csv_columns columns;
    struct device_naming naming;
    struct file_rules rules;
    bool broken;  // what follows cannot be read
};

static size_t line_of(void *context, const char *field) {
    (void)field;
    return *(const size_t *)context;
}

static int check_header(struct file_check_csv *self, const struct table_row *row, struct error *error) {
    ERROR_AUTO fault = {0};
    if (csv_columns_read(&self->columns, &self->headers, row, &fault) != 0) {
        self->broken = true;
        return file_check_tell_error(self->check, &fault, error);
    }
    if (self->columns.unknown == NULL) return 0;
    char *text MEMORY_AUTO = memory_printf("columns that nobody knows: %s", self->columns.unknown);
    return file_check_tell(self->check, row->line, NULL, !self->check->setup->strict, text, error);
}

static int tell_faults(struct file_check *check, const struct notes *faults, struct error *error) {
    int result = 0;
    for (size_t i = 0; i < faults->count && result == 0; i++) {
        const struct note *fault = &faults->items[i];
        result = file_check_tell(check, fault->line, fault->path, false, fault->text, error);
    }
    return result;
}

static int check_values(struct file_check_csv *self, const struct csv_values *values, struct error *error) {
    struct file_check *check = self->check;
    DEVICE_AUTO device = {0};
    struct notes faults = {0};
    ERROR_AUTO fault = {0};
    device_init(&device);
    bool good = csv_device_read(values, &device, &faults);
    const char *id = device_id(&device);
    file_check_begin(check, *id == '\0' ? NULL : id);
    int result = tell_faults(check, &faults, error);
    notes_release(&faults);
    struct source_record record = {.id = memory_strdup(id)};
    const Tts__EndDeviceIdentifiers *ids = device.end_device->ids;
    record.has_dev_eui = ids != NULL && ids->dev_eui.len == sizeof record.dev_eui;
    if (record.has_dev_eui) memcpy(record.dev_eui, ids->dev_eui.data, sizeof record.dev_eui);
    if (result == 0 && good && file_device_complete(&self->rules, &record, &device, &fault) != 0) {
        result = file_check_tell(check, values->line, NULL, false, fault.message, error);
    } else if (result == 0 && good) {
        size_t line = values->line;
        result = file_check_notes(check, &device.notes, line, error);
        if (result == 0) result = file_check_device(check, &device, &record, line, line_of, &line, error);
    }
    source_record_release(&record);
    file_check_end(check);
    return result;
}

static int take_row(void *context, const struct table_row *row, struct error *error) {
    struct file_check_csv *self = context;
    if (self->broken) return 0;
    if (!self->columns.known) return check_header(self, row, error);
    if (table_row_is_empty(row)) return 0;
    struct csv_values values;
    ERROR_AUTO fault = {0};
    if (csv_values_read(&self->columns, row, &values, &fault) == 0) return check_values(self, &values, error);
    file_check_begin(self->check, NULL);
    int result = file_check_tell_error(self->check, &fault, error);
    file_check_end(self->check);
    return result;
}

static int open_rules(struct file_check_csv *self, struct table_setup *table, struct error *error) {
    const struct file_check_setup *setup = self->check->setup;
    const struct source_driver *driver = source_find(source_drivers(), "csv", strlen("csv"));
    struct option_values *defaults = setup->options == NULL ? option_values_new(driver->options) : NULL;
    const struct source_setup source_setup = {
        .options = setup->options != NULL ? setup->options : defaults,
        .plans = setup->plans,
        .naming = &self->naming,
        .map = setup->map,
        .clock = &clock_system,
        .random = &random_system,
    };
    int result = file_rules_open(&self->rules, &source_setup, error);
    if (result == 0) result = csv_options_read(source_setup.options, table, &self->headers, error);
    option_values_free(defaults);
    return result;
}

int file_check_csv_new(struct file_check *check, void **ret_format, struct error *error) {
    struct file_check_csv *self = memory_new(struct file_check_csv);
    struct table_setup table = {.receiver = take_row, .context = self};
    self->check = check;
    int result = open_rules(self, &table, error);
    // The application is not the file's affair: any will do.
    if (self->rules.application == NULL) self->rules.application = memory_strdup("any");
    self->table = table_reader_new(&table);
    *ret_format = self;
    return result;
}

void file_check_csv_free(void *format) {
    struct file_check_csv *self = format;
    if (self == NULL) return;
    table_reader_free(self->table);
    csv_columns_release(&self->columns);
    csv_headers_release(&self->headers);
    file_rules_release(&self->rules);
    free(self);
}

int file_check_csv_take(void *format, const char *data, size_t size, struct error *error) {
    struct file_check_csv *self = format;
    if (self->broken) return 0;
    ERROR_AUTO fault = {0};
    int result = size == 0 ? table_reader_end(self->table, &fault)
                           : table_reader_take(self->table, data, size, &fault);
    if (result == 0 && size == 0) result = csv_columns_end(&self->columns, &fault);
    if (result == 0) return 0;
    if (result != -ERROR_INPUT && result != -ERROR_TOO_LARGE) {
        error_move(error, &fault);
        return result;
    }
    self->broken = true;
    return file_check_tell_error(self->check, &fault, error);
}
