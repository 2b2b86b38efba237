// SPDX-License-Identifier: Apache-2.0
// Single values from JSON: numbers as numbers or text, bytes as hex or base64, enums by any of their names.
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/duration.h"
#include "base/hex.h"
#include "base/rfc3339.h"
#include "device/json_read_p.h"
#include "device/json_scan_p.h"
#include "device/message.h"
#include "device/value_p.h"
#include "google.pb-c.h"

// An integer and its sign, apart, so that all of int64 and uint64 have room.
struct whole {
    uint64_t magnitude;
    bool negative;
};

static bool whole_from_text(const char *text, size_t size, struct whole *ret) {
    struct whole whole = {0};
    if (size > 0 && text[0] == '-') {
        whole.negative = true;
        text++;
        size--;
    }
    if (size == 0 || size > 20) return false;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
        if (__builtin_mul_overflow(whole.magnitude, 10, &whole.magnitude)) return false;
        if (__builtin_add_overflow(whole.magnitude, (uint64_t)(text[i] - '0'), &whole.magnitude))
            return false;
    }
    *ret = whole;
    return true;
}

// A double tells all whole numbers below 2^53 apart; beyond that the digits in the text count.
static bool whole_from_real(struct json_reader *reader, double number, const struct path *path,
                            struct whole *ret) {
    struct json_place place;
    if (fabs(number) < 9007199254740992.0) {
        if (number != trunc(number)) return false;
        *ret = (struct whole){.magnitude = (uint64_t)fabs(number), .negative = number < 0};
        return true;
    }
    if (reader->searches == 0) return false;
    reader->searches--;
    return json_scan_find(reader->text, reader->size, path, &place) &&
           whole_from_text(place.text, place.size, ret);
}

static bool whole_from_json(struct json_reader *reader, const json_t *json, const struct path *path,
                            struct whole *ret) {
    if (json_is_integer(json)) {
        json_int_t number = json_integer_value(json);
        *ret = (struct whole){.magnitude = number < 0 ? -(uint64_t)number : (uint64_t)number,
                              .negative = number < 0};
        return true;
    }
    if (json_is_string(json)) return whole_from_text(json_string_value(json), json_string_length(json), ret);
    return json_is_real(json) && whole_from_real(reader, json_real_value(json), path, ret);
}

static int read_whole(struct json_reader *reader, enum schema_form form, const json_t *json, void *to,
                      const struct path *path) {
    struct whole whole;
    bool is_signed = form == FORM_INT32 || form == FORM_INT64;
    bool is_wide = form == FORM_INT64 || form == FORM_UINT64;
    if (!whole_from_json(reader, json, path, &whole)) {
        return reader_fail(reader, path, "a whole number is expected");
    }
    uint64_t most = is_wide ? UINT64_MAX : UINT32_MAX;
    if (is_signed) most = most / 2 + (whole.negative ? 1 : 0);
    if (whole.magnitude > most || (whole.negative && !is_signed && whole.magnitude > 0)) {
        return reader_fail(reader, path, "the number is out of range");
    }
    uint64_t bits = whole.negative ? -whole.magnitude : whole.magnitude;
    uint32_t narrow = (uint32_t)bits;
    if (is_wide) {
        memcpy(to, &bits, sizeof bits);
    } else {
        memcpy(to, &narrow, sizeof narrow);
    }
    return 0;
}

static bool real_from_text(const char *text, double *ret) {
    char *end;
    if (strcmp(text, "NaN") == 0) {
        *ret = NAN;
    } else if (strcmp(text, "Infinity") == 0) {
        *ret = INFINITY;
    } else if (strcmp(text, "-Infinity") == 0) {
        *ret = -INFINITY;
    } else {
        if (text[0] == '\0' || strspn(text, "0123456789+-.eE") != strlen(text)) return false;
        *ret = strtod(text, &end);
        return *end == '\0' && isfinite(*ret);
    }
    return true;
}

static int read_real(struct json_reader *reader, enum schema_form form, const json_t *json, void *to,
                     const struct path *path) {
    double number;
    if (json_is_number(json)) {
        number = json_number_value(json);
    } else if (!json_is_string(json) || !real_from_text(json_string_value(json), &number)) {
        return reader_fail(reader, path, "a number is expected");
    }
    if (form == FORM_DOUBLE) {
        memcpy(to, &number, sizeof number);
        return 0;
    }
    if (isfinite(number) && fabs(number) > (double)FLT_MAX) {
        return reader_fail(reader, path, "the number is out of range");
    }
    float narrow = (float)number;
    memcpy(to, &narrow, sizeof narrow);
    return 0;
}

