// SPDX-License-Identifier: Apache-2.0
#include "cli/completion.h"

#include <stdio.h>
#include <string.h>

#include "base/words.h"
#include "cli/completion_p.h"
#include "cli/global_options.h"
#include "lorawan/frequency_plan.h"
#include "target/target.h"

enum { FLAG_MAX = 128 };

static enum completion_value value_of(const struct option_spec *spec) {
    if (spec->type == OPTION_BOOL) return COMPLETION_NONE;
    if (spec->type == OPTION_CHOICE) return COMPLETION_CHOICES;
    if (strcmp(spec->name, "source") == 0) return COMPLETION_SOURCES;
    if (strcmp(spec->name, "frequency-plan-id") == 0) return COMPLETION_PLANS;
    if (spec->argument == NULL) return COMPLETION_FREE;
    return option_is_path(spec) ? COMPLETION_FILE : COMPLETION_FREE;
}

// Visits one row under a prefix, and the file of a secret. `flag` says whose it is.
static void visit_row(const struct option_spec *spec, const char *prefix, struct completion_flag flag,
                      completion_visitor *visitor, void *context) {
    char text[FLAG_MAX];
    flag.text = text;
    flag.spec = spec;
    flag.value = value_of(spec);
    snprintf(text, sizeof text, "%s%s", prefix, spec->name);
    visitor(context, &flag);
    if ((spec->flags & OPTION_SECRET) == 0) return;
    snprintf(text, sizeof text, "%s%s-file", prefix, spec->name);
    flag.value = COMPLETION_FILE;
    visitor(context, &flag);
}

static void visit_table(const struct option_spec *table, const char *prefix, struct completion_flag flag,
                        completion_visitor *visitor, void *context) {
    for (; table->name != NULL; table++) {
        if (table->flags & OPTION_HIDDEN) continue;
        visit_row(table, prefix, flag, visitor, context);
    }
}

static void visit_target(const struct target_driver *target, completion_visitor *visitor, void *context) {
    char prefix[FLAG_MAX];
    if (target->options == NULL) return;
    snprintf(prefix, sizeof prefix, "to.%s.", target->name);
    visit_table(target->options, prefix, (struct completion_flag){.target = target, .prefixed = true},
                visitor, context);
}

void completion_each(const struct source_driver *const *sources, completion_visitor *visitor, void *context) {
    char prefix[FLAG_MAX];
    visit_table(global_options, "", (struct completion_flag){0}, visitor, context);
    for (; *sources != NULL; sources++) {
        struct completion_flag flag = {.source = *sources};
        visit_table((*sources)->options, "", flag, visitor, context);
        flag.prefixed = true;
        snprintf(prefix, sizeof prefix, "%s.", (*sources)->name);
        visit_table((*sources)->options, prefix, flag, visitor, context);
    }
    const struct target_driver *const *targets = target_drivers();
    for (; *targets != NULL; targets++) visit_target(*targets, visitor, context);
}

struct flags_list {
    struct buffer *script;
    unsigned values;
    const char *before;
    const char *separator;
    bool any;
};

static void add_flag(void *context, const struct completion_flag *flag) {
    struct flags_list *list = context;
    if ((list->values & COMPLETION_BIT(flag->value)) == 0) return;
    buffer_printf(list->script, "%s%s%s", list->any ? list->separator : "", list->before, flag->text);
    list->any = true;
}

void completion_flags(struct buffer *script, const struct source_driver *const *sources, unsigned values,
                      const char *before, const char *separator) {
    struct flags_list list = {script, values, before, separator, false};
    completion_each(sources, add_flag, &list);
}

struct source_flags {
    struct buffer *script;
    const struct source_driver *source;
    bool prefixed;
    bool any;
};

static void add_source_flag(void *context, const struct completion_flag *flag) {
    struct source_flags *list = context;
    if (flag->source != list->source || flag->prefixed != list->prefixed) return;
    buffer_printf(list->script, "%s--%s", list->any ? " " : "", flag->text);
    list->any = true;
}

void completion_source_flags(struct buffer *script, const struct source_driver *source, bool prefixed) {
    const struct source_driver *const only[] = {source, NULL};
    struct source_flags list = {script, source, prefixed, false};
    completion_each(only, add_source_flag, &list);
}

