// SPDX-License-Identifier: Apache-2.0
#include "journal/key_set.h"

#include <sqlite3.h>
#include <stdlib.h>

#include "base/memory.h"

struct sqlite_set {
    struct key_set base;
    sqlite3 *database;  // owned
    sqlite3_stmt *add;  // owned
    sqlite3_stmt *find;
};

static struct sqlite_set *sqlite_of(struct key_set *set) {
    return (struct sqlite_set *)set;
}

static int set_error(struct sqlite_set *self, struct error *error) {
    return error_set(error, ERROR_SYSTEM, "the list of what was read cannot be kept: %s",
                     sqlite3_errmsg(self->database));
}

static int sqlite_find(struct sqlite_set *self, const void *key, size_t size, uint64_t *ret_number,
                       struct error *error) {
    sqlite3_bind_blob64(self->find, 1, key, size, SQLITE_STATIC);
    int result = sqlite3_step(self->find) == SQLITE_ROW ? 0 : set_error(self, error);
    if (result == 0) *ret_number = (uint64_t)sqlite3_column_int64(self->find, 0);
    sqlite3_reset(self->find);
    sqlite3_clear_bindings(self->find);
    return result;
}

static int sqlite_add(struct key_set *set, const void *key, size_t size, uint64_t number,
                      uint64_t *ret_number, struct error *error) {
    struct sqlite_set *self = sqlite_of(set);
    *ret_number = 0;
    sqlite3_bind_blob64(self->add, 1, key, size, SQLITE_STATIC);
    sqlite3_bind_int64(self->add, 2, (sqlite3_int64)number);
    int result = sqlite3_step(self->add) == SQLITE_DONE ? 0 : set_error(self, error);
    sqlite3_reset(self->add);
    sqlite3_clear_bindings(self->add);
    if (result != 0 || sqlite3_changes(self->database) > 0) return result;
    return sqlite_find(self, key, size, ret_number, error);
}

static int sqlite_clear(struct key_set *set, struct error *error) {
    struct sqlite_set *self = sqlite_of(set);
    int code = sqlite3_exec(self->database, "DELETE FROM seen", NULL, NULL, NULL);
    return code == SQLITE_OK ? 0 : set_error(self, error);
}

static void sqlite_free(struct key_set *set) {
    struct sqlite_set *self = sqlite_of(set);
    sqlite3_finalize(self->add);
    sqlite3_finalize(self->find);
    sqlite3_close(self->database);
    free(self);
}

static const struct key_set_operations operations = {
    .add = sqlite_add,
    .clear = sqlite_clear,
    .free = sqlite_free,
};

static bool sqlite_prepare(struct sqlite_set *self) {
    static const char add[] = "INSERT INTO seen (key, number) VALUES (?1, ?2) ON CONFLICT (key) DO NOTHING";
    static const char find[] = "SELECT number FROM seen WHERE key = ?1";
    return sqlite3_prepare_v2(self->database, add, -1, &self->add, NULL) == SQLITE_OK &&
           sqlite3_prepare_v2(self->database, find, -1, &self->find, NULL) == SQLITE_OK;
}

int key_set_open_temporary(struct key_set **ret_set, struct error *error) {
    struct sqlite_set *self = memory_new(struct sqlite_set);
    self->base.operations = &operations;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_PRIVATECACHE;
    static const char setup[] =
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -1024;"
        "CREATE TABLE seen (key BLOB PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID; BEGIN";
    if (sqlite3_open_v2("", &self->database, flags, NULL) != SQLITE_OK ||
        sqlite3_exec(self->database, setup, NULL, NULL, NULL) != SQLITE_OK || !sqlite_prepare(self)) {
        set_error(self, error);
        sqlite_free(&self->base);
        return -ERROR_SYSTEM;
    }
    *ret_set = &self->base;
    return 0;
}

void key_set_free(struct key_set *set) {
    if (set != NULL) set->operations->free(set);
}
