// SPDX-License-Identifier: Apache-2.0
// The networks in memory: a request in, a reply out. No I/O, no threads, no clock of its own: the time of
// every call is passed in, and all else follows from the setup, so a run can be replayed. Not thread-safe.
#ifndef SANDBOX_WORLD_WORLD_H
#define SANDBOX_WORLD_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

struct world;

// The servers of the world. Each has an address of its own outside.
enum world_endpoint {
    WORLD_TTNV2_DISCOVERY,  // gRPC
    WORLD_TTNV2_HANDLER,    // gRPC
    WORLD_TTNV2_ACCOUNT,    // HTTP
    WORLD_TTS_IS,           // gRPC: Identity Server
    WORLD_TTS_NS,           // gRPC: Network Server
    WORLD_TTS_AS,           // gRPC: Application Server
    WORLD_TTS_JS,           // gRPC: Join Server
    WORLD_CHIRPSTACK,       // gRPC: v4
    WORLD_CHIRPSTACK_V3,    // HTTP; the same devices
    WORLD_FIREFLY,          // HTTP
    WORLD_LORIOT,           // HTTP
    WORLD_AWSIOT,           // HTTP
    WORLD_ENDPOINTS,
};

#define WORLD_DEFAULT_APP_ID "my-ttn-app"

// The main application of ChirpStack, by name.
#define WORLD_CHIRPSTACK_APPLICATION "meters"

// Its tenant, and an application that devices can be brought to.
#define WORLD_CHIRPSTACK_TENANT "acme"
#define WORLD_CHIRPSTACK_TARGET "second"

// LORIOT: the application that has most devices, by name, the API key of its account, and one that may only read.
#define WORLD_LORIOT_APPLICATION "Water meters"
#define WORLD_LORIOT_KEY         "loriot-key-AAABexample"
#define WORLD_LORIOT_READ_KEY    "loriot-read-only"

// The Things Stack: an application with devices, one without, and the user who owns both.
#define WORLD_TTS_SOURCE_APP_ID "my-tts-app"
#define WORLD_TTS_TARGET_APP_ID "my-new-app"
#define WORLD_TTS_USER_ID       "my-user"

// Firefly: the API key of its organization, and one that may only read. They need quoting in a query.
#define WORLD_FIREFLY_KEY      "firefly key/1+2=3&x"
#define WORLD_FIREFLY_READ_KEY "firefly-read-only"

// AWS: its region, and the access keys of its account: one that may do all, one that may only read, a temporary one.
#define WORLD_AWS_REGION         "eu-west-1"
#define WORLD_AWS_KEY_ID         "AKIASANDBOX000000000"
#define WORLD_AWS_SECRET         "sandbox+secret/of+the+account000000000000"
#define WORLD_AWS_READ_KEY_ID    "AKIASANDBOX000000001"
#define WORLD_AWS_READ_SECRET    "sandbox+secret/that+only+reads00000000000"
#define WORLD_AWS_SESSION_KEY_ID "ASIASANDBOX000000002"
#define WORLD_AWS_SESSION_SECRET "sandbox+secret/for+a+while000000000000000"
#define WORLD_AWS_SESSION_TOKEN  "sandbox+token/for+a+while=="

// The payload functions of V2's main application.
enum world_functions {
    WORLD_FUNCTIONS_SMALL,
    WORLD_FUNCTIONS_NONE,
    WORLD_FUNCTIONS_LARGE,  // a Decoder that is too large for The Things Stack
};

struct world_setup {
    uint64_t seed;
    uint64_t devices;  // how many the main application gets; the first is "mydevice"
    bool broken;       // adds the devices that cannot be migrated as they are
    enum world_functions functions;
    const char *app_id;    // of the main application; NULL = WORLD_DEFAULT_APP_ID
    uint64_t tts_devices;  // how many WORLD_TTS_SOURCE_APP_ID gets
    uint32_t
        rate_limit;  // calls a second in each place that V2 limits, and of a key for a method of The Things
                     // Stack; 0 = no limiter
    double uplinks;  // uplinks a second over all devices, made by world_advance
    uint64_t chirpstack_devices;  // how many the main application of ChirpStack gets
    uint64_t awsiot_devices;      // how many AWS gets, and one that is none of LoRaWAN
    uint64_t firefly_devices;     // how many Firefly gets
    uint64_t loriot_devices;      // how many LORIOT gets; every tenth is in its second application
};

