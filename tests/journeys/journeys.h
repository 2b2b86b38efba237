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

// A world, and a run over it.
struct stage {
    const struct network_source *network;
    const struct source_driver *driver;
    const char *release_way;  // NULL: the source keeps its devices
    struct world *world;
    struct world *there;  // of the target, The Things Stack; NULL: into lines
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
    struct network_options options;
    struct buffer output;
    struct buffer told;  // everything that people were told
    struct journal *journal;
    struct run_numbers numbers;  // of the last run
    struct error error;          // that it ended with
    bool dry_run;
    bool keep_going;
};

void stage_open(struct stage *stage, const struct network_source *network, uint64_t devices);
// Has devices go into The Things Stack in place of lines.
void stage_to_server(struct stage *stage);
// How many devices the target has.
size_t stage_arrived(const struct stage *stage);
// Makes the source let go of devices in one of its ways; NULL: keep them.
void stage_release_way(struct stage *stage, const char *way);
// Checks that nothing secret was told, and frees.
void stage_close(struct stage *stage);

// Runs over all devices, or those with these IDs (ended by NULL), with a journal of its own. 0 or the error's code.
int stage_run(struct stage *stage, const char *const *ids);
// Puts everything back that the last run released.
int stage_rollback(struct stage *stage);

// Lines of the output.
size_t stage_lines(const struct stage *stage);
// Everything that the run ended with or told, as one text; borrowed.
const char *stage_words(struct stage *stage);
// The devices that the network answers.
size_t stage_served(const struct stage *stage);
size_t stage_devices(const struct stage *stage);

// cases.c: the cases; each is called with a source as *state.
struct journey_case {
    const char *name;
    bool (*wanted)(const struct network_source *network, const struct source_driver *driver);
    void (*play)(const struct network_source *network);
};
extern const struct journey_case journey_cases[];

#endif
