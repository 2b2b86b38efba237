// SPDX-License-Identifier: Apache-2.0
#include "source/rest.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/memory.h"

enum { HTTPS_PORT = 443, HTTP_PORT = 80, CA_FILE_MAX = 4 * 1024 * 1024 };

static int read_certificates(struct rest *rest, const struct rest_setup *setup, struct error *error) {
    size_t size = 0;
    if (setup->ca_path == NULL || *setup->ca_path == '\0') return 0;
    int result = file_read_all(setup->ca_path, CA_FILE_MAX, &rest->ca_pem, &size, error);
    if (result != 0) return error_wrap(error, ERROR_USAGE, "%s", setup->ca_option);
    if (strstr(rest->ca_pem, "-----BEGIN CERTIFICATE-----") != NULL) return 0;
    return error_set(error, ERROR_USAGE, "%s: %s holds no certificate in PEM form", setup->ca_option,
                     setup->ca_path);
}

int rest_open(struct rest *rest, const struct rest_setup *setup, struct error *error) {
    int result = address_parse(setup->url, setup->url_option, setup->plain ? HTTP_PORT : HTTPS_PORT, false,
                               &rest->address, error);
    if (result == 0) result = read_certificates(rest, setup, error);
    if (result != 0) return result;
    rest->name = memory_printf("%s %s", setup->title, rest->address.host_port);
    rest->server = (struct server){
        .name = rest->name,
        .address = rest->address.host_port,
        .plain = setup->plain || rest->address.plain,
        .ca_pem = rest->ca_pem,
    };
    return 0;
}

void rest_release(struct rest *rest) {
    address_release(&rest->address);
    free(rest->ca_pem);
    free(rest->name);
    *rest = (struct rest){0};
}

json_t *rest_object(const struct rest *rest, const struct reply *reply, struct error *error) {
    json_t *json = json_loadb((const char *)reply->body.data, reply->body.size, 0, NULL);
    if (json_is_object(json)) return json;
    json_decref(json);
    error_set(error, ERROR_PROTOCOL, "%s: its answer is no JSON object", rest->name);
    return NULL;
}

const char *rest_text(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL || *text == '\0' ? NULL : text;
}

bool rest_number(const json_t *object, const char *name, uint32_t *ret_number) {
    const json_t *member = json_object_get(object, name);
    json_int_t value = json_integer_value(member);
    if (!json_is_integer(member) || value < 0 || value > UINT32_MAX) return false;
    *ret_number = (uint32_t)value;
    return true;
}

bool rest_location(const json_t *place, double *ret_latitude, double *ret_longitude) {
    const json_t *latitude = json_object_get(place, "lat"), *longitude = json_object_get(place, "lon");
    if (!json_is_number(latitude) || !json_is_number(longitude)) return false;
    *ret_latitude = json_number_value(latitude);
    *ret_longitude = json_number_value(longitude);
    return *ret_latitude != 0 || *ret_longitude != 0;
}

const char *rest_dump(struct arena *arena, const json_t *object) {
    char *text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
    const char *copy = arena_strdup(arena, text != NULL ? text : "{}");
    memory_free_secret(text);
    return copy;
}
