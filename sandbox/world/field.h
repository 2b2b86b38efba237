// SPDX-License-Identifier: Apache-2.0
// The devices out in the field: each has its session and its counters, whatever the networks know. They send to all
// networks at once; those that hold a device's keys hear it. A device must be held by exactly one.
#ifndef SANDBOX_WORLD_FIELD_H
#define SANDBOX_WORLD_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

enum { FIELD_EUIS_SIZE = 16 };  // JoinEUI, then DevEUI

// Devices at which a network changed something, by their EUIs. A zeroed one is empty.
struct field_touched {
    uint8_t (*euis)[FIELD_EUIS_SIZE];  // owned
    size_t count;
    size_t capacity;
};

void field_touch(struct field_touched *touched, const uint8_t *join_eui, const uint8_t *dev_eui);
void field_touched_release(struct field_touched *touched);

// What a device has of its own.
struct field_device {
    uint8_t euis[FIELD_EUIS_SIZE];
    bool has_session;
    uint8_t dev_addr[4];
    uint8_t nwk_s_key[16];  // of 1.1: FNwkSIntKey
    uint8_t root_key[16];   // what it joins with: AppKey, of 1.1 NwkKey; zero = it cannot
    uint32_t f_cnt_up;      // the last one
    uint32_t next_down;     // the least downlink counter that it takes
    bool at_v2;             // V2 holds a key of it
    bool at_tts;            // The Things Stack holds a key of it and may answer it
    bool is_other;          // V2 does not know it: it is in the list of others
    size_t other_place;     // there
    int64_t alone_since;    // ns since 1970 when the last network lost its keys; 0 = held
    size_t next;            // of the same hash: its place + 1; 0 = none
};

// What must not happen.
enum field_event_kind { FIELD_TWICE, FIELD_NOWHERE, FIELD_REPEATED };

struct field_event {
    enum field_event_kind kind;
    uint8_t euis[FIELD_EUIS_SIZE];
    int64_t at;  // ns since 1970
};

enum { FIELD_EVENTS_KEPT = 100 };

// A zeroed one is empty.
struct field {
    struct field_device *devices;  // owned
    size_t count;
    size_t capacity;
    size_t *slots;  // owned; place + 1 of the first of a hash; a power of two of them
    size_t slot_count;
    size_t *others;  // owned; places of devices that V2 does not know
    size_t other_count;
    size_t other_capacity;
    int64_t now;        // the latest time that was heard of
    uint64_t twice;     // how often a device came to be held by two networks
    uint64_t nowhere;   // how often one was held by none for longer than a second, and is held again
    uint64_t repeated;  // downlinks with a counter that the device had seen
    struct field_event events[FIELD_EVENTS_KEPT];  // the first of them
    size_t event_count;
};

struct world;

void field_release(struct field *field);

// Looks at the devices that the networks touched since the last time.
void field_look(struct world *world, int64_t now);

// Lets the devices live until `now`.
void field_advance(struct world *world, int64_t now);

struct v2_device;

// A device that V2 knows sends something, or tries to join.
void field_send_to_v2(struct world *world, struct v2_device *device, int64_t now);

// The device with these EUIs, or NULL.
struct field_device *field_find(const struct field *field, const uint8_t *euis);

// How many devices are held by no network for longer than a second as of now, or were.
uint64_t field_nowhere(const struct field *field);

// The field as a JSON object: numbers and the events that were kept.
void field_state_json(const struct field *field, struct buffer *state);

#endif
