// SPDX-License-Identifier: Apache-2.0
// Runs into a target that is a server, over two networks that are made up here and outlive the processes that change
// them: the process ends before or after any call, the next one resumes or rolls back. At no time both networks have a
// device's keys.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "test_migrate_server_world.h"

// In memory where that is possible: what syncs cost is of no interest here.
static char in_memory[] = "/dev/shm/ttn-lw-migrate-server-XXXXXX";
static char on_disk[] = "/tmp/ttn-lw-migrate-server-XXXXXX";
static char *directory;
static char journal_file[sizeof in_memory + 16];

// ---- a process

enum work { START, RESUME, ROLLBACK, VERIFY, ROLLBACK_SILENT };

struct order {
    bool plan_only;
    bool no_formatters;
    bool to_files;
    enum work work;
    bool dry_run;
    bool keep_going;
    bool no_plan;
    bool frees;
    enum run_conflict on_conflict;
    int64_t wait;  // ns, of VERIFY
};

struct outcome {
    int result;
    struct error error;
    struct run_numbers numbers;
};

static unsigned told;

static void count_verified(void *context, const struct run_verified *verified) {
    (void)context;
    assert_string_equal(verified->id, verified->device_id);
    told++;
}

static int run_order(struct run *run, const struct order *order, struct error *error) {
    const struct run_verification wanted = {
        .wait = order->wait,
        .restore_silent = order->work == ROLLBACK_SILENT,
        .tell = count_verified,
    };
    if (order->work == START) return run_application(run, "my-app", error);
    if (order->work == VERIFY) return run_verify(run, &wanted, error);
    if (order->work == ROLLBACK_SILENT) {
        int result = run_verify(run, &wanted, error);
        return result != 0 ? result : run_rollback_marked(run, error);
    }
    return order->work == RESUME ? run_resume(run, error) : run_rollback(run, NULL, NULL, error);
}

static unsigned written;

static int write_formatters(void *context, const char *application,
                            const Tts__MessagePayloadFormatters *formatters, struct error *error) {
    (void)context;
    (void)error;
    assert_string_equal(application, "my-app");
    assert_string_equal(formatters->up_formatter_parameter, "1");
    written++;
    return 0;
}

static enum run_formatters_verdict verdict;

static int open_and_run(const struct order *order, struct outcome *outcome) {
    static const struct device_naming naming = {0};
    const struct clock clock = {.monotonic = world_now, .wall = world_now};
    const struct random random = {.fill = world_random};
    const struct journal_place place = {.path = journal_file};
    world->source = (struct source){.driver = &made_source, .frees = order->frees};
    struct run_setup setup = {
        .driver = &made_source,
        .source = &world->source,
        .target = &made_target,
        .target_instance = &world->target,
        .on_conflict = order->on_conflict,
        .no_plan = order->no_plan,
        .transport = &world->transport,
        .clock = &clock,
        .random = &random,
        .naming = &naming,
        .plans = frequency_plans_builtin(),
        .concurrency = 4,
        .timeout = 10 * NS_PER_SECOND,
        .dry_run = order->dry_run || order->plan_only,
        .plan_only = order->plan_only,
        .formatters = {.off = order->no_formatters, .write = order->to_files ? write_formatters : NULL},
        .keep_going = order->keep_going,
    };
    struct error *error = &outcome->error;
    int result = order->work == START ? journal_create(&place, &setup.journal, error)
                                      : journal_open(&place, true, &setup.journal, error);
    if (result == 0) {
        struct run *run = run_new(&setup, error);
        result = run_order(run, order, error);
        outcome->numbers = *run_numbers(run);
        size_t findings = 0;
        const struct run_formatters_finding *finding = run_formatters_findings(run, &findings);
        verdict = findings > 0 ? finding->verdict : RUN_FORMATTERS_NONE;
        run_free(run);
    }
    journal_close(setup.journal);
    return result;
}

static struct outcome work(const struct order *order) {
    memset(world->calls, 0, sizeof world->calls);
    world->dies_at = 0;
    struct outcome outcome = {0};
    outcome.result = open_and_run(order, &outcome);
    assert_string_equal(world->violation, "");
    return outcome;
}

