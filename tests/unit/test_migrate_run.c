// SPDX-License-Identifier: Apache-2.0
// The engine over a source that is made up here, on a virtual clock: replies come in random order, writes and
// calls fail at every place. Whatever happens, no device is released whose line is not out and synced, and
// the lines come in the order of the list.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "migrate/run.h"

enum { DEVICES_MAX = 64, PAGE = 10, CALLS_MAX = 256 };

// ---- the world: devices, a network that delays, a file

struct world;

struct pending_call {
    bool used;
    int64_t due;
    const struct call *call;
    transport_done *done;
    void *context;
};

struct world {
    struct source source;
    struct transport transport;
    struct file file;
    int64_t now;
    uint64_t random_state;
    struct pending_call calls[CALLS_MAX];
    size_t devices;
    bool released[DEVICES_MAX];
    unsigned releases[DEVICES_MAX];
    bool no_plan;                  // no look at all devices first
    bool broken[DEVICES_MAX];      // cannot be converted
    bool refuses[DEVICES_MAX];     // cannot be released
    bool held_later[DEVICES_MAX];  // has keys again when it is looked at once more
    char *names[DEVICES_MAX];      // IDs at the source; owned
    size_t reads;
    size_t logins;
    size_t logins_wanted;   // so many jobs find their credentials too old
    struct buffer written;  // what is in the file
    size_t synced;          // bytes
    size_t write_fails_at;  // the n-th write fails, after half of it; 0 = never
    size_t sync_fails_at;
    size_t writes, syncs;
    unsigned interrupts;
    size_t interrupt_after_reads;  // 0 = never
    bool violated;                 // a device was released before its line was safe
};

static struct world *world_of_transport(struct transport *transport) {
    return (struct world *)((char *)transport - offsetof(struct world, transport));
}

static struct world *world_of_file(struct file *file) {
    return (struct world *)((char *)file - offsetof(struct world, file));
}

static struct world *world_of_source(struct source *source) {
    return (struct world *)((char *)source - offsetof(struct world, source));
}

static uint64_t next_random(struct world *world) {
    world->random_state = world->random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return world->random_state >> 33;
}

static int64_t world_now(void *context) {
    return ((struct world *)context)->now;
}

static void world_random(void *context, void *data, size_t size) {
    for (size_t i = 0; i < size; i++) ((uint8_t *)data)[i] = (uint8_t)next_random(context);
}

static void *network_start(struct transport *transport, const struct call *call, int64_t timeout,
                           transport_done *done, void *context) {
    (void)timeout;
    struct world *world = world_of_transport(transport);
    for (size_t i = 0; i < CALLS_MAX; i++) {
        if (world->calls[i].used) continue;
        world->calls[i] = (struct pending_call){
            .used = true,
            .due = world->now + (int64_t)(next_random(world) % 50) * NS_PER_MS,
            .call = call,
            .done = done,
            .context = context,
        };
        return &world->calls[i];
    }
    fail_msg("too many calls at once");
    return NULL;
}

static void network_cancel(struct transport *transport, void *handle) {
    (void)transport;
    ((struct pending_call *)handle)->used = false;
}

// True if the device's line is in the synced part of the file.
static bool line_is_safe(const struct world *world, size_t device) {
    char *line MEMORY_AUTO = memory_printf("%s\n", world->names[device]);
    if (world->written.data == NULL) return false;
    const char *found = memmem(world->written.data, world->synced, line, strlen(line));
    return found != NULL;
}

static void network_answer(struct world *world, const struct call *call, struct reply *reply) {
    reply->outcome = REPLY_ANSWERED;
    size_t device = (size_t)strtoul((const char *)call->body, NULL, 10);
    if (strcmp(call->method, "/read") == 0) {
        world->reads++;
        if (world->reads == world->interrupt_after_reads) world->interrupts = 1;
    }
    if (strcmp(call->method, "/release") != 0) return;
    if (!line_is_safe(world, device)) world->violated = true;
    world->releases[device]++;
    if (world->refuses[device]) {
        reply->grpc_status = GRPC_PERMISSION_DENIED;
    } else {
        world->released[device] = true;
    }
}

