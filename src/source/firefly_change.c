// SPDX-License-Identifier: Apache-2.0
// What changes devices of Firefly: their keys are made useless there, and given back.
//
// Firefly has no way to let go of a device that could be taken back, so the last byte of each key is counted up by one, as
// the older tool does. What a key is in Firefly tells what happened: the recorded one, that plus one, or somebody else's.
#include <string.h>

#include "base/hex.h"
#include "base/memory.h"
#include "source/firefly_p.h"

// What the keys in Firefly are, compared with the record.
enum keys_state { KEYS_RECORDED, KEYS_INVALID, KEYS_BOTH, KEYS_OTHER };

struct change {
    json_t *recorded;  // lives as long as the function that filled it
    uint8_t eui[EUI64_BYTES];
};

// What lasts over the calls of a job.
struct change_state {
    unsigned tries;
    enum error_code code;  // of what PUT answered
    const char *message;   // of that; in the job's arena
    bool counted;          // a downlink counter was sent along
};

static void change_release(struct change *change) {
    json_decref(change->recorded);
}

#define CHANGE_AUTO __attribute__((cleanup(change_release))) struct change

static int change_read(const struct source_record *record, struct change *change, struct error *error) {
    json_t *fcnt = NULL;
    int result = firefly_record_eui(record, change->eui, error);
    if (result == 0) result = firefly_record_read(record, &change->recorded, &fcnt, error);
    json_decref(fcnt);
    return result;
}

static enum keys_state compare_keys(const json_t *recorded, const json_t *now) {
    unsigned same = 0, invalid = 0;
    for (size_t i = 0; i < FIREFLY_KEYS; i++) {
        uint8_t before[KEY128_BYTES] = {0}, after[KEY128_BYTES] = {0};
        bool there = false, still = false;
        const char *reason = firefly_key(recorded, i, before, &there);
        if (!there) continue;
        if (reason == NULL) reason = firefly_key(now, i, after, &still);
        bool equal = reason == NULL && still && memcmp(before, after, sizeof before) == 0;
        before[KEY128_BYTES - 1]++;
        bool counted = reason == NULL && still && memcmp(before, after, sizeof before) == 0;
        memory_wipe(before, sizeof before);
        memory_wipe(after, sizeof after);
        if (!equal && !counted) return KEYS_OTHER;
        if (equal) same++;
        if (counted) invalid++;
    }
    if (same > 0 && invalid > 0) return KEYS_BOTH;
    return same > 0 ? KEYS_RECORDED : KEYS_INVALID;
}

// The keys of the record, each counted up by `step`, and a downlink counter if `counter` is not 0.
static const char *change_body(const struct change *change, struct job *job, uint8_t step, uint32_t counter) {
    REST_JSON_AUTO *device = json_object();
    for (size_t i = 0; i < FIREFLY_KEYS; i++) {
        uint8_t key[KEY128_BYTES];
        char text[HEX_TEXT_SIZE(KEY128_BYTES)];
        bool there = false;
        if (firefly_key(change->recorded, i, key, &there) != NULL || !there) continue;
        key[KEY128_BYTES - 1] = (uint8_t)(key[KEY128_BYTES - 1] + step);
        hex_encode_upper(text, key, sizeof key);
        json_object_set_new(device, firefly_key_names[i], json_string(text));
        memory_wipe(key, sizeof key);
        memory_wipe(text, sizeof text);
    }
    if (counter > 0) json_object_set_new(device, "frame_counter", json_integer(counter));
    REST_JSON_AUTO *whole = json_object();
    json_object_set(whole, "device", device);
    char *text = json_dumps(whole, JSON_COMPACT);
    const char *body = arena_strdup(job->arena, text != NULL ? text : "{}");
    memory_free_secret(text);
    return body;
}

static enum job_step put(const struct firefly *self, struct job *job, const struct change *change,
                         uint8_t step, uint32_t counter, int stage) {
    struct change_state *state = job->state;
    char eui[HEX_TEXT_SIZE(EUI64_BYTES)];
    hex_encode_upper(eui, change->eui, EUI64_BYTES);
    const char *path = arena_printf(job->arena, "devices/eui/%s", eui);
    struct call *call = firefly_call(self, job, "PUT", path, change_body(change, job, step, counter));
    call->changes = true;
    call->attempt = state->tries++;
    job->stage = stage;
    return JOB_CALLS;
}

static enum job_step look(const struct firefly *self, struct job *job, const struct change *change,
                          int stage) {
    firefly_get_call(self, job, change->eui);
    job->stage = stage;
    return JOB_CALLS;
}

static bool may_try_again(const struct change_state *state) {
    return call_may_pass(state->code) && state->tries < SOURCE_TRIES;
}

