// SPDX-License-Identifier: Apache-2.0
// Cases: drawn from a seed, changed by name.
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "sim.h"

// ---- faults in the world's words; 0 is none

static const char *const kinds[] = {
    NULL,
    "unavailable",
    "resource-exhausted",
    "resource-exhausted-13",
    "internal",
    "aborted",
    "unavailable-after",
    "reset-before",
    "reset-after",
    "reset-middle",
    "no-trailers",
    "deadline",
    "deadline-after",
    "delay=300ms",
    "delay=8s",
    "garbage",
    "empty",
    "oversized=300000",
    "goaway",
    "refuse=400ms",
    "refuse=5s",
    "garbage-http",
    "token-expired",
    "half",
};
static const char *const methods[] = {"SetDevice", "GetDevice",  "GetDevicesForApplication",
                                      "*",         "GetByAppID", "token"};
// Of The Things Stack: first what is asked for each device.
static const char *const tts_methods[] = {
    "NsEndDeviceRegistry/Set",
    "NsEndDeviceRegistry/Get",
    "EndDeviceRegistry/Create",
    "JsEndDeviceRegistry/Set",
    "EndDeviceRegistry/Get",
    "AsEndDeviceRegistry/Set",
    "NsEndDeviceRegistry/Delete",
    "EndDeviceRegistry/Delete",
    "JsEndDeviceRegistry/Delete",
    "*",
    "AsEndDeviceRegistry/Delete",
    "EndDeviceRegistry/GetIdentifiersForEUIs",
    "SetDevice",
    "EndDeviceRegistry/Update",
    "EndDeviceRegistry/List",
    "GetDevice",
};
// What a target may reject of some devices for good; 0 is none.
static const char *const rejections[] = {
    NULL,
    "NsEndDeviceRegistry/Set",
    "AsEndDeviceRegistry/Set",
    "JsEndDeviceRegistry/Set",
    "EndDeviceRegistry/Create",
};
static const char *const counts[] = {"every", "at", "count"};

enum {
    KINDS = sizeof kinds / sizeof *kinds,
    METHODS = sizeof methods / sizeof *methods,
    COUNTS = sizeof counts / sizeof *counts,
    TTS_METHODS = sizeof tts_methods / sizeof *tts_methods,
    REJECTIONS = sizeof rejections / sizeof *rejections,
};

static bool has_tts(const struct sim_case *drawn) {
    return drawn->source == SIM_TTS || drawn->target == SIM_TTS;
}

bool case_fault_spec(const struct sim_case *drawn, size_t index, char *spec, size_t size) {
    const struct case_fault *fault = &drawn->faults[index];
    const char *method =
        has_tts(drawn) ? tts_methods[fault->method % TTS_METHODS] : methods[fault->method % METHODS];
    if (fault->kind <= 0 || fault->kind >= KINDS) return false;
    snprintf(spec, size, "%s:%s:%s=%lld", method, kinds[fault->kind], counts[fault->count % COUNTS],
             (long long)(fault->number > 0 ? fault->number : 1));
    return true;
}

bool case_rejection_spec(const struct sim_case *drawn, char *spec, size_t size) {
    if (drawn->target != SIM_TTS || drawn->rejects <= 0 || drawn->rejects >= REJECTIONS) return false;
    snprintf(spec, size, "%s:rejected:every=%lld", rejections[drawn->rejects],
             (long long)(drawn->rejects_every > 0 ? drawn->rejects_every : 1));
    return true;
}

// ---- drawing

static int64_t draw(struct prng *prng, uint32_t least, uint32_t most) {
    return least + prng_below(prng, most - least + 1);
}

static bool one_in(struct prng *prng, uint32_t count) {
    return prng_below(prng, count) == 0;
}

static void draw_fault(struct prng *prng, bool tts, struct case_fault *fault) {
    fault->kind = draw(prng, 1, KINDS - 1);
    // Mostly what is asked for each device.
    fault->method = one_in(prng, 3) ? draw(prng, 0, METHODS - 1) : draw(prng, 0, 1);
    if (tts) fault->method = draw(prng, 0, TTS_METHODS - 1);
    // V2's own: its SetDevice is done by halves.
    if (!tts && one_in(prng, 8)) {
        fault->kind = KINDS - 1;
        fault->method = 0;
    }
    fault->count = draw(prng, 0, COUNTS - 1);
    fault->number = fault->count == 0   ? draw(prng, 2, 9)
                    : fault->count == 1 ? draw(prng, 1, 20)
                                        : draw(prng, 1, 4);
}

