// SPDX-License-Identifier: Apache-2.0
// What changes devices of AWS: they are deleted there, and made again of their records. A device that is made again has
// another ID, so it is looked for by its DevEUI.
#include <string.h>

#include "base/memory.h"
#include "device/cell.h"
#include "source/awsiot_p.h"

enum { F_CNT_START_MOST = UINT16_MAX };

// What lasts over the calls of a job.
struct change {
    char eui[EUI64_TEXT_SIZE];
    const char *id;  // that AWS has given it; in the arena
    unsigned tries;
    enum error_code code;  // of what the last change was answered with
    const char *message;   // of that; in the job's arena
};

// The device as it was read: a new reference. NULL with an error.
static json_t *recorded_device(const struct source_record *record, json_t **ret_tags, struct error *error) {
    json_t *device = NULL, *tags = NULL;
    REST_JSON_AUTO *profile = NULL;
    if (awsiot_record_read(record, &device, &profile, &tags, error) != 0) return NULL;
    if (ret_tags != NULL) {
        *ret_tags = tags;
    } else {
        json_decref(tags);
    }
    return device;
}

static struct change *change_begin(struct job *job, const struct source_record *record, struct error *error) {
    struct change *change = arena_new(job->arena, struct change);
    REST_JSON_AUTO *device = recorded_device(record, NULL, error);
    struct eui64 eui;
    if (device == NULL) return NULL;
    if (!awsiot_device_eui(device, &eui) || rest_text(device, "Id") == NULL) {
        error_set(error, ERROR_INPUT, "its record in the journal is damaged");
        return NULL;
    }
    eui64_format(&eui, change->eui);
    change->id = arena_strdup(job->arena, rest_text(device, "Id"));
    change->code = ERROR_UNAVAILABLE;
    change->message = "it is not known what became of an earlier attempt";
    job->state = change;
    return change;
}

static enum job_step look(const struct awsiot *self, struct job *job, int stage) {
    const struct change *change = job->state;
    awsiot_get_call(self, job, change->eui, true);
    job->stage = stage;
    return JOB_CALLS;
}

// A lost answer is as good as none: what is there counts.
static bool may_try_again(const struct change *change) {
    return call_may_pass(change->code) && change->tries < SOURCE_TRIES;
}

// False if a new signature is what it takes.
static bool keep_answer(struct awsiot *self, struct job *job, const char *otherwise) {
    struct change *change = job->state;
    const struct reply *reply = &job->replies[0];
    ERROR_AUTO error = {0};
    error_set(&error, ERROR_REFUSED, "%s", otherwise);
    if (!reply_ok(reply, CALL_HTTP) && awsiot_failed(self, &job->calls[0], reply, &error) == JOB_LOGIN)
        return false;
    char *text = error_chain(&error);
    change->code = error.code;
    change->message = arena_printf(
        job->arena, "%s%s",
        error.code == ERROR_DENIED
            ? "the credentials may not change devices (it takes iotwireless:DeleteWirelessDevice, "
              "and iotwireless:CreateWirelessDevice for the way back): "
            : "",
        text);
    memory_free_secret(text);
    // An internal error of Amazon's is a passing one.
    bool internal = reply->outcome == REPLY_ANSWERED && reply->http_status == HTTP_SERVER_ERROR;
    if (internal) change->code = ERROR_UNAVAILABLE;
    return true;
}

static enum job_step tell_answer(const struct change *change, struct error *error) {
    error_set(error, change->code, "%s", change->message);
    return JOB_FAILED;
}

static enum job_step other_keys(struct error *error) {
    error_set(error, ERROR_DEVICE, "has other keys in AWS than those that were exported: it is left alone");
    return JOB_FAILED;
}

// ---- comparing

static bool same_key(const char *a, const char *b) {
    if (a == NULL || b == NULL) return a == b;
    struct key128 left = {0}, right = {0};
    bool fine = cell_bytes(a, left.bytes, sizeof left.bytes) == NULL &&
                cell_bytes(b, right.bytes, sizeof right.bytes) == NULL;
    bool same = fine && key128_equal(&left, &right);
    key128_wipe(&left);
    key128_wipe(&right);
    return same;
}

static bool same_device(const json_t *recorded, const json_t *now) {
    const struct awsiot_kind *kind = awsiot_kind(recorded);
    if (kind == NULL || awsiot_kind(now) != kind) return false;
    const json_t *before = awsiot_keys(recorded, kind), *after = awsiot_keys(now, kind);
    for (size_t i = 0; kind->keys[i] != NULL; i++) {
        if (!same_key(rest_text(before, kind->keys[i]), rest_text(after, kind->keys[i]))) return false;
    }
    return true;
}

