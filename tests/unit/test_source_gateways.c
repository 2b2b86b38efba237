// SPDX-License-Identifier: Apache-2.0
// Gateways of the sources, without a run around them: from a server's answer to the line that is written.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "device/json_write.h"
#include "device/message.h"
#include "source/registry.h"

static const struct device_naming naming;

struct play {
    const struct source_driver *driver;
    struct option_values *options;
    struct source *source;
    struct source_page page;
    struct buffer text;  // a line for each gateway: its JSON, or the error; then its notes
    struct error error;
};

static void set(struct play *play, const char *name, const char *value) {
    const struct option_spec *spec = option_find(play->driver->options, name, strlen(name));
    assert_non_null(spec);
    assert_int_equal(option_set(play->options, spec, name, value, NULL), 0);
}

static int play_open(struct play *play) {
    const struct source_setup setup = {
        .options = play->options, .plans = frequency_plans_builtin(), .naming = &naming, .gateways = true};
    return play->driver->open(&setup, &play->source, &play->error);
}

static void play_begin(struct play *play, const char *source) {
    *play = (struct play){.driver = source_find(source_drivers(), source, strlen(source))};
    play->options = option_values_new(play->driver->options);
    buffer_init(&play->text, BUFFER_UNLIMITED);
}

static void play_end(struct play *play) {
    source_page_release(&play->page);
    if (play->source != NULL) play->driver->close(play->source);
    option_values_free(play->options);
    buffer_release(&play->text);
    error_release(&play->error);
}

static void convert(struct play *play, const struct source_record *record) {
    ERROR_AUTO error = {0};
    GATEWAY_AUTO gateway;
    gateway_init(&gateway);
    if (play->driver->convert_gateway(play->source, record, &gateway, &error) == 0) {
        message_json_write(&gateway.message->base, &play->text);
    } else {
        char *chain MEMORY_AUTO = error_chain(&error);
        buffer_printf(&play->text, "error: %s", chain);
    }
    buffer_putc(&play->text, '\n');
    for (size_t i = 0; i < gateway.notes.count; i++) {
        buffer_printf(&play->text, "  %s: %s\n", gateway.notes.items[i].path, gateway.notes.items[i].text);
    }
}

// The list, from one answer.
static enum job_step list(struct play *play, int http_status, const void *body, size_t size) {
    ARENA_AUTO arena = {0};
    struct job job = {.arena = &arena};
    assert_int_equal(play->driver->list_gateways(play->source, &job, &play->page, &play->error), JOB_CALLS);
    job.call_count = 0;
    job.replies[0] = (struct reply){.outcome = REPLY_ANSWERED, .http_status = http_status};
    buffer_init(&job.replies[0].body, CALL_REPLY_LIMIT);
    buffer_add(&job.replies[0].body, body, size);
    enum job_step step = play->driver->list_gateways(play->source, &job, &play->page, &play->error);
    reply_release(&job.replies[0]);
    for (size_t i = 0; step == JOB_DONE && i < play->page.count; i++) convert(play, &play->page.records[i]);
    return step;
}

static void v2(struct play *play, const char *answer) {
    play_begin(play, "ttnv2");
    set(play, "account-token", "made-up");
    assert_int_equal(play_open(play), 0);
    assert_int_equal(list(play, 200, answer, strlen(answer)), JOB_DONE);
}

static void test_v2_whole(void **state) {
    (void)state;
    struct play play;
    v2(&play,
       "{\"gateways\":[{\"id\":\"eui-b827ebfffe0000ff\",\"frequency_plan\":\"US_902_928\","
       "\"auto_update\":true,\"status_public\":true,\"owner_public\":true,"
       "\"antenna_location\":{\"latitude\":52.5,\"longitude\":-4.25,\"altitude\":-3},"
       "\"attributes\":{\"brand\":\"Acme\",\"model\":\"\",\"placement\":\"indoor\","
       "\"antenna_type\":\"omni\",\"description\":\"Roof\"},"
       "\"fallback_routers\":[{\"id\":\"x\"}],\"collaborators\":[{\"username\":\"y\"}]}]}");
    assert_string_equal(
        buffer_string(&play.text),
        "{\"ids\":{\"gateway_id\":\"eui-b827ebfffe0000ff\",\"eui\":\"B827EBFFFE0000FF\"},"
        "\"name\":\"Roof\",\"description\":\"Roof\","
        "\"attributes\":{\"antenna-type\":\"omni\",\"brand\":\"Acme\"},\"auto_update\":true,"
        "\"frequency_plan_id\":\"US_902_928_FSB_2\",\"frequency_plan_ids\":[\"US_902_928_FSB_2\"],"
        "\"antennas\":[{\"location\":{\"latitude\":52.5,\"longitude\":-4.25,\"altitude\":-3,"
        "\"source\":\"SOURCE_REGISTRY\"},\"placement\":\"INDOOR\"}],\"status_public\":true,"
        "\"enforce_duty_cycle\":true}\n"
        "  collaborators: are left behind: add them at the target\n"
        "  fallback_routers: have no counterpart: left out\n"
        "  owner_public: has no counterpart: the owner is not shown\n");
    play_end(&play);
}

