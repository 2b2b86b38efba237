// SPDX-License-Identifier: Apache-2.0
// discovery.Discovery: no authentication and no limiter for reading.
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "world/ttnv2_p.h"

static const char handler_id[] = "dev";
static const char service_name[] = "handler";
static const char service_version[] = "2.x.x-sandbox";

// discovery.Announcement
enum {
    ANNOUNCEMENT_ID = 1,
    ANNOUNCEMENT_SERVICE_NAME = 2,
    ANNOUNCEMENT_SERVICE_VERSION = 3,
    ANNOUNCEMENT_NET_ADDRESS = 11,
    ANNOUNCEMENT_CERTIFICATE = 13,
    ANNOUNCEMENT_API_ADDRESS = 14,
    ANNOUNCEMENT_METADATA = 22,
    METADATA_APP_ID = 30,
    ANNOUNCEMENTS_SERVICES = 1,
    GET_BY_APP_ID_APP_ID = 30,
};

static void put_text(struct buffer *buffer, uint32_t number, const char *text) {
    if (*text != '\0') wire_put_text(buffer, number, text);
}

static void put_announcement(const struct v2 *v2, bool metadata, struct buffer *buffer) {
    put_text(buffer, ANNOUNCEMENT_ID, handler_id);
    put_text(buffer, ANNOUNCEMENT_SERVICE_NAME, service_name);
    put_text(buffer, ANNOUNCEMENT_SERVICE_VERSION, service_version);
    put_text(buffer, ANNOUNCEMENT_NET_ADDRESS, v2->net_address);
    put_text(buffer, ANNOUNCEMENT_CERTIFICATE, v2->certificate);
    put_text(buffer, ANNOUNCEMENT_API_ADDRESS, v2->api_address);
    for (size_t i = 0; metadata && i < v2->application_count; i++) {
        if (!v2->applications[i]->registered) continue;
        size_t mark = wire_begin(buffer, ANNOUNCEMENT_METADATA);
        wire_put_text(buffer, METADATA_APP_ID, v2->applications[i]->app_id);
        wire_end(buffer, mark);
    }
}

static void refuse_request(const char *failure, struct world_reply *reply) {
    world_reply_status(reply, STATUS_INTERNAL, "grpc: error unmarshalling request: %s", failure);
}

static void get_by_app_id(const struct v2 *v2, struct wire_bytes body, struct world_reply *reply) {
    struct wire_bytes texts[GET_BY_APP_ID_APP_ID] = {0};
    const char *failure = v2_decode_texts(body, texts, GET_BY_APP_ID_APP_ID);
    if (failure != NULL) {
        refuse_request(failure, reply);
        return;
    }
    char *app_id MEMORY_AUTO = v2_text(texts[GET_BY_APP_ID_APP_ID - 1]);
    const struct v2_application *application = v2_find_application(v2, app_id);
    if (application == NULL || !application->registered) {
        world_reply_status(reply, STATUS_NOT_FOUND, "discovery:app_id:%s not found", app_id);
        return;
    }
    put_announcement(v2, false, &reply->body);
}

static void get(const struct v2 *v2, struct wire_bytes body, struct world_reply *reply) {
    struct wire_bytes texts[2] = {0};
    const char *failure = v2_decode_texts(body, texts, 2);
    if (failure != NULL) {
        refuse_request(failure, reply);
        return;
    }
    char *id MEMORY_AUTO = v2_text(texts[0]);
    char *service MEMORY_AUTO = v2_text(texts[1]);
    if (strcmp(id, handler_id) != 0 || strcmp(service, service_name) != 0) {
        world_reply_status(reply, STATUS_NOT_FOUND, "discovery:announcement:%s:%s not found", service, id);
        return;
    }
    put_announcement(v2, true, &reply->body);
}

static void get_all(const struct v2 *v2, struct wire_bytes body, struct world_reply *reply) {
    struct wire_bytes texts[1] = {0};
    const char *failure = v2_decode_texts(body, texts, 1);
    if (failure != NULL) {
        refuse_request(failure, reply);
        return;
    }
    char *service MEMORY_AUTO = v2_text(texts[0]);
    if (strcmp(service, service_name) != 0) return;
    size_t mark = wire_begin(&reply->body, ANNOUNCEMENTS_SERVICES);
    put_announcement(v2, true, &reply->body);
    wire_end(&reply->body, mark);
}

void v2_discovery_call(struct v2 *v2, const struct world_request *request, struct world_reply *reply) {
    static const char prefix[] = "/discovery.Discovery/";
    struct wire_bytes body = {.data = request->body, .size = request->body_size};
    if (strncmp(request->method, prefix, sizeof prefix - 1) != 0) {
        const char *service = request->method + (*request->method == '/');
        world_reply_status(reply, STATUS_UNIMPLEMENTED, "unknown service %.*s", (int)strcspn(service, "/"),
                           service);
        return;
    }
    const char *method = request->method + sizeof prefix - 1;
    if (strcmp(method, "GetByAppID") == 0) {
        get_by_app_id(v2, body, reply);
    } else if (strcmp(method, "Get") == 0) {
        get(v2, body, reply);
    } else if (strcmp(method, "GetAll") == 0) {
        get_all(v2, body, reply);
    } else {
        world_reply_status(reply, STATUS_UNIMPLEMENTED, "unknown method %s for service discovery.Discovery",
                           method);
    }
}
