// SPDX-License-Identifier: Apache-2.0
#include "cli/run_journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/rfc3339.h"
#include "base/words.h"
#include "cli/global_options.h"
#include "cli/passphrase.h"
#include "cli/state_directory.h"
#include "source/registry.h"
#include "target/target.h"

static const char suffix[] = ".journal";

// ---- places

static bool has_suffix(const char *name) {
    size_t size = strlen(name);
    return size > strlen(suffix) && strcmp(name + size - strlen(suffix), suffix) == 0;
}

// The path of a new journal: named after the time, so that names sort by age.
static int new_path(option_lookup *lookup, char **ret_path, struct error *error) {
    char *directory MEMORY_AUTO = NULL;
    int result = state_directory(lookup, &directory, error);
    if (result != 0) return result;
    int64_t wall = clock_wall(&clock_system);
    time_t now = (time_t)(wall / NS_PER_SECOND);
    struct tm parts;
    char stamp[32] = "";
    if (gmtime_r(&now, &parts) != NULL) strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &parts);
    uint16_t tail = (uint16_t)random_below(&random_system, UINT16_MAX);
    int milliseconds = (int)(wall / NS_PER_MS % 1000);
    *ret_path = memory_printf("%s/%s-%03d%04x%s", directory, stamp, milliseconds, tail, suffix);
    return 0;
}

static int select_journal(const struct dirent *entry) {
    return entry->d_name[0] != '.' && has_suffix(entry->d_name);
}

int run_journal_each(option_lookup *lookup, run_journal_path *each, void *context, struct error *error) {
    char *directory MEMORY_AUTO = NULL;
    int result = state_directory(lookup, &directory, error);
    if (result != 0) return result;
    struct dirent **entries = NULL;
    int count = scandir(directory, &entries, select_journal, alphasort);
    if (count < 0) return error_set(error, ERROR_INPUT, "cannot list %s: %s", directory, strerror(errno));
    for (int i = 0; i < count; i++) {
        char *path MEMORY_AUTO = memory_printf("%s/%s", directory, entries[i]->d_name);
        if (result == 0) result = each(context, path, error);
        free(entries[i]);
    }
    free(entries);
    return result;
}

static int keep_last(void *context, const char *path, struct error *error) {
    (void)error;
    char **last = context;
    free(*last);
    *last = memory_strdup(path);
    return 0;
}

// The path that a user means.
static int find_path(const char *name, option_lookup *lookup, char **ret_path, struct error *error) {
    if (name != NULL && (strchr(name, '/') != NULL || access(name, F_OK) == 0)) {
        *ret_path = memory_strdup(name);
        return 0;
    }
    if (name == NULL) {
        int result = run_journal_each(lookup, keep_last, ret_path, error);
        if (result != 0 || *ret_path != NULL) return result;
        error_set(error, ERROR_INPUT, "there is no journal of a run");
        error_hint(
            error,
            "the path of a journal that was put elsewhere; a dry run has none, nor has one that changed "
            "nothing");
        return -ERROR_INPUT;
    }
    char *directory MEMORY_AUTO = NULL;
    int result = state_directory(lookup, &directory, error);
    if (result != 0) return result;
    char *path = memory_printf("%s/%s%s", directory, name, has_suffix(name) ? "" : suffix);
    if (access(path, F_OK) != 0) {
        error_set(error, ERROR_INPUT, "there is no run %s", name);
        error_hint(error,
                   "ttn-lw-migrate status --list shows the runs; IDs of devices stand behind the run's");
        free(path);
        return -ERROR_INPUT;
    }
    *ret_path = path;
    return 0;
}

char *run_journal_name(const struct run_journal *self, option_lookup *lookup) {
    ERROR_AUTO ignored = {0};
    char *directory MEMORY_AUTO = NULL;
    if (self->path == NULL || state_directory(lookup, &directory, &ignored) != 0) {
        return memory_strdup(self->path);
    }
    size_t size = strlen(directory);
    const char *name = self->path + size + 1;
    bool below = strncmp(self->path, directory, size) == 0 && self->path[size] == '/' && has_suffix(name) &&
                 strchr(name, '/') == NULL;
    return below ? memory_strndup(name, strlen(name) - strlen(suffix)) : memory_strdup(self->path);
}

