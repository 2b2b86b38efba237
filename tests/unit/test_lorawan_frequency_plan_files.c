// SPDX-License-Identifier: Apache-2.0
// Files of frequency plans: what each key does, how one file is laid over another, and everything that is
// refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
// cmocka needs those before it.
#include <cmocka.h>

#include "lorawan/frequency_plan.h"

// A set of at most three files in memory.
struct set {
    const char *list;
    const char *base;  // base.yml
    const char *plan;  // plan.yml
    unsigned fetched;
};

static int fetch(void *context, const char *name, struct buffer *content, struct error *error) {
    struct set *set = context;
    const char *text = NULL;
    set->fetched++;
    if (strcmp(name, "frequency-plans.yml") == 0) text = set->list;
    if (strcmp(name, "base.yml") == 0) text = set->base;
    if (strcmp(name, "plan.yml") == 0) text = set->plan;
    if (text == NULL) return error_set(error, ERROR_NOT_FOUND, "there is no %s", name);
    buffer_puts(content, text);
    return 0;
}

static const char list_of_one[] = "- {id: PLAN, name: A plan, file: plan.yml}\n";
static const char list_of_two[] =
    "- {id: BASE, file: base.yml}\n"
    "- {id: PLAN, base-id: BASE, file: plan.yml}\n";

static struct frequency_plans *load(struct set *set) {
    struct frequency_plans *plans = NULL;
    struct error error = {0};
    int result = frequency_plans_load(fetch, set, &plans, &error);
    if (result != 0) print_message("%s\n", error.message);
    assert_int_equal(result, 0);
    return plans;
}

static void refuse(struct set *set, const char *message) {
    struct frequency_plans *plans = NULL;
    struct error error = {0};
    assert_int_equal(frequency_plans_load(fetch, set, &plans, &error), -ERROR_INPUT);
    assert_null(plans);
    if (strstr(error.message, message) == NULL) print_message("got: %s\nnot: %s\n", error.message, message);
    assert_non_null(strstr(error.message, message));
    error_release(&error);
}

static const char everything[] =
    "band-id: EU_863_870\n"
    "uplink-channels:\n"
    "- {frequency: 868100000, min-data-rate: 1, max-data-rate: 4}\n"
    "- {frequency: 868300000, max-data-rate: 5, dwell-time: {enabled: true, duration: 1s}}\n"
    "downlink-channels:\n"
    "- {frequency: 869100000}\n"
    "- {frequency: 869300000}\n"
    "lora-standard-channel: {frequency: 868700000, data-rate: 6}\n"
    "fsk-channel: {frequency: 868800000, data-rate: 7}\n"
    "time-off-air: {fraction: 0.1}\n"
    "dwell-time: {uplinks: on, downlinks: off, duration: 1.5s}\n"
    "listen-before-talk: {rssi-target: -80.5, rssi-offset: 2, scan-time: 128us}\n"
    "radios: [{enable: true}]\n"
    "ping-slot: {frequency: 869500000, min-data-rate: 2, max-data-rate: 2}\n"
    "ping-slot-default-data-rate: 0\n"
    "rx2-channel: {frequency: 869600000}\n"
    "rx2-default-data-rate: 0x\n"
    "sub-bands:\n"
    "- {min-frequency: 863000000, max-frequency: 865000000, duty-cycle: 0.001, max-eirp: 14}\n"
    "- {min-frequency: 865000000, max-frequency: 868000000}\n"
    "max-eirp: 12.5\n"
    "some-later-key: {a: [1, 2]}\n";

// The text above with its one mistake mended.
static char *everything_right(void) {
    static char text[sizeof everything];
    memcpy(text, everything, sizeof text);
    memcpy(strstr(text, "0x"), "0 ", 2);
    return text;
}

