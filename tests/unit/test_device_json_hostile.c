// SPDX-License-Identifier: Apache-2.0
// JSON that is broken, huge or malicious: an error or a message, never anything else.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "device/schema.h"
#include "support/device_text.h"

#define DEVICE (&tts__end_device__descriptor)

static const char device_text[] =
    "{\"ids\":{\"device_id\":\"dev\",\"dev_eui\":\"0102030405060708\"},\"created_at\":\"2026-01-01T00:00:00."
    "123Z\","
    "\"attributes\":{\"a\\u00e9\":\"\xc3\xa9\"},\"locations\":{\"user\":{\"latitude\":1.5e1,\"altitude\":-2}}"
    ","
    "\"lorawan_version\":\"MAC_V1_0_2\",\"min_frequency\":\"868100000\",\"supports_join\":true,"
    "\"mac_settings\":{\"rx1_delay\":1,\"class_b_timeout\":\"1.5s\"},\"used_dev_nonces\":[1,2],"
    "\"session\":{\"keys\":{\"session_key_id\":\"AAE=\"}},\"provisioning_data\":{\"x\":[null,{\"y\":1}]}}";

// Reads whatever it is; if it is a message, it can be written and read again as the same one.
static bool read_anything(const ProtobufCMessageDescriptor *descriptor, const char *text, size_t size) {
    struct arena arena = {0};
    struct error error = {0};
    struct notes notes = {0};
    const ProtobufCMessage *message = message_json_read(descriptor, text, size, 1, &arena, &notes, &error);
    assert_true((message == NULL) == error_is_set(&error));
    if (message != NULL) {
        char *first = text_of(message);
        char *second = text_again(descriptor, first);
        assert_string_equal(first, second);
        free(first);
        free(second);
    }
    bool sound = message != NULL;
    error_release(&error);
    notes_release(&notes);
    arena_release(&arena);
    return sound;
}

static void test_cut_anywhere(void **state) {
    (void)state;
    size_t size = strlen(device_text);
    assert_true(read_anything(DEVICE, device_text, size));
    for (size_t cut = 0; cut < size; cut++) {
        char *part = malloc(cut + 1);
        assert_non_null(part);
        memcpy(part, device_text, cut);
        assert_false(read_anything(DEVICE, part, cut));
        free(part);
    }
}

static void test_any_byte_changed(void **state) {
    (void)state;
    static const char bytes[] = {0,   '"', '\\', '{', '}', '[',  ']',    ',',
                                 ':', '0', '-',  'e', ' ', '\n', '\x80', '\xff'};
    char text[sizeof device_text];
    size_t size = strlen(device_text);
    for (size_t at = 0; at < size; at++) {
        for (size_t i = 0; i < sizeof bytes; i++) {
            memcpy(text, device_text, sizeof text);
            text[at] = bytes[i];
            read_anything(DEVICE, text, size);
        }
    }
}

// Every member of every message with values of every kind.
static void test_any_value_anywhere(void **state) {
    (void)state;
    static const char *const values[] = {
        "null",
        "true",
        "0",
        "-1",
        "18446744073709551615",
        "1e308",
        "\"\"",
        "\"x\"",
        "\"00\"",
        "\"AAE=\"",
        "[]",
        "[0]",
        "[null]",
        "[[]]",
        "[{}]",
        "{}",
        "{\"\":0}",
        "{\"a\":{}}",
        "{\"1\":{}}",
        "{\"@type\":\"a/tts.EndDevice\"}",
        "{\"@type\":\"t/ttn.lorawan.v3.ErrorDetails\",\"cause\":{\"cause\":{}}}",
        "\"2026-01-01T00:00:00Z\"",
        "\"1s\"",
    };
    char text[400];
    for (size_t i = 0; i < schema_message_count; i++) {
        const struct schema_message *table = &schema_messages[i];
        for (size_t j = 0; j < table->field_count; j++) {
            for (size_t k = 0; k < sizeof values / sizeof values[0]; k++) {
                int size = snprintf(text, sizeof text, "{\"%s\":%s}", table->fields[j].name, values[k]);
                read_anything(table->descriptor, text, (size_t)size);
            }
        }
    }
}

