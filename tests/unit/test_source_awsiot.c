// SPDX-License-Identifier: Apache-2.0
// Source awsiot: what must become of devices of every shape, and its operations against a server that the test plays, whose
// answers get lost, or are none.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "device/json_write.h"
#include "device/validate.h"
#include "support/source_play.h"

#define KEY  "00112233445566778899aabbccddeeff"
#define KEY2 "ffeeddccbbaa99887766554433221100"
#define EUI  "0025ca0a00000001"
#define ID   "11111111-2222-4333-8444-555555555555"

#define OTAA  "\"OtaaV1_0_x\":{\"AppKey\":\"" KEY "\",\"AppEui\":\"70b3d57ed0000001\"}"
#define OTAA1 "\"OtaaV1_1\":{\"AppKey\":\"" KEY "\",\"NwkKey\":\"" KEY2 "\",\"JoinEui\":\"70b3d57ed0000001\"}"
#define ABP                                                                                                \
    "\"AbpV1_0_x\":{\"DevAddr\":\"01020304\",\"SessionKeys\":{\"NwkSKey\":\"" KEY "\",\"AppSKey\":\"" KEY2 \
    "\"},\"FCntStart\":43}"

// The server, and what goes wrong there.
struct aws_server {
    json_t *device;  // NULL = deleted
    json_t *profile;
    const char *body;                  // in place of what it says; NULL = none
    int status;                        // in place of 200; 0 = none
    const char *type;                  // of a refusal
    const char *date;                  // a header; NULL = none
    unsigned lose_before, lose_after;  // so many changes are lost
    unsigned refuse;                   // so many calls are answered with `status`, then none; 0 = all
    char log[400];                     // verbs in their order
    char path[400];                    // of the last call
};

static void say(struct reply *reply, int status, json_t *json) {
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    reply->outcome = REPLY_ANSWERED;
    reply->http_status = status;
    if (text != NULL) buffer_puts(&reply->body, text);
    free(text);
}

static void answer_right(struct aws_server *server, const struct call *call, struct reply *reply) {
    if (strncmp(call->path, "/device-profiles/", 17) == 0) {
        say(reply, 200, json_pack("{s:O}", "LoRaWAN", server->profile));
    } else if (strncmp(call->path, "/tags?resourceArn=arn%3Amade-up", 31) == 0) {
        say(reply, 200, json_pack("{s:[{s:s, s:s}]}", "Tags", "Key", "Room", "Value", "3b"));
    } else if (strcmp(call->method, "POST") == 0) {
        json_t *body = json_loadb(call->body, call->body_size, 0, NULL);
        assert_non_null(body);
        assert_null(server->device);
        json_object_set_new(body, "Id", json_string("99999999-2222-4333-8444-555555555555"));
        server->device = body;
        say(reply, 201, json_pack("{s:O}", "Id", json_object_get(body, "Id")));
    } else if (server->device == NULL) {
        say(reply, 404, json_pack("{s:s}", "message", "none"));
    } else if (strcmp(call->method, "DELETE") == 0) {
        json_decref(memory_take(server->device));
        reply->outcome = REPLY_ANSWERED;
        reply->http_status = 204;
    } else {
        say(reply, 200, json_incref(server->device));
    }
}

