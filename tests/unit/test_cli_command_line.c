// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/words.h"
#include "cli/global_options.h"
#include "fake_sources.h"
#include "target/target.h"

enum { ARGUMENTS_MAX = 16 };

static const char *no_environment(const char *name) {
    (void)name;
    return NULL;
}

// The variables of the published guide.
static const char *guide_environment(const char *name) {
    if (strcmp(name, "TTNV2_APP_ID") == 0) return "my-ttn-app";
    if (strcmp(name, "TTNV2_APP_ACCESS_KEY") == 0) return "ttn-account-v2.abc";
    if (strcmp(name, "FREQUENCY_PLAN_ID") == 0) return "EU_863_870_TTN";
    return NULL;
}

// A command line in one string, taken apart at spaces; "''" stands for an empty argument.
struct line {
    char *text;  // owned
    char *argv[ARGUMENTS_MAX + 1];
    int argc;
    struct invocation invocation;
    struct error error;
    int result;
};

static void line_parse(struct line *line, const char *text, option_lookup *lookup) {
    *line = (struct line){.text = memory_strdup(text)};
    char program[] = "ttn-lw-migrate";
    line->argv[line->argc++] = program;
    char *at = line->text;
    while (at != NULL && *at != '\0') {
        assert_true(line->argc < ARGUMENTS_MAX);
        char *end = strchr(at, ' ');
        if (end != NULL) *end = '\0';
        if (strcmp(at, "''") == 0) *at = '\0';
        line->argv[line->argc++] = at;
        at = end == NULL ? NULL : end + 1;
    }
    line->result =
        command_line_parse(line->argc, line->argv, fake_sources, lookup, &line->invocation, &line->error);
}

static void line_release(struct line *line) {
    invocation_release(&line->invocation);
    error_release(&line->error);
    free(line->text);
}

// Checks "command source arguments..." of a line that must parse.
static void expect(const char *text, const char *command, const char *source, const char *arguments) {
    struct line line;
    line_parse(&line, text, guide_environment);
    if (line.result != 0) fail_msg("\"%s\": %s", text, line.error.message);
    const struct invocation *invocation = &line.invocation;
    assert_string_equal(invocation->command != NULL ? invocation->command->name : "", command);
    assert_string_equal(invocation->source != NULL ? invocation->source->name : "", source);
    char joined[256] = "";
    for (size_t i = 0; i < invocation->argument_count; i++) {
        snprintf(joined + strlen(joined), sizeof joined - strlen(joined), "%s%s", i > 0 ? " " : "",
                 invocation->arguments[i]);
    }
    assert_string_equal(joined, arguments);
    line_release(&line);
}

static void test_guide(void **state) {
    (void)state;
    expect("device --help", "device", "", "");
    expect("devices --dry-run --verbose --source ttnv2 mydevice", "device", "ttnv2", "mydevice");
    expect("device --source ttnv2 mydevice", "device", "ttnv2", "mydevice");
    expect("devices --verbose --dry-run --source ttnv2", "device", "ttnv2", "");
    expect("devices --source ttnv2", "device", "ttnv2", "");
    expect("application --verbose --dry-run --source ttnv2 my-ttn-app", "application", "ttnv2", "my-ttn-app");
    expect("application --source ttnv2 my-ttn-app", "application", "ttnv2", "my-ttn-app");
    expect("device --source ttnv2 --ttnv2.with-session=false mydevice", "device", "ttnv2", "mydevice");
    expect("device --source ttnv2 --ttnv2.discovery-server-insecure mydevice", "device", "ttnv2", "mydevice");
    expect("ttnv2 application my-ttn-app --dry-run --verbose", "application", "ttnv2", "my-ttn-app");
    expect("ttnv2 device mydevice", "device", "ttnv2", "mydevice");
    expect("ttnv2 device --with-session=false mydevice", "device", "ttnv2", "mydevice");
}

