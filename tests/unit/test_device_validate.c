// SPDX-License-Identifier: Apache-2.0
// Each rule with what it takes and what it refuses.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>

#include "base/memory.h"
#include "device/validate.h"
#include "support/device_text.h"

#define DEVICE (&tts__end_device__descriptor)
#define KEY_1  "\"00112233445566778899AABBCCDDEEFF\""
#define KEY_2  "\"102132435465768798A9BACBDCEDFE0F\""
#define ZERO   "\"00000000000000000000000000000000\""

static bool has_finding(const struct findings *findings, const char *path) {
    for (size_t i = 0; i < findings->count; i++) {
        if (strcmp(findings->items[i].path, path) == 0) return true;
    }
    return false;
}

// Whether a message's form has a finding at a path.
static bool form_refused(const ProtobufCMessageDescriptor *descriptor, const char *text, const char *path) {
    struct arena arena = {0};
    struct findings findings = {0};
    message_validate(message_of(descriptor, text, &arena), &findings);
    bool found = has_finding(&findings, path);
    findings_release(&findings);
    arena_release(&arena);
    return found;
}

struct probe {
    const struct schema_message *table;
    const struct schema_field *field;
    struct buffer text;
    size_t checked;
};

// The value stands as the member, or as the only entry of the list.
static void probe_value(struct probe *probe, const char *value, bool refused) {
    const char *name = probe->field->name;
    char *text = memory_printf(probe->field->list ? "{\"%s\":[%s]}" : "{\"%s\":%s}", name, value);
    char *path = memory_printf(probe->field->list ? "%s[0]" : "%s", name);
    if (form_refused(probe->table->descriptor, text, path) != refused) {
        print_error("%s %.200s: %s\n", probe->table->name, text, refused ? "not refused" : "refused");
        fail();
    }
    free(text);
    free(path);
    probe->checked++;
}

static void probe_number(struct probe *probe, double number, bool refused) {
    char text[40];
    snprintf(text, sizeof text, "%.0f", number);
    probe_value(probe, text, refused);
}

static void probe_length(struct probe *probe, size_t length, bool refused) {
    bool is_text = probe->field->form == FORM_STRING;
    struct buffer value;
    buffer_init(&value, BUFFER_UNLIMITED);
    buffer_putc(&value, '"');
    // As base64, n bytes are (n * 8 + 5) / 6 digits.
    for (size_t i = 0; i < (is_text ? length : (length * 8 + 5) / 6); i++)
        buffer_putc(&value, is_text ? 'a' : 'A');
    buffer_putc(&value, '"');
    probe_value(probe, buffer_string(&value), refused);
    buffer_release(&value);
}

static void probe_count(struct probe *probe, size_t count, bool refused) {
    struct buffer value;
    enum schema_form form = probe->field->form;
    const char *entry = "0";
    if (form == FORM_OBJECT) entry = "{}";
    if (form == FORM_STRING) entry = "\"\"";
    if (form == FORM_BOOL) entry = "true";
    buffer_init(&value, BUFFER_UNLIMITED);
    buffer_printf(&value, "{\"%s\":[", probe->field->name);
    for (size_t i = 0; i < count; i++) buffer_printf(&value, "%s%s", i > 0 ? "," : "", entry);
    buffer_puts(&value, "]}");
    const ProtobufCMessageDescriptor *descriptor = probe->table->descriptor;
    assert_int_equal(form_refused(descriptor, buffer_string(&value), probe->field->name), refused);
    buffer_release(&value);
    probe->checked++;
}

