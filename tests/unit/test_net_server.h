// SPDX-License-Identifier: Apache-2.0
// A server on the loopback whose every byte the test writes, and calls to it through the real transport. Each
// connection gets a thread that runs the test's script.
#ifndef TESTS_UNIT_TEST_NET_SERVER_H
#define TESTS_UNIT_TEST_NET_SERVER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "net/curl_transport.h"

enum {
    FRAME_DATA = 0,
    FRAME_HEADERS = 1,
    FRAME_RST_STREAM = 3,
    FRAME_SETTINGS = 4,
    FRAME_PING = 6,
    FRAME_GOAWAY = 7,
    FLAG_END_STREAM = 1,
    FLAG_ACK = 1,
    FLAG_END_HEADERS = 4,
    PEERS_MAX = 1100,
};

struct fake_server;

// One connection, seen from the server.
struct peer {
    struct fake_server *server;
    unsigned number;  // from 0
    int fd;
    SSL *ssl;             // or NULL
    struct buffer input;  // read, but not looked at yet
    struct buffer body;   // of the latest request, with its prefix
    pthread_t thread;
    bool closed;
};

typedef void peer_script(struct peer *peer);

struct fake_server {
    int fd;
    char address[32];
    SSL_CTX *tls;  // or NULL; borrowed
    peer_script *script;
    unsigned value;  // whatever the script wants
    pthread_t thread;
    atomic_uint connections;
    atomic_uint requests;
    atomic_uint told;    // answers that the client has
    atomic_uint closed;  // connections, after that
    atomic_bool stop;
    struct peer peers[PEERS_MAX];
};

// ---- bytes

