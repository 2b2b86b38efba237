// SPDX-License-Identifier: Apache-2.0
#include "support/scripted_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static void give_up(const char *what) {
    perror(what);
    abort();
}

static void *connection_main(void *context) {
    struct connection *connection = context;
    bool ready = true;
    if (connection->server->tls != NULL) {
        connection->ssl = SSL_new(connection->server->tls);
        SSL_set_fd(connection->ssl, connection->fd);
        ready = SSL_accept(connection->ssl) == 1;
    }
    if (ready) connection->server->play(connection);
    if (connection->ssl != NULL) {
        if (ready && connection->fd >= 0) SSL_shutdown(connection->ssl);
        SSL_free(connection->ssl);
    }
    if (connection->fd >= 0) close(connection->fd);
    return NULL;
}

static void *server_main(void *context) {
    struct scripted_server *server = context;
    for (;;) {
        int fd = accept(server->fd, NULL, NULL);
        if (fd < 0) return NULL;
        struct timeval limit = {.tv_sec = 5};
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        unsigned number = server->connections;
        if (number >= CONNECTIONS_MAX) give_up("too many connections");
        server->places[number] = (struct connection){.server = server, .fd = fd, .number = number};
        if (pthread_create(&server->threads[number], NULL, connection_main, &server->places[number]) != 0) {
            give_up("thread");
        }
        server->connections++;
    }
}

void scripted_server_start(struct scripted_server *server, scripted_play *play, SSL_CTX *tls) {
    memset(server, 0, sizeof *server);
    server->play = play;
    server->tls = tls;
    server->fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof place;
    if (server->fd < 0 || bind(server->fd, (struct sockaddr *)&place, size) != 0 ||
        listen(server->fd, 64) != 0 || getsockname(server->fd, (struct sockaddr *)&place, &size) != 0) {
        give_up("listen");
    }
    snprintf(server->address, sizeof server->address, "127.0.0.1:%d", ntohs(place.sin_port));
    snprintf(server->localhost, sizeof server->localhost, "localhost:%d", ntohs(place.sin_port));
    if (pthread_create(&server->thread, NULL, server_main, server) != 0) give_up("thread");
}

