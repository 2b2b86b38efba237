// SPDX-License-Identifier: Apache-2.0
#include "cli/plans.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "net/curl_transport.h"
#include "net/http_fetch.h"

struct remote_plans {
    struct transport *transport;
    const char *url;
    int64_t timeout;  // ns
};

static int fetch_plan(void *context, const char *name, struct buffer *content, struct error *error) {
    const struct remote_plans *remote = context;
    size_t size = strlen(remote->url);
    while (size > 0 && remote->url[size - 1] == '/') size--;
    char *url MEMORY_AUTO = memory_printf("%.*s/%s", (int)size, remote->url, name);
    return http_fetch(remote->transport, url, FREQUENCY_PLANS_FILE_LIMIT, remote->timeout, content, error);
}

static int load_remote(const struct option_values *global, const char *url, const struct log *log,
                       int halt_fd, struct frequency_plans **ret_plans, struct error *error) {
    struct transport *transport =
        curl_transport_new(&(struct curl_transport_setup){.log = log, .wake_fd = halt_fd}, error);
    if (transport == NULL) return -(int)error->code;
    struct remote_plans remote = {
        .transport = transport, .url = url, .timeout = option_duration(global, "timeout")};
    int result = frequency_plans_load(fetch_plan, &remote, ret_plans, error);
    transport->operations->free(transport);
    return result;
}

int plan_set_open(const struct option_values *global, const struct log *log, int halt_fd,
                  struct plan_set *plans, struct error *error) {
    const char *place = option_string(global, "frequency-plans-url");
    int result = 0;
    if (place == NULL) {
        plans->plans = frequency_plans_builtin();
        return 0;
    }
    if (strncmp(place, "http://", 7) == 0 || strncmp(place, "https://", 8) == 0) {
        result = load_remote(global, place, log, halt_fd, &plans->loaded, error);
    } else {
        const char *path = strncmp(place, "file://", 7) == 0 ? place + 7 : place;
        result = frequency_plans_load_directory(path, &plans->loaded, error);
    }
    if (result != 0) return error_wrap(error, ERROR_NONE, "--frequency-plans-url %s", place);
    plans->plans = plans->loaded;
    return 0;
}

void plan_set_release(struct plan_set *plans) {
    frequency_plans_free(plans->loaded);
    *plans = (struct plan_set){0};
}
