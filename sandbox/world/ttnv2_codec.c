// SPDX-License-Identifier: Apache-2.0
// Field numbers as the running servers speak them.
#include <string.h>

#include "world/ttnv2_p.h"

// handler.Device
enum {
    DEVICE_APP_ID = 1,
    DEVICE_DEV_ID = 2,
    DEVICE_LORAWAN = 3,
    DEVICE_LATITUDE = 10,
    DEVICE_LONGITUDE = 11,
    DEVICE_ALTITUDE = 12,
    DEVICE_ATTRIBUTES = 13,
    DEVICE_DESCRIPTION = 20,
};

// lorawan.Device
enum {
    LORAWAN_APP_EUI = 1,
    LORAWAN_DEV_EUI = 2,
    LORAWAN_APP_ID = 3,
    LORAWAN_DEV_ID = 4,
    LORAWAN_DEV_ADDR = 5,
    LORAWAN_NWK_S_KEY = 6,
    LORAWAN_APP_S_KEY = 7,
    LORAWAN_APP_KEY = 8,
    LORAWAN_F_CNT_UP = 9,
    LORAWAN_F_CNT_DOWN = 10,
    LORAWAN_DISABLE_F_CNT_CHECK = 11,
    LORAWAN_USES32_BIT_F_CNT = 12,
    LORAWAN_ACTIVATION_CONSTRAINTS = 13,
    LORAWAN_USED_DEV_NONCES = 14,
    LORAWAN_USED_APP_NONCES = 15,
    LORAWAN_LAST_SEEN = 21,
};

static const char *take_bytes(const struct wire_field *field, struct wire_bytes *ret_bytes) {
    if (field->type != WIRE_BYTES) return WIRE_WRONG_TYPE;
    *ret_bytes = field->bytes;
    return NULL;
}

static const char *take_sized(const struct wire_field *field, struct wire_bytes *ret_bytes, size_t size,
                              const char *failure) {
    if (field->type != WIRE_BYTES) return WIRE_WRONG_TYPE;
    if (field->bytes.size != size) return failure;
    *ret_bytes = field->bytes;
    return NULL;
}

static const char *take_key(const struct wire_field *field, struct wire_bytes *ret_bytes) {
    return take_sized(field, ret_bytes, KEY_SIZE, "ttn/core: Invalid length for AES128Key");
}

static const char *take_eui(const struct wire_field *field, struct wire_bytes *ret_bytes) {
    return take_sized(field, ret_bytes, EUI_SIZE, "ttn/core: Invalid length for EUI64");
}

static const char *take_uint32(const struct wire_field *field, uint32_t *ret_value) {
    if (field->type != WIRE_VARINT) return WIRE_WRONG_TYPE;
    *ret_value = (uint32_t)field->value;
    return NULL;
}

static const char *take_bool(const struct wire_field *field, bool *ret_value) {
    if (field->type != WIRE_VARINT) return WIRE_WRONG_TYPE;
    *ret_value = field->value != 0;
    return NULL;
}

static const char *take_float(const struct wire_field *field, float *ret_value) {
    if (field->type != WIRE_FIXED32) return WIRE_WRONG_TYPE;
    *ret_value = wire_float(field->value);
    return NULL;
}

static const char *count_nonce(const struct wire_field *field, uint32_t *count, size_t size) {
    struct wire_bytes nonce;
    ++*count;
    return take_sized(field, &nonce, size, "ttn/core: Invalid length for Nonce");
}