// The events of a run are a few for its start and its end, and some for each device.
static int64_t draw_event(struct prng *prng, const struct sim_case *drawn, bool first) {
    uint32_t events = 60 + (uint32_t)drawn->devices * 16;
    if (!first) events = 40 + (uint32_t)drawn->devices * 8;
    if (drawn->target == SIM_TTS) events *= 4;
    return one_in(prng, 3) ? draw(prng, 1, 60) : draw(prng, 1, events);
}

// Apart from the rest, so that this can change without it.
static void draw_pair(struct sim_case *drawn, uint64_t seed) {
    struct prng prng = prng_init(seed, 0xB07);
    static const struct {
        enum sim_network source, target;
    } pairs[] = {{SIM_V2, SIM_V2},  {SIM_V2, SIM_V2},   {SIM_V2, SIM_TTS}, {SIM_V2, SIM_TTS},
                 {SIM_TTS, SIM_V2}, {SIM_TTS, SIM_TTS}, {SIM_TTS, SIM_TTS}};
    uint32_t pair = prng_below(&prng, sizeof pairs / sizeof *pairs);
    drawn->source = pairs[pair].source;
    drawn->target = pairs[pair].target;
    drawn->release = draw(&prng, 0, 2);
    drawn->together = one_in(&prng, 3);
    drawn->conflicts = one_in(&prng, 2) ? 0 : draw(&prng, 1, 6);
    drawn->on_conflict = draw(&prng, 0, 2);
    drawn->no_plan = one_in(&prng, 3);
    if (one_in(&prng, 3)) {
        drawn->rejects = draw(&prng, 1, REJECTIONS - 1);
        drawn->rejects_every = draw(&prng, 1, 9);
    }
    // Within one cluster nobody else can have the device.
    if (one_in(&prng, 4) && !drawn->together) drawn->rivals = draw(&prng, 1, 6);
}

static void draw_process(struct prng *prng, const struct sim_case *drawn, bool first,
                         struct case_process *process) {
    process->used = 1;
    process->command = !first && one_in(prng, 4) ? SIM_ROLLBACK : SIM_RESUME;
    if (!one_in(prng, 5)) process->kill_at = draw_event(prng, drawn, first);
    process->power = draw(prng, 0, 1);
    if (one_in(prng, 8)) process->interrupt_at = draw_event(prng, drawn, first);
    process->interrupts = draw(prng, 1, 2);
    if (one_in(prng, 10)) process->disk_full_at = draw_event(prng, drawn, first);
    process->elsewhere = one_in(prng, 8);
    process->pause = one_in(prng, 4) ? draw(prng, 60000, 3600000) : draw(prng, 500, 5000);
}

// Likewise apart.
static void draw_others(struct sim_case *drawn, uint64_t seed) {
    struct prng prng = prng_init(seed, 0x07E);
    if (one_in(&prng, 6)) {
        drawn->losses = draw(&prng, 1, LOSSES - 1);
        drawn->losses_every = draw(&prng, 1, 6);
    }
    if (one_in(&prng, 6)) drawn->meddles = draw(&prng, 1, 6);
    for (size_t i = 1; i < PROCESSES; i++) {
        struct case_process *process = &drawn->processes[i];
        if (one_in(&prng, 5)) process->command = SIM_ROLLBACK_SOME;
        process->ids = draw(&prng, 0, 255);
        process->no_retry = one_in(&prng, 3);
    }
    if (one_in(&prng, 4)) drawn->joins = draw(&prng, 1, 3);
}

