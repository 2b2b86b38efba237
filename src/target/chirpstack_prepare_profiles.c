// SPDX-License-Identifier: Apache-2.0
// The device profiles of the tenant: which there are, and making those that devices wait for. Since a device that finds
// none asks for `prepare`, which runs once at a time, no profile is made twice.
#include <string.h>

#include "target/chirpstack_p.h"

enum { PAGE_SIZE = 100, PROFILES_MAX = 10000 };

enum profiles_stage {
    PROFILES_BEGIN = CST_PROFILES_FIRST,
    PROFILES_LIST,     // a page of them
    PROFILES_DETAILS,  // some that may serve
    PROFILES_CREATED,  // some that were missing
};

struct profiles_state {
    uint32_t offset;
    unsigned tries;                                        // changes whose answer was lost
    char *ids[JOB_CALLS_MAX];                              // of what is asked for
    size_t count;                                          // of the present calls
    const Chirpstack__DeviceProfile *made[JOB_CALLS_MAX];  // what is being made
};

static enum job_step ask_list(struct cst *self, struct job *job) {
    const struct profiles_state *state = job->state;
    Chirpstack__ListDeviceProfilesRequest request = CHIRPSTACK__LIST_DEVICE_PROFILES_REQUEST__INIT;
    request.limit = PAGE_SIZE;
    request.offset = state->offset;
    request.tenant_id = self->tenant_id;
    request.tenant_only = true;
    cst_call(self, job, "DeviceProfileService/List", &request.base);
    job->stage = PROFILES_LIST;
    return JOB_CALLS;
}

static void keep_item(struct cst *self, const Chirpstack__DeviceProfileListItem *item) {
    Chirpstack__DeviceProfile profile = CHIRPSTACK__DEVICE_PROFILE__INIT;
    profile.id = item->id;
    profile.tenant_id = self->tenant_id;
    profile.name = item->name;
    profile.region = item->region;
    profile.mac_version = item->mac_version;
    profile.reg_params_revision = item->reg_params_revision;
    profile.supports_otaa = item->supports_otaa;
    profile.supports_class_b = item->supports_class_b;
    profile.supports_class_c = item->supports_class_c;
    cst_profile_keep(self, &profile, false);
}

// ---- those that may serve

static bool may_serve(const struct cst *self, const struct cst_profile *profile) {
    if (profile->whole) return false;
    for (const struct cst_wanted *wanted = self->wanted; wanted != NULL; wanted = wanted->next) {
        if (cst_profile_serves(profile->message, wanted->message, true) &&
            cst_profile_find(self, wanted->message) == NULL) {
            return true;
        }
    }
    return false;
}

// What stands in a profile that is made.
static void create_call(struct cst *self, struct job *job, const Chirpstack__DeviceProfile *wanted) {
    const struct profiles_state *state = job->state;
    Chirpstack__DeviceProfile *profile = message_copy(&wanted->base, job->arena);
    const char *mark = cst_mark(self, job->arena);
    profile->tenant_id = self->tenant_id;
    profile->name = cst_profile_name(wanted, job->arena);
    profile->description = arena_strdup(job->arena, mark == NULL ? "Made by ttn-lw-migrate" : mark);
    profile->adr_algorithm_id = arena_strdup(job->arena, option_string(self->options, "adr-algorithm"));
    // Any configuration of the region may handle the devices: which ones the server has is not known here.
    profile->region_config_id = arena_strdup(job->arena, "");
    Chirpstack__CreateDeviceProfileRequest request = CHIRPSTACK__CREATE_DEVICE_PROFILE_REQUEST__INIT;
    request.device_profile = profile;
    cst_change(self, job, "DeviceProfileService/Create", &request.base, state->tries);
}

static enum job_step create(struct cst *self, struct job *job) {
    struct profiles_state *state = job->state;
    state->count = 0;
    for (const struct cst_wanted *wanted = self->wanted; wanted != NULL && job->call_count < JOB_CALLS_MAX;
         wanted = wanted->next) {
        if (cst_profile_find(self, wanted->message) != NULL) continue;
        state->made[state->count++] = wanted->message;
        create_call(self, job, wanted->message);
    }
    job->stage = PROFILES_CREATED;
    return job->call_count > 0 ? JOB_CALLS : JOB_DONE;
}

static enum job_step ask_details(struct cst *self, struct job *job) {
    struct profiles_state *state = job->state;
    state->count = 0;
    for (const struct cst_profile *profile = self->profiles;
         profile != NULL && job->call_count < JOB_CALLS_MAX; profile = profile->next) {
        if (!may_serve(self, profile)) continue;
        state->ids[state->count++] = arena_strdup(job->arena, profile->message->id);
        cst_get(self, job, "DeviceProfileService/Get", profile->message->id);
    }
    job->stage = PROFILES_DETAILS;
    if (job->call_count > 0) return JOB_CALLS;
    if (!self->rollback) return create(self, job);
    // What the run made for devices that did not come so far.
    job->stage = CST_CLEAN_FIRST;
    return cst_clean(self, job, NULL);
}

