// SPDX-License-Identifier: Apache-2.0
// schemac SCHEMA proto DIRECTORY   writes a .proto for each package into the directory
// schemac SCHEMA tables FILE       writes the constant tables
#include "schemac.h"

#include <stdlib.h>
#include <string.h>

static FILE *output_open(const char *path) {
    FILE *file = fopen(path, "we");
    if (file == NULL) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    return file;
}

static void output_close(FILE *file, const char *path) {
    if (ferror(file) || fclose(file) != 0) {
        perror(path);
        exit(EXIT_FAILURE);
    }
}

static void write_protos(struct schema *schema, const char *directory) {
    for (const struct package *package = schema->packages; package != NULL; package = package->next) {
        const char *path = arena_printf(&schema->arena, "%s/%s.proto", directory, package->file);
        FILE *file = output_open(path);
        schema_write_proto(schema, package, file);
        output_close(file, path);
    }
}

int main(int argc, char **argv) {
    struct schema schema = {0};
    if (argc != 4 || (strcmp(argv[2], "proto") != 0 && strcmp(argv[2], "tables") != 0)) {
        fputs("usage: schemac SCHEMA proto DIRECTORY\n       schemac SCHEMA tables FILE\n", stderr);
        return EXIT_FAILURE;
    }
    schema_load(&schema, argv[1]);
    if (strcmp(argv[2], "proto") == 0) {
        write_protos(&schema, argv[3]);
    } else {
        FILE *file = output_open(argv[3]);
        schema_write_tables(&schema, file);
        output_close(file, argv[3]);
    }
    arena_release(&schema.arena);
    return EXIT_SUCCESS;
}
