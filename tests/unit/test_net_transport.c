// SPDX-License-Identifier: Apache-2.0
// gRPC through the libcurl transport against servers that behave and servers that do not, in plain text.
#include <stdio.h>

#include "base/memory.h"
#include "support/exchange.h"

static const int64_t patience = 3 * NS_PER_SECOND;

static const char *const grpc_head[] = {":status", "200", "content-type", "application/grpc", NULL};
static const char *const good_tail[] = {"grpc-status", "0", NULL};

static void play_echo(struct connection *connection) {
    if (!h2_begin(connection, 100)) return;
    for (uint32_t stream = 0; (stream = h2_read_request(connection)) != 0;) {
        h2_answer(connection, stream, "pong", 4);
    }
}

struct stage {
    struct scripted_server server;
    struct server described;
    struct call call;
    struct client client;
};

static void stage_open(struct stage *stage, scripted_play *play) {
    alarm(20);
    scripted_server_start(&stage->server, play, NULL);
    stage->described = (struct server){.name = "Test", .address = stage->server.address, .plain = true};
    stage->call = (struct call){
        .kind = CALL_GRPC, .server = &stage->described, .method = "/a.B/Get", .body = "ping", .body_size = 4};
    call_add_header(&stage->call, "key", "ttn-account-v2.secret");
    client_open(&stage->client);
}

static void stage_close(struct stage *stage) {
    client_close(&stage->client);
    scripted_server_stop(&stage->server);
    alarm(0);
}

static void assert_pong(const struct reply *reply) {
    assert_int_equal(reply->outcome, REPLY_ANSWERED);
    assert_int_equal(reply->http_status, 200);
    assert_int_equal(reply->grpc_status, GRPC_OK);
    assert_int_equal(reply->body.size, 4);
    assert_memory_equal(reply->body.data, "pong", 4);
    assert_string_equal(reply_header(reply, "grpc-status"), "0");
}

static void makes_calls_one_after_another(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, play_echo);
    for (int i = 0; i < 20; i++) assert_pong(client_call(&stage.client, &stage.call, patience));
    assert_int_equal(stage.server.connections, 1);
    stage_close(&stage);
}

static void makes_calls_at_once_on_one_connection(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, play_echo);
    for (int i = 0; i < 64; i++) client_start(&stage.client, &stage.call, patience);
    client_wait(&stage.client, 64);
    for (int i = 0; i < 64; i++) assert_pong(&stage.client.replies[i]);
    assert_int_equal(stage.server.connections, 1);
    assert_int_equal(stage.server.requests, 64);
    stage_close(&stage);
}

static void play_two_streams(struct connection *connection) {
    if (!h2_begin(connection, 2)) return;
    uint32_t stream = 0;
    while ((stream = h2_read_request(connection)) != 0) {
        usleep(20000);
        h2_answer(connection, stream, "pong", 4);
    }
}

static void keeps_a_small_limit_of_streams(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, play_two_streams);
    assert_pong(client_call(&stage.client, &stage.call, patience));
    for (int i = 0; i < 8; i++) client_start(&stage.client, &stage.call, patience);
    client_wait(&stage.client, 9);
    for (int i = 0; i < 9; i++) assert_pong(&stage.client.replies[i]);
    stage_close(&stage);
}

// Tells the status that the test's stage asks for, in a frame of headers alone.
static void play_status(struct connection *connection) {
    static const char *const fields[] = {
        ":status",     "200", "content-type", "application/grpc",
        "grpc-status", "5",   "grpc-message", "device%3a \xC3\xBC%C3%BC%zz not%0Afound",
        NULL};
    if (!h2_begin(connection, 0)) return;
    uint32_t stream = h2_read_request(connection);
    if (stream != 0) h2_headers(connection, stream, true, fields);
    connection_wait_end(connection);
}

