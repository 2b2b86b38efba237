// SPDX-License-Identifier: Apache-2.0
// What a running V2 answered to GetDevice, and what the older ttn-lw-migrate (0.12.1) wrote for it: our line
// is the same text, but for the downlink counter (V2 holds the next one, The Things Stack the last one).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/hex.h"
#include "base/memory.h"
#include "base/rfc3339.h"
#include "device/json_write.h"
#include "device/message.h"
#include "device/validate.h"
#include "source/ttnv2_p.h"
#include "support/xz.h"

#define NOW INT64_C(1767225600123456789)

static int64_t fixed_wall(void *context) {
    (void)context;
    return NOW;
}

static void fixed_fill(void *context, void *data, size_t size) {
    (void)context;
    for (size_t i = 0; i < size; i++) ((uint8_t *)data)[i] = (uint8_t)(i * 7 + 1);
}

static const struct clock fixed_clock = {.wall = fixed_wall, .monotonic = fixed_wall};
static const struct random fixed_random = {.fill = fixed_fill};
static const struct device_naming no_naming = {0};

static struct ttnv2_rules rules_of(const char *plan, bool with_session, bool resets) {
    return (struct ttnv2_rules){
        .plan = frequency_plans_find(frequency_plans_builtin(), plan),
        .naming = &no_naming,
        .clock = &fixed_clock,
        .random = &fixed_random,
        .with_session = with_session,
        .resets_to_frequency_plan = resets,
    };
}

// Replaces every `from` in the text, which it frees.
static char *replace(char *text, const char *from, const char *to) {
    struct buffer result;
    buffer_init(&result, BUFFER_UNLIMITED);
    const char *rest = text;
    for (const char *found = strstr(rest, from); found != NULL; found = strstr(rest, from)) {
        buffer_add(&result, rest, (size_t)(found - rest));
        buffer_puts(&result, to);
        rest = found + strlen(from);
    }
    buffer_puts(&result, rest);
    free(text);
    return buffer_take_string(&result);
}

// The order of attributes is free: both sides get them sorted.
static char *sort_attributes(char *line) {
    static const char name[] = "\"attributes\":";
    char *found = strstr(line, name);
    if (found == NULL) return line;
    char *start = found + strlen(name);
    json_error_t error;
    json_t *object = json_loads(start, JSON_DISABLE_EOF_CHECK, &error);
    assert_non_null(object);
    char *sorted = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(object);
    char *result = memory_printf("%.*s%s%s", (int)(start - line), line, sorted, start + error.position);
    free(sorted);
    free(line);
    return result;
}

// Rule D of the counters, by itself: next n -> last.
static char *correct_counter(char *line) {
    static const char name[] = "\"last_n_f_cnt_down\":";
    const char *found = strstr(line, name);
    if (found == NULL) return line;
    char *end = NULL;
    unsigned long next = strtoul(found + strlen(name), &end, 10);
    char *result =
        memory_printf("%.*s%s%lu%s", (int)(found - line), line, name, next >= 2 ? next - 1 : next, end);
    free(line);
    return result;
}

static char *expected_line(const char *recorded) {
    char now[64];
    rfc3339_format_ns(now, NOW);
    uint8_t random[16];
    fixed_fill(NULL, random, sizeof random);
    char encoded[BASE64_TEXT_SIZE(sizeof random)];
    base64_encode(encoded, random, sizeof random);
    char *line = replace(memory_strdup(recorded), "@NOW", now);
    return sort_attributes(correct_counter(replace(line, "@RANDOM16", encoded)));
}

static int convert(const struct ttnv2_rules *rules, const uint8_t *data, size_t size, struct buffer *line,
                   struct error *error) {
    uint8_t *copy = memory_dup(data, size);
    const struct source_record record = {.complete = true, .data = copy, .size = size};
    DEVICE_AUTO device;
    device_init(&device);
    int result = ttnv2_device_convert(rules, "my-app", &record, &device, error);
    // The Things Stack refuses two of this plan's own channels as factory presets, since they lie outside the
    // sub-bands of its band: the older tool writes the line all the same.
    if (result == 0 && rules->resets_to_frequency_plan && strcmp(rules->plan->id, "KR_920_923_TTN") == 0) {
        bool presets = device.end_device->mac_settings->n_factory_preset_frequencies > 0;
        assert_int_equal(device_validate(&device, frequency_plans_builtin(), NULL) != 0, presets);
    } else if (result == 0) {
        result = device_validate(&device, frequency_plans_builtin(), error);
    }
    if (result == 0) message_json_write(&device.end_device->base, line);
    free(copy);
    return result;
}

