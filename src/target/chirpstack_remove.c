// SPDX-License-Identifier: Apache-2.0
// Taking a device away from ChirpStack again. What is there is read first: only what is this very device is taken, and
// what was there before the run is put back.
#include <string.h>
#include <strings.h>

#include "target/chirpstack_p.h"

enum remove_stage { REMOVE_BEGIN, REMOVE_LOOKED, REMOVE_DELETED, REMOVE_CHANGED };

struct remove_state {
    struct cst_find find;
    struct cst_parts parts;
    const Chirpstack__Record *before;  // NULL = there was nothing
    bool reserved;
    unsigned tries;
    unsigned changes;
};

static enum job_step look(struct cst *self, struct job *job, struct error *error) {
    struct remove_state *state = job->state;
    state->find = (struct cst_find){0};
    job->stage = REMOVE_LOOKED;
    return cst_find(self, job, state->parts.device->dev_eui, &state->find, error);
}

static enum job_step changed(struct job *job) {
    struct remove_state *state = job->state;
    state->changes++;
    job->stage = REMOVE_CHANGED;
    return JOB_CALLS;
}

static enum job_step gone(struct cst *self, struct job *job, const struct device *device) {
    const struct remove_state *state = job->state;
    cst_reserved_drop(self, state->parts.device->dev_eui);
    job->stage = CST_CLEAN_FIRST;
    return cst_clean(self, job, device->end_device);
}

// True if what is there is what this run brought: not a device that somebody else has made with its DevEUI.
static bool is_ours(const struct remove_state *state) {
    const struct cst_view *view = &state->find.view;
    const struct cst_parts *parts = &state->parts;
    if (state->reserved && (view->keys != NULL || view->activation != NULL)) return false;
    if (strcmp(view->device->device->name, parts->device->name) == 0) return true;
    if (view->keys != NULL) return chirpstack_same_keys(view->keys, parts->keys);
    return view->activation == NULL || chirpstack_same_session(view->activation, parts->activation);
}

// In another application it is another one's; or the source's own, on the way within one server.
static bool is_elsewhere(const struct remove_state *state) {
    const Chirpstack__Device *there = state->find.view.device->device;
    return strcasecmp(there->application_id, state->parts.device->application_id) != 0;
}

static enum job_step delete_device(struct cst *self, struct job *job) {
    const struct remove_state *state = job->state;
    cst_delete(self, job, "DeviceService/Delete", state->parts.device->dev_eui, state->tries);
    job->stage = REMOVE_DELETED;
    return JOB_CALLS;
}

static bool session_is_behind(const Chirpstack__DeviceActivation *there,
                              const Chirpstack__DeviceActivation *wanted) {
    return !chirpstack_same_session(there, wanted) ||
           !chirpstack_same_key(there->app_s_key, wanted->app_s_key) || there->f_cnt_up < wanted->f_cnt_up ||
           there->n_f_cnt_down < wanted->n_f_cnt_down || there->a_f_cnt_down < wanted->a_f_cnt_down;
}

// The next change that makes it what it was. Counters of the same session that moved on count.
static enum job_step put_back(struct cst *self, struct job *job, const struct device *device,
                              struct error *error) {
    struct remove_state *state = job->state;
    const struct cst_view *view = &state->find.view;
    const Chirpstack__Device *was = state->before->device->device, *there = NULL;
    char *dev_eui = state->parts.device->dev_eui;
    if (state->changes >= CST_CHANGES_MAX) {
        error_set(error, ERROR_REFUSED, "%s takes changes, but does not make them", self->server.name);
        return JOB_FAILED;
    }
    if (view->device == NULL) {
        cst_create_call(self, job, was, was->device_profile_id, true, state->tries);
        return changed(job);
    }
    there = view->device->device;
    if (!cst_same_device(was, there)) {
        cst_update_call(self, job, was, was->device_profile_id, there->is_disabled, state->tries);
        return changed(job);
    }
    if (cst_keys_call(self, job, dev_eui, state->before->keys, view->keys, state->tries)) return changed(job);
    Chirpstack__DeviceActivation *session = state->before->activation->device_activation;
    if (session != NULL && session_is_behind(view->activation, session)) {
        cst_activate_call(self, job, cst_keep_counters(session, view->activation, job->arena), state->tries);
        return changed(job);
    }
    if (session == NULL && view->activation != NULL) {
        cst_delete(self, job, "DeviceService/Deactivate", dev_eui, state->tries);
        return changed(job);
    }
    if (!there->is_disabled == !was->is_disabled) return gone(self, job, device);
    cst_update_call(self, job, was, was->device_profile_id, was->is_disabled, state->tries);
    return changed(job);
}

static enum job_step looked(struct cst *self, struct job *job, const struct device *device,
                            struct error *error) {
    const struct remove_state *state = job->state;
    if (state->before != NULL) return put_back(self, job, device, error);
    if (state->find.view.device == NULL || is_elsewhere(state)) return gone(self, job, device);
    if (is_ours(state)) return delete_device(self, job);
    if (state->reserved) return gone(self, job, device);
    error_set(error, ERROR_DEVICE, "the target has another device with its DevEUI, \"%s\": it is left alone",
              state->find.view.device->device->name);
    return JOB_FAILED;
}

static enum job_step answered(struct cst *self, struct job *job, const struct device *device,
                              struct error *error) {
    struct remove_state *state = job->state;
    const struct reply *reply = &job->replies[0];
    bool deleted = job->stage == REMOVE_DELETED;
    if (reply->outcome == REPLY_DRY) return JOB_DONE;
    if (deleted &&
        (cst_ok(reply) || (reply->outcome == REPLY_ANSWERED && reply->grpc_status == GRPC_NOT_FOUND)))
        return gone(self, job, device);
    bool passing = cst_is_passing(reply) || cst_is_duplicate(reply);
    if (!cst_ok(reply) && (!passing || ++state->tries >= CST_TRIES))
        return cst_failed(self, &job->calls[0], reply, error);
    return look(self, job, error);
}

static enum job_step begin(struct cst *self, struct job *job, const struct device *device,
                           const struct target_removal *removal, struct error *error) {
    struct remove_state *state = arena_new(job->arena, struct remove_state);
    job->state = state;
    cst_parts(self, device->end_device, job->arena, &state->parts);
    state->reserved = removal->reserved;
    if (removal->before == NULL) return look(self, job, error);
    const Chirpstack__Record *record = message_unpack(&chirpstack__record__descriptor, removal->before,
                                                      removal->before_size, job->arena, error);
    bool whole = record != NULL && record->device != NULL && record->device->device != NULL &&
                 record->activation != NULL;
    if (!whole) {
        error_set(error, ERROR_INPUT, "what was kept of the device that was there cannot be read");
        return JOB_FAILED;
    }
    state->before = record;
    return look(self, job, error);
}

enum job_step cst_remove(struct target *target, struct job *job, const struct device *device,
                         const struct target_removal *removal, struct error *error) {
    struct cst *self = cst_of(target);
    struct remove_state *state = job->state;
    if (job->stage >= CST_CLEAN_FIRST) return cst_clean(self, job, device->end_device);
    if (job->stage == REMOVE_BEGIN) return begin(self, job, device, removal, error);
    if (job->stage != REMOVE_LOOKED) return answered(self, job, device, error);
    enum job_step step = cst_find(self, job, state->parts.device->dev_eui, &state->find, error);
    return step == JOB_DONE ? looked(self, job, device, error) : step;
}
