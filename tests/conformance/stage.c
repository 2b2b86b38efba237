// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "conformance.h"
#include "journal/key_set.h"
#include "networks/networks.h"

enum { LOGINS_MAX = 3, PAGES_MAX = 100 };

static int64_t now(void *context) {
    (void)context;
    return WIRE_NOW;
}

static void fill(void *context, void *data, size_t size) {
    (void)context;
    for (size_t i = 0; i < size; i++) ((uint8_t *)data)[i] = (uint8_t)(i * 7 + 1);
}

static const struct clock still_clock = {.wall = now, .monotonic = now};
static const struct random same_random = {.fill = fill};

// ---- files

static void open_file(struct stage *stage, const char *text) {
    stage->setup.input = network_text_reader(text);
    assert_int_equal(key_set_open_temporary(&stage->seen, &stage->error), 0);
    stage->setup.seen = stage->seen;
}

// ---- open and close

static void set_option(struct stage *stage, const char *name, size_t size, const char *value) {
    const struct option_spec *spec = option_find(stage->driver->options, name, size);
    assert_non_null(spec);
    assert_int_equal(option_set(stage->options, spec, spec->name, value, &stage->error), 0);
}

static void set_options(struct stage *stage, const char *const *options) {
    for (; options != NULL && *options != NULL; options++) {
        size_t size = strcspn(*options, "=");
        set_option(stage, *options, size, *options + size + 1);
    }
}

static void open_network(struct stage *stage, const struct stage_setup *setup) {
    const struct fixture *fixture = stage->fixture;
    struct world_setup world = {.seed = 3};
    fixture->populate(&world, setup->devices);
    stage->wire.world = world_new(&world);
    world_announce_handler(stage->wire.world, "handler.example:1904", "", "");
    const char *(*right_key)(const struct world *) = fixture->key;
    const char *option = fixture->key_option;
    if (setup->gateways) {
        set_options(stage, fixture->gateway_options);
        if (fixture->gateway_key != NULL) right_key = fixture->gateway_key;
        if (fixture->gateway_key_option != NULL) option = fixture->gateway_key_option;
    }
    stage->key = memory_strdup(setup->key != NULL ? setup->key : right_key(stage->wire.world));
    set_option(stage, option, strlen(option), stage->key);
}

void stage_open(struct stage *stage, const struct fixture *fixture, const struct stage_setup *setup) {
    *stage = (struct stage){.fixture = fixture};
    stage->driver = source_find(source_drivers(), fixture->source, strlen(fixture->source));
    assert_non_null(stage->driver);
    stage->options = option_values_new(stage->driver->options);
    device_init(&stage->device);
    set_options(stage, fixture->options);
    stage->setup = (struct source_setup){
        .options = stage->options,
        .plans = frequency_plans_builtin(),
        .naming = &stage->naming,
        .clock = &still_clock,
        .random = &same_random,
        .dry_run = setup->dry_run,
        .gateways = setup->gateways,
    };
    if (fixture->text != NULL) {
        open_file(stage, setup->text != NULL ? setup->text : fixture->text);
    } else {
        open_network(stage, setup);
    }
    if (stage->driver->open(&stage->setup, &stage->source, &stage->error) != 0)
        fail_msg("%s", stage->error.message);
}

static void forget_job(struct stage *stage) {
    arena_release(&stage->arena);
    error_release(&stage->error);
}

void stage_close(struct stage *stage) {
    forget_job(stage);
    source_page_release(&stage->page);
    source_record_release(&stage->record);
    device_release(&stage->device);
    stage->driver->close(stage->source);
    reader_close(stage->setup.input);
    key_set_free(stage->seen);
    option_values_free(stage->options);
    world_free(stage->wire.world);
    free(stage->key);
}

// ---- operations

struct run {
    struct stage *stage;
    enum operation operation;
};

static enum job_step step(void *context, struct job *job, struct error *error) {
    const struct run *run = context;
    struct stage *stage = run->stage;
    const struct source_driver *driver = stage->driver;
    struct source *source = stage->source;
    switch (run->operation) {
        case OPERATION_PREPARE:
            return driver->prepare(source, job, driver->default_application(source), error);
        case OPERATION_LIST:
            return driver->list(source, job, &stage->page, error);
        case OPERATION_FORMATTERS:
            return driver->formatters(source, job, &stage->formatters, error);
        case OPERATION_READ:
            return driver->read(source, job, &stage->record, error);
        case OPERATION_RELEASE:
            return driver->release(source, job, &stage->record, &stage->device, error);
        case OPERATION_RESTORE:
            return driver->restore(source, job, &stage->record, &stage->restoration, error);
        case OPERATION_CONFIRM:
            return driver->confirm(source, job, &stage->record, NULL, &stage->confirmation, error);
        case OPERATION_PREPARE_GATEWAYS:
            return driver->prepare_gateways(source, job, error);
        case OPERATION_LIST_GATEWAYS:
            return driver->list_gateways(source, job, &stage->page, error);
        case OPERATION_READ_GATEWAY:
        default:
            return driver->read_gateway(source, job, &stage->record, error);
    }
}

