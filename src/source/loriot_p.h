// SPDX-License-Identifier: Apache-2.0
// What the files of source loriot share. A record's bytes are a JSON object: `app`, the application's ID as it stands in
// paths, and `device` as LORIOT gave it; those of a gateway are what LORIOT gave.
#ifndef SOURCE_LORIOT_P_H
#define SOURCE_LORIOT_P_H

#include "lorawan/identifiers.h"
#include "source/file_device.h"
#include "source/rest.h"

enum { LORIOT_PAGE_SIZE = 100, LORIOT_PAGES_MAX = 100000 };

// Applications that no ID names; no ID and no name of LORIOT's begins so.
#define LORIOT_ALL  "-all"
#define LORIOT_NONE "-"

enum loriot_release { LORIOT_KEEP, LORIOT_DELETE };

struct loriot_application {
    char *id;    // owned; hexadecimal, upper case
    char *name;  // owned; "" = none
};

struct loriot {
    struct source base;
    const struct option_values *options;  // borrowed
    struct file_rules rules;              // without an application: it is each device's own
    struct rest rest;
    char *authorization;  // owned, wiped
    enum loriot_release release;
    bool has_join_eui;
    struct eui64 join_eui;
    char *asked;                              // owned; the application of the last `prepare`
    struct loriot_application *applications;  // owned; all that the token sees
    size_t application_count;
    size_t first, end;  // those that are meant
    char **networks;    // owned; IDs of the networks that have the gateways
    size_t network_count;
};

static inline struct loriot *loriot_of(struct source *source) {
    return (struct loriot *)source;
}

// ---- loriot_calls.c: calls

// Adds a call; `path` is what follows /1/nwk/, `body` NULL or in the job's arena.
struct call *loriot_call(const struct loriot *self, struct job *job, const char *method, const char *path,
                         const char *body);

// Adds a GET for one page of a list; pages count from 1.
void loriot_page_call(const struct loriot *self, struct job *job, const char *path, uint32_t page);

// One page of a list, read from the first reply.
struct loriot_page {
    json_t *answer;      // owned; NULL = none
    const json_t *list;  // in `answer`; an array
    uint64_t total;
    bool last;
};

#define LORIOT_PAGE_AUTO __attribute__((cleanup(loriot_page_release))) struct loriot_page

// `name` is the member that has the list, `page` the number that was asked for. ERROR_PROTOCOL if the list ends before its
// total, or what the answer says.
int loriot_page_read(const struct loriot *self, const struct job *job, const char *name, uint32_t page,
                     struct loriot_page *ret_page, struct error *error);
void loriot_page_release(struct loriot_page *page);

// An `_id` that is a number or hexadecimal digits, as paths have it: in the caller's hands, NULL if it is neither.
char *loriot_id(const json_t *object);

// Asks for a device, and reads the answer: *ret_device is a new reference. ERROR_PROTOCOL, or what the answer says.
void loriot_get_call(const struct loriot *self, struct job *job, const char *application,
                     const struct eui64 *eui);
int loriot_get_reply(const struct loriot *self, const struct job *job, size_t index, const struct eui64 *eui,
                     json_t **ret_device, struct error *error);

// True if the server says that there is no such thing.
bool loriot_not_found(const struct reply *reply);

// An answer that is not OK as an error with a hint. Returns the negative code.
int loriot_failed(const struct call *call, const struct reply *reply, struct error *error);

// ---- loriot_list.c: operations of the driver

void loriot_forget_applications(struct loriot *self);

enum job_step loriot_prepare(struct source *source, struct job *job, const char *application,
                             struct error *error);
// A cursor is the place of an application (or network) in its list, and a page of it: "3:2"; NULL leaves both as they are.
void loriot_read_cursor(const char *cursor, size_t *ret_place, uint32_t *ret_number);

// Moves a page's cursor on: behind the last page of one comes the next; `end` is how many there are.
void loriot_move_cursor(struct source_page *page, size_t place, uint32_t number, bool last, size_t end);

enum job_step loriot_list(struct source *source, struct job *job, struct source_page *page,
                          struct error *error);
enum job_step loriot_read(struct source *source, struct job *job, struct source_record *record,
                          struct error *error);

// ---- loriot_device.c

enum loriot_key { LORIOT_APP_KEY, LORIOT_NWK_S_KEY, LORIOT_APP_S_KEY, LORIOT_KEYS };

// The members that hold keys.
extern const char *const loriot_key_names[LORIOT_KEYS];

// Reads a key. NULL if it is one, and *ret_there tells whether there is any; or what is wrong with it.
const char *loriot_key(const json_t *device, enum loriot_key key, struct key128 *ret_key, bool *ret_there);

// True if DevAddr and both session keys are there.
bool loriot_has_session(const json_t *device);

// True if the device joins.
bool loriot_joins(const json_t *device);

// The DevEUI of a device as LORIOT has it. False if it has none.
bool loriot_device_eui(const json_t *device, struct eui64 *ret_eui);

// The DevEUI that a record is about: its own, or its ID. ERROR_DEVICE.
int loriot_record_eui(const struct source_record *record, struct eui64 *ret_eui, struct error *error);

// A record's parts: *ret_application a copy in the arena, *ret_device a new reference. ERROR_INPUT.
int loriot_record_read(const struct source_record *record, struct arena *arena, const char **ret_application,
                       json_t **ret_device, struct error *error);
void loriot_record_write(struct source_record *record, const char *application, json_t *device);

// The counters of a session as The Things Stack takes them: the last ones.
uint32_t loriot_last_f_cnt_up(const json_t *device);
uint32_t loriot_last_f_cnt_down(const struct loriot *self, const json_t *device);

// RX1 delay in s; 0 = not known. *ret_odd: LORIOT tells one that is none of LoRaWAN's.
uint32_t loriot_rx1_delay(const json_t *device, bool *ret_odd);

int loriot_convert(struct source *source, const struct source_record *record, struct device *device,
                   struct error *error);

// ---- loriot_change.c: operations of the driver

enum job_step loriot_release(struct source *source, struct job *job, const struct source_record *record,
                             const struct device *device, struct error *error);
enum job_step loriot_restore(struct source *source, struct job *job, const struct source_record *record,
                             struct source_restoration *restoration, struct error *error);
enum job_step loriot_confirm(struct source *source, struct job *job, const struct source_record *record,
                             const struct source_record *now, struct source_confirmation *ret_confirmation,
                             struct error *error);

// ---- loriot_gateway.c: operations of the driver

void loriot_forget_networks(struct loriot *self);

enum job_step loriot_prepare_gateways(struct source *source, struct job *job, struct error *error);
enum job_step loriot_list_gateways(struct source *source, struct job *job, struct source_page *page,
                                   struct error *error);
enum job_step loriot_read_gateway(struct source *source, struct job *job, struct source_record *record,
                                  struct error *error);
int loriot_convert_gateway(struct source *source, const struct source_record *record, struct gateway *gateway,
                           struct error *error);

#endif
