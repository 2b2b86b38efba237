// SPDX-License-Identifier: Apache-2.0
// Gateways of source chirpstack: what becomes of one, and the jobs against the sandbox's ChirpStack.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "device/json_write.h"
#include "device/message.h"
#include "source/chirpstack_p.h"
#include "support/gateway_play.h"
#include "support/world_ask.h"
#include "world/chirpstack_p.h"

#define ROOF      "00800000a0000101"
#define OF_OTHERS "00800000a0000105"

struct stage {
    struct world *world;
    struct play play;
    char *forgotten;          // a gateway that is deleted when the next one is asked for; NULL = none
    const char *said;         // the answer instead of the world's; NULL = the world's
    size_t said_size;         //
    enum grpc_status status;  // of it
    unsigned calls;
};

static void answer(struct play *play, const struct call *call, struct reply *reply) {
    struct stage *stage = play->context;
    assert_false(call->changes);
    stage->calls++;
    bool http = call->kind == CALL_HTTP;
    reply->outcome = REPLY_ANSWERED;
    reply->http_status = 200;
    if (stage->said != NULL) {
        reply->grpc_status = stage->status;
        buffer_add(&reply->body, stage->said, stage->said_size);
        return;
    }
    bool one = strstr(http ? call->path : call->method, http ? "/gateways/" : "/Get") != NULL;
    if (one && stage->forgotten != NULL) {
        struct cs *cs = stage->world->chirpstack;
        cs_remove_gateway(cs, cs_find_gateway(cs, stage->forgotten));
        stage->forgotten = NULL;
    }
    world_ask(stage->world, PLAY_NOW, world_chirpstack_of(call), call, reply);
}

struct opening {
    const char *version;  // NULL = auto
    const char *plans;    // NULL = none
    enum world_chirpstack_key key;
    bool only_tenant;  // with the ID of the tenant that has most
};

static void stage_open(struct stage *stage, const struct opening *how) {
    *stage = (struct stage){.world = world_new(&(struct world_setup){.seed = 3, .broken = true})};
    char *version MEMORY_AUTO = memory_printf("api-version=%s", how->version == NULL ? "auto" : how->version);
    char *key MEMORY_AUTO = memory_printf("api-key=%s", world_chirpstack_key(stage->world, how->key));
    char *plans MEMORY_AUTO = how->plans == NULL ? NULL : memory_printf("frequency-plan-id=%s", how->plans);
    char *tenant MEMORY_AUTO = memory_printf("tenant-id=%s", world_chirpstack_tenant_id(stage->world));
    const char *options[8] = {"api-url=cs.example:8080", "release=delete", version, key};
    size_t count = 4;
    if (plans != NULL) options[count++] = plans;
    if (how->only_tenant) options[count++] = tenant;
    play_init(&stage->play, "chirpstack", answer, options);
    stage->play.setup.gateways = true;
    stage->play.setup.to_server = true;
    stage->play.context = stage;
    assert_int_equal(play_open(&stage->play), 0);
    assert_true(stage->play.source->keeps);
    struct play *play = &stage->play;
    assert_int_equal(play_run(play, play->driver->prepare_gateways(play->source, &play->job, &play->error)),
                     JOB_DONE);
}

static void stage_close(struct stage *stage) {
    play_release(&stage->play);
    world_free(stage->world);
}

// ---- conversion

struct sample {
    const char *id, *name;
    double latitude, longitude, altitude;
    Chirpstack__LocationSource source;
    const char *region, *config;  // NULL = none
    const char *tags[14][2];
    const char *plans;  // NULL = none are named
    const char *wanted;
};

