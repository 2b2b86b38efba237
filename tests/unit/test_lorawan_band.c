// SPDX-License-Identifier: Apache-2.0
// Rules that hold in every band, and figures of some, taken from the LoRaWAN Regional Parameters.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
// cmocka needs those before it.
#include <cmocka.h>

#include "lorawan/band.h"

static void check_channels(const struct band *band, const struct band_channel *channels, size_t count) {
    for (size_t i = 0; i < count; i++) {
        assert_true(channels[i].min_data_rate <= channels[i].max_data_rate);
        assert_non_null(band_data_rate(band, channels[i].min_data_rate));
        assert_non_null(band_data_rate(band, channels[i].max_data_rate));
        assert_int_equal(channels[i].frequency % band->freq_multiplier, 0);
    }
}

static void check_rx1(const struct band *band) {
    for (unsigned offset = 0; offset < band->rx1_offset_count; offset++)
        for (unsigned rate = 0; rate < band->rx1_data_rate_count; rate++)
            for (int dwell = 0; dwell < 2; dwell++) {
                int downlink = band_rx1_data_rate(band, rate, offset, dwell);
                assert_true(downlink >= -1 && downlink <= 15);
            }
    assert_int_equal(band_rx1_data_rate(band, band->rx1_data_rate_count, 0, false), -1);
    assert_int_equal(band_rx1_data_rate(band, 0, band->rx1_offset_count, true), -1);
}

static void test_every_band(void **unused) {
    (void)unused;
    unsigned versions = 0;
    for (size_t i = 0; i < band_count(); i++) {
        const struct band *band = band_at(i);
        assert_true(band_known(band->id));
        for (int version = 0; version <= PHY_VERSION_COUNT; version++) {
            if (!band_has_version(band, (enum phy_version)version)) continue;
            assert_ptr_equal(band_find(band->id, (enum phy_version)version), band);
            versions++;
        }
        assert_true(band->uplink_channel_count > 0 && band->downlink_channel_count > 0);
        assert_true(band->uplink_channel_count <= band->max_uplink_channels);
        assert_true(band->downlink_channel_count <= band->max_downlink_channels);
        assert_non_null(band_data_rate(band, band->beacon_data_rate_index));
        assert_non_null(band_data_rate(band, band->max_adr_data_rate_index));
        assert_int_equal(band->tx_offsets[0], 0);
        assert_true(band_tx_power(band, 0) == band->default_max_eirp);
        check_channels(band, band->uplink_channels, band->uplink_channel_count);
        check_channels(band, band->downlink_channels, band->downlink_channel_count);
        check_rx1(band);
    }
    assert_int_equal(versions, 155);
}

static void test_no_such_band(void **unused) {
    (void)unused;
    assert_false(band_known("EU_863_871"));
    assert_false(band_known(""));
    assert_null(band_find("EU_863_871", PHY_V1_0));
    assert_null(band_find("RU_864_870", PHY_V1_0_2_REV_B));  // came with 1.0.3
    assert_null(band_find("EU_863_870", PHY_UNKNOWN));
    assert_null(band_find("EU_863_870", PHY_VERSION_COUNT));
    assert_null(band_find("EU_863_870", (enum phy_version) - 1));
}

static void test_europe(void **unused) {
    (void)unused;
    const struct band *band = band_find("EU_863_870", PHY_V1_0_3_REV_A);
    assert_non_null(band);
    assert_int_equal(band->uplink_channel_count, 3);
    assert_int_equal(band->uplink_channels[2].frequency, 868500000);
    assert_int_equal(band->uplink_channels[2].max_data_rate, 5);
    assert_int_equal(band->rx2_frequency, 869525000);
    assert_int_equal(band->rx2_data_rate_index, 0);
    assert_int_equal(band->max_tx_power_index, 7);
    assert_int_equal(band->sub_band_count, 6);
    assert_false(band->tx_param_setup_req);
    assert_int_equal(band->boot_dwell_uplinks, BAND_UNSET);
    const struct band_data_rate *rate = band_data_rate(band, 6);
    assert_int_equal(rate->modulation, BAND_LORA);
    assert_int_equal(rate->spreading_factor, 7);
    assert_int_equal(rate->bandwidth, 250000);
    assert_string_equal(rate->coding_rate, "4/5");
    rate = band_data_rate(band, 7);
    assert_int_equal(rate->modulation, BAND_FSK);
    assert_int_equal(rate->bandwidth, 50000);
    assert_string_equal(rate->coding_rate, "");
    assert_null(band_data_rate(band, 8));
    assert_int_equal(band_rx1_data_rate(band, 5, 2, false), 3);
    assert_int_equal(band_rx1_data_rate(band, 1, 5, false), 0);
}

// LR-FHSS came with RP002-1.0.2, relays with RP002-1.0.4.
static void test_later_versions(void **unused) {
    (void)unused;
    const struct band *band = band_find("EU_863_870", RP002_V1_0_2);
    const struct band_data_rate *rate = band_data_rate(band, 10);
    assert_int_equal(rate->modulation, BAND_LR_FHSS);
    assert_int_equal(rate->bandwidth, 336000);
    assert_string_equal(rate->coding_rate, "1/3");
    assert_int_equal(band->relay_channel_count, 0);
    band = band_find("EU_863_870", RP002_V1_0_4);
    assert_int_equal(band->relay_channel_count, 2);
    assert_int_equal(band->relay_channels[0].frequency, 865100000);
    assert_int_equal(band->relay_channels[0].ack_frequency, 865300000);
    assert_int_equal(band->relay_channels[0].data_rate_index, 3);
}

static void test_hybrid_bands(void **unused) {
    (void)unused;
    const struct band *us = band_find("US_902_928", PHY_V1_0_2_REV_B);
    assert_int_equal(us->cf_list_type, BAND_CF_LIST_CHANNEL_MASKS);
    assert_int_equal(us->uplink_channel_count, 72);
    assert_int_equal(us->uplink_channels[63].frequency, 914900000);
    assert_int_equal(us->uplink_channels[64].frequency, 903000000);
    assert_int_equal(us->uplink_channels[64].min_data_rate, 4);
    assert_int_equal(us->downlink_channel_count, 8);
    assert_int_equal(us->ping_slot_frequency_count, 8);
    assert_int_equal(us->ping_slot_frequencies[7], 927500000);
    assert_int_equal(us->beacon_frequencies[7], 927500000);
    assert_int_equal(band_rx1_data_rate(us, 4, 0, false), 13);
    assert_int_equal(band_rx1_data_rate(us, 7, 0, false), -1);
    const struct band *as = band_find("AS_923", PHY_V1_0_3_REV_A);
    assert_true(as->tx_param_setup_req);
    assert_int_equal(as->boot_dwell_uplinks, BAND_TRUE);
    assert_int_equal(as->boot_dwell_downlinks, BAND_FALSE);
    assert_int_equal(band_rx1_data_rate(as, 0, 0, false), 0);
    assert_int_equal(band_rx1_data_rate(as, 0, 0, true), 2);
    assert_int_equal(band_data_rate(as, 2)->max_payload, 59);
    assert_int_equal(band_data_rate(as, 2)->max_payload_dwell, 19);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_band),   cmocka_unit_test(test_no_such_band),
        cmocka_unit_test(test_europe),       cmocka_unit_test(test_later_versions),
        cmocka_unit_test(test_hybrid_bands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
