// SPDX-License-Identifier: Apache-2.0
// The Things Network V2: Account Server, Discovery, Handler, Broker and Network Server as one. What they do
// was recorded from a running V2 (2.x) and read from its source.
#ifndef SANDBOX_WORLD_TTNV2_P_H
#define SANDBOX_WORLD_TTNV2_P_H

#include "world/bucket.h"
#include "world/field.h"
#include "world/prng.h"
#include "world/wire.h"
#include "world/world_p.h"

enum { EUI_SIZE = 8, DEV_ADDR_SIZE = 4, KEY_SIZE = 16 };

// Bytes of one's own; NULL if empty.
struct v2_blob {
    uint8_t *data;
    size_t size;
};

struct v2_attribute {
    struct v2_blob key;
    struct v2_blob value;
};

struct v2_session_keys {
    uint8_t dev_addr[DEV_ADDR_SIZE];
    uint8_t nwk_s_key[KEY_SIZE];
};

// A device in the Handler's database.
struct v2_device {
    char *dev_id;                     // owned
    char *constraints;                // owned; NULL = "local"
    struct v2_attribute *attributes;  // owned; in the order in which they came
    struct v2_blob description;
    uint8_t app_eui[EUI_SIZE];
    uint8_t dev_eui[EUI_SIZE];
    struct v2_session_keys session;
    uint8_t app_s_key[KEY_SIZE];
    uint8_t app_key[KEY_SIZE];
    float latitude;
    float longitude;
    int32_t altitude;
    int64_t cleared_at;          // when a SetDevice took its last key, ns since 1970; 0 = it has keys
    uint32_t dev_nonces;         // how many are used up
    uint32_t app_nonces;         //
    uint32_t writes;             // SetDevice calls that changed it
    uint32_t device_f_cnt_up;    // the device's own counter, out in the field
    uint16_t device_join_count;  // joins since the world began
    uint8_t attribute_count;
    bool disable_f_cnt_check;
    bool uses32_bit_f_cnt;
    bool was_cleared;  // a SetDevice took its last key
};

// A device in the Network Server's database, known by its EUIs.
struct v2_network_device {
    struct v2_network_device *next;  // of the same hash
    char *dev_id;                    // owned
    struct v2_application *application;
    uint8_t app_eui[EUI_SIZE];
    uint8_t dev_eui[EUI_SIZE];
    struct v2_session_keys session;
    uint32_t f_cnt_up;
    uint32_t f_cnt_down;
    uint32_t frames;    // in its history
    int64_t last_seen;  // ns since 1970, 0 = never
};

struct v2_network_server {
    struct field_touched touched;      // devices that were added, changed or removed
    struct v2_network_device **slots;  // owned; a power of two of them
    size_t slot_count;
    size_t count;
};

enum v2_rights { V2_RIGHT_DEVICES = 1 << 0, V2_RIGHT_SETTINGS = 1 << 1 };

enum { V2_KEYS_MAX = 4, V2_FUNCTIONS = 6 };

struct v2_access_key {
    char text[64];
    unsigned rights;
};

// An application: at the Account Server, and (if registered) at the Handler and in Discovery.
struct v2_application {
    char *app_id;  // owned
    bool registered;
    struct v2_access_key keys[V2_KEYS_MAX];
    struct v2_blob functions[V2_FUNCTIONS];  // fields 2 to 7 of handler.Application
    struct v2_device **devices;              // owned; sorted by dev_id
    size_t device_count;
    size_t device_capacity;
};

// Where V2 counts calls; the first two answer for themselves, the others through the Handler.
enum v2_place { V2_HANDLER_CLIENT, V2_HANDLER_APPLICATION, V2_BROKER_CLIENT, V2_NETWORK_SERVER_CLIENT };

struct v2_limit {
    enum v2_place place;
    char *name;  // owned; subject or application
    struct bucket bucket;
};