static void tells_the_status(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, play_status);
    const struct reply *reply = client_call(&stage.client, &stage.call, patience);
    assert_int_equal(reply->outcome, REPLY_ANSWERED);
    assert_int_equal(reply->grpc_status, GRPC_NOT_FOUND);
    assert_string_equal(reply->message, "device: \xC3\xBC\xC3\xBC%zz not\nfound");
    ERROR_AUTO error = {0};
    assert_int_equal(reply_error(reply, &stage.call, &error), -ERROR_NOT_FOUND);
    assert_string_equal(error.message,
                        "Test: /a.B/Get: not found (5): device: \xC3\xBC\xC3\xBC%zz not\\nfound");
    stage_close(&stage);
}

static void nobody_listens(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, play_echo);
    stage.described.address = "127.0.0.1:1";
    const struct reply *reply = client_call(&stage.client, &stage.call, patience);
    assert_int_equal(reply->outcome, REPLY_NOT_SENT);
    assert_non_null(strstr(reply->message, "Connection refused"));
    // Held calls must not wait for ever either.
    for (int i = 0; i < 5; i++) client_start(&stage.client, &stage.call, patience);
    client_wait(&stage.client, 6);
    for (int i = 0; i < 6; i++) assert_int_equal(stage.client.replies[i].outcome, REPLY_NOT_SENT);
    stage_close(&stage);
}

static void no_such_name(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, play_echo);
    stage.described.address = "no-such-host.invalid:1904";
    const struct reply *reply = client_call(&stage.client, &stage.call, patience);
    assert_int_equal(reply->outcome, REPLY_NOT_SENT);
    stage_close(&stage);
}

static void refuses_senseless_calls(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, play_echo);
    const char *const addresses[] = {"",        "http://x:1", "a b:1", "x:",    "x:0",
                                     "x:70000", "user@x:1",   "x:1/p", "[::1:5"};
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        struct server server = stage.described;
        server.address = addresses[i];
        stage.call.server = &server;
        assert_int_equal(client_call(&stage.client, &stage.call, patience)->outcome, REPLY_UNUSABLE);
    }
    stage.call.server = &stage.described;
    call_add_header(&stage.call, "token", "a\r\nx: y");
    assert_int_equal(client_call(&stage.client, &stage.call, patience)->outcome, REPLY_UNUSABLE);
    stage.call.header_count--;
    stage.call.method = "/a.B/Get HTTP/1.1\r\n";
    assert_int_equal(client_call(&stage.client, &stage.call, patience)->outcome, REPLY_UNUSABLE);
    assert_int_equal(stage.server.connections, 0);
    stage_close(&stage);
}

// ---- servers that misbehave after the request

static void play_reset(struct connection *connection) {
    if (h2_begin(connection, 0) && h2_read_request(connection) != 0) connection_reset(connection);
}

static void play_close(struct connection *connection) {
    if (h2_begin(connection, 0)) h2_read_request(connection);
}

static void play_silence(struct connection *connection) {
    if (h2_begin(connection, 0) && h2_read_request(connection) != 0) connection_wait_end(connection);
}

static void play_dead(struct connection *connection) {
    connection_wait_end(connection);
}

static void play_garbage(struct connection *connection) {
    uint8_t garbage[300];
    for (size_t i = 0; i < sizeof garbage; i++) garbage[i] = (uint8_t)(i * 37 + 11);
    connection_write(connection, garbage, sizeof garbage);
    connection_wait_end(connection);
}

