// SPDX-License-Identifier: Apache-2.0
// The simulation: the real engine, driver and journal over the sandbox's world, on a virtual clock, network and disk.
// A case is drawn from a seed: the population, the weather on the network and the disk, and a row of processes that
// are killed, interrupted or go on to their end. After the last one every invariant is checked on the whole world.
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "journal/journal.h"
#include "net/transport.h"
#include "support/disk_user.h"
#include "world/field.h"
#include "world/ttnv2_p.h"
#include "world/world.h"

struct lock;
struct sim_numbers;
struct sqlite3_vfs;

// ---- the case: numbers alone, so that it can be changed one by one and printed

enum { FAULTS = 4, PROCESSES = 4 };

enum sim_network { SIM_V2, SIM_TTS, SIM_NETWORKS };

// What a process does after the first one, which is the run itself.
enum sim_command { SIM_RESUME, SIM_ROLLBACK, SIM_ROLLBACK_SOME, SIM_COMMANDS };

struct case_fault {
    int64_t kind;    // 0 = none
    int64_t method;  //
    int64_t count;   // how the hits are chosen
    int64_t number;  //
};

struct case_process {
    int64_t used;
    int64_t command;       // of enum sim_command
    int64_t kill_at;       // the event at which it dies; 0 = never
    int64_t power;         // the machine dies, not just the process
    int64_t interrupt_at;  // 0 = never
    int64_t interrupts;    // 1, 2
    int64_t disk_full_at;  // the event from which no write succeeds for a while; 0 = never
    int64_t elsewhere;     // resume writes to another output
    int64_t pause;         // ms until the next one
    int64_t ids;           // which devices SIM_ROLLBACK_SOME is about
    int64_t no_retry;      // resume leaves those alone that were set aside
};

struct sim_case {
    int64_t devices;
    int64_t broken;
    int64_t concurrency;
    int64_t latency;     // ms, of a round trip
    int64_t jitter;      // ms
    int64_t uplinks;     // a second
    int64_t rate_limit;  // calls a second; 0 = none
    int64_t timeout;     // ms
    int64_t account;     // the key is traded for a token
    int64_t with_session;
    int64_t eui_as_id;
    int64_t keep_going;
    int64_t by_id;          // `device` with some of the IDs
    int64_t pipe;           // the output is a pipe
    int64_t rollback;       // the last process puts everything back
    int64_t source;         // of enum sim_network
    int64_t target;         // likewise; V2 stands for a file
    int64_t release;        // how The Things Stack is left: silence, keys, delete
    int64_t together;       // both are applications of one cluster; with `delete` only
    int64_t conflicts;      // of every so many devices the target has something already; 0 = none
    int64_t on_conflict;    // of enum run_conflict
    int64_t rivals;         // of every so many devices somebody makes it right before the run does; 0 = none
    int64_t rejects;        // what the target rejects for good as long as the weather is bad; 0 = nothing
    int64_t rejects_every;  // one of so many
    int64_t no_plan;        // devices are not looked at all before the first one is changed
    int64_t
        losses;  // what the target stores otherwise than it is given, while the weather is bad; 0 = nothing
    int64_t losses_every;  // of every so many changes
    int64_t meddles;       // of every so many chances somebody else writes to the source; 0 = never
    int64_t joins;         // of every so many chances a device joins V2 after it was read; 0 = as it happens
    struct case_fault faults[FAULTS];
    struct case_process processes[PROCESSES];
};

void case_draw(struct sim_case *drawn, uint64_t seed);
// Sets one number by its name ("devices", "kill0"); false if there is none.
bool case_set(struct sim_case *changed, const char *name, int64_t value);
// The names in order, NULL behind the last; `*ret_place` is the number.
const char *case_name(const struct sim_case *named, size_t index, const int64_t **ret_place);
// The fault of that number in the words of the world, or false if there is none at that place.
bool case_fault_spec(const struct sim_case *drawn, size_t index, char *spec, size_t size);
// The same for what the target rejects.
bool case_rejection_spec(const struct sim_case *drawn, char *spec, size_t size);

