// SPDX-License-Identifier: Apache-2.0
// The JSON of The Things Stack, matter by matter: how it is written, and all the ways in which it may be
// read.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/device_text.h"

#define DEVICE     (&tts__end_device__descriptor)
#define SETTINGS   (&tts__macsettings__descriptor)
#define STATE      (&tts__macstate__descriptor)
#define PARAMETERS (&tts__macparameters__descriptor)
#define COMMAND    (&tts__maccommand__descriptor)
#define DOWNLINK   (&tts__application_downlink__descriptor)
#define GATEWAY    (&tts__gateway__descriptor)
#define KEY        (&tts__key_envelope__descriptor)
#define LOCATION   (&tts__location__descriptor)

static const struct {
    const ProtobufCMessageDescriptor *descriptor;
    const char *text;
} written[] = {
    {DEVICE, "{}"},
    // The order of the schema, which is not that of the numbers.
    {DEVICE,
     "{\"network_server_address\":\"a\",\"network_server_kek_label\":\"b\",\"supports_class_b\":true}"},
    {DEVICE,
     "{\"mac_state\":{},\"pending_mac_state\":{},\"session\":{},\"pending_session\":{},"
     "\"last_dev_nonce\":1}"},
    {SETTINGS,
     "{\"ping_slot_frequency\":\"869525000\",\"beacon_frequency\":\"0\",\"class_c_timeout\":\"8s\"}"},
    {GATEWAY,
     "{\"frequency_plan_id\":\"EU\",\"frequency_plan_ids\":[\"EU\",\"\"],\"antennas\":[{}],"
     "\"status_public\":true}"},
    // Set but empty.
    {DEVICE, "{\"attributes\":{},\"locations\":{},\"mac_settings\":{},\"provisioning_data\":{}}"},
    // Zero within lists, maps and bare values.
    {DEVICE, "{\"attributes\":{\"abc\":\"\"},\"used_dev_nonces\":[0,7,0]}"},
    {SETTINGS, "{\"uplink_dwell_time\":false,\"adr\":{\"disabled\":{}}}"},
    {SETTINGS,
     "{\"rx1_delay\":0,\"factory_preset_frequencies\":[\"0\",\"868100000\"],"
     "\"adr_margin\":0,\"status_time_periodicity\":\"0s\",\"status_count_periodicity\":0,"
     "\"desired_max_eirp\":\"DEVICE_EIRP_8\"}"},
    // Bare values of each kind.
    {SETTINGS,
     "{\"ping_slot_periodicity\":\"PING_EVERY_1S\",\"ping_slot_data_rate_index\":3,\"rx1_delay\":5,"
     "\"rx1_data_rate_offset\":7,\"rx2_frequency\":\"869525000\",\"max_duty_cycle\":\"DUTY_CYCLE_1\","
     "\"supports_32_bit_f_cnt\":true,\"desired_adr_ack_limit_exponent\":\"ADR_ACK_LIMIT_32\","
     "\"desired_adr_ack_delay_exponent\":\"ADR_ACK_DELAY_1\"}"},
    // 64 bits as digits, 32 bits as numbers.
    {DEVICE,
     "{\"min_frequency\":\"18446744073709551615\",\"last_join_nonce\":4294967295,"
     "\"downlink_margin\":-2147483648}"},
    // Bytes.
    {KEY, "{\"key\":\"00112233445566778899AABBCCDDEEFF\",\"encrypted_key\":\"AAECAw==\"}"},
    {DEVICE, "{\"session\":{\"dev_addr\":\"26011234\",\"keys\":{\"session_key_id\":\"AX8=\"}}}"},
    // Enums by name, by number, and without a name.
    {DEVICE, "{\"lorawan_version\":\"MAC_V1_0_2\",\"lorawan_phy_version\":\"PHY_V1_0_2_REV_B\"}"},
    {PARAMETERS, "{\"adr_data_rate_index\":5,\"rx1_delay\":1,\"rx1_data_rate_offset\":7}"},
    {DEVICE, "{\"lorawan_version\":\"99\"}"},
    {PARAMETERS, "{\"adr_data_rate_index\":99}"},
    {STATE,
     "{\"rejected_adr_data_rate_indexes\":[0,15],\"recent_mac_command_identifiers\":[\"CID_RFU_0\","
     "\"CID_RELAY_CONF\"]}"},
    // Time.
    {DEVICE,
     "{\"created_at\":\"1970-01-01T00:00:00Z\",\"updated_at\":\"2026-11-22T18:55:00.808Z\","
     "\"activated_at\":\"0001-01-01T00:00:00.000001Z\",\"last_seen_at\":\"9999-12-31T23:59:59."
     "000000001Z\"}"},
    {SETTINGS,
     "{\"class_b_timeout\":\"1.500s\",\"class_c_timeout\":\"-0.000001s\","
     "\"status_time_periodicity\":\"0.000000001s\",\"class_b_c_downlink_interval\":\"315576000000s\"}"},
    // A oneof is its member; a set one is written even when it is zero.
    {COMMAND, "{\"cid\":\"CID_DEV_STATUS\",\"raw_payload\":\"\"}"},
    {COMMAND, "{\"reset_ind\":{}}"},
    {SETTINGS, "{\"adr\":{\"static\":{\"data_rate_index\":5,\"nb_trans\":1}}}"},
    // Plain messages.
    {DEVICE,
     "{\"version_ids\":{\"brand_id\":\"acme\"},\"picture\":{\"embedded\":{\"mime_type\":\"image/png\","
     "\"data\":\"AAE=\"},\"sizes\":{\"1\":\"a\",\"2\":\"c\",\"10\":\"b\"}},"
     "\"claim_authentication_code\":{\"value\":\"ABC\",\"valid_from\":\"2020-01-01T00:00:00Z\"},"
     "\"lora_alliance_profile_ids\":{\"vendor_id\":1,\"vendor_profile_id\":2}}"},
    {GATEWAY,
     "{\"ids\":{\"gateway_id\":\"gtw\",\"eui\":\"0102030405060708\"},"
     "\"administrative_contact\":{\"user_ids\":{\"user_id\":\"me\"}},"
     "\"lbs_lns_secret\":{\"key_id\":\"k\",\"value\":\"AAE=\"}}"},
    // Wrappers of Google are bare as well.
    {DEVICE, "{\"battery_percentage\":0,\"skip_payload_crypto_override\":false}"},
    // Maps with whole numbers as keys.
    {STATE,
     "{\"rejected_data_rate_ranges\":{\"868100000\":{\"ranges\":[{\"max_data_rate_index\":5}]},"
     "\"1000000000\":{}}}"},
    // Texts.
    {DEVICE,
     "{\"name\":\"\\\"\\\\\\n\\r\\t\\u0008\\u000c\\u001f\x7f</>&\xe2\x80\xa8\xe2\x80\xa9 "
     "gr\xc3\xb6\xc3\x9f"
     "e \xf0\x9f\x93\xa1\"}"},
    // Free-form JSON.
    {DOWNLINK,
     "{\"decoded_payload\":{\"a\":null,\"b\":[1,\"x\",true,false,{},[]],\"c\":{\"d\":1.5},\"e\":-1e-07}"
     "}"},
};

