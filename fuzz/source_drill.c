// SPDX-License-Identifier: Apache-2.0
#include "source_drill.h"

#include <string.h>

#include "device/clean.h"
#include "device/gateway.h"
#include "device/json_write.h"
#include "device/validate.h"

void source_drill_begin(struct source_drill *self, const char *name) {
    self->driver = source_find(source_drivers(), name, strlen(name));
    fuzz_check(self->driver);
    self->options = option_values_new(self->driver->options);
}

void source_drill_open(struct source_drill *self, const struct source_setup *setup) {
    static const struct device_naming plain;
    struct source_setup whole = *setup;
    whole.options = self->options;
    whole.plans = frequency_plans_builtin();
    if (whole.naming == NULL) whole.naming = &plain;
    whole.clock = &drill_clock;
    whole.random = &drill_random;
    fuzz_check(self->driver->open(&whole, &self->source, NULL) == 0);
}

void source_drill_close(struct source_drill *self) {
    drill_release(&self->drill);
    device_release(&self->device);
    source_page_release(&self->page);
    self->driver->close(self->source);
    option_values_free(self->options);
}

enum job_step source_drill_run(struct source_drill *self, drill_operation *operation) {
    arena_release(&self->drill.arena);
    return drill_run(&self->drill, operation, self);
}

// ---- operations

static enum job_step prepare(void *context, struct job *job, struct error *error) {
    struct source_drill *self = context;
    return self->driver->prepare(self->source, job, self->application, error);
}

static enum job_step list(void *context, struct job *job, struct error *error) {
    struct source_drill *self = context;
    return self->driver->list(self->source, job, &self->page, error);
}

static enum job_step read_record(void *context, struct job *job, struct error *error) {
    struct source_drill *self = context;
    return self->driver->read(self->source, job, self->record, error);
}

static enum job_step release(void *context, struct job *job, struct error *error) {
    struct source_drill *self = context;
    return self->driver->release(self->source, job, self->record, &self->device, error);
}

static enum job_step confirm(void *context, struct job *job, struct error *error) {
    struct source_drill *self = context;
    return self->driver->confirm(self->source, job, self->record, NULL, &self->confirmation, error);
}

static enum job_step restore(void *context, struct job *job, struct error *error) {
    struct source_drill *self = context;
    return self->driver->restore(self->source, job, self->record, &self->restoration, error);
}

// ---- devices

// What becomes a device that would be written can be written.
static void convert(struct source_drill *self) {
    ERROR_AUTO error = {0};
    device_release(&self->device);
    device_init(&self->device);
    int result = self->driver->convert(self->source, self->record, &self->device, &error);
    fuzz_check((result == 0) != error_is_set(&error));
    if (result == 0) result = device_clean(&self->device, &error);
    if (result == 0) result = device_validate(&self->device, frequency_plans_builtin(), &error);
    if (result != 0) return;
    BUFFER_AUTO json;
    buffer_init(&json, BUFFER_UNLIMITED);
    message_json_write(&self->device.end_device->base, &json);
}

bool source_drill_prepare(struct source_drill *self) {
    return source_drill_run(self, prepare) == JOB_DONE;
}

void source_drill_list(struct source_drill *self) {
    do {
        if (source_drill_run(self, list) != JOB_DONE) return;
    } while (self->page.cursor != NULL && self->drill.input.size > 0);
    for (size_t i = 0; i < self->page.count; i++) {
        self->record = &self->page.records[i];
        convert(self);
    }
}

void source_drill_device(struct source_drill *self, const char *id) {
    self->record = source_page_add(&self->page);
    self->record->id = memory_strdup(id);
    if (source_drill_run(self, read_record) != JOB_DONE) return;
    fuzz_check(self->record->complete);
    convert(self);
    if (source_drill_run(self, release) == JOB_DONE) source_drill_run(self, confirm);
    source_drill_run(self, restore);
}

// ---- gateways

void source_drill_convert_gateway(const struct source_driver *driver, struct source *source,
                                  const struct source_record *record) {
    ERROR_AUTO error = {0};
    GATEWAY_AUTO gateway;
    gateway_init(&gateway);
    int result = driver->convert_gateway(source, record, &gateway, &error);
    fuzz_check((result == 0) != error_is_set(&error));
    if (result != 0) return;
    BUFFER_AUTO json;
    buffer_init(&json, BUFFER_UNLIMITED);
    message_json_write(&gateway.message->base, &json);
    fuzz_check(gateway.message->ids->gateway_id[0] != '\0');
}