static void test_guide_values(void **state) {
    (void)state;
    struct line line;
    line_parse(&line, "devices --dry-run --verbose --source ttnv2 --ttnv2.with-session=false mydevice",
               guide_environment);
    assert_int_equal(line.result, 0);
    assert_true(option_bool(line.invocation.global, "dry-run"));
    assert_true(option_bool(line.invocation.global, "verbose"));
    assert_false(option_bool(line.invocation.source_options, "with-session"));
    assert_string_equal(option_string(line.invocation.source_options, "app-id"), "my-ttn-app");
    assert_string_equal(option_string(line.invocation.source_options, "frequency-plan-id"), "EU_863_870_TTN");
    assert_int_equal(option_uint(line.invocation.global, "concurrency"), 16);
    assert_false(line.invocation.source_first);
    line_release(&line);
}

static void test_aliases(void **state) {
    (void)state;
    static const char *const devices[] = {"device", "end-devices", "end-device", "devices",
                                          "devs",   "dev",         "d"};
    static const char *const applications[] = {"application", "applications", "apps", "app", "a"};
    char text[64];
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
        snprintf(text, sizeof text, "ttnv2 %s x", devices[i]);
        expect(text, "device", "ttnv2", "x");
    }
    for (size_t i = 0; i < sizeof applications / sizeof *applications; i++) {
        snprintf(text, sizeof text, "%s --source ttnv2 x", applications[i]);
        expect(text, "application", "ttnv2", "x");
    }
    expect("list-sources", "sources", "", "");
    expect("get-sources", "sources", "", "");
    expect("table device x", "device", "csv", "x");
    expect("device --source spreadsheet x", "device", "csv", "x");
}

static void test_positions(void **state) {
    (void)state;
    expect("--dry-run ttnv2 device x", "device", "ttnv2", "x");
    expect("ttnv2 --dry-run device x", "device", "ttnv2", "x");
    expect("ttnv2 device x --dry-run", "device", "ttnv2", "x");
    expect("--app-id device ttnv2 device x", "device", "ttnv2", "x");
    expect("--ttnv2.app-id ttnv2 device --source ttnv2 x", "device", "ttnv2", "x");
    expect("--source ttnv2 device x", "device", "ttnv2", "x");
    expect("device x --source=ttnv2", "device", "ttnv2", "x");
    expect("device x --source csv --source ttnv2", "device", "ttnv2", "x");
    expect("ttnv2 device --source ttnv2 x", "device", "ttnv2", "x");
    expect("ttnv2 device -- --dry-run -x", "device", "ttnv2", "--dry-run -x");
    expect("ttnv2 device a -- b", "device", "ttnv2", "a b");
    expect("ttnv2 device -", "device", "ttnv2", "-");
    expect("ttnv2 device --dry-run false", "device", "ttnv2", "false");
    expect("ttnv2 device device", "device", "ttnv2", "device");
    expect("ttnv2 device ttnv2", "device", "ttnv2", "ttnv2");
    expect("version", "version", "", "");
    expect("--version", "version", "", "");
    expect("ttnv2 device x --version", "version", "ttnv2", "");
    expect("plan ttnv2 device x", "device", "ttnv2", "x");
    expect("plan device --source ttnv2 plan", "device", "ttnv2", "plan");
    expect("--verbose plan ttnv2 app my-app", "application", "ttnv2", "my-app");
    expect("sources --json", "sources", "", "");
    expect("sources --dry-run --frequency-plans-url x --dev-id-prefix y", "sources", "", "");
    expect("help", "help", "", "");
    expect("help ttnv2 device", "help", "", "ttnv2 device");
    expect("completion bash", "completion", "", "bash");
    expect("frequency-plans EU_863_870 --json", "frequency-plans", "", "EU_863_870");
}

static void test_help(void **state) {
    (void)state;
    static const char *const lines[] = {"--help",
                                        "-h",
                                        "ttnv2 --help",
                                        "ttnv2 device -h",
                                        "device --help",
                                        "-h device",
                                        "device --help x y",
                                        "sources -h",
                                        "--help ttnv2",
                                        "device --source ttnv2 --help",
                                        "ttnv2 device --app-id x -h"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct line line;
        line_parse(&line, lines[i], no_environment);
        if (line.result != 0) fail_msg("\"%s\": %s", lines[i], line.error.message);
        assert_true(line.invocation.help);
        line_release(&line);
    }
    struct line line;
    line_parse(&line, "ttnv2 device -- --help", guide_environment);
    assert_false(line.invocation.help);
    line_release(&line);
}

