// SPDX-License-Identifier: Apache-2.0
// The built-in frequency plans, and that a set of files which says the same becomes the same.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
// cmocka needs those before it.
#include <cmocka.h>

#include "lorawan/frequency_plan.h"

static void test_find(void **unused) {
    (void)unused;
    const struct frequency_plans *plans = frequency_plans_builtin();
    assert_int_equal(plans->count, 71);
    assert_string_equal(plans->plans[0].id, "EU_863_870");
    const struct frequency_plan *plan = frequency_plans_find(plans, "EU_863_870_TTN");
    assert_non_null(plan);
    assert_string_equal(plan->name, "Europe 863-870 MHz (SF9 for RX2 - recommended)");
    assert_string_equal(plan->band_id, "EU_863_870");
    assert_string_equal(plan->base_id, "EU_863_870");
    assert_int_equal(plan->rx2_data_rate, 3);
    assert_int_equal(plan->uplink_channel_count, 8);
    assert_null(frequency_plans_find(plans, "eu_863_870_ttn"));
    assert_null(frequency_plans_find(plans, ""));
    for (size_t i = 0; i < plans->count; i++) {
        assert_true(band_known(plans->plans[i].band_id));
        assert_ptr_equal(frequency_plans_find(plans, plans->plans[i].id), &plans->plans[i]);
    }
}

