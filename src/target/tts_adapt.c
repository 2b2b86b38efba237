// SPDX-License-Identifier: Apache-2.0
// Makes a device fit the application at the target, and refuses one that the target would refuse or never hear.
#include <string.h>

#include "base/buffer.h"
#include "device/message.h"
#include "lorawan/identifiers.h"
#include "target/tts_p.h"

enum { PREFIXES_SHOWN_MAX = 3 };

static bool is_wrapped(const Tts__KeyEnvelope *key) {
    return key != NULL && key->key.len == 0 && key->encrypted_key.len > 0;
}

// The registries take keys only in the clear: a wrapped one would be left out, and the device would be without.
static int check_keys(const Tts__EndDevice *device, struct error *error) {
    const Tts__RootKeys *root = device->root_keys;
    const Tts__SessionKeys *session = device->session == NULL ? NULL : device->session->keys;
    const struct {
        const Tts__KeyEnvelope *key;
        const char *path;
    } keys[] = {
        {root == NULL ? NULL : root->app_key, "root_keys.app_key"},
        {root == NULL ? NULL : root->nwk_key, "root_keys.nwk_key"},
        {session == NULL ? NULL : session->f_nwk_s_int_key, "session.keys.f_nwk_s_int_key"},
        {session == NULL ? NULL : session->s_nwk_s_int_key, "session.keys.s_nwk_s_int_key"},
        {session == NULL ? NULL : session->nwk_s_enc_key, "session.keys.nwk_s_enc_key"},
        {session == NULL ? NULL : session->app_s_key, "session.keys.app_s_key"},
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (!is_wrapped(keys[i].key)) continue;
        error_set(error, ERROR_DEVICE, "%s: the key is wrapped, and the target takes only plain ones",
                  keys[i].path);
        error_hint(error, "export the device where its keys can be unwrapped");
        return -ERROR_DEVICE;
    }
    return 0;
}

static bool in_prefix(const struct tts_prefix *prefix, uint32_t address) {
    return prefix->length == 0 || (address ^ prefix->address) >> (32 - prefix->length) == 0;
}

static void write_prefixes(const struct tts *self, struct buffer *text) {
    for (size_t i = 0; i < self->prefix_count && i < PREFIXES_SHOWN_MAX; i++) {
        buffer_printf(text, "%s%08X/%u", i > 0 ? ", " : "", (unsigned)self->prefixes[i].address,
                      self->prefixes[i].length);
    }
    if (self->prefix_count > PREFIXES_SHOWN_MAX) buffer_puts(text, ", ...");
}

static int check_dev_addr(const struct tts *self, struct device *device, struct error *error) {
    const Tts__Session *session = device->end_device->session;
    if (session == NULL || session->dev_addr.len != 4 || self->prefix_count == 0) return 0;
    const uint8_t *bytes = session->dev_addr.data;
    uint32_t address =
        (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
    for (size_t i = 0; i < self->prefix_count; i++) {
        if (in_prefix(&self->prefixes[i], address)) return 0;
    }
    // A private network hears whatever its own gateways receive.
    if (self->any_dev_addr) return 0;
    BUFFER_AUTO blocks;
    buffer_init(&blocks, BUFFER_UNLIMITED);
    write_prefixes(self, &blocks);
    if (option_bool(self->options, "any-dev-addr")) {
        device_note(device, "session.dev_addr",
                    "%08X is not of the target's network (%s): only its own gateways hear the device",
                    (unsigned)address, buffer_string(&blocks));
        return 0;
    }
    error_set(error, ERROR_DEVICE,
              "session.dev_addr: %08X is not of the target's network (%s): it would not hear the device",
              (unsigned)address, buffer_string(&blocks));
    error_hint(error,
               device->end_device->supports_join
                   ? "migrate the device without its session: it joins again at the target"
                   : "a device that does not join must be given an address of the target at the device "
                     "itself; if the target's own gateways are all that it needs: --to.tts.any-dev-addr");
    return -ERROR_DEVICE;
}

static int check_plan(const struct tts *self, const Tts__EndDevice *device, struct error *error) {
    if (self->frequency_plan_count == 0) return 0;
    for (size_t i = 0; i < self->frequency_plan_count; i++) {
        if (strcmp(self->frequency_plans[i], device->frequency_plan_id) == 0) return 0;
    }
    return error_set(error, ERROR_DEVICE, "frequency_plan_id: the target has no plan %s",
                     device->frequency_plan_id);
}

static void note_losses(struct device *device) {
    const Tts__EndDevice *end_device = device->end_device;
    const Tts__Session *session = end_device->session;
    if (session != NULL && session->n_queued_application_downlinks > 0) {
        device_note(device, "session.queued_application_downlinks",
                    "%zu downlinks that wait at the source do not go along",
                    session->n_queued_application_downlinks);
    }
    if (end_device->pending_session != NULL) {
        device_note(device, "pending_session",
                    "the device is about to join at the source: it may have to join once more at the target");
    }
}

static char *host_or_empty(struct device *device, const char *host) {
    return arena_strdup(&device->arena, host == NULL ? "" : host);
}

int tts_adapt(struct target *target, struct device *device, struct error *error) {
    struct tts *self = tts_of(target);
    Tts__EndDevice *end_device = device->end_device;
    int result = check_keys(end_device, error);
    if (result == 0) result = check_plan(self, end_device, error);
    if (result == 0) result = check_dev_addr(self, device, error);
    if (result != 0) return result;
    device_set_application(device, self->application);
    device_ids(device)->dev_addr = (ProtobufCBinaryData){0};
    end_device->network_server_address = host_or_empty(device, self->hosts[TTS_NETWORK]);
    end_device->application_server_address = host_or_empty(device, self->hosts[TTS_APPLICATION]);
    end_device->join_server_address =
        host_or_empty(device, end_device->supports_join ? self->hosts[TTS_JOIN] : NULL);
    note_losses(device);
    device_drop_gen_app_key(device);
    return 0;
}
