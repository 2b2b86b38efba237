// SPDX-License-Identifier: Apache-2.0
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "world/ttnv2_p.h"

// The account server that this Handler knows; the part of a key before its one dot names it.
static const char account_server[] = "ttn-account-v2";

const char *v2_right_name(enum v2_rights right) {
    return right == V2_RIGHT_DEVICES ? "devices" : "settings";
}

bool v2_exchange_key(const struct v2 *v2, const char *app_id, const char *key, unsigned *ret_rights,
                     const char **ret_error) {
    const struct v2_application *application = v2_find_application(v2, app_id);
    if (application == NULL) {
        *ret_error = "Application not found";
        return false;
    }
    for (size_t i = 0; i < V2_KEYS_MAX; i++) {
        if (application->keys[i].rights == 0 || strcmp(application->keys[i].text, key) != 0) continue;
        *ret_rights = application->keys[i].rights;
        return true;
    }
    *ret_error = "Invalid access key";
    return false;
}

// Without exactly one dot, the Handler takes the first account server that it knows.
static bool names_known_server(const char *key, struct world_reply *reply) {
    const char *dot = strchr(key, '.');
    if (dot == NULL || strchr(dot + 1, '.') != NULL) return true;
    size_t size = (size_t)(dot - key);
    if (size == strlen(account_server) && memcmp(key, account_server, size) == 0) return true;
    world_reply_status(reply, STATUS_UNKNOWN, "Auth server \"%.*s\" not registered", (int)size, key);
    return false;
}

static bool by_key(const struct v2 *v2, const char *key, const char *app_id, struct v2_caller *caller,
                   struct world_reply *reply) {
    if (!names_known_server(key, reply)) return false;
    const char *problem = NULL;
    if (!v2_exchange_key(v2, app_id, key, &caller->rights, &problem)) {
        world_reply_status(reply, STATUS_UNKNOWN, "%s", problem);
        return false;
    }
    caller->application = v2_find_application(v2, app_id);
    snprintf(caller->subject, sizeof caller->subject, "%s", app_id);
    return true;
}

static bool by_token(const struct v2 *v2, int64_t now, const char *token, struct v2_caller *caller,
                     struct world_reply *reply) {
    const char *problem = NULL;
    if (!v2_token_check(v2, now, token, caller->claims, sizeof caller->claims, &problem)) {
        world_reply_status(reply, STATUS_PERMISSION_DENIED, "permission denied: unable to parse token: %s",
                           problem);
        return false;
    }
    json_t *claims = json_loads(caller->claims, 0, NULL);
    const char *subject = json_string_value(json_object_get(claims, "sub"));
    snprintf(caller->subject, sizeof caller->subject, "%s", subject != NULL ? subject : "");
    json_decref(claims);
    return true;
}

static bool token_has_right(const char *claims_text, const char *app_id, const char *right) {
    json_t *claims = json_loads(claims_text, 0, NULL);
    const json_t *rights = json_object_get(json_object_get(claims, "apps"), app_id);
    bool found = false;
    for (size_t i = 0; i < json_array_size(rights); i++) {
        const char *name = json_string_value(json_array_get(rights, i));
        found = found || (name != NULL && strcmp(name, right) == 0);
    }
    json_decref(claims);
    return found;
}

bool v2_has_right(const struct v2_caller *caller, const char *app_id, enum v2_rights right) {
    if (caller->application == NULL) return token_has_right(caller->claims, app_id, v2_right_name(right));
    return strcmp(caller->application->app_id, app_id) == 0 && (caller->rights & right) != 0;
}

bool v2_require(const struct v2_caller *caller, const char *app_id, enum v2_rights right,
                struct world_reply *reply) {
    if (v2_has_right(caller, app_id, right)) return true;
    world_reply_status(reply, STATUS_PERMISSION_DENIED,
                       "permission denied: No \"%s\" rights to Application \"%s\"", v2_right_name(right),
                       app_id);
    return false;
}

