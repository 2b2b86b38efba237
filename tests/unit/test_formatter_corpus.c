// SPDX-License-Identifier: Apache-2.0
// Formatters as people write them (tests/formatters/*.js): V2's functions and what is made of them must give the same
// result or the same error for every payload, and the one that V2 is known to give.
//
//     //# decoder                       what follows is that function's source
//     //# up PORT HEX => RESULT         fields as JSON, `error`, or `refused`
//     //# down PORT FIELDS => RESULT
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka needs the headers above.
#include <cmocka.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/memory.h"
#include "formatter/check.h"

enum { PARTS = 4, PAYLOADS_MAX = 16, FILE_LIMIT = 1 << 20, BYTES_MAX = 256 };

// The machine may be slow, and valgrind is: only the tests of the limits are strict.
static const struct engine_limits LIMITS = {.milliseconds = 20000, .memory = (size_t)32 << 20};

struct payload {
    bool down;
    unsigned port;
    char *input;  // hexadecimal digits or fields
    char *wanted;
};

struct formatter_case {
    char *name;
    char *parts[PARTS];
    struct payload payloads[PAYLOADS_MAX];
    size_t payload_count;
};

static const char *const part_names[PARTS] = {"decoder", "converter", "validator", "encoder"};

static struct ttnv2_functions functions_of(const struct formatter_case *one) {
    return (struct ttnv2_functions){NULL, one->parts[0], one->parts[1], one->parts[2], one->parts[3]};
}

// ---- reading a case

static void read_payload(struct formatter_case *one, const char *line) {
    char direction[5] = "";
    int behind = 0;
    assert_true(one->payload_count < PAYLOADS_MAX);
    struct payload *payload = &one->payloads[one->payload_count++];
    assert_int_equal(sscanf(line, "//# %4s %u%n", direction, &payload->port, &behind), 2);
    payload->down = strcmp(direction, "down") == 0;
    assert_true(payload->down || strcmp(direction, "up") == 0);
    const char *arrow = strstr(line, " => ");
    assert_non_null(arrow);
    const char *input = line + behind + strspn(line + behind, " ");
    payload->input = memory_strndup(input, input < arrow ? (size_t)(arrow - input) : 0);
    payload->wanted = memory_strdup(arrow + 4);
}

static void read_line(struct formatter_case *one, struct buffer *parts, size_t *part, const char *line) {
    if (strncmp(line, "//# ", 4) != 0) {
        assert_true(*part < PARTS);
        if (parts[*part].size > 0) buffer_putc(&parts[*part], '\n');
        buffer_puts(&parts[*part], line);
        return;
    }
    for (size_t i = 0; i < PARTS; i++) {
        if (strcmp(line + 4, part_names[i]) != 0) continue;
        *part = i;
        return;
    }
    read_payload(one, line);
}

static struct formatter_case read_case(const char *path) {
    struct formatter_case one = {.name = memory_strdup(strrchr(path, '/') + 1)};
    struct buffer parts[PARTS];
    size_t part = PARTS;
    char *text = NULL;
    size_t size = 0;
    ERROR_AUTO error = {0};
    assert_int_equal(file_read_all(path, FILE_LIMIT, &text, &size, &error), 0);
    for (size_t i = 0; i < PARTS; i++) buffer_init(&parts[i], BUFFER_UNLIMITED);
    char *rest = text;
    for (char *line = strsep(&rest, "\n"); line != NULL && rest != NULL; line = strsep(&rest, "\n")) {
        read_line(&one, parts, &part, line);
    }
    free(text);
    for (size_t i = 0; i < PARTS; i++) one.parts[i] = buffer_take_string(&parts[i]);
    assert_true(one.payload_count > 0);
    return one;
}

static void release_case(struct formatter_case *one) {
    free(one->name);
    for (size_t i = 0; i < PARTS; i++) free(one->parts[i]);
    for (size_t i = 0; i < one->payload_count; i++) {
        free(one->payloads[i].input);
        free(one->payloads[i].wanted);
    }
}

// ---- running it

static size_t read_bytes(const char *digits, uint8_t *bytes) {
    size_t size = strlen(digits) / 2;
    assert_true(size <= BYTES_MAX && hex_decode(bytes, size, digits, strlen(digits)));
    return size;
}

// On both sides, or (with a script) only at The Things Stack.
static void run_old(const struct formatter_case *one, const struct payload *payload,
                    struct check_result *ret) {
    const struct ttnv2_functions functions = functions_of(one);
    uint8_t bytes[BYTES_MAX];
    ERROR_AUTO error = {0};
    if (!payload->down) {
        size_t size = read_bytes(payload->input, bytes);
        assert_int_equal(check_ttnv2_up(&functions, bytes, size, payload->port, &LIMITS, ret, &error), 0);
        return;
    }
    json_t *fields = json_loads(payload->input, 0, NULL);
    unsigned port = payload->port != 0 ? payload->port : 1;
    assert_int_equal(check_ttnv2_down(&functions, fields, port, &LIMITS, ret, &error), 0);
    json_decref(fields);
}

