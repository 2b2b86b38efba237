// SPDX-License-Identifier: Apache-2.0
// The way back of one device: how far it got at the target is kept, then it is taken away from there, then its source
// gets it back. Never the other way round: its keys are at one network at most.
#ifndef MIGRATE_UNDO_H
#define MIGRATE_UNDO_H

#include "device/device.h"
#include "device/record.h"
#include "journal/journal.h"
#include "migrate/task.h"
#include "source/source.h"

struct run;

enum undo_stage {
    UNDO_INTENT,  // that it goes back has to be durable first
    UNDO_RECALL,
    UNDO_KEEP,  // how far it got has to be durable first
    UNDO_REMOVE,
    UNDO_RESTORE,
    UNDO_END,
};

struct undo {
    struct run *run;                     // borrowed, as all pointers
    const struct source_record *record;  //
    const struct device *device;         // NULL: nothing is at the target
    int64_t sequence;
    enum device_claim claim;
    const void *before;
    size_t before_size;
    bool source;     // the source is to get it back
    bool untouched;  // its release was never begun
    enum undo_stage stage;
    struct device_progress progress;  // how far it got, as far as it is known
    struct device_progress seen;      // by the recall
    struct source_restoration restoration;
    char *remark;        // owned; what could not be put back; NULL = nothing
    struct error error;  // why it did not succeed; none = it did
    bool at_source;      // that is what its source said, after the target had let go of it
    struct task task;
    unsigned logins;
    bool parked;
};

// Fill in run to source (and progress, as far as it is known), and the stage: UNDO_INTENT if the intent is only in the journal's
// present transaction, UNDO_RECALL if it is durable.
void undo_begin(struct undo *undo);

// True if it waits for a commit; after that undo_go_on is to be called.
bool undo_waits(const struct undo *undo);
void undo_go_on(struct undo *undo);

// Goes on where it waited for credentials. True if something was started.
bool undo_unpark(struct undo *undo);

// True if it has come to an end, well or not.
bool undo_ended(const struct undo *undo);

// Cancels and frees. Accepts a zeroed one.
void undo_release(struct undo *undo);

#endif