// A world with its population; the caller frees it with world_free.
struct world *world_new(const struct world_setup *setup);
void world_free(struct world *world);

struct world_header {
    const char *name;  // lower case; "?name" is a value of the query
    const char *value;
};

// All pointers are borrowed.
struct world_request {
    enum world_endpoint endpoint;
    const char *method;  // gRPC: "/package.Service/Method"; HTTP: the verb, a space, the path
    const struct world_header *headers;
    size_t header_count;
    const void *body;  // gRPC: the message without its prefix
    size_t body_size;
};

// What becomes of the answer on its way.
enum world_delivery {
    WORLD_DELIVER,           // it arrives
    WORLD_RESET,             // the connection is reset in its place
    WORLD_RESET_MIDDLE,      // headers arrive, then the connection is reset
    WORLD_CUT,               // headers and message arrive, then the connection ends: no trailers
    WORLD_HANG,              // nothing ever comes
    WORLD_GOAWAY,            // it arrives, and the server tells every connection to go away
    WORLD_REFUSE,            // the server resets its connections and refuses new ones for `delay` ns
    WORLD_GARBAGE_TRANSPORT  // bytes that are no HTTP are sent in its place, then the connection ends
};

enum { WORLD_REPLY_HEADERS = 6 };

struct world_reply {
    int status;     // gRPC: its status code; HTTP: the status
    char *message;  // gRPC: the status message, owned, NULL if empty
    struct {
        const char *name;  // static
        char value[40];
    } headers[WORLD_REPLY_HEADERS];  // response headers
    size_t header_count;
    struct buffer body;
    struct buffer details;  // gRPC: google.rpc.Status, the trailer grpc-status-details-bin; empty = not sent
    int64_t delay;          // ns until it is sent: the limiter's and faults'
    enum world_delivery delivery;
};

// Answers one call. `now`: ns since 1970, never less than in the call before. What the call changes is
// changed when it returns, even if the answer is delayed or lost. `reply` is filled and must be released.
void world_call(struct world *world, int64_t now, const struct world_request *request,
                struct world_reply *reply);

// Frees (after wiping) what is in it; accepts a zeroed one.
void world_reply_release(struct world_reply *reply);

// Lets the devices live until `now`: uplinks, downlinks, joins as the setup's `uplinks` says. The first call
// only sets the time from which they count.
void world_advance(struct world *world, int64_t now);

// Adds a fault, e.g. "SetDevice:reset-after:every=7" (see fault.h for kinds and counts). ERROR_USAGE.
int world_add_fault(struct world *world, const char *spec, struct error *error);

// Removes all faults.
void world_clear_faults(struct world *world);

// What Discovery announces: the Handler's "host:port", the PEM text of its certificate ("" = none), the URL
// of its JSON gateway ("" = none). Copied.
void world_announce_handler(struct world *world, const char *net_address, const char *certificate,
                            const char *api_address);

// The access key of the main application with all rights; borrowed. Made-up, like every key of the world.
const char *world_access_key(const struct world *world);

// The keys of the main application that lack a right, to rehearse refusals; borrowed.
const char *world_key_devices_only(const struct world *world);
const char *world_key_settings_only(const struct world *world);

// A token that the account server takes as that of the user, for the gateways; borrowed.
const char *world_user_token(const struct world *world);

// The main application; borrowed.
const char *world_app_id(const struct world *world);

