// SPDX-License-Identifier: Apache-2.0
// Source loriot, its operations against a server that the test plays: three applications, devices in them, answers that get
// lost, and answers that are none.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "support/source_play.h"

#define KEY "00112233445566778899AABBCCDDEEFF"
#define EUI "70B3D57ED0000001"

enum { APPLICATIONS = 3 };

// The server, and what goes wrong there.
struct loriot_server {
    json_t *devices[APPLICATIONS];     // lists
    const char *body;                  // in place of what it says; NULL = none
    int status;                        // in place of 200; 0 = none
    unsigned lose_before, lose_after;  // so many changes are lost
    const char *refuse;                // a member that is not taken of what is created; NULL = none
    char log[400];                     // verbs in their order
};

static const char *const ids[APPLICATIONS] = {"BE7A0001", "BE7A0002", "A0"};
static const char *const names[APPLICATIONS] = {"Meters", "Twin", "Twin"};

static json_t *device_json(const char *more) {
    char *text = memory_printf(
        "{\"_id\":\"" EUI
        "\",\"title\":\"Meter\",\"devclass\":\"A\",\"appeui\":\"BE7A000000000E01\",\"appkey\":\"" KEY
        "\",\"devaddr\":\"01020304\",\"nwkskey\":\"" KEY "\",\"appskey\":\"" KEY
        "\",\"seqno\":42,\"seqdn\":7,\"adr\":true,"
        "\"rx1\":{\"delay\":1000000,\"offset\":0},\"lorawan\":{\"major\":1,\"minor\":0,\"revision\":2}%s}",
        more);
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    free(text);
    return json;
}

static size_t find(const struct loriot_server *server, size_t application, const char *eui) {
    size_t count = json_array_size(server->devices[application]), i = 0;
    while (i < count &&
           strcmp(json_string_value(json_object_get(json_array_get(server->devices[application], i), "_id")),
                  eui))
        i++;
    return i;
}

static void say(struct reply *reply, int status, json_t *json) {
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    reply->outcome = REPLY_ANSWERED;
    reply->http_status = status;
    if (text != NULL) buffer_puts(&reply->body, text);
    free(text);
}

static void say_page(struct reply *reply, const char *path, const char *name, json_t *all) {
    unsigned page = 0, size = 0;
    assert_int_equal(sscanf(strchr(path, '?'), "?page=%u&perPage=%u", &page, &size), 2);
    size_t total = json_array_size(all);
    json_t *list = json_array();
    for (size_t i = (size_t)(page - 1) * size; i < total && i < (size_t)page * size; i++)
        json_array_append(list, json_array_get(all, i));
    json_decref(all);
    say(reply, 200,
        json_pack("{s:o, s:i, s:I}", name, list, "perPage", (int)size, "total", (json_int_t)total));
}

static json_t *applications(void) {
    json_t *all = json_array();
    for (size_t i = 0; i < APPLICATIONS; i++) {
        json_array_append_new(
            all, json_pack("{s:I, s:s}", "_id", (json_int_t)strtoll(ids[i], NULL, 16), "name", names[i]));
    }
    return all;
}

// A row has no keys.
static json_t *rows(const struct loriot_server *server, size_t application) {
    json_t *all = json_deep_copy(server->devices[application]);
    for (size_t i = 0; i < json_array_size(all); i++) {
        json_object_del(json_array_get(all, i), "appkey");
        json_object_del(json_array_get(all, i), "nwkskey");
        json_object_del(json_array_get(all, i), "appskey");
    }
    return all;
}

static void create(struct loriot_server *server, size_t application, const struct call *call,
                   struct reply *reply) {
    json_t *body = json_loadb(call->body, call->body_size, 0, NULL);
    const char *eui = json_string_value(json_object_get(body, "deveui"));
    assert_non_null(eui);
    if (find(server, application, eui) < json_array_size(server->devices[application])) {
        json_decref(body);
        say(reply, 409, json_pack("{s:s}", "error", "exists"));
        return;
    }
    if (server->refuse != NULL) json_object_del(body, server->refuse);
    json_object_set(body, "_id", json_object_get(body, "deveui"));
    json_array_append_new(server->devices[application], body);
    say(reply, 200, json_incref(body));
}

