// SPDX-License-Identifier: Apache-2.0
// What the target knows of a device: before anything is done, after it, and when it is to be undone.
#include <string.h>

#include "base/hex.h"
#include "device/message.h"
#include "target/tts_p.h"

static bool same_device(const Tts__EndDeviceIdentifiers *a, const Tts__EndDeviceIdentifiers *b) {
    return a->application_ids != NULL && b->application_ids != NULL &&
           strcmp(a->device_id, b->device_id) == 0 &&
           strcmp(a->application_ids->application_id, b->application_ids->application_id) == 0;
}

// ---- look

enum look_stage { LOOK_BEGIN, LOOK_ASKED };

static bool has_euis(const Tts__EndDevice *device) {
    return device->ids->dev_eui.len > 0 && device->ids->join_eui.len > 0;
}

// The question who has the EUIs is the first, if it can be asked.
static enum job_step look_ask(struct tts *self, struct job *job, const Tts__EndDevice *device) {
    if (has_euis(device)) {
        Tts__GetEndDeviceIdentifiersForEUIsRequest request =
            TTS__GET_END_DEVICE_IDENTIFIERS_FOR_EUIS_REQUEST__INIT;
        request.join_eui = device->ids->join_eui;
        request.dev_eui = device->ids->dev_eui;
        tts_registry_call(self, job, TTS_IDENTITY, "GetIdentifiersForEUIs", &request.base);
    }
    // An application that a dry run would make has no devices.
    if (!self->planned) tts_find_calls(self, job, device);
    job->stage = LOOK_ASKED;
    return job->call_count > 0 ? JOB_CALLS : JOB_DONE;
}

static void set_holder(const struct tts *self, const char *application_id, const char *device_id,
                       struct target_look *look) {
    look->holder = (struct device_place){
        .network = self->servers[TTS_IDENTITY].address.host_port,
        .application_id = application_id,
        .device_id = device_id,
    };
}

// Sets TARGET_TAKEN if the EUIs belong to another device.
static enum job_step look_owner(struct tts *self, struct job *job, const Tts__EndDevice *device,
                                struct target_look *look, struct error *error) {
    const struct reply *reply = &job->replies[0];
    if (!reply_ok(reply, CALL_GRPC)) {
        // A server that does not answer this question tells it when the device is reserved.
        bool silent = reply->outcome == REPLY_ANSWERED && (reply->grpc_status == GRPC_UNIMPLEMENTED ||
                                                           reply->grpc_status == GRPC_PERMISSION_DENIED);
        if (silent || stack_is_absent(reply)) return JOB_DONE;
        return tts_failed(self, &job->calls[0], reply, error);
    }
    const Tts__EndDeviceIdentifiers *ids = message_unpack(
        &tts__end_device_identifiers__descriptor, reply->body.data, reply->body.size, job->arena, error);
    if (ids == NULL) {
        error_wrap(error, ERROR_NONE, "%s: asked who has the EUIs", job->calls[0].server->name);
        return JOB_FAILED;
    }
    if (ids->application_ids == NULL || same_device(ids, device->ids)) return JOB_DONE;
    look->found = TARGET_TAKEN;
    look->what = arena_printf(job->arena, "its JoinEUI and DevEUI belong to device %s of application %s",
                              ids->device_id, ids->application_ids->application_id);
    set_holder(self, ids->application_ids->application_id, ids->device_id, look);
    return JOB_DONE;
}

static const char *eui_text(struct arena *arena, ProtobufCBinaryData eui) {
    if (eui.len == 0) return "none";
    char *text = arena_alloc(arena, HEX_TEXT_SIZE(eui.len), 1);
    hex_encode_upper(text, eui.data, eui.len);
    return text;
}

// Which servers know the device, as "Join Server and Network Server".
static const char *who_knows(const struct tts_found *found, struct arena *arena) {
    const char *text = NULL;
    for (int place = 0; place < TTS_PLACES; place++) {
        if (found->at[place] == NULL) continue;
        const char *title = tts_place_title((enum tts_place)place);
        text = text == NULL ? title : arena_printf(arena, "%s and %s", text, title);
    }
    return text;
}

// All parts as one run of bytes: an EndDevices with an entry for each server, empty where it has nothing.
static void keep_before(const struct tts_found *found, struct arena *arena, struct target_look *look) {
    Tts__EndDevice nothing = TTS__END_DEVICE__INIT;
    Tts__EndDevice *parts[TTS_PLACES];
    Tts__EndDevices all = TTS__END_DEVICES__INIT;
    for (int place = 0; place < TTS_PLACES; place++) {
        parts[place] = found->at[place] == NULL ? &nothing : found->at[place];
    }
    all.end_devices = parts;
    all.n_end_devices = TTS_PLACES;
    look->before_size = protobuf_c_message_get_packed_size(&all.base);
    uint8_t *bytes = arena_alloc(arena, 1, look->before_size);
    protobuf_c_message_pack(&all.base, bytes);
    look->before = bytes;
}