static void add_target_flag(void *context, const struct completion_flag *flag) {
    buffer_printf(context, " --%s", flag->text);
}

void completion_target_flags(struct buffer *script, const struct target_driver *target) {
    visit_target(target, add_target_flag, script);
}

bool completion_takes_any(const struct command *command) {
    return (command->flags & (COMMAND_RUN | COMMAND_FILE)) != 0;
}

bool completion_takes(const struct command *command, const struct completion_flag *flag) {
    const struct source_driver *source = flag->source;
    unsigned given_anew = OPTION_SECRET;
    if (source == NULL ? flag->target == NULL : !flag->prefixed) return false;
    if (command->flags & COMMAND_FILE)
        return source != NULL && source->input != NULL && strcmp(flag->spec->name, source->input) != 0;
    if ((command->flags & COMMAND_RUN) == 0) return false;
    if (source != NULL && (command->flags & COMMAND_CONVERTS)) given_anew |= OPTION_CONVERTS;
    return (flag->spec->flags & given_anew) != 0;
}

struct open_flags {
    struct buffer *script;
    const struct command *command;
};

static void add_open_flag(void *context, const struct completion_flag *flag) {
    const struct open_flags *list = context;
    if (completion_takes(list->command, flag)) buffer_printf(list->script, " --%s", flag->text);
}

void completion_open_flags(struct buffer *script, const struct source_driver *const *sources,
                           const struct command *command) {
    struct open_flags list = {script, command};
    completion_each(sources, add_open_flag, &list);
}

void completion_names(struct buffer *script, const char *name, const char *aliases, const char *separator) {
    const char *word = NULL;
    size_t size = 0;
    buffer_puts(script, name);
    while (words_next(&aliases, &word, &size)) {
        buffer_printf(script, "%s%.*s", separator, (int)size, word);
    }
}

void completion_sources(struct buffer *script, const struct source_driver *const *sources) {
    for (size_t i = 0; sources[i] != NULL; i++) {
        buffer_printf(script, "%s%s", i > 0 ? " " : "", sources[i]->name);
    }
}

void completion_commands(struct buffer *script, bool only_with_source) {
    bool any = false;
    for (const struct command *command = commands; command->name != NULL; command++) {
        if (only_with_source && (command->flags & COMMAND_SOURCE) == 0) continue;
        buffer_printf(script, "%s%s", any ? " " : "", command->name);
        any = true;
    }
}

void completion_plans(struct buffer *script) {
    const struct frequency_plans *plans = frequency_plans_builtin();
    for (size_t i = 0; i < plans->count; i++) {
        buffer_printf(script, "%s%s", i > 0 ? " " : "", plans->plans[i].id);
    }
}

void completion_arguments(struct buffer *script, const struct command *command,
                          const struct source_driver *const *sources) {
    switch (command->words) {
        case COMMAND_WORDS_FREE:
            return;
        case COMMAND_WORDS_TOPICS:
            completion_commands(script, false);
            buffer_putc(script, ' ');
            completion_sources(script, sources);
            return;
        case COMMAND_WORDS_SHELLS:
            buffer_puts(script, COMPLETION_SHELLS);
            return;
        case COMMAND_WORDS_PLANS:
            completion_plans(script);
            return;
        case COMMAND_WORDS_FORMATTERS:
            buffer_puts(script, FORMATTERS_WORDS);
            return;
    }
}

void completion_quote(struct buffer *script, const char *text) {
    buffer_putc(script, '\'');
    for (; *text != '\0'; text++) {
        if (*text == '\'') {
            buffer_puts(script, "'\\''");
        } else {
            buffer_putc(script, *text);
        }
    }
    buffer_putc(script, '\'');
}

int completion_write(const char *shell, const struct source_driver *const *sources, struct buffer *script,
                     struct error *error) {
    static const struct {
        const char *name;
        void (*write)(struct buffer *script, const struct source_driver *const *sources);
    } shells[] = {{"bash", completion_bash}, {"zsh", completion_zsh}, {"fish", completion_fish}};
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++) {
        if (strcmp(shell, shells[i].name) != 0) continue;
        shells[i].write(script, sources);
        return 0;
    }
    error_set(error, ERROR_USAGE, "there are no completions for \"%s\"", shell);
    error_hint(error, "one of: " COMPLETION_SHELLS);
    return -ERROR_USAGE;
}
