// SPDX-License-Identifier: Apache-2.0
// Source wanesy: the tables of devices and of gateways that Kerlink's Wanesy Management Center exports (CSV). Columns are
// known by their names, in any order, so both layouts that are around are read.
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/memory.h"
#include "source/sources.h"
#include "source/wanesy_device.h"

static const struct option_spec options[] = {
    {.name = "csv-path",
     .type = OPTION_STRING,
     .env = "CSV_PATH",
     .argument = "FILE",
     .help = "the devices, or the gateways, as Wanesy exports them (CSV); - or none is standard input"},
    FILE_DEVICE_OPTIONS("; without it the plan of each one's region, if there is only one",
                        " whose versions the file does not tell"),
    {.name = "all",
     .type = OPTION_BOOL,
     .env = "EXPORT_ALL",
     .default_value = "false",
     .help = "all devices of the file: so it is with `application` anyway"},
    {.name = NULL},
};

struct wanesy {
    struct source base;
    struct file_rules rules;
    struct file_list list;
    struct table_reader *table;  // owned
    struct wanesy_header header;
    bool has_header;
    bool gateways;             // the table is that of gateways
    struct source_page *page;  // that is being filled
};

static struct wanesy *wanesy_of(struct source *source) {
    return (struct wanesy *)source;
}

static void wanesy_close(struct source *source) {
    if (source == NULL) return;
    struct wanesy *self = wanesy_of(source);
    table_reader_free(self->table);
    wanesy_header_release(&self->header);
    file_list_release(&self->list);
    file_rules_release(&self->rules);
    free(self);
}

static int wanesy_open(const struct source_setup *setup, struct source **ret_source, struct error *error) {
    struct wanesy *self = memory_new(struct wanesy);
    self->base = (struct source){.driver = &source_wanesy, .keeps = true};
    self->gateways = setup->gateways;
    file_list_init(&self->list, setup);
    int result = file_rules_open(&self->rules, setup, error);
    if (result != 0) {
        wanesy_close(&self->base);
        return result;
    }
    *ret_source = &self->base;
    return 0;
}

static const char *wanesy_default_application(const struct source *source) {
    return file_rules_default_application(&((const struct wanesy *)source)->rules);
}

static enum job_step wanesy_prepare(struct source *source, struct job *job, const char *application,
                                    struct error *error) {
    (void)job;
    return file_rules_prepare(&wanesy_of(source)->rules, application, error);
}

// ---- listing

static int wanesy_row(void *context, const struct table_row *row, struct error *error) {
    struct wanesy *self = context;
    enum wanesy_column column = self->gateways ? WANESY_GATEWAY_EUI : WANESY_DEV_EUI;
    if (!self->has_header) {
        self->has_header = true;
        return wanesy_header_read(row, column, &self->header, error);
    }
    struct wanesy_fields fields;
    if (table_row_is_empty(row)) return 0;
    int result = wanesy_fields_read(&self->header, row, &fields, error);
    if (result != 0) return result;
    self->list.entries++;
    uint8_t eui[8];
    static const char prefix[] = "eui-";
    char id[sizeof prefix - 1 + HEX_TEXT_SIZE(8)];
    bool restored = false;
    bool known = wanesy_eui(&fields, column, eui, &restored) == NULL;
    memcpy(id, prefix, sizeof prefix - 1);
    if (known) hex_encode_lower(id + sizeof prefix - 1, eui, sizeof eui);
    BUFFER_AUTO data;
    buffer_init(&data, BUFFER_UNLIMITED);
    wanesy_fields_pack(&fields, &data);
    const struct file_entry entry = {
        .id = !known           ? NULL
              : self->gateways ? id
                               : id + sizeof prefix - 1,
        .eui = known ? eui : NULL,
        .line = row->line,
        .form = FILE_ENTRY_TEXT,
        .data = data.data,
        .size = data.size,
    };
    return file_list_add(&self->list, self->page, &entry, error);
}

static int wanesy_take(void *context, struct source_page *page, const char *data, size_t size,
                       struct error *error) {
    struct wanesy *self = context;
    self->page = page;
    return size == 0 ? table_reader_end(self->table, error)
                     : table_reader_take(self->table, data, size, error);
}

static enum job_step wanesy_list(struct source *source, struct job *job, struct source_page *page,
                                 struct error *error) {
    (void)job;
    struct wanesy *self = wanesy_of(source);
    if (page->cursor == NULL) {
        table_reader_free(self->table);
        self->table = table_reader_new(&(struct table_setup){.receiver = wanesy_row, .context = self});
        wanesy_header_release(&self->header);
        self->has_header = false;
    }
    return file_list_fill(&self->list, page, wanesy_take, self, error) == 0 ? JOB_DONE : JOB_FAILED;
}

static int wanesy_convert(struct source *source, const struct source_record *record, struct device *device,
                          struct error *error) {
    struct file_entry entry;
    struct wanesy_fields fields;
    int result = file_record_read(record, &entry, error);
    if (result == 0) result = wanesy_fields_unpack(&entry, &fields, error);
    return result != 0 ? result
                       : wanesy_device_read(&fields, &wanesy_of(source)->rules, record, device, error);
}

// ---- gateways: the same list of rows

static enum job_step wanesy_prepare_gateways(struct source *source, struct job *job, struct error *error) {
    (void)source, (void)job, (void)error;
    return JOB_DONE;  // there is no server
}

static int wanesy_convert_gateway(struct source *source, const struct source_record *record,
                                  struct gateway *gateway, struct error *error) {
    struct file_entry entry;
    struct wanesy_fields fields;
    int result = file_record_read(record, &entry, error);
    if (result == 0) result = wanesy_fields_unpack(&entry, &fields, error);
    return result != 0 ? result : wanesy_gateway_read(&fields, &wanesy_of(source)->rules, gateway, error);
}

const struct source_driver source_wanesy = {
    .name = "wanesy",
    .title = "tables of devices and gateways that Kerlink's Wanesy exports (CSV)",
    .features = SOURCE_LISTS | SOURCE_LIST_ONLY | SOURCE_ONE_APPLICATION,
    .about = SOURCE_FILE_ABOUT,
    .examples =
        "application my-app --csv-path list.csv --frequency-plan-id EU_863_870_TTN > devices.json\n"
        "application my-app --csv-path list.csv --frequency-plan-id EU_863_870_TTN --to tts\n"
        "device 0018B20000000001 --csv-path list.csv --frequency-plan-id EU_863_870_TTN --to tts\n"
        "gateway --csv-path gateways.csv > gateways.json",
    .options = options,
    .input = "csv-path",
    .open = wanesy_open,
    .close = wanesy_close,
    .default_application = wanesy_default_application,
    .prepare = wanesy_prepare,
    .list = wanesy_list,
    .read = file_read,
    .convert = wanesy_convert,
    .prepare_gateways = wanesy_prepare_gateways,
    .list_gateways = wanesy_list,
    .read_gateway = file_read,
    .convert_gateway = wanesy_convert_gateway,
};
