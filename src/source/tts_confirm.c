// SPDX-License-Identifier: Apache-2.0
// Looking at a released device once more: is it still released, and was it answered between reading and releasing?
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "source/tts_p.h"

// ---- what releases saw

static uint64_t hash_of(const char *id) {
    uint64_t hash = hash_bytes(HASH_START, id, strlen(id));
    return hash == 0 ? 1 : hash;
}

// The place of a key, or a free one.
static struct tts_sighting *place_of(const struct tts_sightings *sightings, uint64_t key) {
    size_t i = (size_t)key & (sightings->capacity - 1);
    while (sightings->places[i].key != 0 && sightings->places[i].key != key)
        i = (i + 1) & (sightings->capacity - 1);
    return &sightings->places[i];
}

static void grow(struct tts_sightings *sightings) {
    struct tts_sightings larger = {.count = sightings->count};
    larger.capacity = sightings->capacity == 0 ? 64 : sightings->capacity * 2;
    larger.places = memory_new_array(struct tts_sighting, larger.capacity);
    for (size_t i = 0; i < sightings->capacity; i++) {
        if (sightings->places[i].key != 0)
            *place_of(&larger, sightings->places[i].key) = sightings->places[i];
    }
    free(sightings->places);
    *sightings = larger;
}

void tts_source_sightings_add(struct tts_sightings *sightings, const char *id,
                              const struct tts_sighting *seen) {
    if (sightings->count * 2 >= sightings->capacity) grow(sightings);
    struct tts_sighting *place = place_of(sightings, hash_of(id));
    if (place->key == 0) sightings->count++;
    *place = *seen;
    place->key = hash_of(id);
}

const struct tts_sighting *tts_source_sightings_find(const struct tts_sightings *sightings, const char *id) {
    if (sightings->capacity == 0) return NULL;
    const struct tts_sighting *place = place_of(sightings, hash_of(id));
    return place->key == 0 ? NULL : place;
}

void tts_source_sightings_release(struct tts_sightings *sightings) {
    free(sightings->places);
    *sightings = (struct tts_sightings){0};
}

// A join that was accepted after reading leaves a pending session until the device is heard with it.
static bool has_joined(const Tts__EndDevice *before, const Tts__EndDevice *now) {
    const Tts__Session *session = before == NULL ? NULL : before->session;
    const Tts__Session *pending = before == NULL ? NULL : before->pending_session;
    if (now->session != NULL && !tts_source_same_session(session, now->session)) return true;
    return now->pending_session != NULL && !tts_source_same_session(pending, now->pending_session) &&
           !tts_source_same_session(session, now->pending_session);
}

struct tts_sighting tts_source_sighting(const Tts__EndDevice *before, const struct tts_parts *now) {
    const Tts__EndDevice *network = now->at[STACK_NETWORK];
    return (struct tts_sighting){
        .last_n_f_cnt_down = tts_source_last_n_f_cnt_down(network),
        .last_a_f_cnt_down = tts_source_last_a_f_cnt_down(now),
        .rejoined = has_joined(before, network),
    };
}

// ---- judging

struct confirm_state {
    struct tts_parts recorded;
    struct tts_look look;
};

static void moved_on(struct source_confirmation *confirmation, const char *remark) {
    confirmation->proof = SOURCE_MOVED_ON;
    confirmation->remark = remark;
}

