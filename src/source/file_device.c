// SPDX-License-Identifier: Apache-2.0
#include "source/file_device.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/clean.h"
#include "device/mac_state_message.h"
#include "device/message.h"

enum { SESSION_KEY_ID_SIZE = 16, TIME_SIZE = 6 };

// The application of a run that names none: the devices go where the target says.
static const char NONE[] = "-";

static const struct {
    const char *name;
    enum mac_version mac_version;
    enum phy_version phy_version;
} versions[] = {
    {"1.0.0", MAC_V1_0, PHY_V1_0},
    {"1.0.1", MAC_V1_0_1, PHY_V1_0_1},
    {"1.0.2a", MAC_V1_0_2, PHY_V1_0_2_REV_A},
    {"1.0.2b", MAC_V1_0_2, PHY_V1_0_2_REV_B},
    {"1.0.3", MAC_V1_0_3, PHY_V1_0_3_REV_A},
    {"1.0.4", MAC_V1_0_4, RP002_V1_0_3},
    {"1.1.0a", MAC_V1_1, PHY_V1_1_REV_A},
    {"1.1.0b", MAC_V1_1, PHY_V1_1_REV_B},
};

static int open_plan(struct file_rules *rules, const struct source_setup *setup, struct error *error) {
    const char *id = option_string(setup->options, "frequency-plan-id");
    if (id == NULL || *id == '\0') return 0;
    rules->plan = frequency_plans_find(setup->plans, id);
    if (rules->plan != NULL) return 0;
    const char *near = frequency_plans_suggest(setup->plans, id);
    error_set(error, ERROR_USAGE, "there is no frequency plan %s", id);
    error_hint(error, "%s%s%sall of them: ttn-lw-migrate frequency-plans",
               near != NULL ? "did you mean " : "", near != NULL ? near : "", near != NULL ? "? " : "");
    return -ERROR_USAGE;
}

int file_rules_open(struct file_rules *rules, const struct source_setup *setup, struct error *error) {
    *rules = (struct file_rules){
        .plans = setup->plans,
        .naming = setup->naming,
        .map = setup->map,
        .clock = setup->clock,
        .random = setup->random,
        .to_server = setup->to_server,
    };
    const char *application = option_string(setup->options, "app-id");
    if (application != NULL && *application != '\0') rules->application = memory_strdup(application);
    const char *version = option_string(setup->options, "mac-version");
    for (size_t i = 0; version != NULL && i < sizeof versions / sizeof versions[0]; i++) {
        if (strcmp(versions[i].name, version) != 0) continue;
        rules->mac_version = versions[i].mac_version;
        rules->phy_version = versions[i].phy_version;
    }
    return open_plan(rules, setup, error);
}

void file_rules_release(struct file_rules *rules) {
    free(rules->application);
    *rules = (struct file_rules){0};
}

const char *file_rules_default_application(const struct file_rules *rules) {
    return rules->application != NULL ? rules->application : NONE;
}

enum job_step file_rules_prepare(struct file_rules *rules, const char *application, struct error *error) {
    bool none = strcmp(application, NONE) == 0;
    bool same =
        none ? !rules->named : rules->application != NULL && strcmp(application, rules->application) == 0;
    if (rules->named && !same) {
        error_set(error, ERROR_USAGE, "the devices of the file can go into one application only");
        error_hint(error, "name one application; --map FILE may give devices another one");
        return JOB_FAILED;
    }
    if (none) return JOB_DONE;
    rules->named = true;
    if (!same) {
        free(rules->application);
        rules->application = memory_strdup(application);
    }
    return JOB_DONE;
}

// ---- completing a device

static int set_application(const struct file_rules *rules, const struct device_map_entry *entry,
                           struct device *device, struct error *error) {
    if (rules->application != NULL) {
        device_set_application(device, rules->application);
    } else if (!rules->to_server && (entry == NULL || entry->application_id == NULL)) {
        error_set(error, ERROR_DEVICE, "its application is not known");
        error_hint(error, "name it: --app-id ID, or the command application ID");
        return -ERROR_DEVICE;
    }
    return 0;
}