static void run_new(const char *script, const struct payload *payload, struct check_result *ret) {
    uint8_t bytes[BYTES_MAX];
    ERROR_AUTO error = {0};
    if (!payload->down) {
        size_t size = read_bytes(payload->input, bytes);
        assert_int_equal(check_tts_up(script, bytes, size, payload->port, &LIMITS, ret, &error), 0);
        return;
    }
    json_t *fields = json_loads(payload->input, 0, NULL);
    assert_int_equal(check_tts_down(script, fields, payload->port, &LIMITS, ret, &error), 0);
    json_decref(fields);
}

static const char *kind_text(const struct check_result *result) {
    if (result->kind == CHECK_REFUSED) return "refused";
    return result->kind == CHECK_ERROR ? "error" : result->text;
}

static bool as_wanted(const struct payload *payload, const struct check_result *result) {
    char *wanted MEMORY_AUTO = memory_strdup(payload->wanted);
    if (result->kind != CHECK_RESULT) return strcmp(wanted, kind_text(result)) == 0;
    const struct check_result known = {.kind = CHECK_RESULT, .text = wanted};
    return check_results_agree(&known, result);
}

// Errors have the same text on both sides, too.
static bool same(const struct check_result *old, const struct check_result *new) {
    if (!check_results_agree(old, new)) return false;
    return old->kind != CHECK_ERROR || strcmp(old->text, new->text) == 0;
}

static const char *script_of(const struct formatters *formatters, const struct payload *payload) {
    return payload->down ? formatters->down.script : formatters->up.script;
}

static size_t check_case(const struct formatter_case *one) {
    const struct ttnv2_functions functions = functions_of(one);
    struct formatters formatters = {0};
    ERROR_AUTO error = {0};
    size_t wrong = 0;
    assert_int_equal(formatter_from_ttnv2(&functions, &formatters, &error), 0);
    for (size_t i = 0; i < one->payload_count; i++) {
        const struct payload *payload = &one->payloads[i];
        struct check_result old = {0};
        struct check_result new = {0};
        run_old(one, payload, &old);
        run_new(script_of(&formatters, payload), payload, &new);
        if (!as_wanted(payload, &old) || !as_wanted(payload, &new) || !same(&old, &new)) {
            print_error("%s: %s %u %s\n  wanted  %s\n  V2      %d %s\n  Stack   %d %s\n", one->name,
                        payload->down ? "down" : "up", payload->port, payload->input, payload->wanted,
                        old.kind, old.text != NULL ? old.text : "-", new.kind,
                        new.text != NULL ? new.text : "-");
            wrong++;
        }
        check_result_release(&old);
        check_result_release(&new);
    }
    formatters_release(&formatters);
    return wrong;
}

static void corpus_open(glob_t *found) {
    assert_int_equal(glob(TEST_DATA "/formatters/*.js", 0, NULL, found), 0);
    assert_true(found->gl_pathc >= 60);
}

static void test_corpus(void **state) {
    (void)state;
    glob_t found;
    size_t wrong = 0;
    corpus_open(&found);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct formatter_case one = read_case(found.gl_pathv[i]);
        wrong += check_case(&one);
        release_case(&one);
    }
    globfree(&found);
    assert_int_equal(wrong, 0);
}

// ---- the corpus finds mistakes

struct mistake {
    const char *text;  // in a formatter
    const char *instead;
    const char *finder;  // the file whose payloads find it
};

