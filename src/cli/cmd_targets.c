// SPDX-License-Identifier: Apache-2.0
#include "base/words.h"
#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/output.h"
#include "target/target.h"

enum { NAME_WIDTH = 14 };

static json_t *target_json(const struct target_driver *target) {
    json_t *aliases = json_array();
    const char *list = target->aliases, *word = NULL;
    size_t size = 0;
    while (words_next(&list, &word, &size)) json_array_append_new(aliases, json_stringn(word, size));
    json_t *object = json_object();
    json_object_set_new(object, "name", json_string(target->name));
    json_object_set_new(object, "title", json_string(target->title));
    json_object_set_new(object, "aliases", aliases);
    json_object_set_new(object, "server", json_boolean(target_is_server(target)));
    return object;
}

static enum exit_code write_json(const struct session *session) {
    json_t *list = json_array();
    const struct target_driver *const *targets = target_drivers();
    for (; *targets != NULL; targets++) json_array_append_new(list, target_json(*targets));
    return output_json(session, list);
}

enum exit_code cmd_targets(const struct session *session) {
    if (option_bool(session->invocation->global, "json")) return write_json(session);
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    const struct target_driver *const *targets = target_drivers();
    for (; *targets != NULL; targets++) {
        buffer_printf(&text, "%-*s%s", NAME_WIDTH, (*targets)->name, (*targets)->title);
        if ((*targets)->aliases != NULL) buffer_printf(&text, " (also called: %s)", (*targets)->aliases);
        buffer_putc(&text, '\n');
    }
    return output_text(session, &text);
}
