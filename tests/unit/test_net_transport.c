// SPDX-License-Identifier: Apache-2.0
// gRPC over the real transport against a server on the loopback that writes HTTP/2 by hand: right answers, wrong
// answers, half answers, no answers, lost connections.
#include "test_net_server.h"

// ---- one call, one script

static void ask_once(peer_script *script, bool changes, size_t limit, int64_t timeout, struct asked *asked,
                     unsigned *requests) {
    struct fake_server *fake = fake_server_new(script, NULL, 0);
    struct server server = plain_server(fake);
    struct client *client = client_new(-1);
    asked->call.changes = changes;
    asked->call.reply_limit = limit;
    ask_grpc(client, asked, &server, "abc", timeout);
    client_wait(client, asked, 1);
    client_free(client);
    if (requests != NULL) *requests = fake->requests;
    fake_server_free(fake);
}

static void expect(peer_script *script, enum reply_outcome outcome, const char *words) {
    struct asked asked = {0};
    ask_once(script, false, 1000, LONG_TIME, &asked, NULL);
    assert_int_equal(asked.reply.outcome, outcome);
    if (words != NULL) {
        assert_non_null(asked.reply.message);
        if (strstr(asked.reply.message, words) == NULL) assert_string_equal(asked.reply.message, words);
    }
    asked_release(&asked, 1);
}

static void test_answer(void **state) {
    (void)state;
    struct asked asked = {0};
    ask_once(serve_echo, false, 0, LONG_TIME, &asked, NULL);
    assert_true(reply_ok(&asked.reply, CALL_GRPC));
    assert_int_equal(asked.reply.http_status, 200);
    assert_string_equal(buffer_string(&asked.reply.body), "abc");
    assert_string_equal(reply_header(&asked.reply, "grpc-status"), "0");
    asked_release(&asked, 1);
}

static void serve_error(struct peer *peer) {
    if (!h2_open(peer, 0, 0)) return;
    unsigned stream = h2_request(peer);
    h2_headers(peer, stream, FLAG_END_STREAM,
               H2_TEXTS(":status", "200", "content-type", "application/grpc", "grpc-status", "5",
                        "grpc-message", "caf%C3%A9 not found"));
    peer_stay(peer);
}

static void test_error_without_body(void **state) {
    (void)state;
    struct asked asked = {0};
    ask_once(serve_error, false, 0, LONG_TIME, &asked, NULL);
    assert_int_equal(asked.reply.outcome, REPLY_ANSWERED);
    assert_int_equal(asked.reply.grpc_status, GRPC_NOT_FOUND);
    ERROR_AUTO error = {0};
    asked.call.server = &(const struct server){.name = "Handler"};
    assert_int_equal(reply_error(&asked.reply, &asked.call, &error), -ERROR_NOT_FOUND);
    assert_string_equal(error.message, "Handler: /test.Service/Method: not found (5): café not found");
    asked_release(&asked, 1);
}

// ---- answers that are none

// Answers with OK and a body of `size` bytes.
static void serve_body(struct peer *peer, const void *body, size_t size) {
    if (!h2_open(peer, 0, 0)) return;
    unsigned stream = h2_request(peer);
    h2_begin(peer, stream);
    h2_frame(peer, FRAME_DATA, 0, stream, body, size);
    h2_end(peer, stream, "0", "");
    peer_stay(peer);
}

static void serve_compressed(struct peer *peer) {
    serve_body(peer, "\1\0\0\0\1x", 6);
}

static void serve_unknown_flag(struct peer *peer) {
    serve_body(peer, "\2\0\0\0\1x", 6);
}

static void serve_several(struct peer *peer) {
    serve_body(peer, "\0\0\0\0\1x\0\0\0\0\1y", 12);
}

static void serve_short(struct peer *peer) {
    serve_body(peer, "\0\0\0\0\3x", 6);
}

static void serve_half_prefix(struct peer *peer) {
    serve_body(peer, "\0\0\0", 3);
}

