// SPDX-License-Identifier: Apache-2.0
// What the files of target tts share.
#ifndef TARGET_TTS_P_H
#define TARGET_TTS_P_H

#include "device/error_details.h"
#include "device/message.h"
#include "stack/server.h"
#include "target/target.h"
#include "tts.pb-c.h"

// The servers that keep a part of a device. Deletions go up from the last one.
enum tts_place { TTS_IDENTITY, TTS_JOIN, TTS_NETWORK, TTS_APPLICATION, TTS_PLACES };

struct tts_prefix {
    uint32_t address;
    unsigned length;  // bits
};

// A device that this process has reserved.
struct tts_reservation {
    struct tts_reservation *next;
    char *application_id;
    char *device_id;
};

struct tts {
    struct target base;
    const struct option_values *options;  // borrowed
    const struct frequency_plans *plans;  // borrowed
    const struct clock *clock;            // borrowed
    bool create_application;
    struct stack_access access;
    struct stack_server servers[TTS_PLACES];
    bool plain_masks;  // the Identity Server is too old for some fields

    // Of the application that was prepared.
    char *application;        // its ID at the target; owned; NULL before
    bool planned;             // a dry run would make it: there is nothing in it
    char *hosts[TTS_PLACES];  // of its servers as it names them; owned; NULL = not said
    struct tts_prefix *prefixes;
    size_t prefix_count;          // 0 = not known
    bool any_dev_addr;            // its NetID is one that everybody may use
    char **frequency_plans;       // owned, as are the texts
    size_t frequency_plan_count;  // 0 = not known

    struct tts_reservation *reservations;

    // Of gateways. All texts are owned.
    char *owner;  // ID; NULL before tts_prepare_gateways
    bool owner_is_organization;
    char *cups_uri;
    char *gateway_server_address;
};

static inline struct tts *tts_of(struct target *target) {
    return (struct tts *)target;
}

// ---- tts_servers.c

// Reads addresses, certificate and key that the options name. ERROR_USAGE.
int tts_servers_open(struct tts *self, struct error *error);
void tts_servers_release(struct tts *self);

// Adds a call of "/ttn.lorawan.v3.<service>/<method>" with the credentials.
struct call *tts_call(struct tts *self, struct job *job, enum tts_place place, const char *service,
                      const char *method, const ProtobufCMessage *message);

// The same for the device registry of a server.
struct call *tts_registry_call(struct tts *self, struct job *job, enum tts_place place, const char *method,
                               const ProtobufCMessage *message);

// "Network Server".
const char *tts_place_title(enum tts_place place);

// Turns a reply that is not OK into an error, with the server's own reason. Returns JOB_FAILED.
enum job_step tts_failed(struct tts *self, const struct call *call, const struct reply *reply,
                         struct error *error);

// True if the same call may do better later.
bool tts_is_passing(const struct reply *reply);

// ---- tts_fields.c

// The part of a device that a server keeps, to be sent to it: no server gets the keys of another one. Shares memory with
// the device. What it makes lies in the arena.
Tts__EndDevice *tts_part(const Tts__EndDevice *device, enum tts_place place, struct arena *arena);

// The same without root keys, sessions and state: what is reserved.
Tts__EndDevice *tts_part_reserved(const Tts__EndDevice *device, enum tts_place place, struct arena *arena);

// What a server has, as the `before` of a mask: without what it makes by itself.
Tts__EndDevice *tts_part_before(const Tts__EndDevice *there, enum tts_place place, struct arena *arena);

// The mask with which a server that has `before` (NULL = nothing) comes to have `part`.
Google__FieldMask *tts_mask(const Tts__EndDevice *part, const Tts__EndDevice *before, enum tts_place place,
                            struct arena *arena);

// True if a server may be told to set that path.
bool tts_may_set(enum tts_place place, const char *path);

// ---- tts_found.c

// What the servers have of a device.
struct tts_found {
    bool asked[TTS_PLACES];
    Tts__EndDevice *at[TTS_PLACES];  // NULL = nothing
    Tts__EndDevice *device;          // all of it in one; NULL = no server has anything
    const struct reply *failed;      // the reply that is no answer to the question; NULL = none
    const struct call *failed_call;
};

// Adds the calls that read a device: at the Identity, Network and Application Server, and at the Join Server if it has
// the EUIs for that.
void tts_find_calls(struct tts *self, struct job *job, const Tts__EndDevice *device);

// The same for a device that is expected to be there: a busy Identity Server is asked for several in one call.
void tts_find_back_calls(struct tts *self, struct job *job, const Tts__EndDevice *device);

// Reads their replies, from job->replies[first] on. ERROR_PROTOCOL if one is malformed or about another device; what is
// refused is in ret_found->failed.
int tts_find_replies(struct tts *self, struct job *job, size_t first, const Tts__EndDevice *device,
                     struct tts_found *ret_found, struct error *error);

// True if a server has that part already, as far as can be read.
bool tts_part_is_there(const Tts__EndDevice *part, const Tts__EndDevice *there, enum tts_place place,
                       struct arena *arena);

// True if the calls are to be made again, since a server does not know a field of the mask.
bool tts_find_again(struct tts *self, struct job *job);

