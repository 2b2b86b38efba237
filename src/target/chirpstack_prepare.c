// SPDX-License-Identifier: Apache-2.0
// Which tenant and application the devices go to. An application that is named by its ID has its tenant with it; one that
// is named by its name is looked for in the tenant that was named, or in the only one that the key sees.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "target/chirpstack_p.h"

enum { PAGE_SIZE = 100, LIST_MAX = 100000, COUNTED_MAX = 1000, PREFIXES_MAX = 64 };

enum prepare_stage {
    PREPARE_BEGIN,
    PREPARE_APPLICATION,   // asked for by its ID
    PREPARE_TENANTS,       // a page of them
    PREPARE_APPLICATIONS,  // a page of those of the tenant
    PREPARE_CREATED,       //
    PREPARE_TENANT,        // its limits
    PREPARE_PLACES,        // a page of its applications, to count its devices
    PREPARE_COUNTS,        // how many devices some of them have
};

struct prepare_state {
    const char *name;  // of the application
    uint32_t offset;   // of the page
    char *only;        // the tenant that was seen, and whether it is the only one
    char *only_name;   //
    size_t tenants;    // that may be meant
    size_t found;      // applications of that name
    bool created;      // it was made: asked for once more
    char **places;     // applications of the tenant
    size_t place_count;
    size_t counted;
    uint64_t devices;
};

void cst_forget(struct cst *self) {
    free(memory_take(self->asked));
    free(memory_take(self->tenant_id));
    free(memory_take(self->application));
    for (size_t i = 0; i < self->prefix_count; i++) free(self->prefixes[i]);
    free(memory_take(self->prefixes));
    free(memory_take(self->guests));
    self->prefix_count = self->guest_count = 0;
    self->regions = 0;
    self->most_devices = 0;
    self->room = 0;
    self->made = false;
    cst_profiles_forget(self);
}

// Moves on by a page. False if that was the last one, or the list ends too early: then `error` is set.
static bool next_page(const struct cst *self, const struct job *job, uint32_t *offset, size_t count,
                      uint32_t total, struct error *error) {
    uint64_t end = (uint64_t)*offset + count;
    if (end >= total) return false;
    if (count == 0 || end > LIST_MAX) {
        error_set(error, ERROR_PROTOCOL, "%s: %s: the list ends after %" PRIu64 " of %" PRIu32 " entries",
                  self->server.name, job->calls[0].method, end, total);
        return false;
    }
    *offset = (uint32_t)end;
    return true;
}

// ---- how many devices there is room for

static enum job_step ask_profiles(struct cst *self, struct job *job, struct error *error) {
    job->stage = CST_PROFILES_FIRST;
    return cst_prepare_profiles(self, job, error);
}

static enum job_step ask_counts(struct cst *self, struct job *job, struct error *error) {
    struct prepare_state *state = job->state;
    if (state->counted == state->place_count) {
        self->room = state->devices < self->most_devices ? self->most_devices - state->devices : 0;
        return ask_profiles(self, job, error);
    }
    for (size_t i = state->counted; i < state->place_count && job->call_count < JOB_CALLS_MAX; i++) {
        Chirpstack__ListDevicesRequest request = CHIRPSTACK__LIST_DEVICES_REQUEST__INIT;
        request.application_id = state->places[i];
        cst_call(self, job, "DeviceService/List", &request.base);
    }
    job->stage = PREPARE_COUNTS;
    return JOB_CALLS;
}

static enum job_step counted(struct cst *self, struct job *job, struct error *error) {
    struct prepare_state *state = job->state;
    for (size_t i = 0; i < JOB_CALLS_MAX && state->counted < state->place_count; i++, state->counted++) {
        if (!cst_ok(&job->replies[i])) return cst_failed(self, &job->calls[i], &job->replies[i], error);
        const Chirpstack__ListDevicesResponse *list =
            cst_read(self, job, i, &chirpstack__list_devices_response__descriptor, error);
        if (list == NULL) return JOB_FAILED;
        state->devices += list->total_count;
    }
    return ask_counts(self, job, error);
}

static enum job_step ask_applications(struct cst *self, struct job *job, const char *search, int stage) {
    const struct prepare_state *state = job->state;
    Chirpstack__ListApplicationsRequest request = CHIRPSTACK__LIST_APPLICATIONS_REQUEST__INIT;
    request.limit = PAGE_SIZE;
    request.offset = state->offset;
    request.tenant_id = self->tenant_id;
    request.search = arena_strdup(job->arena, search);
    cst_call(self, job, "ApplicationService/List", &request.base);
    job->stage = stage;
    return JOB_CALLS;
}