// The bytes that a rule demands, or 0.
static size_t field_len(const struct schema_field *field) {
    for (const struct schema_rule *rule = field->rules; rule->kind != RULE_END; rule++) {
        if (rule->kind == RULE_LEN) return (size_t)rule->number;
    }
    return 0;
}

static int read_bytes(struct json_reader *reader, const struct schema_field *field, const json_t *json,
                      void *to, const struct path *path) {
    if (!json_is_string(json)) return reader_fail(reader, path, "a text is expected");
    const char *text = json_string_value(json);
    size_t size = json_string_length(json);
    size_t len = field_len(field);
    ProtobufCBinaryData bytes = {0};
    if (size > 0) bytes.data = arena_alloc(reader->arena, 1, BASE64_DATA_SIZE(size));
    if (field->form == FORM_HEX && size == 2 * len) {
        bytes.len = len;
        if (!hex_decode(bytes.data, len, text, size)) {
            return reader_fail(reader, path, "%zu hexadecimal digits are expected", 2 * len);
        }
    } else if (!base64_decode(bytes.data, BASE64_DATA_SIZE(size), &bytes.len, text, size) ||
               (field->form == FORM_HEX && size > 0 && bytes.len != len)) {
        if (field->form == FORM_HEX) {
            return reader_fail(reader, path, "%zu hexadecimal digits are expected", 2 * len);
        }
        return reader_fail(reader, path, "base64 is expected");
    }
    memcpy(to, &bytes, sizeof bytes);
    return 0;
}

static int read_enum(struct json_reader *reader, const struct schema_field *field, const json_t *json,
                     void *to, const struct path *path) {
    struct whole whole;
    int32_t number;
    if (json_is_string(json) && schema_enum_number(field->enumeration, json_string_value(json), &number)) {
        memcpy(to, &number, sizeof number);
        return 0;
    }
    if (!whole_from_json(reader, json, path, &whole)) {
        return reader_fail(reader, path, "a value of %s is expected", field->enumeration->name);
    }
    if (whole.magnitude > INT32_MAX) return reader_fail(reader, path, "the number is out of range");
    number = whole.negative ? -(int32_t)whole.magnitude : (int32_t)whole.magnitude;
    memcpy(to, &number, sizeof number);
    return 0;
}

static int read_text(struct json_reader *reader, const json_t *json, void *to, const struct path *path) {
    if (!json_is_string(json)) return reader_fail(reader, path, "a text is expected");
    const char *text = arena_dup(reader->arena, json_string_value(json), json_string_length(json) + 1);
    memcpy(to, &text, sizeof text);
    return 0;
}

int reader_scalar(struct json_reader *reader, const struct schema_field *field, const json_t *json, void *to,
                  const struct path *path) {
    protobuf_c_boolean truth = json_is_true(json);
    switch (field->form) {
        case FORM_BOOL:
            if (!json_is_boolean(json)) return reader_fail(reader, path, "true or false is expected");
            memcpy(to, &truth, sizeof truth);
            return 0;
        case FORM_FLOAT:
        case FORM_DOUBLE:
            return read_real(reader, field->form, json, to, path);
        case FORM_STRING:
            return read_text(reader, json, to, path);
        case FORM_HEX:
        case FORM_BASE64:
            return read_bytes(reader, field, json, to, path);
        case FORM_ENUM_NAME:
        case FORM_ENUM_NUMBER:
            return read_enum(reader, field, json, to, path);
        default:
            return read_whole(reader, field->form, json, to, path);
    }
}

static int read_time(struct json_reader *reader, const json_t *json, ProtobufCMessage *message,
                     const struct path *path) {
    Google__Timestamp *time = (Google__Timestamp *)(void *)message;
    if (json_is_string(json) &&
        rfc3339_parse(json_string_value(json), json_string_length(json), &time->seconds, &time->nanos)) {
        return 0;
    }
    return reader_fail(reader, path, "a time as 2006-01-02T15:04:05Z is expected");
}

static int read_duration(struct json_reader *reader, const json_t *json, ProtobufCMessage *message,
                         const struct path *path) {
    Google__Duration *duration = (Google__Duration *)(void *)message;
    if (json_is_string(json) && duration_parse(json_string_value(json), json_string_length(json),
                                               &duration->seconds, &duration->nanos)) {
        return 0;
    }
    return reader_fail(reader, path, "a duration as 1.5s or 1m30s is expected");
}