// A bare list is one too; names without an EUI, plans of every band, what is not known.
static void test_v2_others(void **state) {
    (void)state;
    struct play play;
    v2(&play,
       "[{\"id\":\"my_gateway\",\"frequency_plan\":\"AS_920_923\"},"
       "{\"id\":\"eui-b827ebfffe0000f\",\"frequency_plan\":\"EU_863_870\"},"
       "{\"id\":\"mars\",\"frequency_plan\":\"MARS\"},"
       "{\"id\":\"admin\",\"frequency_plan\":\"EU_433\"},"
       "{\"id\":\"far\",\"frequency_plan\":\"EU_433\",\"antenna_location\":{\"latitude\":99,"
       "\"longitude\":1}}]");
    assert_string_equal(
        buffer_string(&play.text),
        "{\"ids\":{\"gateway_id\":\"my-gateway\"},\"frequency_plan_id\":\"AS_920_923\","
        "\"frequency_plan_ids\":[\"AS_920_923\"],\"enforce_duty_cycle\":true}\n"
        "{\"ids\":{\"gateway_id\":\"eui-b827ebfffe0000f\"},"
        "\"frequency_plan_id\":\"EU_863_870_TTN\",\"frequency_plan_ids\":[\"EU_863_870_TTN\"],"
        "\"enforce_duty_cycle\":true}\n"
        "error: its frequency plan \"MARS\" is not known\n"
        "error: The Things Stack would refuse the ID 'admin': the word is reserved\n"
        "{\"ids\":{\"gateway_id\":\"far\"},\"frequency_plan_id\":\"EU_433\","
        "\"frequency_plan_ids\":[\"EU_433\"],\"enforce_duty_cycle\":true}\n"
        "  antennas.location: is out of range: left out\n");
    play_end(&play);
}

static void test_v2_refused(void **state) {
    (void)state;
    struct play play;
    play_begin(&play, "ttnv2");
    assert_int_equal(play_open(&play), -ERROR_USAGE);
    set(&play, "account-token", "made up");
    assert_int_equal(play_open(&play), -ERROR_USAGE);
    set(&play, "account-token", "made-up");
    assert_int_equal(play_open(&play), 0);
    assert_int_equal(list(&play, 401, "", 0), JOB_FAILED);
    assert_non_null(strstr(play.error.hint, "--ttnv2.account-token"));
    assert_int_equal(list(&play, 200, "{}", 2), JOB_FAILED);
    assert_int_equal(play.error.code, ERROR_PROTOCOL);
    assert_int_equal(list(&play, 200, "[{}]", 4), JOB_FAILED);
    assert_int_equal(play.error.code, ERROR_PROTOCOL);
    play_end(&play);
}

static void test_tts(void **state) {
    (void)state;
    struct play play;
    play_begin(&play, "tts");
    set(&play, "app-api-key", "NNSXS.MADE.UP");
    set(&play, "default-grpc-address", "stack.example");
    assert_int_equal(play_open(&play), 0);
    char plan[] = "EU_863_870_TTN", id[] = "my-gateway", name[] = "Roof", key[] = "Old_Key", value[] = "x",
         server[] = "old.example";
    Tts__GatewayIdentifiers ids = TTS__GATEWAY_IDENTIFIERS__INIT;
    Tts__Gateway__AttributesEntry entry = TTS__GATEWAY__ATTRIBUTES_ENTRY__INIT;
    Tts__Gateway__AttributesEntry *entries[] = {&entry};
    Tts__Secret secret = TTS__SECRET__INIT;
    Tts__Gateway gateway = TTS__GATEWAY__INIT, *gateways[] = {&gateway};
    Tts__Gateways answer = TTS__GATEWAYS__INIT;
    ids.gateway_id = id;
    entry.key = key;
    entry.value = value;
    gateway.ids = &ids;
    gateway.name = name;
    gateway.n_attributes = 1;
    gateway.attributes = entries;
    gateway.frequency_plan_id = plan;
    gateway.gateway_server_address = server;
    gateway.require_authenticated_connection = true;
    secret.value = (ProtobufCBinaryData){.data = (uint8_t *)value, .len = 1};
    gateway.lbs_lns_secret = &secret;
    answer.n_gateways = 1;
    answer.gateways = gateways;
    BUFFER_AUTO body;
    buffer_init(&body, BUFFER_UNLIMITED);
    message_pack(&answer.base, &body);
    assert_int_equal(list(&play, 200, body.data, body.size), JOB_DONE);
    // Neither its secret nor its old server goes with it.
    assert_string_equal(buffer_string(&play.text),
                        "{\"ids\":{\"gateway_id\":\"my-gateway\"},\"name\":\"Roof\","
                        "\"attributes\":{\"old-key\":\"x\"},\"frequency_plan_id\":\"EU_863_870_TTN\","
                        "\"frequency_plan_ids\":[\"EU_863_870_TTN\"],"
                        "\"require_authenticated_connection\":true}\n"
                        "  attributes.Old_Key: the key became 'old-key'\n");
    play_end(&play);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_v2_whole),
        cmocka_unit_test(test_v2_others),
        cmocka_unit_test(test_v2_refused),
        cmocka_unit_test(test_tts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