// ---- releasing

enum release_stage { RELEASE_BEGIN, RELEASE_DELETED, RELEASE_LOOKED };

static enum job_step release_delete(const struct awsiot *self, struct job *job, const char *id) {
    struct change *change = job->state;
    const char *path = arena_printf(job->arena, "/wireless-devices/%s", awsiot_encode(job->arena, id));
    struct call *call = awsiot_call(self, job, "DELETE", path, NULL, NULL);
    call->changes = true;
    call->attempt = change->tries++;
    job->stage = RELEASE_DELETED;
    return JOB_CALLS;
}

static enum job_step release_looked(struct awsiot *self, struct job *job, const struct source_record *record,
                                    struct error *error) {
    const struct change *change = job->state;
    if (awsiot_not_found(&job->replies[0])) return JOB_DONE;
    REST_JSON_AUTO *now = NULL;
    enum job_step step = awsiot_get_reply(self, job, 0, &now, error);
    if (step == JOB_FAILED) error_wrap(error, ERROR_NONE, "%s; and then", change->message);
    if (step != JOB_DONE) return step;
    REST_JSON_AUTO *recorded = recorded_device(record, NULL, error);
    if (recorded == NULL) return JOB_FAILED;
    const char *id = rest_text(now, "Id");
    if (id == NULL || !same_device(recorded, now)) return other_keys(error);
    return may_try_again(change) ? release_delete(self, job, arena_strdup(job->arena, id))
                                 : tell_answer(change, error);
}

enum job_step awsiot_release(struct source *source, struct job *job, const struct source_record *record,
                             const struct device *device, struct error *error) {
    (void)device;
    struct awsiot *self = awsiot_of(source);
    if (!self->deletes) return JOB_DONE;
    if (job->stage == RELEASE_BEGIN) {
        const struct change *change = change_begin(job, record, error);
        if (change == NULL) return JOB_FAILED;
        return job->again ? look(self, job, RELEASE_LOOKED) : release_delete(self, job, change->id);
    }
    if (job->stage == RELEASE_LOOKED) return release_looked(self, job, record, error);
    const struct reply *reply = &job->replies[0];
    // Any other answer, an OK of something in between too, proves nothing.
    if (reply->outcome == REPLY_ANSWERED && reply->http_status == HTTP_NO_CONTENT) return JOB_DONE;
    if (!keep_answer(self, job, "AWS did not delete the device")) return JOB_LOGIN;
    return look(self, job, RELEASE_LOOKED);
}

// ---- restoring

enum restore_stage { RESTORE_BEGIN, RESTORE_LOOKED, RESTORE_CREATED };

// Where the uplink counter of an ABP device has to begin: what its new network took counts. AWS takes no more than 16 bits.
static json_int_t f_cnt_start(const json_t *keys, const struct device_progress *progress) {
    json_int_t start = json_integer_value(json_object_get(keys, "FCntStart"));
    json_int_t next = (json_int_t)progress->last_f_cnt_up + 1;
    if (progress->known && progress->last_f_cnt_up > 0 && next > start) start = next;
    return start;
}

static json_t *abp_object(const json_t *recorded, const struct awsiot_kind *kind,
                          const struct device_progress *progress) {
    json_t *object = json_copy(json_object_get(json_object_get(recorded, "LoRaWAN"), kind->name));
    json_int_t start = f_cnt_start(object, progress);
    if (start > F_CNT_START_MOST) start = F_CNT_START_MOST;
    if (start > 0) json_object_set_new(object, "FCntStart", json_integer(start));
    return object;
}

static const char *create_body(struct job *job, const json_t *recorded, json_t *tags,
                               const struct device_progress *progress) {
    static const char *const members[] = {"Name", "Description", "DestinationName", "Positioning", NULL};
    const struct awsiot_kind *kind = awsiot_kind(recorded);
    REST_JSON_AUTO *body = json_object();
    REST_JSON_AUTO *lorawan = json_copy(json_object_get(recorded, "LoRaWAN"));
    json_object_set_new(body, "Type", json_string("LoRaWAN"));
    for (size_t i = 0; members[i] != NULL; i++) {
        json_t *member = json_object_get(recorded, members[i]);
        if (member != NULL && !json_is_null(member)) json_object_set(body, members[i], member);
    }
    if (kind != NULL && !kind->joins)
        json_object_set_new(lorawan, kind->name, abp_object(recorded, kind, progress));
    json_object_set(body, "LoRaWAN", lorawan);
    if (json_array_size(tags) > 0) json_object_set(body, "Tags", tags);
    return rest_dump(job->arena, body);
}

