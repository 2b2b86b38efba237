// SPDX-License-Identifier: Apache-2.0
// Making and deleting applications and device profiles. Whoever deletes one deletes its devices, without a question.
#include <string.h>

#include "world/chirpstack_p.h"

enum { UUID_MADE = 1 << 25 };

static void make_id(struct cs *cs, char id[static CS_UUID_SIZE]) {
    cs_make_uuid(cs->seed, UUID_MADE + cs->made++, id);
}

static void put_id(const struct cs_call *call, const char *id) {
    cs_put_text(&call->reply->body, 1, id);
}

static bool open_inner(const struct cs_call *call, const char *what, struct wire_bytes *ret_inner) {
    if (cs_inner(call->body, ret_inner)) return true;
    world_reply_status(call->reply, STATUS_INVALID_ARGUMENT, "%s is missing", what);
    return false;
}

static bool check_name(const struct cs_call *call, const char *name) {
    if (name != NULL && name[0] != '\0') return true;
    world_reply_status(call->reply, STATUS_INVALID_ARGUMENT, "Validation error: name is not set");
    return false;
}

static void copy_text(struct wire_bytes bytes, char *text, size_t size) {
    size_t length = bytes.size < size ? bytes.size : size - 1;
    if (length > 0) memcpy(text, bytes.data, length);
    text[length] = '\0';
}

// ---- applications

void cs_create_application(const struct cs_call *call) {
    enum { NAME = 1, DESCRIPTION = 2, TENANT = 3, TEXTS = 4 };
    struct wire_bytes message;
    if (!open_inner(call, "application", &message)) return;
    struct cs_call inner = *call;
    inner.body = message;
    struct wire_bytes texts[TEXTS] = {{0}};
    if (!cs_read_texts(&inner, texts, TEXTS)) return;
    char name[128], description[256], tenant_id[CS_UUID_SIZE];
    copy_text(texts[NAME], name, sizeof name);
    copy_text(texts[DESCRIPTION], description, sizeof description);
    copy_text(texts[TENANT], tenant_id, sizeof tenant_id);
    if (!cs_check_uuid(call, tenant_id)) return;
    const struct cs_tenant *tenant = cs_find_tenant(call->cs, tenant_id);
    if (!cs_may(call, tenant, CS_WRITE) || !check_name(call, name)) return;
    if (tenant == NULL) {
        cs_not_found(call, tenant_id);
        return;
    }
    char id[CS_UUID_SIZE];
    make_id(call->cs, id);
    struct cs_application *application = cs_add_application(call->cs, id, name, tenant);
    cs_set_text(&application->description, description);
    put_id(call, id);
}

void cs_delete_application(const struct cs_call *call) {
    struct cs_request request;
    if (!cs_read_request(call, &request) || !cs_check_uuid(call, request.texts[1])) return;
    const struct cs_application *application = cs_find_application(call->cs, request.texts[1]);
    if (!cs_may(call, application == NULL ? NULL : application->tenant, CS_WRITE)) return;
    if (application == NULL) {
        cs_not_found(call, request.texts[1]);
    } else {
        cs_remove_application(call->cs, application);
    }
}

// ---- device profiles

void cs_create_profile(const struct cs_call *call) {
    struct wire_bytes message;
    if (!open_inner(call, "device_profile", &message)) return;
    struct cs_profile read = {0};
    char tenant_id[CS_UUID_SIZE];
    const char *failure = cs_read_profile(message, &read, tenant_id);
    const struct cs_tenant *tenant = cs_find_tenant(call->cs, tenant_id);
    bool good = failure == NULL && cs_check_uuid(call, tenant_id) && cs_may(call, tenant, CS_WRITE) &&
                check_name(call, read.name);
    if (failure != NULL)
        world_reply_status(call->reply, STATUS_INTERNAL, "failed to decode Protobuf message: %s", failure);
    if (good && tenant == NULL) cs_not_found(call, tenant_id);
    if (!good || tenant == NULL) {
        arena_release(&read.arena);
        return;
    }
    char id[CS_UUID_SIZE];
    make_id(call->cs, id);
    struct cs_profile *profile = cs_add_profile(call->cs, id, tenant);
    *profile = read;
    profile->tenant = tenant;
    memcpy(profile->id, id, sizeof profile->id);
    put_id(call, id);
}

void cs_delete_profile(const struct cs_call *call) {
    struct cs_request request;
    if (!cs_read_request(call, &request) || !cs_check_uuid(call, request.texts[1])) return;
    const struct cs_profile *profile = cs_find_profile(call->cs, request.texts[1]);
    if (!cs_may(call, profile == NULL ? NULL : profile->tenant, CS_WRITE)) return;
    if (profile == NULL) {
        cs_not_found(call, request.texts[1]);
    } else {
        cs_remove_profile(call->cs, profile);
    }
}
