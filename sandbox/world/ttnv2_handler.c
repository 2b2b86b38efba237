// SPDX-License-Identifier: Apache-2.0
// handler.ApplicationManager. The order of the checks is that of the real Handler: the request's form, then
// who calls, then how often, then rights, then whether there is such a thing.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "world/ttnv2_p.h"

// handler.Application's texts after app_id, and handler.DeviceList's devices.
enum { APPLICATION_APP_ID = 1, APPLICATION_FIRST_FUNCTION = 2, DEVICE_LIST_DEVICES = 1 };

// An ID is one of [0-9a-z], then 1 to 35 times an optional - or _ and one of [0-9a-z].
enum { ID_MOST_PARTS = 35 };

struct call {
    struct v2 *v2;
    int64_t now;
    const struct world_request *request;
    struct world_reply *reply;
    char *app_id;  // owned
    char *dev_id;  // owned; NULL if the method has none
    struct v2_caller caller;
    struct v2_application *application;
};

char *v2_text(struct wire_bytes bytes) {
    return bytes.size > 0 ? memory_strndup((const char *)bytes.data, bytes.size) : memory_strdup("");
}

static bool is_alphanumeric(uint8_t byte) {
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z');
}

static bool is_id(struct wire_bytes id) {
    if (!is_alphanumeric(id.data[0])) return false;
    unsigned parts = 0;
    for (size_t i = 1; i < id.size; i++) {
        if (id.data[i] == '-' || id.data[i] == '_') i++;
        if (i == id.size || !is_alphanumeric(id.data[i])) return false;
        parts++;
    }
    return parts >= 1 && parts <= ID_MOST_PARTS;
}

bool v2_check_id(struct wire_bytes id, const char *name, const char *prefix, struct world_reply *reply) {
    const char *problem = NULL;
    if (id.size == 0) {
        problem = "can not be empty";
    } else if (!is_id(id)) {
        problem =
            "has wrong format. IDs can contain lowercase letters, numbers, dashes and underscores and should "
            "have a "
            "maximum length of 36";
    }
    if (problem == NULL) return true;
    world_reply_status(reply, STATUS_INVALID_ARGUMENT, "%s%s not valid: %s", prefix, name, problem);
    return false;
}

struct v2_application *v2_registered(const struct v2 *v2, const char *app_id, struct world_reply *reply) {
    struct v2_application *application = v2_find_application(v2, app_id);
    if (application != NULL && application->registered) return application;
    world_reply_status(reply, STATUS_NOT_FOUND,
                       "Application not registered to this Handler: handler:application:%s not found",
                       app_id);
    return NULL;
}

// Reads app_id and, if the method has one, dev_id. False: the reply says why not.
static bool read_identifiers(struct call *call, bool with_device) {
    struct wire_bytes texts[2] = {0};
    struct wire_bytes body = {.data = call->request->body, .size = call->request->body_size};
    const char *failure = v2_decode_texts(body, texts, with_device ? 2 : 1);
    if (failure != NULL) {
        world_reply_status(call->reply, STATUS_INTERNAL, "grpc: error unmarshalling request: %s", failure);
        return false;
    }
    const char *prefix = with_device ? "Invalid Device Identifier: " : "Invalid Application Identifier: ";
    if (!v2_check_id(texts[0], "AppID", prefix, call->reply)) return false;
    if (with_device && !v2_check_id(texts[1], "DevID", prefix, call->reply)) return false;
    call->app_id = v2_text(texts[0]);
    if (with_device) call->dev_id = v2_text(texts[1]);
    return true;
}

static bool admit(struct call *call, enum v2_rights right) {
    if (!v2_authenticate(call->v2, call->now, call->request, call->app_id, &call->caller, call->reply))
        return false;
    return v2_require(&call->caller, call->app_id, right, call->reply);
}

static bool find_application(struct call *call) {
    call->application = v2_registered(call->v2, call->app_id, call->reply);
    return call->application != NULL;
}

static struct v2_device *find_device(struct call *call) {
    struct v2_device *device = v2_find_device(call->application, call->dev_id);
    if (device == NULL) {
        world_reply_status(call->reply, STATUS_NOT_FOUND, "handler:device:%s:%s not found", call->app_id,
                           call->dev_id);
    }
    return device;
}

struct v2_network_device *v2_register(struct v2 *v2, struct v2_application *application,
                                      const struct v2_device *device) {
    struct v2_network_device *network = v2_network_add(&v2->network, device->app_eui, device->dev_eui);
    free(network->dev_id);
    network->dev_id = memory_strdup(device->dev_id);
    network->application = application;
    network->session = device->session;
    network->f_cnt_up = 0;
    network->f_cnt_down = 0;
    network->frames = 0;
    return network;
}

static void get_device(struct call *call) {
    static const char what[] = "Broker did not return device";
    if (!read_identifiers(call, true) || !admit(call, V2_RIGHT_DEVICES) || !find_application(call)) return;
    const struct v2_device *device = find_device(call);
    if (device == NULL || !v2_take_broker(call->v2, call->now, &call->caller, what, call->reply)) return;
    struct v2_network_device *network = v2_network_find(&call->v2->network, device->app_eui, device->dev_eui);
    if (network == NULL) network = v2_register(call->v2, call->application, device);
    v2_encode_device(&call->reply->body, call->app_id, device, network);
}