static void answer_application(struct loriot_server *server, size_t application, const char *rest,
                               const struct call *call, struct reply *reply) {
    if (strncmp(rest, "/devices?", 9) == 0) {
        say_page(reply, rest, "devices", rows(server, application));
    } else if (strcmp(call->method, "POST") == 0) {
        assert_true(strcmp(rest, "/devices/OTAA") == 0 || strcmp(rest, "/devices/ABP") == 0);
        create(server, application, call, reply);
    } else {
        assert_int_equal(strncmp(rest, "/device/", 8), 0);
        size_t index = find(server, application, rest + 8);
        json_t *device = json_array_get(server->devices[application], index);
        bool gone = device == NULL;
        json_t *said = gone ? json_pack("{s:s}", "error", "not found") : json_incref(device);
        if (strcmp(call->method, "DELETE") == 0) json_array_remove(server->devices[application], index);
        say(reply, gone ? 404 : 200, said);
    }
}

static void answer_right(struct loriot_server *server, const struct call *call, struct reply *reply) {
    const char *path = call->path;
    assert_int_equal(strncmp(path, "/1/nwk/app", 10), 0);
    if (path[10] == 's') {
        say_page(reply, path, "apps", applications());
        return;
    }
    for (size_t i = 0; i < APPLICATIONS; i++) {
        size_t size = strlen(ids[i]);
        if (strncmp(path + 11, ids[i], size) != 0 || path[11 + size] != '/') continue;
        answer_application(server, i, path + 11 + size, call, reply);
        return;
    }
    fail_msg("%s", path);
}

static void answer(struct play *play, const struct call *call, struct reply *reply) {
    struct loriot_server *server = play->context;
    bool change = strcmp(call->method, "GET") != 0;
    assert_int_equal(call->changes, change);
    assert_string_equal(call->headers[0].name, "authorization");
    assert_string_equal(call->headers[0].value, "Bearer made-up");
    size_t used = strlen(server->log);
    snprintf(server->log + used, sizeof server->log - used, "%s ", call->method);
    if (change && server->lose_before > 0) {
        server->lose_before--;
        reply->outcome = REPLY_LOST;
        return;
    }
    if (server->body != NULL || server->status != 0) {
        reply->outcome = REPLY_ANSWERED;
        reply->http_status = server->status == 0 ? 200 : server->status;
        buffer_puts(&reply->body, server->body == NULL ? "{}" : server->body);
        return;
    }
    answer_right(server, call, reply);
    if (!change || server->lose_after == 0) return;
    server->lose_after--;
    reply_release(reply);
    buffer_init(&reply->body, CALL_REPLY_LIMIT);
    reply->outcome = REPLY_LOST;
}

static void begin(struct play *play, struct loriot_server *server, const char *more,
                  const char *const *options) {
    *server = (struct loriot_server){0};
    for (size_t i = 0; i < APPLICATIONS; i++) server->devices[i] = json_array();
    json_array_append_new(server->devices[0], device_json(more));
    play_init(play, "loriot", answer, options);
    play->context = server;
    assert_int_equal(play_open(play), 0);
}

static void end(struct play *play, struct loriot_server *server) {
    play_release(play);
    for (size_t i = 0; i < APPLICATIONS; i++) json_decref(server->devices[i]);
}

#define PLAIN "api-url=loriot.example", "api-key=made-up", "frequency-plan-id=EU_863_870"

static const char *const keeping[] = {PLAIN, NULL};
static const char *const deleting[] = {PLAIN, "release=delete", NULL};

static size_t count(const struct loriot_server *server, size_t application) {
    return json_array_size(server->devices[application]);
}

// ---- options

