// SPDX-License-Identifier: Apache-2.0
// REST over HTTP/1.1 through the real transport, a file over HTTP, proxies, and the time that servers are tried
// for which cannot be reached.
#include "test_net_server.h"

#include "net/dispatch.h"
#include "net/http_fetch.h"

static const char json[] = "content-type: application/json\r\n";

static void serve_http(struct peer *peer) {
    while (peer_http_request(peer)) {
        const char *request = buffer_string(&peer->body);
        if (strstr(request, " /echo") != NULL) {
            char *answer MEMORY_AUTO =
                memory_printf("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: %zu\r\n\r\n%s",
                              strlen(request), request);
            peer_puts(peer, answer);
        } else if (strstr(request, " /chunked") != NULL) {
            peer_puts(peer, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
            peer_puts(peer, "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nx-end: yes\r\n\r\n");
        } else if (strstr(request, " /busy") != NULL) {
            peer_puts(peer, "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\ncontent-length: 0\r\n\r\n");
        } else if (strstr(request, " /refuse") != NULL) {
            peer_puts(peer, "HTTP/1.1 403 Forbidden\r\n");
            peer_puts(peer, json);
            peer_puts(peer, "content-length: 13\r\n\r\n{\"error\":\"x\"}");
        } else if (strstr(request, " /early") != NULL) {
            peer_puts(peer, "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n");
        } else if (strstr(request, " /moved") != NULL) {
            peer_puts(peer, "HTTP/1.1 302 Found\r\nlocation: /echo\r\ncontent-length: 0\r\n\r\n");
        } else if (strstr(request, " /short") != NULL) {
            peer_puts(peer, "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc");
            return;
        } else if (strstr(request, " /half-chunk") != NULL) {
            peer_puts(peer, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab");
            return;
        } else if (strstr(request, " /large") != NULL) {
            peer_puts(peer, "HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n");
            for (int i = 0; i < 500; i++) peer_puts(peer, "0123456789");
        } else if (strstr(request, " /garbage") != NULL) {
            peer_puts(peer, "\1\2\3 this is no HTTP\r\n\r\n");
            return;
        } else if (strstr(request, " /nothing") != NULL) {
            return;
        } else {
            peer_puts(peer, "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
        }
    }
}

// ---- calls

struct setting {
    struct fake_server *fake;
    struct server server;
    struct client *client;
};

static int set_up(void **state) {
    struct setting *setting = memory_new(struct setting);
    setting->fake = fake_server_new(serve_http, NULL, 0);
    setting->server = plain_server(setting->fake);
    setting->client = client_new(-1);
    *state = setting;
    return 0;
}

static int tear_down(void **state) {
    struct setting *setting = *state;
    client_free(setting->client);
    fake_server_free(setting->fake);
    free(setting);
    return 0;
}

static struct asked ask(const struct setting *setting, const char *method, const char *path) {
    struct asked asked = {.call.reply_limit = 1000};
    ask_http(setting->client, &asked, &setting->server, method, path, LONG_TIME);
    // The transport has a pointer into `asked`, which must not move before it is done.
    client_wait(setting->client, &asked, 1);
    return asked;
}

static void expect(const struct setting *setting, const char *path, enum reply_outcome outcome, int status,
                   const char *body) {
    struct asked asked = ask(setting, "GET", path);
    assert_int_equal(asked.reply.outcome, outcome);
    if (status >= 0) assert_int_equal(asked.reply.http_status, status);
    assert_string_equal(buffer_string(&asked.reply.body), body);
    asked_release(&asked, 1);
}

static void test_request(void **state) {
    const struct setting *setting = *state;
    struct asked asked = {.call = {.body = "{}", .body_size = 2}};
    call_add_header(&asked.call, "authorization", "Bearer x");
    call_add_header(&asked.call, "empty", "");
    ask_http(setting->client, &asked, &setting->server, "POST", "/echo?a=%20b", LONG_TIME);
    client_wait(setting->client, &asked, 1);
    const char *request = buffer_string(&asked.reply.body);
    assert_non_null(strstr(request, "POST /echo?a=%20b HTTP/1.1\r\n"));
    assert_non_null(strstr(request, "\r\nauthorization: Bearer x\r\n"));
    assert_non_null(strstr(request, "\r\nempty:\r\n"));
    assert_null(strcasestr(request, "\r\nexpect:"));
    assert_non_null(strstr(request, "\r\n\r\n{}"));
    asked_release(&asked, 1);
    asked = ask(setting, "DELETE", "/echo");
    assert_non_null(strstr(buffer_string(&asked.reply.body), "DELETE /echo HTTP/1.1\r\n"));
    asked_release(&asked, 1);
    asked = ask(setting, "GET", "/echo");
    assert_non_null(strstr(buffer_string(&asked.reply.body), "GET /echo HTTP/1.1\r\n"));
    asked_release(&asked, 1);
    assert_int_equal(setting->fake->connections, 1);
    // The query, which may hold a credential, is not logged.
    assert_null(strstr(buffer_string(&setting->client->records), "%20b"));
}

static void test_answers(void **state) {
    const struct setting *setting = *state;
    expect(setting, "/chunked", REPLY_ANSWERED, 200, "abcde");
    expect(setting, "/early", REPLY_ANSWERED, 204, "");
    expect(setting, "/moved", REPLY_ANSWERED, 302, "");
    expect(setting, "/short", REPLY_LOST, 200, "");
    expect(setting, "/half-chunk", REPLY_LOST, 200, "");
    expect(setting, "/large", REPLY_MALFORMED, 200, "");
    expect(setting, "/garbage", REPLY_MALFORMED, -1, "");
    expect(setting, "/nothing", REPLY_LOST, 0, "");
    struct asked asked = ask(setting, "GET", "/early");
    assert_null(reply_header(&asked.reply, "link"));
    asked_release(&asked, 1);
    asked = ask(setting, "GET", "/busy");
    assert_true(reply_refused(&asked.reply, CALL_HTTP));
    assert_string_equal(reply_header(&asked.reply, "retry-after"), "7");
    asked_release(&asked, 1);
}

static void test_error(void **state) {
    const struct setting *setting = *state;
    struct asked asked = ask(setting, "GET", "/refuse?token=secret");
    ERROR_AUTO error = {0};
    assert_int_equal(reply_error(&asked.reply, &asked.call, &error), -ERROR_DENIED);
    assert_string_equal(error.message, "Handler: GET /refuse: forbidden (HTTP 403): {\"error\":\"x\"}");
    asked_release(&asked, 1);
}

// ---- files

static void test_fetch(void **state) {
    const struct setting *setting = *state;
    struct transport *transport = setting->client->transport;
    BUFFER_AUTO content;
    buffer_init(&content, BUFFER_UNLIMITED);
    ERROR_AUTO error = {0};
    char *url MEMORY_AUTO = memory_printf("http://%s/chunked#part", setting->fake->address);
    assert_int_equal(http_fetch(transport, url, 100, LONG_TIME, &content, &error), 0);
    assert_string_equal(buffer_string(&content), "abcde");
    char *large MEMORY_AUTO = memory_printf("http://%s/large", setting->fake->address);
    assert_int_equal(http_fetch(transport, large, 4999, LONG_TIME, &content, &error), -ERROR_PROTOCOL);
    char *missing MEMORY_AUTO = memory_printf("http://%s?x", setting->fake->address);
    assert_int_equal(http_fetch(transport, missing, 100, LONG_TIME, &content, &error), -ERROR_NOT_FOUND);
    assert_int_equal(http_fetch(transport, "ftp://x/", 100, LONG_TIME, &content, &error), -ERROR_USAGE);
    assert_int_equal(http_fetch(transport, "http://u:p@x/", 100, LONG_TIME, &content, &error), -ERROR_USAGE);
    assert_null(strstr(error.message, "u:p"));
    assert_string_equal(buffer_string(&content), "abcde");
}

// ---- proxies

// Speaks HTTP/2 itself behind the tunnel, which is as good as a server there.
static void serve_proxy(struct peer *peer) {
    if (!peer_http_request(peer)) return;
    const char *request = buffer_string(&peer->body);
    if (strncmp(request, "CONNECT handler.test:1904 HTTP/1.1\r\n", 36) != 0) return;
    if (peer->server->value == 407) {
        peer_puts(peer, "HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n");
        peer_stay(peer);
        return;
    }
    peer_puts(peer, "HTTP/1.1 200 Connected\r\n\r\n");
    serve_echo(peer);
}

static void test_proxy(void **state) {
    (void)state;
    const struct server server = {.name = "Handler", .address = "handler.test:1904", .plain = true};
    const unsigned values[] = {200, 407};
    for (size_t i = 0; i < 2; i++) {
        struct fake_server *fake = fake_server_new(serve_proxy, NULL, values[i]);
        char *url MEMORY_AUTO = memory_printf("http://%s", fake->address);
        assert_int_equal(setenv("http_proxy", url, 1), 0);
        struct client *client = client_new(-1);
        struct asked asked[4] = {0};
        for (size_t j = 0; j < 4; j++) ask_grpc(client, &asked[j], &server, "x", LONG_TIME);
        client_wait(client, asked, 4);
        for (size_t j = 0; j < 4; j++) {
            assert_int_equal(asked[j].reply.outcome, values[i] == 200 ? REPLY_ANSWERED : REPLY_NOT_SENT);
            if (values[i] == 407) assert_non_null(strstr(asked[j].reply.message, "407"));
        }
        asked_release(asked, 4);
        assert_int_equal(unsetenv("http_proxy"), 0);
        client_free(client);
        fake_server_free(fake);
    }
}

// ---- servers that cannot be reached

// Under valgrind a handshake alone takes a good part of a second.
static bool is_slowed_down(void) {
    const char *preloaded = getenv("LD_PRELOAD");
    return preloaded != NULL && strstr(preloaded, "valgrind") != NULL;
}

static void expect_unreached(const char *address, bool plain, const char *words) {
    const struct server server = {.name = "Discovery", .address = address, .plain = plain};
    struct client *client = client_new(-1);
    struct dispatch *dispatch = dispatch_new(&(struct dispatch_setup){
        .transport = client->transport,
        .clock = &clock_system,
        .random = &random_system,
        .concurrency = 4,
        .timeout = NS_PER_SECOND,
    });
    struct asked asked[3] = {0};
    int64_t start = clock_monotonic(&clock_system);
    for (size_t i = 0; i < 3; i++) {
        asked[i].call = (struct call){.kind = CALL_GRPC, .server = &server, .method = "/a/b"};
        dispatch_add(dispatch, &asked[i].call, 0, asked_done, &asked[i]);
    }
    while (!asked[0].done || !asked[1].done || !asked[2].done) {
        assert_int_equal(dispatch_wait(dispatch, 100 * NS_PER_MS, &client->error), 0);
    }
    int64_t time = clock_monotonic(&clock_system) - start;
    assert_in_range(time / NS_PER_MS, 800, is_slowed_down() ? 30000 : 2500);
    for (size_t i = 0; i < 3; i++) {
        ERROR_AUTO error = {0};
        assert_int_equal(reply_error(&asked[i].reply, &asked[i].call, &error), -ERROR_TIMEOUT);
        assert_int_equal(strncmp(error.message, "no answer from Discovery within 1 s", 35), 0);
        if (strstr(error.message, words) == NULL) assert_string_equal(error.message, words);
        assert_non_null(error.hint);
    }
    asked_release(asked, 3);
    dispatch_free(dispatch);
    client_free(client);
}

static void serve_nothing(struct peer *peer) {
    peer_stay(peer);
}

static void test_unreached(void **state) {
    (void)state;
    char address[32];
    close(listen_on_loopback(1, address));
    expect_unreached(address, true, "Connection refused");
    expect_unreached(address, false, "Connection refused");
    expect_unreached("no-such-name.invalid:1", true, "name cannot be resolved");
    struct fake_server *fake = fake_server_new(serve_nothing, NULL, 0);
    expect_unreached(fake->address, true, "");
    expect_unreached(fake->address, false, "");
    fake_server_free(fake);
}

// A full queue of connections: the system drops what comes in.
static void test_dropped(void **state) {
    (void)state;
    char address[32];
    int listener = listen_on_loopback(0, address);
    struct sockaddr_in place;
    socklen_t size = sizeof place;
    assert_int_equal(getsockname(listener, (struct sockaddr *)&place, &size), 0);
    int fillers[4];
    for (size_t i = 0; i < 4; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        connect(fillers[i], (struct sockaddr *)&place, size);
    }
    expect_unreached(address, true, "");
    for (size_t i = 0; i < 4; i++) close(fillers[i]);
    close(listener);
}

int main(void) {
    alarm(60);
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_request, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_answers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_fetch, set_up, tear_down),
        cmocka_unit_test(test_proxy),
        cmocka_unit_test(test_unreached),
        cmocka_unit_test(test_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