static void probe_rule(struct probe *probe, const struct schema_rule *rule) {
    switch (rule->kind) {
        case RULE_MAX_LEN:
            if (rule->number > 100000) return;  // larger than an object may be
            probe_length(probe, (size_t)rule->number, false);
            probe_length(probe, (size_t)rule->number + 1, true);
            break;
        case RULE_MIN_LEN:
            if (rule->number == 0) return;
            probe_length(probe, (size_t)rule->number, false);
            probe_length(probe, (size_t)rule->number - 1, true);
            break;
        case RULE_GTE:
            probe_number(probe, rule->number, false);
            probe_number(probe, rule->number - 1, true);
            break;
        case RULE_LTE:
            probe_number(probe, rule->number, false);
            probe_number(probe, rule->number + 1, true);
            break;
        case RULE_GT:
            probe_number(probe, rule->number + 1, false);
            probe_number(probe, rule->number, true);
            break;
        case RULE_DEFINED_ONLY:
            probe_number(probe, 200, true);
            break;
        case RULE_IN:
            probe_number(probe, rule->number, false);
            probe_number(probe, rule->number + 1, true);
            break;
        case RULE_MAX_ITEMS:
            probe_count(probe, (size_t)rule->number, false);
            probe_count(probe, (size_t)rule->number + 1, true);
            break;
        case RULE_MIN_ITEMS:
            probe_count(probe, (size_t)rule->number, false);
            probe_count(probe, (size_t)rule->number - 1, true);
            break;
        case RULE_REQUIRED:
            probe_value(probe, probe->field->form == FORM_TIMESTAMP ? "\"1970-01-01T00:00:00Z\"" : "{}",
                        false);
            probe_value(probe, "null", true);
            break;
        case RULE_PATTERN:
            probe_value(probe, "\"abc\"", false);
            probe_value(probe, "\"-abc\"", true);
            break;
        default:
            break;
    }
}

static bool has_rule(const struct schema_field *field, enum schema_rule_kind kind) {
    for (const struct schema_rule *rule = field->rules; rule->kind != RULE_END; rule++) {
        if (rule->kind == kind) return true;
    }
    return false;
}

// All rules that the schema knows of single values and lists.
static void test_rules_of_the_schema(void **state) {
    (void)state;
    struct probe probe = {0};
    for (size_t i = 0; i < schema_message_count; i++) {
        probe.table = &schema_messages[i];
        for (size_t j = 0; j < probe.table->field_count; j++) {
            probe.field = &probe.table->fields[j];
            if (probe.field->map || strstr(probe.table->name, "Entry") != NULL) continue;
            if (probe.field->enumeration != NULL && !has_rule(probe.field, RULE_IN)) {
                probe_number(&probe, 0, false);
            }
            for (const struct schema_rule *rule = probe.field->rules; rule->kind != RULE_END; rule++) {
                probe_rule(&probe, rule);
            }
        }
    }
    assert_true(probe.checked > 400);
}

