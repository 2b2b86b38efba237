// SPDX-License-Identifier: Apache-2.0
// The table of --map.
#ifndef CLI_MAP_FILE_H
#define CLI_MAP_FILE_H

#include "base/log.h"
#include "base/option.h"
#include "device/map.h"

// Reads it; *ret_map (owned by the caller) stays NULL if none is named. Tells of digits that a spreadsheet may have rounded.
// `wake_fd` as for reader_open_file.
int map_file_open(const struct option_values *global, const struct log *log, int wake_fd,
                  const struct frequency_plans *plans, struct device_map **ret_map, struct error *error);

#endif
