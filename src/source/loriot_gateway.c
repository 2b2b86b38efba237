// SPDX-License-Identifier: Apache-2.0
// Gateways of LORIOT: each belongs to a network of the account. A list gives all there is of them.
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "device/gateway.h"
#include "device/message.h"
#include "lorawan/region.h"
#include "source/loriot_p.h"

// ---- networks

void loriot_forget_networks(struct loriot *self) {
    for (size_t i = 0; i < self->network_count; i++) free(self->networks[i]);
    free(memory_take(self->networks));
    self->network_count = 0;
}

static int add_network(struct loriot *self, const json_t *object, struct error *error) {
    char *id = loriot_id(object);
    if (id == NULL)
        return error_set(error, ERROR_PROTOCOL, "%s: a network of its list has no ID", self->rest.name);
    self->networks = memory_resize(self->networks, self->network_count + 1, sizeof *self->networks);
    self->networks[self->network_count++] = id;
    return 0;
}

// The stage is the number of the page that was asked for.
enum job_step loriot_prepare_gateways(struct source *source, struct job *job, struct error *error) {
    struct loriot *self = loriot_of(source);
    if (job->stage == 0) {
        loriot_forget_networks(self);
    } else {
        LORIOT_PAGE_AUTO page = {0};
        if (loriot_page_read(self, job, "networks", (uint32_t)job->stage, &page, error) != 0)
            return JOB_FAILED;
        for (size_t i = 0; i < json_array_size(page.list); i++) {
            if (add_network(self, json_array_get(page.list, i), error) != 0) return JOB_FAILED;
        }
        if (page.last) return JOB_DONE;
    }
    job->stage++;
    loriot_page_call(self, job, "networks", (uint32_t)job->stage);
    return JOB_CALLS;
}

// ---- records

static void keep_gateway(struct source_record *record, json_t *gateway) {
    ARENA_AUTO arena = {0};
    const char *text = rest_dump(&arena, gateway);
    source_record_set_data(record, text, strlen(text));
    record->complete = true;
}

static enum job_step ask_gateways(const struct loriot *self, struct job *job, size_t network, uint32_t page) {
    loriot_page_call(self, job, arena_printf(job->arena, "network/%s/gateways", self->networks[network]),
                     page);
    job->stage = 1;
    return JOB_CALLS;
}

enum job_step loriot_list_gateways(struct source *source, struct job *job, struct source_page *page,
                                   struct error *error) {
    const struct loriot *self = loriot_of(source);
    size_t network = 0;
    uint32_t number = 1;
    loriot_read_cursor(page->cursor, &network, &number);
    if (network >= self->network_count) return JOB_DONE;
    if (job->stage == 0) return ask_gateways(self, job, network, number);
    LORIOT_PAGE_AUTO answer = {0};
    if (loriot_page_read(self, job, "gateways", number, &answer, error) != 0) return JOB_FAILED;
    for (size_t i = 0; i < json_array_size(answer.list); i++) {
        json_t *gateway = json_array_get(answer.list, i);
        char *id = loriot_id(gateway);
        if (id == NULL) {
            error_set(error, ERROR_PROTOCOL, "%s: a gateway of its list has no ID", self->rest.name);
            return JOB_FAILED;
        }
        struct source_record *record = source_page_add(page);
        record->id = id;
        keep_gateway(record, gateway);
    }
    page->total = self->network_count == 1 ? answer.total : 0;
    loriot_move_cursor(page, network, number, answer.last, self->network_count);
    return JOB_DONE;
}

struct search {
    size_t network;
    uint32_t page;
};

static bool is_gateway(const json_t *gateway, const char *id) {
    char *own MEMORY_AUTO = loriot_id(gateway);
    const char *text = strncasecmp(id, "eui-", 4) == 0 ? id + 4 : id;
    return own != NULL && strcasecmp(own, text) == 0;
}

// LORIOT tells single gateways only to who knows their network, so the lists are gone through.
enum job_step loriot_read_gateway(struct source *source, struct job *job, struct source_record *record,
                                  struct error *error) {
    const struct loriot *self = loriot_of(source);
    if (record->complete) return JOB_DONE;
    if (job->stage == 0) {
        struct search *search = arena_new(job->arena, struct search);
        search->page = 1;
        job->state = search;
    } else {
        struct search *search = job->state;
        LORIOT_PAGE_AUTO answer = {0};
        if (loriot_page_read(self, job, "gateways", search->page, &answer, error) != 0) return JOB_FAILED;
        for (size_t i = 0; i < json_array_size(answer.list); i++) {
            json_t *gateway = json_array_get(answer.list, i);
            if (!is_gateway(gateway, record->id)) continue;
            keep_gateway(record, gateway);
            return JOB_DONE;
        }
        search->network += answer.last;
        search->page = answer.last ? 1 : search->page + 1;
    }
    const struct search *search = job->state;
    if (search->network < self->network_count) return ask_gateways(self, job, search->network, search->page);
    error_set(error, ERROR_NOT_FOUND, "%s has no such gateway", self->rest.name);
    error_hint(error, "check its ID in LORIOT, and that the API key sees its network");
    return JOB_FAILED;
}