static void play_http1(struct connection *connection) {
    connection_puts(connection, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    connection_wait_end(connection);
}

static void play_cut_frame(struct connection *connection) {
    if (!h2_begin(connection, 0)) return;
    uint32_t stream = h2_read_request(connection);
    h2_headers(connection, stream, false, grpc_head);
    connection_write(connection, "\0\0\x20\0\0\0\0\0", 8);
}

static void play_rst_stream(struct connection *connection) {
    if (!h2_begin(connection, 0)) return;
    uint32_t stream = h2_read_request(connection);
    h2_headers(connection, stream, false, grpc_head);
    h2_error(connection, H2_RST_STREAM, stream, H2_INTERNAL_ERROR);
    connection_wait_end(connection);
}

static void play_goaway(struct connection *connection) {
    if (!h2_begin(connection, 0)) return;
    uint32_t stream = h2_read_request(connection);
    h2_error(connection, H2_GOAWAY, stream, H2_CALM);
}

static void body_then_end(struct connection *connection, const void *data, size_t size,
                          const char *const *tail) {
    if (!h2_begin(connection, 0)) return;
    uint32_t stream = h2_read_request(connection);
    if (stream == 0) return;
    h2_headers(connection, stream, false, grpc_head);
    h2_data(connection, stream, tail == NULL, data, size);
    if (tail != NULL) h2_headers(connection, stream, true, tail);
    connection_wait_end(connection);
}

static void play_no_trailers(struct connection *connection) {
    body_then_end(connection, "\0\0\0\0\4pong", 9, NULL);
}

static void play_short_message(struct connection *connection) {
    body_then_end(connection, "\0\0\0\0\5pong", 9, good_tail);
}

static void play_no_message(struct connection *connection) {
    body_then_end(connection, "", 0, good_tail);
}

static void play_two_messages(struct connection *connection) {
    body_then_end(connection, "\0\0\0\0\4pong\0\0\0\0\0", 14, good_tail);
}

static void play_compressed(struct connection *connection) {
    body_then_end(connection, "\1\0\0\0\4pong", 9, good_tail);
}

static void play_oversized(struct connection *connection) {
    body_then_end(connection, "\0\xFF\xFF\xFF\xFFpong", 9, good_tail);
}

static void play_odd_status(struct connection *connection) {
    static const char *const tail[] = {"grpc-status", "fine", NULL};
    body_then_end(connection, "\0\0\0\0\4pong", 9, tail);
}

static void head_only(struct connection *connection, const char *status, const char *type) {
    const char *const fields[] = {":status", status, "content-type", type, NULL};
    if (!h2_begin(connection, 0)) return;
    uint32_t stream = h2_read_request(connection);
    if (stream == 0) return;
    h2_headers(connection, stream, false, fields);
    h2_data(connection, stream, true, "<html>", 6);
    connection_wait_end(connection);
}

static void play_page(struct connection *connection) {
    head_only(connection, "200", "text/html");
}

static void play_404(struct connection *connection) {
    head_only(connection, "404", "text/html");
}

static void play_many_headers(struct connection *connection) {
    if (!h2_begin(connection, 0)) return;
    uint32_t stream = h2_read_request(connection);
    if (stream == 0) return;
    const char *fields[640] = {":status", "200"};
    for (size_t i = 2; i < 638; i += 2) {
        fields[i] = "x";
        fields[i + 1] = "y";
    }
    h2_headers(connection, stream, true, fields);
    connection_wait_end(connection);
}

struct ill {
    const char *name;
    scripted_play *play;
    enum reply_outcome outcome;
    enum reply_outcome other;  // as good: versions of libcurl differ in what they call nonsense
    const char *words;         // part of the message, or NULL
};

static const struct ill ills[] = {
    {"reset", play_reset, REPLY_LOST, REPLY_LOST, NULL},
    {"close", play_close, REPLY_LOST, REPLY_LOST, NULL},
    {"cut frame", play_cut_frame, REPLY_LOST, REPLY_LOST, NULL},
    {"RST_STREAM", play_rst_stream, REPLY_LOST, REPLY_LOST, NULL},
    {"GOAWAY", play_goaway, REPLY_LOST, REPLY_LOST, NULL},
    {"garbage", play_garbage, REPLY_MALFORMED, REPLY_LOST, NULL},
    {"HTTP/1.1", play_http1, REPLY_MALFORMED, REPLY_LOST, NULL},
    {"no trailers", play_no_trailers, REPLY_LOST, REPLY_LOST, "without a status"},
    {"short message", play_short_message, REPLY_MALFORMED, REPLY_MALFORMED, "within its message"},
    {"no message", play_no_message, REPLY_MALFORMED, REPLY_MALFORMED, "no message"},
    {"two messages", play_two_messages, REPLY_MALFORMED, REPLY_MALFORMED, "more than one"},
    {"compressed", play_compressed, REPLY_MALFORMED, REPLY_MALFORMED, "compressed"},
    {"oversized", play_oversized, REPLY_MALFORMED, REPLY_MALFORMED, "larger"},
    {"odd status", play_odd_status, REPLY_MALFORMED, REPLY_MALFORMED, "no number"},
    {"page", play_page, REPLY_MALFORMED, REPLY_MALFORMED, "text/html"},
    {"404", play_404, REPLY_MALFORMED, REPLY_MALFORMED, "HTTP 404"},
    {"many headers", play_many_headers, REPLY_MALFORMED, REPLY_MALFORMED, "too many headers"},
};

static void tells_what_is_wrong(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof ills / sizeof *ills; i++) {
        for (int changes = 0; changes < 2; changes++) {
            struct stage stage;
            stage_open(&stage, ills[i].play);
            stage.call.changes = changes != 0;
            const struct reply *reply = client_call(&stage.client, &stage.call, patience);
            if (reply->outcome != ills[i].outcome && reply->outcome != ills[i].other) {
                fail_msg("%s: outcome %d: %s", ills[i].name, (int)reply->outcome, reply->message);
            }
            assert_non_null(reply->message);
            assert_false(reply->timed_out);
            assert_int_equal(reply->body.size, 0);
            if (ills[i].words != NULL) assert_non_null(strstr(reply->message, ills[i].words));
            assert_true(changes == 0 || stage.server.requests <= 1);
            ERROR_AUTO error = {0};
            assert_int_not_equal(reply_error(reply, &stage.call, &error), 0);
            assert_null(strstr(error.message, "secret"));
            stage_close(&stage);
        }
    }
}

