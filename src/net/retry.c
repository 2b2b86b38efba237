// SPDX-License-Identifier: Apache-2.0
#include <curl/curl.h>
#include <stdlib.h>

#include "net/dispatch_p.h"

static const int64_t backoff_first = 100 * NS_PER_MS;
static const int64_t backoff_most = 10 * NS_PER_SECOND;
static const int64_t asked_most = 60 * NS_PER_SECOND;

static enum retry_kind kind_of_answer(const struct call *call, const struct reply *reply) {
    if (reply_ok(reply, call->kind)) return RETRY_NEVER;
    // Refused before anything was done: also a change may be made again.
    if (reply_refused(reply, call->kind)) return RETRY_OVERLOAD;
    if (call->changes) return RETRY_NEVER;
    if (call->kind == CALL_HTTP) {
        bool passing = reply->http_status == HTTP_BAD_GATEWAY || reply->http_status == HTTP_UNAVAILABLE ||
                       reply->http_status == HTTP_GATEWAY_TIMEOUT;
        return passing ? RETRY_OVERLOAD : RETRY_NEVER;
    }
    switch (reply->grpc_status) {
        case GRPC_UNAVAILABLE:
        case GRPC_DEADLINE_EXCEEDED:
            return RETRY_OVERLOAD;
        case GRPC_ABORTED:    // a conflict of transactions
        case GRPC_CANCELLED:  // not by us: the server stops
            return RETRY_LATER;
        default:
            return RETRY_NEVER;
    }
}

enum retry_kind retry_kind_of(const struct call *call, const struct reply *reply,
                              const struct dispatch_verdict *verdict) {
    switch (reply->outcome) {
        case REPLY_NOT_SENT:
            return RETRY_LATER;
        case REPLY_LOST:
            return call->changes ? RETRY_NEVER : RETRY_LATER;
        case REPLY_ANSWERED:
            return verdict->retry ? RETRY_OVERLOAD : kind_of_answer(call, reply);
        default:
            return RETRY_NEVER;
    }
}

// Seconds as a decimal, or a date (RFC 9110). Negative if the text is neither.
static double seconds_of(const char *text, int64_t wall_now) {
    char *end = NULL;
    double seconds = strtod(text, &end);
    if (end != text && *end == '\0') return seconds;
    time_t date = curl_getdate(text, NULL);
    return date < 0 ? -1 : (double)date - (double)(wall_now / NS_PER_SECOND);
}

int64_t retry_asked_delay(const struct reply *reply, int64_t wall_now) {
    const char *text = reply_header(reply, "retry-after");
    if (text == NULL) text = reply_header(reply, "x-rate-limit-retry");
    if (text == NULL) return 0;
    double seconds = seconds_of(text, wall_now);
    if (!(seconds > 0)) return 0;
    double most = (double)(asked_most / NS_PER_SECOND);
    return seconds > most ? asked_most : (int64_t)(seconds * (double)NS_PER_SECOND);
}

int64_t retry_backoff(const struct random *random, unsigned tries) {
    int64_t most = backoff_first;
    for (unsigned i = 1; i < tries && most < backoff_most; i++) most *= 2;
    if (most > backoff_most) most = backoff_most;
    return (int64_t)random_below(random, (uint64_t)most + 1);
}
