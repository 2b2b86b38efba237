// SPDX-License-Identifier: Apache-2.0
// Sources that are files, without a run around them: what becomes of a text, as rows of "ID: JSON" or "ID: error".
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "device/json_write.h"
#include "device/validate.h"
#include "source/registry.h"
#include "support/text_reader.h"

#define KEY "00112233445566778899AABBCCDDEEFF"

static const struct reader_operations text_operations = {.read = text_reader_read,
                                                         .rewind = text_reader_rewind};

// A small set of keys in memory.
struct small_set {
    struct key_set base;
    struct {
        char key[64];
        size_t size;
        uint64_t number;
    } keys[5000];
    size_t count;
};

static int small_add(struct key_set *set, const void *key, size_t size, uint64_t number, uint64_t *ret_number,
                     struct error *error) {
    (void)error;
    struct small_set *self = (struct small_set *)set;
    *ret_number = 0;
    for (size_t i = 0; i < self->count; i++) {
        if (self->keys[i].size != size || memcmp(self->keys[i].key, key, size) != 0) continue;
        *ret_number = self->keys[i].number;
        return 0;
    }
    assert_true(self->count < 5000 && size <= sizeof self->keys[0].key);
    memcpy(self->keys[self->count].key, key, size);
    self->keys[self->count].size = size;
    self->keys[self->count++].number = number;
    return 0;
}

static int small_clear(struct key_set *set, struct error *error) {
    (void)error;
    ((struct small_set *)set)->count = 0;
    return 0;
}

static const struct key_set_operations small_operations = {.add = small_add, .clear = small_clear};

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
    struct text_reader reader;
    struct small_set *seen;
    struct source *source;
    struct buffer result;
    size_t records;
    size_t largest_page;
};

// `options` is name, value, name, value, ... and NULL.
static int play_open(struct play *play, const char *name, const char *text, size_t size,
                     const char *const *options, struct error *error) {
    *play = (struct play){.driver = source_find(source_drivers(), name, strlen(name))};
    assert_non_null(play->driver);
    assert_non_null(play->driver->input);
    play->options = option_values_new(play->driver->options);
    for (; options != NULL && *options != NULL; options += 2) {
        const struct option_spec *spec = option_find(play->driver->options, options[0], strlen(options[0]));
        assert_non_null(spec);
        assert_int_equal(option_set(play->options, spec, options[0], options[1], error), 0);
    }
    play->reader = (struct text_reader){
        .base = {.operations = &text_operations, .name = "the file"}, .text = text, .size = size, .piece = 7};
    play->seen = memory_new(struct small_set);
    play->seen->base.operations = &small_operations;
    buffer_init(&play->result, BUFFER_UNLIMITED);
    const struct source_setup setup = {
        .options = play->options,
        .plans = frequency_plans_builtin(),
        .naming = &naming,
        .clock = &fixed_clock,
        .random = &fixed_random,
        .input = &play->reader.base,
        .seen = &play->seen->base,
    };
    return play->driver->open(&setup, &play->source, error);
}

static void play_close(struct play *play) {
    play->driver->close(play->source);
    option_values_free(play->options);
    free(play->seen);
    buffer_release(&play->result);
}

static void add_device(struct play *play, const struct source_record *record) {
    DEVICE_AUTO device = {0};
    ERROR_AUTO error = {0};
    device_init(&device);
    play->records++;
    buffer_printf(&play->result, "%s: ", record->id);
    int result = play->driver->convert(play->source, record, &device, &error);
    if (result == 0) result = device_validate(&device, frequency_plans_builtin(), &error);
    if (result == 0) {
        message_json_write(&device.end_device->base, &play->result);
        for (size_t i = 0; i < device.notes.count; i++) {
            buffer_printf(&play->result, " (%s: %s)", device.notes.items[i].path, device.notes.items[i].text);
        }
    } else {
        buffer_puts(&play->result, error.message);
    }
    buffer_putc(&play->result, '\n');
}

// Lists the application, and converts what comes.
static int play_list(struct play *play, const char *application, struct error *error) {
    struct source_page page = {0};
    struct arena arena = {0};
    struct job job = {.arena = &arena};
    enum job_step step = play->driver->prepare(play->source, &job, application, error);
    do {
        char *cursor = memory_take(page.cursor);
        source_page_release(&page);
        page.cursor = cursor;
        if (step == JOB_DONE) step = play->driver->list(play->source, &job, &page, error);
        if (page.count > play->largest_page) play->largest_page = page.count;
        for (size_t i = 0; step == JOB_DONE && i < page.count; i++) {
            assert_int_equal(play->driver->read(play->source, &job, &page.records[i], error), JOB_DONE);
            add_device(play, &page.records[i]);
        }
    } while (step == JOB_DONE && page.cursor != NULL);
    source_page_release(&page);
    arena_release(&arena);
    return step == JOB_DONE ? 0 : -(int)error->code;
}

