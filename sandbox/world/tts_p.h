// SPDX-License-Identifier: Apache-2.0
// The Things Stack: the Identity, Network, Application and Join Server of one cluster. What they do was recorded
// from a running 3.32 and read from public documentation. A device is kept at each server as the EndDevice message
// that this server holds of it.
#ifndef SANDBOX_WORLD_TTS_P_H
#define SANDBOX_WORLD_TTS_P_H

#include "base/arena.h"
#include "world/bucket.h"
#include "world/field.h"
#include "world/prng.h"
#include "world/tts_rules.h"
#include "world/tts_tree.h"
#include "world/world_p.h"

enum tts_server { TTS_IS, TTS_NS, TTS_AS, TTS_JS, TTS_SERVERS };

enum { TTS_EUI_SIZE = 8, TTS_EUIS_SIZE = 2 * TTS_EUI_SIZE, TTS_DEV_ADDR_SIZE = 4, TTS_KEY_SIZE = 16 };

// A message in bytes of one's own; NULL if empty.
struct tts_blob {
    uint8_t *data;
    size_t size;
};

struct tts_application;

struct tts_device {
    char *device_id;                           // owned
    struct tts_application *application;       //
    size_t place;                              // among the application's devices
    struct tts_blob records[TTS_SERVERS];      // what each server holds; empty = it does not know the device
    uint8_t euis[TTS_SERVERS][TTS_EUIS_SIZE];  // JoinEUI and DevEUI there
    bool indexed[TTS_SERVERS];                 // those EUIs are in the server's index
    struct tts_device *next_by_euis[TTS_SERVERS];  // of the same hash
    struct tts_device *next_by_id;                 //
};

// Devices by a hash; a power of two of slots.
struct tts_index {
    struct tts_device **slots;  // owned
    size_t slot_count;
    size_t count;
};

struct tts_application {
    char *application_id;  // owned
    struct tts_blob record;
    struct tts_blob link;         // ApplicationLink; empty = never set
    struct tts_device **devices;  // owned; NULL where one was taken out
    size_t device_count;          // places in use, those that are empty too
    size_t device_capacity;
    size_t holes;
    bool sorted;  // by device_id
};

struct tts_gateway {
    char *gateway_id;  // owned
    struct tts_blob record;
    bool deleted;  // its ID stays taken
};

enum tts_entity { TTS_APPLICATION_KEY, TTS_USER_KEY, TTS_GATEWAY_KEY };

struct tts_key {
    char *text;       // owned; "NNSXS.ID.SECRET"
    char *name;       // owned
    char *entity_id;  // owned; of the application, user or gateway
    enum tts_entity entity;
    uint64_t rights;  // bits by number
};

// Where calls are counted: one key, one method.
struct tts_limit {
    char *name;  // owned
    struct bucket bucket;
};

struct tts {
    uint64_t seed;
    uint32_t rate_limit;
    struct tts_application **applications;  // owned; by ID
    size_t application_count;
    struct tts_index by_id;
    struct tts_index by_euis[TTS_SERVERS];
    struct field_touched touched;  // devices whose records changed
    struct tts_gateway *gateways;  // owned; by ID
    size_t gateway_count;
    struct tts_key *keys;  // owned; the first WORLD_TTS_KEYS are those of world_tts_key
    size_t key_count;
    struct tts_limit *limits;  // owned
    size_t limit_count;
    char *host;         // owned; where the servers are said to be
    struct prng draws;  // correlation IDs and keys
    uint64_t unknown;   // fields that no table knows, in requests
    uint64_t uplinks;   // that its Network Server accepted
};

// ---- tts.c: the cluster

struct tts *tts_make_cluster(const struct world_setup *setup);
void tts_free(struct tts *tts);
// The application, made with the cluster's addresses if it is new.
struct tts_application *tts_found_application(struct tts *tts, const char *application_id);
void tts_cluster_call(struct tts *tts, int64_t now, const struct world_request *request,
                      struct world_reply *reply);

// ---- tts_store.c: the databases

void tts_blob_set(struct tts_blob *blob, const void *data, size_t size);
void tts_blob_release(struct tts_blob *blob);
// The message as a tree, of the kind EndDevice, Application, ...
struct tts_node *tts_blob_tree(struct arena *arena, const struct tts_blob *blob, const char *message_name);
void tts_blob_store(struct tts_blob *blob, const struct tts_node *tree);

struct tts_application *tts_find_application(const struct tts *tts, const char *application_id);
struct tts_application *tts_add_application(struct tts *tts, const char *application_id);
struct tts_device *tts_find_device(const struct tts *tts, const char *application_id, const char *device_id);
// Finds it or makes it, known to no server.
struct tts_device *tts_add_device(struct tts *tts, struct tts_application *application,
                                  const char *device_id);
