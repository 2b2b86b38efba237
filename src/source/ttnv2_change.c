// SPDX-License-Identifier: Apache-2.0
// What changes devices of V2: taking them away, giving them back, and looking at what came of it.
//
// Clearing is a SetDevice, which replaces the whole device: so it sends back all that GetDevice gave, with zeros in place
// of what was carried over. A part that was not carried over is left out, which keeps it.
#include <inttypes.h>
#include <string.h>

#include "source/ttnv2_p.h"

// ---- releasing

static void fill_zeros(struct arena *arena, ProtobufCBinaryData *bytes, size_t size) {
    *bytes = (ProtobufCBinaryData){.len = size, .data = arena_alloc(arena, 1, size)};
}

// Turns what GetDevice gave into the SetDevice that clears what `parts` carried over, and keeps the rest.
static void clear_parts(Ttnv2__Device *device, struct ttnv2_parts parts, struct arena *arena) {
    Ttnv2__LoRaWANDevice *lorawan = device->lorawan_device;
    lorawan->app_id = device->app_id;
    lorawan->dev_id = device->dev_id;
    if (parts.join) {
        fill_zeros(arena, &lorawan->app_key, 16);
    } else {
        lorawan->app_key = (ProtobufCBinaryData){0};
    }
    if (parts.takes_session) {
        fill_zeros(arena, &lorawan->dev_addr, 4);
        fill_zeros(arena, &lorawan->nwk_s_key, 16);
        fill_zeros(arena, &lorawan->app_s_key, 16);
    } else {
        // Absent means kept: a device that joined a moment ago keeps its new session.
        lorawan->dev_addr = lorawan->nwk_s_key = lorawan->app_s_key = (ProtobufCBinaryData){0};
    }
}

static bool parts_are_cleared(const Ttnv2__LoRaWANDevice *lorawan, struct ttnv2_parts parts) {
    if (parts.join && !ttnv2_is_zero(lorawan->app_key)) return false;
    return !parts.takes_session || (ttnv2_is_zero(lorawan->dev_addr) && ttnv2_is_zero(lorawan->nwk_s_key) &&
                                    ttnv2_is_zero(lorawan->app_s_key));
}

// What a record carried over.
static int record_parts(const struct ttnv2 *self, const struct source_record *record, struct arena *arena,
                        Ttnv2__Device **ret_device, struct ttnv2_parts *ret_parts, struct error *error) {
    int result = ttnv2_device_read(record->data, record->size, arena, ret_device, error);
    if (result != 0) return result;
    *ret_parts = ttnv2_parts((*ret_device)->lorawan_device, self->rules.with_session);
    return 0;
}