static void test_every_key(void **unused) {
    (void)unused;
    struct set set = {.list = list_of_one, .plan = everything_right()};
    struct frequency_plans *plans = load(&set);
    assert_int_equal(plans->count, 1);
    const struct frequency_plan *plan = &plans->plans[0];
    assert_string_equal(plan->id, "PLAN");
    assert_string_equal(plan->name, "A plan");
    assert_string_equal(plan->band_id, "EU_863_870");
    assert_null(plan->base_id);
    assert_true(plan->end_devices);
    assert_false(plan->gateways);
    assert_int_equal(plan->uplink_channel_count, 2);
    assert_int_equal(plan->uplink_channels[0].frequency, 868100000);
    assert_int_equal(plan->uplink_channels[0].min_data_rate, 1);
    assert_int_equal(plan->uplink_channels[0].max_data_rate, 4);
    assert_int_equal(plan->uplink_channels[1].min_data_rate, 0);
    assert_int_equal(plan->downlink_channel_count, 2);
    assert_int_equal(plan->downlink_channels[1].frequency, 869300000);
    assert_int_equal(plan->lora_standard_channel.frequency, 868700000);
    assert_int_equal(plan->lora_standard_channel.data_rate, 6);
    assert_int_equal(plan->fsk_channel.frequency, 868800000);
    assert_int_equal(plan->fsk_channel.data_rate, 7);
    assert_int_equal(plan->dwell_uplinks, BAND_TRUE);
    assert_int_equal(plan->dwell_downlinks, BAND_FALSE);
    assert_int_equal(plan->dwell_duration, 1500000000);
    assert_true(plan->listen_before_talk);
    assert_true(plan->lbt_rssi_target == -80.5F && plan->lbt_rssi_offset == 2.0F);
    assert_int_equal(plan->lbt_scan_time, 128000);
    assert_int_equal(plan->ping_slot_frequency, 869500000);
    assert_int_equal(plan->ping_slot_data_rate, 0);
    assert_int_equal(plan->rx2_frequency, 869600000);
    assert_int_equal(plan->rx2_data_rate, 0);
    assert_int_equal(plan->sub_band_count, 2);
    assert_true(plan->sub_bands[0].duty_cycle == 0.001F && plan->sub_bands[0].max_eirp == 14.0F);
    assert_true(plan->sub_bands[1].duty_cycle == 0.0F && plan->sub_bands[1].max_eirp == 0.0F);
    assert_true(plan->max_eirp == 12.5F);
    frequency_plans_free(plans);
}

// A file without a key leaves what the base has; empty lists and mappings say nothing.
static void test_laying_nothing_over(void **unused) {
    (void)unused;
    struct set set = {.list = list_of_two, .base = everything_right()};
    set.plan =
        "band-id: ~\nuplink-channels: []\ndownlink-channels: null\ndwell-time: {}\nsub-bands: []\n"
        "lora-standard-channel:\nrx2-default-data-rate:\nmax-eirp: null\n";
    struct frequency_plans *plans = load(&set);
    const struct frequency_plan *base = &plans->plans[0], *plan = &plans->plans[1];
    assert_string_equal(plan->base_id, "BASE");
    assert_string_equal(plan->name, "");
    assert_string_equal(plan->band_id, base->band_id);
    assert_int_equal(plan->uplink_channel_count, 2);
    assert_int_equal(plan->downlink_channel_count, 2);
    assert_int_equal(plan->lora_standard_channel.frequency, 868700000);
    assert_int_equal(plan->fsk_channel.frequency, 868800000);
    assert_int_equal(plan->dwell_uplinks, BAND_TRUE);
    assert_int_equal(plan->dwell_duration, 1500000000);
    assert_true(plan->listen_before_talk);
    assert_int_equal(plan->ping_slot_frequency, 869500000);
    assert_int_equal(plan->ping_slot_data_rate, 0);
    assert_int_equal(plan->rx2_frequency, 869600000);
    assert_int_equal(plan->rx2_data_rate, 0);
    assert_int_equal(plan->sub_band_count, 2);
    assert_true(plan->max_eirp == 12.5F);
    frequency_plans_free(plans);
}

