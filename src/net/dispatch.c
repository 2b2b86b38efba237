// SPDX-License-Identifier: Apache-2.0
#include "net/dispatch.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "net/dispatch_p.h"

enum { TRIES_MAX = 10 };

// After so long without an answer people want to know who is waited for.
static const int64_t waiting_time = 2 * NS_PER_SECOND;

// The least time that a last attempt to reach a server needs to be worth it.
static const int64_t reach_least = 100 * NS_PER_MS;

struct dispatch *dispatch_new(const struct dispatch_setup *setup) {
    struct dispatch *dispatch = memory_new(struct dispatch);
    dispatch->setup = *setup;
    if (dispatch->setup.most == 0) dispatch->setup.most = setup->concurrency;
    return dispatch;
}

static void list_free(struct dispatch *dispatch, struct dispatch_call *call) {
    while (call != NULL) {
        struct dispatch_call *next = call->next;
        if (call->handle != NULL) {
            dispatch->setup.transport->operations->cancel(dispatch->setup.transport, call->handle);
        }
        carrier_free(call->carries);
        free(call);
        call = next;
    }
}

void dispatch_free(struct dispatch *dispatch) {
    if (dispatch == NULL) return;
    while (dispatch->lanes != NULL) {
        struct lane *lane = dispatch->lanes;
        dispatch->lanes = lane->next;
        list_free(dispatch, lane->first);
        list_free(dispatch, lane->flying);
        free(lane->address);
        free(lane->name);
        free(lane->obstacle);
        budgets_free(lane->budgets);
        free(lane);
    }
    list_free(dispatch, dispatch->dry);
    free(dispatch);
}

static int64_t now_of(const struct dispatch *dispatch) {
    return clock_monotonic(dispatch->setup.clock);
}

static struct lane *lane_of(struct dispatch *dispatch, const struct server *server) {
    for (struct lane *lane = dispatch->lanes; lane != NULL; lane = lane->next) {
        if (lane->plain == server->plain && strcmp(lane->address, server->address) == 0) return lane;
    }
    struct lane *lane = memory_new(struct lane);
    lane->address = memory_strdup(server->address);
    lane->name = memory_strdup(server->name);
    lane->plain = server->plain;
    double rate = dispatch->setup.rate;
    if (server->rate > 0 && (rate <= 0 || server->rate < rate)) rate = server->rate;
    pacer_init(&lane->pacer, dispatch->setup.concurrency, rate);
    lane->next = dispatch->lanes;
    dispatch->lanes = lane;
    return lane;
}

// ---- the queue of a lane

// Whether `a` starts before `b`, if both may.
static bool comes_first(const struct dispatch_call *a, const struct dispatch_call *b) {
    return a->priority != b->priority ? a->priority < b->priority : a->number < b->number;
}

void queue_insert(struct lane *lane, struct dispatch_call *call) {
    struct dispatch_call *before = lane->last;
    while (before != NULL && comes_first(call, before)) before = before->previous;
    call->previous = before;
    call->next = before == NULL ? lane->first : before->next;
    *(call->next == NULL ? &lane->last : &call->next->previous) = call;
    *(before == NULL ? &lane->first : &before->next) = call;
}

void queue_remove(struct lane *lane, struct dispatch_call *call) {
    *(call->previous == NULL ? &lane->first : &call->previous->next) = call->next;
    *(call->next == NULL ? &lane->last : &call->next->previous) = call->previous;
    call->next = call->previous = NULL;
}

static void flying_add(struct lane *lane, struct dispatch_call *call) {
    call->previous = NULL;
    call->next = lane->flying;
    if (lane->flying != NULL) lane->flying->previous = call;
    lane->flying = call;
}

static void flying_remove(struct lane *lane, struct dispatch_call *call) {
    *(call->previous == NULL ? &lane->flying : &call->previous->next) = call->next;
    if (call->next != NULL) call->next->previous = call->previous;
    call->next = call->previous = NULL;
}

