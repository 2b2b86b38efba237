// SPDX-License-Identifier: Apache-2.0
// Bringing a device to the target: what can be there while the source still works is reserved; keys, sessions and state
// follow when the source has let go of it, in as few round trips as the servers allow.
#include <string.h>

#include "device/message.h"
#include "target/tts_p.h"

// A session that began this long before it is imported is told so; else the time of the import is as good.
static const int64_t started_matters = 3600 * NS_PER_SECOND;

// What both jobs keep between their steps.
struct change_state {
    unsigned tries;
    size_t calls;  // of `reserve`, at the servers behind the Identity Server
    bool there;    // the servers had something of it when it was looked for
    struct error_text {
        enum error_code code;
        const char *message;
    } lost;  // why the last try has to be looked into
};

static struct change_state *state_of(struct job *job) {
    if (job->state == NULL) job->state = arena_new(job->arena, struct change_state);
    return job->state;
}

static bool is_dry(const struct job *job) {
    return job->replies[0].outcome == REPLY_DRY;
}

// The first reply that is not OK; -1 if there is none.
static int first_failure(const struct job *job, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (!reply_ok(&job->replies[i], CALL_GRPC)) return (int)i;
    }
    return -1;
}

// A change that was not answered well: true if it is worth to look and try again, else `error` says why not.
static bool may_try_again(struct tts *self, struct job *job, int failure, struct error *error) {
    struct change_state *state = state_of(job);
    const struct reply *reply = &job->replies[failure];
    bool again = tts_is_passing(reply) && ++state->tries < TTS_TRIES;
    if (!again) tts_failed(self, &job->calls[failure], reply, error);
    return again;
}

static enum job_step find(struct tts *self, struct job *job, const Tts__EndDevice *device, int stage) {
    tts_find_calls(self, job, device);
    job->stage = stage;
    return JOB_CALLS;
}

// ---- reserve

enum reserve_stage { RESERVE_BEGIN, RESERVE_CREATED, RESERVE_FOUND, RESERVE_SET };

static enum job_step reserve_create(struct tts *self, struct job *job, const Tts__EndDevice *device) {
    tts_create_call(self, job, device, state_of(job)->tries);
    job->stage = RESERVE_CREATED;
    return JOB_CALLS;
}

// True if the reservation is all that this server needs.
static bool is_reserved_whole(const Tts__EndDevice *device, enum tts_place place) {
    bool has_session = device->session != NULL || device->pending_session != NULL;
    if (place == TTS_NETWORK) return device->supports_join && !has_session;
    if (place == TTS_JOIN) return !device->supports_join || device->root_keys == NULL;
    return device->session == NULL || device->session->keys == NULL ||
           device->session->keys->app_s_key == NULL;
}

// The other servers, where something can be there before the session: a device that does not join is of no use to the Network
// Server, and the Application Server gets a session with all else.
static enum job_step reserve_set(struct tts *self, struct job *job, const Tts__EndDevice *device) {
    unsigned tries = state_of(job)->tries;
    static const enum tts_place places[] = {TTS_JOIN, TTS_NETWORK, TTS_APPLICATION};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        bool wanted =
            places[i] == TTS_APPLICATION ? is_reserved_whole(device, TTS_APPLICATION) : device->supports_join;
        if (!wanted) continue;
        const Tts__EndDevice *part = tts_part_reserved(device, places[i], job->arena);
        tts_set_call(self, job, places[i], part, NULL, tries);
    }
    state_of(job)->calls = job->call_count;
    job->stage = RESERVE_SET;
    if (job->call_count > 0) return JOB_CALLS;
    tts_reserved_add(self, device);
    return JOB_DONE;
}

