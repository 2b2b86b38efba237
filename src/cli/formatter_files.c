// SPDX-License-Identifier: Apache-2.0
#include "cli/formatter_files.h"
#include "cli/signals.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "formatter/formatter.h"

// True if the file has that content.
static bool holds(const char *path, const char *script) {
    char *text MEMORY_AUTO = NULL;
    size_t size = 0;
    ERROR_AUTO ignored = {0};
    return file_read_all(path, strlen(script), &text, &size, &ignored) == 0 && size == strlen(script) &&
           memcmp(text, script, size) == 0;
}

static int write_new(const char *path, const char *script, struct error *error) {
    struct file *file = NULL;
    int result = file_create_output(path, signals_halt_fd(), &file, error);
    if (result != 0) return result;
    result = file->operations->write(file, script, strlen(script), error);
    if (result == 0) result = file->operations->sync(file, error);
    int closed = file->operations->close(file, result == 0 ? error : NULL);
    return result != 0 ? result : closed;
}

int formatter_file_write(const struct log *log, const char *folder, const char *prefix,
                         const struct formatter_file *file, struct error *error) {
    if (file->script == NULL || file->script[0] == '\0') return 0;
    // The ID of an application leads nowhere else.
    if (prefix != NULL && (prefix[0] == '\0' || prefix[0] == '.' || strchr(prefix, '/') != NULL))
        return error_set(error, ERROR_OUTPUT, "\"%s\" cannot begin the name of a file", prefix);
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return error_set(error, ERROR_OUTPUT, "cannot make the folder %s: %s", folder, strerror(errno));
    char *path MEMORY_AUTO = memory_printf("%s/%s%s%s", folder, prefix != NULL ? prefix : "",
                                           prefix != NULL ? "." : "", file->name);
    if (file->again && holds(path, file->script)) {
        log_printf(log, LOG_INFO, "%s is there already", path);
        return 0;
    }
    int result = write_new(path, file->script, error);
    if (result == 0) log_printf(log, LOG_INFO, "wrote %s", path);
    return result;
}
