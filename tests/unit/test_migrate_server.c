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
#include "device/message.h"
#include "migrate/run.h"

enum { DEVICES = 12, CALLS_MAX = 64, DIED = 42, BAD = 43, FIRST_DOWN = 7 };

// What stands in the way of a device.
enum obstacle {
    NOTHING,
    FOUND_SAME,       // it is at the target already, as it is to be
    FOUND_OTHER,      // it is there with other data
    TAKEN,            // another device has its EUIs
    TAKEN_BY_SOURCE,  // the source itself has them, as both are one network
    RELEASE_REFUSED,
    RELEASE_LOST,  // the first answer is lost, but it is done
    IMPORT_REFUSED,
    HEARD,  // between reading and releasing
    DIFFERS,
};

struct place {
    bool entry;
    bool keys;
    uint32_t down;    // last downlink counter
    unsigned data;    // which data it has: 1 = that of the source
    unsigned before;  // what an update has to put back; 0 = nothing
};

struct pending_call {
    bool used;
    int64_t due;
    const struct call *call;
    transport_done *done;
    void *context;
};

struct world {
    struct source source;
    struct target target;
    struct transport transport;
    int64_t now;
    uint64_t random_state;
    struct pending_call calls[CALLS_MAX];
    enum obstacle obstacles[DEVICES];
    struct place old[DEVICES];
    struct place new[DEVICES];
    uint32_t read_down[DEVICES];  // what the last read told
    unsigned releases[DEVICES];
    unsigned refused;  // imports that were refused
    unsigned events;
    unsigned dies_at;  // the n-th event; 0 = never
    char violation[200];
};

static struct world *world;
// In memory where that is possible: what syncs cost is of no interest here.
static char in_memory[] = "/dev/shm/ttn-lw-migrate-server-XXXXXX";
static char on_disk[] = "/tmp/ttn-lw-migrate-server-XXXXXX";
static char *directory;
static char journal_file[sizeof in_memory + 16];

static void event(void) {
    if (++world->events == world->dies_at) _exit(DIED);
}

static void violated(const char *text, size_t device) {
    if (world->violation[0] == '\0')
        snprintf(world->violation, sizeof world->violation, "device %zu: %s", device, text);
}

static uint64_t next_random(void) {
    world->random_state = world->random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return world->random_state >> 33;
}

static int64_t world_now(void *context) {
    (void)context;
    return world->now;
}

static void world_random(void *context, void *data, size_t size) {
    (void)context;
    for (size_t i = 0; i < size; i++) ((uint8_t *)data)[i] = (uint8_t)next_random();
}

static void check(size_t device) {
    // One that was found at both is the user's own affair, until it is released.
    bool both = world->old[device].keys && world->new[device].keys;
    if (both && world->obstacles[device] != FOUND_SAME && world->obstacles[device] != FOUND_OTHER)
        violated("both networks have its keys", device);
}

// ---- the networks

static void *network_start(struct transport *transport, const struct call *call, int64_t timeout,
                           transport_done *done, void *context) {
    (void)transport;
    (void)timeout;
    for (size_t i = 0; i < CALLS_MAX; i++) {
        if (world->calls[i].used) continue;
        world->calls[i] = (struct pending_call){
            .used = true,
            .due = world->now + (int64_t)(next_random() % 50) * NS_PER_MS,
            .call = call,
            .done = done,
            .context = context,
        };
        return &world->calls[i];
    }
    _exit(BAD);
}

static void network_cancel(struct transport *transport, void *handle) {
    (void)transport;
    ((struct pending_call *)handle)->used = false;
}

static void answer_old(const char *method, size_t device, uint32_t counter, struct reply *reply) {
    struct place *old = &world->old[device];
    enum obstacle obstacle = world->obstacles[device];
    if (strcmp(method, "/release") == 0 && obstacle == RELEASE_REFUSED) {
        reply->grpc_status = GRPC_PERMISSION_DENIED;
    } else if (strcmp(method, "/release") == 0) {
        if (obstacle == HEARD && world->releases[device] == 0) old->down++;
        old->keys = false;
        if (obstacle == TAKEN_BY_SOURCE) old->entry = false;
        if (obstacle == RELEASE_LOST && world->releases[device] == 0) reply->outcome = REPLY_LOST;
        world->releases[device]++;
    } else if (strcmp(method, "/restore") == 0) {
        if (old->keys) return;
        if (counter < old->down) violated("its counter goes back at the source", device);
        if (counter < world->new[device].down)
            violated("its counter goes back behind that of the target", device);
        old->keys = old->entry = true;
        old->down = counter;
    } else {
        world->read_down[device] = old->down;
    }
}

