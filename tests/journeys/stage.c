// SPDX-License-Identifier: Apache-2.0
#include "journeys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "journal/key_set.h"

// 2026-01-01
#define WALL_START (INT64_C(1767225600) * NS_PER_SECOND)
#define LATENCY    (10 * NS_PER_MS)

static struct stage *stage_of(struct transport *transport) {
    return (struct stage *)((char *)transport - offsetof(struct stage, transport));
}

static int64_t monotonic(void *context) {
    return ((const struct stage *)context)->now;
}

static int64_t wall(void *context) {
    return WALL_START + ((const struct stage *)context)->now;
}

// xorshift64 (Marsaglia).
static void fill(void *context, void *data, size_t size) {
    struct stage *stage = context;
    for (size_t i = 0; i < size; i++) {
        stage->chance ^= stage->chance << 13;
        stage->chance ^= stage->chance >> 7;
        stage->chance ^= stage->chance << 17;
        ((uint8_t *)data)[i] = (uint8_t)(stage->chance >> 24);
    }
}

// ---- transport

static void *start(struct transport *transport, const struct call *call, int64_t timeout,
                   transport_done *done, void *context) {
    struct stage *stage = stage_of(transport);
    struct stage_flight *flight = stage->flights;
    while (flight < stage->flights + STAGE_FLIGHTS_MAX && flight->used) flight++;
    assert_true(flight < stage->flights + STAGE_FLIGHTS_MAX);
    *flight = (struct stage_flight){.used = true, .done = done, .context = context};
    ARENA_AUTO arena = {0};
    struct network_request made;
    struct world_reply answer;
    network_request(&arena, call, &made);
    assert_true(made.request.endpoint < WORLD_ENDPOINTS);
    stage->calls++;
    if (call->changes) stage->changes++;
    bool far = stage->there != NULL && strstr(call->server->address, "target") != NULL;
    if (stage->watch != NULL) stage->watch(stage->watch_context, call, STAGE_SENT);
    world_call(far ? stage->there : stage->world, clock_wall(&stage->clock), &made.request, &answer);
    if (stage->watch != NULL) stage->watch(stage->watch_context, call, STAGE_DONE);
    if (stage->spoil != NULL) stage->spoil(stage->spoil_context, stage->calls, &answer);
    network_reply(&answer, call->kind, &flight->reply);
    flight->due = stage->now + (answer.delivery == WORLD_HANG ? timeout : LATENCY + answer.delay);
    world_reply_release(&answer);
    return flight;
}

static void cancel(struct transport *transport, void *handle) {
    (void)transport;
    struct stage_flight *flight = handle;
    reply_release(&flight->reply);
    flight->used = false;
}

static int wait_for(struct transport *transport, int64_t timeout, struct error *error) {
    (void)error;
    struct stage *stage = stage_of(transport);
    struct stage_flight *first = NULL;
    for (size_t i = 0; i < STAGE_FLIGHTS_MAX; i++) {
        struct stage_flight *flight = &stage->flights[i];
        if (flight->used && (first == NULL || flight->due < first->due)) first = flight;
    }
    assert_true(first != NULL || timeout >= 0);
    if (first == NULL || (timeout >= 0 && first->due > stage->now + timeout)) {
        stage->now += timeout;
        return 0;
    }
    if (first->due > stage->now) stage->now = first->due;
    struct reply reply = first->reply;
    first->reply = (struct reply){0};
    first->used = false;
    first->done(first->context, &reply);
    reply_release(&reply);
    return 0;
}

static const struct transport_operations operations = {.start = start, .cancel = cancel, .wait = wait_for};

// ---- output and messages

struct memory_file {
    struct file base;
    struct stage *stage;
};

static int file_write(struct file *file, const void *data, size_t size, struct error *error) {
    (void)error;
    buffer_add(&((struct memory_file *)file)->stage->output, data, size);
    return 0;
}

static int file_sync(struct file *file, struct error *error) {
    (void)file;
    (void)error;
    return 0;
}

static const struct file_operations file_operations = {.write = file_write, .sync = file_sync};

static void write_log(void *context, const struct log_record *record) {
    struct stage *stage = context;
    const char *texts[] = {record->device_id, record->server, record->method, record->message};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i] != NULL) buffer_printf(&stage->told, "%s ", texts[i]);
    char *words MEMORY_AUTO = record->error == NULL ? NULL : error_chain(record->error);
    buffer_printf(&stage->told, "%s%s\n", words == NULL ? "" : words,
                  record->error != NULL && record->error->hint != NULL ? record->error->hint : "");
}

// ---- the stage