// Lengths that JSON cannot get wrong.
static void test_lengths_of_bytes(void **state) {
    (void)state;
    static const struct {
        size_t size;
        bool refused;
    } rows[] = {{0, false}, {7, true}, {8, false}, {9, true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        DEVICE_AUTO device = {0};
        struct findings findings = {0};
        device_init(&device);
        device_set_bytes(&device, &device_ids(&device)->dev_eui, "123456789", rows[i].size);
        message_validate(&device.end_device->base, &findings);
        assert_int_equal(has_finding(&findings, "ids.dev_eui"), rows[i].refused);
        findings_release(&findings);
    }
}

static const struct {
    const ProtobufCMessageDescriptor *descriptor;
    const char *text;
    const char *path;
    bool refused;
} forms[] = {
    {DEVICE, "{\"attributes\":{\"a-b-c\":\"\"}}", "attributes.a-b-c", false},
    {DEVICE, "{\"attributes\":{\"A\":\"\"}}", "attributes.A", true},
    {DEVICE, "{\"attributes\":{\"a1\":\"\",\"a2\":\"\"}}", "attributes", false},
    {DEVICE,
     "{\"attributes\":{\"1\":\"\",\"2\":\"\",\"3\":\"\",\"4\":\"\",\"5\":\"\",\"6\":\"\",\"7\":\"\","
     "\"8\":\"\","
     "\"9\":\"\",\"10\":\"\",\"11\":\"\"}}",
     "attributes", true},
    {DEVICE, "{\"locations\":{\"user\":{\"latitude\":90,\"longitude\":180}}}", "locations.user.latitude",
     false},
    {DEVICE, "{\"locations\":{\"user\":{\"latitude\":90.001}}}", "locations.user.latitude", true},
    {DEVICE, "{\"locations\":{\"user\":{\"latitude\":\"NaN\"}}}", "locations.user.latitude", true},
    {DEVICE, "{\"locations\":{\"user\":{\"source\":99}}}", "locations.user.source", true},
    {DEVICE, "{\"locations\":{\"ab\":{}}}", "locations.ab", true},
    {DEVICE, "{\"battery_percentage\":1}", "battery_percentage", false},
    {DEVICE, "{\"battery_percentage\":1.01}", "battery_percentage", true},
    {DEVICE, "{\"serial_number\":\"\"}", "serial_number", false},
    {DEVICE, "{\"serial_number\":\"A1\"}", "serial_number", true},
    {DEVICE, "{\"provisioner_id\":\"\"}", "provisioner_id", false},
    {DEVICE, "{\"network_server_address\":\"eu1.cloud.thethings.network:8884\"}", "network_server_address",
     false},
    {DEVICE, "{\"network_server_address\":\"https://eu1.cloud.thethings.network\"}", "network_server_address",
     true},
    {DEVICE, "{\"mac_settings\":{\"rx2_frequency\":99999}}", "mac_settings.rx2_frequency", true},
    {DEVICE, "{\"mac_settings\":{\"rx2_frequency\":100000}}", "mac_settings.rx2_frequency", false},
    {DEVICE, "{\"mac_settings\":{\"ping_slot_frequency\":0}}", "mac_settings.ping_slot_frequency", false},
    {DEVICE, "{\"mac_settings\":{\"ping_slot_frequency\":1}}", "mac_settings.ping_slot_frequency", true},
    {DEVICE, "{\"mac_settings\":{\"adr\":{\"dynamic\":{\"min_nb_trans\":0}}}}",
     "mac_settings.adr.dynamic.min_nb_trans", true},
    {DEVICE, "{\"mac_settings\":{\"adr\":{\"dynamic\":{\"min_nb_trans\":3}}}}",
     "mac_settings.adr.dynamic.min_nb_trans", false},
    {DEVICE, "{\"mac_settings\":{\"rx1_delay\":16}}", "mac_settings.rx1_delay", true},
    {DEVICE, "{\"session\":{}}", "session.keys", true},
    {DEVICE, "{\"mac_state\":{}}", "mac_state.current_parameters", true},
    {DEVICE, "{\"mac_state\":{\"current_parameters\":{}}}", "mac_state.current_parameters.channels", true},
    {DEVICE, "{\"mac_state\":{\"current_parameters\":{}}}", "mac_state.current_parameters.rx2_frequency",
     true},
    {DEVICE, "{\"mac_state\":{\"rejected_data_rate_ranges\":{\"1\":{}}}}",
     "mac_state.rejected_data_rate_ranges.1.ranges", true},
    {DEVICE, "{\"mac_state\":{\"queued_responses\":[{\"reset_ind\":{\"minor_version\":2}}]}}",
     "mac_state.queued_responses[0].reset_ind.minor_version", true},
    {DEVICE, "{\"mac_state\":{\"queued_responses\":[{\"reset_ind\":{\"minor_version\":1}}]}}",
     "mac_state.queued_responses[0].reset_ind.minor_version", false},
    {&tts__gateway__descriptor, "{\"target_cups_uri\":\"https://a:443\"}", "target_cups_uri", false},
    {&tts__gateway__descriptor, "{\"target_cups_uri\":\"a:\"}", "target_cups_uri", true},
    {&tts__gateway__descriptor, "{\"gateway_server_address\":\"mqtt://a\"}", "gateway_server_address", false},
    {DEVICE, "{\"picture\":{\"sizes\":{\"64\":\"a b\"}}}", "picture.sizes.64", true},
    {DEVICE, "{\"picture\":{\"sizes\":{\"64\":\"/a/b.png\"}}}", "picture.sizes.64", false},
};

static void test_forms(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (form_refused(forms[i].descriptor, forms[i].text, forms[i].path) != forms[i].refused) {
            print_error("%s\n", forms[i].text);
            fail();
        }
    }
}

