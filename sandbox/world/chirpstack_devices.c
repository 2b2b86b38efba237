// SPDX-License-Identifier: Apache-2.0
// DeviceService. The order of the checks is that of the real server: the request's form, then who calls, then whether
// there is such a thing.
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "world/chirpstack_p.h"

// A DevEUI in lower case. False: the reply says what is wrong.
static bool read_dev_eui(const struct cs_call *call, char dev_eui[static CS_EUI_SIZE]) {
    struct wire_bytes text = {0};
    if (!cs_read_texts(call, &text, 1)) return false;
    bool good = text.size == CS_EUI_SIZE - 1;
    for (size_t i = 0; good && i < text.size; i++) good = isxdigit(text.data[i]);
    if (!good) {
        world_reply_status(call->reply, STATUS_INVALID_ARGUMENT, "Invalid string length");
        return false;
    }
    for (size_t i = 0; i < text.size; i++) dev_eui[i] = (char)tolower(text.data[i]);
    dev_eui[text.size] = '\0';
    return true;
}

static const struct cs_tenant *tenant_of(const struct cs_call *call, const struct cs_device *device) {
    const struct cs_application *application =
        device == NULL ? NULL : cs_find_application(call->cs, device->application_id);
    return application == NULL ? NULL : application->tenant;
}

// The device that the caller may see (or change). NULL: the reply says why not.
static struct cs_device *open_device(const struct cs_call *call, const char *dev_eui, enum cs_right right) {
    struct cs_device *device = cs_find_device(call->cs, dev_eui);
    if (!cs_may(call, tenant_of(call, device), device == NULL ? CS_READ : right)) return NULL;
    if (device == NULL) cs_not_found(call, dev_eui);
    return device;
}

static struct cs_device *named_device(const struct cs_call *call, enum cs_right right) {
    char dev_eui[CS_EUI_SIZE];
    return read_dev_eui(call, dev_eui) ? open_device(call, dev_eui, right) : NULL;
}

void cs_get_device(const struct cs_call *call) {
    const struct cs_device *device = named_device(call, CS_READ);
    if (device == NULL) return;
    struct buffer *body = &call->reply->body;
    cs_put_device(body, 1, device);
    cs_put_time(body, 2, device->created);
    cs_put_time(body, 3, device->created);
    cs_put_time(body, 4, device->last_seen);
    cs_put_number(body, 6, device->class_enabled);
}

void cs_get_keys(const struct cs_call *call) {
    const struct cs_device *device = named_device(call, CS_READ);
    if (device == NULL) return;
    if (!device->has_keys) {
        cs_not_found(call, device->dev_eui);
        return;
    }
    cs_put_keys(&call->reply->body, 1, device);
}

void cs_get_activation(const struct cs_call *call) {
    const struct cs_device *device = named_device(call, CS_READ);
    if (device == NULL || !device->has_activation) return;
    struct buffer *body = &call->reply->body;
    cs_put_activation(body, 1, device);
    if (!device->wrapped) return;
    size_t context = wire_begin(body, 2);
    size_t key = wire_begin(body, 2);
    cs_put_text(body, 1, "kek-of-the-join-server");
    wire_put_bytes(body, 2, device->activation.app_s_key, 24);
    wire_end(body, key);
    wire_end(body, context);
}

// ---- changing

static bool inner(const struct cs_call *call, struct wire_bytes *ret_inner, const char *what) {
    if (cs_inner(call->body, ret_inner)) return true;
    world_reply_status(call->reply, STATUS_INVALID_ARGUMENT, "%s is missing", what);
    return false;
}

static bool decoded(const struct cs_call *call, const char *failure) {
    if (failure == NULL) return true;
    world_reply_status(call->reply, STATUS_INVALID_ARGUMENT, "%s", failure);
    return false;
}

// Application and profile have to be there, and of one tenant.
static bool check_places(const struct cs_call *call, const struct cs_device *device) {
    const struct cs_application *application = cs_find_application(call->cs, device->application_id);
    const struct cs_profile *profile = cs_find_profile(call->cs, device->profile_id);
    if (!cs_may(call, application == NULL ? NULL : application->tenant, CS_WRITE)) return false;
    if (application == NULL || profile == NULL) {
        // The database finds out.
        world_reply_status(call->reply, STATUS_INTERNAL, "%s",
                           application == NULL ? "Record not found"
                                               : "insert or update on table \"device\" violates foreign key "
                                                 "constraint \"device_device_profile_id_fkey\"");
        return false;
    }
    if (profile->tenant == application->tenant) return true;
    world_reply_status(call->reply, STATUS_INVALID_ARGUMENT,
                       "application and device-profile are not of the same tenant");
    return false;
}

