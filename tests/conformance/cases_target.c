// SPDX-License-Identifier: Apache-2.0
// Targets that are servers: a device of the sandbox's source goes there, and away again.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "conformance.h"

enum { DEVICES = 3, CALLS_MAX = 80 };

enum target_operation { PREPARE, LOOK, RESERVE, IMPORT, VERIFY, RECALL, REMOVE };

// A target that is open, and the device that goes there; its source is another world.
struct goal {
    const struct target_fixture *fixture;
    const struct target_driver *driver;
    struct stage source;
    struct wire wire;
    struct option_values *options;
    struct target *target;
    char *key;  // owned
    bool again;
    struct arena arena;
    struct error error;
    struct target_look look;
    struct target_verdict verdict;
    struct device_progress progress;
    bool unchanged;                 // what the last job said
    struct target_removal removal;  // as `remove` gets it
};

struct goal_run {
    struct goal *goal;
    enum target_operation operation;
};

static void set_option(struct goal *goal, const char *name, size_t size, const char *value) {
    const struct option_spec *spec = option_find(goal->driver->options, name, size);
    assert_non_null(spec);
    assert_int_equal(option_set(goal->options, spec, spec->name, value, &goal->error), 0);
}

static enum job_step step(void *context, struct job *job, struct error *error) {
    const struct goal_run *run = context;
    struct goal *goal = run->goal;
    const struct target_driver *driver = goal->driver;
    const struct device *device = &goal->source.device;
    switch (run->operation) {
        case PREPARE:
            return driver->prepare(goal->target, job, goal->fixture->application, error);
        case LOOK:
            return driver->look(goal->target, job, device, &goal->look, error);
        case RESERVE:
            return driver->reserve(goal->target, job, device, error);
        case IMPORT:
            return driver->import(goal->target, job, device, error);
        case VERIFY:
            return driver->verify(goal->target, job, device, &goal->verdict, error);
        case RECALL:
            return driver->recall(goal->target, job, device, &goal->progress, error);
        case REMOVE:
        default:
            return driver->remove(goal->target, job, device, &goal->removal, error);
    }
}

static enum job_step goal_run(struct goal *goal, enum target_operation operation) {
    arena_release(&goal->arena);
    error_release(&goal->error);
    goal->look = (struct target_look){0};
    goal->verdict = (struct target_verdict){0};
    goal->progress = (struct device_progress){0};
    struct job job = {.arena = &goal->arena, .again = goal->again};
    struct goal_run run = {goal, operation};
    enum job_step result = wire_run(&goal->wire, &job, step, &run, &goal->error);
    wire_check_error(&goal->error, goal->key);
    goal->unchanged = job.unchanged;
    return result;
}

// As the engine does it: what waits for `prepare` begins anew after it.
static enum job_step goal_play(struct goal *goal, enum target_operation operation) {
    enum job_step result = goal_run(goal, operation);
    if (result != JOB_LOGIN || goal_run(goal, PREPARE) != JOB_DONE) return result;
    return goal_run(goal, operation);
}

static void goal_must(struct goal *goal, enum target_operation operation) {
    static const char *const names[] = {"prepare", "look", "reserve", "import", "verify", "recall", "remove"};
    if (goal_play(goal, operation) == JOB_DONE) return;
    char *chain MEMORY_AUTO = error_chain(&goal->error);
    fail_msg("%s: %s", names[operation], chain);
}

static void open_target(struct goal *goal, bool rollback) {
    const struct target_setup setup = {
        .options = goal->options,
        .plans = goal->source.setup.plans,
        .clock = goal->source.setup.clock,
        .random = goal->source.setup.random,
        .rollback = rollback,
    };
    if (goal->driver->open(&setup, &goal->target, &goal->error) != 0) fail_msg("%s", goal->error.message);
    goal->target->run = "20260101T000000Z-0000001";
}

