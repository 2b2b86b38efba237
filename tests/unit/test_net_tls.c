// SPDX-License-Identifier: Apache-2.0
// Trust: certificates made for this test, right and wrong ones; TLS where none is, none where TLS is; a proxy.
#include "test_net_server.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

// ---- certificates

struct authority {
    EVP_PKEY *key;
    X509 *certificate;
    char *pem;
};

static void add_extension(X509 *certificate, X509 *issuer, int nid, const char *value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    assert_non_null(extension);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

// A certificate for `key`, signed by `issuer`, or by itself (NULL), valid from a day ago to `end` seconds
// from now.
static X509 *certificate_new(EVP_PKEY *key, const char *name, const struct authority *issuer,
                             const char *alternative, long end) {
    X509 *certificate = X509_new();
    assert_non_null(certificate);
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), issuer != NULL ? 2 : 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -86400);
    X509_gmtime_adj(X509_getm_notAfter(certificate), end);
    X509_set_pubkey(certificate, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               (const unsigned char *)name, -1, -1, 0);
    X509 *signer = issuer != NULL ? issuer->certificate : certificate;
    X509_set_issuer_name(certificate, X509_get_subject_name(signer));
    add_extension(certificate, signer, NID_basic_constraints,
                  issuer != NULL ? "CA:FALSE" : "critical,CA:TRUE");
    if (alternative != NULL) add_extension(certificate, signer, NID_subject_alt_name, alternative);
    assert_true(X509_sign(certificate, issuer != NULL ? issuer->key : key, EVP_sha256()) > 0);
    return certificate;
}

static char *pem_of(X509 *certificate) {
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_X509(bio, certificate), 1);
    char *data = NULL;
    long size = BIO_get_mem_data(bio, &data);
    char *pem = memory_strndup(data, (size_t)size);
    BIO_free(bio);
    return pem;
}

static void authority_init(struct authority *authority, const char *name) {
    authority->key = EVP_EC_gen("P-256");
    authority->certificate = certificate_new(authority->key, name, NULL, NULL, 86400);
    authority->pem = pem_of(authority->certificate);
}

static void authority_release(struct authority *authority) {
    EVP_PKEY_free(authority->key);
    X509_free(authority->certificate);
    free(authority->pem);
}

