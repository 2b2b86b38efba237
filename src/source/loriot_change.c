// SPDX-License-Identifier: Apache-2.0
// What changes devices of LORIOT: they are deleted there, and made again of their records.
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "source/loriot_p.h"

// What lasts over the calls of a job.
struct change {
    const char *application;
    struct eui64 eui;
    unsigned tries;
    enum error_code code;  // of what the last change was answered with
    const char *message;   // of that; in the job's arena
};

static struct change *change_begin(struct job *job, const struct source_record *record, struct error *error) {
    struct change *change = arena_new(job->arena, struct change);
    REST_JSON_AUTO *device = NULL;
    job->state = change;
    change->code = ERROR_UNAVAILABLE;
    change->message = "it is not known what became of an earlier attempt";
    if (loriot_record_eui(record, &change->eui, error) != 0) return NULL;
    int result = loriot_record_read(record, job->arena, &change->application, &device, error);
    return result == 0 ? change : NULL;
}

// The device as it was read: a new reference.
static json_t *recorded_device(const struct job *job, const struct source_record *record,
                               struct error *error) {
    json_t *device = NULL;
    const char *application = NULL;
    int result = loriot_record_read(record, job->arena, &application, &device, error);
    return result == 0 ? device : NULL;
}

static enum job_step look(const struct loriot *self, struct job *job, int stage) {
    const struct change *change = job->state;
    loriot_get_call(self, job, change->application, &change->eui);
    job->stage = stage;
    return JOB_CALLS;
}

static bool may_try_again(const struct change *change) {
    return call_may_pass(change->code) && change->tries < SOURCE_TRIES;
}

static void keep_answer(struct job *job, const char *otherwise) {
    struct change *change = job->state;
    ERROR_AUTO error = {0};
    error_set(&error, ERROR_REFUSED, "%s", otherwise);
    if (!reply_ok(&job->replies[0], CALL_HTTP)) loriot_failed(&job->calls[0], &job->replies[0], &error);
    change->code = error.code;
    bool denied = error.code == ERROR_DENIED;
    change->message =
        arena_printf(job->arena, "%s%s", denied ? "the API key may not change devices: " : "", error.message);
}

static enum job_step tell_answer(const struct change *change, struct error *error) {
    error_set(error, change->code, "%s", change->message);
    return JOB_FAILED;
}

static enum job_step other_keys(struct error *error) {
    error_set(error, ERROR_DEVICE,
              "has other keys in LORIOT than those that were exported: it is left alone");
    return JOB_FAILED;
}

// ---- comparing

static bool same_key(const json_t *a, const json_t *b, enum loriot_key key) {
    struct key128 left = {0}, right = {0};
    bool there = false, still = false;
    bool fine = loriot_key(a, key, &left, &there) == NULL && loriot_key(b, key, &right, &still) == NULL;
    bool same = fine && there == still && (!there || key128_equal(&left, &right));
    key128_wipe(&left);
    key128_wipe(&right);
    return same;
}

static bool same_session(const json_t *a, const json_t *b) {
    const char *before = rest_text(a, "devaddr"), *after = rest_text(b, "devaddr");
    if (before == NULL || after == NULL || strcasecmp(before, after) != 0) return false;
    return same_key(a, b, LORIOT_NWK_S_KEY) && same_key(a, b, LORIOT_APP_S_KEY);
}

// Another session of a device that joins tells only that it joined meanwhile.
static bool same_device(const json_t *recorded, const json_t *now) {
    if (loriot_joins(recorded)) return same_key(recorded, now, LORIOT_APP_KEY);
    return same_session(recorded, now);
}

// ---- releasing

enum release_stage { RELEASE_BEGIN, RELEASE_DELETED, RELEASE_LOOKED };

static enum job_step release_delete(const struct loriot *self, struct job *job) {
    struct change *change = job->state;
    char eui[EUI64_TEXT_SIZE];
    const char *path =
        arena_printf(job->arena, "app/%s/device/%s", change->application, eui64_format(&change->eui, eui));
    struct call *call = loriot_call(self, job, "DELETE", path, NULL);
    call->changes = true;
    call->attempt = change->tries++;
    job->stage = RELEASE_DELETED;
    return JOB_CALLS;
}

static enum job_step release_looked(const struct loriot *self, struct job *job,
                                    const struct source_record *record, struct error *error) {
    const struct change *change = job->state;
    if (loriot_not_found(&job->replies[0])) return JOB_DONE;
    REST_JSON_AUTO *now = NULL;
    if (loriot_get_reply(self, job, 0, &change->eui, &now, error) != 0) {
        error_wrap(error, ERROR_NONE, "%s; and then", change->message);
        return JOB_FAILED;
    }
    REST_JSON_AUTO *recorded = recorded_device(job, record, error);
    if (recorded == NULL) return JOB_FAILED;
    if (!same_device(recorded, now)) return other_keys(error);
    return may_try_again(change) ? release_delete(self, job) : tell_answer(change, error);
}

