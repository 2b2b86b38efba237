// SPDX-License-Identifier: Apache-2.0
// The map of single devices: any file is read or refused; what was read is applied to a device.
#include "device/map.h"

#include <string.h>

#include "fuzz.h"

struct bytes_reader {
    struct reader base;
    const uint8_t *data;
    size_t size;
};

static int bytes_read(struct reader *reader, void *data, size_t size, size_t *ret_size, struct error *error) {
    (void)error;
    struct bytes_reader *self = (struct bytes_reader *)reader;
    *ret_size = self->size < size ? self->size : size;
    memcpy(data, self->data, *ret_size);
    self->data += *ret_size;
    self->size -= *ret_size;
    return 0;
}

static const struct reader_operations operations = {.read = bytes_read};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bytes_reader reader = {
        .base = {.operations = &operations, .name = "map"}, .data = data, .size = size};
    const struct frequency_plans *plans = frequency_plans_builtin();
    struct device_map *map = NULL;
    ERROR_AUTO error = {0};
    int result = device_map_load(&reader.base, plans, &map, &error);
    fuzz_check((result == 0) == (map != NULL) && (result != 0) == error_is_set(&error));
    if (map == NULL) return 0;
    char id[] = "dev";
    const struct source_record record = {.id = id, .has_dev_eui = true};
    DEVICE_AUTO device = {0};
    device_init(&device);
    result = device_map_apply(map, &record, plans, &device, &error);
    const struct device_map_entry *entry = device_map_find(map, &record);
    fuzz_check(result == 0 || entry != NULL);
    size_t line = 0;
    fuzz_check(device_map_unused(map, &line) == 0 || line > 0);
    device_map_free(map);
    return 0;
}
