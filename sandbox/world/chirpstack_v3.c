// SPDX-License-Identifier: Apache-2.0
// The same devices as ChirpStack v3 shows them: the JSON interface of its Application Server. Applications have numbers,
// JoinEUIs are not known, 64-bit numbers are texts, and what belongs to a network is in service profiles.
#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/rfc3339.h"
#include "world/chirpstack_p.h"

enum { PARTS_MAX = 4, PART_SIZE = 64, STATUS_REQUESTS = 24, EMPTY_PERIOD = 32 };

static const char service_profile[] = "11111111-2222-4333-8444-555555555555";
static const char decoder[] =
    "function Decode(fPort, bytes, variables) {\n"
    "  return { temperature: ((bytes[0] << 8) | bytes[1]) / 100, port: fPort };\n"
    "}\n";
static const char encoder[] =
    "function Encode(fPort, obj, variables) {\n"
    "  return [obj.led ? 1 : 0];\n"
    "}\n";

struct request {
    struct cs *cs;
    int64_t now;
    const struct world_request *world;
    struct world_reply *reply;
    const struct cs_api_key *key;
    char verb[8];
    char parts[PARTS_MAX][PART_SIZE];  // of the path behind /api/
    size_t part_count;
    const char *query;  // "" = none
};

static void fail(const struct request *request, int status, const char *words) {
    world_reply_status(request->reply, status, "%s", words);
}

static void finish(const struct request *request, json_t *json) {
    char *text = json_dumps(json, JSON_COMPACT);
    buffer_puts(&request->reply->body, text);
    free(text);
    json_decref(json);
}

static uint64_t query_number(const struct request *request, const char *name, uint64_t otherwise) {
    const char *found = strstr(request->query, name);
    return found == NULL ? otherwise : strtoull(found + strlen(name) + 1, NULL, 10);
}

// Applications count from 1.
static unsigned number_of(const struct cs *cs, const char *application_id) {
    for (unsigned i = 0; i < CS_APPLICATIONS; i++) {
        if (strcmp(cs->applications[i]->id, application_id) == 0) return i + 1;
    }
    return 0;
}

static json_t *number_text(uint64_t number) {
    return json_sprintf("%llu", (unsigned long long)number);
}

static json_t *pairs_json(const struct cs_pairs *pairs) {
    json_t *object = json_object();
    for (size_t i = 0; i < pairs->count; i++) {
        json_object_set_new(object, pairs->items[i].key, json_string(pairs->items[i].value));
    }
    return object;
}

static json_t *device_json(const struct cs *cs, const struct cs_device *device) {
    return json_pack("{s:s, s:s, s:o, s:s, s:s, s:b, s:f, s:o, s:o, s:b}", "devEUI", device->dev_eui, "name",
                     device->name, "applicationID", number_text(number_of(cs, device->application_id)),
                     "description", device->description, "deviceProfileID", device->profile_id,
                     "skipFCntCheck", device->skip_fcnt_check, "referenceAltitude", 0.0, "variables",
                     pairs_json(&device->variables), "tags", pairs_json(&device->tags), "isDisabled",
                     device->is_disabled);
}

static json_t *time_json(int64_t ns) {
    char text[RFC3339_TEXT_SIZE];
    if (ns == 0) return json_null();
    rfc3339_format_ns(text, ns);
    return json_string(text);
}

// ---- reading

static void get_device(const struct request *request, const struct cs_device *device) {
    finish(request, json_pack("{s:o, s:o}", "device", device_json(request->cs, device), "lastSeenAt",
                              time_json(device->last_seen)));
}

static void get_keys(const struct request *request, const struct cs_device *device) {
    const struct cs_keys *keys = &device->keys;
    if (!device->has_keys) {
        fail(request, 404, "object does not exist");
        return;
    }
    finish(request, json_pack("{s:{s:s, s:s, s:s, s:s}}", "deviceKeys", "devEUI", device->dev_eui, "nwkKey",
                              keys->nwk_key, "appKey", keys->app_key, "genAppKey", keys->gen_app_key));
}

