// SPDX-License-Identifier: Apache-2.0
// The sandbox's command line, its files and its timers.
#include "test_sandbox_help.h"

#include <getopt.h>
#include <unistd.h>

#include "server/files.h"
#include "server/options.h"
#include "server/timers.h"

enum { ARGUMENTS_MAX = 32 };

// Parses words separated by spaces; they live in `line`, which the options borrow.
static int parse(char *line, struct options *options, struct error *error) {
    char *words[ARGUMENTS_MAX] = {memory_strdup("ttn-lw-sandbox")};
    int count = 1;
    char *rest = line;
    while (rest != NULL && count < ARGUMENTS_MAX) words[count++] = strsep(&rest, " ");
    optind = 0;
    int result = options_parse(count, words, options, error);
    for (int i = 0; i < count; i++) {
        if (strcmp(words[i], "ttn-lw-sandbox") == 0) free(words[i]);
    }
    return result;
}

static void test_values(void **state) {
    (void)state;
    char line[] =
        "--devices 1000 --seed=7 --latency 30ms --rate-limit 5/s --fault A:internal --fault B:garbage "
        "--uplinks 2.5 "
        "--app-id my-app_2 --broken --functions large --handler-port=1904 --tts-devices 30 --tts-port 1884 "
        "--firefly-devices 8 --loriot-devices 9 --awsiot-devices 6";
    struct options options;
    ERROR_AUTO error = {0};
    assert_int_equal(parse(line, &options, &error), 0);
    assert_int_equal(options.world.devices, 1000);
    assert_int_equal(options.world.seed, 7);
    assert_int_equal(options.latency, 30 * NS_PER_MS);
    assert_int_equal(options.world.rate_limit, 5);
    assert_int_equal(options.fault_count, 2);
    assert_string_equal(options.faults[1], "B:garbage");
    assert_true(options.world.uplinks == 2.5);
    assert_string_equal(options.world.app_id, "my-app_2");
    assert_true(options.world.broken);
    assert_int_equal(options.world.functions, WORLD_FUNCTIONS_LARGE);
    assert_int_equal(options.handler_port, 1904);
    assert_int_equal(options.world.tts_devices, 30);
    assert_int_equal(options.tts_port, 1884);
    assert_int_equal(options.world.firefly_devices, 8);
    assert_int_equal(options.world.loriot_devices, 9);
    assert_int_equal(options.world.awsiot_devices, 6);
    assert_string_equal(options.listen, "127.0.0.1");
}

static void test_defaults(void **state) {
    (void)state;
    char line[] = "--real-limits";
    struct options options;
    ERROR_AUTO error = {0};
    assert_int_equal(parse(line, &options, &error), 0);
    assert_int_equal(options.world.devices, 10);
    assert_int_equal(options.world.seed, 1);
    assert_int_equal(options.world.rate_limit, 5);
    assert_false(options.world.broken);
    assert_null(options.world.app_id);
}

static void test_refused(void **state) {
    (void)state;
    static const char *const lines[] = {
        "--nothing",      "--devices",         "--devices x",      "--devices -1",    "--devices 99999999999",
        "--latency 5x",   "--latency ms",      "--rate-limit 5/m", "--uplinks -1",    "--uplinks x",
        "--app-id Upper", "--http-port 65536", "--tts-port 65533", "--tts-devices x", "--functions some",
        "stray",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char *line = memory_strdup(lines[i]);
        struct options options;
        ERROR_AUTO error = {0};
        assert_int_equal(parse(line, &options, &error), -ERROR_USAGE);
        free(line);
    }
}

// Every option is in the help.
static void test_help(void **state) {
    (void)state;
    static const char *const names[] = {
        "--devices",        "--seed",           "--listen",        "--latency",        "--rate-limit",
        "--real-limits",    "--fault",          "--record",        "--state",          "--uplinks",
        "--app-id",         "--broken",         "--plain-handler", "--ports-file",     "--help",
        "--version",        "--tts-devices",    "--tts-port",      "--plain-tts-port", "--firefly-devices",
        "--loriot-devices", "--awsiot-devices", "--functions"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_true(strstr(options_help, names[i]) != NULL || strstr(options_help_servers, names[i]) != NULL);
}

static void test_state_file(void **state) {
    (void)state;
    char folder[] = "/tmp/test-sandbox-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char *path = memory_printf("%s/state", folder);
    ERROR_AUTO error = {0};
    struct world *world = make_world(30);
    assert_int_equal(files_load_state(world, path, &error), 0);  // not there yet
    struct device device = {.app_id = APP, .dev_id = "mydevice", .description = "changed"};
    expect(set_device(world, &device), 0, "");
    char *before = get_device_hex(world, APP, "mydevice");
    assert_int_equal(files_save_state(world, path, &error), 0);
    world_free(world);
    world = make_world(5);
    assert_int_equal(files_load_state(world, path, &error), 0);
    char *after = get_device_hex(world, APP, "mydevice");
    assert_string_equal(before, after);
    struct world_numbers numbers;
    world_count(world, &numbers);
    assert_int_equal(numbers.devices, 31);
    world_free(world);
    world = make_world(0);
    assert_int_equal(files_write(path, "no json\n", 8, &error), 0);
    assert_int_equal(files_load_state(world, path, &error), -ERROR_INPUT);
    assert_int_equal(files_load_records(world, folder, true, &error), 0);  // a folder has no lines
    world_free(world);
    unlink(path);
    rmdir(folder);
    free(path);
    free(before);
    free(after);
}

static void test_timers(void **state) {
    (void)state;
    struct timers timers = {0};
    int items[100];
    assert_true(timers_next(&timers) == INT64_MAX);
    for (int i = 0; i < 100; i++) timers_add(&timers, (i * 37) % 50, &items[i]);
    assert_null(timers_take(&timers, -1));
    int64_t last = -1;
    const int *last_item = NULL;
    for (int i = 0; i < 100; i++) {
        int64_t due = timers_next(&timers);
        assert_true(due >= last);
        const int *item = timers_take(&timers, due);
        assert_non_null(item);
        assert_int_equal(((item - items) * 37) % 50, due);
        if (due == last) assert_true(item > last_item);
        last = due;
        last_item = item;
    }
    assert_null(timers_take(&timers, INT64_MAX));
    timers_release(&timers);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values), cmocka_unit_test(test_defaults),   cmocka_unit_test(test_refused),
        cmocka_unit_test(test_help),   cmocka_unit_test(test_state_file), cmocka_unit_test(test_timers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