static char *sample_converted(const struct sample *sample) {
    struct stage stage;
    stage_open(&stage, &(struct opening){.plans = sample->plans});
    ARENA_AUTO arena = {0};
    Chirpstack__Location location = CHIRPSTACK__LOCATION__INIT;
    location.latitude = sample->latitude;
    location.longitude = sample->longitude;
    location.altitude = sample->altitude;
    location.source = sample->source;
    Chirpstack__Gateway gateway = CHIRPSTACK__GATEWAY__INIT;
    gateway.gateway_id = arena_strdup(&arena, sample->id);
    gateway.name = arena_strdup(&arena, sample->name == NULL ? "" : sample->name);
    gateway.location = &location;
    const char *const metadata[][2] = {{"region_common_name", sample->region},
                                       {"region_config_id", sample->config}};
    Chirpstack__Pair pairs[16];
    Chirpstack__Pair *tags[14], *said[2];
    size_t used = 0;
    gateway.tags = tags;
    gateway.metadata = said;
    for (size_t i = 0; i < 14 && sample->tags[i][0] != NULL; i++, used++) {
        chirpstack__pair__init(&pairs[used]);
        pairs[used].key = arena_strdup(&arena, sample->tags[i][0]);
        pairs[used].value = arena_strdup(&arena, sample->tags[i][1]);
        tags[gateway.n_tags++] = &pairs[used];
    }
    for (size_t i = 0; i < 2; i++) {
        if (metadata[i][1] == NULL) continue;
        chirpstack__pair__init(&pairs[used]);
        pairs[used].key = arena_strdup(&arena, metadata[i][0]);
        pairs[used].value = arena_strdup(&arena, metadata[i][1]);
        said[gateway.n_metadata++] = &pairs[used++];
    }
    BUFFER_AUTO bytes;
    buffer_init(&bytes, BUFFER_UNLIMITED);
    message_pack(&gateway.base, &bytes);
    struct source_record record = {0};
    source_record_set_data(&record, bytes.data, bytes.size);
    char *text = play_convert_gateway(&stage.play, &record);
    source_record_release(&record);
    stage_close(&stage);
    return text;
}

#define IDS         "{\"ids\":{\"gateway_id\":\"eui-00800000a0000101\",\"eui\":\"00800000A0000101\"}"
#define PLAN(plan)  ",\"frequency_plan_id\":\"" plan "\",\"frequency_plan_ids\":[\"" plan "\"]"
#define ANTENNA(at) ",\"antennas\":[{\"location\":{" at "}}]"
#define END         ",\"enforce_duty_cycle\":true}"
#define TEN         "0123456789"
#define EU          .region = "EU868", .config = "eu868", .plans = "EU_863_870"

