// SPDX-License-Identifier: Apache-2.0
// The Account Server: JSON over HTTP.
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "world/ttnv2_p.h"

enum { HTTP_OK = 200, HTTP_BAD_REQUEST = 400, HTTP_UNAUTHORIZED = 401, HTTP_NOT_FOUND = 404 };

static const struct gateway {
    const char *id;
    const char *frequency_plan;
    const char *placement;
    const char *description;
    double latitude;  // exact in binary, so that every printer agrees
    double longitude;
    int altitude;
    bool is_public;
} gateways[] = {
    {"eui-b827ebfffe000001", "EU_863_870", "outdoor", "Roof of hall A", 52.375, 4.890625, 21, true},
    {"eui-b827ebfffe000002", "EU_863_870", "indoor",
     "K\xC3\xBC"
     "che \xE2\x80\x93 1. Stock",
     48.125, 11.5, 520, true},
    {"eui-00800000a0000003", "US_902_928", "outdoor", "Mast 3", 40.75, -74.0, 96, true},
    {"my-gateway-connector", "EU_863_870", "outdoor", "", -33.875, 151.25, -4, false},
    {"eui-aa555a0000000005", "AS_920_923", "", "", 0, 0, 0, false},
};

enum { GATEWAYS = sizeof gateways / sizeof *gateways };

static void put_json(struct world_reply *reply, json_t *object) {
    char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(9));
    json_decref(object);
    buffer_puts(&reply->body, text);
    free(text);
}

static json_t *gateway_json(const struct gateway *gateway, bool with_key) {
    json_t *object = json_pack("{s:s, s:b, s:s, s:b, s:b, s:b, s:b}", "id", gateway->id, "activated", true,
                               "frequency_plan", gateway->frequency_plan, "auto_update", gateway->is_public,
                               "location_public", gateway->is_public, "status_public", gateway->is_public,
                               "owner_public", false);
    if (gateway->latitude != 0 || gateway->longitude != 0) {
        json_object_set_new(object, "antenna_location",
                            json_pack("{s:f, s:f, s:i}", "latitude", gateway->latitude, "longitude",
                                      gateway->longitude, "altitude", gateway->altitude));
    }
    json_object_set_new(object, "attributes",
                        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "brand", "Acme", "model", "LoRa 8",
                                  "placement", gateway->placement, "antenna_type", "omni", "antenna_model",
                                  "A-868", "description", gateway->description));
    json_object_set_new(object, "router",
                        json_pack("{s:s, s:s, s:s}", "id", "ttn-router-eu", "address",
                                  "ttn.thingsconnected.net:1901", "mqtt_address", ""));
    if (with_key) json_object_set_new(object, "key", json_sprintf("ttn-account-v2.gateway-%s", gateway->id));
    return object;
}

// The user's token, or an access key of the main application.
static bool is_authorized(const struct v2 *v2, const struct world_request *request,
                          struct world_reply *reply) {
    const char *given = world_request_header(request, "authorization");
    if (given != NULL && strncasecmp(given, "bearer ", 7) == 0 && strcmp(given + 7, v2->user_token) == 0)
        return true;
    if (given != NULL && strncasecmp(given, "key ", 4) == 0 &&
        strcmp(given + 4, v2->main->keys[0].text) == 0) {
        return true;
    }
    world_reply_status(reply, HTTP_UNAUTHORIZED, "Not authorized");
    return false;
}

static void list_gateways(const struct v2 *v2, const struct world_request *request,
                          struct world_reply *reply) {
    if (!is_authorized(v2, request, reply)) return;
    json_t *list = json_array();
    for (size_t i = 0; i < GATEWAYS; i++) json_array_append_new(list, gateway_json(&gateways[i], true));
    put_json(reply, json_pack("{s:o}", "gateways", list));
}

static void get_gateway(const struct v2 *v2, const char *id, const struct world_request *request,
                        struct world_reply *reply) {
    if (!is_authorized(v2, request, reply)) return;
    for (size_t i = 0; i < GATEWAYS; i++) {
        if (strcmp(gateways[i].id, id) != 0) continue;
        put_json(reply, gateway_json(&gateways[i], true));
        return;
    }
    world_reply_status(reply, HTTP_NOT_FOUND, "Gateway not found");
}

static json_t *application_json(const struct v2_application *application) {
    return json_pack("{s:s, s:s, s:[], s:[]}", "id", application->app_id, "name", application->app_id, "euis",
                     "collaborators");
}

static void list_applications(const struct v2 *v2, const struct world_request *request,
                              struct world_reply *reply) {
    if (!is_authorized(v2, request, reply)) return;
    json_t *list = json_array();
    for (size_t i = 0; i < v2->application_count; i++) {
        json_array_append_new(list, application_json(v2->applications[i]));
    }
    put_json(reply, list);
}

static void get_application(const struct v2 *v2, const char *id, const struct world_request *request,
                            struct world_reply *reply) {
    if (!is_authorized(v2, request, reply)) return;
    const struct v2_application *application = v2_find_application(v2, id);
    if (application == NULL) {
        world_reply_status(reply, HTTP_NOT_FOUND, "Application not found");
        return;
    }
    put_json(reply, application_json(application));
}

static void exchange(const struct v2 *v2, int64_t now, const struct world_request *request,
                     struct world_reply *reply) {
    json_t *body = json_loadb(request->body, request->body_size, 0, NULL);
    const char *app_id = json_string_value(json_object_get(body, "username"));
    const char *key = json_string_value(json_object_get(body, "password"));
    unsigned rights = 0;
    const char *problem = NULL;
    if (app_id == NULL || key == NULL) {
        world_reply_status(reply, HTTP_BAD_REQUEST, "username and password are required");
    } else if (!v2_exchange_key(v2, app_id, key, &rights, &problem)) {
        world_reply_status(reply, HTTP_UNAUTHORIZED, "%s", problem);
    } else {
        char *token = v2_token_make(v2, now, app_id, rights);
        buffer_printf(&reply->body, "{\"access_token\":\"%s\",\"expires_in\":%d}", token, V2_TOKEN_SECONDS);
        free(token);
    }
    json_decref(body);
}

static const char *after(const char *text, const char *prefix) {
    size_t size = strlen(prefix);
    return strncmp(text, prefix, size) == 0 ? text + size : NULL;
}

void v2_account_call(struct v2 *v2, int64_t now, const struct world_request *request,
                     struct world_reply *reply) {
    const char *method = request->method;
    const char *id = NULL;
    reply->status = HTTP_OK;
    if (strcmp(method, "POST /api/v2/applications/token") == 0) {
        exchange(v2, now, request, reply);
    } else if (strcmp(method, "GET /api/v2/gateways") == 0) {
        list_gateways(v2, request, reply);
    } else if ((id = after(method, "GET /api/v2/gateways/")) != NULL) {
        get_gateway(v2, id, request, reply);
    } else if (strcmp(method, "GET /api/v2/applications") == 0) {
        list_applications(v2, request, reply);
    } else if ((id = after(method, "GET /api/v2/applications/")) != NULL) {
        get_application(v2, id, request, reply);
    } else {
        world_reply_status(reply, HTTP_NOT_FOUND, "Not found");
    }
    if (reply->body.size > 0) world_reply_add_header(reply, "content-type", "application/json");
}
