// SPDX-License-Identifier: Apache-2.0
// The devices as JSON, out and in.
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/memory.h"
#include "world/ttnv2_p.h"

static void put_member(struct buffer *buffer, const char *name, const void *data, size_t size) {
    char *text = memory_alloc(HEX_TEXT_SIZE(size), 1);
    hex_encode_lower(text, data, size);
    buffer_printf(buffer, ",\"%s\":\"", name);
    buffer_add(buffer, text, 2 * size);
    buffer_putc(buffer, '"');
    free(text);
}

static void put_network_device(struct buffer *state, const struct v2_network_device *network) {
    buffer_puts(state, ",\"network_server\":");
    if (network == NULL) {
        buffer_puts(state, "null");
        return;
    }
    buffer_printf(state, "{\"dev_id\":\"%s\"", network->dev_id);
    put_member(state, "dev_addr", network->session.dev_addr, DEV_ADDR_SIZE);
    put_member(state, "nwk_s_key", network->session.nwk_s_key, KEY_SIZE);
    buffer_printf(state, ",\"f_cnt_up\":%lu,\"f_cnt_down\":%lu,\"last_seen\":%lld,\"frames\":%lu}",
                  (unsigned long)network->f_cnt_up, (unsigned long)network->f_cnt_down,
                  (long long)network->last_seen, (unsigned long)network->frames);
}

// IDs need no escaping; the free texts are in get_device_hex.
static void put_device(struct buffer *state, const struct v2 *v2, const struct v2_application *application,
                       const struct v2_device *device) {
    const struct v2_network_device *network = v2_network_find(&v2->network, device->app_eui, device->dev_eui);
    buffer_printf(state, "{\"app_id\":\"%s\",\"dev_id\":\"%s\"", application->app_id, device->dev_id);
    put_member(state, "app_eui", device->app_eui, EUI_SIZE);
    put_member(state, "dev_eui", device->dev_eui, EUI_SIZE);
    put_member(state, "dev_addr", device->session.dev_addr, DEV_ADDR_SIZE);
    put_member(state, "nwk_s_key", device->session.nwk_s_key, KEY_SIZE);
    put_member(state, "app_s_key", device->app_s_key, KEY_SIZE);
    put_member(state, "app_key", device->app_key, KEY_SIZE);
    put_network_device(state, network);
    buffer_printf(state,
                  ",\"used_dev_nonces\":%lu,\"used_app_nonces\":%lu,\"device_f_cnt_up\":%lu,\"joins\":%u,",
                  (unsigned long)device->dev_nonces, (unsigned long)device->app_nonces,
                  (unsigned long)device->device_f_cnt_up, (unsigned)device->device_join_count);
    buffer_printf(state, "\"writes\":%lu,\"cleared\":%s", (unsigned long)device->writes,
                  device->was_cleared ? "true" : "false");
    if (device->cleared_at != 0) buffer_printf(state, ",\"cleared_at\":%lld", (long long)device->cleared_at);
    BUFFER_AUTO record;
    buffer_init(&record, BUFFER_UNLIMITED);
    v2_encode_device(&record, application->app_id, device, network);
    put_member(state, "get_device_hex", record.data, record.size);
    buffer_putc(state, '}');
}

void v2_state_json(const struct v2 *v2, const char *separator, struct buffer *state) {
    bool first = true;
    for (size_t i = 0; i < v2->application_count; i++) {
        const struct v2_application *application = v2->applications[i];
        for (size_t j = 0; j < application->device_count; j++) {
            if (!first) buffer_puts(state, separator);
            put_device(state, v2, application, application->devices[j]);
            first = false;
        }
    }
}

// The whole text, however long.
static bool read_hex(const char *text, struct buffer *bytes) {
    size_t size = text != NULL ? strlen(text) : 0;
    uint8_t *data = memory_alloc(size / 2, 1);
    bool read = text != NULL && hex_decode(data, size / 2, text, size);
    if (read) buffer_add(bytes, data, size / 2);
    free(data);
    return read;
}

static bool read_bytes(const json_t *object, const char *name, uint8_t *data, size_t size) {
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL && hex_decode(data, size, text, strlen(text));
}

static void copy_bytes(uint8_t *to, struct wire_bytes from, size_t size) {
    if (from.data != NULL) memcpy(to, from.data, size);
}

