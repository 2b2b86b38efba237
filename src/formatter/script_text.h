// SPDX-License-Identifier: Apache-2.0
// What can be told of a script without running it.
#ifndef FORMATTER_SCRIPT_TEXT_H
#define FORMATTER_SCRIPT_TEXT_H

#include <stdbool.h>

// True if the script defines a function of that name, as people write it: `function NAME`, `NAME = ` or `NAME:` in its
// code. Comments and strings do not count.
bool script_defines(const char *script, const char *name);

#endif
