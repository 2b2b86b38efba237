// SPDX-License-Identifier: Apache-2.0
#include "net/library_memory.h"

#include <curl/curl.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static void *openssl_malloc(size_t size, const char *file, int line) {
    (void)file;
    (void)line;
    return malloc(size);
}

static void *openssl_realloc(void *old, size_t size, const char *file, int line) {
    (void)file;
    (void)line;
    return memory_realloc_wiping(old, size);
}

static void openssl_free(void *data, const char *file, int line) {
    (void)file;
    (void)line;
    memory_free_wiping(data);
}

bool library_memory_init(void) {
    // Refused if OpenSSL has memory already, which is then given back as it was taken.
    (void)CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free);
    return curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, memory_free_wiping, memory_realloc_wiping,
                                strdup, calloc) == CURLE_OK;
}
