// SPDX-License-Identifier: Apache-2.0
// Recorded data is kept compressed: reading it in tests.
#ifndef TESTS_SUPPORT_XZ_H
#define TESTS_SUPPORT_XZ_H

#include <stdio.h>

// Opens a .xz file below tests/ ("vectors/mac-state.jsonl.xz") for reading what it unpacks to. Ends the test
// if that is impossible. The caller closes it.
FILE *xz_open(const char *name);

#endif