// One of so many applications is not counted device by device: what the tenant may not have, ChirpStack tells.
static enum job_step read_places(struct cst *self, struct job *job, struct error *error) {
    struct prepare_state *state = job->state;
    const Chirpstack__ListApplicationsResponse *list =
        cst_read(self, job, 0, &chirpstack__list_applications_response__descriptor, error);
    if (list == NULL) return JOB_FAILED;
    if (list->total_count > COUNTED_MAX) {
        self->most_devices = 0;
        return ask_profiles(self, job, error);
    }
    for (size_t i = 0; i < list->n_result; i++) {
        message_append(job->arena, &state->place_count, &state->places, list->result[i]->id);
    }
    if (next_page(self, job, &state->offset, list->n_result, list->total_count, error))
        return ask_applications(self, job, "", PREPARE_PLACES);
    return error_is_set(error) ? JOB_FAILED : ask_counts(self, job, error);
}

// ---- the tenant

static enum job_step ask_tenant(struct cst *self, struct job *job) {
    cst_get(self, job, "TenantService/Get", self->tenant_id);
    Chirpstack__IDMessage empty = CHIRPSTACK__IDMESSAGE__INIT;
    cst_call(self, job, "InternalService/ListRegions", &empty.base);
    job->stage = PREPARE_TENANT;
    return JOB_CALLS;
}

static int check_tenant_name(const struct cst *self, const Chirpstack__Tenant *tenant, struct error *error) {
    const char *named = option_string(self->options, "tenant");
    if (named == NULL || strcasecmp(named, tenant->id) == 0 || strcmp(named, tenant->name) == 0) return 0;
    error_set(error, ERROR_USAGE, "%s: application %s is one of tenant %s, not of %s", self->server.name,
              self->application == NULL ? "" : self->application, tenant->name, named);
    error_hint(error, "leave out --to.chirpstack.tenant, or name an application of that tenant");
    return -ERROR_USAGE;
}

// Which regions the server has. One that does not tell is taken to have all.
static void read_regions(struct cst *self, struct job *job) {
    ERROR_AUTO ignored = {0};
    const Chirpstack__ListRegionsResponse *answer = NULL;
    if (cst_ok(&job->replies[1]))
        answer = cst_read(self, job, 1, &chirpstack__list_regions_response__descriptor, &ignored);
    for (size_t i = 0; answer != NULL && i < answer->n_regions; i++) {
        uint32_t number = (uint32_t)answer->regions[i]->region;
        if (number < 32) self->regions |= UINT32_C(1) << number;
    }
}

static enum job_step read_tenant(struct cst *self, struct job *job, struct error *error) {
    read_regions(self, job);
    const Chirpstack__GetTenantResponse *answer =
        cst_read(self, job, 0, &chirpstack__get_tenant_response__descriptor, error);
    if (answer == NULL) return JOB_FAILED;
    const Chirpstack__Tenant *tenant = answer->tenant;
    if (tenant == NULL) {
        error_set(error, ERROR_PROTOCOL, "%s: the answer holds no tenant", self->server.name);
        return JOB_FAILED;
    }
    if (check_tenant_name(self, tenant, error) != 0) return JOB_FAILED;
    size_t count = tenant->n_dev_addr_prefixes < PREFIXES_MAX ? tenant->n_dev_addr_prefixes : PREFIXES_MAX;
    self->prefixes = memory_new_array(char *, count + 1);
    for (size_t i = 0; i < count; i++) {
        self->prefixes[self->prefix_count++] = memory_strdup(tenant->dev_addr_prefixes[i]);
    }
    self->most_devices = tenant->max_device_count;
    struct prepare_state *state = job->state;
    state->offset = 0;
    if (self->most_devices == 0 || self->rollback) return ask_profiles(self, job, error);
    return ask_applications(self, job, "", PREPARE_PLACES);
}

// ---- the application

static enum job_step create_application(struct cst *self, struct job *job, struct error *error) {
    struct prepare_state *state = job->state;
    // The run that made it is taken back, and has taken it away already.
    if (self->rollback) return ask_tenant(self, job);
    if (!self->create_application || state->created) {
        error_set(error, ERROR_NOT_FOUND, "%s: the tenant has no application %s", self->server.name,
                  state->name);
        error_hint(error,
                   "create it there, name another one with --to.chirpstack.application, or let it be "
                   "made with --create-application");
        return JOB_FAILED;
    }
    Chirpstack__Application application = CHIRPSTACK__APPLICATION__INIT;
    Chirpstack__CreateApplicationRequest request = CHIRPSTACK__CREATE_APPLICATION_REQUEST__INIT;
    const char *mark = cst_mark(self, job->arena);
    application.name = arena_strdup(job->arena, state->name);
    application.description = arena_strdup(job->arena, mark == NULL ? "Made by ttn-lw-migrate" : mark);
    application.tenant_id = self->tenant_id;
    request.application = &application;
    cst_change(self, job, "ApplicationService/Create", &request.base, 0);
    job->stage = PREPARE_CREATED;
    return JOB_CALLS;
}

