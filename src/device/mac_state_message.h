// SPDX-License-Identifier: Apache-2.0
// The first MAC state of a device of the model: between the messages of The Things Stack's API and
// lorawan/mac_state.h.
#ifndef DEVICE_MAC_STATE_MESSAGE_H
#define DEVICE_MAC_STATE_MESSAGE_H

#include "base/arena.h"
#include "base/error.h"
#include "lorawan/mac_state.h"
#include "tts.pb-c.h"

// The state as a message that lies in the arena.
Tts__MACState *mac_state_to_message(const struct mac_state *state, struct arena *arena);

// What the state depends on; NULL = nothing laid down. *ret_settings borrows the list of frequencies from
// `message`.
void mac_settings_from_message(const Tts__MACSettings *message, struct mac_settings *ret_settings);

// Computes the first state of a device from its own plan, versions, settings and classes, into the arena.
// ERROR_DEVICE if the plan is unknown (with a hint at the nearest one) or if there can be no such state.
int device_first_mac_state(const Tts__EndDevice *device, const struct frequency_plans *plans,
                           struct arena *arena, Tts__MACState **ret_state, struct error *error);

#endif