// The whole: opens, lists and compares with `wanted`, which each line of the result must contain in its order, line by
// line; or the error.
static void check(const char *name, const char *text, size_t size, const char *const *options,
                  const char *application, const char *const *wanted) {
    struct play play;
    struct error error = {0};
    int result = play_open(&play, name, text, size, options, &error);
    if (result == 0) result = play_list(&play, application, &error);
    if (result != 0) {
        char *chain = error_chain(&error);
        if (strstr(chain, wanted[0]) == NULL || wanted[1] != NULL)
            fail_msg("%s instead of %s", chain, wanted[0]);
        free(chain);
        error_release(&error);
        play_close(&play);
        return;
    }
    const char *line = buffer_string(&play.result);
    for (; *wanted != NULL; wanted++) {
        const char *end = strchr(line, '\n');
        if (end == NULL) fail_msg("there is no line for %s", *wanted);
        if (memmem(line, (size_t)(end - line), *wanted, strlen(*wanted)) == NULL)
            fail_msg("%.*s instead of %s", (int)(end - line), line, *wanted);
        line = end + 1;
    }
    if (*line != '\0') fail_msg("there is more: %s", line);
    play_close(&play);
}

#define CHECK(name, text, options, application, ...) \
    check(name, text, strlen(text), options, application, (const char *const[]){__VA_ARGS__, NULL})

static const char *const usual[] = {"app-id", "my-app", "frequency-plan-id", "EU_863_870_TTN", "mac-version",
                                    "1.0.3",  NULL};

// ---- json

#define OTAA(id, eui)                                                                                      \
    "{\"ids\":{\"device_id\":\"" id                                                                        \
    "\",\"application_ids\":{\"application_id\":\"my-app\"},\"dev_eui\":\"" eui                            \
    "\",\"join_eui\":\"70B3D57ED0000000\"},\"lorawan_version\":\"MAC_V1_0_3\",\"lorawan_phy_version\":"    \
    "\"PHY_V1_0_3_REV_A\",\"frequency_plan_id\":\"EU_863_870_TTN\",\"supports_join\":true,\"root_keys\":{" \
    "\"app_key\":{"                                                                                        \
    "\"key\":\"" KEY "\"}}}"

static void test_json(void **state) {
    (void)state;
    static const char a[] = OTAA("dev-a", "70B3D57ED1000001"), b[] = OTAA("dev-b", "70B3D57ED1000002");
    char *text = memory_printf("[%s,\n%s]\n", a, b);
    CHECK("json", text, NULL, "-", a, b);
    CHECK("json", text, NULL, "my-app", a, b);
    CHECK("json", text, NULL, "other",
          "the file: it holds no device of application other, but some of my-app");
    free(text);
    text = memory_printf("%s\n%s\n", a, a);
    CHECK("json", text, NULL, "-", "the file: device dev-a stands in line 1 and in line 2");
    free(text);
    CHECK("json", OTAA("dev-a", "70B3D57ED1000001") "\n\n" OTAA("dev-b", "70B3D57ED1000001"), NULL, "-",
          "the file: DevEUI 70B3D57ED1000001 stands in line 1 and in line 3");
    CHECK("json", OTAA("dev-a", "0000000000000000") OTAA("dev-b", "0000000000000000"), NULL, "-",
          "ids.dev_eui: is zero", "ids.dev_eui: is zero");
    CHECK("json", "{\"ids\":{\"device_id\":\"dev-a\",\"dev_eui\":\"1\"}}\n{}\n{\"a\":}", NULL, "-",
          "line 1: line 1: ids.dev_eui: 16 hexadecimal", "line 2: line 2: ids.device_id is missing",
          "line 3: line 3, column 6: not JSON");
    CHECK("json", "{\"nonsense\":1,\"ids\":{\"device_id\":\"x\"}}", NULL, "-",
          "x: The Things Stack would refuse the ID 'x'");
    CHECK("json", "[{},{}]", NULL, "-", "line 1: line 1: ids.device_id is missing",
          "line 1, device 2: line 1: ids.device_id is missing");
    CHECK("json", "", NULL, "-", "the file holds no device");
    CHECK("json", "[]", NULL, "-", "the file holds no device");
    CHECK("json", "{", NULL, "-", "the file: line 1: the object that begins here has no end");
    text = memory_printf("%s", a);
    memcpy(strstr(text, "{\"ids\""), "{\"IDS\"", 6);
    CHECK("json", text, NULL, "-", "line 1: line 1: ids.device_id is missing");
    free(text);
}