static void answer(struct play *play, const struct call *call, struct reply *reply) {
    struct aws_server *server = play->context;
    bool change = strcmp(call->method, "GET") != 0;
    assert_int_equal(call->changes, change);
    assert_string_equal(call->headers[0].name, "host");
    assert_string_equal(call->headers[0].value, "api.iotwireless.eu-west-1.amazonaws.com");
    size_t used = strlen(server->log);
    snprintf(server->log + used, sizeof server->log - used, "%s ", call->method);
    snprintf(server->path, sizeof server->path, "%s", call->path);
    if (change && server->lose_before > 0) {
        server->lose_before--;
        reply->outcome = REPLY_LOST;
        return;
    }
    if (server->body != NULL || server->status != 0) {
        say(reply, server->status == 0 ? 200 : server->status, NULL);
        buffer_puts(&reply->body, server->body == NULL ? "{}" : server->body);
        if (server->type != NULL)
            reply_add_header(reply, "x-amzn-ErrorType", 16, server->type, strlen(server->type));
        if (server->date != NULL) reply_add_header(reply, "Date", 4, server->date, strlen(server->date));
        if (server->refuse > 0 && --server->refuse == 0) server->status = 0;
        return;
    }
    answer_right(server, call, reply);
    if (!change || server->lose_after == 0) return;
    server->lose_after--;
    reply_release(reply);
    buffer_init(&reply->body, CALL_REPLY_LIMIT);
    reply->outcome = REPLY_LOST;
}

#define PLAIN "region=eu-west-1", "access-key-id=AKIAMADEUP", "secret-access-key=made+up/key"

static const char *const keeping[] = {PLAIN, NULL};
static const char *const deleting[] = {PLAIN, "release=delete", NULL};

static json_t *device_json(const char *keys) {
    char *text = memory_printf("{\"Type\":\"LoRaWAN\",\"Id\":\"" ID
                               "\",\"Arn\":\"arn:made-up\",\"Name\":\"Meter\","
                               "\"DestinationName\":\"Water_Meters\",\"LoRaWAN\":{\"DevEui\":\"" EUI
                               "\",\"DeviceProfileId\":\"p\",%s}}",
                               keys);
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    free(text);
    return json;
}

static void begin(struct play *play, struct aws_server *server, const char *keys, const char *profile,
                  const char *const *options) {
    *server = (struct aws_server){.device = device_json(keys)};
    char *text = memory_printf("{%s}", profile);
    server->profile = json_loads(text, 0, NULL);
    free(text);
    assert_non_null(server->profile);
    play_init(play, "awsiot", answer, options);
    play->context = server;
    assert_int_equal(play_open(play), 0);
    assert_int_equal(play_prepare(play, "-all"), JOB_DONE);
}

static void end(struct play *play, struct aws_server *server) {
    play_release(play);
    json_decref(server->device);
    json_decref(server->profile);
}

// ---- devices

// The device as JSON with its notes, without what follows from the plan, or the error. To be freed.
static char *convert(struct play *play, const struct source_record *record) {
    DEVICE_AUTO device = {0};
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    device_init(&device);
    error_release(&play->error);
    int result = play->driver->convert(play->source, record, &device, &play->error);
    if (result == 0) result = device_validate(&device, frequency_plans_builtin(), &play->error);
    if (result != 0) return error_chain(&play->error);
    device.end_device->mac_state = NULL;
    message_json_write(&device.end_device->base, &text);
    for (size_t i = 0; i < device.notes.count; i++)
        buffer_printf(&text, " (%s: %s)", device.notes.items[i].path, device.notes.items[i].text);
    return buffer_take_string(&text);
}

#define EU "\"RfRegion\":\"EU868\","

