// SPDX-License-Identifier: Apache-2.0
// The HTML of a run's report, part after part in the order of these functions. It needs nothing from elsewhere: no script,
// no picture, no font; it reads well on a phone, on paper and in the dark. All texts are escaped here, also those that
// would move a cursor or turn the direction of writing.
#ifndef CLI_REPORT_PAGE_H
#define CLI_REPORT_PAGE_H

#include <stdint.h>

#include "base/buffer.h"
#include "journal/rows.h"
#include "journal/state_words.h"

// Everything up to the heading; `lead` is the sentence below it.
void report_page_begin(struct buffer *page, const char *title, const char *lead);

// What the run was: names and values. A name of NULL: one more value of the name before.
void report_page_facts(struct buffer *page);
void report_page_fact(struct buffer *page, const char *name, const char *value);
void report_page_facts_end(struct buffer *page);

// How many devices are in each state.
void report_page_counts(struct buffer *page, const char *heading);
void report_page_count(struct buffer *page, const struct state_words *words, uint64_t count);
void report_page_counts_end(struct buffer *page);

// What to do; `command` of this program is put behind `text`, with the run's name: both may be NULL.
void report_page_steps(struct buffer *page);
void report_page_step(struct buffer *page, const char *text, const char *command, const char *run);
void report_page_steps_end(struct buffer *page);

// The devices that somebody has to know of.
void report_page_remarks(struct buffer *page, const char *heading);
void report_page_remark(struct buffer *page, const struct journal_row *row, const struct state_words *words);
void report_page_remarks_end(struct buffer *page, uint64_t count);

// All devices; `eui` is what their EUI is called. A group names the application of those that follow.
void report_page_devices(struct buffer *page, const char *heading, const char *eui);
void report_page_group(struct buffer *page, const char *application);
void report_page_device(struct buffer *page, const struct journal_row *row, const struct state_words *words);
void report_page_devices_end(struct buffer *page);

void report_page_end(struct buffer *page);

#endif
