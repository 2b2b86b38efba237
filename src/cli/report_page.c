// SPDX-License-Identifier: Apache-2.0
#include "cli/report_page.h"

#include <inttypes.h>

#include "base/hex.h"
#include "base/html.h"
#include "base/memory.h"
#include "cli/printable.h"
#include "cli/report_style.h"

// A text of others.
static void add_text(struct buffer *page, const char *text) {
    BUFFER_AUTO shown;
    buffer_init(&shown, BUFFER_UNLIMITED);
    printable_add(&shown, text);
    html_text(page, buffer_string(&shown));
}

static const char *class_of(const struct state_words *words) {
    static const char *const classes[] = {
        [STATE_DONE] = "done",
        [STATE_OPEN] = "open",
        [STATE_WRONG] = "wrong",
        [STATE_BACK] = "back",
    };
    return classes[words->tone];
}

void report_page_begin(struct buffer *page, const char *title, const char *lead) {
    buffer_puts(page,
                "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
                "'unsafe-inline'\">\n"
                "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
                "<meta name=\"referrer\" content=\"no-referrer\">\n<title>");
    add_text(page, title);
    buffer_puts(page, "</title>\n<style>\n");
    buffer_puts(page, report_style);
    buffer_puts(page, "</style>\n</head>\n<body>\n<h1>");
    add_text(page, title);
    buffer_puts(page, "</h1>\n<p class=\"lead\">");
    add_text(page, lead);
    buffer_puts(page, "</p>\n");
}

void report_page_facts(struct buffer *page) {
    buffer_puts(page, "<dl>\n");
}

void report_page_fact(struct buffer *page, const char *name, const char *value) {
    if (name != NULL) {
        buffer_puts(page, "<dt>");
        add_text(page, name);
        buffer_puts(page, "</dt>");
    }
    buffer_puts(page, "<dd>");
    add_text(page, value);
    buffer_puts(page, "</dd>\n");
}

void report_page_facts_end(struct buffer *page) {
    buffer_puts(page, "</dl>\n");
}

static void add_heading(struct buffer *page, const char *heading) {
    buffer_puts(page, "<h2>");
    add_text(page, heading);
    buffer_puts(page, "</h2>\n");
}

void report_page_counts(struct buffer *page, const char *heading) {
    add_heading(page, heading);
    buffer_puts(page, "<ul class=\"counts\">\n");
}

void report_page_count(struct buffer *page, const struct state_words *words, uint64_t count) {
    buffer_printf(page, "<li class=\"%s\"><b>%" PRIu64 "</b> ", class_of(words), count);
    add_text(page, words->title);
    buffer_puts(page, "<p>");
    add_text(page, words->meaning);
    buffer_puts(page, "</p></li>\n");
}

void report_page_counts_end(struct buffer *page) {
    buffer_puts(page, "</ul>\n");
}

void report_page_steps(struct buffer *page) {
    buffer_puts(page, "<h2>What to do next</h2>\n<ul class=\"steps\">\n");
}

void report_page_step(struct buffer *page, const char *text, const char *command, const char *run) {
    buffer_puts(page, "<li>");
    char *sentence MEMORY_AUTO = memory_strdup(text);
    if (sentence[0] >= 'a' && sentence[0] <= 'z') sentence[0] = (char)(sentence[0] - 'a' + 'A');
    add_text(page, sentence);
    if (command != NULL) {
        buffer_puts(page, ": <code>ttn-lw-migrate ");
        add_text(page, command);
        if (run != NULL) buffer_putc(page, ' ');
        add_text(page, run);
        buffer_puts(page, "</code>");
    }
    buffer_puts(page, "</li>\n");
}

void report_page_steps_end(struct buffer *page) {
    buffer_puts(page, "</ul>\n");
}

void report_page_remarks(struct buffer *page, const char *heading) {
    add_heading(page, heading);
    buffer_puts(page, "<ul class=\"remarks\">\n");
}

void report_page_remark(struct buffer *page, const struct journal_row *row, const struct state_words *words) {
    buffer_puts(page, "<li><b>");
    add_text(page, row->id);
    buffer_puts(page, "</b> <i>(");
    add_text(page, words->title);
    buffer_puts(page, ")</i> ");
    add_text(page, row->reason != NULL ? row->reason : words->meaning);
    buffer_puts(page, "</li>\n");
}

void report_page_remarks_end(struct buffer *page, uint64_t count) {
    buffer_puts(page, count > 0 ? "</ul>\n" : "</ul>\n<p>None.</p>\n");
}

void report_page_devices(struct buffer *page, const char *heading, const char *eui) {
    add_heading(page, heading);
    buffer_puts(page, "<table>\n<thead><tr><th>ID at source</th><th>ID at target</th><th>");
    add_text(page, eui);
    buffer_puts(page,
                "</th><th>State</th><th>Line</th><th>Attempts</th><th>Reason</th></tr></thead>\n"
                "<tbody>\n");
}

void report_page_group(struct buffer *page, const char *application) {
    buffer_puts(page, "<tr><th colspan=\"7\">Application ");
    add_text(page, application);
    buffer_puts(page, "</th></tr>\n");
}

static void add_cell(struct buffer *page, const char *text) {
    buffer_puts(page, "<td>");
    add_text(page, text);
    buffer_puts(page, "</td>");
}

static void add_number(struct buffer *page, uint64_t number) {
    buffer_puts(page, "<td>");
    if (number > 0) buffer_printf(page, "%" PRIu64, number);
    buffer_puts(page, "</td>");
}

void report_page_device(struct buffer *page, const struct journal_row *row, const struct state_words *words) {
    enum { EUI_SIZE = 8 };
    char eui[HEX_TEXT_SIZE(EUI_SIZE)] = "";
    if (row->dev_eui != NULL) hex_encode_upper(eui, row->dev_eui, EUI_SIZE);
    buffer_puts(page, "<tr>");
    add_cell(page, row->id);
    add_cell(page, row->device_id);
    add_cell(page, eui);
    buffer_printf(page, "<td class=\"%s\">", class_of(words));
    add_text(page, words->title);
    buffer_puts(page, "</td>");
    add_number(page, row->line);
    add_number(page, row->attempts);
    add_cell(page, row->reason);
    buffer_puts(page, "</tr>\n");
}

void report_page_devices_end(struct buffer *page) {
    buffer_puts(page, "</tbody>\n</table>\n");
}

void report_page_end(struct buffer *page) {
    buffer_puts(page,
                "<footer>Written by ttn-lw-migrate. This page holds no keys, and nothing in it comes from "
                "elsewhere.</footer>\n</body>\n</html>\n");
}