// ---- keys

static int seal_from_terminal(struct run_journal *self, bool new, struct seal **ret_seal,
                              struct error *error) {
    uint8_t salt[SEAL_SALT_SIZE];
    char *passphrase = NULL;
    int result = journal_salt(self->journal, salt, error);
    if (result == 0 && new) {
        result = passphrase_ask_twice("New passphrase for the journal: ", "The same once more: ", &passphrase,
                                      error);
    } else if (result == 0) {
        result = passphrase_ask("Passphrase of the journal: ", &passphrase, error);
    }
    if (result == 0) result = seal_from_passphrase(passphrase, salt, ret_seal, error);
    memory_free_secret(passphrase);
    return result;
}

// Nobody is asked for a passphrase that there never was.
static int check_kind(struct run_journal *self, struct error *error) {
    char *file MEMORY_AUTO = NULL;
    int result = journal_property(self->journal, "global.journal-key-file", &file, error);
    if (result != 0 || file == NULL || strcmp(file, "-") == 0) return result;
    error_set(error, ERROR_USAGE, "the journal %s is encrypted with the key in a file", self->path);
    error_hint(error, "name that file (it was %s): --journal-key-file FILE", file);
    return -ERROR_USAGE;
}

// A file, or "-" for a passphrase; a journal that is encrypted asks for one if no file is given. `new`: the journal is
// made here, so a slip of the finger would lock its owner out.
static int set_key(struct run_journal *self, const struct option_values *global, bool new,
                   struct error *error) {
    const char *file = option_string(global, "journal-key-file");
    if (file == NULL && !journal_is_sealed(self->journal)) return 0;
    struct seal *seal = NULL;
    bool asks = file == NULL || strcmp(file, "-") == 0;
    int result = file == NULL ? check_kind(self, error) : 0;
    if (result != 0) return result;
    result = asks ? seal_from_terminal(self, new, &seal, error) : seal_from_file(file, &seal, error);
    return result != 0 ? result : journal_set_seal(self->journal, seal, error);
}

// ---- making and opening

static int take_lock(struct run_journal *self, struct error *error) {
    char *path MEMORY_AUTO = memory_printf("%s.lock", self->path);
    int result = lock_take(path, &self->lock, error);
    if (result != 0 && error != NULL && error->hint == NULL)
        error_hint(error,
                   "a journal needs a place that can be written to and locked, such as a local disk: "
                   "--journal FILE, or XDG_STATE_HOME for all of them");
    return result;
}

struct keeping {
    struct journal *journal;
    const char *prefix;
};

// A path means the same file wherever the run goes on; "-" and URLs are no paths.
static char *lasting(const struct option_spec *spec, const char *text) {
    bool path =
        option_is_path(spec) && *text != '\0' && strcmp(text, "-") != 0 && strstr(text, "://") == NULL;
    char *absolute = path ? file_absolute(text) : NULL;
    return absolute != NULL ? absolute : memory_strdup(text);
}

static int keep_option(void *context, const struct option_spec *spec, const char *text, struct error *error) {
    const struct keeping *keeping = context;
    char *name MEMORY_AUTO = memory_printf("%s%s", keeping->prefix, spec->name);
    char *value = lasting(spec, text);
    int result =
        journal_set_property(keeping->journal, name, value, (spec->flags & OPTION_SECRET) != 0, error);
    memory_free_secret(value);
    return result;
}

int run_journal_describe(struct journal *journal, const struct invocation *invocation, option_lookup *lookup,
                         struct error *error) {
    char created[RFC3339_TEXT_SIZE];
    rfc3339_format_ns(created, clock_wall(&clock_system));
    const char *user = lookup("USER");
    int result = journal_set_property(journal, "program", PROJECT_VERSION, false, error);
    if (result == 0) result = journal_set_property(journal, "created", created, false, error);
    if (result == 0) result = journal_set_property(journal, "user", user == NULL ? "" : user, false, error);
    if (result == 0)
        result = journal_set_property(journal, "command", invocation->command->name, false, error);
    if (result == 0) result = journal_set_property(journal, "source", invocation->source->name, false, error);
    struct keeping global = {.journal = journal, .prefix = "global."};
    struct keeping source = {.journal = journal, .prefix = "source."};
    if (result == 0) result = option_each_given(invocation->global, keep_option, &global, error);
    if (result == 0) result = option_each_given(invocation->source_options, keep_option, &source, error);
    struct keeping target = {.journal = journal, .prefix = "target."};
    if (result == 0 && invocation->target_options != NULL)
        result = option_each_given(invocation->target_options, keep_option, &target, error);
    return result != 0 ? result : journal_commit(journal, error);
}