static const struct sample samples[] = {
    {ROOF, "Roof", 52.37, 4.89, -3.6, EU, .tags = {{"floor", "7"}, {"Room No", "12"}},
     .wanted = IDS ",\"name\":\"Roof\",\"attributes\":{\"floor\":\"7\",\"room-no\":\"12\"}" PLAN("EU_863_870")
         ANTENNA("\"latitude\":52.37,\"longitude\":4.89,\"altitude\":-4,\"source\":\"SOURCE_REGISTRY\"") END
     " (attributes.Room No: the key became 'room-no')"},
    // No name, no place.
    {ROOF, EU, .wanted = IDS PLAN("EU_863_870") END},
    {ROOF, NULL, 1, -2, 3, CHIRPSTACK__LOCATION_SOURCE__GPS, EU,
     .wanted = IDS PLAN("EU_863_870")
         ANTENNA("\"latitude\":1,\"longitude\":-2,\"altitude\":3,\"source\":\"SOURCE_GPS\"") END},
    {ROOF, NULL, 90.5, 1, 0, EU,
     .wanted = IDS PLAN("EU_863_870") END " (antennas.location: is out of range: left out)"},
    {ROOF, NULL, (double)NAN, 1, (double)INFINITY, EU,
     .wanted = IDS PLAN("EU_863_870") END " (antennas.location.altitude: is out of range: left out) "
                                          "(antennas.location: is out of range: left out)"},
    {"00800000A0000101", TEN TEN TEN TEN TEN "x", EU,
     .wanted =
         IDS ",\"name\":\"" TEN TEN TEN TEN TEN "\"" PLAN("EU_863_870") END " (name: cut to 50 characters)"},
    {"0000000000000000", EU, .wanted = "its EUI is all zeros, which no gateway has"},
    {"00800000a00001", EU, .wanted = "gateway_id: is not 16 hexadecimal digits"},
    {"", EU, .wanted = "gateway_id: is not 16 hexadecimal digits"},
    // Tags: bad keys, the same key twice, too many, in any order.
    {ROOF, EU,
     .tags = {{"\xc3\xbc", "x"},
              {"Big", "1"},
              {"big", "2"},
              {"t11", "v"},
              {"t10", "v"},
              {"t09", "v"},
              {"t08", "v"},
              {"t07", "v"},
              {"t06", "v"},
              {"t05", "v"},
              {"t04", "v"},
              {"t03", "v"},
              {"t02", "v"},
              {"t02", "v"}},
     .wanted =
         IDS ",\"attributes\":{\"big\":\"2\",\"t02\":\"v\",\"t03\":\"v\",\"t04\":\"v\",\"t05\":\"v\",\"t06\":"
             "\"v\",\"t07\":\"v\",\"t08\":\"v\",\"t09\":\"v\",\"t10\":\"v\"}" PLAN("EU_863_870") END
     " (attributes.Big: dropped: its key would become 'big', which is there already)"
     " (attributes.\xc3\xbc: dropped: no key can be made of it that The Things Stack takes)"
     " (attributes.t11: dropped: The Things Stack takes no more than 10 attributes)"},
    {ROOF, EU, .tags = {{"key", "\xff"}}, .wanted = "the value of attribute key is not UTF-8"},
    // The frequency plan.
    {ROOF, .region = "EU868", .config = "eu868",
     .wanted = "its region is EU868, for which there are 2 frequency plans"},
    {ROOF, .region = "IN865", .config = "in865", .wanted = IDS PLAN("IN_865_867") END},
    {ROOF, .region = "US915", .config = "us915_1",
     .wanted = IDS PLAN("US_902_928_FSB_2") END
     " (frequency_plan_id: is US_902_928_FSB_2, after the region configuration us915_1 where it was heard)"},
    {ROOF, .config = "us915_0", .plans = "EU_863_870,US_902_928_FSB_2",
     .wanted = IDS PLAN("US_902_928_FSB_2") END
     " (frequency_plan_id: is US_902_928_FSB_2 as you say, but the region configuration us915_0, where it "
     "was heard, is US_902_928_FSB_1)"},
    {ROOF, .region = "AS923-2", .config = "my-own", .plans = "AS_923,AS_923_2",
     .wanted = IDS PLAN("AS_923_2") END},
    {ROOF, .region = "AS923-2", .config = "my-own", .plans = "AS_923",
     .wanted = "its region is AS923-2, and the frequency plan AS_923 is of another one"},
    // Never heard, or heard somewhere that nobody knows.
    {ROOF, .plans = "AS_923", .wanted = IDS PLAN("AS_923") END},
    {ROOF, .region = "MARS", .config = "mars", .plans = "EU_863_870", .wanted = IDS PLAN("EU_863_870") END},
    {ROOF, .plans = "AS_923,EU_863_870",
     .wanted = "ChirpStack does not know its region, and you name several frequency plans"},
    {ROOF, .wanted = "ChirpStack does not know its region"},
};

static void test_converts(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        char *text MEMORY_AUTO = sample_converted(&samples[i]);
        if (strcmp(text, samples[i].wanted) != 0)
            fail_msg("%zu: %s\ninstead of %s", i, text, samples[i].wanted);
    }
}

// ---- jobs

static size_t list_all(struct stage *stage, struct source_page *page) {
    size_t pages = 0;
    do {
        assert_int_equal(play_list_gateways(&stage->play, page), JOB_DONE);
        pages++;
    } while (page->cursor != NULL);
    return pages;
}

