// SPDX-License-Identifier: Apache-2.0
#include "journal/journal.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum statement {
    ADD,
    FILL,
    NEXT_ANY,
    NEXT_SESSION,
    FIND,
    OTHER,
    STORE,
    SET_STATE,
    TOTAL,
    COUNT,
    DUPLICATES,
    CLEAR,
    STATEMENT_COUNT,
};

#define DEVICE_COLUMNS "sequence, state, id, dev_eui, complete, data"

static const char *const statement_text[STATEMENT_COUNT] = {
    [ADD] =
        "INSERT INTO device (id, device_id, state, dev_eui, complete, data) VALUES (?1, ?2, 0, ?3, ?4, ?5)"
        " ON CONFLICT (id) DO NOTHING",
    [FILL] =
        "UPDATE device SET device_id = coalesce(?2, device_id), dev_eui = ?3, complete = ?4, data = ?5"
        " WHERE id = ?1 AND data IS NULL",
    [NEXT_ANY] = "SELECT " DEVICE_COLUMNS
                 " FROM device WHERE sequence > ?1 AND state = ?2"
                 " ORDER BY sequence LIMIT 1",
    [NEXT_SESSION] = "SELECT " DEVICE_COLUMNS
                     " FROM device WHERE sequence > ?1 AND state = ?2"
                     " AND session = ?3 ORDER BY sequence LIMIT 1",
    [FIND] = "SELECT " DEVICE_COLUMNS " FROM device WHERE id = ?1",
    [OTHER] = "SELECT id FROM device WHERE device_id = ?1 AND sequence <> ?2 ORDER BY sequence LIMIT 1",
    [STORE] =
        "UPDATE device SET device_id = ?2, session = ?3, dev_eui = ?4, complete = ?5, data = ?6"
        " WHERE sequence = ?1",
    [SET_STATE] = "UPDATE device SET state = ?2 WHERE sequence = ?1",
    [TOTAL] = "SELECT count(*) FROM device",
    [COUNT] = "SELECT count(*) FROM device WHERE state = ?1",
    [DUPLICATES] =
        "SELECT d.sequence, d.id, d.device_id, (SELECT o.id FROM device o WHERE o.device_id = d.device_id"
        " AND o.sequence <> d.sequence ORDER BY o.sequence LIMIT 1) FROM device d WHERE d.device_id IN"
        " (SELECT device_id FROM device WHERE device_id IS NOT NULL GROUP BY device_id HAVING count(*) > 1)"
        " ORDER BY d.sequence",
    [CLEAR] = "DELETE FROM device",
};

static const char schema[] =
    "PRAGMA journal_mode = OFF;"
    "PRAGMA synchronous = OFF;"
    "PRAGMA secure_delete = ON;"
    "PRAGMA cache_size = -2048;"
    "CREATE TABLE device ("
    " sequence INTEGER PRIMARY KEY,"
    " id TEXT NOT NULL UNIQUE,"
    " device_id TEXT,"
    " state INTEGER NOT NULL,"
    " session INTEGER NOT NULL DEFAULT 0,"
    " dev_eui BLOB,"
    " complete INTEGER NOT NULL,"
    " data BLOB);"
    "CREATE INDEX device_by_device_id ON device (device_id);"
    "BEGIN";

struct journal {
    sqlite3 *database;
    sqlite3_stmt *statements[STATEMENT_COUNT];  // prepared on first use
};

static int journal_error(struct journal *journal, struct error *error) {
    return error_set(error, ERROR_SYSTEM, "the list of devices cannot be kept: %s",
                     sqlite3_errmsg(journal->database));
}

int journal_open_temporary(struct journal **ret_journal, struct error *error) {
    struct journal *journal = memory_new(struct journal);
    // An empty name is SQLite's private temporary database.
    if (sqlite3_open_v2("", &journal->database,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_PRIVATECACHE,
                        NULL) != SQLITE_OK ||
        sqlite3_exec(journal->database, schema, NULL, NULL, NULL) != SQLITE_OK) {
        int result = journal_error(journal, error);
        journal_close(journal);
        return result;
    }
    *ret_journal = journal;
    return 0;
}

void journal_close(struct journal *journal) {
    if (journal == NULL) return;
    for (size_t i = 0; i < STATEMENT_COUNT; i++) sqlite3_finalize(journal->statements[i]);
    sqlite3_close(journal->database);
    free(journal);
}

