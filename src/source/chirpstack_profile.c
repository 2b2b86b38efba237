// SPDX-License-Identifier: Apache-2.0
// What a device profile of ChirpStack says of versions and of the region, in the terms of The Things Stack.
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "lorawan/region.h"
#include "source/chirpstack_p.h"

static enum phy_version rp002_version(Chirpstack__RegParamsRevision revision, const char **ret_remark) {
    switch (revision) {
        case CHIRPSTACK__REG_PARAMS_REVISION__RP002_1_0_0:
            return RP002_V1_0_0;
        case CHIRPSTACK__REG_PARAMS_REVISION__RP002_1_0_1:
            return RP002_V1_0_1;
        case CHIRPSTACK__REG_PARAMS_REVISION__RP002_1_0_2:
            return RP002_V1_0_2;
        case CHIRPSTACK__REG_PARAMS_REVISION__RP002_1_0_3:
            return RP002_V1_0_3;
        case CHIRPSTACK__REG_PARAMS_REVISION__RP002_1_0_4:
            return RP002_V1_0_4;
        case CHIRPSTACK__REG_PARAMS_REVISION__RP002_1_0_5:
            *ret_remark =
                "The Things Stack does not know the regional parameters RP002-1.0.5: RP002-1.0.4 is taken";
            return RP002_V1_0_4;
        default:
            return PHY_UNKNOWN;
    }
}

enum phy_version chirpstack_phy_version(const Chirpstack__DeviceProfile *profile, const char **ret_remark) {
    *ret_remark = NULL;
    bool first = profile->reg_params_revision == CHIRPSTACK__REG_PARAMS_REVISION__A;
    bool second = profile->reg_params_revision == CHIRPSTACK__REG_PARAMS_REVISION__B;
    switch (profile->mac_version) {
        case CHIRPSTACK__MAC_VERSION__LORAWAN_1_0_0:
            return PHY_V1_0;
        case CHIRPSTACK__MAC_VERSION__LORAWAN_1_0_1:
            return PHY_V1_0_1;
        case CHIRPSTACK__MAC_VERSION__LORAWAN_1_0_2:
            if (first || second) return first ? PHY_V1_0_2_REV_A : PHY_V1_0_2_REV_B;
            break;
        case CHIRPSTACK__MAC_VERSION__LORAWAN_1_0_3:
            return PHY_V1_0_3_REV_A;
        case CHIRPSTACK__MAC_VERSION__LORAWAN_1_0_4:
            if (first || second) {
                *ret_remark =
                    "LoRaWAN 1.0.4 has no regional parameters of revision A or B: RP002-1.0.0 is taken";
                return RP002_V1_0_0;
            }
            break;
        case CHIRPSTACK__MAC_VERSION__LORAWAN_1_1_0:
            if (first || second) return first ? PHY_V1_1_REV_A : PHY_V1_1_REV_B;
            break;
        default:
            return PHY_UNKNOWN;
    }
    return rp002_version(profile->reg_params_revision, ret_remark);
}

// ---- frequency plans

// "us915_1" is the second sub-band: ChirpStack counts them from 0, the plans from 1. NULL if the profile names none.
static const struct frequency_plan *plan_of_config(const struct frequency_plans *plans,
                                                   const struct chirpstack_region *region,
                                                   const char *config) {
    if (region->config == NULL) return NULL;
    size_t size = strlen(region->config);
    if (strncmp(config, region->config, size) != 0) return NULL;
    const char *digits = config + size;
    size_t count = strspn(digits, "0123456789");
    if (count == 0 || count > 2 || digits[count] != '\0') return NULL;
    char *id MEMORY_AUTO = memory_printf("%s%ld", region->plans, strtol(digits, NULL, 10) + 1);
    return frequency_plans_find(plans, id);
}

// The plans of a band that devices, or gateways, can have, as a list for people; *ret_count is their number and *ret_plan
// the last.
static char *plans_of_band(const struct frequency_plans *plans, const char *band, bool gateways,
                           size_t *ret_count, const struct frequency_plan **ret_plan) {
    struct buffer list;
    buffer_init(&list, BUFFER_UNLIMITED);
    *ret_count = 0;
    for (size_t i = 0; i < plans->count; i++) {
        const struct frequency_plan *plan = &plans->plans[i];
        if (!(gateways ? plan->gateways : plan->end_devices) || strcmp(plan->band_id, band) != 0) continue;
        buffer_printf(&list, "%s%s", *ret_count > 0 ? ", " : "", plan->id);
        *ret_plan = plan;
        *ret_count += 1;
    }
    return buffer_take_string(&list);
}

// The plan that the region alone determines: that of the sub-band in the profile's configuration, or the only one there
// is. NULL if there is none; then *ret_count and *ret_list, which the caller frees, tell which ones fit.
static const struct frequency_plan *plan_of_region(const struct chirpstack_rules *rules,
                                                   const struct chirpstack_region *region,
                                                   const Chirpstack__DeviceProfile *profile,
                                                   struct device *device, size_t *ret_count,
                                                   char **ret_list) {
    const struct frequency_plan *plan = plan_of_config(rules->plans, region, profile->region_config_id);
    if (plan != NULL) {
        device_note(device, "frequency_plan_id", "is %s, after the region configuration %s of its profile",
                    plan->id, profile->region_config_id);
        return plan;
    }
    *ret_list = plans_of_band(rules->plans, region->band, false, ret_count, &plan);
    return *ret_count == 1 ? plan : NULL;
}

