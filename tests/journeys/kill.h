// SPDX-License-Identifier: Apache-2.0
// A journey whose program is killed: at an event (a call that is sent, one that is carried out, a write, a sync), after
// which its memory is gone and its journal, its output and the networks are what they are then. Other processes go on or
// put it back, and all of it is compared with a journey that nobody disturbed.
#ifndef JOURNEYS_KILL_H
#define JOURNEYS_KILL_H

#include "journeys.h"
#include "support/disk_user.h"
#include "world/prng.h"

// So many devices of each source that is a server; most of them can go anywhere.
enum { KILL_DEVICES = 5, KILL_PAIR_SIZE = 80, KILL_FAULT_SIZE = 120, KILL_METHODS = 64 };

// What the processes after the first one do.
enum kill_then { KILL_RESUME, KILL_ROLLBACK, KILL_THENS };

// How a journey is disturbed.
struct kill_case {
    const struct network_source *network;
    const char *way;  // in which the source lets go of devices
    const struct network_target *target;
    enum kill_then then;
    uint64_t first;               // the event at which the run dies; 0 = never
    uint64_t second;              // the one at which the next process dies, before the last one; 0 = never
    bool power;                   // the machine dies, not just the program: what was not synced may be gone
    bool elsewhere;               // a resumed run writes to another output
    char fault[KILL_FAULT_SIZE];  // as world_add_fault takes it: an answer is lost, too; "" = none
    bool fault_there;             // at the target
};

struct kill_method {
    char *name;  // owned
    bool there;  // of the target
    bool back;   // only a rollback calls it
};

// What an undisturbed journey ends with.
struct kill_end {
    struct buffer lines, source, target, states;
    struct network_device *arrived;  // owned; as the target has them
    size_t count;
    size_t movable;                            // devices that were not set aside
    uint64_t events;                           // of the run
    uint64_t back_events;                      // of a rollback of all of it
    struct kill_method methods[KILL_METHODS];  // that were called
    size_t method_count;
};

struct kill_numbers {
    uint64_t journeys, deaths, events;
};

// A journey under way.
struct kill {
    struct kill_case played;
    struct stage stage;
    const struct kill_end *wanted;  // NULL: this one is undisturbed
    struct disk *disk;
    struct disk_user user;
    struct sqlite3_vfs *vfs;
    struct prng prng;
    jmp_buf death;
    bool running;
    uint64_t events, dies_at;  // of the present process; 0 = it lives on
    unsigned names;            // of files, so far
    char *journal_name;        // owned; NULL: there is nothing to go on with
    struct disk_file *output;
    struct network_device first[2 * KILL_DEVICES];  // as the source had them
    size_t count;
    struct buffer source, target;  // both networks at the start
    char *violation;               // owned; the first one
    struct kill_numbers *numbers;
};

// Notes that something does not hold; only the first one counts.
void kill_violated(struct kill *kill, const char *format, ...) __attribute__((format(printf, 2, 3)));

// ---- kill.c

// Plays it. What does not hold, owned by the caller, or NULL.
char *kill_play(const struct kill_case *played, const struct kill_end *wanted, struct kill_numbers *numbers);
// Plays it undisturbed, and puts it back.
char *kill_play_calm(const struct kill_case *played, struct kill_end *ret_end, struct kill_numbers *numbers);
void kill_end_release(struct kill_end *end);

// ---- kill_check.c

void kill_check_begin(struct kill *kill);
// What holds at every change of a network.
void kill_check_change(struct kill *kill);
// The journal that a new process finds.
void kill_check_journal(struct kill *kill, struct journal *journal);
// The end of the last process; `journal` NULL: the run had not begun.
void kill_check_resumed(struct kill *kill, struct journal *journal);
void kill_check_back(struct kill *kill, struct journal *journal);
// Takes what there is at the end of an undisturbed run.
void kill_take_end(struct kill *kill, struct journal *journal, struct kill_end *end);

// ---- kill_main.c

// journeys --kills ...
int kill_main(int argument_count, char **arguments);

#endif
