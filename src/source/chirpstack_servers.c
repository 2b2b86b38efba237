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

// ---- replies

bool chirpstack_ok(const struct chirpstack *self, const struct reply *reply) {
    return reply_ok(reply, self->api->kind);
}

bool chirpstack_not_found(const struct chirpstack *self, const struct reply *reply) {
    if (reply->outcome != REPLY_ANSWERED) return false;
    return self->api->kind == CALL_GRPC ? reply->grpc_status == GRPC_NOT_FOUND
                                        : reply->http_status == HTTP_NOT_FOUND;
}

void chirpstack_failed(struct chirpstack *self, const struct call *call, const struct reply *reply,
                       struct error *error) {
    reply_error(reply, call, error);
    if (reply_hint_tls(reply, "--chirpstack.ca-cert-path", "--chirpstack.insecure", error)) return;
    if (reply->outcome == REPLY_ANSWERED && error->code == ERROR_DENIED && call->changes) {
        error_wrap(error, ERROR_NONE, "the API key may not change devices (is it read-only?)");
    } else if (reply->outcome == REPLY_ANSWERED && error->code == ERROR_DENIED) {
        error_hint(error,
                   "check --chirpstack.api-key: a key of the tenant that has the devices, or of an admin");
    } else if (reply->outcome == REPLY_LOST && !self->server.plain && !self->address.has_scheme) {
        error_hint(error, "without TLS: --chirpstack.insecure");
    }
}

// ---- finding applications

// A search through tenants and their applications, page by page.
struct search {
    const char *name;  // of the application; NULL = all of them
    char **tenants;    // in the arena, as the texts
    size_t tenant_count;
    size_t tenant;    // whose applications are being read
    uint32_t offset;  // of the page
};

// The form of IDs: UUIDs, and numbers in v3.
static bool is_id(const struct chirpstack *self, const char *text) {
    if (chirpstack_is_v3(self)) return text[0] != '\0' && strspn(text, "0123456789") == strlen(text);
    return chirpstack_is_uuid(text);
}

static void add_application(struct chirpstack *self, const char *id) {
    self->applications =
        memory_resize(self->applications, self->application_count + 1, sizeof *self->applications);
    self->applications[self->application_count++] = memory_strdup(id);
}

enum prepare_stage {
    PREPARE_BEGIN,
    PREPARE_V4_TRIED,
    PREPARE_V3_TRIED,
    PREPARE_APPLICATION,
    PREPARE_TENANTS,
    PREPARE_APPLICATIONS
};

