// SPDX-License-Identifier: Apache-2.0
// What sources that are files share: reading the file page by page, and devices that may stand there only once.
//
// A file's device goes into its record with the line where it stands. A device that cannot be read becomes a record all
// the same, so that it fails alone, when it is converted.
#ifndef SOURCE_FILE_LIST_H
#define SOURCE_FILE_LIST_H

#include "source/source.h"

struct file_list {
    struct reader *input;  // borrowed; NULL: see struct source_setup
    struct key_set *seen;  // borrowed
    const char *what;      // what it is a list of, for messages: "device" or "gateway"
    char *piece;           // owned; wiped on release
    bool begun;
    bool ended;
    uint64_t entries;  // devices seen since the first byte
};

void file_list_init(struct file_list *list, const struct source_setup *setup);
void file_list_release(struct file_list *list);

// Takes a piece of the file, and adds what is whole to the page; `size` 0 is the end of the file.
typedef int file_list_take(void *context, struct source_page *page, const char *data, size_t size,
                           struct error *error);

// Fills a page. Whoever asks for the first page once more (`page->cursor` NULL) gets the file from its beginning.
// ERROR_INPUT if that is impossible, or if the file is empty.
int file_list_fill(struct file_list *list, struct source_page *page, file_list_take *take, void *context,
                   struct error *error);

// A device of the file; all borrowed.
struct file_entry {
    const char *id;      // NULL = it has none: then it is called after its place in the file
    const uint8_t *eui;  // 8 bytes; NULL = none
    size_t line;         // where it begins, from 1 on
    uint64_t number;     // which one it is of a file that may have several in a line, from 1 on; else 0
    const char *name;    // what people call one that has no ID; NULL = it has no name
    enum file_entry_form {
        FILE_ENTRY_MESSAGE,  // protobuf bytes of ttn.lorawan.v3.EndDevice
        FILE_ENTRY_TEXT,     // as it stands in the file
    } form;
    const void *data;
    size_t size;
};

// Adds it to the page. ERROR_INPUT if its ID or its DevEUI was there before; both lines are named.
int file_list_add(struct file_list *list, struct source_page *page, const struct file_entry *entry,
                  struct error *error);

// Puts the line before an error's message, unless there is no error (`result` 0); returns `result`.
int file_error_at(size_t line, int result, struct error *error);

// Takes a record's bytes apart; `id` is not told. ERROR_INPUT if a journal gave something else.
int file_record_read(const struct source_record *record, struct file_entry *ret_entry, struct error *error);

// The job `read` of such a source: nothing more is to be found.
enum job_step file_read(struct source *source, struct job *job, struct source_record *record,
                        struct error *error);

#endif
