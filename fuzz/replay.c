// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target over files without a fuzzer: each file as it is, cut off after every byte, and with
// every byte damaged in several ways.
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "fuzz.h"

enum {
    INPUT_MAX = 1 << 20,  // most bytes of a file
    VARIANTS_MAX = 512,   // files are cut and damaged in about so many places
};

// Gives the target memory of exactly the input's size, so that a read beyond it is caught.
static void run(const uint8_t *data, size_t size) {
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy) abort();
    memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void run_variants(uint8_t *data, size_t size) {
    static const uint8_t damage[] = {0x00, 0xff, 0x80, '"', '\n'};
    size_t stride = size / VARIANTS_MAX + 1;
    for (size_t at = 0; at < size; at += stride) {
        run(data, at);
        uint8_t kept = data[at];
        for (size_t i = 0; i < sizeof(damage); i++) {
            data[at] = damage[i];
            run(data, size);
        }
        data[at] = kept ^ 1;
        run(data, size);
        data[at] = kept;
    }
}

static bool run_file(const char *path) {
    FILE *file = fopen(path, "rbe");
    uint8_t *data = malloc(INPUT_MAX);
    if (!file || !data) {
        perror(path);
        if (file) fclose(file);
        free(data);
        return false;
    }
    size_t size = fread(data, 1, INPUT_MAX, file);
    fclose(file);
    run(data, size);
    run_variants(data, size);
    free(data);
    return true;
}

// The number of files that were run, or -1.
static int run_folder(const char *path) {
    DIR *folder = opendir(path);
    if (!folder) {
        perror(path);
        return -1;
    }
    int count = 0;
    const struct dirent *entry;
    while (count >= 0 && (entry = readdir(folder))) {
        if (entry->d_name[0] == '.') continue;
        char *name = memory_printf("%s/%s", path, entry->d_name);
        count = run_file(name) ? count + 1 : -1;
        free(name);
    }
    closedir(folder);
    return count;
}

int main(int argument_count, char **arguments) {
    if (argument_count != 2) {
        fprintf(stderr, "usage: %s FOLDER\n", arguments[0]);
        return 2;
    }
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    int count = run_folder(arguments[1]);
    printf("%d files of %s\n", count, arguments[1]);
    return count > 0 ? 0 : 1;
}