// ---- what is known of each device

// What a target stores otherwise than it is given.
enum sim_loss {
    LOSS_NONE,
    LOSS_NAME,
    LOSS_ROOT_KEY,
    LOSS_SESSION,
    LOSS_COUNTER,
    LOSS_SETTINGS,
    LOSS_PLAN,
    LOSS_RECORD,
    LOSSES,
};

// The keys of a device at its source that count there: of one that is silenced, none.
struct sim_keys {
    uint8_t app_key[KEY_SIZE];
    uint8_t dev_addr[DEV_ADDR_SIZE];
    uint8_t nwk_s_key[KEY_SIZE];
    uint8_t app_s_key[KEY_SIZE];
    uint32_t f_cnt_up, f_cnt_down;  // at the Network Server; the next ones
    bool session_alone;             // multicast: it has counters, but no life of its own
};

// What V2 has of a device's keys.
struct sim_raw {
    struct v2_session_keys session;  // at the Handler
    struct v2_session_keys network;  // at the Network Server
    uint8_t app_key[KEY_SIZE], app_s_key[KEY_SIZE];
};

struct sim_device {
    char *id;               // owned
    struct buffer rest;     // all of it but the keys, as it was at the start
    struct sim_keys first;  // at the start
    struct sim_keys taken;  // right before they were taken
    struct sim_keys present;
    bool cleared;                   // this run took keys, and has not put them back
    bool unlike;                    // it joined or was heard between reading and clearing: it must be named
    bool named;                     // and was
    bool late;                      // V2 has a session still that it joined to get after it was read
    bool read;                      // by the present process
    bool left_alone;                // people were told that only a rollback helps it
    uint32_t advice;                // the downlink counter that was named for its line; 0 = none
    uint32_t least_down;            // what its line would need; 0 = it is right
    uint32_t last_read;             // the downlink counter when the engine last read it
    uint8_t session_key[KEY_SIZE];  // of the session that was read
    bool has_session_key;           // or of none, which counts as one from the second look on
    bool renewed;                   // it is another session than at an earlier look
    uint32_t least_up;              // its last uplink counter: no network may have a lesser one of it
    bool in_doubt;                  // the answer to its last change was lost, and nobody has looked since
    unsigned lines;                 // in the output at the end
    uint8_t euis[FIELD_EUIS_SIZE];
    bool first_held;  // its source handled it at the start
    bool rejoins;     // its source has a session back with counters that were used: it must be named
    bool expected;    // at the end: it is at the target, or may be, since a rollback was not finished
    bool was_there;   // the target had something of it before the run
    uint32_t
        recalled;  // the downlink counter that it would have got when the engine last read it at the target
    bool seen_there;           // that is known
    bool spoiled;              // the target has stored it otherwise than it was given
    bool differs;              // and people were told so
    bool marked;               // an earlier process was about to put it back
    bool meddled;              // somebody else has written to it at the source
    bool foreign;              // and it has keys there that are none of the run's business
    bool foreign_told;         // which was said
    bool tried;                // the present process has told the source to let go of it
    bool was_cleared;          // before the foreign keys
    struct sim_keys had;       // likewise
    struct sim_raw mine;       // likewise
    struct sim_raw raw;        // before it was cleared
    struct buffer records[4];  // the same for The Things Stack
    uint8_t foreign_key[KEY_SIZE];
    enum sim_loss loss;   // what
    struct buffer given;  // the whole record of it, as it was given
    bool far;  // more than one downlink came between reading and releasing, or between recalling and
               // removing: devices send much more rarely than that
};

// A device of the target that was there before the run.
struct sim_other {
    char *id;             // owned
    struct buffer whole;  // what the servers have of it, but for times and counters
};

enum { FLOWS_MAX = 256 };

