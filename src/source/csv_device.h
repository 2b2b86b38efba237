// SPDX-License-Identifier: Apache-2.0
// Devices in the columns of The Things Stack's CSV.
#ifndef SOURCE_CSV_DEVICE_H
#define SOURCE_CSV_DEVICE_H

#include "base/option.h"
#include "base/table.h"
#include "device/device.h"

enum csv_column {
    CSV_ID,
    CSV_DEV_EUI,
    CSV_JOIN_EUI,
    CSV_NAME,
    CSV_DESCRIPTION,
    CSV_FREQUENCY_PLAN_ID,
    CSV_LORAWAN_VERSION,
    CSV_LORAWAN_PHY_VERSION,
    CSV_BRAND_ID,
    CSV_MODEL_ID,
    CSV_HARDWARE_VERSION,
    CSV_FIRMWARE_VERSION,
    CSV_BAND_ID,
    CSV_VENDOR_ID,
    CSV_VENDOR_PROFILE_ID,
    CSV_APP_KEY,
    CSV_NWK_KEY,
    CSV_RX1_DELAY,
    CSV_SUPPORTS_32_BIT_F_CNT,
    CSV_SUPPORTS_CLASS_C,
    CSV_DEV_ADDR,
    CSV_APP_S_KEY,
    CSV_F_NWK_S_INT_KEY,
    CSV_LAST_F_CNT_UP,
    CSV_LAST_N_F_CNT_DOWN,
    CSV_LAST_A_F_CNT_DOWN,
    CSV_COLUMN_COUNT,
};

// The column's name in the first row.
const char *csv_column_name(enum csv_column column);

// Which column has which header: of The Things Stack, or as a user says ("dev_eui=DevEUI,app_key=\"App Key\"").
struct csv_headers {
    char *headers[CSV_COLUMN_COUNT];  // owned; NULL = the column's own name
};

// Reads what the user says. ERROR_USAGE.
int csv_headers_read(const char *text, struct csv_headers *ret_headers, struct error *error);
void csv_headers_release(struct csv_headers *headers);

// Reads the options of the source's table about how the file is written. ERROR_USAGE.
int csv_options_read(const struct option_values *values, struct table_setup *setup,
                     struct csv_headers *ret_headers, struct error *error);

// Where the columns are in a file; CSV_COLUMN_COUNT = a field that nobody knows. Zeroed at first.
struct csv_columns {
    bool known;               // the row with their names was there
    enum csv_column *fields;  // owned
    size_t count;
    char *unknown;       // owned; headers that nobody knows, in one line; NULL = none
    size_t titles;       // rows above the names
    struct error fault;  // what is wrong if these never come
};

// Takes the row of names, which people write in their own way: table_header_is counts where no column has the very name.
// Rows above it that name no column, such as a title, are let pass; `known` says whether it was the one. ERROR_INPUT if
// there is none of the columns, or one stands twice or is missing that the user named.
int csv_columns_read(struct csv_columns *columns, const struct csv_headers *headers,
                     const struct table_row *row, struct error *error);

// At the end of the file. ERROR_INPUT if no row had the names.
int csv_columns_end(struct csv_columns *columns, struct error *error);
void csv_columns_release(struct csv_columns *columns);

// The fields of a device; NULL = empty. Borrowed.
struct csv_values {
    const char *texts[CSV_COLUMN_COUNT];
    const char *unknown;  // headers that nobody knows, told with the file's first device; NULL = none
    size_t line;
};

// Takes the fields of a row. ERROR_INPUT if there are more of them than columns.
int csv_values_read(const struct csv_columns *columns, const struct table_row *row,
                    struct csv_values *ret_values, struct error *error);

// The same as bytes, and back; the texts then point into `data`. ERROR_INPUT if it holds something else.
void csv_values_pack(const struct csv_values *values, struct buffer *data);
int csv_values_unpack(const void *data, size_t size, struct csv_values *ret_values, struct error *error);

// Makes the device of them, as far as they say. What cannot be taken becomes a note of kind NOTE_FAULT with the column's
// name in `faults`. True if there is none.
bool csv_device_read(const struct csv_values *values, struct device *device, struct notes *faults);

#endif
