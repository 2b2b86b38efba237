// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "net/curl_p.h"

// The most headers, and bytes of headers, that an answer may have.
enum { HEADERS_LIMIT = 256, HEADER_BYTES_LIMIT = 256 * 1024 };

enum { UPLOAD_BUFFER_SIZE = 16 * 1024 };

static size_t take_header(char *data, size_t unit, size_t size, void *context) {
    (void)unit;
    struct exchange *exchange = context;
    struct reply *reply = &exchange->reply;
    exchange->header_bytes += size;
    if (reply->header_count >= HEADERS_LIMIT || exchange->header_bytes > HEADER_BYTES_LIMIT) {
        exchange->fault = "there are too many headers in the answer";
        return CURL_WRITEFUNC_ERROR;
    }
    size_t length = size;
    while (length > 0 && isspace((unsigned char)data[length - 1])) length--;
    if (length >= 5 && memcmp(data, "HTTP/", 5) == 0) {
        // Another status line: what came before it were informational headers.
        reply_forget_headers(reply);
        return size;
    }
    const char *colon = memchr(data, ':', length);
    if (colon == NULL || colon == data) return size;
    const char *value = colon + 1;
    while (value < data + length && (*value == ' ' || *value == '\t')) value++;
    reply_add_header(reply, data, (size_t)(colon - data), value, (size_t)(data + length - value));
    return size;
}

static size_t take_body(char *data, size_t unit, size_t size, void *context) {
    (void)unit;
    struct exchange *exchange = context;
    if (exchange->call->kind == CALL_HTTP) {
        buffer_add(&exchange->reply.body, data, size);
        if (!exchange->reply.body.overflowed) return size;
        exchange->fault = grpc_fault_text(GRPC_FAULT_TOO_LARGE);
        return CURL_WRITEFUNC_ERROR;
    }
    // A page of text, from a proxy for instance, is judged by its status and type at the end.
    const char *type = reply_header(&exchange->reply, "content-type");
    if (type == NULL || !grpc_is_content_type(type)) return size;
    if (grpc_decoder_feed(&exchange->decoder, data, size)) return size;
    exchange->fault = grpc_fault_text(exchange->decoder.fault);
    return CURL_WRITEFUNC_ERROR;
}

// How often a call is to join a connection that turns out to be gone, or to take no more streams.
enum { JOINS_MAX = 3 };

// Called when a connection is there, right before the request goes out on it.
static int before_request(void *context, char *remote, char *local, int remote_port, int local_port) {
    (void)remote;
    (void)local;
    (void)remote_port;
    struct exchange *exchange = context;
    if (exchange->sent && exchange->call->changes) {
        exchange->repeated = true;
        return CURL_PREREQFUNC_ABORT;
    }
    long connections = 0;
    curl_easy_getinfo(exchange->easy, CURLINFO_NUM_CONNECTS, &connections);
    // libcurl before 8 takes a connection whose other end has been closed for a living one. What was sent on
    // it would be lost, and nobody would know whether it had been done.
    exchange->misplaced =
        connections > 0 ? exchange->joins : curl_sockets_ended(exchange->sockets, local_port);
    if (exchange->misplaced) {
        curl_easy_setopt(exchange->easy, CURLOPT_FORBID_REUSE, 1L);
        return CURL_PREREQFUNC_ABORT;
    }
    if (exchange->opens) {
        exchange->server->opening = false;
        exchange->server->open = true;
        exchange->server->connections++;
    }
    exchange->sent = true;
    return CURL_PREREQFUNC_OK;
}

void exchange_list_add(struct exchange_list *list, struct exchange *exchange) {
    exchange->list = list;
    exchange->next = NULL;
    exchange->previous = list->last;
    *(list->last != NULL ? &list->last->next : &list->first) = exchange;
    list->last = exchange;
}

void exchange_list_remove(struct exchange *exchange) {
    struct exchange_list *list = exchange->list;
    if (list == NULL) return;
    *(exchange->previous != NULL ? &exchange->previous->next : &list->first) = exchange->next;
    *(exchange->next != NULL ? &exchange->next->previous : &list->last) = exchange->previous;
    exchange->list = NULL;
    exchange->previous = exchange->next = NULL;
}

