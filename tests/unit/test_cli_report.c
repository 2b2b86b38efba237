// SPDX-License-Identifier: Apache-2.0
// The report of a run: what is in it, what must not be, and that it is written piece by piece.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "cli/report.h"
#include "journal/rows.h"
#include "journal/state_words.h"
#include "source/registry.h"

// A file that keeps what was written, and can run full.
struct kept_file {
    struct file base;
    struct buffer content;
    size_t largest;  // write
    size_t capacity;
    bool synced;
};

static int kept_write(struct file *file, const void *data, size_t size, struct error *error) {
    struct kept_file *self = (struct kept_file *)file;
    if (size > self->largest) self->largest = size;
    buffer_add(&self->content, data, size);
    self->synced = false;
    return self->content.size <= self->capacity ? 0 : error_set(error, ERROR_OUTPUT, "full");
}

static int kept_sync(struct file *file, struct error *error) {
    (void)error;
    ((struct kept_file *)file)->synced = true;
    return 0;
}

static int kept_truncate(struct file *file, uint64_t size, struct error *error) {
    (void)error;
    assert_int_equal(size, 0);
    buffer_clear(&((struct kept_file *)file)->content);
    return 0;
}

static const struct file_operations kept_operations = {
    .write = kept_write, .sync = kept_sync, .truncate = kept_truncate};

static void kept_init(struct kept_file *file) {
    *file = (struct kept_file){.base = {.operations = &kept_operations, .name = "kept", .regular = true},
                               .capacity = SIZE_MAX};
    buffer_init(&file->content, BUFFER_UNLIMITED);
}

static struct journal *journal;

static int before_each(void **state) {
    (void)state;
    ERROR_AUTO error = {0};
    return journal_open_temporary(&journal, &error);
}

static int after_each(void **state) {
    (void)state;
    journal_close(journal);
    return 0;
}

static void property(const char *name, const char *value) {
    ERROR_AUTO error = {0};
    assert_int_equal(journal_set_property(journal, name, value, false, &error), 0);
}

static void application(const char *name) {
    ERROR_AUTO error = {0};
    bool planned = false;
    assert_int_equal(journal_use_application(journal, name, &planned, &error), 0);
}

static int64_t sequence;

static void device(const char *id, enum device_state state, const char *reason) {
    ERROR_AUTO error = {0};
    char *name MEMORY_AUTO = memory_strdup(id);
    struct source_record record = {
        .id = name, .has_dev_eui = true, .dev_eui = {0xAB, 0xCD, 1, 2, 3, 4, 5, 6}};
    bool known = true;
    assert_int_equal(journal_add(journal, &record, "as-it-will-be", &known, &error), 0);
    assert_false(known);
    sequence++;
    if (reason != NULL) {
        assert_int_equal(journal_set_reason(journal, sequence, state, reason, &error), 0);
    } else {
        assert_int_equal(journal_set_state(journal, sequence, state, &error), 0);
    }
}

static int write_to(struct kept_file *file, bool dry_run, struct error *error) {
    const struct report report = {
        .journal = journal,
        .path = "/state/run 1.journal",
        .name = "run-1",
        .sources = source_drivers(),
        .dry_run = dry_run,
        .ending = "interrupted <here>",
    };
    return report_write(&report, &file->base, error);
}

static const char *page_of(struct kept_file *file, bool dry_run) {
    ERROR_AUTO error = {0};
    kept_init(file);
    assert_int_equal(write_to(file, dry_run, &error), 0);
    assert_true(file->synced);
    return buffer_string(&file->content);
}

static void holds(const char *page, const char *text) {
    if (strstr(page, text) == NULL) fail_msg("the page does not hold: %s", text);
}

static void lacks(const char *page, const char *text) {
    if (strstr(page, text) != NULL) fail_msg("the page holds: %s", text);
}