static const char *take_lorawan(const struct wire_field *field, struct v2_device_message *message) {
    switch (field->number) {
        case LORAWAN_APP_EUI:
            return take_eui(field, &message->app_eui);
        case LORAWAN_DEV_EUI:
            return take_eui(field, &message->dev_eui);
        case LORAWAN_APP_ID:
            return take_bytes(field, &message->lorawan_app_id);
        case LORAWAN_DEV_ID:
            return take_bytes(field, &message->lorawan_dev_id);
        case LORAWAN_DEV_ADDR:
            return take_sized(field, &message->dev_addr, DEV_ADDR_SIZE,
                              "ttn/core: Invalid length for DevAddr");
        case LORAWAN_NWK_S_KEY:
            return take_key(field, &message->nwk_s_key);
        case LORAWAN_APP_S_KEY:
            return take_key(field, &message->app_s_key);
        case LORAWAN_APP_KEY:
            return take_key(field, &message->app_key);
        case LORAWAN_F_CNT_UP:
            return take_uint32(field, &message->f_cnt_up);
        case LORAWAN_F_CNT_DOWN:
            return take_uint32(field, &message->f_cnt_down);
        case LORAWAN_DISABLE_F_CNT_CHECK:
            return take_bool(field, &message->disable_f_cnt_check);
        case LORAWAN_USES32_BIT_F_CNT:
            return take_bool(field, &message->uses32_bit_f_cnt);
        case LORAWAN_ACTIVATION_CONSTRAINTS:
            return take_bytes(field, &message->constraints);
        case LORAWAN_USED_DEV_NONCES:
            return count_nonce(field, &message->dev_nonces, 2);
        case LORAWAN_USED_APP_NONCES:
            return count_nonce(field, &message->app_nonces, 3);
        case LORAWAN_LAST_SEEN:
            if (field->type != WIRE_VARINT) return WIRE_WRONG_TYPE;
            message->last_seen = (int64_t)field->value;
            return NULL;
        default:
            return NULL;
    }
}

static const char *decode_lorawan(const struct wire_field *outer, struct v2_device_message *message) {
    if (outer->type != WIRE_BYTES) return WIRE_WRONG_TYPE;
    message->has_lorawan = true;
    struct wire_reader reader = {.data = outer->bytes.data, .size = outer->bytes.size};
    struct wire_field field;
    while (wire_next(&reader, &field)) {
        const char *failure = take_lorawan(&field, message);
        if (failure != NULL) return failure;
    }
    return reader.failure;
}

static const char *check_attribute(const struct wire_field *field) {
    if (field->type != WIRE_BYTES) return WIRE_WRONG_TYPE;
    struct wire_bytes texts[2] = {0};
    return v2_decode_texts(field->bytes, texts, 2);
}

static const char *take_device(const struct wire_field *field, struct v2_device_message *message) {
    switch (field->number) {
        case DEVICE_APP_ID:
            return take_bytes(field, &message->app_id);
        case DEVICE_DEV_ID:
            return take_bytes(field, &message->dev_id);
        case DEVICE_LORAWAN:
            return decode_lorawan(field, message);
        case DEVICE_LATITUDE:
            return take_float(field, &message->latitude);
        case DEVICE_LONGITUDE:
            return take_float(field, &message->longitude);
        case DEVICE_ALTITUDE:
            if (field->type != WIRE_VARINT) return WIRE_WRONG_TYPE;
            message->altitude = (int32_t)(uint32_t)field->value;
            return NULL;
        case DEVICE_ATTRIBUTES:
            return check_attribute(field);
        case DEVICE_DESCRIPTION:
            return take_bytes(field, &message->description);
        default:
            return NULL;
    }
}

const char *v2_decode_device(struct wire_bytes body, struct v2_device_message *ret_message) {
    *ret_message = (struct v2_device_message){.body = body};
    struct wire_reader reader = {.data = body.data, .size = body.size};
    struct wire_field field;
    while (wire_next(&reader, &field)) {
        const char *failure = take_device(&field, ret_message);
        if (failure != NULL) return failure;
    }
    return reader.failure;
}

const char *v2_decode_texts(struct wire_bytes body, struct wire_bytes *texts, size_t count) {
    struct wire_reader reader = {.data = body.data, .size = body.size};
    struct wire_field field;
    while (wire_next(&reader, &field)) {
        if (field.number > count) continue;
        if (field.type != WIRE_BYTES) return WIRE_WRONG_TYPE;
        texts[field.number - 1] = field.bytes;
    }
    return reader.failure;
}