// The device that has both EUIs (JoinEUI, then DevEUI) at a server, or NULL.
struct tts_device *tts_find_euis(const struct tts *tts, enum tts_server server, const uint8_t *euis);
// What a server holds of the device from then on; a device that no server knows any more is freed.
void tts_store_record(struct tts *tts, struct tts_device *device, enum tts_server server,
                      const struct tts_node *record);
// The same for a record whose EUIs and keys have not changed.
void tts_update_record(struct tts_device *device, enum tts_server server, const struct tts_node *record);
void tts_drop_record(struct tts *tts, struct tts_device *device, enum tts_server server);
// The devices by ID: application->devices without holes.
void tts_sort_devices(struct tts_application *application);
void tts_clear_devices(struct tts *tts);
struct tts_gateway *tts_find_gateway(const struct tts *tts, const char *gateway_id);
// The ID must be new. Valid until the next one is added.
struct tts_gateway *tts_add_gateway(struct tts *tts, const char *gateway_id);

// ---- tts_view.c

// A device as the four servers know it. What a server does not have is zero.
struct tts_view {
    bool known[TTS_SERVERS];
    uint8_t euis[TTS_SERVERS][TTS_EUIS_SIZE];
    bool supports_join, silenced, has_session, has_pending_session, has_mac_state;  // Network Server
    uint8_t dev_addr[TTS_DEV_ADDR_SIZE];
    uint8_t f_nwk_s_int_key[TTS_KEY_SIZE];
    uint8_t s_nwk_s_int_key[TTS_KEY_SIZE];
    uint8_t nwk_s_enc_key[TTS_KEY_SIZE];
    uint32_t last_f_cnt_up, last_n_f_cnt_down, last_conf_f_cnt_down;
    uint8_t as_dev_addr[TTS_DEV_ADDR_SIZE];  // Application Server
    uint8_t app_s_key[TTS_KEY_SIZE];
    uint32_t last_a_f_cnt_down;
    uint8_t app_key[TTS_KEY_SIZE];  // Join Server
    uint8_t nwk_key[TTS_KEY_SIZE];
    uint32_t last_dev_nonce, last_join_nonce;
};

// False, and all zero, if no server knows the device.
bool tts_view(const struct tts *tts, const char *application_id, const char *device_id,
              struct tts_view *ret_view);

// ---- tts_population.c

// Adds devices and formatters to the source application, and gateways to the user. None without devices.
void tts_populate(struct tts *tts, uint64_t devices);

// ---- tts_field.c: devices that send

// True if the cluster holds a key of the device and may answer it.
bool tts_holds(const struct tts *tts, const uint8_t *euis);
// Session, root key and counters as the cluster knows them.
void tts_read_device(const struct tts *tts, struct field_device *device);
enum tts_heard { TTS_DEAF, TTS_HEARD, TTS_MAY_JOIN };
// One uplink. *ret_down is set to the counter of a downlink that answers it.
enum tts_heard tts_hear(struct tts *tts, int64_t now, const struct field_device *sender, struct prng *draws,
                        int64_t *ret_down);
// Gives the device a session; only after TTS_MAY_JOIN.
void tts_join(struct tts *tts, int64_t now, struct field_device *sender, struct prng *draws);

// ---- tts_state.c

void tts_state_json(struct tts *tts, const char *separator, struct buffer *state);
// Appends the payload formatters of the applications that have a link, as an object by application ID.
void tts_links_json(const struct tts *tts, struct buffer *state);
// One object as tts_state_json writes it. ERROR_INPUT.
int tts_load_device(struct tts *tts, const char *json, size_t size, const char **ret_application_id,
                    struct error *error);
void tts_count(const struct tts *tts, struct world_numbers *numbers);

// ---- tts_call.c: one call

struct tts_call;

// What a method is: where it is served, what it takes, what its field mask may name.
struct tts_method {
    const char *service;     // "EndDeviceRegistry"
    const char *name;        // "Get"
    unsigned endpoints;      // bits by enum tts_server
    const char *request;     // a message's name
    enum tts_mask mask;      // 0 = no mask is checked
    const char *subject;     // the member that the mask is about ("end_device"); NULL = none
    const char *subject_id;  // its member that counts without being named ("ids")
    void (*run)(struct tts_call *call);
    enum tts_server server;  // that the handler works for
};

struct tts_call {
    struct tts *tts;
    int64_t now;
    const struct world_request *request;
    struct world_reply *reply;
    const struct tts_method *method;
    struct arena arena;
    struct tts_node *in;
    const char **paths;  // of the field mask
    size_t path_count;
    const struct tts_key *key;  // the caller's; NULL = none
};