static void test_unknown_members_are_noted(void **state) {
    (void)state;
    char *text = memory_printf("{\"nonsense\":1,%s", &OTAA("dev-a", "70B3D57ED1000001")[1]);
    CHECK("json", text, NULL, "-", "}} (nonsense: unknown member, left out)");
    free(text);
}

// Pages are bounded, and the file can be read again for another application.
static void test_json_pages(void **state) {
    (void)state;
    struct buffer text;
    struct play play;
    struct error error = {0};
    buffer_init(&text, BUFFER_UNLIMITED);
    for (unsigned i = 0; i < 1200; i++) {
        buffer_printf(
            &text,
            "{\"ids\":{\"device_id\":\"dev-%u\",\"application_ids\":{\"application_id\":\"app-%u\"}}}\n", i,
            i % 2);
    }
    assert_int_equal(play_open(&play, "json", (const char *)text.data, text.size, NULL, &error), 0);
    assert_int_equal(play_list(&play, "-", &error), 0);
    assert_int_equal(play.records, 1200);
    assert_in_range(play.largest_page, 500, 501);
    assert_int_equal(play_list(&play, "app-1", &error), 0);
    assert_int_equal(play.records, 1800);
    play_close(&play);
    buffer_release(&text);
}

// ---- csv

static void test_csv(void **state) {
    (void)state;
    CHECK(
        "csv",
        "id;dev_eui;join_eui;name;app_key;frequency_plan_id;lorawan_version;lorawan_phy_version;brand_id;"
        "vendor_id;"
        "rx1_delay;supports_32_bit_f_cnt;supports_class_c\n"
        "dev-a;70B3D57ED1000001;70B3D57ED0000000;\"a;b\";" KEY
        ";EU_863_870;1.0.2;PHY_V1_0_2_REV_B;acme;1F;RX_DELAY_5;false;1\n"
        ";70-B3-D5-7E-D1-00-00-02;70B3D57ED0000000;;" KEY ";;;;;;;;\n",
        usual, "my-app",
        "\"name\":\"a;b\",\"version_ids\":{\"brand_id\":\"acme\"},\"supports_class_c\":true,"
        "\"lorawan_version\":\"MAC_V1_0_2\",\"lorawan_phy_version\":\"PHY_V1_0_2_REV_B\",\"frequency_plan_"
        "id\":"
        "\"EU_863_870\",\"supports_join\":true,\"root_keys\":{\"app_key\":{\"key\":\"" KEY
        "\"}},\"mac_settings\":{\"rx1_delay\":5,\"supports_32_bit_f_cnt\":false},"
        "\"lora_alliance_profile_ids\":{\"vendor_id\":31}}",
        "eui-70b3d57ed1000002: {\"ids\":{\"device_id\":\"eui-70b3d57ed1000002\",\"application_ids\":{"
        "\"application_id\":\"my-app\"},\"dev_eui\":\"70B3D57ED1000002\",\"join_eui\":\"70B3D57ED0000000\"},"
        "\"lorawan_version\":\"MAC_V1_0_3\",\"lorawan_phy_version\":\"PHY_V1_0_3_REV_A\",\"frequency_plan_"
        "id\":"
        "\"EU_863_870_TTN\",\"supports_join\":true,\"root_keys\":{\"app_key\":{\"key\":\"" KEY "\"}}}");
}

static void test_csv_sessions(void **state) {
    (void)state;
    static const char header[] =
        "dev_eui,join_eui,app_key,dev_addr,app_s_key,f_nwk_s_int_key,last_f_cnt_up,"
        "last_n_f_cnt_down\n";
    char *text = memory_printf("%s70B3D57ED1000001,,,01020304," KEY "," KEY ",7,3\n", header);
    CHECK("csv", text, usual, "my-app",
          "\"session\":{\"dev_addr\":\"01020304\",\"keys\":{\"f_nwk_s_int_key\":{\"key\":\"" KEY
          "\"},\"app_s_key\":{\"key\":\"" KEY
          "\"}},\"last_f_cnt_up\":7,\"last_n_f_cnt_down\":3,\"started_at\":\"2023-11-14T22:13:20Z\"}");
    CHECK("csv", text, usual, "my-app", "\"mac_state\":{\"current_parameters\":{");
    free(text);
    // A session that comes from a join has an ID: the time and chance.
    text = memory_printf("%s70B3D57ED1000001,0000000000000000," KEY ",01020304," KEY "," KEY ",,\n", header);
    CHECK("csv", text, usual, "my-app", "\"keys\":{\"session_key_id\":\"AYvP5WgABwcHBwcHBwcHBw==\",\"f_nwk");
    free(text);
    text = memory_printf("%s70B3D57ED1000001,,,01020304," KEY ",,,\n", header);
    CHECK("csv", text, usual, "my-app", "session.keys.f_nwk_s_int_key.key: is missing or zero");
    free(text);
}

