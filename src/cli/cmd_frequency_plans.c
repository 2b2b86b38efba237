// SPDX-License-Identifier: Apache-2.0
// The command `frequency-plans`: which plans there are, and what is in one.
#include <inttypes.h>

#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/console.h"
#include "cli/output.h"
#include "cli/plans.h"
#include "cli/printable.h"
#include "cli/signals.h"

// Widest ID and band of the built-in plans, and two spaces; longer ones push their line.
enum { ID_WIDTH = 32, BAND_WIDTH = 16, LABEL_WIDTH = 20 };

// ---- for programs

static json_t *fixed_channel_json(const struct frequency_plan_fixed_channel *channel) {
    if (channel->frequency == 0) return json_null();
    json_t *object = json_object();
    json_object_set_new(object, "frequency", json_integer(channel->frequency));
    json_object_set_new(object, "data_rate", json_integer(channel->data_rate));
    return object;
}

static json_t *channels_json(const struct band_channel *channels, size_t count) {
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *object = json_object();
        json_object_set_new(object, "frequency", json_integer(channels[i].frequency));
        json_object_set_new(object, "min_data_rate", json_integer(channels[i].min_data_rate));
        json_object_set_new(object, "max_data_rate", json_integer(channels[i].max_data_rate));
        json_array_append_new(list, object);
    }
    return list;
}

static json_t *summary_json(const struct frequency_plan *plan) {
    json_t *object = json_object();
    json_object_set_new(object, "id", json_string(plan->id));
    json_object_set_new(object, "name", json_string(plan->name));
    json_object_set_new(object, "band_id", json_string(plan->band_id));
    json_object_set_new(object, "base_id", plan->base_id != NULL ? json_string(plan->base_id) : json_null());
    json_object_set_new(object, "end_devices", json_boolean(plan->end_devices));
    json_object_set_new(object, "gateways", json_boolean(plan->gateways));
    return object;
}

static json_t *details_json(const struct frequency_plan *plan) {
    json_t *object = summary_json(plan);
    json_object_set_new(object, "uplink_channels",
                        channels_json(plan->uplink_channels, plan->uplink_channel_count));
    json_object_set_new(object, "downlink_channels",
                        channels_json(plan->downlink_channels, plan->downlink_channel_count));
    json_object_set_new(object, "lora_standard_channel", fixed_channel_json(&plan->lora_standard_channel));
    json_object_set_new(object, "fsk_channel", fixed_channel_json(&plan->fsk_channel));
    if (plan->rx2_frequency != 0) {
        json_object_set_new(object, "rx2_frequency", json_integer(plan->rx2_frequency));
    }
    if (plan->rx2_data_rate >= 0) {
        json_object_set_new(object, "rx2_data_rate", json_integer(plan->rx2_data_rate));
    }
    return object;
}

// ---- for people

static void add_summary(struct buffer *text, const struct frequency_plan *plan) {
    buffer_printf(text, "%-*s%-*s", ID_WIDTH, plan->id, BAND_WIDTH, plan->band_id);
    printable_add(text, plan->name);
    buffer_putc(text, '\n');
}

// "868.1 MHz", "868.95 MHz": as many digits as it takes.
static void add_frequency(struct buffer *text, uint32_t frequency) {
    uint32_t rest = frequency % 1000000;
    int digits = 6;
    while (digits > 1 && rest % 10 == 0) {
        rest /= 10;
        digits--;
    }
    buffer_printf(text, "%" PRIu32 ".%0*" PRIu32 " MHz", frequency / 1000000, digits, rest);
}

static void add_label(struct buffer *text, const char *label) {
    buffer_printf(text, "%-*s", LABEL_WIDTH, label);
}

static void add_channels(struct buffer *text, const char *label, const struct band_channel *channels,
                         size_t count) {
    for (size_t i = 0; i < count; i++) {
        add_label(text, i == 0 ? label : "");
        add_frequency(text, channels[i].frequency);
        buffer_printf(text, ", DR%u", (unsigned)channels[i].min_data_rate);
        if (channels[i].max_data_rate != channels[i].min_data_rate) {
            buffer_printf(text, " to DR%u", (unsigned)channels[i].max_data_rate);
        }
        buffer_putc(text, '\n');
    }
}