static void test_values_out_of_range_of_texts(void **state) {
    (void)state;
    DEVICE_AUTO device = {0};
    struct findings findings = {0};
    device_init(&device);
    device_set_time(&device, &device.end_device->created_at, 0);
    device.end_device->created_at->seconds = INT64_MAX;
    device_set_text(&device, &device.end_device->name, "a\xff");
    message_validate(&device.end_device->base, &findings);
    assert_true(has_finding(&findings, "created_at"));
    assert_true(has_finding(&findings, "name"));
    findings_release(&findings);
}

// Devices that every server takes.
#define IDS "\"ids\":{\"device_id\":\"my-device\",\"application_ids\":{\"application_id\":\"my-app\"},"
#define VERSIONS                                                                                             \
    "\"lorawan_version\":\"MAC_V1_0_3\",\"lorawan_phy_version\":\"PHY_V1_0_3_REV_A\",\"frequency_plan_id\":" \
    "\"EU_863_870_TTN\","
#define EUIS "\"dev_eui\":\"0102030405060708\",\"join_eui\":\"0807060504030201\"},"
#define PARAMETERS                                                                                           \
    "{\"max_eirp\":16,\"rx2_frequency\":\"869525000\",\"channels\":[{\"downlink_frequency\":\"868100000\"}]" \
    "}"
#define STATE                                                                                 \
    "\"mac_state\":{\"current_parameters\":" PARAMETERS ",\"desired_parameters\":" PARAMETERS \
    ",\"device_class\":\"CLASS_C\",\"lorawan_version\":\"MAC_V1_0_3\"}"

static const char otaa[] =
    "{" IDS EUIS VERSIONS "\"supports_join\":true,\"root_keys\":{\"app_key\":{\"key\":" KEY_1 "}}}";
static const char joined[] =
    "{" IDS EUIS VERSIONS
    "\"supports_join\":true,\"session\":{\"dev_addr\":\"26011234\",\"keys\":{\"session_key_id\":"
    "\"AAE=\",\"f_nwk_s_int_key\":{\"key\":" KEY_1 "},\"app_s_key\":{\"key\":" KEY_2 "}}}," STATE "}";
static const char abp[] =
    "{" IDS "\"dev_addr\":\"26011234\"}," VERSIONS
    "\"session\":{\"dev_addr\":\"26011234\",\"keys\":{\"f_nwk_s_int_key\":{\"key\":" KEY_1
    "},\"app_s_key\":{\"key\":" KEY_2 "}}}," STATE "}";
static const char multicast[] =
    "{" IDS "\"dev_addr\":\"26011234\"}," VERSIONS
    "\"multicast\":true,\"supports_class_c\":true,\"session\":{\"dev_addr\":\"26011234\",\"keys\":{"
    "\"f_nwk_s_int_key\":{\"key\":" KEY_1 "},\"app_s_key\":{\"key\":" KEY_2 "}}}," STATE "}";

// The device with the patch laid over it; null takes a member away.
static void device_patched(struct device *device, const char *base, const char *patch) {
    json_t *json = json_loads(base, 0, NULL);
    json_t *over = json_loads(patch, 0, NULL);
    assert_non_null(json);
    if (over == NULL) print_error("%s\n", patch);
    assert_non_null(over);
    assert_int_equal(json_object_update_recursive(json, over), 0);
    char *text = json_dumps(json, JSON_COMPACT);
    device_init(device);
    device->end_device = message_of(DEVICE, text, &device->arena);
    free(text);
    json_decref(json);
    json_decref(over);
}

