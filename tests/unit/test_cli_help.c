// SPDX-License-Identifier: Apache-2.0
#include "cli/help.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "cli/global_options.h"
#include "fake_sources.h"
#include "source/registry.h"
#include "target/target.h"

static const char *write_topic(const struct help_topic *topic, unsigned columns, struct buffer *text) {
    buffer_clear(text);
    help_write(topic, columns, text);
    return buffer_string(text);
}

// Every line ends, has no space at its end, and fits.
static void check_lines(const char *text, size_t columns) {
    while (*text != '\0') {
        size_t size = strcspn(text, "\n");
        if (size > columns) fail_msg("%zu columns: %.*s", size, (int)size, text);
        if (size > 0 && text[size - 1] == ' ') fail_msg("space at the end: \"%.*s\"", (int)size, text);
        assert_int_equal(text[size], '\n');
        text += size + 1;
    }
}

static void test_widths(void **state) {
    (void)state;
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    const struct source_driver *const sources[] = {NULL, &fake_ttnv2, &fake_csv};
    for (size_t i = 0; i < 3; i++) {
        struct help_topic topic = {.sources = fake_sources, .source = sources[i], .source_first = i > 0};
        check_lines(write_topic(&topic, 0, &text), 80);
        check_lines(write_topic(&topic, 80, &text), 80);
        check_lines(write_topic(&topic, 500, &text), HELP_COLUMNS_MOST);
        for (const struct command *command = commands; command->name != NULL; command++) {
            topic.command = command;
            check_lines(write_topic(&topic, 0, &text), 80);
        }
    }
}

// A narrow terminal still gets every word.
static void test_narrow(void **state) {
    (void)state;
    BUFFER_AUTO wide, narrow;
    buffer_init(&wide, BUFFER_UNLIMITED);
    buffer_init(&narrow, BUFFER_UNLIMITED);
    struct help_topic topic = {.sources = fake_sources, .command = command_find("device", 6)};
    write_topic(&topic, 0, &wide);
    write_topic(&topic, 1, &narrow);
    char *cursor_wide = NULL, *cursor_narrow = NULL;
    const char *a = strtok_r((char *)wide.data, " \n\\", &cursor_wide);
    const char *b = strtok_r((char *)narrow.data, " \n\\", &cursor_narrow);
    while (a != NULL && b != NULL) {
        assert_string_equal(a, b);
        a = strtok_r(NULL, " \n\\", &cursor_wide);
        b = strtok_r(NULL, " \n\\", &cursor_narrow);
    }
    assert_null(a);
    assert_null(b);
}

static void assert_contains(const char *text, const char *part) {
    if (strstr(text, part) == NULL) fail_msg("\"%s\" is missing in:\n%s", part, text);
}

static void test_program(void **state) {
    (void)state;
    BUFFER_AUTO buffer;
    buffer_init(&buffer, BUFFER_UNLIMITED);
    struct help_topic topic = {.sources = fake_sources};
    const char *text = write_topic(&topic, 0, &buffer);
    char part[128];
    for (const struct command *command = commands; command->name != NULL; command++) {
        snprintf(part, sizeof part, "\n  %s ", command->name);
        assert_contains(text, part);
    }
    for (const struct option_spec *spec = global_options; spec->name != NULL; spec++) {
        snprintf(part, sizeof part, "\n  --%s", spec->name);
        assert_contains(text, part);
    }
    assert_contains(text, "\n  ttnv2                   The Things Network Stack V2\n");
    assert_contains(text, "--version");
}