static int refuse_region(const struct chirpstack_rules *rules, const struct chirpstack_region *region,
                         size_t count, const char *list, struct error *error) {
    if (count == 0) {
        return error_set(error, ERROR_DEVICE, "its region is %s, for which there is no frequency plan",
                         region->name);
    }
    if (rules->chosen_count == 0) {
        error_set(error, ERROR_DEVICE, "its region is %s, for which there are %zu frequency plans",
                  region->name, count);
        error_hint(error, "choose one with --chirpstack.frequency-plan-id: %s", list);
        return -ERROR_DEVICE;
    }
    error_set(error, ERROR_DEVICE, "its region is %s, and the frequency plan %s is of another one",
              region->name, rules->chosen[0]->id);
    error_hint(error,
               "--chirpstack.frequency-plan-id takes a plan for each region, with a comma in between; for "
               "%s: %s",
               region->name, list);
    return -ERROR_DEVICE;
}

// v3 leaves the region to its network server, and often does not know it.
static int plan_without_region(const struct chirpstack_rules *rules, const Chirpstack__DeviceProfile *profile,
                               const struct frequency_plan **ret_plan, struct error *error) {
    if (profile->is_v3 && rules->chosen_count == 1) {
        *ret_plan = rules->chosen[0];
        return 0;
    }
    error_set(error, ERROR_DEVICE, "its profile %s has a region that is not known", profile->name);
    if (profile->is_v3) error_hint(error, "name its frequency plan alone: --chirpstack.frequency-plan-id ID");
    return -ERROR_DEVICE;
}

static const struct frequency_plan *chosen_of_region(const struct chirpstack_rules *rules,
                                                     const struct chirpstack_region *region) {
    for (size_t i = 0; i < rules->chosen_count; i++) {
        if (strcmp(rules->chosen[i]->band_id, region->band) == 0) return rules->chosen[i];
    }
    return NULL;
}

int chirpstack_choose_plan(const struct chirpstack_rules *rules, const Chirpstack__DeviceProfile *profile,
                           struct device *device, const struct frequency_plan **ret_plan,
                           struct error *error) {
    const struct chirpstack_region *region = chirpstack_region_of(profile->region);
    if (region == NULL) return plan_without_region(rules, profile, ret_plan, error);
    *ret_plan = chosen_of_region(rules, region);
    if (*ret_plan != NULL) return 0;
    size_t count = 0;
    char *list MEMORY_AUTO = NULL;
    *ret_plan = plan_of_region(rules, region, profile, device, &count, &list);
    if (*ret_plan != NULL) return 0;
    // A file of devices that stay follows the user's word; in any other run the device would be deaf at its new network.
    if (rules->chosen_count == 0 || rules->release != CHIRPSTACK_KEEP || rules->to_server) {
        return refuse_region(rules, region, count, list, error);
    }
    *ret_plan = rules->chosen[0];
    device_note(device, "frequency_plan_id",
                "is %s as you say, but its region in ChirpStack is %s: The Things Stack would take it, and "
                "not hear it",
                (*ret_plan)->id, region->name);
    return 0;
}

// ---- gateways

// A gateway that was never heard, or is one of v3, has no region.
static int gateway_plan_without_region(const struct chirpstack_rules *rules,
                                       const struct frequency_plan **ret_plan, struct error *error) {
    if (rules->chosen_count == 1) {
        *ret_plan = rules->chosen[0];
        return 0;
    }
    error_set(error, ERROR_DEVICE, "ChirpStack does not know its region%s",
              rules->chosen_count == 0 ? "" : ", and you name several frequency plans");
    error_hint(error,
               "name its frequency plan alone: --chirpstack.frequency-plan-id ID; other gateways go in a run "
               "of their own");
    return -ERROR_DEVICE;
}

int chirpstack_choose_gateway_plan(const struct chirpstack_rules *rules, const char *region_name,
                                   const char *config, struct gateway *gateway,
                                   const struct frequency_plan **ret_plan, struct error *error) {
    const struct region *named = region_find(region_name);
    if (named == NULL) named = region_find(config);
    const struct chirpstack_region *region = named == NULL ? NULL : chirpstack_region_of_band(named->band_id);
    if (region == NULL) return gateway_plan_without_region(rules, ret_plan, error);
    *ret_plan = chosen_of_region(rules, region);
    const struct frequency_plan *heard = plan_of_config(rules->plans, region, config);
    if (*ret_plan != NULL) {
        if (heard != NULL && heard != *ret_plan) {
            gateway_note(gateway, "frequency_plan_id",
                         "is %s as you say, but the region configuration %s, where it was heard, is %s",
                         (*ret_plan)->id, config, heard->id);
        }
        return 0;
    }
    *ret_plan = heard;
    if (heard != NULL) {
        gateway_note(gateway, "frequency_plan_id",
                     "is %s, after the region configuration %s where it was heard", heard->id, config);
        return 0;
    }
    size_t count = 0;
    char *list MEMORY_AUTO = plans_of_band(rules->plans, region->band, true, &count, ret_plan);
    return count == 1 ? 0 : refuse_region(rules, region, count, list, error);
}
