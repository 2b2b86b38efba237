// SPDX-License-Identifier: Apache-2.0
// What the files of source tts share.
#ifndef SOURCE_TTS_P_H
#define SOURCE_TTS_P_H

#include "source/source.h"
#include "stack/server.h"
#include "tts.pb-c.h"

// What a release does.
enum tts_release {
    TTS_SILENCE,  // the Network Server sends the device nothing any more
    TTS_KEYS,     // taken away from the Application, Network and Join Server, so all keys are gone
    TTS_DELETE,   // from the Identity Server too
    TTS_NONE,
};

// What releases saw of counters right before a device's entry was deleted, by the device's ID: `confirm` has nowhere
// else to find that.
struct tts_sighting {
    uint64_t key;                // a hash of the ID; 0 = free place
    uint32_t last_n_f_cnt_down;  // the last one used
    uint32_t last_a_f_cnt_down;
    bool rejoined;  // it had another session than the one that was read
};

struct tts_sightings {
    struct tts_sighting *places;  // owned
    size_t count;
    size_t capacity;  // a power of two, or 0
};

struct tts_source {
    struct source base;
    const struct option_values *options;  // borrowed
    const struct device_naming *naming;   // borrowed
    bool no_session;
    bool redirect;  // gateways are sent to the target
    bool dry_run;
    bool sees_queue;  // the key may read queued downlinks
    enum tts_release release;
    char *application;  // owned; what was asked for last
    struct stack_access access;
    struct stack_server peers[STACK_ROLES];
    struct tts_sightings sightings;
};

static inline struct tts_source *tts_source_of(struct source *source) {
    return (struct tts_source *)source;
}

// ---- tts_servers.c

// Reads the addresses, the key and the certificates that the options name. ERROR_USAGE.
int tts_source_servers_open(struct tts_source *self, struct error *error);
void tts_source_servers_release(struct tts_source *self);

// Adds a call with the credentials: `method` of the server's registry of devices.
struct call *tts_source_registry_call(struct tts_source *self, struct job *job, enum stack_role server,
                                      const char *method, const ProtobufCMessage *message);

// The same for another service of the Identity Server.
struct call *tts_source_call(struct tts_source *self, struct job *job, const char *service,
                             const char *method, const ProtobufCMessage *message);

// Adds a Get of the device with everything that the source reads. `euis` may be NULL.
void tts_source_get_call(struct tts_source *self, struct job *job, enum stack_role server, const char *id,
                         const Tts__EndDeviceIdentifiers *euis);

// True if the server refused paths of the mask that it does not know: they are left out from then on, so the same
// Get can be made again.
bool tts_source_mask_refused(struct tts_source *self, enum stack_role server, const struct reply *reply,
                             struct arena *arena);

// Turns a reply that is not OK into an error, with the server's own reason and what to do. Returns its negative code.
int tts_source_failed(struct tts_source *self, enum stack_role server, const struct call *call,
                      const struct reply *reply, struct arena *arena, struct error *error);

// ---- tts_changes.c

// Adds a Set of what `mask` names of `part`, for the device of these identifiers.
struct call *tts_source_set_call(struct tts_source *self, struct job *job, enum stack_role server,
                                 const Tts__EndDevice *part, const Tts__EndDeviceIdentifiers *ids,
                                 const Google__FieldMask *mask);

// Adds the Create of the Identity Server.
struct call *tts_source_create_call(struct tts_source *self, struct job *job, const Tts__EndDevice *part,
                                    const Tts__EndDeviceIdentifiers *ids);

// Adds a Delete of an entry; where its own identifiers lack an EUI, `known` may have it.
struct call *tts_source_delete_call(struct tts_source *self, struct job *job, enum stack_role server,
                                    const Tts__EndDeviceIdentifiers *ids,
                                    const Tts__EndDeviceIdentifiers *known);

// The mask of a Set that makes a server have a part as it was read there, as far as that can be set.
Google__FieldMask *tts_source_mask(const Tts__EndDevice *part, enum stack_role server, struct arena *arena);

// ---- tts_record.c

// A device as the four servers have it; NULL: that server does not have it.
struct tts_parts {
    Tts__EndDevice *at[STACK_ROLES];
};

// Reads a reply to a Get: a device, and the one that was asked for. ERROR_PROTOCOL.
int tts_source_part_read(const struct tts_source *self, enum stack_role server, const struct reply *reply,
                         const char *id, struct arena *arena, Tts__EndDevice **ret_part, struct error *error);

// Reads a record's bytes; the parts live in `arena`. ERROR_PROTOCOL if they are none.
int tts_source_record_read(const struct source_record *record, struct arena *arena,
                           struct tts_parts *ret_parts, struct error *error);

