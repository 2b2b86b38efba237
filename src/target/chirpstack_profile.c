// SPDX-License-Identifier: Apache-2.0
// Device profiles: what devices of one kind share in ChirpStack. A profile of the tenant is used where it serves a
// device, else one is made with a name that tells what it is for.
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "device/mac_state_message.h"
#include "lorawan/band.h"
#include "lorawan/frequency_plan.h"
#include "target/chirpstack_p.h"

enum {
    SECONDS_A_DAY = 86400,
    UPLINK_INTERVAL = 3600,  // s; what ChirpStack's own form proposes
    CLASS_B_TIMEOUT = 10,    // s
    CLASS_C_TIMEOUT = 5,     // s
};

// ---- what a device needs

static uint32_t seconds_of(const Google__Duration *duration, uint32_t otherwise) {
    if (duration == NULL || duration->seconds < 0 || duration->seconds > UINT16_MAX) return otherwise;
    if (duration->seconds == 0) return duration->nanos > 0 ? 1 : 0;
    return (uint32_t)duration->seconds;
}

// As often as it was asked for its status before, in requests a day.
static uint32_t status_requests(const Tts__MACSettings *settings) {
    if (settings == NULL || settings->status_time_periodicity == NULL) return 1;
    int64_t seconds = settings->status_time_periodicity->seconds;
    if (seconds <= 0) return 0;
    return seconds >= SECONDS_A_DAY ? 1 : (uint32_t)(SECONDS_A_DAY / seconds);
}

static const Tts__MACParameters *parameters_of(struct cst *self, const Tts__EndDevice *device,
                                               struct arena *arena) {
    Tts__MACState *state = device->mac_state;
    ERROR_AUTO ignored = {0};
    if (state == NULL && device_first_mac_state(device, self->plans, arena, &state, &ignored) != 0)
        return NULL;
    return state->current_parameters;
}

static void set_class_b(const Tts__EndDevice *device, const Tts__MACParameters *parameters,
                        Chirpstack__DeviceProfile *profile) {
    const Tts__MACSettings *settings = device->mac_settings;
    if (!profile->supports_class_b) return;
    profile->class_b_timeout =
        seconds_of(settings == NULL ? NULL : settings->class_b_timeout, CLASS_B_TIMEOUT);
    if (settings != NULL && settings->ping_slot_periodicity != NULL)
        profile->class_b_ping_slot_periodicity = (uint32_t)settings->ping_slot_periodicity->value;
    if (settings != NULL && settings->ping_slot_frequency != NULL)
        profile->class_b_ping_slot_freq = (uint32_t)settings->ping_slot_frequency->value;
    else if (parameters != NULL)
        profile->class_b_ping_slot_freq = (uint32_t)parameters->ping_slot_frequency;
    if (settings != NULL && settings->ping_slot_data_rate_index != NULL)
        profile->class_b_ping_slot_dr = (uint32_t)settings->ping_slot_data_rate_index->value;
}

// The receive windows of a device that does not join: nobody will tell it others.
static void set_abp(const Tts__MACParameters *parameters, Chirpstack__DeviceProfile *profile) {
    if (profile->supports_otaa || parameters == NULL) return;
    profile->abp_rx1_delay = (uint32_t)parameters->rx1_delay;
    profile->abp_rx1_dr_offset = (uint32_t)parameters->rx1_data_rate_offset;
    profile->abp_rx2_dr = (uint32_t)parameters->rx2_data_rate_index;
    profile->abp_rx2_freq = (uint32_t)parameters->rx2_frequency;
}

// "US_902_928_FSB_2" is the configuration us915_1, where the server has one; elsewhere one is called like its region.
static char *config_of(const struct chirpstack_region *region, const char *plan_id, struct arena *arena) {
    if (region->config == NULL) {
        char *config = arena_strdup(arena, region->name);
        for (char *c = config; *c != '\0'; c++) *c = *c == '-' ? '_' : (char)tolower((unsigned char)*c);
        return config;
    }
    size_t size = strlen(region->plans);
    if (strncmp(plan_id, region->plans, size) != 0) return arena_strdup(arena, "");
    long number = strtol(plan_id + size, NULL, 10);
    return number < 1 ? arena_strdup(arena, "") : arena_printf(arena, "%s%ld", region->config, number - 1);
}

const Chirpstack__DeviceProfile *cst_profile_of(struct cst *self, const Tts__EndDevice *device,
                                                struct arena *arena) {
    const struct frequency_plan *plan = frequency_plans_find(self->plans, device->frequency_plan_id);
    const struct chirpstack_region *region = plan == NULL ? NULL : chirpstack_region_of_band(plan->band_id);
    Chirpstack__DeviceProfile *profile = message_new(arena, &chirpstack__device_profile__descriptor);
    if (region != NULL) {
        profile->region = region->number;
        profile->region_config_id = config_of(region, plan->id, arena);
    }
    chirpstack_mac_number((enum mac_version)device->lorawan_version, &profile->mac_version);
    profile->reg_params_revision = chirpstack_revision_of((enum phy_version)device->lorawan_phy_version);
    profile->supports_otaa = device->supports_join;
    profile->supports_class_b = device->supports_class_b;
    profile->supports_class_c = device->supports_class_c;
    profile->device_status_req_interval = status_requests(device->mac_settings);
    const Tts__MACParameters *parameters = parameters_of(self, device, arena);
    set_class_b(device, parameters, profile);
    if (profile->supports_class_c)
        profile->class_c_timeout = seconds_of(
            device->mac_settings == NULL ? NULL : device->mac_settings->class_c_timeout, CLASS_C_TIMEOUT);
    set_abp(parameters, profile);
    const char *remark = NULL;
    cst_codec(device->formatters, arena, profile, &remark);
    return profile;
}

