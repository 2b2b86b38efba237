// SPDX-License-Identifier: Apache-2.0
#include "net/grpc.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"

void grpc_write_prefix(uint8_t prefix[GRPC_PREFIX_SIZE], size_t size) {
    prefix[0] = 0;
    prefix[1] = (uint8_t)(size >> 24);
    prefix[2] = (uint8_t)(size >> 16);
    prefix[3] = (uint8_t)(size >> 8);
    prefix[4] = (uint8_t)size;
}

void grpc_write_timeout(char text[GRPC_TIMEOUT_SIZE], int64_t timeout) {
    int64_t milliseconds = timeout / NS_PER_MS + (timeout % NS_PER_MS > 0 ? 1 : 0);
    if (milliseconds < 1) milliseconds = 1;
    if (milliseconds <= 99999999) {
        snprintf(text, GRPC_TIMEOUT_SIZE, "%um", (unsigned)milliseconds);
        return;
    }
    int64_t seconds = milliseconds / 1000;
    snprintf(text, GRPC_TIMEOUT_SIZE, "%uS", seconds <= 99999999 ? (unsigned)seconds : 99999999U);
}

void grpc_decoder_init(struct grpc_decoder *decoder, struct buffer *message) {
    *decoder = (struct grpc_decoder){.message = message};
}

// Looks at a complete prefix.
static enum grpc_fault check_prefix(struct grpc_decoder *decoder) {
    const uint8_t *prefix = decoder->prefix;
    if (prefix[0] > 1) return GRPC_FAULT_FLAGS;
    if (prefix[0] == 1) return GRPC_FAULT_COMPRESSED;
    size_t size = (size_t)prefix[1] << 24 | (size_t)prefix[2] << 16 | (size_t)prefix[3] << 8 | prefix[4];
    if (size > decoder->message->limit) return GRPC_FAULT_TOO_LARGE;
    decoder->missing = size;
    return GRPC_FAULT_NONE;
}

bool grpc_decoder_feed(struct grpc_decoder *decoder, const void *data, size_t size) {
    const uint8_t *bytes = data;
    while (size > 0 && decoder->fault == GRPC_FAULT_NONE) {
        if (decoder->prefix_size < GRPC_PREFIX_SIZE) {
            decoder->prefix[decoder->prefix_size++] = *bytes++;
            size--;
            if (decoder->prefix_size == GRPC_PREFIX_SIZE) decoder->fault = check_prefix(decoder);
        } else if (decoder->missing > 0) {
            size_t part = size < decoder->missing ? size : decoder->missing;
            buffer_add(decoder->message, bytes, part);
            decoder->missing -= part;
            bytes += part;
            size -= part;
        } else {
            decoder->fault = GRPC_FAULT_SEVERAL;
        }
    }
    return decoder->fault == GRPC_FAULT_NONE;
}

enum grpc_fault grpc_decoder_end(const struct grpc_decoder *decoder) {
    if (decoder->fault != GRPC_FAULT_NONE) return decoder->fault;
    if (decoder->prefix_size == 0) return GRPC_FAULT_MISSING;
    bool whole = decoder->prefix_size == GRPC_PREFIX_SIZE && decoder->missing == 0;
    return whole ? GRPC_FAULT_NONE : GRPC_FAULT_TRUNCATED;
}

const char *grpc_fault_text(enum grpc_fault fault) {
    switch (fault) {
        case GRPC_FAULT_NONE:
            return "the message is whole";
        case GRPC_FAULT_FLAGS:
            return "the answer is not a gRPC message";
        case GRPC_FAULT_COMPRESSED:
            return "the answer is compressed, which was not offered";
        case GRPC_FAULT_TOO_LARGE:
            return "the answer is larger than allowed";
        case GRPC_FAULT_SEVERAL:
            return "there is more than one message in the answer";
        case GRPC_FAULT_TRUNCATED:
            return "the answer ends within its message";
        case GRPC_FAULT_MISSING:
            return "the answer says OK but holds no message";
    }
    return "the answer is malformed";
}

bool grpc_read_status(const char *text, enum grpc_status *ret_status) {
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 10 || text[digits] != '\0') return false;
    unsigned long number = 0;
    for (size_t i = 0; i < digits; i++) number = number * 10 + (unsigned long)(text[i] - '0');
    *ret_status = number <= GRPC_UNAUTHENTICATED ? (enum grpc_status)number : GRPC_UNKNOWN;
    return true;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

char *grpc_read_message(const char *text) {
    size_t size = strlen(text);
    char *message = memory_alloc(size + 1, 1);
    size_t length = 0;
    for (size_t i = 0; i < size; i++) {
        int high = text[i] == '%' && i + 2 < size ? hex_digit(text[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
        if (low < 0) {
            message[length++] = text[i];
            continue;
        }
        char byte = (char)(high << 4 | low);
        message[length++] = byte == '\0' ? ' ' : byte;
        i += 2;
    }
    return message;
}

bool grpc_is_content_type(const char *type) {
    static const char grpc[] = "application/grpc";
    if (strncasecmp(type, grpc, sizeof grpc - 1) != 0) return false;
    char next = type[sizeof grpc - 1];
    return next == '\0' || next == '+' || next == ';' || next == ' ';
}

bool grpc_status_of_http(int http_status, enum grpc_status *ret_status) {
    switch (http_status) {
        case HTTP_UNAUTHORIZED:
            *ret_status = GRPC_UNAUTHENTICATED;
            return true;
        case HTTP_FORBIDDEN:
            *ret_status = GRPC_PERMISSION_DENIED;
            return true;
        case HTTP_TOO_MANY_REQUESTS:
        case HTTP_BAD_GATEWAY:
        case HTTP_UNAVAILABLE:
        case HTTP_GATEWAY_TIMEOUT:
            *ret_status = GRPC_UNAVAILABLE;
            return true;
        default:
            return false;
    }
}