static void answer_new(const char *method, size_t device, uint32_t counter, struct reply *reply) {
    struct place *new = &world->new[device];
    enum obstacle obstacle = world->obstacles[device];
    if (strcmp(method, "/reserve") == 0) {
        if (obstacle == TAKEN_BY_SOURCE && world->old[device].entry) violated("reserved too early", device);
        new->entry = true;
    } else if (strcmp(method, "/import") == 0 && obstacle == IMPORT_REFUSED) {
        reply->grpc_status = GRPC_INVALID_ARGUMENT;
        world->refused++;
    } else if (strcmp(method, "/import") == 0) {
        if (counter < new->down &&new->keys) violated("its counter goes back at the target", device);
        if (counter < world->old[device].down) violated("its counter is behind that of the source", device);
        if (new->keys &&new->data != 1 && new->before == 0) new->before = new->data;
        new->entry = new->keys = true;
        new->data = 1;
        // It is heard at once.
        new->down = counter + 1;
    } else if (strcmp(method, "/remove") == 0) {
        bool other = obstacle == FOUND_OTHER;
        new->data = other ? 2 : 0;
        new->entry = new->keys = other;
    }
}

static void network_answer(const struct call *call, struct reply *reply) {
    reply->outcome = REPLY_ANSWERED;
    char *rest = NULL;
    size_t device = (size_t)strtoul((const char *)call->body, &rest, 10);
    uint32_t counter = (uint32_t)strtoul(rest, NULL, 10);
    event();
    if (call->side == 0) {
        answer_old(call->method, device, counter, reply);
    } else {
        answer_new(call->method, device, counter, reply);
    }
    check(device);
    event();
}

static int network_wait(struct transport *transport, int64_t timeout, struct error *error) {
    (void)transport;
    (void)error;
    struct pending_call *first = NULL;
    for (size_t i = 0; i < CALLS_MAX; i++) {
        struct pending_call *call = &world->calls[i];
        if (call->used && (first == NULL || call->due < first->due)) first = call;
    }
    if (first == NULL || (timeout >= 0 && first->due > world->now + timeout)) {
        world->now += timeout > 0 ? timeout : 0;
        return 0;
    }
    if (first->due > world->now) world->now = first->due;
    first->used = false;
    struct reply reply = {0};
    network_answer(first->call, &reply);
    first->done(first->context, &reply);
    reply_release(&reply);
    return 0;
}

static const struct transport_operations network = {
    .start = network_start, .cancel = network_cancel, .wait = network_wait};

// ---- jobs of one call

static const struct server server = {.name = "server", .address = "localhost:1"};

static size_t index_of(const char *id) {
    return (size_t)strtoul(id + strlen("device-"), NULL, 10);
}

// JOB_CALLS first, then what became of it.
static enum job_step one_call(struct job *job, const char *method, size_t device, uint32_t counter,
                              struct error *error) {
    if (job->stage++ == 0) {
        struct call *call = job_call(job);
        *call = (struct call){.kind = CALL_GRPC, .server = &server, .method = method};
        call->changes = strstr("/release /restore /reserve /import /remove", method) != NULL;
        char *body = arena_printf(job->arena, "%zu %u", device, counter);
        call->body = body;
        call->body_size = strlen(body) + 1;
        return JOB_CALLS;
    }
    if (job->replies[0].outcome == REPLY_DRY || reply_ok(&job->replies[0], CALL_GRPC)) return JOB_DONE;
    reply_error(&job->replies[0], &job->calls[0], error);
    return JOB_FAILED;
}

// ---- the source

static enum job_step made_list(struct source *source, struct job *job, struct source_page *page,
                               struct error *error) {
    (void)source;
    (void)job;
    (void)error;
    for (size_t i = 0; i < DEVICES; i++) source_page_add(page)->id = memory_printf("device-%zu", i);
    page->total = DEVICES;
    return JOB_DONE;
}

static enum job_step made_read(struct source *source, struct job *job, struct source_record *record,
                               struct error *error) {
    (void)source;
    enum job_step step = one_call(job, "/read", index_of(record->id), 0, error);
    if (step != JOB_DONE) return step;
    char *text MEMORY_AUTO = memory_printf("%u", world->read_down[index_of(record->id)]);
    source_record_set_data(record, text, strlen(text) + 1);
    return step;
}

static uint32_t recorded_counter(const struct source_record *record) {
    return (uint32_t)strtoul((const char *)record->data, NULL, 10);
}

