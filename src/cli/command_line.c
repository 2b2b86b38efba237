// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/words.h"
#include "cli/command_line_p.h"
#include "cli/global_options.h"
#include "source/registry.h"
#include "target/target.h"

static const char FILE_SUFFIX[] = "-file";

bool flag_read(char *arg, struct flag *flag) {
    if (arg[0] != '-' || arg[1] == '\0') return false;
    char *name = arg + (arg[1] == '-' ? 2 : 1);
    size_t size = strcspn(name, "=");
    *flag = (struct flag){
        .arg = arg,
        .name = name,
        .size = size,
        .dashes = (size_t)(name - arg),
        .value = name[size] == '=' ? name + size + 1 : NULL,
    };
    return true;
}

static bool flag_is(const struct flag *flag, const char *name) {
    return flag->dashes == 2 && word_equals(name, flag->name, flag->size);
}

static bool flag_is_help(const struct flag *flag) {
    return flag_is(flag, "help") || (flag->dashes == 1 && word_equals("h", flag->name, flag->size));
}

// Looks a name up in one table, also as the file of a secret.
static bool match_in(const struct option_spec *table, const char *name, size_t size, struct match *match) {
    size_t suffix = sizeof FILE_SUFFIX - 1;
    *match = (struct match){.spec = option_find(table, name, size)};
    if (match->spec != NULL) return true;
    if (size <= suffix || memcmp(name + size - suffix, FILE_SUFFIX, suffix) != 0) return false;
    const struct option_spec *spec = option_find(table, name, size - suffix);
    if (spec == NULL || (spec->flags & OPTION_SECRET) == 0) return false;
    *match = (struct match){.spec = spec, .from_file = true};
    return true;
}

// Looks a name without prefix up in the tables of the source, or of all if it is not known yet.
static bool match_in_sources(const struct parser *parser, const struct flag *flag, struct match *match) {
    const struct invocation *invocation = parser->invocation;
    const struct command *command = invocation->command;
    bool chosen = command != NULL && (command->flags & COMMAND_FILE) != 0 && invocation->source != NULL;
    if (command != NULL && (command->flags & COMMAND_SOURCE) == 0 && !chosen) return false;
    bool found = false;
    for (size_t i = 0; parser->sources[i] != NULL && !found; i++) {
        if (invocation->source != NULL && invocation->source != parser->sources[i]) continue;
        found = match_in(parser->sources[i]->options, flag->name, flag->size, match);
    }
    match->of_source = found;
    return found;
}

// Looks a name up whose prefix is that of a source.
static bool match_prefixed(const struct parser *parser, const struct flag *flag, const char *dot,
                           struct match *match) {
    const struct source_driver *chosen = parser->invocation->source;
    const struct command *command = parser->invocation->command;
    const struct source_driver *source = source_find(parser->sources, flag->name, (size_t)(dot - flag->name));
    if (source == NULL || (chosen != NULL && chosen != source)) return false;
    if (command != NULL && (command->flags & COMMAND_ANY_SOURCE) == 0) return false;
    size_t size = flag->size - (size_t)(dot + 1 - flag->name);
    match->of_source = true;
    if (!match_in(source->options, dot + 1, size, match)) return false;
    match->of_source = true;
    return true;
}

const struct target_driver *flag_target(const struct flag *flag, const char **ret_name, size_t *ret_size) {
    static const char prefix[] = "to.";
    size_t size = sizeof prefix - 1;
    if (flag->size <= size || memcmp(flag->name, prefix, size) != 0) return NULL;
    const char *name = flag->name + size;
    const char *dot = memchr(name, '.', flag->size - size);
    if (dot == NULL) return NULL;
    *ret_name = dot + 1;
    *ret_size = flag->size - (size_t)(dot + 1 - flag->name);
    const struct target_driver *const *targets = target_drivers();
    while (*targets != NULL && !word_equals((*targets)->name, name, (size_t)(dot - name))) targets++;
    return *targets;
}

// Looks a name up that begins with "to." and a target.
static bool match_target(const struct parser *parser, const struct flag *flag, struct match *match) {
    const struct invocation *invocation = parser->invocation;
    const char *name = NULL;
    size_t size = 0;
    const struct target_driver *target = flag_target(flag, &name, &size);
    bool takes = invocation->command == NULL || command_accepts(invocation->command, "to") ||
                 (invocation->command->flags & COMMAND_RUN) != 0;
    if (target == NULL || target->options == NULL || !takes) return false;
    if (invocation->target != NULL && invocation->target != target) return false;
    if (!match_in(target->options, name, size, match)) return false;
    match->of_target = true;
    return true;
}

static bool match_global(const struct parser *parser, const struct flag *flag, struct match *match) {
    const struct command *command = parser->invocation->command;
    if (!match_in(global_options, flag->name, flag->size, match)) return false;
    return command == NULL || command_accepts(command, match->spec->name);
}

