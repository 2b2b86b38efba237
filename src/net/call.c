// SPDX-License-Identifier: Apache-2.0
#include "net/call.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

// The most of a server's own words that an error repeats.
#define WORDS_LIMIT 1024

void call_add_header(struct call *call, const char *name, const char *value) {
    assert(call->header_count < CALL_HEADERS_MAX);
    call->headers[call->header_count++] = (struct call_header){.name = name, .value = value};
}

void reply_add_header(struct reply *reply, const char *name, size_t name_size, const char *value,
                      size_t value_size) {
    // Grows at every power of two.
    if ((reply->header_count & (reply->header_count - 1)) == 0) {
        size_t capacity = reply->header_count == 0 ? 8 : reply->header_count * 2;
        if (reply->header_count == 0 || capacity > 8) {
            reply->headers = memory_resize(reply->headers, capacity, sizeof *reply->headers);
        }
    }
    char *text = memory_alloc(name_size + value_size + 2, 1);
    for (size_t i = 0; i < name_size; i++) text[i] = (char)tolower((unsigned char)name[i]);
    memcpy(text + name_size + 1, value, value_size);
    reply->headers[reply->header_count++] =
        (struct reply_header){.name = text, .value = text + name_size + 1};
}

const char *reply_header(const struct reply *reply, const char *name) {
    for (size_t i = reply->header_count; i > 0; i--) {
        if (strcmp(reply->headers[i - 1].name, name) == 0) return reply->headers[i - 1].value;
    }
    return NULL;
}

bool reply_ok(const struct reply *reply, enum call_kind kind) {
    if (reply->outcome != REPLY_ANSWERED) return false;
    if (kind == CALL_GRPC) return reply->grpc_status == GRPC_OK;
    return reply->http_status >= 200 && reply->http_status < 300;
}

bool reply_refused(const struct reply *reply, enum call_kind kind) {
    if (reply->outcome != REPLY_ANSWERED) return false;
    if (reply->http_status == HTTP_TOO_MANY_REQUESTS) return true;
    return kind == CALL_GRPC && reply->grpc_status == GRPC_RESOURCE_EXHAUSTED;
}

void reply_forget_headers(struct reply *reply) {
    for (size_t i = 0; i < reply->header_count; i++) {
        struct reply_header *header = &reply->headers[i];
        size_t name_size = (size_t)(header->value - header->name);
        memory_wipe(header->name, name_size + strlen(header->value));
        free(header->name);
    }
    free(reply->headers);
    reply->headers = NULL;
    reply->header_count = 0;
}

void reply_release(struct reply *reply) {
    reply_forget_headers(reply);
    memory_free_secret(reply->message);
    buffer_release(&reply->body);
    *reply = (struct reply){0};
}

