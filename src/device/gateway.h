// SPDX-License-Identifier: Apache-2.0
// A gateway on its way: ttn.lorawan.v3.Gateway with notes for people.
#ifndef DEVICE_GATEWAY_H
#define DEVICE_GATEWAY_H

#include "base/arena.h"
#include "base/error.h"
#include "device/notes.h"
#include "tts.pb-c.h"

struct gateway {
    struct arena arena;     // holds the message and all it points to
    Tts__Gateway *message;  // in the arena; never NULL between init and release
    struct notes notes;
};

// A gateway without anything but empty identifiers.
void gateway_init(struct gateway *gateway);

// Wipes and frees everything. Accepts a zeroed gateway.
void gateway_release(struct gateway *gateway);

#define GATEWAY_AUTO __attribute__((cleanup(gateway_release))) struct gateway

// Adds a note of kind NOTE_CHANGED.
void gateway_note(struct gateway *gateway, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Adds an attribute; texts are copied.
void gateway_add_attribute(struct gateway *gateway, const char *key, const char *value);

// Mends what The Things Stack would refuse, as device_clean does, and refuses (ERROR_DEVICE) what cannot be mended.
int gateway_clean(struct gateway *gateway, struct error *error);

// What a gateway is carried over with, by the name of the members, separated by spaces: all else is the server's own, a
// secret, or of no use elsewhere.
extern const char gateway_members[];

// A copy of these members, in one form: plans in frequency_plan_ids alone, nothing that is empty. NULL only for nonsense.
Tts__Gateway *gateway_carried(const Tts__Gateway *message, struct arena *arena);

// Where the gateways of a network ask; texts are borrowed.
struct gateway_home {
    const char *identity_server;         // host:port: who has the same one has the same gateways
    const char *cups_uri;                // where a gateway gets its configuration
    const char *gateway_server_address;  // where its traffic goes
};

// What a gateway is told by its old network.
struct gateway_redirect {
    const struct gateway_home *home;
    const char *cups_key;  // secret; of the gateway at its new network. NULL: the network is the same
};

#endif
