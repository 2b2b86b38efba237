// SPDX-License-Identifier: Apache-2.0
#include "device/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "device/cell.h"
#include "device/mac_state_message.h"
#include "device/message.h"

// A reader of a text, in pieces of three bytes.
struct text_reader {
    struct reader base;
    const char *text;
    size_t size;
};

static int text_read(struct reader *reader, void *data, size_t size, size_t *ret_size, struct error *error) {
    (void)error;
    struct text_reader *self = (struct text_reader *)reader;
    *ret_size = self->size < 3 ? self->size : 3;
    assert_true(*ret_size <= size);
    memcpy(data, self->text, *ret_size);
    self->text += *ret_size;
    self->size -= *ret_size;
    return 0;
}

static const struct reader_operations text_operations = {.read = text_read};

static int load(const char *text, struct device_map **ret_map, struct error *error) {
    struct text_reader reader = {
        .base = {.operations = &text_operations, .name = "map.csv"}, .text = text, .size = strlen(text)};
    return device_map_load(&reader.base, frequency_plans_builtin(), ret_map, error);
}

static struct device_map *load_good(const char *text) {
    struct device_map *map = NULL;
    struct error error = {0};
    int result = load(text, &map, &error);
    if (result != 0) {
        char *chain = error_chain(&error);
        fail_msg("%s", chain);
    }
    return map;
}

static void test_refused(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *reason;
    } cases[] = {
        {"", "map.csv: it is empty"},
        {"\n\n", "map.csv: it is empty"},
        {"join_eui\n", "line 1: the first row must name the column id or dev_eui, and not both"},
        {"id,dev_eui\n", "and not both"},
        {"id,device_name\n", "line 1: device_name: there is no such column"},
        {"id,join_eui,join_eui\n", "line 1: join_eui: the column stands twice"},
        {"id,join_eui\nx,00\n", "line 2: join_eui: there are digits missing"},
        {"id,join_eui\nx,zz\n", "line 2: join_eui: 16 hexadecimal digits are expected"},
        {"id,device_id\n\nx,A\n", "line 3: device_id: is no ID"},
        {"id,device_id\nx,admin\n", "line 2: device_id: the word is reserved"},
        {"id,application_id\nx,-\n", "line 2: application_id: is no ID of an application"},
        {"id,frequency_plan_id\nx,EU\n", "line 2: frequency_plan_id: there is no such frequency plan"},
        {"id,lorawan_version\nx,9\n", "line 2: lorawan_version: is no version"},
        {"id,lorawan_phy_version\nx,9\n", "line 2: lorawan_phy_version: is no version"},
        {"id,device_id\nx,abc,def\n", "line 2: has more fields than there are columns"},
        {"id,device_id,\nx,abc,,\ny,abd,z\n", "line 3: has more fields than there are columns"},
        {"id,device_id\n,abc\n", "line 2: it does not say which device it is about"},
        {"id\nx\ny\n\nx\n", "lines 2 and 5 are about the same device"},
        {"dev_eui\n0102030405060708\n01-02-03-04-05-06-07-08\n", "lines 2 and 3 are about the same device"},
        {"id\n\"x\n", "line 2: the row that begins here"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct device_map *map = NULL;
        struct error error = {0};
        assert_int_not_equal(load(cases[i].text, &map, &error), 0);
        assert_null(map);
        char *chain = error_chain(&error);
        if (strstr(chain, cases[i].reason) == NULL) fail_msg("%s instead of %s", chain, cases[i].reason);
        free(chain);
        error_release(&error);
    }
}

