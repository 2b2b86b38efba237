// SPDX-License-Identifier: Apache-2.0
// ChirpStack v3 (its Application Server) over its JSON interface, in the messages of v4. The region, the status
// interval and often the codec are not in its device profiles; JoinEUIs it does not know at all.
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rfc3339.h"
#include "device/message.h"
#include "source/chirpstack_p.h"

enum { PING_SLOTS_LEAST = 32, PING_PERIODICITY_MOST = 7 };

// ---- calls

// Text as a part of a path or a query: everything but unreserved characters as %XX.
static char *encode(struct arena *arena, const char *text) {
    static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    static const char digits[] = "0123456789ABCDEF";
    char *encoded = arena_alloc(arena, 3 * strlen(text) + 1, 1);
    char *end = encoded;
    for (; *text != '\0'; text++) {
        if (strchr(unreserved, *text) != NULL) {
            *end++ = *text;
            continue;
        }
        *end++ = '%';
        *end++ = digits[(unsigned char)*text >> 4];
        *end++ = digits[(unsigned char)*text & 15];
    }
    return encoded;
}

// `path` lies in the job's arena; it begins behind /api.
static struct call *add_call(struct chirpstack *self, struct job *job, const char *verb, const char *path) {
    struct call *call = job_call(job);
    call->kind = CALL_HTTP;
    call->server = &self->server;
    call->method = verb;
    call->path = arena_printf(job->arena, "%s/api%s", self->address.prefix, path);
    call_add_header(call, "grpc-metadata-authorization", self->authorization);
    call_add_header(call, "accept", "application/json");
    return call;
}

static void v3_list(struct chirpstack *self, struct job *job, enum chirpstack_object object,
                    const struct chirpstack_page *page) {
    struct arena *arena = job->arena;
    char *range = arena_printf(arena, "limit=%u&offset=%u", page->limit, page->offset);
    char *of = page->of == NULL ? NULL : encode(arena, page->of);
    char *path = NULL;
    if (object == CHIRPSTACK_DEVICES) {
        path = arena_printf(arena, "/devices?%s&applicationID=%s", range, of);
    } else {
        path = arena_printf(arena, "/%s?%s%s%s", object == CHIRPSTACK_GATEWAYS ? "gateways" : "applications",
                            range, of == NULL ? "" : "&organizationID=", of == NULL ? "" : of);
    }
    add_call(self, job, "GET", path);
}

static void v3_get(struct chirpstack *self, struct job *job, enum chirpstack_object object, const char *id) {
    static const char *const paths[CHIRPSTACK_OBJECTS][2] = {
        [CHIRPSTACK_APPLICATION] = {"applications", ""},
        [CHIRPSTACK_PROFILE] = {"device-profiles", ""},
        [CHIRPSTACK_DEVICE] = {"devices", ""},
        [CHIRPSTACK_KEYS] = {"devices", "/keys"},
        [CHIRPSTACK_ACTIVATION] = {"devices", "/activation"},
        [CHIRPSTACK_GATEWAY] = {"gateways", ""},
    };
    add_call(
        self, job, "GET",
        arena_printf(job->arena, "/%s/%s%s", paths[object][0], encode(job->arena, id), paths[object][1]));
}

void chirpstack_v3_get_application(struct chirpstack *self, struct job *job, const char *id) {
    v3_get(self, job, CHIRPSTACK_APPLICATION, id);
}

void chirpstack_v3_get_service_profile(struct chirpstack *self, struct job *job, const char *id) {
    add_call(self, job, "GET", arena_printf(job->arena, "/service-profiles/%s", encode(job->arena, id)));
}

bool chirpstack_v3_answers(const struct reply *reply) {
    if (reply->outcome != REPLY_ANSWERED) return false;
    json_error_t ignored;
    json_t *object = json_loadb((const char *)reply->body.data, reply->body.size, 0, &ignored);
    bool list = json_object_get(object, "totalCount") != NULL;
    bool error = json_object_get(object, "code") != NULL && json_object_get(object, "error") != NULL;
    json_decref(object);
    return list || error;
}

// ---- reading JSON; what is missing or of another kind is as if it were not there

