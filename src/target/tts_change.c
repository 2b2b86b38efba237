// SPDX-License-Identifier: Apache-2.0
// The calls that change something at the target, and what this process knows to have made there.
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "target/tts_p.h"

static bool same_bytes(const ProtobufCBinaryData *one, const ProtobufCBinaryData *other) {
    return one->len == other->len && (one->len == 0 || memcmp(one->data, other->data, one->len) == 0);
}

// LoRaWAN 1.0 has one network session key, of which the Network Server keeps copies. Another key is refused next to the
// copies of the old one, so they go along with it.
static Tts__Session *with_copies(const Tts__EndDevice *device, Tts__Session *session,
                                 const Tts__Session *before, struct arena *arena) {
    if (device->lorawan_version == TTS__MACVERSION__MAC_V1_1 || session == NULL || session->keys == NULL ||
        before == NULL || before->keys == NULL || session->keys->f_nwk_s_int_key == NULL ||
        before->keys->f_nwk_s_int_key == NULL ||
        same_bytes(&session->keys->f_nwk_s_int_key->key, &before->keys->f_nwk_s_int_key->key))
        return session;
    Tts__Session *copy = arena_new(arena, Tts__Session);
    copy[0] = *session;
    copy->keys = arena_new(arena, Tts__SessionKeys);
    copy->keys[0] = *session->keys;
    copy->keys->s_nwk_s_int_key = copy->keys->nwk_s_enc_key = copy->keys->f_nwk_s_int_key;
    return copy;
}

bool tts_set_call(struct tts *self, struct job *job, enum tts_place place, const Tts__EndDevice *part,
                  const Tts__EndDevice *before, unsigned tries) {
    Tts__EndDevice device = *part;
    if (place == TTS_NETWORK && before != NULL) {
        device.session = with_copies(part, part->session, before->session, job->arena);
        device.pending_session =
            with_copies(part, part->pending_session, before->pending_session, job->arena);
    }
    Google__FieldMask *mask = tts_mask(&device, before, place, job->arena);
    if (mask->n_paths == 0 && (before != NULL || place == TTS_IDENTITY)) return false;
    Tts__SetEndDeviceRequest set = TTS__SET_END_DEVICE_REQUEST__INIT;
    Tts__UpdateEndDeviceRequest update = TTS__UPDATE_END_DEVICE_REQUEST__INIT;
    set.end_device = update.end_device = &device;
    set.field_mask = update.field_mask = mask;
    struct call *call = place == TTS_IDENTITY ? tts_registry_call(self, job, place, "Update", &update.base)
                                              : tts_registry_call(self, job, place, "Set", &set.base);
    call->changes = true;
    call->attempt = tries;
    return true;
}

void tts_create_call(struct tts *self, struct job *job, const Tts__EndDevice *device, unsigned tries) {
    Tts__CreateEndDeviceRequest request = TTS__CREATE_END_DEVICE_REQUEST__INIT;
    request.end_device = tts_part(device, TTS_IDENTITY, job->arena);
    struct call *call = tts_registry_call(self, job, TTS_IDENTITY, "Create", &request.base);
    call->changes = true;
    call->attempt = tries;
}

void tts_delete_call(struct tts *self, struct job *job, enum tts_place place, const Tts__EndDevice *device,
                     unsigned tries) {
    Tts__EndDeviceIdentifiers ids = *device->ids;
    ids.dev_addr = (ProtobufCBinaryData){0};
    struct call *call = tts_registry_call(self, job, place, "Delete", &ids.base);
    call->changes = true;
    call->attempt = tries;
}

// ---- reservations: only devices in flight, so a list is enough

static struct tts_reservation **find(struct tts_reservation **list, const Tts__EndDevice *device) {
    for (; *list != NULL; list = &(*list)->next) {
        if (strcmp((*list)->device_id, device->ids->device_id) == 0 &&
            strcmp((*list)->application_id, device->ids->application_ids->application_id) == 0) {
            break;
        }
    }
    return list;
}

static void drop(struct tts_reservation **at) {
    struct tts_reservation *reservation = *at;
    *at = reservation->next;
    free(reservation->application_id);
    free(reservation->device_id);
    free(reservation);
}

void tts_reserved_add(struct tts *self, const Tts__EndDevice *device) {
    if (tts_reserved_has(self, device)) return;
    struct tts_reservation *reservation = memory_new(struct tts_reservation);
    reservation->application_id = memory_strdup(device->ids->application_ids->application_id);
    reservation->device_id = memory_strdup(device->ids->device_id);
    reservation->next = self->reservations;
    self->reservations = reservation;
}

bool tts_reserved_has(const struct tts *self, const Tts__EndDevice *device) {
    struct tts_reservation *list = self->reservations;
    return *find(&list, device) != NULL;
}

void tts_reserved_drop(struct tts *self, const Tts__EndDevice *device) {
    struct tts_reservation **at = find(&self->reservations, device);
    if (*at != NULL) drop(at);
}

void tts_reserved_pop(struct tts *self) {
    drop(&self->reservations);
}
