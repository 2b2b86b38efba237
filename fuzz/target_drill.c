// SPDX-License-Identifier: Apache-2.0
#include "target_drill.h"

#include <string.h>

#include "device/clean.h"
#include "device/json_read.h"
#include "device/message.h"
#include "device/payload_formatters.h"
#include "device/validate.h"

enum input_flags {
    INPUT_OPERATION = 7,
    INPUT_AGAIN = 8,
    INPUT_CREATE_APPLICATION = 16,
    INPUT_BEFORE = 32,
    INPUT_ROLLBACK = 64,
    INPUT_FORMATTERS = 128,  // the application's payload formatters instead of a device
};

static enum job_step prepare(void *context, struct job *job, struct error *error) {
    struct target_drill *self = context;
    return self->driver->prepare(self->target, job, "test-app", error);
}

static enum job_step look(void *context, struct job *job, struct error *error) {
    struct target_drill *self = context;
    return self->driver->look(self->target, job, &self->device, &self->look, error);
}

static enum job_step reserve(void *context, struct job *job, struct error *error) {
    struct target_drill *self = context;
    return self->driver->reserve(self->target, job, &self->device, error);
}

static enum job_step import(void *context, struct job *job, struct error *error) {
    struct target_drill *self = context;
    return self->driver->import(self->target, job, &self->device, error);
}

static enum job_step verify(void *context, struct job *job, struct error *error) {
    struct target_drill *self = context;
    return self->driver->verify(self->target, job, &self->device, &self->verdict, error);
}

static enum job_step recall(void *context, struct job *job, struct error *error) {
    struct target_drill *self = context;
    return self->driver->recall(self->target, job, &self->device, &self->progress, error);
}

static enum job_step remove_device(void *context, struct job *job, struct error *error) {
    struct target_drill *self = context;
    bool with_before = self->flags & INPUT_BEFORE;
    const struct target_removal removal = {
        .before = with_before ? self->look.before : NULL,
        .before_size = self->look.before_size,
        .reserved = !with_before && self->look.found == TARGET_OTHER,
    };
    return self->driver->remove(self->target, job, &self->device, &removal, error);
}

static enum job_step get_formatters(void *context, struct job *job, struct error *error) {
    struct target_drill *self = context;
    return self->driver->get_formatters(self->target, job, &self->formatters, error);
}

static enum job_step set_formatters(void *context, struct job *job, struct error *error) {
    struct target_drill *self = context;
    return self->driver->set_formatters(self->target, job, self->formatters.formatters,
                                        self->flags & (FORMATTERS_UP | FORMATTERS_DOWN), error);
}

// What the application has is read, told, and set again.
static void drill_formatters(struct target_drill *self) {
    self->formatters = (struct target_formatters){.arena = &self->drill.arena};
    enum job_step step = drill_run(&self->drill, get_formatters, self);
    const Tts__MessagePayloadFormatters *found = self->formatters.formatters;
    fuzz_check(step == JOB_DONE || found == NULL);
    if (step != JOB_DONE) return;
    fuzz_check(self->formatters.application != NULL);
    BUFFER_AUTO words;
    buffer_init(&words, BUFFER_UNLIMITED);
    payload_formatters_describe(found, &words);
    fuzz_check(payload_formatters_equal(found, found, FORMATTERS_BOTH));
    static const Tts__MessagePayloadFormatters none = TTS__MESSAGE_PAYLOAD_FORMATTERS__INIT;
    if (found == NULL) self->formatters.formatters = &none;
    drill_run(&self->drill, set_formatters, self);
}

// Reads and adapts the input's device; false if it is none that would come to the target.
static bool take_device(struct target_drill *self, const char *text, size_t size) {
    device_init(&self->device);
    struct error *error = &self->drill.error;
    Tts__EndDevice *end_device =
        message_json_read(&tts__end_device__descriptor, text, size, 1, &self->device.arena, NULL, error);
    bool good = end_device != NULL;
    if (good) self->device.end_device = end_device;
    good = good && device_clean(&self->device, error) == 0;
    good = good && self->driver->adapt(self->target, &self->device, error) == 0;
    good = good && device_validate(&self->device, frequency_plans_builtin(), error) == 0;
    fuzz_check(good != error_is_set(error));
    error_release(error);
    return good;
}

static void drill_device(struct target_drill *self) {
    static drill_operation *const operations[INPUT_OPERATION + 1] = {look,   reserve,       import, verify,
                                                                     recall, remove_device, look,   reserve};
    unsigned operation = self->flags & INPUT_OPERATION;
    enum job_step step = drill_run(&self->drill, operations[operation], self);
    // As the engine does it: what waits for `prepare` begins anew after it.
    if (step == JOB_LOGIN && drill_run(&self->drill, prepare, self) == JOB_DONE)
        step = drill_run(&self->drill, operations[operation], self);
    if (step != JOB_DONE) return;
    if (operation == 6) drill_run(&self->drill, remove_device, self);
    if (operation == 7 && drill_run(&self->drill, import, self) == JOB_DONE)
        drill_run(&self->drill, verify, self);
}

void target_drill_begin(struct target_drill *self, const char *driver, const uint8_t *data, size_t size) {
    *self = (struct target_drill){
        .drill = {.input = {data, size}, .steps_max = 64},
        .driver = target_find(driver),
    };
    self->flags = input_byte(&self->drill.input);
    self->drill.again = self->flags & INPUT_AGAIN;
    self->options = option_values_new(self->driver->options);
}

void target_drill_run(struct target_drill *self) {
    struct input *input = &self->drill.input;
    size_t json_size = input_byte(input) * 16;
    const char *json = input_take(input, &json_size);
    struct target_setup setup = {
        .options = self->options,
        .plans = frequency_plans_builtin(),
        .clock = &drill_clock,
        .random = &drill_random,
        .create_application = self->flags & INPUT_CREATE_APPLICATION,
        .rollback = self->flags & INPUT_ROLLBACK,
    };
    fuzz_check(self->driver->open(&setup, &self->target, NULL) == 0);
    self->target->run = "20260101T000000Z-0000001";
    bool prepared = drill_run(&self->drill, prepare, self) == JOB_DONE;
    if (prepared && (self->flags & INPUT_FORMATTERS) != 0 && self->driver->get_formatters != NULL) {
        drill_formatters(self);
    } else if (prepared && take_device(self, json, json_size)) {
        drill_device(self);
    }
    drill_release(&self->drill);
    device_release(&self->device);
    self->driver->close(self->target);
    option_values_free(self->options);
}
