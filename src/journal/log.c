// SPDX-License-Identifier: Apache-2.0
// Formats: "Database File Format" (The Write-Ahead Log) and "WAL-mode File Format" (The WAL-Index Header) of SQLite's
// documentation.
//
// Every transaction is synced before the next one begins. So a power cut can leave one that is torn at the end of the log, in
// any order, but none behind it. A process that is killed leaves FILE-shm too, which tells how long the log was.
#include "journal/log.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

enum {
    HEADER_SIZE = 32,
    FRAME_SIZE = 24,  // in front of its page
    PAGE_MOST = 65536,
    PAGES_MOST = 1 << 26,
    LOOKS = 2,  // a log that is being written to may look damaged for a moment
};

static const uint32_t magic = 0x377f0682;  // the last bit: sums are of big-endian numbers
static const useconds_t pause_us = 20000;

struct salts {
    uint32_t values[2];
};

struct log {
    sqlite3_file *file;  // owned; NULL = there is none
    int64_t size;
    bool valid;  // its header is
    bool whole;  // its header is not, but nothing is lost with it
    bool big;
    uint32_t page_size;
    struct salts salts;
    uint32_t sums[2];
    uint64_t frames;  // that can be read from its start
    bool goes_on;     // behind one that cannot
};

// The start of FILE-shm.
struct index_header {
    uint32_t version, unused, changes;
    uint8_t is_made, big;
    uint16_t page_size;
    uint32_t last_frame, pages;
    uint32_t frame_sums[2];
    struct salts salts;
    uint32_t sums[2];
};

static void add_sums(uint32_t sums[static 2], bool big, const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i + 8 <= size; i += 8) {
        uint32_t words[2];
        memcpy(words, bytes + i, sizeof words);
        sums[0] += (big ? be32toh(words[0]) : le32toh(words[0])) + sums[1];
        sums[1] += (big ? be32toh(words[1]) : le32toh(words[1])) + sums[0];
    }
}

static uint32_t number_at(const uint8_t *bytes, size_t place) {
    uint32_t number = 0;
    memcpy(&number, bytes + place, sizeof number);
    return be32toh(number);
}

static bool has_salts(const struct log *log, const uint8_t *bytes) {
    return memcmp(bytes, &log->salts, sizeof log->salts) == 0;
}

static bool read_at(sqlite3_file *file, void *bytes, size_t size, int64_t place) {
    return file->pMethods->xRead(file, bytes, (int)size, place) == SQLITE_OK;
}

// ---- the log

static void read_header(struct log *log) {
    uint8_t header[HEADER_SIZE];
    if (log->size < HEADER_SIZE || !read_at(log->file, header, sizeof header, 0)) return;
    log->big = (number_at(header, 0) & 1) != 0;
    log->page_size = number_at(header, 8);
    memcpy(&log->salts, header + 16, sizeof log->salts);
    add_sums(log->sums, log->big, header, 24);
    log->valid = (number_at(header, 0) & ~1U) == magic && log->page_size >= 512 &&
                 log->page_size <= PAGE_MOST && log->sums[0] == number_at(header, 24) &&
                 log->sums[1] == number_at(header, 28);
}

// Whether the frame follows those before it.
static bool follows(struct log *log, const uint8_t *frame) {
    if (!has_salts(log, frame + 8)) return false;
    add_sums(log->sums, log->big, frame, 8);
    add_sums(log->sums, log->big, frame + FRAME_SIZE, log->page_size);
    return log->sums[0] == number_at(frame, 16) && log->sums[1] == number_at(frame, 20);
}