static void check_line(const struct ttnv2_rules *rules, const uint8_t *data, size_t size,
                       const char *recorded, const char *what) {
    BUFFER_AUTO line;
    buffer_init(&line, BUFFER_UNLIMITED);
    ERROR_AUTO error = {0};
    if (convert(rules, data, size, &line, &error) != 0) {
        char *chain = error_chain(&error);
        fail_msg("%s: %s", what, chain);
    }
    char *expected = expected_line(recorded);
    char *actual = sort_attributes(buffer_take_string(&line));
    if (strcmp(actual, expected) != 0) fail_msg("%s:\n%s\ninstead of\n%s", what, actual, expected);
    free(expected);
    free(actual);
}

static void check_recorded(json_t *recorded) {
    static const struct {
        const char *name;
        bool with_session, resets;
    } forms[] = {{"no_session", false, false},
                 {"with_session", true, false},
                 {"no_session_resets", false, true},
                 {"with_session_resets", true, true}};
    const char *id = json_string_value(json_object_get(recorded, "dev_id"));
    const char *hex = json_string_value(json_object_get(recorded, "get_device_hex"));
    size_t size = strlen(hex) / 2;
    uint8_t *data = memory_alloc(size, 1);
    assert_true(hex_decode(data, size, hex, strlen(hex)));
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct ttnv2_rules rules = rules_of("EU_863_870_TTN", forms[i].with_session, forms[i].resets);
        char *what MEMORY_AUTO = memory_printf("%s (%s)", id, forms[i].name);
        if (strcmp(id, "otaa-no-appkey") == 0) {
            // Neither AppKey nor session: the older tool writes an ABP device with zero keys.
            BUFFER_AUTO line;
            buffer_init(&line, BUFFER_UNLIMITED);
            ERROR_AUTO error = {0};
            assert_int_equal(convert(&rules, data, size, &line, &error), -ERROR_EMPTY);
            assert_non_null(strstr(error.message, "no keys"));
            assert_int_equal(line.size, 0);
        } else {
            check_line(&rules, data, size, json_string_value(json_object_get(recorded, forms[i].name)), what);
        }
    }
    free(data);
}

// Calls `check` with each JSON line of a recording; returns their number.
static size_t each_line(const char *name, void (*check)(json_t *recorded)) {
    FILE *file = xz_open(name);
    char *line = NULL;
    size_t capacity = 0;
    size_t count = 0;
    while (getline(&line, &capacity, file) > 0) {
        json_t *recorded = json_loads(line, 0, NULL);
        assert_non_null(recorded);
        check(recorded);
        json_decref(recorded);
        count++;
    }
    free(line);
    fclose(file);
    return count;
}

static void test_devices(void **state) {
    (void)state;
    assert_int_equal(each_line("vectors/ttnv2/devices.jsonl.xz", check_recorded), 140);
}

// The three devices of plans.jsonl, as the Handler sent them.
static uint8_t *read_wire(const char *device, size_t *size) {
    char path[4096];
    snprintf(path, sizeof path, "%s/vectors/ttnv2/wire/GetDevice.%s.response.bin", TEST_DATA, device);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    uint8_t *data = memory_alloc(4096, 1);
    *size = fread(data, 1, 4096, file);
    fclose(file);
    return data;
}

static size_t accepted_plans;

