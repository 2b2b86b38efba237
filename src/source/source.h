// SPDX-License-Identifier: Apache-2.0
// A source: a network or a file that devices come from. A driver is a constant table of operations; what it does is
// cut into jobs (net/job.h). The driver of a file opens nothing itself: it names the option that holds the path, and gets
// the file as a stream; `list` reads on from it, page by page.
#ifndef SOURCE_SOURCE_H
#define SOURCE_SOURCE_H

#include "base/clock.h"
#include "base/key_set.h"
#include "base/option.h"
#include "base/reader.h"
#include "device/device.h"
#include "device/gateway.h"
#include "device/map.h"
#include "device/naming.h"
#include "device/place.h"
#include "device/record.h"
#include "lorawan/frequency_plan.h"
#include "net/dispatch.h"
#include "net/job.h"

// What every driver's instance starts with.
struct source {
    const struct source_driver *driver;
    const char *warning;  // set by `open`: what the user should know about the options; static, NULL = none
    bool keeps;           // set by `open`: the options say that the source is not to be changed: no `release`
    bool
        checks;  // set by the engine: it only finds out what would become of each device, so that `read` may be
                 // content with a list's entry that lacks counters
    bool frees;  // set by `open`: a released device's ID and EUIs are free for another one
    bool joins;  // set by `open`: a device without session that joins between reading and releasing has that
                 // session here still, so that `confirm` is asked for it behind its release
};

// A page of a list, filled by `list`.
struct source_page {
    char *cursor;  // in: NULL for the first page; out: of the next one, NULL = that was the last; owned
    struct source_record *records;  // out; owned
    size_t count;
    size_t capacity;
    uint64_t total;  // out: devices in the whole list; 0 = unknown
};

// Frees everything and leaves an empty page. Accepts a zeroed one.
void source_page_release(struct source_page *page);

// An empty record at the end of the page; valid until the next one is added.
struct source_record *source_page_add(struct source_page *page);

// What became of a released device.
enum source_proof {
    SOURCE_RELEASED,  // the source no longer handles the device
    SOURCE_HELD,      // it still does
    SOURCE_MOVED_ON,  // released, but the device was heard between reading and releasing
    SOURCE_JOINED,  // released but for the session that the device joined to get between reading and releasing
};

struct source_confirmation {
    enum source_proof proof;
    const char *remark;  // not SOURCE_RELEASED: what that means for the device; in the job's arena
    // SOURCE_MOVED_ON with a session: the downlink counter that the device has to be given instead (the last one
    // used); 0 = the one that it has is right.
    uint32_t last_n_f_cnt_down;
    bool unseen;  // with such a counter: nobody knows whether it was heard between reading and releasing
    // SOURCE_JOINED: the record with that session, to be released and restored in place of the one that was read; in the
    // job's arena. NULL where a list was judged, which does not tell it.
    const void *joined;
    size_t joined_size;
};

// A session of which nobody knows how far it got skips so many downlinks: more than are sent between the last look at it and
// its end, and far fewer than the 16,384 that a device lets pass (MAX_FCNT_GAP).
enum { SOURCE_UNSEEN_DOWNLINKS = 16 };

// Of every source whose device cannot be looked at behind its release: the downlink counter (a last one or a next one, but
// never none) behind those that may have been used unseen. Counters do not wrap.
static inline uint32_t source_skip_unseen(uint32_t counter) {
    return counter < UINT32_MAX - SOURCE_UNSEEN_DOWNLINKS ? counter + SOURCE_UNSEEN_DOWNLINKS : UINT32_MAX;
}

// How often a change is made whose answer is lost, or says that it may go better later.
enum { SOURCE_TRIES = 10 };

// Putting a device back.
struct source_restoration {
    struct device_progress progress;  // in: what became of it at its target, whose counters then count
    bool untouched;                   // in: it is certain that `release` was never begun
    uint32_t heard_n_f_cnt_down;  // in: the last one that was used before `release`, as far as it is known
    const char *remark;           // out: what could not be put back; in the job's arena, NULL = nothing
};

// The payload formatters that an application has for all its devices.
struct source_formatters {
    struct arena *arena;  // in: what is found lies there
    const Tts__MessagePayloadFormatters
        *formatters;     // out: as The Things Stack has them; NULL = the application has none
    const char *remark;  // out: what is to be known of them; static, NULL = nothing
};

// What a driver is opened with; everything is borrowed and outlives the instance.
struct source_setup {
    const struct option_values *options;  // of the driver's table; required ones are there
    const struct frequency_plans *plans;
    const struct device_naming *naming;
    struct device_map
        *map;  // what the user lays down about single devices; NULL = nothing. See device_map_plan
    const struct clock *clock;
    const struct random *random;
    bool dry_run;
    bool to_server;  // the devices go to a server in this run, not into a file
    bool gateways;   // the run is about gateways: see list_gateways
    bool redirect;   // gateways are redirected to the target: their secrets are read
    // Of drivers with `input`: the file, and an empty set for what has to stand there once. NULL where the devices are
    // known from an earlier run, whose list was complete: then the file is not needed any more.
    struct reader *input;
    struct key_set *seen;
};