static void serve_missing(struct peer *peer) {
    serve_body(peer, "", 0);
}

static void serve_too_large(struct peer *peer) {
    serve_body(peer, "\0\377\377\377\377x", 6);
}

static void serve_limit(struct peer *peer) {
    uint8_t body[5 + 1000] = {0, 0, 0, 1000 >> 8, 1000 & 255};
    serve_body(peer, body, sizeof body);
}

static void test_messages(void **state) {
    (void)state;
    expect(serve_compressed, REPLY_MALFORMED, "compressed");
    expect(serve_unknown_flag, REPLY_MALFORMED, "not a gRPC message");
    expect(serve_several, REPLY_MALFORMED, "more than one message");
    expect(serve_short, REPLY_MALFORMED, "ends within its message");
    expect(serve_half_prefix, REPLY_MALFORMED, "ends within its message");
    expect(serve_missing, REPLY_MALFORMED, "holds no message");
    expect(serve_too_large, REPLY_MALFORMED, "larger than allowed");
    expect(serve_limit, REPLY_ANSWERED, NULL);
}

static void serve_no_trailers(struct peer *peer) {
    if (!h2_open(peer, 0, 0)) return;
    unsigned stream = h2_request(peer);
    h2_begin(peer, stream);
    h2_frame(peer, FRAME_DATA, FLAG_END_STREAM, stream, "\0\0\0\0\1x", 6);
    peer_stay(peer);
}

static void serve_status(struct peer *peer, const char *status) {
    if (!h2_open(peer, 0, 0)) return;
    unsigned stream = h2_request(peer);
    h2_begin(peer, stream);
    h2_end(peer, stream, status, "");
    peer_stay(peer);
}

static void serve_status_nonsense(struct peer *peer) {
    serve_status(peer, "fine");
}

static void serve_status_unknown(struct peer *peer) {
    serve_status(peer, "99");
}

static void serve_page(struct peer *peer, const char *status) {
    if (!h2_open(peer, 0, 0)) return;
    unsigned stream = h2_request(peer);
    h2_headers(peer, stream, 0, H2_TEXTS(":status", status, "content-type", "text/html"));
    h2_frame(peer, FRAME_DATA, FLAG_END_STREAM, stream, "<html>", 6);
    peer_stay(peer);
}

static void serve_page_200(struct peer *peer) {
    serve_page(peer, "200");
}

static void serve_page_404(struct peer *peer) {
    serve_page(peer, "404");
}

static void serve_page_503(struct peer *peer) {
    serve_page(peer, "503");
}

static void serve_header_flood(struct peer *peer) {
    if (!h2_open(peer, 0, 0)) return;
    unsigned stream = h2_request(peer);
    h2_begin(peer, stream);
    const char *texts[2 * 300 + 1] = {NULL};
    for (size_t i = 0; i < 600; i++) texts[i] = "x";
    h2_headers(peer, stream, FLAG_END_STREAM, texts);
    peer_stay(peer);
}

static void serve_garbage(struct peer *peer) {
    if (!h2_open(peer, 0, 0)) return;
    h2_request(peer);
    for (int i = 0; i < 4; i++) peer_puts(peer, "\1\2\3\4 what is this? \377\377\377\377");
    peer_stay(peer);
}

static void serve_truncated_frame(struct peer *peer) {
    if (!h2_open(peer, 0, 0)) return;
    unsigned stream = h2_request(peer);
    h2_begin(peer, stream);
    peer_write(peer, "\0\0\6\0\0\0\0\0\1\0\0", 11);
}

static void serve_http1(struct peer *peer) {
    if (!peer_need(peer, 24)) return;
    peer_puts(peer, "HTTP/1.1 400 Bad Request\r\ncontent-length: 3\r\n\r\nno\n");
    peer_stay(peer);
}