static void work_well(const struct order *order) {
    struct outcome outcome = work(order);
    if (outcome.result != 0) print_error("%s\n", outcome.error.message);
    assert_int_equal(outcome.result, 0);
    error_release(&outcome.error);
}

// In another process, which ends at the n-th event. Returns false if it came to its end before.
static bool die(const struct order *order, unsigned at) {
    memset(world->calls, 0, sizeof world->calls);
    world->events = 0;
    world->dies_at = at;
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct outcome outcome = {0};
        (void)open_and_run(order, &outcome);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == DIED);
    assert_string_equal(world->violation, "");
    return WEXITSTATUS(status) == DIED;
}

// ---- what has to be true

static void forget_journal(void) {
    static const char *const names[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path MEMORY_AUTO = memory_printf("%s%s", journal_file, names[i]);
        (void)unlink(path);
    }
}

static void world_init(uint64_t seed) {
    *world = (struct world){
        .target = {.driver = &made_target},
        .transport = {.operations = &network},
        .random_state = seed,
    };
    for (size_t i = 0; i < DEVICES; i++)
        world->old[i] = (struct place){.entry = true, .keys = true, .down = FIRST_DOWN, .data = 1};
    forget_journal();
}

static void set_obstacle(size_t device, enum obstacle obstacle) {
    world->obstacles[device] = obstacle;
    if (obstacle == FOUND_SAME) world->new[device] = (struct place){.entry = true, .keys = true, .data = 1};
    if (obstacle == FOUND_OTHER) world->new[device] = (struct place){.entry = true, .keys = true, .data = 2};
}

static void expect_migrated(size_t device) {
    assert_false(world->old[device].keys);
    assert_true(world->new[device].keys);
    assert_int_equal(world->new[device].data, 1);
}

static void expect_untouched(size_t device) {
    assert_true(world->old[device].keys);
    assert_int_equal(world->old[device].down, FIRST_DOWN);
    bool was_there = world->obstacles[device] == FOUND_SAME || world->obstacles[device] == FOUND_OTHER;
    assert_int_equal(world->new[device].keys, was_there);
    assert_int_equal(world->new[device].entry, was_there);
}

static uint64_t count_state(enum device_state state) {
    struct journal *journal = NULL;
    uint64_t count = 0;
    ERROR_AUTO error = {0};
    assert_int_equal(journal_open(&(struct journal_place){.path = journal_file}, false, &journal, &error), 0);
    assert_int_equal(journal_count_all(journal, state, &count, &error), 0);
    journal_close(journal);
    return count;
}

// ---- tests

static void test_whole(void **state) {
    (void)state;
    world_init(1);
    set_obstacle(3, RELEASE_LOST);
    set_obstacle(5, HEARD);
    struct outcome outcome = work(&(struct order){.work = START});
    assert_int_equal(outcome.result, 0);
    for (size_t i = 0; i < DEVICES; i++) expect_migrated(i);
    assert_int_equal(outcome.numbers.total, DEVICES);
    assert_int_equal(outcome.numbers.done, DEVICES);
    assert_int_equal(outcome.numbers.checked, DEVICES);
    // What the look before the run found free is not looked at once more.
    assert_int_equal(world->looks, DEVICES);
    assert_int_equal(outcome.numbers.imported, DEVICES);
    assert_int_equal(outcome.numbers.verified, DEVICES);
    assert_int_equal(outcome.numbers.confirmed, DEVICES);
    assert_int_equal(outcome.numbers.moved_on, 1);
    assert_int_equal(world->new[5].down, FIRST_DOWN + 2);
    assert_int_equal(count_state(DEVICE_CONFIRMED), DEVICES);
    work_well(&(struct order){.work = ROLLBACK});
    for (size_t i = 0; i < DEVICES; i++) {
        assert_true(world->old[i].keys);
        assert_false(world->new[i].entry);
        // What the target sent is not sent again.
        assert_true(world->old[i].down >= FIRST_DOWN + 1);
    }
    assert_int_equal(count_state(DEVICE_RESTORED), DEVICES);
}

