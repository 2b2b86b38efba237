// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "networks/networks.h"
#include "world/chirpstack_p.h"
#include "world/tts_p.h"

// ---- The Things Stack

static void options_tts(const struct world *world, struct network_options *options) {
    network_options_tts(options, WORLD_TTS_TARGET_APP_ID, world_tts_key(world, WORLD_TTS_KEY_TARGET),
                        "target.example");
}

static bool device_tts(const struct world *world, size_t index, struct network_device *ret_device) {
    return network_device_tts(world, WORLD_TTS_TARGET_APP_ID, index, ret_device);
}

static void state_tts(const struct world *world, struct buffer *state) {
    network_state_tts(world, WORLD_TTS_TARGET_APP_ID, state);
}

// ---- ChirpStack

static void options_chirpstack(const struct world *world, struct network_options *options) {
    network_option(options, "api-url", "chirpstack.target.example:8080");
    network_option(options, "api-key", world_chirpstack_key(world, WORLD_CHIRPSTACK_KEY_ADMIN));
    network_option(options, "tenant", WORLD_CHIRPSTACK_TENANT);
    network_option(options, "application", WORLD_CHIRPSTACK_TARGET);
}

static bool device_chirpstack(const struct world *world, size_t index, struct network_device *ret_device) {
    const struct cs *cs = world->chirpstack;
    for (size_t i = 0; i < cs->application_count; i++) {
        if (strcmp(cs->applications[i]->name, WORLD_CHIRPSTACK_TARGET) == 0)
            return network_device_chirpstack(world, cs->applications[i]->id, index, ret_device);
    }
    return false;
}

// With what a run makes for devices there; each by its name, since its ID tells only when it was made.
static void state_chirpstack(const struct world *world, struct buffer *state) {
    static const char *const dropped[] = {"writes", "profile_id", "created", NULL};
    static const char *const drawn[] = {"id", NULL};
    const struct cs *cs = world->chirpstack;
    BUFFER_AUTO places;
    BUFFER_AUTO lines;
    buffer_init(&places, BUFFER_UNLIMITED);
    buffer_init(&lines, BUFFER_UNLIMITED);
    network_state_chirpstack(world, dropped, state);
    for (size_t i = 0; i < cs->device_count; i++)
        buffer_printf(state, "%s: %s\n", cs->devices[i]->dev_eui,
                      cs_find_profile(cs, cs->devices[i]->profile_id)->name);
    cs_places_json(cs, &places);
    network_put_objects(&places, drawn, &lines);
    network_put_sorted(&lines, state);
}

const struct network_target network_targets[] = {
    {"lines", "json", NULL, NULL, NULL, false},
    {"csv", "csv", NULL, NULL, NULL, false},
    {"tts", "tts", options_tts, device_tts, state_tts, false},
    {"chirpstack", "chirpstack", options_chirpstack, device_chirpstack, state_chirpstack, true},
    {0},
};

const struct network_target *network_target_find(const char *name) {
    const struct network_target *target = network_targets;
    while (target->name != NULL && strcmp(target->name, name) != 0) target++;
    return target->name == NULL ? NULL : target;
}