// From now on it is a rollback of that run.
static void turn_back(struct goal *goal) {
    goal->driver->close(goal->target);
    open_target(goal, true);
    goal_must(goal, PREPARE);
}

static void goal_open(struct goal *goal, const struct target_fixture *fixture, const char *key) {
    *goal = (struct goal){.fixture = fixture, .driver = target_find(fixture->target)};
    assert_non_null(goal->driver);
    goal->wire.world = world_new(&(struct world_setup){.seed = 3});
    goal->options = option_values_new(goal->driver->options);
    for (const char *const *option = fixture->options; *option != NULL; option++) {
        size_t size = strcspn(*option, "=");
        set_option(goal, *option, size, *option + size + 1);
    }
    goal->key = memory_strdup(key != NULL ? key : fixture->key(goal->wire.world));
    set_option(goal, fixture->key_option, strlen(fixture->key_option), goal->key);
    const struct fixture *from = fixtures;
    while (strcmp(from->source, fixture->source) != 0) from++;
    stage_open(&goal->source, from, &(struct stage_setup){.devices = DEVICES});
    open_target(goal, false);
}

// The device in that place of the source is the one that goes; false: there is none.
static bool take(struct goal *goal, const struct target_fixture *fixture, size_t place) {
    goal_open(goal, fixture, NULL);
    if (!stage_take(&goal->source, place)) return false;
    goal_must(goal, PREPARE);
    if (goal->driver->adapt(goal->target, &goal->source.device, &goal->error) != 0)
        fail_msg("%s", goal->error.message);
    return true;
}

static void goal_close(struct goal *goal) {
    arena_release(&goal->arena);
    error_release(&goal->error);
    goal->driver->close(goal->target);
    option_values_free(goal->options);
    stage_close(&goal->source);
    world_free(goal->wire.world);
    free(goal->key);
}

static void check_look(struct goal *goal, enum target_found found) {
    goal_must(goal, LOOK);
    if (goal->look.found != found)
        fail_msg("look says %d, not %d: %s", (int)goal->look.found, (int)found,
                 goal->look.what == NULL ? "-" : goal->look.what);
}

static void check_equal(struct goal *goal) {
    goal_must(goal, VERIFY);
    if (!goal->verdict.equal) fail_msg("verify: %s", goal->verdict.what);
}

static void check_world(const struct goal *goal, const json_t *before) {
    json_t *now = look_world(goal->wire.world);
    look_equal(now, before, NULL, NULL);
    json_decref(now);
}

static void goes_there_and_away(const struct target_fixture *fixture) {
    struct goal goal;
    size_t place = 0;
    for (; take(&goal, fixture, place); place++) {
        goal.wire.watched = true;
        json_t *before = look_world(goal.wire.world);
        check_look(&goal, TARGET_FREE);
        goal_must(&goal, RECALL);
        assert_false(goal.progress.known);
        check_world(&goal, before);
        goal_must(&goal, RESERVE);
        goal.again = true;
        check_look(&goal, TARGET_FREE);
        goal.again = false;
        goal_must(&goal, IMPORT);
        check_equal(&goal);
        check_look(&goal, TARGET_SAME);
        goal.again = true;
        goal_must(&goal, IMPORT);
        check_equal(&goal);
        goal.again = false;
        turn_back(&goal);
        for (int i = 0; i < 2; i++) {
            goal_must(&goal, REMOVE);
            check_world(&goal, before);
        }
        json_decref(before);
        goal_close(&goal);
    }
    assert_true(place > 1);
    goal_close(&goal);
}