static void test_dry_run(void **state) {
    (void)state;
    world_init(2);
    set_obstacle(4, TAKEN);
    set_obstacle(6, FOUND_SAME);
    struct outcome outcome = work(&(struct order){.work = START, .dry_run = true});
    assert_int_equal(outcome.result, 0);
    assert_int_equal(outcome.numbers.failed, 1);
    assert_int_equal(outcome.numbers.checked, DEVICES - 1);
    assert_int_equal(outcome.numbers.found, 1);
    assert_int_equal(outcome.numbers.done, DEVICES);
    for (size_t i = 0; i < DEVICES; i++) expect_untouched(i);
}

// One device that cannot go: nothing is changed, or it alone stays.
static void test_obstacles_before(void **state) {
    (void)state;
    static const enum obstacle obstacles[] = {TAKEN, FOUND_OTHER, TAKEN_BY_SOURCE};
    for (size_t i = 0; i < sizeof obstacles / sizeof *obstacles; i++) {
        world_init(3);
        set_obstacle(7, obstacles[i]);
        struct outcome outcome = work(&(struct order){.work = START});
        assert_int_equal(outcome.result, -ERROR_DEVICE);
        assert_int_equal(outcome.numbers.released, 0);
        for (size_t j = 0; j < DEVICES; j++) expect_untouched(j);
        error_release(&outcome.error);
        forget_journal();
        outcome = work(&(struct order){.work = START, .keep_going = true});
        assert_int_equal(outcome.result, 0);
        assert_int_equal(outcome.numbers.failed, 1);
        assert_int_equal(outcome.numbers.done, DEVICES);
        for (size_t j = 0; j < DEVICES; j++) {
            if (j == 7) {
                expect_untouched(j);
            } else {
                expect_migrated(j);
            }
        }
    }
}

// One that was exported before is no obstacle for a whole application.
static void test_exported_before(void **state) {
    (void)state;
    world_init(11);
    world->old[3].keys = false;
    struct outcome outcome = work(&(struct order){.work = START});
    assert_int_equal(outcome.result, 0);
    assert_int_equal(outcome.numbers.failed, 1);
    for (size_t i = 0; i < DEVICES; i++) {
        if (i != 3) expect_migrated(i);
    }
    assert_int_equal(count_state(DEVICE_FAILED), 1);
}

// A target that answers nobody ends the look at all devices at once.
static void test_target_gone(void **state) {
    (void)state;
    world_init(12);
    world->target_gone = true;
    struct outcome outcome = work(&(struct order){.work = START});
    assert_int_equal(outcome.result, -ERROR_UNAVAILABLE);
    assert_int_equal(outcome.numbers.failed, 1);
    for (size_t i = 0; i < DEVICES; i++) expect_untouched(i);
    error_release(&outcome.error);
}

static void test_conflicts(void **state) {
    (void)state;
    world_init(4);
    set_obstacle(1, FOUND_OTHER);
    set_obstacle(2, FOUND_SAME);
    struct outcome outcome = work(&(struct order){.work = START, .on_conflict = CONFLICT_SKIP});
    assert_int_equal(outcome.result, 0);
    assert_int_equal(outcome.numbers.skipped, 1);
    assert_int_equal(outcome.numbers.failed, 0);
    expect_untouched(1);
    expect_migrated(2);
    assert_int_equal(count_state(DEVICE_SKIPPED), 1);
    world_init(5);
    set_obstacle(1, FOUND_OTHER);
    set_obstacle(2, FOUND_SAME);
    work_well(&(struct order){.work = START, .on_conflict = CONFLICT_UPDATE});
    expect_migrated(1);
    expect_migrated(2);
    work_well(&(struct order){.work = ROLLBACK});
    // Both are as they were: one updated, one found.
    assert_int_equal(world->new[1].data, 2);
    assert_true(world->new[1].keys && world->old[1].keys);
    assert_true(world->new[2].keys && world->old[2].keys);
    assert_false(world->new[3].entry);
}

static void test_within_one_network(void **state) {
    (void)state;
    world_init(6);
    for (size_t i = 0; i < DEVICES; i++) set_obstacle(i, TAKEN_BY_SOURCE);
    work_well(&(struct order){.work = START, .frees = true});
    for (size_t i = 0; i < DEVICES; i++) expect_migrated(i);
    work_well(&(struct order){.work = ROLLBACK, .frees = true});
    for (size_t i = 0; i < DEVICES; i++) {
        assert_true(world->old[i].keys && world->old[i].entry);
        assert_false(world->new[i].entry);
    }
}

