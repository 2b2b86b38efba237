// SPDX-License-Identifier: Apache-2.0
// Bands: what the LoRaWAN Regional Parameters fix for a region, one set for each PHY version. The tables
// are made by the build from data/bands.txt, whose facts are those of The Things Stack's public band
// definitions. All of it is constant.
#ifndef LORAWAN_BAND_H
#define LORAWAN_BAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lorawan/versions.h"

// A channel of a band or a frequency plan. Frequencies are in Hz everywhere.
struct band_channel {
    uint32_t frequency;
    uint8_t min_data_rate;
    uint8_t max_data_rate;
};

enum band_modulation { BAND_LORA, BAND_FSK, BAND_LR_FHSS };

struct band_data_rate {
    uint8_t index;              // DR0...DR15; indices may be missing in between
    uint8_t modulation;         // enum band_modulation
    uint8_t spreading_factor;   // LoRa only
    uint8_t max_payload;        // bytes of MAC payload without limited dwell time
    uint8_t max_payload_dwell;  // bytes with limited dwell time; 0 = not allowed
    char coding_rate[6];        // "4/5", "4/8LI", "1/3"; "" for FSK
    uint32_t bandwidth;         // Hz: LoRa bandwidth, LR-FHSS operating channel width; FSK: bit/s
};

struct band_sub_band {
    uint32_t min_frequency;
    uint32_t max_frequency;
    float duty_cycle;  // 0...1; 0 = not stated
    float max_eirp;    // dBm; 0 = not stated
};

// A channel for the wake-on-radio of relays.
struct band_relay_channel {
    uint32_t frequency;
    uint32_t ack_frequency;
    uint8_t data_rate_index;
};

enum band_cf_list_type { BAND_CF_LIST_FREQUENCIES, BAND_CF_LIST_CHANNEL_MASKS };

// A truth value that may be left open.
enum band_tristate { BAND_UNSET, BAND_FALSE, BAND_TRUE };

// The parameters of a band in one or more PHY versions that agree in all of them.
struct band {
    const char *id;         // "EU_863_870"
    uint16_t phy_versions;  // bit n set: valid for the PHY version with number n

    uint8_t uplink_channel_count;
    uint8_t downlink_channel_count;
    uint8_t max_uplink_channels;
    uint8_t max_downlink_channels;
    uint8_t data_rate_count;
    uint8_t sub_band_count;
    uint8_t ping_slot_frequency_count;
    uint8_t beacon_frequency_count;
    uint8_t relay_channel_count;
    uint8_t rx1_offset_count;     // rows of the rx1 tables
    uint8_t rx1_data_rate_count;  // columns of the rx1 tables: uplink data rates from 0 on

    const struct band_channel *uplink_channels;    // the default channels
    const struct band_channel *downlink_channels;  // uplink channel i is answered on i modulo their number
    const struct band_data_rate *data_rates;       // by rising index
    const struct band_sub_band *sub_bands;
    const int8_t *tx_offsets;  // dB relative to default_max_eirp, by TX power index
    const uint32_t *ping_slot_frequencies;
    const uint32_t *beacon_frequencies;
    const struct band_relay_channel *relay_channels;
    const int8_t *rx1_data_rates;        // rows by offset, columns by uplink data rate; -1 = none
    const int8_t *rx1_data_rates_dwell;  // the same with limited downlink dwell time

    float default_max_eirp;  // dBm
    uint32_t rx2_frequency;
    uint8_t rx2_data_rate_index;
    uint8_t beacon_data_rate_index;
    char beacon_coding_rate[6];
    uint8_t cf_list_type;          // enum band_cf_list_type
    bool implements_cf_list;       //
    bool supports_dynamic_adr;     //
    bool tx_param_setup_req;       // the MAC command TxParamSetupReq exists in the band
    bool strict_coding_rate;       //
    uint8_t boot_dwell_uplinks;    // enum band_tristate: dwell time in force when a device starts
    uint8_t boot_dwell_downlinks;  // enum band_tristate
    uint8_t max_adr_data_rate_index;
    uint8_t max_tx_power_index;      // tx_offsets has one more
    uint8_t freq_multiplier;         // Hz for each step of a frequency on the air
    uint8_t receive_delay_1;         // s
    uint8_t receive_delay_2;         // s
    uint8_t join_accept_delay_1;     // s
    uint8_t join_accept_delay_2;     // s
    uint8_t min_retransmit_timeout;  // s
    uint8_t max_retransmit_timeout;  // s
    uint8_t adr_ack_limit_exponent;  // 2^n frames
    uint8_t adr_ack_delay_exponent;  // 2^n frames
    uint16_t max_fcnt_gap;
};

// The band in that PHY version, or NULL. `band_known` tells whether it exists in any version.
const struct band *band_find(const char *band_id, enum phy_version version);
bool band_known(const char *band_id);

// All parameter sets, those of one band side by side: `for (i = 0; i < band_count(); i++) band_at(i)`.
size_t band_count(void);
const struct band *band_at(size_t index);

// True if `band` holds for that PHY version.
bool band_has_version(const struct band *band, enum phy_version version);

// The data rate with that index, or NULL.
const struct band_data_rate *band_data_rate(const struct band *band, unsigned index);

// EIRP in dBm for a TX power index; index must be at most max_tx_power_index.
float band_tx_power(const struct band *band, unsigned index);

// The downlink data rate in RX1, or -1 where the band has none.
int band_rx1_data_rate(const struct band *band, unsigned uplink_data_rate, unsigned offset, bool dwell_time);

#endif