static const struct {
    const char *keys, *profile;
    const char *wanted[6];  // parts of what comes out
    const char *unwanted;
} shapes[] = {
    {OTAA,
     EU "\"MacVersion\":\"1.0.3\",\"RegParamsRevision\":\"A\",\"RxDelay1\":5,\"RxFreq2\":8681000",
     {"\"device_id\":\"eui-0025ca0a00000001\"", "\"application_id\":\"aws-water-meters\"",
      "\"lorawan_version\":\"MAC_V1_0_3\",\"lorawan_phy_version\":\"PHY_V1_0_3_REV_A\"",
      "\"frequency_plan_id\":\"EU_863_870\"", "\"aws-destination\":\"Water_Meters\"",
      "\"join_eui\":\"70B3D57ED0000001\""},
     "rx1_delay"},
    {OTAA1,
     EU "\"MacVersion\":\"OTAA 1.1\",\"RegParamsRevision\":\"B\"",
     {"\"MAC_V1_1\",\"lorawan_phy_version\":\"PHY_V1_1_REV_B\"",
      "\"nwk_key\":{\"key\":\"FFEEDDCCBBAA99887766554433221100\"}"},
     "session"},
    {OTAA,
     EU "\"MacVersion\":\"LoRaWAN 1.0.2\",\"RegParamsRevision\":\"Regional Parameters v1.0.2rB\"",
     {"\"MAC_V1_0_2\",\"lorawan_phy_version\":\"PHY_V1_0_2_REV_B\""},
     "usual"},
    {OTAA,
     EU "\"MacVersion\":\"1.0.4\",\"RegParamsRevision\":\"RP002-1.0.1\"",
     {"\"MAC_V1_0_4\",\"lorawan_phy_version\":\"RP002_V1_0_1\""},
     "usual"},
    {OTAA,
     EU "\"MacVersion\":\"1.0.1\",\"RegParamsRevision\":\"A\"",
     {"\"MAC_V1_0_1\",\"lorawan_phy_version\":\"PHY_V1_0_1\""},
     "usual"},
    {OTAA,
     EU "\"MacVersion\":\"1.0.2\"",
     {"PHY_V1_0_2_REV_B", "names no regional parameters: 1.0.2 rev B, the usual ones, are taken"},
     "session"},
    {OTAA,
     EU "\"MacVersion\":\"1.0.4\",\"RegParamsRevision\":\"A\"",
     {"RP002_V1_0_3", "unknown regional"},
     "session"},
    {OTAA,
     EU "\"MacVersion\":\"1.0.3\",\"RegParamsRevision\":\"A\",\"SupportsClassB\":true,\"ClassBTimeout\":7,"
        "\"PingSlotPeriod\":4096,\"PingSlotDr\":3,\"PingSlotFreq\":8695250,\"SupportsClassC\":true,"
        "\"ClassCTimeout\":1000",
     {"\"supports_class_b\":true", "\"class_b_timeout\":\"7s\"", "\"PING_EVERY_128S\"",
      "\"ping_slot_frequency\":\"869525000\"", "\"class_c_timeout\":\"1000s\"", "\"supports_class_c\":true"},
     "session"},
    {ABP,
     EU "\"MacVersion\":\"1.0.2\",\"RegParamsRevision\":\"B\",\"RxDelay1\":0,\"RxDrOffset1\":2,"
        "\"RxDataRate2\":3,"
        "\"RxFreq2\":8695250,\"FactoryPresetFreqsList\":[8681000,12],\"Supports32BitFCnt\":false",
     {"\"last_f_cnt_up\":42",
      "\"rx1_delay\":1,\"rx1_data_rate_offset\":2,\"rx2_data_rate_index\":3,"
      "\"rx2_frequency\":\"869525000\"",
      "\"factory_preset_frequencies\":[\"868100000\"]", "\"supports_32_bit_f_cnt\":false",
      "\"f_nwk_s_int_key\":{\"key\":\"00112233445566778899AABBCCDDEEFF\"}", "AWS tells no counters"},
     "root_keys"},
    {"\"OtaaV1_0_x\":{\"AppKey\":\"" KEY "\",\"AppEui\":\"70b3d57ed0000001\",\"GenAppKey\":\"12\"}",
     EU "\"MacVersion\":\"1.0.3\"",
     {"GenAppKey: "},
     "\"12\""},
    {OTAA1, EU "\"MacVersion\":\"1.0.3\"", {"has keys of LoRaWAN 1.1 in AWS, but its version is 1.0.3"}, KEY},
    {"\"x\":1", EU "\"MacVersion\":\"1.0.3\"", {"AWS tells no keys of it"}, KEY},
    {OTAA, EU "\"MaxEirp\":5", {"its version of LoRaWAN is not known"}, KEY},
    {OTAA,
     "\"RfRegion\":\"US915\",\"MacVersion\":\"1.0.3\"",
     {"its frequency plan is not known: its region is US915"},
     KEY},
    {"\"OtaaV1_0_x\":{\"AppKey\":\"" KEY "\"}",
     EU "\"MacVersion\":\"1.0.3\"",
     {"its JoinEUI is not known"},
     KEY},
    {"\"OtaaV1_0_x\":{\"AppKey\":\"12\",\"AppEui\":\"70b3d57ed0000001\"}",
     EU "\"MacVersion\":\"1.0.3\"",
     {"AppKey: "},
     "\"12\""},
    {"\"AbpV1_0_x\":{\"DevAddr\":\"01020304\",\"SessionKeys\":{\"NwkSKey\":\"" KEY "\"}}",
     EU "\"MacVersion\":\"1.0.3\"",
     {"AppSKey: the key is missing"},
     KEY},
};

