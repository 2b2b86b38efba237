// SPDX-License-Identifier: Apache-2.0
#include "cli/completion_p.h"
#include "cli/global_options.h"
#include "target/target.h"

// What stands before the tables: finds source and command among the words before the cursor.
// __ttn_lw_migrate_state prints "command source form target"; the conditions below match parts of it.
static const char fish_head[] =
    "# Completions of ttn-lw-migrate for fish.\n"
    "function __ttn_lw_migrate_state\n"
    "    set -l tokens (commandline -opc)\n"
    "    set -l source none\n"
    "    set -l command none\n"
    "    set -l form last\n"
    "    set -l to none\n"
    "    set -l flag ''\n"
    "    for token in $tokens[2..-1]\n"
    "        if test -n \"$flag\"\n"
    "            test \"$flag\" = --source; and set source $token\n"
    "            test \"$flag\" = --to; and set to $token\n"
    "            set flag ''\n"
    "            continue\n"
    "        end\n"
    "        switch $token\n"
    "            case '--source=*'\n"
    "                set source (string replace -- '--source=' '' $token)\n"
    "            case '--to=*'\n"
    "                set to (string replace -- '--to=' '' $token)\n"
    "            case";

static const char fish_words[] =
    "\n"
    "                set flag $token\n"
    "            case '-*'\n";

static const char fish_conditions[] =
    "        end\n"
    "    end\n"
    "    echo $command $source $form $to\n"
    "end\n"
    "function __ttn_lw_migrate_command\n"
    "    set -l state (string split ' ' (__ttn_lw_migrate_state))\n"
    "    contains -- $state[1] $argv\n"
    "end\n"
    "function __ttn_lw_migrate_start\n"
    "    set -l state (string split ' ' (__ttn_lw_migrate_state))\n"
    "    test $state[1] = none -a $state[3] = $argv[1]\n"
    "end\n"
    "function __ttn_lw_migrate_source\n"
    "    set -l state (string split ' ' (__ttn_lw_migrate_state))\n"
    "    test $state[3] = $argv[1]; and contains -- $state[2] $argv[2..-1]\n"
    "end\n"
    "function __ttn_lw_migrate_target\n"
    "    set -l state (string split ' ' (__ttn_lw_migrate_state))\n"
    "    contains -- $state[4] $argv\n"
    "end\n"
    "function __ttn_lw_migrate_open\n"
    "    set -l state (string split ' ' (__ttn_lw_migrate_state))\n"
    "    test $state[2] = none; and contains -- $state[1] $argv\n"
    "end\n"
    "complete -c ttn-lw-migrate -f\n"
    "complete -c ttn-lw-migrate -s h -l help -d 'show help'\n"
    "complete -c ttn-lw-migrate -n '__ttn_lw_migrate_start last' -l version -d 'show the version'\n";

// fish knows \' and \\ within single quotes.
static void add_quoted(struct buffer *script, const char *text) {
    buffer_putc(script, '\'');
    for (; *text != '\0'; text++) {
        if (*text == '\'' || *text == '\\') buffer_putc(script, '\\');
        buffer_putc(script, *text);
    }
    buffer_putc(script, '\'');
}

static void add_word_cases(struct buffer *script, const struct source_driver *const *sources) {
    for (size_t i = 0; sources[i] != NULL; i++) {
        buffer_puts(script, "            case ");
        completion_names(script, sources[i]->name, sources[i]->aliases, " ");
        buffer_printf(script,
                      "\n                if test $command = none -a $form = last\n"
                      "                    set source %s\n                    set form first\n"
                      "                end\n",
                      sources[i]->name);
    }
    for (const struct command *command = commands; command->name != NULL; command++) {
        buffer_puts(script, "            case ");
        completion_names(script, command->name, command->aliases, " ");
        buffer_printf(script, "\n                test $command = none; and set command %s\n", command->name);
    }
}

