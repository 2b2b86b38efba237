// SPDX-License-Identifier: Apache-2.0
// Putting a device back into The Things Stack. What the servers show decides, not what the release did: an entry that is
// missing is made again, a Network Server that is silent gets its old setting, and what is there and is another device's
// is left alone, as is all the rest of the device then.
#include <string.h>

#include "base/memory.h"
#include "device/message.h"
#include "source/tts_p.h"

enum restore_stage { RESTORE_BEGIN, RESTORE_LOOKED, RESTORE_CHANGED, RESTORE_PROVED };

// In this order: the Identity Server shows a conflict before any other server has keys.
enum restore_change {
    CREATE_IDENTITY,
    SET_JOIN,
    SET_NETWORK,
    SET_STARTED_AT,  // which the Network Server overwrites when a session is new to it
    SET_SETTINGS,    // of a Network Server that still has the device: its old voice, and counters
    SET_APPLICATION,
    CHANGES,
};

struct restore_state {
    struct tts_parts recorded;
    struct tts_look look;
    unsigned due;  // of enum restore_change, a bit each
    enum restore_change doing;
    unsigned failures;
    bool started;         // that its session began earlier was told, and was answered
    bool made;            // at least one entry is a new one
    bool join_again;      // it joined elsewhere
    bool nonce_moved;     // the join nonce is higher than it was
    bool count_moved;     // the downlink counter is higher than it was read
    const char *refused;  // why the last change failed; NULL = it did not
    enum error_code code;
    const char *hint;
};

// How far a device that joined elsewhere may have got with the nonces of its joins there.
enum { JOIN_NONCE_MARGIN = 256, JOIN_NONCE_MAX = 0xFFFFFF };

static enum stack_role server_of(enum restore_change change) {
    static const enum stack_role servers[CHANGES] = {
        [CREATE_IDENTITY] = STACK_IDENTITY, [SET_JOIN] = STACK_JOIN,
        [SET_NETWORK] = STACK_NETWORK,      [SET_STARTED_AT] = STACK_NETWORK,
        [SET_SETTINGS] = STACK_NETWORK,     [SET_APPLICATION] = STACK_APPLICATION,
    };
    return servers[change];
}

static enum job_step look(struct tts_source *self, struct job *job, const struct source_record *record,
                          enum restore_stage stage) {
    struct restore_state *state = job->state;
    job->stage = stage;
    return tts_source_look_begin(self, job, &state->look, record->id, tts_source_parts_ids(&state->recorded),
                                 TTS_ALL_SERVERS);
}

// ---- what is to be done

static int check_now(const struct restore_state *state, struct error *error) {
    for (enum stack_role server = 0; server < STACK_ROLES; server++) {
        const Tts__EndDevice *now = state->look.parts.at[server];
        const Tts__EndDevice *before = state->recorded.at[server];
        if (now == NULL) continue;
        const char *what = NULL;
        if (!tts_source_same_euis(tts_source_parts_ids(&state->recorded), now->ids)) {
            what = "has other EUIs";
        } else if (server == STACK_JOIN && before != NULL && !tts_source_same_root_keys(before, now)) {
            what = "has other root keys";
        } else if (server == STACK_NETWORK && before != NULL && !before->supports_join &&
                   !tts_source_same_session(before->session, now->session)) {
            what = "has another session";
        } else if (before == NULL) {
            what = "was registered";
        }
        if (what == NULL) continue;
        return error_set(error, ERROR_DEVICE, "%s at the %s meanwhile: it is left alone", what,
                         stack_title(server));
    }
    return 0;
}

// The last downlink counter of a session that the Network Server has lost, as far as its source was heard of.
static uint32_t last_heard(struct restore_state *state, const struct source_restoration *restoration,
                           const struct tts_sighting *seen) {
    uint32_t last = tts_source_last_n_f_cnt_down(state->recorded.at[STACK_NETWORK]);
    if (restoration->heard_n_f_cnt_down > last) last = restoration->heard_n_f_cnt_down;
    if (seen != NULL && seen->last_n_f_cnt_down > last) last = seen->last_n_f_cnt_down;
    if (restoration->progress.known) return last;
    // It may have been answered after that.
    state->count_moved = true;
    return source_skip_unseen(last);
}

