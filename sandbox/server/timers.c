// SPDX-License-Identifier: Apache-2.0
#include "server/timers.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/memory.h"

void timers_release(struct timers *timers) {
    free(timers->heap);
    *timers = (struct timers){0};
}

static bool is_before(const struct timer *a, const struct timer *b) {
    return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static void swap(struct timer *a, struct timer *b) {
    struct timer old = *a;
    *a = *b;
    *b = old;
}

void timers_add(struct timers *timers, int64_t due, void *item) {
    if (timers->count == timers->capacity) {
        timers->capacity = timers->capacity * 2 + 16;
        timers->heap = memory_resize(timers->heap, timers->capacity, sizeof *timers->heap);
    }
    size_t place = timers->count++;
    timers->heap[place] = (struct timer){.due = due, .order = timers->added++, .item = item};
    while (place > 0 && is_before(&timers->heap[place], &timers->heap[(place - 1) / 2])) {
        swap(&timers->heap[place], &timers->heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
}

int64_t timers_next(const struct timers *timers) {
    return timers->count > 0 ? timers->heap[0].due : INT64_MAX;
}

void *timers_take(struct timers *timers, int64_t now) {
    if (timers_next(timers) > now || timers->count == 0) return NULL;
    void *item = timers->heap[0].item;
    timers->heap[0] = timers->heap[--timers->count];
    for (size_t place = 0;;) {
        size_t least = place;
        for (size_t child = 2 * place + 1; child <= 2 * place + 2 && child < timers->count; child++) {
            if (is_before(&timers->heap[child], &timers->heap[least])) least = child;
        }
        if (least == place) return item;
        swap(&timers->heap[place], &timers->heap[least]);
        place = least;
    }
}
