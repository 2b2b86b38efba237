// SPDX-License-Identifier: Apache-2.0
// What the files of source firefly share. A record's bytes are a JSON object: `device` as Firefly gave it, and, if the
// record is complete, `fcnt`, the counter of the last uplink (null = none is known).
#ifndef SOURCE_FIREFLY_P_H
#define SOURCE_FIREFLY_P_H

#include "source/file_device.h"
#include "source/rest.h"

enum { FIREFLY_KEYS = 3 };

struct firefly {
    struct source base;
    const struct option_values *options;  // borrowed
    struct file_rules rules;
    struct rest rest;
    char *auth;  // owned, wiped; the API key as it stands in a query
    uint8_t join_eui[EUI64_BYTES];
    bool has_join_eui;
    bool invalidates;  // keys are changed in Firefly
    bool all;          // the user said so
    bool dry_run;
};

static inline struct firefly *firefly_of(struct source *source) {
    return (struct firefly *)source;
}

// ---- firefly.c: calls

// Adds a call; `body` is NULL or lies in the job's arena. `path` is without the base and the key.
struct call *firefly_call(const struct firefly *self, struct job *job, const char *method, const char *path,
                          const char *body);

// Asks for a device by its DevEUI, and reads the answer: *ret_device is a new reference. ERROR_PROTOCOL, or what the
// answer says.
void firefly_get_call(const struct firefly *self, struct job *job, const uint8_t eui[static EUI64_BYTES]);
int firefly_get_reply(const struct firefly *self, const struct job *job, size_t index,
                      const uint8_t eui[static EUI64_BYTES], json_t **ret_device, struct error *error);

// An answer that is not OK as an error with a hint. Returns the negative code.
int firefly_failed(const struct call *call, const struct reply *reply, struct error *error);

// The DevEUI of a record: of a list's entry, or its ID. ERROR_INPUT.
int firefly_record_eui(const struct source_record *record, uint8_t ret_eui[static EUI64_BYTES],
                       struct error *error);

// ---- firefly_device.c

// The members that hold keys: application key, application and network session key.
extern const char *const firefly_key_names[FIREFLY_KEYS];

// Reads a key. NULL if it is one, and *ret_there tells whether there is any; or what is wrong with it.
const char *firefly_key(const json_t *device, size_t index, uint8_t ret_key[static KEY128_BYTES],
                        bool *ret_there);

// A record's parts; both new references, *ret_fcnt NULL if the record is not complete. ERROR_INPUT.
int firefly_record_read(const struct source_record *record, json_t **ret_device, json_t **ret_fcnt,
                        struct error *error);
void firefly_record_write(struct source_record *record, json_t *device, json_t *fcnt);

// True if DevAddr and both session keys are there.
bool firefly_has_session(const json_t *device);

int firefly_convert(struct source *source, const struct source_record *record, struct device *device,
                    struct error *error);

// ---- firefly_change.c: operations of the driver

enum job_step firefly_release(struct source *source, struct job *job, const struct source_record *record,
                              const struct device *device, struct error *error);
enum job_step firefly_restore(struct source *source, struct job *job, const struct source_record *record,
                              struct source_restoration *restoration, struct error *error);
enum job_step firefly_prove(struct source *source, struct job *job, const struct source_record *record,
                            struct error *error);
enum job_step firefly_confirm(struct source *source, struct job *job, const struct source_record *record,
                              const struct source_record *now, struct source_confirmation *ret_confirmation,
                              struct error *error);

#endif
