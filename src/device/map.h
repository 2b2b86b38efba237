// SPDX-License-Identifier: Apache-2.0
// What a user has laid down about single devices in a table: --map FILE. Its first row names the columns: `id` (at the
// source) or `dev_eui`, then any of device_id, join_eui, frequency_plan_id, lorawan_version, lorawan_phy_version and
// application_id. An empty field lays nothing down. The whole map is held in memory, some 80 bytes a row.
#ifndef DEVICE_MAP_H
#define DEVICE_MAP_H

#include "base/error.h"
#include "base/reader.h"
#include "device/device.h"
#include "device/record.h"
#include "lorawan/frequency_plan.h"
#include "lorawan/identifiers.h"
#include "lorawan/versions.h"

struct device_map;

// What is laid down about one device; texts belong to the map.
struct device_map_entry {
    size_t line;
    const char *device_id;              // NULL = nothing
    const char *application_id;         // NULL = nothing
    const struct frequency_plan *plan;  // NULL = nothing
    enum mac_version mac_version;       // MAC_UNKNOWN = nothing
    enum phy_version phy_version;       // PHY_UNKNOWN = nothing
    bool has_join_eui;
    struct eui64 join_eui;
};

// Reads a map. `plans` outlive it. ERROR_INPUT with file, line and column of what is wrong: also of a column that nobody
// knows, and of a device that stands twice.
int device_map_load(struct reader *reader, const struct frequency_plans *plans, struct device_map **ret_map,
                    struct error *error);
void device_map_free(struct device_map *map);  // accepts NULL

// Fields of a map whose digits a spreadsheet may have rounded, though they can be read: see cell_doubt.
struct device_map_doubts {
    size_t count;
    size_t line;         // of the first one
    const char *column;  // its name; static
    const char *reason;  // what is doubtful; static
};
const struct device_map_doubts *device_map_doubts(const struct device_map *map);

// What is laid down about a device, or NULL. `map` may be NULL.
const struct device_map_entry *device_map_find(struct device_map *map, const struct source_record *record);

// The plan of a device: the map's, or else `plan`. For sources that make a MAC state of the plan: a state has to be made of
// the right one, it cannot be mended afterwards.
const struct frequency_plan *device_map_plan(struct device_map *map, const struct source_record *record,
                                             const struct frequency_plan *plan);

// Applies what is laid down to the converted device. Where plan or versions change, what its session has in force
// (current parameters) stays, and what the network wants of it (desired parameters) is made anew. ERROR_DEVICE if the
// session belongs to another band.
int device_map_apply(struct device_map *map, const struct source_record *record,
                     const struct frequency_plans *plans, struct device *device, struct error *error);

// How many rows no device was found for; *ret_line is that of the first of them.
size_t device_map_unused(const struct device_map *map, size_t *ret_line);

#endif
