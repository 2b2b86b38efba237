// SPDX-License-Identifier: Apache-2.0
// What the files of source awsiot share. A record's bytes are a JSON object: `device` and `profile` as AWS gave them, and
// `tags` where the device is to be deleted and they may be read.
#ifndef SOURCE_AWSIOT_P_H
#define SOURCE_AWSIOT_P_H

#include "lorawan/identifiers.h"
#include "source/file_device.h"
#include "source/rest.h"

enum { AWSIOT_PAGE_SIZE = 250, AWSIOT_KEYS_MAX = 4 };

// Applications that are none: all devices, and those that are named one by one. No destination is called so.
#define AWSIOT_ALL  "-all"
#define AWSIOT_NONE "-"

struct awsiot_credentials {
    char *access_key_id;      // owned
    char *secret_access_key;  // owned, wiped
    char *session_token;      // owned, wiped; NULL = they last
    char *region;             // owned
};

struct awsiot {
    struct source base;
    const struct option_values *options;  // borrowed
    struct file_rules rules;
    struct awsiot_credentials credentials;
    struct rest rest;
    char *host;            // owned; as the header has it
    int64_t clock_offset;  // ns that Amazon's clock is ahead of this one
    bool deletes;          // a migrated device is deleted
    char *destination;     // owned; only its devices are listed; NULL = whatever theirs
    char *device_profile;  // owned; the same
    json_t *profiles;      // owned; what was read of device profiles, by ID
};

static inline struct awsiot *awsiot_of(struct source *source) {
    return (struct awsiot *)source;
}

// ---- awsiot_credentials.c

// Finds keys and region: of the options, or of the profile in Amazon's files. ERROR_USAGE. To be released in any case.
int awsiot_credentials_open(struct awsiot_credentials *credentials, const struct option_values *options,
                            struct error *error);
void awsiot_credentials_release(struct awsiot_credentials *credentials);

// ---- awsiot_calls.c

// Adds a signed call. `path` is percent-encoded, `query` too (NULL = none), `body` NULL or in the job's arena.
struct call *awsiot_call(const struct awsiot *self, struct job *job, const char *method, const char *path,
                         const char *query, const char *body);

// Text as a part of a path or a query; in the arena.
const char *awsiot_encode(struct arena *arena, const char *text);

// Asks for a device by DevEUI, or by the ID that AWS gave it.
void awsiot_get_call(const struct awsiot *self, struct job *job, const char *id, bool is_eui);

// Reads the answer: *ret_device is a new reference, NULL unless JOB_DONE.
enum job_step awsiot_get_reply(struct awsiot *self, const struct job *job, size_t index, json_t **ret_device,
                               struct error *error);

// The DevEUI of a device as AWS has it. False if it has none.
bool awsiot_device_eui(const json_t *device, struct eui64 *ret_eui);

// True if AWS says that there is no such thing.
bool awsiot_not_found(const struct reply *reply);

// True if only the signature's time was wrong; the next one is right.
bool awsiot_clock_refused(struct awsiot *self, const struct reply *reply);

// An answer that is not OK: JOB_LOGIN if a new signature is what it takes, or JOB_FAILED with an error and a hint.
enum job_step awsiot_failed(struct awsiot *self, const struct call *call, const struct reply *reply,
                            struct error *error);

void awsiot_judge(struct source *source, const struct call *call, const struct reply *reply,
                  struct dispatch_verdict *verdict);

// ---- awsiot_device.c

// What kind of keys a device has.
struct awsiot_kind {
    const char *name;  // the member that holds them
    bool joins;
    bool v1_1;
    const char *const *keys;  // names of its keys, NULL at the end
};

// The kind of a device, or NULL if it has none.
const struct awsiot_kind *awsiot_kind(const json_t *device);

// The object that has the keys: that member itself, or SessionKeys in it. NULL if there is none.
const json_t *awsiot_keys(const json_t *device, const struct awsiot_kind *kind);

// A record's parts, all new references; *ret_tags NULL if none were read. ERROR_INPUT.
int awsiot_record_read(const struct source_record *record, json_t **ret_device, json_t **ret_profile,
                       json_t **ret_tags, struct error *error);
void awsiot_record_write(struct source_record *record, json_t *device, json_t *profile, json_t *tags);

int awsiot_convert(struct source *source, const struct source_record *record, struct device *device,
                   struct error *error);

// ---- awsiot_change.c: operations of the driver

enum job_step awsiot_release(struct source *source, struct job *job, const struct source_record *record,
                             const struct device *device, struct error *error);
enum job_step awsiot_restore(struct source *source, struct job *job, const struct source_record *record,
                             struct source_restoration *restoration, struct error *error);
enum job_step awsiot_confirm(struct source *source, struct job *job, const struct source_record *record,
                             const struct source_record *now, struct source_confirmation *ret_confirmation,
                             struct error *error);

#endif
