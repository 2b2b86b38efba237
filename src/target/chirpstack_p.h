// SPDX-License-Identifier: Apache-2.0
// What the files of target chirpstack share.
#ifndef TARGET_CHIRPSTACK_P_H
#define TARGET_CHIRPSTACK_P_H

#include "device/chirpstack.h"
#include "device/message.h"
#include "net/address.h"
#include "target/target.h"

// A device profile of the tenant, as far as it was read.
struct cst_profile {
    struct cst_profile *next;
    struct arena arena;
    const Chirpstack__DeviceProfile *message;  // in the arena
    bool whole;                                // false: only what the list tells
};

// A profile that devices need.
struct cst_wanted {
    struct cst_wanted *next;
    struct arena arena;
    const Chirpstack__DeviceProfile *message;  // in the arena
};

// A device that this process has reserved.
struct cst_reservation {
    struct cst_reservation *next;
    char dev_eui[17];
};

struct cst {
    struct target base;
    const struct option_values *options;  // borrowed
    const struct frequency_plans *plans;  // borrowed
    bool create_application;
    bool rollback;
    char *ca_pem;  // owned; NULL = none
    struct address address;
    char *server_name;  // owned
    struct server server;
    char *authorization;  // owned, secret: "Bearer KEY"

    // Of the application that was prepared. All texts are owned.
    char *asked;        // what it is called at the source; NULL before
    char *tenant_id;    // NULL = not known
    char *application;  // its ID; NULL = a dry run would make it, or it is gone
    bool made;          // this run has made it
    char **prefixes;    // of the tenant's addresses
    size_t prefix_count;
    uint32_t regions;       // that the server has, a bit for each number; 0 = not known
    uint32_t most_devices;  // that the tenant may have; 0 = any number
    uint64_t room;          // for how many more there was room
    uint64_t *guests;       // DevEUIs that were promised room, sorted; owned
    size_t guest_count;
    struct cst_profile *profiles;
    struct cst_wanted *wanted;

    struct cst_reservation *reservations;
};

static inline struct cst *cst_of(struct target *target) {
    return (struct cst *)target;
}

// ---- chirpstack_servers.c

// Reads address, certificate and key that the options name. ERROR_USAGE.
int cst_server_open(struct cst *self, struct error *error);
void cst_server_release(struct cst *self);

// Adds a call of "/api.<method>" with the credentials; a change is one that is made for the `tries`-th time.
struct call *cst_call(struct cst *self, struct job *job, const char *method, const ProtobufCMessage *message);
struct call *cst_change(struct cst *self, struct job *job, const char *method,
                        const ProtobufCMessage *message, unsigned tries);

// The same for calls whose message is an ID (or a DevEUI) and nothing else.
struct call *cst_get(struct cst *self, struct job *job, const char *method, const char *id);
struct call *cst_delete(struct cst *self, struct job *job, const char *method, const char *id,
                        unsigned tries);

// Reads a reply that was OK. NULL, with an error that names the server, if it is none. In the job's arena.
void *cst_read(const struct cst *self, struct job *job, size_t index,
               const ProtobufCMessageDescriptor *descriptor, struct error *error);

// Turns a reply that is not OK into an error, in the server's words. Returns JOB_FAILED.
enum job_step cst_failed(const struct cst *self, const struct call *call, const struct reply *reply,
                         struct error *error);

static inline bool cst_ok(const struct reply *reply) {
    return reply_ok(reply, CALL_GRPC);
}

// True if the same call may do better later.
bool cst_is_passing(const struct reply *reply);

// True if there is no such thing, as far as the key sees. A key of a tenant is not told what there is elsewhere.
bool cst_is_absent(const struct reply *reply);

// True if there is such a thing already.
bool cst_is_duplicate(const struct reply *reply);

// ---- chirpstack_device.c