// Written exactly as they are read.
static void test_written(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof written / sizeof written[0]; i++) {
        assert_same_again(written[i].descriptor, written[i].text);
    }
}

static const struct {
    const ProtobufCMessageDescriptor *descriptor;
    const char *text;
    const char *written;
} accepted[] = {
    {DEVICE, " {\n \"name\" :\t\"x\" , \"ids\": {\"deviceId\":\"abc\"} }\r\n ",
     "{\"ids\":{\"device_id\":\"abc\"},\"name\":\"x\"}"},
    {DEVICE, "{\"lorawanPhyVersion\":4,\"supportsJoin\":true}",
     "{\"lorawan_phy_version\":\"PHY_V1_0_2_REV_B\",\"supports_join\":true}"},
    {SETTINGS, "{\"supports32BitFCnt\":true}", "{\"supports_32_bit_f_cnt\":true}"},
    // null is not set.
    {DEVICE,
     "{\"name\":null,\"ids\":null,\"used_dev_nonces\":null,\"attributes\":null,\"mac_settings\":"
     "{\"rx1_delay\":null,\"class_b_timeout\":null},\"supports_join\":null,\"created_at\":null}",
     "{\"mac_settings\":{}}"},
    {DEVICE, "{\"name\":\"\",\"last_dev_nonce\":0,\"supports_join\":false,\"used_dev_nonces\":[]}", "{}"},
    // Numbers as texts, texts of digits as numbers.
    {DEVICE,
     "{\"last_dev_nonce\":\"12\",\"min_frequency\":868100000,\"downlink_margin\":\"-3\","
     "\"used_dev_nonces\":[\"1\",2]}",
     "{\"min_frequency\":\"868100000\",\"last_dev_nonce\":12,\"used_dev_nonces\":[1,2],\"downlink_"
     "margin\":-3}"},
    {DEVICE,
     "{\"min_frequency\":18446744073709551615,\"max_frequency\":9007199254740993,\"last_dev_nonce\":3}",
     "{\"min_frequency\":\"18446744073709551615\",\"max_frequency\":\"9007199254740993\",\"last_dev_"
     "nonce\":3}"},
    {DEVICE, "{\"last_dev_nonce\":1e3,\"last_join_nonce\":2.0}",
     "{\"last_dev_nonce\":1000,\"last_join_nonce\":2}"},
    {LOCATION, "{\"latitude\":\"52.5\",\"longitude\":\"NaN\",\"altitude\":\"-1\"}",
     "{\"latitude\":52.5,\"longitude\":\"NaN\",\"altitude\":-1}"},
    {LOCATION, "{\"latitude\":\"Infinity\",\"longitude\":\"-Infinity\"}",
     "{\"latitude\":\"Infinity\",\"longitude\":\"-Infinity\"}"},
    // Hex of any case, or base64 of the right length.
    {KEY, "{\"key\":\"00112233445566778899aAbBccddeeff\"}", "{\"key\":\"00112233445566778899AABBCCDDEEFF\"}"},
    {KEY, "{\"key\":\"ABEiM0RVZneImaq7zN3u/w==\"}", "{\"key\":\"00112233445566778899AABBCCDDEEFF\"}"},
    {KEY, "{\"key\":\"ABEiM0RVZneImaq7zN3u_w\"}", "{\"key\":\"00112233445566778899AABBCCDDEEFF\"}"},
    {KEY, "{\"key\":\"\",\"encrypted_key\":\"-_8\"}", "{\"encrypted_key\":\"+/8=\"}"},
    {DEVICE, "{\"net_id\":\"000013\",\"ids\":{\"dev_addr\":\"JgESNA\"}}",
     "{\"ids\":{\"dev_addr\":\"26011234\"},\"net_id\":\"000013\"}"},
    {DEVICE, "{\"net_id\":\"AAAT\"}", "{\"net_id\":\"000013\"}"},
    // Enums by their other names.
    {DEVICE, "{\"lorawan_version\":\"1.0.2\",\"lorawan_phy_version\":\"1.0.2-b\"}",
     "{\"lorawan_version\":\"MAC_V1_0_2\",\"lorawan_phy_version\":\"PHY_V1_0_2_REV_B\"}"},
    {DEVICE, "{\"lorawan_version\":\"V1_0_3\",\"lorawan_phy_version\":\"V1_0_2_REV_B\"}",
     "{\"lorawan_version\":\"MAC_V1_0_3\",\"lorawan_phy_version\":\"PHY_V1_0_2_REV_B\"}"},
    {DEVICE, "{\"lorawan_version\":\"4\",\"lorawan_phy_version\":\"RP001_V1_0_2_REV_B\"}",
     "{\"lorawan_version\":\"MAC_V1_1\",\"lorawan_phy_version\":\"PHY_V1_0_2_REV_B\"}"},
    {STATE, "{\"device_class\":\"C\"}", "{\"device_class\":\"CLASS_C\"}"},
    {LOCATION, "{\"source\":\"REGISTRY\"}", "{\"source\":\"SOURCE_REGISTRY\"}"},
    {DEVICE, "{\"formatters\":{\"up_formatter\":\"JAVASCRIPT\",\"down_formatter\":4}}",
     "{\"formatters\":{\"up_formatter\":\"FORMATTER_JAVASCRIPT\",\"down_formatter\":\"FORMATTER_"
     "CAYENNELPP\"}}"},
    {SETTINGS,
     "{\"desired_adr_ack_limit_exponent\":\"32\",\"rx1_delay\":\"RX_DELAY_5\",\"rx2_data_rate_index\":"
     "\"DATA_RATE_3\",\"ping_slot_periodicity\":3}",
     "{\"ping_slot_periodicity\":\"PING_EVERY_8S\",\"rx1_delay\":5,\"rx2_data_rate_index\":3,"
     "\"desired_adr_ack_limit_exponent\":\"ADR_ACK_LIMIT_32\"}"},
    // Time.
    {DEVICE, "{\"created_at\":\"2024-02-29T23:59:59.1Z\"}", "{\"created_at\":\"2024-02-29T23:59:59.100Z\"}"},
    {DEVICE, "{\"created_at\":\"2024-02-29T23:59:59.1234Z\"}",
     "{\"created_at\":\"2024-02-29T23:59:59.123400Z\"}"},
    {SETTINGS,
     "{\"class_b_timeout\":\"1m30s\",\"class_c_timeout\":\"1.5h\",\"status_time_periodicity\":\"250ms\"}",
     "{\"class_b_timeout\":\"90s\",\"class_c_timeout\":\"5400s\",\"status_time_periodicity\":\"0."
     "250s\"}"},
    // Of a oneof's members the last one counts; maps in any order.
    {COMMAND, "{\"raw_payload\":\"AAE=\",\"link_check_ans\":{\"margin\":3}}",
     "{\"link_check_ans\":{\"margin\":3}}"},
    {COMMAND, "{\"link_check_ans\":{\"margin\":3},\"raw_payload\":\"AAE=\"}", "{\"raw_payload\":\"AAE=\"}"},
    {DEVICE, "{\"attributes\":{\"b\":\"1\",\"a\":\"2\",\"B\":\"3\"}}",
     "{\"attributes\":{\"B\":\"3\",\"a\":\"2\",\"b\":\"1\"}}"},
    {STATE, "{\"rejected_data_rate_ranges\":{\"10\":{},\"9\":{}}}",
     "{\"rejected_data_rate_ranges\":{\"9\":{},\"10\":{}}}"},
    // Escapes.
    {DEVICE, "{\"name\":\"\\u0041\\/\\b\\f\\u00e9\\ud83d\\udce1\",\"\\u0064escription\":\"d\"}",
     "{\"name\":\"A/\\u0008\\u000c\xc3\xa9\xf0\x9f\x93\xa1\",\"description\":\"d\"}"},
};