static void test_open(void **state) {
    (void)state;
    static const struct {
        const char *option;
        const char *message;
    } cases[] = {
        {"api-key=two words", "a key has no blanks"},
        {"api-key=Bearer ", "is empty"},
        {"api-url=http://", "--loriot.api-url"},
        {"join-eui=12", "is not 16 hex digits"},
        {"frequency-plan-id=EU_863", "there is no frequency plan EU_863"},
        {"ca-cert-path=/nowhere/at/all", "--loriot.ca-cert-path"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct play play;
        play_init(&play, "loriot", answer, (const char *const[]){PLAIN, cases[i].option, NULL});
        assert_int_equal(play_open(&play), -ERROR_USAGE);
        char *chain = error_chain(&play.error);
        if (strstr(chain, cases[i].message) == NULL) fail_msg("%s instead of %s", chain, cases[i].message);
        free(chain);
        play_release(&play);
    }
    struct play play;
    play_init(&play, "loriot", answer, (const char *const[]){PLAIN, "insecure=true", NULL});
    play.setup.to_server = true;
    assert_int_equal(play_open(&play), 0);
    assert_non_null(strstr(play.source->warning, "without TLS"));
    assert_false(play.source->keeps);
    assert_true(play.source->frees);
    assert_string_equal(play.driver->default_application(play.source), "-");
    play_release(&play);
}

// ---- applications and lists

static void test_applications(void **state) {
    (void)state;
    struct play play;
    struct loriot_server server;
    begin(&play, &server, "", keeping);
    assert_int_equal(play_prepare(&play, "be7a0001"), JOB_DONE);
    assert_int_equal(play_prepare(&play, "Meters"), JOB_DONE);
    assert_int_equal(play_prepare(&play, "a0"), JOB_DONE);
    assert_int_equal(play_prepare(&play, "Twin"), JOB_FAILED);
    assert_non_null(strstr(play.error.hint, "BE7A0002 or A0"));
    assert_int_equal(play_prepare(&play, "meters"), JOB_FAILED);
    assert_int_equal(play.error.code, ERROR_NOT_FOUND);
    assert_int_equal(play_prepare(&play, "-"), JOB_DONE);
    struct source_page page = {0};
    assert_int_equal(play_list(&play, &page), JOB_FAILED);
    assert_non_null(strstr(play.error.hint, "--loriot.all"));
    server.status = 401;
    assert_int_equal(play_prepare(&play, "-"), JOB_FAILED);
    assert_int_equal(play.error.code, ERROR_DENIED);
    assert_non_null(strstr(play.error.hint, "--loriot.api-key"));
    end(&play, &server);
}

static void test_pages(void **state) {
    (void)state;
    enum { MORE = 250 };
    struct play play;
    struct loriot_server server;
    begin(&play, &server, "", keeping);
    for (unsigned i = 0; i < MORE; i++) {
        json_t *device = device_json("");
        char eui[17];
        snprintf(eui, sizeof eui, "70B3D57ED001%04X", i);
        json_object_set_new(device, "_id", json_string(eui));
        json_array_append_new(server.devices[i % 2], device);
    }
    assert_int_equal(play_prepare(&play, "-all"), JOB_DONE);
    struct source_page page = {0};
    size_t pages = 0;
    do {
        assert_int_equal(play_list(&play, &page), JOB_DONE);
        pages++;
    } while (page.cursor != NULL);
    assert_int_equal(pages, 5);
    assert_int_equal(page.count, MORE + 1);
    assert_int_equal(page.total, 0);
    assert_string_equal(page.records[0].id, EUI);
    assert_false(page.records[0].complete);
    source_page_release(&page);
    assert_int_equal(play_prepare(&play, "Meters"), JOB_DONE);
    assert_int_equal(play_list(&play, &page), JOB_DONE);
    assert_int_equal(page.total, MORE / 2 + 1);
    source_page_release(&page);
    end(&play, &server);
}

// None of these is a list, and a list that ends before its total is none either.
static void test_list_hostile(void **state) {
    (void)state;
    static const char *const bodies[] = {
        "",
        "[]",
        "null",
        "{}",
        "<html>",
        "{\"devices\":{}}",
        "{\"devices\":[],\"total\":1}",
        "{\"devices\":[],\"total\":4294967295}",
        "{\"devices\":[null],\"total\":1}",
        "{\"devices\":[{}],\"total\":1}",
        "{\"devices\":[{\"_id\":7}],\"total\":1}",
        "{\"devices\":[{\"_id\":\"" KEY "\"}],\"total\":1}",
        "{\"devices\":[{\"_id\":\"" EUI "\"}],\"total\":300}",
        "{\"apps\":[{\"_id\":-1}],\"total\":1}",
        "{\"apps\":[{\"_id\":\"../x\"}],\"total\":1}",
    };
    struct play play;
    struct loriot_server server;
    begin(&play, &server, "", keeping);
    assert_int_equal(play_prepare(&play, "Meters"), JOB_DONE);
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct source_page page = {0};
        server.body = bodies[i];
        assert_int_equal(play_list(&play, &page), JOB_FAILED);
        assert_int_equal(play.error.code, ERROR_PROTOCOL);
        char *chain = error_chain(&play.error);
        assert_null(strstr(chain, KEY));
        free(chain);
        source_page_release(&page);
    }
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        server.body = bodies[i];
        assert_int_equal(play_prepare(&play, "-all"), JOB_FAILED);
        assert_int_equal(play.error.code, ERROR_PROTOCOL);
    }
    end(&play, &server);
}

