// SPDX-License-Identifier: Apache-2.0
// Calls that wait for their turn at a busy server and can be asked as one. The one that is made for them lives as any call does; they
// wait meanwhile beside the queue, each with its own owner, who may forget it at any time.
#include <stdlib.h>

#include "base/arena.h"
#include "base/memory.h"
#include "net/dispatch_p.h"

enum { MEMBERS_MOST = 64 };

struct carrier {
    struct dispatch_call *call;  // that is made for them; NULL once it has been answered
    struct lane *lane;
    struct call joined;
    struct arena arena;                           // of what `joined` points to
    struct dispatch_call *members[MEMBERS_MOST];  // owned; NULL = forgotten
    size_t count;
};

void carrier_free(struct carrier *carrier) {
    if (carrier == NULL) return;
    for (size_t i = 0; i < carrier->count; i++) free(carrier->members[i]);
    arena_release(&carrier->arena);
    free(carrier);
}

// ---- answers

// The members that are left, in the same order, and their calls.
static void keep_those_left(struct carrier *carrier, const struct call *ret_calls[]) {
    size_t left = 0;
    for (size_t i = 0; i < carrier->count; i++) {
        if (carrier->members[i] == NULL) continue;
        ret_calls[left] = carrier->members[i]->call;
        carrier->members[left++] = carrier->members[i];
    }
    carrier->count = left;
}

static void make_alone(struct dispatch_call *member) {
    member->member_of = NULL;
    member->alone = true;
    member->dispatch->numbers.queued++;
    queue_insert(member->lane, member);
}

// Those that were told nothing go back first: whoever is told something may forget others.
static void requeue_untold(struct carrier *carrier, const bool told[]) {
    for (size_t i = 0; i < carrier->count; i++) {
        if (told[i]) continue;
        make_alone(carrier->members[i]);
        carrier->members[i] = NULL;
    }
}

static void tell(struct carrier *carrier, struct reply replies[]) {
    for (size_t i = 0; i < carrier->count; i++) {
        struct dispatch_call *member = carrier->members[i];
        carrier->members[i] = NULL;
        if (member != NULL) {
            transport_done *done = member->done;
            void *context = member->context;
            free(member);
            done(context, &replies[i]);
        }
        reply_release(&replies[i]);
    }
}

static void group_done(void *context, struct reply *reply) {
    struct carrier *carrier = context;
    const struct call *calls[MEMBERS_MOST];
    struct reply replies[MEMBERS_MOST] = {0};
    bool told[MEMBERS_MOST] = {0};
    carrier->call = NULL;
    keep_those_left(carrier, calls);
    bool any = false;
    if (reply_ok(reply, carrier->joined.kind))
        carrier->joined.group->split(calls, carrier->count, reply, replies, told);
    for (size_t i = 0; i < carrier->count; i++) any = any || told[i];
    // A server that cannot, or that leaves everything open, is not asked so again.
    if (!any) carrier->lane->ungrouped = true;
    requeue_untold(carrier, told);
    tell(carrier, replies);
    carrier_free(carrier);
}

// ---- putting together

static bool may_join(const struct dispatch_call *call, int64_t now) {
    return !call->alone && call->tries == 0 && call->not_before <= now && !call->call->changes;
}

static bool fits_all(const struct dispatch_call *call, struct dispatch_call *const members[], size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (!call->call->group->fit(members[i]->call, call->call)) return false;
    }
    return true;
}

// Those of the lane that can be asked together with the first of them, itself included.
static size_t find_members(struct dispatch_call *first, int64_t now, struct dispatch_call *ret_members[]) {
    const struct call_group *group = first->call->group;
    size_t most = group->most < MEMBERS_MOST ? group->most : MEMBERS_MOST;
    size_t count = 0;
    ret_members[count++] = first;
    for (struct dispatch_call *call = first->next; call != NULL && count < most; call = call->next) {
        if (call->call->group == group && may_join(call, now) && fits_all(call, ret_members, count))
            ret_members[count++] = call;
    }
    return count;
}

struct dispatch_call *group_gather(struct dispatch_call *first, int64_t now) {
    struct lane *lane = first->lane;
    const struct call_group *group = first->call->group;
    if (group == NULL || lane->ungrouped || !may_join(first, now)) return first;
    if (budget_delay(lane->budgets, group->method, now) != 0) return first;
    struct dispatch_call *members[MEMBERS_MOST];
    size_t count = find_members(first, now, members);
    if (count < 2) return first;

    struct carrier *carrier = memory_new(struct carrier);
    carrier->lane = lane;
    const struct call *calls[MEMBERS_MOST];
    for (size_t i = 0; i < count; i++) {
        queue_remove(lane, members[i]);
        members[i]->member_of = carrier;
        carrier->members[i] = members[i];
        calls[i] = members[i]->call;
    }
    carrier->count = count;
    group->join(calls, count, &carrier->arena, &carrier->joined);
    carrier->joined.method = group->method;
    carrier->joined.group = group;
    carrier->call = memory_new(struct dispatch_call);
    *carrier->call = (struct dispatch_call){.dispatch = first->dispatch,
                                            .lane = lane,
                                            .call = &carrier->joined,
                                            .priority = first->priority,
                                            .number = first->number,
                                            .done = group_done,
                                            .context = carrier,
                                            .alone = true,
                                            .carries = carrier};
    first->dispatch->numbers.queued -= count - 1;
    queue_insert(lane, carrier->call);
    return carrier->call;
}

void group_drop(struct dispatch_call *call) {
    struct carrier *carrier = call->member_of;
    bool any = false;
    for (size_t i = 0; i < carrier->count; i++) {
        if (carrier->members[i] == call) carrier->members[i] = NULL;
        any = any || carrier->members[i] != NULL;
    }
    free(call);
    if (any || carrier->call == NULL) return;
    dispatch_cancel(carrier->call->dispatch, carrier->call);
    carrier_free(carrier);
}
