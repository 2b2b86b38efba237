// SPDX-License-Identifier: Apache-2.0
#include "journal/guard.h"

#include <endian.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/memory.h"

enum { ID_SIZE = 16, DIGEST_SIZE = 16 };

// ---- single values

static void hash_value(const char *place, const void *data, size_t size,
                       uint8_t ret_hash[static GUARD_SIZE]) {
    // Longer than what is kept, since libsodium makes no shorter one.
    uint8_t hash[DIGEST_SIZE];
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, sizeof hash);
    crypto_generichash_update(&state, (const uint8_t *)place, strlen(place) + 1);
    if (size > 0) crypto_generichash_update(&state, data, size);
    crypto_generichash_final(&state, hash, sizeof hash);
    memcpy(ret_hash, hash, GUARD_SIZE);
    memory_wipe(&state, sizeof state);
}

void guard_close(const char *place, const void *data, size_t size, struct buffer *guarded) {
    uint8_t hash[GUARD_SIZE];
    hash_value(place, data, size, hash);
    buffer_add(guarded, data, size);
    buffer_add(guarded, hash, sizeof hash);
}

int guard_open(const char *place, const void *guarded, size_t size, struct buffer *data,
               struct error *error) {
    const uint8_t *bytes = guarded;
    uint8_t hash[GUARD_SIZE];
    if (size >= GUARD_SIZE) {
        hash_value(place, bytes, size - GUARD_SIZE, hash);
        if (memcmp(hash, bytes + size - GUARD_SIZE, GUARD_SIZE) == 0) {
            buffer_add(data, bytes, size - GUARD_SIZE);
            return 0;
        }
    }
    return error_set(error, ERROR_INPUT, "the journal is damaged: %s", place);
}

// ---- properties

// The hash of all properties but itself, as they stand in the file: an encrypted journal needs no key for it.
static int hash_properties(struct journal *journal, char ret_text[static HEX_TEXT_SIZE(DIGEST_SIZE)],
                           struct error *error) {
    static const char text[] =
        "SELECT name, value, sealed FROM property WHERE name <> 'digest' ORDER BY name";
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(journal->database, text, -1, &statement, NULL) != SQLITE_OK)
        return journal_error(journal, error);
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, DIGEST_SIZE);
    int step = SQLITE_DONE;
    while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
        for (int column = 0; column < 3; column++) {
            const void *bytes = sqlite3_column_blob(statement, column);
            size_t size = (size_t)sqlite3_column_bytes(statement, column);
            const uint32_t counted = htole32((uint32_t)size);
            crypto_generichash_update(&state, (const uint8_t *)&counted, sizeof counted);
            if (size > 0) crypto_generichash_update(&state, bytes, size);
        }
    }
    uint8_t hash[DIGEST_SIZE];
    crypto_generichash_final(&state, hash, sizeof hash);
    hex_encode_lower(ret_text, hash, sizeof hash);
    memory_wipe(&state, sizeof state);
    int result = step == SQLITE_DONE ? 0 : journal_error(journal, error);
    sqlite3_finalize(statement);
    return result;
}

int guard_begin(struct journal *journal, struct error *error) {
    uint8_t id[ID_SIZE];
    char text[HEX_TEXT_SIZE(ID_SIZE)];
    random_system.fill(NULL, id, sizeof id);
    hex_encode_lower(text, id, sizeof id);
    journal->guarded = true;
    int result = journal_set_property(journal, "guard", "blake2b", false, error);
    return result != 0 ? result : journal_set_property(journal, "id", text, false, error);
}

int guard_properties(struct journal *journal, struct error *error) {
    if (!journal->guarded || !journal->properties_changed) return 0;
    char text[HEX_TEXT_SIZE(DIGEST_SIZE)];
    int result = hash_properties(journal, text, error);
    if (result == 0) result = journal_set_property(journal, "digest", text, false, error);
    journal->properties_changed = false;
    return result;
}

// ---- rows

