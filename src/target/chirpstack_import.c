// SPDX-License-Identifier: Apache-2.0
// Bringing a device to ChirpStack. It is created disabled and without keys while its source still works: then ChirpStack
// neither hears it nor lets it join. Keys and session follow when the source has let go of it, and it is enabled last.
#include <string.h>
#include <strings.h>

#include "target/chirpstack_p.h"

// What both jobs keep between their steps.
struct change_state {
    struct cst_find find;
    struct cst_parts parts;
    unsigned tries;    // changes whose answer was lost
    unsigned changes;  // calls that change something, in all
    size_t calls;      // of the present step
    bool looked;       // something of it may be there from an earlier attempt
};

static struct change_state *state_of(struct job *job) {
    return job->state;
}

static void begin(struct cst *self, struct job *job, const Tts__EndDevice *device) {
    struct change_state *state = arena_new(job->arena, struct change_state);
    job->state = state;
    cst_parts(self, device, job->arena, &state->parts);
}

static enum job_step look(struct cst *self, struct job *job, int stage, struct error *error) {
    struct change_state *state = state_of(job);
    state->find = (struct cst_find){0};
    state->looked = true;
    job->stage = stage;
    return cst_find(self, job, state->parts.device->dev_eui, &state->find, error);
}

// The profile that serves it; NULL if the next `prepare` has to make one.
static const char *profile_id(struct cst *self, const struct cst_parts *parts) {
    const Chirpstack__DeviceProfile *profile = cst_profile_find(self, parts->profile);
    if (profile != NULL) return profile->id;
    cst_profile_want(self, parts->profile);
    return NULL;
}

// The one under which its session is activated, likewise.
static const char *carrier_id(struct cst *self, const struct cst_parts *parts) {
    if (parts->carrier == NULL) return profile_id(self, parts);
    const Chirpstack__DeviceProfile *carrier = cst_profile_find(self, parts->carrier);
    if (carrier == NULL) cst_profile_want(self, parts->carrier);
    // Both are made at once.
    return profile_id(self, parts) == NULL || carrier == NULL ? NULL : carrier->id;
}

static enum job_step sent(struct job *job, int stage) {
    struct change_state *state = state_of(job);
    state->calls = job->call_count;
    state->changes += (unsigned)job->call_count;
    job->stage = stage;
    return JOB_CALLS;
}

// A change that was not answered well: true if it is worth to look what became of it, else `error` says why not.
static bool may_look(struct cst *self, struct job *job, size_t failure, struct error *error) {
    struct change_state *state = state_of(job);
    const struct reply *reply = &job->replies[failure];
    bool again = cst_is_passing(reply) && ++state->tries < CST_TRIES;
    if (!again) cst_failed(self, &job->calls[failure], reply, error);
    return again;
}

// `there` = NULL: the key does not see it.
static enum job_step refuse_taken(const struct cst_parts *parts, const Chirpstack__Device *there,
                                  struct error *error) {
    if (there == NULL) {
        error_set(
            error, ERROR_DEVICE,
            "the target has a device with the DevEUI %s, which the API key does not see: another tenant's",
            parts->device->dev_eui);
    } else {
        error_set(error, ERROR_DEVICE, "application %s of the target has a device with the DevEUI %s",
                  there->application_id, parts->device->dev_eui);
    }
    return JOB_FAILED;
}

static bool is_elsewhere(const struct cst_parts *parts, const struct cst_view *view) {
    return strcasecmp(view->device->device->application_id, parts->device->application_id) != 0;
}

// ---- reserve

enum reserve_stage { RESERVE_BEGIN, RESERVE_CREATED, RESERVE_LOOKED };

static enum job_step reserve_create(struct cst *self, struct job *job) {
    const struct change_state *state = state_of(job);
    const char *id = carrier_id(self, &state->parts);
    if (id == NULL) return JOB_LOGIN;
    cst_create_call(self, job, state->parts.device, id, true, state->tries);
    return sent(job, RESERVE_CREATED);
}

