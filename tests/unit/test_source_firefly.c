// SPDX-License-Identifier: Apache-2.0
// Source firefly, its operations against replies that the test makes up: hostile ones, and Firefly as a server with one device
// whose answers get lost.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/memory.h"
#include "device/json_write.h"
#include "device/validate.h"
#include "source/registry.h"

#define KEY  "00112233445566778899AABBCCDDEEFF"
#define NEXT "00112233445566778899AABBCCDDEE00"

static int64_t fixed_time(void *context) {
    (void)context;
    return 1700000000 * NS_PER_SECOND;
}

static void fixed_bytes(void *context, void *data, size_t size) {
    (void)context;
    memset(data, 7, size);
}

static const struct clock fixed_clock = {.monotonic = fixed_time, .wall = fixed_time};
static const struct random fixed_random = {.fill = fixed_bytes};
static const struct device_naming naming;

struct play {
    const struct source_driver *driver;
    struct option_values *options;
    struct source *source;
    struct arena arena;
    struct job job;
    struct source_page page;
    struct source_record record;
    struct source_confirmation confirmation;
    struct source_restoration restoration;
    struct error error;
    json_t *server;                    // the device that the server has
    const char *packets;               // what it says of packets
    const char *get, *put;             // bodies in place of what it says; NULL = none
    int status;                        // of them
    unsigned lose_before, lose_after;  // so many PUTs are lost
    bool dry;                          // a rehearsal: nothing is changed
    char log[200];                     // methods in their order
};

static void set(struct play *play, const char *name, const char *value) {
    const struct option_spec *spec = option_find(play->driver->options, name, strlen(name));
    assert_non_null(spec);
    assert_int_equal(option_set(play->options, spec, name, value, NULL), 0);
}

// `plan` is that of the option; NULL = not given.
static void begin_plan(struct play *play, const char *mac_version, const char *plan, bool invalidates,
                       const char *more) {
    *play = (struct play){.driver = source_find(source_drivers(), "firefly", 7),
                          .status = 200,
                          .packets = "{\"packets\":[{\"fcnt\":41}]}"};
    play->options = option_values_new(play->driver->options);
    set(play, "host", "firefly.example");
    set(play, "api-key", "a b/c");
    set(play, "app-id", "my-app");
    set(play, "join-eui", "70B3D57ED0000000");
    set(play, "mac-version", mac_version);
    if (plan != NULL) set(play, "frequency-plan-id", plan);
    set(play, "all", "true");
    set(play, "invalidate-keys", invalidates ? "true" : "false");
    char *text = memory_printf(
        "{\"eui\":\"0018b20000000001\",\"name\":\"Meter\",\"otaa\":true,\"region\":\"EU868\","
        "\"application_key\":\"%s\",\"application_session_key\":\"%s\","
        "\"network_session_key\":\"%s\",\"address\":\"01020304\",\"frame_counter\":5%s}",
        KEY, KEY, KEY, more);
    play->server = json_loads(text, 0, NULL);
    assert_non_null(play->server);
    free(text);
    const struct source_setup setup = {
        .options = play->options,
        .plans = frequency_plans_builtin(),
        .naming = &naming,
        .clock = &fixed_clock,
        .random = &fixed_random,
    };
    assert_int_equal(play->driver->open(&setup, &play->source, &play->error), 0);
    assert_true(play->source->keeps == !invalidates);
    play->record.id = memory_strdup("0018b20000000001");
}

static void begin(struct play *play, const char *mac_version, bool invalidates, const char *more) {
    begin_plan(play, mac_version, NULL, invalidates, more);
}

static void end(struct play *play) {
    for (size_t i = 0; i < JOB_CALLS_MAX; i++) reply_release(&play->job.replies[i]);
    play->driver->close(play->source);
    option_values_free(play->options);
    arena_release(&play->arena);
    source_page_release(&play->page);
    source_record_release(&play->record);
    error_release(&play->error);
    json_decref(play->server);
}

static void reply_text(struct reply *reply, int status, const char *text) {
    reply->outcome = REPLY_ANSWERED;
    reply->http_status = status;
    buffer_init(&reply->body, BUFFER_UNLIMITED);
    buffer_puts(&reply->body, text);
}