static int network_wait(struct transport *transport, int64_t timeout, struct error *error) {
    (void)error;
    struct world *world = world_of_transport(transport);
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
    network_answer(world, first->call, &reply);
    first->done(first->context, &reply);
    reply_release(&reply);
    return 0;
}

static const struct transport_operations network = {
    .start = network_start, .cancel = network_cancel, .wait = network_wait};

static int disk_write(struct file *file, const void *data, size_t size, struct error *error) {
    struct world *world = world_of_file(file);
    if (++world->writes == world->write_fails_at) {
        buffer_add(&world->written, data, size / 2);
        return error_set(error, ERROR_OUTPUT, "cannot write: no space left");
    }
    buffer_add(&world->written, data, size);
    return 0;
}

static int disk_sync(struct file *file, struct error *error) {
    struct world *world = world_of_file(file);
    if (++world->syncs == world->sync_fails_at) return error_set(error, ERROR_OUTPUT, "cannot sync");
    world->synced = world->written.size;
    return 0;
}

static int disk_truncate(struct file *file, uint64_t size, struct error *error) {
    (void)error;
    world_of_file(file)->written.size = size;
    return 0;
}

static const struct file_operations disk = {
    .write = disk_write, .sync = disk_sync, .truncate = disk_truncate};

// ---- the source and the target

static enum job_step made_prepare(struct source *source, struct job *job, const char *application,
                                  struct error *error) {
    (void)job;
    (void)application;
    (void)error;
    world_of_source(source)->logins++;
    return JOB_DONE;
}

static const struct server server = {.name = "server", .address = "localhost:1"};

static void add_call(struct job *job, const char *method, const char *body, bool changes) {
    struct call *call = job_call(job);
    *call = (struct call){.kind = CALL_GRPC, .server = &server, .method = method, .changes = changes};
    call->body = arena_strdup(job->arena, body);
    call->body_size = strlen(body) + 1;
}

static enum job_step made_list(struct source *source, struct job *job, struct source_page *page,
                               struct error *error) {
    (void)error;
    struct world *world = world_of_source(source);
    if (job->stage++ == 0) {
        add_call(job, "/list", "", false);
        return JOB_CALLS;
    }
    size_t first = page->cursor == NULL ? 0 : strtoul(page->cursor, NULL, 10);
    for (size_t i = first; i < world->devices && i < first + PAGE; i++) {
        struct source_record *record = source_page_add(page);
        record->id = memory_strdup(world->names[i]);
        char number[24];
        snprintf(number, sizeof number, "%zu", i);
        source_record_set_data(record, number, strlen(number) + 1);
    }
    page->total = world->devices;
    free(page->cursor);
    page->cursor = first + PAGE < world->devices ? memory_printf("%zu", first + PAGE) : NULL;
    return JOB_DONE;
}

static bool wants_login(struct world *world) {
    if (world->logins_wanted == 0) return false;
    world->logins_wanted--;
    return true;
}

static enum job_step made_read(struct source *source, struct job *job, struct source_record *record,
                               struct error *error) {
    (void)error;
    if (job->stage++ == 0) {
        add_call(job, "/read", (const char *)record->data, false);
        return JOB_CALLS;
    }
    if (wants_login(world_of_source(source))) return JOB_LOGIN;
    record->complete = true;
    return JOB_DONE;
}

static int made_convert(struct source *source, const struct source_record *record, struct device *device,
                        struct error *error) {
    struct world *world = world_of_source(source);
    size_t index = strtoul((const char *)record->data, NULL, 10);
    if (world->broken[index]) return error_set(error, ERROR_DEVICE, "is broken");
    Tts__EndDevice *end_device = device->end_device;
    uint8_t eui[8] = {1, 2, 3, 4, 5, 6, 7, (uint8_t)index};
    device_set_text(device, &device_ids(device)->device_id, record->id);
    device_set_application(device, "my-app");
    device_set_bytes(device, &device_ids(device)->dev_eui, eui, sizeof eui);
    device_set_bytes(device, &device_ids(device)->join_eui, eui, sizeof eui);
    end_device->supports_join = true;
    end_device->lorawan_version = TTS__MACVERSION__MAC_V1_0_2;
    end_device->lorawan_phy_version = TTS__PHYVERSION__PHY_V1_0_2_REV_B;
    device_set_text(device, &end_device->frequency_plan_id, "EU_863_870_TTN");
    return 0;
}

