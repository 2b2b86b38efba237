// SPDX-License-Identifier: Apache-2.0
#include "server/certificate.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { VALID_SECONDS = 365 * 24 * 3600, SERIAL_BYTES = 16 };

static bool add_extension(X509 *x509, int nid, const char *value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, x509, x509, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool added = extension != NULL && X509_add_ext(x509, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return added;
}

static char *alternative_names(const char *address) {
    static const char local[] = "DNS:localhost,IP:127.0.0.1,IP:::1";
    unsigned char bytes[16];
    if (address == NULL) return memory_strdup(local);
    bool ip = inet_pton(AF_INET, address, bytes) == 1 || inet_pton(AF_INET6, address, bytes) == 1;
    return memory_printf("%s,%s:%s", local, ip ? "IP" : "DNS", address);
}

static bool set_serial(X509 *x509) {
    unsigned char bytes[SERIAL_BYTES];
    if (RAND_bytes(bytes, sizeof bytes) != 1) return false;
    bytes[0] &= 0x7F;
    BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
    bool set = number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509)) != NULL;
    BN_free(number);
    return set;
}

static bool set_name(X509 *x509) {
    X509_NAME *name = X509_get_subject_name(x509);
    return X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC, (const unsigned char *)"Sandbox", -1, -1, 0) ==
               1 &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"sandbox handler", -1,
                                      -1, 0) == 1 &&
           X509_set_issuer_name(x509, name) == 1;
}

static bool fill(X509 *x509, EVP_PKEY *key, const char *address) {
    char *names MEMORY_AUTO = alternative_names(address);
    return X509_set_version(x509, 2) == 1 && set_serial(x509) && set_name(x509) &&
           X509_gmtime_adj(X509_getm_notBefore(x509), -60) != NULL &&
           X509_gmtime_adj(X509_getm_notAfter(x509), VALID_SECONDS) != NULL &&
           X509_set_pubkey(x509, key) == 1 &&
           add_extension(x509, NID_basic_constraints, "critical,CA:TRUE") &&
           add_extension(x509, NID_key_usage, "critical,digitalSignature,keyEncipherment,keyCertSign") &&
           add_extension(x509, NID_ext_key_usage, "serverAuth,clientAuth") &&
           add_extension(x509, NID_subject_key_identifier, "hash") &&
           add_extension(x509, NID_subject_alt_name, names) && X509_sign(x509, key, EVP_sha256()) > 0;
}

static char *take_text(BIO *bio) {
    char *data = NULL;
    long size = BIO_get_mem_data(bio, &data);
    return size > 0 ? memory_strndup(data, (size_t)size) : NULL;
}

static bool write_pem(X509 *x509, EVP_PKEY *key, struct certificate *certificate) {
    BIO *public_part = BIO_new(BIO_s_mem());
    BIO *private_part = BIO_new(BIO_s_mem());
    bool written = public_part != NULL && private_part != NULL &&
                   PEM_write_bio_X509(public_part, x509) == 1 &&
                   PEM_write_bio_PrivateKey(private_part, key, NULL, NULL, 0, NULL, NULL) == 1;
    if (written) {
        certificate->certificate_pem = take_text(public_part);
        certificate->key_pem = take_text(private_part);
    }
    BIO_free(public_part);
    BIO_free(private_part);
    return written;
}

int certificate_make(const char *address, struct certificate *ret_certificate, struct error *error) {
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x509 = X509_new();
    struct certificate certificate = {0};
    bool made = key != NULL && x509 != NULL && fill(x509, key, address) && write_pem(x509, key, &certificate);
    X509_free(x509);
    EVP_PKEY_free(key);
    if (!made) return error_set(error, ERROR_SYSTEM, "cannot make a certificate");
    *ret_certificate = certificate;
    return 0;
}

void certificate_release(struct certificate *certificate) {
    free(certificate->certificate_pem);
    memory_free_secret(certificate->key_pem);
    *certificate = (struct certificate){0};
}
