// SPDX-License-Identifier: Apache-2.0
#include "lorawan/versions.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

struct version {
    const char *name;
    const char *alias;
    const char *text;
};

static const struct version mac_versions[] = {[MAC_UNKNOWN] = {"MAC_UNKNOWN", NULL, "unknown"},
#define X(name, number, text) [number] = {#name, NULL, text},
                                              MAC_VERSIONS(X)
#undef X
};

static const struct version phy_versions[] = {[PHY_UNKNOWN] = {"PHY_UNKNOWN", NULL, "unknown"},
#define X(name, number, text, alias) [number] = {#name, alias, text},
                                              PHY_VERSIONS(X)
#undef X
};

const char *mac_version_name(enum mac_version version) {
    return (unsigned)version < MAC_VERSION_COUNT ? mac_versions[version].name : NULL;
}

const char *phy_version_name(enum phy_version version) {
    return (unsigned)version < PHY_VERSION_COUNT ? phy_versions[version].name : NULL;
}

const char *mac_version_text(enum mac_version version) {
    return (unsigned)version < MAC_VERSION_COUNT ? mac_versions[version].text : "unknown";
}

const char *phy_version_text(enum phy_version version) {
    return (unsigned)version < PHY_VERSION_COUNT ? phy_versions[version].text : "unknown";
}

enum { PLAIN_SIZE = 32 };

// The size of a word at the text's beginning that is no part of the version: what people, and the Console of The Things
// Stack ("LoRaWAN Specification 1.0.3", "RP001 Regional Parameters 1.0.3 revision A"), put around it.
static size_t filling(const char *text) {
    static const char *const words[] = {"revision", "rev",      "lorawan",   "specification",
                                        "rp001",    "regional", "parameters"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strncasecmp(text, words[i], strlen(words[i])) == 0) return strlen(words[i]);
    }
    return strchr(" ._-", *text) != NULL ? 1 : 0;
}

// Brings the many spellings together: lower case, without anything but letters and digits, without filling words
// and a leading `v`. "1.0.2 rev B", "V1_0_2_REV_B" and "1.0.2-b" all become "102b". False if the text
// is too long to be a version.
static bool make_plain(const char *text, const char *prefix, char plain[static PLAIN_SIZE]) {
    size_t size = 0;
    if (prefix != NULL && strncasecmp(text, prefix, strlen(prefix)) == 0) text += strlen(prefix);
    while (*text != '\0') {
        bool leading = size == 0 && tolower((unsigned char)*text) == 'v';
        size_t skipped = leading ? 1 : filling(text);
        if (skipped > 0) {
            text += skipped;
        } else {
            if (size + 1 == PLAIN_SIZE) return false;
            plain[size++] = (char)tolower((unsigned char)*text++);
        }
    }
    plain[size] = '\0';
    return true;
}

struct spelling {
    const char *plain;
    int version;
};

static int find_spelling(const struct spelling *spellings, const char *plain) {
    for (; spellings->plain != NULL; spellings++)
        if (strcmp(spellings->plain, plain) == 0) return spellings->version;
    return 0;
}

static int find_name(const struct version *versions, int count, const char *text) {
    for (int i = 1; i < count; i++) {
        if (strcasecmp(versions[i].name, text) == 0) return i;
        if (versions[i].alias != NULL && strcasecmp(versions[i].alias, text) == 0) return i;
    }
    return 0;
}

bool mac_version_parse(const char *text, enum mac_version *ret) {
    static const struct spelling spellings[] = {
        {"10", MAC_V1_0},    {"100", MAC_V1_0}, {"101", MAC_V1_0_1}, {"102", MAC_V1_0_2}, {"103", MAC_V1_0_3},
        {"104", MAC_V1_0_4}, {"11", MAC_V1_1},  {"110", MAC_V1_1},   {NULL, 0},
    };
    char plain[PLAIN_SIZE];
    int version = find_name(mac_versions, MAC_VERSION_COUNT, text);
    if (version == 0 && make_plain(text, "MAC_", plain)) version = find_spelling(spellings, plain);
    if (version == 0) return false;
    *ret = (enum mac_version)version;
    return true;
}

bool phy_version_parse(const char *text, enum phy_version *ret) {
    static const struct spelling spellings[] = {
        {"10", PHY_V1_0},
        {"100", PHY_V1_0},
        {"101", PHY_V1_0_1},
        {"102", PHY_V1_0_2_REV_A},
        {"102a", PHY_V1_0_2_REV_A},
        {"102b", PHY_V1_0_2_REV_B},
        {"103", PHY_V1_0_3_REV_A},
        {"103a", PHY_V1_0_3_REV_A},
        {"11a", PHY_V1_1_REV_A},
        {"11b", PHY_V1_1_REV_B},
        {"110a", PHY_V1_1_REV_A},
        {"110b", PHY_V1_1_REV_B},
        {"rp002v100", RP002_V1_0_0},
        {"rp002v101", RP002_V1_0_1},
        {"rp002v102", RP002_V1_0_2},
        {"rp002v103", RP002_V1_0_3},
        {"rp002v104", RP002_V1_0_4},
        {"rp002100", RP002_V1_0_0},
        {"rp002101", RP002_V1_0_1},
        {"rp002102", RP002_V1_0_2},
        {"rp002103", RP002_V1_0_3},
        {"rp002104", RP002_V1_0_4},
        {NULL, 0},
    };
    char plain[PLAIN_SIZE];
    int version = find_name(phy_versions, PHY_VERSION_COUNT, text);
    if (version == 0 && make_plain(text, "PHY_", plain)) version = find_spelling(spellings, plain);
    if (version == 0) return false;
    *ret = (enum phy_version)version;
    return true;
}

int mac_version_compare(enum mac_version a, enum mac_version b) {
    static const int order[] = {
        [MAC_V1_0] = 1,   [MAC_V1_0_1] = 2, [MAC_V1_0_2] = 3,
        [MAC_V1_0_3] = 4, [MAC_V1_0_4] = 5, [MAC_V1_1] = 6,
    };
    int left = (unsigned)a < MAC_VERSION_COUNT ? order[a] : 0;
    int right = (unsigned)b < MAC_VERSION_COUNT ? order[b] : 0;
    return left - right;
}
