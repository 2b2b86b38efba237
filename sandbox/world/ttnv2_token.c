// SPDX-License-Identifier: Apache-2.0
// JSON web tokens (RFC 7519), signed with HS256: the client only carries them.
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/memory.h"
#include "world/ttnv2_p.h"

enum { TOKEN_MAX = 4096, SIGNATURE_SIZE = 32 };

static const char header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";

// Base64 for URLs, without padding (RFC 4648, section 5).
static void add_base64(struct buffer *token, const void *data, size_t size) {
    char *text = memory_alloc(BASE64_TEXT_SIZE(size), 1);
    base64_encode(text, data, size);
    for (char *c = text; *c != '\0' && *c != '='; c++) {
        buffer_putc(token, (char)(*c == '+' ? '-' : *c == '/' ? '_' : *c));
    }
    free(text);
}

static bool decode_claims(const char *text, size_t text_size, char *ret_claims, size_t size) {
    size_t used = 0;
    if (!base64_decode(ret_claims, size - 1, &used, text, text_size)) return false;
    ret_claims[used] = '\0';
    return true;
}

static bool sign(const struct v2 *v2, const void *data, size_t size, uint8_t signature[SIGNATURE_SIZE]) {
    unsigned length = SIGNATURE_SIZE;
    return HMAC(EVP_sha256(), v2->token_secret, (int)sizeof v2->token_secret, data, size, signature,
                &length) != NULL;
}

char *v2_token_make(const struct v2 *v2, int64_t now, const char *app_id, unsigned rights) {
    BUFFER_AUTO claims;
    BUFFER_AUTO token;
    buffer_init(&claims, TOKEN_MAX);
    buffer_init(&token, TOKEN_MAX);
    long long seconds = now / NS_PER_SECOND;
    buffer_printf(
        &claims,
        "{\"iss\":\"ttn-account-v2\",\"sub\":\"%s\",\"nbf\":%lld,\"exp\":%lld,\"scope\":[\"apps:%s\"],"
        "\"apps\":{\"%s\":[",
        app_id, seconds, seconds + V2_TOKEN_SECONDS, app_id, app_id);
    const char *comma = "";
    for (unsigned right = 1; right <= V2_RIGHT_SETTINGS; right <<= 1) {
        if ((rights & right) == 0) continue;
        buffer_printf(&claims, "%s\"%s\"", comma, v2_right_name((enum v2_rights)right));
        comma = ",";
    }
    buffer_puts(&claims, "]}}");
    add_base64(&token, header, sizeof header - 1);
    buffer_putc(&token, '.');
    add_base64(&token, claims.data, claims.size);
    uint8_t signature[SIGNATURE_SIZE] = {0};
    sign(v2, token.data, token.size, signature);
    buffer_putc(&token, '.');
    add_base64(&token, signature, sizeof signature);
    return buffer_take_string(&token);
}

static bool is_signed(const struct v2 *v2, const char *token, const char *signature) {
    uint8_t expected[SIGNATURE_SIZE] = {0};
    if (!sign(v2, token, (size_t)(signature - 1 - token), expected)) return false;
    BUFFER_AUTO text;
    buffer_init(&text, TOKEN_MAX);
    add_base64(&text, expected, sizeof expected);
    return text.size == strlen(signature) && CRYPTO_memcmp(text.data, signature, text.size) == 0;
}

// The words of the library that the servers use.
bool v2_token_check(const struct v2 *v2, int64_t now, const char *token, char *ret_claims, size_t size,
                    const char **ret_error) {
    const char *claims = strchr(token, '.');
    const char *signature = claims != NULL ? strchr(claims + 1, '.') : NULL;
    if (signature == NULL || strchr(signature + 1, '.') != NULL) {
        *ret_error = "token contains an invalid number of segments";
        return false;
    }
    claims++;
    signature++;
    if (!is_signed(v2, token, signature) ||
        !decode_claims(claims, (size_t)(signature - 1 - claims), ret_claims, size)) {
        *ret_error = "signature is invalid";
        return false;
    }
    json_t *object = json_loads(ret_claims, 0, NULL);
    int64_t expires = json_integer_value(json_object_get(object, "exp"));
    json_decref(object);
    if (expires <= now / NS_PER_SECOND) {
        *ret_error = "token is expired";
        return false;
    }
    return true;
}