void scripted_server_stop(struct scripted_server *server) {
    shutdown(server->fd, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    for (unsigned i = 0; i < server->connections; i++) pthread_join(server->threads[i], NULL);
    close(server->fd);
}

bool connection_read(struct connection *connection, void *data, size_t size) {
    uint8_t *bytes = data;
    while (size > 0) {
        ssize_t got = connection->ssl != NULL ? SSL_read(connection->ssl, bytes, (int)size)
                                              : recv(connection->fd, bytes, size, 0);
        if (got <= 0) return false;
        bytes += got;
        size -= (size_t)got;
    }
    return true;
}

void connection_write(struct connection *connection, const void *data, size_t size) {
    const uint8_t *bytes = data;
    while (size > 0) {
        ssize_t sent = connection->ssl != NULL ? SSL_write(connection->ssl, bytes, (int)size)
                                               : send(connection->fd, bytes, size, MSG_NOSIGNAL);
        if (sent <= 0) return;
        bytes += sent;
        size -= (size_t)sent;
    }
}

void connection_puts(struct connection *connection, const char *text) {
    connection_write(connection, text, strlen(text));
}

void connection_reset(struct connection *connection) {
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    close(connection->fd);
    connection->fd = -1;
}

void connection_wait_end(struct connection *connection) {
    uint8_t byte = 0;
    while (connection_read(connection, &byte, 1)) continue;
}

bool http1_read_request(struct connection *connection, char *text, size_t size) {
    size_t length = 0;
    while (length < 4 || memcmp(text + length - 4, "\r\n\r\n", 4) != 0) {
        if (length + 1 >= size || !connection_read(connection, text + length, 1)) return false;
        length++;
    }
    text[length] = '\0';
    const char *header = strcasestr(text, "content-length:");
    size_t body = header != NULL ? strtoul(header + 15, NULL, 10) : 0;
    if (body >= size - length || !connection_read(connection, text + length, body)) return false;
    text[length + body] = '\0';
    connection->server->requests++;
    return true;
}

// ---- HTTP/2 (RFC 9113)

void h2_frame(struct connection *connection, enum h2_type type, uint8_t flags, uint32_t stream,
              const void *payload, size_t size) {
    uint8_t *frame = malloc(9 + size);
    if (frame == NULL) give_up("memory");
    const uint8_t head[9] = {
        (uint8_t)(size >> 16),   (uint8_t)(size >> 8),    (uint8_t)size,          (uint8_t)type,  flags,
        (uint8_t)(stream >> 24), (uint8_t)(stream >> 16), (uint8_t)(stream >> 8), (uint8_t)stream};
    memcpy(frame, head, 9);
    if (size > 0) memcpy(frame + 9, payload, size);
    connection_write(connection, frame, 9 + size);
    free(frame);
}

bool h2_begin(struct connection *connection, uint32_t streams) {
    const uint8_t setting[6] = {
        0, 3, (uint8_t)(streams >> 24), (uint8_t)(streams >> 16), (uint8_t)(streams >> 8), (uint8_t)streams};
    h2_frame(connection, H2_SETTINGS, 0, 0, setting, streams > 0 ? sizeof setting : 0);
    char preface[24];
    return connection_read(connection, preface, sizeof preface) &&
           memcmp(preface, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24) == 0;
}

uint32_t h2_read_request(struct connection *connection) {
    uint8_t head[9];
    uint8_t payload[16384];
    while (connection_read(connection, head, sizeof head)) {
        size_t size = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
        uint32_t stream =
            (uint32_t)head[5] << 24 | (uint32_t)head[6] << 16 | (uint32_t)head[7] << 8 | head[8];
        if (size > sizeof payload || !connection_read(connection, payload, size)) return 0;
        if (head[3] == H2_SETTINGS && (head[4] & H2_ACK) == 0) {
            h2_frame(connection, H2_SETTINGS, H2_ACK, 0, NULL, 0);
        }
        bool of_stream = head[3] == H2_DATA || head[3] == H2_HEADERS;
        if (of_stream && (head[4] & H2_END_STREAM) != 0) {
            connection->server->requests++;
            return stream;
        }
    }
    return 0;
}

void h2_headers(struct connection *connection, uint32_t stream, bool last, const char *const *fields) {
    // HPACK (RFC 7541): each field as a literal without indexing, with a new name, not Huffman-coded.
    uint8_t block[8192];
    size_t size = 0;
    for (size_t i = 0; fields[i] != NULL; i++) {
        size_t length = strlen(fields[i]);
        if (length > 5000 || size + length + 5 > sizeof block) give_up("headers too long");
        if (i % 2 == 0) block[size++] = 0;
        // A length of seven bits, continued in groups of seven.
        block[size++] = (uint8_t)(length < 127 ? length : 127);
        size_t rest = length < 127 ? 0 : length - 127;
        if (length >= 127) {
            for (; rest >= 128; rest >>= 7) block[size++] = (uint8_t)(rest | 128);
            block[size++] = (uint8_t)rest;
        }
        memcpy(block + size, fields[i], length);
        size += length;
    }
    h2_frame(connection, H2_HEADERS, H2_END_HEADERS | (last ? H2_END_STREAM : 0), stream, block, size);
}

void h2_data(struct connection *connection, uint32_t stream, bool last, const void *data, size_t size) {
    h2_frame(connection, H2_DATA, last ? H2_END_STREAM : 0, stream, data, size);
}

void h2_error(struct connection *connection, enum h2_type type, uint32_t stream, uint32_t code) {
    const uint8_t parts[8] = {
        (uint8_t)(stream >> 24), (uint8_t)(stream >> 16), (uint8_t)(stream >> 8), (uint8_t)stream,
        (uint8_t)(code >> 24),   (uint8_t)(code >> 16),   (uint8_t)(code >> 8),   (uint8_t)code};
    if (type == H2_GOAWAY) h2_frame(connection, type, 0, 0, parts, 8);
    if (type == H2_RST_STREAM) h2_frame(connection, type, 0, stream, parts + 4, 4);
}

void h2_answer(struct connection *connection, uint32_t stream, const void *message, size_t size) {
    static const char *const head[] = {":status", "200", "content-type", "application/grpc", NULL};
    static const char *const tail[] = {"grpc-status", "0", "grpc-message", "", NULL};
    uint8_t *frame = malloc(5 + size);
    if (frame == NULL) give_up("memory");
    const uint8_t prefix[5] = {0, (uint8_t)(size >> 24), (uint8_t)(size >> 16), (uint8_t)(size >> 8),
                               (uint8_t)size};
    memcpy(frame, prefix, 5);
    if (size > 0) memcpy(frame + 5, message, size);
    h2_headers(connection, stream, false, head);
    h2_data(connection, stream, false, frame, 5 + size);
    h2_headers(connection, stream, true, tail);
    free(frame);
}
