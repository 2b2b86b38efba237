// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/words.h"
#include "cli/command_line_p.h"
#include "cli/global_options.h"
#include "cli/suggest.h"
#include "source/registry.h"
#include "target/target.h"

// The words that bring the help for what was understood so far: "ttn-lw-migrate ttnv2 device --help".
static void hint_help(const struct invocation *invocation, struct error *error) {
    const char *source = invocation->source_first ? invocation->source->name : NULL;
    const char *command = invocation->command != NULL ? invocation->command->name : NULL;
    error_hint(error, "ttn-lw-migrate%s%s%s%s --help", source != NULL ? " " : "",
               source != NULL ? source : "", command != NULL ? " " : "", command != NULL ? command : "");
}

static void offer_table(struct suggestion *suggestion, const struct option_spec *table,
                        const struct command *command) {
    for (; table->name != NULL; table++) {
        if (table->flags & OPTION_HIDDEN) continue;
        if (command != NULL && !command_accepts(command, table->name)) continue;
        suggestion_offer(suggestion, table->name, strlen(table->name));
    }
}

// The nearest flag of a target; the caller frees it. NULL if none is near.
static char *nearest_target_flag(const struct target_driver *target, const char *name, size_t size) {
    struct suggestion suggestion;
    suggestion_init(&suggestion, name, size);
    offer_table(&suggestion, target->options, NULL);
    const char *best = suggestion_best(&suggestion);
    return best == NULL ? NULL : memory_printf("--to.%s.%s", target->name, best);
}

// The nearest flag to one that is unknown, with its dashes and prefix; the caller frees it. NULL if none is.
static char *nearest_flag(const struct parser *parser, const struct flag *flag) {
    const struct invocation *invocation = parser->invocation;
    const char *name = NULL;
    size_t size = 0;
    const struct target_driver *target = flag_target(flag, &name, &size);
    if (target != NULL && target->options != NULL) return nearest_target_flag(target, name, size);
    const char *dot = memchr(flag->name, '.', flag->size);
    size_t prefix = dot == NULL ? 0 : (size_t)(dot + 1 - flag->name);
    struct suggestion suggestion;
    suggestion_init(&suggestion, flag->name + prefix, flag->size - prefix);
    if (dot == NULL) {
        suggestion_offer(&suggestion, "help", 4);
        offer_table(&suggestion, global_options, invocation->command);
    }
    if (invocation->source != NULL) offer_table(&suggestion, invocation->source->options, NULL);
    const char *best = suggestion_best(&suggestion);
    if (best == NULL) return NULL;
    bool with_prefix = dot != NULL && invocation->source != NULL;
    return memory_printf("--%s%s%s", with_prefix ? invocation->source->name : "", with_prefix ? "." : "",
                         best);
}

// A flag of a target that is not the one of this run; 0 if it is none of these.
static int misplaced_target_flag(const struct parser *parser, const struct flag *flag, struct error *error) {
    const struct invocation *invocation = parser->invocation;
    const char *name = NULL;
    size_t size = 0;
    const struct target_driver *target = flag_target(flag, &name, &size);
    if (target == NULL) return 0;
    if (invocation->command != NULL && !command_accepts(invocation->command, "to")) {
        return error_set(error, ERROR_USAGE, "--%.*s means nothing to the command %s", (int)flag->size,
                         flag->name, invocation->command->name);
    }
    if (invocation->target == NULL || invocation->target == target) return 0;
    error_set(error, ERROR_USAGE, "--%.*s is a flag of the target %s, but the target is %s", (int)flag->size,
              flag->name, target->name, invocation->target->name);
    error_hint(error, "--to %s", target->name);
    return -ERROR_USAGE;
}

