// SPDX-License-Identifier: Apache-2.0
// The body of a unary gRPC answer, in whatever pieces it arrives, and the texts of its trailers. The first
// byte is the size of the pieces.
#include <string.h>

#include "fuzz.h"
#include "net/grpc.h"

enum { MESSAGE_LIMIT = 4096 };

static enum grpc_fault decode(const uint8_t *data, size_t size, size_t piece, struct buffer *message) {
    struct grpc_decoder decoder;
    grpc_decoder_init(&decoder, message);
    for (size_t at = 0; at < size; at += piece) {
        if (!grpc_decoder_feed(&decoder, data + at, size - at < piece ? size - at : piece)) {
            fuzz_check(decoder.fault != GRPC_FAULT_NONE);
            return decoder.fault;
        }
    }
    return grpc_decoder_end(&decoder);
}

static void check_frames(const uint8_t *data, size_t size) {
    if (size == 0) return;
    size_t piece = data[0] ? data[0] : 1;
    BUFFER_AUTO pieces, whole;
    buffer_init(&pieces, MESSAGE_LIMIT);
    buffer_init(&whole, MESSAGE_LIMIT);
    enum grpc_fault in_pieces = decode(data + 1, size - 1, piece, &pieces);
    enum grpc_fault at_once = decode(data + 1, size - 1, size, &whole);
    fuzz_check(in_pieces == at_once && grpc_fault_text(at_once));
    if (at_once != GRPC_FAULT_NONE) return;
    fuzz_check(whole.size + GRPC_PREFIX_SIZE == size - 1 && pieces.size == whole.size);
    fuzz_check(whole.size == 0 || memcmp(pieces.data, whole.data, whole.size) == 0);
    uint8_t prefix[GRPC_PREFIX_SIZE];
    grpc_write_prefix(prefix, whole.size);
    fuzz_check(memcmp(prefix, data + 1, sizeof(prefix)) == 0);
}

static void check_trailers(const char *text) {
    enum grpc_status status;
    if (grpc_read_status(text, &status)) fuzz_check(status >= 0 && (int)status <= 16);
    char *message = grpc_read_message(text);
    fuzz_check(message && strlen(message) <= strlen(text));
    free(message);
    grpc_is_content_type(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    check_frames(data, size);
    char *text = fuzz_string(data, size);
    check_trailers(text);
    free(text);
    return 0;
}
