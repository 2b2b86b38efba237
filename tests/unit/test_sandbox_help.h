// SPDX-License-Identifier: Apache-2.0
// Calls to a world, and messages for them, for the tests of the sandbox.
#ifndef TESTS_UNIT_TEST_SANDBOX_HELP_H
#define TESTS_UNIT_TEST_SANDBOX_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "world/wire.h"
#include "world/world.h"

// A moment well after the population was last heard: 2026-06-01.
#define NOW (INT64_C(1780272000) * NS_PER_SECOND)

#define APP "my-ttn-app"

enum { KEY = 16, EUI = 8 };

// A handler.Device to send; NULL leaves a field out.
struct device {
    const char *app_id, *dev_id, *description, *constraints;
    bool no_lorawan;
    const char *inner_app_id, *inner_dev_id;  // NULL = as outside, "" = left out
    const uint8_t *app_eui, *dev_eui, *dev_addr, *nwk_s_key, *app_s_key, *app_key;
    size_t app_key_size;  // 0 = 16
    uint32_t f_cnt_up, f_cnt_down;
    unsigned dev_nonces;
    float latitude;
    const char *attributes[16];  // key, value, ... NULL
};

static inline void put(struct buffer *buffer, uint32_t number, const void *data, size_t size) {
    if (data != NULL) wire_put_bytes(buffer, number, data, size);
}

static inline void put_text(struct buffer *buffer, uint32_t number, const char *text) {
    if (text != NULL && *text != '\0') wire_put_text(buffer, number, text);
}

static inline void pack_device(const struct device *device, struct buffer *buffer) {
    put_text(buffer, 1, device->app_id);
    put_text(buffer, 2, device->dev_id);
    if (!device->no_lorawan) {
        size_t mark = wire_begin(buffer, 3);
        put(buffer, 1, device->app_eui, EUI);
        put(buffer, 2, device->dev_eui, EUI);
        put_text(buffer, 3, device->inner_app_id != NULL ? device->inner_app_id : device->app_id);
        put_text(buffer, 4, device->inner_dev_id != NULL ? device->inner_dev_id : device->dev_id);
        put(buffer, 5, device->dev_addr, 4);
        put(buffer, 6, device->nwk_s_key, KEY);
        put(buffer, 7, device->app_s_key, KEY);
        put(buffer, 8, device->app_key, device->app_key_size > 0 ? device->app_key_size : KEY);
        if (device->f_cnt_up > 0) wire_put_varint(buffer, 9, device->f_cnt_up);
        if (device->f_cnt_down > 0) wire_put_varint(buffer, 10, device->f_cnt_down);
        put_text(buffer, 13, device->constraints);
        for (unsigned i = 0; i < device->dev_nonces; i++) wire_put_bytes(buffer, 14, "\x01\x02", 2);
        wire_end(buffer, mark);
    }
    if (device->latitude != 0) wire_put_float(buffer, 10, device->latitude);
    for (size_t i = 0; device->attributes[i] != NULL; i += 2) {
        size_t mark = wire_begin(buffer, 13);
        wire_put_text(buffer, 1, device->attributes[i]);
        wire_put_text(buffer, 2, device->attributes[i + 1]);
        wire_end(buffer, mark);
    }
    put_text(buffer, 20, device->description);
}

// One call to the Handler with one header (or none); the reply is to be released.
static inline struct world_reply call_at(struct world *world, int64_t now, const char *method,
                                         const char *header, const char *value, const struct buffer *body) {
    struct world_header headers[1] = {{header, value}};
    struct world_request request = {
        .endpoint = WORLD_TTNV2_HANDLER,
        .method = method,
        .headers = headers,
        .header_count = header != NULL ? 1 : 0,
        .body = body->data,
        .body_size = body->size,
    };
    struct world_reply reply;
    world_call(world, now, &request, &reply);
    return reply;
}

#define HANDLER(method) "/handler.ApplicationManager/" method

// A call with the main application's key whose request is two IDs.
static inline struct world_reply call_ids(struct world *world, const char *method, const char *app_id,
                                          const char *dev_id) {
    BUFFER_AUTO body;
    buffer_init(&body, BUFFER_UNLIMITED);
    put_text(&body, 1, app_id);
    put_text(&body, 2, dev_id);
    return call_at(world, NOW, method, "key", world_access_key(world), &body);
}

static inline struct world_reply set_device(struct world *world, const struct device *device) {
    BUFFER_AUTO body;
    buffer_init(&body, BUFFER_UNLIMITED);
    pack_device(device, &body);
    return call_at(world, NOW, HANDLER("SetDevice"), "key", world_access_key(world), &body);
}

// Checks status and message, and releases the reply.
static inline void expect(struct world_reply reply, int status, const char *message) {
    if (reply.message != NULL || *message != '\0') {
        assert_non_null(reply.message);
        assert_string_equal(reply.message, message);
    }
    assert_int_equal(reply.status, status);
    world_reply_release(&reply);
}

// What GetDevice gives, as hexadecimal text; the caller frees it.
static inline char *get_device_hex(struct world *world, const char *app_id, const char *dev_id) {
    struct world_reply reply = call_ids(world, HANDLER("GetDevice"), app_id, dev_id);
    assert_int_equal(reply.status, 0);
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    for (size_t i = 0; i < reply.body.size; i++) buffer_printf(&text, "%02x", reply.body.data[i]);
    world_reply_release(&reply);
    return buffer_take_string(&text);
}

// A number field of GetDevice's lorawan.Device; 0 if absent.
static inline uint64_t lorawan_number(struct world *world, const char *dev_id, uint32_t number) {
    struct world_reply reply = call_ids(world, HANDLER("GetDevice"), APP, dev_id);
    assert_int_equal(reply.status, 0);
    struct wire_reader outer = {.data = reply.body.data, .size = reply.body.size};
    struct wire_field field;
    uint64_t value = 0;
    while (wire_next(&outer, &field)) {
        if (field.number != 3) continue;
        struct wire_reader inner = {.data = field.bytes.data, .size = field.bytes.size};
        struct wire_field part;
        while (wire_next(&inner, &part)) {
            if (part.number == number) value = part.value;
        }
    }
    world_reply_release(&reply);
    return value;
}

// A field of bytes of GetDevice's lorawan.Device, as hexadecimal text in `text`.
static inline void lorawan_bytes(struct world *world, const char *dev_id, uint32_t number, char text[40]) {
    struct world_reply reply = call_ids(world, HANDLER("GetDevice"), APP, dev_id);
    assert_int_equal(reply.status, 0);
    struct wire_reader outer = {.data = reply.body.data, .size = reply.body.size};
    struct wire_field field;
    *text = '\0';
    while (wire_next(&outer, &field)) {
        if (field.number != 3) continue;
        struct wire_reader inner = {.data = field.bytes.data, .size = field.bytes.size};
        struct wire_field part;
        while (wire_next(&inner, &part)) {
            if (part.number != number) continue;
            assert_true(part.bytes.size <= 16);
            for (size_t i = 0; i < part.bytes.size; i++)
                snprintf(text + 2 * i, 3, "%02x", part.bytes.data[i]);
        }
    }
    world_reply_release(&reply);
}

static inline struct world *make_world(uint64_t devices) {
    struct world_setup setup = {.seed = 1, .devices = devices};
    return world_new(&setup);
}

#endif
