// SPDX-License-Identifier: Apache-2.0
// What MAC settings, classes and a plan's rarer keys do to the first MAC state. The plain cases are in
// test_lorawan_mac_state_vectors.c.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
// cmocka needs those before it.
#include <cmocka.h>

#include "lorawan/mac_state.h"

#define SET(number) \
    { .set = true, .value = (number) }

static struct mac_device european(const struct mac_settings *settings) {
    return (struct mac_device){
        .plan = frequency_plans_find(frequency_plans_builtin(), "EU_863_870_TTN"),
        .phy_version = PHY_V1_0_3_REV_A,
        .mac_version = MAC_V1_0_3,
        .settings = settings,
    };
}

static struct mac_state compute(const struct mac_device *device) {
    struct mac_state state = {0};
    struct error error = {0};
    assert_int_equal(mac_state_first(device, &state, &error), 0);
    assert_false(error_is_set(&error));
    return state;
}

static void assert_same_channels(const struct mac_parameters *a, const struct mac_parameters *b) {
    assert_int_equal(a->channel_count, b->channel_count);
    for (size_t i = 0; i < a->channel_count; i++) {
        assert_int_equal(a->channels[i].uplink_frequency, b->channels[i].uplink_frequency);
        assert_int_equal(a->channels[i].downlink_frequency, b->channels[i].downlink_frequency);
        assert_int_equal(a->channels[i].min_data_rate_index, b->channels[i].min_data_rate_index);
        assert_int_equal(a->channels[i].max_data_rate_index, b->channels[i].max_data_rate_index);
        assert_int_equal(a->channels[i].enable_uplink, b->channels[i].enable_uplink);
    }
}

static void assert_same(const struct mac_parameters *a, const struct mac_parameters *b) {
    assert_true(a->max_eirp == b->max_eirp);
    assert_int_equal(a->rx1_delay, b->rx1_delay);
    assert_int_equal(a->rx1_data_rate_offset, b->rx1_data_rate_offset);
    assert_int_equal(a->rx2_data_rate_index, b->rx2_data_rate_index);
    assert_int_equal(a->rx2_frequency, b->rx2_frequency);
    assert_int_equal(a->max_duty_cycle, b->max_duty_cycle);
    assert_int_equal(a->ping_slot_frequency, b->ping_slot_frequency);
    assert_int_equal(a->beacon_frequency, b->beacon_frequency);
    assert_int_equal(a->adr_ack_limit_exponent, b->adr_ack_limit_exponent);
    assert_int_equal(a->adr_ack_delay_exponent, b->adr_ack_delay_exponent);
    assert_int_equal(a->ping_slot_data_rate_index, b->ping_slot_data_rate_index);
    assert_same_channels(a, b);
}

static void refuse(const struct mac_device *device, const char *text) {
    struct mac_state state, before;
    memset(&state, 0x5A, sizeof state);
    memset(&before, 0x5A, sizeof before);
    struct error error = {0};
    assert_int_equal(mac_state_first(device, &state, &error), -ERROR_DEVICE);
    assert_non_null(strstr(error.message, text));
    assert_memory_equal(&state, &before, sizeof state);
    error_release(&error);
}

// A setting about the present counts for both; one about the wish for the wish alone.
static void test_settings_of_the_present(void **unused) {
    (void)unused;
    const struct mac_settings settings = {
        .rx1_delay = SET(5),
        .rx1_data_rate_offset = SET(2),
        .rx2_data_rate_index = SET(4),
        .max_duty_cycle = SET(7),
        .ping_slot_periodicity = SET(0),
        .ping_slot_data_rate_index = SET(2),
        .rx2_frequency = 868100000,
        .ping_slot_frequency = 868200000,
        .beacon_frequency = 868300000,
    };
    struct mac_device device = european(&settings);
    struct mac_state state = compute(&device);
    const struct mac_parameters *both[] = {&state.current, &state.desired};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(both[i]->rx1_delay, 5);
        assert_int_equal(both[i]->rx1_data_rate_offset, 2);
        assert_int_equal(both[i]->max_duty_cycle, 7);
        assert_int_equal(both[i]->ping_slot_data_rate_index, 2);
        assert_int_equal(both[i]->rx2_frequency, 868100000);
        assert_int_equal(both[i]->ping_slot_frequency, 868200000);
        assert_int_equal(both[i]->beacon_frequency, 868300000);
    }
    assert_int_equal(state.current.rx2_data_rate_index, 4);
    assert_int_equal(state.desired.rx2_data_rate_index, 3);  // the plan's own wish
    assert_true(state.ping_slot_periodicity.set);
    assert_int_equal(state.ping_slot_periodicity.value, 0);
}