// Other ways of writing the same.
static void test_accepted(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof accepted / sizeof accepted[0]; i++) {
        assert_becomes(accepted[i].descriptor, accepted[i].text, accepted[i].written);
    }
}

static const struct {
    const ProtobufCMessageDescriptor *descriptor;
    const char *text;
    const char *reason;
} refused[] = {
    {DEVICE, "{\"name\":1}", "line 1: name: a text is expected"},
    {DEVICE, "{\"ids\":[]}", "ids: an object is expected"},
    {DEVICE, "{\"attributes\":[]}", "attributes: an object is expected"},
    {DEVICE, "{\"attributes\":{\"a\":1}}", "attributes.a: a text is expected"},
    {DEVICE, "{\"attributes\":{\"a\":null}}", "attributes.a: null"},
    {DEVICE, "{\"used_dev_nonces\":1}", "used_dev_nonces: a list is expected"},
    {DEVICE, "{\"used_dev_nonces\":[1,null]}", "used_dev_nonces[1]: null"},
    {DEVICE, "{\"used_dev_nonces\":[1,-1]}", "used_dev_nonces[1]: the number is out of range"},
    {DEVICE, "{\"last_dev_nonce\":4294967296}", "out of range"},
    {DEVICE, "{\"last_dev_nonce\":1.5}", "a whole number is expected"},
    {DEVICE, "{\"last_dev_nonce\":\"\"}", "a whole number is expected"},
    {DEVICE, "{\"last_dev_nonce\":\"0x1\"}", "a whole number is expected"},
    {DEVICE, "{\"last_dev_nonce\":true}", "a whole number is expected"},
    {DEVICE, "{\"downlink_margin\":2147483648}", "out of range"},
    {DEVICE, "{\"downlink_margin\":-2147483649}", "out of range"},
    {DEVICE, "{\"min_frequency\":18446744073709551616}", "a whole number is expected"},
    {DEVICE, "{\"min_frequency\":-1}", "out of range"},
    {DEVICE, "{\"min_frequency\":1e300}", "a whole number is expected"},
    {DEVICE, "{\"supports_join\":\"true\"}", "true or false is expected"},
    {DEVICE, "{\"supports_join\":1}", "true or false is expected"},
    {DEVICE, "{\"lorawan_version\":\"MAC_V9\"}", "a value of MACVersion is expected"},
    {DEVICE, "{\"lorawan_version\":[]}", "a value of MACVersion is expected"},
    {DEVICE, "{\"lorawan_version\":4294967296}", "out of range"},
    {DEVICE, "{\"created_at\":\"2023-02-29T00:00:00Z\"}", "created_at: a time"},
    {DEVICE, "{\"created_at\":\"2023-02-28T00:00:00+01:00\"}", "created_at: a time"},
    {DEVICE, "{\"created_at\":0}", "created_at: a time"},
    {SETTINGS, "{\"class_b_timeout\":\"1\"}", "class_b_timeout: a duration"},
    {SETTINGS, "{\"class_b_timeout\":1}", "class_b_timeout: a duration"},
    {SETTINGS, "{\"rx1_delay\":{\"value\":1}}", "rx1_delay: a value of RxDelay"},
    {LOCATION, "{\"latitude\":\"fifty\"}", "latitude: a number is expected"},
    {LOCATION, "{\"latitude\":\"1e999\"}", "latitude: a number is expected"},
    {LOCATION, "{\"latitude\":1e999}", "a number is too large"},
    {DEVICE, "{\"battery_percentage\":1e39}", "battery_percentage: the number is out of range"},
    {KEY, "{\"encrypted_key\":\"*\"}", "encrypted_key: base64 is expected"},
    {STATE, "{\"rejected_data_rate_ranges\":{\"x\":{}}}", "rejected_data_rate_ranges.x: a whole number"},
};