static char *text_at(struct arena *arena, const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return arena_strdup(arena, text == NULL ? "" : text);
}

// 64-bit numbers are texts.
static uint64_t number_at(const json_t *object, const char *name) {
    const json_t *value = json_object_get(object, name);
    if (json_is_integer(value))
        return json_integer_value(value) > 0 ? (uint64_t)json_integer_value(value) : 0;
    if (json_is_string(value)) return strtoull(json_string_value(value), NULL, 10);
    return 0;
}

static uint32_t small_at(const json_t *object, const char *name) {
    uint64_t number = number_at(object, name);
    return number > UINT32_MAX ? UINT32_MAX : (uint32_t)number;
}

static bool flag_at(const json_t *object, const char *name) {
    return json_is_true(json_object_get(object, name));
}

// An ID that is a number there, as text.
static char *id_at(struct arena *arena, const json_t *object, const char *name) {
    const json_t *value = json_object_get(object, name);
    if (!json_is_integer(value)) return text_at(arena, object, name);
    return arena_printf(arena, "%lld", (long long)json_integer_value(value));
}

static void read_pairs(struct arena *arena, json_t *object, size_t *count, Chirpstack__Pair ***pairs) {
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(object, key, value) {
        if (!json_is_string(value)) continue;
        Chirpstack__Pair *pair = message_new(arena, &chirpstack__pair__descriptor);
        pair->key = arena_strdup(arena, key);
        pair->value = arena_strdup(arena, json_string_value(value));
        message_append(arena, count, pairs, pair);
    }
}

static Chirpstack__Timestamp *read_time(struct arena *arena, const json_t *value) {
    int64_t seconds = 0;
    int32_t nanos = 0;
    const char *text = json_string_value(value);
    if (text == NULL || !rfc3339_parse(text, strlen(text), &seconds, &nanos)) return NULL;
    Chirpstack__Timestamp *time = message_new(arena, &chirpstack__timestamp__descriptor);
    time->seconds = seconds;
    time->nanos = nanos;
    return time;
}

// ---- devices

static Chirpstack__Device *read_device(struct arena *arena, json_t *json) {
    if (!json_is_object(json)) return NULL;
    Chirpstack__Device *device = message_new(arena, &chirpstack__device__descriptor);
    device->dev_eui = text_at(arena, json, "devEUI");
    device->name = text_at(arena, json, "name");
    device->description = text_at(arena, json, "description");
    device->application_id = id_at(arena, json, "applicationID");
    device->device_profile_id = text_at(arena, json, "deviceProfileID");
    device->skip_fcnt_check = flag_at(json, "skipFCntCheck");
    device->is_disabled = flag_at(json, "isDisabled");
    device->cannot_be_disabled = json_object_get(json, "isDisabled") == NULL;
    read_pairs(arena, json_object_get(json, "variables"), &device->n_variables, &device->variables);
    read_pairs(arena, json_object_get(json, "tags"), &device->n_tags, &device->tags);
    char *text = json_dumps(json, JSON_COMPACT);
    device->v3_json = arena_strdup(arena, text == NULL ? "" : text);
    memory_free_secret(text);
    return device;
}

static void *read_device_response(struct arena *arena, json_t *json) {
    Chirpstack__GetDeviceResponse *response =
        message_new(arena, &chirpstack__get_device_response__descriptor);
    response->device = read_device(arena, json_object_get(json, "device"));
    response->last_seen_at = read_time(arena, json_object_get(json, "lastSeenAt"));
    return response;
}

static void *read_keys(struct arena *arena, json_t *json) {
    const json_t *object = json_object_get(json, "deviceKeys");
    Chirpstack__GetDeviceKeysResponse *response =
        message_new(arena, &chirpstack__get_device_keys_response__descriptor);
    if (!json_is_object(object)) return response;
    Chirpstack__DeviceKeys *keys = message_new(arena, &chirpstack__device_keys__descriptor);
    keys->dev_eui = text_at(arena, object, "devEUI");
    keys->nwk_key = text_at(arena, object, "nwkKey");
    keys->app_key = text_at(arena, object, "appKey");
    keys->gen_app_key = text_at(arena, object, "genAppKey");
    response->device_keys = keys;
    return response;
}