static void take_put(struct play *play, const struct call *call) {
    json_t *body = json_loadb(call->body, call->body_size, 0, NULL);
    assert_int_equal(json_object_update(play->server, json_object_get(body, "device")), 0);
    json_decref(body);
}

static void answer(struct play *play, const struct call *call, struct reply *reply) {
    bool put = strcmp(call->method, "PUT") == 0;
    assert_int_equal(call->changes, put);
    assert_non_null(strstr(call->path, "auth=a%20b%2Fc"));
    strncat(play->log,
            put                                               ? "PUT "
            : strstr(call->path, "/packets?limit_to_last=1&") ? "packets "
                                                              : "GET ",
            sizeof play->log - strlen(play->log) - 1);
    if (put && play->dry) {
        reply->outcome = REPLY_DRY;
        return;
    }
    if (put && play->lose_before > 0) {
        play->lose_before--;
        reply->outcome = REPLY_LOST;
        return;
    }
    if (put && play->put == NULL) take_put(play, call);
    if (put && play->lose_after > 0) {
        play->lose_after--;
        reply->outcome = REPLY_LOST;
        return;
    }
    const char *instead = put ? play->put : play->get;
    if (instead != NULL) {
        reply_text(reply, play->status, instead);
    } else if (strstr(call->path, "/packets") != NULL) {
        reply_text(reply, 200, play->packets);
    } else if (strstr(call->path, "/devices?") != NULL) {
        json_t *whole = json_pack("{s:[O]}", "devices", play->server);
        char *text = json_dumps(whole, 0);
        reply_text(reply, 200, text);
        free(text);
        json_decref(whole);
    } else {
        json_t *whole = json_pack("{s:O}", "device", play->server);
        char *text = json_dumps(whole, 0);
        reply_text(reply, 200, text);
        free(text);
        json_decref(whole);
    }
}

typedef enum job_step play_operation(struct play *play);

static enum job_step run(struct play *play, play_operation *operation, bool again) {
    error_release(&play->error);
    play->log[0] = '\0';
    for (size_t i = 0; i < JOB_CALLS_MAX; i++) reply_release(&play->job.replies[i]);
    arena_release(&play->arena);
    play->job = (struct job){.arena = &play->arena, .again = again};
    for (unsigned i = 0; i < 100; i++) {
        play->job.call_count = 0;
        enum job_step step = operation(play);
        for (size_t j = 0; j < JOB_CALLS_MAX; j++) {
            reply_release(&play->job.replies[j]);
            play->job.replies[j] = (struct reply){0};
        }
        if (step != JOB_CALLS) return step;
        for (size_t j = 0; j < play->job.call_count; j++)
            answer(play, &play->job.calls[j], &play->job.replies[j]);
    }
    fail_msg("it never ends");
    return JOB_FAILED;
}

static enum job_step list(struct play *play) {
    return play->driver->list(play->source, &play->job, &play->page, &play->error);
}

static enum job_step read_record(struct play *play) {
    return play->driver->read(play->source, &play->job, &play->record, &play->error);
}

static enum job_step release(struct play *play) {
    return play->driver->release(play->source, &play->job, &play->record, NULL, &play->error);
}

static enum job_step restore(struct play *play) {
    return play->driver->restore(play->source, &play->job, &play->record, &play->restoration, &play->error);
}

static enum job_step confirm(struct play *play) {
    play->confirmation = (struct source_confirmation){0};
    return play->driver->confirm(play->source, &play->job, &play->record, NULL, &play->confirmation,
                                 &play->error);
}

// The device as JSON with its notes, or the error. To be freed.
static char *convert(struct play *play) {
    DEVICE_AUTO device = {0};
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    device_init(&device);
    error_release(&play->error);
    int result = play->driver->convert(play->source, &play->record, &device, &play->error);
    if (result == 0) result = device_validate(&device, frequency_plans_builtin(), &play->error);
    if (result != 0) return memory_strdup(play->error.message);
    message_json_write(&device.end_device->base, &text);
    for (size_t i = 0; i < device.notes.count; i++) {
        buffer_printf(&text, " (%s: %s)", device.notes.items[i].path, device.notes.items[i].text);
    }
    return buffer_take_string(&text);
}

