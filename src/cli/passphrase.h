// SPDX-License-Identifier: Apache-2.0
// Asking for a secret on the terminal.
#ifndef CLI_PASSPHRASE_H
#define CLI_PASSPHRASE_H

#include "base/error.h"

// Asks on the terminal itself (not standard input), without showing what is typed. The caller wipes and frees the answer.
// ERROR_USAGE if there is no terminal, or the answer is empty.
int passphrase_ask(const char *prompt, char **ret_passphrase, struct error *error);

// The same for a new one: it is asked for twice. ERROR_USAGE also if the answers differ.
int passphrase_ask_twice(const char *prompt, const char *again, char **ret_passphrase, struct error *error);

#endif