static void test_strangers(void **state) {
    (void)state;
    expect(serve_no_trailers, REPLY_LOST, "ends without a status");
    expect(serve_status_nonsense, REPLY_MALFORMED, "status in the answer is no number");
    expect(serve_page_200, REPLY_MALFORMED, "no gRPC server (content-type text/html)");
    expect(serve_page_404, REPLY_MALFORMED, "no gRPC server (HTTP 404)");
    expect(serve_header_flood, REPLY_MALFORMED, "too many headers");
    expect(serve_http1, REPLY_LOST, "perhaps it expects TLS, or is no gRPC server");
    struct asked asked = {0};
    ask_once(serve_page_503, false, 0, LONG_TIME, &asked, NULL);
    assert_int_equal(asked.reply.outcome, REPLY_ANSWERED);
    assert_int_equal(asked.reply.grpc_status, GRPC_UNAVAILABLE);
    asked_release(&asked, 1);
    ask_once(serve_status_unknown, false, 0, LONG_TIME, &asked, NULL);
    assert_int_equal(asked.reply.outcome, REPLY_ANSWERED);
    assert_int_equal(asked.reply.grpc_status, GRPC_UNKNOWN);
    asked_release(&asked, 1);
    ask_once(serve_garbage, true, 0, LONG_TIME, &asked, NULL);
    assert_true(asked.reply.outcome == REPLY_MALFORMED || asked.reply.outcome == REPLY_LOST);
    asked_release(&asked, 1);
    expect(serve_truncated_frame, REPLY_LOST, "connection was lost");
}

// ---- connections that end

static void serve_silence(struct peer *peer) {
    if (!h2_open(peer, 0, 0)) return;
    while (h2_request(peer) != 0) continue;
}

static void serve_nothing(struct peer *peer) {
    peer_stay(peer);
}

static void serve_reset(struct peer *peer) {
    if (h2_open(peer, 0, 0) && h2_request(peer) != 0) peer_reset(peer);
}

static void serve_close(struct peer *peer) {
    if (h2_open(peer, 0, 0) && h2_request(peer) != 0) peer_close(peer);
}

static void test_silence(void **state) {
    (void)state;
    peer_script *const scripts[] = {serve_silence, serve_nothing};
    for (size_t i = 0; i < 2; i++) {
        struct asked asked = {0};
        int64_t start = clock_monotonic(&clock_system);
        ask_once(scripts[i], false, 0, 300 * NS_PER_MS, &asked, NULL);
        int64_t time = clock_monotonic(&clock_system) - start;
        assert_int_equal(asked.reply.outcome, REPLY_LOST);
        assert_true(asked.reply.timed_out);
        assert_string_equal(asked.reply.message, "no answer within 0.3 s");
        assert_true(time >= 300 * NS_PER_MS && time < 5 * NS_PER_SECOND);
        asked_release(&asked, 1);
    }
}

static void test_lost(void **state) {
    (void)state;
    peer_script *const scripts[] = {serve_reset, serve_close};
    for (size_t i = 0; i < 2; i++) {
        struct asked asked = {0};
        unsigned requests = 0;
        ask_once(scripts[i], true, 0, LONG_TIME, &asked, &requests);
        assert_int_equal(asked.reply.outcome, REPLY_LOST);
        assert_false(asked.reply.timed_out);
        assert_int_equal(requests, 1);
        asked_release(&asked, 1);
    }
}

static void send_code(struct peer *peer, unsigned type, unsigned stream, unsigned last, uint8_t error) {
    uint8_t goaway[8] = {0, 0, 0, (uint8_t)last, 0, 0, 0, error};
    if (type == FRAME_GOAWAY) h2_frame(peer, type, 0, 0, goaway, 8);
    if (type == FRAME_RST_STREAM) h2_frame(peer, type, 0, stream, goaway + 4, 4);
}