// What the session of a joined device begins with where nothing is said: the region's delay and frequency, and the
// data rate 0.
static bool is_of_region(const Tts__EndDevice *device, const Tts__MACParameters *parameters,
                         const struct frequency_plan *plan) {
    const struct band *band = band_find(plan->band_id, (enum phy_version)device->lorawan_phy_version);
    return band != NULL && (uint32_t)parameters->rx1_delay <= 1 &&
           (uint32_t)parameters->rx1_data_rate_offset == 0 &&
           (uint32_t)parameters->rx2_data_rate_index == 0 &&
           (parameters->rx2_frequency == 0 || parameters->rx2_frequency == band->rx2_frequency);
}

const Chirpstack__DeviceProfile *cst_carrier_of(struct cst *self, const Tts__EndDevice *device,
                                                const Chirpstack__DeviceProfile *profile,
                                                struct arena *arena) {
    const Tts__MACParameters *parameters = parameters_of(self, device, arena);
    const struct frequency_plan *plan = frequency_plans_find(self->plans, device->frequency_plan_id);
    if (!profile->supports_otaa || parameters == NULL || plan == NULL) return NULL;
    if (is_of_region(device, parameters, plan)) return NULL;
    Chirpstack__DeviceProfile *carrier = message_copy(&profile->base, arena);
    carrier->supports_otaa = false;
    carrier->payload_codec_runtime = CHIRPSTACK__CODEC_RUNTIME__NONE;
    carrier->payload_codec_script = arena_strdup(arena, "");
    set_abp(parameters, carrier);
    return carrier;
}

// A few digits that tell scripts apart (FNV-1a).
static uint32_t digest(const char *text) {
    uint32_t value = UINT32_C(2166136261);
    for (; *text != '\0'; text++) value = (value ^ (uint8_t)*text) * UINT32_C(16777619);
    return value;
}

static const char *codec_name(const Chirpstack__DeviceProfile *profile, struct arena *arena) {
    if (profile->payload_codec_runtime == CHIRPSTACK__CODEC_RUNTIME__CAYENNE_LPP) return ", Cayenne LPP";
    if (profile->payload_codec_runtime != CHIRPSTACK__CODEC_RUNTIME__JS) return "";
    return arena_printf(arena, ", codec %08" PRIx32, digest(profile->payload_codec_script));
}

static const char *revision_name(const Chirpstack__DeviceProfile *profile) {
    static const char *const names[] = {" A",           " B",           " RP002-1.0.0", " RP002-1.0.1",
                                        " RP002-1.0.2", " RP002-1.0.3", " RP002-1.0.4", " RP002-1.0.5"};
    size_t revision = (size_t)profile->reg_params_revision;
    return revision < sizeof names / sizeof *names ? names[revision] : "";
}

char *cst_profile_name(const Chirpstack__DeviceProfile *profile, struct arena *arena) {
    const struct chirpstack_region *region = chirpstack_region_of(profile->region);
    const char *classes = profile->supports_class_b && profile->supports_class_c ? "B and C"
                          : profile->supports_class_b                            ? "B"
                          : profile->supports_class_c                            ? "C"
                                                                                 : "A";
    const char *windows =
        profile->supports_otaa
            ? ""
            : arena_printf(arena, ", RX1 %" PRIu32 " s, RX2 %" PRIu32 " Hz DR%" PRIu32,
                           profile->abp_rx1_delay, profile->abp_rx2_freq, profile->abp_rx2_dr);
    return arena_printf(arena, "%s LoRaWAN %s%s %s class %s%s%s", region == NULL ? "?" : region->name,
                        mac_version_text(chirpstack_mac_version(profile->mac_version)),
                        revision_name(profile), profile->supports_otaa ? "OTAA" : "ABP", classes, windows,
                        codec_name(profile, arena));
}

// ---- which profile serves it

static bool same_class_b(const Chirpstack__DeviceProfile *a, const Chirpstack__DeviceProfile *b) {
    return a->class_b_ping_slot_periodicity == b->class_b_ping_slot_periodicity &&
           a->class_b_ping_slot_dr == b->class_b_ping_slot_dr &&
           a->class_b_ping_slot_freq == b->class_b_ping_slot_freq;
}

static bool same_abp(const Chirpstack__DeviceProfile *a, const Chirpstack__DeviceProfile *b) {
    return a->abp_rx1_delay == b->abp_rx1_delay && a->abp_rx1_dr_offset == b->abp_rx1_dr_offset &&
           a->abp_rx2_dr == b->abp_rx2_dr && a->abp_rx2_freq == b->abp_rx2_freq;
}