static void check_device(const char *mac_version, bool invalidates, const char *more, const char *packets,
                         const char *const *wanted) {
    struct play play;
    begin(&play, mac_version, invalidates, more);
    if (packets != NULL) play.packets = packets;
    assert_int_equal(run(&play, read_record, false), JOB_DONE);
    assert_string_equal(play.log, "GET packets ");
    assert_true(play.record.complete && play.record.has_dev_eui);
    char *text = convert(&play);
    for (; *wanted != NULL; wanted++) {
        if (strstr(text, *wanted) == NULL) fail_msg("%s instead of %s", text, *wanted);
    }
    free(text);
    end(&play);
}

#define CHECK(version, invalidates, more, packets, ...) \
    check_device(version, invalidates, more, packets, (const char *const[]){__VA_ARGS__, NULL})

static void test_devices(void **state) {
    (void)state;
    CHECK(
        "1.0.2b", false,
        ",\"class_c\":true,\"rx2_data_rate\":3,\"tags\":[\"a\",7,\"b\"],\"location\":{\"lat\":1.5,\"lon\":2}",
        NULL,
        "{\"ids\":{\"device_id\":\"0018b20000000001\",\"application_ids\":{\"application_id\":\"my-app\"},"
        "\"dev_eui\":"
        "\"0018B20000000001\",\"join_eui\":\"70B3D57ED0000000\"},\"name\":\"Meter\",\"attributes\":{"
        "\"firefly-tags\":\"a, "
        "b\"},",
        "\"latitude\":1.5,\"longitude\":2", "\"supports_class_c\":true",
        "\"lorawan_version\":\"MAC_V1_0_2\",\"lorawan_phy_version\":\"PHY_V1_0_2_REV_B\",\"frequency_plan_"
        "id\":\"EU_863_"
        "870\"",
        "\"app_key\":{\"key\":\"" KEY "\"}", "\"mac_settings\":{\"desired_rx2_data_rate_index\":3}",
        "\"rx2_data_rate_index\":3", "\"867100000\"",
        "\"f_nwk_s_int_key\":{\"key\":\"" KEY "\"},\"app_s_key\":{\"key\":\"" KEY
        "\"}},\"last_f_cnt_up\":41,\"last_n_f_cnt_down\":6,");
    CHECK("1.0.4", false, ",\"skip_fcnt_check\":true", "{\"packets\":[]}",
          "\"lorawan_phy_version\":\"RP002_V1_0_3\"", "\"resets_f_cnt\":true", "\"last_n_f_cnt_down\":6",
          "(session.last_f_cnt_up: Firefly has no packet of it");
    CHECK("1.0.3", false, ",\"otaa\":false,\"application_key\":null,\"frame_counter\":4294967295", NULL,
          "\"last_n_f_cnt_down\":4294967295");
    CHECK("1.0.3", false, ",\"address\":null", NULL, "\"app_key\"");
    CHECK("1.1.0b", false, "", NULL, "\"app_key\"", "(session: Firefly tells one network key of the three");
    CHECK("1.1.0b", true, "", NULL, "it could not join elsewhere");
    CHECK("1.1.0a", false, ",\"otaa\":false", NULL, "is an ABP device in LoRaWAN 1.1");
    CHECK("1.0.3", false, ",\"region\":\"US915\"", NULL,
          "its frequency plan is not known: its region is US915");
    CHECK("1.0.3", false, ",\"application_key\":\"1234\"", NULL, "application_key: ");
    CHECK("1.0.3", false, ",\"network_session_key\":\"zz\"", NULL, "network_session_key: 32 hexadecimal");
    CHECK("1.0.3", false, ",\"rx2_data_rate\":99", NULL, "rx2_data_rate: is no data rate");
}

static void test_list(void **state) {
    (void)state;
    struct play play;
    begin(&play, "1.0.3", true, "");
    assert_int_equal(run(&play, list, false), JOB_DONE);
    assert_int_equal(play.page.count, 1);
    assert_string_equal(play.page.records[0].id, "0018b20000000001");
    assert_false(play.page.records[0].complete);
    assert_null(play.page.cursor);
    end(&play);
}