static void get_activation(const struct request *request, const struct cs_device *device) {
    const struct cs_activation *a = &device->activation;
    if (!device->has_activation) {
        fail(request, 404, "object does not exist");
        return;
    }
    finish(request,
           json_pack("{s:{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I}}", "deviceActivation", "devEUI",
                     device->dev_eui, "devAddr", a->dev_addr, "appSKey", a->app_s_key, "nwkSEncKey",
                     a->nwk_s_enc_key, "sNwkSIntKey", a->s_nwk_s_int_key, "fNwkSIntKey", a->f_nwk_s_int_key,
                     "fCntUp", (json_int_t)a->f_cnt_up, "nFCntDown", (json_int_t)a->n_f_cnt_down, "aFCntDown",
                     (json_int_t)a->a_f_cnt_down));
}

static const char *text_of(const char *const *texts, size_t count, uint32_t number) {
    return number < count ? texts[number] : "";
}

static void get_profile(const struct request *request) {
    static const char *const macs[] = {"1.0.0", "1.0.1", "1.0.2", "1.0.3", "1.0.4", "1.1.0"};
    static const char *const revisions[] = {"A",           "B",           "RP002-1.0.0", "RP002-1.0.1",
                                            "RP002-1.0.2", "RP002-1.0.3", "RP002-1.0.4", "RP002-1.0.5"};
    static const char *const regions[] = {"EU868", "",      "US915", "CN779", "EU433", "AU915",
                                          "CN470", "AS923", "KR920", "IN865", "RU864"};
    static const char *const codecs[] = {"", "CAYENNE_LPP", "CUSTOM_JS"};
    const struct cs_profile *profile = cs_find_profile(request->cs, request->parts[1]);
    if (profile == NULL) {
        fail(request, 404, "object does not exist");
        return;
    }
    json_t *object = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:b, s:s}", "id", profile->id, "name", profile->name, "rfRegion",
        text_of(regions, sizeof regions / sizeof *regions, profile->region), "macVersion",
        text_of(macs, sizeof macs / sizeof *macs, profile->mac_version), "regParamsRevision",
        text_of(revisions, sizeof revisions / sizeof *revisions, profile->revision), "supportsJoin",
        profile->otaa, "supportsClassB", profile->class_b, "supportsClassC", profile->class_c, "payloadCodec",
        text_of(codecs, sizeof codecs / sizeof *codecs, profile->codec));
    const struct {
        const char *name;
        uint32_t number;
    } numbers[] = {
        {"classBTimeout", profile->class_b_timeout},
        {"pingSlotPeriod", (uint32_t)EMPTY_PERIOD << profile->ping_slot_periodicity},
        {"pingSlotDR", profile->ping_slot_dr},
        {"pingSlotFreq", profile->ping_slot_freq},
        {"classCTimeout", profile->class_c_timeout},
        {"rxDelay1", profile->abp_rx1_delay},
        {"rxDROffset1", profile->abp_rx1_dr_offset},
        {"rxDataRate2", profile->abp_rx2_dr},
        {"rxFreq2", profile->abp_rx2_freq},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        json_object_set_new(object, numbers[i].name, json_integer(numbers[i].number));
    }
    bool script = profile->script != NULL;
    json_object_set_new(object, "payloadDecoderScript", json_string(script ? decoder : ""));
    json_object_set_new(object, "payloadEncoderScript", json_string(script ? encoder : ""));
    if (profile->tag_key != NULL) {
        json_object_set_new(object, "tags", json_pack("{s:s}", profile->tag_key, profile->tag_value));
    }
    finish(request, json_pack("{s:o}", "deviceProfile", object));
}

static json_t *application_json(const struct request *request, unsigned number) {
    return json_pack("{s:o, s:s, s:s, s:s}", "id", number_text(number), "name",
                     request->cs->applications[number - 1]->name, "organizationID", "1", "serviceProfileID",
                     service_profile);
}

static void get_application(const struct request *request) {
    unsigned number = (unsigned)strtoul(request->parts[1], NULL, 10);
    if (number == 0 || number > CS_APPLICATIONS) {
        fail(request, 404, "object does not exist");
        return;
    }
    finish(request, json_pack("{s:o}", "application", application_json(request, number)));
}