// A missing or empty header is 0.
static bool read_paging(struct call *call, const char *name, uint64_t *ret_value) {
    const char *text = world_request_header(call->request, name);
    *ret_value = 0;
    if (text == NULL || *text == '\0') return true;
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    bool digits = *text >= '0' && *text <= '9' && *end == '\0';
    if (digits && errno == 0) {
        *ret_value = value;
        return true;
    }
    world_reply_status(call->reply, STATUS_UNKNOWN, "strconv.ParseUint: parsing \"%s\": %s", text,
                       digits ? "value out of range" : "invalid syntax");
    return false;
}

static void get_devices(struct call *call) {
    if (!read_identifiers(call, false) || !admit(call, V2_RIGHT_DEVICES) || !find_application(call)) return;
    uint64_t limit = 0;
    uint64_t offset = 0;
    if (!read_paging(call, "limit", &limit) || !read_paging(call, "offset", &offset)) return;
    uint64_t total = call->application->device_count;
    if (offset > total) offset = total;
    uint64_t selected = total - offset;
    if (limit > 0 && selected > limit) selected = limit;
    for (uint64_t i = 0; i < selected; i++) {
        size_t mark = wire_begin(&call->reply->body, DEVICE_LIST_DEVICES);
        v2_encode_device(&call->reply->body, call->app_id, call->application->devices[offset + i], NULL);
        wire_end(&call->reply->body, mark);
    }
    world_reply_add_header(call->reply, "total", "%llu", (unsigned long long)total);
    world_reply_add_header(call->reply, "selected", "%llu", (unsigned long long)selected);
}

static void delete_device(struct call *call) {
    if (!read_identifiers(call, true) || !admit(call, V2_RIGHT_DEVICES) || !find_application(call)) return;
    struct v2_device *device = find_device(call);
    if (device == NULL ||
        !v2_take_broker(call->v2, call->now, &call->caller, "Broker did not delete device", call->reply)) {
        return;
    }
    v2_network_remove(&call->v2->network, device->app_eui, device->dev_eui);
    v2_remove_device(call->application, device);
}

static void get_application(struct call *call) {
    if (!read_identifiers(call, false) || !admit(call, V2_RIGHT_SETTINGS) || !find_application(call)) return;
    wire_put_text(&call->reply->body, APPLICATION_APP_ID, call->app_id);
    for (uint32_t i = 0; i < V2_FUNCTIONS; i++) {
        const struct v2_blob *text = &call->application->functions[i];
        if (text->size > 0)
            wire_put_bytes(&call->reply->body, APPLICATION_FIRST_FUNCTION + i, text->data, text->size);
    }
}

static void set_application(struct call *call) {
    if (!read_identifiers(call, false) || !admit(call, V2_RIGHT_SETTINGS) || !find_application(call)) return;
    struct wire_bytes texts[1 + V2_FUNCTIONS] = {0};
    struct wire_bytes body = {.data = call->request->body, .size = call->request->body_size};
    const char *failure = v2_decode_texts(body, texts, 1 + V2_FUNCTIONS);
    if (failure != NULL) {
        world_reply_status(call->reply, STATUS_INTERNAL, "grpc: error unmarshalling request: %s", failure);
        return;
    }
    for (size_t i = 0; i < V2_FUNCTIONS; i++) {
        v2_blob_set(&call->application->functions[i], texts[1 + i].data, texts[1 + i].size);
    }
}

static void register_application(struct call *call) {
    if (!read_identifiers(call, false) || !admit(call, V2_RIGHT_SETTINGS)) return;
    v2_add_application(call->v2, call->app_id, true);
}

static void set_device(struct call *call) {
    v2_set_device(call->v2, call->now, call->request, call->reply);
}

static const struct method {
    const char *name;
    void (*answer)(struct call *call);
} methods[] = {
    {"GetDevice", get_device},
    {"SetDevice", set_device},
    {"GetDevicesForApplication", get_devices},
    {"DeleteDevice", delete_device},
    {"GetApplication", get_application},
    {"SetApplication", set_application},
    {"RegisterApplication", register_application},
};

void v2_handler_call(struct v2 *v2, int64_t now, const struct world_request *request,
                     struct world_reply *reply) {
    static const char prefix[] = "/handler.ApplicationManager/";
    if (strncmp(request->method, prefix, sizeof prefix - 1) != 0) {
        const char *service = request->method + (*request->method == '/');
        world_reply_status(reply, STATUS_UNIMPLEMENTED, "unknown service %.*s", (int)strcspn(service, "/"),
                           service);
        return;
    }
    const char *name = request->method + sizeof prefix - 1;
    struct call call = {.v2 = v2, .now = now, .request = request, .reply = reply};
    const struct method *method = NULL;
    for (size_t i = 0; i < sizeof methods / sizeof *methods && method == NULL; i++) {
        if (strcmp(methods[i].name, name) == 0) method = &methods[i];
    }
    if (method == NULL) {
        world_reply_status(reply, STATUS_UNIMPLEMENTED,
                           "unknown method %s for service handler.ApplicationManager", name);
        return;
    }
    method->answer(&call);
    free(call.app_id);
    free(call.dev_id);
}
