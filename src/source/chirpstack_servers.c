// SPDX-License-Identifier: Apache-2.0
// The server of ChirpStack, and which of its applications are meant: one by its UUID, one by its name, which is looked
// for in all tenants that the key sees, or all of them.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "device/message.h"
#include "source/chirpstack_p.h"

enum {
    API_PORT = 8080,
    CA_FILE_MAX = 4 * 1024 * 1024,
    PAGE_SIZE = 1000,       // devices a list call asks for: some 150 KB
    SMALL_PAGE_SIZE = 100,  // tenants, applications
    APPLICATIONS_MAX = 100000,
};

// ---- the server

static int open_ca(struct chirpstack *self, struct error *error) {
    const char *path = option_string(self->options, "ca-cert-path");
    if (path == NULL) return 0;
    size_t size = 0;
    int result = file_read_all(path, CA_FILE_MAX, &self->ca_pem, &size, error);
    if (result != 0) return error_wrap(error, ERROR_USAGE, "--chirpstack.ca-cert-path");
    if (strstr(self->ca_pem, "-----BEGIN CERTIFICATE-----") == NULL) {
        return error_set(error, ERROR_USAGE, "--chirpstack.ca-cert-path: %s holds no certificate in PEM form",
                         path);
    }
    return 0;
}

int chirpstack_server_open(struct chirpstack *self, struct error *error) {
    int result = open_ca(self, error);
    if (result != 0) return result;
    result = address_parse(option_string(self->options, "api-url"), "--chirpstack.api-url", API_PORT, false,
                           &self->address, error);
    if (result != 0) return result;
    self->server_name = memory_printf("ChirpStack %s", self->address.host_port);
    self->server = (struct server){
        .name = self->server_name,
        .address = self->address.host_port,
        .plain = self->address.plain || (!self->address.has_scheme && option_bool(self->options, "insecure")),
        .ca_pem = self->ca_pem,
    };
    self->authorization = memory_printf("Bearer %s", option_string(self->options, "api-key"));
    return 0;
}

static void forget_applications(struct chirpstack *self) {
    for (size_t i = 0; i < self->application_count; i++) free(self->applications[i]);
    free(self->applications);
    self->applications = NULL;
    self->application_count = 0;
}

void chirpstack_server_release(struct chirpstack *self) {
    forget_applications(self);
    free(self->asked);
    memory_free_secret(self->authorization);
    free(self->ca_pem);
    free(self->server_name);
    address_release(&self->address);
}

// ---- calls

struct call *chirpstack_call(struct chirpstack *self, struct job *job, const char *method,
                             const ProtobufCMessage *message) {
    struct call *call = job_call(job);
    call->kind = CALL_GRPC;
    call->server = &self->server;
    call->method = arena_printf(job->arena, "/api.%s", method);
    call->body_size = protobuf_c_message_get_packed_size(message);
    uint8_t *body = arena_alloc(job->arena, 1, call->body_size);
    protobuf_c_message_pack(message, body);
    call->body = body;
    call_add_header(call, "authorization", self->authorization);
    return call;
}

struct call *chirpstack_device_call(struct chirpstack *self, struct job *job, const char *method,
                                    const char *dev_eui) {
    Chirpstack__DevEUIRequest request = CHIRPSTACK__DEV_EUIREQUEST__INIT;
    request.dev_eui = arena_strdup(job->arena, dev_eui);
    return chirpstack_call(self, job, method, &request.base);
}

bool chirpstack_not_found(const struct reply *reply) {
    return reply->outcome == REPLY_ANSWERED && reply->grpc_status == GRPC_NOT_FOUND;
}

void chirpstack_failed(struct chirpstack *self, const struct call *call, const struct reply *reply,
                       struct error *error) {
    reply_error(reply, call, error);
    if (reply->outcome == REPLY_UNTRUSTED) {
        error_hint(error, "name the certificate to trust with --chirpstack.ca-cert-path FILE");
    } else if (reply->outcome == REPLY_ANSWERED && error->code == ERROR_DENIED && call->changes) {
        error_wrap(error, ERROR_NONE, "the API key may not change devices (is it read-only?)");
    } else if (reply->outcome == REPLY_ANSWERED && error->code == ERROR_DENIED) {
        error_hint(error,
                   "check --chirpstack.api-key: a key of the tenant that has the devices, or of an admin");
    } else if (reply->outcome == REPLY_LOST && self->server.plain == false && !self->address.has_scheme) {
        error_hint(error, "without TLS: --chirpstack.insecure");
    }
}

