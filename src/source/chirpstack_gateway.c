// SPDX-License-Identifier: Apache-2.0
// Gateways of ChirpStack. A list leaves out their tags, so each is read alone; nothing is changed there.
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hex.h"
#include "base/memory.h"
#include "device/message.h"
#include "source/chirpstack_p.h"

enum { GATEWAYS_IN_PAGE = 200, EUI_LENGTH = 16, ALTITUDE_MOST = 100000 };

// To the key of a tenant, v4 answers about gateways of others, and such as there are none, that it may not; its list has
// them all the same.
static enum job_step failed(struct chirpstack *self, struct job *job, struct error *error) {
    const struct reply *reply = &job->replies[0];
    chirpstack_failed(self, &job->calls[0], reply, error);
    if (chirpstack_not_found(self, reply)) {
        error_hint(error, "check its EUI in ChirpStack; it may have been deleted since it was listed");
    } else if (reply->outcome == REPLY_ANSWERED && error->code == ERROR_DENIED) {
        error_hint(
            error,
            "check --chirpstack.api-key; the key of a tenant sees the gateways of no other one: list its own "
            "with --chirpstack.tenant-id");
    }
    return JOB_FAILED;
}

enum job_step chirpstack_prepare_gateways(struct source *source, struct job *job, struct error *error) {
    return chirpstack_prepare(source, job, CHIRPSTACK_NONE, error);
}

static bool parse_eui(const char *text, struct eui64 *ret_eui) {
    return strlen(text) == EUI_LENGTH && eui64_parse(text, ret_eui);
}

// ---- lists

static int add_record(struct chirpstack *self, struct source_page *page, const char *id,
                      struct error *error) {
    struct eui64 eui;
    if (!parse_eui(id, &eui)) {
        return error_set(error, ERROR_PROTOCOL, "%s: an entry of the list of gateways has no EUI",
                         self->server.name);
    }
    struct source_record *record = source_page_add(page);
    record->id = memory_strdup(id);
    memcpy(record->dev_eui, eui.bytes, sizeof record->dev_eui);
    record->has_dev_eui = true;
    return 0;
}

// A cursor is the offset of the page.
static int read_list(struct chirpstack *self, struct job *job, struct source_page *page, uint32_t offset,
                     struct error *error) {
    const Chirpstack__ListGatewaysResponse *list = self->api->read(self, job, 0, CHIRPSTACK_GATEWAYS, error);
    if (list == NULL) return -(int)error->code;
    for (size_t i = 0; i < list->n_result; i++) {
        int result = add_record(self, page, list->result[i]->gateway_id, error);
        if (result != 0) return result;
    }
    uint64_t end = (uint64_t)offset + list->n_result;
    if (list->n_result == 0 && end < list->total_count) {
        return error_set(error, ERROR_PROTOCOL,
                         "%s: the list of gateways ends after %" PRIu64 " of %" PRIu32 " gateways",
                         self->server.name, end, list->total_count);
    }
    page->total = list->total_count;
    free(memory_take(page->cursor));
    if (end < list->total_count) page->cursor = memory_printf("%" PRIu64, end);
    return 0;
}

enum job_step chirpstack_list_gateways(struct source *source, struct job *job, struct source_page *page,
                                       struct error *error) {
    struct chirpstack *self = (struct chirpstack *)source;
    uint32_t offset = page->cursor == NULL ? 0 : (uint32_t)strtoul(page->cursor, NULL, 10);
    if (job->stage == 0) {
        self->api->list(self, job, CHIRPSTACK_GATEWAYS,
                        &(struct chirpstack_page){.of = option_string(self->options, "tenant-id"),
                                                  .limit = GATEWAYS_IN_PAGE,
                                                  .offset = offset});
        job->stage = 1;
        return JOB_CALLS;
    }
    if (!chirpstack_ok(self, &job->replies[0])) return failed(self, job, error);
    return read_list(self, job, page, offset, error) == 0 ? JOB_DONE : JOB_FAILED;
}

// ---- one gateway

static void keep(struct source_record *record, const Chirpstack__Gateway *gateway, const struct eui64 *eui) {
    BUFFER_AUTO bytes;
    buffer_init(&bytes, BUFFER_UNLIMITED);
    message_pack(&gateway->base, &bytes);
    source_record_set_data(record, bytes.data, bytes.size);
    memcpy(record->dev_eui, eui->bytes, sizeof record->dev_eui);
    record->has_dev_eui = true;
    record->complete = true;
}

static enum job_step ask_gateway(struct chirpstack *self, struct job *job, const struct source_record *record,
                                 struct error *error) {
    char *eui = chirpstack_eui_of(job->arena, record->id);
    if (eui == NULL) {
        error_set(error, ERROR_INPUT, "is no EUI of a gateway");
        error_hint(error, "ChirpStack knows gateways by their EUI, which has 16 hex digits");
        return JOB_FAILED;
    }
    self->api->get(self, job, CHIRPSTACK_GATEWAY, eui);
    job->state = eui;
    job->stage = 1;
    return JOB_CALLS;
}