static const struct {
    const char *base;
    const char *patch;
    const char *path;  // NULL: every server takes it
} devices[] = {
    {otaa, "{}", NULL},
    {joined, "{}", NULL},
    {abp, "{}", NULL},
    {multicast, "{}", NULL},
    // Identity Server
    {otaa, "{\"ids\":{\"device_id\":\"admin\"}}", "ids.device_id"},
    {otaa, "{\"ids\":{\"device_id\":\"ab\"}}", "ids.device_id"},
    {otaa, "{\"ids\":{\"application_ids\":null}}", "ids.application_ids"},
    // Plan and versions
    {otaa, "{\"frequency_plan_id\":null}", "frequency_plan_id"},
    {otaa, "{\"frequency_plan_id\":\"EU_863_870_TTM\"}", "frequency_plan_id"},
    {otaa, "{\"lorawan_version\":null}", "lorawan_version"},
    {otaa, "{\"lorawan_phy_version\":null}", "lorawan_phy_version"},
    {otaa, "{\"frequency_plan_id\":\"AS_920_923\",\"lorawan_phy_version\":\"PHY_V1_0\"}",
     "lorawan_phy_version"},
    {otaa, "{\"version_ids\":{\"band_id\":\"EU_863_870\"}}", NULL},
    {otaa, "{\"version_ids\":{\"band_id\":\"\"}}", NULL},
    {otaa, "{\"version_ids\":{\"band_id\":\"US_902_928\"}}", "version_ids.band_id"},
    // Joining devices
    {otaa, "{\"ids\":{\"dev_eui\":null}}", "ids.dev_eui"},
    {otaa, "{\"ids\":{\"join_eui\":null}}", "ids.join_eui"},
    {otaa, "{\"ids\":{\"join_eui\":\"0000000000000000\"}}", NULL},
    {otaa, "{\"ids\":{\"dev_eui\":\"0000000000000000\"}}", "ids.dev_eui"},
    {otaa, "{\"multicast\":true}", "multicast"},
    {otaa, "{\"root_keys\":{\"app_key\":{\"key\":" ZERO "}}}", "root_keys.app_key.key"},
    {otaa, "{\"root_keys\":{\"app_key\":{\"key\":null,\"encrypted_key\":\"AAE=\"}}}", NULL},
    {otaa, "{\"root_keys\":null}", NULL},
    {joined, "{\"session\":{\"keys\":{\"session_key_id\":null}}}", "session.keys.session_key_id"},
    {joined, "{\"session\":null}", "session"},
    {joined, "{\"session\":null,\"mac_state\":null}", NULL},
    {joined, "{\"mac_state\":null}", NULL},
    // ABP devices
    {abp, "{\"session\":null,\"mac_state\":null,\"ids\":{\"dev_addr\":null}}", "session"},
    {abp, "{\"session\":{\"keys\":{\"session_key_id\":\"AAE=\"}}}", "session.keys.session_key_id"},
    {abp, "{\"pending_session\":{\"keys\":{}}}", "pending_session"},
    {abp, "{\"pending_mac_state\":{}}", "pending_mac_state"},
    {abp, "{\"lorawan_version\":\"MAC_V1_0_4\"}", "ids.dev_eui"},
    {abp, "{\"lorawan_version\":\"MAC_V1_1\"}", "ids.dev_eui"},
    {abp, "{\"lorawan_version\":\"MAC_V1_0_4\",\"ids\":{\"dev_eui\":\"0102030405060708\"}}", NULL},
    {abp, "{\"supports_class_b\":true}", "mac_settings.ping_slot_periodicity"},
    {abp, "{\"supports_class_b\":true,\"mac_settings\":{\"ping_slot_periodicity\":\"1S\"}}", NULL},
    {abp, "{\"ids\":{\"dev_addr\":\"26011235\"}}", "ids.dev_addr"},
    {abp, "{\"ids\":{\"dev_addr\":null}}", NULL},
    {otaa, "{\"ids\":{\"dev_addr\":\"26011235\"}}", "ids.dev_addr"},
    // Sessions
    {abp, "{\"session\":{\"dev_addr\":\"00000000\"},\"ids\":{\"dev_addr\":null}}", "session.dev_addr"},
    {abp, "{\"session\":{\"dev_addr\":null},\"ids\":{\"dev_addr\":null}}", "session.dev_addr"},
    {abp, "{\"session\":{\"keys\":null}}", "session.keys"},
    {abp, "{\"session\":{\"keys\":{\"f_nwk_s_int_key\":null}}}", "session.keys.f_nwk_s_int_key.key"},
    {abp, "{\"session\":{\"keys\":{\"f_nwk_s_int_key\":{\"key\":" ZERO "}}}}",
     "session.keys.f_nwk_s_int_key.key"},
    {abp, "{\"session\":{\"keys\":{\"app_s_key\":{\"key\":" ZERO "}}}}", "session.keys.app_s_key.key"},
    {abp, "{\"session\":{\"keys\":{\"app_s_key\":null}}}", NULL},
    {abp,
     "{\"session\":{\"keys\":{\"s_nwk_s_int_key\":{\"key\":" KEY_1 "},\"nwk_s_enc_key\":{\"key\":" KEY_1
     "}}}}",
     NULL},
    {abp, "{\"session\":{\"keys\":{\"s_nwk_s_int_key\":{\"key\":" KEY_2 "}}}}",
     "session.keys.s_nwk_s_int_key.key"},
    {abp, "{\"session\":{\"keys\":{\"nwk_s_enc_key\":{\"key\":" KEY_2 "}}}}",
     "session.keys.nwk_s_enc_key.key"},
    {joined, "{\"lorawan_version\":\"MAC_V1_1\"}", "session.keys.nwk_s_enc_key.key"},
    {joined,
     "{\"lorawan_version\":\"MAC_V1_1\",\"session\":{\"keys\":{\"s_nwk_s_int_key\":{\"key\":" KEY_2
     "},\"nwk_s_enc_key\":{\"key\":" ZERO "}}}}",
     "session.keys.nwk_s_enc_key.key"},
    {joined,
     "{\"lorawan_version\":\"MAC_V1_1\",\"session\":{\"keys\":{\"s_nwk_s_int_key\":{\"key\":" KEY_2
     "},\"nwk_s_enc_key\":{\"key\":" KEY_2 "}}}}",
     NULL},
    {joined,
     "{\"pending_session\":{\"dev_addr\":\"26011234\",\"keys\":{\"session_key_id\":\"AAE=\",\"f_nwk_s_int_"
     "key\":"
     "{\"key\":" KEY_1 "},\"s_nwk_s_int_key\":{\"key\":" KEY_1 "},\"nwk_s_enc_key\":{\"key\":" KEY_1 "}}}}",
     NULL},
    {joined,
     "{\"pending_session\":{\"dev_addr\":\"26011234\",\"keys\":{\"f_nwk_s_int_key\":{\"key\":" KEY_1 "}}}}",
     "pending_session.keys.session_key_id"},
    {joined,
     "{\"pending_session\":{\"dev_addr\":\"26011234\",\"keys\":{\"f_nwk_s_int_key\":{\"key\":" KEY_1 "}}}}",
     "pending_session.keys.s_nwk_s_int_key.key"},
    // Multicast
    {multicast, "{\"supports_class_c\":false}", "multicast"},
    {multicast, "{\"mac_state\":{\"device_class\":\"CLASS_A\"}}", "mac_state.device_class"},
    // MAC state and band
    {joined, "{\"mac_state\":{\"lorawan_version\":null}}", "mac_state.lorawan_version"},
    {joined, "{\"mac_state\":{\"current_parameters\":{\"adr_data_rate_index\":5}}}", NULL},
    {joined, "{\"mac_state\":{\"current_parameters\":{\"adr_data_rate_index\":14}}}",
     "mac_state.current_parameters.adr_data_rate_index"},
    {joined, "{\"mac_state\":{\"desired_parameters\":{\"adr_tx_power_index\":7}}}", NULL},
    {joined, "{\"mac_state\":{\"desired_parameters\":{\"adr_tx_power_index\":8}}}",
     "mac_state.desired_parameters.adr_tx_power_index"},
    {joined, "{\"mac_state\":{\"current_parameters\":{\"rx2_data_rate_index\":14}}}",
     "mac_state.current_parameters.rx2_data_rate_index"},
    {joined, "{\"mac_state\":{\"current_parameters\":{\"ping_slot_data_rate_index_value\":14}}}",
     "mac_state.current_parameters.ping_slot_data_rate_index_value"},
    {joined, "{\"mac_state\":{\"current_parameters\":{\"uplink_dwell_time\":false}}}",
     "mac_state.current_parameters.uplink_dwell_time"},
    {otaa, "{\"mac_settings\":{\"rx2_data_rate_index\":3}}", NULL},
    {otaa, "{\"mac_settings\":{\"rx2_data_rate_index\":14}}", "mac_settings.rx2_data_rate_index"},
    {otaa, "{\"mac_settings\":{\"desired_rx2_data_rate_index\":14}}",
     "mac_settings.desired_rx2_data_rate_index"},
    {otaa, "{\"mac_settings\":{\"ping_slot_data_rate_index\":14}}", "mac_settings.ping_slot_data_rate_index"},
    {otaa, "{\"mac_settings\":{\"uplink_dwell_time\":true}}", "mac_settings.uplink_dwell_time"},
    {otaa, "{\"mac_settings\":{\"downlink_dwell_time\":true},\"frequency_plan_id\":\"AS_920_923\"}", NULL},
    {otaa, "{\"mac_settings\":{\"factory_preset_frequencies\":[\"868100000\"]}}", NULL},
    {otaa, "{\"mac_settings\":{\"factory_preset_frequencies\":[\"868100000\",\"915000000\"]}}",
     "mac_settings.factory_preset_frequencies[1]"},
    {otaa,
     "{\"frequency_plan_id\":\"US_902_928_FSB_2\",\"mac_settings\":{\"factory_preset_frequencies\":"
     "[\"903900000\"]}}",
     NULL},
    {otaa,
     "{\"frequency_plan_id\":\"US_902_928_FSB_2\",\"mac_settings\":{\"factory_preset_frequencies\":"
     "[\"903900001\"]}}",
     "mac_settings.factory_preset_frequencies[0]"},
    {otaa, "{\"mac_settings\":{\"use_adr\":true}}", NULL},
    {otaa, "{\"mac_settings\":{\"adr\":{\"static\":{\"data_rate_index\":5,\"nb_trans\":1}}}}", NULL},
    {otaa, "{\"mac_settings\":{\"adr\":{\"static\":{\"data_rate_index\":14,\"nb_trans\":1}}}}",
     "mac_settings.adr.static.data_rate_index"},
    {otaa, "{\"mac_settings\":{\"adr\":{\"static\":{\"tx_power_index\":15,\"nb_trans\":1}}}}",
     "mac_settings.adr.static.tx_power_index"},
    {otaa, "{\"mac_settings\":{\"adr\":{\"dynamic\":{\"min_data_rate_index\":1,\"max_data_rate_index\":5}}}}",
     NULL},
    {otaa, "{\"mac_settings\":{\"adr\":{\"dynamic\":{\"min_data_rate_index\":2,\"max_data_rate_index\":1}}}}",
     "mac_settings.adr.dynamic.min_data_rate_index"},
    {otaa, "{\"mac_settings\":{\"adr\":{\"dynamic\":{\"max_data_rate_index\":14}}}}",
     "mac_settings.adr.dynamic.max_data_rate_index"},
    {otaa, "{\"mac_settings\":{\"adr\":{\"dynamic\":{\"max_tx_power_index\":15}}}}",
     "mac_settings.adr.dynamic.max_tx_power_index"},
    {otaa, "{\"mac_settings\":{\"adr\":{\"dynamic\":{\"min_nb_trans\":3,\"max_nb_trans\":2}}}}",
     "mac_settings.adr.dynamic.min_nb_trans"},
    {otaa, "{\"supports_class_b\":true}", NULL},
};

