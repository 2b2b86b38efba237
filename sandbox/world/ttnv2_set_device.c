// SPDX-License-Identifier: Apache-2.0
// SetDevice: the Network Server is written first, the Handler's database second. A failure in the second step
// leaves the first one done.
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "world/ttnv2_p.h"

enum { ATTRIBUTES_MOST = 5, ATTRIBUTE_LONGEST = 64 };

// Attributes that do not count towards the five.
static const char *const builtin_attributes[] = {"ttn-brand", "ttn-model", "ttn-version", "ttn-antenna",
                                                 "ttn-module-type"};

struct set {
    struct v2 *v2;
    int64_t now;
    struct world_reply *reply;
    struct v2_device_message message;
    char *app_id;  // owned
    char *dev_id;  // owned
    struct v2_caller caller;
    struct v2_application *application;
    struct v2_device *device;  // as it was; NULL if it is new
    uint8_t app_eui[EUI_SIZE];
    uint8_t dev_eui[EUI_SIZE];
    struct v2_session_keys session;  // as it will be
};

static bool same(struct wire_bytes a, struct wire_bytes b) {
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

// The real Handler leaves an inner ID that differs unchecked, and then has two names for one device; refused
// here, so that a rehearsal shows it.
static bool check_form(struct set *set) {
    static const char inner[] = "Invalid Device: Invalid Device: Invalid LoRaWANDevice: ";
    const struct v2_device_message *message = &set->message;
    if (!v2_check_id(message->app_id, "AppID", "Invalid Device: ", set->reply)) return false;
    if (!v2_check_id(message->dev_id, "DevID", "Invalid Device: ", set->reply)) return false;
    if (!message->has_lorawan) {
        world_reply_status(set->reply, STATUS_INVALID_ARGUMENT,
                           "Invalid Device: Device not valid: can not be empty");
        return false;
    }
    if (!v2_check_id(message->lorawan_app_id, "AppID", inner, set->reply)) return false;
    if (!v2_check_id(message->lorawan_dev_id, "DevID", inner, set->reply)) return false;
    if (same(message->app_id, message->lorawan_app_id) && same(message->dev_id, message->lorawan_dev_id))
        return true;
    world_reply_status(set->reply, STATUS_INVALID_ARGUMENT, "%sIDs are not those of the Device", inner);
    return false;
}

static bool admit(struct set *set, const struct world_request *request) {
    set->app_id = v2_text(set->message.app_id);
    set->dev_id = v2_text(set->message.dev_id);
    if (!v2_authenticate(set->v2, set->now, request, set->app_id, &set->caller, set->reply) ||
        !v2_require(&set->caller, set->app_id, V2_RIGHT_DEVICES, set->reply)) {
        return false;
    }
    set->application = v2_registered(set->v2, set->app_id, set->reply);
    return set->application != NULL;
}

// Absent EUIs are zero.
static void read_euis(struct set *set) {
    if (set->message.app_eui.data != NULL) memcpy(set->app_eui, set->message.app_eui.data, EUI_SIZE);
    if (set->message.dev_eui.data != NULL) memcpy(set->dev_eui, set->message.dev_eui.data, EUI_SIZE);
}

static bool has_euis(const struct set *set, const struct v2_device *device) {
    return memcmp(device->app_eui, set->app_eui, EUI_SIZE) == 0 &&
           memcmp(device->dev_eui, set->dev_eui, EUI_SIZE) == 0;
}

static bool is_known_by_other_id(const struct set *set) {
    for (size_t i = 0; i < set->application->device_count; i++) {
        if (has_euis(set, set->application->devices[i])) return true;
    }
    return false;
}

// DevAddr and NwkSKey are written only together; what is absent stays.
static void read_session(struct set *set) {
    if (set->device != NULL) set->session = set->device->session;
    if (set->message.dev_addr.data == NULL || set->message.nwk_s_key.data == NULL) return;
    memcpy(set->session.dev_addr, set->message.dev_addr.data, DEV_ADDR_SIZE);
    memcpy(set->session.nwk_s_key, set->message.nwk_s_key.data, KEY_SIZE);
}

// New EUIs move the device: the Network Server forgets the old ones.
static bool write_network(struct set *set) {
    static const char what[] = "Broker did not set device";
    bool moved = set->device != NULL && !has_euis(set, set->device);
    if (moved &&
        !v2_take_broker(set->v2, set->now, &set->caller, "Broker did not delete device", set->reply)) {
        return false;
    }
    if (!v2_take_broker(set->v2, set->now, &set->caller, what, set->reply)) return false;
    struct v2_network_server *server = &set->v2->network;
    const struct v2_network_device *known = v2_network_find(server, set->app_eui, set->dev_eui);
    if (known != NULL && known->application != set->application &&
        !v2_has_right(&set->caller, known->application->app_id, V2_RIGHT_DEVICES)) {
        world_reply_status(
            set->reply, STATUS_PERMISSION_DENIED,
            "%s: permission denied: NetworkServer did not set device: permission denied: No \"devices\" "
            "rights to Application \"%s\"",
            what, known->application->app_id);
        return false;
    }
    if (moved) v2_network_remove(server, set->device->app_eui, set->device->dev_eui);
    struct v2_network_device *network = v2_network_add(server, set->app_eui, set->dev_eui);
    free(network->dev_id);
    network->dev_id = memory_strdup(set->dev_id);
    network->application = set->application;
    network->session = set->session;
    network->f_cnt_up = set->message.f_cnt_up;
    network->f_cnt_down = set->message.f_cnt_down;
    network->frames = 0;
    return true;
}

static bool is_builtin(struct wire_bytes key) {
    for (size_t i = 0; i < sizeof builtin_attributes / sizeof *builtin_attributes; i++) {
        if (strlen(builtin_attributes[i]) == key.size &&
            memcmp(builtin_attributes[i], key.data, key.size) == 0) {
            return true;
        }
    }
    return false;
}

static struct wire_reader attributes_of(const struct set *set) {
    return (struct wire_reader){.data = set->message.body.data, .size = set->message.body.size};
}

static bool check_lengths(const struct set *set) {
    struct wire_reader reader = attributes_of(set);
    struct wire_bytes key = {0};
    struct wire_bytes value = {0};
    while (v2_next_attribute(&reader, &key, &value)) {
        if (key.size > ATTRIBUTE_LONGEST || value.size > ATTRIBUTE_LONGEST) {
            const char *part = key.size > ATTRIBUTE_LONGEST ? "key" : "value for key";
            char *name MEMORY_AUTO = v2_text(key);
            world_reply_status(set->reply, STATUS_UNKNOWN, "Attribute %s \"%s\" exceeds maximum length (64)",
                               part, name);
            return false;
        }
    }
    return true;
}

static bool take_attributes(const struct set *set, struct v2_device *device) {
    struct wire_reader reader = attributes_of(set);
    struct wire_bytes key = {0};
    struct wire_bytes value = {0};
    unsigned own = 0;
    while (v2_next_attribute(&reader, &key, &value)) {
        unsigned before = device->attribute_count;
        v2_device_add_attribute(device, key, value);
        own += device->attribute_count > before && !is_builtin(key);
    }
    if (own <= ATTRIBUTES_MOST) return true;
    world_reply_status(set->reply, STATUS_UNKNOWN, "Maximum number of custom attributes (5) exceeded");
    return false;
}

// Everything that is not a key is replaced, absent or not.
static void take_fields(const struct set *set, struct v2_device *device) {
    const struct v2_device_message *message = &set->message;
    memcpy(device->app_eui, set->app_eui, EUI_SIZE);
    memcpy(device->dev_eui, set->dev_eui, EUI_SIZE);
    v2_blob_set(&device->description, message->description.data, message->description.size);
    free(device->constraints);
    device->constraints = message->constraints.size > 0 ? v2_text(message->constraints) : NULL;
    device->latitude = message->latitude;
    device->longitude = message->longitude;
    device->altitude = message->altitude;
    device->disable_f_cnt_check = message->disable_f_cnt_check;
    device->uses32_bit_f_cnt = message->uses32_bit_f_cnt;
    device->session = set->session;
    if (message->app_s_key.data != NULL) memcpy(device->app_s_key, message->app_s_key.data, KEY_SIZE);
    if (set->device == NULL) {
        device->dev_nonces = message->dev_nonces;
        device->app_nonces = message->app_nonces;
        device->device_f_cnt_up = message->f_cnt_up;
    }
    if (message->app_key.data != NULL && memcmp(device->app_key, message->app_key.data, KEY_SIZE) != 0) {
        memcpy(device->app_key, message->app_key.data, KEY_SIZE);
        if (set->device != NULL) {
            device->dev_nonces = 0;
            device->app_nonces = 0;
        }
    }
}

static void count_keys(struct v2 *v2, struct v2_device *device, bool before, int64_t now) {
    bool after = v2_has_keys(device);
    device->writes++;
    if (before && !after) v2->numbers.cleared++;
    if (!before && after && device->was_cleared) v2->numbers.restored++;
    device->was_cleared = !after && (before || device->was_cleared);
    if (before && !after) device->cleared_at = now;
    if (after) device->cleared_at = 0;
}

static void write_handler(struct set *set) {
    struct v2_device attributes = {0};
    if (!take_attributes(set, &attributes) || !check_lengths(set)) {
        v2_device_clear_attributes(&attributes);
        return;
    }
    struct v2_device *device = set->device != NULL ? set->device : v2_device_new(set->dev_id);
    bool had_keys = v2_has_keys(device);
    take_fields(set, device);
    v2_device_clear_attributes(device);
    device->attributes = attributes.attributes;
    device->attribute_count = attributes.attribute_count;
    count_keys(set->v2, device, had_keys, set->now);
    if (set->device == NULL) v2_insert_device(set->application, device);
}

static void answer(struct set *set, const struct world_request *request) {
    struct wire_bytes body = {.data = request->body, .size = request->body_size};
    const char *failure = v2_decode_device(body, &set->message);
    if (failure != NULL) {
        world_reply_status(set->reply, STATUS_INTERNAL, "grpc: error unmarshalling request: %s", failure);
        return;
    }
    if (!check_form(set) || !admit(set, request)) return;
    read_euis(set);
    set->device = v2_find_device(set->application, set->dev_id);
    if (set->device == NULL && is_known_by_other_id(set)) {
        world_reply_status(set->reply, STATUS_ALREADY_EXISTS, "Device with AppEUI and DevEUI already exists");
        return;
    }
    read_session(set);
    if (write_network(set) && !set->v2->half) write_handler(set);
}

void v2_set_device(struct v2 *v2, int64_t now, const struct world_request *request,
                   struct world_reply *reply) {
    struct set set = {.v2 = v2, .now = now, .reply = reply};
    answer(&set, request);
    free(set.app_id);
    free(set.dev_id);
}
