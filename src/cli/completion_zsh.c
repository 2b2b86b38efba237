// SPDX-License-Identifier: Apache-2.0
#include "base/memory.h"
#include "cli/completion_p.h"
#include "cli/global_options.h"
#include "target/target.h"

#define FILE_OF_SECRET "file with it in the first line"

// What stands before the tables: it finds source and command among the words before the cursor.
static const char zsh_head[] =
    "#compdef ttn-lw-migrate\n"
    "# Completions of ttn-lw-migrate for zsh.\n"
    "_ttn-lw-migrate() {\n"
    "    local cur=$words[CURRENT] prev=$words[CURRENT-1] word source= first= command= to=\n"
    "    local -a flags\n"
    "    local -i i\n"
    "    if [[ $cur == --*=* ]]; then\n"
    "        prev=${cur%%=*}\n"
    "        compset -P '*='\n"
    "    fi\n"
    "    for ((i = 2; i < CURRENT; i++)); do\n"
    "        word=$words[i]\n"
    "        case $word in\n"
    "        (--source=*) source=${word#*=}; continue ;;\n"
    "        (--to=*) to=${word#*=}; continue ;;\n";

static const char zsh_skip_value[] =
    ")\n"
    "            ((i++))\n"
    "            [[ $word == --source && $i -lt $CURRENT ]] && source=$words[i]\n"
    "            [[ $word == --to && $i -lt $CURRENT ]] && to=$words[i]\n"
    "            continue\n"
    "            ;;\n"
    "        esac\n"
    "        [[ -n $command ]] && continue\n"
    "        case $word in\n";

static const char zsh_values[] =
    "        esac\n"
    "    done\n"
    "    case $prev in\n";

static const char zsh_flags[] =
    "    esac\n"
    "    if [[ $cur == -* ]]; then\n"
    "        flags=('--help:show help')\n"
    "        case $command in\n";

static const char zsh_words[] =
    "        esac\n"
    "        _describe -o flag flags\n"
    "        return\n"
    "    fi\n"
    "    case $command in\n";

static const char zsh_tail[] =
    "    esac\n"
    "}\n"
    "if [[ $funcstack[1] == _ttn-lw-migrate ]]; then\n"
    "    _ttn-lw-migrate \"$@\"\n"
    "else\n"
    "    compdef _ttn-lw-migrate ttn-lw-migrate\n"
    "fi\n";

// `(PATTERN) BODY ;;` for all flags of a kind, if there are any.
static void add_arm(struct buffer *script, const struct source_driver *const *sources,
                    enum completion_value value, const char *body) {
    BUFFER_AUTO flags;
    buffer_init(&flags, BUFFER_UNLIMITED);
    completion_flags(&flags, sources, COMPLETION_BIT(value), "--", " | ");
    if (flags.size == 0) return;
    buffer_printf(script, "    (%s) %s; return ;;\n", buffer_string(&flags), body);
}

static void choice_arm(void *context, const struct completion_flag *flag) {
    struct buffer *script = context;
    if (flag->value != COMPLETION_CHOICES) return;
    buffer_printf(script, "    (--%s) compadd -- %s; return ;;\n", flag->text, flag->spec->choices);
}

// What completes the value of the flag before the cursor.
static void add_values(struct buffer *script, const struct source_driver *const *sources) {
    BUFFER_AUTO body;
    buffer_init(&body, BUFFER_UNLIMITED);
    completion_each(sources, choice_arm, script);
    buffer_puts(&body, "compadd -- ");
    completion_sources(&body, sources);
    add_arm(script, sources, COMPLETION_SOURCES, buffer_string(&body));
    buffer_clear(&body);
    buffer_puts(&body, "compadd -- ");
    completion_plans(&body);
    add_arm(script, sources, COMPLETION_PLANS, buffer_string(&body));
    add_arm(script, sources, COMPLETION_FILE, "_files");
    add_arm(script, sources, COMPLETION_FREE, "_message value");
}

static void add_word_arms(struct buffer *script, const struct source_driver *const *sources) {
    for (size_t i = 0; sources[i] != NULL; i++) {
        buffer_puts(script, "        (");
        completion_names(script, sources[i]->name, sources[i]->aliases, " | ");
        buffer_printf(script, ") [[ -z $first ]] && source=%s first=1 ;;\n", sources[i]->name);
    }
    for (const struct command *command = commands; command->name != NULL; command++) {
        buffer_puts(script, "        (");
        completion_names(script, command->name, command->aliases, " | ");
        buffer_printf(script, ") command=%s ;;\n", command->name);
    }
}

static void add_described(struct buffer *script, const char *prefix, const struct option_spec *spec) {
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    buffer_printf(&text, "--%s%s:%s", prefix, spec->name, spec->help);
    buffer_putc(script, ' ');
    completion_quote(script, buffer_string(&text));
    if ((spec->flags & OPTION_SECRET) == 0) return;
    buffer_printf(script, " '--%s%s-file:" FILE_OF_SECRET "'", prefix, spec->name);
}

