// SPDX-License-Identifier: Apache-2.0
#include "cli/summary.h"

#include <inttypes.h>

#include "base/buffer.h"

static const char *plural(uint64_t count) {
    return count == 1 ? "" : "s";
}

static void add_duration(struct buffer *text, int64_t elapsed) {
    int64_t seconds = elapsed / NS_PER_SECOND;
    if (seconds >= 3600) {
        buffer_printf(text, " in %" PRId64 " h %" PRId64 " min", seconds / 3600, seconds / 60 % 60);
    } else if (seconds >= 60) {
        buffer_printf(text, " in %" PRId64 " min %" PRId64 " s", seconds / 60, seconds % 60);
    } else {
        buffer_printf(text, " in %.1f s", (double)elapsed / (double)NS_PER_SECOND);
    }
}

// True if devices were to be moved.
static bool migrates(const struct summary *summary) {
    return !summary->rollback && !summary->verify && !summary->plan;
}

static const char *put_back(const struct summary *summary) {
    return summary->dry_run ? "would be put back" : "put back";
}

static const char *failed(const struct summary *summary) {
    if (summary->plan) return "cannot go";
    return summary->rollback && summary->dry_run ? "could not be" : "failed";
}

// A rollback that was interrupted has put some back already.
static void add_back(const struct summary *summary, struct buffer *text) {
    uint64_t back = summary->numbers->back;
    if (back > 0)
        buffer_printf(text, ", %" PRIu64 " of the run %s back already", back, back == 1 ? "is" : "are");
}

// A rollback of devices that the run has left at their source: only what it brought to its target is undone.
static void count_taken_out(const struct summary *summary, struct buffer *text) {
    const struct run_numbers *numbers = summary->numbers;
    buffer_printf(text, "%" PRIu64 " device%s %staken out of %s again, %s was not changed by the run",
                  numbers->restored, plural(numbers->restored), summary->dry_run ? "would be " : "",
                  summary->target, summary->source);
    if (numbers->back > 0) buffer_printf(text, ", %" PRIu64 " taken out already", numbers->back);
}

static void write_counts(const struct log *log, const struct summary *summary) {
    const struct run_numbers *numbers = summary->numbers;
    // A run that ended before its first device has nothing to count.
    if (summary->halted && numbers->done == 0 && numbers->begun == 0 && numbers->checked == 0) return;
    if (summary->counted) return;
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    if (summary->rollback && summary->stayed) {
        count_taken_out(summary, &text);
    } else if (summary->rollback) {
        buffer_printf(&text, "%" PRIu64 " device%s %s at %s", numbers->restored, plural(numbers->restored),
                      put_back(summary), summary->source);
        if (summary->dry_run && summary->target != NULL && numbers->restored > 0)
            buffer_printf(&text, ", and taken out of %s", summary->target);
        add_back(summary, &text);
    } else if (summary->verify) {
        buffer_printf(&text, "%" PRIu64 " device%s at %s as %s should be", numbers->verified,
                      plural(numbers->verified), summary->target, numbers->verified == 1 ? "it" : "they");
        if (numbers->silent > 0) buffer_printf(&text, ", %" PRIu64 " not heard there yet", numbers->silent);
    } else if (summary->plan) {
        buffer_printf(&text, "%" PRIu64 " device%s can go", numbers->checked, plural(numbers->checked));
        if (numbers->found > 0)
            buffer_printf(&text, ", %" PRIu64 " of them at the target already", numbers->found);
    } else if (summary->target != NULL) {
        buffer_printf(&text, "%" PRIu64 " device%s imported into %s, %" PRIu64 " read back",
                      numbers->imported, plural(numbers->imported), summary->target, numbers->verified);
        if (numbers->found > 0) buffer_printf(&text, ", %" PRIu64 " there already", numbers->found);
    } else {
        buffer_printf(&text, "%" PRIu64 " device%s written to %s", numbers->written, plural(numbers->written),
                      summary->output);
    }
    if (numbers->skipped > 0) buffer_printf(&text, ", %" PRIu64 " left alone", numbers->skipped);
    if (summary->changes && migrates(summary)) {
        buffer_printf(&text, ", %" PRIu64 " cleared at %s", numbers->released, summary->source);
    }
    if (numbers->failed > 0) buffer_printf(&text, ", %" PRIu64 " %s", numbers->failed, failed(summary));
    add_duration(&text, summary->elapsed);
    log_printf(log, LOG_INFO, "%s", buffer_string(&text));
}

