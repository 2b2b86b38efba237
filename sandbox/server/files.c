// SPDX-License-Identifier: Apache-2.0
#include "server/files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/memory.h"

static int load_lines(struct world *world, FILE *file, const char *path, bool take_application,
                      struct error *error) {
    char *line = NULL;
    size_t capacity = 0;
    unsigned long number = 0;
    int result = 0;
    for (ssize_t size = 0; result == 0 && (size = getline(&line, &capacity, file)) > 0;) {
        number++;
        const char *app_id = NULL;
        if (line[strspn(line, " \t\r\n")] == '\0') continue;
        result = world_load_device(world, line, (size_t)size, &app_id, error);
        if (result == 0 && take_application) world_set_main_application(world, app_id);
        take_application = false;
    }
    free(line);
    return result == 0 ? 0 : error_wrap(error, ERROR_NONE, "%s line %lu", path, number);
}

int files_load_records(struct world *world, const char *path, bool take_application, struct error *error) {
    FILE *file = fopen(path, "re");
    if (file == NULL) return error_set(error, ERROR_SYSTEM, "cannot read %s: %s", path, strerror(errno));
    int result = load_lines(world, file, path, take_application, error);
    fclose(file);
    return result;
}

int files_load_state(struct world *world, const char *path, struct error *error) {
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        if (errno == ENOENT) return 0;
        return error_set(error, ERROR_SYSTEM, "cannot read %s: %s", path, strerror(errno));
    }
    world_clear_devices(world);
    int result = load_lines(world, file, path, false, error);
    fclose(file);
    return result;
}

int files_write(const char *path, const void *data, size_t size, struct error *error) {
    char *temporary MEMORY_AUTO = memory_printf("%s.new", path);
    FILE *file = fopen(temporary, "we");
    if (file == NULL)
        return error_set(error, ERROR_SYSTEM, "cannot write %s: %s", temporary, strerror(errno));
    bool written = size == 0 || fwrite(data, size, 1, file) == 1;
    written = fclose(file) == 0 && written;
    if (written && rename(temporary, path) == 0) return 0;
    int reason = errno;
    unlink(temporary);
    return error_set(error, ERROR_SYSTEM, "cannot write %s: %s", path, strerror(reason));
}

int files_save_state(const struct world *world, const char *path, struct error *error) {
    BUFFER_AUTO state;
    buffer_init(&state, BUFFER_UNLIMITED);
    world_state_lines(world, &state);
    return files_write(path, state.data, state.size, error);
}
