// SPDX-License-Identifier: Apache-2.0
// The devices of a journal.
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "journal/journal_p.h"

void journal_device_release(struct journal_device *device) {
    source_record_release(&device->record);
    if (device->converted != NULL) memory_wipe(device->converted, device->converted_size);
    free(device->converted);
    if (device->before != NULL) memory_wipe(device->before, device->before_size);
    free(device->before);
    free(device->reason);
    *device = (struct journal_device){0};
}

char *journal_place_of(const struct journal *journal, const char *column, const char *id, const void *beside,
                       size_t beside_size) {
    BUFFER_AUTO place;
    buffer_init(&place, BUFFER_UNLIMITED);
    buffer_printf(&place, "device.%s:%s", column, id);
    if (journal->guarded && !journal->sealed && beside_size > 0) {
        buffer_putc(&place, ':');
        for (size_t i = 0; i < beside_size; i++) buffer_printf(&place, "%02x", ((const uint8_t *)beside)[i]);
    }
    return buffer_take_string(&place);
}

// The EUI, or nothing.
static size_t eui_size(const struct source_record *record) {
    return record->has_dev_eui ? sizeof record->dev_eui : 0;
}

// Binds dev_eui, complete and data to three parameters in a row; what is bound must outlive the statement's run.
static void bind_record(struct journal *journal, sqlite3_stmt *statement, int first,
                        const struct source_record *record, struct buffer *space) {
    if (record->has_dev_eui) {
        sqlite3_bind_blob(statement, first, record->dev_eui, sizeof record->dev_eui, SQLITE_STATIC);
    }
    sqlite3_bind_int(statement, first + 1, record->complete);
    char *place MEMORY_AUTO =
        journal_place_of(journal, "data", record->id, record->dev_eui, eui_size(record));
    journal_bind_secret(journal, statement, first + 2, place, record->data, record->size, space);
}

