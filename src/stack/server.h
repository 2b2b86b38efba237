// SPDX-License-Identifier: Apache-2.0
// The servers of The Things Stack, for whoever reads from them or writes to them: how they are reached, calls with the
// credentials, and what their answers have in common.
#ifndef STACK_SERVER_H
#define STACK_SERVER_H

#include "base/option.h"
#include "net/address.h"
#include "net/job.h"
#include "tts.pb-c.h"

enum stack_role { STACK_IDENTITY, STACK_NETWORK, STACK_APPLICATION, STACK_JOIN, STACK_ROLES };

// "Network Server", and the service that is its registry of devices: "NsEndDeviceRegistry".
const char *stack_title(enum stack_role role);
const char *stack_registry(enum stack_role role);

// Options of a driver, and how they are shown: "--tts." or "--to.tts.". Both are borrowed.
struct stack_options {
    const struct option_values *values;
    const char *prefix;
};

// What opens all servers: zeroed before.
struct stack_access {
    char *ca_pem;         // owned; NULL = none
    char *authorization;  // owned, secret: "Bearer KEY"
};

// Reads the options ca-file and app-api-key. ERROR_USAGE.
int stack_access_open(struct stack_access *access, const struct stack_options *options, struct error *error);
void stack_access_release(struct stack_access *access);

// One server; zeroed before. It must not be moved once calls go to it.
struct stack_server {
    struct server server;
    struct address address;
    char *name;        // owned; for messages
    unsigned refused;  // paths of its owner's mask, a bit each, that this server does not know
};

// Reads where it is: its own option, else default-grpc-address. Without TLS only with the option insecure. ERROR_USAGE.
// `access` is borrowed for as long as the server lives.
int stack_server_open(struct stack_server *server, enum stack_role role, const struct stack_access *access,
                      const struct stack_options *options, struct error *error);
void stack_server_release(struct stack_server *server);

// Adds a call of "/ttn.lorawan.v3.<service>/<method>" with the credentials.
struct call *stack_call(const struct stack_server *server, const struct stack_access *access, struct job *job,
                        const char *service, const char *method, const ProtobufCMessage *message);

// Lets a call that reads one device at the Identity Server ("EndDeviceRegistry/Get") be made together with others of its
// application. All is borrowed for as long as the call lives; what is made lies in the arena.
void stack_ask_together(struct call *call, const char *application_id, const char *device_id,
                        const Google__FieldMask *mask, struct arena *arena);

// Adds the call that reads the payload formatters of an application, at the Application Server.
struct call *stack_link_call(const struct stack_server *server, const struct stack_access *access,
                             struct job *job, char *application_id);

// A mask of these members, separated by spaces; in the arena.
Google__FieldMask *stack_mask(struct arena *arena, const char *members);

// True if the server says that there is no such thing.
bool stack_is_absent(const struct reply *reply);

// ErrorDetails of a reply, or NULL; in the arena.
const Tts__ErrorDetails *stack_details(const struct reply *reply, struct arena *arena);

// Turns a reply that is not OK into an error, with the server's own reason: see reply_error. `details` may be NULL.
int stack_error(const struct reply *reply, const struct call *call, const Tts__ErrorDetails *details,
                struct error *error);

#endif