// The first connection refuses, by RST_STREAM or GOAWAY; later ones answer.
static void serve_refused_stream(struct peer *peer) {
    if (peer->number > 0) {
        serve_echo(peer);
        return;
    }
    if (!h2_open(peer, 0, 0)) return;
    send_code(peer, FRAME_RST_STREAM, h2_request(peer), 0, 7);
    unsigned stream = h2_request(peer);
    if (stream != 0) h2_echo(peer, stream);
    peer_stay(peer);
}

static void serve_goaway(struct peer *peer) {
    if (peer->number > 0) {
        serve_echo(peer);
        return;
    }
    if (!h2_open(peer, 0, 0) || h2_request(peer) == 0) return;
    send_code(peer, FRAME_GOAWAY, 0, 0, 0);
}

static void serve_cancel(struct peer *peer) {
    if (!h2_open(peer, 0, 0)) return;
    send_code(peer, FRAME_RST_STREAM, h2_request(peer), 0, 8);
    peer_stay(peer);
}

static void test_refused_stream(void **state) {
    (void)state;
    peer_script *const scripts[] = {serve_refused_stream, serve_goaway};
    for (size_t i = 0; i < 2; i++) {
        struct asked asked = {0};
        ask_once(scripts[i], false, 0, LONG_TIME, &asked, NULL);
        // libcurl tries it again on its own, or it is told that nothing, or anything, may have happened.
        bool again = reply_ok(&asked.reply, CALL_GRPC);
        assert_true(again || asked.reply.outcome == REPLY_LOST || asked.reply.outcome == REPLY_NOT_SENT);
        asked_release(&asked, 1);
        unsigned requests = 0;
        ask_once(scripts[i], true, 0, LONG_TIME, &asked, &requests);
        assert_int_equal(requests, 1);
        assert_true(asked.reply.outcome == REPLY_LOST || asked.reply.outcome == REPLY_NOT_SENT);
        asked_release(&asked, 1);
    }
    expect(serve_cancel, REPLY_LOST, "lost");
}

static void test_lost_between_calls(void **state) {
    (void)state;
    struct fake_server *fake = fake_server_new(serve_one_answer, NULL, 0);
    struct server server = plain_server(fake);
    struct client *client = client_new(-1);
    for (int i = 0; i < 5; i++) {
        struct asked asked = {.call.changes = true};
        ask_grpc(client, &asked, &server, "x", LONG_TIME);
        client_wait(client, &asked, 1);
        assert_true(reply_ok(&asked.reply, CALL_GRPC));
        asked_release(&asked, 1);
        atomic_fetch_add(&fake->told, 1);
        while (fake->closed < fake->told) usleep(1000);
    }
    assert_int_equal(fake->requests, 5);
    client_free(client);
    fake_server_free(fake);
}

// Closes with all calls under way; the next connection answers.
static void serve_lost_with_many(struct peer *peer) {
    if (peer->number > 0) {
        serve_echo(peer);
        return;
    }
    if (!h2_open(peer, 0, 0)) return;
    for (unsigned i = 0; i < peer->server->value; i++) h2_request(peer);
}

enum { MANY = 32 };

static void test_lost_with_many(void **state) {
    (void)state;
    struct fake_server *fake = fake_server_new(serve_lost_with_many, NULL, MANY);
    struct server server = plain_server(fake);
    struct client *client = client_new(-1);
    struct asked asked[MANY] = {0};
    for (size_t i = 0; i < MANY; i++) {
        asked[i].call.changes = true;
        ask_grpc(client, &asked[i], &server, "x", LONG_TIME);
    }
    client_wait(client, asked, MANY);
    for (size_t i = 0; i < MANY; i++) assert_int_equal(asked[i].reply.outcome, REPLY_LOST);
    assert_int_equal(fake->requests, MANY);
    assert_int_equal(fake->connections, 1);
    asked_release(asked, MANY);
    // All of them find the connection gone, and share a new one.
    for (size_t i = 0; i < MANY; i++) ask_grpc(client, &asked[i], &server, "y", LONG_TIME);
    client_wait(client, asked, MANY);
    for (size_t i = 0; i < MANY; i++) assert_true(reply_ok(&asked[i].reply, CALL_GRPC));
    asked_release(asked, MANY);
    assert_int_equal(fake->requests, 2 * MANY);
    client_free(client);
    fake_server_free(fake);
}