static void test_csv_columns(void **state) {
    (void)state;
    static const char text[] =
        "DevEUI,\"App Key\",app_eui,junk\n70B3D57ED1000001," KEY ",70B3D57ED0000000,x\n";
    static const char *const mapped[] = {"map",
                                         "dev_eui=DevEUI,app_key=\"App Key\"",
                                         "app-id",
                                         "my-app",
                                         "mac-version",
                                         "1.0.3",
                                         "frequency-plan-id",
                                         "EU_863_870_TTN",
                                         NULL};
    CHECK("csv", text, mapped, "my-app", "(columns: not known and left out, for all devices: junk)");
    static const char *const missing[] = {"map", "dev_eui=EUI", NULL};
    CHECK("csv", text, missing, "my-app", "line 1: there is no column EUI, which is to be dev_eui");
    CHECK("csv", "a,b\n", NULL, "my-app", "line 1: the first row names none of the columns");
    CHECK("csv", "dev_eui,dev_eui\n", NULL, "my-app", "line 1: the column dev_eui stands twice");
    CHECK("csv", "Dev EUI,DevEUI\n", NULL, "my-app",
          "line 1: the column dev_eui stands twice: Dev EUI and DevEUI");
    // The very name counts first.
    CHECK("csv", "dev_eui,DevEUI,AppKey,JOIN_EUI\n70B3D57ED1000001,x," KEY ",70B3D57ED0000000\n", usual,
          "my-app", "(columns: not known and left out, for all devices: DevEUI)");
    CHECK("csv",
          "Our devices,,\n,\nName of it,\nDev EUI,App-Key,JoinEUI\n70B3D57ED1000001," KEY
          ",70B3D57ED0000000\n",
          usual, "my-app", "eui-70b3d57ed1000001: {\"ids\"");
    CHECK("csv", "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\ndev_eui\n", NULL, "my-app",
          "line 1: the first row names none of the columns");
    CHECK("csv", "join_eui,app_eui\n", NULL, "my-app", "line 1: the column join_eui stands twice");
    CHECK("csv", "dev_eui\n70B3D57ED1000001,x\n", NULL, "my-app",
          "line 2: there are more fields (2) than columns (1)");
    CHECK("csv", "dev_eui\n", NULL, "my-app", "the file holds no device");
    CHECK("csv", "dev_eui\n70B3D57ED1000001\n,\n\n70b3d57ed1000001\n", NULL, "my-app",
          "device eui-70b3d57ed1000001 stands in line 2 and in line 5");
    CHECK("csv", "dev_eui\n\"70B3D57ED1000001\n", NULL, "my-app", "line 2: the row that begins here");
    static const char *const maps[][2] = {
        {"dev_eui", "there is no = behind a column"},     {"foo=x", "there is no column foo"},
        {"dev_eui=a,dev_eui=b", "a column stands twice"}, {"dev_eui=\"a", "a quote has no end"},
        {"dev_eui=\"a\"b", "a comma is expected"},        {"devices.csv", "there is no ="},
    };
    for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++) {
        const char *const options[] = {"map", maps[i][0], NULL};
        CHECK("csv", "dev_eui\n", options, "my-app", maps[i][1]);
    }
    static const char *const bad_delimiter[] = {"delimiter", "a", NULL};
    CHECK("csv", "dev_eui\n", bad_delimiter, "my-app", "the delimiter must be one character");
    static const char *const tab[] = {"delimiter", "tab", "encoding", "utf-8", NULL};
    CHECK("csv", "dev_eui\tname\n1\tx,y\n", tab, "my-app",
          "line 2: line 2: dev_eui: there are digits missing");
    static const char *const unknown_plan[] = {"frequency-plan-id", "EU", NULL};
    CHECK("csv", "dev_eui\n", unknown_plan, "my-app", "there is no frequency plan EU");
}