// Compares what was last seen (NULL = that is not known) with what goes with the device.
static void judge_session(const struct tts_source *self, struct job *job, const struct tts_parts *recorded,
                          const struct tts_sighting *seen, struct source_confirmation *confirmation) {
    const Tts__EndDevice *network = recorded->at[STACK_NETWORK];
    bool joins = network != NULL && network->supports_join;
    bool takes = tts_source_takes_session(self, recorded);
    if (seen != NULL && seen->rejoined && joins && !self->no_session) {
        moved_on(confirmation,
                 "joined between reading and releasing: the session that goes with it is over, so it has "
                 "to join once more at its new network");
        return;
    }
    // An earlier process deleted it.
    if (seen == NULL && joins && !takes && !self->no_session) {
        moved_on(confirmation,
                 "it is not known whether it joined between reading and releasing: if it did, it has to join "
                 "again at its new network");
    }
    if (!takes) return;
    confirmation->unseen = seen == NULL;
    uint32_t last = tts_source_last_n_f_cnt_down(network);
    uint32_t last_a = tts_source_last_a_f_cnt_down(recorded);
    bool answered = seen != NULL && seen->last_n_f_cnt_down > last;
    bool answered_a = seen != NULL && seen->last_a_f_cnt_down > last_a;
    if (seen != NULL && !answered && !answered_a) return;
    uint32_t next = seen == NULL ? source_skip_unseen(last) : answered ? seen->last_n_f_cnt_down : last;
    const char *also = "";
    if (answered_a) {
        also =
            arena_printf(job->arena, " and session.last_a_f_cnt_down to %" PRIu32, seen->last_a_f_cnt_down);
    }
    confirmation->last_n_f_cnt_down = next == last ? 0 : next;
    moved_on(
        confirmation,
        arena_printf(job->arena,
                     "%s: set session.last_n_f_cnt_down to %" PRIu32 "%s in its line before it is imported",
                     seen == NULL ? "it is not known whether it was answered between reading and releasing"
                                  : "was answered between reading and releasing",
                     next, also));
}

static void judge_silenced(const struct tts_source *self, struct job *job, const struct confirm_state *state,
                           struct source_confirmation *confirmation) {
    const Tts__EndDevice *before = state->recorded.at[STACK_NETWORK];
    const Tts__EndDevice *now = state->look.parts.at[STACK_NETWORK];
    // Gone, or another device by now: the one that was read is not handled any more.
    if (now == NULL || before == NULL || !tts_source_same_euis(before->ids, now->ids)) return;
    if (!tts_source_is_silenced(now)) {
        confirmation->proof = SOURCE_HELD;
        confirmation->remark =
            "was silenced, but its old network answers it again: somebody else writes to this "
            "application";
        return;
    }
    struct tts_sighting seen = tts_source_sighting(before, &state->look.parts);
    judge_session(self, job, &state->recorded, &seen, confirmation);
}

static void judge_deleted(const struct tts_source *self, struct job *job, const struct source_record *record,
                          const struct confirm_state *state, struct source_confirmation *confirmation) {
    for (enum stack_role server = 0; server < STACK_ROLES; server++) {
        const Tts__EndDevice *before = state->recorded.at[server];
        const Tts__EndDevice *now = state->look.parts.at[server];
        if (before == NULL || now == NULL || !tts_source_same_euis(before->ids, now->ids)) continue;
        confirmation->proof = SOURCE_HELD;
        confirmation->remark =
            arena_printf(job->arena,
                         "was taken away, but is at the %s again: somebody else writes to this "
                         "application",
                         stack_title(server));
        return;
    }
    judge_session(self, job, &state->recorded, tts_source_sightings_find(&self->sightings, record->id),
                  confirmation);
}

static unsigned asked(const struct tts_source *self) {
    if (self->release == TTS_SILENCE) return 1U << STACK_NETWORK | 1U << STACK_APPLICATION;
    return self->release == TTS_DELETE ? TTS_ALL_SERVERS : TTS_ALL_SERVERS & ~(1U << STACK_IDENTITY);
}

enum job_step tts_source_confirm(struct source *source, struct job *job, const struct source_record *record,
                                 const struct source_record *now,
                                 struct source_confirmation *ret_confirmation, struct error *error) {
    (void)now;  // a list tells nothing of the Network Server
    struct tts_source *self = tts_source_of(source);
    struct confirm_state *state = job->state;
    ret_confirmation->proof = SOURCE_RELEASED;
    if (job->stage == 0) {
        state = arena_new(job->arena, struct confirm_state);
        job->state = state;
        if (tts_source_record_read(record, job->arena, &state->recorded, error) != 0) return JOB_FAILED;
        bool nothing = self->release == TTS_SILENCE && state->recorded.at[STACK_NETWORK] == NULL;
        if (self->release == TTS_NONE || nothing) return JOB_DONE;
        job->stage = 1;
        return tts_source_look_begin(self, job, &state->look, record->id,
                                     tts_source_parts_ids(&state->recorded), asked(self));
    }
    enum job_step step = tts_source_look_replies(self, job, &state->look, error);
    if (step != JOB_DONE) return step;
    if (self->release == TTS_SILENCE) {
        judge_silenced(self, job, state, ret_confirmation);
    } else {
        judge_deleted(self, job, record, state, ret_confirmation);
    }
    return JOB_DONE;
}