static void check_plan(json_t *recorded) {
    static const char *const devices[] = {"abp-plain", "otaa-session", "otaa-plain"};
    const char *id = json_string_value(json_object_get(recorded, "frequency_plan_id"));
    struct ttnv2_rules rules = rules_of(id, true, true);
    bool known = rules.plan != NULL && band_find(rules.plan->band_id, PHY_V1_0_2_REV_B) != NULL;
    assert_int_equal(json_integer_value(json_object_get(recorded, "rc")), known ? 0 : 1);
    if (!known) return;
    json_t *lines = json_object_get(recorded, "stdout");
    assert_int_equal(json_array_size(lines), 3);
    for (size_t i = 0; i < 3; i++) {
        size_t size = 0;
        uint8_t *data = read_wire(devices[i], &size);
        char *what MEMORY_AUTO = memory_printf("%s under %s", devices[i], id);
        check_line(&rules, data, size, json_string_value(json_array_get(lines, i)), what);
        free(data);
    }
    accepted_plans++;
}

static void test_plans(void **state) {
    (void)state;
    accepted_plans = 0;
    assert_int_equal(each_line("vectors/ttnv2/plans.jsonl.xz", check_plan), 53);
    assert_true(accepted_plans > 30);
}

static void test_counter_rule(void **state) {
    (void)state;
    assert_int_equal(ttnv2_last_f_cnt_down(0), 0);
    assert_int_equal(ttnv2_last_f_cnt_down(1), 1);
    assert_int_equal(ttnv2_last_f_cnt_down(2), 1);
    assert_int_equal(ttnv2_last_f_cnt_down(UINT32_MAX), UINT32_MAX - 1);
}

// A device that is made here, from the recorded ABP device.
struct variant {
    struct arena arena;
    Ttnv2__Device *device;
};

static void variant_init(struct variant *variant, const char *wire) {
    *variant = (struct variant){0};
    size_t size = 0;
    uint8_t *data = read_wire(wire, &size);
    assert_int_equal(ttnv2_device_read(data, size, &variant->arena, &variant->device, NULL), 0);
    free(data);
}

static int variant_convert(struct variant *variant, const struct ttnv2_rules *rules, struct device *device,
                           struct error *error) {
    BUFFER_AUTO packed;
    buffer_init(&packed, BUFFER_UNLIMITED);
    message_pack(&variant->device->base, &packed);
    const struct source_record record = {.complete = true, .data = packed.data, .size = packed.size};
    device_init(device);
    return ttnv2_device_convert(rules, "my-app", &record, device, error);
}

static void test_abp_without_session_flag(void **state) {
    (void)state;
    struct variant variant;
    variant_init(&variant, "abp-plain");
    struct ttnv2_rules rules = rules_of("EU_863_870_TTN", false, false);
    DEVICE_AUTO device;
    assert_int_equal(variant_convert(&variant, &rules, &device, NULL), 0);
    assert_non_null(device.end_device->session);
    assert_int_equal(device.notes.count, 1);
    arena_release(&variant.arena);
}

static void test_incomplete_sessions(void **state) {
    (void)state;
    struct ttnv2_rules rules = rules_of("EU_863_870_TTN", true, false);
    static const size_t members[] = {offsetof(Ttnv2__LoRaWANDevice, dev_addr),
                                     offsetof(Ttnv2__LoRaWANDevice, nwk_s_key),
                                     offsetof(Ttnv2__LoRaWANDevice, app_s_key)};
    for (size_t i = 0; i < 3; i++) {
        struct variant variant;
        variant_init(&variant, "otaa-session");
        ProtobufCBinaryData *member =
            (ProtobufCBinaryData *)((char *)variant.device->lorawan_device + members[i]);
        memset(member->data, 0, member->len);
        DEVICE_AUTO device;
        assert_int_equal(variant_convert(&variant, &rules, &device, NULL), 0);
        assert_null(device.end_device->session);
        assert_null(device.end_device->mac_state);
        assert_int_equal(device.notes.count, 1);
        struct ttnv2_parts parts = ttnv2_parts(variant.device->lorawan_device, true);
        assert_false(parts.takes_session);
        // Without an AppKey too, nothing is left that could be exported.
        ProtobufCBinaryData *app_key = &variant.device->lorawan_device->app_key;
        memset(app_key->data, 0, app_key->len);
        DEVICE_AUTO empty;
        ERROR_AUTO error = {0};
        assert_int_equal(variant_convert(&variant, &rules, &empty, &error), -ERROR_DEVICE);
        arena_release(&variant.arena);
    }
}

