// SPDX-License-Identifier: Apache-2.0
// Taking away the device profile and the application that the run has made, when a rollback has taken the last device
// away that used them. ChirpStack deletes the devices of either without a question: so all applications of the tenant are
// asked first whether there are any. Whatever fails here leaves them there, and keeps no device from going back.
#include <string.h>
#include <strings.h>

#include "target/chirpstack_p.h"

enum { PAGE_SIZE = 100, PLACES_MAX = 1000 };

enum clean_stage {
    CLEAN_BEGIN = CST_CLEAN_FIRST,
    CLEAN_DETAILS,      // of profiles that may be the one
    CLEAN_OWN,          // whether the application has devices of the profile
    CLEAN_PLACES,       // a page of the tenant's applications
    CLEAN_COUNTS,       // how many devices of the profile some of them have
    CLEAN_PROFILE,      // it was deleted
    CLEAN_TOTAL,        // whether the application has devices
    CLEAN_APPLICATION,  // it was deleted
};

struct clean_state {
    const Chirpstack__DeviceProfile *wanted[2];  // the device's own, and the one of its session; NULL = none
    bool any;                                    // whatever it is for
    char *profile_id;
    uint32_t offset;
    char **places;
    size_t place_count;
    size_t counted;
    size_t looked;  // profiles that were looked at, in their order
    unsigned tries;
    size_t calls;
};

static enum job_step sent(struct job *job, enum clean_stage stage) {
    struct clean_state *state = job->state;
    state->calls = job->call_count;
    job->stage = (int)stage;
    return JOB_CALLS;
}

static void count_call(struct cst *self, struct job *job, char *application, char *profile) {
    Chirpstack__ListDevicesRequest request = CHIRPSTACK__LIST_DEVICES_REQUEST__INIT;
    request.application_id = application;
    if (profile != NULL) request.device_profile_id = profile;
    cst_call(self, job, "DeviceService/List", &request.base);
}

// True if all of the lists that were asked for are empty, or of an application that is gone; what is not known is not
// empty.
static bool all_empty(struct cst *self, struct job *job) {
    const struct clean_state *state = job->state;
    for (size_t i = 0; i < state->calls; i++) {
        ERROR_AUTO ignored = {0};
        if (cst_is_absent(&job->replies[i])) continue;
        if (!cst_ok(&job->replies[i])) return false;
        const Chirpstack__ListDevicesResponse *list =
            cst_read(self, job, i, &chirpstack__list_devices_response__descriptor, &ignored);
        if (list == NULL || list->total_count > 0 || list->n_result > 0) return false;
    }
    return true;
}

// ---- the application

static enum job_step ask_total(struct cst *self, struct job *job) {
    if (!self->made || self->application == NULL) return JOB_DONE;
    count_call(self, job, self->application, NULL);
    return sent(job, CLEAN_TOTAL);
}

static enum job_step delete_application(struct cst *self, struct job *job) {
    const struct clean_state *state = job->state;
    if (!all_empty(self, job) || self->application == NULL) return JOB_DONE;
    cst_delete(self, job, "ApplicationService/Delete", self->application, state->tries);
    return sent(job, CLEAN_APPLICATION);
}

// ---- the profile

static enum job_step ask_places(struct cst *self, struct job *job) {
    const struct clean_state *state = job->state;
    Chirpstack__ListApplicationsRequest request = CHIRPSTACK__LIST_APPLICATIONS_REQUEST__INIT;
    request.limit = PAGE_SIZE;
    request.offset = state->offset;
    request.tenant_id = self->tenant_id;
    cst_call(self, job, "ApplicationService/List", &request.base);
    return sent(job, CLEAN_PLACES);
}

// True if it is one that the run may have made for the device. `base`: as far as a list tells.
static bool is_candidate(const struct clean_state *state, const Chirpstack__DeviceProfile *profile,
                         bool base) {
    for (size_t i = 0; i < 2; i++) {
        if (state->wanted[i] != NULL && cst_profile_serves(profile, state->wanted[i], base)) return true;
    }
    return state->any;
}

static enum job_step ask_own(struct cst *self, struct job *job) {
    struct clean_state *state = job->state;
    size_t place = 0;
    for (const struct cst_profile *profile = self->profiles; profile != NULL; profile = profile->next) {
        if (place++ < state->looked) continue;
        state->looked = place;
        if (!profile->whole || !cst_is_marked(self, profile->message->description)) continue;
        if (!is_candidate(state, profile->message, false)) continue;
        state->profile_id = arena_strdup(job->arena, profile->message->id);
        if (self->application == NULL) return ask_places(self, job);
        count_call(self, job, self->application, state->profile_id);
        return sent(job, CLEAN_OWN);
    }
    return ask_total(self, job);
}

// On to the next one.
static enum job_step skip(struct cst *self, struct job *job) {
    struct clean_state *state = job->state;
    state->place_count = state->counted = 0;
    state->offset = 0;
    return ask_own(self, job);
}