enum source_feature {
    SOURCE_LISTS = 1 << 0,       // `application`: can list devices
    SOURCE_CHANGES = 1 << 1,     // `release` changes the source
    SOURCE_CHEAP_LIST = 1 << 2,  // one call lists many devices with (nearly) all that `read` gives
    // `list` gives all there is, and `read` can look nothing up: who wants single devices has to go through the list.
    SOURCE_LIST_ONLY = 1 << 3,
    SOURCE_ONE_APPLICATION = 1 << 4,  // its devices can go into one application only
};

struct source_driver {
    const char *name;     // "ttnv2"
    const char *aliases;  // separated by spaces, or NULL
    const char *title;    // "The Things Network Stack V2"
    unsigned features;    // of enum source_feature
    const char *about;  // for its help: what becomes of the devices there; sentences, NULL = nothing is said
    const char *examples;  // for its help, one a line: what stands behind "ttn-lw-migrate NAME "; or NULL
    const struct option_spec *options;
    const char
        *input;   // the option that holds the path of the file which the devices are in; NULL = a network
    double rate;  // default of --rate, calls/s; 0 = find out

    // Makes an instance and checks the options. No calls yet. The caller closes it.
    int (*open)(const struct source_setup *setup, struct source **ret_source, struct error *error);

    // Wipes credentials and frees; accepts NULL.
    void (*close)(struct source *source);

    // The application that `application` without an ID means, or NULL. Borrowed.
    const char *(*default_application)(const struct source *source);

    // Finds the servers and gets credentials: made before the first job of an application, and again when
    // a job says JOB_LOGIN. May be NULL.
    enum job_step (*prepare)(struct source *source, struct job *job, const char *application,
                             struct error *error);

    // Fills one page of the application's devices.
    enum job_step (*list)(struct source *source, struct job *job, struct source_page *page,
                          struct error *error);

    // Reads the application's payload formatters, and makes those of The Things Stack of them. ERROR_DENIED: the
    // credentials do not reach so far; ERROR_INPUT, ERROR_TOO_LARGE: they cannot become such. NULL: this network has none
    // that hold for a whole application.
    enum job_step (*formatters)(struct source *source, struct job *job,
                                struct source_formatters *ret_formatters, struct error *error);

    // Completes a record, which holds an ID and perhaps a list's entry. Without calls if nothing is missing;
    // in a run that changes the source it always asks the source.
    enum job_step (*read)(struct source *source, struct job *job, struct source_record *record,
                          struct error *error);

    // Makes the device of a record: pure, no calls. ERROR_DEVICE if that is impossible.
    int (*convert)(struct source *source, const struct source_record *record, struct device *device,
                   struct error *error);

    // Takes the device away from the source, as far as `device` carries it over. Called when the device is
    // durable elsewhere. Ends in JOB_DONE only if the source is known to have done it; a lost answer is
    // looked into, and the change made again if it did not happen. NULL without SOURCE_CHANGES.
    enum job_step (*release)(struct source *source, struct job *job, const struct source_record *record,
                             const struct device *device, struct error *error);

    // Puts the record back as it was, where it was released: looks first, since it may never have been. ERROR_DEVICE if
    // the device has other keys by now. NULL without SOURCE_CHANGES.
    enum job_step (*restore)(struct source *source, struct job *job, const struct source_record *record,
                             struct source_restoration *restoration, struct error *error);

    // Finds out whether the credentials allow `restore`, by a change that leaves the released device as it is. ERROR_DENIED if
    // they do not; JOB_DONE also where that cannot be found out. NULL: reading proves as much as can be known beforehand.
    enum job_step (*prove)(struct source *source, struct job *job, const struct source_record *record,
                           struct error *error);

    // True if that place is the record's own: a target in the same network that names it as taken means this very
    // device. May be NULL.
    bool (*owns)(const struct source *source, const struct source_record *record,
                 const struct device_place *place);

    // Looks at a released device once more. With `now`, an entry of a list made after the release, it judges
    // that without calls; without, it asks the source. May be NULL.
    enum job_step (*confirm)(struct source *source, struct job *job, const struct source_record *record,
                             const struct source_record *now, struct source_confirmation *ret_confirmation,
                             struct error *error);

    // ---- gateways; all of them NULL where the source has none. A gateway is not taken away from its source.

    // Finds the servers and checks the credentials; as `prepare`.
    enum job_step (*prepare_gateways)(struct source *source, struct job *job, struct error *error);

    // As `list` and `read`: records of gateways, and all that there is of one.
    enum job_step (*list_gateways)(struct source *source, struct job *job, struct source_page *page,
                                   struct error *error);
    enum job_step (*read_gateway)(struct source *source, struct job *job, struct source_record *record,
                                  struct error *error);

    // Makes the gateway of a record, as far as it can be carried over: pure. `gateway` is initialised.
    int (*convert_gateway)(struct source *source, const struct source_record *record, struct gateway *gateway,
                           struct error *error);

    // Tells the gateway, through its source, to go to the target. With `redirect` NULL it is put back as the record has
    // it, if it still is what `home` says. May be NULL.
    enum job_step (*redirect_gateway)(struct source *source, struct job *job,
                                      const struct source_record *record, const struct gateway_home *home,
                                      const struct gateway_redirect *redirect, struct error *error);

    // True if source and target have the same gateways. May be NULL.
    bool (*shares_gateways)(const struct source *source, const struct gateway_home *home);

    // What an answer that is not OK reveals beyond the general rules. May be NULL.
    void (*judge)(struct source *source, const struct call *call, const struct reply *reply,
                  struct dispatch_verdict *verdict);
};

#endif