// A device as ChirpStack is to have it. All in the job's arena.
struct cst_parts {
    Chirpstack__Device *device;                // without profile, and enabled
    Chirpstack__DeviceKeys *keys;              // NULL = none
    Chirpstack__DeviceActivation *activation;  // NULL = none
    int64_t started_at;                        // when its session began, s since 1970; 0 = not known
    const Chirpstack__DeviceProfile *profile;  // what its profile has to be like
    const Chirpstack__DeviceProfile
        *carrier;  // the one under which its session is activated; NULL = that very one
};

void cst_parts(struct cst *self, const Tts__EndDevice *device, struct arena *arena,
               struct cst_parts *ret_parts);

// The DevEUI as ChirpStack writes it.
char *cst_dev_eui(const Tts__EndDevice *device, struct arena *arena);

// What ChirpStack has of a device.
struct cst_view {
    Chirpstack__GetDeviceResponse *device;     // NULL = it has no such device; then all else is NULL
    Chirpstack__DeviceKeys *keys;              // NULL = none
    Chirpstack__DeviceActivation *activation;  // NULL = none
    const Chirpstack__DeviceProfile *profile;  // its profile; NULL if that is gone
};

// A look at a device: first of all in the state of a job that takes one.
struct cst_find {
    int stage;
    struct cst_view view;  // when it is done
};

// Goes on with the look until it returns JOB_DONE or JOB_FAILED. `find->stage` is 0 at first.
enum job_step cst_find(struct cst *self, struct job *job, const char *dev_eui, struct cst_find *find,
                       struct error *error);

// ---- chirpstack_compare.c

struct cst_comparison {
    bool equal;        // as it is to be, perhaps with a session that is further or new
    const char *what;  // differences, one clause; in the arena; NULL if there are none
    struct device_progress progress;
    bool same_device;  // what is kept of it beside keys, session and whether it is disabled
    bool same_keys;
    bool rejoined;  // the device has joined at the target by itself
    bool behind;    // a session is missing, is another one, or has a counter that is lower
};

// `brought`: this run may have brought it there, so that it may have joined since.
void cst_compare(const struct cst_parts *parts, const struct cst_view *view, bool brought,
                 struct arena *arena, struct cst_comparison *ret_comparison);

// The session with the counters of the one that is there, where these are higher and the session is the same.
Chirpstack__DeviceActivation *cst_keep_counters(const Chirpstack__DeviceActivation *activation,
                                                const Chirpstack__DeviceActivation *there,
                                                struct arena *arena);

// True if no key and no session is there, and the device is disabled.
bool cst_is_bare(const struct cst_view *view);

// True if both say the same of a device, whatever the order of tags and variables; whether it is disabled aside.
bool cst_same_device(const Chirpstack__Device *a, const Chirpstack__Device *b);

// ---- chirpstack_profile.c

// What the profile of a device has to be like. In the arena.
const Chirpstack__DeviceProfile *cst_profile_of(struct cst *self, const Tts__EndDevice *device,
                                                struct arena *arena);

// What a profile has to be like under which the session of a device that joins is activated, so that it begins with the
// receive windows that the device has: of a profile that joins, ChirpStack takes those of the region. NULL = these are
// the device's. In the arena.
const Chirpstack__DeviceProfile *cst_carrier_of(struct cst *self, const Tts__EndDevice *device,
                                                const Chirpstack__DeviceProfile *profile,
                                                struct arena *arena);

// A name that tells what such a profile is for. In the arena.
char *cst_profile_name(const Chirpstack__DeviceProfile *profile, struct arena *arena);

// True if a profile serves devices that need `wanted`. `base`: as far as a list tells.
bool cst_profile_serves(const Chirpstack__DeviceProfile *profile, const Chirpstack__DeviceProfile *wanted,
                        bool base);

// The known profile that serves them best, or NULL.
const Chirpstack__DeviceProfile *cst_profile_find(const struct cst *self,
                                                  const Chirpstack__DeviceProfile *wanted);
// The known profile with that ID, or NULL.
struct cst_profile *cst_profile_by_id(const struct cst *self, const char *id);