struct dispatch_call *dispatch_add(struct dispatch *dispatch, const struct call *call, int priority,
                                   transport_done *done, void *context) {
    struct dispatch_call *entry = memory_new(struct dispatch_call);
    *entry = (struct dispatch_call){
        .dispatch = dispatch, .call = call, .priority = priority, .done = done, .context = context};
    entry->number = dispatch->arrivals++;
    if (call->attempt > 0) {
        entry->not_before = now_of(dispatch) + retry_backoff(dispatch->setup.random, call->attempt);
    }
    if (dispatch->setup.dry_run && call->changes) {
        *(dispatch->dry == NULL ? &dispatch->dry : &dispatch->dry_last->next) = entry;
        dispatch->dry_last = entry;
        return entry;
    }
    entry->lane = lane_of(dispatch, call->server);
    queue_insert(entry->lane, entry);
    dispatch->numbers.queued++;
    return entry;
}

void dispatch_cancel(struct dispatch *dispatch, struct dispatch_call *call) {
    if (call->member_of != NULL) {
        group_drop(call);
        return;
    }
    if (call->lane == NULL) {
        struct dispatch_call *before = NULL;
        struct dispatch_call *at = dispatch->dry;
        for (; at != call; at = at->next) before = at;
        *(before == NULL ? &dispatch->dry : &before->next) = call->next;
        if (dispatch->dry_last == call) dispatch->dry_last = before;
    } else if (call->handle != NULL) {
        dispatch->setup.transport->operations->cancel(dispatch->setup.transport, call->handle);
        flying_remove(call->lane, call);
        call->lane->pacer.in_flight--;
        budget_ended(call->lane->budgets, call->call->method, NULL, now_of(dispatch));
        dispatch->numbers.in_flight--;
    } else {
        queue_remove(call->lane, call);
        dispatch->numbers.queued--;
    }
    free(call);
}

// ---- what became of a try

// The time that is left for reaching a server that has never answered.
static int64_t reach_left(const struct dispatch *dispatch, const struct lane *lane, int64_t now) {
    return lane->first_try + dispatch->setup.timeout - now;
}

static void call_again(struct dispatch *dispatch, struct dispatch_call *call, enum retry_kind kind,
                       const struct reply *reply, const struct dispatch_verdict *verdict, int64_t now) {
    struct lane *lane = call->lane;
    int64_t asked = retry_asked_delay(reply, clock_wall(dispatch->setup.clock));
    if (kind == RETRY_OVERLOAD) dispatch->numbers.refused++;
    if (verdict->rate > 0) {
        // The pace alone decides when it is tried again.
        pacer_learn_rate(&lane->pacer, verdict->rate, now);
        call->not_before = now;
    } else {
        // A server that does not answer in time has too much to do as well.
        bool slow = reply->outcome == REPLY_LOST && reply->timed_out;
        if (kind == RETRY_OVERLOAD || slow) pacer_overloaded(&lane->pacer, call->started, now);
        if (asked > 0) pacer_pause(&lane->pacer, now + asked);
        call->not_before = now + (asked > 0 ? asked : retry_backoff(dispatch->setup.random, call->tries));
    }
    int64_t last_chance = lane->first_try + dispatch->setup.timeout - reach_least;
    if (!lane->answered && call->not_before > last_chance) call->not_before = last_chance;
    dispatch->numbers.retries++;
    dispatch->numbers.queued++;
    queue_insert(lane, call);
}

static void call_trace_retry(const struct dispatch *dispatch, const struct dispatch_call *call,
                             const struct reply *reply) {
    if (!log_wants(dispatch->setup.log, LOG_DEBUG)) return;
    ERROR_AUTO error = {0};
    reply_error(reply, call->call, &error);
    char *text MEMORY_AUTO = memory_printf("try %u failed, trying again", call->tries);
    log_write(dispatch->setup.log, &(struct log_record){.level = LOG_DEBUG,
                                                        .message = text,
                                                        .server = call->call->server->name,
                                                        .method = call->call->method,
                                                        .error = &error});
}

