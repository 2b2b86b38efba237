// SPDX-License-Identifier: Apache-2.0
// Payload formatters as files in a folder: uplink.js and downlink.js, of an application APP.uplink.js and APP.downlink.js.
#ifndef CLI_FORMATTER_FILES_H
#define CLI_FORMATTER_FILES_H

#include <stdbool.h>

#include "base/error.h"
#include "base/log.h"

struct formatter_file {
    const char *name;    // "uplink.js"
    const char *script;  // NULL or empty: none is written
    bool again;          // one that is there already with just that content is as good
};

// Makes the folder, if it is missing, and the file, with `prefix` and a dot before its name (NULL: none). ERROR_OUTPUT, also
// if something else is there.
int formatter_file_write(const struct log *log, const char *folder, const char *prefix,
                         const struct formatter_file *file, struct error *error);

#endif