static void test_wrong_things(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *reason;
    } rows[] = {
        {"", "the object ends too early"},
        {"[]", "an object is expected"},
        {"[1]", "an object is expected"},
        {"null", "not JSON"},
        {"{} {}", "something follows the object"},
        {"{}x", "something follows the object"},
        {"{\"name\":\"\xff\"}", "not UTF-8"},
        {"{\"name\":\"\xc3\"}", "not UTF-8"},
        {"{\"name\":\"\xed\xa0\x80\"}", "not UTF-8"},
        {"{\"name\":\"\\ud800\"}", "not JSON"},
        {"{\"name\":\"a\\u0000b\"}", "a NUL character cannot be kept"},
        {"{\"na\\u0000me\":\"b\"}", "a NUL character cannot be kept"},
        {"{\"name\":\"a\nb\"}", "not JSON"},
        {"{\"last_dev_nonce\":01}", "not JSON"},
        {"{\"last_dev_nonce\":+1}", "not JSON"},
        {"{\"last_dev_nonce\":.5}", "not JSON"},
        {"{\"last_dev_nonce\":NaN}", "not JSON"},
        {"{'name':\"a\"}", "not JSON"},
        {"{\"name\":\"a\",}", "not JSON"},
        {"{\"last_dev_nonce\":99999999999999999999999999999999999999}", "a whole number is expected"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_refused(DEVICE, rows[i].text, strlen(rows[i].text), rows[i].reason);
    }
}

static char *repeated(const char *begin, const char *unit, size_t count, const char *end, size_t *ret_size) {
    struct buffer text;
    buffer_init(&text, BUFFER_UNLIMITED);
    buffer_puts(&text, begin);
    for (size_t i = 0; i < count; i++) buffer_puts(&text, unit);
    buffer_puts(&text, end);
    *ret_size = text.size;
    return buffer_take_string(&text);
}

static void assert_repeated_refused(const char *begin, const char *unit, size_t count, const char *end,
                                    const char *reason) {
    size_t size;
    char *text = repeated(begin, unit, count, end, &size);
    assert_refused(DEVICE, text, size, reason);
    free(text);
}

static void test_depth(void **state) {
    (void)state;
    assert_repeated_refused("{\"provisioning_data\":", "{\"a\":", 100000, "", "nested too deep");
    assert_repeated_refused("{\"provisioning_data\":{\"a\":", "[", 100000, "", "nested too deep");
    assert_repeated_refused("{\"foo\":", "[", 100000, "", "nested too deep");
    size_t size;
    char *text = repeated("{\"provisioning_data\":{\"a\":", "[", 1000, "", &size);
    struct buffer closed;
    buffer_init(&closed, BUFFER_UNLIMITED);
    buffer_add(&closed, text, size);
    for (int i = 0; i < 1000; i++) buffer_putc(&closed, ']');
    buffer_puts(&closed, "}}");
    assert_refused(DEVICE, buffer_string(&closed), closed.size, "provisioning_data");
    buffer_release(&closed);
    free(text);
}

