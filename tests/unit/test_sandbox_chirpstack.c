// SPDX-License-Identifier: Apache-2.0
// The sandbox's ChirpStack answers as the recorded one does: form of the lists, errors, what a key may do, and what
// changes do to a device.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "chirpstack_v4.pb-c.h"
#include "world/world.h"

#define DEV_EUI "a840410000000001"
#define NOW     INT64_C(1767225600000000000)

static struct world *make_world(void) {
    return world_new(&(struct world_setup){.seed = 1, .broken = true, .chirpstack_devices = 14});
}

static struct world_reply ask_as(struct world *world, const char *key, const char *method,
                                 const ProtobufCMessage *message) {
    uint8_t body[4096];
    assert_true(protobuf_c_message_get_packed_size(message) <= sizeof body);
    size_t size = protobuf_c_message_pack(message, body);
    char authorization[256];
    snprintf(authorization, sizeof authorization, "Bearer %s", key == NULL ? "" : key);
    const struct world_header header = {"authorization", authorization};
    const struct world_request request = {
        .endpoint = WORLD_CHIRPSTACK,
        .method = method,
        .headers = &header,
        .header_count = key != NULL,
        .body = body,
        .body_size = size,
    };
    struct world_reply reply;
    world_call(world, NOW, &request, &reply);
    return reply;
}

static struct world_reply ask(struct world *world, const char *method, const ProtobufCMessage *message) {
    return ask_as(world, world_chirpstack_key(world, WORLD_CHIRPSTACK_KEY_ADMIN), method, message);
}

static void *unpack(const ProtobufCMessageDescriptor *descriptor, struct world_reply *reply) {
    assert_int_equal(reply->status, 0);
    void *message = protobuf_c_message_unpack(descriptor, NULL, reply->body.size, reply->body.data);
    assert_non_null(message);
    world_reply_release(reply);
    return message;
}

static void release(void *message) {
    protobuf_c_message_free_unpacked(message, NULL);
}

static struct world_reply ask_device(struct world *world, const char *method, const char *dev_eui) {
    char text[64];
    snprintf(text, sizeof text, "%s", dev_eui);
    Chirpstack__DevEUIRequest request = CHIRPSTACK__DEV_EUIREQUEST__INIT;
    request.dev_eui = text;
    return ask(world, method, &request.base);
}

static void refused(struct world_reply reply, int status, const char *message) {
    assert_int_equal(reply.status, status);
    assert_non_null(strstr(reply.message, message));
    world_reply_release(&reply);
}

static void test_keys(void **state) {
    (void)state;
    struct world *world = make_world();
    Chirpstack__ListTenantsRequest tenants = CHIRPSTACK__LIST_TENANTS_REQUEST__INIT;
    tenants.limit = 100;
    const char *list = "/api.TenantService/List";
    refused(ask_as(world, NULL, list, &tenants.base), 16, "no authorization provided");
    refused(ask_as(world, "wrong", list, &tenants.base), 16, "InvalidToken");
    refused(ask_as(world, world_chirpstack_key(world, WORLD_CHIRPSTACK_KEY_TENANT), list, &tenants.base), 16,
            "");
    struct world_reply reply = ask(world, list, &tenants.base);
    Chirpstack__ListTenantsResponse *answer = unpack(&chirpstack__list_tenants_response__descriptor, &reply);
    assert_int_equal(answer->total_count, 3);
    assert_int_equal(answer->n_result, 3);
    release(answer);
    Chirpstack__DevEUIRequest device = CHIRPSTACK__DEV_EUIREQUEST__INIT;
    char dev_eui[] = DEV_EUI;
    device.dev_eui = dev_eui;
    refused(ask_as(world, world_chirpstack_key(world, WORLD_CHIRPSTACK_KEY_OTHER_TENANT),
                   "/api.DeviceService/Get", &device.base),
            16, "");
    refused(ask_as(world, world_chirpstack_key(world, WORLD_CHIRPSTACK_KEY_READ_ONLY),
                   "/api.DeviceService/Delete", &device.base),
            16, "");
    refused(ask(world, "/api.DeviceService/Reboot", &device.base), 12, "");
    world_free(world);
}