// A step that fails brings the device back to where it was.
static void test_undone(void **state) {
    (void)state;
    static const enum obstacle obstacles[] = {RELEASE_REFUSED, IMPORT_REFUSED};
    for (size_t i = 0; i < sizeof obstacles / sizeof *obstacles; i++) {
        world_init(7 + i);
        set_obstacle(4, obstacles[i]);
        struct outcome outcome = work(&(struct order){.work = START, .keep_going = true});
        assert_int_equal(outcome.result, 0);
        assert_int_equal(outcome.numbers.failed, 1);
        assert_int_equal(outcome.numbers.done, DEVICES);
        expect_untouched(4);
        expect_migrated(5);
        assert_int_equal(count_state(DEVICE_FAILED), 1);
        world_init(17 + i);
        set_obstacle(4, obstacles[i]);
        outcome = work(&(struct order){.work = START});
        assert_int_not_equal(outcome.result, 0);
        assert_non_null(strstr(outcome.error.message, "device-4"));
        error_release(&outcome.error);
        expect_untouched(4);
        // Once it is mended, the run comes to its end: a run that halts sets nothing aside.
        assert_int_equal(count_state(DEVICE_FAILED), 0);
        set_obstacle(4, NOTHING);
        work_well(&(struct order){.work = RESUME});
        for (size_t j = 0; j < DEVICES; j++) expect_migrated(j);
    }
}

// What is known to have changed nothing needs no putting back.
static void test_refused_unchanged(void **state) {
    (void)state;
    for (int known = 0; known < 2; known++) {
        world_init(31);
        set_obstacle(4, RELEASE_REFUSED);
        world->says_unchanged = known;
        struct outcome outcome = work(&(struct order){.work = START, .keep_going = true});
        assert_int_equal(outcome.result, 0);
        expect_untouched(4);
        assert_int_equal(world->restores[4], !known);
        assert_int_equal(world->untouched, 0);
    }
}

// The process dies somewhere on the way back of a device. The next one puts it back, and tries it again; and what was
// known of its counters then does not count when all is rolled back.
// Those on their way come to their end, whatever stands in the way of one that has not begun.
static void test_finished_first(void **state) {
    (void)state;
    bool died = true;
    unsigned halfway = 0;
    for (unsigned at = 1; died; at++) {
        world_init(500 + at);
        died = die(&(struct order){.work = START}, at);
        if (!died) break;
        if (count_state(DEVICE_RELEASING) + count_state(DEVICE_RELEASED) == 0) continue;
        size_t last = DEVICES - 1;
        if (!world->old[last].keys || world->new[last].entry) continue;
        halfway++;
        set_obstacle(last, TAKEN);
        struct outcome outcome = work(&(struct order){.work = RESUME});
        assert_int_equal(outcome.result, -ERROR_DEVICE);
        assert_int_equal(count_state(DEVICE_RELEASING) + count_state(DEVICE_RELEASED), 0);
        error_release(&outcome.error);
        for (size_t i = 0; i < DEVICES; i++) assert_true(world->old[i].keys != world->new[i].keys);
    }
    assert_true(halfway > 1);
}

static void test_undone_by_another(void **state) {
    (void)state;
    bool died = true;
    unsigned undone = 0;
    for (unsigned at = 1; died; at++) {
        world_init(300 + at);
        set_obstacle(4, IMPORT_HALF);
        died = die(&(struct order){.work = START, .keep_going = at % 2 == 0}, at);
        if (!died) break;
        if (count_state(DEVICE_UNDOING) > 0) undone++;
        bool aside = count_state(DEVICE_FAILED) > 0;
        set_obstacle(4, NOTHING);
        // It is heard where it is.
        if (world->old[4].keys) world->old[4].down += 3;
        if (world->new[4].keys) world->new[4].down += 3;
        struct outcome outcome = work(&(struct order){.work = RESUME});
        assert_int_equal(outcome.result, 0);
        assert_int_equal(outcome.numbers.failed, 0);
        assert_true(outcome.numbers.done <= DEVICES);
        for (size_t i = 0; i < DEVICES; i++) {
            if (i != 4 || !aside) expect_migrated(i);
        }
        if (world->new[4].keys) world->new[4].down += 3;
        work_well(&(struct order){.work = ROLLBACK});
        for (size_t i = 0; i < DEVICES; i++) assert_true(world->old[i].keys && !world->new[i].entry);
    }
    assert_true(undone > 1);
}