static void test_shapes(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct play play;
        struct aws_server server;
        struct source_record record = {.id = memory_strdup("00-25-CA-0A-00-00-00-01")};
        begin(&play, &server, shapes[i].keys, shapes[i].profile, keeping);
        assert_int_equal(play_read(&play, &record), JOB_DONE);
        assert_string_equal(server.log, "GET GET ");
        char *seen = convert(&play, &record);
        for (size_t j = 0; j < 6 && shapes[i].wanted[j] != NULL; j++) {
            if (strstr(seen, shapes[i].wanted[j]) == NULL) fail_msg("%s lacks %s", seen, shapes[i].wanted[j]);
        }
        if (strstr(seen, shapes[i].unwanted) != NULL) fail_msg("%s has %s", seen, shapes[i].unwanted);
        free(seen);
        source_record_release(&record);
        end(&play, &server);
    }
}

static void test_gen_app_key(void **state) {
    (void)state;
    struct play play;
    struct aws_server server;
    struct source_record record = {.id = memory_strdup("00-25-CA-0A-00-00-00-01")};
    begin(&play, &server,
          "\"OtaaV1_0_x\":{\"AppKey\":\"" KEY "\",\"AppEui\":\"70b3d57ed0000001\",\"GenAppKey\":\"" KEY2
          "\"}",
          EU "\"MacVersion\":\"1.0.3\"", keeping);
    assert_int_equal(play_read(&play, &record), JOB_DONE);
    DEVICE_AUTO device = {0};
    struct error error = {0};
    struct key128 key;
    device_init(&device);
    assert_int_equal(play.driver->convert(play.source, &record, &device, &error), 0);
    assert_true(device_gen_app_key(device.end_device, &key));
    assert_int_equal(key.bytes[0], 0xff);
    source_record_release(&record);
    end(&play, &server);
}

// ---- lists and reading

static void test_list(void **state) {
    (void)state;
    struct play play;
    struct aws_server server;
    begin(&play, &server, OTAA, EU "\"MacVersion\":\"1.0.3\"", keeping);
    struct source_page page = {0};
    assert_int_equal(play_prepare(&play, "-"), JOB_DONE);
    assert_int_equal(play_list(&play, &page), JOB_FAILED);
    assert_non_null(strstr(play.error.hint, "--awsiot.all"));
    assert_int_equal(play_prepare(&play, "Water Meters"), JOB_DONE);
    server.body = "{\"WirelessDeviceList\":[{\"Type\":\"LoRaWAN\",\"LoRaWAN\":{\"DevEui\":\"" EUI
                  "\"}},{\"Type\":\"Sidewalk\"}],\"NextToken\":\"a+/=\"}";
    assert_int_equal(play_list(&play, &page), JOB_DONE);
    assert_int_equal(page.count, 1);
    assert_string_equal(page.records[0].id, EUI);
    assert_string_equal(page.cursor, "a+/=");
    assert_string_equal(server.path,
                        "/wireless-devices?maxResults=250&wirelessDeviceType=LoRaWAN&destinationName="
                        "Water%20Meters");
    assert_int_equal(play_list(&play, &page), JOB_FAILED);
    assert_non_null(strstr(server.path, "&destinationName=Water%20Meters&nextToken=a%2B%2F%3D"));
    assert_non_null(strstr(play.error.message, "does not go on"));
    assert_int_equal(play_prepare(&play, ID), JOB_DONE);
    server.body = "{\"WirelessDeviceList\":[]}";
    assert_int_equal(play_list(&play, &page), JOB_DONE);
    assert_null(page.cursor);
    assert_non_null(strstr(server.path, "&deviceProfileId=" ID));
    static const char *const nonsense[] = {"", "[]", "{}", "{\"WirelessDeviceList\":[{}]}"};
    for (size_t i = 0; i < 4; i++) {
        server.body = nonsense[i];
        assert_int_equal(play_list(&play, &page), JOB_FAILED);
        assert_int_equal(play.error.code, ERROR_PROTOCOL);
    }
    source_page_release(&page);
    end(&play, &server);
}