static void test_csv_damage(void **state) {
    (void)state;
    CHECK("csv",
          "id,dev_eui,app_key,vendor_id,rx1_delay,supports_class_c,last_f_cnt_up,dev_addr,lorawan_version\n"
          "aaa,1.23E+15,,,,,,,\nbbb,,112233445566778899AABBCCDDEEF,,,,,,\nccc,NULL,,,,,,,\nddd,,,xx,,,,,\n"
          "eee,,,,16,,,,\nfff,,,,,maybe,,,\nggg,,,,,,1.5,,\nhhh,,,,,,,1020304,\niii,,,,,,,,2.0\n",
          usual, "my-app", "aaa: line 2: dev_eui: a spreadsheet has made a rounded number",
          "bbb: line 3: app_key: 32 hexadecimal digits are expected",
          "ccc: line 4: dev_eui: a word stands for nothing there",
          "ddd: line 5: vendor_id: a hexadecimal number", "eee: line 6: rx1_delay: RX_DELAY_1",
          "fff: line 7: supports_class_c: true or false",
          "ggg: line 8: last_f_cnt_up: there is something between",
          "hhh: line 9: dev_addr: there are digits missing", "iii: line 10: lorawan_version: is no version");
}

// What a spreadsheet may have rounded is told; what collides then is refused.
static void test_csv_rounded(void **state) {
    (void)state;
    static const char head[] = "dev_eui;join_eui;app_key\n";
    char *text = memory_printf("%s1234567890123450;70B3D57ED0000000;" KEY "\n", head);
    CHECK("csv", text, usual, "my-app", "(dev_eui: in line 2 has decimal digits only, and ends in 0");
    free(text);
    text = memory_printf("%s1234567890123450;;\n1234567890123450;;\n", head);
    CHECK("csv", text, usual, "my-app", "eui-1234567890123450 stands in line 2 and in line 3");
    free(text);
}

// As spreadsheets and people write it.
static void test_csv_texts(void **state) {
    (void)state;
    static const char text[] =
        "sep=;\r\nID;Dev EUI;Join EUI;App Key;Frequency Plan ID;Supports Class C;LoRaWAN Version\r\n"
        "dev-one;=\"0000000000000001\";'70B3D57ED0000000;\"00 11 22 33 44 55 66 77 88 99 AA BB CC DD EE "
        "FF\xc2\xa0\";"
        "\" EU_863_870_TTN \";WAHR; 1.0.3 \r\n;;;;\" \";;\r\n";
    CHECK(
        "csv", text, usual, "my-app",
        "dev-one: "
        "{\"ids\":{\"device_id\":\"dev-one\",\"application_ids\":{\"application_id\":\"my-app\"},\"dev_eui\":"
        "\"0000000000000001\"");
}

// What a person's table has besides.
static void test_csv_people(void **state) {
    (void)state;
    static const char head[] =
        "Dev EUI;Join EUI;App Key;Frequency Plan ID;LoRaWAN Version;LoRaWAN PHY Version;last_f_cnt_up\n";
    char *text = memory_printf("%s70B3D57ED1000001;70B3D57ED0000000;" KEY
                               ";europe 863-870 MHz (SF9 for RX2 - recommended);LoRaWAN Specification 1.0.3;"
                               "RP001 Regional Parameters 1.0.3 revision A;12\nSum;;;;;;12\n",
                               head);
    CHECK("csv", text, NULL, "my-app",
          "(session: its frame counters are left out: the table has no session for them)",
          "line 3: line 3: dev_eui: 16 hexadecimal digits are expected");
    free(text);
    text = memory_printf("%s70B3D57ED1000001;70B3D57ED0000000;" KEY ";;01.00.2003;;\n", head);
    CHECK("csv", text, usual, "my-app",
          "lorawan_version: is no version of LoRaWAN, such as 1.0.3; a spreadsheet may have");
    free(text);
    text = memory_printf("%s70B3D57ED1000001;70B3D57ED0000000;" KEY
                         ";europe 863-870 MHz (SF9 for RX2 - recommended);;;\n",
                         head);
    CHECK("csv", text, usual, "my-app", "\"frequency_plan_id\":\"EU_863_870_TTN\"");
    free(text);
}