static void test_names(void **state) {
    (void)state;
    struct variant variant;
    variant_init(&variant, "abp-plain");
    char underscored[] = "my_device_1";
    variant.device->dev_id = underscored;
    struct ttnv2_rules rules = rules_of("EU_863_870_TTN", true, false);
    const struct device_naming naming = {.prefix = "fleet"};
    rules.naming = &naming;
    DEVICE_AUTO device;
    assert_int_equal(variant_convert(&variant, &rules, &device, NULL), 0);
    assert_string_equal(device_id(&device), "fleet-my-device-1");
    assert_string_equal(device.end_device->name, "my_device_1");
    assert_string_equal(device_attribute(&device, "old-id"), "my_device_1");
    arena_release(&variant.arena);
}

static void test_long_ids(void **state) {
    (void)state;
    struct variant variant;
    variant_init(&variant, "abp-plain");
    char id[] = "a-1-a-1-a-1-a-1-a-1-a-1-a-1-a-1-a-1-a-1";
    variant.device->dev_id = id;
    struct ttnv2_rules rules = rules_of("EU_863_870_TTN", true, false);
    DEVICE_AUTO device;
    ERROR_AUTO error = {0};
    assert_int_equal(variant_convert(&variant, &rules, &device, &error), -ERROR_DEVICE);
    assert_non_null(strstr(error.hint, "--set-eui-as-id"));
    const struct device_naming naming = {.eui_as_id = true};
    rules.naming = &naming;
    DEVICE_AUTO named;
    assert_int_equal(variant_convert(&variant, &rules, &named, NULL), 0);
    assert_string_equal(device_id(&named), "eui-0004a30b00100008");
    arena_release(&variant.arena);
}

static void test_hostile_texts(void **state) {
    (void)state;
    struct variant variant;
    variant_init(&variant, "abp-plain");
    uint8_t text[] = {'a', 0xff, 'b', 0, 'c'};
    variant.device->description = (ProtobufCBinaryData){.len = sizeof text, .data = text};
    variant.device->latitude = 91;
    struct ttnv2_rules rules = rules_of("EU_863_870_TTN", true, false);
    DEVICE_AUTO device;
    assert_int_equal(variant_convert(&variant, &rules, &device, NULL), 0);
    assert_string_equal(device.end_device->description,
                        "a\xef\xbf\xbd"
                        "b\xef\xbf\xbd"
                        "c");
    assert_int_equal(device.end_device->n_locations, 0);
    assert_true(device.notes.count >= 2);
    arena_release(&variant.arena);
}

static void test_hostile_records(void **state) {
    (void)state;
    size_t size = 0;
    uint8_t *data = read_wire("abp-plain", &size);
    for (size_t cut = 0; cut < size; cut++) {
        ARENA_AUTO arena = {0};
        ERROR_AUTO error = {0};
        Ttnv2__Device *device = NULL;
        int result = ttnv2_device_read(data, cut, &arena, &device, &error);
        assert_true(result == 0 || error.message != NULL);
    }
    for (unsigned flip = 1; flip < 256; flip++) {
        for (size_t at = 0; at < size; at += 5) {
            ARENA_AUTO arena = {0};
            Ttnv2__Device *device = NULL;
            data[at] ^= (uint8_t)flip;
            if (ttnv2_device_read(data, size, &arena, &device, NULL) == 0) {
                assert_int_equal(device->lorawan_device->dev_eui.len, 8);
                assert_int_equal(device->lorawan_device->app_eui.len, 8);
            }
            data[at] ^= (uint8_t)flip;
        }
    }
    free(data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_devices),
        cmocka_unit_test(test_plans),
        cmocka_unit_test(test_counter_rule),
        cmocka_unit_test(test_abp_without_session_flag),
        cmocka_unit_test(test_incomplete_sessions),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_long_ids),
        cmocka_unit_test(test_hostile_texts),
        cmocka_unit_test(test_hostile_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
