// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "journeys.h"

enum { SOME = 7 };

static bool lists(const struct network_source *network, const struct source_driver *driver) {
    (void)network;
    return (driver->features & SOURCE_LISTS) != 0;
}

static bool changes(const struct network_source *network, const struct source_driver *driver) {
    (void)network;
    return (driver->features & SOURCE_CHANGES) != 0;
}

static bool keeps(const struct network_source *network, const struct source_driver *driver) {
    (void)driver;
    return network->keep_way != NULL;
}

// A run that ends well, with as many lines as there are devices.
static void run_well(struct stage *stage) {
    int result = stage_run(stage, NULL);
    if (result != 0) fail_msg("%s: %s", stage->network->name, stage_words(stage));
}

static void snapshot(const struct stage *stage, struct buffer *state) {
    buffer_init(state, BUFFER_UNLIMITED);
    stage->network->state(stage->world, state);
}

static void assert_state(const struct stage *stage, const struct buffer *wanted, const char *when) {
    BUFFER_AUTO now;
    snapshot(stage, &now);
    buffer_putc(&now, '\0');
    const char *a = (const char *)now.data,
               *b = wanted->size == 0 ? "" : buffer_string((struct buffer *)(uintptr_t)wanted);
    while (*a != '\0' || *b != '\0') {
        size_t size_a = strcspn(a, "\n"), size_b = strcspn(b, "\n");
        if (size_a != size_b || memcmp(a, b, size_a) != 0)
            fail_msg("%s: %s, its network has\n%.*s\ninstead of\n%.*s", stage->network->name, when,
                     (int)size_a, a, (int)size_b, b);
        a += size_a + (a[size_a] == '\n');
        b += size_b + (b[size_b] == '\n');
    }
}

// ---- listing and reading

// No line twice, none missing; what the engine wrote has passed the validation of devices.
static void play_lists(const struct network_source *network) {
    static const uint64_t counts[] = {0, 1, SOME, 130, 1010};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct stage stage;
        stage_open(&stage, network, counts[i]);
        stage.dry_run = true;
        stage.keep_going = true;
        size_t devices = stage_devices(&stage);
        int result = stage_run(&stage, NULL);
        if (result != 0 && devices > 0) fail_msg("%s: %s", network->name, stage_words(&stage));
        // Large populations have some that cannot go: each is told.
        assert_int_equal(stage_lines(&stage) + stage.numbers.failed, devices);
        if (devices <= SOME) assert_int_equal(stage.numbers.failed, 0);
        struct network_device device = {0};
        for (size_t k = 0; counts[i] <= SOME && network->device(stage.world, k, &device); k++) {
            if (device.id[0] == '\0') continue;
            const char *at = strcasestr(buffer_string(&stage.output), device.id);
            if (at == NULL) fail_msg("%s: %s has no line", network->name, device.id);
        }
        stage_close(&stage);
    }
}

static void play_missing(const struct network_source *network) {
    struct stage stage;
    stage_open(&stage, network, SOME);
    stage.dry_run = true;
    const char *const ids[] = {network->missing, NULL};
    assert_int_not_equal(stage_run(&stage, ids), 0);
    if (strcasestr(stage_words(&stage), network->missing) == NULL)
        fail_msg("%s: the device is not named: %s", network->name, stage_words(&stage));
    assert_int_equal(stage_lines(&stage), 0);
    stage_close(&stage);
}

static void play_wrong_key(const struct network_source *network) {
    struct stage stage;
    stage_open(&stage, network, SOME);
    network_option(&stage.options, network->key_option, network->wrong_key);
    int result = stage_run(&stage, NULL);
    if (result == 0) fail_msg("%s takes any key", network->name);
    if (stage.error.hint == NULL && result != ERROR_DENIED)
        fail_msg("%s: nothing says what to do: %s", network->name, stage_words(&stage));
    assert_int_equal(stage_lines(&stage), 0);
    stage_close(&stage);
}

static void play_dry_run(const struct network_source *network) {
    struct stage stage;
    BUFFER_AUTO before;
    stage_open(&stage, network, SOME);
    stage_release_way(&stage, network->release_ways[0]);
    stage.dry_run = true;
    snapshot(&stage, &before);
    run_well(&stage);
    assert_int_equal(stage.changes, 0);
    assert_int_equal(stage_lines(&stage), SOME);
    assert_state(&stage, &before, "after a dry run");
    stage_close(&stage);
}