void stage_open(struct stage *stage, const struct network_source *network, uint64_t devices) {
    *stage = (struct stage){.network = network,
                            .driver = source_find(source_drivers(), network->driver, strlen(network->driver)),
                            .transport.operations = &operations,
                            .chance = 88172645463325252U,
                            .now = NS_PER_SECOND};
    assert_non_null(stage->driver);
    stage->clock = (struct clock){.context = stage, .monotonic = monotonic, .wall = wall};
    stage->random = (struct random){.context = stage, .fill = fill};
    struct world_setup setup = {.seed = 7};
    network->populate(&setup, devices);
    stage->world = world_new(&setup);
    network->options(stage->world, &stage->options);
    stage_release_way(stage, NULL);
    stage_to(stage, network_target_find("lines"));
    buffer_init(&stage->output, BUFFER_UNLIMITED);
    buffer_init(&stage->told, BUFFER_UNLIMITED);
}

void stage_release_way(struct stage *stage, const char *way) {
    if (way == NULL) way = stage->network->keep_way;
    if (way != NULL && stage->network->release_option != NULL)
        network_option(&stage->options, stage->network->release_option, way);
}

void stage_to(struct stage *stage, const struct network_target *target) {
    stage->target = target;
    stage->target_driver = target_find(target->driver);
    assert_non_null(stage->target_driver);
    if (target->options == NULL) return;
    stage->there = world_new(&(struct world_setup){.seed = 7});
    stage->others = stage_arrived(stage);
}

size_t stage_arrived(const struct stage *stage) {
    struct network_device device = {0};
    size_t count = 0;
    for (size_t i = 0; stage->target->device(stage->there, i, &device); i++) count += device.id[0] != '\0';
    return count - stage->others;
}

size_t stage_movable(const struct stage *stage) {
    struct network_device device = {0};
    size_t count = 0;
    for (size_t i = 0; stage->network->device(stage->world, i, &device); i++)
        count += device.id[0] != '\0' && !(device.group && stage->target->no_groups);
    return count;
}

// Keys stand in the output as they are; of what people are told none may be there, in any case of letters.
static void check_secrets(struct stage *stage) {
    static const char *const members[] = {"\"key\":\"", NULL};
    for (size_t i = 0; i < stage->options.count; i++) {
        const struct option_spec *spec = option_find(stage->driver->options, stage->options.items[i].name,
                                                     strlen(stage->options.items[i].name));
        if (spec != NULL && (spec->flags & OPTION_SECRET) != 0)
            assert_null(strstr(stage_words(stage), stage->options.items[i].value));
    }
    for (const char *at = buffer_string(&stage->output); (at = strstr(at, members[0])) != NULL; at++) {
        char key[33];
        snprintf(key, sizeof key, "%.32s", at + strlen(members[0]));
        if (strcasestr(stage_words(stage), key) != NULL) fail_msg("a key was told: %s", stage_words(stage));
    }
}

void stage_close(struct stage *stage) {
    check_secrets(stage);
    for (size_t i = 0; i < STAGE_FLIGHTS_MAX; i++) reply_release(&stage->flights[i].reply);
    world_free(stage->world);
    world_free(stage->there);
    network_options_release(&stage->options);
    buffer_release(&stage->output);
    buffer_release(&stage->told);
    error_release(&stage->error);
    journal_close(stage->journal);
}

// ---- runs

static int feed(void *context, run_id_receiver *receiver, void *receiver_context, struct error *error) {
    int result = 0;
    for (const char *const *id = context; *id != NULL && result == 0; id++)
        result = receiver(receiver_context, *id, error);
    return result;
}

static int run_with(struct stage *stage, struct source *source, struct target *target, enum stage_kind kind,
                    const char *const *ids) {
    static const struct device_naming naming;
    struct memory_file output = {.base = {.operations = &file_operations, .name = "the output"},
                                 .stage = stage};
    const struct log log = {.least = LOG_DEBUG, .context = stage, .write = write_log};
    const struct run_setup setup = {
        .driver = stage->driver,
        .source = source,
        .target = stage->target_driver,
        .target_instance = target,
        .output = target != NULL        ? NULL
                  : stage->file == NULL ? &output.base
                                        : stage->file,
        .output_size = stage->file_size,
        .journal = stage->journal,
        .transport = &stage->transport,
        .clock = &stage->clock,
        .random = &stage->random,
        .log = &log,
        .naming = &naming,
        .plans = frequency_plans_builtin(),
        .concurrency = 4,
        .timeout = 10 * NS_PER_SECOND,
        .dry_run = stage->dry_run,
        .keep_going = stage->keep_going,
    };
    struct run *run = run_new(&setup, &stage->error);
    assert_non_null(run);
    const char *application = stage->network->application(stage->world);
    int result = 0;
    if (kind == STAGE_ALL) result = run_application(run, application, &stage->error);
    if (kind == STAGE_IDS)
        result = run_devices(run, application, feed, (void *)(uintptr_t)ids, &stage->error);
    if (kind == STAGE_AGAIN) result = run_resume(run, &stage->error);
    if (kind == STAGE_BACK) result = run_rollback(run, NULL, NULL, &stage->error);
    stage->numbers = *run_numbers(run);
    run_free(run);
    return result;
}