void *chirpstack_message(struct chirpstack *self, struct job *job, size_t index,
                         const ProtobufCMessageDescriptor *descriptor, struct error *error) {
    const struct buffer *body = &job->replies[index].body;
    void *message = message_unpack(descriptor, body->data, body->size, job->arena, error);
    if (message == NULL) error_wrap(error, ERROR_NONE, "%s: %s", self->server.name, job->calls[index].method);
    return message;
}

// ---- finding applications

// A search through tenants and their applications, page by page.
struct search {
    const char *name;  // of the application; NULL = all of them
    char **tenants;    // in the arena, as the texts
    size_t tenant_count;
    size_t tenant;    // whose applications are being read
    uint32_t offset;  // of the page
    size_t found;     // applications
};

static bool is_uuid(const char *text) {
    if (strlen(text) != 36) return false;
    for (size_t i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : strchr("0123456789abcdefABCDEF", text[i]) == NULL) return false;
    }
    return true;
}

static void add_application(struct chirpstack *self, const char *id) {
    self->applications =
        memory_resize(self->applications, self->application_count + 1, sizeof *self->applications);
    self->applications[self->application_count++] = memory_strdup(id);
}

enum prepare_stage { PREPARE_BEGIN, PREPARE_APPLICATION, PREPARE_TENANTS, PREPARE_APPLICATIONS };

static enum job_step ask_tenants(struct chirpstack *self, struct job *job) {
    const struct search *search = job->state;
    Chirpstack__ListTenantsRequest request = CHIRPSTACK__LIST_TENANTS_REQUEST__INIT;
    request.limit = SMALL_PAGE_SIZE;
    request.offset = search->offset;
    chirpstack_call(self, job, "TenantService/List", &request.base);
    job->stage = PREPARE_TENANTS;
    return JOB_CALLS;
}

static int search_done(struct chirpstack *self, const struct search *search, struct error *error) {
    if (search->name == NULL && self->application_count == 0) {
        return error_set(error, ERROR_NOT_FOUND, "%s: the API key sees no application", self->server.name);
    }
    if (search->name == NULL || self->application_count == 1) return 0;
    if (self->application_count == 0) {
        error_set(error, ERROR_NOT_FOUND, "%s: no tenant that the API key sees has an application %s",
                  self->server.name, search->name);
        error_hint(error, "write its name as it stands in ChirpStack, or its ID");
        return -ERROR_NOT_FOUND;
    }
    error_set(error, ERROR_USAGE, "%s: there are %zu applications %s", self->server.name,
              self->application_count, search->name);
    error_hint(error, "name the ID of one of them (%s, %s), or its tenant with --chirpstack.tenant-id",
               self->applications[0], self->applications[1]);
    return -ERROR_USAGE;
}

static enum job_step ask_applications(struct chirpstack *self, struct job *job, struct error *error) {
    const struct search *search = job->state;
    if (search->tenant == search->tenant_count) {
        return search_done(self, search, error) == 0 ? JOB_DONE : JOB_FAILED;
    }
    Chirpstack__ListApplicationsRequest request = CHIRPSTACK__LIST_APPLICATIONS_REQUEST__INIT;
    request.limit = SMALL_PAGE_SIZE;
    request.offset = search->offset;
    request.tenant_id = search->tenants[search->tenant];
    chirpstack_call(self, job, "ApplicationService/List", &request.base);
    job->stage = PREPARE_APPLICATIONS;
    return JOB_CALLS;
}

// Moves on by a page. False if that was the last one. ERROR_PROTOCOL in `error` if the list ends too early.
static bool next_page(struct chirpstack *self, const struct job *job, uint32_t *offset, size_t count,
                      uint32_t total, struct error *error) {
    uint64_t end = (uint64_t)*offset + count;
    if (end >= total) return false;
    if (count == 0 || end > APPLICATIONS_MAX) {
        error_set(error, ERROR_PROTOCOL, "%s: %s: the list ends after %" PRIu64 " of %" PRIu32 " entries",
                  self->server.name, job->calls[0].method, end, total);
        return false;
    }
    *offset = (uint32_t)end;
    return true;
}