// None of these is taken for a device, and no text of them is told: it may hold a key.
static void test_hostile(void **state) {
    (void)state;
    static const char *const bodies[] = {
        "",
        "{",
        "[]",
        "null",
        "<html>" KEY,
        "{\"device\":\"" KEY "\"}",
        "{\"device\":{\"eui\":\"" KEY "\"}}",
        "{}",
        "\"\\",
        "{\"device\":{\"eui\":\"0018b20000000002\",\"application_key\":\"" KEY "\"}}",
        "\xff\xfe",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct play play;
        begin(&play, "1.0.3", true, "");
        play.get = bodies[i];
        assert_int_equal(run(&play, read_record, false), JOB_FAILED);
        char *chain = error_chain(&play.error);
        assert_null(strstr(chain, KEY));
        free(chain);
        assert_int_equal(run(&play, list, false), JOB_FAILED);
        end(&play);
    }
    struct play play;
    begin(&play, "1.0.3", true, "");
    play.packets = "{\"packets\":7}";
    assert_int_equal(run(&play, read_record, false), JOB_FAILED);
    play.packets = "{\"packets\":[{\"fcnt\":-1},{\"fcnt\":99999999999},{\"fcnt\":\"7\"},null]}";
    assert_int_equal(run(&play, read_record, false), JOB_DONE);
    end(&play);
}

static void check_keys(const struct play *play, const char *key) {
    static const char *const names[] = {"application_key", "application_session_key", "network_session_key"};
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(json_string_value(json_object_get(play->server, names[i])), key);
}

static void begin_read(struct play *play) {
    begin(play, "1.0.3", true, "");
    assert_int_equal(run(play, read_record, false), JOB_DONE);
}

// The last byte wraps, and nothing but the keys is sent.
static void test_release(void **state) {
    (void)state;
    struct play play;
    begin_read(&play);
    assert_int_equal(run(&play, release, false), JOB_DONE);
    assert_string_equal(play.log, "PUT GET ");
    check_keys(&play, NEXT);
    assert_int_equal(run(&play, confirm, false), JOB_DONE);
    assert_int_equal(play.confirmation.proof, SOURCE_RELEASED);
    // Again, of a run that goes on: it is looked up, and nothing is counted up twice.
    assert_int_equal(run(&play, release, true), JOB_DONE);
    assert_string_equal(play.log, "GET ");
    check_keys(&play, NEXT);
    json_object_set_new(play.server, "frame_counter", json_integer(8));
    assert_int_equal(run(&play, confirm, false), JOB_DONE);
    assert_int_equal(play.confirmation.proof, SOURCE_MOVED_ON);
    assert_int_equal(play.confirmation.last_n_f_cnt_down, 9);
    json_object_set_new(play.server, "application_key", json_string(KEY));
    assert_int_equal(run(&play, confirm, false), JOB_DONE);
    assert_int_equal(play.confirmation.proof, SOURCE_HELD);
    end(&play);
}

static void test_release_lost(void **state) {
    (void)state;
    for (unsigned before = 0; before < 3; before++) {
        for (unsigned after = 0; after < 2; after++) {
            struct play play;
            begin_read(&play);
            play.lose_before = before;
            play.lose_after = after;
            assert_int_equal(run(&play, release, false), JOB_DONE);
            check_keys(&play, NEXT);
            end(&play);
        }
    }
    struct play play;
    begin_read(&play);
    play.lose_before = 1000;
    assert_int_equal(run(&play, release, false), JOB_FAILED);
    check_keys(&play, KEY);
    // A server that says yes and does nothing is not believed.
    play.lose_before = 0;
    play.put = "{}";
    assert_int_equal(run(&play, release, false), JOB_FAILED);
    assert_non_null(strstr(play.error.message, "did not take the changed keys"));
    play.status = 403;
    assert_int_equal(run(&play, release, false), JOB_FAILED);
    assert_non_null(strstr(play.error.message, "may not change devices"));
    play.put = NULL;
    json_object_set_new(play.server, "network_session_key", json_string("FFEEDDCCBBAA99887766554433221100"));
    assert_int_equal(run(&play, release, true), JOB_FAILED);
    assert_non_null(strstr(play.error.message, "other keys in Firefly"));
    end(&play);
}

