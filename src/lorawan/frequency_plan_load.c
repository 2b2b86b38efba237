// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "lorawan/frequency_plan_read_p.h"

enum { ENTRIES_MAX = 1000, NAME_MAX_BYTES = 200, FILE_NAME_MAX_BYTES = 200 };

static const char list_name[] = "frequency-plans.yml";

// A line of the list.
struct entry {
    struct yaml_value place;
    struct yaml_value base_place;
    const char *id;
    const char *name;
    const char *band_id;  // NULL = only the files say it
    const char *base_id;  // NULL = none
    const char *file;
    bool end_devices;
    bool gateways;
};

struct loader {
    frequency_plans_fetch *fetch;
    void *context;
    struct arena *arena;      // of the set that is being made
    struct yaml_file *files;  // those open now, the list first
    size_t file_count;
    struct entry *entries;
    size_t entry_count;
};

// Gets and reads a file, unless that was done before.
static int open_file(struct loader *loader, const char *name, struct yaml_file **ret_file,
                     struct error *error) {
    for (size_t i = 0; i < loader->file_count; i++) {
        if (strcmp(loader->files[i].name, name) != 0) continue;
        *ret_file = &loader->files[i];
        return 0;
    }
    BUFFER_AUTO content = {.limit = FREQUENCY_PLANS_FILE_LIMIT};
    int result = loader->fetch(loader->context, name, &content, error);
    if (result != 0) return result;
    if (content.overflowed)
        return error_set(error, ERROR_INPUT, "%s is larger than %u bytes", name, FREQUENCY_PLANS_FILE_LIMIT);
    struct yaml_file *file = &loader->files[loader->file_count];
    result = yaml_file_open(file, name, &content, error);
    if (result != 0) return result;
    loader->file_count++;
    *ret_file = file;
    return 0;
}

// A plain path below the directory or URL of the set: nothing that leads out of it or means something else in
// a URL.
static bool is_plain_path(const char *path) {
    if (*path == '\0' || *path == '/') return false;
    for (const char *part = path;;) {
        size_t size = strcspn(part, "/");
        if (size == 0 || (size == 1 && part[0] == '.') || (size == 2 && part[0] == '.' && part[1] == '.'))
            return false;
        for (size_t i = 0; i < size; i++)
            if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-+", part[i]) == NULL)
                return false;
        if (part[size] == '\0') return true;
        part += size + 1;
    }
}

static int optional_text(struct loader *loader, struct yaml_value mapping, const char *key, size_t most,
                         const char **ret, struct error *error) {
    struct yaml_value value = yaml_member(mapping, key);
    return value.node == NULL ? 0 : yaml_text(value, key, most, loader->arena, ret, error);
}

static int optional_flag(struct yaml_value mapping, const char *key, bool otherwise, bool *ret,
                         struct error *error) {
    struct yaml_value value = yaml_member(mapping, key);
    *ret = otherwise;
    return value.node == NULL ? 0 : yaml_boolean(value, key, ret, error);
}

static struct entry *find_entry(const struct loader *loader, const char *id) {
    for (size_t i = 0; i < loader->entry_count; i++)
        if (strcmp(loader->entries[i].id, id) == 0) return &loader->entries[i];
    return NULL;
}

static int check_entry(const struct loader *loader, const struct entry *entry, struct error *error) {
    if (entry->id == NULL || *entry->id == '\0') return yaml_fail(entry->place, error, "the entry has no id");
    if (find_entry(loader, entry->id) != NULL)
        return yaml_fail(entry->place, error, "the id %s is there twice", entry->id);
    if (entry->file == NULL) return yaml_fail(entry->place, error, "%s has no file", entry->id);
    if (!is_plain_path(entry->file))
        return yaml_fail(yaml_member(entry->place, "file"), error,
                         "file \"%s\" is no plain relative path (letters, digits, \"._-+\" and \"/\")",
                         entry->file);
    if (entry->band_id != NULL && !band_known(entry->band_id))
        return yaml_fail(yaml_member(entry->place, "band-id"), error, "band \"%s\" is not known",
                         entry->band_id);
    return 0;
}

static int read_entry(struct loader *loader, struct yaml_value place, struct error *error) {
    struct entry entry = {.place = place, .name = ""};
    int result = yaml_check_mapping(place, "the entry", error);
    if (result == 0) result = optional_text(loader, place, "id", FREQUENCY_PLAN_ID_MAX, &entry.id, error);
    if (result == 0) result = optional_text(loader, place, "name", NAME_MAX_BYTES, &entry.name, error);
    if (result == 0) result = optional_text(loader, place, "file", FILE_NAME_MAX_BYTES, &entry.file, error);
    if (result == 0)
        result = optional_text(loader, place, "band-id", FREQUENCY_PLAN_ID_MAX, &entry.band_id, error);
    if (result == 0)
        result = optional_text(loader, place, "base-id", FREQUENCY_PLAN_ID_MAX, &entry.base_id, error);
    if (result == 0) result = optional_flag(place, "end-devices", true, &entry.end_devices, error);
    if (result == 0) result = optional_flag(place, "gateways", false, &entry.gateways, error);
    if (result == 0) result = check_entry(loader, &entry, error);
    if (result != 0) return result;
    if (entry.base_id != NULL) entry.base_place = yaml_member(place, "base-id");
    loader->entries[loader->entry_count++] = entry;
    return 0;
}