// Each once, from several pages; those of one tenant alone if that is named.
static void test_lists(void **state) {
    (void)state;
    enum { MORE = 450, OF_TENANT = 8, OF_ALL = 9 };
    static const struct {
        const char *version;
        bool only_tenant;
        size_t wanted, pages;
    } cases[] = {{NULL, false, OF_ALL + MORE, 3}, {"4", true, OF_TENANT, 1}, {"3", false, OF_ALL + MORE, 3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct stage stage;
        stage_open(&stage,
                   &(struct opening){.version = cases[i].version, .only_tenant = cases[i].only_tenant});
        struct cs *cs = stage.world->chirpstack;
        for (unsigned j = 0; j < MORE; j++) {
            char id[CS_EUI_SIZE];
            snprintf(id, sizeof id, "a84044%010x", j);
            cs_add_gateway(cs, id, &cs->tenants[2]);
        }
        struct source_page page = {0};
        assert_int_equal(list_all(&stage, &page), cases[i].pages);
        assert_int_equal(page.count, cases[i].wanted);
        assert_int_equal(page.total, cases[i].wanted);
        for (size_t j = 0; j < page.count; j++) {
            assert_true(page.records[j].has_dev_eui);
            assert_false(page.records[j].complete);
            if (j > 0) assert_true(strcmp(page.records[j - 1].id, page.records[j].id) < 0);
        }
        source_page_release(&page);
        stage_close(&stage);
    }
}

static void read_as(struct stage *stage, const char *id) {
    struct source_record record = {.id = memory_strdup(id)};
    assert_int_equal(play_read_gateway(&stage->play, &record), JOB_DONE);
    assert_true(record.complete && record.has_dev_eui);
    char *text MEMORY_AUTO = play_convert_gateway(&stage->play, &record);
    assert_non_null(
        strstr(text, "\"eui\":\"00800000A0000101\"},\"name\":\"Roof\",\"description\":\"North mast\""));
    assert_non_null(strstr(text, "\"altitude\":32,"));
    assert_non_null(strstr(text, "\"room-no\":\"12\""));
    // What is known is not asked for again.
    stage->calls = 0;
    assert_int_equal(play_read_gateway(&stage->play, &record), JOB_DONE);
    assert_int_equal(stage->calls, 0);
    source_record_release(&record);
}

static void test_reads(void **state) {
    (void)state;
    static const char *const versions[] = {"4", "3"};
    for (size_t i = 0; i < 2; i++) {
        struct stage stage;
        stage_open(&stage, &(struct opening){.version = versions[i], .plans = "EU_863_870"});
        read_as(&stage, ROOF);
        read_as(&stage, "00800000A0000101");
        read_as(&stage, "EUI-00800000a0000101");
        read_as(&stage, "00:80:00:00:a0:00:01:01");
        stage_close(&stage);
    }
}

static void fails(struct stage *stage, const char *id, enum error_code code, const char *words) {
    struct source_record record = {.id = memory_strdup(id)};
    assert_int_equal(play_read_gateway(&stage->play, &record), JOB_FAILED);
    char *chain MEMORY_AUTO = error_chain(&stage->play.error);
    const char *hint = stage->play.error.hint == NULL ? "" : stage->play.error.hint;
    char *all MEMORY_AUTO = memory_printf("%s %s", chain, hint);
    if (strstr(all, words) == NULL) fail_msg("%s\ninstead of %s", all, words);
    assert_int_equal(stage->play.error.code, code);
    assert_false(record.complete);
    source_record_release(&record);
}

static void test_misses(void **state) {
    (void)state;
    static const char *const versions[] = {"4", "3"};
    for (size_t i = 0; i < 2; i++) {
        struct stage stage;
        stage_open(&stage, &(struct opening){.version = versions[i]});
        fails(&stage, "ffffffffffffffff", ERROR_NOT_FOUND, "check its EUI");
        fails(&stage, "my-gateway", ERROR_INPUT, "is no EUI of a gateway");
        fails(&stage, "00800000a00001011", ERROR_INPUT, "is no EUI of a gateway");
        // Deleted between the list and the reading.
        struct source_page page = {0};
        list_all(&stage, &page);
        stage.forgotten = page.records[3].id;
        fails(&stage, page.records[3].id, ERROR_NOT_FOUND, "it may have been deleted");
        source_page_release(&page);
        stage_close(&stage);
    }
}

static void test_rights(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &(struct opening){.key = WORLD_CHIRPSTACK_KEY_TENANT, .plans = "EU_863_870"});
    read_as(&stage, ROOF);
    fails(&stage, OF_OTHERS, ERROR_DENIED, "--chirpstack.tenant-id");
    fails(&stage, "ffffffffffffffff", ERROR_DENIED, "--chirpstack.tenant-id");
    // Servers that check who lists.
    stage.said = "";
    stage.status = GRPC_UNAUTHENTICATED;
    struct source_page page = {0};
    assert_int_equal(play_list_gateways(&stage.play, &page), JOB_FAILED);
    assert_int_equal(stage.play.error.code, ERROR_DENIED);
    assert_non_null(strstr(stage.play.error.hint, "--chirpstack.tenant-id"));
    source_page_release(&page);
    stage_close(&stage);
    stage_open(&stage, &(struct opening){.key = WORLD_CHIRPSTACK_KEY_READ_ONLY, .plans = "EU_863_870"});
    read_as(&stage, ROOF);
    stage_close(&stage);
}

