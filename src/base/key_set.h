// SPDX-License-Identifier: Apache-2.0
// A set of keys, each with a number, that may outgrow memory: an interface, so that those who look for something that
// stands twice need not know where the set is kept.
#ifndef BASE_KEY_SET_H
#define BASE_KEY_SET_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct key_set;

struct key_set_operations {
    // Adds a key with its number (not 0). *ret_number is the number under which it is there already, and nothing is
    // changed then; else 0. ERROR_SYSTEM.
    int (*add)(struct key_set *set, const void *key, size_t size, uint64_t number, uint64_t *ret_number,
               struct error *error);
    // Takes all keys away.
    int (*clear)(struct key_set *set, struct error *error);
    // Frees; never NULL.
    void (*free)(struct key_set *set);
};

struct key_set {
    const struct key_set_operations *operations;
};

#endif