static void keep_answer(struct job *job, const char *otherwise) {
    struct change_state *state = job->state;
    ERROR_AUTO error = {0};
    error_set(&error, ERROR_REFUSED, "%s", otherwise);
    if (!reply_ok(&job->replies[0], CALL_HTTP)) firefly_failed(&job->calls[0], &job->replies[0], &error);
    state->code = error.code;
    bool denied = error.code == ERROR_DENIED;
    state->message =
        arena_printf(job->arena, "%s%s", denied ? "the API key may not change devices: " : "", error.message);
}

static enum job_step other_keys(struct error *error) {
    error_set(error, ERROR_DEVICE,
              "has other keys in Firefly than those that were exported: it is left alone");
    return JOB_FAILED;
}

static enum job_step tell_answer(const struct change_state *state, struct error *error) {
    error_set(error, state->code, "%s", state->message);
    return JOB_FAILED;
}

// ---- releasing

enum release_stage { RELEASE_BEGIN, RELEASE_PUT, RELEASE_LOOK };

static enum job_step release_looked(const struct firefly *self, struct job *job, const struct change *change,
                                    struct error *error) {
    struct change_state *state = job->state;
    REST_JSON_AUTO *now = NULL;
    if (firefly_get_reply(self, job, 0, change->eui, &now, error) != 0) {
        error_wrap(error, ERROR_NONE, "%s; and then", state->message);
        return JOB_FAILED;
    }
    enum keys_state keys = compare_keys(change->recorded, now);
    if (keys == KEYS_INVALID) return JOB_DONE;
    if (keys == KEYS_OTHER) return other_keys(error);
    if (may_try_again(state)) return put(self, job, change, 1, 0, RELEASE_PUT);
    return tell_answer(state, error);
}

enum job_step firefly_release(struct source *source, struct job *job, const struct source_record *record,
                              const struct device *device, struct error *error) {
    (void)device;
    const struct firefly *self = firefly_of(source);
    CHANGE_AUTO change = {0};
    if (change_read(record, &change, error) != 0) return JOB_FAILED;
    if (job->stage == RELEASE_LOOK) return release_looked(self, job, &change, error);
    if (job->stage == RELEASE_BEGIN) {
        struct change_state *state = arena_new(job->arena, struct change_state);
        state->code = ERROR_UNAVAILABLE;
        state->message = "it is not known what became of an earlier attempt";
        job->state = state;
        if (job->again) return look(self, job, &change, RELEASE_LOOK);
        return put(self, job, &change, 1, 0, RELEASE_PUT);
    }
    // Whatever else came proves nothing: so look. Even an OK may be that of something in between.
    keep_answer(job, "Firefly did not take the changed keys");
    return look(self, job, &change, RELEASE_LOOK);
}

// ---- restoring

enum restore_stage { RESTORE_BEGIN, RESTORE_LOOKED, RESTORE_PUT, RESTORE_PROVED };

// The downlink counter to send along: what the target used counts, and none is used twice. 0 = Firefly's is high enough.
static uint32_t restore_counter(const json_t *now, const struct device_progress *progress) {
    uint32_t there = 0;
    rest_number(now, "frame_counter", &there);
    if (!progress->known || progress->rejoined || progress->last_n_f_cnt_down == UINT32_MAX) return 0;
    uint32_t wanted = progress->last_n_f_cnt_down + 1;
    return progress->last_n_f_cnt_down > 0 && wanted > there ? wanted : 0;
}

static enum job_step restore_put(const struct firefly *self, struct job *job, const struct change *change,
                                 const json_t *now, const struct device_progress *progress) {
    struct change_state *state = job->state;
    uint32_t counter = restore_counter(now, progress);
    state->counted = counter > 0;
    return put(self, job, change, 0, counter, RESTORE_PUT);
}

#define REMARK_REJOINED                                                                                   \
    "is back, but it joined its new network meanwhile: the session that Firefly has back is an old one, " \
    "so it must join once more"

static bool joined_elsewhere(const struct source_restoration *restoration) {
    return restoration->progress.known && restoration->progress.rejoined;
}

