// SPDX-License-Identifier: Apache-2.0
#include "device/naming.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/memory.h"
#include "device/naming_p.h"
#include "device/pattern.h"

bool device_id_valid(const char *id) {
    return strlen(id) <= DEVICE_ID_MAX && pattern_matches(PATTERN_ID, id);
}

static int reserved_compare(const void *id, const void *entry) {
    return strcmp(id, *(const char *const *)entry);
}

bool device_prefix_valid(const char *prefix) {
    char id[DEVICE_ID_SIZE];
    if (prefix == NULL || prefix[0] == '\0') return true;
    int size = snprintf(id, sizeof id, "%s-1", prefix);
    for (char *c = id; *c != '\0'; c++) {
        if (*c == '_') *c = '-';
    }
    // The shortest ID behind it is one letter; the prefix alone may be shorter than an ID has to be.
    char padded[DEVICE_ID_SIZE];
    snprintf(padded, sizeof padded, "%.*s11", DEVICE_ID_MAX - 2, id);
    return size > 0 && size < (int)sizeof id && device_id_valid(padded);
}

bool device_id_reserved(const char *id) {
    return bsearch(id, device_reserved_ids, device_reserved_ids_count, sizeof device_reserved_ids[0],
                   reserved_compare) != NULL;
}

static int id_refused(struct error *error, const char *id, const char *reason, bool too_long) {
    error_set(error, ERROR_DEVICE, "The Things Stack would refuse the ID '%.100s': %s", id, reason);
    error_hint(
        error,
        too_long
            ? "rename it at the source; or, in a run of its own, --set-eui-as-id takes the DevEUIs as IDs, "
              "--dev-id-prefix a shorter prefix, if there is one"
            : "rename it at the source; or, in a run of its own, --dev-id-prefix puts something before the "
              "IDs, "
              "--set-eui-as-id takes the DevEUIs instead");
    return -ERROR_DEVICE;
}

static int id_check(const char *id, struct error *error) {
    size_t size = strlen(id);
    if (size > DEVICE_ID_MAX) return id_refused(error, id, "it is longer than 36 characters", true);
    if (!device_id_valid(id)) {
        size_t letters = 0;
        for (const char *at = id; *at != '\0'; at++) letters += *at != '-';
        if (letters < DEVICE_ID_MIN)
            return id_refused(error, id, "it is shorter than 3 letters and digits", false);
        return id_refused(error, id, "it may only hold lower-case letters, digits and single inner hyphens",
                          false);
    }
    if (device_id_reserved(id)) return id_refused(error, id, "the word is reserved", false);
    return 0;
}

int device_id_make(const struct device_naming *naming, const char *source_id, const uint8_t dev_eui[8],
                   char ret_id[static DEVICE_ID_SIZE], struct error *error) {
    char eui[HEX_TEXT_SIZE(8)] = "";
    const char *prefix = naming->prefix == NULL ? "" : naming->prefix;
    bool named = source_id != NULL && source_id[0] != '\0' && !naming->eui_as_id;
    if (dev_eui != NULL) hex_encode_lower(eui, dev_eui, 8);
    if (!named && dev_eui == NULL) {
        return error_set(error, ERROR_DEVICE, "the device '%.100s' has no DevEUI that could be its ID",
                         source_id == NULL ? "" : source_id);
    }
    char *base MEMORY_AUTO =
        named ? memory_strdup(source_id) : memory_printf("%s%s", naming->eui_as_id ? "eui-" : "", eui);
    char *id MEMORY_AUTO = prefix[0] == '\0' ? memory_strdup(base) : memory_printf("%s-%s", prefix, base);
    for (char *at = id; *at != '\0'; at++) {
        if (*at == '_') *at = '-';
    }
    int result = id_check(id, error);
    if (result == 0) memcpy(ret_id, id, strlen(id) + 1);
    return result;
}