// A call under way.
struct flow {
    bool used;
    bool arrived;    // at the server
    bool answering;  // the answer is on its way back
    enum world_endpoint endpoint;
    bool at_target;
    bool changes;
    int64_t due;  // of what comes next
    int64_t deadline;
    char *method;  // owned, as are the other copies: a call outlives its caller on the wire
    struct call_header headers[CALL_HEADERS_MAX];
    size_t header_count;
    void *body;
    size_t body_size;
    enum call_kind kind;
    struct sim_device *device;  // that it is about; NULL = of several, or not known
    transport_done *done;       // NULL = nobody waits
    void *context;
    struct reply reply;
};

struct sim {
    uint64_t seed;
    struct sim_case c;
    bool verbose;
    struct world *world;  // of the source
    struct world *there;  // of the target; the same where one world plays both
    struct disk *disk;
    struct disk_user user;  // of the disk: the present process
    struct transport transport;
    struct clock clock;
    struct random random;
    struct prng chance;    // of the engine
    struct prng weather;   // of the network
    struct prng meddling;  // of somebody else
    struct sim_numbers *numbers;
    int64_t now;                                // ns since the simulation began
    int64_t refused_until[2][WORLD_ENDPOINTS];  // at the source, at the target
    struct flow flows[FLOWS_MAX];
    size_t waits;
    struct sim_device *devices;  // owned
    size_t device_count;
    struct sim_other *others;  // owned
    size_t other_count;
    uint64_t creations;  // that the target was asked for
    uint64_t stored;     // what it was given
    uint64_t chances;    // of somebody else to write to the source
    uint64_t joiners;    // devices that could join V2 after they were read
    // the present process
    const struct case_process *process;
    bool running;
    bool some;  // it puts back devices by their IDs
    uint64_t events;
    uint64_t full_until;  // the event from which there is space again
    jmp_buf death;
    struct lock *lock;  // the system takes it back when a process dies
    char *lock_path;    // owned
    // what it leaves behind
    int result;
    bool anew;                 // there is nothing to go on with
    char *journal_name;        // owned; NULL = no run has begun
    bool journal_ready;        // it was made completely
    struct disk_file *output;  // the last one; NULL = a pipe
    struct buffer pipe;        // what came out of the last pipe
    unsigned names;            // of files, so far
    struct buffer told;        // everything that people were told
    char *violation;           // owned; the first one
    struct sqlite3_vfs *vfs;
};

