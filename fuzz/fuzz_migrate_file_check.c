// SPDX-License-Identifier: Apache-2.0
// The check of a file of devices: whatever the file holds, what is told are findings with a line, and their numbers agree.
#include "migrate/file_check.h"

#include <string.h>

#include "fuzz.h"
#include "source/registry.h"

struct bytes_reader {
    struct reader base;
    const uint8_t *data;
    size_t size;
};

static int bytes_read(struct reader *reader, void *data, size_t size, size_t *ret_size, struct error *error) {
    (void)error;
    struct bytes_reader *self = (struct bytes_reader *)reader;
    *ret_size = self->size < size ? self->size : size;
    if (*ret_size > 13) *ret_size = 13;
    if (*ret_size > 0) memcpy(data, self->data, *ret_size);
    self->data += *ret_size;
    self->size -= *ret_size;
    return 0;
}

static const struct reader_operations reader_operations = {.read = bytes_read};

static int no_add(struct key_set *set, const void *key, size_t size, uint64_t number, uint64_t *ret_number,
                  struct error *error) {
    (void)set;
    (void)error;
    fuzz_check(key != NULL && size > 0 && number > 0);
    *ret_number = number % 2;
    return 0;
}

static const struct key_set_operations set_operations = {.add = no_add};

static int count(void *context, const struct file_finding *finding, struct error *error) {
    (void)error;
    fuzz_check(finding->line > 0 && finding->text != NULL && strchr(finding->text, '\n') == NULL);
    if (!finding->harmless) ++*(uint64_t *)context;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    struct bytes_reader reader = {
        .base = {.operations = &reader_operations, .name = "file"}, .data = data + 1, .size = size - 1};
    struct key_set seen = {.operations = &set_operations};
    uint64_t findings = 0;
    static const char *const names[] = {"json", "csv", "thingpark", "helium", "wanesy"};
    size_t choice = data[0] / 2 % 6;
    const struct source_driver *driver =
        choice == 0 ? NULL : source_find(source_drivers(), names[choice - 1], strlen(names[choice - 1]));
    const struct file_check_setup setup = {
        .driver = driver,
        .reader = &reader.base,
        .seen = &seen,
        .plans = frequency_plans_builtin(),
        .strict = data[0] % 2 == 1,
        .tell = count,
        .context = &findings,
    };
    struct file_check_numbers numbers;
    fuzz_check(file_check(&setup, &numbers, NULL) == 0);
    fuzz_check(numbers.findings == findings && numbers.invalid <= numbers.devices);
    fuzz_check(numbers.devices > 0 || findings > 0);
    return 0;
}
