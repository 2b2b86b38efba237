// SPDX-License-Identifier: Apache-2.0
// How many calls at once a server is best at. Some take any number without getting slower, some no more than a few a
// second however many wait, and some get worse when many wait. So now and then fewer or more are tried, and what
// serves more calls a second is kept.
#include "net/dispatch_p.h"

enum {
    SAMPLES_LEAST = 64,  // calls that are measured at a level
    SAMPLES_EACH = 2,    // and for each that is in flight
    SAMPLES_RISING = 8,  // the same while it rises
    SAMPLES_EARLY = 16,  // enough to see that a trial is far worse
    PATIENCE_FIRST = 2,  // measurements before a trial
    START_MOST = 4,      // where it begins: a server that takes more shows that within a few round trips
    PATIENCE_MOST = 32,  // and when all trials have failed
};

// What is tried, one after the other: large steps find the place, small ones the best near it.
static const double factors[] = {2, 0.5, 4.0 / 3, 0.75};
enum { FACTORS = sizeof factors / sizeof *factors };

// Fewer at once are better if they do nearly as much; more must be worth it.
static const double enough_below = 0.97;
static const double gain_above = 1.04;

// From a careful start it doubles, with few calls measured each time, as long as a step gains at least this part of
// what it adds.
static const double factor_rising = 2;
static const double gain_rising = 0.25;

// Measurements with fewer calls that found others waiting say nothing of the server.
static const double busy_least = 0.8;

// How much the last measurement counts against those before it at the same level.
static const double newest = 0.5;

static void begin(struct search *search, double level, int64_t now) {
    search->level = level;
    search->since = now;
    search->count = search->busy = 0;
    search->latency = search->in_flight = 0;
}

void search_init(struct search *search, unsigned most) {
    unsigned start = most < START_MOST ? most : START_MOST;
    *search = (struct search){.most = most, .kept = start, .patience = PATIENCE_FIRST};
    search->rising = start < most;
    search->waits = search->rising ? 1 : search->patience;
    begin(search, start, 0);
}

// The level of a trial: whole calls, within bounds.
static double level_of(const struct search *search, double factor) {
    unsigned level = (unsigned)(search->kept * factor);
    if (factor > 1 && level < search->kept * factor) level++;
    if (level < 1) level = 1;
    return level > search->most ? search->most : level;
}

static void stay(struct search *search, int64_t now) {
    search->trying = false;
    search->waits = search->patience;
    begin(search, search->kept, now);
}

// Goes to the next trial that is one, from the present one on.
static void try_next(struct search *search, int64_t now) {
    search->rising = search->rising && search->kept < search->most;
    for (unsigned i = 0; i < FACTORS; i++) {
        double level = level_of(search, search->rising ? factor_rising : factors[search->trial]);
        if (level != search->kept) {
            search->trying = true;
            begin(search, level, now);
            return;
        }
        search->trial = (search->trial + 1) % FACTORS;
    }
    stay(search, now);
}

// A trial has ended. What was better is tried further at once.
static void decide(struct search *search, double rate, int64_t now) {
    bool more = search->level > search->kept;
    double needed = more ? gain_above : enough_below;
    if (search->rising) needed = 1 + gain_rising * (search->level / search->kept - 1);
    if (rate >= search->rate * needed) {
        search->kept = search->level;
        search->rate = rate;
        search->patience = PATIENCE_FIRST;
        search->failures = search->waits = 0;
        try_next(search, now);
        return;
    }
    if (search->rising) {
        search->rising = false;
        stay(search, now);
        return;
    }
    // One that failed may have had bad luck: only when all have failed there is longer peace.
    search->trial = (search->trial + 1) % FACTORS;
    if (++search->failures >= 2 && search->patience < PATIENCE_MOST) {
        search->patience *= 2;
        search->failures = 0;
    }
    stay(search, now);
}

// A trial that does less than this part of what is known is given up early: the further below, the nearer to what a
// server does that takes any number without getting slower.
static double hopeless(const struct search *search) {
    return search->level < search->kept ? 0.5 + 0.45 * search->level / search->kept : 0.7;
}

static void measured(struct search *search, double rate, int64_t now) {
    if (search->trying) {
        decide(search, rate, now);
        return;
    }
    search->rate = search->rate <= 0 ? rate : search->rate * (1 - newest) + rate * newest;
    if (search->waits > 0) search->waits--;
    if (search->waits > 0) {
        begin(search, search->kept, now);
    } else {
        try_next(search, now);
    }
}

void search_note(struct search *search, int64_t started, int64_t now, unsigned in_flight, bool waiting) {
    if (search->most < 2 || started < search->since) return;
    search->count++;
    search->busy += waiting;
    search->latency += (double)(now - started);
    search->in_flight += in_flight;
    double needed = search->level * (search->rising ? 1 : SAMPLES_EACH);
    double least = search->rising ? SAMPLES_RISING : SAMPLES_LEAST;
    if (needed < least) needed = least;
    bool whole = search->count >= needed;
    bool early = search->trying && search->count >= SAMPLES_EARLY;
    if ((!whole && !early) || search->latency <= 0) return;
    // Calls in flight by the time of each: calls a second (Little's law), in whatever bursts they come.
    double rate = search->in_flight / search->latency;
    if (search->busy < busy_least * search->count) {
        if (whole) stay(search, now);
        return;
    }
    if (whole || rate < search->rate * hopeless(search)) measured(search, rate, now);
}
