// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hex.h"
#include "base/memory.h"
#include "world/loriot_p.h"

enum {
    HTTP_BAD_REQUEST = 400,
    HTTP_UNAUTHORIZED = 401,
    HTTP_FORBIDDEN = 403,
    HTTP_NOT_FOUND = 404,
    HTTP_CONFLICT = 409,
    HTTP_TOO_MANY = 429,
    KEY_SIZE = 16,
    EUI_SIZE = 8,
    ADDR_SIZE = 4,
    TITLE_MOST = 50,
    PAGE_MOST = 100,
    PARTS = 4,
};

static const char api_prefix[] = "/1/nwk/";

struct loriot *lo_new(const struct world_setup *setup) {
    struct loriot *loriot = memory_new(struct loriot);
    loriot->rate = setup->rate_limit;
    lo_populate(loriot, setup);
    return loriot;
}

void lo_free(struct loriot *loriot) {
    if (loriot == NULL) return;
    for (size_t i = 0; i < loriot->count; i++) json_decref(loriot->devices[i].json);
    for (size_t i = 0; i < LORIOT_GATEWAYS; i++) json_decref(loriot->gateways[i]);
    free(loriot->devices);
    free(loriot);
}

// ---- requests

// The path's parts behind the prefix: "app", "BE7A0001", "device", "70B3...".
struct path {
    const char *parts[PARTS];
    size_t sizes[PARTS];
    size_t count;
    const char *query;  // behind the ?; "" = none
};

static bool is_part(const struct path *path, size_t index, const char *text) {
    return index < path->count && path->sizes[index] == strlen(text) &&
           strncasecmp(path->parts[index], text, path->sizes[index]) == 0;
}

static struct path split(const struct world_request *request) {
    struct path path = {.query = ""};
    const char *at = strchr(request->method, ' ');
    if (at == NULL || strncmp(at + 1, api_prefix, sizeof api_prefix - 1) != 0) return path;
    at += sizeof api_prefix;
    while (path.count < PARTS) {
        path.parts[path.count] = at;
        path.sizes[path.count] = strcspn(at, "/?");
        at += path.sizes[path.count++];
        if (*at != '/') break;
        at++;
    }
    if (*at == '?') path.query = at + 1;
    return path;
}

static bool is_verb(const struct world_request *request, const char *verb) {
    size_t size = strlen(verb);
    return strncmp(request->method, verb, size) == 0 && request->method[size] == ' ';
}

const char *lo_method(const struct world_request *request) {
    struct path path = split(request);
    if (is_part(&path, 0, "apps")) return "loriot-apps";
    if (is_part(&path, 0, "networks")) return "loriot-networks";
    if (is_part(&path, 0, "network")) return "loriot-gateways";
    if (is_verb(request, "POST")) return "loriot-create";
    if (is_verb(request, "DELETE")) return "loriot-delete";
    return is_part(&path, 2, "devices") ? "loriot-devices" : "loriot-get";
}

static void put_json(struct world_reply *reply, json_t *object) {
    char *text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    buffer_puts(&reply->body, text);
    memory_free_secret(text);
    world_reply_add_header(reply, "content-type", "application/json");
}

static unsigned long argument(const struct path *path, const char *name) {
    size_t size = strlen(name);
    for (const char *at = path->query; *at != '\0'; at += strcspn(at, "&"), at += *at == '&') {
        if (strncmp(at, name, size) == 0 && at[size] == '=') return strtoul(at + size + 1, NULL, 10);
    }
    return 0;
}

// Answers with a page of `all`, whose reference is taken.
static void put_page(const struct path *path, const char *name, json_t *all, struct world_reply *reply) {
    size_t page = argument(path, "page"), size = argument(path, "perPage"), total = json_array_size(all);
    if (page == 0 || size == 0 || size > PAGE_MOST) {
        json_decref(all);
        world_reply_status(reply, HTTP_BAD_REQUEST, "page and perPage are required");
        return;
    }
    json_t *list = json_array();
    for (size_t i = (page - 1) * size; i < page * size && i < total; i++)
        json_array_append(list, json_array_get(all, i));
    json_decref(all);
    put_json(reply, json_pack("{s:o, s:I, s:I, s:I}", name, list, "page", (json_int_t)page, "perPage",
                              (json_int_t)size, "total", (json_int_t)total));
}

// ---- devices

static int find_application(const struct path *path) {
    for (int i = 0; i < LORIOT_APPLICATIONS; i++) {
        char text[HEX_TEXT_SIZE(sizeof(uint32_t))];
        snprintf(text, sizeof text, "%X", (unsigned)lo_applications[i].id);
        // Upper case only.
        if (path->count > 1 && path->sizes[1] == strlen(text) &&
            strncmp(path->parts[1], text, path->sizes[1]) == 0)
            return i;
    }
    return -1;
}

static struct loriot_device *find_device(struct loriot *loriot, const char *eui, size_t size) {
    for (size_t i = 0; i < loriot->count; i++) {
        const char *own = json_string_value(json_object_get(loriot->devices[i].json, "_id"));
        if (own != NULL && strlen(own) == size && strncasecmp(own, eui, size) == 0)
            return &loriot->devices[i];
    }
    return NULL;
}