static void play_keeps(const struct network_source *network) {
    struct stage stage;
    BUFFER_AUTO before;
    stage_open(&stage, network, SOME);
    snapshot(&stage, &before);
    run_well(&stage);
    assert_int_equal(stage.changes, 0);
    assert_state(&stage, &before, "after a run that keeps devices");
    stage_close(&stage);
}

// ---- releasing and putting back

static void play_release(const struct network_source *network) {
    for (const char *const *way = network->release_ways; *way != NULL; way++) {
        struct stage stage;
        BUFFER_AUTO before;
        stage_open(&stage, network, SOME);
        stage_release_way(&stage, *way);
        snapshot(&stage, &before);
        run_well(&stage);
        assert_int_equal(stage_lines(&stage), SOME);
        assert_int_equal(stage.numbers.released, SOME);
        if (stage_served(&stage) != 0)
            fail_msg("%s, %s: %zu devices are still served", network->name, *way, stage_served(&stage));
        int result = stage_rollback(&stage);
        if (result != 0) fail_msg("%s, %s: %s", network->name, *way, stage_words(&stage));
        assert_state(&stage, &before, "after a rollback");
        assert_int_equal(stage_served(&stage), SOME);
        // Once more: there is nothing left to do.
        uint64_t changed = stage.changes;
        result = stage_rollback(&stage);
        if (result != 0) fail_msg("%s, %s, twice: %s", network->name, *way, stage_words(&stage));
        assert_int_equal(stage.changes, changed);
        assert_state(&stage, &before, "after a second rollback");
        stage_close(&stage);
    }
}

// From one network into another, and back again. What the target takes none of stays where it is.
static void play_moves(const struct network_source *network, const struct network_target *target) {
    for (const char *const *way = network->release_ways; *way != NULL; way++) {
        struct stage stage;
        stage_open(&stage, network, SOME);
        stage_to(&stage, target);
        stage.keep_going = true;
        stage_release_way(&stage, *way);
        size_t movable = stage_movable(&stage);
        run_well(&stage);
        assert_int_equal(stage.numbers.verified, movable);
        assert_int_equal(stage_arrived(&stage), movable);
        if (stage_served(&stage) != SOME - movable)
            fail_msg("%s, %s: %zu devices are at both", network->name, *way, stage_served(&stage));
        if (stage_rollback(&stage) != 0) fail_msg("%s, %s: %s", network->name, *way, stage_words(&stage));
        assert_int_equal(stage_arrived(&stage), 0);
        assert_int_equal(stage_served(&stage), SOME);
        stage_close(&stage);
    }
}

// The answers to each method are lost, one after the other, at both networks: every device arrives all the same.
static void play_moves_in_weather(const struct network_source *network, const struct network_target *target) {
    static const char *const faults[] = {"reset-after", "unavailable-after", "reset-before",
                                         "deadline-after"};
    struct stage calm;
    stage_open(&calm, network, SOME);
    stage_to(&calm, target);
    calm.keep_going = true;
    stage_release_way(&calm, network->release_ways[0]);
    run_well(&calm);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        for (size_t k = 0; k < calm.world->method_count + calm.there->method_count; k++) {
            struct stage stage;
            bool far = k >= calm.world->method_count;
            const char *method =
                far ? calm.there->methods[k - calm.world->method_count].name : calm.world->methods[k].name;
            char *spec MEMORY_AUTO = memory_printf("%s:%s:at=2", method, faults[i]);
            stage_open(&stage, network, SOME);
            stage_to(&stage, target);
            stage.keep_going = true;
            stage_release_way(&stage, network->release_ways[0]);
            size_t movable = stage_movable(&stage);
            assert_int_equal(world_add_fault(far ? stage.there : stage.world, spec, NULL), 0);
            run_well(&stage);
            assert_int_equal(stage_arrived(&stage), movable);
            if (stage_served(&stage) != SOME - movable)
                fail_msg("%s, %s: %zu are at both", network->name, spec, stage_served(&stage));
            stage_close(&stage);
        }
    }
    stage_close(&calm);
}

// ---- faults