static void test_devices(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++) {
        struct device device;
        struct findings findings = {0};
        device_patched(&device, devices[i].base, devices[i].patch);
        device_validate_all(&device, frequency_plans_builtin(), &findings);
        bool right = devices[i].path == NULL ? findings.count == 0 : has_finding(&findings, devices[i].path);
        if (!right) {
            print_error("row %zu: %s\n", i, devices[i].patch);
            for (size_t j = 0; j < findings.count; j++) {
                print_error("    %s: %s\n", findings.items[j].path, findings.items[j].text);
            }
        }
        assert_true(right);
        findings_release(&findings);
        device_release(&device);
    }
}

static void test_long_formatter(void **state) {
    (void)state;
    static const struct {
        size_t size;
        bool refused;
    } rows[] = {{40960, false}, {40962, true}};
    for (size_t i = 0; i < 2; i++) {
        struct device device;
        struct findings findings = {0};
        device_patched(&device, otaa, "{\"formatters\":{\"up_formatter\":\"JAVASCRIPT\"}}");
        // Two bytes each, so that it is short in characters.
        char *text = arena_alloc(&device.arena, rows[i].size + 1, 1);
        for (size_t j = 0; j < rows[i].size; j += 2) memcpy(text + j, "\xc3\xb6", 2);
        device.end_device->formatters->up_formatter_parameter = text;
        device_validate_all(&device, frequency_plans_builtin(), &findings);
        assert_int_equal(has_finding(&findings, "formatters.up_formatter_parameter"), rows[i].refused);
        findings_release(&findings);
        device_release(&device);
    }
}