extern const struct tts_method tts_methods[];
extern const size_t tts_method_count;

// True if the mask names the path, or one above or below it.
bool tts_mask_touches(const struct tts_call *call, const char *path);
// Appends what the mask selects of an EndDevice, Application, ... to the answer, and what is always there.
struct tts_node *tts_select(struct tts_call *call, const struct tts_node *record);
void tts_answer(struct tts_call *call, const struct tts_node *message);
// Refuses a message whose form is wrong. False.
bool tts_refuse_form(struct tts_call *call, const struct tts_violation *violation);
void tts_set_time(struct arena *arena, struct tts_node *message, const char *path, int64_t ns);

// ---- tts_error.c: errors with their details

enum tts_error {
    TTS_VALIDATION,
    TTS_FORBIDDEN_PATHS,
    TTS_RATE_LIMIT,
    TTS_TOKEN,
    TTS_API_KEY_NOT_FOUND,
    TTS_STORE_API_KEY_NOT_FOUND,
    TTS_NO_APPLICATION_RIGHTS,
    TTS_MISSING_APPLICATION_RIGHTS,
    TTS_NO_USER_RIGHTS,
    TTS_MISSING_USER_RIGHTS,
    TTS_NO_GATEWAY_RIGHTS,
    TTS_MISSING_GATEWAY_RIGHTS,
    TTS_UNAUTHENTICATED,
    TTS_APPLICATION_NOT_FOUND,
    TTS_GATEWAY_NOT_FOUND,
    TTS_IS_DEVICE_NOT_FOUND,
    TTS_NS_DEVICE_NOT_FOUND,
    TTS_AS_DEVICE_NOT_FOUND,
    TTS_JS_DEVICE_NOT_FOUND,
    TTS_ID_TAKEN,
    TTS_ALREADY_EXISTS,
    TTS_FORBIDDEN_ID,
    TTS_IS_EUIS_TAKEN,
    TTS_REGISTRY_EUIS_TAKEN,
    TTS_GATEWAY_EUI_TAKEN,
    TTS_NS_ADDRESS_MISMATCH,
    TTS_AS_ADDRESS_MISMATCH,
    TTS_JS_ADDRESS_MISMATCH,
    TTS_READ_ONLY_FIELD,
    TTS_NS_FIELD_VALUE,
    TTS_JS_FIELD_VALUE,
    TTS_NO_FIELD,
    TTS_UNKNOWN_PLAN,
    TTS_NO_BAND_VERSION,
    TTS_BAND_NOT_FOUND,
    TTS_REDIS_NOT_FOUND,
    TTS_FORMATTER_SIZE,
    TTS_RPC_RECOVERED,
};

struct tts_attribute;

struct tts_problem {
    enum tts_error error;
    struct tts_attribute *attributes;
    struct tts_problem *cause;
};

// A problem with attributes: names and values (texts, copied) by turns, ended by NULL.
struct tts_problem *tts_problem(struct tts_call *call, enum tts_error error, ...) __attribute__((sentinel));
// One more attribute whose value is a list of texts.
void tts_add_attribute_list(struct tts_call *call, struct tts_problem *problem, const char *name,
                            const char *const *values, size_t count);
struct tts_problem *tts_because(struct tts_problem *problem, struct tts_problem *cause);
// Makes the answer that refusal. False, so that a check can end with it.
bool tts_refuse(struct tts_call *call, const struct tts_problem *problem);

// ---- tts_auth.c: keys and rights

enum tts_right {
    TTS_RIGHT_USER_APPLICATIONS_LIST = 6,
    TTS_RIGHT_USER_APPLICATIONS_CREATE = 7,
    TTS_RIGHT_USER_GATEWAYS_LIST = 8,
    TTS_RIGHT_USER_GATEWAYS_CREATE = 9,
    TTS_RIGHT_APPLICATION_INFO = 15,
    TTS_RIGHT_APPLICATION_SETTINGS_BASIC = 16,
    TTS_RIGHT_APPLICATION_DEVICES_READ = 20,
    TTS_RIGHT_APPLICATION_DEVICES_WRITE = 21,
    TTS_RIGHT_APPLICATION_DEVICES_READ_KEYS = 22,
    TTS_RIGHT_APPLICATION_DEVICES_WRITE_KEYS = 23,
    TTS_RIGHT_APPLICATION_TRAFFIC_READ = 24,
    TTS_RIGHT_GATEWAY_INFO = 30,
    TTS_RIGHT_GATEWAY_SETTINGS_BASIC = 31,
    TTS_RIGHT_GATEWAY_SETTINGS_API_KEYS = 32,
    TTS_RIGHT_GATEWAY_DELETE = 34,
    TTS_RIGHT_GATEWAY_WRITE_SECRETS = 57,
    TTS_RIGHT_GATEWAY_READ_SECRETS = 58,
};