// A row of a list has no keys.
static json_t *list_row(json_t *device) {
    json_t *row = json_copy(device);
    json_object_del(row, "appkey");
    json_object_del(row, "nwkskey");
    json_object_del(row, "appskey");
    return row;
}

static void list_devices(const struct loriot *loriot, const struct path *path, size_t application,
                         struct world_reply *reply) {
    json_t *all = json_array();
    for (size_t i = 0; i < loriot->count; i++) {
        const struct loriot_device *device = &loriot->devices[i];
        if (device->json == NULL || device->application != application) continue;
        json_array_append_new(all, list_row(device->json));
    }
    put_page(path, "devices", all, reply);
}

static bool is_hex(const json_t *body, const char *name, size_t size) {
    uint8_t bytes[KEY_SIZE];
    const char *text = json_string_value(json_object_get(body, name));
    return text != NULL && hex_decode(bytes, size, text, strlen(text));
}

// What is wrong with a device that is to be made; NULL = nothing.
static const char *judge_body(const json_t *body, bool joins) {
    const char *title = json_string_value(json_object_get(body, "title"));
    if (!is_hex(body, "deveui", EUI_SIZE)) return "deveui: invalid";
    if (title != NULL && strlen(title) > TITLE_MOST) return "title: too long";
    if (joins && !is_hex(body, "appkey", KEY_SIZE)) return "appkey: invalid";
    if (joins && !is_hex(body, "appeui", EUI_SIZE) && !is_hex(body, "joineui", EUI_SIZE))
        return "appeui: invalid";
    bool session = json_object_get(body, "devaddr") != NULL || !joins;
    if (!session) return NULL;
    if (!is_hex(body, "devaddr", ADDR_SIZE)) return "devaddr: invalid";
    if (!is_hex(body, "nwkskey", KEY_SIZE) || !is_hex(body, "appskey", KEY_SIZE))
        return "session keys: invalid";
    return NULL;
}

static json_t *copy_of(const json_t *body, const char *name, json_t *otherwise) {
    json_t *member = json_object_get(body, name);
    if (member == NULL) return otherwise;
    json_decref(otherwise);
    return json_incref(member);
}

static json_t *device_of(const json_t *body) {
    static const char *const texts[] = {"title", "description", "appkey", "devaddr", "nwkskey", "appskey"};
    const char *eui = json_string_value(json_object_get(body, "deveui"));
    const char *version = json_string_value(json_object_get(body, "devVersion"));
    json_t *delay = json_object_get(body, "rx1Delay");
    json_t *json = json_pack("{s:s, s:s, s:s}", "_id", eui, "deveui", eui, "visibility", "private");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        json_object_set_new(json, texts[i], copy_of(body, texts[i], json_null()));
    const char *join_eui = json_object_get(body, "joineui") != NULL ? "joineui" : "appeui";
    json_object_set_new(json, join_eui, copy_of(body, join_eui, json_null()));
    json_object_set_new(json, "devclass", copy_of(body, "devclass", json_string("A")));
    json_object_set_new(json, "adr", copy_of(body, "canSendADR", json_true()));
    json_object_set_new(json, "seqrelax", copy_of(body, "seqrelax", json_false()));
    json_object_set_new(json, "rxw", copy_of(body, "rxw", json_integer(1)));
    json_object_set_new(json, "seqno", copy_of(body, "seqno", json_integer(-1)));
    json_object_set_new(json, "seqdn", copy_of(body, "seqdn", json_integer(0)));
    json_object_set_new(json, "seqq", copy_of(body, "seqq", json_integer(0)));
    json_int_t us = (delay == NULL ? 1 : json_integer_value(delay)) * 1000000;
    json_object_set_new(json, "rx1", json_pack("{s:I, s:i}", "delay", us, "offset", 0));
    bool later = version != NULL && strcmp(version, "v1.1") == 0;
    json_object_set_new(json, "lorawan",
                        json_pack("{s:i, s:i, s:i}", "major", 1, "minor", later, "revision", later ? 0 : 2));
    return json;
}

static void create_device(struct loriot *loriot, size_t application, const struct path *path,
                          const struct world_request *request, struct world_reply *reply) {
    json_t *body = json_loadb(request->body, request->body_size, 0, NULL);
    bool joins = is_part(path, 3, "OTAA");
    const char *wrong = joins || is_part(path, 3, "ABP") ? judge_body(body, joins) : "unknown activation";
    const char *eui = json_string_value(json_object_get(body, "deveui"));
    if (wrong != NULL) {
        world_reply_status(reply, HTTP_BAD_REQUEST, "%s", wrong);
    } else if (find_device(loriot, eui, strlen(eui)) != NULL) {
        world_reply_status(reply, HTTP_CONFLICT, "device exists already");
    } else {
        loriot->devices = memory_resize(loriot->devices, loriot->count + 1, sizeof *loriot->devices);
        struct loriot_device *device = &loriot->devices[loriot->count++];
        *device = (struct loriot_device){.json = device_of(body), .application = application, .writes = 1};
        put_json(reply, json_incref(device->json));
    }
    json_decref(body);
}

