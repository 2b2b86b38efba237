// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "world/awsiot_p.h"

enum { PAGE_MOST = 250, PAGE_USUAL = 50, VALUE_SIZE = 400 };

#define DEVICES_PATH "/wireless-devices"

static const char profiles_path[] = "/device-profiles/";

struct awsiot *aws_new(const struct world_setup *setup) {
    struct awsiot *awsiot = memory_new(struct awsiot);
    awsiot->seed = setup->seed;
    awsiot->rate = setup->rate_limit;
    aws_populate(awsiot, setup);
    return awsiot;
}

void aws_free(struct awsiot *awsiot) {
    if (awsiot == NULL) return;
    for (size_t i = 0; i < awsiot->count; i++) {
        json_decref(awsiot->devices[i].json);
        json_decref(awsiot->devices[i].tags);
    }
    for (size_t i = 0; i < AWSIOT_PROFILES; i++) json_decref(awsiot->profiles[i]);
    free(awsiot->devices);
    free(awsiot);
}

// ---- replies

static void put_json(struct world_reply *reply, int status, json_t *object) {
    char *text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    reply->status = status;
    buffer_puts(&reply->body, text);
    memory_free_secret(text);
    world_reply_add_header(reply, "content-type", "application/json");
}

bool aws_refuse(struct world_reply *reply, int status, const char *type, const char *message) {
    put_json(reply, status, json_pack("{s:s}", "message", message));
    world_reply_add_header(reply, "x-amzn-errortype", "%s", type);
    return false;
}

static void not_found(struct world_reply *reply) {
    aws_refuse(reply, 404, "ResourceNotFoundException", "The resource does not exist");
}

static void not_valid(struct world_reply *reply, const char *message) {
    aws_refuse(reply, 400, "ValidationException", message);
}

// ---- requests

static bool is_verb(const struct world_request *request, const char *verb) {
    size_t size = strlen(verb);
    return strncmp(request->method, verb, size) == 0 && request->method[size] == ' ';
}

// The path with the query behind it.
static const char *path_of(const struct world_request *request) {
    const char *space = strchr(request->method, ' ');
    return space == NULL ? "" : space + 1;
}

static bool begins(const char *text, const char *start) {
    return strncmp(text, start, strlen(start)) == 0;
}

const char *aws_method(const struct world_request *request) {
    const char *path = path_of(request);
    if (begins(path, profiles_path)) return "aws-profile";
    if (begins(path, "/tags")) return "aws-tags";
    if (is_verb(request, "POST")) return "aws-create";
    if (is_verb(request, "DELETE")) return "aws-delete";
    return path[sizeof DEVICES_PATH - 1] == '/' ? "aws-get" : "aws-list";
}

// An argument of the query, which came decoded; "" = none.
static const char *argument(const struct world_request *request, const char *name,
                            char text[static VALUE_SIZE]) {
    const char *at = strchr(path_of(request), '?');
    size_t size = strlen(name);
    *text = '\0';
    while (at != NULL && *at != '\0') {
        at++;
        if (strncmp(at, name, size) == 0 && at[size] == '=')
            snprintf(text, VALUE_SIZE, "%.*s", (int)strcspn(at + size + 1, "&"), at + size + 1);
        at += strcspn(at, "&");
    }
    return text;
}