// Puts the parts into the record, which is complete then.
void tts_source_record_write(struct source_record *record, const struct tts_parts *parts);

// The identifiers of the first part that has a DevEUI, else of the first part; NULL if there is no part at all.
const Tts__EndDeviceIdentifiers *tts_source_parts_ids(const struct tts_parts *parts);

// True unless both name an EUI and those differ.
bool tts_source_same_euis(const Tts__EndDeviceIdentifiers *left, const Tts__EndDeviceIdentifiers *right);

// True if the Network Server is told not to send the device anything.
bool tts_source_is_silenced(const Tts__EndDevice *network);

// True if both are the same session: address, ID and network session key.
bool tts_source_same_session(const Tts__Session *left, const Tts__Session *right);

// The same for the Application Server's side of one.
bool tts_source_same_application_session(const Tts__Session *left, const Tts__Session *right);

// True if both hold the same root keys.
bool tts_source_same_root_keys(const Tts__EndDevice *left, const Tts__EndDevice *right);

// The last downlink counter that the Network Server used: 0 = none yet.
uint32_t tts_source_last_n_f_cnt_down(const Tts__EndDevice *network);

// The same of the Application Server, which counts for itself in LoRaWAN 1.1 alone; else 0.
uint32_t tts_source_last_a_f_cnt_down(const struct tts_parts *parts);

// The reading of a device from all four servers, as a part of a job: once begun it is asked with the replies until it
// says something else than JOB_CALLS. `also` (may be NULL) are identifiers that are known already.
struct tts_look {
    const char *id;
    const Tts__EndDeviceIdentifiers *ids;
    enum stack_role asked[STACK_ROLES];  // in the order of the calls
    size_t asked_count;
    unsigned again;  // how often masks were cut
    struct tts_parts parts;
};

enum job_step tts_source_look_begin(struct tts_source *self, struct job *job, struct tts_look *look,
                                    const char *id, const Tts__EndDeviceIdentifiers *ids, unsigned servers);
enum job_step tts_source_look_replies(struct tts_source *self, struct job *job, struct tts_look *look,
                                      struct error *error);

#define TTS_ALL_SERVERS ((1U << STACK_ROLES) - 1)

// ---- tts_device.c

// Makes the device of a record.
int tts_source_device_convert(const struct tts_source *self, const struct source_record *record,
                              struct device *device, struct error *error);

// True if the session goes with a device that has these parts.
bool tts_source_takes_session(const struct tts_source *self, const struct tts_parts *parts);

// ---- tts_formatters.c, tts_release.c, tts_confirm.c, tts_restore.c: see source.h

enum job_step tts_source_formatters(struct source *source, struct job *job,
                                    struct source_formatters *ret_formatters, struct error *error);
enum job_step tts_source_release(struct source *source, struct job *job, const struct source_record *record,
                                 const struct device *device, struct error *error);
enum job_step tts_source_confirm(struct source *source, struct job *job, const struct source_record *record,
                                 const struct source_record *now,
                                 struct source_confirmation *ret_confirmation, struct error *error);
enum job_step tts_source_restore(struct source *source, struct job *job, const struct source_record *record,
                                 struct source_restoration *restoration, struct error *error);

// ---- tts_gateway.c: operations of the driver

enum job_step tts_source_prepare_gateways(struct source *source, struct job *job, struct error *error);
enum job_step tts_source_list_gateways(struct source *source, struct job *job, struct source_page *page,
                                       struct error *error);
enum job_step tts_source_read_gateway(struct source *source, struct job *job, struct source_record *record,
                                      struct error *error);
int tts_source_convert_gateway(struct source *source, const struct source_record *record,
                               struct gateway *gateway, struct error *error);
enum job_step tts_source_redirect_gateway(struct source *source, struct job *job,
                                          const struct source_record *record, const struct gateway_home *home,
                                          const struct gateway_redirect *redirect, struct error *error);
bool tts_source_shares_gateways(const struct source *source, const struct gateway_home *home);

// What there is to be seen of a device: `before` is the Network Server's part as it was read, `now` has such a part.
struct tts_sighting tts_source_sighting(const Tts__EndDevice *before, const struct tts_parts *now);

// Remembers, finds (NULL = unknown) and forgets what was seen.
void tts_source_sightings_add(struct tts_sightings *sightings, const char *id,
                              const struct tts_sighting *seen);
const struct tts_sighting *tts_source_sightings_find(const struct tts_sightings *sightings, const char *id);
void tts_source_sightings_release(struct tts_sightings *sightings);

#endif