// True if both have the same EUIs (none is also one).
bool tts_same_euis(const Tts__EndDevice *a, const Tts__EndDevice *b);

// ---- tts_compare.c

enum tts_relation {
    TTS_EQUAL,     // as it is to be, perhaps with a session that is further or new
    TTS_RESERVED,  // what `reserve` makes, or less
    TTS_DIFFERENT,
};

struct tts_comparison {
    enum tts_relation relation;
    const char *what;                 // differences, one clause; in the arena; NULL if there are none
    struct device_progress progress;  // of the session that is there
    bool rejoined;                    // the device has joined at the target by itself
    bool bare;                        // what is there has neither keys nor a session
    bool strange;                     // it has keys, and none of the device's: it is somebody else's
    bool session_equal;               // the same keys and address, or none on both sides
    bool session_behind;              // the same session with a counter that is lower
};

// Compares what a device is to be with what is there.
void tts_compare(const Tts__EndDevice *device, const struct tts_found *found, bool plain_masks,
                 struct arena *arena, struct tts_comparison *ret_comparison);

// True if it is only that one side has an empty message where the other has none. In the settings that can mean
// something: an ADR mode.
bool tts_is_nothing(const struct message_difference *difference);

// True if the keys are the same, or there are none on both sides.
bool tts_same_root_keys(const Tts__RootKeys *a, const Tts__RootKeys *b);
bool tts_same_application_key(const Tts__Session *a, const Tts__Session *b);

// The device with the counters of the one that is there, where these are higher and the session is the same.
Tts__EndDevice *tts_keep_counters(const Tts__EndDevice *device, const Tts__EndDevice *there,
                                  struct arena *arena);

// ---- the operations

// Forgets all that tts_prepare learned.
void tts_forget_application(struct tts *self);

enum job_step tts_prepare(struct target *target, struct job *job, const char *application,
                          struct error *error);
int tts_adapt(struct target *target, struct device *device, struct error *error);
enum job_step tts_look(struct target *target, struct job *job, const struct device *device,
                       struct target_look *ret_look, struct error *error);
enum job_step tts_verify(struct target *target, struct job *job, const struct device *device,
                         struct target_verdict *ret_verdict, struct error *error);
enum job_step tts_recall(struct target *target, struct job *job, const struct device *device,
                         struct device_progress *ret_progress, struct error *error);
enum job_step tts_reserve(struct target *target, struct job *job, const struct device *device,
                          struct error *error);
enum job_step tts_import(struct target *target, struct job *job, const struct device *device,
                         struct error *error);
enum job_step tts_remove(struct target *target, struct job *job, const struct device *device,
                         const struct target_removal *removal, struct error *error);

enum job_step tts_get_formatters(struct target *target, struct job *job,
                                 struct target_formatters *ret_formatters, struct error *error);
enum job_step tts_set_formatters(struct target *target, struct job *job,
                                 const Tts__MessagePayloadFormatters *formatters, unsigned directions,
                                 struct error *error);

// ---- tts_gateway.c: the operations on gateways

// Reads the options about gateways, when the addresses of the servers are known. ERROR_USAGE.
int tts_gateways_open(struct tts *self, struct error *error);
void tts_gateways_release(struct tts *self);

enum job_step tts_prepare_gateways(struct target *target, struct job *job, struct error *error);
void tts_home(const struct target *target, struct gateway_home *ret_home);
enum job_step tts_look_gateway(struct target *target, struct job *job, const Tts__Gateway *gateway,
                               struct target_look *ret_look, struct error *error);
enum job_step tts_create_gateway(struct target *target, struct job *job, const Tts__Gateway *gateway,
                                 bool *ret_refused, struct error *error);
enum job_step tts_update_gateway(struct target *target, struct job *job, const Tts__Gateway *gateway,
                                 struct error *error);
enum job_step tts_secure_gateway(struct target *target, struct job *job, const Tts__Gateway *gateway,
                                 struct error *error);
enum job_step tts_key_gateway(struct target *target, struct job *job, const Tts__Gateway *gateway,
                              char **ret_key, struct error *error);
enum job_step tts_remove_gateway(struct target *target, struct job *job, const Tts__Gateway *gateway,
                                 struct error *error);

// ---- tts_change.c: what reserve, import and remove share

// Adds a Set of a server (an Update at the Identity Server) that makes `part` of what it has (`before`, NULL = nothing).
// False, without a call, if there is nothing to set.
bool tts_set_call(struct tts *self, struct job *job, enum tts_place place, const Tts__EndDevice *part,
                  const Tts__EndDevice *before, unsigned tries);
void tts_create_call(struct tts *self, struct job *job, const Tts__EndDevice *device, unsigned tries);
void tts_delete_call(struct tts *self, struct job *job, enum tts_place place, const Tts__EndDevice *device,
                     unsigned tries);

// How often a change whose answer is lost is made again.
enum { TTS_TRIES = 10 };

// Remembers, finds and forgets what this process reserved.
void tts_reserved_add(struct tts *self, const Tts__EndDevice *device);
bool tts_reserved_has(const struct tts *self, const Tts__EndDevice *device);
void tts_reserved_drop(struct tts *self, const Tts__EndDevice *device);
void tts_reserved_pop(struct tts *self);  // the first of them

#endif