static enum job_step made_release(struct source *source, struct job *job, const struct source_record *record,
                                  const struct device *device, struct error *error) {
    (void)device;
    if (job->stage++ == 0) {
        add_call(job, "/release", (const char *)record->data, true);
        return JOB_CALLS;
    }
    if (wants_login(world_of_source(source))) return JOB_LOGIN;
    if (reply_ok(&job->replies[0], CALL_GRPC)) return JOB_DONE;
    reply_error(&job->replies[0], &job->calls[0], error);
    return JOB_FAILED;
}

static enum job_step made_confirm(struct source *source, struct job *job, const struct source_record *record,
                                  const struct source_record *now,
                                  struct source_confirmation *ret_confirmation, struct error *error) {
    (void)error;
    struct world *world = world_of_source(source);
    if (now == NULL && job->stage++ == 0) {
        add_call(job, "/read", (const char *)record->data, false);
        return JOB_CALLS;
    }
    size_t index = strtoul((const char *)record->data, NULL, 10);
    ret_confirmation->proof =
        world->released[index] && !world->held_later[index] ? SOURCE_RELEASED : SOURCE_HELD;
    ret_confirmation->remark = "has keys again";
    return JOB_DONE;
}

static const struct source_driver made_driver = {
    .name = "made",
    .title = "made up",
    .features = SOURCE_LISTS | SOURCE_CHANGES | SOURCE_CHEAP_LIST,
    .prepare = made_prepare,
    .list = made_list,
    .read = made_read,
    .convert = made_convert,
    .release = made_release,
    .confirm = made_confirm,
};

static int id_encode(const struct device *device, struct buffer *output, struct error *error) {
    (void)error;
    buffer_printf(output, "%s\n", device_id(device));
    return 0;
}

static const struct target_driver id_target = {.name = "id", .title = "IDs", .encode = id_encode};

// ---- running it

static const struct device_naming naming = {0};

static void world_init(struct world *world, uint64_t seed, size_t devices) {
    *world = (struct world){
        .source = {.driver = &made_driver},
        .transport = {.operations = &network},
        .file = {.operations = &disk, .name = "file", .regular = true},
        .random_state = seed,
        .devices = devices,
    };
    buffer_init(&world->written, BUFFER_UNLIMITED);
    for (size_t i = 0; i < devices; i++) world->names[i] = memory_printf("device-%zu", i);
}

static void world_release(struct world *world) {
    for (size_t i = 0; i < world->devices; i++) free(world->names[i]);
    buffer_release(&world->written);
}

struct outcome {
    int result;
    struct error error;
    struct run_numbers numbers;
};

static unsigned world_interrupts(void *context) {
    return ((struct world *)context)->interrupts;
}

static void world_migrate(struct world *world, bool dry_run, bool keep_going, unsigned concurrency,
                          struct outcome *outcome) {
    const struct clock clock = {.context = world, .monotonic = world_now, .wall = world_now};
    const struct random random = {.context = world, .fill = world_random};
    const struct run_setup setup = {
        .driver = &made_driver,
        .source = &world->source,
        .target = &id_target,
        .output = &world->file,
        .transport = &world->transport,
        .clock = &clock,
        .random = &random,
        .naming = &naming,
        .plans = frequency_plans_builtin(),
        .observer = {.context = world, .interrupts = world_interrupts},
        .concurrency = concurrency,
        .timeout = 10 * NS_PER_SECOND,
        .dry_run = dry_run,
        .no_plan = world->no_plan,
        .keep_going = keep_going,
    };
    *outcome = (struct outcome){0};
    struct run *run = run_new(&setup, &outcome->error);
    assert_non_null(run);
    outcome->result = run_application(run, "my-app", &outcome->error);
    outcome->numbers = *run_numbers(run);
    run_free(run);
    assert_false(world->violated);
}

static void outcome_release(struct outcome *outcome) {
    error_release(&outcome->error);
}

// Every device before `end` that is not broken, each once and in order.
static void expect_lines(struct world *world, size_t end) {
    BUFFER_AUTO expected;
    buffer_init(&expected, BUFFER_UNLIMITED);
    for (size_t i = 0; i < end; i++) {
        if (!world->broken[i]) buffer_printf(&expected, "%s\n", world->names[i]);
    }
    assert_string_equal(buffer_string(&world->written), buffer_string(&expected));
}