static const char *text_of(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

static struct awsiot_device *find_device(struct awsiot *awsiot, const char *id, size_t size, bool by_eui) {
    for (size_t i = 0; i < awsiot->count; i++) {
        const json_t *json = awsiot->devices[i].json;
        const char *own = by_eui ? text_of(json_object_get(json, "LoRaWAN"), "DevEui") : text_of(json, "Id");
        if (size > 0 && strlen(own) == size && strncasecmp(own, id, size) == 0) return &awsiot->devices[i];
    }
    return NULL;
}

// ---- lists

static bool is_listed(const struct world_request *request, const json_t *device) {
    char text[VALUE_SIZE];
    if (device == NULL) return false;
    if (*argument(request, "wirelessDeviceType", text) != '\0' && strcmp(text, text_of(device, "Type")) != 0)
        return false;
    if (*argument(request, "destinationName", text) != '\0' &&
        strcmp(text, text_of(device, "DestinationName")) != 0)
        return false;
    const json_t *lorawan = json_object_get(device, "LoRaWAN");
    return *argument(request, "deviceProfileId", text) == '\0' ||
           strcmp(text, text_of(lorawan, "DeviceProfileId")) == 0;
}

static json_t *list_row(const json_t *device) {
    json_t *row = json_object();
    static const char *const members[] = {"Id", "Arn", "Type", "Name", "DestinationName", NULL};
    for (size_t i = 0; members[i] != NULL; i++) {
        json_t *member = json_object_get(device, members[i]);
        if (member != NULL) json_object_set(row, members[i], member);
    }
    const json_t *lorawan = json_object_get(device, "LoRaWAN");
    if (lorawan != NULL)
        json_object_set_new(row, "LoRaWAN", json_pack("{s:s}", "DevEui", text_of(lorawan, "DevEui")));
    return row;
}

// A token is where the next page begins and the filter it belongs to, with characters that need quoting.
static void list_devices(const struct awsiot *awsiot, const struct world_request *request,
                         struct world_reply *reply) {
    char text[VALUE_SIZE], destination[VALUE_SIZE], profile[VALUE_SIZE];
    unsigned long size = strtoul(argument(request, "maxResults", text), NULL, 10);
    argument(request, "destinationName", destination);
    argument(request, "deviceProfileId", profile);
    size_t index = 0;
    if (size > PAGE_MOST) {
        not_valid(reply, "maxResults is too large");
        return;
    }
    if (size == 0) size = PAGE_USUAL;
    if (*argument(request, "nextToken", text) != '\0') {
        char *end = NULL;
        index = strtoul(text, &end, 10);
        char *wanted = memory_printf("/%s+%s==", destination, profile);
        bool fits = strcmp(end, wanted) == 0;
        free(wanted);
        if (!fits) {
            not_valid(reply, "nextToken is not valid");
            return;
        }
    }
    json_t *list = json_array();
    for (; index < awsiot->count && json_array_size(list) < size; index++) {
        const json_t *device = awsiot->devices[index].json;
        if (is_listed(request, device)) json_array_append_new(list, list_row(device));
    }
    json_t *answer = json_pack("{s:o}", "WirelessDeviceList", list);
    if (index < awsiot->count) {
        char *token = memory_printf("%zu/%s+%s==", index, destination, profile);
        json_object_set_new(answer, "NextToken", json_string(token));
        free(token);
    }
    put_json(reply, 200, answer);
}

// ---- devices

static void create_device(struct awsiot *awsiot, const struct world_request *request,
                          struct world_reply *reply) {
    json_t *body = json_loadb(request->body, request->body_size, 0, NULL);
    const json_t *lorawan = json_object_get(body, "LoRaWAN");
    const char *eui = text_of(lorawan, "DevEui"), *profile = text_of(lorawan, "DeviceProfileId");
    bool known = false;
    for (size_t i = 0; i < AWSIOT_PROFILES; i++)
        known = known || strcmp(text_of(awsiot->profiles[i], "Id"), profile) == 0;
    bool valid = strcmp(text_of(body, "Type"), "LoRaWAN") == 0 && *text_of(body, "DestinationName") != '\0' &&
                 strlen(eui) == 16;
    const json_t *abp = json_object_get(lorawan, "AbpV1_0_x");
    valid = valid && json_integer_value(json_object_get(abp, "FCntStart")) <= UINT16_MAX;
    if (!valid) {
        not_valid(reply, "The device is not valid");
    } else if (!known) {
        not_found(reply);
    } else if (find_device(awsiot, eui, strlen(eui), true) != NULL) {
        aws_refuse(reply, 409, "ConflictException", "The DevEui is in use");
    } else {
        json_t *tags = json_incref(json_object_get(body, "Tags"));
        json_object_del(body, "Tags");
        struct awsiot_device *device = aws_add(awsiot, json_incref(body), tags == NULL ? json_array() : tags);
        device->writes++;
        put_json(
            reply, 201,
            json_pack("{s:s, s:s}", "Arn", text_of(device->json, "Arn"), "Id", text_of(device->json, "Id")));
    }
    json_decref(body);
}

static void call_device(struct awsiot *awsiot, const struct world_request *request,
                        struct world_reply *reply) {
    char kind[VALUE_SIZE];
    const char *id = path_of(request) + sizeof DEVICES_PATH;
    bool deletes = is_verb(request, "DELETE");
    bool by_eui = strcmp(argument(request, "identifierType", kind), "DevEui") == 0;
    if (!deletes && !by_eui && strcmp(kind, "WirelessDeviceId") != 0) {
        not_valid(reply, "identifierType is not valid");
        return;
    }
    struct awsiot_device *device = find_device(awsiot, id, strcspn(id, "?/"), by_eui && !deletes);
    if (device == NULL) {
        not_found(reply);
    } else if (deletes) {
        json_decref(memory_take(device->json));
        device->writes++;
        reply->status = 204;
    } else {
        put_json(reply, 200, json_incref(device->json));
    }
}

static void call_profile(const struct awsiot *awsiot, const struct world_request *request,
                         struct world_reply *reply) {
    const char *id = path_of(request) + sizeof profiles_path - 1;
    for (size_t i = 0; i < AWSIOT_PROFILES; i++) {
        if (strcmp(text_of(awsiot->profiles[i], "Id"), id) != 0) continue;
        put_json(reply, 200, json_incref(awsiot->profiles[i]));
        return;
    }
    not_found(reply);
}

static void call_tags(const struct awsiot *awsiot, const struct world_request *request,
                      struct world_reply *reply) {
    char arn[VALUE_SIZE];
    argument(request, "resourceArn", arn);
    for (size_t i = 0; i < awsiot->count; i++) {
        if (strcmp(text_of(awsiot->devices[i].json, "Arn"), arn) != 0) continue;
        put_json(reply, 200, json_pack("{s:O}", "Tags", awsiot->devices[i].tags));
        return;
    }
    not_found(reply);
}

static bool is_throttled(struct awsiot *awsiot, int64_t now) {
    if (awsiot->rate == 0) return false;
    if (!awsiot->used) awsiot->bucket = bucket_init(now, awsiot->rate);
    awsiot->used = true;
    return !bucket_take_at_once(&awsiot->bucket, now, awsiot->rate);
}

void aws_call(struct awsiot *awsiot, int64_t now, const struct world_request *request,
              struct world_reply *reply) {
    const char *path = path_of(request);
    if (!aws_admit(now, request, !is_verb(request, "GET"), reply)) return;
    if (is_throttled(awsiot, now)) {
        aws_refuse(reply, 429, "ThrottlingException", "Rate exceeded");
    } else if (begins(path, profiles_path)) {
        call_profile(awsiot, request, reply);
    } else if (begins(path, "/tags")) {
        call_tags(awsiot, request, reply);
    } else if (path[sizeof DEVICES_PATH - 1] == '/') {
        call_device(awsiot, request, reply);
    } else if (is_verb(request, "POST")) {
        create_device(awsiot, request, reply);
    } else {
        list_devices(awsiot, request, reply);
    }
}

void aws_state_json(const struct awsiot *awsiot, const char *separator, struct buffer *state) {
    bool first = true;
    for (size_t i = 0; i < awsiot->count; i++) {
        const struct awsiot_device *device = &awsiot->devices[i];
        if (device->json == NULL) continue;
        json_t *whole = json_copy(device->json);
        json_object_set(whole, "tags", device->tags);
        json_object_set_new(whole, "writes", json_integer((json_int_t)device->writes));
        char *text = json_dumps(whole, JSON_COMPACT | JSON_SORT_KEYS);
        buffer_printf(state, "%s%s", first ? "" : separator, text);
        first = false;
        memory_free_secret(text);
        json_decref(whole);
    }
}