static void add_table_flags(struct buffer *script, const struct option_spec *table, const char *prefix) {
    for (const struct option_spec *spec = table; spec != NULL && spec->name != NULL; spec++) {
        if ((spec->flags & OPTION_HIDDEN) == 0) add_described(script, prefix, spec);
    }
}

struct zsh_open_flags {
    struct buffer *script;
    const struct command *command;
};

// The description names what the shell would show: the file of a secret is a flag of its own.
static void add_open_flag(void *context, const struct completion_flag *flag) {
    const struct zsh_open_flags *list = context;
    if (!completion_takes(list->command, flag)) return;
    bool of_file = (flag->spec->flags & OPTION_SECRET) && flag->value == COMPLETION_FILE;
    char *text MEMORY_AUTO =
        memory_printf("--%s:%s", flag->text, of_file ? FILE_OF_SECRET : flag->spec->help);
    buffer_putc(list->script, ' ');
    completion_quote(list->script, text);
}

static void add_open_flags(struct buffer *script, const struct source_driver *const *sources,
                           const struct command *command) {
    struct zsh_open_flags list = {script, command};
    buffer_puts(script, "); [[ -z $source ]] && flags+=(");
    completion_each(sources, add_open_flag, &list);
}

// The flags of each command and of each source.
static void add_flags(struct buffer *script, const struct source_driver *const *sources) {
    for (const struct command *command = commands; command->name != NULL; command++) {
        buffer_printf(script, "        (%s) flags+=(", command->name);
        for (const struct option_spec *spec = global_options; spec->name != NULL; spec++) {
            if ((spec->flags & OPTION_HIDDEN) || !command_shows(command, spec->name)) continue;
            add_described(script, "", spec);
        }
        if (completion_takes_any(command)) add_open_flags(script, sources, command);
        buffer_printf(script, ")%s%s ;;\n",
                      command->flags & (COMMAND_SOURCE | COMMAND_FILE) ? "" : "; source=",
                      command_shows(command, "to") ? "" : "; to=");
    }
    buffer_puts(script, "        ('') [[ -z $first ]] && flags+=('--version:show the version') ;;\n");
    buffer_puts(script, "        esac\n        case $source:$first in\n");
    for (size_t i = 0; sources[i] != NULL; i++) {
        BUFFER_AUTO prefix;
        buffer_init(&prefix, BUFFER_UNLIMITED);
        buffer_printf(&prefix, "%s.", sources[i]->name);
        buffer_printf(script, "        (%s:1) flags+=(", sources[i]->name);
        add_table_flags(script, sources[i]->options, "");
        buffer_puts(script, ") ;;\n        (");
        completion_names(script, sources[i]->name, sources[i]->aliases, ": | ");
        buffer_puts(script, ":) flags+=(");
        add_table_flags(script, sources[i]->options, buffer_string(&prefix));
        buffer_puts(script, ") ;;\n");
    }
    buffer_puts(script, "        esac\n        case $to in\n");
    for (const struct target_driver *const *targets = target_drivers(); *targets != NULL; targets++) {
        BUFFER_AUTO prefix;
        buffer_init(&prefix, BUFFER_UNLIMITED);
        buffer_printf(&prefix, "to.%s.", (*targets)->name);
        buffer_printf(script, "        (%s) flags+=(", (*targets)->name);
        add_table_flags(script, (*targets)->options, buffer_string(&prefix));
        buffer_puts(script, ") ;;\n");
    }
}

static void add_words(struct buffer *script, const struct source_driver *const *sources) {
    buffer_puts(script, "    ('')\n        compadd -- ");
    completion_commands(script, true);
    buffer_puts(script, "\n        [[ -z $first ]] && compadd -- ");
    completion_commands(script, false);
    buffer_putc(script, ' ');
    completion_sources(script, sources);
    buffer_puts(script, "\n        ;;\n");
    for (const struct command *command = commands; command->name != NULL; command++) {
        if (command->words == COMMAND_WORDS_FREE) continue;
        buffer_printf(script, "    (%s) compadd -- ", command->name);
        completion_arguments(script, command, sources);
        buffer_puts(script, " ;;\n");
    }
}

void completion_zsh(struct buffer *script, const struct source_driver *const *sources) {
    buffer_puts(script, zsh_head);
    buffer_puts(script, "        (");
    completion_flags(script, sources, COMPLETION_WITH_VALUE, "--", " | ");
    buffer_puts(script, zsh_skip_value);
    add_word_arms(script, sources);
    buffer_puts(script, zsh_values);
    add_values(script, sources);
    buffer_puts(script, zsh_flags);
    add_flags(script, sources);
    buffer_puts(script, zsh_words);
    add_words(script, sources);
    buffer_puts(script, zsh_tail);
}