// SQLite's words for what cannot be a journal at all help nobody.
static int check_file(const char *path, struct error *error) {
    struct stat status;
    if (stat(path, &status) != 0 || S_ISREG(status.st_mode)) return 0;
    bool folder = S_ISDIR(status.st_mode);
    error_set(error, ERROR_INPUT, "%s is %s, and no journal", path, folder ? "a folder" : "no regular file");
    error_hint(error, folder ? "name a file in it" : "name a file");
    return -ERROR_INPUT;
}

int run_journal_create(const struct invocation *invocation, option_lookup *lookup, struct run_journal *self,
                       struct error *error) {
    const char *path = option_string(invocation->global, "journal");
    int result = 0;
    if (path != NULL) {
        self->path = memory_strdup(path);
    } else {
        result = new_path(lookup, &self->path, error);
    }
    if (result != 0) error_hint(error, "name another place for the journal: --journal FILE");
    if (result == 0) result = check_file(self->path, error);
    if (result == 0) result = take_lock(self, error);
    const struct journal_place place = {.path = self->path};
    if (result == 0) result = journal_create(&place, &self->journal, error);
    bool made = result == 0;
    if (result == 0) result = set_key(self, invocation->global, true, error);
    if (result == 0) result = run_journal_describe(self->journal, invocation, lookup, error);
    // A file that was there before is somebody's.
    if (result != 0 && made) run_journal_discard(self);
    if (result != 0) run_journal_release(self);
    return result;
}

int run_journal_open(const struct option_values *global, const char *name, bool writable,
                     option_lookup *lookup, struct run_journal *self, struct error *error) {
    int result = find_path(name, lookup, &self->path, error);
    if (result == 0) result = check_file(self->path, error);
    if (result == 0 && writable) result = take_lock(self, error);
    const struct journal_place place = {.path = self->path};
    if (result == 0) result = journal_open(&place, writable, &self->journal, error);
    if (result == 0 && writable) result = set_key(self, global, false, error);
    if (result != 0) run_journal_release(self);
    return result;
}

void run_journal_release(struct run_journal *self) {
    journal_close(self->journal);
    lock_release(self->lock);
    free(self->path);
    *self = (struct run_journal){0};
}

// SQLite's files of a journal; the one that has its name comes last, so that what was interrupted can be done again.
static const char *const companions[] = {"-wal", "-shm", ""};

// A wrong name must not cost a file of devices: something that is no database is only wiped if it is called a journal.
static int check_journal(const char *path, struct error *error) {
    static const char magic[16] = "SQLite format 3";
    char start[sizeof magic] = "";
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    ssize_t size = descriptor < 0 ? -1 : read(descriptor, start, sizeof start);
    if (descriptor >= 0) close(descriptor);
    if (size < 0) return error_set(error, ERROR_INPUT, "cannot read %s: %s", path, strerror(errno));
    if (size == 0 || memcmp(start, magic, sizeof magic) == 0 || has_suffix(path)) return 0;
    return error_set(error, ERROR_INPUT, "%s is no journal", path);
}

int run_journal_open_locked(const char *name, option_lookup *lookup, struct run_journal *self,
                            struct error *error) {
    int result = find_path(name, lookup, &self->path, error);
    if (result == 0) result = check_file(self->path, error);
    if (result == 0) result = check_journal(self->path, error);
    if (result == 0) result = take_lock(self, error);
    if (result != 0) run_journal_release(self);
    return result;
}