// Keys of The Things Stack: of the two applications with all rights, then those that lack some, then the user's,
// which may do all with applications and gateways.
enum world_tts_key {
    WORLD_TTS_KEY_SOURCE,         // of WORLD_TTS_SOURCE_APP_ID
    WORLD_TTS_KEY_TARGET,         // of WORLD_TTS_TARGET_APP_ID
    WORLD_TTS_KEY_NO_READ_KEYS,   // of the source application
    WORLD_TTS_KEY_NO_WRITE_KEYS,  // of the target application, as are the next two
    WORLD_TTS_KEY_NO_INFO,
    WORLD_TTS_KEY_READ_ONLY,
    WORLD_TTS_KEY_USER,
    WORLD_TTS_KEY_NO_SETTINGS,  // of the target application: what a migration of devices needs, and no more
    WORLD_TTS_KEY_SOURCE_DEVICES,  // the same of the source application
    WORLD_TTS_KEYS
};
const char *world_tts_key(const struct world *world, enum world_tts_key key);

// The host that the addresses of the source and target application name ("localhost" unless set). Copied.
void world_announce_tts(struct world *world, const char *host);
// API keys of ChirpStack: an admin's, those of two tenants (the first has the main application), and an admin's that
// may only read.
enum world_chirpstack_key {
    WORLD_CHIRPSTACK_KEY_ADMIN,
    WORLD_CHIRPSTACK_KEY_TENANT,
    WORLD_CHIRPSTACK_KEY_OTHER_TENANT,
    WORLD_CHIRPSTACK_KEY_READ_ONLY,
    WORLD_CHIRPSTACK_KEYS
};

// Borrowed, as are the IDs of the main application and of its tenant.
const char *world_chirpstack_key(const struct world *world, enum world_chirpstack_key key);
const char *world_chirpstack_application_id(const struct world *world);
const char *world_chirpstack_tenant_id(const struct world *world);

enum world_state_parts {
    WORLD_STATE_CALLS = 1 << 0,    // how often each method was called, and what came of it
    WORLD_STATE_DEVICES = 1 << 1,  // every device with all its keys at every network
};

// The world as JSON, appended to `state`. `parts` of enum world_state_parts. The same world gives the same
// bytes. Device objects can be read back by world_load_device.
void world_state_json(const struct world *world, unsigned parts, struct buffer *state);

// The device objects alone, one a line.
void world_state_lines(const struct world *world, struct buffer *state);

// Adds (or replaces) a device of V2 from one JSON object with at least "dev_id" and "get_device_hex", the
// bytes of a Handler's answer to GetDevice; what else world_state_json writes is taken too. The device keeps
// the order of its attributes. The application is made if it is new; *ret_app_id (borrowed; may be NULL) is
// its ID. ERROR_INPUT.
int world_load_device(struct world *world, const char *json, size_t size, const char **ret_app_id,
                      struct error *error);

// Makes `app_id` the main application (made if it is new).
void world_set_main_application(struct world *world, const char *app_id);

// Forgets the devices of all applications.
void world_clear_devices(struct world *world);

// Numbers for tests and for a person.
struct world_numbers {
    uint64_t devices;
    uint64_t with_keys;      // devices with a key that is not zero at V2
    uint64_t cleared;        // SetDevice calls that took the last key of a device
    uint64_t restored;       // SetDevice calls that gave a keyless device keys again
    uint64_t uplinks;        // accepted by the Network Server
    uint64_t lost;           // uplinks of devices that no network knows
    uint64_t tts_devices;    // known to at least one server of The Things Stack
    uint64_t tts_with_keys;  // of these, with a root key, a network or an application session key
    uint64_t tts_uplinks;    // accepted by its Network Server
    uint64_t twice;     // how often a device came to be held by two networks at once: with keys, not silenced
    uint64_t nowhere;   // how often one was held by none for longer than a second
    uint64_t repeated;  // downlinks with a counter that the device had seen before
};
void world_count(const struct world *world, struct world_numbers *numbers);

// The number of calls of a method ("SetDevice"; of The Things Stack and ChirpStack with its service:
// "NsEndDeviceRegistry/Set"), refused ones included.
uint64_t world_calls(const struct world *world, const char *method);

#endif