struct v2 {
    uint64_t seed;
    uint32_t rate_limit;
    struct v2_application **applications;  // owned
    size_t application_count;
    struct v2_application *main;  // one of them
    struct v2_network_server network;
    struct v2_limit *limits;  // owned
    size_t limit_count;
    char *net_address;  // owned; what Discovery announces
    char *certificate;
    char *api_address;
    uint8_t token_secret[32];
    char user_token[64];
    struct world_numbers numbers;
    struct prng field;    // draws what the devices do
    double uplinks;       // per second
    double uplink_debt;   // due, not yet made
    int64_t advanced_to;  // 0 = not yet
    bool half;            // the present call fails between the Network Server and the Handler
};

// ---- ttnv2.c: the network as a whole

struct v2 *v2_new(const struct world_setup *setup);
void v2_free(struct v2 *v2);
void v2_call(struct v2 *v2, int64_t now, const struct world_request *request, struct world_reply *reply);
struct v2_application *v2_find_application(const struct v2 *v2, const char *app_id);
// Known at the Account Server from then on; registered at the Handler if asked for.
struct v2_application *v2_add_application(struct v2 *v2, const char *app_id, bool registered);

// ---- ttnv2_store.c: the databases

void v2_blob_set(struct v2_blob *blob, const void *data, size_t size);
void v2_blob_release(struct v2_blob *blob);
bool v2_is_zero(const uint8_t *data, size_t size);
// True if AppKey, NwkSKey or AppSKey of the Handler's device is not zero.
bool v2_has_keys(const struct v2_device *device);
struct v2_device *v2_device_new(const char *dev_id);
void v2_device_free(struct v2_device *device);
void v2_device_clear_attributes(struct v2_device *device);
// Replaces the value if the key is there. At most 255; more are left out.
void v2_device_add_attribute(struct v2_device *device, struct wire_bytes key, struct wire_bytes value);
struct v2_device *v2_find_device(const struct v2_application *application, const char *dev_id);
// Takes ownership of `device`, whose dev_id must be new; keeps the order.
void v2_insert_device(struct v2_application *application, struct v2_device *device);
// As before without keeping the order: v2_sort_devices puts it right once all are there.
void v2_append_device(struct v2_application *application, struct v2_device *device);
void v2_sort_devices(struct v2_application *application);
void v2_remove_device(struct v2_application *application, struct v2_device *device);
void v2_clear_application(struct v2_application *application);

struct v2_network_device *v2_network_find(const struct v2_network_server *network, const uint8_t *app_eui,
                                          const uint8_t *dev_eui);
// Finds it or makes it, without keys and counters.
struct v2_network_device *v2_network_add(struct v2_network_server *network, const uint8_t *app_eui,
                                         const uint8_t *dev_eui);
void v2_network_remove(struct v2_network_server *network, const uint8_t *app_eui, const uint8_t *dev_eui);
void v2_network_clear(struct v2_network_server *network);

// ---- ttnv2_codec.c: messages

// A device as a request carries it; what is borrowed lives as long as the message.
struct v2_device_message {
    struct wire_bytes app_id, dev_id, description;
    bool has_lorawan;
    struct wire_bytes lorawan_app_id, lorawan_dev_id, constraints;
    struct wire_bytes app_eui, dev_eui, dev_addr, nwk_s_key, app_s_key, app_key;  // data NULL = absent
    uint32_t f_cnt_up, f_cnt_down, dev_nonces, app_nonces;
    bool disable_f_cnt_check, uses32_bit_f_cnt;
    int64_t last_seen;
    float latitude, longitude;
    int32_t altitude;
    struct wire_bytes body;  // the message itself: its attributes are read from it
};

// NULL, or what the servers' library says of a message that does not parse.
const char *v2_decode_device(struct wire_bytes body, struct v2_device_message *ret_message);
// A message of texts only: fields 1 to `count` go to texts[0] and on, other numbers are skipped.
const char *v2_decode_texts(struct wire_bytes body, struct wire_bytes *texts, size_t count);
// One more attribute of the message at each call; `reader` starts over the message's body.
bool v2_next_attribute(struct wire_reader *reader, struct wire_bytes *ret_key, struct wire_bytes *ret_value);

