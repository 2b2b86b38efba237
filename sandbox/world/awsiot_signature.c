// SPDX-License-Identifier: Apache-2.0
// Checks Signature Version 4: the signature is made anew of what arrived, with the secret that belongs to the key.
#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/memory.h"
#include "world/awsiot_p.h"

enum { SHA256_SIZE = 32, PAIRS_MOST = 16, PAIR_SIZE = 512, FORBIDDEN = 403, VALID_SECONDS = 300 };

static const struct account_key {
    const char *id;
    const char *secret;
    const char *token;  // NULL = none
    bool writes;
} account_keys[] = {
    {WORLD_AWS_KEY_ID, WORLD_AWS_SECRET, NULL, true},
    {WORLD_AWS_READ_KEY_ID, WORLD_AWS_READ_SECRET, NULL, false},
    {WORLD_AWS_SESSION_KEY_ID, WORLD_AWS_SESSION_SECRET, WORLD_AWS_SESSION_TOKEN, true},
};

static void mac(const void *key, size_t key_size, const char *text, uint8_t *ret_mac) {
    unsigned size = SHA256_SIZE;
    HMAC(EVP_sha256(), key, (int)key_size, (const uint8_t *)text, strlen(text), ret_mac, &size);
}

static void digest_hex(const void *data, size_t size, char *text) {
    uint8_t digest[SHA256_SIZE];
    EVP_Digest(size == 0 ? "" : data, size, digest, NULL, EVP_sha256(), NULL);
    hex_encode_lower(text, digest, sizeof digest);
}

static void quote(struct buffer *out, const char *text, size_t size, bool slash) {
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        bool kept = isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~' || (slash && c == '/');
        if (kept) buffer_putc(out, (char)c);
        if (!kept) buffer_printf(out, "%%%02X", c);
    }
}

static int order_pairs(const void *a, const void *b) {
    return strcmp(a, b);
}

// The arguments, which came decoded. They hold no `&`, and names differ, so that ordering whole pairs is good enough.
static void canonical_query(struct buffer *out, const char *query) {
    char pairs[PAIRS_MOST][PAIR_SIZE];
    size_t count = 0;
    while (*query != '\0' && count < PAIRS_MOST) {
        size_t size = strcspn(query, "&"), name = strcspn(query, "=&");
        BUFFER_AUTO pair;
        buffer_init(&pair, BUFFER_UNLIMITED);
        quote(&pair, query, name, false);
        buffer_putc(&pair, '=');
        if (name < size) quote(&pair, query + name + 1, size - name - 1, false);
        snprintf(pairs[count++], PAIR_SIZE, "%s", buffer_string(&pair));
        query += size + (query[size] == '&');
    }
    qsort(pairs, count, PAIR_SIZE, order_pairs);
    for (size_t i = 0; i < count; i++) buffer_printf(out, "%s%s", i == 0 ? "" : "&", pairs[i]);
}

// "POST /a/b?c=d" in the canonical form; false if a signed header is missing.
static bool canonical_request(struct buffer *out, const struct world_request *request, const char *names) {
    size_t verb = strcspn(request->method, " ");
    const char *path = request->method + verb + 1;
    size_t size = strcspn(path, "?");
    BUFFER_AUTO once;
    buffer_init(&once, BUFFER_UNLIMITED);
    quote(&once, path, size, true);
    buffer_printf(out, "%.*s\n", (int)verb, request->method);
    quote(out, buffer_string(&once), once.size, true);
    buffer_putc(out, '\n');
    canonical_query(out, path[size] == '?' ? path + size + 1 : "");
    buffer_putc(out, '\n');
    for (const char *at = names; *at != '\0';) {
        char name[64];
        size_t length = strcspn(at, ";");
        snprintf(name, sizeof name, "%.*s", (int)length, at);
        const char *value = world_request_header(request, name);
        if (value == NULL) return false;
        buffer_printf(out, "%s:%s\n", name, value);
        at += length + (at[length] == ';');
    }
    char hash[HEX_TEXT_SIZE(SHA256_SIZE)];
    digest_hex(request->body, request->body_size, hash);
    buffer_printf(out, "\n%s\n%s", names, hash);
    return true;
}

// The parts of the header `authorization`.
struct claim {
    char key_id[64];
    char date[16];
    char region[32];
    char service[32];
    char names[128];
    char signature[80];
};

// Takes what stands between `before` and `end` ('\0' = the rest) and goes on behind it.
static bool take_part(const char **at, const char *before, char end, char *text, size_t size) {
    size_t skip = strlen(before);
    if (*at == NULL || strncmp(*at, before, skip) != 0) return false;
    const char *start = *at + skip, *stop = end == '\0' ? start + strlen(start) : strchr(start, end);
    if (stop == NULL || stop == start || (size_t)(stop - start) >= size) return false;
    memcpy(text, start, (size_t)(stop - start));
    text[stop - start] = '\0';
    *at = stop;
    return true;
}