// ---- reading

static struct source_record record_of(const char *id) {
    return (struct source_record){.id = memory_strdup(id)};
}

static void test_read(void **state) {
    (void)state;
    struct play play;
    struct loriot_server server;
    begin(&play, &server, "", keeping);
    // In whichever application it is.
    json_array_extend(server.devices[2], server.devices[0]);
    json_array_clear(server.devices[0]);
    assert_int_equal(play_prepare(&play, "-"), JOB_DONE);
    server.log[0] = '\0';
    struct source_record record = record_of("eui-70-b3-d5-7e-d0-00-00-01");
    assert_int_equal(play_read(&play, &record), JOB_DONE);
    assert_string_equal(server.log, "GET GET GET ");
    assert_true(record.complete);
    assert_non_null(memmem(record.data, record.size, "\"app\":\"A0\"", 10));
    // What a list says of the application is not looked for.
    record.complete = false;
    server.log[0] = '\0';
    assert_int_equal(play_read(&play, &record), JOB_DONE);
    assert_string_equal(server.log, "GET ");
    source_record_release(&record);
    // Only in the application that is meant.
    assert_int_equal(play_prepare(&play, "Meters"), JOB_DONE);
    record = record_of(EUI);
    assert_int_equal(play_read(&play, &record), JOB_FAILED);
    assert_int_equal(play.error.code, ERROR_NOT_FOUND);
    source_record_release(&record);
    record = record_of("sensor");
    assert_int_equal(play_read(&play, &record), JOB_FAILED);
    assert_non_null(strstr(play.error.message, "named by their DevEUI"));
    source_record_release(&record);
    // Another device is not taken for this one.
    record = record_of("70B3D57ED0000002");
    server.body = "{\"_id\":\"" EUI "\"}";
    assert_int_equal(play_read(&play, &record), JOB_FAILED);
    assert_int_equal(play.error.code, ERROR_PROTOCOL);
    source_record_release(&record);
    end(&play, &server);
}

// ---- converting

