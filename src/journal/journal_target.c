// SPDX-License-Identifier: Apache-2.0
// What a journal keeps of devices at a target that is a server.
#include "journal/journal_p.h"

#include "base/memory.h"

int journal_set_converted(struct journal *journal, int64_t sequence, const char *id, bool session,
                          const void *converted, size_t converted_size, struct error *error) {
    sqlite3_stmt *statement = journal_statement(journal, SET_CONVERTED);
    if (statement == NULL) return journal_error(journal, error);
    BUFFER_AUTO space;
    buffer_init(&space, BUFFER_UNLIMITED);
    const uint8_t beside = session;
    char *place MEMORY_AUTO = journal_place_of(journal, "converted", id, &beside, sizeof beside);
    sqlite3_bind_int64(statement, 1, sequence);
    journal_bind_secret(journal, statement, 2, place, converted, converted_size, &space);
    return journal_run(journal, statement, error);
}

int journal_set_claim(struct journal *journal, int64_t sequence, const char *id, enum device_claim claim,
                      const void *before, size_t before_size, struct error *error) {
    sqlite3_stmt *statement = journal_statement(journal, SET_CLAIM);
    if (statement == NULL) return journal_error(journal, error);
    BUFFER_AUTO space;
    buffer_init(&space, BUFFER_UNLIMITED);
    char *place MEMORY_AUTO = journal_place_of(journal, "before", id, NULL, 0);
    sqlite3_bind_int64(statement, 1, sequence);
    sqlite3_bind_int(statement, 2, (int)claim);
    journal_bind_secret(journal, statement, 3, place, before, before_size, &space);
    return journal_run(journal, statement, error);
}

// `progress` of the table: 0 = unknown, 1 = known, 2 = known, and it joined again.
int journal_set_progress(struct journal *journal, int64_t sequence, const struct device_progress *progress,
                         struct error *error) {
    sqlite3_stmt *statement = journal_statement(journal, SET_PROGRESS);
    if (statement == NULL) return journal_error(journal, error);
    sqlite3_bind_int64(statement, 1, sequence);
    sqlite3_bind_int(statement, 2, progress->known ? 1 + progress->rejoined : 0);
    sqlite3_bind_int64(statement, 3, progress->last_f_cnt_up);
    sqlite3_bind_int64(statement, 4, progress->last_n_f_cnt_down);
    sqlite3_bind_int64(statement, 5, progress->last_a_f_cnt_down);
    return journal_run(journal, statement, error);
}

int journal_restore_all(struct journal *journal, uint64_t *ret_count, struct error *error) {
    sqlite3_stmt *untouched = journal_statement(journal, MARK_ALL_UNTOUCHED);
    sqlite3_stmt *statement = journal_statement(journal, RESTORE_ALL);
    if (untouched == NULL || statement == NULL) return journal_error(journal, error);
    int result = journal_run(journal, untouched, error);
    journal_bind_now(journal, statement, 1);
    if (result == 0) result = journal_run(journal, statement, error);
    if (result == 0) *ret_count = (uint64_t)sqlite3_changes64(journal->database);
    return result;
}