static void judge_found(struct tts *self, struct job *job, const Tts__EndDevice *device,
                        const struct tts_found *found, struct target_look *look) {
    const Tts__EndDevice *identity = found->at[TTS_IDENTITY];
    const Tts__EndDeviceIdentifiers *ids = found->device->ids;
    set_holder(self, ids->application_ids->application_id, ids->device_id, look);
    if (identity == NULL) {
        look->found = TARGET_TAKEN;
        look->what = arena_printf(
            job->arena,
            "a device with its ID is known to the %s, but not to the Identity Server: delete it there",
            who_knows(found, job->arena));
        return;
    }
    if (!tts_same_euis(identity, device)) {
        look->found = TARGET_TAKEN;
        look->what = arena_printf(
            job->arena, "its ID belongs to a device with other EUIs (DevEUI %s, JoinEUI %s)",
            eui_text(job->arena, identity->ids->dev_eui), eui_text(job->arena, identity->ids->join_eui));
        return;
    }
    struct tts_comparison comparison;
    tts_compare(device, found, self->plain_masks, job->arena, &comparison);
    if (comparison.relation == TTS_EQUAL) {
        look->found = TARGET_SAME;
    } else if (comparison.relation == TTS_RESERVED && job->again) {
        look->found = TARGET_FREE;
        look->holder = (struct device_place){0};
    } else {
        look->found = TARGET_OTHER;
        look->what = comparison.what;
        keep_before(found, job->arena, look);
    }
}

enum job_step tts_look(struct target *target, struct job *job, const struct device *device,
                       struct target_look *ret_look, struct error *error) {
    struct tts *self = tts_of(target);
    const Tts__EndDevice *end_device = device->end_device;
    *ret_look = (struct target_look){.found = TARGET_FREE};
    if (job->stage == LOOK_BEGIN || tts_find_again(self, job)) return look_ask(self, job, end_device);
    size_t first = 0;
    if (has_euis(end_device)) {
        if (look_owner(self, job, end_device, ret_look, error) != JOB_DONE) return JOB_FAILED;
        first = 1;
    }
    struct tts_found found;
    if (self->planned) return JOB_DONE;
    if (tts_find_replies(self, job, first, end_device, &found, error) != 0) return JOB_FAILED;
    if (found.failed != NULL) return tts_failed(self, found.failed_call, found.failed, error);
    // Who has its EUIs may be about to give them up; who has its ID is not.
    if (found.device != NULL) judge_found(self, job, end_device, &found, ret_look);
    return JOB_DONE;
}

// ---- verify

static int64_t time_of(const Google__Timestamp *time) {
    if (time == NULL || time->seconds < 0 || time->seconds > INT64_MAX / NS_PER_SECOND - 1) return 0;
    return time->seconds * NS_PER_SECOND + time->nanos;
}

enum job_step tts_verify(struct target *target, struct job *job, const struct device *device,
                         struct target_verdict *ret_verdict, struct error *error) {
    struct tts *self = tts_of(target);
    const Tts__EndDevice *end_device = device->end_device;
    if (job->stage == 0 || tts_find_again(self, job)) {
        tts_find_back_calls(self, job, end_device);
        job->stage = 1;
        return JOB_CALLS;
    }
    struct tts_found found;
    if (tts_find_replies(self, job, 0, end_device, &found, error) != 0) return JOB_FAILED;
    if (found.failed != NULL) return tts_failed(self, found.failed_call, found.failed, error);
    struct tts_comparison comparison;
    tts_compare(end_device, &found, self->plain_masks, job->arena, &comparison);
    *ret_verdict = (struct target_verdict){
        .equal = comparison.relation == TTS_EQUAL,
        .what = comparison.what,
        .progress = comparison.progress,
        .last_seen = found.device == NULL ? 0 : time_of(found.device->last_seen_at),
    };
    if (found.device == NULL) ret_verdict->what = "the target does not know it";
    return JOB_DONE;
}

// ---- recall

enum job_step tts_recall(struct target *target, struct job *job, const struct device *device,
                         struct device_progress *ret_progress, struct error *error) {
    struct tts *self = tts_of(target);
    const Tts__EndDevice *end_device = device->end_device;
    *ret_progress = (struct device_progress){0};
    if (job->stage == 0 || tts_find_again(self, job)) {
        tts_find_back_calls(self, job, end_device);
        job->stage = 1;
        return JOB_CALLS;
    }
    struct tts_found found;
    if (tts_find_replies(self, job, 0, end_device, &found, error) != 0) return JOB_FAILED;
    if (found.failed != NULL) return tts_failed(self, found.failed_call, found.failed, error);
    if (found.device == NULL || !tts_same_euis(found.device, end_device)) return JOB_DONE;
    struct tts_comparison comparison;
    tts_compare(end_device, &found, self->plain_masks, job->arena, &comparison);
    if (!comparison.strange) *ret_progress = comparison.progress;
    return JOB_DONE;
}