enum job_step loriot_release(struct source *source, struct job *job, const struct source_record *record,
                             const struct device *device, struct error *error) {
    (void)device;
    const struct loriot *self = loriot_of(source);
    if (self->release == LORIOT_KEEP) return JOB_DONE;
    if (job->stage == RELEASE_BEGIN) {
        if (change_begin(job, record, error) == NULL) return JOB_FAILED;
        return job->again ? look(self, job, RELEASE_LOOKED) : release_delete(self, job);
    }
    if (job->stage == RELEASE_LOOKED) return release_looked(self, job, record, error);
    const struct reply *reply = &job->replies[0];
    bool answered = reply->outcome == REPLY_ANSWERED;
    if (answered && (reply->http_status == HTTP_OK || reply->http_status == HTTP_NO_CONTENT)) return JOB_DONE;
    // Whatever else came proves nothing.
    keep_answer(job, "LORIOT did not delete the device");
    return look(self, job, RELEASE_LOOKED);
}

// ---- restoring

enum restore_stage { RESTORE_BEGIN, RESTORE_LOOKED, RESTORE_CREATED };

static uint32_t after(uint32_t last) {
    return last < UINT32_MAX ? last + 1 : last;
}

// The downlink counter that is used next: behind what LORIOT may have sent before the device was deleted, and behind what
// the target used.
static uint32_t next_downlink(const struct loriot *self, const json_t *recorded,
                              const struct device_progress *progress) {
    uint32_t next = 0;
    rest_number(recorded, "seqdn", &next);
    next = source_skip_unseen(next);
    if (!progress->known) return next;
    // What it was given is no downlink of the target's; and 0 stands for the counter 0 as well as for none.
    bool heard = progress->last_f_cnt_up > loriot_last_f_cnt_up(recorded);
    bool sent = progress->last_n_f_cnt_down > loriot_last_f_cnt_down(self, recorded);
    if (!sent && (!heard || progress->last_n_f_cnt_down > 0)) return next;
    uint32_t least = after(progress->last_n_f_cnt_down);
    return least > next ? least : next;
}

static json_int_t last_uplink(const json_t *recorded, const struct device_progress *progress) {
    json_int_t last = json_integer_value(json_object_get(recorded, "seqno"));
    if (progress->known && progress->last_f_cnt_up > 0 && (json_int_t)progress->last_f_cnt_up > last)
        last = progress->last_f_cnt_up;
    return last;
}

static void copy_members(json_t *body, const json_t *recorded, const char *const *names) {
    for (; *names != NULL; names++) {
        json_t *member = json_object_get(recorded, *names);
        if (member != NULL && !json_is_null(member)) json_object_set(body, *names, member);
    }
}

// True if the device still knows the session that the record has.
static bool session_lives(const json_t *recorded, const struct device_progress *progress) {
    return loriot_has_session(recorded) && !(progress->known && progress->rejoined);
}

static const char *create_body(const struct loriot *self, struct job *job, const json_t *recorded,
                               const struct device_progress *progress) {
    static const char *const plain[] = {"title",   "description", "deveui", "devclass", "appkey", "appeui",
                                        "joineui", "rxw",         "seqq",   "seqrelax", NULL};
    static const char *const session[] = {"devaddr", "nwkskey", "appskey", NULL};
    const struct change *change = job->state;
    const json_t *minor = json_object_get(json_object_get(recorded, "lorawan"), "minor");
    REST_JSON_AUTO *body = json_object();
    copy_members(body, recorded, plain);
    char eui[EUI64_TEXT_SIZE];
    json_object_set_new(body, "deveui", json_string(eui64_format(&change->eui, eui)));
    json_object_set_new(body, "devActivation", json_string(loriot_joins(recorded) ? "OTAA" : "ABP"));
    json_object_set_new(body, "devVersion", json_string(json_integer_value(minor) == 1 ? "v1.1" : "v1.0"));
    json_object_set_new(body, "canSendADR", json_boolean(!json_is_false(json_object_get(recorded, "adr"))));
    bool odd = false;
    uint32_t delay = loriot_rx1_delay(recorded, &odd);
    if (delay > 0) json_object_set_new(body, "rx1Delay", json_integer(delay));
    if (session_lives(recorded, progress)) {
        copy_members(body, recorded, session);
        json_object_set_new(body, "seqno", json_integer(last_uplink(recorded, progress)));
        json_object_set_new(body, "seqdn", json_integer(next_downlink(self, recorded, progress)));
    }
    return rest_dump(job->arena, body);
}

