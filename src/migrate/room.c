// SPDX-License-Identifier: Apache-2.0
#include "migrate/room.h"

#include <inttypes.h>
#include <stddef.h>

#include "base/memory.h"

// Something that is written, and the room that there is for it.
struct want {
    const char *what;
    uint64_t bytes;
    uint64_t room;
    bool limited;  // by the size of a file, not by the disk
};

enum { WANTS_MAX = 5 };

static uint64_t times(uint64_t devices, uint64_t bytes) {
    uint64_t product = 0;
    return __builtin_mul_overflow(devices, bytes, &product) ? UINT64_MAX / 4 : product;
}

static uint64_t log_bytes(uint64_t devices) {
    uint64_t bytes = times(devices, ROOM_LOG);
    return bytes < ROOM_LOG_MOST ? bytes : ROOM_LOG_MOST;
}

static uint64_t file_room(const struct space *space, uint64_t size) {
    return space->file_most > size ? space->file_most - size : 0;
}

static size_t list_wants(uint64_t devices, const struct space *journal, const struct space *output,
                         struct want wants[static WANTS_MAX]) {
    size_t count = 0;
    uint64_t rows = times(devices, ROOM_JOURNAL);
    uint64_t log = log_bytes(devices);
    uint64_t lines = times(devices, ROOM_OUTPUT);
    bool together = journal->known && output->known && journal->file_system == output->file_system;
    if (together) {
        wants[count++] =
            (struct want){"the journal and the output", rows + log + lines, journal->available, false};
    }
    if (journal->known && !together)
        wants[count++] = (struct want){"the journal", rows + log, journal->available, false};
    if (output->known && !together)
        wants[count++] = (struct want){"the output", lines, output->available, false};
    if (journal->known)
        wants[count++] = (struct want){"the journal", rows, file_room(journal, journal->file_size), true};
    if (journal->known) wants[count++] = (struct want){"the journal's log", log, file_room(journal, 0), true};
    if (output->known)
        wants[count++] = (struct want){"the output", lines, file_room(output, output->file_size), true};
    return count;
}

static char *size_text(uint64_t bytes) {
    enum { KB = 1000, MB = 1000 * KB };
    if (bytes < 10 * MB) return memory_printf("%.1f MB", (double)bytes / MB);
    return memory_printf("%" PRIu64 " MB", bytes / MB);
}

static char *describe(uint64_t devices, const char *thing, const struct want *want) {
    char *bytes MEMORY_AUTO = size_text(want->bytes);
    char *room MEMORY_AUTO = size_text(want->room);
    const char *plural = devices == 1 ? "" : "s";
    if (want->limited) {
        return memory_printf("%s of %" PRIu64
                             " %s%s may grow by about %s, but the limit on the size of a "
                             "file leaves %s",
                             want->what, devices, thing, plural, bytes, room);
    }
    return memory_printf("%s of %" PRIu64 " %s%s need about %s, and %s are free there", want->what, devices,
                         thing, plural, bytes, room);
}

static enum room judge_one(const struct want *want) {
    if (want->room < want->bytes) return ROOM_SHORT;
    return want->room / 2 < want->bytes ? ROOM_TIGHT : ROOM_ENOUGH;
}

enum room room_judge(uint64_t devices, const char *thing, const struct space *journal,
                     const struct space *output, char **ret_text) {
    struct want wants[WANTS_MAX];
    const struct want *worst = NULL;
    enum room verdict = ROOM_ENOUGH;
    size_t count = list_wants(devices, journal, output, wants);
    for (size_t i = 0; i < count; i++) {
        enum room one = judge_one(&wants[i]);
        if (one <= verdict) continue;
        verdict = one;
        worst = &wants[i];
    }
    *ret_text = worst == NULL ? NULL : describe(devices, thing, worst);
    return verdict;
}
