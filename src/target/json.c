// SPDX-License-Identifier: Apache-2.0
// Target json: the device JSON of The Things Stack, one object a line.
#include "device/json_write.h"
#include "target/targets.h"

static int json_encode(const struct device *device, struct buffer *output, struct error *error) {
    (void)error;
    message_json_write(&device->end_device->base, output);
    buffer_putc(output, '\n');
    return 0;
}

static int json_fit(struct device *device, struct error *error) {
    (void)error;
    device_drop_gen_app_key(device);
    return 0;
}

const struct target_driver target_json = {
    .name = "json",
    .title = "device JSON of The Things Stack, to standard output or --output FILE",
    .encode = json_encode,
    .fit = json_fit,
};