// The counters that the device has to go on with, where it goes on with the session that was read.
static void raise_counters(struct restore_state *state, const struct source_restoration *restoration,
                           const struct tts_sighting *seen) {
    const struct device_progress *progress = &restoration->progress;
    Tts__EndDevice *network = state->recorded.at[STACK_NETWORK];
    Tts__EndDevice *application = state->recorded.at[STACK_APPLICATION];
    Tts__Session *session = network == NULL ? NULL : network->session;
    if (session == NULL || progress->rejoined || (seen != NULL && seen->rejoined)) return;
    if (state->look.parts.at[STACK_NETWORK] == NULL)
        session->last_n_f_cnt_down = last_heard(state, restoration, seen);
    if (progress->last_n_f_cnt_down > session->last_n_f_cnt_down)
        session->last_n_f_cnt_down = progress->last_n_f_cnt_down;
    if (progress->last_f_cnt_up > session->last_f_cnt_up) session->last_f_cnt_up = progress->last_f_cnt_up;
    if (application != NULL && application->session != NULL &&
        progress->last_a_f_cnt_down > application->session->last_a_f_cnt_down)
        application->session->last_a_f_cnt_down = progress->last_a_f_cnt_down;
}

static void raise_nonces(struct restore_state *state, const struct device_progress *progress) {
    Tts__EndDevice *join = state->recorded.at[STACK_JOIN];
    if (join == NULL || !progress->rejoined) return;
    state->join_again = true;
    if (state->look.parts.at[STACK_JOIN] != NULL || join->last_join_nonce == 0) return;
    join->last_join_nonce += JOIN_NONCE_MARGIN;
    if (join->last_join_nonce > JOIN_NONCE_MAX) join->last_join_nonce = JOIN_NONCE_MAX;
    state->nonce_moved = true;
}

// True if the Network Server's counters are behind those that the device has to go on with.
static bool counters_are_behind(const struct restore_state *state) {
    const Tts__EndDevice *before = state->recorded.at[STACK_NETWORK];
    const Tts__EndDevice *now = state->look.parts.at[STACK_NETWORK];
    if (before->session == NULL || now->session == NULL) return false;
    return tts_source_same_session(before->session, now->session) &&
           (before->session->last_n_f_cnt_down > now->session->last_n_f_cnt_down ||
            before->session->last_f_cnt_up > now->session->last_f_cnt_up);
}

// True if the session is back, but as one that has just begun.
static bool begins_anew(const struct restore_state *state) {
    const Tts__Session *before = state->recorded.at[STACK_NETWORK]->session;
    const Tts__Session *now = state->look.parts.at[STACK_NETWORK]->session;
    if (before == NULL || before->started_at == NULL || !tts_source_same_session(before, now)) return false;
    return now->started_at == NULL || now->started_at->seconds != before->started_at->seconds;
}

static void find_due(struct restore_state *state) {
    const struct tts_parts *before = &state->recorded;
    const struct tts_parts *now = &state->look.parts;
    const Tts__EndDevice *network = before->at[STACK_NETWORK];
    const Tts__EndDevice *application = before->at[STACK_APPLICATION];
    state->due = 0;
    if (before->at[STACK_IDENTITY] != NULL && now->at[STACK_IDENTITY] == NULL)
        state->due |= 1U << CREATE_IDENTITY;
    if (before->at[STACK_JOIN] != NULL && now->at[STACK_JOIN] == NULL) state->due |= 1U << SET_JOIN;
    if (network != NULL && now->at[STACK_NETWORK] == NULL) {
        state->due |= 1U << SET_NETWORK;
        if (network->session != NULL && network->session->started_at != NULL)
            state->due |= 1U << SET_STARTED_AT;
    } else if (network != NULL) {
        if (tts_source_is_silenced(network) != tts_source_is_silenced(now->at[STACK_NETWORK]) ||
            counters_are_behind(state))
            state->due |= 1U << SET_SETTINGS;
        if (begins_anew(state)) state->due |= 1U << SET_STARTED_AT;
    }
    if (application == NULL) return;
    const Tts__EndDevice *there = now->at[STACK_APPLICATION];
    bool behind = there != NULL && tts_source_last_a_f_cnt_down(before) > tts_source_last_a_f_cnt_down(now) &&
                  tts_source_same_application_session(application->session, there->session);
    if (there == NULL || behind) state->due |= 1U << SET_APPLICATION;
}

