// SPDX-License-Identifier: Apache-2.0
// A target: where devices go. Like a source, a target is a constant table of operations without input or output of its
// own. There are two kinds:
//
//   stream  `encode` turns each device into bytes that the engine writes and makes durable;
//   server  devices are created in a network by jobs (net/job.h): look -> reserve -> (released at the source) ->
//           import -> verify. `remove` takes away what the run made, `recall` tells how far a device got.
#ifndef TARGET_TARGET_H
#define TARGET_TARGET_H

#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/option.h"
#include "device/device.h"
#include "device/gateway.h"
#include "device/place.h"
#include "lorawan/frequency_plan.h"
#include "net/dispatch.h"
#include "net/job.h"

// What every driver's instance starts with.
struct target {
    const struct target_driver *driver;
    const char *warning;  // set by `open`: what the user should know about the options; static, NULL = none
    const char *
        run;  // what the run is called, for marks on what it makes; borrowed, NULL = it keeps nothing of itself
};

// What a server driver is opened with; everything is borrowed and outlives the instance.
struct target_setup {
    const struct option_values *options;  // of the driver's table; required ones are there
    const struct frequency_plans *plans;
    const struct clock *clock;
    const struct random *random;
    bool dry_run;
    bool create_application;  // make the application if it is missing
    bool gateways;            // the run is about gateways
    bool rollback;            // the run is taken back: nothing is made, and what is gone is not missed
};

// What the target knows of a device that is to be created.
enum target_found {
    TARGET_FREE,   // nothing: neither its ID nor its EUIs, at no server
    TARGET_SAME,   // this very device with the same data: nothing is to be done
    TARGET_OTHER,  // this very device (same ID and EUIs), but with other data
    TARGET_TAKEN,  // its ID or EUIs belong to another device, or a part of it is registered in a way that it cannot be
};

struct target_look {
    enum target_found found;
    const char *what;  // OTHER: what differs, TAKEN: who has it; one clause; in the job's arena
    struct device_place
        holder;  // SAME, OTHER, TAKEN: the device that is there; texts in the job's arena, NULL = unknown
    const void *before;  // OTHER: what is there, for `remove` to put back; in the job's arena
    size_t before_size;
};

// What is known of a device that is to be taken away.
struct target_removal {
    const void *before;  // what `look` found before an update; NULL = the run made the device
    size_t before_size;
    bool reserved;  // no more than `reserve` was begun: whoever has keys there has them from somebody else
};

struct target_verdict {
    bool equal;
    const char *what;                 // what differs, one clause; in the job's arena
    struct device_progress progress;  // of its session at the target
    int64_t last_seen;                // ns since 1970; 0 = not heard yet
};

// The payload formatters that the application in use has for all its devices.
struct target_formatters {
    struct arena *arena;                              // in: what is found lies there
    const Tts__MessagePayloadFormatters *formatters;  // out: NULL = none
    const char *application;                          // out: its ID at the target; in the arena
};

struct target_driver {
    const char *name;                   // "json", as in --to
    const char *aliases;                // separated by spaces, or NULL
    const char *title;                  // "The Things Stack device JSON"
    const struct option_spec *options;  // NULL = none

    // ---- stream targets

    // Appends what stands before the first device. NULL = nothing.
    void (*begin)(struct buffer *output);

    // Refuses (ERROR_DEVICE) a converted device that the target cannot hold, and notes what of it has no place there;
    // before anything is changed. NULL = it holds all of any device.
    int (*fit)(struct device *device, struct error *error);
    bool refuses;  // `fit` refuses some, so that all are looked at before the first one is taken away

    // Appends one device, ended so that the next can follow. Fails only if the target cannot express it. NULL: the
    // target is a server.
    int (*encode)(const struct device *device, struct buffer *output, struct error *error);

    // ---- server targets

    double rate;  // default of --rate, calls/s; 0 = find out

    // Makes an instance and checks the options. No calls yet. The caller closes it.
    int (*open)(const struct target_setup *setup, struct target **ret_target, struct error *error);

    // Wipes credentials and frees; accepts NULL.
    void (*close)(struct target *target);

    // Checks credentials, rights and the application that the devices of the source's `application` go to (made if
    // setup says so), and learns what the target demands of devices. Made before the first device of an application,
    // and again when a job says JOB_LOGIN.
    enum job_step (*prepare)(struct target *target, struct job *job, const char *application,
                             struct error *error);

    // Makes a converted device fit this target (application, addresses), and refuses one that the target would refuse:
    // ERROR_DEVICE. Pure.
    int (*adapt)(struct target *target, struct device *device, struct error *error);