static void test_one_application(void **state) {
    (void)state;
    struct play play;
    struct error error = {0};
    static const char text[] = "dev_eui\n70B3D57ED1000001\n";
    assert_int_equal(play_open(&play, "csv", text, strlen(text), usual, &error), 0);
    assert_string_equal(play.driver->default_application(play.source), "my-app");
    assert_int_equal(play_list(&play, "my-app", &error), 0);
    assert_int_equal(play_list(&play, "other", &error), -ERROR_USAGE);
    error_release(&error);
    play_close(&play);
    assert_int_equal(play_open(&play, "csv", text, strlen(text), NULL, &error), 0);
    assert_string_equal(play.driver->default_application(play.source), "-");
    play_close(&play);
    CHECK("csv", text, NULL, "-", "eui-70b3d57ed1000001: line 2: its application is not known");
}

// ---- thingpark

static void test_thingpark(void **state) {
    (void)state;
    CHECK(
        "thingpark",
        "# a; comment\nCREATE_OTAA,70B3D57ED1000001,,profile,70B3D57ED0000000," KEY
        ",,plan,,,Roof,52.5,-4.25,info\nDELETE,70B3D57ED1000009\n"
        "create_otaa,LW:D0:70B3D57ED0000000:70B3D57ED1000002:ABCD,,,," KEY "\n",
        usual, "my-app",
        "\"name\":\"Roof\",\"description\":\"info\",\"attributes\":{\"thingpark-profile\":\"profile\"},"
        "\"locations\":{"
        "\"user\":{\"latitude\":52.5,\"longitude\":-4.25,\"source\":\"SOURCE_REGISTRY\"}}",
        "eui-70b3d57ed1000002: {\"ids\":{\"device_id\":\"eui-70b3d57ed1000002\",\"application_ids\":{"
        "\"application_id\":\"my-app\"},\"dev_eui\":\"70B3D57ED1000002\",\"join_eui\":\"70B3D57ED0000000\"}");
    CHECK("thingpark", "CREATE_OTAA,1234567890123450,,,1234567890123460," KEY "\n", usual, "my-app",
          "(ids.dev_eui: in line 1, column B, has decimal digits only, and ends in 0 where a spreadsheet "
          "rounds a "
          "number: compare it with the device) (ids.join_eui: in line 1, column E");
    CHECK("thingpark",
          "CREATE_ABP,70B3D57ED1000001,01020304,," KEY ",\"<AppSKeys><AppSKey Port=\"\"*\"\">" KEY
          "</AppSKey></AppSKeys>\"\n,70B3D57ED1000002,01020305,," KEY "," KEY "\n",
          usual, "my-app",
          "\"dev_addr\":\"01020304\",\"keys\":{\"f_nwk_s_int_key\":{\"key\":\"" KEY "\"},\"app_s_key\"",
          "(session: the list has no frame counters");
    CHECK(
        "thingpark",
        "CREATE_OTAA,70B3D57ED1000001,,,70B3D57ED0000000," KEY
        ",,,,,,,,,,,,,1\n"
        "CREATE_OTAA,70B3D57ED1000002,,,," KEY
        "\nCREATE_OTAA,LW:D0:70B3D57ED0000000\nCREATE_OTAA,70B3D57ED1000003,,,70B3D57ED0000000\nCREATE_OTAA\n"
        "CREATE_ABP,70B3D57ED1000004,,," KEY "," KEY "\nCREATE_ABP,70B3D57ED1000005,01020304,," KEY
        ",<AppSKeys/>\nUPDATE_ABP,70B3D57ED1000006\nCREATE_OTAA,70B3D57ED1000007,,,70B3D57ED0000000," KEY
        ",,,,,,x,1\nCREATE_ABP,70B3D57ED1000008,01020304,," KEY ",<AppSKey >" KEY "<><AppSKey >\n",
        usual, "my-app", "column S: its key is encrypted", "column E: the JoinEUI is missing",
        "line 3: line 3: column B: 16 hexadecimal digits", "column F: the key is missing",
        "line 5: line 5: column B: the DevEUI is missing", "column C: the DevAddr is missing",
        "column F: neither", "column A: is neither CREATE_OTAA nor", "column L: a decimal number is expected",
        "column F: there is an AppSKey for each port");
}

// ---- helium

