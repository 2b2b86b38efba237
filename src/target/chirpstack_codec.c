// SPDX-License-Identifier: Apache-2.0
// Payload formatters of a device as the codec of a device profile. Both networks run JavaScript that defines
// decodeUplink(input) and encodeDownlink(input); ChirpStack has one script for both, and The Things Stack also takes the
// older functions Decoder and Encoder.
#include <string.h>

#include "target/chirpstack_p.h"

static bool is_script(Tts__PayloadFormatter type, const char *script) {
    return type == TTS__PAYLOAD_FORMATTER__FORMATTER_JAVASCRIPT && script[0] != '\0';
}

static bool is_lpp(Tts__PayloadFormatter type) {
    return type == TTS__PAYLOAD_FORMATTER__FORMATTER_CAYENNELPP;
}

static bool is_none(Tts__PayloadFormatter type) {
    return type == TTS__PAYLOAD_FORMATTER__FORMATTER_NONE;
}

// A script as a function that gives back what ChirpStack calls.
static char *wrapped(const char *script, bool up, struct arena *arena) {
    if (up) {
        return arena_printf(
            arena,
            "var decodeUplink = (function () {\n%s\n"
            "if (typeof decodeUplink === \"function\") return decodeUplink;\n"
            "return function (input) { return { data: Decoder(input.bytes, input.fPort) }; };\n})();\n",
            script);
    }
    return arena_printf(
        arena,
        "var encodeDownlink = (function () {\n%s\n"
        "if (typeof encodeDownlink === \"function\") return encodeDownlink;\n"
        "return function (input) { return { bytes: Encoder(input.data, input.fPort) }; };\n})();\n",
        script);
}

static char *script_of(const char *script, bool up, struct arena *arena) {
    const char *function = up ? "decodeUplink" : "encodeDownlink";
    return strstr(script, function) != NULL ? arena_strdup(arena, script) : wrapped(script, up, arena);
}

void cst_codec(const Tts__MessagePayloadFormatters *formatters, struct arena *arena,
               Chirpstack__DeviceProfile *profile, const char **ret_remark) {
    if (formatters == NULL) return;
    Tts__PayloadFormatter up_type = formatters->up_formatter, down_type = formatters->down_formatter;
    const char *up = formatters->up_formatter_parameter, *down = formatters->down_formatter_parameter;
    bool up_script = is_script(up_type, up), down_script = is_script(down_type, down);
    if (up_script || down_script) {
        profile->payload_codec_runtime = CHIRPSTACK__CODEC_RUNTIME__JS;
        profile->payload_codec_script =
            !down_script ? script_of(up, true, arena)
            : !up_script ? script_of(down, false, arena)
            : strcmp(up, down) == 0 && strstr(up, "decodeUplink") != NULL
                ? arena_strdup(arena, up)
                : arena_printf(arena, "%s%s", wrapped(up, true, arena), wrapped(down, false, arena));
    } else if (is_lpp(up_type) || is_lpp(down_type)) {
        profile->payload_codec_runtime = CHIRPSTACK__CODEC_RUNTIME__CAYENNE_LPP;
    }
    bool up_kept = up_script || is_none(up_type) || (is_lpp(up_type) && !down_script);
    bool down_kept = down_script || is_none(down_type) || (is_lpp(down_type) && !up_script);
    if (!up_kept || !down_kept)
        *ret_remark = arena_printf(arena, "ChirpStack has no place for the %s formatter: left out",
                                   up_kept     ? "downlink"
                                   : down_kept ? "uplink"
                                               : "uplink and the downlink");
}
