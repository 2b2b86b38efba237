// SPDX-License-Identifier: Apache-2.0
// Sources that are files: the first byte chooses the source and the size of the pieces, the rest is the file. Whatever it
// holds, each of its devices becomes one that can be written, or an error; in pieces of any size the same.
#include <string.h>

#include "device/json_write.h"
#include "device/validate.h"
#include "fuzz.h"
#include "source/registry.h"

struct bytes_reader {
    struct reader base;
    const uint8_t *data;
    size_t size;
    size_t piece;
};

static int bytes_read(struct reader *reader, void *data, size_t size, size_t *ret_size, struct error *error) {
    (void)error;
    struct bytes_reader *self = (struct bytes_reader *)reader;
    if (size > self->piece) size = self->piece;
    *ret_size = self->size < size ? self->size : size;
    memcpy(data, self->data, *ret_size);
    self->data += *ret_size;
    self->size -= *ret_size;
    return 0;
}

static const struct reader_operations reader_operations = {.read = bytes_read};

// Nothing ever stands twice.
static int no_add(struct key_set *set, const void *key, size_t size, uint64_t number, uint64_t *ret_number,
                  struct error *error) {
    (void)set;
    (void)error;
    fuzz_check(key != NULL && size > 1 && number > 0);
    *ret_number = 0;
    return 0;
}

static const struct key_set_operations set_operations = {.add = no_add};

static int64_t fixed_time(void *context) {
    (void)context;
    return 1700000000 * NS_PER_SECOND;
}

static void fixed_bytes(void *context, void *data, size_t size) {
    (void)context;
    memset(data, 7, size);
}

static const struct clock fixed_clock = {.monotonic = fixed_time, .wall = fixed_time};
static const struct random fixed_random = {.fill = fixed_bytes};
static const struct device_naming naming;

static void set(struct option_values *values, const char *name, const char *value) {
    const struct option_spec *spec = option_find(option_table(values), name, strlen(name));
    if (spec != NULL) fuzz_check(option_set(values, spec, name, value, NULL) == 0);
}

static void convert(struct source *source, const struct source_record *record, struct buffer *text) {
    DEVICE_AUTO device = {0};
    ERROR_AUTO error = {0};
    device_init(&device);
    buffer_printf(text, "%s ", record->id);
    int result = source->driver->convert(source, record, &device, &error);
    fuzz_check((result != 0) == error_is_set(&error));
    if (result == 0) result = device_validate(&device, frequency_plans_builtin(), &error);
    if (result == 0) {
        message_json_write(&device.end_device->base, text);
    } else {
        buffer_puts(text, error.message);
    }
    buffer_putc(text, '\n');
}

static void list(struct source *source, struct buffer *text) {
    struct source_page page = {0};
    struct arena arena = {0};
    struct job job = {.arena = &arena};
    ERROR_AUTO error = {0};
    fuzz_check(source->driver->prepare(source, &job, "-", &error) == JOB_DONE);
    enum job_step step = JOB_DONE;
    do {
        char *cursor = memory_take(page.cursor);
        source_page_release(&page);
        page.cursor = cursor;
        step = source->driver->list(source, &job, &page, &error);
        fuzz_check((step == JOB_FAILED) == error_is_set(&error));
        for (size_t i = 0; step == JOB_DONE && i < page.count; i++) convert(source, &page.records[i], text);
    } while (step == JOB_DONE && page.cursor != NULL);
    source_page_release(&page);
    arena_release(&arena);
}

static void run(const char *name, const uint8_t *data, size_t size, size_t piece, struct buffer *text) {
    const struct source_driver *driver = source_find(source_drivers(), name, strlen(name));
    struct bytes_reader reader = {.base = {.operations = &reader_operations, .name = "file"},
                                  .data = data,
                                  .size = size,
                                  .piece = piece};
    struct key_set seen = {.operations = &set_operations};
    struct option_values *options = option_values_new(driver->options);
    set(options, "app-id", "my-app");
    set(options, "frequency-plan-id", "EU_863_870_TTN");
    set(options, "mac-version", "1.0.3");
    const struct source_setup setup = {
        .options = options,
        .plans = frequency_plans_builtin(),
        .naming = &naming,
        .clock = &fixed_clock,
        .random = &fixed_random,
        .input = &reader.base,
        .seen = &seen,
    };
    struct source *source = NULL;
    fuzz_check(driver->open(&setup, &source, NULL) == 0);
    list(source, text);
    driver->close(source);
    option_values_free(options);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const names[] = {"json",   "csv",  "thingpark", "helium",
                                        "wanesy", "json", "csv",       "wanesy"};
    if (size == 0) return 0;
    BUFFER_AUTO whole, cut;
    buffer_init(&whole, BUFFER_UNLIMITED);
    buffer_init(&cut, BUFFER_UNLIMITED);
    const char *name = names[data[0] % 8];
    run(name, data + 1, size - 1, 64 * (size_t)1024, &whole);
    run(name, data + 1, size - 1, 1 + data[0] / 4, &cut);
    // An error ends a page before its devices are seen: then there are fewer of them, or more.
    size_t common = whole.size < cut.size ? whole.size : cut.size;
    fuzz_check(common == 0 || memcmp(whole.data, cut.data, common) == 0);
    return 0;
}