// ---- many servers

// One call at a time, now to this server, now to that one: each keeps its connection.
static void test_servers_in_turn(void **state) {
    (void)state;
    enum { SERVERS = 12, ROUNDS = 3 };
    struct fake_server *fakes[SERVERS];
    struct server servers[SERVERS];
    struct client *client = client_new(-1);
    for (size_t i = 0; i < SERVERS; i++) {
        fakes[i] = fake_server_new(serve_echo, NULL, 0);
        servers[i] = plain_server(fakes[i]);
    }
    for (size_t i = 0; i < (size_t)SERVERS * ROUNDS; i++) {
        struct asked asked = {0};
        ask_grpc(client, &asked, &servers[i % SERVERS], "x", LONG_TIME);
        client_wait(client, &asked, 1);
        assert_true(reply_ok(&asked.reply, CALL_GRPC));
        asked_release(&asked, 1);
    }
    for (size_t i = 0; i < SERVERS; i++) assert_int_equal(fakes[i]->connections, 1);
    client_free(client);
    for (size_t i = 0; i < SERVERS; i++) fake_server_free(fakes[i]);
}

// ---- many calls, large answers

static void serve_two_streams(struct peer *peer) {
    if (!h2_open(peer, 3, 2)) return;  // SETTINGS_MAX_CONCURRENT_STREAMS
    for (unsigned stream = h2_request(peer); stream != 0; stream = h2_request(peer)) h2_echo(peer, stream);
}

static void ask_many(peer_script *script, size_t count, unsigned connections_most) {
    struct fake_server *fake = fake_server_new(script, NULL, 0);
    struct server server = plain_server(fake);
    struct client *client = client_new(-1);
    client->log.least = LOG_ERROR;
    struct asked *asked = memory_new_array(struct asked, count);
    for (size_t i = 0; i < count; i++) ask_grpc(client, &asked[i], &server, "x", LONG_TIME);
    client_wait(client, asked, count);
    for (size_t i = 0; i < count; i++) assert_true(reply_ok(&asked[i].reply, CALL_GRPC));
    assert_true(fake->connections <= connections_most);
    asked_release(asked, count);
    free(asked);
    client_free(client);
    fake_server_free(fake);
}

static void test_many(void **state) {
    (void)state;
    ask_many(serve_echo, 64, 1);
    // More than libcurl's first guess of a server's limit, 100: whether one connection is enough depends on how
    // soon the server's settings come in.
    ask_many(serve_echo, 1000, PEERS_MAX);
    ask_many(serve_two_streams, 16, PEERS_MAX);
}

enum { LARGE = 20 * 1000 * 1000 };

static void serve_large(struct peer *peer) {
    static const uint8_t zeros[16384];
    const uint8_t prefix[5] = {0, LARGE >> 24, LARGE >> 16 & 255, LARGE >> 8 & 255, LARGE & 255};
    if (!h2_open(peer, 0, 0)) return;
    unsigned stream = h2_request(peer);
    h2_begin(peer, stream);
    h2_frame(peer, FRAME_DATA, 0, stream, prefix, sizeof prefix);
    for (size_t left = LARGE; left > 0;) {
        size_t part = left < sizeof zeros ? left : sizeof zeros;
        h2_frame(peer, FRAME_DATA, 0, stream, zeros, part);
        left -= part;
    }
    h2_end(peer, stream, "0", "");
    peer_stay(peer);
}

static void test_large(void **state) {
    (void)state;
    struct asked asked = {0};
    ask_once(serve_large, false, 0, LONG_TIME, &asked, NULL);
    assert_true(reply_ok(&asked.reply, CALL_GRPC));
    assert_int_equal(asked.reply.body.size, LARGE);
    asked_release(&asked, 1);
}

