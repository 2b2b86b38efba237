// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "networks/networks.h"

void network_option(struct network_options *options, const char *name, const char *value) {
    if (options->count == NETWORK_OPTIONS_MAX) return;
    options->items[options->count].name = arena_strdup(&options->arena, name);
    options->items[options->count++].value = arena_strdup(&options->arena, value);
}

void network_options_tts(struct network_options *options, const char *application, const char *key,
                         const char *domain) {
    static const char *const servers[] = {"identity", "network", "application", "join"};
    network_option(options, "app-id", application);
    network_option(options, "app-api-key", key);
    for (size_t i = 0; i < sizeof servers / sizeof *servers; i++) {
        network_option(options, arena_printf(&options->arena, "%s-server-grpc-address", servers[i]),
                       arena_printf(&options->arena, "%cs.%s:8884", servers[i][0], domain));
    }
}

void network_options_release(struct network_options *options) {
    arena_release(&options->arena);
    options->count = 0;
}

int network_options_set(const struct network_options *options, const struct option_spec *table,
                        struct option_values **ret_values, struct error *error) {
    struct option_values *values = option_values_new(table);
    int result = 0;
    for (size_t i = 0; i < options->count && result == 0; i++) {
        const char *name = options->items[i].name;
        const struct option_spec *spec = option_find(table, name, strlen(name));
        result = spec == NULL ? error_set(error, ERROR_USAGE, "there is no option %s", name)
                              : option_set(values, spec, name, options->items[i].value, error);
    }
    *ret_values = values;
    return result;
}