static void add_fixed_channel(struct buffer *text, const char *label,
                              const struct frequency_plan_fixed_channel *channel) {
    if (channel->frequency == 0) return;
    add_label(text, label);
    add_frequency(text, channel->frequency);
    buffer_printf(text, ", DR%u\n", (unsigned)channel->data_rate);
}

static void add_rx2(struct buffer *text, const struct frequency_plan *plan) {
    if (plan->rx2_frequency == 0 && plan->rx2_data_rate < 0) return;
    add_label(text, "RX2");
    if (plan->rx2_frequency != 0) add_frequency(text, plan->rx2_frequency);
    if (plan->rx2_data_rate >= 0) {
        buffer_printf(text, "%sDR%d", plan->rx2_frequency != 0 ? ", " : "", plan->rx2_data_rate);
    }
    buffer_putc(text, '\n');
}

static void add_details(struct buffer *text, const struct frequency_plan *plan) {
    add_label(text, "ID");
    buffer_printf(text, "%s\n", plan->id);
    add_label(text, "Name");
    printable_add(text, plan->name);
    buffer_putc(text, '\n');
    add_label(text, "Band");
    buffer_printf(text, "%s\n", plan->band_id);
    if (plan->base_id != NULL) {
        add_label(text, "Based on");
        buffer_printf(text, "%s\n", plan->base_id);
    }
    add_label(text, "For");
    buffer_printf(text, "%s%s%s\n", plan->end_devices ? "devices" : "",
                  plan->end_devices && plan->gateways ? " and " : "", plan->gateways ? "gateways" : "");
    add_channels(text, "Uplink", plan->uplink_channels, plan->uplink_channel_count);
    add_channels(text, "Downlink", plan->downlink_channels, plan->downlink_channel_count);
    add_fixed_channel(text, "LoRa standard", &plan->lora_standard_channel);
    add_fixed_channel(text, "FSK", &plan->fsk_channel);
    add_rx2(text, plan);
}

// ---- the command

static enum exit_code show_all(const struct session *session, const struct frequency_plans *plans) {
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    bool for_programs = option_bool(session->invocation->global, "json");
    json_t *list = for_programs ? json_array() : NULL;
    for (size_t i = 0; i < plans->count; i++) {
        if (for_programs) {
            json_array_append_new(list, summary_json(&plans->plans[i]));
        } else {
            add_summary(&text, &plans->plans[i]);
        }
    }
    return for_programs ? output_json(session, list) : output_text(session, &text);
}

static enum exit_code show_one(const struct session *session, const struct frequency_plans *plans,
                               const char *id) {
    const struct frequency_plan *plan = frequency_plans_find(plans, id);
    if (plan == NULL) {
        ERROR_AUTO error = {0};
        const char *near = frequency_plans_suggest(plans, id);
        error_set(&error, ERROR_USAGE, "there is no frequency plan \"%s\"", id);
        error_hint(&error, "ttn-lw-migrate frequency-plans%s%s", near != NULL ? " " : "",
                   near != NULL ? near : "");
        return output_error(session, &error);
    }
    if (option_bool(session->invocation->global, "json")) return output_json(session, details_json(plan));
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    add_details(&text, plan);
    return output_text(session, &text);
}

enum exit_code cmd_frequency_plans(const struct session *session) {
    const struct invocation *invocation = session->invocation;
    ERROR_AUTO error = {0};
    struct plan_set set = {0};
    int result = plan_set_open(invocation->global, &session->console->log, signals_halt_fd(), &set, &error);
    if (result != 0) return output_error(session, &error);
    enum exit_code code = invocation->argument_count > 0
                              ? show_one(session, set.plans, invocation->arguments[0])
                              : show_all(session, set.plans);
    plan_set_release(&set);
    return code;
}
