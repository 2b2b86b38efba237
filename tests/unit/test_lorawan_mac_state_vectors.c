// SPDX-License-Identifier: Apache-2.0
// The first MAC state of every frequency plan, MAC version and PHY version, as a running server of The Things
// Stack made them: every line is computed again and must come out the same, byte for byte.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka needs those before it.
#include <cmocka.h>

#include "base/buffer.h"
#include "lorawan/mac_state.h"
#include "support/xz.h"

// Writes `"key":` and a separator where one is needed.
static void key(struct buffer *out, const char *name) {
    if (out->data[out->size - 1] != '{') buffer_putc(out, ',');
    buffer_printf(out, "\"%s\":", name);
}

static void number(struct buffer *out, const char *name, unsigned value) {
    if (value == 0) return;
    key(out, name);
    buffer_printf(out, "%u", value);
}

static void frequency(struct buffer *out, const char *name, uint64_t value) {
    if (value == 0) return;
    key(out, name);
    buffer_printf(out, "\"%llu\"", (unsigned long long)value);
}

static void truth(struct buffer *out, const char *name, struct mac_optional value) {
    if (!value.set) return;
    key(out, name);
    buffer_puts(out, value.value != 0 ? "true" : "false");
}

// The shortest decimal that reads back as the same float, without an exponent below 100.
static void real(struct buffer *out, const char *name, float value) {
    char text[32];
    for (int digits = 2; digits <= 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)value);
        if (strtof(text, NULL) == value) break;
    }
    key(out, name);
    buffer_puts(out, text);
}

static void write_channel(struct buffer *out, const struct mac_channel *channel) {
    if (out->data[out->size - 1] != '[') buffer_putc(out, ',');
    buffer_putc(out, '{');
    frequency(out, "uplink_frequency", channel->uplink_frequency);
    frequency(out, "downlink_frequency", channel->downlink_frequency);
    number(out, "min_data_rate_index", channel->min_data_rate_index);
    number(out, "max_data_rate_index", channel->max_data_rate_index);
    if (channel->enable_uplink) {
        key(out, "enable_uplink");
        buffer_puts(out, "true");
    }
    buffer_putc(out, '}');
}

static void write_parameters(struct buffer *out, const char *name, const struct mac_parameters *parameters) {
    key(out, name);
    buffer_putc(out, '{');
    real(out, "max_eirp", parameters->max_eirp);
    number(out, "adr_data_rate_index", parameters->adr_data_rate_index);
    number(out, "adr_tx_power_index", parameters->adr_tx_power_index);
    number(out, "adr_nb_trans", parameters->adr_nb_trans);
    number(out, "rx1_delay", parameters->rx1_delay);
    number(out, "rx1_data_rate_offset", parameters->rx1_data_rate_offset);
    number(out, "rx2_data_rate_index", parameters->rx2_data_rate_index);
    frequency(out, "rx2_frequency", parameters->rx2_frequency);
    number(out, "max_duty_cycle", parameters->max_duty_cycle);
    frequency(out, "ping_slot_frequency", parameters->ping_slot_frequency);
    frequency(out, "beacon_frequency", parameters->beacon_frequency);
    key(out, "channels");
    buffer_putc(out, '[');
    for (size_t i = 0; i < parameters->channel_count; i++) write_channel(out, &parameters->channels[i]);
    buffer_putc(out, ']');
    truth(out, "uplink_dwell_time", parameters->uplink_dwell_time);
    truth(out, "downlink_dwell_time", parameters->downlink_dwell_time);
    key(out, "adr_ack_limit_exponent");
    buffer_printf(out, "\"ADR_ACK_LIMIT_%u\"", 1U << parameters->adr_ack_limit_exponent);
    key(out, "adr_ack_delay_exponent");
    buffer_printf(out, "\"ADR_ACK_DELAY_%u\"", 1U << parameters->adr_ack_delay_exponent);
    key(out, "ping_slot_data_rate_index_value");
    buffer_printf(out, "%u", parameters->ping_slot_data_rate_index);
    buffer_putc(out, '}');
}

static void write_state(struct buffer *out, const struct mac_state *state) {
    buffer_puts(out, "\"mac_state\":{");
    write_parameters(out, "current_parameters", &state->current);
    write_parameters(out, "desired_parameters", &state->desired);
    if (state->device_class != MAC_CLASS_A) number(out, "device_class", state->device_class);
    key(out, "lorawan_version");
    buffer_printf(out, "\"%s\"}", mac_version_name(state->mac_version));
}

// The server's own words for a band without that PHY version.
static void write_error(struct buffer *out, const struct mac_device *device) {
    static const char *const name = "pkg/networkserver/internal:no_band_version";
    buffer_printf(out,
                  "\"error\":\"error:%s (specified version `%s` of band `%s` does not exist)\","
                  "\"error_name\":\"%s\"",
                  name, phy_version_name(device->phy_version), device->plan->band_id, name);
}

static void write_line(struct buffer *out, const struct mac_device *device, unsigned *errors) {
    struct mac_state state;
    struct error error = {0};
    buffer_printf(
        out, "{\"frequency_plan_id\":\"%s\",\"lorawan_version\":\"%s\",\"lorawan_phy_version\":\"%s\",",
        device->plan->id, mac_version_name(device->mac_version), phy_version_name(device->phy_version));
    if (mac_state_first(device, &state, &error) == 0) {
        write_state(out, &state);
    } else {
        assert_int_equal(error.code, ERROR_DEVICE);
        assert_non_null(strstr(error.message, device->plan->id));
        assert_non_null(strstr(error.message, phy_version_text(device->phy_version)));
        write_error(out, device);
        ++*errors;
    }
    error_release(&error);
    buffer_puts(out, "}\n");
}

// The value of a member that is a plain string, cut out of a line.
static void member(const char *line, const char *name, char *value, size_t size) {
    char start[64];
    snprintf(start, sizeof start, "\"%s\":\"", name);
    const char *at = strstr(line, start);
    assert_non_null(at);
    at += strlen(start);
    snprintf(value, size, "%.*s", (int)strcspn(at, "\""), at);
}

static void test_every_recorded_line(void **unused) {
    (void)unused;
    FILE *file = xz_open("vectors/mac-state.jsonl.xz");
    BUFFER_AUTO out = {.limit = BUFFER_UNLIMITED};
    char *line = NULL;
    size_t capacity = 0;
    unsigned lines = 0, errors = 0;
    for (; getline(&line, &capacity, file) > 0; lines++) {
        char plan[80], mac[40], phy[40];
        struct mac_device device = {0};
        member(line, "frequency_plan_id", plan, sizeof plan);
        member(line, "lorawan_version", mac, sizeof mac);
        member(line, "lorawan_phy_version", phy, sizeof phy);
        device.plan = frequency_plans_find(frequency_plans_builtin(), plan);
        assert_non_null(device.plan);
        assert_true(mac_version_parse(mac, &device.mac_version));
        assert_true(phy_version_parse(phy, &device.phy_version));
        buffer_clear(&out);
        write_line(&out, &device, &errors);
        assert_string_equal(buffer_string(&out), line);
    }
    free(line);
    fclose(file);
    assert_int_equal(lines, 5112);
    assert_int_equal(errors, 1002);
}

// The recorded lines leave out no plan, MAC version or PHY version that the program knows.
static void test_nothing_is_left_out(void **unused) {
    (void)unused;
    assert_int_equal(frequency_plans_builtin()->count * (MAC_VERSION_COUNT - 1) * (PHY_VERSION_COUNT - 1),
                     5112);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_recorded_line),
        cmocka_unit_test(test_nothing_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
