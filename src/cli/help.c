// SPDX-License-Identifier: Apache-2.0
#include "cli/help.h"

#include <string.h>

#include "base/memory.h"
#include "base/words.h"
#include "cli/global_options.h"
#include "cli/layout.h"
#include "source/registry.h"
#include "target/target.h"

enum {
    TERM_INDENT = 2,   // where commands and flags start
    TEXT_INDENT = 26,  // where their descriptions start
};

static bool is_of_gateways(const struct help_topic *topic) {
    return topic->command != NULL && (topic->command->flags & COMMAND_GATEWAYS) != 0;
}

// What may stand behind the source's name.
static const char *commands_of(const struct source_driver *source) {
    bool gateways = source == NULL || source->list_gateways != NULL;
    return gateways ? "device|application|gateway" : "device|application";
}

static void write_usage(const struct help_topic *topic, struct layout *layout) {
    const struct command *command = topic->command;
    buffer_puts(layout->text, "Usage:\n");
    if (command == NULL && topic->source == NULL) {
        layout_line(layout, TERM_INDENT, "ttn-lw-migrate SOURCE %s [FLAG...] [ID...]", commands_of(NULL));
        layout_line(layout, TERM_INDENT, "ttn-lw-migrate COMMAND [FLAG...]");
        return;
    }
    const char *source = topic->source == NULL ? "SOURCE" : topic->source->name;
    const char *arguments = command != NULL && command->arguments != NULL ? command->arguments : "";
    const char *space = *arguments != '\0' ? " " : "";
    if (command == NULL) {
        layout_line(layout, TERM_INDENT, "ttn-lw-migrate %s %s [FLAG...] [ID...]", source,
                    commands_of(topic->source));
    } else if (command->flags & COMMAND_SOURCE) {
        layout_line(layout, TERM_INDENT, "ttn-lw-migrate %s %s [FLAG...]%s%s", source, command->name, space,
                    arguments);
        layout_line(layout, TERM_INDENT, "ttn-lw-migrate %s --source %s [FLAG...]%s%s", command->name, source,
                    space, arguments);
    } else {
        layout_line(layout, TERM_INDENT, "ttn-lw-migrate %s [FLAG...]%s%s", command->name, space, arguments);
    }
}

static void write_aliases(const char *aliases, struct layout *layout) {
    if (aliases == NULL) return;
    buffer_puts(layout->text, "\nAlso called: ");
    const char *word = NULL;
    size_t size = 0;
    for (bool first = true; words_next(&aliases, &word, &size); first = false) {
        buffer_printf(layout->text, "%s%.*s", first ? "" : ", ", (int)size, word);
    }
    buffer_putc(layout->text, '\n');
}

// Those that a source has, or all.
static void write_commands(const struct source_driver *source, struct layout *layout) {
    buffer_puts(layout->text, "\nCommands:\n");
    for (const struct command *command = commands; command->name != NULL; command++) {
        if (source != NULL && (command->flags & COMMAND_SOURCE) == 0) continue;
        bool gateways = (command->flags & COMMAND_GATEWAYS) != 0;
        if (source != NULL && gateways && source->list_gateways == NULL) continue;
        layout_entry(layout, TERM_INDENT, command->name, TEXT_INDENT, command->summary);
    }
}

static void write_sources(const struct help_topic *topic, struct layout *layout) {
    buffer_puts(layout->text, "\nSources:\n");
    for (const struct source_driver *const *sources = topic->sources; *sources != NULL; sources++) {
        if (is_of_gateways(topic) && (*sources)->list_gateways == NULL) continue;
        layout_entry(layout, TERM_INDENT, (*sources)->name, TEXT_INDENT, (*sources)->title);
    }
}

static void write_targets(const struct help_topic *topic, struct layout *layout) {
    buffer_puts(layout->text, "\nTargets:\n");
    for (const struct target_driver *const *targets = target_drivers(); *targets != NULL; targets++) {
        if (is_of_gateways(topic) && !target_takes_gateways(*targets)) continue;
        layout_entry(layout, TERM_INDENT, (*targets)->name, TEXT_INDENT, (*targets)->title);
    }
}

static void describe_default(const struct option_spec *spec, const char *prefix, struct buffer *text) {
    if (spec->default_value == NULL || (spec->flags & OPTION_SECRET)) return;
    if (spec->type != OPTION_BOOL) {
        buffer_printf(text, " [default: %s]", spec->default_value);
    } else if (strcmp(spec->default_value, "true") == 0) {
        buffer_printf(text, " [default: true; off: --%s%s=false]", prefix, spec->name);
    }
}