int run_journal_wipe(struct run_journal *self, struct error *error) {
    int result = 0;
    for (size_t i = 0; i < sizeof companions / sizeof *companions && result == 0; i++) {
        char *path MEMORY_AUTO = memory_printf("%s%s", self->path, companions[i]);
        if (access(path, F_OK) == 0) result = file_wipe(path, error);
    }
    run_journal_release(self);
    return result;
}

void run_journal_discard(struct run_journal *self) {
    if (self->path != NULL) {
        journal_close(self->journal);
        self->journal = NULL;
        for (size_t i = 0; i < sizeof companions / sizeof *companions; i++) {
            char *path MEMORY_AUTO = memory_printf("%s%s", self->path, companions[i]);
            (void)unlink(path);
        }
    }
    run_journal_release(self);
}

// ---- the output

int run_journal_keep_output(struct run_journal *self, const struct file_identity *identity,
                            struct error *error) {
    char *numbers MEMORY_AUTO =
        memory_printf("%" PRIu64 " %" PRIu64 " %" PRIu64, identity->device, identity->inode, identity->start);
    int result = journal_set_property(self->journal, "output.path", identity->path, false, error);
    if (result == 0) result = journal_set_property(self->journal, "output.file", numbers, false, error);
    return result != 0 ? result : journal_commit(self->journal, error);
}

int run_journal_set_output(struct run_journal *self, const struct file *output, struct error *error) {
    struct file_identity identity = {0};
    if (!file_identify(output, &identity)) return 0;
    int result = run_journal_keep_output(self, &identity, error);
    file_identity_release(&identity);
    return result;
}

int run_journal_output(struct run_journal *self, struct file_identity *ret_identity, struct error *error) {
    char *numbers MEMORY_AUTO = NULL;
    *ret_identity = (struct file_identity){0};
    int result = journal_property(self->journal, "output.path", &ret_identity->path, error);
    if (result == 0) result = journal_property(self->journal, "output.file", &numbers, error);
    if (result != 0 || ret_identity->path == NULL || numbers == NULL) return result;
    char *end = numbers;
    ret_identity->device = strtoull(end, &end, 10);
    ret_identity->inode = strtoull(end, &end, 10);
    ret_identity->start = strtoull(end, &end, 10);
    return 0;
}

// ---- the command line again

// True if the run's value is void, because that which it belongs to was given anew without it.
static bool is_void(const struct option_values *given, const struct option_spec *spec) {
    return given != NULL && (spec->flags & OPTION_BELONGS) != 0 && !option_given(given, spec->name) &&
           option_given(given, (spec - 1)->name);
}

struct restoring {
    struct option_values *values;
    const struct option_values *given;  // now; NULL = nothing
};

static int restore_option(void *context, const char *name, const char *value, struct error *error) {
    const struct restoring *restoring = context;
    const struct option_spec *spec = option_find(option_table(restoring->values), name, strlen(name));
    // Where the run's files are is kept apart: these would count as given anew.
    static const char places[] = "output journal no-journal journal-key-file dry-run report";
    if (spec == NULL || option_given(restoring->values, name) || words_contain(places, name, strlen(name)))
        return 0;
    if (is_void(restoring->given, spec)) return 0;
    char *shown MEMORY_AUTO = memory_printf("the journal's --%s", name);
    return option_set(restoring->values, spec, shown, value, error);
}

// What was given now.
static int copy_option(void *context, const struct option_spec *spec, const char *text, struct error *error) {
    char *shown MEMORY_AUTO = memory_printf("--%s", spec->name);
    return option_set(context, spec, shown, text, error);
}

static int copy_given(const struct option_values *given, struct option_values *values, struct error *error) {
    return given == NULL ? 0 : option_each_given(given, copy_option, values, error);
}

static int other_than_the_runs(const char *what, const char *own, const char *given, struct error *error) {
    error_set(error, ERROR_USAGE, "the run's %s is %s, and a flag of %s was given", what, own, given);
    error_hint(error, "ttn-lw-migrate status --list shows the runs");
    return -ERROR_USAGE;
}