static void read_frames(struct log *log) {
    size_t size = FRAME_SIZE + (size_t)log->page_size;
    uint8_t *frame = memory_alloc(size, 1);
    int64_t place = HEADER_SIZE;
    for (; place + (int64_t)size <= log->size; place += (int64_t)size) {
        if (!read_at(log->file, frame, size, place) || !follows(log, frame)) break;
        log->frames++;
    }
    // The page of the last frame of a transaction, which may stand there several times, to the end of a sector.
    uint32_t last = 0;
    for (; place + (int64_t)size <= log->size && !log->goes_on; place += (int64_t)size) {
        if (!read_at(log->file, frame, FRAME_SIZE, place)) break;
        if (!has_salts(log, frame + 8)) continue;
        bool repeated = number_at(frame, 4) != 0 && number_at(frame, 0) == last;
        log->goes_on = last != 0 && !repeated;
        if (number_at(frame, 4) != 0) last = number_at(frame, 0);
    }
    memory_wipe(frame, size);
    free(frame);
}

// ---- a log without a valid header

// A log that begins anew gets another header, which may be torn; what follows it is in the file already.
struct leftover {
    size_t frame_size;
    uint64_t frames;  // up to the last end of a transaction
    uint32_t pages;   // the highest of them
};

static uint32_t page_size_of(sqlite3_file *file) {
    uint8_t bytes[2];
    if (!read_at(file, bytes, sizeof bytes, 16)) return 0;
    uint32_t size = (uint32_t)bytes[0] << 8 | bytes[1];
    return size == 1 ? PAGE_MOST : size;
}

static int64_t frame_place(const struct leftover *leftover, uint64_t frame) {
    return HEADER_SIZE + (int64_t)(frame * leftover->frame_size);
}

static void measure_leftover(struct log *log, uint32_t page_size, struct leftover *ret_leftover) {
    *ret_leftover = (struct leftover){.frame_size = FRAME_SIZE + (size_t)page_size};
    uint8_t frame[FRAME_SIZE];
    for (uint64_t i = 0; read_at(log->file, frame, sizeof frame, frame_place(ret_leftover, i)); i++) {
        if (i == 0) memcpy(&log->salts, frame + 8, sizeof log->salts);
        if (!has_salts(log, frame + 8)) break;
        uint32_t page = number_at(frame, 0);
        if (page > ret_leftover->pages) ret_leftover->pages = page;
        if (number_at(frame, 4) != 0) ret_leftover->frames = i + 1;
    }
}

static bool same_page(const struct log *log, sqlite3_file *file, int64_t place, uint32_t page,
                      uint32_t size) {
    uint8_t *both = memory_alloc(2, size);
    bool same = read_at(log->file, both, size, place + FRAME_SIZE) &&
                read_at(file, both + size, size, (int64_t)(page - 1) * size) &&
                memcmp(both, both + size, size) == 0;
    memory_wipe(both, 2 * (size_t)size);
    free(both);
    return same;
}

// True if the file has what the last frames of all pages have.
static bool is_in_file(struct log *log, sqlite3_file *file) {
    uint32_t page_size = file == NULL ? 0 : page_size_of(file);
    if (page_size < 512) return false;
    struct leftover leftover;
    measure_leftover(log, page_size, &leftover);
    if (leftover.pages > PAGES_MOST) return false;
    bool *seen = memory_new_array(bool, (size_t)leftover.pages + 1);
    bool same = true;
    for (uint64_t i = leftover.frames; i > 0 && same; i--) {
        uint8_t frame[FRAME_SIZE];
        int64_t place = frame_place(&leftover, i - 1);
        same = read_at(log->file, frame, sizeof frame, place) && number_at(frame, 0) > 0;
        uint32_t page = number_at(frame, 0);
        if (same && !seen[page]) same = same_page(log, file, place, page, page_size);
        if (same) seen[page] = true;
    }
    free(seen);
    return same;
}

// ---- opening

static bool exists(sqlite3_vfs *vfs, const char *path) {
    int there = 0;
    return vfs->xAccess(vfs, path, SQLITE_ACCESS_EXISTS, &there) == SQLITE_OK && there != 0;
}