// "[required] [auto, always or never] [default: x] [env: A, B]" behind what the option does.
static void describe_option(const struct option_spec *spec, const char *prefix, bool gateways,
                            struct buffer *text) {
    const char *word = NULL;
    size_t size = 0;
    buffer_puts(text, spec->help);
    if (option_required(spec, gateways)) buffer_puts(text, " [required]");
    const char *choices = spec->type == OPTION_CHOICE ? spec->choices : NULL;
    for (bool first = true; words_next(&choices, &word, &size); first = false) {
        buffer_printf(text, "%s%.*s", first ? " [" : ", ", (int)size, word);
    }
    if (spec->type == OPTION_CHOICE) buffer_putc(text, ']');
    describe_default(spec, prefix, text);
    const char *variables = spec->env;
    for (bool first = true; words_next(&variables, &word, &size); first = false) {
        buffer_printf(text, "%s%.*s", first ? " [env: " : ", ", (int)size, word);
    }
    if (spec->env != NULL) buffer_putc(text, ']');
    if (spec->flags & OPTION_SECRET) buffer_printf(text, " [or --%s%s-file FILE]", prefix, spec->name);
}

static void write_option(const struct option_spec *spec, const char *prefix, bool gateways,
                         struct layout *layout) {
    BUFFER_AUTO term, description;
    buffer_init(&term, BUFFER_UNLIMITED);
    buffer_init(&description, BUFFER_UNLIMITED);
    buffer_printf(&term, "--%s%s", prefix, spec->name);
    if (spec->type != OPTION_BOOL) {
        buffer_printf(&term, " %s", spec->argument != NULL ? spec->argument : "VALUE");
    }
    describe_option(spec, prefix, gateways, &description);
    layout_entry(layout, TERM_INDENT, buffer_string(&term), TEXT_INDENT, buffer_string(&description));
}

static void write_source_options(const struct help_topic *topic, const struct source_driver *source,
                                 struct layout *layout) {
    BUFFER_AUTO prefix;
    buffer_init(&prefix, BUFFER_UNLIMITED);
    if (!topic->source_first) buffer_printf(&prefix, "%s.", source->name);
    buffer_printf(layout->text, "\nFlags of the source %s:\n", source->name);
    for (const struct option_spec *spec = source->options; spec->name != NULL; spec++) {
        if ((spec->flags & OPTION_HIDDEN) == 0)
            write_option(spec, buffer_string(&prefix), is_of_gateways(topic), layout);
    }
}

static void write_target_options(const struct help_topic *topic, struct layout *layout) {
    const struct target_driver *target = topic->target;
    if (target == NULL || target->options == NULL) return;
    BUFFER_AUTO prefix;
    buffer_init(&prefix, BUFFER_UNLIMITED);
    buffer_printf(&prefix, "to.%s.", target->name);
    buffer_printf(layout->text, "\nFlags of the target %s:\n", target->name);
    for (const struct option_spec *spec = target->options; spec->name != NULL; spec++) {
        if ((spec->flags & OPTION_HIDDEN) == 0)
            write_option(spec, buffer_string(&prefix), is_of_gateways(topic), layout);
    }
}

// True if the topic's help lists the global option.
static bool topic_shows(const struct help_topic *topic, const char *option) {
    if (topic->source_first && strcmp(option, "source") == 0) return false;
    if (topic->command != NULL) return command_shows(topic->command, option);
    for (const struct command *command = commands; command->name != NULL; command++) {
        if (topic->source != NULL && (command->flags & COMMAND_SOURCE) == 0) continue;
        bool gateways = (command->flags & COMMAND_GATEWAYS) != 0;
        if (topic->source != NULL && gateways && topic->source->list_gateways == NULL) continue;
        if (command_shows(command, option)) return true;
    }
    return false;
}

static void write_global_options(const struct help_topic *topic, struct layout *layout) {
    buffer_puts(layout->text, "\nFlags:\n");
    for (const struct option_spec *spec = global_options; spec->name != NULL; spec++) {
        if ((spec->flags & OPTION_HIDDEN) || !topic_shows(topic, spec->name)) continue;
        // Where the source comes first, its flag of that name is meant.
        if (topic->source_first &&
            option_find(topic->source->options, spec->name, strlen(spec->name)) != NULL)
            continue;
        write_option(spec, "", false, layout);
    }
    layout_entry(layout, TERM_INDENT, "-h, --help", TEXT_INDENT, "show this help");
    if (topic->command == NULL && topic->source == NULL) {
        layout_entry(layout, TERM_INDENT, "--version", TEXT_INDENT, "show the version");
    }
}

// The flags of one source, or of all of them, where the topic has to do with sources.
static void write_sources_options(const struct help_topic *topic, struct layout *layout) {
    bool of_source = topic->command == NULL || (topic->command->flags & COMMAND_SOURCE) != 0;
    if (!of_source || (topic->command == NULL && topic->source == NULL)) return;
    for (const struct source_driver *const *source = topic->sources; *source != NULL; source++) {
        if (topic->source != NULL && topic->source != *source) continue;
        if (is_of_gateways(topic) && (*source)->list_gateways == NULL) continue;
        write_source_options(topic, *source, layout);
    }
}