static const struct mistake mistakes[] = {
    {"  fields = ttnv2Copy(fields, known, false);\n\n  fields = ttnv2Copy(fields, known = [], true);\n", "",
     "converter-shares-members.js"},
    {"if (member === null) copy = undefined;", "", "encoder-null-fields.js"},
    {"if (member === null || (member === undefined && was[names[i]] !== null)) continue;", "",
     "null-taken-away.js"},
    {"if (member === undefined) copy = null;\n      } else if (member", "} else if (member",
     "null-through-all-parts.js"},
    {"} else if (member === undefined) {\n        continue;\n", "", "constants-of-one-name.js"},
    {"if (i in from) names.push(i)", "names.push(i)", "encoder-odd-results.js"},
    {"if (!list) names = Object.keys(from);", "if (!list) for (i in from) names.push(i);",
     "prototype-members-last.js"},
    {"if (item.depth > 1000) throw new Error", "if (item.depth > 20) throw new Error", "deep-result.js"},
    {"|| typeof value === 'function'", "", "function-members-last.js"},
    {"|| Array.isArray(fields)", "", "parse-json-text.js"},
    {"if (!ttnv2IsObject(fields)", "if (!fields", "returns-primitives.js"},
    {"input.bytes.slice(0)", "input.bytes", "bytes-changed.js"},
    {"if (typeof valid !== 'boolean')", "if (typeof valid === 'undefined')", "validator-no-boolean.js"},
    {"if (!valid) return", "if (valid === null) return", "both-directions.js"},
    {"  JSON.stringify(fields, function", "  JSON.stringify({}, function", "ascii-csv.js"},
    {"if (Object.keys(known[1].now).length > 0)", "if (false)", "converter-writes-to-nothing.js"},
    {"if (!Array.isArray(bytes))", "if (!bytes)", "encoder-odd-results.js"},
    {"|| bytes[i] % 1 !== 0", "", "both-directions.js"},
    {"typeof bytes[i] !== 'number' ||", "", "encoder-bad-numbers.js"},
    {"bytes[i] < 0 || bytes[i] > 255", "bytes[i] < 0", "encoder-bad-numbers.js"},
    {"bytes[i] < 0 || bytes[i] > 255", "bytes[i] > 255", "encoder-bad-numbers.js"},
    {"fPort: port}", "fPort: port + 1}", "both-directions.js"},
    {"Number(input.fPort) || 1", "Number(input.fPort)", "encoder-plain.js"},
    {"input.data || {}", "input.data", "encoder-plain.js"},
    {"function ttnv2Decoder(payload, port, console)", "function ttnv2Decoder(payload, port)",
     "console-log.js"},
    {"function ttnv2Decoder(payload, port, console)", "function ttnv2Decoder(unused, port, console)",
     "bytes-changed.js"},
    {"function ttnv2Converter(fields, port, console)", "function ttnv2Converter(unused, port, console)",
     "payload-as-global.js"},
    {"\n  void 0;\n", "\n", "use-strict.js"},
};

// The formatter with the mistake in it, or NULL if it has no place for it. The caller frees it.
static char *with_mistake(const char *script, const struct mistake *mistake) {
    const char *at = script == NULL ? NULL : strstr(script, mistake->text);
    if (at == NULL) return NULL;
    return memory_printf("%.*s%s%s", (int)(at - script), script, mistake->instead,
                         at + strlen(mistake->text));
}

static bool payload_finds(const struct formatter_case *one, const struct formatters *formatters,
                          const struct payload *payload, const struct mistake *mistake) {
    struct check_result old = {0};
    struct check_result new = {0};
    char *script MEMORY_AUTO = with_mistake(script_of(formatters, payload), mistake);
    if (script == NULL) return false;
    run_old(one, payload, &old);
    run_new(script, payload, &new);
    bool found = !same(&old, &new);
    check_result_release(&old);
    check_result_release(&new);
    return found;
}

static bool case_finds(const struct formatter_case *one, const struct mistake *mistake) {
    const struct ttnv2_functions functions = functions_of(one);
    struct formatters formatters = {0};
    bool found = false;
    assert_int_equal(formatter_from_ttnv2(&functions, &formatters, NULL), 0);
    for (size_t i = 0; i < one->payload_count && !found; i++) {
        found = payload_finds(one, &formatters, &one->payloads[i], mistake);
    }
    formatters_release(&formatters);
    return found;
}

static void test_mistakes_are_found(void **state) {
    (void)state;
    size_t missed = 0;
    for (size_t m = 0; m < sizeof mistakes / sizeof *mistakes; m++) {
        char *path MEMORY_AUTO = memory_printf(TEST_DATA "/formatters/%s", mistakes[m].finder);
        struct formatter_case one = read_case(path);
        if (!case_finds(&one, &mistakes[m])) {
            print_error("%s does not find the mistake in: %s\n", one.name, mistakes[m].text);
            missed++;
        }
        release_case(&one);
    }
    assert_int_equal(missed, 0);
}

// The stack hands an object without members over as null.
static void test_empty_objects(void **state) {
    (void)state;
    static const char script[] =
        "function encodeDownlink(input) {\n"
        "  if (input.data === null) return {bytes: [], fPort: 1};\n"
        "  var data = input.data;\n"
        "  return {bytes: [data.a === null, data.b[0] === null, data.c.d === null, data.e === "
        "null].map(Number), "
        "fPort: 1};\n"
        "}\n";
    static const struct {
        const char *fields;
        const char *result;
    } rows[] = {{"{}", "{\"bytes\":[],\"fPort\":1}"},
                {"{\"a\":{},\"b\":[{}],\"c\":{\"d\":{}},\"e\":[]}", "{\"bytes\":[1,1,1,0],\"fPort\":1}"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *fields MEMORY_AUTO = memory_strdup(rows[i].fields);
        struct check_result result = {0};
        run_new(script, &(struct payload){.down = true, .port = 1, .input = fields}, &result);
        assert_string_equal(result.text, rows[i].result);
        check_result_release(&result);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_corpus),
        cmocka_unit_test(test_mistakes_are_found),
        cmocka_unit_test(test_empty_objects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