// Each component starts to count a subject when it first meets it. Broker and Network Server met it earlier,
// so their seconds begin elsewhere; that is what lets a call pass the Handler and be refused behind it.
#define EARLIER (400 * NS_PER_MS)

static struct bucket *find_bucket(struct v2 *v2, int64_t now, enum v2_place place, const char *name) {
    for (size_t i = 0; i < v2->limit_count; i++) {
        struct v2_limit *limit = &v2->limits[i];
        if (limit->place == place && strcmp(limit->name, name) == 0) return &limit->bucket;
    }
    v2->limits = memory_resize(v2->limits, v2->limit_count + 1, sizeof *v2->limits);
    struct v2_limit *limit = &v2->limits[v2->limit_count++];
    *limit = (struct v2_limit){.place = place, .name = memory_strdup(name)};
    bool behind = place == V2_BROKER_CLIENT || place == V2_NETWORK_SERVER_CLIENT;
    limit->bucket = bucket_init(behind ? now - EARLIER : now, v2->rate_limit);
    return &limit->bucket;
}

// A call that had to wait in one place comes that much later to the next.
static bool take(struct v2 *v2, int64_t now, enum v2_place place, const char *name,
                 struct world_reply *reply) {
    if (v2->rate_limit == 0) return true;
    int64_t arrival = now + reply->delay;
    int64_t wait = 0;
    struct bucket *bucket = find_bucket(v2, arrival, place, name);
    if (!bucket_take(bucket, arrival, v2->rate_limit, &wait)) return false;
    reply->delay += wait;
    return true;
}

static bool take_handler(struct v2 *v2, int64_t now, const char *subject, const char *app_id,
                         struct world_reply *reply) {
    bool client = take(v2, now, V2_HANDLER_CLIENT, subject, reply);
    if (client && take(v2, now, V2_HANDLER_APPLICATION, app_id, reply)) return true;
    world_reply_status(reply, STATUS_RESOURCE_EXHAUSTED, "Rate limit for %s \"%s\" reached",
                       client ? "application" : "client", client ? app_id : subject);
    return false;
}

// The real Handler holds up calls of one kind of service, and tells the kind by this name.
#define SLOW_SERVICE       "integration-aws"
#define SLOW_SERVICE_DELAY (500 * NS_PER_MS)

bool v2_authenticate(struct v2 *v2, int64_t now, const struct world_request *request, const char *app_id,
                     struct v2_caller *ret_caller, struct world_reply *reply) {
    *ret_caller = (struct v2_caller){0};
    const char *service = world_request_header(request, "service-name");
    if (service != NULL && strstr(service, SLOW_SERVICE) != NULL) reply->delay += SLOW_SERVICE_DELAY;
    const char *token = world_request_header(request, "token");
    const char *key = world_request_header(request, "key");
    bool known = false;
    if (token != NULL) {
        known = by_token(v2, now, token, ret_caller, reply);
    } else if (key != NULL && *key != '\0') {
        known = by_key(v2, key, app_id, ret_caller, reply);
    } else {
        world_reply_status(reply, STATUS_INVALID_ARGUMENT,
                           "Metadata not valid: neither token nor key present");
    }
    return known && take_handler(v2, now, ret_caller->subject, app_id, reply);
}

bool v2_take_broker(struct v2 *v2, int64_t now, const struct v2_caller *caller, const char *what,
                    struct world_reply *reply) {
    if (take(v2, now, V2_BROKER_CLIENT, caller->subject, reply) &&
        take(v2, now, V2_NETWORK_SERVER_CLIENT, caller->subject, reply)) {
        return true;
    }
    world_reply_status(reply, STATUS_INTERNAL,
                       "%s: Internal error: [ResourceExhausted] Rate limit for client \"%s\" reached", what,
                       caller->subject);
    return false;
}