enum job_step chirpstack_read_gateway(struct source *source, struct job *job, struct source_record *record,
                                      struct error *error) {
    struct chirpstack *self = (struct chirpstack *)source;
    if (job->stage == 0) return record->complete ? JOB_DONE : ask_gateway(self, job, record, error);
    const char *wanted = job->state;
    if (!chirpstack_ok(self, &job->replies[0])) return failed(self, job, error);
    const Chirpstack__GetGatewayResponse *reply = self->api->read(self, job, 0, CHIRPSTACK_GATEWAY, error);
    if (reply == NULL) return JOB_FAILED;
    struct eui64 eui;
    const Chirpstack__Gateway *gateway = reply->gateway;
    if (gateway == NULL || !parse_eui(gateway->gateway_id, &eui) ||
        strcasecmp(gateway->gateway_id, wanted) != 0) {
        error_set(error, ERROR_PROTOCOL, "%s: asked for gateway %s, it sent %s", self->server.name, wanted,
                  gateway == NULL ? "none" : "another one");
        return JOB_FAILED;
    }
    keep(record, gateway, &eui);
    return JOB_DONE;
}

// ---- conversion

static int convert_ids(const Chirpstack__Gateway *source, struct gateway *gateway, struct error *error) {
    static const uint8_t none[EUI64_BYTES] = {0};
    struct eui64 eui;
    if (!parse_eui(source->gateway_id, &eui))
        return error_set(error, ERROR_DEVICE, "gateway_id: is not 16 hexadecimal digits");
    if (memcmp(eui.bytes, none, sizeof none) == 0) {
        error_set(error, ERROR_DEVICE, "its EUI is all zeros, which no gateway has");
        error_hint(error, "give it its own EUI in ChirpStack, the one that its packet forwarder names");
        return -ERROR_DEVICE;
    }
    char hex[HEX_TEXT_SIZE(EUI64_BYTES)];
    hex_encode_lower(hex, eui.bytes, sizeof eui.bytes);
    gateway->message->ids->gateway_id = arena_printf(&gateway->arena, "eui-%s", hex);
    gateway->message->ids->eui = message_bytes(&gateway->arena, eui.bytes, sizeof eui.bytes);
    return 0;
}

static const char *metadata_of(const Chirpstack__Gateway *source, const char *key) {
    for (size_t i = 0; i < source->n_metadata; i++) {
        if (strcmp(source->metadata[i]->key, key) == 0) return source->metadata[i]->value;
    }
    return "";
}

static int convert_plan(const struct chirpstack_rules *rules, const Chirpstack__Gateway *source,
                        struct gateway *gateway, struct error *error) {
    const struct frequency_plan *plan = NULL;
    int result =
        chirpstack_choose_gateway_plan(rules, metadata_of(source, "region_common_name"),
                                       metadata_of(source, "region_config_id"), gateway, &plan, error);
    if (result != 0) return result;
    Tts__Gateway *message = gateway->message;
    message->frequency_plan_id = arena_strdup(&gateway->arena, plan->id);
    message_append(&gateway->arena, &message->n_frequency_plan_ids, &message->frequency_plan_ids,
                   message->frequency_plan_id);
    return 0;
}

static void convert_antenna(const Chirpstack__Location *location, struct gateway *gateway) {
    // Where nobody entered a place, the server has zeros.
    if (location == NULL ||
        (fpclassify(location->latitude) == FP_ZERO && fpclassify(location->longitude) == FP_ZERO))
        return;
    Tts__GatewayAntenna *antenna = message_new(&gateway->arena, &tts__gateway_antenna__descriptor);
    antenna->location = message_new(&gateway->arena, &tts__location__descriptor);
    antenna->location->latitude = location->latitude;
    antenna->location->longitude = location->longitude;
    antenna->location->source = location->source == CHIRPSTACK__LOCATION_SOURCE__GPS
                                    ? TTS__LOCATION_SOURCE__SOURCE_GPS
                                    : TTS__LOCATION_SOURCE__SOURCE_REGISTRY;
    if (fabs(location->altitude) <= ALTITUDE_MOST) {
        antenna->location->altitude = (int32_t)lround(location->altitude);
    } else {
        gateway_note(gateway, "antennas.location.altitude", "is out of range: left out");
    }
    message_append(&gateway->arena, &gateway->message->n_antennas, &gateway->message->antennas, antenna);
}

static int compare_pairs(const void *a, const void *b) {
    const Chirpstack__Pair *const *left = a;
    const Chirpstack__Pair *const *right = b;
    return strcmp((*left)->key, (*right)->key);
}

// Maps come in any order: attributes are to be the same in every run.
static void convert_tags(const Chirpstack__Gateway *source, struct gateway *gateway) {
    size_t count = source->n_tags;
    Chirpstack__Pair **sorted = arena_new_array(&gateway->arena, Chirpstack__Pair *, count);
    for (size_t i = 0; i < count; i++) sorted[i] = source->tags[i];
    if (count > 1) qsort(sorted, count, sizeof *sorted, compare_pairs);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && strcmp(sorted[i]->key, sorted[i - 1]->key) == 0) continue;
        gateway_add_attribute(gateway, sorted[i]->key, sorted[i]->value);
    }
}

int chirpstack_convert_gateway(struct source *source, const struct source_record *record,
                               struct gateway *gateway, struct error *error) {
    const struct chirpstack *self = (const struct chirpstack *)source;
    const Chirpstack__Gateway *there =
        message_unpack(&chirpstack__gateway__descriptor, record->data, record->size, &gateway->arena, error);
    if (there == NULL) return -(int)error->code;
    int result = convert_ids(there, gateway, error);
    if (result == 0) result = convert_plan(&self->rules, there, gateway, error);
    if (result != 0) return result;
    gateway->message->name = arena_strdup(&gateway->arena, there->name);
    gateway->message->description = arena_strdup(&gateway->arena, there->description);
    gateway->message->enforce_duty_cycle = true;  // what a gateway of The Things Stack has from the start
    convert_antenna(there->location, gateway);
    convert_tags(there, gateway);
    return gateway_clean(gateway, error);
}
