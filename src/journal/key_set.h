// SPDX-License-Identifier: Apache-2.0
// A key_set in SQLite's private temporary database: it spills to an unlinked file when it outgrows its cache. Its keys
// are in the clear there, so nothing secret belongs into it.
#ifndef JOURNAL_KEY_SET_H
#define JOURNAL_KEY_SET_H

#include "base/key_set.h"

int key_set_open_temporary(struct key_set **ret_set, struct error *error);

// Frees; accepts NULL.
void key_set_free(struct key_set *set);

#endif