static int read_field_mask(struct json_reader *reader, const json_t *json, ProtobufCMessage *message,
                           const struct path *path) {
    Google__FieldMask *mask = (Google__FieldMask *)(void *)message;
    if (!json_is_string(json)) return reader_fail(reader, path, "a text is expected");
    const char *at = json_string_value(json);
    size_t count = 0;
    for (const char *c = at; *c != '\0'; c++) count += *c == ',';
    mask->paths = arena_new_array(reader->arena, char *, count + 1);
    while (*at != '\0') {
        size_t size = strcspn(at, ",");
        mask->paths[mask->n_paths++] = arena_strndup(reader->arena, at, size);
        at += size;
        if (*at == ',') at++;
    }
    return 0;
}

// Free-form JSON becomes google.protobuf.Value.
static int read_free_value(struct json_reader *reader, const struct schema_message *table, const json_t *json,
                           Google__Value *value, const struct path *path, size_t depth) {
    static const char *const members[] = {
        [JSON_OBJECT] = "struct_value",  [JSON_ARRAY] = "list_value",  [JSON_STRING] = "string_value",
        [JSON_INTEGER] = "number_value", [JSON_REAL] = "number_value", [JSON_TRUE] = "bool_value",
        [JSON_FALSE] = "bool_value",     [JSON_NULL] = "null_value",
    };
    const struct schema_field *field = schema_field(table, members[json_typeof(json)]);
    value->kind_case = schema_place(table, field)->id;
    if (json_is_null(json)) return 0;
    return reader_value(reader, field, json, member_of(&value->base, schema_place(table, field)), path,
                        depth);
}

// Structs and lists of values are a map and a list that JSON shows without the member that holds them.
static int read_wrapped(struct json_reader *reader, const struct schema_message *table, const json_t *json,
                        ProtobufCMessage *message, const struct path *path, size_t depth) {
    const struct schema_field *field = &table->fields[0];
    json_t *wrapper = json_object();
    int result = -ERROR_SYSTEM;
    if (json_object_set(wrapper, field->name, (json_t *)(uintptr_t)json) == 0) {
        result = reader_object(reader, table, wrapper, message, path, depth);
    }
    json_decref(wrapper);
    return result;
}

static int read_any(struct json_reader *reader, const json_t *json, ProtobufCMessage *message,
                    const struct path *path, size_t depth) {
    Google__Any *any = (Google__Any *)(void *)message;
    const char *url = json_string_value(json_object_get(json, "@type"));
    if (url == NULL) return reader_fail(reader, path, "an object with @type is expected");
    const char *slash = strrchr(url, '/');
    const struct schema_message *table = slash == NULL ? NULL : schema_find_type(slash + 1);
    any->type_url = arena_strdup(reader->arena, url);
    if (table == NULL) {
        const json_t *value = json_object_get(json, "value");
        const struct schema_field *field = schema_field(schema_of(message), "value");
        return value == NULL ? 0 : reader_scalar(reader, field, value, &any->value, path);
    }
    json_t *members = json_copy((json_t *)(uintptr_t)json);
    json_object_del(members, "@type");
    ProtobufCMessage *inner = message_new(reader->arena, table->descriptor);
    int result = reader_object(reader, table, members, inner, path, depth);
    json_decref(members);
    if (result != 0) return result;
    any->value.len = protobuf_c_message_get_packed_size(inner);
    any->value.data = arena_alloc(reader->arena, 1, any->value.len);
    protobuf_c_message_pack(inner, any->value.data);
    return 0;
}

int reader_special(struct json_reader *reader, const struct schema_field *field, const json_t *json,
                   ProtobufCMessage **ret_message, const struct path *path, size_t depth) {
    ProtobufCMessage *message = message_new(reader->arena, field->message->descriptor);
    *ret_message = message;
    if (depth > JSON_DEPTH_MAX) return reader_fail(reader, path, "nested too deep");
    switch (field->form) {
        case FORM_TIMESTAMP:
            return read_time(reader, json, message, path);
        case FORM_DURATION:
            return read_duration(reader, json, message, path);
        case FORM_FIELD_MASK:
            return read_field_mask(reader, json, message, path);
        case FORM_VALUE:
            return read_free_value(reader, field->message, json, (Google__Value *)(void *)message, path,
                                   depth);
        case FORM_ANY:
            return read_any(reader, json, message, path, depth);
        default:
            return read_wrapped(reader, field->message, json, message, path, depth);
    }
}
