// SPDX-License-Identifier: Apache-2.0
// A row of Wanesy's table of devices, and the device that it becomes.
#ifndef SOURCE_WANESY_DEVICE_H
#define SOURCE_WANESY_DEVICE_H

#include "base/table.h"
#include "source/file_device.h"

// Columns that count; all others are left out.
#define WANESY_COLUMNS(X)                   \
    X(DEV_EUI, "devEui")                    \
    X(NAME, "name")                         \
    X(CLUSTER_ID, "clusterId")              \
    X(CLUSTER_NAME, "clusterName")          \
    X(CLASS, "classType")                   \
    X(REGION, "rfRegion")                   \
    X(MAC_VERSION, "macVersion")            \
    X(REVISION, "regParamsRevision")        \
    X(ADR, "adrEnabled")                    \
    X(ACTIVATION, "activation")             \
    X(JOIN_EUI, "appEui")                   \
    X(APP_KEY, "appKey")                    \
    X(F_CNT_DOWN, "fcntDown")               \
    X(F_CNT_UP, "fcntUp")                   \
    X(F_NWK_S_INT_KEY, "fNwkSIntKey")       \
    X(S_NWK_S_INT_KEY, "sNwkSIntKey")       \
    X(RX1_DELAY, "rx1Delay")                \
    X(RX1_OFFSET, "rx1DrOffset")            \
    X(RX2_DATA_RATE, "rx2Dr")               \
    X(RX2_FREQUENCY, "rx2Freq")             \
    X(PING_SLOT_DATA_RATE, "pingSlotDr")    \
    X(PING_SLOT_FREQUENCY, "pingSlotFreq")  \
    X(LATITUDE, "latitude")                 \
    X(LONGITUDE, "longitude")               \
    X(ALTITUDE, "altitude")                 \
    X(LAST_DOWNLINK, "lastDataDownMessage") \
    X(DEV_ADDR, "dev_addr")                 \
    X(NWK_S_KEY, "NwkSKey")                 \
    X(APP_S_KEY, "AppSKey")

enum wanesy_column {
#define X(name, header) WANESY_##name,
    WANESY_COLUMNS(X)
#undef X
        WANESY_COLUMN_COUNT
};

// Which column stands where in the file.
struct wanesy_header {
    enum wanesy_column *columns;  // owned; WANESY_COLUMN_COUNT = one that does not count
    size_t count;
};

void wanesy_header_release(struct wanesy_header *header);

// Reads the first row. ERROR_INPUT if it is none, or if a column stands twice.
int wanesy_header_read(const struct table_row *row, struct wanesy_header *ret_header, struct error *error);

// A row's fields; "" = empty, or a word that stands for nothing. Borrowed.
struct wanesy_fields {
    const char *texts[WANESY_COLUMN_COUNT];
    size_t line;
};

// ERROR_INPUT if the row has more fields than there are columns.
int wanesy_fields_read(const struct wanesy_header *header, const struct table_row *row,
                       struct wanesy_fields *ret_fields, struct error *error);

// The fields as bytes, and back. ERROR_INPUT if they are none of ours.
void wanesy_fields_pack(const struct wanesy_fields *fields, struct buffer *data);
int wanesy_fields_unpack(const struct file_entry *entry, struct wanesy_fields *ret_fields,
                         struct error *error);

// The row's DevEUI; NULL, or what is wrong with it.
const char *wanesy_dev_eui(const struct wanesy_fields *fields, uint8_t ret_eui[static 8]);

// Makes the device of a row.
int wanesy_device_read(const struct wanesy_fields *fields, const struct file_rules *rules,
                       const struct source_record *record, struct device *device, struct error *error);

#endif