static void test_refusals(void **state) {
    (void)state;
    static const struct {
        int status;
        const char *type, *id, *hint;
        enum error_code code;
    } cases[] = {
        {403, "AccessDeniedException", EUI, "iotwireless:GetWirelessDevice", ERROR_DENIED},
        {403, "ExpiredTokenException:http://made.up", EUI, "get new credentials", ERROR_DENIED},
        {403, "UnrecognizedClientException", EUI, "--awsiot.region", ERROR_DENIED},
        {404, "ResourceNotFoundException", ID, "check the DevEUI", ERROR_NOT_FOUND},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct play play;
        struct aws_server server;
        struct source_record record = {.id = memory_strdup(cases[i].id)};
        begin(&play, &server, OTAA, EU "\"MacVersion\":\"1.0.3\"", keeping);
        server.status = cases[i].status;
        server.type = cases[i].type;
        assert_int_equal(play_read(&play, &record), JOB_FAILED);
        assert_int_equal(play.error.code, cases[i].code);
        assert_non_null(strstr(play.error.hint, cases[i].hint));
        source_record_release(&record);
        end(&play, &server);
    }
}

// A signature that is too old is made anew; a clock that is wrong is set right for the next one.
static void test_clock(void **state) {
    (void)state;
    struct play play;
    struct aws_server server;
    struct source_record record = {.id = memory_strdup(ID)};
    begin(&play, &server, OTAA, EU "\"MacVersion\":\"1.0.3\"", keeping);
    server.status = 403;
    server.type = "InvalidSignatureException";
    server.body = "{\"message\":\"x-amz-security-token:made-up\"}";
    server.date = "Thu, 01 Jan 2026 00:00:00 GMT";
    assert_int_equal(play_read(&play, &record), JOB_FAILED);
    char *chain = error_chain(&play.error);
    assert_null(strstr(chain, "made-up"));
    free(chain);
    server.date = "Thu, 01 Jan 2026 02:00:00 GMT";
    assert_int_equal(play_read(&play, &record), JOB_LOGIN);
    server.date = "nonsense";
    assert_int_equal(play_read(&play, &record), JOB_FAILED);
    server.body = "{\"message\":\"Signature expired: made up\"}";
    assert_int_equal(play_read(&play, &record), JOB_LOGIN);
    server.body = NULL;
    server.status = 0;
    assert_int_equal(play_read(&play, &record), JOB_DONE);
    source_record_release(&record);
    end(&play, &server);
}

// ---- deleting and making again

#define play_release_device(play, record) \
    play_run(play, (play)->driver->release((play)->source, &(play)->job, record, NULL, &(play)->error))
#define play_restore(play, record, restoration) \
    play_run(play, (play)->driver->restore((play)->source, &(play)->job, record, restoration, &(play)->error))