static int open_target(struct stage *stage, enum stage_kind kind, struct option_values **ret_values,
                       struct target **ret_target) {
    struct network_options options = {0};
    if (stage->there == NULL) return 0;
    stage->target->options(stage->there, &options);
    int result = network_options_set(&options, stage->target_driver->options, ret_values, &stage->error);
    network_options_release(&options);
    const struct target_setup setup = {.options = *ret_values,
                                       .plans = frequency_plans_builtin(),
                                       .clock = &stage->clock,
                                       .random = &stage->random,
                                       .dry_run = stage->dry_run,
                                       .rollback = kind == STAGE_BACK};
    if (result == 0) result = stage->target_driver->open(&setup, ret_target, &stage->error);
    if (result == 0) (*ret_target)->run = "20260101T000000Z-0000001";
    return result;
}

int stage_play(struct stage *stage, enum stage_kind kind, const char *const *ids) {
    static const struct device_naming naming;
    struct option_values *values = NULL, *target_values = NULL;
    struct source *source = NULL;
    struct target *target = NULL;
    struct reader *input = NULL;
    struct key_set *seen = NULL;
    error_release(&stage->error);
    int result = network_options_set(&stage->options, stage->driver->options, &values, &stage->error);
    // As the program does: whoever goes on knows the devices.
    if (stage->network->text != NULL && kind == STAGE_ALL) {
        input = network_text_reader(stage->network->text);
        if (result == 0) result = key_set_open_temporary(&seen, &stage->error);
    }
    const struct source_setup setup = {.options = values,
                                       .plans = frequency_plans_builtin(),
                                       .naming = &naming,
                                       .clock = &stage->clock,
                                       .random = &stage->random,
                                       .to_server = stage->there != NULL,
                                       .dry_run = stage->dry_run,
                                       .input = input,
                                       .seen = seen};
    if (result == 0) result = stage->driver->open(&setup, &source, &stage->error);
    if (result == 0) result = open_target(stage, kind, &target_values, &target);
    if (result == 0) result = run_with(stage, source, target, kind, ids);
    if (target != NULL) stage->target_driver->close(target);
    option_values_free(target_values);
    stage->driver->close(source);
    key_set_free(seen);
    reader_close(input);
    option_values_free(values);
    return -result;
}

int stage_run(struct stage *stage, const char *const *ids) {
    journal_close(stage->journal);
    stage->journal = NULL;
    buffer_clear(&stage->output);
    assert_int_equal(journal_open_temporary(&stage->journal, NULL), 0);
    return stage_play(stage, ids == NULL ? STAGE_ALL : STAGE_IDS, ids);
}

int stage_rollback(struct stage *stage) {
    return stage_play(stage, STAGE_BACK, NULL);
}

void stage_abandon(struct stage *stage) {
    for (size_t i = 0; i < STAGE_FLIGHTS_MAX; i++) {
        reply_release(&stage->flights[i].reply);
        stage->flights[i].used = false;
    }
    stage->error = (struct error){0};
    stage->journal = NULL;
    stage->file = NULL;
}

// ---- looking

size_t stage_lines(const struct stage *stage) {
    size_t lines = 0;
    for (size_t i = 0; i < stage->output.size; i++) lines += stage->output.data[i] == '\n';
    return lines;
}

const char *stage_words(struct stage *stage) {
    if (error_is_set(&stage->error)) {
        char *words MEMORY_AUTO = error_chain(&stage->error);
        buffer_printf(&stage->told, "%s %s\n", words, stage->error.hint == NULL ? "" : stage->error.hint);
    }
    return stage->told.size == 0 ? "" : buffer_string(&stage->told);
}

static size_t count_devices(const struct stage *stage, bool served) {
    struct network_device device = {0};
    size_t count = 0;
    for (size_t i = 0; stage->network->device(stage->world, i, &device); i++)
        count += device.id[0] != '\0' && (device.served || !served);
    return count;
}

size_t stage_served(const struct stage *stage) {
    return count_devices(stage, true);
}

size_t stage_devices(const struct stage *stage) {
    return count_devices(stage, false);
}