static inline bool peer_write(struct peer *peer, const void *data, size_t size) {
    const uint8_t *bytes = data;
    while (size > 0) {
        ssize_t sent = peer->ssl != NULL ? SSL_write(peer->ssl, bytes, size > 65536 ? 65536 : (int)size)
                                         : send(peer->fd, bytes, size, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes += sent;
        size -= (size_t)sent;
    }
    return true;
}

static inline bool peer_puts(struct peer *peer, const char *text) {
    return peer_write(peer, text, strlen(text));
}

// Waits for more input. False at the end of the connection or of the test.
static inline bool peer_fill(struct peer *peer) {
    while (!atomic_load(&peer->server->stop)) {
        struct pollfd wait = {.fd = peer->fd, .events = POLLIN};
        bool pending = peer->ssl != NULL && SSL_pending(peer->ssl) > 0;
        if (!pending && poll(&wait, 1, 20) == 0) continue;
        uint8_t bytes[16384];
        ssize_t got = peer->ssl != NULL ? SSL_read(peer->ssl, bytes, sizeof bytes)
                                        : recv(peer->fd, bytes, sizeof bytes, 0);
        if (got <= 0) return false;
        buffer_add(&peer->input, bytes, (size_t)got);
        return true;
    }
    return false;
}

static inline bool peer_need(struct peer *peer, size_t size) {
    while (peer->input.size < size) {
        if (!peer_fill(peer)) return false;
    }
    return true;
}

// Reads until the client has gone.
static inline void peer_stay(struct peer *peer) {
    while (peer_fill(peer)) buffer_clear(&peer->input);
}

static inline void peer_close(struct peer *peer) {
    if (peer->closed) return;
    peer->closed = true;
    if (peer->ssl != NULL) SSL_shutdown(peer->ssl);
    close(peer->fd);
}

// Ends the connection with a TCP reset.
static inline void peer_reset(struct peer *peer) {
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    peer->closed = true;
    close(peer->fd);
}

// ---- HTTP/1.1

// Reads a request's head and its body as content-length says. The head stays in peer->body.
static inline bool peer_http_request(struct peer *peer) {
    size_t head = 0;
    while (head == 0) {
        const char *end =
            peer->input.size == 0 ? NULL : memmem(peer->input.data, peer->input.size, "\r\n\r\n", 4);
        if (end != NULL) head = (size_t)(end - (const char *)peer->input.data) + 4;
        if (end == NULL && !peer_fill(peer)) return false;
    }
    buffer_clear(&peer->body);
    buffer_add(&peer->body, peer->input.data, head);
    const char *length = strcasestr(buffer_string(&peer->body), "content-length:");
    size_t size = length != NULL ? (size_t)strtoul(length + 15, NULL, 10) : 0;
    buffer_drop(&peer->input, head);
    if (!peer_need(peer, size)) return false;
    buffer_add(&peer->body, peer->input.data, size);
    buffer_drop(&peer->input, size);
    atomic_fetch_add(&peer->server->requests, 1);
    return true;
}

// ---- HTTP/2 (RFC 9113)

static inline void h2_frame(struct peer *peer, unsigned type, unsigned flags, unsigned stream,
                            const void *data, size_t size) {
    uint8_t head[9] = {(uint8_t)(size >> 16),   (uint8_t)(size >> 8),   (uint8_t)size,
                       (uint8_t)type,           (uint8_t)flags,         (uint8_t)(stream >> 24),
                       (uint8_t)(stream >> 16), (uint8_t)(stream >> 8), (uint8_t)stream};
    peer_write(peer, head, sizeof head);
    peer_write(peer, data, size);
}

// Waits for the client's preface and sends settings: pairs of identifier and value, ended by 0.
static inline bool h2_open(struct peer *peer, unsigned identifier, unsigned value) {
    uint8_t setting[6] = {(uint8_t)(identifier >> 8), (uint8_t)identifier,   (uint8_t)(value >> 24),
                          (uint8_t)(value >> 16),     (uint8_t)(value >> 8), (uint8_t)value};
    if (!peer_need(peer, 24) || memcmp(peer->input.data, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24) != 0) {
        return false;
    }
    buffer_drop(&peer->input, 24);
    h2_frame(peer, FRAME_SETTINGS, 0, 0, setting, identifier != 0 ? sizeof setting : 0);
    return true;
}

// Waits for the next complete request. Returns its stream, 0 at the end.
static inline unsigned h2_request(struct peer *peer) {
    while (peer_need(peer, 9)) {
        uint8_t head[9];
        memcpy(head, peer->input.data, 9);
        size_t size = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
        unsigned stream =
            ((unsigned)head[5] & 127) << 24 | (unsigned)head[6] << 16 | (unsigned)head[7] << 8 | head[8];
        if (!peer_need(peer, 9 + size)) return 0;
        if (head[3] == FRAME_SETTINGS && (head[4] & FLAG_ACK) == 0) {
            h2_frame(peer, FRAME_SETTINGS, FLAG_ACK, 0, NULL, 0);
        }
        if (head[3] == FRAME_HEADERS) {
            atomic_fetch_add(&peer->server->requests, 1);
            buffer_clear(&peer->body);
        }
        if (head[3] == FRAME_DATA) buffer_add(&peer->body, peer->input.data + 9, size);
        buffer_drop(&peer->input, 9 + size);
        if (head[3] <= FRAME_HEADERS && (head[4] & FLAG_END_STREAM) != 0) return stream;
    }
    return 0;
}

static inline void hpack_text(struct buffer *block, const char *text) {
    size_t size = strlen(text);
    if (size < 127) {
        buffer_putc(block, (char)size);
    } else {
        buffer_putc(block, 127);
        for (size -= 127; size >= 128; size >>= 7) buffer_putc(block, (char)((size & 127) | 128));
        buffer_putc(block, (char)size);
    }
    buffer_puts(block, text);
}

// Sends headers given as name, value, ..., NULL; literals without Huffman coding.
static inline void h2_headers(struct peer *peer, unsigned stream, unsigned flags, const char *const *texts) {
    BUFFER_AUTO block;
    buffer_init(&block, BUFFER_UNLIMITED);
    for (size_t i = 0; texts[i] != NULL; i += 2) {
        buffer_putc(&block, 0);
        hpack_text(&block, texts[i]);
        hpack_text(&block, texts[i + 1]);
    }
    h2_frame(peer, FRAME_HEADERS, FLAG_END_HEADERS | flags, stream, block.data, block.size);
}

#define H2_TEXTS(...) ((const char *const[]){__VA_ARGS__, NULL})

static inline void h2_begin(struct peer *peer, unsigned stream) {
    h2_headers(peer, stream, 0, H2_TEXTS(":status", "200", "content-type", "application/grpc"));
}

static inline void h2_end(struct peer *peer, unsigned stream, const char *status, const char *message) {
    h2_headers(peer, stream, FLAG_END_STREAM, H2_TEXTS("grpc-status", status, "grpc-message", message));
}

// A whole answer: the request's own message comes back.
static inline void h2_echo(struct peer *peer, unsigned stream) {
    h2_begin(peer, stream);
    h2_frame(peer, FRAME_DATA, 0, stream, peer->body.data, peer->body.size);
    h2_end(peer, stream, "0", "");
}

// Each connection gives one answer and is closed once the client has it.
static inline void serve_one_answer(struct peer *peer) {
    if (!h2_open(peer, 0, 0)) return;
    unsigned stream = h2_request(peer);
    if (stream == 0) return;
    h2_echo(peer, stream);
    unsigned answers = peer->server->requests;
    while (peer->server->told < answers && !peer->server->stop) usleep(1000);
    peer_close(peer);
    atomic_fetch_add(&peer->server->closed, 1);
}

static inline void serve_echo(struct peer *peer) {
    if (!h2_open(peer, 0, 0)) return;
    for (unsigned stream = h2_request(peer); stream != 0; stream = h2_request(peer)) h2_echo(peer, stream);
}

// ---- the server

static inline void *peer_main(void *context) {
    struct peer *peer = context;
    if (peer->server->tls != NULL) {
        peer->ssl = SSL_new(peer->server->tls);
        SSL_set_fd(peer->ssl, peer->fd);
    }
    if (peer->ssl == NULL || SSL_accept(peer->ssl) == 1) peer->server->script(peer);
    peer_close(peer);
    SSL_free(peer->ssl);
    buffer_release(&peer->input);
    buffer_release(&peer->body);
    return NULL;
}

static inline void *server_main(void *context) {
    struct fake_server *server = context;
    while (!atomic_load(&server->stop)) {
        struct pollfd wait = {.fd = server->fd, .events = POLLIN};
        if (poll(&wait, 1, 20) <= 0) continue;
        int fd = accept(server->fd, NULL, NULL);
        if (fd < 0) continue;
        unsigned number = atomic_fetch_add(&server->connections, 1);
        if (number >= PEERS_MAX) {
            close(fd);
            continue;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        struct peer *peer = &server->peers[number];
        *peer = (struct peer){.server = server, .number = number, .fd = fd};
        buffer_init(&peer->input, BUFFER_UNLIMITED);
        buffer_init(&peer->body, BUFFER_UNLIMITED);
        if (pthread_create(&peer->thread, NULL, peer_main, peer) != 0) abort();
    }
    return NULL;
}

static inline int listen_on_loopback(int backlog, char address[32]) {
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof place;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&place, size) == 0 && listen(fd, backlog) == 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&place, &size), 0);
    snprintf(address, 32, "127.0.0.1:%u", ntohs(place.sin_port));
    return fd;
}

