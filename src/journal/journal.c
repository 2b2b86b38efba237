// SPDX-License-Identifier: Apache-2.0
#include "journal/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/memory.h"
#include "journal/guard.h"
#include "journal/journal_p.h"
#include "journal/log.h"

// "TLWM", in SQLite's application_id: tells a journal from any other database.
enum { APPLICATION_ID = 0x544c574d };

#define DEVICE_COLUMNS                                                                                    \
    "sequence, state, id, dev_eui, complete, data, session, converted, reason, attempts, line, changed, " \
    "claim, "                                                                                             \
    "before, progress, f_cnt_up, n_f_cnt_down, a_f_cnt_down"
#define DEVICE_FROM " FROM device WHERE application = ?1"

static const char *const statement_text[STATEMENT_COUNT] = {
    [ADD] =
        "INSERT INTO device (application, id, device_id, state, dev_eui, complete, data)"
        " VALUES (?1, ?2, ?3, 0, ?4, ?5, ?6) ON CONFLICT (application, id) DO NOTHING",
    [FILL] =
        "UPDATE device SET device_id = coalesce(?3, device_id), dev_eui = ?4, complete = ?5, data = ?6"
        " WHERE application = ?1 AND id = ?2 AND data IS NULL",
    [RENAME] =
        "UPDATE OR IGNORE device SET id = ?2, device_id = NULL WHERE sequence = ?1 AND state = 0 AND data IS "
        "NULL",
    // The plus signs keep SQLite from any index but that of the order.
    [NEXT_ANY] = "SELECT " DEVICE_COLUMNS
                 " FROM device WHERE +application = ?1 AND sequence > ?2"
                 " AND +state BETWEEN ?3 AND ?4 ORDER BY sequence LIMIT 1",
    [NEXT_SESSION] = "SELECT " DEVICE_COLUMNS
                     " FROM device WHERE +application = ?1 AND sequence > ?2"
                     " AND +state BETWEEN ?3 AND ?4 AND session = ?5 ORDER BY sequence LIMIT 1",
    [FIND] = "SELECT " DEVICE_COLUMNS DEVICE_FROM " AND id = ?2",
    [OTHER] = "SELECT id" DEVICE_FROM
              " AND device_id = ?2 AND sequence <> ?3 AND state NOT IN (20, 22)"
              " ORDER BY sequence LIMIT 1",
    [STORE] =
        "UPDATE device SET state = 3, device_id = ?2, session = ?3, dev_eui = ?4, complete = ?5, data = ?6,"
        " converted = ?7, changed = ?8, progress = 0 WHERE sequence = ?1",
    [SET_STATE] = "UPDATE device SET state = ?2, changed = ?3 WHERE sequence = ?1",
    [SET_REASON] =
        "UPDATE device SET state = ?2, reason = ?3, attempts = attempts + 1, changed = ?4 WHERE sequence = "
        "?1",
    [SET_DEVICE_ID] = "UPDATE device SET device_id = ?2 WHERE sequence = ?1",
    [SET_CONVERTED] = "UPDATE device SET converted = ?2 WHERE sequence = ?1",
    [SET_CLAIM] = "UPDATE device SET claim = ?2, before = ?3 WHERE sequence = ?1",
    [SET_PROGRESS] =
        "UPDATE device SET progress = ?2, f_cnt_up = ?3, n_f_cnt_down = ?4, a_f_cnt_down = ?5 WHERE sequence "
        "= ?1",
    // From RESERVING to CONFIRMED, and UNDOING; or claimed by an attempt that was interrupted and begun anew, and perhaps
    // set aside then.
    [RESTORE_ALL] =
        "UPDATE device SET state = 30, changed = ?1 WHERE state BETWEEN 4 AND 9 OR state = 21"
        " OR (state IN (0, 1, 2, 3, 20, 22) AND claim IN (1, 2, 4))",
    // Before RESTORE_ALL, and before a device gets another state: its release was not begun yet.
    [MARK_UNTOUCHED] =
        "UPDATE device SET complete = complete | 2 WHERE sequence = ?1 AND (state <= 4 OR state IN (20, 22))",
    [MARK_ALL_UNTOUCHED] =
        "UPDATE device SET complete = complete | 2"
        " WHERE state = 4 OR (state IN (0, 1, 2, 3, 20, 22) AND claim IN (1, 2, 4))",
    [SET_LINE] = "UPDATE device SET line = ?2 WHERE sequence = ?1",
    [NEXT_LINE] = "SELECT " DEVICE_COLUMNS " FROM device WHERE line > ?1 ORDER BY line LIMIT 1",
    // Also those that failed, and are tried again, and those that are only reserved: their counters have moved on.
    [FORGET_RECORDED] =
        "UPDATE device SET line = NULL, state = CASE state WHEN 3 THEN 0 ELSE state END,"
        " complete = 0 WHERE state = 3 OR (state IN (0, 4) AND converted IS NOT NULL)",
    [LAST_LINE] = "SELECT coalesce(max(line), 0) FROM device",
    [CHANGE_STATES] = "UPDATE device SET state = ?2, changed = ?3 WHERE state = ?1",
    [TOTAL] = "SELECT count(*)" DEVICE_FROM,
    [COUNT] = "SELECT count(*)" DEVICE_FROM " AND state = ?2",
    [COUNT_ALL] = "SELECT count(*) FROM device WHERE state = ?1",
    [DUPLICATES] =
        "SELECT d.sequence, d.id, d.device_id, (SELECT o.id FROM device o WHERE o.application = ?1 AND"
        " o.device_id = d.device_id AND o.sequence <> d.sequence ORDER BY o.sequence LIMIT 1)"
        " FROM device d WHERE d.application = ?1 AND d.state = 0 AND d.device_id IN"
        " (SELECT device_id" DEVICE_FROM
        " AND device_id IS NOT NULL GROUP BY device_id"
        " HAVING count(*) > 1) ORDER BY d.sequence",
    [PROPERTY_SET] =
        "INSERT INTO property (name, value, sealed) VALUES (?1, ?2, ?3)"
        " ON CONFLICT (name) DO UPDATE SET value = ?2, sealed = ?3",
    [PROPERTY_GET] = "SELECT value, sealed FROM property WHERE name = ?1",
    [PROPERTY_EACH] =
        "SELECT value, sealed, name FROM property WHERE substr(name, 1, length(?1)) = ?1 ORDER BY name",
    [APPLICATION_ADD] = "INSERT INTO application (name) VALUES (?1) ON CONFLICT (name) DO NOTHING",
    [APPLICATION_FIND] = "SELECT number, planned FROM application WHERE name = ?1",
    [APPLICATION_PLANNED] = "UPDATE application SET planned = 1 WHERE number = ?1",
    [APPLICATION_AT] = "SELECT name FROM application ORDER BY number LIMIT 1 OFFSET ?1",
};