static void set_radio(const struct file_rules *rules, const struct device_map_entry *entry,
                      struct device *device) {
    Tts__EndDevice *message = device->end_device;
    const struct frequency_plan *plan = message->frequency_plan_id[0] == '\0' ? rules->plan : NULL;
    // People write its name, too.
    if (plan == NULL) plan = frequency_plans_meant(rules->plans, message->frequency_plan_id);
    if (entry != NULL && entry->plan != NULL) plan = entry->plan;
    if (plan != NULL) device_set_text(device, &message->frequency_plan_id, plan->id);
    if ((int)message->lorawan_version == MAC_UNKNOWN) {
        message->lorawan_version = (Tts__MACVersion)rules->mac_version;
    }
    if (entry != NULL && entry->mac_version != MAC_UNKNOWN) {
        message->lorawan_version = (Tts__MACVersion)entry->mac_version;
    }
    // The regional parameters of the option belong to its version of LoRaWAN.
    bool fits = (int)message->lorawan_version == (int)rules->mac_version;
    if ((int)message->lorawan_phy_version == PHY_UNKNOWN && fits) {
        message->lorawan_phy_version = (Tts__PHYVersion)rules->phy_version;
    }
    if (entry != NULL && entry->phy_version != PHY_UNKNOWN) {
        message->lorawan_phy_version = (Tts__PHYVersion)entry->phy_version;
    }
}

// 6 bytes of time in ms, the highest first, and 10 of chance: a ULID, as The Things Stack makes them.
static void set_session_key_id(const struct file_rules *rules, struct device *device) {
    uint8_t id[SESSION_KEY_ID_SIZE];
    uint64_t now = (uint64_t)(clock_wall(rules->clock) / NS_PER_MS);
    rules->random->fill(rules->random->context, id, sizeof id);
    for (size_t i = 0; i < TIME_SIZE; i++) id[i] = (uint8_t)(now >> (8 * (TIME_SIZE - 1 - i)));
    device_set_bytes(device, &device->end_device->session->keys->session_key_id, id, sizeof id);
}

// The file says nothing of the channels in force: the first state is what a device of that plan starts with. Where plan or
// versions are not known, the check of the whole device says so.
static int set_session(const struct file_rules *rules, struct device *device, struct error *error) {
    Tts__EndDevice *message = device->end_device;
    if (message->session == NULL) return 0;
    if (message->session->keys == NULL) {
        message->session->keys = message_new(&device->arena, &tts__session_keys__descriptor);
    }
    if (message->supports_join) set_session_key_id(rules, device);
    if (message->session->started_at == NULL) {
        device_set_time(device, &message->session->started_at, clock_wall(rules->clock));
    }
    const struct frequency_plan *plan = frequency_plans_find(rules->plans, message->frequency_plan_id);
    enum phy_version phy_version = (enum phy_version)message->lorawan_phy_version;
    if (plan == NULL || (int)message->lorawan_version == MAC_UNKNOWN || phy_version == PHY_UNKNOWN) return 0;
    if (band_find(plan->band_id, phy_version) == NULL) return 0;
    return device_first_mac_state(message, rules->plans, &device->arena, &message->mac_state, error);
}

int file_device_complete(const struct file_rules *rules, const struct source_record *record,
                         struct device *device, struct error *error) {
    const struct device_map_entry *entry = device_map_find(rules->map, record);
    Tts__EndDeviceIdentifiers *ids = device_ids(device);
    const uint8_t *eui = ids->dev_eui.len == EUI64_BYTES ? ids->dev_eui.data : NULL;
    char id[DEVICE_ID_SIZE];
    int result = device_id_make(rules->naming, ids->device_id, eui, id, error);
    if (result == 0) result = set_application(rules, entry, device, error);
    if (result != 0) return result;
    if (strcmp(id, ids->device_id) != 0) {
        if (ids->device_id[0] != '\0') device_set_attribute(device, "old-id", ids->device_id);
        device_set_text(device, &ids->device_id, id);
    }
    set_radio(rules, entry, device);
    result = set_session(rules, device, error);
    return result != 0 ? result : device_clean(device, error);
}