static enum job_step run_once(struct stage *stage, enum operation operation) {
    forget_job(stage);
    struct run run = {stage, operation};
    struct job job = {.arena = &stage->arena, .again = stage->again};
    if (operation == OPERATION_RESTORE) stage->restoration = (struct source_restoration){0};
    stage->formatters = (struct source_formatters){.arena = &stage->arena};
    if (operation == OPERATION_CONFIRM) stage->confirmation = (struct source_confirmation){0};
    enum job_step result = wire_run(&stage->wire, &job, step, &run, &stage->error);
    stage->unchanged = job.unchanged;
    wire_check_error(&stage->error, stage->key);
    return result;
}

enum job_step stage_run(struct stage *stage, enum operation operation) {
    bool gateway = operation >= OPERATION_PREPARE_GATEWAYS;
    enum operation login = gateway ? OPERATION_PREPARE_GATEWAYS : OPERATION_PREPARE;
    for (int i = 0; i < LOGINS_MAX; i++) {
        enum job_step result = run_once(stage, operation);
        if (result != JOB_LOGIN) return result;
        result = run_once(stage, login);
        if (result != JOB_DONE) return result;
    }
    fail_msg("the source wants to log in again and again");
    return JOB_FAILED;
}

void stage_must(struct stage *stage, enum operation operation) {
    static const char *const names[] = {"prepare", "list",    "formatters", "read", "release",
                                        "restore", "confirm", "prepare",    "list", "read"};
    if (stage_run(stage, operation) == JOB_DONE) return;
    char *chain MEMORY_AUTO = error_chain(&stage->error);
    fail_msg("%s: %s", names[operation], chain);
}

void stage_fault(struct stage *stage, int place, enum wire_fault fault) {
    stage->wire.calls = 0;
    stage->wire.fault_at = place;
    stage->wire.fault = fault;
    stage->wire.spoiled = stage->wire.spoiled_text = false;
}

static void list_all(struct stage *stage, enum operation list) {
    struct source_page all = {0};
    source_page_release(&stage->page);
    for (int pages = 0; pages == 0 || stage->page.cursor != NULL; pages++) {
        assert_true(pages < PAGES_MAX);
        stage_must(stage, list);
        for (size_t i = 0; i < stage->page.count; i++) {
            struct source_record *from = &stage->page.records[i];
            *source_page_add(&all) = *from;
            *from = (struct source_record){0};
        }
        char *cursor = memory_take(stage->page.cursor);
        source_page_release(&stage->page);
        stage->page.cursor = cursor;
    }
    stage->page = all;
}

void stage_list_all(struct stage *stage) {
    list_all(stage, stage->setup.gateways ? OPERATION_LIST_GATEWAYS : OPERATION_LIST);
}

bool stage_take(struct stage *stage, size_t place) {
    stage_must(stage, stage->setup.gateways ? OPERATION_PREPARE_GATEWAYS : OPERATION_PREPARE);
    stage_list_all(stage);
    if (place >= stage->page.count) return false;
    source_record_release(&stage->record);
    stage->record = stage->page.records[place];
    stage->page.records[place] = (struct source_record){0};
    stage_must(stage, stage->setup.gateways ? OPERATION_READ_GATEWAY : OPERATION_READ);
    if (stage->setup.gateways) return true;
    if (stage_convert(stage) != 0) {
        char *chain MEMORY_AUTO = error_chain(&stage->error);
        fail_msg("%s: %s", stage->record.id, chain);
    }
    return true;
}

int stage_convert(struct stage *stage) {
    error_release(&stage->error);
    device_release(&stage->device);
    device_init(&stage->device);
    int result = stage->driver->convert(stage->source, &stage->record, &stage->device, &stage->error);
    assert_int_equal(result != 0, error_is_set(&stage->error));
    wire_check_error(&stage->error, stage->key);
    return result;
}
