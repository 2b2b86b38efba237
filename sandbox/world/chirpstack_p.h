// SPDX-License-Identifier: Apache-2.0
// ChirpStack v4 as its gRPC API shows it: tenants, applications, device profiles, devices with keys and activations, gateways.
// What it does was recorded from a running ChirpStack (4.20) and read from its public interface.
#ifndef SANDBOX_WORLD_CHIRPSTACK_P_H
#define SANDBOX_WORLD_CHIRPSTACK_P_H

#include "base/arena.h"
#include "world/prng.h"
#include "world/wire.h"
#include "world/world_p.h"

enum { CS_UUID_SIZE = 37, CS_EUI_SIZE = 17, CS_ADDRESS_SIZE = 9, CS_KEY_SIZE = 33, CS_PAIRS_MAX = 16 };

// Texts with their NUL; hex in lower case, as the server writes it.

struct cs_tenant {
    char id[CS_UUID_SIZE];
    const char *name;      // static
    uint32_t max_devices;  // 0 = any number
    const char *prefix;    // of its addresses; NULL = any; static
};

struct cs_application {
    char id[CS_UUID_SIZE];
    char *name;         // owned
    char *description;  // owned
    const struct cs_tenant *tenant;
};

// A member of the enums of the API by its number.
struct cs_profile {
    char id[CS_UUID_SIZE];
    const struct cs_tenant *tenant;
    const char *name;  // static or in the arena, as all texts here
    const char *description;
    uint32_t region, mac_version, revision, codec;
    const char *script;
    const char *adr;  // NULL = "default"
    bool flush_queue;
    uint32_t uplink_interval;  // s; 0 = an hour
    bool auto_detect;
    uint32_t status_requests;  // a day
    bool otaa, class_b, class_c;
    uint32_t class_b_timeout, ping_slot_periodicity, ping_slot_dr, ping_slot_freq, class_c_timeout;
    uint32_t abp_rx1_delay, abp_rx1_dr_offset, abp_rx2_dr, abp_rx2_freq;
    const char *tag_key, *tag_value;  // NULL = none
    const char *region_config;
    uint32_t rx1_delay;
    bool is_relay, is_relay_ed;
    struct arena arena;
};

struct cs_pair {
    char *key;    // owned
    char *value;  // owned
};

struct cs_pairs {
    struct cs_pair items[CS_PAIRS_MAX];
    size_t count;
};

struct cs_activation {
    char dev_addr[CS_ADDRESS_SIZE];
    char app_s_key[CS_KEY_SIZE];
    char nwk_s_enc_key[CS_KEY_SIZE];
    char s_nwk_s_int_key[CS_KEY_SIZE];
    char f_nwk_s_int_key[CS_KEY_SIZE];
    uint32_t f_cnt_up, n_f_cnt_down, a_f_cnt_down;  // the next ones
    // What its receive windows are taken to be, which no call tells; 0 = the region's.
    uint32_t rx1_delay, rx1_dr_offset, rx2_dr, rx2_freq;
};

struct cs_keys {
    char nwk_key[CS_KEY_SIZE];
    char app_key[CS_KEY_SIZE];
    char gen_app_key[CS_KEY_SIZE];
};

struct cs_device {
    char dev_eui[CS_EUI_SIZE];
    char join_eui[CS_EUI_SIZE];
    char *name;         // owned
    char *description;  // owned
    char application_id[CS_UUID_SIZE];
    char profile_id[CS_UUID_SIZE];
    bool skip_fcnt_check;
    bool is_disabled;
    bool has_keys;
    bool has_activation;
    bool wrapped;  // its AppSKey is wrapped by a join server
    struct cs_pairs variables;
    struct cs_pairs tags;
    struct cs_keys keys;
    struct cs_activation activation;
    uint32_t class_enabled;
    int64_t created;    // ns since 1970
    int64_t last_seen;  // 0 = never
    uint32_t writes;    // calls that changed it
    uint32_t nonces;    // DevNonces that are used up
    // Out in the field: the session that the device itself has, and its counter.
    char field_addr[CS_ADDRESS_SIZE];
    uint32_t field_f_cnt_up;
};

struct cs_gateway {
    char gateway_id[CS_EUI_SIZE];
    const struct cs_tenant *tenant;
    char *name;                  // owned
    char *description;           // owned
    double latitude, longitude;  // 0 = nobody entered them
    float altitude;              // m
    struct cs_pairs tags;
    struct cs_pairs metadata;  // none = it was never heard
};

