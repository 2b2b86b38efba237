// SPDX-License-Identifier: Apache-2.0
// Files of any source, as its driver reads them: what a driver refuses of a device is one finding.
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "migrate/file_check_p.h"
#include "source/file_list.h"
#include "source/source.h"

static int blind_add(struct key_set *set, const void *key, size_t size, uint64_t number, uint64_t *ret_number,
                     struct error *error) {
    (void)set, (void)key, (void)size, (void)number, (void)error;
    *ret_number = 0;
    return 0;
}

static int blind_clear(struct key_set *set, struct error *error) {
    (void)set, (void)error;
    return 0;
}

// What stands twice is found like everything else, and does not end the list.
static const struct key_set_operations blind_operations = {.add = blind_add, .clear = blind_clear};

static size_t line_of(void *context, const char *field) {
    (void)field;
    return *(const size_t *)context;
}

// "line 3: appKey: the key is missing" as a finding of that field.
static int tell_refusal(struct file_check *check, size_t line, struct error *fault, struct error *error) {
    char *chain MEMORY_AUTO = error_chain(fault);
    const char *text = chain;
    if (strncmp(text, "line ", 5) == 0 && strstr(text, ": ") != NULL) text = strstr(text, ": ") + 2;
    const char *colon = strstr(text, ": ");
    size_t size = colon == NULL ? 0 : (size_t)(colon - text);
    bool column = size > 0 && (memchr(text, ' ', size) == NULL || strncmp(text, "column ", 7) == 0);
    char *field MEMORY_AUTO = column ? memory_strndup(text, size) : NULL;
    if (column) text = colon + 2;
    char *whole MEMORY_AUTO =
        fault->hint == NULL ? memory_strdup(text) : memory_printf("%s; try: %s", text, fault->hint);
    return file_check_tell(check, line, field, false, whole, error);
}

static int check_record(struct file_check *check, struct source *source, const struct source_record *record,
                        struct error *error) {
    DEVICE_AUTO device = {0};
    ERROR_AUTO fault = {0};
    struct file_entry entry = {0};
    device_init(&device);
    int result = file_record_read(record, &entry, error);
    if (result != 0) return result;
    file_check_begin(check, record->id);
    if (source->driver->convert(source, record, &device, &fault) != 0) {
        result = tell_refusal(check, entry.line, &fault, error);
        if (result == 0 && record->has_dev_eui)
            result = file_check_eui(check, record->dev_eui, entry.line, entry.line, error);
    } else {
        result = file_check_notes(check, &device.notes, entry.line, error);
        if (result == 0)
            result = file_check_device(check, &device, record, entry.line, line_of, &entry.line, error);
    }
    file_check_end(check);
    return result;
}

// Other faults than those of the file end the check.
static int tell_list_fault(struct file_check *check, struct error *fault, struct error *error) {
    int code = -(int)fault->code;
    if (code != -ERROR_INPUT && code != -ERROR_TOO_LARGE) {
        error_move(error, fault);
        return code;
    }
    // The file's name stands before the finding anyway.
    ERROR_AUTO root = {0};
    error_set(&root, fault->code, "%s", error_root(fault)->message);
    return file_check_tell_error(check, &root, error);
}

static int check_pages(struct file_check *check, struct source *source, struct error *error) {
    struct source_page page = {0};
    ARENA_AUTO arena = {0};
    struct job job = {.arena = &arena};
    ERROR_AUTO fault = {0};
    int result = 0;
    enum job_step step = source->driver->prepare(source, &job, "any", &fault);
    do {
        char *cursor = memory_take(page.cursor);
        source_page_release(&page);
        page.cursor = cursor;
        if (step == JOB_DONE) step = source->driver->list(source, &job, &page, &fault);
        for (size_t i = 0; i < page.count && result == 0; i++)
            result = check_record(check, source, &page.records[i], error);
    } while (step == JOB_DONE && result == 0 && page.cursor != NULL);
    source_page_release(&page);
    if (result == 0 && step != JOB_DONE) result = tell_list_fault(check, &fault, error);
    return result;
}

int file_check_source(struct file_check *check, const struct source_driver *driver, struct reader *reader,
                      struct error *error) {
    const struct file_check_setup *setup = check->setup;
    static const struct device_naming naming = {0};
    struct key_set blind = {.operations = &blind_operations};
    struct option_values *defaults = setup->options == NULL ? option_values_new(driver->options) : NULL;
    const struct source_setup source_setup = {
        .options = setup->options != NULL ? setup->options : defaults,
        .plans = setup->plans,
        .naming = &naming,
        .map = setup->map,
        .clock = &clock_system,
        .random = &random_system,
        .dry_run = true,
        .input = reader,
        .seen = &blind,
    };
    struct source *source = NULL;
    int result = driver->open(&source_setup, &source, error);
    if (result == 0) result = check_pages(check, source, error);
    driver->close(source);
    option_values_free(defaults);
    return result;
}