// ---- cancelling

static void cancel(struct client *client, struct asked *asked) {
    client->transport->operations->cancel(client->transport, asked->handle);
}

// What waits behind a call that never gets its connection goes on when that one is cancelled.
static void test_cancel_opener(void **state) {
    (void)state;
    struct fake_server *fake = fake_server_new(serve_echo, NULL, 0);
    struct server server = plain_server(fake);
    struct client *client = client_new(-1);
    struct asked asked[4] = {0};
    for (size_t i = 0; i < 4; i++) ask_grpc(client, &asked[i], &server, "x", LONG_TIME);
    cancel(client, &asked[0]);  // makes the connection
    cancel(client, &asked[2]);  // waits for it
    client_wait(client, &asked[1], 1);
    client_wait(client, &asked[3], 1);
    assert_true(reply_ok(&asked[1].reply, CALL_GRPC) && reply_ok(&asked[3].reply, CALL_GRPC));
    assert_false(asked[0].done || asked[2].done);
    asked_release(asked, 4);
    client_free(client);
    fake_server_free(fake);
}

struct canceller {
    struct asked asked;
    struct client *client;
    struct asked *victim;
};

static void cancel_other(void *context, struct reply *reply) {
    struct canceller *canceller = context;
    asked_done(&canceller->asked, reply);
    if (canceller->victim != NULL) cancel(canceller->client, canceller->victim);
}

// A call that is finished but not told yet is cancelled by the one that is told before it.
static void test_cancel_finished(void **state) {
    (void)state;
    const struct server server = {.name = "Handler", .address = "no address", .plain = true};
    struct client *client = client_new(-1);
    struct canceller first = {.client = client};
    struct asked second = {0};
    first.asked.call = (struct call){.kind = CALL_GRPC, .server = &server, .method = "/a/b"};
    client->transport->operations->start(client->transport, &first.asked.call, LONG_TIME, cancel_other,
                                         &first);
    ask_grpc(client, &second, &server, "", LONG_TIME);
    first.victim = &second;
    client_turn(client);
    assert_true(first.asked.done);
    assert_int_equal(first.asked.reply.outcome, REPLY_UNUSABLE);
    client_turn(client);
    assert_false(second.done);
    asked_release(&first.asked, 1);
    client_free(client);
}

static void test_cancel_running(void **state) {
    (void)state;
    struct fake_server *fake = fake_server_new(serve_silence, NULL, 0);
    struct server server = plain_server(fake);
    struct client *client = client_new(-1);
    struct asked asked[8] = {0};
    for (size_t i = 0; i < 8; i++) ask_grpc(client, &asked[i], &server, "x", LONG_TIME);
    while (fake->requests < 8) client_turn(client);
    for (size_t i = 0; i < 4; i++) cancel(client, &asked[i]);
    client_turn(client);
    client_free(client);  // with four under way
    for (size_t i = 0; i < 8; i++) assert_false(asked[i].done);
    fake_server_free(fake);
}

static void test_free_held(void **state) {
    (void)state;
    struct fake_server *fake = fake_server_new(serve_silence, NULL, 0);
    struct server server = plain_server(fake);
    struct client *client = client_new(-1);
    struct asked asked[8] = {0};
    for (size_t i = 0; i < 8; i++) ask_grpc(client, &asked[i], &server, "x", LONG_TIME);
    client_free(client);
    fake_server_free(fake);
}

// ---- what is not sent

static void test_not_sent(void **state) {
    (void)state;
    char address[32];
    close(listen_on_loopback(1, address));
    const struct server server = {.name = "Handler", .address = address, .plain = true};
    struct client *client = client_new(-1);
    struct asked asked[3] = {0};
    for (size_t i = 0; i < 3; i++) ask_grpc(client, &asked[i], &server, "x", LONG_TIME);
    client_wait(client, asked, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(asked[i].reply.outcome, REPLY_NOT_SENT);
        assert_string_equal(asked[i].reply.message, "no connection (Connection refused)");
    }
    asked_release(asked, 3);
    client_free(client);
}

