// SPDX-License-Identifier: Apache-2.0
#include "device/gateway.h"

#include <string.h>

#include "device/clean.h"
#include "device/device.h"
#include "device/field_mask.h"
#include "device/message.h"
#include "device/validate.h"

const char gateway_members[] =
    "name description attributes version_ids gateway_server_address auto_update update_channel "
    "frequency_plan_id frequency_plan_ids antennas status_public location_public schedule_downlink_late "
    "enforce_duty_cycle downlink_path_constraint schedule_anytime_delay update_location_from_status "
    "require_authenticated_connection lrfhss disable_packet_broker_forwarding";

void gateway_init(struct gateway *gateway) {
    *gateway = (struct gateway){0};
    gateway->message = message_new(&gateway->arena, &tts__gateway__descriptor);
    gateway->message->ids = message_new(&gateway->arena, &tts__gateway_identifiers__descriptor);
}

void gateway_release(struct gateway *gateway) {
    notes_release(&gateway->notes);
    arena_release(&gateway->arena);
    gateway->message = NULL;
}

void gateway_note(struct gateway *gateway, const char *path, const char *format, ...) {
    va_list args;
    va_start(args, format);
    notes_addv(&gateway->notes, NOTE_CHANGED, 0, path, format, args);
    va_end(args);
}

void gateway_add_attribute(struct gateway *gateway, const char *key, const char *value) {
    Tts__Gateway__AttributesEntry *entry =
        message_new(&gateway->arena, &tts__gateway__attributes_entry__descriptor);
    entry->key = arena_strdup(&gateway->arena, key);
    entry->value = arena_strdup(&gateway->arena, value);
    message_append(&gateway->arena, &gateway->message->n_attributes, &gateway->message->attributes, entry);
}

// ---- cleaning: texts and attributes have the same rules as those of a device

static void lend_texts(const Tts__Gateway *from, struct device *to) {
    device_set_text(to, &to->end_device->name, from->name);
    device_set_text(to, &to->end_device->description, from->description);
    for (size_t i = 0; i < from->n_attributes; i++) {
        Tts__EndDevice__AttributesEntry *entry =
            message_new(&to->arena, &tts__end_device__attributes_entry__descriptor);
        device_set_text(to, &entry->key, from->attributes[i]->key);
        device_set_text(to, &entry->value, from->attributes[i]->value);
        message_append(&to->arena, &to->end_device->n_attributes, &to->end_device->attributes, entry);
    }
}

static void take_texts(const struct device *from, struct gateway *to) {
    const Tts__EndDevice *clean = from->end_device;
    to->message->name = arena_strdup(&to->arena, clean->name);
    to->message->description = arena_strdup(&to->arena, clean->description);
    to->message->n_attributes = 0;
    to->message->attributes = NULL;
    for (size_t i = 0; i < clean->n_attributes; i++) {
        gateway_add_attribute(to, clean->attributes[i]->key, clean->attributes[i]->value);
    }
    for (size_t i = 0; i < from->notes.count; i++) {
        gateway_note(to, from->notes.items[i].path, "%s", from->notes.items[i].text);
    }
}

static bool location_fits(const Tts__Location *location) {
    return location->latitude >= -90 && location->latitude <= 90 && location->longitude >= -180 &&
           location->longitude <= 180;
}

static bool is_empty(const ProtobufCMessage *message) {
    return message == NULL || protobuf_c_message_get_packed_size(message) == 0;
}

// Where no antenna says anything, it is as if there were none.
static void drop_empty_antennas(Tts__Gateway *message) {
    for (size_t i = 0; i < message->n_antennas; i++) {
        if (!is_empty(&message->antennas[i]->base)) return;
    }
    message->n_antennas = 0;
}

static void clean_antennas(struct gateway *gateway) {
    for (size_t i = 0; i < gateway->message->n_antennas; i++) {
        Tts__GatewayAntenna *antenna = gateway->message->antennas[i];
        if (antenna->location == NULL || location_fits(antenna->location)) continue;
        antenna->location = NULL;
        gateway_note(gateway, "antennas.location", "is out of range: left out");
    }
    drop_empty_antennas(gateway->message);
}

int gateway_clean(struct gateway *gateway, struct error *error) {
    DEVICE_AUTO texts;
    device_init(&texts);
    lend_texts(gateway->message, &texts);
    int result = device_clean(&texts, error);
    if (result != 0) return result;
    take_texts(&texts, gateway);
    clean_antennas(gateway);
    FINDINGS_AUTO findings = {0};
    message_validate(&gateway->message->base, &findings);
    if (findings.count == 0) return 0;
    return error_set(error, ERROR_DEVICE, "%s: %s", findings.items[0].path, findings.items[0].text);
}

Tts__Gateway *gateway_carried(const Tts__Gateway *message, struct arena *arena) {
    const Tts__Gateway *parts = message_select(&message->base, gateway_members, arena);
    Tts__Gateway *carried = message_copy(&parts->base, arena);
    if (carried == NULL) return NULL;
    const char *plan = carried->frequency_plan_id;
    if (carried->n_frequency_plan_ids == 0 && plan != NULL && plan[0] != '\0') {
        message_append(arena, &carried->n_frequency_plan_ids, &carried->frequency_plan_ids,
                       arena_strdup(arena, plan));
    }
    carried->frequency_plan_id = arena_strdup(arena, "");
    // The Identity Server answers with empty ones where nothing is set.
    if (is_empty(carried->version_ids == NULL ? NULL : &carried->version_ids->base))
        carried->version_ids = NULL;
    const Google__Duration *delay = carried->schedule_anytime_delay;
    if (is_empty(delay == NULL ? NULL : &delay->base)) carried->schedule_anytime_delay = NULL;
    return carried;
}
