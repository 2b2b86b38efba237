// SPDX-License-Identifier: Apache-2.0
// Source csv: a table of devices with the columns of The Things Stack's CSV, whatever they are called in the file.
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "source/csv_device.h"
#include "source/file_device.h"
#include "source/sources.h"

static const struct option_spec options[] = {
    {.name = "file",
     .type = OPTION_STRING,
     .env = "CSV_PATH",
     .argument = "FILE",
     .help = "table of devices, with the columns' names in its first row; - or none is standard input"},
    {.name = "map",
     .type = OPTION_STRING,
     .argument = "COLUMN=HEADER,...",
     .help = "how columns are called in the file: dev_eui=DevEUI,app_key=\"App Key\""},
    {.name = "delimiter",
     .type = OPTION_STRING,
     .argument = "CHARACTER",
     .help =
         "what stands between columns, or tab; by default the first of ; , and tab that is in the first row"},
    {.name = "encoding",
     .type = OPTION_CHOICE,
     .choices = "auto utf-8 utf-16 latin-1",
     .default_value = "auto",
     .argument = "ENCODING",
     .help = "the file's encoding"},
    FILE_DEVICE_OPTIONS(" whose plan the file does not tell", " whose versions the file does not tell"),
    {.name = NULL},
};

struct csv_source {
    struct source base;
    struct file_rules rules;
    struct file_list list;
    struct table_setup setup;
    struct table_reader *table;  // owned
    struct csv_headers headers;
    struct csv_columns columns;
    struct source_page *page;  // that is being filled
};

static struct csv_source *csv_of(struct source *source) {
    return (struct csv_source *)source;
}

// ---- opening

static void csv_close(struct source *source) {
    if (source == NULL) return;
    struct csv_source *self = csv_of(source);
    table_reader_free(self->table);
    csv_columns_release(&self->columns);
    csv_headers_release(&self->headers);
    file_list_release(&self->list);
    file_rules_release(&self->rules);
    free(self);
}

static table_receiver csv_row;

static int csv_open(const struct source_setup *setup, struct source **ret_source, struct error *error) {
    struct csv_source *self = memory_new(struct csv_source);
    self->base = (struct source){.driver = &source_csv, .keeps = true};
    self->setup = (struct table_setup){.receiver = csv_row, .context = self};
    file_list_init(&self->list, setup);
    int result = file_rules_open(&self->rules, setup, error);
    if (result == 0) result = csv_options_read(setup->options, &self->setup, &self->headers, error);
    if (result != 0) {
        csv_close(&self->base);
        return result;
    }
    *ret_source = &self->base;
    return 0;
}

static const char *csv_default_application(const struct source *source) {
    return file_rules_default_application(&((const struct csv_source *)source)->rules);
}

static enum job_step csv_prepare(struct source *source, struct job *job, const char *application,
                                 struct error *error) {
    (void)job;
    return file_rules_prepare(&csv_of(source)->rules, application, error);
}

// ---- listing

static int csv_row(void *context, const struct table_row *row, struct error *error) {
    struct csv_source *self = context;
    if (!self->columns.known) return csv_columns_read(&self->columns, &self->headers, row, error);
    struct csv_values values;
    if (table_row_is_empty(row)) return 0;
    int result = csv_values_read(&self->columns, row, &values, error);
    if (result != 0) return result;
    if (self->list.entries++ == 0) values.unknown = self->columns.unknown;
    // Only ID and DevEUI are looked at here; what is wrong is told when the device is converted.
    DEVICE_AUTO device = {0};
    device_init(&device);
    const struct csv_values names = {
        .texts = {[CSV_ID] = values.texts[CSV_ID], [CSV_DEV_EUI] = values.texts[CSV_DEV_EUI]}};
    csv_device_read(&names, &device, NULL);
    const Tts__EndDeviceIdentifiers *ids = device_ids(&device);
    BUFFER_AUTO data;
    buffer_init(&data, BUFFER_UNLIMITED);
    csv_values_pack(&values, &data);
    const struct file_entry entry = {
        .id = ids->device_id[0] == '\0' ? NULL : ids->device_id,
        .eui = ids->dev_eui.len == 0 ? NULL : ids->dev_eui.data,
        .line = row->line,
        .form = FILE_ENTRY_TEXT,
        .data = data.data,
        .size = data.size,
    };
    return file_list_add(&self->list, self->page, &entry, error);
}

static int csv_take(void *context, struct source_page *page, const char *data, size_t size,
                    struct error *error) {
    struct csv_source *self = context;
    self->page = page;
    if (size > 0) return table_reader_take(self->table, data, size, error);
    int result = table_reader_end(self->table, error);
    return result != 0 ? result : csv_columns_end(&self->columns, error);
}

static enum job_step csv_list(struct source *source, struct job *job, struct source_page *page,
                              struct error *error) {
    (void)job;
    struct csv_source *self = csv_of(source);
    if (page->cursor == NULL) {
        table_reader_free(self->table);
        self->table = table_reader_new(&self->setup);
        csv_columns_release(&self->columns);
    }
    return file_list_fill(&self->list, page, csv_take, self, error) == 0 ? JOB_DONE : JOB_FAILED;
}

// ---- converting

static int csv_convert(struct source *source, const struct source_record *record, struct device *device,
                       struct error *error) {
    const struct csv_source *self = csv_of(source);
    struct file_entry entry;
    struct csv_values values;
    struct notes faults = {0};
    int result = file_record_read(record, &entry, error);
    if (result == 0) result = csv_values_unpack(entry.data, entry.size, &values, error);
    if (result != 0) return result;
    values.line = entry.line;
    if (!csv_device_read(&values, device, &faults)) {
        result = error_set(error, ERROR_DEVICE, "line %zu: %s: %s", entry.line, faults.items[0].path,
                           faults.items[0].text);
        if (values.texts[CSV_APP_KEY] == NULL && values.texts[CSV_NWK_KEY] == NULL &&
            values.texts[CSV_DEV_ADDR] == NULL)
            error_hint(error, "a row that is no device, such as a sum, has to be taken out");
    }
    notes_release(&faults);
    if (result != 0) return result;
    if (values.unknown != NULL)
        device_note(device, "columns", "not known and left out, for all devices: %s", values.unknown);
    return file_error_at(entry.line, file_device_complete(&self->rules, record, device, error), error);
}

const struct source_driver source_csv = {
    .name = "csv",
    .title = "table of devices (CSV) with the columns of The Things Stack",
    .features = SOURCE_LISTS | SOURCE_LIST_ONLY | SOURCE_ONE_APPLICATION,
    .about = SOURCE_FILE_ABOUT,
    .examples =
        "application my-app --file devices.csv > devices.json\n"
        "application my-app --file devices.csv --to tts\n"
        "device mydevice --file devices.csv --app-id my-app > device.json",
    .options = options,
    .input = "file",
    .open = csv_open,
    .close = csv_close,
    .default_application = csv_default_application,
    .prepare = csv_prepare,
    .list = csv_list,
    .read = file_read,
    .convert = csv_convert,
};
