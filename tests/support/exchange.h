// SPDX-License-Identifier: Apache-2.0
// Calls through the libcurl transport, one or several at once, with their replies kept.
#ifndef TESTS_EXCHANGE_H
#define TESTS_EXCHANGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "net/curl_transport.h"
#include "support/scripted_server.h"

enum { REPLIES_MAX = 256 };

struct client {
    struct transport *transport;
    struct reply replies[REPLIES_MAX];  // in the order in which they came
    size_t done;
};

static void client_open(struct client *client) {
    ERROR_AUTO error = {0};
    *client = (struct client){0};
    client->transport = curl_transport_new(&(struct curl_transport_setup){.wake_fd = -1}, &error);
    assert_non_null(client->transport);
}

static void client_close(struct client *client) {
    client->transport->operations->free(client->transport);
    for (size_t i = 0; i < client->done; i++) reply_release(&client->replies[i]);
}

static void client_done(void *context, struct reply *reply) {
    struct client *client = context;
    assert_true(client->done < REPLIES_MAX);
    client->replies[client->done++] = *reply;
    *reply = (struct reply){0};
}

static void *client_start(struct client *client, const struct call *call, int64_t timeout) {
    return client->transport->operations->start(client->transport, call, timeout, client_done, client);
}

static void client_wait(struct client *client, size_t count) {
    ERROR_AUTO error = {0};
    int64_t end = clock_monotonic(&clock_system) + 8 * NS_PER_SECOND;
    while (client->done < count && clock_monotonic(&clock_system) < end) {
        assert_int_equal(client->transport->operations->wait(client->transport, NS_PER_SECOND, &error), 0);
    }
    assert_int_equal(client->done, count);
}

// Makes one call and waits for its reply, which stays the client's.
static const struct reply *client_call(struct client *client, const struct call *call, int64_t timeout) {
    client_start(client, call, timeout);
    client_wait(client, client->done + 1);
    return &client->replies[client->done - 1];
}

#endif
