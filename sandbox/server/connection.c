// SPDX-License-Identifier: Apache-2.0
#include "server/connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum { FD_MOST = 65536 };

// "ipv4:127.0.0.1:40000" or "ipv6:%5B::1%5D:40000". The C core listens on IPv6 sockets that take IPv4 as
// well.
static void format_peer(int fd, char *text, size_t size) {
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    char host[INET6_ADDRSTRLEN] = "";
    struct sockaddr_in ipv4 = {0};
    struct sockaddr_in6 ipv6 = {0};
    *text = '\0';
    if (getpeername(fd, (struct sockaddr *)&address, &length) != 0) return;
    if (address.ss_family == AF_INET6) memcpy(&ipv6, &address, sizeof ipv6);
    if (address.ss_family == AF_INET) memcpy(&ipv4, &address, sizeof ipv4);
    if (address.ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&ipv6.sin6_addr)) {
        memcpy(&ipv4.sin_addr, ipv6.sin6_addr.s6_addr + 12, sizeof ipv4.sin_addr);
        ipv4.sin_port = ipv6.sin6_port;
        address.ss_family = AF_INET;
    }
    if (address.ss_family == AF_INET) {
        inet_ntop(AF_INET, &ipv4.sin_addr, host, sizeof host);
        snprintf(text, size, "ipv4:%s:%u", host, (unsigned)ntohs(ipv4.sin_port));
    } else if (address.ss_family == AF_INET6) {
        inet_ntop(AF_INET6, &ipv6.sin6_addr, host, sizeof host);
        snprintf(text, size, "ipv6:%%5B%s%%5D:%u", host, (unsigned)ntohs(ipv6.sin6_port));
    }
}

static int find_socket(const char *peer) {
    struct rlimit limit = {.rlim_cur = FD_MOST};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > FD_MOST) limit.rlim_cur = FD_MOST;
    char text[80];
    for (int fd = 3; fd < (int)limit.rlim_cur; fd++) {
        format_peer(fd, text, sizeof text);
        if (strcmp(text, peer) == 0) return fd;
    }
    return -1;
}

// The socket stays with its owner, which sees an error on it and closes it. Disconnecting a TCP socket
// (connect to an address of no family) sends the reset at once.
void connection_reset(const char *peer) {
    int fd = find_socket(peer);
    if (fd < 0) return;
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    if (connect(fd, &none, sizeof none) != 0) shutdown(fd, SHUT_RDWR);
}

// Only the way out is closed: closing both would turn what is still to be read into a reset.
void connection_end(const char *peer) {
    int fd = find_socket(peer);
    if (fd >= 0) shutdown(fd, SHUT_WR);
}

void connection_garbage(const char *peer) {
    static const char garbage[] = "\x7F\x7F\x7Fthis is neither HTTP nor TLS\r\n\r\n\xFF\xFE\xFD\xFC";
    int fd = find_socket(peer);
    if (fd < 0) return;
    if (send(fd, garbage, sizeof garbage - 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) return;
    shutdown(fd, SHUT_WR);
}