static void test_changes(void **state) {
    (void)state;
    struct play play;
    struct aws_server server;
    struct source_record record = {.id = memory_strdup(EUI)};
    begin(&play, &server, ABP, EU "\"MacVersion\":\"1.0.3\"", deleting);
    assert_true(play.source->frees);
    assert_int_equal(play_read(&play, &record), JOB_DONE);
    json_t *before = json_deep_copy(server.device);
    server.lose_before = 1;
    server.lose_after = 1;
    server.log[0] = '\0';
    assert_int_equal(play_release_device(&play, &record), JOB_DONE);
    assert_string_equal(server.log, "DELETE GET DELETE GET ");
    struct source_confirmation confirmation = {.proof = SOURCE_HELD};
    assert_int_equal(play_run(&play, play.driver->confirm(play.source, &play.job, &record, NULL,
                                                          &confirmation, &play.error)),
                     JOB_DONE);
    assert_int_equal(confirmation.proof, SOURCE_RELEASED);
    struct source_restoration restoration = {.progress = {.known = true, .last_f_cnt_up = 77}};
    server.lose_before = 1;
    server.lose_after = 1;
    server.log[0] = '\0';
    assert_int_equal(play_restore(&play, &record, &restoration), JOB_DONE);
    assert_string_equal(server.log, "GET POST GET POST GET ");
    assert_non_null(strstr(restoration.remark, "its downlink counter begins anew"));
    const json_t *lorawan = json_object_get(server.device, "LoRaWAN");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(lorawan, "AbpV1_0_x"), "FCntStart")),
                     78);
    assert_int_equal(json_array_size(json_object_get(server.device, "Tags")), 1);
    assert_true(json_equal(
        json_object_get(json_object_get(lorawan, "AbpV1_0_x"), "SessionKeys"),
        json_object_get(json_object_get(json_object_get(before, "LoRaWAN"), "AbpV1_0_x"), "SessionKeys")));
    restoration.remark = NULL;
    assert_int_equal(play_restore(&play, &record, &restoration), JOB_DONE);
    assert_null(restoration.remark);
    json_decref(server.device);
    server.device = device_json(OTAA);
    assert_int_equal(play_restore(&play, &record, &restoration), JOB_FAILED);
    assert_int_equal(play.error.code, ERROR_DEVICE);
    play.again = true;
    assert_int_equal(play_release_device(&play, &record), JOB_FAILED);
    assert_non_null(strstr(play.error.message, "other keys"));
    json_decref(before);
    source_record_release(&record);
    end(&play, &server);
}

static void test_open(void **state) {
    (void)state;
    static const struct {
        const char *options[4];
        const char *message;
    } cases[] = {
        {{"region=eu-west-1", "home=/nowhere", NULL}, "there are no credentials"},
        {{"access-key-id=A", "secret-access-key=B", "home=/nowhere", NULL}, "region of AWS is not known"},
        {{"access-key-id=A", "region=eu-west-1", NULL}, "one is missing"},
        {{"access-key-id=A", "secret-access-key=a\r\nb", "region=eu-west-1", NULL}, "cannot stand there"},
        {{"access-key-id=A", "secret-access-key=B", "region=evil.example/", NULL}, "cannot stand there"},
        {{"credentials-file=/nowhere/at/all", "region=eu-west-1", NULL}, "--awsiot.credentials-file"},
        {{"profile=mine", "region=eu-west-1", "home=/nowhere", NULL}, "there is no profile mine"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct play play;
        play_init(&play, "awsiot", answer, cases[i].options);
        assert_int_equal(play_open(&play), -ERROR_USAGE);
        char *chain = error_chain(&play.error);
        if (strstr(chain, cases[i].message) == NULL) fail_msg("%s instead of %s", chain, cases[i].message);
        free(chain);
        play_release(&play);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gen_app_key), cmocka_unit_test(test_shapes), cmocka_unit_test(test_list),
        cmocka_unit_test(test_refusals),    cmocka_unit_test(test_clock),  cmocka_unit_test(test_changes),
        cmocka_unit_test(test_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