static void *read_activation(struct arena *arena, json_t *json) {
    const json_t *object = json_object_get(json, "deviceActivation");
    Chirpstack__GetDeviceActivationResponse *response =
        message_new(arena, &chirpstack__get_device_activation_response__descriptor);
    if (!json_is_object(object)) return response;
    Chirpstack__DeviceActivation *activation = message_new(arena, &chirpstack__device_activation__descriptor);
    activation->dev_eui = text_at(arena, object, "devEUI");
    activation->dev_addr = text_at(arena, object, "devAddr");
    activation->app_s_key = text_at(arena, object, "appSKey");
    activation->nwk_s_enc_key = text_at(arena, object, "nwkSEncKey");
    activation->s_nwk_s_int_key = text_at(arena, object, "sNwkSIntKey");
    activation->f_nwk_s_int_key = text_at(arena, object, "fNwkSIntKey");
    activation->f_cnt_up = small_at(object, "fCntUp");
    activation->n_f_cnt_down = small_at(object, "nFCntDown");
    activation->a_f_cnt_down = small_at(object, "aFCntDown");
    response->device_activation = activation;
    return response;
}

// ---- profiles

static int place_in(const char *const *texts, const char *text) {
    for (int i = 0; texts[i] != NULL; i++) {
        if (strcmp(texts[i], text) == 0) return i;
    }
    return -1;
}

// In the order of v4's numbers; what is not among them is -1, which is no number of v4's.
static const char *const mac_versions[] = {"1.0.0", "1.0.1", "1.0.2", "1.0.3", "1.0.4", "1.1.0", NULL};
static const char *const revisions[] = {
    "A", "B", "RP002-1.0.0", "RP002-1.0.1", "RP002-1.0.2", "RP002-1.0.3", "RP002-1.0.4", "RP002-1.0.5", NULL};
static const char *const regions[] = {"EU868", "",      "US915", "CN779", "EU433",   "AU915", "CN470",
                                      "AS923", "KR920", "IN865", "RU864", "ISM2400", NULL};

static Chirpstack__Region read_region(const char *text) {
    int place = text[0] == '\0' ? -1 : place_in(regions, text);
    return (Chirpstack__Region)place;
}

static void read_codec(struct arena *arena, const json_t *object, Chirpstack__DeviceProfile *profile) {
    const char *codec = json_string_value(json_object_get(object, "payloadCodec"));
    if (codec == NULL || codec[0] == '\0') return;
    if (strcmp(codec, "CAYENNE_LPP") == 0)
        profile->payload_codec_runtime = CHIRPSTACK__CODEC_RUNTIME__CAYENNE_LPP;
    if (strcmp(codec, "CUSTOM_JS") != 0) return;
    profile->payload_codec_runtime = CHIRPSTACK__CODEC_RUNTIME__JS;
    profile->payload_codec_script = text_at(arena, object, "payloadDecoderScript");
    profile->encoder_script = text_at(arena, object, "payloadEncoderScript");
}

// Slots between two ping slots, 32 x 2^n, as n.
static uint32_t periodicity_of(uint32_t slots) {
    uint32_t exponent = 0;
    while (exponent < PING_PERIODICITY_MOST && (UINT32_C(2) << exponent) * PING_SLOTS_LEAST <= slots)
        exponent++;
    return exponent;
}

static void read_parameters(struct arena *arena, const json_t *object, Chirpstack__DeviceProfile *profile) {
    profile->class_b_timeout = small_at(object, "classBTimeout");
    profile->class_b_ping_slot_periodicity = periodicity_of(small_at(object, "pingSlotPeriod"));
    profile->class_b_ping_slot_dr = small_at(object, "pingSlotDR");
    profile->class_b_ping_slot_freq = small_at(object, "pingSlotFreq");
    profile->class_c_timeout = small_at(object, "classCTimeout");
    profile->abp_rx1_delay = small_at(object, "rxDelay1");
    profile->abp_rx1_dr_offset = small_at(object, "rxDROffset1");
    profile->abp_rx2_dr = small_at(object, "rxDataRate2");
    profile->abp_rx2_freq = small_at(object, "rxFreq2");
    const json_t *frequencies = json_object_get(object, "factoryPresetFreqs");
    size_t count = json_array_size(frequencies);
    profile->factory_preset_freqs = arena_new_array(arena, uint32_t, count);
    for (size_t i = 0; i < count; i++) {
        json_int_t frequency = json_integer_value(json_array_get(frequencies, i));
        if (frequency <= 0 || frequency > UINT32_MAX) continue;
        profile->factory_preset_freqs[profile->n_factory_preset_freqs++] = (uint32_t)frequency;
    }
}

