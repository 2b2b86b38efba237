// SPDX-License-Identifier: Apache-2.0
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "net/certificates.h"
#include "net/curl_p.h"

static bool same_text(const char *a, const char *b) {
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool matches(const struct curl_server *entry, const struct server *server) {
    return entry->plain == server->plain && entry->only_ca_pem == server->only_ca_pem &&
           same_text(entry->address, server->address) && same_text(entry->tls_name, server->tls_name) &&
           same_text(entry->ca_pem, server->ca_pem);
}

// The system's roots, besides those that libcurl has read from the blob: those of SSL_CERT_FILE and
// SSL_CERT_DIR, as OpenSSL's programs take them, else the directory of hashed certificates, which is looked
// into when one is needed. The one file with all of them takes megabytes: it is read only where there is no
// such directory. What cannot be read is left out: that means less trust, never more.
static CURLcode add_system_roots(CURL *easy, void *context, void *parameter) {
    (void)easy;
    (void)parameter;
    SSL_CTX *ssl = context;
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    const char *file = secure_getenv(X509_get_default_cert_file_env());
    const char *directory = secure_getenv(X509_get_default_cert_dir_env());
    if (file == NULL && directory == NULL) {
        directory = info->capath != NULL ? info->capath : X509_get_default_cert_dir();
        if (access(directory, R_OK | X_OK) != 0) file = info->cainfo;
    }
    if (file != NULL) SSL_CTX_load_verify_file(ssl, file);
    if (directory != NULL) SSL_CTX_load_verify_dir(ssl, directory);
    ERR_clear_error();
    return CURLE_OK;
}

// The part of the address behind the host: ":port" or "".
static const char *port_part(const char *address) {
    const char *bracket = strrchr(address, ']');
    const char *colon = strrchr(bracket != NULL ? bracket : address, ':');
    return colon != NULL ? colon : "";
}

static void set_place(struct curl_server *entry) {
    const char *scheme = entry->plain ? "http" : "https";
    if (entry->tls_name == NULL || entry->plain) {
        entry->origin = memory_printf("%s://%s", scheme, entry->address);
        return;
    }
    const char *port = port_part(entry->address);
    entry->origin = memory_printf("%s://%s%s", scheme, entry->tls_name, port);
    char *rule MEMORY_AUTO = memory_printf("::%.*s:%s", (int)(port - entry->address), entry->address,
                                           *port == ':' ? port + 1 : port);
    entry->connect_to = curl_slist_append(NULL, rule);
    if (entry->connect_to == NULL) entry->unusable = memory_strdup("out of memory");
}

// The text tells libcurl apart connections that trust other roots, so the two ways of use must differ.
static void set_roots(struct curl_server *entry) {
    if (entry->ca_pem == NULL || entry->plain) return;
    entry->roots = memory_printf(entry->only_ca_pem ? "%s\n" : "%s\n# and the system's\n", entry->ca_pem);
    entry->roots_size = strlen(entry->roots);
}

static void check(struct curl_server *entry) {
    ERROR_AUTO error = {0};
    if (server_check_address(entry->address, &error) < 0) {
        entry->unusable = memory_strdup(error.message);
    } else if (entry->tls_name != NULL && server_check_address(entry->tls_name, &error) < 0) {
        entry->unusable = memory_printf("its TLS name: %s", error.message);
    } else if (!entry->plain && entry->only_ca_pem && entry->ca_pem == NULL) {
        entry->unusable = memory_strdup("there is no certificate to trust it by");
    } else if (!entry->plain && entry->ca_pem != NULL &&
               certificates_check(entry->ca_pem, "the text of its roots of trust", &error) < 0) {
        entry->unusable = memory_strdup(error.message);
    }
}

struct curl_server *curl_server_get(struct curl_server **list, const struct server *server) {
    for (struct curl_server *entry = *list; entry != NULL; entry = entry->next) {
        if (matches(entry, server)) return entry;
    }
    struct curl_server *entry = memory_new(struct curl_server);
    entry->address = memory_strdup(server->address);
    entry->ca_pem = memory_strdup(server->ca_pem);
    entry->tls_name = memory_strdup(server->tls_name);
    entry->plain = server->plain;
    entry->only_ca_pem = server->only_ca_pem;
    check(entry);
    if (entry->unusable == NULL) {
        set_place(entry);
        set_roots(entry);
    }
    entry->next = *list;
    *list = entry;
    return entry;
}

void curl_server_free_all(struct curl_server **list) {
    while (*list != NULL) {
        struct curl_server *entry = *list;
        *list = entry->next;
        free(entry->address);
        free(entry->ca_pem);
        free(entry->tls_name);
        free(entry->origin);
        free(entry->roots);
        free(entry->unusable);
        curl_slist_free_all(entry->connect_to);
        free(entry);
    }
}

bool curl_server_apply(const struct curl_server *server, CURL *easy) {
    CURLcode code = curl_easy_setopt(easy, CURLOPT_CONNECT_TO, server->connect_to);
    if (server->plain) return code == CURLE_OK;
    struct curl_blob blob = {.data = server->roots, .len = server->roots_size, .flags = CURL_BLOB_NOCOPY};
    if (code == CURLE_OK) {
        code = curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, server->roots != NULL ? &blob : NULL);
    }
    if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
    if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    if (code == CURLE_OK) {
        code =
            curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, server->only_ca_pem ? NULL : add_system_roots);
    }
    return code == CURLE_OK;
}
