// SPDX-License-Identifier: Apache-2.0
// What the files of the dispatcher share: the queues (dispatch.c), calls that are made as one (dispatch_group.c), the pace of a
// server (pacer.c, search.c), the limits that it tells (budget.c), and what a reply means for its call (retry.c).
#ifndef NET_DISPATCH_P_H
#define NET_DISPATCH_P_H

#include "net/dispatch.h"

// The search for how many calls at once a server is best at. Times in ns, monotonic.
struct search {
    double most;        // calls at once that the user allows
    double kept;        // the best level that is known
    double rate;        // what the server does there: in flight by latency, calls/ns; 0 = not measured yet
    double level;       // of the present measurement
    bool trying;        // another level than `kept`
    bool rising;        // from a careful start: each level so far was better than the one before
    unsigned trial;     // which one is next, or is made
    unsigned patience;  // measurements between trials
    unsigned failures;  // of trials since it grew
    unsigned waits;     // that are left until the next one
    int64_t since;      // when the level was set: only calls that start afterwards count
    double count, busy, latency, in_flight;  // sums of the present measurement
};

void search_init(struct search *search, unsigned most);

// A call ended well that had `in_flight` calls beside and with it; `waiting`: others waited for their turn. Sets
// search->level.
void search_note(struct search *search, int64_t started, int64_t now, unsigned in_flight, bool waiting);

// How fast, and how many at once, a server takes calls. Times in ns, monotonic.
struct pacer {
    double limit;  // calls at once; adapts between 1 and search.level, or with a known rate search.most
    struct search search;
    unsigned in_flight;
    double rate;           // calls/s; 0 = as fast as they come
    int64_t next_start;    // when the next call may start, for the rate
    int64_t paused_until;  // no call starts before
    int64_t last_cut;      // when `limit` was halved last
};

void pacer_init(struct pacer *pacer, unsigned most, double rate);

// The time until a call may start: 0 = now, negative = when another one has ended.
int64_t pacer_delay(const struct pacer *pacer, int64_t now);

void pacer_started(struct pacer *pacer, int64_t now);

// A call ended well; `waiting`: others waited for their turn. To be told before `in_flight` is lowered.
void pacer_succeeded(struct pacer *pacer, int64_t started, int64_t now, bool waiting);

// The server said that this was too much. Calls that were under way when that was last heard say nothing new.
void pacer_overloaded(struct pacer *pacer, int64_t started, int64_t now);

// The server's own limit became known by a refusal: its bucket fills up meanwhile, then calls keep that pace
// for good. A refusal in spite of the known rate (another client has its share) pauses likewise.
void pacer_learn_rate(struct pacer *pacer, double rate, int64_t now);

void pacer_pause(struct pacer *pacer, int64_t until);

// What a server tells of its limits, for each method: a list, empty is NULL. Methods are those of struct call.
struct budget;

// The time until the server has room for a call: 0 = now, negative = when another one has ended.
int64_t budget_delay(struct budget *budgets, const char *method, int64_t now);

void budget_started(struct budget **budgets, const char *method, int64_t now);

// A call ended; `reply` is NULL if it was forgotten.
void budget_ended(struct budget *budgets, const char *method, const struct reply *reply, int64_t now);

void budgets_free(struct budget *budgets);

struct lane;
struct carrier;

struct dispatch_call {
    struct dispatch *dispatch;  // borrowed
    struct dispatch_call *next;
    struct dispatch_call *previous;
    struct lane *lane;
    const struct call *call;
    int priority;
    transport_done *done;
    void *context;
    uint64_t number;  // of its arrival
    unsigned tries;
    int64_t not_before;         // ns; after a failed try
    int64_t started;            // ns; of the present try
    void *handle;               // of the transport, while it is under way
    bool alone;                 // not to be put together with others
    struct carrier *member_of;  // it is made by that one's call, and neither waits nor flies itself
    struct carrier *carries;    // it is the call that is made for the others; owned
};

// Everything about one server.
struct lane {
    struct lane *next;
    char *address;  // owned
    char *name;     // owned
    bool plain;
    struct pacer pacer;
    struct budget *budgets;       // owned
    bool answered;                // it has answered at least once
    bool ungrouped;               // it has refused a call that several were put together in
    int64_t first_try;            // ns; 0 = none yet
    char *obstacle;               // owned; what stood in the way of the first answer so far; or NULL
    int64_t waiting_since;        // ns; its last good answer, or when a call met an idle server
    struct dispatch_call *first;  // those that wait for their turn, in order
    struct dispatch_call *last;
    struct dispatch_call *flying;  // those under way
};

struct dispatch {
    struct dispatch_setup setup;
    struct lane *lanes;
    struct dispatch_call *dry;       // changes in a dry run, to be told so
    struct dispatch_call *dry_last;  //
    uint64_t arrivals;
    struct dispatch_numbers numbers;
};

void queue_insert(struct lane *lane, struct dispatch_call *call);
void queue_remove(struct lane *lane, struct dispatch_call *call);

// ---- dispatch_group.c

// The call to be started for one that is next: itself, or one that is made for it and others of its lane that wait.
struct dispatch_call *group_gather(struct dispatch_call *call, int64_t now);

// Forgets a call that another one is made for; that one too if it was the last.
void group_drop(struct dispatch_call *call);

// Frees what a call carries, with the calls that it is made for; accepts NULL.
void carrier_free(struct carrier *carrier);

enum retry_kind {
    RETRY_NEVER,
    RETRY_LATER,     // the server could not be reached, its answer was lost, or it met a conflict
    RETRY_OVERLOAD,  // the server is there, and says that it is too much
};

// Whether the same call may be made again, by the general rules and the driver's verdict.
enum retry_kind retry_kind_of(const struct call *call, const struct reply *reply,
                              const struct dispatch_verdict *verdict);

// How long the server asks to wait, ns; 0 = it does not say. At most 60 s.
int64_t retry_asked_delay(const struct reply *reply, int64_t wall_now);

// The delay before try number `tries` + 1: full jitter, ns.
int64_t retry_backoff(const struct random *random, unsigned tries);

#endif
