// SPDX-License-Identifier: Apache-2.0
// Tenants, applications, profiles, and the lists. A list with limit 0 is its total alone.
#include <ctype.h>
#include <string.h>

#include "world/chirpstack_p.h"

enum {
    LIST_LIMIT = 1,
    LIST_OFFSET = 2,
    LIST_SEARCH = 3,
    LIST_APPLICATION = 4,
    LIST_TENANT = 4,
    LIST_PROFILE = 9
};

// Goes through the entries of a list: counts all, and is true for those of the page.
struct pager {
    uint64_t limit, offset, total;
};

static bool pager_shows(struct pager *pager) {
    uint64_t place = pager->total++;
    return place >= pager->offset && place - pager->offset < pager->limit;
}

// Entries first, then the total; the order of fields is free.
static void finish(const struct cs_call *call, const struct pager *pager) {
    cs_put_number(&call->reply->body, 1, pager->total);
}

static bool is_uuid(const char *text) {
    if (strlen(text) != CS_UUID_SIZE - 1) return false;
    for (size_t i = 0; text[i] != '\0'; i++) {
        if (!isxdigit((unsigned char)text[i]) && text[i] != '-') return false;
    }
    return true;
}

bool cs_check_uuid(const struct cs_call *call, const char *text) {
    if (is_uuid(text)) return true;
    size_t place = strspn(text, "0123456789abcdefABCDEF-");
    if (text[place] == '\0') {
        world_reply_status(call->reply, STATUS_INVALID_ARGUMENT,
                           "invalid length: expected length 32 for simple format, found %zu", strlen(text));
    } else {
        world_reply_status(call->reply, STATUS_INVALID_ARGUMENT, "invalid character: found `%c` at %zu",
                           text[place], place);
    }
    return false;
}

// The configurations that the server has: all regions but RU864.
void cs_list_regions(const struct cs_call *call) {
    static const struct {
        const char *id;
        uint32_t region;
    } regions[] = {
        {"eu868", 0},    {"us915_0", 2},  {"us915_1", 2},  {"eu433", 4},    {"au915_0", 5},
        {"cn470_10", 6}, {"as923", 7},    {"kr920", 8},    {"in865", 9},    {"cn779", 3},
        {"ism2400", 11}, {"as923_2", 12}, {"as923_3", 13}, {"as923_4", 14},
    };
    struct buffer *body = &call->reply->body;
    for (size_t i = 0; i < sizeof regions / sizeof *regions; i++) {
        size_t mark = wire_begin(body, 1);
        cs_put_text(body, 1, regions[i].id);
        cs_put_number(body, 2, regions[i].region);
        wire_end(body, mark);
    }
}

void cs_list_tenants(const struct cs_call *call) {
    struct cs_request request;
    if (!cs_read_request(call, &request) || !cs_may(call, NULL, CS_READ)) return;
    struct pager pager = {request.numbers[LIST_LIMIT], request.numbers[LIST_OFFSET], 0};
    struct buffer *body = &call->reply->body;
    for (size_t i = 0; i < CS_TENANTS; i++) {
        const struct cs_tenant *tenant = &call->cs->tenants[i];
        if (strstr(tenant->name, request.texts[LIST_SEARCH]) == NULL || !pager_shows(&pager)) continue;
        size_t mark = wire_begin(body, 2);
        cs_put_text(body, 1, tenant->id);
        cs_put_text(body, 4, tenant->name);
        cs_put_number(body, 5, 1);
        wire_end(body, mark);
    }
    finish(call, &pager);
}

void cs_get_tenant(const struct cs_call *call) {
    struct cs_request request;
    if (!cs_read_request(call, &request) || !cs_check_uuid(call, request.texts[1])) return;
    const struct cs_tenant *tenant = cs_find_tenant(call->cs, request.texts[1]);
    if (!cs_may(call, tenant, CS_READ)) return;
    if (tenant == NULL) {
        cs_not_found(call, request.texts[1]);
        return;
    }
    struct buffer *body = &call->reply->body;
    size_t mark = wire_begin(body, 1);
    cs_put_text(body, 1, tenant->id);
    cs_put_text(body, 2, tenant->name);
    cs_put_number(body, 4, 1);
    cs_put_number(body, 6, tenant->max_devices);
    cs_put_text(body, 10, tenant->prefix);
    wire_end(body, mark);
}