// Keeps a copy of a profile, in place of what was known of it.
void cst_profile_keep(struct cst *self, const Chirpstack__DeviceProfile *message, bool whole);

// Has the profile made by the next `prepare`.
void cst_profile_want(struct cst *self, const Chirpstack__DeviceProfile *wanted);

// What stands in the description of what this run makes; NULL if it keeps nothing of itself. In the arena.
const char *cst_mark(const struct cst *self, struct arena *arena);
bool cst_is_marked(const struct cst *self, const char *description);

// Forgets them all.
void cst_profiles_forget(struct cst *self);

// ---- chirpstack_codec.c

// Sets the codec of a profile to the formatters of a device. *ret_remark, in the arena: what is left out; NULL = nothing.
void cst_codec(const Tts__MessagePayloadFormatters *formatters, struct arena *arena,
               Chirpstack__DeviceProfile *profile, const char **ret_remark);

// ---- the operations

enum job_step cst_prepare(struct target *target, struct job *job, const char *application,
                          struct error *error);
// Goes on with the profiles, when all else is known; `stage` of the job is CST_PROFILES_FIRST or later.
enum { CST_PROFILES_FIRST = 100 };
enum job_step cst_prepare_profiles(struct cst *self, struct job *job, struct error *error);

// Forgets all that was learned of tenant and application.
void cst_forget(struct cst *self);

int cst_adapt(struct target *target, struct device *device, struct error *error);
enum job_step cst_look(struct target *target, struct job *job, const struct device *device,
                       struct target_look *ret_look, struct error *error);
enum job_step cst_verify(struct target *target, struct job *job, const struct device *device,
                         struct target_verdict *ret_verdict, struct error *error);
enum job_step cst_recall(struct target *target, struct job *job, const struct device *device,
                         struct device_progress *ret_progress, struct error *error);
enum job_step cst_reserve(struct target *target, struct job *job, const struct device *device,
                          struct error *error);
enum job_step cst_import(struct target *target, struct job *job, const struct device *device,
                         struct error *error);
enum job_step cst_remove(struct target *target, struct job *job, const struct device *device,
                         const struct target_removal *removal, struct error *error);

// ---- chirpstack_change.c: what reserve, import and remove share

// How often a change whose answer is lost is made again, and how many a job makes in all.
enum { CST_TRIES = 10, CST_CHANGES_MAX = 16 };

// Adds a call that creates or updates the device under a profile.
void cst_create_call(struct cst *self, struct job *job, const Chirpstack__Device *device,
                     const char *profile_id, bool disabled, unsigned tries);
void cst_update_call(struct cst *self, struct job *job, const Chirpstack__Device *device,
                     const char *profile_id, bool disabled, unsigned tries);

// Adds the call that makes keys or session what they are to be (NULL = none). False if nothing is to be done.
bool cst_keys_call(struct cst *self, struct job *job, const char *dev_eui, Chirpstack__DeviceKeys *keys,
                   const Chirpstack__DeviceKeys *there, unsigned tries);
void cst_activate_call(struct cst *self, struct job *job, Chirpstack__DeviceActivation *activation,
                       unsigned tries);

// Remembers, finds and forgets what this process reserved.
void cst_reserved_add(struct cst *self, const char *dev_eui);
bool cst_reserved_has(const struct cst *self, const char *dev_eui);
void cst_reserved_drop(struct cst *self, const char *dev_eui);
void cst_reserved_pop(struct cst *self);  // the first of them

// ---- chirpstack_clean.c

// Takes away what the run has made beside devices for that one (NULL = for any), as far as nothing uses it any more: the
// last part of `remove`, and of `prepare` for a rollback. The job's stage is CST_CLEAN_FIRST or later.
enum { CST_CLEAN_FIRST = 200 };
enum job_step cst_clean(struct cst *self, struct job *job, const Tts__EndDevice *device);

#endif