// What becomes of a run of which each method is met by a fault, one method after the other. `bears`: it ends well.
static void each_method(const struct network_source *network, const char *way, const char *fault,
                        bool bears) {
    struct stage calm;
    stage_open(&calm, network, SOME);
    stage_release_way(&calm, way);
    run_well(&calm);
    BUFFER_AUTO wanted;
    snapshot(&calm, &wanted);
    for (size_t i = 0; i < calm.world->method_count; i++) {
        struct stage stage;
        stage_open(&stage, network, SOME);
        stage_release_way(&stage, way);
        char *spec MEMORY_AUTO = memory_printf("%s:%s:at=1", calm.world->methods[i].name, fault);
        assert_int_equal(world_add_fault(stage.world, spec, NULL), 0);
        int result = stage_run(&stage, NULL);
        // A server that has never answered is not waited for any longer; nothing is changed then.
        bool stranger = result == ERROR_TIMEOUT && stage.changes == 0;
        if (bears && result != 0 && !stranger)
            fail_msg("%s, %s: %s", network->name, spec, stage_words(&stage));
        if (bears && result == 0) assert_int_equal(stage_lines(&stage), SOME);
        if (bears && result == 0) assert_state(&stage, &wanted, spec);
        stage_close(&stage);
    }
    stage_close(&calm);
}

static void play_transient(const struct network_source *network) {
    static const char *const faults[] = {
        "unavailable",    "resource-exhausted", "reset-before", "reset-after", "reset-middle", "deadline",
        "deadline-after", "unavailable-after",  "no-trailers",  "goaway",      "delay=300ms"};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        each_method(network, network->keep_way, faults[i], true);
        for (const char *const *way = network->release_ways; *way != NULL; way++)
            each_method(network, *way, faults[i], true);
    }
}

// A device is never lost over an answer that makes no sense: each is in the output, or still served.
static void play_nonsense(const struct network_source *network) {
    static const char *const faults[] = {"garbage", "empty", "oversized=300000", "garbage-http", "internal"};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        each_method(network, network->release_ways[0], faults[i], false);
}

struct cut {
    uint64_t number;
    size_t part;  // of 8
};

static void cut_answer(void *context, uint64_t number, struct world_reply *answer) {
    const struct cut *cut = context;
    if (number == cut->number) answer->body.size = answer->body.size * cut->part / 8;
}

// An answer that is cut off is an error, or says the same as the whole one; never half a device.
static void play_truncated(const struct network_source *network) {
    struct stage calm;
    stage_open(&calm, network, 2);
    calm.dry_run = true;
    run_well(&calm);
    uint64_t calls = calm.calls;
    for (struct cut cut = {1, 1}; cut.number <= calls;
         cut.part < 7 ? cut.part++ : (cut.number++, cut.part = 1)) {
        struct stage stage;
        stage_open(&stage, network, 2);
        stage.dry_run = true;
        stage.spoil = cut_answer;
        stage.spoil_context = &cut;
        int result = stage_run(&stage, NULL);
        if (result == 0 && stage_lines(&stage) > stage_lines(&calm))
            fail_msg("%s: too many lines", network->name);
        stage_close(&stage);
    }
    stage_close(&calm);
}

static bool lists_and_gives_up(const struct network_source *network, const struct source_driver *driver) {
    return lists(network, driver) && !network->repeats_internal;
}

// A final refusal is not asked for again.
static void play_permanent(const struct network_source *network) {
    struct stage calm;
    stage_open(&calm, network, 1);
    calm.dry_run = true;
    run_well(&calm);
    for (size_t i = 0; i < calm.world->method_count; i++) {
        struct stage stage;
        stage_open(&stage, network, 1);
        stage.dry_run = true;
        char *spec MEMORY_AUTO = memory_printf("%s:internal", calm.world->methods[i].name);
        assert_int_equal(world_add_fault(stage.world, spec, NULL), 0);
        (void)stage_run(&stage, NULL);
        uint64_t calls = world_calls(stage.world, calm.world->methods[i].name);
        if (calls > calm.world->methods[i].calls + 1)
            fail_msg("%s: %s is made %llu times", network->name, spec, (unsigned long long)calls);
        stage_close(&stage);
    }
    stage_close(&calm);
}

const struct journey_case journey_cases[] = {
    {"lists_everything_once", lists, play_lists, NULL},
    {"a_missing_device_is_named", lists, play_missing, NULL},
    {"a_wrong_key_says_what_to_do", lists, play_wrong_key, NULL},
    {"a_dry_run_changes_nothing", changes, play_dry_run, NULL},
    {"keeping_changes_nothing", keeps, play_keeps, NULL},
    {"released_and_put_back", changes, play_release, NULL},
    {"moved_and_moved_back", changes, NULL, play_moves},
    {"moved_in_bad_weather", changes, NULL, play_moves_in_weather},
    {"what_may_pass_is_tried_again", lists, play_transient, NULL},
    {"nonsense_is_no_answer", lists, play_nonsense, NULL},
    {"a_torn_answer_is_none", lists, play_truncated, NULL},
    {"what_is_final_is_not_repeated", lists_and_gives_up, play_permanent, NULL},
    {0},
};
