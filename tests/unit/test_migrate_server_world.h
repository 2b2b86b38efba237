// SPDX-License-Identifier: Apache-2.0
// Two networks that are made up, with the source and the target that know them. They lie in memory that processes share.
#ifndef TESTS_MIGRATE_SERVER_WORLD_H
#define TESTS_MIGRATE_SERVER_WORLD_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "device/message.h"
#include "device/payload_formatters.h"
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
    IMPORT_HALF,  // it is there, with keys, but its last part is refused
    HEARD,        // between reading and releasing
    DIFFERS,
};

// Payload formatters of the application.
enum made_formatters { NO_FORMATTERS, OWN_FORMATTERS, OTHER_FORMATTERS, LARGE_FORMATTERS, HIDDEN_FORMATTERS };

struct place {
    bool entry;
    bool keys;
    uint32_t up;      // last uplink counter
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
    bool begun[DEVICES];         // its release, and it was not put back since
    unsigned restores[DEVICES];  // how often the source was asked to put it back
    unsigned untouched;          // how often it was told then that nothing was begun
    bool says_unchanged;         // a release that is refused is known to have changed nothing
    enum made_formatters source_formatters, target_formatters;
    unsigned formatters_set;  // how often the target's were set
    int64_t heard_at;         // when the target hears all devices; 0 = never
    bool target_gone;         // the target answers nobody
    unsigned refused;         // imports that were refused
    unsigned looks;           // that the target answered
    unsigned events;
    unsigned dies_at;  // the n-th event; 0 = never
    char violation[200];
};

static struct world *world;
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
        if (obstacle == IMPORT_HALF) reply->grpc_status = GRPC_INVALID_ARGUMENT;
    } else if (strcmp(method, "/look") == 0) {
        world->looks++;
    } else if (strcmp(method, "/remove") == 0) {
        bool other = obstacle == FOUND_OTHER;
        new->data = other ? 2 : 0;
        new->entry = new->keys = other;
    }
}

static void answer_formatters(const struct call *call, struct reply *reply) {
    if (strcmp(call->method, "/set-formatters") == 0) {
        for (size_t i = 0; i < DEVICES; i++) {
            if (world->new[i].keys && world->obstacles[i] == NOTHING)
                violated("it is at the target while the formatters change", i);
        }
        world->target_formatters = *(const char *)call->body - '0';
        world->formatters_set++;
    } else if (call->side == 0 && world->source_formatters == HIDDEN_FORMATTERS) {
        reply->grpc_status = GRPC_PERMISSION_DENIED;
    }
}

static void network_answer(const struct call *call, struct reply *reply) {
    reply->outcome = REPLY_ANSWERED;
    char *rest = NULL;
    size_t device = (size_t)strtoul((const char *)call->body, &rest, 10);
    uint32_t counter = (uint32_t)strtoul(rest, NULL, 10);
    event();
    if (call->side == 1 && world->target_gone) {
        reply->outcome = REPLY_NOT_SENT;
        reply->message = memory_strdup("nobody is there");
    } else if (strstr(call->method, "formatters") != NULL) {
        answer_formatters(call, reply);
    } else if (call->side == 0) {
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
        call->changes = strstr("/release /restore /reserve /import /remove /set-formatters", method) != NULL;
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
    if (job->stage == 0 && record->complete) return JOB_DONE;
    enum job_step step = one_call(job, "/read", index_of(record->id), 0, error);
    if (step != JOB_DONE) return step;
    char *text MEMORY_AUTO = memory_printf("%u", world->read_down[index_of(record->id)]);
    source_record_set_data(record, text, strlen(text) + 1);
    record->complete = true;
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
    world->begun[index] = true;
    if (job->stage == 0 && job->again && !world->old[index].keys) return JOB_DONE;
    enum job_step step = one_call(job, "/release", index, 0, error);
    job->unchanged = step == JOB_FAILED && world->says_unchanged;
    if (step != JOB_FAILED || job->replies[0].outcome != REPLY_LOST) return step;
    // Looked up: it was done.
    error_release(error);
    return world->old[index].keys ? JOB_FAILED : JOB_DONE;
}

static enum job_step made_restore(struct source *source, struct job *job, const struct source_record *record,
                                  struct source_restoration *restoration, struct error *error) {
    (void)source;
    size_t index = index_of(record->id);
    if (job->stage == 0) {
        world->restores[index]++;
        world->untouched += restoration->untouched;
        if (restoration->untouched && world->begun[index])
            violated("was begun, and is called untouched", index);
    }
    if (world->old[index].keys) world->begun[index] = false;
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

// A script whose first character tells which it is; a number of the enumeration.
static const Tts__MessagePayloadFormatters *formatters_of(enum made_formatters which, struct arena *arena) {
    if (which == NO_FORMATTERS) return NULL;
    Tts__MessagePayloadFormatters *formatters =
        message_new(arena, &tts__message_payload_formatters__descriptor);
    size_t size = which == LARGE_FORMATTERS ? 50000 : 1;
    formatters->up_formatter = TTS__PAYLOAD_FORMATTER__FORMATTER_JAVASCRIPT;
    formatters->up_formatter_parameter = arena_alloc(arena, size + 1, 1);
    memset(formatters->up_formatter_parameter, '0' + (int)which, size);
    return formatters;
}

static enum job_step made_source_formatters(struct source *source, struct job *job,
                                            struct source_formatters *ret_formatters, struct error *error) {
    (void)source;
    enum job_step step = one_call(job, "/source-formatters", 0, 0, error);
    if (step == JOB_DONE)
        ret_formatters->formatters = formatters_of(world->source_formatters, ret_formatters->arena);
    return step;
}

static const struct source_driver made_source = {
    .name = "made",
    .title = "made up",
    .features = SOURCE_LISTS | SOURCE_CHANGES,
    .list = made_list,
    .formatters = made_source_formatters,
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
    if (world->heard_at > 0 && world->now >= world->heard_at) world->new[index].up = 1;
    verdict->progress = (struct device_progress){.known = true, .last_f_cnt_up = world->new[index].up};
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
                                 const struct target_removal *removal, struct error *error) {
    (void)target;
    size_t index = device_index(device);
    if ((removal->before != NULL) != (world->obstacles[index] == FOUND_OTHER))
        violated("what was there is lost", index);
    return one_call(job, "/remove", index, 0, error);
}

static enum job_step made_get_formatters(struct target *target, struct job *job,
                                         struct target_formatters *ret_formatters, struct error *error) {
    (void)target;
    ret_formatters->application = "new-app";
    enum job_step step = one_call(job, "/get-formatters", 0, 0, error);
    if (step == JOB_DONE)
        ret_formatters->formatters = formatters_of(world->target_formatters, ret_formatters->arena);
    return step;
}

static enum job_step made_set_formatters(struct target *target, struct job *job,
                                         const Tts__MessagePayloadFormatters *formatters, unsigned directions,
                                         struct error *error) {
    (void)target;
    assert_int_equal(directions, FORMATTERS_UP);
    char which = formatters->up_formatter_parameter[0];
    return one_call(job, "/set-formatters", which == '\0' ? NO_FORMATTERS : (size_t)(which - '0'), 0, error);
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
    .get_formatters = made_get_formatters,
    .set_formatters = made_set_formatters,
};

#endif