void cs_list_applications(const struct cs_call *call) {
    struct cs_request request;
    if (!cs_read_request(call, &request) || !cs_check_uuid(call, request.texts[LIST_TENANT])) return;
    const struct cs_tenant *tenant = cs_find_tenant(call->cs, request.texts[LIST_TENANT]);
    if (!cs_may(call, tenant, CS_READ)) return;
    struct pager pager = {request.numbers[LIST_LIMIT], request.numbers[LIST_OFFSET], 0};
    struct buffer *body = &call->reply->body;
    for (size_t i = 0; i < call->cs->application_count; i++) {
        const struct cs_application *application = call->cs->applications[i];
        if (application->tenant != tenant || strstr(application->name, request.texts[LIST_SEARCH]) == NULL ||
            !pager_shows(&pager)) {
            continue;
        }
        size_t mark = wire_begin(body, 2);
        cs_put_text(body, 1, application->id);
        cs_put_text(body, 4, application->name);
        cs_put_text(body, 5, application->description);
        wire_end(body, mark);
    }
    finish(call, &pager);
}

void cs_get_application(const struct cs_call *call) {
    struct cs_request request;
    if (!cs_read_request(call, &request) || !cs_check_uuid(call, request.texts[1])) return;
    const struct cs_application *application = cs_find_application(call->cs, request.texts[1]);
    if (!cs_may(call, application == NULL ? NULL : application->tenant, CS_READ)) return;
    if (application == NULL) {
        cs_not_found(call, request.texts[1]);
        return;
    }
    struct buffer *body = &call->reply->body;
    size_t mark = wire_begin(body, 1);
    cs_put_text(body, 1, application->id);
    cs_put_text(body, 2, application->name);
    cs_put_text(body, 3, application->description);
    cs_put_text(body, 4, application->tenant->id);
    wire_end(body, mark);
}

// There are none here that all tenants share.
void cs_list_profiles(const struct cs_call *call) {
    struct cs_request request;
    if (!cs_read_request(call, &request)) return;
    const char *tenant_id = request.texts[LIST_TENANT];
    if (tenant_id[0] != '\0' && !cs_check_uuid(call, tenant_id)) return;
    const struct cs_tenant *tenant = cs_find_tenant(call->cs, tenant_id);
    if (!cs_may(call, tenant, CS_READ)) return;
    struct pager pager = {request.numbers[LIST_LIMIT], request.numbers[LIST_OFFSET], 0};
    struct buffer *body = &call->reply->body;
    for (size_t i = 0; i < call->cs->profile_count; i++) {
        const struct cs_profile *profile = call->cs->profiles[i];
        if ((tenant_id[0] != '\0' && profile->tenant != tenant) || !pager_shows(&pager)) continue;
        size_t mark = wire_begin(body, 2);
        cs_put_text(body, 1, profile->id);
        cs_put_text(body, 4, profile->name);
        cs_put_number(body, 5, profile->region);
        cs_put_number(body, 6, profile->mac_version);
        cs_put_number(body, 7, profile->revision);
        cs_put_number(body, 8, profile->otaa);
        cs_put_number(body, 9, profile->class_b);
        cs_put_number(body, 10, profile->class_c);
        wire_end(body, mark);
    }
    finish(call, &pager);
}

void cs_get_profile(const struct cs_call *call) {
    struct cs_request request;
    if (!cs_read_request(call, &request) || !cs_check_uuid(call, request.texts[1])) return;
    const struct cs_profile *profile = cs_find_profile(call->cs, request.texts[1]);
    if (!cs_may(call, profile == NULL ? NULL : profile->tenant, CS_READ)) return;
    if (profile == NULL) {
        cs_not_found(call, request.texts[1]);
    } else {
        cs_put_profile(&call->reply->body, 1, profile);
    }
}

void cs_list_devices(const struct cs_call *call) {
    struct cs_request request;
    if (!cs_read_request(call, &request) || !cs_check_uuid(call, request.texts[LIST_APPLICATION])) return;
    const struct cs_application *application = cs_find_application(call->cs, request.texts[LIST_APPLICATION]);
    if (!cs_may(call, application == NULL ? NULL : application->tenant, CS_READ)) return;
    struct pager pager = {request.numbers[LIST_LIMIT], request.numbers[LIST_OFFSET], 0};
    struct buffer *body = &call->reply->body;
    for (size_t i = 0; i < call->cs->device_count; i++) {
        const struct cs_device *device = call->cs->devices[i];
        if (application == NULL || strcmp(device->application_id, application->id) != 0) continue;
        const char *profile = request.texts[LIST_PROFILE];
        if ((profile[0] != '\0' && strcmp(device->profile_id, profile) != 0) || !pager_shows(&pager))
            continue;
        size_t mark = wire_begin(body, 2);
        cs_put_text(body, 1, device->dev_eui);
        cs_put_time(body, 2, device->created);
        cs_put_time(body, 4, device->last_seen);
        cs_put_text(body, 5, device->name);
        cs_put_text(body, 6, device->description);
        cs_put_text(body, 7, device->profile_id);
        wire_end(body, mark);
    }
    finish(call, &pager);
}
