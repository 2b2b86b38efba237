// SPDX-License-Identifier: Apache-2.0
// Journeys: the real engine and the real drivers over the sandbox's networks, in one process and on a
// virtual clock. Every case is played with every source whose driver declares what the case is about.
#ifndef JOURNEYS_JOURNEYS_H
#define JOURNEYS_JOURNEYS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "journal/journal.h"
#include "migrate/run.h"
#include "net/transport.h"
#include "networks/networks.h"
#include "source/registry.h"

enum { STAGE_FLIGHTS_MAX = 64 };

struct stage_flight {
    bool used;
    int64_t due;
    struct reply reply;
    transport_done *done;
    void *context;
};

// Changes an answer before it goes out. `number`: of the answer, from 1 on.
typedef void stage_spoil(void *context, uint64_t number, struct world_reply *answer);

// Watches calls: told before a call reaches its server, and when what it asks for is done there. It need not return.
enum stage_moment { STAGE_SENT, STAGE_DONE };
typedef void stage_watch(void *context, const struct call *call, enum stage_moment moment);

// A world, and a run over it.
struct stage {
    const struct network_source *network;
    const struct source_driver *driver;
    const struct network_target *target;
    const struct target_driver *target_driver;
    struct world *world;
    struct world *there;  // of the target; NULL: it is no server
    size_t others;        // devices that it has before the run
    struct transport transport;
    int64_t now;
    struct clock clock;
    struct random random;
    uint64_t chance;
    struct stage_flight flights[STAGE_FLIGHTS_MAX];
    uint64_t calls;      // that were made
    uint64_t changes;    // of these: those that the driver says change something
    stage_spoil *spoil;  // NULL = none
    void *spoil_context;
    stage_watch *watch;  // NULL = none
    void *watch_context;
    struct network_options options;
    struct buffer output;
    struct buffer told;  // everything that people were told
    struct journal *journal;
    struct file *file;           // that devices go to; NULL: to `output`
    uint64_t file_size;          // of whole lines that it has already
    struct run_numbers numbers;  // of the last run
    struct error error;          // that it ended with
    bool dry_run;
    bool keep_going;
};

void stage_open(struct stage *stage, const struct network_source *network, uint64_t devices);
// Has devices go there in place of lines.
void stage_to(struct stage *stage, const struct network_target *target);
// How many devices can go there.
size_t stage_movable(const struct stage *stage);
// How many the target has got.
size_t stage_arrived(const struct stage *stage);
// Makes the source let go of devices in one of its ways; NULL: keep them.
void stage_release_way(struct stage *stage, const char *way);
// Checks that nothing secret was told, and frees.
void stage_close(struct stage *stage);

// Runs over all devices, or those with these IDs (ended by NULL), with a journal of its own. 0 or the error's code.
int stage_run(struct stage *stage, const char *const *ids);
// Puts everything back that the last run released.
int stage_rollback(struct stage *stage);

// The same with the journal and the file that are there: one process of its own.
enum stage_kind { STAGE_ALL, STAGE_IDS, STAGE_AGAIN, STAGE_BACK };
int stage_play(struct stage *stage, enum stage_kind kind, const char *const *ids);
// The process is gone: nobody waits for answers, and what it held is lost.
void stage_abandon(struct stage *stage);

// Lines of the output.
size_t stage_lines(const struct stage *stage);
// Everything that the run ended with or told, as one text; borrowed.
const char *stage_words(struct stage *stage);
// The devices that the network answers.
size_t stage_served(const struct stage *stage);
size_t stage_devices(const struct stage *stage);

// cases.c: the cases; each is played with every source, and into every server where it is `play_to`.
struct journey_case {
    const char *name;
    bool (*wanted)(const struct network_source *network, const struct source_driver *driver);
    void (*play)(const struct network_source *network);
    void (*play_to)(const struct network_source *network, const struct network_target *target);
};
extern const struct journey_case journey_cases[];

#endif
