// SPDX-License-Identifier: Apache-2.0
// What the files of the libcurl transport share: servers as libcurl needs them (curl_server.c), single
// transfers (curl_exchange.c), and the loop around them (curl_transport.c).
#ifndef NET_CURL_P_H
#define NET_CURL_P_H

#include <curl/curl.h>

#include "net/curl_transport.h"
#include "net/grpc.h"

struct exchange;

// An intrusive, doubly linked list; an exchange is in exactly one.
struct exchange_list {
    struct exchange *first;
    struct exchange *last;
};

// Everything about a server that is worked out once. Two `struct server` of the same content share it.
struct curl_server {
    struct curl_server *next;
    char *address;
    char *ca_pem;    // or NULL
    char *tls_name;  // or NULL
    bool plain;
    bool only_ca_pem;
    bool spoke;  // it has answered a call

    char *origin;                   // scheme, host and port of the URL
    struct curl_slist *connect_to;  // where to connect instead; or NULL
    char *roots;                    // PEM text that replaces libcurl's own roots, or NULL
    size_t roots_size;
    char *unusable;  // why it cannot be used, or NULL

    // libcurl before 8.0 cannot take prior knowledge of HTTP/2 to a connection that is already there. A
    // plain server's first call makes the connection with prior knowledge; those after it, held until the
    // connection stands, join it as if HTTP/2 had been negotiated.
    bool opening;          // the first call is on its way
    bool open;             // the connection stands, as far as is known
    unsigned connections;  // that were made so far
    struct exchange_list held;
};

// Finds or makes the entry. Never NULL; look at `unusable`.
struct curl_server *curl_server_get(struct curl_server **list, const struct server *server);
void curl_server_free_all(struct curl_server **list);

// Gives a handle the server's trust and place.
bool curl_server_apply(const struct curl_server *server, CURL *easy);

// The sockets of all connections (curl_sockets.c).
struct curl_sockets {
    int *fds;  // owned; the descriptors are libcurl's
    size_t count;
};

// Has a handle open and close its sockets through the list, which must live until the last one is closed.
bool curl_sockets_apply(struct curl_sockets *sockets, CURL *easy);

// Whether the other end of the connection with this local port has been closed.
bool curl_sockets_ended(const struct curl_sockets *sockets, int local_port);

void curl_sockets_release(struct curl_sockets *sockets);

// A single transfer. Handle and buffers are kept for the next one.
struct exchange {
    struct exchange *previous;
    struct exchange *next;
    struct exchange_list *list;  // that it is in

    CURL *easy;                    // owned
    struct curl_sockets *sockets;  // borrowed
    const struct call *call;
    struct curl_server *server;
    int64_t timeout;  // ns
    transport_done *done;
    void *context;

    struct buffer request;       // body
    struct buffer text;          // URL and header lines, while the handle is set up
    struct curl_slist *headers;  // owned
    struct reply reply;
    struct grpc_decoder decoder;
    const char *fault;       // why the answer was refused while it came in; or NULL
    size_t header_bytes;     // of the answer
    bool sent;               // a connection was there and the request went out, at least in part
    bool repeated;           // libcurl wanted to send a change again
    bool opens;              // makes a plain server's connection (see curl_server)
    bool joins;              // must not make a connection
    bool misplaced;          // the connection was not one to send on: nothing was sent
    unsigned misplacements;  // how often
    unsigned connection;     // the newest of the server's when it was told to join
    char errors[CURL_ERROR_SIZE];
};

void exchange_list_add(struct exchange_list *list, struct exchange *exchange);
void exchange_list_remove(struct exchange *exchange);

// NULL if libcurl gives no handle.
struct exchange *exchange_new(CURLSH *share, struct curl_sockets *sockets);
void exchange_free(struct exchange *exchange);

// Sets everything up. False: the call cannot be made; the reply says why.
bool exchange_prepare(struct exchange *exchange);

// Before another attempt after `misplaced`.
bool exchange_set_version(struct exchange *exchange);

// Whether it was misplaced so often that it makes a connection of its own.
bool exchange_is_alone(const struct exchange *exchange);

// Turns libcurl's result into a reply.
void exchange_conclude(struct exchange *exchange, CURLcode code);

// Writes the record of a concluded call.
void exchange_trace(const struct exchange *exchange, const struct log *log);

// Ends as if libcurl had not taken it.
void exchange_refuse(struct exchange *exchange, enum reply_outcome outcome, const char *words);

// Wipes and forgets everything about the call.
void exchange_reset(struct exchange *exchange);

#endif