enum { CS_TENANTS = 3, CS_APPLICATIONS = 5 };

enum cs_right { CS_READ, CS_WRITE };

struct cs_api_key {
    char text[96];
    const struct cs_tenant *tenant;  // NULL = an admin's
    bool read_only;
};

struct cs {
    uint64_t seed;
    struct cs_tenant tenants[CS_TENANTS];
    struct cs_application **applications;  // owned; those of the seed come first
    size_t application_count;
    struct cs_profile **profiles;  // owned
    size_t profile_count;
    uint64_t made;               // objects that got an ID since the beginning
    struct cs_device **devices;  // owned; sorted by DevEUI
    size_t device_count;
    struct cs_gateway **gateways;  // owned; sorted by their EUI
    size_t gateway_count;
    struct cs_api_key keys[WORLD_CHIRPSTACK_KEYS];
    struct prng field;
    double uplinks;
    double uplink_debt;
    int64_t advanced_to;
};

// ---- chirpstack.c

struct cs *cs_new(const struct world_setup *setup);
void cs_free(struct cs *cs);
void cs_call(struct cs *cs, int64_t now, const struct world_request *request, struct world_reply *reply);

// v3, over HTTP; and how its calls are counted: "v3/PUT-one-of-devices".
void cs_v3_call(struct cs *cs, int64_t now, const struct world_request *request, struct world_reply *reply);
void cs_v3_method_name(const char *method, char *name, size_t size);

// A call whose key was accepted; the methods read its body and fill the reply.
struct cs_call {
    struct cs *cs;
    int64_t now;
    struct wire_bytes body;
    const struct cs_api_key *key;
    struct world_reply *reply;
};

// True if the caller may do that in the tenant; else the reply says no.
bool cs_may(const struct cs_call *call, const struct cs_tenant *tenant, enum cs_right right);
void cs_not_found(const struct cs_call *call, const char *id);
// The reply to what the database refuses since it is there already.
void cs_duplicate(const struct cs_call *call, const char *constraint);
// False, with a reply, if the text is no UUID.
bool cs_check_uuid(const struct cs_call *call, const char *text);

// The texts of a message of texts only: fields 1 to `count`; others are skipped. False: the reply says what is wrong.
bool cs_read_texts(const struct cs_call *call, struct wire_bytes *texts, size_t count);
// The numbers likewise, and the texts of other fields with a number below `count`.
struct cs_request {
    uint64_t numbers[16];
    char texts[16][64];  // cut where longer
};
bool cs_read_request(const struct cs_call *call, struct cs_request *request);

// ---- chirpstack_store.c

struct cs_device *cs_find_device(const struct cs *cs, const char *dev_eui);
const struct cs_tenant *cs_find_tenant(const struct cs *cs, const char *id);
const struct cs_application *cs_find_application(const struct cs *cs, const char *id);
const struct cs_profile *cs_find_profile(const struct cs *cs, const char *id);
// Adds one; the rest of it is up to the caller.
struct cs_application *cs_add_application(struct cs *cs, const char *id, const char *name,
                                          const struct cs_tenant *tenant);
struct cs_profile *cs_add_profile(struct cs *cs, const char *id, const struct cs_tenant *tenant);
// Takes one away, and the devices that belong to it, as the real server does.
void cs_remove_application(struct cs *cs, const struct cs_application *application);
void cs_remove_profile(struct cs *cs, const struct cs_profile *profile);
void cs_application_free(struct cs_application *application);
void cs_profile_free(struct cs_profile *profile);
struct cs_device *cs_device_new(const char *dev_eui);
void cs_device_free(struct cs_device *device);
// Takes ownership; the DevEUI must be new.
void cs_insert_device(struct cs *cs, struct cs_device *device);
void cs_remove_device(struct cs *cs, struct cs_device *device);
void cs_set_text(char **text, const char *value);
void cs_pairs_add(struct cs_pairs *pairs, const char *key, const char *value);
void cs_pairs_release(struct cs_pairs *pairs);
// A UUID of its own for each pair of seed and number.
void cs_make_uuid(uint64_t seed, uint64_t number, char uuid[static CS_UUID_SIZE]);
void cs_make_hex(struct prng *prng, char *text, size_t size);  // size with NUL