static void call_device(struct loriot *loriot, size_t application, const struct path *path,
                        const struct world_request *request, struct world_reply *reply) {
    struct loriot_device *device =
        path->count > 3 ? find_device(loriot, path->parts[3], path->sizes[3]) : NULL;
    if (device == NULL || device->application != application) {
        world_reply_status(reply, HTTP_NOT_FOUND, "device not found");
    } else if (is_verb(request, "DELETE")) {
        json_decref(device->json);
        device->json = NULL;
    } else if (is_verb(request, "GET")) {
        put_json(reply, json_incref(device->json));
    } else {
        world_reply_status(reply, HTTP_BAD_REQUEST, "not played");
    }
}

static void call_application(struct loriot *loriot, const struct path *path,
                             const struct world_request *request, struct world_reply *reply) {
    int application = find_application(path);
    if (application < 0) {
        world_reply_status(reply, HTTP_NOT_FOUND, "application not found");
    } else if (is_part(path, 2, "device")) {
        call_device(loriot, (size_t)application, path, request, reply);
    } else if (is_part(path, 2, "devices") && is_verb(request, "POST")) {
        create_device(loriot, (size_t)application, path, request, reply);
    } else if (is_part(path, 2, "devices")) {
        list_devices(loriot, path, (size_t)application, reply);
    } else {
        world_reply_status(reply, HTTP_NOT_FOUND, "not found");
    }
}

// ---- other lists

static void list_applications(const struct path *path, struct world_reply *reply) {
    json_t *all = json_array();
    for (size_t i = 0; i < LORIOT_APPLICATIONS; i++) {
        json_array_append_new(all, json_pack("{s:I, s:s, s:s}", "_id", (json_int_t)lo_applications[i].id,
                                             "name", lo_applications[i].name, "visibility", "private"));
    }
    put_page(path, "apps", all, reply);
}

static void list_gateways(const struct loriot *loriot, const struct path *path, struct world_reply *reply) {
    char id[HEX_TEXT_SIZE(sizeof(uint32_t))];
    snprintf(id, sizeof id, "%X", (unsigned)LORIOT_NETWORK_ID);
    if (!is_part(path, 1, id) || !is_part(path, 2, "gateways")) {
        world_reply_status(reply, HTTP_NOT_FOUND, "network not found");
        return;
    }
    json_t *all = json_array();
    for (size_t i = 0; i < LORIOT_GATEWAYS; i++) json_array_append(all, loriot->gateways[i]);
    put_page(path, "gateways", all, reply);
}

static bool refuse_rate(struct loriot *loriot, int64_t now, struct world_reply *reply) {
    if (loriot->rate == 0) return false;
    if (!loriot->used) loriot->bucket = bucket_init(now, loriot->rate);
    loriot->used = true;
    if (bucket_take_at_once(&loriot->bucket, now, loriot->rate)) return false;
    world_reply_status(reply, HTTP_TOO_MANY, "too many requests");
    world_reply_add_header(reply, "retry-after", "1");
    return true;
}

void lo_call(struct loriot *loriot, int64_t now, const struct world_request *request,
             struct world_reply *reply) {
    const char *key = world_request_header(request, "authorization");
    struct path path = split(request);
    bool reads = key != NULL && strcmp(key, "Bearer " WORLD_LORIOT_READ_KEY) == 0;
    if (!reads && (key == NULL || strcmp(key, "Bearer " WORLD_LORIOT_KEY) != 0)) {
        world_reply_status(reply, HTTP_UNAUTHORIZED, "unauthorized");
    } else if (refuse_rate(loriot, now, reply)) {
        return;
    } else if (reads && !is_verb(request, "GET")) {
        world_reply_status(reply, HTTP_FORBIDDEN, "forbidden");
    } else if (is_part(&path, 0, "apps")) {
        list_applications(&path, reply);
    } else if (is_part(&path, 0, "networks")) {
        put_page(&path, "networks",
                 json_pack("[{s:I, s:s}]", "_id", (json_int_t)LORIOT_NETWORK_ID, "name", "Main"), reply);
    } else if (is_part(&path, 0, "network")) {
        list_gateways(loriot, &path, reply);
    } else if (is_part(&path, 0, "app")) {
        call_application(loriot, &path, request, reply);
    } else {
        world_reply_status(reply, HTTP_NOT_FOUND, "not found");
    }
}

void lo_state_json(const struct loriot *loriot, const char *separator, struct buffer *state) {
    bool first = true;
    for (size_t i = 0; i < loriot->count; i++) {
        const struct loriot_device *device = &loriot->devices[i];
        if (device->json == NULL) continue;
        json_t *whole = json_copy(device->json);
        json_object_set_new(whole, "app", json_string(lo_applications[device->application].name));
        json_object_set_new(whole, "writes", json_integer((json_int_t)device->writes));
        char *text = json_dumps(whole, JSON_COMPACT | JSON_SORT_KEYS);
        buffer_printf(state, "%s%s", first ? "" : separator, text);
        first = false;
        memory_free_secret(text);
        json_decref(whole);
    }
}
