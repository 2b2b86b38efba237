// SPDX-License-Identifier: Apache-2.0
// Progress of a run, from numbers that the engine gives: one line that is redrawn in place on a terminal,
// or (always, without a terminal) a message every few seconds.
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/log.h"

struct progress_numbers {
    uint64_t done;            // devices finished, those that failed included
    uint64_t total;           // devices known of so far; 0 = none yet
    bool total_known;         // `total` will not grow any more
    uint64_t failed;          // devices set aside
    const char *waiting_for;  // what everything waits for, or NULL; borrowed during the call
    const char *activity;     // what is done before or after the devices' own moves, or NULL; a constant
};

enum progress_mode { PROGRESS_AUTO, PROGRESS_ALWAYS, PROGRESS_NEVER };

struct progress_setup {
    enum progress_mode mode;
    int fd;                       // where the line is drawn
    bool gateways;                // they are counted, not devices
    bool terminal;                // it can be redrawn in place there
    const struct clock *clock;    // borrowed
    const struct log *log;        // for messages; borrowed
    unsigned (*columns)(int fd);  // width now, 0 = unknown: asked before each drawing
    bool (*foreground)(int fd);   // whether lines may be drawn now
};

struct progress;

// Starts the run's clock.
struct progress *progress_new(const struct progress_setup *setup);

// Frees; what is drawn stays: call progress_end before. Accepts NULL.
void progress_free(struct progress *progress);

// Takes new numbers, and draws them if it is time to. Cheap: to be called each time round the loop.
void progress_update(struct progress *progress, const struct progress_numbers *numbers);

// ns until progress_update will have something to draw; -1 = never. For the loop's time limit.
int64_t progress_wait(const struct progress *progress);

// Writes the last numbers as a message, whatever the mode: somebody asked for them.
void progress_status(struct progress *progress);

// Takes the line off the terminal; nothing is drawn any more.
void progress_end(struct progress *progress);

// For what writes to the same terminal: the bytes that take the line away, and that put it back.
void progress_erase(const struct progress *progress, struct buffer *bytes);
void progress_restore(const struct progress *progress, struct buffer *bytes);

#endif
