// SPDX-License-Identifier: Apache-2.0
// Taking a device away from The Things Stack. Where entries are deleted, first the Network Server is told to send nothing
// any more: so no counter moves after the last look at it, and an entry is only deleted when that look has shown that it
// is the device that was read. Entries go in the order Application, Network, Join, Identity Server. Where silence is all,
// that look comes before it: `confirm` has another one behind it.
#include <string.h>

#include "base/memory.h"
#include "device/message.h"
#include "source/tts_p.h"

enum release_stage { RELEASE_BEGIN, RELEASE_SILENCED, RELEASE_LOOKED, RELEASE_DELETED };

struct release_state {
    struct tts_parts recorded;
    struct tts_look look;
    enum stack_role deleting;  // STACK_ROLES: nothing yet
    bool asked;                // the Network Server was told to be silent
    unsigned failures;         // of changes
    enum error_code code;      // of the last one; ERROR_NONE = none failed
    const char *message;       // of that, as `hint`; in the job's arena
    const char *hint;
};

// The servers whose entries are looked at.
static unsigned looked_at(const struct tts_source *self, const struct tts_parts *recorded) {
    unsigned join = recorded->at[STACK_JOIN] == NULL ? 0 : 1U << STACK_JOIN;
    if (self->release == TTS_SILENCE) return 1U << STACK_NETWORK | join;
    return self->release == TTS_DELETE ? TTS_ALL_SERVERS : TTS_ALL_SERVERS & ~(1U << STACK_IDENTITY);
}

static enum job_step look(struct tts_source *self, struct job *job, const struct source_record *record) {
    struct release_state *state = job->state;
    job->stage = RELEASE_LOOKED;
    return tts_source_look_begin(self, job, &state->look, record->id, tts_source_parts_ids(&state->recorded),
                                 looked_at(self, &state->recorded));
}

static enum job_step silence(struct tts_source *self, struct job *job) {
    struct release_state *state = job->state;
    Tts__BoolValue value = TTS__BOOL_VALUE__INIT;
    Tts__MACSettings settings = TTS__MACSETTINGS__INIT;
    Tts__EndDevice device = TTS__END_DEVICE__INIT;
    Google__FieldMask mask = GOOGLE__FIELD_MASK__INIT;
    char *paths[] = {arena_strdup(job->arena, "mac_settings.schedule_downlinks.value")};
    settings.schedule_downlinks = &value;
    device.mac_settings = &settings;
    mask.n_paths = 1;
    mask.paths = paths;
    struct call *call =
        tts_source_set_call(self, job, STACK_NETWORK, &device, tts_source_parts_ids(&state->recorded), &mask);
    call->attempt = state->failures;
    state->asked = true;
    job->stage = RELEASE_SILENCED;
    return JOB_CALLS;
}

// A change that failed, or of which that is not known: what the servers show counts.
static enum job_step failed(struct tts_source *self, struct job *job, enum stack_role server,
                            const struct source_record *record) {
    struct release_state *state = job->state;
    ERROR_AUTO error = {0};
    tts_source_failed(self, server, &job->calls[0], &job->replies[0], job->arena, &error);
    state->failures++;
    state->code = error.code;
    state->message = arena_strdup(job->arena, error.message);
    state->hint = error.hint == NULL ? NULL : arena_strdup(job->arena, error.hint);
    return look(self, job, record);
}

// True if the last failure may pass.
static bool may_try(const struct release_state *state) {
    if (state->code == ERROR_NONE) return true;
    return call_may_pass(state->code) && state->failures < SOURCE_TRIES;
}

static enum job_step give_up(const struct release_state *state, struct error *error) {
    error_set(error, state->code, "%s", state->message);
    if (state->hint != NULL) error_hint(error, "%s", state->hint);
    return JOB_FAILED;
}

// ---- what the look shows

// Only the device that was read may be changed.
static int check_now(const struct release_state *state, struct error *error) {
    for (enum stack_role server = 0; server < STACK_ROLES; server++) {
        const Tts__EndDevice *now = state->look.parts.at[server];
        const Tts__EndDevice *before = state->recorded.at[server];
        if (now == NULL) continue;
        const char *what = NULL;
        if (before == NULL) {
            what = "was registered at the %s after it was read: it is left alone";
        } else if (!tts_source_same_euis(before->ids, now->ids)) {
            what = "has other EUIs at the %s than those that were read: it is left alone";
        } else if (server == STACK_JOIN && !tts_source_same_root_keys(before, now)) {
            what = "has other root keys at the %s than those that were read: it is left alone";
        } else if (server == STACK_NETWORK && !before->supports_join &&
                   !tts_source_same_session(before->session, now->session)) {
            what = "has another session at the %s than the one that was read: it is left alone";
        }
        if (what == NULL) continue;
        BUFFER_AUTO text;
        buffer_init(&text, BUFFER_UNLIMITED);
        const char *title = strstr(what, "%s");
        buffer_add(&text, what, (size_t)(title - what));
        buffer_printf(&text, "%s%s", stack_title(server), title + 2);
        return error_set(error, ERROR_DEVICE, "%s", buffer_string(&text));
    }
    return 0;
}

