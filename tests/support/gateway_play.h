// SPDX-License-Identifier: Apache-2.0
// What unit tests of sources that have gateways share.
#ifndef SUPPORT_GATEWAY_PLAY_H
#define SUPPORT_GATEWAY_PLAY_H

#include "base/buffer.h"
#include "base/memory.h"
#include "device/gateway.h"
#include "device/json_write.h"
#include "support/source_play.h"

static inline enum job_step play_list_gateways(struct play *play, struct source_page *page) {
    return play_run(play, play->driver->list_gateways(play->source, &play->job, page, &play->error));
}

static inline enum job_step play_read_gateway(struct play *play, struct source_record *record) {
    return play_run(play, play->driver->read_gateway(play->source, &play->job, record, &play->error));
}

// The gateway's JSON and its notes ("path: text"), or the error; the caller frees it.
static inline char *play_convert_gateway(struct play *play, const struct source_record *record) {
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    GATEWAY_AUTO gateway;
    gateway_init(&gateway);
    error_release(&play->error);
    if (play->driver->convert_gateway(play->source, record, &gateway, &play->error) == 0) {
        message_json_write(&gateway.message->base, &text);
    } else {
        char *chain MEMORY_AUTO = error_chain(&play->error);
        buffer_puts(&text, chain);
    }
    for (size_t i = 0; i < gateway.notes.count; i++)
        buffer_printf(&text, " (%s: %s)", gateway.notes.items[i].path, gateway.notes.items[i].text);
    return buffer_take_string(&text);
}

#endif