void case_draw(struct sim_case *drawn, uint64_t seed) {
    struct prng prng = prng_init(seed, 0xCA5E);
    *drawn = (struct sim_case){
        .devices = one_in(&prng, 3) ? draw(&prng, 9, 24) : draw(&prng, 1, 8),
        .broken = one_in(&prng, 8),
        .concurrency = draw(&prng, 1, 8),
        .latency = draw(&prng, 0, 100),
        .jitter = draw(&prng, 0, 60),
        .uplinks = one_in(&prng, 3) ? 0 : draw(&prng, 1, 60),
        .rate_limit = one_in(&prng, 10) ? draw(&prng, 5, 20) : 0,
        .timeout = draw(&prng, 1000, 10000),
        .account = one_in(&prng, 6),
        .with_session = !one_in(&prng, 6),
        .eui_as_id = one_in(&prng, 6),
        .by_id = one_in(&prng, 6),
        .pipe = one_in(&prng, 4),
        .rollback = one_in(&prng, 3),
    };
    draw_pair(drawn, seed);
    drawn->keep_going = drawn->broken ? !one_in(&prng, 8) : one_in(&prng, 4);
    int64_t faults = one_in(&prng, 3) ? 0 : draw(&prng, 1, FAULTS);
    for (int64_t i = 0; i < faults; i++) draw_fault(&prng, has_tts(drawn), &drawn->faults[i]);
    int64_t processes = draw(&prng, 1, PROCESSES);
    for (int64_t i = 0; i < processes; i++) draw_process(&prng, drawn, i == 0, &drawn->processes[i]);
    draw_others(drawn, seed);
}

// ---- by name

#define NUMBER(member) \
    { #member, offsetof(struct sim_case, member) }
#define FAULT(n)                                                             \
    {"fault" #n, offsetof(struct sim_case, faults[n].kind)},                 \
        {"fault" #n ".method", offsetof(struct sim_case, faults[n].method)}, \
        {"fault" #n ".count", offsetof(struct sim_case, faults[n].count)}, { \
        "fault" #n ".number", offsetof(struct sim_case, faults[n].number)    \
    }
#define PROCESS(n)                                                                         \
    {"process" #n, offsetof(struct sim_case, processes[n].used)},                          \
        {"process" #n ".command", offsetof(struct sim_case, processes[n].command)},        \
        {"process" #n ".kill", offsetof(struct sim_case, processes[n].kill_at)},           \
        {"process" #n ".power", offsetof(struct sim_case, processes[n].power)},            \
        {"process" #n ".interrupt", offsetof(struct sim_case, processes[n].interrupt_at)}, \
        {"process" #n ".interrupts", offsetof(struct sim_case, processes[n].interrupts)},  \
        {"process" #n ".full", offsetof(struct sim_case, processes[n].disk_full_at)},      \
        {"process" #n ".elsewhere", offsetof(struct sim_case, processes[n].elsewhere)},    \
        {"process" #n ".pause", offsetof(struct sim_case, processes[n].pause)},            \
        {"process" #n ".ids", offsetof(struct sim_case, processes[n].ids)}, {              \
        "process" #n ".no_retry", offsetof(struct sim_case, processes[n].no_retry)         \
    }

static const struct {
    const char *name;
    size_t place;
} numbers[] = {
    PROCESS(3),
    PROCESS(2),
    PROCESS(1),
    FAULT(0),
    FAULT(1),
    FAULT(2),
    FAULT(3),
    NUMBER(broken),
    NUMBER(devices),
    NUMBER(uplinks),
    NUMBER(account),
    NUMBER(rate_limit),
    NUMBER(by_id),
    NUMBER(pipe),
    NUMBER(rollback),
    NUMBER(concurrency),
    NUMBER(eui_as_id),
    NUMBER(keep_going),
    NUMBER(latency),
    NUMBER(jitter),
    NUMBER(timeout),
    NUMBER(with_session),
    NUMBER(rejects),
    NUMBER(rejects_every),
    NUMBER(rivals),
    NUMBER(conflicts),
    NUMBER(on_conflict),
    NUMBER(no_plan),
    NUMBER(losses),
    NUMBER(losses_every),
    NUMBER(meddles),
    NUMBER(joins),
    NUMBER(together),
    NUMBER(release),
    NUMBER(source),
    NUMBER(target),
    PROCESS(0),
};

const char *case_name(const struct sim_case *named, size_t index, const int64_t **ret_place) {
    if (index >= sizeof numbers / sizeof *numbers) return NULL;
    *ret_place = (const int64_t *)(const void *)((const char *)named + numbers[index].place);
    return numbers[index].name;
}

bool case_set(struct sim_case *changed, const char *name, int64_t value) {
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (strcmp(numbers[i].name, name) != 0) continue;
        *(int64_t *)(void *)((char *)changed + numbers[i].place) = value;
        return true;
    }
    return false;
}