static enum job_step restore_looked(const struct firefly *self, struct job *job, const struct change *change,
                                    struct source_restoration *restoration, struct error *error) {
    struct change_state *state = job->state;
    REST_JSON_AUTO *now = NULL;
    if (firefly_get_reply(self, job, 0, change->eui, &now, error) != 0) return JOB_FAILED;
    enum keys_state keys = compare_keys(change->recorded, now);
    if (keys == KEYS_OTHER) return other_keys(error);
    bool proved = job->stage == RESTORE_PROVED;
    if (keys != KEYS_RECORDED && (!proved || may_try_again(state)))
        return restore_put(self, job, change, now, &restoration->progress);
    if (keys != KEYS_RECORDED) return tell_answer(state, error);
    // Without a change of its own there is nothing to remark: it was never released, or is back already.
    if (!proved) return JOB_DONE;
    if (joined_elsewhere(restoration)) {
        restoration->remark = REMARK_REJOINED;
    } else if (state->counted && restore_counter(now, &restoration->progress) > 0) {
        restoration->remark =
            "is back, but Firefly did not take the downlink counter that its new network had reached: it "
            "takes "
            "no downlink until as many have been sent";
    }
    return JOB_DONE;
}

enum job_step firefly_restore(struct source *source, struct job *job, const struct source_record *record,
                              struct source_restoration *restoration, struct error *error) {
    const struct firefly *self = firefly_of(source);
    CHANGE_AUTO change = {0};
    if (change_read(record, &change, error) != 0) return JOB_FAILED;
    if (job->stage == RESTORE_BEGIN) {
        job->state = arena_new(job->arena, struct change_state);
        return look(self, job, &change, RESTORE_LOOKED);
    }
    if (job->replies[0].outcome == REPLY_DRY) {
        restoration->remark = joined_elsewhere(restoration) ? REMARK_REJOINED : NULL;
        return JOB_DONE;
    }
    if (job->stage != RESTORE_PUT) return restore_looked(self, job, &change, restoration, error);
    keep_answer(job, "Firefly did not take its keys back");
    return look(self, job, &change, RESTORE_PROVED);
}

// ---- rights

enum prove_stage { PROVE_BEGIN, PROVE_LOOKED, PROVE_PUT };

// Keys that were made useless are made so once more.
enum job_step firefly_prove(struct source *source, struct job *job, const struct source_record *record,
                            struct error *error) {
    const struct firefly *self = firefly_of(source);
    CHANGE_AUTO change = {0};
    if (change_read(record, &change, error) != 0) return JOB_FAILED;
    if (job->stage == PROVE_BEGIN) {
        job->state = arena_new(job->arena, struct change_state);
        return look(self, job, &change, PROVE_LOOKED);
    }
    if (job->stage == PROVE_LOOKED) {
        ERROR_AUTO ignored = {0};
        REST_JSON_AUTO *now = NULL;
        bool found = firefly_get_reply(self, job, 0, change.eui, &now, &ignored) == 0;
        if (!found || compare_keys(change.recorded, now) != KEYS_INVALID) return JOB_DONE;
        return put(self, job, &change, 1, 0, PROVE_PUT);
    }
    keep_answer(job, "Firefly did not take the changed keys");
    const struct change_state *state = job->state;
    return state->code == ERROR_DENIED ? tell_answer(state, error) : JOB_DONE;
}

// ---- confirming

static void confirm_now(const struct change *change, const json_t *now,
                        struct source_confirmation *confirmation) {
    uint32_t before = 0, after = 0;
    confirmation->proof = SOURCE_RELEASED;
    if (compare_keys(change->recorded, now) != KEYS_INVALID) {
        confirmation->proof = SOURCE_HELD;
        confirmation->remark =
            "had its keys changed, but has others in Firefly again: somebody else writes there, or it joined";
        return;
    }
    if (!firefly_has_session(change->recorded)) return;
    rest_number(change->recorded, "frame_counter", &before);
    if (!rest_number(now, "frame_counter", &after) || after <= before || after == UINT32_MAX) return;
    confirmation->proof = SOURCE_MOVED_ON;
    confirmation->last_n_f_cnt_down = after + 1;
    confirmation->remark =
        "was answered by Firefly between reading and changing its keys: set "
        "session.last_n_f_cnt_down one above Firefly's frame counter before it is imported";
}

enum job_step firefly_confirm(struct source *source, struct job *job, const struct source_record *record,
                              const struct source_record *now, struct source_confirmation *ret_confirmation,
                              struct error *error) {
    const struct firefly *self = firefly_of(source);
    CHANGE_AUTO change = {0};
    REST_JSON_AUTO *device = NULL;
    REST_JSON_AUTO *fcnt = NULL;
    if (change_read(record, &change, error) != 0) return JOB_FAILED;
    if (now != NULL) {
        if (firefly_record_read(now, &device, &fcnt, error) != 0) return JOB_FAILED;
    } else if (job->stage == 0) {
        return look(self, job, &change, 1);
    } else if (firefly_get_reply(self, job, 0, change.eui, &device, error) != 0) {
        return JOB_FAILED;
    }
    confirm_now(&change, device, ret_confirmation);
    return JOB_DONE;
}
