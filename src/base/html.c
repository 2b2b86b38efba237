// SPDX-License-Identifier: Apache-2.0
#include "base/html.h"

#include <string.h>

static const char *entity_of(char c) {
    switch (c) {
        case '&':
            return "&amp;";
        case '<':
            return "&lt;";
        case '>':
            return "&gt;";
        case '"':
            return "&quot;";
        case '\'':
            return "&#39;";
        default:
            return NULL;
    }
}

void html_text(struct buffer *page, const char *text) {
    if (text == NULL) return;
    while (*text != '\0') {
        size_t plain = strcspn(text, "&<>\"'");
        buffer_add(page, text, plain);
        text += plain;
        if (*text == '\0') break;
        buffer_puts(page, entity_of(*text++));
    }
}
