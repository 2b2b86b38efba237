// SPDX-License-Identifier: Apache-2.0
#include "journal/seal.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"

enum {
    KEY_SIZE = crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
    NONCE_SIZE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    TAG_SIZE = crypto_aead_xchacha20poly1305_ietf_ABYTES,
    KEY_FILE_MAX = 64 * 1024,
};

struct seal {
    uint8_t key[KEY_SIZE];
};

static int sodium_start(struct error *error) {
    if (sodium_init() >= 0) return 0;
    return error_set(error, ERROR_SYSTEM, "libsodium cannot be used");
}

int seal_from_file(const char *path, struct seal **ret_seal, struct error *error) {
    char *content = NULL;
    size_t size = 0;
    int result = sodium_start(error);
    if (result == 0) result = file_read_all(path, KEY_FILE_MAX, &content, &size, error);
    if (result != 0) return error_wrap(error, ERROR_USAGE, "--journal-key-file");
    size_t used = size > 0 && content[size - 1] == '\n' ? size - 1 : size;
    if (used < SEAL_SECRET_MIN) {
        error_set(error, ERROR_USAGE, "--journal-key-file: %s holds fewer than %d bytes", path,
                  SEAL_SECRET_MIN);
        error_hint(error, "make one: head -c 32 /dev/urandom > FILE, and keep it");
        result = -ERROR_USAGE;
    } else {
        struct seal *seal = memory_new(struct seal);
        crypto_generichash(seal->key, sizeof seal->key, (const uint8_t *)content, used, NULL, 0);
        *ret_seal = seal;
    }
    memory_wipe(content, size);
    free(content);
    return result;
}

int seal_from_passphrase(const char *passphrase, const uint8_t salt[static SEAL_SALT_SIZE],
                         struct seal **ret_seal, struct error *error) {
    static_assert(SEAL_SALT_SIZE == crypto_pwhash_SALTBYTES, "libsodium's salt");
    int result = sodium_start(error);
    if (result != 0) return result;
    struct seal *seal = memory_new(struct seal);
    if (crypto_pwhash(seal->key, sizeof seal->key, passphrase, strlen(passphrase), salt,
                      crypto_pwhash_OPSLIMIT_MODERATE, crypto_pwhash_MEMLIMIT_MODERATE,
                      crypto_pwhash_ALG_ARGON2ID13) != 0) {
        seal_free(seal);
        return error_set(error, ERROR_SYSTEM, "there is not enough memory to work out the journal's key");
    }
    *ret_seal = seal;
    return 0;
}

int seal_from_chance(struct seal **ret_seal, struct error *error) {
    int result = sodium_start(error);
    if (result != 0) return result;
    struct seal *seal = memory_new(struct seal);
    randombytes_buf(seal->key, sizeof seal->key);
    *ret_seal = seal;
    return 0;
}

void seal_free(struct seal *seal) {
    if (seal == NULL) return;
    memory_wipe(seal, sizeof *seal);
    free(seal);
}

void seal_close(const struct seal *seal, const char *place, const void *data, size_t size,
                struct buffer *sealed) {
    uint8_t nonce[NONCE_SIZE];
    randombytes_buf(nonce, sizeof nonce);
    uint8_t *box = memory_alloc(1, size + TAG_SIZE);
    crypto_aead_xchacha20poly1305_ietf_encrypt(box, NULL, data, size, (const uint8_t *)place, strlen(place),
                                               NULL, nonce, seal->key);
    buffer_add(sealed, nonce, sizeof nonce);
    buffer_add(sealed, box, size + TAG_SIZE);
    free(box);
}

int seal_open(const struct seal *seal, const char *place, const void *sealed, size_t size,
              struct buffer *data, struct error *error) {
    const uint8_t *bytes = sealed;
    if (size < NONCE_SIZE + TAG_SIZE) return error_set(error, ERROR_INPUT, "an encrypted value is cut off");
    size_t plain_size = size - NONCE_SIZE - TAG_SIZE;
    uint8_t *plain = memory_alloc(1, plain_size);
    int result = 0;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL, bytes + NONCE_SIZE, size - NONCE_SIZE,
                                                   (const uint8_t *)place, strlen(place), bytes,
                                                   seal->key) != 0) {
        result = error_set(error, ERROR_INPUT, "an encrypted value cannot be opened");
    } else {
        buffer_add(data, plain, plain_size);
    }
    memory_wipe(plain, plain_size);
    free(plain);
    return result;
}
