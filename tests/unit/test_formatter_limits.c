// SPDX-License-Identifier: Apache-2.0
// Scripts that mean harm, or just run wild, get a clear result: they neither hang nor end the program.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
// cmocka needs the headers above.
#include <cmocka.h>

#include "base/clock.h"
#include "base/memory.h"
#include "formatter/check.h"

// A hostile script gets no more than it would get at a network, however slow this machine is; scripts that have to come
// to an end get what they need.
static const struct engine_limits STRICT = {.milliseconds = 100, .memory = (size_t)16 << 20};
static const struct engine_limits WIDE = {.milliseconds = 20000, .memory = (size_t)16 << 20};

struct hostile {
    const char *body;  // of a Decoder
    enum check_kind kind;
    const char *told;  // part of the text; NULL: any
    bool strict;
};

static const struct hostile hostile[] = {
    {"while (true) {}", CHECK_LIMIT, "longer", true},
    {"for (;;) { try { throw 1; } catch (e) {} finally { continue; } }", CHECK_LIMIT, "longer", true},
    {"/(x+x+)+y/.test(new Array(40).join('x')); while (true) {}", CHECK_LIMIT, "longer", true},
    {"var s = 'x'; while (true) s += s; return {};", CHECK_LIMIT, "memory", false},
    {"var s = 'x'; try { while (true) s += s; } catch (e) {} return {};", CHECK_LIMIT, "memory", false},
    {"var a = []; while (true) a.push([1, 2, 3, 4, 5, 6, 7, 8]);", CHECK_LIMIT, "memory", false},
    {"return {s: new Array(3000000).join('x')};", CHECK_LIMIT, "larger", false},
    {"var l = []; for (var i = 0; i < 300000; i++) l.push(i); return {l: l};", CHECK_LIMIT, "larger", false},
    {"var o = {}; o.o = o; return o;", CHECK_ERROR, "contains itself", false},
    {"var o = {}; o.a = o.b = o; return o;", CHECK_ERROR, "contains itself", false},
    {"function f() { return 1 + f(); } return f();", CHECK_ERROR, "limit", false},
    {"return JSON.parse(new Array(20000).join('['));", CHECK_ERROR, NULL, false},
    {"return eval(new Array(20000).join('('));", CHECK_ERROR, NULL, false},
    {"throw {toString: function () { while (true) {} }};", CHECK_LIMIT, "longer", true},
    {"throw {toString: function () { throw this; }};", CHECK_ERROR, NULL, false},
    {"throw null;", CHECK_ERROR, "null", false},
    {"throw undefined;", CHECK_ERROR, "undefined", false},
    {"throw function () {};", CHECK_ERROR, NULL, false},
    {"return {get x() { while (true) {} }};", CHECK_LIMIT, "longer", true},
    {"return {get x() { return this.y = {get x() { throw 'deep'; }}; }};", CHECK_ERROR, "deep", false},
    {"Object.prototype.polluted = {}; return {};", CHECK_RESULT, "{}", false},
    {"Object.prototype.toJSON = function () { return 7; }; return {a: 1};", CHECK_RESULT, "{\"a\":1}", false},
    {"Array.prototype.slice = Array.isArray = null; return {a: 1};", CHECK_RESULT, NULL, false},
    {"throw new Array(100000).join('long ');", CHECK_ERROR, "long long", false},
    {"return {s: '\\u0000\\ud800\\u2028\\x1b[31m'};", CHECK_RESULT, "\\u0000", false},
    {"return {d: typeof require, p: typeof process, f: typeof Duktape, l: typeof load};", CHECK_RESULT,
     "\"d\":\"undefined\"", false},
};

static char *decoder_of(const struct hostile *one) {
    return memory_printf("function Decoder(bytes, port) { %s }", one->body);
}

static void assert_result(const struct hostile *one, const struct check_result *result) {
    bool told = one->told == NULL || (result->text != NULL && strstr(result->text, one->told) != NULL);
    if (result->kind == one->kind && told) return;
    fail_msg("%s: %d %s", one->body, result->kind, result->text != NULL ? result->text : "-");
}

static void test_hostile_functions(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        const struct hostile *one = &hostile[i];
        char *decoder MEMORY_AUTO = decoder_of(one);
        const struct ttnv2_functions functions = {.decoder = decoder};
        struct check_result result = {0};
        ERROR_AUTO error = {0};
        int64_t begin = clock_monotonic(&clock_system);
        assert_int_equal(check_ttnv2_up(&functions, (const uint8_t *)"x", 1, 1, one->strict ? &STRICT : &WIDE,
                                        &result, &error),
                         0);
        assert_result(one, &result);
        assert_true(clock_monotonic(&clock_system) - begin < 30 * NS_PER_SECOND);
        check_result_release(&result);
    }
}

