// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "cli/printable.h"

#define REDRAW_INTERVAL  (200 * NS_PER_MS)
#define FIRST_DELAY      NS_PER_SECOND
#define MESSAGE_INTERVAL (5 * NS_PER_SECOND)
#define SAMPLE_INTERVAL  NS_PER_SECOND

enum {
    SAMPLES = 16,  // the rate is that of the last so many seconds
    LINE_MAX_BYTES = 512,
    COLUMNS_UNKNOWN = 80,
};

struct sample {
    int64_t time;
    uint64_t done;
};

struct progress {
    struct progress_setup setup;
    struct progress_numbers numbers;
    char *waiting_for;  // copy of the numbers' text; owned
    int64_t next;       // when to draw next
    struct sample samples[SAMPLES];
    size_t sample_count;  // ever taken
    struct buffer drawn;  // the line on the terminal; empty = none
    bool ended;
};

static bool draws_in_place(const struct progress *progress) {
    return progress->setup.terminal && progress->setup.mode != PROGRESS_NEVER && !progress->ended;
}

static bool writes_messages(const struct progress *progress) {
    return !progress->setup.terminal && progress->setup.mode == PROGRESS_ALWAYS && !progress->ended;
}

struct progress *progress_new(const struct progress_setup *setup) {
    struct progress *progress = memory_new(struct progress);
    progress->setup = *setup;
    buffer_init(&progress->drawn, LINE_MAX_BYTES);
    progress->next = clock_monotonic(setup->clock);
    if (writes_messages(progress)) progress->next += MESSAGE_INTERVAL;
    if (draws_in_place(progress) && setup->mode == PROGRESS_AUTO) progress->next += FIRST_DELAY;
    return progress;
}

void progress_free(struct progress *progress) {
    if (progress == NULL) return;
    buffer_release(&progress->drawn);
    free(progress->waiting_for);
    free(progress);
}

static const struct sample *oldest_sample(const struct progress *progress) {
    size_t count = progress->sample_count;
    return &progress->samples[count <= SAMPLES ? 0 : count % SAMPLES];
}

static void take_sample(struct progress *progress, int64_t now) {
    size_t count = progress->sample_count;
    if (count > 0 && now - progress->samples[(count - 1) % SAMPLES].time < SAMPLE_INTERVAL) return;
    progress->samples[count % SAMPLES] = (struct sample){now, progress->numbers.done};
    progress->sample_count++;
}

// Devices per second lately.
static double recent_rate(const struct progress *progress, int64_t now) {
    const struct sample *from = oldest_sample(progress);
    if (progress->sample_count == 0 || now <= from->time || progress->numbers.done < from->done) return 0;
    return (double)(progress->numbers.done - from->done) * (double)NS_PER_SECOND / (double)(now - from->time);
}

static const char *things_of(const struct progress *progress) {
    return progress->setup.gateways ? "gateways" : "devices";
}

static void add_count(struct buffer *line, const struct progress *progress) {
    const struct progress_numbers *numbers = &progress->numbers;
    if (numbers->total == 0) {
        buffer_printf(line, "%" PRIu64 " %s", numbers->done, things_of(progress));
    } else {
        buffer_printf(line, "%" PRIu64 " of %s%" PRIu64 " %s", numbers->done,
                      numbers->total_known ? "" : "at least ", numbers->total, things_of(progress));
    }
}

// "45s", "3m 05s", "2h 10m", "3d 4h".
static void add_time_left(struct buffer *line, double seconds) {
    if (seconds >= 100 * 86400.0) return;
    uint64_t left = (uint64_t)seconds + 1;
    if (left < 60) {
        buffer_printf(line, ", %" PRIu64 "s left", left);
    } else if (left < 3600) {
        buffer_printf(line, ", %" PRIu64 "m %02" PRIu64 "s left", left / 60, left % 60);
    } else if (left < 86400) {
        buffer_printf(line, ", %" PRIu64 "h %02" PRIu64 "m left", left / 3600, left / 60 % 60);
    } else {
        buffer_printf(line, ", %" PRIu64 "d %" PRIu64 "h left", left / 86400, left / 3600 % 24);
    }
}