static void play_503(struct connection *connection) {
    head_only(connection, "503", "text/html");
}

static void play_403(struct connection *connection) {
    head_only(connection, "403", "text/html");
}

static void maps_http_statuses(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, play_503);
    const struct reply *reply = client_call(&stage.client, &stage.call, patience);
    assert_int_equal(reply->outcome, REPLY_ANSWERED);
    assert_int_equal(reply->grpc_status, GRPC_UNAVAILABLE);
    ERROR_AUTO error = {0};
    assert_int_equal(reply_error(reply, &stage.call, &error), -ERROR_UNAVAILABLE);
    assert_string_equal(error.message, "Test: /a.B/Get: service unavailable (HTTP 503)");
    stage_close(&stage);
    stage_open(&stage, play_403);
    reply = client_call(&stage.client, &stage.call, patience);
    assert_int_equal(reply->grpc_status, GRPC_PERMISSION_DENIED);
    stage_close(&stage);
}

static void keeps_deadlines(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, play_silence);
    int64_t start = clock_monotonic(&clock_system);
    const struct reply *reply = client_call(&stage.client, &stage.call, 200 * NS_PER_MS);
    int64_t took = clock_monotonic(&clock_system) - start;
    assert_int_equal(reply->outcome, REPLY_LOST);
    assert_true(reply->timed_out);
    assert_true(took >= 150 * NS_PER_MS && took < 2 * NS_PER_SECOND);
    ERROR_AUTO error = {0};
    assert_int_equal(reply_error(reply, &stage.call, &error), -ERROR_TIMEOUT);
    assert_string_equal(error.message, "Test: /a.B/Get: no answer within 0.2 s");
    stage_close(&stage);
    stage_open(&stage, play_dead);
    reply = client_call(&stage.client, &stage.call, 200 * NS_PER_MS);
    assert_true(reply->timed_out);
    stage_close(&stage);
}

// One answer for each connection, then it is gone.
static void play_one_each(struct connection *connection) {
    if (!h2_begin(connection, 0)) return;
    uint32_t stream = h2_read_request(connection);
    if (stream != 0) h2_answer(connection, stream, "pong", 4);
    usleep(20000);
}

