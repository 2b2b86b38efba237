// SPDX-License-Identifier: Apache-2.0
// Putting a device back into ChirpStack. Each step follows from what is there: a device that is missing is created, keys
// that are missing are entered, a session that is missing or behind is activated, and a device that was enabled is
// enabled last. So an interrupted restoration goes on where it ended.
#include <string.h>

#include "device/message.h"
#include "source/chirpstack_p.h"

// More changes than this mean that the server takes them and does not make them.
enum { CHANGES_MAX = 12 };

enum prove_stage { PROVE_BEGIN, PROVE_LOOKED, PROVE_CHANGED };

enum restore_stage { RESTORE_BEGIN, RESTORE_LOOKED, RESTORE_CHANGED };

struct restore_state {
    Chirpstack__Record *record;
    unsigned changes;
    bool created;          // ChirpStack forgot which nonces were used
    bool activated;        // the session begins with the parameters of the profile
    char *refusal;         // what the last change was answered with if not with OK; in the job's arena
    enum error_code code;  // of that
};

static enum job_step restore_look(struct chirpstack *self, struct job *job) {
    const struct restore_state *state = job->state;
    chirpstack_look(self, job, state->record->device->device->dev_eui);
    job->stage = RESTORE_LOOKED;
    return JOB_CALLS;
}

static enum job_step restore_change(struct chirpstack *self, struct job *job, enum chirpstack_change change,
                                    const ProtobufCMessage *message) {
    struct restore_state *state = job->state;
    self->api->change(self, job, change, message);
    state->changes++;
    job->stage = RESTORE_CHANGED;
    return JOB_CALLS;
}

static void raise_to(uint32_t *counter, uint32_t least) {
    if (*counter < least) *counter = least;
}

// The counter after the last one that the target used.
static uint32_t after(uint32_t last) {
    return last < UINT32_MAX ? last + 1 : last;
}

// Raises a downlink counter to what the target left of it. What it was given is no downlink; and 0 stands for the
// counter 0 as well as for none, so a device that it has heard may have got that one.
static void raise_downlinks(const struct chirpstack *self, uint32_t *counter, uint32_t before, uint32_t last,
                            bool heard) {
    uint32_t given = chirpstack_last_f_cnt_down(before);
    if (self->rules.release == CHIRPSTACK_DELETE) given = source_skip_unseen(given);
    if (last > given || (heard && last == 0)) raise_to(counter, after(last));
}

static void raise_to_progress(const struct chirpstack *self, Chirpstack__DeviceActivation *wanted,
                              const Chirpstack__DeviceActivation *before,
                              const struct device_progress *progress) {
    if (!progress->known) return;
    bool heard = progress->last_f_cnt_up > chirpstack_last_f_cnt_up(before->f_cnt_up);
    if (heard) raise_to(&wanted->f_cnt_up, after(progress->last_f_cnt_up));
    raise_downlinks(self, &wanted->n_f_cnt_down, before->n_f_cnt_down, progress->last_n_f_cnt_down, heard);
    if (progress->last_a_f_cnt_down > 0) {
        raise_downlinks(self, &wanted->a_f_cnt_down, before->a_f_cnt_down, progress->last_a_f_cnt_down,
                        heard);
    }
}

// The session as it has to be: no counter is used twice. NULL if there was none, or if it has ended: after a join at
// its target the device has forgotten it.
static Chirpstack__DeviceActivation *wanted_session(const struct chirpstack *self,
                                                    const struct restore_state *state, struct arena *arena,
                                                    const Chirpstack__DeviceActivation *now,
                                                    const struct device_progress *progress) {
    const Chirpstack__DeviceActivation *before = state->record->activation->device_activation;
    if (before == NULL || progress->rejoined) return NULL;
    Chirpstack__DeviceActivation *wanted = message_copy(&before->base, arena);
    if (now == NULL) {
        // Between the last look at a device and its deletion it may have been answered.
        wanted->n_f_cnt_down = source_skip_unseen(wanted->n_f_cnt_down);
        if (wanted->a_f_cnt_down > 0) wanted->a_f_cnt_down = source_skip_unseen(wanted->a_f_cnt_down);
    } else {
        raise_to(&wanted->f_cnt_up, now->f_cnt_up);
        raise_to(&wanted->n_f_cnt_down, now->n_f_cnt_down);
        raise_to(&wanted->a_f_cnt_down, now->a_f_cnt_down);
    }
    raise_to_progress(self, wanted, before, progress);
    return wanted;
}