static void test_lists(void **state) {
    (void)state;
    struct world *world = make_world();
    Chirpstack__ListDevicesRequest request = CHIRPSTACK__LIST_DEVICES_REQUEST__INIT;
    char id[64];
    snprintf(id, sizeof id, "%s", world_chirpstack_application_id(world));
    request.application_id = id;
    static const struct {
        uint32_t limit, offset, count;
    } cases[] = {{0, 0, 0}, {5, 0, 5}, {5, 10, 4}, {100, 0, 14}, {100, 14, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        request.limit = cases[i].limit;
        request.offset = cases[i].offset;
        struct world_reply reply = ask(world, "/api.DeviceService/List", &request.base);
        Chirpstack__ListDevicesResponse *list =
            unpack(&chirpstack__list_devices_response__descriptor, &reply);
        assert_int_equal(list->total_count, 14);
        assert_int_equal(list->n_result, cases[i].count);
        release(list);
    }
    char name[] = "meters";
    request.application_id = name;
    refused(ask(world, "/api.DeviceService/List", &request.base), 3, "invalid character: found `m` at 0");
    assert_int_equal(world_calls(world, "DeviceService/List"), 6);
    world_free(world);
}

static void test_reading(void **state) {
    (void)state;
    struct world *world = make_world();
    refused(ask_device(world, "/api.DeviceService/Get", "ffffffffffffffff"), 5,
            "Object does not exist (id: ffffffffffffffff)");
    refused(ask_device(world, "/api.DeviceService/Get", "12"), 3, "");
    struct world_reply reply = ask_device(world, "/api.DeviceService/Get", "A840410000000001");
    Chirpstack__GetDeviceResponse *device = unpack(&chirpstack__get_device_response__descriptor, &reply);
    assert_string_equal(device->device->dev_eui, DEV_EUI);
    assert_string_equal(device->device->name, "Meter 0 \xc3\xbc");
    assert_int_equal(device->device->n_tags, 2);
    assert_int_equal(device->device->n_variables, 1);
    release(device);
    // The fifth profile is one of ABP devices: a session, and no keys.
    refused(ask_device(world, "/api.DeviceService/GetKeys", "a840410000000005"), 5,
            "Object does not exist (id: a840410000000005)");
    reply = ask_device(world, "/api.DeviceService/GetActivation", "a840410000000005");
    Chirpstack__GetDeviceActivationResponse *activation =
        unpack(&chirpstack__get_device_activation_response__descriptor, &reply);
    assert_string_equal(activation->device_activation->f_nwk_s_int_key,
                        activation->device_activation->nwk_s_enc_key);
    release(activation);
    // A device that never joined: an answer without an activation.
    reply = ask_device(world, "/api.DeviceService/GetActivation", "a840430000000007");
    assert_int_equal(reply.status, 0);
    assert_int_equal(reply.body.size, 0);
    world_reply_release(&reply);
    world_free(world);
}

static void test_changing(void **state) {
    (void)state;
    struct world *world = make_world();
    struct world_reply reply = ask_device(world, "/api.DeviceService/Get", DEV_EUI);
    Chirpstack__GetDeviceResponse *device = unpack(&chirpstack__get_device_response__descriptor, &reply);
    Chirpstack__DeviceRequest request = CHIRPSTACK__DEVICE_REQUEST__INIT;
    request.device = device->device;
    refused(ask(world, "/api.DeviceService/Create", &request.base), 13, "duplicate key");
    device->device->is_disabled = true;
    reply = ask(world, "/api.DeviceService/Update", &request.base);
    assert_int_equal(reply.status, 0);
    world_reply_release(&reply);
    reply = ask_device(world, "/api.DeviceService/Get", DEV_EUI);
    Chirpstack__GetDeviceResponse *changed = unpack(&chirpstack__get_device_response__descriptor, &reply);
    assert_true(changed->device->is_disabled);
    assert_string_equal(changed->device->name, device->device->name);
    assert_int_equal(changed->device->n_tags, 2);
    release(changed);
    reply = ask_device(world, "/api.DeviceService/Delete", DEV_EUI);
    assert_int_equal(reply.status, 0);
    world_reply_release(&reply);
    refused(ask_device(world, "/api.DeviceService/Delete", DEV_EUI), 5, DEV_EUI);
    refused(ask(world, "/api.DeviceService/Update", &request.base), 5, DEV_EUI);
    reply = ask(world, "/api.DeviceService/Create", &request.base);
    assert_int_equal(reply.status, 0);
    world_reply_release(&reply);
    // Keys and session went with the device.
    refused(ask_device(world, "/api.DeviceService/GetKeys", DEV_EUI), 5, DEV_EUI);
    release(device);
    world_free(world);
}

// An application and a profile of a tenant; their IDs, which the caller frees.
static char *make_application(struct world *world, const char *tenant_id, const char *name) {
    Chirpstack__Application application = CHIRPSTACK__APPLICATION__INIT;
    Chirpstack__CreateApplicationRequest request = CHIRPSTACK__CREATE_APPLICATION_REQUEST__INIT;
    char tenant[64], called[64];
    snprintf(tenant, sizeof tenant, "%s", tenant_id);
    snprintf(called, sizeof called, "%s", name);
    application.tenant_id = tenant;
    application.name = called;
    request.application = &application;
    struct world_reply reply = ask(world, "/api.ApplicationService/Create", &request.base);
    Chirpstack__IDMessage *answer = unpack(&chirpstack__idmessage__descriptor, &reply);
    char *id = memory_strdup(answer->id);
    release(answer);
    return id;
}

static struct world_reply ask_profile(struct world *world, const char *tenant_id, const char *name,
                                      enum world_chirpstack_key key) {
    Chirpstack__DeviceProfile profile = CHIRPSTACK__DEVICE_PROFILE__INIT;
    Chirpstack__CreateDeviceProfileRequest request = CHIRPSTACK__CREATE_DEVICE_PROFILE_REQUEST__INIT;
    char tenant[64], called[64];
    snprintf(tenant, sizeof tenant, "%s", tenant_id);
    snprintf(called, sizeof called, "%s", name);
    profile.tenant_id = tenant;
    profile.name = called;
    profile.supports_otaa = true;
    profile.abp_rx1_delay = 5;
    profile.region = CHIRPSTACK__REGION__AS923;
    request.device_profile = &profile;
    return ask_as(world, world_chirpstack_key(world, key), "/api.DeviceProfileService/Create", &request.base);
}

static struct world_reply ask_create(struct world *world, const char *dev_eui, char *application,
                                     char *profile) {
    Chirpstack__Device device = CHIRPSTACK__DEVICE__INIT;
    Chirpstack__DeviceRequest request = CHIRPSTACK__DEVICE_REQUEST__INIT;
    char eui[17];
    snprintf(eui, sizeof eui, "%s", dev_eui);
    device.dev_eui = eui;
    device.name = eui;
    device.application_id = application;
    device.device_profile_id = profile;
    request.device = &device;
    return ask(world, "/api.DeviceService/Create", &request.base);
}

// What takes an application or a profile away takes its devices too.
static void test_places(void **state) {
    (void)state;
    struct world *world = make_world();
    const char *tenant = world_chirpstack_tenant_id(world);
    char *application MEMORY_AUTO = make_application(world, tenant, "pumps");
    refused(ask_profile(world, tenant, "", WORLD_CHIRPSTACK_KEY_ADMIN), 3, "name is not set");
    refused(ask_profile(world, tenant, "x", WORLD_CHIRPSTACK_KEY_READ_ONLY), 16, "");
    refused(ask_profile(world, tenant, "x", WORLD_CHIRPSTACK_KEY_OTHER_TENANT), 16, "");
    struct world_reply reply = ask_profile(world, tenant, "x", WORLD_CHIRPSTACK_KEY_TENANT);
    Chirpstack__IDMessage *profile = unpack(&chirpstack__idmessage__descriptor, &reply);
    reply = ask_device(world, "/api.DeviceProfileService/Get", profile->id);
    Chirpstack__GetDeviceProfileResponse *got =
        unpack(&chirpstack__get_device_profile_response__descriptor, &reply);
    assert_int_equal(got->device_profile->region, CHIRPSTACK__REGION__AS923);
    assert_int_equal(got->device_profile->abp_rx1_delay, 0);
    release(got);
    refused(ask_create(world, "a840410000000001", application, profile->id), 13, "duplicate key");
    refused(ask_create(world, "a840490000000001", application, application), 13, "foreign key");
    static const char *const methods[] = {"/api.ApplicationService/Delete",
                                          "/api.DeviceProfileService/Delete"};
    for (size_t i = 0; i < 2; i++) {
        char *place MEMORY_AUTO = make_application(world, tenant, "more pumps");
        reply = ask_create(world, "a840490000000001", place, profile->id);
        assert_int_equal(reply.status, 0);
        world_reply_release(&reply);
        reply = ask_device(world, methods[i], i == 0 ? place : profile->id);
        assert_int_equal(reply.status, 0);
        world_reply_release(&reply);
        refused(ask_device(world, "/api.DeviceService/Get", "a840490000000001"), 5, "does not exist");
    }
    release(profile);
    world_free(world);
}

static void test_field(void **state) {
    (void)state;
    struct world *world =
        world_new(&(struct world_setup){.seed = 1, .chirpstack_devices = 14, .uplinks = 100});
    BUFFER_AUTO before;
    BUFFER_AUTO after;
    buffer_init(&before, BUFFER_UNLIMITED);
    buffer_init(&after, BUFFER_UNLIMITED);
    world_advance(world, NOW);
    world_state_json(world, WORLD_STATE_DEVICES, &before);
    world_advance(world, NOW + INT64_C(10000000000));
    world_state_json(world, WORLD_STATE_DEVICES, &after);
    assert_non_null(strstr(buffer_string(&before), "\"chirpstack\":["));
    assert_string_not_equal(buffer_string(&before), buffer_string(&after));
    world_free(world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),     cmocka_unit_test(test_lists),  cmocka_unit_test(test_reading),
        cmocka_unit_test(test_changing), cmocka_unit_test(test_places), cmocka_unit_test(test_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
