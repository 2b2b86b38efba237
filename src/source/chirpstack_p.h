// SPDX-License-Identifier: Apache-2.0
// What the files of source chirpstack share.
#ifndef SOURCE_CHIRPSTACK_P_H
#define SOURCE_CHIRPSTACK_P_H

#include "device/chirpstack.h"
#include "lorawan/mac_state.h"
#include "net/address.h"
#include "source/source.h"

enum { CHIRPSTACK_PLANS_MAX = 16 };

// Applications that stand for something else: all that the key sees (--chirpstack.all), and none, for the command
// `device`.
#define CHIRPSTACK_ALL  "*"
#define CHIRPSTACK_NONE "-"

enum chirpstack_release { CHIRPSTACK_KEEP, CHIRPSTACK_DISABLE, CHIRPSTACK_DELETE };

// What decides how a device is converted.
struct chirpstack_rules {
    const struct frequency_plans *plans;  // borrowed, as all that follows
    const struct device_naming *naming;
    const struct clock *clock;
    const struct random *random;
    const struct frequency_plan *chosen[CHIRPSTACK_PLANS_MAX];  // those that the user named
    size_t chosen_count;
    const struct eui64 *join_eui;  // of devices whose own is not known; NULL = none
    bool with_session;
    bool with_variables;
    enum chirpstack_release release;
    bool to_server;
    // What an OTAA session has in force, which no call tells; not set = the region's.
    struct mac_optional rx1_delay;  // s
    struct mac_optional rx2_data_rate;
    uint64_t rx2_frequency;  // Hz; 0 = not set
};

// A device profile that was read; the program reads each once a run.
struct chirpstack_profile {
    struct chirpstack_profile *next;
    char *key;  // owned
    struct arena arena;
    Chirpstack__DeviceProfile *message;  // in the arena
};

struct chirpstack;

// What can be asked for; the message that answers it.
enum chirpstack_object {
    CHIRPSTACK_TENANTS,       // ListTenantsResponse
    CHIRPSTACK_APPLICATIONS,  // ListApplicationsResponse
    CHIRPSTACK_APPLICATION,   // GetApplicationResponse
    CHIRPSTACK_DEVICES,       // ListDevicesResponse
    CHIRPSTACK_PROFILE,       // GetDeviceProfileResponse
    CHIRPSTACK_DEVICE,        // GetDeviceResponse
    CHIRPSTACK_KEYS,          // GetDeviceKeysResponse
    CHIRPSTACK_ACTIVATION,    // GetDeviceActivationResponse
    CHIRPSTACK_GATEWAYS,      // ListGatewaysResponse
    CHIRPSTACK_GATEWAY,       // GetGatewayResponse
    CHIRPSTACK_OBJECTS
};

// What can be changed; the message that says how.
enum chirpstack_change {
    CHIRPSTACK_CREATE,       // DeviceRequest
    CHIRPSTACK_UPDATE,       // DeviceRequest
    CHIRPSTACK_REMOVE,       // DevEUIRequest
    CHIRPSTACK_CREATE_KEYS,  // DeviceKeysRequest
    CHIRPSTACK_ACTIVATE,     // ActivateDeviceRequest
    CHIRPSTACK_CHANGES
};

// A part of a list.
struct chirpstack_page {
    // Of applications: their tenant (v3: NULL = any); of gateways too (NULL = any); of devices: their application.
    const char *of;
    uint32_t limit, offset;
};

// How a version of ChirpStack is spoken to. Both speak in the messages of v4.
struct chirpstack_api {
    enum call_kind kind;
    // Adds a call for a page of a list.
    void (*list)(struct chirpstack *self, struct job *job, enum chirpstack_object object,
                 const struct chirpstack_page *page);
    // Adds a call for one object by its ID, a device's DevEUI, a gateway's EUI.
    void (*get)(struct chirpstack *self, struct job *job, enum chirpstack_object object, const char *id);
    // Reads the reply to one of them, which was OK; NULL, with an error that names the server, if it is none. In the
    // job's arena.
    void *(*read)(struct chirpstack *self, struct job *job, size_t index, enum chirpstack_object object,
                  struct error *error);
    // Adds a call that changes something.
    struct call *(*change)(struct chirpstack *self, struct job *job, enum chirpstack_change change,
                           const ProtobufCMessage *message);
};

extern const struct chirpstack_api chirpstack_v4_api;
extern const struct chirpstack_api chirpstack_v3_api;

struct chirpstack {
    struct source base;
    const struct chirpstack_api *api;     // NULL = not known yet
    const struct option_values *options;  // borrowed
    struct chirpstack_rules rules;
    struct eui64 join_eui;
    char *ca_pem;  // owned; NULL = none
    struct address address;
    char *server_name;  // owned
    struct server server;
    char *authorization;                  // owned; the header's value
    char *asked;                          // owned; the application that was asked for, as it was written
    char **applications;                  // owned, as each text; the IDs that it stands for
    size_t application_count;             //
    struct chirpstack_profile *profiles;  // owned
};

// True if it is v3 that is spoken to.
static inline bool chirpstack_is_v3(const struct chirpstack *self) {
    return self->api == &chirpstack_v3_api;
}

// ---- chirpstack_v3.c: what v3 has elsewhere than v4

// Adds calls for the application of a device, whose codec counts where its profile has none.
void chirpstack_v3_get_application(struct chirpstack *self, struct job *job, const char *id);
void chirpstack_v3_get_service_profile(struct chirpstack *self, struct job *job, const char *id);