static bool may_try_again(const struct dispatch *dispatch, const struct dispatch_call *call,
                          enum retry_kind kind, int64_t now) {
    if (kind == RETRY_NEVER) return false;
    // Those that it is made for are tried instead, each by itself.
    if (call->carries != NULL) return false;
    if (!call->lane->answered) return reach_left(dispatch, call->lane, now) > reach_least;
    return call->tries < TRIES_MAX;
}

// Keeps what stood in the way: the last try may end for lack of time.
static void note_obstacle(struct lane *lane, const struct reply *reply) {
    if (lane->answered || reply->timed_out || reply->message == NULL) return;
    free(lane->obstacle);
    lane->obstacle = memory_strdup(reply->message);
}

// Says that a server never answered, with what stood in the way at last.
static void tell_unreached(const struct dispatch *dispatch, const struct lane *lane, struct reply *reply) {
    char *words =
        memory_printf("no answer from %s within %g s%s%s", lane->name,
                      (double)dispatch->setup.timeout / (double)NS_PER_SECOND,
                      lane->obstacle != NULL ? ": " : "", lane->obstacle != NULL ? lane->obstacle : "");
    free(reply->message);
    reply->message = words;
    reply->unreached = true;
}

// That there is no such thing is an answer like others: a server has as much to do for it.
static bool is_served(const struct reply *reply, enum call_kind kind) {
    if (reply_ok(reply, kind)) return true;
    if (reply->outcome != REPLY_ANSWERED) return false;
    return kind == CALL_GRPC ? reply->grpc_status == GRPC_NOT_FOUND : reply->http_status == HTTP_NOT_FOUND;
}

static void call_done(void *context, struct reply *reply) {
    struct dispatch_call *call = context;
    struct dispatch *dispatch = call->dispatch;
    struct lane *lane = call->lane;
    int64_t now = now_of(dispatch);
    flying_remove(lane, call);
    call->handle = NULL;
    bool good = reply_ok(reply, call->call->kind);
    if (is_served(reply, call->call->kind))
        pacer_succeeded(&lane->pacer, call->started, now, lane->first != NULL);
    lane->pacer.in_flight--;
    dispatch->numbers.in_flight--;
    budget_ended(lane->budgets, call->call->method, reply, now);
    if (reply->outcome == REPLY_ANSWERED || reply->outcome == REPLY_MALFORMED) lane->answered = true;
    struct dispatch_verdict verdict = {0};
    if (!good && dispatch->setup.judge != NULL) {
        dispatch->setup.judge(dispatch->setup.judge_context, call->call, reply, &verdict);
    }
    enum retry_kind kind = retry_kind_of(call->call, reply, &verdict);
    note_obstacle(lane, reply);
    if (may_try_again(dispatch, call, kind, now)) {
        call_trace_retry(dispatch, call, reply);
        call_again(dispatch, call, kind, reply, &verdict, now);
        return;
    }
    lane->waiting_since = now;
    if (kind != RETRY_NEVER && !lane->answered) tell_unreached(dispatch, lane, reply);
    transport_done *done = call->done;
    void *done_context = call->context;
    free(call);
    done(done_context, reply);
}

// ---- the loop

static void call_start(struct dispatch *dispatch, struct dispatch_call *call, int64_t now) {
    struct lane *lane = call->lane;
    queue_remove(lane, call);
    if (lane->flying == NULL && call->tries == 0) lane->waiting_since = now;
    flying_add(lane, call);
    if (lane->first_try == 0) lane->first_try = now;
    int64_t timeout = dispatch->setup.timeout;
    int64_t left = reach_left(dispatch, lane, now);
    if (!lane->answered && left < timeout) timeout = left > NS_PER_MS ? left : NS_PER_MS;
    call->tries++;
    call->started = now;
    pacer_started(&lane->pacer, now);
    budget_started(&lane->budgets, call->call->method, now);
    dispatch->numbers.queued--;
    dispatch->numbers.in_flight++;
    dispatch->numbers.calls++;
    call->handle = dispatch->setup.transport->operations->start(dispatch->setup.transport, call->call,
                                                                timeout, call_done, call);
}