static void add_start(struct buffer *script, const struct source_driver *const *sources) {
    for (const struct command *command = commands; command->name != NULL; command++) {
        const char *forms[] = {"last", command->flags & COMMAND_SOURCE ? "first" : NULL};
        for (size_t i = 0; i < 2 && forms[i] != NULL; i++) {
            buffer_printf(script, "complete -c ttn-lw-migrate -n '__ttn_lw_migrate_start %s' -a %s -d ",
                          forms[i], command->name);
            add_quoted(script, command->summary);
            buffer_putc(script, '\n');
        }
        if (command->words == COMMAND_WORDS_FREE) continue;
        buffer_printf(script, "complete -c ttn-lw-migrate -n '__ttn_lw_migrate_command %s' -a '",
                      command->name);
        completion_arguments(script, command, sources);
        buffer_puts(script, "'\n");
    }
    for (; *sources != NULL; sources++) {
        buffer_printf(script, "complete -c ttn-lw-migrate -n '__ttn_lw_migrate_start last' -a %s -d ",
                      (*sources)->name);
        add_quoted(script, (*sources)->title);
        buffer_putc(script, '\n');
    }
}

struct fish_context {
    struct buffer *script;
    const struct source_driver *const *sources;
};

static void add_value(const struct fish_context *fish, const struct completion_flag *flag) {
    struct buffer *script = fish->script;
    switch (flag->value) {
        case COMPLETION_NONE:
            return;
        case COMPLETION_FILE:
            buffer_puts(script, " -r -F");
            return;
        case COMPLETION_CHOICES:
            buffer_printf(script, " -x -a '%s'", flag->spec->choices);
            return;
        case COMPLETION_SOURCES:
            buffer_puts(script, " -x -a '");
            completion_sources(script, fish->sources);
            buffer_puts(script, "'");
            return;
        case COMPLETION_PLANS:
            buffer_puts(script, " -x -a '");
            completion_plans(script);
            buffer_puts(script, "'");
            return;
        case COMPLETION_FREE:
            buffer_puts(script, " -x");
            return;
    }
}

// The condition under which a flag makes sense.
static void add_condition(struct buffer *script, const struct completion_flag *flag) {
    if (flag->source != NULL) {
        buffer_printf(script, "__ttn_lw_migrate_source %s ", flag->prefixed ? "last" : "first");
        completion_names(script, flag->source->name, flag->source->aliases, " ");
        return;
    }
    if (flag->target != NULL) {
        buffer_printf(script, "__ttn_lw_migrate_target %s", flag->target->name);
        return;
    }
    buffer_puts(script, "__ttn_lw_migrate_command");
    for (const struct command *command = commands; command->name != NULL; command++) {
        if (command_shows(command, flag->spec->name)) buffer_printf(script, " %s", command->name);
    }
}

static void end_line(const struct fish_context *fish, const struct completion_flag *flag) {
    buffer_printf(fish->script, "' -l %s -d ", flag->text);
    add_quoted(fish->script, flag->spec->help);
    add_value(fish, flag);
    buffer_putc(fish->script, '\n');
}

// For commands that take it without having chosen its source or target.
static void open_line(const struct fish_context *fish, const struct completion_flag *flag) {
    bool any = false;
    for (const struct command *command = commands; command->name != NULL; command++) {
        if (!completion_takes(command, flag)) continue;
        if (!any) buffer_puts(fish->script, "complete -c ttn-lw-migrate -n '__ttn_lw_migrate_open");
        any = true;
        buffer_printf(fish->script, " %s", command->name);
    }
    if (any) end_line(fish, flag);
}

static void flag_line(void *context, const struct completion_flag *flag) {
    const struct fish_context *fish = context;
    buffer_puts(fish->script, "complete -c ttn-lw-migrate -n '");
    add_condition(fish->script, flag);
    end_line(fish, flag);
    open_line(fish, flag);
}

void completion_fish(struct buffer *script, const struct source_driver *const *sources) {
    struct fish_context fish = {script, sources};
    buffer_puts(script, fish_head);
    completion_flags(script, sources, COMPLETION_WITH_VALUE, " --", "");
    buffer_puts(script, fish_words);
    add_word_cases(script, sources);
    buffer_puts(script, fish_conditions);
    add_start(script, sources);
    completion_each(sources, flag_line, &fish);
}
