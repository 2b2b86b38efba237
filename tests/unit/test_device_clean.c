// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>

#include "base/utf8.h"
#include "device/clean.h"
#include "support/device_text.h"

#define DEVICE (&tts__end_device__descriptor)

static void assert_note(const struct device *device, size_t index, const char *path, const char *text) {
    assert_true(index < device->notes.count);
    assert_string_equal(device->notes.items[index].path, path);
    if (strstr(device->notes.items[index].text, text) == NULL)
        print_error("%s\n", device->notes.items[index].text);
    assert_non_null(strstr(device->notes.items[index].text, text));
}

static void test_nothing_to_do(void **state) {
    (void)state;
    static const char text[] =
        "{\"ids\":{\"device_id\":\"abc\"},\"name\":\"n\",\"description\":\"d\",\"attributes\":{\"abc\":\"V a "
        "l\"},"
        "\"locations\":{\"user\":{\"latitude\":90,\"longitude\":-180}},\"formatters\":{\"up_formatter_"
        "parameter\":\"x\"}}";
    DEVICE_AUTO device = {0};
    struct error error = {0};
    device_init(&device);
    device.end_device = message_of(DEVICE, text, &device.arena);
    assert_int_equal(device_clean(&device, &error), 0);
    char *after = text_of(&device.end_device->base);
    assert_string_equal(after, text);
    assert_int_equal(device.notes.count, 0);
    free(after);
}

