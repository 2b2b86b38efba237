// SPDX-License-Identifier: Apache-2.0
// Taking a device away from the target again. What is there is read first: only what is this very device is taken, and
// what was there before the run is put back.
#include <string.h>

#include "device/message.h"
#include "target/tts_p.h"

enum remove_stage { REMOVE_BEGIN, REMOVE_FOUND, REMOVE_PARTS, REMOVE_IDENTITY };

struct remove_state {
    unsigned tries;
    size_t calls;                   // of the present step
    bool reserved;                  // no more was begun
    const Tts__EndDevices *before;  // an entry a server; NULL = there was nothing
    struct tts_found found;
};

static const enum tts_place parts[] = {TTS_APPLICATION, TTS_NETWORK, TTS_JOIN};
enum { PART_COUNT = sizeof parts / sizeof *parts };

static enum job_step find(struct tts *self, struct job *job, const Tts__EndDevice *device) {
    tts_find_calls(self, job, device);
    job->stage = REMOVE_FOUND;
    return JOB_CALLS;
}

// What a server had before the run; NULL = nothing.
static const Tts__EndDevice *before_at(const struct remove_state *state, enum tts_place place) {
    const Tts__EndDevice *before = state->before == NULL ? NULL : state->before->end_devices[place];
    return before == NULL || before->ids == NULL ? NULL : before;
}

// True if what is there was made by somebody else after the run had looked.
static bool is_anothers(const struct tts *self, const struct remove_state *state, struct job *job,
                        const Tts__EndDevice *device) {
    if (state->before != NULL || state->found.device == NULL) return false;
    struct tts_comparison comparison;
    tts_compare(device, &state->found, self->plain_masks, job->arena, &comparison);
    return comparison.strange || (state->reserved && !comparison.bare);
}

// Of one that has got its keys from this run somebody has to say which of the two it is.
static enum job_step leave(struct tts *self, struct job *job, const Tts__EndDevice *device,
                           struct error *error) {
    const struct remove_state *state = job->state;
    if (state->reserved) {
        tts_reserved_drop(self, device);
        return JOB_DONE;
    }
    error_set(error, ERROR_DEVICE,
              "has other keys at the target than those that it was given: it is left alone");
    error_hint(error, "if it is this device all the same, delete it at the target, and roll back again");
    return JOB_FAILED;
}

// What a server has of this device; NULL = nothing, or another one's.
static const Tts__EndDevice *now_at(const struct remove_state *state, enum tts_place place,
                                    const Tts__EndDevice *device) {
    const Tts__EndDevice *now = state->found.at[place];
    return now == NULL || !tts_same_euis(now, device) ? NULL : now;
}

static bool kind_differs(const Tts__EndDevice *a, const Tts__EndDevice *b) {
    return !a->supports_join != !b->supports_join || !a->multicast != !b->multicast;
}

// True if a part has to be deleted before it can be as it was: the Network Server keeps a device's kind, and the
// Application Server forgets no session.
static bool begins_anew(const struct remove_state *state, enum tts_place place,
                        const Tts__EndDevice *device) {
    const Tts__EndDevice *before = before_at(state, place);
    const Tts__EndDevice *now = now_at(state, place, device);
    if (before == NULL || now == NULL) return false;
    if (place == TTS_NETWORK) return kind_differs(before, now);
    return place == TTS_APPLICATION && before->session == NULL && now->session != NULL;
}

// Puts one server's part back. Its counters may have moved on with the same session: then those count.
static void restore_part(struct tts *self, struct job *job, enum tts_place place,
                         const Tts__EndDevice *before, const Tts__EndDevice *now) {
    const struct remove_state *state = job->state;
    const Tts__EndDevice *kept = now == NULL ? before : tts_keep_counters(before, now, job->arena);
    const Tts__EndDevice *part = tts_part(kept, place, job->arena);
    if (now != NULL && tts_part_is_there(part, now, place, job->arena)) return;
    const Tts__EndDevice *known = now == NULL ? NULL : tts_part_before(now, place, job->arena);
    if (place == TTS_IDENTITY && now == NULL) {
        tts_create_call(self, job, before, state->tries);
    } else {
        tts_set_call(self, job, place, part, known, state->tries);
    }
}