static void comes_back_after_a_lost_connection(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, play_one_each);
    stage.call.changes = true;
    for (int i = 0; i < 5; i++) {
        assert_pong(client_call(&stage.client, &stage.call, patience));
        usleep(50000);
    }
    assert_int_equal(stage.server.requests, 5);
    stage_close(&stage);
}

// Takes the second request on its first connection and dies; answers on later connections.
static void play_dies_once(struct connection *connection) {
    if (!h2_begin(connection, 0)) return;
    for (uint32_t stream = 0; (stream = h2_read_request(connection)) != 0;) {
        if (connection->number == 0 && connection->server->requests == 2) {
            connection_reset(connection);
            return;
        }
        h2_answer(connection, stream, "pong", 4);
    }
}

static void never_sends_a_change_twice(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, play_dies_once);
    assert_pong(client_call(&stage.client, &stage.call, patience));
    stage.call.changes = true;
    assert_int_equal(client_call(&stage.client, &stage.call, patience)->outcome, REPLY_LOST);
    assert_int_equal(stage.server.requests, 2);
    assert_pong(client_call(&stage.client, &stage.call, patience));
    assert_int_equal(stage.server.requests, 3);
    stage_close(&stage);
}

// Says on its first connection, after one answer, that it takes no more.
static void play_leaves(struct connection *connection) {
    if (!h2_begin(connection, 0)) return;
    for (uint32_t stream = 0; (stream = h2_read_request(connection)) != 0;) {
        h2_answer(connection, stream, "pong", 4);
        usleep(10000);
        if (connection->number == 0) h2_error(connection, H2_GOAWAY, stream, H2_NO_ERROR);
    }
}

static void follows_a_goaway(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, play_leaves);
    stage.call.changes = true;
    for (int i = 0; i < 4; i++) {
        assert_pong(client_call(&stage.client, &stage.call, patience));
        usleep(30000);
    }
    assert_int_equal(stage.server.requests, 4);
    stage_close(&stage);
}

// Answers, and is gone at the same moment.
static void play_hurries(struct connection *connection) {
    if (!h2_begin(connection, 0)) return;
    uint32_t stream = h2_read_request(connection);
    if (stream == 0) return;
    h2_error(connection, H2_GOAWAY, stream, H2_NO_ERROR);
    h2_answer(connection, stream, "pong", 4);
}

static void never_doubts_nor_repeats_a_hurried_answer(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, play_hurries);
    stage.call.changes = true;
    for (unsigned i = 1; i <= 8; i++) {
        const struct reply *reply = client_call(&stage.client, &stage.call, patience);
        assert_true(reply->outcome == REPLY_ANSWERED || reply->outcome == REPLY_LOST);
        assert_int_equal(stage.server.requests, i);
    }
    stage_close(&stage);
}

static void cancels(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, play_silence);
    void *first = client_start(&stage.client, &stage.call, patience);
    void *held = client_start(&stage.client, &stage.call, patience);
    ERROR_AUTO error = {0};
    struct transport *transport = stage.client.transport;
    for (int i = 0; i < 5; i++) transport->operations->wait(transport, 20 * NS_PER_MS, &error);
    transport->operations->cancel(transport, first);
    transport->operations->cancel(transport, held);
    first = client_start(&stage.client, &stage.call, patience);
    held = client_start(&stage.client, &stage.call, 100 * NS_PER_MS);
    transport->operations->cancel(transport, first);
    client_wait(&stage.client, 1);
    assert_true(stage.client.replies[0].timed_out);
    stage_close(&stage);
}

static void frees_with_calls_under_way(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, play_silence);
    for (int i = 0; i < 4; i++) client_start(&stage.client, &stage.call, patience);
    ERROR_AUTO error = {0};
    struct transport *transport = stage.client.transport;
    transport->operations->wait(transport, 50 * NS_PER_MS, &error);
    stage_close(&stage);
    assert_int_equal(stage.client.done, 0);
}