static void test_attribute_keys(void **state) {
    (void)state;
    static const struct {
        const char *before;
        const char *after;
    } rows[] = {
        {"Serial No.", "serial-no"},
        {"ABC", "abc"},
        {"a_b_c", "a-b-c"},
        {"--a  b__c--", "a-b-c"},
        {"gr\xc3\xb6\xc3\x9f"
         "e",
         "gr-e"},
        {"a234567890123456789012345678901234567890", "a23456789012345678901234567890123456"},
        {"a2345678901234567890123456789012345-6", "a2345678901234567890123456789012345"},
        {"a", NULL},
        {"", NULL},
        {"\xe6\xb8\xa9\xe5\xba\xa6", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        DEVICE_AUTO device = {0};
        device_init(&device);
        device_set_attribute(&device, rows[i].before, "value");
        assert_int_equal(device_clean(&device, NULL), 0);
        assert_int_equal(device.notes.count, 1);
        if (rows[i].after == NULL) {
            assert_int_equal(device.end_device->n_attributes, 0);
            assert_note(&device, 0, device.notes.items[0].path, "dropped");
            char *text = text_of(&device.end_device->base);
            assert_string_equal(text, "{}");
            free(text);
        } else {
            assert_string_equal(device_attribute(&device, rows[i].after), "value");
            assert_note(&device, 0, device.notes.items[0].path, rows[i].after);
        }
    }
}

static void test_attribute_collisions(void **state) {
    (void)state;
    DEVICE_AUTO device = {0};
    device_init(&device);
    device_set_attribute(&device, "Foo", "1");
    device_set_attribute(&device, "foo", "2");
    device_set_attribute(&device, "Bar", "3");
    device_set_attribute(&device, "BAR", "4");
    assert_int_equal(device_clean(&device, NULL), 0);
    assert_int_equal(device.end_device->n_attributes, 2);
    assert_string_equal(device_attribute(&device, "foo"), "2");
    assert_string_equal(device_attribute(&device, "bar"), "3");
    assert_int_equal(device.notes.count, 3);
    assert_note(&device, 0, "attributes.Foo", "dropped: its key would become 'foo'");
    assert_note(&device, 1, "attributes.Bar", "the key became 'bar'");
    assert_note(&device, 2, "attributes.BAR", "dropped: its key would become 'bar'");
}

static void test_too_many_attributes(void **state) {
    (void)state;
    DEVICE_AUTO device = {0};
    device_init(&device);
    for (int i = 0; i < 12; i++) {
        char key[16];
        snprintf(key, sizeof key, "key-%d", i);
        device_set_attribute(&device, key, "v");
    }
    assert_int_equal(device_clean(&device, NULL), 0);
    assert_int_equal(device.end_device->n_attributes, 10);
    assert_int_equal(device.notes.count, 2);
    assert_note(&device, 0, "attributes.key-10", "no more than 10");
    assert_note(&device, 1, "attributes.key-11", "no more than 10");
}

static char *long_text(struct device *device, size_t count) {
    char *text = arena_alloc(&device->arena, 2 * count + 1, 1);
    for (size_t i = 0; i < count; i++) memcpy(text + 2 * i, "\xc3\xb6", 2);
    return text;
}

static void test_long_texts(void **state) {
    (void)state;
    DEVICE_AUTO device = {0};
    device_init(&device);
    device.end_device->name = long_text(&device, 51);
    device.end_device->description = long_text(&device, 2001);
    device_set_attribute(&device, "abc", long_text(&device, 201));
    device_set_attribute(&device, "abd", long_text(&device, 200));
    assert_int_equal(device_clean(&device, NULL), 0);
    assert_int_equal(utf8_length(device.end_device->name, strlen(device.end_device->name)), 50);
    assert_int_equal(utf8_length(device.end_device->description, strlen(device.end_device->description)),
                     2000);
    assert_int_equal(strlen(device_attribute(&device, "abc")), 400);
    assert_int_equal(strlen(device_attribute(&device, "abd")), 400);
    assert_true(utf8_valid(device.end_device->name, strlen(device.end_device->name)));
    assert_int_equal(device.notes.count, 3);
    assert_note(&device, 0, "attributes.abc", "cut to 200");
    assert_note(&device, 1, "name", "cut to 50");
    assert_note(&device, 2, "description", "cut to 2000");
}

static void test_locations(void **state) {
    (void)state;
    static const struct {
        double latitude;
        double longitude;
        bool kept;
    } rows[] = {
        {90, 180, true}, {-90, -180, true},    {90.1, 0, false},      {0, 180.1, false}, {NAN, 0, false},
        {0, NAN, false}, {INFINITY, 0, false}, {0, -INFINITY, false}, {-90.5, 0, false}, {0, 0, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        DEVICE_AUTO device = {0};
        device_init(&device);
        device.end_device = message_of(DEVICE, "{\"locations\":{\"user\":{}}}", &device.arena);
        device.end_device->locations[0]->value->latitude = rows[i].latitude;
        device.end_device->locations[0]->value->longitude = rows[i].longitude;
        assert_int_equal(device_clean(&device, NULL), 0);
        assert_int_equal(device.end_device->n_locations, rows[i].kept);
        assert_int_equal(device.notes.count, !rows[i].kept);
        if (!rows[i].kept) assert_note(&device, 0, "locations.user", "dropped");
    }
}

static void test_invalid_utf8(void **state) {
    (void)state;
    DEVICE_AUTO device = {0};
    device_init(&device);
    device_set_text(&device, &device.end_device->name,
                    "a\xff"
                    "b");
    device_set_text(&device, &device.end_device->description, "\xe6\xb8");
    assert_int_equal(device_clean(&device, NULL), 0);
    assert_string_equal(device.end_device->name,
                        "a\xef\xbf\xbd"
                        "b");
    assert_string_equal(device.end_device->description, "\xef\xbf\xbd\xef\xbf\xbd");
    assert_int_equal(device.notes.count, 2);
    assert_note(&device, 0, "name", "U+FFFD");
}

static void test_invalid_utf8_in_ids(void **state) {
    (void)state;
    struct error error = {0};
    DEVICE_AUTO one = {0}, two = {0}, three = {0}, four = {0};
    device_init(&one);
    device_set_text(&one, &device_ids(&one)->device_id, "a\xff");
    assert_int_equal(device_clean(&one, &error), -ERROR_DEVICE);
    device_init(&two);
    device_set_attribute(&two, "a\xff", "b");
    assert_int_equal(device_clean(&two, &error), -ERROR_DEVICE);
    device_init(&three);
    device_set_application(&three, "a\xff");
    assert_int_equal(device_clean(&three, &error), -ERROR_DEVICE);
    device_init(&four);
    device_set_attribute(&four, "abc", "\xfe");
    assert_int_equal(device_clean(&four, &error), -ERROR_DEVICE);
    error_release(&error);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_to_do),        cmocka_unit_test(test_attribute_keys),
        cmocka_unit_test(test_attribute_collisions), cmocka_unit_test(test_too_many_attributes),
        cmocka_unit_test(test_long_texts),           cmocka_unit_test(test_locations),
        cmocka_unit_test(test_invalid_utf8),         cmocka_unit_test(test_invalid_utf8_in_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
