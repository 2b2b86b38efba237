// SPDX-License-Identifier: Apache-2.0
// The calls that change something at a server of The Things Stack.
#include <fnmatch.h>
#include <string.h>

#include "base/words.h"
#include "device/field_mask.h"
#include "device/message.h"
#include "source/tts_p.h"

// Without DevAddr: it is the session's, and refused by itself.
static Tts__EndDeviceIdentifiers *plain_ids(const Tts__EndDeviceIdentifiers *ids,
                                            const Tts__EndDeviceIdentifiers *known, struct arena *arena) {
    Tts__EndDeviceIdentifiers *plain = message_new(arena, &tts__end_device_identifiers__descriptor);
    plain->device_id = ids->device_id;
    plain->application_ids = ids->application_ids;
    plain->dev_eui = ids->dev_eui.len > 0 ? ids->dev_eui : known->dev_eui;
    plain->join_eui = ids->join_eui.len > 0 ? ids->join_eui : known->join_eui;
    return plain;
}

struct call *tts_source_set_call(struct tts_source *self, struct job *job, enum stack_role server,
                                 const Tts__EndDevice *part, const Tts__EndDeviceIdentifiers *ids,
                                 const Google__FieldMask *mask) {
    Tts__EndDevice device = *part;
    device.ids = plain_ids(part->ids == NULL ? ids : part->ids, ids, job->arena);
    device.created_at = device.updated_at = NULL;
    Google__FieldMask paths = *mask;
    Tts__SetEndDeviceRequest request = TTS__SET_END_DEVICE_REQUEST__INIT;
    request.end_device = &device;
    request.field_mask = &paths;
    struct call *call = tts_source_registry_call(self, job, server, "Set", &request.base);
    call->changes = true;
    return call;
}

struct call *tts_source_create_call(struct tts_source *self, struct job *job, const Tts__EndDevice *part,
                                    const Tts__EndDeviceIdentifiers *ids) {
    Tts__EndDevice device = *part;
    device.ids = plain_ids(part->ids, ids, job->arena);
    device.created_at = device.updated_at = NULL;
    Tts__CreateEndDeviceRequest request = TTS__CREATE_END_DEVICE_REQUEST__INIT;
    request.end_device = &device;
    struct call *call = tts_source_registry_call(self, job, STACK_IDENTITY, "Create", &request.base);
    call->changes = true;
    return call;
}

struct call *tts_source_delete_call(struct tts_source *self, struct job *job, enum stack_role server,
                                    const Tts__EndDeviceIdentifiers *ids,
                                    const Tts__EndDeviceIdentifiers *known) {
    struct call *call =
        tts_source_registry_call(self, job, server, "Delete", &plain_ids(ids, known, job->arena)->base);
    call->changes = true;
    return call;
}

// ---- masks

// What a Get gives and a Set refuses, as patterns of paths.
static const char *const never_set[] = {
    "ids",
    "ids.*",
    "created_at",
    "updated_at",
    "power_state",
    "*.kek_label",
    "*.encrypted_key",
    "*.queued_application_downlinks",
    "*_parameters.adr_ack_limit",
    "*_parameters.adr_ack_delay",
    "*_parameters.ping_slot_data_rate_index",
    "*.pending_application_downlink.decoded_payload*",
    "*.pending_application_downlink.confirmed_retry*",
    "mac_state.queued_join_accept*",
    "mac_state.pending_join_request*",
    "pending_mac_state.queued_join_accept*",
    "pending_mac_state.pending_application_downlink*",
    "pending_mac_state.queued_responses",
    "pending_mac_state.pending_requests",
    "pending_mac_state.pending_relay_downlink*",
    "pending_session.last_*",
    "pending_session.started_at",
    NULL,
};

static bool may_set(enum stack_role server, const Tts__EndDevice *part, const char *path) {
    for (const char *const *pattern = never_set; *pattern != NULL; pattern++) {
        if (fnmatch(*pattern, path, 0) == 0) return false;
    }
    if (server == STACK_NETWORK) return fnmatch("*.app_s_key*", path, 0) != 0;
    if (server != STACK_APPLICATION) return true;
    if (strncmp(path, "pending_session", strlen("pending_session")) == 0) return false;
    if (strncmp(path, "session.", strlen("session.")) != 0) return true;
    // The Application Server refuses a session without its key.
    const Tts__SessionKeys *keys = part->session == NULL ? NULL : part->session->keys;
    if (keys == NULL || keys->app_s_key == NULL || keys->app_s_key->key.len == 0) return false;
    static const char settable[] = "dev_addr keys.session_key_id keys.app_s_key.key last_a_f_cnt_down";
    const char *member = path + strlen("session.");
    return words_contain(settable, member, strlen(member));
}

struct mask_building {
    enum stack_role server;
    const Tts__EndDevice *part;
    struct arena *arena;
    Google__FieldMask *mask;
};

static void add_path(void *context, const char *path) {
    struct mask_building *building = context;
    if (!may_set(building->server, building->part, path)) return;
    message_append(building->arena, &building->mask->n_paths, &building->mask->paths,
                   arena_strdup(building->arena, path));
}

Google__FieldMask *tts_source_mask(const Tts__EndDevice *part, enum stack_role server, struct arena *arena) {
    struct mask_building building = {.server = server, .part = part, .arena = arena};
    building.mask = message_new(arena, &google__field_mask__descriptor);
    field_mask_each(&part->base, NULL, add_path, &building);
    return building.mask;
}