// What is read can be packed and unpacked, however deep it is.
static void test_deep_objects_can_be_packed(void **state) {
    (void)state;
    size_t accepted = 0;
    for (size_t levels = 1; levels < 70; levels++) {
        struct arena arena = {0};
        struct buffer text;
        buffer_init(&text, BUFFER_UNLIMITED);
        buffer_puts(&text, "{\"mac_state\":{\"pending_application_downlink\":{\"decoded_payload\":");
        for (size_t i = 0; i < levels; i++) buffer_puts(&text, "{\"a\":");
        buffer_puts(&text, "0");
        for (size_t i = 0; i < levels + 3; i++) buffer_putc(&text, '}');
        const ProtobufCMessage *message =
            message_json_read(DEVICE, buffer_string(&text), text.size, 1, &arena, NULL, NULL);
        if (message != NULL) {
            const ProtobufCMessage *copy = message_copy(message, &arena);
            assert_non_null(copy);
            assert_true(message_equal(message, copy));
            accepted = levels;
        }
        buffer_release(&text);
        arena_release(&arena);
    }
    assert_in_range(accepted, 25, 35);
}

static void test_size(void **state) {
    (void)state;
    assert_repeated_refused("{\"name\":\"", "0123456789", 110000, "\"}", "larger than 1 MiB");
}

// What costs much to look up is looked up a limited number of times.
static void test_many_large_numbers(void **state) {
    (void)state;
    assert_repeated_refused("{\"mac_settings\":{\"factory_preset_frequencies\":[18446744073709551615",
                            ",18446744073709551615", 40000, "]}}", "a whole number is expected");
}

static void test_many_unknown_members(void **state) {
    (void)state;
    struct buffer text;
    buffer_init(&text, BUFFER_UNLIMITED);
    buffer_puts(&text, "{\"name\":\"a\"");
    for (int i = 0; i < 60000; i++) buffer_printf(&text, ",\"x%d\":0", i);
    buffer_putc(&text, '}');
    struct arena arena = {0};
    struct notes notes = {0};
    assert_non_null(message_json_read(DEVICE, buffer_string(&text), text.size, 1, &arena, &notes, NULL));
    assert_int_equal(notes.count, NOTES_MAX);
    notes_release(&notes);
    arena_release(&arena);
    buffer_release(&text);
}

struct expected_piece {
    const char *text;
    size_t line;
};

static const char stream[] =
    "\xef\xbb\xbf{\"a\":1}{\"b\":\"}\\\"{\"}\r\n\n  {\n \"c\": [{}]\n}\n\t{}[]\n[ {\"d\":2}\n ,{} ] {}";
static const struct expected_piece pieces[] = {
    {"{\"a\":1}", 1}, {"{\"b\":\"}\\\"{\"}", 1}, {"{\n \"c\": [{}]\n}", 3},
    {"{}", 6},        {"{\"d\":2}", 7},          {"{}", 8},
    {"{}", 8}};

// The stream in pieces of `step` bytes.
static void split_stream(size_t step) {
    struct json_splitter splitter;
    struct error error = {0};
    size_t found = 0;
    json_splitter_init(&splitter);
    for (size_t at = 0; at < strlen(stream); at += step) {
        size_t left = strlen(stream) - at < step ? strlen(stream) - at : step;
        for (size_t from = at; left > 0;) {
            const char *object;
            size_t taken, size, line;
            assert_int_equal(
                json_splitter_take(&splitter, stream + from, left, &taken, &object, &size, &line, &error), 0);
            from += taken;
            left -= taken;
            if (object == NULL) continue;
            assert_true(found < sizeof pieces / sizeof pieces[0]);
            assert_int_equal(size, strlen(pieces[found].text));
            assert_memory_equal(object, pieces[found].text, size);
            assert_int_equal(line, pieces[found].line);
            found++;
        }
    }
    assert_int_equal(found, sizeof pieces / sizeof pieces[0]);
    assert_int_equal(json_splitter_end(&splitter, &error), 0);
    json_splitter_release(&splitter);
}

static void test_splitter(void **state) {
    (void)state;
    for (size_t step = 1; step <= sizeof stream; step++) split_stream(step);
}