// A flag that exists but not here; 0 if it is none of these.
static int misplaced_flag(const struct parser *parser, const struct flag *flag, struct error *error) {
    const struct invocation *invocation = parser->invocation;
    const char *dot = memchr(flag->name, '.', flag->size);
    if (flag->dashes != 2) return 0;
    if (dot == NULL && invocation->command != NULL &&
        option_find(global_options, flag->name, flag->size) != NULL) {
        return error_set(error, ERROR_USAGE, "--%.*s means nothing to the command %s", (int)flag->size,
                         flag->name, invocation->command->name);
    }
    if (dot == NULL) return 0;
    const struct source_driver *other = source_find(parser->sources, flag->name, (size_t)(dot - flag->name));
    bool takes = invocation->command == NULL || (invocation->command->flags & COMMAND_ANY_SOURCE) != 0;
    if (other != NULL && !takes) {
        return error_set(error, ERROR_USAGE, "--%.*s means nothing to the command %s", (int)flag->size,
                         flag->name, invocation->command->name);
    }
    if (other == NULL || invocation->source == NULL || other == invocation->source) return 0;
    return error_set(error, ERROR_USAGE, "--%.*s is a flag of the source %s, but the source is %s",
                     (int)flag->size, flag->name, other->name, invocation->source->name);
}

int check_anew(const struct parser *parser, const struct flag *flag, const struct match *match,
               struct error *error) {
    const struct command *command = parser->invocation->command;
    if (command == NULL || (command->flags & COMMAND_RUN) == 0 || (!match->of_source && !match->of_target))
        return 0;
    bool converts = (command->flags & COMMAND_CONVERTS) != 0 && match->of_source;
    if ((match->spec->flags & OPTION_SECRET) || (converts && (match->spec->flags & OPTION_CONVERTS)))
        return 0;
    error_set(error, ERROR_USAGE, "--%.*s cannot change in a run that has begun", (int)flag->size,
              flag->name);
    if (match->spec->flags & OPTION_CONVERTS) {
        error_hint(error, "it holds where devices are converted: ttn-lw-migrate resume");
    } else {
        error_hint(error, "leave it away: the journal has it; keys and tokens can be given anew%s",
                   converts ? ", and what converts devices, such as a frequency plan" : "");
    }
    return -ERROR_USAGE;
}

// True if it would be a flag of some source, were its prefix not missing.
static bool lacks_prefix(const struct parser *parser, const struct flag *flag) {
    const struct command *command = parser->invocation->command;
    if (command == NULL || (command->flags & COMMAND_RUN) == 0) return false;
    for (size_t i = 0; parser->sources[i] != NULL; i++) {
        if (option_find(parser->sources[i]->options, flag->name, flag->size) != NULL) return true;
    }
    return false;
}

int unknown_flag(const struct parser *parser, const struct flag *flag, struct error *error) {
    int result = misplaced_target_flag(parser, flag, error);
    if (result != 0) return result;
    result = misplaced_flag(parser, flag, error);
    if (result != 0) {
        hint_help(parser->invocation, error);
        return result;
    }
    int size = (int)(flag->dashes + flag->size);
    char *nearest MEMORY_AUTO = nearest_flag(parser, flag);
    error_set(error, ERROR_USAGE, "unknown flag %.*s", size, flag->arg);
    if (lacks_prefix(parser, flag)) {
        error_hint(error, "a flag of the run's source has the source's name before it: --SOURCE.%.*s",
                   (int)flag->size, flag->name);
    } else if (nearest != NULL) {
        error_hint(error, "%s", nearest);
    } else {
        hint_help(parser->invocation, error);
    }
    return -ERROR_USAGE;
}

static void offer_words(struct suggestion *suggestion, const char *name, const char *aliases) {
    const char *word = NULL;
    size_t size = 0;
    suggestion_offer(suggestion, name, strlen(name));
    // Aliases of one letter are near everything.
    while (words_next(&aliases, &word, &size)) {
        if (size > 2) suggestion_offer(suggestion, word, size);
    }
}

static void offer_sources(struct suggestion *suggestion, const struct source_driver *const *sources) {
    for (; *sources != NULL; sources++) offer_words(suggestion, (*sources)->name, (*sources)->aliases);
}

