// SPDX-License-Identifier: Apache-2.0
// ChirpStack's codec scripts as formatters, run as The Things Stack runs them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
// cmocka needs the headers above.
#include <cmocka.h>

#include "formatter/check.h"

static const struct engine_limits LIMITS = {.milliseconds = 20000, .memory = (size_t)32 << 20};

static const char v4[] =
    "var unit = 'C';\n"
    "function decodeUplink(input) {\n"
    "  console.log(input);\n"
    "  return {data: {t: input.bytes[0] + Number(input.variables.offset || 0), port: input.fPort, unit: "
    "unit,\n"
    "    room: input.variables['the room'], when: typeof input.recvTime.getTime()}};\n"
    "}\n"
    "function encodeDownlink(input) {\n"
    "  return {bytes: [input.data.v, input.fPort], fPort: input.data.port};\n"
    "}";

static const char v3[] =
    "function Decode(fPort, bytes, variables) { return {v: bytes[0] * fPort, offset: variables.offset}; }\n"
    "function Encode(fPort, obj, variables) { return [fPort, obj.v, variables.offset.length]; }\n";

static const struct chirpstack_variable variables[] = {
    {"offset", "-5"},
    {"the room", "a \"b\" \\ c\n\xe2\x80\xa8\xe2\x80\xa6</script>"},
};

static void assert_up(const char *script, const char *wanted) {
    struct check_result result = {0};
    const uint8_t bytes[] = {20};
    assert_int_equal(check_tts_up(script, bytes, 1, 7, &LIMITS, &result, NULL), 0);
    const struct check_result known = {.kind = CHECK_RESULT, .text = (char *)(uintptr_t)wanted};
    if (!check_results_agree(&known, &result)) fail_msg("%s instead of %s", result.text, wanted);
    check_result_release(&result);
}

static void assert_down(const char *script, const char *data, unsigned port, const char *wanted) {
    struct check_result result = {0};
    json_t *fields = json_loads(data, 0, NULL);
    assert_int_equal(check_tts_down(script, fields, port, &LIMITS, &result, NULL), 0);
    assert_string_equal(result.text, wanted);
    check_result_release(&result);
    json_decref(fields);
}

static void test_v4(void **state) {
    (void)state;
    struct formatters made = {0};
    assert_int_equal(formatter_from_chirpstack(CHIRPSTACK_V4, v4, variables, 2, &made, NULL), 0);
    assert_non_null(strstr(made.up.script, v4));
    assert_up(made.up.script,
              "{\"t\":15,\"port\":7,\"unit\":\"C\",\"when\":\"number\",\"room\":\"a \\\"b\\\" \\\\ "
              "c\\n\\u2028\\u2026</"
              "script>\"}");
    assert_down(made.down.script, "{\"v\":3,\"port\":9}", 2, "{\"bytes\":[3,2],\"fPort\":9}");
    assert_down(made.down.script, "{\"v\":3}", 2, "{\"bytes\":[3,2],\"fPort\":2}");
    formatters_release(&made);
    assert_int_equal(formatter_from_chirpstack(CHIRPSTACK_V4, v4, NULL, 0, &made, NULL), 0);
    assert_up(made.up.script, "{\"t\":20,\"port\":7,\"unit\":\"C\",\"when\":\"number\",\"room\":null}");
    formatters_release(&made);
}

static void test_v3(void **state) {
    (void)state;
    struct formatters made = {0};
    assert_int_equal(formatter_from_chirpstack(CHIRPSTACK_V3, v3, variables, 1, &made, NULL), 0);
    assert_up(made.up.script, "{\"v\":140,\"offset\":\"-5\"}");
    assert_down(made.down.script, "{\"v\":3}", 2, "{\"bytes\":[2,3,2],\"fPort\":2}");
    formatters_release(&made);
}

static void test_what_is_missing(void **state) {
    (void)state;
    struct formatters made = {0};
    struct error error = {0};
    // The names of the other version mean nothing.
    assert_int_equal(formatter_from_chirpstack(CHIRPSTACK_V3, v4, NULL, 0, &made, NULL), 0);
    assert_int_equal(made.up.type, FORMATTER_NONE);
    assert_int_equal(made.down.type, FORMATTER_NONE);
    const struct chirpstack_variable latin1 = {"name", "\xff"};
    assert_int_equal(formatter_from_chirpstack(CHIRPSTACK_V4, v4, &latin1, 1, &made, &error), -ERROR_INPUT);
    assert_string_equal(error.message, "the value of a variable is no UTF-8 text");
    error_release(&error);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_v4),
        cmocka_unit_test(test_v3),
        cmocka_unit_test(test_what_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