static void test_content(void **state) {
    (void)state;
    sequence = 0;
    property("source", "ttnv2");
    property("program", "9.8.7");
    property("created", "2026-01-31T10:15:00.123456789Z");
    property("global.keep-going", "true");
    property("global.frequency-plans-url", "https://me:pass-word@plans.example/x");
    property("source.app-id", "my-app");
    property("source.app-access-key", "ttn-account-v2.secret");
    application("my-app");
    device("moved", DEVICE_CONFIRMED, NULL);
    device("aside", DEVICE_FAILED, "no <plan> & \"no\" key");
    device("<script>alert(1)</script>", DEVICE_RELEASING, "lost\x1b[2J\xe2\x80\xae answer");
    device("cut-off", DEVICE_RELEASING, NULL);
    struct kept_file file;
    const char *page = page_of(&file, false);
    holds(page, "<b>cut-off</b> <i>(perhaps still at the source)</i> On its way, but not known");
    holds(page, "1 of 4 devices moved, 3 to look at.");
    holds(page, "<dd>The Things Network Stack V2 (ttnv2)</dd>");
    holds(page, "<dd>2026-01-31 10:15:00 UTC</dd>");
    holds(page, "<dd>9.8.7</dd>");
    holds(page, "<dd>interrupted &lt;here&gt;</dd>");
    holds(page, "<dd>--keep-going</dd>");
    holds(page, "<dd>--frequency-plans-url https://plans.example/x</dd>");
    holds(page, "<dd>--ttnv2.app-id my-app</dd>");
    lacks(page, "pass-word");
    lacks(page, "ttn-account-v2");
    lacks(page, "<script");
    holds(page, "<td>&lt;script&gt;alert(1)&lt;/script&gt;</td>");
    holds(page, "no &lt;plan&gt; &amp; &quot;no&quot; key");
    lacks(page, "\x1b");
    lacks(page, "\xe2\x80\xae");
    holds(page, "<td>ABCD010203040506</td>");
    holds(page, "<td>as-it-will-be</td>");
    holds(page, "<code>ttn-lw-migrate resume run-1</code>");
    holds(page, "<code>ttn-lw-migrate resume --failed run-1</code>");
    // One application needs no headings, and the most urgent step is the first.
    lacks(page, "colspan");
    assert_true(strstr(page, "resume run-1") < strstr(page, "resume --failed"));
    buffer_release(&file.content);
}

static void test_nothing_from_elsewhere(void **state) {
    (void)state;
    sequence = 0;
    property("source", "ttnv2");
    application("a");
    device("d", DEVICE_CONFIRMED, NULL);
    struct kept_file file;
    const char *page = page_of(&file, false);
    holds(page, "default-src 'none'");
    static const char *const foreign[] = {
        "<script", "<link", "<img", "<iframe", "src=", "href=", "url(", "@import", "://"};
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) lacks(page, foreign[i]);
    holds(page, "prefers-color-scheme:dark");
    holds(page, "<p>None.</p>");
    buffer_release(&file.content);
}

static void test_several_applications(void **state) {
    (void)state;
    sequence = 0;
    application("one");
    device("first", DEVICE_CONFIRMED, NULL);
    application("<two>");
    device("second", DEVICE_PLANNED, NULL);
    device("third", DEVICE_RESTORED, "nonces are lost");
    struct kept_file file;
    const char *page = page_of(&file, false);
    holds(page, "<th colspan=\"7\">Application one</th>");
    holds(page, "<th colspan=\"7\">Application &lt;two&gt;</th>");
    holds(page, "<dd>one, &lt;two&gt;</dd>");
    holds(page, "1 of 3 devices moved, 1 not finished, 1 put back.");
    holds(page, "nonces are lost");
    buffer_release(&file.content);
}

static void test_rehearsal(void **state) {
    (void)state;
    sequence = 0;
    application("one");
    device("first", DEVICE_RECORDED, NULL);
    struct kept_file file;
    const char *page = page_of(&file, true);
    holds(page, "A rehearsal, nothing was changed: 1 of 1 devices could go.");
    holds(page, "without --dry-run");
    lacks(page, "resume");
    buffer_release(&file.content);
}