#define SAID(text) \
    { text, sizeof text - 1 }

static void test_hostile(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t size;
    } lists[] = {
        SAID("\x08\x03"),          // three, of which none is there
        SAID("\x12\x00\x08\x01"),  // one without an EUI
        SAID("\x12\x12\x12\x10"
             "00800000a00001xx"),  // one whose EUI is none
        SAID("\xff\xff\xff\xff"),
    };
    static const struct {
        const char *text;
        size_t size;
    } gateways[] = {
        SAID(""),          // no gateway
        SAID("\x0a\x00"),  // one without an EUI
        SAID("\x0a\x12\x0a\x10"
             "00800000a0000102"),  // another one
        SAID("\x0a\x14\x0a\x10"
             "00800000a0000101"
             "\x22\x10"),  // a location that is cut off
        SAID("\x0a\x15\x0a\x10"
             "00800000a0000101"
             "\x32\x01\xff"),  // a tag that is none
    };
    struct stage stage;
    stage_open(&stage, &(struct opening){.version = "4"});
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        struct source_page page = {0};
        stage.said = lists[i].text;
        stage.said_size = lists[i].size;
        assert_int_equal(play_list_gateways(&stage.play, &page), JOB_FAILED);
        assert_int_equal(stage.play.error.code, ERROR_PROTOCOL);
        source_page_release(&page);
    }
    for (size_t i = 0; i < sizeof gateways / sizeof *gateways; i++) {
        stage.said = gateways[i].text;
        stage.said_size = gateways[i].size;
        fails(&stage, ROOF, ERROR_PROTOCOL, "");
    }
    // A record of the journal that is damaged.
    struct source_record record = {0};
    source_record_set_data(&record, "\xff\xff", 2);
    char *text MEMORY_AUTO = play_convert_gateway(&stage.play, &record);
    assert_int_not_equal(text[0], '{');
    assert_true(error_is_set(&stage.play.error));
    source_record_release(&record);
    stage_close(&stage);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_converts), cmocka_unit_test(test_lists),  cmocka_unit_test(test_reads),
        cmocka_unit_test(test_misses),   cmocka_unit_test(test_rights), cmocka_unit_test(test_hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