// A device without formatters can have any codec.
static bool serves_codec(const Chirpstack__DeviceProfile *profile, const Chirpstack__DeviceProfile *wanted) {
    return wanted->payload_codec_runtime == CHIRPSTACK__CODEC_RUNTIME__NONE ||
           (wanted->payload_codec_runtime == profile->payload_codec_runtime &&
            strcmp(wanted->payload_codec_script, profile->payload_codec_script) == 0);
}

bool cst_profile_serves(const Chirpstack__DeviceProfile *profile, const Chirpstack__DeviceProfile *wanted,
                        bool base) {
    if (profile->region != wanted->region || profile->mac_version != wanted->mac_version ||
        profile->reg_params_revision != wanted->reg_params_revision ||
        !profile->supports_otaa != !wanted->supports_otaa ||
        !profile->supports_class_b != !wanted->supports_class_b ||
        !profile->supports_class_c != !wanted->supports_class_c) {
        return false;
    }
    if (base) return true;
    bool config = profile->region_config_id[0] == '\0' ||
                  strcmp(profile->region_config_id, wanted->region_config_id) == 0;
    return config && !profile->is_relay && !profile->is_relay_ed &&
           (!wanted->supports_class_b || same_class_b(profile, wanted)) &&
           (wanted->supports_otaa || same_abp(profile, wanted)) && serves_codec(profile, wanted);
}

// ---- those that are known

// Devices of other tenants were perhaps looked at, and their profiles with them.
static bool is_of_tenant(const struct cst *self, const Chirpstack__DeviceProfile *profile) {
    return self->tenant_id != NULL && strcasecmp(profile->tenant_id, self->tenant_id) == 0;
}

const Chirpstack__DeviceProfile *cst_profile_find(const struct cst *self,
                                                  const Chirpstack__DeviceProfile *wanted) {
    const Chirpstack__DeviceProfile *found = NULL;
    for (const struct cst_profile *profile = self->profiles; profile != NULL; profile = profile->next) {
        if (!profile->whole || !is_of_tenant(self, profile->message)) continue;
        if (!cst_profile_serves(profile->message, wanted, false)) continue;
        bool exact = profile->message->payload_codec_runtime == wanted->payload_codec_runtime;
        if (found == NULL || exact) found = profile->message;
        if (exact) break;
    }
    return found;
}

struct cst_profile *cst_profile_by_id(const struct cst *self, const char *id) {
    for (struct cst_profile *profile = self->profiles; profile != NULL; profile = profile->next) {
        if (strcmp(profile->message->id, id) == 0) return profile;
    }
    return NULL;
}

void cst_profile_keep(struct cst *self, const Chirpstack__DeviceProfile *message, bool whole) {
    struct cst_profile *profile = cst_profile_by_id(self, message->id);
    if (profile != NULL && profile->whole && !whole) return;
    if (profile == NULL) {
        profile = memory_new(struct cst_profile);
        // Behind the others: those that the server names first are preferred, in every run.
        struct cst_profile **last = &self->profiles;
        while (*last != NULL) last = &(*last)->next;
        *last = profile;
    }
    struct arena arena = {0};
    const Chirpstack__DeviceProfile *copy = message_copy(&message->base, &arena);
    arena_release(&profile->arena);
    profile->arena = arena;
    profile->message = copy;
    profile->whole = whole;
}

static bool same_wanted(const Chirpstack__DeviceProfile *a, const Chirpstack__DeviceProfile *b) {
    return cst_profile_serves(a, b, false) && cst_profile_serves(b, a, false) &&
           strcmp(a->region_config_id, b->region_config_id) == 0;
}

void cst_profile_want(struct cst *self, const Chirpstack__DeviceProfile *wanted) {
    for (const struct cst_wanted *known = self->wanted; known != NULL; known = known->next) {
        if (same_wanted(known->message, wanted)) return;
    }
    struct cst_wanted *added = memory_new(struct cst_wanted);
    added->message = message_copy(&wanted->base, &added->arena);
    added->next = self->wanted;
    self->wanted = added;
}

void cst_profiles_forget(struct cst *self) {
    while (self->profiles != NULL) {
        struct cst_profile *profile = self->profiles;
        self->profiles = profile->next;
        arena_release(&profile->arena);
        free(profile);
    }
    while (self->wanted != NULL) {
        struct cst_wanted *wanted = self->wanted;
        self->wanted = wanted->next;
        arena_release(&wanted->arena);
        free(wanted);
    }
}

// ---- marks

const char *cst_mark(const struct cst *self, struct arena *arena) {
    if (self->base.run == NULL) return NULL;
    return arena_printf(arena, "Made by ttn-lw-migrate, run %s", self->base.run);
}

bool cst_is_marked(const struct cst *self, const char *description) {
    ARENA_AUTO arena = {0};
    const char *mark = cst_mark(self, &arena);
    return mark != NULL && strcmp(description, mark) == 0;
}
