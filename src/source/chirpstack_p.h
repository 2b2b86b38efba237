// SPDX-License-Identifier: Apache-2.0
// What the files of source chirpstack share.
#ifndef SOURCE_CHIRPSTACK_P_H
#define SOURCE_CHIRPSTACK_P_H

#include "chirpstack_v4.pb-c.h"
#include "lorawan/identifiers.h"
#include "lorawan/mac_state.h"
#include "source/address.h"
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

struct chirpstack {
    struct source base;
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

// ---- chirpstack_device.c: conversion

// Reads a record's bytes; the message lives in `arena`. ERROR_PROTOCOL if they are none, or if a member that must be
// there is not.
int chirpstack_record_read(const void *data, size_t size, struct arena *arena,
                           Chirpstack__Record **ret_record, struct error *error);

// Makes the device of a record and its profile.
int chirpstack_device_convert(const struct chirpstack_rules *rules, const Chirpstack__Record *record,
                              const Chirpstack__DeviceProfile *profile, struct device *device,
                              struct error *error);

// A key in hex; false if it is not there, all zeros (ChirpStack's form of "none"), or no key.
bool chirpstack_key(const char *text, struct key128 *ret_key);

// The session of a record as far as it can be taken along: false if there is none, or a part is missing or wrapped.
// *ret_why is what is wrong with one that cannot, NULL if there is none.
bool chirpstack_session_complete(const Chirpstack__Record *record, bool mac_1_1, const char **ret_why);

// Counters: the next one here, the last one used in The Things Stack. After a downlink with counter 0 the last one is
// 1, since 0 would mean "none yet": so a device skips 1.
uint32_t chirpstack_last_f_cnt_up(uint32_t next);
uint32_t chirpstack_last_f_cnt_down(uint32_t next);

// ---- chirpstack_profile.c: versions, frequency plans

enum mac_version chirpstack_mac_version(const Chirpstack__DeviceProfile *profile);

// The PHY version. *ret_remark says what was not taken as it stands there; NULL if nothing.
enum phy_version chirpstack_phy_version(const Chirpstack__DeviceProfile *profile, const char **ret_remark);

// The frequency plan of a device with that profile, with a note where it is a guess. ERROR_DEVICE, with a hint that
// lists them, if several fit.
int chirpstack_choose_plan(const struct chirpstack_rules *rules, const Chirpstack__DeviceProfile *profile,
                           struct device *device, const struct frequency_plan **ret_plan,
                           struct error *error);

// ---- chirpstack_codec.c: scripts

// Sets the formatters of a device: its profile's codec, with the device's variables written into it. A script that The
// Things Stack cannot take is left out, with a note.
void chirpstack_set_formatters(const Chirpstack__Device *source, const Chirpstack__DeviceProfile *profile,
                               struct device *device);

// ---- chirpstack_servers.c: the server, tenants and applications

// Reads the options about the server. ERROR_USAGE.
int chirpstack_server_open(struct chirpstack *self, struct error *error);
void chirpstack_server_release(struct chirpstack *self);

// Adds a gRPC call of a service of package `api`; `method` is "DeviceService/Get".
struct call *chirpstack_call(struct chirpstack *self, struct job *job, const char *method,
                             const ProtobufCMessage *message);

// The same with a message that holds but the DevEUI.
struct call *chirpstack_device_call(struct chirpstack *self, struct job *job, const char *method,
                                    const char *dev_eui);

// What a reply that is not OK means for the user.
void chirpstack_failed(struct chirpstack *self, const struct call *call, const struct reply *reply,
                       struct error *error);

bool chirpstack_not_found(const struct reply *reply);

// Reads a reply's message; NULL, with an error that names the server, if it is none.
void *chirpstack_message(struct chirpstack *self, struct job *job, size_t index,
                         const ProtobufCMessageDescriptor *descriptor, struct error *error);

// The job `prepare`: finds the applications that were asked for.
enum job_step chirpstack_prepare(struct source *source, struct job *job, const char *application,
                                 struct error *error);

// The job `list`.
enum job_step chirpstack_list(struct source *source, struct job *job, struct source_page *page,
                              struct error *error);

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

// True if both name the same keys; what is not there and what is zero are alike.
bool chirpstack_same_keys(const Chirpstack__DeviceKeys *a, const Chirpstack__DeviceKeys *b);

// True if both are the same session: address and network session keys. None is the same as none.
bool chirpstack_same_session(const Chirpstack__DeviceActivation *a, const Chirpstack__DeviceActivation *b);

#endif