// What the system told SQLite, which knows a full disk only where it writes to one; 0 = nothing. Each open file keeps its
// own last error, and of those that are closed by now the connection may have one.
static int system_reason(sqlite3 *database, int code) {
    if (code != SQLITE_IOERR && code != SQLITE_CANTOPEN) return 0;
    sqlite3_file *log = NULL;
    int reason = 0;
    sqlite3_file_control(database, NULL, SQLITE_FCNTL_LAST_ERRNO, &reason);
    sqlite3_file_control(database, NULL, SQLITE_FCNTL_JOURNAL_POINTER, &log);
    if (reason == 0 && log != NULL && log->pMethods != NULL)
        log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &reason);
    if (reason == 0) reason = sqlite3_system_errno(database);
    // A file that cannot be made is looked for, in vain: that it is not there is not the reason.
    return reason == ENOENT ? 0 : reason;
}

int journal_error(struct journal *journal, struct error *error) {
    int code = sqlite3_errcode(journal->database);
    int reason = system_reason(journal->database, code);
    const char *words = sqlite3_errmsg(journal->database);
    if (journal->path == NULL) {
        return error_set(error, ERROR_SYSTEM, "the list of devices cannot be kept: %s", words);
    }
    error_set(error, ERROR_OUTPUT, "the journal %s: %s", journal->path, words);
    if (reason != 0)
        error_set(error, ERROR_OUTPUT, "the journal %s: %s (%s)", journal->path, words, strerror(reason));
    bool failing = (code == SQLITE_IOERR || code == SQLITE_CANTOPEN) && (reason == 0 || reason == EIO);
    if (code == SQLITE_FULL || reason == ENOSPC || reason == EDQUOT)
        error_hint(error, "free some space, then: ttn-lw-migrate resume %s", journal->path);
    if (failing) {
        error_hint(error, "see whether the disk is full or failing, then: ttn-lw-migrate resume %s",
                   journal->path);
    }
    if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) {
        error_hint(error, "the file is damaged: keep it, and the output, as they are");
    }
    return -ERROR_OUTPUT;
}

