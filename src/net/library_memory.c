// SPDX-License-Identifier: Apache-2.0
#include "net/library_memory.h"

#include <curl/curl.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static void wiping_free(void *data) {
    if (data == NULL) return;
    memory_wipe(data, malloc_usable_size(data));
    free(data);
}

// Not realloc, which leaves the old content where it was.
static void *wiping_realloc(void *old, size_t size) {
    size_t old_size = old != NULL ? malloc_usable_size(old) : 0;
    if (old != NULL && size > 0 && size <= old_size) return old;
    void *data = malloc(size);
    if (data == NULL) return NULL;
    if (old_size > 0) memcpy(data, old, old_size < size ? old_size : size);
    wiping_free(old);
    return data;
}

static void *openssl_malloc(size_t size, const char *file, int line) {
    (void)file;
    (void)line;
    return malloc(size);
}

static void *openssl_realloc(void *old, size_t size, const char *file, int line) {
    (void)file;
    (void)line;
    return wiping_realloc(old, size);
}

static void openssl_free(void *data, const char *file, int line) {
    (void)file;
    (void)line;
    wiping_free(data);
}

bool library_memory_init(void) {
    // Refused if OpenSSL has memory already, which is then given back as it was taken.
    (void)CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free);
    return curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, wiping_free, wiping_realloc, strdup, calloc) ==
           CURLE_OK;
}