// Something happens: perhaps the last thing.
void sim_event(struct sim *sim);
// The process ends here and now.
_Noreturn void sim_die(struct sim *sim);
// True if it dies with the present event, so that the event can be left half done.
bool sim_dies_next(struct sim *sim);
// True if there is no space now.
bool sim_disk_is_full(struct sim *sim);
// Notes that an invariant does not hold; only the first one counts.
void sim_violated(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct sim_device *sim_find_device(struct sim *sim, const char *id, size_t size);

// ---- parts

// True if devices go into a network.
static inline bool sim_to_server(const struct sim *sim) {
    return sim->c.target == SIM_TTS;
}

// view.c: what networks have of devices

// The application that is migrated.
const char *sim_application(const struct sim *sim);

void sim_keys_read(const struct sim *sim, const struct sim_device *device, struct sim_keys *keys);
// Everything that neither a migration nor a device changes at the source.
void sim_rest_read(const struct sim *sim, const struct sim_device *device, struct buffer *rest);
bool sim_is_session(const struct sim_keys *keys);
// False if one server of the source has another session than the other.
bool sim_is_whole(const struct sim *sim, const struct sim_device *device);
// True if that side handles the device.
bool sim_is_held(const struct sim *sim, const struct sim_device *device, bool at_target);
// Makes sim->devices from what the source has.
void sim_devices_read(struct sim *sim);
// What the request, at that side, is about; NULL = not known, or many.
struct sim_device *sim_device_in(struct sim *sim, const void *body, size_t size, bool at_target);
// The last uplink counter of that session at the target; 0 if it has another one, or none.
uint32_t sim_target_up(const struct sim *sim, const struct sim_device *device, const uint8_t *session_key);
// The device in the field lives in both worlds.
void sim_field_join(struct sim *sim, const struct sim_device *device);
// The least downlink counter that the device takes, if it is in that session; 0 = any.
uint32_t sim_next_down(const struct sim *sim, const struct sim_device *device, bool at_target,
                       uint32_t *ret_there);

// conflict.c: what the target has before the run

void sim_conflicts_make(struct sim *sim);
void sim_others_read(struct sim *sim);
// The target is asked to make the device: somebody else may have been quicker.
void sim_rival(struct sim *sim, struct sim_device *device);
void sim_others_release(struct sim *sim);
// Nothing of them was lost or changed; `updated`: but by an update.
void sim_check_others(struct sim *sim, bool updated);

// loss.c: a target that stores something else than it is given

// That server of the target has done what it was asked for.
void sim_lose(struct sim *sim, struct sim_device *device, enum world_endpoint endpoint);
// True if the target has it otherwise than it was given, and all that it did itself cannot be the cause.
bool sim_is_lost(const struct sim *sim, const struct sim_device *device);

// meddle.c: somebody else writes to the source

// Before it is changed there: notes what it has.
void sim_meddle_note(struct sim *sim, struct sim_device *device);
// It is about to be looked at by that server, or (WORLD_ENDPOINTS) was changed.
void sim_meddle(struct sim *sim, struct sim_device *device, enum world_endpoint looks);
// Keys that somebody else has entered are still there.
void sim_check_foreign(struct sim *sim, struct sim_device *device);
// Takes away the foreign keys that were said to be in the way. False if nothing was said of any device: else the next
// process has something to do.
bool sim_meddle_tidy(struct sim *sim);

// join.c

// V2 is about to be told to clear the device: it may join first.
void sim_join(struct sim *sim, struct sim_device *device);

// check_server.c

void sim_check_held(struct sim *sim, struct sim_device *device);
void sim_check_at_target(struct sim *sim, const struct sim_device *device, enum device_state state,
                         bool back);

void sim_network_open(struct sim *sim);
// The process is gone; each call on its way still arrives, or does not.
void sim_network_abandon(struct sim *sim);
void sim_network_close(struct sim *sim);

// One process from its start to its end, or to its death: what sim->process says.
enum sim_kind { SIM_NEW, SIM_AGAIN, SIM_BACK, SIM_BACK_SOME };
void sim_process(struct sim *sim, enum sim_kind kind);

// Notes the devices at the start.
void sim_check_begin(struct sim *sim);
void sim_check_release(struct sim *sim);
// What holds at every change, called around it.
void sim_check_before_change(struct sim *sim, struct sim_device *device);
void sim_check_after_change(struct sim *sim, struct sim_device *device);
// A device was read at one side.
void sim_check_read(struct sim *sim, struct sim_device *device, bool at_target);
// The journal that a new process finds.
void sim_check_journal(struct sim *sim, struct journal *journal);
// Devices that a process has put back by their IDs.
void sim_check_back(struct sim *sim, struct journal *journal);
// True if the present process is about that device.
bool sim_is_meant(const struct sim *sim, size_t index);
// Everything, at the end of the last process; `back`: it put the run back.
void sim_check_end(struct sim *sim, struct journal *journal, bool back);
void sim_check_secrets(struct sim *sim);
// Takes a message to people.
void sim_told(struct sim *sim, const struct log_record *record);

// What is counted over many cases.
struct sim_numbers {
    uint64_t processes, deaths, events, cleared, restored;
};

// Plays a case. The violation, owned by the caller, or NULL.
char *sim_play(uint64_t seed, const struct sim_case *played, bool verbose, struct sim_numbers *numbers);

#endif