// ---- chirpstack_gateways.c

void cs_populate_gateways(struct cs *cs, bool broken);
struct cs_gateway *cs_find_gateway(const struct cs *cs, const char *gateway_id);
// Adds one; the rest of it is up to the caller. The EUI must be new.
struct cs_gateway *cs_add_gateway(struct cs *cs, const char *gateway_id, const struct cs_tenant *tenant);
void cs_remove_gateway(struct cs *cs, struct cs_gateway *gateway);
void cs_gateway_free(struct cs_gateway *gateway);
void cs_list_gateways(const struct cs_call *call);
void cs_get_gateway(const struct cs_call *call);

// ---- chirpstack_codec.c: messages as they go over the wire; members with their default are left out

void cs_put_device(struct buffer *buffer, uint32_t number, const struct cs_device *device);
void cs_put_keys(struct buffer *buffer, uint32_t number, const struct cs_device *device);
void cs_put_activation(struct buffer *buffer, uint32_t number, const struct cs_device *device);
void cs_put_profile(struct buffer *buffer, uint32_t number, const struct cs_profile *profile);
void cs_put_pairs(struct buffer *buffer, uint32_t number, const struct cs_pairs *pairs);
void cs_put_time(struct buffer *buffer, uint32_t number, int64_t ns);
void cs_put_text(struct buffer *buffer, uint32_t number, const char *text);  // not if it is empty
void cs_put_number(struct buffer *buffer, uint32_t number, uint64_t value);  // not if it is 0

// Read into `device`, which keeps what the message has no member for. NULL, or what is wrong.
const char *cs_read_device(struct wire_bytes message, struct cs_device *device);
const char *cs_read_profile(struct wire_bytes message, struct cs_profile *profile,
                            char tenant_id[static CS_UUID_SIZE]);
const char *cs_read_keys(struct wire_bytes message, char dev_eui[static CS_EUI_SIZE], struct cs_keys *keys);
const char *cs_read_activation(struct wire_bytes message, char dev_eui[static CS_EUI_SIZE],
                               struct cs_activation *activation);
// The message in field 1. False if there is none.
bool cs_inner(struct wire_bytes message, struct wire_bytes *ret_inner);

// ---- chirpstack_lists.c, chirpstack_devices.c: the methods

void cs_list_regions(const struct cs_call *call);
void cs_list_tenants(const struct cs_call *call);
void cs_get_tenant(const struct cs_call *call);
void cs_list_applications(const struct cs_call *call);
void cs_get_application(const struct cs_call *call);
void cs_create_application(const struct cs_call *call);
void cs_delete_application(const struct cs_call *call);
void cs_list_profiles(const struct cs_call *call);
void cs_get_profile(const struct cs_call *call);
void cs_create_profile(const struct cs_call *call);
void cs_delete_profile(const struct cs_call *call);
void cs_list_devices(const struct cs_call *call);

void cs_get_device(const struct cs_call *call);
void cs_get_keys(const struct cs_call *call);
void cs_get_activation(const struct cs_call *call);
void cs_create_device(const struct cs_call *call);
void cs_update_device(const struct cs_call *call);
void cs_delete_device(const struct cs_call *call);
void cs_create_keys(const struct cs_call *call);
void cs_update_keys(const struct cs_call *call);
void cs_delete_keys(const struct cs_call *call);
void cs_flush_nonces(const struct cs_call *call);
void cs_activate(const struct cs_call *call);
void cs_deactivate(const struct cs_call *call);

// ---- chirpstack_population.c, chirpstack_field.c, chirpstack_state.c

void cs_populate(struct cs *cs, uint64_t devices);
void cs_add_broken(struct cs *cs);
void cs_advance(struct cs *cs, int64_t now);
// Sets the receive windows of a session as an activation does: those of the profile, for a device that does not join.
void cs_boot(struct cs_activation *activation, const struct cs_profile *profile);
// A device joins: a new session there and in the field.
void cs_join(struct cs *cs, struct cs_device *device, int64_t now);
// The device objects of the state, with `separator` in between.
void cs_state_json(const struct cs *cs, const char *separator, struct buffer *state);
// Applications and profiles likewise.
void cs_places_json(const struct cs *cs, struct buffer *state);

#endif