// The size of the UTF-8 sequence at `text` that is fit for a terminal (no control character, no
// character that turns the direction of writing), or 0.
static size_t printable_size(const unsigned char *text, size_t size) {
    if (text[0] < 0x80) return text[0] >= 0x20 && text[0] != 0x7F ? 1 : 0;
    size_t length = text[0] >= 0xF0 ? 4 : text[0] >= 0xE0 ? 3 : 2;
    if (text[0] < 0xC2 || text[0] > 0xF4 || length > size) return 0;
    uint32_t code = text[0] & (0x7FU >> length);
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xC0) != 0x80) return 0;
        code = code << 6 | (text[i] & 0x3FU);
    }
    static const uint32_t least[] = {0, 0, 0xA0, 0x800, 0x10000};
    if (code < least[length] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return 0;
    bool turns = (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
    bool breaks = code == 0x2028 || code == 0x2029;
    return turns || breaks ? 0 : length;
}

// Appends a server's words in a form that can do no harm to a terminal or a line of log.
static void add_words(struct buffer *text, const char *words, size_t size) {
    const unsigned char *bytes = (const unsigned char *)words;
    size_t used = 0;
    for (size_t i = 0; i < size;) {
        size_t length = printable_size(bytes + i, size - i);
        if (used + 4 > WORDS_LIMIT) {
            buffer_puts(text, "...");
            return;
        }
        if (length > 0) {
            buffer_add(text, bytes + i, length);
            used += length;
            i += length;
        } else if (bytes[i] == '\n' || bytes[i] == '\t' || bytes[i] == '\r') {
            buffer_puts(text, bytes[i] == '\n' ? "\\n" : bytes[i] == '\t' ? "\\t" : "\\r");
            used += 2;
            i++;
        } else {
            buffer_printf(text, "\\x%02x", bytes[i]);
            used += 4;
            i++;
        }
    }
}

struct status_text {
    int status;
    const char *words;
    enum error_code code;
};

static const struct status_text grpc_texts[] = {
    {GRPC_CANCELLED, "cancelled", ERROR_UNAVAILABLE},
    {GRPC_UNKNOWN, "unknown error", ERROR_REFUSED},
    {GRPC_INVALID_ARGUMENT, "invalid argument", ERROR_REFUSED},
    {GRPC_DEADLINE_EXCEEDED, "deadline exceeded", ERROR_TIMEOUT},
    {GRPC_NOT_FOUND, "not found", ERROR_NOT_FOUND},
    {GRPC_ALREADY_EXISTS, "already exists", ERROR_REFUSED},
    {GRPC_PERMISSION_DENIED, "permission denied", ERROR_DENIED},
    {GRPC_RESOURCE_EXHAUSTED, "resource exhausted", ERROR_UNAVAILABLE},
    {GRPC_FAILED_PRECONDITION, "failed precondition", ERROR_REFUSED},
    {GRPC_ABORTED, "aborted", ERROR_UNAVAILABLE},
    {GRPC_OUT_OF_RANGE, "out of range", ERROR_REFUSED},
    {GRPC_UNIMPLEMENTED, "not implemented", ERROR_REFUSED},
    {GRPC_INTERNAL, "internal error", ERROR_REFUSED},
    {GRPC_UNAVAILABLE, "unavailable", ERROR_UNAVAILABLE},
    {GRPC_DATA_LOSS, "data loss", ERROR_REFUSED},
    {GRPC_UNAUTHENTICATED, "unauthenticated", ERROR_DENIED},
};

static const struct status_text http_texts[] = {
    {301, "moved permanently", ERROR_REFUSED},
    {302, "moved", ERROR_REFUSED},
    {307, "moved", ERROR_REFUSED},
    {308, "moved permanently", ERROR_REFUSED},
    {400, "bad request", ERROR_REFUSED},
    {401, "unauthorized", ERROR_DENIED},
    {403, "forbidden", ERROR_DENIED},
    {404, "not found", ERROR_NOT_FOUND},
    {405, "method not allowed", ERROR_REFUSED},
    {408, "request timeout", ERROR_TIMEOUT},
    {409, "conflict", ERROR_REFUSED},
    {410, "gone", ERROR_NOT_FOUND},
    {422, "unprocessable content", ERROR_REFUSED},
    {429, "too many requests", ERROR_UNAVAILABLE},
    {500, "internal server error", ERROR_REFUSED},
    {501, "not implemented", ERROR_REFUSED},
    {502, "bad gateway", ERROR_UNAVAILABLE},
    {503, "service unavailable", ERROR_UNAVAILABLE},
    {504, "gateway timeout", ERROR_TIMEOUT},
};

static struct status_text find_text(const struct status_text *texts, size_t count, int status) {
    for (size_t i = 0; i < count; i++) {
        if (texts[i].status == status) return texts[i];
    }
    return (struct status_text){.status = status, .words = "refused", .code = ERROR_REFUSED};
}

// An error's body is worth repeating if a person can read it; a proxy's page is not.
static bool readable_body(const struct reply *reply) {
    const char *type = reply_header(reply, "content-type");
    if (type == NULL || reply->body.size == 0) return false;
    return strncmp(type, "text/plain", 10) == 0 || strstr(type, "json") != NULL;
}

// "not found (5): words" or "not found (HTTP 404): words".
static enum error_code add_status(struct buffer *text, const struct reply *reply, enum call_kind kind) {
    bool grpc = kind == CALL_GRPC && (reply->http_status == HTTP_OK || reply->http_status == 0 ||
                                      reply_header(reply, "grpc-status") != NULL);
    struct status_text found =
        grpc ? find_text(grpc_texts, sizeof grpc_texts / sizeof *grpc_texts, (int)reply->grpc_status)
             : find_text(http_texts, sizeof http_texts / sizeof *http_texts, reply->http_status);
    buffer_printf(text, grpc ? "%s (%d)" : "%s (HTTP %d)", found.words, found.status);
    if (grpc && reply->message != NULL && reply->message[0] != '\0') {
        buffer_puts(text, ": ");
        add_words(text, reply->message, strlen(reply->message));
    } else if (!grpc && readable_body(reply)) {
        buffer_puts(text, ": ");
        add_words(text, (const char *)reply->body.data, reply->body.size);
    }
    return found.code;
}

static enum error_code outcome_code(const struct reply *reply) {
    switch (reply->outcome) {
        case REPLY_NOT_SENT:
        case REPLY_LOST:
            return reply->timed_out || reply->unreached ? ERROR_TIMEOUT : ERROR_UNAVAILABLE;
        case REPLY_UNTRUSTED:
            return ERROR_DENIED;
        case REPLY_UNUSABLE:
            return ERROR_INPUT;
        case REPLY_DRY:
            return ERROR_CANCELLED;
        case REPLY_ANSWERED:
        case REPLY_MALFORMED:
            break;
    }
    return ERROR_PROTOCOL;
}

static void add_hint(const struct reply *reply, struct error *error) {
    if (reply->outcome == REPLY_UNTRUSTED) {
        error_hint(error,
                   "If you trust this server, give the certificate of its authority as an additional root");
    } else if (reply->unreached) {
        error_hint(error, "Check the server's address, that it runs, and that no firewall is in between");
    }
}

bool reply_refuses(const struct reply *reply) {
    if (reply->outcome != REPLY_ANSWERED) return false;
    switch (reply->grpc_status) {
        case GRPC_INVALID_ARGUMENT:
        case GRPC_NOT_FOUND:
        case GRPC_ALREADY_EXISTS:
        case GRPC_PERMISSION_DENIED:
        case GRPC_FAILED_PRECONDITION:
        case GRPC_OUT_OF_RANGE:
        case GRPC_UNIMPLEMENTED:
        case GRPC_UNAUTHENTICATED:
            return true;
        default:
            return false;
    }
}

bool call_may_pass(enum error_code code) {
    return code == ERROR_UNAVAILABLE || code == ERROR_TIMEOUT || code == ERROR_PROTOCOL;
}

int reply_error(const struct reply *reply, const struct call *call, struct error *error) {
    if (reply_ok(reply, call->kind)) return 0;
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    enum error_code code = outcome_code(reply);
    if (!reply->unreached) {
        buffer_printf(&text, "%s: %s", call->server->name, call->method);
        // What follows the question mark may hold a credential.
        if (call->path != NULL) buffer_printf(&text, " %.*s", (int)strcspn(call->path, "?"), call->path);
        buffer_puts(&text, ": ");
    }
    if (reply->outcome == REPLY_ANSWERED) {
        code = add_status(&text, reply, call->kind);
    } else if (reply->outcome == REPLY_DRY) {
        buffer_puts(&text, "not made in a dry run");
    } else if (reply->message != NULL) {
        add_words(&text, reply->message, strlen(reply->message));
    } else {
        buffer_puts(&text, reply->outcome == REPLY_MALFORMED ? "the answer is malformed" : "no answer");
    }
    error_set(error, code, "%s", buffer_string(&text));
    add_hint(reply, error);
    return -(int)code;
}

bool reply_hint_tls(const struct reply *reply, const char *ca_flag, const char *plain_flag,
                    struct error *error) {
    bool untrusted = reply->outcome == REPLY_UNTRUSTED;
    if (untrusted) error_hint(error, "name the certificate to trust with %s FILE", ca_flag);
    if (reply->no_tls)
        error_hint(error,
                   "check the port; if it is meant to be without TLS, where everybody on the way can read "
                   "the keys: %s",
                   plain_flag);
    return untrusted || reply->no_tls;
}

static bool host_character(char c, bool bracketed) {
    if (isalnum((unsigned char)c) || c == '.' || c == '-') return true;
    return bracketed ? c == ':' || c == '%' : c == '_';
}

// Skips a host; NULL if it is none.
static const char *skip_host(const char *address) {
    bool bracketed = address[0] == '[';
    const char *end = address + (bracketed ? 1 : 0);
    const char *start = end;
    while (*end != '\0' && host_character(*end, bracketed)) end++;
    if (end == start || end - start > 255) return NULL;
    if (bracketed && *end++ != ']') return NULL;
    return end;
}

int server_check_address(const char *address, struct error *error) {
    const char *port = skip_host(address);
    bool good = port != NULL;
    if (good && *port == ':') {
        size_t digits = strspn(port + 1, "0123456789");
        long number = digits >= 1 && digits <= 5 ? strtol(port + 1, NULL, 10) : 0;
        good = port[1 + digits] == '\0' && number >= 1 && number <= 65535;
    } else if (good) {
        good = *port == '\0';
    }
    if (good) return 0;
    BUFFER_AUTO shown;
    buffer_init(&shown, BUFFER_UNLIMITED);
    add_words(&shown, address, strlen(address));
    return error_set(error, ERROR_INPUT, "\"%s\" is not an address of the form host:port",
                     buffer_string(&shown));
}
