// SPDX-License-Identifier: Apache-2.0
// A self-signed certificate as V2's components make theirs: P-256, CA:TRUE, valid for a year.
#ifndef SANDBOX_SERVER_CERTIFICATE_H
#define SANDBOX_SERVER_CERTIFICATE_H

#include "base/error.h"

struct certificate {
    char *certificate_pem;  // owned
    char *key_pem;          // owned
};

// For localhost, 127.0.0.1, ::1 and `address` (a host name or an IP address; may be NULL). ERROR_SYSTEM.
int certificate_make(const char *address, struct certificate *ret_certificate, struct error *error);
void certificate_release(struct certificate *certificate);

#endif