// ---- conversion

// The region names the plan where it has one that goes without saying.
static int convert_plan(const struct loriot *self, const json_t *object, struct gateway *gateway,
                        struct error *error) {
    const char *name = rest_text(object, "region");
    const struct region *region = name == NULL ? NULL : region_find(name);
    const struct frequency_plan *plan = self->rules.plan;
    if (plan == NULL && region != NULL && region->plan_id != NULL)
        plan = frequency_plans_find(self->rules.plans, region->plan_id);
    if (plan == NULL) {
        error_set(error, ERROR_DEVICE, "its frequency plan is not known%s%.20s",
                  name == NULL ? "" : ": its region is ", name == NULL ? "" : name);
        error_hint(error, "name the one for such gateways with --loriot.frequency-plan-id");
        return -ERROR_DEVICE;
    }
    if (region != NULL && !region_has_plan(region, plan)) {
        return error_set(error, ERROR_DEVICE, "its region is %s, of which frequency plan %s is none",
                         region->name, plan->id);
    }
    message_append(&gateway->arena, &gateway->message->n_frequency_plan_ids,
                   &gateway->message->frequency_plan_ids, arena_strdup(&gateway->arena, plan->id));
    gateway->message->frequency_plan_id = arena_strdup(&gateway->arena, plan->id);
    return 0;
}

static void convert_antenna(const json_t *object, struct gateway *gateway) {
    double latitude = 0, longitude = 0;
    if (!rest_location(json_object_get(object, "location"), &latitude, &longitude)) return;
    Tts__GatewayAntenna *antenna = message_new(&gateway->arena, &tts__gateway_antenna__descriptor);
    antenna->location = message_new(&gateway->arena, &tts__location__descriptor);
    antenna->location->latitude = latitude;
    antenna->location->longitude = longitude;
    antenna->location->source = TTS__LOCATION_SOURCE__SOURCE_REGISTRY;
    message_append(&gateway->arena, &gateway->message->n_antennas, &gateway->message->antennas, antenna);
}

static void convert_texts(const json_t *object, struct gateway *gateway) {
    static const struct {
        const char *loriot;
        const char *key;
    } kept[] = {{"MAC", "mac"}, {"base", "base"}, {"model", "model"}, {"concentrator", "concentrator"}};
    const char *title = rest_text(object, "title"), *notes = rest_text(object, "notes");
    if (title != NULL) gateway->message->name = arena_strdup(&gateway->arena, title);
    if (notes != NULL) gateway->message->description = arena_strdup(&gateway->arena, notes);
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        const char *value = rest_text(object, kept[i].loriot);
        if (value != NULL) gateway_add_attribute(gateway, kept[i].key, value);
    }
}

// The EUI that the gateway's packet forwarder names, or else the one that LORIOT made of its MAC address.
static int convert_ids(const json_t *object, struct gateway *gateway, struct error *error) {
    struct eui64 eui;
    const char *custom = rest_text(object, "customEUI");
    char *own MEMORY_AUTO = loriot_id(object);
    const char *text = custom != NULL ? custom : own;
    if (text == NULL || !eui64_parse(text, &eui))
        return error_set(error, ERROR_DEVICE, "%s: is not 16 hexadecimal digits",
                         custom != NULL ? "customEUI" : "_id");
    char upper[EUI64_TEXT_SIZE];
    char *id = arena_printf(&gateway->arena, "eui-%s", eui64_format(&eui, upper));
    for (char *at = id; *at != '\0'; at++) {
        if (*at >= 'A' && *at <= 'F') *at = (char)(*at - 'A' + 'a');
    }
    gateway->message->ids->gateway_id = id;
    gateway->message->ids->eui = message_bytes(&gateway->arena, eui.bytes, sizeof eui.bytes);
    if (custom == NULL)
        gateway_note(gateway, "ids.eui",
                     "is the one that LORIOT made of its MAC address: check which one its packet forwarder "
                     "names");
    return 0;
}

int loriot_convert_gateway(struct source *source, const struct source_record *record, struct gateway *gateway,
                           struct error *error) {
    const struct loriot *self = loriot_of(source);
    REST_JSON_AUTO *object = json_loadb((const char *)record->data, record->size, 0, NULL);
    if (!json_is_object(object)) return error_set(error, ERROR_INPUT, "its record in the journal is damaged");
    int result = convert_ids(object, gateway, error);
    if (result != 0) return result;
    gateway->message->enforce_duty_cycle = true;  // what a gateway of The Things Stack has from the start
    convert_texts(object, gateway);
    convert_antenna(object, gateway);
    result = convert_plan(self, object, gateway, error);
    return result != 0 ? result : gateway_clean(gateway, error);
}
