// SPDX-License-Identifier: Apache-2.0
// Roots of trust given as PEM text.
#ifndef NET_CERTIFICATES_H
#define NET_CERTIFICATES_H

#include "base/error.h"

// Checks that `pem` holds at least one certificate and that all of them can be read. ERROR_INPUT if not;
// `what` names the text in the error ("--ttnv2.ca-cert").
int certificates_check(const char *pem, const char *what, struct error *error);

#endif