static void expect_unusable(struct client *client, const struct server *server, const char *header,
                            const char *path) {
    struct asked asked = {0};
    if (header != NULL) call_add_header(&asked.call, "key", header);
    ask_http(client, &asked, server, "GET", path, LONG_TIME);
    client_wait(client, &asked, 1);
    assert_int_equal(asked.reply.outcome, REPLY_UNUSABLE);
    assert_non_null(asked.reply.message);
    asked_release(&asked, 1);
}

static void test_unusable(void **state) {
    (void)state;
    const struct server good = {.name = "Handler", .address = "127.0.0.1:1", .plain = true};
    const struct server bad = {.name = "Handler", .address = "user@host:1"};
    const struct server rootless = {.name = "Handler", .address = "127.0.0.1:1", .only_ca_pem = true};
    const struct server damaged = {.name = "Handler", .address = "127.0.0.1:1", .ca_pem = "no certificate"};
    struct client *client = client_new(-1);
    expect_unusable(client, &good, "a\r\nb: c", "/");
    expect_unusable(client, &good, NULL, "no slash");
    expect_unusable(client, &good, NULL, "/a b");
    expect_unusable(client, &bad, NULL, "/");
    expect_unusable(client, &rootless, NULL, "/");
    expect_unusable(client, &damaged, NULL, "/");
    client_free(client);
}

// ---- around the calls

static void test_wake(void **state) {
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct client *client = client_new(ends[0]);
    assert_int_equal(write(ends[1], "x", 1), 1);
    int64_t start = clock_monotonic(&clock_system);
    assert_int_equal(client->transport->operations->wait(client->transport, -1, &client->error), 0);
    // It stays readable, but ends a wait only once.
    assert_int_equal(client->transport->operations->wait(client->transport, 100 * NS_PER_MS, &client->error),
                     0);
    assert_true(clock_monotonic(&clock_system) - start >= 100 * NS_PER_MS);
    client_free(client);
    close(ends[0]);
    close(ends[1]);
}

static void test_trace(void **state) {
    (void)state;
    struct fake_server *fake = fake_server_new(serve_echo, NULL, 0);
    struct server server = plain_server(fake);
    struct client *client = client_new(-1);
    struct asked asked = {0};
    call_add_header(&asked.call, "key", "SECRET-IN-HEADER");
    ask_grpc(client, &asked, &server, "SECRET-IN-BODY", LONG_TIME);
    client_wait(client, &asked, 1);
    const char *records = buffer_string(&client->records);
    assert_non_null(strstr(records, "Handler /test.Service/Method answered, HTTP 200, gRPC 0"));
    assert_null(strstr(records, "SECRET"));
    asked_release(&asked, 1);
    client_free(client);
    fake_server_free(fake);
}

int main(void) {
    alarm(60);
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answer),         cmocka_unit_test(test_error_without_body),
        cmocka_unit_test(test_messages),       cmocka_unit_test(test_strangers),
        cmocka_unit_test(test_silence),        cmocka_unit_test(test_lost),
        cmocka_unit_test(test_refused_stream), cmocka_unit_test(test_lost_between_calls),
        cmocka_unit_test(test_lost_with_many), cmocka_unit_test(test_servers_in_turn),
        cmocka_unit_test(test_many),           cmocka_unit_test(test_large),
        cmocka_unit_test(test_cancel_opener),  cmocka_unit_test(test_cancel_finished),
        cmocka_unit_test(test_cancel_running), cmocka_unit_test(test_free_held),
        cmocka_unit_test(test_not_sent),       cmocka_unit_test(test_unusable),
        cmocka_unit_test(test_wake),           cmocka_unit_test(test_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
