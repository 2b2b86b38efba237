// SPDX-License-Identifier: Apache-2.0
#include "device/path.h"

void path_write(const struct path *path, struct buffer *text) {
    if (path == NULL) return;
    path_write(path->parent, text);
    if (path->name == NULL) {
        buffer_printf(text, "[%zu]", path->index);
        return;
    }
    if (path->parent != NULL) buffer_putc(text, '.');
    buffer_puts(text, path->name);
}

char *path_string(const struct path *path) {
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    path_write(path, &text);
    return buffer_take_string(&text);
}