static bool same_bytes(ProtobufCBinaryData a, ProtobufCBinaryData b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

// True if the device still has what was carried over of the record, all of it.
static bool keys_are_recorded(const struct source_record *record, const Ttnv2__Device *device,
                              struct ttnv2_parts parts) {
    ARENA_AUTO arena = {0};
    Ttnv2__Device *recorded = NULL;
    if (ttnv2_device_read(record->data, record->size, &arena, &recorded, NULL) != 0) return false;
    const Ttnv2__LoRaWANDevice *before = recorded->lorawan_device;
    const Ttnv2__LoRaWANDevice *now = device->lorawan_device;
    if (parts.join && !same_bytes(before->app_key, now->app_key)) return false;
    return !parts.takes_session ||
           (same_bytes(before->dev_addr, now->dev_addr) && same_bytes(before->nwk_s_key, now->nwk_s_key) &&
            same_bytes(before->app_s_key, now->app_s_key));
}

// True if the device used its AppKey, which is the recorded one, to join V2 once more: so V2 handles it, in another session.
static bool is_joined_anew(const struct source_record *record, const Ttnv2__Device *now,
                           struct ttnv2_parts parts) {
    if (!parts.join || !parts.takes_session) return false;
    parts.takes_session = false;
    return keys_are_recorded(record, now, parts) && ttnv2_parts(now->lorawan_device, true).session;
}

// True if it is cleared but for its session: the device joined to get that between reading and clearing, which was recorded
// since.
static bool is_half_cleared(const struct source_record *record, const Ttnv2__Device *now,
                            struct ttnv2_parts parts) {
    if (!parts.join || !parts.takes_session || !ttnv2_is_zero(now->lorawan_device->app_key)) return false;
    parts.join = false;
    return keys_are_recorded(record, now, parts);
}

struct release_state {
    struct ttnv2_parts parts;
    unsigned tries;
    bool unsure;           // a SetDevice may have been made, or made in part
    uint32_t f_cnt_down;   // that the last SetDevice wrote
    int64_t last_seen;     // of the device that it was made from
    enum error_code code;  // of what SetDevice answered
    const char *message;   // of that; in the job's arena
};

// Answers that come before anything is written.
static bool is_refused_first(const struct reply *reply) {
    if (reply->outcome != REPLY_ANSWERED) return false;
    switch (reply->grpc_status) {
        case GRPC_INVALID_ARGUMENT:
        case GRPC_NOT_FOUND:
        case GRPC_ALREADY_EXISTS:
        case GRPC_PERMISSION_DENIED:
        case GRPC_UNIMPLEMENTED:
            return true;
        default:
            return false;
    }
}

// The session stays in V2, which goes on counting: SetDevice, which always writes counters, may have set them back.
static bool session_stays(struct ttnv2_parts parts) {
    return parts.some_session && !parts.takes_session;
}

// True if V2 heard the device while SetDevice was on its way, and may have used the downlink counter that was written.
static bool is_set_back(const Ttnv2__LoRaWANDevice *now, int64_t last_seen, uint32_t f_cnt_down) {
    return now->last_seen > last_seen && now->f_cnt_down <= f_cnt_down;
}

enum release_stage { RELEASE_BEGIN, RELEASE_SET, RELEASE_LOOK, RELEASE_COUNT };

static enum job_step release_set(struct ttnv2 *self, struct job *job, Ttnv2__Device *device) {
    struct release_state *state = job->state;
    clear_parts(device, state->parts, job->arena);
    state->f_cnt_down = device->lorawan_device->f_cnt_down;
    state->last_seen = device->lorawan_device->last_seen;
    struct call *call = ttnv2_handler_call(self, job, "/handler.ApplicationManager/SetDevice", &device->base);
    call->changes = true;
    call->attempt = state->tries++;
    job->stage = RELEASE_SET;
    return JOB_CALLS;
}

static enum job_step release_begin(struct ttnv2 *self, struct job *job, const struct source_record *record,
                                   struct error *error) {
    if (ttnv2_token_due(self)) return JOB_LOGIN;
    struct release_state *state = arena_new(job->arena, struct release_state);
    job->state = state;
    Ttnv2__Device *device = NULL;
    if (record_parts(self, record, job->arena, &device, &state->parts, error) != 0) return JOB_FAILED;
    if (!job->again) return release_set(self, job, device);
    state->unsure = true;
    state->f_cnt_down = device->lorawan_device->f_cnt_down;
    state->last_seen = device->lorawan_device->last_seen;
    state->code = ERROR_UNAVAILABLE;
    state->message = "it is not known what became of an earlier attempt";
    ttnv2_get_device_call(self, job, record->id);
    job->stage = RELEASE_LOOK;
    return JOB_CALLS;
}

// AppKey and session are as they are to be; the counters of a session that stays are looked at once more.
static enum job_step release_cleared(struct ttnv2 *self, struct job *job,
                                     const struct source_record *record) {
    struct release_state *state = job->state;
    if (!session_stays(state->parts)) return JOB_DONE;
    state->code = ERROR_REFUSED;
    state->message = "V2 has it cleared, and yet it has its keys";
    state->unsure = true;
    ttnv2_get_device_call(self, job, record->id);
    job->stage = RELEASE_COUNT;
    return JOB_CALLS;
}

static enum job_step release_counted(struct ttnv2 *self, struct job *job, Ttnv2__Device *now) {
    const struct release_state *state = job->state;
    bool set_back = is_set_back(now->lorawan_device, state->last_seen, state->f_cnt_down);
    if (!set_back || state->tries >= SOURCE_TRIES) return JOB_DONE;
    // Better one is skipped than used twice.
    now->lorawan_device->f_cnt_down = state->f_cnt_down + 1;
    return release_set(self, job, now);
}

// An answer other than OK proves nothing: the Network Server is written before the Handler. So look.
static enum job_step release_answered(struct ttnv2 *self, struct job *job, const struct source_record *record,
                                      struct error *error) {
    const struct reply *reply = &job->replies[0];
    if (reply_ok(reply, CALL_GRPC)) return release_cleared(self, job, record);
    struct release_state *state = job->state;
    if (!is_refused_first(reply)) state->unsure = true;
    enum job_step step = ttnv2_handler_failed(self, &job->calls[0], reply, error);
    if (step == JOB_LOGIN || ttnv2_token_due(self)) {
        error_release(error);
        return JOB_LOGIN;
    }
    state->code = error->code;
    state->message = arena_strdup(job->arena, error->message);
    error_release(error);
    ttnv2_get_device_call(self, job, record->id);
    job->stage = RELEASE_LOOK;
    return JOB_CALLS;
}

static enum job_step release_looked(struct ttnv2 *self, struct job *job, const struct source_record *record,
                                    struct error *error) {
    struct release_state *state = job->state;
    const struct reply *reply = &job->replies[0];
    if (!reply_ok(reply, CALL_GRPC)) {
        enum job_step step = ttnv2_handler_failed(self, &job->calls[0], reply, error);
        if (step != JOB_LOGIN && job->stage == RELEASE_LOOK)
            error_wrap(error, ERROR_NONE, "%s; and then", state->message);
        return step;
    }
    Ttnv2__Device *device = NULL;
    if (ttnv2_get_device_reply(self, job, record->id, &device, error) != 0) return JOB_FAILED;
    if (parts_are_cleared(device->lorawan_device, state->parts)) {
        return session_stays(state->parts) ? release_counted(self, job, device) : JOB_DONE;
    }
    // Between reading and clearing a device may join V2 once more, but not after a clearing that may have been done.
    bool anew = is_joined_anew(record, device, state->parts);
    bool ours =
        keys_are_recorded(record, device, state->parts) || is_half_cleared(record, device, state->parts);
    if (!ours && (job->again || !anew)) {
        error_set(
            error, ERROR_DEVICE,
            anew ? "joined V2 once more after it was exported: it is left alone, until it is rolled back "
                   "and migrated with its present session"
                 : "has other keys in V2 than those that were exported: it is left alone");
        return JOB_FAILED;
    }
    if (call_may_pass(state->code) && state->tries < SOURCE_TRIES) return release_set(self, job, device);
    job->unchanged = !state->unsure;
    error_set(error, state->code, "%s", state->message);
    return JOB_FAILED;
}

enum job_step ttnv2_release(struct source *source, struct job *job, const struct source_record *record,
                            const struct device *device, struct error *error) {
    (void)device;
    struct ttnv2 *self = ttnv2_of(source);
    switch (job->stage) {
        case RELEASE_SET:
            return release_answered(self, job, record, error);
        case RELEASE_LOOK:
        case RELEASE_COUNT:
            return release_looked(self, job, record, error);
        default:
            return release_begin(self, job, record, error);
    }
}

// ---- restoring

#define REMARK_NONCES \
    "is back, but V2 has forgotten which nonces it used: an old join-request could be replayed"
#define REMARK_HEARD \
    "V2 heard it between reading and writing: its downlink counter is one higher than it was read"
#define REMARK_REJOINED                                                                                      \
    "it joined its new network meanwhile: the session that V2 has back is an old one, so it must join once " \
    "more"
#define REMARK_JOINED "is back, but joined V2 once more meanwhile: it keeps the session that it got there"

// GetDevice shows the Handler's keys. The Network Server, which SetDevice writes first, may have lost the session although
// they are there: so a device whose session was taken along is set again, unless no SetDevice can have touched it.
enum restore_stage { RESTORE_BEGIN, RESTORE_LOOKED, RESTORE_SET, RESTORE_PROVED };

struct restore_state {
    Ttnv2__Device *recorded;
    struct ttnv2_parts parts;
    const struct device_progress *progress;  // at the target
    bool nonces;                             // the AppKey changes, so V2 forgets the nonces that were used
    bool untouched;                          // nothing can have been written since it was recorded
    bool kept;                               // the Handler shows the keys as they were recorded
    bool live;                               // V2 may have handled the device while SetDevice was on its way
    bool heard;           // V2 heard it between reading and writing, which wrote the older counters back
    bool done;            // SetDevice is known to have written the Network Server
    int64_t last_seen;    // of the device that the last SetDevice was made from
    uint32_t least;       // downlink counter that the next SetDevice has to write at least
    uint32_t f_cnt_down;  // that the last one wrote
    unsigned tries;
    enum error_code code;  // of what SetDevice answered
    const char *message;   // of that; in the job's arena
};

static enum job_step restore_look(struct ttnv2 *self, struct job *job, const struct source_record *record,
                                  enum restore_stage stage) {
    ttnv2_get_device_call(self, job, record->id);
    job->stage = stage;
    return JOB_CALLS;
}

// What the target sent or received since counts: a downlink counter that is used twice is refused by the device.
static void take_progress(const struct restore_state *state, Ttnv2__LoRaWANDevice *lorawan) {
    const struct device_progress *progress = state->progress;
    if (!progress->known || progress->rejoined || !state->parts.takes_session) return;
    if (progress->last_f_cnt_up > lorawan->f_cnt_up) lorawan->f_cnt_up = progress->last_f_cnt_up;
    if (progress->last_n_f_cnt_down > ttnv2_last_f_cnt_down(lorawan->f_cnt_down))
        lorawan->f_cnt_down = progress->last_n_f_cnt_down + 1;
}

// True if V2 heard the device after it was read, and may have used a downlink counter that was then written back. A session
// that V2 keeps need not be one that was there when it was read.
static bool may_repeat(const struct restore_state *state, const Ttnv2__LoRaWANDevice *now) {
    const Ttnv2__LoRaWANDevice *recorded = state->recorded->lorawan_device;
    if (state->parts.takes_session) return now->last_seen > recorded->last_seen;
    return ttnv2_parts(now, true).some_session && is_set_back(now, recorded->last_seen, recorded->f_cnt_down);
}

static void take_counters(struct restore_state *state, Ttnv2__LoRaWANDevice *lorawan,
                          const Ttnv2__LoRaWANDevice *now) {
    const Ttnv2__LoRaWANDevice *recorded = state->recorded->lorawan_device;
    bool heard = may_repeat(state, now);
    uint32_t up = recorded->f_cnt_up > now->f_cnt_up ? recorded->f_cnt_up : now->f_cnt_up;
    uint32_t down = recorded->f_cnt_down > now->f_cnt_down ? recorded->f_cnt_down : now->f_cnt_down;
    lorawan->f_cnt_up = up;
    lorawan->f_cnt_down = down;
    take_progress(state, lorawan);
    // The answer to what V2 heard may have used the next counter: better one is skipped than used twice.
    if (heard && state->tries == 0) lorawan->f_cnt_down++;
    if (lorawan->f_cnt_down < state->least) lorawan->f_cnt_down = state->least;
    state->least = lorawan->f_cnt_down;
    state->heard |= heard;
}

// The record goes back as a whole, but for counters that have moved on meanwhile. What the Handler still has as it was is
// sent back as it is.
static enum job_step restore_set(struct ttnv2 *self, struct job *job, Ttnv2__Device *now) {
    struct restore_state *state = job->state;
    Ttnv2__Device *device = state->kept ? now : state->recorded;
    Ttnv2__LoRaWANDevice *lorawan = device->lorawan_device;
    lorawan->app_id = device->app_id;
    lorawan->dev_id = device->dev_id;
    state->last_seen = now->lorawan_device->last_seen;
    state->live = !ttnv2_is_zero(now->lorawan_device->nwk_s_key);
    take_counters(state, lorawan, now->lorawan_device);
    state->f_cnt_down = lorawan->f_cnt_down;
    if (state->parts.join && !state->kept) state->nonces = true;
    if (!state->parts.takes_session) {
        // Absent means kept: a session that V2 still has, or got meanwhile, stays.
        lorawan->dev_addr = lorawan->nwk_s_key = lorawan->app_s_key = (ProtobufCBinaryData){0};
    }
    struct call *call = ttnv2_handler_call(self, job, "/handler.ApplicationManager/SetDevice", &device->base);
    call->changes = true;
    call->attempt = state->tries++;
    job->stage = RESTORE_SET;
    return JOB_CALLS;
}

// True if what is missing is what the run has cleared.
static bool is_taken(const struct source_record *record, const Ttnv2__Device *now, struct ttnv2_parts parts) {
    return parts_are_cleared(now->lorawan_device, parts) || is_half_cleared(record, now, parts);
}

// What has its keys in the Handler needs nothing.
static bool is_whole(const struct restore_state *state, const Ttnv2__Device *now) {
    return state->untouched || (!state->parts.takes_session && !may_repeat(state, now->lorawan_device));
}

static enum job_step restore_looked(struct ttnv2 *self, struct job *job, const struct source_record *record,
                                    const char **ret_remark, struct error *error) {
    struct restore_state *state = job->state;
    Ttnv2__Device *now = NULL;
    if (ttnv2_get_device_reply(self, job, record->id, &now, error) != 0) return JOB_FAILED;
    state->kept = keys_are_recorded(record, now, state->parts);
    if (state->kept && is_whole(state, now)) return JOB_DONE;
    if (state->kept) return restore_set(self, job, now);
    if (is_joined_anew(record, now, state->parts)) {
        *ret_remark = REMARK_JOINED;
        return JOB_DONE;
    }
    // An AppKey that was entered for a device that had none would be overwritten.
    bool new_key = !state->parts.join && !ttnv2_is_zero(now->lorawan_device->app_key);
    if (new_key || !is_taken(record, now, state->parts)) {
        error_set(error, ERROR_DEVICE,
                  "has other keys in V2 than those that were exported: it is left alone");
        return JOB_FAILED;
    }
    return restore_set(self, job, now);
}

// The Handler refuses a device with more or longer attributes than it takes only after the Network Server has been
// written.
static bool network_is_written(const struct reply *reply) {
    return reply->outcome == REPLY_ANSWERED && reply->grpc_status == GRPC_UNKNOWN && reply->message != NULL &&
           (strncmp(reply->message, "Attribute ", 10) == 0 ||
            strncmp(reply->message, "Maximum number of custom attributes", 35) == 0);
}

// What SetDevice answered is only told if it was not done; whether it was is what V2 shows.
static enum job_step restore_answered(struct ttnv2 *self, struct job *job,
                                      const struct source_record *record) {
    struct restore_state *state = job->state;
    const struct reply *reply = &job->replies[0];
    ERROR_AUTO error = {0};
    error_set(&error, ERROR_REFUSED, "V2 did not take its keys back");
    if (!reply_ok(reply, CALL_GRPC)) ttnv2_handler_failed(self, &job->calls[0], reply, &error);
    state->code = error.code;
    state->message = arena_strdup(job->arena, error.message);
    state->done = reply_ok(reply, CALL_GRPC) || network_is_written(reply);
    return restore_look(self, job, record, RESTORE_PROVED);
}

// What is not as it was; NULL = nothing.
static const char *restore_remark(const struct restore_state *state) {
    if (state->progress->known && state->progress->rejoined) return "is back, but " REMARK_REJOINED;
    if (state->nonces) return state->heard ? REMARK_NONCES "; and " REMARK_HEARD : REMARK_NONCES;
    return state->heard ? "is back, but " REMARK_HEARD : NULL;
}

static enum job_step restore_proved(struct ttnv2 *self, struct job *job, const struct source_record *record,
                                    const char **ret_remark, struct error *error) {
    struct restore_state *state = job->state;
    Ttnv2__Device *now = NULL;
    if (ttnv2_get_device_reply(self, job, record->id, &now, error) != 0) return JOB_FAILED;
    bool recorded = keys_are_recorded(record, now, state->parts);
    bool more = state->tries < SOURCE_TRIES;
    // A device that waited for V2 joins as soon as V2 has its AppKey.
    if (!recorded && is_joined_anew(record, now, state->parts)) {
        *ret_remark = REMARK_JOINED;
        return JOB_DONE;
    }
    // Keys that were there before prove nothing.
    if (!recorded || (state->kept && !state->done)) {
        bool again = call_may_pass(state->code) && more;
        bool same = state->kept ? recorded : is_taken(record, now, state->parts);
        if (again && same) return restore_set(self, job, now);
        error_set(error, state->code, "%s", state->message);
        return JOB_FAILED;
    }
    if (state->live && more && is_set_back(now->lorawan_device, state->last_seen, state->f_cnt_down)) {
        state->least = state->f_cnt_down + 1;
        state->heard = state->kept = true;
        return restore_set(self, job, now);
    }
    *ret_remark = restore_remark(state);
    return JOB_DONE;
}

enum job_step ttnv2_restore(struct source *source, struct job *job, const struct source_record *record,
                            struct source_restoration *restoration, struct error *error) {
    struct ttnv2 *self = ttnv2_of(source);
    const struct reply *reply = &job->replies[0];
    if (job->stage == RESTORE_BEGIN) {
        if (ttnv2_token_due(self)) return JOB_LOGIN;
        struct restore_state *state = arena_new(job->arena, struct restore_state);
        job->state = state;
        state->progress = &restoration->progress;
        state->untouched = restoration->untouched;
        if (record_parts(self, record, job->arena, &state->recorded, &state->parts, error) != 0)
            return JOB_FAILED;
        return restore_look(self, job, record, RESTORE_LOOKED);
    }
    if (reply->outcome == REPLY_DRY) {
        restoration->remark = restore_remark(job->state);
        return JOB_DONE;
    }
    if (job->stage == RESTORE_SET) return restore_answered(self, job, record);
    if (!reply_ok(reply, CALL_GRPC)) return ttnv2_handler_failed(self, &job->calls[0], reply, error);
    if (job->stage == RESTORE_LOOKED) return restore_looked(self, job, record, &restoration->remark, error);
    return restore_proved(self, job, record, &restoration->remark, error);
}

// ---- confirming

// The record with the session that V2 has of a device: what was cleared is as it was read. Clearing wrote the counters that
// were read over those of the session: which uplink was the last is known only if V2 has heard one since, and how many
// downlinks it had sent before is not.
static void set_joined(struct job *job, const Ttnv2__Device *before, Ttnv2__Device *now,
                       struct source_confirmation *confirmation) {
    Ttnv2__LoRaWANDevice *lorawan = now->lorawan_device;
    lorawan->app_key = before->lorawan_device->app_key;
    if (lorawan->f_cnt_up == before->lorawan_device->f_cnt_up) lorawan->f_cnt_up = 0;
    lorawan->f_cnt_down = source_skip_unseen(lorawan->f_cnt_down);
    confirmation->joined_size = protobuf_c_message_get_packed_size(&now->base);
    uint8_t *joined = arena_alloc(job->arena, 1, confirmation->joined_size);
    protobuf_c_message_pack(&now->base, joined);
    confirmation->joined = joined;
}

// Only who asked V2 for it has all of `now`; a list's entry tells no counters.
static void confirm_now(const struct ttnv2 *self, struct job *job, const Ttnv2__Device *before,
                        Ttnv2__Device *now, struct ttnv2_parts parts,
                        struct source_confirmation *confirmation) {
    const Ttnv2__LoRaWANDevice *lorawan = now->lorawan_device;
    confirmation->proof = SOURCE_RELEASED;
    if (!parts_are_cleared(lorawan, parts)) {
        confirmation->proof = SOURCE_HELD;
        confirmation->remark =
            "was cleared, but has keys in V2 again: somebody else writes to this application";
        return;
    }
    if (self->base.joins && parts.join && !parts.takes_session && ttnv2_parts(lorawan, true).session) {
        confirmation->proof = SOURCE_JOINED;
        confirmation->remark = "joined V2 between reading and clearing, and has that session there still";
        if (job->stage > 0) set_joined(job, before, now, confirmation);
        return;
    }
    if (!parts.takes_session || lorawan->last_seen <= before->lorawan_device->last_seen) return;
    confirmation->proof = SOURCE_MOVED_ON;
    // A resumed run may have read the counters anew to clear the device: then these are in V2.
    uint32_t next = before->lorawan_device->f_cnt_down;
    if (lorawan->f_cnt_down > next) next = lorawan->f_cnt_down;
    confirmation->last_n_f_cnt_down = ttnv2_last_f_cnt_down(next) + 1;
    confirmation->remark = arena_printf(
        job->arena,
        "was heard by V2 between reading and clearing: set session.last_n_f_cnt_down to %" PRIu32
        " in its line before it is imported%s",
        confirmation->last_n_f_cnt_down, parts.join ? "; if it joined V2 then, it has to join again" : "");
}

enum job_step ttnv2_confirm(struct source *source, struct job *job, const struct source_record *record,
                            const struct source_record *now, struct source_confirmation *ret_confirmation,
                            struct error *error) {
    struct ttnv2 *self = ttnv2_of(source);
    Ttnv2__Device *before = NULL;
    Ttnv2__Device *after = NULL;
    struct ttnv2_parts parts = {0};
    if (record_parts(self, record, job->arena, &before, &parts, error) != 0) return JOB_FAILED;
    if (now != NULL) {
        if (ttnv2_device_read(now->data, now->size, job->arena, &after, error) != 0) return JOB_FAILED;
    } else if (job->stage == 0) {
        if (ttnv2_token_due(self)) return JOB_LOGIN;
        ttnv2_get_device_call(self, job, record->id);
        job->stage = 1;
        return JOB_CALLS;
    } else {
        const struct reply *reply = &job->replies[0];
        if (!reply_ok(reply, CALL_GRPC)) return ttnv2_handler_failed(self, &job->calls[0], reply, error);
        if (ttnv2_get_device_reply(self, job, record->id, &after, error) != 0) return JOB_FAILED;
    }
    confirm_now(self, job, before, after, parts, ret_confirmation);
    return JOB_DONE;
}
