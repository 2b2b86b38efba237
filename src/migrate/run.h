// SPDX-License-Identifier: Apache-2.0
// A migration run: the devices of an application, or of a list of IDs, from their source to the target. Order
// of a device's life: journal/state.h. Nothing is changed at the source before the device's line is out (and
// synced, where the output is a file).
#ifndef MIGRATE_RUN_H
#define MIGRATE_RUN_H

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/space.h"
#include "device/naming.h"
#include "journal/journal.h"
#include "lorawan/frequency_plan.h"
#include "net/transport.h"
#include "source/source.h"
#include "target/target.h"

struct run;

// How far the run is; for progress and for the summary at the end.
struct run_numbers {
    uint64_t total;              // devices known so far
    bool total_known;            // no more will come
    uint64_t done;               // finished, well or not
    uint64_t written;            // lines that are out
    uint64_t begun;              // devices of which something may be at a target that is a server
    uint64_t checked;            // looked at before anything is changed, and fine
    bool checking;               // the phase in which that is done
    uint64_t released;           // cleared at the source
    uint64_t imported;           // at a target that is a server
    uint64_t verified;           // of these: read back, and as they should be
    uint64_t found;              // were at the target already
    uint64_t skipped;            // left alone: the target has something else there
    uint64_t unseen;             // imported, but could not be read back
    uint64_t confirmed;          // looked at once more after that
    uint64_t failed;             // set aside, or the one that halted the run
    uint64_t held;               // of these: written, but not (or not surely) cleared at the source
    uint64_t silent;             // not heard at the target since they were imported
    uint64_t moved_on;           // heard between reading and releasing
    uint64_t redirected;         // gateways whose source sends them to the target
    uint64_t restored;           // put back at the source
    uint64_t imperfect;          // of these: something could not be put back
    uint64_t back;               // were put back by an earlier rollback
    uint64_t formatters;         // applications whose payload formatters were, or may have been, set
    uint64_t formatters_failed;  // applications whose payload formatters are not as they should be
    const char *phase;           // what is done before or after that ("reading the list of devices"), or NULL
    bool waiting;                // the phase in which devices are waited for that are silent
    bool confirming;             // the phase in which released devices are looked at once more
    const char *waiting_for;     // a server that lets us wait, or NULL
};

// What happens to a device that the target has already, with other data.
enum run_conflict { CONFLICT_FAIL, CONFLICT_SKIP, CONFLICT_UPDATE };

struct run_observer {
    void *context;  // borrowed
    // Called often (at least every 200 ms); may draw.
    void (*progress)(void *context, const struct run_numbers *numbers);
    // How often the user has asked to stop: 1 = no new device, 2 = at once.
    unsigned (*interrupts)(void *context);
};

// The room for what a run writes, looked at before the first device of an application is begun in a run that changes its
// source. `look` may be NULL: then there is always room.
struct run_space {
    void *context;  // borrowed
    void (*look)(void *context, struct space *ret_journal, struct space *ret_output);
};

// What becomes of an application's payload formatters. Without `write` they are set at a target that is a server.
struct run_formatters {
    bool off;       // they are left alone, those of single devices too
    void *context;  // borrowed
    // Writes them to files, perhaps once more: ERROR_OUTPUT if something else is there. May be NULL.
    int (*write)(void *context, const char *application, const Tts__MessagePayloadFormatters *formatters,
                 struct error *error);
};

// Everything is borrowed and must outlive the run.
struct run_setup {
    const struct source_driver *driver;
    struct source *source;
    const struct target_driver *target;
    struct target *target_instance;  // NULL: a stream target
    enum run_conflict on_conflict;
    bool plan_only;  // nothing but that look, whatever the target: journal and numbers tell what came of it
    bool no_plan;    // no look at all devices before the first one is changed
    struct file *output;      // NULL: the target is a server
    uint64_t output_size;     // bytes of whole lines that it holds already: see output_resume
    struct journal *journal;  // NULL = a temporary one: nothing can be resumed then
    struct transport *transport;
    const struct clock *clock;
    const struct random *random;
    struct run_space space;
    struct run_formatters formatters;
    const struct log *log;  // device errors and notices are told here
    const struct device_naming *naming;
    struct device_map *map;  // what the user lays down about single devices; NULL = nothing
    const struct frequency_plans *plans;
    struct run_observer observer;
    unsigned concurrency;  // devices in flight
    double rate;           // calls/s to one server; 0 = find out
    int64_t timeout;       // ns, of one call
    bool dry_run;
    bool keep_going;           // a failed device is set aside
    bool gateways;             // the run is about gateways: its records are those of gateways
    bool redirect;             // they are told by their source to go to the target
    const char *redirect_key;  // secret: with which key they ask there; NULL = one is made for each. Borrowed
};