// Those lines of `examples` that begin with the command, or all of them if it is NULL; each behind the source's name, if
// there is one. Returns how many there are.
static size_t write_examples(const char *examples, const struct source_driver *source,
                             const struct command *command, struct layout *layout) {
    size_t count = 0;
    while (examples != NULL && *examples != '\0') {
        size_t size = strcspn(examples, "\n"), word = strcspn(examples, " ");
        bool meant =
            command == NULL || (strlen(command->name) == word && strncmp(examples, command->name, word) == 0);
        if (meant && count++ == 0) buffer_puts(layout->text, "\nExamples:\n");
        char *line MEMORY_AUTO = memory_printf("ttn-lw-migrate %s%s%.*s", source == NULL ? "" : source->name,
                                               source == NULL ? "" : " ", (int)size, examples);
        if (meant) layout_command(layout, 2, line);
        examples += size + (examples[size] == '\n' ? 1 : 0);
    }
    return count;
}

// The source's own, as far as it has some for the command.
static void write_topic_examples(const struct help_topic *topic, struct layout *layout) {
    size_t count = 0;
    if (topic->source != NULL)
        count = write_examples(topic->source->examples, topic->source, topic->command, layout);
    if (count == 0 && topic->command != NULL) write_examples(topic->command->examples, NULL, NULL, layout);
}

static void write_ending(const struct help_topic *topic, struct layout *layout) {
    if (topic->command != NULL && (topic->command->flags & COMMAND_SOURCE) == 0) return;
    buffer_putc(layout->text, '\n');
    if (topic->command == NULL && topic->source == NULL) {
        layout_paragraph(
            layout, 0,
            "A flag's value stands behind it or behind \"=\": --rate 5, --rate=5. Help on a command "
            "or a source and its flags: ttn-lw-migrate help COMMAND, ttn-lw-migrate help SOURCE.");
        return;
    }
    layout_paragraph(
        layout, 0,
        "An environment variable gives a flag's default. A flag of a source may be written with or "
        "without the source's name before it; those of a target are shown with --to TARGET --help. Keys are "
        "best kept out of the command line: in the "
        "environment, or in a file for the flag that ends in -file.");
}

void help_write(const struct help_topic *topic, unsigned columns, struct buffer *text) {
    const struct command *command = topic->command;
    struct layout layout = {.text = text, .columns = columns == 0 ? HELP_COLUMNS : columns};
    if (layout.columns < HELP_COLUMNS_LEAST) layout.columns = HELP_COLUMNS_LEAST;
    if (layout.columns > HELP_COLUMNS_MOST) layout.columns = HELP_COLUMNS_MOST;
    if (command != NULL) {
        layout_paragraph(&layout, 0, command->summary);
    } else if (topic->source != NULL) {
        layout_paragraph(&layout, 0, topic->source->title);
    } else {
        layout_paragraph(&layout, 0, "Migrate LoRaWAN devices and gateways between networks");
    }
    buffer_putc(text, '\n');
    write_usage(topic, &layout);
    if (command != NULL) write_aliases(command->aliases, &layout);
    if (command == NULL && topic->source != NULL) write_aliases(topic->source->aliases, &layout);
    if (command != NULL && command->details != NULL) {
        buffer_putc(text, '\n');
        layout_paragraph(&layout, 0, command->details);
    }
    if (topic->source != NULL && topic->source->about != NULL && !is_of_gateways(topic)) {
        buffer_putc(text, '\n');
        layout_paragraph(&layout, 0, topic->source->about);
    }
    if (command == NULL) write_commands(topic->source, &layout);
    if (topic->source == NULL && (command == NULL || (command->flags & COMMAND_SOURCE))) {
        write_sources(topic, &layout);
    }
    bool of_target = command == NULL || command_shows(command, "to");
    if (of_target) write_targets(topic, &layout);
    write_sources_options(topic, &layout);
    if (of_target) write_target_options(topic, &layout);
    write_global_options(topic, &layout);
    write_topic_examples(topic, &layout);
    write_ending(topic, &layout);
}

static int unknown_topic(const char *word, struct error *error) {
    error_set(error, ERROR_USAGE, "there is no help on \"%s\"", word);
    error_hint(error, "ttn-lw-migrate help");
    return -ERROR_USAGE;
}

int help_find(struct help_topic *topic, char *const *words, size_t count, struct error *error) {
    if (count == 0) return 0;
    topic->source = source_find(topic->sources, words[0], strlen(words[0]));
    topic->source_first = topic->source != NULL;
    size_t used = topic->source != NULL ? 1 : 0;
    if (used < count) {
        topic->command = command_find(words[used], strlen(words[used]));
        if (topic->command == NULL) return unknown_topic(words[used], error);
        if (topic->source != NULL && (topic->command->flags & COMMAND_SOURCE) == 0) {
            return unknown_topic(words[used], error);
        }
        used++;
    }
    return used < count ? unknown_topic(words[used], error) : 0;
}
