// SPDX-License-Identifier: Apache-2.0
// A server on loopback that plays bytes as a test tells it: for what no well-behaved server does. Each
// connection has a thread of its own, which runs the test's play; HTTP/2 frames are made by hand.
#ifndef TESTS_SCRIPTED_SERVER_H
#define TESTS_SCRIPTED_SERVER_H

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scripted_server;

struct connection {
    struct scripted_server *server;
    int fd;
    SSL *ssl;         // or NULL
    unsigned number;  // of the connection, from 0
};

// Plays one connection, which is closed afterwards.
typedef void scripted_play(struct connection *connection);

enum { CONNECTIONS_MAX = 64 };

struct scripted_server {
    scripted_play *play;
    SSL_CTX *tls;        // borrowed; or NULL
    int fd;              // listening
    char address[32];    // "127.0.0.1:port"
    char localhost[32];  // "localhost:port"
    atomic_uint connections;
    atomic_uint requests;  // complete ones
    pthread_t thread;
    pthread_t threads[CONNECTIONS_MAX];
    struct connection places[CONNECTIONS_MAX];
};

void scripted_server_start(struct scripted_server *server, scripted_play *play, SSL_CTX *tls);
void scripted_server_stop(struct scripted_server *server);

// False at the end of the stream, or after 5 s.
bool connection_read(struct connection *connection, void *data, size_t size);
void connection_write(struct connection *connection, const void *data, size_t size);
void connection_puts(struct connection *connection, const char *text);

// Closes with a reset (RST) instead of an orderly end.
void connection_reset(struct connection *connection);

// Waits until the other side closes.
void connection_wait_end(struct connection *connection);

// Reads an HTTP/1.1 request with its body into `text` (cut at its size). False if none came.
bool http1_read_request(struct connection *connection, char *text, size_t size);

// ---- HTTP/2

enum h2_type { H2_DATA, H2_HEADERS, H2_PRIORITY, H2_RST_STREAM, H2_SETTINGS, H2_PUSH, H2_PING, H2_GOAWAY };
enum { H2_END_STREAM = 1, H2_ACK = 1, H2_END_HEADERS = 4 };
enum { H2_NO_ERROR = 0, H2_INTERNAL_ERROR = 2, H2_REFUSED_STREAM = 7, H2_CANCEL = 8, H2_CALM = 11 };

// Reads the client's preface and sends SETTINGS; `streams` is the most at once, 0 = not said.
bool h2_begin(struct connection *connection, uint32_t streams);

// Reads frames until a request is complete; its stream's number, or 0 if the connection ended.
uint32_t h2_read_request(struct connection *connection);

void h2_frame(struct connection *connection, enum h2_type type, uint8_t flags, uint32_t stream,
              const void *payload, size_t size);

// Names and values in turn, ended by NULL.
void h2_headers(struct connection *connection, uint32_t stream, bool last, const char *const *fields);
void h2_data(struct connection *connection, uint32_t stream, bool last, const void *data, size_t size);
void h2_error(struct connection *connection, enum h2_type type, uint32_t stream, uint32_t code);

// A whole answer: headers, one message, trailers with status OK.
void h2_answer(struct connection *connection, uint32_t stream, const void *message, size_t size);

#endif
