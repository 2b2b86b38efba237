// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "device/json_read.h"
#include "target/target.h"

#define KEY "00112233445566778899AABBCCDDEEFF"

#define IDS \
    "\"ids\":{\"device_id\":\"dev-a\",\"dev_eui\":\"0102030405060708\",\"join_eui\":\"1112131415161718\"}"

static void read_device(const char *json, struct device *device) {
    struct error error = {0};
    device_init(device);
    device->end_device =
        message_json_read(&tts__end_device__descriptor, json, strlen(json), 1, &device->arena, NULL, &error);
    if (device->end_device == NULL) fail_msg("%s", error.message);
}

static const struct target_driver *driver(void) {
    const struct target_driver *target = target_find("csv");
    assert_non_null(target);
    return target;
}

// The row, and what is noted behind it in brackets.
static char *row_of(const char *json) {
    DEVICE_AUTO device = {0};
    struct error error = {0};
    struct buffer row;
    buffer_init(&row, BUFFER_UNLIMITED);
    read_device(json, &device);
    assert_int_equal(driver()->fit(&device, &error), 0);
    assert_int_equal(driver()->encode(&device, &row, &error), 0);
    for (size_t i = 0; i < device.notes.count; i++) buffer_printf(&row, "(%s)", device.notes.items[i].text);
    return buffer_take_string(&row);
}

static size_t count(const char *text, char byte) {
    size_t found = 0;
    for (; *text != '\0' && *text != '\n'; text++) found += *text == byte;
    return found;
}

static void test_rows(void **state) {
    (void)state;
    static const struct {
        const char *json;
        const char *row;
    } cases[] = {
        {"{" IDS "}",
         "dev-a;0102030405060708;1112131415161718;;;;MAC_UNKNOWN;PHY_UNKNOWN;;;;;;;;;;;;;;;;;;\n"},
        {"{" IDS ",\"name\":\"a;b\",\"description\":\"say \\\"hi\\\"\",\"frequency_plan_id\":\"EU_863_870\","
         "\"lorawan_version\":\"MAC_V1_0_3\",\"lorawan_phy_version\":\"PHY_V1_0_3_REV_A\",\"version_ids\":{"
         "\"brand_id\":"
         "\"acme\",\"model_id\":\"m-one\",\"hardware_version\":\"1\",\"firmware_version\":\"2\",\"band_id\":"
         "\"EU_863_870\"},\"lora_alliance_profile_ids\":{\"vendor_id\":31,\"vendor_profile_id\":171},"
         "\"supports_join\":true,\"supports_class_c\":true,\"root_keys\":{\"app_key\":{\"key\":\"" KEY
         "\"}},\"mac_settings\":{\"rx1_delay\":5,\"supports_32_bit_f_cnt\":false},\"created_at\":"
         "\"2024-01-01T00:00:00Z\"}",
         "dev-a;0102030405060708;1112131415161718;\"a;b\";\"say \"\"hi\"\"\";EU_863_870;MAC_V1_0_3;"
         "PHY_V1_0_3_REV_A;acme;m-one;1;2;EU_863_870;1F;AB;" KEY ";;5;false;true;;;;;;\n"},
        {"{" IDS ",\"session\":{\"dev_addr\":\"01020304\",\"keys\":{\"f_nwk_s_int_key\":{\"key\":\"" KEY
         "\"},\"s_nwk_s_int_key\":{\"key\":\"" KEY "\"},\"app_s_key\":{\"key\":\"" KEY
         "\"}},\"last_f_cnt_up\":7},\"mac_state\":{},\"attributes\":{\"abc\":\"x\"},\"mac_settings\":{\"rx1_"
         "delay\":1,"
         "\"resets_f_cnt\":true}}",
         "dev-a;0102030405060708;1112131415161718;;;;MAC_UNKNOWN;PHY_UNKNOWN;;;;;;;;;;1;;;01020304;" KEY
         ";" KEY ";7;0;0\n(the table has no place for attributes, mac_settings.resets_f_cnt, mac_state)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *row MEMORY_AUTO = row_of(cases[i].json);
        assert_string_equal(row, cases[i].row);
    }
}

static void test_header(void **state) {
    (void)state;
    struct buffer header;
    buffer_init(&header, BUFFER_UNLIMITED);
    driver()->begin(&header);
    char *row MEMORY_AUTO = row_of("{" IDS "}");
    assert_int_equal(count(buffer_string(&header), ';'), count(row, ';'));
    assert_int_equal(header.data[header.size - 1], '\n');
    buffer_release(&header);
}

static void test_refused(void **state) {
    (void)state;
    static const struct {
        const char *json;
        const char *reason;
    } cases[] = {
        {"{" IDS ",\"multicast\":true}", "is a multicast group"},
        {"{" IDS ",\"supports_join\":true}", "its root keys are elsewhere"},
        {"{" IDS ",\"root_keys\":{\"app_key\":{\"encrypted_key\":\"AAAA\"}}}", "its keys are encrypted"},
        {"{" IDS ",\"session\":{\"keys\":{\"app_s_key\":{\"encrypted_key\":\"AAAA\"}}}}",
         "its keys are encrypted"},
        {"{" IDS ",\"session\":{\"keys\":{\"f_nwk_s_int_key\":{\"key\":\"" KEY
         "\"},\"nwk_s_enc_key\":{\"key\":\"FF112233445566778899AABBCCDDEEFF\"}}}}",
         "with three network keys"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        DEVICE_AUTO device = {0};
        struct error error = {0};
        read_device(cases[i].json, &device);
        assert_int_equal(driver()->fit(&device, &error), -ERROR_DEVICE);
        assert_non_null(strstr(error.message, cases[i].reason));
        assert_non_null(error.hint);
        error_release(&error);
    }
}

// Neither lines of JSON nor a table have a place for it.
static void test_gen_app_key(void **state) {
    (void)state;
    const struct target_driver *const drivers[] = {target_find("json"), target_find("csv")};
    for (size_t i = 0; i < sizeof drivers / sizeof *drivers; i++) {
        DEVICE_AUTO device = {0};
        struct key128 key = {{1}};
        struct error error = {0};
        read_device("{" IDS "}", &device);
        device_set_gen_app_key(&device, &key);
        assert_int_equal(drivers[i]->fit(&device, &error), 0);
        assert_false(device_gen_app_key(device.end_device, &key));
        assert_int_equal(device.notes.count, 1);
        assert_string_equal(device.notes.items[0].path, "gen_app_key");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_header),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_gen_app_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
