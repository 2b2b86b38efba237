// SPDX-License-Identifier: Apache-2.0
// Taking a device away from ChirpStack: by disabling it, which keeps keys, session and counters there, or by deleting
// it. Either is repeated only after a look at what became of it.
#include <inttypes.h>
#include <string.h>

#include "device/message.h"
#include "source/chirpstack_p.h"

// ---- releasing

struct release_state {
    Chirpstack__Record *record;
    unsigned tries;
    enum error_code code;  // of what the change was answered with
    const char *message;   // of that; in the job's arena
};

enum release_stage { RELEASE_BEGIN, RELEASE_CHANGED, RELEASE_LOOKED };

static enum job_step release_change(struct chirpstack *self, struct job *job,
                                    const Chirpstack__Device *device) {
    struct release_state *state = job->state;
    struct call *call = NULL;
    if (self->rules.release == CHIRPSTACK_DELETE) {
        Chirpstack__DevEUIRequest request = CHIRPSTACK__DEV_EUIREQUEST__INIT;
        request.dev_eui = device->dev_eui;
        call = self->api->change(self, job, CHIRPSTACK_REMOVE, &request.base);
    } else {
        // What this program does not know of a device stays as it is.
        Chirpstack__Device disabled = *device;
        disabled.is_disabled = true;
        Chirpstack__DeviceRequest request = CHIRPSTACK__DEVICE_REQUEST__INIT;
        request.device = &disabled;
        call = self->api->change(self, job, CHIRPSTACK_UPDATE, &request.base);
    }
    call->attempt = state->tries++;
    job->stage = RELEASE_CHANGED;
    return JOB_CALLS;
}

static enum job_step release_look(struct chirpstack *self, struct job *job) {
    const struct release_state *state = job->state;
    chirpstack_look(self, job, state->record->device->device->dev_eui);
    job->stage = RELEASE_LOOKED;
    return JOB_CALLS;
}

static enum job_step release_begin(struct chirpstack *self, struct job *job,
                                   const struct source_record *record, struct error *error) {
    struct release_state *state = arena_new(job->arena, struct release_state);
    job->state = state;
    if (chirpstack_record_read(record->data, record->size, job->arena, &state->record, error) != 0)
        return JOB_FAILED;
    if (!job->again) return release_change(self, job, state->record->device->device);
    state->code = ERROR_UNAVAILABLE;
    state->message = "it is not known what became of an earlier attempt";
    return release_look(self, job);
}

static enum job_step release_changed(struct chirpstack *self, struct job *job, struct error *error) {
    struct release_state *state = job->state;
    if (chirpstack_ok(self, &job->replies[0])) return JOB_DONE;
    chirpstack_failed(self, &job->calls[0], &job->replies[0], error);
    state->code = error->code;
    state->message = arena_strdup(job->arena, error->message);
    if (error->code == ERROR_DENIED) return JOB_FAILED;
    error_release(error);
    return release_look(self, job);
}

static enum job_step release_looked(struct chirpstack *self, struct job *job, struct error *error) {
    struct release_state *state = job->state;
    struct chirpstack_view view;
    const Chirpstack__Record *record = state->record;
    if (chirpstack_looked(self, job, record->device->device->dev_eui, &view, error) != 0) {
        error_wrap(error, ERROR_NONE, "%s; and then", state->message);
        return JOB_FAILED;
    }
    if (view.device == NULL) return JOB_DONE;
    if (self->rules.release == CHIRPSTACK_DISABLE && view.device->device->is_disabled) return JOB_DONE;
    if (job->again && !chirpstack_same_keys(record->keys, view.keys)) {
        error_set(error, ERROR_DEVICE,
                  "has other keys in ChirpStack than those that were exported: it is left alone");
        return JOB_FAILED;
    }
    if (call_may_pass(state->code) && state->tries < SOURCE_TRIES)
        return release_change(self, job, view.device->device);
    error_set(error, state->code, "%s", state->message);
    return JOB_FAILED;
}