#define SET(option, value) (code = code == CURLE_OK ? curl_easy_setopt(easy, option, value) : code)

// What is the same for all calls.
static CURLcode set_constants(struct exchange *exchange, CURLSH *share) {
    CURL *easy = exchange->easy;
    CURLcode code = CURLE_OK;
    SET(CURLOPT_NOSIGNAL, 1L);
    // Does not wait for a name server that does not answer when a call is given up.
    SET(CURLOPT_QUICK_EXIT, 1L);
    SET(CURLOPT_NOPROGRESS, 1L);
    SET(CURLOPT_VERBOSE, getenv("DBG") != NULL);
    SET(CURLOPT_SHARE, share);
    SET(CURLOPT_PRIVATE, exchange);
    SET(CURLOPT_ERRORBUFFER, exchange->errors);
    SET(CURLOPT_HEADERFUNCTION, take_header);
    SET(CURLOPT_HEADERDATA, exchange);
    SET(CURLOPT_WRITEFUNCTION, take_body);
    SET(CURLOPT_WRITEDATA, exchange);
    SET(CURLOPT_PREREQFUNCTION, before_request);
    SET(CURLOPT_PREREQDATA, exchange);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    SET(CURLOPT_USERAGENT, "ttn-lw-migrate/" PROJECT_VERSION);
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    // Each handle that has sent a body keeps such a buffer: libcurl's own choice is 64 KiB.
    SET(CURLOPT_UPLOAD_BUFFERSIZE, (long)UPLOAD_BUFFER_SIZE);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    return code;
}

struct exchange *exchange_new(CURLSH *share, struct curl_sockets *sockets) {
    struct exchange *exchange = memory_new(struct exchange);
    exchange->sockets = sockets;
    buffer_init(&exchange->request, BUFFER_UNLIMITED);
    buffer_init(&exchange->text, BUFFER_UNLIMITED);
    exchange->easy = curl_easy_init();
    if (exchange->easy == NULL || set_constants(exchange, share) != CURLE_OK ||
        !curl_sockets_apply(sockets, exchange->easy)) {
        exchange_free(exchange);
        return NULL;
    }
    return exchange;
}

void exchange_free(struct exchange *exchange) {
    if (exchange->easy != NULL) curl_easy_cleanup(exchange->easy);
    exchange_reset(exchange);
    buffer_release(&exchange->request);
    buffer_release(&exchange->text);
    free(exchange);
}

void exchange_reset(struct exchange *exchange) {
    for (struct curl_slist *line = exchange->headers; line != NULL; line = line->next) {
        memory_wipe(line->data, strlen(line->data));
    }
    curl_slist_free_all(exchange->headers);
    exchange->headers = NULL;
    reply_release(&exchange->reply);
    buffer_clear(&exchange->request);
    buffer_clear(&exchange->text);
    exchange->call = NULL;
    exchange->server = NULL;
    exchange->fault = NULL;
    exchange->header_bytes = 0;
    exchange->misplacements = 0;
    exchange->sent = exchange->repeated = exchange->opens = exchange->joins = exchange->misplaced = false;
    exchange->errors[0] = '\0';
}

// Appends "name: value"; false if it would not stay on its line.
static bool add_header(struct exchange *exchange, const char *name, const char *value) {
    for (const char *c = name; *c != '\0'; c++) {
        if ((unsigned char)*c <= ' ' || *c == ':' || *c == 0x7F) return false;
    }
    for (const char *c = value; *c != '\0'; c++) {
        if (((unsigned char)*c < ' ' && *c != '\t') || *c == 0x7F) return false;
    }
    buffer_clear(&exchange->text);
    // libcurl's way to send a header without a value is a semicolon.
    buffer_printf(&exchange->text, *value != '\0' ? "%s: %s" : "%s;%s", name, value);
    struct curl_slist *list = curl_slist_append(exchange->headers, buffer_string(&exchange->text));
    if (list == NULL) return false;
    exchange->headers = list;
    return true;
}

