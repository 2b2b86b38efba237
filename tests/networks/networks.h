// SPDX-License-Identifier: Apache-2.0
// The networks of the sandbox as tests see them: how each is populated, asked and looked at. A new source that is a server
// gets all journeys by one entry here.
#ifndef TESTS_NETWORKS_NETWORKS_H
#define TESTS_NETWORKS_NETWORKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/option.h"
#include "base/reader.h"
#include "net/call.h"
#include "world/world.h"
#include "world/world_p.h"

enum {
    NETWORK_ID_SIZE = 64,
    NETWORK_OPTIONS_MAX = 24,
    NETWORK_EUI_SIZE = 8,
    NETWORK_KEY_SIZE = 16,
};

// A device as its network has it.
struct network_device {
    char id[NETWORK_ID_SIZE];  // as the source names it; "" = a place without a device
    bool served;               // the network may answer it: it has its keys, and nothing holds it back
    uint8_t dev_eui[NETWORK_EUI_SIZE];
    uint8_t root_key[NETWORK_KEY_SIZE];     // what it joins with, of 1.1 NwkKey; zero = it does not join
    uint8_t session_key[NETWORK_KEY_SIZE];  // of 1.1 FNwkSIntKey; zero = no session
    int64_t up, down;                       // counters of that session, in the way of that network
    bool group;                             // of multicast: no device of its own
};

// Options of a driver's table, in the order in which they are set: a later one replaces an earlier one.
struct network_options {
    struct arena arena;
    struct {
        const char *name, *value;
    } items[NETWORK_OPTIONS_MAX];
    size_t count;
};

// Copies both.
void network_option(struct network_options *options, const char *name, const char *value);
// Those of The Things Stack, whose four servers have hosts in `domain`.
void network_options_tts(struct network_options *options, const char *application, const char *key,
                         const char *domain);
void network_options_release(struct network_options *options);
// A set for a driver with this table: ERROR_USAGE if there is no such option, or its value is wrong.
int network_options_set(const struct network_options *options, const struct option_spec *table,
                        struct option_values **ret_values, struct error *error);

// A way to use a source that is a server.
struct network_source {
    const char *name;    // of the way: "chirpstack-v3"
    const char *driver;  // as the registry names it
    // Asks for so many devices in the application.
    void (*populate)(struct world_setup *setup, uint64_t devices);
    const char *(*application)(const struct world *world);
    // All that a run needs, and a source that stays as it is.
    void (*options)(const struct world *world, struct network_options *options);
    const char *release_option;       // that makes the source let go of devices ...
    const char *const *release_ways;  // ... with each of these values; ends with NULL
    const char *keep_way;             // the value that lets it keep them; NULL = it is no option of its own
    const char *key_option;           // whose value is the key that the network wants ...
    const char *wrong_key;            // ... and a value that it refuses
    const char *missing;              // the ID of a device that it has not
    // The device in that place; false behind the last place.
    bool (*device)(const struct world *world, size_t index, struct network_device *ret_device);
    // What the network has of its devices, but for what putting back is documented not to bring: equal texts, equal
    // networks.
    void (*state)(const struct world *world, struct buffer *state);
    bool repeats_internal;  // an internal error of its server may pass, as its maker says
    const char *text;       // of a source that is a file; NULL = a server
};

// All of them; ends with a row whose name is NULL.
extern const struct network_source network_sources[];

// Those that are files, likewise; only one way of release, which does nothing.
extern const struct network_source network_files[];
// A file with that content, which is borrowed; reader_close closes it.
struct reader *network_text_reader(const char *text);

// The device with that ID, or false.
bool network_find(const struct network_source *source, const struct world *world, const char *id,
                  struct network_device *ret_device);

// A place where devices can go.
struct network_target {
    const char *name;    // "lines"
    const char *driver;  // as the registry names it
    // All that a run needs to go there; NULL = it is no server, as are the members below.
    void (*options)(const struct world *world, struct network_options *options);
    // As those of a source: of the devices that go there.
    bool (*device)(const struct world *world, size_t index, struct network_device *ret_device);
    void (*state)(const struct world *world, struct buffer *state);
    bool no_groups;  // it does not take those of multicast
};

// All of them; ends with a row whose name is NULL.
extern const struct network_target network_targets[];

// The one of that name; NULL if there is none.
const struct network_target *network_target_find(const char *name);

// ---- views.c: devices of networks that are both source and target

bool network_device_tts(const struct world *world, const char *application, size_t index,
                        struct network_device *ret_device);
void network_state_tts(const struct world *world, const char *application, struct buffer *state);

bool network_device_chirpstack(const struct world *world, const char *application_id, size_t index,
                               struct network_device *ret_device);
// Without the members that are named in `dropped`, which ends with NULL.
void network_state_chirpstack(const struct world *world, const char *const *dropped, struct buffer *state);

// Texts of JSON objects: a key or an EUI in hex, zero if it is none.
void network_take_hex(uint8_t *bytes, size_t size, const char *text);
// Appends the lines in the order of their texts: what is made again stands at the end of its list.
void network_put_sorted(struct buffer *lines, struct buffer *state);
// Appends each object of `text`, one a line, without the members that are named in `dropped`, which ends with NULL.
void network_put_objects(struct buffer *text, const char *const *dropped, struct buffer *state);

// ---- requests.c: calls as the sandbox takes them

// Texts that a call becomes; all of it lies in the arena.
struct network_request {
    struct world_header headers[64];
    struct world_request request;
};

// The call as it arrives at a server of the world. Servers are known by the first part of their name: "is.", "discovery.",
// "chirpstack.", "loriot." ...
void network_request(struct arena *arena, const struct call *call, struct network_request *ret_request);

// What the answer is to the caller, once it is delivered: a reply, or what its loss looks like. The delay is left out.
void network_reply(const struct world_reply *answer, enum call_kind kind, struct reply *ret_reply);

#endif