static void test_found(void **state) {
    (void)state;
    // Headers as people write them.
    struct device_map *map = load_good("sep=;\nDevice ID;ID;LoRaWAN Version\nnewer;b;1.0.4\n;c;\n;a;1.1\n");
    const struct source_record record = {.id = (char *)(uintptr_t) "b"};
    const struct source_record other = {.id = (char *)(uintptr_t) "z"};
    size_t line = 0;
    assert_int_equal(device_map_unused(map, &line), 3);
    assert_int_equal(line, 3);
    const struct device_map_entry *entry = device_map_find(map, &record);
    assert_non_null(entry);
    assert_string_equal(entry->device_id, "newer");
    assert_int_equal(entry->mac_version, MAC_V1_0_4);
    assert_null(device_map_find(map, &other));
    assert_null(device_map_find(NULL, &record));
    assert_int_equal(device_map_unused(map, &line), 2);
    assert_int_equal(line, 4);
    device_map_free(map);
    map = load_good("Dev EUI;FREQUENCY_PLAN_ID;;\n\"01:02:03:04:05:06:07:08 \";\"US_902_928_FSB_2 \";;\n");
    struct source_record with_eui = {.dev_eui = {1, 2, 3, 4, 5, 6, 7, 8}};
    assert_null(device_map_plan(map, &with_eui, NULL));
    with_eui.has_dev_eui = true;
    assert_string_equal(device_map_plan(map, &with_eui, NULL)->id, "US_902_928_FSB_2");
    device_map_free(map);
}

static void make_device(struct device *device, const char *plan, bool session) {
    device_init(device);
    Tts__EndDevice *message = device->end_device;
    device_set_text(device, &device_ids(device)->device_id, "older");
    device_set_text(device, &message->frequency_plan_id, plan);
    message->lorawan_version = (Tts__MACVersion)MAC_V1_0_2;
    message->lorawan_phy_version = (Tts__PHYVersion)PHY_V1_0_2_REV_B;
    if (!session) return;
    struct error error = {0};
    assert_int_equal(device_first_mac_state(message, frequency_plans_builtin(), &device->arena,
                                            &message->mac_state, &error),
                     0);
}

static int apply(const char *text, struct device *device, struct error *error) {
    struct device_map *map = load_good(text);
    const struct source_record record = {.id = (char *)(uintptr_t) "older"};
    int result = device_map_apply(map, &record, frequency_plans_builtin(), device, error);
    device_map_free(map);
    return result;
}

static void test_applied(void **state) {
    (void)state;
    struct device device;
    make_device(&device, "EU_863_870_TTN", false);
    assert_int_equal(apply("id,device_id,join_eui,application_id,frequency_plan_id,lorawan_phy_version\n"
                           "older,new-one,0102030405060708,app-two,US_902_928_FSB_2,RP002_V1_0_3\n",
                           &device, NULL),
                     0);
    const Tts__EndDevice *message = device.end_device;
    assert_string_equal(message->ids->device_id, "new-one");
    assert_string_equal(device_attribute(&device, "old-id"), "older");
    assert_string_equal(message->ids->application_ids->application_id, "app-two");
    assert_memory_equal(message->ids->join_eui.data, "\1\2\3\4\5\6\7\10", 8);
    assert_string_equal(message->frequency_plan_id, "US_902_928_FSB_2");
    assert_int_equal(message->lorawan_phy_version, RP002_V1_0_3);
    assert_int_equal(message->lorawan_version, MAC_V1_0_2);
    assert_null(message->mac_state);
    device_release(&device);
}

static void test_state_is_renewed(void **state) {
    (void)state;
    struct device device;
    struct error error = {0};
    make_device(&device, "EU_863_870", true);
    Tts__MACParameters *current = device.end_device->mac_state->current_parameters;
    Tts__MACParameters *desired = device.end_device->mac_state->desired_parameters;
    assert_int_not_equal(desired->rx2_data_rate_index, 3);
    assert_int_equal(
        apply("id,frequency_plan_id,lorawan_version\nolder,EU_863_870_TTN,1.0.3\n", &device, NULL), 0);
    const Tts__MACState *now = device.end_device->mac_state;
    assert_ptr_equal(now->current_parameters, current);
    assert_ptr_not_equal(now->desired_parameters, desired);
    assert_int_equal(now->desired_parameters->rx2_data_rate_index, 3);
    assert_int_equal(now->lorawan_version, MAC_V1_0_3);
    assert_int_equal(apply("id,frequency_plan_id\nolder,US_902_928_FSB_2\n", &device, &error), -ERROR_DEVICE);
    assert_non_null(strstr(error.message, "its session belongs to band EU_863_870"));
    error_release(&error);
    device_release(&device);
}