bool match_find(const struct parser *parser, const struct flag *flag, struct match *match) {
    if (flag->dashes != 2) return false;
    const char *dot = memchr(flag->name, '.', flag->size);
    if (dot != NULL) return match_target(parser, flag, match) || match_prefixed(parser, flag, dot, match);
    if (parser->invocation->source_first) {
        return match_in_sources(parser, flag, match) || match_global(parser, flag, match);
    }
    return match_global(parser, flag, match) || match_in_sources(parser, flag, match);
}

static bool match_takes_value(const struct match *match) {
    return match->from_file || match->spec->type != OPTION_BOOL;
}

// True if `arg` can only be a flag: what is no value of the flag before it.
static bool is_known_flag(const struct parser *parser, char *arg) {
    struct flag flag;
    struct match match;
    if (!flag_read(arg, &flag) || flag.dashes != 2) return false;
    return flag.size == 0 || flag_is_help(&flag) || match_find(parser, &flag, &match);
}

static int set_value(struct parser *parser, const struct match *match, const char *shown, char *value,
                     struct error *error) {
    struct invocation *invocation = parser->invocation;
    struct option_values *values = match->of_source   ? invocation->source_options
                                   : match->of_target ? invocation->target_options
                                                      : invocation->global;
    if (values == NULL) {
        // Of a source or target that is not known: said later, or help is asked for.
        if ((match->spec->flags & OPTION_SECRET) && !match->from_file) memory_wipe(value, strlen(value));
        return 0;
    }
    if (match->from_file) return option_set_from_file(values, match->spec, shown, value, error);
    int result = option_set(values, match->spec, shown, value, error);
    if (match->spec->flags & OPTION_SECRET) memory_wipe(value, strlen(value));
    return result;
}

// One flag at argv[*index], with its value if that is the next argument.
static int take_flag(struct parser *parser, const struct flag *flag, int *index, struct error *error) {
    struct match match = {0};
    if (flag_is_help(flag)) {
        parser->invocation->help = true;
        return 0;
    }
    if (flag_is(flag, "version") && flag->value == NULL) {
        parser->version = true;
        return 0;
    }
    if (!match_find(parser, flag, &match)) return unknown_flag(parser, flag, error);
    int result = check_anew(parser, flag, &match, error);
    if (result != 0) return result;
    static char truth[] = "true";
    char *shown MEMORY_AUTO = memory_printf("--%.*s", (int)flag->size, flag->name);
    char *value = flag->value;
    if (value == NULL && !match_takes_value(&match)) value = truth;
    if (value == NULL) {
        if (*index + 1 >= parser->argc) return error_set(error, ERROR_USAGE, "%s needs a value", shown);
        value = parser->argv[++*index];
        if (is_known_flag(parser, value)) {
            error_set(error, ERROR_USAGE, "%s needs a value", shown);
            error_hint(error, "write %s=VALUE if the value itself starts with dashes", shown);
            return -ERROR_USAGE;
        }
    }
    return set_value(parser, &match, shown, value, error);
}

// All flags and words, from left to right.
static int take_all(struct parser *parser, struct error *error) {
    struct invocation *invocation = parser->invocation;
    bool flags_end = false;
    for (int i = 1; i < parser->argc; i++) {
        struct flag flag;
        if (!flags_end && strcmp(parser->argv[i], "--") == 0) {
            flags_end = true;
        } else if (!flags_end && flag_read(parser->argv[i], &flag)) {
            int result = take_flag(parser, &flag, &i, error);
            if (result != 0) return result;
        } else {
            invocation->arguments[invocation->argument_count++] = parser->argv[i];
        }
    }
    return 0;
}

// Whose flag it is, by its prefix.
static void note_owner(struct parser *parser, const struct flag *flag, const struct match *match) {
    const char *dot = memchr(flag->name, '.', flag->size), *name = NULL;
    size_t size = 0;
    if (dot == NULL) return;
    if (match->of_target && parser->named_target == NULL)
        parser->named_target = flag_target(flag, &name, &size);
    if (match->of_source && parser->named_source == NULL)
        parser->named_source = source_find(parser->sources, flag->name, (size_t)(dot - flag->name));
}

// Takes the first two words and the last --source, before the source (whose table says which flags take a
// value) is known: all tables together say it well enough.
static void look_ahead(struct parser *parser) {
    size_t words = 0;
    bool flags_end = false;
    for (int i = 1; i < parser->argc; i++) {
        struct flag flag;
        struct match match;
        char *arg = parser->argv[i];
        if (!flags_end && strcmp(arg, "--") == 0) {
            flags_end = true;
        } else if (flags_end || !flag_read(arg, &flag)) {
            bool plan = words == 0 && !parser->plan && strcmp(arg, "plan") == 0;
            if (plan) parser->plan = true;
            if (!plan && words < 2) parser->words[words++] = arg;
        } else if (match_find(parser, &flag, &match)) {
            note_owner(parser, &flag, &match);
            bool follows = flag.value == NULL && match_takes_value(&match) && i + 1 < parser->argc;
            if (follows) flag.value = parser->argv[++i];
            if (flag_is(&flag, "source") && flag.value != NULL) parser->source_flag = flag.value;
            if (flag_is(&flag, "to") && flag.value != NULL) parser->target_flag = flag.value;
        }
    }
}

