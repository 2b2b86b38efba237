// SPDX-License-Identifier: Apache-2.0
#include "world/firefly_p.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hex.h"
#include "base/memory.h"
#include "world/prng.h"

enum {
    HTTP_BAD_REQUEST = 400,
    HTTP_UNAUTHORIZED = 401,
    HTTP_FORBIDDEN = 403,
    HTTP_NOT_FOUND = 404,
    KEY_SIZE = 16,
    ADDR_SIZE = 4,
    KINDS = 5,
};

// The stream of a seed that its devices are drawn from begins here.
#define STREAM_DEVICES (UINT64_C(1) << 40)

static const char api_prefix[] = "/api/v1/devices";

// ---- the devices

static json_t *draw_hex(struct prng *prng, size_t size) {
    uint8_t bytes[KEY_SIZE];
    char text[HEX_TEXT_SIZE(KEY_SIZE)];
    prng_fill(prng, bytes, size);
    hex_encode_upper(text, bytes, size);
    return json_string(text);
}

// Five kinds in turn: joined; ABP without a packet; never joined; ABP of class C; joined, with all that is optional.
static void make_device(struct firefly_device *device, uint64_t seed, uint64_t index) {
    struct prng prng = prng_init(seed, STREAM_DEVICES + index);
    char eui[HEX_TEXT_SIZE(8)], name[32];
    unsigned kind = (unsigned)(index % KINDS);
    bool joins = kind != 1 && kind != 3, session = kind != 2;
    snprintf(eui, sizeof eui, "0018B200%08X", (unsigned)index);
    snprintf(name, sizeof name, "Meter %llu", (unsigned long long)index);
    json_t *json = json_pack("{s:s, s:s, s:b, s:b, s:s, s:i, s:s, s:b, s:i}", "eui", eui, "name", name,
                             "otaa", joins, "class_c", kind == 3, "region", "EU868", "organization_id", 7,
                             "description", "Basement", "deduplicate", true, "device_class_id", 1);
    json_object_set_new(json, "application_key", joins ? draw_hex(&prng, KEY_SIZE) : json_null());
    json_object_set_new(json, "application_session_key", session ? draw_hex(&prng, KEY_SIZE) : json_null());
    json_object_set_new(json, "network_session_key", session ? draw_hex(&prng, KEY_SIZE) : json_null());
    json_object_set_new(json, "address", session ? draw_hex(&prng, ADDR_SIZE) : json_null());
    json_object_set_new(json, "frame_counter", json_integer(session ? prng_below(&prng, 3000) : 0));
    json_object_set_new(json, "skip_fcnt_check", json_boolean(kind == 4));
    json_object_set_new(json, "rx2_data_rate", kind == 4 ? json_integer(3) : json_null());
    json_object_set_new(json, "tags", kind == 4 ? json_pack("[s, s]", "water", "hall B") : json_array());
    json_object_set_new(json, "location",
                        kind == 4 ? json_pack("{s:f, s:f}", "lat", 53.5, "lon", 10.0) : json_null());
    device->json = json;
    device->packet = session && kind != 1 ? json_integer(1 + prng_below(&prng, 60000)) : json_null();
}

struct firefly *firefly_new(const struct world_setup *setup) {
    struct firefly *firefly = memory_new(struct firefly);
    firefly->count = (size_t)setup->firefly_devices;
    firefly->devices = memory_new_array(struct firefly_device, firefly->count);
    for (size_t i = 0; i < firefly->count; i++) make_device(&firefly->devices[i], setup->seed, i);
    return firefly;
}

void firefly_free(struct firefly *firefly) {
    if (firefly == NULL) return;
    for (size_t i = 0; i < firefly->count; i++) {
        json_decref(firefly->devices[i].json);
        json_decref(firefly->devices[i].packet);
    }
    free(firefly->devices);
    free(firefly);
}

// ---- requests

static void put_json(struct world_reply *reply, json_t *object) {
    char *text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    buffer_puts(&reply->body, text);
    memory_free_secret(text);
    world_reply_add_header(reply, "content-type", "application/json");
}

// What stands behind the interface's prefix: "", "/eui/0018...", "/eui/0018.../packets". NULL = another path.
static const char *rest_of(const struct world_request *request) {
    const char *path = strchr(request->method, ' ');
    size_t size = sizeof api_prefix - 1;
    return path == NULL || strncmp(path + 1, api_prefix, size) != 0 ? NULL : path + 1 + size;
}

static bool is_put(const struct world_request *request) {
    return strncmp(request->method, "PUT ", 4) == 0;
}

