// SPDX-License-Identifier: Apache-2.0
// Goes through devices of the journal, with one job for each, many at once.
#ifndef MIGRATE_SWEEP_H
#define MIGRATE_SWEEP_H

#include "device/device.h"
#include "migrate/run_p.h"

struct sweep;

// A device and its job; what the job fills in is the sweep's own (sweep->slot_size bytes, zeroed).
struct sweep_slot {
    struct sweep *sweep;           // borrowed
    struct journal_device device;  // owned
    struct device converted;       // owned; empty if the journal has none
    void *own;                     // owned
    struct task task;
    unsigned logins;  // how often its job waited for new credentials
    bool parked;      // waits for them now
    bool used;
};

struct sweep {
    struct run *run;  // borrowed
    enum run_side side;
    enum device_state least, most;  // whose turn it is
    enum journal_filter filter;
    bool with_converted;  // slots need the converted device
    size_t slot_size;
    // True if the device is not wanted after all; may be NULL.
    bool (*skips)(struct sweep *sweep, const struct journal_device *device);
    task_function *job;  // its context is the slot
    // `error` is why it was not done; may be taken.
    void (*finished)(struct sweep_slot *slot, bool done, struct error *error);
    void *context;  // of those who make the sweep
    // Set by `finished` to end it early; what is under way comes to its end.
    bool stopping;
    struct error error;  // the first that `finished` wants to be told at the end
};

// Runs it over the application in use. ERROR_CANCELLED if the user interrupts; else sweep->error, if there is one. Commits
// what `finished` put into the journal.
int run_sweep(struct sweep *sweep, struct error *error);

#endif