// What is laid down already, and a device that the map does not name, are left as they are.
static void test_left_alone(void **state) {
    (void)state;
    struct device device;
    make_device(&device, "EU_863_870", true);
    Tts__MACParameters *desired = device.end_device->mac_state->desired_parameters;
    assert_int_equal(apply("id,device_id,frequency_plan_id\nolder,older,EU_863_870\n", &device, NULL), 0);
    assert_int_equal(apply("id,device_id,frequency_plan_id\nother,newer,US_902_928_FSB_2\n", &device, NULL),
                     0);
    assert_ptr_equal(device.end_device->mac_state->desired_parameters, desired);
    assert_string_equal(device.end_device->ids->device_id, "older");
    assert_null(device_attribute(&device, "old-id"));
    device_release(&device);
}

static void test_cells(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *reason;  // NULL = 0102030405060708
    } cases[] = {
        {"0102030405060708", NULL},
        {"01-02-03-04-05-06-07-08", NULL},
        {"01:02:03:04:05:06:07:08", NULL},
        {"01 02 03 04 05 06 07 08", NULL},
        {"0x0102030405060708", NULL},
        {"102030405060708", "leading zeros"},
        {"1.02030405060708E+14", "rounded"},
        {"1,02E+14", "rounded"},
        {"102030405060708.0", "made a number"},
        {"NULL", "a word stands for nothing"},
        {"#N/A", "a word stands for nothing"},
        {"'0102030405060708", NULL},
        {" 0102030405060708\xc2\xa0", NULL},
        {"\xef\xbb\xbf"
         "0102-0304-0506-0708\n",
         NULL},
        {"01 - 02 - 03 - 04 - 05 - 06 - 07 - 08", NULL},
        {"0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08", "first or the last byte first"},
        {"'0102030405060708'", "quotes"},
        {"=\"0102030405060708\"", "quotes"},
        {"01020304050607", "leading zeros"},
        {"0A020304050607", "16 hexadecimal digits"},
        {"-0102030405060708", "16 hexadecimal digits"},
        {"0102030405060708-", "16 hexadecimal digits"},
        {"0102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F202122", "16 hexadecimal digits"},
        {"0102030405060708é", "16 hexadecimal digits"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[8] = {0};
        const char *reason = cell_bytes(cases[i].text, bytes, sizeof bytes);
        if (cases[i].reason == NULL) {
            assert_null(reason);
            assert_memory_equal(bytes, "\1\2\3\4\5\6\7\10", 8);
        } else {
            if (reason == NULL || strstr(reason, cases[i].reason) == NULL)
                fail_msg("%s: %s", cases[i].text, reason == NULL ? "taken" : reason);
            assert_memory_equal(bytes, "\0\0\0\0\0\0\0\0", 8);
        }
    }
}

static void test_lists_of_bytes(void **state) {
    (void)state;
    static const char *const keys[] = {
        "00112233445566778899AABBCCDDEEFF",
        "{ 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF }",
        "00,11,22,33,44,55,66,77,88,99,aa,bb,cc,dd,ee,ff",
    };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        uint8_t key[16] = {0};
        if (cell_bytes(keys[i], key, sizeof key) != NULL) fail_msg("%s", keys[i]);
        assert_int_equal(key[1], 0x11);
        assert_int_equal(key[15], 0xff);
    }
    uint8_t key[16] = {0};
    assert_non_null(cell_bytes("0,11,22,33,44,55,66,77,88,99,aa,bb,cc,dd,ee,ff", key, sizeof key));
}