static bool session_is_behind(const Chirpstack__DeviceActivation *now,
                              const Chirpstack__DeviceActivation *wanted) {
    return now == NULL || now->f_cnt_up < wanted->f_cnt_up || now->n_f_cnt_down < wanted->n_f_cnt_down ||
           now->a_f_cnt_down < wanted->a_f_cnt_down;
}

static enum job_step restore_create(struct chirpstack *self, struct job *job) {
    struct restore_state *state = job->state;
    Chirpstack__DeviceRequest request = CHIRPSTACK__DEVICE_REQUEST__INIT;
    request.device = state->record->device->device;
    state->created = true;
    return restore_change(self, job, CHIRPSTACK_CREATE, &request.base);
}

static enum job_step restore_keys(struct chirpstack *self, struct job *job) {
    const struct restore_state *state = job->state;
    Chirpstack__DeviceKeysRequest request = CHIRPSTACK__DEVICE_KEYS_REQUEST__INIT;
    request.device_keys = state->record->keys;
    return restore_change(self, job, CHIRPSTACK_CREATE_KEYS, &request.base);
}

static enum job_step restore_session(struct chirpstack *self, struct job *job,
                                     Chirpstack__DeviceActivation *wanted) {
    struct restore_state *state = job->state;
    Chirpstack__ActivateDeviceRequest request = CHIRPSTACK__ACTIVATE_DEVICE_REQUEST__INIT;
    request.device_activation = wanted;
    state->activated = true;
    return restore_change(self, job, CHIRPSTACK_ACTIVATE, &request.base);
}

static enum job_step restore_enable(struct chirpstack *self, struct job *job, const Chirpstack__Device *now) {
    Chirpstack__Device enabled = *now;
    enabled.is_disabled = false;
    Chirpstack__DeviceRequest request = CHIRPSTACK__DEVICE_REQUEST__INIT;
    request.device = &enabled;
    return restore_change(self, job, CHIRPSTACK_UPDATE, &request.base);
}

#define REMARK_REJOINED \
    "is back, but joined elsewhere meanwhile: its session in ChirpStack has ended, and it has to join again"
#define REMARK_NONCES \
    "is back, but ChirpStack has forgotten which nonces it used: an old join-request could be replayed"
#define REMARK_SESSION                                                                                  \
    "is back with its session, but ChirpStack takes its channels and RX parameters to be those of its " \
    "profile"
#define REMARK_BOTH REMARK_NONCES "; its channels and RX parameters are taken to be those of its profile"

// What is not as it was; NULL = nothing.
static const char *restore_remark(const struct restore_state *state, const struct device_progress *progress) {
    if (progress->rejoined && state->record->activation->device_activation != NULL) return REMARK_REJOINED;
    bool nonces = state->created && state->record->keys != NULL;
    if (nonces) return state->activated ? REMARK_BOTH : REMARK_NONCES;
    return state->activated ? REMARK_SESSION : NULL;
}

static enum job_step restore_refuse(struct error *error, const char *what) {
    error_set(error, ERROR_DEVICE, "has %s in ChirpStack than when it was exported: it is left alone", what);
    return JOB_FAILED;
}

// The next change that what is there calls for.
static enum job_step restore_next(struct chirpstack *self, struct job *job,
                                  const struct chirpstack_view *view, struct source_restoration *restoration,
                                  struct error *error) {
    struct restore_state *state = job->state;
    const Chirpstack__Record *record = state->record;
    if (state->changes > CHANGES_MAX) {
        error_set(
            error, state->code != ERROR_NONE ? state->code : ERROR_REFUSED, "%s",
            state->refusal != NULL ? state->refusal : "ChirpStack takes changes, but does not make them");
        return JOB_FAILED;
    }
    if (view->device == NULL) return restore_create(self, job);
    if (view->keys == NULL && record->keys != NULL) return restore_keys(self, job);
    if (!chirpstack_same_keys(record->keys, view->keys)) return restore_refuse(error, "other keys");
    const Chirpstack__DeviceActivation *now = view->activation->device_activation;
    // A device that has joined ChirpStack again meanwhile has the session that counts.
    bool other = now != NULL && !chirpstack_same_session(record->activation->device_activation, now);
    Chirpstack__DeviceActivation *wanted =
        other ? NULL : wanted_session(self, state, job->arena, now, &restoration->progress);
    if (wanted != NULL && session_is_behind(now, wanted)) return restore_session(self, job, wanted);
    const Chirpstack__Device *device = view->device->device;
    if (device->is_disabled && !record->device->device->is_disabled) return restore_enable(self, job, device);
    restoration->remark = restore_remark(state, &restoration->progress);
    return JOB_DONE;
}