static int made_convert(struct source *source, const struct source_record *record, struct device *device,
                        struct error *error) {
    (void)source;
    size_t index = index_of(record->id);
    if (!world->old[index].keys) return error_set(error, ERROR_EMPTY, "was exported before");
    Tts__EndDevice *end_device = device->end_device;
    const uint8_t eui[8] = {1, 2, 3, 4, 5, 6, 7, (uint8_t)index};
    const uint8_t key[16] = {1, (uint8_t)index};
    device_set_text(device, &device_ids(device)->device_id, record->id);
    device_set_application(device, "my-app");
    device_set_bytes(device, &device_ids(device)->dev_eui, eui, sizeof eui);
    device_set_bytes(device, &device_ids(device)->join_eui, eui, sizeof eui);
    end_device->supports_join = true;
    end_device->lorawan_version = TTS__MACVERSION__MAC_V1_0_2;
    end_device->lorawan_phy_version = TTS__PHYVERSION__PHY_V1_0_2_REV_B;
    device_set_text(device, &end_device->frequency_plan_id, "EU_863_870_TTN");
    Tts__Session *session = message_new(&device->arena, &tts__session__descriptor);
    session->keys = message_new(&device->arena, &tts__session_keys__descriptor);
    device_set_bytes(device, &session->dev_addr, eui, 4);
    device_set_bytes(device, &session->keys->session_key_id, eui, 8);
    device_set_key(device, &session->keys->f_nwk_s_int_key, key);
    device_set_key(device, &session->keys->app_s_key, key);
    session->last_n_f_cnt_down = recorded_counter(record);
    end_device->session = session;
    return 0;
}

static enum job_step made_release(struct source *source, struct job *job, const struct source_record *record,
                                  const struct device *device, struct error *error) {
    (void)source;
    (void)device;
    size_t index = index_of(record->id);
    if (job->stage == 0 && job->again && !world->old[index].keys) return JOB_DONE;
    enum job_step step = one_call(job, "/release", index, 0, error);
    if (step != JOB_FAILED || job->replies[0].outcome != REPLY_LOST) return step;
    // Looked up: it was done.
    error_release(error);
    return world->old[index].keys ? JOB_FAILED : JOB_DONE;
}

static enum job_step made_restore(struct source *source, struct job *job, const struct source_record *record,
                                  struct source_restoration *restoration, struct error *error) {
    (void)source;
    size_t index = index_of(record->id);
    if (job->stage == 0 && world->old[index].keys) return JOB_DONE;
    uint32_t counter = recorded_counter(record);
    if (counter < world->old[index].down) counter = world->old[index].down;
    if (restoration->progress.known && restoration->progress.last_n_f_cnt_down > counter)
        counter = restoration->progress.last_n_f_cnt_down;
    return one_call(job, "/restore", index, counter, error);
}

static enum job_step made_confirm(struct source *source, struct job *job, const struct source_record *record,
                                  const struct source_record *now, struct source_confirmation *confirmation,
                                  struct error *error) {
    (void)source;
    (void)now;
    size_t index = index_of(record->id);
    enum job_step step = one_call(job, "/confirm", index, 0, error);
    if (step != JOB_DONE) return step;
    uint32_t down = world->old[index].down;
    confirmation->proof = world->old[index].keys ? SOURCE_HELD : SOURCE_RELEASED;
    confirmation->remark = "is still there";
    if (confirmation->proof == SOURCE_RELEASED && down > recorded_counter(record)) {
        confirmation->proof = SOURCE_MOVED_ON;
        confirmation->last_n_f_cnt_down = down;
    }
    return step;
}

static bool made_owns(const struct source *source, const struct source_record *record,
                      const struct device_place *place) {
    (void)source;
    return strcmp(place->network, "old") == 0 && strcmp(place->device_id, record->id) == 0;
}

static const struct source_driver made_source = {
    .name = "made",
    .title = "made up",
    .features = SOURCE_LISTS | SOURCE_CHANGES,
    .list = made_list,
    .read = made_read,
    .convert = made_convert,
    .release = made_release,
    .restore = made_restore,
    .confirm = made_confirm,
    .owns = made_owns,
};

// ---- the target

static size_t device_index(const struct device *device) {
    return index_of(device_id(device));
}

static enum job_step made_prepare(struct target *target, struct job *job, const char *application,
                                  struct error *error) {
    (void)target;
    (void)job;
    (void)application;
    (void)error;
    return JOB_DONE;
}

static int made_adapt(struct target *target, struct device *device, struct error *error) {
    (void)target;
    (void)error;
    device_set_application(device, "new-app");
    return 0;
}

