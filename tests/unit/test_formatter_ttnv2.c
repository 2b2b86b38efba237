// SPDX-License-Identifier: Apache-2.0
// V2's payload functions as formatters: which there are, what is in them, what is refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
// cmocka needs the headers above.
#include <cmocka.h>

#include "base/memory.h"
#include "formatter/formatter.h"
#include "formatter/script_text.h"

static const char decoder[] = "function Decoder(bytes, port) { return {}; } // the end";
static const char encoder[] = "function Encoder(object, port) { return []; }\r\n";

static struct formatters convert(const struct ttnv2_functions *functions) {
    struct formatters formatters = {0};
    ERROR_AUTO error = {0};
    assert_int_equal(formatter_from_ttnv2(functions, &formatters, &error), 0);
    return formatters;
}

static void test_directions(void **state) {
    (void)state;
    struct formatters made = convert(&(struct ttnv2_functions){.decoder = decoder, .encoder = encoder});
    assert_string_equal(formatter_type_name(made.up.type), "FORMATTER_JAVASCRIPT");
    assert_int_equal(made.down.type, FORMATTER_JAVASCRIPT);
    assert_non_null(strstr(made.up.script, decoder));
    assert_non_null(strstr(made.up.script, "function decodeUplink(input)"));
    assert_null(strstr(made.up.script, "Encoder"));
    assert_null(strstr(made.up.script, "Validator"));
    assert_non_null(strstr(made.down.script, encoder));
    assert_non_null(strstr(made.down.script, "function encodeDownlink(input)"));
    assert_null(strstr(made.down.script, "Decoder"));
    formatters_release(&made);
    assert_null(made.up.script);

    made = convert(&(struct ttnv2_functions){.payload_format = "custom", .decoder = "", .encoder = encoder});
    assert_int_equal(made.up.type, FORMATTER_NONE);
    assert_null(made.up.script);
    assert_int_equal(made.down.type, FORMATTER_JAVASCRIPT);
    formatters_release(&made);
}

static void test_other_formats(void **state) {
    (void)state;
    struct formatters made =
        convert(&(struct ttnv2_functions){.payload_format = "cayennelpp", .decoder = decoder});
    assert_string_equal(formatter_type_name(made.up.type), "FORMATTER_CAYENNELPP");
    assert_int_equal(made.down.type, FORMATTER_CAYENNELPP);
    assert_null(made.up.script);
    formatters_release(&made);
    made = convert(&(struct ttnv2_functions){.payload_format = ""});
    assert_string_equal(formatter_type_name(made.up.type), "FORMATTER_NONE");
    assert_int_equal(made.down.type, FORMATTER_NONE);

    struct error error = {0};
    const struct ttnv2_functions unknown = {.payload_format = "protobuf", .decoder = decoder};
    assert_int_equal(formatter_from_ttnv2(&unknown, &made, &error), -ERROR_INPUT);
    assert_string_equal(error.message, "the payload format \"protobuf\" is not known");
    const struct ttnv2_functions latin1 = {.validator =
                                               "// gr\xf6\xdf"
                                               "er"};
    assert_int_equal(formatter_from_ttnv2(&latin1, &made, &error), -ERROR_INPUT);
    assert_string_equal(error.message, "the Validator is no UTF-8 text");
    error_release(&error);
}

// A Decoder of so many bytes.
static char *decoder_of_size(size_t size) {
    char *text = memory_alloc(size + 1, 1);
    memset(text, ' ', size);
    memcpy(text, "//", 2);
    return text;
}

static void test_size(void **state) {
    (void)state;
    struct formatters made = convert(&(struct ttnv2_functions){.decoder = "//\n"});
    size_t around = strlen(made.up.script) - 3;
    formatters_release(&made);
    // One line end is added to a source that has none.
    size_t most = FORMATTER_SCRIPT_MAX - around - 1;
    char *fits MEMORY_AUTO = decoder_of_size(most);
    char *too_large MEMORY_AUTO = decoder_of_size(most + 1);
    made = convert(&(struct ttnv2_functions){.decoder = fits});
    assert_int_equal(strlen(made.up.script), FORMATTER_SCRIPT_MAX);
    formatters_release(&made);
    struct error error = {0};
    const struct ttnv2_functions functions = {.decoder = too_large, .encoder = encoder};
    assert_int_equal(formatter_from_ttnv2(&functions, &made, &error), -ERROR_TOO_LARGE);
    assert_string_equal(error.message,
                        "the uplink formatter would have 40961 bytes; The Things Stack takes 40960");
    assert_string_equal(error.hint, "shorten the functions by 1 bytes, their comments first");
    assert_null(made.up.script);
    error_release(&error);
}

static void test_script_defines(void **state) {
    (void)state;
    static const struct {
        const char *script;
        bool defines;
    } rows[] = {
        {"function Decoder(b, p) {}", true},
        {"var Decoder = function () {}", true},
        {"Decoder=function(){}", true},
        {"exports = { Decoder: function () {} }", true},
        {"function\n  Decoder (b) {}", true},
        {"function /* the */ Decoder() {}", true},
        {"this.Decoder = x", true},
        {"var Decoder /* = */ = 1", true},
        {"/['\"]/.test(x); function Decoder() {}", true},
        {"/['\"]/\nfunction Decoder() {}", true},
        {"", false},
        {"// function Decoder() {}\n", false},
        {"/* function Decoder() {} */", false},
        {"'function Decoder() {}'", false},
        {"\"Decoder = \\\" Decoder = \"", false},
        {"return Decoder(bytes, port)", false},
        {"if (Decoder == null) {}", false},
        {"function decodeUplink() {}", false},
        {"function MyDecoder() {}", false},
        {"function Decoder2() {}", false},
        {"/* Decoder =", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (script_defines(rows[i].script, "Decoder") != rows[i].defines) fail_msg("%s", rows[i].script);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_directions),
        cmocka_unit_test(test_other_formats),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_script_defines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