static const char *set_headers(struct exchange *exchange) {
    const struct call *call = exchange->call;
    bool good = true;
    if (call->kind == CALL_GRPC) {
        char timeout[GRPC_TIMEOUT_SIZE];
        grpc_write_timeout(timeout, exchange->timeout);
        good = add_header(exchange, "content-type", "application/grpc") &&
               add_header(exchange, "te", "trailers") && add_header(exchange, "grpc-timeout", timeout);
    }
    for (size_t i = 0; good && i < call->header_count; i++) {
        good = add_header(exchange, call->headers[i].name, call->headers[i].value);
    }
    if (!good) return "a header of the call holds a control character";
    // Without this, libcurl waits for a "100 Continue" before it sends a large body.
    struct curl_slist *list = curl_slist_append(exchange->headers, "Expect:");
    if (list == NULL) return "out of memory";
    exchange->headers = list;
    return NULL;
}

static CURLcode set_grpc_request(struct exchange *exchange) {
    const struct call *call = exchange->call;
    uint8_t prefix[GRPC_PREFIX_SIZE];
    grpc_write_prefix(prefix, call->body_size);
    buffer_add(&exchange->request, prefix, sizeof prefix);
    buffer_add(&exchange->request, call->body, call->body_size);
    CURL *easy = exchange->easy;
    CURLcode code = CURLE_OK;
    SET(CURLOPT_POST, 1L);
    SET(CURLOPT_CUSTOMREQUEST, NULL);
    SET(CURLOPT_POSTFIELDS, exchange->request.data);
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)exchange->request.size);
    SET(CURLOPT_HTTPPROXYTUNNEL, 1L);
    return code;
}

static CURLcode set_http_request(struct exchange *exchange) {
    const struct call *call = exchange->call;
    bool post = strcmp(call->method, "POST") == 0 || call->body_size > 0;
    CURL *easy = exchange->easy;
    CURLcode code = CURLE_OK;
    SET(CURLOPT_HTTPGET, 1L);
    if (post) {
        buffer_add(&exchange->request, call->body, call->body_size);
        SET(CURLOPT_POST, 1L);
        SET(CURLOPT_POSTFIELDS, buffer_string(&exchange->request));
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)exchange->request.size);
    }
    SET(CURLOPT_CUSTOMREQUEST, strcmp(call->method, post ? "POST" : "GET") != 0 ? call->method : NULL);
    SET(CURLOPT_HTTPPROXYTUNNEL, 0L);
    return code;
}

static bool has_prior_knowledge_fault(void) {
    return curl_version_info(CURLVERSION_NOW)->version_num < 0x080000;
}

bool exchange_is_alone(const struct exchange *exchange) {
    return exchange->misplacements >= JOINS_MAX;
}

bool exchange_set_version(struct exchange *exchange) {
    long version = CURL_HTTP_VERSION_2TLS;
    bool fresh = exchange_is_alone(exchange);
    exchange->opens = exchange->joins = exchange->misplaced = false;
    if (exchange->call->kind == CALL_GRPC && exchange->server->plain) {
        version = CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
        if (has_prior_knowledge_fault()) {
            exchange->joins = exchange->server->open && !fresh;
            exchange->connection = exchange->server->connections;
            exchange->opens = fresh = !exchange->joins;
            if (exchange->joins) version = CURL_HTTP_VERSION_2_0;
        }
    }
    // HTTP without TLS has a connection for each call at a time, so there is none to wait for. libcurl would wait without
    // end for one that broke before its first answer.
    bool waits = exchange->call->kind == CALL_GRPC || !exchange->server->plain;
    return curl_easy_setopt(exchange->easy, CURLOPT_PIPEWAIT, waits ? 1L : 0L) == CURLE_OK &&
           curl_easy_setopt(exchange->easy, CURLOPT_FORBID_REUSE, 0L) == CURLE_OK &&
           curl_easy_setopt(exchange->easy, CURLOPT_HTTP_VERSION, version) == CURLE_OK &&
           curl_easy_setopt(exchange->easy, CURLOPT_FRESH_CONNECT, fresh ? 1L : 0L) == CURLE_OK;
}