static void test_windows(void **state) {
    (void)state;
    static const struct {
        const char *more;
        unsigned delay;  // 0 = not said
        bool noted;
    } cases[] = {
        {"", 1, false},
        {",\"rx1\":{\"delay\":15000000}", 15, false},
        {",\"rx1\":{\"delay\":5}", 5, false},
        {",\"rx1\":null,\"rx1Delay\":3", 3, false},
        {",\"rx1\":null", 0, false},
        {",\"rx1\":{\"delay\":0}", 0, false},
        {",\"rx1\":{\"delay\":1500000}", 0, true},
        {",\"rx1\":{\"delay\":16000000}", 0, true},
        {",\"rx1\":{\"delay\":500000}", 0, true},
        {",\"rx1\":{\"delay\":-1}", 0, true},
        {",\"rx1\":{\"delay\":1.5}", 0, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct play play;
        struct loriot_server server;
        struct error error = {0};
        DEVICE_AUTO device = {0};
        begin(&play, &server, cases[i].more, keeping);
        assert_int_equal(play_prepare(&play, "-"), JOB_DONE);
        struct source_record record = record_of(EUI);
        assert_int_equal(play_read(&play, &record), JOB_DONE);
        device_init(&device);
        assert_int_equal(play.driver->convert(play.source, &record, &device, &error), 0);
        const Tts__MACSettings *settings = device.end_device->mac_settings;
        const Tts__RxDelayValue *delay = settings == NULL ? NULL : settings->desired_rx1_delay;
        assert_int_equal(delay == NULL ? 0 : delay->value, cases[i].delay);
        bool noted = false;
        for (size_t j = 0; j < device.notes.count; j++)
            noted |= strcmp(device.notes.items[j].path, "mac_settings.rx1_delay") == 0;
        assert_int_equal(noted, cases[i].noted);
        source_record_release(&record);
        end(&play, &server);
    }
}

// What may have been sent unseen is skipped only where nobody can look any more.
static void test_skipped(void **state) {
    (void)state;
    static const char *const *const options[] = {keeping, deleting};
    static const uint32_t counters[] = {6, 6 + SOURCE_UNSEEN_DOWNLINKS};
    for (size_t i = 0; i < 2; i++) {
        struct play play;
        struct loriot_server server;
        struct error error = {0};
        DEVICE_AUTO device = {0};
        begin(&play, &server, "", options[i]);
        assert_int_equal(play_prepare(&play, "-"), JOB_DONE);
        struct source_record record = record_of(EUI);
        assert_int_equal(play_read(&play, &record), JOB_DONE);
        device_init(&device);
        assert_int_equal(play.driver->convert(play.source, &record, &device, &error), 0);
        assert_int_equal(device.end_device->session->last_n_f_cnt_down, counters[i]);
        source_record_release(&record);
        end(&play, &server);
    }
}

// ---- changes

struct change {
    struct source_record record;
    struct source_restoration restoration;
    struct source_confirmation confirmation;
};

static enum job_step release(struct play *play, struct change *change, bool again) {
    play->again = again;
    ((struct loriot_server *)play->context)->log[0] = '\0';
    return play_run(play,
                    play->driver->release(play->source, &play->job, &change->record, NULL, &play->error));
}

static enum job_step restore(struct play *play, struct change *change) {
    play->again = false;
    ((struct loriot_server *)play->context)->log[0] = '\0';
    change->restoration.remark = NULL;
    return play_run(play, play->driver->restore(play->source, &play->job, &change->record,
                                                &change->restoration, &play->error));
}

static enum source_proof confirm(struct play *play, struct change *change) {
    play->again = false;
    assert_int_equal(play_run(play, play->driver->confirm(play->source, &play->job, &change->record, NULL,
                                                          &change->confirmation, &play->error)),
                     JOB_DONE);
    return change->confirmation.proof;
}

static void begin_change(struct play *play, struct loriot_server *server, struct change *change,
                         const char *more) {
    begin(play, server, more, deleting);
    *change = (struct change){.record = record_of(EUI)};
    assert_int_equal(play_prepare(play, "-"), JOB_DONE);
    assert_int_equal(play_read(play, &change->record), JOB_DONE);
}

static void end_change(struct play *play, struct loriot_server *server, struct change *change) {
    source_record_release(&change->record);
    end(play, server);
}

static void test_release(void **state) {
    (void)state;
    struct play play;
    struct loriot_server server;
    struct change change;
    begin_change(&play, &server, &change, "");
    assert_int_equal(confirm(&play, &change), SOURCE_HELD);
    assert_int_equal(release(&play, &change, false), JOB_DONE);
    assert_string_equal(server.log, "DELETE ");
    assert_int_equal(count(&server, 0), 0);
    assert_int_equal(confirm(&play, &change), SOURCE_RELEASED);
    // Again, of a run that goes on: it is looked up, and nothing is deleted twice.
    assert_int_equal(release(&play, &change, true), JOB_DONE);
    assert_string_equal(server.log, "GET ");
    // Somebody made a device of other keys meanwhile.
    json_t *other = device_json("");
    json_object_set_new(other, "appkey", json_string("FFEEDDCCBBAA99887766554433221100"));
    json_array_append_new(server.devices[0], other);
    assert_int_equal(release(&play, &change, true), JOB_FAILED);
    assert_non_null(strstr(play.error.message, "other keys in LORIOT"));
    assert_int_equal(count(&server, 0), 1);
    end_change(&play, &server, &change);
}

static void test_release_lost(void **state) {
    (void)state;
    struct play play;
    struct loriot_server server;
    struct change change;
    for (unsigned before = 0; before < 3; before++) {
        for (unsigned after = 0; after < 2; after++) {
            begin_change(&play, &server, &change, "");
            server.lose_before = before;
            server.lose_after = after;
            assert_int_equal(release(&play, &change, false), JOB_DONE);
            assert_int_equal(count(&server, 0), 0);
            end_change(&play, &server, &change);
        }
    }
    begin_change(&play, &server, &change, "");
    server.lose_before = 1000;
    assert_int_equal(release(&play, &change, false), JOB_FAILED);
    assert_int_equal(count(&server, 0), 1);
    // A key that may only read.
    server.lose_before = 0;
    server.status = 403;
    assert_int_equal(release(&play, &change, false), JOB_FAILED);
    char *chain = error_chain(&play.error);
    assert_non_null(strstr(chain, "may not change devices"));
    free(chain);
    end_change(&play, &server, &change);
}

static json_t *back(const struct loriot_server *server) {
    assert_int_equal(count(server, 0), 1);
    return json_array_get(server->devices[0], 0);
}

static json_int_t number_of(const json_t *object, const char *name) {
    return json_integer_value(json_object_get(object, name));
}

static void test_restore(void **state) {
    (void)state;
    struct play play;
    struct loriot_server server;
    struct change change;
    begin_change(&play, &server, &change, ",\"description\":\"Hall\",\"rxw\":2,\"seqrelax\":true");
    // It was never released.
    assert_int_equal(restore(&play, &change), JOB_DONE);
    assert_string_equal(server.log, "GET ");
    assert_null(change.restoration.remark);
    assert_int_equal(release(&play, &change, false), JOB_DONE);
    server.lose_before = server.lose_after = 1;
    assert_int_equal(restore(&play, &change), JOB_DONE);
    assert_string_equal(server.log, "GET POST GET POST GET ");
    const json_t *device = back(&server);
    static const char *const same[] = {"appkey", "nwkskey", "appskey"};
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(json_string_value(json_object_get(device, same[i])), KEY);
    assert_string_equal(json_string_value(json_object_get(device, "description")), "Hall");
    assert_string_equal(json_string_value(json_object_get(device, "devActivation")), "OTAA");
    assert_string_equal(json_string_value(json_object_get(device, "devVersion")), "v1.0");
    assert_int_equal(number_of(device, "rxw"), 2);
    assert_int_equal(number_of(device, "rx1Delay"), 1);
    assert_int_equal(number_of(device, "seqno"), 42);
    // LORIOT may have sent one between reading and deleting.
    assert_int_equal(number_of(device, "seqdn"), 7 + SOURCE_UNSEEN_DOWNLINKS);
    assert_non_null(strstr(change.restoration.remark, "forgotten which nonces"));
    // What the target used counts.
    assert_int_equal(release(&play, &change, false), JOB_DONE);
    change.restoration.progress =
        (struct device_progress){.known = true, .last_f_cnt_up = 99, .last_n_f_cnt_down = 40};
    assert_int_equal(restore(&play, &change), JOB_DONE);
    assert_int_equal(number_of(back(&server), "seqno"), 99);
    assert_int_equal(number_of(back(&server), "seqdn"), 41);
    // A counter never goes back.
    assert_int_equal(release(&play, &change, false), JOB_DONE);
    change.restoration.progress =
        (struct device_progress){.known = true, .last_f_cnt_up = 3, .last_n_f_cnt_down = 2};
    assert_int_equal(restore(&play, &change), JOB_DONE);
    assert_int_equal(number_of(back(&server), "seqno"), 42);
    assert_int_equal(number_of(back(&server), "seqdn"), 7 + SOURCE_UNSEEN_DOWNLINKS);
    end_change(&play, &server, &change);
}

static void test_restore_rejoined(void **state) {
    (void)state;
    struct play play;
    struct loriot_server server;
    struct change change;
    begin_change(&play, &server, &change, "");
    assert_int_equal(release(&play, &change, false), JOB_DONE);
    change.restoration.progress = (struct device_progress){.known = true, .rejoined = true};
    assert_int_equal(restore(&play, &change), JOB_DONE);
    assert_null(json_object_get(back(&server), "devaddr"));
    assert_null(json_object_get(back(&server), "seqdn"));
    assert_non_null(strstr(change.restoration.remark, "it has to join again"));
    // Somebody gave it other keys meanwhile.
    json_object_set_new(back(&server), "appkey", json_string("FFEEDDCCBBAA99887766554433221100"));
    assert_int_equal(restore(&play, &change), JOB_FAILED);
    assert_string_equal(server.log, "GET ");
    end_change(&play, &server, &change);
}

// A server that takes less than it is sent.
static void test_restore_partly(void **state) {
    (void)state;
    static const struct {
        const char *refuse;
        const char *remark;
    } cases[] = {
        {"devaddr", "did not take its session"},
        {"nwkskey", "did not take its session"},
        {"seqdn", "did not take its downlink counter"},
        {"appkey", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct play play;
        struct loriot_server server;
        struct change change;
        begin_change(&play, &server, &change, "");
        assert_int_equal(release(&play, &change, false), JOB_DONE);
        server.refuse = cases[i].refuse;
        bool fine = cases[i].remark != NULL;
        assert_int_equal(restore(&play, &change), fine ? JOB_DONE : JOB_FAILED);
        if (fine) assert_non_null(strstr(change.restoration.remark, cases[i].remark));
        end_change(&play, &server, &change);
    }
}

static void test_restore_refused(void **state) {
    (void)state;
    struct play play;
    struct loriot_server server;
    struct change change;
    begin_change(&play, &server, &change, ",\"devActivation\":\"ABP\"");
    assert_int_equal(release(&play, &change, false), JOB_DONE);
    server.lose_before = 1000;
    assert_int_equal(restore(&play, &change), JOB_FAILED);
    assert_int_equal(count(&server, 0), 0);
    server.lose_before = 0;
    // An ABP device without its session is none.
    server.refuse = "nwkskey";
    assert_int_equal(restore(&play, &change), JOB_FAILED);
    json_array_clear(server.devices[0]);
    server.refuse = NULL;
    assert_int_equal(restore(&play, &change), JOB_DONE);
    assert_string_equal(json_string_value(json_object_get(back(&server), "devActivation")), "ABP");
    end_change(&play, &server, &change);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open),
        cmocka_unit_test(test_applications),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_list_hostile),
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_skipped),
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_release),
        cmocka_unit_test(test_release_lost),
        cmocka_unit_test(test_restore),
        cmocka_unit_test(test_restore_rejoined),
        cmocka_unit_test(test_restore_partly),
        cmocka_unit_test(test_restore_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
