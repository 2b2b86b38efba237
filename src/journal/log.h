// SPDX-License-Identifier: Apache-2.0
// The log beside a journal (FILE-wal, SQLite's write-ahead log): SQLite takes what it can read from its start and drops the
// rest without a word, as it has to after a power cut. What no power cut can do to it is found here.
#ifndef JOURNAL_LOG_H
#define JOURNAL_LOG_H

#include "journal/journal.h"

// To be called before SQLite opens the journal, which changes what is looked at. ERROR_INPUT if the log, or the file itself,
// lacks what was safe on the disk. *ret_there: there is a log. Changes nothing.
int log_check(const struct journal_place *place, bool *ret_there, struct error *error);

// The error of a journal whose log is wrong in some way: "is gone".
int log_damaged(const char *path, const char *what, struct error *error);

#endif