static enum job_step reserve_found(struct tts *self, struct job *job, const Tts__EndDevice *device,
                                   struct error *error) {
    struct tts_found found;
    if (tts_find_replies(self, job, 0, device, &found, error) != 0) return JOB_FAILED;
    if (found.failed != NULL) return tts_failed(self, found.failed_call, found.failed, error);
    state_of(job)->there = found.device != NULL;
    struct tts_comparison comparison;
    tts_compare(device, &found, self->plain_masks, job->arena, &comparison);
    // This attempt made no more than an entry without keys.
    if (comparison.strange || (!job->again && !comparison.bare)) {
        error_set(error, ERROR_DEVICE, "somebody else has made it at the target: %s", comparison.what);
        job->unchanged = true;
        return JOB_FAILED;
    }
    const Tts__EndDevice *identity = found.at[TTS_IDENTITY];
    if (identity == NULL) return reserve_create(self, job, device);
    if (tts_same_euis(identity, device)) return reserve_set(self, job, device);
    error_set(error, ERROR_DEVICE, "application %s of the target has another device with that ID",
              device->ids->application_ids->application_id);
    return JOB_FAILED;
}

static enum job_step reserve_answered(struct tts *self, struct job *job, const Tts__EndDevice *device,
                                      struct error *error) {
    size_t count = job->stage == RESERVE_CREATED ? 1 : state_of(job)->calls;
    int failure = first_failure(job, count);
    if (failure < 0) {
        if (job->stage == RESERVE_CREATED) return reserve_set(self, job, device);
        tts_reserved_add(self, device);
        return JOB_DONE;
    }
    if (!may_try_again(self, job, failure, error)) {
        // Not by this run: nothing was there before.
        job->unchanged =
            job->stage == RESERVE_CREATED && !state_of(job)->there && reply_refuses(&job->replies[failure]);
        return JOB_FAILED;
    }
    return find(self, job, device, RESERVE_FOUND);
}

enum job_step tts_reserve(struct target *target, struct job *job, const struct device *device,
                          struct error *error) {
    struct tts *self = tts_of(target);
    const Tts__EndDevice *end_device = device->end_device;
    switch (job->stage) {
        case RESERVE_BEGIN:
            return job->again ? find(self, job, end_device, RESERVE_FOUND)
                              : reserve_create(self, job, end_device);
        case RESERVE_FOUND:
            if (tts_find_again(self, job)) return find(self, job, end_device, RESERVE_FOUND);
            return reserve_found(self, job, end_device, error);
        default:
            return is_dry(job) ? JOB_DONE : reserve_answered(self, job, end_device, error);
    }
}

// ---- import

enum import_stage { IMPORT_BEGIN, IMPORT_FOUND, IMPORT_IDENTITY, IMPORT_DELETED, IMPORT_SET, IMPORT_KEYS };

struct import_state {
    struct change_state change;
    bool
        live;  // the target's own state of the device is as far, or further: only keys that are missing are set
    bool rejoined;  // it has joined there
    bool fresh;     // it was reserved a moment ago
    size_t calls;   // of the present step that have to succeed
    bool starting;  // the call after them tells when the session began
    struct tts_found found;
    const Tts__EndDevice *device;  // with counters that never go back; in the arena
};

static struct import_state *import_of(struct job *job) {
    return job->state;
}

static bool starts_early(const struct tts *self, const Tts__EndDevice *device) {
    if (device->session == NULL || device->session->started_at == NULL) return false;
    int64_t now = clock_wall(self->clock) / NS_PER_SECOND;
    int64_t started = device->session->started_at->seconds;
    return started > 0 && started < now && now - started > started_matters / NS_PER_SECOND;
}

// True if an earlier attempt did not come to that, or if there was none.
static bool is_start_unknown(const struct import_state *state) {
    if (!state->live) return true;
    const Tts__EndDevice *there = state->found.at[TTS_NETWORK];
    if (state->rejoined || there == NULL || there->session == NULL || there->session->started_at == NULL)
        return false;
    int64_t late = there->session->started_at->seconds - state->device->session->started_at->seconds;
    return late > started_matters / NS_PER_SECOND;
}

