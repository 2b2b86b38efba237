// SPDX-License-Identifier: Apache-2.0
// A folder of frequency plans: the list up to a line `%`, then the file that each of its entries names.
#include <string.h>

#include "fuzz.h"
#include "lorawan/frequency_plan.h"

struct folder {
    const uint8_t *list;
    size_t list_size;
    const uint8_t *plan;
    size_t plan_size;
};

static int fetch(void *context, const char *name, struct buffer *content, struct error *error) {
    const struct folder *folder = context;
    fuzz_check(name[0] != '/' && strncmp(name, "../", 3) != 0 && !strstr(name, "/../"));
    if (strcmp(name, "frequency-plans.yml") == 0) {
        buffer_add(content, folder->list, folder->list_size);
    } else if (folder->plan) {
        buffer_add(content, folder->plan, folder->plan_size);
    } else {
        return error_set(error, ERROR_NOT_FOUND, "no file %s", name);
    }
    return 0;
}

static void check_plans(const struct frequency_plans *plans) {
    for (size_t i = 0; i < plans->count; i++) {
        const struct frequency_plan *plan = &plans->plans[i];
        fuzz_check(plan->id && plan->name && plan->band_id);
        fuzz_check(frequency_plans_find(plans, plan->id));
        fuzz_check(plan->downlink_channel_count == 0 ||
                   plan->downlink_channel_count == plan->uplink_channel_count);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct folder folder = {.list = data, .list_size = size};
    const uint8_t *line = size ? memmem(data, size, "\n%\n", 3) : NULL;
    if (line) {
        folder.list_size = (size_t)(line + 1 - data);
        folder.plan = line + 3;
        folder.plan_size = size - folder.list_size - 2;
    }
    ERROR_AUTO error = {0};
    struct frequency_plans *plans = NULL;
    int result = frequency_plans_load(fetch, &folder, &plans, &error);
    fuzz_check(result == 0 ? plans != NULL : error.message != NULL);
    if (plans) check_plans(plans);
    frequency_plans_free(plans);
    return 0;
}
