// SPDX-License-Identifier: Apache-2.0
#include "source/source.h"

#include <stdlib.h>

#include "base/memory.h"

enum { FIRST_RECORDS = 64 };

struct source_record *source_page_add(struct source_page *page) {
    if (page->count == page->capacity) {
        page->capacity = page->capacity > 0 ? page->capacity * 2 : FIRST_RECORDS;
        page->records = memory_resize(page->records, page->capacity, sizeof *page->records);
    }
    struct source_record *record = &page->records[page->count++];
    *record = (struct source_record){0};
    return record;
}

void source_page_release(struct source_page *page) {
    for (size_t i = 0; i < page->count; i++) source_record_release(&page->records[i]);
    free(page->records);
    free(page->cursor);
    *page = (struct source_page){0};
}