static void test_settings_of_the_wish(void **unused) {
    (void)unused;
    const struct mac_settings settings = {
        .desired_rx1_delay = SET(6),
        .desired_rx1_data_rate_offset = SET(1),
        .desired_rx2_data_rate_index = SET(0),
        .desired_max_duty_cycle = SET(3),
        .desired_adr_ack_limit_exponent = SET(2),
        .desired_adr_ack_delay_exponent = SET(1),
        .desired_ping_slot_data_rate_index = SET(5),
        .desired_max_eirp = SET(3),
        .desired_rx2_frequency = 868700000,
        .desired_ping_slot_frequency = 868800000,
        .desired_beacon_frequency = 868900000,
    };
    struct mac_device plain = european(NULL), device = european(&settings);
    struct mac_state before = compute(&plain), state = compute(&device);
    assert_same(&state.current, &before.current);
    assert_int_equal(state.desired.rx1_delay, 6);
    assert_int_equal(state.desired.rx1_data_rate_offset, 1);
    assert_int_equal(state.desired.rx2_data_rate_index, 0);
    assert_int_equal(state.desired.max_duty_cycle, 3);
    assert_int_equal(state.desired.adr_ack_limit_exponent, 2);
    assert_int_equal(state.desired.adr_ack_delay_exponent, 1);
    assert_int_equal(state.desired.ping_slot_data_rate_index, 5);
    assert_true(state.desired.max_eirp == 13.0F);
    assert_int_equal(state.desired.rx2_frequency, 868700000);
    assert_int_equal(state.desired.ping_slot_frequency, 868800000);
    assert_int_equal(state.desired.beacon_frequency, 868900000);
    assert_false(state.ping_slot_periodicity.set);
}

static void test_dwell_time(void **unused) {
    (void)unused;
    const struct mac_settings settings = {.uplink_dwell_time = SET(1), .downlink_dwell_time = SET(0)};
    struct mac_device device = european(&settings);
    struct mac_state state = compute(&device);  // no TxParamSetupReq in this band
    assert_false(state.current.uplink_dwell_time.set);
    assert_false(state.desired.uplink_dwell_time.set);
    device.plan = frequency_plans_find(frequency_plans_builtin(), "AS_923_NDT");
    state = compute(&device);
    assert_true(state.current.uplink_dwell_time.set && state.current.uplink_dwell_time.value == 1);
    assert_true(state.current.downlink_dwell_time.set && state.current.downlink_dwell_time.value == 0);
    assert_true(state.desired.uplink_dwell_time.set && state.desired.uplink_dwell_time.value == 0);
    device.plan = frequency_plans_find(frequency_plans_builtin(), "AS_923");
    state = compute(&device);  // the plan says nothing
    assert_true(state.desired.uplink_dwell_time.set && state.desired.uplink_dwell_time.value == 1);
}

static void test_factory_presets(void **unused) {
    (void)unused;
    static const uint64_t presets[] = {868300000, 867100000, 866000000};
    const struct mac_settings settings = {.factory_preset_frequencies = presets,
                                          .factory_preset_frequency_count = 3};
    struct mac_device device = european(&settings);
    struct mac_state state = compute(&device);
    const struct mac_channel *channels = state.current.channels;
    assert_int_equal(state.current.channel_count, 5);
    assert_false(channels[0].enable_uplink);
    assert_true(channels[1].enable_uplink);
    assert_false(channels[2].enable_uplink);
    assert_int_equal(channels[3].uplink_frequency, 867100000);
    assert_int_equal(channels[3].downlink_frequency, 867100000);
    assert_int_equal(channels[3].min_data_rate_index, 0);
    assert_int_equal(channels[3].max_data_rate_index, 5);
    assert_true(channels[3].enable_uplink && channels[4].enable_uplink);
    channels = state.desired.channels;
    assert_int_equal(state.desired.channel_count, 9);  // 5, and 4 more of the plan
    assert_true(channels[0].enable_uplink && channels[3].enable_uplink);
    assert_false(channels[4].enable_uplink);  // 866 MHz is not in the plan
    assert_int_equal(channels[5].uplink_frequency, 867300000);
}

static void test_factory_presets_with_masks(void **unused) {
    (void)unused;
    static const uint64_t presets[] = {903900000, 999000000};
    const struct mac_settings settings = {.factory_preset_frequencies = presets,
                                          .factory_preset_frequency_count = 2};
    struct mac_device device = european(&settings);
    device.plan = frequency_plans_find(frequency_plans_builtin(), "US_902_928_FSB_2");
    struct mac_state state = compute(&device);
    assert_int_equal(state.current.channel_count, 72);
    for (size_t i = 0; i < 72; i++) {
        assert_int_equal(state.current.channels[i].enable_uplink, i == 8);
        assert_int_equal(state.desired.channels[i].enable_uplink, (i >= 8 && i < 16) || i == 65);
    }
}