    // Looks what the target knows of the device. Changes nothing. With job->again an earlier `reserve` of this run may
    // have been made: what is there and is no more than what `reserve` makes, counts as TARGET_FREE.
    enum job_step (*look)(struct target *target, struct job *job, const struct device *device,
                          struct target_look *ret_look, struct error *error);

    // Creates what can be created without keys and sessions, so that a conflict shows while the source still works. With
    // job->again it may be there already. After an error an unknown part may be there: `remove` follows; with
    // job->unchanged it does not, since what is there is somebody else's.
    enum job_step (*reserve)(struct target *target, struct job *job, const struct device *device,
                             struct error *error);

    // Gives the target keys, session and state: from here on it handles the device. Without a `reserve` before (an
    // update) all of the device. With job->again an earlier attempt may have been made, and the device may have lived
    // on since: a session that has the same keys there and is further is left alone. After an error an unknown part may
    // be there.
    enum job_step (*import)(struct target *target, struct job *job, const struct device *device,
                            struct error *error);

    // Reads the device back and compares it with what was to be imported.
    enum job_step (*verify)(struct target *target, struct job *job, const struct device *device,
                            struct target_verdict *ret_verdict, struct error *error);

    // How far the device's session got. `known` stays false if the target does not have it.
    enum job_step (*recall)(struct target *target, struct job *job, const struct device *device,
                            struct device_progress *ret_progress, struct error *error);

    // Takes the device away, or puts back what was there. Ends in JOB_DONE only if the target is known not to have it from
    // this run any more; what is gone already is fine, and a device that somebody else has made with its EUIs stays.
    enum job_step (*remove)(struct target *target, struct job *job, const struct device *device,
                            const struct target_removal *removal, struct error *error);

    // Reads the payload formatters of the application in use. Changes nothing. NULL: this network has none for a whole
    // application; then `set_formatters` is NULL too.
    enum job_step (*get_formatters)(struct target *target, struct job *job,
                                    struct target_formatters *ret_formatters, struct error *error);

    // Gives the application in use these payload formatters in some directions (FORMATTERS_UP, FORMATTERS_DOWN); the others
    // stay as they are. Harmless to repeat: ends in JOB_DONE only if they are known to be set.
    enum job_step (*set_formatters)(struct target *target, struct job *job,
                                    const Tts__MessagePayloadFormatters *formatters, unsigned directions,
                                    struct error *error);

    // ---- gateways; all of them NULL where the target has none

    // Checks credentials and rights, and learns whose the gateways will be; as `prepare`.
    enum job_step (*prepare_gateways)(struct target *target, struct job *job, struct error *error);

    // Where gateways of the target ask. Borrowed texts.
    void (*home)(const struct target *target, struct gateway_home *ret_home);

    // Looks what the target knows of the gateway's ID. OTHER: `before` are the bytes of what is there.
    enum job_step (*look_gateway)(struct target *target, struct job *job, const Tts__Gateway *gateway,
                                  struct target_look *ret_look, struct error *error);

    // Creates the gateway; with job->again it may be there already. *ret_refused: the target says that it made nothing.
    enum job_step (*create_gateway)(struct target *target, struct job *job, const Tts__Gateway *gateway,
                                    bool *ret_refused, struct error *error);

    // Makes a gateway that is there have this data.
    enum job_step (*update_gateway)(struct target *target, struct job *job, const Tts__Gateway *gateway,
                                    struct error *error);

    // Gives a gateway that has none the secret with which the target's own CUPS lets it connect.
    enum job_step (*secure_gateway)(struct target *target, struct job *job, const Tts__Gateway *gateway,
                                    struct error *error);

    // Makes the key with which the gateway asks the target's CUPS. *ret_key is owned by the caller: secret.
    enum job_step (*key_gateway)(struct target *target, struct job *job, const Tts__Gateway *gateway,
                                 char **ret_key, struct error *error);

    // Takes the gateway away; what is gone already is fine.
    enum job_step (*remove_gateway)(struct target *target, struct job *job, const Tts__Gateway *gateway,
                                    struct error *error);

    // What an answer that is not OK reveals beyond the general rules. May be NULL.
    void (*judge)(struct target *target, const struct call *call, const struct reply *reply,
                  struct dispatch_verdict *verdict);
};

// True if gateways can go there: into a network, or as JSON.
static inline bool target_takes_gateways(const struct target_driver *driver) {
    return driver->create_gateway != NULL || strcmp(driver->name, "json") == 0;
}

// True if devices are created in a network, false if they are written.
static inline bool target_is_server(const struct target_driver *driver) {
    return driver->encode == NULL;
}

// All targets; the list ends with NULL.
const struct target_driver *const *target_drivers(void);

// The target of that name or alias, or NULL.
const struct target_driver *target_find(const char *name);

#endif