static void test_differs(void **state) {
    (void)state;
    world_init(9);
    set_obstacle(0, DIFFERS);
    struct outcome outcome = work(&(struct order){.work = START, .keep_going = true});
    assert_int_equal(outcome.result, 0);
    assert_int_equal(outcome.numbers.failed, 1);
    assert_int_equal(outcome.numbers.verified, DEVICES - 1);
    assert_int_equal(count_state(DEVICE_IMPORTED), 1);
}

static void test_verify(void **state) {
    (void)state;
    world_init(13);
    set_obstacle(2, DIFFERS);
    struct outcome outcome = work(&(struct order){.work = START, .keep_going = true});
    assert_int_equal(outcome.numbers.verified, DEVICES - 1);
    told = 0;
    outcome = work(&(struct order){.work = VERIFY});
    assert_int_equal(outcome.result, 0);
    assert_int_equal(told, DEVICES);
    assert_int_equal(outcome.numbers.total, DEVICES);
    assert_int_equal(outcome.numbers.verified, DEVICES - 1);
    assert_int_equal(outcome.numbers.failed, 1);
    assert_int_equal(outcome.numbers.silent, DEVICES);
    // It waits no longer than it has to, and not for ever.
    world->heard_at = world->now + 40 * NS_PER_SECOND;
    told = 0;
    outcome = work(&(struct order){.work = VERIFY, .wait = 600 * NS_PER_SECOND});
    assert_int_equal(outcome.numbers.silent, 0);
    assert_int_equal(told, 2 * DEVICES);
    assert_true(world->now < world->heard_at + 60 * NS_PER_SECOND);
    world->heard_at = 0;
    world->new[5].up = 0;
    int64_t before = world->now;
    outcome = work(&(struct order){.work = VERIFY, .wait = 30 * NS_PER_SECOND});
    assert_int_equal(outcome.numbers.silent, 1);
    assert_true(world->now >= before + 30 * NS_PER_SECOND);
    // Only the silent one goes back.
    work_well(&(struct order){.work = ROLLBACK_SILENT});
    for (size_t i = 0; i < DEVICES; i++) assert_int_equal(world->old[i].keys, i == 5);
    assert_false(world->new[5].entry);
    assert_int_equal(count_state(DEVICE_RESTORED), 1);
}

static void set_weather(unsigned seed) {
    set_obstacle(1, RELEASE_LOST);
    set_obstacle(2, HEARD);
    set_obstacle(3, seed % 2 == 0 ? FOUND_SAME : NOTHING);
    set_obstacle(4, IMPORT_REFUSED);
    set_obstacle(5, seed % 3 == 0 ? FOUND_OTHER : NOTHING);
    set_obstacle(6, TAKEN_BY_SOURCE);
    set_obstacle(7, RELEASE_REFUSED);
}

// The process dies at every event; another one resumes, which dies too now and then; then all is as it should be, or
// everything is put back.
static void test_dies_anywhere(void **state) {
    (void)state;
    bool died = true;
    unsigned untouched = 0;
    for (unsigned at = 1; died; at++) {
        struct order order = {.work = START,
                              .keep_going = true,
                              .frees = true,
                              .no_plan = at % 4 != 0,
                              .on_conflict = CONFLICT_UPDATE};
        world_init(100 + at);
        set_weather(at);
        died = die(&order, at);
        order.work = RESUME;
        if (at % 3 == 0) (void)die(&order, 1 + at / 3);
        bool back = at % 5 == 0;
        if (back) {
            order.work = ROLLBACK;
            (void)die(&order, at % 7);
        }
        work_well(&order);
        for (size_t i = 0; i < DEVICES; i++) {
            bool stays = i == 4 || i == 7 || back;
            assert_int_equal(world->old[i].keys, stays);
            bool was_there = world->obstacles[i] == FOUND_SAME || world->obstacles[i] == FOUND_OTHER;
            assert_int_equal(world->new[i].keys, !stays || was_there);
            assert_int_equal(world->new[i].entry, !stays || was_there);
            if (back && world->obstacles[i] == FOUND_OTHER) assert_int_equal(world->new[i].data, 2);
        }
        untouched += world->untouched;
    }
    assert_true(untouched > 0);
}