// The Network Server takes the time of a Set as a new session's beginning, but lets it be corrected.
static void set_started(struct tts *self, struct job *job) {
    const struct import_state *state = import_of(job);
    const Tts__EndDevice *device = state->device;
    if (!starts_early(self, device) || !is_start_unknown(state)) return;
    Tts__EndDevice *part = tts_part(device, TTS_NETWORK, job->arena);
    Tts__EndDevice short_part = TTS__END_DEVICE__INIT;
    Tts__SessionKeys no_keys = TTS__SESSION_KEYS__INIT;
    char *paths[] = {(char[]){"session.started_at"}};
    Google__FieldMask mask = GOOGLE__FIELD_MASK__INIT;
    Tts__SetEndDeviceRequest request = TTS__SET_END_DEVICE_REQUEST__INIT;
    short_part.ids = part->ids;
    short_part.session = part->session;
    short_part.session->keys = &no_keys;
    mask.paths = paths;
    mask.n_paths = 1;
    request.end_device = &short_part;
    request.field_mask = &mask;
    struct call *call = tts_registry_call(self, job, TTS_NETWORK, "Set", &request.base);
    call->changes = true;
    call->attempt = state->change.tries;
}

// What has to be deleted before it can be set: whether a device joins cannot be changed.
static bool kind_changes(const Tts__EndDevice *device, const struct tts_found *found) {
    const Tts__EndDevice *network = found->at[TTS_NETWORK];
    return network != NULL &&
           (!network->supports_join != !device->supports_join || !network->multicast != !device->multicast);
}

static bool needs_set(const struct import_state *state, enum tts_place place, const Tts__EndDevice *part,
                      struct arena *arena) {
    const Tts__EndDevice *there = state->found.at[place];
    if (place == TTS_JOIN && !state->device->supports_join) return false;
    if (there == NULL) return true;
    if (!state->live) return !tts_part_is_there(part, there, place, arena);
    // A device that lives at the target is left alone, but for keys that an earlier attempt did not come to.
    if (place == TTS_JOIN) return !tts_same_root_keys(part->root_keys, there->root_keys);
    return place == TTS_APPLICATION && !state->rejoined &&
           !tts_same_application_key(part->session, there->session);
}

// Sets what is missing at one server.
static void set_part(struct tts *self, struct job *job, enum tts_place place) {
    const struct import_state *state = import_of(job);
    const Tts__EndDevice *part = tts_part(state->device, place, job->arena);
    if (state->fresh) {
        if (!is_reserved_whole(state->device, place)) tts_set_call(self, job, place, part, NULL, 0);
        return;
    }
    bool anew = kind_changes(state->device, &state->found);
    if (!anew && !needs_set(state, place, part, job->arena)) return;
    if (place == TTS_JOIN && !state->device->supports_join) return;
    const Tts__EndDevice *there = anew ? NULL : state->found.at[place];
    const Tts__EndDevice *before = there == NULL ? NULL : tts_part_before(there, place, job->arena);
    tts_set_call(self, job, place, part, before, state->change.tries);
}

// The root keys come last: a join that is accepted earlier would have its session overwritten.
static enum job_step import_keys(struct tts *self, struct job *job) {
    tts_reserved_drop(self, import_of(job)->device);
    set_part(self, job, TTS_JOIN);
    import_of(job)->calls = job->call_count;
    set_started(self, job);
    import_of(job)->starting = job->call_count > import_of(job)->calls;
    job->stage = IMPORT_KEYS;
    return job->call_count > 0 ? JOB_CALLS : JOB_DONE;
}

// The device works whatever became of the time of its session; but it is told once more if that may help.
static enum job_step import_started(struct tts *self, struct job *job) {
    struct import_state *state = import_of(job);
    const struct reply *started = &job->replies[state->calls];
    if (!state->starting || !tts_is_passing(started) || ++state->change.tries >= TTS_TRIES) return JOB_DONE;
    state->calls = 0;
    set_started(self, job);
    return job->call_count > 0 ? JOB_CALLS : JOB_DONE;
}

static enum job_step import_set(struct tts *self, struct job *job) {
    set_part(self, job, TTS_NETWORK);
    set_part(self, job, TTS_APPLICATION);
    import_of(job)->calls = job->call_count;
    job->stage = IMPORT_SET;
    return job->call_count > 0 ? JOB_CALLS : import_keys(self, job);
}

// A device that changes its kind begins anew at the servers that know its sessions and keys.
static enum job_step import_delete(struct tts *self, struct job *job) {
    const struct import_state *state = import_of(job);
    if (!kind_changes(state->device, &state->found)) return import_set(self, job);
    static const enum tts_place places[] = {TTS_APPLICATION, TTS_NETWORK, TTS_JOIN};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (state->found.at[places[i]] != NULL)
            tts_delete_call(self, job, places[i], state->device, state->change.tries);
    }
    import_of(job)->calls = job->call_count;
    job->stage = IMPORT_DELETED;
    return JOB_CALLS;
}

