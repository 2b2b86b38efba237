// SPDX-License-Identifier: Apache-2.0
// The scripts are run by the shells themselves, as far as they are installed.
#include "cli/completion.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "fake_sources.h"

enum { OUTPUT_MAX = 64 * 1024 };

static void write_script(const char *shell, const char *path, const char *tail) {
    BUFFER_AUTO script;
    buffer_init(&script, BUFFER_UNLIMITED);
    assert_int_equal(completion_write(shell, fake_sources, &script, NULL), 0);
    buffer_puts(&script, tail);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(script.data, 1, script.size, file), script.size);
    assert_int_equal(fclose(file), 0);
}

static char *new_path(void) {
    char *path = memory_strdup("/tmp/test_cli_completion_XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    return path;
}

// What the command prints, line ends as spaces; the exit status must be 0.
static const char *output_of(const char *command) {
    static char output[OUTPUT_MAX];
    FILE *stream = popen(command, "r");
    assert_non_null(stream);
    size_t size = fread(output, 1, sizeof output - 1, stream);
    assert_int_equal(pclose(stream), 0);
    while (size > 0 && output[size - 1] == '\n') size--;
    output[size] = '\0';
    for (size_t i = 0; i < size; i++) {
        if (output[i] == '\n') output[i] = ' ';
    }
    return output;
}

static bool has_shell(const char *shell) {
    char *command MEMORY_AUTO = memory_printf("command -v %s >/dev/null 2>&1", shell);
    return system(command) == 0;
}

static bool contains_word(const char *words, const char *word) {
    char *padded MEMORY_AUTO = memory_printf(" %s ", words);
    char *wanted MEMORY_AUTO = memory_printf(" %s ", word);
    return strstr(padded, wanted) != NULL;
}

struct completion_case {
    const char *words;     // before the cursor; the last one is being written
    const char *wanted;    // a word that must be offered, NULL: nothing may be
    const char *unwanted;  // one that may not, or NULL
};

static const struct completion_case cases[] = {
    {"tt", "ttnv2", "device"},
    {"d", "device", "ttnv2"},
    {"ttnv2 ", "device", "sources"},
    {"ttnv2 a", "application", NULL},
    {"ttnv2 device --app-", "--app-access-key-file", "--ttnv2.app-id"},
    {"ttnv2 device --", "--with-session", "--list"},
    {"table device --", "--delimiter", "--app-id"},
    {"device --source tt", "ttnv2", "csv"},
    {"device --source ttnv2 --ttnv2.app-i", "--ttnv2.app-id", NULL},
    {"device --source ttnv2 --", "--concurrency", "--app-id"},
    {"device --app-id device --source ttnv2 --ttnv2.wi", "--ttnv2.with-session", NULL},
    {"ttnv2 device --progress ", "always", "device"},
    {"ttnv2 device --frequency-plan-id EU_863_870_", "EU_863_870_TTN", NULL},
    {"ttnv2 --progress never dev", "device", NULL},
    {"sources --", "--json", "--concurrency"},
    {"--", "--version", "--json"},
    {"completion ", "zsh", "device"},
    {"help tt", "ttnv2", NULL},
    {"frequency-plans EU_863_870_", "EU_863_870_TTN", NULL},
    {"ttnv2 device --", "--to", "--to.tts.app-id"},
    {"ttnv2 device --to tts --to", "--to.tts.app-id", NULL},
    {"ttnv2 device --to tts --to", "--to.tts.app-api-key-file", "--to.json"},
    {"device --source ttnv2 --to tts --", "--to.tts.insecure", "--app-id"},
    {"ttnv2 device --to tts --to.tts.app-id device --to.tts.ins", "--to.tts.insecure", NULL},
    {"ttnv2 device --on-conflict ", "update", NULL},
    {"ttnv2 device --no-f", "--no-formatters", NULL},
    {"ttnv2 device --form", "--formatters", NULL},
    {"targets --", "--json", "--to"},
    {"formatters ch", "check", NULL},
    {"formatters con", "convert", NULL},
    {"formatters check --pay", "--payload", NULL},
    {"resume --", "--failed", "--ttnv2.app-id"},
    {"resume --ttnv2.freq", "--ttnv2.frequency-plan-id", NULL},
    {"resume --ttnv2.frequency-plan-id EU_863_870_", "EU_863_870_TTN", NULL},
    {"resume --ttnv2.", "--ttnv2.app-access-key-file", "--ttnv2.ca-cert"},
    {"resume --to.tts.", "--to.tts.app-api-key", "--to.tts.app-id"},
    {"rollback --ttnv2.", "--ttnv2.app-access-key", "--ttnv2.frequency-plan-id"},
    {"verify --to.", "--to.tts.app-api-key-file", "--to.tts.app-id"},
    {"validate --csv.", "--csv.delimiter", "--csv.json"},
    {"validate --", "--strict", "--ttnv2.app-id"},
    {"validate --source csv --csv.", "--csv.delimiter", NULL},
    {"status --", "--list", "--ttnv2.app-access-key"},
    {"ttnv2 device ", NULL, NULL},
    {"ttnv2 device --app-id ", NULL, NULL},
};

static void check(const char *shell, const struct completion_case *entry, const char *offered) {
    if (entry->wanted == NULL) {
        if (*offered != '\0') fail_msg("%s: \"%s\" offers: %s", shell, entry->words, offered);
    } else if (!contains_word(offered, entry->wanted)) {
        fail_msg("%s: \"%s\" lacks %s: %s", shell, entry->words, entry->wanted, offered);
    }
    if (entry->unwanted != NULL && contains_word(offered, entry->unwanted)) {
        fail_msg("%s: \"%s\" offers %s", shell, entry->words, entry->unwanted);
    }
}

static void test_bash(void **state) {
    (void)state;
    if (!has_shell("bash")) skip();
    char *path MEMORY_AUTO = new_path();
    write_script("bash", path,
                 "complete -p ttn-lw-migrate >/dev/null || exit 1\n"
                 "compopt() { :; }\n"
                 "COMP_WORDS=(\"$@\")\nCOMP_CWORD=$(($# - 1))\n"
                 "_ttn_lw_migrate\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t size = strlen(cases[i].words);
        bool open = size > 0 && cases[i].words[size - 1] == ' ';
        char *command MEMORY_AUTO =
            memory_printf("bash --norc %s ttn-lw-migrate %s%s", path, cases[i].words, open ? "''" : "");
        check("bash", &cases[i], output_of(command));
    }
    // Readline hands `--flag=value` over as three words.
    char *equals MEMORY_AUTO =
        memory_printf("bash --norc %s ttn-lw-migrate device --source = ttnv2 --progress = al", path);
    assert_string_equal(output_of(equals), "always");
    char *empty MEMORY_AUTO = memory_printf("bash --norc %s ttn-lw-migrate device --to =", path);
    assert_string_equal(output_of(empty), "json csv tts chirpstack");
    char *form MEMORY_AUTO =
        memory_printf("bash --norc %s ttn-lw-migrate device --source = ttnv2 --ttnv2.ca", path);
    assert_string_equal(output_of(form), "--ttnv2.ca-cert");
    unlink(path);
}

// zsh's functions of the line editor are replaced by ones that print what they are given.
static void test_zsh(void **state) {
    (void)state;
    if (!has_shell("zsh")) skip();
    char *path MEMORY_AUTO = new_path();
    write_script("zsh", path, "");
    char *script MEMORY_AUTO = memory_printf(
        "compdef() { :; }; compset() { :; }; _files() { :; }; _message() { :; }\n"
        "compadd() { shift; print -l -- \"$@\"; }\n"
        "_describe() { print -l -- ${(P)${@[-1]}%%%%:*}; }\n"
        "source %s; words=(\"$@\"); CURRENT=$#; _ttn-lw-migrate | grep -e \"^$words[CURRENT]\" || true",
        path);
    char *runner MEMORY_AUTO = new_path();
    FILE *file = fopen(runner, "w");
    assert_non_null(file);
    fputs(script, file);
    assert_int_equal(fclose(file), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t size = strlen(cases[i].words);
        bool open = size > 0 && cases[i].words[size - 1] == ' ';
        char *command MEMORY_AUTO =
            memory_printf("zsh -f %s ttn-lw-migrate %s%s", runner, cases[i].words, open ? "''" : "");
        check("zsh", &cases[i], output_of(command));
    }
    unlink(runner);
    unlink(path);
}

static void test_fish(void **state) {
    (void)state;
    if (!has_shell("fish")) skip();
    char *path MEMORY_AUTO = new_path();
    write_script("fish", path, "");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *command MEMORY_AUTO = memory_printf(
            "fish -N -c 'source %s; complete -C \"ttn-lw-migrate %s\" | string split -f 1 \\t; true'", path,
            cases[i].words);
        check("fish", &cases[i], output_of(command));
    }
    unlink(path);
}

