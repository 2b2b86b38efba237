// SPDX-License-Identifier: Apache-2.0
// Directions of payload formatters: which there are, whether they are the same, and in words.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "device/payload_formatters.h"

static Tts__MessagePayloadFormatters make(Tts__PayloadFormatter up, char *script, Tts__PayloadFormatter down,
                                          char *other) {
    Tts__MessagePayloadFormatters made = TTS__MESSAGE_PAYLOAD_FORMATTERS__INIT;
    made.up_formatter = up;
    made.up_formatter_parameter = script;
    made.down_formatter = down;
    made.down_formatter_parameter = other;
    return made;
}

static char one[] = "one", two[] = "three", empty[] = "";

static void test_directions(void **state) {
    (void)state;
    Tts__MessagePayloadFormatters none = TTS__MESSAGE_PAYLOAD_FORMATTERS__INIT;
    Tts__MessagePayloadFormatters up = make(TTS__PAYLOAD_FORMATTER__FORMATTER_JAVASCRIPT, one,
                                            TTS__PAYLOAD_FORMATTER__FORMATTER_NONE, empty);
    Tts__MessagePayloadFormatters both = make(TTS__PAYLOAD_FORMATTER__FORMATTER_JAVASCRIPT, one,
                                              TTS__PAYLOAD_FORMATTER__FORMATTER_CAYENNELPP, empty);
    assert_int_equal(payload_formatters_directions(NULL), 0);
    assert_int_equal(payload_formatters_directions(&none), 0);
    assert_int_equal(payload_formatters_directions(&up), FORMATTERS_UP);
    assert_int_equal(payload_formatters_directions(&both), FORMATTERS_BOTH);
    assert_int_equal(payload_formatters_size(&up, FORMATTERS_UP), 3);
    assert_int_equal(payload_formatters_size(NULL, FORMATTERS_UP), 0);
    assert_true(payload_formatters_equal(NULL, &none, FORMATTERS_BOTH));
    assert_true(payload_formatters_equal(&up, &both, FORMATTERS_UP));
    assert_false(payload_formatters_equal(&up, &both, FORMATTERS_DOWN));
    assert_false(payload_formatters_equal(&up, &both, FORMATTERS_BOTH));
    assert_false(payload_formatters_equal(&up, NULL, FORMATTERS_UP));
    both.up_formatter_parameter = two;
    assert_false(payload_formatters_equal(&up, &both, FORMATTERS_UP));
    assert_true(payload_formatters_equal(&up, &both, 0));
}

static void assert_described(const Tts__MessagePayloadFormatters *formatters, const char *words) {
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    payload_formatters_describe(formatters, &text);
    assert_string_equal(buffer_string(&text), words);
}

static void test_words(void **state) {
    (void)state;
    assert_described(NULL, "uplink none, downlink none");
    Tts__MessagePayloadFormatters made = make(TTS__PAYLOAD_FORMATTER__FORMATTER_JAVASCRIPT, two,
                                              TTS__PAYLOAD_FORMATTER__FORMATTER_CAYENNELPP, empty);
    assert_described(&made, "uplink 5 bytes, downlink Cayenne LPP");
    made = make(TTS__PAYLOAD_FORMATTER__FORMATTER_REPOSITORY, empty,
                TTS__PAYLOAD_FORMATTER__FORMATTER_GRPC_SERVICE, one);
    assert_described(&made, "uplink of the device repository, downlink a gRPC service");
    made.up_formatter = (Tts__PayloadFormatter)9;
    assert_described(&made, "uplink of type 9, downlink a gRPC service");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_directions),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
