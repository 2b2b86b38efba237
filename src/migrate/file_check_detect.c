// SPDX-License-Identifier: Apache-2.0
// Which source reads a file, by its beginning.
#include <string.h>
#include <strings.h>

#include "base/table.h"
#include "migrate/file_check_p.h"
#include "source/registry.h"

// White space, and bytes of a mark, tell nothing.
static bool tells_format(char byte) {
    return strchr(" \t\r\n\xef\xbb\xbf", byte) == NULL;
}

size_t file_check_first(const char *data, size_t size) {
    size_t at = 0;
    while (at < size && !tells_format(data[at])) at++;
    return at;
}

static bool holds(const char *data, size_t size, const char *text) {
    return size > 0 && memmem(data, size, text, strlen(text)) != NULL;
}

// A device of The Things Stack has its EUIs in `ids`, one of Helium's beside its key.
static const char *json_source(const char *data, size_t size) {
    bool helium = holds(data, size, "\"dev_eui\"") && holds(data, size, "\"app_eui\"");
    return helium && !holds(data, size, "\"ids\"") ? "helium" : "json";
}

static bool begins_with(const char *text, const char *start) {
    return strncasecmp(text, start, strlen(start)) == 0;
}

static bool has_field(const struct table_row *row, const char *name) {
    for (size_t i = 0; i < row->count; i++) {
        if (strcasecmp(row->fields[i], name) == 0) return true;
    }
    return false;
}

// The first row ends the look.
static int take_row(void *context, const struct table_row *row, struct error *error) {
    const char **name = context;
    const char *first = row->fields[0];
    bool operation =
        begins_with(first, "CREATE_") || begins_with(first, "UPDATE_") || strcasecmp(first, "DELETE") == 0;
    bool wanesy = has_field(row, "devEui") && (has_field(row, "activation") || has_field(row, "rfRegion") ||
                                               has_field(row, "macVersion"));
    *name = operation ? "thingpark" : wanesy ? "wanesy" : "csv";
    return error_set(error, ERROR_CANCELLED, "seen");
}

static const char *table_source(const char *data, size_t size) {
    const char *name = "csv";
    ERROR_AUTO seen = {0};
    const struct table_setup setup = {.comment = '#', .receiver = take_row, .context = &name};
    struct table_reader *table = table_reader_new(&setup);
    // A file without a line's end is no table yet.
    if (table_reader_take(table, data, size, &seen) == 0) (void)table_reader_end(table, &seen);
    table_reader_free(table);
    return name;
}

const struct source_driver *file_check_detect(const char *data, size_t size) {
    size_t at = file_check_first(data, size);
    bool json = at == size || data[at] == '{' || data[at] == '[';
    const char *name = json ? json_source(data, size) : table_source(data, size);
    return source_find(source_drivers(), name, strlen(name));
}