// A rehearsal ends with the first change: what it says of the others is worked out.
static enum job_step restore_foreseen(const struct chirpstack *self, struct job *job,
                                      struct source_restoration *restoration) {
    struct restore_state *state = job->state;
    if (state->created && wanted_session(self, state, job->arena, NULL, &restoration->progress) != NULL)
        state->activated = true;
    restoration->remark = restore_remark(state, &restoration->progress);
    return JOB_DONE;
}

static enum job_step restore_changed(struct chirpstack *self, struct job *job,
                                     struct source_restoration *restoration, struct error *error) {
    struct restore_state *state = job->state;
    const struct reply *reply = &job->replies[0];
    if (reply->outcome == REPLY_DRY) return restore_foreseen(self, job, restoration);
    state->refusal = NULL;
    state->code = ERROR_NONE;
    if (!chirpstack_ok(self, reply)) {
        chirpstack_failed(self, &job->calls[0], reply, error);
        // An answer may be late: what is there now was perhaps made by an earlier attempt.
        bool exists = reply->outcome == REPLY_ANSWERED &&
                      (self->api->kind == CALL_GRPC ? reply->grpc_status == GRPC_ALREADY_EXISTS
                                                    : reply->http_status == HTTP_CONFLICT);
        if (!call_may_pass(error->code) && !exists) return JOB_FAILED;
        state->code = error->code;
        state->refusal = arena_strdup(job->arena, error->message);
        error_release(error);
    }
    return restore_look(self, job);
}

enum job_step chirpstack_restore(struct source *source, struct job *job, const struct source_record *record,
                                 struct source_restoration *restoration, struct error *error) {
    struct chirpstack *self = (struct chirpstack *)source;
    if (job->stage == RESTORE_BEGIN) {
        struct restore_state *state = arena_new(job->arena, struct restore_state);
        job->state = state;
        if (chirpstack_record_read(record->data, record->size, job->arena, &state->record, error) != 0)
            return JOB_FAILED;
        return restore_look(self, job);
    }
    if (job->stage == RESTORE_CHANGED) return restore_changed(self, job, restoration, error);
    const struct restore_state *state = job->state;
    struct chirpstack_view view;
    if (chirpstack_looked(self, job, state->record->device->device->dev_eui, &view, error) != 0)
        return JOB_FAILED;
    return restore_next(self, job, &view, restoration, error);
}

// ---- rights

// What is there is written as it is. A device that is gone tells nothing: whoever may read may not be allowed to create.
static enum job_step prove_update(struct chirpstack *self, struct job *job, const char *dev_eui) {
    struct chirpstack_view view;
    ERROR_AUTO ignored = {0};
    if (chirpstack_looked(self, job, dev_eui, &view, &ignored) != 0 || view.device == NULL) return JOB_DONE;
    Chirpstack__DeviceRequest request = CHIRPSTACK__DEVICE_REQUEST__INIT;
    request.device = view.device->device;
    self->api->change(self, job, CHIRPSTACK_UPDATE, &request.base);
    job->stage = PROVE_CHANGED;
    return JOB_CALLS;
}

enum job_step chirpstack_prove(struct source *source, struct job *job, const struct source_record *record,
                               struct error *error) {
    struct chirpstack *self = (struct chirpstack *)source;
    if (job->stage == PROVE_CHANGED) {
        const struct reply *reply = &job->replies[0];
        if (chirpstack_ok(self, reply)) return JOB_DONE;
        chirpstack_failed(self, &job->calls[0], reply, error);
        if (error->code == ERROR_DENIED) return JOB_FAILED;
        error_release(error);
        return JOB_DONE;
    }
    Chirpstack__Record *recorded = NULL;
    if (chirpstack_record_read(record->data, record->size, job->arena, &recorded, error) != 0)
        return JOB_FAILED;
    const char *dev_eui = recorded->device->device->dev_eui;
    if (job->stage == PROVE_LOOKED) return prove_update(self, job, dev_eui);
    chirpstack_look(self, job, dev_eui);
    job->stage = PROVE_LOOKED;
    return JOB_CALLS;
}
