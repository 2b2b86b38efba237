// SPDX-License-Identifier: Apache-2.0
// What libcurl's result of a transfer means for the call.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "net/curl_p.h"

static void set_words(struct exchange *exchange, enum reply_outcome outcome, char *words) {
    free(exchange->reply.message);
    exchange->reply.message = words;
    exchange->reply.outcome = outcome;
    // A part of an answer is none.
    buffer_clear(&exchange->reply.body);
}

// libcurl's own words for this transfer, else for the code.
static const char *curl_words(const struct exchange *exchange, CURLcode code) {
    return exchange->errors[0] != '\0' ? exchange->errors : curl_easy_strerror(code);
}

static char *connect_words(const struct exchange *exchange) {
    long number = 0;
    curl_easy_getinfo(exchange->easy, CURLINFO_OS_ERRNO, &number);
    if (number == 0) return memory_strdup("no connection");
    char text[128];
    return memory_printf("no connection (%s)", strerror_r((int)number, text, sizeof text));
}

// The peer speaks, but not TLS: waiting does not change that.
static bool is_no_tls(const struct exchange *exchange) {
    return strstr(exchange->errors, "wrong version number") != NULL ||
           strstr(exchange->errors, "http request") != NULL ||
           strstr(exchange->errors, "packet length too long") != NULL;
}

static void conclude_unsent(struct exchange *exchange, CURLcode code) {
    switch (code) {
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_ISSUER_ERROR:
        case CURLE_SSL_INVALIDCERTSTATUS:
        case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
            set_words(exchange, REPLY_UNTRUSTED,
                      memory_printf("its certificate is not accepted: %s", curl_words(exchange, code)));
            return;
        case CURLE_URL_MALFORMAT:
        case CURLE_UNSUPPORTED_PROTOCOL:
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_NOT_BUILT_IN:
            set_words(exchange, REPLY_UNUSABLE, memory_strdup(curl_words(exchange, code)));
            return;
        case CURLE_COULDNT_RESOLVE_HOST:
            set_words(exchange, REPLY_NOT_SENT, memory_strdup("its name cannot be resolved"));
            return;
        case CURLE_COULDNT_RESOLVE_PROXY:
            set_words(exchange, REPLY_NOT_SENT, memory_strdup("the proxy's name cannot be resolved"));
            return;
        case CURLE_COULDNT_CONNECT:
            set_words(exchange, REPLY_NOT_SENT, connect_words(exchange));
            return;
        case CURLE_OPERATION_TIMEDOUT:
            exchange->reply.timed_out = true;
            set_words(exchange, REPLY_NOT_SENT, memory_strdup("no connection in time"));
            return;
        case CURLE_SSL_CONNECT_ERROR:
            if (is_no_tls(exchange)) {
                set_words(exchange, REPLY_UNUSABLE, memory_strdup("it does not speak TLS"));
                exchange->reply.no_tls = true;
            } else {
                set_words(exchange, REPLY_NOT_SENT, memory_printf("TLS: %s", curl_words(exchange, code)));
            }
            return;
        default:
            set_words(exchange, REPLY_NOT_SENT,
                      memory_printf("no connection: %s", curl_words(exchange, code)));
    }
}

// The server ended the connection in good order.
static bool is_closed(const struct exchange *exchange) {
    return strstr(exchange->errors, "end of the underlying stream") != NULL;
}

// A server that has never said anything that makes sense: a TLS server closes the connection on plain text, an
// HTTP/1 server answers what is no HTTP/2.
static bool is_doubtful(const struct exchange *exchange, CURLcode code) {
    bool ended = code == CURLE_GOT_NOTHING || code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR;
    const struct curl_server *server = exchange->server;
    return (ended || is_closed(exchange)) && exchange->call->kind == CALL_GRPC && server->plain &&
           !server->spoke;
}

static char *lost_words(const struct exchange *exchange, CURLcode code) {
    return memory_printf("the connection was lost: %s%s",
                         is_closed(exchange) ? "the server closed it" : curl_words(exchange, code),
                         is_doubtful(exchange, code) ? "; perhaps it expects TLS, or is no gRPC server" : "");
}