// ---- doing it

// What a Set of the Network Server that still has the device is to change.
static Tts__EndDevice *settings_part(const struct restore_state *state, struct arena *arena,
                                     Google__FieldMask *mask) {
    const Tts__EndDevice *before = state->recorded.at[STACK_NETWORK];
    Tts__EndDevice *part = message_new(arena, &tts__end_device__descriptor);
    part->mac_settings = message_new(arena, &tts__macsettings__descriptor);
    if (before->mac_settings != NULL)
        part->mac_settings->schedule_downlinks = before->mac_settings->schedule_downlinks;
    message_append(arena, &mask->n_paths, &mask->paths,
                   arena_strdup(arena, "mac_settings.schedule_downlinks"));
    if (!counters_are_behind(state)) return part;
    const Tts__Session *now = state->look.parts.at[STACK_NETWORK]->session;
    part->session = message_new(arena, &tts__session__descriptor);
    uint32_t up = before->session->last_f_cnt_up;
    uint32_t down = before->session->last_n_f_cnt_down;
    part->session->last_f_cnt_up = up > now->last_f_cnt_up ? up : now->last_f_cnt_up;
    part->session->last_n_f_cnt_down = down > now->last_n_f_cnt_down ? down : now->last_n_f_cnt_down;
    message_append(arena, &mask->n_paths, &mask->paths, arena_strdup(arena, "session.last_f_cnt_up"));
    message_append(arena, &mask->n_paths, &mask->paths, arena_strdup(arena, "session.last_n_f_cnt_down"));
    return part;
}

static void change_call(struct tts_source *self, struct job *job, enum restore_change change) {
    struct restore_state *state = job->state;
    const Tts__EndDeviceIdentifiers *ids = tts_source_parts_ids(&state->recorded);
    enum stack_role server = server_of(change);
    Tts__EndDevice *part = state->recorded.at[server];
    if (change == CREATE_IDENTITY) {
        tts_source_create_call(self, job, part, ids)->attempt = state->failures;
        return;
    }
    Google__FieldMask *mask = message_new(job->arena, &google__field_mask__descriptor);
    if (change == SET_SETTINGS) {
        part = settings_part(state, job->arena, mask);
    } else if (change == SET_STARTED_AT) {
        message_append(job->arena, &mask->n_paths, &mask->paths,
                       arena_strdup(job->arena, "session.started_at"));
    } else {
        mask = tts_source_mask(part, server, job->arena);
    }
    tts_source_set_call(self, job, server, part, ids, mask)->attempt = state->failures;
}

// The next change, or the look that proves them all.
static enum job_step change_next(struct tts_source *self, struct job *job,
                                 const struct source_record *record) {
    struct restore_state *state = job->state;
    for (enum restore_change change = 0; change < CHANGES; change++) {
        if ((state->due & 1U << change) == 0) continue;
        state->due &= ~(1U << change);
        state->doing = change;
        change_call(self, job, change);
        job->stage = RESTORE_CHANGED;
        return JOB_CALLS;
    }
    return look(self, job, record, RESTORE_PROVED);
}

static enum job_step changed(struct tts_source *self, struct job *job, const struct source_record *record) {
    struct restore_state *state = job->state;
    const struct reply *reply = &job->replies[0];
    bool told = state->doing == SET_STARTED_AT;
    if (reply_ok(reply, CALL_GRPC)) {
        state->started |= told;
        return change_next(self, job, record);
    }
    // Whatever became of it: what the servers show counts. The rest waits for that.
    ERROR_AUTO error = {0};
    tts_source_failed(self, server_of(state->doing), &job->calls[0], reply, job->arena, &error);
    state->refused = arena_strdup(job->arena, error.message);
    state->hint = error.hint == NULL ? NULL : arena_strdup(job->arena, error.hint);
    state->code = error.code;
    state->started |= told && !call_may_pass(error.code);
    state->failures++;
    return look(self, job, record, RESTORE_PROVED);
}

