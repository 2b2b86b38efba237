// SPDX-License-Identifier: Apache-2.0
// The one device model: what a source makes and a target takes is an end device of The Things Stack
// (ttn.lorawan.v3.EndDevice), with notes for people.
#ifndef DEVICE_DEVICE_H
#define DEVICE_DEVICE_H

#include "base/arena.h"
#include "base/error.h"
#include "device/notes.h"
#include "lorawan/identifiers.h"
#include "tts.pb-c.h"

struct device {
    struct arena arena;          // holds the message and all it points to
    Tts__EndDevice *end_device;  // in the arena; never NULL between init and release
    struct notes notes;
};

// An empty device.
void device_init(struct device *device);

// Wipes and frees everything. Accepts a zeroed device.
void device_release(struct device *device);

#define DEVICE_AUTO __attribute__((cleanup(device_release))) struct device

// Adds a note of kind NOTE_CHANGED.
void device_note(struct device *device, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Notes a root key that the device lacks to join with, unless its source has said something of these.
void device_note_root_keys(struct device *device);

// Shorthands for what every source sets. Texts and bytes are copied into the device's arena.
void device_set_text(struct device *device, char **member, const char *text);
void device_set_bytes(struct device *device, ProtobufCBinaryData *member, const void *data, size_t size);
void device_set_key(struct device *device, Tts__KeyEnvelope **member, const uint8_t key[16]);
void device_set_time(struct device *device, Google__Timestamp **member, int64_t ns);  // since 1970
void device_set_application(struct device *device, const char *application_id);

// Sets where it is (degrees), as a person has entered it; returns that, for the altitude (m).
Tts__Location *device_set_location(struct device *device, double latitude, double longitude);

// Sets an attribute, in place of an older one with that key.
void device_set_attribute(struct device *device, const char *key, const char *value);

// The attribute's value, or NULL.
const char *device_attribute(const struct device *device, const char *key);

// The GenAppKey, with which devices of LoRaWAN 1.0.x derive the keys of multicast groups that are set up over the air. End
// devices of The Things Stack have no member for it: it goes along as a field that only this program knows, is packed and
// unpacked with the message, and is never in its JSON.
void device_set_gen_app_key(struct device *device, const struct key128 *key);

// False if there is none.
bool device_gen_app_key(const Tts__EndDevice *end_device, struct key128 *ret_key);

// Takes it away, with a note, for a target that has no place for it. Nothing happens if there is none.
void device_drop_gen_app_key(struct device *device);

// ids, made if it is not there.
Tts__EndDeviceIdentifiers *device_ids(struct device *device);

// The device's ID; "" if it has none.
const char *device_id(const struct device *device);

#endif