// The text of an option after parsing; of the source's table if `name` starts with a dot.
static void expect_option(const char *text, option_lookup *lookup, const char *name, const char *value) {
    struct line line;
    line_parse(&line, text, lookup);
    if (line.result != 0) fail_msg("\"%s\": %s", text, line.error.message);
    const char *found = name[0] == '.' ? option_string(line.invocation.source_options, name + 1)
                                       : option_string(line.invocation.global, name);
    if (value == NULL) assert_null(found);
    if (value != NULL) assert_string_equal(found, value);
    line_release(&line);
}

static void test_forms(void **state) {
    (void)state;
    expect_option("ttnv2 device --app-id a x", guide_environment, ".app-id", "a");
    expect_option("ttnv2 device --app-id=a x", guide_environment, ".app-id", "a");
    expect_option("ttnv2 device --ttnv2.app-id a x", guide_environment, ".app-id", "a");
    expect_option("device --source ttnv2 --app-id a x", guide_environment, ".app-id", "a");
    expect_option("device --source ttnv2 --ttnv2.app-id=a x", guide_environment, ".app-id", "a");
    expect_option("device --app-id a --source ttnv2 x", guide_environment, ".app-id", "a");
    expect_option("ttnv2 device --app-id a --app-id b x", guide_environment, ".app-id", "b");
    expect_option("ttnv2 device --app-id=a=b x", guide_environment, ".app-id", "a=b");
    expect_option("ttnv2 device --app-id -x x", guide_environment, ".app-id", "-x");
    expect_option("ttnv2 device --app-id=--verbose x", guide_environment, ".app-id", "--verbose");
    expect_option("ttnv2 device x", guide_environment, ".app-id", "my-ttn-app");
    expect_option("table device --table.delimiter ; x", no_environment, ".delimiter", ";");
    expect_option("csv device --table.delimiter ; x", no_environment, ".delimiter", ";");
    expect_option("csv device --internal x", no_environment, ".delimiter", NULL);
}

static const char *colliding_environment(const char *name) {
    return strcmp(name, "FAKE_JSON_OLD") == 0 ? "from-environment" : NULL;
}

static void test_collisions(void **state) {
    (void)state;
    // The source's in the form with the source first, the global one in the older form.
    expect_option("csv device --output a x", no_environment, ".output", "a");
    expect_option("csv device --output a x", no_environment, "output", NULL);
    expect_option("device --source csv --output a x", no_environment, ".output", NULL);
    expect_option("device --source csv --output a x", no_environment, "output", "a");
    expect_option("device --source csv --csv.output a --output b x", no_environment, ".output", "a");
    expect_option("device --source csv --csv.output a --output b x", no_environment, "output", "b");
    expect_option("csv device --json=a x", no_environment, ".json", "a");
    expect_option("csv device x", colliding_environment, ".json", "from-environment");
}

struct mistake {
    const char *text;
    const char *message;
    const char *hint;  // NULL: any
};

