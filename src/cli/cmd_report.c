// SPDX-License-Identifier: Apache-2.0
// The report of a run that has a journal. Nothing is contacted, and nothing is changed.
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/run_journal.h"
#include "cli/signals.h"

static const char *environment(const char *name) {
    return getenv(name);
}

static int write_report(const struct session *session, const struct run_journal *journal,
                        struct error *error) {
    const char *path = option_string(session->invocation->global, "output");
    struct file *file = NULL;
    int result = path != NULL ? file_create_output(path, signals_halt_fd(), &file, error)
                              : file_open_standard_output(signals_halt_fd(), &file, error);
    if (result != 0) return result;
    char *name MEMORY_AUTO = run_journal_name(journal, environment);
    const struct report report = {
        .journal = journal->journal,
        .path = journal->path,
        .name = name,
        .sources = session->sources,
        .now = clock_wall(&clock_system),
    };
    result = report_write(&report, file, error);
    if (result != 0) file->operations->discard(file);
    int closed = file->operations->close(file, result == 0 ? error : NULL);
    return result != 0 ? result : closed;
}

enum exit_code cmd_report(const struct session *session) {
    const struct invocation *invocation = session->invocation;
    const char *name = invocation->argument_count > 0 ? invocation->arguments[0] : NULL;
    struct run_journal journal = {0};
    ERROR_AUTO error = {0};
    int result = run_journal_open(invocation->global, name, false, environment, &journal, &error);
    if (result == 0) result = write_report(session, &journal, &error);
    run_journal_release(&journal);
    return result == 0 ? EXIT_DONE : output_error(session, &error);
}
