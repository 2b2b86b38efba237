// SPDX-License-Identifier: Apache-2.0
#include "source/file_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/memory.h"

enum {
    PIECE_SIZE = 64 * 1024,
    PAGE_SIZE = 500,      // a page ends with the piece in which it gets so many devices
    PREFIX_SIZE = 1 + 4,  // of a record: its form, and the line, the lowest byte first
};

void file_list_init(struct file_list *list, const struct source_setup *setup) {
    *list = (struct file_list){
        .input = setup->input, .seen = setup->seen, .what = setup->gateways ? "gateway" : "device"};
}

void file_list_release(struct file_list *list) {
    if (list->piece != NULL) memory_wipe(list->piece, PIECE_SIZE);
    free(list->piece);
    *list = (struct file_list){0};
}

static int list_again(struct file_list *list, struct error *error) {
    int result = list->input->operations->rewind(list->input, error);
    if (result != 0) {
        error_hint(error, "name it as a file, so that it can be read for each application");
        return result;
    }
    list->begun = list->ended = false;
    list->entries = 0;
    return list->seen->operations->clear(list->seen, error);
}

static int list_piece(struct file_list *list, struct source_page *page, file_list_take *take, void *context,
                      struct error *error) {
    size_t size = 0;
    int result = list->input->operations->read(list->input, list->piece, PIECE_SIZE, &size, error);
    if (result != 0) return result;
    list->begun = true;
    list->ended = size == 0;
    result = take(context, page, list->piece, size, error);
    if (result == -ERROR_INPUT || result == -ERROR_TOO_LARGE) {
        return error_wrap(error, ERROR_NONE, "%s", list->input->name);
    }
    if (result == 0 && list->ended && list->entries == 0) {
        return error_set(error, ERROR_INPUT, "%s holds no %s", list->input->name, list->what);
    }
    return result;
}

int file_list_fill(struct file_list *list, struct source_page *page, file_list_take *take, void *context,
                   struct error *error) {
    if (list->input == NULL) {
        error_set(error, ERROR_INPUT, "the run ended before its file was read: nothing was changed");
        error_hint(error, "start it anew");
        return -ERROR_INPUT;
    }
    if (list->piece == NULL) list->piece = memory_alloc(PIECE_SIZE, 1);
    int result = 0;
    if (page->cursor == NULL && list->begun) result = list_again(list, error);
    while (result == 0 && !list->ended && page->count < PAGE_SIZE) {
        result = list_piece(list, page, take, context, error);
    }
    free(page->cursor);
    page->cursor = list->ended ? NULL : memory_strdup("more");
    return result;
}

// Keys of the set of what was seen begin with what they are.
static int see(struct file_list *list, char kind, const void *key, size_t size, size_t line,
               uint64_t *ret_before, struct error *error) {
    char *whole MEMORY_AUTO = memory_alloc(1, size + 1);
    whole[0] = kind;
    memcpy(whole + 1, key, size);
    return list->seen->operations->add(list->seen, whole, size + 1, line, ret_before, error);
}

static int twice(const char *what, const char *value, uint64_t before, size_t line, struct error *error) {
    error_set(error, ERROR_INPUT, "%s %s stands in line %llu and in line %zu", what, value,
              (unsigned long long)before, line);
    error_hint(
        error, "take one of them out%s",
        strcmp(what, "gateway") == 0 ? "" : "; ttn-lw-migrate validate FILE names all that stand twice");
    return -ERROR_INPUT;
}

static int see_entry(struct file_list *list, const struct file_entry *entry, struct error *error) {
    uint64_t before = 0;
    if (entry->id != NULL) {
        int result = see(list, 'i', entry->id, strlen(entry->id), entry->line, &before, error);
        if (result == 0 && before != 0) result = twice(list->what, entry->id, before, entry->line, error);
        if (result != 0) return result;
    }
    if (entry->eui == NULL) return 0;
    int result = see(list, 'e', entry->eui, 8, entry->line, &before, error);
    if (result != 0 || before == 0) return result;
    char text[HEX_TEXT_SIZE(8)];
    hex_encode_upper(text, entry->eui, 8);
    return twice("DevEUI", text, before, entry->line, error);
}

// "line 3", "line 1, device 7 (Roof)": unique, as an ID is.
static char *place_of(const struct file_list *list, const struct file_entry *entry) {
    enum { SHOWN_MAX = 40 };
    if (entry->number == 0) return memory_printf("line %zu", entry->line);
    unsigned long long number = entry->number;
    if (entry->name == NULL) return memory_printf("line %zu, %s %llu", entry->line, list->what, number);
    size_t size = strnlen(entry->name, SHOWN_MAX + 1);
    // Not within a character of UTF-8.
    while (size > SHOWN_MAX || (size > 0 && ((unsigned char)entry->name[size] & 0xc0) == 0x80)) size--;
    return memory_printf("line %zu, %s %llu (%.*s)", entry->line, list->what, number, (int)size, entry->name);
}

int file_list_add(struct file_list *list, struct source_page *page, const struct file_entry *entry,
                  struct error *error) {
    int result = see_entry(list, entry, error);
    if (result != 0) return result;
    struct source_record *record = source_page_add(page);
    record->id = entry->id != NULL ? memory_strdup(entry->id) : place_of(list, entry);
    record->has_dev_eui = entry->eui != NULL;
    if (entry->eui != NULL) memcpy(record->dev_eui, entry->eui, sizeof record->dev_eui);
    record->complete = true;
    BUFFER_AUTO data;
    buffer_init(&data, BUFFER_UNLIMITED);
    buffer_putc(&data, (char)entry->form);
    for (unsigned shift = 0; shift < 32; shift += 8) buffer_putc(&data, (char)(entry->line >> shift & 0xff));
    buffer_add(&data, entry->data, entry->size);
    source_record_set_data(record, data.data, data.size);
    return 0;
}

int file_error_at(size_t line, int result, struct error *error) {
    if (result == 0 || error == NULL) return result;
    char *message = memory_printf("line %zu: %s", line, error->message);
    free(error->message);
    error->message = message;
    return result;
}

int file_record_read(const struct source_record *record, struct file_entry *ret_entry, struct error *error) {
    if (record->size < PREFIX_SIZE || record->data[0] > FILE_ENTRY_TEXT) {
        return error_set(error, ERROR_INPUT, "its record in the journal is damaged");
    }
    *ret_entry = (struct file_entry){
        .form = (enum file_entry_form)record->data[0],
        .eui = record->has_dev_eui ? record->dev_eui : NULL,
        .data = record->data + PREFIX_SIZE,
        .size = record->size - PREFIX_SIZE,
    };
    for (unsigned i = 0; i < 4; i++) ret_entry->line |= (size_t)record->data[1 + i] << (8 * i);
    return 0;
}

enum job_step file_read(struct source *source, struct job *job, struct source_record *record,
                        struct error *error) {
    (void)source;
    (void)job;
    if (record->data != NULL) return JOB_DONE;
    error_set(error, ERROR_NOT_FOUND, "is not in the file");
    return JOB_FAILED;
}
