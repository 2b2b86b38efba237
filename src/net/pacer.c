// SPDX-License-Identifier: Apache-2.0
#include "net/dispatch_p.h"

// A server that counts calls in buckets gives the next bucket within this time.
static const int64_t bucket_time = NS_PER_SECOND;

// Timers are no more exact than this.
static const int64_t lateness_least = 5 * NS_PER_MS;

void pacer_init(struct pacer *pacer, unsigned most, double rate) {
    *pacer = (struct pacer){.rate = rate};
    search_init(&pacer->search, most);
    pacer->limit = rate > 0 ? most : pacer->search.level;
}

int64_t pacer_delay(const struct pacer *pacer, int64_t now) {
    if (pacer->in_flight >= (unsigned)pacer->limit) return -1;
    int64_t start = pacer->paused_until;
    if (pacer->rate > 0 && pacer->next_start > start) start = pacer->next_start;
    return start > now ? start - now : 0;
}

void pacer_started(struct pacer *pacer, int64_t now) {
    pacer->in_flight++;
    if (pacer->rate <= 0) return;
    int64_t interval = (int64_t)((double)NS_PER_SECOND / pacer->rate);
    // A call that starts a little late does not put off those behind it.
    int64_t lateness = interval / 2 > lateness_least ? interval / 2 : lateness_least;
    if (pacer->next_start < now - lateness) pacer->next_start = now - lateness;
    pacer->next_start += interval;
}

void pacer_succeeded(struct pacer *pacer, int64_t started, int64_t now, bool waiting) {
    struct search *search = &pacer->search;
    // With a known rate, or after an overload, it is not the server's speed that counts.
    if (pacer->rate <= 0 && pacer->limit >= search->level) {
        search_note(search, started, now, pacer->in_flight, waiting);
        pacer->limit = search->level;
        return;
    }
    double most = pacer->rate > 0 ? search->most : search->level;
    pacer->limit += 1 / pacer->limit;
    if (pacer->limit > most) pacer->limit = most;
}

void pacer_overloaded(struct pacer *pacer, int64_t started, int64_t now) {
    if (started < pacer->last_cut) return;
    pacer->last_cut = now;
    pacer->limit = pacer->limit / 2 < 1 ? 1 : pacer->limit / 2;
}

void pacer_learn_rate(struct pacer *pacer, double rate, int64_t now) {
    if (pacer->rate <= 0 || rate < pacer->rate) pacer->rate = rate;
    pacer_pause(pacer, now + bucket_time);
    if (pacer->next_start < pacer->paused_until) pacer->next_start = pacer->paused_until;
}

void pacer_pause(struct pacer *pacer, int64_t until) {
    if (until > pacer->paused_until) pacer->paused_until = until;
}