static void test_as_an_error(void **state) {
    (void)state;
    struct device device;
    struct error error = {0};
    device_patched(&device, otaa, "{}");
    assert_int_equal(device_validate(&device, frequency_plans_builtin(), &error), 0);
    device_release(&device);
    device_patched(
        &device, otaa,
        "{\"ids\":{\"device_id\":\"admin\",\"join_eui\":null},\"frequency_plan_id\":\"EU_863_870_TTM\","
        "\"root_keys\":{\"app_key\":{\"key\":" ZERO "}}}");
    assert_int_equal(device_validate(&device, frequency_plans_builtin(), &error), -ERROR_DEVICE);
    assert_non_null(strstr(error.message, "ids.device_id: the word is reserved"));
    assert_non_null(strstr(error.message, "and 1 more"));
    error_release(&error);
    device_release(&device);
}

// An empty device has findings and nothing else; so has one whose every message is there but empty.
static void test_empty_devices(void **state) {
    (void)state;
    DEVICE_AUTO device = {0};
    struct findings findings = {0};
    device_init(&device);
    device_validate_all(&device, frequency_plans_builtin(), &findings);
    assert_true(findings.count > 0);
    findings_release(&findings);
    device.end_device =
        message_of(DEVICE,
                   "{\"ids\":{\"application_ids\":{}},\"version_ids\":{},\"root_keys\":{\"app_key\":{}},"
                   "\"mac_settings\":{\"adr\":{\"static\":{}}},\"mac_state\":{\"current_parameters\":{}},"
                   "\"session\":{\"keys\":{\"app_s_key\":{}}},\"pending_session\":{},"
                   "\"pending_mac_state\":{},\"formatters\":{},\"frequency_plan_id\":\"EU_863_870\","
                   "\"lorawan_phy_version\":99,\"lorawan_version\":99,\"multicast\":true}",
                   &device.arena);
    device_validate_all(&device, frequency_plans_builtin(), &findings);
    assert_true(findings.count > 0);
    findings_release(&findings);
}