// What differs is told, and comes back where an update is undone.
static void names_what_differs(const struct target_fixture *fixture) {
    struct goal goal;
    assert_true(take(&goal, fixture, 0));
    goal_must(&goal, RESERVE);
    goal_must(&goal, IMPORT);
    json_t *before = look_world(goal.wire.world);
    struct device *device = &goal.source.device;
    device_set_text(device, &device->end_device->name, "Another name");
    check_look(&goal, TARGET_OTHER);
    assert_non_null(goal.look.what);
    assert_non_null(strstr(goal.look.what, "name"));
    size_t size = goal.look.before_size;
    void *kept MEMORY_AUTO = memory_dup(goal.look.before, size);
    goal_must(&goal, IMPORT);
    check_equal(&goal);
    goal.removal = (struct target_removal){.before = kept, .before_size = size};
    goal_must(&goal, REMOVE);
    check_look(&goal, TARGET_OTHER);
    json_t *now = look_world(goal.wire.world);
    look_equal(now, before, goal.fixture->lost, NULL);
    json_decref(now);
    json_decref(before);
    goal_close(&goal);
}

// Whoever makes the device after the look keeps it.
static void leaves_what_others_make(const struct target_fixture *fixture) {
    struct goal goal;
    assert_true(take(&goal, fixture, 0));
    check_look(&goal, TARGET_FREE);
    goal_must(&goal, RESERVE);
    goal_must(&goal, IMPORT);
    json_t *before = look_world(goal.wire.world);
    goal.driver->close(goal.target);
    open_target(&goal, false);
    goal_must(&goal, PREPARE);
    assert_int_equal(goal_play(&goal, RESERVE), JOB_FAILED);
    assert_true(goal.unchanged);
    goal.removal.reserved = true;
    goal_must(&goal, REMOVE);
    check_world(&goal, before);
    json_decref(before);
    goal_close(&goal);
}

// Whatever becomes of an answer: made again it ends well, and what was made can be removed.
static bool lose(const struct target_fixture *fixture, enum target_operation operation, int place,
                 enum wire_fault fault) {
    struct goal goal;
    assert_true(take(&goal, fixture, 0));
    json_t *before = look_world(goal.wire.world);
    if (operation > RESERVE) goal_must(&goal, RESERVE);
    if (operation > IMPORT) goal_must(&goal, IMPORT);
    if (operation >= RECALL) turn_back(&goal);
    goal.wire.calls = 0;
    goal.wire.fault_at = place;
    goal.wire.fault = fault;
    enum job_step result = goal_run(&goal, operation);
    bool reached = goal.wire.calls >= place;
    goal.wire.fault_at = 0;
    if (result == JOB_FAILED && fault < WIRE_TRANSIENT) assert_true(call_may_pass(goal.error.code));
    if (result == JOB_FAILED && (fault == WIRE_DENIED || fault == WIRE_UNTRUSTED))
        assert_false(call_may_pass(goal.error.code));
    goal.again = true;
    if (operation == RESERVE || operation == IMPORT) {
        goal_must(&goal, operation);
        if (operation == RESERVE) goal_must(&goal, IMPORT);
        check_equal(&goal);
    }
    turn_back(&goal);
    goal_must(&goal, REMOVE);
    check_world(&goal, before);
    json_decref(before);
    goal_close(&goal);
    return reached;
}

static void looks_after_lost_answers(const struct target_fixture *fixture) {
    for (enum target_operation operation = LOOK; operation <= REMOVE; operation++) {
        for (enum wire_fault fault = 0; fault < WIRE_FAULTS; fault++) {
            for (int place = 1; lose(fixture, operation, place, fault); place++)
                assert_true(place < CALLS_MAX);
        }
    }
}

static void takes_no_wrong_key(const struct target_fixture *fixture) {
    struct goal goal;
    goal_open(&goal, fixture, "NNSXS.MADEUP.NotTheRightKeyOfThisNetwork");
    assert_int_equal(goal_run(&goal, PREPARE), JOB_FAILED);
    assert_false(call_may_pass(goal.error.code));
    goal_close(&goal);
}

const struct target_case target_cases[] = {
    {"takes no wrong key", takes_no_wrong_key},
    {"a device goes there and away", goes_there_and_away},
    {"names what differs", names_what_differs},
    {"leaves what others make", leaves_what_others_make},
    {"looks after lost answers", looks_after_lost_answers},
    {NULL, NULL},
};