static uint32_t counter_of(const struct play *play) {
    return (uint32_t)json_integer_value(json_object_get(play->server, "frame_counter"));
}

static void test_restore(void **state) {
    (void)state;
    struct play play;
    begin_read(&play);
    // It was never released.
    assert_int_equal(run(&play, restore, false), JOB_DONE);
    assert_string_equal(play.log, "GET ");
    assert_int_equal(run(&play, release, false), JOB_DONE);
    play.restoration.progress = (struct device_progress){.known = true, .last_n_f_cnt_down = 20};
    play.lose_before = play.lose_after = 1;
    assert_int_equal(run(&play, restore, false), JOB_DONE);
    check_keys(&play, KEY);
    assert_int_equal(counter_of(&play), 21);
    assert_null(play.restoration.remark);
    // A counter never goes back.
    assert_int_equal(run(&play, release, false), JOB_DONE);
    play.restoration.progress.last_n_f_cnt_down = 3;
    assert_int_equal(run(&play, restore, false), JOB_DONE);
    assert_int_equal(counter_of(&play), 21);
    assert_int_equal(run(&play, release, false), JOB_DONE);
    play.restoration.progress.rejoined = play.dry = true;
    assert_int_equal(run(&play, restore, false), JOB_DONE);
    assert_non_null(strstr(play.restoration.remark, "must join once more"));
    play.restoration.remark = NULL;
    play.dry = false;
    assert_int_equal(run(&play, restore, false), JOB_DONE);
    assert_non_null(strstr(play.restoration.remark, "must join once more"));
    // Somebody gave it other keys meanwhile.
    json_object_set_new(play.server, "application_key", json_string("FFEEDDCCBBAA99887766554433221100"));
    assert_int_equal(run(&play, restore, false), JOB_FAILED);
    assert_string_equal(play.log, "GET ");
    end(&play);
}

// Each region in each version. `lacks`: versions whose regional parameters do not have its band.
static void test_regions(void **state) {
    (void)state;
    static const char *const versions[] = {"1.0.0", "1.0.1", "1.0.2a", "1.0.2b",
                                           "1.0.3", "1.0.4", "1.1.0a", "1.1.0b"};
    static const struct {
        const char *region, *option, *plan, *lacks;
    } cases[] = {
        {"EU868", NULL, "EU_863_870", ""},
        {"EU433", NULL, "EU_433", ""},
        {"IN865", NULL, "IN_865_867", "1.0.0 1.0.1 1.0.2a"},
        {"KR920", NULL, "KR_920_923_TTN", "1.0.0 1.0.1"},
        {"RU864", NULL, "RU_864_870_TTN", "1.0.0 1.0.1 1.0.2a 1.0.2b"},
        {"EU868", "EU_863_870_TTN", "EU_863_870_TTN", ""},
        {"US915", "US_902_928_FSB_2", "US_902_928_FSB_2", ""},
        {"AU915", "AU_915_928_FSB_2", "AU_915_928_FSB_2", "1.0.0"},
        {"AS923", "AS_923", "AS_923", "1.0.0 1.0.1"},
        {"CN470", "CN_470_510_FSB_11", "CN_470_510_FSB_11", "1.0.0 1.0.4"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t j = 0; j < sizeof versions / sizeof versions[0]; j++) {
            struct play play;
            char *more MEMORY_AUTO = memory_printf(",\"region\":\"%s\"", cases[i].region);
            bool lacks = strstr(cases[i].lacks, versions[j]) != NULL;
            char *wanted MEMORY_AUTO = lacks ? memory_strdup("does not exist in that version")
                                             : memory_printf("\"frequency_plan_id\":\"%s\"", cases[i].plan);
            begin_plan(&play, versions[j], cases[i].option, false, more);
            assert_int_equal(run(&play, read_record, false), JOB_DONE);
            char *text = convert(&play);
            if (strstr(text, wanted) == NULL) fail_msg("%s in %s: %s", versions[j], cases[i].region, text);
            free(text);
            end(&play);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_devices),      cmocka_unit_test(test_regions), cmocka_unit_test(test_list),
        cmocka_unit_test(test_hostile),      cmocka_unit_test(test_release), cmocka_unit_test(test_restore),
        cmocka_unit_test(test_release_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