bool v2_next_attribute(struct wire_reader *reader, struct wire_bytes *ret_key, struct wire_bytes *ret_value) {
    struct wire_field field;
    while (wire_next(reader, &field)) {
        if (field.number != DEVICE_ATTRIBUTES || field.type != WIRE_BYTES) continue;
        struct wire_bytes texts[2] = {0};
        v2_decode_texts(field.bytes, texts, 2);
        *ret_key = texts[0];
        *ret_value = texts[1];
        return true;
    }
    return false;
}

static void put_number(struct buffer *buffer, uint32_t number, uint64_t value) {
    if (value != 0) wire_put_varint(buffer, number, value);
}

// Keys, DevAddr and EUIs are always there, zero or not.
static void encode_lorawan(struct buffer *buffer, const char *app_id, const struct v2_device *device,
                           const struct v2_network_device *network) {
    wire_put_bytes(buffer, LORAWAN_APP_EUI, device->app_eui, EUI_SIZE);
    wire_put_bytes(buffer, LORAWAN_DEV_EUI, device->dev_eui, EUI_SIZE);
    wire_put_text(buffer, LORAWAN_APP_ID, app_id);
    wire_put_text(buffer, LORAWAN_DEV_ID, device->dev_id);
    wire_put_bytes(buffer, LORAWAN_DEV_ADDR, device->session.dev_addr, DEV_ADDR_SIZE);
    wire_put_bytes(buffer, LORAWAN_NWK_S_KEY, device->session.nwk_s_key, KEY_SIZE);
    wire_put_bytes(buffer, LORAWAN_APP_S_KEY, device->app_s_key, KEY_SIZE);
    wire_put_bytes(buffer, LORAWAN_APP_KEY, device->app_key, KEY_SIZE);
    if (network != NULL) {
        put_number(buffer, LORAWAN_F_CNT_UP, network->f_cnt_up);
        put_number(buffer, LORAWAN_F_CNT_DOWN, network->f_cnt_down);
    }
    put_number(buffer, LORAWAN_DISABLE_F_CNT_CHECK, device->disable_f_cnt_check);
    put_number(buffer, LORAWAN_USES32_BIT_F_CNT, device->uses32_bit_f_cnt);
    const char *constraints = device->constraints != NULL ? device->constraints : "local";
    wire_put_text(buffer, LORAWAN_ACTIVATION_CONSTRAINTS, constraints);
    if (network != NULL) put_number(buffer, LORAWAN_LAST_SEEN, (uint64_t)network->last_seen);
}

void v2_encode_device(struct buffer *buffer, const char *app_id, const struct v2_device *device,
                      const struct v2_network_device *network) {
    wire_put_text(buffer, DEVICE_APP_ID, app_id);
    wire_put_text(buffer, DEVICE_DEV_ID, device->dev_id);
    size_t mark = wire_begin(buffer, DEVICE_LORAWAN);
    encode_lorawan(buffer, app_id, device, network);
    wire_end(buffer, mark);
    if (device->latitude != 0) wire_put_float(buffer, DEVICE_LATITUDE, device->latitude);
    if (device->longitude != 0) wire_put_float(buffer, DEVICE_LONGITUDE, device->longitude);
    put_number(buffer, DEVICE_ALTITUDE, (uint64_t)(int64_t)device->altitude);
    for (unsigned i = 0; i < device->attribute_count; i++) {
        const struct v2_attribute *attribute = &device->attributes[i];
        mark = wire_begin(buffer, DEVICE_ATTRIBUTES);
        wire_put_bytes(buffer, 1, attribute->key.data, attribute->key.size);
        wire_put_bytes(buffer, 2, attribute->value.data, attribute->value.size);
        wire_end(buffer, mark);
    }
    if (device->description.size > 0) {
        wire_put_bytes(buffer, DEVICE_DESCRIPTION, device->description.data, device->description.size);
    }
}