// The statement, ready to be bound; NULL after an error.
static sqlite3_stmt *journal_statement(struct journal *journal, enum statement which) {
    sqlite3_stmt **statement = &journal->statements[which];
    if (*statement == NULL) {
        sqlite3_prepare_v3(journal->database, statement_text[which], -1, SQLITE_PREPARE_PERSISTENT, statement,
                           NULL);
    }
    return *statement;
}

// Runs a statement that returns no row, and makes it ready for the next time.
static int journal_run(struct journal *journal, sqlite3_stmt *statement, struct error *error) {
    int result = sqlite3_step(statement);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return result == SQLITE_DONE ? 0 : journal_error(journal, error);
}

// Binds dev_eui, complete and data to three parameters in a row. SQLite copies nothing: the record outlives
// the statement's run.
static void bind_record(sqlite3_stmt *statement, int first, const struct source_record *record) {
    if (record->has_dev_eui) {
        sqlite3_bind_blob(statement, first, record->dev_eui, sizeof record->dev_eui, SQLITE_STATIC);
    }
    sqlite3_bind_int(statement, first + 1, record->complete);
    if (record->data != NULL) {
        sqlite3_bind_blob64(statement, first + 2, record->data, record->size, SQLITE_STATIC);
    }
}

static void bind_text(sqlite3_stmt *statement, int index, const char *text) {
    if (text != NULL) sqlite3_bind_text(statement, index, text, -1, SQLITE_STATIC);
}

static int journal_put(struct journal *journal, enum statement which, const struct source_record *record,
                       const char *device_id, struct error *error) {
    sqlite3_stmt *statement = journal_statement(journal, which);
    if (statement == NULL) return journal_error(journal, error);
    bind_text(statement, 1, record->id);
    bind_text(statement, 2, device_id);
    bind_record(statement, 3, record);
    return journal_run(journal, statement, error);
}

int journal_add(struct journal *journal, const struct source_record *record, const char *device_id,
                bool *ret_known, struct error *error) {
    int result = journal_put(journal, ADD, record, device_id, error);
    if (result == 0) *ret_known = sqlite3_changes(journal->database) == 0;
    return result;
}

int journal_fill(struct journal *journal, const struct source_record *record, const char *device_id,
                 struct error *error) {
    return journal_put(journal, FILL, record, device_id, error);
}

// Reads a row of DEVICE_COLUMNS.
static void read_device(sqlite3_stmt *statement, struct source_record *record) {
    *record = (struct source_record){
        .id = memory_strdup((const char *)sqlite3_column_text(statement, 2)),
        .complete = sqlite3_column_int(statement, 4) != 0,
    };
    if (sqlite3_column_bytes(statement, 3) == (int)sizeof record->dev_eui) {
        memcpy(record->dev_eui, sqlite3_column_blob(statement, 3), sizeof record->dev_eui);
        record->has_dev_eui = true;
    }
    if (sqlite3_column_type(statement, 5) != SQLITE_NULL) {
        size_t size = (size_t)sqlite3_column_bytes(statement, 5);
        source_record_set_data(record, sqlite3_column_blob(statement, 5), size);
    }
}

// Steps to the one row of a query over DEVICE_COLUMNS.
static int journal_row(struct journal *journal, sqlite3_stmt *statement, int64_t *ret_sequence,
                       enum device_state *ret_state, struct source_record *ret_record, struct error *error) {
    int result = sqlite3_step(statement);
    if (result == SQLITE_ROW) {
        *ret_sequence = sqlite3_column_int64(statement, 0);
        if (ret_state != NULL) *ret_state = (enum device_state)sqlite3_column_int(statement, 1);
        read_device(statement, ret_record);
    }
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    if (result == SQLITE_ROW) return 1;
    return result == SQLITE_DONE ? 0 : journal_error(journal, error);
}

int journal_next(struct journal *journal, int64_t after, enum device_state state, enum journal_filter filter,
                 int64_t *ret_sequence, struct source_record *ret_record, struct error *error) {
    sqlite3_stmt *statement = journal_statement(journal, filter == JOURNAL_ANY ? NEXT_ANY : NEXT_SESSION);
    if (statement == NULL) return journal_error(journal, error);
    sqlite3_bind_int64(statement, 1, after);
    sqlite3_bind_int(statement, 2, (int)state);
    if (filter != JOURNAL_ANY) sqlite3_bind_int(statement, 3, filter == JOURNAL_WITH_SESSION);
    return journal_row(journal, statement, ret_sequence, NULL, ret_record, error);
}