// Digits that can be read, and may yet be others than were meant, are counted; the first is named.
static void test_doubtful_fields(void **state) {
    (void)state;
    struct device_map *map = load_good(
        "dev_eui,join_eui,device_id\n7012345678901234,0102030405060708,a-device\n"
        "7012345678901235,1234567890123450,1234567890123450\n7012345678901230,,\n");
    const struct device_map_doubts *doubts = device_map_doubts(map);
    assert_int_equal(doubts->count, 2);
    assert_int_equal(doubts->line, 3);
    assert_string_equal(doubts->column, "join_eui");
    assert_non_null(strstr(doubts->reason, "compare it with the device"));
    device_map_free(map);
    map = load_good("id,join_eui\n7012345678901230,\n");
    assert_int_equal(device_map_doubts(map)->count, 1);
    assert_string_equal(device_map_doubts(map)->column, "id");
    device_map_free(map);
    map = load_good("id,join_eui\nx,0102030405060708\n");
    assert_int_equal(device_map_doubts(map)->count, 0);
    device_map_free(map);
}

static void test_doubts(void **state) {
    (void)state;
    assert_non_null(cell_doubt("1234567890123450"));
    assert_non_null(cell_doubt(" 12345678901234500000000000000000"));
    assert_null(cell_doubt("1234567890123456"));
    assert_null(cell_doubt("0123456789012340"));
    assert_null(cell_doubt("123456789012345A"));
    assert_null(cell_doubt("12345670"));
    assert_null(cell_doubt("0000000000000000"));
}

static void test_numbers(void **state) {
    (void)state;
    uint32_t number = 7;
    bool truth = false;
    double real = 0;
    assert_null(cell_uint32("4294967295", UINT32_MAX, &number));
    assert_int_equal(number, UINT32_MAX);
    assert_null(cell_uint32("00000000000000000012", UINT32_MAX, &number));
    assert_int_equal(number, 12);
    assert_string_equal(cell_uint32("4294967296", UINT32_MAX, &number), "the number is too large");
    assert_string_equal(cell_uint32("99999999999999999999999", UINT32_MAX, &number),
                        "the number is too large");
    assert_string_equal(cell_uint32("16", 15, &number), "the number is too large");
    assert_non_null(strstr(cell_uint32("1.5E+3", UINT32_MAX, &number), "rounded"));
    assert_non_null(strstr(cell_uint32("12.0", UINT32_MAX, &number), "made a number"));
    assert_string_equal(cell_uint32("-1", UINT32_MAX, &number), "a decimal number is expected");
    assert_non_null(strstr(cell_uint32("1.234", UINT32_MAX, &number), "between the digits"));
    assert_int_equal(number, 12);
    assert_null(cell_hex_uint32("1aF", 65535, &number));
    assert_int_equal(number, 0x1af);
    assert_string_equal(cell_hex_uint32("10000", 65535, &number), "the number is too large");
    assert_string_equal(cell_hex_uint32("x", 65535, &number), "a hexadecimal number is expected");
    assert_null(cell_bool("TRUE", &truth));
    assert_true(truth);
    assert_null(cell_bool("f", &truth));
    assert_false(truth);
    assert_null(cell_bool("WAHR", &truth));
    assert_true(truth);
    assert_null(cell_bool(" nein ", &truth));
    assert_false(truth);
    assert_null(cell_bool("sí", &truth));
    assert_true(truth);
    assert_non_null(cell_bool("perhaps", &truth));
    assert_non_null(cell_bool("", &truth));
    assert_null(cell_double("-12.5", &real));
    assert_true(real < -12.4 && real > -12.6);
    assert_non_null(cell_double("1e5", &real));
    assert_null(cell_double("12,5", &real));
    assert_true(real > 12.4 && real < 12.6);
    assert_non_null(cell_double("1,234,5", &real));
    assert_non_null(cell_double("nan", &real));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),    cmocka_unit_test(test_found),
        cmocka_unit_test(test_applied),    cmocka_unit_test(test_state_is_renewed),
        cmocka_unit_test(test_left_alone), cmocka_unit_test(test_cells),
        cmocka_unit_test(test_numbers),    cmocka_unit_test(test_lists_of_bytes),
        cmocka_unit_test(test_doubts),     cmocka_unit_test(test_doubtful_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