// The first eight bytes of a hash of all values, each as text behind its type and size.
static void row_mark(sqlite3_context *context, int count, sqlite3_value **values) {
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, DIGEST_SIZE);
    for (int i = 0; i < count; i++) {
        const uint32_t type = (uint32_t)sqlite3_value_type(values[i]);
        const unsigned char *text = sqlite3_value_text(values[i]);
        const uint32_t counted[] = {htole32(type), htole32((uint32_t)sqlite3_value_bytes(values[i]))};
        crypto_generichash_update(&state, (const uint8_t *)counted, sizeof counted);
        if (text != NULL) crypto_generichash_update(&state, text, (size_t)sqlite3_value_bytes(values[i]));
    }
    uint8_t hash[DIGEST_SIZE];
    crypto_generichash_final(&state, hash, sizeof hash);
    uint64_t mark = 0;
    memcpy(&mark, hash, sizeof mark);
    sqlite3_result_int64(context, (sqlite3_int64)le64toh(mark));
}

int guard_connect(struct journal *journal, struct error *error) {
    int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
    int result =
        sqlite3_create_function(journal->database, "guard_row", -1, flags, NULL, row_mark, NULL, NULL);
    return result == SQLITE_OK ? 0 : journal_error(journal, error);
}

// ---- the whole

static int damaged(const struct journal *journal, const char *what, struct error *error) {
    error_set(error, ERROR_INPUT, "the journal %s is damaged: %s", journal->path, what);
    error_hint(error, "nothing was changed; keep it, and the output of its run, as they are");
    return -ERROR_INPUT;
}

static int check_properties(struct journal *journal, struct error *error) {
    char *digest MEMORY_AUTO = NULL;
    char *guard MEMORY_AUTO = NULL;
    char seen[HEX_TEXT_SIZE(DIGEST_SIZE)];
    int result = journal_property(journal, "digest", &digest, error);
    if (result == 0) result = journal_property(journal, "guard", &guard, error);
    if (result != 0) return result;
    // Of either one alone, the other's name is damaged.
    journal->guarded = digest != NULL || guard != NULL;
    if (!journal->guarded) return 0;
    result = hash_properties(journal, seen, error);
    if (result != 0) return result;
    bool sound = digest != NULL && strcmp(digest, seen) == 0;
    return sound ? 0 : damaged(journal, "what it says of its run is not what was written", error);
}

// Those that a device can have in a file.
static int check_states(struct journal *journal, struct error *error) {
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    buffer_puts(&text, "SELECT count(*) FROM device WHERE state NOT IN (");
    size_t count = 0;
    const enum device_state *states = device_states(&count);
    for (size_t i = 0; i < count; i++) {
        if (states[i] == DEVICE_READ || states[i] == DEVICE_CONVERTED) continue;
        buffer_printf(&text, "%d,", (int)states[i]);
    }
    buffer_puts(&text, "-1)");
    sqlite3_stmt *statement = NULL;
    int64_t strange = 0;
    int step = sqlite3_prepare_v2(journal->database, buffer_string(&text), -1, &statement, NULL);
    if (step == SQLITE_OK) step = sqlite3_step(statement);
    if (step == SQLITE_ROW) strange = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    if (step != SQLITE_ROW) return journal_error(journal, error);
    return strange == 0 ? 0 : damaged(journal, "a device has a state that there is not", error);
}

static int check_marks(struct journal *journal, struct error *error) {
    static const char text[] = "SELECT count(*) FROM device WHERE mark <> " GUARD_ROW_MARK;
    sqlite3_stmt *statement = NULL;
    int64_t strange = 0;
    if (sqlite3_prepare_v2(journal->database, text, -1, &statement, NULL) != SQLITE_OK)
        return damaged(journal, "its tables are not as they were made", error);
    int step = sqlite3_step(statement);
    if (step == SQLITE_ROW) strange = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    if (step != SQLITE_ROW) return journal_error(journal, error);
    return strange == 0 ? 0 : damaged(journal, "what it says of a device is not what was written", error);
}

// Where a value of a row (id, dev_eui, session, data, converted, before) stands; the caller frees it.
static char *place_of_column(struct journal *journal, sqlite3_stmt *statement, int column) {
    const char *id = (const char *)sqlite3_column_text(statement, 0);
    const uint8_t session = sqlite3_column_int(statement, 2) != 0;
    const void *eui = sqlite3_column_blob(statement, 1);
    size_t eui_size = (size_t)sqlite3_column_bytes(statement, 1);
    if (column == 3) return journal_place_of(journal, "data", id, eui, eui_size);
    if (column == 4) return journal_place_of(journal, "converted", id, &session, sizeof session);
    return journal_place_of(journal, "before", id, NULL, 0);
}

