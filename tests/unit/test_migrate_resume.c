// SPDX-License-Identifier: Apache-2.0
// A run that dies at every place: before and after every call, in the middle of every write to the output, and before
// every write and sync of the journal. A process of its own runs the engine over a source that is made up here, and
// ends without a word; the next one resumes, or rolls back, what it left. The world outlives both.
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

#include <sqlite3.h>

#include "base/memory.h"
#include "migrate/output_resume.h"
#include "migrate/run.h"

enum { DEVICES = 14, PAGE = 5, CALLS_MAX = 64, FILE_MAX = 4096, DIED = 42, BAD = 43 };

// ---- the world, in memory that processes share

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
    bool released[DEVICES];
    bool refuses[DEVICES];  // cannot be released
    bool imperfect[DEVICES];
    unsigned restores[DEVICES];
    char content[FILE_MAX];  // of the output
    size_t size;
    size_t synced;
    unsigned writes;
    unsigned write_fails_at;  // the n-th write stops in its middle; 0 = never
    unsigned events;
    unsigned dies_at;  // the n-th event; 0 = never
    bool violated;     // a device was released before its line was safe
};

static struct world *world;
// In memory where that is possible: what syncs cost is of no interest here.
static char in_memory[] = "/dev/shm/ttn-lw-migrate-resume-XXXXXX";
static char on_disk[] = "/tmp/ttn-lw-migrate-resume-XXXXXX";
static char *directory;
static char journal_file[sizeof in_memory + 16];

// A place at which the process may end.
static void event(void) {
    if (++world->events == world->dies_at) _exit(DIED);
}