static void test_helium(void **state) {
    (void)state;
    CHECK("helium",
          "[{\"id\":\"0b5d0c1c-8b7f-4b51-9c1c-0a1a2b3c4d5e\",\"name\":\"Roof\",\"dev_eui\":"
          "\"70B3D57ED1000001\","
          "\"app_eui\":\"70B3D57ED0000000\",\"app_key\":\"" KEY
          "\",\"labels\":[{\"name\":\"a\"},\"b\",7],\"devaddr\":\"01020304\",\"active\":false}]\n"
          "{\"devices\":[{\"dev_eui\":\"70B3D57ED1000002\",\"app_eui\":null}]}",
          usual, "my-app",
          "\"name\":\"Roof\",\"attributes\":{\"helium-id\":\"0b5d0c1c-8b7f-4b51-9c1c-0a1a2b3c4d5e\",\"helium-"
          "labels\":"
          "\"a, b\"}",
          "eui-70b3d57ed1000002: line 2: app_eui: is missing");
    CHECK("helium",
          "{\"dev_eui\":\"70B3D57ED1000001\",\"app_eui\":\"70B3D57ED0000000\",\"app_key\":\"" KEY
          "\",\"region\":\"EU868\"}{}",
          NULL, "my-app", "eui-70b3d57ed1000001: line 1", "line 1, device 2: line 1: dev_eui: is missing");
    CHECK("helium",
          "{\"dev_eui\":\"70B3D57ED1000001\",\"app_eui\":\"70B3D57ED0000000\",\"app_key\":\"" KEY
          "\",\"region\":\"AS923_1\"}",
          usual, "my-app", "line 1: its region is AS923, of which frequency plan EU_863_870_TTN is none");
    CHECK("helium", "[{\"name\":\"Roof\",\"dev_eui\":\"7\"},{\"dev_eui\":\"8\"}]", usual, "my-app",
          "line 1, device 1 (Roof): line 1: dev_eui: there are",
          "line 1, device 2: line 1: dev_eui: there are");
    CHECK("helium", "{\"dev_eui\":}", usual, "my-app", "line 1: not JSON");
}

// ---- wanesy

#define WANESY_HEADER                                                                                   \
    "name,devEui,unknown,classType,rfRegion,macVersion,regParamsRevision,adrEnabled,activation,appEui," \
    "appKey,"
#define WANESY_SESSION                                                                                \
    "dev_addr,NwkSKey,AppSKey,fcntUp,fcntDown,lastDataDownMessage,rx1Delay,rx2Dr,latitude,longitude," \
    "altitude"

static const char *const only_application[] = {"app-id", "my-app", NULL};

static void test_wanesy(void **state) {
    (void)state;
    CHECK("wanesy",
          "\xef\xbb\xbf" WANESY_HEADER WANESY_SESSION
          "\nRoof,70B3D57ED1000001,x,C,EU868,1.0.3,A,FALSE,OTAA,70B3D57ED0000000," KEY ",1234567," KEY "," KEY
          ",7,0,2024-01-01,5,3,52.5,-4.25,12\nB,70B3D57ED1000002,,A,EU868,1.0.2,B,True,OTAA,0," KEY
          ",NULL,null,,,,,,,,,\n",
          only_application, "my-app",
          "7ed1000001: "
          "{\"ids\":{\"device_id\":\"70b3d57ed1000001\",\"application_ids\":{\"application_id\":\"my-app\"},"
          "\"dev_eui\":\"70B3D57ED1000001\",\"join_eui\":\"70B3D57ED0000000\"},\"name\":\"Roof\","
          "\"locations\":{\"user\":"
          "{\"latitude\":52.5,\"longitude\":-4.25,\"altitude\":12,\"source\":\"SOURCE_REGISTRY\"}},"
          "\"supports_class_c\":true,"
          "\"lorawan_version\":\"MAC_V1_0_3\",\"lorawan_phy_version\":\"PHY_V1_0_3_REV_A\",\"frequency_plan_"
          "id\":\"EU_863_870\"",
          "(appEui: had lost its leading zeros to a spreadsheet: it is 0000000000000000) (session: is not in "
          "the file");
    CHECK("wanesy",
          "devEui,appEui,appKey,activation,macVersion,rfRegion\n1234567890123450,70B3D57ED0000000," KEY
          ",OTAA,1.0.2,EU868\n",
          only_application, "my-app", "(devEui: in line 2 has decimal digits only");
    // The same device, for its session.
    CHECK("wanesy",
          "AppSKey,NwkSKey,dev_addr,devEui,activation,macVersion,rfRegion,fcntUp,fcntDown,"
          "lastDataDownMessage,rx1Delay\n" KEY "," KEY
          ",1234567,70B3D57ED1000001,ABP,1.0.1,EU868,7,0,2024-01-01,5\n" KEY "," KEY
          ",01234567,70B3D57ED1000002,ABP,1.0.1,EU868,7,9,,\n",
          only_application, "my-app",
          "\"dev_addr\":\"01234567\",\"keys\":{\"f_nwk_s_int_key\":{\"key\":\"" KEY
          "\"},\"app_s_key\":{\"key\":\"" KEY "\"}},\"last_f_cnt_up\":7,\"last_n_f_cnt_down\":1,",
          "\"last_f_cnt_up\":7,\"last_n_f_cnt_down\":9,");
}