static void test_suggest(void **unused) {
    (void)unused;
    static const struct {
        const char *id;
        const char *nearest;
    } cases[] = {
        {"EU_863_870_TTM", "EU_863_870_TTN"},
        {"eu-863-870-ttn", "EU_863_870_TTN"},
        {"EU_863_870_", "EU_863_870"},
        {"RU_864_870", "RU_864_870_TTN"},
        {"US_902_928_FSB2", "US_902_928_FSB_2"},
        {"IN_865_876", "IN_865_867"},
        {"lalala", NULL},
        {"", NULL},
        {"EU_863_870_TTN_EU_863_870_TTN_EU_863_870_TTN_EU_863_870_TTN_EU_863_870_TTN", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *nearest = frequency_plans_suggest(frequency_plans_builtin(), cases[i].id);
        if (cases[i].nearest == NULL)
            assert_null(nearest);
        else
            assert_string_equal(nearest, cases[i].nearest);
    }
}

static void write_channels(struct buffer *out, const char *key, const struct band_channel *channels,
                           size_t count) {
    if (count > 0) buffer_printf(out, "%s:\n", key);
    for (size_t i = 0; i < count; i++)
        buffer_printf(out, "- frequency: %u\n  min-data-rate: %u\n  max-data-rate: %u\n  radio: 0\n",
                      channels[i].frequency, channels[i].min_data_rate, channels[i].max_data_rate);
}

static void write_fixed(struct buffer *out, const char *key,
                        const struct frequency_plan_fixed_channel *channel) {
    if (channel->frequency != 0)
        buffer_printf(out, "%s:\n  frequency: %u\n  data-rate: %u\n  radio: 1\n", key, channel->frequency,
                      channel->data_rate);
}

static void write_dwell_time(struct buffer *out, const struct frequency_plan *plan) {
    static const char *const words[] = {[BAND_FALSE] = "false", [BAND_TRUE] = "true"};
    if (plan->dwell_uplinks == BAND_UNSET && plan->dwell_downlinks == BAND_UNSET) return;
    buffer_puts(out, "dwell-time:\n");
    if (plan->dwell_uplinks != BAND_UNSET) buffer_printf(out, "  uplinks: %s\n", words[plan->dwell_uplinks]);
    if (plan->dwell_downlinks != BAND_UNSET)
        buffer_printf(out, "  downlinks: %s\n", words[plan->dwell_downlinks]);
    if (plan->dwell_duration != 0)
        buffer_printf(out, "  duration: %lldms\n", (long long)plan->dwell_duration / 1000000);
}

static void write_sub_bands(struct buffer *out, const struct frequency_plan *plan) {
    if (plan->sub_band_count > 0) buffer_puts(out, "sub-bands:\n");
    for (size_t i = 0; i < plan->sub_band_count; i++)
        buffer_printf(out, "- min-frequency: %u\n  max-frequency: %u\n  duty-cycle: %.9g\n  max-eirp: %.9g\n",
                      plan->sub_bands[i].min_frequency, plan->sub_bands[i].max_frequency,
                      (double)plan->sub_bands[i].duty_cycle, (double)plan->sub_bands[i].max_eirp);
}

// A plan as the file that says the same.
static void write_plan(struct buffer *out, const struct frequency_plan *plan) {
    buffer_printf(out, "band-id: %s\n", plan->band_id);
    write_channels(out, "uplink-channels", plan->uplink_channels, plan->uplink_channel_count);
    write_channels(out, "downlink-channels", plan->downlink_channels, plan->downlink_channel_count);
    write_fixed(out, "lora-standard-channel", &plan->lora_standard_channel);
    write_fixed(out, "fsk-channel", &plan->fsk_channel);
    write_dwell_time(out, plan);
    write_sub_bands(out, plan);
    if (plan->max_eirp != 0) buffer_printf(out, "max-eirp: %.9g\n", (double)plan->max_eirp);
    if (plan->rx2_frequency != 0)
        buffer_printf(out, "rx2-channel: {frequency: %u, radio: 0}\n", plan->rx2_frequency);
    if (plan->rx2_data_rate >= 0) buffer_printf(out, "rx2-default-data-rate: %d\n", plan->rx2_data_rate);
    if (plan->listen_before_talk)
        buffer_printf(out, "listen-before-talk: {rssi-target: %g, rssi-offset: %g, scan-time: %lld}\n",
                      (double)plan->lbt_rssi_target, (double)plan->lbt_rssi_offset,
                      (long long)plan->lbt_scan_time);
}

static int write_file(void *context, const char *name, struct buffer *content, struct error *error) {
    const struct frequency_plans *plans = context;
    if (strcmp(name, "frequency-plans.yml") != 0) {
        char id[FREQUENCY_PLAN_ID_MAX + 1] = {0};
        memcpy(id, name, strcspn(name, "."));
        const struct frequency_plan *plan = frequency_plans_find(plans, id);
        if (plan == NULL) return error_set(error, ERROR_NOT_FOUND, "there is no %s", name);
        write_plan(content, plan);
        return 0;
    }
    for (size_t i = 0; i < plans->count; i++) {
        const struct frequency_plan *plan = &plans->plans[i];
        buffer_printf(content, "- id: %s\n  name: \"%s\"\n  file: %s.yml\n", plan->id, plan->name, plan->id);
        buffer_printf(content, "  country-codes: [de, fr]\n  base-frequency: 868\n");
        if (plan->gateways) buffer_puts(content, "  gateways: true\n");
        if (!plan->end_devices) buffer_puts(content, "  end-devices: false\n");
        if (plan->base_id != NULL) buffer_printf(content, "  base-id: %s\n", plan->base_id);
    }
    return 0;
}

static void assert_same_channels(const struct band_channel *a, const struct band_channel *b, size_t count) {
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(a[i].frequency, b[i].frequency);
        assert_int_equal(a[i].min_data_rate, b[i].min_data_rate);
        assert_int_equal(a[i].max_data_rate, b[i].max_data_rate);
    }
}