static void remember(struct tts_source *self, const struct source_record *record,
                     const struct release_state *state) {
    const Tts__EndDevice *before = state->recorded.at[STACK_NETWORK];
    const Tts__EndDevice *now = state->look.parts.at[STACK_NETWORK];
    if (now == NULL) return;
    struct tts_sighting seen = tts_source_sighting(before, &state->look.parts);
    tts_source_sightings_add(&self->sightings, record->id, &seen);
}

static enum job_step delete_next(struct tts_source *self, struct job *job) {
    static const enum stack_role order[] = {STACK_APPLICATION, STACK_NETWORK, STACK_JOIN, STACK_IDENTITY};
    struct release_state *state = job->state;
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        const Tts__EndDevice *part = state->look.parts.at[order[i]];
        if (part == NULL) continue;
        state->deleting = order[i];
        struct call *call =
            tts_source_delete_call(self, job, order[i], part->ids, tts_source_parts_ids(&state->recorded));
        call->attempt = state->failures;
        job->stage = RELEASE_DELETED;
        return JOB_CALLS;
    }
    return JOB_DONE;
}

static enum job_step looked(struct tts_source *self, struct job *job, const struct source_record *record,
                            struct error *error) {
    struct release_state *state = job->state;
    enum job_step step = tts_source_look_replies(self, job, &state->look, error);
    if (step == JOB_FAILED && state->message != NULL)
        error_wrap(error, ERROR_NONE, "%s; and then", state->message);
    if (step != JOB_DONE) return step;
    const Tts__EndDevice *network = state->look.parts.at[STACK_NETWORK];
    if (check_now(state, error) != 0) {
        job->unchanged = !state->asked && !job->again;
        return JOB_FAILED;
    }
    bool loud = network != NULL && !tts_source_is_silenced(network);
    if (!loud && self->release == TTS_SILENCE) return JOB_DONE;
    if (!may_try(state)) {
        // What failed may have happened all the same.
        bool there = state->deleting < STACK_ROLES && state->look.parts.at[state->deleting] != NULL;
        if (loud || there) return give_up(state, error);
        state->code = ERROR_NONE;
    }
    if (loud && state->asked && state->code == ERROR_NONE) {
        error_set(error, ERROR_REFUSED, "%s: took schedule_downlinks, but it is still true there",
                  self->peers[STACK_NETWORK].name);
        return JOB_FAILED;
    }
    if (loud) return silence(self, job);
    remember(self, record, state);
    return delete_next(self, job);
}

enum job_step tts_source_release(struct source *source, struct job *job, const struct source_record *record,
                                 const struct device *device, struct error *error) {
    (void)device;
    struct tts_source *self = tts_source_of(source);
    const struct reply *reply = &job->replies[0];
    struct release_state *state = job->state;
    switch ((enum release_stage)job->stage) {
        case RELEASE_SILENCED:
            if (!reply_ok(reply, CALL_GRPC)) return failed(self, job, STACK_NETWORK, record);
            state->code = ERROR_NONE;
            return self->release == TTS_SILENCE ? JOB_DONE : look(self, job, record);
        case RELEASE_LOOKED:
            return looked(self, job, record, error);
        case RELEASE_DELETED:
            if (!reply_ok(reply, CALL_GRPC) && !stack_is_absent(reply))
                return failed(self, job, state->deleting, record);
            state->look.parts.at[state->deleting] = NULL;
            return delete_next(self, job);
        case RELEASE_BEGIN:
            break;
    }
    if (self->release == TTS_NONE) return JOB_DONE;
    state = arena_new(job->arena, struct release_state);
    state->deleting = STACK_ROLES;
    job->state = state;
    if (tts_source_record_read(record, job->arena, &state->recorded, error) != 0) return JOB_FAILED;
    bool registered = state->recorded.at[STACK_NETWORK] != NULL;
    if (!registered && self->release == TTS_SILENCE) return JOB_DONE;
    bool at_once = registered && !job->again && self->release != TTS_SILENCE;
    return at_once ? silence(self, job) : look(self, job, record);
}
