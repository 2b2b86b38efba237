// SPDX-License-Identifier: Apache-2.0
// ChirpStack v4 over gRPC.
#include "device/message.h"
#include "source/chirpstack_p.h"

static const struct {
    const char *method;
    const ProtobufCMessageDescriptor *answer;
} objects[CHIRPSTACK_OBJECTS] = {
    [CHIRPSTACK_TENANTS] = {"/api.TenantService/List", &chirpstack__list_tenants_response__descriptor},
    [CHIRPSTACK_APPLICATIONS] = {"/api.ApplicationService/List",
                                 &chirpstack__list_applications_response__descriptor},
    [CHIRPSTACK_APPLICATION] = {"/api.ApplicationService/Get",
                                &chirpstack__get_application_response__descriptor},
    [CHIRPSTACK_DEVICES] = {"/api.DeviceService/List", &chirpstack__list_devices_response__descriptor},
    [CHIRPSTACK_PROFILE] = {"/api.DeviceProfileService/Get",
                            &chirpstack__get_device_profile_response__descriptor},
    [CHIRPSTACK_DEVICE] = {"/api.DeviceService/Get", &chirpstack__get_device_response__descriptor},
    [CHIRPSTACK_KEYS] = {"/api.DeviceService/GetKeys", &chirpstack__get_device_keys_response__descriptor},
    [CHIRPSTACK_ACTIVATION] = {"/api.DeviceService/GetActivation",
                               &chirpstack__get_device_activation_response__descriptor},
    [CHIRPSTACK_GATEWAYS] = {"/api.GatewayService/List", &chirpstack__list_gateways_response__descriptor},
    [CHIRPSTACK_GATEWAY] = {"/api.GatewayService/Get", &chirpstack__get_gateway_response__descriptor},
};

static const char *const changes[CHIRPSTACK_CHANGES] = {
    [CHIRPSTACK_CREATE] = "/api.DeviceService/Create",
    [CHIRPSTACK_UPDATE] = "/api.DeviceService/Update",
    [CHIRPSTACK_REMOVE] = "/api.DeviceService/Delete",
    [CHIRPSTACK_CREATE_KEYS] = "/api.DeviceService/CreateKeys",
    [CHIRPSTACK_ACTIVATE] = "/api.DeviceService/Activate",
};

static struct call *add_call(struct chirpstack *self, struct job *job, const char *method,
                             const ProtobufCMessage *message) {
    struct call *call = job_call(job);
    call->kind = CALL_GRPC;
    call->server = &self->server;
    call->method = method;
    call->body_size = protobuf_c_message_get_packed_size(message);
    uint8_t *body = arena_alloc(job->arena, 1, call->body_size);
    protobuf_c_message_pack(message, body);
    call->body = body;
    call_add_header(call, "authorization", self->authorization);
    return call;
}

// Strings of a message are not const, but it is only read.
static char *text_of(struct job *job, const char *text) {
    return arena_strdup(job->arena, text == NULL ? "" : text);
}

static void v4_list(struct chirpstack *self, struct job *job, enum chirpstack_object object,
                    const struct chirpstack_page *page) {
    const char *method = objects[object].method;
    if (object == CHIRPSTACK_TENANTS) {
        Chirpstack__ListTenantsRequest request = CHIRPSTACK__LIST_TENANTS_REQUEST__INIT;
        request.limit = page->limit;
        request.offset = page->offset;
        add_call(self, job, method, &request.base);
    } else if (object == CHIRPSTACK_APPLICATIONS) {
        Chirpstack__ListApplicationsRequest request = CHIRPSTACK__LIST_APPLICATIONS_REQUEST__INIT;
        request.limit = page->limit;
        request.offset = page->offset;
        request.tenant_id = text_of(job, page->of);
        add_call(self, job, method, &request.base);
    } else if (object == CHIRPSTACK_GATEWAYS) {
        Chirpstack__ListGatewaysRequest request = CHIRPSTACK__LIST_GATEWAYS_REQUEST__INIT;
        request.limit = page->limit;
        request.offset = page->offset;
        request.tenant_id = text_of(job, page->of);
        request.order_by = 1;
        add_call(self, job, method, &request.base);
    } else {
        Chirpstack__ListDevicesRequest request = CHIRPSTACK__LIST_DEVICES_REQUEST__INIT;
        request.limit = page->limit;
        request.offset = page->offset;
        request.application_id = text_of(job, page->of);
        request.order_by = 1;
        add_call(self, job, method, &request.base);
    }
}

static void v4_get(struct chirpstack *self, struct job *job, enum chirpstack_object object, const char *id) {
    // All requests for one object hold its ID and nothing else, in the same place.
    Chirpstack__DevEUIRequest request = CHIRPSTACK__DEV_EUIREQUEST__INIT;
    request.dev_eui = text_of(job, id);
    add_call(self, job, objects[object].method, &request.base);
}

static void *v4_read(struct chirpstack *self, struct job *job, size_t index, enum chirpstack_object object,
                     struct error *error) {
    const struct buffer *body = &job->replies[index].body;
    void *message = message_unpack(objects[object].answer, body->data, body->size, job->arena, error);
    if (message == NULL) error_wrap(error, ERROR_NONE, "%s: %s", self->server.name, objects[object].method);
    return message;
}

static struct call *v4_change(struct chirpstack *self, struct job *job, enum chirpstack_change change,
                              const ProtobufCMessage *message) {
    struct call *call = add_call(self, job, changes[change], message);
    call->changes = true;
    return call;
}

const struct chirpstack_api chirpstack_v4_api = {
    .kind = CALL_GRPC, .list = v4_list, .get = v4_get, .read = v4_read, .change = v4_change};