static void assert_same_radio(const struct frequency_plan *a, const struct frequency_plan *b) {
    assert_int_equal(a->uplink_channel_count, b->uplink_channel_count);
    assert_int_equal(a->downlink_channel_count, b->downlink_channel_count);
    assert_same_channels(a->uplink_channels, b->uplink_channels, a->uplink_channel_count);
    assert_same_channels(a->downlink_channels, b->downlink_channels, a->downlink_channel_count);
    assert_int_equal(a->lora_standard_channel.frequency, b->lora_standard_channel.frequency);
    assert_int_equal(a->lora_standard_channel.data_rate, b->lora_standard_channel.data_rate);
    assert_int_equal(a->fsk_channel.frequency, b->fsk_channel.frequency);
    assert_int_equal(a->fsk_channel.data_rate, b->fsk_channel.data_rate);
    assert_int_equal(a->sub_band_count, b->sub_band_count);
    for (size_t i = 0; i < a->sub_band_count; i++) {
        assert_int_equal(a->sub_bands[i].min_frequency, b->sub_bands[i].min_frequency);
        assert_int_equal(a->sub_bands[i].max_frequency, b->sub_bands[i].max_frequency);
        assert_true(a->sub_bands[i].duty_cycle == b->sub_bands[i].duty_cycle);
        assert_true(a->sub_bands[i].max_eirp == b->sub_bands[i].max_eirp);
    }
}

static void assert_same_plan(const struct frequency_plan *a, const struct frequency_plan *b) {
    assert_string_equal(a->id, b->id);
    assert_string_equal(a->name, b->name);
    assert_string_equal(a->band_id, b->band_id);
    assert_int_equal(a->base_id == NULL, b->base_id == NULL);
    if (a->base_id != NULL) assert_string_equal(a->base_id, b->base_id);
    assert_int_equal(a->end_devices, b->end_devices);
    assert_int_equal(a->gateways, b->gateways);
    assert_same_radio(a, b);
    assert_int_equal(a->rx2_frequency, b->rx2_frequency);
    assert_int_equal(a->rx2_data_rate, b->rx2_data_rate);
    assert_int_equal(a->ping_slot_frequency, b->ping_slot_frequency);
    assert_int_equal(a->ping_slot_data_rate, b->ping_slot_data_rate);
    assert_int_equal(a->dwell_uplinks, b->dwell_uplinks);
    assert_int_equal(a->dwell_downlinks, b->dwell_downlinks);
    assert_int_equal(a->dwell_duration, b->dwell_duration);
    assert_true(a->max_eirp == b->max_eirp);
    assert_int_equal(a->listen_before_talk, b->listen_before_talk);
    assert_true(a->lbt_rssi_target == b->lbt_rssi_target);
    assert_true(a->lbt_rssi_offset == b->lbt_rssi_offset);
    assert_int_equal(a->lbt_scan_time, b->lbt_scan_time);
}

static void assert_same_set(const struct frequency_plans *loaded, const struct frequency_plans *builtin) {
    for (size_t i = 0; i < loaded->count; i++) {
        const struct frequency_plan *plan = frequency_plans_find(builtin, loaded->plans[i].id);
        assert_non_null(plan);
        assert_same_plan(&loaded->plans[i], plan);
    }
}

static void test_files_that_say_the_same(void **unused) {
    (void)unused;
    struct frequency_plans builtin = *frequency_plans_builtin();
    struct frequency_plans *plans = NULL;
    struct error error = {0};
    assert_int_equal(frequency_plans_load(write_file, &builtin, &plans, &error), 0);
    assert_int_equal(plans->count, builtin.count);
    assert_same_set(plans, &builtin);
    frequency_plans_free(plans);
}

// A directory as people write it, with bases that others are laid over.
static void test_directory(void **unused) {
    (void)unused;
    struct frequency_plans *plans = NULL;
    struct error error = {0};
    int result = frequency_plans_load_directory(TEST_DATA "/vectors/frequency-plans", &plans, &error);
    assert_int_equal(result, 0);
    assert_int_equal(plans->count, 7);
    assert_string_equal(plans->plans[0].id, "EU_863_870");
    assert_string_equal(plans->plans[6].id, "UZ_923_1");
    assert_same_set(plans, frequency_plans_builtin());
    frequency_plans_free(plans);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_suggest),
        cmocka_unit_test(test_files_that_say_the_same),
        cmocka_unit_test(test_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