static void name_of(char name[static 24], size_t device) {
    snprintf(name, 24, "device-%zu", device);
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

// ---- the network

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

static bool line_is_safe(size_t device) {
    char name[24];
    name_of(name, device);
    char *line MEMORY_AUTO = memory_printf("%s\n", name);
    return memmem(world->content, world->synced, line, strlen(line)) != NULL;
}

static void network_answer(const struct call *call, struct reply *reply) {
    reply->outcome = REPLY_ANSWERED;
    size_t device = (size_t)strtoul((const char *)call->body, NULL, 10);
    event();
    if (strcmp(call->method, "/release") == 0 && world->refuses[device]) {
        reply->grpc_status = GRPC_PERMISSION_DENIED;
    } else if (strcmp(call->method, "/release") == 0) {
        if (!line_is_safe(device)) world->violated = true;
        world->released[device] = true;
        event();
    } else if (strcmp(call->method, "/restore") == 0) {
        world->released[device] = false;
        world->restores[device]++;
        event();
    }
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

// ---- the output

static void append(const char *data, size_t size) {
    if (world->size + size > FILE_MAX) _exit(BAD);
    memcpy(world->content + world->size, data, size);
    world->size += size;
}

static int disk_write(struct file *file, const void *data, size_t size, struct error *error) {
    (void)file;
    event();
    append(data, size / 2);
    event();
    if (++world->writes == world->write_fails_at) return error_set(error, ERROR_OUTPUT, "no space left");
    append((const char *)data + size / 2, size - size / 2);
    event();
    return 0;
}

static int disk_sync(struct file *file, struct error *error) {
    (void)file;
    (void)error;
    world->synced = world->size;
    event();
    return 0;
}

static int disk_read(struct file *file, uint64_t offset, void *data, size_t size, size_t *ret_size,
                     struct error *error) {
    (void)file;
    (void)error;
    size_t left = offset < world->size ? world->size - (size_t)offset : 0;
    *ret_size = size < left ? size : left;
    memcpy(data, world->content + offset, *ret_size);
    return 0;
}

static int disk_truncate(struct file *file, uint64_t size, struct error *error) {
    (void)file;
    (void)error;
    event();
    if (size < world->size) world->size = (size_t)size;
    if (world->synced > world->size) world->synced = world->size;
    event();
    return 0;
}

static const struct file_operations disk = {
    .write = disk_write, .sync = disk_sync, .read = disk_read, .truncate = disk_truncate};

// ---- the journal's disk: SQLite's own, with events before what lasts

// One for each kind of file that SQLite has.
static struct watched {
    sqlite3_io_methods methods;  // first: what a file points to
    const sqlite3_io_methods *real;
} watched[4];
static sqlite3_vfs *real_vfs;
static sqlite3_vfs vfs;

static const sqlite3_io_methods *real_of(const sqlite3_file *file) {
    for (size_t i = 0; i < sizeof watched / sizeof *watched; i++) {
        if (file->pMethods == &watched[i].methods) return watched[i].real;
    }
    _exit(BAD);
}

static int journal_write(sqlite3_file *file, const void *data, int size, sqlite3_int64 offset) {
    event();
    return real_of(file)->xWrite(file, data, size, offset);
}

static int journal_sync(sqlite3_file *file, int flags) {
    event();
    return real_of(file)->xSync(file, flags);
}

static int journal_delete(sqlite3_vfs *self, const char *name, int sync) {
    (void)self;
    event();
    return real_vfs->xDelete(real_vfs, name, sync);
}

static int journal_open_file(sqlite3_vfs *self, const char *name, sqlite3_file *file, int flags,
                             int *ret_flags) {
    (void)self;
    int result = real_vfs->xOpen(real_vfs, name, file, flags, ret_flags);
    if (result != SQLITE_OK || file->pMethods == NULL) return result;
    for (size_t i = 0; i < sizeof watched / sizeof *watched; i++) {
        struct watched *kind = &watched[i];
        if (kind->real != NULL && kind->real != file->pMethods) continue;
        kind->real = file->pMethods;
        kind->methods = *kind->real;
        kind->methods.xWrite = journal_write;
        kind->methods.xSync = journal_sync;
        file->pMethods = &kind->methods;
        return result;
    }
    _exit(BAD);
}

static void watch_journal(void) {
    real_vfs = sqlite3_vfs_find(NULL);
    vfs = *real_vfs;
    vfs.zName = "watched";
    vfs.pNext = NULL;
    vfs.xOpen = journal_open_file;
    vfs.xDelete = journal_delete;
    if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK) _exit(BAD);
}

// ---- the source and the target

static enum job_step made_list(struct source *source, struct job *job, struct source_page *page,
                               struct error *error) {
    (void)source;
    (void)job;
    (void)error;
    size_t first = page->cursor == NULL ? 0 : strtoul(page->cursor, NULL, 10);
    for (size_t i = first; i < DEVICES && i < first + PAGE; i++) {
        struct source_record *record = source_page_add(page);
        char text[24];
        name_of(text, i);
        record->id = memory_strdup(text);
        snprintf(text, sizeof text, "%zu", i);
        source_record_set_data(record, text, strlen(text) + 1);
    }
    page->total = DEVICES;
    free(page->cursor);
    page->cursor = first + PAGE < DEVICES ? memory_printf("%zu", first + PAGE) : NULL;
    return JOB_DONE;
}

static const struct server server = {.name = "server", .address = "localhost:1"};

static enum job_step made_call(struct job *job, const char *method, const struct source_record *record,
                               struct error *error) {
    if (job->stage++ == 0) {
        struct call *call = job_call(job);
        *call = (struct call){.kind = CALL_GRPC, .server = &server, .method = method};
        call->changes = strcmp(method, "/read") != 0;
        call->body = arena_strdup(job->arena, (const char *)record->data);
        call->body_size = record->size;
        return JOB_CALLS;
    }
    if (job->replies[0].outcome == REPLY_DRY || reply_ok(&job->replies[0], CALL_GRPC)) return JOB_DONE;
    reply_error(&job->replies[0], &job->calls[0], error);
    return JOB_FAILED;
}

static enum job_step made_read(struct source *source, struct job *job, struct source_record *record,
                               struct error *error) {
    (void)source;
    record->complete = true;
    return made_call(job, "/read", record, error);
}

static int made_convert(struct source *source, const struct source_record *record, struct device *device,
                        struct error *error) {
    (void)source;
    size_t index = strtoul((const char *)record->data, NULL, 10);
    // A released device has no keys any more: whoever reads it again has come too late.
    if (world->released[index]) return error_set(error, ERROR_DEVICE, "was exported before");
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
    (void)source;
    (void)device;
    return made_call(job, "/release", record, error);
}

static enum job_step made_restore(struct source *source, struct job *job, const struct source_record *record,
                                  struct source_restoration *restoration, struct error *error) {
    (void)source;
    size_t index = strtoul((const char *)record->data, NULL, 10);
    if (job->stage == 0 && !world->released[index]) return JOB_DONE;
    if (world->imperfect[index]) restoration->remark = "something is lost";
    return made_call(job, "/restore", record, error);
}

static const struct source_driver made_driver = {
    .name = "made",
    .title = "made up",
    .features = SOURCE_LISTS | SOURCE_CHANGES | SOURCE_CHEAP_LIST,
    .list = made_list,
    .read = made_read,
    .convert = made_convert,
    .release = made_release,
    .restore = made_restore,
};

static int id_encode(const struct device *device, struct buffer *output, struct error *error) {
    (void)error;
    buffer_printf(output, "%s\n", device_id(device));
    return 0;
}

static const struct target_driver id_target = {.name = "id", .title = "IDs", .encode = id_encode};

// ---- a process

enum work { START, RESUME, ROLLBACK };

struct order {
    enum work work;
    bool dry_run;
    bool keep_going;
    const char *const *ids;  // of a rollback; NULL = all
};

struct outcome {
    int result;
    struct error error;
    struct run_numbers numbers;
};

static int feed_ids(void *context, run_id_receiver *receiver, void *receiver_context, struct error *error) {
    int result = 0;
    for (const char *const *id = context; *id != NULL && result == 0; id++) {
        result = receiver(receiver_context, *id, error);
    }
    return result;
}

static int run_order(struct run *run, const struct order *order, struct error *error) {
    if (order->work == START) return run_application(run, "my-app", error);
    if (order->work == RESUME) return run_resume(run, error);
    union {
        const char *const *ids;
        void *context;
    } feed = {.ids = order->ids};
    return run_rollback(run, order->ids == NULL ? NULL : feed_ids, feed.context, error);
}

static int open_and_run(const struct order *order, const char *layer, struct outcome *outcome) {
    static const struct device_naming naming = {0};
    const struct clock clock = {.monotonic = world_now, .wall = world_now};
    const struct random random = {.fill = world_random};
    const struct journal_place place = {.path = journal_file, .vfs = layer};
    struct run_setup setup = {
        .driver = &made_driver,
        .source = &world->source,
        .target = &id_target,
        .output = &world->file,
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
    if (result == 0 && order->work == RESUME) {
        result = output_resume(&world->file, true, &id_target, setup.journal, &setup.output_size, error);
    }
    if (result == 0) {
        struct run *run = run_new(&setup, error);
        result = run_order(run, order, error);
        outcome->numbers = *run_numbers(run);
        run_free(run);
    }
    journal_close(setup.journal);
    return result;
}

// In this process, which cannot die.
static void work(const struct order *order, struct outcome *outcome) {
    memset(world->calls, 0, sizeof world->calls);
    world->dies_at = 0;
    *outcome = (struct outcome){0};
    outcome->result = open_and_run(order, NULL, outcome);
    assert_false(world->violated);
}

static void work_well(const struct order *order) {
    struct outcome outcome;
    work(order, &outcome);
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
        watch_journal();
        int result = open_and_run(order, "watched", &outcome);
        if (result != 0) fprintf(stderr, "%s\n", outcome.error.message);
        _exit(result == 0 ? 0 : BAD);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == DIED);
    assert_false(world->violated);
    // Without power, a part of what was not synced is gone.
    if (at % 2 == 0) world->size = world->synced + next_random() % (world->size - world->synced + 1);
    return WEXITSTATUS(status) == DIED;
}

// ---- what has to be true

static void forget_journal(void) {
    static const char *const names[] = {"", "-wal", "-shm", "-journal"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path MEMORY_AUTO = memory_printf("%s%s", journal_file, names[i]);
        (void)unlink(path);
    }
}

static void world_init(uint64_t seed) {
    *world = (struct world){
        .source = {.driver = &made_driver},
        .transport = {.operations = &network},
        .file = {.operations = &disk, .name = "file", .regular = true},
        .random_state = seed,
    };
    forget_journal();
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

// Everything is as if nothing had ever interrupted the run.
static void expect_complete(void) {
    BUFFER_AUTO expected;
    buffer_init(&expected, BUFFER_UNLIMITED);
    for (size_t i = 0; i < DEVICES; i++) {
        buffer_printf(&expected, "device-%zu\n", i);
        assert_true(world->released[i]);
    }
    assert_int_equal(world->size, expected.size);
    assert_memory_equal(world->content, expected.data, expected.size);
    assert_int_equal(world->synced, world->size);
    assert_int_equal(count_state(DEVICE_RELEASED) + count_state(DEVICE_CONFIRMED), DEVICES);
}

static void expect_restored(void) {
    for (size_t i = 0; i < DEVICES; i++) assert_false(world->released[i]);
    assert_int_equal(count_state(DEVICE_RELEASING) + count_state(DEVICE_RELEASED), 0);
    assert_int_equal(count_state(DEVICE_CONFIRMED) + count_state(DEVICE_RESTORING), 0);
}

static const struct order start = {.work = START};
static const struct order resume = {.work = RESUME};
static const struct order rollback = {.work = ROLLBACK};

// True if the journal that was left names the application; before that, nothing can have been changed.
static bool can_resume(void) {
    struct journal *journal = NULL;
    char *application = NULL;
    ERROR_AUTO error = {0};
    int result = journal_open(&(struct journal_place){.path = journal_file}, true, &journal, &error);
    if (result == 0) result = journal_application(journal, 0, &application, &error);
    journal_close(journal);
    bool known = result == 0 && application != NULL;
    free(application);
    if (known) return true;
    assert_int_equal(world->size, 0);
    for (size_t i = 0; i < DEVICES; i++) assert_false(world->released[i]);
    return false;
}

// ---- tests

static int setup(void **state) {
    (void)state;
    world = mmap(NULL, sizeof *world, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    directory = mkdtemp(in_memory);
    if (directory == NULL) directory = mkdtemp(on_disk);
    if (world == MAP_FAILED || directory == NULL) return -1;
    snprintf(journal_file, sizeof journal_file, "%s/run.journal", directory);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    forget_journal();
    munmap(world, sizeof *world);
    return rmdir(directory);
}

static void test_undisturbed(void **state) {
    (void)state;
    world_init(1);
    work_well(&start);
    expect_complete();
    work_well(&resume);
    expect_complete();
    work_well(&rollback);
    expect_restored();
    for (size_t i = 0; i < DEVICES; i++) assert_int_equal(world->restores[i], 1);
    work_well(&rollback);
    for (size_t i = 0; i < DEVICES; i++) assert_int_equal(world->restores[i], 1);
}

static void test_dies_anywhere(void **state) {
    (void)state;
    unsigned resumed = 0;
    for (unsigned at = 1;; at++) {
        world_init(at);
        if (!die(&start, at)) {
            expect_complete();
            break;
        }
        if (!can_resume()) continue;
        resumed++;
        // The next ones die as well, each a little later.
        for (unsigned i = 1; i <= 3; i++) {
            if (!die(&resume, (at * 7 + i * 11) % 60 + i * 10)) break;
        }
        work_well(&resume);
        expect_complete();
    }
    assert_true(resumed > 60);
}

static void test_rolled_back_from_anywhere(void **state) {
    (void)state;
    unsigned rolled_back = 0;
    for (unsigned at = 5;; at += 3) {
        world_init(at);
        if (!die(&start, at)) break;
        if (!can_resume()) continue;
        rolled_back++;
        for (unsigned i = 1; i <= 3; i++) {
            if (!die(&rollback, (at * 5 + i * 3) % 30 + i)) break;
        }
        work_well(&rollback);
        expect_restored();
    }
    assert_true(rolled_back > 20);
}

// What was not yet moved when the rollback came can still be moved; what is back stays.
static void test_resumed_after_rollback(void **state) {
    (void)state;
    for (unsigned at = 60; at < 200; at += 13) {
        world_init(at);
        if (!die(&start, at) || !can_resume()) continue;
        (void)die(&rollback, 8);
        bool moved[DEVICES];
        work_well(&rollback);
        for (size_t i = 0; i < DEVICES; i++) moved[i] = line_is_safe(i);
        (void)die(&resume, 20);
        work_well(&resume);
        work_well(&resume);
        for (size_t i = 0; i < DEVICES; i++) {
            if (!moved[i]) assert_true(world->released[i]);
            if (world->released[i]) assert_true(line_is_safe(i));
        }
        assert_int_equal(count_state(DEVICE_PLANNED) + count_state(DEVICE_RECORDED), 0);
    }
}

static void test_output_fails_after_resume(void **state) {
    (void)state;
    for (unsigned fails = 1; fails <= 6; fails++) {
        world_init(fails);
        // In the midst of it, with several lines in the file.
        unsigned at = 40;
        do {
            world_init(fails);
            at += 5;
            assert_true(die(&start, at));
        } while (!line_is_safe(4));
        char before[FILE_MAX];
        const char *last = memrchr(world->content, '\n', world->size);
        size_t whole = (size_t)(last + 1 - world->content);
        memcpy(before, world->content, whole);
        world->writes = 0;
        world->write_fails_at = fails;
        struct outcome outcome;
        work(&resume, &outcome);
        error_release(&outcome.error);
        // The lines that were there before are there still, and none is torn.
        assert_true(world->size >= whole);
        assert_memory_equal(world->content, before, whole);
        assert_int_equal(world->content[world->size - 1], '\n');
        for (size_t i = 0; i < DEVICES; i++) {
            if (world->released[i]) assert_true(line_is_safe(i));
        }
        world->write_fails_at = 0;
        work_well(&resume);
        expect_complete();
    }
}

static void test_rollback_of_some(void **state) {
    (void)state;
    static const char *const ids[] = {"device-3", "device-0", NULL};
    static const char *const unknown[] = {"device-3", "device-99", NULL};
    const struct order some = {.work = ROLLBACK, .ids = ids};
    const struct order wrong = {.work = ROLLBACK, .ids = unknown};
    const struct order dry = {.work = ROLLBACK, .dry_run = true};
    world_init(7);
    work_well(&start);
    struct outcome outcome;
    work(&wrong, &outcome);
    assert_int_equal(outcome.result, -ERROR_INPUT);
    assert_non_null(strstr(outcome.error.message, "device-99"));
    error_release(&outcome.error);
    expect_complete();
    work(&dry, &outcome);
    assert_int_equal(outcome.result, 0);
    assert_int_equal(outcome.numbers.restored, DEVICES);
    expect_complete();
    work_well(&some);
    for (size_t i = 0; i < DEVICES; i++) assert_int_equal(world->released[i], i != 0 && i != 3);
    assert_int_equal(count_state(DEVICE_RESTORED), 2);
    // Resuming leaves them alone.
    work_well(&resume);
    for (size_t i = 0; i < DEVICES; i++) assert_int_equal(world->released[i], i != 0 && i != 3);
    work_well(&rollback);
    expect_restored();
}

static void test_imperfect(void **state) {
    (void)state;
    world_init(3);
    work_well(&start);
    world->imperfect[2] = world->imperfect[9] = true;
    struct outcome outcome;
    work(&rollback, &outcome);
    assert_int_equal(outcome.result, 0);
    assert_int_equal(outcome.numbers.restored, DEVICES);
    assert_int_equal(outcome.numbers.imperfect, 2);
    expect_restored();
}

// A device that the source does not let go is kept as such, and tried again.
static void test_refused_then_resumed(void **state) {
    (void)state;
    const struct order going = {.work = START, .keep_going = true};
    world_init(5);
    world->refuses[6] = true;
    struct outcome outcome;
    work(&going, &outcome);
    assert_int_equal(outcome.result, 0);
    assert_int_equal(outcome.numbers.held, 1);
    assert_int_equal(count_state(DEVICE_RELEASING), 1);
    world->refuses[6] = false;
    work_well(&resume);
    expect_complete();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_undisturbed),
        cmocka_unit_test(test_dies_anywhere),
        cmocka_unit_test(test_rolled_back_from_anywhere),
        cmocka_unit_test(test_resumed_after_rollback),
        cmocka_unit_test(test_output_fails_after_resume),
        cmocka_unit_test(test_rollback_of_some),
        cmocka_unit_test(test_imperfect),
        cmocka_unit_test(test_refused_then_resumed),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