// Whatever is there replaces the base's as a whole.
static void test_laying_everything_over(void **unused) {
    (void)unused;
    struct set set = {.list = list_of_two, .base = everything_right()};
    set.plan =
        "band-id: EU_433\n"
        "uplink-channels: [{frequency: 433175000, max-data-rate: 5}]\n"
        "downlink-channels: [{frequency: 433375000}]\n"
        "lora-standard-channel: {frequency: 434000000}\n"
        "fsk-channel: {frequency: 434100000}\n"
        "dwell-time: {downlinks: false}\n"
        "listen-before-talk: {rssi-target: -70, scan-time: 5000000}\n"
        "ping-slot: {frequency: 434200000}\n"
        "ping-slot-default-data-rate: 1\n"
        "rx2-channel: {frequency: 434300000}\n"
        "rx2-default-data-rate: 2\n"
        "sub-bands: [{min-frequency: 433000000, max-frequency: 434000000}]\n"
        "max-eirp: 10\n";
    struct frequency_plans *plans = load(&set);
    const struct frequency_plan *plan = &plans->plans[1];
    assert_string_equal(plan->band_id, "EU_433");
    assert_int_equal(plan->uplink_channel_count, 1);
    assert_int_equal(plan->uplink_channels[0].min_data_rate, 0);
    assert_int_equal(plan->downlink_channel_count, 1);
    assert_int_equal(plan->downlink_channels[0].frequency, 433375000);
    assert_int_equal(plan->lora_standard_channel.frequency, 434000000);
    assert_int_equal(plan->lora_standard_channel.data_rate, 0);
    assert_int_equal(plan->fsk_channel.data_rate, 0);
    assert_int_equal(plan->dwell_uplinks, BAND_UNSET);
    assert_int_equal(plan->dwell_downlinks, BAND_FALSE);
    assert_int_equal(plan->dwell_duration, 0);
    assert_true(plan->lbt_rssi_target == -70.0F && plan->lbt_rssi_offset == 0.0F);
    assert_int_equal(plan->lbt_scan_time, 5000000);
    assert_int_equal(plan->ping_slot_frequency, 434200000);
    assert_int_equal(plan->ping_slot_data_rate, 1);
    assert_int_equal(plan->rx2_frequency, 434300000);
    assert_int_equal(plan->rx2_data_rate, 2);
    assert_int_equal(plan->sub_band_count, 1);
    assert_true(plan->max_eirp == 10.0F);
    assert_int_equal(plans->plans[0].uplink_channel_count, 2);  // the base is as it was
    frequency_plans_free(plans);
}

// One level only: the base's own base does not count.
static void test_base_of_a_base(void **unused) {
    (void)unused;
    struct set set = {.plan = "max-eirp: 1\n", .base = "band-id: EU_433\nrx2-default-data-rate: 3\n"};
    set.list =
        "- {id: A, file: base.yml, end-devices: false, gateways: true}\n"
        "- {id: B, file: plan.yml, base-id: A, end-devices: false}\n"
        "- {id: C, file: plan.yml, base-id: B, end-devices: false, band-id: EU_863_870}\n";
    struct frequency_plans *plans = load(&set);
    assert_int_equal(set.fetched, 3);  // each file once
    assert_true(plans->plans[0].gateways);
    assert_false(plans->plans[0].end_devices);
    assert_int_equal(plans->plans[1].rx2_data_rate, 3);
    assert_int_equal(plans->plans[2].rx2_data_rate, -1);
    assert_string_equal(plans->plans[2].band_id, "EU_863_870");  // of the list, where no file says it
    frequency_plans_free(plans);
}

#define EU         "band-id: EU_863_870\n"
#define UPLINKS    "uplink-channels: [{frequency: 868100000, max-data-rate: 5}]\n"
#define CHANNEL    "{frequency: 868100000, max-data-rate: 5}"
#define FOUR(text) text "," text "," text "," text