static CURLcode set_call(struct exchange *exchange) {
    const struct call *call = exchange->call;
    int64_t milliseconds = (exchange->timeout + NS_PER_MS - 1) / NS_PER_MS;
    if (milliseconds < 1) milliseconds = 1;
    if (milliseconds > INT32_MAX) milliseconds = INT32_MAX;
    buffer_clear(&exchange->text);
    buffer_puts(&exchange->text, exchange->server->origin);
    buffer_puts(&exchange->text, call->kind == CALL_GRPC ? call->method : call->path);
    CURL *easy = exchange->easy;
    CURLcode code = call->kind == CALL_GRPC ? set_grpc_request(exchange) : set_http_request(exchange);
    SET(CURLOPT_URL, buffer_string(&exchange->text));
    SET(CURLOPT_HTTPHEADER, exchange->headers);
    SET(CURLOPT_TIMEOUT_MS, (long)milliseconds);
    if (code == CURLE_OK && !curl_server_apply(exchange->server, easy)) code = CURLE_OUT_OF_MEMORY;
    if (code == CURLE_OK && !exchange_set_version(exchange)) code = CURLE_OUT_OF_MEMORY;
    return code;
}

static const char *check_call(const struct call *call) {
    const char *path = call->kind == CALL_GRPC ? call->method : call->path;
    if (path == NULL || path[0] != '/') return "its path does not start with a slash";
    for (const char *c = path; *c != '\0'; c++) {
        if ((unsigned char)*c <= ' ' || *c == 0x7F) return "its path holds a space or control character";
    }
    if (call->kind == CALL_GRPC && call->body_size > UINT32_MAX) return "its message is too large";
    return NULL;
}

bool exchange_prepare(struct exchange *exchange) {
    size_t limit = exchange->call->reply_limit > 0 ? exchange->call->reply_limit : CALL_REPLY_LIMIT;
    buffer_init(&exchange->reply.body, limit);
    grpc_decoder_init(&exchange->decoder, &exchange->reply.body);
    const char *wrong = exchange->server->unusable;
    if (wrong == NULL) wrong = check_call(exchange->call);
    if (wrong == NULL) wrong = set_headers(exchange);
    if (wrong == NULL) {
        CURLcode code = set_call(exchange);
        if (code != CURLE_OK) wrong = curl_easy_strerror(code);
    }
    if (wrong != NULL) exchange_refuse(exchange, REPLY_UNUSABLE, wrong);
    return wrong == NULL;
}

void exchange_refuse(struct exchange *exchange, enum reply_outcome outcome, const char *words) {
    exchange->reply.outcome = outcome;
    if (exchange->reply.message != words) free(exchange->reply.message);
    exchange->reply.message = memory_strdup(words);
}

void exchange_trace(const struct exchange *exchange, const struct log *log) {
    if (!log_wants(log, LOG_DEBUG)) return;
    static const char *const outcomes[] = {
        [REPLY_ANSWERED] = "answered",
        [REPLY_NOT_SENT] = "not sent",
        [REPLY_LOST] = "lost",
        [REPLY_MALFORMED] = "malformed",
        [REPLY_UNTRUSTED] = "untrusted",
        [REPLY_UNUSABLE] = "unusable",
        [REPLY_DRY] = "dry",
    };
    const struct reply *reply = &exchange->reply;
    const struct call *call = exchange->call;
    curl_off_t microseconds = 0;
    curl_easy_getinfo(exchange->easy, CURLINFO_TOTAL_TIME_T, &microseconds);
    char grpc[32] = "";
    if (call->kind == CALL_GRPC && reply->outcome == REPLY_ANSWERED) {
        snprintf(grpc, sizeof grpc, ", gRPC %d", (int)reply->grpc_status);
    }
    char *message MEMORY_AUTO = memory_printf(
        "%s, HTTP %d%s, %" PRId64 ".%03d ms, %zu bytes out, %zu in%s%s", outcomes[reply->outcome],
        reply->http_status, grpc, (int64_t)(microseconds / 1000), (int)(microseconds % 1000), call->body_size,
        reply->body.size, exchange->errors[0] != '\0' ? ": " : "", exchange->errors);
    int path_size = call->path != NULL ? (int)strcspn(call->path, "?") : 0;
    char *method MEMORY_AUTO = memory_printf("%s%s%.*s", call->method, path_size > 0 ? " " : "", path_size,
                                             call->path != NULL ? call->path : "");
    log_write(log,
              &(struct log_record){
                  .level = LOG_DEBUG, .message = message, .server = call->server->name, .method = method});
}
