// SPDX-License-Identifier: Apache-2.0
#include "cli/map_file.h"

static void tell_doubts(const struct log *log, const char *path, const struct device_map_doubts *doubts) {
    if (doubts->count == 0) return;
    log_printf(log, LOG_WARN, "--map %s: digits of %zu field%s may be rounded, first in line %zu: %s: %s",
               path, doubts->count, doubts->count == 1 ? "" : "s", doubts->line, doubts->column,
               doubts->reason);
}

int map_file_open(const struct option_values *global, const struct log *log, int wake_fd,
                  const struct frequency_plans *plans, struct device_map **ret_map, struct error *error) {
    const char *path = option_string(global, "map");
    struct reader *reader = NULL;
    if (path == NULL) return 0;
    int result = reader_open_file(path, wake_fd, &reader, error);
    if (result == 0) result = device_map_load(reader, plans, ret_map, error);
    reader_close(reader);
    if (result == 0) tell_doubts(log, path, device_map_doubts(*ret_map));
    return result;
}