static enum job_step created(struct cst *self, struct job *job, struct error *error) {
    struct prepare_state *state = job->state;
    const struct reply *reply = &job->replies[0];
    if (reply->outcome == REPLY_DRY) return ask_tenant(self, job);
    if (!cst_ok(reply) && !cst_is_passing(reply)) {
        cst_failed(self, &job->calls[0], reply, error);
        error_wrap(error, ERROR_NONE, "application %s cannot be made at the target", state->name);
        return JOB_FAILED;
    }
    // Whatever became of a lost answer shows in the list.
    state->created = true;
    state->offset = 0;
    return ask_applications(self, job, state->name, PREPARE_APPLICATIONS);
}

static void choose(struct cst *self, const char *id, const char *description) {
    free(self->application);
    self->application = memory_strdup(id);
    self->made = cst_is_marked(self, description);
}

static enum job_step read_applications(struct cst *self, struct job *job, struct error *error) {
    struct prepare_state *state = job->state;
    const Chirpstack__ListApplicationsResponse *list =
        cst_read(self, job, 0, &chirpstack__list_applications_response__descriptor, error);
    if (list == NULL) return JOB_FAILED;
    for (size_t i = 0; i < list->n_result; i++) {
        const Chirpstack__ApplicationListItem *item = list->result[i];
        if (strcmp(item->name, state->name) != 0) continue;
        state->found++;
        choose(self, item->id, item->description);
    }
    if (next_page(self, job, &state->offset, list->n_result, list->total_count, error))
        return ask_applications(self, job, state->name, PREPARE_APPLICATIONS);
    if (error_is_set(error)) return JOB_FAILED;
    if (state->found == 1) return ask_tenant(self, job);
    if (state->found == 0) return create_application(self, job, error);
    error_set(error, ERROR_USAGE, "%s: the tenant has %zu applications %s", self->server.name, state->found,
              state->name);
    error_hint(error, "name the ID of one of them with --to.chirpstack.application");
    return JOB_FAILED;
}

static enum job_step read_application(struct cst *self, struct job *job, struct error *error) {
    const struct prepare_state *state = job->state;
    const struct reply *reply = &job->replies[0];
    // An application that is gone has taken its devices along. A key that is told nothing proves nothing.
    if (self->rollback && reply->outcome == REPLY_ANSWERED && reply->grpc_status == GRPC_NOT_FOUND)
        return JOB_DONE;
    if (!cst_ok(reply)) {
        cst_failed(self, &job->calls[0], reply, error);
        if (!cst_is_absent(reply)) return JOB_FAILED;
        error_wrap(error, ERROR_NONE,
                   "application %s: the target has none with that ID, or the API key does "
                   "not see it",
                   state->name);
        error_hint(error,
                   "check the ID, and that --to.chirpstack.api-key is of its tenant; or name another "
                   "one with --to.chirpstack.application");
        return JOB_FAILED;
    }
    const Chirpstack__GetApplicationResponse *answer =
        cst_read(self, job, 0, &chirpstack__get_application_response__descriptor, error);
    if (answer == NULL) return JOB_FAILED;
    const Chirpstack__Application *application = answer->application;
    if (application == NULL || !chirpstack_is_uuid(application->id) ||
        !chirpstack_is_uuid(application->tenant_id)) {
        error_set(error, ERROR_PROTOCOL, "%s: the answer holds no application", self->server.name);
        return JOB_FAILED;
    }
    choose(self, application->id, application->description);
    self->tenant_id = memory_strdup(application->tenant_id);
    return ask_tenant(self, job);
}

// ---- finding the tenant

static enum job_step ask_tenants(struct cst *self, struct job *job) {
    const struct prepare_state *state = job->state;
    const char *name = option_string(self->options, "tenant");
    Chirpstack__ListTenantsRequest request = CHIRPSTACK__LIST_TENANTS_REQUEST__INIT;
    request.limit = PAGE_SIZE;
    request.offset = state->offset;
    request.search = arena_strdup(job->arena, name == NULL ? "" : name);
    cst_call(self, job, "TenantService/List", &request.base);
    job->stage = PREPARE_TENANTS;
    return JOB_CALLS;
}

