// SPDX-License-Identifier: Apache-2.0
#include "xz.h"

#include <lzma.h>
#include <stdlib.h>

static _Noreturn void fail(const char *path, const char *reason) {
    fprintf(stderr, "%s: %s\n", path, reason);
    exit(EXIT_FAILURE);
}

// Unpacks all of `input` into `output`.
static void unpack(const char *path, FILE *input, FILE *output) {
    static uint8_t packed[1 << 16], plain[1 << 20];
    lzma_stream stream = LZMA_STREAM_INIT;
    lzma_ret result = lzma_stream_decoder(&stream, UINT64_MAX, 0);
    while (result == LZMA_OK) {
        if (stream.avail_in == 0) {
            stream.next_in = packed;
            stream.avail_in = fread(packed, 1, sizeof packed, input);
        }
        stream.next_out = plain;
        stream.avail_out = sizeof plain;
        result = lzma_code(&stream, stream.avail_in == 0 ? LZMA_FINISH : LZMA_RUN);
        size_t size = sizeof plain - stream.avail_out;
        if (fwrite(plain, 1, size, output) != size) fail(path, "cannot be kept");
    }
    lzma_end(&stream);
    if (result != LZMA_STREAM_END) fail(path, "is no whole .xz file");
}

FILE *xz_open(const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", TEST_DATA, name);
    FILE *input = fopen(path, "re");
    FILE *output = tmpfile();
    if (input == NULL || output == NULL) fail(path, "cannot be opened");
    unpack(path, input, output);
    fclose(input);
    rewind(output);
    return output;
}