static inline struct fake_server *fake_server_new(peer_script *script, SSL_CTX *tls, unsigned value) {
    struct fake_server *server = memory_new(struct fake_server);
    server->script = script;
    server->tls = tls;
    server->value = value;
    server->fd = listen_on_loopback(1024, server->address);
    assert_int_equal(pthread_create(&server->thread, NULL, server_main, server), 0);
    return server;
}

static inline void fake_server_free(struct fake_server *server) {
    atomic_store(&server->stop, true);
    pthread_join(server->thread, NULL);
    for (unsigned i = 0; i < server->connections && i < PEERS_MAX; i++) {
        pthread_join(server->peers[i].thread, NULL);
    }
    close(server->fd);
    free(server);
}

// ---- the client

struct client {
    struct transport *transport;
    struct log log;
    struct buffer records;  // what was logged
    struct error error;
};

static inline void client_log(void *context, const struct log_record *record) {
    struct client *client = context;
    buffer_printf(&client->records, "%s %s %s\n", record->server, record->method, record->message);
}

static inline struct client *client_new(int wake_fd) {
    struct client *client = memory_new(struct client);
    client->log = (struct log){.least = LOG_DEBUG, .context = client, .write = client_log};
    buffer_init(&client->records, BUFFER_UNLIMITED);
    client->transport = curl_transport_new(
        &(struct curl_transport_setup){.log = &client->log, .wake_fd = wake_fd}, &client->error);
    assert_non_null(client->transport);
    return client;
}

static inline void client_free(struct client *client) {
    client->transport->operations->free(client->transport);
    buffer_release(&client->records);
    error_release(&client->error);
    free(client);
}

// A call and what became of it.
struct asked {
    struct call call;
    struct reply reply;
    void *handle;
    bool done;
};

static inline void asked_done(void *context, struct reply *reply) {
    struct asked *asked = context;
    assert_false(asked->done);
    asked->reply = *reply;
    *reply = (struct reply){0};
    asked->done = true;
}

static inline struct server plain_server(const struct fake_server *fake) {
    return (struct server){.name = "Handler", .address = fake->address, .plain = true};
}

static inline void ask_grpc(struct client *client, struct asked *asked, const struct server *server,
                            const char *body, int64_t timeout) {
    asked->call.kind = CALL_GRPC;
    asked->call.server = server;
    asked->call.method = "/test.Service/Method";
    asked->call.body = body;
    asked->call.body_size = strlen(body);
    asked->handle =
        client->transport->operations->start(client->transport, &asked->call, timeout, asked_done, asked);
}

static inline void ask_http(struct client *client, struct asked *asked, const struct server *server,
                            const char *method, const char *path, int64_t timeout) {
    asked->call.kind = CALL_HTTP;
    asked->call.server = server;
    asked->call.method = method;
    asked->call.path = path;
    asked->handle =
        client->transport->operations->start(client->transport, &asked->call, timeout, asked_done, asked);
}

static inline void client_turn(struct client *client) {
    assert_int_equal(client->transport->operations->wait(client->transport, 50 * NS_PER_MS, &client->error),
                     0);
}

static inline void client_wait(struct client *client, const struct asked *asked, size_t count) {
    for (size_t i = 0; i < count;) {
        if (asked[i].done) {
            i++;
        } else {
            client_turn(client);
        }
    }
}

static inline void asked_release(struct asked *asked, size_t count) {
    for (size_t i = 0; i < count; i++) {
        reply_release(&asked[i].reply);
        asked[i] = (struct asked){0};
    }
}

// A generous time for whatever should not take time.
#define LONG_TIME (20 * NS_PER_SECOND)

#endif