static void write_leftovers(const struct log *log, const struct summary *summary) {
    const struct run_numbers *numbers = summary->numbers;
    if (numbers->held > 0 && summary->target != NULL) {
        log_printf(log, LOG_WARN,
                   "%" PRIu64 " device%s on the way between %s and %s: ttn-lw-migrate resume, or rollback",
                   numbers->held, plural(numbers->held), summary->source, summary->target);
    } else if (numbers->held > 0) {
        log_printf(log, LOG_WARN, "%" PRIu64 " of the written devices may still have keys at %s: see above",
                   numbers->held, summary->source);
    }
    if (numbers->unseen > 0) {
        log_printf(log, LOG_WARN,
                   "%" PRIu64 " imported device%s could not be read back: ttn-lw-migrate verify",
                   numbers->unseen, plural(numbers->unseen));
    }
    if (numbers->moved_on > 0 && summary->target == NULL) {
        log_printf(log, LOG_WARN, "%" PRIu64 " device%s heard while being moved: see above what to do",
                   numbers->moved_on, numbers->moved_on == 1 ? " was" : "s were");
    }
    if (numbers->released > numbers->confirmed && summary->changes && migrates(summary) &&
        summary->target == NULL) {
        log_printf(log, LOG_WARN,
                   "%" PRIu64
                   " cleared devices were not looked at once more: whether they sent a frame just before is "
                   "not known",
                   numbers->released - numbers->confirmed);
    }
}

// True if something may have been written or changed, by this process or an earlier one.
static bool has_begun(const struct summary *summary) {
    const struct run_numbers *numbers = summary->numbers;
    return summary->resumed || numbers->written > 0 || numbers->begun > 0 || numbers->formatters > 0;
}

// What to do with a run that did not come to its end.
static void write_halted(const struct log *log, const struct summary *summary) {
    bool begun = has_begun(summary);
    if (summary->verify || summary->plan) {
        log_printf(log, LOG_INFO, "not finished; nothing was changed");
    } else if (summary->rollback && summary->dry_run) {
        log_printf(log, LOG_INFO, "not finished; nothing was changed");
    } else if (summary->rollback) {
        log_printf(log, LOG_INFO, "not finished; to go on: ttn-lw-migrate rollback %s", summary->journal);
    } else if (summary->journal != NULL && begun) {
        log_printf(log, LOG_INFO,
                   "not finished; to go on: ttn-lw-migrate resume %s; to put the %s back: "
                   "ttn-lw-migrate rollback %s",
                   summary->journal, summary->gateways ? "gateways" : "devices", summary->journal);
    } else if (!begun) {
        log_printf(log, LOG_INFO, "nothing was written and nothing was changed");
    } else if (summary->changes) {
        log_printf(
            log, LOG_INFO,
            "not finished: keep %s, its devices are no longer at %s; run the command again for the others, "
            "into another file",
            summary->output, summary->source);
    } else {
        log_printf(
            log, LOG_INFO,
            "not finished: what was written to %s is incomplete; run the command again, into another file, "
            "or with --keep-going",
            summary->output);
    }
}

static void write_rolled_back(const struct log *log, const struct summary *summary) {
    bool any = summary->numbers->restored + summary->numbers->failed + summary->numbers->back > 0;
    if (summary->numbers->imperfect > 0) {
        log_printf(log, LOG_INFO, "something of %" PRIu64 " device%s could not be put back: see above",
                   summary->numbers->imperfect, plural(summary->numbers->imperfect));
    }
    if (summary->numbers->back > 0) {
        log_printf(log, LOG_INFO,
                   "what could not be put back of devices that are back already: ttn-lw-migrate status %s",
                   summary->journal);
    }
    static const char nothing[] =
        "the run has no device that is to be put back; other runs: ttn-lw-migrate status --list";
    if (summary->dry_run) {
        log_printf(log, LOG_INFO, "dry run: nothing was changed; %s",
                   !any              ? nothing
                   : summary->stayed ? "run the same command without --dry-run to do it"
                                     : "run the same command without --dry-run to put them back");
        return;
    }
    if (!any) log_printf(log, LOG_INFO, "%s", nothing);
    if (!any || summary->target != NULL) return;
    log_printf(log, LOG_INFO,
               "take the devices out of their new network, and do not import their lines any more");
}

// After a run into a network.
static void write_imported(const struct log *log, const struct summary *summary) {
    const struct run_numbers *numbers = summary->numbers;
    if (summary->keeps && numbers->imported > 0) {
        log_printf(log, LOG_WARN,
                   "%s has the devices too: as long as it does, both networks answer them, and use up each "
                   "other's counters",
                   summary->source);
    }
    if (numbers->failed > 0) {
        log_printf(log, LOG_INFO,
                   summary->journal != NULL
                       ? "mend the devices that failed, then: ttn-lw-migrate resume --failed"
                       : "mend the devices that failed, and run the command again for them");
    } else if (numbers->imported + numbers->found > 0) {
        log_printf(log, LOG_INFO,
                   "next: wait until the devices are heard: ttn-lw-migrate verify --wait-uplink 15m");
    } else {
        log_printf(log, LOG_INFO, "nothing was left to migrate");
    }
}