struct run *run_new(const struct run_setup *setup, struct error *error);
void run_free(struct run *run);  // accepts NULL

// Hands the IDs of a run one by one to `receiver`, and ends with what that returns if it is not 0.
typedef int run_id_receiver(void *context, const char *id, struct error *error);
typedef int run_id_feed(void *context, run_id_receiver *receiver, void *receiver_context,
                        struct error *error);

// Keeps in the journal that the run is about an application, before the first one is begun: run_resume goes through
// all that are known.
int run_register(struct run *run, const char *application, struct error *error);

// The two functions below first find out what would become of each device, if the target is a server (not with
// run_setup.no_plan); devices that cannot go are told, and without keep_going nothing is changed then. With
// run_setup.dry_run that is all they do.

// Migrates all devices of an application. ERROR_CANCELLED if it was interrupted; any other error halted it.
// With keep_going, failed devices are only counted.
int run_application(struct run *run, const char *application, struct error *error);

// Migrates the devices with these IDs of an application.
int run_devices(struct run *run, const char *application, run_id_feed *feed, void *context,
                struct error *error);

// Goes on with the run that the journal holds, application after application. Its output has been continued before:
// see output_resume.h.
int run_resume(struct run *run, struct error *error);

// Puts devices of the run back at their source: all that were or may have been released, or only those with the IDs of
// `feed` (NULL = all).
int run_rollback(struct run *run, run_id_feed *feed, void *context, struct error *error);

// What becomes, or would become, of the payload formatters of one application.
enum run_formatters_verdict {
    RUN_FORMATTERS_NONE,     // there are none
    RUN_FORMATTERS_UNKNOWN,  // the source does not tell them to this key: they stay behind
    RUN_FORMATTERS_WRITTEN,  // to files
    RUN_FORMATTERS_SET,      // at the target
    RUN_FORMATTERS_FOUND,    // the target has them already
    RUN_FORMATTERS_LEFT,     // the target has others, which stay
    RUN_FORMATTERS_FAILED,   // they cannot go
};

struct run_formatters_finding {
    char *application;  // at the source; owned
    char *target;       // the application at the target; owned; NULL = not known
    enum run_formatters_verdict verdict;
    char *what;     // what the source has: "uplink 3801 bytes, downlink none"; owned; NULL = not known
    char *reason;   // UNKNOWN, FAILED: why, and what to do; owned; else NULL
    bool replaces;  // SET: others, which were there
};

// All that were found out so far, in the order of the applications. Borrowed.
const struct run_formatters_finding *run_formatters_findings(const struct run *run, size_t *ret_count);

// What was found out of one device at its target.
struct run_verified {
    const char *id;         // at the source
    const char *device_id;  // at the target
    bool equal;
    const char *what;   // what differs; NULL if nothing does
    bool heard;         // since it was imported
    int64_t last_seen;  // ns since 1970; 0 = never
    struct device_progress progress;
};

struct run_verification {
    int64_t wait;         // ns; how long to wait for devices that were not heard
    bool restore_silent;  // those that stay silent are marked to be put back: see run_rollback_marked
    void *context;        // borrowed
    // Told for each device once, and once more when it is heard later; may be NULL.
    void (*tell)(void *context, const struct run_verified *verified);
    // Told for each application whose payload formatters the run has set; `target` is the application there.
    // NULL: they are not looked at.
    void (*tell_formatters)(void *context, const char *application, const char *target, bool equal);
    // With `wait` or `restore_silent`: a device that was not heard until the end; `id` is that at the source. May be NULL.
    void (*tell_silent)(void *context, const char *id);
};

// Reads every imported device of the run back from its target: numbers.verified are as they should be, numbers.failed
// are not, numbers.silent were not heard; numbers.formatters_failed applications have other payload formatters than the run
// has set. Changes nothing at any network.
int run_verify(struct run *run, const struct run_verification *wanted, struct error *error);

// Puts back what is marked already, by run_verify or by an earlier run_rollback.
int run_rollback_marked(struct run *run, struct error *error);

const struct run_numbers *run_numbers(const struct run *run);

// What the run knows of its devices: the setup's journal, or the temporary one. Borrowed.
struct journal *run_memory(const struct run *run);

#endif
