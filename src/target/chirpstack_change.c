// SPDX-License-Identifier: Apache-2.0
// The calls that change a device at the target, and what this process knows to have made there.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "target/chirpstack_p.h"

static void device_call(struct cst *self, struct job *job, const char *method,
                        const Chirpstack__Device *device, const char *profile_id, bool disabled,
                        unsigned tries) {
    Chirpstack__Device sent = *device;
    sent.device_profile_id = arena_strdup(job->arena, profile_id);
    sent.is_disabled = disabled;
    Chirpstack__DeviceRequest request = CHIRPSTACK__DEVICE_REQUEST__INIT;
    request.device = &sent;
    cst_change(self, job, method, &request.base, tries);
}

void cst_create_call(struct cst *self, struct job *job, const Chirpstack__Device *device,
                     const char *profile_id, bool disabled, unsigned tries) {
    device_call(self, job, "DeviceService/Create", device, profile_id, disabled, tries);
}

void cst_update_call(struct cst *self, struct job *job, const Chirpstack__Device *device,
                     const char *profile_id, bool disabled, unsigned tries) {
    device_call(self, job, "DeviceService/Update", device, profile_id, disabled, tries);
}

bool cst_keys_call(struct cst *self, struct job *job, const char *dev_eui, Chirpstack__DeviceKeys *keys,
                   const Chirpstack__DeviceKeys *there, unsigned tries) {
    if (keys == NULL && there == NULL) return false;
    if (keys == NULL) {
        cst_delete(self, job, "DeviceService/DeleteKeys", dev_eui, tries);
        return true;
    }
    if (there != NULL && chirpstack_same_keys(keys, there)) return false;
    Chirpstack__DeviceKeysRequest request = CHIRPSTACK__DEVICE_KEYS_REQUEST__INIT;
    request.device_keys = keys;
    const char *method = there == NULL ? "DeviceService/CreateKeys" : "DeviceService/UpdateKeys";
    cst_change(self, job, method, &request.base, tries);
    return true;
}

void cst_activate_call(struct cst *self, struct job *job, Chirpstack__DeviceActivation *activation,
                       unsigned tries) {
    Chirpstack__ActivateDeviceRequest request = CHIRPSTACK__ACTIVATE_DEVICE_REQUEST__INIT;
    request.device_activation = activation;
    cst_change(self, job, "DeviceService/Activate", &request.base, tries);
}

// ---- reservations: only devices in flight, so a list is enough

static struct cst_reservation **find(struct cst_reservation **list, const char *dev_eui) {
    while (*list != NULL && strcmp((*list)->dev_eui, dev_eui) != 0) list = &(*list)->next;
    return list;
}

void cst_reserved_add(struct cst *self, const char *dev_eui) {
    if (cst_reserved_has(self, dev_eui)) return;
    struct cst_reservation *reservation = memory_new(struct cst_reservation);
    snprintf(reservation->dev_eui, sizeof reservation->dev_eui, "%s", dev_eui);
    reservation->next = self->reservations;
    self->reservations = reservation;
}

bool cst_reserved_has(const struct cst *self, const char *dev_eui) {
    struct cst_reservation *list = self->reservations;
    return *find(&list, dev_eui) != NULL;
}

void cst_reserved_drop(struct cst *self, const char *dev_eui) {
    struct cst_reservation **at = find(&self->reservations, dev_eui);
    struct cst_reservation *reservation = *at;
    if (reservation == NULL) return;
    *at = reservation->next;
    free(reservation);
}

void cst_reserved_pop(struct cst *self) {
    struct cst_reservation *reservation = self->reservations;
    self->reservations = reservation->next;
    free(reservation);
}