int journal_execute(struct journal *journal, const char *text, struct error *error) {
    return sqlite3_exec(journal->database, text, NULL, NULL, NULL) == SQLITE_OK
               ? 0
               : journal_error(journal, error);
}

static struct journal *journal_new(const char *path) {
    struct journal *journal = memory_new(struct journal);
    journal->path = memory_strdup(path);
    journal->clock = &clock_system;
    return journal;
}

// A journal that is closed has no log; one whose log is gone otherwise is told from it by this.
static int set_open(struct journal *journal, bool open, struct error *error) {
    int result = journal_set_property(journal, "open", open ? "yes" : "no", false, error);
    if (result == 0) result = guard_properties(journal, error);
    if (result == 0) journal->open = open;
    return result;
}

static int begin_log(struct journal *journal, struct error *error) {
    int result = journal_execute(journal, "BEGIN IMMEDIATE", error);
    if (result == 0) result = set_open(journal, true, error);
    return result != 0 ? result : journal_execute(journal, "COMMIT", error);
}

// Whatever waited for a commit is dropped.
static void end_log(struct journal *journal) {
    ERROR_AUTO ignored = {0};
    bool ended = journal_abandon(journal, &ignored) == 0 && set_open(journal, false, &ignored) == 0 &&
                 journal_execute(journal, "COMMIT", &ignored) == 0;
    // Then the log stays, as the file says.
    if (!ended) sqlite3_db_config(journal->database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
}

void journal_close(struct journal *journal) {
    if (journal == NULL) return;
    if (journal->open) end_log(journal);
    for (size_t i = 0; i < STATEMENT_COUNT; i++) sqlite3_finalize(journal->statements[i]);
    sqlite3_close(journal->database);
    seal_free(journal->seal);
    free(journal->path);
    free(journal);
}

// One that could not be opened is left as it is, with its log.
static void close_unused(struct journal *journal) {
    journal->open = false;
    if (journal->database != NULL)
        sqlite3_db_config(journal->database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    journal_close(journal);
}

const char *journal_path(const struct journal *journal) {
    return journal->path;
}

int journal_open_temporary(struct journal **ret_journal, struct error *error) {
    struct journal *journal = journal_new(NULL);
    // An empty name is SQLite's private temporary database.
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_PRIVATECACHE;
    int result = 0;
    if (sqlite3_open_v2("", &journal->database, flags, NULL) != SQLITE_OK)
        result = journal_error(journal, error);
    if (result == 0) {
        result =
            journal_execute(journal,
                            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA secure_delete = ON;"
                            "PRAGMA cache_size = -1024",
                            error);
    }
    if (result == 0) result = journal_make_tables(journal, error);
    // What spills to the disk of a large fleet is worth nothing to whoever finds it there.
    if (result == 0) result = seal_from_chance(&journal->seal, error);
    if (result == 0) result = journal_execute(journal, "BEGIN", error);
    if (result != 0) {
        journal_close(journal);
        return result;
    }
    *ret_journal = journal;
    return 0;
}

// What every connection to a file needs: nothing is done before it is safe, nothing is left behind that was deleted.
static int journal_settle(struct journal *journal, struct error *error) {
    sqlite3_busy_timeout(journal->database, 5000);
    return journal_execute(journal,
                           "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA cache_size = -512;"
                           "PRAGMA wal_autocheckpoint = 4000; PRAGMA trusted_schema = OFF",
                           error);
}

// SQLite makes files as the umask says, and its companions like the database: so the file is made before.
static int make_private(const char *path, struct error *error) {
    int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0 || fchmod(descriptor, 0600) != 0) {
        error_set(error, ERROR_OUTPUT, "the journal %s cannot be made: %s", path, strerror(errno));
        if (descriptor >= 0) close(descriptor);
        return -ERROR_OUTPUT;
    }
    close(descriptor);
    return 0;
}

int journal_create(const struct journal_place *place, struct journal **ret_journal, struct error *error) {
    if (place->vfs == NULL) {
        int made = make_private(place->path, error);
        if (made != 0) return made;
    }
    struct journal *journal = journal_new(place->path);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    int result = 0;
    if (sqlite3_open_v2(place->path, &journal->database, flags, place->vfs) != SQLITE_OK) {
        result = journal_error(journal, error);
    }
    if (result == 0) result = guard_connect(journal, error);
    if (result == 0) result = journal_execute(journal, "PRAGMA journal_mode = WAL", error);
    if (result == 0) result = journal_settle(journal, error);
    if (result == 0) result = journal_execute(journal, "BEGIN IMMEDIATE", error);
    if (result == 0) result = journal_make_tables(journal, error);
    char *identity MEMORY_AUTO = memory_printf("PRAGMA application_id = %d", APPLICATION_ID);
    if (result == 0) result = journal_execute(journal, identity, error);
    if (result == 0) result = guard_begin(journal, error);
    if (result == 0) result = set_open(journal, true, error);
    // The file itself gets the ID that tells whose its log is.
    if (result == 0) result = journal_execute(journal, "COMMIT; PRAGMA wal_checkpoint(FULL)", error);
    if (result == 0) result = journal_execute(journal, "BEGIN IMMEDIATE", error);
    if (result != 0) {
        close_unused(journal);
        return result;
    }
    journal->created = true;
    journal_note_files(journal, place);
    *ret_journal = journal;
    return 0;
}

static int pragma_number(struct journal *journal, const char *text, int64_t *ret_number,
                         struct error *error) {
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(journal->database, text, -1, &statement, NULL);
    if (result == SQLITE_OK) result = sqlite3_step(statement);
    if (result == SQLITE_ROW) *ret_number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return result == SQLITE_ROW ? 0 : journal_error(journal, error);
}

// A run that ended while it made its journal.
static int not_complete(const struct journal *journal, struct error *error) {
    error_set(error, ERROR_INPUT, "%s is not complete: its run ended before it did anything", journal->path);
    error_hint(error, "start the run anew; this file can be deleted");
    return -ERROR_INPUT;
}

static int check_identity(struct journal *journal, int64_t *ret_version, struct error *error) {
    int64_t identity = 0;
    int64_t version = 0;
    if (pragma_number(journal, "PRAGMA application_id", &identity, error) != 0 ||
        pragma_number(journal, "PRAGMA user_version", &version, error) != 0) {
        return error_wrap(error, ERROR_INPUT, "%s cannot be read as a journal", journal->path);
    }
    int64_t tables = 0;
    if (pragma_number(journal, "SELECT count(*) FROM sqlite_schema", &tables, error) != 0) {
        return error_wrap(error, ERROR_INPUT, "%s cannot be read as a journal", journal->path);
    }
    if (identity == 0 && version == 0 && tables == 0) return not_complete(journal, error);
    if (identity != APPLICATION_ID) return error_set(error, ERROR_INPUT, "%s is no journal", journal->path);
    if (version > JOURNAL_VERSION) {
        error_set(error, ERROR_INPUT, "%s was written by a newer version of this program", journal->path);
        error_hint(error, "use that version");
        return -ERROR_INPUT;
    }
    *ret_version = version;
    return version < 1 ? not_complete(journal, error) : 0;
}

// A damaged file is found before anything is done on the strength of it.
static int check_soundness(struct journal *journal, struct error *error) {
    sqlite3_stmt *statement = NULL;
    int step = sqlite3_prepare_v2(journal->database, "PRAGMA integrity_check(1)", -1, &statement, NULL);
    if (step == SQLITE_OK) step = sqlite3_step(statement);
    bool sound = step == SQLITE_ROW && strcmp((const char *)sqlite3_column_text(statement, 0), "ok") == 0;
    sqlite3_finalize(statement);
    if (sound) return 0;
    error_set(error, ERROR_INPUT, "the journal %s is damaged", journal->path);
    error_hint(error, "nothing was changed; keep it, and the output of its run, as they are");
    return -ERROR_INPUT;
}

static int read_sealed(struct journal *journal, struct error *error) {
    char *value = NULL;
    int result = journal_property(journal, "sealed", &value, error);
    journal->sealed = value != NULL;
    free(value);
    return result;
}

// The file knows whether it was closed.
static int check_log(struct journal *journal, bool has_log, struct error *error) {
    char *value = NULL;
    int result = journal_property(journal, "open", &value, error);
    journal->open = value != NULL && strcmp(value, "yes") == 0;
    free(value);
    return result != 0 || has_log || !journal->open ? result : log_damaged(journal->path, "is gone", error);
}

int journal_open(const struct journal_place *place, bool writable, struct journal **ret_journal,
                 struct error *error) {
    struct journal *journal = journal_new(place->path);
    int flags = writable ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
    int64_t version = 0;
    bool has_log = false;
    int result = log_check(place, &has_log, error);
    if (result == 0 && sqlite3_open_v2(place->path, &journal->database, flags, place->vfs) != SQLITE_OK) {
        result = error_set(error, ERROR_INPUT, "the journal %s cannot be opened: %s", place->path,
                           sqlite3_errmsg(journal->database));
    }
    // Whoever refuses a journal, or only looks at it, must not copy its log into it.
    if (result == 0) sqlite3_db_config(journal->database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (result == 0) result = guard_connect(journal, error);
    if (result == 0) result = check_identity(journal, &version, error);
    if (result == 0) result = check_soundness(journal, error);
    if (result == 0) result = journal_settle(journal, error);
    if (result == 0) result = journal_view_older(journal, version, error);
    if (result == 0) result = read_sealed(journal, error);
    if (result == 0) result = guard_check(journal, place, version >= JOURNAL_VERSION, writable, error);
    if (result == 0) result = check_log(journal, has_log, error);
    if (result == 0 && writable) result = journal_upgrade(journal, version, error);
    if (result == 0 && writable) result = guard_check_statements(journal, error);
    // Before the log is written to for the first time.
    if (result == 0 && writable && !journal->open) result = begin_log(journal, error);
    if (result == 0 && writable)
        sqlite3_db_config(journal->database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    // A process that was killed may have left what it wrote, but did not sync: that is safe before anything is done on
    // the strength of it.
    if (result == 0 && writable) result = journal_execute(journal, "PRAGMA wal_checkpoint", error);
    if (result == 0 && writable) result = journal_execute(journal, "BEGIN IMMEDIATE", error);
    if (result != 0) {
        close_unused(journal);
        return result;
    }
    journal->open &= writable;
    journal_note_files(journal, place);
    *ret_journal = journal;
    return 0;
}

void journal_set_clock(struct journal *journal, const struct clock *clock) {
    journal->clock = clock;
}

void journal_bind_now(struct journal *journal, sqlite3_stmt *statement, int index) {
    sqlite3_bind_int64(statement, index, clock_wall(journal->clock) / NS_PER_MS);
}

int journal_commit(struct journal *journal, struct error *error) {
    if (journal->path == NULL) return 0;
    int result = guard_properties(journal, error);
    if (result == 0) result = journal_execute(journal, "COMMIT", error);
    if (result == 0) result = journal_execute(journal, "BEGIN IMMEDIATE", error);
    return result != 0 ? result : journal_check_files(journal, error);
}

int journal_abandon(struct journal *journal, struct error *error) {
    if (journal->path == NULL) return 0;
    journal->properties_changed = false;
    int result = journal_execute(journal, "ROLLBACK", error);
    return result != 0 ? result : journal_execute(journal, "BEGIN IMMEDIATE", error);
}

// ---- statements

sqlite3_stmt *journal_statement(struct journal *journal, enum statement which) {
    sqlite3_stmt **statement = &journal->statements[which];
    if (*statement == NULL) {
        sqlite3_prepare_v3(journal->database, statement_text[which], -1, SQLITE_PREPARE_PERSISTENT, statement,
                           NULL);
    }
    return *statement;
}

void journal_reset(sqlite3_stmt *statement) {
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
}

int journal_run(struct journal *journal, sqlite3_stmt *statement, struct error *error) {
    int result = sqlite3_step(statement);
    int code = result == SQLITE_DONE ? 0 : journal_error(journal, error);
    journal_reset(statement);
    return code;
}

void journal_bind_text(sqlite3_stmt *statement, int index, const char *text) {
    if (text != NULL) sqlite3_bind_text(statement, index, text, -1, SQLITE_STATIC);
}

void journal_bind_secret(struct journal *journal, sqlite3_stmt *statement, int index, const char *place,
                         const void *data, size_t size, struct buffer *space) {
    if (data == NULL) return;
    if (journal->seal != NULL) {
        seal_close(journal->seal, place, data, size, space);
    } else if (journal->guarded) {
        guard_close(place, data, size, space);
    }
    if (space->data != NULL) {
        data = space->data;
        size = space->size;
    }
    sqlite3_bind_blob64(statement, index, data, size, SQLITE_STATIC);
}

int journal_column_secret(struct journal *journal, sqlite3_stmt *statement, int column, const char *place,
                          struct buffer *data, struct error *error) {
    const void *bytes = sqlite3_column_blob(statement, column);
    size_t size = (size_t)sqlite3_column_bytes(statement, column);
    if (journal->seal != NULL) return seal_open(journal->seal, place, bytes, size, data, error);
    if (journal->sealed) return error_set(error, ERROR_USAGE, "the journal %s is encrypted", journal->path);
    if (journal->guarded) return guard_open(place, bytes, size, data, error);
    buffer_add(data, bytes, size);
    return 0;
}

// ---- encryption

// What the key must open, so that a wrong one is found at once.
static const char seal_proof[] = "ttn-lw-migrate";

bool journal_is_sealed(const struct journal *journal) {
    return journal->sealed;
}

int journal_set_seal(struct journal *journal, struct seal *seal, struct error *error) {
    if (!journal->sealed && !journal->created) {
        seal_free(seal);
        error_set(error, ERROR_USAGE, "the journal %s is not encrypted", journal->path);
        error_hint(error, "leave --journal-key-file away (and TTN_LW_MIGRATE_JOURNAL_KEY_FILE)");
        return -ERROR_USAGE;
    }
    seal_free(journal->seal);
    journal->seal = seal;
    if (!journal->sealed) {
        journal->sealed = true;
        int result = journal_set_property(journal, "sealed", "xchacha20poly1305", false, error);
        return result != 0 ? result : journal_set_property(journal, "proof", seal_proof, true, error);
    }
    char *proof = NULL;
    int result = journal_property(journal, "proof", &proof, error);
    if (result != 0 || proof == NULL || strcmp(proof, seal_proof) != 0) {
        result = error_set(error, ERROR_USAGE, "this is not the key of the journal %s", journal->path);
    }
    free(proof);
    return result;
}

int journal_salt(struct journal *journal, uint8_t ret_salt[static SEAL_SALT_SIZE], struct error *error) {
    char *text = NULL;
    int result = journal_property(journal, "salt", &text, error);
    if (result != 0) return result;
    if (text != NULL && strlen(text) == 2 * SEAL_SALT_SIZE &&
        hex_decode(ret_salt, SEAL_SALT_SIZE, text, strlen(text))) {
        free(text);
        return 0;
    }
    free(text);
    random_system.fill(NULL, ret_salt, SEAL_SALT_SIZE);
    char hex[HEX_TEXT_SIZE(SEAL_SALT_SIZE)];
    hex_encode_lower(hex, ret_salt, SEAL_SALT_SIZE);
    return journal_set_property(journal, "salt", hex, false, error);
}

// ---- properties

int journal_set_property(struct journal *journal, const char *name, const char *value, bool secret,
                         struct error *error) {
    sqlite3_stmt *statement = journal_statement(journal, PROPERTY_SET);
    if (statement == NULL) return journal_error(journal, error);
    BUFFER_AUTO space;
    buffer_init(&space, BUFFER_UNLIMITED);
    bool seals = secret && journal->seal != NULL;
    journal_bind_text(statement, 1, name);
    if (seals) {
        char *place MEMORY_AUTO = memory_printf("property:%s", name);
        journal_bind_secret(journal, statement, 2, place, value, strlen(value), &space);
    } else {
        sqlite3_bind_blob(statement, 2, value, (int)strlen(value), SQLITE_STATIC);
    }
    sqlite3_bind_int(statement, 3, seals);
    journal->properties_changed = true;
    return journal_run(journal, statement, error);
}

// The value of a row (value, sealed).
static int read_property(struct journal *journal, sqlite3_stmt *statement, const char *name, char **ret_value,
                         struct error *error) {
    BUFFER_AUTO value;
    buffer_init(&value, BUFFER_UNLIMITED);
    int result = 0;
    if (sqlite3_column_int(statement, 1) != 0) {
        char *place MEMORY_AUTO = memory_printf("property:%s", name);
        result = journal_column_secret(journal, statement, 0, place, &value, error);
    } else {
        buffer_add(&value, sqlite3_column_blob(statement, 0), (size_t)sqlite3_column_bytes(statement, 0));
    }
    if (result == 0) *ret_value = buffer_take_string(&value);
    return result;
}

int journal_property(struct journal *journal, const char *name, char **ret_value, struct error *error) {
    *ret_value = NULL;
    sqlite3_stmt *statement = journal_statement(journal, PROPERTY_GET);
    if (statement == NULL) return journal_error(journal, error);
    journal_bind_text(statement, 1, name);
    int step = sqlite3_step(statement);
    int result = step == SQLITE_DONE ? 0 : step != SQLITE_ROW ? journal_error(journal, error) : 0;
    if (step == SQLITE_ROW) result = read_property(journal, statement, name, ret_value, error);
    journal_reset(statement);
    return result;
}

int journal_each_property(struct journal *journal, const char *prefix, journal_property_receiver *receiver,
                          void *context, struct error *error) {
    sqlite3_stmt *statement = journal_statement(journal, PROPERTY_EACH);
    if (statement == NULL) return journal_error(journal, error);
    journal_bind_text(statement, 1, prefix);
    int step = SQLITE_DONE;
    int result = 0;
    while (result == 0 && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        char *name MEMORY_AUTO = memory_strdup((const char *)sqlite3_column_text(statement, 2));
        char *value = NULL;
        result = read_property(journal, statement, name, &value, error);
        if (result == 0) result = receiver(context, name + strlen(prefix), value, error);
        memory_free_secret(value);
    }
    if (result == 0 && step != SQLITE_DONE) result = journal_error(journal, error);
    journal_reset(statement);
    return result;
}

// ---- applications

int journal_find_application(struct journal *journal, const char *application, bool *ret_planned,
                             struct error *error) {
    sqlite3_stmt *statement = journal_statement(journal, APPLICATION_FIND);
    if (statement == NULL) return journal_error(journal, error);
    journal_bind_text(statement, 1, application);
    int result = 0;
    if (sqlite3_step(statement) == SQLITE_ROW) {
        journal->application = sqlite3_column_int64(statement, 0);
        *ret_planned = sqlite3_column_int(statement, 1) != 0;
    } else {
        result = error_set(error, ERROR_INPUT, "application %s is not in the journal", application);
    }
    journal_reset(statement);
    return result;
}

int journal_use_application(struct journal *journal, const char *application, bool *ret_planned,
                            struct error *error) {
    sqlite3_stmt *statement = journal_statement(journal, APPLICATION_ADD);
    if (statement == NULL) return journal_error(journal, error);
    journal_bind_text(statement, 1, application);
    int result = journal_run(journal, statement, error);
    return result != 0 ? result : journal_find_application(journal, application, ret_planned, error);
}

int journal_set_planned(struct journal *journal, struct error *error) {
    sqlite3_stmt *statement = journal_statement(journal, APPLICATION_PLANNED);
    if (statement == NULL) return journal_error(journal, error);
    sqlite3_bind_int64(statement, 1, journal->application);
    return journal_run(journal, statement, error);
}

int journal_application(struct journal *journal, size_t index, char **ret_application, struct error *error) {
    *ret_application = NULL;
    sqlite3_stmt *statement = journal_statement(journal, APPLICATION_AT);
    if (statement == NULL) return journal_error(journal, error);
    sqlite3_bind_int64(statement, 1, (int64_t)index);
    int step = sqlite3_step(statement);
    if (step == SQLITE_ROW) *ret_application = memory_strdup((const char *)sqlite3_column_text(statement, 0));
    int result = step == SQLITE_ROW || step == SQLITE_DONE ? 0 : journal_error(journal, error);
    journal_reset(statement);
    return result;
}