int journal_find(struct journal *journal, const char *id, int64_t *ret_sequence, enum device_state *ret_state,
                 struct source_record *ret_record, struct error *error) {
    sqlite3_stmt *statement = journal_statement(journal, FIND);
    if (statement == NULL) return journal_error(journal, error);
    bind_text(statement, 1, id);
    return journal_row(journal, statement, ret_sequence, ret_state, ret_record, error);
}

// The ID at the source of another device that has this ID; *ret_other stays NULL if there is none.
static int journal_other(struct journal *journal, int64_t sequence, const char *device_id, char **ret_other,
                         struct error *error) {
    sqlite3_stmt *statement = journal_statement(journal, OTHER);
    if (statement == NULL) return journal_error(journal, error);
    bind_text(statement, 1, device_id);
    sqlite3_bind_int64(statement, 2, sequence);
    int result = sqlite3_step(statement);
    if (result == SQLITE_ROW) *ret_other = memory_strdup((const char *)sqlite3_column_text(statement, 0));
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return result == SQLITE_ROW || result == SQLITE_DONE ? 0 : journal_error(journal, error);
}

int journal_store(struct journal *journal, int64_t sequence, const struct source_record *record,
                  const char *device_id, bool session, char **ret_other, struct error *error) {
    *ret_other = NULL;
    int result = journal_other(journal, sequence, device_id, ret_other, error);
    if (result != 0 || *ret_other != NULL) return result;
    sqlite3_stmt *statement = journal_statement(journal, STORE);
    if (statement == NULL) return journal_error(journal, error);
    sqlite3_bind_int64(statement, 1, sequence);
    bind_text(statement, 2, device_id);
    sqlite3_bind_int(statement, 3, session);
    bind_record(statement, 4, record);
    return journal_run(journal, statement, error);
}

int journal_set_state(struct journal *journal, int64_t sequence, enum device_state state,
                      struct error *error) {
    sqlite3_stmt *statement = journal_statement(journal, SET_STATE);
    if (statement == NULL) return journal_error(journal, error);
    sqlite3_bind_int64(statement, 1, sequence);
    sqlite3_bind_int(statement, 2, (int)state);
    return journal_run(journal, statement, error);
}

static int journal_number(struct journal *journal, sqlite3_stmt *statement, uint64_t *ret_count,
                          struct error *error) {
    int result = sqlite3_step(statement);
    if (result == SQLITE_ROW) *ret_count = (uint64_t)sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return result == SQLITE_ROW ? 0 : journal_error(journal, error);
}

int journal_total(struct journal *journal, uint64_t *ret_count, struct error *error) {
    sqlite3_stmt *statement = journal_statement(journal, TOTAL);
    if (statement == NULL) return journal_error(journal, error);
    return journal_number(journal, statement, ret_count, error);
}

int journal_count(struct journal *journal, enum device_state state, uint64_t *ret_count,
                  struct error *error) {
    sqlite3_stmt *statement = journal_statement(journal, COUNT);
    if (statement == NULL) return journal_error(journal, error);
    sqlite3_bind_int(statement, 1, (int)state);
    return journal_number(journal, statement, ret_count, error);
}

int journal_fail_duplicates(struct journal *journal, journal_duplicate *tell, void *context,
                            uint64_t *ret_count, struct error *error) {
    sqlite3_stmt *statement = journal_statement(journal, DUPLICATES);
    if (statement == NULL) return journal_error(journal, error);
    *ret_count = 0;
    int step = SQLITE_DONE;
    int result = 0;
    while (result == 0 && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        *ret_count += 1;
        tell(context, (const char *)sqlite3_column_text(statement, 1),
             (const char *)sqlite3_column_text(statement, 2),
             (const char *)sqlite3_column_text(statement, 3));
        result = journal_set_state(journal, sqlite3_column_int64(statement, 0), DEVICE_FAILED, error);
    }
    sqlite3_reset(statement);
    if (result != 0) return result;
    return step == SQLITE_DONE ? 0 : journal_error(journal, error);
}

int journal_clear(struct journal *journal, struct error *error) {
    sqlite3_stmt *statement = journal_statement(journal, CLEAR);
    if (statement == NULL) return journal_error(journal, error);
    return journal_run(journal, statement, error);
}
