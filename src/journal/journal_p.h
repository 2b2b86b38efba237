// SPDX-License-Identifier: Apache-2.0
// What the files of the journal share: the database (journal.c), its devices (journal_device.c).
#ifndef JOURNAL_JOURNAL_P_H
#define JOURNAL_JOURNAL_P_H

#include <sqlite3.h>
#include <sys/types.h>

#include "journal/journal.h"

enum statement {
    ADD,
    FILL,
    RENAME,
    NEXT_ANY,
    NEXT_SESSION,
    FIND,
    OTHER,
    STORE,
    SET_STATE,
    SET_REASON,
    SET_LINE,
    SET_DEVICE_ID,
    SET_CONVERTED,
    SET_CLAIM,
    SET_PROGRESS,
    RESTORE_ALL,
    MARK_UNTOUCHED,
    MARK_ALL_UNTOUCHED,
    NEXT_LINE,
    FORGET_RECORDED,
    LAST_LINE,
    CHANGE_STATES,
    TOTAL,
    COUNT,
    COUNT_ALL,
    DUPLICATES,
    PROPERTY_SET,
    PROPERTY_GET,
    PROPERTY_EACH,
    APPLICATION_ADD,
    APPLICATION_FIND,
    APPLICATION_PLANNED,
    APPLICATION_AT,
    STATEMENT_COUNT,
};

// Which file it is.
struct journal_file {
    dev_t device;
    ino_t number;  // 0 = not known
};

struct journal {
    sqlite3 *database;
    sqlite3_stmt *statements[STATEMENT_COUNT];  // prepared on first use
    char *path;                                 // owned; NULL = temporary
    struct seal *seal;                          // owned; NULL = not encrypted
    bool sealed;                                // the file holds encrypted values
    bool guarded;                               // values carry a hash: see guard.h
    bool properties_changed;                    // since the last commit
    bool created;                               // by this process: it can be encrypted from the start
    bool open;                                  // the file says that a log belongs to it
    struct journal_file file, log;              // where they were when they were opened
    int64_t application;                        // the one in use
    const struct clock *clock;                  // borrowed
};

int journal_error(struct journal *journal, struct error *error);

// Notes which files the journal is in; nothing where another file layer than the system's is in use.
void journal_note_files(struct journal *journal, const struct journal_place *place);

// ERROR_OUTPUT if one of them was taken away, or another one is in its place.
int journal_check_files(const struct journal *journal, struct error *error);

// Runs statements without parameters.
int journal_execute(struct journal *journal, const char *text, struct error *error);

// Makes the tables of the present version.
int journal_make_tables(struct journal *journal, struct error *error);

// Lets this connection see the tables of an older version as the present ones, without a change to the file.
int journal_view_older(struct journal *journal, int64_t version, struct error *error);

// Brings tables that are seen so to the present version.
int journal_upgrade(struct journal *journal, int64_t version, struct error *error);

// Binds the time of a change.
void journal_bind_now(struct journal *journal, sqlite3_stmt *statement, int index);

// The statement, ready to be bound; NULL after an error.
sqlite3_stmt *journal_statement(struct journal *journal, enum statement which);

// Runs a statement that returns no row, and makes it ready for the next time.
int journal_run(struct journal *journal, sqlite3_stmt *statement, struct error *error);

void journal_reset(sqlite3_stmt *statement);

// Binds text; NULL stays NULL. Borrowed until the statement is reset.
void journal_bind_text(sqlite3_stmt *statement, int index, const char *text);

// Where a device's value stands, for seal and guard; the caller frees it. A guard vouches for `beside` too: other columns
// that are written together with the value.
char *journal_place_of(const struct journal *journal, const char *column, const char *id, const void *beside,
                       size_t beside_size);

// Binds bytes, sealed if the journal is, else guarded if it is so. `space` holds that form until the statement is reset.
void journal_bind_secret(struct journal *journal, sqlite3_stmt *statement, int index, const char *place,
                         const void *data, size_t size, struct buffer *space);

// Appends the bytes of a column, opened if they are sealed or guarded.
int journal_column_secret(struct journal *journal, sqlite3_stmt *statement, int column, const char *place,
                          struct buffer *data, struct error *error);

#endif