static const struct mistake mistakes[] = {
    {"", "there is no command", "ttn-lw-migrate --help"},
    {"--dry-run", "there is no command", NULL},
    {"ttnv2", "there is no command after the source ttnv2", NULL},
    {"devcie", "unknown command \"devcie\"", "ttn-lw-migrate device"},
    {"ttnv3 device x", "unknown command \"ttnv3\"", "ttn-lw-migrate ttnv2"},
    {"ttnv2 aplication x", "unknown command \"aplication\"", "ttn-lw-migrate ttnv2 application"},
    {"ttnv2 sources", "unknown command \"sources\"", NULL},
    {"frobnicate", "unknown command \"frobnicate\"", "ttn-lw-migrate --help"},
    {"frobnicate --help", "unknown command \"frobnicate\"", NULL},
    {"device x", "no source is named",
     "ttn-lw-migrate SOURCE device; ttn-lw-migrate sources lists the sources"},
    {"device --source ttv2 x", "unknown source \"ttv2\"", "--source ttnv2"},
    {"device --source nowhere x", "unknown source \"nowhere\"", "ttn-lw-migrate sources"},
    {"device --source '' x", "unknown source \"\"", "ttn-lw-migrate sources"},
    {"device --source", "--source needs a value", NULL},
    {"csv device --source ttnv2 x", "two sources are named: csv and ttnv2", NULL},
    {"ttnv2 device --aap-id x", "unknown flag --aap-id", "--app-id"},
    {"device --source ttnv2 --ttnv2.aap-id x", "unknown flag --ttnv2.aap-id", "--ttnv2.app-id"},
    {"ttnv2 device --app-acess-key=SECRET x", "unknown flag --app-acess-key", "--app-access-key"},
    {"--app-acess-key SECRET ttnv2 device x", "unknown flag --app-acess-key", NULL},
    {"ttnv2 device --dryrun x", "unknown flag --dryrun", "--dry-run"},
    {"ttnv2 device -dry-run x", "unknown flag -dry-run", "--dry-run"},
    {"ttnv2 device --dry x", "unknown flag --dry", "ttn-lw-migrate ttnv2 device --help"},
    {"ttnv2 device -v x", "unknown flag -v", NULL},
    {"ttnv2 device ---verbose x", "unknown flag ---verbose", NULL},
    {"ttnv2 device --=x x", "unknown flag --", NULL},
    {"ttnv2 device --. x", "unknown flag --.", NULL},
    {"ttnv2 device --zzzzzzzzzz x", "unknown flag --zzzzzzzzzz", "ttn-lw-migrate ttnv2 device --help"},
    {"ttnv2 device --csv.delimiter ; x",
     "--csv.delimiter is a flag of the source csv, but the source is ttnv2", NULL},
    {"sources --source ttnv2", "--source means nothing to the command sources",
     "ttn-lw-migrate sources --help"},
    {"sources --concurrency 3", "--concurrency means nothing to the command sources", NULL},
    {"ttnv2 device --list x", "--list means nothing to the command device", NULL},
    {"sources --app-id x", "unknown flag --app-id", NULL},
    {"sources --ttnv2.app-id x extra", "sources takes no argument", NULL},
    {"version 1", "version takes no argument", NULL},
    {"completion bash zsh", "completion takes only one argument", NULL},
    {"ttnv2 device --app-id", "--app-id needs a value", NULL},
    {"ttnv2 device --app-id --verbose x", "--app-id needs a value", NULL},
    {"ttnv2 device --app-id -- x", "--app-id needs a value", NULL},
    {"ttnv2 device --app-id= x", "the source ttnv2 needs --app-id (or TTNV2_APP_ID)", NULL},
    {"ttnv2 device --concurrency 0 x", "--concurrency is 0, but must be 1 to 1024", NULL},
    {"ttnv2 device --concurrency many x", "--concurrency is \"many\", not a number", NULL},
    {"ttnv2 device --timeout 0 x", "--timeout is \"0\", which is too short", NULL},
    {"ttnv2 device --rate fast x", "--rate is \"fast\", not calls per second, such as 5 or 0.5", NULL},
    {"ttnv2 device --progress sometimes x", "--progress is \"sometimes\", not one of: auto always never",
     NULL},
    {"ttnv2 device --to xml x", "--to is \"xml\", not one of: json csv tts chirpstack", NULL},
    {"ttnv2 device --to.tts.app-id a x",
     "--to.tts.app-id is a flag of the target tts, but the target is json", "--to tts"},
    {"ttnv2 device --to tts --to.tts.ap-id a x", "unknown flag --to.tts.ap-id", "--to.tts.app-id"},
    {"ttnv2 device --to tts --to.tts.app-api-ky SECRET x", "unknown flag --to.tts.app-api-ky",
     "--to.tts.app-api-key"},
    {"ttnv2 device --to tts --to.json.app-id a x",
     "--to.json.app-id is a flag of the target json, but the target is tts", "--to json"},
    {"ttnv2 device --to tts --to.nowhere.app-id a x", "unknown flag --to.nowhere.app-id", NULL},
    {"ttnv2 device --to tts --to.tts. a x", "unknown flag --to.tts.", NULL},
    {"resume --to.tts.app-id a", "--to.tts.app-id cannot change in a run that has begun", NULL},
    {"resume --ttnv2.app-id a", "--ttnv2.app-id cannot change in a run that has begun", NULL},
    {"resume --app-id a", "unknown flag --app-id",
     "a flag of the run's source has the source's name before it: --SOURCE.app-id"},
    {"rollback --ttnv2.frequency-plan-id a",
     "--ttnv2.frequency-plan-id cannot change in a run that has begun",
     "it holds where devices are converted: ttn-lw-migrate resume"},
    {"status --ttnv2.app-id a", "--ttnv2.app-id means nothing to the command status", NULL},
    {"resume --ttnv2.frequency-plan-id a --csv.delimiter b",
     "--csv.delimiter is a flag of the source csv, but the source is ttnv2", NULL},
    {"resume --to tts", "--to means nothing to the command resume", NULL},
    {"ttnv2 device --to tts --to.tts.app-api-key-file /nonexistent/k x",
     "--to.tts.app-api-key-file: cannot read /nonexistent/k: No such file or directory", NULL},
    {"ttnv2 device --to tts x", "the target tts needs --to.tts.app-api-key (or TARGET_TTS_APP_API_KEY)",
     NULL},
    {"ttnv2 device --on-conflict ask x", "--on-conflict is \"ask\", not one of: fail skip update", NULL},
    {"ttnv2 device --dry-run=maybe x", "--dry-run is \"maybe\", not true or false", NULL},
    {"ttnv2 device --dry-run= x", "--dry-run is \"\", not true or false", NULL},
    {"ttnv2 device --app-access-key-file /nonexistent/k x",
     "--app-access-key-file: cannot read /nonexistent/k: No such file or directory", NULL},
    {"ttnv2 device --app-id-file /nonexistent/k x", "unknown flag --app-id-file", NULL},
    {"--json csv device x", "cannot tell the command from the flags before it", NULL},
};