static int64_t sooner(int64_t a, int64_t b) {
    if (a < 0) return b;
    return b < 0 || a < b ? a : b;
}

// The call of a lane that may start now, or NULL. *wait becomes the ns until one may, if that is sooner.
static struct dispatch_call *lane_next(const struct lane *lane, int64_t now, int64_t *wait) {
    if (lane->first == NULL) return NULL;
    int64_t delay = pacer_delay(&lane->pacer, now);
    if (delay != 0) {
        *wait = sooner(*wait, delay);
        return NULL;
    }
    for (struct dispatch_call *call = lane->first; call != NULL; call = call->next) {
        int64_t delay_of_method = budget_delay(lane->budgets, call->call->method, now);
        if (delay_of_method < 0) continue;
        int64_t start = now + delay_of_method > call->not_before ? now + delay_of_method : call->not_before;
        if (start <= now) return call;
        *wait = sooner(*wait, start - now);
    }
    return NULL;
}

// Starts what may start. Returns ns until the next one may, negative: when something ends.
static int64_t start_all(struct dispatch *dispatch) {
    int64_t now = now_of(dispatch);
    while (dispatch->numbers.in_flight < dispatch->setup.most) {
        int64_t wait = -1;
        struct dispatch_call *best = NULL;
        for (struct lane *lane = dispatch->lanes; lane != NULL; lane = lane->next) {
            struct dispatch_call *call = lane_next(lane, now, &wait);
            if (call != NULL && (best == NULL || comes_first(call, best))) best = call;
        }
        if (best == NULL) return wait;
        call_start(dispatch, group_gather(best, now), now);
    }
    return -1;
}

static bool tell_dry(struct dispatch *dispatch) {
    bool told = false;
    uint64_t end = dispatch->arrivals;  // those that come in meanwhile are for the next time
    while (dispatch->dry != NULL && dispatch->dry->number < end) {
        struct dispatch_call *call = dispatch->dry;
        dispatch->dry = call->next;
        struct reply reply = {.outcome = REPLY_DRY};
        call->done(call->context, &reply);
        reply_release(&reply);
        free(call);
        told = true;
    }
    return told;
}

int dispatch_wait(struct dispatch *dispatch, int64_t timeout, struct error *error) {
    if (tell_dry(dispatch)) timeout = 0;
    int64_t wait = start_all(dispatch);
    int result =
        dispatch->setup.transport->operations->wait(dispatch->setup.transport, sooner(wait, timeout), error);
    start_all(dispatch);
    return result;
}

// Whether the server lets us wait; not if it is only we who keep to a pace.
static bool lane_waits(const struct lane *lane, int64_t now) {
    bool held = lane->first != NULL && (lane->first->tries > 0 || lane->pacer.paused_until > now);
    return (lane->flying != NULL || held) && now - lane->waiting_since > waiting_time;
}

void dispatch_numbers(const struct dispatch *dispatch, struct dispatch_numbers *numbers) {
    *numbers = dispatch->numbers;
    numbers->concurrency = dispatch->setup.concurrency;
    int64_t now = now_of(dispatch);
    for (const struct lane *lane = dispatch->lanes; lane != NULL; lane = lane->next) {
        if ((unsigned)lane->pacer.limit < numbers->concurrency)
            numbers->concurrency = (unsigned)lane->pacer.limit;
        if (lane_waits(lane, now)) numbers->waiting_for = lane->name;
    }
}
