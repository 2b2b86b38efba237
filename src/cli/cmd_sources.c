// SPDX-License-Identifier: Apache-2.0
#include "base/words.h"
#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/output.h"

enum { NAME_WIDTH = 14 };

static json_t *source_json(const struct source_driver *source) {
    json_t *aliases = json_array();
    const char *list = source->aliases, *word = NULL;
    size_t size = 0;
    while (words_next(&list, &word, &size)) json_array_append_new(aliases, json_stringn(word, size));
    json_t *object = json_object();
    json_object_set_new(object, "name", json_string(source->name));
    json_object_set_new(object, "title", json_string(source->title));
    json_object_set_new(object, "aliases", aliases);
    return object;
}

static enum exit_code write_json(const struct session *session) {
    json_t *list = json_array();
    for (size_t i = 0; session->sources[i] != NULL; i++) {
        json_array_append_new(list, source_json(session->sources[i]));
    }
    return output_json(session, list);
}

enum exit_code cmd_sources(const struct session *session) {
    if (option_bool(session->invocation->global, "json")) return write_json(session);
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    for (size_t i = 0; session->sources[i] != NULL; i++) {
        const struct source_driver *source = session->sources[i];
        buffer_printf(&text, "%-*s%s", NAME_WIDTH, source->name, source->title);
        if (source->aliases != NULL) buffer_printf(&text, " (also called: %s)", source->aliases);
        buffer_putc(&text, '\n');
    }
    return output_text(session, &text);
}
