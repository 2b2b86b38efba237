// SPDX-License-Identifier: Apache-2.0
#include "device/record.h"

#include <stdlib.h>

#include "base/memory.h"

static void record_drop_data(struct source_record *record) {
    if (record->data != NULL) memory_wipe(record->data, record->size);
    free(record->data);
    record->data = NULL;
    record->size = 0;
}

void source_record_release(struct source_record *record) {
    record_drop_data(record);
    free(record->id);
    *record = (struct source_record){0};
}

void source_record_set_data(struct source_record *record, const void *data, size_t size) {
    uint8_t *copy = memory_dup(data, size);
    record_drop_data(record);
    record->data = copy;
    record->size = size;
}
