// SPDX-License-Identifier: Apache-2.0
#include "net/address.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { HOST_MAX = 253, PORT_MAX = 65535 };

static int address_error(const char *text, const char *option, struct error *error) {
    return error_set(error, ERROR_USAGE, "%s: \"%s\" is no address of a server (host:port)", option, text);
}

static bool host_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
}

// The length of the host at the start of `text`; 0 if there is none.
static size_t host_length(const char *text) {
    if (text[0] == '[') {
        size_t size = 1 + strspn(text + 1, "0123456789abcdefABCDEF:.");
        return size > 1 && text[size] == ']' ? size + 1 : 0;
    }
    size_t size = 0;
    while (host_character(text[size])) size++;
    return size <= HOST_MAX ? size : 0;
}

// Reads ":port"; *end points behind it.
static bool parse_port(const char *text, const char **end, unsigned *port) {
    unsigned value = 0;
    size_t digits = strspn(text + 1, "0123456789");
    if (digits == 0 || digits > 5) return false;
    for (size_t i = 1; i <= digits; i++) value = value * 10 + (unsigned)(text[i] - '0');
    *port = value;
    *end = text + 1 + digits;
    return value >= 1 && value <= PORT_MAX;
}

int address_parse(const char *text, const char *option, unsigned port, bool port_for_schemes,
                  struct address *ret_address, struct error *error) {
    struct address address = {0};
    const char *rest = text;
    if (strncmp(text, "http://", 7) == 0) {
        address.plain = address.has_scheme = true;
        rest += 7;
    } else if (strncmp(text, "https://", 8) == 0) {
        address.has_scheme = true;
        rest += 8;
    }
    if (address.has_scheme && !port_for_schemes) port = address.plain ? 80 : 443;
    const char *host = rest;
    size_t host_size = host_length(host);
    if (host_size == 0) return address_error(text, option, error);
    rest += host_size;
    if (*rest == ':' && !parse_port(rest, &rest, &port)) return address_error(text, option, error);
    if (*rest != '\0' && (*rest != '/' || !address.has_scheme)) return address_error(text, option, error);
    size_t prefix_size = strlen(rest);
    while (prefix_size > 0 && rest[prefix_size - 1] == '/') prefix_size--;
    address.host_port = memory_printf("%.*s:%u", (int)host_size, host, port);
    address.prefix = memory_strndup(rest, prefix_size);
    *ret_address = address;
    return 0;
}

void address_release(struct address *address) {
    free(address->host_port);
    free(address->prefix);
    *address = (struct address){0};
}