static void play_large(struct connection *connection) {
    if (!h2_begin(connection, 0)) return;
    uint32_t stream = h2_read_request(connection);
    if (stream == 0) return;
    h2_headers(connection, stream, false, grpc_head);
    // Frames within the client's first window of 64 KiB, the prefix cut in two.
    uint8_t *data = memory_alloc(1, 50005);
    data[3] = 50000 >> 8;
    data[4] = 50000 & 0xFF;
    h2_data(connection, stream, false, data, 3);
    for (size_t i = 3; i < 50005; i += 10001) {
        size_t rest = 50005 - i < 10001 ? 50005 - i : 10001;
        h2_data(connection, stream, false, data + i, rest);
    }
    h2_headers(connection, stream, true, good_tail);
    free(data);
    connection_wait_end(connection);
}

static void keeps_the_reply_limit(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, play_large);
    stage.call.reply_limit = 50000;
    const struct reply *reply = client_call(&stage.client, &stage.call, patience);
    assert_int_equal(reply->outcome, REPLY_ANSWERED);
    assert_int_equal(reply->body.size, 50000);
    stage_close(&stage);
    stage_open(&stage, play_large);
    stage.call.reply_limit = 49999;
    reply = client_call(&stage.client, &stage.call, patience);
    assert_int_equal(reply->outcome, REPLY_MALFORMED);
    assert_non_null(strstr(reply->message, "larger"));
    stage_close(&stage);
}

static void wakes_up(void **state) {
    (void)state;
    alarm(20);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    ERROR_AUTO error = {0};
    struct transport *transport =
        curl_transport_new(&(struct curl_transport_setup){.wake_fd = ends[0]}, &error);
    assert_non_null(transport);
    assert_int_equal(write(ends[1], "x", 1), 1);
    int64_t start = clock_monotonic(&clock_system);
    assert_int_equal(transport->operations->wait(transport, -1, &error), 0);
    assert_true(clock_monotonic(&clock_system) - start < NS_PER_SECOND);
    transport->operations->free(transport);
    close(ends[0]);
    close(ends[1]);
}

static char logged[4096];

static void note(void *context, const struct log_record *record) {
    (void)context;
    size_t used = strlen(logged);
    snprintf(logged + used, sizeof logged - used, "%s|%s|%s\n", record->server, record->method,
             record->message);
}

static void traces_without_secrets(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, play_echo);
    client_close(&stage.client);
    const struct log log = {.least = LOG_DEBUG, .write = note};
    ERROR_AUTO error = {0};
    stage.client = (struct client){
        .transport = curl_transport_new(&(struct curl_transport_setup){.log = &log, .wake_fd = -1}, &error)};
    assert_pong(client_call(&stage.client, &stage.call, patience));
    assert_non_null(strstr(logged, "Test|/a.B/Get|answered, HTTP 200, gRPC 0"));
    assert_non_null(strstr(logged, "4 bytes out, 4 in"));
    assert_null(strstr(logged, "secret"));
    assert_null(strstr(logged, "ping"));
    assert_null(strstr(logged, "pong"));
    stage_close(&stage);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_calls_one_after_another),
        cmocka_unit_test(makes_calls_at_once_on_one_connection),
        cmocka_unit_test(keeps_a_small_limit_of_streams),
        cmocka_unit_test(tells_the_status),
        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(no_such_name),
        cmocka_unit_test(refuses_senseless_calls),
        cmocka_unit_test(tells_what_is_wrong),
        cmocka_unit_test(maps_http_statuses),
        cmocka_unit_test(keeps_deadlines),
        cmocka_unit_test(comes_back_after_a_lost_connection),
        cmocka_unit_test(never_sends_a_change_twice),
        cmocka_unit_test(follows_a_goaway),
        cmocka_unit_test(never_doubts_nor_repeats_a_hurried_answer),
        cmocka_unit_test(cancels),
        cmocka_unit_test(frees_with_calls_under_way),
        cmocka_unit_test(keeps_the_reply_limit),
        cmocka_unit_test(wakes_up),
        cmocka_unit_test(traces_without_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