void tts_make_keys(struct tts *tts);
// Makes a key of an entity; borrowed, valid until the next one is made.
struct tts_key *tts_add_key(struct tts *tts, enum tts_entity entity, const char *entity_id, const char *name,
                            uint64_t rights);
// Sets call->key from the request. False: refused, the key is malformed or unknown.
bool tts_authenticate(struct tts_call *call);
// The caller's rights to an application; 0 = none.
uint64_t tts_application_rights(const struct tts_call *call, const char *application_id);
// False: refused.
bool tts_require_key(struct tts_call *call);
bool tts_require_application(struct tts_call *call, const char *application_id, enum tts_right right);
bool tts_require_user(struct tts_call *call, const char *user_id, enum tts_right right);
bool tts_require_gateway(struct tts_call *call, const char *gateway_id, enum tts_right right);
const char *tts_right_name(unsigned right);
// Appends the rights as a list to a Rights or APIKey message.
void tts_put_rights(struct tts_call *call, struct tts_node *message, uint64_t rights);

// ---- tts_identity.c, tts_registry.c, tts_network.c, tts_application.c, tts_gateway.c, tts_information.c: methods

void tts_is_create(struct tts_call *call);
void tts_is_get(struct tts_call *call);
void tts_is_list(struct tts_call *call);
void tts_is_identifiers(struct tts_call *call);
void tts_is_update(struct tts_call *call);
void tts_is_delete(struct tts_call *call);
void tts_batch_get(struct tts_call *call);
void tts_batch_delete(struct tts_call *call);
void tts_registry_get(struct tts_call *call);
void tts_registry_delete(struct tts_call *call);
void tts_ns_set(struct tts_call *call);
void tts_as_set(struct tts_call *call);
void tts_js_set(struct tts_call *call);
void tts_application_create(struct tts_call *call);
void tts_application_get(struct tts_call *call);
void tts_application_list(struct tts_call *call);
void tts_application_update(struct tts_call *call);
void tts_list_rights(struct tts_call *call);
void tts_auth_info(struct tts_call *call);
void tts_get_link(struct tts_call *call);
void tts_set_link(struct tts_call *call);
void tts_gateway_create(struct tts_call *call);
void tts_gateway_get(struct tts_call *call);
void tts_gateway_list(struct tts_call *call);
void tts_gateway_update(struct tts_call *call);
void tts_gateway_delete(struct tts_call *call);
void tts_gateway_create_key(struct tts_call *call);

// The gateways as JSON objects: what a redirect is about, and whether one was deleted.
void tts_gateways_json(const struct tts *tts, struct buffer *state);
void tts_net_id(struct tts_call *call);
void tts_dev_addr_prefixes(struct tts_call *call);
void tts_default_mac_settings(struct tts_call *call);
void tts_join_eui_prefixes(struct tts_call *call);
void tts_default_join_eui(struct tts_call *call);
void tts_list_plans(struct tts_call *call);
void tts_list_bands(struct tts_call *call);
void tts_phy_versions(struct tts_call *call);

// ---- tts_registry.c: what the device registries share

struct tts_device_ids {
    const char *application_id;
    const char *device_id;
    const struct tts_node *tree;
};

// The IDs in the request at a path ("end_device.ids").
struct tts_device_ids tts_ids(struct tts_call *call, const char *path);
// The device if that server knows it; else refused, and NULL.
struct tts_device *tts_known_device(struct tts_call *call, const struct tts_device_ids *ids);
// False, and refused, if another device has the EUIs at the server.
bool tts_check_euis(struct tts_call *call, const struct tts_device_ids *ids, enum tts_error taken);
// Gives a record its IDs and times: created_at unless it has one, updated_at now.
void tts_stamp(struct tts_call *call, struct tts_node *record, const struct tts_device_ids *ids);
// The page of a list of `total` that the request wants, with its header: from *ret_first on, to before *ret_end.
void tts_page(struct tts_call *call, size_t total, size_t *ret_first, size_t *ret_end);
// False, and refused: an ID that nobody may take.
bool tts_check_reserved(struct tts_call *call, const char *id);

// ---- tts_network_rules.c, tts_mac_state.c: what the Network Server makes of a device

// Checks the device that a Set would leave behind. False: refused.
bool tts_check_network_device(struct tts_call *call, const struct tts_node *device,
                              const struct tts_node *old);
// Puts the server's first MAC state of the device at `path` of `device`. False if it has none.
bool tts_put_mac_state(struct arena *arena, struct tts_node *device, const char *path);

#endif
