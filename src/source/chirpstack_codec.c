// SPDX-License-Identifier: Apache-2.0
// Codecs of ChirpStack's device profiles as payload formatters of a device.
#include <string.h>

#include "base/memory.h"
#include "device/message.h"
#include "formatter/formatter.h"
#include "source/chirpstack_p.h"

static Tts__MessagePayloadFormatters *formatters_of(struct device *device) {
    Tts__EndDevice *end_device = device->end_device;
    if (end_device->formatters == NULL) {
        end_device->formatters = message_new(&device->arena, &tts__message_payload_formatters__descriptor);
    }
    return end_device->formatters;
}

// Variables often hold secrets: they stand in the script only if it uses them.
static size_t variables_of(const Chirpstack__Device *source, const char *script, struct arena *arena,
                           struct chirpstack_variable **ret_variables) {
    if (strstr(script, "variables") == NULL) return 0;
    *ret_variables = arena_new_array(arena, struct chirpstack_variable, source->n_variables);
    for (size_t i = 0; i < source->n_variables; i++) {
        (*ret_variables)[i] =
            (struct chirpstack_variable){source->variables[i]->key, source->variables[i]->value};
    }
    return source->n_variables;
}

// Both directions of a script; those that it has not are FORMATTER_NONE. The caller releases them.
static struct formatters convert_script(const Chirpstack__Device *source, const char *script, bool v3,
                                        struct device *device) {
    struct formatters made = {0};
    struct chirpstack_variable *variables = NULL;
    size_t count = variables_of(source, script, &device->arena, &variables);
    ERROR_AUTO error = {0};
    if (formatter_from_chirpstack(v3 ? CHIRPSTACK_V3 : CHIRPSTACK_V4, script, variables, count, &made,
                                  &error) != 0) {
        char *chain MEMORY_AUTO = error_chain(&error);
        device_note(device, "formatters", "its codec script is left out: %s", chain);
    } else if (made.up.type == FORMATTER_NONE && made.down.type == FORMATTER_NONE) {
        device_note(device, "formatters", "its codec script is left out: it has no function to call");
    }
    return made;
}

static void set_up(struct device *device, const struct formatter *formatter) {
    if (formatter->type != FORMATTER_JAVASCRIPT) return;
    Tts__MessagePayloadFormatters *formatters = formatters_of(device);
    formatters->up_formatter = TTS__PAYLOAD_FORMATTER__FORMATTER_JAVASCRIPT;
    device_set_text(device, &formatters->up_formatter_parameter, formatter->script);
}

static void set_down(struct device *device, const struct formatter *formatter) {
    if (formatter->type != FORMATTER_JAVASCRIPT) return;
    Tts__MessagePayloadFormatters *formatters = formatters_of(device);
    formatters->down_formatter = TTS__PAYLOAD_FORMATTER__FORMATTER_JAVASCRIPT;
    device_set_text(device, &formatters->down_formatter_parameter, formatter->script);
}

void chirpstack_set_formatters(const Chirpstack__Device *source, const Chirpstack__DeviceProfile *profile,
                               struct device *device) {
    if (profile->payload_codec_runtime == CHIRPSTACK__CODEC_RUNTIME__CAYENNE_LPP) {
        Tts__MessagePayloadFormatters *formatters = formatters_of(device);
        formatters->up_formatter = TTS__PAYLOAD_FORMATTER__FORMATTER_CAYENNELPP;
        formatters->down_formatter = TTS__PAYLOAD_FORMATTER__FORMATTER_CAYENNELPP;
        return;
    }
    if (profile->payload_codec_runtime != CHIRPSTACK__CODEC_RUNTIME__JS) return;
    if (profile->payload_codec_script[0] != '\0') {
        struct formatters made =
            convert_script(source, profile->payload_codec_script, profile->is_v3, device);
        set_up(device, &made.up);
        // The encoder of v3 is a script of its own.
        if (!profile->is_v3) set_down(device, &made.down);
        formatters_release(&made);
    }
    if (profile->encoder_script[0] != '\0') {
        struct formatters made = convert_script(source, profile->encoder_script, true, device);
        set_down(device, &made.down);
        formatters_release(&made);
    }
}