static void list_applications(const struct request *request) {
    uint64_t limit = query_number(request, "limit", 0);
    uint64_t offset = query_number(request, "offset", 0);
    json_t *result = json_array();
    for (unsigned i = 0; i < CS_APPLICATIONS; i++) {
        if (i >= offset && i - offset < limit)
            json_array_append_new(result, application_json(request, i + 1));
    }
    finish(request, json_pack("{s:o, s:o}", "totalCount", number_text(CS_APPLICATIONS), "result", result));
}

static void list_devices(const struct request *request) {
    uint64_t limit = query_number(request, "limit", 0);
    uint64_t offset = query_number(request, "offset", 0);
    uint64_t number = query_number(request, "applicationID", 0);
    uint64_t total = 0;
    json_t *result = json_array();
    for (size_t i = 0; i < request->cs->device_count; i++) {
        const struct cs_device *device = request->cs->devices[i];
        if (number != number_of(request->cs, device->application_id)) continue;
        uint64_t place = total++;
        if (place < offset || place - offset >= limit) continue;
        json_array_append_new(result,
                              json_pack("{s:s, s:s}", "devEUI", device->dev_eui, "name", device->name));
    }
    finish(request, json_pack("{s:o, s:o}", "totalCount", number_text(total), "result", result));
}

static json_t *gateway_json(const struct cs_gateway *gateway) {
    return json_pack("{s:s, s:s, s:s, s:{s:f, s:f, s:f, s:s, s:i}, s:s, s:b, s:s, s:[], s:o, s:o}", "id",
                     gateway->gateway_id, "name", gateway->name, "description", gateway->description,
                     "location", "latitude", gateway->latitude, "longitude", gateway->longitude, "altitude",
                     (double)gateway->altitude, "source", "UNKNOWN", "accuracy", 0, "organizationID", "1",
                     "discoveryEnabled", 0, "networkServerID", "1", "boards", "tags",
                     pairs_json(&gateway->tags), "metadata", json_object());
}

static void get_gateway(const struct request *request) {
    const struct cs_gateway *gateway = cs_find_gateway(request->cs, request->parts[1]);
    if (gateway == NULL) {
        fail(request, 404, "object does not exist");
    } else {
        finish(request, json_pack("{s:o}", "gateway", gateway_json(gateway)));
    }
}

// Its organizations are not told apart here.
static void list_gateways(const struct request *request) {
    uint64_t limit = query_number(request, "limit", 0);
    uint64_t offset = query_number(request, "offset", 0);
    json_t *result = json_array();
    for (size_t i = 0; i < request->cs->gateway_count; i++) {
        const struct cs_gateway *gateway = request->cs->gateways[i];
        if (i < offset || i - offset >= limit) continue;
        json_array_append_new(result,
                              json_pack("{s:s, s:s}", "id", gateway->gateway_id, "name", gateway->name));
    }
    finish(request,
           json_pack("{s:o, s:o}", "totalCount", number_text(request->cs->gateway_count), "result", result));
}

// ---- changing

static json_t *body_of(const struct request *request, const char *name) {
    json_error_t ignored;
    json_t *json = json_loadb(request->world->body, request->world->body_size, 0, &ignored);
    json_t *inner = json_incref(json_object_get(json, name));
    json_decref(json);
    if (inner == NULL) fail(request, 400, "invalid request");
    return inner;
}

static void take_text(const json_t *object, const char *name, char *text, size_t size) {
    const char *value = json_string_value(json_object_get(object, name));
    snprintf(text, size, "%s", value == NULL ? "" : value);
}

static void take_pairs(json_t *object, struct cs_pairs *pairs) {
    const char *key = NULL;
    json_t *value = NULL;
    cs_pairs_release(pairs);
    json_object_foreach(object, key, value) {
        if (json_is_string(value)) cs_pairs_add(pairs, key, json_string_value(value));
    }
}

