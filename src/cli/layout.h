// SPDX-License-Identifier: Apache-2.0
// Text in lines of a given width. Widths count bytes: the texts of the tables are ASCII.
#ifndef CLI_LAYOUT_H
#define CLI_LAYOUT_H

#include "base/buffer.h"

struct layout {
    struct buffer *text;  // where the lines go; borrowed
    unsigned columns;     // the most in a line, if no single word is longer
};

// A paragraph whose lines start at `indent`.
void layout_paragraph(struct layout *layout, unsigned indent, const char *words);

// A term at `indent` and its description from `text_indent` on, below the term if that is too long.
void layout_entry(struct layout *layout, unsigned indent, const char *term, unsigned text_indent,
                  const char *description);

// A formatted paragraph whose lines after the first are indented more.
void layout_line(struct layout *layout, unsigned indent, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// A command line, broken before flags in the way of a shell: what is copied from several lines is still one command.
void layout_command(struct layout *layout, unsigned indent, const char *line);

#endif