static enum job_step refuse_tenants(const struct cst *self, const struct prepare_state *state,
                                    struct error *error) {
    const char *name = option_string(self->options, "tenant");
    if (name != NULL && state->tenants == 0) {
        error_set(error, ERROR_NOT_FOUND, "%s: there is no tenant %s", self->server.name, name);
    } else if (name != NULL) {
        error_set(error, ERROR_USAGE, "%s: there are %zu tenants %s", self->server.name, state->tenants,
                  name);
    } else {
        error_set(error, ERROR_USAGE, "%s: there are %zu tenants", self->server.name, state->tenants);
    }
    error_hint(error, "name the tenant, or its ID, with --to.chirpstack.tenant");
    return JOB_FAILED;
}

static enum job_step read_tenants(struct cst *self, struct job *job, struct error *error) {
    struct prepare_state *state = job->state;
    const struct reply *reply = &job->replies[0];
    if (!cst_ok(reply)) {
        cst_failed(self, &job->calls[0], reply, error);
        if (cst_is_absent(reply))
            error_hint(error,
                       "check --to.chirpstack.api-key; the key of a tenant needs the tenant's ID "
                       "(--to.chirpstack.tenant) or the application's (--to.chirpstack.application)");
        return JOB_FAILED;
    }
    const Chirpstack__ListTenantsResponse *list =
        cst_read(self, job, 0, &chirpstack__list_tenants_response__descriptor, error);
    if (list == NULL) return JOB_FAILED;
    const char *name = option_string(self->options, "tenant");
    for (size_t i = 0; i < list->n_result; i++) {
        if (name != NULL && strcmp(list->result[i]->name, name) != 0) continue;
        state->tenants++;
        state->only = list->result[i]->id;
    }
    if (next_page(self, job, &state->offset, list->n_result, list->total_count, error))
        return ask_tenants(self, job);
    if (error_is_set(error)) return JOB_FAILED;
    if (state->tenants != 1) return refuse_tenants(self, state, error);
    self->tenant_id = memory_strdup(state->only);
    state->offset = 0;
    return ask_applications(self, job, state->name, PREPARE_APPLICATIONS);
}

// ---- the job

static enum job_step begin(struct cst *self, struct job *job, const char *application, struct error *error) {
    struct prepare_state *state = arena_new(job->arena, struct prepare_state);
    job->state = state;
    // Devices wait for a profile: all else is known.
    if (self->asked != NULL && strcmp(self->asked, application) == 0 && self->wanted != NULL &&
        self->application != NULL) {
        return ask_profiles(self, job, error);
    }
    cst_forget(self);
    self->asked = memory_strdup(application);
    const char *chosen = option_string(self->options, "application");
    const char *tenant = option_string(self->options, "tenant");
    state->name = arena_strdup(job->arena, chosen != NULL ? chosen : application);
    if (chirpstack_is_uuid(state->name)) {
        cst_get(self, job, "ApplicationService/Get", state->name);
        job->stage = PREPARE_APPLICATION;
        return JOB_CALLS;
    }
    if (tenant == NULL || !chirpstack_is_uuid(tenant)) return ask_tenants(self, job);
    self->tenant_id = memory_strdup(tenant);
    return ask_applications(self, job, state->name, PREPARE_APPLICATIONS);
}

enum job_step cst_prepare(struct target *target, struct job *job, const char *application,
                          struct error *error) {
    struct cst *self = cst_of(target);
    const struct reply *reply = &job->replies[0];
    if (job->stage >= CST_CLEAN_FIRST) return cst_clean(self, job, NULL);
    if (job->stage >= CST_PROFILES_FIRST) return cst_prepare_profiles(self, job, error);
    switch ((enum prepare_stage)job->stage) {
        case PREPARE_BEGIN:
            return begin(self, job, application, error);
        case PREPARE_APPLICATION:
            return read_application(self, job, error);
        case PREPARE_TENANTS:
            return read_tenants(self, job, error);
        case PREPARE_CREATED:
            return created(self, job, error);
        case PREPARE_COUNTS:
            return counted(self, job, error);
        default:
            break;
    }
    if (!cst_ok(reply)) return cst_failed(self, &job->calls[0], reply, error);
    if (job->stage == PREPARE_APPLICATIONS) return read_applications(self, job, error);
    return job->stage == PREPARE_TENANT ? read_tenant(self, job, error) : read_places(self, job, error);
}