// Opens one of a journal's files as SQLite does; NULL if it is not there, or cannot be opened: then SQLite will say so.
static sqlite3_file *open_file(sqlite3_vfs *vfs, const char *name, int kind, int64_t *ret_size) {
    if (!exists(vfs, name)) return NULL;
    sqlite3_file *file = memory_alloc((size_t)vfs->szOsFile, 1);
    memset(file, 0, (size_t)vfs->szOsFile);
    int flags = 0;
    sqlite3_int64 size = 0;
    if (vfs->xOpen(vfs, name, file, kind | SQLITE_OPEN_READONLY, &flags) != SQLITE_OK ||
        file->pMethods->xFileSize(file, &size) != SQLITE_OK) {
        if (file->pMethods != NULL) file->pMethods->xClose(file);
        free(file);
        return NULL;
    }
    *ret_size = size;
    return file;
}

static void close_file(sqlite3_file *file) {
    if (file == NULL) return;
    file->pMethods->xClose(file);
    free(file);
}

// ---- its index

// What FILE-shm tells of the log; false if it tells nothing. It is in the machine's own byte order.
static bool read_index(const struct journal_place *place, struct index_header *ret_header) {
    if (place->vfs != NULL) return false;
    char *path MEMORY_AUTO = memory_printf("%s-shm", place->path);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0) return false;
    ssize_t size = read(descriptor, ret_header, sizeof *ret_header);
    close(descriptor);
    if (size != (ssize_t)sizeof *ret_header) return false;
    uint32_t sums[2] = {0};
    add_sums(sums, htobe32(1) == 1, (const uint8_t *)ret_header, offsetof(struct index_header, sums));
    return memcmp(sums, ret_header->sums, sizeof sums) == 0 && ret_header->is_made != 0;
}

// ---- judging

// What is wrong; NULL = nothing.
static const char *judge(const struct log *log, bool indexed, const struct index_header *index,
                         int64_t file_size) {
    bool used = indexed && index->last_frame > 0;
    if (log->file == NULL) return used ? "is gone" : NULL;
    if (file_size == 0 && log->size > 0) return "has what the file itself lacks: that was cut off";
    if (!log->valid) return log->whole || (log->size == 0 && !used) ? NULL : "is damaged at its start";
    if (log->goes_on) return "is damaged in its middle";
    bool same = used && memcmp(&index->salts, &log->salts, sizeof log->salts) == 0;
    return same && log->frames < index->last_frame ? "lacks its end, or that is damaged" : NULL;
}

static const char *look(const struct journal_place *place, bool *ret_there) {
    sqlite3_vfs *vfs = sqlite3_vfs_find(place->vfs);
    char *log_path MEMORY_AUTO = memory_printf("%s-wal", place->path);
    sqlite3_filename name = sqlite3_create_filename(place->path, log_path, log_path, 0, NULL);
    struct log log = {0};
    // Before the log: that only grows as long as its salts stay.
    struct index_header index = {0};
    bool indexed = read_index(place, &index);
    int64_t file_size = 0;
    sqlite3_file *file = open_file(vfs, name, SQLITE_OPEN_MAIN_DB, &file_size);
    log.file = open_file(vfs, sqlite3_filename_wal(name), SQLITE_OPEN_WAL, &log.size);
    if (log.file != NULL) read_header(&log);
    if (log.valid) read_frames(&log);
    if (log.file != NULL && !log.valid) log.whole = is_in_file(&log, file);
    const char *wrong = judge(&log, indexed, &index, file_size);
    *ret_there = log.file != NULL;
    close_file(log.file);
    close_file(file);
    sqlite3_free_filename(name);
    return wrong;
}

int log_damaged(const char *path, const char *what, struct error *error) {
    error_set(error, ERROR_INPUT, "the journal %s is damaged: its log, %s-wal, %s", path, path, what);
    error_hint(error, "nothing was changed; keep all its files, and the output of its run, as they are");
    return -ERROR_INPUT;
}

int log_check(const struct journal_place *place, bool *ret_there, struct error *error) {
    const char *wrong = look(place, ret_there);
    for (int i = 1; i < LOOKS && wrong != NULL && place->vfs == NULL; i++) {
        usleep(pause_us);
        wrong = look(place, ret_there);
    }
    return wrong == NULL ? 0 : log_damaged(place->path, wrong, error);
}