static int read_list(struct loader *loader, struct error *error) {
    struct yaml_file *file;
    int result = open_file(loader, list_name, &file, error);
    if (result != 0) return result;
    struct yaml_value list = yaml_root(file);
    result = yaml_check_list(list, "the list of frequency plans", ENTRIES_MAX, error);
    if (result != 0) return result;
    if (yaml_count(list) == 0) return yaml_fail(list, error, "the list of frequency plans is empty");
    for (size_t i = 0; i < yaml_count(list) && result == 0; i++)
        result = read_entry(loader, yaml_item(list, i), error);
    return result;
}

static int lay_over(struct loader *loader, const struct entry *entry, struct draft *draft,
                    struct error *error) {
    struct yaml_file *file;
    int result = open_file(loader, entry->file, &file, error);
    if (result == 0) result = draft_lay_over(draft, file, error);
    return result;
}

static int make_plan(struct loader *loader, const struct entry *entry, struct frequency_plan *ret_plan,
                     struct error *error) {
    struct draft draft = {
        .arena = loader->arena,
        .plan = {.id = entry->id,
                 .name = entry->name,
                 .base_id = entry->base_id,
                 .end_devices = entry->end_devices,
                 .gateways = entry->gateways,
                 .rx2_data_rate = -1,
                 .ping_slot_data_rate = -1},
    };
    int result = 0;
    if (entry->base_id != NULL) {
        const struct entry *base = find_entry(loader, entry->base_id);
        if (base == NULL)
            return yaml_fail(entry->base_place, error, "base-id %s is not in the list", entry->base_id);
        result = lay_over(loader, base, &draft, error);
    }
    if (result == 0) result = lay_over(loader, entry, &draft, error);
    if (result != 0) return result;
    if (draft.plan.band_id == NULL) draft.plan.band_id = entry->band_id;
    result = draft_check(&draft, entry->place, error);
    if (result == 0) *ret_plan = draft.plan;
    return result;
}

static int make_plans(struct loader *loader, struct frequency_plans *plans, struct error *error) {
    int result = read_list(loader, error);
    if (result != 0) return result;
    struct frequency_plan *made = arena_new_array(loader->arena, struct frequency_plan, loader->entry_count);
    for (size_t i = 0; i < loader->entry_count && result == 0; i++)
        result = make_plan(loader, &loader->entries[i], &made[i], error);
    plans->plans = made;
    plans->count = loader->entry_count;
    return result;
}

int frequency_plans_load(frequency_plans_fetch *fetch, void *context, struct frequency_plans **ret_plans,
                         struct error *error) {
    struct frequency_plans *plans = memory_new(struct frequency_plans);
    struct loader loader = {
        .fetch = fetch,
        .context = context,
        .arena = &plans->arena,
        .files = memory_new_array(struct yaml_file, ENTRIES_MAX + 1),
        .entries = memory_new_array(struct entry, ENTRIES_MAX),
    };
    int result = make_plans(&loader, plans, error);
    for (size_t i = 0; i < loader.file_count; i++) yaml_file_close(&loader.files[i]);
    free(loader.files);
    free(loader.entries);
    if (result == 0)
        *ret_plans = plans;
    else
        frequency_plans_free(plans);
    return result;
}

static int fail_file(const char *name, int code, struct error *error) {
    return error_set(error, ERROR_INPUT, "%s: %s", name, strerror(code));
}

// Reads a file below the directory `context`. Only a regular one: anything else may never end.
static int fetch_from_directory(void *context, const char *name, struct buffer *content,
                                struct error *error) {
    const int *directory = context;
    char block[16384];
    struct stat status;
    int descriptor = openat(*directory, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (descriptor < 0) return fail_file(name, errno, error);
    int result = 0;
    if (fstat(descriptor, &status) != 0)
        result = fail_file(name, errno, error);
    else if (!S_ISREG(status.st_mode))
        result = error_set(error, ERROR_INPUT, "%s is no regular file", name);
    while (result == 0 && !content->overflowed) {
        ssize_t size = read(descriptor, block, sizeof block);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) result = fail_file(name, errno, error);
        if (size <= 0) break;
        buffer_add(content, block, (size_t)size);
    }
    close(descriptor);
    return result;
}

int frequency_plans_load_directory(const char *path, struct frequency_plans **ret_plans,
                                   struct error *error) {
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return error_set(error, ERROR_INPUT, "cannot open the directory %s: %s", path, strerror(errno));
    int result = frequency_plans_load(fetch_from_directory, &directory, ret_plans, error);
    close(directory);
    if (result != 0) error_wrap(error, ERROR_NONE, "frequency plans in %s", path);
    return result;
}