static int check_value(struct journal *journal, sqlite3_stmt *statement, int column, struct error *error) {
    if (sqlite3_column_type(statement, column) == SQLITE_NULL) return 0;
    char *place MEMORY_AUTO = place_of_column(journal, statement, column);
    BUFFER_AUTO value;
    buffer_init(&value, BUFFER_UNLIMITED);
    size_t size = (size_t)sqlite3_column_bytes(statement, column);
    return guard_open(place, sqlite3_column_blob(statement, column), size, &value, error);
}

static int check_values(struct journal *journal, struct error *error) {
    static const char text[] =
        "SELECT id, dev_eui, session, data, converted, before FROM device ORDER BY sequence";
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(journal->database, text, -1, &statement, NULL) != SQLITE_OK)
        return journal_error(journal, error);
    int step = SQLITE_DONE;
    int result = 0;
    while (result == 0 && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        for (int column = 3; column <= 5 && result == 0; column++)
            result = check_value(journal, statement, column, error);
        if (result != 0)
            result = damaged(journal, "what it holds of a device is not what was written", error);
    }
    if (result == 0 && step != SQLITE_DONE) result = journal_error(journal, error);
    sqlite3_finalize(statement);
    return result;
}

// ---- the log

// The path as SQLite's URI of a file that nobody changes: its log is not looked at then.
static char *uri_of(const char *path) {
    BUFFER_AUTO uri;
    buffer_init(&uri, BUFFER_UNLIMITED);
    buffer_puts(&uri, "file:");
    for (; *path != '\0'; path++) {
        if (strchr("%?#", *path) != NULL) {
            buffer_printf(&uri, "%%%02X", (unsigned)*path);
        } else {
            buffer_putc(&uri, *path);
        }
    }
    buffer_puts(&uri, "?immutable=1");
    return buffer_take_string(&uri);
}

// The journal's ID as the file alone has it; NULL if it cannot be told, as after a crash in the midst of copying the log.
static char *id_without_log(const char *path) {
    char *uri MEMORY_AUTO = uri_of(path);
    sqlite3 *database = NULL;
    sqlite3_stmt *statement = NULL;
    char *id = NULL;
    int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
    if (sqlite3_open_v2(uri, &database, flags, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(database, "SELECT value FROM property WHERE name = 'id'", -1, &statement, NULL) ==
            SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        id = memory_strndup(sqlite3_column_blob(statement, 0), (size_t)sqlite3_column_bytes(statement, 0));
    }
    sqlite3_finalize(statement);
    sqlite3_close(database);
    if (id != NULL && strlen(id) == 2 * ID_SIZE) return id;
    free(id);
    return NULL;
}

static int check_log(struct journal *journal, const struct journal_place *place, struct error *error) {
    if (place->vfs != NULL) return 0;
    char *file MEMORY_AUTO = id_without_log(place->path);
    char *whole MEMORY_AUTO = NULL;
    int result = journal_property(journal, "id", &whole, error);
    if (result != 0 || file == NULL || (whole != NULL && strcmp(file, whole) == 0)) return result;
    error_set(error, ERROR_INPUT, "%s-wal belongs to another journal", place->path);
    error_hint(error, "nothing was changed; put the journal's own -wal file beside it");
    return -ERROR_INPUT;
}

// A table or a column that is called otherwise shows before anything is done.
int guard_check_statements(struct journal *journal, struct error *error) {
    for (int i = 0; i < STATEMENT_COUNT; i++) {
        if (journal_statement(journal, (enum statement)i) == NULL)
            return damaged(journal, "its tables are not as they were made", error);
    }
    return 0;
}

int guard_check(struct journal *journal, const struct journal_place *place, bool marked, bool values,
                struct error *error) {
    int result = check_log(journal, place, error);
    if (result == 0) result = check_properties(journal, error);
    if (result == 0) result = check_states(journal, error);
    if (result == 0 && journal->guarded && marked) result = check_marks(journal, error);
    bool readable = journal->guarded && !journal->sealed;
    return result == 0 && values && readable ? check_values(journal, error) : result;
}
