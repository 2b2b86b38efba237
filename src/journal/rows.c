// SPDX-License-Identifier: Apache-2.0
#include "journal/rows.h"

#include "base/memory.h"
#include "journal/journal_p.h"
#include "journal/state_words.h"

// CROSS JOIN: the order of devices comes from the table itself, without sorting.
#define ROWS                                                                                           \
    "SELECT a.name, d.id, d.device_id, d.dev_eui, d.state, d.line, d.attempts, d.reason FROM device d" \
    " CROSS JOIN application a ON a.number = d.application"

static char *query_of(enum journal_rows which) {
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    buffer_puts(&text, ROWS);
    if (which == JOURNAL_ROWS_TOLD) {
        buffer_puts(&text, " WHERE d.reason IS NOT NULL OR d.state IN (");
        size_t count = 0;
        const enum device_state *states = device_states(&count);
        for (size_t i = 0; i < count; i++) {
            if (device_state_words(states[i], false)->tone == STATE_WRONG)
                buffer_printf(&text, "%d,", (int)states[i]);
        }
        buffer_puts(&text, "-1)");
    }
    buffer_puts(&text, " ORDER BY d.sequence");
    return buffer_take_string(&text);
}

static const char *text_of(sqlite3_stmt *statement, int column) {
    return (const char *)sqlite3_column_text(statement, column);
}

static void read_row(sqlite3_stmt *statement, struct journal_row *row) {
    bool eui = sqlite3_column_bytes(statement, 3) == sizeof((struct source_record){0}.dev_eui);
    *row = (struct journal_row){
        .application = text_of(statement, 0),
        .id = text_of(statement, 1),
        .device_id = text_of(statement, 2),
        .dev_eui = eui ? sqlite3_column_blob(statement, 3) : NULL,
        .state = (enum device_state)sqlite3_column_int(statement, 4),
        .line = (uint64_t)sqlite3_column_int64(statement, 5),
        .attempts = (unsigned)sqlite3_column_int(statement, 6),
        .reason = text_of(statement, 7),
    };
}

int journal_each_row(struct journal *journal, enum journal_rows which, journal_row_receiver *receiver,
                     void *context, struct error *error) {
    sqlite3_stmt *statement = NULL;
    char *query MEMORY_AUTO = query_of(which);
    if (sqlite3_prepare_v2(journal->database, query, -1, &statement, NULL) != SQLITE_OK)
        return journal_error(journal, error);
    int step = SQLITE_DONE;
    int result = 0;
    while (result == 0 && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        struct journal_row row;
        read_row(statement, &row);
        result = receiver(context, &row, error);
    }
    if (result == 0 && step != SQLITE_DONE) result = journal_error(journal, error);
    sqlite3_finalize(statement);
    return result;
}

int journal_each_count(struct journal *journal, journal_count_receiver *receiver, void *context,
                       struct error *error) {
    static const char text[] = "SELECT state, count(*) FROM device GROUP BY state";
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(journal->database, text, -1, &statement, NULL) != SQLITE_OK)
        return journal_error(journal, error);
    int step = SQLITE_DONE;
    while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
        receiver(context, (enum device_state)sqlite3_column_int(statement, 0),
                 (uint64_t)sqlite3_column_int64(statement, 1));
    }
    int result = step == SQLITE_DONE ? 0 : journal_error(journal, error);
    sqlite3_finalize(statement);
    return result;
}

int journal_hold(struct journal *journal, struct error *error) {
    if (sqlite3_get_autocommit(journal->database) == 0) return 0;
    return sqlite3_exec(journal->database, "BEGIN", NULL, NULL, NULL) == SQLITE_OK
               ? 0
               : journal_error(journal, error);
}