static enum job_step ask_details(struct cst *self, struct job *job) {
    const struct clean_state *state = job->state;
    for (const struct cst_profile *profile = self->profiles;
         profile != NULL && job->call_count < JOB_CALLS_MAX; profile = profile->next) {
        if (!profile->whole && is_candidate(state, profile->message, true))
            cst_get(self, job, "DeviceProfileService/Get", profile->message->id);
    }
    return job->call_count > 0 ? sent(job, CLEAN_DETAILS) : ask_own(self, job);
}

static enum job_step read_details(struct cst *self, struct job *job) {
    const struct clean_state *state = job->state;
    for (size_t i = 0; i < state->calls; i++) {
        ERROR_AUTO ignored = {0};
        if (!cst_ok(&job->replies[i])) return ask_own(self, job);
        const Chirpstack__GetDeviceProfileResponse *answer =
            cst_read(self, job, i, &chirpstack__get_device_profile_response__descriptor, &ignored);
        if (answer == NULL || answer->device_profile == NULL) return ask_own(self, job);
        cst_profile_keep(self, answer->device_profile, true);
    }
    return ask_details(self, job);
}

static enum job_step ask_counts(struct cst *self, struct job *job) {
    struct clean_state *state = job->state;
    if (state->counted == state->place_count) {
        cst_delete(self, job, "DeviceProfileService/Delete", state->profile_id, state->tries);
        return sent(job, CLEAN_PROFILE);
    }
    for (; state->counted < state->place_count && job->call_count < JOB_CALLS_MAX; state->counted++) {
        count_call(self, job, state->places[state->counted], state->profile_id);
    }
    return sent(job, CLEAN_COUNTS);
}

static enum job_step read_places(struct cst *self, struct job *job) {
    struct clean_state *state = job->state;
    ERROR_AUTO ignored = {0};
    const Chirpstack__ListApplicationsResponse *list = NULL;
    if (cst_ok(&job->replies[0]))
        list = cst_read(self, job, 0, &chirpstack__list_applications_response__descriptor, &ignored);
    if (list == NULL || list->total_count > PLACES_MAX) return JOB_DONE;
    for (size_t i = 0; i < list->n_result; i++) {
        message_append(job->arena, &state->place_count, &state->places, list->result[i]->id);
    }
    uint64_t end = (uint64_t)state->offset + list->n_result;
    if (end >= list->total_count) return ask_counts(self, job);
    if (list->n_result == 0) return JOB_DONE;
    state->offset = (uint32_t)end;
    return ask_places(self, job);
}

// ---- the job

static enum job_step begin(struct cst *self, struct job *job, const Tts__EndDevice *device) {
    struct clean_state *state = arena_new(job->arena, struct clean_state);
    job->state = state;
    // Within a run other devices may be about to use what is empty.
    if (!self->rollback || self->base.run == NULL || self->tenant_id == NULL) return JOB_DONE;
    state->any = device == NULL;
    if (device != NULL) {
        struct cst_parts parts;
        cst_parts(self, device, job->arena, &parts);
        state->wanted[0] = parts.profile;
        state->wanted[1] = parts.carrier;
    }
    return ask_details(self, job);
}

// What was not answered well is asked for again.
static bool is_over(struct job *job) {
    struct clean_state *state = job->state;
    return !cst_is_passing(&job->replies[0]) || ++state->tries >= CST_TRIES;
}

static enum job_step profile_deleted(struct cst *self, struct job *job) {
    struct clean_state *state = job->state;
    if (!is_over(job)) {
        state->looked--;
        return skip(self, job);
    }
    // One that the server keeps may go with a later device.
    if (!cst_ok(&job->replies[0]) && !cst_is_absent(&job->replies[0])) return skip(self, job);
    Chirpstack__DeviceProfile deleted = CHIRPSTACK__DEVICE_PROFILE__INIT;
    deleted.id = state->profile_id;
    cst_profile_keep(self, &deleted, true);
    return skip(self, job);
}

static enum job_step application_deleted(struct cst *self, struct job *job) {
    if (!is_over(job)) return ask_total(self, job);
    self->made = false;
    return JOB_DONE;
}

enum job_step cst_clean(struct cst *self, struct job *job, const Tts__EndDevice *device) {
    switch ((enum clean_stage)job->stage) {
        case CLEAN_BEGIN:
            return begin(self, job, device);
        case CLEAN_DETAILS:
            return read_details(self, job);
        case CLEAN_OWN:
            return all_empty(self, job) ? ask_places(self, job) : skip(self, job);
        case CLEAN_PLACES:
            return read_places(self, job);
        case CLEAN_COUNTS:
            return all_empty(self, job) ? ask_counts(self, job) : skip(self, job);
        case CLEAN_PROFILE:
            return profile_deleted(self, job);
        case CLEAN_TOTAL:
            return delete_application(self, job);
        default:
            return application_deleted(self, job);
    }
}