static void test_mistakes(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        struct line line;
        line_parse(&line, mistakes[i].text, guide_environment);
        if (line.result == 0) fail_msg("\"%s\" was accepted", mistakes[i].text);
        assert_int_equal(line.result, -ERROR_USAGE);
        assert_string_equal(line.error.message, mistakes[i].message);
        if (mistakes[i].hint != NULL) {
            assert_non_null(line.error.hint);
            assert_string_equal(line.error.hint, mistakes[i].hint);
        }
        assert_null(strstr(line.error.message, "SECRET"));
        line_release(&line);
    }
}

static void test_required(void **state) {
    (void)state;
    struct line line;
    line_parse(&line, "ttnv2 device x", no_environment);
    assert_string_equal(line.error.message,
                        "the source ttnv2 needs --frequency-plan-id (or FREQUENCY_PLAN_ID), --app-id (or "
                        "TTNV2_APP_ID), --app-access-key (or TTNV2_APP_ACCESS_KEY)");
    line_release(&line);
    line_parse(&line, "device --source ttnv2 --app-id a --frequency-plan-id p x", no_environment);
    assert_string_equal(line.error.message,
                        "the source ttnv2 needs --ttnv2.app-access-key (or TTNV2_APP_ACCESS_KEY)");
    line_release(&line);
    // Without a run there is nothing that needs them.
    line_parse(&line, "sources", no_environment);
    assert_int_equal(line.result, 0);
    line_release(&line);
}

static void test_secrets(void **state) {
    (void)state;
    struct line line;
    line_parse(&line, "ttnv2 device --app-access-key one --ttnv2.app-access-key=two x", guide_environment);
    assert_int_equal(line.result, 0);
    assert_string_equal(option_string(line.invocation.source_options, "app-access-key"), "two");
    assert_string_equal(line.argv[4], "");
    assert_string_equal(line.argv[5], "--ttnv2.app-access-key=");
    assert_string_equal(line.argv[6], "x");
    line_release(&line);
}

static void test_secret_file(void **state) {
    (void)state;
    char path[] = "/tmp/test_cli_command_line_XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "from-file\n", 10), 10);
    close(fd);
    static const char *const lines[] = {"ttnv2 device --app-access-key-file %s x",
                                        "ttnv2 device --ttnv2.app-access-key-file=%s x",
                                        "device --source ttnv2 --app-access-key-file %s x"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        const char *placeholder = strstr(lines[i], "%s");
        char text[128];
        snprintf(text, sizeof text, "%.*s%s%s", (int)(placeholder - lines[i]), lines[i], path,
                 placeholder + 2);
        expect_option(text, guide_environment, ".app-access-key", "from-file");
    }
    unlink(path);
}

