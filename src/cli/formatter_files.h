// SPDX-License-Identifier: Apache-2.0
// Payload formatters as files in a folder: uplink.js and downlink.js, of an application APP.uplink.js and APP.downlink.js.
#ifndef CLI_FORMATTER_FILES_H
#define CLI_FORMATTER_FILES_H

#include "base/error.h"
#include "base/log.h"

struct formatter_file {
    const char *name;    // "uplink.js"
    const char *script;  // NULL or empty: none is written
};

// Makes the folder, if it is missing, and the file, with `prefix` and a dot before its name (NULL: none). A file that is
// there already and has just that content is as good. ERROR_OUTPUT.
int formatter_file_write(const struct log *log, const char *folder, const char *prefix,
                         const struct formatter_file *file, struct error *error);

#endif