static const struct {
    const char *plan;
    const char *message;
} bad_plans[] = {
    {everything, "plan.yml:17: rx2-default-data-rate is no whole number from 0 to 15"},
    {"", "plan.yml:1: the frequency plan is no mapping"},
    {"- a\n", "plan.yml:1: the frequency plan is no mapping"},
    {EU "band-id: EU_433\n" UPLINKS, "has the key \"band-id\" twice"},
    {EU UPLINKS "<<: {max-eirp: 3}\n", "merge key"},
    {"band-id: EU_863_871\n" UPLINKS, "plan.yml:1: band \"EU_863_871\" is not known"},
    {UPLINKS, "frequency-plans.yml:1: frequency plan PLAN has no band-id"},
    {EU, "frequency-plans.yml:1: frequency plan PLAN has no uplink channels"},
    {EU "uplink-channels: 3\n", "plan.yml:2: the list of channels is no list"},
    {EU "uplink-channels: [3]\n", "plan.yml:2: the channel is no mapping"},
    {EU "uplink-channels:\n- max-data-rate: 5\n", "plan.yml:3: frequency is missing"},
    {EU "uplink-channels: [{frequency: 0}]\n", "frequency is no whole number from 100000 to 4294967295"},
    {EU "uplink-channels: [{frequency: 4294967296}]\n", "frequency is no whole number"},
    {EU "uplink-channels: [{frequency: 99999999999999999999999}]\n", "frequency is no whole number"},
    {EU "uplink-channels: [{frequency: -868100000}]\n", "frequency is no whole number"},
    {EU "uplink-channels: [{frequency: 868.1}]\n", "frequency is no whole number"},
    {EU "uplink-channels: [{frequency: [868100000]}]\n", "frequency is no whole number"},
    {EU "uplink-channels: [{frequency: 868100000, max-data-rate: 16}]\n", "max-data-rate is no whole number"},
    {EU "uplink-channels: [{frequency: 868100000, min-data-rate: 1}]\n",
     "min-data-rate is above max-data-rate"},
    {EU UPLINKS "downlink-channels: [" CHANNEL ", " CHANNEL "]\n",
     "plan.yml:3: 2 downlink channels for 1 uplink channels"},
    {EU "uplink-channels: [" FOUR(FOUR(CHANNEL)) "," CHANNEL "]\n",
     "plan.yml:2: 17 uplink channels, but band EU_863_870 allows no more than 16"},
    {"band-id: US_902_928\nuplink-channels: [" FOUR(CHANNEL) "," FOUR(
         CHANNEL) "," CHANNEL "]\ndownlink-channels: [" FOUR(CHANNEL) "," FOUR(CHANNEL) "," CHANNEL "]\n",
     "plan.yml:3: 9 downlink channels, but band US_902_928 allows no more than 8"},
    {EU UPLINKS "dwell-time: {uplinks: true}\n", "plan.yml:3: dwell-time is on, but has no duration"},
    {EU UPLINKS "dwell-time: {downlinks: true}\n", "plan.yml:3: dwell-time is on, but has no duration"},
    {EU UPLINKS "dwell-time: {uplinks: 1}\n", "uplinks is neither true nor false"},
    {EU UPLINKS "dwell-time: {duration: 400}x\n", "plan.yml:"},
    {EU UPLINKS "dwell-time: {duration: 400 m}\n", "duration is no length of time"},
    {EU UPLINKS "dwell-time: {duration: -400ms}\n", "duration is no length of time"},
    {EU UPLINKS "dwell-time: {duration: 2h}\n", "duration is no length of time"},
    {EU UPLINKS "dwell-time: [400ms]\n", "dwell-time is no mapping"},
    {EU "uplink-channels:\n- frequency: 868100000\n  dwell-time:\n    enabled: true\n",
     "plan.yml:5: the channel's dwell-time is on, but neither it nor the plan has a duration"},
    {EU UPLINKS "lora-standard-channel: {frequency: 868300000, dwell-time: {enabled: true}}\n",
     "plan.yml:3: the channel's dwell-time is on"},
    {EU UPLINKS "lora-standard-channel: {data-rate: 6}\n", "plan.yml:3: frequency is missing"},
    {EU UPLINKS "fsk-channel: {frequency: 868800000, data-rate: fast}\n", "data-rate is no whole number"},
    {EU UPLINKS "ping-slot: 868800000\n", "the channel is no mapping"},
    {EU UPLINKS "rx2-channel: {}\n", "frequency is missing"},
    {EU UPLINKS "ping-slot-default-data-rate: -1\n", "ping-slot-default-data-rate is no whole number"},
    {EU UPLINKS "listen-before-talk: {rssi-target: low}\n", "rssi-target is no number from -200 to 100"},
    {EU UPLINKS "listen-before-talk: {scan-time: soon}\n", "scan-time is no length of time"},
    {EU UPLINKS "max-eirp: .nan\n", "max-eirp is no number"},
    {EU UPLINKS "max-eirp: 1e9\n", "max-eirp is no number from -100 to 100"},
    {EU UPLINKS "sub-bands: [{min-frequency: 863000000}]\n", "max-frequency is missing"},
    {EU UPLINKS "sub-bands: [{min-frequency: 865000000, max-frequency: 863000000}]\n",
     "min-frequency is above max-frequency"},
    {EU UPLINKS "sub-bands: [{min-frequency: 863000000, max-frequency: 865000000, duty-cycle: 2}]\n",
     "duty-cycle is no number from 0 to 1"},
    {EU UPLINKS "---\n" EU UPLINKS, "plan.yml:3: there is more than one document"},
    {EU UPLINKS "\tx: y\n", "plan.yml:3: "},
    {EU "uplink-channels: *nothing\n", "plan.yml:2: "},
    {EU "uplink-channels: &a [*a]\n", "the channel is no mapping"},
    {EU "uplink-channels: [\n", "plan.yml:"},
    {"band-id: \"EU_863_870\\0\"\n", "band-id is no text"},
    {"band-id: \"EU\\x1b[2J\"\n", "band-id holds a control character"},
    {"band-id: \xff\xfe\xfd\n", "plan.yml:1: "},
};