// The first frame of a join may have been heard and answered before the entry was deleted.
static bool was_joining(const struct tts_parts *recorded) {
    const Tts__EndDevice *network = recorded->at[STACK_NETWORK];
    const Tts__EndDevice *application = recorded->at[STACK_APPLICATION];
    return (network != NULL && network->pending_session != NULL) ||
           (application != NULL && application->pending_session != NULL);
}

static const char *remark_of(const struct restore_state *state, struct arena *arena) {
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    if (state->made) {
        buffer_puts(&text, "is back, but as a new entry: its dates and queued downlinks are gone");
    }
    if (state->made && was_joining(&state->recorded)) {
        buffer_puts(&text, "; the AppSKey of a join that was under way is gone, so it has to join again");
    }
    if (state->count_moved) {
        buffer_printf(
            &text, "%sits downlink counter is %d higher than it was read, in case it was answered after that",
            text.size > 0 ? "; " : "", SOURCE_UNSEEN_DOWNLINKS);
    }
    if (state->join_again) {
        buffer_printf(&text, "%sit joined elsewhere meanwhile, so it has to join again%s",
                      text.size > 0 ? "; " : "",
                      state->nonce_moved ? "; its join nonce was raised for that" : "");
    }
    return text.size == 0 ? NULL : arena_strdup(arena, buffer_string(&text));
}

static enum job_step proved(struct tts_source *self, struct job *job, const struct source_record *record,
                            const char **ret_remark, struct error *error) {
    struct restore_state *state = job->state;
    if (check_now(state, error) != 0) return JOB_FAILED;
    find_due(state);
    // The device works without that.
    if (state->started || state->failures >= SOURCE_TRIES) state->due &= ~(1U << SET_STARTED_AT);
    if (state->due == 0) {
        *ret_remark = remark_of(state, job->arena);
        return JOB_DONE;
    }
    if (state->refused != NULL && call_may_pass(state->code) && state->failures < SOURCE_TRIES) {
        state->refused = NULL;
        return change_next(self, job, record);
    }
    if (state->refused == NULL) {
        error_set(error, ERROR_REFUSED, "The Things Stack did not take all of it back");
        return JOB_FAILED;
    }
    error_set(error, state->code, "%s", state->refused);
    if (state->hint != NULL) error_hint(error, "%s", state->hint);
    return JOB_FAILED;
}

enum job_step tts_source_restore(struct source *source, struct job *job, const struct source_record *record,
                                 struct source_restoration *restoration, struct error *error) {
    struct tts_source *self = tts_source_of(source);
    struct restore_state *state = job->state;
    if (job->stage == RESTORE_BEGIN) {
        state = arena_new(job->arena, struct restore_state);
        job->state = state;
        if (tts_source_record_read(record, job->arena, &state->recorded, error) != 0) return JOB_FAILED;
        return look(self, job, record, RESTORE_LOOKED);
    }
    if (job->replies[0].outcome == REPLY_DRY) {
        restoration->remark = remark_of(state, job->arena);
        return JOB_DONE;
    }
    if (job->stage == RESTORE_CHANGED) return changed(self, job, record);
    enum job_step step = tts_source_look_replies(self, job, &state->look, error);
    if (step != JOB_DONE) return step;
    if (job->stage == RESTORE_PROVED) return proved(self, job, record, &restoration->remark, error);
    if (check_now(state, error) != 0) return JOB_FAILED;
    raise_counters(state, restoration, tts_source_sightings_find(&self->sightings, record->id));
    raise_nonces(state, &restoration->progress);
    find_due(state);
    if (state->due == 0) {
        // An earlier process has put it back, and may not have come to say so.
        restoration->remark = remark_of(state, job->arena);
        return JOB_DONE;
    }
    state->made = (state->due & ~(1U << SET_SETTINGS | 1U << SET_STARTED_AT)) != 0;
    return change_next(self, job, record);
}
