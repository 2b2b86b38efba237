// SPDX-License-Identifier: Apache-2.0
// The rules of the form: those that stand in the schema.
#include "device/validate.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/rfc3339.h"
#include "base/utf8.h"
#include "device/pattern.h"
#include "device/validate_p.h"
#include "device/value_p.h"
#include "google.pb-c.h"

void findings_add(struct findings *findings, const char *path, const char *format, ...) {
    if (findings->count == FINDINGS_MAX) return;
    findings->items = memory_resize(findings->items, findings->count + 1, sizeof findings->items[0]);
    va_list args;
    va_start(args, format);
    findings->items[findings->count++] =
        (struct finding){.path = memory_strdup(path), .text = memory_vprintf(format, args)};
    va_end(args);
}

void findings_release(struct findings *findings) {
    for (size_t i = 0; i < findings->count; i++) {
        free(findings->items[i].path);
        free(findings->items[i].text);
    }
    free(findings->items);
    *findings = (struct findings){0};
}

static void check_message(struct findings *findings, const struct schema_message *table,
                          const ProtobufCMessage *message, const struct path *path);

__attribute__((format(printf, 3, 4))) static void find_at(struct findings *findings, const struct path *path,
                                                          const char *format, ...) {
    if (findings->count == FINDINGS_MAX) return;
    va_list args;
    va_start(args, format);
    char *text MEMORY_AUTO = memory_vprintf(format, args);
    va_end(args);
    char *where MEMORY_AUTO = path_string(path);
    findings_add(findings, where, "%s", text);
}

static const struct schema_rule *rule_find(const struct schema_rule *rules, enum schema_rule_kind kind) {
    for (; rules->kind != RULE_END; rules++) {
        if (rules->kind == kind) return rules;
    }
    return NULL;
}

static void check_length(struct findings *findings, const struct schema_rule *rule, size_t length,
                         const char *unit, const struct path *path) {
    size_t limit = (size_t)rule->number;
    if (rule->kind == RULE_LEN && length != limit) {
        find_at(findings, path, "%zu %s long instead of %zu", length, unit, limit);
    } else if (rule->kind == RULE_MAX_LEN && length > limit) {
        find_at(findings, path, "%zu %s long, at most %zu are taken", length, unit, limit);
    } else if (rule->kind == RULE_MIN_LEN && length < limit) {
        find_at(findings, path, "%zu %s long, at least %zu are needed", length, unit, limit);
    }
}

static void check_text(struct findings *findings, const struct schema_rule *rules, const char *text,
                       const struct path *path) {
    size_t size = strlen(text);
    if (!utf8_valid(text, size)) find_at(findings, path, "is not UTF-8");
    if (size == 0 && rule_find(rules, RULE_IGNORE_EMPTY) != NULL) return;
    for (const struct schema_rule *rule = rules; rule->kind != RULE_END; rule++) {
        enum schema_pattern pattern = (enum schema_pattern)rule->number;
        check_length(findings, rule, utf8_length(text, size), "characters", path);
        if (rule->kind == RULE_PATTERN && !pattern_matches(pattern, text)) {
            find_at(findings, path, size == 0 ? "is missing: %s" : "is not %s", pattern_text(pattern));
        } else if (rule->kind == RULE_URI && !pattern_is_uri(text)) {
            find_at(findings, path, "is not an absolute URI");
        } else if (rule->kind == RULE_URI_REF && !pattern_is_uri_ref(text)) {
            find_at(findings, path, "is not a URI");
        }
    }
}

static void check_bytes(struct findings *findings, const struct schema_rule *rules,
                        const ProtobufCBinaryData *bytes, const struct path *path) {
    if (bytes->len == 0 && rule_find(rules, RULE_IGNORE_EMPTY) != NULL) return;
    for (; rules->kind != RULE_END; rules++) check_length(findings, rules, bytes->len, "bytes", path);
}