static void *read_profile(struct arena *arena, json_t *json) {
    const json_t *object = json_object_get(json, "deviceProfile");
    Chirpstack__GetDeviceProfileResponse *response =
        message_new(arena, &chirpstack__get_device_profile_response__descriptor);
    if (!json_is_object(object)) return response;
    Chirpstack__DeviceProfile *profile = message_new(arena, &chirpstack__device_profile__descriptor);
    response->device_profile = profile;
    profile->is_v3 = true;
    profile->id = text_at(arena, object, "id");
    profile->name = text_at(arena, object, "name");
    profile->region = read_region(text_at(arena, object, "rfRegion"));
    profile->mac_version =
        (Chirpstack__MacVersion)place_in(mac_versions, text_at(arena, object, "macVersion"));
    profile->reg_params_revision =
        (Chirpstack__RegParamsRevision)place_in(revisions, text_at(arena, object, "regParamsRevision"));
    profile->supports_otaa = flag_at(object, "supportsJoin");
    profile->supports_class_b = flag_at(object, "supportsClassB");
    profile->supports_class_c = flag_at(object, "supportsClassC");
    read_parameters(arena, object, profile);
    read_codec(arena, object, profile);
    read_pairs(arena, json_object_get(object, "tags"), &profile->n_tags, &profile->tags);
    return response;
}

// ---- applications and lists

static void *read_application(struct arena *arena, json_t *json) {
    const json_t *object = json_object_get(json, "application");
    Chirpstack__GetApplicationResponse *response =
        message_new(arena, &chirpstack__get_application_response__descriptor);
    if (!json_is_object(object)) return response;
    response->application = message_new(arena, &chirpstack__application__descriptor);
    response->application->id = id_at(arena, object, "id");
    response->application->name = text_at(arena, object, "name");
    return response;
}

static void *read_applications(struct arena *arena, json_t *json) {
    Chirpstack__ListApplicationsResponse *list =
        message_new(arena, &chirpstack__list_applications_response__descriptor);
    list->total_count = small_at(json, "totalCount");
    size_t index = 0;
    const json_t *object = NULL;
    json_array_foreach(json_object_get(json, "result"), index, object) {
        Chirpstack__ApplicationListItem *item =
            message_new(arena, &chirpstack__application_list_item__descriptor);
        item->id = id_at(arena, object, "id");
        item->name = text_at(arena, object, "name");
        message_append(arena, &list->n_result, &list->result, item);
    }
    return list;
}

static void *read_devices(struct arena *arena, json_t *json) {
    Chirpstack__ListDevicesResponse *list =
        message_new(arena, &chirpstack__list_devices_response__descriptor);
    list->total_count = small_at(json, "totalCount");
    size_t index = 0;
    const json_t *object = NULL;
    json_array_foreach(json_object_get(json, "result"), index, object) {
        Chirpstack__DeviceListItem *item = message_new(arena, &chirpstack__device_list_item__descriptor);
        item->dev_eui = text_at(arena, object, "devEUI");
        message_append(arena, &list->n_result, &list->result, item);
    }
    return list;
}

// ---- gateways

static void *read_gateways(struct arena *arena, json_t *json) {
    Chirpstack__ListGatewaysResponse *list =
        message_new(arena, &chirpstack__list_gateways_response__descriptor);
    list->total_count = small_at(json, "totalCount");
    size_t index = 0;
    const json_t *object = NULL;
    json_array_foreach(json_object_get(json, "result"), index, object) {
        Chirpstack__GatewayListItem *item = message_new(arena, &chirpstack__gateway_list_item__descriptor);
        item->gateway_id = text_at(arena, object, "id");
        message_append(arena, &list->n_result, &list->result, item);
    }
    return list;
}