static void test_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        assert_refused(refused[i].descriptor, refused[i].text, strlen(refused[i].text), refused[i].reason);
    }
}

// A key that cannot be read is in no message.
static void test_errors_are_discreet(void **state) {
    (void)state;
    static const char *const texts[] = {
        "{\"session\":{\"keys\":{\"app_s_key\":{\"key\":\"5EC4E700000000000000000000000\"}}}}",
        "{\"session\":{\"keys\":{\"app_s_key\":{\"key\":5EC4E7}}}}",
        "{\"session\":{\"keys\":{\"app_s_key\":{\"key\":\"5EC4E7",
        "{\"session\":{\"keys\":{\"app_s_key\":{\"key\":\"5EC4E7\" \"5EC4E7\"}}}}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct arena arena = {0};
        struct error error = {0};
        assert_null(message_json_read(DEVICE, texts[i], strlen(texts[i]), 1, &arena, NULL, &error));
        assert_null(strstr(error.message, "5EC4E7"));
        error_release(&error);
        arena_release(&arena);
    }
}

static void assert_note(const struct notes *notes, size_t index, enum note_kind kind, size_t line,
                        const char *path) {
    assert_true(index < notes->count);
    assert_int_equal(notes->items[index].kind, kind);
    assert_int_equal(notes->items[index].line, line);
    assert_string_equal(notes->items[index].path, path);
}