static void expect_formatters(enum made_formatters which, unsigned set) {
    assert_int_equal(world->target_formatters, which);
    assert_int_equal(world->formatters_set, set);
}

static void test_formatters(void **state) {
    (void)state;
    world_init(30);
    world->source_formatters = OWN_FORMATTERS;
    struct outcome outcome = work(&(struct order){.work = START});
    assert_int_equal(outcome.result, 0);
    assert_int_equal(outcome.numbers.formatters, 1);
    assert_int_equal(verdict, RUN_FORMATTERS_SET);
    expect_formatters(OWN_FORMATTERS, 1);
    work_well(&(struct order){.work = RESUME});
    expect_formatters(OWN_FORMATTERS, 1);
    work_well(&(struct order){.work = ROLLBACK, .dry_run = true});
    expect_formatters(OWN_FORMATTERS, 1);
    work_well(&(struct order){.work = ROLLBACK});
    expect_formatters(NO_FORMATTERS, 2);
    work_well(&(struct order){.work = ROLLBACK});
    work_well(&(struct order){.work = RESUME});
    expect_formatters(NO_FORMATTERS, 2);
}

static void test_formatters_left_alone(void **state) {
    (void)state;
    static const struct {
        struct order order;
        enum made_formatters source, target;
        enum run_formatters_verdict verdict;
    } rows[] = {
        {{.plan_only = true}, OWN_FORMATTERS, NO_FORMATTERS, RUN_FORMATTERS_SET},
        {{.dry_run = true}, OWN_FORMATTERS, NO_FORMATTERS, RUN_FORMATTERS_SET},
        {{.no_formatters = true}, OWN_FORMATTERS, NO_FORMATTERS, RUN_FORMATTERS_NONE},
        {{.work = START}, NO_FORMATTERS, OTHER_FORMATTERS, RUN_FORMATTERS_NONE},
        {{.work = START}, OWN_FORMATTERS, OWN_FORMATTERS, RUN_FORMATTERS_FOUND},
        {{.work = START}, HIDDEN_FORMATTERS, NO_FORMATTERS, RUN_FORMATTERS_UNKNOWN},
        {{.on_conflict = CONFLICT_SKIP}, OWN_FORMATTERS, OTHER_FORMATTERS, RUN_FORMATTERS_LEFT},
        {{.to_files = true}, OWN_FORMATTERS, NO_FORMATTERS, RUN_FORMATTERS_WRITTEN},
        {{.keep_going = true}, OWN_FORMATTERS, OTHER_FORMATTERS, RUN_FORMATTERS_FAILED},
        {{.keep_going = true}, LARGE_FORMATTERS, NO_FORMATTERS, RUN_FORMATTERS_FAILED},
        {{.plan_only = true}, OWN_FORMATTERS, OTHER_FORMATTERS, RUN_FORMATTERS_FAILED},
        {{.dry_run = true}, LARGE_FORMATTERS, NO_FORMATTERS, RUN_FORMATTERS_FAILED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        world_init(40 + i);
        world->source_formatters = rows[i].source;
        world->target_formatters = rows[i].target;
        written = 0;
        struct outcome outcome = work(&rows[i].order);
        assert_int_equal(outcome.result, 0);
        assert_int_equal(verdict, rows[i].verdict);
        assert_int_equal(outcome.numbers.formatters_failed, verdict == RUN_FORMATTERS_FAILED);
        assert_int_equal(written, rows[i].order.to_files);
        expect_formatters(rows[i].target, 0);
        bool moves = !rows[i].order.dry_run && !rows[i].order.plan_only;
        assert_int_equal(outcome.numbers.imported, moves ? DEVICES : 0);
        if (!moves) continue;
        work_well(&(struct order){.work = ROLLBACK});
        expect_formatters(rows[i].target, 0);
    }
}

// What stands in the way of the formatters ends a run before its first change.
static void test_formatters_halt(void **state) {
    (void)state;
    static const enum made_formatters sources[] = {OWN_FORMATTERS, LARGE_FORMATTERS, HIDDEN_FORMATTERS};
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        world_init(60 + i);
        world->source_formatters = sources[i];
        world->target_formatters = OTHER_FORMATTERS;
        struct outcome outcome =
            work(&(struct order){.work = START, .to_files = sources[i] == HIDDEN_FORMATTERS});
        assert_int_equal(outcome.result, -ERROR_DEVICE);
        assert_non_null(outcome.error.hint);
        error_release(&outcome.error);
        for (size_t j = 0; j < DEVICES; j++) expect_untouched(j);
        expect_formatters(OTHER_FORMATTERS, 0);
    }
}