static Chirpstack__Location *read_location(struct arena *arena, const json_t *object) {
    if (!json_is_object(object)) return NULL;
    Chirpstack__Location *location = message_new(arena, &chirpstack__location__descriptor);
    location->latitude = json_number_value(json_object_get(object, "latitude"));
    location->longitude = json_number_value(json_object_get(object, "longitude"));
    location->altitude = json_number_value(json_object_get(object, "altitude"));
    const char *source = json_string_value(json_object_get(object, "source"));
    if (source != NULL && strcmp(source, "GPS") == 0) location->source = CHIRPSTACK__LOCATION_SOURCE__GPS;
    return location;
}

static void *read_gateway(struct arena *arena, json_t *json) {
    const json_t *object = json_object_get(json, "gateway");
    Chirpstack__GetGatewayResponse *response =
        message_new(arena, &chirpstack__get_gateway_response__descriptor);
    if (!json_is_object(object)) return response;
    Chirpstack__Gateway *gateway = message_new(arena, &chirpstack__gateway__descriptor);
    response->gateway = gateway;
    gateway->gateway_id = text_at(arena, object, "id");
    gateway->name = text_at(arena, object, "name");
    gateway->description = text_at(arena, object, "description");
    gateway->location = read_location(arena, json_object_get(object, "location"));
    gateway->tenant_id = id_at(arena, object, "organizationID");
    read_pairs(arena, json_object_get(object, "tags"), &gateway->n_tags, &gateway->tags);
    return response;
}

static json_t *load(const struct chirpstack *self, const struct job *job, size_t index, struct error *error) {
    const struct buffer *body = &job->replies[index].body;
    json_error_t ignored;
    json_t *json = json_loadb((const char *)body->data, body->size, 0, &ignored);
    if (json_is_object(json)) return json;
    json_decref(json);
    const char *path = job->calls[index].path;
    error_set(error, ERROR_PROTOCOL, "%s: the answer to GET %.*s is no JSON object", self->server.name,
              path == NULL ? 0 : (int)strcspn(path, "?"), path == NULL ? "" : path);
    return NULL;
}

static void *v3_read(struct chirpstack *self, struct job *job, size_t index, enum chirpstack_object object,
                     struct error *error) {
    static void *(*const readers[CHIRPSTACK_OBJECTS])(struct arena * arena, json_t * json) = {
        [CHIRPSTACK_APPLICATIONS] = read_applications, [CHIRPSTACK_APPLICATION] = read_application,
        [CHIRPSTACK_DEVICES] = read_devices,           [CHIRPSTACK_PROFILE] = read_profile,
        [CHIRPSTACK_DEVICE] = read_device_response,    [CHIRPSTACK_KEYS] = read_keys,
        [CHIRPSTACK_ACTIVATION] = read_activation,     [CHIRPSTACK_GATEWAYS] = read_gateways,
        [CHIRPSTACK_GATEWAY] = read_gateway,
    };
    json_t *json = load(self, job, index, error);
    if (json == NULL) return NULL;
    void *message = readers[object](job->arena, json);
    json_decref(json);
    return message;
}

int chirpstack_v3_merge_application(struct chirpstack *self, struct job *job, size_t index,
                                    Chirpstack__DeviceProfile *profile, const char **ret_service_profile,
                                    struct error *error) {
    json_t *json = load(self, job, index, error);
    if (json == NULL) return -(int)error->code;
    const json_t *application = json_object_get(json, "application");
    if (profile->payload_codec_runtime == CHIRPSTACK__CODEC_RUNTIME__NONE)
        read_codec(job->arena, application, profile);
    const char *id = text_at(job->arena, application, "serviceProfileID");
    if (id[0] != '\0') *ret_service_profile = id;
    json_decref(json);
    return 0;
}

int chirpstack_v3_merge_service_profile(struct chirpstack *self, struct job *job, size_t index,
                                        Chirpstack__DeviceProfile *profile, struct error *error) {
    json_t *json = load(self, job, index, error);
    if (json == NULL) return -(int)error->code;
    profile->device_status_req_interval =
        small_at(json_object_get(json, "serviceProfile"), "devStatusReqFreq");
    json_decref(json);
    return 0;
}