// What becomes of the same functions as a formatter is an error or a limit, too.
static void test_hostile_formatters(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        const struct hostile *one = &hostile[i];
        char *decoder MEMORY_AUTO = decoder_of(one);
        const struct ttnv2_functions functions = {.decoder = decoder};
        struct formatters formatters = {0};
        struct check_result result = {0};
        ERROR_AUTO error = {0};
        assert_int_equal(formatter_from_ttnv2(&functions, &formatters, &error), 0);
        assert_int_equal(check_tts_up(formatters.up.script, (const uint8_t *)"x", 1, 1,
                                      one->strict ? &STRICT : &WIDE, &result, &error),
                         0);
        if (one->kind == CHECK_RESULT && result.kind == CHECK_ERROR) {
            // The one that takes its own tools away.
            assert_non_null(strstr(one->body, "Array.isArray = null"));
        } else if (one->kind == CHECK_RESULT) {
            assert_result(one, &result);
        } else {
            assert_true(result.kind == CHECK_ERROR || result.kind == CHECK_LIMIT);
        }
        check_result_release(&result);
        formatters_release(&formatters);
    }
}

static void test_depth(void **state) {
    (void)state;
#ifdef ENGINE_DEPTH_IS_ITS_OWN
    skip();
#else
    const struct ttnv2_functions functions = {
        .decoder =
            "function f(n) { if (n > 0) return f(n - 1); return 0; }\n"
            "function Decoder(bytes, port) { return {n: f(bytes[0])}; }",
    };
    static const struct {
        uint8_t calls;
        enum check_kind kind;
    } rows[] = {{29, CHECK_RESULT}, {30, CHECK_ERROR}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct check_result result = {0};
        assert_int_equal(check_ttnv2_up(&functions, &rows[i].calls, 1, 1, &WIDE, &result, NULL), 0);
        assert_int_equal(result.kind, rows[i].kind);
        check_result_release(&result);
    }
#endif
}

// Each function has its own time; a script that is too new is not called wrong.
static void test_newer_scripts(void **state) {
    (void)state;
    static const char *const scripts[] = {
        "const decodeUplink = (input) => ({ data: { a: input.bytes[0] } });",
        "function decodeUplink(input) { const { bytes } = input; return { data: { a: bytes } }; }",
        "function decodeUplink(input) { return { data: { ...input } }; }",
        "class Decoder {} function decodeUplink(input) { return { data: {} }; }",
        "function decodeUplink(input) { return { data: {} };",
    };
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        struct check_result result = {0};
        assert_int_equal(check_tts_up(scripts[i], NULL, 0, 1, &WIDE, &result, NULL), 0);
        assert_int_equal(result.kind, CHECK_UNCHECKED);
        assert_non_null(strstr(result.text, "SyntaxError"));
        assert_false(check_results_agree(&result, &result));
        check_result_release(&result);
    }
}

struct stack_row {
    const char *script;
    enum check_kind kind;
    const char *text;
};

static void test_scripts_of_the_stack(void **state) {
    (void)state;
    static const struct stack_row rows[] = {
        {"function decodeUplink(i) { return {data: {n: i.bytes.length, p: i.fPort}}; }", CHECK_RESULT,
         "{\"n\":2,\"p\":5}"},
        {"function decodeUplink(i) { return {data: {u: undefined, l: [1,,2]}}; }", CHECK_RESULT,
         "{\"u\":null,\"l\":[1,null,2]}"},
        {"function decodeUplink(i) { return {data: {f: function () {}}}; }", CHECK_ERROR, NULL},
        {"function decodeUplink(i) { return {data: [1]}; }", CHECK_ERROR, "data is not an object"},
        {"function decodeUplink(i) { return {data: {}, errors: ['a', 'b']}; }", CHECK_ERROR, "a, b"},
        {"function decodeUplink(i) { return {data: {a: 1}, errors: []}; }", CHECK_RESULT, "{\"a\":1}"},
        {"function decodeUplink(i) { return {}; }", CHECK_RESULT, "{}"},
        {"function decodeUplink(i) { }", CHECK_ERROR, NULL},
        {"function decodeUplink(i) { console.log(1); return {data: {}}; }", CHECK_ERROR, NULL},
        {"function decodeUplink(i) { return {data: {a: 1}}; }\n"
         "function normalizeUplink(i) { return {errors: ['no ' + i.data.a]}; }",
         CHECK_ERROR, "no 1"},
        {"function Decoder(bytes, port) { return {old: bytes[0], port: port}; }", CHECK_RESULT,
         "{\"old\":1,\"port\":5}"},
        {"var x = 1;", CHECK_ERROR, NULL},
        {"", CHECK_ERROR, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct check_result result = {0};
        const uint8_t bytes[] = {1, 2};
        assert_int_equal(check_tts_up(rows[i].script, bytes, 2, 5, &WIDE, &result, NULL), 0);
        assert_int_equal(result.kind, rows[i].kind);
        if (rows[i].text != NULL) assert_string_equal(result.text, rows[i].text);
        check_result_release(&result);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hostile_functions),
        cmocka_unit_test(test_hostile_formatters),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_newer_scripts),
        cmocka_unit_test(test_scripts_of_the_stack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