// Appends a handler.Device. `network` is NULL in lists, which have neither counters nor last_seen.
void v2_encode_device(struct buffer *buffer, const char *app_id, const struct v2_device *device,
                      const struct v2_network_device *network);

// ---- ttnv2_auth.c: who may do what, and how often

// The caller of one call: by an access key of `application`, or by a token with claims.
struct v2_caller {
    char subject[96];
    const struct v2_application *application;  // borrowed; NULL = by token
    unsigned rights;                           // to `application`
    char claims[2048];                         // JSON
};

// Checks key or token of the request for an application and takes a token of the Handler's limiters.
// False: the reply says why not.
bool v2_authenticate(struct v2 *v2, int64_t now, const struct world_request *request, const char *app_id,
                     struct v2_caller *ret_caller, struct world_reply *reply);
bool v2_has_right(const struct v2_caller *caller, const char *app_id, enum v2_rights right);
// The limiters of Broker and Network Server; `what` is what the Handler says of a failure: "Broker did not
// set device".
bool v2_take_broker(struct v2 *v2, int64_t now, const struct v2_caller *caller, const char *what,
                    struct world_reply *reply);
const char *v2_right_name(enum v2_rights right);

// Exchanges a key: true and its rights, or false and the Account Server's words.
bool v2_exchange_key(const struct v2 *v2, const char *app_id, const char *key, unsigned *ret_rights,
                     const char **ret_error);

// ---- ttnv2_token.c: JSON web tokens of the Account Server

enum { V2_TOKEN_SECONDS = 3600 };
char *v2_token_make(const struct v2 *v2, int64_t now, const char *app_id, unsigned rights);
// True and the claims (JSON, at most `size` bytes with NUL); false and why.
bool v2_token_check(const struct v2 *v2, int64_t now, const char *token, char *ret_claims, size_t size,
                    const char **ret_error);

// ---- the servers

void v2_discovery_call(struct v2 *v2, const struct world_request *request, struct world_reply *reply);
void v2_handler_call(struct v2 *v2, int64_t now, const struct world_request *request,
                     struct world_reply *reply);
void v2_set_device(struct v2 *v2, int64_t now, const struct world_request *request,
                   struct world_reply *reply);
void v2_account_call(struct v2 *v2, int64_t now, const struct world_request *request,
                     struct world_reply *reply);

// The checks of IDs. False: the reply says what is wrong, after `prefix`.
bool v2_check_id(struct wire_bytes id, const char *name, const char *prefix, struct world_reply *reply);
// A copy with NUL; the caller frees it.
char *v2_text(struct wire_bytes bytes);
// Refuses a call to an application that the Handler does not have.
struct v2_application *v2_registered(const struct v2 *v2, const char *app_id, struct world_reply *reply);
// Refuses a caller without the right.
bool v2_require(const struct v2_caller *caller, const char *app_id, enum v2_rights right,
                struct world_reply *reply);

// ---- ttnv2_population.c, ttnv2_broken.c, ttnv2_field.c, ttnv2_state.c

void v2_populate(struct v2 *v2, uint64_t devices);
void v2_add_broken(struct v2 *v2);
// Makes the Network Server know the device, as after its registration.
struct v2_network_device *v2_register(struct v2 *v2, struct v2_application *application,
                                      const struct v2_device *device);

enum v2_heard { V2_LOST, V2_HEARD, V2_JOINING, V2_JOINED };
// One uplink, or an attempt to join, of a device. *ret_down is set to the counter of a downlink that answers it.
enum v2_heard v2_hear(struct v2 *v2, struct v2_device *device, int64_t now, int64_t *ret_down);
// True if V2 holds a key of the device with these EUIs. *ret_known: one of its applications has
// it.
bool v2_holds(const struct v2 *v2, const uint8_t *euis, bool *ret_known);
// Session, root key and counters as V2 knows them.
void v2_read_device(const struct v2 *v2, struct field_device *own);

void v2_state_json(const struct v2 *v2, const char *separator, struct buffer *state);
int v2_load_device(struct v2 *v2, const char *json, size_t size, const char **ret_app_id,
                   struct error *error);

#endif
