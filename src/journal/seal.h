// SPDX-License-Identifier: Apache-2.0
// Secrets at rest: what a journal holds of keys is encrypted and authenticated if it has a key (XChaCha20-Poly1305
// of libsodium, a nonce of its own for each value). Each value is bound to its place: moved elsewhere it cannot be
// opened.
#ifndef JOURNAL_SEAL_H
#define JOURNAL_SEAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

enum { SEAL_SALT_SIZE = 16, SEAL_SECRET_MIN = 16 };

struct seal;

// A key from the content of a file, at least 16 bytes (all of it counts, but for a newline at the end).
// ERROR_USAGE if the file cannot be read or is too short.
int seal_from_file(const char *path, struct seal **ret_seal, struct error *error);

// A key from a passphrase (Argon2id, moderate cost); `salt` is the journal's own.
int seal_from_passphrase(const char *passphrase, const uint8_t salt[static SEAL_SALT_SIZE],
                         struct seal **ret_seal, struct error *error);

// A key that nobody knows, for what lasts no longer than the process.
int seal_from_chance(struct seal **ret_seal, struct error *error);

// Wipes; accepts NULL.
void seal_free(struct seal *seal);

// Appends the sealed form of `data` to `sealed`. `place` names where it stands ("device.data:dev-1").
void seal_close(const struct seal *seal, const char *place, const void *data, size_t size,
                struct buffer *sealed);

// Appends what was sealed. ERROR_INPUT if it is damaged, stood elsewhere, or has another key.
int seal_open(const struct seal *seal, const char *place, const void *sealed, size_t size,
              struct buffer *data, struct error *error);

#endif