static void test_formatters_replaced(void **state) {
    (void)state;
    world_init(70);
    world->source_formatters = OWN_FORMATTERS;
    world->target_formatters = OTHER_FORMATTERS;
    work_well(&(struct order){.work = START, .on_conflict = CONFLICT_UPDATE});
    expect_formatters(OWN_FORMATTERS, 1);
    work_well(&(struct order){.work = ROLLBACK});
    expect_formatters(OTHER_FORMATTERS, 2);
    // Changed by somebody else meanwhile: not touched.
    world_init(71);
    world->source_formatters = OWN_FORMATTERS;
    work_well(&(struct order){.work = START});
    world->target_formatters = OTHER_FORMATTERS;
    struct outcome outcome = work(&(struct order){.work = ROLLBACK});
    assert_int_equal(outcome.result, 0);
    assert_int_equal(outcome.numbers.formatters_failed, 1);
    expect_formatters(OTHER_FORMATTERS, 1);
}

// The process ends at any event; the next one goes on, or back.
static void test_formatters_die(void **state) {
    (void)state;
    bool died = true;
    for (unsigned at = 1; died && at < 80; at++) {
        enum made_formatters before = at % 2 == 0 ? OTHER_FORMATTERS : NO_FORMATTERS;
        for (int back = 0; back < 2; back++) {
            struct order order = {.work = START, .on_conflict = CONFLICT_UPDATE, .no_plan = true};
            world_init(200 + at);
            world->source_formatters = OWN_FORMATTERS;
            world->target_formatters = before;
            died = die(&order, at);
            order.work = back ? ROLLBACK : RESUME;
            (void)die(&order, 1 + at / 2);
            work_well(&order);
            assert_int_equal(world->target_formatters, back ? before : OWN_FORMATTERS);
            for (size_t i = 0; i < DEVICES; i++) assert_int_equal(world->new[i].keys, !back);
        }
    }
}

static int setup(void **state) {
    (void)state;
    directory = mkdtemp(in_memory);
    if (directory == NULL) directory = mkdtemp(on_disk);
    if (directory == NULL) return -1;
    snprintf(journal_file, sizeof journal_file, "%s/journal", directory);
    world = mmap(NULL, sizeof *world, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return world == MAP_FAILED ? -1 : 0;
}

static int teardown(void **state) {
    (void)state;
    forget_journal();
    munmap(world, sizeof *world);
    return rmdir(directory);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_dry_run),
        cmocka_unit_test(test_obstacles_before),
        cmocka_unit_test(test_exported_before),
        cmocka_unit_test(test_target_gone),
        cmocka_unit_test(test_conflicts),
        cmocka_unit_test(test_within_one_network),
        cmocka_unit_test(test_undone),
        cmocka_unit_test(test_refused_unchanged),
        cmocka_unit_test(test_finished_first),
        cmocka_unit_test(test_undone_by_another),
        cmocka_unit_test(test_differs),
        cmocka_unit_test(test_verify),
        cmocka_unit_test(test_dies_anywhere),
        cmocka_unit_test(test_formatters),
        cmocka_unit_test(test_formatters_left_alone),
        cmocka_unit_test(test_formatters_halt),
        cmocka_unit_test(test_formatters_replaced),
        cmocka_unit_test(test_formatters_die),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