static enum job_step read_tenants(struct chirpstack *self, struct job *job, struct error *error) {
    struct search *search = job->state;
    const Chirpstack__ListTenantsResponse *list =
        chirpstack_message(self, job, 0, &chirpstack__list_tenants_response__descriptor, error);
    if (list == NULL) return JOB_FAILED;
    for (size_t i = 0; i < list->n_result; i++) {
        message_append(job->arena, &search->tenant_count, &search->tenants,
                       arena_strdup(job->arena, list->result[i]->id));
    }
    if (next_page(self, job, &search->offset, list->n_result, list->total_count, error)) {
        return ask_tenants(self, job);
    }
    search->offset = 0;
    return error_is_set(error) ? JOB_FAILED : ask_applications(self, job, error);
}

static enum job_step read_applications(struct chirpstack *self, struct job *job, struct error *error) {
    struct search *search = job->state;
    const Chirpstack__ListApplicationsResponse *list =
        chirpstack_message(self, job, 0, &chirpstack__list_applications_response__descriptor, error);
    if (list == NULL) return JOB_FAILED;
    for (size_t i = 0; i < list->n_result; i++) {
        const Chirpstack__ApplicationListItem *item = list->result[i];
        if (search->name == NULL || strcmp(item->name, search->name) == 0) add_application(self, item->id);
    }
    if (!next_page(self, job, &search->offset, list->n_result, list->total_count, error)) {
        search->offset = 0;
        search->tenant++;
    }
    return error_is_set(error) ? JOB_FAILED : ask_applications(self, job, error);
}

static enum job_step prepare_begin(struct chirpstack *self, struct job *job, const char *application,
                                   struct error *error) {
    forget_applications(self);
    free(self->asked);
    self->asked = memory_strdup(application);
    if (strcmp(application, CHIRPSTACK_NONE) == 0) return JOB_DONE;
    if (is_uuid(application)) {
        Chirpstack__GetApplicationRequest request = CHIRPSTACK__GET_APPLICATION_REQUEST__INIT;
        request.id = arena_strdup(job->arena, application);
        chirpstack_call(self, job, "ApplicationService/Get", &request.base);
        job->stage = PREPARE_APPLICATION;
        return JOB_CALLS;
    }
    struct search *search = arena_new(job->arena, struct search);
    job->state = search;
    search->name = strcmp(application, CHIRPSTACK_ALL) == 0 ? NULL : self->asked;
    const char *tenant = option_string(self->options, "tenant-id");
    if (tenant == NULL) return ask_tenants(self, job);
    message_append(job->arena, &search->tenant_count, &search->tenants, arena_strdup(job->arena, tenant));
    return ask_applications(self, job, error);
}

static enum job_step prepare_failed(struct chirpstack *self, struct job *job, struct error *error) {
    chirpstack_failed(self, &job->calls[0], &job->replies[0], error);
    if (job->stage == PREPARE_APPLICATION && chirpstack_not_found(&job->replies[0])) {
        error_hint(error, "check the application's ID, and that the API key is of its tenant");
    } else if (job->stage == PREPARE_TENANTS && error->code == ERROR_DENIED) {
        error_hint(
            error,
            "check --chirpstack.api-key; a key that may not list tenants needs --chirpstack.tenant-id, "
            "or the application's ID instead of its name");
    }
    return JOB_FAILED;
}

enum job_step chirpstack_prepare(struct source *source, struct job *job, const char *application,
                                 struct error *error) {
    struct chirpstack *self = (struct chirpstack *)source;
    if (job->stage == PREPARE_BEGIN) return prepare_begin(self, job, application, error);
    if (!reply_ok(&job->replies[0], CALL_GRPC)) return prepare_failed(self, job, error);
    if (job->stage == PREPARE_TENANTS) return read_tenants(self, job, error);
    if (job->stage == PREPARE_APPLICATIONS) return read_applications(self, job, error);
    const Chirpstack__GetApplicationResponse *reply =
        chirpstack_message(self, job, 0, &chirpstack__get_application_response__descriptor, error);
    if (reply == NULL) return JOB_FAILED;
    if (reply->application == NULL || !is_uuid(reply->application->id)) {
        error_set(error, ERROR_PROTOCOL, "%s: the answer holds no application", self->server.name);
        return JOB_FAILED;
    }
    add_application(self, reply->application->id);
    return JOB_DONE;
}