// Channels of another region than the plan's are taken by The Things Stack: they are told.
static void test_channels_of_another_region(void **state) {
    (void)state;
    static const struct {
        const char *plan;
        size_t notes;
    } cases[] = {{"EU_863_870", 1}, {"AS_923", 0}, {"NOWHERE", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        DEVICE_AUTO device = {0};
        device_init(&device);
        char *text = memory_printf(
            "{\"frequency_plan_id\":\"%s\",\"lorawan_version\":\"MAC_V1_0_3\",\"lorawan_phy_version\":\"PHY_"
            "V1_0_3_REV_A\","
            "\"session\":{},\"mac_state\":{\"current_parameters\":{\"channels\":[{\"uplink_frequency\":"
            "\"923200000\"},"
            "{\"uplink_frequency\":\"923400000\"},{}]}}}",
            cases[i].plan);
        device.end_device = message_of(DEVICE, text, &device.arena);
        device_note_band(&device, frequency_plans_builtin());
        assert_int_equal(device.notes.count, cases[i].notes);
        if (cases[i].notes > 0)
            assert_non_null(strstr(device.notes.items[0].text, "2 of 2 are outside the band EU_863_870"));
        free(text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules_of_the_schema),
        cmocka_unit_test(test_lengths_of_bytes),
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_values_out_of_range_of_texts),
        cmocka_unit_test(test_devices),
        cmocka_unit_test(test_long_formatter),
        cmocka_unit_test(test_as_an_error),
        cmocka_unit_test(test_empty_devices),
        cmocka_unit_test(test_channels_of_another_region),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
