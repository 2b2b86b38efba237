// SPDX-License-Identifier: Apache-2.0
#include "device/notes.h"

#include <stdlib.h>

#include "base/memory.h"

void notes_addv(struct notes *notes, enum note_kind kind, size_t line, const char *path, const char *format,
                va_list args) {
    if (notes == NULL) return;
    if (notes->count == NOTES_MAX && kind != NOTE_FAULT) return;
    notes->items = memory_resize(notes->items, notes->count + 1, sizeof notes->items[0]);
    struct note *note = &notes->items[notes->count++];
    *note = (struct note){.kind = kind, .path = memory_strdup(path), .line = line};
    note->text = notes->count == NOTES_MAX && kind != NOTE_FAULT
                     ? memory_strdup("and there is more; not all of it is listed")
                     : memory_vprintf(format, args);
}

void notes_add(struct notes *notes, enum note_kind kind, size_t line, const char *path, const char *format,
               ...) {
    va_list args;
    va_start(args, format);
    notes_addv(notes, kind, line, path, format, args);
    va_end(args);
}

const struct note *notes_fault(const struct notes *notes) {
    if (notes->count == 0 || notes->items[notes->count - 1].kind != NOTE_FAULT) return NULL;
    return &notes->items[notes->count - 1];
}

void notes_release(struct notes *notes) {
    for (size_t i = 0; i < notes->count; i++) {
        free(notes->items[i].path);
        free(notes->items[i].text);
    }
    free(notes->items);
    *notes = (struct notes){0};
}