static void offer_commands(struct suggestion *suggestion, bool only_with_source) {
    for (const struct command *command = commands; command->name != NULL; command++) {
        if (only_with_source && (command->flags & COMMAND_SOURCE) == 0) continue;
        offer_words(suggestion, command->name, command->aliases);
    }
}

static int unknown_source(const struct parser *parser, const char *name, struct error *error) {
    struct suggestion suggestion;
    suggestion_init(&suggestion, name, strlen(name));
    offer_sources(&suggestion, parser->sources);
    const char *best = suggestion_best(&suggestion);
    error_set(error, ERROR_USAGE, "unknown source \"%s\"", name);
    if (best != NULL) {
        error_hint(error, "--source %s", best);
    } else {
        error_hint(error, "ttn-lw-migrate sources");
    }
    return -ERROR_USAGE;
}

static int unknown_command(const struct parser *parser, const char *name, struct error *error) {
    const struct invocation *invocation = parser->invocation;
    struct suggestion suggestion;
    suggestion_init(&suggestion, name, strlen(name));
    offer_commands(&suggestion, invocation->source_first);
    if (!invocation->source_first) offer_sources(&suggestion, parser->sources);
    const char *best = suggestion_best(&suggestion);
    error_set(error, ERROR_USAGE, "unknown command \"%s\"", name);
    if (best != NULL) {
        error_hint(error, "ttn-lw-migrate %s%s%s", invocation->source_first ? invocation->source->name : "",
                   invocation->source_first ? " " : "", best);
    } else {
        hint_help(invocation, error);
    }
    return -ERROR_USAGE;
}

static int no_command(const struct invocation *invocation, struct error *error) {
    if (invocation->source_first) {
        error_set(error, ERROR_USAGE, "there is no command after the source %s", invocation->source->name);
        error_hint(error, "ttn-lw-migrate %s device ID, or ttn-lw-migrate %s application ID",
                   invocation->source->name, invocation->source->name);
    } else {
        error_set(error, ERROR_USAGE, "there is no command");
        hint_help(invocation, error);
    }
    return -ERROR_USAGE;
}

// Checks that --source and a source that stands first agree, and that there is one if it is needed.
static int check_source(const struct parser *parser, struct error *error) {
    const struct invocation *invocation = parser->invocation;
    const char *flag = parser->source_flag;
    if (flag != NULL) {
        const struct source_driver *source = source_find(parser->sources, flag, strlen(flag));
        if (source == NULL) return unknown_source(parser, flag, error);
        if (source != invocation->source) {
            return error_set(error, ERROR_USAGE, "two sources are named: %s and %s", invocation->source->name,
                             source->name);
        }
    }
    if (invocation->help || invocation->source != NULL) return 0;
    if ((invocation->command->flags & COMMAND_SOURCE) == 0) return 0;
    error_set(error, ERROR_USAGE, "no source is named");
    error_hint(error, "ttn-lw-migrate SOURCE %s; ttn-lw-migrate sources lists the sources",
               invocation->command->name);
    return -ERROR_USAGE;
}

// The words must be the same now that the source's table has said which flags take a value.
static bool words_agree(const struct parser *parser) {
    const struct invocation *invocation = parser->invocation;
    size_t plan = parser->plan ? 1 : 0;
    if (parser->plan && (invocation->argument_count == 0 || strcmp(invocation->arguments[0], "plan") != 0)) {
        return false;
    }
    for (size_t i = 0; i < 2; i++) {
        const char *word = i + plan < invocation->argument_count ? invocation->arguments[i + plan] : NULL;
        if (word != parser->words[i]) return false;
    }
    const char *source = option_string(invocation->global, "source");
    return source == NULL || (parser->source_flag != NULL && strcmp(source, parser->source_flag) == 0);
}