// Puts what their replies say into the profile. *ret_service_profile is the application's.
int chirpstack_v3_merge_application(struct chirpstack *self, struct job *job, size_t index,
                                    Chirpstack__DeviceProfile *profile, const char **ret_service_profile,
                                    struct error *error);
int chirpstack_v3_merge_service_profile(struct chirpstack *self, struct job *job, size_t index,
                                        Chirpstack__DeviceProfile *profile, struct error *error);

// True if an answer to HTTP looks like that of v3.
bool chirpstack_v3_answers(const struct reply *reply);

// ---- chirpstack_device.c: conversion

// Reads a record's bytes; the message lives in `arena`. ERROR_PROTOCOL if they are none, or if a member that must be
// there is not.
int chirpstack_record_read(const void *data, size_t size, struct arena *arena,
                           Chirpstack__Record **ret_record, struct error *error);

// Makes the device of a record and its profile.
int chirpstack_device_convert(const struct chirpstack_rules *rules, const Chirpstack__Record *record,
                              const Chirpstack__DeviceProfile *profile, struct device *device,
                              struct error *error);

// The session of a record as far as it can be taken along: false if there is none, or a part is missing or wrapped.
// *ret_why is what is wrong with one that cannot, NULL if there is none.
bool chirpstack_session_complete(const Chirpstack__Record *record, bool mac_1_1, const char **ret_why);

// ---- chirpstack_profile.c: versions, frequency plans

// The PHY version. *ret_remark says what was not taken as it stands there; NULL if nothing.
enum phy_version chirpstack_phy_version(const Chirpstack__DeviceProfile *profile, const char **ret_remark);

// The frequency plan of a device with that profile, with a note where it is a guess. ERROR_DEVICE, with a hint that
// lists them, if several fit.
int chirpstack_choose_plan(const struct chirpstack_rules *rules, const Chirpstack__DeviceProfile *profile,
                           struct device *device, const struct frequency_plan **ret_plan,
                           struct error *error);

// The same for a gateway: by the region and its configuration where it was heard last, "" = not known.
int chirpstack_choose_gateway_plan(const struct chirpstack_rules *rules, const char *region_name,
                                   const char *config, struct gateway *gateway,
                                   const struct frequency_plan **ret_plan, struct error *error);

// ---- chirpstack_codec.c: scripts

// Sets the formatters of a device: its profile's codec, with the device's variables written into it. A script that The
// Things Stack cannot take is left out, with a note.
void chirpstack_set_formatters(const Chirpstack__Device *source, const Chirpstack__DeviceProfile *profile,
                               struct device *device);

// ---- chirpstack_servers.c: the server, tenants and applications

// Reads the options about the server. ERROR_USAGE.
int chirpstack_server_open(struct chirpstack *self, struct error *error);
void chirpstack_server_release(struct chirpstack *self);

// What a reply that is not OK means for the user.
void chirpstack_failed(struct chirpstack *self, const struct call *call, const struct reply *reply,
                       struct error *error);

// True if the call was answered with OK, or with "no such thing".
bool chirpstack_ok(const struct chirpstack *self, const struct reply *reply);
bool chirpstack_not_found(const struct chirpstack *self, const struct reply *reply);

// The job `prepare`: finds the applications that were asked for.
enum job_step chirpstack_prepare(struct source *source, struct job *job, const char *application,
                                 struct error *error);

// The job `list`.
enum job_step chirpstack_list(struct source *source, struct job *job, struct source_page *page,
                              struct error *error);

// ---- chirpstack.c

// The EUI of a device or gateway as ChirpStack writes it, of whatever people write: any case, with or without separators,
// "eui-..." as it is called at its target. NULL if it is none. In the arena.
char *chirpstack_eui_of(struct arena *arena, const char *text);

// ---- chirpstack_gateway.c: what source.h says of gateways. A record is the message Gateway, as bytes.

enum job_step chirpstack_prepare_gateways(struct source *source, struct job *job, struct error *error);
enum job_step chirpstack_list_gateways(struct source *source, struct job *job, struct source_page *page,
                                       struct error *error);
enum job_step chirpstack_read_gateway(struct source *source, struct job *job, struct source_record *record,
                                      struct error *error);
int chirpstack_convert_gateway(struct source *source, const struct source_record *record,
                               struct gateway *gateway, struct error *error);

// ---- chirpstack_release.c: the jobs of the same names

// What ChirpStack knows of a device.
struct chirpstack_view {
    Chirpstack__GetDeviceResponse *device;  // NULL = it has no such device; then all else is NULL
    Chirpstack__DeviceKeys *keys;           // NULL = none
    Chirpstack__GetDeviceActivationResponse *activation;  // never NULL with a device
};

// Adds the calls that look at a device: three of them.
void chirpstack_look(struct chirpstack *self, struct job *job, const char *dev_eui);

// Reads their replies. On failure `error` says why.
int chirpstack_looked(struct chirpstack *self, struct job *job, const char *dev_eui,
                      struct chirpstack_view *ret_view, struct error *error);

enum job_step chirpstack_release(struct source *source, struct job *job, const struct source_record *record,
                                 const struct device *device, struct error *error);
enum job_step chirpstack_confirm(struct source *source, struct job *job, const struct source_record *record,
                                 const struct source_record *now,
                                 struct source_confirmation *ret_confirmation, struct error *error);

// ---- chirpstack_restore.c

enum job_step chirpstack_restore(struct source *source, struct job *job, const struct source_record *record,
                                 struct source_restoration *restoration, struct error *error);
enum job_step chirpstack_prove(struct source *source, struct job *job, const struct source_record *record,
                               struct error *error);

#endif