static void test_notes(void **state) {
    (void)state;
    static const char text[] =
        "{\"name\":\"a\",\n \"foo\":{\"key\":1},\n \"ids\":{\n  \"device_id\":\"x\",\n  \"bar\":[1,{}]},\n"
        " \"session\":{\"keys\":{},\n   \"keys\":{\"baz\":2}}}";
    struct arena arena = {0};
    struct notes notes = {0};
    struct error error = {0};
    const Tts__EndDevice *device = message_json_read(DEVICE, text, strlen(text), 10, &arena, &notes, &error);
    assert_non_null(device);
    assert_non_null(device->session->keys);
    assert_int_equal(notes.count, 4);
    assert_note(&notes, 0, NOTE_DUPLICATE, 16, "session.keys");
    assert_note(&notes, 1, NOTE_UNKNOWN, 11, "foo");
    assert_note(&notes, 2, NOTE_UNKNOWN, 14, "ids.bar");
    assert_note(&notes, 3, NOTE_UNKNOWN, 16, "session.keys.baz");
    notes_release(&notes);
    arena_release(&arena);
}

static void test_lines_of_errors(void **state) {
    (void)state;
    static const char text[] = "{\"name\":\"a\",\n\n \"ids\":{\n  \"device_id\":1}}";
    assert_refused(DEVICE, text, strlen(text), "line 4: ids.device_id: a text is expected");
    static const char broken[] = "{\"name\":\"a\",\n\n \"ids\":}";
    assert_refused(DEVICE, broken, strlen(broken), "line 3, column 8: not JSON");
}