static void look_at(const struct job *job, size_t index, struct target_look *look) {
    const struct place *new = &world->new[index];
    enum obstacle obstacle = world->obstacles[index];
    look->found = TARGET_FREE;
    look->what = "it is another one";
    if (obstacle == TAKEN || (obstacle == TAKEN_BY_SOURCE && world->old[index].entry)) {
        look->found = TARGET_TAKEN;
        look->holder = (struct device_place){.network = obstacle == TAKEN ? "new" : "old",
                                             .application_id = "app",
                                             .device_id = arena_printf(job->arena, "device-%zu", index)};
    } else if (new->keys &&new->data == 1) {
        look->found = TARGET_SAME;
    } else if (new->keys) {
        look->found = TARGET_OTHER;
        look->before = "2";
        look->before_size = 2;
    } else if (new->entry && !job->again) {
        look->found = TARGET_TAKEN;
    }
}

static enum job_step made_look(struct target *target, struct job *job, const struct device *device,
                               struct target_look *look, struct error *error) {
    (void)target;
    enum job_step step = one_call(job, "/look", device_index(device), 0, error);
    if (step == JOB_DONE) look_at(job, device_index(device), look);
    return step;
}

static enum job_step made_reserve(struct target *target, struct job *job, const struct device *device,
                                  struct error *error) {
    (void)target;
    return one_call(job, "/reserve", device_index(device), 0, error);
}

static enum job_step made_import(struct target *target, struct job *job, const struct device *device,
                                 struct error *error) {
    (void)target;
    size_t index = device_index(device);
    const Tts__Session *session = device->end_device->session;
    if (job->stage == 0 && job->again && world->new[index].keys && world->new[index].data == 1)
        return JOB_DONE;
    return one_call(job, "/import", index, session->last_n_f_cnt_down, error);
}

static enum job_step made_verify(struct target *target, struct job *job, const struct device *device,
                                 struct target_verdict *verdict, struct error *error) {
    (void)target;
    size_t index = device_index(device);
    enum job_step step = one_call(job, "/verify", index, 0, error);
    verdict->equal = world->new[index].data == 1 && world->obstacles[index] != DIFFERS;
    verdict->what = "name";
    return step;
}

static enum job_step made_recall(struct target *target, struct job *job, const struct device *device,
                                 struct device_progress *progress, struct error *error) {
    (void)target;
    size_t index = device_index(device);
    enum job_step step = one_call(job, "/recall", index, 0, error);
    progress->known = world->new[index].keys;
    progress->last_n_f_cnt_down = world->new[index].down;
    return step;
}

static enum job_step made_remove(struct target *target, struct job *job, const struct device *device,
                                 const void *before, size_t before_size, struct error *error) {
    (void)target;
    (void)before_size;
    size_t index = device_index(device);
    if ((before != NULL) != (world->obstacles[index] == FOUND_OTHER))
        violated("what was there is lost", index);
    return one_call(job, "/remove", index, 0, error);
}

static const struct target_driver made_target = {
    .name = "made",
    .title = "made up",
    .prepare = made_prepare,
    .adapt = made_adapt,
    .look = made_look,
    .reserve = made_reserve,
    .import = made_import,
    .verify = made_verify,
    .recall = made_recall,
    .remove = made_remove,
};

// ---- a process

enum work { START, RESUME, ROLLBACK };

struct order {
    enum work work;
    bool dry_run;
    bool keep_going;
    bool no_plan;
    bool frees;
    enum run_conflict on_conflict;
};

struct outcome {
    int result;
    struct error error;
    struct run_numbers numbers;
};

static int run_order(struct run *run, const struct order *order, struct error *error) {
    if (order->work == START) return run_application(run, "my-app", error);
    return order->work == RESUME ? run_resume(run, error) : run_rollback(run, NULL, NULL, error);
}

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
        .dry_run = order->dry_run,
        .keep_going = order->keep_going,
    };
    struct error *error = &outcome->error;
    int result = order->work == START ? journal_create(&place, &setup.journal, error)
                                      : journal_open(&place, true, &setup.journal, error);
    if (result == 0) {
        struct run *run = run_new(&setup, error);
        result = run_order(run, order, error);
        outcome->numbers = *run_numbers(run);
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
        // Once it is mended, the run comes to its end.
        set_obstacle(4, NOTHING);
        struct journal *journal = NULL;
        ERROR_AUTO error = {0};
        uint64_t count = 0;
        assert_int_equal(journal_open(&(struct journal_place){.path = journal_file}, true, &journal, &error),
                         0);
        assert_int_equal(journal_change_states(journal, DEVICE_FAILED, DEVICE_PLANNED, &count, &error), 0);
        assert_int_equal(journal_commit(journal, &error), 0);
        journal_close(journal);
        work_well(&(struct order){.work = RESUME});
        for (size_t j = 0; j < DEVICES; j++) expect_migrated(j);
    }
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
        cmocka_unit_test(test_conflicts),
        cmocka_unit_test(test_within_one_network),
        cmocka_unit_test(test_undone),
        cmocka_unit_test(test_differs),
        cmocka_unit_test(test_dies_anywhere),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