// ---- changes

// The device as it was given, but for what this program changes.
static json_t *device_body(const Chirpstack__Device *device) {
    json_error_t ignored;
    json_t *json = json_loads(device->v3_json, 0, &ignored);
    if (json == NULL) json = json_object();
    if (!device->cannot_be_disabled)
        json_object_set_new(json, "isDisabled", json_boolean(device->is_disabled));
    return json_pack("{s:o}", "device", json);
}

static json_t *keys_body(const Chirpstack__DeviceKeys *keys) {
    return json_pack("{s:{s:s, s:s, s:s, s:s}}", "deviceKeys", "devEUI", keys->dev_eui, "nwkKey",
                     keys->nwk_key, "appKey", keys->app_key, "genAppKey", keys->gen_app_key);
}

static json_t *activation_body(const Chirpstack__DeviceActivation *activation) {
    return json_pack("{s:{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I}}", "deviceActivation", "devEUI",
                     activation->dev_eui, "devAddr", activation->dev_addr, "appSKey", activation->app_s_key,
                     "nwkSEncKey", activation->nwk_s_enc_key, "sNwkSIntKey", activation->s_nwk_s_int_key,
                     "fNwkSIntKey", activation->f_nwk_s_int_key, "fCntUp", (json_int_t)activation->f_cnt_up,
                     "nFCntDown", (json_int_t)activation->n_f_cnt_down, "aFCntDown",
                     (json_int_t)activation->a_f_cnt_down);
}

static struct call *v3_change(struct chirpstack *self, struct job *job, enum chirpstack_change change,
                              const ProtobufCMessage *message) {
    static const struct {
        const char *verb;
        const char *suffix;
    } forms[CHIRPSTACK_CHANGES] = {
        [CHIRPSTACK_CREATE] = {"POST", ""},
        [CHIRPSTACK_UPDATE] = {"PUT", ""},
        [CHIRPSTACK_REMOVE] = {"DELETE", ""},
        [CHIRPSTACK_CREATE_KEYS] = {"POST", "/keys"},
        [CHIRPSTACK_ACTIVATE] = {"POST", "/activate"},
    };
    const char *dev_eui = NULL;
    json_t *json = NULL;
    if (change == CHIRPSTACK_CREATE || change == CHIRPSTACK_UPDATE) {
        const Chirpstack__Device *device = ((const Chirpstack__DeviceRequest *)message)->device;
        dev_eui = change == CHIRPSTACK_UPDATE ? device->dev_eui : NULL;
        json = device_body(device);
    } else if (change == CHIRPSTACK_REMOVE) {
        dev_eui = ((const Chirpstack__DevEUIRequest *)message)->dev_eui;
    } else if (change == CHIRPSTACK_CREATE_KEYS) {
        dev_eui = ((const Chirpstack__DeviceKeysRequest *)message)->device_keys->dev_eui;
        json = keys_body(((const Chirpstack__DeviceKeysRequest *)message)->device_keys);
    } else {
        dev_eui = ((const Chirpstack__ActivateDeviceRequest *)message)->device_activation->dev_eui;
        json = activation_body(((const Chirpstack__ActivateDeviceRequest *)message)->device_activation);
    }
    struct call *call =
        add_call(self, job, forms[change].verb,
                 arena_printf(job->arena, "/devices%s%s%s", dev_eui == NULL ? "" : "/",
                              dev_eui == NULL ? "" : encode(job->arena, dev_eui), forms[change].suffix));
    call->changes = true;
    if (json == NULL) return call;
    char *text = json_dumps(json, JSON_COMPACT);
    call->body = arena_strdup(job->arena, text == NULL ? "{}" : text);
    call->body_size = strlen(call->body);
    call_add_header(call, "content-type", "application/json");
    memory_free_secret(text);
    json_decref(json);
    return call;
}

const struct chirpstack_api chirpstack_v3_api = {
    .kind = CALL_HTTP, .list = v3_list, .get = v3_get, .read = v3_read, .change = v3_change};