static void take_device(const struct request *request, json_t *json, struct cs_device *device) {
    const char *name = json_string_value(json_object_get(json, "name"));
    const char *description = json_string_value(json_object_get(json, "description"));
    const char *application = json_string_value(json_object_get(json, "applicationID"));
    free(device->name);
    free(device->description);
    device->name = memory_strdup(name == NULL ? "" : name);
    device->description = memory_strdup(description == NULL ? "" : description);
    unsigned long number = application == NULL ? 0 : strtoul(application, NULL, 10);
    if (number >= 1 && number <= CS_APPLICATIONS) {
        snprintf(device->application_id, CS_UUID_SIZE, "%s", request->cs->applications[number - 1]->id);
    }
    take_text(json, "deviceProfileID", device->profile_id, sizeof device->profile_id);
    device->skip_fcnt_check = json_is_true(json_object_get(json, "skipFCntCheck"));
    device->is_disabled = json_is_true(json_object_get(json, "isDisabled"));
    take_pairs(json_object_get(json, "variables"), &device->variables);
    take_pairs(json_object_get(json, "tags"), &device->tags);
    device->writes++;
}

static void create_device(const struct request *request) {
    json_t *json = body_of(request, "device");
    if (json == NULL) return;
    char dev_eui[CS_EUI_SIZE];
    take_text(json, "devEUI", dev_eui, sizeof dev_eui);
    if (cs_find_device(request->cs, dev_eui) != NULL) {
        fail(request, 409, "object already exists");
    } else {
        struct cs_device *device = cs_device_new(dev_eui);
        device->created = request->now;
        take_device(request, json, device);
        cs_insert_device(request->cs, device);
        buffer_puts(&request->reply->body, "{}");
    }
    json_decref(json);
}

static void update_device(const struct request *request, struct cs_device *device) {
    json_t *json = body_of(request, "device");
    if (json == NULL) return;
    take_device(request, json, device);
    json_decref(json);
    buffer_puts(&request->reply->body, "{}");
}

static void create_keys(const struct request *request, struct cs_device *device) {
    json_t *json = body_of(request, "deviceKeys");
    if (json == NULL) return;
    if (device->has_keys) {
        fail(request, 409, "object already exists");
    } else {
        take_text(json, "nwkKey", device->keys.nwk_key, CS_KEY_SIZE);
        take_text(json, "appKey", device->keys.app_key, CS_KEY_SIZE);
        take_text(json, "genAppKey", device->keys.gen_app_key, CS_KEY_SIZE);
        device->has_keys = true;
        device->writes++;
        buffer_puts(&request->reply->body, "{}");
    }
    json_decref(json);
}

static void activate(const struct request *request, struct cs_device *device) {
    json_t *json = body_of(request, "deviceActivation");
    if (json == NULL) return;
    struct cs_activation *a = &device->activation;
    take_text(json, "devAddr", a->dev_addr, CS_ADDRESS_SIZE);
    take_text(json, "appSKey", a->app_s_key, CS_KEY_SIZE);
    take_text(json, "nwkSEncKey", a->nwk_s_enc_key, CS_KEY_SIZE);
    take_text(json, "sNwkSIntKey", a->s_nwk_s_int_key, CS_KEY_SIZE);
    take_text(json, "fNwkSIntKey", a->f_nwk_s_int_key, CS_KEY_SIZE);
    a->f_cnt_up = (uint32_t)json_integer_value(json_object_get(json, "fCntUp"));
    a->n_f_cnt_down = (uint32_t)json_integer_value(json_object_get(json, "nFCntDown"));
    a->a_f_cnt_down = (uint32_t)json_integer_value(json_object_get(json, "aFCntDown"));
    cs_boot(a, cs_find_profile(request->cs, device->profile_id));
    device->has_activation = true;
    device->writes++;
    json_decref(json);
    buffer_puts(&request->reply->body, "{}");
}

// ---- calls

static bool authenticate(struct request *request) {
    static const char scheme[] = "Bearer ";
    const char *header = world_request_header(request->world, "grpc-metadata-authorization");
    for (size_t i = 0; header != NULL && i < WORLD_CHIRPSTACK_KEYS; i++) {
        if (strncmp(header, scheme, strlen(scheme)) != 0) break;
        if (strcmp(request->cs->keys[i].text, header + strlen(scheme)) != 0) continue;
        request->key = &request->cs->keys[i];
        if (!request->key->read_only || strcmp(request->verb, "GET") == 0) return true;
        break;
    }
    if (request->key != NULL) {
        fail(request, 403, "not authorized");
    } else {
        fail(request, 401, "authentication failed: not authorized");
    }
    return false;
}