static void assert_split_fails(const char *text, size_t size, int code, const char *reason) {
    struct json_splitter splitter;
    struct error error = {0};
    const char *object;
    size_t taken = 0, piece, line;
    int result = 0;
    json_splitter_init(&splitter);
    for (size_t at = 0; at < size && result == 0; at += taken) {
        result = json_splitter_take(&splitter, text + at, size - at, &taken, &object, &piece, &line, &error);
    }
    if (result == 0) result = json_splitter_end(&splitter, &error);
    assert_int_equal(result, -code);
    assert_non_null(strstr(error.message, reason));
    error_release(&error);
    json_splitter_release(&splitter);
}

static void test_splitter_refuses(void **state) {
    (void)state;
    size_t size;
    assert_split_fails("\n\n1", 3, ERROR_INPUT, "line 3: a JSON object is expected");
    assert_split_fails("[{}{}]", 6, ERROR_INPUT, "line 1: a comma or the end of the list is expected");
    assert_split_fails("[{},]", 5, ERROR_INPUT, "line 1: a JSON object is expected");
    assert_split_fails("\n[{},\n", 6, ERROR_INPUT, "line 2: the list that begins here has no end");
    assert_split_fails("]", 1, ERROR_INPUT, "line 1: a JSON object is expected");
    assert_split_fails("[[{}]]", 6, ERROR_INPUT, "line 1: a JSON object is expected");
    assert_split_fails("\xef\xbb{}", 4, ERROR_INPUT, "line 1: a JSON object is expected");
    assert_split_fails("{}\xef\xbb\xbf{}", 7, ERROR_INPUT, "line 1: a JSON object is expected");
    assert_split_fails("\n{\"a\":\"}", 8, ERROR_INPUT, "line 2: the object that begins here has no end");
    char *text = repeated("{\"a\":\"", "0123456789", 110000, "\"}", &size);
    assert_split_fails(text, size, ERROR_TOO_LARGE, "line 1: the object is larger than 1 MiB");
    free(text);
}

static void test_lines_of_paths(void **state) {
    (void)state;
    static const char text[] = "{\n\"a\": {\n\"list\": [1,\n2, {\n\"x\": 1}]},\n\"b\":\n1}";
    static const struct {
        const char *path;
        size_t line;
    } cases[] = {{"", 10},       {"a", 11},           {"a.list", 12}, {"a.list[1]", 13}, {"a.list[2].x", 14},
                 {"a.none", 11}, {"a.list[9].x", 12}, {"b", 16},      {"none", 10},      {"[", 10}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(message_json_line(text, strlen(text), 10, cases[i].path), cases[i].line);
    }
}

static void test_faults_are_noted(void **state) {
    (void)state;
    static const char text[] = "{\"foo\":1,\n\"ids\":{\n\"dev_eui\":\"12\"}}";
    struct arena arena = {0};
    struct notes notes = {0};
    struct error error = {0};
    assert_null(
        message_json_read(&tts__end_device__descriptor, text, strlen(text), 1, &arena, &notes, &error));
    const struct note *fault = notes_fault(&notes);
    assert_non_null(fault);
    assert_int_equal(fault->line, 3);
    assert_string_equal(fault->path, "ids.dev_eui");
    notes_release(&notes);
    assert_null(message_json_read(&tts__end_device__descriptor, "{\n,}", 4, 1, &arena, &notes, &error));
    fault = notes_fault(&notes);
    assert_non_null(fault);
    assert_int_equal(fault->line, 2);
    assert_string_equal(fault->text, "not JSON");
    notes_release(&notes);
    assert_null(notes_fault(&notes));
    error_release(&error);
    arena_release(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_any_byte_changed),
        cmocka_unit_test(test_any_value_anywhere),
        cmocka_unit_test(test_wrong_things),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_deep_objects_can_be_packed),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_many_large_numbers),
        cmocka_unit_test(test_many_unknown_members),
        cmocka_unit_test(test_splitter),
        cmocka_unit_test(test_splitter_refuses),
        cmocka_unit_test(test_lines_of_paths),
        cmocka_unit_test(test_faults_are_noted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
