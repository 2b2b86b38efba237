// SPDX-License-Identifier: Apache-2.0
#include "lorawan/band.h"

#include <string.h>

#include "lorawan/tables_p.h"

const struct band *band_find(const char *band_id, enum phy_version version) {
    for (size_t i = 0; i < lorawan_bands_count; i++)
        if (band_has_version(&lorawan_bands[i], version) && strcmp(lorawan_bands[i].id, band_id) == 0)
            return &lorawan_bands[i];
    return NULL;
}

bool band_known(const char *band_id) {
    for (size_t i = 0; i < lorawan_bands_count; i++)
        if (strcmp(lorawan_bands[i].id, band_id) == 0) return true;
    return false;
}

size_t band_count(void) {
    return lorawan_bands_count;
}

const struct band *band_at(size_t index) {
    return &lorawan_bands[index];
}

bool band_has_version(const struct band *band, enum phy_version version) {
    return version > PHY_UNKNOWN && version < PHY_VERSION_COUNT && (band->phy_versions >> version & 1U) != 0;
}

const struct band_data_rate *band_data_rate(const struct band *band, unsigned index) {
    for (size_t i = 0; i < band->data_rate_count; i++)
        if (band->data_rates[i].index == index) return &band->data_rates[i];
    return NULL;
}

float band_tx_power(const struct band *band, unsigned index) {
    return band->default_max_eirp + (float)band->tx_offsets[index];
}

int band_rx1_data_rate(const struct band *band, unsigned uplink_data_rate, unsigned offset, bool dwell_time) {
    if (uplink_data_rate >= band->rx1_data_rate_count || offset >= band->rx1_offset_count) return -1;
    const int8_t *rates = dwell_time ? band->rx1_data_rates_dwell : band->rx1_data_rates;
    return rates[offset * band->rx1_data_rate_count + uplink_data_rate];
}
