// SPDX-License-Identifier: Apache-2.0
// Sources that are files: they list devices and never let go of any.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "networks/networks.h"
#include "networks/texts.h"
#include "support/text_reader.h"

// ---- the file

static void text_close(struct reader *reader) {
    free(reader);
}

struct reader *network_text_reader(const char *text) {
    static const struct reader_operations operations = {text_reader_read, text_reader_rewind, text_close};
    struct text_reader *self = memory_new(struct text_reader);
    *self = (struct text_reader){
        .base = {.operations = &operations, .name = "the file"}, .text = text, .size = strlen(text)};
    return &self->base;
}

// ---- its devices

static void populate(struct world_setup *setup, uint64_t devices) {
    (void)setup;
    (void)devices;
}

static const char *application(const struct world *world) {
    (void)world;
    return "my-app";
}

static void options_usual(const struct world *world, struct network_options *options) {
    (void)world;
    network_option(options, "app-id", "my-app");
    network_option(options, "frequency-plan-id", "EU_863_870_TTN");
    network_option(options, "mac-version", "1.0.3");
}

static void options_none(const struct world *world, struct network_options *options) {
    (void)world;
    (void)options;
}

static bool take(size_t index, const char *const ids[2], struct network_device *ret_device) {
    static const char *const euis[] = {"70B3D57ED1000001", "70B3D57ED1000002"};
    if (index >= sizeof euis / sizeof *euis) return false;
    *ret_device = (struct network_device){0};
    snprintf(ret_device->id, sizeof ret_device->id, "%s", ids[index]);
    network_take_hex(ret_device->dev_eui, NETWORK_EUI_SIZE, euis[index]);
    network_take_hex(ret_device->root_key, NETWORK_KEY_SIZE, NETWORK_TEXT_KEY);
    return true;
}

static bool device_named(const struct world *world, size_t index, struct network_device *ret_device) {
    static const char *const ids[] = {"one", "two"};
    (void)world;
    return take(index, ids, ret_device);
}

static bool device_called_eui(const struct world *world, size_t index, struct network_device *ret_device) {
    static const char *const ids[] = {"eui-70b3d57ed1000001", "eui-70b3d57ed1000002"};
    (void)world;
    return take(index, ids, ret_device);
}

static bool device_numbered(const struct world *world, size_t index, struct network_device *ret_device) {
    static const char *const ids[] = {"70b3d57ed1000001", "70b3d57ed1000002"};
    (void)world;
    return take(index, ids, ret_device);
}

static void state(const struct world *world, struct buffer *lines) {
    (void)world;
    (void)lines;
}

#define FILE_SOURCE(driver_name, content, its_options, its_device)                                        \
    {                                                                                                     \
        .name = (driver_name), .driver = (driver_name), .populate = populate, .application = application, \
        .options = (its_options), .release_ways = ways, .device = (its_device), .state = state,           \
        .text = (content)                                                                                 \
    }

static const char *const ways[] = {"file", NULL};

const struct network_source network_files[] = {
    FILE_SOURCE("json", NETWORK_TEXT_JSON, options_none, device_named),
    FILE_SOURCE("csv", NETWORK_TEXT_CSV, options_usual, device_called_eui),
    FILE_SOURCE("thingpark", NETWORK_TEXT_THINGPARK, options_usual, device_called_eui),
    FILE_SOURCE("helium", NETWORK_TEXT_HELIUM, options_usual, device_called_eui),
    FILE_SOURCE("wanesy", NETWORK_TEXT_WANESY, options_usual, device_numbered),
    {.name = NULL},
};
