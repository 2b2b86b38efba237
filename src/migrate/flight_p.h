// SPDX-License-Identifier: Apache-2.0
// The devices in flight: flight.c has the loop, reading and converting; flight_write.c brings lines out (stream targets);
// flight_release.c takes devices away from their source; flight_server.c creates them in a network.
#ifndef MIGRATE_FLIGHT_P_H
#define MIGRATE_FLIGHT_P_H

#include "migrate/run_p.h"
#include "migrate/undo.h"

// What a flight is at. Those up to STAGE_FAILED are in the window, the others are moving.
enum flight_stage {
    STAGE_READ,
    STAGE_LOOK,     // what the target knows of it
    STAGE_READY,    // converted; nothing stands in its way
    STAGE_FAILED,   // flight->error says why
    STAGE_RESERVE,  // at the target
    STAGE_INTEND,   // reserved; that it is released next has to be durable first
    STAGE_RELEASE,
    STAGE_HEAR,  // whether it was heard between reading and releasing
    STAGE_IMPORT,
    STAGE_VERIFY,
    STAGE_UNDO,
    STAGE_DONE,
};

struct flight {
    struct flight *next;
    struct flights *flights;  // borrowed
    int64_t sequence;
    enum flight_stage stage;
    struct source_record record;  // owned
    struct device device;
    struct error error;  // why it failed
    struct task task;
    struct undo undo;
    struct target_look look;
    struct source_confirmation heard;
    struct target_verdict verdict;
    enum device_claim claim;
    void *before;  // owned; CLAIM_UPDATED: what was there
    size_t before_size;
    bool again;       // an earlier process may have gone further than is known
    bool touched;     // its release was begun
    bool skipped;     // STAGE_FAILED: not an error, the user wants it left alone
    bool released;    // its source has given it up, or is not to be changed
    bool joined;      // the session that it got there between reading and releasing was taken over
    bool go;          // its stage begins with the next commit
    unsigned logins;  // how often its job waited for new credentials
    bool parked;      // waits for them now
};

struct flights {
    struct run *run;
    struct flight *head, *tail;  // window, in order
    size_t window;
    struct flight *moving;
    size_t moving_count;
    size_t limit;                   // of the window, and of those that are moving
    int64_t last;                   // sequence of the last one that was started
    enum device_state least, most;  // of those that are started
    enum journal_filter filter;     // likewise
    bool checking;                  // nothing is changed: only what would become of each device is found out
    bool exhausted;                 // no planned device is left
    bool stopping;                  // no new device starts
    bool progressed;                // something became ready without a call
};

// One stage's job. `finished` gets `done` = JOB_DONE; else `error` says why, and may be taken.
struct flight_step {
    enum run_side side;
    enum call_priority priority;
    task_function *job;
    void (*finished)(struct flight *flight, bool done, struct error *error);
};

// ---- flight.c

// Starts the stage's job.
void flight_start(struct flight *flight, enum flight_stage stage);

// Makes the target's device of the record.
int flight_convert(struct flight *flight, struct error *error);

// Puts the device into the journal as it was read and as it was converted; that is durable with the next commit.
int flight_store(struct flight *flight, struct error *error);

// It fails in the window.
void flight_fail(struct flight *flight, struct error *error);

// True if the run goes on without the device.
bool flight_is_dispensable(const struct flight *flight);

// Tells what a person should know of it.
void flight_notes(const struct flight *flight);

// Keeps its state. An error of the journal halts the run.
void flight_set_state(struct flight *flight, enum device_state state);
void flight_set_reason(struct flight *flight, enum device_state state, const char *reason);

// The journal cannot be written: nothing new is begun, and the run ends with that error.
void flights_journal_failed(struct flights *flights, struct error *error);

// A flight is not needed any more; the loop takes it away.
void flight_done(struct flight *flight);

void flight_free(struct flight *flight);

// Takes the flight behind `before` (NULL = the first) out of the window.
struct flight *window_take(struct flights *flights, struct flight *before);

// Drops all flights of the window behind `last` (NULL = all).
void window_drop_behind(struct flights *flights, struct flight *last);

// Takes care of one that failed in the window, and frees it.
void window_end_failed(struct flights *flights, struct flight *flight);

void moving_add(struct flights *flights, struct flight *flight);

// ---- flight_write.c

// Brings out everything that is ready at the head of the window.
int window_commit(struct flights *flights, struct error *error);

// ---- flight_release.c

enum job_step flight_release_job(void *context, struct job *job, struct error *error);
void flight_released(struct flight *flight, bool done, struct error *error);
enum job_step flight_hear_job(void *context, struct job *job, struct error *error);
void flight_heard(struct flight *flight, bool done, struct error *error);

// What follows the release.
void flight_go_on(struct flight *flight);

// Goes on with a device that an earlier process left on its way.
void moving_take_up(struct flight *flight, enum device_state state);

// ---- flight_server.c

enum job_step flight_look_job(void *context, struct job *job, struct error *error);
// The target has nothing of it.
void flight_found_free(struct flight *flight);
void flight_looked(struct flight *flight, bool done, struct error *error);
enum job_step flight_reserve_job(void *context, struct job *job, struct error *error);
void flight_reserved(struct flight *flight, bool done, struct error *error);
enum job_step flight_import_job(void *context, struct job *job, struct error *error);
void flight_imported(struct flight *flight, bool done, struct error *error);
enum job_step flight_verify_job(void *context, struct job *job, struct error *error);
void flight_verified(struct flight *flight, bool done, struct error *error);

// The source has given it up, and its counters are known: it is made at the target.
void flight_start_at_target(struct flight *flight);

// A step failed: it goes back.
void flight_undo(struct flight *flight, struct error *error);

// Everything that waits for a commit gets it, and goes on.
int server_turn(struct flights *flights, struct error *error);

#endif