const char *firefly_method(const struct world_request *request) {
    const char *rest = rest_of(request);
    if (rest != NULL && *rest == '\0') return "firefly-list";
    if (is_put(request)) return "firefly-put";
    return rest != NULL && strstr(rest, "/packets") != NULL ? "firefly-packets" : "firefly-get";
}

static struct firefly_device *find_device(struct firefly *firefly, const char *rest,
                                          const char **ret_behind) {
    static const char prefix[] = "/eui/";
    if (strncmp(rest, prefix, sizeof prefix - 1) != 0) return NULL;
    rest += sizeof prefix - 1;
    size_t size = strcspn(rest, "/");
    for (size_t i = 0; i < firefly->count; i++) {
        const char *eui = json_string_value(json_object_get(firefly->devices[i].json, "eui"));
        if (strlen(eui) != size || strncasecmp(eui, rest, size) != 0) continue;
        *ret_behind = rest + size;
        return &firefly->devices[i];
    }
    return NULL;
}

// True if the change makes sense: members that there are, and keys that are keys.
static bool is_change(const struct firefly_device *device, json_t *change) {
    const char *name = NULL;
    json_t *value = NULL;
    if (!json_is_object(change) || json_object_size(change) == 0) return false;
    json_object_foreach(change, name, value) {
        uint8_t key[KEY_SIZE];
        const char *text = json_string_value(value);
        if (json_object_get(device->json, name) == NULL) return false;
        bool is_key = strstr(name, "_key") != NULL;
        if (is_key && (text == NULL || !hex_decode(key, sizeof key, text, strlen(text)))) return false;
    }
    return true;
}

static void change_device(struct firefly_device *device, const struct world_request *request,
                          struct world_reply *reply) {
    json_t *body = json_loadb(request->body, request->body_size, 0, NULL);
    json_t *change = json_object_get(body, "device");
    if (!is_change(device, change)) {
        world_reply_status(reply, HTTP_BAD_REQUEST, "invalid device");
    } else {
        // What it has already changes nothing.
        json_t *before = json_copy(device->json);
        json_object_update(device->json, change);
        if (!json_equal(before, device->json)) device->writes++;
        json_decref(before);
        put_json(reply, json_pack("{s:O}", "device", device->json));
    }
    json_decref(body);
}

static void list_devices(const struct firefly *firefly, struct world_reply *reply) {
    json_t *list = json_array();
    for (size_t i = 0; i < firefly->count; i++) json_array_append(list, firefly->devices[i].json);
    put_json(reply, json_pack("{s:o}", "devices", list));
}

static void list_packets(const struct firefly_device *device, struct world_reply *reply) {
    json_t *list = json_array();
    if (!json_is_null(device->packet))
        json_array_append_new(list, json_pack("{s:O}", "fcnt", device->packet));
    put_json(reply, json_pack("{s:o}", "packets", list));
}

void world_firefly_call(struct firefly *firefly, const struct world_request *request,
                        struct world_reply *reply) {
    const char *key = world_request_header(request, "?auth");
    const char *rest = rest_of(request), *behind = "";
    bool reads = key != NULL && strcmp(key, WORLD_FIREFLY_READ_KEY) == 0;
    if (!reads && (key == NULL || strcmp(key, WORLD_FIREFLY_KEY) != 0)) {
        world_reply_status(reply, HTTP_UNAUTHORIZED, "unauthorized");
        return;
    }
    if (rest != NULL && *rest == '\0') {
        list_devices(firefly, reply);
        return;
    }
    struct firefly_device *device = rest == NULL ? NULL : find_device(firefly, rest, &behind);
    if (device == NULL) {
        world_reply_status(reply, HTTP_NOT_FOUND, "not found");
    } else if (strcmp(behind, "/packets") == 0) {
        list_packets(device, reply);
    } else if (*behind != '\0') {
        world_reply_status(reply, HTTP_NOT_FOUND, "not found");
    } else if (!is_put(request)) {
        put_json(reply, json_pack("{s:O}", "device", device->json));
    } else if (reads) {
        world_reply_status(reply, HTTP_FORBIDDEN, "forbidden");
    } else {
        change_device(device, request, reply);
    }
}

void firefly_state_json(const struct firefly *firefly, const char *separator, struct buffer *state) {
    for (size_t i = 0; i < firefly->count; i++) {
        const struct firefly_device *device = &firefly->devices[i];
        json_t *whole = json_copy(device->json);
        json_object_set(whole, "packet", device->packet);
        json_object_set_new(whole, "writes", json_integer((json_int_t)device->writes));
        char *text = json_dumps(whole, JSON_COMPACT | JSON_SORT_KEYS);
        buffer_printf(state, "%s%s", i > 0 ? separator : "", text);
        memory_free_secret(text);
        json_decref(whole);
    }
}