// 32-bit numbers are exact in a double, and frequencies are far below 2^53.
static double number_of(enum schema_form form, const void *value) {
    switch (form) {
        case FORM_INT32:
        case FORM_ENUM_NAME:
        case FORM_ENUM_NUMBER:
            return value_int32(value);
        case FORM_INT64:
            return (double)(int64_t)value_uint64(value);
        case FORM_UINT64:
            return (double)value_uint64(value);
        case FORM_FLOAT:
            return (double)value_float(value);
        case FORM_DOUBLE:
            return value_double(value);
        default:
            return value_uint32(value);
    }
}

static void check_number(struct findings *findings, const struct schema_rule *rules, double number,
                         const struct path *path) {
    const struct schema_rule *gte = rule_find(rules, RULE_GTE);
    const struct schema_rule *lte = rule_find(rules, RULE_LTE);
    const struct schema_rule *gt = rule_find(rules, RULE_GT);
    const struct schema_rule *in = rule_find(rules, RULE_IN);
    // Asked in a way that NaN does not pass.
    bool above = gte == NULL || number >= gte->number;
    bool below = lte == NULL || number <= lte->number;
    if (gte != NULL && lte != NULL && gte->number > lte->number) {
        if (!above && !below) {
            find_at(findings, path, "is %g, must be %g or at least %g", number, lte->number, gte->number);
        }
    } else if (!above) {
        find_at(findings, path, "is %g, must be at least %g", number, gte->number);
    } else if (!below) {
        find_at(findings, path, "is %g, must be at most %g", number, lte->number);
    }
    if (gt != NULL && !(number > gt->number)) {
        find_at(findings, path, "is %g, must be above %g", number, gt->number);
    }
    if (in != NULL && number != in->number) {
        find_at(findings, path, "is %g, must be %g", number, in->number);
    }
}

static void check_value(struct findings *findings, const struct schema_field *field, const void *value,
                        const struct path *path);

static void check_time(struct findings *findings, const ProtobufCMessage *message, const struct path *path) {
    const Google__Timestamp *time = (const Google__Timestamp *)(const void *)message;
    char text[RFC3339_TEXT_SIZE];
    if (rfc3339_format(text, time->seconds, time->nanos) == 0) find_at(findings, path, "is no valid time");
}

static void check_inner(struct findings *findings, const struct schema_field *field,
                        const ProtobufCMessage *message, const struct path *path) {
    if (message == NULL) return;
    if (field->form == FORM_BARE) {
        const struct schema_field *inner = &field->message->fields[0];
        const void *value = member_at(message, schema_place(field->message, inner));
        // The rules may stand at the wrapper's value or, for those that are not The Things Stack's own, at
        // the member that uses it.
        check_value(findings, inner, value, path);
        if (!form_is_message(inner->form)) {
            check_number(findings, field->rules, number_of(inner->form, value), path);
        }
    } else if (field->form == FORM_TIMESTAMP) {
        check_time(findings, message, path);
    } else if (field->form == FORM_OBJECT) {
        check_message(findings, field->message, message, path);
    }
}

static void check_value(struct findings *findings, const struct schema_field *field, const void *value,
                        const struct path *path) {
    const struct schema_rule *rules = field->rules;
    if (form_is_message(field->form)) {
        check_inner(findings, field, value_message(value), path);
    } else if (field->form == FORM_STRING) {
        check_text(findings, rules, value_text(value), path);
    } else if (field->form == FORM_HEX || field->form == FORM_BASE64) {
        ProtobufCBinaryData bytes = value_bytes(value);
        check_bytes(findings, rules, &bytes, path);
    } else {
        bool is_enum = field->form == FORM_ENUM_NAME || field->form == FORM_ENUM_NUMBER;
        if (is_enum && rule_find(rules, RULE_DEFINED_ONLY) != NULL &&
            schema_enum_name(field->enumeration, value_int32(value)) == NULL) {
            find_at(findings, path, "%d is no value of %s", value_int32(value), field->enumeration->name);
        }
        check_number(findings, rules, number_of(field->form, value), path);
    }
}