static enum job_step ask_tenants(struct chirpstack *self, struct job *job) {
    const struct search *search = job->state;
    self->api->list(self, job, CHIRPSTACK_TENANTS,
                    &(struct chirpstack_page){.limit = SMALL_PAGE_SIZE, .offset = search->offset});
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
    self->api->list(self, job, CHIRPSTACK_APPLICATIONS,
                    &(struct chirpstack_page){
                        .of = search->tenants[search->tenant],
                        .limit = SMALL_PAGE_SIZE,
                        .offset = search->offset,
                    });
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
    const Chirpstack__ListTenantsResponse *list = self->api->read(self, job, 0, CHIRPSTACK_TENANTS, error);
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
        self->api->read(self, job, 0, CHIRPSTACK_APPLICATIONS, error);
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

// The version is known: looks for the applications.
static enum job_step prepare_search(struct chirpstack *self, struct job *job, struct error *error) {
    if (strcmp(self->asked, CHIRPSTACK_NONE) == 0) return JOB_DONE;
    if (is_id(self, self->asked)) {
        self->api->get(self, job, CHIRPSTACK_APPLICATION, self->asked);
        job->stage = PREPARE_APPLICATION;
        return JOB_CALLS;
    }
    struct search *search = arena_new(job->arena, struct search);
    job->state = search;
    search->name = strcmp(self->asked, CHIRPSTACK_ALL) == 0 ? NULL : self->asked;
    const char *tenant = option_string(self->options, "tenant-id");
    // v3 lists the applications of all organizations at once.
    if (tenant == NULL && !chirpstack_is_v3(self)) return ask_tenants(self, job);
    char *only = tenant == NULL ? NULL : arena_strdup(job->arena, tenant);
    message_append(job->arena, &search->tenant_count, &search->tenants, only);
    return ask_applications(self, job, error);
}

// Only v4 knows tenants: v3 says that there is no such service, and what is no gRPC server may be v3 behind a proxy.
static enum job_step prepare_version(struct chirpstack *self, struct job *job) {
    chirpstack_v4_api.list(self, job, CHIRPSTACK_TENANTS, &(struct chirpstack_page){.limit = 1});
    job->stage = PREPARE_V4_TRIED;
    return JOB_CALLS;
}

static enum job_step prepare_v4_tried(struct chirpstack *self, struct job *job, struct error *error) {
    const struct reply *reply = &job->replies[0];
    bool unknown = reply->outcome == REPLY_ANSWERED && reply->grpc_status == GRPC_UNIMPLEMENTED;
    if (reply->outcome == REPLY_ANSWERED) {
        self->api = unknown ? &chirpstack_v3_api : &chirpstack_v4_api;
        return prepare_search(self, job, error);
    }
    chirpstack_failed(self, &job->calls[0], reply, error);
    if (reply->outcome != REPLY_LOST && reply->outcome != REPLY_MALFORMED) return JOB_FAILED;
    struct error *kept = arena_new(job->arena, struct error);
    kept->code = error->code;
    kept->message = arena_strdup(job->arena, error->message);
    kept->hint = error->hint == NULL ? NULL : arena_strdup(job->arena, error->hint);
    error_release(error);
    job->state = kept;
    chirpstack_v3_api.list(self, job, CHIRPSTACK_APPLICATIONS, &(struct chirpstack_page){.limit = 1});
    job->stage = PREPARE_V3_TRIED;
    return JOB_CALLS;
}

static enum job_step prepare_v3_tried(struct chirpstack *self, struct job *job, struct error *error) {
    if (chirpstack_v3_answers(&job->replies[0])) {
        self->api = &chirpstack_v3_api;
        return prepare_search(self, job, error);
    }
    const struct error *kept = job->state;
    error_set(error, kept->code, "%s", kept->message);
    if (kept->hint != NULL) error_hint(error, "%s", kept->hint);
    return JOB_FAILED;
}

static enum job_step prepare_failed(struct chirpstack *self, struct job *job, struct error *error) {
    chirpstack_failed(self, &job->calls[0], &job->replies[0], error);
    if (job->stage == PREPARE_APPLICATION && chirpstack_not_found(self, &job->replies[0])) {
        error_hint(error, "check the application's ID, and that the API key is of its tenant");
    } else if (job->stage == PREPARE_TENANTS && error->code == ERROR_DENIED) {
        error_hint(
            error,
            "check --chirpstack.api-key; a key that may not list tenants needs --chirpstack.tenant-id, "
            "or the application's ID instead of its name");
    }
    return JOB_FAILED;
}

static enum job_step prepare_application(struct chirpstack *self, struct job *job, struct error *error) {
    const Chirpstack__GetApplicationResponse *reply =
        self->api->read(self, job, 0, CHIRPSTACK_APPLICATION, error);
    if (reply == NULL) return JOB_FAILED;
    if (reply->application == NULL || !is_id(self, reply->application->id)) {
        error_set(error, ERROR_PROTOCOL, "%s: the answer holds no application", self->server.name);
        return JOB_FAILED;
    }
    add_application(self, reply->application->id);
    return JOB_DONE;
}

enum job_step chirpstack_prepare(struct source *source, struct job *job, const char *application,
                                 struct error *error) {
    struct chirpstack *self = (struct chirpstack *)source;
    switch (job->stage) {
        case PREPARE_BEGIN:
            forget_applications(self);
            free(self->asked);
            self->asked = memory_strdup(application);
            return self->api == NULL ? prepare_version(self, job) : prepare_search(self, job, error);
        case PREPARE_V4_TRIED:
            return prepare_v4_tried(self, job, error);
        case PREPARE_V3_TRIED:
            return prepare_v3_tried(self, job, error);
        default:
            break;
    }
    if (!chirpstack_ok(self, &job->replies[0])) return prepare_failed(self, job, error);
    if (job->stage == PREPARE_TENANTS) return read_tenants(self, job, error);
    if (job->stage == PREPARE_APPLICATIONS) return read_applications(self, job, error);
    return prepare_application(self, job, error);
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
    self->api->list(self, job, CHIRPSTACK_DEVICES,
                    &(struct chirpstack_page){
                        .of = self->applications[application], .limit = PAGE_SIZE, .offset = offset});
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
    const Chirpstack__ListDevicesResponse *list = self->api->read(self, job, 0, CHIRPSTACK_DEVICES, error);
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
    if (!chirpstack_ok(self, &job->replies[0])) {
        chirpstack_failed(self, &job->calls[0], &job->replies[0], error);
        return JOB_FAILED;
    }
    return read_devices(self, job, page, error) == 0 ? JOB_DONE : JOB_FAILED;
}