static int journal_put(struct journal *journal, enum statement which, const struct source_record *record,
                       const char *device_id, struct error *error) {
    sqlite3_stmt *statement = journal_statement(journal, which);
    if (statement == NULL) return journal_error(journal, error);
    BUFFER_AUTO space;
    buffer_init(&space, BUFFER_UNLIMITED);
    sqlite3_bind_int64(statement, 1, journal->application);
    journal_bind_text(statement, 2, record->id);
    journal_bind_text(statement, 3, device_id);
    bind_record(journal, statement, 4, record, &space);
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

int journal_rename(struct journal *journal, int64_t sequence, const char *id, bool *ret_known,
                   struct error *error) {
    sqlite3_stmt *statement = journal_statement(journal, RENAME);
    if (statement == NULL) return journal_error(journal, error);
    sqlite3_bind_int64(statement, 1, sequence);
    journal_bind_text(statement, 2, id);
    int result = journal_run(journal, statement, error);
    if (result == 0) *ret_known = sqlite3_changes(journal->database) == 0;
    return result;
}

// One of the row's secret values, NULL if there is none; the caller owns it.
static int read_secret(struct journal *journal, sqlite3_stmt *statement, int column, const char *place,
                       uint8_t **ret_data, size_t *ret_size, struct error *error) {
    if (sqlite3_column_type(statement, column) == SQLITE_NULL) return 0;
    BUFFER_AUTO bytes;
    buffer_init(&bytes, BUFFER_UNLIMITED);
    int result = journal_column_secret(journal, statement, column, place, &bytes, error);
    if (result != 0) return result;
    *ret_data = memory_dup(bytes.data, bytes.size);
    *ret_size = bytes.size;
    return 0;
}

// Reads a row of DEVICE_COLUMNS: sequence, state, id, dev_eui, complete, data, session, converted, reason, attempts,
// line, changed, claim, before, progress, f_cnt_up, n_f_cnt_down, a_f_cnt_down.
static int read_device(struct journal *journal, sqlite3_stmt *statement, struct journal_device *device,
                       struct error *error) {
    *device = (struct journal_device){
        .sequence = sqlite3_column_int64(statement, 0),
        .state = (enum device_state)sqlite3_column_int(statement, 1),
        .session = sqlite3_column_int(statement, 6) != 0,
        .reason = memory_strdup((const char *)sqlite3_column_text(statement, 8)),
        .attempts = (unsigned)sqlite3_column_int(statement, 9),
        .line = (uint64_t)sqlite3_column_int64(statement, 10),
        .changed = sqlite3_column_int64(statement, 11),
        .claim = (enum device_claim)sqlite3_column_int(statement, 12),
        .progress = {.known = sqlite3_column_int(statement, 14) > 0,
                     .rejoined = sqlite3_column_int(statement, 14) > 1,
                     .last_f_cnt_up = (uint32_t)sqlite3_column_int64(statement, 15),
                     .last_n_f_cnt_down = (uint32_t)sqlite3_column_int64(statement, 16),
                     .last_a_f_cnt_down = (uint32_t)sqlite3_column_int64(statement, 17)},
    };
    struct source_record *record = &device->record;
    record->id = memory_strdup((const char *)sqlite3_column_text(statement, 2));
    record->complete = (sqlite3_column_int(statement, 4) & 1) != 0;
    device->untouched = (sqlite3_column_int(statement, 4) & 2) != 0;
    if (sqlite3_column_bytes(statement, 3) == (int)sizeof record->dev_eui) {
        memcpy(record->dev_eui, sqlite3_column_blob(statement, 3), sizeof record->dev_eui);
        record->has_dev_eui = true;
    }
    // Whoever only looks at an encrypted journal needs no key, and sees no keys.
    if (journal->sealed && journal->seal == NULL) return 0;
    BUFFER_AUTO bytes;
    buffer_init(&bytes, BUFFER_UNLIMITED);
    int result = 0;
    if (sqlite3_column_type(statement, 5) != SQLITE_NULL) {
        char *place MEMORY_AUTO =
            journal_place_of(journal, "data", record->id, record->dev_eui, eui_size(record));
        result = journal_column_secret(journal, statement, 5, place, &bytes, error);
        if (result == 0) source_record_set_data(record, bytes.data, bytes.size);
    }
    const uint8_t session = device->session;
    char *converted MEMORY_AUTO =
        journal_place_of(journal, "converted", record->id, &session, sizeof session);
    char *before MEMORY_AUTO = journal_place_of(journal, "before", record->id, NULL, 0);
    if (result == 0)
        result =
            read_secret(journal, statement, 7, converted, &device->converted, &device->converted_size, error);
    if (result == 0)
        result = read_secret(journal, statement, 13, before, &device->before, &device->before_size, error);
    return result;
}

// Steps to the one row of a query over devices.
static int journal_row(struct journal *journal, sqlite3_stmt *statement, struct journal_device *ret_device,
                       struct error *error) {
    int step = sqlite3_step(statement);
    int result = step == SQLITE_ROW ? 1 : step == SQLITE_DONE ? 0 : journal_error(journal, error);
    if (result == 1) {
        int read = read_device(journal, statement, ret_device, error);
        if (read != 0) {
            journal_device_release(ret_device);
            result = read;
        }
    }
    journal_reset(statement);
    return result;
}

int journal_next(struct journal *journal, int64_t after, enum device_state least, enum device_state most,
                 enum journal_filter filter, struct journal_device *ret_device, struct error *error) {
    sqlite3_stmt *statement = journal_statement(journal, filter == JOURNAL_ANY ? NEXT_ANY : NEXT_SESSION);
    if (statement == NULL) return journal_error(journal, error);
    sqlite3_bind_int64(statement, 1, journal->application);
    sqlite3_bind_int64(statement, 2, after);
    sqlite3_bind_int(statement, 3, (int)least);
    sqlite3_bind_int(statement, 4, (int)most);
    if (filter != JOURNAL_ANY) sqlite3_bind_int(statement, 5, filter == JOURNAL_WITH_SESSION);
    return journal_row(journal, statement, ret_device, error);
}

int journal_find(struct journal *journal, const char *id, struct journal_device *ret_device,
                 struct error *error) {
    sqlite3_stmt *statement = journal_statement(journal, FIND);
    if (statement == NULL) return journal_error(journal, error);
    sqlite3_bind_int64(statement, 1, journal->application);
    journal_bind_text(statement, 2, id);
    return journal_row(journal, statement, ret_device, error);
}

// The ID at the source of another device that has this ID; *ret_other stays NULL if there is none.
static int journal_other(struct journal *journal, int64_t sequence, const char *device_id, char **ret_other,
                         struct error *error) {
    sqlite3_stmt *statement = journal_statement(journal, OTHER);
    if (statement == NULL) return journal_error(journal, error);
    sqlite3_bind_int64(statement, 1, journal->application);
    journal_bind_text(statement, 2, device_id);
    sqlite3_bind_int64(statement, 3, sequence);
    int step = sqlite3_step(statement);
    if (step == SQLITE_ROW) *ret_other = memory_strdup((const char *)sqlite3_column_text(statement, 0));
    int result = step == SQLITE_ROW || step == SQLITE_DONE ? 0 : journal_error(journal, error);
    journal_reset(statement);
    return result;
}

int journal_store(struct journal *journal, const struct journal_entry *entry, char **ret_other,
                  struct error *error) {
    *ret_other = NULL;
    int result = journal_other(journal, entry->sequence, entry->device_id, ret_other, error);
    if (result != 0 || *ret_other != NULL) return result;
    sqlite3_stmt *statement = journal_statement(journal, STORE);
    if (statement == NULL) return journal_error(journal, error);
    BUFFER_AUTO data;
    BUFFER_AUTO converted;
    buffer_init(&data, BUFFER_UNLIMITED);
    buffer_init(&converted, BUFFER_UNLIMITED);
    sqlite3_bind_int64(statement, 1, entry->sequence);
    journal_bind_text(statement, 2, entry->device_id);
    sqlite3_bind_int(statement, 3, entry->session);
    bind_record(journal, statement, 4, entry->record, &data);
    const uint8_t session = entry->session;
    char *place MEMORY_AUTO =
        journal_place_of(journal, "converted", entry->record->id, &session, sizeof session);
    journal_bind_secret(journal, statement, 7, place, entry->converted, entry->converted_size, &converted);
    journal_bind_now(journal, statement, 8);
    return journal_run(journal, statement, error);
}

// A device that goes back is marked if its release was never begun: whoever puts it back cannot always see that.
static int mark_untouched(struct journal *journal, int64_t sequence, enum device_state next,
                          struct error *error) {
    if (next != DEVICE_UNDOING && next != DEVICE_RESTORING) return 0;
    sqlite3_stmt *statement = journal_statement(journal, MARK_UNTOUCHED);
    if (statement == NULL) return journal_error(journal, error);
    sqlite3_bind_int64(statement, 1, sequence);
    return journal_run(journal, statement, error);
}

int journal_set_state(struct journal *journal, int64_t sequence, enum device_state state,
                      struct error *error) {
    int result = mark_untouched(journal, sequence, state, error);
    if (result != 0) return result;
    sqlite3_stmt *statement = journal_statement(journal, SET_STATE);
    if (statement == NULL) return journal_error(journal, error);
    sqlite3_bind_int64(statement, 1, sequence);
    sqlite3_bind_int(statement, 2, (int)state);
    journal_bind_now(journal, statement, 3);
    return journal_run(journal, statement, error);
}

int journal_set_device_id(struct journal *journal, int64_t sequence, const char *device_id, char **ret_other,
                          struct error *error) {
    *ret_other = NULL;
    int result = journal_other(journal, sequence, device_id, ret_other, error);
    if (result != 0 || *ret_other != NULL) return result;
    sqlite3_stmt *statement = journal_statement(journal, SET_DEVICE_ID);
    if (statement == NULL) return journal_error(journal, error);
    sqlite3_bind_int64(statement, 1, sequence);
    journal_bind_text(statement, 2, device_id);
    return journal_run(journal, statement, error);
}

int journal_set_reason(struct journal *journal, int64_t sequence, enum device_state state, const char *reason,
                       struct error *error) {
    int result = mark_untouched(journal, sequence, state, error);
    if (result != 0) return result;
    sqlite3_stmt *statement = journal_statement(journal, SET_REASON);
    if (statement == NULL) return journal_error(journal, error);
    sqlite3_bind_int64(statement, 1, sequence);
    sqlite3_bind_int(statement, 2, (int)state);
    journal_bind_text(statement, 3, reason);
    journal_bind_now(journal, statement, 4);
    return journal_run(journal, statement, error);
}

int journal_set_line(struct journal *journal, int64_t sequence, uint64_t line, struct error *error) {
    sqlite3_stmt *statement = journal_statement(journal, SET_LINE);
    if (statement == NULL) return journal_error(journal, error);
    sqlite3_bind_int64(statement, 1, sequence);
    sqlite3_bind_int64(statement, 2, (int64_t)line);
    return journal_run(journal, statement, error);
}

int journal_next_line(struct journal *journal, uint64_t after, struct journal_device *ret_device,
                      struct error *error) {
    sqlite3_stmt *statement = journal_statement(journal, NEXT_LINE);
    if (statement == NULL) return journal_error(journal, error);
    sqlite3_bind_int64(statement, 1, (int64_t)after);
    return journal_row(journal, statement, ret_device, error);
}

int journal_forget_recorded(struct journal *journal, struct error *error) {
    sqlite3_stmt *statement = journal_statement(journal, FORGET_RECORDED);
    if (statement == NULL) return journal_error(journal, error);
    return journal_run(journal, statement, error);
}

int journal_change_states(struct journal *journal, enum device_state from, enum device_state to,
                          uint64_t *ret_count, struct error *error) {
    sqlite3_stmt *statement = journal_statement(journal, CHANGE_STATES);
    if (statement == NULL) return journal_error(journal, error);
    sqlite3_bind_int(statement, 1, (int)from);
    sqlite3_bind_int(statement, 2, (int)to);
    journal_bind_now(journal, statement, 3);
    int result = journal_run(journal, statement, error);
    if (result == 0) *ret_count = (uint64_t)sqlite3_changes64(journal->database);
    return result;
}

static int journal_number(struct journal *journal, sqlite3_stmt *statement, uint64_t *ret_count,
                          struct error *error) {
    int step = sqlite3_step(statement);
    if (step == SQLITE_ROW) *ret_count = (uint64_t)sqlite3_column_int64(statement, 0);
    int result = step == SQLITE_ROW ? 0 : journal_error(journal, error);
    journal_reset(statement);
    return result;
}

int journal_last_line(struct journal *journal, uint64_t *ret_line, struct error *error) {
    sqlite3_stmt *statement = journal_statement(journal, LAST_LINE);
    if (statement == NULL) return journal_error(journal, error);
    return journal_number(journal, statement, ret_line, error);
}

int journal_total(struct journal *journal, uint64_t *ret_count, struct error *error) {
    sqlite3_stmt *statement = journal_statement(journal, TOTAL);
    if (statement == NULL) return journal_error(journal, error);
    sqlite3_bind_int64(statement, 1, journal->application);
    return journal_number(journal, statement, ret_count, error);
}

int journal_count(struct journal *journal, enum device_state state, uint64_t *ret_count,
                  struct error *error) {
    sqlite3_stmt *statement = journal_statement(journal, COUNT);
    if (statement == NULL) return journal_error(journal, error);
    sqlite3_bind_int64(statement, 1, journal->application);
    sqlite3_bind_int(statement, 2, (int)state);
    return journal_number(journal, statement, ret_count, error);
}

int journal_count_all(struct journal *journal, enum device_state state, uint64_t *ret_count,
                      struct error *error) {
    sqlite3_stmt *statement = journal_statement(journal, COUNT_ALL);
    if (statement == NULL) return journal_error(journal, error);
    sqlite3_bind_int(statement, 1, (int)state);
    return journal_number(journal, statement, ret_count, error);
}

int journal_fail_duplicates(struct journal *journal, journal_duplicate *tell, void *context,
                            uint64_t *ret_count, struct error *error) {
    sqlite3_stmt *statement = journal_statement(journal, DUPLICATES);
    if (statement == NULL) return journal_error(journal, error);
    sqlite3_bind_int64(statement, 1, journal->application);
    *ret_count = 0;
    int step = SQLITE_DONE;
    int result = 0;
    while (result == 0 && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        *ret_count += 1;
        const char *other = (const char *)sqlite3_column_text(statement, 3);
        const char *device_id = (const char *)sqlite3_column_text(statement, 2);
        tell(context, (const char *)sqlite3_column_text(statement, 1), device_id, other);
        char *reason MEMORY_AUTO = memory_printf("would become %s, as %s would", device_id, other);
        result =
            journal_set_reason(journal, sqlite3_column_int64(statement, 0), DEVICE_FAILED, reason, error);
    }
    if (result == 0 && step != SQLITE_DONE) result = journal_error(journal, error);
    journal_reset(statement);
    return result;
}
