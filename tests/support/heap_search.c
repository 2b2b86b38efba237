// SPDX-License-Identifier: Apache-2.0
#include "support/heap_search.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 1 << 16 };

// The secret is nowhere but where it was written: each byte is worked out.
static char secret_byte(size_t i) {
    return (char)('A' + (i * 7 + i / 11) % 26);
}

void write_secret(char *text) {
    for (size_t i = 0; i < SECRET_SIZE; i++) text[i] = secret_byte(i);
    text[SECRET_SIZE] = '\0';
}

bool is_mark(const char *bytes) {
    for (size_t i = 0; i < MARK_SIZE; i++) {
        if (bytes[i] != secret_byte(MARK_AT + i)) return false;
    }
    return true;
}

static bool range_holds(int memory, uintptr_t start, uintptr_t end) {
    static char bytes[CHUNK + MARK_SIZE];
    bool found = false;
    for (uintptr_t at = start; at < end && !found; at += CHUNK) {
        size_t size = end - at < sizeof bytes ? end - at : sizeof bytes;
        if (pread(memory, bytes, size, (off_t)at) != (ssize_t)size) break;
        for (size_t i = 0; i + MARK_SIZE <= size && !found; i++) found = is_mark(bytes + i);
    }
    explicit_bzero(bytes, sizeof bytes);
    return found;
}

bool heap_holds_secret(void) {
    FILE *maps = fopen("/proc/self/maps", "re");
    int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    if (maps == NULL || memory < 0) abort();
    char line[512];
    bool found = false;
    while (!found && fgets(line, sizeof line, maps) != NULL) {
        uintptr_t start = 0, end = 0;
        char rights[5] = "";
        if (sscanf(line, "%lx-%lx %4s", &start, &end, rights) != 3 || strncmp(rights, "rw", 2) != 0) continue;
        bool named = strchr(line, '/') != NULL || strstr(line, "[stack]") != NULL;
        // What a sanitizer sets aside for itself is larger than any heap here.
        if (!named && end - start <= UINT32_MAX) found = range_holds(memory, start, end);
    }
    fclose(maps);
    close(memory);
    return found;
}