int check_words(const struct parser *parser, struct error *error) {
    const struct invocation *invocation = parser->invocation;
    if (!words_agree(parser)) {
        error_set(error, ERROR_USAGE, "cannot tell the command from the flags before it");
        error_hint(error, "put source and command first, then flags and IDs");
        return -ERROR_USAGE;
    }
    const char *name = parser->words[invocation->source_first ? 1 : 0];
    if (name == NULL && !invocation->help && !parser->plan) return no_command(invocation, error);
    if (name != NULL && invocation->command == NULL) return unknown_command(parser, name, error);
    if (name != NULL && invocation->source_first && (invocation->command->flags & COMMAND_SOURCE) == 0) {
        return unknown_command(parser, name, error);
    }
    return check_source(parser, error);
}

// An empty text is as good as none: "--app-id $ID" in a script whose variable is unset.
static bool has_value(const struct option_values *values, const struct option_spec *spec) {
    if (spec->type != OPTION_STRING) return option_given(values, spec->name) || spec->default_value != NULL;
    const char *text = option_string(values, spec->name);
    return text != NULL && *text != '\0';
}

// Names all required options of a table without a value in `missing`. NULL: there is no table.
static void list_missing(const struct option_values *values, const char *prefix, bool gateways,
                         struct buffer *missing) {
    if (values == NULL) return;
    for (const struct option_spec *spec = option_table(values); spec->name != NULL; spec++) {
        if (!option_required(spec, gateways) || has_value(values, spec)) continue;
        buffer_printf(missing, "%s--%s%s", missing->size > 0 ? ", " : "", prefix, spec->name);
        if (spec->env != NULL) {
            buffer_printf(missing, " (or %.*s)", (int)strcspn(spec->env, " "), spec->env);
        }
    }
}

static int check_required(const struct invocation *invocation, struct error *error) {
    const struct source_driver *source = invocation->source;
    const struct target_driver *target = invocation->target;
    BUFFER_AUTO of_source, of_target;
    buffer_init(&of_source, BUFFER_UNLIMITED);
    buffer_init(&of_target, BUFFER_UNLIMITED);
    char *source_prefix MEMORY_AUTO =
        invocation->source_first ? memory_strdup("") : memory_printf("%s.", source->name);
    bool gateways = (invocation->command->flags & COMMAND_GATEWAYS) != 0;
    list_missing(invocation->source_options, source_prefix, gateways, &of_source);
    char *target_prefix MEMORY_AUTO = target == NULL ? NULL : memory_printf("to.%s.", target->name);
    if (target != NULL) list_missing(invocation->target_options, target_prefix, gateways, &of_target);
    if (of_source.size > 0) {
        error_set(error, ERROR_USAGE, "the source %s needs %s", source->name, buffer_string(&of_source));
    } else if (of_target.size > 0) {
        error_set(error, ERROR_USAGE, "the target %s needs %s", target->name, buffer_string(&of_target));
    } else {
        return 0;
    }
    hint_help(invocation, error);
    return -ERROR_USAGE;
}

int check_complete(const struct invocation *invocation, struct error *error) {
    const struct command *command = invocation->command;
    if (invocation->argument_count > command->most_arguments) {
        error_set(error, ERROR_USAGE, "%s takes %s", command->name,
                  command->most_arguments == 0   ? "no argument"
                  : command->most_arguments == 1 ? "only one argument"
                                                 : "fewer arguments");
        hint_help(invocation, error);
        return -ERROR_USAGE;
    }
    bool of_file = (command->flags & COMMAND_FILE) != 0 && invocation->source != NULL;
    if (of_file && invocation->source->input == NULL) {
        error_set(error, ERROR_USAGE, "the source %s is a network, and no file", invocation->source->name);
        error_hint(error, "ttn-lw-migrate sources lists the sources");
        return -ERROR_USAGE;
    }
    bool of_run = (command->flags & COMMAND_RUN) != 0;
    return invocation->source == NULL || of_run ? 0 : check_required(invocation, error);
}
