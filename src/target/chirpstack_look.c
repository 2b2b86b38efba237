// SPDX-License-Identifier: Apache-2.0
// What ChirpStack knows of a device: before anything is done, after it, and when it is to be undone.
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "target/chirpstack_p.h"

static struct cst_find *find_of(struct job *job) {
    if (job->state == NULL) job->state = arena_new(job->arena, struct cst_find);
    return job->state;
}

// ---- look

// A tenant may have so many devices and no more; who was promised room once keeps it.
static bool has_room(struct cst *self, const Tts__EndDevice *device) {
    if (self->most_devices == 0) return true;
    uint64_t eui = 0;
    for (size_t i = 0; i < device->ids->dev_eui.len; i++) eui = eui << 8 | device->ids->dev_eui.data[i];
    size_t low = 0, high = self->guest_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (self->guests[middle] == eui) return true;
        if (self->guests[middle] < eui) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (self->guest_count >= self->room) return false;
    self->guests = memory_resize(self->guests, self->guest_count + 1, sizeof *self->guests);
    memmove(&self->guests[low + 1], &self->guests[low], (self->guest_count - low) * sizeof *self->guests);
    self->guests[low] = eui;
    self->guest_count++;
    return true;
}

static void set_holder(const struct cst *self, const Chirpstack__Device *device, struct target_look *look) {
    look->holder = (struct device_place){
        .network = self->address.host_port,
        .application_id = device->application_id,
        .device_id = device->dev_eui,
    };
}

static void keep_before(const struct cst_view *view, struct arena *arena, struct target_look *look) {
    Chirpstack__Record record = CHIRPSTACK__RECORD__INIT;
    Chirpstack__GetDeviceActivationResponse activation = CHIRPSTACK__GET_DEVICE_ACTIVATION_RESPONSE__INIT;
    activation.device_activation = view->activation;
    record.device = view->device;
    record.keys = view->keys;
    record.activation = &activation;
    look->before_size = protobuf_c_message_get_packed_size(&record.base);
    uint8_t *bytes = arena_alloc(arena, 1, look->before_size);
    protobuf_c_message_pack(&record.base, bytes);
    look->before = bytes;
}

static void judge_found(struct cst *self, struct job *job, const Tts__EndDevice *device,
                        const struct cst_view *view, struct target_look *look) {
    const Chirpstack__Device *there = view->device->device;
    set_holder(self, there, look);
    if (self->application == NULL || strcasecmp(there->application_id, self->application) != 0) {
        look->found = TARGET_TAKEN;
        look->what = arena_printf(job->arena, "its DevEUI belongs to device \"%s\" of application %s",
                                  there->name, there->application_id);
        return;
    }
    struct cst_parts parts;
    struct cst_comparison comparison;
    cst_parts(self, device, job->arena, &parts);
    cst_compare(&parts, view, false, job->arena, &comparison);
    if (comparison.equal) {
        look->found = TARGET_SAME;
    } else if (job->again && cst_is_bare(view)) {
        look->found = TARGET_FREE;
        look->holder = (struct device_place){0};
    } else {
        look->found = TARGET_OTHER;
        look->what = comparison.what;
        keep_before(view, job->arena, look);
    }
}

enum job_step cst_look(struct target *target, struct job *job, const struct device *device,
                       struct target_look *ret_look, struct error *error) {
    struct cst *self = cst_of(target);
    const Tts__EndDevice *end_device = device->end_device;
    struct cst_find *find = find_of(job);
    *ret_look = (struct target_look){.found = TARGET_FREE};
    enum job_step step = cst_find(self, job, cst_dev_eui(end_device, job->arena), find, error);
    if (step != JOB_DONE) return step;
    if (find->view.device != NULL) {
        judge_found(self, job, end_device, &find->view, ret_look);
    } else if (!has_room(self, end_device)) {
        error_set(error, ERROR_DEVICE, "the tenant may have %u devices, and has no room for this one",
                  (unsigned)self->most_devices);
        error_hint(error, "have an admin of ChirpStack raise the tenant's maximum number of devices");
        return JOB_FAILED;
    }
    return JOB_DONE;
}

// ---- verify

static int64_t time_of(const Chirpstack__Timestamp *time) {
    if (time == NULL || time->seconds < 0 || time->seconds > INT64_MAX / NS_PER_SECOND - 1) return 0;
    return time->seconds * NS_PER_SECOND + time->nanos;
}

enum job_step cst_verify(struct target *target, struct job *job, const struct device *device,
                         struct target_verdict *ret_verdict, struct error *error) {
    struct cst *self = cst_of(target);
    const Tts__EndDevice *end_device = device->end_device;
    struct cst_find *find = find_of(job);
    enum job_step step = cst_find(self, job, cst_dev_eui(end_device, job->arena), find, error);
    if (step != JOB_DONE) return step;
    *ret_verdict = (struct target_verdict){.what = "the target does not know it"};
    if (find->view.device == NULL) return JOB_DONE;
    struct cst_parts parts;
    struct cst_comparison comparison;
    cst_parts(self, end_device, job->arena, &parts);
    cst_compare(&parts, &find->view, true, job->arena, &comparison);
    *ret_verdict = (struct target_verdict){
        .equal = comparison.equal,
        .what = comparison.what,
        .progress = comparison.progress,
        .last_seen = time_of(find->view.device->last_seen_at),
    };
    return JOB_DONE;
}

// ---- recall

enum job_step cst_recall(struct target *target, struct job *job, const struct device *device,
                         struct device_progress *ret_progress, struct error *error) {
    struct cst *self = cst_of(target);
    const Tts__EndDevice *end_device = device->end_device;
    struct cst_find *find = find_of(job);
    *ret_progress = (struct device_progress){0};
    enum job_step step = cst_find(self, job, cst_dev_eui(end_device, job->arena), find, error);
    if (step != JOB_DONE || find->view.device == NULL) return step;
    struct cst_parts parts;
    struct cst_comparison comparison;
    cst_parts(self, end_device, job->arena, &parts);
    if (strcasecmp(parts.device->application_id, find->view.device->device->application_id) != 0)
        return JOB_DONE;
    cst_compare(&parts, &find->view, true, job->arena, &comparison);
    *ret_progress = comparison.progress;
    return JOB_DONE;
}
