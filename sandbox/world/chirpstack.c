// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "world/chirpstack_p.h"

// The parts of a seed: what is drawn for one does not move what is drawn for another.
// The tenant umbrella has few devices and addresses of its own.
enum { UMBRELLA_DEVICES_MAX = 20 };

enum { STREAM_KEYS = -31, STREAM_FIELD = -32, UUID_TENANT = 1 << 20, UUID_APPLICATION = 1 << 21 };

static void make_api_key(struct prng *prng, struct cs_api_key *key, const struct cs_tenant *tenant,
                         bool read_only) {
    // The first part is what every JSON web token of HS256 begins with.
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    int used = snprintf(key->text, sizeof key->text, "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.");
    for (int i = 0; i < 43; i++) key->text[used + i] = alphabet[prng_below(prng, sizeof alphabet - 1)];
    key->text[used + 43] = '\0';
    key->tenant = tenant;
    key->read_only = read_only;
}

static void make_places(struct cs *cs) {
    static const char *const tenants[CS_TENANTS] = {"ChirpStack", WORLD_CHIRPSTACK_TENANT, "umbrella"};
    static const struct {
        const char *name;
        size_t tenant;
    } applications[CS_APPLICATIONS] = {{WORLD_CHIRPSTACK_APPLICATION, 1},
                                       {WORLD_CHIRPSTACK_TARGET, 1},
                                       {"shared", 1},
                                       {"shared", 2},
                                       {"broken", 1}};
    for (size_t i = 0; i < CS_TENANTS; i++) {
        cs_make_uuid(cs->seed, UUID_TENANT + i, cs->tenants[i].id);
        cs->tenants[i].name = tenants[i];
        cs->tenants[i].max_devices = i == 2 ? UMBRELLA_DEVICES_MAX : 0;
        cs->tenants[i].prefix = i == 2 ? "26000000/7" : NULL;
    }
    for (size_t i = 0; i < CS_APPLICATIONS; i++) {
        char id[CS_UUID_SIZE];
        cs_make_uuid(cs->seed, UUID_APPLICATION + i, id);
        cs_add_application(cs, id, applications[i].name, &cs->tenants[applications[i].tenant]);
    }
}

struct cs *cs_new(const struct world_setup *setup) {
    struct cs *cs = memory_new(struct cs);
    cs->seed = setup->seed;
    cs->uplinks = setup->uplinks;
    make_places(cs);
    struct prng prng = prng_init(cs->seed, (uint64_t)STREAM_KEYS);
    make_api_key(&prng, &cs->keys[WORLD_CHIRPSTACK_KEY_ADMIN], NULL, false);
    make_api_key(&prng, &cs->keys[WORLD_CHIRPSTACK_KEY_TENANT], &cs->tenants[1], false);
    make_api_key(&prng, &cs->keys[WORLD_CHIRPSTACK_KEY_OTHER_TENANT], &cs->tenants[2], false);
    make_api_key(&prng, &cs->keys[WORLD_CHIRPSTACK_KEY_READ_ONLY], NULL, true);
    cs->field = prng_init(cs->seed, (uint64_t)STREAM_FIELD);
    cs_populate(cs, setup->chirpstack_devices);
    if (setup->broken) cs_add_broken(cs);
    cs_populate_gateways(cs, setup->broken);
    return cs;
}

void cs_free(struct cs *cs) {
    if (cs == NULL) return;
    for (size_t i = 0; i < cs->device_count; i++) cs_device_free(cs->devices[i]);
    for (size_t i = 0; i < cs->application_count; i++) cs_application_free(cs->applications[i]);
    for (size_t i = 0; i < cs->profile_count; i++) cs_profile_free(cs->profiles[i]);
    for (size_t i = 0; i < cs->gateway_count; i++) cs_gateway_free(cs->gateways[i]);
    free(cs->devices);
    free(cs->gateways);
    free(cs->applications);
    free(cs->profiles);
    free(cs);
}

// ---- who calls

static const struct cs_api_key *authenticate(const struct cs *cs, const struct world_request *request,
                                             struct world_reply *reply) {
    static const char scheme[] = "Bearer ";
    const char *header = world_request_header(request, "authorization");
    if (header == NULL || strncmp(header, scheme, strlen(scheme)) != 0) {
        world_reply_status(reply, STATUS_UNAUTHENTICATED, "no authorization provided");
        return NULL;
    }
    for (size_t i = 0; i < WORLD_CHIRPSTACK_KEYS; i++) {
        if (strcmp(cs->keys[i].text, header + strlen(scheme)) == 0) return &cs->keys[i];
    }
    world_reply_status(reply, STATUS_UNAUTHENTICATED, "InvalidToken");
    return NULL;
}