static bool parse_claim(const char *text, struct claim *claim) {
    *claim = (struct claim){0};
    return take_part(&text, "AWS4-HMAC-SHA256 Credential=", '/', claim->key_id, sizeof claim->key_id) &&
           take_part(&text, "/", '/', claim->date, sizeof claim->date) &&
           take_part(&text, "/", '/', claim->region, sizeof claim->region) &&
           take_part(&text, "/", '/', claim->service, sizeof claim->service) &&
           take_part(&text, "/aws4_request, SignedHeaders=", ',', claim->names, sizeof claim->names) &&
           take_part(&text, ", Signature=", '\0', claim->signature, sizeof claim->signature);
}

static void expected_signature(const struct claim *claim, const char *secret, const char *time,
                               struct buffer *canonical, char *text) {
    uint8_t key[SHA256_SIZE];
    char hash[HEX_TEXT_SIZE(SHA256_SIZE)];
    char *first = memory_printf("AWS4%s", secret);
    mac(first, strlen(first), claim->date, key);
    free(first);
    mac(key, sizeof key, claim->region, key);
    mac(key, sizeof key, claim->service, key);
    mac(key, sizeof key, "aws4_request", key);
    digest_hex(canonical->data, canonical->size, hash);
    char *string = memory_printf("AWS4-HMAC-SHA256\n%s\n%s/%s/%s/aws4_request\n%s", time, claim->date,
                                 claim->region, claim->service, hash);
    mac(key, sizeof key, string, key);
    free(string);
    hex_encode_lower(text, key, sizeof key);
}

static bool check_time(int64_t now, const char *time, const struct claim *claim) {
    struct tm parts = {0};
    if (time == NULL || strptime(time, "%Y%m%dT%H%M%SZ", &parts) == NULL) return false;
    int64_t off = timegm(&parts) - now / NS_PER_SECOND;
    return off <= VALID_SECONDS && off >= -VALID_SECONDS && strncmp(time, claim->date, 8) == 0;
}

static const struct account_key *find_key(const char *id) {
    for (size_t i = 0; i < sizeof account_keys / sizeof *account_keys; i++) {
        if (strcmp(account_keys[i].id, id) == 0) return &account_keys[i];
    }
    return NULL;
}

static bool is_signed(const struct claim *claim, const char *name) {
    const char *at = strstr(claim->names, name);
    return at != NULL && (at == claim->names || at[-1] == ';');
}

bool aws_admit(int64_t now, const struct world_request *request, bool writes, struct world_reply *reply) {
    struct claim claim;
    const char *header = world_request_header(request, "authorization");
    const char *time = world_request_header(request, "x-amz-date");
    const char *token = world_request_header(request, "x-amz-security-token");
    if (header == NULL)
        return aws_refuse(reply, FORBIDDEN, "MissingAuthenticationTokenException",
                          "Missing Authentication Token");
    if (!parse_claim(header, &claim) || !is_signed(&claim, "host") || !is_signed(&claim, "x-amz-date"))
        return aws_refuse(reply, FORBIDDEN, "IncompleteSignatureException", "The signature is not complete");
    const struct account_key *key = find_key(claim.key_id);
    bool token_fits = key != NULL && (key->token == NULL) == (token == NULL) &&
                      (token == NULL || strcmp(token, key->token) == 0);
    if (!token_fits)
        return aws_refuse(reply, FORBIDDEN, "UnrecognizedClientException",
                          "The security token included in the request is invalid.");
    if (!check_time(now, time, &claim))
        return aws_refuse(reply, FORBIDDEN, "InvalidSignatureException",
                          "Signature expired: the request is too old or too young");
    BUFFER_AUTO canonical;
    buffer_init(&canonical, BUFFER_UNLIMITED);
    char wanted[HEX_TEXT_SIZE(SHA256_SIZE)] = "";
    bool scoped = strcmp(claim.region, WORLD_AWS_REGION) == 0 && strcmp(claim.service, "iotwireless") == 0 &&
                  (token == NULL || is_signed(&claim, "x-amz-security-token"));
    if (scoped && canonical_request(&canonical, request, claim.names))
        expected_signature(&claim, key->secret, time, &canonical, wanted);
    if (strcmp(wanted, claim.signature) != 0)
        return aws_refuse(reply, FORBIDDEN, "InvalidSignatureException",
                          "The request signature we calculated does not match the signature you provided.");
    if (writes && !key->writes)
        return aws_refuse(reply, FORBIDDEN, "AccessDeniedException",
                          "User is not authorized to perform this");
    return true;
}