static void build_line(const struct progress *progress, int64_t now, struct buffer *line) {
    const struct progress_numbers *numbers = &progress->numbers;
    double rate = recent_rate(progress, now);
    if (numbers->activity != NULL) {
        buffer_puts(line, numbers->activity);
        if (numbers->total > 0) buffer_puts(line, ": ");
    }
    if (numbers->activity == NULL || numbers->total > 0) add_count(line, progress);
    if (rate > 0 || numbers->activity == NULL)
        buffer_printf(line, ", %.*f %s/s", rate < 10 ? 1 : 0, rate, things_of(progress));
    if (rate > 0 && numbers->total_known && numbers->total > numbers->done) {
        add_time_left(line, (double)(numbers->total - numbers->done) / rate);
    }
    if (numbers->failed > 0) buffer_printf(line, ", %" PRIu64 " failed", numbers->failed);
    if (progress->waiting_for != NULL) {
        buffer_puts(line, ", waiting for ");
        printable_add(line, progress->waiting_for);
    }
}

// Cuts the line to what fits, one column less than there are: a full line would wrap. What is not ASCII has
// an unknown width and becomes a question mark.
static void clip_line(struct buffer *line, unsigned columns) {
    size_t most = columns > 1 ? columns - 1 : COLUMNS_UNKNOWN - 1;
    size_t out = 0;
    for (size_t i = 0; i < line->size && out < most; i++) {
        if ((line->data[i] & 0xc0) == 0x80) continue;
        line->data[out++] = line->data[i] < 0x80 ? line->data[i] : '?';
    }
    line->size = out;
}

// One write for each change of the line; a terminal that does not take it is left alone.
static void draw(struct progress *progress, int64_t now) {
    buffer_clear(&progress->drawn);
    if (!progress->setup.foreground(progress->setup.fd)) return;
    build_line(progress, now, &progress->drawn);
    clip_line(&progress->drawn, progress->setup.columns(progress->setup.fd));
    BUFFER_AUTO bytes;
    buffer_init(&bytes, BUFFER_UNLIMITED);
    progress_restore(progress, &bytes);
    ssize_t written = write(progress->setup.fd, bytes.data, bytes.size);
    if (written < 0) buffer_clear(&progress->drawn);
}

void progress_status(struct progress *progress) {
    BUFFER_AUTO line;
    buffer_init(&line, BUFFER_UNLIMITED);
    build_line(progress, clock_monotonic(progress->setup.clock), &line);
    log_printf(progress->setup.log, LOG_INFO, "%s", buffer_string(&line));
}

void progress_update(struct progress *progress, const struct progress_numbers *numbers) {
    int64_t now = clock_monotonic(progress->setup.clock);
    // Another activity has a pace of its own.
    if (progress->numbers.activity != numbers->activity) progress->sample_count = 0;
    progress->numbers = *numbers;
    bool same = numbers->waiting_for != NULL && progress->waiting_for != NULL &&
                strcmp(numbers->waiting_for, progress->waiting_for) == 0;
    if (!same) {
        free(progress->waiting_for);
        progress->waiting_for = memory_strdup(numbers->waiting_for);
    }
    progress->numbers.waiting_for = progress->waiting_for;
    take_sample(progress, now);
    if (now < progress->next) return;
    if (draws_in_place(progress)) {
        progress->next = now + REDRAW_INTERVAL;
        draw(progress, now);
    } else if (writes_messages(progress)) {
        progress->next = now + MESSAGE_INTERVAL;
        progress_status(progress);
    }
}

int64_t progress_wait(const struct progress *progress) {
    if (!draws_in_place(progress) && !writes_messages(progress)) return -1;
    int64_t wait = progress->next - clock_monotonic(progress->setup.clock);
    return wait > 0 ? wait : 0;
}

void progress_end(struct progress *progress) {
    BUFFER_AUTO bytes;
    buffer_init(&bytes, BUFFER_UNLIMITED);
    progress_erase(progress, &bytes);
    progress->ended = true;
    buffer_clear(&progress->drawn);
    // Nothing depends on the line being gone.
    if (bytes.size > 0 && write(progress->setup.fd, bytes.data, bytes.size) < 0) return;
}

void progress_erase(const struct progress *progress, struct buffer *bytes) {
    if (progress->drawn.size > 0) buffer_puts(bytes, "\r\033[K");
}

void progress_restore(const struct progress *progress, struct buffer *bytes) {
    if (progress->drawn.size == 0) return;
    buffer_putc(bytes, '\r');
    buffer_add(bytes, progress->drawn.data, progress->drawn.size);
    buffer_puts(bytes, "\033[K");
}