static const char *wrong_environment(const char *name) {
    if (strcmp(name, "TTN_LW_MIGRATE_CONCURRENCY") == 0) return "lots";
    return guide_environment(name);
}

static const char *own_environment(const char *name) {
    if (strcmp(name, "TTN_LW_MIGRATE_CONCURRENCY") == 0) return "4";
    if (strcmp(name, "TTN_LW_MIGRATE_TIMEOUT") == 0) return "1m";
    if (strcmp(name, "TTNV2_WITH_SESSION") == 0) return "0";
    return guide_environment(name);
}

static void test_environment(void **state) {
    (void)state;
    struct line line;
    line_parse(&line, "ttnv2 device x", own_environment);
    assert_int_equal(line.result, 0);
    assert_int_equal(option_uint(line.invocation.global, "concurrency"), 4);
    assert_int_equal(option_duration(line.invocation.global, "timeout"), INT64_C(60000000000));
    assert_false(option_bool(line.invocation.source_options, "with-session"));
    line_release(&line);
    line_parse(&line, "ttnv2 device --with-session --concurrency 5 x", own_environment);
    assert_int_equal(option_uint(line.invocation.global, "concurrency"), 5);
    assert_true(option_bool(line.invocation.source_options, "with-session"));
    line_release(&line);
    line_parse(&line, "ttnv2 device x", wrong_environment);
    assert_string_equal(line.error.message,
                        "environment variable TTN_LW_MIGRATE_CONCURRENCY is \"lots\", not a number");
    line_release(&line);
    line_parse(&line, "ttnv2 device --help", wrong_environment);
    assert_int_equal(line.result, 0);
    line_release(&line);
    // A command that has no such option.
    line_parse(&line, "status", wrong_environment);
    assert_int_equal(line.result, 0);
    line_release(&line);
    line_parse(&line, "verify", wrong_environment);
    assert_int_equal(line.result, -ERROR_USAGE);
    assert_non_null(strstr(line.error.message, "TTN_LW_MIGRATE_CONCURRENCY"));
    line_release(&line);
}

static const char *target_environment(const char *name) {
    if (strcmp(name, "TARGET_TTS_APP_API_KEY") == 0) return "NNSXS.FROM.ENVIRONMENT";
    if (strcmp(name, "TARGET_TTS_INSECURE") == 0) return "perhaps";
    return guide_environment(name);
}

// The flags of a target: only those of the one that is chosen, wherever --to stands.
static void test_target(void **state) {
    (void)state;
    struct line line;
    line_parse(&line, "ttnv2 device x", target_environment);
    assert_int_equal(line.result, 0);
    assert_string_equal(line.invocation.target->name, "json");
    assert_null(line.invocation.target_options);
    line_release(&line);
    line_parse(&line, "device --source ttnv2 --to.tts.app-id my-app --to tts --to.tts.insecure x",
               target_environment);
    if (line.result != 0) fail_msg("%s", line.error.message);
    assert_string_equal(line.invocation.target->name, "tts");
    assert_string_equal(option_string(line.invocation.target_options, "app-id"), "my-app");
    assert_string_equal(option_string(line.invocation.target_options, "app-api-key"),
                        "NNSXS.FROM.ENVIRONMENT");
    assert_true(option_bool(line.invocation.target_options, "insecure"));
    line_release(&line);
    // A variable of the target that is chosen counts, and is checked.
    line_parse(&line, "ttnv2 device --to=tts x", target_environment);
    assert_string_equal(line.error.message,
                        "environment variable TARGET_TTS_INSECURE is \"perhaps\", not true or false");
    line_release(&line);
    line_parse(&line, "ttnv2 device --to=json x", target_environment);
    assert_int_equal(line.result, 0);
    line_release(&line);
    line_parse(&line, "application --to tts --help", no_environment);
    assert_int_equal(line.result, 0);
    assert_string_equal(line.invocation.target->name, "tts");
    line_release(&line);
}

// The key is wiped where everybody could see it.
static void test_target_secret(void **state) {
    (void)state;
    struct line line;
    line_parse(&line, "ttnv2 device --to tts --to.tts.app-api-key SECRET --to.tts.app-api-key=SECRET x",
               guide_environment);
    if (line.result != 0) fail_msg("%s", line.error.message);
    assert_string_equal(option_string(line.invocation.target_options, "app-api-key"), "SECRET");
    for (int i = 1; i < line.argc; i++) assert_null(strstr(line.argv[i], "SECRET"));
    line_release(&line);
}