static enum job_step import_identity(struct tts *self, struct job *job) {
    const struct import_state *state = import_of(job);
    const Tts__EndDevice *there = state->found.at[TTS_IDENTITY];
    const Tts__EndDevice *part = tts_part(state->device, TTS_IDENTITY, job->arena);
    if (there == NULL) {
        tts_create_call(self, job, state->device, state->change.tries);
    } else {
        const Tts__EndDevice *before = tts_part_before(there, TTS_IDENTITY, job->arena);
        if (tts_part_is_there(part, there, TTS_IDENTITY, job->arena) ||
            !tts_set_call(self, job, TTS_IDENTITY, part, before, state->change.tries)) {
            return import_delete(self, job);
        }
    }
    import_of(job)->calls = job->call_count;
    job->stage = IMPORT_IDENTITY;
    return JOB_CALLS;
}

static enum job_step import_found(struct tts *self, struct job *job, const Tts__EndDevice *device,
                                  struct error *error) {
    struct import_state *state = import_of(job);
    state->fresh = false;
    if (tts_find_replies(self, job, 0, device, &state->found, error) != 0) return JOB_FAILED;
    if (state->found.failed != NULL)
        return tts_failed(self, state->found.failed_call, state->found.failed, error);
    const Tts__EndDevice *identity = state->found.at[TTS_IDENTITY];
    if (identity != NULL && !tts_same_euis(identity, device)) {
        error_set(error, ERROR_DEVICE, "application %s of the target has another device with that ID",
                  device->ids->application_ids->application_id);
        return JOB_FAILED;
    }
    if (state->found.device == NULL) return import_identity(self, job);
    struct tts_comparison comparison;
    tts_compare(device, &state->found, self->plain_masks, job->arena, &comparison);
    // After an earlier attempt a session there that is not behind is that attempt's, or a newer one of the device.
    bool earlier = job->again || state->change.tries > 0;
    bool reached = comparison.progress.known && comparison.session_equal && !comparison.session_behind;
    state->rejoined = comparison.rejoined;
    state->live = earlier && (reached || comparison.rejoined);
    state->device = tts_keep_counters(device, state->found.device, job->arena);
    return import_identity(self, job);
}

static enum job_step import_answered(struct tts *self, struct job *job, const Tts__EndDevice *device,
                                     struct error *error) {
    struct import_state *state = import_of(job);
    int failure = -1;
    for (size_t i = 0; i < state->calls && failure < 0; i++) {
        bool gone = is_dry(job) || (job->stage == IMPORT_DELETED && stack_is_absent(&job->replies[i]));
        if (!gone && !reply_ok(&job->replies[i], CALL_GRPC)) failure = (int)i;
    }
    if (failure >= 0) {
        if (!may_try_again(self, job, failure, error)) return JOB_FAILED;
        return find(self, job, device, IMPORT_FOUND);
    }
    if (job->stage == IMPORT_IDENTITY) return import_delete(self, job);
    if (job->stage == IMPORT_DELETED) return import_set(self, job);
    return job->stage == IMPORT_SET ? import_keys(self, job) : import_started(self, job);
}

enum job_step tts_import(struct target *target, struct job *job, const struct device *device,
                         struct error *error) {
    struct tts *self = tts_of(target);
    const Tts__EndDevice *end_device = device->end_device;
    switch (job->stage) {
        case IMPORT_BEGIN: {
            struct import_state *state = arena_new(job->arena, struct import_state);
            job->state = state;
            state->device = end_device;
            state->fresh = !job->again && tts_reserved_has(self, end_device);
            if (state->fresh) return import_set(self, job);
            return find(self, job, end_device, IMPORT_FOUND);
        }
        case IMPORT_FOUND:
            if (tts_find_again(self, job)) return find(self, job, end_device, IMPORT_FOUND);
            return import_found(self, job, end_device, error);
        default:
            return import_answered(self, job, end_device, error);
    }
}