static enum job_step sent(struct job *job, enum remove_stage stage) {
    struct remove_state *state = job->state;
    state->calls = job->call_count;
    job->stage = (int)stage;
    return job->call_count > 0 ? JOB_CALLS : JOB_DONE;
}

static enum job_step remove_identity(struct tts *self, struct job *job, const Tts__EndDevice *device) {
    struct remove_state *state = job->state;
    const Tts__EndDevice *before = before_at(state, TTS_IDENTITY);
    const Tts__EndDevice *now = now_at(state, TTS_IDENTITY, device);
    if (before != NULL) {
        restore_part(self, job, TTS_IDENTITY, before, now);
    } else if (now != NULL) {
        tts_delete_call(self, job, TTS_IDENTITY, device, state->tries);
    }
    enum job_step step = sent(job, REMOVE_IDENTITY);
    if (step == JOB_DONE) tts_reserved_drop(self, device);
    return step;
}

// The servers that handle the device come first: when the Identity Server forgets it, nothing is left anywhere.
static enum job_step remove_parts(struct tts *self, struct job *job, const Tts__EndDevice *device) {
    const struct remove_state *state = job->state;
    for (size_t i = 0; i < PART_COUNT; i++) {
        const Tts__EndDevice *before = before_at(state, parts[i]);
        const Tts__EndDevice *now = now_at(state, parts[i], device);
        if (before != NULL && !begins_anew(state, parts[i], device)) {
            restore_part(self, job, parts[i], before, now);
        } else if (now != NULL) {
            tts_delete_call(self, job, parts[i], device, state->tries);
        }
    }
    enum job_step step = sent(job, REMOVE_PARTS);
    return step == JOB_DONE ? remove_identity(self, job, device) : step;
}

static enum job_step remove_answered(struct tts *self, struct job *job, const Tts__EndDevice *device,
                                     struct error *error) {
    struct remove_state *state = job->state;
    for (size_t i = 0; i < state->calls; i++) {
        const struct reply *reply = &job->replies[i];
        if (reply_ok(reply, CALL_GRPC) || stack_is_absent(reply)) continue;
        if (!tts_is_passing(reply) || ++state->tries >= TTS_TRIES)
            return tts_failed(self, &job->calls[i], reply, error);
        return find(self, job, device);
    }
    if (job->stage == REMOVE_IDENTITY) {
        tts_reserved_drop(self, device);
        return JOB_DONE;
    }
    for (size_t i = 0; i < PART_COUNT; i++) {
        if (begins_anew(state, parts[i], device)) return find(self, job, device);
    }
    return remove_identity(self, job, device);
}

static int begin(struct job *job, const struct target_removal *removal, struct error *error) {
    struct remove_state *state = arena_new(job->arena, struct remove_state);
    job->state = state;
    state->reserved = removal->reserved;
    if (removal->before == NULL) return 0;
    state->before = message_unpack(&tts__end_devices__descriptor, removal->before, removal->before_size,
                                   job->arena, error);
    if (state->before != NULL && state->before->n_end_devices == TTS_PLACES) return 0;
    return error_set(error, ERROR_INPUT, "what was kept of the device that was there cannot be read");
}

enum job_step tts_remove(struct target *target, struct job *job, const struct device *device,
                         const struct target_removal *removal, struct error *error) {
    struct tts *self = tts_of(target);
    const Tts__EndDevice *end_device = device->end_device;
    struct remove_state *state = job->state;
    switch (job->stage) {
        case REMOVE_BEGIN:
            if (begin(job, removal, error) != 0) return JOB_FAILED;
            return find(self, job, end_device);
        case REMOVE_FOUND:
            if (tts_find_again(self, job)) return find(self, job, end_device);
            if (tts_find_replies(self, job, 0, end_device, &state->found, error) != 0) return JOB_FAILED;
            if (state->found.failed != NULL)
                return tts_failed(self, state->found.failed_call, state->found.failed, error);
            if (is_anothers(self, state, job, end_device)) return leave(self, job, end_device, error);
            return remove_parts(self, job, end_device);
        default:
            if (job->replies[0].outcome == REPLY_DRY) return JOB_DONE;
            return remove_answered(self, job, end_device, error);
    }
}