static void check_count(struct findings *findings, const struct schema_rule *rules, size_t count,
                        const struct path *path) {
    for (; rules->kind != RULE_END; rules++) {
        size_t limit = (size_t)rules->number;
        if ((rules->kind == RULE_MAX_ITEMS || rules->kind == RULE_MAX_PAIRS) && count > limit) {
            find_at(findings, path, "has %zu entries, at most %zu are taken", count, limit);
        } else if (rules->kind == RULE_MIN_ITEMS && count < limit) {
            find_at(findings, path, "has %zu entries, at least %zu are needed", count, limit);
        }
    }
}

static void check_entry(struct findings *findings, const struct schema_message *table,
                        const ProtobufCMessage *entry, const struct path *path) {
    char number[24];
    const void *key = member_at(entry, schema_place(table, &table->fields[0]));
    struct path step = {.parent = path, .name = number};
    if (table->fields[0].form == FORM_STRING) {
        step.name = value_text(key);
    } else {
        snprintf(number, sizeof number, "%.0f", number_of(table->fields[0].form, key));
    }
    check_value(findings, &table->fields[0], key, &step);
    check_value(findings, &table->fields[1], member_at(entry, schema_place(table, &table->fields[1])), &step);
}

static void check_list(struct findings *findings, const struct schema_field *field,
                       const ProtobufCMessage *message, const ProtobufCFieldDescriptor *place,
                       const struct path *path) {
    size_t count = list_count(message, place);
    const char *values = value_pointer(member_at(message, place));
    check_count(findings, field->rules, count, path);
    for (size_t i = 0; i < count && findings->count < FINDINGS_MAX; i++) {
        struct path step = {.parent = path, .index = i};
        const void *value = values + i * value_size(field->form);
        if (field->map) {
            check_entry(findings, field->message, value_message(value), path);
        } else {
            check_value(findings, field, value, &step);
        }
    }
}

static void check_message(struct findings *findings, const struct schema_message *table,
                          const ProtobufCMessage *message, const struct path *path) {
    for (size_t i = 0; i < table->field_count; i++) {
        const struct schema_field *field = &table->fields[i];
        const ProtobufCFieldDescriptor *place = schema_place(table, field);
        struct path step = {.parent = path, .name = field->name};
        if (rule_find(field->rules, RULE_REQUIRED) != NULL && !member_is_set(message, field, place)) {
            find_at(findings, &step, "is missing");
        }
        if (field->list) {
            check_list(findings, field, message, place, &step);
        } else if (!place_in_oneof(place) || oneof_is_set(message, place)) {
            check_value(findings, field, member_at(message, place), &step);
        }
    }
}

void message_validate(const ProtobufCMessage *message, struct findings *findings) {
    check_message(findings, schema_of(message), message, NULL);
}

void device_validate_all(const struct device *device, const struct frequency_plans *plans,
                         struct findings *findings) {
    const Tts__EndDevice *message = device->end_device;
    struct check check = {.device = message, .plans = plans, .findings = findings};
    check.plan = frequency_plans_find(plans, message->frequency_plan_id);
    int version = (int)message->lorawan_phy_version;
    if (check.plan != NULL && version > PHY_UNKNOWN && version < PHY_VERSION_COUNT) {
        check.band = band_find(check.plan->band_id, (enum phy_version)version);
    }
    message_validate(&message->base, findings);
    check_identity_server(&check);
    check_network_server(&check);
    check_sessions(&check);
    if (check.band != NULL) check_band(&check);
    check_join_server(&check);
    check_application_server(&check);
}

int device_validate(const struct device *device, const struct frequency_plans *plans, struct error *error) {
    FINDINGS_AUTO findings = {0};
    device_validate_all(device, plans, &findings);
    if (findings.count == 0) return 0;
    enum { SHOWN = 3 };
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    for (size_t i = 0; i < findings.count && i < SHOWN; i++) {
        buffer_printf(&text, "%s%s: %s", i == 0 ? "" : "; ", findings.items[i].path, findings.items[i].text);
    }
    if (findings.count > SHOWN) buffer_printf(&text, "; and %zu more", findings.count - SHOWN);
    return error_set(error, ERROR_DEVICE, "The Things Stack would refuse the device: %s",
                     buffer_string(&text));
}
