// SPDX-License-Identifier: Apache-2.0
#include "cli/layout.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/words.h"

enum { CONTINUATION_INDENT = 4 };

// Writes words from `column` on; further lines start at `indent`.
static void write_words(struct layout *layout, unsigned column, unsigned indent, const char *words) {
    const char *word = NULL;
    size_t size = 0;
    bool first = true;
    while (words_next(&words, &word, &size)) {
        if (!first && column + 1 + size > layout->columns) {
            buffer_printf(layout->text, "\n%*s", (int)indent, "");
            column = indent;
        } else if (!first) {
            buffer_putc(layout->text, ' ');
            column++;
        }
        buffer_add(layout->text, word, size);
        column += (unsigned)size;
        first = false;
    }
    buffer_putc(layout->text, '\n');
}

void layout_paragraph(struct layout *layout, unsigned indent, const char *words) {
    buffer_printf(layout->text, "%*s", (int)indent, "");
    write_words(layout, indent, indent, words);
}

void layout_entry(struct layout *layout, unsigned indent, const char *term, unsigned text_indent,
                  const char *description) {
    // A narrow terminal has no room for two columns.
    if (text_indent * 2 > layout->columns) text_indent = indent + CONTINUATION_INDENT;
    buffer_printf(layout->text, "%*s%s", (int)indent, "", term);
    size_t column = indent + strlen(term);
    if (column + 2 > text_indent) {
        buffer_putc(layout->text, '\n');
        column = 0;
    }
    buffer_printf(layout->text, "%*s", (int)(text_indent - column), "");
    write_words(layout, text_indent, text_indent, description);
}

void layout_line(struct layout *layout, unsigned indent, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *words MEMORY_AUTO = memory_vprintf(format, args);
    va_end(args);
    buffer_printf(layout->text, "%*s", (int)indent, "");
    write_words(layout, indent, indent + CONTINUATION_INDENT, words);
}

void layout_command(struct layout *layout, unsigned indent, const char *line) {
    static const char flag[] = " --", broken[] = " \\";
    buffer_printf(layout->text, "%*s", (int)indent, "");
    size_t column = indent;
    for (bool first = true; *line != '\0'; first = false) {
        const char *next = strstr(line + 1, flag);
        size_t size = next == NULL ? strlen(line) : (size_t)(next - line);
        size_t room = next == NULL ? 0 : sizeof broken - 1;
        if (!first && column + size + room > layout->columns) {
            buffer_printf(layout->text, "%s\n%*s", broken, (int)(indent + CONTINUATION_INDENT), "");
            column = indent + CONTINUATION_INDENT;
            line++;
            size--;
        }
        buffer_add(layout->text, line, size);
        column += size;
        line += size;
    }
    buffer_putc(layout->text, '\n');
}