static enum job_step restore_create(const struct loriot *self, struct job *job, const json_t *recorded,
                                    const struct device_progress *progress) {
    struct change *change = job->state;
    const char *path = arena_printf(job->arena, "app/%s/devices/%s", change->application,
                                    loriot_joins(recorded) ? "OTAA" : "ABP");
    struct call *call = loriot_call(self, job, "POST", path, create_body(self, job, recorded, progress));
    call->changes = true;
    call->attempt = change->tries++;
    job->stage = RESTORE_CREATED;
    return JOB_CALLS;
}

#define REMARK_ANEW \
    "is back, but LORIOT has forgotten which nonces it used, and settings that its interface does not take"
#define REMARK_REJOINED \
    "is back, but joined elsewhere meanwhile: its session in LORIOT has ended, and it has to join again"
#define REMARK_SESSION "is back, but LORIOT did not take its session: it has to join again"
#define REMARK_COUNTERS                                                                                    \
    "is back, but LORIOT did not take its downlink counter: it takes no downlink until as many have been " \
    "sent"

// `now` is what LORIOT has made of it; NULL = a rehearsal, which takes for granted that it takes all of it.
static const char *restore_remark(const struct loriot *self, const json_t *recorded, const json_t *now,
                                  const struct device_progress *progress) {
    uint32_t next = 0;
    if (!loriot_has_session(recorded)) return REMARK_ANEW;
    if (!session_lives(recorded, progress)) return REMARK_REJOINED;
    if (now == NULL) return REMARK_ANEW;
    if (!same_session(recorded, now)) return REMARK_SESSION;
    rest_number(now, "seqdn", &next);
    return next < next_downlink(self, recorded, progress) ? REMARK_COUNTERS : REMARK_ANEW;
}

static enum job_step restore_looked(const struct loriot *self, struct job *job, const json_t *recorded,
                                    struct source_restoration *restoration, struct error *error) {
    const struct change *change = job->state;
    if (loriot_not_found(&job->replies[0])) {
        if (change->tries == 0 || may_try_again(change))
            return restore_create(self, job, recorded, &restoration->progress);
        return tell_answer(change, error);
    }
    REST_JSON_AUTO *now = NULL;
    if (loriot_get_reply(self, job, 0, &change->eui, &now, error) != 0) return JOB_FAILED;
    if (!same_device(recorded, now)) return other_keys(error);
    // Without a change of its own there is nothing to remark: it was never released, or is back already.
    if (change->tries > 0) restoration->remark = restore_remark(self, recorded, now, &restoration->progress);
    return JOB_DONE;
}

enum job_step loriot_restore(struct source *source, struct job *job, const struct source_record *record,
                             struct source_restoration *restoration, struct error *error) {
    const struct loriot *self = loriot_of(source);
    if (job->stage == RESTORE_BEGIN) {
        if (change_begin(job, record, error) == NULL) return JOB_FAILED;
        return look(self, job, RESTORE_LOOKED);
    }
    bool dry = job->replies[0].outcome == REPLY_DRY;
    if (job->stage == RESTORE_LOOKED || dry) {
        REST_JSON_AUTO *recorded = recorded_device(job, record, error);
        if (recorded == NULL) return JOB_FAILED;
        if (!dry) return restore_looked(self, job, recorded, restoration, error);
        restoration->remark = restore_remark(self, recorded, NULL, &restoration->progress);
        return JOB_DONE;
    }
    keep_answer(job, "LORIOT took the device, but does not have it");
    return look(self, job, RESTORE_LOOKED);
}

// ---- confirming

enum job_step loriot_confirm(struct source *source, struct job *job, const struct source_record *record,
                             const struct source_record *now, struct source_confirmation *ret_confirmation,
                             struct error *error) {
    const struct loriot *self = loriot_of(source);
    ret_confirmation->proof = SOURCE_RELEASED;
    if (now == NULL && job->stage == 0) {
        if (change_begin(job, record, error) == NULL) return JOB_FAILED;
        return look(self, job, 1);
    }
    if (now == NULL && loriot_not_found(&job->replies[0])) return JOB_DONE;
    if (now == NULL) {
        const struct change *change = job->state;
        REST_JSON_AUTO *device = NULL;
        if (loriot_get_reply(self, job, 0, &change->eui, &device, error) != 0) return JOB_FAILED;
    }
    ret_confirmation->proof = SOURCE_HELD;
    ret_confirmation->remark = "was deleted, but is in LORIOT again: somebody else writes there";
    return JOB_DONE;
}