static void test_syntax(void **state) {
    (void)state;
    static const char *const shells[][2] = {{"bash", "bash -n"}, {"zsh", "zsh -n"}, {"fish", "fish -n"}};
    for (size_t i = 0; i < 3; i++) {
        if (!has_shell(shells[i][0])) continue;
        char *path MEMORY_AUTO = new_path();
        write_script(shells[i][0], path, "");
        char *command MEMORY_AUTO = memory_printf("%s %s", shells[i][1], path);
        assert_string_equal(output_of(command), "");
        unlink(path);
    }
}

static void test_unknown(void **state) {
    (void)state;
    ERROR_AUTO error = {0};
    BUFFER_AUTO script;
    buffer_init(&script, BUFFER_UNLIMITED);
    assert_int_equal(completion_write("tcsh", fake_sources, &script, &error), -ERROR_USAGE);
    assert_string_equal(error.hint, "one of: bash zsh fish");
    assert_int_equal(script.size, 0);
}

// Flags for insiders are not offered.
static void test_hidden(void **state) {
    (void)state;
    static const char *const shells[] = {"bash", "zsh", "fish"};
    for (size_t i = 0; i < 3; i++) {
        BUFFER_AUTO script;
        buffer_init(&script, BUFFER_UNLIMITED);
        completion_write(shells[i], fake_sources, &script, NULL);
        assert_null(strstr(buffer_string(&script), "internal"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bash),   cmocka_unit_test(test_zsh),     cmocka_unit_test(test_fish),
        cmocka_unit_test(test_syntax), cmocka_unit_test(test_unknown), cmocka_unit_test(test_hidden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