static enum job_step restore_create(const struct awsiot *self, struct job *job, const json_t *recorded,
                                    json_t *tags, const struct device_progress *progress) {
    struct change *change = job->state;
    struct call *call =
        awsiot_call(self, job, "POST", "/wireless-devices", NULL, create_body(job, recorded, tags, progress));
    call->changes = true;
    call->attempt = change->tries++;
    job->stage = RESTORE_CREATED;
    return JOB_CALLS;
}

static const char *restore_remark(struct job *job, const json_t *recorded, json_t *tags,
                                  const struct device_progress *progress) {
    const struct awsiot_kind *kind = awsiot_kind(recorded);
    bool thing = rest_text(recorded, "ThingName") != NULL;
    const char *counter = "";
    if (kind != NULL && !kind->joins) {
        bool over = f_cnt_start(awsiot_keys(recorded, kind), progress) > F_CNT_START_MOST;
        counter = over ? "; AWS takes no uplink counter beyond 65535, so old uplinks could be replayed; its "
                         "downlink counter begins anew"
                       : "; its downlink counter begins anew";
    }
    return arena_printf(
        job->arena,
        "is back under another ID of AWS; what was bound to the former one (%smulticast groups, "
        "FUOTA tasks) is not%s%s; AWS has forgotten which nonces it used",
        thing ? "its thing, " : "", tags == NULL ? ", nor are its tags" : "", counter);
}

static enum job_step restore_foreseen(struct job *job, const struct source_record *record,
                                      struct source_restoration *restoration, struct error *error) {
    REST_JSON_AUTO *tags = NULL;
    REST_JSON_AUTO *recorded = recorded_device(record, &tags, error);
    if (recorded == NULL) return JOB_FAILED;
    restoration->remark = restore_remark(job, recorded, tags, &restoration->progress);
    return JOB_DONE;
}

static enum job_step restore_looked(struct awsiot *self, struct job *job, const struct source_record *record,
                                    struct source_restoration *restoration, struct error *error) {
    const struct change *change = job->state;
    REST_JSON_AUTO *tags = NULL;
    REST_JSON_AUTO *recorded = recorded_device(record, &tags, error);
    if (recorded == NULL) return JOB_FAILED;
    if (awsiot_not_found(&job->replies[0])) {
        if (change->tries == 0 || may_try_again(change))
            return restore_create(self, job, recorded, tags, &restoration->progress);
        return tell_answer(change, error);
    }
    REST_JSON_AUTO *now = NULL;
    enum job_step step = awsiot_get_reply(self, job, 0, &now, error);
    if (step != JOB_DONE) return step;
    if (!same_device(recorded, now)) return other_keys(error);
    // Without a change of its own there is nothing to remark: it was never released, or is back already.
    if (change->tries > 0) restoration->remark = restore_remark(job, recorded, tags, &restoration->progress);
    return JOB_DONE;
}

enum job_step awsiot_restore(struct source *source, struct job *job, const struct source_record *record,
                             struct source_restoration *restoration, struct error *error) {
    struct awsiot *self = awsiot_of(source);
    if (job->stage == RESTORE_BEGIN) {
        if (change_begin(job, record, error) == NULL) return JOB_FAILED;
        return look(self, job, RESTORE_LOOKED);
    }
    if (job->stage == RESTORE_LOOKED) return restore_looked(self, job, record, restoration, error);
    if (job->replies[0].outcome == REPLY_DRY) return restore_foreseen(job, record, restoration, error);
    if (!keep_answer(self, job, "AWS took the device, but does not have it")) return JOB_LOGIN;
    return look(self, job, RESTORE_LOOKED);
}

// ---- confirming

enum job_step awsiot_confirm(struct source *source, struct job *job, const struct source_record *record,
                             const struct source_record *now, struct source_confirmation *ret_confirmation,
                             struct error *error) {
    struct awsiot *self = awsiot_of(source);
    ret_confirmation->proof = SOURCE_RELEASED;
    if (now == NULL && job->stage == 0) {
        if (change_begin(job, record, error) == NULL) return JOB_FAILED;
        return look(self, job, 1);
    }
    if (now == NULL && awsiot_not_found(&job->replies[0])) return JOB_DONE;
    if (now == NULL) {
        REST_JSON_AUTO *device = NULL;
        enum job_step step = awsiot_get_reply(self, job, 0, &device, error);
        if (step != JOB_DONE) return step;
    }
    ret_confirmation->proof = SOURCE_HELD;
    ret_confirmation->remark = "was deleted, but is in AWS again: somebody else writes there";
    return JOB_DONE;
}