static void conclude_failure(struct exchange *exchange, CURLcode code) {
    if (!exchange->sent) {
        conclude_unsent(exchange, code);
        return;
    }
    switch (code) {
        case CURLE_OPERATION_TIMEDOUT:
            exchange->reply.timed_out = true;
            set_words(exchange, REPLY_LOST,
                      memory_printf("no answer within %g s", (double)exchange->timeout / 1e9));
            return;
        case CURLE_UNSUPPORTED_PROTOCOL:
        case CURLE_WEIRD_SERVER_REPLY:
        case CURLE_BAD_CONTENT_ENCODING:
        case CURLE_FILESIZE_EXCEEDED:
        case CURLE_OUT_OF_MEMORY:
            set_words(exchange, REPLY_MALFORMED,
                      memory_printf("the answer is no valid HTTP: %s", curl_words(exchange, code)));
            return;
        case CURLE_ABORTED_BY_CALLBACK:
            set_words(exchange, REPLY_LOST, memory_strdup("the connection was closed before the answer"));
            return;
        default:
            set_words(exchange, REPLY_LOST, lost_words(exchange, code));
    }
}

// An answer over HTTP that came to its end without a gRPC status.
static void conclude_without_status(struct exchange *exchange) {
    struct reply *reply = &exchange->reply;
    const char *type = reply_header(reply, "content-type");
    if (grpc_status_of_http(reply->http_status, &reply->grpc_status)) {
        set_words(exchange, REPLY_ANSWERED, NULL);
    } else if (reply->http_status != HTTP_OK) {
        set_words(exchange, REPLY_MALFORMED,
                  memory_printf("this is no gRPC server (HTTP %d)", reply->http_status));
    } else if (type == NULL || !grpc_is_content_type(type)) {
        set_words(
            exchange, REPLY_MALFORMED,
            memory_printf("this is no gRPC server (content-type %.100s)", type != NULL ? type : "missing"));
    } else {
        // libcurl before 8 drops the trailers of an answer that is followed at once by the connection's end, as
        // by a server that shuts down; so this does not tell a careless server from a lost connection.
        set_words(exchange, REPLY_LOST, memory_strdup("the answer ends without a status"));
    }
}

static void conclude_grpc(struct exchange *exchange, CURLcode code) {
    struct reply *reply = &exchange->reply;
    const char *type = reply_header(reply, "content-type");
    const char *status = reply_header(reply, "grpc-status");
    bool foreign = reply->http_status == HTTP_OK && (type == NULL || !grpc_is_content_type(type));
    if (status == NULL || foreign) {
        if (code == CURLE_OK) {
            conclude_without_status(exchange);
        } else {
            conclude_failure(exchange, code);
        }
        return;
    }
    if (!grpc_read_status(status, &reply->grpc_status)) {
        set_words(exchange, REPLY_MALFORMED, memory_strdup("the status in the answer is no number"));
        return;
    }
    // The status is the server's last word, whatever became of the connection afterwards.
    enum grpc_fault fault =
        reply->grpc_status == GRPC_OK ? grpc_decoder_end(&exchange->decoder) : GRPC_FAULT_NONE;
    if (fault != GRPC_FAULT_NONE) {
        set_words(exchange, REPLY_MALFORMED, memory_strdup(grpc_fault_text(fault)));
        return;
    }
    const char *message = reply_header(reply, "grpc-message");
    reply->message = message != NULL ? grpc_read_message(message) : NULL;
    reply->outcome = REPLY_ANSWERED;
}

void exchange_conclude(struct exchange *exchange, CURLcode code) {
    long status = 0;
    curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
    exchange->reply.http_status = (int)status;
    if (exchange->fault != NULL) {
        set_words(exchange, REPLY_MALFORMED, memory_strdup(exchange->fault));
    } else if (exchange->call->kind == CALL_GRPC) {
        conclude_grpc(exchange, code);
    } else if (code == CURLE_OK) {
        exchange->reply.outcome = REPLY_ANSWERED;
    } else {
        conclude_failure(exchange, code);
    }
    if (exchange->reply.outcome == REPLY_ANSWERED) exchange->server->spoke = true;
}