static int choose_h2(SSL *ssl, const unsigned char **out, unsigned char *size, const unsigned char *in,
                     unsigned in_size, void *context) {
    (void)ssl;
    (void)context;
    unsigned char *chosen = NULL;
    static const unsigned char wanted[] = "\2h2";
    int found = SSL_select_next_proto(&chosen, size, wanted, 3, in, in_size);
    *out = chosen;
    return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

static SSL_CTX *context_new(const struct authority *issuer, const char *alternative, long end) {
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = certificate_new(key, "server", issuer, alternative, end);
    assert_int_equal(SSL_CTX_use_certificate(context, certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(context, key), 1);
    SSL_CTX_set_alpn_select_cb(context, choose_h2, NULL);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return context;
}

// ---- one call to one server

static struct authority ours, theirs;

static int set_up(void **state) {
    (void)state;
    authority_init(&ours, "ours");
    authority_init(&theirs, "theirs");
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    authority_release(&ours);
    authority_release(&theirs);
    return 0;
}

// Calls a server that has a certificate of ours.
static void ask_tls(struct server server, const char *alternative, long end, struct asked *asked,
                    unsigned *requests) {
    SSL_CTX *tls = context_new(&ours, alternative, end);
    struct fake_server *fake = fake_server_new(serve_echo, tls, 0);
    server.name = "Handler";
    server.address = fake->address;
    struct client *client = client_new(-1);
    ask_grpc(client, asked, &server, "abc", LONG_TIME);
    client_wait(client, asked, 1);
    client_free(client);
    *requests = fake->requests;
    fake_server_free(fake);
    SSL_CTX_free(tls);
}

static void expect_trusted(struct server server, const char *alternative) {
    struct asked asked = {0};
    unsigned requests = 0;
    ask_tls(server, alternative, 86400, &asked, &requests);
    if (!reply_ok(&asked.reply, CALL_GRPC)) assert_string_equal(asked.reply.message, "");
    assert_int_equal(requests, 1);
    asked_release(&asked, 1);
}

static void expect_untrusted(struct server server, const char *alternative, long end, const char *words) {
    struct asked asked = {0};
    unsigned requests = 0;
    ask_tls(server, alternative, end, &asked, &requests);
    assert_int_equal(asked.reply.outcome, REPLY_UNTRUSTED);
    assert_int_equal(requests, 0);
    ERROR_AUTO error = {0};
    asked.call.server = &(const struct server){.name = "Handler"};
    assert_int_equal(reply_error(&asked.reply, &asked.call, &error), -ERROR_DENIED);
    if (strstr(error.message, words) == NULL) assert_string_equal(error.message, words);
    assert_non_null(error.hint);
    asked_release(&asked, 1);
}

static const char right_name[] = "IP:127.0.0.1";

static void test_trusted(void **state) {
    (void)state;
    expect_trusted((struct server){.ca_pem = ours.pem}, right_name);
    expect_trusted((struct server){.ca_pem = ours.pem, .only_ca_pem = true}, right_name);
    char *both MEMORY_AUTO = memory_printf("%s%s", theirs.pem, ours.pem);
    expect_trusted((struct server){.ca_pem = both, .only_ca_pem = true}, right_name);
    expect_trusted((struct server){.ca_pem = ours.pem, .tls_name = "handler.test"}, "DNS:handler.test");
}

static void test_untrusted(void **state) {
    (void)state;
    const struct server known = {.ca_pem = ours.pem};
    const struct server named = {.ca_pem = ours.pem, .tls_name = "handler.test"};
    expect_untrusted((struct server){0}, right_name, 86400, "certificate is not accepted");
    expect_untrusted((struct server){.ca_pem = theirs.pem}, right_name, 86400, "certificate is not accepted");
    expect_untrusted((struct server){.ca_pem = theirs.pem, .only_ca_pem = true}, right_name, 86400,
                     "certificate is not accepted");
    expect_untrusted(known, "DNS:elsewhere.test", 86400, "127.0.0.1");
    expect_untrusted(named, "DNS:elsewhere.test", 86400, "handler.test");
    expect_untrusted(known, right_name, -3600, "expired");
}

// A server that is trusted for one root is not trusted over the same address for another.
static void test_trust_is_not_shared(void **state) {
    (void)state;
    SSL_CTX *tls = context_new(&ours, right_name, 86400);
    struct fake_server *fake = fake_server_new(serve_echo, tls, 0);
    const struct server good = {.name = "Handler", .address = fake->address, .ca_pem = ours.pem};
    const struct server bad = {.name = "Handler", .address = fake->address, .ca_pem = theirs.pem};
    const struct server none = {.name = "Handler", .address = fake->address};
    const struct server *const servers[] = {&good, &bad, &none, &good};
    struct client *client = client_new(-1);
    struct asked asked[4] = {0};
    for (size_t i = 0; i < 4; i++) {
        ask_grpc(client, &asked[i], servers[i], "x", LONG_TIME);
        client_wait(client, &asked[i], 1);
    }
    assert_true(reply_ok(&asked[0].reply, CALL_GRPC) && reply_ok(&asked[3].reply, CALL_GRPC));
    assert_int_equal(asked[1].reply.outcome, REPLY_UNTRUSTED);
    assert_int_equal(asked[2].reply.outcome, REPLY_UNTRUSTED);
    asked_release(asked, 4);
    client_free(client);
    fake_server_free(fake);
    SSL_CTX_free(tls);
}

enum { MANY = 64 };

static void test_one_connection(void **state) {
    (void)state;
    SSL_CTX *tls = context_new(&ours, right_name, 86400);
    struct fake_server *fake = fake_server_new(serve_echo, tls, 0);
    const struct server server = {.name = "Handler", .address = fake->address, .ca_pem = ours.pem};
    struct client *client = client_new(-1);
    struct asked asked[MANY] = {0};
    for (size_t i = 0; i < MANY; i++) ask_grpc(client, &asked[i], &server, "x", LONG_TIME);
    client_wait(client, asked, MANY);
    for (size_t i = 0; i < MANY; i++) assert_true(reply_ok(&asked[i].reply, CALL_GRPC));
    assert_int_equal(fake->connections, 1);
    asked_release(asked, MANY);
    client_free(client);
    fake_server_free(fake);
    SSL_CTX_free(tls);
}

// ---- TLS and none mixed up

static void serve_http_error(struct peer *peer) {
    if (!peer_need(peer, 8)) return;
    peer_puts(peer, "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
    peer_stay(peer);
}

// A plain HTTP/2 server may send its settings first.
static void serve_settings(struct peer *peer) {
    h2_frame(peer, FRAME_SETTINGS, 0, 0, NULL, 0);
    peer_stay(peer);
}

static void test_tls_to_plain(void **state) {
    (void)state;
    peer_script *const scripts[] = {serve_http_error, serve_settings};
    for (size_t i = 0; i < 2; i++) {
        struct fake_server *fake = fake_server_new(scripts[i], NULL, 0);
        const struct server server = {.name = "Handler", .address = fake->address};
        struct client *client = client_new(-1);
        struct asked asked = {0};
        ask_grpc(client, &asked, &server, "x", LONG_TIME);
        client_wait(client, &asked, 1);
        assert_int_equal(asked.reply.outcome, REPLY_UNUSABLE);
        assert_non_null(strstr(asked.reply.message, "it does not speak TLS"));
        ERROR_AUTO error = {0};
        assert_true(asked.reply.no_tls);
        error_set(&error, ERROR_INPUT, "refused");
        assert_true(reply_hint_tls(&asked.reply, "--ca", "--plain", &error));
        assert_non_null(strstr(error.hint, "--plain"));
        asked_release(&asked, 1);
        client_free(client);
        fake_server_free(fake);
    }
}

static void test_plain_to_tls(void **state) {
    (void)state;
    SSL_CTX *tls = context_new(&ours, right_name, 86400);
    struct fake_server *fake = fake_server_new(serve_echo, tls, 0);
    const struct server server = plain_server(fake);
    struct client *client = client_new(-1);
    struct asked asked = {0};
    ask_grpc(client, &asked, &server, "x", LONG_TIME);
    client_wait(client, &asked, 1);
    assert_int_equal(asked.reply.outcome, REPLY_LOST);
    if (strstr(asked.reply.message, "expects TLS") == NULL) assert_string_equal(asked.reply.message, "");
    asked_release(&asked, 1);
    client_free(client);
    fake_server_free(fake);
    SSL_CTX_free(tls);
}

static void test_lost_between_calls(void **state) {
    (void)state;
    SSL_CTX *tls = context_new(&ours, right_name, 86400);
    struct fake_server *fake = fake_server_new(serve_one_answer, tls, 0);
    const struct server server = {.name = "Handler", .address = fake->address, .ca_pem = ours.pem};
    struct client *client = client_new(-1);
    for (int i = 0; i < 4; i++) {
        struct asked asked = {.call.changes = true};
        ask_grpc(client, &asked, &server, "x", LONG_TIME);
        client_wait(client, &asked, 1);
        assert_true(reply_ok(&asked.reply, CALL_GRPC));
        asked_release(&asked, 1);
        atomic_fetch_add(&fake->told, 1);
        while (fake->closed < fake->told) usleep(1000);
    }
    assert_int_equal(fake->requests, 4);
    client_free(client);
    fake_server_free(fake);
    SSL_CTX_free(tls);
}

int main(void) {
    alarm(600);
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trusted),
        cmocka_unit_test(test_untrusted),
        cmocka_unit_test(test_trust_is_not_shared),
        cmocka_unit_test(test_one_connection),
        cmocka_unit_test(test_tls_to_plain),
        cmocka_unit_test(test_plain_to_tls),
        cmocka_unit_test(test_lost_between_calls),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
