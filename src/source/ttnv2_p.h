// SPDX-License-Identifier: Apache-2.0
// What the files of source ttnv2 share.
#ifndef SOURCE_TTNV2_P_H
#define SOURCE_TTNV2_P_H

#include "net/address.h"
#include "source/source.h"
#include "ttnv2.pb-c.h"

// What decides how a device is converted.
struct ttnv2_rules {
    const struct frequency_plan *plan;   // borrowed; of devices that the map lays down none for
    const struct device_naming *naming;  // borrowed
    struct device_map *map;              // borrowed; NULL = none
    const struct clock *clock;           // borrowed
    const struct random *random;         // borrowed
    bool with_session;
    bool resets_to_frequency_plan;
};

struct ttnv2 {
    struct source base;
    const struct option_values *options;  // borrowed
    struct ttnv2_rules rules;
    const struct clock *clock;            // borrowed
    const struct frequency_plans *plans;  // borrowed
    bool gateways;                        // the run is about gateways: no Handler is asked
    bool dry_run;
    char *application;  // owned; what was asked for, and where the Handler belongs to
    char *ca_pem;       // owned; NULL = none
    struct address discovery_address;
    struct address handler_address;  // of the option, or found
    struct address account_address;
    char *handler_pem;                                   // owned; the announced certificate
    char *discovery_name, *handler_name, *account_name;  // owned; for messages
    struct server discovery, handler, account;
    bool fixed_handler;  // given by the option
    bool has_handler;
    bool has_account;
    char *token;            // owned; NULL = none
    int64_t token_expires;  // ns, monotonic
};

// Which parts of a device are there, and which of them go with it.
struct ttnv2_parts {
    bool join;           // an AppKey that is not zero
    bool session;        // DevAddr, NwkSKey and AppSKey, none of them zero
    bool some_session;   // at least one of these
    bool takes_session;  // the session goes with the device
};

// True if there is no byte but zeros: V2's form of "none".
bool ttnv2_is_zero(ProtobufCBinaryData bytes);

struct ttnv2_parts ttnv2_parts(const Ttnv2__LoRaWANDevice *lorawan, bool with_session);

// Reads a record's bytes as handler.Device; the message lives in `arena`. ERROR_PROTOCOL if they are none, or
// if a member has a length that the protocol does not allow.
int ttnv2_device_read(const void *data, size_t size, struct arena *arena, Ttnv2__Device **ret_device,
                      struct error *error);

// Makes the device of a record; `application` is the one that was asked for.
int ttnv2_device_convert(const struct ttnv2_rules *rules, const char *application,
                         const struct source_record *record, struct device *device, struct error *error);

// The first downlink counter that is safe after `next`, as The Things Stack wants it: the last one used. 0
// would mean "none yet", so a device that used 0 skips 1.
uint32_t ttnv2_last_f_cnt_down(uint32_t next);

// Reads the addresses and certificates that the options name. ERROR_USAGE.
int ttnv2_servers_open(struct ttnv2 *self, struct error *error);
void ttnv2_servers_release(struct ttnv2 *self);

// True if there is an Account Server, and no token of it or one that is about to end.
bool ttnv2_token_due(const struct ttnv2 *self);

// The job `prepare`: asks Discovery for the Handler of an application, and the Account Server, if one is
// given, for a token.
enum job_step ttnv2_prepare(struct source *source, struct job *job, const char *application,
                            struct error *error);

// Adds a gRPC call with `message` as its body.
struct call *ttnv2_grpc_call(struct job *job, const struct server *server, const char *method,
                             const ProtobufCMessage *message);

static inline struct ttnv2 *ttnv2_of(struct source *source) {
    return (struct ttnv2 *)source;
}

// A call of the Handler, with the credentials.
struct call *ttnv2_handler_call(struct ttnv2 *self, struct job *job, const char *method,
                                const ProtobufCMessage *message);

// What a reply of the Handler that is not OK means for the job: JOB_LOGIN, or JOB_FAILED with the error.
enum job_step ttnv2_handler_failed(struct ttnv2 *self, const struct call *call, const struct reply *reply,
                                   struct error *error);

// Asks for a device; reads the reply: a device, and the one that was asked for.
void ttnv2_get_device_call(struct ttnv2 *self, struct job *job, const char *id);
int ttnv2_get_device_reply(struct ttnv2 *self, struct job *job, const char *id, Ttnv2__Device **ret_device,
                           struct error *error);

// ---- ttnv2_change.c: operations of the driver

enum job_step ttnv2_release(struct source *source, struct job *job, const struct source_record *record,
                            const struct device *device, struct error *error);
enum job_step ttnv2_restore(struct source *source, struct job *job, const struct source_record *record,
                            struct source_restoration *restoration, struct error *error);
enum job_step ttnv2_confirm(struct source *source, struct job *job, const struct source_record *record,
                            const struct source_record *now, struct source_confirmation *ret_confirmation,
                            struct error *error);

// ---- ttnv2_gateway.c: operations of the driver

enum job_step ttnv2_prepare_gateways(struct source *source, struct job *job, struct error *error);
enum job_step ttnv2_list_gateways(struct source *source, struct job *job, struct source_page *page,
                                  struct error *error);
enum job_step ttnv2_read_gateway(struct source *source, struct job *job, struct source_record *record,
                                 struct error *error);
int ttnv2_convert_gateway(struct source *source, const struct source_record *record, struct gateway *gateway,
                          struct error *error);

#endif