static struct v2_device *device_of(const struct v2_device_message *message) {
    char *dev_id MEMORY_AUTO = v2_text(message->dev_id);
    struct v2_device *device = v2_device_new(dev_id);
    copy_bytes(device->app_eui, message->app_eui, EUI_SIZE);
    copy_bytes(device->dev_eui, message->dev_eui, EUI_SIZE);
    copy_bytes(device->session.dev_addr, message->dev_addr, DEV_ADDR_SIZE);
    copy_bytes(device->session.nwk_s_key, message->nwk_s_key, KEY_SIZE);
    copy_bytes(device->app_s_key, message->app_s_key, KEY_SIZE);
    copy_bytes(device->app_key, message->app_key, KEY_SIZE);
    if (message->constraints.size > 0) device->constraints = v2_text(message->constraints);
    v2_blob_set(&device->description, message->description.data, message->description.size);
    device->latitude = message->latitude;
    device->longitude = message->longitude;
    device->altitude = message->altitude;
    device->disable_f_cnt_check = message->disable_f_cnt_check;
    device->uses32_bit_f_cnt = message->uses32_bit_f_cnt;
    device->device_f_cnt_up = message->f_cnt_up;
    struct wire_reader reader = {.data = message->body.data, .size = message->body.size};
    struct wire_bytes key = {0};
    struct wire_bytes value = {0};
    while (v2_next_attribute(&reader, &key, &value)) v2_device_add_attribute(device, key, value);
    return device;
}

static uint32_t read_number(const json_t *object, const char *name) {
    return (uint32_t)json_integer_value(json_object_get(object, name));
}

// What the recorded answer does not hold: only in lines that a world wrote.
static void read_rest(const json_t *line, struct v2_device *device, struct v2_network_device *network) {
    device->dev_nonces = read_number(line, "used_dev_nonces");
    device->app_nonces = read_number(line, "used_app_nonces");
    device->writes = read_number(line, "writes");
    device->device_join_count = (uint16_t)read_number(line, "joins");
    device->was_cleared = json_is_true(json_object_get(line, "cleared"));
    device->cleared_at = (int64_t)json_integer_value(json_object_get(line, "cleared_at"));
    const json_t *counter = json_object_get(line, "device_f_cnt_up");
    if (json_is_integer(counter)) device->device_f_cnt_up = (uint32_t)json_integer_value(counter);
    const json_t *state = json_object_get(line, "network_server");
    if (!json_is_object(state)) return;
    network->frames = read_number(state, "frames");
    struct v2_session_keys session;
    if (read_bytes(state, "dev_addr", session.dev_addr, DEV_ADDR_SIZE) &&
        read_bytes(state, "nwk_s_key", session.nwk_s_key, KEY_SIZE)) {
        network->session = session;
    }
}

static const struct v2_application *take_device(struct v2 *v2, const json_t *line,
                                                const struct v2_device_message *message) {
    char *app_id MEMORY_AUTO = v2_text(message->app_id);
    struct v2_application *application = v2_add_application(v2, app_id, true);
    struct v2_device *device = device_of(message);
    struct v2_device *old = v2_find_device(application, device->dev_id);
    if (old != NULL) {
        v2_network_remove(&v2->network, old->app_eui, old->dev_eui);
        v2_remove_device(application, old);
    }
    struct v2_network_device *network = v2_register(v2, application, device);
    network->f_cnt_up = message->f_cnt_up;
    network->f_cnt_down = message->f_cnt_down;
    network->last_seen = message->last_seen;
    read_rest(line, device, network);
    v2_insert_device(application, device);
    if (json_is_null(json_object_get(line, "network_server"))) {
        v2_network_remove(&v2->network, device->app_eui, device->dev_eui);
    }
    return application;
}

int v2_load_device(struct v2 *v2, const char *json, size_t size, const char **ret_app_id,
                   struct error *error) {
    json_error_t problem;
    json_t *line = json_loadb(json, size, 0, &problem);
    if (line == NULL) return error_set(error, ERROR_INPUT, "not a JSON object: %s", problem.text);
    BUFFER_AUTO bytes;
    buffer_init(&bytes, BUFFER_UNLIMITED);
    struct v2_device_message message = {0};
    struct world_reply refusal = {0};
    int result = 0;
    if (!read_hex(json_string_value(json_object_get(line, "get_device_hex")), &bytes)) {
        result = error_set(error, ERROR_INPUT, "no \"get_device_hex\" in hexadecimal");
    } else if (v2_decode_device((struct wire_bytes){bytes.data, bytes.size}, &message) != NULL ||
               !message.has_lorawan) {
        result = error_set(error, ERROR_INPUT, "\"get_device_hex\" is not a device");
    } else if (!v2_check_id(message.app_id, "AppID", "", &refusal) ||
               !v2_check_id(message.dev_id, "DevID", "", &refusal)) {
        result = error_set(error, ERROR_INPUT, "%s", refusal.message);
    } else {
        const struct v2_application *application = take_device(v2, line, &message);
        if (ret_app_id != NULL) *ret_app_id = application->app_id;
    }
    world_reply_release(&refusal);
    json_decref(line);
    return result;
}