bool cs_may(const struct cs_call *call, const struct cs_tenant *tenant, enum cs_right right) {
    bool mine = call->key->tenant == NULL || call->key->tenant == tenant;
    if (mine && (right == CS_READ || !call->key->read_only)) return true;
    // The server does not say more: neither what is missing, nor whether there is such a thing.
    world_reply_status(call->reply, STATUS_UNAUTHENTICATED, "%s", "");
    return false;
}

void cs_not_found(const struct cs_call *call, const char *id) {
    world_reply_status(call->reply, STATUS_NOT_FOUND, "Object does not exist (id: %s)", id);
}

void cs_duplicate(const struct cs_call *call, const char *constraint) {
    world_reply_status(call->reply, STATUS_INTERNAL, "duplicate key value violates unique constraint \"%s\"",
                       constraint);
}

// ---- calls

static const struct {
    const char *name;
    void (*run)(const struct cs_call *call);
} methods[] = {
    {"/api.InternalService/ListRegions", cs_list_regions},
    {"/api.TenantService/List", cs_list_tenants},
    {"/api.TenantService/Get", cs_get_tenant},
    {"/api.ApplicationService/List", cs_list_applications},
    {"/api.ApplicationService/Get", cs_get_application},
    {"/api.ApplicationService/Create", cs_create_application},
    {"/api.ApplicationService/Delete", cs_delete_application},
    {"/api.DeviceProfileService/List", cs_list_profiles},
    {"/api.DeviceProfileService/Get", cs_get_profile},
    {"/api.DeviceProfileService/Create", cs_create_profile},
    {"/api.DeviceProfileService/Delete", cs_delete_profile},
    {"/api.DeviceService/List", cs_list_devices},
    {"/api.DeviceService/Get", cs_get_device},
    {"/api.DeviceService/GetKeys", cs_get_keys},
    {"/api.DeviceService/GetActivation", cs_get_activation},
    {"/api.DeviceService/Create", cs_create_device},
    {"/api.DeviceService/Update", cs_update_device},
    {"/api.DeviceService/Delete", cs_delete_device},
    {"/api.DeviceService/CreateKeys", cs_create_keys},
    {"/api.DeviceService/UpdateKeys", cs_update_keys},
    {"/api.DeviceService/DeleteKeys", cs_delete_keys},
    {"/api.DeviceService/FlushDevNonces", cs_flush_nonces},
    {"/api.DeviceService/Activate", cs_activate},
    {"/api.DeviceService/Deactivate", cs_deactivate},
    {"/api.GatewayService/List", cs_list_gateways},
    {"/api.GatewayService/Get", cs_get_gateway},
};

void cs_call(struct cs *cs, int64_t now, const struct world_request *request, struct world_reply *reply) {
    struct cs_call call = {.cs = cs, .now = now, .body = {request->body, request->body_size}, .reply = reply};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        if (strcmp(methods[i].name, request->method) != 0) continue;
        call.key = authenticate(cs, request, reply);
        if (call.key != NULL) methods[i].run(&call);
        return;
    }
    world_reply_status(reply, STATUS_UNIMPLEMENTED, "%s", "");
}

static bool read_failed(const struct cs_call *call, const struct wire_reader *reader) {
    if (reader->failure == NULL) return false;
    world_reply_status(call->reply, STATUS_INTERNAL, "failed to decode Protobuf message: %s",
                       reader->failure);
    return true;
}

bool cs_read_texts(const struct cs_call *call, struct wire_bytes *texts, size_t count) {
    struct wire_reader reader = {.data = call->body.data, .size = call->body.size};
    struct wire_field field;
    while (wire_next(&reader, &field)) {
        if (field.type == WIRE_BYTES && field.number <= count) texts[field.number - 1] = field.bytes;
    }
    return !read_failed(call, &reader);
}

bool cs_read_request(const struct cs_call *call, struct cs_request *request) {
    enum { FIELDS = sizeof request->numbers / sizeof *request->numbers };
    *request = (struct cs_request){0};
    struct wire_reader reader = {.data = call->body.data, .size = call->body.size};
    struct wire_field field;
    while (wire_next(&reader, &field)) {
        if (field.number >= FIELDS) continue;
        if (field.type == WIRE_VARINT) request->numbers[field.number] = field.value;
        if (field.type != WIRE_BYTES) continue;
        size_t size = field.bytes.size;
        if (size >= sizeof request->texts[0]) size = sizeof request->texts[0] - 1;
        memcpy(request->texts[field.number], field.bytes.data, size);
        request->texts[field.number][size] = '\0';
    }
    return !read_failed(call, &reader);
}

// ---- for the world outside

const char *world_chirpstack_key(const struct world *world, enum world_chirpstack_key key) {
    return world->chirpstack->keys[key].text;
}

const char *world_chirpstack_application_id(const struct world *world) {
    return world->chirpstack->applications[0]->id;
}

const char *world_chirpstack_tenant_id(const struct world *world) {
    return world->chirpstack->tenants[1].id;
}