// Nothing is released without its line, and every line is whole.
static void expect_safe(struct world *world) {
    for (size_t i = 0; i < world->devices; i++) {
        if (world->releases[i] > 0) assert_true(line_is_safe(world, i));
    }
    if (world->written.size > 0) assert_int_equal(world->written.data[world->written.size - 1], '\n');
}

static void test_everything(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct world world;
        world_init(&world, seed, 47);
        struct outcome outcome;
        world_migrate(&world, false, false, seed % 2 == 0 ? 16 : 1, &outcome);
        assert_int_equal(outcome.result, 0);
        expect_lines(&world, 47);
        for (size_t i = 0; i < 47; i++) assert_int_equal(world.releases[i], 1);
        assert_int_equal(outcome.numbers.released, 47);
        assert_int_equal(outcome.numbers.confirmed, 47);
        assert_int_equal(outcome.numbers.done, 47);
        world_release(&world);
    }
}

static void test_dry_run(void **state) {
    (void)state;
    struct world world;
    world_init(&world, 3, 25);
    struct outcome outcome;
    world_migrate(&world, true, false, 8, &outcome);
    assert_int_equal(outcome.result, 0);
    expect_lines(&world, 25);
    for (size_t i = 0; i < 25; i++) assert_int_equal(world.releases[i], 0);
    assert_int_equal(outcome.numbers.confirmed, 0);
    world_release(&world);
}

// All devices are looked at before the first one is changed.
static void test_changes_nothing_if_one_cannot_go(void **state) {
    (void)state;
    for (size_t broken = 0; broken < 20; broken++) {
        struct world world;
        world_init(&world, broken + 1, 20);
        world.broken[broken] = true;
        struct outcome outcome;
        world_migrate(&world, false, false, 8, &outcome);
        assert_int_equal(outcome.result, -ERROR_DEVICE);
        assert_non_null(strstr(outcome.error.message, world.names[broken]));
        expect_lines(&world, 0);
        for (size_t i = 0; i < 20; i++) assert_int_equal(world.releases[i], 0);
        outcome_release(&outcome);
        world_release(&world);
    }
}

static void test_halts_at_the_first_error(void **state) {
    (void)state;
    for (size_t broken = 0; broken < 20; broken++) {
        struct world world;
        world_init(&world, broken + 1, 20);
        world.broken[broken] = true;
        world.no_plan = true;
        struct outcome outcome;
        world_migrate(&world, false, false, 8, &outcome);
        assert_int_equal(outcome.result, -ERROR_DEVICE);
        assert_non_null(strstr(outcome.error.message, world.names[broken]));
        expect_lines(&world, broken);
        for (size_t i = 0; i < 20; i++) assert_int_equal(world.releases[i], i < broken);
        expect_safe(&world);
        outcome_release(&outcome);
        world_release(&world);
    }
}

static void test_keep_going(void **state) {
    (void)state;
    struct world world;
    world_init(&world, 5, 30);
    world.broken[0] = world.broken[7] = world.broken[8] = world.broken[29] = true;
    struct outcome outcome;
    world_migrate(&world, false, true, 8, &outcome);
    assert_int_equal(outcome.result, 0);
    expect_lines(&world, 30);
    for (size_t i = 0; i < 30; i++) assert_int_equal(world.releases[i], !world.broken[i]);
    assert_int_equal(outcome.numbers.failed, 4);
    assert_int_equal(outcome.numbers.done, 30);
    world_release(&world);
}

static void test_release_refused(void **state) {
    (void)state;
    for (int keep_going = 0; keep_going < 2; keep_going++) {
        struct world world;
        world_init(&world, 11, 30);
        world.refuses[9] = true;
        struct outcome outcome;
        world_migrate(&world, false, keep_going == 1, 4, &outcome);
        assert_int_equal(outcome.result == 0, keep_going);
        assert_int_equal(outcome.numbers.held, 1);
        assert_int_equal(outcome.numbers.failed, 1);
        // Every line that is out belongs to a released device, but for the one that was refused.
        for (size_t i = 0; i < 30; i++)
            assert_int_equal(world.released[i], i != 9 && line_is_safe(&world, i));
        expect_safe(&world);
        outcome_release(&outcome);
        world_release(&world);
    }
}