// What is set but cannot be told apart in protobuf-c's structs is kept by the reader.
static void test_error_details(void **state) {
    (void)state;
    assert_same_again(
        &tts__error_details__descriptor,
        "{\"namespace\":\"pkg/x\",\"name\":\"n\",\"message_format\":\"a `{b}`\",\"attributes\":{\"b\":\"1\"},"
        "\"cause\":{\"code\":6},\"code\":5,\"details\":[{\"@type\":\"type.googleapis.com/"
        "ttn.lorawan.v3.ErrorDetails\",\"name\":\"inner\"},{\"@type\":\"t/unknown\",\"value\":\"AAE=\"}]}");
}

// Texts that are not UTF-8 never make the JSON invalid.
static void test_invalid_utf8_is_mended(void **state) {
    (void)state;
    Tts__EndDevice device;
    char name[] = "a\xff\n\xc3";
    tts__end_device__init(&device);
    device.name = name;
    char *text = text_of(&device.base);
    assert_string_equal(text, "{\"name\":\"a\xef\xbf\xbd\\n\xef\xbf\xbd\"}");
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_written),       cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_refused),       cmocka_unit_test(test_errors_are_discreet),
        cmocka_unit_test(test_notes),         cmocka_unit_test(test_lines_of_errors),
        cmocka_unit_test(test_error_details), cmocka_unit_test(test_invalid_utf8_is_mended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