static int restore_source(struct run_journal *self, struct invocation *invocation,
                          const struct source_driver *const *sources, const struct invocation *given,
                          struct error *error) {
    char *name MEMORY_AUTO = NULL;
    int result = journal_property(self->journal, "source", &name, error);
    if (result != 0) return result;
    if (name == NULL) {
        error_set(error, ERROR_INPUT, "%s is not complete: it does not tell which source its run was about",
                  self->path);
        error_hint(error, "that run has changed nothing: start it anew, and delete this file");
        return -ERROR_INPUT;
    }
    invocation->source = source_find(sources, name, strlen(name));
    if (invocation->source == NULL) {
        return error_set(error, ERROR_INPUT, "the journal %s is of a source that this program does not know",
                         self->path);
    }
    if (given->source != NULL && given->source != invocation->source)
        return other_than_the_runs("source", invocation->source->name, given->source->name, error);
    invocation->source_options = option_values_new(invocation->source->options);
    struct restoring source = {.values = invocation->source_options, .given = given->source_options};
    result = copy_given(given->source_options, source.values, error);
    return result != 0 ? result
                       : journal_each_property(self->journal, "source.", restore_option, &source, error);
}

// True if a flag of a target was given.
static bool any_given(const struct option_values *values) {
    for (const struct option_spec *spec = option_table(values); spec->name != NULL; spec++) {
        if (option_given(values, spec->name)) return true;
    }
    return false;
}

static int restore_target(struct run_journal *self, struct invocation *invocation,
                          const struct invocation *given, struct error *error) {
    invocation_set_target(invocation, NULL);
    bool any = given->target_options != NULL && any_given(given->target_options);
    if (any && given->target != invocation->target)
        return other_than_the_runs("target", invocation->target->name, given->target->name, error);
    if (invocation->target_options == NULL) return 0;
    struct restoring target = {.values = invocation->target_options};
    int result = any ? copy_given(given->target_options, target.values, error) : 0;
    return result != 0 ? result
                       : journal_each_property(self->journal, "target.", restore_option, &target, error);
}

int run_journal_restore(struct run_journal *self, struct invocation *invocation,
                        const struct source_driver *const *sources, struct error *error) {
    const struct invocation given = *invocation;
    invocation->source = NULL;
    invocation->target = NULL;
    invocation->source_options = invocation->target_options = NULL;
    int result = restore_source(self, invocation, sources, &given, error);
    struct restoring global = {.values = invocation->global};
    if (result == 0) result = journal_each_property(self->journal, "global.", restore_option, &global, error);
    return result != 0 ? result : restore_target(self, invocation, &given, error);
}

struct keeping_some {
    struct keeping keeping;
    bool secrets;
};

static int keep_some(void *context, const struct option_spec *spec, const char *text, struct error *error) {
    struct keeping_some *some = context;
    bool secret = (spec->flags & OPTION_SECRET) != 0;
    return secret == some->secrets ? keep_option(&some->keeping, spec, text, error) : 0;
}

// What is void is kept so, too.
static int forget_void(struct journal *journal, const struct option_values *given, bool secrets,
                       struct error *error) {
    int result = 0;
    for (const struct option_spec *spec = option_table(given); spec->name != NULL && result == 0; spec++) {
        bool secret = (spec->flags & OPTION_SECRET) != 0;
        if (secret != secrets || !is_void(given, spec)) continue;
        char *name MEMORY_AUTO = memory_printf("source.%s", spec->name);
        result = journal_set_property(journal, name, "", secret, error);
    }
    return result;
}

int run_journal_keep_given(struct run_journal *self, const struct invocation *given, bool secrets,
                           struct error *error) {
    struct keeping_some source = {{.journal = self->journal, .prefix = "source."}, secrets};
    struct keeping_some target = {{.journal = self->journal, .prefix = "target."}, secrets};
    int result = 0;
    if (given->source_options != NULL)
        result = option_each_given(given->source_options, keep_some, &source, error);
    if (result == 0 && given->source_options != NULL)
        result = forget_void(self->journal, given->source_options, secrets, error);
    if (result == 0 && given->target_options != NULL)
        result = option_each_given(given->target_options, keep_some, &target, error);
    return result != 0 ? result : journal_commit(self->journal, error);
}

int run_journal_command(struct run_journal *self, char **ret_command, struct error *error) {
    return journal_property(self->journal, "command", ret_command, error);
}
