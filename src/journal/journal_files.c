// SPDX-License-Identifier: Apache-2.0
// Whether a journal's files are still where they were opened.
#include <sys/stat.h>

#include "base/memory.h"
#include "journal/journal_p.h"

static struct journal_file file_of(const char *path) {
    struct stat status;
    if (stat(path, &status) != 0) return (struct journal_file){0};
    return (struct journal_file){.device = status.st_dev, .number = status.st_ino};
}

void journal_note_files(struct journal *journal, const struct journal_place *place) {
    if (place->vfs != NULL) return;
    char *log MEMORY_AUTO = memory_printf("%s-wal", journal->path);
    journal->file = file_of(journal->path);
    journal->log = file_of(log);
}

// What is written to a file that somebody has taken away is lost with the process.
static int check_file(const struct journal *journal, const char *path, const struct journal_file *file,
                      struct error *error) {
    if (file->number == 0) return 0;
    struct journal_file now = file_of(path);
    if (now.device == file->device && now.number == file->number) return 0;
    error_set(error, ERROR_OUTPUT, "the journal %s: %s was taken away while it was in use", journal->path,
              path);
    error_hint(error, "what was written to it is lost: compare both networks before anything else is done");
    return -ERROR_OUTPUT;
}

int journal_check_files(const struct journal *journal, struct error *error) {
    char *log MEMORY_AUTO = memory_printf("%s-wal", journal->path);
    int result = check_file(journal, journal->path, &journal->file, error);
    return result != 0 ? result : check_file(journal, log, &journal->log, error);
}