static void test_refused_plans(void **unused) {
    (void)unused;
    for (size_t i = 0; i < sizeof bad_plans / sizeof *bad_plans; i++) {
        struct set set = {.list = list_of_one, .plan = bad_plans[i].plan};
        refuse(&set, bad_plans[i].message);
    }
}

// A channel's dwell time may take its length from the plan's, also from one that is laid over it.
static void test_dwell_time_from_elsewhere(void **unused) {
    (void)unused;
    struct set set = {.list = list_of_two};
    set.base = EU
        "uplink-channels: [{frequency: 868100000, dwell-time: {enabled: true}}]\n"
        "dwell-time: {duration: 400ms}\n";
    set.plan = "max-eirp: 1\n";
    frequency_plans_free(load(&set));
    set.plan = "dwell-time: {uplinks: false}\n";
    refuse(&set, "base.yml:2: the channel's dwell-time is on");
    set.plan = "dwell-time: {uplinks: false}\n" UPLINKS;
    frequency_plans_free(load(&set));
}

static const struct {
    const char *list;
    const char *message;
} bad_lists[] = {
    {"", "frequency-plans.yml:1: the list of frequency plans is no list"},
    {"id: A\n", "frequency-plans.yml:1: the list of frequency plans is no list"},
    {"[]\n", "the list of frequency plans is empty"},
    {"- a\n", "the entry is no mapping"},
    {"- file: plan.yml\n", "frequency-plans.yml:1: the entry has no id"},
    {"- {id: \"\", file: plan.yml}\n", "the entry has no id"},
    {"- id: A\n", "frequency-plans.yml:1: A has no file"},
    {"- {id: A, file: plan.yml}\n- {id: A, file: plan.yml}\n",
     "frequency-plans.yml:2: the id A is there twice"},
    {"- {id: A, file: plan.yml, base-id: B}\n", "frequency-plans.yml:1: base-id B is not in the list"},
    {"- {id: A, file: plan.yml, band-id: EU_1}\n", "band \"EU_1\" is not known"},
    {"- {id: A, file: plan.yml, gateways: perhaps}\n", "gateways is neither true nor false"},
    {"- {id: [A], file: plan.yml}\n", "id is no text"},
    {"- {id: A12345678901234567890123456789012345678901234567890123456789012345, file: plan.yml}\n",
     "id is longer than 64 bytes"},
    {"- {id: A, file: plan.yml, file: plan.yml}\n", "the entry has the key \"file\" twice"},
    {"- id: A\n  file: ../../etc/passwd\n", "frequency-plans.yml:2: file \"../../etc/passwd\" is no plain"},
    {"- {id: A, file: /etc/passwd}\n", "is no plain relative path"},
    {"- {id: A, file: a/../b.yml}\n", "is no plain relative path"},
    {"- {id: A, file: a/..}\n", "is no plain relative path"},
    {"- {id: A, file: ./plan.yml}\n", "is no plain relative path"},
    {"- {id: A, file: a//b}\n", "is no plain relative path"},
    {"- {id: A, file: a/}\n", "is no plain relative path"},
    {"- {id: A, file: \"\"}\n", "is no plain relative path"},
    {"- {id: A, file: 'a\\..\\b'}\n", "is no plain relative path"},
    {"- {id: A, file: 'http://example.com/a'}\n", "is no plain relative path"},
    {"- {id: A, file: '%2e%2e/a'}\n", "is no plain relative path"},
    {"- {id: A, file: 'plan.yml?x=1'}\n", "is no plain relative path"},
};

static void test_refused_lists(void **unused) {
    (void)unused;
    for (size_t i = 0; i < sizeof bad_lists / sizeof *bad_lists; i++) {
        struct set set = {.list = bad_lists[i].list, .plan = EU UPLINKS};
        refuse(&set, bad_lists[i].message);
        assert_true(set.fetched <= 1);  // nothing else was asked for
    }
}

// What the callback says is handed on.
static void test_fetch_fails(void **unused) {
    (void)unused;
    struct set set = {.list = list_of_one};
    struct frequency_plans *plans = NULL;
    struct error error = {0};
    assert_int_equal(frequency_plans_load(fetch, &set, &plans, &error), -ERROR_NOT_FOUND);
    assert_string_equal(error.message, "there is no plan.yml");
    error_release(&error);
}

