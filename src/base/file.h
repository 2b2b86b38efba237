// SPDX-License-Identifier: Apache-2.0
// The file that a run writes to, as an interface, so that a simulation can lose, tear or refuse writes.
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct file;

struct file_operations {
    // Writes all of it at the end. After an error an unknown part may be there. ERROR_CANCELLED if the user has asked to
    // halt and for a second nobody reads what is written.
    int (*write)(struct file *file, const void *data, size_t size, struct error *error);
    // Returns when what was written survives a loss of power; nothing to do for a pipe or a terminal.
    int (*sync)(struct file *file, struct error *error);
    // Reads what this run wrote, from `offset` on; *ret_size is 0 at the end. Only if `file->regular`.
    int (*read)(struct file *file, uint64_t offset, void *data, size_t size, size_t *ret_size,
                struct error *error);
    // Takes away what stands behind the first `size` bytes that this run wrote; only if `file->regular`.
    int (*truncate)(struct file *file, uint64_t size, struct error *error);
    // Takes the file away again if this run has made it and nothing is in it; `close` follows.
    void (*discard)(struct file *file);
    // Closes and frees; an error that the system reports only now is returned.
    int (*close)(struct file *file, struct error *error);
};

// Which file it is, to find it again.
struct file_identity {
    char *path;  // absolute; owned
    uint64_t device;
    uint64_t inode;
    uint64_t start;  // where this run began to write
};

void file_identity_release(struct file_identity *identity);

struct file {
    const struct file_operations *operations;
    const char *name;  // for messages: "standard output" or the path; owned by the implementation
    bool regular;      // a regular file: can be synced and cut
    bool exposed;      // a regular file that other users of the machine can read
    bool unlocked;     // a regular file that could not be locked: its file system knows no locks
};

// Standard output. ERROR_OUTPUT if it is closed or not open for writing. The descriptor stays open after
// `close`. `halt_fd` becomes readable, and stays so, when the user asks to halt; -1 = never.
int file_open_standard_output(int halt_fd, struct file **ret_file, struct error *error);

// The same for lines of devices: nobody else may write to that file. ERROR_OUTPUT also if another run does, or if it ends in
// the middle of a line. The file is this process's own until it ends.
int file_open_standard_output_alone(int halt_fd, struct file **ret_file, struct error *error);

// True if messages go to the same file: they would stand between the lines.
bool file_shares_standard_error(const struct file *file);

// A new file, 0600 whatever the umask; an existing one only if it is empty, or a pipe. ERROR_OUTPUT otherwise. `halt_fd` as
// above.
int file_create_output(const char *path, int halt_fd, struct file **ret_file, struct error *error);

// Tells which regular file it is; false if it is none, or has no name any more.
bool file_identify(const struct file *file, struct file_identity *ret_identity);

// Opens a file that was written to before, to go on behind what is there. ERROR_OUTPUT if it is no longer that file.
int file_open_again(const struct file_identity *identity, struct file **ret_file, struct error *error);

// True if this very file has that path.
bool file_is_at(const struct file_identity *identity, const char *path);

// True if standard output is this very file.
bool file_is_standard_output(const struct file_identity *identity);

// Reads a whole file of at most `limit` bytes into *ret_data, NUL-terminated (the NUL is not counted);
// the caller frees it. ERROR_INPUT if it cannot be read, ERROR_TOO_LARGE if it is longer.
int file_read_all(const char *path, size_t limit, char **ret_data, size_t *ret_size, struct error *error);

// The path from the root on, so that it means the same in another directory; nothing needs to be there. NULL if the
// present directory has no name. The caller frees it.
char *file_absolute(const char *path);

// Overwrites a file with zeros, syncs, and takes it away. ERROR_OUTPUT.
int file_wipe(const char *path, struct error *error);

#endif
