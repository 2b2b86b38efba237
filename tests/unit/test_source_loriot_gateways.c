// SPDX-License-Identifier: Apache-2.0
// Gateways of source loriot: networks, their lists, and what becomes of a gateway.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "support/gateway_play.h"

// What the server says: of its networks, and of the gateways of the first and the second.
struct said {
    const char *networks;
    const char *first, *second;
    int status;
};

static void answer(struct play *play, const struct call *call, struct reply *reply) {
    const struct said *said = play->context;
    assert_false(call->changes);
    reply->outcome = REPLY_ANSWERED;
    reply->http_status = said->status;
    const char *text = said->networks;
    if (strncmp(call->path, "/1/nwk/network/A0000D01/gateways?page=1&", 40) == 0) text = said->first;
    if (strncmp(call->path, "/1/nwk/network/B0/gateways?page=1&", 34) == 0) text = said->second;
    assert_true(text != said->networks || strcmp(call->path, "/1/nwk/networks?page=1&perPage=100") == 0);
    buffer_puts(&reply->body, text);
}

#define NETWORKS "{\"networks\":[{\"_id\":2684357889,\"name\":\"Main\"},{\"_id\":176}],\"total\":2}"
#define NONE     "{\"gateways\":[],\"total\":0}"

static void begin(struct play *play, struct said *said, const char *more) {
    play_init(
        play, "loriot", answer,
        (const char *const[]){"api-url=loriot.example", "api-key=made-up", "release=delete", more, NULL});
    play->setup.gateways = true;
    play->context = said;
    assert_int_equal(play_open(play), 0);
    assert_true(play->source->keeps);
}

static enum job_step prepare(struct play *play) {
    return play_run(play, play->driver->prepare_gateways(play->source, &play->job, &play->error));
}

static void test_lists(void **state) {
    (void)state;
    struct said said = {
        NETWORKS,
        "{\"gateways\":[{\"_id\":\"AABBCCFFFF000001\",\"customEUI\":\"AABBCC0000000001\",\"title\":\"Roof\","
        "\"MAC\":\"AA:BB:CC:00:00:01\",\"base\":\"kerlink\",\"region\":\"EU868\",\"notes\":\"North\","
        "\"location\":{\"lat\":47.25,\"lon\":8.5}}],\"total\":1}",
        "{\"gateways\":[{\"_id\":\"aabbccffff000002\",\"region\":\"US915\"}],\"total\":1}", 200};
    struct play play;
    begin(&play, &said, "join-eui=");
    assert_int_equal(prepare(&play), JOB_DONE);
    struct source_page page = {0};
    assert_int_equal(play_list_gateways(&play, &page), JOB_DONE);
    assert_non_null(page.cursor);
    assert_int_equal(play_list_gateways(&play, &page), JOB_DONE);
    assert_null(page.cursor);
    assert_int_equal(page.count, 2);
    assert_string_equal(page.records[1].id, "AABBCCFFFF000002");
    char *text = play_convert_gateway(&play, &page.records[0]);
    assert_string_equal(
        text,
        "{\"ids\":{\"gateway_id\":\"eui-aabbcc0000000001\",\"eui\":\"AABBCC0000000001\"},\"name\":\"Roof\","
        "\"description\":\"North\",\"attributes\":{\"base\":\"kerlink\",\"mac\":\"AA:BB:CC:00:00:01\"},"
        "\"frequency_plan_id\":\"EU_863_870\",\"frequency_plan_ids\":[\"EU_863_870\"],"
        "\"antennas\":[{\"location\":{\"latitude\":47.25,\"longitude\":8.5,\"source\":\"SOURCE_REGISTRY\"}}],"
        "\"enforce_duty_cycle\":true}");
    free(text);
    text = play_convert_gateway(&play, &page.records[1]);
    assert_string_equal(
        text,
        "its frequency plan is not known: its region is US915 (ids.eui: is the one that LORIOT made of its "
        "MAC address: check which one its packet forwarder names)");
    free(text);
    source_page_release(&page);
    // One alone, in whichever network it is.
    struct source_record record = {.id = memory_strdup("eui-aabbccffff000002")};
    assert_int_equal(play_read_gateway(&play, &record), JOB_DONE);
    assert_true(record.complete);
    source_record_release(&record);
    record = (struct source_record){.id = memory_strdup("AABBCCFFFF000003")};
    assert_int_equal(play_read_gateway(&play, &record), JOB_FAILED);
    assert_int_equal(play.error.code, ERROR_NOT_FOUND);
    source_record_release(&record);
    play_release(&play);
}

static void test_plan(void **state) {
    (void)state;
    struct said said = {"{\"networks\":[{\"_id\":176}],\"total\":1}", NONE,
                        "{\"gateways\":[{\"_id\":\"AABBCCFFFF000002\",\"region\":\"US915\"},"
                        "{\"_id\":\"AABBCCFFFF000003\",\"region\":\"EU868\"},{\"_id\":\"AABBCCFFFF000004\"},"
                        "{\"_id\":\"1234\"}],\"total\":4}",
                        200};
    static const char *const wanted[] = {
        "\"frequency_plan_ids\":[\"US_902_928_FSB_2\"]",
        "its region is EU868, of which frequency plan US_902_928_FSB_2 is none",
        "\"frequency_plan_ids\":[\"US_902_928_FSB_2\"]", "_id: is not 16 hexadecimal"};
    struct play play;
    begin(&play, &said, "frequency-plan-id=US_902_928_FSB_2");
    assert_int_equal(prepare(&play), JOB_DONE);
    struct source_page page = {0};
    assert_int_equal(play_list_gateways(&play, &page), JOB_DONE);
    assert_int_equal(page.total, 4);
    for (size_t i = 0; i < page.count; i++) {
        char *text = play_convert_gateway(&play, &page.records[i]);
        if (strstr(text, wanted[i]) == NULL) fail_msg("%s instead of %s", text, wanted[i]);
        free(text);
    }
    source_page_release(&page);
    play_release(&play);
}

static void test_hostile(void **state) {
    (void)state;
    static const char *const bodies[] = {"",
                                         "[]",
                                         "{}",
                                         "{\"networks\":{}}",
                                         "{\"networks\":[null],\"total\":1}",
                                         "{\"networks\":[{\"_id\":\"..\"}],\"total\":1}",
                                         "{\"networks\":[],\"total\":7}"};
    struct said said = {NETWORKS, "{\"gateways\":[{\"_id\":null}],\"total\":1}", NONE, 200};
    struct play play;
    begin(&play, &said, "join-eui=");
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        said.networks = bodies[i];
        assert_int_equal(prepare(&play), JOB_FAILED);
        assert_int_equal(play.error.code, ERROR_PROTOCOL);
    }
    // An account without networks has no gateways.
    said.networks = "{\"networks\":[],\"total\":0}";
    struct source_page page = {0};
    assert_int_equal(prepare(&play), JOB_DONE);
    assert_int_equal(play_list_gateways(&play, &page), JOB_DONE);
    assert_int_equal(page.count, 0);
    said.networks = NETWORKS;
    assert_int_equal(prepare(&play), JOB_DONE);
    assert_int_equal(play_list_gateways(&play, &page), JOB_FAILED);
    assert_int_equal(play.error.code, ERROR_PROTOCOL);
    said.status = 403;
    assert_int_equal(prepare(&play), JOB_FAILED);
    assert_int_equal(play.error.code, ERROR_DENIED);
    source_page_release(&page);
    play_release(&play);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_plan),
        cmocka_unit_test(test_hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