// Each target can be chosen.
static void test_target_choices(void **state) {
    (void)state;
    const struct option_spec *spec = option_find(global_options, "to", 2);
    for (const struct target_driver *const *targets = target_drivers(); *targets != NULL; targets++) {
        assert_true(words_contain(spec->choices, (*targets)->name, strlen((*targets)->name)));
    }
}

// Arguments of random bytes and pieces of flags must never do more than fail.
static void test_hostile(void **state) {
    (void)state;
    static const char *const pieces[] = {"--",
                                         "-",
                                         "=",
                                         ".",
                                         "ttnv2",
                                         "device",
                                         "--source",
                                         "--ttnv2.",
                                         "-file",
                                         "\xff\x1b[2J",
                                         "--app-access-key",
                                         "h",
                                         "--json",
                                         "csv",
                                         "x",
                                         "--help",
                                         "''",
                                         "--output=",
                                         "--to",
                                         "tts",
                                         "--to.tts.",
                                         "\n"};
    uint64_t random = 88172645463325252U;
    for (unsigned round = 0; round < 20000; round++) {
        char text[512] = "";
        for (unsigned i = 0; i < 8; i++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            strncat(text, pieces[random % (sizeof pieces / sizeof *pieces)], 40);
            if (random >> 60 & 1) strncat(text, " ", 2);
        }
        struct line line;
        line_parse(&line, text, guide_environment);
        if (line.result != 0) assert_int_equal(line.error.code, ERROR_USAGE);
        line_release(&line);
    }
}

// A run that goes on takes what is given anew from its command line alone.
static void test_given_anew(void **state) {
    (void)state;
    struct line line;
    line_parse(&line,
               "resume --ttnv2.frequency-plan-id AS_923 --ttnv2.app-access-key=K --to.tts.app-api-key L run",
               guide_environment);
    assert_int_equal(line.result, 0);
    assert_string_equal(line.invocation.source->name, "ttnv2");
    assert_string_equal(line.invocation.target->name, "tts");
    assert_string_equal(option_string(line.invocation.source_options, "frequency-plan-id"), "AS_923");
    assert_string_equal(option_string(line.invocation.target_options, "app-api-key"), "L");
    assert_false(option_given(line.invocation.source_options, "app-id"));
    assert_int_equal(line.invocation.argument_count, 1);
    line_release(&line);
}

static void test_no_program_name(void **state) {
    (void)state;
    char *argv[] = {NULL};
    ERROR_AUTO error = {0};
    struct invocation invocation;
    assert_int_equal(command_line_parse(0, argv, fake_sources, no_environment, &invocation, &error),
                     -ERROR_USAGE);
    invocation_release(&invocation);
}

static void test_tables(void **state) {
    (void)state;
    for (const struct option_spec *spec = global_options; spec->name != NULL; spec++) {
        assert_non_null(spec->help);
        assert_ptr_equal(option_find(global_options, spec->name, strlen(spec->name)), spec);
        bool used = false;
        for (const struct command *command = commands; command->name != NULL; command++) {
            used = used || command_shows(command, spec->name);
        }
        if (!used) fail_msg("--%s belongs to no command", spec->name);
    }
    for (const struct command *command = commands; command->name != NULL; command++) {
        assert_non_null(command->summary);
        assert_non_null(command->run);
        assert_ptr_equal(command_find(command->name, strlen(command->name)), command);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_target),         cmocka_unit_test(test_target_secret),
        cmocka_unit_test(test_target_choices), cmocka_unit_test(test_guide),
        cmocka_unit_test(test_guide_values),   cmocka_unit_test(test_aliases),
        cmocka_unit_test(test_positions),      cmocka_unit_test(test_help),
        cmocka_unit_test(test_forms),          cmocka_unit_test(test_collisions),
        cmocka_unit_test(test_given_anew),     cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_required),       cmocka_unit_test(test_secrets),
        cmocka_unit_test(test_secret_file),    cmocka_unit_test(test_environment),
        cmocka_unit_test(test_hostile),        cmocka_unit_test(test_no_program_name),
        cmocka_unit_test(test_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
