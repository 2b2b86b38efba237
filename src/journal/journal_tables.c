// SPDX-License-Identifier: Apache-2.0
// The tables of a journal, and how those of older versions become the present ones. docs/journal.md describes them.
#include "base/memory.h"
#include "journal/guard.h"
#include "journal/journal_p.h"

// Version 1. What later versions added follows it, so that a new file and an upgraded one are the same.
static const char tables[] =
    "CREATE TABLE property (name TEXT PRIMARY KEY, value BLOB, sealed INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE application (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " planned INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE device ("
    " sequence INTEGER PRIMARY KEY,"
    " application INTEGER NOT NULL REFERENCES application,"
    " id TEXT NOT NULL,"
    " device_id TEXT,"
    " state INTEGER NOT NULL,"
    " session INTEGER NOT NULL DEFAULT 0,"
    " dev_eui BLOB,"
    " complete INTEGER NOT NULL,"
    " data BLOB,"
    " converted BLOB,"
    " reason TEXT,"
    " attempts INTEGER NOT NULL DEFAULT 0,"
    " line INTEGER UNIQUE,"
    " UNIQUE (application, id));"
    "CREATE INDEX device_by_device_id ON device (application, device_id);";

// Version 2: times, and what is at a target that is a server.
static const char version_2[] =
    "ALTER TABLE device ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE device ADD COLUMN claim INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE device ADD COLUMN before BLOB;"
    "ALTER TABLE device ADD COLUMN progress INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE device ADD COLUMN f_cnt_up INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE device ADD COLUMN n_f_cnt_down INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE device ADD COLUMN a_f_cnt_down INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE device ADD COLUMN mark INTEGER NOT NULL DEFAULT 0;";

// A row's mark follows its plain columns. A temporary list does without.
static const char marks[] =
    "UPDATE device SET mark = " GUARD_ROW_MARK
    ";"
    "CREATE TRIGGER device_added AFTER INSERT ON device BEGIN"
    " UPDATE device SET mark = " GUARD_ROW_MARK
    " WHERE sequence = new.sequence; END;"
    "CREATE TRIGGER device_changed AFTER UPDATE OF " GUARD_ROW_COLUMNS
    " ON device BEGIN"
    " UPDATE device SET mark = " GUARD_ROW_MARK " WHERE sequence = new.sequence; END;";

// The same for a connection that may not write: a view of this connection stands before the table.
static const char version_2_view[] =
    "CREATE TEMP VIEW device AS SELECT *, 0 AS changed, 0 AS claim, NULL AS before, 0 AS progress, 0 AS "
    "f_cnt_up,"
    " 0 AS n_f_cnt_down, 0 AS a_f_cnt_down, 0 AS mark FROM main.device;";

static int set_version(struct journal *journal, struct error *error) {
    char *text MEMORY_AUTO = memory_printf("PRAGMA user_version = %d", JOURNAL_VERSION);
    return journal_execute(journal, text, error);
}

int journal_make_tables(struct journal *journal, struct error *error) {
    int result = journal_execute(journal, tables, error);
    if (result == 0) result = journal_execute(journal, version_2, error);
    if (result == 0 && journal->path != NULL) result = journal_execute(journal, marks, error);
    return result != 0 ? result : set_version(journal, error);
}

int journal_view_older(struct journal *journal, int64_t version, struct error *error) {
    return version >= JOURNAL_VERSION ? 0 : journal_execute(journal, version_2_view, error);
}

int journal_upgrade(struct journal *journal, int64_t version, struct error *error) {
    if (version >= JOURNAL_VERSION) return 0;
    int result = journal_execute(journal, "DROP VIEW temp.device; BEGIN IMMEDIATE", error);
    if (result == 0) result = journal_execute(journal, version_2, error);
    if (result == 0) result = journal_execute(journal, marks, error);
    if (result == 0) result = set_version(journal, error);
    if (result == 0) result = journal_execute(journal, "COMMIT", error);
    return result;
}