static void test_device(void **state) {
    (void)state;
    BUFFER_AUTO buffer;
    buffer_init(&buffer, BUFFER_UNLIMITED);
    struct help_topic topic = {.sources = fake_sources, .command = command_find("device", 6)};
    const char *text = write_topic(&topic, 0, &buffer);
    assert_contains(text, "ttn-lw-migrate SOURCE device [FLAG...] [ID...]\n");
    assert_contains(text, "ttn-lw-migrate device --source SOURCE [FLAG...] [ID...]\n");
    assert_contains(text, "Also called: end-devices, end-device, devices, devs, dev, d\n");
    assert_contains(text,
                    "  --ttnv2.app-id ID       application that the devices are in [required] [env:\n"
                    "                          TTNV2_APP_ID]\n");
    assert_contains(text, "--ttnv2.app-access-key-file");
    assert_contains(text, "--ttnv2.with-session=false]");
    assert_contains(text,
                    "--csv.json FILE         collides with a global bool [env: FAKE_JSON,\n"
                    "                          FAKE_JSON_OLD]\n");
    assert_contains(text,
                    "--concurrency N         devices in flight at once [default: 16] [env:\n"
                    "                          TTN_LW_MIGRATE_CONCURRENCY]\n");
    assert_null(strstr(text, "--list "));
    assert_null(strstr(text, "internal"));
    topic.source = &fake_csv;
    text = write_topic(&topic, 0, &buffer);
    assert_null(strstr(text, "--ttnv2.app-id"));
    assert_contains(text, "--csv.delimiter TEXT");
}

static void test_source(void **state) {
    (void)state;
    BUFFER_AUTO buffer;
    buffer_init(&buffer, BUFFER_UNLIMITED);
    struct help_topic topic = {.sources = fake_sources, .source = &fake_csv, .source_first = true};
    const char *text = write_topic(&topic, 0, &buffer);
    assert_contains(text, "A table\n\nUsage:\n  ttn-lw-migrate csv device|application [FLAG...] [ID...]\n");
    assert_contains(text, "Also called: table, spreadsheet\n");
    assert_contains(text, "\n  --delimiter TEXT ");
    assert_contains(text, "\n  --dry-run ");
    assert_null(strstr(text, "--source"));
    assert_null(strstr(text, "completion"));
}

// What each source says of itself: what becomes of its devices, and examples, which fit a terminal.
static void test_sources(void **state) {
    (void)state;
    BUFFER_AUTO buffer;
    buffer_init(&buffer, BUFFER_UNLIMITED);
    for (const struct source_driver *const *source = source_drivers(); *source != NULL; source++) {
        struct help_topic topic = {.sources = source_drivers(), .source = *source, .source_first = true};
        const char *text = write_topic(&topic, 0, &buffer);
        assert_non_null((*source)->about);
        char *first = memory_printf("\nExamples:\n  ttn-lw-migrate %s application ", (*source)->name);
        assert_contains(text, first);
        free(first);
        assert_int_equal(strstr((*source)->examples, "gateway ") != NULL, (*source)->list_gateways != NULL);
        // Of a command only its own.
        topic.command = command_find("device", 6);
        text = write_topic(&topic, 0, &buffer);
        first = memory_printf("\nExamples:\n  ttn-lw-migrate %s device ", (*source)->name);
        const char *examples = strstr(text, first);
        free(first);
        assert_non_null(examples);
        assert_null(strstr(examples, " application "));
        char word[12];
        snprintf(word, sizeof word, "%.10s", (*source)->about);
        assert_contains(text, word);
    }
    struct help_topic topic = {.sources = source_drivers(),
                               .source = source_find(source_drivers(), "loriot", 6),
                               .source_first = true,
                               .command = command_find("gateway", 7)};
    const char *text = write_topic(&topic, 0, &buffer);
    assert_null(strstr(text, "LORIOT keeps the devices"));
    assert_contains(text, "\nExamples:\n  ttn-lw-migrate loriot gateway > gateways.json\n");
}

// A target's flags are shown when it is chosen.
static void test_target(void **state) {
    (void)state;
    BUFFER_AUTO buffer;
    buffer_init(&buffer, BUFFER_UNLIMITED);
    struct help_topic topic = {.sources = fake_sources, .command = command_find("application", 11)};
    const char *text = write_topic(&topic, 0, &buffer);
    assert_contains(text, "\nTargets:\n  json ");
    assert_contains(text, "\n  tts                     The Things Stack (V3)\n");
    assert_contains(text, "--to TARGET --help");
    assert_null(strstr(text, "--to.tts.app-id"));
    topic.target = target_find("tts");
    text = write_topic(&topic, 0, &buffer);
    assert_contains(text, "\nFlags of the target tts:\n  --to.tts.app-id ID ");
    assert_contains(text, "--to.tts.app-api-key-file");
    check_lines(text, 80);
    topic.command = command_find("status", 6);
    text = write_topic(&topic, 0, &buffer);
    assert_null(strstr(text, "tts"));
}