// Finds command and source in what look_ahead saw. What is wrong is said after the flags were checked,
// because a misspelled flag's value may look like a command.
static void resolve(struct parser *parser) {
    struct invocation *invocation = parser->invocation;
    const char *first = parser->words[0], *second = parser->words[1];
    if (first != NULL) {
        invocation->source = source_find(parser->sources, first, strlen(first));
        invocation->source_first = invocation->source != NULL;
    }
    const char *name = invocation->source_first ? second : first;
    // `plan` stands before what it plans; alone it is a command that says so.
    if (name == NULL && parser->plan && !invocation->source_first) name = "plan";
    if (name != NULL) invocation->command = command_find(name, strlen(name));
    unsigned flags = invocation->command == NULL ? COMMAND_SOURCE : invocation->command->flags;
    bool of_source = (flags & (COMMAND_SOURCE | COMMAND_FILE)) != 0;
    if (invocation->source == NULL && of_source && parser->source_flag != NULL) {
        invocation->source = source_find(parser->sources, parser->source_flag, strlen(parser->source_flag));
    }
    bool of_run = (flags & COMMAND_RUN) != 0;
    if (of_run || ((flags & COMMAND_FILE) && invocation->source == NULL))
        invocation->source = parser->named_source;
    if (invocation->source != NULL) {
        invocation->source_options = option_values_new(invocation->source->options);
    }
    bool named = of_run && parser->named_target != NULL;
    invocation_set_target(invocation, named ? parser->named_target->name : parser->target_flag);
}

void invocation_set_target(struct invocation *invocation, const char *name) {
    option_values_free(invocation->target_options);
    invocation->target_options = NULL;
    if (name == NULL) name = option_string(invocation->global, "to");
    invocation->target = target_find(name);
    if (invocation->target != NULL && invocation->target->options != NULL) {
        invocation->target_options = option_values_new(invocation->target->options);
    }
}

// Takes the words that named source and command out of the arguments.
static void drop_words(const struct parser *parser) {
    struct invocation *invocation = parser->invocation;
    size_t used = (invocation->source_first ? 1 : 0) + (invocation->command != NULL ? 1 : 0) +
                  (parser->plan && parser->words[0] != NULL ? 1 : 0);
    if (used > invocation->argument_count) used = invocation->argument_count;
    invocation->argument_count -= used;
    memmove(invocation->arguments, invocation->arguments + used,
            invocation->argument_count * sizeof *invocation->arguments);
}

// What means nothing to a command cannot be wrong for it either.
static bool command_takes(const void *context, const struct option_spec *spec) {
    const struct command *command = context;
    return command_accepts(command, spec->name);
}

static int take_environment(struct parser *parser, option_lookup *lookup, struct error *error) {
    struct invocation *invocation = parser->invocation;
    int result =
        option_values_environment(invocation->global, lookup, command_takes, invocation->command, error);
    // What an earlier run was given is in its journal.
    bool of_run = (invocation->command->flags & COMMAND_RUN) != 0;
    if (result == 0 && invocation->source_options != NULL && !of_run) {
        result = option_values_environment(invocation->source_options, lookup, NULL, NULL, error);
    }
    if (result == 0 && invocation->target_options != NULL && command_accepts(invocation->command, "to")) {
        result = option_values_environment(invocation->target_options, lookup, NULL, NULL, error);
    }
    return result;
}

int command_line_parse(int argc, char **argv, const struct source_driver *const *sources,
                       option_lookup *lookup, struct invocation *invocation, struct error *error) {
    struct parser parser = {.argc = argc, .argv = argv, .sources = sources, .invocation = invocation};
    *invocation = (struct invocation){
        .arguments = memory_new_array(char *, (size_t)(argc > 0 ? argc : 1)),
        .global = option_values_new(global_options),
    };
    look_ahead(&parser);
    resolve(&parser);
    int result = take_all(&parser, error);
    if (result != 0) return result;
    if (parser.version && !invocation->help) {
        invocation->command = command_find("version", strlen("version"));
        invocation->argument_count = 0;
        return 0;
    }
    result = check_words(&parser, error);
    if (result == 0 && parser.plan) {
        const struct option_spec *plan = option_find(global_options, "plan", strlen("plan"));
        result = option_set(invocation->global, plan, "plan", "true", error);
    }
    if (result != 0) return result;
    drop_words(&parser);
    if (invocation->help) return 0;
    result = take_environment(&parser, lookup, error);
    return result != 0 ? result : check_complete(invocation, error);
}

void invocation_release(struct invocation *invocation) {
    free(invocation->arguments);
    option_values_free(invocation->global);
    option_values_free(invocation->source_options);
    option_values_free(invocation->target_options);
    *invocation = (struct invocation){0};
}
