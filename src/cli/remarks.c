// SPDX-License-Identifier: Apache-2.0
#include "cli/remarks.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli/printable.h"

enum {
    GROUPS_MAX = 200,  // of different remarks; devices beyond them are only counted
    IDS_SHOWN = 5,
};

struct group {
    char *state;   // owned
    char *remark;  // owned
    char *ids[IDS_SHOWN];
    uint64_t count;
};

struct remarks {
    struct group groups[GROUPS_MAX];
    size_t group_count;
    uint64_t more;  // devices without a group
};

struct remarks *remarks_new(void) {
    return memory_new(struct remarks);
}

void remarks_free(struct remarks *remarks) {
    if (remarks == NULL) return;
    for (size_t i = 0; i < remarks->group_count; i++) {
        struct group *group = &remarks->groups[i];
        free(group->state);
        free(group->remark);
        for (size_t j = 0; j < IDS_SHOWN; j++) free(group->ids[j]);
    }
    free(remarks);
}

static struct group *group_of(struct remarks *remarks, const char *state, const char *remark) {
    for (size_t i = 0; i < remarks->group_count; i++) {
        struct group *group = &remarks->groups[i];
        if (strcmp(group->remark, remark) == 0 && strcmp(group->state, state) == 0) return group;
    }
    if (remarks->group_count == GROUPS_MAX) return NULL;
    struct group *group = &remarks->groups[remarks->group_count++];
    group->state = memory_strdup(state);
    group->remark = memory_strdup(remark);
    return group;
}

void remarks_add(struct remarks *remarks, const char *id, const char *state, const char *remark) {
    struct group *group = group_of(remarks, state, remark);
    if (group == NULL) {
        remarks->more++;
        return;
    }
    if (group->count < IDS_SHOWN) group->ids[group->count] = memory_strdup(id);
    group->count++;
}

static void write_group(const struct group *group, struct buffer *text) {
    buffer_puts(text, "  ");
    if (group->count == 1) {
        printable_add(text, group->ids[0]);
    } else {
        buffer_printf(text, "%" PRIu64 " devices", group->count);
    }
    buffer_printf(text, " (%s): ", group->state);
    printable_add(text, group->remark);
    buffer_putc(text, '\n');
    if (group->count == 1) return;
    buffer_puts(text, "      ");
    for (size_t i = 0; i < IDS_SHOWN && i < group->count; i++) {
        if (i > 0) buffer_puts(text, ", ");
        printable_add(text, group->ids[i]);
    }
    if (group->count > IDS_SHOWN) buffer_printf(text, " and %" PRIu64 " more", group->count - IDS_SHOWN);
    buffer_putc(text, '\n');
}

void remarks_write(const struct remarks *remarks, struct buffer *text) {
    bool cut = remarks->more > 0;
    for (size_t i = 0; i < remarks->group_count; i++) {
        write_group(&remarks->groups[i], text);
        cut = cut || remarks->groups[i].count > IDS_SHOWN;
    }
    if (remarks->more > 0)
        buffer_printf(text, "  %" PRIu64 " more devices with other remarks\n", remarks->more);
    if (cut)
        buffer_puts(text,
                    "  all of them: --json, or ttn-lw-migrate report; those that failed: --failed-ids; those "
                    "on their way: --unfinished-ids\n");
}
