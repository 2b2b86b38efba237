// SPDX-License-Identifier: Apache-2.0
#include "net/certificates.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stddef.h>
#include <string.h>

static int refuse(const char *what, const char *why, struct error *error) {
    ERR_clear_error();
    return error_set(error, ERROR_INPUT, "%s %s", what, why);
}

int certificates_check(const char *pem, const char *what, struct error *error) {
    size_t size = strlen(pem);
    if (size > INT_MAX) return refuse(what, "is too large", error);
    BIO *bio = BIO_new_mem_buf(pem, (int)size);
    if (bio == NULL) return refuse(what, "cannot be read", error);
    size_t count = 0;
    X509 *certificate = NULL;
    while ((certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        X509_free(certificate);
        count++;
    }
    BIO_free(bio);
    unsigned long last = ERR_peek_last_error();
    bool at_end = ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
    if (!at_end) return refuse(what, "holds a damaged certificate", error);
    if (count == 0) {
        refuse(what, "holds no certificate", error);
        error_hint(error, "A certificate in PEM form starts with -----BEGIN CERTIFICATE-----");
        return -(int)ERROR_INPUT;
    }
    ERR_clear_error();
    return 0;
}
