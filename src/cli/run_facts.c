// SPDX-License-Identifier: Apache-2.0
#include "cli/run_facts.h"

#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "cli/global_options.h"
#include "target/target.h"

int run_facts_target(struct journal *journal, bool *ret_server, char **ret_text, struct error *error) {
    char *name MEMORY_AUTO = NULL;
    char *application MEMORY_AUTO = NULL;
    char *address MEMORY_AUTO = NULL;
    int result = journal_property(journal, "global.to", &name, error);
    if (result == 0) result = journal_property(journal, "target.app-id", &application, error);
    if (result == 0) result = journal_property(journal, "target.default-grpc-address", &address, error);
    if (result != 0) return result;
    const char *shown = name != NULL ? name : option_find(global_options, "to", 2)->default_value;
    const struct target_driver *target = target_find(shown);
    *ret_server = target != NULL && target_is_server(target);
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    if (*ret_server) {
        buffer_printf(&text, "%s (%s)", target->title, shown);
    } else {
        buffer_puts(&text, shown);
    }
    if (application != NULL && *ret_server) buffer_printf(&text, ", application %s", application);
    if (address != NULL && *ret_server) buffer_printf(&text, ", at %s", address);
    *ret_text = buffer_take_string(&text);
    return 0;
}

static const char *words_of(const char *state) {
    static const struct {
        const char *state, *words;
    } known[] = {
        {"setting", "perhaps set in the target's application: resume finds out"},
        {"set", "set in the target's application"},
        {"written", "written to files"},
        {"restored", "taken out of the target's application again"},
        {"failed", "did not go"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(known[i].state, state) == 0) return known[i].words;
    }
    return "in a state that this version of the program does not know";
}

struct telling {
    struct journal *journal;
    run_facts_receiver *receiver;
    void *context;
};

static int tell_one(void *context, const char *name, const char *value, struct error *error) {
    const struct telling *telling = context;
    char *property MEMORY_AUTO = memory_printf("formatters.reason.%s", name);
    char *reason MEMORY_AUTO = NULL;
    int result = journal_property(telling->journal, property, &reason, error);
    if (result != 0) return result;
    const struct run_facts_formatters formatters = {
        .application = name,
        .state = value,
        .words = words_of(value),
        .reason = strcmp(value, "failed") == 0 ? reason : NULL,
    };
    telling->receiver(telling->context, &formatters);
    return 0;
}

int run_facts_each_formatters(struct journal *journal, run_facts_receiver *receiver, void *context,
                              struct error *error) {
    struct telling telling = {.journal = journal, .receiver = receiver, .context = context};
    return journal_each_property(journal, "formatters.state.", tell_one, &telling, error);
}