// "GET /api/devices/0102030405060708/keys?limit=1"
static bool parse(struct request *request) {
    const char *method = request->world->method;
    size_t size = strcspn(method, " ");
    static const char root[] = " /api/";
    if (size >= sizeof request->verb || strncmp(method + size, root, strlen(root)) != 0) return false;
    snprintf(request->verb, sizeof request->verb, "%.*s", (int)size, method);
    const char *path = method + size + strlen(root);
    request->query = path + strcspn(path, "?");
    while (*path != '\0' && *path != '?' && request->part_count < PARTS_MAX) {
        size_t length = strcspn(path, "/?");
        snprintf(request->parts[request->part_count++], PART_SIZE, "%.*s", (int)length, path);
        path += length + (path[length] == '/');
    }
    return request->part_count > 0;
}

static bool is(const struct request *request, const char *verb, const char *what) {
    return strcmp(request->verb, verb) == 0 && strcmp(request->parts[0], what) == 0;
}

static void device_call(const struct request *request) {
    struct cs_device *device = cs_find_device(request->cs, request->parts[1]);
    const char *part = request->part_count > 2 ? request->parts[2] : "";
    const char *verb = request->verb;
    if (device == NULL) {
        fail(request, 404, "object does not exist");
    } else if (strcmp(verb, "GET") == 0 && part[0] == '\0') {
        get_device(request, device);
    } else if (strcmp(verb, "GET") == 0 && strcmp(part, "keys") == 0) {
        get_keys(request, device);
    } else if (strcmp(verb, "GET") == 0 && strcmp(part, "activation") == 0) {
        get_activation(request, device);
    } else if (strcmp(verb, "PUT") == 0 && part[0] == '\0') {
        update_device(request, device);
    } else if (strcmp(verb, "DELETE") == 0 && part[0] == '\0') {
        cs_remove_device(request->cs, device);
        buffer_puts(&request->reply->body, "{}");
    } else if (strcmp(verb, "POST") == 0 && strcmp(part, "keys") == 0) {
        create_keys(request, device);
    } else if (strcmp(verb, "POST") == 0 && strcmp(part, "activate") == 0) {
        activate(request, device);
    } else {
        fail(request, 501, "not implemented");
    }
}

void cs_v3_call(struct cs *cs, int64_t now, const struct world_request *world_request,
                struct world_reply *reply) {
    struct request request = {.cs = cs, .now = now, .world = world_request, .reply = reply};
    if (!parse(&request)) {
        fail(&request, 404, "not found");
        return;
    }
    if (!authenticate(&request)) return;
    bool one = request.part_count > 1;
    if (strcmp(request.parts[0], "devices") == 0 && one) {
        device_call(&request);
    } else if (is(&request, "POST", "devices")) {
        create_device(&request);
    } else if (is(&request, "GET", "devices")) {
        list_devices(&request);
    } else if (is(&request, "GET", "applications")) {
        if (one) {
            get_application(&request);
        } else {
            list_applications(&request);
        }
    } else if (is(&request, "GET", "gateways")) {
        if (one) {
            get_gateway(&request);
        } else {
            list_gateways(&request);
        }
    } else if (is(&request, "GET", "device-profiles") && one) {
        get_profile(&request);
    } else if (is(&request, "GET", "service-profiles") && one) {
        finish(&request, json_pack("{s:{s:s, s:i}}", "serviceProfile", "id", service_profile,
                                   "devStatusReqFreq", STATUS_REQUESTS));
    } else {
        fail(&request, 501, "not implemented");
    }
}

void cs_v3_method_name(const char *method, char *name, size_t size) {
    struct world_request world_request = {.method = method};
    struct request request = {.world = &world_request};
    if (!parse(&request)) {
        snprintf(name, size, "v3/unknown");
        return;
    }
    const char *what = request.part_count > 2 ? request.parts[2] : request.parts[0];
    bool one = request.part_count == 2;
    snprintf(name, size, "v3/%s-%s%s", request.verb, one ? "one-of-" : "", what);
    for (char *c = name; *c != '\0'; c++) {
        if (!isalnum((unsigned char)*c) && *c != '/') *c = '-';
    }
}
