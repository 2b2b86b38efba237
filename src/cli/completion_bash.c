// SPDX-License-Identifier: Apache-2.0
#include "cli/completion_p.h"
#include "cli/global_options.h"
#include "target/target.h"

// What stands before the tables: it finds source and command among the words before the cursor. Readline
// makes three words of `--flag=value`.
static const char bash_head[] =
    "# Completions of ttn-lw-migrate for bash.\n"
    "_ttn_lw_migrate() {\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
    "    local word value source= first= command= to= words= i\n"
    "    COMPREPLY=()\n"
    "    if [[ $cur == '=' ]]; then\n"
    "        cur=\n"
    "    elif [[ $prev == '=' ]]; then\n"
    "        prev=${COMP_WORDS[COMP_CWORD-2]}\n"
    "    fi\n"
    "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "        word=${COMP_WORDS[i]}\n"
    "        case $word in\n";

static const char bash_skip_value[] =
    ")\n"
    "            [[ ${COMP_WORDS[i+1]} == '=' ]] && ((i++))\n"
    "            ((i++))\n"
    "            value=${COMP_WORDS[i]}\n"
    "            [[ $word == --source && $i -lt $COMP_CWORD ]] && source=$value\n"
    "            [[ $word == --to && $i -lt $COMP_CWORD ]] && to=$value\n"
    "            continue\n"
    "            ;;\n"
    "        esac\n"
    "        [[ -n $command ]] && continue\n"
    "        case $word in\n";

static const char bash_values[] =
    "        esac\n"
    "    done\n"
    "    case $prev in\n";

static const char bash_flags[] =
    "    esac\n"
    "    if [[ -z $words && $cur == -* ]]; then\n"
    "        words='--help'\n"
    "        case $command in\n";

static const char bash_words[] =
    "        esac\n"
    "    elif [[ -z $words ]]; then\n"
    "        case $command in\n";

static const char bash_tail[] =
    "        esac\n"
    "    fi\n"
    "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
    "}\n"
    "complete -F _ttn_lw_migrate ttn-lw-migrate\n";

// `PATTERN) BODY ;;` for all flags of a kind, if there are any.
static void add_arm(struct buffer *script, const struct source_driver *const *sources,
                    enum completion_value value, const char *body) {
    BUFFER_AUTO flags;
    buffer_init(&flags, BUFFER_UNLIMITED);
    completion_flags(&flags, sources, COMPLETION_BIT(value), "--", " | ");
    if (flags.size == 0) return;
    buffer_printf(script, "    %s) %s ;;\n", buffer_string(&flags), body);
}

static void choice_arm(void *context, const struct completion_flag *flag) {
    struct buffer *script = context;
    if (flag->value != COMPLETION_CHOICES) return;
    buffer_printf(script, "    --%s) words='%s' ;;\n", flag->text, flag->spec->choices);
}

// What completes the value of the flag before the cursor.
static void add_values(struct buffer *script, const struct source_driver *const *sources) {
    BUFFER_AUTO body;
    buffer_init(&body, BUFFER_UNLIMITED);
    completion_each(sources, choice_arm, script);
    buffer_puts(&body, "words='");
    completion_sources(&body, sources);
    buffer_puts(&body, "'");
    add_arm(script, sources, COMPLETION_SOURCES, buffer_string(&body));
    buffer_clear(&body);
    buffer_puts(&body, "words='");
    completion_plans(&body);
    buffer_puts(&body, "'");
    add_arm(script, sources, COMPLETION_PLANS, buffer_string(&body));
    add_arm(script, sources, COMPLETION_FILE, "compopt -o default 2>/dev/null; return");
    add_arm(script, sources, COMPLETION_FREE, "return");
}

static void add_word_arms(struct buffer *script, const struct source_driver *const *sources) {
    for (size_t i = 0; sources[i] != NULL; i++) {
        buffer_puts(script, "        ");
        completion_names(script, sources[i]->name, sources[i]->aliases, " | ");
        buffer_printf(script, ") [[ -z $first ]] && source=%s first=1 ;;\n", sources[i]->name);
    }
    for (const struct command *command = commands; command->name != NULL; command++) {
        buffer_puts(script, "        ");
        completion_names(script, command->name, command->aliases, " | ");
        buffer_printf(script, ") command=%s ;;\n", command->name);
    }
}

// The flags of each command and of each source.
static void add_flags(struct buffer *script, const struct source_driver *const *sources) {
    for (const struct command *command = commands; command->name != NULL; command++) {
        buffer_printf(script, "        %s) words+='", command->name);
        for (const struct option_spec *spec = global_options; spec->name != NULL; spec++) {
            if ((spec->flags & OPTION_HIDDEN) || !command_shows(command, spec->name)) continue;
            buffer_printf(script, " --%s", spec->name);
        }
        if (completion_takes_any(command)) {
            buffer_puts(script, "'; [[ -z $source ]] && words+='");
            completion_open_flags(script, sources, command);
        }
        buffer_printf(script, "'%s%s ;;\n",
                      command->flags & (COMMAND_SOURCE | COMMAND_FILE) ? "" : " source=",
                      command_shows(command, "to") ? "" : " to=");
    }
    buffer_puts(script, "        '') [[ -z $first ]] && words+=' --version' ;;\n");
    buffer_puts(script, "        esac\n        case $source:$first in\n");
    for (size_t i = 0; sources[i] != NULL; i++) {
        buffer_printf(script, "        %s:1) words+=' ", sources[i]->name);
        completion_source_flags(script, sources[i], false);
        buffer_puts(script, "' ;;\n        ");
        completion_names(script, sources[i]->name, sources[i]->aliases, ": | ");
        buffer_puts(script, ":) words+=' ");
        completion_source_flags(script, sources[i], true);
        buffer_puts(script, "' ;;\n");
    }
    buffer_puts(script, "        esac\n        case $to in\n");
    for (const struct target_driver *const *targets = target_drivers(); *targets != NULL; targets++) {
        buffer_printf(script, "        %s) words+='", (*targets)->name);
        completion_target_flags(script, *targets);
        buffer_puts(script, "' ;;\n");
    }
}

static void add_words(struct buffer *script, const struct source_driver *const *sources) {
    buffer_puts(script, "        '')\n            words='");
    completion_commands(script, true);
    buffer_puts(script, "'\n            [[ -z $first ]] && words='");
    completion_commands(script, false);
    buffer_putc(script, ' ');
    completion_sources(script, sources);
    buffer_puts(script, "'\n            ;;\n");
    for (const struct command *command = commands; command->name != NULL; command++) {
        if (command->words == COMMAND_WORDS_FREE) continue;
        buffer_printf(script, "        %s) words='", command->name);
        completion_arguments(script, command, sources);
        buffer_puts(script, "' ;;\n");
    }
}

void completion_bash(struct buffer *script, const struct source_driver *const *sources) {
    buffer_puts(script, bash_head);
    buffer_puts(script, "        ");
    completion_flags(script, sources, COMPLETION_WITH_VALUE, "--", " | ");
    buffer_puts(script, bash_skip_value);
    add_word_arms(script, sources);
    buffer_puts(script, bash_values);
    add_values(script, sources);
    buffer_puts(script, bash_flags);
    add_flags(script, sources);
    buffer_puts(script, bash_words);
    add_words(script, sources);
    buffer_puts(script, bash_tail);
}
