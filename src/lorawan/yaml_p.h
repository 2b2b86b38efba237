// SPDX-License-Identifier: Apache-2.0
// A YAML file from anywhere as a tree, with values that know where they stand. What is read has limits:
// depth, number of anchors, size (by its buffer), so that no file can keep the program busy or fill its
// memory.
#ifndef LORAWAN_YAML_P_H
#define LORAWAN_YAML_P_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yaml.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"

struct yaml_file {
    char *name;  // for messages; owned
    yaml_document_t document;
};

// Where a value stands in a file; without a node there is no value. Borrowed from the file.
struct yaml_value {
    struct yaml_file *file;
    const yaml_node_t *node;
};

// Reads one document. ERROR_INPUT with file and line if it is malformed or goes beyond the limits. On success
// the caller closes the file.
int yaml_file_open(struct yaml_file *file, const char *name, const struct buffer *content,
                   struct error *error);
void yaml_file_close(struct yaml_file *file);

// The value of the whole file; no value if it is empty.
struct yaml_value yaml_root(struct yaml_file *file);

// ERROR_INPUT with "FILE:LINE: " before the message.
int yaml_fail(struct yaml_value value, struct error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Checks that a value is a list, or a mapping in which no key stands twice. `what` names it in the error.
int yaml_check_list(struct yaml_value value, const char *what, size_t most, struct error *error);
int yaml_check_mapping(struct yaml_value value, const char *what, struct error *error);

// The items of a list that was checked.
size_t yaml_count(struct yaml_value list);
struct yaml_value yaml_item(struct yaml_value list, size_t index);

// A member of a mapping that was checked; no value if it is missing or null.
struct yaml_value yaml_member(struct yaml_value mapping, const char *key);

// Scalars. `what` names the value in the error. Texts are copied into the arena.
int yaml_text(struct yaml_value value, const char *what, size_t most, struct arena *arena,
              const char **ret_text, struct error *error);
int yaml_integer(struct yaml_value value, const char *what, uint64_t least, uint64_t most, uint64_t *ret,
                 struct error *error);
int yaml_decimal(struct yaml_value value, const char *what, float least, float most, float *ret,
                 struct error *error);
int yaml_boolean(struct yaml_value value, const char *what, bool *ret, struct error *error);

// A length of time of at most an hour: "400ms", or a bare number of nanoseconds.
int yaml_duration(struct yaml_value value, const char *what, int64_t *ret, struct error *error);

#endif