enum job_step chirpstack_release(struct source *source, struct job *job, const struct source_record *record,
                                 const struct device *device, struct error *error) {
    (void)device;
    struct chirpstack *self = (struct chirpstack *)source;
    if (self->rules.release == CHIRPSTACK_KEEP) return JOB_DONE;
    if (job->stage == RELEASE_CHANGED) return release_changed(self, job, error);
    if (job->stage == RELEASE_LOOKED) return release_looked(self, job, error);
    return release_begin(self, job, record, error);
}

// ---- confirming

static bool later(const Chirpstack__Timestamp *a, const Chirpstack__Timestamp *b) {
    if (a == NULL || b == NULL) return a != NULL;
    return a->seconds != b->seconds ? a->seconds > b->seconds : a->nanos > b->nanos;
}

// True if the same session went on after it was read.
static bool went_on(const Chirpstack__Record *record, const struct chirpstack_view *view) {
    const Chirpstack__DeviceActivation *before = record->activation->device_activation;
    const Chirpstack__DeviceActivation *now = view->activation->device_activation;
    if (before == NULL || now == NULL) return false;
    return later(view->device->last_seen_at, record->device->last_seen_at) ||
           now->f_cnt_up != before->f_cnt_up || now->n_f_cnt_down != before->n_f_cnt_down ||
           now->a_f_cnt_down != before->a_f_cnt_down;
}

static void judge_view(const struct chirpstack *self, const struct job *job, const Chirpstack__Record *record,
                       const struct chirpstack_view *view, struct source_confirmation *confirmation) {
    const Chirpstack__DeviceActivation *before = record->activation->device_activation;
    confirmation->proof = SOURCE_RELEASED;
    if (view->device == NULL) return;
    bool deleted = self->rules.release == CHIRPSTACK_DELETE;
    // A DevEUI is unique on a server: in another application it is where it was brought within that.
    if (deleted &&
        strcmp(view->device->device->application_id, record->device->device->application_id) != 0) {
        return;
    }
    if (deleted || !view->device->device->is_disabled) {
        confirmation->proof = SOURCE_HELD;
        confirmation->remark = deleted
                                   ? "was deleted, but is in ChirpStack again: somebody else writes to it"
                                   : "was disabled, but is enabled again: somebody else writes to ChirpStack";
        return;
    }
    const Chirpstack__DeviceActivation *now = view->activation->device_activation;
    if (now != NULL && !chirpstack_same_session(before, now)) {
        confirmation->proof = SOURCE_MOVED_ON;
        confirmation->remark =
            "joined ChirpStack between reading and disabling: that session stays there, so the device must "
            "join once more after it is imported";
        return;
    }
    if (!went_on(record, view)) return;
    confirmation->proof = SOURCE_MOVED_ON;
    // An answer that was under way when it was disabled may use one more.
    uint32_t last = chirpstack_last_f_cnt_down(now->n_f_cnt_down) + 1;
    confirmation->last_n_f_cnt_down = last;
    confirmation->remark =
        arena_printf(job->arena,
                     "was heard by ChirpStack between reading and disabling: its session.last_n_f_cnt_down "
                     "has to be %" PRIu32 " where it is imported",
                     last);
}

enum job_step chirpstack_confirm(struct source *source, struct job *job, const struct source_record *record,
                                 const struct source_record *now,
                                 struct source_confirmation *ret_confirmation, struct error *error) {
    (void)now;  // a list tells nothing of what matters here
    struct chirpstack *self = (struct chirpstack *)source;
    if (job->stage == 0) {
        Chirpstack__Record *before = NULL;
        if (chirpstack_record_read(record->data, record->size, job->arena, &before, error) != 0)
            return JOB_FAILED;
        job->state = before;
        chirpstack_look(self, job, before->device->device->dev_eui);
        job->stage = 1;
        return JOB_CALLS;
    }
    const Chirpstack__Record *before = job->state;
    struct chirpstack_view view;
    if (chirpstack_looked(self, job, before->device->device->dev_eui, &view, error) != 0) return JOB_FAILED;
    judge_view(self, job, before, &view, ret_confirmation);
    return JOB_DONE;
}
