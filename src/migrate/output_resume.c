// SPDX-License-Identifier: Apache-2.0
#include "migrate/output_resume.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/message.h"

// So much is gathered before it is written.
enum { WRITE_SIZE = 256 * 1024 };

struct continuation {
    struct file *file;
    const struct target_driver *target;
    struct journal *journal;
    uint64_t good;  // bytes of whole lines
    uint64_t line;  // the last one looked at
};

// The line of a device as it was or would be written.
static int encode(const struct continuation *self, const struct journal_device *kept, struct buffer *line,
                  struct error *error) {
    DEVICE_AUTO device = {0};
    device_init(&device);
    device.end_device = message_unpack(&tts__end_device__descriptor, kept->converted, kept->converted_size,
                                       &device.arena, error);
    if (device.end_device == NULL)
        return error_wrap(error, ERROR_INPUT, "the journal's device %s", kept->record.id);
    return self->target->encode(&device, line, error);
}

enum match { MATCH_WHOLE, MATCH_TORN, MATCH_NONE };

// True if the file's bytes are those of the line as far as they were written. Where a write was not synced, the power
// may have failed before all of its blocks were there: those that are missing are zeros, which no line has.
static bool is_torn(const char *there, const uint8_t *line, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (there[i] != (char)line[i]) return there[i] == '\0';
    }
    return true;
}

// Compares a line with what the file holds at `good`.
static int compare(const struct continuation *self, const struct buffer *line, enum match *ret_match,
                   struct error *error) {
    char *there = memory_alloc(1, line->size + 1);
    size_t have = 0;
    int result = 0;
    while (result == 0 && have < line->size) {
        size_t got = 0;
        result = self->file->operations->read(self->file, self->good + have, there + have, line->size - have,
                                              &got, error);
        if (got == 0) break;
        have += got;
    }
    bool whole = have == line->size && memcmp(there, line->data, have) == 0;
    *ret_match = whole ? MATCH_WHOLE : is_torn(there, line->data, have) ? MATCH_TORN : MATCH_NONE;
    memory_wipe(there, line->size);
    free(there);
    return result;
}

// A device that may have left its source has to have a line; one that is back there, or on its way, need not.
static bool needs_line(const struct journal_device *kept) {
    return kept->state >= DEVICE_RELEASING && kept->state <= DEVICE_CONFIRMED;
}

static int foreign_content(const struct continuation *self, struct error *error) {
    error_set(error, ERROR_OUTPUT, "%s holds something else than this run's lines", self->file->name);
    error_hint(error, "to have every line of the run written again: --output NEWFILE");
    return -ERROR_OUTPUT;
}

static void add_beginning(const struct continuation *self, struct buffer *text) {
    if (self->target->begin != NULL) self->target->begin(text);
}

// What stands before the first line. *ret_match is MATCH_TORN if that is not whole.
static int find_beginning(struct continuation *self, enum match *ret_match, struct error *error) {
    BUFFER_AUTO beginning;
    buffer_init(&beginning, BUFFER_UNLIMITED);
    add_beginning(self, &beginning);
    *ret_match = MATCH_WHOLE;
    int result = beginning.size == 0 ? 0 : compare(self, &beginning, ret_match, error);
    if (result == 0 && *ret_match == MATCH_WHOLE) self->good += beginning.size;
    return result != 0 || *ret_match != MATCH_NONE ? result : foreign_content(self, error);
}

// Finds the end of the whole lines that are there.
static int find_end(struct continuation *self, struct error *error) {
    enum match beginning = MATCH_WHOLE;
    int begun = find_beginning(self, &beginning, error);
    if (begun != 0 || beginning == MATCH_TORN) return begun;
    for (;;) {
        struct journal_device kept = {0};
        int found = journal_next_line(self->journal, self->line, &kept, error);
        if (found == 0) break;
        if (found < 0) return found;
        BUFFER_AUTO line;
        buffer_init(&line, BUFFER_UNLIMITED);
        enum match match = MATCH_NONE;
        int result = encode(self, &kept, &line, error);
        if (result == 0) result = compare(self, &line, &match, error);
        if (result == 0 && match == MATCH_WHOLE) {
            self->good += line.size;
            self->line = kept.line;
            if (kept.state == DEVICE_RECORDED) {
                result = journal_set_state(self->journal, kept.sequence, DEVICE_RELEASING, error);
            }
        }
        bool optional = kept.state >= DEVICE_RESTORING;
        if (match == MATCH_NONE && optional) self->line = kept.line;
        journal_device_release(&kept);
        if (result != 0) return result;
        if (match == MATCH_NONE && !optional) return foreign_content(self, error);
        if (match == MATCH_TORN) return 0;
    }
    char byte = 0;
    size_t got = 0;
    int result = self->file->operations->read(self->file, self->good, &byte, 1, &got, error);
    return result != 0 || got == 0 ? result : foreign_content(self, error);
}

static int flush(struct continuation *self, struct buffer *lines, struct error *error) {
    int result =
        lines->size == 0 ? 0 : self->file->operations->write(self->file, lines->data, lines->size, error);
    if (result == 0) self->good += lines->size;
    buffer_clear(lines);
    return result;
}

// Writes the lines that are missing, of devices that may have left their source. Those that are back there, or have
// not left it, have none.
static int write_missing(struct continuation *self, struct error *error) {
    BUFFER_AUTO lines;
    buffer_init(&lines, BUFFER_UNLIMITED);
    uint64_t after = self->line;
    int result = 0;
    for (int found = 1; result == 0 && found == 1;) {
        struct journal_device kept = {0};
        found = journal_next_line(self->journal, after, &kept, error);
        if (found < 0) result = found;
        if (found == 1) {
            after = kept.line;
            if (needs_line(&kept) && self->good == 0 && lines.size == 0) add_beginning(self, &lines);
            if (needs_line(&kept)) result = encode(self, &kept, &lines, error);
        }
        journal_device_release(&kept);
        if (result == 0 && lines.size >= WRITE_SIZE) result = flush(self, &lines, error);
    }
    if (result == 0) result = flush(self, &lines, error);
    return result != 0 ? result : self->file->operations->sync(self->file, error);
}

int output_resume(struct file *file, bool continued, const struct target_driver *target,
                  struct journal *journal, uint64_t *ret_size, struct error *error) {
    struct continuation self = {.file = file, .target = target, .journal = journal};
    int result = continued ? find_end(&self, error) : 0;
    // What is cut off must not come back between the lines that follow.
    if (result == 0 && continued) result = file->operations->truncate(file, self.good, error);
    if (result == 0 && continued) result = file->operations->sync(file, error);
    if (result == 0) result = journal_forget_recorded(journal, error);
    if (result == 0) result = write_missing(&self, error);
    *ret_size = self.good;
    return result != 0 ? result : journal_commit(journal, error);
}
