// SPDX-License-Identifier: Apache-2.0
#include "base/hex.h"
#include "base/memory.h"
#include "device/message.h"
#include "lorawan/region.h"
#include "source/wanesy_device.h"

static int set_ids(const struct wanesy_fields *fields, struct gateway *gateway, struct error *error) {
    uint8_t eui[EUI64_BYTES];
    char text[HEX_TEXT_SIZE(EUI64_BYTES)];
    bool restored = false;
    const char *reason = wanesy_eui(fields, WANESY_GATEWAY_EUI, eui, &restored);
    if (reason != NULL) return wanesy_field_error(fields, WANESY_GATEWAY_EUI, reason, error);
    hex_encode_lower(text, eui, sizeof eui);
    gateway->message->ids->gateway_id = arena_printf(&gateway->arena, "eui-%s", text);
    gateway->message->ids->eui = message_bytes(&gateway->arena, eui, sizeof eui);
    if (restored) gateway_note(gateway, "eui", "had lost its leading zeros to a spreadsheet: it is %s", text);
    return 0;
}

// The plan of the option, which has to be of the gateway's region; else the one that goes without saying there.
static int set_plan(const struct wanesy_fields *fields, const struct file_rules *rules,
                    struct gateway *gateway, struct error *error) {
    const char *name = fields->texts[WANESY_GATEWAY_REGION];
    const struct region *region = region_find(name);
    const struct frequency_plan *plan = rules->plan;
    if (plan == NULL && region != NULL && region->plan_id != NULL)
        plan = frequency_plans_find(rules->plans, region->plan_id);
    if (plan == NULL) {
        error_set(error, ERROR_DEVICE, "line %zu: its frequency plan is not known%s%.20s", fields->line,
                  *name == '\0' ? "" : ": its region is ", name);
        error_hint(error, "name it with --wanesy.frequency-plan-id");
        return -ERROR_DEVICE;
    }
    if (region != NULL && !region_has_plan(region, plan)) {
        error_set(error, ERROR_DEVICE, "line %zu: its region is %s, of which frequency plan %s is none",
                  fields->line, region->name, plan->id);
        error_hint(error, "carry the gateways of each region over in a run of their own");
        return -ERROR_DEVICE;
    }
    Tts__Gateway *message = gateway->message;
    message->frequency_plan_id = arena_strdup(&gateway->arena, plan->id);
    message_append(&gateway->arena, &message->n_frequency_plan_ids, &message->frequency_plan_ids,
                   message->frequency_plan_id);
    return 0;
}

static int set_antenna(const struct wanesy_fields *fields, struct gateway *gateway, struct error *error) {
    Tts__Location *location = NULL;
    int result = wanesy_location(fields, &gateway->arena, &location, error);
    if (result != 0 || location == NULL) return result;
    Tts__GatewayAntenna *antenna = message_new(&gateway->arena, &tts__gateway_antenna__descriptor);
    antenna->location = location;
    message_append(&gateway->arena, &gateway->message->n_antennas, &gateway->message->antennas, antenna);
    return 0;
}

int wanesy_gateway_read(const struct wanesy_fields *fields, const struct file_rules *rules,
                        struct gateway *gateway, struct error *error) {
    const char *fleet = fields->texts[WANESY_FLEET_NAME];
    int result = set_ids(fields, gateway, error);
    if (result == 0) result = set_plan(fields, rules, gateway, error);
    if (result == 0) result = set_antenna(fields, gateway, error);
    if (result != 0) return result;
    gateway->message->name = arena_strdup(&gateway->arena, fields->texts[WANESY_NAME]);
    gateway->message->description = arena_strdup(&gateway->arena, fields->texts[WANESY_DESCRIPTION]);
    gateway->message->enforce_duty_cycle = true;  // what a gateway of The Things Stack has from the start
    if (*fleet == '\0') fleet = fields->texts[WANESY_FLEET_ID];
    if (*fleet != '\0') gateway_add_attribute(gateway, "wanesy-fleet", fleet);
    return gateway_clean(gateway, error);
}