// What to do about devices that are not as they should be, or were not heard.
static void write_checked(const struct log *log, const struct summary *summary) {
    if (summary->numbers->formatters_failed > 0)
        log_printf(log, LOG_WARN,
                   "%" PRIu64
                   " application%s at the target with other payload formatters than the run has set",
                   summary->numbers->formatters_failed, plural(summary->numbers->formatters_failed));
    if (summary->numbers->failed > 0) {
        log_printf(
            log, LOG_INFO,
            "devices that differ: mend them at the target, or ttn-lw-migrate rollback RUN ID puts them "
            "back at %s",
            summary->source);
    }
    if (summary->numbers->silent > 0) {
        log_printf(
            log, LOG_INFO,
            "devices that send rarely need longer: ttn-lw-migrate verify --wait-uplink 24h; those that "
            "stay silent go back with ttn-lw-migrate rollback --silent");
    }
}

static void write_next(const struct log *log, const struct summary *summary) {
    const struct run_numbers *numbers = summary->numbers;
    if (summary->interrupted || summary->halted) {
        write_halted(log, summary);
    } else if (summary->rollback) {
        write_rolled_back(log, summary);
    } else if (summary->plan) {
        log_printf(log, LOG_INFO, "nothing was changed");
    } else if (summary->verify) {
        write_checked(log, summary);
    } else if (summary->target != NULL) {
        write_imported(log, summary);
    } else if (summary->dry_run) {
        log_printf(log, LOG_INFO,
                   "dry run: nothing was changed; run the same command without --dry-run to migrate");
    } else if (numbers->failed > 0) {
        log_printf(log, LOG_INFO, "%smend the devices that failed, %s",
                   numbers->written > 0 ? "import what was written; " : "",
                   summary->journal != NULL ? "then: ttn-lw-migrate resume --failed"
                                            : "and run the command again for them");
    } else if (numbers->written > 0) {
        if (summary->keeps)
            log_printf(log, LOG_WARN,
                       "%s has the devices too, and goes on answering them: take them away there before the "
                       "file is imported",
                       summary->source);
        log_printf(
            log, LOG_INFO,
            "next: import the devices into The Things Stack (Console, or ttn-lw-cli end-devices create)");
        if (summary->formatters_stay)
            log_printf(log, LOG_INFO,
                       "the application's payload formatters are not in that file: --formatters DIR writes "
                       "them, also with --dry-run");
    } else {
        log_printf(log, LOG_INFO, "nothing was left to migrate");
    }
}

// ---- gateways

static void count_gateways(const struct summary *summary, struct buffer *text) {
    const struct run_numbers *numbers = summary->numbers;
    if (summary->rollback) {
        buffer_printf(text, "%" PRIu64 " gateway%s %s", numbers->restored, plural(numbers->restored),
                      put_back(summary));
        add_back(summary, text);
    } else if (summary->plan) {
        buffer_printf(text, "%" PRIu64 " gateway%s can go", numbers->checked, plural(numbers->checked));
    } else if (summary->target != NULL) {
        buffer_printf(text, "%" PRIu64 " gateway%s brought to %s", numbers->imported,
                      plural(numbers->imported), summary->target);
    } else {
        buffer_printf(text, "%" PRIu64 " gateway%s written to %s", numbers->written, plural(numbers->written),
                      summary->output);
    }
    if (numbers->found > 0) buffer_printf(text, ", %" PRIu64 " there already", numbers->found);
    if (numbers->redirected > 0) buffer_printf(text, ", %" PRIu64 " redirected", numbers->redirected);
    if (numbers->skipped > 0) buffer_printf(text, ", %" PRIu64 " left alone", numbers->skipped);
    if (numbers->failed > 0) buffer_printf(text, ", %" PRIu64 " %s", numbers->failed, failed(summary));
}

static void write_gateways(const struct log *log, const struct summary *summary) {
    const struct run_numbers *numbers = summary->numbers;
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    count_gateways(summary, &text);
    add_duration(&text, summary->elapsed);
    if (!summary->counted) log_printf(log, LOG_INFO, "%s", buffer_string(&text));
    if (summary->halted || summary->interrupted) {
        write_halted(log, summary);
    } else if (summary->plan || (summary->rollback && summary->dry_run)) {
        log_printf(log, LOG_INFO, "nothing was changed");
    } else if (!summary->rollback && numbers->redirected > 0) {
        log_printf(log, LOG_INFO,
                   "next: the gateways ask within a day; until then ttn-lw-migrate rollback undoes it");
    } else if (!summary->rollback && summary->target == NULL) {
        log_printf(log, LOG_INFO, "the gateways stay at their old network");
    } else if (!summary->rollback && numbers->imported > 0) {
        log_printf(log, LOG_INFO, "next: give the gateways the address of their new network");
    }
}

void summary_write(const struct log *log, const struct summary *summary) {
    if (summary->gateways) {
        write_gateways(log, summary);
        return;
    }
    write_counts(log, summary);
    write_leftovers(log, summary);
    write_next(log, summary);
    bool kept =
        summary->journal != NULL && !summary->halted && !summary->interrupted &&
        (summary->numbers->written > 0 || summary->numbers->begun > 0 || summary->numbers->formatters > 0);
    if (kept) log_printf(log, LOG_INFO, "the run's journal, which holds keys: %s", summary->journal);
}