static void test_too_many_channels(void **unused) {
    (void)unused;
    uint64_t presets[MAC_FACTORY_FREQUENCIES_MAX + 1];
    struct mac_settings settings = {.factory_preset_frequencies = presets,
                                    .factory_preset_frequency_count = 13};
    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++) presets[i] = 863000000 + i * 1000;
    struct mac_device device = european(&settings);
    refuse(&device, "more than the 16 channels that band EU_863_870 allows");  // with the plan's
    settings.factory_preset_frequency_count = 14;
    refuse(&device, "more than the 16 channels");  // by themselves
    settings.factory_preset_frequency_count = MAC_FACTORY_FREQUENCIES_MAX + 1;
    refuse(&device, "more than 96 factory preset frequencies");
    settings.factory_preset_frequency_count = 8;
    assert_int_equal(compute(&device).desired.channel_count, 16);
}

static void test_classes(void **unused) {
    (void)unused;
    struct mac_device device = european(NULL);
    device.supports_class_b = true;
    assert_int_equal(compute(&device).device_class, MAC_CLASS_A);
    device.supports_class_c = true;
    assert_int_equal(compute(&device).device_class, MAC_CLASS_C);
    device.mac_version = MAC_V1_0_4;
    assert_int_equal(compute(&device).device_class, MAC_CLASS_C);
    device.mac_version = MAC_V1_1;  // such a device says itself when it is in class C
    assert_int_equal(compute(&device).device_class, MAC_CLASS_A);
}

static void test_multicast(void **unused) {
    (void)unused;
    struct mac_device device = european(NULL);
    device.multicast = true;
    refuse(&device, "multicast");
    device.supports_class_b = true;
    assert_int_equal(compute(&device).device_class, MAC_CLASS_B);
    device.supports_class_c = true;
    device.mac_version = MAC_V1_1;
    struct mac_state state = compute(&device);
    assert_int_equal(state.device_class, MAC_CLASS_C);
    assert_same(&state.current, &state.desired);
    assert_int_equal(state.current.channel_count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(state.current.channels[i].uplink_frequency, 0);
        assert_int_equal(state.current.channels[i].downlink_frequency, 868100000 + i * 200000);
        assert_false(state.current.channels[i].enable_uplink);
    }
}

// Keys that no built-in plan has today.
static void test_rare_plan_keys(void **unused) {
    (void)unused;
    struct mac_device device = european(NULL);
    struct frequency_plan plan = *device.plan;
    device.plan = &plan;
    plan.ping_slot_frequency = 869000000;
    plan.ping_slot_data_rate = 0;
    plan.rx2_frequency = 869100000;
    plan.max_eirp = 14;
    struct mac_state state = compute(&device);
    assert_int_equal(state.current.ping_slot_frequency, 869525000);
    assert_int_equal(state.desired.ping_slot_frequency, 869000000);
    assert_int_equal(state.current.ping_slot_data_rate_index, 3);
    assert_int_equal(state.desired.ping_slot_data_rate_index, 0);
    assert_int_equal(state.desired.rx2_frequency, 869100000);
    assert_true(state.current.max_eirp == 16.0F && state.desired.max_eirp == 14.0F);
    plan.max_eirp = 27;
    assert_true(compute(&device).desired.max_eirp == 16.0F);
    plan.max_eirp = -1;
    assert_true(compute(&device).desired.max_eirp == 16.0F);
}

static void test_refusals(void **unused) {
    (void)unused;
    struct mac_settings settings = {.desired_max_eirp = SET(16)};
    struct mac_device device = european(&settings);
    refuse(&device, "desired_max_eirp is 16, more than 15");
    settings = (struct mac_settings){.rx1_data_rate_offset = SET(8)};
    refuse(&device, "rx1_data_rate_offset is 8, more than 7");
    device = european(NULL);
    device.mac_version = MAC_UNKNOWN;
    refuse(&device, "MAC version");
    device = european(NULL);
    device.phy_version = PHY_UNKNOWN;
    refuse(&device, "frequency plan EU_863_870_TTN: band EU_863_870 has no PHY version unknown");
    device.plan = frequency_plans_find(frequency_plans_builtin(), "RU_864_870_TTN");
    device.phy_version = PHY_V1_0_2_REV_B;
    refuse(&device, "frequency plan RU_864_870_TTN: band RU_864_870 has no PHY version 1.0.2 rev B");
}

static void test_eirp_table(void **unused) {
    (void)unused;
    assert_true(mac_device_eirp(0) == 8.0F);
    assert_true(mac_device_eirp(5) == 16.0F);
    assert_true(mac_device_eirp(15) == 36.0F);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settings_of_the_present),
        cmocka_unit_test(test_settings_of_the_wish),
        cmocka_unit_test(test_dwell_time),
        cmocka_unit_test(test_factory_presets),
        cmocka_unit_test(test_factory_presets_with_masks),
        cmocka_unit_test(test_too_many_channels),
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_multicast),
        cmocka_unit_test(test_rare_plan_keys),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_eirp_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
