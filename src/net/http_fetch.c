// SPDX-License-Identifier: Apache-2.0
#include "net/http_fetch.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct fetch {
    struct reply reply;
    bool done;
};

static void fetch_done(void *context, struct reply *reply) {
    struct fetch *fetch = context;
    fetch->reply = *reply;
    *reply = (struct reply){0};
    fetch->done = true;
}

static int fetch_call(struct transport *transport, const struct call *call, int64_t timeout,
                      struct buffer *content, struct error *error) {
    struct fetch fetch = {0};
    void *handle = transport->operations->start(transport, call, timeout, fetch_done, &fetch);
    int result = 0;
    while (!fetch.done && result == 0) result = transport->operations->wait(transport, timeout, error);
    if (!fetch.done) transport->operations->cancel(transport, handle);
    if (result == 0) result = reply_error(&fetch.reply, call, error);
    if (result == 0) buffer_add(content, fetch.reply.body.data, fetch.reply.body.size);
    reply_release(&fetch.reply);
    return result;
}

int http_fetch(struct transport *transport, const char *url, size_t limit, int64_t timeout,
               struct buffer *content, struct error *error) {
    bool plain = strncmp(url, "http://", 7) == 0;
    if (!plain && strncmp(url, "https://", 8) != 0) {
        return error_set(error, ERROR_USAGE, "%s is no http or https URL", url);
    }
    const char *host = url + (plain ? 7 : 8);
    size_t host_size = strcspn(host, "/?#");
    char *host_only MEMORY_AUTO = memory_strndup(host, host_size);
    if (strchr(host_only, '@') != NULL) {
        return error_set(error, ERROR_USAGE, "a URL with a user or password is not supported");
    }
    const char *bracket = strchr(host_only, ']');
    bool has_port = strchr(bracket != NULL ? bracket : host_only, ':') != NULL;
    char *address MEMORY_AUTO = memory_printf("%s%s", host_only, has_port ? "" : plain ? ":80" : ":443");
    // What follows a '#' is not for the server.
    const char *rest = host + host_size;
    char *path MEMORY_AUTO =
        memory_printf("%s%.*s", rest[0] == '/' ? "" : "/", (int)strcspn(rest, "#"), rest);
    const struct server server = {.name = address, .address = address, .plain = plain};
    const struct call call = {
        .kind = CALL_HTTP,
        .server = &server,
        .method = "GET",
        .path = path,
        .reply_limit = limit,
    };
    return fetch_call(transport, &call, timeout, content, error);
}