static void test_gateways(void **state) {
    (void)state;
    sequence = 0;
    property("command", "gateway");
    property("global.to", "tts");
    application("gateways");
    device("made", DEVICE_VERIFIED, NULL);
    device("half", DEVICE_RELEASING, NULL);
    device("aside", DEVICE_FAILED, "its plan is not known");
    struct kept_file file;
    const char *page = page_of(&file, false);
    holds(page, "1 of 3 gateways are at the target, 1 not finished, 1 to look at.");
    holds(page, "<h2>How many gateways</h2>");
    holds(page, "<h2>Gateways to look at</h2>");
    holds(page, "<h2>All gateways</h2>");
    holds(page, "<th>EUI</th>");
    holds(page, "Some gateways were set aside");
    holds(page, "Some gateways may not be redirected");
    holds(page, "Give the gateways the address of their new network");
    lacks(page, "Application");
    lacks(page, "Devices");
    lacks(page, "devices ");
    lacks(page, " device ");
    buffer_release(&file.content);
}

// Nothing is to be imported after a run into a network.
static void test_into_a_network(void **state) {
    (void)state;
    sequence = 0;
    property("command", "application");
    property("global.to", "tts");
    application("one");
    device("made", DEVICE_VERIFIED, NULL);
    struct kept_file file;
    const char *page = page_of(&file, false);
    holds(page, "Keep the journal until each device was heard");
    lacks(page, "Import the devices");
    buffer_release(&file.content);
}

static void test_in_pieces(void **state) {
    (void)state;
    sequence = 0;
    application("one");
    char id[32];
    for (unsigned i = 0; i < 5000; i++) {
        snprintf(id, sizeof id, "dev-%u", i);
        device(id, DEVICE_FAILED, "a reason of some length, so that the page is large");
    }
    struct kept_file file;
    const char *page = page_of(&file, false);
    holds(page, "<td>dev-0</td>");
    holds(page, "<td>dev-4999</td>");
    assert_true(file.content.size > 1000000);
    assert_true(file.largest < 70000);
    buffer_release(&file.content);
    // A disk that runs full leaves no half page.
    kept_init(&file);
    file.capacity = 300000;
    ERROR_AUTO error = {0};
    assert_int_equal(write_to(&file, false, &error), -ERROR_OUTPUT);
    assert_int_equal(file.content.size, 0);
    buffer_release(&file.content);
}

// Each state has words, and one that is never told has none of another.
static void test_words(void **state) {
    (void)state;
    size_t count = 0;
    const enum device_state *states = device_states(&count);
    for (size_t i = 0; i < count; i++) {
        const struct state_words *words = device_state_words(states[i], false);
        assert_string_not_equal(words->title, "unknown");
        assert_true(strlen(words->meaning) > 0);
        assert_int_equal(words->urgency > 0, words->finding != NULL && words->command != NULL);
    }
    assert_string_equal(device_state_words((enum device_state)77, true)->title, "unknown");
    for (size_t i = 0; i < count; i++) {
        const struct state_words *words = gateway_state_words(states[i]);
        assert_true(strlen(words->meaning) > 0);
        assert_int_equal(words->urgency > 0, words->finding != NULL && words->command != NULL);
        if (words == device_state_words(states[i], true)) continue;
        assert_null(strstr(words->meaning, "device"));
        assert_true(words->finding == NULL || strstr(words->finding, "device") == NULL);
    }
    assert_string_equal(gateway_state_words((enum device_state)77)->title, "unknown");
}

int main(void) {
    alarm(60);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_content, before_each, after_each),
        cmocka_unit_test_setup_teardown(test_nothing_from_elsewhere, before_each, after_each),
        cmocka_unit_test_setup_teardown(test_several_applications, before_each, after_each),
        cmocka_unit_test_setup_teardown(test_rehearsal, before_each, after_each),
        cmocka_unit_test_setup_teardown(test_gateways, before_each, after_each),
        cmocka_unit_test_setup_teardown(test_into_a_network, before_each, after_each),
        cmocka_unit_test_setup_teardown(test_in_pieces, before_each, after_each),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