// ---- listing devices

// A cursor is the place of an application in the list, and an offset in it: "3:1000".
static void read_cursor(const char *cursor, size_t *ret_application, uint32_t *ret_offset) {
    *ret_application = 0;
    *ret_offset = 0;
    if (cursor == NULL) return;
    char *rest = NULL;
    *ret_application = strtoul(cursor, &rest, 10);
    if (*rest == ':') *ret_offset = (uint32_t)strtoul(rest + 1, NULL, 10);
}

static enum job_step ask_devices(struct chirpstack *self, struct job *job, const struct source_page *page,
                                 struct error *error) {
    size_t application = 0;
    uint32_t offset = 0;
    read_cursor(page->cursor, &application, &offset);
    if (application >= self->application_count) {
        error_set(error, ERROR_USAGE, "there is no application");
        error_hint(error, "name its ID, its name, or all that the API key sees with --chirpstack.all");
        return JOB_FAILED;
    }
    Chirpstack__ListDevicesRequest request = CHIRPSTACK__LIST_DEVICES_REQUEST__INIT;
    request.limit = PAGE_SIZE;
    request.offset = offset;
    request.application_id = self->applications[application];
    request.order_by = 1;
    chirpstack_call(self, job, "DeviceService/List", &request.base);
    job->stage = 1;
    return JOB_CALLS;
}

static int add_record(struct chirpstack *self, struct source_page *page, const char *dev_eui,
                      struct error *error) {
    struct eui64 eui;
    if (strlen(dev_eui) != 16 || !eui64_parse(dev_eui, &eui)) {
        return error_set(error, ERROR_PROTOCOL, "%s: an entry of the list of devices has no DevEUI",
                         self->server.name);
    }
    struct source_record *record = source_page_add(page);
    record->id = memory_strdup(dev_eui);
    memcpy(record->dev_eui, eui.bytes, sizeof record->dev_eui);
    record->has_dev_eui = true;
    return 0;
}

static int read_devices(struct chirpstack *self, struct job *job, struct source_page *page,
                        struct error *error) {
    const Chirpstack__ListDevicesResponse *list =
        chirpstack_message(self, job, 0, &chirpstack__list_devices_response__descriptor, error);
    if (list == NULL) return -(int)error->code;
    for (size_t i = 0; i < list->n_result; i++) {
        int result = add_record(self, page, list->result[i]->dev_eui, error);
        if (result != 0) return result;
    }
    size_t application = 0;
    uint32_t offset = 0;
    read_cursor(page->cursor, &application, &offset);
    uint64_t end = (uint64_t)offset + list->n_result;
    if (list->n_result == 0 && end < list->total_count) {
        return error_set(error, ERROR_PROTOCOL,
                         "%s: the list of devices ends after %" PRIu64 " of %" PRIu32 " devices",
                         self->server.name, end, list->total_count);
    }
    // How many there are in all applications is not known before all are read.
    page->total = self->application_count == 1 ? list->total_count : 0;
    if (end >= list->total_count || end > UINT32_MAX) {
        application++;
        end = 0;
    }
    free(page->cursor);
    page->cursor =
        application < self->application_count ? memory_printf("%zu:%" PRIu64, application, end) : NULL;
    return 0;
}

enum job_step chirpstack_list(struct source *source, struct job *job, struct source_page *page,
                              struct error *error) {
    struct chirpstack *self = (struct chirpstack *)source;
    if (job->stage == 0) return ask_devices(self, job, page, error);
    if (!reply_ok(&job->replies[0], CALL_GRPC)) {
        chirpstack_failed(self, &job->calls[0], &job->replies[0], error);
        return JOB_FAILED;
    }
    return read_devices(self, job, page, error) == 0 ? JOB_DONE : JOB_FAILED;
}
