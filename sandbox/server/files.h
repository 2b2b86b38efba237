// SPDX-License-Identifier: Apache-2.0
// Files that the world is read from and written to.
#ifndef SANDBOX_SERVER_FILES_H
#define SANDBOX_SERVER_FILES_H

#include "world/world.h"

// Adds the devices of a file of JSON lines (world_load_device). The application that the first names becomes
// the main one if `take_application`. ERROR_INPUT, ERROR_SYSTEM.
int files_load_records(struct world *world, const char *path, bool take_application, struct error *error);

// Reads a file that files_save_state wrote (the same JSON lines), in place of the world's devices. A missing
// file is no error.
int files_load_state(struct world *world, const char *path, struct error *error);
int files_save_state(const struct world *world, const char *path, struct error *error);

// Writes a whole file, replacing what was there at once. ERROR_SYSTEM.
int files_write(const char *path, const void *data, size_t size, struct error *error);

#endif
