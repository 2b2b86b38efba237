// SPDX-License-Identifier: Apache-2.0
// A device as protobuf, as a server may send it: packed and unpacked again it says the same; it can be
// written as JSON, cleaned and judged whatever it holds.
#include <string.h>

#include "device/clean.h"
#include "device/device.h"
#include "device/json_write.h"
#include "device/message.h"
#include "device/validate.h"
#include "fuzz.h"

static void check_packing(const ProtobufCMessage *message, struct arena *arena) {
    BUFFER_AUTO packed, json, json_again;
    buffer_init(&packed, BUFFER_UNLIMITED);
    buffer_init(&json, BUFFER_UNLIMITED);
    buffer_init(&json_again, BUFFER_UNLIMITED);
    message_pack(message, &packed);
    const ProtobufCMessage *again =
        message_unpack(&tts__end_device__descriptor, packed.data, packed.size, arena, NULL);
    fuzz_check(again && message_diff(message, again, NULL, NULL) == 0);
    message_json_write(message, &json);
    message_json_write(again, &json_again);
    fuzz_check(json.size == json_again.size && memcmp(json.data, json_again.data, json.size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    DEVICE_AUTO device;
    device_init(&device);
    ERROR_AUTO error = {0};
    Tts__EndDevice *message = message_unpack(&tts__end_device__descriptor, data, size, &device.arena, &error);
    fuzz_check(message || error.message);
    if (!message) return 0;
    check_packing(&message->base, &device.arena);
    device.end_device = message;
    if (device_clean(&device, &error) == 0) device_validate(&device, frequency_plans_builtin(), &error);
    message_redact(&message->base);
    check_packing(&message->base, &device.arena);
    return 0;
}
