// SPDX-License-Identifier: Apache-2.0
// A source: a network or a file that devices come from. A driver is a constant table of operations. It
// describes the calls that an operation needs and reads their replies; it never waits, retries, opens a
// socket, starts a thread or logs. The engine (migrate/) does all that, once for all sources.
//
// Operations are jobs. The engine calls the operation's function with a new job (stage 0). The function
// fills job->calls and returns JOB_CALLS; when all of these calls are done, the engine calls it again with
// job->replies, and so on until it returns JOB_DONE or JOB_FAILED. A job's arena holds whatever the calls
// point to; it is wiped and released with the job.
#ifndef SOURCE_SOURCE_H
#define SOURCE_SOURCE_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/option.h"
#include "device/device.h"
#include "lorawan/frequency_plan.h"
#include "net/call.h"
#include "net/dispatch.h"

struct source;  // a driver's own instance

enum job_step {
    JOB_CALLS,  // job->calls[0..call_count) are to be made; replies will be at the same places
    JOB_DONE,
    JOB_FAILED,  // `error` says why
};

enum { JOB_CALLS_MAX = 4 };

struct job {
    int stage;            // the driver's own; 0 at first
    void *state;          // the driver's own, in the arena
    struct arena *arena;  // lives as long as the job
    struct call calls[JOB_CALLS_MAX];
    size_t call_count;
    struct reply replies[JOB_CALLS_MAX];  // owned by the engine
};

// A device as its source describes it: the bytes that the journal keeps and that `convert` and `release`
// start from. What the bytes are is the driver's own affair; they must hold all that `restore` needs.
struct source_record {
    char *id;       // the device's ID at the source; owned
    uint8_t *data;  // owned; NULL if only the ID is known
    size_t size;
    bool complete;  // false: an entry of a list, which lacks what only `read` gives (counters)
};

void source_record_release(struct source_record *record);
void source_record_copy(struct source_record *to, const struct source_record *from);

// A page of a list, filled by `list`.
struct source_page {
    char *cursor;  // in: NULL for the first page; out: of the next one, NULL = the end; owned
    struct source_record *records;  // out; owned
    size_t count;
    uint64_t total;  // out: devices in the whole list; 0 = unknown
};

void source_page_release(struct source_page *page);
struct source_record *source_page_add(struct source_page *page);

// What the engine found out after a device was released.
enum source_proof {
    SOURCE_RELEASED,  // the source no longer handles the device
    SOURCE_HELD,      // it still does
    SOURCE_MOVED_ON,  // released, but frames were exchanged between reading and releasing
    SOURCE_GONE,      // the source does not know the device any more
};

struct source_setup {
    const struct option_values *options;  // of the driver's table
    const struct frequency_plans *plans;  // borrowed
    const struct device_naming *naming;   // prefix and so on; borrowed
    const struct clock *clock;            // for started_at
    const struct random *random;          // for session_key_id
    bool dry_run;
};

enum source_feature {
    SOURCE_LISTS = 1 << 0,        // `application`: can list devices
    SOURCE_CHANGES = 1 << 1,      // `release` changes the source
    SOURCE_CHEAP_LIST = 1 << 2,   // one call lists many devices with (nearly) all that `read` gives
    SOURCE_LATE_FRAMES = 1 << 3,  // `confirm` can tell whether frames came in between
};

struct source_driver {
    const char *name;     // "ttnv2"
    const char *aliases;  // separated by spaces, or NULL
    const char *title;    // "The Things Network Stack V2"
    unsigned features;    // of enum source_feature
    const struct option_spec *options;
    double rate;  // default of --rate; 0 = find out

    // Makes an instance; checks the options (required ones are checked before). No calls yet.
    int (*open)(const struct source_setup *setup, struct source **ret_source, struct error *error);
    void (*close)(struct source *source);  // wipes credentials; accepts NULL

    // The application that `application` without an ID means, or NULL. Borrowed.
    const char *(*default_application)(const struct source *source);

    // Finds the servers and gets credentials. Made before the first job, for one application, and again if a
    // reply was judged JUDGE_LOGIN. May be NULL.
    enum job_step (*prepare)(struct source *source, struct job *job, const char *application,
                             struct error *error);

    // Fills one page of the application's devices.
    enum job_step (*list)(struct source *source, struct job *job, struct source_page *page,
                          struct error *error);

    // Completes a record. `record` holds an ID and perhaps a list's entry. Returns JOB_DONE without calls if
    // nothing is missing; in a run that changes the source it always asks the source.
    enum job_step (*read)(struct source *source, struct job *job, struct source_record *record,
                          struct error *error);

    // Makes the device of a record: pure, no calls. ERROR_DEVICE if that is impossible.
    int (*convert)(struct source *source, const struct source_record *record, struct device *device,
                   struct error *error);

    // Takes the device away from the source: only what `device` carries over. Called when the record is
    // durable. Must end in JOB_DONE only if the source is known to have done it; a lost answer is looked into
    // (read, then again if needed).
    enum job_step (*release)(struct source *source, struct job *job, const struct source_record *record,
                             const struct device *device, struct error *error);

    // Looks at a released device once more, or (SOURCE_CHEAP_LIST) judges an entry of a second list without
    // calls. May be NULL.
    enum job_step (*confirm)(struct source *source, struct job *job, const struct source_record *record,
                             const struct source_record *now, enum source_proof *ret_proof,
                             struct error *error);

    // Puts the record back as it was. NULL if the source cannot be changed.
    enum job_step (*restore)(struct source *source, struct job *job, const struct source_record *record,
                             struct error *error);

    // What an answer reveals beyond the general rules. May be NULL.
    void (*judge)(struct source *source, const struct call *call, const struct reply *reply,
                  struct dispatch_verdict *verdict);
};

#endif
