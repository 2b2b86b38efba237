// SPDX-License-Identifier: Apache-2.0
// The first MAC state as a message: all recorded ones byte for byte as JSON, and what becomes of a device's
// own settings.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka needs those before it.
#include <cmocka.h>

#include "device/device.h"
#include "device/json_write.h"
#include "device/mac_state_message.h"
#include "device/message.h"
#include "support/xz.h"

// The value of a member that is a plain string, cut out of a line.
static void member(const char *line, const char *name, char *value, size_t size) {
    char start[64];
    snprintf(start, sizeof start, "\"%s\":\"", name);
    const char *at = strstr(line, start);
    assert_non_null(at);
    at += strlen(start);
    snprintf(value, size, "%.*s", (int)strcspn(at, "\""), at);
}

static void read_device(struct device *device, const char *line) {
    char plan[80], mac[40], phy[40];
    enum mac_version mac_version;
    enum phy_version phy_version;
    member(line, "frequency_plan_id", plan, sizeof plan);
    member(line, "lorawan_version", mac, sizeof mac);
    member(line, "lorawan_phy_version", phy, sizeof phy);
    assert_true(mac_version_parse(mac, &mac_version));
    assert_true(phy_version_parse(phy, &phy_version));
    device_set_text(device, &device->end_device->frequency_plan_id, plan);
    device->end_device->lorawan_version = (Tts__MACVersion)mac_version;
    device->end_device->lorawan_phy_version = (Tts__PHYVersion)phy_version;
}

static void check_line(const char *line) {
    DEVICE_AUTO device;
    BUFFER_AUTO json = {.limit = BUFFER_UNLIMITED};
    struct error error = {0};
    Tts__MACState *state = NULL;
    const char *expected = strstr(line, "\"mac_state\":");
    device_init(&device);
    read_device(&device, line);
    int result =
        device_first_mac_state(device.end_device, frequency_plans_builtin(), &device.arena, &state, &error);
    if (expected == NULL) {
        assert_int_equal(result, -ERROR_DEVICE);
        error_release(&error);
        return;
    }
    assert_int_equal(result, 0);
    message_json_write(&state->base, &json);
    expected += strlen("\"mac_state\":");
    assert_int_equal(strlen(expected), json.size + 2);  // and "}\n" of the line
    assert_memory_equal(expected, json.data, json.size);
}

static void test_every_recorded_line(void **unused) {
    (void)unused;
    FILE *file = xz_open("vectors/mac-state.jsonl.xz");
    char *line = NULL;
    size_t capacity = 0;
    unsigned lines = 0;
    for (; getline(&line, &capacity, file) > 0; lines++) check_line(line);
    free(line);
    fclose(file);
    assert_int_equal(lines, 5112);
}

static void prepare(struct device *device) {
    device_init(device);
    device_set_text(device, &device->end_device->frequency_plan_id, "EU_863_870_TTN");
    device->end_device->lorawan_version = TTS__MACVERSION__MAC_V1_0_3;
    device->end_device->lorawan_phy_version = TTS__PHYVERSION__PHY_V1_0_3_REV_A;
    device->end_device->mac_settings = message_new(&device->arena, &tts__macsettings__descriptor);
}

static void test_settings_and_class(void **unused) {
    (void)unused;
    DEVICE_AUTO device;
    Tts__MACState *state = NULL;
    uint64_t presets[] = {868300000};
    prepare(&device);
    Tts__MACSettings *settings = device.end_device->mac_settings;
    settings->rx1_delay = message_new(&device.arena, &tts__rx_delay_value__descriptor);
    settings->rx1_delay->value = TTS__RX_DELAY__RX_DELAY_5;
    settings->desired_rx2_frequency = message_new(&device.arena, &tts__frequency_value__descriptor);
    settings->desired_rx2_frequency->value = 868500000;
    settings->ping_slot_periodicity = message_new(&device.arena, &tts__ping_slot_period_value__descriptor);
    settings->ping_slot_periodicity->value = TTS__PING_SLOT_PERIOD__PING_EVERY_8S;
    settings->factory_preset_frequencies = presets;
    settings->n_factory_preset_frequencies = 1;
    device.end_device->supports_class_c = true;
    assert_int_equal(
        device_first_mac_state(device.end_device, frequency_plans_builtin(), &device.arena, &state, NULL), 0);
    assert_int_equal(state->device_class, TTS__CLASS__CLASS_C);
    assert_int_equal(state->lorawan_version, TTS__MACVERSION__MAC_V1_0_3);
    assert_int_equal(state->ping_slot_periodicity->value, TTS__PING_SLOT_PERIOD__PING_EVERY_8S);
    assert_int_equal(state->current_parameters->rx1_delay, 5);
    assert_int_equal(state->desired_parameters->rx1_delay, 5);
    assert_int_equal(state->current_parameters->rx2_frequency, 869525000);
    assert_int_equal(state->desired_parameters->rx2_frequency, 868500000);
    assert_int_equal(state->current_parameters->n_channels, 3);
    assert_false(state->current_parameters->channels[0]->enable_uplink);
    assert_true(state->current_parameters->channels[1]->enable_uplink);
    assert_null(state->current_parameters->uplink_dwell_time);
}

static void test_refusals(void **unused) {
    (void)unused;
    DEVICE_AUTO device;
    Tts__MACState *state = NULL;
    struct error error = {0};
    prepare(&device);
    device_set_text(&device, &device.end_device->frequency_plan_id, "EU_863_870_TTM");
    assert_int_equal(
        device_first_mac_state(device.end_device, frequency_plans_builtin(), &device.arena, &state, &error),
        -ERROR_DEVICE);
    assert_string_equal(error.message, "frequency plan \"EU_863_870_TTM\" is unknown");
    assert_string_equal(error.hint, "Did you mean EU_863_870_TTN?");
    error_release(&error);
    device_set_text(&device, &device.end_device->frequency_plan_id, "EU_863_870_TTN");
    Tts__MACSettings *settings = device.end_device->mac_settings;
    settings->rx1_delay = message_new(&device.arena, &tts__rx_delay_value__descriptor);
    settings->rx1_delay->value = (Tts__RxDelay)-1;
    assert_int_equal(
        device_first_mac_state(device.end_device, frequency_plans_builtin(), &device.arena, &state, &error),
        -ERROR_DEVICE);
    assert_non_null(strstr(error.message, "rx1_delay"));
    assert_null(state);
    error_release(&error);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_recorded_line),
        cmocka_unit_test(test_settings_and_class),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