static enum job_step reserve_created(struct cst *self, struct job *job, struct error *error) {
    const struct change_state *state = state_of(job);
    const struct reply *reply = &job->replies[0];
    if (cst_ok(reply)) {
        cst_reserved_add(self, state->parts.device->dev_eui);
        return JOB_DONE;
    }
    // An attempt whose answer was lost may be what is in the way.
    if (cst_is_duplicate(reply) && !state->looked) {
        refuse_taken(&state->parts, NULL, error);
        job->unchanged = true;
        return JOB_FAILED;
    }
    if (!cst_is_duplicate(reply) && !may_look(self, job, 0, error)) return JOB_FAILED;
    return look(self, job, RESERVE_LOOKED, error);
}

static enum job_step reserve_looked(struct cst *self, struct job *job, struct error *error) {
    const struct change_state *state = state_of(job);
    const struct cst_view *view = &state->find.view;
    if (view->device == NULL && state->changes < CST_CHANGES_MAX) return reserve_create(self, job);
    if (view->device == NULL) return refuse_taken(&state->parts, NULL, error);
    if (is_elsewhere(&state->parts, view)) return refuse_taken(&state->parts, view->device->device, error);
    return JOB_DONE;
}

enum job_step cst_reserve(struct target *target, struct job *job, const struct device *device,
                          struct error *error) {
    struct cst *self = cst_of(target);
    if (job->stage == RESERVE_BEGIN) {
        begin(self, job, device->end_device);
        return job->again ? look(self, job, RESERVE_LOOKED, error) : reserve_create(self, job);
    }
    if (job->stage == RESERVE_CREATED) return reserve_created(self, job, error);
    enum job_step step =
        cst_find(self, job, state_of(job)->parts.device->dev_eui, &state_of(job)->find, error);
    return step == JOB_DONE ? reserve_looked(self, job, error) : step;
}

// ---- import

enum import_stage { IMPORT_BEGIN, IMPORT_GIVEN, IMPORT_ENABLED, IMPORT_CHANGED, IMPORT_LOOKED };

// Keys and session of a device that this process has reserved: nobody can use them before it is enabled.
static enum job_step import_give(struct cst *self, struct job *job) {
    const struct change_state *state = state_of(job);
    const struct cst_parts *parts = &state->parts;
    cst_keys_call(self, job, parts->device->dev_eui, parts->keys, NULL, 0);
    if (parts->activation != NULL) cst_activate_call(self, job, parts->activation, 0);
    return sent(job, IMPORT_GIVEN);
}

// Its own profile, and whatever else is not as it is to be, comes with that.
static enum job_step import_enable(struct cst *self, struct job *job) {
    const struct change_state *state = state_of(job);
    const char *id = profile_id(self, &state->parts);
    if (id == NULL) return JOB_LOGIN;
    cst_update_call(self, job, state->parts.device, id, false, state->tries);
    return sent(job, IMPORT_ENABLED);
}

static enum job_step import_create(struct cst *self, struct job *job) {
    const struct change_state *state = state_of(job);
    const char *id = carrier_id(self, &state->parts);
    if (id == NULL) return JOB_LOGIN;
    cst_create_call(self, job, state->parts.device, id, true, state->tries);
    return sent(job, IMPORT_CHANGED);
}

// The session, under the profile that gives it the right receive windows. The device gets its own one afterwards.
static enum job_step import_session(struct cst *self, struct job *job) {
    const struct change_state *state = state_of(job);
    const struct cst_view *view = &state->find.view;
    const Chirpstack__DeviceProfile *needed =
        state->parts.carrier != NULL ? state->parts.carrier : state->parts.profile;
    if (view->profile == NULL || !cst_profile_serves(view->profile, needed, false)) {
        const char *id = carrier_id(self, &state->parts);
        if (id == NULL) return JOB_LOGIN;
        cst_update_call(self, job, state->parts.device, id, true, state->tries);
    } else {
        cst_activate_call(self, job, cst_keep_counters(state->parts.activation, view->activation, job->arena),
                          state->tries);
    }
    return sent(job, IMPORT_CHANGED);
}