static void test_output_fails_anywhere(void **state) {
    (void)state;
    size_t failures = 0;
    for (size_t at = 1; at <= 40; at++) {
        for (int what = 0; what < 2; what++) {
            struct world world;
            world_init(&world, at, 30);
            if (what == 0) world.write_fails_at = at;
            if (what == 1) world.sync_fails_at = at;
            struct outcome outcome;
            world_migrate(&world, false, true, 4, &outcome);
            expect_safe(&world);
            if (outcome.result != 0) {
                failures++;
                assert_int_equal(outcome.result, -ERROR_OUTPUT);
                for (size_t i = 0; i < 30; i++) assert_int_equal(world.released[i], line_is_safe(&world, i));
            } else {
                assert_int_equal(outcome.numbers.released, 30);
            }
            outcome_release(&outcome);
            world_release(&world);
        }
    }
    assert_true(failures > 20);
}

static void test_interrupted_anywhere(void **state) {
    (void)state;
    for (size_t at = 1; at <= 30; at++) {
        struct world world;
        world_init(&world, at, 30);
        world.interrupt_after_reads = at;
        struct outcome outcome;
        world_migrate(&world, false, false, 4, &outcome);
        assert_int_equal(outcome.result, -ERROR_CANCELLED);
        expect_safe(&world);
        for (size_t i = 0; i < 30; i++) assert_int_equal(world.released[i], line_is_safe(&world, i));
        outcome_release(&outcome);
        world_release(&world);
    }
}

static void test_credentials_run_out(void **state) {
    (void)state;
    struct world world;
    world_init(&world, 9, 40);
    world.logins_wanted = 10;
    struct outcome outcome;
    world_migrate(&world, false, false, 8, &outcome);
    assert_int_equal(outcome.result, 0);
    expect_lines(&world, 40);
    assert_true(world.logins > 1);
    assert_int_equal(outcome.numbers.released, 40);
    world_release(&world);
}

static void test_credentials_never_accepted(void **state) {
    (void)state;
    struct world world;
    world_init(&world, 9, 10);
    world.logins_wanted = 1000;
    struct outcome outcome;
    world_migrate(&world, false, false, 8, &outcome);
    assert_int_equal(outcome.result, -ERROR_DENIED);
    assert_int_equal(world.written.size, 0);
    outcome_release(&outcome);
    world_release(&world);
}

static void test_same_names(void **state) {
    (void)state;
    for (int keep_going = 0; keep_going < 2; keep_going++) {
        struct world world;
        world_init(&world, 2, 12);
        free(world.names[3]);
        free(world.names[9]);
        world.names[3] = memory_strdup("device_x");
        world.names[9] = memory_strdup("device-x");
        struct outcome outcome;
        world_migrate(&world, false, keep_going == 1, 4, &outcome);
        assert_int_equal(world.releases[3] + world.releases[9], 0);
        assert_int_equal(outcome.result, keep_going == 1 ? 0 : -ERROR_DEVICE);
        assert_int_equal(outcome.numbers.failed, 2);
        assert_int_equal(outcome.numbers.released, keep_going == 1 ? 10 : 0);
        outcome_release(&outcome);
        world_release(&world);
    }
}

static void test_held_later(void **state) {
    (void)state;
    struct world world;
    world_init(&world, 4, 12);
    world.held_later[5] = true;
    struct outcome outcome;
    world_migrate(&world, false, false, 4, &outcome);
    assert_int_equal(outcome.result, 0);
    assert_int_equal(outcome.numbers.held, 1);
    assert_int_equal(outcome.numbers.failed, 1);
    world_release(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything),
        cmocka_unit_test(test_dry_run),
        cmocka_unit_test(test_changes_nothing_if_one_cannot_go),
        cmocka_unit_test(test_halts_at_the_first_error),
        cmocka_unit_test(test_keep_going),
        cmocka_unit_test(test_release_refused),
        cmocka_unit_test(test_output_fails_anywhere),
        cmocka_unit_test(test_interrupted_anywhere),
        cmocka_unit_test(test_credentials_run_out),
        cmocka_unit_test(test_credentials_never_accepted),
        cmocka_unit_test(test_same_names),
        cmocka_unit_test(test_held_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