// A text that repeats a piece until it is as long as a file may be.
static char *repeat(const char *piece, size_t size) {
    char *text = malloc(size + 1);
    assert_non_null(text);
    for (size_t i = 0; i < size; i++) text[i] = piece[i % strlen(piece)];
    text[size] = '\0';
    return text;
}

// Files made to cost time or memory. The test's time limit is the measure.
static void test_bombs(void **unused) {
    (void)unused;
    static const char *const pieces[] = {"[",  "{",    "- ",    "? ",       "[a,",    "&a ", "[a]: ",
                                         "!t", "\"\n", "? a\n", "- &a b\n", "a: b\n", "*a ", "| "};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        char *text = repeat(pieces[i], FREQUENCY_PLANS_FILE_LIMIT);
        struct set set = {.list = list_of_one, .plan = text};
        refuse(&set, "plan.yml:");
        set = (struct set){.list = text};
        refuse(&set, "frequency-plans.yml:");
        free(text);
    }
    char *text = repeat("#", FREQUENCY_PLANS_FILE_LIMIT + 1);
    struct set set = {.list = list_of_one, .plan = text};
    refuse(&set, "plan.yml is larger than 1048576 bytes");
    free(text);
}

// Each anchor holds the one before it twice: 2^60 entries if someone wrote them out.
static void test_alias_bomb(void **unused) {
    (void)unused;
    BUFFER_AUTO text = {.limit = BUFFER_UNLIMITED};
    buffer_puts(&text, EU "x: {a0: &a0 [" CHANNEL "]");
    for (int i = 1; i <= 60; i++) buffer_printf(&text, ", a%d: &a%d [*a%d, *a%d]", i, i, i - 1, i - 1);
    buffer_puts(&text, "}\nuplink-channels: *a60\n");
    struct set set = {.list = list_of_one, .plan = buffer_string(&text)};
    refuse(&set, "the channel is no mapping");
}

static void test_too_many_entries(void **unused) {
    (void)unused;
    BUFFER_AUTO text = {.limit = BUFFER_UNLIMITED};
    for (int i = 0; i <= 1000; i++) buffer_printf(&text, "- {id: P%d, file: plan.yml}\n", i);
    struct set set = {.list = buffer_string(&text), .plan = EU UPLINKS};
    refuse(&set, "has 1001 entries, more than 1000");
}

static void write_text(const char *directory, const char *name, const char *text) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void refuse_directory(const char *path, const char *text) {
    struct frequency_plans *plans = NULL;
    struct error error = {0};
    assert_int_equal(frequency_plans_load_directory(path, &plans, &error), -ERROR_INPUT);
    char *chain = error_chain(&error);
    if (strstr(chain, text) == NULL) print_message("%s\n", chain);
    assert_non_null(strstr(chain, text));
    free(chain);
    error_release(&error);
}

static void test_bad_directories(void **unused) {
    (void)unused;
    char directory[] = "/tmp/frequency-plans-XXXXXX", path[512];
    assert_non_null(mkdtemp(directory));
    refuse_directory("/nonexistent/plans", "cannot open the directory /nonexistent/plans");
    refuse_directory("/dev/null", "cannot open the directory /dev/null");
    refuse_directory(directory, "frequency-plans.yml: No such file or directory");
    write_text(directory, "frequency-plans.yml", list_of_one);
    refuse_directory(directory, "plan.yml: No such file or directory");
    snprintf(path, sizeof path, "%s/plan.yml", directory);
    assert_int_equal(mkfifo(path, 0600), 0);
    refuse_directory(directory, "plan.yml is no regular file");  // and no waiting for a writer
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    refuse_directory(directory, "plan.yml is no regular file");
    assert_int_equal(rmdir(path), 0);
    write_text(directory, "plan.yml", EU);
    refuse_directory(directory, "frequency plan PLAN has no uplink channels");
    assert_int_equal(unlink(path), 0);
    snprintf(path, sizeof path, "%s/frequency-plans.yml", directory);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(directory), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_key),
        cmocka_unit_test(test_laying_nothing_over),
        cmocka_unit_test(test_laying_everything_over),
        cmocka_unit_test(test_base_of_a_base),
        cmocka_unit_test(test_refused_plans),
        cmocka_unit_test(test_dwell_time_from_elsewhere),
        cmocka_unit_test(test_refused_lists),
        cmocka_unit_test(test_fetch_fails),
        cmocka_unit_test(test_bombs),
        cmocka_unit_test(test_alias_bomb),
        cmocka_unit_test(test_too_many_entries),
        cmocka_unit_test(test_bad_directories),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