static void assert_lacks(const char *text, const char *part) {
    if (strstr(text, part) != NULL) fail_msg("\"%s\" is in:\n%s", part, text);
}

// The line of an option up to the next one; static.
static const char *entry_of(const char *text, const char *option) {
    static char entry[1024];
    const char *begin = strstr(text, option);
    assert_non_null(begin);
    const char *end = strstr(begin, "\n  --");
    size_t size = end == NULL ? strlen(begin) : (size_t)(end - begin);
    if (size >= sizeof entry) size = sizeof entry - 1;
    memcpy(entry, begin, size);
    entry[size] = '\0';
    return entry;
}

// Sources, targets and options of gateways alone; what only devices need is not required.
static void test_gateways(void **state) {
    (void)state;
    BUFFER_AUTO buffer;
    buffer_init(&buffer, BUFFER_UNLIMITED);
    struct help_topic topic = {
        .sources = source_drivers(), .command = command_find("gateway", 7), .target = target_find("tts")};
    const char *text = write_topic(&topic, 0, &buffer);
    check_lines(text, 80);
    for (const struct source_driver *const *source = topic.sources; *source != NULL; source++) {
        char flag[64];
        snprintf(flag, sizeof flag, "\n  --%s.", (*source)->name);
        ((*source)->list_gateways != NULL ? assert_contains : assert_lacks)(text, flag);
    }
    assert_contains(text, "\n  loriot  ");
    assert_contains(text, "\n  chirpstack  ");
    assert_lacks(text, "\n  firefly  ");
    assert_contains(text, "\n  tts  ");
    assert_contains(text, "\n  json  ");
    assert_lacks(text, "\n  csv  ");
    static const char *const optional[] = {"--ttnv2.app-id", "--ttnv2.app-access-key KEY",
                                           "--ttnv2.frequency-plan-id", "--tts.app-id"};
    for (size_t i = 0; i < sizeof optional / sizeof *optional; i++)
        assert_lacks(entry_of(text, optional[i]), "[required]");
    static const char *const required[] = {"--ttnv2.account-token TOKEN", "--tts.app-api-key KEY",
                                           "--loriot.api-key KEY", "--to.tts.app-api-key KEY"};
    for (size_t i = 0; i < sizeof required / sizeof *required; i++)
        assert_contains(entry_of(text, required[i]), "[required]");
    topic.command = command_find("device", 6);
    text = write_topic(&topic, 0, &buffer);
    assert_contains(entry_of(text, "--ttnv2.app-id"), "[required]");
    assert_lacks(entry_of(text, "--ttnv2.account-token TOKEN"), "[required]");
    assert_contains(text, "\n  csv  ");
}

// A source without gateways tells of no such command, nor of its flags.
static void test_source_without_gateways(void **state) {
    (void)state;
    BUFFER_AUTO buffer;
    buffer_init(&buffer, BUFFER_UNLIMITED);
    struct help_topic topic = {.sources = source_drivers(),
                               .source = source_find(source_drivers(), "json", 4),
                               .source_first = true};
    const char *text = write_topic(&topic, 0, &buffer);
    assert_contains(text, "ttn-lw-migrate json device|application [FLAG...]");
    assert_lacks(text, "\n  gateway ");
    assert_lacks(text, "--redirect");
    topic.source = source_find(source_drivers(), "tts", 3);
    text = write_topic(&topic, 0, &buffer);
    assert_contains(text, "ttn-lw-migrate tts device|application|gateway [FLAG...]");
    assert_contains(text, "\n  gateway ");
    assert_contains(text, "--redirect");
}

