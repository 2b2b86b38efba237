// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <stdlib.h>

#include "base/memory.h"

bool log_wants(const struct log *log, enum log_level level) {
    return log != NULL && log->write != NULL && level >= log->least;
}

void log_write(const struct log *log, const struct log_record *record) {
    if (log_wants(log, record->level)) log->write(log->context, record);
}

void log_printf(const struct log *log, enum log_level level, const char *format, ...) {
    if (!log_wants(log, level)) return;
    va_list args;
    va_start(args, format);
    char *message = memory_vprintf(format, args);
    va_end(args);
    log_write(log, &(struct log_record){.level = level, .message = message});
    free(message);
}