// A device that is live there is disabled first: what it has then is nothing that a join has made meanwhile.
static enum job_step import_disable(struct cst *self, struct job *job) {
    const struct change_state *state = state_of(job);
    const char *id = carrier_id(self, &state->parts);
    if (id == NULL) return JOB_LOGIN;
    cst_update_call(self, job, state->parts.device, id, true, state->tries);
    return sent(job, IMPORT_CHANGED);
}

// The next change that what is there calls for.
static enum job_step import_next(struct cst *self, struct job *job, struct error *error) {
    struct change_state *state = state_of(job);
    const struct cst_parts *parts = &state->parts;
    const struct cst_view *view = &state->find.view;
    if (state->changes >= CST_CHANGES_MAX) {
        error_set(error, ERROR_REFUSED, "%s takes changes, but does not make them", self->server.name);
        return JOB_FAILED;
    }
    if (view->device == NULL) return import_create(self, job);
    if (is_elsewhere(parts, view)) return refuse_taken(parts, view->device->device, error);
    struct cst_comparison comparison;
    cst_compare(parts, view, job->again || state->tries > 0, job->arena, &comparison);
    if (comparison.equal) return JOB_DONE;
    if (!view->device->device->is_disabled) return import_disable(self, job);
    if (!comparison.same_keys &&
        cst_keys_call(self, job, parts->device->dev_eui, parts->keys, view->keys, state->tries))
        return sent(job, IMPORT_CHANGED);
    if (parts->activation != NULL && comparison.behind) return import_session(self, job);
    if (parts->activation == NULL && view->activation != NULL) {
        cst_delete(self, job, "DeviceService/Deactivate", parts->device->dev_eui, state->tries);
        return sent(job, IMPORT_CHANGED);
    }
    return import_enable(self, job);
}

static enum job_step import_answered(struct cst *self, struct job *job, struct error *error) {
    struct change_state *state = state_of(job);
    for (size_t i = 0; i < state->calls; i++) {
        const struct reply *reply = &job->replies[i];
        if (cst_ok(reply)) continue;
        // What is there already, or has gone meanwhile, is looked at once more.
        bool moved = cst_is_duplicate(reply) || reply->grpc_status == GRPC_NOT_FOUND;
        bool again = reply->outcome == REPLY_ANSWERED && moved && ++state->tries < CST_TRIES;
        if (!again && !may_look(self, job, i, error)) return JOB_FAILED;
        return look(self, job, IMPORT_LOOKED, error);
    }
    if (job->stage == IMPORT_GIVEN) return import_enable(self, job);
    if (job->stage == IMPORT_CHANGED) return look(self, job, IMPORT_LOOKED, error);
    return JOB_DONE;
}

static enum job_step import_begin(struct cst *self, struct job *job, const Tts__EndDevice *device,
                                  struct error *error) {
    begin(self, job, device);
    const char *dev_eui = state_of(job)->parts.device->dev_eui;
    bool fresh = !job->again && cst_reserved_has(self, dev_eui);
    cst_reserved_drop(self, dev_eui);
    if (!fresh) return look(self, job, IMPORT_LOOKED, error);
    const struct cst_parts *parts = &state_of(job)->parts;
    return parts->keys == NULL && parts->activation == NULL ? import_enable(self, job)
                                                            : import_give(self, job);
}

enum job_step cst_import(struct target *target, struct job *job, const struct device *device,
                         struct error *error) {
    struct cst *self = cst_of(target);
    if (job->stage == IMPORT_BEGIN) return import_begin(self, job, device->end_device, error);
    if (job->stage != IMPORT_LOOKED) return import_answered(self, job, error);
    enum job_step step =
        cst_find(self, job, state_of(job)->parts.device->dev_eui, &state_of(job)->find, error);
    return step == JOB_DONE ? import_next(self, job, error) : step;
}