static void test_find(void **state) {
    (void)state;
    char device[] = "devs", source[] = "table", sources[] = "sources", nothing[] = "nothing";
    struct {
        char *words[3];
        size_t count;
        const char *command, *source;
        int result;
    } cases[] = {
        {{NULL}, 0, NULL, NULL, 0},
        {{device}, 1, "device", NULL, 0},
        {{source}, 1, NULL, "csv", 0},
        {{source, device}, 2, "device", "csv", 0},
        {{source, sources}, 2, NULL, NULL, -ERROR_USAGE},
        {{nothing}, 1, NULL, NULL, -ERROR_USAGE},
        {{device, device}, 2, NULL, NULL, -ERROR_USAGE},
        {{source, device, nothing}, 3, NULL, NULL, -ERROR_USAGE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ERROR_AUTO error = {0};
        struct help_topic topic = {.sources = fake_sources};
        assert_int_equal(help_find(&topic, cases[i].words, cases[i].count, &error), cases[i].result);
        if (cases[i].result != 0) continue;
        assert_string_equal(topic.command == NULL ? "" : topic.command->name,
                            cases[i].command == NULL ? "" : cases[i].command);
        assert_string_equal(topic.source == NULL ? "" : topic.source->name,
                            cases[i].source == NULL ? "" : cases[i].source);
    }
}

// What the help, the completions and the parser expect of a row.
static void check_row(const struct option_spec *table, const struct option_spec *row) {
    if (row->help == NULL || *row->help == '\0') fail_msg("%s has no help", row->name);
    if (row->help[strlen(row->help) - 1] == '.') fail_msg("%s: full stop", row->name);
    if (row->type != OPTION_BOOL && row->argument == NULL) fail_msg("%s: its value has no name", row->name);
    if (row->type == OPTION_CHOICE && row->choices == NULL) fail_msg("%s has no choices", row->name);
    if ((row->flags & OPTION_SECRET) && row->type != OPTION_STRING) fail_msg("%s is no text", row->name);
    if ((row->flags & OPTION_SECRET) && row->default_value != NULL) fail_msg("%s has a default", row->name);
    if (option_find(table, row->name, strlen(row->name)) != row) fail_msg("%s is there twice", row->name);
    for (const char *at = row->help; *at != '\0'; at++) {
        if (*at < 0x20 || *at > 0x7e) fail_msg("%s: the layout counts ASCII only", row->name);
    }
}

static void test_rows(void **state) {
    (void)state;
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    for (size_t i = 0; global_options[i].name != NULL; i++) check_row(global_options, &global_options[i]);
    for (const struct target_driver *const *targets = target_drivers(); *targets != NULL; targets++) {
        const struct option_spec *table = (*targets)->options;
        for (size_t j = 0; table != NULL && table[j].name != NULL; j++) check_row(table, &table[j]);
    }
    const struct source_driver *const *sources = source_drivers();
    for (size_t i = 0; sources[i] != NULL; i++) {
        const struct option_spec *table = sources[i]->options;
        for (size_t j = 0; table[j].name != NULL; j++) check_row(table, &table[j]);
        option_values_free(option_values_new(table));
        struct help_topic topic = {.sources = sources, .source = sources[i]};
        check_lines(write_topic(&topic, 0, &text), 80);
        topic.source_first = true;
        check_lines(write_topic(&topic, 0, &text), 80);
    }
}

// A server is no file, also where options are shared.
static void test_servers_are_no_files(void **state) {
    (void)state;
    for (const struct source_driver *const *sources = source_drivers(); *sources != NULL; sources++) {
        static const char *const names[] = {"frequency-plan-id", "mac-version"};
        for (size_t i = 0; i < 2 && (*sources)->input == NULL; i++) {
            const struct option_spec *spec = option_find((*sources)->options, names[i], strlen(names[i]));
            if (spec != NULL && strstr(spec->help, "the file") != NULL)
                fail_msg("%s: %s", (*sources)->name, spec->help);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_widths),
        cmocka_unit_test(test_narrow),
        cmocka_unit_test(test_program),
        cmocka_unit_test(test_device),
        cmocka_unit_test(test_source),
        cmocka_unit_test(test_sources),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_target),
        cmocka_unit_test(test_gateways),
        cmocka_unit_test(test_source_without_gateways),
        cmocka_unit_test(test_servers_are_no_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
