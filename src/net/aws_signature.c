// SPDX-License-Identifier: Apache-2.0
#include "net/aws_signature.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/memory.h"

enum { HASH_SIZE = 32, DATE_SIZE = 8, QUERY_MOST = 32 };

#define ALGORITHM "AWS4-HMAC-SHA256"

void aws_time_format(char text[static AWS_TIME_SIZE], int64_t time) {
    time_t seconds = (time_t)(time / NS_PER_SECOND);
    struct tm parts;
    if (gmtime_r(&seconds, &parts) == NULL || strftime(text, AWS_TIME_SIZE, "%Y%m%dT%H%M%SZ", &parts) == 0) {
        memcpy(text, "19700101T000000Z", AWS_TIME_SIZE);
    }
}

static void hash(const void *data, size_t size, uint8_t ret_hash[static HASH_SIZE]) {
    // Without an engine of its own SHA-256 cannot fail.
    if (EVP_Digest(data, size, ret_hash, NULL, EVP_sha256(), NULL) != 1) abort();
}

static void put_hash(struct buffer *text, const void *data, size_t size) {
    uint8_t digest[HASH_SIZE];
    char digits[HEX_TEXT_SIZE(HASH_SIZE)];
    hash(data, size, digest);
    hex_encode_lower(digits, digest, sizeof digest);
    buffer_puts(text, digits);
}

static void authenticate(const void *key, size_t key_size, const void *data, size_t size,
                         uint8_t ret_code[static HASH_SIZE]) {
    if (HMAC(EVP_sha256(), key, (int)key_size, data, size, ret_code, NULL) == NULL) abort();
}

// The path is encoded once more, as all services but S3 want it.
static void put_path(struct buffer *text, const char *path) {
    static const char kept[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
    if (*path == '\0') buffer_putc(text, '/');
    for (; *path != '\0'; path++) {
        if (strchr(kept, *path) != NULL) {
            buffer_putc(text, *path);
        } else {
            buffer_printf(text, "%%%02X", (unsigned)(unsigned char)*path);
        }
    }
}

struct parameter {
    const char *name;
    size_t name_size;
    const char *value;
    size_t value_size;
};

static int compare_texts(const char *a, size_t a_size, const char *b, size_t b_size) {
    int order = memcmp(a, b, a_size < b_size ? a_size : b_size);
    return order != 0 ? order : (a_size > b_size) - (a_size < b_size);
}

static int compare_parameters(const void *a, const void *b) {
    const struct parameter *left = a, *right = b;
    int order = compare_texts(left->name, left->name_size, right->name, right->name_size);
    return order != 0 ? order : compare_texts(left->value, left->value_size, right->value, right->value_size);
}

// The parameters in their order, each with a `=`. There are never more than a driver writes.
static void put_query(struct buffer *text, const char *query) {
    struct parameter parameters[QUERY_MOST];
    size_t count = 0;
    while (*query != '\0' && count < QUERY_MOST) {
        size_t size = strcspn(query, "&"), name_size = strcspn(query, "=&");
        bool has_value = name_size < size;
        parameters[count++] = (struct parameter){
            .name = query,
            .name_size = name_size,
            .value = query + name_size + has_value,
            .value_size = has_value ? size - name_size - 1 : 0,
        };
        query += size + (query[size] == '&');
    }
    qsort(parameters, count, sizeof *parameters, compare_parameters);
    for (size_t i = 0; i < count; i++) {
        if (i > 0) buffer_putc(text, '&');
        buffer_add(text, parameters[i].name, parameters[i].name_size);
        buffer_putc(text, '=');
        buffer_add(text, parameters[i].value, parameters[i].value_size);
    }
}

// Without blanks around it, and with one for several within.
static void put_value(struct buffer *text, const char *value) {
    bool pending = false, begun = false;
    for (; *value != '\0'; value++) {
        if (*value == ' ' || *value == '\t') {
            pending = begun;
            continue;
        }
        if (pending) buffer_putc(text, ' ');
        buffer_putc(text, *value);
        pending = false;
        begun = true;
    }
}

static void put_names(struct buffer *text, const struct aws_request *request) {
    for (size_t i = 0; i < request->header_count; i++)
        buffer_printf(text, "%s%s", i > 0 ? ";" : "", request->headers[i].name);
}

// The request in the form that is hashed.
static void put_request(struct buffer *text, const struct aws_request *request) {
    buffer_printf(text, "%s\n", request->method);
    put_path(text, request->path);
    buffer_putc(text, '\n');
    put_query(text, request->query);
    buffer_putc(text, '\n');
    for (size_t i = 0; i < request->header_count; i++) {
        buffer_printf(text, "%s:", request->headers[i].name);
        put_value(text, request->headers[i].value);
        buffer_putc(text, '\n');
    }
    buffer_putc(text, '\n');
    put_names(text, request);
    buffer_putc(text, '\n');
    put_hash(text, request->body != NULL ? request->body : "", request->body_size);
}

// The key of a day, a region and a service.
static void derive_key(const struct aws_identity *identity, const char *date,
                       uint8_t ret_key[static HASH_SIZE]) {
    char *secret = memory_printf("AWS4%s", identity->secret_access_key);
    authenticate(secret, strlen(secret), date, DATE_SIZE, ret_key);
    memory_free_secret(secret);
    const char *const parts[] = {identity->region, identity->service, "aws4_request"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        uint8_t next[HASH_SIZE];
        authenticate(ret_key, HASH_SIZE, parts[i], strlen(parts[i]), next);
        memcpy(ret_key, next, HASH_SIZE);
        memory_wipe(next, sizeof next);
    }
}

void aws_sign(const struct aws_request *request, const struct aws_identity *identity,
              const char time[static AWS_TIME_SIZE], struct buffer *authorization) {
    BUFFER_AUTO scope;
    BUFFER_AUTO whole;
    BUFFER_AUTO text;
    buffer_init(&scope, BUFFER_UNLIMITED);
    buffer_init(&whole, BUFFER_UNLIMITED);
    buffer_init(&text, BUFFER_UNLIMITED);
    buffer_printf(&scope, "%.*s/%s/%s/aws4_request", DATE_SIZE, time, identity->region, identity->service);
    put_request(&whole, request);
    buffer_printf(&text, ALGORITHM "\n%s\n%s\n", time, buffer_string(&scope));
    put_hash(&text, whole.data, whole.size);
    uint8_t key[HASH_SIZE], code[HASH_SIZE];
    char digits[HEX_TEXT_SIZE(HASH_SIZE)];
    derive_key(identity, time, key);
    authenticate(key, sizeof key, text.data, text.size, code);
    memory_wipe(key, sizeof key);
    hex_encode_lower(digits, code, sizeof code);
    buffer_printf(authorization, ALGORITHM " Credential=%s/%s, SignedHeaders=", identity->access_key_id,
                  buffer_string(&scope));
    put_names(authorization, request);
    buffer_printf(authorization, ", Signature=%s", digits);
}
