// SPDX-License-Identifier: Apache-2.0
// The sockets of libcurl's connections, known by their local ports, which is what libcurl tells about a
// connection before it sends on it.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "net/curl_p.h"

static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address) {
    (void)purpose;
    struct curl_sockets *sockets = context;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd < 0) return CURL_SOCKET_BAD;
    sockets->fds = memory_resize(sockets->fds, sockets->count + 1, sizeof *sockets->fds);
    sockets->fds[sockets->count++] = fd;
    return fd;
}

static int close_socket(void *context, curl_socket_t fd) {
    struct curl_sockets *sockets = context;
    for (size_t i = 0; i < sockets->count; i++) {
        if (sockets->fds[i] == fd) sockets->fds[i] = sockets->fds[--sockets->count];
    }
    return close(fd);
}

bool curl_sockets_apply(struct curl_sockets *sockets, CURL *easy) {
    return curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, sockets) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, sockets) == CURLE_OK;
}

static int local_port_of(int fd) {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address = {0};
    socklen_t size = sizeof address;
    if (getsockname(fd, &address.any, &size) != 0) return -1;
    return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

bool curl_sockets_ended(const struct curl_sockets *sockets, int local_port) {
    for (size_t i = 0; i < sockets->count; i++) {
        if (local_port_of(sockets->fds[i]) != local_port) continue;
        struct pollfd poller = {.fd = sockets->fds[i], .events = POLLRDHUP};
        return poll(&poller, 1, 0) == 1;
    }
    return false;
}

void curl_sockets_release(struct curl_sockets *sockets) {
    free(sockets->fds);
    *sockets = (struct curl_sockets){0};
}
