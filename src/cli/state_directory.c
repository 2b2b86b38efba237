// SPDX-License-Identifier: Apache-2.0
#include "cli/state_directory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"

// Makes every directory of an absolute path.
static int make_directories(const char *path, struct error *error) {
    char *part MEMORY_AUTO = memory_strdup(path);
    for (char *slash = strchr(part + 1, '/');; slash = strchr(slash + 1, '/')) {
        if (slash != NULL) *slash = '\0';
        if (mkdir(part, 0700) != 0 && errno != EEXIST) {
            return error_set(error, ERROR_OUTPUT, "cannot make the directory %s: %s", part, strerror(errno));
        }
        if (slash == NULL) return 0;
        *slash = '/';
    }
}

int state_directory(option_lookup *lookup, char **ret_path, struct error *error) {
    const char *state = lookup("XDG_STATE_HOME");
    const char *home = lookup("HOME");
    char *path = NULL;
    // The XDG specification: a path that is not absolute counts as none.
    if (state != NULL && state[0] == '/') {
        path = memory_printf("%s/ttn-lw-migrate", state);
    } else if (home != NULL && home[0] == '/') {
        path = memory_printf("%s/.local/state/ttn-lw-migrate", home);
    } else {
        return error_set(error, ERROR_OUTPUT, "neither XDG_STATE_HOME nor HOME names a directory");
    }
    int result = make_directories(path, error);
    if (result != 0) {
        free(path);
        return result;
    }
    *ret_path = path;
    return 0;
}