static bool has_room(const struct cs_call *call, const struct cs_tenant *tenant) {
    uint32_t count = 0;
    for (size_t i = 0; i < call->cs->device_count; i++) {
        if (tenant_of(call, call->cs->devices[i]) == tenant) count++;
    }
    if (tenant->max_devices == 0 || count < tenant->max_devices) return true;
    world_reply_status(call->reply, STATUS_INVALID_ARGUMENT,
                       "Not allowed (Max number of devices exceeded for tenant)");
    return false;
}

void cs_create_device(const struct cs_call *call) {
    struct wire_bytes message;
    if (!inner(call, &message, "device")) return;
    struct cs_device *device = cs_device_new("");
    bool good = decoded(call, cs_read_device(message, device)) && check_places(call, device) &&
                has_room(call, tenant_of(call, device));
    if (good && cs_find_device(call->cs, device->dev_eui) != NULL) {
        cs_duplicate(call, "device_pkey");
        good = false;
    }
    if (!good) {
        cs_device_free(device);
        return;
    }
    device->created = call->now;
    device->writes = 1;
    cs_insert_device(call->cs, device);
}

void cs_update_device(const struct cs_call *call) {
    struct wire_bytes message;
    if (!inner(call, &message, "device")) return;
    struct cs_device *wanted = cs_device_new("");
    if (decoded(call, cs_read_device(message, wanted))) {
        struct cs_device *device = open_device(call, wanted->dev_eui, CS_WRITE);
        if (device != NULL && check_places(call, wanted)) {
            cs_read_device(message, device);
            device->writes++;
        }
    }
    cs_device_free(wanted);
}

void cs_delete_device(const struct cs_call *call) {
    struct cs_device *device = named_device(call, CS_WRITE);
    if (device != NULL) cs_remove_device(call->cs, device);
}

void cs_create_keys(const struct cs_call *call) {
    struct wire_bytes message;
    char dev_eui[CS_EUI_SIZE];
    struct cs_keys keys;
    if (!inner(call, &message, "device_keys")) return;
    if (!decoded(call, cs_read_keys(message, dev_eui, &keys))) return;
    struct cs_device *device = open_device(call, dev_eui, CS_WRITE);
    if (device == NULL) return;
    if (device->has_keys) {
        cs_duplicate(call, "device_keys_pkey");
        return;
    }
    device->keys = keys;
    device->has_keys = true;
    device->nonces = 0;
    device->writes++;
}

// The nonces that the device has used stay.
void cs_update_keys(const struct cs_call *call) {
    struct wire_bytes message;
    char dev_eui[CS_EUI_SIZE];
    struct cs_keys keys;
    if (!inner(call, &message, "device_keys")) return;
    if (!decoded(call, cs_read_keys(message, dev_eui, &keys))) return;
    struct cs_device *device = open_device(call, dev_eui, CS_WRITE);
    if (device == NULL) return;
    if (!device->has_keys) {
        cs_not_found(call, dev_eui);
        return;
    }
    device->keys = keys;
    device->writes++;
}

void cs_flush_nonces(const struct cs_call *call) {
    struct cs_device *device = named_device(call, CS_WRITE);
    if (device == NULL) return;
    device->nonces = 0;
    device->writes++;
}

void cs_delete_keys(const struct cs_call *call) {
    struct cs_device *device = named_device(call, CS_WRITE);
    if (device == NULL) return;
    if (!device->has_keys) {
        cs_not_found(call, device->dev_eui);
        return;
    }
    device->has_keys = false;
    device->writes++;
}

void cs_activate(const struct cs_call *call) {
    struct wire_bytes message;
    char dev_eui[CS_EUI_SIZE];
    struct cs_activation activation;
    if (!inner(call, &message, "device_activation")) return;
    if (!decoded(call, cs_read_activation(message, dev_eui, &activation))) return;
    struct cs_device *device = open_device(call, dev_eui, CS_WRITE);
    if (device == NULL) return;
    cs_boot(&activation, cs_find_profile(call->cs, device->profile_id));
    device->activation = activation;
    device->has_activation = true;
    device->wrapped = false;
    device->writes++;
}

void cs_deactivate(const struct cs_call *call) {
    struct cs_device *device = named_device(call, CS_WRITE);
    if (device == NULL) return;
    device->has_activation = false;
    device->writes++;
}