static void test_wanesy_damage(void **state) {
    (void)state;
    CHECK("wanesy", "name\nx\n", usual, "my-app", "line 1: the first row names no column devEui");
    CHECK("wanesy", "devEui,deveui\nx\n", usual, "my-app", "the column devEui stands twice");
    CHECK("wanesy", "devEui\n70B3D57ED1000001\n70B3D57ED1000002\n70b3d57ed1000001\n", usual, "my-app",
          "70b3d57ed1000001 stands in line 2 and in line 4");
    CHECK("wanesy",
          "devEui,rfRegion,macVersion,regParamsRevision,activation,appEui,appKey,dev_addr,NwkSKey,AppSKey,"
          "classType,rx1Delay\n"
          "70B3D57ED1000001,US915,1.0.3,A,OTAA,1," KEY
          ",,,,,\n"
          "70B3D57ED1000002,EU868,1.0.3,A,OTAA,1,112233,,,,,\n70B3D57ED1000003,EU868,2.0,,OTAA,1," KEY
          ",,,,,\n"
          "70B3D57ED1000004,EU868,1.0.3,A,ABP,,,ABC," KEY "," KEY
          ",,\n70B3D57ED1000005,EU868,1.1.0,B,ABP,,,01020304," KEY "," KEY
          ",,\n1.2E+15,,,,,,,,,,,\n70B3D57ED1000006,EU868,1.0.3,A,P2P,,,,,,,\n"
          "70B3D57ED1000007,EU868,1.0.3,A,OTAA,1," KEY ",,,,D,\n70B3D57ED1000008,EU868,1.0.3,A,OTAA,1," KEY
          ",,,,,99\n",
          usual, "my-app", "its region is US915, of which frequency plan EU_863_870_TTN is none",
          "line 3: appKey: there are digits missing", "line 4: macVersion: is no version",
          "line 5: dev_addr: 8 hexadecimal digits", "line 6: fNwkSIntKey: the key is missing",
          "line 7: devEui: a spreadsheet has made a rounded number", "line 8: activation: OTAA or ABP",
          "line 9: classType: A, B or C", "line 10: rx1Delay: the number is too large");
    CHECK("wanesy", "devEui,rfRegion\n70B3D57ED1000001,US915\n", NULL, "my-app",
          "its frequency plan is not known: its region is US915");
}

// A run that goes on needs the records only.
static void test_without_file(void **state) {
    (void)state;
    static const char *const names[] = {"json", "csv", "thingpark", "helium", "wanesy"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct play play;
        struct error error = {0};
        assert_int_equal(play_open(&play, names[i], "", 0, NULL, &error), 0);
        play.driver->close(play.source);
        const struct source_setup setup = {
            .options = play.options, .plans = frequency_plans_builtin(), .naming = &naming};
        assert_int_equal(play.driver->open(&setup, &play.source, &error), 0);
        assert_int_equal(play_list(&play, "-", &error), -ERROR_INPUT);
        assert_non_null(strstr(error.message, "the run ended before its file was read"));
        error_release(&error);
        struct source_record damaged = {.id = memory_strdup("x")};
        static const uint8_t bytes[] = {1, 0, 0, 0, 0, 'x'};
        for (size_t size = 1; size <= sizeof bytes; size++) {
            source_record_set_data(&damaged, bytes, size);
            DEVICE_AUTO device = {0};
            device_init(&device);
            assert_int_not_equal(play.driver->convert(play.source, &damaged, &device, &error), 0);
            error_release(&error);
        }
        source_record_release(&damaged);
        play_close(&play);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_unknown_members_are_noted),
        cmocka_unit_test(test_json_pages),
        cmocka_unit_test(test_csv),
        cmocka_unit_test(test_csv_sessions),
        cmocka_unit_test(test_csv_columns),
        cmocka_unit_test(test_csv_rounded),
        cmocka_unit_test(test_csv_people),
        cmocka_unit_test(test_csv_texts),
        cmocka_unit_test(test_csv_damage),
        cmocka_unit_test(test_one_application),
        cmocka_unit_test(test_thingpark),
        cmocka_unit_test(test_helium),
        cmocka_unit_test(test_wanesy),
        cmocka_unit_test(test_wanesy_damage),
        cmocka_unit_test(test_without_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
