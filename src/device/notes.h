// SPDX-License-Identifier: Apache-2.0
// What a person should know about a device that is migrated all the same.
#ifndef DEVICE_NOTES_H
#define DEVICE_NOTES_H

#include <stdarg.h>
#include <stddef.h>

enum note_kind {
    NOTE_CHANGED,    // something differs from the source
    NOTE_UNKNOWN,    // a member of the input that nobody knows: left out
    NOTE_DUPLICATE,  // a member that stands twice in the input: the last one counts
    NOTE_FAULT,      // the input cannot be read
};

struct note {
    enum note_kind kind;
    char *path;   // owned; "attributes.Foo"; never empty, never a key or a token
    char *text;   // owned; one line, no full stop: "the key became 'foo'"
    size_t line;  // of the input, from 1 on; 0 = none
};

// No more notes than this are kept for a device; the last one says so. A fault has its place in any case.
enum { NOTES_MAX = 100 };

// A zeroed `struct notes` is an empty list.
struct notes {
    struct note *items;  // owned
    size_t count;
};

// Appends a note. `notes` may be NULL: then nothing happens.
void notes_add(struct notes *notes, enum note_kind kind, size_t line, const char *path, const char *format,
               ...) __attribute__((format(printf, 5, 6)));
void notes_addv(struct notes *notes, enum note_kind kind, size_t line, const char *path, const char *format,
                va_list args) __attribute__((format(printf, 5, 0)));

// The last note if it tells a fault, or NULL.
const struct note *notes_fault(const struct notes *notes);

// Frees all notes and leaves an empty list.
void notes_release(struct notes *notes);

#endif