static enum job_step read_details(struct cst *self, struct job *job, struct error *error) {
    struct profiles_state *state = job->state;
    for (size_t i = 0; i < state->count; i++) {
        Chirpstack__DeviceProfile gone = CHIRPSTACK__DEVICE_PROFILE__INIT;
        const Chirpstack__GetDeviceProfileResponse *answer = NULL;
        if (cst_ok(&job->replies[i])) {
            answer = cst_read(self, job, i, &chirpstack__get_device_profile_response__descriptor, error);
            if (answer == NULL) return JOB_FAILED;
        } else if (!cst_is_absent(&job->replies[i])) {
            return cst_failed(self, &job->calls[i], &job->replies[i], error);
        }
        // One that has gone meanwhile serves nobody.
        gone.id = state->ids[i];
        gone.is_relay = true;
        bool there = answer != NULL && answer->device_profile != NULL;
        cst_profile_keep(self, there ? answer->device_profile : &gone, true);
    }
    return ask_details(self, job);
}

static enum job_step read_list(struct cst *self, struct job *job, struct error *error) {
    struct profiles_state *state = job->state;
    if (!cst_ok(&job->replies[0])) return cst_failed(self, &job->calls[0], &job->replies[0], error);
    const Chirpstack__ListDeviceProfilesResponse *list =
        cst_read(self, job, 0, &chirpstack__list_device_profiles_response__descriptor, error);
    if (list == NULL) return JOB_FAILED;
    for (size_t i = 0; i < list->n_result; i++) keep_item(self, list->result[i]);
    uint64_t end = (uint64_t)state->offset + list->n_result;
    if (end < list->total_count && list->n_result > 0 && end < PROFILES_MAX) {
        state->offset = (uint32_t)end;
        return ask_list(self, job);
    }
    return ask_details(self, job);
}

// ---- those that were made

static int keep_made(struct cst *self, struct job *job, size_t index, struct error *error) {
    const struct profiles_state *state = job->state;
    const Chirpstack__IDMessage *answer =
        cst_read(self, job, index, &chirpstack__idmessage__descriptor, error);
    if (answer == NULL) return -(int)error->code;
    if (!chirpstack_is_uuid(answer->id)) {
        return error_set(error, ERROR_PROTOCOL, "%s: the answer holds no ID of a device profile",
                         self->server.name);
    }
    Chirpstack__DeviceProfile profile = *state->made[index];
    const char *mark = cst_mark(self, job->arena);
    profile.id = answer->id;
    profile.tenant_id = self->tenant_id;
    profile.name = cst_profile_name(&profile, job->arena);
    profile.region_config_id = arena_strdup(job->arena, "");
    profile.description = arena_strdup(job->arena, mark == NULL ? "" : mark);
    cst_profile_keep(self, &profile, true);
    return 0;
}

static enum job_step read_created(struct cst *self, struct job *job, struct error *error) {
    struct profiles_state *state = job->state;
    bool lost = false;
    for (size_t i = 0; i < state->count; i++) {
        const struct reply *reply = &job->replies[i];
        if (cst_ok(reply)) {
            if (keep_made(self, job, i, error) != 0) return JOB_FAILED;
        } else if (cst_is_passing(reply) && state->tries + 1 < CST_TRIES) {
            lost = true;
        } else {
            cst_failed(self, &job->calls[i], reply, error);
            error_wrap(error, ERROR_NONE, "a device profile cannot be made at the target");
            return JOB_FAILED;
        }
    }
    // Devices may have come to wait meanwhile for what a profile that was only listed may serve.
    if (!lost) return ask_details(self, job);
    // Whether it was made shows in the list.
    state->tries++;
    state->offset = 0;
    return ask_list(self, job);
}

enum job_step cst_prepare_profiles(struct cst *self, struct job *job, struct error *error) {
    switch ((enum profiles_stage)job->stage) {
        case PROFILES_BEGIN:
            job->state = arena_new(job->arena, struct profiles_state);
            // Those of the beginning are known well enough for what devices wait for.
            return self->profiles != NULL ? ask_details(self, job) : ask_list(self, job);
        case PROFILES_LIST:
            return read_list(self, job, error);
        case PROFILES_DETAILS:
            return read_details(self, job, error);
        default:
            return read_created(self, job, error);
    }
}
